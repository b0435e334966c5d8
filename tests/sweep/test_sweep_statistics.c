/* Statistics against distributions whose answers are known. */
#include "sweep/statistics.h"
#include "sweep/sweep.h"
#include "testing.h"
#include <gsl/gsl_cdf.h>
#include <stdlib.h>

/* A sample of the standard normal distribution: percentiles -1.645, 0, 1.645, and textbook standard errors. */
static void test_normal(void **state) {
  (void)state;
  enum { N = 2000 };
  double *x = calloc(N, sizeof *x);
  IrzError error = {0};
  assert_int_equal(irz_sample_unit(IRZ_DESIGN_RANDOM, N, 1, 3, x, &error), IRZ_OK);
  for (int i = 0; i < N; i++) x[i] = gsl_cdf_ugaussian_Pinv(x[i]);
  IrzStatistics s;
  assert_int_equal(irz_statistics(N, x, 1, &s, &error), IRZ_OK);
  assert_near(s.mean.error, 1 / sqrt(N), 0.1 / sqrt(N));
  assert_near(s.sd.error, 1 / sqrt(2.0 * N), 0.15 / sqrt(2.0 * N));
  /* of a percentile: sqrt(p (1 - p) / n) / density */
  assert_near(s.p50.error, 1.2533 / sqrt(N), 0.25 / sqrt(N));
  assert_near(s.p95.error, 2.1132 / sqrt(N), 0.6 / sqrt(N));
  assert_near(s.mean.value, 0, 4 / sqrt(N));
  assert_near(s.sd.value, 1, 4 / sqrt(2.0 * N));
  assert_near(s.p05.value, -1.6449, 4 * 2.1132 / sqrt(N));
  assert_near(s.p50.value, 0, 4 * 1.2533 / sqrt(N));
  assert_near(s.p95.value, 1.6449, 4 * 2.1132 / sqrt(N));
  assert_true(s.mean.low < s.mean.value && s.mean.value < s.mean.high);
  free(x);
}

/* The stated 95 % intervals must hold the truth about 95 times in a hundred. */
static void test_coverage(void **state) {
  (void)state;
  enum { N = 200, TRIALS = 200 };
  double x[N];
  IrzError error = {0};
  int mean = 0, p50 = 0;
  for (int t = 0; t < TRIALS; t++) {
    irz_sample_unit(IRZ_DESIGN_RANDOM, N, 1, (uint64_t)t + 100, x, &error);
    IrzStatistics s;
    assert_int_equal(irz_statistics(N, x, (uint64_t)t, &s, &error), IRZ_OK);
    mean += s.mean.low <= 0.5 && 0.5 <= s.mean.high;
    p50 += s.p50.low <= 0.5 && 0.5 <= s.p50.high;
  }
  assert_true(mean >= TRIALS * 0.90 && mean < TRIALS);
  assert_true(p50 >= TRIALS * 0.89 && p50 < TRIALS);
}

/* Ishigami, a = 7, b = 0.1 on [-pi, pi]^3 (Saltelli et al. 2010): V = a^2/8 + b pi^4/5 + b^2 pi^8/18 + 1/2,
   V1 = (1 + b pi^4/5)^2/2, V2 = a^2/8, V13 = 8 b^2 pi^8/225. */
static void test_ishigami(void **state) {
  (void)state;
  enum { N = 4096, DIM = 3, COLUMNS = DIM + 2 };
  IrzSweep *sweep;
  IrzError error = {0};
  static const char text[] = "plan: p.yaml\nsample: saltelli\ncases: 4096\nvary:\n"
                             "  a: {uniform: [-3.141592653589793, 3.141592653589793]}\n"
                             "  b: {uniform: [-3.141592653589793, 3.141592653589793]}\n"
                             "  c: {uniform: [-3.141592653589793, 3.141592653589793]}\n";
  assert_int_equal(irz_sweep_parse(text, "s.yaml", "x: 1\n", &sweep, &error), IRZ_OK);
  assert_int_equal(sweep->n_cases, N * COLUMNS);
  double *y = calloc(N * COLUMNS, sizeof *y);
  for (int i = 0; i < N * COLUMNS; i++) {
    const double *x = sweep->value + i * DIM;
    y[i] = sin(x[0]) + 7 * sin(x[1]) * sin(x[1]) + 0.1 * pow(x[2], 4) * sin(x[0]);
  }
  IrzSobolIndex index[DIM];
  assert_int_equal(irz_sobol_indices(N, DIM, y, 5, index, &error), IRZ_OK);
  double pi4 = pow(M_PI, 4), pi8 = pi4 * pi4;
  double variance = 49 / 8.0 + 0.1 * pi4 / 5 + 0.01 * pi8 / 18 + 0.5;
  double v1 = 0.5 * pow(1 + 0.1 * pi4 / 5, 2), v2 = 49 / 8.0, v13 = 8 * 0.01 * pi8 / 225;
  double first[DIM] = {v1 / variance, v2 / variance, 0};
  double total[DIM] = {(v1 + v13) / variance, v2 / variance, v13 / variance};
  for (int j = 0; j < DIM; j++) {
    assert_near(index[j].first.value, first[j], 0.02);
    assert_near(index[j].total.value, total[j], 0.02);
    assert_true(index[j].first.low <= first[j] && first[j] <= index[j].first.high);
    assert_true(index[j].total.low <= total[j] && total[j] <= index[j].total.high);
    assert_true(index[j].first.error > 0 && index[j].first.error < 0.05);
  }
  free(y);
  irz_sweep_free(sweep);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_normal),
      cmocka_unit_test(test_coverage),
      cmocka_unit_test(test_ishigami),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
