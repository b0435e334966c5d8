/* Nodal averaging; see recover.h. */
#include "zone/recover.h"
#include "base/memory.h"
#include "base/tensor.h"
#include "base/threads.h"
#include "field/conductivity.h"
#include "field/kernel.h"
#include "zone/mend.h"
#include "zone/nodal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Means in the rows of the nodes: the sum of a thread's rows, then the gradient and 1.
typedef double (*Rows)[IRZ_ROW];

/// Rows at the ten nodes of a tetrahedron.
static void node_rows(const IrzPart *part, int32_t tet, int32_t curved, int order, const double *potential,
                      double row[10][IRZ_ROW]) {
  if (curved >= 0) {
    _Alignas(32) double slope[4][3][IRZ_ROW], middle[3][IRZ_ROW];
    irz_bent_corners(part, tet, curved, order, potential, slope);
    for (int i = 0; i < 4; i++) irz_bent_row(slope[i], row[i]);
    for (int e = 0; e < 6; e++) {
      const int *end = irz_edge_vertices[e];
      for (int k = 0; k < 3; k++) {
        for (int d = 0; d < IRZ_ROW; d++) middle[k][d] = 0.5 * (slope[end[0]][k][d] + slope[end[1]][k][d]);
      }
      irz_bent_row(middle, row[4 + e]);
    }
    return;
  }
  _Alignas(32) double g[4][IRZ_ROW];
  double det = irz_straight_map(part, tet, g);
  irz_straight_corners(part, tet, g, det, order, potential, row);
  for (int e = 0; e < 6; e++) {
    const int *end = irz_edge_vertices[e];
    for (int d = 0; d < IRZ_ROW; d++) row[4 + e][d] = 0.5 * (row[end[0]][d] + row[end[1]][d]);
  }
}

/// Means of one potential's gradients at a thread's nodes.
/// @param[in,out] sum  in: zero
static void average(const IrzSides *sides, const IrzMember *member, int order, const double *potential, Rows sum) {
  const IrzPart *part = sides->part;
  int32_t curved = irz_first_curved(part, member->tet[0]);
  for (int32_t k = 0; k < irz_member_count(member); k++) {
    int32_t t = irz_member_tet(member, k);
    const int32_t *node = part->tet[t], *to = irz_tet_rows(sides, part, t);
    _Alignas(32) double row[10][IRZ_ROW];
    node_rows(part, t, irz_is_bent(part, t, &curved) ? curved : -1, order, potential, row);
    for (int i = 0; i < 10; i++) {
      if (!irz_member_owns(member, i, node[i])) continue;
      for (int d = 0; d < IRZ_ROW; d++) sum[to[i]][d] += row[i][d];
    }
  }
  for (int k = 0; k < IRZ_ROW_RUNS; k++) {
    int32_t run[2];
    irz_member_rows(member, sides, k, run);
    for (int32_t i = run[0]; i < run[1]; i++) {
      double inverse = 1 / sum[i][3];
      for (int d = 0; d < IRZ_ROW; d++) sum[i][d] *= inverse;
    }
  }
}

/// Make the means on both sides of joints agree.
static void mend_means(const IrzSides *sides, const IrzLaw *const *laws, int n_threads, Rows mean) {
#pragma omp parallel for num_threads(irz_threads(n_threads)) schedule(static)
  for (int32_t row = sides->n_nodes; row < sides->n_rows; row++) {
    const IrzJoint *joint = irz_row_joint(sides, row);
    if (joint == NULL) continue;
    const int32_t of[2] = {irz_row_node(sides, row), row};
    const IrzLaw *law[2];
    double field[2][3], flux[2][3], sigma[6];
    for (int k = 0; k < 2; k++) {
      law[k] = laws[sides->tissue[of[k]]];
      memcpy(field[k], mean[of[k]], sizeof field[k]);
      irz_law_tensor(law[k], field[k], NULL, sigma, NULL);
      irz_tensor_apply(sigma, field[k], flux[k]);
    }
    irz_mend(joint, law, flux, field);
    for (int k = 0; k < 2; k++) memcpy(mean[of[k]], field[k], sizeof field[k]);
  }
}

/// What the defects of a run of tetrahedra are made from.
typedef struct {
  const IrzMedium *medium;
  const IrzSides *sides;
  const IrzLaw *const *laws;
  const IrzPoints *floor; ///< NULL: nothing is remembered
  int order;
  const double *potential;
  Rows recovered;
  double value[4][10]; ///< at the points of irz_rule_fast, the functions that interpolate the recovered gradient
} Defects;

/// Values of the functions of the given order at a point.
static void basis(int order, const double l[4], double value[10]) {
  for (int i = 0; i < 4; i++) value[i] = order == 2 ? l[i] * (2 * l[i] - 1) : l[i];
  for (int e = 0; e < 6; e++) {
    value[4 + e] = order == 2 ? 4 * l[irz_edge_vertices[e][0]] * l[irz_edge_vertices[e][1]] : 0;
  }
}

/// Points that wait for their conductivity: laws work on several at once.
typedef struct {
  int count;
  const IrzLaw *law[IRZ_LANES];
  double field[IRZ_LANES], share[IRZ_LANES]; ///< V/m; volume times square of a difference
} Waiting;

/// The defect of the points that wait.
static double flush(Waiting *waiting) {
  double sigma[IRZ_LANES], slope[IRZ_LANES], sum = 0;
  for (int l = waiting->count; l < IRZ_LANES; l++) {
    waiting->law[l] = waiting->law[0];
    waiting->field[l] = waiting->share[l] = 0;
  }
  if (waiting->count == 0) return 0;
  irz_conductivity(waiting->law, 1, waiting->field, sigma, slope);
  for (int l = 0; l < IRZ_LANES; l++) sum += sigma[l] * waiting->share[l];
  waiting->count = 0;
  return sum;
}

/// The defect at a point.
/// @param[in]     row         gradient of the potential and 1
/// @param[in]     difference  of the recovered one from it and 0
/// @param[in]     share       volume the point stands for, m^3
/// @param[in,out] waiting     laws that need no direction go here; what is returned may be that of earlier points
static double point_defect(const Defects *task, int32_t tet, int point, const IrzLaw *law, const double row[IRZ_ROW],
                           const double difference[IRZ_ROW], double share, Waiting *waiting) {
  if (task->floor != NULL || law->direction != IRZ_LAW_ISOTROPIC) {
    const IrzLawMemory memory = irz_points_memory(task->medium, task->floor, tet, point);
    return share * irz_law_square(law, row, &memory, difference);
  }
  double square = 0, field = 0;
  for (int d = 0; d < IRZ_ROW; d++) square += difference[d] * difference[d];
  for (int d = 0; d < 3; d++) field += row[d] * row[d];
  int k = waiting->count++;
  waiting->law[k] = law;
  waiting->field[k] = sqrt(field);
  waiting->share[k] = share * square;
  return waiting->count == IRZ_LANES ? flush(waiting) : 0;
}

/// The defect of a tetrahedron at the points of the fast rule.
static double fast_defect(const Defects *task, int32_t tet, int32_t curved, Waiting *waiting) {
  const IrzPart *part = task->medium->part;
  const int32_t *row_of = irz_tet_rows(task->sides, part, tet);
  const IrzLaw *law = task->laws[task->medium->region[tet]];
  const double near = IRZ_RULE_NEAR, step = IRZ_RULE_FAR - IRZ_RULE_NEAR;
  _Alignas(32) double slope[4][3][IRZ_ROW], corner[4][IRZ_ROW], total = 0;
  if (curved >= 0) {
    irz_bent_corners(part, tet, curved, task->order, task->potential, slope);
  } else {
    _Alignas(32) double g[4][IRZ_ROW];
    double straight = irz_straight_map(part, tet, g);
    irz_straight_corners(part, tet, g, straight, task->order, task->potential, corner);
  }
  for (int q = 0; q < 4; q++) {
    _Alignas(32) double row[IRZ_ROW], here[3][IRZ_ROW], difference[IRZ_ROW] = {0};
    if (curved >= 0) {
      for (int k = 0; k < 3; k++) {
        for (int d = 0; d < IRZ_ROW; d++) {
          here[k][d] =
              near * (slope[0][k][d] + slope[1][k][d] + slope[2][k][d] + slope[3][k][d]) + step * slope[q][k][d];
        }
      }
      irz_bent_row(here, row);
    } else {
      for (int d = 0; d < IRZ_ROW; d++) {
        row[d] = near * (corner[0][d] + corner[1][d] + corner[2][d] + corner[3][d]) + step * corner[q][d];
      }
    }
    double det = row[3], inverse = 1 / det;
    for (int d = 0; d < IRZ_ROW; d++) row[d] *= inverse;
    for (int i = 0; i < (task->order == 2 ? 10 : 4); i++) {
      for (int d = 0; d < IRZ_ROW; d++) difference[d] += task->value[q][i] * task->recovered[row_of[i]][d];
    }
    for (int d = 0; d < IRZ_ROW; d++) difference[d] -= row[d];
    total += point_defect(task, tet, q, law, row, difference, irz_rule_fast.weight[q] * det / 6, waiting);
  }
  return total;
}

/// The defect of a general tetrahedron at the points of its own rule, where it is known what tissue remembers.
static double general_defect(const Defects *task, int32_t tet, int32_t curved, Waiting *waiting) {
  const IrzMedium *medium = task->medium;
  const int32_t *node = medium->part->tet[tet], *row_of = irz_tet_rows(task->sides, medium->part, tet);
  int32_t general = medium->general[tet] - 1;
  const IrzRule *rule = irz_medium_rule(medium, general);
  double x[10][3], u[10], value[10], total = 0;
  irz_part_nodes(medium->part, tet, curved, x);
  for (int i = 0; i < 10; i++) u[i] = task->potential[node[i]];
  for (int q = 0; q < rule->count; q++) {
    double row[IRZ_ROW] = {0, 0, 0, 1}, difference[IRZ_ROW] = {0};
    double det = irz_gradient(x, curved >= 0, task->order == 2 ? 10 : 4, u, rule->point[q], row);
    basis(task->order, rule->point[q], value);
    for (int i = 0; i < 10; i++) {
      for (int d = 0; d < IRZ_ROW; d++) difference[d] += value[i] * task->recovered[row_of[i]][d];
    }
    for (int d = 0; d < IRZ_ROW; d++) difference[d] -= row[d];
    const IrzLaw *law = task->laws[medium->point_region[medium->first_point[general] + q]];
    total += point_defect(task, tet, q, law, row, difference, rule->weight[q] * det / 6, waiting);
  }
  return total;
}

/// The defect of this rank's own tetrahedra in [first, last).
static double range_defect(const Defects *task, int32_t first, int32_t last) {
  const IrzPart *part = task->medium->part;
  int32_t curved = irz_first_curved(part, first);
  Waiting waiting = {0};
  double total = 0;
  for (int32_t t = first; t < last; t++) {
    if (!part->mine[t]) continue;
    int32_t bend = irz_is_bent(part, t, &curved) ? curved : -1;
    if (task->floor != NULL && task->medium->general[t] > 0)
      total += general_defect(task, t, bend, &waiting);
    else
      total += fast_defect(task, t, bend, &waiting);
  }
  return total + flush(&waiting);
}

/// Integral of sigma |recovered - element-wise gradient|^2 over this rank's own tetrahedra, with the four-point rule;
/// with a floor at the points where that is known. The recovered gradient is interpolated with functions of the
/// potential's own order. Chunks are added up in order, whoever took them.
static double gradient_defect(const Defects *task, int n_threads) {
  enum { CHUNKS = 64 };
  double part[CHUNKS], total = 0;
  int64_t n = task->medium->part->n_tets;
#pragma omp parallel for num_threads(irz_threads(n_threads)) schedule(dynamic)
  for (int k = 0; k < CHUNKS; k++) {
    part[k] = range_defect(task, (int32_t)(n * k / CHUNKS), (int32_t)(n * (k + 1) / CHUNKS));
  }
  for (int k = 0; k < CHUNKS; k++) total += part[k];
  return total;
}

IrzCode irz_recover(const IrzMedium *medium, const IrzTeam *team, const IrzSides *sides, const IrzLaw *const *laws,
                    bool memory, int order, int n_pulses, double *const *potential, double *field, double *defect,
                    IrzError *error) {
  const IrzPart *part = medium->part;
  size_t n = (size_t)sides->n_rows;
  Rows sum = NULL;
  IrzPoints floor = {0}; /* as each pulse met it */
  irz_alloc(&sum, n, sizeof *sum, error);
  if (error->code == IRZ_OK && memory) irz_points_create(medium, laws, &floor, error);
  IrzCode code = irz_error_agree(part->comm, error);
  for (int p = 0; code == IRZ_OK && p < n_pulses; p++) {
#pragma omp parallel for num_threads(irz_threads(team->size)) schedule(static, 1)
    for (int k = 0; k < team->size; k++) {
      const IrzMember *member = &team->member[k];
      for (int run = 0; run < IRZ_ROW_RUNS && p > 0; run++) {
        int32_t rows[2];
        irz_member_rows(member, sides, run, rows);
        memset(sum[rows[0]], 0, (size_t)(rows[1] - rows[0]) * sizeof *sum);
      }
      average(sides, member, order, potential[p], sum);
    }
    /* Owned nodes have all their tetrahedra here; ghosts take their owners' values. */
    code = irz_sides_share(sides, IRZ_ROW, &sum[0][0], error);
    mend_means(sides, laws, team->size, sum);
#pragma omp parallel for num_threads(irz_threads(team->size)) schedule(static)
    for (size_t i = 0; i < n; i++) {
      double size = sqrt(sum[i][0] * sum[i][0] + sum[i][1] * sum[i][1] + sum[i][2] * sum[i][2]);
      field[i] = p == 0 || size > field[i] ? size : field[i];
    }
    Defects task = {.medium = medium,
                    .sides = sides,
                    .laws = laws,
                    .floor = memory ? &floor : NULL,
                    .order = order,
                    .potential = potential[p],
                    .recovered = sum};
    for (int q = 0; q < 4; q++) basis(order, irz_rule_fast.point[q], task.value[q]);
    double mine = gradient_defect(&task, team->size);
    MPI_Allreduce(&mine, &defect[p], 1, MPI_DOUBLE, MPI_SUM, part->comm);
    if (memory) irz_points_remember(medium, order, laws, potential[p], &floor);
  }
  irz_points_free(&floor);
  free(sum);
  return code;
}
