/* MPI and PETSc, started as guests; see irezone/start.h. */
#define _GNU_SOURCE /* environ */
#include "base/entry.h"
#include "base/memory.h"
#include "base/petsc.h"
#include <irezone/start.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/// How often it was started, and what is to be ended.
static struct {
  int depth;
  bool petsc, mpi;
  int n_added;
  char **added; ///< [n_added] "NAME=value" that starting has added to the environment
} started;

/// What starting must leave as it was.
typedef struct {
  struct sigaction action[NSIG];
  bool known[NSIG];
  char *locale;
  int n;
  char **environment; ///< [n] names, with their "="
} Host;

static bool has_name(const Host *host, const char *entry) {
  for (int i = 0; i < host->n; i++) {
    if (strncmp(host->environment[i], entry, strlen(host->environment[i])) == 0) return true;
  }
  return false;
}

static void host_clear(Host *host) {
  for (int i = 0; i < host->n; i++) free(host->environment[i]);
  free(host->environment);
  free(host->locale);
}

/// Remember signals, locale, and which variables there are.
static IrzCode host_remember(Host *host, IrzError *error) {
  const char *locale = setlocale(LC_ALL, NULL);
  size_t n = 0;
  *host = (Host){.locale = strdup(locale != NULL ? locale : "C")};
  if (host->locale == NULL) return irz_out_of_memory(0, error);
  for (int s = 1; s < NSIG; s++) host->known[s] = sigaction(s, NULL, &host->action[s]) == 0;
  while (environ != NULL && environ[n] != NULL) n++;
  IRZ_TRY(irz_alloc((void *)&host->environment, n, sizeof *host->environment, error));
  for (size_t i = 0; i < n; i++) {
    host->environment[i] = strndup(environ[i], strcspn(environ[i], "=") + 1);
    if (host->environment[i] == NULL) return irz_out_of_memory(0, error);
    host->n++;
  }
  return IRZ_OK;
}

/// Put signals and locale back, and list what was added to the environment.
static void host_restore(const Host *host) {
  for (int s = 1; s < NSIG; s++) {
    if (host->known[s]) sigaction(s, &host->action[s], NULL);
  }
  setlocale(LC_ALL, host->locale);
  int n = 0;
  for (char **entry = environ; entry != NULL && *entry != NULL; entry++) n += !has_name(host, *entry);
  started.added = calloc((size_t)n + 1, sizeof *started.added);
  for (char **entry = environ; entry != NULL && *entry != NULL && started.added != NULL; entry++) {
    if (has_name(host, *entry)) continue;
    started.added[started.n_added] = strdup(*entry);
    started.n_added += started.added[started.n_added] != NULL;
  }
}

/// Remove what was added to the environment, unless somebody has changed it since.
static void remove_added(void) {
  for (int i = 0; i < started.n_added; i++) {
    char *equals = strchr(started.added[i], '=');
    if (equals != NULL) {
      *equals = '\0';
      const char *value = getenv(started.added[i]);
      if (value != NULL && strcmp(value, equals + 1) == 0) unsetenv(started.added[i]);
    }
    free(started.added[i]);
  }
  free(started.added);
  started.added = NULL;
  started.n_added = 0;
}

/// Start MPI and PETSc, where they have not been.
static IrzCode start_both(IrzError *error) {
  int initialised, finalised;
  PetscBool running;
  MPI_Initialized(&initialised);
  MPI_Finalized(&finalised);
  if (finalised) return irz_error_set(error, IRZ_ERR_SOLVER, "MPI has ended and cannot be started again");
  if (PetscInitialized(&running) == 0 && running) return IRZ_OK;
  if (!initialised) {
    int given;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &given) != MPI_SUCCESS)
      return irz_error_set(error, IRZ_ERR_SOLVER, "MPI could not be started");
    started.mpi = true;
  }
  PetscErrorCode failed = PetscOptionsSetValue(NULL, "-no_signal_handler", "1");
  if (failed == 0) failed = PetscInitializeNoArguments();
  if (failed == 0) failed = PetscPushErrorHandler(PetscReturnErrorHandler, NULL); /* errors are returned, not printed */
  IRZ_TRY(irz_petsc(failed, "PetscInitialize", error));
  started.petsc = true;
  return IRZ_OK;
}

IrzCode irz_start(IrzError *error) {
  IRZ_ENTER_ALONE(error);
  if (started.depth > 0) {
    started.depth++;
    return IRZ_OK;
  }
  Host host;
  IrzCode code = host_remember(&host, error);
  if (code == IRZ_OK) {
    code = start_both(error);
    host_restore(&host);
  }
  host_clear(&host);
  if (code == IRZ_OK) started.depth = 1;
  return code;
}

void irz_stop(void) {
  IRZ_ENTER_ALONE_QUIETLY;
  if (started.depth == 0 || --started.depth > 0) return;
  if (started.petsc) {
    PetscPopErrorHandler();
    PetscOptionsSetValue(NULL, "-options_left", "no"); /* it would print */
    PetscFinalize();
  }
  if (started.mpi) MPI_Finalize();
  remove_added();
  started.petsc = started.mpi = false;
}

const char *irz_version(void) {
  return IRZ_VERSION;
}
