/* The zone: its volumes, extent and pieces, and where cells survive. */
#include "base/memory.h"
#include "model/steps.h"
#include "zone/parts.h"
#include "zone/recover.h"
#include "zone/sharpen.h"
#include "zone/survival.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// List the potentials whose largest field counts: those of the pulses, and with full coupling those that the first
/// pulse of each pair met, too.
static IrzCode list_met(IrzStage *stage, IrzError *error) {
  IrzSolution *found = &stage->found;
  int n = found->n_pulses, more = found->heat.n_pulses;
  IRZ_TRY(irz_resize(&found->met, (size_t)(n + more), sizeof *found->met, error));
  for (int i = 0; i < n; i++) found->met[i] = found->potential[i];
  for (int i = 0; i < more; i++) found->met[n + i] = found->heat.first[i];
  found->n_met = n + more;
  return IRZ_OK;
}

/// Find the rows of the nodes, and make room for fields in them. Collective.
static IrzCode make_rows(IrzStage *stage, const IrzPlan *plan, const IrzLaw *const *laws, IrzError *error) {
  IrzSolution *found = &stage->found;
  IrzFollowed followed = found->heat.n_pulses > 0           ? IRZ_FOLLOWS_HEAT /* full coupling */
                         : plan->memory == IRZ_MEMORY_PAIRS ? IRZ_FOLLOWS_MEMORY
                                                            : IRZ_FOLLOWS_LAWS;
  irz_sides_clear(&found->sides);
  IRZ_TRY(irz_sides_create(stage->medium, laws, followed, &found->sides, error));
  size_t rows = (size_t)found->sides.n_rows;
  irz_resize(&found->recovered, rows, sizeof *found->recovered, error);
  if (error->code == IRZ_OK && plan->mesh.order == 2) irz_resize(&found->sharp, rows, sizeof *found->sharp, error);
  if (error->code == IRZ_OK && plan->mesh.order == 2) irz_resize(&found->along, rows, sizeof *found->along, error);
  return irz_error_agree(stage->comm, error);
}

/// Measure the zone into the summary.
/// @param[out] relative  largest defect of the currents, for irz_volume_bar()
static IrzCode measure_zone(IrzStage *stage, const IrzPlan *plan, const IrzLaw *const *laws, IrzSummary *summary,
                            double *relative, IrzError *error) {
  int n = stage->medium->n_regions;
  IrzSolution *found = &stage->found;
  IrzZone *zone = &summary->zone;
  /* Where tissue remembers, sigma does not follow the law. */
  bool sharp = found->is_sharp = plan->mesh.order == 2 && plan->memory == IRZ_MEMORY_NONE;
  IrzZoneTask task = {.medium = stage->medium,
                      .sides = &found->sides,
                      .order = plan->mesh.order,
                      .n_pulses = found->n_met,
                      .n_threads = stage->threads,
                      .potential = found->met,
                      .recovered = sharp ? found->sharp : found->recovered,
                      .plain = found->recovered,
                      .along = sharp ? found->along : NULL,
                      .laws = laws,
                      .threshold = found->threshold,
                      .n_also = plan->zone.n_also,
                      .also = plan->zone.also};
  IrzZoneMeasure measure = {0};
  IrzZoneParts parts;
  IrzTeam team = {0};
  double *defect = NULL;
  IrzCode code = irz_alloc(&defect, (size_t)found->n_met, sizeof *defect, error);
  if (code == IRZ_OK) code = irz_team_create(stage->part, stage->threads, &team, error);
  if (code == IRZ_OK) {
    code = irz_recover(stage->medium, &team, &found->sides, laws, plan->memory == IRZ_MEMORY_PAIRS, plan->mesh.order,
                       found->n_met, found->met, found->recovered, defect, error);
  }
  if (code == IRZ_OK && sharp) {
    IrzSharpenTask sharpen = {.medium = stage->medium,
                              .sides = &found->sides,
                              .laws = laws,
                              .n_pulses = found->n_met,
                              .team = &team,
                              .potential = found->met,
                              .recovered = found->recovered,
                              .threshold = found->threshold,
                              .n_also = plan->zone.n_also,
                              .also = plan->zone.also};
    irz_drawn_levels(n, found->threshold, plan->zone.n_also, plan->zone.also, sharpen.levels);
    code = irz_sharpen(&sharpen, found->sharp, found->along, error);
  }
  if (code == IRZ_OK) code = irz_alloc(&measure.region_volume, (size_t)n, sizeof(double), error);
  if (code == IRZ_OK) code = irz_alloc(&measure.region_ablated, (size_t)n, sizeof *measure.region_ablated, error);
  if (code == IRZ_OK) code = irz_alloc(&zone->regions, (size_t)n, sizeof *zone->regions, error);
  if (code == IRZ_OK) code = irz_zone_measure(&task, &measure, error);
  if (code == IRZ_OK) code = irz_drawn_make(&task, &found->drawn, error);
  if (code == IRZ_OK) {
    code = irz_zone_parts(stage->medium, stage->threads, &found->drawn, found->threshold, &parts, error);
  }
  if (code == IRZ_OK) {
    zone->threshold = plan->tissues[0].threshold;
    zone->volume = measure.zone.volume;
    /* An error of the algebra scales the field like one of the mesh at the needles. */
    double algebra = stage->algebra > plan->solver.tolerance ? stage->algebra : 0;
    *relative = irz_current_bars(summary, defect, algebra);
    zone->volume_error = irz_volume_bar(&measure.zone, *relative);
    memcpy(zone->box, parts.box, sizeof zone->box);
    zone->n_parts = parts.count;
    /* Pieces are found in the recovered field; their share is applied to the volume itself. */
    zone->largest_part = parts.total > 0 ? zone->volume * parts.largest / parts.total : 0;
    zone->touches_outer = parts.touches_outer;
    zone->n_also = plan->zone.n_also;
    for (int k = 0; k < zone->n_also; k++) {
      zone->also[k] =
          (IrzThresholdVolume){plan->zone.also[k], measure.also[k].volume, irz_volume_bar(&measure.also[k], *relative)};
    }
    for (int r = 0; r < n; r++) {
      IrzRegionVolume *region = &zone->regions[zone->n_regions++];
      snprintf(region->region, sizeof region->region, "%s", stage->medium->regions[r].name);
      region->threshold = found->threshold[r];
      region->volume = measure.region_volume[r];
      region->ablated = measure.region_ablated[r].volume;
      region->ablated_error = irz_volume_bar(&measure.region_ablated[r], *relative);
    }
  }
  irz_team_clear(&team);
  free(defect);
  free(measure.region_volume);
  free(measure.region_ablated);
  return code;
}

/// Find survival, if the plan asks for it: in the rows, and the volumes at its levels.
/// @param[in] relative  of measure_zone()
static IrzCode measure_survival(IrzStage *stage, const IrzPlan *plan, const IrzLaw *const *laws, double relative,
                                IrzZone *zone, IrzError *error) {
  size_t rows = (size_t)stage->found.sides.n_rows;
  /* As in measure_zone(). */
  bool sharp = plan->mesh.order == 2 && plan->memory == IRZ_MEMORY_NONE;
  IrzSolution *found = &stage->found;
  double **field = NULL, **along = NULL, **plain = NULL;
  IrzPulse *pulses = NULL;
  IrzTeam team = {0};
  int n = found->n_pulses; /* those of every position of a pull-back */
  IrzVolume volume[IRZ_MAX_SURVIVAL];
  free(found->survival);
  found->survival = NULL;
  if (plan->death.model == IRZ_DEATH_THRESHOLD) return IRZ_OK;
  irz_alloc(&found->survival, rows, sizeof(double), error);
  if (error->code == IRZ_OK) irz_alloc(&pulses, (size_t)n, sizeof *pulses, error);
  for (int p = 0; error->code == IRZ_OK && p < n; p++) pulses[p] = plan->pulses[p % plan->n_pulses];
  if (error->code == IRZ_OK) irz_alloc(&field, (size_t)n, sizeof *field, error);
  for (int p = 0; error->code == IRZ_OK && p < n; p++) {
    irz_alloc(&field[p], rows, sizeof(double), error);
  }
  if (error->code == IRZ_OK && sharp) irz_alloc(&plain, (size_t)n, sizeof *plain, error);
  for (int p = 0; error->code == IRZ_OK && sharp && p < n; p++) irz_alloc(&plain[p], rows, sizeof(double), error);
  if (error->code == IRZ_OK && sharp) irz_alloc(&along, (size_t)n, sizeof *along, error);
  for (int p = 0; error->code == IRZ_OK && sharp && p < n; p++) irz_alloc(&along[p], rows, sizeof(double), error);
  if (error->code == IRZ_OK) irz_team_create(stage->part, stage->threads, &team, error);
  IrzCode code = irz_error_agree(stage->comm, error);
  for (int p = 0; code == IRZ_OK && p < n; p++) {
    double unused;
    code = irz_recover(stage->medium, &team, &found->sides, laws, false, plan->mesh.order, 1, &found->potential[p],
                       sharp ? plain[p] : field[p], &unused, error);
    if (code != IRZ_OK || !sharp) continue;
    IrzSharpenTask sharpen = {.medium = stage->medium,
                              .sides = &found->sides,
                              .laws = laws,
                              .n_pulses = 1,
                              .team = &team,
                              .potential = &found->potential[p],
                              .recovered = plain[p],
                              .everywhere = true};
    code = irz_sharpen(&sharpen, field[p], along[p], error);
  }
  IrzSurvivalTask task = {.medium = stage->medium,
                          .sides = &found->sides,
                          .order = plan->mesh.order,
                          .death = &plan->death,
                          .n_pulses = n,
                          .pulses = pulses,
                          .potential = found->potential,
                          .field = field,
                          .plain = plain,
                          .along = along,
                          .laws = laws};
  if (code == IRZ_OK) code = irz_survival_measure(&task, volume, error);
  if (code == IRZ_OK) {
    irz_survival_nodes(&task, found->survival, error);
    code = irz_error_agree(stage->comm, error);
  }
  if (code == IRZ_OK) zone->n_survival = plan->death.n_survival;
  for (int k = 0; k < zone->n_survival; k++) {
    zone->by_survival[k] =
        (IrzSurvivalVolume){plan->death.survival[k], volume[k].volume, irz_volume_bar(&volume[k], relative)};
  }
  for (int p = 0; field != NULL && p < n; p++) free(field[p]);
  for (int p = 0; plain != NULL && p < n; p++) free(plain[p]);
  for (int p = 0; along != NULL && p < n; p++) free(along[p]);
  free(field);
  free(along);
  irz_team_clear(&team);
  free(plain);
  free(pulses);
  return code;
}

IrzCode irz_measure(IrzStage *stage, const IrzPlan *plan, const IrzLaw *const *laws, IrzSummary *summary,
                    IrzError *error) {
  double start = MPI_Wtime(), relative = 0;
  list_met(stage, error);
  IrzCode code = irz_error_agree(stage->comm, error);
  if (code == IRZ_OK) code = make_rows(stage, plan, laws, error);
  if (code == IRZ_OK) {
    measure_zone(stage, plan, laws, summary, &relative, error);
    code = irz_error_agree(stage->comm, error);
  }
  if (code == IRZ_OK) {
    measure_survival(stage, plan, laws, relative, &summary->zone, error);
    code = irz_error_agree(stage->comm, error);
  }
  summary->timing.zone += MPI_Wtime() - start;
  return code;
}
