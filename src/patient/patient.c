/* Judging a result against the patient; see patient.h. */
#include "patient/patient.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

IrzCode irz_patient_judge(const IrzPatientCase *judged, IrzPlan *plan, IrzPatient **patient, IrzError *error) {
  IrzPatient *made = NULL;
  IrzPatientShared shared = {.kind = NULL};
  *patient = NULL;
  if (!plan->patient.on) return IRZ_OK;
  irz_alloc(&made, 1, sizeof *made, error);
  if (error->code == IRZ_OK) {
    made->n_targets = plan->patient.n_targets;
    irz_alloc(&made->targets, (size_t)made->n_targets, sizeof *made->targets, error);
  }
  if (error->code == IRZ_OK) {
    made->n_at_risk = plan->patient.n_at_risk;
    irz_alloc(&made->at_risk, (size_t)made->n_at_risk, sizeof *made->at_risk, error);
  }
  IrzCode code = irz_error_agree(judged->comm, error);
  if (code == IRZ_OK) code = irz_shared_make(judged, plan, &shared, error);
  if (code == IRZ_OK) {
    irz_shared_curves(judged, &shared, plan, made, error);
    code = irz_error_agree(judged->comm, error);
  }
  if (code == IRZ_OK) code = irz_targets_judge(judged, &shared, plan, made, error);
  if (code == IRZ_OK) code = irz_risk_judge(judged, &shared, plan, made, error);
  if (code == IRZ_OK) code = irz_compare_judge(judged, &shared, plan, made, error);
  irz_shared_clear(&shared);
  if (code != IRZ_OK)
    irz_patient_free(made);
  else
    *patient = made;
  return code;
}
