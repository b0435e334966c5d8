/* Building a stage, and what it keeps from solve to solve; see stage.h. */
#include "model/stage.h"
#include "base/entry.h"
#include "base/idle.h"
#include "base/memory.h"
#include "base/threads.h"
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Tetrahedra for each thread that nobody asked for: with fewer, what the threads have in common costs more than is
/// won.
enum { TETS_PER_THREAD = 10000 };

/// Whether the user or the caller says how many threads there are.
static bool threads_given(const IrzStageOptions *options) {
  return (options != NULL && options->threads > 0) || getenv("OMP_NUM_THREADS") != NULL;
}

/// Threads for a mesh of any size: if nobody says, all that are available for a lone process, one for each of several
/// ranks.
static int choose_threads(MPI_Comm comm, const IrzStageOptions *options) {
  int size;
  MPI_Comm_size(comm, &size);
  if (size > 1 && !threads_given(options)) return 1;
  return irz_threads_choose(options != NULL ? options->threads : 0);
}

/// Take no more threads than the mesh is worth. Results depend on their number by rounding, so it must not depend on
/// what else the machine does.
static void fit_threads(IrzStage *stage) {
  PetscInt worth = stage->part->n_global_tets / TETS_PER_THREAD;
  if (!threads_given(&stage->options) && worth < stage->threads) stage->threads = worth < 1 ? 1 : (int)worth;
}

IrzCode irz_stage_report(const IrzStage *stage, const char *what, double fraction, IrzError *error) {
  int rank;
  MPI_Comm_rank(stage->comm, &rank);
  if (rank == 0 && stage->options.progress != NULL) {
    bool go_on;
    {
      IRZ_STEP_OUT;
      go_on = stage->options.progress(stage->options.context, what, fraction);
    }
    if (!go_on) irz_error_set(error, IRZ_ERR_CANCELLED, "%s: stopped by the caller", stage->geometry->file);
  }
  return irz_error_agree(stage->comm, error);
}

/// Warn of surfaces between tissues that run through elements.
static void warn_of_cuts(IrzPlan *plan, const IrzMesh *mesh) {
  const double much = 0.05;
  double share = mesh->cut_area / (mesh->fitted_area + mesh->cut_area);
  if (!(share > much)) return;
  irz_plan_warn(plan,
                "%s:%d: anatomy.labels: %.0f %% of the surfaces between tissues near bare metal run through elements "
                "(details smaller than these, lines where several tissues meet): fields there are less exact; "
                "a smaller mesh.accuracy helps",
                plan->file, plan->anatomy.line, 100 * share);
}

/// Read or generate the mesh, on rank 0.
/// @param[in] accuracy  relative, that a generated mesh is sized for
static IrzCode get_mesh(IrzPlan *plan, double accuracy, const IrzLabelMap *labels, IrzMesh **mesh, IrzError *error) {
  if (plan->mesh.file[0] == '\0') {
    IrzPlan wanted = *plan;
    IrzMeshSizing sizing;
    wanted.mesh.accuracy = accuracy;
    irz_mesh_sizing(&wanted, &sizing);
    IRZ_TRY(irz_mesh_generate(plan, &sizing, labels, mesh, error));
    warn_of_cuts(plan, *mesh);
    return IRZ_OK;
  }
  const char *file = irz_path_from_here(plan->mesh.file);
  IRZ_TRY(irz_mesh_read(file, plan->mesh.scale, mesh, error));
  return irz_mesh_check(*mesh, plan, file, error);
}

void irz_share_warnings(MPI_Comm comm, IrzPlan *plan, int before) {
  int rank, count = plan->n_warnings;
  MPI_Comm_rank(comm, &rank);
  MPI_Bcast(&count, 1, MPI_INT, 0, comm);
  for (int i = before; i < count; i++) {
    char text[IRZ_ERROR_TEXT] = "";
    if (rank == 0) snprintf(text, sizeof text, "%s", plan->warnings[i]);
    MPI_Bcast(text, sizeof text, MPI_CHAR, 0, comm);
    if (rank != 0) irz_plan_warn(plan, "%s", text);
  }
}

void irz_solution_free(IrzSolution *found) {
  if (found == NULL || --found->users > 0) return;
  for (int i = 0; i < found->room; i++) free(found->potential[i]);
  free(found->potential);
  free(found->met);
  free(found->recovered);
  free(found->sharp);
  free(found->along);
  irz_drawn_clear(&found->drawn);
  irz_sides_clear(&found->sides);
  free(found->score);
  free(found->threshold);
  free(found->law);
  irz_heat_fields_clear(&found->heat);
  free(found);
}

/// Have a solution that is empty.
static IrzCode make_solution(IrzStage *stage, IrzError *error) {
  IRZ_TRY(irz_alloc(&stage->found, 1, sizeof *stage->found, error));
  stage->found->users = 1;
  stage->found->stage = stage;
  return IRZ_OK;
}

IrzCode irz_stage_renew(IrzStage *stage, IrzError *error) {
  if (stage->found != NULL && stage->found->users == 1) return IRZ_OK;
  irz_solution_free(stage->found);
  stage->found = NULL;
  return make_solution(stage, error);
}

/// Build everything on a mesh.
/// @param[in] mesh  on rank 0
static IrzCode build_on(IrzStage *stage, const IrzPlan *plan, const IrzMesh *mesh, IrzError *error) {
  const char *surfaces[IRZ_MAX_PROBES];
  for (int p = 0; p < plan->n_probes; p++) {
    surfaces[p] = plan->probes[p].surface[0] != '\0' ? plan->probes[p].surface : plan->probes[p].name;
  }
  IRZ_TRY(irz_part_create(stage->comm, mesh, plan->n_probes, surfaces, &stage->part, error));
  fit_threads(stage);
  irz_medium_create(stage->part, stage->labels, &stage->medium, error);
  IRZ_TRY(irz_error_agree(stage->comm, error));
  irz_field_create(stage->part, stage->medium, plan->mesh.order, plan->idle_probes == IRZ_IDLE_FLOATING, stage->threads,
                   &stage->field, error);
  IRZ_TRY(irz_error_agree(stage->comm, error));
  make_solution(stage, error);
  return irz_error_agree(stage->comm, error);
}

/// Build everything; on failure the caller frees what there is.
static IrzCode build_all(IrzStage *stage, IrzError *error) {
  MPI_Comm comm = stage->comm;
  IrzPlan *plan = stage->geometry;
  int rank, before = plan->n_warnings;
  double started = MPI_Wtime(), meshed;
  IrzMesh *mesh = NULL;
  MPI_Comm_rank(comm, &rank);
  IRZ_TRY(irz_stage_report(stage, "mesh", 0, error));
  omp_set_num_threads(irz_idle_threads(comm, stage->threads));
  if (rank == 0) get_mesh(plan, stage->accuracy, stage->labels, &mesh, error);
  omp_set_num_threads(stage->threads);
  IrzCode code = irz_idle_agree(comm, error);
  irz_share_warnings(comm, plan, before);
  meshed = MPI_Wtime();
  stage->mesh_time += meshed - started;
  if (code == IRZ_OK) code = irz_stage_report(stage, "setup", 0, error);
  if (code == IRZ_OK) code = build_on(stage, plan, mesh, error);
  irz_mesh_free(mesh);
  stage->setup_time += MPI_Wtime() - meshed;
  return code;
}

/// build_all() with the stage's number of threads, also where it is not passed on.
static IrzCode build(IrzStage *stage, IrzError *error) {
  int before = omp_get_max_threads();
  stage->threads = choose_threads(stage->comm, &stage->options);
  omp_set_num_threads(stage->threads);
  IrzCode code = build_all(stage, error);
  omp_set_num_threads(before);
  return code;
}

IrzCode irz_stage_create(MPI_Comm comm, const IrzPlan *plan, double accuracy, const IrzStageOptions *options,
                         const IrzLabelMap *labels, IrzStage **stage, IrzError *error) {
  IrzStage *made = NULL;
  *stage = NULL;
  irz_alloc(&made, 1, sizeof *made, error);
  if (error->code == IRZ_OK) irz_plan_copy(plan, &made->geometry, error);
  IrzCode code = irz_error_agree(comm, error);
  if (made != NULL) {
    made->users = 1;
    made->comm = comm;
    made->options = *options;
    made->labels = labels;
    made->accuracy = accuracy;
  }
  if (code == IRZ_OK) {
    made->n_stated = made->geometry->n_warnings;
    code = build(made, error);
  }
  if (code != IRZ_OK)
    irz_stage_free(made);
  else
    *stage = made;
  return code;
}

/// Drop the kept solution.
static void drop_kept(IrzStage *stage) {
  for (int i = 0; i < stage->n_kept; i++) free(stage->kept[i]);
  free(stage->kept);
  free(stage->kept_solved);
  stage->kept = NULL;
  stage->kept_solved = NULL;
  stage->n_kept = 0;
}

/// Drop everything that is built on the mesh.
static void drop_mesh(IrzStage *stage) {
  drop_kept(stage);
  irz_solution_free(stage->found);
  stage->found = NULL;
  for (int i = 0; i < stage->room; i++) {
    free(stage->unknown[i]);
    free(stage->older[i]);
  }
  free(stage->unknown);
  free(stage->older);
  free(stage->solved);
  free(stage->older_solved);
  irz_points_free(&stage->floor);
  free(stage->trial);
  irz_field_free(stage->field);
  irz_medium_free(stage->medium);
  irz_part_free(stage->part);
  stage->unknown = stage->older = NULL;
  stage->solved = stage->older_solved = NULL;
  stage->trial = NULL;
  stage->field = NULL;
  stage->medium = NULL;
  stage->part = NULL;
  stage->room = 0;
}

/// Drop the warnings of a stage's mesh: they will be found again.
static void drop_warnings(IrzPlan *plan, int n_stated) {
  while (plan->n_warnings > n_stated) free(plan->warnings[--plan->n_warnings]);
}

/// A further mesh of the same position, from those that are there or made.
static IrzCode take_finer(IrzStage *stage, double accuracy, IrzStage **finer, IrzError *error) {
  for (int i = 0; i < stage->n_finer; i++) {
    if (stage->finer[i]->accuracy != accuracy) continue;
    *finer = stage->finer[i];
    return IRZ_OK;
  }
  IrzPlan *plan = NULL;
  irz_plan_copy(stage->geometry, &plan, error);
  IRZ_TRY(irz_error_agree(stage->comm, error));
  drop_warnings(plan, stage->n_stated);
  IrzCode code = irz_stage_create(stage->comm, plan, accuracy, &stage->options, stage->labels, finer, error);
  irz_plan_free(plan);
  IRZ_TRY(code);
  if (stage->n_finer == IRZ_STAGE_LEVELS) {
    irz_stage_free(stage->finer[0]);
    stage->n_finer--;
    memmove((void *)stage->finer, (void *)(stage->finer + 1), (size_t)stage->n_finer * sizeof *stage->finer);
  }
  stage->finer[stage->n_finer++] = *finer;
  stage->mesh_time += (*finer)->mesh_time;
  stage->setup_time += (*finer)->setup_time;
  (*finer)->mesh_time = (*finer)->setup_time = 0;
  return IRZ_OK;
}

IrzCode irz_stage_refine(IrzStage **stage, double accuracy, IrzError *error) {
  IrzStage *here = *stage;
  if (here->options.levels) return take_finer(here, accuracy, stage, error);
  drop_warnings(here->geometry, here->n_stated);
  drop_mesh(here);
  here->accuracy = accuracy;
  IrzCode code = build(here, error);
  if (code != IRZ_OK) drop_mesh(here); /* the next solve builds it */
  return code;
}

IrzCode irz_stage_keep(IrzStage *stage, IrzError *error) {
  if (stage->field == NULL) return irz_error_set(error, IRZ_ERR_PLAN, "nothing is solved that could be kept");
  size_t n = (size_t)irz_field_space(stage->field)->n_local;
  int n_pulses = stage->found->n_pulses;
  drop_kept(stage);
  irz_alloc(&stage->kept, (size_t)n_pulses, sizeof *stage->kept, error);
  if (error->code == IRZ_OK) irz_alloc(&stage->kept_solved, (size_t)n_pulses, sizeof *stage->kept_solved, error);
  for (int i = 0; error->code == IRZ_OK && i < n_pulses; i++) {
    if (irz_alloc(&stage->kept[i], n, sizeof(double), error) != IRZ_OK) break;
    memcpy(stage->kept[i], stage->unknown[i], n * sizeof(double));
    stage->kept_solved[i] = stage->solved[i];
    stage->n_kept = i + 1;
  }
  return irz_error_agree(stage->comm, error);
}

void irz_stage_reset(IrzStage *stage) {
  drop_kept(stage);
  for (int i = 0; i < stage->room; i++) stage->solved[i] = stage->older_solved[i] = (IrzSolved){-1, -1, 0};
  if (stage->field != NULL) irz_field_forget(stage->field);
  for (int i = 0; i < stage->n_finer; i++) irz_stage_reset(stage->finer[i]);
}

void irz_stage_free(IrzStage *stage) {
  if (stage == NULL || --stage->users > 0) return;
  for (int i = 0; i < stage->n_finer; i++) irz_stage_free(stage->finer[i]);
  drop_mesh(stage);
  irz_plan_free(stage->geometry);
  free(stage);
}
