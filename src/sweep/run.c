/* A sweep from its directory's lock to its tables. */
#include "base/entry.h"
#include "base/memory.h"
#include "sweep/sweep.h"
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/// What rank 0 watches and writes down.
typedef struct {
  const IrzSweep *sweep;
  const IrzSweepOptions *options;
  IrzSweepProgress progress;
  struct timespec start;
  FILE *log;
} Watch;

static double seconds_since(const struct timespec *start) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)(now.tv_sec - start->tv_sec) + 1e-9 * (double)(now.tv_nsec - start->tv_nsec);
}

/// A line of DIR/sweep.log, with the time before it.
static void write_log(FILE *log, const char *format, ...) IRZ_PRINTF(2, 3);
static void write_log(FILE *log, const char *format, ...) {
  if (log == NULL) return;
  time_t now = time(NULL);
  struct tm local;
  char stamp[32];
  strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", localtime_r(&now, &local));
  fprintf(log, "%s  ", stamp);
  va_list arguments;
  va_start(arguments, format);
  vfprintf(log, format, arguments);
  va_end(arguments);
  fputc('\n', log);
  fflush(log);
}

/// A case was finished: count it, write it down, show the progress.
static void case_finished(void *context, const IrzCaseResult *result) {
  Watch *watch = context;
  IrzSweepProgress *progress = &watch->progress;
  progress->done++;
  progress->here++;
  progress->failed += result->failed;
  progress->seconds = seconds_since(&watch->start);
  progress->per_second = progress->here / fmax(progress->seconds, 1e-9);
  progress->left = (progress->total - progress->done) / progress->per_second;
  char values[1024] = "";
  for (int j = 0; j < watch->sweep->n_parameters; j++) {
    char value[IRZ_SWEEP_MAX_TEXT];
    irz_sweep_value(watch->sweep, result->number, j, value, sizeof value);
    size_t used = strlen(values);
    snprintf(values + used, sizeof values - used, " %s=%.20s", watch->sweep->parameters[j].key, value);
  }
  if (result->failed) {
    write_log(watch->log, "case %d:%s  FAILED: %s", result->number, values, result->status);
  } else {
    write_log(watch->log, "case %d:%s  %.4g cm3, %.4g A, %.2f s", result->number, values, result->volume * 1e6,
              result->current, result->seconds);
  }
  for (const char *line = result->warnings; line != NULL && *line != '\0'; line += strspn(line, "\n")) {
    int length = (int)strcspn(line, "\n");
    write_log(watch->log, "case %d: warning: %.*s", result->number, length, line);
    line += length;
  }
  if (watch->options->progress == NULL) return;
  IRZ_STEP_OUT;
  watch->options->progress(watch->options->context, progress);
}

/// States of a case in Found: `done` when it need not run.
enum { CASE_MISSING, CASE_GOOD, CASE_FAILED };

/// Cases that need not run.
typedef struct {
  const IrzSweep *sweep;
  int task, n_tasks;
  uint8_t *done; // [n_cases + 1]
  int n_found, n_failed;
  IrzDamage damage;
} Found;

static bool in_task(const Found *found, int number) {
  return found->n_tasks <= 1 || (number - 1) % found->n_tasks == found->task - 1;
}

static IrzCode find_record(void *context, const IrzCaseResult *result, IrzError *error) {
  (void)error;
  Found *found = context;
  uint8_t *state = &found->done[result->number], before = *state;
  if (before == CASE_GOOD || (before == CASE_FAILED && result->failed)) return IRZ_OK;
  *state = result->failed ? CASE_FAILED : CASE_GOOD;
  if (!in_task(found, result->number)) return IRZ_OK;
  found->n_found += before == CASE_MISSING;
  found->n_failed += result->failed - (before == CASE_FAILED);
  return IRZ_OK;
}

/// What rank 0 does before anything runs: lock, compare with what is there, see what is missing.
static IrzCode prepare(const IrzSweep *sweep, const IrzSweepOptions *options, Found *found, IrzSweepLock *lock,
                       IrzError *error) {
  const char *directory = options->directory;
  IRZ_TRY(irz_alloc(&found->done, (size_t)sweep->n_cases + 1, 1, error));
  IRZ_TRY(irz_sweep_lock(directory, found->task, found->n_tasks, lock, error));
  IRZ_TRY(irz_journal_check_free(directory, found->task, found->n_tasks, error));
  bool store;
  IRZ_TRY(irz_sweep_identify(directory, sweep, found->n_tasks <= 1, &store, error));
  IRZ_TRY(irz_journal_read(directory, sweep, sweep->map.wanted, find_record, found, &found->damage, error));
  if (found->n_found > 0 && !options->resume && !options->retry_failed) {
    return irz_error_set(error, IRZ_ERR_PLAN,
                         "%s: holds %d finished cases of this sweep; add --resume to go on, or choose another folder "
                         "with -o",
                         directory, found->n_found);
  }
  if (store) IRZ_TRY(irz_sweep_store(directory, sweep, error));
  for (int i = 1; i <= sweep->n_cases; i++) {
    if (!in_task(found, i)) {
      found->done[i] = CASE_GOOD;
    } else if (options->retry_failed && found->done[i] == CASE_FAILED) {
      found->done[i] = CASE_MISSING;
      found->n_found--;
      found->n_failed--;
    }
  }
  return IRZ_OK;
}

/// Give all ranks rank 0's batches.
static IrzCode share_batches(MPI_Comm comm, IrzBatches *batches, IrzError *error) {
  int rank, size[2] = {batches->n_batches, batches->n_order};
  MPI_Comm_rank(comm, &rank);
  MPI_Bcast(size, 2, MPI_INT, 0, comm);
  if (rank > 0) {
    *batches = (IrzBatches){.n_batches = size[0], .n_order = size[1]};
    irz_alloc(&batches->first, (size_t)size[0] + 1, sizeof *batches->first, error);
    irz_alloc(&batches->mesh, (size_t)size[0], sizeof *batches->mesh, error);
    irz_alloc(&batches->cost, (size_t)size[0], sizeof *batches->cost, error);
    irz_alloc(&batches->order, (size_t)size[1], sizeof *batches->order, error);
  }
  IRZ_TRY(irz_error_agree(comm, error));
  MPI_Bcast(batches->first, size[0] + 1, MPI_INT, 0, comm);
  MPI_Bcast(batches->mesh, size[0], MPI_INT, 0, comm);
  MPI_Bcast(batches->cost, size[0], MPI_DOUBLE, 0, comm);
  MPI_Bcast(batches->order, size[1], MPI_INT, 0, comm);
  return IRZ_OK;
}

/// Everything between the lock and the tables. Collective.
static IrzCode run_cases(MPI_Comm comm, MPI_Comm group, const IrzSweep *sweep, const IrzBatches *batches,
                         const IrzSweepOptions *options, const IrzCaseRunner *given, Found *found, Watch *watch,
                         bool *stopped, IrzError *error) {
  int rank, group_rank, group_size;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_rank(group, &group_rank);
  MPI_Comm_size(group, &group_size);
  IrzPointGrid grid;
  if (sweep->map.wanted && given == NULL) {
    if (rank == 0) irz_map_grid(sweep, &grid, error);
    irz_quiet_barrier(comm);
    IRZ_TRY(irz_error_agree(comm, error));
    MPI_Bcast(&grid, sizeof grid, MPI_BYTE, 0, comm);
  }
  IrzCaseSolver *solver = NULL;
  IrzCaseRunner runner = {NULL, NULL};
  if (given == NULL) {
    irz_case_solver_create(group, sweep, options, sweep->map.wanted ? &grid : NULL, &solver, error);
    runner = (IrzCaseRunner){solver, irz_case_solver_run};
  } else {
    runner = *given;
  }
  IrzJournal journal = {.records = -1, .maps = -1};
  if (error->code == IRZ_OK && group_rank == 0) {
    irz_journal_open(options->directory, found->task, found->n_tasks, rank / group_size, &journal, error);
  }
  IrzCode code = irz_error_agree(comm, error);
  if (code == IRZ_OK) {
    IrzScheduleWatch schedule_watch = {watch, case_finished};
    code = irz_schedule(comm, group, sweep, batches, found->done, options, &runner, &journal, &schedule_watch, stopped,
                        error);
  }
  irz_journal_close(&journal);
  irz_case_solver_free(solver);
  irz_quiet_barrier(comm); /* all journals are closed before rank 0 reads them */
  return code;
}

/// Open DIR/sweep.log and say what begins. Without a log the sweep still runs.
static void open_log(Watch *watch, const Found *found, const IrzBatches *batches, int n_groups) {
  char path[IRZ_PATH_MAX];
  snprintf(path, sizeof path, "%s/sweep.log", watch->options->directory);
  int descriptor =
      open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666); /* never waits for a pipe */
  watch->log = descriptor >= 0 ? fdopen(descriptor, "a") : NULL;
  int n_meshes = 0;
  for (int b = 0; b < batches->n_batches; b++) n_meshes += b == 0 || batches->mesh[b] != batches->mesh[b - 1];
  write_log(watch->log, "%s: %d cases on %d meshes, task %d of %d; %d done before, %d to run, %d at a time",
            watch->sweep->file, watch->sweep->n_cases, n_meshes, found->task, found->n_tasks, found->n_found,
            watch->progress.total - found->n_found, n_groups);
}

/// The cases of a task.
static int task_cases(const IrzSweep *sweep, const Found *found) {
  int n = 0;
  for (int i = 1; i <= sweep->n_cases; i++) n += in_task(found, i);
  return n;
}

/// A sweep whose cases all failed has failed.
static IrzCode check_failures(const char *directory, const IrzSweepReport *report, IrzError *error) {
  if (report->done == 0 || report->failed < report->done) return IRZ_OK;
  return irz_error_set(error, report->failure, "%s: all %d cases failed; the first, case %d: %s", directory,
                       report->failed, report->first_failed, report->first_failure);
}

/// The tables, on rank 0.
static IrzCode finish(const IrzSweep *sweep, const IrzSweepOptions *options, const Found *found, const Watch *watch,
                      bool stopped, IrzSweepReport *report, IrzError *error) {
  const char *directory = options->directory;
  int counted = watch->progress.done;
  *report = (IrzSweepReport){.total = watch->progress.total,
                             .done = counted,
                             .failed = watch->progress.failed,
                             .here = watch->progress.here,
                             .stopped = stopped};
  irz_damage_report(&found->damage, report);
  if (found->n_tasks > 1) {
    IRZ_TRY(irz_task_report(directory, sweep, found->task, found->n_tasks, report, error));
  } else if (counted > 0) {
    IRZ_TRY(irz_tables_write(directory, sweep, report, error));
  }
  write_log(watch->log, "%s: %d of %d cases done, %d failed, %d with warnings, %.1f s",
            stopped ? "stopped" : "finished", report->done, report->total, report->failed, report->warned,
            seconds_since(&watch->start));
  /* Somebody may have removed what was written. */
  if (report->done < (stopped ? counted : report->total)) {
    return irz_error_set(error, IRZ_ERR_OUTPUT,
                         "%s: only %d of %d finished cases are in its journal, which was changed while the sweep ran; "
                         "--resume runs the others again",
                         directory, report->done, counted);
  }
  if (!stopped) return check_failures(directory, report, error);
  return irz_error_set(error, IRZ_ERR_STOPPED, "%s: stopped with %d of %d cases done; go on with --resume", directory,
                       report->done, report->total);
}

/// Read the plans of all cases: what cannot run is refused before anything is written. On rank 0; collective.
static IrzCode make_batches(MPI_Comm comm, const IrzSweep *sweep, const volatile sig_atomic_t *stop,
                            IrzBatches *batches, IrzError *error) {
  int rank;
  MPI_Comm_rank(comm, &rank);
  if (rank == 0 && irz_sweep_check_columns(sweep, error) == IRZ_OK) irz_batches_make(sweep, stop, batches, error);
  irz_quiet_barrier(comm);
  IRZ_TRY(irz_error_agree(comm, error));
  return share_batches(comm, batches, error);
}

IrzCode irz_sweep_run_with(MPI_Comm comm, const IrzSweep *sweep, const IrzBatches *batches,
                           const IrzSweepOptions *options, const IrzCaseRunner *runner, IrzSweepReport *report,
                           IrzError *error) {
  *report = (IrzSweepReport){0};
  int rank, size, group_size = options->ranks_per_case > 0 ? options->ranks_per_case : 1;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  if (size % group_size != 0) {
    return irz_error_set(error, IRZ_ERR_PLAN, "--ranks-per-case %d does not divide the number of ranks, %d", group_size,
                         size);
  }
  bool array = options->task != 0 || options->n_tasks != 0;
  Found found = {.sweep = sweep, .task = array ? options->task : 1, .n_tasks = array ? options->n_tasks : 1};
  if (found.task < 1 || found.n_tasks < 0) {
    return irz_error_set(error, IRZ_ERR_PLAN, "--task %d/%d: the first number must be from 1 to the second", found.task,
                         found.n_tasks);
  }
  IrzSweepLock lock = {-1, -1};
  Watch watch = {.sweep = sweep, .options = options};
  clock_gettime(CLOCK_MONOTONIC, &watch.start);
  IrzBatches made = {0};
  if (batches == NULL) {
    IRZ_TRY(make_batches(comm, sweep, options->stop, &made, error));
    batches = &made;
  }
  if (rank == 0) {
    if (array) irz_tasks_find(options->directory, sweep, found.task, &found.n_tasks, error);
    if (error->code == IRZ_OK) prepare(sweep, options, &found, &lock, error);
    if (error->code == IRZ_OK && array) irz_tasks_record(options->directory, found.task, found.n_tasks, error);
    watch.progress = (IrzSweepProgress){
        .total = task_cases(sweep, &found), .done = found.n_found, .failed = found.n_failed, .left = -1};
  }
  irz_quiet_barrier(comm);
  IrzCode code = irz_error_agree(comm, error);
  MPI_Bcast(&found.n_tasks, 1, MPI_INT, 0, comm);
  bool stopped = false;
  if (code == IRZ_OK) {
    if (rank == 0) open_log(&watch, &found, batches, size / group_size);
    MPI_Comm group;
    MPI_Comm_split(comm, rank / group_size, rank, &group);
    code = run_cases(comm, group, sweep, batches, options, runner, &found, &watch, &stopped, error);
    MPI_Comm_free(&group);
  }
  if (code == IRZ_OK) {
    if (rank == 0) finish(sweep, options, &found, &watch, stopped, report, error);
    irz_quiet_barrier(comm);
    code = irz_error_agree(comm, error);
    MPI_Bcast(report, sizeof *report, MPI_BYTE, 0, comm);
  } else if (rank == 0) {
    write_log(watch.log, "ended: %s", error->text);
  }
  if (watch.log != NULL) fclose(watch.log);
  irz_batches_clear(&made);
  irz_sweep_unlock(&lock);
  free(found.done);
  return code;
}

IrzCode irz_sweep_run(MPI_Comm comm, const IrzSweep *sweep, const IrzSweepOptions *options, IrzSweepReport *report,
                      IrzError *error) {
  IRZ_ENTER_ALONE(error);
  IRZ_NEED(sweep != NULL && options != NULL && options->directory != NULL && report != NULL);
  return irz_sweep_run_with(comm, sweep, NULL, options, NULL, report, error);
}

IrzCode irz_sweep_merge(const IrzSweep *sweep, const char *directory, IrzSweepReport *report, IrzError *error) {
  IRZ_ENTER_ALONE(error);
  IRZ_NEED(sweep != NULL && directory != NULL && report != NULL);
  *report = (IrzSweepReport){0};
  IrzSweepLock lock;
  IRZ_TRY(irz_sweep_lock(directory, 1, 1, &lock, error));
  IrzCode code = irz_journal_check_free(directory, 1, 1, error);
  bool store;
  if (code == IRZ_OK) code = irz_sweep_identify(directory, sweep, true, &store, error);
  if (code == IRZ_OK) code = irz_tables_write(directory, sweep, report, error);
  irz_sweep_unlock(&lock);
  if (code == IRZ_OK && report->done < report->total) {
    return irz_error_set(error, IRZ_ERR_STOPPED,
                         "%s: %d of %d cases are missing; run their tasks with --resume, then "
                         "merge again",
                         directory, report->total - report->done, report->total);
  }
  return code == IRZ_OK ? check_failures(directory, report, error) : code;
}
