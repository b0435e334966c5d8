/* The element kernel for one tetrahedron at its own list of points; see kernel_parts.h. */
#include "base/tensor.h"
#include "field/element.h"
#include "field/kernel_parts.h"
#include <math.h>
#include <string.h>

enum { PADDED = 12 }; ///< ten nodes in three registers of four

double irz_corner_gradients(double node[10][3], const double u[10], double corner[4][3]) {
  static const int edge_of[4][4] = {{-1, 4, 5, 6}, {4, -1, 7, 8}, {5, 7, -1, 9}, {6, 8, 9, -1}};
  double unused[10][3] = {{0}}, inverse[3][3];
  double det = irz_inverse_map(node, false, unused, inverse);
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

/// Add a point whose law depends on direction or whose current is its own, of weight w; e is the gradient of the
/// potential.
/// @param[in] flux  of the point; NULL: the law
static void add_directed(const IrzAssembly *a, const IrzLaw *law, const IrzLawMemory *memory, const double *flux,
                         double g[10][3], const double e[3], double w, double *residual, double full[10][PADDED]) {
  const double zero[3] = {0, 0, 0};
  double sigma[6], tangent[6], current[3];
  int nodes = a->space->nodes;
  if (flux != NULL) {
    irz_flux_point(law, memory, flux, a->flux->bound, e, current, tangent);
  } else {
    irz_law_tensor(law, a->zero_field ? zero : e, memory, sigma, tangent);
    irz_tensor_apply(sigma, e, current);
  }
  for (int i = 0; i < nodes; i++) {
    residual[i] += w * (g[i][0] * current[0] + g[i][1] * current[1] + g[i][2] * current[2]);
  }
  if (a->matrix != NULL) add_tensor_point(nodes, g, tangent, w, full);
}

/// Residual and packed tangent.
static void assemble(const IrzAssembly *a, int32_t general, const double u[10], double *residual, float *matrix) {
  const IrzMedium *medium = a->medium;
  int nodes = a->space->nodes;
  double g[10][3], d[10][3], inverse[3][3], full[10][PADDED], det = 0;
  bool bent = medium->bent[general] != 0;
  const IrzRule *rule = irz_medium_rule(medium, general);
  const uint8_t *region = medium->point_region + medium->first_point[general];
  const double *floor = a->floor != NULL ? a->floor->general + medium->first_point[general] : NULL;
  double factor = a->scale != NULL ? a->scale[medium->tet[general]] : 1;
  memset(residual, 0, (size_t)nodes * sizeof *residual);
  memset(full, 0, sizeof full);
  if (!bent) { /* the same at all points; does not look at d */
    double node[10][3];
    irz_part_nodes(medium->part, medium->tet[general], -1, node);
    det = irz_inverse_map(node, false, d, inverse);
  }
  for (int q = 0; q < rule->count; q++) {
    double e[3] = {0, 0, 0}, along[10], slope;
    irz_reference_gradients(rule->point[q], d);
    if (bent) {
      const IrzMap *map = &medium->map[medium->first_map[general] + q];
      memcpy(inverse, map->inverse, sizeof inverse);
      det = map->det;
    }
    irz_map_gradients(nodes, d, inverse, g);
    for (int i = 0; i < nodes; i++) {
      for (int x = 0; x < 3; x++) e[x] += u[i] * g[i][x];
    }
    const IrzLaw *law = a->laws[region[q]];
    if (law->direction != IRZ_LAW_ISOTROPIC || a->flux != NULL) {
      const IrzLawMemory memory = irz_points_memory(medium, a->floor, medium->tet[general], q);
      const double *flux = a->flux != NULL ? irz_flux_at(medium, a->flux, medium->tet[general], q) : NULL;
      add_directed(a, law, &memory, flux, g, e, factor * rule->weight[q] * det / 6, residual, full);
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
    for (int j = i; j < nodes; j++, k++) matrix[k] = (float)full[i][j];
  }
}

/// Tangent of order 1 from that of order 2: a function of order 1 is its vertex's function plus half of those of the
/// edges at it.
static void restrict_matrix(const float matrix[55], float coarse[10]) {
  float half[10][4];
  for (int j = 0; j < 10; j++) {
    for (int v = 0; v < 4; v++) half[j][v] = matrix[irz_packed(10, j, v)];
    for (int e = 0; e < 6; e++) {
      float x = 0.5f * matrix[irz_packed(10, j, 4 + e)];
      half[j][irz_edge_vertices[e][0]] += x;
      half[j][irz_edge_vertices[e][1]] += x;
    }
  }
  for (int i = 0, k = 0; i < 4; i++) {
    for (int j = i; j < 4; j++, k++) {
      coarse[k] = half[i][j];
      for (int e = 0; e < 6; e++) {
        if (irz_edge_vertices[e][0] == i || irz_edge_vertices[e][1] == i) coarse[k] += 0.5f * half[4 + e][j];
      }
    }
  }
}

void irz_single(const IrzAssembly *a, int32_t general, const double u[10], double *residual, float *matrix,
                float *coarse) {
  assemble(a, general, u, residual, matrix);
  if (a->coarse != NULL) restrict_matrix(matrix, coarse);
}
