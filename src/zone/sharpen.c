/* Means of field and current density; see sharpen.h. */
#include "zone/sharpen.h"
#include "base/memory.h"
#include "base/tensor.h"
#include "field/element.h"
#include "field/kernel.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// A node's region before its first tetrahedron and between regions; otherwise the region's index.
enum { REGION_NONE = -1, REGION_MIXED = -2 };

/// Means over the tetrahedra around each node, with their volumes as weights.
typedef struct {
  double (*slope)[6][3]; ///< [n_vertices] gradients of the components of E and D
  double (*sum)[9];      ///< [nodes] E, D, and the gradient of |E|
  double *weight;        ///< [nodes]
  int16_t *region;       ///< [nodes]
} Means;

/// Where means are wanted: most of a mesh is far from every threshold.
typedef struct {
  uint8_t *value; ///< [nodes] values, in tetrahedra that a threshold may cut
  uint8_t *slope; ///< [n_vertices] slopes, in tetrahedra with such a node
} Wanted;

/// How far, relative, the other field's bounds may be outside those of the recovered one.
static const double margin = 0.2;

static double size_of(const double v[3]) {
  return sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
}

static double dot(const double a[3], const double b[3]) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/// Gradients of the four barycentric coordinates of the straight tetrahedron, 1/m.
/// @return 6 times the volume
static double linear_slopes(double x[10][3], double slope[4][3]) {
  double unused[10][3] = {{0}};
  double det = irz_inverse_map(x, false, unused, &slope[1]);
  for (int d = 0; d < 3; d++) slope[0][d] = -(slope[1][d] + slope[2][d] + slope[3][d]);
  return det;
}

/// E, D and the gradient of |E| at the corners of a tetrahedron, all linear between them: E as it is, D through its
/// values at the points of the four-point rule, the gradient of |E| constant.
/// @param[in] slope  of linear_slopes()
static void corner_values(double x[10][3], double slope[4][3], bool bent, const IrzLaw *law, const double *u,
                          double value[4][9]) {
  double corner[4][3], climb[3] = {0, 0, 0}, mean[3] = {0, 0, 0}, flux[4][3];
  if (bent) {
    for (int i = 0; i < 4; i++) {
      double l[4] = {0, 0, 0, 0};
      l[i] = 1;
      irz_gradient(x, true, 10, u, l, corner[i]);
    }
  } else {
    irz_corner_gradients(x, u, corner);
  }
  for (int i = 0; i < 4; i++) {
    double strength = size_of(corner[i]);
    for (int d = 0; d < 3; d++) climb[d] += strength * slope[i][d];
  }
  for (int q = 0; q < 4; q++) {
    double field[3] = {0, 0, 0};
    for (int i = 0; i < 4; i++) {
      for (int d = 0; d < 3; d++) field[d] += irz_rule_fast.point[q][i] * corner[i][d];
    }
    double sigma[6];
    irz_law_tensor(law, field, NULL, sigma, NULL);
    irz_tensor_apply(sigma, field, flux[q]);
    for (int d = 0; d < 3; d++) mean[d] += 0.25 * flux[q][d];
  }
  /* Point q of the rule lies near corner q, 1/sqrt(5) of the way from the centre. */
  for (int i = 0; i < 4; i++) {
    for (int d = 0; d < 3; d++) {
      value[i][d] = corner[i][d];
      value[i][3 + d] = mean[d] + sqrt(5) * (flux[i][d] - mean[d]);
      value[i][6 + d] = climb[d];
    }
  }
}

/// Whether a threshold may cut a tetrahedron.
static bool may_be_cut(const IrzSharpenTask *task, int32_t tet) {
  if (task->everywhere) return true;
  const int32_t *node = task->medium->part->tet[tet];
  double low = INFINITY, high = 0;
  for (int i = 0; i < 10; i++) {
    low = fmin(low, (1 - margin) * task->recovered[node[i]]);
    high = fmax(high, (1 + margin) * task->recovered[node[i]]);
  }
  double own = task->threshold[task->medium->region[tet]];
  bool cut = low <= own && own <= high;
  for (int k = 0; k < task->n_also; k++) cut = cut || (low <= task->also[k] && task->also[k] <= high);
  return cut;
}

/// Whether a tetrahedron has one of the first `count` of its nodes marked.
static bool has_marked(const IrzPart *part, int32_t tet, const uint8_t *mark, int count) {
  bool marked = false;
  for (int i = 0; i < count; i++) marked = marked || mark[part->tet[tet][i]];
  return marked;
}

/// Give ghosts their owners' marks, which see all tetrahedra around a node.
/// @param[in]     count  nodes that have marks
/// @param[out]    room   [nodes] scratch
static IrzCode share_marks(const IrzPart *part, int32_t count, uint8_t *mark, double *room, IrzError *error) {
  if (part->size == 1) return IRZ_OK;
  for (int32_t i = 0; i < part->n_vertices + part->n_edges; i++) room[i] = i < count ? mark[i] : 0;
  IRZ_TRY(irz_part_share(part, 1, room, error));
  for (int32_t i = 0; i < count; i++) mark[i] = room[i] > 0;
  return IRZ_OK;
}

/// Mark where values and slopes are wanted. Collective.
/// @param[out] room  [nodes] scratch
static IrzCode find_wanted(const IrzSharpenTask *task, Wanted *wanted, double *room, IrzError *error) {
  const IrzPart *part = task->medium->part;
  for (int32_t t = 0; t < part->n_tets; t++) {
    if (!may_be_cut(task, t)) continue;
    for (int i = 0; i < 10; i++) wanted->value[part->tet[t][i]] = 1;
  }
  IRZ_TRY(share_marks(part, part->n_vertices + part->n_edges, wanted->value, room, error));
  for (int32_t t = 0; t < part->n_tets; t++) {
    if (!has_marked(part, t, wanted->value, 10)) continue;
    for (int i = 0; i < 4; i++) wanted->slope[part->tet[t][i]] = 1;
  }
  return share_marks(part, part->n_vertices, wanted->slope, room, error);
}

/// Go through the tetrahedra of a part.
typedef struct {
  int32_t tet, curved;
  int region; ///< or REGION_MIXED
  double x[10][3];
  double slope[4][3]; ///< of linear_slopes()
  double value[4][9]; ///< of corner_values()
  double det;         ///< 6 times the volume
} Visit;

/// The first region of the same tissue: between two of these nothing happens to the fields.
static int first_alike(const IrzLaw *const *laws, int region) {
  int first = 0;
  while (laws[first] != laws[region]) first++;
  return first;
}

/// Take the next tetrahedron that has one of the first `count` of its nodes marked; false after the last.
static bool visit_next(const IrzSharpenTask *task, const double *potential, const uint8_t *mark, int count,
                       Visit *visit) {
  const IrzMedium *medium = task->medium;
  const IrzLaw *const *laws = task->laws;
  const IrzPart *part = medium->part;
  double u[10];
  int32_t t = visit->tet + 1;
  while (t < part->n_tets && !has_marked(part, t, mark, count)) t++;
  visit->tet = t;
  if (t >= part->n_tets) return false;
  while (visit->curved < part->n_curved && part->curved_tet[visit->curved] < t) visit->curved++;
  bool bent = visit->curved < part->n_curved && part->curved_tet[visit->curved] == t;
  int32_t general = medium->general[t] - 1;
  irz_part_nodes(part, t, bent ? visit->curved : -1, visit->x);
  for (int i = 0; i < 10; i++) u[i] = potential[part->tet[t][i]];
  visit->det = linear_slopes(visit->x, visit->slope);
  corner_values(visit->x, visit->slope, bent, laws[medium->region[t]], u, visit->value);
  visit->region = general >= 0 && medium->mixed[general] ? REGION_MIXED : first_alike(laws, medium->region[t]);
  return true;
}

/// Note the region of a node's tetrahedron.
static void note_region(Means *means, int32_t node, int region) {
  if (means->region[node] == REGION_NONE)
    means->region[node] = (int16_t)region;
  else if (means->region[node] != region)
    means->region[node] = REGION_MIXED;
}

/// Regions of the nodes; mean gradients of E and D at the vertices, NaN between regions.
static void find_slopes(const IrzSharpenTask *task, const Wanted *wanted, const double *potential, Means *means) {
  const IrzPart *part = task->medium->part;
  Visit visit = {.tet = -1};
  for (int32_t v = 0; v < part->n_vertices; v++) {
    if (!wanted->slope[v]) continue;
    memset(means->slope[v], 0, sizeof means->slope[v]);
    means->weight[v] = 0;
  }
  for (int32_t i = 0; i < part->n_vertices + part->n_edges; i++) means->region[i] = REGION_NONE;
  while (visit_next(task, potential, wanted->slope, 4, &visit)) {
    const int32_t *node = part->tet[visit.tet];
    for (int k = 0; k < 6; k++) {
      double gradient[3] = {0, 0, 0};
      for (int i = 0; i < 4; i++) {
        for (int d = 0; d < 3; d++) gradient[d] += visit.value[i][k] * visit.slope[i][d];
      }
      for (int i = 0; i < 4; i++) {
        for (int d = 0; wanted->slope[node[i]] && d < 3; d++) means->slope[node[i]][k][d] += visit.det * gradient[d];
      }
    }
    for (int i = 0; i < 4; i++) {
      if (wanted->slope[node[i]]) means->weight[node[i]] += visit.det;
    }
    for (int i = 0; i < 10; i++) note_region(means, node[i], visit.region);
  }
  for (int32_t v = 0; v < part->n_vertices; v++) {
    if (!wanted->slope[v]) continue;
    double scale = means->region[v] == REGION_MIXED ? NAN : means->weight[v] > 0 ? 1 / means->weight[v] : 0;
    for (int k = 0; k < 18; k++) means->slope[v][k / 3][k % 3] *= scale;
  }
}

/// Values at the ten nodes of a tetrahedron, bent. Between its corners a quadratic sum of -4 q_ij l_i l_j lies under
/// its own linear interpolant, by q_ij in the middle of edge ij: an eighth of the change of slope along it. What is
/// linear in a tetrahedron is close to the projection of the truth: that of l_i l_j is 2/15 at corners i and j and
/// -1/30 at the others. So 4 q_ij times these is added at the corners.
static void bend(const IrzPart *part, const Means *means, const Visit *visit, double value[10][9]) {
  const int32_t *node = part->tet[visit->tet];
  bool plain = false;
  for (int i = 0; i < 4; i++) plain = plain || isnan(means->slope[node[i]][0][0]);
  memcpy(value, visit->value, sizeof visit->value);
  for (int k = 0; k < 6; k++) {
    double excess[6];
    for (int e = 0; e < 6; e++) {
      int a = irz_edge_vertices[e][0], b = irz_edge_vertices[e][1];
      excess[e] = 0;
      for (int d = 0; d < 3; d++) {
        double change = means->slope[node[b]][k][d] - means->slope[node[a]][k][d];
        if (!plain) excess[e] += 0.125 * change * (visit->x[b][d] - visit->x[a][d]);
      }
      for (int i = 0; i < 4; i++) value[i][k] += (i == a || i == b ? 8.0 / 15 : -2.0 / 15) * excess[e];
    }
    for (int e = 0; e < 6; e++) {
      value[4 + e][k] = 0.5 * (value[irz_edge_vertices[e][0]][k] + value[irz_edge_vertices[e][1]][k]) - excess[e];
    }
  }
  for (int i = 4; i < 10; i++) memcpy(value[i] + 6, value[0] + 6, 3 * sizeof(double));
}

/// Mean E, D and gradient of |E| at the nodes.
static void find_values(const IrzSharpenTask *task, const Wanted *wanted, const double *potential, Means *means) {
  const IrzPart *part = task->medium->part;
  size_t n = (size_t)part->n_vertices + (size_t)part->n_edges;
  Visit visit = {.tet = -1};
  for (size_t i = 0; i < n; i++) {
    if (!wanted->value[i]) continue;
    memset(means->sum[i], 0, sizeof means->sum[i]);
    means->weight[i] = 0;
  }
  while (visit_next(task, potential, wanted->value, 10, &visit)) {
    double value[10][9];
    bend(part, means, &visit, value);
    for (int i = 0; i < 10; i++) {
      int32_t node = part->tet[visit.tet][i];
      if (!wanted->value[node]) continue;
      for (int k = 0; k < 9; k++) means->sum[node][k] += visit.det * value[i][k];
      means->weight[node] += visit.det;
    }
  }
  for (size_t i = 0; i < n; i++) {
    for (int k = 0; k < 9 && wanted->value[i] && means->weight[i] > 0; k++) means->sum[i][k] /= means->weight[i];
  }
}

/// The normal part of E at which that of D is `flux`; it grows with E's, so Newton's method stays in a bracket.
/// @param[in] normal  [3] unit vector
/// @param[in] across  [3] the tangential part of E, V/m
/// @param[in] start   first guess, V/m
static double normal_part(const IrzLaw *law, const double normal[3], const double across[3], double flux,
                          double start) {
  double low = -INFINITY, high = INFINITY, part = start, size = hypot(start, size_of(across));
  for (int step = 0; step < 40; step++) {
    double field[3], current[3], sigma[6], tangent[6];
    for (int d = 0; d < 3; d++) field[d] = across[d] + part * normal[d];
    irz_law_tensor(law, field, NULL, sigma, tangent);
    irz_tensor_apply(sigma, field, current);
    double excess = dot(current, normal) - flux;
    if (excess > 0)
      high = part;
    else
      low = part;
    double next = part - excess / irz_tensor_square(tangent, normal);
    if (!(next >= low && next <= high)) next = isfinite(low) && isfinite(high) ? 0.5 * (low + high) : part;
    if (fabs(next - part) <= 1e-6 * size) return next;
    part = next;
  }
  return part;
}

/// |E| and w at one node from the means there.
static double sharp_field(const IrzLaw *law, const double mean[9], double *along) {
  const double *field = mean, *flux = mean + 3, *climb = mean + 6;
  double strength = size_of(field), steep = size_of(climb), normal[3], across[3];
  *along = law == NULL ? IRZ_NOT_SMOOTH : 0;
  if (law == NULL || strength <= 0 || steep <= 0) return strength;
  for (int d = 0; d < 3; d++) normal[d] = climb[d] / steep;
  double start = dot(field, normal);
  for (int d = 0; d < 3; d++) across[d] = field[d] - start * normal[d];
  double part = normal_part(law, normal, across, dot(flux, normal), start);
  double sharp = hypot(part, size_of(across));
  if (sharp > 0) *along = part * part / (sharp * sharp);
  return sharp;
}

static IrzCode means_create(const IrzPart *part, Means *means, IrzError *error) {
  size_t n = (size_t)part->n_vertices + (size_t)part->n_edges;
  IRZ_TRY(irz_alloc(&means->slope, (size_t)part->n_vertices, sizeof *means->slope, error));
  IRZ_TRY(irz_alloc(&means->sum, n, sizeof *means->sum, error));
  IRZ_TRY(irz_alloc(&means->weight, n, sizeof *means->weight, error));
  return irz_alloc(&means->region, n, sizeof *means->region, error);
}

static void means_clear(Means *means) {
  free(means->slope);
  free(means->sum);
  free(means->weight);
  free(means->region);
}

/// Bring ghosts' slopes up to date, through `sum`.
static IrzCode share_slopes(const IrzPart *part, Means *means, IrzError *error) {
  double(*values)[3] = (double(*)[3])means->sum;
  for (int k = 0; k < 6 && part->size > 1; k++) {
    for (int32_t v = 0; v < part->n_vertices; v++) memcpy(values[v], means->slope[v][k], sizeof values[v]);
    IRZ_TRY(irz_part_share(part, 3, values[0], error));
    for (int32_t v = 0; v < part->n_vertices; v++) memcpy(means->slope[v][k], values[v], sizeof values[v]);
  }
  return IRZ_OK;
}

/// Raise the field at the nodes to that of one pulse.
static void raise_field(const IrzSharpenTask *task, const Wanted *wanted, const Means *means, double *field,
                        double *along) {
  const IrzPart *part = task->medium->part;
  size_t n = (size_t)part->n_vertices + (size_t)part->n_edges;
  for (size_t i = 0; i < n; i++) {
    double share;
    if (!wanted->value[i] || means->weight[i] <= 0) continue;
    double sharp = sharp_field(means->region[i] >= 0 ? task->laws[means->region[i]] : NULL, means->sum[i], &share);
    if (sharp <= field[i]) continue;
    field[i] = sharp;
    along[i] = share;
  }
}

IrzCode irz_sharpen(const IrzSharpenTask *task, double *field, double *along, IrzError *error) {
  enum { TEAM = 8 };
  const IrzPart *part = task->medium->part;
  size_t n = (size_t)part->n_vertices + (size_t)part->n_edges;
  int n_pulses = task->n_pulses, team = task->n_threads < n_pulses ? task->n_threads : n_pulses;
  Means means[TEAM] = {{0}};
  Wanted wanted = {0};
  if (team > TEAM) team = TEAM;
  for (int k = 0; error->code == IRZ_OK && k < team; k++) means_create(part, &means[k], error);
  if (error->code == IRZ_OK) irz_alloc(&wanted.value, n, sizeof *wanted.value, error);
  if (error->code == IRZ_OK) irz_alloc(&wanted.slope, (size_t)part->n_vertices, sizeof *wanted.slope, error);
  IrzCode code = irz_error_agree(part->comm, error);
  if (code == IRZ_OK) code = find_wanted(task, &wanted, field, error);
  for (size_t i = 0; code == IRZ_OK && i < n; i++) {
    field[i] = wanted.value[i] ? 0 : task->recovered[i];
    along[i] = 0;
  }
  /* Owned nodes have all their tetrahedra here; ghosts take their owners' values. */
  for (int first = 0; code == IRZ_OK && first < n_pulses; first += team) {
    int count = first + team < n_pulses ? team : n_pulses - first;
#pragma omp parallel for num_threads(team)
    for (int k = 0; k < count; k++) find_slopes(task, &wanted, task->potential[first + k], &means[k]);
    for (int k = 0; code == IRZ_OK && k < count; k++) code = share_slopes(part, &means[k], error);
#pragma omp parallel for num_threads(team)
    for (int k = 0; k < count; k++) find_values(task, &wanted, task->potential[first + k], &means[k]);
    for (int k = 0; k < count; k++) raise_field(task, &wanted, &means[k], field, along);
  }
  if (code == IRZ_OK) code = irz_part_share(part, 1, field, error);
  if (code == IRZ_OK) code = irz_part_share(part, 1, along, error);
  for (int k = 0; k < team; k++) means_clear(&means[k]);
  free(wanted.value);
  free(wanted.slope);
  return code;
}

double irz_kinkless(const IrzLaw *law, double along, double field) {
  return along > 0 ? field * pow(irz_law_sigma(law, field, NULL), along) : field;
}
