/* The map from the reference tetrahedron to one in space. */
#ifndef IREZONE_FIELD_ELEMENT_H
#define IREZONE_FIELD_ELEMENT_H

#include <stdbool.h>

/// Gradients of the ten functions of order 2 with respect to barycentric coordinates 1, 2, 3 (0 eliminated).
/// @param[in]  l  [4] barycentric coordinates of the point
/// @param[out] d  [10][3]
void irz_reference_gradients(const double l[4], double d[10][3]);

/// Inverse transpose of the map's derivative.
/// @param[in]  node     [10][3] positions of the nodes, m; the first four if not `bent`
/// @param[in]  bent     false: straight edges; does not look at `d`
/// @param[in]  d        [10][3] of irz_reference_gradients()
/// @param[out] inverse  [3][3] 1/m
/// @return the derivative's determinant, m^3 (6 times the volume if straight)
double irz_inverse_map(double node[10][3], bool bent, double d[10][3], double inverse[3][3]);

/// Gradients in space of `nodes` basis functions at a point, given the inverse transpose of the map's derivative. `d`
/// holds the reference gradients of order 2.
static inline void irz_map_gradients(int nodes, double d[10][3], double inverse[3][3], double g[10][3]) {
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

/// Gradient of the potential in one tetrahedron.
/// @param[in]  node  [10][3] positions of its nodes, m
/// @param[in]  bent  false: straight edges, which is cheaper
/// @param[in]  nodes 4 or 10 basis functions
/// @param[in]  u     [nodes] V
/// @param[in]  l     barycentric coordinates of the point
/// @param[out] gradient  V/m
/// @return determinant of the map from the reference tetrahedron, m^3 (6 times the volume if straight)
double irz_gradient(double node[10][3], bool bent, int nodes, const double *u, const double l[4], double gradient[3]);

#endif
