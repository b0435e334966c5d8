/* Batches: every case once, one mesh a batch, neighbours together, long cases first, invalid cases last. */
#include "sweep/sweep.h"
#include "testing.h"
#include <stdlib.h>

static void test_cut(void **state) {
  (void)state;
  enum { N = 100 };
  double value[N], cost[N];
  uint64_t mesh[N];
  for (int i = 0; i < N; i++) {
    value[i] = (i * 37) % N; /* scrambled */
    mesh[i] = i < 70 ? 5 : i < 90 ? 3 : (uint64_t)1000 + (uint64_t)i;
    cost[i] = i < 70 ? 1 : i < 90 ? 2 : 0;
  }
  IrzBatches b;
  IrzError error = {0};
  assert_int_equal(irz_batches_cut(N, 1, value, mesh, cost, &b, &error), IRZ_OK);
  int seen[N + 1] = {0};
  for (int k = 0; k < b.n_batches; k++) {
    int size = b.first[k + 1] - b.first[k];
    assert_true(size >= 1 && size <= IRZ_SWEEP_BATCH);
    double low = INFINITY, high = -INFINITY;
    for (int i = b.first[k]; i < b.first[k + 1]; i++) {
      int number = b.order[i];
      seen[number]++;
      assert_int_equal(mesh[number - 1], mesh[b.order[b.first[k]] - 1]);
      low = fmin(low, value[number - 1]);
      high = fmax(high, value[number - 1]);
    }
    /* 70 cases on one mesh make 8 batches, so each spans about an eighth of the values. */
    if (mesh[b.order[b.first[k]] - 1] == 5) assert_true(high - low <= 20);
    /* The start is inside, not at an end. */
    double start = value[b.order[b.first[k]] - 1];
    if (size > 4) assert_true(start > low && start < high);
    if (k > 0) assert_true(cost[b.order[b.first[k - 1]] - 1] >= cost[b.order[b.first[k]] - 1]);
  }
  for (int i = 1; i <= N; i++) assert_int_equal(seen[i], 1);
  irz_batches_clear(&b);
}

/* Cases of a real sweep: the voltage shares a mesh, the spacing does not, a wrong plan is last and alone. */
static void test_make(void **state) {
  (void)state;
  static const char plan[] = "name: p\narray: {count: 2, spacing: 15, exposure: 20}\n"
                             "tissues: {default: {sigma: {law: constant, value: 0.1}, threshold: 500}}\n"
                             "pulses: [{from: A, to: B, voltage: 2000}]\n";
  static const char text[] = "plan: p.yaml\nvary:\n  array.spacing: {values: [10, -5, 20]}\n"
                             "  pulses[0].voltage: {values: [1000, 2000]}\n";
  IrzSweep *sweep;
  IrzBatches b;
  IrzError error = {0};
  assert_int_equal(irz_sweep_parse(text, "s.yaml", plan, &sweep, &error), IRZ_OK);
  assert_int_equal(irz_batches_make(sweep, NULL, &b, &error), IRZ_OK);
  assert_int_equal(b.n_batches, 4);
  assert_int_equal(b.first[1], 2);
  assert_int_equal(b.first[2], 4);
  for (int i = 4; i < 6; i++) assert_true(b.order[i] == 3 || b.order[i] == 4);
  irz_batches_clear(&b);
  const volatile sig_atomic_t stop = 1; /* a signal came while millions of cases were read */
  assert_int_equal(irz_batches_make(sweep, &stop, &b, &error), IRZ_ERR_STOPPED);
  irz_sweep_free(sweep);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_cut), cmocka_unit_test(test_make)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
