/* irezone run: solve a plan and write its results. */
#include "cli/cli.h"
#include <irezone/model.h>
#include <irezone/session.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Files that an earlier run left and this one does not replace would be taken for its own. */
static void warn_of_old_files(IrzPlan *plan, const char *directory) {
  char path[IRZ_PATH_MAX + IRZ_NAME_MAX + 32];
  snprintf(path, sizeof path, "%s/%s.hdf", directory, irz_plan_name(plan));
  if (!irz_plan_writes_fields(plan) && access(path, F_OK) == 0)
    irz_plan_warn(plan, "%s is left from an earlier run: output.fields is false", path);
  snprintf(path, sizeof path, "%s/%s_zone.seg.nrrd", directory, irz_plan_name(plan));
  if (!irz_plan_writes_slicer(plan) && access(path, F_OK) == 0)
    irz_plan_warn(plan, "%s is left from an earlier run, with others for 3D Slicer: this one writes none", path);
}

/* Print the summary as JSON, for another program to read. */
static IrzCode print_json(const IrzResult *result, IrzError *error) {
  if (!irz_cli_first()) return IRZ_OK;
  char *json = irz_result_json(result);
  if (json == NULL) return irz_error_set(error, IRZ_ERR_MEMORY, "out of memory: for the summary");
  fputs(json, stdout); /* whether it was written main() finds out */
  free(json);
  return IRZ_OK;
}

/* Solve and write; that it can be written is found out first.
   @param[in]  directory  NULL: the summary alone, to the standard output
   @param[out] result     NULL if it was not found; freed with its session */
static IrzCode solve(IrzSession *session, const IrzPlan *plan, const char *directory, IrzResult **result,
                     IrzError *error) {
  if (irz_cli_first() && directory != NULL) irz_model_check_output(plan, directory, error);
  IRZ_TRY(irz_error_agree(MPI_COMM_WORLD, error));
  IRZ_TRY(irz_session_solve(session, plan, result, error));
  irz_signals_hold("what has its final name is whole", NULL);
  return directory != NULL ? irz_result_write(*result, directory, error) : print_json(*result, error);
}

/* Ranks read the plan each for itself, and a node may have an old copy of it, or another program. */
static IrzCode agree(const IrzArguments *arguments, const IrzPlan *plan, const char *directory, IrzError *error) {
  static const char *const what[] = {"version of irezone", "plan", "folder for the results", "set of PETSc options"};
  char options[IRZ_PATH_MAX] = "";
  for (int i = 0; i < arguments->n_petsc; i++) {
    size_t used = strlen(options);
    snprintf(options + used, sizeof options - used, "%s\n", arguments->petsc[i]);
  }
  const char *const text[] = {IRZ_VERSION, irz_plan_text(plan), directory, options};
  IrzCode code = irz_cli_agree_on(4, what, text, error);
  if (code != IRZ_OK) irz_cli_forget_options();
  return code;
}

static IrzCode run(const IrzArguments *arguments, IrzError *error) {
  const char *directory = irz_argument(arguments, "--output");
  if (directory == NULL) directory = ".";
  bool piped = strcmp(directory, "-") == 0, quiet = piped || irz_argument(arguments, "--quiet") != NULL;
  IrzProgress progress;
  IrzSessionOptions options = {.progress = irz_progress_show, .context = &progress, .refine = true, .once = true};
  IRZ_TRY(irz_argument_number(arguments, "--threads", 1, 1024, 0, &options.threads, error));
  IrzPlan *plan;
  IRZ_TRY(irz_cli_plan(arguments, &plan, error));
  if (!piped) warn_of_old_files(plan, directory);
  irz_signals_catch("nothing was written");
  IrzCode code = irz_cli_start(arguments, error);
  if (code == IRZ_OK) {
    IrzSession *session = NULL;
    IrzResult *result = NULL;
    int size;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (size > 1) irz_cli_end_alone();
    code = irz_cli_agree(false, error);
    if (code == IRZ_OK) code = agree(arguments, plan, directory, error);
    irz_progress_begin(&progress, quiet);
    if (code == IRZ_OK) code = irz_session_create(MPI_COMM_WORLD, &options, &session, error);
    if (code == IRZ_OK) code = solve(session, plan, piped ? NULL : directory, &result, error);
    irz_progress_end(&progress);
    /* Warnings go where errors go; on a terminal the summary, which has them, is enough. An error stands alone. */
    if (code == IRZ_OK && (quiet || !isatty(STDOUT_FILENO))) irz_cli_warnings(irz_result_summary(result)->plan);
    if (code == IRZ_OK && irz_cli_first() && !quiet) {
      irz_summary_print(irz_result_summary(result), stdout);
      printf("written to %s/%s.json%s\n", directory, irz_plan_name(plan),
             irz_plan_writes_fields(plan) ? " and .hdf" : "");
      if (irz_plan_writes_slicer(plan))
        printf("for 3D Slicer: Slicer --python-script %s/%s_load_in_slicer.py\n", directory, irz_plan_name(plan));
    }
    if (code == IRZ_OK && irz_signals_noted() != NULL && irz_cli_first())
      fprintf(stderr, "irezone: %s came while the results were being written: they are whole\n", irz_signals_noted());
    irz_result_free(result);
    irz_session_free(session);
    if (code != IRZ_OK) irz_cli_say(error);
    irz_cli_stop();
  }
  irz_plan_free(plan);
  return code;
}

static const IrzOption run_options[] = {IRZ_OPTION_OUTPUT, IRZ_OPTION_SET, IRZ_OPTION_THREADS, IRZ_OPTION_QUIET,
                                        IRZ_OPTION_END};

const IrzCommand irz_command_run = {
    .name = "run",
    .usage = "PLAN.yaml [-o DIR] [--set key.path=value]... [--threads N] [-q] [-- PETSc options]",
    .summary = "solve a plan and write its results",
    .help =
        "Writes DIR/NAME.json and, unless output.fields is false, DIR/NAME.hdf (`irezone help\n"
        "results`); DIR is the current folder if not stated and is made if it does not exist. With `output: {slicer:\n"
        "true}`, or with `patient`, it also writes the zone, the field and the needles for 3D Slicer.\n"
        "\n"
        "  PLAN.yaml             - reads the plan from the standard input; paths in it then count from the current\n"
        "                        folder. Not under mpiexec\n"
        "  -o, --output DIR      where the results go; -o - writes the summary to the standard output, as JSON and\n"
        "                        alone, and no files\n"
        "  --set KEY=VALUE       override a value of the plan, as in --set probes[1].exposure=15; may be repeated\n"
        "  --threads N           threads per process; if not stated, as many as the process may use processors by its\n"
        "                        affinity and its container's quota, and the mesh is worth. Fewer work while other\n"
        "                        programs need the processors; the results are the same\n"
        "  -q, --quiet           no progress and no summary; warnings and errors remain\n"
        "  -- OPTIONS            options for PETSc, as in -- -log_view\n"
        "\n"
        "It also runs under mpiexec -n N, which splits the mesh over N processes. SIGINT, SIGTERM, SIGUSR1 and SIGHUP\n"
        "stop it with status 75 and no results, unless it is already writing them: then it finishes and says so. A\n"
        "second signal always ends it.\n",
    .options = run_options,
    .operand = "yaml",
    .operand_is_file = true,
    .least_operands = 1,
    .most_operands = 1,
    .takes_petsc = true,
    .collective = true,
    .run = run,
};
