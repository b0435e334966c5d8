/* Element kernels; see kernel.h.

   The fast kernel takes straight tetrahedra in one region, IRZ_LANES of them side by side in vector registers. It works
   with the gradients g_i of the barycentric coordinates: a basis function's gradient is sum_i C_i(q) g_i, so a point's
   share of the element matrix needs only the six numbers m_ij = w g_i . D g_j, i < j (the g_i sum to zero).
   Where the law of a lane depends on direction the point's tensor is made lane by lane instead; the rest is the same.
   The general kernel does one tetrahedron at a time, curved or not, at its own list of points. */
#include "field/kernel.h"
#include "base/memory.h"
#include "base/tensor.h"
#include "field/conductivity.h"
#include <math.h>
#include <string.h>

#define W IRZ_LANES

/// Results of a batch of tetrahedra, lane by lane.
typedef struct {
  _Alignas(64) double matrix[55][W]; ///< packed, order of the space
  _Alignas(64) double residual[10][W];
  _Alignas(64) double coarse[10][W]; ///< packed, order 1
} Batch;

/* ---- Fast kernel ---- */

/// Geometry of a batch: gradients of the barycentric coordinates and volumes.
typedef struct {
  _Alignas(64) double g[4][3][W]; ///< 1/m
  _Alignas(64) double volume[W];  ///< m^3
} Shape;

static void batch_shape(const IrzPart *part, const int32_t *tets, Shape *s) {
  _Alignas(64) double e[3][3][W];
  for (int l = 0; l < W; l++) {
    const int32_t *v = part->tet[tets[l]];
    const double *origin = part->xyz + 3 * (size_t)v[0];
    for (int i = 0; i < 3; i++) {
      const double *x = part->xyz + 3 * (size_t)v[i + 1];
      for (int d = 0; d < 3; d++) e[i][d][l] = x[d] - origin[d];
    }
  }
#pragma omp simd
  for (int l = 0; l < W; l++) {
    double c[3][3];
    for (int i = 0; i < 3; i++) {
      int j = (i + 1) % 3, k = (i + 2) % 3;
      for (int d = 0; d < 3; d++) {
        int p = (d + 1) % 3, q = (d + 2) % 3;
        c[i][d] = e[j][p][l] * e[k][q][l] - e[j][q][l] * e[k][p][l];
      }
    }
    double det = e[0][0][l] * c[0][0] + e[0][1][l] * c[0][1] + e[0][2][l] * c[0][2], inverse = 1 / det;
    s->volume[l] = det * (1.0 / 6);
    for (int d = 0; d < 3; d++) {
      s->g[1][d][l] = c[0][d] * inverse;
      s->g[2][d][l] = c[1][d] * inverse;
      s->g[3][d][l] = c[2][d] * inverse;
      s->g[0][d][l] = -(c[0][d] + c[1][d] + c[2][d]) * inverse;
    }
  }
}

/// Field, conductivity and flux at one point of a batch.
typedef struct {
  _Alignas(64) double e[3][W];  ///< gradient of the potential, V/m
  _Alignas(64) double sigma[W]; ///< S/m
  _Alignas(64) double steep[W]; ///< sigma' / |E|
} Point;

/// Gradient of the potential from the four coefficients of the g_i.
static inline void batch_gradient(const Shape *s, double c[4][W], double e[3][W]) {
#pragma omp simd
  for (int l = 0; l < W; l++) {
    for (int d = 0; d < 3; d++) {
      e[d][l] = c[0][l] * s->g[0][d][l] + c[1][l] * s->g[1][d][l] + c[2][l] * s->g[2][d][l] + c[3][l] * s->g[3][d][l];
    }
  }
}

/// Current density and tangent at one point of a batch with laws that depend on direction.
typedef struct {
  _Alignas(64) double current[3][W]; ///< A/m^2, of the gradient
  _Alignas(64) double tangent[6][W]; ///< S/m
} Directed;

static void directed_point(const Shape *s, double c[4][W], const IrzLaw *const *law, const int32_t *tets, int q,
                           const IrzAssembly *a, Directed *p) {
  _Alignas(64) double e[3][W];
  batch_gradient(s, c, e);
  for (int l = 0; l < W; l++) {
    const double g[3] = {e[0][l], e[1][l], e[2][l]}, zero[3] = {0, 0, 0};
    const IrzLawMemory memory = irz_points_memory(a->medium, a->floor, tets[l], q);
    double sigma[6], tangent[6], current[3];
    irz_law_tensor(law[l], a->zero_field ? zero : g, &memory, sigma, tangent);
    irz_tensor_apply(sigma, g, current);
    for (int d = 0; d < 3; d++) p->current[d][l] = current[d];
    for (int k = 0; k < 6; k++) p->tangent[k][l] = tangent[k];
  }
}

/// m_ij = weight g_i . T g_j, packed for 4 nodes, and flux_i = weight g_i . J.
static void directed_tensor(const Shape *s, const Directed *p, double weight, bool tangent, double m[10][W],
                            double flux[4][W]) {
#pragma omp simd
  for (int l = 0; l < W; l++) {
    double w = weight * s->volume[l], t[6];
    for (int k = 0; k < 6; k++) t[k] = w * p->tangent[k][l];
    for (int i = 0; i < 4; i++) {
      flux[i][l] =
          w * (s->g[i][0][l] * p->current[0][l] + s->g[i][1][l] * p->current[1][l] + s->g[i][2][l] * p->current[2][l]);
    }
    if (!tangent) continue;
    for (int i = 0, k = 0; i < 4; i++) {
      double x = s->g[i][0][l], y = s->g[i][1][l], z = s->g[i][2][l];
      double tx = t[0] * x + t[3] * y + t[5] * z, ty = t[3] * x + t[1] * y + t[4] * z,
             tz = t[5] * x + t[4] * y + t[2] * z;
      for (int j = i; j < 4; j++, k++) m[k][l] = tx * s->g[j][0][l] + ty * s->g[j][1][l] + tz * s->g[j][2][l];
    }
  }
}

/// From the four coefficients of the g_i to the conductivity, which is `floor` where that is more.
static void batch_point(const Shape *s, double c[4][W], const IrzLaw *const *law, const double *floor, bool zero_field,
                        Point *p) {
  _Alignas(64) double size[W], slope[W];
#pragma omp simd
  for (int l = 0; l < W; l++) {
    double square = 0;
    for (int d = 0; d < 3; d++) {
      double sum = 0;
      for (int i = 0; i < 4; i++) sum += c[i][l] * s->g[i][d][l];
      p->e[d][l] = sum;
      square += sum * sum;
    }
    size[l] = zero_field ? 0.0 : sqrt(square);
  }
  irz_conductivity(law, size, p->sigma, slope);
#pragma omp simd
  for (int l = 0; l < W; l++) p->steep[l] = size[l] > 0 ? slope[l] / size[l] : 0.0;
  if (floor == NULL) return;
#pragma omp simd
  for (int l = 0; l < W; l++) {
    bool below = p->sigma[l] < floor[l];
    p->sigma[l] = below ? floor[l] : p->sigma[l];
    p->steep[l] = below ? 0.0 : p->steep[l];
  }
}

/// m_ij = weight (sigma g_i . g_j + steep (g_i . E)(g_j . E)), packed for 4 nodes, and flux_i = weight sigma g_i . E.
static void batch_tensor(const Shape *s, const Point *p, double weight, bool tangent, double m[10][W],
                         double flux[4][W]) {
#pragma omp simd
  for (int l = 0; l < W; l++) {
    double w = weight * s->volume[l], along[4];
    for (int i = 0; i < 4; i++) {
      along[i] = s->g[i][0][l] * p->e[0][l] + s->g[i][1][l] * p->e[1][l] + s->g[i][2][l] * p->e[2][l];
      flux[i][l] = w * p->sigma[l] * along[i];
    }
    if (!tangent) continue;
    double ws = w * p->sigma[l], wt = w * p->steep[l];
    for (int i = 0, k = 0; i < 4; i++) {
      for (int j = i; j < 4; j++, k++) {
        double dot = s->g[i][0][l] * s->g[j][0][l] + s->g[i][1][l] * s->g[j][1][l] + s->g[i][2][l] * s->g[j][2][l];
        m[k][l] = ws * dot + wt * along[i] * along[j];
      }
    }
  }
}

/// Floors of a batch at its four points.
static void batch_floor(const IrzPoints *points, const int32_t *tets, double floor[4][W]) {
  for (int l = 0; l < W; l++) {
    for (int q = 0; q < 4; q++) floor[q][l] = points->fast[4 * (size_t)tets[l] + (size_t)q];
  }
}

/// Order 1: the field is constant in a tetrahedron, and the floor the mean of its four, which are equal.
/// @param[in] tets  [W] if a law depends on direction, else NULL
static void batch_order1(const Shape *s, double u[10][W], const IrzLaw *const *law, double (*floor)[W],
                         const int32_t *tets, const IrzAssembly *a, Batch *b) {
  _Alignas(64) double c[4][W], flux[4][W], mean[W];
  Point p;
  memcpy(c, u, sizeof c);
  if (tets != NULL) {
    Directed directed;
    directed_point(s, c, law, tets, 0, a, &directed);
    directed_tensor(s, &directed, 1, a->matrix != NULL, b->matrix, flux);
    memcpy(b->residual, flux, sizeof flux);
    return;
  }
  for (int l = 0; floor != NULL && l < W; l++) mean[l] = 0.25 * (floor[0][l] + floor[1][l] + floor[2][l] + floor[3][l]);
  batch_point(s, c, law, floor != NULL ? mean : NULL, a->zero_field, &p);
  batch_tensor(s, &p, 1, a->matrix != NULL, b->matrix, flux);
  memcpy(b->residual, flux, sizeof flux);
}

/// Add one point's share to the element matrices of order 2. `k` is the vertex whose barycentric coordinate is the
/// large one at this point of the four-point rule.
static inline void order2_matrix(const double *restrict lambda, double (*restrict m)[W], double (*restrict out)[W]) {
  static const int pair[4][4] = {{0, 1, 2, 3}, {1, 4, 5, 6}, {2, 5, 7, 8}, {3, 6, 8, 9}};
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    double ci = 4 * lambda[i] - 1;
#pragma GCC unroll 4
    for (int j = i; j < 4; j++) {
      double c = ci * (4 * lambda[j] - 1);
      double *restrict o = out[irz_packed(10, i, j)];
      const double *restrict x = m[pair[i][j]];
#pragma omp simd
      for (int l = 0; l < W; l++) o[l] += c * x[l];
    }
#pragma GCC unroll 6
    for (int e = 0; e < 6; e++) {
      int p = irz_edge_vertices[e][0], q = irz_edge_vertices[e][1];
      double cp = 4 * ci * lambda[q], cq = 4 * ci * lambda[p];
      double *restrict o = out[irz_packed(10, i, 4 + e)];
      const double *restrict xp = m[pair[i][p]], *restrict xq = m[pair[i][q]];
#pragma omp simd
      for (int l = 0; l < W; l++) o[l] += cp * xp[l] + cq * xq[l];
    }
  }
#pragma GCC unroll 6
  for (int e = 0; e < 6; e++) {
    int i = irz_edge_vertices[e][0], j = irz_edge_vertices[e][1];
#pragma GCC unroll 6
    for (int f = e; f < 6; f++) {
      int p = irz_edge_vertices[f][0], q = irz_edge_vertices[f][1];
      double ip = 16 * lambda[j] * lambda[q], iq = 16 * lambda[j] * lambda[p];
      double jp = 16 * lambda[i] * lambda[q], jq = 16 * lambda[i] * lambda[p];
      double *restrict o = out[irz_packed(10, 4 + e, 4 + f)];
      const double *restrict xip = m[pair[i][p]], *restrict xiq = m[pair[i][q]];
      const double *restrict xjp = m[pair[j][p]], *restrict xjq = m[pair[j][q]];
#pragma omp simd
      for (int l = 0; l < W; l++) o[l] += ip * xip[l] + iq * xiq[l] + jp * xjp[l] + jq * xjq[l];
    }
  }
}

/// Order 2 with the four-point rule.
/// @param[in] tets  [W] if a law depends on direction, else NULL
static void batch_order2(const Shape *s, double u[10][W], const IrzLaw *const *law, double (*floor)[W],
                         const int32_t *tets, const IrzAssembly *a, Batch *b) {
  _Alignas(64) double c[4][W], m[10][W], flux[4][W];
  bool tangent = a->matrix != NULL;
  Point p;
  Directed directed;
  memset(b->residual, 0, sizeof b->residual);
  if (tangent) memset(b->matrix, 0, sizeof b->matrix);
  if (tangent) memset(b->coarse, 0, sizeof b->coarse);
  for (int q = 0; q < 4; q++) {
    const double *lambda = irz_rule_fast.point[q];
#pragma omp simd
    for (int l = 0; l < W; l++) {
      for (int i = 0; i < 4; i++) c[i][l] = (4 * lambda[i] - 1) * u[i][l];
      for (int e = 0; e < 6; e++) {
        int i = irz_edge_vertices[e][0], j = irz_edge_vertices[e][1];
        c[i][l] += 4 * lambda[j] * u[4 + e][l];
        c[j][l] += 4 * lambda[i] * u[4 + e][l];
      }
    }
    if (tets != NULL) {
      directed_point(s, c, law, tets, q, a, &directed);
      directed_tensor(s, &directed, irz_rule_fast.weight[q], tangent, m, flux);
    } else {
      batch_point(s, c, law, floor != NULL ? floor[q] : NULL, a->zero_field, &p);
      batch_tensor(s, &p, irz_rule_fast.weight[q], tangent, m, flux);
    }
#pragma omp simd
    for (int l = 0; l < W; l++) {
      for (int i = 0; i < 4; i++) b->residual[i][l] += (4 * lambda[i] - 1) * flux[i][l];
      for (int e = 0; e < 6; e++) {
        int i = irz_edge_vertices[e][0], j = irz_edge_vertices[e][1];
        b->residual[4 + e][l] += 4 * (lambda[j] * flux[i][l] + lambda[i] * flux[j][l]);
      }
    }
    if (!tangent) continue;
    for (int k = 0; k < 10; k++) {
#pragma omp simd
      for (int l = 0; l < W; l++) b->coarse[k][l] += m[k][l];
    }
    order2_matrix(lambda, m, b->matrix);
  }
}

/* ---- General kernel ---- */

enum { PADDED = 12 }; ///< ten nodes in three registers of four

/// Gradients of the ten functions of order 2 with respect to the first three barycentric coordinates 1, 2, 3 (0
/// eliminated).
static void reference_gradients(const double l[4], double d[10][3]) {
  memset(d, 0, 10 * sizeof d[0]);
  for (int i = 0; i < 4; i++) {
    double c = 4 * l[i] - 1;
    for (int k = 0; k < 3; k++) d[i][k] = i == 0 ? -c : i == k + 1 ? c : 0;
  }
  for (int e = 0; e < 6; e++) {
    int i = irz_edge_vertices[e][0], j = irz_edge_vertices[e][1];
    for (int k = 0; k < 3; k++) {
      double di = i == 0 ? -1 : i == k + 1, dj = j == 0 ? -1 : j == k + 1;
      d[4 + e][k] = 4 * (l[i] * dj + l[j] * di);
    }
  }
}

/// Inverse transpose of the map's derivative; returns its determinant.
static double inverse_map(double node[10][3], bool bent, double d[10][3], double inverse[3][3]) {
  double j[3][3] = {{0}};
  if (bent) {
    for (int i = 0; i < 10; i++) {
      for (int k = 0; k < 3; k++) {
        for (int x = 0; x < 3; x++) j[k][x] += d[i][k] * node[i][x];
      }
    }
  } else {
    for (int k = 0; k < 3; k++) {
      for (int x = 0; x < 3; x++) j[k][x] = node[k + 1][x] - node[0][x];
    }
  }
  double det = 0;
  for (int k = 0; k < 3; k++) {
    const double *p = j[(k + 1) % 3], *q = j[(k + 2) % 3];
    for (int x = 0; x < 3; x++) inverse[k][x] = p[(x + 1) % 3] * q[(x + 2) % 3] - p[(x + 2) % 3] * q[(x + 1) % 3];
    if (k == 0) det = j[0][0] * inverse[0][0] + j[0][1] * inverse[0][1] + j[0][2] * inverse[0][2];
  }
  for (int k = 0; k < 3; k++) {
    for (int x = 0; x < 3; x++) inverse[k][x] /= det;
  }
  return det;
}

/// Gradients in space of `nodes` basis functions at a point, given the inverse transpose of the map's derivative. `d`
/// holds the reference gradients of order 2.
static void map_gradients(int nodes, double d[10][3], double inverse[3][3], double g[10][3]) {
  if (nodes == 4) {
    for (int k = 0; k < 3; k++) {
      d[0][k] = -1;
      for (int i = 1; i < 4; i++) d[i][k] = i == k + 1;
    }
  }
  for (int i = 0; i < nodes; i++) {
    for (int x = 0; x < 3; x++) g[i][x] = d[i][0] * inverse[0][x] + d[i][1] * inverse[1][x] + d[i][2] * inverse[2][x];
  }
}

double irz_gradient(double node[10][3], bool bent, int nodes, const double *u, const double l[4], double gradient[3]) {
  double g[10][3], d[10][3], inverse[3][3];
  reference_gradients(l, d);
  double det = inverse_map(node, bent, d, inverse);
  map_gradients(nodes, d, inverse, g);
  for (int x = 0; x < 3; x++) {
    gradient[x] = 0;
    for (int i = 0; i < nodes; i++) gradient[x] += u[i] * g[i][x];
  }
  return det;
}

double irz_corner_gradients(double node[10][3], const double u[10], double corner[4][3]) {
  static const int edge_of[4][4] = {{-1, 4, 5, 6}, {4, -1, 7, 8}, {5, 7, -1, 9}, {6, 8, 9, -1}};
  double unused[10][3] = {{0}}, inverse[3][3];
  double det = inverse_map(node, false, unused, inverse);
  for (int k = 0; k < 4; k++) {
    double c[4];
    for (int i = 0; i < 4; i++) c[i] = i == k ? 3 * u[k] : 4 * u[edge_of[k][i]] - u[i];
    /* The gradient of barycentric coordinate i is row i - 1 of `inverse`, that of coordinate 0 minus their sum. */
    for (int d = 0; d < 3; d++) {
      corner[k][d] = (c[1] - c[0]) * inverse[0][d] + (c[2] - c[0]) * inverse[1][d] + (c[3] - c[0]) * inverse[2][d];
    }
  }
  return det;
}

/// Add one point's share to the full element matrix: padded to whole vector registers, both triangles, because that is
/// faster than the half without gaps.
static inline void add_point(int nodes, double g[10][3], const double along[10], double ws, double wt,
                             double full[10][PADDED]) {
  double gx[PADDED] = {0}, gy[PADDED] = {0}, gz[PADDED] = {0}, t[PADDED] = {0};
  for (int i = 0; i < nodes; i++) {
    gx[i] = g[i][0];
    gy[i] = g[i][1];
    gz[i] = g[i][2];
    t[i] = along[i];
  }
  for (int i = 0; i < nodes; i++) {
    double x = ws * gx[i], y = ws * gy[i], z = ws * gz[i], s = wt * t[i];
#pragma omp simd
    for (int j = 0; j < PADDED; j++) full[i][j] += x * gx[j] + y * gy[j] + z * gz[j] + s * t[j];
  }
}

/// The same with a tensor.
static inline void add_tensor_point(int nodes, double g[10][3], const double tensor[6], double w,
                                    double full[10][PADDED]) {
  double gx[PADDED] = {0}, gy[PADDED] = {0}, gz[PADDED] = {0};
  for (int i = 0; i < nodes; i++) {
    gx[i] = g[i][0];
    gy[i] = g[i][1];
    gz[i] = g[i][2];
  }
  for (int i = 0; i < nodes; i++) {
    double t[3];
    irz_tensor_apply(tensor, g[i], t);
    double x = w * t[0], y = w * t[1], z = w * t[2];
#pragma omp simd
    for (int j = 0; j < PADDED; j++) full[i][j] += x * gx[j] + y * gy[j] + z * gz[j];
  }
}

/// Add a point whose law depends on direction, of weight w; e is the gradient of the potential.
static void add_directed(const IrzAssembly *a, const IrzLaw *law, const IrzLawMemory *memory, double g[10][3],
                         const double e[3], double w, double *residual, double full[10][PADDED]) {
  const double zero[3] = {0, 0, 0};
  double sigma[6], tangent[6], current[3];
  int nodes = a->space->nodes;
  irz_law_tensor(law, a->zero_field ? zero : e, memory, sigma, tangent);
  irz_tensor_apply(sigma, e, current);
  for (int i = 0; i < nodes; i++) {
    residual[i] += w * (g[i][0] * current[0] + g[i][1] * current[1] + g[i][2] * current[2]);
  }
  if (a->matrix != NULL) add_tensor_point(nodes, g, tangent, w, full);
}

/// Residual and packed tangent of one general tetrahedron.
static void general_tet(const IrzAssembly *a, int32_t general, int32_t curved, const double u[10], double *residual,
                        double *matrix) {
  const IrzMedium *medium = a->medium;
  int nodes = a->space->nodes;
  double node[10][3], g[10][3], d[10][3], inverse[3][3], full[10][PADDED], det = 0;
  bool bent = medium->bent[general] != 0;
  const IrzRule *rule = irz_medium_rule(medium, general);
  const uint8_t *region = medium->point_region + medium->first_point[general];
  const double *floor = a->floor != NULL ? a->floor->general + medium->first_point[general] : NULL;
  double factor = a->scale != NULL ? a->scale[medium->tet[general]] : 1;
  irz_part_nodes(medium->part, medium->tet[general], curved, node);
  memset(residual, 0, (size_t)nodes * sizeof *residual);
  memset(full, 0, sizeof full);
  if (!bent) det = inverse_map(node, false, d, inverse); /* the same at all points; does not look at d */
  for (int q = 0; q < rule->count; q++) {
    double e[3] = {0, 0, 0}, along[10], slope;
    reference_gradients(rule->point[q], d);
    if (bent) det = inverse_map(node, true, d, inverse);
    map_gradients(nodes, d, inverse, g);
    for (int i = 0; i < nodes; i++) {
      for (int x = 0; x < 3; x++) e[x] += u[i] * g[i][x];
    }
    const IrzLaw *law = a->laws[region[q]];
    if (law->direction != IRZ_LAW_ISOTROPIC) {
      const IrzLawMemory memory = irz_points_memory(medium, a->floor, medium->tet[general], q);
      add_directed(a, law, &memory, g, e, factor * rule->weight[q] * det / 6, residual, full);
      continue;
    }
    double size = a->zero_field ? 0 : sqrt(e[0] * e[0] + e[1] * e[1] + e[2] * e[2]);
    double sigma = irz_law_sigma(law, size, &slope);
    if (floor != NULL && sigma < floor[q]) {
      sigma = floor[q];
      slope = 0;
    }
    double w = factor * rule->weight[q] * det / 6, ws = w * sigma, wt = size > 0 ? w * slope / size : 0;
    for (int i = 0; i < nodes; i++) {
      along[i] = g[i][0] * e[0] + g[i][1] * e[1] + g[i][2] * e[2];
      residual[i] += ws * along[i];
    }
    if (a->matrix != NULL) add_point(nodes, g, along, ws, wt, full);
  }
  for (int i = 0, k = 0; i < nodes; i++) {
    for (int j = i; j < nodes; j++, k++) matrix[k] = full[i][j];
  }
}

/// Tangent of order 1 from that of order 2: a function of order 1 is its vertex's function plus half of those of the
/// edges at it.
static void restrict_matrix(const double matrix[55], double coarse[10]) {
  double half[10][4];
  for (int j = 0; j < 10; j++) {
    for (int v = 0; v < 4; v++) half[j][v] = matrix[irz_packed(10, j, v)];
    for (int e = 0; e < 6; e++) {
      double x = 0.5 * matrix[irz_packed(10, j, 4 + e)];
      half[j][irz_edge_vertices[e][0]] += x;
      half[j][irz_edge_vertices[e][1]] += x;
    }
  }
  for (int i = 0, k = 0; i < 4; i++) {
    for (int j = i; j < 4; j++, k++) {
      coarse[k] = half[i][j];
      for (int e = 0; e < 6; e++) {
        if (irz_edge_vertices[e][0] == i || irz_edge_vertices[e][1] == i) coarse[k] += 0.5 * half[4 + e][j];
      }
    }
  }
}

/* ---- All tetrahedra of one thread ---- */

/// Rows [first, last) and what to add to them.
typedef struct {
  const IrzAssembly *a;
  int32_t first, last, coarse_first, coarse_last;
} Rows;

/// Add one tetrahedron's results, found `stride` apart.
static void scatter(const Rows *rows, int32_t tet, const int32_t *dof, const double *matrix, const double *residual,
                    const double *coarse, int stride) {
  const IrzAssembly *a = rows->a;
  uint8_t skip[10];
  int nodes = a->space->nodes;
  if (a->residual != NULL) {
    for (int i = 0; i < nodes; i++) {
      if (dof[i] >= rows->first && dof[i] < rows->last) a->residual[dof[i]] += residual[i * stride];
    }
  }
  if (a->matrix != NULL) {
    for (int i = 0; i < nodes; i++) skip[i] = a->fixed[dof[i]];
    irz_matrix_add(a->matrix, tet, dof, skip, matrix, stride, rows->first, rows->last);
  }
  if (a->coarse != NULL) {
    const IrzSpace *space = a->coarse->space;
    int32_t row[4];
    for (int i = 0; i < 4; i++) row[i] = space->dof[space->part->tet[tet][i]];
    for (int i = 0; i < 4; i++) skip[i] = a->coarse_fixed[row[i]];
    irz_matrix_add(a->coarse, tet, row, skip, coarse, stride, rows->coarse_first, rows->coarse_last);
  }
}

static void assemble_fast(const Rows *rows, const int32_t *list, int32_t count) {
  const IrzAssembly *a = rows->a;
  const IrzSpace *space = a->space;
  const IrzPart *part = space->part;
  Batch batch;
  Shape shape;
  _Alignas(64) double u[10][W], points[4][W], (*floor)[W] = a->floor != NULL ? points : NULL;
  int32_t tets[W], dof[W][10];
  const IrzLaw *law[W];
  for (int32_t start = 0; start < count; start += W) {
    int lanes = count - start < W ? count - start : W;
    bool directed = false;
    for (int l = 0; l < W; l++) {
      tets[l] = list[start + (l < lanes ? l : lanes - 1)]; /* spare lanes repeat the last tetrahedron and are dropped */
      law[l] = a->laws[a->medium->region[tets[l]]];
      directed = directed || law[l]->direction != IRZ_LAW_ISOTROPIC;
      for (int i = 0; i < space->nodes; i++) {
        dof[l][i] = space->dof[part->tet[tets[l]][i]];
        u[i][l] = a->u[dof[l][i]];
      }
    }
    batch_shape(part, tets, &shape);
    /* All results are sums of volume times conductivity. */
    for (int l = 0; a->scale != NULL && l < W; l++) shape.volume[l] *= a->scale[tets[l]];
    if (floor != NULL) batch_floor(a->floor, tets, floor);
    if (space->order == 2)
      batch_order2(&shape, u, law, floor, directed ? tets : NULL, a, &batch);
    else
      batch_order1(&shape, u, law, floor, directed ? tets : NULL, a, &batch);
    for (int l = 0; l < lanes; l++) {
      scatter(rows, tets[l], dof[l], &batch.matrix[0][l], &batch.residual[0][l], &batch.coarse[0][l], W);
    }
  }
}

static void assemble_general(const Rows *rows, const int32_t *list, int32_t count) {
  const IrzAssembly *a = rows->a;
  const IrzSpace *space = a->space;
  const IrzMedium *medium = a->medium;
  int32_t curved = 0;
  for (int32_t k = 0; k < count; k++) {
    int32_t general = list[k], tet = medium->tet[general], dof[10];
    double u[10], residual[10], matrix[55], coarse[10];
    while (curved < medium->part->n_curved && medium->part->curved_tet[curved] < tet) curved++;
    for (int i = 0; i < space->nodes; i++) {
      dof[i] = space->dof[medium->part->tet[tet][i]];
      u[i] = a->u[dof[i]];
    }
    general_tet(a, general, curved, u, residual, matrix);
    if (a->coarse != NULL) restrict_matrix(matrix, coarse);
    scatter(rows, tet, dof, matrix, residual, coarse, 1);
  }
}

/// Give the rows of fixed unknowns a diagonal of the size of their neighbours', so that no scale is out of line.
static void fixed_rows(IrzMatrix *matrix, const uint8_t *fixed, int32_t first, int32_t last) {
  for (int32_t row = first; row < last; row++) {
    if (fixed[row]) irz_matrix_diagonal(matrix, row, 1);
  }
}

void irz_assemble(const IrzAssembly *a) {
  const IrzSpace *space = a->space;
#pragma omp parallel for num_threads(space->n_threads) schedule(static, 1)
  for (int k = 0; k < space->n_threads; k++) {
    Rows rows = {a, space->row_start[k], space->row_start[k + 1], 0, 0};
    if (a->coarse != NULL) {
      rows.coarse_first = a->coarse_rows[k];
      rows.coarse_last = a->coarse_rows[k + 1];
      irz_matrix_zero(a->coarse, rows.coarse_first, rows.coarse_last);
    }
    if (a->matrix != NULL) irz_matrix_zero(a->matrix, rows.first, rows.last);
    if (a->residual != NULL) {
      memset(a->residual + rows.first, 0, (size_t)(rows.last - rows.first) * sizeof *a->residual);
    }
    assemble_fast(&rows, space->tets[k], space->n_tets[k]);
    assemble_general(&rows, space->general[k], space->n_general[k]);
    if (a->matrix != NULL) fixed_rows(a->matrix, a->fixed, rows.first, rows.last);
    if (a->coarse != NULL) fixed_rows(a->coarse, a->coarse_fixed, rows.coarse_first, rows.coarse_last);
  }
}
