/* What a solution can be asked for. All collective. */
#ifndef IREZONE_MODEL_ASK_H
#define IREZONE_MODEL_ASK_H

#include "anatomy/image_write.h"
#include "model/stage.h"
#include "query/measured.h"
#include <irezone/session.h>

/* write.c */

/// Write fields and summary, as irz_model_write() does.
IrzCode irz_solution_write(const IrzSolution *found, const char *directory, IrzSummary *summary, IrzError *error);

/* sample.c */

/// The field that is measured in a solution.
IrzMeasured irz_solution_measured(const IrzSolution *found);

/// The threshold that applies at a point of a tetrahedron, V/m.
double irz_solution_threshold(const IrzSolution *found, int32_t tet, const double x[3]);

/// A quantity at points, as irz_result_sample().
IrzCode irz_solution_sample(const IrzSolution *found, const char *quantity, int n, const double (*points)[3],
                            double *values, IrzError *error);

/* grid.c */

/// Bits of what is found at a voxel's centre, and how many of the further levels its field reaches.
enum { IRZ_VOXEL_TISSUE = 128, IRZ_VOXEL_ZONE = 64, IRZ_VOXEL_LEVELS = 63 };

/// What is found at the centres of voxels.
typedef struct {
  const IrzVoxelGrid *grid;
  int first[3], count[3]; ///< the part of the grid that the tissue box reaches
  uint8_t *code;          ///< [count[2]][count[1]][count[0]] on rank 0, owned
  float *field;           ///< the same, V/cm, above 0 in tissue; NULL: not wanted
} IrzVoxelField;

/// Look at all voxels of a grid. Where a centre lies on a face between two tetrahedra the larger field and the zone
/// count.
/// @param[in]  field      fields are wanted, too
/// @param[in]  level      [n_levels] V/m, increasing; no more than IRZ_VOXEL_LEVELS
/// @param[out] voxels     to be released with irz_voxel_field_clear(), also on failure
IrzCode irz_solution_voxels(const IrzSolution *found, const IrzVoxelGrid *grid, bool field, int n_levels,
                            const double *level, IrzVoxelField *voxels, IrzError *error);

void irz_voxel_field_clear(IrzVoxelField *voxels);

/// Which points of a grid lie in the zone.
/// @param[out] ablated  [size[2]][size[1]][size[0]] on rank 0
IrzCode irz_solution_grid(const IrzSolution *found, const IrzVoxelGrid *grid, uint8_t *ablated, IrzError *error);

/* slicer.c */

/// Write what 3D Slicer opens, if the plan asks for it.
IrzCode irz_solution_write_slicer(const IrzSolution *found, const char *directory, const IrzSummary *summary,
                                  IrzError *error);

/* volumes.c */

/// Volume of each region whose field reaches each level, as irz_result_volumes().
IrzCode irz_solution_volumes(const IrzSolution *found, int n_levels, const double *level, double *volume,
                             IrzError *error);

#endif
