/* Floating electrodes: a symmetric one sits at half the voltage, carries no net current, and is the limit of a very
   good conductor in its place. */
#include "base/petsc.h"
#include "field/field.h"
#include "grid_mesh.h"
#include "testing.h"

static const IrzLaw tissue = {.kind = IRZ_LAW_SIGMOID, .low = 0.1, .high = 0.35, .p = 58000, .q = 8000};
static const IrzLaw metal = {.kind = IRZ_LAW_CONSTANT, .low = 1e5};
static const double voltage = 2000;

/// The block in the middle, off the middle plane in y so that nothing but x is symmetric.
static bool in_block(const double x[3], double grow) {
  return fabs(x[0]) < 0.005 + grow && fabs(x[1] - 0.0025) < 0.005 + grow && fabs(x[2]) < 0.005 + grow;
}

static int without_block(const double middle[3]) {
  return in_block(middle, 0) ? -1 : 0;
}

static int with_block(const double middle[3]) {
  return in_block(middle, 0) ? 1 : 0;
}

static int ends_and_block(const double x[3]) {
  if (fabs(x[0] + 0.02) < 1e-9) return 0;
  if (fabs(x[0] - 0.02) < 1e-9) return 1;
  bool inside = in_block(x, 1e-9), deep = in_block(x, -1e-9);
  return inside && !deep ? 2 : -1;
}

static int ends(const double x[3]) {
  int surface = ends_and_block(x);
  return surface < 2 ? surface : -1;
}

/// Solve with 0 and 1 fixed.
static void solve(const GridMesh *grid, int n_electrodes, int order, IrzReport *report) {
  IrzMesh *mesh = grid_mesh(grid);
  IrzError error = {0};
  const char *surfaces[] = {"s0", "s1", "s2"};
  const IrzLaw *laws[] = {&tissue, &metal};
  IrzPart *part;
  IrzMedium *medium;
  IrzField *field;
  IrzProblem problem = {.laws = laws, .tolerance = 1e-10};
  problem.fixed[0] = problem.fixed[1] = true;
  problem.potential[0] = voltage;
  assert_int_equal(irz_part_create(PETSC_COMM_WORLD, mesh, n_electrodes, surfaces, &part, &error), IRZ_OK);
  assert_int_equal(irz_medium_create(part, NULL, &medium, &error), IRZ_OK);
  assert_int_equal(irz_field_create(part, medium, order, true, 2, &field, &error), IRZ_OK);
  double *u = calloc((size_t)irz_field_space(field)->n_local, sizeof *u);
  IrzCode code = irz_field_solve(field, &problem, false, u, report, &error);
  if (code != IRZ_OK) fail_msg("%s", error.text);
  free(u);
  irz_field_free(field);
  irz_medium_free(medium);
  irz_part_free(part);
  irz_mesh_free(mesh);
}

static const GridMesh hollow = {.n = {16, 12, 12},
                                .size = {0.04, 0.03, 0.03},
                                .n_regions = 1,
                                .n_surfaces = 3,
                                .region = without_block,
                                .surface = ends_and_block};
static const GridMesh solid = {.n = {16, 12, 12},
                               .size = {0.04, 0.03, 0.03},
                               .n_regions = 2,
                               .n_surfaces = 2,
                               .region = with_block,
                               .surface = ends};

static void half_the_voltage(void **state) {
  (void)state;
  for (int order = 1; order <= 2; order++) {
    IrzReport report;
    solve(&hollow, 3, order, &report);
    assert_near(report.potential[2], voltage / 2, 1e-6 * voltage);
    assert_near(report.current[2], 0, 1e-9 * report.current[0]);
    assert_near(report.current[0] + report.current[1], 0, 1e-9 * report.current[0]);
    assert_close(report.power, voltage * report.current[0], 1e-9);
  }
}

static void very_good_conductor(void **state) {
  (void)state;
  IrzReport floating, conductor;
  solve(&hollow, 3, 2, &floating);
  solve(&solid, 2, 2, &conductor);
  assert_close(floating.current[0], conductor.current[0], 1e-3);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(half_the_voltage), cmocka_unit_test(very_good_conductor)};
  PetscInitialize(&argc, &argv, NULL, NULL);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
