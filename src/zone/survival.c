/* Survival; see survival.h. */
#include "zone/survival.h"
#include "base/memory.h"
#include "field/kernel.h"
#include "zone/volume.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>

enum { DEPTH = 2 }; /* how often a tetrahedron is cut in eight */

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

/// A tetrahedron at work.
typedef struct {
  const IrzSurvivalTask *task;
  double x[10][3];
  bool bent;
  const int32_t *node;
  double (*corner)[4][3]; ///< [n_pulses] gradients at its corners
  double *field;          ///< [n_pulses] scratch
} Cell;

/// A corner of a smaller tetrahedron.
typedef struct {
  double l[4], x[3], score;
} Corner;

/// |E| of every pair at a point.
static void fields_at(Cell *cell, const double l[4]) {
  const IrzSurvivalTask *task = cell->task;
  for (int p = 0; p < task->n_pulses; p++) {
    double g[3] = {0, 0, 0}, u[10];
    if (task->order == 1) {
      cell->field[p] = 0;
      for (int i = 0; i < 4; i++) cell->field[p] += l[i] * task->field[p][cell->node[i]];
      continue;
    }
    if (cell->bent) {
      for (int i = 0; i < 10; i++) u[i] = task->potential[p][cell->node[i]];
      irz_gradient(cell->x, true, 10, u, l, g);
    } else {
      for (int i = 0; i < 4; i++) {
        for (int d = 0; d < 3; d++) g[d] += l[i] * cell->corner[p][i][d];
      }
    }
    cell->field[p] = sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]);
  }
}

/// Bounds on the score. The gradient in a straight tetrahedron is linear, so |E| is largest at a corner, and nowhere
/// less than the least part of a corner's gradient along their mean; the score grows with every pair's field.
static void score_bounds(Cell *cell, double *low, double *high) {
  const IrzSurvivalTask *task = cell->task;
  double *least = cell->field + task->n_pulses, *most = least + task->n_pulses;
  for (int p = 0; p < task->n_pulses; p++) {
    double mean[3] = {0, 0, 0}, u[10];
    least[p] = INFINITY;
    most[p] = 0;
    if (task->order == 1) {
      for (int i = 0; i < 4; i++) {
        least[p] = fmin(least[p], task->field[p][cell->node[i]]);
        most[p] = fmax(most[p], task->field[p][cell->node[i]]);
      }
      continue;
    }
    for (int i = 0; i < 10; i++) u[i] = task->potential[p][cell->node[i]];
    for (int i = 0; i < 4; i++) {
      double l[4] = {0, 0, 0, 0}, *g = cell->corner[p][i];
      l[i] = 1;
      irz_gradient(cell->x, false, 10, u, l, g);
      most[p] = fmax(most[p], sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]));
      for (int d = 0; d < 3; d++) mean[d] += 0.25 * g[d];
    }
    double size = sqrt(mean[0] * mean[0] + mean[1] * mean[1] + mean[2] * mean[2]);
    for (int i = 0; i < 4; i++) {
      const double *g = cell->corner[p][i];
      least[p] = fmin(least[p], size > 0 ? (g[0] * mean[0] + g[1] * mean[1] + g[2] * mean[2]) / size : 0);
    }
    least[p] = fmax(least[p], 0);
  }
  *low = irz_survival_score(task->death, task->n_pulses, task->pulses, least);
  *high = irz_survival_score(task->death, task->n_pulses, task->pulses, most);
}

static void make_corner(Cell *cell, const double l[4], Corner *corner) {
  for (int d = 0; d < 3; d++) {
    corner->x[d] = 0;
    for (int i = 0; i < 4; i++) corner->x[d] += (cell->bent ? l[i] * (2 * l[i] - 1) : l[i]) * cell->x[i][d];
    for (int e = 0; e < 6 && cell->bent; e++) {
      corner->x[d] += 4 * l[irz_edge_vertices[e][0]] * l[irz_edge_vertices[e][1]] * cell->x[4 + e][d];
    }
  }
  for (int i = 0; i < 4; i++) corner->l[i] = l[i];
  fields_at(cell, l);
  corner->score = irz_survival_score(cell->task->death, cell->task->n_pulses, cell->task->pulses, cell->field);
}

static double straight_volume(const Corner c[4]) {
  double e[3][3];
  for (int k = 0; k < 3; k++) {
    for (int d = 0; d < 3; d++) e[k][d] = c[k + 1].x[d] - c[0].x[d];
  }
  return fabs(e[0][0] * (e[1][1] * e[2][2] - e[1][2] * e[2][1]) - e[0][1] * (e[1][0] * e[2][2] - e[1][2] * e[2][0]) +
              e[0][2] * (e[1][0] * e[2][1] - e[1][1] * e[2][0])) /
         6;
}

/// Mean of a linear score's excess over the true one: 16/20 of that at the centre if the score is quadratic.
static double linear_excess(Cell *cell, const Corner corner[4]) {
  Corner center;
  double l[4], mean = 0;
  for (int i = 0; i < 4; i++) {
    l[i] = 0.25 * (corner[0].l[i] + corner[1].l[i] + corner[2].l[i] + corner[3].l[i]);
    mean += 0.25 * corner[i].score;
  }
  make_corner(cell, l, &center);
  return 0.8 * (mean - center.score);
}

/// Add the shares of a tetrahedron whose score reaches each level, cutting it in eight `depth` times first.
static void add_cut(Cell *cell, const Corner corner[4], int depth, const double *level, int n, double *volume) {
  if (depth == 0) {
    double whole = straight_volume(corner), excess = 0;
    bool known = cell->task->order == 1;
    for (int k = 0; k < n; k++) {
      double f[4];
      for (int i = 0; i < 4; i++) f[i] = corner[i].score - level[k];
      double fraction = irz_cut_fraction(f);
      if (fraction > 0 && fraction < 1) {
        /* A linear score lies above the convex one; lower it by its mean excess, as for the zone's volume. */
        if (!known) excess = linear_excess(cell, corner);
        known = true;
        for (int i = 0; i < 4; i++) f[i] -= excess;
        fraction = irz_cut_fraction(f);
      }
      volume[k] += whole * fraction;
    }
    return;
  }
  Corner node[10];
  for (int i = 0; i < 4; i++) node[i] = corner[i];
  for (int e = 0; e < 6; e++) {
    double l[4];
    for (int i = 0; i < 4; i++) {
      l[i] = 0.5 * (corner[irz_edge_vertices[e][0]].l[i] + corner[irz_edge_vertices[e][1]].l[i]);
    }
    make_corner(cell, l, &node[4 + e]);
  }
  for (int k = 0; k < 8; k++) {
    const Corner next[4] = {node[irz_child_nodes[k][0]], node[irz_child_nodes[k][1]], node[irz_child_nodes[k][2]],
                            node[irz_child_nodes[k][3]]};
    add_cut(cell, next, depth - 1, level, n, volume);
  }
}

/// Add one tetrahedron's shares.
static void measure_tet(Cell *cell, const double *level, double *volume) {
  int n = cell->task->death->n_survival;
  double low = -INFINITY, high = INFINITY;
  Corner corner[4];
  bool cut = cell->bent;
  if (!cell->bent) score_bounds(cell, &low, &high);
  for (int k = 0; k < n; k++) cut = cut || (low < level[k] && level[k] <= high);
  for (int i = 0; i < 4; i++) {
    double l[4] = {0, 0, 0, 0};
    l[i] = 1;
    make_corner(cell, l, &corner[i]);
  }
  if (cut) {
    add_cut(cell, corner, DEPTH, level, n, volume);
    return;
  }
  double whole = straight_volume(corner);
  for (int k = 0; k < n; k++) volume[k] += low >= level[k] ? whole : 0;
}

IrzCode irz_survival_measure(const IrzSurvivalTask *task, double *volume, IrzError *error) {
  const IrzPart *part = task->medium->part;
  int n = task->death->n_survival;
  Cell cell = {.task = task};
  double level[IRZ_MAX_SURVIVAL], mine[IRZ_MAX_SURVIVAL] = {0};
  int32_t curved = 0;
  IrzCode code = irz_alloc(&cell.corner, (size_t)task->n_pulses, sizeof *cell.corner, error);
  if (code == IRZ_OK) irz_alloc(&cell.field, 3 * (size_t)task->n_pulses, sizeof *cell.field, error);
  code = irz_error_agree(part->comm, error);
  for (int k = 0; k < n; k++) level[k] = log((1 - task->death->survival[k]) / task->death->survival[k]);
  for (int32_t t = 0; code == IRZ_OK && t < part->n_tets; t++) {
    cell.bent = curved < part->n_curved && part->curved_tet[curved] == t;
    int32_t bend = cell.bent ? curved : -1;
    curved += cell.bent;
    if (!part->mine[t]) continue;
    cell.node = part->tet[t];
    irz_part_nodes(part, t, bend, cell.x);
    measure_tet(&cell, level, mine);
  }
  free(cell.corner);
  free(cell.field);
  if (code == IRZ_OK) MPI_Allreduce(mine, volume, n, MPI_DOUBLE, MPI_SUM, part->comm);
  return code;
}
