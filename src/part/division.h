/* Who gets what of a mesh: worked out on rank 0 before anything is sent. */
#ifndef IREZONE_PART_DIVISION_H
#define IREZONE_PART_DIVISION_H

#include <irezone/mesh.h>
#include <mpi.h>

/// The mesh with everything the ranks need to know, on rank 0.
typedef struct {
  const IrzMesh *mesh;
  int32_t *order;    ///< [n_tets] along the curve
  int32_t (*tet)[4]; ///< [n_tets] corners along the curve, of several ranks
  int8_t *electrode; ///< [n_vertices]
  uint8_t *outer;    ///< [n_vertices]
  int32_t n_edges;   ///< edges on electrodes
  int32_t *edge;     ///< [n_edges][2] vertices, smaller first, sorted
  int *owner;        ///< [n_vertices] rank
  int32_t *number;   ///< [n_vertices] new global number, contiguous on each rank
  int32_t *start;    ///< [size + 1] first global number of each rank
  int32_t **tets;    ///< [size] places in `order` of the tetrahedra of each rank: those that touch a vertex it owns
  int32_t *n_tets;   ///< [size]
} IrzDivision;

/// Work out on rank 0 who gets what: by bisection, or by the graph partitioner of the PETSc option
/// -mat_partitioning_type. Collective, because the partitioner is. Clear it afterwards, also after a failure.
/// @param[in]  mesh      the mesh, on rank 0 only
/// @param[in]  n_probes  number of probes
/// @param[in]  surfaces  [n_probes] name of the surface of each probe's bare metal
/// @param[out] division  zeroed on entry; everything on rank 0, `start` on all
/// @param[out] error     the same on all ranks: electrodes that touch, too many regions
IrzCode irz_division_make(MPI_Comm comm, const IrzMesh *mesh, int n_probes, const char *const *surfaces,
                          IrzDivision *division, IrzError *error);

void irz_division_clear(IrzDivision *division, int size);

#endif
