/* From a plan to a summary; see irezone/model.h. */
#include "model/model.h"
#include "anatomy/label_names.h"
#include "base/entry.h"
#include "base/idle.h"
#include "base/memory.h"
#include "model/steps.h"
#include <irezone/anatomy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* ---- Making and freeing ---- */

/// Make the stages of all positions of the needles.
/// @param[in] plan  with the warnings of the label map
static IrzCode make_stages(IrzModel *model, const IrzPlan *plan, IrzError *error) {
  const IrzLabelMap *labels = model->anatomy != NULL ? model->anatomy->map : NULL;
  int n = 1 + plan->pullback.count;
  irz_alloc((void *)&model->stage, (size_t)n, sizeof *model->stage, error);
  if (error->code == IRZ_OK) irz_alloc((void *)&model->answer, (size_t)n, sizeof *model->answer, error);
  if (error->code == IRZ_OK) irz_alloc((void *)&model->moved, (size_t)n, sizeof *model->moved, error);
  if (error->code == IRZ_OK) irz_alloc(&model->found, (size_t)n, sizeof *model->found, error);
  IrzCode code = irz_error_agree(model->comm, error);
  for (int k = 0; code == IRZ_OK && k < n; k++) {
    IrzPlan *moved = NULL;
    irz_plan_withdraw(plan, k, &moved, error);
    code = irz_error_agree(model->comm, error);
    if (code == IRZ_OK) {
      code =
          irz_stage_create(model->comm, moved, plan->mesh.accuracy, &model->options, labels, &model->stage[k], error);
    }
    if (code == IRZ_OK) model->n_stages = k + 1;
    model->answer[k] = model->stage[k];
    irz_plan_free(moved);
  }
  return code;
}

/// Tell a listener that cannot stop the work.
static bool tell(void *context, const char *what, double fraction) {
  const IrzModelOptions *listener = context;
  listener->progress(listener->context, what, fraction);
  return true;
}

/// Make everything of a model that has been allocated.
static IrzCode fill(IrzModel *model, const IrzPlan *plan, IrzAnatomy *known, IrzError *error) {
  IrzPlan *own = NULL;
  if (irz_plan_check(plan, error) == IRZ_OK) irz_plan_copy(plan, &own, error);
  if (error->code == IRZ_OK) irz_key_make(plan, IRZ_KEY_MESH, &model->key, error);
  IrzCode code = irz_error_agree(model->comm, error);
  double start = MPI_Wtime();
  if (code == IRZ_OK) code = irz_anatomy_take(model->comm, own, known, &model->anatomy, error);
  double reading = MPI_Wtime() - start;
  if (code == IRZ_OK) code = make_stages(model, own, error);
  if (code == IRZ_OK) {
    model->n_stated = plan->n_warnings;
    model->stage[0]->mesh_time += reading;
  }
  irz_plan_free(own);
  return code;
}

IrzCode irz_model_make(MPI_Comm comm, const IrzPlan *plan, const IrzStageOptions *options, IrzAnatomy *known,
                       const IrzModelOptions *listener, IrzModel **model, IrzError *error) {
  IrzModel *made = NULL;
  *model = NULL;
  irz_alloc(&made, 1, sizeof *made, error);
  IrzCode code = irz_error_agree(comm, error);
  if (made != NULL) {
    made->users = 1;
    made->comm = comm;
    made->options = *options;
    if (listener != NULL) made->listener = *listener;
    if (made->listener.progress != NULL) {
      made->options.progress = tell;
      made->options.context = &made->listener;
    }
  }
  if (code == IRZ_OK) code = fill(made, plan, known, error);
  if (code != IRZ_OK)
    irz_model_free(made);
  else
    *model = made;
  return code;
}

IrzCode irz_model_create(MPI_Comm comm, const IrzPlan *plan, const IrzModelOptions *options, IrzModel **model,
                         IrzError *error) {
  IRZ_ENTER_ALONE(error);
  IRZ_NEED(plan != NULL && model != NULL);
  IrzStageOptions own = {0};
  if (options != NULL)
    own = (IrzStageOptions){.threads = options->threads, .refine = options->refine, .once = options->once};
  return irz_model_make(comm, plan, &own, NULL, options, model, error);
}

/// Whether a model has the mesh of a plan.
static IrzCode compare_keys(const IrzModel *model, const IrzPlan *plan, bool *equal, IrzError *error) {
  IrzKey key;
  IrzCode code = irz_key_make(plan, IRZ_KEY_MESH, &key, error);
  *equal = code == IRZ_OK && irz_key_equal(&key, &model->key);
  irz_key_clear(&key);
  return code;
}

bool irz_model_serves(const IrzModel *model, const IrzPlan *plan) {
  IRZ_ENTER_QUIETLY;
  bool equal;
  if (model == NULL || plan == NULL || plan->missing != NULL) return false;
  compare_keys(model, plan, &equal, NULL);
  return equal;
}

/// Forget what the further positions came to.
static void clear_positions(IrzModel *model) {
  for (int k = 1; k < model->n_stages; k++) {
    irz_summary_clear(&model->found[k]);
    irz_plan_free(model->moved[k]);
    model->moved[k] = NULL;
  }
}

void irz_model_free(IrzModel *model) {
  IRZ_ENTER_ALONE_QUIETLY;
  if (model == NULL || --model->users > 0) return;
  clear_positions(model);
  for (int k = 0; k < model->n_stages; k++) irz_stage_free(model->stage[k]);
  free((void *)model->stage);
  free((void *)model->answer);
  irz_key_clear(&model->key);
  free((void *)model->moved);
  free(model->found);
  irz_anatomy_free(model->anatomy);
  free(model);
}

/* ---- Solving ---- */

/// Memory at its peak, summed over the ranks, bytes.
static double peak_memory(MPI_Comm comm) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double mine = 1024.0 * (double)usage.ru_maxrss, all;
  MPI_Allreduce(&mine, &all, 1, MPI_DOUBLE, MPI_SUM, comm);
  return all;
}

/// What building the stages has taken since it was last reported, s.
static double built(const IrzModel *model) {
  double seconds = 0;
  for (int k = 0; k < model->n_stages; k++) seconds += model->stage[k]->mesh_time + model->stage[k]->setup_time;
  return seconds;
}

/// Add up the times of all positions. What building took is reported once: another solve on the same mesh must not
/// report it again.
static void take_times(IrzModel *model, IrzSummary *summary) {
  for (int k = 0; k < model->n_stages; k++) {
    IrzStage *stage = model->stage[k];
    summary->timing.mesh += stage->mesh_time;
    summary->timing.setup += stage->setup_time;
    stage->mesh_time = stage->setup_time = 0;
    if (k == 0) continue;
    summary->timing.solve += model->found[k].timing.solve;
    summary->timing.zone += model->found[k].timing.zone;
  }
}

/// Solve a plan at the further positions of its pull-back.
static IrzCode solve_positions(IrzModel *model, const IrzPlan *plan, IrzError *error) {
  clear_positions(model);
  IrzCode code = IRZ_OK;
  for (int k = 1; code == IRZ_OK && k < model->n_stages; k++) {
    irz_plan_withdraw(plan, k, &model->moved[k], error);
    code = irz_error_agree(model->comm, error);
    if (code != IRZ_OK) break;
    model->found[k].plan = model->moved[k];
    model->found[k].n_pulses = plan->n_pulses;
    code = irz_stage_solve(model->stage[k], model->moved[k], NULL, &model->found[k], &model->answer[k], error);
  }
  return code;
}

/// Take over the voltages with which pairs have fired.
static void take_voltages(IrzSummary *summary) {
  for (int k = 0; k < summary->pairs.n; k++) {
    IrzPair *pair = &summary->pairs.pair[k];
    pair->voltage = NAN;
    for (int i = 0; i < summary->n_pulses; i++) {
      const IrzPulseResult *pulse = &summary->pulses[i];
      bool same = strcmp(pulse->from, pair->from) == 0 && strcmp(pulse->to, pair->to) == 0;
      bool turned = strcmp(pulse->from, pair->to) == 0 && strcmp(pulse->to, pair->from) == 0;
      if (same || turned) pair->voltage = fmax(pair->voltage, pulse->voltage);
    }
  }
}

/// Everything between the checks and the report.
static IrzCode solve_all(IrzModel *model, IrzPlan *plan, IrzSummary *summary, IrzError *error) {
  const IrzPositions others = {model->n_stages - 1, model->answer + 1, model->found + 1};
  IRZ_TRY(irz_stage_can_judge(model->stage[0], plan, error));
  irz_locate_needles(model->stage[0], plan, summary, error);
  IRZ_TRY(irz_error_agree(model->comm, error));
  IRZ_TRY(solve_positions(model, plan, error));
  IRZ_TRY(irz_stage_solve(model->stage[0], plan, &others, summary, &model->answer[0], error));
  IRZ_TRY(irz_stage_heat(model->answer[0], plan, summary, error));
  return irz_stage_judge(model->answer[0], plan, summary, error);
}

IrzCode irz_model_solve(IrzModel *model, const IrzPlan *stated, IrzSummary *summary, IrzError *error) {
  IRZ_ENTER_ALONE(error);
  IRZ_NEED(model != NULL && stated != NULL && summary != NULL);
  memset(summary, 0, sizeof *summary);
  IRZ_TRY(irz_plan_check(stated, error));
  bool served = false;
  compare_keys(model, stated, &served, error);
  if (error->code == IRZ_OK && !served) {
    irz_error_set(error, IRZ_ERR_PLAN, "%s: another mesh, other probes or another anatomy than the model's",
                  stated->file);
  }
  IRZ_TRY(irz_error_agree(model->comm, error));
  if (model->spent) return irz_error_set(error, IRZ_ERR_PLAN, "%s: the model was made to solve once", stated->file);
  IrzPlan *plan;
  irz_plan_copy(stated, &plan, error);
  summary->plan = summary->own_plan = plan;
  if (irz_error_agree(model->comm, error) != IRZ_OK) {
    irz_summary_clear(summary);
    return error->code;
  }
  if (model->anatomy != NULL) irz_label_map_number(model->anatomy->map, plan);
  model->spent = model->options.once;
  model->answered = false;
  summary->order = plan->mesh.order;
  summary->ranks = model->stage[0]->part->size;
  summary->n_pulses = model->n_stages * plan->n_pulses;
  double start = MPI_Wtime(), before = built(model);
  IrzCode code = solve_all(model, plan, summary, error);
  if (code != IRZ_OK) {
    irz_summary_clear(summary);
    return code;
  }
  const IrzStage *stage = model->answer[0];
  summary->threads = stage->threads;
  take_voltages(summary);
  irz_plan_add_warnings(plan, stage->geometry, model->n_stated);
  irz_warn_of_result(plan, stage, summary);
  snprintf(summary->status, sizeof summary->status, "converged");
  take_times(model, summary);
  summary->timing.total = before + MPI_Wtime() - start;
  summary->peak_memory = peak_memory(model->comm);
  model->answered = true;
  return IRZ_OK;
}

IrzCode irz_model_no_answer(const IrzModel *model, IrzError *error) {
  return irz_error_set(error, IRZ_ERR_PLAN, "%s: the model has no solution: solve first, and successfully",
                       model->stage[0]->geometry->file);
}

IrzCode irz_model_keep_start(IrzModel *model, IrzError *error) {
  IRZ_ENTER_ALONE(error);
  IRZ_NEED(model != NULL);
  if (!model->answered) return irz_model_no_answer(model, error);
  for (int k = model->n_stages - 1; k >= 0; k--) IRZ_TRY(irz_stage_keep(model->stage[k], error));
  return IRZ_OK;
}

void irz_model_reset(IrzModel *model) {
  IRZ_ENTER_ALONE_QUIETLY;
  if (model == NULL) return;
  for (int k = 0; k < model->n_stages; k++) irz_stage_reset(model->stage[k]);
  model->answered = false;
}
