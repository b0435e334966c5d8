/* Distributions against their known moments and quantiles, and designs against what defines them. Reference numbers are
   textbook values, or integrals done here independently of the sampler. */
#include "sweep/sweep.h"
#include "testing.h"
#include <gsl/gsl_cdf.h>
#include <stdlib.h>
#include <string.h>

/// Mean and standard deviation over equally likely quantiles (the midpoint rule on the unit interval).
static void moments(const IrzParameter *parameter, double *mean, double *sd) {
  enum { N = 200000 };
  double sum = 0, squares = 0;
  for (int i = 0; i < N; i++) {
    double x = irz_parameter_quantile(parameter, (i + 0.5) / N);
    sum += x;
    squares += x * x;
  }
  *mean = sum / N;
  *sd = sqrt(squares / N - *mean * *mean);
}

static void test_moments(void **state) {
  (void)state;
  static const struct {
    IrzParameter parameter;
    double mean, sd;
  } row[] = {
      {{.draw = IRZ_DRAW_UNIFORM, .p = {2, 5}, .min = -INFINITY, .max = INFINITY}, 3.5, 0.8660254038},
      {{.draw = IRZ_DRAW_NORMAL, .p = {0.1, 0.02}, .min = -INFINITY, .max = INFINITY}, 0.1, 0.02},
      {{.draw = IRZ_DRAW_LOGNORMAL, .p = {0.1, 0.05}, .min = -INFINITY, .max = INFINITY}, 0.1, 0.05},
      /* beta(2, 5): mean 2/7, variance 10/392; on [0, 10] */
      {{.draw = IRZ_DRAW_BETA, .p = {2, 5}, .min = 0, .max = 10}, 20.0 / 7, 1.5971914125},
      /* triangular: mean (a+b+c)/3, variance (a^2+b^2+c^2-ab-ac-bc)/18 */
      {{.draw = IRZ_DRAW_TRIANGULAR, .p = {1, 2, 6}, .min = -INFINITY, .max = INFINITY}, 3, 1.0801234497},
      /* normal above 0: half-normal, mean sqrt(2/pi), variance 1 - 2/pi */
      {{.draw = IRZ_DRAW_NORMAL, .p = {0, 1}, .min = 0, .max = INFINITY}, 0.7978845608, 0.6028102750},
      /* normal above 3: mean phi(3)/Q(3) = 3.283099, variance 1 + 3 m - m^2 (tables of the inverse Mills ratio) */
      {{.draw = IRZ_DRAW_NORMAL, .p = {0, 1}, .min = 3, .max = INFINITY}, 3.2830986543, 0.2659},
      {{.draw = IRZ_DRAW_UNIFORM, .p = {0, 10}, .min = 4, .max = 6}, 5, 0.5773502692},
  };
  for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
    double mean, sd;
    moments(&row[i].parameter, &mean, &sd);
    assert_close(mean, row[i].mean, 2e-4);
    assert_close(sd, row[i].sd, 2e-3);
  }
}

static void test_quantiles(void **state) {
  (void)state;
  IrzParameter normal = {.draw = IRZ_DRAW_NORMAL, .p = {0, 1}, .min = -INFINITY, .max = INFINITY};
  assert_near(irz_parameter_quantile(&normal, 0.95), 1.6448536270, 1e-9);
  assert_near(irz_parameter_quantile(&normal, 0.05), -1.6448536270, 1e-9);
  IrzParameter lognormal = {.draw = IRZ_DRAW_LOGNORMAL, .p = {1, 1}, .min = -INFINITY, .max = INFINITY};
  assert_close(irz_parameter_quantile(&lognormal, 0.5), 0.7071067812, 1e-9); /* median: mean / sqrt(1 + sd^2/mean^2) */
  IrzParameter triangular = {.draw = IRZ_DRAW_TRIANGULAR, .p = {0, 1, 2}, .min = -INFINITY, .max = INFINITY};
  assert_near(irz_parameter_quantile(&triangular, 0.125), 0.5, 1e-12);
  IrzParameter cut = {.draw = IRZ_DRAW_NORMAL, .p = {0.1, 0.02}, .min = 0.09, .max = 0.11};
  for (int i = 1; i < 1000; i++) {
    double x = irz_parameter_quantile(&cut, i / 1000.0);
    assert_true(x >= 0.09 && x <= 0.11);
  }
}

/// Everything a design must satisfy: all points inside, every column with the mean of a uniform variable.
static void check_unit(IrzDesign design, int n, int dim, double tolerance, double *u) {
  IrzError error = {0};
  assert_int_equal(irz_sample_unit(design, n, dim, 7, u, &error), IRZ_OK);
  for (int j = 0; j < dim; j++) {
    double mean = 0;
    for (int i = 0; i < n; i++) {
      assert_true(u[i * dim + j] > 0 && u[i * dim + j] < 1);
      mean += u[i * dim + j] / n;
    }
    assert_near(mean, 0.5, tolerance);
  }
}

static void test_designs(void **state) {
  (void)state;
  enum { N = 1024, DIM = 5 };
  double *u = calloc(N * DIM, sizeof *u), *again = calloc(N * DIM, sizeof *again);
  check_unit(IRZ_DESIGN_RANDOM, N, DIM, 5 * 0.2887 / 32, u); /* five standard errors */
  check_unit(IRZ_DESIGN_SOBOL, N, DIM, 2.0 / N, u);
  check_unit(IRZ_DESIGN_LATIN, N, DIM, 1.0 / N, u);
  for (int j = 0; j < DIM; j++) { /* one point in every slot of every column */
    int seen[N] = {0};
    for (int i = 0; i < N; i++) seen[(int)(u[i * DIM + j] * N)]++;
    for (int i = 0; i < N; i++) assert_int_equal(seen[i], 1);
  }
  IrzError error = {0};
  irz_sample_unit(IRZ_DESIGN_LATIN, N, DIM, 7, again, &error);
  assert_memory_equal(u, again, N * DIM * sizeof *u);
  irz_sample_unit(IRZ_DESIGN_LATIN, N, DIM, 8, again, &error);
  assert_memory_not_equal(u, again, N * DIM * sizeof *u);
  free(u);
  free(again);
}

/// Correlation of the ranks or values of two columns of a sweep.
static double correlation(const IrzSweep *sweep, int a, int b) {
  int n = sweep->n_cases, m = sweep->n_parameters;
  double mean[2] = {0, 0}, product = 0, square[2] = {0, 0};
  for (int i = 0; i < n; i++) {
    mean[0] += sweep->value[i * m + a] / n;
    mean[1] += sweep->value[i * m + b] / n;
  }
  for (int i = 0; i < n; i++) {
    double x = sweep->value[i * m + a] - mean[0], y = sweep->value[i * m + b] - mean[1];
    product += x * y;
    square[0] += x * x;
    square[1] += y * y;
  }
  return product / sqrt(square[0] * square[1]);
}

static void test_correlation(void **state) {
  (void)state;
  IrzSweep *sweep;
  IrzError error = {0};
  static const char text[] = "plan: p.yaml\nsample: sobol\ncases: 4096\n"
                             "correlation: [[1, 0.6, -0.3], [0.6, 1, 0], [-0.3, 0, 1]]\nvary:\n"
                             "  a: {normal: [0.1, 0.02]}\n  b: {normal: [5, 1]}\n  c: {uniform: [0, 1]}\n";
  assert_int_equal(irz_sweep_parse(text, "s.yaml", "x: 1\n", &sweep, &error), IRZ_OK);
  assert_near(correlation(sweep, 0, 1), 0.6, 0.02);
  assert_near(correlation(sweep, 1, 2), 0, 0.02);
  /* A normal and a uniform value under a Gaussian copula: r sqrt(3/pi). */
  assert_near(correlation(sweep, 0, 2), -0.3 * 0.9772050238, 0.02);
  irz_sweep_free(sweep);
}

/// A Latin hypercube of uniform values, correlated or not.
static IrzSweep *make_latin(int n, const char *correlation_text) {
  char text[512];
  IrzSweep *sweep;
  IrzError error = {0};
  snprintf(text, sizeof text,
           "plan: p.yaml\nsample: latin-hypercube\ncases: %d\nseed: 3\n%s"
           "vary: {a: {uniform: [0, 1]}, b: {uniform: [0, 1]}, c: {uniform: [0, 1]}, d: {uniform: [0, 1]}}\n",
           n, correlation_text);
  if (irz_sweep_parse(text, "s.yaml", "x: 1\n", &sweep, &error) != IRZ_OK) fail_msg("%s", error.text);
  return sweep;
}

/// One value in every slot of every column.
static void check_slots(const IrzSweep *sweep) {
  int n = sweep->n_cases, m = sweep->n_parameters;
  int *seen = calloc((size_t)n * (size_t)m, sizeof *seen);
  for (int i = 0; i < n * m; i++) seen[i % m * n + (int)(sweep->value[i] * n)]++;
  for (int i = 0; i < n * m; i++) assert_int_equal(seen[i], 1);
  free(seen);
}

/// Correlation of two columns with one value in every slot: of the ranks, or of the normal scores of the slots.
static double slot_correlation(const IrzSweep *sweep, int a, int b, bool scores) {
  int n = sweep->n_cases, m = sweep->n_parameters;
  double product = 0, square = 0;
  for (int i = 0; i < n; i++) {
    double x = (floor(sweep->value[i * m + a] * n) + 0.5) / n, y = (floor(sweep->value[i * m + b] * n) + 0.5) / n;
    product += scores ? gsl_cdf_ugaussian_Pinv(x) * gsl_cdf_ugaussian_Pinv(y) : (x - 0.5) * (y - 0.5);
    square += scores ? gsl_cdf_ugaussian_Pinv(x) * gsl_cdf_ugaussian_Pinv(x) : (x - 0.5) * (x - 0.5);
  }
  return product / square;
}

/* Correlated Latin hypercubes keep their slots, and are as correlated as asked far more nearly than random samples,
   whose correlations are off by 1/sqrt(n). The rank correlation of values with correlated normal scores is 6/pi
   asin(r/2). */
static void test_correlated_latin(void **state) {
  (void)state;
  static const double wanted[4][4] = {{1, 0.7, -0.5, 0}, {0.7, 1, 0, 0.2}, {-0.5, 0, 1, 0}, {0, 0.2, 0, 1}};
  static const char text[] = "correlation: [[1, 0.7, -0.5, 0], [0.7, 1, 0, 0.2], [-0.5, 0, 1, 0], [0, 0.2, 0, 1]]\n";
  static const struct {
    int n;
    double score, rank; // tolerances
  } row[] = {{16, 0.15, 0.2}, {100, 0.01, 0.06}, {1000, 0.001, 0.02}, {4096, 0.0002, 0.01}};
  for (size_t k = 0; k < sizeof row / sizeof row[0]; k++) {
    IrzSweep *sweep = make_latin(row[k].n, text);
    check_slots(sweep);
    for (int a = 0; a < 4; a++) {
      for (int b = 0; b < a; b++) {
        double rank = slot_correlation(sweep, a, b, false), score = slot_correlation(sweep, a, b, true);
        print_message("n %d: %d %d scores %.5f (%g), ranks %.5f\n", row[k].n, a, b, score, wanted[a][b], rank);
        assert_near(score, wanted[a][b], row[k].score);
        assert_near(rank, 6 / M_PI * asin(wanted[a][b] / 2), row[k].rank);
      }
    }
    irz_sweep_free(sweep);
  }
  IrzSweep *sweep;
  IrzError error = {0};
  assert_int_equal(
      irz_sweep_parse("plan: p.yaml\nsample: latin-hypercube\ncases: 2\ncorrelation: [[1, 0.5], [0.5, 1]]\n"
                      "vary: {a: {uniform: [0, 1]}, b: {uniform: [0, 1]}}\n",
                      "s.yaml", "x: 1\n", &sweep, &error),
      IRZ_ERR_PLAN);
  assert_non_null(strstr(error.text, "too few"));
}

/* With more cases the first ones stay: a sweep can go on. A Latin hypercube does so when it doubles. */
static void test_growth(void **state) {
  (void)state;
  static const int doubled[] = {6, 12, 24, 384, 768};
  for (size_t k = 0; k + 1 < sizeof doubled / sizeof doubled[0]; k++) {
    IrzSweep *less = make_latin(doubled[k], ""), *more = make_latin(doubled[k + 1], "");
    check_slots(less);
    check_slots(more);
    for (int i = 0; i < 4 * doubled[k]; i++) assert_true(more->value[i] == less->value[i]);
    irz_sweep_free(less);
    irz_sweep_free(more);
  }
  static const IrzDesign designs[] = {IRZ_DESIGN_RANDOM, IRZ_DESIGN_SOBOL};
  double less[100 * 3], more[250 * 3];
  IrzError error = {0};
  for (int k = 0; k < 2; k++) {
    assert_int_equal(irz_sample_unit(designs[k], 100, 3, 5, less, &error), IRZ_OK);
    assert_int_equal(irz_sample_unit(designs[k], 250, 3, 5, more, &error), IRZ_OK);
    assert_memory_equal(less, more, sizeof less);
  }
}

/* Rows of a Saltelli design: A, B, then A with one value from B. */
static void test_saltelli(void **state) {
  (void)state;
  IrzSweep *sweep;
  IrzError error = {0};
  static const char text[] =
      "plan: p.yaml\nsample: saltelli\ncases: 16\nvary: {a: {uniform: [0, 1]}, b: {uniform: [0, 1]}}\n";
  assert_int_equal(irz_sweep_parse(text, "s.yaml", "x: 1\n", &sweep, &error), IRZ_OK);
  assert_int_equal(sweep->n_cases, 64);
  for (int r = 0; r < 16; r++) {
    const double *v = sweep->value + r * 8, *a = v, *b = v + 2, *ab0 = v + 4, *ab1 = v + 6;
    assert_true(ab0[0] == b[0] && ab0[1] == a[1] && ab1[0] == a[0] && ab1[1] == b[1]);
    assert_true(a[0] != b[0]);
  }
  irz_sweep_free(sweep);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_moments),     cmocka_unit_test(test_quantiles),        cmocka_unit_test(test_designs),
      cmocka_unit_test(test_correlation), cmocka_unit_test(test_correlated_latin), cmocka_unit_test(test_growth),
      cmocka_unit_test(test_saltelli),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
