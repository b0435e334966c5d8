/* Needles that an override has moved, and what that does to voltages. */
#include "base/entry.h"
#include "plan/geometry.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Change of a voltage, V, that is worth a word. */
static const double least_change = 0.5;

bool irz_key_moves_needles(const char *key) {
  static const char *const keys[] = {"probes", "array", "plates"};
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
    size_t length = strlen(keys[i]);
    if (strncmp(key, keys[i], length) == 0 && strchr(".[=", key[length]) != NULL) return true;
  }
  return false;
}

/* The pulse of the plan before that fires the same pair at the same field, or NULL. */
static const IrzPulse *find_same(const IrzPlan *before, const IrzPlan *plan, const IrzPulse *pulse) {
  for (int j = 0; j < before->n_pulses; j++) {
    const IrzPulse *other = &before->pulses[j];
    bool from = strcmp(before->probes[other->from].name, plan->probes[pulse->from].name) == 0;
    bool to = strcmp(before->probes[other->to].name, plan->probes[pulse->to].name) == 0;
    if (from && to && other->field == pulse->field) return other;
  }
  return NULL;
}

void irz_plan_warn_of_voltages(IrzPlan *plan, const IrzPlan *before, const char *mover) {
  char text[IRZ_ERROR_TEXT / 2] = "";
  for (int i = 0; i < plan->n_pulses; i++) {
    const IrzPulse *now = &plan->pulses[i], *then = now->field > 0 ? find_same(before, plan, now) : NULL;
    if (then == NULL) continue;
    double change = now->voltage - then->voltage;
    if (change < least_change && change > -least_change) continue;
    size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, "%s%s-%s %.6g V/cm x %.4g mm = %.6g V (%.6g V before)",
             used > 0 ? ", " : "", plan->probes[now->from].name, plan->probes[now->to].name, now->field / 100,
             1e3 * irz_plan_distance(plan, now->from, now->to), now->voltage, then->voltage);
  }
  if (text[0] == '\0') return;
  irz_plan_warn(plan, "%s: pulses: field is kept, so the voltage follows the needles that %s: %s", plan->file, mover,
                text);
}

void irz_plan_warn_of_moves(IrzPlan *plan, const char *path, int n_overrides, const IrzOverride *overrides) {
  IRZ_ENTER_QUIETLY;
  IrzOverride *others = calloc((size_t)n_overrides + 1, sizeof *others);
  IrzPlan *before = NULL;
  IrzError ignored = {0};
  int left = 0;
  for (int i = 0; i < n_overrides && others != NULL; i++) {
    if (!irz_key_moves_needles(overrides[i].text)) others[left++] = overrides[i];
  }
  bool moved = others != NULL && left < n_overrides;
  if (moved && irz_plan_read(path, left, others, &before, &ignored) == IRZ_OK)
    irz_plan_warn_of_voltages(plan, before, "--set has moved");
  free(others);
  irz_plan_free(before);
}
