/* The edges of a part of a mesh. */
#ifndef IREZONE_PART_EDGES_H
#define IREZONE_PART_EDGES_H

#include "part/part.h"

/// The end of an edge, by global numbers, to whose owner it belongs: the smaller one of every other edge, so that of
/// the edges between two ranks each gets half.
static inline int32_t irz_edge_owner(int32_t a, int32_t b) {
  int32_t low = a < b ? a : b, high = a < b ? b : a;
  return (a ^ b) & 1 ? low : high;
}

/// Find the edges of the local tetrahedra; owned ones first, each in the order in which the curve meets them. An edge
/// belongs to the owner of its irz_edge_owner(). Fills edge, n_edges, n_owned_edges and
/// tet[..][4..9]. The result does not depend on the number of threads.
/// @param[in,out] part  with its vertices and tet[..][0..3]
/// @param[in]     id    [n_vertices] global numbers; NULL: all vertices are owned
IrzCode irz_part_edges(IrzPart *part, const int32_t *id, IrzError *error);

#endif
