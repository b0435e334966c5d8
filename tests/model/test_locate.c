/* Points of curved tetrahedra are found where they are, also beside the ends of bare metal, where the map is squeezed.
 */
#include "field/medium.h"
#include "query/locate.h"
#include "testing.h"
#include <stdlib.h>
#include <string.h>

/// A tetrahedron of about 1 mm at a place far from the origin, straight.
static void make(double node[10][3]) {
  static const double corner[4][3] = {
      {1e-1, 2e-1, -5e-2}, {1.011e-1, 2e-1, -5e-2}, {1.002e-1, 2.009e-1, -5e-2}, {1.003e-1, 2.002e-1, -4.92e-2}};
  memcpy(node, corner, sizeof corner);
  for (int e = 0; e < 6; e++) {
    for (int k = 0; k < 3; k++)
      node[4 + e][k] = 0.5 * (corner[irz_edge_vertices[e][0]][k] + corner[irz_edge_vertices[e][1]][k]);
  }
}

/// Move the middles of the edges at a corner towards it, by a share of their lengths.
static void squeeze(double node[10][3], int corner, double share) {
  for (int e = 0; e < 6; e++) {
    const int *end = irz_edge_vertices[e];
    if (end[0] != corner && end[1] != corner) continue;
    int other = end[0] == corner ? end[1] : end[0];
    for (int k = 0; k < 3; k++) node[4 + e][k] += share * (node[corner][k] - node[other][k]);
  }
}

/// Random points inside are found again; points outside are not taken for inside.
static void find_all(double node[10][3], bool bent) {
  srand(1);
  for (int i = 0; i < 2000; i++) {
    double wanted[4], l[4], x[3], sum = 0;
    for (int k = 0; k < 4; k++) sum += wanted[k] = -log((rand() + 1.0) / (RAND_MAX + 2.0));
    for (int k = 0; k < 4; k++) wanted[k] /= sum;
    irz_tet_position(node, bent, wanted, x);
    assert_true(irz_locate(node, bent, x, l) < 1e-9);
    for (int k = 0; k < 4; k++) assert_near(l[k], wanted[k], 1e-6);
  }
  for (int i = 0; i < 2000; i++) { /* beyond a corner */
    double x[3], l[4], away = 0.2 + 3.0 * rand() / RAND_MAX;
    int k = i % 4;
    for (int d = 0; d < 3; d++) {
      double center = 0.25 * (node[0][d] + node[1][d] + node[2][d] + node[3][d]);
      x[d] = node[k][d] + away * (node[k][d] - center);
    }
    double off = irz_locate(node, bent, x, l);
    assert_true(off > 1e-6 || l[0] < 0 || l[1] < 0 || l[2] < 0 || l[3] < 0);
  }
}

static void straight(void **state) {
  (void)state;
  double node[10][3];
  make(node);
  find_all(node, false);
  find_all(node, true);
}

static void curved(void **state) {
  (void)state;
  double node[10][3];
  make(node);
  for (int k = 0; k < 3; k++) node[7][k] += 1e-4 * (k == 1);
  find_all(node, true);
  for (int corner = 0; corner < 4; corner++) {
    make(node);
    squeeze(node, corner, 0.15);
    find_all(node, true);
    make(node);
    squeeze(node, corner, 0.24);
    find_all(node, true);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(straight), cmocka_unit_test(curved)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
