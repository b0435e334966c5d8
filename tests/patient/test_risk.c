/* Structures at risk, against formulas and against the zone as it is sampled: a straight vessel of radius 6 mm along y
   at x = 22, z = 4 mm in 1 mm voxels, beside two needles along z. */
#include "nifti_file.h"
#include <irezone/session.h>
#include <irezone/start.h>

#define N 90

static void write_vessel(void) {
  static unsigned char labels[N * N * N];
  nifti_1_header h = nifti_header(N, N, N);
  h.srow_x[3] = h.srow_y[3] = h.srow_z[3] = -44.5F;
  for (int v = 0; v < N * N * N; v++) {
    double x = v % N - 44.5, z = v / N / N - 44.5;
    labels[v] = hypot(x - 22, z - 4) < 6 ? 2 : 1;
  }
  write_nifti("vessel.nii.gz", &h, labels, sizeof labels);
}

static IrzResult *solve(IrzSession *session, double field, double limit) {
  char text[2048];
  IrzPlan *plan;
  IrzResult *result;
  IrzError error = {0};
  snprintf(text, sizeof text,
           "mesh: {size: 80, accuracy: 2}\ntissues: {default: {preset: liver}, liver: {preset: liver, threshold: 500}, "
           "vessel: {preset: vessel, threshold: 500}}\nanatomy: {labels: vessel.nii.gz, map: {1: liver, 2: vessel}}\n"
           "array: {count: 2, spacing: 16, exposure: 15, diameter: 1, center: [0, 0, 0]}\npulses: {pairs: all, field: "
           "%g}\nzone: {threshold: 500}\npatient: {at_risk: [{region: vessel, max_field: %g}]}\n",
           field, limit);
  if (irz_plan_parse(text, "p.yaml", 0, NULL, &plan, &error) != IRZ_OK) fail_msg("%s", error.text);
  if (irz_session_solve(session, plan, &result, &error) != IRZ_OK) fail_msg("%s", error.text);
  irz_plan_free(plan);
  return result;
}

static double number(const IrzResult *result, const char *path) {
  IrzError error = {0};
  double value;
  if (irz_result_number(result, path, &value, &error) != IRZ_OK) fail_msg("%s", error.text);
  return value;
}

static void assert_warned(const IrzResult *result, const char *text) {
  for (int i = 0; i < irz_result_n_warnings(result); i++) {
    if (strstr(irz_result_warning(result, i), text) != NULL) return;
  }
  fail_msg("no warning says: %s", text);
}

/// Distance of the zone from the vessel, mm, from points of a grid.
static double sampled_distance(const IrzResult *result) {
  enum { SIZE = 120 };
  const double spacing = 0.5e-3;
  static uint8_t labels[SIZE * SIZE * SIZE];
  IrzVoxelGrid grid = {.size = {SIZE, SIZE, SIZE}};
  IrzError error = {0};
  double nearest = INFINITY;
  for (int d = 0; d < 3; d++) {
    grid.origin[d] = -0.5 * (SIZE - 1) * spacing;
    grid.step[d][d] = spacing;
  }
  assert_int_equal(irz_result_label_map(result, &grid, labels, &error), IRZ_OK);
  for (int v = 0; v < SIZE * SIZE * SIZE; v++) {
    double x = grid.origin[0] + v % SIZE * spacing, z = grid.origin[2] + v / SIZE / SIZE * spacing;
    if (labels[v]) nearest = fmin(nearest, 1e3 * hypot(x - 22e-3, z - 4e-3) - 6);
  }
  return nearest;
}

static void at_risk(void **state) {
  (void)state;
  IrzSession *session;
  IrzError error = {0};
  if (irz_session_create(MPI_COMM_WORLD, NULL, &session, &error) != IRZ_OK) fail_msg("%s", error.text);
  IrzResult *result = solve(session, 1500, 100);
  assert_near(number(result, "at_risk.vessel.volume_cm3"), number(result, "zone.by_region.vessel.volume_cm3"), 0);
  /* The image shows 90 mm of the vessel, the tissue box holds 80 mm. */
  assert_warned(result, "patient.at_risk[0]: 11.1 % of \"vessel\" lie outside the tissue box");
  /* The metal of B ends at z = 7.5 mm, so the nearest place of its axis is beside the vessel's. */
  assert_near(number(result, "at_risk.vessel.distance_to_metal_mm"), 22 - 8 - 6 - 0.5, 0.15);
  assert_near(number(result, "at_risk.vessel.distance_to_zone_mm"), fmax(sampled_distance(result), 0), 0.5);
  double max = number(result, "at_risk.vessel.field_V_per_cm.max"),
         e2 = number(result, "at_risk.vessel.field_V_per_cm.e2"),
         cubic = number(result, "at_risk.vessel.field_V_per_cm.e_0_1_cm3");
  assert_true(max >= cubic && cubic >= e2 && e2 > 0); /* 2 % of it are more than 0.1 cm3 */
  /* The field as it is drawn, against the one that volumes are measured with: to 5 % of the field. */
  double above = number(result, "at_risk.vessel.above_limit_cm3"), all = number(result, "at_risk.vessel.volume_cm3");
  const double level[6] = {0.95e4, 1.05e4, 95 * e2, 105 * e2, 95 * cubic, 105 * cubic},
               wanted[3] = {above, 0.02 * all, 0.1};
  double volume[3][6];
  assert_int_equal(irz_result_summary(result)->zone.n_regions, 3);
  assert_int_equal(irz_result_volumes(result, 6, level, &volume[0][0], &error), IRZ_OK);
  for (int i = 0; i < 3; i++) {
    assert_true(1e6 * volume[2][2 * i] >= wanted[i]);
    assert_true(1e6 * volume[2][2 * i + 1] <= wanted[i]);
  }
  assert_true(number(result, "at_risk.vessel.wall.field_V_per_cm") >= cubic);
  assert_near(number(result, "at_risk.vessel.limit_kept"), max <= 100, 0);
  irz_result_free(result);
  result = solve(session, 1500, 1.01 * max);
  assert_near(number(result, "at_risk.vessel.limit_kept"), 1, 0);
  irz_result_free(result);
  /* A field too weak for the histogram's levels. */
  result = solve(session, 10, 100);
  max = number(result, "at_risk.vessel.field_V_per_cm.max");
  assert_true(max < 2);
  assert_true(number(result, "at_risk.vessel.field_V_per_cm.e2") <= max);
  assert_true(number(result, "at_risk.vessel.field_V_per_cm.e_0_1_cm3") <= max);
  irz_result_free(result);
  irz_session_free(session);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(at_risk)};
  irz_start(NULL);
  write_vessel();
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  unlink("vessel.nii.gz");
  irz_stop();
  return failed;
}
