/* What the parts that judge a result have in common; see patient.h. */
#include "anatomy/voxel.h"
#include "base/memory.h"
#include "base/vector.h"
#include "patient/patient.h"
#include "zone/surface.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Levels of histograms, V/m: up to the first by equal steps, which are those that are written; beyond by a factor. */
#define STEP 1000.0
enum { N_EQUAL = 301, N_LEVELS = N_EQUAL + 360 };
static const double growth = 1.01;

int irz_shared_region(const IrzPatientCase *judged, const char *name) {
  for (int r = 0; r < judged->medium->n_regions; r++) {
    if (strcmp(judged->medium->regions[r].name, name) == 0) return r;
  }
  return -1;
}

double irz_shared_beyond(const IrzPatientCase *judged, int region, double *share) {
  const IrzLabelMap *labels = judged->labels;
  *share = 0;
  if (labels == NULL || !(judged->size > 0)) return 0;
  double voxel = irz_voxel_volume(labels->to_world[0]);
  int64_t beyond = 0, all = 0;
  size_t at = 0;
  for (int k = 0; k < labels->size[2]; k++) {
    for (int j = 0; j < labels->size[1]; j++) {
      for (int i = 0; i < labels->size[0]; i++, at++) {
        if (labels->region[at] != region) continue;
        all++;
        const double at_voxel[3] = {i, j, k};
        double x[3];
        irz_voxel_place(labels->to_world[0], at_voxel, x);
        bool inside = true;
        for (int d = 0; d < 3; d++) inside = inside && fabs(x[d] - judged->center[d]) <= 0.5 * judged->size;
        beyond += !inside;
      }
    }
  }
  if (all > 0) *share = (double)beyond / (double)all;
  return voxel * (double)beyond;
}

/// Measure the histograms of all regions that are judged.
static IrzCode make_histogram(const IrzPatientCase *judged, const IrzPlan *plan, IrzHistogram *histogram,
                              IrzError *error) {
  uint8_t wanted[IRZ_LABEL_MAX_REGIONS + 1] = {0};
  double level[N_LEVELS];
  for (int k = 0; k < N_LEVELS; k++) level[k] = k < N_EQUAL ? k * STEP : growth * level[k - 1];
  for (int i = 0; i < plan->patient.n_targets; i++) {
    int r = irz_shared_region(judged, plan->patient.target[i].region);
    if (r >= 0) wanted[r] = 1;
  }
  for (int i = 0; i < plan->patient.n_at_risk; i++) {
    int r = irz_shared_region(judged, plan->patient.at_risk[i].region);
    if (r >= 0) wanted[r] = 1;
  }
  double range[2];
  irz_drawn_levels(judged->medium->n_regions, judged->threshold, plan->zone.n_also, plan->zone.also, range);
  return irz_histogram_make(judged->medium, judged->threads, judged->drawn, judged->measured, range, wanted, N_LEVELS,
                            level, histogram, error);
}

/// Make the tree of the zone's surface, on rank 0.
static IrzCode make_zone(IrzPatientShared *shared, IrzError *error) {
  const IrzSurface *surface = &shared->surface;
  uint8_t *keep = NULL;
  IRZ_TRY(irz_alloc(&keep, (size_t)surface->n_triangles, 1, error));
  for (int32_t t = 0; t < surface->n_triangles; t++) {
    keep[t] = shared->kind[t] != IRZ_SURFACE_HOLE;
    if (shared->kind[t] != IRZ_SURFACE_FIELD) continue;
    const int32_t *p = surface->triangles[t];
    shared->area += irz_triangle_area(surface->points[p[0]], surface->points[p[1]], surface->points[p[2]]);
  }
  IrzCode code = irz_tree_create(surface, keep, &shared->zone, error);
  free(keep);
  return code;
}

IrzCode irz_shared_make(const IrzPatientCase *judged, const IrzPlan *plan, IrzPatientShared *shared, IrzError *error) {
  int rank;
  MPI_Comm_rank(judged->comm, &rank);
  *shared = (IrzPatientShared){.kind = NULL};
  IrzCode code = make_histogram(judged, plan, &shared->histogram, error);
  if (code == IRZ_OK) {
    code = irz_zone_surface_kinds(judged->medium, judged->sides, judged->drawn, judged->threshold, &shared->surface,
                                  &shared->kind, error);
  }
  if (code == IRZ_OK) {
    if (rank == 0) make_zone(shared, error);
    code = irz_error_agree(judged->comm, error);
  }
  if (code != IRZ_OK) irz_shared_clear(shared);
  return code;
}

void irz_shared_clear(IrzPatientShared *shared) {
  irz_histogram_clear(&shared->histogram);
  irz_surface_clear(&shared->surface);
  irz_tree_clear(&shared->zone);
  free(shared->kind);
  shared->kind = NULL;
}

/// Add the curve of a region, unless it is there.
static void add_curve(const IrzPatientCase *judged, const IrzHistogram *histogram, const char *name,
                      IrzPatient *patient) {
  for (int c = 0; c < patient->n_curves; c++) {
    if (strcmp(patient->curve[c], name) == 0) return;
  }
  int region = irz_shared_region(judged, name);
  double *fraction = patient->fraction + (size_t)patient->n_curves * (size_t)patient->n_levels;
  memcpy(patient->curve[patient->n_curves++], name, IRZ_NAME_MAX);
  for (int k = 0; k < patient->n_levels; k++) {
    double all = region >= 0 ? histogram->total[region] : 0;
    fraction[k] = all > 0 ? histogram->volume[region * histogram->n_levels + k] / all : NAN;
  }
}

IrzCode irz_shared_curves(const IrzPatientCase *judged, const IrzPatientShared *shared, const IrzPlan *plan,
                          IrzPatient *patient, IrzError *error) {
  const IrzPatientPlan *stated = &plan->patient;
  size_t most = (size_t)stated->n_targets + (size_t)stated->n_at_risk;
  IRZ_TRY(irz_alloc(&patient->level, N_EQUAL, sizeof *patient->level, error));
  IRZ_TRY(irz_alloc(&patient->curve, most, sizeof *patient->curve, error));
  IRZ_TRY(irz_alloc(&patient->fraction, most * N_EQUAL, sizeof *patient->fraction, error));
  patient->n_levels = N_EQUAL;
  for (int k = 0; k < N_EQUAL; k++) patient->level[k] = shared->histogram.level[k];
  for (int i = 0; i < stated->n_targets; i++) {
    add_curve(judged, &shared->histogram, stated->target[i].region, patient);
  }
  for (int i = 0; i < stated->n_at_risk; i++) {
    add_curve(judged, &shared->histogram, stated->at_risk[i].region, patient);
  }
  return IRZ_OK;
}
