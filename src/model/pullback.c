/* The needles move, so each position has a mesh of its own, in the same tissue box. The zone is measured on the mesh of
   the first position, with the potentials of the others interpolated to its nodes: withdrawn needles lie where needles
   lay before, so all of that mesh is tissue at every position. What is left out is the track of the needles, as the
   needles themselves are with a single position. */
#include "model/pullback.h"
#include "base/memory.h"
#include "model/transfer.h"
#include <stdlib.h>
#include <string.h>

IrzCode irz_pullback_create(IrzModel *model, const IrzPlan *plan, IrzError *error) {
  if (plan->pullback.count == 0 || plan->pullback.position > 0) return IRZ_OK;
  irz_alloc(&model->position, (size_t)plan->pullback.count, sizeof *model->position, error);
  if (error->code == IRZ_OK) irz_alloc(&model->found, (size_t)plan->pullback.count, sizeof *model->found, error);
  if (error->code == IRZ_OK) irz_alloc(&model->moved, (size_t)plan->pullback.count, sizeof *model->moved, error);
  IrzCode code = irz_error_agree(model->comm, error);
  for (int k = 0; code == IRZ_OK && k < plan->pullback.count; k++) {
    IrzPlan *moved = NULL;
    irz_plan_withdraw(plan, k + 1, &moved, error);
    code = irz_error_agree(model->comm, error);
    if (code == IRZ_OK) code = irz_model_create(model->comm, moved, &model->options, &model->position[k], error);
    if (code == IRZ_OK) model->n_positions = k + 1;
    irz_plan_free(moved);
  }
  return code;
}

void irz_pullback_clear(IrzModel *model) {
  for (int k = 0; k < model->n_positions; k++) {
    irz_summary_clear(&model->found[k]);
    irz_plan_free(model->moved[k]);
    model->moved[k] = NULL;
  }
}

IrzCode irz_pullback_solve(IrzModel *model, const IrzPlan *plan, IrzError *error) {
  irz_pullback_clear(model);
  IrzCode code = IRZ_OK;
  for (int k = 0; code == IRZ_OK && k < model->n_positions; k++) {
    irz_plan_withdraw(plan, k + 1, &model->moved[k], error);
    code = irz_error_agree(model->comm, error);
    if (code == IRZ_OK) code = irz_model_solve(model->position[k], model->moved[k], &model->found[k], error);
  }
  return code;
}

IrzCode irz_pullback_take(IrzModel *model, IrzSummary *summary, IrzError *error) {
  const IrzPlan *plan = summary->plan;
  IrzCode code = IRZ_OK;
  for (int k = 0; code == IRZ_OK && k < model->n_positions; k++) {
    const IrzModel *position = model->position[k];
    int first = (k + 1) * plan->n_pulses;
    for (int i = 0; i < plan->n_pulses; i++) {
      summary->pulses[first + i] = model->found[k].pulses[i];
      summary->pulses[first + i].withdrawn = (k + 1) * plan->pullback.step;
    }
    code = irz_transfer(position->part, plan->mesh.order, plan->n_pulses, position->potential, model->part,
                        model->potential + first, error);
  }
  return code;
}

void irz_pullback_free(IrzModel *model) {
  irz_pullback_clear(model);
  for (int k = 0; k < model->n_positions; k++) irz_model_free(model->position[k]);
  free((void *)model->position);
  free(model->found);
  free((void *)model->moved);
  model->n_positions = 0;
}
