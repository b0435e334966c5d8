/* Laws against hand-computed values, and slopes against differences. */
#include "plan/keys.h"
#include "testing.h"
#include <irezone/law.h>

static const IrzLaw laws[] = {
    {.kind = IRZ_LAW_CONSTANT, .low = 0.1},
    {.kind = IRZ_LAW_RAMP, .low = 0.067, .high = 0.241, .p = 46000, .q = 70000},
    {.kind = IRZ_LAW_SIGMOID, .low = 0.1, .high = 0.35, .p = 58000, .q = 8000},
    {.kind = IRZ_LAW_SMOOTHSTEP, .low = 0.067, .high = 0.241, .p = 46000, .q = 70000},
    {.kind = IRZ_LAW_GOMPERTZ, .low = 0.03, .high = 0.38, .p = 12.18249396, .q = 1e-4},
    {.kind = IRZ_LAW_TABLE, .n_points = 3, .field = {20000, 50000, 60000}, .sigma = {0.1, 0.2, 0.4}},
};

/* Computed by hand. */
static const struct {
  IrzLawKind kind;
  double field, sigma, tolerance;
} known[] = {
    {IRZ_LAW_CONSTANT, 58000, 0.1, 1e-12},
    {IRZ_LAW_RAMP, 58000, 0.154, 1e-12},
    {IRZ_LAW_SIGMOID, 58000, 0.225, 1e-12},
    {IRZ_LAW_SMOOTHSTEP, 52000, 0.067 + 0.174 * 0.103515625, 1e-12},
    /* Ivorra et al. 2009, potato (form and numbers recalled, not checked): exp(-exp(-0.01 (E - 250))) is exp(-1) at
       250 V/cm */
    {IRZ_LAW_GOMPERTZ, 25000, 0.03 + 0.35 * 0.36787944117144233, 1e-8},
    {IRZ_LAW_TABLE, 55000, 0.3, 1e-12},
    {IRZ_LAW_TABLE, 1e6, 0.4, 1e-12},
    {IRZ_LAW_TABLE, 0, 0.1, 1e-12},
};

static const IrzLaw *law_of(IrzLawKind kind) {
  for (size_t i = 0; i < sizeof laws / sizeof laws[0]; i++) {
    if (laws[i].kind == kind) return &laws[i];
  }
  return NULL;
}

static void values(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    assert_near(irz_law_sigma(law_of(known[i].kind), known[i].field, NULL), known[i].sigma, known[i].tolerance);
  }
}

/// A law that a plan knows is in this test, with a value.
static void all_are_here(void **state) {
  (void)state;
  for (int kind = 0; irz_law_names[kind] != NULL; kind++) {
    bool value = false;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) value |= (int)known[i].kind == kind;
    if (law_of((IrzLawKind)kind) == NULL) fail_msg("the law %s is not in `laws` of this test", irz_law_names[kind]);
    if (!value) fail_msg("the law %s has no value in `known` of this test", irz_law_names[kind]);
  }
}

static void slopes(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof laws / sizeof laws[0]; i++) {
    for (double field = 500; field < 150000; field += 777) {
      double slope, step = 1;
      irz_law_sigma(&laws[i], field, &slope);
      double difference =
          (irz_law_sigma(&laws[i], field + step, NULL) - irz_law_sigma(&laws[i], field - step, NULL)) / (2 * step);
      assert_near(slope, difference, 1e-10);
    }
  }
}

static void monotone(void **state) {
  (void)state;
  double where = -1;
  for (size_t i = 0; i < sizeof laws / sizeof laws[0]; i++) assert_true(irz_law_is_monotone(&laws[i], NULL));
  IrzLaw falling = {.kind = IRZ_LAW_TABLE, .n_points = 2, .field = {40000, 50000}, .sigma = {0.4, 0.1}};
  assert_false(irz_law_is_monotone(&falling, &where));
  assert_near(where, 40000, 1e-9);
  IrzLaw gently = {.kind = IRZ_LAW_SIGMOID, .low = 0.3, .high = 0.2, .p = 50000, .q = 50000};
  assert_true(irz_law_is_monotone(&gently, NULL));
  IrzLaw steeply = {.kind = IRZ_LAW_SIGMOID, .low = 0.3, .high = 0.1, .p = 50000, .q = 1000};
  assert_false(irz_law_is_monotone(&steeply, NULL));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(values), cmocka_unit_test(all_are_here), cmocka_unit_test(slopes),
                                     cmocka_unit_test(monotone)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
