/* One case: its plan, a model that serves it, the start it shares with its neighbours, its zone. */
#include "base/deadline.h"
#include "base/memory.h"
#include "model/session.h"
#include "results/json.h"
#include "sweep/case.h"
#include "sweep/sweep.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct IrzCaseSolver {
  MPI_Comm comm;
  int rank;
  const IrzSweep *sweep;
  const char *directory;
  IrzSession *session;
  bool has_grid;
  IrzPointGrid grid;
  uint8_t *ablated; // [points] rank 0
  IrzModel *model;  // of the session; NULL: none yet
  int start;        // case whose solution the model starts from; 0: none
  int no_start;     // case that has no solution to start from; 0: none known
  double timeout;   // s that a case may take; 0: any
};

IrzCode irz_case_solver_create(MPI_Comm group, const IrzSweep *sweep, const IrzSweepOptions *options,
                               const IrzPointGrid *grid, IrzCaseSolver **solver, IrzError *error) {
  *solver = NULL;
  IrzCaseSolver *made;
  irz_alloc(&made, 1, sizeof *made, error);
  IRZ_TRY(irz_error_agree(group, error));
  made->comm = group;
  MPI_Comm_rank(group, &made->rank);
  made->sweep = sweep;
  made->directory = options->directory;
  const IrzStageOptions stage_options = {.threads = options->threads > 0 ? options->threads : 1};
  irz_session_make(group, &stage_options, 1, &made->session, error);
  made->timeout = options->timeout > 0 ? options->timeout : sweep->timeout;
  if (grid != NULL) {
    made->has_grid = true;
    made->grid = *grid;
    irz_alloc(&made->ablated, (size_t)grid->size[0] * (size_t)grid->size[1] * (size_t)grid->size[2], 1, error);
  }
  if (irz_error_agree(group, error) != IRZ_OK) {
    irz_case_solver_free(made);
    return error->code;
  }
  *solver = made;
  return IRZ_OK;
}

void irz_case_result_clear(IrzCaseResult *result) {
  free(result->values);
  free(result->warnings);
  free(result->map);
  result->values = NULL;
  result->warnings = NULL;
  result->map = NULL;
}

void irz_case_solver_free(IrzCaseSolver *solver) {
  if (solver == NULL) return;
  irz_session_free(solver->session);
  free(solver->ablated);
  free(solver);
}

/// Have a model that serves a plan. Its mesh is the costly part, so the session keeps it as long as it serves.
static IrzCode serve(IrzCaseSolver *solver, const IrzPlan *plan, IrzError *error) {
  IrzKept *kept;
  int made = solver->session->n_made;
  solver->model = NULL;
  IrzCode code = irz_session_serve(solver->session, plan, &kept, error);
  if (solver->session->n_made != made) solver->start = 0; /* what was kept as a start has gone with its model */
  if (code == IRZ_OK) solver->model = kept->model;
  return code;
}

/// Solve a plan from nothing and keep the solution as the start of the cases that follow. A model remembers more than
/// its last solution (a preconditioner, for one), hence the reset: results must not depend on what was solved before.
static IrzCode solve_start(IrzCaseSolver *solver, int number, const IrzPlan *plan, IrzSummary *summary,
                           IrzError *error) {
  solver->start = 0;
  IRZ_TRY(serve(solver, plan, error));
  irz_model_reset(solver->model);
  IRZ_TRY(irz_model_solve(solver->model, plan, summary, error));
  IrzCode code = irz_model_keep_start(solver->model, error);
  if (code != IRZ_OK) irz_summary_clear(summary);
  solver->start = code == IRZ_OK ? number : 0;
  return code;
}

/// Solve a case from the solution of case `start`, which is solved first if it is not the model's start yet; both have
/// the time that a case may take. Where that has been tried in vain, cases start from nothing.
static IrzCode solve_case(IrzCaseSolver *solver, int number, int start, const IrzPlan *plan, IrzSummary *summary,
                          IrzError *error) {
  if (number == start) return solve_start(solver, number, plan, summary, error);
  if (solver->no_start != start && (solver->start != start || !irz_model_serves(solver->model, plan))) {
    IrzPlan *start_plan = NULL;
    IrzSummary start_summary;
    IrzError failed = {0};
    irz_sweep_plan(solver->sweep, start, &start_plan, &failed);
    if (irz_error_agree(solver->comm, &failed) == IRZ_OK &&
        solve_start(solver, start, start_plan, &start_summary, &failed) == IRZ_OK) {
      irz_summary_clear(&start_summary);
    }
    irz_plan_free(start_plan);
    /* Results depend neither on how much memory there was nor on a mesh that could not be read this time. */
    if (failed.code == IRZ_ERR_MEMORY || failed.code == IRZ_ERR_INPUT)
      return irz_error_set(error, failed.code, "%s", failed.text);
    if (failed.code != IRZ_OK) solver->no_start = start;
    irz_deadline_start(solver->timeout);
  }
  IRZ_TRY(serve(solver, plan, error));
  if (solver->start != start) irz_model_reset(solver->model); /* the start has no solution: always from nothing then */
  return irz_model_solve(solver->model, plan, summary, error);
}

IrzCode irz_case_warnings(const IrzPlan *plan, char **warnings, IrzError *error) {
  IrzText list;
  if (plan->n_warnings == 0) return IRZ_OK;
  IRZ_TRY(irz_text_begin(&list, error));
  for (int i = 0; i < plan->n_warnings; i++) fprintf(list.out, "%s%s", i > 0 ? "\n" : "", plan->warnings[i]);
  return irz_text_end(&list, warnings, error);
}

/// Whether the full field of a case is wanted.
static bool wants_field(const IrzSweep *sweep, int number) {
  if (sweep->keep_all) return true;
  for (int i = 0; i < sweep->n_keep; i++) {
    if (sweep->keep[i] == number) return true;
  }
  return false;
}

/// Take what the table wants from a summary: the numbers that every case has, and the sweep's own columns.
static IrzCode take_summary(IrzCaseSolver *solver, const IrzSummary *summary, IrzCaseResult *result, IrzError *error) {
  snprintf(result->status, sizeof result->status, "%.255s", summary->status);
  if (solver->rank == 0) {
    int n = solver->sweep->n_columns;
    json_t *root = irz_summary_object(summary);
    if (root == NULL) irz_out_of_memory(0, error);
    if (n > 0 && root != NULL) irz_alloc(&result->values, (size_t)n, sizeof *result->values, error);
    if (error->code == IRZ_OK) {
      irz_case_take(root, result);
      irz_sweep_take_columns(solver->sweep, root, result->values);
    }
    json_decref(root);
  }
  return irz_error_agree(solver->comm, error);
}

/// Write the full field and sample the zone, where wanted.
static IrzCode record_fields(IrzCaseSolver *solver, int number, IrzSummary *summary, IrzCaseResult *result,
                             IrzError *error) {
  if (wants_field(solver->sweep, number)) {
    char folder[IRZ_PATH_MAX];
    snprintf(folder, sizeof folder, "%.4000s/fields/case-%06d", solver->directory, number);
    IRZ_TRY(irz_model_write(solver->model, folder, summary, error));
  }
  if (!solver->has_grid || !irz_case_counts(solver->sweep, number)) return IRZ_OK;
  IRZ_TRY(irz_model_sample_zone(solver->model, &solver->grid, solver->ablated, error));
  if (solver->rank == 0) {
    size_t n = (size_t)solver->grid.size[0] * (size_t)solver->grid.size[1] * (size_t)solver->grid.size[2];
    irz_map_pack(solver->ablated, n, &result->map, &result->map_size, error);
  }
  return irz_error_agree(solver->comm, error);
}

IrzCode irz_case_solver_run(void *context, int number, int start, IrzCaseResult *result, IrzError *error) {
  IrzCaseSolver *solver = context;
  struct timespec before, after;
  clock_gettime(CLOCK_MONOTONIC, &before);
  IrzPlan *plan = NULL;
  IrzSummary summary;
  IrzError failure = {0};
  irz_sweep_plan(solver->sweep, number, &plan, &failure);
  irz_deadline_start(solver->timeout);
  bool solved = irz_error_agree(solver->comm, &failure) == IRZ_OK &&
                solve_case(solver, number, start, plan, &summary, &failure) == IRZ_OK;
  bool late = irz_deadline_end() && failure.code == IRZ_ERR_SOLVER;
  if (solved) {
    take_summary(solver, &summary, result, &failure);
    if (failure.code == IRZ_OK) record_fields(solver, number, &summary, result, &failure);
  } else {
    solver->start = 0; /* whatever the failure left behind must not reach the next case */
    if (number == start && failure.code != IRZ_ERR_MEMORY) solver->no_start = start;
  }
  const IrzPlan *warned = solved ? summary.plan : plan;
  if (warned != NULL && solver->rank == 0)
    irz_case_warnings(warned, &result->warnings, failure.code == IRZ_OK ? &failure : NULL);
  irz_error_agree(solver->comm, &failure);
  if (solved) irz_summary_clear(&summary);
  irz_plan_free(plan);
  result->number = number;
  if (failure.code != IRZ_OK) {
    result->failed = true;
    result->code = failure.code;
    snprintf(result->status, sizeof result->status, "%.255s", late ? IRZ_TIMEOUT : failure.text);
  }
  clock_gettime(CLOCK_MONOTONIC, &after);
  result->seconds = (double)(after.tv_sec - before.tv_sec) + 1e-9 * (double)(after.tv_nsec - before.tv_nsec);
  /* What cannot be written for one case cannot be written for the next. */
  return failure.code == IRZ_ERR_OUTPUT ? irz_error_set(error, failure.code, "%s", failure.text) : IRZ_OK;
}
