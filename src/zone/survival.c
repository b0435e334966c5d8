/* Survival; see survival.h. */
#include "zone/survival.h"
#include "base/memory.h"
#include "zone/cut.h"
#include "zone/sharpen.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>

/// The largest score that is given for a node: files hold finite numbers only.
static const double most_score = 1e30;

/// Ec of one pair, V/m.
static double half_field(const IrzDeath *death, int count) {
  return death->asymptote + (death->ec0 - death->asymptote) * exp(-death->k1 * fmin(count, death->n_max));
}

/// A of one pair, V/m.
static double width_of(const IrzDeath *death, int count) {
  double width = death->a0 * exp(-death->k2 * fmin(count, death->n_max));
  return fmax(width, DBL_MIN * 1e12); /* many pulses without a cap */
}

/// (E - Ec) / A of one pair.
static double pair_score(const IrzDeath *death, int count, double field) {
  return (field - half_field(death, count)) / width_of(death, count);
}

/// ln(1 + exp(x))
static double soft_plus(double x) {
  return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

double irz_survival_score(const IrzDeath *death, int n_pulses, const IrzPulse *pulses, const double *field) {
  double largest = -INFINITY, log_survival = 0, killed = 0;
  for (int p = 0; p < n_pulses; p++) largest = fmax(largest, pair_score(death, pulses[p].count, field[p]));
  if (death->accumulate == IRZ_ACCUMULATE_MAXIMUM || n_pulses == 1) return largest;
  for (int p = 0; p < n_pulses; p++) {
    double score = pair_score(death, pulses[p].count, field[p]);
    log_survival -= soft_plus(score);
    killed += exp(score - largest);
  }
  /* Where next to nothing dies the killed shares add up; 1 - S would lose them. */
  if (largest < -30) return largest + log(killed);
  return log(-expm1(log_survival)) - log_survival;
}

void irz_survival_fields(const IrzDeath *death, int n_pulses, const IrzPulse *pulses, double field[2]) {
  field[0] = INFINITY;
  field[1] = 0;
  for (int p = 0; p < n_pulses; p++) {
    for (int k = 0; k < death->n_survival; k++) {
      double level = log((1 - death->survival[k]) / death->survival[k]);
      double at = half_field(death, pulses[p].count) + level * width_of(death, pulses[p].count);
      if (!(at > 0)) continue;
      field[0] = fmin(field[0], at);
      field[1] = fmax(field[1], at);
    }
  }
}

/// The score of fields that are all changed by as much as the largest is where it is drawn.
/// @param[in,out] field  [n_pulses] V/m; negative ones count as none
/// @param[in]     drawn  V/m
static double drawn_score(const IrzSurvivalTask *task, double *field, double drawn) {
  double largest = 0;
  for (int p = 0; p < task->n_pulses; p++) {
    field[p] = fmax(field[p], 0);
    largest = fmax(largest, field[p]);
  }
  for (int p = 0; p < task->n_pulses && largest > 0; p++) field[p] *= drawn / largest;
  double score = irz_survival_score(task->death, task->n_pulses, task->pulses, field);
  return fmin(fmax(score, -most_score), most_score);
}

IrzCode irz_survival_nodes(const IrzSurvivalTask *task, const IrzDrawn *drawn, double *score, IrzError *error) {
  const IrzPart *part = task->medium->part;
  const IrzSides *sides = task->sides;
  int32_t nodes = part->n_vertices + part->n_edges, rows = sides != NULL ? sides->n_rows : nodes;
  double *field = NULL;
  IRZ_TRY(irz_alloc(&field, (size_t)task->n_pulses, sizeof *field, error));
  for (int32_t i = 0; i < rows; i++) {
    for (int p = 0; p < task->n_pulses; p++) {
      field[p] = i < nodes ? irz_drawn_value(part, drawn, task->field[p], i) : task->field[p][i];
    }
    score[i] = drawn_score(task, field, drawn->field[i]);
  }
  for (int32_t t = 0; sides != NULL && sides->split != NULL && t < part->n_tets; t++) {
    for (int e = 0; e < 6 && sides->split[t] > 0; e++) { /* an edge may end in further rows */
      const int32_t *row = irz_tet_rows(sides, part, t);
      for (int p = 0; p < task->n_pulses; p++) {
        field[p] = irz_drawn_on_edge(part, drawn, task->field[p], part->tet[t], row, e);
      }
      score[row[4 + e]] = drawn_score(task, field, drawn->field[row[4 + e]]);
    }
  }
  free(field);
  return IRZ_OK;
}

/* ---- Volumes ---- */

/// Which fields give the score.
typedef enum {
  OWN,    ///< recovered ones; at order 2 the element-wise ones where a field is not smooth
  OTHER,  ///< the other of the two
  WEAKER, ///< the own ones, all current densities lower by `slope_step`; where a field is not smooth the fields
  PLAIN   ///< from means of E alone; at order 2 where fields are smooth
} Fields;

/// Step in the current densities for the slope of the volume, relative.
static const double slope_step = 0.03;

/// A tetrahedron at work.
typedef struct {
  const IrzSurvivalTask *task;
  IrzLattice lattice; ///< for the volumes
  IrzLattice coarse;  ///< for what the error estimate needs
  Fields fields;      ///< that score_at() takes
  IrzCell cell;
  const int32_t *row;     ///< [10] of the tetrahedron
  bool smooth;            ///< the recovered fields can be trusted: they are measured
  const IrzLaw *law;      ///< if smooth and order 2, as the rest
  double *along;          ///< [n_pulses] means of the nodes
  double (*kinkless)[10]; ///< [n_pulses] irz_kinkless() of the recovered fields at the nodes
  double *low, *high;     ///< [n_pulses] each, scratch: fields
} Place;

static double score_of(const Place *place, const double *field) {
  return irz_survival_score(place->task->death, place->task->n_pulses, place->task->pulses, field);
}

/// Find out whether the fields are smooth, and fill what recovered_field() needs.
static void make_kinkless(Place *place) {
  const IrzSurvivalTask *task = place->task;
  const IrzMedium *medium = task->medium;
  const int32_t *node = place->row, tet = place->cell.tet;
  int32_t general = medium->general[tet] - 1;
  place->smooth = task->order == 1;
  if (task->order == 1 || task->along == NULL || (general >= 0 && medium->mixed[general])) return;
  place->smooth = true;
  for (int p = 0; p < task->n_pulses; p++) {
    for (int i = 0; i < 10; i++) place->smooth = place->smooth && task->along[p][node[i]] >= 0;
  }
  if (!place->smooth) return;
  place->law = task->laws[medium->region[tet]];
  for (int p = 0; p < task->n_pulses; p++) {
    place->along[p] = 0;
    for (int i = 0; i < 10; i++) place->along[p] += 0.1 * task->along[p][node[i]];
    for (int i = 0; i < 10; i++) {
      place->kinkless[p][i] = irz_kinkless(place->law, place->along[p], task->field[p][node[i]]);
    }
  }
}

/// Recovered |E| of a pair at a point; where the fields are smooth it is irz_kinkless() that is interpolated.
/// @param[in] share  of the current density that is there; where nothing is smooth, of the field
static double recovered_field(const Place *place, int pulse, const double l[4], double share) {
  const int32_t *node = place->row;
  double value[10], sum = 0, low = INFINITY, high = 0;
  for (int i = 0; i < 10; i++) value[i] = place->task->field[pulse][node[i]];
  if (place->task->order == 1) {
    for (int i = 0; i < 4; i++) sum += l[i] * value[i];
    return share * sum;
  }
  if (!place->smooth) return share * irz_quadratic(value, l);
  for (int i = 0; i < 10; i++) {
    low = fmin(low, value[i]);
    high = fmax(high, value[i]);
  }
  return irz_kinkless_field(place->law, place->along[pulse], share * irz_quadratic(place->kinkless[pulse], l), low,
                            high);
}

/// |E| of a pair at a point from means of E alone.
static double plain_field(const Place *place, int pulse, const double l[4]) {
  const int32_t *node = place->row;
  double value[10];
  for (int i = 0; i < 10; i++) value[i] = place->task->plain[pulse][node[i]];
  return irz_quadratic(value, l);
}

/// irz_damping() of the strongest pair where the score reaches a level: the fields of the tetrahedron's nodes, in the
/// mean, times the factor at which they do.
static double damping_at(const Place *place, double level) {
  const IrzSurvivalTask *task = place->task;
  double low = 0.1, high = 10, *field = place->low, *scaled = place->high;
  int strongest = 0;
  for (int p = 0; p < task->n_pulses; p++) {
    field[p] = 0;
    for (int i = 0; i < 10; i++) field[p] += 0.1 * task->field[p][place->row[i]];
    strongest = field[p] > field[strongest] ? p : strongest;
  }
  if (field[strongest] <= 0) return 1;
  while (high > low * (1 + 1e-4)) {
    double middle = sqrt(low * high);
    for (int p = 0; p < task->n_pulses; p++) scaled[p] = middle * field[p];
    *(score_of(place, scaled) < level ? &low : &high) = middle;
  }
  return irz_damping(place->law, place->along[strongest], high * field[strongest], slope_step);
}

/// The score at a point.
static double score_at(void *context, const double l[4]) {
  Place *place = context;
  const IrzSurvivalTask *task = place->task;
  double *field = place->low;
  bool element_wise = place->smooth == (place->fields == OTHER);
  double share = place->fields == WEAKER ? 1 / (1 + slope_step) : 1;
  for (int p = 0; p < task->n_pulses; p++) {
    if (place->fields == PLAIN)
      field[p] = plain_field(place, p, l);
    else
      field[p] = element_wise ? share * irz_cell_field(&place->cell, p, l) : recovered_field(place, p, l, share);
  }
  return score_of(place, field);
}

/// Bounds on the score, which grows with every pair's field, with room for fields that differ by `slope_step`.
static void score_bounds(Place *place, double *low, double *high) {
  const IrzSurvivalTask *task = place->task;
  for (int p = 0; p < task->n_pulses; p++) {
    if (task->order == 2) {
      irz_cell_bounds(&place->cell, p, &place->low[p], &place->high[p]);
    } else {
      place->low[p] = INFINITY;
      place->high[p] = 0;
    }
    for (int i = 0; i < (task->order == 2 ? 10 : 4); i++) {
      place->low[p] = fmin(place->low[p], task->field[p][place->row[i]]);
      place->high[p] = fmax(place->high[p], task->field[p][place->row[i]]);
    }
  }
  for (int p = 0; p < task->n_pulses; p++) {
    place->low[p] /= 1 + slope_step;
    place->high[p] *= 1 + slope_step;
  }
  *low = score_of(place, place->low);
  bool bounded = true;
  for (int p = 0; p < task->n_pulses; p++) bounded = bounded && place->high[p] < INFINITY;
  *high = bounded ? score_of(place, place->high) : INFINITY;
}

/// Volumes above the levels in a tetrahedron, on a lattice.
static void lattice_volumes(Place *place, const IrzLattice *lattice, Fields fields, const double *level,
                            double *volume) {
  IrzPlaced placed;
  double score[IRZ_LATTICE_POINTS];
  irz_cell_place(&place->cell, lattice, &placed);
  IrzScalarAt at = place->task->order == 1 ? NULL : score_at;
  place->fields = fields;
  for (int p = 0; p < lattice->n_points; p++) score[p] = score_at(place, lattice->l[p]);
  for (int k = 0; k < place->task->death->n_survival; k++) {
    volume[k] = irz_cut_volume(lattice, &placed, score, level[k], at, place);
  }
}

/// Add one tetrahedron's volumes.
static void measure_tet(Place *place, const double *level, IrzVolume *volume) {
  int n = place->task->death->n_survival;
  double low, high;
  double fine[IRZ_MAX_SURVIVAL], rough[PLAIN + 1][IRZ_MAX_SURVIVAL];
  bool cut = false, sharp = false;
  score_bounds(place, &low, &high);
  for (int k = 0; k < n; k++) cut = cut || (low < level[k] && level[k] <= high);
  if (cut) {
    make_kinkless(place);
    lattice_volumes(place, &place->lattice, OWN, level, fine);
    sharp = place->smooth && place->task->order == 2;
    for (int f = OWN; f <= (sharp ? PLAIN : WEAKER); f++) {
      lattice_volumes(place, &place->coarse, (Fields)f, level, rough[f]);
    }
  }
  bool between = sharp && irz_touches_sides(place->task->sides, place->cell.tet);
  double share = !sharp ? 1 : between ? IRZ_BETWEEN_SHARE : IRZ_RECOVERED_SHARE;
  for (int k = 0; k < n; k++) {
    if (low < level[k] && level[k] <= high) {
      double difference = rough[OTHER][k] - rough[OWN][k];
      volume[k].volume += place->task->order == 1 ? irz_linear_volume(fine[k], fine[k] + difference) : fine[k];
      volume[k].off += share * difference;
      volume[k].scatter += difference * difference;
      volume[k].slope += (rough[OWN][k] - rough[WEAKER][k]) / slope_step;
      volume[k].smear += sharp ? damping_at(place, level[k]) * (rough[OTHER][k] - rough[PLAIN][k]) : 0;
    } else if (low >= level[k]) {
      volume[k].volume += place->cell.volume;
    }
  }
}

IrzCode irz_survival_measure(const IrzSurvivalTask *task, IrzVolume *volume, IrzError *error) {
  const IrzPart *part = task->medium->part;
  int n = task->death->n_survival;
  Place place = {.task = task};
  double level[IRZ_MAX_SURVIVAL];
  IrzVolume mine[IRZ_MAX_SURVIVAL] = {{0}};
  int32_t curved = 0;
  irz_lattice_make(2, &place.lattice);
  irz_lattice_make(1, &place.coarse);
  irz_cell_init(&place.cell, task->medium, task->order, task->n_pulses, task->potential, error);
  if (error->code == IRZ_OK) irz_alloc(&place.low, (size_t)task->n_pulses, sizeof *place.low, error);
  if (error->code == IRZ_OK) irz_alloc(&place.high, (size_t)task->n_pulses, sizeof *place.high, error);
  if (error->code == IRZ_OK) irz_alloc(&place.along, (size_t)task->n_pulses, sizeof *place.along, error);
  if (error->code == IRZ_OK) irz_alloc(&place.kinkless, (size_t)task->n_pulses, sizeof *place.kinkless, error);
  IrzCode code = irz_error_agree(part->comm, error);
  for (int k = 0; k < n; k++) level[k] = log((1 - task->death->survival[k]) / task->death->survival[k]);
  for (int32_t t = 0; code == IRZ_OK && t < part->n_tets; t++) {
    bool bent = curved < part->n_curved && part->curved_tet[curved] == t;
    int32_t bend = bent ? curved : -1;
    curved += bent;
    if (!part->mine[t]) continue;
    irz_cell_move(&place.cell, t, bend);
    place.row = irz_tet_rows(task->sides, part, t);
    measure_tet(&place, level, mine);
  }
  irz_cell_clear(&place.cell);
  free(place.low);
  free(place.high);
  free(place.along);
  free(place.kinkless);
  if (code != IRZ_OK) return code;
  MPI_Allreduce(mine, volume, IRZ_VOLUME_SUMS * n, MPI_DOUBLE, MPI_SUM, part->comm);
  for (int k = 0; k < n; k++) volume[k].scatter = sqrt(volume[k].scatter);
  return IRZ_OK;
}
