/* What a model finds depends on the plan and on the start that is kept, not on what it solved before: the promise that
   sweeps rest on. Compared to the last digit that is written, and iteration by iteration. */
#include "plan/plan.h"
#include "testing.h"
#include <irezone/model.h>
#include <petscsys.h>
#include <stdlib.h>
#include <string.h>

/// A kind of plan, and two values of it whose solutions differ much.
typedef struct {
  const char *name, *rest; ///< keys besides those below
  int order;
} Kind;

static const char common[] = "name: small\n"
                             "mesh: {size: 80, accuracy: 50, order: %d}\n"
                             "tissues: {default: {preset: liver}}\n"
                             "array: {count: %d, spacing: 12, exposure: 15}\n"
                             "%s\n";
static const char one_pair[] = "pulses: [{from: A, to: B, voltage: %g, count: 20, width: 100, rate: 1}]\n";
static const char three_pairs[] = "pulses:\n"
                                  "  - {from: A, to: B, voltage: %g, count: 20, width: 100, rate: 1}\n"
                                  "  - {from: B, to: C, voltage: 1500, count: 20, width: 100, rate: 1}\n"
                                  "  - {from: B, to: A, voltage: 1200, count: 20, width: 100, rate: 1}\n";

static IrzPlan *make_plan(const Kind *kind, bool pairs, double voltage) {
  char text[4096], pulses[1024];
  snprintf(pulses, sizeof pulses, pairs ? three_pairs : one_pair, voltage);
  int length = snprintf(text, sizeof text, common, kind->order, pairs ? 3 : 2, pulses);
  snprintf(text + length, sizeof text - (size_t)length, "%s", kind->rest);
  IrzPlan *plan = NULL;
  IrzError error = {0};
  if (irz_plan_parse(text, "test.yaml", 0, NULL, &plan, &error) != IRZ_OK) fail_msg("%s", error.text);
  return plan;
}

static IrzModel *make_model(const Kind *kind, bool pairs) {
  IrzModelOptions options = {.threads = 1};
  IrzModel *model = NULL;
  IrzError error = {0};
  IrzPlan *plan = make_plan(kind, pairs, 1000);
  if (irz_model_create(PETSC_COMM_SELF, plan, &options, &model, &error) != IRZ_OK) fail_msg("%s", error.text);
  irz_plan_free(plan);
  return model;
}

/// Solve and give everything that was found but the times as text, all digits of the volume and of the currents first.
static char *solve(IrzModel *model, const Kind *kind, bool pairs, double voltage) {
  IrzPlan *plan = make_plan(kind, pairs, voltage);
  IrzSummary summary;
  IrzError error = {0};
  if (irz_model_solve(model, plan, &summary, &error) != IRZ_OK) fail_msg("%s: %s", kind->name, error.text);
  memset(&summary.timing, 0, sizeof summary.timing);
  summary.peak_memory = 0;
  if (summary.heat != NULL) summary.heat->seconds = summary.heat->cpu = 0;
  char *json = irz_summary_json(&summary);
  size_t room = strlen(json) + 256;
  char *text = malloc(room);
  int length = snprintf(text, room, "%a %a", summary.zone.volume, summary.zone.volume_error);
  for (int i = 0; i < summary.n_pulses; i++)
    length += snprintf(text + length, room - (size_t)length, " %a", summary.pulses[i].current);
  snprintf(text + length, room - (size_t)length, "\n%s", json);
  free(json);
  irz_summary_clear(&summary);
  irz_plan_free(plan);
  return text;
}

static void check_same(const Kind *kind, const char *what, char *text, const char *wanted) {
  if (strcmp(text, wanted) != 0) {
    size_t at = 0;
    while (text[at] == wanted[at]) at++;
    while (at > 0 && text[at - 1] != '\n') at--;
    fail_msg("%s: %s: \"%.90s\", not \"%.90s\"", kind->name, what, text + at, wanted + at);
  }
  free(text);
}

static void check_kind(const Kind *kind, bool pairs) {
  IrzError error = {0};
  /* What new models find. */
  IrzModel *model = make_model(kind, pairs);
  char *alone = solve(model, kind, pairs, 2000);
  irz_model_reset(model);
  check_same(kind, "reset after the same plan", solve(model, kind, pairs, 2000), alone);
  free(solve(model, kind, pairs, 700));
  irz_model_reset(model);
  check_same(kind, "reset after another plan", solve(model, kind, pairs, 2000), alone);
  irz_model_reset(model);
  free(solve(model, kind, pairs, 700));
  irz_model_reset(model);
  check_same(kind, "reset twice", solve(model, kind, pairs, 2000), alone);
  /* From a kept start. */
  assert_int_equal(irz_model_keep_start(model, &error), IRZ_OK);
  char *near = solve(model, kind, pairs, 1500);
  check_same(kind, "kept, again", solve(model, kind, pairs, 1500), near);
  free(solve(model, kind, pairs, 3000));
  check_same(kind, "kept, after another plan", solve(model, kind, pairs, 1500), near);
  irz_model_free(model);
  model = make_model(kind, pairs);
  free(solve(model, kind, pairs, 900));
  irz_model_reset(model);
  check_same(kind, "as a start", solve(model, kind, pairs, 2000), alone);
  assert_int_equal(irz_model_keep_start(model, &error), IRZ_OK);
  check_same(kind, "kept on another model", solve(model, kind, pairs, 1500), near);
  irz_model_free(model);
  free(alone);
  free(near);
}

static void plain(void **state) {
  (void)state;
  for (int order = 1; order <= 2; order++) {
    Kind kind = {order == 1 ? "order 1" : "order 2", "", order};
    check_kind(&kind, false);
    if (order == 1) check_kind(&kind, true); /* the other with survival, below */
  }
}

static void remembering(void **state) {
  (void)state;
  Kind kind = {"memory", "memory: pairs\n", 1};
  check_kind(&kind, true);
}

static void limited(void **state) {
  (void)state;
  Kind kind = {"limits", "generator: {max_current: 8, enforce: true}\n", 1};
  check_kind(&kind, false);
}

static void withdrawn(void **state) {
  (void)state;
  Kind kind = {"pull-back", "pullback: {step: 10, count: 1}\n", 1};
  check_kind(&kind, false);
}

static void heated(void **state) {
  (void)state;
  Kind kind = {"heat", "heat: {coupling: none, cooling: 5, order: 1, step: 10}\n", 1};
  check_kind(&kind, false);
  kind = (Kind){"coupled heat", "heat: {coupling: full, cooling: 5, order: 1, step: 10}\n", 1};
  check_kind(&kind, true);
}

static void dying(void **state) {
  (void)state;
  Kind kind = {"survival", "death: {model: peleg-fermi}\n", 2};
  check_kind(&kind, true);
}

int main(int argc, char **argv) {
  PetscInitialize(&argc, &argv, NULL, NULL);
  const struct CMUnitTest tests[] = {cmocka_unit_test(plain),   cmocka_unit_test(remembering),
                                     cmocka_unit_test(limited), cmocka_unit_test(withdrawn),
                                     cmocka_unit_test(heated),  cmocka_unit_test(dying)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
