/* What a solution can be asked for. All collective. */
#ifndef IREZONE_MODEL_ASK_H
#define IREZONE_MODEL_ASK_H

#include "model/stage.h"
#include <irezone/session.h>

/* write.c */

/// Write fields and summary, as irz_model_write() does.
IrzCode irz_solution_write(const IrzSolution *found, const char *directory, IrzSummary *summary, IrzError *error);

/* sample.c */

/// Which points of a grid lie in the zone.
/// @param[out] ablated  [size[2]][size[1]][size[0]] on rank 0
IrzCode irz_solution_grid(const IrzSolution *found, const IrzVoxelGrid *grid, uint8_t *ablated, IrzError *error);

/// A quantity at points, as irz_result_sample().
IrzCode irz_solution_sample(const IrzSolution *found, const char *quantity, int n, const double (*points)[3],
                            double *values, IrzError *error);

/* volumes.c */

/// Volume of each region whose field reaches each level, as irz_result_volumes().
IrzCode irz_solution_volumes(const IrzSolution *found, int n_levels, const double *level, double *volume,
                             IrzError *error);

#endif
