/* The table of quantities: what scripts rely on is there, under its name and in its unit; the JSON holds what the table
   says and nothing else; numbers are found by their paths. A quantity that is in the table but not here fails the
   test. */
#include "plan/plan.h"
#include "results/json.h"
#include "results/table.h"
#include "sweep/case.h"
#include "testing.h"
#include <irezone/result.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 300, LONGEST = 128 };

/* Every quantity. Names that exist stay as they are: scripts depend on them. A new one is added here. */
static const char *const names[] = {
    "irezone",
    "plan",
    "status",
    "frame",
    "anatomy",
    "anatomy.labels",
    "anatomy.map[]",
    "anatomy.map[].label",
    "anatomy.map[].region",
    "mesh",
    "mesh.cells",
    "mesh.vertices",
    "mesh.order",
    "mesh.unknowns",
    "pulses[]",
    "pulses[].from",
    "pulses[].to",
    "pulses[].withdrawn_mm",
    "pulses[].voltage_V",
    "pulses[].requested_voltage_V",
    "pulses[].highest_voltage_V",
    "pulses[].distance_mm",
    "pulses[].voltage_per_distance_V_per_cm",
    "pulses[].current_A",
    "pulses[].current_first_A",
    "pulses[].current_error_A",
    "pulses[].resistance_ohm",
    "pulses[].newton_iterations",
    "pulses[].linear_iterations",
    "pulses[].electrode_current_A",
    "zone",
    "zone.threshold_V_per_cm",
    "zone.volume_cm3",
    "zone.volume_error_cm3",
    "zone.extent_mm",
    "zone.bounding_box_mm",
    "zone.parts",
    "zone.largest_part_cm3",
    "zone.touches_outer",
    "zone.by_threshold[]",
    "zone.by_threshold[].threshold_V_per_cm",
    "zone.by_threshold[].volume_cm3",
    "zone.by_threshold[].volume_error_cm3",
    "zone.by_region[]",
    "zone.by_region[].region",
    "zone.by_region[].threshold_V_per_cm",
    "zone.by_region[].volume_cm3",
    "zone.by_region[].ablated_cm3",
    "zone.by_region[].ablated_error_cm3",
    "zone.by_region[].ablated_percent",
    "zone.by_survival[]",
    "zone.by_survival[].survival",
    "zone.by_survival[].volume_cm3",
    "zone.by_survival[].volume_error_cm3",
    "probes[]",
    "probes[].name",
    "probes[].potential_V",
    "probes[].face_mm",
    "probes[].tip_mm",
    "probes[].direction",
    "probes[].side",
    "probes[].width_mm",
    "probes[].height_mm",
    "probes[].thickness_mm",
    "probes[].exposure_mm",
    "probes[].diameter_mm",
    "probes[].tip_shape",
    "probes[].needle",
    "probes[].metal_in[]",
    "probes[].metal_in[].region",
    "probes[].metal_in[].mm",
    "probes[].shaft_in[]",
    "probes[].shaft_in[].region",
    "probes[].shaft_in[].mm",
    "warnings",
    "timing_s",
    "timing_s.mesh",
    "timing_s.setup",
    "timing_s.solve",
    "timing_s.zone",
    "timing_s.output",
    "timing_s.total",
    "peak_memory_MB",
    "ranks",
    "threads",
    "anisotropy[]",
    "anisotropy[].tissue",
    "anisotropy[].tensor",
    "anisotropy[].rise",
    "pullback",
    "pullback.step_mm",
    "pullback.count",
    "heat",
    "heat.temperature_peak_C",
    "heat.temperature_peak_error_C",
    "heat.peak_time_s",
    "heat.peak_at_mm",
    "heat.volume_50C_cm3",
    "heat.volume_50C_error_cm3",
    "heat.volume_damage_cm3",
    "heat.volume_damage_error_cm3",
    "heat.volume_cem43_240min_cm3",
    "heat.volume_cem43_240min_error_cm3",
    "heat.zone_damage_cm3",
    "heat.zone_damage_error_cm3",
    "heat.thermal_share_percent",
    "heat.thermal_share_error_percent",
    "heat.damage_note",
    "heat.duration_s",
    "heat.energy_J",
    "heat.energy_J.joule",
    "heat.energy_J.metabolic",
    "heat.energy_J.stored",
    "heat.energy_J.perfused",
    "heat.energy_J.conducted",
    "heat.energy_J.balance_error_percent",
    "heat.steps",
    "heat.linear_iterations",
    "heat.field_solves",
    "heat.seconds",
    "heat.cpu_seconds",
    "heat.series",
    "heat.series.time_s",
    "heat.series.pulse",
    "heat.series.current_A",
    "heat.series.power_W",
    "heat.series.temperature_max_C",
    "heat.series.probe_temperature_C",
    "pairs[]",
    "pairs[].from",
    "pairs[].to",
    "pairs[].distance_mm",
    "pairs[].distance_mm.tip",
    "pairs[].distance_mm.middle",
    "pairs[].distance_mm.top",
    "pairs[].distance_mm.least",
    "pairs[].angle_degree",
    "pairs[].depth_offset_mm",
    "pairs[].clearance_mm",
    "pairs[].voltage_per_distance_V_per_cm",
    "pairs[].voltage_per_distance_V_per_cm.tip",
    "pairs[].voltage_per_distance_V_per_cm.middle",
    "pairs[].voltage_per_distance_V_per_cm.top",
    "needles[]",
    "needles[].name",
    "needles[].length_mm",
    "needles[].entry_mm",
    "needles[].crosses[]",
    "needles[].crosses[].region",
    "needles[].crosses[].mm",
    "needles[].crosses[].metal_mm",
    "needles[].crosses[].avoid",
    "needles[].clearance[]",
    "needles[].clearance[].region",
    "needles[].clearance[].mm",
    "needles[].clearance[].at_mm",
    "needles[].clearance[].smooth",
    "needles[].allowed",
    "at_risk[]",
    "at_risk[].region",
    "at_risk[].threshold_V_per_cm",
    "at_risk[].volume_cm3",
    "at_risk[].ablated_cm3",
    "at_risk[].ablated_error_cm3",
    "at_risk[].distance_to_metal_mm",
    "at_risk[].distance_to_zone_mm",
    "at_risk[].field_V_per_cm",
    "at_risk[].field_V_per_cm.max",
    "at_risk[].field_V_per_cm.e2",
    "at_risk[].field_V_per_cm.e_0_1_cm3",
    "at_risk[].max_field_V_per_cm",
    "at_risk[].above_limit_cm3",
    "at_risk[].limit_kept",
    "at_risk[].temperature_max_C",
    "at_risk[].volume_50C_cm3",
    "at_risk[].damaged_cm3",
    "at_risk[].wall",
    "at_risk[].wall.field_V_per_cm",
    "at_risk[].wall.temperature_max_C",
    "at_risk[].wall.damaged",
    "compare",
    "compare.dice",
    "compare.hausdorff95_mm",
    "compare.mean_distance_mm",
    "compare.computed_cm3",
    "compare.measured_cm3",
    "compare.volume_difference_cm3",
    "compare.voxel_mm",
    "compare.best",
    "compare.best.threshold_V_per_cm",
    "compare.best.dice",
    "compare.dice_by_threshold[]",
    "compare.dice_by_threshold[].threshold_V_per_cm",
    "compare.dice_by_threshold[].dice",
    "targets[]",
    "targets[].region",
    "targets[].organ",
    "targets[].wanted_margin_mm",
    "targets[].threshold_V_per_cm",
    "targets[].volume_cm3",
    "targets[].covered_cm3",
    "targets[].covered_error_cm3",
    "targets[].coverage",
    "targets[].coverage_at[]",
    "targets[].coverage_at[].threshold_V_per_cm",
    "targets[].coverage_at[].coverage",
    "targets[].missed_cm3",
    "targets[].missed_largest_cm3",
    "targets[].missed_at_mm",
    "targets[].field_V_per_cm",
    "targets[].field_V_per_cm.e98",
    "targets[].field_V_per_cm.e95",
    "targets[].field_V_per_cm.e50",
    "targets[].field_V_per_cm.e2",
    "targets[].surface_cm2",
    "targets[].margin_mm",
    "targets[].margin_mm.min",
    "targets[].margin_mm.error",
    "targets[].margin_mm.at_mm",
    "targets[].margin_mm.p1",
    "targets[].margin_mm.p5",
    "targets[].margin_mm.p50",
    "targets[].margin_mm.area_below_0",
    "targets[].margin_mm.area_0_to_5",
    "targets[].margin_mm.area_from_5",
    "targets[].margin_mm.area_below_wanted",
    "targets[].margin_mm.histogram[]",
    "targets[].margin_mm.histogram[].from",
    "targets[].margin_mm.histogram[].to",
    "targets[].margin_mm.histogram[].area",
    "targets[].margin_off_capsule_mm",
    "targets[].margin_off_capsule_mm.min",
    "targets[].margin_off_capsule_mm.error",
    "targets[].margin_off_capsule_mm.at_mm",
    "targets[].margin_off_capsule_mm.p1",
    "targets[].margin_off_capsule_mm.p5",
    "targets[].margin_off_capsule_mm.p50",
    "targets[].margin_off_capsule_mm.area_below_0",
    "targets[].margin_off_capsule_mm.area_0_to_5",
    "targets[].margin_off_capsule_mm.area_from_5",
    "targets[].margin_off_capsule_mm.area_below_wanted",
    "targets[].margin_off_capsule_mm.histogram[]",
    "targets[].margin_off_capsule_mm.histogram[].from",
    "targets[].margin_off_capsule_mm.histogram[].to",
    "targets[].margin_off_capsule_mm.histogram[].area",
    "targets[].margin_off_capsule_mm.excluded_area",
    "targets[].shells[]",
    "targets[].shells[].mm",
    "targets[].shells[].volume_cm3",
    "targets[].shells[].ablated",
    "targets[].conformity",
    "targets[].conformity.paddick",
    "targets[].conformity.selectivity",
    "targets[].conformity.healthy_cm3",
    "targets[].sphere_mm",
    "targets[].sphere_mm.radius",
    "targets[].sphere_mm.center",
    "targets[].sphere_mm.treatable_diameter",
};
enum { N_NAMES = sizeof names / sizeof names[0] };

/// Paths, each once.
typedef struct {
  char path[MOST][LONGEST];
  int n;
} Paths;

static bool has(const Paths *paths, const char *path) {
  for (int i = 0; i < paths->n; i++) {
    if (strcmp(paths->path[i], path) == 0) return true;
  }
  return false;
}

static void add(Paths *paths, const char *path) {
  if (has(paths, path)) return;
  assert_in_range(paths->n, 0, MOST - 1);
  snprintf(paths->path[paths->n++], LONGEST, "%s", path);
}

static bool is_list(const IrzQuantity *row) {
  return row->type == IRZ_QUANTITY_LIST || (row->type == IRZ_QUANTITY_MADE && row->rows != NULL);
}

static void join(char path[LONGEST], const char *above, const char *name, bool list) {
  snprintf(path, LONGEST, "%s%s%s%s", above, *above != '\0' ? "." : "", name, list ? "[]" : "");
}

/// Collect what the table has, and look at each row.
static void walk_table(const IrzQuantity *rows, const char *above, Paths *paths) {
  for (const IrzQuantity *row = rows; row->name != NULL; row++) {
    char path[LONGEST];
    join(path, above, row->name, is_list(row));
    if (has(paths, path)) fail_msg("%s is in the table twice", path);
    add(paths, path);
    if (row->help == NULL || row->help[0] == '\0') fail_msg("%s has no help", path);
    size_t length = row->unit != NULL ? strlen(row->unit->name) : 0;
    const char *end = path + strlen(path) - (length < strlen(path) ? length : 0);
    /* "timing_s.mesh": the unit may be in the name of what the quantity belongs to. */
    char inherited[LONGEST];
    snprintf(inherited, sizeof inherited, "_%s.", row->unit != NULL ? row->unit->name : "");
    bool in_parent = strstr(path, inherited) != NULL;
    if (length > 0 && strcmp(end, row->unit->name) != 0 && !in_parent) {
      fail_msg("%s does not end in its unit, %s", path, row->unit->name);
    }
    if (row->rows != NULL) walk_table(row->rows, path, paths);
  }
}

/// The row of a name, or NULL.
static const IrzQuantity *find_row(const IrzQuantity *rows, const char *name) {
  for (const IrzQuantity *row = rows; row != NULL && row->name != NULL; row++) {
    if (strcmp(row->name, name) == 0) return row;
  }
  return NULL;
}

/// Collect what a summary's JSON has; what the table does not know fails.
static void walk_json(json_t *map, const IrzQuantity *rows, const char *above, Paths *paths) {
  const char *key;
  json_t *value, *entry;
  size_t i;
  json_object_foreach(map, key, value) {
    const IrzQuantity *row = find_row(rows, key);
    char path[LONGEST];
    if (row == NULL) fail_msg("the JSON has %s.%s, the table has not", above, key);
    join(path, above, key, is_list(row));
    add(paths, path);
    if (row->rows == NULL) continue;
    if (is_list(row))
      json_array_foreach(value, i, entry) walk_json(entry, row->rows, path, paths);
    else
      walk_json(value, row->rows, path, paths);
  }
}

static char *warnings[] = {"probe spacing 40 mm is beyond 32 mm"};
static IrzPulseResult pulses[2] = {
    {"A", "B", 3000, 3200, 3000, 19.36, 18.5, 0.012, 155, 6, 30, {3000, 0, NAN}, {19.36, -19.36, 0}, 0, 0.015},
    {"B", "C", 1500, 1500, NAN, 9, 9, -1, INFINITY, 5, 25, {NAN, 1500, 0}, {0, 9, -9}, 0.015, NAN}};
static IrzRegionVolume regions[2] = {{"default", 50000, 1.7e-3, 1.4e-5, 2e-7}, {"tumour", 60000, 8e-6, 1.44e-6, -1}};
static IrzLabel label = {.label = 2, .region = "tumour"};
static IrzTissue tissues[2] = {{.region = "default"},
                               {.region = "muscle", .sigma = {.direction = IRZ_LAW_ALONG, .shape = {2, 0.5, 0.5}}}};
static IrzHeatSample samples[2] = {{0.1, 0, 19, 50, 40, {38, 39, 37}}, {0.7, -1, 0, 0, 39, {37.5, 38, 37}}};
static IrzHeatResult heat = {.peak = 61.5, .thermal_share = 0.125, .joule = 900, .n_samples = 2, .samples = samples};
static IrzTarget target = {.region = "tumour",
                           .organ = "liver",
                           .coverage = 0.75,
                           .n_coverages = 1,
                           .margins.n_bins = 1,
                           .off_capsule.n_bins = 1};
static IrzCrossed crossed = {"vein", 0.004, 0.001, true};
static IrzNeedleChecks needles = {.n = 1,
                                  .needle = {{.name = "A",
                                              .length = 0.08,
                                              .n_crossed = 1,
                                              .crossed = &crossed,
                                              .n_clearances = 1,
                                              .clearance = {{"vein", 0.002, {0, 0, 0.01}, true}}}}};
static IrzAtRisk at_risk = {.region = "vein", .limit = 1e5};
static IrzComparison comparison = {.dice = 0.8, .computed = 3e-6, .measured = 2e-6};
static IrzPatient patient = {
    .n_targets = 1, .targets = &target, .compare = &comparison, .n_at_risk = 1, .at_risk = &at_risk};
static char path_regions[3][IRZ_NAME_MAX] = {"default", "tumour", "outside"};
static double metal[9] = {0.01, 0.005, 0, 0, 0, 0, 0, 0, 0}, shaft[9] = {0.03, 0, 0.002};
static IrzPaths needle_paths = {3, 2, path_regions, 1, metal, shaft};

/// A summary without anything that may be missing.
static void fill_plain(IrzSummary *summary, IrzPlan *plan) {
  memset(plan, 0, sizeof *plan);
  snprintf(plan->name, sizeof plan->name, "two-probe-liver");
  *summary = (IrzSummary){.plan = plan, .status = "converged", .zone.volume_error = -1};
}

/// A summary with everything that may be missing.
static void fill(IrzSummary *summary, IrzPlan *plan) {
  fill_plain(summary, plan);
  plan->n_probes = 3;
  plan->probes[0] = (IrzProbe){.name = "A", .tip = {-0.01, 0, -0.01}, .exposure = 0.02, .has_geometry = true};
  plan->probes[1] = (IrzProbe){.name = "B", .needle = "N", .has_geometry = true};
  plan->probes[2] = (IrzProbe){.name = "C", .plate = {0.02, 0.03}, .exposure = 0.001, .has_geometry = true};
  plan->n_warnings = 1;
  plan->warnings = warnings;
  snprintf(plan->anatomy.labels, sizeof plan->anatomy.labels, "x.nii");
  plan->anatomy.n_map = 1;
  plan->anatomy.map = &label;
  plan->n_tissues = 2;
  plan->tissues = tissues;
  plan->pullback.count = 1;
  plan->pullback.step = 0.015;
  summary->n_pulses = 2;
  summary->pulses = pulses;
  summary->heat = &heat;
  summary->paths = &needle_paths;
  summary->pairs =
      (IrzPairs){1, {{.from = "A", .to = "B", .tip = 0.02, .middle = 0.015, .top = 0.01, .voltage = 3000}}};
  summary->needles = &needles;
  summary->patient = &patient;
  summary->timing.total = NAN;
  summary->peak_memory = 250e6;
  summary->cells = 43331;
  summary->zone = (IrzZone){.threshold = 50000,
                            .volume = 1.5442e-5,
                            .volume_error = -1,
                            .box = {{-0.02, -0.01, -0.0125}, {0.02, 0.01, 0.0125}},
                            .n_parts = 2,
                            .touches_outer = true,
                            .n_also = 2,
                            .also = {{35000, 2.1e-5, -1}, {40000, 1.9e-5, 1e-7}},
                            .n_survival = 1,
                            .by_survival = {{0.1, 1e-5, 1e-7}},
                            .n_regions = 2,
                            .regions = regions};
}

static void same_names(void **state) {
  (void)state;
  static Paths table;
  walk_table(irz_quantities, "", &table);
  for (int i = 0; i < N_NAMES; i++) {
    if (!has(&table, names[i])) fail_msg("%s is gone from the table of quantities", names[i]);
  }
  for (int i = 0; i < table.n; i++) {
    bool known = false;
    for (int j = 0; j < N_NAMES; j++) known |= strcmp(table.path[i], names[j]) == 0;
    if (!known) fail_msg("%s is new in the table of quantities: add it to this test", table.path[i]);
  }
}

static void same_json(void **state) {
  (void)state;
  static Paths found, plain;
  IrzPlan plan;
  IrzSummary summary;
  fill(&summary, &plan);
  json_t *root = irz_summary_object(&summary);
  walk_json(root, irz_quantities, "", &found);
  json_decref(root);
  for (int i = 0; i < N_NAMES; i++) {
    if (!has(&found, names[i])) fail_msg("the summary has no %s, or this test does not fill it in", names[i]);
  }
  fill_plain(&summary, &plan);
  root = irz_summary_object(&summary);
  walk_json(root, irz_quantities, "", &plain);
  assert_true(json_is_null(json_object_get(root, "anatomy")));
  assert_null(json_object_get(root, "heat"));
  assert_null(json_object_get(root, "anisotropy"));
  json_decref(root);
}

static void help_has_all(void **state) {
  (void)state;
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  irz_results_help(out);
  fclose(out);
  int lines = 0;
  for (const char *c = text; *c != '\0'; c++) lines += *c == '\n';
  assert_int_equal(lines, N_NAMES);
  assert_non_null(strstr(text, "    volume_cm3               where the field reaches"));
  free(text);
}

static void check_number(const IrzSummary *summary, const char *path, double wanted) {
  IrzError error = {0};
  double number = 0;
  if (irz_summary_number(summary, path, &number, &error) != IRZ_OK) fail_msg("%s: %s", path, error.text);
  if (isnan(wanted))
    assert_true(isnan(number));
  else
    assert_close(number, wanted, 1e-12);
}

static void check_refused(const IrzSummary *summary, const char *path, const char *words) {
  IrzError error = {0};
  double number = 0;
  assert_int_equal(irz_summary_number(summary, path, &number, &error), IRZ_ERR_PLAN);
  if (strstr(error.text, words) == NULL) fail_msg("%s: \"%s\" lacks \"%s\"", path, error.text, words);
  assert_true(isnan(number));
}

static void numbers(void **state) {
  (void)state;
  IrzPlan plan;
  IrzSummary summary;
  fill(&summary, &plan);
  check_number(&summary, "zone.volume_cm3", 15.442);
  check_number(&summary, "zone.volume_error_cm3", NAN);
  check_number(&summary, "zone.touches_outer", 1);
  check_number(&summary, "zone.extent_mm[2]", 25);
  check_number(&summary, "zone.by_region.tumour.ablated_cm3", 1.44);
  check_number(&summary, "zone.by_region.tumour.ablated_percent", 18);
  check_number(&summary, "zone.by_region[0].volume_cm3", 1700);
  check_number(&summary, "zone.by_threshold.400.volume_cm3", 19);
  check_number(&summary, "zone.by_survival.0.1.volume_cm3", 10);
  check_number(&summary, "pulses[1].current_A", 9);
  check_number(&summary, "pulses[1].resistance_ohm", NAN);
  check_number(&summary, "pulses[1].electrode_current_A.C", -9);
  check_number(&summary, "probes.A.tip_mm[0]", -10);
  check_number(&summary, "probes.C.height_mm", 30);
  check_number(&summary, "probes.A.metal_in.tumour.mm", 5);
  check_number(&summary, "heat.thermal_share_percent", 12.5);
  check_number(&summary, "heat.series.time_s[1]", 0.7);
  check_number(&summary, "anisotropy.muscle.tensor[0]", 2);
  check_number(&summary, "peak_memory_MB", 250);
  check_refused(&summary, "zone.volume_cm", "did you mean \"zone.volume_cm3\"?");
  check_refused(&summary, "zone.by_region.tumor.ablated_cm3", "did you mean \"zone.by_region.tumour.ablated_cm3\"?");
  check_refused(&summary, "volume_cm3", "the summary has no \"volume_cm3\"");
  check_refused(&summary, "zone", "is no number; it holds threshold_V_per_cm");
  check_refused(&summary, "pulses[2].current_A", "the summary has no");
  check_refused(&summary, "", "is no number");
}

static void case_numbers(void **state) {
  (void)state;
  IrzPlan plan;
  IrzSummary summary;
  IrzCaseResult result = {0};
  fill(&summary, &plan);
  json_t *root = irz_summary_object(&summary);
  irz_case_take(root, &result);
  json_decref(root);
  assert_close(result.volume, 1.5442e-5, 1e-12);
  assert_true(isnan(result.volume_error));
  assert_close(result.current, 19.36, 1e-12); /* the larger */
  assert_int_equal(result.newton_iterations, 11);
  assert_int_equal(result.linear_iterations, 55);
  assert_int_equal(result.n_parts, 2);
  assert_int_equal(result.touches_outer, 1);
  assert_close(result.extent[2], 0.025, 1e-12);
  /* With another number of them old journals cannot be read: raise JOURNAL_FORMAT, then this. */
  assert_int_equal(irz_n_case_numbers, 12);
  for (int i = 0; i < irz_n_case_numbers; i++) {
    const IrzCaseNumber *number = irz_case_number_at(i);
    assert_non_null(number);
    irz_case_number_set(number, i + 1, &result);
    assert_int_equal(irz_case_number_get(number, &result), i + 1);
  }
  for (int i = 0; i < irz_n_case_numbers; i++) {
    assert_int_equal(irz_case_number_get(irz_case_number_at(i), &result), i + 1);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(same_names), cmocka_unit_test(same_json),
                                     cmocka_unit_test(help_has_all), cmocka_unit_test(numbers),
                                     cmocka_unit_test(case_numbers)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
