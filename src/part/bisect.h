/* Division of points among ranks by recursive bisection: planes across the axis along which the points spread most. It
   takes milliseconds, where a graph partitioner takes as long as the solve for a cut that is hardly smaller. */
#ifndef IREZONE_PART_BISECT_H
#define IREZONE_PART_BISECT_H

#include <irezone/error.h>
#include <stdint.h>

/// Divide points into parts of nearly equal weight.
/// @param[in]  n       number of points
/// @param[in]  x       [n][3] where they are
/// @param[in]  weight  [n] positive
/// @param[in]  parts   number of parts
/// @param[out] part    [n] part of each point
IrzCode irz_bisect(int32_t n, const double *x, const int32_t *weight, int parts, int *part, IrzError *error);

#endif
