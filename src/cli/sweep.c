/* irezone sweep: run the cases of a sweep file, or merge what the tasks of a job array left. */
#include "cli/cli.h"
#include <irezone/sweep.h>
#include <math.h>
#include <petscsys.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stop_asked;

/* When the last progress line was shown. */
typedef struct {
  bool quiet, terminal, drawn;
  double shown; // s since the start
} Line;

/* Seconds as a person reads them. */
static void print_duration(double seconds, char text[32]) {
  if (!(seconds >= 0)) {
    snprintf(text, 32, "?");
  } else if (seconds < 100) {
    snprintf(text, 32, "%.0f s", seconds);
  } else if (seconds < 6000) {
    snprintf(text, 32, "%.0f min", seconds / 60);
  } else {
    snprintf(text, 32, "%.1f h", seconds / 3600);
  }
}

/* One line that is drawn over on a terminal; elsewhere a line every ten seconds and at the end. */
static void show_progress(void *context, const IrzSweepProgress *progress) {
  Line *line = context;
  if (line->quiet) return;
  bool last = progress->done == progress->total;
  double pause = line->terminal ? 0.2 : 10;
  if (!last && progress->here > 1 && progress->seconds - line->shown < pause) return;
  line->shown = progress->seconds;
  char left[32];
  print_duration(progress->left, left);
  FILE *out = line->terminal ? stderr : stdout;
  fprintf(out, "%s%d of %d cases done, %d failed, %.3g per second, %s left%s", line->terminal ? "\r\033[K" : "",
          progress->done, progress->total, progress->failed, progress->per_second, left, line->terminal ? "" : "\n");
  fflush(out);
  line->drawn = line->terminal;
}

/* "K/N", or "K" if the sweep or its folder knows N. */
static IrzCode read_task(const IrzArguments *arguments, IrzSweepOptions *options, IrzError *error) {
  const char *text = irz_argument(arguments, "--task");
  if (text == NULL) return IRZ_OK;
  char *end;
  long task = strtol(text, &end, 10), count = 0;
  bool sound = end != text && task >= 1 && task <= 9999;
  if (sound && *end == '/') {
    const char *after = end + 1;
    count = strtol(after, &end, 10);
    sound = end != after && count >= task && count <= 9999;
  }
  if (!sound || *end != '\0') {
    return irz_error_set(
        error, IRZ_ERR_PLAN,
        "--task: \"%s\" must be K/N with 1 <= K <= N <= 9999, as in --task 3/8; K alone will do once the "
        "sweep file says tasks: N or a task has run",
        text);
  }
  options->task = (int)task;
  options->n_tasks = (int)count;
  return IRZ_OK;
}

/* --timeout SECONDS */
static IrzCode read_timeout(const IrzArguments *arguments, IrzSweepOptions *options, IrzError *error) {
  const char *text = irz_argument(arguments, "--timeout");
  if (text == NULL) return IRZ_OK;
  char *end;
  options->timeout = strtod(text, &end);
  if (end != text && *end == '\0' && options->timeout > 0 && isfinite(options->timeout)) return IRZ_OK;
  return irz_error_set(error, IRZ_ERR_PLAN, "--timeout: \"%s\" must be a number of seconds above 0", text);
}

/* What a person wants to know at the end. */
static void print_report(const IrzSweepReport *report, const IrzSweepOptions *options) {
  printf("%d of %d cases done, %d failed, %d in this run\n", report->done, report->total, report->failed, report->here);
  if (report->tables) {
    printf("written to %s/sweep.csv, sweep.h5 and sweep.json (statistics)\n", options->directory);
  } else if (options->task > 0) {
    printf("task %d is done; when all are: irezone sweep --merge\n", options->task);
  }
}

/* What went wrong in some cases, where errors go; it is said also under --quiet. */
static void print_warnings(const IrzSweepReport *report, IrzCode code) {
  if (code == IRZ_OK && report->failed > 0) {
    fprintf(stderr, "irezone: warning: %d of %d cases failed; the first, case %d: %s\n", report->failed, report->done,
            report->first_failed, report->first_failure);
  }
  if (report->damaged > 0) {
    fprintf(stderr, "irezone: warning: %s; %d record%s of the journal could not be used\n", report->damage,
            report->damaged, report->damaged == 1 ? "" : "s");
  }
  int shown = report->n_warnings < IRZ_SWEEP_MAX_WARNINGS ? report->n_warnings : IRZ_SWEEP_MAX_WARNINGS;
  for (int i = 0; i < shown; i++) {
    const IrzSweepWarning *warning = &report->warnings[i];
    if (warning->cases == 1) {
      fprintf(stderr, "irezone: warning: case %d: %s\n", warning->first, warning->text);
    } else {
      fprintf(stderr, "irezone: warning: %d cases: %s (first: case %d)\n", warning->cases, warning->text,
              warning->first);
    }
  }
  if (report->n_warnings > shown) {
    fprintf(stderr, "irezone: warning: %d more kinds of warnings: see the column warnings\n",
            report->n_warnings - shown);
  }
}

/* --dry-run: the table of cases, and what is wrong with them. */
static IrzCode show_cases(const IrzArguments *arguments, IrzError *error) {
  static IrzSweepReport report; /* large */
  IrzSweep *sweep = NULL;
  int n_meshes;
  irz_cli_set_rank(0); /* it needs no others */
  IRZ_TRY(irz_sweep_read(arguments->operands[0], &sweep, error));
  IrzCode code = irz_sweep_preview(sweep, &report, &n_meshes, error);
  if (code == IRZ_OK) code = irz_sweep_print(sweep, stdout, error);
  irz_sweep_free(sweep);
  IRZ_TRY(code);
  print_warnings(&report, IRZ_ERR_PLAN);
  if (irz_argument(arguments, "--quiet") == NULL) {
    fprintf(stderr, "%d case%s on %d mesh%s; nothing was run\n", report.total, report.total == 1 ? "" : "s", n_meshes,
            n_meshes == 1 ? "" : "es");
  }
  if (report.failed == 0) return IRZ_OK;
  return irz_error_set(error, report.failure, "%d of %d cases cannot run; the first, case %d: %s", report.failed,
                       report.total, report.first_failed, report.first_failure);
}

/* Rank 0 reads the sweep for all; what the command line says each reads for itself. */
static IrzCode agree(const IrzArguments *arguments, const IrzSweepOptions *options, IrzError *error) {
  static const char *const what[] = {"version of irezone", "sweep file", "folder for the results", "set of options"};
  char numbers[160];
  snprintf(numbers, sizeof numbers, "%d %d %d %d %d %d %.17g", options->resume, options->retry_failed,
           options->ranks_per_case, options->task, options->n_tasks, irz_argument(arguments, "--merge") != NULL,
           options->timeout);
  const char *const text[] = {IRZ_VERSION, arguments->operands[0], options->directory, numbers};
  IrzCode code = irz_cli_agree_on(4, what, text, error);
  if (code != IRZ_OK) irz_cli_forget_options();
  return code;
}

/* Everything that needs MPI. */
static IrzCode run_or_merge(const IrzArguments *arguments, IrzSweepOptions *options, IrzError *error) {
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  Line line = {.quiet = irz_argument(arguments, "--quiet") != NULL, .terminal = isatty(STDERR_FILENO) == 1};
  options->progress = show_progress;
  options->context = &line;
  IrzSweep *sweep = NULL;
  static IrzSweepReport report; /* large */
  if (rank == 0) irz_sweep_read(arguments->operands[0], &sweep, error);
  IRZ_TRY(irz_cli_agree(false, error));
  IRZ_TRY(agree(arguments, options, error));
  IrzCode code;
  irz_signals_hold("go on with --resume", &stop_asked);
  if (irz_argument(arguments, "--merge") != NULL) {
    if (rank == 0) irz_sweep_merge(sweep, options->directory, &report, error);
    code = irz_error_agree(MPI_COMM_WORLD, error);
  } else {
    code = irz_sweep_share(MPI_COMM_WORLD, &sweep, error);
    if (code == IRZ_OK && rank == 0 && !line.quiet) {
      printf("%d case%s, %d at a time\n", irz_sweep_n_cases(sweep), irz_sweep_n_cases(sweep) == 1 ? "" : "s",
             size / (options->ranks_per_case > 0 ? options->ranks_per_case : 1));
      fflush(stdout);
    }
    if (code == IRZ_OK) code = irz_sweep_run(MPI_COMM_WORLD, sweep, options, &report, error);
  }
  if (line.drawn) fputs("\r\033[K", stderr);
  if (rank == 0 && !line.quiet && report.total > 0) print_report(&report, options);
  if (rank == 0) print_warnings(&report, code);
  irz_sweep_free(sweep);
  if (code == IRZ_OK && report.failed > 0 && irz_argument(arguments, "--strict") != NULL) {
    code = irz_error_set(error, report.failure, "--strict: %d case%s failed", report.failed,
                         report.failed == 1 ? "" : "s");
  }
  return code;
}

static IrzCode run(const IrzArguments *arguments, IrzError *error) {
  IrzSweepOptions options = {.directory = irz_argument(arguments, "--output"),
                             .resume = irz_argument(arguments, "--resume") != NULL,
                             .retry_failed = irz_argument(arguments, "--retry-failed") != NULL,
                             .stop = &stop_asked};
  if (options.directory == NULL) options.directory = ".";
  IRZ_TRY(irz_argument_number(arguments, "--ranks-per-case", 1, 1000000, 1, &options.ranks_per_case, error));
  IRZ_TRY(irz_argument_number(arguments, "--threads", 1, 1024, 1, &options.threads, error));
  IRZ_TRY(read_task(arguments, &options, error));
  IRZ_TRY(read_timeout(arguments, &options, error));
  if (irz_argument(arguments, "--merge") != NULL && options.task > 0) {
    return irz_error_set(error, IRZ_ERR_PLAN, "--merge takes all tasks together; it does not go with --task");
  }
  if (irz_argument(arguments, "--dry-run") != NULL) {
    if (options.task > 0 || irz_argument(arguments, "--merge") != NULL) {
      return irz_error_set(error, IRZ_ERR_PLAN, "--dry-run shows all cases; it does not go with --task or --merge");
    }
    return show_cases(arguments, error);
  }
  irz_signals_catch("nothing was run");
  /* Rank 0 hands out cases from a thread; without this level it would have to do only that. */
  PETSC_MPI_THREAD_REQUIRED = MPI_THREAD_MULTIPLE;
  IRZ_TRY(irz_cli_start(arguments, error));
  if (options.ranks_per_case > 1) irz_cli_end_alone();
  IrzCode code = run_or_merge(arguments, &options, error);
  if (code != IRZ_OK) irz_cli_say(error);
  irz_cli_stop();
  return code;
}

static const IrzOption options[] = {IRZ_OPTION_OUTPUT,
                                    {"--dry-run", NULL, NULL, "print and check the cases; run nothing"},
                                    {"--resume", NULL, NULL, "go on with what the folder holds"},
                                    {"--retry-failed", NULL, NULL, "as --resume, and run failed cases again"},
                                    {"--ranks-per-case", NULL, "N", "processes that solve one case together"},
                                    {"--task", NULL, "K/N", "only every N-th case, from the K-th on"},
                                    {"--merge", NULL, NULL, "write the tables from what the tasks left"},
                                    {"--timeout", NULL, "SECONDS", "stop a case that takes longer, and go on"},
                                    {"--strict", NULL, NULL, "end with the status of the failures"},
                                    IRZ_OPTION_THREADS,
                                    IRZ_OPTION_QUIET,
                                    IRZ_OPTION_END};

const IrzCommand irz_command_sweep = {
    .name = "sweep",
    .usage = "SWEEP.yaml [-o DIR] [--dry-run] [--resume] [--retry-failed] [--ranks-per-case N] [--task K/N] [--merge] "
             "[--timeout SECONDS] [--strict] [--threads N] [-q] [-- PETSc options]",
    .summary = "run many cases of a plan",
    .help =
        "Writes DIR/sweep.csv, sweep.h5, sweep.json (statistics), sweep.log and, if the file asks for it,\n"
        "probability.hdf; DIR is the current folder if not stated. Under mpiexec -n N it runs N cases at a time.\n"
        "Every finished case is on disk at once: after a crash, a kill or a time limit --resume runs the rest.\n"
        "\n"
        "  -o, --output DIR      where the results go; one sweep a folder\n"
        "  --dry-run             print the cases as comma-separated values, check their plans and the files these\n"
        "                        read; run and write nothing\n"
        "  --resume              go on with what DIR holds; starts anew if it holds nothing\n"
        "  --retry-failed        as --resume, and run cases that failed again\n"
        "  --ranks-per-case N    processes that solve one case together; 1 if not stated\n"
        "  --task K/N            only every N-th case, from the K-th on: one task of a job array\n"
        "  --merge               write the tables from what the tasks of a job array left in DIR\n"
        "  --timeout SECONDS     stop a case that takes longer (status \"timeout\") and go on; counts before the "
        "sweep\n"
        "                        file's timeout\n"
        "  --strict              end with the status of the failures if any case failed\n"
        "  --threads N           threads per process; 1 if not stated\n"
        "  -q, --quiet           no progress and no closing lines; warnings and errors remain\n"
        "  -- OPTIONS            options for PETSc\n"
        "\n"
        "SIGINT, SIGTERM, SIGUSR1 and SIGHUP let the cases in flight finish and end with status 75: go on with\n"
        "--resume. A second signal, or one while the sweep file is being read, ends it at once.\n"
        "A case that fails is a row with its reason, and a line at the end; the status is 0 unless --strict is given.\n"
        "If every case fails the status is that of the failures (2 plan, 3 mesh or other input, 4 solver), or 4 if\n"
        "they differ.\n"
        "docs/sweeps.md describes the sweep file.\n",
    .options = options,
    .operand = "yaml",
    .operand_is_file = true,
    .least_operands = 1,
    .most_operands = 1,
    .takes_petsc = true,
    .collective = true,
    .run = run,
};
