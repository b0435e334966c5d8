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
  if (!bent && nodes == 10) {
    det[0] = irz_corner_gradients(x, u, g);
    for (int i = 1; i < 4; i++) det[i] = det[0];
  }
  for (int i = nodes == 10 && !bent ? 4 : 0; i < (bent ? 10 : 4); i++) {
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

/// Integral of sigma |recovered - element-wise gradient|^2 over this rank's own tetrahedra, with the four-point rule;
/// with a floor at the points where that is known. The recovered gradient is interpolated with functions of the
/// potential's own order.
static double gradient_defect(const IrzMedium *medium, const IrzLaw *const *laws, const IrzPoints *floor, int order,
                              const double *potential, double (*recovered)[3]) {
  const IrzPart *part = medium->part;
  static const double middle[4] = {0.25, 0.25, 0.25, 0.25};
  int32_t curved = 0;
  double total = 0;
  for (int32_t t = 0; t < part->n_tets; t++) {
    const int32_t *node = part->tet[t];
    bool bent = curved < part->n_curved && part->curved_tet[curved] == t;
    double x[10][3], u[10], corner[4][3] = {{0}}, corner_det = 0;
    int32_t bend = bent ? curved : -1, general = floor != NULL ? medium->general[t] - 1 : -1;
    const IrzRule *rule = general >= 0 ? irz_medium_rule(medium, general) : &irz_rule_fast;
    curved += bent;
    if (!part->mine[t]) continue;
    irz_part_nodes(part, t, bend, x);
    for (int i = 0; i < 10; i++) u[i] = potential[node[i]];
    if (!bent && order == 2) {
      corner_det = irz_corner_gradients(x, u, corner);
    } else if (!bent) {
      corner_det = irz_gradient(x, false, 4, u, middle, corner[0]);
      for (int i = 1; i < 4; i++) memcpy(corner[i], corner[0], sizeof corner[i]);
    }
    for (int q = 0; q < rule->count; q++) {
      const double *l = rule->point[q];
      double g[3] = {0, 0, 0}, r[3] = {0, 0, 0}, det = corner_det, difference[3];
      if (bent) det = irz_gradient(x, true, order == 2 ? 10 : 4, u, l, g);
      for (int i = 0; i < 4; i++) {
        double value = order == 2 ? l[i] * (2 * l[i] - 1) : l[i];
        for (int d = 0; d < 3; d++) {
          r[d] += value * recovered[node[i]][d];
          if (!bent) g[d] += l[i] * corner[i][d];
        }
      }
      for (int e = 0; e < 6 && order == 2; e++) {
        double value = 4 * l[irz_edge_vertices[e][0]] * l[irz_edge_vertices[e][1]];
        for (int d = 0; d < 3; d++) r[d] += value * recovered[node[4 + e]][d];
      }
      for (int d = 0; d < 3; d++) difference[d] = r[d] - g[d];
      int region = general >= 0 ? medium->point_region[medium->first_point[general] + q] : medium->region[t];
      const IrzLawMemory memory = irz_points_memory(medium, floor, t, q);
      total += rule->weight[q] * det / 6 * irz_law_square(laws[region], g, &memory, difference);
    }
  }
  return total;
}

IrzCode irz_recover(const IrzMedium *medium, const IrzLaw *const *laws, bool memory, int order, int n_pulses,
                    double *const *potential, double *field, double *defect, IrzError *error) {
  const IrzPart *part = medium->part;
  size_t n = (size_t)part->n_vertices + (size_t)part->n_edges;
  double(*sum)[3] = NULL, *weight = NULL;
  IrzPoints floor = {0}; /* as each pulse met it */
  irz_alloc(&sum, n, sizeof *sum, error);
  if (error->code == IRZ_OK) irz_alloc(&weight, n, sizeof *weight, error);
  if (error->code == IRZ_OK && memory) irz_points_create(medium, laws, &floor, error);
  IrzCode code = irz_error_agree(part->comm, error);
  for (size_t i = 0; code == IRZ_OK && i < n; i++) field[i] = 0;
  for (int p = 0; code == IRZ_OK && p < n_pulses; p++) {
    memset(sum, 0, n * sizeof *sum);
    accumulate(medium, order, potential[p], sum, p == 0 ? weight : NULL);
    for (size_t i = 0; i < n; i++) {
      if (weight[i] <= 0) continue;
      for (int d = 0; d < 3; d++) sum[i][d] /= weight[i];
    }
    /* Owned nodes have all their tetrahedra here; ghosts take their owners' values. */
    code = irz_part_share(part, 3, &sum[0][0], error);
    for (size_t i = 0; i < n; i++) {
      field[i] = fmax(field[i], sqrt(sum[i][0] * sum[i][0] + sum[i][1] * sum[i][1] + sum[i][2] * sum[i][2]));
    }
    double mine = gradient_defect(medium, laws, memory ? &floor : NULL, order, potential[p], sum);
    MPI_Allreduce(&mine, &defect[p], 1, MPI_DOUBLE, MPI_SUM, part->comm);
    if (memory) irz_points_remember(medium, order, laws, potential[p], &floor);
  }
  irz_points_free(&floor);
  free(sum);
  free(weight);
  return code;
}

/// Values of the ten functions of order 2 at the centre of a child.
static void center_values(int c, double value[10]) {
  double l[4] = {0, 0, 0, 0};
  for (int k = 0; k < 4; k++) {
    int node = irz_child_nodes[c][k];
    if (node < 4) {
      l[node] += 0.25;
    } else {
      l[irz_edge_vertices[node - 4][0]] += 0.125;
      l[irz_edge_vertices[node - 4][1]] += 0.125;
    }
  }
  for (int i = 0; i < 4; i++) value[i] = l[i] * (2 * l[i] - 1);
  for (int e = 0; e < 6; e++) value[4 + e] = 4 * l[irz_edge_vertices[e][0]] * l[irz_edge_vertices[e][1]];
}

IrzCode irz_recover_drawn(const IrzPart *part, const double *field, double *drawn, IrzError *error) {
  size_t n = (size_t)part->n_vertices + (size_t)part->n_edges;
  double value[8][10], *excess = NULL;
  int32_t *count = NULL;
  irz_alloc(&excess, n, sizeof *excess, error);
  if (error->code == IRZ_OK) irz_alloc(&count, n, sizeof *count, error);
  IrzCode code = irz_error_agree(part->comm, error);
  for (int c = 0; c < 8; c++) center_values(c, value[c]);
  for (int32_t t = 0; code == IRZ_OK && t < part->n_tets; t++) {
    const int32_t *node = part->tet[t];
    for (int c = 0; c < 8; c++) {
      double above = 0;
      for (int k = 0; k < 4; k++) above += 0.25 * field[node[irz_child_nodes[c][k]]];
      for (int i = 0; i < 10; i++) above -= value[c][i] * field[node[i]];
      for (int k = 0; k < 4; k++) {
        excess[node[irz_child_nodes[c][k]]] += above;
        count[node[irz_child_nodes[c][k]]]++;
      }
    }
  }
  /* The mean excess of a quadratic is 16/20 of that at the centre: a mean of l_i l_j of 1/20 against 1/16. */
  for (size_t i = 0; code == IRZ_OK && i < n; i++) {
    drawn[i] = field[i];
    if (count[i] > 0) drawn[i] -= fmin(fmax(0.8 * excess[i] / count[i], 0), 0.1 * field[i]);
  }
  free(excess);
  free(count);
  return code == IRZ_OK ? irz_part_share(part, 1, drawn, error) : code;
}
