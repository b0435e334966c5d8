/* The zone: its volumes, extent and pieces, and where cells survive. */
#include "base/memory.h"
#include "model/steps.h"
#include "zone/parts.h"
#include "zone/recover.h"
#include "zone/sharpen.h"
#include "zone/survival.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// List the potentials whose largest field counts: those of the pulses, and with full coupling those that the first
/// pulse of each pair met, too.
static IrzCode list_met(IrzStage *stage, IrzError *error) {
  IrzSolution *found = stage->found;
  int n = found->n_pulses, more = found->heat.n_pulses;
  IRZ_TRY(irz_resize(&found->met, (size_t)(n + more), sizeof *found->met, error));
  for (int i = 0; i < n; i++) found->met[i] = found->potential[i];
  for (int i = 0; i < more; i++) found->met[n + i] = found->heat.first[i];
  found->n_met = n + more;
  return IRZ_OK;
}

/// Find the rows of the nodes, and make room for fields in them. Collective.
static IrzCode make_rows(IrzStage *stage, const IrzPlan *plan, const IrzLaw *const *laws, IrzError *error) {
  IrzSolution *found = stage->found;
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

/// Fields at which the drawn field has to have the right volumes besides the thresholds, V/m: those of the plan, and of
/// the first and the last level of survival.
/// @return how many
static int list_levels(const IrzPlan *plan, double also[IRZ_MAX_ALSO + 2]) {
  int n = plan->zone.n_also;
  memcpy(also, plan->zone.also, (size_t)n * sizeof *also);
  if (plan->death.model == IRZ_DEATH_THRESHOLD) return n;
  double field[2];
  irz_survival_fields(&plan->death, plan->n_pulses, plan->pulses, field);
  for (int k = 0; k < 2 && field[1] > 0; k++) also[n++] = field[k];
  return n;
}

/// Measure the zone into the summary.
/// @param[out] relative  largest defect of the currents, for irz_volume_bar()
static IrzCode measure_zone(IrzStage *stage, const IrzPlan *plan, const IrzLaw *const *laws, IrzSummary *summary,
                            double *relative, IrzError *error) {
  int n = stage->medium->n_regions;
  IrzSolution *found = stage->found;
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
  IrzZoneTask drawn = task;
  double also[IRZ_MAX_ALSO + 2];
  drawn.n_also = list_levels(plan, also);
  drawn.also = also;
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
    irz_drawn_levels(n, found->threshold, drawn.n_also, drawn.also, sharpen.levels);
    code = irz_sharpen(&sharpen, found->sharp, found->along, error);
  }
  if (code == IRZ_OK) code = irz_alloc(&measure.region_volume, (size_t)n, sizeof(double), error);
  if (code == IRZ_OK) code = irz_alloc(&measure.region_ablated, (size_t)n, sizeof *measure.region_ablated, error);
  if (code == IRZ_OK) code = irz_alloc(&zone->regions, (size_t)n, sizeof *zone->regions, error);
  if (code == IRZ_OK) code = irz_zone_measure(&task, &measure, error);
  if (code == IRZ_OK) code = irz_drawn_make(&drawn, &found->drawn, error);
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

/// Volume in which the drawn score reaches a level, m^3. Collective.
static IrzCode score_volume(const IrzStage *stage, double level, double *volume, IrzError *error) {
  const IrzSolution *found = stage->found;
  const IrzDrawn drawn = {.sides = found->drawn.sides, .field = found->score, .place = found->drawn.place};
  IrzZoneParts parts;
  double *levels = NULL;
  irz_alloc(&levels, (size_t)stage->medium->n_regions, sizeof *levels, error);
  IrzCode code = irz_error_agree(stage->comm, error);
  for (int r = 0; code == IRZ_OK && r < stage->medium->n_regions; r++) levels[r] = level;
  if (code == IRZ_OK) code = irz_zone_parts(stage->medium, stage->threads, &drawn, levels, &parts, error);
  if (code == IRZ_OK) *volume = parts.total;
  free(levels);
  return code;
}

/// The level at which the drawn score has a volume (regula falsi, Illinois). Collective.
/// @param[in]     near   volumes that differ by less are equal, m^3
/// @param[in,out] level  in: where to begin
static IrzCode find_score(const IrzStage *stage, double wanted, double near, double *level, IrzError *error) {
  double at[2] = {*level, *level}, off[2], here, step = 0.25;
  IRZ_TRY(score_volume(stage, *level, &here, error));
  off[0] = off[1] = here - wanted;
  if (fabs(off[0]) <= near) return IRZ_OK;
  int side = off[0] > 0 ? 1 : 0; /* too large: higher levels */
  for (int k = 0; k < 8 && (off[0] > 0) == (off[1] > 0); k++, step *= 2) {
    at[1 - side] = at[side];
    off[1 - side] = off[side];
    at[side] += side ? step : -step;
    IRZ_TRY(score_volume(stage, at[side], &here, error));
    off[side] = here - wanted;
  }
  if ((off[0] > 0) == (off[1] > 0)) return IRZ_OK;
  for (int k = 0, last = -1; k < 12; k++) {
    double middle = at[0] + (at[1] - at[0]) * off[0] / (off[0] - off[1]);
    IRZ_TRY(score_volume(stage, middle, &here, error));
    *level = middle;
    if (fabs(here - wanted) <= near) break;
    int end = here > wanted ? 0 : 1;
    if (end == last) off[1 - end] *= 0.5;
    at[end] = middle;
    off[end] = here - wanted;
    last = end;
  }
  return IRZ_OK;
}

/// Change the score by one growing function such that the drawn volumes at the plan's levels are the measured ones:
/// that of several pairs bends more than their fields do. Collective.
static IrzCode adjust_score(const IrzStage *stage, const IrzZone *zone, IrzError *error) {
  double wanted[IRZ_MAX_SURVIVAL], from[IRZ_MAX_SURVIVAL];
  int n = 0;
  for (int k = 0; k < zone->n_survival; k++) {
    const IrzSurvivalVolume *level = &zone->by_survival[k];
    double score = log((1 - level->survival) / level->survival), at = score;
    if (level->volume <= 0) continue;
    IRZ_TRY(find_score(stage, level->volume, fmax(0.1 * level->volume_error, 1e-4 * level->volume), &at, error));
    int place = n++;
    for (; place > 0 && wanted[place - 1] > score; place--) {
      wanted[place] = wanted[place - 1];
      from[place] = from[place - 1];
    }
    wanted[place] = score;
    from[place] = at;
  }
  for (int k = 1; k < n; k++) from[k] = fmax(from[k], from[k - 1] + 0.1 * (wanted[k] - wanted[k - 1]));
  for (int32_t i = 0; n > 0 && i < stage->found->sides.n_rows; i++) {
    double score = stage->found->score[i];
    int k = 0;
    while (k < n && from[k] < score) k++;
    if (k == 0 || k == n) {
      stage->found->score[i] += k == 0 ? wanted[0] - from[0] : wanted[n - 1] - from[n - 1];
    } else if (from[k] > from[k - 1]) {
      double share = (score - from[k - 1]) / (from[k] - from[k - 1]);
      stage->found->score[i] = wanted[k - 1] + share * (wanted[k] - wanted[k - 1]);
    }
  }
  return IRZ_OK;
}

/// Find survival, if the plan asks for it: in the rows, and the volumes at its levels.
/// @param[in] relative  of measure_zone()
static IrzCode measure_survival(IrzStage *stage, const IrzPlan *plan, const IrzLaw *const *laws, double relative,
                                IrzZone *zone, IrzError *error) {
  size_t rows = (size_t)stage->found->sides.n_rows;
  /* As in measure_zone(). */
  bool sharp = plan->mesh.order == 2 && plan->memory == IRZ_MEMORY_NONE;
  IrzSolution *found = stage->found;
  double **field = NULL, **along = NULL, **plain = NULL;
  IrzPulse *pulses = NULL;
  IrzTeam team = {0};
  int n = found->n_pulses; /* those of every position of a pull-back */
  IrzVolume volume[IRZ_MAX_SURVIVAL];
  free(found->score);
  found->score = NULL;
  if (plan->death.model == IRZ_DEATH_THRESHOLD) return IRZ_OK;
  irz_alloc(&found->score, rows, sizeof(double), error);
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
    irz_survival_nodes(&task, &found->drawn, found->score, error);
    code = irz_error_agree(stage->comm, error);
  }
  if (code == IRZ_OK) zone->n_survival = plan->death.n_survival;
  for (int k = 0; k < zone->n_survival; k++) {
    zone->by_survival[k] =
        (IrzSurvivalVolume){plan->death.survival[k], volume[k].volume, irz_volume_bar(&volume[k], relative)};
  }
  for (int pass = 0; pass < 2 && code == IRZ_OK; pass++) code = adjust_score(stage, zone, error);
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
