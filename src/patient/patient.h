/* Judging a result against the patient: the parts, one file each. All collective. */
#ifndef IREZONE_PATIENT_PATIENT_H
#define IREZONE_PATIENT_PATIENT_H

#include "heat/heat.h"
#include "patient/histogram.h"
#include "patient/tree.h"
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
  const double *measured;    ///< [rows] V/m, the field that the zone was measured with
  const double *threshold;   ///< [regions of the medium] V/m
  const IrzHeatFields *heat; ///< empty without `heat`
  const IrzSummary *summary; ///< with zone, pulses and heat
  double center[3], size;    ///< m, of a generated tissue box; 0: the mesh is loaded
} IrzPatientCase;

/// What the parts have in common.
typedef struct {
  IrzHistogram histogram; ///< of all regions that are judged
  IrzSurface surface;     ///< of the zone, closed; on rank 0, as the next
  uint8_t *kind;          ///< [surface.n_triangles] IrzSurfaceKind
  IrzTree zone;           ///< of it, without what closes it along needles
  double area;            ///< m^2, of what of it the field's threshold makes
} IrzPatientShared;

/// Judge a result against `patient` of its plan. Collective.
/// @param[in,out] plan     gets warnings on rank 0
/// @param[out]    patient  the same on all ranks; to be released with irz_patient_free(); NULL on failure, and if the
///                         plan has no `patient`
IrzCode irz_patient_judge(const IrzPatientCase *judged, IrzPlan *plan, IrzPatient **patient, IrzError *error);

/* targets.c */

/// Judge the targets; `patient` has room for them. Collective.
IrzCode irz_targets_judge(const IrzPatientCase *judged, const IrzPatientShared *shared, IrzPlan *plan,
                          IrzPatient *patient, IrzError *error);

/* risk.c */

/// Judge the structures at risk; `patient` has room for them. Collective.
IrzCode irz_risk_judge(const IrzPatientCase *judged, const IrzPatientShared *shared, IrzPlan *plan, IrzPatient *patient,
                       IrzError *error);

/* compare.c */

/// Compare the zone with a measured one, if the plan has one. Collective.
IrzCode irz_compare_judge(const IrzPatientCase *judged, const IrzPatientShared *shared, IrzPlan *plan,
                          IrzPatient *patient, IrzError *error);

/* shared.c */

/// Make what the parts have in common. Collective.
IrzCode irz_shared_make(const IrzPatientCase *judged, const IrzPlan *plan, IrzPatientShared *shared, IrzError *error);

void irz_shared_clear(IrzPatientShared *shared);

/// Which region of the medium has a name, which all of a label map's and a mesh's regions have.
/// @return -1: there is none
int irz_shared_region(const IrzPatientCase *judged, const char *name);

/// Volume of a region that lies outside a generated tissue box, m^3, by the label map; 0 without one.
/// @param[out] share  of the region's voxels
double irz_shared_beyond(const IrzPatientCase *judged, int region, double *share);

/// The field-volume histogram of the regions that are judged.
IrzCode irz_shared_curves(const IrzPatientCase *judged, const IrzPatientShared *shared, const IrzPlan *plan,
                          IrzPatient *patient, IrzError *error);

#endif
