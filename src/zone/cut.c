/* Lattices, cells and cuts; see cut.h. */
#include "zone/cut.h"
#include "base/memory.h"
#include "field/kernel.h"
#include <math.h>
#include <string.h>

double irz_cut_fraction(const double f[4]) {
  int in[4], out[4], n_in = 0, n_out = 0;
  for (int i = 0; i < 4; i++) {
    if (f[i] >= 0)
      in[n_in++] = i;
    else
      out[n_out++] = i;
  }
  if (n_in == 0) return 0;
  if (n_in == 4) return 1;
  if (n_in == 2) {
    /* The wedge over the edge between the two corners inside, cut in three tetrahedra. */
    double a = f[in[0]], b = f[in[1]], c = f[out[0]], d = f[out[1]];
    double ac = a / (a - c), ad = a / (a - d), bc = b / (b - c), bd = b / (b - d);
    return ac * ad + ac * bd * (1 - ad) + (1 - ac) * bc * bd;
  }
  int lone = n_in == 1 ? in[0] : out[0];
  double corner = 1;
  for (int i = 0; i < 4; i++) {
    if (i != lone) corner *= f[lone] / (f[lone] - f[i]);
  }
  return n_in == 1 ? corner : 1 - corner;
}

void irz_box_grow(double box[2][3], const double x[3]) {
  for (int d = 0; d < 3; d++) {
    box[0][d] = fmin(box[0][d], x[d]);
    box[1][d] = fmax(box[1][d], x[d]);
  }
}

/* ---- The lattice ---- */

/// Index of a point, which is added if it is new. Coordinates are multiples of a quarter: equal ones are so to the bit.
static int lattice_point(IrzLattice *lattice, const double l[4]) {
  for (int k = 0; k < lattice->n_points; k++) {
    const double *other = lattice->l[k];
    if (other[0] == l[0] && other[1] == l[1] && other[2] == l[2] && other[3] == l[3]) return k;
  }
  memcpy(lattice->l[lattice->n_points], l, sizeof lattice->l[0]);
  return lattice->n_points++;
}

/// Add a tetrahedron, cut in eight `depth` times.
static void lattice_add(const double corner[4][4], int depth, IrzLattice *lattice) {
  if (depth == 0) {
    for (int i = 0; i < 4; i++) lattice->cell[lattice->n_cells][i] = lattice_point(lattice, corner[i]);
    lattice->n_cells++;
    return;
  }
  double node[10][4], child[4][4];
  memcpy(node, corner, 4 * sizeof node[0]);
  for (int e = 0; e < 6; e++) {
    for (int i = 0; i < 4; i++) {
      node[4 + e][i] = 0.5 * (corner[irz_edge_vertices[e][0]][i] + corner[irz_edge_vertices[e][1]][i]);
    }
  }
  for (int k = 0; k < 8; k++) {
    for (int i = 0; i < 4; i++) memcpy(child[i], node[irz_child_nodes[k][i]], sizeof child[i]);
    lattice_add((const double(*)[4])child, depth - 1, lattice);
  }
}

void irz_lattice_make(int depth, IrzLattice *lattice) {
  static const double corner[4][4] = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}};
  lattice->n_points = lattice->n_cells = 0;
  lattice_add(corner, depth, lattice);
}

/* ---- One tetrahedron ---- */

IrzCode irz_cell_init(IrzCell *cell, const IrzPart *part, int order, int n_pulses, double *const *potential,
                      IrzError *error) {
  *cell = (IrzCell){.part = part, .order = order, .n_pulses = n_pulses, .potential = potential};
  return irz_alloc(&cell->corner, (size_t)n_pulses, sizeof *cell->corner, error);
}

/// A pulse's potential at the ten nodes.
static void take_potential(const IrzCell *cell, int pulse, double u[10]) {
  for (int i = 0; i < 10; i++) u[i] = cell->potential[pulse][cell->node[i]];
}

void irz_cell_move(IrzCell *cell, int32_t tet, int32_t curved) {
  double u[10];
  cell->tet = tet;
  cell->node = cell->part->tet[tet];
  cell->bent = curved >= 0;
  irz_part_nodes(cell->part, tet, curved, cell->x);
  for (int p = 0; p < cell->n_pulses && cell->order == 2 && !cell->bent; p++) {
    take_potential(cell, p, u);
    irz_corner_gradients(cell->x, u, cell->corner[p]);
  }
}

static double length(const double g[3]) {
  return sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]);
}

double irz_cell_field(IrzCell *cell, int pulse, const double l[4]) {
  double g[3] = {0, 0, 0}, u[10];
  if (cell->order == 2 && !cell->bent) {
    for (int i = 0; i < 4; i++) {
      for (int d = 0; d < 3; d++) g[d] += l[i] * cell->corner[pulse][i][d];
    }
    return length(g);
  }
  take_potential(cell, pulse, u);
  irz_gradient(cell->x, cell->bent, cell->order == 2 ? 10 : 4, u, l, g);
  return length(g);
}

void irz_cell_bounds(const IrzCell *cell, int pulse, double *low, double *high) {
  double mean[3] = {0, 0, 0}, least = INFINITY;
  *low = 0;
  *high = cell->bent ? INFINITY : 0;
  if (cell->bent) return;
  for (int i = 0; i < 4; i++) {
    const double *g = cell->corner[pulse][i];
    *high = fmax(*high, length(g));
    for (int d = 0; d < 3; d++) mean[d] += 0.25 * g[d];
  }
  double size = length(mean);
  if (size == 0) return;
  for (int i = 0; i < 4; i++) {
    const double *g = cell->corner[pulse][i];
    least = fmin(least, (g[0] * mean[0] + g[1] * mean[1] + g[2] * mean[2]) / size);
  }
  *low = fmax(least, 0);
}

double irz_cell_volume(IrzCell *cell) {
  if (!cell->bent) return irz_tet_volume(cell->x[0], cell->x[1], cell->x[2], cell->x[3]);
  /* The determinant of the map is a cubic polynomial, so the rule of degree 5 is exact. */
  const IrzRule *rule = &irz_rule_curved;
  double zero[10] = {0}, unused[3], sum = 0;
  for (int q = 0; q < rule->count; q++) {
    sum += rule->weight[q] / 6 * irz_gradient(cell->x, true, 10, zero, rule->point[q], unused);
  }
  return sum;
}

double irz_cell_place(IrzCell *cell, const IrzLattice *lattice, double whole, double (*x)[3]) {
  for (int p = 0; p < lattice->n_points; p++) irz_tet_position(cell->x, cell->bent, lattice->l[p], x[p]);
  if (!cell->bent) return 1;
  double flat = 0;
  for (int c = 0; c < lattice->n_cells; c++) {
    const int *p = lattice->cell[c];
    flat += irz_tet_volume(x[p[0]], x[p[1]], x[p[2]], x[p[3]]);
  }
  return whole / flat;
}

/* ---- Cuts ---- */

/// Mean excess of a linear function over the scalar that it has at the corners of a lattice's cell: of a quadratic one
/// it is 16/20 of the excess at the centre, a mean of l_i l_j against 1/16.
static double mean_excess(const IrzLattice *lattice, const int *p, const double *value, IrzScalarAt at, void *context) {
  double center[4], mean = 0.25 * (value[p[0]] + value[p[1]] + value[p[2]] + value[p[3]]);
  for (int k = 0; k < 4; k++) {
    center[k] = 0.25 * (lattice->l[p[0]][k] + lattice->l[p[1]][k] + lattice->l[p[2]][k] + lattice->l[p[3]][k]);
  }
  return 0.8 * (mean - at(context, center));
}

/// Grow a box by the corners inside and the cuts of the edges.
static void grow_by_cut(double (*box)[3], double (*x)[3], const int *p, const double f[4]) {
  for (int i = 0; i < 4; i++) {
    if (f[i] < 0) continue;
    irz_box_grow(box, x[p[i]]);
    for (int j = 0; j < 4; j++) {
      if (f[j] >= 0) continue;
      double cut[3], s = f[i] / (f[i] - f[j]);
      for (int d = 0; d < 3; d++) cut[d] = x[p[i]][d] + s * (x[p[j]][d] - x[p[i]][d]);
      irz_box_grow(box, cut);
    }
  }
}

double irz_cut_volume(const IrzLattice *lattice, double (*x)[3], const double *value, double level, IrzScalarAt at,
                      void *context, double (*box)[3]) {
  double sum = 0;
  for (int c = 0; c < lattice->n_cells; c++) {
    const int *p = lattice->cell[c];
    double f[4];
    for (int i = 0; i < 4; i++) f[i] = value[p[i]] - level;
    double fraction = irz_cut_fraction(f);
    if (fraction <= 0) continue;
    if (box != NULL) grow_by_cut(box, x, p, f);
    if (fraction < 1 && at != NULL) {
      double excess = mean_excess(lattice, p, value, at, context);
      for (int i = 0; i < 4; i++) f[i] -= excess;
      fraction = irz_cut_fraction(f);
    }
    sum += fraction * irz_tet_volume(x[p[0]], x[p[1]], x[p[2]], x[p[3]]);
  }
  return sum;
}
