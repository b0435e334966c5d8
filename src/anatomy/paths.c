/* Which regions of a label map needles pass; see irezone/anatomy.h. */
#include "anatomy/metal_box.h"
#include "anatomy/nearest.h"
#include "anatomy/voxel.h"
#include "base/entry.h"
#include "base/memory.h"
#include "base/vector.h"
#include "plan/geometry.h"
#include "plan/plan.h"

#include <irezone/anatomy.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NEAR 0.03          // m, what is called near bare metal
#define SHORTEST_STEP 1e-9 // m; a line that runs along a face between voxels gets on by it

/// The part of a line that is inside the image: from t[0] to t[1], which is empty if they are not in order.
/// @param[in] at, along  voxel coordinates of its start, of which voxel i has i to i + 1, and their change with t
static void clip(const IrzLabelMap *map, const double at[3], const double along[3], double t[2]) {
  for (int d = 0; d < 3; d++) {
    if (along[d] == 0) {
      if (!(at[d] >= 0 && at[d] < map->size[d])) t[1] = t[0] - 1;
      continue;
    }
    double low = -at[d] / along[d], high = (map->size[d] - at[d]) / along[d];
    t[0] = fmax(t[0], fmin(low, high));
    t[1] = fmin(t[1], fmax(low, high));
  }
}

void irz_label_map_line(const IrzLabelMap *map, const double start[3], const double axis[3], double from, double to,
                        double *length) {
  double at[3], along[3], inside[2] = {from, to};
  for (int d = 0; d < 3; d++) {
    at[d] = irz_dot(map->to_voxel[d], start) + map->to_voxel[d][3] + 0.5;
    along[d] = irz_dot(map->to_voxel[d], axis);
  }
  if (!(to > from)) return;
  clip(map, at, along, inside);
  if (!(inside[1] > inside[0])) {
    length[map->n_regions] += to - from;
    return;
  }
  length[map->n_regions] += (inside[0] - from) + (to - inside[1]);
  for (double t = inside[0]; t < inside[1];) {
    double next = inside[1], middle[3];
    for (int d = 0; d < 3; d++) {
      if (along[d] == 0) continue;
      double voxel = at[d] + t * along[d], face = along[d] > 0 ? floor(voxel) + 1 : ceil(voxel) - 1;
      next = fmin(next, (face - at[d]) / along[d]);
    }
    next = fmin(fmax(next, t + SHORTEST_STEP), inside[1]);
    for (int k = 0; k < 3; k++) middle[k] = start[k] + 0.5 * (t + next) * axis[k];
    length[irz_label_map_region(map, middle)] += next - t;
    t = next;
  }
}

/// The insulated rest of a needle: between its electrodes, and from the last one to the wall of a generated box.
static void add_shaft(const IrzPlan *plan, const IrzLabelMap *map, int first, double *length) {
  const IrzProbe *needle = &plan->probes[first];
  double from = 0;
  int p = first;
  do {
    const IrzProbe *probe = &plan->probes[p];
    double above[3];
    irz_subtract(probe->tip, needle->tip, above);
    double bare = irz_dot(above, needle->direction);
    irz_label_map_line(map, needle->tip, needle->direction, from, bare, length);
    from = bare + probe->exposure;
  } while (++p < plan->n_probes && plan->probes[p].place > 0);
  if (plan->mesh.file[0] != '\0') return;
  double lower[3], upper[3];
  irz_plan_box(plan, lower, upper);
  irz_label_map_line(map, needle->tip, needle->direction, from,
                     irz_box_exit(lower, upper, needle->tip, needle->direction, NULL), length);
}

/* The rows of one position of the needles. */
static void find_at(const IrzPlan *plan, const IrzLabelMap *map, size_t columns, double *metal, double *shaft) {
  for (int p = 0; p < plan->n_probes; p++) {
    const IrzProbe *probe = &plan->probes[p];
    if (!probe->has_geometry || probe->plate[0] > 0) continue;
    irz_label_map_line(map, probe->tip, probe->direction, 0, probe->exposure, metal + (size_t)p * columns);
    if (probe->place == 0) add_shaft(plan, map, p, shaft + (size_t)p * columns);
  }
}

/* The rows of all positions of a pull-back. */
static IrzCode find_all(const IrzPlan *plan, const IrzLabelMap *map, IrzPaths *paths, IrzError *error) {
  size_t columns = (size_t)map->n_regions + 1, rows = (size_t)plan->n_probes * columns;
  find_at(plan, map, columns, paths->metal, paths->shaft);
  for (int k = 1; k < paths->n_positions; k++) {
    IrzPlan *moved;
    IRZ_TRY(irz_plan_withdraw(plan, k, &moved, error));
    find_at(moved, map, columns, paths->metal + (size_t)k * rows, paths->shaft + (size_t)k * rows);
    irz_plan_free(moved);
  }
  return IRZ_OK;
}

IrzCode irz_paths_find(const IrzPlan *plan, const IrzLabelMap *map, IrzPaths **paths, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(plan != NULL && map != NULL && paths != NULL);
  IrzPaths *found = NULL;
  *paths = NULL;
  IRZ_TRY(irz_alloc(&found, 1, sizeof *found, error));
  found->n_positions = plan->pullback.position > 0 ? 1 : plan->pullback.count + 1;
  size_t columns = (size_t)map->n_regions + 1, cells = (size_t)found->n_positions * (size_t)plan->n_probes * columns;
  IrzCode code = irz_alloc(&found->region, columns, sizeof *found->region, error);
  if (code == IRZ_OK) code = irz_alloc(&found->metal, cells, sizeof *found->metal, error);
  if (code == IRZ_OK) code = irz_alloc(&found->shaft, cells, sizeof *found->shaft, error);
  if (code == IRZ_OK) code = find_all(plan, map, found, error);
  if (code != IRZ_OK) {
    irz_paths_free(found);
    return code;
  }
  found->n_probes = plan->n_probes;
  found->n_regions = map->n_regions;
  for (int r = 0; r < map->n_regions; r++) memcpy(found->region[r], map->regions[r].name, sizeof found->region[r]);
  memcpy(found->region[map->n_regions], "outside the image", sizeof "outside the image");
  *paths = found;
  return IRZ_OK;
}

void irz_metal_box(const IrzPlan *plan, const IrzLabelMap *map, IrzMetalBox *box) {
  box->plan = plan;
  for (int d = 0; d < 3; d++) {
    const double *row = map->to_voxel[d];
    double low = INFINITY, high = -INFINITY, reach = NEAR * sqrt(irz_dot(row, row));
    for (int p = 0; p < plan->n_probes; p++) {
      const IrzProbe *probe = &plan->probes[p];
      if (!probe->has_geometry || probe->plate[0] > 0) continue;
      for (int end = 0; end < 2; end++) {
        double at = irz_dot(row, probe->tip) + row[3] + (end ? probe->exposure : 0) * irz_dot(row, probe->direction);
        low = fmin(low, at - reach), high = fmax(high, at + reach);
      }
    }
    box->low[d] = low > 0 ? (int)fmin(low, map->size[d]) : 0;
    box->high[d] = high < 0 ? -1 : (int)fmin(high, map->size[d] - 1);
  }
}

double irz_metal_distance(const IrzPlan *plan, const double x[3]) {
  double nearest = INFINITY;
  for (int p = 0; p < plan->n_probes; p++) {
    const IrzProbe *probe = &plan->probes[p];
    double between[3];
    if (!probe->has_geometry || probe->plate[0] > 0) continue;
    irz_subtract(x, probe->tip, between);
    double along = fmin(fmax(irz_dot(between, probe->direction), 0), probe->exposure);
    for (int k = 0; k < 3; k++) between[k] -= along * probe->direction[k];
    nearest = fmin(nearest, irz_dot(between, between));
  }
  return sqrt(nearest);
}

double irz_metal_box_distance(const IrzMetalBox *box, const IrzLabelMap *map, const int voxel[3]) {
  for (int d = 0; d < 3; d++) {
    if (voxel[d] < box->low[d] || voxel[d] > box->high[d]) return INFINITY;
  }
  const double at[3] = {voxel[0], voxel[1], voxel[2]};
  double x[3];
  irz_voxel_place(map->to_world[0], at, x);
  return irz_metal_distance(box->plan, x);
}

static double to_metal(const void *plan, const double x[3]) {
  return irz_metal_distance(plan, x);
}

double irz_label_map_nearest(const IrzLabelMap *map, const IrzPlan *plan, int region) {
  IrzNearest search = {.map = map, .region = region, .distance = to_metal, .to = plan, .nearest = INFINITY};
  irz_nearest_search(&search);
  return search.nearest;
}

void irz_unmapped_text(const IrzUnmapped *unmapped, char *text, size_t size) {
  bool named = unmapped->name[0] != '\0';
  snprintf(text, size, "%lld%s%s%s", (long long)unmapped->label, named ? " (" : "", unmapped->name, named ? ")" : "");
}

void irz_label_map_print(const IrzLabelMap *map, const IrzPlan *plan, FILE *out) {
  IRZ_ENTER_QUIETLY;
  double voxel = 1e6 * irz_voxel_volume(map->to_world[0]);
  for (int r = 1; r < map->n_regions; r++) {
    fprintf(out, "  region %s: %.4g cm3 in the image", map->regions[r].name, (double)map->voxels[r] * voxel);
    double nearest = irz_label_map_nearest(map, plan, r);
    if (isfinite(nearest)) fprintf(out, ", %.1f mm from the nearest bare metal", 1e3 * nearest);
    fputc('\n', out);
  }
  for (int u = 0; u < map->n_unmapped; u++) {
    char label[IRZ_LABEL_NAME_MAX + 32];
    irz_unmapped_text(&map->unmapped[u], label, sizeof label);
    fprintf(out, "%s %s", u == 0 ? "  labels mapped to no region, so default:" : ",", label);
  }
  if (map->n_unmapped > 0) fputc('\n', out);
}

void irz_paths_free(IrzPaths *paths) {
  if (paths == NULL) return;
  free((void *)paths->region);
  free(paths->metal);
  free(paths->shaft);
  free(paths);
}
