/* Whether what a plan's `patient` names is there. */
#ifndef IREZONE_MESH_PLAN_REGIONS_H
#define IREZONE_MESH_PLAN_REGIONS_H

#include "plan/plan.h"
#include <irezone/anatomy.h>

/// Check that the regions which `patient` names are there, and that targets are not empty.
/// @param[in] labels   the label map, or NULL
/// @param[in] regions  [n] of the label map or the mesh
IrzCode irz_plan_check_regions(const IrzPlan *plan, const IrzLabelMap *labels, int n, const IrzGroup *regions,
                               IrzError *error);

#endif
