/* A sweep whose cases sleep: sweep_stub SWEEP.yaml DIR [--resume] [--retry-failed] [--healed] [--sleep MS]
   [--vary-sleep] [--ranks-per-case N]
   [--task K/N] [--merge] [--coordinator] [--by-value]. A case's result depends on the case and its start alone, or on
   its values alone; every seventh fails unless healed. Prints "busy SECONDS" (time spent in cases, sum over groups) and
   "wall SECONDS". Exit status as the program's. */
#include "sweep/sweep.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static volatile sig_atomic_t stop_asked;

static void ask_stop(int signal_number) {
  (void)signal_number;
  stop_asked = 1;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/// How long cases sleep, and how long they have.
typedef struct {
  double sleep, busy;
  int vary;
  bool healed;   ///< no case fails
  bool by_value; ///< a result depends on the values of a case, not on its number
  const IrzSweep *sweep;
} Sleeper;

static IrzCode run(void *context, int number, int start, IrzCaseResult *result, IrzError *error) {
  (void)error;
  Sleeper *sleeper = context;
  double before = now(), left = sleeper->sleep;
  if (sleeper->vary) left *= 0.25 + 1.5 * ((number * 7919) % 1000) / 1000;
  nanosleep(&(struct timespec){(time_t)left, (long)((left - (double)(time_t)left) * 1e9)}, NULL);
  result->number = number;
  result->failed = number % 7 == 0 && !sleeper->healed;
  result->code = result->failed ? IRZ_ERR_SOLVER : IRZ_OK;
  snprintf(result->status, sizeof result->status, result->failed ? "made to fail, \"on purpose\"" : "converged");
  result->volume = 1e-6 * (number + 1.0 / start);
  if (sleeper->by_value) result->volume = 1e-6 * (double)(irz_case_hash(sleeper->sweep, number) % 1000);
  result->current = 10 + number % 5;
  result->n_parts = 1;
  result->seconds = now() - before;
  sleeper->busy += result->seconds;
  return IRZ_OK;
}

int main(int argc, char **argv) {
  int provided, rank;
  signal(SIGTERM, ask_stop);
  signal(SIGUSR1, ask_stop);
  MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  Sleeper sleeper = {0};
  IrzSweepOptions options = {.directory = argv[2], .stop = &stop_asked};
  bool merge = false;
  for (int i = 3; i < argc; i++) {
    if (strcmp(argv[i], "--resume") == 0) options.resume = true;
    if (strcmp(argv[i], "--retry-failed") == 0) options.retry_failed = true;
    if (strcmp(argv[i], "--healed") == 0) sleeper.healed = true;
    if (strcmp(argv[i], "--merge") == 0) merge = true;
    if (strcmp(argv[i], "--coordinator") == 0) options.coordinator_only = true;
    if (strcmp(argv[i], "--vary-sleep") == 0) sleeper.vary = 1;
    if (strcmp(argv[i], "--by-value") == 0) sleeper.by_value = true;
    if (strcmp(argv[i], "--sleep") == 0) sleeper.sleep = atof(argv[++i]) * 1e-3;
    if (strcmp(argv[i], "--ranks-per-case") == 0) options.ranks_per_case = atoi(argv[++i]);
    if (strcmp(argv[i], "--task") == 0) sscanf(argv[++i], "%d/%d", &options.task, &options.n_tasks);
  }
  IrzSweep *sweep = NULL;
  IrzError error = {0};
  static IrzSweepReport report; /* large */
  if (rank == 0) irz_sweep_read(argv[1], &sweep, &error);
  double before = now();
  if (irz_error_agree(MPI_COMM_WORLD, &error) == IRZ_OK) irz_sweep_share(MPI_COMM_WORLD, &sweep, &error);
  if (error.code == IRZ_OK && merge) {
    irz_sweep_merge(sweep, options.directory, &report, &error);
  } else if (error.code == IRZ_OK) {
    sleeper.sweep = sweep;
    const IrzCaseRunner runner = {&sleeper, run};
    irz_sweep_run_with(MPI_COMM_WORLD, sweep, NULL, &options, &runner, &report, &error);
  }
  double wall = now() - before, busy;
  MPI_Reduce(&sleeper.busy, &busy, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
  if (rank == 0) {
    if (report.damaged > 0) fprintf(stderr, "irezone: warning: %s\n", report.damage);
    if (error.code != IRZ_OK) fprintf(stderr, "irezone: %s\n", error.text);
    printf("busy %.4f wall %.4f\n", busy, wall);
  }
  irz_sweep_free(sweep);
  int code = error.code;
  MPI_Finalize();
  return code;
}
