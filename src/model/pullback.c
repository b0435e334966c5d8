/* The needles move, so each position has a mesh of its own, in the same tissue box. The zone is measured on the mesh of
   the first position, with the potentials of the others interpolated to its nodes: withdrawn needles lie where needles
   lay before, so all of that mesh is tissue at every position. What is left out is the track of the needles, as the
   needles themselves are with a single position. */
#include "model/steps.h"
#include "model/transfer.h"

IrzCode irz_positions_take(const IrzPositions *others, IrzStage *stage, IrzSummary *summary, IrzError *error) {
  const IrzPlan *plan = summary->plan;
  IrzCode code = IRZ_OK;
  for (int k = 0; code == IRZ_OK && k < others->n; k++) {
    const IrzStage *position = others->stage[k];
    int first = (k + 1) * plan->n_pulses;
    for (int i = 0; i < plan->n_pulses; i++) {
      summary->pulses[first + i] = others->found[k].pulses[i];
      summary->pulses[first + i].withdrawn = (k + 1) * plan->pullback.step;
    }
    code = irz_transfer(position->part, plan->mesh.order, plan->n_pulses, position->found->potential, stage->part,
                        stage->found->potential + first, error);
  }
  return code;
}
