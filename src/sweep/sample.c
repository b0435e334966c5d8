/* From a sweep's parameters to its cases. To add a distribution: its name in read.c, a case in
   irz_parameter_quantile(). Everything is drawn by one process from one seed, so the number of ranks cannot matter. */
#include "base/memory.h"
#include "sweep/sweep.h"
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_qrng.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>

/// Varied values of all cases: more would take gigabytes on every process.
enum { MAX_NUMBERS = 100000000 };

/// Quantile of the standard normal distribution between `low` and `high`.
static double normal_between(double low, double high, double u) {
  /* In the upper tail the probabilities are computed from above: near 1 they would lose their digits. */
  if (low > 0) {
    double q = gsl_cdf_ugaussian_Q(low) + u * (gsl_cdf_ugaussian_Q(high) - gsl_cdf_ugaussian_Q(low));
    return gsl_cdf_ugaussian_Qinv(q);
  }
  double p = gsl_cdf_ugaussian_P(low) + u * (gsl_cdf_ugaussian_P(high) - gsl_cdf_ugaussian_P(low));
  return gsl_cdf_ugaussian_Pinv(p);
}

static double triangular_cdf(const double p[3], double x) {
  if (x <= p[0]) return 0;
  if (x >= p[2]) return 1;
  double width = p[2] - p[0];
  if (x < p[1]) return (x - p[0]) * (x - p[0]) / (width * (p[1] - p[0]));
  return 1 - (p[2] - x) * (p[2] - x) / (width * (p[2] - p[1]));
}

static double triangular_quantile(const double p[3], double u) {
  double width = p[2] - p[0], left = p[1] - p[0];
  if (u * width < left) return p[0] + sqrt(u * width * left);
  return p[2] - sqrt((1 - u) * width * (p[2] - p[1]));
}

double irz_parameter_quantile(const IrzParameter *parameter, double u) {
  const double *p = parameter->p;
  double min = parameter->min, max = parameter->max, x = NAN;
  switch (parameter->draw) {
  case IRZ_DRAW_VALUES:
    return NAN;
  case IRZ_DRAW_UNIFORM: {
    double low = fmax(p[0], min), high = fmin(p[1], max);
    x = low + u * (high - low);
    break;
  }
  case IRZ_DRAW_NORMAL:
    x = p[0] + p[1] * normal_between((min - p[0]) / p[1], (max - p[0]) / p[1], u);
    break;
  case IRZ_DRAW_LOGNORMAL: {
    /* Parameters of the logarithm from mean and standard deviation of the value. */
    double variance = log1p(p[1] * p[1] / (p[0] * p[0]));
    double sigma = sqrt(variance), mu = log(p[0]) - variance / 2;
    double low = min > 0 ? (log(min) - mu) / sigma : -INFINITY;
    x = exp(mu + sigma * normal_between(low, (log(max) - mu) / sigma, u));
    break;
  }
  case IRZ_DRAW_BETA:
    return min + (max - min) * gsl_cdf_beta_Pinv(u, p[0], p[1]);
  case IRZ_DRAW_TRIANGULAR: {
    double low = triangular_cdf(p, min), high = triangular_cdf(p, max);
    x = triangular_quantile(p, low + u * (high - low));
    break;
  }
  }
  return fmin(fmax(x, min), max);
}

/// Sobol points, shifted by one random vector modulo 1: without the shift the estimate has no random error to state.
static void fill_sobol(gsl_rng *rng, gsl_qrng *sobol, int n, int dim, double *shift, double *u) {
  for (int j = 0; j < dim; j++) shift[j] = gsl_rng_uniform_pos(rng);
  for (int i = 0; i < n; i++) {
    double *point = u + (size_t)i * (size_t)dim;
    gsl_qrng_get(sobol, point);
    for (int j = 0; j < dim; j++) {
      point[j] += shift[j];
      if (point[j] >= 1) point[j] -= 1;
      point[j] = fmin(fmax(point[j], 0x1p-53), 1 - 0x1p-53);
    }
  }
}

IrzCode irz_sample_unit(IrzDesign design, int n, int dim, uint64_t seed, double *u, IrzError *error) {
  if (design == IRZ_DESIGN_LATIN) return irz_latin_fill(n, dim, seed, u, error);
  gsl_error_handler_t *handler = gsl_set_error_handler_off();
  gsl_rng *rng = irz_sweep_generator(seed, 0);
  gsl_qrng *sobol = design == IRZ_DESIGN_SOBOL ? gsl_qrng_alloc(gsl_qrng_sobol, (unsigned)dim) : NULL;
  double *shift = calloc((size_t)dim + 1, sizeof *shift);
  IrzCode code = IRZ_OK;
  if (rng == NULL || shift == NULL || (design == IRZ_DESIGN_SOBOL && sobol == NULL)) {
    code = irz_error_set(error, IRZ_ERR_MEMORY, "out of memory for %d sample points in %d dimensions", n, dim);
  } else if (design == IRZ_DESIGN_SOBOL) {
    fill_sobol(rng, sobol, n, dim, shift, u);
  } else {
    for (size_t i = 0; i < (size_t)n * (size_t)dim; i++) u[i] = gsl_rng_uniform_pos(rng);
  }
  free(shift);
  if (sobol != NULL) gsl_qrng_free(sobol);
  if (rng != NULL) gsl_rng_free(rng);
  gsl_set_error_handler(handler);
  return code;
}

/// Give independent unit samples the correlation of the sweep (a Gaussian copula: the matrix is that of the normal
/// scores behind the values).
static void correlate(const IrzSweep *sweep, double *u) {
  double score[IRZ_SWEEP_MAX_RANDOM];
  int n = sweep->n_random;
  for (int i = 0; i < n; i++) score[i] = gsl_cdf_ugaussian_Pinv(u[i]);
  for (int i = 0; i < n; i++) {
    double sum = 0;
    for (int j = 0; j <= i; j++) sum += sweep->factor[i * n + j] * score[j];
    u[i] = fmin(fmax(gsl_cdf_ugaussian_P(sum), 0x1p-53), 1 - 0x1p-53);
  }
}

/// The same for all runs of a stratum. In a Latin hypercube values change places only, so that every slot keeps its
/// one.
static IrzCode correlate_all(const IrzSweep *sweep, int runs, double *u, IrzError *error) {
  for (int i = 0; i < runs && sweep->design != IRZ_DESIGN_LATIN; i++) {
    correlate(sweep, u + (size_t)i * (size_t)sweep->n_random);
  }
  if (sweep->design != IRZ_DESIGN_LATIN) return IRZ_OK;
  bool done;
  IRZ_TRY(irz_latin_correlate(runs, sweep->n_random, sweep->factor, u, &done, error));
  if (done) return IRZ_OK;
  return irz_error_set(error, IRZ_ERR_PLAN,
                       "%s: cases: %d are too few to correlate %d values of a latin-hypercube; at least some %d are "
                       "needed",
                       sweep->file, runs, sweep->n_random, 4 * sweep->n_random);
}

/// Write the random values of a case from its unit sample.
static void set_random(const IrzSweep *sweep, double *value, const double *u) {
  int k = 0;
  for (int j = 0; j < sweep->n_parameters; j++) {
    const IrzParameter *parameter = &sweep->parameters[j];
    if (parameter->draw != IRZ_DRAW_VALUES) value[j] = irz_parameter_quantile(parameter, u[k++]);
  }
}

/// Write the listed values of a combination; the last parameter runs fastest.
static void set_listed(const IrzSweep *sweep, double *value, int combination) {
  for (int j = sweep->n_parameters - 1; j >= 0; j--) {
    const IrzParameter *parameter = &sweep->parameters[j];
    if (parameter->draw != IRZ_DRAW_VALUES) continue;
    value[j] = combination % parameter->n_values;
    combination /= parameter->n_values;
  }
}

/// Runs of one stratum.
static int runs_per_stratum(const IrzSweep *sweep) {
  if (sweep->design == IRZ_DESIGN_GRID || sweep->design == IRZ_DESIGN_LIST) return 1;
  return sweep->design == IRZ_DESIGN_SALTELLI ? sweep->n_samples * (sweep->n_random + 2) : sweep->n_samples;
}

/// Unit samples of all runs of a stratum, [runs][n_random]. Saltelli: each of `n_samples` rows has A, B, and for each
/// parameter A with that parameter from B.
static IrzCode fill_unit(const IrzSweep *sweep, double *u, IrzError *error) {
  int n = sweep->n_samples, dim = sweep->n_random;
  if (sweep->design != IRZ_DESIGN_SALTELLI) return irz_sample_unit(sweep->design, n, dim, sweep->seed, u, error);
  double *pair;
  IRZ_TRY(irz_alloc(&pair, (size_t)n * 2 * (size_t)dim, sizeof *pair, error));
  IrzCode code = irz_sample_unit(IRZ_DESIGN_SOBOL, n, 2 * dim, sweep->seed, pair, error);
  for (int i = 0; i < n && code == IRZ_OK; i++) {
    const double *a = pair + (size_t)i * 2 * (size_t)dim, *b = a + dim;
    for (int k = 0; k < dim + 2; k++) {
      double *run = u + ((size_t)i * (size_t)(dim + 2) + (size_t)k) * (size_t)dim;
      for (int j = 0; j < dim; j++) run[j] = k == 1 || k == j + 2 ? b[j] : a[j];
    }
  }
  free(pair);
  return code;
}

IrzCode irz_sweep_sample(IrzSweep *sweep, IrzError *error) {
  bool crossed = sweep->design != IRZ_DESIGN_LIST;
  double strata = 1;
  for (int j = 0; j < sweep->n_parameters; j++) {
    const IrzParameter *parameter = &sweep->parameters[j];
    if (parameter->draw != IRZ_DRAW_VALUES) continue;
    strata = crossed ? strata * parameter->n_values : parameter->n_values;
  }
  int runs = runs_per_stratum(sweep);
  if (strata * runs > IRZ_SWEEP_MAX_CASES) {
    return irz_error_set(error, IRZ_ERR_PLAN, "%s: the sweep has %.3g cases; at most %d are allowed", sweep->file,
                         strata * runs, IRZ_SWEEP_MAX_CASES);
  }
  double numbers = strata * runs * sweep->n_parameters;
  if (numbers > MAX_NUMBERS) {
    return irz_error_set(error, IRZ_ERR_PLAN,
                         "%s: the sweep has %.3g cases of %d values, %.3g numbers; at most %.3g are allowed",
                         sweep->file, strata * runs, sweep->n_parameters, numbers, (double)MAX_NUMBERS);
  }
  sweep->n_strata = runs == 1 && sweep->n_random == 0 ? 1 : (int)strata;
  sweep->n_cases = (int)strata * runs;
  size_t columns = (size_t)sweep->n_parameters, n_random = (size_t)sweep->n_random;
  IRZ_TRY(irz_alloc(&sweep->value, (size_t)sweep->n_cases * columns, sizeof *sweep->value, error));
  double *u;
  IRZ_TRY(irz_alloc(&u, (size_t)runs * n_random, sizeof *u, error));
  IrzCode code = sweep->n_random > 0 ? fill_unit(sweep, u, error) : IRZ_OK;
  gsl_error_handler_t *handler = gsl_set_error_handler_off();
  if (code == IRZ_OK && sweep->factor != NULL) code = correlate_all(sweep, runs, u, error);
  for (int i = 0; i < sweep->n_cases && code == IRZ_OK; i++) {
    double *value = sweep->value + (size_t)i * columns;
    if (crossed) {
      set_listed(sweep, value, i / runs);
      set_random(sweep, value, u + (size_t)(i % runs) * n_random);
    } else {
      for (size_t j = 0; j < columns; j++) value[j] = i;
    }
  }
  gsl_set_error_handler(handler);
  free(u);
  return code;
}
