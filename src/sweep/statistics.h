/* Statistics of samples, with their sampling errors. */
#ifndef IREZONE_SWEEP_STATISTICS_H
#define IREZONE_SWEEP_STATISTICS_H

#include <irezone/error.h>
#include <stdint.h>

/// A number estimated from a sample.
typedef struct {
  double value;
  double error;     ///< standard error
  double low, high; ///< 95 % confidence interval (percentiles of the bootstrap)
} IrzEstimate;

/// What a sample says about its distribution.
typedef struct {
  int n;
  double min, max;
  IrzEstimate mean, sd, p05, p50, p95;
} IrzStatistics;

/// Mean, standard deviation and percentiles, with errors from resampling as for independent cases. For Sobol and Latin
/// hypercube samples, which cover the space more evenly, that is an upper estimate as a rule.
/// @param[in]  n     sample size, at least 2
/// @param[in]  x     [n] the sample
/// @param[in]  seed  of the resampling; the same seed gives the same errors
IrzCode irz_statistics(int n, const double *x, uint64_t seed, IrzStatistics *statistics, IrzError *error);

/// Sobol indices of one parameter.
typedef struct {
  IrzEstimate first; ///< share of the variance due to the parameter alone
  IrzEstimate total; ///< the same with all its interactions
} IrzSobolIndex;

/// Sobol indices from a Saltelli design. First order: Saltelli et al., Comput. Phys. Commun. 181 (2010) 259, table 2
/// (b); total: Jansen, ibid. table 2 (f). Errors from resampling the rows.
/// @param[in]  n     rows, at least 2
/// @param[in]  dim   parameters
/// @param[in]  y     [n][dim + 2] f(A), f(B), f(A with column i from B)
/// @param[in]  seed  of the resampling
/// @param[out] index [dim]; NaN if the variance is zero
IrzCode irz_sobol_indices(int n, int dim, const double *y, uint64_t seed, IrzSobolIndex *index, IrzError *error);

#endif
