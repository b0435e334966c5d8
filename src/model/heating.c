/* The heating of a treatment, and what full coupling makes of its fields. */
#include "base/memory.h"
#include "model/steps.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Pass the heating's progress on.
static IrzCode heat_progress(void *context, double fraction, IrzError *error) {
  return irz_stage_report(context, "heat", fraction, error);
}

/// Error of the zone's volume against it.
static double relative_bar(const IrzZone *zone) {
  return zone->volume > 0 ? zone->volume_error / zone->volume : 0;
}

/// Report what the coupled fields came to: each pair's last pulse instead of fresh tissue at 37 C, and the zone of the
/// largest field from the first pulse to the last. Collective.
static IrzCode report_coupled(IrzStage *stage, const IrzPlan *plan, const IrzLaw *const *laws, const IrzHeatTask *task,
                              IrzSummary *summary, IrzError *error) {
  IrzSolution *found = stage->found;
  IrzHeatFields *heat = &found->heat;
  for (int i = 0; i < heat->n_pulses; i++) {
    IrzPulseResult *pulse = &summary->pulses[i];
    double *fresh = found->potential[i];
    found->potential[i] = heat->last[i];
    heat->last[i] = fresh;
    pulse->first_current = heat->first_current[i];
    pulse->current = heat->report[i].power / pulse->voltage;
    pulse->resistance = pulse->voltage / pulse->current;
    for (int p = 0; p < plan->n_probes; p++) {
      pulse->potential[p] = heat->report[i].potential[p];
      pulse->electrode_current[p] = heat->report[i].current[p];
    }
  }
  free(summary->zone.regions);
  memset(&summary->zone, 0, sizeof summary->zone);
  IRZ_TRY(irz_measure(stage, plan, laws, summary, error));
  IrzHeatTask now = *task;
  now.recovered = found->is_sharp ? found->sharp : found->recovered;
  now.drawn = found->drawn.field;
  now.zone_error = relative_bar(&summary->zone);
  return irz_heat_measure(&now, heat, summary->heat, error); /* its share of the zone */
}

IrzCode irz_stage_heat(IrzStage *stage, const IrzPlan *plan, IrzSummary *summary, IrzError *error) {
  IrzSolution *found = stage->found;
  double *voltage = NULL, off = 0;
  const IrzLaw **laws = NULL;
  if (!plan->heat.on) return IRZ_OK;
  irz_alloc(&summary->heat, 1, sizeof *summary->heat, error);
  irz_alloc(&voltage, (size_t)plan->n_pulses, sizeof *voltage, error);
  if (error->code == IRZ_OK) irz_look_up(stage, plan, &laws, error);
  IrzCode code = irz_error_agree(stage->comm, error);
  for (int i = 0; code == IRZ_OK && i < plan->n_pulses; i++) {
    const IrzPulseResult *pulse = &summary->pulses[i];
    voltage[i] = pulse->voltage;
    off = fmax(off, pulse->current_error / fabs(pulse->current));
  }
  IrzHeatTask task = {.plan = plan,
                      .medium = stage->medium,
                      .order = plan->mesh.order,
                      .laws = laws,
                      .potential = found->potential,
                      .voltage = voltage,
                      .field = stage->field,
                      .unknown = stage->unknown,
                      .sides = &found->sides,
                      .recovered = found->is_sharp ? found->sharp : found->recovered,
                      .drawn = found->drawn.field,
                      .current_error = off,
                      .zone_error = relative_bar(&summary->zone),
                      .threshold = found->threshold,
                      .progress = heat_progress,
                      .context = stage};
  if (code == IRZ_OK) code = irz_heat_run(&task, &found->heat, summary->heat, error);
  if (code == IRZ_OK && found->heat.n_pulses > 0) code = report_coupled(stage, plan, laws, &task, summary, error);
  free(voltage);
  free(laws);
  return code;
}
