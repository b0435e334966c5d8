/* The summary's JSON has the keys and units of the interface and survives numbers JSON does not know; the printed one
   says what a person must see; describing a file copes with anything. */
#include "plan/plan.h"
#include "testing.h"

#include "box_grid.h"
#include <hdf5.h>
#include <irezone/result.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *warnings[] = {"probe spacing 40 mm is beyond 32 mm"};
static IrzPulseResult pulses[2] = {
    {"A", "B", 3000, 3200, 3000, 19.36, 18.5, 0.012, 155, 6, 30, {3000, 0, NAN}, {19.36, -19.36, 0}, 0, 0.015},
    {"B", "C", 1500, 1500, NAN, 9, 9, -1, INFINITY, 5, 25, {NAN, 1500, 0}, {0, 9, -9}, 0.015, NAN}};
static IrzRegionVolume regions[2] = {{"default", 50000, 1.7e-3, 1.4e-5, 2e-7}, {"tumour", 60000, 8e-6, 1.44e-6, -1}};

static void fill(IrzSummary *summary, IrzPlan *plan) {
  memset(plan, 0, sizeof *plan);
  snprintf(plan->name, sizeof plan->name, "two-probe-liver");
  plan->n_probes = 3;
  for (int i = 0; i < 3; i++) snprintf(plan->probes[i].name, sizeof plan->probes[i].name, "%c", 'A' + i);
  plan->probes[0] = (IrzProbe){.name = "A",
                               .tip = {-0.01, 0, -0.01},
                               .direction = {0, 0, 1},
                               .exposure = 0.02,
                               .diameter = 0.00107,
                               .has_geometry = true};
  plan->n_warnings = 1;
  plan->warnings = warnings;
  *summary = (IrzSummary){.plan = plan,
                          .status = "converged",
                          .cells = 43331,
                          .vertices = 8847,
                          .unknowns = 64785,
                          .order = 2,
                          .ranks = 2,
                          .threads = 1,
                          .n_pulses = 2,
                          .pulses = pulses,
                          .zone = {.threshold = 50000,
                                   .volume = 1.5442e-5,
                                   .volume_error = 6e-8,
                                   .box = {{-0.02, -0.01, -0.0125}, {0.02, 0.01, 0.0125}},
                                   .n_parts = 2,
                                   .largest_part = 1.2e-5,
                                   .touches_outer = true,
                                   .n_also = 2,
                                   .also = {{35000, 2.1e-5, -1}, {40000, 1.9e-5, 1e-7}},
                                   .n_regions = 2,
                                   .regions = regions},
                          .timing = {.mesh = 0.5, .setup = 0.1, .solve = 1.2, .zone = 0.2, .output = 0.1, .total = NAN},
                          .peak_memory = 250e6};
}

/// The number at a path such as "zone/by_region/1/ablated_cm3".
static const json_t *at(const json_t *root, const char *path) {
  char copy[128], *rest = copy;
  snprintf(copy, sizeof copy, "%s", path);
  for (char *key; (key = strsep(&rest, "/")) != NULL;) {
    root = json_is_array(root) ? json_array_get(root, (size_t)atoi(key)) : json_object_get(root, key);
    if (root == NULL) fail_msg("there is no %s in the summary", path);
  }
  return root;
}

static void check_number(const json_t *root, const char *path, double wanted) {
  assert_true(json_is_number(at(root, path)));
  assert_close(json_number_value(at(root, path)), wanted, 1e-11);
}

static void check_text(const json_t *root, const char *path, const char *wanted) {
  assert_string_equal(json_string_value(at(root, path)), wanted);
}

static void check_null(const json_t *root, const char *path) {
  assert_true(json_is_null(at(root, path)));
}

static void json_layout(void **state) {
  (void)state;
  IrzPlan plan;
  IrzSummary summary;
  fill(&summary, &plan);
  char *text = irz_summary_json(&summary);
  json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
  assert_non_null(root);
  check_text(root, "plan", "two-probe-liver");
  check_text(root, "status", "converged");
  check_number(root, "mesh/cells", 43331);
  check_number(root, "mesh/vertices", 8847);
  check_number(root, "mesh/order", 2);
  check_number(root, "mesh/unknowns", 64785);
  check_text(root, "pulses/0/from", "A");
  check_text(root, "pulses/1/to", "C");
  check_number(root, "pulses/0/voltage_V", 3000);
  check_number(root, "pulses/0/withdrawn_mm", 0);
  check_number(root, "pulses/1/withdrawn_mm", 15);
  check_number(root, "pulses/0/current_A", 19.36);
  check_number(root, "pulses/0/current_error_A", 0.012);
  check_null(root, "pulses/1/current_error_A");
  check_number(root, "pulses/0/resistance_ohm", 155);
  check_null(root, "pulses/1/resistance_ohm");
  check_number(root, "pulses/0/distance_mm", 15);
  check_number(root, "pulses/0/voltage_per_distance_V_per_cm", 2000); /* 3000 V over 1.5 cm */
  check_null(root, "pulses/1/distance_mm");
  check_null(root, "pulses/1/voltage_per_distance_V_per_cm");
  check_number(root, "pulses/0/newton_iterations", 6);
  check_number(root, "pulses/0/linear_iterations", 30);
  check_number(root, "pulses/1/electrode_current_A/C", -9);
  check_number(root, "zone/threshold_V_per_cm", 500);
  check_number(root, "zone/volume_cm3", 15.442);
  check_number(root, "zone/volume_error_cm3", 0.06);
  check_number(root, "zone/extent_mm/0", 40);
  check_number(root, "zone/extent_mm/2", 25);
  check_number(root, "zone/bounding_box_mm/0/1", -10);
  check_number(root, "zone/bounding_box_mm/1/0", 20);
  check_number(root, "zone/parts", 2);
  check_number(root, "zone/largest_part_cm3", 12);
  assert_true(json_is_true(at(root, "zone/touches_outer")));
  check_number(root, "zone/by_threshold/0/threshold_V_per_cm", 350);
  check_number(root, "zone/by_threshold/1/volume_cm3", 19);
  check_null(root, "zone/by_threshold/0/volume_error_cm3");
  check_text(root, "zone/by_region/1/region", "tumour");
  check_number(root, "zone/by_region/1/threshold_V_per_cm", 600);
  check_number(root, "zone/by_region/1/volume_cm3", 8);
  check_number(root, "zone/by_region/1/ablated_cm3", 1.44);
  check_number(root, "zone/by_region/0/ablated_error_cm3", 0.2);
  check_null(root, "zone/by_region/1/ablated_error_cm3");
  check_text(root, "probes/2/name", "C");
  check_number(root, "probes/0/potential_V/0", 3000);
  check_null(root, "probes/2/potential_V/0");
  check_number(root, "probes/0/tip_mm/2", -10);
  check_number(root, "probes/0/exposure_mm", 20);
  assert_null(json_object_get(at(root, "probes/1"), "tip_mm"));
  check_text(root, "warnings/0", warnings[0]);
  check_number(root, "timing_s/solve", 1.2);
  check_null(root, "timing_s/total");
  check_number(root, "peak_memory_MB", 250);
  check_number(root, "ranks", 2);
  check_null(root, "frame");
  check_null(root, "anatomy");
  json_decref(root);
  free(text);
}

static void json_frame_and_bytes(void **state) {
  (void)state;
  IrzPlan plan;
  IrzSummary summary;
  fill(&summary, &plan);
  IrzLabel label = {.label = 2, .region = "tumour"};
  snprintf(plan.anatomy.labels, sizeof plan.anatomy.labels, "x.nii");
  plan.anatomy.frame = IRZ_FRAME_LPS;
  plan.anatomy.n_map = 1;
  plan.anatomy.map = &label;
  snprintf(summary.status, sizeof summary.status, "cut \xc3");
  char *text = irz_summary_json(&summary);
  json_t *root = json_loads(text, 0, NULL);
  check_text(root, "frame", "RAS"); /* plans are converted when they are read */
  check_text(root, "status", "cut ?");
  check_text(root, "anatomy/labels", "x.nii");
  check_number(root, "anatomy/map/0/label", 2);
  check_text(root, "anatomy/map/0/region", "tumour");
  json_decref(root);
  free(text);
}

static void print(void **state) {
  (void)state;
  IrzPlan plan;
  IrzSummary summary;
  char *text = NULL;
  size_t size;
  fill(&summary, &plan);
  FILE *out = open_memstream(&text, &size);
  irz_summary_print(&summary, out);
  fclose(out);
  assert_non_null(strstr(text, "15.44 ± 0.06 cm³"));
  assert_non_null(strstr(text, "19.360 ± 0.012 A"));
  assert_non_null(strstr(text, "SPLIT into 2 parts"));
  assert_non_null(strstr(text, "each region at its own threshold"));
  assert_non_null(strstr(text, "reaches the wall"));
  assert_non_null(strstr(text, "warning: probe spacing"));
  assert_non_null(strstr(text, "18.0 %"));
  free(text);
}

static double ball_field(const double x[3]) {
  return 100 * sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]);
}

/// Describe a file; the text or the error's line is returned, to be freed.
static char *describe(const char *path, IrzCode wanted) {
  IrzError error = {0};
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  IrzCode code = irz_result_print(path, out, &error);
  fclose(out);
  assert_int_equal(code, wanted);
  assert_int_equal(error.code, wanted);
  if (code == IRZ_OK) return text;
  assert_int_equal(strncmp(error.text, path, strlen(path)), 0);
  free(text);
  return strdup(error.text);
}

static void info(void **state) {
  (void)state;
  IrzPlan plan;
  IrzSummary summary;
  BoxGrid box;
  IrzError error = {0};
  char path[] = "/tmp/irezone-test-XXXXXX";
  fill(&summary, &plan);
  close(mkstemp(path));
  char *json = irz_summary_json(&summary);
  box_grid_make(&box, 3, 2, 0.06, ball_field, 0, 1);
  assert_int_equal(irz_vtkhdf_write(MPI_COMM_SELF, path, &box.grid, "name: x", json, &error), IRZ_OK);
  box_grid_free(&box);
  free(json);
  char *text = describe(path, IRZ_OK);
  assert_non_null(strstr(text, "162 cells, 343 points, 1 part"));
  assert_non_null(strstr(text, "x -30 to 30, y -30 to 30, z -30 to 30 mm"));
  assert_non_null(strstr(text, "0 to 3000\n"));    /* potential_V */
  assert_non_null(strstr(text, "0 to 5.19615\n")); /* field_V_per_cm, 100 sqrt(3) 0.03 */
  assert_non_null(strstr(text, "0.07 to 0.13\n")); /* conductivity */
  assert_non_null(strstr(text, "zone: 15.442 ± 0.06 cm³ at 500 V/cm"));
  free(text);

  /* Cut off at every tenth of its length, and with bytes turned over: a line or a description, never a crash. */
  FILE *file = fopen(path, "r");
  char *bytes = malloc(200000);
  size_t length = fread(bytes, 1, 200000, file);
  fclose(file);
  assert_in_range(length, 10000, 199999);
  for (size_t tenth = 0; tenth < 10; tenth++) {
    file = fopen(path, "w");
    fwrite(bytes, 1, length * tenth / 10, file);
    fclose(file);
    free(describe(path, IRZ_ERR_INPUT));
  }
  for (size_t i = 0; i < 4096; i += 7) {
    bytes[i] ^= 0x5a;
    file = fopen(path, "w");
    fwrite(bytes, 1, length, file);
    fclose(file);
    bytes[i] ^= 0x5a;
    IrzError ignored = {0};
    FILE *sink = fopen("/dev/null", "w");
    IrzCode code = irz_result_print(path, sink, &ignored);
    fclose(sink);
    assert_true(code == IRZ_OK || code == IRZ_ERR_INPUT);
  }
  free(bytes);
  unlink(path);
  text = describe("/nowhere/x.hdf", IRZ_ERR_INPUT);
  assert_non_null(strstr(text, "No such file"));
  free(text);
  hid_t other = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(other);
  text = describe(path, IRZ_ERR_INPUT);
  assert_non_null(strstr(text, "not VTKHDF"));
  free(text);
  unlink(path);
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  const struct CMUnitTest tests[] = {cmocka_unit_test(json_layout), cmocka_unit_test(json_frame_and_bytes),
                                     cmocka_unit_test(print), cmocka_unit_test(info)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Finalize();
  return failed;
}
