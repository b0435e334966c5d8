/* Nodal averaging; see recover.h. */
#include "zone/recover.h"
#include "base/memory.h"
#include "field/kernel.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Add one potential's gradients, weighted with volumes, to sum[node][3]; weight[node] if not NULL.
static void accumulate(const IrzMedium *medium, int order, const double *potential, double (*sum)[3], double *weight) {
  const IrzPart *part = medium->part;
  int32_t curved = 0;
  for (int32_t t = 0; t < part->n_tets; t++) {
    const int32_t *node = part->tet[t];
    double x[10][3], u[10];
    bool bent = curved < part->n_curved && part->curved_tet[curved] == t;
    irz_part_nodes(part, t, bent ? curved : -1, x);
    curved += bent;
    for (int i = 0; i < 10; i++) u[i] = potential[node[i]];
    for (int i = 0; i < 10; i++) {
      double l[4] = {0, 0, 0, 0}, g[3];
      if (i < 4) {
        l[i] = 1;
      } else {
        l[irz_edge_vertices[i - 4][0]] = 0.5;
        l[irz_edge_vertices[i - 4][1]] = 0.5;
      }
      double det = irz_gradient(x, bent, order == 2 ? 10 : 4, u, l, g);
      for (int d = 0; d < 3; d++) sum[node[i]][d] += det * g[d];
      if (weight != NULL) weight[node[i]] += det;
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
