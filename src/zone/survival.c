/* Survival; see survival.h. */
#include "zone/survival.h"
#include "base/memory.h"
#include "zone/cut.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>

/// (E - Ec) / A of one pair.
static double pair_score(const IrzDeath *death, int count, double field) {
  double n = fmin(count, death->n_max);
  double half = death->asymptote + (death->ec0 - death->asymptote) * exp(-death->k1 * n);
  double width = fmax(death->a0 * exp(-death->k2 * n), DBL_MIN * 1e12); /* many pulses without a cap */
  return (field - half) / width;
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

IrzCode irz_survival_nodes(const IrzSurvivalTask *task, double *survival, IrzError *error) {
  const IrzPart *part = task->medium->part;
  size_t n = (size_t)part->n_vertices + (size_t)part->n_edges;
  double *field = NULL;
  IRZ_TRY(irz_alloc(&field, (size_t)task->n_pulses, sizeof *field, error));
  for (size_t i = 0; i < n; i++) {
    for (int p = 0; p < task->n_pulses; p++) field[p] = task->field[p][i];
    survival[i] = 1 / (1 + exp(irz_survival_score(task->death, task->n_pulses, task->pulses, field)));
  }
  free(field);
  return IRZ_OK;
}

/* ---- Volumes ---- */

/// Which fields give the score.
typedef enum {
  OWN,   ///< element-wise ones; at order 1 the recovered ones, linear between the vertices
  OTHER, ///< the other of the two
  WEAKER ///< the own ones, all lower by `slope_step`
} Fields;

/// Step in the fields for the slope of the volume, relative.
static const double slope_step = 0.03;

/// A tetrahedron at work.
typedef struct {
  const IrzSurvivalTask *task;
  IrzLattice lattice; ///< for the volumes
  IrzLattice coarse;  ///< for what the error estimate needs
  Fields fields;      ///< that score_at() takes
  IrzCell cell;
  double *low, *high; ///< [n_pulses] each, scratch: fields
} Place;

static double score_of(const Place *place, const double *field) {
  return irz_survival_score(place->task->death, place->task->n_pulses, place->task->pulses, field);
}

/// Recovered |E| of a pair at a point.
static double recovered_field(const Place *place, int pulse, const double l[4]) {
  const double *field = place->task->field[pulse];
  const int32_t *node = place->cell.node;
  double sum = 0;
  bool quadratic = place->task->order == 2;
  for (int i = 0; i < 4; i++) sum += (quadratic ? l[i] * (2 * l[i] - 1) : l[i]) * field[node[i]];
  for (int e = 0; e < 6 && quadratic; e++) {
    sum += 4 * l[irz_edge_vertices[e][0]] * l[irz_edge_vertices[e][1]] * field[node[4 + e]];
  }
  return sum;
}

/// The score at a point.
static double score_at(void *context, const double l[4]) {
  Place *place = context;
  const IrzSurvivalTask *task = place->task;
  double *field = place->low;
  bool element_wise = (task->order == 2) == (place->fields != OTHER);
  for (int p = 0; p < task->n_pulses; p++) {
    field[p] = element_wise ? irz_cell_field(&place->cell, p, l) : recovered_field(place, p, l);
    if (place->fields == WEAKER) field[p] /= 1 + slope_step;
  }
  return score_of(place, field);
}

/// Bounds on the score, which grows with every pair's field, with room for fields that differ by `slope_step`.
static void score_bounds(Place *place, double *low, double *high) {
  const IrzSurvivalTask *task = place->task;
  for (int p = 0; p < task->n_pulses; p++) {
    if (task->order == 2) {
      irz_cell_bounds(&place->cell, p, &place->low[p], &place->high[p]);
      continue;
    }
    place->low[p] = INFINITY;
    place->high[p] = 0;
    for (int i = 0; i < 4; i++) {
      place->low[p] = fmin(place->low[p], task->field[p][place->cell.node[i]]);
      place->high[p] = fmax(place->high[p], task->field[p][place->cell.node[i]]);
    }
  }
  for (int p = 0; p < task->n_pulses; p++) {
    place->low[p] /= 1 + slope_step;
    place->high[p] *= 1 + slope_step;
  }
  *low = score_of(place, place->low);
  *high = task->order == 2 && place->cell.bent ? INFINITY : score_of(place, place->high);
}

/// Volumes above the levels in a tetrahedron, on a lattice.
static void lattice_volumes(Place *place, const IrzLattice *lattice, Fields fields, double whole, const double *level,
                            double *volume) {
  double x[IRZ_LATTICE_POINTS][3], score[IRZ_LATTICE_POINTS];
  double scale = irz_cell_place(&place->cell, lattice, whole, x);
  IrzScalarAt at = place->task->order == 1 ? NULL : score_at;
  place->fields = fields;
  for (int p = 0; p < lattice->n_points; p++) score[p] = score_at(place, lattice->l[p]);
  for (int k = 0; k < place->task->death->n_survival; k++) {
    volume[k] = scale * irz_cut_volume(lattice, x, score, level[k], at, place, NULL);
  }
}

/// Add one tetrahedron's volumes.
static void measure_tet(Place *place, const double *level, IrzVolume *volume) {
  int n = place->task->death->n_survival;
  double low, high, whole = irz_cell_volume(&place->cell);
  double fine[IRZ_MAX_SURVIVAL], rough[3][IRZ_MAX_SURVIVAL];
  bool cut = false;
  score_bounds(place, &low, &high);
  for (int k = 0; k < n; k++) cut = cut || (low < level[k] && level[k] <= high);
  if (cut) {
    lattice_volumes(place, &place->lattice, OWN, whole, level, fine);
    for (int f = OWN; f <= WEAKER; f++) lattice_volumes(place, &place->coarse, (Fields)f, whole, level, rough[f]);
  }
  for (int k = 0; k < n; k++) {
    if (low < level[k] && level[k] <= high) {
      double difference = rough[OTHER][k] - rough[OWN][k];
      volume[k].volume += fine[k];
      volume[k].off += difference;
      volume[k].scatter += difference * difference;
      volume[k].slope += (rough[OWN][k] - rough[WEAKER][k]) / slope_step;
    } else if (low >= level[k]) {
      volume[k].volume += whole;
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
  irz_cell_init(&place.cell, part, task->order, task->n_pulses, task->potential, error);
  if (error->code == IRZ_OK) irz_alloc(&place.low, (size_t)task->n_pulses, sizeof *place.low, error);
  if (error->code == IRZ_OK) irz_alloc(&place.high, (size_t)task->n_pulses, sizeof *place.high, error);
  IrzCode code = irz_error_agree(part->comm, error);
  for (int k = 0; k < n; k++) level[k] = log((1 - task->death->survival[k]) / task->death->survival[k]);
  for (int32_t t = 0; code == IRZ_OK && t < part->n_tets; t++) {
    bool bent = curved < part->n_curved && part->curved_tet[curved] == t;
    int32_t bend = bent ? curved : -1;
    curved += bent;
    if (!part->mine[t]) continue;
    irz_cell_move(&place.cell, t, bend);
    measure_tet(&place, level, mine);
  }
  free(place.cell.corner);
  free(place.low);
  free(place.high);
  if (code != IRZ_OK) return code;
  MPI_Allreduce(mine, volume, 4 * n, MPI_DOUBLE, MPI_SUM, part->comm);
  for (int k = 0; k < n; k++) volume[k].scatter = sqrt(volume[k].scatter);
  return IRZ_OK;
}
