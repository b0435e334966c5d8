/* Inverse of a tetrahedron's map; see locate.h. */
#include "query/locate.h"
#include "field/element.h"
#include "field/medium.h"
#include <math.h>

/// Steps at most; points inside take three to six.
static const int most_steps = 20;

/// Near enough, as a share of the tetrahedron's size.
static const double near_enough = 1e-10;

/// No coordinate changes more in one step: far away the map's derivative may be anything.
static const double longest_step = 0.5;

/// Coordinates with respect to the corners.
static void locate_straight(double node[10][3], const double x[3], double l[4]) {
  double unused[10][3] = {{0}}, slope[3][3];
  irz_inverse_map(node, false, unused, slope);
  l[0] = 1;
  for (int i = 0; i < 3; i++) {
    l[i + 1] = 0;
    for (int d = 0; d < 3; d++) l[i + 1] += slope[i][d] * (x[d] - node[0][d]);
    l[0] -= l[i + 1];
  }
}

double irz_locate(double node[10][3], bool bent, const double x[3], double l[4]) {
  double off = 0, size = 0;
  locate_straight(node, x, l);
  if (!bent) return 0;
  for (int i = 1; i < 4; i++) {
    for (int d = 0; d < 3; d++) size = fmax(size, fabs(node[i][d] - node[0][d]));
  }
  for (int step = 0; step < most_steps; step++) {
    double there[3], d[10][3], slope[3][3], change[3], largest = 0;
    irz_tet_position(node, true, l, there);
    off = 0;
    for (int k = 0; k < 3; k++) off = fmax(off, fabs(x[k] - there[k]) / size);
    if (off < near_enough) break;
    irz_reference_gradients(l, d);
    if (!(irz_inverse_map(node, true, d, slope) > 0)) break; /* beyond a fold of the map */
    for (int i = 0; i < 3; i++) {
      change[i] = 0;
      for (int k = 0; k < 3; k++) change[i] += slope[i][k] * (x[k] - there[k]);
      largest = fmax(largest, fabs(change[i]));
    }
    double share = largest > longest_step ? longest_step / largest : 1;
    for (int i = 0; i < 3; i++) {
      l[i + 1] += share * change[i];
      l[0] -= share * change[i];
    }
  }
  return off;
}
