/* Margins on a surface; see margins.h. */
#include "patient/margins.h"
#include "base/memory.h"
#include "base/threads.h"
#include "base/vector.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// What is nearer is on the surface itself, as where the zone ends with the target: rounding must not choose a side, m.
#define TOUCHES 1e-9

/// Points that are looked at one after another.
enum { RUN = 256 };

IrzMargins irz_margins_none(void) {
  return (IrzMargins){.least = NAN,
                      .at = {NAN, NAN, NAN},
                      .error = -1,
                      .p1 = NAN,
                      .p5 = NAN,
                      .p50 = NAN,
                      .below_0 = NAN,
                      .from_0_to_5 = NAN,
                      .from_5 = NAN,
                      .below_wanted = NAN,
                      .excluded = NAN};
}

IrzCode irz_margins_depths(const IrzSurface *surface, const IrzTree *zone, int threads, double **depth,
                           IrzError *error) {
  IRZ_TRY(irz_alloc(depth, (size_t)surface->n_points, sizeof **depth, error));
  double(*const x)[3] = surface->points, *const here = *depth;
  const int32_t n = surface->n_points;
#pragma omp parallel for num_threads(irz_threads(threads)) schedule(dynamic)
  for (int32_t run = 0; run < (n + RUN - 1) / RUN; run++) {
    double reach = INFINITY;
    for (int32_t i = run * RUN; i < n && i < (run + 1) * RUN; i++) {
      here[i] = irz_tree_depth(zone, x[i], reach);
      if (fabs(here[i]) < TOUCHES) here[i] = 0;
      if (i + 1 == n) break;
      double step[3]; /* the next point is mostly near this one */
      irz_subtract(x[i + 1], x[i], step);
      reach = (fabs(here[i]) + sqrt(irz_dot(step, step))) * (1 + 1e-9) + 1e-12;
    }
  }
  return IRZ_OK;
}

static double area_of(const IrzSurface *surface, int32_t triangle) {
  const int32_t *p = surface->triangles[triangle];
  return irz_triangle_area(surface->points[p[0]], surface->points[p[1]], surface->points[p[2]]);
}

double irz_surface_area(const IrzSurface *surface) {
  double area = 0;
  for (int32_t t = 0; t < surface->n_triangles; t++) area += area_of(surface, t);
  return area;
}

/// What is measured: triangles with their areas and the depths of their corners, growing.
typedef struct {
  int32_t n;
  double (*depth)[3], *area;
  double all; ///< m^2
} Patches;

/// Area with a depth below a level, m^2.
static double area_below(const Patches *patches, double level) {
  double sum = 0;
  for (int32_t i = 0; i < patches->n; i++) {
    const double *d = patches->depth[i];
    double share;
    if (level <= d[0]) continue;
    if (level >= d[2])
      share = 1;
    else if (level <= d[1])
      share = (level - d[0]) * (level - d[0]) / ((d[1] - d[0]) * (d[2] - d[0]));
    else
      share = 1 - (d[2] - level) * (d[2] - level) / ((d[2] - d[1]) * (d[2] - d[0]));
    sum += share * patches->area[i];
  }
  return sum;
}

/// The depth below which a share of the area is (bisection, then a line).
static double depth_of(const Patches *patches, double share, double low, double high) {
  double wanted = share * patches->all, below[2] = {0, patches->all};
  for (int round = 0; round < 20; round++) {
    double middle = 0.5 * (low + high), here = area_below(patches, middle);
    if (here < wanted) {
      low = middle;
      below[0] = here;
    } else {
      high = middle;
      below[1] = here;
    }
  }
  return below[1] > below[0] ? low + (high - low) * (wanted - below[0]) / (below[1] - below[0]) : low;
}

static void sort_three(double d[3]) {
  for (int i = 0; i < 3; i++) {
    int a = i % 2, b = a + 1;
    if (d[a] <= d[b]) continue;
    double swap = d[a];
    d[a] = d[b];
    d[b] = swap;
  }
}

/// Collect the triangles that count.
static void collect(const IrzSurface *surface, const double *depth, const uint8_t *keep, Patches *patches,
                    IrzMargins *margins) {
  double whole = 0, lowest = INFINITY;
  for (int32_t t = 0; t < surface->n_triangles; t++) {
    double area = area_of(surface, t);
    whole += area;
    if (keep != NULL && !keep[t]) continue;
    patches->area[patches->n] = area;
    patches->all += area;
    for (int k = 0; k < 3; k++) {
      int32_t p = surface->triangles[t][k];
      patches->depth[patches->n][k] = depth[p];
      lowest = fmin(lowest, depth[p]);
      if (depth[p] >= margins->least - 1e-8) continue; /* of equal places the first, whatever rounding says */
      margins->least = depth[p];
      memcpy(margins->at, surface->points[p], sizeof margins->at);
    }
    sort_three(patches->depth[patches->n++]);
  }
  margins->least = lowest;
  margins->excluded = whole > 0 ? 1 - patches->all / whole : NAN;
}

/// The bins from the least to the largest depth.
static void fill_bins(const Patches *patches, double least, double most, IrzMargins *margins) {
  const double bin = 1e-3;
  int half = IRZ_MARGIN_BINS / 2;
  int first = (int)fmin(fmax(floor(least / bin), -half), half - 1);
  int last = (int)fmin(fmax(floor(most / bin), -half), half - 1);
  double below = 0;
  for (int k = first; k <= last; k++) {
    double here = k == last ? patches->all : area_below(patches, (k + 1) * bin);
    margins->bin[margins->n_bins++] = (IrzMarginBin){k * bin, (k + 1) * bin, (here - below) / patches->all};
    below = here;
  }
}

IrzCode irz_margins_measure(const IrzSurface *surface, const double *depth, const uint8_t *keep, double wanted,
                            IrzMargins *margins, IrzError *error) {
  Patches patches = {0};
  size_t n = (size_t)surface->n_triangles;
  *margins = irz_margins_none();
  margins->least = INFINITY;
  IrzCode code = irz_alloc(&patches.depth, n, sizeof *patches.depth, error);
  if (code == IRZ_OK) code = irz_alloc(&patches.area, n, sizeof *patches.area, error);
  if (code == IRZ_OK) collect(surface, depth, keep, &patches, margins);
  double most = -INFINITY;
  for (int32_t i = 0; i < patches.n; i++) most = fmax(most, patches.depth[i][2]);
  if (code == IRZ_OK && patches.all > 0 && isfinite(margins->least)) {
    double all = patches.all, below_0 = area_below(&patches, 0), below_5 = area_below(&patches, 5e-3);
    margins->p1 = depth_of(&patches, 0.01, margins->least, most);
    margins->p5 = depth_of(&patches, 0.05, margins->least, most);
    margins->p50 = depth_of(&patches, 0.5, margins->least, most);
    margins->below_0 = below_0 / all;
    margins->from_0_to_5 = (below_5 - below_0) / all;
    margins->from_5 = 1 - below_5 / all;
    margins->below_wanted = area_below(&patches, wanted) / all;
    fill_bins(&patches, margins->least, most, margins);
  } else if (code == IRZ_OK && patches.all > 0) { /* no zone: all of it is outside, infinitely far */
    double excluded = margins->excluded;
    *margins = irz_margins_none();
    margins->excluded = excluded;
    margins->below_0 = margins->below_wanted = 1;
    margins->from_0_to_5 = margins->from_5 = 0;
  } else {
    double excluded = margins->excluded;
    *margins = irz_margins_none();
    margins->excluded = excluded;
  }
  free(patches.depth);
  free(patches.area);
  return code;
}
