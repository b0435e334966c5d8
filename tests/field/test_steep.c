/* Laws that all but jump: two layers in series, of which the second has just the field of the jump at many voltages,
 * and every current between the two sides'. Exact: J is the same in both, and the voltages add up. */
#include "field/field.h"
#include "grid_mesh.h"
#include "testing.h"
#include <math.h>

static const double half = 0.005, area = 1e-4, first_sigma = 0.2; /* m, m^2, S/m */

static int layer(const double middle[3]) {
  return middle[2] > 0;
}

static int faces(const double x[3]) {
  if (fabs(x[2] + 0.005) < 1e-9) return 0;
  return fabs(x[2] - 0.005) < 1e-9 ? 1 : -1;
}

/// A mesh and its field.
typedef struct {
  IrzMesh *mesh;
  IrzPart *part;
  IrzMedium *medium;
  IrzField *field;
  double *u;
} Case;

static Case make(int order, int threads) {
  GridMesh grid = {.n = {6, 6, 6},
                   .size = {0.01, 0.01, 0.01},
                   .shake = 0,
                   .n_regions = 2,
                   .n_surfaces = 2,
                   .region = layer,
                   .surface = faces};
  const char *surfaces[] = {"s0", "s1"};
  IrzError error = {0};
  Case c = {.mesh = grid_mesh(&grid)};
  assert_int_equal(irz_part_create(PETSC_COMM_SELF, c.mesh, 2, surfaces, &c.part, &error), IRZ_OK);
  assert_int_equal(irz_medium_create(c.part, NULL, &c.medium, &error), IRZ_OK);
  assert_int_equal(irz_field_create(c.part, c.medium, order, true, threads, &c.field, &error), IRZ_OK);
  c.u = calloc((size_t)irz_field_space(c.field)->n_local, sizeof *c.u);
  return c;
}

static void clean(Case *c) {
  free(c->u);
  irz_field_free(c->field);
  irz_medium_free(c->medium);
  irz_part_free(c->part);
  irz_mesh_free(c->mesh);
}

/// max(sigma(E), least) along the layers.
static double along(const IrzLaw *law, double least, double e) {
  double factor = law->direction == IRZ_LAW_SCALED ? law->shape[2] : 1;
  return factor * fmax(irz_law_sigma(law, e, NULL), least);
}

/// Current density at a voltage: the field of the second layer by bisection.
static double exact_density(const IrzLaw *law, double least, double voltage) {
  double low = 0, high = voltage / half;
  for (int k = 0; k < 200; k++) {
    double e = 0.5 * (low + high);
    if (along(law, least, e) * e < first_sigma * (voltage / half - e))
      low = e;
    else
      high = e;
  }
  return first_sigma * (voltage / half - high);
}

/// Solve and compare the current.
/// @param[in] floor  and `least`, its value in the second layer; NULL and 0
static void check(Case *c, const IrzLaw *law, const IrzPoints *floor, double least, double voltage, int most) {
  const IrzLaw first = {.kind = IRZ_LAW_CONSTANT, .low = first_sigma, .high = first_sigma}, *laws[] = {&first, law};
  IrzProblem problem = {.laws = laws, .tolerance = 1e-8, .floor = floor};
  IrzReport report;
  IrzError error = {0};
  problem.fixed[0] = problem.fixed[1] = true;
  problem.potential[0] = voltage;
  irz_field_forget(c->field);
  if (irz_field_solve(c->field, &problem, false, c->u, &report, &error) != IRZ_OK) fail_msg("%s", error.text);
  double found = report.power / voltage / (area * exact_density(law, least, voltage)) - 1;
  print_message("steep to %8.1e, %4.0f V: current off by %9.1e, %d + %d steps, %d linear\n",
                irz_law_steepness(law, NULL), voltage, found, report.start_newton, report.newton, report.linear);
  assert_near(found, 0, fmax(2e-6, 5 * report.remaining));
  assert_true(report.remaining <= 1e-3);
  assert_in_range(report.newton, 1, most);
}

/// Jumps of many kinds; with 500 V/cm in both layers the voltage is 500 V.
static int list_laws(IrzLaw laws[16]) {
  int n = 0;
  for (double width = 1; width > 5e-4; width /= 10) { /* V/cm */
    laws[n++] = (IrzLaw){.kind = IRZ_LAW_RAMP, .low = 0.1, .high = 0.35, .p = 5e4, .q = 5e4 + 100 * width};
    laws[n++] = (IrzLaw){.kind = IRZ_LAW_SIGMOID, .low = 0.1, .high = 0.35, .p = 5e4, .q = 100 * width};
  }
  laws[n++] = (IrzLaw){.kind = IRZ_LAW_SMOOTHSTEP, .low = 0.01, .high = 1, .p = 5e4, .q = 5e4 + 0.1};
  laws[n++] = (IrzLaw){.kind = IRZ_LAW_GOMPERTZ, .low = 0.1, .high = 0.2, .p = exp(50), .q = 1e-3};
  IrzLaw *table = &laws[n++];
  *table = (IrzLaw){.kind = IRZ_LAW_TABLE, .n_points = 64, .low = 0.1, .high = 0.4};
  for (int i = 0; i < 64; i++) { /* eight steps within 0.06 V/cm */
    table->field[i] = 5e4 + 6.0 * i / 63 + (i % 8 == 7 ? 6.0 / 63 * 0.999 : 0);
    table->sigma[i] = 0.1 + 0.3 * (i / 8) / 7;
  }
  return n;
}

static void series(void **state) {
  (void)state;
  static IrzLaw laws[16];
  int n = list_laws(laws);
  for (int order = 1; order <= 2; order++) {
    Case c = make(order, order);
    for (int k = 0; k < n; k++) {
      assert_true(irz_law_steepness(&laws[k], NULL) > 8);
      for (double voltage = 300; voltage < 1500; voltage += 170) check(&c, &laws[k], NULL, 0, voltage, 70);
    }
    clean(&c);
  }
}

/// Tissue that remembers a stronger pair, and tissue that conducts better along the layers.
static void remembered_and_scaled(void **state) {
  (void)state;
  IrzLaw law = {.kind = IRZ_LAW_RAMP, .low = 0.1, .high = 0.35, .p = 5e4, .q = 5e4 + 0.1};
  const IrzLaw first = {.kind = IRZ_LAW_CONSTANT, .low = first_sigma, .high = first_sigma}, *laws[] = {&first, &law};
  Case c = make(2, 1);
  IrzPoints floor = {0};
  IrzError error = {0};
  double *node = calloc((size_t)c.part->n_vertices + (size_t)c.part->n_edges, sizeof *node);
  assert_int_equal(irz_points_create(c.medium, laws, &floor, &error), IRZ_OK);
  check(&c, &law, &floor, 0, 600, 70);
  irz_space_nodes(irz_field_space(c.field), c.u, node);
  irz_points_remember(c.medium, 2, laws, node, &floor);
  /* The field was that of the jump, where the law tells the conductivity to a few digits only. */
  double before = exact_density(&law, 0, 600) / 5e4;
  assert_close(floor.fast[4 * (size_t)(c.part->n_tets - 1)], before, 0.02);
  for (int32_t k = 0; k < 4 * c.part->n_tets; k++) {
    if (floor.fast[k] != first_sigma) floor.fast[k] = 0.15;
  }
  for (double voltage = 300; voltage < 1500; voltage += 170) check(&c, &law, &floor, 0.15, voltage, 70);
  law.direction = IRZ_LAW_SCALED;
  memcpy(law.shape, (double[]){0.6, 0.6, 1.8, 0, 0, 0}, sizeof law.shape);
  for (double voltage = 300; voltage < 1500; voltage += 170) check(&c, &law, NULL, 0, voltage, 70);
  irz_points_free(&floor);
  free(node);
  clean(&c);
}

/// What cannot be solved ends soon, and the line names the tissue.
static void named(void **state) {
  (void)state;
  const IrzLaw first = {.kind = IRZ_LAW_CONSTANT, .low = first_sigma, .high = first_sigma};
  IrzLaw law = {.kind = IRZ_LAW_RAMP, .low = 0.1, .high = 0.35, .p = 5e4, .q = 5e4 + 1e-4, .direction = IRZ_LAW_ALONG};
  const IrzLaw *laws[] = {&first, &law};
  memcpy(law.shape, (double[]){0.6, 0.6, 1.8, 0.1, 0, 0}, sizeof law.shape);
  Case c = make(2, 1);
  IrzProblem problem = {.laws = laws, .tolerance = 1e-8};
  IrzReport report;
  IrzError error = {0};
  problem.fixed[0] = problem.fixed[1] = true;
  problem.potential[0] = 600;
  IrzCode code = irz_field_solve(c.field, &problem, false, c.u, &report, &error);
  assert_in_range(report.newton + report.start_newton, 1, 100);
  if (code != IRZ_OK) {
    assert_int_equal(code, IRZ_ERR_SOLVER);
    assert_non_null(strstr(error.text, "conductivity of r1"));
    assert_non_null(strstr(error.text, "500 V/cm"));
  }
  clean(&c);
}

static void steepness(void **state) {
  (void)state;
  double where;
  IrzLaw law = {.kind = IRZ_LAW_RAMP, .low = 0.1, .high = 0.35, .p = 5e4, .q = 5e4 + 100};
  assert_close(irz_law_steepness(&law, &where), 0.25 / 100 * 5e4 / 0.1, 1e-6); /* at its foot */
  assert_close(where, 5e4, 1e-9);
  law = (IrzLaw){.kind = IRZ_LAW_CONSTANT, .low = 0.1, .high = 0.1};
  assert_near(irz_law_steepness(&law, NULL), 0, 0);
  law = (IrzLaw){.kind = IRZ_LAW_SIGMOID, .low = 0.1, .high = 0.35, .p = 58000, .q = 8000};
  assert_in_range(irz_law_steepness(&law, NULL), 1, 3);
  law = (IrzLaw){.kind = IRZ_LAW_TABLE, .n_points = 3, .field = {0, 1e4, 2e4}, .sigma = {0.2, 0.2, 0.1}};
  assert_close(irz_law_steepness(&law, &where), 2.0, 1e-6); /* 1e-5 * 2e4 / 0.1 */
}

int main(int argc, char **argv) {
  PetscInitialize(&argc, &argv, NULL, NULL);
  const struct CMUnitTest tests[] = {cmocka_unit_test(steepness), cmocka_unit_test(series),
                                     cmocka_unit_test(remembered_and_scaled), cmocka_unit_test(named)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
