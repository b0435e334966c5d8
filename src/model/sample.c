/* A solution at points. */
#include "base/memory.h"
#include "field/medium.h"
#include "model/ask.h"
#include "query/find.h"
#include "zone/nodal.h"
#include <irezone/anatomy.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

IrzMeasured irz_solution_measured(const IrzSolution *found) {
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

double irz_solution_threshold(const IrzSolution *found, int32_t tet, const double x[3]) {
  return found->threshold[region_at(found->stage, tet, x)];
}

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
  if (wanted->kind == ZONE) return irz_measured_reaches(measured, tet, &cell, l, irz_solution_threshold(found, tet, x));
  return irz_measured_field(measured, tet, &cell, l) / 100;
}

IrzCode irz_solution_sample(const IrzSolution *found, const char *quantity, int n, const double (*points)[3],
                            double *values, IrzError *error) {
  const IrzPart *part = found->stage->part;
  const IrzMeasured measured = irz_solution_measured(found);
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
