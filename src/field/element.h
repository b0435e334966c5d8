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

#endif
