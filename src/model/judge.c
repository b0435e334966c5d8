/* The patient: what a solution comes to for who is treated. */
#include "mesh/plan_regions.h"
#include "model/steps.h"
#include "patient/patient.h"

IrzCode irz_stage_judge(const IrzStage *stage, IrzPlan *plan, IrzSummary *summary, IrzError *error) {
  const IrzSolution *found = stage->found;
  IrzPatientCase judged = {.comm = stage->comm,
                           .threads = stage->threads,
                           .labels = stage->labels,
                           .medium = stage->medium,
                           .sides = &found->sides,
                           .drawn = &found->drawn,
                           .measured = found->is_sharp ? found->sharp : found->recovered,
                           .threshold = found->threshold,
                           .heat = &found->heat,
                           .summary = summary};
  if (!plan->patient.on) return IRZ_OK;
  double start = MPI_Wtime();
  int before = plan->n_warnings;
  if (plan->mesh.file[0] == '\0') {
    irz_plan_center(plan, judged.center);
    judged.size = plan->mesh.size;
  }
  IrzCode code = irz_patient_judge(&judged, plan, &summary->patient, error);
  if (code == IRZ_OK) irz_share_warnings(stage->comm, plan, before);
  summary->timing.zone += MPI_Wtime() - start;
  return code;
}

IrzCode irz_stage_can_judge(const IrzStage *stage, const IrzPlan *plan, IrzError *error) {
  irz_plan_check_regions(plan, stage->labels, stage->medium->n_regions, stage->medium->regions, error);
  if (error->code == IRZ_OK && stage->part->rank == 0) irz_compare_check(plan, error);
  return irz_error_agree(stage->comm, error);
}
