/* Tissue that remembers: between plates the current is known exactly, what is remembered never falls, and firing the
   same pair again changes nothing. */
#include "base/petsc.h"
#include "field/field.h"
#include "grid_mesh.h"
#include "testing.h"

static const IrzLaw rising = {.kind = IRZ_LAW_SIGMOID, .low = 0.1, .high = 0.35, .p = 58000, .q = 8000};
static const IrzLaw falling = {.kind = IRZ_LAW_RAMP, .low = 0.3, .high = 0.2, .p = 20000, .q = 60000};

static int one_region(const double middle[3]) {
  (void)middle;
  return 0;
}

/// Plates at both ends in x.
static int plates(const double x[3]) {
  if (fabs(x[0] + 0.01) < 1e-9) return 0;
  if (fabs(x[0] - 0.01) < 1e-9) return 1;
  return -1;
}

/// Patches on the walls that make the field uneven: two at the ends, one on a side.
static int patches(const double x[3]) {
  if (fabs(x[0] + 0.01) < 1e-9 && x[1] < 1e-9) return 0;
  if (fabs(x[0] - 0.01) < 1e-9 && x[1] > -1e-9) return 1;
  if (fabs(x[2] - 0.006) < 1e-9 && fabs(x[0]) < 0.004) return 2;
  return -1;
}

/// Patches on one side of a long bar: 0, 1 and 4 beside each other near one end, 2 and 3 near the other.
static int far_apart(const double x[3]) {
  const double middle[5] = {-0.055, -0.045, 0.045, 0.055, -0.035};
  for (int s = 0; s < 5; s++) {
    if (fabs(x[2] - 0.004) < 1e-9 && fabs(x[0] - middle[s]) < 0.0026) return s;
  }
  return -1;
}

static const GridMesh bar = {.n = {48, 3, 3},
                             .size = {0.12, 0.008, 0.008},
                             .n_regions = 1,
                             .n_surfaces = 5,
                             .region = one_region,
                             .surface = far_apart};
static const GridMesh even = {.n = {6, 4, 3},
                              .size = {0.02, 0.016, 0.012},
                              .n_regions = 1,
                              .n_surfaces = 2,
                              .region = one_region,
                              .surface = plates};
static const GridMesh uneven = {.n = {8, 6, 4},
                                .size = {0.02, 0.016, 0.012},
                                .n_regions = 1,
                                .n_surfaces = 3,
                                .region = one_region,
                                .surface = patches};

/// A field on a grid, with memory.
typedef struct {
  IrzMesh *mesh;
  IrzPart *part;
  IrzMedium *medium;
  IrzField *field;
  const IrzLaw *law;
  int order;
  IrzPoints floor;
  double *u, *node;
} Treatment;

static void begin(Treatment *t, const GridMesh *grid, int order, const IrzLaw *law) {
  const char *surfaces[] = {"s0", "s1", "s2", "s3", "s4"};
  IrzError error = {0};
  t->mesh = grid_mesh(grid);
  t->law = law;
  t->order = order;
  assert_int_equal(irz_part_create(PETSC_COMM_WORLD, t->mesh, grid->n_surfaces, surfaces, &t->part, &error), IRZ_OK);
  assert_int_equal(irz_medium_create(t->part, NULL, &t->medium, &error), IRZ_OK);
  assert_int_equal(irz_field_create(t->part, t->medium, order, true, 2, &t->field, &error), IRZ_OK);
  t->floor = (IrzPoints){0};
  assert_int_equal(irz_points_create(t->medium, &t->law, &t->floor, &error), IRZ_OK);
  t->u = calloc((size_t)irz_field_space(t->field)->n_local, sizeof *t->u);
  t->node = calloc((size_t)t->part->n_vertices + (size_t)t->part->n_edges, sizeof *t->node);
}

static void end(Treatment *t) {
  free(t->u);
  free(t->node);
  irz_points_free(&t->floor);
  irz_field_free(t->field);
  irz_medium_free(t->medium);
  irz_part_free(t->part);
  irz_mesh_free(t->mesh);
}

/// Fire a pair; returns its current, A.
static double fire(Treatment *t, int from, int to, double voltage, bool memory) {
  IrzProblem problem = {.laws = &t->law, .tolerance = 1e-10, .floor = memory ? &t->floor : NULL};
  IrzReport report;
  IrzError error = {0};
  problem.fixed[from] = problem.fixed[to] = true;
  problem.potential[from] = voltage;
  if (irz_field_solve(t->field, &problem, false, t->u, &report, &error) != IRZ_OK) fail_msg("%s", error.text);
  irz_space_nodes(irz_field_space(t->field), t->u, t->node);
  if (memory) irz_points_remember(t->medium, t->order, &t->law, t->node, &t->floor);
  return report.power / voltage;
}

static void between_plates(void **state) {
  (void)state;
  const double area = 0.016 * 0.012, gap = 0.02;
  const IrzLaw *laws[] = {&rising, &falling};
  for (int k = 0; k < 4; k++) {
    Treatment t;
    const IrzLaw *law = laws[k % 2];
    begin(&t, &even, 1 + k / 2, law);
    double remembered = 0;
    const double voltages[] = {1000, 1300, 600, 1200, 1900};
    for (int i = 0; i < 5; i++) {
      double field = voltages[i] / gap;
      remembered = fmax(remembered, irz_law_sigma(law, field, NULL));
      assert_close(fire(&t, 0, 1, voltages[i], true), remembered * field * area, 1e-8);
    }
    assert_close(fire(&t, 0, 1, 600, false), irz_law_sigma(law, 600 / gap, NULL) * 600 / gap * area, 1e-8);
    end(&t);
  }
}

static void never_falls(void **state) {
  (void)state;
  static const int pairs[4][2] = {{0, 1}, {0, 2}, {2, 1}, {0, 1}};
  for (int order = 1; order <= 2; order++) {
    Treatment t;
    begin(&t, &uneven, order, &rising);
    size_t n = 4 * (size_t)t.part->n_tets;
    double *before = calloc(n, sizeof *before);
    for (int i = 0; i < 4; i++) {
      double fresh = fire(&t, pairs[i][0], pairs[i][1], 900, false);
      double current = fire(&t, pairs[i][0], pairs[i][1], 900, true);
      size_t raised = 0;
      if (i == 0) assert_close(current, fresh, 1e-8);
      if (i > 0) assert_true(current > fresh * (1 + 1e-4));
      for (size_t k = 0; k < n; k++) {
        assert_true(t.floor.fast[k] >= before[k]);
        raised += t.floor.fast[k] > before[k] * (1 + 1e-6);
        before[k] = t.floor.fast[k];
      }
      assert_true(raised > n / 100);
    }
    free(before);
    end(&t);
  }
}

/// Firing a pair again finds the tissue that it made; its neighbours' currents do not change either.
static void again_changes_nothing(void **state) {
  (void)state;
  for (int order = 1; order <= 2; order++) {
    Treatment t;
    begin(&t, &uneven, order, &rising);
    double first = fire(&t, 0, 1, 900, true), second = fire(&t, 0, 1, 900, true), other = fire(&t, 0, 2, 900, true);
    assert_close(second, first, 1e-7);
    irz_points_clear(t.medium, &t.floor);
    fire(&t, 0, 1, 900, true);
    assert_close(fire(&t, 0, 2, 900, true), other, 1e-7);
    end(&t);
  }
}

/// Two pairs, in one order and in the other: what all points remember, and the currents of both.
static void both_orders(int order, const int pairs[2][2], double current[2][2], double *unequal) {
  Treatment t[2];
  double most = 0, difference = 0;
  for (int k = 0; k < 2; k++) {
    begin(&t[k], &bar, order, &rising);
    for (int i = 0; i < 2; i++) {
      int p = k == 0 ? i : 1 - i;
      current[k][p] = fire(&t[k], pairs[p][0], pairs[p][1], 700, true);
    }
  }
  for (size_t k = 0; k < 4 * (size_t)t[0].part->n_tets; k++) {
    most = fmax(most, t[0].floor.fast[k]);
    difference = fmax(difference, fabs(t[0].floor.fast[k] - t[1].floor.fast[k]));
  }
  assert_true(most > 0.25); /* the tissue was opened */
  *unequal = difference / most;
  end(&t[0]);
  end(&t[1]);
}

/// The order of pairs that are far apart does not matter; that of pairs that share tissue does.
static void order_of_pairs(void **state) {
  (void)state;
  const int disjoint[2][2] = {{0, 1}, {2, 3}}, sharing[2][2] = {{0, 1}, {1, 4}};
  for (int order = 1; order <= 2; order++) {
    double current[2][2], unequal;
    both_orders(order, disjoint, current, &unequal);
    for (int p = 0; p < 2; p++) assert_close(current[1][p], current[0][p], 1e-7);
    assert_true(unequal < 1e-6);
    both_orders(order, sharing, current, &unequal);
    assert_true(fabs(current[1][0] - current[0][0]) > 1e-4 * current[0][0]);
    assert_true(unequal > 1e-4);
  }
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(between_plates), cmocka_unit_test(never_falls),
                                     cmocka_unit_test(again_changes_nothing), cmocka_unit_test(order_of_pairs)};
  PetscInitialize(&argc, &argv, NULL, NULL);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
