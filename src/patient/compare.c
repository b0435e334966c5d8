/* `patient.compare`: a measured zone from a follow-up image; see compare.h. */
#include "patient/compare.h"
#include "anatomy/voxel.h"
#include "base/entry.h"
#include "base/memory.h"
#include "base/vector.h"
#include "patient/outline.h"
#include "patient/patient.h"
#include "query/find.h"
#include "query/locate.h"
#include "zone/nodal.h"
#include "zone/surface.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Lowest field that is looked at, V/m.
static const double lowest = 20000;

/// Most points of the grid; with more, it is made coarser.
static const double most_points = 4e6;

/// The name that the measured zone's label has while it is read.
#define MEASURED "measured zone"

/* ---- The measured zone ---- */

/// What the reader of label maps says is about `patient.compare`, not about `anatomy`.
static IrzCode name_key(const IrzPlan *plan, IrzError *error) {
  static const char of_map[] = "anatomy.map.", of_file[] = "anatomy.labels";
  char text[IRZ_ERROR_TEXT], *key = strstr(error->text, of_map), *end = key != NULL ? strchr(key, ':') : NULL;
  const char *ours = "patient.compare.label";
  if (key == NULL && (key = strstr(error->text, of_file)) != NULL) {
    end = key + strlen(of_file);
    ours = "patient.compare.labels";
  }
  if (key != NULL && end != NULL) {
    snprintf(text, sizeof text, "%.*s%s%s", (int)(key - error->text), error->text, ours, end);
  } else {
    int length = snprintf(text, sizeof text, "%s:%d: patient.compare.labels: ", plan->file, plan->patient.compare.line);
    if (length < (int)sizeof text) snprintf(text + length, sizeof text - (size_t)length, "%s", error->text);
  }
  if (error->code != IRZ_ERR_MEMORY) memcpy(error->text, text, sizeof text);
  return error->code;
}

static IrzCode read_measured(const IrzPlan *plan, IrzLabelMap **map, IrzError *error) {
  IrzLabel entry = {.label = plan->patient.compare.label, .region = MEASURED, .line = plan->patient.compare.line};
  IrzPlan *alone = NULL;
  *map = NULL;
  /* The reader wants a plan: one that has nothing but this label map. */
  IRZ_TRY(irz_alloc(&alone, 1, sizeof *alone, error));
  if (entry.label < 0) snprintf(entry.name, sizeof entry.name, "%s", plan->patient.compare.name);
  memcpy(alone->file, plan->file, sizeof alone->file);
  memcpy(alone->anatomy.labels, plan->patient.compare.labels, sizeof alone->anatomy.labels);
  alone->anatomy.transform = plan->anatomy.transform;
  alone->anatomy.n_map = 1;
  alone->anatomy.map = &entry;
  alone->anatomy.line = plan->patient.compare.line;
  IrzCode code = irz_label_map_read(alone, map, error);
  for (int i = 0; i < alone->n_warnings; i++) free(alone->warnings[i]);
  free((void *)alone->warnings);
  free(alone);
  if (code != IRZ_OK) return name_key(plan, error);
  if ((*map)->n_regions > 1 && (*map)->voxels[1] > 0) return IRZ_OK;
  irz_label_map_free(*map);
  *map = NULL;
  return irz_error_set(error, IRZ_ERR_PLAN, "%s:%d: patient.compare.label: no voxel of %s has the label %s", plan->file,
                       plan->patient.compare.line, irz_path_from_here(plan->patient.compare.labels),
                       plan->patient.compare.name);
}

IrzCode irz_compare_check(const IrzPlan *plan, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(plan != NULL);
  IrzLabelMap *map;
  if (!plan->patient.on || plan->patient.compare.labels[0] == '\0') return IRZ_OK;
  IRZ_TRY(read_measured(plan, &map, error));
  irz_label_map_free(map);
  return IRZ_OK;
}

/* ---- The grid ---- */

/// Points on which both zones are looked at: voxel centres of one of the images, or every k-th of them.
typedef struct {
  int size[3];
  double to_world[3][4], to_index[3][4]; ///< as of IrzLabelMap
  float *field;                          ///< [size] V/m; -1: no tissue
  uint8_t *zone, *measured;              ///< [size]
} Grid;

static size_t n_points(const Grid *grid) {
  return (size_t)grid->size[0] * (size_t)grid->size[1] * (size_t)grid->size[2];
}

static void grid_clear(Grid *grid) {
  free(grid->field);
  free(grid->zone);
  free(grid->measured);
}

/// Widen a box by the voxels of the measured zone.
static void widen(const IrzLabelMap *map, double box[2][3]) {
  size_t v = 0;
  for (int k = 0; k < map->size[2]; k++) {
    for (int j = 0; j < map->size[1]; j++) {
      for (int i = 0; i < map->size[0]; i++, v++) {
        if (map->region[v] != 1) continue;
        const double at[3] = {i, j, k};
        double x[3];
        irz_voxel_place(map->to_world[0], at, x);
        for (int d = 0; d < 3; d++) {
          box[0][d] = fmin(box[0][d], x[d]);
          box[1][d] = fmax(box[1][d], x[d]);
        }
      }
    }
  }
}

/// The box in which the field reaches what is looked at. Collective.
static void field_box(const IrzPatientCase *judged, double box[2][3]) {
  const IrzPart *part = judged->medium->part;
  for (int32_t t = 0; t < part->n_tets; t++) {
    const int32_t *row = irz_tet_rows(judged->sides, part, t);
    bool reached = false;
    for (int i = 0; i < 10; i++) reached = reached || judged->drawn->field[row[i]] >= lowest;
    for (int i = 0; i < 4 && reached; i++) {
      const double *x = part->xyz + 3 * (size_t)part->tet[t][i];
      for (int d = 0; d < 3; d++) {
        box[0][d] = fmin(box[0][d], x[d]);
        box[1][d] = fmax(box[1][d], x[d]);
      }
    }
  }
  MPI_Allreduce(MPI_IN_PLACE, box[0], 3, MPI_DOUBLE, MPI_MIN, judged->comm);
  MPI_Allreduce(MPI_IN_PLACE, box[1], 3, MPI_DOUBLE, MPI_MAX, judged->comm);
}

/// Lay a grid over a box: the voxels of an image.
static void lay_grid(const IrzLabelMap *image, double box[2][3], Grid *grid) {
  double first[3], count = 1;
  for (int d = 0; d < 3; d++) {
    const double *row = image->to_voxel[d];
    double low = row[3], high = row[3];
    for (int e = 0; e < 3; e++) {
      low += fmin(row[e] * box[0][e], row[e] * box[1][e]);
      high += fmax(row[e] * box[0][e], row[e] * box[1][e]);
    }
    first[d] = floor(low) - 1;
    count *= ceil(high) + 2 - first[d];
    grid->size[d] = (int)(ceil(high) + 2 - first[d]);
  }
  int coarser = (int)ceil(cbrt(count / most_points));
  for (int d = 0; d < 3; d++) {
    grid->size[d] = (grid->size[d] + coarser - 1) / coarser;
    for (int e = 0; e < 3; e++) grid->to_world[d][e] = coarser * image->to_world[d][e];
    grid->to_world[d][3] = irz_dot(image->to_world[d], first) + image->to_world[d][3];
  }
  for (int d = 0; d < 3; d++) {
    for (int e = 0; e < 3; e++) grid->to_index[d][e] = image->to_voxel[d][e] / coarser;
    grid->to_index[d][3] = (image->to_voxel[d][3] - first[d]) / coarser;
  }
}

static void grid_point(const Grid *grid, int i, int j, int k, double x[3]) {
  const double at[3] = {i, j, k};
  irz_voxel_place(grid->to_world[0], at, x);
}

/// Indices of the grid's points in the box of some nodes.
static void index_range(const Grid *grid, double node[10][3], int nodes, int range[3][2]) {
  for (int d = 0; d < 3; d++) {
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < nodes; i++) {
      double at = irz_dot(grid->to_index[d], node[i]) + grid->to_index[d][3];
      low = fmin(low, at);
      high = fmax(high, at);
    }
    double margin = nodes > 4 ? 0.1 * (high - low) : 0; /* a quadratic wall can bulge beyond its nodes */
    range[d][0] = (int)fmin(fmax(ceil(low - margin - 1e-6), 0), grid->size[d]);
    range[d][1] = (int)fmax(fmin(floor(high + margin + 1e-6), grid->size[d] - 1), -1);
  }
}

/// Region of a point in a tetrahedron.
static int region_at(const IrzPatientCase *judged, int32_t tet, const double x[3]) {
  bool known = judged->labels == NULL || judged->medium->part->fitted[tet];
  return known ? judged->medium->region[tet] : irz_label_map_region(judged->labels, x);
}

/// Give the points in a tetrahedron their fields.
static void fill_tet(const IrzPatientCase *judged, int32_t tet, double node[10][3], bool bent, Grid *grid) {
  const int32_t *row = irz_tet_rows(judged->sides, judged->medium->part, tet);
  int range[3][2];
  index_range(grid, node, bent ? 10 : 4, range);
  for (int k = range[2][0]; k <= range[2][1]; k++) {
    for (int j = range[1][0]; j <= range[1][1]; j++) {
      for (int i = range[0][0]; i <= range[0][1]; i++) {
        double x[3], l[4];
        grid_point(grid, i, j, k, x);
        bool inside = irz_locate(node, bent, x, l) < 1e-6;
        for (int c = 0; c < 4; c++) inside = inside && l[c] >= -1e-9;
        if (!inside) continue;
        size_t at = ((size_t)k * (size_t)grid->size[1] + (size_t)j) * (size_t)grid->size[0] + (size_t)i;
        double field = fmax(irz_value_at(2, row, judged->drawn->field, l), 0);
        grid->field[at] = (float)field;
        grid->zone[at] = field >= judged->threshold[region_at(judged, tet, x)];
      }
    }
  }
}

/// Give all points of a grid their fields, on rank 0. Collective.
static IrzCode fill_grid(const IrzPatientCase *judged, Grid *grid, IrzError *error) {
  const IrzPart *part = judged->medium->part;
  size_t n = n_points(grid), slab = (size_t)grid->size[0] * (size_t)grid->size[1];
  int rank;
  int32_t curved = 0;
  MPI_Comm_rank(judged->comm, &rank);
  irz_alloc(&grid->field, n, sizeof *grid->field, error);
  if (error->code == IRZ_OK) irz_alloc(&grid->zone, n, 1, error);
  if (error->code == IRZ_OK) irz_alloc(&grid->measured, n, 1, error);
  IRZ_TRY(irz_error_agree(judged->comm, error));
  for (size_t i = 0; i < n; i++) grid->field[i] = -1;
  for (int32_t t = 0; t < part->n_tets; t++) {
    bool bent = irz_is_bent(part, t, &curved);
    double node[10][3];
    if (!part->mine[t]) continue;
    irz_part_nodes(part, t, bent ? curved : -1, node);
    fill_tet(judged, t, node, bent, grid);
  }
  for (int k = 0; k < grid->size[2]; k++) {
    float *field = grid->field + slab * (size_t)k;
    uint8_t *zone = grid->zone + slab * (size_t)k;
    MPI_Reduce(rank == 0 ? MPI_IN_PLACE : field, field, (int)slab, MPI_FLOAT, MPI_MAX, 0, judged->comm);
    MPI_Reduce(rank == 0 ? MPI_IN_PLACE : zone, zone, (int)slab, MPI_UINT8_T, MPI_MAX, 0, judged->comm);
  }
  return IRZ_OK;
}

/// Which points are in the measured zone.
static void mark_measured(const IrzLabelMap *map, Grid *grid) {
  size_t at = 0;
  for (int k = 0; k < grid->size[2]; k++) {
    for (int j = 0; j < grid->size[1]; j++) {
      for (int i = 0; i < grid->size[0]; i++, at++) {
        double x[3];
        grid_point(grid, i, j, k, x);
        grid->measured[at] = irz_label_map_region(map, x) == 1;
      }
    }
  }
}

/* ---- All ---- */

static double dice_of(const Grid *grid) {
  int64_t zone = 0, measured = 0, common = 0;
  size_t n = n_points(grid);
  for (size_t i = 0; i < n; i++) {
    if (grid->field[i] < 0) continue; /* needles, and what is beyond the tissue box */
    zone += grid->zone[i];
    measured += grid->measured[i];
    common += grid->zone[i] && grid->measured[i];
  }
  return zone + measured > 0 ? 2.0 * (double)common / (double)(zone + measured) : NAN;
}

/// Compare the surfaces of both zones, on rank 0.
static IrzCode compare_surfaces(const IrzPatientCase *judged, const IrzPatientShared *shared, const IrzLabelMap *map,
                                double box[2][3], IrzComparison *made, IrzError *error) {
  const uint8_t member[2] = {0, 1};
  double window[2][3], step = map->spacing[0];
  IrzSurface surface = {0};
  IrzTree tree = {0};
  IrzOutlineKind kind;
  uint8_t *keep = NULL;
  for (int d = 0; d < 3; d++) {
    window[0][d] = box[0][d] - 4 * map->spacing[d];
    window[1][d] = box[1][d] + 4 * map->spacing[d];
    step = fmin(step, map->spacing[d]);
  }
  IrzCode code = irz_outline_labels(map, member, window, fmax(step, 0.5e-3), judged->threads, &surface, &kind, error);
  if (code == IRZ_OK) code = irz_tree_create(&surface, NULL, &tree, error);
  if (code == IRZ_OK) code = irz_alloc(&keep, (size_t)shared->surface.n_triangles, 1, error);
  if (code == IRZ_OK) {
    for (int32_t t = 0; t < shared->surface.n_triangles; t++) keep[t] = shared->kind[t] != IRZ_SURFACE_HOLE;
    code = irz_compare_surfaces(&shared->surface, keep, &shared->zone, &surface, &tree, judged->threads,
                                &made->hausdorff95, &made->mean_distance, error);
  }
  free(keep);
  irz_tree_clear(&tree);
  irz_surface_clear(&surface);
  return code;
}

/// What rank 0 does once it has the grid.
static IrzCode compare(const IrzPatientCase *judged, const IrzPatientShared *shared, const IrzLabelMap *map, Grid *grid,
                       double box[2][3], IrzComparison *made, IrzError *error) {
  mark_measured(map, grid);
  made->voxel = cbrt(irz_voxel_volume(grid->to_world[0]));
  made->measured = (double)map->voxels[1] * irz_voxel_volume(map->to_world[0]);
  made->computed = judged->summary->zone.volume;
  made->dice = dice_of(grid);
  irz_compare_levels(n_points(grid), grid->field, grid->measured, made);
  return compare_surfaces(judged, shared, map, box, made, error);
}

IrzCode irz_compare_judge(const IrzPatientCase *judged, const IrzPatientShared *shared, IrzPlan *plan,
                          IrzPatient *patient, IrzError *error) {
  int rank;
  double box[2][3] = {{INFINITY, INFINITY, INFINITY}, {-INFINITY, -INFINITY, -INFINITY}};
  Grid grid = {{0}, {{0}}, {{0}}, NULL, NULL, NULL};
  IrzLabelMap *map = NULL;
  IrzComparison *made = NULL;
  if (plan->patient.compare.labels[0] == '\0') return IRZ_OK;
  MPI_Comm_rank(judged->comm, &rank);
  irz_alloc(&made, 1, sizeof *made, error);
  if (error->code == IRZ_OK && rank == 0) read_measured(plan, &map, error);
  IrzCode code = irz_error_agree(judged->comm, error);
  if (code == IRZ_OK) {
    if (map != NULL) widen(map, box);
    field_box(judged, box);
    if (map != NULL) {
      const IrzLabelMap *image = map;
      bool finer =
          judged->labels != NULL && irz_voxel_volume(judged->labels->to_world[0]) < irz_voxel_volume(map->to_world[0]);
      lay_grid(finer ? judged->labels : image, box, &grid);
    }
    MPI_Bcast(&grid, (int)sizeof grid, MPI_BYTE, 0, judged->comm); /* sizes and places; there are no arrays yet */
    code = fill_grid(judged, &grid, error);
  }
  if (code == IRZ_OK) {
    if (rank == 0) compare(judged, shared, map, &grid, box, made, error);
    code = irz_error_agree(judged->comm, error);
  }
  if (code == IRZ_OK) {
    MPI_Bcast(made, (int)sizeof *made, MPI_BYTE, 0, judged->comm);
    patient->compare = made;
    made = NULL;
  }
  free(made);
  grid_clear(&grid);
  irz_label_map_free(map);
  return code;
}
