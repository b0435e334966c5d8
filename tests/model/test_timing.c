/* What building a model took is reported once: by the first solve, not again by later ones on the same mesh. */
#include "plan/plan.h"
#include "testing.h"
#include <irezone/model.h>
#include <petscsys.h>

static const char plan_text[] = "name: again\n"
                                "mesh: {size: 80, accuracy: 5}\n"
                                "tissues: {default: {preset: liver}}\n"
                                "array: {count: 2, spacing: 15, exposure: 10}\n"
                                "pulses: [{from: A, to: B, voltage: 1000, count: 90, width: 100, rate: 1.5}]\n";

static void building_counts_once(void **state) {
  (void)state;
  static const char *const more[] = {"", "pullback: {count: 1, step: 5}\n"};
  for (int k = 0; k < 2; k++) {
    IrzError error = {0};
    IrzPlan *plan = NULL;
    IrzModel *model = NULL;
    IrzSummary first, second;
    char text[sizeof plan_text + 64];
    snprintf(text, sizeof text, "%s%s", plan_text, more[k]);
    if (irz_plan_parse(text, "again.yaml", 0, NULL, &plan, &error) != IRZ_OK) fail_msg("%s", error.text);
    if (irz_model_create(PETSC_COMM_WORLD, plan, NULL, &model, &error) != IRZ_OK) fail_msg("%s", error.text);
    if (irz_model_solve(model, plan, &first, &error) != IRZ_OK) fail_msg("%s", error.text);
    if (irz_model_solve(model, plan, &second, &error) != IRZ_OK) fail_msg("%s", error.text);
    assert_true(first.timing.mesh > 0 && first.timing.setup > 0);
    assert_true(first.timing.total >= first.timing.mesh + first.timing.setup);
    assert_near(second.timing.mesh, 0, 0);
    assert_near(second.timing.setup, 0, 0);
    assert_true(second.timing.solve > 0);
    irz_summary_clear(&first);
    irz_summary_clear(&second);
    irz_model_free(model);
    irz_plan_free(plan);
  }
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(building_counts_once)};
  PetscInitialize(&argc, &argv, NULL, NULL);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
