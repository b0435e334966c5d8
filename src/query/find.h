/* Which tetrahedra points lie in, and fields at these points. */
#ifndef IREZONE_QUERY_FIND_H
#define IREZONE_QUERY_FIND_H

#include "part/part.h"

/// Points that are looked for in a part, and where they were found. All ranks look for the same points.
typedef struct {
  int32_t n;
  double (*x)[3]; ///< [n] m
  double *score;  ///< [n] of this rank: 0 in a tetrahedron; less the further outside; -infinity: not found
  double *best;   ///< [n] the largest score of all ranks
  int32_t *tet;   ///< [n] of this rank's score; -1: none
  double (*l)[4]; ///< [n] barycentric coordinates there; those of a point outside are cut off at the faces
  int32_t *order; ///< [n] a k-d tree: halves by x, their halves by y, and so on
  double *median; ///< [n] at the first entry of each upper half: the coordinate that it begins with
} IrzSought;

/// Make room for n points, whose `x` the caller fills.
IrzCode irz_sought_create(int32_t n, IrzSought *sought, IrzError *error);

void irz_sought_clear(IrzSought *sought);

/// Look for the points. Collective.
/// @param[in] outside  look for the nearest tetrahedra of points outside, too, up to a hundred times their size away
/// @return how many were not found; without `outside` not those that are far outside
int32_t irz_find(const IrzPart *part, bool outside, IrzSought *sought);

/// Whether this rank answers for a point: its score is the best.
static inline bool irz_sought_mine(const IrzSought *sought, int32_t i) {
  return sought->tet[i] >= 0 && sought->score[i] >= sought->best[i];
}

/// Let all ranks have the answers of those that have them. Collective.
/// @param[in,out] value  [n] in: where irz_sought_mine(); out: all, -infinity where none has one
void irz_sought_share(const IrzSought *sought, MPI_Comm comm, double *value);

/// A field at a point of a tetrahedron.
/// @param[in] order  of the field, 1 or 2
/// @param[in] node   [10] its nodes
/// @param[in] field  [nodes of the part]
/// @param[in] l      barycentric coordinates
double irz_value_at(int order, const int32_t *node, const double *field, const double l[4]);

#endif
