/* Nodal averaging; see recover.h. */
#include "zone/recover.h"
#include "base/memory.h"
#include "field/kernel.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Gradients at the ten nodes of a tetrahedron, and their weights. In a straight one the gradient is linear: those at
/// the edges' middles are means of the corners'.
static void node_gradients(double x[10][3], bool bent, int nodes, const double *u, double g[10][3], double det[10]) {
  for (int i = 0; i < (bent ? 10 : 4); i++) {
    double l[4] = {0, 0, 0, 0};
    if (i < 4) {
      l[i] = 1;
    } else {
      l[irz_edge_vertices[i - 4][0]] = 0.5;
      l[irz_edge_vertices[i - 4][1]] = 0.5;
    }
    det[i] = irz_gradient(x, bent, nodes, u, l, g[i]);
  }
  for (int e = 0; e < 6 && !bent; e++) {
    for (int d = 0; d < 3; d++) g[4 + e][d] = 0.5 * (g[irz_edge_vertices[e][0]][d] + g[irz_edge_vertices[e][1]][d]);
    det[4 + e] = det[0];
  }
}

/// Add one potential's gradients, weighted with volumes, to sum[node][3]; weight[node] if not NULL.
static void accumulate(const IrzMedium *medium, int order, const double *potential, double (*sum)[3], double *weight) {
  const IrzPart *part = medium->part;
  int32_t curved = 0;
  for (int32_t t = 0; t < part->n_tets; t++) {
    const int32_t *node = part->tet[t];
    double x[10][3], u[10], g[10][3], det[10];
    bool bent = curved < part->n_curved && part->curved_tet[curved] == t;
    irz_part_nodes(part, t, bent ? curved : -1, x);
    curved += bent;
    for (int i = 0; i < 10; i++) u[i] = potential[node[i]];
    node_gradients(x, bent, order == 2 ? 10 : 4, u, g, det);
    for (int i = 0; i < 10; i++) {
      for (int d = 0; d < 3; d++) sum[node[i]][d] += det[i] * g[i][d];
      if (weight != NULL) weight[node[i]] += det[i];
    }
  }
}

IrzCode irz_recover(const IrzMedium *medium, int order, int n_pulses, double *const *potential, double *field,
                    IrzError *error) {
  const IrzPart *part = medium->part;
  size_t n = (size_t)part->n_vertices + (size_t)part->n_edges;
  double(*sum)[3] = NULL, *weight = NULL;
  IrzCode code = irz_alloc(&sum, n, sizeof *sum, error);
  if (code == IRZ_OK) code = irz_alloc(&weight, n, sizeof *weight, error);
  for (size_t i = 0; code == IRZ_OK && i < n; i++) field[i] = 0;
  for (int p = 0; code == IRZ_OK && p < n_pulses; p++) {
    memset(sum, 0, n * sizeof *sum);
    accumulate(medium, order, potential[p], sum, p == 0 ? weight : NULL);
    for (size_t i = 0; i < n; i++) {
      double size = sqrt(sum[i][0] * sum[i][0] + sum[i][1] * sum[i][1] + sum[i][2] * sum[i][2]);
      if (weight[i] > 0) field[i] = fmax(field[i], size / weight[i]);
    }
  }
  free(sum);
  free(weight);
  /* Owned nodes have all their tetrahedra here; ghosts take their owners' values. */
  if (code == IRZ_OK) irz_part_share(part, 1, field, error);
  return irz_error_agree(part->comm, error);
}
