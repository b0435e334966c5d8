/* Numbers in another unit are doubted, with what they would be; ordinary ones are not. */
#include "plan/plan.h"
#include "testing.h"
#include <irezone/plan.h>
#include <stdio.h>
#include <string.h>

/// Overrides of an ordinary plan, and what must be said; NULL: nothing.
typedef struct {
  const char *set[3], *said;
} Case;

static const Case cases[] = {
    {{NULL}, NULL},
    {{"array.exposure=2"}, "probe A, exposure: 2 mm is unusual: were 2 cm meant, which are 20 mm?"},
    {{"array.spacing=1.5"}, "distance of probes A and B: 1.5 mm is unusual: were 1.5 cm meant, which are 15 mm?"},
    {{"array.diameter=0.1"}, "probe A, diameter: 0.1 mm is unusual: were 0.1 cm meant, which are 1 mm?"},
    {{"array.diameter=18", "array.spacing=40", "mesh.size=200"},
     "18 mm is unusual: were 18 gauge meant, which are 1.27 mm?"},
    {{"pulses.voltage=2.5"}, "pulses, voltage: 2.5 V is unusual: were 2.5 kV meant, which are 2500 V?"},
    {{"pulses={pairs: all, field: 1.5}"},
     "pulses, field: 1.5 V/cm is unusual: were 1.5 kV/cm meant, which are 1500 V/cm?"},
    {{"pulses={pairs: all, field: 1500}"}, NULL},
    {{"pulses.width=0.1"}, "pulses, width: 0.1 us is unusual: were 0.1 ms meant, which are 100 us?"},
    {{"zone={threshold: 50000}"}, "zone.threshold: 50000 V/cm is unusual: were 50000 V/m meant, which are 500 V/cm?"},
    {{"tissues.default={preset: liver, threshold: 1.6}"}, "tissues.default.threshold: 1.6 V/cm is unusual"},
    {{"zone={threshold: 500, also: [400, 60000]}"}, "zone.also: 60000 V/cm is unusual"},
    {{"tissues.default.sigma={law: ramp, low: 0.8, high: 3.2, from: 350, to: 700}"},
     "tissues.default.sigma: 3.2 S/m is unusual: were 3.2 mS/cm meant, which are 0.32 S/m?"},
    {{"tissues.default.sigma={law: constant, value: 800}"}, "were 800 mS/m meant, which are 0.8 S/m?"},
    {{"tissues.default.sigma={law: constant, value: 0.002}"}, "were 0.002 S/cm meant, which are 0.2 S/m?"},
    {{"tissues.default.sigma={law: ramp, low: 0.1, high: 0.3, from: 0.35, to: 0.7}"},
     "0.7 V/cm is unusual: were 0.7 kV/cm"},
    {{"tissues.default.sigma={law: ramp, low: 0.1, high: 0.3, from: 350, to: 700}"}, NULL},
    {{"tissues.default.sigma={law: constant, value: 1.8}"}, NULL},
    {{"array.diameter=0.3", "array.spacing=5", "array.exposure=5"}, NULL},
};

static void doubts(void **state) {
  static const char text[] =
      "tissues: {default: {preset: liver}}\narray: {count: 2, spacing: 15}\npulses: {pairs: all, "
      "voltage: 1500}\n";
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    IrzOverride set[3];
    IrzPlan *plan;
    IrzError error = {0};
    int count = 0;
    while (count < 3 && cases[i].set[count] != NULL) set[count] = (IrzOverride){cases[i].set[count]}, count++;
    if (irz_plan_parse(text, "u.yaml", count, set, &plan, &error) != IRZ_OK)
      fail_msg("%s: %s", cases[i].set[0], error.text);
    bool said = false, unusual = false;
    for (int w = 0; w < plan->n_warnings; w++) {
      said = said || (cases[i].said != NULL && strstr(plan->warnings[w], cases[i].said) != NULL);
      unusual = unusual || strstr(plan->warnings[w], "were ") != NULL;
    }
    if (said != (cases[i].said != NULL) || unusual != said) {
      for (int w = 0; w < plan->n_warnings; w++) print_message("%s\n", plan->warnings[w]);
      fail_msg("%s: not as wanted: %s", cases[i].set[0] ? cases[i].set[0] : "",
               cases[i].said ? cases[i].said : "nothing");
    }
    irz_plan_free(plan);
  }
}

/// `frame` without a label map turns everything by half a turn about z.
static void frame(void **state) {
  static const char text[] =
      "frame: LPS\ntissues: {default: {preset: muscle, anisotropy: {fibres: [1, 2, 3]}}}\nprobes:\n"
      "  - {tip: [1, 2, 3], direction: [0.6, 0, 0.8]}\n  - {tip: [11, 12, 3]}\n"
      "pulses: {pairs: all, field: 1000}\n";
  IrzPlan *plan, *same;
  IrzError error = {0};
  IrzOverride ras = {"frame=RAS"}, loaded = {"mesh={file: m.msh}"};
  (void)state;
  if (irz_plan_parse(text, "u.yaml", 0, NULL, &plan, &error) != IRZ_OK) fail_msg("%s", error.text);
  if (irz_plan_parse(text, "u.yaml", 1, &ras, &same, &error) != IRZ_OK) fail_msg("%s", error.text);
  for (int p = 0; p < 2; p++) {
    for (int k = 0; k < 3; k++) {
      double sign = k < 2 ? -1 : 1;
      assert_near(plan->probes[p].tip[k], sign * same->probes[p].tip[k], 1e-15);
      assert_near(plan->probes[p].direction[k], sign * same->probes[p].direction[k], 1e-15);
    }
  }
  /* of the tensor's [xx, yy, zz, xy, xz, yz] those of z with x or y change their sign */
  for (int k = 0; k < 6; k++) {
    double own = plan->tissues[0].sigma.shape[k], other = same->tissues[0].sigma.shape[k];
    assert_near(fabs(own), fabs(other), 1e-12);
  }
  assert_near(plan->pulses[0].voltage, same->pulses[0].voltage, 1e-9);
  irz_plan_free(plan);
  irz_plan_free(same);
  assert_int_equal(irz_plan_parse(text, "u.yaml", 1, &loaded, &plan, &error), IRZ_ERR_PLAN);
  assert_non_null(strstr(error.text, "u.yaml:1: frame: does not go together with a loaded mesh"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(doubts), cmocka_unit_test(frame)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
