/* What the results of a session answer; see irezone/session.h. */
#include "base/entry.h"
#include "model/ask.h"
#include "model/session.h"
#include "zone/surface.h"

const IrzSummary *irz_result_summary(const IrzResult *result) {
  return result != NULL ? &result->summary : NULL;
}

IrzCode irz_result_number(const IrzResult *result, const char *path, double *number, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(result != NULL && path != NULL && number != NULL);
  return irz_summary_number(&result->summary, path, number, error);
}

char *irz_result_json(const IrzResult *result) {
  return result != NULL ? irz_summary_json(&result->summary) : NULL;
}

int irz_result_n_warnings(const IrzResult *result) {
  return result != NULL ? irz_plan_n_warnings(result->summary.plan) : 0;
}

const char *irz_result_warning(const IrzResult *result, int warning) {
  return result != NULL ? irz_plan_warning(result->summary.plan, warning) : NULL;
}

IrzCode irz_result_sample(const IrzResult *result, const char *quantity, int n, const double (*points)[3],
                          double *values, IrzError *error) {
  IRZ_ENTER_ALONE(error);
  IRZ_NEED(result != NULL);
  const IrzPart *part = result->stage->part;
  if (part->rank == 0 &&
      (quantity == NULL || n < 0 || n > INT32_MAX / 3 || (n > 0 && (points == NULL || values == NULL))))
    irz_error_set(error, IRZ_ERR_PLAN, "%s() needs a quantity, points and room for values", __func__);
  IRZ_TRY(irz_error_agree(part->comm, error));
  return irz_solution_sample(result->found, quantity, n, points, values, error);
}

IrzCode irz_result_volumes(const IrzResult *result, int n_levels, const double *level, double *volume,
                           IrzError *error) {
  IRZ_ENTER_ALONE(error);
  IRZ_NEED(result != NULL && n_levels >= 0 && (n_levels == 0 || (level != NULL && volume != NULL)));
  return irz_solution_volumes(result->found, n_levels, level, volume, error);
}

IrzCode irz_result_surface(const IrzResult *result, IrzSurface *surface, IrzError *error) {
  IRZ_ENTER_ALONE(error);
  IRZ_NEED(result != NULL && surface != NULL);
  const IrzSolution *found = result->found;
  return irz_zone_surface(result->stage->medium, &found->sides, &found->drawn, found->threshold, surface, error);
}

IrzCode irz_result_label_map(const IrzResult *result, const IrzVoxelGrid *grid, uint8_t *labels, IrzError *error) {
  IRZ_ENTER_ALONE(error);
  IRZ_NEED(result != NULL && grid != NULL && (labels != NULL || result->stage->part->rank > 0));
  return irz_solution_grid(result->found, grid, labels, error);
}

IrzCode irz_result_write(IrzResult *result, const char *directory, IrzError *error) {
  IRZ_ENTER_ALONE(error);
  IRZ_NEED(result != NULL && directory != NULL);
  return irz_solution_write(result->found, directory, &result->summary, error);
}
