/* Plans: values in SI, arrays, pairs, overrides, warnings, frames, the text that reads back. Bad plans: bad_plans.sh.
 */
#include "plan/plan.h"
#include "testing.h"
#include <irezone/plan.h>
#include <stdlib.h>
#include <string.h>

static const char two[] = "name: two\n"
                          "mesh: {size: 100, accuracy: 2, order: 1}\n"
                          "tissues:\n"
                          "  default: {preset: liver}\n"
                          "  tumour: {preset: liver-tumour, threshold: 450}\n"
                          "probes:\n"
                          "  - {name: A, tip: [-10, 0, -10], direction: [0, 0, 2], exposure: 20, diameter: 1.2}\n"
                          "  - {tip: [10, 0, -10]}\n"
                          "pulses:\n"
                          "  - {from: A, to: B, voltage: 3000, count: 80, width: 70, rate: 2}\n"
                          "  - {from: B, to: A, field: 1000}\n"
                          "idle_probes: insulating\n"
                          "memory: pairs\n"
                          "generator: {max_voltage: 2900, enforce: true}\n"
                          "zone: {threshold: 600, also: [500, 700]}\n";

/* Parse a text that must be right. */
static IrzPlan *parse(const char *text, int n, const IrzOverride *overrides) {
  IrzPlan *plan;
  IrzError error = {0};
  if (irz_plan_parse(text, "dir/t.yaml", n, overrides, &plan, &error) != IRZ_OK) fail_msg("%s", error.text);
  return plan;
}

/* How many warnings contain a text. */
static int warned(const IrzPlan *plan, const char *text) {
  int count = 0;
  for (int i = 0; i < plan->n_warnings; i++) count += strstr(plan->warnings[i], text) != NULL;
  return count;
}

static void si_units(void **state) {
  (void)state;
  IrzPlan *plan = parse(two, 0, NULL);
  assert_string_equal(plan->name, "two");
  assert_near(plan->mesh.size, 0.1, 1e-15);
  assert_near(plan->mesh.accuracy, 0.02, 1e-15);
  assert_int_equal(plan->mesh.order, 1);
  assert_int_equal(plan->n_tissues, 2);
  assert_string_equal(plan->tissues[0].region, "default");
  assert_near(plan->tissues[0].sigma.p, 35000, 1e-9);
  assert_near(plan->tissues[0].threshold, 60000, 1e-9); /* zone.threshold comes before the preset's */
  assert_false(plan->tissues[0].threshold_stated);
  assert_near(plan->tissues[1].threshold, 45000, 1e-9); /* the tissue's own before both */
  assert_true(plan->tissues[1].threshold_stated);
  assert_int_equal(irz_plan_tissue(plan, "tumour"), 1);
  assert_int_equal(irz_plan_tissue(plan, "spleen"), 0);
  assert_string_equal(plan->probes[1].name, "B");
  assert_near(plan->probes[0].tip[0], -0.01, 1e-15);
  assert_near(plan->probes[0].direction[2], 1, 1e-15);
  assert_near(plan->probes[0].diameter, 0.0012, 1e-15);
  assert_near(plan->probes[1].diameter, 0.00107, 1e-15);
  assert_near(plan->probes[1].exposure, 0.02, 1e-15);
  assert_int_equal(plan->n_pulses, 2);
  assert_int_equal(plan->pulses[0].count, 80);
  assert_near(plan->pulses[0].width, 70e-6, 1e-18);
  assert_near(plan->pulses[0].rate, 2, 1e-15);
  assert_near(plan->pulses[1].voltage, 2000, 1e-9); /* 1000 V/cm over 2 cm */
  assert_int_equal(plan->pulses[1].from, 1);
  assert_int_equal(plan->pulses[1].count, 90);
  assert_int_equal(plan->idle_probes, IRZ_IDLE_INSULATING);
  assert_int_equal(plan->memory, IRZ_MEMORY_PAIRS);
  assert_true(plan->generator.enforce);
  assert_near(plan->generator.max_current, 50, 1e-12);
  assert_near(plan->zone.threshold, 60000, 1e-9);
  assert_int_equal(plan->zone.n_also, 2);
  assert_near(plan->zone.also[1], 70000, 1e-9);
  assert_int_equal(warned(plan, "3000 V for A-B is beyond the 2900 V"), 1);
  double center[3];
  irz_plan_center(plan, center);
  for (int i = 0; i < 3; i++) assert_near(center[i], 0, 1e-15);
  irz_plan_free(plan);
}

static void laws(void **state) {
  (void)state;
  static const struct {
    const char *sigma;
    double field, value; /* V/m, S/m */
  } cases[] = {
      {"{law: constant, value: 0.2}", 5e4, 0.2},
      {"{law: ramp, low: 0.1, high: 0.3, from: 400, to: 600}", 5e4, 0.2},
      {"{law: sigmoid, low: 0.1, high: 0.35, center: 580, width: 80}", 58000, 0.225},
      {"{law: smoothstep, low: 0.1, high: 0.3, from: 400, to: 600}", 5e4, 0.2},
      {"{law: gompertz, low: 0.03, high: 0.38, a: 12.182493960703473, b: 0.01}", 25000,
       0.03 + 0.35 * 0.36787944117144233},
      {"{law: table, field: [100, 500, 600], sigma: [0.1, 0.2, 0.4]}", 55000, 0.3},
      {"{low: 0.12}", 0, 0.12}, /* the rest is the preset's */
      {"{law: ramp, high: 0.4}", 1e6, 0.4},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char text[256];
    snprintf(text, sizeof text, "tissues.default.sigma=%s", cases[i].sigma);
    IrzOverride override = {text};
    IrzPlan *plan = parse(two, 1, &override);
    assert_near(irz_law_sigma(&plan->tissues[0].sigma, cases[i].field, NULL), cases[i].value, 1e-9);
    irz_plan_free(plan);
  }
}

static void arrays(void **state) {
  (void)state;
  static const double square = 0.01, root3 = 1.7320508075688772;
  for (int count = 2; count <= 6; count++) {
    char text[256];
    snprintf(text, sizeof text,
             "tissues: {default: {preset: liver}}\narray: {count: %d, spacing: 20, exposure: 30, center: [1, 2, 3]}\n"
             "pulses: {pairs: all, field: 1000}\n",
             count);
    IrzPlan *plan = parse(text, 0, NULL);
    assert_int_equal(plan->n_probes, count);
    assert_int_equal(plan->n_pulses, count * (count - 1) / 2);
    double center[3];
    irz_plan_center(plan, center);
    for (int i = 0; i < 3; i++) assert_near(center[i], 1e-3 * (i + 1), 1e-12);
    for (int i = 0; i < count; i++) {
      assert_near(plan->probes[i].tip[2], -0.012, 1e-12);
      assert_int_equal(plan->probes[i].name[0], 'A' + i);
    }
    const double(*a)[3] = (const double(*)[3])plan->probes[0].tip, (*b)[3] = (const double(*)[3])plan->probes[1].tip;
    if (count == 2) {
      assert_near((*a)[0], 0.001 - 0.01, 1e-12);
      assert_near((*b)[0], 0.001 + 0.01, 1e-12);
    } else if (count == 3) {
      for (int i = 0; i < 3; i++) assert_near(irz_plan_distance(plan, i, (i + 1) % 3), 0.02, 1e-12);
      assert_near((*a)[1], (*b)[1], 1e-12);
      assert_near(plan->probes[2].tip[1], 0.002 + 0.02 / root3, 1e-12);
    } else if (count == 4) {
      for (int i = 0; i < 4; i++) {
        assert_near(irz_plan_distance(plan, i, (i + 1) % 4), 0.02, 1e-12);
        assert_near(fabs(plan->probes[i].tip[0] - 0.001), square, 1e-12);
      }
    } else {
      assert_near((*a)[0], 0.001, 1e-12);
      assert_near((*b)[0], 0.021, 1e-12);
      for (int i = 1; i < count; i++) assert_near(irz_plan_distance(plan, 0, i), 0.02, 1e-12);
    }
    irz_plan_free(plan);
  }
}

static void pairs_within_spacing(void **state) {
  (void)state;
  IrzPlan *plan = parse("tissues: {default: {preset: liver}}\narray: {count: 4, spacing: 20}\n"
                        "pulses: {pairs: all, field: 1500, max_spacing: 20}\n",
                        0, NULL);
  static const int wanted[4][2] = {{0, 1}, {0, 3}, {1, 2}, {2, 3}}; /* the sides, not the diagonals */
  assert_int_equal(plan->n_pulses, 4);
  for (int i = 0; i < 4; i++) {
    assert_int_equal(plan->pulses[i].from, wanted[i][0]);
    assert_int_equal(plan->pulses[i].to, wanted[i][1]);
    assert_near(plan->pulses[i].voltage, 3000, 1e-9);
  }
  assert_int_equal(plan->n_warnings, 0);
  assert_int_equal(plan->zone.n_also, 6);
  assert_true(plan->zone.threshold < 0);
  irz_plan_free(plan);
}

/* A needle with several electrodes, and the shape of needles' ends. */
static void electrodes(void **state) {
  (void)state;
  IrzPlan *plan =
      parse("tissues: {default: {preset: liver}}\n"
            "probes:\n"
            "  - {name: N, tip: [1, 2, 3], direction: [0, 3, 4], electrodes: [7, 5, 6], gap: 2, diameter: 1.65,\n"
            "     tip_shape: rounded}\n"
            "  - {tip: [30, 0, 0], tip_shape: trocar}\n"
            "pulses: [{from: N1, to: N3, field: 1000}, {from: N2, to: B, voltage: 1000}]\n",
            0, NULL);
  static const char *const names[] = {"N1", "N2", "N3", "B"};
  static const double length[] = {7e-3, 5e-3, 6e-3, 20e-3}, start[] = {0, 9e-3, 16e-3};
  assert_int_equal(plan->n_probes, 4);
  for (int i = 0; i < 4; i++) {
    const IrzProbe *probe = &plan->probes[i];
    assert_string_equal(probe->name, names[i]);
    assert_near(probe->exposure, length[i], 1e-15);
    assert_int_equal(probe->place, i < 3 ? i : 0);
    assert_string_equal(probe->needle, i < 3 ? "N" : "");
    assert_int_equal(probe->tip_shape, i < 3 ? IRZ_TIP_ROUNDED : IRZ_TIP_TROCAR);
    if (i == 3) continue;
    assert_near(probe->diameter, 1.65e-3, 1e-15);
    assert_near(probe->tip[0], 1e-3, 1e-15);
    assert_near(probe->tip[1], 2e-3 + 0.6 * start[i], 1e-15);
    assert_near(probe->tip[2], 3e-3 + 0.8 * start[i], 1e-15);
  }
  /* the middles of 7 and 6 mm with 2 + 5 + 2 mm between them */
  assert_near(plan->pulses[0].voltage, 1000 * (3.5 + 9 + 3) / 10, 1e-9);
  assert_int_equal(plan->pulses[1].to, 3);
  assert_int_equal(warned(plan, "depth"), 0); /* of electrodes on one needle nobody expects the same */
  assert_near(irz_probe_point_length(&plan->probes[0]), 0.825e-3, 1e-15);
  assert_near(irz_probe_point_length(&plan->probes[3]), 0.535e-3 * sqrt(3), 1e-15);
  irz_plan_free(plan);
}

/* Two plates: A before the middle of the gap, B behind it. */
static void plates(void **state) {
  (void)state;
  static const char text[] =
      "tissues: {default: {preset: liver}}\n"
      "mesh: {size: 60}\n"
      "plates: {width: 12, height: 16, gap: 8, thickness: 2, center: [1, 2, 3], direction: [0, 0, 5]}\n"
      "pulses: [{from: A, to: B, field: 1000}]\n";
  IrzPlan *plan = parse(text, 0, NULL);
  double center[3], corner[3];
  assert_int_equal(plan->n_probes, 2);
  assert_near(plan->pulses[0].voltage, 800, 1e-9); /* over the gap */
  irz_plan_center(plan, center);
  for (int k = 0; k < 3; k++) assert_near(center[k], (k + 1) * 1e-3, 1e-15);
  for (int p = 0; p < 2; p++) {
    const IrzProbe *probe = &plan->probes[p];
    double sign = p == 0 ? -1 : 1;
    assert_near(probe->tip[2], 3e-3 + sign * 4e-3, 1e-15);
    assert_near(probe->direction[2], sign, 1e-15);
    assert_near(irz_probe_metal(probe), 12e-3 * 16e-3 * 2e-3, 1e-15);
    for (int c = 0; c < 8; c++) {
      irz_plate_corner(probe, c, corner); /* the height is along y for plates that face z */
      assert_near(fabs(corner[0] - 1e-3), 6e-3, 1e-15);
      assert_near(fabs(corner[1] - 2e-3), 8e-3, 1e-15);
      assert_near(corner[2] - 3e-3, sign * (c & 4 ? 6e-3 : 4e-3), 1e-15);
    }
  }
  assert_false(irz_plates_clamp(plan));
  assert_int_equal(plan->n_warnings, 0);
  irz_plan_free(plan);
  static const IrzOverride wide[] = {{"plates.width=60"}, {"plates.height=70"}};
  plan = parse(text, 2, wide);
  assert_true(irz_plates_clamp(plan));
  irz_plan_free(plan);
}

/* Needles withdrawn along their own axes, in one box for all positions. */
static void pullback(void **state) {
  (void)state;
  IrzPlan *plan = parse("tissues: {default: {preset: liver}}\n"
                        "probes:\n"
                        "  - {tip: [-10, 0, 0], exposure: 10}\n"
                        "  - {tip: [10, 0, 0], direction: [3, 0, 4], exposure: 20}\n"
                        "pulses: [{from: A, to: B, voltage: 1000}]\n"
                        "pullback: {step: 5, count: 2}\n",
                        0, NULL),
          *moved;
  IrzError error = {0};
  double center[3], again[3];
  assert_int_equal(plan->pullback.count, 2);
  irz_plan_center(plan, center);
  assert_near(center[0], (-10 + 10 + 0.6 * (10 + 5)) / 2 * 1e-3, 1e-15);
  assert_near(center[2], (5 + 5 + 0.8 * (10 + 5)) / 2 * 1e-3, 1e-15);
  for (int k = 0; k <= 2; k++) {
    assert_int_equal(irz_plan_withdraw(plan, k, &moved, &error), IRZ_OK);
    assert_near(moved->probes[0].tip[2], 5e-3 * k, 1e-15);
    assert_near(moved->probes[1].tip[0], 10e-3 + 3e-3 * k, 1e-15);
    assert_near(moved->probes[1].tip[2], 4e-3 * k, 1e-15);
    irz_plan_center(moved, again);
    for (int d = 0; d < 3; d++) assert_near(again[d], center[d], 1e-15);
    irz_plan_free(moved);
  }
  irz_plan_free(plan);
}

static void warnings(void **state) {
  (void)state;
  static const struct {
    const char *override, *warning;
  } cases[] = {
      {"probes[1].exposure=55", "probes[1].exposure: 55 mm is outside 5 to 40 mm"},
      {"probes[1].exposure=22", "22 mm is no multiple of 5 mm"},
      {"pulses[0].width=200", "pulses[0].width: 200 µs is outside 20 to 100 µs"},
      {"pulses[0].count=5", "pulses[0].count: 5 is outside 10 to 100"},
      {"probes[1].tip=[14, 0, -10]", "24 mm apart; more than 23 mm is unusual"},
      {"probes[1].tip=[23, 0, -10]", "33 mm apart, beyond the 32 mm"},
      {"probes[1].tip=[10, 0, -5]", "differ in depth by 5 mm"},
      {"probes[1].direction=[0.2, 0, 1]", "11.3 degrees out of parallel"},
      /* each limit of the generator moved past the plan: 80 pulses of 70 us, 20 mm bare, 20 mm apart */
      {"generator.min_count=95", "80 is outside 95 to 100"},
      {"generator.max_count=60", "80 is outside 10 to 60"},
      {"generator.min_width=80", "70 µs is outside 80 to 100 µs"},
      {"generator.max_width=60", "70 µs is outside 20 to 60 µs"},
      {"generator.min_exposure=25", "20 mm is outside 25 to 40 mm"},
      {"generator.max_exposure=15", "20 mm is outside 5 to 15 mm"},
      {"generator.exposure_step=3", "20 mm is no multiple of 3 mm"},
      {"generator.usual_spacing=18", "20 mm apart; more than 18 mm is unusual"},
      {"generator.max_spacing=19", "20 mm apart, beyond the 19 mm"},
      {"generator.max_voltage=2950", "3000 V for A-B is beyond the 2950 V"},
      {"mesh.scale=2", "no effect on a generated mesh"},
  };
  IrzPlan *plan = parse(two, 0, NULL);
  int before = plan->n_warnings;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) assert_int_equal(warned(plan, cases[i].warning), 0);
  irz_plan_warn(plan, "%s", "twice");
  irz_plan_warn(plan, "%s", "twice");
  assert_int_equal(plan->n_warnings, before + 1);
  irz_plan_free(plan);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    IrzOverride override = {cases[i].override};
    plan = parse(two, 1, &override);
    if (warned(plan, cases[i].warning) == 0) fail_msg("%s: no warning \"%s\"", cases[i].override, cases[i].warning);
    irz_plan_free(plan);
  }
  static const IrzOverride any_exposure[] = {{"generator.exposure_step=0"}, {"probes[1].exposure=22"}};
  plan = parse(two, 2, any_exposure);
  assert_int_equal(warned(plan, "multiple"), 0);
  irz_plan_free(plan);
  static const IrzOverride fine = {"probes[1].direction=[0.17, 0, 1]"}; /* 9.6 degrees */
  plan = parse(two, 1, &fine);
  assert_int_equal(warned(plan, "parallel"), 0);
  irz_plan_free(plan);
}

static void anisotropy(void **state) {
  (void)state;
  static const IrzOverride fibres = {"tissues.default={preset: muscle, anisotropy: {fibres: [0, 3, 4]}}"};
  IrzPlan *plan = parse(two, 1, &fibres);
  const IrzLaw *law = &plan->tissues[0].sigma;
  assert_int_equal(plan->tissues[1].sigma.direction, IRZ_LAW_ISOTROPIC);
  assert_int_equal(law->direction, IRZ_LAW_SCALED);
  /* 0.75 along, 0.135 across, of mean 0.34; along (0, 0.6, 0.8) */
  const double mean = 1.02 / 3, rise = (0.75 - 0.135) / mean, across = 0.135 / mean;
  const double wanted[6] = {across, across + 0.36 * rise, across + 0.64 * rise, 0, 0.48 * rise, 0};
  for (int k = 0; k < 6; k++) assert_near(law->shape[k], wanted[k], 1e-12);
  irz_plan_free(plan);

  static const IrzOverride tensor[] = {
      {"tissues.tumour={preset: liver, anisotropy: {tensor: [2, 4, 6, 0.4, -0.6, 1], rise: along-field}}"},
      {"anatomy={labels: a.nii, map: {1: tumour, 7: liver}, frame: LPS}"}};
  for (int lps = 0; lps < 2; lps++) {
    plan = parse(two, 1 + lps, tensor);
    law = &plan->tissues[1].sigma;
    assert_int_equal(law->direction, IRZ_LAW_ALONG);
    const double sign = lps ? -1 : 1, shape[6] = {0.5, 1, 1.5, 0.1, -0.15 * sign, 0.25 * sign};
    for (int k = 0; k < 6; k++) assert_near(law->shape[k], shape[k], 1e-15);
    irz_plan_free(plan);
  }
  static const IrzOverride ratio = {"tissues.default={preset: muscle, anisotropy: {fibres: [1, 0, 0], ratio: 4}}"};
  plan = parse(two, 1, &ratio);
  assert_near(plan->tissues[0].sigma.shape[0], 2, 1e-12);
  assert_near(plan->tissues[0].sigma.shape[1], 0.5, 1e-12);
  irz_plan_free(plan);
}

static void frames_and_paths(void **state) {
  (void)state;
  static const IrzOverride overrides[] = {{"anatomy={labels: a.nii, map: {1: tumour, 7: liver}, frame: LPS}"},
                                          {"probes[1].tip=[10, 3, -10]"}};
  IrzPlan *plan = parse(two, 2, overrides);
  assert_string_equal(irz_path_from_here(plan->anatomy.labels), "dir/a.nii");
  assert_int_equal(plan->anatomy.n_map, 2);
  assert_int_equal(plan->anatomy.map[1].label, 7);
  assert_near(plan->probes[1].tip[0], -0.010, 1e-15); /* LPS to RAS: x and y change sign */
  assert_near(plan->probes[1].tip[1], -0.003, 1e-15);
  assert_near(plan->probes[1].tip[2], -0.010, 1e-15);
  assert_int_equal(warned(plan, "tissues has no \"liver\""), 1);
  assert_int_equal(warned(plan, "tissues.tumour"), 0);
  /* the text names the file from the root, and gives the same plan from another folder */
  IrzPlan *again;
  IrzError error = {0};
  assert_int_equal(irz_plan_parse(plan->text, "/elsewhere/u.yaml", 0, NULL, &again, &error), IRZ_OK);
  assert_int_equal(again->anatomy.labels[0], '/');
  assert_non_null(strstr(again->anatomy.labels, "/dir/a.nii"));
  assert_memory_equal(plan->probes[1].tip, again->probes[1].tip, sizeof plan->probes[1].tip);
  irz_plan_free(again);
  irz_plan_free(plan);
}

static void loaded_mesh(void **state) {
  (void)state;
  IrzPlan *plan = parse("mesh: {file: ../m.msh, scale: 10}\ntissues: {default: {preset: gel}}\n"
                        "probes: [{surface: left}, {name: R}]\npulses: [{from: A, to: R, voltage: 100}]\n",
                        0, NULL);
  assert_string_equal(plan->name, "t"); /* the file's name */
  assert_string_equal(irz_path_from_here(plan->mesh.file), "dir/../m.msh");
  assert_near(plan->mesh.scale, 0.01, 1e-15);
  assert_string_equal(plan->probes[0].surface, "left");
  assert_string_equal(plan->probes[1].surface, "R");
  assert_false(plan->probes[0].has_geometry);
  irz_plan_free(plan);
}

static void text_reads_back(void **state) {
  (void)state;
  static const IrzOverride overrides[] = {{"tissues.default.sigma.low=0.123456789"}, {"pulses[1].field=1234.5"}};
  IrzPlan *plan = parse(two, 2, overrides);
  IrzPlan *again = parse(plan->text, 0, NULL);
  assert_string_equal(plan->text, again->text);
  assert_near(again->tissues[0].sigma.low, 0.123456789, 1e-15);
  assert_near(again->pulses[1].voltage, plan->pulses[1].voltage, 0);
  assert_memory_equal(plan->probes[0].tip, again->probes[0].tip, sizeof plan->probes[0].tip);
  irz_plan_free(again);
  irz_plan_free(plan);
}

/* Damaged plans end with one line or as plans, never worse. The damage is the same in every run. */
static void damaged(void **state) {
  (void)state;
  static const char put[] = "{}[]:,-#&*!|>'\"%@` \n\t0eA~";
  uint32_t random = 12345;
  int refused = 0;
  for (int trial = 0; trial < 3000; trial++) {
    char text[sizeof two];
    memcpy(text, two, sizeof two);
    for (int change = 0; change < 1 + trial % 3; change++) {
      random = random * 1664525u + 1013904223u;
      size_t at = (random >> 8) % (sizeof two - 1);
      random = random * 1664525u + 1013904223u;
      text[at] = put[(random >> 8) % (sizeof put - 1)];
    }
    if (trial % 7 == 0) text[(random >> 4) % (sizeof two - 1)] = '\0';
    IrzPlan *plan;
    IrzError error = {0};
    IrzCode code = irz_plan_parse(text, "t.yaml", 0, NULL, &plan, &error);
    if (code == IRZ_OK) {
      IrzPlan *again = parse(plan->text, 0, NULL);
      irz_plan_free(again);
    } else {
      assert_int_equal(code, IRZ_ERR_PLAN);
      assert_null(plan);
      assert_non_null(strstr(error.text, "t.yaml"));
      refused++;
    }
    irz_plan_free(plan);
  }
  assert_true(refused > 1000);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(si_units),    cmocka_unit_test(laws),
                                     cmocka_unit_test(arrays),      cmocka_unit_test(pairs_within_spacing),
                                     cmocka_unit_test(warnings),    cmocka_unit_test(anisotropy),
                                     cmocka_unit_test(electrodes),  cmocka_unit_test(plates),
                                     cmocka_unit_test(pullback),    cmocka_unit_test(frames_and_paths),
                                     cmocka_unit_test(loaded_mesh), cmocka_unit_test(text_reads_back),
                                     cmocka_unit_test(damaged)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
