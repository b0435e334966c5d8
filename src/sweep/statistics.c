#include "sweep/statistics.h"
#include "base/memory.h"
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Resamplings: enough for the ends of a 95 % interval, fewer for samples so large that their errors are small anyway.
static int n_resamplings(int n) {
  double most = 4e7 / n;
  return most > 1000 ? 1000 : most < 200 ? 200 : (int)most;
}

static gsl_rng *generator(uint64_t seed) {
  gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
  if (rng != NULL) gsl_rng_set(rng, (unsigned long)((seed * 0x9e3779b97f4a7c15u) >> 33) + 1);
  return rng;
}

/// Mean, standard deviation, percentiles of a sample, which is sorted.
static void measure(int n, double *x, double value[5]) {
  static const double share[3] = {0.05, 0.5, 0.95};
  gsl_sort(x, 1, (size_t)n);
  value[0] = gsl_stats_mean(x, 1, (size_t)n);
  value[1] = gsl_stats_sd_m(x, 1, (size_t)n, value[0]);
  for (int i = 0; i < 3; i++) value[2 + i] = gsl_stats_quantile_from_sorted_data(x, 1, (size_t)n, share[i]);
}

/// Error and interval of an estimate from `n` replicas `stride` apart; `work` takes a copy.
static void spread(IrzEstimate *estimate, int n, const double *replica, int stride, double *work) {
  for (int i = 0; i < n; i++) work[i] = replica[(size_t)i * (size_t)stride];
  gsl_sort(work, 1, (size_t)n);
  estimate->error = gsl_stats_sd(work, 1, (size_t)n);
  estimate->low = gsl_stats_quantile_from_sorted_data(work, 1, (size_t)n, 0.025);
  estimate->high = gsl_stats_quantile_from_sorted_data(work, 1, (size_t)n, 0.975);
}

IrzCode irz_statistics(int n, const double *x, uint64_t seed, IrzStatistics *statistics, IrzError *error) {
  enum { N = 5 };
  int n_replicas = n_resamplings(n);
  double *sample = NULL, *replica = NULL, *work = NULL;
  gsl_rng *rng = generator(seed);
  IrzCode code = rng != NULL ? IRZ_OK : irz_error_set(error, IRZ_ERR_MEMORY, "out of memory");
  if (code == IRZ_OK) code = irz_alloc(&sample, (size_t)n, sizeof *sample, error);
  if (code == IRZ_OK) code = irz_alloc(&replica, (size_t)n_replicas * N, sizeof *replica, error);
  if (code == IRZ_OK) code = irz_alloc(&work, (size_t)n_replicas, sizeof *work, error);
  if (code == IRZ_OK) {
    for (int r = 0; r < n_replicas; r++) {
      for (int i = 0; i < n; i++) sample[i] = x[gsl_rng_uniform_int(rng, (unsigned long)n)];
      measure(n, sample, replica + (size_t)r * N);
    }
    double value[N];
    memcpy(sample, x, (size_t)n * sizeof *x);
    measure(n, sample, value);
    *statistics = (IrzStatistics){.n = n, .min = sample[0], .max = sample[n - 1]};
    IrzEstimate *estimate[N] = {&statistics->mean, &statistics->sd, &statistics->p05, &statistics->p50,
                                &statistics->p95};
    for (int k = 0; k < N; k++) {
      estimate[k]->value = value[k];
      spread(estimate[k], n_replicas, replica + k, N, work);
    }
  }
  free(work);
  free(replica);
  free(sample);
  if (rng != NULL) gsl_rng_free(rng);
  return code;
}

/// Indices from the rows `pick` (NULL: all as they are): value[2 i] first order, value[2 i + 1] total.
static void indices(int n, int dim, const double *y, const int *pick, double *value) {
  size_t columns = (size_t)dim + 2;
  double mean = 0, variance = 0;
  for (int i = 0; i < n; i++) {
    const double *row = y + columns * (size_t)(pick != NULL ? pick[i] : i);
    mean += (row[0] + row[1]) / (2.0 * n);
  }
  for (int k = 0; k < 2 * dim; k++) value[k] = 0;
  for (int i = 0; i < n; i++) {
    const double *row = y + columns * (size_t)(pick != NULL ? pick[i] : i);
    double a = row[0] - mean, b = row[1] - mean;
    variance += (a * a + b * b) / (2.0 * n);
    for (int k = 0; k < dim; k++) {
      double mixed = row[2 + k] - mean;
      value[2 * k] += b * (mixed - a) / n;
      value[2 * k + 1] += (a - mixed) * (a - mixed) / (2.0 * n);
    }
  }
  for (int k = 0; k < 2 * dim; k++) value[k] = variance > 0 ? value[k] / variance : NAN;
}

IrzCode irz_sobol_indices(int n, int dim, const double *y, uint64_t seed, IrzSobolIndex *index, IrzError *error) {
  int n_replicas = n_resamplings(n * dim);
  double *replica = NULL, *work = NULL, *value = NULL;
  int *pick = NULL;
  gsl_rng *rng = generator(seed);
  IrzCode code = rng != NULL ? IRZ_OK : irz_error_set(error, IRZ_ERR_MEMORY, "out of memory");
  if (code == IRZ_OK) code = irz_alloc(&pick, (size_t)n, sizeof *pick, error);
  if (code == IRZ_OK) code = irz_alloc(&value, 2 * (size_t)dim, sizeof *value, error);
  if (code == IRZ_OK) code = irz_alloc(&replica, (size_t)n_replicas * 2 * (size_t)dim, sizeof *replica, error);
  if (code == IRZ_OK) code = irz_alloc(&work, (size_t)n_replicas, sizeof *work, error);
  if (code == IRZ_OK) {
    for (int r = 0; r < n_replicas; r++) {
      for (int i = 0; i < n; i++) pick[i] = (int)gsl_rng_uniform_int(rng, (unsigned long)n);
      indices(n, dim, y, pick, replica + (size_t)r * 2 * (size_t)dim);
    }
    indices(n, dim, y, NULL, value);
    for (int k = 0; k < dim; k++) {
      index[k].first.value = value[2 * k];
      index[k].total.value = value[2 * k + 1];
      spread(&index[k].first, n_replicas, replica + 2 * k, 2 * dim, work);
      spread(&index[k].total, n_replicas, replica + 2 * k + 1, 2 * dim, work);
    }
  }
  free(work);
  free(replica);
  free(value);
  free(pick);
  if (rng != NULL) gsl_rng_free(rng);
  return code;
}
