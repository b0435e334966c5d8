/* A change that fails leaves the plan as it was and says why; several changes are checked together; values and defaults
   can be asked for; and any number of changes takes no memory. */
#define _GNU_SOURCE /* nftw */
#include "api.h"
#include <irezone/plan.h>
#include <math.h>
#include <string.h>

static const char text[] = "name: two\n"
                           "mesh: {size: 60}\n"
                           "tissues: {default: {preset: liver}}\n"
                           "probes: [{name: A, tip: [-7.5, 0, -10], exposure: 10}, {name: B, tip: [7.5, 0, -10]}]\n"
                           "pulses: [{from: A, to: B, voltage: 2000}]\n";

static const struct {
  const char *key, *value, *why;
} refused[] = {
    {"pulses[0].voltage", "-5", "outside"},
    {"pulses[0].voltage", "2,5", "did you mean 2.5?"},
    {"pulses[0].voltage", "", "is empty"},
    {"pulses[0].to", "C", "no probe is named \"C\""},
    {"pulses[0].volts", "5", "unknown key"},
    {"pulses[3].voltage", "5", "beyond the list"},
    {"pulses.x.voltage", "5", "a list needs a number"},
    {"probes[1].tip", "[-7.5, 0.1, -10]", "touch"},
    {"probes[1].tip", "[7.5, 0]", "has 2 numbers"},
    {"probes[0].exposure", "70", "mesh.size"},
    {"mesh.size", "1 # mm", "would be a comment"},
    {"mesh.size", "!!int 100", "tags"},
    {"mesh.size", "{a: 1", "not valid YAML"},
    {"mesh.size", "\xb5", "not UTF-8"},
    {"mesh.\xb5", "1", "not UTF-8"},
    {"mesh..size", "1", "malformed"},
    {"mesh[", "1", "malformed"},
    {"", "1", "empty key"},
    {"tissues", NULL, "missing"},
    {"probes[1].name", NULL, "so it cannot be removed"},
    {"heat", "{coupling: half}", "none or full"},
    {"name", "a/b", "must not contain /"},
};

int main(int argc, char **argv) {
  (void)argc;
  (void)argv;
  IrzError error = {0};
  IrzPlan *plan;
  PROMISE(irz_plan_parse(text, "t.yaml", 0, NULL, &plan, &error) == IRZ_OK, "%s", error.text);
  char *before = strdup(irz_plan_text(plan));
  double number = 0;
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
    const char *key = refused[i].key, *value = refused[i].value, *why = refused[i].why;
    IrzCode code = value != NULL ? irz_plan_set(plan, key, value, &error) : irz_plan_remove(plan, key, &error);
    if (strcmp(key, "probes[1].name") == 0 && code == IRZ_OK) {
      /* B is what its default would be, so this may be removed: put it back. */
      PROMISE(irz_plan_set(plan, key, "B", &error) == IRZ_OK, "%s", error.text);
      free(before);
      before = strdup(irz_plan_text(plan));
      continue;
    }
    PROMISE(code == IRZ_ERR_PLAN && strstr(error.text, why) != NULL, "%s: %d: %s", key, (int)code, error.text);
    PROMISE(strcmp(irz_plan_text(plan), before) == 0, "%s changed the plan:\n%s", key, irz_plan_text(plan));
  }
  PROMISE(irz_plan_set_number(plan, "mesh.size", NAN, &error) == IRZ_ERR_PLAN, "NaN");
  PROMISE(irz_plan_set_number(plan, "mesh.size", INFINITY, &error) == IRZ_ERR_PLAN, "infinity");
  PROMISE(strcmp(irz_plan_text(plan), before) == 0, "%s", irz_plan_text(plan));

  /* Two needles that change places touch on the way, but not in the end. */
  const IrzChange swap[] = {{"probes[0].tip", "[7.5, 0, -10]"}, {"probes[1].tip", "[-7.5, 0, -10]"}};
  PROMISE(irz_plan_change(plan, 1, swap, &error) == IRZ_ERR_PLAN, "one needle in the other's place");
  PROMISE(irz_plan_change(plan, 2, swap, &error) == IRZ_OK, "%s", error.text);
  PROMISE(irz_plan_number(plan, "probes[0].tip[0]", &number, &error) == IRZ_OK && number == 7.5, "%g", number);
  const IrzChange other[] = {{"probes", NULL}, {"array", "{count: 3, spacing: 15, exposure: 10}"}};
  PROMISE(irz_plan_change(plan, 2, other, &error) == IRZ_OK, "%s", error.text);
  PROMISE(irz_plan_n_probes(plan) == 3 && strcmp(irz_plan_probe_name(plan, 2), "C") == 0, "%d probes",
          irz_plan_n_probes(plan));
  PROMISE(irz_plan_probe_name(plan, 3) == NULL && irz_plan_probe_name(plan, -1) == NULL, "a fourth probe");
  PROMISE(irz_plan_warning(plan, irz_plan_n_warnings(plan)) == NULL, "one warning too many");

  /* Stated, by default, and neither. */
  PROMISE(irz_plan_number(plan, "mesh.size", &number, &error) == IRZ_OK && number == 60, "%g", number);
  PROMISE(irz_plan_number(plan, "mesh.accuracy", &number, &error) == IRZ_OK && number == 1, "%g", number);
  PROMISE(irz_plan_number(plan, "solver.tolerance", &number, &error) == IRZ_OK && number == 1e-8, "%g", number);
  PROMISE(irz_plan_number(plan, "array.center[2]", &number, &error) == IRZ_OK && number == 0, "%g", number);
  PROMISE(irz_plan_number(plan, "pulses[0].count", &number, &error) == IRZ_OK && number == 90, "%g", number);
  static const struct {
    const char *key;
    double value;
  } liver[] = {{"sigma.low", 0.08}, {"sigma.to", 700}, {"threshold", 500}, {"density", 1078.75}};
  for (size_t i = 0; i < sizeof liver / sizeof liver[0]; i++) {
    char key[80];
    snprintf(key, sizeof key, "tissues.default.%s", liver[i].key);
    PROMISE(irz_plan_number(plan, key, &number, &error) == IRZ_OK && number == liver[i].value, "%s is %g", key, number);
  }
  number = 4711;
  static const char *const none[] = {"heat.cooling", "mesh.siz", "pulses[7].count", "name", "zone.threshold",
                                     "mesh",         ""};
  for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
    PROMISE(irz_plan_number(plan, none[i], &number, &error) == IRZ_ERR_PLAN && number == 4711, "%s is %g", none[i],
            number);
    PROMISE(error.text[0] != '\0', "%s", none[i]);
  }
  char *value;
  PROMISE(irz_plan_value(plan, "array", &value, &error) == IRZ_OK, "%s", error.text);
  PROMISE(strcmp(value, "{count: 3, spacing: 15, exposure: 10}") == 0, "%s", value);
  free(value);
  PROMISE(irz_plan_set_text(plan, "name", "null", &error) == IRZ_OK, "%s", error.text);
  PROMISE(strcmp(irz_plan_name(plan), "null") == 0, "%s", irz_plan_name(plan));

  /* Twenty thousand changes; a million take a minute and hold no more. */
  size_t held_before = 0;
  for (int i = 0; i < 20000; i++) {
    if (i == 2000) held_before = held();
    PROMISE(irz_plan_set_number(plan, "pulses[0].voltage", 1000 + 0.001 * i, &error) == IRZ_OK, "%s", error.text);
    if (i % 3 == 0)
      PROMISE(irz_plan_set(plan, "array.spacing", "0.5", &error) == IRZ_ERR_PLAN, "needles in each other");
  }
  PROMISE(held() <= held_before + 16384, "%zu bytes more", held() - held_before);
  PROMISE(irz_plan_number(plan, "pulses[0].voltage", &number, &error) == IRZ_OK && number == 1000 + 0.001 * 19999, "%g",
          number);
  free(before);
  irz_plan_free(plan);
  return 0;
}
