/* Judging a result against the patient; see patient.h. */
#include "patient/patient.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

/// A target that the label map does not have at all is a mistake in the plan or in the map.
static IrzCode check_voxels(const IrzPlan *plan, const IrzLabelMap *labels, IrzError *error) {
  for (int i = 0; i < plan->patient.n_targets; i++) {
    const char *name = plan->patient.target[i].region;
    int64_t voxels = 0;
    for (int r = 0; r < labels->n_regions; r++) {
      if (strcmp(labels->regions[r].name, name) == 0) voxels += labels->voxels[r];
    }
    if (voxels > 0) continue;
    return irz_error_set(error, IRZ_ERR_PLAN, "%s:%d: patient.targets[%d].region: the label map has no voxel of \"%s\"",
                         plan->file, plan->patient.target[i].line, i, name);
  }
  return IRZ_OK;
}

IrzCode irz_patient_check(const IrzPlan *plan, const IrzLabelMap *labels, int n, const IrzGroup *regions,
                          IrzError *error) {
  if (!plan->patient.on) return IRZ_OK;
  const char **names;
  IRZ_TRY(irz_alloc((void *)&names, (size_t)n + 2, sizeof *names, error));
  int used = 0;
  for (int r = 0; r < n; r++) names[used++] = regions[r].name;
  if (labels != NULL) names[used] = "default";
  IrzCode code = irz_patient_find_regions(plan, names, labels != NULL ? "the label map" : "the mesh", error);
  if (code == IRZ_OK && labels != NULL) code = check_voxels(plan, labels, error);
  free((void *)names);
  return code;
}

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
