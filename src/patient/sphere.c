/* The largest sphere inside a zone: cubes are halved as long as one of them may hold a better middle. */
#include "base/memory.h"
#include "patient/around.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CUBES = 100000, ROUNDS = 14 };

/// A cube that may hold the middle.
typedef struct {
  double middle[3], depth; ///< m
} Cube;

/// Try the middles of some cubes; keep those that may hold one that is better by more than `near`.
/// @return how many are kept
static int try_cubes(const IrzTree *zone, Cube *cube, int n, double half, double near, double *best, double center[3]) {
  int kept = 0;
  for (int i = 0; i < n; i++) {
    cube[i].depth = irz_tree_depth(zone, cube[i].middle, INFINITY);
    if (cube[i].depth <= *best + 1e-7) continue; /* of equal ones the first, whatever rounding says */
    *best = cube[i].depth;
    memcpy(center, cube[i].middle, sizeof cube[i].middle);
  }
  for (int i = 0; i < n; i++) {
    if (cube[i].depth + sqrt(3) * half > *best + near) cube[kept++] = cube[i];
  }
  return kept;
}

IrzCode irz_largest_sphere(const IrzTree *zone, double center[3], double *radius, IrzError *error) {
  const double near = 5e-5;
  double best = 0, size = 0;
  Cube *cube = NULL;
  *radius = NAN;
  for (int d = 0; d < 3; d++) center[d] = NAN;
  if (zone->n_nodes == 0) return IRZ_OK;
  for (int d = 0; d < 3; d++) size = fmax(size, zone->high[d] - zone->low[d]);
  IrzCode code = irz_alloc(&cube, 1, sizeof *cube, error);
  for (int d = 0; code == IRZ_OK && d < 3; d++) cube[0].middle[d] = 0.5 * (zone->low[d] + zone->high[d]);
  double half = 0.5 * size;
  for (int round = 0, n = 1; code == IRZ_OK && round < ROUNDS && n > 0; round++, half *= 0.5, n *= 8) {
    n = try_cubes(zone, cube, n, half, near, &best, center);
    if (n > MOST_CUBES / 8) break; /* as along the axis of a long tube, where one is as good as another */
    code = irz_resize(&cube, 8 * (size_t)n, sizeof *cube, error);
    for (int i = 8 * n - 1; code == IRZ_OK && i >= 0; i--) { /* the last ones first: none is written over too early */
      double middle[3];
      memcpy(middle, cube[i / 8].middle, sizeof middle);
      for (int d = 0; d < 3; d++) cube[i].middle[d] = middle[d] + (i >> d & 1 ? 0.5 : -0.5) * half;
    }
  }
  free(cube);
  if (best > 0) *radius = best;
  return code;
}
