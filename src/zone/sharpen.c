/* Means of field and current density; see sharpen.h. */
#include "zone/sharpen.h"
#include "base/memory.h"
#include "base/tensor.h"
#include "base/threads.h"
#include "base/vector.h"
#include "field/conductivity.h"
#include "zone/mend.h"
#include "zone/nodal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Components side by side, as long as a vector register: E, D and, in means at nodes, the first two of the gradient of
/// |E|.
enum { LANES = 8, FLUX = 3, CLIMB = 6 };

/// A sum over the tetrahedra around a vertex, with their volumes as weights.
typedef struct {
  double slope[3][LANES]; ///< along x, y, z, of the components of E and D; NaN where no tissue is known
  double weight;
} Slope;

/// A sum over the tetrahedra around a node.
typedef struct {
  double value[LANES]; ///< E, D and the gradient of |E| but for its last component
  double climb;        ///< that one
  double weight;
} Value;

/// Tetrahedra that one thread visits: those around its own nodes at which something is wanted.
typedef struct {
  int32_t *slopes, *values;
  int32_t n_slopes, n_values, slope_room, value_room;
} Visits;

/// What is wanted, where, and what was found.
typedef struct {
  uint8_t *want_value; ///< [rows] 1 in tetrahedra that a threshold may cut: most of a mesh is far from every threshold
  uint8_t *want_slope; ///< [rows] 1 at vertices of tetrahedra with such a node
  int32_t *place;      ///< [rows] index into `value`
  int32_t *corner;     ///< [rows] index into `slope`
  int32_t n_values, n_slopes;
  Value *value;
  Slope *slope;
  Visits *visits; ///< [team size]
  double *room;   ///< [rows][3] for exchanges; NULL on one rank
} Work;

/// How far, relative, the other field's bounds may be outside those of the recovered one.
static const double margin = 0.2;

/// Where several tissues are, the field is at most this much larger or smaller than its means, relative. Within one
/// tissue it is, too, by the formulas; but slopes at surfaces come from elements of one side alone, few and of any
/// shape, and may be anything.
static const double most_sharper = 1.2;

static double size_of(const double v[3]) {
  return sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
}

/// The rows of a tetrahedron.
static inline const int32_t *rows_of(const IrzSharpenTask *task, int32_t tet) {
  return irz_tet_rows(task->sides, task->medium->part, tet);
}

/// Whether a threshold may cut a tetrahedron.
static bool may_be_cut(const IrzSharpenTask *task, int32_t tet) {
  if (task->everywhere) return true;
  const int32_t *node = rows_of(task, tet);
  double low = task->recovered[node[0]], high = low;
  for (int i = 1; i < 10; i++) {
    double field = task->recovered[node[i]];
    low = field < low ? field : low;
    high = field > high ? field : high;
  }
  low *= 1 - margin;
  high *= 1 + margin;
  double own = task->threshold[task->medium->region[tet]];
  bool cut = (low <= own && own <= high) || (low <= task->levels[1] && task->levels[0] <= high);
  for (int k = 0; k < task->n_also; k++) cut = cut || (low <= task->also[k] && task->also[k] <= high);
  return cut;
}

/// Give ghosts their owners' marks, which see all tetrahedra around a node.
static IrzCode share_marks(const IrzSides *sides, uint8_t *mark, double *room, IrzError *error) {
  if (sides->part->size == 1) return IRZ_OK;
  int32_t n = sides->n_rows;
  for (int32_t i = 0; i < n; i++) room[i] = mark[i];
  IRZ_TRY(irz_sides_share(sides, 1, room, error));
  for (int32_t i = 0; i < n; i++) mark[i] = room[i] > 0;
  return IRZ_OK;
}

/// Mark nodes, as other threads may do at the same time.
static void set_marks(const int32_t *node, int count, uint8_t *mark) {
  for (int i = 0; i < count; i++) {
#pragma omp atomic write
    mark[node[i]] = 1;
  }
}

/// Whether one of the first `count` nodes is marked.
static inline bool has_marked(const uint8_t *mark, const int32_t *node, int count) {
  int marked = 0;
  for (int i = 0; i < count; i++) marked |= mark[node[i]];
  return marked != 0;
}

/// Mark where values and slopes are wanted. Collective.
static IrzCode find_wanted(const IrzSharpenTask *task, Work *work, IrzError *error) {
  const IrzPart *part = task->medium->part;
#pragma omp parallel for num_threads(irz_threads(task->team->size)) schedule(static)
  for (int32_t t = 0; t < part->n_tets; t++) {
    if (may_be_cut(task, t)) set_marks(rows_of(task, t), 10, work->want_value);
  }
  for (int32_t i = task->sides->n_nodes; i < task->sides->n_rows; i++) { /* sides are mended together */
    uint8_t *one = &work->want_value[i], *other = &work->want_value[irz_row_node(task->sides, i)];
    *one = *other = *one | *other;
  }
  IRZ_TRY(share_marks(task->sides, work->want_value, work->room, error));
#pragma omp parallel for num_threads(irz_threads(task->team->size)) schedule(static)
  for (int32_t t = 0; t < part->n_tets; t++) {
    if (has_marked(work->want_value, rows_of(task, t), 10)) set_marks(rows_of(task, t), 4, work->want_slope);
  }
  return share_marks(task->sides, work->want_slope, work->room, error);
}

/// Whether a member owns a marked one among the first `count` nodes.
static bool owns_marked(const IrzMember *member, const uint8_t *mark, const int32_t *node, const int32_t *row,
                        int count) {
  bool owns = false;
  for (int i = 0; i < count; i++) owns = owns || (mark[row[i]] && irz_member_owns(member, i, node[i]));
  return owns;
}

static IrzCode append(int32_t **list, int32_t *count, int32_t *room, int32_t tet, IrzError *error) {
  if (*count == *room) {
    *room = 2 * *room + 1024;
    IRZ_TRY(irz_resize(list, (size_t)*room, sizeof **list, error));
  }
  (*list)[(*count)++] = tet;
  return IRZ_OK;
}

/// List the tetrahedra that a member visits.
static IrzCode list_visits(const IrzSharpenTask *task, const IrzMember *member, const Work *work, Visits *visits,
                           IrzError *error) {
  for (int32_t k = 0; k < irz_member_count(member); k++) {
    int32_t t = irz_member_tet(member, k);
    const int32_t *node = task->medium->part->tet[t], *row = rows_of(task, t);
    if (!has_marked(work->want_slope, row, 4)) continue; /* then none of its values is wanted, either */
    if (owns_marked(member, work->want_slope, node, row, 4)) {
      IRZ_TRY(append(&visits->slopes, &visits->n_slopes, &visits->slope_room, t, error));
    }
    if (owns_marked(member, work->want_value, node, row, 10)) {
      IRZ_TRY(append(&visits->values, &visits->n_values, &visits->value_room, t, error));
    }
  }
  return IRZ_OK;
}

/// Find out where what is wanted, and make room for it. Collective.
static IrzCode prepare(const IrzSharpenTask *task, Work *work, IrzError *error) {
  const IrzPart *part = task->medium->part;
  const IrzTeam *team = task->team;
  int32_t n = task->sides->n_rows;
  irz_alloc(&work->want_value, (size_t)n, 1, error);
  if (error->code == IRZ_OK) irz_alloc(&work->want_slope, (size_t)n, 1, error);
  if (error->code == IRZ_OK) irz_alloc(&work->place, (size_t)n, sizeof *work->place, error);
  if (error->code == IRZ_OK) irz_alloc(&work->corner, (size_t)n, sizeof *work->corner, error);
  if (error->code == IRZ_OK) irz_alloc(&work->visits, (size_t)team->size, sizeof *work->visits, error);
  if (error->code == IRZ_OK && part->size > 1) irz_alloc(&work->room, 3 * (size_t)n, sizeof *work->room, error);
  IRZ_TRY(irz_error_agree(part->comm, error));
  IRZ_TRY(find_wanted(task, work, error));
  for (int32_t i = 0; i < n; i++) {
    if (work->want_value[i]) work->place[i] = work->n_values++;
    if (work->want_slope[i]) work->corner[i] = work->n_slopes++;
  }
  irz_alloc(&work->value, (size_t)work->n_values, sizeof *work->value, error);
  if (error->code == IRZ_OK) irz_alloc(&work->slope, (size_t)work->n_slopes, sizeof *work->slope, error);
#pragma omp parallel for num_threads(irz_threads(team->size)) schedule(static, 1)
  for (int k = 0; k < team->size; k++) {
    IrzError own = {0};
    if (list_visits(task, &team->member[k], work, &work->visits[k], &own) != IRZ_OK) {
#pragma omp critical
      *error = own;
    }
  }
  return irz_error_agree(part->comm, error);
}

static void work_clear(const IrzTeam *team, Work *work) {
  for (int k = 0; work->visits != NULL && k < team->size; k++) {
    free(work->visits[k].slopes);
    free(work->visits[k].values);
  }
  free(work->want_value);
  free(work->want_slope);
  free(work->place);
  free(work->corner);
  free(work->value);
  free(work->slope);
  free(work->visits);
  free(work->room);
}

/* ---- Means ---- */

/// A tetrahedron at work.
typedef struct {
  int32_t tet;
  _Alignas(64) double value[4][LANES];     ///< E and D at the corners, linear between them; D through its values at the
                                           ///< points of the four-point rule
  _Alignas(32) double slope[4][IRZ_ROW];   ///< of irz_straight_map()
  double det;                              ///< 6 times the volume, m^3
  int32_t curved;                          ///< index among the curved ones, or -1
  _Alignas(32) double bent[4][3][IRZ_ROW]; ///< of irz_bent_corners() if curved
} Visit;

/// Two at a time: laws work on eight points at once.
enum { PAIR = 2 };

/// E at the corners of a tetrahedron.
static void visit_field(const IrzPart *part, const double *potential, int32_t curved, Visit *visit) {
  _Alignas(32) double row[4][IRZ_ROW];
  visit->det = irz_straight_map(part, visit->tet, visit->slope);
  visit->curved = curved;
  if (curved >= 0) {
    irz_bent_corners(part, visit->tet, curved, 2, potential, visit->bent);
    for (int i = 0; i < 4; i++) irz_bent_row(visit->bent[i], row[i]);
  } else {
    irz_straight_corners(part, visit->tet, visit->slope, visit->det, 2, potential, row);
  }
  for (int i = 0; i < 4; i++) {
    double inverse = 1 / row[i][3];
    for (int d = 0; d < 3; d++) visit->value[i][d] = row[i][d] * inverse;
    visit->value[i][CLIMB] = visit->value[i][CLIMB + 1] = 0;
  }
}

/// E at the points of the four-point rule. Point q lies near corner q, 1/sqrt(5) of the way from the centre.
static void point_fields(const Visit *visit, double field[4][3], double size[4]) {
  const double near = IRZ_RULE_NEAR, step = IRZ_RULE_FAR - IRZ_RULE_NEAR;
  for (int q = 0; q < 4; q++) {
    for (int d = 0; d < 3; d++) {
      field[q][d] = near * (visit->value[0][d] + visit->value[1][d] + visit->value[2][d] + visit->value[3][d]) +
                    step * visit->value[q][d];
    }
    size[q] = size_of(field[q]);
  }
}

/// D at the corners from its values at the four points.
static void corner_flux(double flux[4][3], Visit *visit) {
  static const double away = 2.23606797749978969641; /* sqrt(5) */
  for (int d = 0; d < 3; d++) {
    double mean = 0.25 * (flux[0][d] + flux[1][d] + flux[2][d] + flux[3][d]);
    for (int i = 0; i < 4; i++) visit->value[i][FLUX + d] = mean + away * (flux[i][d] - mean);
  }
}

/// Turn to the tetrahedra at a place of a list and after it.
/// @param[in,out] curved  of irz_is_bent()
/// @return how many
static int visit_pair(const IrzSharpenTask *task, const double *potential, const int32_t *list, int32_t count,
                      int32_t at, int32_t *curved, Visit visit[PAIR]) {
  const IrzMedium *medium = task->medium;
  int found = count - at < PAIR ? count - at : PAIR;
  double field[PAIR][4][3], size[IRZ_LANES], sigma[IRZ_LANES], unused[IRZ_LANES];
  const IrzLaw *law[IRZ_LANES];
  for (int k = 0; k < PAIR; k++) {
    if (k >= found) { /* lanes without a tetrahedron repeat the first */
      memcpy(size + 4, size, 4 * sizeof *size);
      memcpy(law + 4, law, 4 * sizeof *law);
      continue;
    }
    int32_t t = visit[k].tet = list[at + k];
    visit_field(medium->part, potential, irz_is_bent(medium->part, t, curved) ? *curved : -1, &visit[k]);
    point_fields(&visit[k], field[k], size + 4 * (ptrdiff_t)k);
    for (int q = 0; q < 4; q++) law[4 * k + q] = task->laws[medium->region[t]];
  }
  irz_conductivity(law, 1, size, sigma, unused);
  for (int k = 0; k < found; k++) {
    double flux[4][3], tensor[6];
    for (int q = 0; q < 4; q++) {
      if (law[4 * k]->direction != IRZ_LAW_ISOTROPIC) {
        irz_law_tensor(law[4 * k], field[k][q], NULL, tensor, NULL);
        irz_tensor_apply(tensor, field[k][q], flux[q]);
      } else {
        for (int d = 0; d < 3; d++) flux[q][d] = sigma[4 * k + q] * field[k][q][d];
      }
    }
    corner_flux(flux, &visit[k]);
  }
  return found;
}

/// Add a tetrahedron's slopes to a member's vertices.
static void add_slopes(const IrzMember *member, const int32_t *node, const int32_t *row, const Visit *visit,
                       const Work *work) {
  _Alignas(64) double gradient[3][LANES] = {{0}};
  for (int d = 0; d < 3; d++) {
    for (int i = 0; i < 4; i++) {
      for (int k = 0; k < LANES; k++) gradient[d][k] += visit->slope[i][d] * visit->value[i][k];
    }
  }
  for (int i = 0; i < 4; i++) {
    if (!work->want_slope[row[i]] || !irz_member_owns(member, i, node[i])) continue;
    Slope *sum = &work->slope[work->corner[row[i]]];
    for (int d = 0; d < 3; d++) {
      for (int k = 0; k < LANES; k++) sum->slope[d][k] += gradient[d][k];
    }
    sum->weight += visit->det;
  }
}

/// Mean gradients of E and D at a member's vertices, NaN where no tissue is known.
static void find_slopes(const IrzSharpenTask *task, const IrzMember *member, const Visits *visits,
                        const double *potential, const Work *work) {
  const IrzPart *part = task->medium->part;
  const int16_t *tissue = task->sides->tissue;
  Visit visit[PAIR];
  int32_t curved = 0, run[2];
  for (int kind = 0; kind < IRZ_ROW_RUNS; kind += 2) { /* those of vertices */
    irz_member_rows(member, task->sides, kind, run);
    for (int32_t i = run[0]; i < run[1]; i++) {
      if (work->want_slope[i]) work->slope[work->corner[i]] = (Slope){0};
    }
  }
  for (int32_t at = 0; at < visits->n_slopes; at += PAIR) {
    int found = visit_pair(task, potential, visits->slopes, visits->n_slopes, at, &curved, visit);
    for (int k = 0; k < found; k++) {
      int32_t t = visit[k].tet;
      add_slopes(member, part->tet[t], rows_of(task, t), &visit[k], work);
    }
  }
  for (int kind = 0; kind < IRZ_ROW_RUNS; kind += 2) {
    irz_member_rows(member, task->sides, kind, run);
    for (int32_t i = run[0]; i < run[1]; i++) {
      if (!work->want_slope[i]) continue;
      Slope *mean = &work->slope[work->corner[i]];
      double scale = tissue != NULL && tissue[i] == IRZ_NO_TISSUE ? NAN : 1 / mean->weight;
      for (int d = 0; d < 3; d++) {
        for (int k = 0; k < LANES; k++) mean->slope[d][k] *= scale;
      }
    }
  }
}

/// Bring ghosts' slopes up to date.
static IrzCode share_slopes(const IrzSides *sides, const Work *work, IrzError *error) {
  for (int k = 0; k < CLIMB && sides->part->size > 1; k++) {
    for (int32_t i = 0; i < sides->n_rows; i++) {
      for (int d = 0; d < 3 && work->want_slope[i]; d++) {
        work->room[3 * (size_t)i + (size_t)d] = work->slope[work->corner[i]].slope[d][k];
      }
    }
    IRZ_TRY(irz_sides_share(sides, 3, work->room, error));
    for (int32_t i = 0; i < sides->n_rows; i++) {
      for (int d = 0; d < 3 && work->want_slope[i]; d++) {
        work->slope[work->corner[i]].slope[d][k] = work->room[3 * (size_t)i + (size_t)d];
      }
    }
  }
  return IRZ_OK;
}

/// Derivatives of map and potential in the middle of an edge of a curved tetrahedron: they are linear in it.
static void middle_of(const Visit *visit, int e, double middle[3][IRZ_ROW]) {
  const int *end = irz_edge_vertices[e];
  for (int k = 0; k < 3; k++) {
    for (int d = 0; d < IRZ_ROW; d++) middle[k][d] = 0.5 * (visit->bent[end[0]][k][d] + visit->bent[end[1]][k][d]);
  }
}

/// E at the ten nodes of a curved tetrahedron. What is linear there, and close to the projection of the truth, are the
/// derivatives by barycentric coordinates: these get what bend() adds to E elsewhere.
/// @param[in]     excess  as in bend(), of E
/// @param[in,out] value   in: E at the corners
static void bend_curved(const Visit *visit, double excess[6][LANES], double value[10][LANES]) {
  _Alignas(32) double corner[4][3][IRZ_ROW], node[3][IRZ_ROW], row[IRZ_ROW];
  double off[6][3], all[3] = {0, 0, 0};
  memcpy(corner, visit->bent, sizeof corner);
  for (int e = 0; e < 6; e++) {
    int a = irz_edge_vertices[e][0], b = irz_edge_vertices[e][1];
    middle_of(visit, e, node);
    for (int k = 0; k < 3; k++) {
      off[e][k] = node[k][3];
      for (int d = 0; d < 3; d++) off[e][k] -= node[k][d] * (0.5 * (value[a][d] + value[b][d]) - excess[e][d]);
      corner[a][k][3] += 10.0 / 15 * off[e][k];
      corner[b][k][3] += 10.0 / 15 * off[e][k];
      all[k] += off[e][k];
    }
  }
  for (int i = 0; i < 4; i++) {
    for (int k = 0; k < 3; k++) corner[i][k][3] -= 2.0 / 15 * all[k];
    irz_bent_row(corner[i], row);
    for (int d = 0; d < 3; d++) value[i][d] = row[d] / row[3];
  }
  for (int e = 0; e < 6; e++) {
    int a = irz_edge_vertices[e][0], b = irz_edge_vertices[e][1];
    middle_of(visit, e, node);
    for (int k = 0; k < 3; k++) node[k][3] = 0.5 * (corner[a][k][3] + corner[b][k][3]) - off[e][k];
    irz_bent_row(node, row);
    for (int d = 0; d < 3; d++) value[4 + e][d] = row[d] / row[3];
  }
}

/// Values at the ten nodes of a tetrahedron, bent. Between its corners a quadratic sum of -4 q_ij l_i l_j lies under
/// its own linear interpolant, by q_ij in the middle of edge ij: an eighth of the change of slope along it. What is
/// linear in a tetrahedron is close to the projection of the truth: that of l_i l_j is 2/15 at corners i and j and
/// -1/30 at the others. So 4 q_ij times these is added at the corners. Beside a vertex without a tissue nothing is
/// bent.
static void bend(const IrzSharpenTask *task, const Work *work, const Visit *visit, double value[10][LANES]) {
  const IrzPart *part = task->medium->part;
  const int32_t *node = part->tet[visit->tet], *row = rows_of(task, visit->tet);
  const Slope *slope[4];
  _Alignas(64) double excess[6][LANES], all[LANES] = {0};
  bool plain = false;
  for (int i = 0; i < 4; i++) {
    slope[i] = &work->slope[work->corner[row[i]]];
    plain = plain || isnan(slope[i]->slope[0][0]);
  }
  memset(excess, 0, sizeof excess);
  memcpy(value, visit->value, sizeof visit->value);
  for (int e = 0; e < 6 && !plain; e++) {
    int a = irz_edge_vertices[e][0], b = irz_edge_vertices[e][1];
    for (int d = 0; d < 3; d++) {
      double along = 0.125 * (part->xyz[3 * (size_t)node[b] + (size_t)d] - part->xyz[3 * (size_t)node[a] + (size_t)d]);
      for (int k = 0; k < LANES; k++) excess[e][k] += (slope[b]->slope[d][k] - slope[a]->slope[d][k]) * along;
      if (visit->curved < 0) continue;
      double bow = part->curved_xyz[visit->curved][e][d] -
                   0.5 * (part->xyz[3 * (size_t)node[a] + (size_t)d] + part->xyz[3 * (size_t)node[b] + (size_t)d]);
      for (int k = 0; k < LANES; k++) excess[e][k] -= 0.5 * (slope[a]->slope[d][k] + slope[b]->slope[d][k]) * bow;
    }
    for (int k = 0; k < LANES; k++) {
      all[k] += excess[e][k];
      value[a][k] += 10.0 / 15 * excess[e][k];
      value[b][k] += 10.0 / 15 * excess[e][k];
    }
  }
  for (int i = 0; i < 4; i++) {
    for (int k = 0; k < LANES; k++) value[i][k] -= 2.0 / 15 * all[k];
  }
  for (int e = 0; e < 6; e++) {
    const double *a = value[irz_edge_vertices[e][0]], *b = value[irz_edge_vertices[e][1]];
    for (int k = 0; k < LANES; k++) value[4 + e][k] = 0.5 * (a[k] + b[k]) - excess[e][k];
  }
  if (visit->curved < 0 || plain) return;
  for (int i = 0; i < 4; i++) memcpy(value[i], visit->value[i], FLUX * sizeof value[i][0]);
  bend_curved(visit, excess, value);
}

/// Add a tetrahedron's values to a member's nodes.
static void add_values(const IrzSharpenTask *task, const IrzMember *member, const Visit *visit, const Work *work) {
  const int32_t *node = task->medium->part->tet[visit->tet], *row = rows_of(task, visit->tet);
  _Alignas(64) double value[10][LANES];
  double climb[3] = {0, 0, 0}; /* constant in the tetrahedron; times det */
  for (int i = 0; i < 4; i++) {
    double strength = size_of(visit->value[i]);
    for (int d = 0; d < 3; d++) climb[d] += strength * visit->slope[i][d];
  }
  bend(task, work, visit, value);
  for (int i = 0; i < 10; i++) {
    if (!work->want_value[row[i]] || !irz_member_owns(member, i, node[i])) continue;
    Value *sum = &work->value[work->place[row[i]]];
    for (int k = 0; k < LANES; k++) sum->value[k] += visit->det * value[i][k];
    sum->value[CLIMB] += climb[0];
    sum->value[CLIMB + 1] += climb[1];
    sum->climb += climb[2];
    sum->weight += visit->det;
  }
}

/// Mean E, D and gradient of |E| at a member's nodes.
static void find_values(const IrzSharpenTask *task, const IrzMember *member, const Visits *visits,
                        const double *potential, const Work *work) {
  Visit visit[PAIR];
  int32_t curved = 0;
  for (int kind = 0; kind < IRZ_ROW_RUNS; kind++) {
    int32_t run[2];
    irz_member_rows(member, task->sides, kind, run);
    for (int32_t i = run[0]; i < run[1]; i++) {
      if (work->want_value[i]) work->value[work->place[i]] = (Value){0};
    }
  }
  for (int32_t at = 0; at < visits->n_values; at += PAIR) {
    int found = visit_pair(task, potential, visits->values, visits->n_values, at, &curved, visit);
    for (int k = 0; k < found; k++) add_values(task, member, &visit[k], work);
  }
}

/* ---- From means to the field ---- */

/// Nodes whose normal part is looked for together: laws work on several points at once.
typedef struct {
  int count;
  int32_t node[IRZ_LANES];
  const IrzLaw *law[IRZ_LANES];
  double flux[IRZ_LANES];   ///< normal part of D, A/m^2
  double across[IRZ_LANES]; ///< size of the tangential part of E, V/m
  double start[IRZ_LANES];  ///< normal part of the mean E, V/m
} Together;

/// irz_normal_part() of several nodes with laws that need no direction.
static void normal_parts(const Together *t, double part[IRZ_LANES]) {
  double low[IRZ_LANES], high[IRZ_LANES], enough[IRZ_LANES], size[IRZ_LANES], sigma[IRZ_LANES], steep[IRZ_LANES];
  int done[IRZ_LANES], left = IRZ_LANES;
  for (int l = 0; l < IRZ_LANES; l++) {
    low[l] = -INFINITY;
    high[l] = INFINITY;
    part[l] = t->start[l];
    enough[l] = 1e-6 * sqrt(part[l] * part[l] + t->across[l] * t->across[l]);
    done[l] = 0;
  }
  for (int step = 0; step < IRZ_MOST_STEPS && left > 0; step++) {
    left = 0;
#pragma omp simd
    for (int l = 0; l < IRZ_LANES; l++) size[l] = sqrt(part[l] * part[l] + t->across[l] * t->across[l]);
    irz_conductivity(t->law, 1, size, sigma, steep);
#pragma omp simd reduction(+ : left)
    for (int l = 0; l < IRZ_LANES; l++) {
      double excess = sigma[l] * part[l] - t->flux[l];
      double tangent = sigma[l] + (size[l] > 0 ? steep[l] / size[l] * part[l] * part[l] : 0);
      high[l] = excess > 0 ? part[l] : high[l];
      low[l] = excess > 0 ? low[l] : part[l];
      double next = part[l] - excess / tangent, middle = 0.5 * (low[l] + high[l]);
      next = next >= low[l] && next <= high[l] ? next : fabs(middle) < INFINITY ? middle : part[l];
      int ends = fabs(next - part[l]) <= enough[l];
      part[l] = done[l] ? part[l] : next;
      done[l] |= ends;
      left += !done[l];
    }
  }
}

/// Raise the field at a node.
static void raise_node(int32_t node, double sharp, double share, double *field, double *along) {
  if (sharp <= field[node]) return;
  field[node] = sharp;
  along[node] = share;
}

/// Raise the field at the nodes that wait.
static void raise_together(Together *t, double *field, double *along) {
  double part[IRZ_LANES];
  if (t->count == 0) return;
  for (int l = t->count; l < IRZ_LANES; l++) {
    t->law[l] = t->law[0];
    t->flux[l] = t->flux[0];
    t->across[l] = t->across[0];
    t->start[l] = t->start[0];
  }
  normal_parts(t, part);
  for (int l = 0; l < t->count; l++) {
    double square = part[l] * part[l] + t->across[l] * t->across[l];
    raise_node(t->node[l], sqrt(square), square > 0 ? part[l] * part[l] / square : 0, field, along);
  }
  t->count = 0;
}

/// Raise the field at a node to that of one pulse, from the means there.
/// @param[in] law  NULL: no tissue is known
static void raise_from(const IrzLaw *law, int32_t node, const Value *sum, Together *t, double *field, double *along) {
  const double *mean = sum->value, climb[3] = {mean[CLIMB], mean[CLIMB + 1], sum->climb};
  double strength = size_of(mean), steep = size_of(climb), normal[3], across[3];
  if (law == NULL || strength <= 0 || steep <= 0) {
    raise_node(node, strength / sum->weight, law == NULL ? IRZ_NOT_SMOOTH : 0, field, along);
    return;
  }
  double inverse = 1 / sum->weight;
  for (int d = 0; d < 3; d++) normal[d] = climb[d] / steep;
  double start = inverse * irz_dot(mean, normal), flux = inverse * irz_dot(mean + FLUX, normal);
  for (int d = 0; d < 3; d++) across[d] = inverse * mean[d] - start * normal[d];
  if (law->direction == IRZ_LAW_ISOTROPIC) {
    t->node[t->count] = node;
    t->law[t->count] = law;
    t->flux[t->count] = flux;
    t->across[t->count] = size_of(across);
    t->start[t->count] = start;
    if (++t->count == IRZ_LANES) raise_together(t, field, along);
    return;
  }
  double part = irz_normal_part(law, normal, across, flux, start), sharp = hypot(part, size_of(across));
  raise_node(node, sharp, sharp > 0 ? part * part / (sharp * sharp) : 0, field, along);
}

/// Make both sides of a member's joints agree.
static void mend_means(const IrzSharpenTask *task, const IrzMember *member, const Work *work) {
  const IrzSides *sides = task->sides;
  for (int kind = 2; kind < IRZ_ROW_RUNS; kind++) {
    int32_t run[2];
    irz_member_rows(member, sides, kind, run);
    for (int32_t i = run[0]; i < run[1]; i++) {
      const IrzJoint *joint = irz_row_joint(sides, i);
      if (joint == NULL || !work->want_value[i]) continue;
      const int32_t row[2] = {irz_row_node(sides, i), i};
      const IrzLaw *law[2];
      double field[2][3], flux[2][3], sigma[6];
      for (int k = 0; k < 2; k++) {
        const Value *sum = &work->value[work->place[row[k]]];
        law[k] = task->laws[sides->tissue[row[k]]];
        for (int d = 0; d < 3; d++) field[k][d] = sum->value[d] / sum->weight;
        for (int d = 0; d < 3; d++) flux[k][d] = sum->value[FLUX + d] / sum->weight;
      }
      irz_mend(joint, law, flux, field);
      for (int k = 0; k < 2; k++) {
        Value *sum = &work->value[work->place[row[k]]];
        irz_law_tensor(law[k], field[k], NULL, sigma, NULL);
        irz_tensor_apply(sigma, field[k], flux[k]);
        for (int d = 0; d < 3; d++) sum->value[d] = field[k][d] * sum->weight;
        for (int d = 0; d < 3; d++) sum->value[FLUX + d] = flux[k][d] * sum->weight;
      }
    }
  }
}

/// Raise the field at a member's nodes to that of one pulse.
static void raise_field(const IrzSharpenTask *task, const IrzMember *member, const Work *work, double *field,
                        double *along) {
  const int16_t *tissue = task->sides->tissue;
  Together together = {0};
  for (int kind = 0; kind < IRZ_ROW_RUNS; kind++) {
    int32_t run[2];
    irz_member_rows(member, task->sides, kind, run);
    for (int32_t i = run[0]; i < run[1]; i++) {
      if (!work->want_value[i]) continue;
      int region = tissue != NULL ? tissue[i] : 0;
      raise_from(region >= 0 ? task->laws[region] : NULL, i, &work->value[work->place[i]], &together, field, along);
    }
  }
  raise_together(&together, field, along);
}

/// Keep the field close to its means where several tissues are.
static void limit(const IrzSharpenTask *task, const Work *work, double *field) {
  if (task->sides->split == NULL) return; /* the same on all ranks */
#pragma omp parallel for num_threads(irz_threads(task->team->size)) schedule(static)
  for (int32_t i = 0; i < task->sides->n_rows; i++) {
    if (!work->want_value[i]) continue;
    field[i] = fmin(fmax(field[i], task->recovered[i] / most_sharper), task->recovered[i] * most_sharper);
  }
}

IrzCode irz_sharpen(const IrzSharpenTask *task, double *field, double *along, IrzError *error) {
  const IrzTeam *team = task->team;
  int32_t n = task->sides->n_rows;
  Work work = {0};
  IrzCode code = prepare(task, &work, error);
  if (code == IRZ_OK) {
#pragma omp parallel for num_threads(irz_threads(team->size)) schedule(static)
    for (int32_t i = 0; i < n; i++) {
      field[i] = work.want_value[i] ? 0 : task->recovered[i];
      along[i] = 0;
    }
  }
  for (int p = 0; code == IRZ_OK && p < task->n_pulses; p++) {
#pragma omp parallel for num_threads(irz_threads(team->size)) schedule(static, 1)
    for (int k = 0; k < team->size; k++) {
      find_slopes(task, &team->member[k], &work.visits[k], task->potential[p], &work);
    }
    /* Owned nodes have all their tetrahedra here; ghosts take their owners' values. */
    code = share_slopes(task->sides, &work, error);
    /* One after another: the two rows of a joint may be those of two members. */
#pragma omp parallel for num_threads(irz_threads(team->size)) schedule(static, 1)
    for (int k = 0; k < team->size; k++) {
      find_values(task, &team->member[k], &work.visits[k], task->potential[p], &work);
    }
#pragma omp parallel for num_threads(irz_threads(team->size)) schedule(static, 1)
    for (int k = 0; k < team->size; k++) mend_means(task, &team->member[k], &work);
#pragma omp parallel for num_threads(irz_threads(team->size)) schedule(static, 1)
    for (int k = 0; k < team->size; k++) raise_field(task, &team->member[k], &work, field, along);
  }
  if (code == IRZ_OK) limit(task, &work, field);
  if (code == IRZ_OK) code = irz_sides_share(task->sides, 1, field, error);
  if (code == IRZ_OK) code = irz_sides_share(task->sides, 1, along, error);
  work_clear(team, &work);
  return code;
}

double irz_kinkless(const IrzLaw *law, double along, double field) {
  return along > 0 ? field * pow(irz_law_sigma(law, field, NULL), along) : field;
}

/* A secant that stays in a bracket (regula falsi, Illinois), as laws may have kinks. */
double irz_kinkless_field(const IrzLaw *law, double along, double wanted, double low, double high) {
  if (along <= 0 || wanted <= 0) return fmax(wanted, 0);
  double below = irz_kinkless(law, along, low) - wanted, above = irz_kinkless(law, along, high) - wanted;
  for (int k = 0; k < 60 && below > 0; k++) below = irz_kinkless(law, along, low *= 0.8) - wanted;
  for (int k = 0; k < 60 && above < 0; k++) above = irz_kinkless(law, along, high *= 1.25) - wanted;
  int last = 0;
  for (int k = 0; k < 60 && high - low > 1e-8 * high && below < 0 && above > 0; k++) {
    double field = low - below * (high - low) / (above - below), excess = irz_kinkless(law, along, field) - wanted;
    if (fabs(excess) <= 1e-9 * wanted) return field;
    if (excess < 0) {
      low = field;
      below = excess;
      if (last < 0) above *= 0.5;
      last = -1;
    } else {
      high = field;
      above = excess;
      if (last > 0) below *= 0.5;
      last = 1;
    }
  }
  return below >= 0 ? low : above <= 0 ? high : 0.5 * (low + high);
}

bool irz_kinkless_make(const IrzLaw *law, const int32_t *node, const double *field, const double *along,
                       IrzKinkless *kinkless) {
  bool smooth = along != NULL;
  for (int i = 0; i < 10 && smooth; i++) smooth = along[node[i]] >= 0;
  *kinkless = (IrzKinkless){.law = law};
  for (int i = 0; i < 10 && smooth; i++) kinkless->along += 0.1 * along[node[i]];
  for (int i = 0; i < 10; i++) kinkless->value[i] = irz_kinkless(law, kinkless->along, field[node[i]]);
  return smooth;
}

double irz_damping(const IrzLaw *law, double along, double field, double step) {
  return step / (irz_kinkless(law, along, field * (1 + step)) / irz_kinkless(law, along, field) - 1);
}
