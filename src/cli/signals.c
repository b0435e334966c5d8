/* Signals. The first one ends the process at once with one line and status 75, or, while it is being held, is only
   noted; the second one always ends it. A handler may run in any thread, so who comes first is decided by one atomic
   word. */
#include "cli/cli.h"
#include <irezone/result.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static const struct {
  int number;
  const char *name;
} caught[] = {{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGUSR1, "SIGUSR1"}, {SIGHUP, "SIGHUP"}};
enum { N_CAUGHT = sizeof caught / sizeof caught[0] };

/* What a signal does now: end the process; be noted; end it, as one was noted; nothing, as the process is ending. */
enum { ENDS, NOTED, ENDS_TOO, ENDING };
static atomic_int state;

static volatile sig_atomic_t talks;                         /* this process prints the line */
static const char *_Atomic outcome = "nothing was written"; /* what a signal that ends leaves */
static volatile sig_atomic_t *_Atomic note;                 /* where a noted signal is told, or NULL */
static atomic_int noted;                                    /* its number */

/* Only calls that are safe in a signal handler. */
static void say(const char *text) {
  ssize_t written = write(STDERR_FILENO, text, strlen(text));
  (void)written; /* there is nobody left to tell */
}

static void handle(int number) {
  int before = NOTED;
  volatile sig_atomic_t *place = note;
  if (atomic_compare_exchange_strong(&state, &before, ENDS_TOO)) {
    noted = number;
    if (place != NULL) *place = 1;
    return;
  }
  if (before == ENDING || !atomic_compare_exchange_strong(&state, &before, ENDING)) return; /* another thread ends it */
  irz_files_drop();
  const char *name = "a signal";
  for (int i = 0; i < N_CAUGHT; i++) {
    if (caught[i].number == number) name = caught[i].name;
  }
  if (talks) { /* in pieces, of which the first is the beginning of the line */
    say("irezone: stopped by ");
    say(name);
    say("; ");
    say(outcome);
    say("\n");
  }
  irz_files_drop(); /* again: other threads go on until the end */
  _exit(IRZ_ERR_STOPPED);
}

void irz_signals_catch(const char *left) {
  talks = irz_cli_first();
  outcome = left;
  struct sigaction action, before;
  memset(&action, 0, sizeof action);
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < N_CAUGHT; i++) {
    /* nohup makes programs outlive their terminal */
    if (caught[i].number == SIGHUP && sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    sigaction(caught[i].number, &action, NULL);
  }
  signal(SIGPIPE, SIG_IGN); /* who reads the progress may go; the results are written all the same */
}

/* The handler writes through `note`, which clang-tidy does not see.
   NOLINTNEXTLINE(readability-non-const-parameter) */
void irz_signals_hold(const char *left, volatile sig_atomic_t *place) {
  int before = ENDS;
  note = place;
  while (!atomic_compare_exchange_strong(&state, &before, NOTED)) pause(); /* another thread is ending the process */
  outcome = left;
}

void irz_signals_hush(void) {
  talks = 0;
}

const char *irz_signals_noted(void) {
  for (int i = 0; i < N_CAUGHT; i++) {
    if (caught[i].number == noted) return caught[i].name;
  }
  return NULL;
}
