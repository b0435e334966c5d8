/* A user of the installed library: two probes in liver, solved in memory, nothing written. */
#include <irezone/model.h>
#include <petscsys.h>
#include <stdio.h>

static const char plan_text[] = "name: consumer\n"
                                "mesh: {size: 60, accuracy: 5}\n"
                                "tissues: {default: {preset: liver}}\n"
                                "array: {count: 2, spacing: 15, exposure: 15}\n"
                                "pulses: [{from: A, to: B, voltage: 2000, count: 90, width: 100, rate: 1.5}]\n";

int main(int argc, char **argv) {
  IrzError error = {0};
  IrzPlan *plan = NULL;
  IrzModel *model = NULL;
  IrzSummary summary = {0}, again;
  const IrzModelOptions options = {.once = true};

  if (PetscInitialize(&argc, &argv, NULL, NULL) != 0) return 1;
  IrzCode code = irz_plan_parse(plan_text, "consumer.yaml", 0, NULL, &plan, &error);
  /* Changed by its keys, checked at once; 2000 V again. */
  if (code == IRZ_OK && irz_plan_set_number(plan, "pulses[0].voltage", -1, &error) != IRZ_ERR_PLAN)
    code = IRZ_ERR_SOLVER;
  if (code == IRZ_OK) code = irz_plan_set_number(plan, "pulses[0].voltage", 2000, &error);
  if (code == IRZ_OK) code = irz_model_create(PETSC_COMM_WORLD, plan, &options, &model, &error);
  if (code == IRZ_OK) code = irz_model_solve(model, plan, &summary, &error);
  if (code == IRZ_OK) {
    printf("zone %.1f cm3, current %.1f A\n", summary.zone.volume * 1e6, summary.pulses[0].current);
    if (!(summary.zone.volume > 1e-6 && summary.zone.volume < 2e-5)) code = IRZ_ERR_SOLVER;
    irz_summary_clear(&summary);
    /* What a second solve would need has been freed. */
    if (code == IRZ_OK && irz_model_solve(model, plan, &again, &error) != IRZ_ERR_PLAN) code = IRZ_ERR_SOLVER;
  } else {
    fprintf(stderr, "consumer: %s\n", error.text);
  }
  irz_model_free(model);
  irz_plan_free(plan);
  PetscFinalize();
  return (int)code;
}
