/* The steps from a plan to a summary on a stage, one file each. What needs all ranks says so. */
#ifndef IREZONE_MODEL_STEPS_H
#define IREZONE_MODEL_STEPS_H

#include "model/stage.h"
#include "zone/volume.h"

/// What was found at the further positions of a pull-back.
typedef struct {
  int n;                   ///< positions
  IrzStage *const *stage;  ///< [n]
  const IrzSummary *found; ///< [n] their pulses
} IrzPositions;

/* treat.c */

/// Laws and thresholds of the medium's regions; the solution keeps copies.
/// @param[out] laws  [regions of the medium] in the plan, to be released with free(); NULL on failure
IrzCode irz_look_up(IrzStage *stage, const IrzPlan *plan, const IrzLaw ***laws, IrzError *error);

/// Fire all pulses of a plan. Collective.
/// @param[in]     total    pulses to make room for, those of further positions included
/// @param[in,out] summary  gets sizes and pulses
IrzCode irz_treat(IrzStage *stage, const IrzPlan *plan, int total, const IrzLaw *const *laws, IrzSummary *summary,
                  IrzError *error);

/* pullback.c */

/// Take over what was found at further positions: the pulses' results, and their potentials at the nodes of this
/// stage. There is room for all in the solution and in the summary. Collective.
IrzCode irz_positions_take(const IrzPositions *others, IrzStage *stage, IrzSummary *summary, IrzError *error);

/* measure.c */

/// Measure the zone, and survival if the plan asks for it, into the summary. Collective.
IrzCode irz_measure(IrzStage *stage, const IrzPlan *plan, const IrzLaw *const *laws, IrzSummary *summary,
                    IrzError *error);

/* bars.c */

/// Estimate the errors of the currents. Returns the largest relative defect with what the algebra has left, for
/// irz_volume_bar().
/// @param[in] defect   [pulses] of irz_recover(), W
/// @param[in] algebra  error of the algebra, as IrzReport.remaining
double irz_current_bars(IrzSummary *summary, const double *defect, double algebra);

/// Estimate the error of a zone's volume, m^3.
/// @param[in] defect  of irz_current_bars()
double irz_volume_bar(const IrzVolume *volume, double defect);

/// The largest error bar that the plan's accuracy allows, m^3.
double irz_allowed_bar(const IrzPlan *plan, const IrzZone *zone);

/// Say so if the error bar is larger than the plan's accuracy, as it is printed.
void irz_warn_of_accuracy(IrzPlan *plan, const IrzZone *zone);

/* refine.c */

/// Solve a plan on a stage and measure; make the mesh finer and solve again until the error bar is small enough, if
/// that is wanted. Collective.
/// @param[in]     stage    of the plan's own accuracy
/// @param[in]     others   further positions of a pull-back, solved; NULL: none
/// @param[in,out] summary  with its plan
/// @param[out]    answer   the stage on which it was found: this one, or one with a finer mesh
IrzCode irz_stage_solve(IrzStage *stage, const IrzPlan *plan, const IrzPositions *others, IrzSummary *summary,
                        IrzStage **answer, IrzError *error);

/* heating.c */

/// Compute the heating, if the plan asks for it. Collective.
IrzCode irz_stage_heat(IrzStage *stage, const IrzPlan *plan, IrzSummary *summary, IrzError *error);

/* judge.c */

/// Check before solving that what a plan's `patient` names is there. Collective.
IrzCode irz_stage_can_judge(const IrzStage *stage, const IrzPlan *plan, IrzError *error);

/// Judge a solution against the patient, if the plan asks for it. Collective.
/// @param[in,out] summary  measured, with heat
IrzCode irz_stage_judge(const IrzStage *stage, IrzPlan *plan, IrzSummary *summary, IrzError *error);

/* warn.c */

/// Find which tissues the needles pass, and warn of what cannot be meant.
IrzCode irz_locate_needles(const IrzStage *stage, IrzPlan *plan, IrzSummary *summary, IrzError *error);

/// Warn of what a clinician must see in a result. Collective.
void irz_warn_of_result(IrzPlan *plan, const IrzStage *stage, const IrzSummary *summary);

#endif
