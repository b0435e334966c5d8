/* Whether what a plan's `patient` names is there; see plan_regions.h. */
#include "mesh/plan_regions.h"
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
    char place[IRZ_PLACE_MAX];
    irz_plan_place(plan, plan->patient.target[i].line, place);
    return irz_error_set(error, IRZ_ERR_PLAN, "%s: patient.targets[%d].region: the label map has no voxel of \"%s\"",
                         place, i, name);
  }
  return IRZ_OK;
}

IrzCode irz_plan_check_regions(const IrzPlan *plan, const IrzLabelMap *labels, int n, const IrzGroup *regions,
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
