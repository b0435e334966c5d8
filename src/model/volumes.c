/* Volume of each region above any levels of the field. */
#include "base/memory.h"
#include "model/ask.h"
#include "zone/volume.h"
#include <stdlib.h>

IrzCode irz_solution_volumes(const IrzSolution *found, int n_levels, const double *level, double *volume,
                             IrzError *error) {
  const IrzStage *stage = found->stage;
  const int n = stage->medium->n_regions;
  IrzZoneMeasure measure = {0};
  double *threshold = NULL;
  const IrzLaw **laws = NULL;
  irz_alloc(&threshold, (size_t)n, sizeof *threshold, error);
  if (error->code == IRZ_OK) irz_alloc(&laws, (size_t)n, sizeof *laws, error);
  if (error->code == IRZ_OK) irz_alloc(&measure.region_volume, (size_t)n, sizeof *measure.region_volume, error);
  if (error->code == IRZ_OK) irz_alloc(&measure.region_ablated, (size_t)n, sizeof *measure.region_ablated, error);
  IrzCode code = irz_error_agree(stage->comm, error);
  if (code == IRZ_OK) {
    for (int r = 0; r < n; r++) laws[r] = &found->law[r];
  }
  for (int k = 0; k < n_levels && code == IRZ_OK; k++) {
    for (int r = 0; r < n; r++) threshold[r] = level[k];
    const IrzZoneTask task = {.medium = stage->medium,
                              .sides = &found->sides,
                              .order = stage->geometry->mesh.order,
                              .n_pulses = found->n_met,
                              .n_threads = stage->threads,
                              .potential = found->met,
                              .recovered = found->is_sharp ? found->sharp : found->recovered,
                              .plain = found->recovered,
                              .along = found->is_sharp ? found->along : NULL,
                              .laws = laws,
                              .threshold = threshold};
    code = irz_zone_measure(&task, &measure, error);
    for (int r = 0; r < n && code == IRZ_OK; r++) volume[r * n_levels + k] = measure.region_ablated[r].volume;
  }
  free(threshold);
  free(laws);
  free(measure.region_volume);
  free(measure.region_ablated);
  return code;
}
