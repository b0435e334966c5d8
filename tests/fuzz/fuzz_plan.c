/* The plan reader: YAML, keys, units, limits and geometry. What stands behind a zero byte is an override. */
#include "fuzz.h"
#include "plan/plan.h"
#include <stdlib.h>
#include <string.h>

void fuzz_one(const uint8_t *data, size_t size) {
  char *text = fuzz_text(data, size);
  size_t length = strlen(text);
  const IrzOverride override = {length < size ? text + length + 1 : NULL};
  IrzPlan *plan = NULL, *moved = NULL;
  IrzError error = {0};
  IrzCode code = irz_plan_parse(text, "fuzz.yaml", override.text != NULL, &override, &plan, &error);
  fuzz_require((code == IRZ_OK) == (plan != NULL));
  if (code != IRZ_OK) fuzz_require_error(code, &error);
  if (plan != NULL) {
    irz_plan_print(plan, fuzz_nowhere());
    code = irz_plan_withdraw(plan, 1, &moved, &error);
    if (code != IRZ_OK) fuzz_require_error(code, &error);
  }
  irz_plan_free(moved);
  irz_plan_free(plan);
  free(text);
}
