/* Gauss-Seidel sweeps; see smoother.h. */
#include "field/smoother.h"
#include "base/memory.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

IrzSmoother irz_smoother_of(const IrzTangent *tangent) {
  const IrzPattern *p = tangent->pattern;
  return (IrzSmoother){.n = p->space->n_owned,
                       .n_threads = p->space->n_threads,
                       .row_start = p->space->row_start,
                       .ai = p->ai,
                       .middle = p->middle,
                       .aj = p->aj,
                       .aa = tangent->aa,
                       .bi = p->bi[p->space->n_owned] > 0 ? p->bi : NULL,
                       .bj = p->bj,
                       .ba = tangent->ba};
}

IrzCode irz_smoother_create(IrzSmoother *s, IrzError *error) {
  IRZ_TRY(irz_alloc(&s->inverse, (size_t)s->n, sizeof *s->inverse, error));
  return irz_alloc(&s->extra, (size_t)s->n, sizeof *s->extra, error);
}

void irz_smoother_update(IrzSmoother *s) {
#pragma omp parallel for num_threads(s->n_threads) schedule(static, 1)
  for (int k = 0; k < s->n_threads; k++) {
    for (int32_t r = s->row_start[k]; r < s->row_start[k + 1]; r++) {
      float sum = 0;
      for (PetscInt c = s->bi != NULL ? s->bi[r] : 0; s->bi != NULL && c < s->bi[r + 1]; c++) sum += fabsf(s->ba[c]);
      s->extra[r] = 0.5f * sum;
      s->inverse[r] = 1 / (s->aa[s->middle[r] - 1] + s->extra[r]);
    }
  }
}

/// Sum of entries times values over whole groups.
static inline float groups(const float *restrict a, const PetscInt *restrict column, const float *x, PetscInt from,
                           PetscInt to) {
  float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  for (PetscInt c = from; c < to; c += 4) {
    s0 += a[c] * x[column[c]];
    s1 += a[c + 1] * x[column[c + 1]];
    s2 += a[c + 2] * x[column[c + 2]];
    s3 += a[c + 3] * x[column[c + 3]];
  }
  return (s0 + s1) + (s2 + s3);
}

/// Sum over the entries outside a thread's own rows.
static inline float outside(const IrzSmoother *s, int32_t r, const float *x) {
  float sum = 0;
  for (PetscInt c = s->bi[r]; c < s->bi[r + 1]; c++) sum += s->ba[c] * x[s->bj[c]];
  return sum;
}

void irz_smoother_down(const IrzSmoother *s, const float *restrict b, float *x) {
#pragma omp parallel for num_threads(s->n_threads) schedule(static, 1)
  for (int k = 0; k < s->n_threads; k++) {
    int32_t first = s->row_start[k], last = s->row_start[k + 1];
    memset(x + first, 0, (size_t)(last - first) * sizeof *x); /* so that the diagonal adds nothing */
    for (int32_t r = first; r < last; r++) {
      x[r] = (b[r] - groups(s->aa, s->aj, x, s->ai[r], s->middle[r])) * s->inverse[r];
    }
  }
}

void irz_smoother_rest(const IrzSmoother *s, const float *restrict x, float *restrict rest) {
#pragma omp parallel for num_threads(s->n_threads) schedule(static, 1)
  for (int k = 0; k < s->n_threads; k++) {
    for (int32_t r = s->row_start[k]; r < s->row_start[k + 1]; r++) {
      rest[r] = s->extra[r] * x[r] - groups(s->aa, s->aj, x, s->middle[r], s->ai[r + 1]);
      if (s->bi != NULL) rest[r] -= outside(s, r, x);
    }
  }
}

void irz_smoother_up(const IrzSmoother *s, const float *restrict b, const float *old, float *x) {
#pragma omp parallel for num_threads(s->n_threads) schedule(static, 1)
  for (int k = 0; k < s->n_threads; k++) {
    for (int32_t r = s->row_start[k + 1] - 1; r >= s->row_start[k]; r--) {
      float sum = b[r] - groups(s->aa, s->aj, x, s->ai[r], s->ai[r + 1]);
      if (s->bi != NULL) sum -= outside(s, r, old);
      x[r] += sum * s->inverse[r];
    }
  }
}

void irz_smoother_clear(IrzSmoother *s) {
  free(s->inverse);
  free(s->extra);
}
