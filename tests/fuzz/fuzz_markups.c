/* The readers of needles: F, a list of points (.fcsv), T, a transform, and else JSON. */
#include "fuzz.h"
#include <irezone/plan.h>
#include <string.h>

void fuzz_one(const uint8_t *data, size_t size) {
  static const char needles[] =
      "{\"markups\": [{\"type\": \"Line\", \"name\": \"A\", \"controlPoints\": [{\"position\": "
      "[0, 0, 0]}, {\"position\": [0, 0, 90]}]}]}";
  char path[512], transform[512], text[2048];
  bool list = size > 0 && data[0] == 'F', moved = size > 0 && data[0] == 'T';
  if (moved) {
    fuzz_write("t.tfm", data + 1, size - 1, transform);
    fuzz_write("f.mrk.json", needles, strlen(needles), path);
  } else {
    fuzz_write(list ? "f.fcsv" : "f.mrk.json", data + list, size - list, path);
  }
  snprintf(text, sizeof text,
           "name: fuzz\nprobes: {markups: %s, exposure: 20%s%s}\ntissues: {default: {preset: liver}}\n"
           "pulses: {pairs: all, field: 1000}\n",
           path, moved ? ", transform: " : "", moved ? transform : "");
  IrzPlan *plan = NULL, *again = NULL;
  IrzError error = {0};
  IrzCode code = irz_plan_parse(text, "fuzz.yaml", 0, NULL, &plan, &error);
  fuzz_require((code == IRZ_OK) == (plan != NULL));
  if (code != IRZ_OK) fuzz_require_error(code, &error);
  if (plan == NULL) return;
  /* Its text has the probes, and is the same plan. */
  fuzz_require(irz_plan_n_probes(plan) > 0);
  fuzz_require(irz_plan_parse(irz_plan_text(plan), "fuzz.yaml", 0, NULL, &again, &error) == IRZ_OK);
  fuzz_require(strcmp(irz_plan_text(again), irz_plan_text(plan)) == 0);
  irz_plan_free(again);
  irz_plan_free(plan);
}
