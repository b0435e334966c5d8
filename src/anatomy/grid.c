/* The grid of an image: what every format must state of it, and what is doubted. */
#include "anatomy/image.h"
#include "anatomy/voxel.h"
#include "base/vector.h"
#include <math.h>

#define MIN_EDGE 1e-6        // m, shortest voxel edge that is not taken for a mistake
#define MAX_EDGE 1.0         // m, longest one
#define MIN_DETERMINANT 1e-6 // of the axes' unit vectors; below it they span no volume
#define SKEW 0.01            // cosine of the angle between two axes above which they are called skewed
#define SMALLEST_IMAGE 5e-3  // m, longest edge of an image below which its units are doubted
#define LARGEST_IMAGE 3.0    // m, and above which

/// Say so if the axes are not at right angles.
static void warn_of_skew(IrzPlan *plan, const IrzLabelMap *map) {
  double worst = 0;
  for (int e = 0; e < 3; e++) {
    int f = (e + 1) % 3;
    double cosine = 0;
    for (int d = 0; d < 3; d++)
      cosine += map->to_world[d][e] * map->to_world[d][f] / (map->spacing[e] * map->spacing[f]);
    worst = fmax(worst, fabs(cosine));
  }
  if (worst <= SKEW) return;
  irz_plan_warn(plan,
                "%s:%d: anatomy.labels: %s: the axes of the image are skewed, %.3g degrees out of square: Slicer and "
                "others place it as if they were not. Resample it to a straight grid",
                plan->file, plan->anatomy.line, irz_path_from_here(plan->anatomy.labels),
                asin(fmin(worst, 1)) * 180 / acos(-1));
}

/// Say so if the image is no image of a body.
static void warn_of_size(IrzPlan *plan, const IrzLabelMap *map, const char *unit) {
  double longest = 0;
  for (int e = 0; e < 3; e++) longest = fmax(longest, map->size[e] * map->spacing[e]);
  if (longest >= SMALLEST_IMAGE && longest <= LARGEST_IMAGE) return;
  irz_plan_warn(plan,
                "%s:%d: anatomy.labels: %s: the image measures %.4g x %.4g x %.4g mm, too %s for a patient: is its "
                "unit right? %s",
                plan->file, plan->anatomy.line, irz_path_from_here(plan->anatomy.labels),
                1e3 * map->size[0] * map->spacing[0], 1e3 * map->size[1] * map->spacing[1],
                1e3 * map->size[2] * map->spacing[2], longest < SMALLEST_IMAGE ? "small" : "large", unit);
}

/// The inverse of a map's affine. Row d of it is the cross product of the two other columns over the determinant.
static void invert(IrzLabelMap *map) {
  double(*a)[4] = map->to_world, whole = irz_voxel_determinant(a[0]);
  for (int d = 0; d < 3; d++) {
    int e = (d + 1) % 3, f = (d + 2) % 3;
    double *row = map->to_voxel[d];
    for (int c = 0; c < 3; c++) {
      int p = (c + 1) % 3, q = (c + 2) % 3;
      row[c] = (a[p][e] * a[q][f] - a[q][e] * a[p][f]) / whole;
    }
    row[3] = -(row[0] * a[0][3] + row[1] * a[1][3] + row[2] * a[2][3]);
  }
}

IrzCode irz_grid_finish(IrzPlan *plan, IrzLabelMap *map, const char *what, const char *unit, IrzError *error) {
  const char *path = irz_path_from_here(plan->anatomy.labels);
  for (int d = 0; d < 3; d++) {
    for (int e = 0; e < 4; e++) {
      if (isfinite(map->to_world[d][e])) continue;
      return irz_error_set(error, IRZ_ERR_INPUT, "%s: the %s has a number that is not finite", path, what);
    }
  }
  for (int e = 0; e < 3; e++) {
    map->spacing[e] = hypot(hypot(map->to_world[0][e], map->to_world[1][e]), map->to_world[2][e]);
    if (map->spacing[e] >= MIN_EDGE && map->spacing[e] <= MAX_EDGE) continue;
    return irz_error_set(error, IRZ_ERR_INPUT, "%s: voxels of %g mm along axis %d; 0.001 to 1000 mm are allowed (%s)",
                         path, map->spacing[e] * 1e3, e + 1, unit);
  }
  if (!(fabs(irz_voxel_determinant(map->to_world[0])) >
        MIN_DETERMINANT * map->spacing[0] * map->spacing[1] * map->spacing[2])) {
    return irz_error_set(error, IRZ_ERR_INPUT, "%s: the %s is singular: the voxels have no volume", path, what);
  }
  invert(map);
  warn_of_skew(plan, map);
  warn_of_size(plan, map, unit);
  return IRZ_OK;
}
