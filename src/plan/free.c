#include "plan/plan.h"
#include <stdlib.h>

void irz_plan_free(IrzPlan *plan) {
  if (plan == NULL) return;
  for (int i = 0; i < plan->n_warnings; i++) free(plan->warnings[i]);
  free((void *)plan->warnings);
  irz_yaml_free(plan->tree);
  free(plan->missing);
  free(plan->text);
  free(plan->anatomy.map);
  free(plan->tissues);
  free(plan->pulses);
  free(plan);
}
