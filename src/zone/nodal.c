/* Gradients at nodes; see nodal.h. */
#include "zone/nodal.h"
#include <string.h>

void irz_bent_corners(const IrzPart *part, int32_t tet, int32_t curved, int order, const double *potential,
                      double slope[4][3][IRZ_ROW]) {
  static const int edge_at[4][4] = {{0, 4, 5, 6}, {4, 0, 7, 8}, {5, 7, 0, 9}, {6, 8, 9, 0}};
  const int32_t *node = part->tet[tet];
  _Alignas(32) double p[10][IRZ_ROW], c[4][IRZ_ROW];
  for (int i = 0; i < 4; i++) memcpy(p[i], part->xyz + 3 * (size_t)node[i], 3 * sizeof(double));
  for (int e = 0; e < 6; e++) memcpy(p[4 + e], part->curved_xyz[curved][e], 3 * sizeof(double));
  for (int i = 0; i < 10; i++) p[i][3] = potential[node[i]];
  for (int e = 0; e < 6 && order == 1; e++) {
    p[4 + e][3] = 0.5 * (p[irz_edge_vertices[e][0]][3] + p[irz_edge_vertices[e][1]][3]);
  }
  for (int i = 0; i < 4; i++) {
    for (int j = 0; j < 4; j++) {
      for (int d = 0; d < IRZ_ROW; d++) c[j][d] = j == i ? 3 * p[i][d] : 4 * p[edge_at[i][j]][d] - p[j][d];
    }
    for (int k = 0; k < 3; k++) {
      for (int d = 0; d < IRZ_ROW; d++) slope[i][k][d] = c[k + 1][d] - c[0][d];
    }
  }
}

void irz_bent_row(double slope[3][IRZ_ROW], double row[IRZ_ROW]) {
  double sum[3] = {0, 0, 0}, det = 0;
  for (int k = 0; k < 3; k++) {
    const double *a = slope[(k + 1) % 3], *b = slope[(k + 2) % 3];
    for (int d = 0; d < 3; d++) {
      double g = a[(d + 1) % 3] * b[(d + 2) % 3] - a[(d + 2) % 3] * b[(d + 1) % 3];
      sum[d] += slope[k][3] * g;
      if (k == 0) det += slope[0][d] * g;
    }
  }
  memcpy(row, sum, sizeof sum);
  row[3] = det;
}

int32_t irz_first_curved(const IrzPart *part, int32_t tet) {
  int32_t low = 0, high = part->n_curved;
  while (low < high) {
    int32_t middle = low + (high - low) / 2;
    if (part->curved_tet[middle] < tet)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}
