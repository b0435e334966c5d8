/* How needles lie to one another, and whether they can be placed: against formulas.

   The patient is a block of 1 mm voxels, |x|, |y| < 40 and -40 < z < 40 mm, with air around it; in it runs a vessel of
   radius 6 mm along y at x = 20, z = 10 mm, and a nerve of one voxel's width along y at x = -9.5, z = 20.5 mm. */
#include "nifti_file.h"
#include <irezone/needles.h>
#include <irezone/pairs.h>

#define N 100

static void write_patient(void) {
  static unsigned char labels[N * N * N];
  nifti_1_header h = nifti_header(N, N, N);
  h.srow_x[3] = h.srow_y[3] = h.srow_z[3] = -49.5F;
  for (int v = 0; v < N * N * N; v++) {
    double x = v % N - 49.5, y = v / N % N - 49.5, z = v / N / N - 49.5;
    bool inside = fabs(x) < 40 && fabs(y) < 40 && fabs(z) < 40;
    labels[v] = inside;
    if (inside && hypot(x - 20, z - 10) < 6) labels[v] = 2;
    if (inside && fabs(x + 9.5) < 0.1 && fabs(z - 20.5) < 0.1) labels[v] = 3;
  }
  write_nifti("block.nii.gz", &h, labels, sizeof labels);
}

/// A plan with two needles, and what `patient.needles` says.
static IrzPlan *parse(const char *probes, const char *needles) {
  char text[4096];
  IrzPlan *plan;
  IrzError error = {0};
  snprintf(
      text, sizeof text,
      "tissues: {default: {preset: fat}}\nprobes: %s\npulses: [{from: A, to: B, voltage: 1500}, {from: B, to: A, "
      "voltage: 1800}]\nanatomy: {labels: block.nii.gz, map: {1: body, 2: vessel, 3: nerve}}\npatient:\n  needles: "
      "%s\n",
      probes, needles);
  if (irz_plan_parse(text, "p.yaml", 0, NULL, &plan, &error) != IRZ_OK) fail_msg("%s", error.text);
  return plan;
}

static IrzNeedleChecks *check(IrzPlan *plan) {
  IrzError error = {0};
  IrzLabelMap *map;
  IrzNeedleChecks *checks;
  if (irz_label_map_read(plan, &map, &error) != IRZ_OK) fail_msg("%s", error.text);
  if (irz_needles_check(plan, map, &checks, &error) != IRZ_OK) fail_msg("%s", error.text);
  irz_label_map_free(map);
  return checks;
}

static bool warned(const IrzPlan *plan, const char *words) {
  for (int i = 0; i < irz_plan_n_warnings(plan); i++) {
    if (strstr(irz_plan_warning(plan, i), words) != NULL) return true;
  }
  return false;
}

#define APART                                                                                                          \
  "[{name: A, tip: [0, 0, 0], exposure: 20, diameter: 1}, {name: B, tip: [0, -15, 5], exposure: 20, diameter: 1}]"

static void lengths_and_clearances(void **state) {
  (void)state;
  IrzPlan *plan = parse(APART, "{skin: body, length: 38, avoid: [vessel, nerve], clearance: 2}");
  IrzNeedleChecks *checks = check(plan);
  assert_int_equal(checks->n, 2);
  for (int i = 0; i < 2; i++) {
    const IrzNeedle *needle = &checks->needle[i];
    assert_near(needle->length, i == 0 ? 40e-3 : 35e-3, 1e-7);
    assert_near(needle->entry[2], 40e-3, 1e-7);
    assert_int_equal(needle->n_crossed, 1);
    assert_string_equal(needle->crossed[0].region, "body");
    assert_near(needle->crossed[0].length, needle->length, 1e-6);
    assert_near(needle->crossed[0].metal, 20e-3, 1e-9);
    /* The vessel's axis is 20 mm away, its radius 6; the surface is wanted to a sixth of a voxel. */
    assert_near(needle->clearance[0].distance, 20e-3 - 6e-3 - 0.5e-3, 0.15e-3);
    assert_near(needle->clearance[0].at[0], 14e-3, 0.15e-3);
    assert_near(needle->clearance[0].at[2], 10e-3, 1.1e-3);
    /* The nerve is a square of 1 mm, too thin for a smooth surface. */
    assert_near(needle->clearance[1].distance, 9e-3 - 0.5e-3, 0.1e-3);
    assert_int_equal(needle->allowed, i == 1);
  }
  assert_true(warned(plan, "needle A: it is 40.0 mm from the tip to the skin, but 38 mm can be used"));
  assert_false(warned(plan, "needle B:"));
  irz_needles_free(checks);
  irz_plan_free(plan);
}

static void crossings(void **state) {
  (void)state;
  /* A runs through the middle of the vessel, B past its wall at 8 - 6 - 0.5 = 1.5 mm. */
  IrzPlan *plan = parse("[{name: A, tip: [20, 0, -10], exposure: 15, diameter: 1}, {name: B, tip: [12, 12, -10], "
                        "exposure: 20, diameter: 1}]",
                        "{skin: body, avoid: [vessel], clearance: 2}");
  IrzNeedleChecks *checks = check(plan);
  const IrzNeedle *a = &checks->needle[0], *b = &checks->needle[1];
  assert_int_equal(a->n_crossed, 2);
  assert_string_equal(a->crossed[1].region, "vessel");
  assert_near(a->crossed[1].length, 12e-3, 1e-6);
  assert_near(a->crossed[1].metal, 1e-3, 1e-6);
  assert_true(a->crossed[1].avoided);
  assert_near(a->clearance[0].distance, 0, 0);
  assert_near(b->clearance[0].distance, 1.5e-3, 0.15e-3);
  assert_false(a->allowed);
  assert_false(b->allowed);
  assert_true(warned(plan, "needle A crosses 12.0 mm of vessel, which it must avoid"));
  assert_true(warned(plan, "needle B passes vessel at 1."));
  irz_needles_free(checks);
  irz_plan_free(plan);
}

static void beyond_the_skin(void **state) {
  (void)state;
  IrzPlan *plan = parse("[{name: A, tip: [0, 0, 42], exposure: 5}, {name: B, tip: [10, 0, 0], direction: [1, 0, 0], "
                        "exposure: 20}]",
                        "{skin: body}");
  IrzNeedleChecks *checks = check(plan);
  assert_true(isnan(checks->needle[0].length));
  assert_false(checks->needle[0].allowed);
  assert_near(checks->needle[1].length, 30e-3, 1e-7);
  assert_true(warned(plan, "needle A never leaves body on its way to the handle"));
  irz_needles_free(checks);
  irz_plan_free(plan);
}

static void missing_region(void **state) {
  (void)state;
  IrzPlan *plan = parse(APART, "{skin: body, avoid: [vessel]}");
  IrzError error = {0};
  IrzLabelMap *map;
  IrzNeedleChecks *checks;
  assert_int_equal(irz_label_map_read(plan, &map, &error), IRZ_OK);
  map->voxels[2] = 0; /* as if no voxel had the vessel's label */
  assert_int_equal(irz_needles_check(plan, map, &checks, &error), IRZ_ERR_PLAN);
  assert_null(checks);
  assert_non_null(strstr(error.text, "p.yaml:6: patient.needles.avoid: the label map has no voxel of \"vessel\""));
  irz_label_map_free(map);
  irz_plan_free(plan);
}

static void pairs_by_formula(void **state) {
  (void)state;
  const double degree = acos(-1) / 180, tilt = 10 * degree;
  char probes[512];
  snprintf(probes, sizeof probes,
           "[{name: A, tip: [0, 0, 0], exposure: 20, diameter: 1}, {name: B, tip: [15, 0, 3], direction: [%.17g, 0, "
           "%.17g], exposure: 10, diameter: 2}]",
           sin(tilt), cos(tilt));
  IrzPlan *plan = parse(probes, "{length: 100}");
  IrzPairs pairs;
  irz_pairs_find(plan, &pairs);
  assert_int_equal(pairs.n, 1);
  const IrzPair *pair = &pairs.pair[0];
  assert_string_equal(pair->from, "A");
  assert_near(pair->tip, hypot(15e-3, 3e-3), 1e-12);
  assert_near(pair->middle, hypot(15e-3 + 5e-3 * sin(tilt), 3e-3 + 5e-3 * cos(tilt) - 10e-3), 1e-12);
  assert_near(pair->top, hypot(15e-3 + 10e-3 * sin(tilt), 3e-3 + 10e-3 * cos(tilt) - 20e-3), 1e-12);
  assert_near(pair->least, 15e-3, 1e-12); /* at the tip of B, which leans away */
  assert_near(pair->angle, tilt, 1e-12);
  /* Along the direction half-way between the two. */
  assert_near(pair->depth_offset, 15e-3 * sin(tilt / 2) + 3e-3 * cos(tilt / 2), 1e-12);
  assert_near(pair->clearance, 15e-3 - 1.5e-3, 1e-12);
  assert_near(pair->voltage, 1800, 0);
  irz_plan_free(plan);
}

static void converging_shafts(void **state) {
  (void)state;
  /* The axes are 1.25 mm apart 60 mm above the tips, in planes y = 0 and y = 1.25. */
  IrzPlan *plan =
      parse("[{name: A, tip: [0, 0, 0], exposure: 20, diameter: 1}, {name: B, tip: [15, 1.25, 0], direction: "
            "[-15, 0, 60], exposure: 20, diameter: 1}]",
            "{length: 100}");
  IrzPairs pairs;
  irz_pairs_find(plan, &pairs);
  assert_near(pairs.pair[0].clearance, 0.25e-3, 1e-9);
  irz_pairs_doubt(plan, &pairs);
  assert_true(warned(plan, "needles out of parallel draw more current where they are close"));
  irz_plan_free(plan);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lengths_and_clearances), cmocka_unit_test(crossings),        cmocka_unit_test(beyond_the_skin),
      cmocka_unit_test(missing_region),         cmocka_unit_test(pairs_by_formula), cmocka_unit_test(converging_shafts),
  };
  write_patient();
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  unlink("block.nii.gz");
  return failed;
}
