/* Unknowns of element order 1 or 2 on a part of a mesh.

   Local unknowns are owned ones first, then ghosts in the order of their global numbers. With floating electrodes all
   nodes of an electrode share one unknown: that makes a probe an equipotential whose net current is the residual of its
   own row. */
#ifndef IREZONE_MATRIX_SPACE_H
#define IREZONE_MATRIX_SPACE_H

#include "part/part.h"
#include <petscvec.h>

typedef struct {
  const IrzPart *part;
  int order;       ///< 1 or 2
  int nodes;       ///< nodes of a tetrahedron: 4 or 10
  bool merged;     ///< each electrode is one unknown
  int32_t n_owned; ///< unknowns of this rank
  int32_t n_local; ///< with ghosts
  PetscInt first;  ///< global number of the first owned unknown
  PetscInt n_global;
  PetscInt *ghost;   ///< [n_local - n_owned] global numbers, increasing; NULL on a lone rank
  int32_t *dof;      ///< [nodes of the part] local unknown of a node; -1 for edges at order 1
  int32_t *tet_dof;  ///< [n_tets][nodes] local unknowns of each tetrahedron
  int8_t *electrode; ///< [n_local] electrode of an unknown, or -1
  PetscSF halo;      ///< from owners to ghosts; NULL on a lone rank

  int n_threads;
  int32_t *row_start; ///< [n_threads + 1] rows each thread works on
  int32_t **tets;     ///< [n_threads + 1] straight tetrahedra that touch those rows; in the last place those that touch
                      ///< any, for a thread that works alone; there is none with one thread
  int32_t *n_tets;    ///< [n_threads + 1]
  int32_t **general;  ///< [n_threads + 1] tetrahedra for the general kernel, by their index there
  int32_t *n_general; ///< [n_threads + 1]
} IrzSpace;

/// Number the unknowns. Collective.
/// @param[in]  part       the part; must outlive the space
/// @param[in]  order      1 or 2
/// @param[in]  merged     one unknown per electrode
/// @param[in]  n_threads  threads that will work on it
/// @param[in]  general    [part->n_tets] 0 for the fast kernel, else 1 + index into the general tetrahedra
/// @param[in]  like       divide the rows among the threads as in this space of order 2; NULL: by the tetrahedra along
/// the curve
/// @param[out] space      the space
IrzCode irz_space_create(const IrzPart *part, int order, bool merged, int n_threads, const int32_t *general,
                         const IrzSpace *like, IrzSpace **space, IrzError *error);

/// Bring ghosts up to date. Collective.
/// @param[in,out] x  [n_local]
PetscErrorCode irz_space_share(const IrzSpace *space, double *x);

/// The same in single precision.
PetscErrorCode irz_space_share_single(const IrzSpace *space, float *x);

/// Values at the nodes of the part from values of the unknowns. At order 1 the edges get the mean of their ends.
/// @param[in]  x     [n_local]
/// @param[out] node  [n_vertices + n_edges]
void irz_space_nodes(const IrzSpace *space, const double *x, double *node);

void irz_space_free(IrzSpace *space);

#endif
