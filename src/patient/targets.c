/* Targets: what is covered of what was to be ablated. */
#include "patient/patient.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/// What the zone has of a region.
static const IrzRegionVolume *find_region(const IrzZone *zone, const char *name) {
  for (int r = 0; r < zone->n_regions; r++) {
    if (strcmp(zone->regions[r].region, name) == 0) return &zone->regions[r];
  }
  return NULL;
}

static const IrzMargins no_margins = {.least = NAN,
                                      .at = {NAN, NAN, NAN},
                                      .error = -1,
                                      .p1 = NAN,
                                      .p5 = NAN,
                                      .p50 = NAN,
                                      .below_0 = NAN,
                                      .from_0_to_5 = NAN,
                                      .from_5 = NAN,
                                      .below_wanted = NAN,
                                      .excluded = NAN};

/// Everything that is not known yet.
static void clear(IrzTarget *target) {
  for (int d = 0; d < 3; d++) target->missed_at[d] = target->sphere_center[d] = NAN;
  target->e98 = target->e95 = target->e50 = target->e2 = target->surface = NAN;
  target->paddick = target->selectivity = target->healthy = NAN;
  target->missed_largest = target->sphere_radius = target->treatable_diameter = NAN;
  target->margins = target->off_capsule = no_margins;
  for (int k = 0; k < IRZ_SHELLS; k++) target->shell[k] = (IrzShell){1e-3 * (k + 1), NAN, NAN};
}

/// Take over what the zone's measure knows.
static void take_volumes(const IrzZone *zone, IrzTarget *target) {
  const IrzRegionVolume *region = find_region(zone, target->region);
  if (region == NULL) return;
  target->threshold = region->threshold;
  target->volume = region->volume;
  target->covered = region->ablated;
  target->covered_error = region->ablated_error;
  target->coverage = region->volume > 0 ? region->ablated / region->volume : NAN;
  target->missed = fmax(0, region->volume - region->ablated);
  const double level[IRZ_COVERAGES] = {0.8 * region->threshold, region->threshold, 1.2 * region->threshold, 40000};
  for (int k = 0; k < IRZ_COVERAGES; k++) target->coverage_at[k] = (IrzCoverage){level[k], NAN};
  target->coverage_at[1].coverage = target->coverage;
}

IrzCode irz_targets_judge(const IrzPatientCase *judged, IrzPlan *plan, IrzPatient *patient, IrzError *error) {
  (void)error;
  for (int i = 0; i < patient->n_targets; i++) {
    IrzTarget *target = &patient->targets[i];
    snprintf(target->region, sizeof target->region, "%s", plan->patient.target[i].region);
    snprintf(target->organ, sizeof target->organ, "%s", plan->patient.target[i].organ);
    target->wanted = plan->patient.target[i].margin;
    clear(target);
    take_volumes(&judged->summary->zone, target);
  }
  return IRZ_OK;
}
