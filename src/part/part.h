/* One rank's part of a distributed mesh.

   Vertices are owned by exactly one rank; a rank holds every tetrahedron that touches a vertex it owns. So all
   tetrahedra around an owned vertex or edge are local, and assembling the rows a rank owns needs no messages. All
   vertices of an electrode belong to one rank, because they share one unknown. */
#ifndef IREZONE_PART_PART_H
#define IREZONE_PART_PART_H

#include <irezone/anatomy.h>
#include <irezone/mesh.h>
#include <petscsf.h>

/// The nodes of element order 2: vertices, then edges. Node i is vertex i for i < n_vertices, else edge i - n_vertices.
typedef struct {
  MPI_Comm comm;
  int rank, size;

  int32_t n_vertices; ///< local vertices; the first n_owned_vertices are owned
  int32_t n_owned_vertices;
  int32_t n_edges; ///< local edges; the first n_owned_edges are owned
  int32_t n_owned_edges;
  double *xyz;       ///< [n_vertices][3] m
  int32_t *edge;     ///< [n_edges][2] local vertices
  int8_t *electrode; ///< [n_vertices + n_edges] electrode (probe) a node lies on, or -1
  uint8_t *outer;    ///< [n_vertices] 1 on the surface named "outer"

  int32_t n_tets;     ///< local tetrahedra, along a space-filling curve
  int32_t (*tet)[10]; ///< [n_tets] nodes: 4 vertices, then edges 01 02 03 12 13 23
  uint8_t *region;    ///< [n_tets] index into `regions`
  uint8_t *fitted;    ///< [n_tets] 1: all of it is in its region, whatever a label map says; see IrzMesh.fitted
  uint8_t *mine;      ///< [n_tets] 1 on exactly one rank: whose sums it enters

  int32_t n_curved;           ///< local tetrahedra with curved edges
  int32_t *curved_tet;        ///< [n_curved] increasing
  double (*curved_xyz)[6][3]; ///< [n_curved] middle of each edge, m

  int n_regions;
  IrzGroup *regions; ///< [n_regions], the same on all ranks

  int64_t n_global_tets, n_global_vertices, n_global_edges;
  PetscSF nodes; ///< owned nodes are roots, the copies on other ranks leaves
} IrzPart;

/// Local vertices of the six edges of a tetrahedron, in the order of IrzPart.tet.
static const int irz_edge_vertices[6][2] = {{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}};

/// The eight children of a tetrahedron by its ten nodes: corners first, then the inner octahedron along 02-13.
extern const int irz_child_nodes[8][4];

/// Distribute a mesh. Collective.
/// @param[in]  comm       communicator
/// @param[in]  mesh       the mesh, on rank 0 only
/// @param[in]  n_probes   number of probes
/// @param[in]  surfaces   [n_probes] name of the surface of each probe's bare metal
/// @param[out] part       this rank's part
/// @param[out] error      the same on all ranks
IrzCode irz_part_create(MPI_Comm comm, const IrzMesh *mesh, int n_probes, const char *const *surfaces, IrzPart **part,
                        IrzError *error);

/// Give every node the value of its owner. Collective.
/// @param[in]     part        the part
/// @param[in]     components  values per node
/// @param[in,out] values      [n_vertices + n_edges][components]
IrzCode irz_part_share(const IrzPart *part, int components, double *values, IrzError *error);

/// Give the leaves of a star forest the values of their roots. Collective.
/// @param[in]     components  values of each
/// @param[in,out] values      [roots and leaves][components]
IrzCode irz_share_over(PetscSF forest, int components, double *values, IrzError *error);

/// Free a part; NULL is allowed. Collective.
void irz_part_free(IrzPart *part);

#endif
