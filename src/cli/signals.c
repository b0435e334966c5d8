/* Signals end a run at once with one line: nothing has been written until the results are, and then they are held back.
 */
#include "cli/cli.h"
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const int caught[] = {SIGINT, SIGTERM, SIGUSR1};
static volatile sig_atomic_t talks; /* this process prints the line */

/* Only calls that are safe in a signal handler. */
static void stop(int number) {
  static const char interrupt[] = "irezone: stopped by SIGINT; nothing was written\n";
  static const char terminate[] = "irezone: stopped by SIGTERM; nothing was written\n";
  static const char user[] = "irezone: stopped by SIGUSR1; nothing was written\n";
  const char *line = number == SIGINT ? interrupt : number == SIGTERM ? terminate : user;
  size_t length = number == SIGINT ? sizeof interrupt - 1 : number == SIGTERM ? sizeof terminate - 1 : sizeof user - 1;
  if (talks) {
    ssize_t written = write(STDERR_FILENO, line, length);
    (void)written; /* there is nobody left to tell */
  }
  _exit(IRZ_ERR_STOPPED);
}

void irz_signals_catch(void) {
  talks = irz_cli_first();
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = stop;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++) sigaction(caught[i], &action, NULL);
}

void irz_signals_hold(bool hold) {
  sigset_t set;
  sigemptyset(&set);
  for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++) sigaddset(&set, caught[i]);
  sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}
