/* The sweep file: what it may say, and one clear line for what it may not. */
#include "plan/plan.h"
#include "sweep/sweep.h"
#include "testing.h"
#include <string.h>

static const char plan[] = "name: p\n"
                           "array: {count: 2, spacing: 15, exposure: 20}\n"
                           "tissues: {default: {sigma: {law: constant, value: 0.1}, threshold: 500}}\n"
                           "pulses: [{from: A, to: B, voltage: 2000}]\n";

static IrzSweep *parse(const char *text) {
  IrzSweep *sweep;
  IrzError error = {0};
  irz_sweep_parse(text, "s.yaml", plan, &sweep, &error);
  if (sweep == NULL) fail_msg("%s", error.text);
  return sweep;
}

static void test_grid(void **state) {
  (void)state;
  IrzSweep *sweep = parse("plan: p.yaml\n"
                          "vary:\n"
                          "  array.spacing: {values: [10, 15, 20]}\n"
                          "  array.exposure: {from: 10, to: 40, step: 10}\n");
  assert_int_equal(irz_sweep_n_cases(sweep), 12);
  char text[64];
  irz_sweep_value(sweep, 6, 0, text, sizeof text); /* the last parameter runs fastest */
  assert_string_equal(text, "15");
  irz_sweep_value(sweep, 6, 1, text, sizeof text);
  assert_string_equal(text, "20");
  IrzPlan *case_plan;
  IrzError error = {0};
  assert_int_equal(irz_sweep_plan(sweep, 6, &case_plan, &error), IRZ_OK);
  assert_near(case_plan->probes[1].tip[0] - case_plan->probes[0].tip[0], 0.015, 1e-12);
  assert_near(case_plan->probes[0].exposure, 0.020, 1e-12);
  irz_plan_free(case_plan);
  irz_sweep_free(sweep);
}

/* 0.1 has no exact double: the end of a range must not be lost, nor its text be ugly. */
static void test_range_ends(void **state) {
  (void)state;
  IrzSweep *sweep = parse("plan: p.yaml\nvary: {tissues.default.sigma.value: {from: 0.1, to: 0.7, step: 0.1}}\n");
  assert_int_equal(irz_sweep_n_cases(sweep), 7);
  char text[64];
  irz_sweep_value(sweep, 3, 0, text, sizeof text);
  assert_string_equal(text, "0.3");
  irz_sweep_value(sweep, 7, 0, text, sizeof text);
  assert_string_equal(text, "0.7");
  irz_sweep_free(sweep);
}

static void test_list_and_words(void **state) {
  (void)state;
  IrzSweep *sweep = parse("plan: p.yaml\nsample: list\nset: {mesh.accuracy: 2}\nvary:\n"
                          "  tissues.default.preset: {values: [liver, kidney]}\n"
                          "  array.spacing: {values: [12, 18]}\n");
  assert_int_equal(irz_sweep_n_cases(sweep), 2);
  char text[64];
  irz_sweep_value(sweep, 2, 0, text, sizeof text);
  assert_string_equal(text, "kidney");
  irz_sweep_value(sweep, 2, 1, text, sizeof text);
  assert_string_equal(text, "18");
  IrzPlan *case_plan;
  IrzError error = {0};
  assert_int_equal(irz_sweep_plan(sweep, 2, &case_plan, &error), IRZ_OK);
  assert_near(case_plan->mesh.accuracy, 0.02, 1e-12);
  assert_string_equal(case_plan->tissues[0].preset, "kidney");
  irz_plan_free(case_plan);
  irz_sweep_free(sweep);
}

/* Listed values under a random design: every combination meets the same samples. */
static void test_strata(void **state) {
  (void)state;
  IrzSweep *sweep = parse("plan: p.yaml\nsample: sobol\ncases: 8\nvary:\n"
                          "  pulses[0].voltage: {values: [1000, 2000, 3000]}\n"
                          "  tissues.default.sigma.value: {normal: [0.1, 0.02], min: 0.03}\n");
  assert_int_equal(irz_sweep_n_cases(sweep), 24);
  char a[64], b[64];
  for (int i = 1; i <= 8; i++) {
    irz_sweep_value(sweep, i, 1, a, sizeof a);
    irz_sweep_value(sweep, i + 16, 1, b, sizeof b);
    assert_string_equal(a, b);
    irz_sweep_value(sweep, i + 16, 0, b, sizeof b);
    assert_string_equal(b, "3000");
  }
  irz_sweep_free(sweep);
}

static void test_errors(void **state) {
  (void)state;
  static const struct {
    const char *text, *wanted;
  } row[] = {
      {"", "s.yaml: is empty"},
      {"plan: p.yaml\nvari: {}\n", "s.yaml:2: vari: unknown key; did you mean \"vary\"?"},
      {"plan: p.yaml\n", "s.yaml: vary: must be a map"},
      {"vary: {a: {values: [1]}}\n", "s.yaml: plan: must name the plan"},
      {"plan: p.yaml\nsample: gird\nvary: {a: {values: [1]}}\n", "s.yaml:2: sample: \"gird\" is none of grid"},
      {"plan: p.yaml\nvary:\n  a: {vaules: [1]}\n", "s.yaml:3: vary.a.vaules: unknown key; did you mean \"values\"?"},
      {"plan: p.yaml\nvary:\n  a: 5\n", "s.yaml:3: vary.a: must be a map"},
      {"plan: p.yaml\nvary:\n  a: {values: []}\n", "must be a list of 1 to"},
      {"plan: p.yaml\nvary:\n  a: {values: [1], uniform: [1, 2]}\n", "exactly one of"},
      {"plan: p.yaml\nvary:\n  a: {from: 1, to: 2}\n", "either step or count"},
      {"plan: p.yaml\nvary:\n  a: {from: 1, to: 2, step: -1}\n", "does not lead from 1 to 2"},
      {"plan: p.yaml\nvary:\n  a: {from: 1, to: 2, step: x}\n", "\"x\" is not a number"},
      {"plan: p.yaml\nvary:\n  a: {from: 1, to: 2, step: .nan}\n", "is not a number"},
      {"plan: p.yaml\nvary:\n  a: {from: 0, to: 1, step: 1e-9}\n", "more than 100000 values"},
      {"plan: p.yaml\nvary:\n  a: {uniform: [1, 2]}\n", "needs sample: random, sobol"},
      {"plan: p.yaml\nsample: sobol\nvary:\n  a: {uniform: [1, 2]}\n", "cases: is missing"},
      {"plan: p.yaml\nsample: sobol\ncases: 1.5\nvary:\n  a: {uniform: [1, 2]}\n", "1.5 is not a whole number"},
      {"plan: p.yaml\nsample: sobol\ncases: 9\nvary:\n  a: {uniform: [2, 1]}\n", "2 is not below 1"},
      {"plan: p.yaml\nsample: sobol\ncases: 9\nvary:\n  a: {uniform: [1, 2], min: 3}\n", "leave nothing"},
      {"plan: p.yaml\nsample: sobol\ncases: 9\nvary:\n  a: {normal: [1, 0]}\n", "standard deviation 0"},
      {"plan: p.yaml\nsample: sobol\ncases: 9\nvary:\n  a: {normal: [1]}\n", "list of 2 numbers: normal: [mean"},
      {"plan: p.yaml\nsample: sobol\ncases: 9\nvary:\n  a: {normal: [1, 1], min: 2, max: 1}\n", "min 2 is not below"},
      {"plan: p.yaml\nsample: sobol\ncases: 9\nvary:\n  a: {normal: [1, 1], step: 1}\n", "does not go with normal"},
      {"plan: p.yaml\nsample: sobol\ncases: 9\nvary:\n  a: {lognormal: [-1, 1]}\n", "must be above 0"},
      {"plan: p.yaml\nsample: sobol\ncases: 9\nvary:\n  a: {beta: [1, 1]}\n", "beta needs min and max"},
      {"plan: p.yaml\nsample: sobol\ncases: 9\nvary:\n  a: {triangular: [1, 3, 2]}\n", "must not fall"},
      {"plan: p.yaml\nsample: sobol\ncases: 9\nvary:\n  a: {values: [1]}\n", "0 distributions"},
      {"plan: p.yaml\ncases: 9\nvary:\n  a: {values: [1]}\n", "does not go with sample: grid"},
      {"plan: p.yaml\nsample: list\nvary:\n  a: {values: [1, 2]}\n  b: {values: [1]}\n", "has 1 values, but a has 2"},
      {"plan: p.yaml\nseed: -1\nvary:\n  a: {values: [1]}\n", "s.yaml:2: seed: -1 is not a whole number"},
      {"plan: p.yaml\nkeep: [4]\nvary:\n  a: {values: [1, 2]}\n", "4 is not a whole number from 1 to 2"},
      {"plan: p.yaml\nprobability_map: {spacing: 0}\nvary:\n  a: {values: [1]}\n", "0 mm is outside"},
      {"plan: p.yaml\nprobability_map: {box: [[0, 0, 0], [1, 1, 0]]}\nvary:\n  a: {values: [1]}\n", "must lie below"},
      {"plan: p.yaml\nsample: random\ncases: 9\ncorrelation: [[1, 2], [2, 1]]\nvary:\n  a: {uniform: [1, 2]}\n"
       "  b: {uniform: [1, 2]}\n",
       "s.yaml:4: correlation: entry 1, 2 is 2"},
      {"plan: p.yaml\nsample: random\ncases: 9\ncorrelation: [[1]]\nvary:\n  a: {uniform: [1, 2]}\n"
       "  b: {uniform: [1, 2]}\n",
       "must have 2 rows"},
      {"plan: p.yaml\nsample: random\ncases: 9\nvary:\n  a: {uniform: [1, 2]}\n  b: {uniform: [1, 2]}\n"
       "  c: {uniform: [1, 2]}\ncorrelation: [[1, .9, -.9], [.9, 1, .9], [-.9, .9, 1]]\n",
       "not positive definite"},
      {"plan: p.yaml\nsample: saltelli\ncases: 8\ncorrelation: [[1]]\nvary: {a: {uniform: [1, 2]}}\n", "independent"},
      {"plan: p.yaml\nvary:\n  a: {from: 1, to: 4000, step: 1}\n  b: {from: 1, to: 4000, step: 1}\n", "cases; at most"},
  };
  for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
    IrzSweep *sweep;
    IrzError error = {0};
    IrzCode code = irz_sweep_parse(row[i].text, "s.yaml", plan, &sweep, &error);
    if (code != IRZ_ERR_PLAN || sweep != NULL || strstr(error.text, row[i].wanted) == NULL) {
      fail_msg("for\n%s\nthe error is \"%s\", wanted was \"%s\"", row[i].text, error.text, row[i].wanted);
    }
  }
}

/* A misspelt key path must not run two thousand failing cases. */
static void test_no_valid_case(void **state) {
  (void)state;
  IrzSweep *sweep = parse("plan: p.yaml\nvary: {array.spacng: {values: [10, 20]}}\n");
  IrzBatches batches;
  IrzError error = {0};
  assert_int_equal(irz_batches_make(sweep, NULL, &batches, &error), IRZ_ERR_PLAN);
  assert_non_null(strstr(error.text, "no case is a valid plan"));
  assert_non_null(strstr(error.text, "spacing"));
  irz_sweep_free(sweep);
}

/* Where pulses state a field, the voltage follows the needles that the sweep moves; where they state a voltage, or the
   needles stay, nothing is said. */
static void test_field_kept(void **state) {
  (void)state;
  static const struct {
    const char *pulse, *vary, *wanted;
  } row[] = {
      {"field: 1000", "array.spacing: {values: [15, 20]}",
       "the voltage follows the needles that the sweep moves: A-B 1000 V/cm x 20 mm = 2000 V (1500 V before)"},
      {"field: 1000", "\"pulses[0].field\": {values: [1000, 1200]}", NULL},
      {"voltage: 2000", "array.spacing: {values: [15, 20]}", NULL},
  };
  for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
    char text[512], sweep_text[512];
    snprintf(text, sizeof text,
             "name: p\narray: {count: 2, spacing: 15, exposure: 20}\n"
             "tissues: {default: {sigma: {law: constant, value: 0.1}, threshold: 500}}\n"
             "pulses: [{from: A, to: B, %s}]\n",
             row[i].pulse);
    snprintf(sweep_text, sizeof sweep_text, "plan: p.yaml\nvary: {%s}\n", row[i].vary);
    IrzSweep *sweep;
    IrzPlan *made;
    IrzError error = {0};
    irz_sweep_parse(sweep_text, "s.yaml", text, &sweep, &error);
    for (int number = 1; number <= 2; number++) {
      if (irz_sweep_plan(sweep, number, &made, &error) != IRZ_OK) fail_msg("%s", error.text);
      const char *found = NULL;
      for (int k = 0; k < made->n_warnings; k++) {
        if (strstr(made->warnings[k], "follows") != NULL) found = made->warnings[k];
      }
      bool right =
          number == 2 && row[i].wanted != NULL ? found != NULL && strstr(found, row[i].wanted) != NULL : found == NULL;
      if (!right) fail_msg("%s, case %d: \"%s\"", row[i].vary, number, found != NULL ? found : "");
      irz_plan_free(made);
    }
    irz_sweep_free(sweep);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_grid),       cmocka_unit_test(test_range_ends), cmocka_unit_test(test_list_and_words),
      cmocka_unit_test(test_strata),     cmocka_unit_test(test_errors),     cmocka_unit_test(test_no_valid_case),
      cmocka_unit_test(test_field_kept),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
