/* Aggregates and interpolation; see aggregate.h. */
#include "solver/aggregate.h"
#include "base/memory.h"
#include "base/petsc.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Entries below this share of the geometric mean of their diagonals do not tie unknowns together.
#define WEAK 0.03

/// Whether entry c of row r ties r to another unknown.
static inline bool is_strong(const IrzAggregation *level, int32_t r, PetscInt c) {
  double a = level->matrix->value[c];
  int32_t other = level->matrix->column[c];
  return other != r && a * a > WEAK * WEAK * level->diagonal[r] * level->diagonal[other];
}

/// Whether it ties r to another unknown of this rank.
static inline bool is_near(const IrzAggregation *level, int32_t r, PetscInt c) {
  return level->matrix->column[c] < level->matrix->n && is_strong(level, r, c);
}

/// Whether an unknown is tied to any other.
static bool is_tied(const IrzAggregation *level, int32_t r) {
  for (PetscInt c = level->matrix->start[r]; c < level->matrix->start[r + 1]; c++) {
    if (is_strong(level, r, c)) return true;
  }
  return false;
}

int32_t irz_aggregate(const IrzAggregation *level, int32_t *aggregate) {
  const IrzRows *m = level->matrix;
  enum { NONE = -2, ALONE = -1 };
  int32_t count = 0;
  for (int32_t r = 0; r < m->n; r++) aggregate[r] = NONE;
  for (int32_t r = 0; r < m->n; r++) { /* whole neighbourhoods */
    bool near = false, free_around = true;
    if (aggregate[r] != NONE) continue;
    for (PetscInt c = m->start[r]; c < m->start[r + 1] && free_around; c++) {
      if (!is_near(level, r, c)) continue;
      near = true;
      free_around = aggregate[m->column[c]] == NONE;
    }
    if (!near && !is_tied(level, r)) aggregate[r] = ALONE;
    if (!near || !free_around) continue;
    aggregate[r] = count;
    for (PetscInt c = m->start[r]; c < m->start[r + 1]; c++) {
      if (is_near(level, r, c)) aggregate[m->column[c]] = count;
    }
    count++;
  }
  for (int32_t r = 0; r < m->n; r++) { /* the rest joins its strongest neighbour, marked so that no chains form */
    double best = 0;
    int32_t chosen = NONE;
    if (aggregate[r] != NONE) continue;
    for (PetscInt c = m->start[r]; c < m->start[r + 1]; c++) {
      if (!is_near(level, r, c) || aggregate[m->column[c]] < 0) continue;
      double strength = fabs(m->value[c]) / sqrt(level->diagonal[m->column[c]]);
      if (strength > best) {
        best = strength;
        chosen = -3 - aggregate[m->column[c]];
      }
    }
    aggregate[r] = chosen;
  }
  for (int32_t r = 0; r < m->n; r++) {
    if (aggregate[r] < NONE) aggregate[r] = -3 - aggregate[r];
  }
  for (int32_t r = 0; r < m->n; r++) { /* what is left has no aggregate beside it */
    if (aggregate[r] != NONE) continue;
    aggregate[r] = count;
    for (PetscInt c = m->start[r]; c < m->start[r + 1]; c++) {
      if (is_near(level, r, c) && aggregate[m->column[c]] == NONE) aggregate[m->column[c]] = count;
    }
    count++;
  }
  return count;
}

/// Largest eigenvalue of D^-1 A by the power method, from a start that has all frequencies; 10 % on top because it
/// comes from below.
static PetscErrorCode spectral_radius(const IrzAggregation *level, double *radius) {
  const IrzRows *m = level->matrix;
  float *x = level->scratch, *y = level->spare;
  uint32_t state = 1 + (uint32_t)level->halo->first;
  double before = 0, after;

  PetscFunctionBegin;
  for (int32_t r = 0; r < m->n; r++) {
    state = state * 1664525u + 1013904223u;
    x[r] = (float)state / 4294967296.0f - 0.5f;
    before += (double)x[r] * x[r];
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &before, 1, MPI_DOUBLE, MPI_SUM, level->halo->comm));
  *radius = 1;
  for (int turn = 0; turn < 8; turn++) {
    PetscCall(irz_halo_share(level->halo, MPI_FLOAT, x));
    after = 0;
    for (int32_t r = 0; r < m->n; r++) {
      double sum = 0;
      for (PetscInt c = m->start[r]; c < m->start[r + 1]; c++) sum += (double)m->value[c] * (double)x[m->column[c]];
      y[r] = (float)(sum / level->diagonal[r]);
      after += (double)y[r] * y[r];
    }
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &after, 1, MPI_DOUBLE, MPI_SUM, level->halo->comm));
    *radius = 1.1 * sqrt(after / before);
    for (int32_t r = 0; r < m->n; r++) x[r] = (float)(y[r] / sqrt(after));
    before = 1;
  }
  PetscFunctionReturn(0);
}

/// Fill the interpolation. Foreign aggregates are numbered from coarse->n on.
/// @param[in]  aggregate  [n_local] local numbers or -1
/// @param[out] where      [local numbers] zero on entry
static void fill(const IrzAggregation *level, const int32_t *aggregate, double damping, PetscInt *where, IrzRows *p) {
  const IrzRows *m = level->matrix;
  PetscInt next = 0;
  for (int32_t r = 0; r < m->n; r++) {
    PetscInt first = next;
    double diagonal = level->diagonal[r];
    p->start[r] = next;
    if (aggregate[r] < 0) continue;
    for (PetscInt c = m->start[r]; c < m->start[r + 1]; c++) {
      if (m->column[c] != r && !is_strong(level, r, c)) diagonal += m->value[c];
    }
    if (!(diagonal > 0)) diagonal = level->diagonal[r];
    for (PetscInt c = m->start[r]; c < m->start[r + 1]; c++) {
      int32_t other = m->column[c], of = aggregate[other];
      double value = other == r ? 1 - damping : -damping * m->value[c] / diagonal;
      if (of < 0 || (other != r && !is_strong(level, r, c))) continue;
      if (where[of] <= first) { /* places are counted from 1, so that cleared memory is "none" */
        p->column[next] = of;
        p->value[next] = 0;
        where[of] = ++next;
      }
      p->value[where[of] - 1] += (float)value;
    }
  }
  p->start[m->n] = next;
}

IrzCode irz_interpolate(const IrzAggregation *level, int32_t *aggregate, const IrzHalo *coarse, IrzRows *p,
                        IrzError *error) {
  const IrzHalo *halo = level->halo;
  PetscInt n_ghosts = halo->n_local - halo->n, *foreign = NULL, *where = NULL;
  IrzHalo known = *coarse;
  double radius = 1;
  IrzCode code = irz_alloc(&foreign, (size_t)n_ghosts, sizeof *foreign, error);
  if (code == IRZ_OK) code = irz_alloc(&where, (size_t)coarse->n + (size_t)n_ghosts, sizeof *where, error);
  if (code == IRZ_OK) irz_rows_alloc(p, halo->n, 0, level->matrix->start[halo->n], error);
  code = irz_error_agree(halo->comm, error);
  if (code == IRZ_OK) {
    for (int32_t r = 0; r < halo->n; r++) aggregate[r] += aggregate[r] < 0 ? 0 : coarse->first;
    code = irz_petsc(irz_halo_share(halo, MPI_INT32_T, aggregate), "aggregates of ghosts", error);
  }
  if (code == IRZ_OK) code = irz_petsc(spectral_radius(level, &radius), "spectral radius", error);
  if (code == IRZ_OK) {
    PetscInt n = 0;
    for (int32_t r = halo->n; r < halo->n_local; r++) {
      if (aggregate[r] >= 0) foreign[n++] = aggregate[r];
    }
    known.n_local = known.n + irz_halo_foreign(&known, n, foreign);
    known.ghost = foreign;
    for (int32_t r = 0; r < halo->n_local; r++) {
      if (aggregate[r] >= 0) aggregate[r] = irz_halo_local(&known, aggregate[r]);
    }
    fill(level, aggregate, 4.0 / 3 / radius, where, p);
    for (PetscInt c = 0; c < p->start[p->n]; c++) p->column[c] = irz_halo_global(&known, p->column[c]);
  }
  free(foreign);
  free(where);
  return code;
}
