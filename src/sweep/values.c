/* The values of a case, and the plan that has them. */
#include "base/entry.h"
#include "base/memory.h"
#include "base/number.h"
#include "sweep/sweep.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int irz_sweep_n_cases(const IrzSweep *sweep) {
  return sweep != NULL ? sweep->n_cases : 0;
}

int irz_sweep_n_parameters(const IrzSweep *sweep) {
  return sweep != NULL ? sweep->n_parameters : 0;
}

const char *irz_sweep_key(const IrzSweep *sweep, int parameter) {
  return parameter >= 0 && parameter < irz_sweep_n_parameters(sweep) ? sweep->parameters[parameter].key : NULL;
}

void irz_sweep_value(const IrzSweep *sweep, int number, int parameter, char *text, size_t size) {
  IRZ_ENTER_QUIETLY;
  if (size > 0) text[0] = '\0';
  if (number < 1 || number > irz_sweep_n_cases(sweep) || irz_sweep_key(sweep, parameter) == NULL) return;
  const IrzParameter *p = &sweep->parameters[parameter];
  double value = sweep->value[(size_t)(number - 1) * (size_t)sweep->n_parameters + (size_t)parameter];
  if (p->draw == IRZ_DRAW_VALUES) {
    snprintf(text, size, "%s", p->text[(int)value]);
    return;
  }
  /* The table, the plan and the solver agree on every bit. */
  char number_text[IRZ_NUMBER_TEXT];
  irz_number_text(value, number_text);
  snprintf(text, size, "%s", number_text);
}

/// Warn of voltages that follow the needles, where a sweep moves these and pulses state a field.
static IrzCode warn_of_moves(const IrzSweep *sweep, const IrzOverride *set, IrzPlan *plan, IrzError *error) {
  bool moved = false, follows = false;
  for (int j = 0; j < sweep->n_parameters; j++) moved = moved || irz_key_moves_needles(sweep->parameters[j].key);
  for (int i = 0; i < plan->n_pulses; i++) follows = follows || plan->pulses[i].field > 0;
  if (!moved || !follows) return IRZ_OK;
  IrzPlan *before = NULL;
  IrzError ignored = {0}; /* the plan alone need not be one that can run */
  irz_plan_parse(sweep->plan_text, sweep->plan_file, sweep->n_set, set, &before, &ignored);
  if (ignored.code == IRZ_ERR_MEMORY) return irz_error_set(error, ignored.code, "%s", ignored.text);
  if (before != NULL) irz_plan_warn_of_voltages(plan, before, "the sweep moves");
  irz_plan_free(before);
  return IRZ_OK;
}

IrzCode irz_sweep_plan(const IrzSweep *sweep, int number, IrzPlan **plan, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(sweep != NULL && plan != NULL && number >= 1 && number <= sweep->n_cases);
  *plan = NULL;
  int n = sweep->n_set + sweep->n_parameters;
  IrzOverride *override;
  IRZ_TRY(irz_alloc(&override, (size_t)n, sizeof *override, error));
  char **text = NULL;
  IrzCode code = irz_alloc(&text, (size_t)sweep->n_parameters, sizeof *text, error);
  for (int i = 0; i < sweep->n_set && code == IRZ_OK; i++) override[i].text = sweep->set[i];
  for (int j = 0; j < sweep->n_parameters && code == IRZ_OK; j++) {
    char value[IRZ_SWEEP_MAX_TEXT];
    irz_sweep_value(sweep, number, j, value, sizeof value);
    size_t size = strlen(sweep->parameters[j].key) + strlen(value) + 2;
    code = irz_alloc(&text[j], size, 1, error);
    if (code != IRZ_OK) break;
    snprintf(text[j], size, "%s=%s", sweep->parameters[j].key, value);
    override[sweep->n_set + j].text = text[j];
  }
  if (code == IRZ_OK) code = irz_plan_parse(sweep->plan_text, sweep->plan_file, n, override, plan, error);
  if (code == IRZ_OK) code = warn_of_moves(sweep, override, *plan, error);
  if (code != IRZ_OK) {
    irz_plan_free(*plan);
    *plan = NULL;
  }
  for (int j = 0; j < sweep->n_parameters && text != NULL; j++) free(text[j]);
  free((void *)text);
  free(override);
  return code;
}
