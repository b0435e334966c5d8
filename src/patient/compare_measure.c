/* Overlaps and distances of two zones; see compare.h. */
#include "base/memory.h"
#include "base/threads.h"
#include "base/vector.h"
#include "patient/compare.h"
#include <math.h>
#include <stdlib.h>

/// Steps of levels, V/m, and how many; the list has each tenth of them from 200 to 1200 V/cm.
static const double level_step = 500;
enum { N_STEPS = 601, FIRST_LISTED = 40, LISTED_STEP = 10 };

void irz_compare_levels(size_t n, const float *field, const uint8_t *measured, IrzComparison *made) {
  int64_t all[N_STEPS] = {0}, common[N_STEPS] = {0}, total = 0;
  for (size_t i = 0; i < n; i++) {
    if (field[i] < 0) continue;
    int step = (int)fmin(field[i] / level_step, N_STEPS - 1);
    total += measured[i];
    all[step]++;
    common[step] += measured[i];
  }
  for (int k = N_STEPS - 2; k >= 0; k--) {
    all[k] += all[k + 1];
    common[k] += common[k + 1];
  }
  made->best_threshold = made->best_dice = NAN;
  for (int k = 1; k < N_STEPS && total > 0; k++) {
    double dice = 2.0 * (double)common[k] / (double)(all[k] + total);
    if (dice <= made->best_dice) continue; /* false with NaN */
    made->best_dice = dice;
    made->best_threshold = k * level_step;
  }
  for (int i = 0; i < IRZ_MAX_DICE; i++) {
    int k = FIRST_LISTED + i * LISTED_STEP;
    double dice = total > 0 ? 2.0 * (double)common[k] / (double)(all[k] + total) : NAN;
    made->by_threshold[i] = (IrzDiceAt){k * level_step, dice};
  }
}

/// A distance, and the area that has it.
typedef struct {
  double distance, area; ///< m, m^2
} Apart;

static int by_distance(const void *a, const void *b) {
  double x = ((const Apart *)a)->distance, y = ((const Apart *)b)->distance;
  return (x > y) - (x < y);
}

/// The place of a surface that was nearest to a point, and how far that is.
typedef struct {
  double x[3], distance; ///< m; infinite: none yet
} Before;

/// Distance of a place from a surface; what was nearest to the last one, if near, says how far that is at most.
static double next_distance(const IrzTree *to, const double x[3], Before *before) {
  double way[3], reach = INFINITY;
  irz_subtract(x, before->x, way);
  if (isfinite(before->distance)) reach = sqrt(irz_dot(way, way)) * (1 + 1e-6) + 1e-9;
  before->distance = irz_tree_distance(to, x, reach, before->x);
  return before->distance;
}

/// Distances of the triangles' middles of one surface from another.
/// @param[out] p95     m
/// @param[in,out] sums  area, and area times distance
static IrzCode distances(const IrzSurface *from, const uint8_t *keep, const IrzTree *to, int threads, double *p95,
                         double sums[2], IrzError *error) {
  Apart *apart;
  double area = 0, reached = 0;
  int32_t n = from->n_triangles;
  *p95 = NAN;
  IRZ_TRY(irz_alloc(&apart, (size_t)n, sizeof *apart, error));
  Before before = {.distance = INFINITY};
#pragma omp parallel for num_threads(irz_threads(threads)) schedule(static) firstprivate(before)
  for (int32_t t = 0; t < n; t++) {
    if (keep != NULL && keep[t] == 0) continue;
    double x[3];
    const double *p[3];
    for (int i = 0; i < 3; i++) p[i] = from->points[from->triangles[t][i]];
    for (int d = 0; d < 3; d++) x[d] = (p[0][d] + p[1][d] + p[2][d]) / 3;
    apart[t] = (Apart){next_distance(to, x, &before), irz_triangle_area(p[0], p[1], p[2])};
  }
  for (int32_t t = 0; t < n; t++) {
    area += apart[t].area;
    sums[1] += apart[t].area > 0 ? apart[t].area * apart[t].distance : 0;
  }
  sums[0] += area;
  qsort(apart, (size_t)n, sizeof *apart, by_distance);
  for (int32_t t = 0; t < n && reached < 0.95 * area; t++) {
    reached += apart[t].area;
    *p95 = apart[t].distance;
  }
  free(apart);
  return IRZ_OK;
}

IrzCode irz_compare_surfaces(const IrzSurface *a, const uint8_t *keep, const IrzTree *tree_a, const IrzSurface *b,
                             const IrzTree *tree_b, int threads, double *hausdorff95, double *mean, IrzError *error) {
  double sums[2] = {0, 0}, p95[2];
  *hausdorff95 = *mean = NAN;
  if (tree_a->n_triangles == 0 || tree_b->n_triangles == 0) return IRZ_OK;
  IRZ_TRY(distances(a, keep, tree_b, threads, &p95[0], sums, error));
  IRZ_TRY(distances(b, NULL, tree_a, threads, &p95[1], sums, error));
  *hausdorff95 = fmax(p95[0], p95[1]);
  *mean = sums[1] / sums[0];
  return IRZ_OK;
}
