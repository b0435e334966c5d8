/* Distances of needles from regions; see clearance.h. The pyramid of the map finds the nearest voxel; around it the
   surface is taken at the faces of voxels, each moved to the smooth surface. */
#include "patient/clearance.h"
#include "anatomy/nearest.h"
#include "anatomy/smooth_labels.h"
#include "anatomy/voxel.h"
#include "base/memory.h"
#include "base/vector.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Voxels around the nearest one in which the surface is looked at.
enum { AROUND = 4 };

/// Distance of a point from a stretch.
static double from_stretch(const void *to, const double x[3]) {
  const IrzStretch *stretch = to;
  double between[3];
  irz_subtract(x, stretch->start, between);
  double along = fmin(fmax(irz_dot(between, stretch->axis), 0), stretch->length);
  for (int k = 0; k < 3; k++) between[k] -= along * stretch->axis[k];
  return sqrt(irz_dot(between, between));
}

/// Region of a voxel; beyond the image -1.
static int region_of(const IrzLabelMap *map, const int at[3]) {
  for (int d = 0; d < 3; d++) {
    if (at[d] < 0 || at[d] >= map->size[d]) return -1;
  }
  return map->region[((size_t)at[2] * (size_t)map->size[1] + (size_t)at[1]) * (size_t)map->size[0] + (size_t)at[0]];
}

/// The nearest places of a region's surface, found so far.
typedef struct {
  double distance[2]; ///< m; along the faces of voxels, and on the smooth surface
  double at[2][3];
} Nearest;

/// Look at the face of a voxel of the region towards one that is not of it.
static void look_at_face(const IrzStretch *stretch, const IrzSmoothLabels *smooth, const double face[3], double reach,
                         Nearest *nearest) {
  double x[3];
  memcpy(x, face, sizeof x);
  for (int kind = 0; kind < 2; kind++) {
    if (kind == 1 && (smooth->tissue == NULL || !irz_smooth_project(smooth, 0, 1, 0, reach, x))) return;
    double distance = from_stretch(stretch, x);
    if (distance >= nearest->distance[kind]) continue;
    nearest->distance[kind] = distance;
    memcpy(nearest->at[kind], x, sizeof x);
  }
}

/// Look at all faces of the region around a voxel.
static void look_around(const IrzNearest *search, const IrzSmoothLabels *smooth, Nearest *nearest) {
  const IrzLabelMap *map = search->map;
  double reach = 1.5 * fmax(map->spacing[0], fmax(map->spacing[1], map->spacing[2]));
  int at[3];
  for (at[2] = search->voxel[2] - AROUND; at[2] <= search->voxel[2] + AROUND; at[2]++) {
    for (at[1] = search->voxel[1] - AROUND; at[1] <= search->voxel[1] + AROUND; at[1]++) {
      for (at[0] = search->voxel[0] - AROUND; at[0] <= search->voxel[0] + AROUND; at[0]++) {
        if (region_of(map, at) != search->region) continue;
        for (int side = 0; side < 6; side++) {
          int next[3] = {at[0], at[1], at[2]};
          double middle[3] = {at[0], at[1], at[2]}, x[3];
          next[side / 2] += side % 2 ? 1 : -1;
          if (region_of(map, next) == search->region) continue;
          middle[side / 2] += side % 2 ? 0.5 : -0.5;
          irz_voxel_place(map->to_world[0], middle, x);
          look_at_face(search->to, smooth, x, reach, nearest);
        }
      }
    }
  }
}

/// Whether a stretch runs through a region.
static IrzCode runs_through(const IrzLabelMap *map, int region, const IrzStretch *stretch, bool *through,
                            IrzError *error) {
  const double rounding = 1e-6;
  double *length;
  IRZ_TRY(irz_alloc(&length, (size_t)map->n_regions + 1, sizeof *length, error));
  irz_label_map_line(map, stretch->start, stretch->axis, 0, stretch->length, length);
  *through = length[region] > rounding;
  free(length);
  return IRZ_OK;
}

IrzCode irz_clearance(const IrzLabelMap *map, int region, const IrzStretch *stretch, double *distance, double at[3],
                      bool *smooth, IrzError *error) {
  IrzNearest search = {.map = map, .region = region, .distance = from_stretch, .to = stretch, .nearest = INFINITY};
  Nearest nearest = {.distance = {INFINITY, INFINITY}};
  IrzSmoothLabels labels = {.tissue = NULL};
  uint8_t *tissue;
  double x[3], low[3], high[3], reach = 0;
  bool through;
  *distance = INFINITY;
  *smooth = false;
  at[0] = at[1] = at[2] = NAN;
  if (map->voxels[region] == 0) return IRZ_OK;
  irz_nearest_search(&search);
  const double voxel[3] = {search.voxel[0], search.voxel[1], search.voxel[2]};
  irz_voxel_place(map->to_world[0], voxel, x);
  for (int d = 0; d < 3; d++) reach = fmax(reach, (AROUND + 2) * map->spacing[d]);
  for (int d = 0; d < 3; d++) low[d] = x[d] - reach, high[d] = x[d] + reach;
  IRZ_TRY(runs_through(map, region, stretch, &through, error));
  IRZ_TRY(irz_alloc(&tissue, (size_t)map->n_regions, sizeof *tissue, error));
  tissue[region] = 1;
  IrzCode code = irz_smooth_create(map, tissue, low, high, &labels, error);
  free(tissue);
  if (code != IRZ_OK) return code;
  look_around(&search, &labels, &nearest);
  /* A smooth surface that is far from the faces belongs to something else: the region has none here. */
  *smooth = nearest.distance[1] < nearest.distance[0] + reach / (AROUND + 2);
  *distance = through ? 0 : fmin(nearest.distance[*smooth], search.nearest);
  memcpy(at, nearest.at[*smooth], 3 * sizeof *at);
  irz_smooth_clear(&labels);
  return IRZ_OK;
}

int32_t irz_clearance_nearest(const IrzLabelMap *map, int region, int32_t n, const double (*points)[3]) {
  int32_t nearest = -1;
  IrzStretch point = {.axis = {1, 0, 0}};
  IrzNearest search = {.map = map, .region = region, .distance = from_stretch, .to = &point, .nearest = INFINITY};
  for (int32_t i = 0; i < n; i++) {
    double before = search.nearest;
    memcpy(point.start, points[i], sizeof point.start);
    irz_nearest_search(&search);
    if (search.nearest < before) nearest = i;
  }
  return nearest;
}
