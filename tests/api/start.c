/* Starting and stopping leave the process as it was: signals, locale, environment; calls may be nested, and the version
   is told without either. */
#define _GNU_SOURCE /* nftw, environ */
#include "api.h"
#include <irezone/session.h>
#include <irezone/start.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const int signals[] = {
#ifndef IRZ_SANITIZED /* which has handlers of its own for these */
    SIGBUS,  SIGFPE, SIGSEGV, SIGILL,
#endif
    SIGABRT, SIGINT, SIGTERM, SIGPIPE, SIGUSR1, SIGCHLD};
enum { N_SIGNALS = sizeof signals / sizeof signals[0] };

static void own_handler(int signal) {
  (void)signal;
}

static int n_variables(void) {
  int n = 0;
  while (environ[n] != NULL) n++;
  return n;
}

int main(int argc, char **argv) {
  IrzError error = {0};
  (void)argc;
  (void)argv;
  int major, minor;
  PROMISE(sscanf(irz_version(), "%d.%d", &major, &minor) == 2, "%s", irz_version());
  struct sigaction own = {.sa_handler = own_handler}, now;
  for (int i = 0; i < N_SIGNALS; i += 2) sigaction(signals[i], &own, NULL);
  int before = n_variables();
  char *locale = strdup(setlocale(LC_ALL, "C.UTF-8") != NULL ? "C.UTF-8" : "C");
  PROMISE(irz_start(&error) == IRZ_OK && irz_start(&error) == IRZ_OK, "%s", error.text);
  for (int i = 0; i < N_SIGNALS; i++) {
    sigaction(signals[i], NULL, &now);
    PROMISE(now.sa_handler == (i % 2 == 0 ? own_handler : SIG_DFL), "signal %d has another handler", signals[i]);
  }
  PROMISE(strcmp(setlocale(LC_ALL, NULL), locale) == 0, "the locale is %s", setlocale(LC_ALL, NULL));
  irz_stop(); /* once less than started: it goes on */
  IrzPlan *plan;
  IrzSession *session;
  IrzResult *result;
  PROMISE(irz_plan_parse(PLATES, "plan", 0, NULL, &plan, &error) == IRZ_OK, "%s", error.text);
  PROMISE(irz_session_create(MPI_COMM_SELF, NULL, &session, &error) == IRZ_OK, "%s", error.text);
  PROMISE(irz_session_solve(session, plan, &result, &error) == IRZ_OK, "%s", error.text);
  irz_result_free(result);
  irz_session_free(session);
  irz_plan_free(plan);
  irz_stop();
  irz_stop(); /* once too often: nothing */
  int finalised;
  MPI_Finalized(&finalised);
  PROMISE(finalised, "MPI still runs");
  PROMISE(n_variables() == before, "%d variables instead of %d", n_variables(), before);
  for (int i = 0; i < N_SIGNALS; i++) {
    sigaction(signals[i], NULL, &now);
    PROMISE(now.sa_handler == (i % 2 == 0 ? own_handler : SIG_DFL), "signal %d has another handler", signals[i]);
  }
  PROMISE(irz_start(&error) == IRZ_ERR_SOLVER && strstr(error.text, "MPI") != NULL, "started again: %s", error.text);
  free(locale);
  return 0;
}
