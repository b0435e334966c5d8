/* A plan on a stage: solved, measured, and solved again on finer meshes until its accuracy is met. */
#include "model/steps.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Meshes with more tetrahedra are not made unasked.
static const double most_cells = 3e6;

/// Solve on the mesh as it is; adds to the summary's times.
static IrzCode solve_once(IrzStage *stage, const IrzPlan *plan, const IrzPositions *others, IrzSummary *summary,
                          IrzError *error) {
  const IrzLaw **laws = NULL;
  int total = (1 + (others != NULL ? others->n : 0)) * plan->n_pulses;
  irz_stage_renew(stage, error);
  IRZ_TRY(irz_error_agree(stage->comm, error));
  irz_heat_fields_clear(&stage->found->heat);
  irz_look_up(stage, plan, &laws, error);
  double start = MPI_Wtime();
  IrzCode code = irz_treat(stage, plan, total, laws, summary, error);
  if (code == IRZ_OK && others != NULL) code = irz_positions_take(others, stage, summary, error);
  if (stage->options.once && !plan->heat.on) irz_field_release(stage->field);
  summary->timing.solve += MPI_Wtime() - start;
  if (code == IRZ_OK) code = irz_stage_report(stage, "zone", 0, error);
  if (code == IRZ_OK) code = irz_measure(stage, plan, laws, summary, error);
  free(laws);
  return code;
}

IrzCode irz_stage_solve(IrzStage *stage, const IrzPlan *plan, const IrzPositions *others, IrzSummary *summary,
                        IrzStage **answer, IrzError *error) {
  IrzStage *here = stage;
  if (stage->field == NULL) IRZ_TRY(irz_stage_refine(&here, stage->accuracy, error)); /* it could not be, last time */
  IRZ_TRY(solve_once(here, plan, others, summary, error));
  *answer = here;
  if (!stage->options.refine || plan->mesh.file[0] != '\0' || stage->n_kept > 0) return IRZ_OK;
  for (int round = 0; round < 3; round++) {
    /* Sizes are chosen from what the bar was: it falls with the third power of the size at order 2. */
    if (summary->zone.volume <= 0) return IRZ_OK;
    double ratio = irz_allowed_bar(plan, &summary->zone) / summary->zone.volume_error;
    if (!(ratio < 1) || (double)summary->cells / ratio > most_cells) return IRZ_OK;
    free(summary->pulses);
    free(summary->zone.regions);
    summary->pulses = NULL;
    memset(&summary->zone, 0, sizeof summary->zone);
    /* In steps of an eighth of a factor of two: the bar differs by rounding with the number of ranks, the mesh must
     * not. */
    double accuracy = exp2(rint(8 * log2(0.8 * ratio * here->accuracy)) / 8);
    here = stage;
    IRZ_TRY(irz_stage_refine(&here, accuracy, error));
    IRZ_TRY(solve_once(here, plan, others, summary, error));
    *answer = here;
  }
  return IRZ_OK;
}
