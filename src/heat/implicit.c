/* Implicit steps; see implicit.h. */
#include "heat/implicit.h"
#include "base/memory.h"
#include "base/petsc.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ITERATIONS = 500 };

IrzCode irz_implicit_create(const IrzThermal *thermal, double enough, IrzImplicit *p, IrzError *error) {
  const IrzSpace *space = thermal->space;
  const IrzPattern *pattern = thermal->mass.pattern;
  size_t n = (size_t)space->n_owned, n_local = (size_t)space->n_local;
  *p = (IrzImplicit){.thermal = thermal, .enough = enough, .system = {.pattern = thermal->mass.pattern}};
  IRZ_TRY(irz_alloc(&p->system.aa, (size_t)pattern->ai[n], sizeof(float), error));
  IRZ_TRY(irz_alloc(&p->system.ba, (size_t)pattern->bi[n], sizeof(float), error));
  double **wide[] = {&p->right, &p->rest, &p->step, &p->sum, &p->owed};
  for (size_t k = 0; k < sizeof wide / sizeof wide[0]; k++) IRZ_TRY(irz_alloc(wide[k], n, sizeof(double), error));
  float **narrow[] = {&p->diagonal, &p->extra, &p->inverse, &p->b, &p->later};
  for (size_t k = 0; k < sizeof narrow / sizeof narrow[0]; k++) IRZ_TRY(irz_alloc(narrow[k], n, sizeof(float), error));
  IRZ_TRY(irz_alloc(&p->up, n_local, sizeof(float), error));
  return irz_alloc(&p->down, n, sizeof(float), error);
}

/// Form s M + K, and its diagonal.
static void set_shift(IrzImplicit *p, double shift) {
  const IrzTangent *m = &p->thermal->mass, *k = &p->thermal->stiffness;
  const IrzPattern *pattern = m->pattern;
  int32_t n = pattern->space->n_owned;
  float s = (float)shift;
  if (shift == p->shift) return;
  for (PetscInt i = 0; i < pattern->ai[n]; i++) p->system.aa[i] = s * m->aa[i] + k->aa[i];
  for (PetscInt i = 0; i < pattern->bi[n]; i++) p->system.ba[i] = s * m->ba[i] + k->ba[i];
  for (int32_t r = 0; r < n; r++) {
    float sum = 0;
    for (PetscInt c = pattern->bi[r]; c < pattern->bi[r + 1]; c++) sum += fabsf(p->system.ba[c]);
    p->extra[r] = 0.5f * sum;
    p->diagonal[r] = p->system.aa[pattern->ai[r + 1] - 1] + p->extra[r];
    p->inverse[r] = 1 / p->diagonal[r];
  }
  p->shift = shift;
}

/// down = (L + D)^-1 b.
static void solve_lower(IrzImplicit *p, const float *restrict b) {
  const IrzPattern *pattern = p->system.pattern;
  const PetscInt *restrict ai = pattern->ai, *restrict aj = pattern->aj;
  const float *restrict a = p->system.aa;
  float *x = p->down;
  for (int32_t r = 0; r < pattern->space->n_owned; r++) {
    float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    x[r] = 0; /* so that the diagonal adds nothing */
    for (PetscInt c = ai[r]; c < ai[r + 1]; c += 4) {
      s0 += a[c] * x[aj[c]];
      s1 += a[c + 1] * x[aj[c + 1]];
      s2 += a[c + 2] * x[aj[c + 2]];
      s3 += a[c + 3] * x[aj[c + 3]];
    }
    x[r] = (b[r] - ((s0 + s1) + (s2 + s3))) * p->inverse[r];
  }
}

/// up = (D + U)^-1 b, ghosts from their owners. The rows of U are the columns of L.
static IrzCode solve_upper(IrzImplicit *p, const double *restrict b, IrzError *error) {
  const IrzPattern *pattern = p->system.pattern;
  const IrzSpace *space = pattern->space;
  const PetscInt *restrict ai = pattern->ai, *restrict aj = pattern->aj;
  const float *restrict a = p->system.aa;
  float *restrict later = p->later, *restrict x = p->up;
  memset(later, 0, (size_t)space->n_owned * sizeof *later);
  for (int32_t r = space->n_owned - 1; r >= 0; r--) {
    float value = x[r] = ((float)b[r] - later[r]) * p->inverse[r];
    for (PetscInt c = ai[r]; c < ai[r + 1]; c += 4) {
      for (int i = 0; i < 4; i++) later[aj[c + i]] += a[c + i] * value;
    }
  }
  return irz_petsc(irz_space_share_single(space, x), "heat", error);
}

/// Sum over all ranks.
static double add_up(const IrzImplicit *p, double mine) {
  MPI_Allreduce(MPI_IN_PLACE, &mine, 1, MPI_DOUBLE, MPI_SUM, p->thermal->space->part->comm);
  return mine;
}

/// Turn a residual into (L + D)^-1 times it.
/// @param[out] square  of its norm: r (L + D)^-T D (L + D)^-1 r
static void precondition(IrzImplicit *p, const double *r, double *out, double *square) {
  int32_t n = p->thermal->space->n_owned;
  double sum = 0;
  for (int32_t i = 0; i < n; i++) p->b[i] = (float)r[i];
  solve_lower(p, p->b);
  for (int32_t i = 0; i < n; i++) {
    double value = p->down[i];
    out[i] = value;
    sum += value * value * (double)p->diagonal[i];
  }
  *square = add_up(p, sum);
}

/// (L + D)^-1 A (D + U)^-1 y in `down` + `up`: with the product of A and up written as (L + D) up + y - (2 D - its own
/// diagonal) up + what leads to other ranks, two triangular solves are all it takes (S. C. Eisenstat, Efficient
/// implementation of a class of preconditioned conjugate gradient methods, 1981).
/// @return y times that
static IrzCode apply(IrzImplicit *p, const double *y, double *curvature, IrzError *error) {
  const IrzPattern *pattern = p->system.pattern;
  int32_t n = pattern->space->n_owned;
  double sum = 0;
  IRZ_TRY(solve_upper(p, y, error));
  for (int32_t r = 0; r < n; r++) {
    float b = (float)y[r] - (p->diagonal[r] + p->extra[r]) * p->up[r];
    for (PetscInt c = pattern->bi[r]; c < pattern->bi[r + 1]; c++) b += p->system.ba[c] * p->up[pattern->bj[c]];
    p->b[r] = b;
  }
  solve_lower(p, p->b);
  for (int32_t i = 0; i < n; i++) sum += y[i] * ((double)p->down[i] + (double)p->up[i]);
  *curvature = add_up(p, sum);
  return IRZ_OK;
}

/// Conjugate gradients for y = (D + U) x, preconditioned by D.
/// @param[in,out] rest    in: (L + D)^-1 of the residual
/// @param[in]     square  of its norm
/// @param[in]     target  square to reach
/// @param[out]    sum     y
static IrzCode solve(IrzImplicit *p, double square, double target, double *restrict sum, int *iterations,
                     IrzError *error) {
  int32_t n = p->thermal->space->n_owned;
  double before = 1, *restrict rest = p->rest, *restrict step = p->step;
  memset(sum, 0, (size_t)n * sizeof *sum);
  for (int k = 0; k < MAX_ITERATIONS; k++) {
    double beta = k > 0 ? square / before : 0, curvature, left = 0;
    if (square <= target) return IRZ_OK;
    for (int32_t i = 0; i < n; i++) step[i] = (double)p->diagonal[i] * rest[i] + beta * step[i];
    IRZ_TRY(apply(p, step, &curvature, error));
    if (!(square > 0 && curvature > 0)) break;
    double alpha = square / curvature;
    for (int32_t i = 0; i < n; i++) {
      sum[i] += alpha * step[i];
      rest[i] -= alpha * ((double)p->down[i] + (double)p->up[i]);
      left += rest[i] * rest[i] * (double)p->diagonal[i];
    }
    before = square;
    square = add_up(p, left);
    (*iterations)++;
  }
  return irz_error_set(error, IRZ_ERR_SOLVER, "heat: a time step could not be solved");
}

/// (L + D) rest: what the solve has left of its right-hand side.
static void leave(const IrzImplicit *p, double *restrict left) {
  const IrzPattern *pattern = p->system.pattern;
  const PetscInt *restrict ai = pattern->ai, *restrict aj = pattern->aj;
  const float *restrict a = p->system.aa;
  const double *restrict rest = p->rest;
  for (int32_t r = 0; r < pattern->space->n_owned; r++) {
    double sum = (double)p->extra[r] * rest[r];
    for (PetscInt c = ai[r]; c < ai[r + 1]; c++) sum += (double)a[c] * rest[aj[c]];
    left[r] = sum;
  }
}

/// b - A x.
/// @param[in,out] x     [n_local] ghosts are filled
/// @param[out]    rest  [n_owned]
static IrzCode residual(const IrzImplicit *p, double *x, double *rest, IrzError *error) {
  const IrzSpace *space = p->thermal->space;
  IRZ_TRY(irz_petsc(irz_space_share(space, x), "heat", error));
  irz_tangent_multiply(&p->system, x, rest);
  for (int32_t i = 0; i < space->n_owned; i++) rest[i] = p->right[i] - rest[i];
  return IRZ_OK;
}

/// Square of the norm of a step, which a guess of it tells as well as a sweep does.
static double product(const IrzImplicit *p, const double *right, const double *guess) {
  double sum = 0;
  for (int32_t i = 0; i < p->thermal->space->n_owned; i++) sum += right[i] * guess[i];
  return add_up(p, sum);
}

IrzCode irz_implicit_step(IrzImplicit *p, double theta, double length, const double *load, double *temperature,
                          double *change, int *iterations, IrzError *error) {
  const IrzSpace *space = p->thermal->space;
  double shift = 1 / (theta * length), whole, square;
  int32_t n = space->n_owned;
  set_shift(p, shift);
  irz_tangent_multiply(&p->thermal->stiffness, temperature, p->sum);
  for (int32_t i = 0; i < n; i++) p->right[i] = (load[i] - p->sum[i]) / theta + shift * p->owed[i];
  whole = product(p, p->right, change);
  if (whole <= 0) precondition(p, p->right, p->rest, &whole);
  IRZ_TRY(residual(p, change, p->sum, error));
  precondition(p, p->sum, p->rest, &square);
  IRZ_TRY(solve(p, square, p->enough * p->enough * whole, p->sum, iterations, error));
  IRZ_TRY(solve_upper(p, p->sum, error));
  leave(p, p->sum);
  for (int32_t i = 0; i < n; i++) {
    change[i] += (double)p->up[i];
    temperature[i] += change[i];
    p->owed[i] = p->sum[i] / shift;
  }
  return irz_petsc(irz_space_share(space, temperature), "heat", error);
}

void irz_implicit_clear(IrzImplicit *p) {
  double *wide[] = {p->right, p->rest, p->step, p->sum, p->owed};
  float *narrow[] = {p->diagonal, p->extra, p->inverse, p->b, p->later, p->up, p->down, p->system.aa, p->system.ba};
  for (size_t k = 0; k < sizeof wide / sizeof wide[0]; k++) free(wide[k]);
  for (size_t k = 0; k < sizeof narrow / sizeof narrow[0]; k++) free(narrow[k]);
}
