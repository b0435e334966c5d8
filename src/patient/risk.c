/* Structures at risk: how near metal and zone come, what field and what heat they get. */
#include "base/memory.h"
#include "base/vector.h"
#include "heat/damage.h"
#include "patient/clearance.h"
#include "patient/outline.h"
#include "patient/patient.h"
#include "query/find.h"
#include "zone/cut.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Volume whose field counts as the largest that a structure gets without its peaks at edges, m^3.
static const double small_volume = 0.1e-6;

/// Of a structure so much is in the zone that it is touched, m^3; less may be rounding.
static const double touched = 1e-10;

/// Step along bare metal where distances are looked for, m; triangles of surfaces of meshes.
static const double along_step = 0.1e-3, triangle_step = 1e-3;

/// Share of a region in a tetrahedron.
static double share_in(const IrzMedium *medium, int32_t tet, int region) {
  int32_t general = medium->general[tet] - 1;
  if (general < 0 || !medium->mixed[general]) return medium->region[tet] == region;
  const IrzRule *rule = irz_medium_rule(medium, general);
  double share = 0;
  for (int q = 0; q < rule->count; q++) {
    if (medium->point_region[medium->first_point[general] + q] == region) share += rule->weight[q];
  }
  return share;
}

/* ---- Fields and heat ---- */

/// Running sums over the tetrahedra of a rank.
typedef struct {
  double largest, hottest, wall_field, wall_hottest;   ///< maxima
  double above_50, damaged, wall_volume, wall_damaged; ///< m^3
} Sums;
enum { N_MAXIMA = 4, N_SUMS = 8 };

/// What is measured of one structure.
typedef struct {
  const IrzPatientCase *judged;
  int region;
  uint8_t *side; ///< [nodes of the part] bit 0: of the structure; bit 1: of what is around it
  double lethal; ///< C, that an equivalent temperature of damage compares with
} Task;

enum { ON_WALL = 3 };

/// Which nodes are of the structure, of its surroundings, and of both.
static void mark_sides(const Task *task) {
  const IrzMedium *medium = task->judged->medium;
  const IrzPart *part = medium->part;
  for (int32_t t = 0; t < part->n_tets; t++) {
    double share = share_in(medium, t, task->region);
    int bits = (share > 0) | (share < 1 - 1e-9) << 1;
    for (int i = 0; i < 10; i++) task->side[part->tet[t][i]] |= (uint8_t)bits;
  }
}

/// Volume of a tetrahedron in which a quantity that is linear between its nodes reaches a level, m^3.
/// @param[in] value  [10]
static double volume_above(double node[10][3], const double value[10], double level) {
  double sum = 0;
  for (int c = 0; c < 8; c++) {
    const int *child = irz_child_nodes[c];
    double over[4];
    for (int i = 0; i < 4; i++) over[i] = value[child[i]] - level;
    sum +=
        fabs(irz_tet_volume(node[child[0]], node[child[1]], node[child[2]], node[child[3]])) * irz_cut_fraction(over);
  }
  return sum;
}

/// Add what heat does to a tetrahedron.
static void add_heat(const Task *task, int32_t tet, int32_t curved, double share, bool at_wall, Sums *sums) {
  const IrzHeatReached *reached = &task->judged->heat->reached[0];
  const IrzPart *part = task->judged->medium->part;
  const IrzArrhenius *set = irz_arrhenius(task->judged->summary->plan->heat.damage);
  double node[10][3], peak[10], damage[10], all[10] = {0};
  irz_part_nodes(part, tet, curved, node);
  for (int i = 0; i < 10; i++) {
    int32_t n = part->tet[tet][i];
    peak[i] = reached->peak[n];
    damage[i] = irz_damage_equivalent(set, reached->omega[n]);
    if (share > 0) sums->hottest = fmax(sums->hottest, peak[i]);
    if (task->side[n] == ON_WALL) sums->wall_hottest = fmax(sums->wall_hottest, peak[i]);
  }
  double damaged = volume_above(node, damage, task->lethal);
  sums->above_50 += share * volume_above(node, peak, 50);
  sums->damaged += share * damaged;
  if (!at_wall) return;
  sums->wall_volume += volume_above(node, all, 0);
  sums->wall_damaged += damaged;
}

/// Largest field in what a tetrahedron has of the structure: of one with several regions inside, at the points of its
/// rule that are in it.
static double largest_in(const Task *task, int32_t tet, const int32_t *row) {
  const IrzMedium *medium = task->judged->medium;
  const double *field = task->judged->drawn->field;
  int32_t general = medium->general[tet] - 1;
  double largest = 0;
  if (general < 0 || !medium->mixed[general]) {
    for (int i = 0; i < 10; i++) largest = fmax(largest, field[row[i]]);
    return largest;
  }
  const IrzRule *rule = irz_medium_rule(medium, general);
  for (int q = 0; q < rule->count; q++) {
    if (medium->point_region[medium->first_point[general] + q] != task->region) continue;
    largest = fmax(largest, irz_value_at(2, row, field, rule->point[q]));
  }
  return largest;
}

/// Add up what this rank has of a structure.
static void add_part(const Task *task, Sums *sums) {
  const IrzPatientCase *judged = task->judged;
  const IrzPart *part = judged->medium->part;
  int32_t curved = 0;
  for (int32_t t = 0; t < part->n_tets; t++) {
    bool bent = irz_is_bent(part, t, &curved), at_wall = false;
    if (!part->mine[t]) continue;
    double share = share_in(judged->medium, t, task->region);
    const int32_t *row = irz_tet_rows(judged->sides, part, t);
    for (int i = 0; i < 10; i++) {
      double field = judged->drawn->field[row[i]];
      bool wall = task->side[part->tet[t][i]] == ON_WALL;
      at_wall = at_wall || wall;
      if (wall) sums->wall_field = fmax(sums->wall_field, field);
    }
    if (share > 0) sums->largest = fmax(sums->largest, largest_in(task, t, row));
    if (judged->heat->n_reached > 0 && (share > 0 || at_wall))
      add_heat(task, t, bent ? curved : -1, share, at_wall, sums);
  }
}

/// Measure fields and heat of a structure. Collective.
static IrzCode measure(const IrzPatientCase *judged, int region, IrzAtRisk *risk, IrzError *error) {
  const IrzPart *part = judged->medium->part;
  const bool heated = judged->heat->n_reached > 0;
  Task task = {.judged = judged, .region = region};
  Sums sums = {.hottest = -INFINITY, .wall_hottest = -INFINITY};
  double values[N_SUMS];
  irz_alloc(&task.side, (size_t)part->n_vertices + (size_t)part->n_edges, 1, error);
  IRZ_TRY(irz_error_agree(judged->comm, error));
  task.lethal = irz_damage_equivalent(irz_arrhenius(judged->summary->plan->heat.damage), 1);
  mark_sides(&task);
  add_part(&task, &sums);
  free(task.side);
  memcpy(values, &sums, sizeof values);
  MPI_Allreduce(MPI_IN_PLACE, values, N_MAXIMA, MPI_DOUBLE, MPI_MAX, judged->comm);
  MPI_Allreduce(MPI_IN_PLACE, values + N_MAXIMA, N_SUMS - N_MAXIMA, MPI_DOUBLE, MPI_SUM, judged->comm);
  memcpy(&sums, values, sizeof values);
  risk->largest = sums.largest;
  /* Below its first level the histogram knows no more than that. */
  risk->e2 = isnan(risk->e2) ? NAN : fmin(risk->e2, sums.largest);
  risk->e_cubic = isnan(risk->e_cubic) ? NAN : fmin(risk->e_cubic, sums.largest);
  risk->wall.field = sums.wall_field;
  risk->hottest = heated ? sums.hottest : NAN;
  risk->above_50 = heated ? sums.above_50 : NAN;
  risk->damaged = heated ? sums.damaged : NAN;
  risk->wall.hottest = heated && isfinite(sums.wall_hottest) ? sums.wall_hottest : NAN;
  risk->wall.damaged = sums.wall_volume > 0 ? sums.wall_damaged / sums.wall_volume : NAN;
  return IRZ_OK;
}

/* ---- Distances, on rank 0 ---- */

static bool is_needle(const IrzProbe *probe) {
  return probe->has_geometry && probe->plate[0] <= 0;
}

/// Distance of a region of a label map from bare metal.
static IrzCode map_to_metal(const IrzPatientCase *judged, int region, double *distance, IrzError *error) {
  const IrzPlan *plan = judged->summary->plan;
  *distance = NAN;
  for (int p = 0; p < plan->n_probes; p++) {
    const IrzProbe *probe = &plan->probes[p];
    IrzStretch metal = {.length = probe->exposure};
    double here, at[3];
    bool smooth;
    if (!is_needle(probe)) continue;
    memcpy(metal.start, probe->tip, sizeof metal.start);
    memcpy(metal.axis, probe->direction, sizeof metal.axis);
    IRZ_TRY(irz_clearance(judged->labels, region, &metal, &here, at, &smooth, error));
    *distance = fmin(*distance, fmax(here - 0.5 * probe->diameter, 0)); /* that of a number and NaN is the number */
  }
  return IRZ_OK;
}

/// Distance of a region of a label map from the zone.
static IrzCode map_to_zone(const IrzPatientCase *judged, const IrzPatientShared *shared, int region, double *distance,
                           IrzError *error) {
  const IrzSurface *zone = &shared->surface;
  int32_t nearest = irz_clearance_nearest(judged->labels, region, zone->n_points, (const double(*)[3])zone->points);
  double at[3];
  bool smooth;
  *distance = NAN;
  if (nearest < 0) return IRZ_OK;
  IrzStretch point = {.axis = {1, 0, 0}};
  memcpy(point.start, zone->points[nearest], sizeof point.start);
  IRZ_TRY(irz_clearance(judged->labels, region, &point, distance, at, &smooth, error));
  if (*distance > 0) *distance = fmin(*distance, irz_tree_distance(&shared->zone, at, *distance, NULL));
  return IRZ_OK;
}

/// Distances of a region of the mesh from bare metal and from the zone, from its surface.
static void mesh_distances(const IrzPatientCase *judged, const IrzPatientShared *shared, const IrzTree *tree,
                           IrzAtRisk *risk) {
  const IrzPlan *plan = judged->summary->plan;
  for (int p = 0; p < plan->n_probes; p++) {
    const IrzProbe *probe = &plan->probes[p];
    int steps = is_needle(probe) ? (int)ceil(probe->exposure / along_step) : -1;
    for (int i = 0; i <= steps; i++) {
      double x[3], along = probe->exposure * i / steps;
      for (int k = 0; k < 3; k++) x[k] = probe->tip[k] + along * probe->direction[k];
      double here = i % 10 == 0 && irz_tree_winding(tree, x) > 0.5 ? 0 : irz_tree_distance(tree, x, INFINITY, NULL);
      risk->to_metal = fmin(risk->to_metal, fmax(here - 0.5 * probe->diameter, 0));
    }
  }
  double nearest = INFINITY;
  for (int32_t i = 0; i < shared->surface.n_points; i++)
    nearest = fmin(nearest, irz_tree_distance(tree, shared->surface.points[i], nearest, NULL));
  risk->to_zone = isfinite(nearest) ? nearest : NAN;
}

/// Find the distances of a structure. Collective.
static IrzCode find_distances(const IrzPatientCase *judged, const IrzPatientShared *shared, int region, IrzAtRisk *risk,
                              IrzError *error) {
  int rank;
  MPI_Comm_rank(judged->comm, &rank);
  risk->to_metal = risk->to_zone = NAN;
  if (judged->labels != NULL) {
    if (rank == 0) map_to_metal(judged, region, &risk->to_metal, error);
    if (rank == 0 && error->code == IRZ_OK) map_to_zone(judged, shared, region, &risk->to_zone, error);
    return irz_error_agree(judged->comm, error);
  }
  uint8_t member[IRZ_LABEL_MAX_REGIONS + 1] = {0};
  IrzSurface surface = {0};
  IrzTree tree = {0};
  if (region < (int)sizeof member) member[region] = 1;
  IRZ_TRY(irz_outline_mesh(judged->medium, member, triangle_step, &surface, error));
  if (rank == 0 && irz_tree_create(&surface, NULL, &tree, error) == IRZ_OK && surface.n_triangles > 0)
    mesh_distances(judged, shared, &tree, risk);
  irz_tree_clear(&tree);
  irz_surface_clear(&surface);
  return irz_error_agree(judged->comm, error);
}

/* ---- All ---- */

/// Take over what zone and histogram know.
static void take_volumes(const IrzPatientCase *judged, const IrzPatientShared *shared, int region, IrzAtRisk *risk) {
  const IrzRegionVolume *known = &judged->summary->zone.regions[region];
  const IrzHistogram *histogram = &shared->histogram;
  double total = histogram->total[region];
  risk->threshold = known->threshold;
  risk->volume = known->volume;
  risk->ablated = known->ablated;
  risk->ablated_error = known->ablated_error;
  risk->e2 = irz_histogram_field(histogram, region, 0.02 * total);
  risk->e_cubic = total >= small_volume ? irz_histogram_field(histogram, region, small_volume) : NAN;
  risk->above_limit = isfinite(risk->limit) ? irz_histogram_above(histogram, region, risk->limit) : NAN;
}

/// Warn of a structure of which the tissue box has a part only.
static void warn_beyond(IrzPlan *plan, double share, const IrzAtRisk *risk, int which) {
  char place[IRZ_PLACE_MAX];
  if (!(share > 0.05)) return;
  irz_plan_place(plan, plan->patient.at_risk[which].line, place);
  irz_plan_warn(plan,
                "%s: patient.at_risk[%d]: %.3g %% of \"%s\" lie outside the tissue box; its volume, and the field that "
                "2 %% of it reach, are those of the rest; a larger mesh.size has more of it inside",
                place, which, 100 * share, risk->region);
}

/// Warn of what is not spared.
static void warn(IrzPlan *plan, const IrzAtRisk *risk, int line) {
  if (risk->limit_kept) return;
  irz_plan_warn(
      plan,
      "%s:%d: patient.at_risk: %s gets up to %.0f V/cm, more than its limit of %.4g V/cm; %.3g cm3 of it are at "
      "the limit or above",
      plan->file, line, risk->region, risk->largest / 100, risk->limit / 100, 1e6 * risk->above_limit);
}

IrzCode irz_risk_judge(const IrzPatientCase *judged, const IrzPatientShared *shared, IrzPlan *plan, IrzPatient *patient,
                       IrzError *error) {
  for (int i = 0; i < patient->n_at_risk; i++) {
    IrzAtRisk *risk = &patient->at_risk[i];
    snprintf(risk->region, sizeof risk->region, "%s", plan->patient.at_risk[i].region);
    risk->limit = plan->patient.at_risk[i].max_field;
    int region = irz_shared_region(judged, risk->region);
    take_volumes(judged, shared, region, risk);
    IRZ_TRY(measure(judged, region, risk, error));
    IRZ_TRY(find_distances(judged, shared, region, risk, error));
    if (risk->ablated > touched) risk->to_zone = 0;
    risk->limit_kept = !(risk->largest > risk->limit);
    MPI_Bcast(risk, (int)sizeof *risk, MPI_BYTE, 0, judged->comm);
    warn(plan, risk, plan->patient.at_risk[i].line);
    double share;
    irz_shared_beyond(judged, region, &share);
    warn_beyond(plan, share, risk, i);
  }
  return IRZ_OK;
}
