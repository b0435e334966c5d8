/* Presets: complete, physically sensible, each number with a source; a few against their sources. */
#include "testing.h"
#include <irezone/tissue.h>
#include <stdio.h>
#include <string.h>

static void sourced(const char *preset, const IrzSourced *number, double least, double most) {
  if (number->source == NULL || strlen(number->source) < 5) fail_msg("%s: a number without a source", preset);
  if (!(number->value >= least && number->value <= most)) {
    fail_msg("%s: %g is outside %g to %g", preset, number->value, least, most);
  }
}

static void complete(void **state) {
  (void)state;
  static const char *const wanted[] = {"liver", "liver-tumour", "kidney", "lung", "prostate", "pancreas",
                                       "brain", "muscle",       "fat",    "bone", "vessel",   "bile-duct",
                                       "nerve", "urethra",      "potato", "gel"};
  for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) assert_non_null(irz_preset_find(wanted[i]));
  assert_null(irz_preset_find("marble"));
  int count;
  const IrzPreset *presets = irz_presets(&count);
  for (int i = 0; i < count; i++) {
    const IrzPreset *p = &presets[i];
    assert_true(irz_law_is_monotone(&p->sigma, NULL));
    assert_true(strlen(p->sigma_source) > 5 && strlen(p->title) > 2);
    sourced(p->name, &p->threshold, p->threshold_low, p->threshold_high);
    if (p->fibre_ratio.source != NULL) sourced(p->name, &p->fibre_ratio, 1.1, 20);
    sourced(p->name, &p->temperature_coefficient, 0.005, 0.03);
    sourced(p->name, &p->density, 300, 2000);
    sourced(p->name, &p->heat_capacity, 1000, 4300);
    sourced(p->name, &p->heat_conductivity, 0.1, 0.7);
    sourced(p->name, &p->perfusion, 0, 0.1);
    sourced(p->name, &p->metabolic_heat, 0, 20000);
  }
}

static void values(void **state) {
  (void)state;
  assert_near(irz_preset_find("muscle")->fibre_ratio.value, 5.5556, 1e-3); /* 0.75 over 0.135 S/m */
  const IrzPreset *liver = irz_preset_find("liver");
  assert_near(irz_law_sigma(&liver->sigma, 0, NULL), 0.08, 1e-12);
  assert_near(irz_law_sigma(&liver->sigma, 52500, NULL), 0.20, 1e-12);
  assert_near(irz_law_sigma(&liver->sigma, 1e5, NULL), 0.32, 1e-12);
  /* IT'IS: 860.5 ml of blood per minute and kg at 1078.75 kg/m^3 */
  assert_close(liver->perfusion.value, 860.5e-6 / 60 * 1078.75, 1e-3);
  assert_near(irz_law_sigma(&irz_preset_find("potato")->sigma, 25000, NULL), 0.03 + 0.35 * exp(-1), 1e-9);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(complete), cmocka_unit_test(values)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
