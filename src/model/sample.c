/* A solution at points: the zone on a grid, and quantities anywhere. */
#include "base/entry.h"
#include "base/memory.h"
#include "field/medium.h"
#include "model/ask.h"
#include "model/model.h"
#include "query/find.h"
#include "query/locate.h"
#include "query/measured.h"
#include "zone/nodal.h"
#include <irezone/anatomy.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// The field that is measured in a solution.
static IrzMeasured measured_of(const IrzSolution *found) {
  return (IrzMeasured){.medium = found->stage->medium,
                       .sides = &found->sides,
                       .order = found->stage->geometry->mesh.order,
                       .n_pulses = found->n_met,
                       .potential = found->met,
                       .drawn = found->drawn.field,
                       .sharp = found->sharp,
                       .along = found->is_sharp ? found->along : NULL,
                       .law = found->law};
}

/// Region of a point in a tetrahedron.
static int region_at(const IrzStage *stage, int32_t tet, const double x[3]) {
  bool known = stage->labels == NULL || stage->part->fitted[tet];
  return known ? stage->medium->region[tet] : irz_label_map_region(stage->labels, x);
}

/// The threshold that applies at a point of a tetrahedron, V/m.
static double threshold_at(const IrzSolution *found, int32_t tet, const double x[3]) {
  return found->threshold[region_at(found->stage, tet, x)];
}

/* ---- The zone on a grid ---- */

/// A grid, and the way from points to its indices.
typedef struct {
  const IrzVoxelGrid *grid;
  double inverse[3][3]; ///< 1/m, index by coordinate
  uint8_t *ablated;
} Voxels;

/// Invert the steps of a grid.
/// @return false if they lie in a plane
static bool invert_steps(const double step[3][3], double inverse[3][3]) {
  double cofactor[3][3], size = 1, det = 0;
  for (int a = 0; a < 3; a++) {
    const double *u = step[(a + 1) % 3], *v = step[(a + 2) % 3];
    for (int d = 0; d < 3; d++) cofactor[a][d] = u[(d + 1) % 3] * v[(d + 2) % 3] - u[(d + 2) % 3] * v[(d + 1) % 3];
    size *= sqrt(step[a][0] * step[a][0] + step[a][1] * step[a][1] + step[a][2] * step[a][2]);
  }
  for (int d = 0; d < 3; d++) det += step[0][d] * cofactor[0][d];
  if (!(fabs(det) > 1e-6 * size)) return false;
  for (int a = 0; a < 3; a++) {
    for (int d = 0; d < 3; d++) inverse[a][d] = cofactor[a][d] / det;
  }
  return true;
}

/// Range of the indices of a box along one axis of the grid; empty ones end before they begin.
static void index_range(const Voxels *voxels, int axis, const double low[3], const double high[3], int range[2]) {
  const IrzVoxelGrid *grid = voxels->grid;
  double middle = 0, half = 0, last = grid->size[axis] - 1;
  for (int d = 0; d < 3; d++) {
    double slope = voxels->inverse[axis][d];
    middle += slope * (0.5 * (low[d] + high[d]) - grid->origin[d]);
    half += fabs(slope) * 0.5 * (high[d] - low[d]);
  }
  double first = ceil(middle - half - 1e-6), end = floor(middle + half + 1e-6);
  range[0] = first > 0 ? (int)fmin(first, last + 1) : 0;
  range[1] = end < last ? (int)fmax(end, -1) : (int)last;
}

/// Find a point in a tetrahedron.
static bool find_inside(IrzMeasuredCell *cell, const double x[3], double l[4]) {
  bool inside = irz_locate(cell->node, cell->bent, x, l) < 1e-6;
  for (int i = 0; i < 4; i++) inside = inside && l[i] >= -1e-9;
  return inside;
}

/// Mark the points inside one tetrahedron that are in the zone.
static void sample_tet(const IrzSolution *found, const IrzMeasured *measured, int32_t t, IrzMeasuredCell *cell,
                       const Voxels *voxels) {
  const IrzVoxelGrid *grid = voxels->grid;
  double low[3], high[3];
  int range[3][2], nodes = cell->bent ? 10 : 4;
  bool made = false;
  for (int d = 0; d < 3; d++) {
    low[d] = high[d] = cell->node[0][d];
    for (int i = 1; i < nodes; i++) {
      low[d] = fmin(low[d], cell->node[i][d]);
      high[d] = fmax(high[d], cell->node[i][d]);
    }
    double margin = cell->bent ? 0.1 * (high[d] - low[d]) : 0; /* a quadratic wall can bulge beyond its nodes */
    low[d] -= margin;
    high[d] += margin;
  }
  for (int a = 0; a < 3; a++) index_range(voxels, a, low, high, range[a]);
  for (int k = range[2][0]; k <= range[2][1]; k++) {
    for (int j = range[1][0]; j <= range[1][1]; j++) {
      for (int i = range[0][0]; i <= range[0][1]; i++) {
        double x[3], l[4];
        for (int d = 0; d < 3; d++)
          x[d] = grid->origin[d] + (i * grid->step[0][d] + j * grid->step[1][d] + k * grid->step[2][d]);
        if (!find_inside(cell, x, l)) continue;
        if (!made) irz_measured_make(measured, t, cell);
        made = true;
        if (!irz_measured_reaches(measured, t, cell, l, threshold_at(found, t, x))) continue;
        voxels->ablated[((size_t)k * (size_t)grid->size[1] + (size_t)j) * (size_t)grid->size[0] + (size_t)i] = 1;
      }
    }
  }
}

IrzCode irz_solution_grid(const IrzSolution *found, const IrzVoxelGrid *grid, uint8_t *ablated, IrzError *error) {
  const IrzPart *part = found->stage->part;
  const IrzMeasured measured = measured_of(found);
  Voxels voxels = {.grid = grid};
  for (int a = 0; a < 3; a++) {
    IRZ_NEED(grid->size[a] >= 1);
    for (int d = 0; d < 3; d++) IRZ_NEED(isfinite(grid->step[a][d]) && isfinite(grid->origin[d]));
  }
  IRZ_NEED((int64_t)grid->size[0] * grid->size[1] <= INT32_MAX);
  if (!invert_steps(grid->step, voxels.inverse)) {
    return irz_error_set(error, IRZ_ERR_PLAN, "the steps of the grid lie in a plane");
  }
  size_t slab = (size_t)grid->size[0] * (size_t)grid->size[1], n = slab * (size_t)grid->size[2];
  IrzMeasuredCell cell;
  int32_t curved = 0;
  irz_alloc(&voxels.ablated, n, 1, error);
  IrzCode code = irz_error_agree(part->comm, error);
  for (int32_t t = 0; code == IRZ_OK && t < part->n_tets; t++) {
    bool bent = curved < part->n_curved && part->curved_tet[curved] == t;
    if (part->mine[t]) {
      irz_measured_move(&measured, t, bent ? curved : -1, &cell);
      sample_tet(found, &measured, t, &cell, &voxels);
    }
    curved += bent;
  }
  /* Slab by slab, because a count in MPI is an int. */
  for (int k = 0; code == IRZ_OK && k < grid->size[2]; k++) {
    MPI_Reduce(voxels.ablated + slab * (size_t)k, part->rank == 0 ? ablated + slab * (size_t)k : NULL, (int)slab,
               MPI_UINT8_T, MPI_MAX, 0, part->comm);
  }
  free(voxels.ablated);
  return code;
}

IrzCode irz_model_sample_zone(IrzModel *model, const IrzPointGrid *grid, uint8_t *ablated, IrzError *error) {
  IRZ_ENTER_ALONE(error);
  IRZ_NEED(model != NULL && grid != NULL && (ablated != NULL || model->stage[0]->part->rank > 0));
  IrzVoxelGrid voxels = {{0}, {0}, {{0}}};
  for (int d = 0; d < 3; d++) {
    IRZ_NEED(grid->spacing[d] > 0);
    voxels.size[d] = grid->size[d];
    voxels.origin[d] = grid->origin[d];
    voxels.step[d][d] = grid->spacing[d];
  }
  if (!model->answered) return irz_model_no_answer(model, error);
  return irz_solution_grid(model->answer[0]->found, &voxels, ablated, error);
}

/* ---- Quantities at points ---- */

/// What a quantity's name asks for: values at nodes, or one of those that are made.
typedef struct {
  enum { NODAL, SURVIVAL, FIELD, ZONE, REGION } kind;
  const double *node;    ///< [nodes of the part] of NODAL ...
  const IrzSides *sides; ///< ... or [rows] of these
  int order;             ///< of `node`
  double least, most;    ///< bounds that quadratics must not leave
} Wanted;

/// The pulse that `potential_V` or `potential_V_03` means, from 0; -1: none.
static int potential_pulse(const char *quantity) {
  static const char stem[] = "potential_V";
  const size_t length = sizeof stem - 1;
  if (strncmp(quantity, stem, length) != 0) return -1;
  if (quantity[length] == '\0') return 0;
  char *end;
  long pulse = quantity[length] == '_' ? strtol(quantity + length + 1, &end, 10) : 0;
  return pulse >= 1 && pulse <= INT32_MAX && *end == '\0' ? (int)pulse - 1 : -1;
}

/// Find what a name means.
static IrzCode find_quantity(const IrzSolution *found, const char *quantity, Wanted *wanted, IrzError *error) {
  const int order = found->stage->geometry->mesh.order, pulse = potential_pulse(quantity);
  const struct {
    const char *name;
    const double *node;
  } nodal[] = {{"temperature_peak_C", found->heat.reached[0].peak},
               {"thermal_damage", found->heat.reached[0].omega},
               {"cem43_min", found->heat.reached[0].cem43}};
  *wanted = (Wanted){.kind = NODAL, .order = order, .least = -INFINITY};
  if (strcmp(quantity, "field_V_per_cm") == 0) wanted->kind = FIELD;
  if (strcmp(quantity, "zone") == 0) wanted->kind = ZONE;
  if (strcmp(quantity, "region") == 0) wanted->kind = REGION;
  if (pulse >= 0 && pulse < found->n_pulses) wanted->node = found->potential[pulse];
  for (size_t i = 0; i < sizeof nodal / sizeof nodal[0]; i++) {
    if (strcmp(quantity, nodal[i].name) != 0) continue;
    wanted->node = nodal[i].node;
    wanted->least = 0;
  }
  if (strcmp(quantity, "survival") == 0 && found->score != NULL) {
    wanted->kind = SURVIVAL;
    wanted->node = found->score;
    wanted->sides = &found->sides;
  }
  if (wanted->kind != NODAL || wanted->node != NULL) return IRZ_OK;
  return irz_error_set(error, IRZ_ERR_PLAN,
                       "no quantity \"%s\" at points of this result; there can be field_V_per_cm, zone, region, "
                       "potential_V (or potential_V_01 to _%02d), and if the plan asks for them survival, "
                       "temperature_peak_C, thermal_damage and cem43_min",
                       quantity, found->n_pulses);
}

/// A quantity at a point in a tetrahedron of this rank.
static double evaluate(const IrzSolution *found, const Wanted *wanted, const IrzMeasured *measured, int32_t tet,
                       const double x[3], const double l[4]) {
  const IrzStage *stage = found->stage;
  const IrzPart *part = stage->part;
  if (wanted->kind == NODAL || wanted->kind == SURVIVAL) {
    double value = irz_value_at(wanted->order, irz_tet_rows(wanted->sides, part, tet), wanted->node, l);
    return wanted->kind == SURVIVAL ? 1 / (1 + exp(value)) : fmax(value, wanted->least);
  }
  if (wanted->kind == REGION) return region_at(stage, tet, x);
  IrzMeasuredCell cell;
  int32_t curved = irz_first_curved(part, tet);
  bool bent = curved < part->n_curved && part->curved_tet[curved] == tet;
  irz_measured_move(measured, tet, bent ? curved : -1, &cell);
  irz_measured_make(measured, tet, &cell);
  if (wanted->kind == ZONE) return irz_measured_reaches(measured, tet, &cell, l, threshold_at(found, tet, x));
  return irz_measured_field(measured, tet, &cell, l) / 100;
}

IrzCode irz_solution_sample(const IrzSolution *found, const char *quantity, int n, const double (*points)[3],
                            double *values, IrzError *error) {
  const IrzPart *part = found->stage->part;
  const IrzMeasured measured = measured_of(found);
  Wanted wanted = {0};
  IrzSought sought = {0};
  double *value = NULL;
  MPI_Bcast(&n, 1, MPI_INT, 0, part->comm);
  find_quantity(found, quantity, &wanted, error);
  if (error->code == IRZ_OK) irz_sought_create(n, &sought, error);
  if (error->code == IRZ_OK) irz_alloc(&value, (size_t)n, sizeof *value, error);
  IrzCode code = irz_error_agree(part->comm, error);
  if (code == IRZ_OK) {
    if (part->rank == 0 && n > 0) memcpy(sought.x, points, (size_t)n * sizeof *points);
    MPI_Bcast(sought.x, 3 * n, MPI_DOUBLE, 0, part->comm);
    irz_find(part, false, &sought);
    for (int32_t i = 0; i < n; i++) {
      if (sought.best[i] >= 0 && irz_sought_mine(&sought, i))
        value[i] = evaluate(found, &wanted, &measured, sought.tet[i], sought.x[i], sought.l[i]);
    }
    irz_sought_share(&sought, part->comm, value);
    for (int32_t i = 0; i < n && part->rank == 0; i++)
      values[i] = sought.best[i] >= 0 ? value[i] : wanted.kind == ZONE ? 0 : NAN;
  }
  free(value);
  irz_sought_clear(&sought);
  return code;
}
