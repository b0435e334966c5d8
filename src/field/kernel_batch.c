/* Element kernels side by side; see kernel_parts.h. Compiled again for other instructions by kernel_batch_avx2.c.

   They work with the gradients g_i of the barycentric coordinates: a basis function's gradient is sum_i C_i(q) g_i, so
   a point's share of the element matrix needs only the ten numbers m_ij = w g_i . D g_j. Where the law of a lane
   depends on direction the point's tensor is made lane by lane instead; the rest is the same. In curved tetrahedra only
   the g_i change from point to point. */
#include "base/tensor.h"
#include "field/conductivity.h"
#include "field/kernel_parts.h"
#include <math.h>
#include <string.h>

#define W IRZ_LANES
#ifndef IRZ_BATCH_KERNELS
#define IRZ_BATCH_KERNELS irz_batch_kernels
#endif

enum { POINTS = 4 }; ///< of irz_rule_fast

typedef IrzBatch Batch;

/* ---- Straight tetrahedra ---- */

/// Geometry of a batch: gradients of the barycentric coordinates and volumes.
typedef struct {
  _Alignas(64) double g[4][3][W]; ///< 1/m
  _Alignas(64) float dot[10][W];  ///< g_i . g_j, packed
  _Alignas(64) double volume[W];  ///< m^3
} Shape;

/// Fill `dot`.
static void batch_dots(Shape *s) {
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
#pragma GCC unroll 4
    for (int j = i; j < 4; j++) {
      int k = irz_packed(4, i, j);
#pragma omp simd
      for (int l = 0; l < W; l++) {
        s->dot[k][l] =
            (float)(s->g[i][0][l] * s->g[j][0][l] + s->g[i][1][l] * s->g[j][1][l] + s->g[i][2][l] * s->g[j][2][l]);
      }
    }
  }
}

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
  /* Loops over lanes are innermost everywhere: only those become vector instructions. */
#pragma GCC unroll 3
  for (int i = 0; i < 3; i++) {
    int j = (i + 1) % 3, k = (i + 2) % 3;
#pragma GCC unroll 3
    for (int d = 0; d < 3; d++) {
      int p = (d + 1) % 3, q = (d + 2) % 3;
#pragma omp simd
      for (int l = 0; l < W; l++) s->g[i + 1][d][l] = e[j][p][l] * e[k][q][l] - e[j][q][l] * e[k][p][l];
    }
  }
  _Alignas(64) double inverse[W];
#pragma omp simd
  for (int l = 0; l < W; l++) {
    double det = e[0][0][l] * s->g[1][0][l] + e[0][1][l] * s->g[1][1][l] + e[0][2][l] * s->g[1][2][l];
    inverse[l] = 1 / det;
    s->volume[l] = det * (1.0 / 6);
  }
#pragma GCC unroll 3
  for (int d = 0; d < 3; d++) {
#pragma omp simd
    for (int l = 0; l < W; l++) {
      double x = s->g[1][d][l] * inverse[l], y = s->g[2][d][l] * inverse[l], z = s->g[3][d][l] * inverse[l];
      s->g[1][d][l] = x;
      s->g[2][d][l] = y;
      s->g[3][d][l] = z;
      s->g[0][d][l] = -(x + y + z);
    }
  }
  batch_dots(s);
}

/// Shape of a batch of curved tetrahedra at one point, from their maps there: `volume` is the one that a straight
/// tetrahedron with these g_i would have.
/// @param[in] map  [W]
static void curved_shape(const IrzMap *const *map, Shape *s) {
  for (int l = 0; l < W; l++) {
    for (int i = 0; i < 3; i++) {
      for (int d = 0; d < 3; d++) s->g[i + 1][d][l] = map[l]->inverse[i][d];
    }
    s->volume[l] = map[l]->det * (1.0 / 6);
  }
#pragma GCC unroll 3
  for (int d = 0; d < 3; d++) {
#pragma omp simd
    for (int l = 0; l < W; l++) s->g[0][d][l] = -(s->g[1][d][l] + s->g[2][d][l] + s->g[3][d][l]);
  }
  batch_dots(s);
}

/// Field and conductivity at one point of a batch.
typedef struct {
  _Alignas(64) double e[3][W];  ///< gradient of the potential, V/m
  _Alignas(64) double sigma[W]; ///< S/m
  _Alignas(64) double steep[W]; ///< sigma' / |E|
} Point;

/// Gradient of the potential from the four coefficients of the g_i.
static inline void batch_gradient(const Shape *s, double c[4][W], double e[3][W]) {
#pragma GCC unroll 3
  for (int d = 0; d < 3; d++) {
#pragma omp simd
    for (int l = 0; l < W; l++) {
      e[d][l] = c[0][l] * s->g[0][d][l] + c[1][l] * s->g[1][d][l] + c[2][l] * s->g[2][d][l] + c[3][l] * s->g[3][d][l];
    }
  }
}

/// Current density and tangent at one point of a batch with laws that depend on direction, or currents of its own.
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
    if (a->flux != NULL) {
      irz_flux_point(law[l], &memory, irz_flux_at(a->medium, a->flux, tets[l], q), a->flux->bound, g, current, tangent);
    } else {
      irz_law_tensor(law[l], a->zero_field ? zero : g, &memory, sigma, tangent);
      irz_tensor_apply(sigma, g, current);
    }
    for (int d = 0; d < 3; d++) p->current[d][l] = current[d];
    for (int k = 0; k < 6; k++) p->tangent[k][l] = tangent[k];
  }
}

/// m_ij = weight g_i . T g_j, packed for 4 nodes, and flux_i = weight g_i . J.
static void directed_tensor(const Shape *s, const Directed *p, double weight, bool tangent, float m[10][W],
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
      for (int j = i; j < 4; j++, k++) m[k][l] = (float)(tx * s->g[j][0][l] + ty * s->g[j][1][l] + tz * s->g[j][2][l]);
    }
  }
}

/// From the gradients at several points to the conductivity, which is `floor` where that is more.
/// @param[in]     floor  [count] or NULL
/// @param[in,out] p      [count]
static void batch_sigma(const IrzLaw *const *law, double (*floor)[W], bool zero_field, int count, Point *p) {
  _Alignas(64) double size[POINTS][W], sigma[POINTS][W], slope[POINTS][W];
  for (int q = 0; q < count; q++) {
#pragma omp simd
    for (int l = 0; l < W; l++) {
      double square = p[q].e[0][l] * p[q].e[0][l] + p[q].e[1][l] * p[q].e[1][l] + p[q].e[2][l] * p[q].e[2][l];
      size[q][l] = zero_field ? 0.0 : sqrt(square);
    }
  }
  irz_conductivity(law, count, size[0], sigma[0], slope[0]);
  for (int q = 0; q < count; q++) {
#pragma omp simd
    for (int l = 0; l < W; l++) {
      p[q].sigma[l] = sigma[q][l];
      p[q].steep[l] = size[q][l] > 0 ? slope[q][l] / size[q][l] : 0.0;
    }
    if (floor == NULL) continue;
#pragma omp simd
    for (int l = 0; l < W; l++) {
      bool below = p[q].sigma[l] < floor[q][l];
      p[q].sigma[l] = below ? floor[q][l] : p[q].sigma[l];
      p[q].steep[l] = below ? 0.0 : p[q].steep[l];
    }
  }
}

/// flux_i = weight sigma g_i . E and, if `m` is given, m_ij = weight (sigma g_i . g_j + steep (g_i . E)(g_j . E)),
/// packed for 4 nodes.
static void batch_flux(const Shape *s, const Point *p, double weight, double flux[4][W], float (*m)[W]) {
  _Alignas(64) float along[4][W], ws[W], wt[W];
#pragma omp simd
  for (int l = 0; l < W; l++) {
    double w = weight * s->volume[l];
    ws[l] = (float)(w * p->sigma[l]);
    wt[l] = (float)(w * p->steep[l]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
#pragma omp simd
    for (int l = 0; l < W; l++) {
      double dot = s->g[i][0][l] * p->e[0][l] + s->g[i][1][l] * p->e[1][l] + s->g[i][2][l] * p->e[2][l];
      flux[i][l] = weight * s->volume[l] * p->sigma[l] * dot;
      along[i][l] = (float)dot;
    }
  }
  if (m == NULL) return;
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
#pragma GCC unroll 4
    for (int j = i; j < 4; j++) {
      int k = irz_packed(4, i, j);
#pragma omp simd
      for (int l = 0; l < W; l++) m[k][l] = ws[l] * s->dot[k][l] + wt[l] * along[i][l] * along[j][l];
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
/// @param[in] tets  [W] if a law depends on direction or currents are their own, else NULL
static void batch_order1(const Shape *s, double u[10][W], const IrzLaw *const *law, double (*floor)[W],
                         const int32_t *tets, const IrzAssembly *a, Batch *b) {
  _Alignas(64) double c[4][W], flux[4][W], mean[1][W];
  Point p;
  memcpy(c, u, sizeof c);
  if (tets != NULL) {
    Directed directed;
    directed_point(s, c, law, tets, 0, a, &directed);
    directed_tensor(s, &directed, 1, a->matrix != NULL, b->matrix, flux);
    memcpy(b->residual, flux, sizeof flux);
    return;
  }
  for (int l = 0; floor != NULL && l < W; l++) {
    mean[0][l] = 0.25 * (floor[0][l] + floor[1][l] + floor[2][l] + floor[3][l]);
  }
  batch_gradient(s, c, p.e);
  batch_sigma(law, floor != NULL ? mean : NULL, a->zero_field, 1, &p);
  batch_flux(s, &p, 1, flux, a->matrix != NULL ? b->matrix : NULL);
  memcpy(b->residual, flux, sizeof flux);
}

/// Numbers of one pair (i, j), from which entries of order 2 are put together.
typedef struct {
  _Alignas(64) float at[4][W];   ///< m_ij at the four points
  _Alignas(64) float mean[4][W]; ///< sum over the points of lambda_r m_ij, r = 0 to 3
  _Alignas(64) float half[4][W]; ///< sum over the points of lambda_r lambda_s m_ij is half[r] + half[s] where r != s
  _Alignas(64) float both[4][W]; ///< sum over the points of lambda_r^2 m_ij
} Pair;

/// Element matrices of order 2 and 1 from m_ij at the four points. Coordinate r of the rule is FAR at point r and NEAR
/// at the others, so sums over the points reduce to m_ij at two points and its sum over all: entries between edges
/// become sums of eight numbers. Long: its loops are unrolled over constants, and parts of it called from there would
/// not be.
static inline void order2_matrix(float m[4][10][W], float (*restrict out)[W], float (*restrict coarse)[W]) {
  static const int pair[4][4] = {{0, 1, 2, 3}, {1, 4, 5, 6}, {2, 5, 7, 8}, {3, 6, 8, 9}};
  const float near = (float)IRZ_RULE_NEAR, far = (float)IRZ_RULE_FAR, step = far - near;
  const float low = 4 * near - 1, rise = 4 * step; /* 4 lambda_i - 1 is low + rise at point i */
  Pair pairs[10];
  for (int k = 0; k < 10; k++) {
    Pair *x = &pairs[k];
#pragma omp simd
    for (int l = 0; l < W; l++) {
      float sum = (m[0][k][l] + m[1][k][l]) + (m[2][k][l] + m[3][k][l]);
      coarse[k][l] = sum;
      for (int r = 0; r < 4; r++) {
        float at = m[r][k][l];
        x->at[r][l] = at;
        x->mean[r][l] = near * sum + step * at;
        x->half[r][l] = near * (0.5f * near * sum + step * at);
        x->both[r][l] = 2 * x->half[r][l] + step * step * at;
      }
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
#pragma GCC unroll 4
    for (int j = i; j < 4; j++) {
      float *restrict o = out[irz_packed(10, i, j)];
      const Pair *x = &pairs[pair[i][j]];
      const float extra = i == j ? rise * rise : 0;
#pragma omp simd
      for (int l = 0; l < W; l++) {
        o[l] = low * low * coarse[pair[i][j]][l] + low * rise * (x->at[i][l] + x->at[j][l]) + extra * x->at[i][l];
      }
    }
#pragma GCC unroll 6
    for (int e = 0; e < 6; e++) {
      int p = irz_edge_vertices[e][0], q = irz_edge_vertices[e][1];
      float *restrict o = out[irz_packed(10, i, 4 + e)];
      const Pair *xp = &pairs[pair[i][p]], *xq = &pairs[pair[i][q]];
      const float cp = rise * (q == i ? far : near), cq = rise * (p == i ? far : near);
#pragma omp simd
      for (int l = 0; l < W; l++) {
        o[l] = 4 * (low * (xp->mean[q][l] + xq->mean[p][l]) + cp * xp->at[i][l] + cq * xq->at[i][l]);
      }
    }
  }
#pragma GCC unroll 6
  for (int e = 0; e < 6; e++) {
    int i = irz_edge_vertices[e][0], j = irz_edge_vertices[e][1];
#pragma GCC unroll 6
    for (int f = e; f < 6; f++) {
      int p = irz_edge_vertices[f][0], q = irz_edge_vertices[f][1];
      float *restrict o = out[irz_packed(10, 4 + e, 4 + f)];
      const Pair *ip = &pairs[pair[i][p]], *iq = &pairs[pair[i][q]];
      const Pair *jp = &pairs[pair[j][p]], *jq = &pairs[pair[j][q]];
#pragma omp simd
      for (int l = 0; l < W; l++) {
        float a = j == q ? ip->both[j][l] : ip->half[j][l] + ip->half[q][l];
        float b = j == p ? iq->both[j][l] : iq->half[j][l] + iq->half[p][l];
        float c = i == q ? jp->both[i][l] : jp->half[i][l] + jp->half[q][l];
        float d = i == p ? jq->both[i][l] : jq->half[i][l] + jq->half[p][l];
        o[l] = 16 * ((a + b) + (c + d));
      }
    }
  }
}

/// Coefficients of the g_i in the gradient of a potential of order 2 at a point.
static inline void order2_coefficients(const double lambda[4], double u[10][W], double c[4][W]) {
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    /* Edges at vertex i and the vertices at their other ends. */
    static const int edge_at[4][3] = {{0, 1, 2}, {0, 3, 4}, {1, 3, 5}, {2, 4, 5}};
    static const int far_end[4][3] = {{1, 2, 3}, {0, 2, 3}, {0, 1, 3}, {0, 1, 2}};
    double ci = 4 * lambda[i] - 1, x = 4 * lambda[far_end[i][0]], y = 4 * lambda[far_end[i][1]],
           z = 4 * lambda[far_end[i][2]];
#pragma omp simd
    for (int l = 0; l < W; l++) {
      c[i][l] = ci * u[i][l] + x * u[4 + edge_at[i][0]][l] + y * u[4 + edge_at[i][1]][l] + z * u[4 + edge_at[i][2]][l];
    }
  }
}

/// Add a point's share to the residual of order 2.
static inline void order2_residual(const double lambda[4], double flux[4][W], double residual[10][W]) {
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    double ci = 4 * lambda[i] - 1;
#pragma omp simd
    for (int l = 0; l < W; l++) residual[i][l] += ci * flux[i][l];
  }
#pragma GCC unroll 6
  for (int e = 0; e < 6; e++) {
    int i = irz_edge_vertices[e][0], j = irz_edge_vertices[e][1];
    double ci = 4 * lambda[j], cj = 4 * lambda[i];
#pragma omp simd
    for (int l = 0; l < W; l++) residual[4 + e][l] += ci * flux[i][l] + cj * flux[j][l];
  }
}

/// Order 2 with the four-point rule.
/// @param[in] tets  [W] if a law depends on direction or currents are their own, else NULL
static void batch_order2(const Shape *s, double u[10][W], const IrzLaw *const *law, double (*floor)[W],
                         const int32_t *tets, const IrzAssembly *a, Batch *b) {
  _Alignas(64) double c[4][W], flux[4][W];
  _Alignas(64) float m[4][10][W];
  bool tangent = a->matrix != NULL;
  Point p[4];
  Directed directed;
  memset(b->residual, 0, sizeof b->residual);
  for (int q = 0; q < 4 && tets == NULL; q++) {
    order2_coefficients(irz_rule_fast.point[q], u, c);
    batch_gradient(s, c, p[q].e);
  }
  if (tets == NULL) batch_sigma(law, floor, a->zero_field, 4, p);
  for (int q = 0; q < 4; q++) {
    const double *lambda = irz_rule_fast.point[q];
    if (tets != NULL) {
      order2_coefficients(lambda, u, c);
      directed_point(s, c, law, tets, q, a, &directed);
      directed_tensor(s, &directed, irz_rule_fast.weight[q], tangent, m[q], flux);
    } else {
      batch_flux(s, &p[q], irz_rule_fast.weight[q], flux, tangent ? m[q] : NULL);
    }
    order2_residual(lambda, flux, b->residual);
  }
  if (tangent) order2_matrix(m, b->matrix, b->coarse);
}

static void batch_straight(const IrzAssembly *a, const int32_t *tets, double u[10][W], const IrzLaw *const *law,
                           Batch *b) {
  _Alignas(64) double points[4][W], (*floor)[W] = a->floor != NULL ? points : NULL;
  bool directed = a->flux != NULL;
  Shape shape;
  for (int l = 0; l < W; l++) directed = directed || law[l]->direction != IRZ_LAW_ISOTROPIC;
  batch_shape(a->space->part, tets, &shape);
  /* All results are sums of volume times conductivity. */
  for (int l = 0; a->scale != NULL && l < W; l++) shape.volume[l] *= a->scale[tets[l]];
  if (floor != NULL) batch_floor(a->floor, tets, floor);
  if (a->space->order == 2)
    batch_order2(&shape, u, law, floor, directed ? tets : NULL, a, b);
  else
    batch_order1(&shape, u, law, floor, directed ? tets : NULL, a, b);
}

/* ---- Curved tetrahedra ---- */

enum { CURVED_TERMS = 142 };

/// One pair's share in one entry of the packed matrix of order 2.
typedef struct {
  uint8_t entry, pair;  ///< of 55, of 10
  float weight[POINTS]; ///< product of the coefficients at the points
} Term;

static Term curved_term[CURVED_TERMS];

/// A basis function of order 2 as coefficients of the g_i at a point; returns which are not always zero, 1 or 2 of
/// them.
static int order2_function(int node, const double lambda[4], int which[2], double c[2]) {
  if (node < 4) {
    which[0] = node;
    c[0] = 4 * lambda[node] - 1;
    return 1;
  }
  for (int k = 0; k < 2; k++) {
    which[k] = irz_edge_vertices[node - 4][k];
    c[k] = 4 * lambda[irz_edge_vertices[node - 4][1 - k]];
  }
  return 2;
}

static void batch_prepare(void) {
  static bool done = false;
  if (done) return;
  for (int q = 0; q < POINTS; q++) {
    const double *lambda = irz_rule_fast.point[q];
    Term *term = curved_term;
    for (int a = 0; a < 10; a++) {
      for (int b = a; b < 10; b++) {
        int i[2], j[2];
        double ci[2], cj[2];
        int n = order2_function(a, lambda, i, ci), m = order2_function(b, lambda, j, cj);
        for (int k = 0; k < n * m; k++, term++) {
          int x = i[k / m], y = j[k % m];
          term->entry = (uint8_t)irz_packed(10, a, b);
          term->pair = (uint8_t)irz_packed(4, x < y ? x : y, x < y ? y : x);
          term->weight[q] = (float)(ci[k / m] * cj[k % m]);
        }
      }
    }
  }
  done = true;
}

/// Element matrix of order 1: the g_i are the gradients of its functions.
static void sum_points(float m[POINTS][10][W], float (*restrict out)[W]) {
  for (int k = 0; k < 10; k++) {
#pragma omp simd
    for (int l = 0; l < W; l++) {
      float sum = 0;
      for (int q = 0; q < POINTS; q++) sum += m[q][k][l];
      out[k][l] = sum;
    }
  }
}

/// Element matrices of order 2 and 1 from m_ij at the four points.
static void curved_matrix(float m[POINTS][10][W], float (*restrict out)[W], float (*restrict coarse)[W]) {
  memset(out, 0, 55 * sizeof *out);
  for (int k = 0; k < CURVED_TERMS; k++) {
    const Term *term = &curved_term[k];
    float sum[W] = {0};
#pragma GCC unroll 4
    for (int q = 0; q < POINTS; q++) {
#pragma omp simd
      for (int l = 0; l < W; l++) sum[l] += term->weight[q] * m[q][term->pair][l];
    }
#pragma omp simd
    for (int l = 0; l < W; l++) out[term->entry][l] += sum[l];
  }
  sum_points(m, coarse);
}

static void batch_curved(const IrzAssembly *a, const int32_t *general, double u[10][W], const IrzLaw *const *law,
                         Batch *b) {
  const IrzMedium *medium = a->medium;
  _Alignas(64) float m[POINTS][10][W];
  _Alignas(64) double c[4][W], flux[4][W], floor[POINTS][W];
  bool tangent = a->matrix != NULL, second = a->space->order == 2;
  Shape shape[POINTS];
  Point p[POINTS];
  memset(b->residual, 0, sizeof b->residual);
  memcpy(c, u, sizeof c); /* order 1 */
  for (int q = 0; q < POINTS; q++) {
    const IrzMap *map[W];
    for (int l = 0; l < W; l++) map[l] = &medium->map[medium->first_map[general[l]] + q];
    curved_shape(map, &shape[q]);
    for (int l = 0; l < W; l++) {
      if (a->scale != NULL) shape[q].volume[l] *= a->scale[medium->tet[general[l]]];
      if (a->floor != NULL) floor[q][l] = a->floor->general[medium->first_point[general[l]] + q];
    }
    if (second) order2_coefficients(irz_rule_fast.point[q], u, c);
    batch_gradient(&shape[q], c, p[q].e);
  }
  batch_sigma(law, a->floor != NULL ? floor : NULL, a->zero_field, POINTS, p);
  for (int q = 0; q < POINTS; q++) {
    const double *lambda = irz_rule_fast.point[q];
    batch_flux(&shape[q], &p[q], irz_rule_fast.weight[q], flux, tangent ? m[q] : NULL);
    if (second) {
      order2_residual(lambda, flux, b->residual);
      continue;
    }
    for (int i = 0; i < 4; i++) {
#pragma omp simd
      for (int l = 0; l < W; l++) b->residual[i][l] += flux[i][l];
    }
  }
  if (!tangent) return;
  if (second)
    curved_matrix(m, b->matrix, b->coarse);
  else
    sum_points(m, b->matrix);
}

const IrzBatchKernels IRZ_BATCH_KERNELS = {
    .prepare = batch_prepare, .straight = batch_straight, .curved = batch_curved};
