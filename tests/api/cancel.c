/* The progress function can stop a call at every place where it is asked; the call then fails with a code of its own,
   and the session goes on as if nothing had been. A solve that fails for another reason leaves no trace either. */
#define _GNU_SOURCE /* nftw */
#include "api.h"
#include <irezone/session.h>
#include <irezone/start.h>
#include <math.h>
#include <string.h>

static int calls, stop_at; /* stop_at 0: never */
static char stopped_in[32];

static bool listen(void *context, const char *stage, double fraction) {
  PROMISE(context == &calls && fraction >= 0 && fraction <= 1 + 1e-9, "%s at %g", stage, fraction);
  if (++calls != stop_at) return true;
  snprintf(stopped_in, sizeof stopped_in, "%s", stage);
  return false;
}

static IrzPlan *parsed(const char *text) {
  IrzError error = {0};
  IrzPlan *plan;
  PROMISE(irz_plan_parse(text, "plan.yaml", 0, NULL, &plan, &error) == IRZ_OK, "%s", error.text);
  return plan;
}

static IrzSession *begin(void) {
  const IrzSessionOptions options = {.threads = 1, .progress = listen, .context = &calls};
  IrzError error = {0};
  IrzSession *session;
  PROMISE(irz_session_create(MPI_COMM_SELF, &options, &session, &error) == IRZ_OK, "%s", error.text);
  return session;
}

/* The summary without what the clock says. */
static char *told(const IrzResult *result) {
  char *json = irz_result_json(result);
  *strstr(json, "\"timing_s\"") = '\0';
  return json;
}

/* Stop a plan at every call, one after another, in one session; then it must find what it finds in a new one. */
static void cancelled(const char *text, const char *const stages[]) {
  IrzPlan *plan = parsed(text);
  IrzError error = {0};
  IrzResult *result;
  int n_stages = 0, n_calls;
  stop_at = calls = 0;
  IrzSession *session = begin();
  PROMISE(irz_session_solve(session, plan, &result, &error) == IRZ_OK, "%s", error.text);
  n_calls = calls;
  char *wanted = told(result);
  irz_result_free(result);
  irz_session_free(session);
  session = begin();
  for (int at = 1; at <= n_calls; at++) {
    stop_at = at;
    calls = 0;
    irz_session_forget(session);
    IrzCode code = irz_session_solve(session, plan, &result, &error);
    PROMISE(code == IRZ_ERR_CANCELLED && error.code == code && result == NULL, "stopped at call %d of %d: %d %s", at,
            n_calls, (int)code, error.text);
    if (stages[n_stages] != NULL && strcmp(stages[n_stages], stopped_in) == 0) n_stages++;
  }
  PROMISE(stages[n_stages] == NULL, "%s was never stopped in", stages[n_stages]);
  stop_at = 0; /* the mesh on which it was stopped last is still there */
  PROMISE(irz_session_solve(session, plan, &result, &error) == IRZ_OK && error.text[0] == '\0', "%s", error.text);
  char *found = told(result);
#ifndef IRZ_SANITIZED /* a mesh made twice is the same on glibc's heap, not on a sanitizer's */
  PROMISE(strcmp(found, wanted) == 0, "after being stopped:\n%s\nwanted:\n%s", found, wanted);
#endif
  free(found);
  free(wanted);
  irz_result_free(result);
  irz_session_free(session);
  irz_plan_free(plan);
}

/* Plans that cannot be solved, one that lacks something, one whose mesh is not there and one that has no mesh for its
   needles, between solves of another; and no memory is lost in any. */
static void failed(void) {
  IrzError error = {0};
  IrzSession *session = begin();
  IrzPlan *good = parsed(PLATES), *draft, *lost = parsed(PLATES);
  IrzResult *result;
  char *wanted = NULL;
  size_t held_before = 0;
  PROMISE(irz_plan_create(&draft, &error) == IRZ_OK, "%s", error.text);
  PROMISE(irz_plan_set_text(lost, "mesh.file", "/nonexistent.msh", &error) == IRZ_OK, "%s", error.text);
  for (int i = 0; i < 30; i++) {
    PROMISE(irz_session_solve(session, draft, &result, &error) == IRZ_ERR_PLAN && result == NULL, "%s", error.text);
    PROMISE(irz_session_solve(session, lost, &result, &error) == IRZ_ERR_INPUT && result == NULL, "%s", error.text);
    PROMISE(strstr(error.text, "nonexistent") != NULL, "%s", error.text);
    irz_session_forget(session);
    PROMISE(irz_session_solve(session, good, &result, &error) == IRZ_OK && error.text[0] == '\0', "%s", error.text);
    char *found = told(result);
    if (wanted == NULL) wanted = strdup(found);
    PROMISE(strcmp(found, wanted) == 0, "after a failure:\n%s\nbefore:\n%s", found, wanted);
    free(found);
    irz_result_free(result);
    if (i == 9) held_before = held();
  }
  PROMISE(held() <= held_before + 65536, "%zu bytes more", held() - held_before);
  free(wanted);
  irz_plan_free(good);
  irz_plan_free(draft);
  irz_plan_free(lost);
  irz_session_free(session);
}

#define HEATED NEEDLES "heat: {coupling: none, cooling: 5, order: 1, step: 10}\n"

int main(int argc, char **argv) {
  static const char *const stages[] = {"mesh", "setup", "solve", "zone", NULL};
  static const char *const heat[] = {"mesh", "setup", "solve", "zone", "heat", NULL};
  IrzError error = {0};
  (void)argc;
  (void)argv;
  PROMISE(irz_start(&error) == IRZ_OK, "%s", error.text);
  cancelled(PLATES, stages);
  cancelled(HEATED, heat);
  failed();
  irz_stop();
  return 0;
}
