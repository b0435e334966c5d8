/* Judging a result against the patient: the parts, one file each. All collective. */
#ifndef IREZONE_PATIENT_PATIENT_H
#define IREZONE_PATIENT_PATIENT_H

#include "heat/heat.h"
#include "plan/plan.h"
#include "zone/drawn.h"
#include <irezone/result.h>

/// What is judged.
typedef struct {
  MPI_Comm comm;
  int threads;               ///< among which the work is divided
  const IrzLabelMap *labels; ///< on all ranks, or NULL: regions are the mesh's own
  const IrzMedium *medium;
  const IrzSides *sides;     ///< rows of `drawn`
  const IrzDrawn *drawn;     ///< the field
  const double *threshold;   ///< [regions of the medium] V/m
  const IrzHeatFields *heat; ///< empty without `heat`
  const IrzSummary *summary; ///< with zone, pulses and heat
  double center[3], size;    ///< m, of a generated tissue box; 0: the mesh is loaded
} IrzPatientCase;

/// Check before solving that the regions which `patient` names are there, and that targets are not empty.
/// @param[in] labels   on all ranks, or NULL
/// @param[in] regions  [n] of the mesh or the label map
IrzCode irz_patient_check(const IrzPlan *plan, const IrzLabelMap *labels, int n, const IrzGroup *regions,
                          IrzError *error);

/// Judge a result against `patient` of its plan. Collective.
/// @param[in,out] plan     gets warnings on rank 0
/// @param[out]    patient  the same on all ranks; to be released with irz_patient_free(); NULL on failure, and if the
///                         plan has no `patient`
IrzCode irz_patient_judge(const IrzPatientCase *judged, IrzPlan *plan, IrzPatient **patient, IrzError *error);

/* targets.c */

/// Judge the targets; `patient` has room for them. Collective.
IrzCode irz_targets_judge(const IrzPatientCase *judged, IrzPlan *plan, IrzPatient *patient, IrzError *error);

#endif
