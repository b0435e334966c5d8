/* A user of the installed library, who knows of neither MPI nor PETSc: two probes in liver, solved in memory. */
#include <irezone/session.h>
#include <irezone/start.h>
#include <stdio.h>

static const char plan_text[] = "name: consumer\n"
                                "mesh: {size: 60, accuracy: 5}\n"
                                "tissues: {default: {preset: liver}}\n"
                                "array: {count: 2, spacing: 15, exposure: 15}\n"
                                "pulses: [{from: A, to: B, voltage: 2000, count: 90, width: 100, rate: 1.5}]\n";

/* Solve and print the zone's volume. */
static IrzCode show(IrzSession *session, const IrzPlan *plan, double *volume, IrzError *error) {
  IrzResult *result;
  double current, field;
  const double middle[1][3] = {{0, 0, 0}};
  IRZ_TRY(irz_session_solve(session, plan, &result, error));
  IrzCode code = irz_result_number(result, "zone.volume_cm3", volume, error);
  if (code == IRZ_OK) code = irz_result_number(result, "pulses[0].current_A", &current, error);
  if (code == IRZ_OK) code = irz_result_sample(result, "field_V_per_cm", 1, middle, &field, error);
  if (code == IRZ_OK) printf("zone %.1f cm3, current %.1f A, %.0f V/cm in the middle\n", *volume, current, field);
  irz_result_free(result);
  return code;
}

int main(void) {
  IrzError error = {0};
  IrzPlan *plan = NULL;
  IrzSession *session = NULL;
  double volume = 0, smaller = 0;
  IrzCode code = irz_start(&error);
  if (code == IRZ_OK) code = irz_plan_parse(plan_text, "consumer.yaml", 0, NULL, &plan, &error);
  if (code == IRZ_OK) code = irz_session_create(MPI_COMM_WORLD, NULL, &session, &error);
  if (code == IRZ_OK) code = show(session, plan, &volume, &error);
  /* A value that is not allowed is refused, and the plan stays as it was; another voltage is solved on the same mesh.
   */
  if (code == IRZ_OK && irz_plan_set_number(plan, "pulses[0].voltage", -1, &error) != IRZ_ERR_PLAN)
    code = IRZ_ERR_SOLVER;
  if (code == IRZ_OK) code = irz_plan_set_number(plan, "pulses[0].voltage", 1500, &error);
  if (code == IRZ_OK) code = show(session, plan, &smaller, &error);
  if (code != IRZ_OK) fprintf(stderr, "consumer: %s\n", error.text);
  if (code == IRZ_OK && !(volume > 1 && volume < 20 && smaller > 0 && smaller < volume)) code = IRZ_ERR_SOLVER;
  irz_session_free(session);
  irz_plan_free(plan);
  irz_stop();
  return (int)code;
}
