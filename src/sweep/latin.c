/* Latin hypercubes: n points with one in each of n slots of every value.

   A cube of 2 n points contains that of n: each slot is halved, the old point lies in one half, and a new one is drawn
   in the other. So a sweep can be continued with twice as many cases.

   Correlation is made by exchanging places within columns, which leaves every slot with its point: Iman and Conover,
   Commun. Stat. Simul. Comput. 11 (1982) 311, repeated while that brings the correlation nearer to what is asked. */
#include "base/memory.h"
#include "sweep/sweep.h"
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Where a point lies in its slot. In the middle of one of 2^24 parts: at no level does it lie on a border, so who
/// computes the slot from the value finds the same, and halving loses no bit.
static double draw_rest(gsl_rng *rng) {
  return ((double)(gsl_rng_get(rng) >> 8) + 0.5) * 0x1p-24;
}

/// Fill a column. `place[i]` is point i's slot at the level that is reached, `rest[i]` where it lies in it.
/// @param[out] place, empty  [n] scratch
/// @param[out] rest          [n] scratch
static void fill_column(gsl_rng *rng, int n, int *place, int *empty, double *rest) {
  int m = n;
  while (m % 2 == 0) m /= 2;
  for (int i = 0; i < m; i++) place[i] = i;
  gsl_ran_shuffle(rng, place, (size_t)m, sizeof *place);
  for (int i = 0; i < m; i++) rest[i] = draw_rest(rng);
  for (; m < n; m *= 2) {
    for (int i = 0; i < m; i++) {
      int upper = rest[i] >= 0.5;
      rest[i] = 2 * rest[i] - upper;
      place[i] = 2 * place[i] + upper;
      empty[i] = place[i] ^ 1; /* the other half */
    }
    gsl_ran_shuffle(rng, empty, (size_t)m, sizeof *empty);
    for (int i = 0; i < m; i++) {
      place[m + i] = empty[i];
      rest[m + i] = draw_rest(rng);
    }
  }
}

IrzCode irz_latin_fill(int n, int dim, uint64_t seed, double *u, IrzError *error) {
  int *place = NULL, *empty = NULL;
  double *rest = NULL;
  IrzCode code = irz_alloc(&place, (size_t)n, sizeof *place, error);
  if (code == IRZ_OK) code = irz_alloc(&empty, (size_t)n, sizeof *empty, error);
  if (code == IRZ_OK) code = irz_alloc(&rest, (size_t)n, sizeof *rest, error);
  for (int j = 0; j < dim && code == IRZ_OK; j++) {
    /* A generator for each column: how many numbers one takes must not change the next. */
    gsl_rng *rng = irz_sweep_generator(seed, 1 + (unsigned)j);
    if (rng == NULL) {
      code = irz_out_of_memory(0, error);
      break;
    }
    fill_column(rng, n, place, empty, rest);
    gsl_rng_free(rng);
    for (int i = 0; i < n; i++) {
      u[(size_t)i * (size_t)dim + (size_t)j] = (place[i] + rest[i]) / n;
    }
  }
  free(rest);
  free(empty);
  free(place);
  return code;
}

/* ---- Correlation ---- */

/// What the exchange works on.
typedef struct {
  int n, dim;
  const double *score; // [n] normal scores of the slots
  int *place;          // [dim][n] slot of each point
  double *mixed;       // [n]
  int *order;          // [n]
} Exchange;

/// Correlation of the scores.
/// @param[out] t  [dim][dim]
static void correlation(const Exchange *x, double *t) {
  double square = 0;
  for (int i = 0; i < x->n; i++) square += x->score[i] * x->score[i];
  for (int a = 0; a < x->dim; a++) {
    for (int b = 0; b <= a; b++) {
      const int *p = x->place + (size_t)a * (size_t)x->n, *q = x->place + (size_t)b * (size_t)x->n;
      double sum = 0;
      for (int i = 0; i < x->n; i++) sum += x->score[p[i]] * x->score[q[i]];
      t[a * x->dim + b] = t[b * x->dim + a] = sum / square;
    }
  }
}

/// Largest difference of two matrices.
static double difference(int dim, const double *a, const double *b) {
  double most = 0;
  for (int i = 0; i < dim * dim; i++) most = fmax(most, fabs(a[i] - b[i]));
  return most;
}

/// Cholesky factor in place, in the lower triangle; false if the matrix is not positive definite.
static bool factorise(int n, double *a) {
  for (int i = 0; i < n; i++) {
    for (int j = 0; j <= i; j++) {
      double sum = a[i * n + j];
      for (int k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
      if (i == j && !(sum > 1e-12)) return false;
      a[i * n + j] = i == j ? sqrt(sum) : sum / a[j * n + j];
    }
  }
  return true;
}

/// Lower triangular s with s q = p.
static void divide(int n, const double *p, const double *q, double *s) {
  for (int i = 0; i < n; i++) {
    for (int j = n - 1; j >= 0; j--) {
      double sum = j <= i ? p[i * n + j] : 0;
      for (int k = j + 1; k <= i; k++) sum -= s[i * n + k] * q[k * n + j];
      s[i * n + j] = j <= i ? sum / q[j * n + j] : 0;
    }
  }
}

static _Thread_local const double *sort_key; // qsort has no argument of its own

static int by_key(const void *a, const void *b) {
  int i = *(const int *)a, j = *(const int *)b;
  if (sort_key[i] != sort_key[j]) return sort_key[i] < sort_key[j] ? -1 : 1;
  return (i > j) - (i < j);
}

/// Give column `a` the order of its mixture with the columns before it.
/// @param[in] weight  [a + 1]
static void exchange_column(const Exchange *x, int a, const double *weight) {
  int *place = x->place + (size_t)a * (size_t)x->n;
  for (int i = 0; i < x->n; i++) {
    x->mixed[i] = 0;
    for (int b = 0; b <= a; b++) x->mixed[i] += weight[b] * x->score[x->place[(size_t)b * (size_t)x->n + (size_t)i]];
    x->order[i] = i;
  }
  sort_key = x->mixed;
  qsort(x->order, (size_t)x->n, sizeof *x->order, by_key);
  for (int i = 0; i < x->n; i++) place[x->order[i]] = i;
}

/// Exchange places until the scores are correlated as wanted, or no nearer.
/// @param[in]  wanted  [dim][dim] correlation matrix
/// @param[in]  factor  [dim][dim] its Cholesky factor
/// @param[out] best    [dim][n] slots of the points
/// @param[out] work    [3][dim][dim]
static bool exchange(const Exchange *x, const double *wanted, const double *factor, int *best, double *work) {
  enum { ROUNDS = 12 };
  size_t square = (size_t)x->dim * (size_t)x->dim;
  double *now = work, *q = work + square, *s = q + square, least = INFINITY;
  for (int round = 0; round < ROUNDS; round++) {
    correlation(x, now);
    double off = difference(x->dim, now, wanted);
    if (off < least) {
      least = off;
      memcpy(best, x->place, (size_t)x->dim * (size_t)x->n * sizeof *best);
    } else if (round > 2) {
      break;
    }
    memcpy(q, now, square * sizeof *q);
    if (!factorise(x->dim, q)) return round > 0;
    divide(x->dim, factor, q, s);
    for (int a = x->dim - 1; a >= 0; a--) exchange_column(x, a, s + (size_t)a * (size_t)x->dim);
  }
  return true;
}

IrzCode irz_latin_correlate(int n, int dim, const double *factor, double *u, bool *done, IrzError *error) {
  size_t columns = (size_t)dim, all = columns * (size_t)n;
  double *score = NULL, *mixed = NULL, *value = NULL, *wanted = NULL, *work = NULL;
  int *place = NULL, *best = NULL, *order = NULL;
  *done = false;
  IrzCode code = irz_alloc(&score, (size_t)n, sizeof *score, error);
  if (code == IRZ_OK) code = irz_alloc(&mixed, (size_t)n, sizeof *mixed, error);
  if (code == IRZ_OK) code = irz_alloc(&value, all, sizeof *value, error);
  if (code == IRZ_OK) code = irz_alloc(&wanted, columns * columns, sizeof *wanted, error);
  if (code == IRZ_OK) code = irz_alloc(&work, 3 * columns * columns, sizeof *work, error);
  if (code == IRZ_OK) code = irz_alloc(&place, all, sizeof *place, error);
  if (code == IRZ_OK) code = irz_alloc(&best, all, sizeof *best, error);
  if (code == IRZ_OK) code = irz_alloc(&order, (size_t)n, sizeof *order, error);
  if (code == IRZ_OK) {
    for (int i = 0; i < n; i++) score[i] = gsl_cdf_ugaussian_Pinv((i + 0.5) / n);
    for (size_t j = 0; j < columns; j++) {
      for (size_t i = 0; i < (size_t)n; i++) {
        double x = u[i * columns + j];
        int slot = (int)(x * n);
        place[j * (size_t)n + i] = slot;
        value[j * (size_t)n + (size_t)slot] = x;
      }
    }
    for (int a = 0; a < dim; a++) {
      for (int b = 0; b < dim; b++) {
        for (int k = 0; k < dim; k++) wanted[a * dim + b] += factor[a * dim + k] * factor[b * dim + k];
      }
    }
    Exchange x = {n, dim, score, place, mixed, order};
    *done = n > dim && exchange(&x, wanted, factor, best, work);
    for (size_t j = 0; *done && j < columns; j++) {
      for (size_t i = 0; i < (size_t)n; i++) {
        u[i * columns + j] = value[j * (size_t)n + (size_t)best[j * (size_t)n + i]];
      }
    }
  }
  free(order);
  free(best);
  free(place);
  free(work);
  free(wanted);
  free(value);
  free(mixed);
  free(score);
  return code;
}
