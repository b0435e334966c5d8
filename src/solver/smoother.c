/* Gauss-Seidel sweeps; see smoother.h. */
#include "solver/smoother.h"
#include "base/memory.h"
#include "base/threads.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

IrzSmoother irz_smoother_of(const IrzTangent *tangent) {
  const IrzPattern *p = tangent->pattern;
  return (IrzSmoother){.n = p->space->n_owned,
                       .n_threads = p->space->n_threads,
                       .row_start = p->space->row_start,
                       .ai = p->ai,
                       .aj = p->aj,
                       .aa = tangent->aa,
                       .bi = p->bi[p->space->n_owned] > 0 ? p->bi : NULL,
                       .bj = p->bj,
                       .ba = tangent->ba};
}

IrzCode irz_smoother_create(IrzSmoother *s, IrzError *error) {
  IRZ_TRY(irz_alloc(&s->inverse, (size_t)s->n, sizeof *s->inverse, error));
  IRZ_TRY(irz_alloc(&s->sum, (size_t)s->n, sizeof *s->sum, error));
  return irz_alloc(&s->extra, (size_t)s->n, sizeof *s->extra, error);
}

void irz_smoother_update(IrzSmoother *s) {
#pragma omp parallel for num_threads(irz_threads(s->n_threads)) schedule(static, 1)
  for (int k = 0; k < s->n_threads; k++) {
    for (int32_t r = s->row_start[k]; r < s->row_start[k + 1]; r++) {
      float sum = 0;
      for (PetscInt c = s->bi != NULL ? s->bi[r] : 0; s->bi != NULL && c < s->bi[r + 1]; c++) sum += fabsf(s->ba[c]);
      s->extra[r] = 0.5f * sum;
      s->inverse[r] = 1 / (s->aa[s->ai[r + 1] - 1] + s->extra[r]);
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

/// Add entries times a value to what is at their columns, over whole groups.
static inline void scatter(const float *restrict a, const PetscInt *restrict column, float value, PetscInt from,
                           PetscInt to, float *restrict sum) {
  for (PetscInt c = from; c < to; c += 4) {
    for (int i = 0; i < 4; i++) sum[column[c + i]] += a[c + i] * value;
  }
}

/// Sum over the entries outside a thread's own block.
static inline float outside(const IrzSmoother *s, int32_t r, const float *x) {
  float sum = 0;
  for (PetscInt c = s->bi[r]; c < s->bi[r + 1]; c++) sum += s->ba[c] * x[s->bj[c]];
  return sum;
}

void irz_smoother_down(const IrzSmoother *s, const float *restrict b, float *restrict x, float *restrict rest) {
#pragma omp parallel for num_threads(irz_threads(s->n_threads)) schedule(static, 1)
  for (int k = 0; k < s->n_threads; k++) {
    int32_t first = s->row_start[k], last = s->row_start[k + 1];
    for (int32_t r = first; r < last; r++) {
      x[r] = 0; /* so that the diagonal adds nothing */
      x[r] = (b[r] - groups(s->aa, s->aj, x, s->ai[r], s->ai[r + 1])) * s->inverse[r];
      /* The rest of a row are its entries above the diagonal: those of later rows, which add them here. What the
       * diagonal adds is overwritten. */
      scatter(s->aa, s->aj, -x[r], s->ai[r], s->ai[r + 1], rest);
      rest[r] = s->extra[r] * x[r];
    }
  }
}

void irz_smoother_outside(const IrzSmoother *s, const float *restrict x, float *restrict rest) {
  if (s->bi == NULL) return;
#pragma omp parallel for num_threads(irz_threads(s->n_threads)) schedule(static, 1)
  for (int k = 0; k < s->n_threads; k++) {
    for (int32_t r = s->row_start[k]; r < s->row_start[k + 1]; r++) rest[r] -= outside(s, r, x);
  }
}

void irz_smoother_up(const IrzSmoother *s, const float *restrict b, const float *old, float *x) {
#pragma omp parallel for num_threads(irz_threads(s->n_threads)) schedule(static, 1)
  for (int k = 0; k < s->n_threads; k++) {
    int32_t first = s->row_start[k], last = s->row_start[k + 1];
    memset(s->sum + first, 0, (size_t)(last - first) * sizeof *s->sum);
    for (int32_t r = last - 1; r >= first; r--) {
      /* Columns before the row are as they were; later rows have added what they became to `sum`. */
      float rest = b[r] - s->sum[r] - groups(s->aa, s->aj, x, s->ai[r], s->ai[r + 1]);
      if (s->bi != NULL) rest -= outside(s, r, old);
      float change = rest * s->inverse[r];
      x[r] += change;
      scatter(s->aa, s->aj, x[r], s->ai[r], s->ai[r + 1], s->sum);
      s->sum[r] = change; /* nobody adds to it any more */
    }
  }
}

void irz_smoother_product(const IrzSmoother *s, const double *restrict b, const float *change,
                          double *restrict product) {
#pragma omp parallel for num_threads(irz_threads(s->n_threads)) schedule(static, 1)
  for (int k = 0; k < s->n_threads; k++) {
    for (int32_t r = s->row_start[k]; r < s->row_start[k + 1]; r++) {
      float diagonal = s->aa[s->ai[r + 1] - 1] + s->extra[r];
      float sum = groups(s->aa, s->aj, change, s->ai[r], s->ai[r + 1]) - diagonal * change[r];
      if (s->bi != NULL) sum += outside(s, r, change);
      product[r] = b[r] + (double)sum;
    }
  }
}

void irz_smoother_clear(IrzSmoother *s) {
  free(s->inverse);
  free(s->extra);
  free(s->sum);
}
