/* Aggregates and smoothed interpolation for one level of algebraic multigrid, after Vanek, Mandel and Brezina,
   Computing 56 (1996) 179. Aggregates do not cross ranks; the interpolation does. */
#ifndef IREZONE_SOLVER_AGGREGATE_H
#define IREZONE_SOLVER_AGGREGATE_H

#include "solver/halo.h"

/// What is known of a level.
typedef struct {
  const IrzHalo *halo;
  const IrzRows *matrix;  ///< [n rows][n_local columns]
  const float *diagonal;  ///< [n_local]
  float *scratch, *spare; ///< [n_local]
} IrzAggregation;

/// Sort the owned unknowns into aggregates. Local.
/// @param[out] aggregate  [n] or -1: tied to nothing, as a fixed unknown is; smoothing alone solves it
/// @return number of aggregates
int32_t irz_aggregate(const IrzAggregation *level, int32_t *aggregate);

/// Make the interpolation: one step of damped Jacobi on "1 in the aggregate", with weak entries moved to the diagonal.
/// Collective.
/// @param[in,out] aggregate  [n_local] as from irz_aggregate() on entry, for ghosts, too, on return
/// @param[in]     coarse     the division of the aggregates
/// @param[out]    p          [n] rows, columns are global
IrzCode irz_interpolate(const IrzAggregation *level, int32_t *aggregate, const IrzHalo *coarse, IrzRows *p,
                        IrzError *error);

#endif
