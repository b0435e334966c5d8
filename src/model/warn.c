/* What a result is warned of. */
#include "anatomy/voxel.h"
#include "base/threads.h"
#include "model/steps.h"
#include <irezone/anatomy.h>
#include <math.h>
#include <omp.h>
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
  irz_pairs_find(plan, &summary->pairs);
  irz_pairs_doubt(plan, &summary->pairs);
  IRZ_TRY(irz_needles_check(plan, stage->labels, &summary->needles, error));
  if (stage->labels == NULL) return IRZ_OK;
  IRZ_TRY(irz_paths_find(plan, stage->labels, &summary->paths, error));
  irz_anatomy_doubt(plan, stage->labels, summary->paths);
  return IRZ_OK;
}

/// Box around all of the tissue, m. Collective.
static void find_box(const IrzStage *stage, double box[2][3]) {
  const IrzPart *part = stage->part;
  double low[3] = {INFINITY, INFINITY, INFINITY}, less[3] = {INFINITY, INFINITY, INFINITY}; /* of x, and of -x */
  for (int32_t v = 0; v < part->n_vertices; v++) {
    for (int d = 0; d < 3; d++) {
      low[d] = fmin(low[d], part->xyz[3 * (size_t)v + (size_t)d]);
      less[d] = fmin(less[d], -part->xyz[3 * (size_t)v + (size_t)d]);
    }
  }
  MPI_Allreduce(low, box[0], 3, MPI_DOUBLE, MPI_MIN, stage->comm);
  MPI_Allreduce(less, box[1], 3, MPI_DOUBLE, MPI_MIN, stage->comm);
  for (int d = 0; d < 3; d++) box[1][d] = -box[1][d];
}

/// Whether a point is inside a needle.
static bool is_in_needle(const IrzPlan *plan, const double x[3]) {
  for (int p = 0; p < plan->n_probes; p++) {
    const IrzProbe *probe = &plan->probes[p];
    double along = 0, square = 0;
    if (!probe->has_geometry) continue;
    for (int d = 0; d < 3; d++) {
      double away = x[d] - probe->tip[d];
      along += away * probe->direction[d];
      square += away * away;
    }
    if (along >= 0 && square - along * along < probe->diameter * probe->diameter / 4) return true;
  }
  return false;
}

/// Volume that a region of a map has in a box, outside needles, m^3.
static double volume_in_image(const IrzLabelMap *map, int region, const IrzPlan *plan, double (*box)[3]) {
  int64_t count = 0;
#pragma omp parallel for num_threads(irz_threads(omp_get_max_threads())) reduction(+ : count)
  for (int k = 0; k < map->size[2]; k++) {
    for (int j = 0; j < map->size[1]; j++) {
      const uint8_t *row = &map->region[((size_t)k * (size_t)map->size[1] + (size_t)j) * (size_t)map->size[0]];
      for (int i = 0; i < map->size[0]; i++) {
        const double at[3] = {i, j, k};
        double x[3];
        if (row[i] != region) continue;
        irz_voxel_place(map->to_world[0], at, x);
        bool inside = true;
        for (int d = 0; d < 3; d++) inside = inside && x[d] > box[0][d] && x[d] < box[1][d];
        count += inside && !is_in_needle(plan, x);
      }
    }
  }
  return (double)count * irz_voxel_volume(map->to_world[0]);
}

/// Warn of regions of a label map that the mesh has not enough of: details too thin for it. Collective.
static void warn_of_lost_tissue(IrzPlan *plan, const IrzStage *stage, const IrzZone *zone) {
  const IrzLabelMap *map = stage->labels;
  const double enough = 0.95;
  double box[2][3];
  if (map == NULL) return;
  find_box(stage, box);
  for (int r = 1; r < map->n_regions && r < zone->n_regions; r++) {
    double voxel = irz_voxel_volume(map->to_world[0]), has = zone->regions[r].volume;
    if (has >= enough * (double)map->voxels[r] * voxel) continue;
    double image = volume_in_image(map, r, plan, box);
    if (has >= enough * image) continue;
    irz_plan_warn(
        plan,
        "region %s has %.3g cm3 in the tissue box by the label map, but %.3g cm3 in the mesh: parts of it are too "
        "thin for the elements there, so what is found in it and beside it is less exact than its error bars "
        "say; a smaller mesh.accuracy, or an image with smaller voxels, helps",
        map->regions[r].name, 1e6 * image, 1e6 * has);
  }
}

void irz_warn_of_result(IrzPlan *plan, const IrzStage *stage, const IrzSummary *summary) {
  warn_currents_and_zone(plan, summary);
  warn_heat(plan, stage, summary->heat);
  warn_of_lost_tissue(plan, stage, &summary->zone);
  irz_warn_of_accuracy(plan, &summary->zone);
}
