/* Targets: what is covered of what was to be ablated, and with what margin. */
#include "anatomy/voxel.h"
#include "base/memory.h"
#include "patient/around.h"
#include "patient/margins.h"
#include "patient/outline.h"
#include "patient/patient.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Triangles of a target's surface, about, of which so many cubes are cut.
enum { CUBES = 2500 };

/// How far the zone's surface is off where it is worst, against its mean: the error of the volume over the area. The
/// smallest margins of a tumour in a made-up liver differed by 0.07 mm between meshes of accuracy 8 and 1, whose means
/// are 0.034 and 0.027 mm.
#define LOCAL 2

/// The part of a target's surface that is nearer to the border of its organ than this does not count, m.
static const double capsule = 5e-3;

/// A target at work; the surfaces are on rank 0.
typedef struct {
  const IrzPatientCase *judged;
  const IrzPatientShared *shared;
  IrzPlan *plan;
  IrzTarget *target;
  int which;                   ///< of the plan's targets
  uint8_t *member, *organ;     ///< [regions] 1: of the target; of the organ with what is in it
  double volume;               ///< m^3, about
  IrzSurface surface, capsule; ///< of the target; of the organ, NULL: it has none
  IrzTree tree, capsule_tree;
} Work;

/* ---- Numbers ---- */

/// Everything that is not known yet.
static void clear(IrzTarget *target) {
  for (int d = 0; d < 3; d++) target->missed_at[d] = target->sphere_center[d] = NAN;
  target->coverage = target->threshold = NAN;
  target->e98 = target->e95 = target->e50 = target->e2 = target->surface = NAN;
  target->paddick = target->selectivity = target->healthy = NAN;
  target->missed_largest = target->sphere_radius = target->treatable_diameter = NAN;
  target->covered_error = -1;
  target->margins = target->off_capsule = irz_margins_none();
  for (int k = 0; k < IRZ_SHELLS; k++) target->shell[k] = (IrzShell){1e-3 * (k + 1), NAN, NAN};
}

/// Take over what the zone's measure and the histogram know.
static void take_volumes(const Work *work) {
  const IrzZone *zone = &work->judged->summary->zone;
  const IrzHistogram *histogram = &work->shared->histogram;
  IrzTarget *target = work->target;
  int r = irz_shared_region(work->judged, target->region);
  if (r < 0 || r >= zone->n_regions) return;
  const IrzRegionVolume *region = &zone->regions[r];
  /* The field is not known there: nothing is covered. */
  double share, beyond = irz_shared_beyond(work->judged, r, &share);
  target->threshold = region->threshold;
  target->volume = region->volume + beyond;
  target->covered = region->ablated;
  target->covered_error = region->ablated_error;
  target->missed = fmax(0, target->volume - target->covered);
  if (!(target->volume > 0)) return;
  target->coverage = target->covered / target->volume;
  const double level[IRZ_COVERAGES] = {0.8, 1, 1.2, 40000 / region->threshold};
  for (int k = 0; k < IRZ_COVERAGES; k++) {
    int at = target->n_coverages;
    double field = level[k] * region->threshold;
    bool there = false;
    for (int i = 0; i < at; i++) there = there || fabs(target->coverage_at[i].threshold - field) < 1e-9 * field;
    if (there) continue;
    for (; at > 0 && target->coverage_at[at - 1].threshold > field; at--)
      target->coverage_at[at] = target->coverage_at[at - 1];
    double covered = k == 1 ? target->covered : irz_histogram_above(histogram, r, field);
    target->coverage_at[at] = (IrzCoverage){field, covered / target->volume};
    target->n_coverages++;
  }
  /* What is beyond the box gets nothing. */
  target->e98 = irz_histogram_field(histogram, r, 0.98 * target->volume);
  target->e95 = irz_histogram_field(histogram, r, 0.95 * target->volume);
  target->e50 = irz_histogram_field(histogram, r, 0.5 * target->volume);
  target->e2 = irz_histogram_field(histogram, r, 0.02 * target->volume);
  target->paddick = zone->volume > 0 ? target->coverage * target->covered / zone->volume : NAN;
  target->selectivity = zone->volume > 0 ? target->covered / zone->volume : NAN;
  if (beyond > 0.002 * target->volume && work->plan != NULL) {
    char place[IRZ_PLACE_MAX];
    irz_plan_place(work->plan, work->plan->patient.target[work->which].line, place);
    irz_plan_warn(work->plan,
                  "%s: patient.targets[%d]: %.3g %% of \"%s\" lie outside the tissue box and count as missed; a "
                  "larger mesh.size has them inside",
                  place, work->which, 100 * beyond / target->volume, target->region);
  }
}

/* ---- Surfaces ---- */

/// The box around a target's voxels, m, with a rim; its volume by them.
static void find_window(const IrzLabelMap *labels, const uint8_t *member, double window[2][3], double *volume) {
  int low[3] = {INT32_MAX, INT32_MAX, INT32_MAX}, high[3] = {-1, -1, -1};
  int64_t count = 0;
  const uint8_t *here = labels->region;
  for (int k = 0; k < labels->size[2]; k++) {
    for (int j = 0; j < labels->size[1]; j++) {
      for (int i = 0; i < labels->size[0]; i++, here++) {
        if (!member[*here]) continue;
        const int at[3] = {i, j, k};
        count++;
        for (int d = 0; d < 3; d++) {
          low[d] = at[d] < low[d] ? at[d] : low[d];
          high[d] = at[d] > high[d] ? at[d] : high[d];
        }
      }
    }
  }
  *volume = (double)count * irz_voxel_volume(labels->to_world[0]);
  for (int d = 0; d < 3; d++) {
    window[0][d] = window[1][d] = labels->to_world[d][3];
    for (int e = 0; e < 3; e++) {
      double from = (low[e] - 1.5) * labels->to_world[d][e], to = (high[e] + 1.5) * labels->to_world[d][e];
      window[0][d] += fmin(from, to);
      window[1][d] += fmax(from, to);
    }
  }
}

/// Regions that count to the organ: itself, the target, and those near the target that have more than half of their
/// surface in it, as vessels have. (A vessel's wall is no capsule.)
static void find_organ(const Work *work, double window[2][3]) {
  const IrzLabelMap *labels = work->judged->labels;
  int64_t inside[IRZ_LABEL_MAX_REGIONS + 1] = {0}, all[IRZ_LABEL_MAX_REGIONS + 1] = {0};
  const size_t stride[3] = {1, (size_t)labels->size[0], (size_t)labels->size[0] * (size_t)labels->size[1]};
  int from[3], to[3];
  for (int d = 0; d < 3; d++) {
    double low = labels->to_voxel[d][3], high = low;
    for (int e = 0; e < 3; e++) {
      low += fmin(labels->to_voxel[d][e] * window[0][e], labels->to_voxel[d][e] * window[1][e]);
      high += fmax(labels->to_voxel[d][e] * window[0][e], labels->to_voxel[d][e] * window[1][e]);
    }
    from[d] = (int)fmax(low, 0);
    to[d] = (int)fmin(high, labels->size[d] - 1);
  }
  for (int k = from[2]; k <= to[2]; k++) {
    for (int j = from[1]; j <= to[1]; j++) {
      for (int i = from[0]; i <= to[0]; i++) {
        const int at[3] = {i, j, k};
        size_t here = (size_t)k * stride[2] + (size_t)j * stride[1] + (size_t)i;
        for (int d = 0; d < 3; d++) {
          if (at[d] == to[d]) continue;
          int a = labels->region[here], b = labels->region[here + stride[d]];
          if (a == b) continue;
          all[a]++;
          all[b]++;
          inside[a] += work->organ[b];
          inside[b] += work->organ[a];
        }
      }
    }
  }
  for (int r = 1; r < labels->n_regions; r++) {
    if (2 * inside[r] > all[r]) work->organ[r] = 1;
  }
}

/// Find the surfaces of a target and its organ in the label map, on rank 0.
static IrzCode outline_labels(Work *work, IrzError *error) {
  const IrzLabelMap *labels = work->judged->labels;
  double window[2][3];
  IrzOutlineKind kind;
  find_window(labels, work->member, window, &work->volume);
  double step = fmin(fmax(sqrt(4.84 * pow(work->volume, 2.0 / 3) / CUBES), 0.3e-3), 2e-3);
  IRZ_TRY(irz_outline_labels(labels, work->member, window, step, work->judged->threads, &work->surface, &kind, error));
  if (kind == IRZ_OUTLINE_VOXELS) {
    char place[IRZ_PLACE_MAX];
    irz_plan_place(work->plan, work->plan->patient.target[work->which].line, place);
    irz_plan_warn(work->plan,
                  "%s: patient.targets[%d]: \"%s\" is so thin in the label map that its surface has the steps of its "
                  "voxels: margins are uncertain by half a voxel",
                  place, work->which, work->target->region);
  }
  if (work->organ == NULL) return IRZ_OK;
  for (int side = 0; side < 2; side++) {
    for (int d = 0; d < 3; d++) window[side][d] += (side == 0 ? -1 : 1) * (capsule + 2e-3);
  }
  find_organ(work, window);
  return irz_outline_labels(labels, work->organ, window, fmax(step, 0.8e-3), work->judged->threads, &work->capsule,
                            &kind, error);
}

/// Find the surfaces of a target and its organ. Collective.
static IrzCode outline(Work *work, IrzError *error) {
  const IrzPatientCase *judged = work->judged;
  if (judged->labels != NULL) {
    if (judged->medium->part->rank == 0) outline_labels(work, error);
    return irz_error_agree(judged->comm, error);
  }
  work->volume = work->target->volume;
  double step = fmin(fmax(sqrt(4.84 * pow(work->volume, 2.0 / 3) / CUBES), 0.3e-3), 2e-3);
  IRZ_TRY(irz_outline_mesh(judged->medium, work->member, step, &work->surface, error));
  if (work->organ == NULL) return IRZ_OK;
  return irz_outline_mesh(judged->medium, work->organ, 2e-3, &work->capsule, error);
}

/* ---- Geometry, on rank 0 ---- */

/// Margins off the border of the organ: triangles whose middles are near it are left out.
static IrzCode measure_off_capsule(Work *work, const double *depth, IrzError *error) {
  const IrzSurface *surface = &work->surface;
  uint8_t *keep;
  IRZ_TRY(irz_alloc(&keep, (size_t)surface->n_triangles, 1, error));
  for (int32_t t = 0; t < surface->n_triangles; t++) {
    double middle[3] = {0};
    for (int k = 0; k < 3; k++) {
      for (int d = 0; d < 3; d++) middle[d] += surface->points[surface->triangles[t][k]][d] / 3;
    }
    keep[t] = !isfinite(irz_tree_distance(&work->capsule_tree, middle, capsule, NULL));
  }
  IrzCode code = irz_margins_measure(surface, depth, keep, work->target->wanted, &work->target->off_capsule, error);
  free(keep);
  return code;
}

/// The tissue box, or what is around the mesh, m.
static void find_box(const IrzPatientCase *judged, double box[2][3]) {
  for (int d = 0; d < 3; d++) {
    box[0][d] = judged->size > 0 ? judged->center[d] - 0.5 * judged->size : -INFINITY;
    box[1][d] = judged->size > 0 ? judged->center[d] + 0.5 * judged->size : INFINITY;
  }
}

static IrzCode measure_around(Work *work, IrzError *error) {
  IrzTarget *target = work->target;
  IrzAround around;
  IrzAroundTask task = {.target = &work->tree,
                        .zone = &work->shared->zone,
                        .labels = work->judged->labels,
                        .organ = work->judged->labels != NULL ? work->organ : NULL,
                        .organ_tree = work->organ != NULL ? &work->capsule_tree : NULL,
                        .volume = work->volume,
                        .threads = work->judged->threads};
  find_box(work->judged, task.box);
  IRZ_TRY(irz_around_measure(&task, &around, error));
  for (int k = 0; k < IRZ_SHELLS; k++) {
    target->shell[k].volume = around.shell[k];
    target->shell[k].ablated = around.shell[k] > 0 ? fmin(around.ablated[k] / around.shell[k], 1) : NAN;
  }
  /* Pieces are found in the grid; their share is applied to what the elements miss. */
  target->missed_largest = around.missed > 0 ? target->missed * around.largest / around.missed : 0;
  memcpy(target->missed_at, around.missed_at, sizeof target->missed_at);
  return IRZ_OK;
}

/// Everything that surfaces tell.
static IrzCode measure(Work *work, IrzError *error) {
  IrzTarget *target = work->target;
  const IrzPatientShared *shared = work->shared;
  double *depth = NULL, zone_error = work->judged->summary->zone.volume_error;
  if (work->surface.n_triangles == 0) return IRZ_OK;
  IrzCode code = irz_tree_create(&work->surface, NULL, &work->tree, error);
  if (code == IRZ_OK) code = irz_tree_create(&work->capsule, NULL, &work->capsule_tree, error);
  if (code == IRZ_OK) {
    code = irz_margins_depths(&work->surface, &shared->zone, work->judged->threads, &depth, error);
  }
  if (code == IRZ_OK) {
    code = irz_margins_measure(&work->surface, depth, NULL, target->wanted, &target->margins, error);
  }
  if (code == IRZ_OK && work->organ != NULL) code = measure_off_capsule(work, depth, error);
  if (code == IRZ_OK) code = measure_around(work, error);
  target->surface = irz_surface_area(&work->surface);
  if (zone_error >= 0 && shared->area > 0) {
    target->margins.error = target->off_capsule.error = LOCAL * zone_error / shared->area;
  }
  free(depth);
  return code;
}

static void release(Work *work) {
  irz_surface_clear(&work->surface);
  irz_surface_clear(&work->capsule);
  irz_tree_clear(&work->tree);
  irz_tree_clear(&work->capsule_tree);
  free(work->member);
  free(work->organ);
}

/// Judge a target. Collective; what it needs is cleared also after a failure.
static IrzCode judge(Work *work, IrzError *error) {
  const IrzPatientCase *judged = work->judged;
  IrzTarget *target = work->target;
  int region = irz_shared_region(judged, target->region), organ = irz_shared_region(judged, target->organ);
  irz_alloc(&work->member, (size_t)judged->medium->n_regions + 1, 1, error);
  if (error->code == IRZ_OK && organ >= 0) irz_alloc(&work->organ, (size_t)judged->medium->n_regions + 1, 1, error);
  IRZ_TRY(irz_error_agree(judged->comm, error));
  if (region >= 0) work->member[region] = 1;
  if (organ >= 0) work->organ[organ] = work->organ[region >= 0 ? region : organ] = 1;
  int rank = judged->medium->part->rank;
  if (rank == 0) take_volumes(work);
  IRZ_TRY(outline(work, error));
  if (rank == 0) measure(work, error);
  return irz_error_agree(judged->comm, error);
}

/// The largest sphere, and what of the zone is in no target, for all targets.
static IrzCode judge_zone(const IrzPatientCase *judged, const IrzPatientShared *shared, IrzPatient *patient,
                          IrzError *error) {
  double center[3], radius, covered = 0;
  IRZ_TRY(irz_largest_sphere(&shared->zone, center, &radius, error));
  for (int i = 0; i < patient->n_targets; i++) covered += patient->targets[i].covered;
  for (int i = 0; i < patient->n_targets; i++) {
    IrzTarget *target = &patient->targets[i];
    target->healthy = fmax(0, judged->summary->zone.volume - covered);
    target->sphere_radius = radius;
    memcpy(target->sphere_center, center, sizeof center);
    target->treatable_diameter = isnan(radius) ? NAN : 2 * fmax(0, radius - target->wanted);
  }
  return IRZ_OK;
}

IrzCode irz_targets_judge(const IrzPatientCase *judged, const IrzPatientShared *shared, IrzPlan *plan,
                          IrzPatient *patient, IrzError *error) {
  IrzCode code = IRZ_OK;
  for (int i = 0; i < patient->n_targets && code == IRZ_OK; i++) {
    IrzTarget *target = &patient->targets[i];
    Work work = {.judged = judged, .shared = shared, .plan = plan, .target = target, .which = i};
    snprintf(target->region, sizeof target->region, "%s", plan->patient.target[i].region);
    snprintf(target->organ, sizeof target->organ, "%s", plan->patient.target[i].organ);
    target->wanted = plan->patient.target[i].margin;
    clear(target);
    code = judge(&work, error);
    release(&work);
  }
  if (code == IRZ_OK && patient->n_targets > 0) {
    if (judged->medium->part->rank == 0) judge_zone(judged, shared, patient, error);
    code = irz_error_agree(judged->comm, error);
  }
  if (code == IRZ_OK) {
    MPI_Bcast(patient->targets, patient->n_targets * (int)sizeof *patient->targets, MPI_BYTE, 0, judged->comm);
  }
  return code;
}
