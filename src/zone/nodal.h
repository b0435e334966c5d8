/* Gradients of a potential at the nodes of a tetrahedron, in rows of four numbers that fill a vector register.

   A row holds the gradient times the determinant of the map, and the determinant: what sums with volumes as weights
   need, and no division is made. */
#ifndef IREZONE_ZONE_NODAL_H
#define IREZONE_ZONE_NODAL_H

#include "part/part.h"

enum { IRZ_ROW = 4 };

/// The map of a straight tetrahedron.
/// @param[out] g  det grad lambda_i of the barycentric coordinates, m^2, and 0
/// @return det, m^3
static inline double irz_straight_map(const IrzPart *part, int32_t tet, double g[4][IRZ_ROW]) {
  const int32_t *node = part->tet[tet];
  const double *origin = part->xyz + 3 * (size_t)node[0];
  double e[3][3];
  for (int i = 0; i < 3; i++) {
    const double *x = part->xyz + 3 * (size_t)node[i + 1];
    for (int d = 0; d < 3; d++) e[i][d] = x[d] - origin[d];
  }
  for (int i = 0; i < 3; i++) {
    const double *a = e[(i + 1) % 3], *b = e[(i + 2) % 3];
    for (int d = 0; d < 3; d++) g[i + 1][d] = a[(d + 1) % 3] * b[(d + 2) % 3] - a[(d + 2) % 3] * b[(d + 1) % 3];
    g[i + 1][3] = 0;
  }
  for (int d = 0; d < IRZ_ROW; d++) g[0][d] = -(g[1][d] + g[2][d] + g[3][d]);
  return e[0][0] * g[1][0] + e[0][1] * g[1][1] + e[0][2] * g[1][2];
}

/// Rows at the corners of a straight tetrahedron; between them the gradient is linear.
/// @param[in]  g, det     of irz_straight_map()
/// @param[in]  order      of the potential
/// @param[in]  potential  [nodes of the part] V
/// @param[out] row        det grad phi, V m^2, and det, m^3
static inline void irz_straight_corners(const IrzPart *part, int32_t tet, double g[4][IRZ_ROW], double det, int order,
                                        const double *potential, double row[4][IRZ_ROW]) {
  static const int edge_at[4][4] = {{0, 4, 5, 6}, {4, 0, 7, 8}, {5, 7, 0, 9}, {6, 8, 9, 0}};
  const int32_t *node = part->tet[tet];
  double u[10];
  for (int i = 0; i < (order == 2 ? 10 : 4); i++) u[i] = potential[node[i]];
  for (int i = 0; i < 4; i++) {
    /* Derivatives with respect to the barycentric coordinates at corner i; the gradients of those add up to zero. */
    double c[4];
    for (int j = 0; j < 4; j++) c[j] = order == 1 ? u[j] : j == i ? 3 * u[i] : 4 * u[edge_at[i][j]] - u[j];
    for (int d = 0; d < IRZ_ROW; d++) {
      row[i][d] = (c[1] - c[0]) * g[1][d] + (c[2] - c[0]) * g[2][d] + (c[3] - c[0]) * g[3][d];
    }
    row[i][3] = det;
  }
}

/// Derivatives of x, y, z and the potential with respect to barycentric coordinates 1, 2, 3 at the corners of a curved
/// tetrahedron; between the corners they are linear.
/// @param[in] curved  its index among the curved ones
void irz_bent_corners(const IrzPart *part, int32_t tet, int32_t curved, int order, const double *potential,
                      double slope[4][3][IRZ_ROW]);

/// The row at a point from the derivatives there.
void irz_bent_row(double slope[3][IRZ_ROW], double row[IRZ_ROW]);

/// Index among the curved tetrahedra of the first that is not before `tet`.
int32_t irz_first_curved(const IrzPart *part, int32_t tet);

/// Turn to a tetrahedron, the next of an increasing list, and say whether it is curved.
/// @param[in,out] curved  in: of the last one; out: index among the curved ones if it is
static inline bool irz_is_bent(const IrzPart *part, int32_t tet, int32_t *curved) {
  while (*curved < part->n_curved && part->curved_tet[*curved] < tet) (*curved)++;
  return *curved < part->n_curved && part->curved_tet[*curved] == tet;
}

#endif
