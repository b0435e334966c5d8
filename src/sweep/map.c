/* The probability map: the share of cases in which each point of a common grid is ablated. */
#include "base/memory.h"
#include "io/hdf.h"
#include "sweep/sweep.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static const double margin = 25e-3; // m around the bare tips: more than zones of ordinary voltages reach
enum { MAX_POINTS = 64000000 };

/// Widen a box by the bare tips of a plan. Returns false if they have no geometry.
static bool include_tips(const IrzPlan *plan, double box[2][3]) {
  for (int i = 0; i < plan->n_probes; i++) {
    const IrzProbe *probe = &plan->probes[i];
    if (!probe->has_geometry) return false;
    double reach = probe->exposure + plan->pullback.count * plan->pullback.step;
    for (int j = 0; j < 3; j++) {
      double ends[2] = {probe->tip[j], probe->tip[j] + reach * probe->direction[j]};
      for (int corner = 0; probe->plate[0] > 0 && corner < 8; corner++) {
        double x[3];
        irz_plate_corner(probe, corner, x);
        ends[0] = fmin(ends[0], x[j]);
        ends[1] = fmax(ends[1], x[j]);
      }
      box[0][j] = fmin(box[0][j], fmin(ends[0], ends[1]) - margin);
      box[1][j] = fmax(box[1][j], fmax(ends[0], ends[1]) + margin);
    }
  }
  return true;
}

IrzCode irz_map_grid(const IrzSweep *sweep, IrzPointGrid *grid, IrzError *error) {
  double box[2][3] = {{INFINITY, INFINITY, INFINITY}, {-INFINITY, -INFINITY, -INFINITY}};
  if (sweep->map.boxed) memcpy(box, sweep->map.box, sizeof box);
  for (int i = 1; i <= sweep->n_cases && !sweep->map.boxed; i++) {
    IrzPlan *plan;
    IrzError wrong = {0}; /* which the case itself will report */
    irz_sweep_plan(sweep, i, &plan, &wrong);
    if (wrong.code == IRZ_ERR_MEMORY) return irz_error_set(error, wrong.code, "%s", wrong.text);
    if (wrong.code != IRZ_OK) continue;
    bool placed = include_tips(plan, box);
    irz_plan_free(plan);
    if (!placed) {
      return irz_error_set(error, IRZ_ERR_PLAN,
                           "%s: probability_map.box: is needed, because probes of the plan have no geometry",
                           sweep->file);
    }
  }
  double spacing = sweep->map.spacing, points = 1;
  for (int j = 0; j < 3; j++) {
    double first = box[0][j], last = box[1][j];
    if (!sweep->map.boxed) { /* round numbers are easier to compare between sweeps */
      first = floor(first / spacing) * spacing;
      last = ceil(last / spacing) * spacing;
    }
    points *= floor((last - first) / spacing + 1e-6) + 1;
    if (!(points <= MAX_POINTS)) {
      return irz_error_set(error, IRZ_ERR_PLAN,
                           "%s: probability_map: more than %d points; choose a wider spacing than "
                           "%g mm",
                           sweep->file, MAX_POINTS, spacing * 1e3);
    }
    grid->size[j] = (int)(floor((last - first) / spacing + 1e-6) + 1);
    grid->origin[j] = first;
    grid->spacing[j] = spacing;
  }
  return IRZ_OK;
}

IrzCode irz_map_pack(const uint8_t *ablated, size_t n, uint8_t **packed, size_t *size, IrzError *error) {
  uint8_t *bits;
  IRZ_TRY(irz_alloc(&bits, n / 8 + 1, 1, error));
  for (size_t i = 0; i < n; i++) {
    if (ablated[i]) bits[i / 8] |= (uint8_t)(1 << (i % 8));
  }
  uLongf room = compressBound((uLong)(n / 8 + 1));
  IrzCode code = irz_alloc(packed, room, 1, error);
  if (code == IRZ_OK && compress2(*packed, &room, bits, (uLong)(n / 8 + 1), 6) != Z_OK) {
    free(*packed);
    *packed = NULL;
    code = irz_error_set(error, IRZ_ERR_SOLVER, "the samples of a zone cannot be compressed");
  }
  *size = code == IRZ_OK ? room : 0;
  free(bits);
  return code;
}

IrzCode irz_map_add(const uint8_t *packed, size_t size, size_t n, uint32_t *counts, IrzError *error) {
  uint8_t *bits;
  IRZ_TRY(irz_alloc(&bits, n / 8 + 1, 1, error));
  uLongf room = (uLongf)(n / 8 + 1);
  IrzCode code = IRZ_OK;
  if (uncompress(bits, &room, packed, (uLong)size) != Z_OK || room != n / 8 + 1) {
    code = irz_error_set(error, IRZ_ERR_INPUT, "the samples of a zone are damaged");
  }
  for (size_t i = 0; i < n && code == IRZ_OK; i++) counts[i] += bits[i / 8] >> (i % 8) & 1;
  free(bits);
  return code;
}

/// One point array with the share of `cases`.
static int write_share(hid_t place, const char *name, const IrzPointGrid *grid, const uint32_t *counts, int cases,
                       float *share) {
  size_t n = (size_t)grid->size[0] * (size_t)grid->size[1] * (size_t)grid->size[2];
  for (size_t i = 0; i < n; i++) share[i] = cases > 0 ? (float)counts[i] / (float)cases : 0;
  const hsize_t size[3] = {(hsize_t)grid->size[2], (hsize_t)grid->size[1], (hsize_t)grid->size[0]};
  return irz_hdf_array(place, name, 3, size, H5T_NATIVE_FLOAT, share);
}

/// The VTKHDF group: VTK reads `Type` only as a null-padded ASCII text of exactly its length.
static int write_image(hid_t file, const IrzPointGrid *grid, int n_strata, const uint32_t *counts, const int *cases,
                       uint32_t *all, float *share) {
  hid_t group = H5Gcreate2(file, "VTKHDF", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  hid_t points = H5Gcreate2(group, "PointData", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const int64_t version[2] = {1, 0};
  const int64_t extent[6] = {0, grid->size[0] - 1, 0, grid->size[1] - 1, 0, grid->size[2] - 1};
  const double direction[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  double origin[3], spacing[3];
  for (int j = 0; j < 3; j++) {
    origin[j] = grid->origin[j] * 1e3;
    spacing[j] = grid->spacing[j] * 1e3;
  }
  int bad = irz_hdf_attribute(group, "Version", 2, H5T_NATIVE_INT64, version);
  bad |= irz_hdf_text_attribute(group, "Type", "ImageData");
  bad |= irz_hdf_attribute(group, "WholeExtent", 6, H5T_NATIVE_INT64, extent);
  bad |= irz_hdf_attribute(group, "Origin", 3, H5T_NATIVE_DOUBLE, origin);
  bad |= irz_hdf_attribute(group, "Spacing", 3, H5T_NATIVE_DOUBLE, spacing);
  bad |= irz_hdf_attribute(group, "Direction", 9, H5T_NATIVE_DOUBLE, direction);
  size_t n = (size_t)grid->size[0] * (size_t)grid->size[1] * (size_t)grid->size[2];
  int n_cases = 0;
  memset(all, 0, n * sizeof *all);
  for (int s = 0; s < n_strata; s++) {
    n_cases += cases[s];
    for (size_t i = 0; i < n; i++) all[i] += counts[(size_t)s * n + i];
  }
  bad |= write_share(points, "probability", grid, all, n_cases, share);
  for (int s = 0; s < n_strata && n_strata > 1; s++) {
    char name[32];
    snprintf(name, sizeof name, "probability_%02d", s + 1);
    bad |= write_share(points, name, grid, counts + (size_t)s * n, cases[s], share);
  }
  bad |= irz_hdf_attribute(points, "cases", n_strata, H5T_NATIVE_INT, cases);
  H5Gclose(points);
  H5Gclose(group);
  return bad;
}

IrzCode irz_map_write(const char *directory, const IrzSweep *sweep, const IrzPointGrid *grid, const uint32_t *counts,
                      const int *cases, IrzError *error) {
  size_t n = (size_t)grid->size[0] * (size_t)grid->size[1] * (size_t)grid->size[2];
  char path[IRZ_PATH_MAX];
  snprintf(path, sizeof path, "%s/probability.hdf", directory);
  uint32_t *all = NULL;
  float *share = NULL;
  IrzHdfFile file;
  IrzCode code = irz_alloc(&all, n, sizeof *all, error);
  if (code == IRZ_OK) code = irz_alloc(&share, n, sizeof *share, error);
  if (code == IRZ_OK) code = irz_hdf_begin(&file, path, error);
  if (code == IRZ_OK) {
    int bad = write_image(file.id, grid, sweep->n_strata, counts, cases, all, share);
    hid_t own = bad ? -1 : H5Gcreate2(file.id, "irezone", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (own >= 0) {
      bad = irz_hdf_text(own, "sweep", sweep->text) | irz_hdf_text(own, "plan", sweep->plan_text);
      H5Gclose(own);
    } else {
      bad = 1;
    }
    code = irz_hdf_finish(&file, bad, error);
  }
  free(share);
  free(all);
  return code;
}
