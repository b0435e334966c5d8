/* Newton's method keeps its promise for every tolerance, in few steps: each may end differently, with an old matrix or
 * a new one. */
#include "field/field.h"
#include "grid_mesh.h"
#include "testing.h"
#include <math.h>

static int plates(const double x[3]) {
  if (fabs(x[2] + 0.005) < 1e-9 && x[0] < 0.002) return 0; /* not all of the face, so that the field is uneven */
  if (fabs(x[2] - 0.005) < 1e-9) return 1;
  return -1;
}

static void every_tolerance(void **state) {
  (void)state;
  GridMesh grid = {.n = {10, 8, 8}, .size = {0.02, 0.02, 0.01}, .shake = 0.2, .n_surfaces = 2, .surface = plates};
  const IrzLaw law = {.kind = IRZ_LAW_SIGMOID, .low = 0.1, .high = 0.4, .p = 58000, .q = 4000}, *laws[] = {&law};
  const char *surfaces[] = {"s0", "s1"};
  IrzError error = {0};
  IrzMesh *mesh = grid_mesh(&grid);
  IrzPart *part = NULL;
  IrzMedium *medium = NULL;
  assert_int_equal(irz_part_create(PETSC_COMM_SELF, mesh, 2, surfaces, &part, &error), IRZ_OK);
  assert_int_equal(irz_medium_create(part, NULL, &medium, &error), IRZ_OK);
  for (int order = 1; order <= 2; order++) {
    IrzField *field = NULL;
    assert_int_equal(irz_field_create(part, medium, order, true, 1, &field, &error), IRZ_OK);
    int32_t n = irz_field_space(field)->n_local;
    double *exact = calloc((size_t)n, sizeof *exact), *u = calloc((size_t)n, sizeof *u);
    for (int k = 0; k <= 14; k++) {
      IrzProblem problem = {.laws = laws, .tolerance = k == 0 ? 1e-11 : pow(10, -3 - 0.5 * k)};
      IrzReport report;
      double *wanted = k == 0 ? exact : u, most = 0, apart = 0;
      problem.fixed[0] = problem.fixed[1] = true;
      problem.potential[0] = 600;
      irz_field_forget(field);
      assert_int_equal(irz_field_solve(field, &problem, false, wanted, &report, &error), IRZ_OK);
      assert_true(report.remaining <= problem.tolerance);
      assert_in_range(report.newton, 1, 9);
      assert_in_range(report.linear, 1, k == 0 ? 60 : 40);
      for (int32_t i = 0; i < n; i++) {
        most = fmax(most, fabs(exact[i]));
        apart = fmax(apart, fabs(wanted[i] - exact[i]));
      }
      assert_true(apart <= 10 * problem.tolerance * most); /* another norm */
    }
    free(exact);
    free(u);
    irz_field_free(field);
  }
  irz_medium_free(medium);
  irz_part_free(part);
  irz_mesh_free(mesh);
}

int main(int argc, char **argv) {
  PetscInitialize(&argc, &argv, NULL, NULL);
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_tolerance)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
