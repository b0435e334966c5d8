/* A measured zone held against the computed one: what both have on a grid, and how far their surfaces are apart. */
#ifndef IREZONE_PATIENT_COMPARE_H
#define IREZONE_PATIENT_COMPARE_H

#include "patient/tree.h"
#include <irezone/patient.h>

/// Overlaps of a measured zone with the places where a field reaches levels.
/// @param[in]     n         points, all of which stand for the same volume
/// @param[in]     field     [n] V/m; negative: no tissue, which counts for nothing
/// @param[in]     measured  [n] 1: in the measured zone
/// @param[in,out] made      gets `by_threshold`, and the best of all levels
void irz_compare_levels(size_t n, const float *field, const uint8_t *measured, IrzComparison *made);

/// Distances between two surfaces, by area: the 95th percentile of those from either surface to the other, whichever is
/// larger, and the mean of all.
/// @param[in]  a, b        surfaces with their trees
/// @param[in]  keep        [a->n_triangles] 0: the triangle does not count; NULL: all do
/// @param[out] hausdorff95, mean  m; NaN if one has no triangles
IrzCode irz_compare_surfaces(const IrzSurface *a, const uint8_t *keep, const IrzTree *tree_a, const IrzSurface *b,
                             const IrzTree *tree_b, int threads, double *hausdorff95, double *mean, IrzError *error);

#endif
