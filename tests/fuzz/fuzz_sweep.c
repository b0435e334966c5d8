/* The sweep reader with a plan beside it, and the plans of the first cases. What stands behind a zero byte is the plan.
 */
#include "fuzz.h"
#include <irezone/plan.h>
#include <irezone/sweep.h>
#include <stdlib.h>
#include <string.h>

static const char usual_plan[] = "name: p\n"
                                 "array: {count: 2, spacing: 15, exposure: 20}\n"
                                 "tissues: {default: {sigma: {law: constant, value: 0.1}, threshold: 500}}\n"
                                 "pulses: [{from: A, to: B, voltage: 2000}]\n";

/// A million cases take a second to draw, which they may; here they would only keep others waiting.
static bool asks_for_many(const char *text) {
  for (const char *at = text; (at = strstr(at, "cases")) != NULL; at++) {
    if (strtod(at + strcspn(at, "0123456789"), NULL) > 2000) return true;
  }
  return false;
}

void fuzz_one(const uint8_t *data, size_t size) {
  char *text = fuzz_text(data, size);
  size_t length = strlen(text);
  IrzSweep *sweep = NULL;
  IrzError error = {0};
  if (asks_for_many(text)) {
    free(text);
    return;
  }
  IrzCode code =
      irz_sweep_parse(text, "fuzz_sweep.yaml", length < size ? text + length + 1 : usual_plan, &sweep, &error);
  fuzz_require((code == IRZ_OK) == (sweep != NULL));
  if (code != IRZ_OK) fuzz_require_error(code, &error);
  int n = sweep != NULL ? irz_sweep_n_cases(sweep) : 0;
  fuzz_require(sweep == NULL || n > 0);
  for (int number = 1; number <= n && number <= 3; number++) {
    for (int j = 0; j < irz_sweep_n_parameters(sweep); j++) {
      char value[256];
      fuzz_require(irz_sweep_key(sweep, j)[0] != '\0');
      irz_sweep_value(sweep, number, j, value, sizeof value);
      fuzz_require(memchr(value, '\0', sizeof value) != NULL);
    }
    IrzPlan *plan = NULL;
    code = irz_sweep_plan(sweep, number, &plan, &error);
    if (code != IRZ_OK) fuzz_require_error(code, &error);
    irz_plan_free(plan);
  }
  irz_sweep_free(sweep);
  free(text);
}
