/* What a result is warned of. */
#include "model/steps.h"
#include <irezone/anatomy.h>
#include <math.h>
#include <stdio.h>

/// Round down to whole volts, below ten to two digits: what is recommended must stay inside the limit.
static double round_down(double voltage) {
  double step = voltage >= 10 ? 1 : pow(10, floor(log10(voltage)) - 1);
  return step * floor(voltage / step);
}

/// Warn of a pair beyond the generator's current, or whose voltage was lowered. (That a voltage is beyond its limit the
/// plan's reader has said.)
/// @param[in] i  pulse of the plan
static void warn_limits(IrzPlan *plan, int i, const IrzPulseResult *pulse) {
  double limit = plan->generator.max_current;
  char label[2 * IRZ_NAME_MAX + 64];
  int length = snprintf(label, sizeof label, "pulse %d, %s to %s", i + 1, pulse->from, pulse->to);
  if (pulse->withdrawn > 0) {
    snprintf(label + length, sizeof label - (size_t)length, ", %g mm up", 1e3 * pulse->withdrawn);
  }
  if (pulse->first_current <= limit && pulse->current > limit * (1 + 1e-6)) {
    irz_plan_warn(plan,
                  "%s: as the tissue warms up the current rises from %.4g A to %.4g A, beyond the generator's limit of "
                  "%g A",
                  label, pulse->first_current, pulse->current, limit);
  }
  if (isnan(pulse->highest_voltage)) return;
  if (pulse->voltage < pulse->requested_voltage) {
    /* The voltage was chosen for the first pulse; what warming does to the current is said above. */
    irz_plan_warn(plan, "%s: lowered from %.6g V to %.5g V, %.3g A, to stay inside the generator's %s", label,
                  pulse->requested_voltage, pulse->voltage, pulse->first_current,
                  pulse->voltage < plan->generator.max_voltage ? "current" : "voltage");
  } else if (pulse->current > limit) {
    irz_plan_warn(plan, "%s: %.4g A is beyond the generator's limit of %g A; up to %.6g V would stay inside", label,
                  pulse->current, limit, round_down(pulse->highest_voltage));
  }
}

/// Warn of what the heating's stage does not know.
static void warn_heat(IrzPlan *plan, const IrzStage *stage, const IrzHeatResult *heat) {
  if (heat == NULL) return;
  if (heat->peak >= 100) {
    irz_plan_warn(plan, "the tissue reaches %.0f degrees C: the heating knows no boiling, so beyond 100 it is too hot",
                  heat->peak);
  }
  int wall = 0;
  for (int32_t v = 0; v < stage->part->n_vertices; v++) wall |= stage->part->outer[v];
  MPI_Allreduce(MPI_IN_PLACE, &wall, 1, MPI_INT, MPI_MAX, stage->comm);
  if (!wall && plan->heat.outer == IRZ_OUTER_BODY) {
    irz_plan_warn(plan, "heat.outer: the mesh has no surface named outer, so its wall is insulated");
  }
}

/// Warn of what a clinician must see in currents and zone.
static void warn_currents_and_zone(IrzPlan *plan, const IrzSummary *summary) {
  const IrzZone *zone = &summary->zone;
  for (int i = 0; i < summary->n_pulses; i++) {
    const IrzPulseResult *pulse = &summary->pulses[i];
    warn_limits(plan, i % plan->n_pulses, pulse);
  }
  if (zone->volume <= 0) irz_plan_warn(plan, "no tissue reaches its threshold: the zone is empty");
  if (zone->n_parts > 1) {
    irz_plan_warn(plan, "the zone is in %d separate parts; the largest has %.3g %% of its volume", zone->n_parts,
                  100 * zone->largest_part / zone->volume);
  }
  if (zone->touches_outer && !irz_plates_clamp(plan))
    irz_plan_warn(plan, "the zone reaches the wall of the tissue box: make mesh.size larger");
}

IrzCode irz_locate_needles(const IrzStage *stage, IrzPlan *plan, IrzSummary *summary, IrzError *error) {
  if (stage->labels == NULL) return IRZ_OK;
  IRZ_TRY(irz_paths_find(plan, stage->labels, &summary->paths, error));
  irz_anatomy_doubt(plan, stage->labels, summary->paths);
  return IRZ_OK;
}

void irz_warn_of_result(IrzPlan *plan, const IrzStage *stage, const IrzSummary *summary) {
  warn_currents_and_zone(plan, summary);
  warn_heat(plan, stage, summary->heat);
  irz_warn_of_accuracy(plan, &summary->zone);
}
