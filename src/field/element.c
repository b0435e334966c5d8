/* See element.h. */
#include "field/element.h"
#include "part/part.h"
#include <string.h>

void irz_reference_gradients(const double l[4], double d[10][3]) {
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

double irz_inverse_map(double node[10][3], bool bent, double d[10][3], double inverse[3][3]) {
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

double irz_gradient(double node[10][3], bool bent, int nodes, const double *u, const double l[4], double gradient[3]) {
  double g[10][3], d[10][3], inverse[3][3];
  irz_reference_gradients(l, d);
  double det = irz_inverse_map(node, bent, d, inverse);
  irz_map_gradients(nodes, d, inverse, g);
  for (int x = 0; x < 3; x++) {
    gradient[x] = 0;
    for (int i = 0; i < nodes; i++) gradient[x] += u[i] * g[i][x];
  }
  return det;
}
