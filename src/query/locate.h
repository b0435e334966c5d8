/* Where in a tetrahedron a point is. */
#ifndef IREZONE_QUERY_LOCATE_H
#define IREZONE_QUERY_LOCATE_H

#include <stdbool.h>

/// Barycentric coordinates of a point in a tetrahedron, in a curved one by Newton's method.
/// @param[in]  node  [10][3] its nodes, m; the first four if not `bent`
/// @param[in]  bent  whether edges are curved
/// @param[in]  x     the point, m
/// @param[out] l     coordinates; negative ones beyond a face
/// @return how far from the point the place at `l` is, as a share of the tetrahedron's size: next to nothing, but in a
/// curved tetrahedron that the point is far from, where the map may not reach it
double irz_locate(double node[10][3], bool bent, const double x[3], double l[4]);

#endif
