/* Samples of zones: packed, added, and nothing accepted that is damaged. */
#include "sweep/sweep.h"
#include "testing.h"
#include <stdlib.h>
#include <string.h>

static void test_round_trip(void **state) {
  (void)state;
  enum { N = 1003 };
  uint8_t ablated[N];
  uint32_t counts[N] = {0};
  for (int i = 0; i < N; i++) ablated[i] = (uint8_t)(i % 7 == 0 || i > 990);
  uint8_t *packed;
  size_t size;
  IrzError error = {0};
  assert_int_equal(irz_map_pack(ablated, N, &packed, &size, &error), IRZ_OK);
  for (int k = 0; k < 3; k++) assert_int_equal(irz_map_add(packed, size, N, counts, &error), IRZ_OK);
  for (int i = 0; i < N; i++) assert_int_equal(counts[i], 3 * ablated[i]);
  assert_int_equal(irz_map_add(packed, size - 1, N, counts, &error), IRZ_ERR_INPUT);
  assert_int_equal(irz_map_add(packed, size, N + 16, counts, &error), IRZ_ERR_INPUT);
  free(packed);
}

static void test_grid(void **state) {
  (void)state;
  static const char plan[] = "name: p\narray: {count: 2, spacing: 15, exposure: 20}\n"
                             "tissues: {default: {sigma: {law: constant, value: 0.1}, threshold: 500}}\n"
                             "pulses: [{from: A, to: B, voltage: 2000}]\n";
  static const char text[] = "plan: p.yaml\nprobability_map: {spacing: 2}\nvary:\n"
                             "  array.spacing: {values: [10, 20]}\n";
  IrzSweep *sweep;
  IrzError error = {0};
  IrzPointGrid grid;
  assert_int_equal(irz_sweep_parse(text, "s.yaml", plan, &sweep, &error), IRZ_OK);
  assert_int_equal(irz_map_grid(sweep, &grid, &error), IRZ_OK);
  /* Probes at x = -10 and 10 in the widest case, 25 mm around: -36 to 36 in steps of 2. */
  assert_int_equal(grid.size[0], 37);
  assert_near(grid.origin[0], -0.036, 1e-9);
  assert_near(grid.spacing[2], 0.002, 1e-12);
  irz_sweep_free(sweep);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip), cmocka_unit_test(test_grid)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
