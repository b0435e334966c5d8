/* Lattices, cells and cuts; see cut.h. */
#include "zone/cut.h"
#include "base/memory.h"
#include "field/kernel.h"
#include <math.h>
#include <stdlib.h>
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

IrzCode irz_cell_init(IrzCell *cell, const IrzMedium *medium, int order, int n_pulses, double *const *potential,
                      IrzError *error) {
  *cell = (IrzCell){.medium = medium, .order = order, .n_pulses = n_pulses, .potential = potential};
  IRZ_TRY(irz_alloc(&cell->corner, (size_t)n_pulses, sizeof *cell->corner, error));
  return irz_alloc(&cell->slope, (size_t)n_pulses, sizeof *cell->slope, error);
}

void irz_cell_clear(IrzCell *cell) {
  free(cell->corner);
  free(cell->slope);
}

/// Volume of a curved tetrahedron. The determinant of the map is a cubic polynomial, so five points of degree 3 are
/// enough, the centre and one near each corner (P. Keast, Moderate-degree tetrahedral quadrature formulas, 1986).
/// @param[in] slope  of irz_bent_corners()
static double curved_volume(double slope[4][3][IRZ_ROW]) {
  _Alignas(32) double center[3][IRZ_ROW], here[3][IRZ_ROW], row[IRZ_ROW];
  double sum = 0;
  for (int k = 0; k < 3; k++) {
    for (int d = 0; d < IRZ_ROW; d++) {
      center[k][d] = 0.25 * (slope[0][k][d] + slope[1][k][d] + slope[2][k][d] + slope[3][k][d]);
    }
  }
  irz_bent_row(center, row);
  sum -= 0.8 * row[3];
  for (int i = 0; i < 4; i++) { /* barycentric coordinates 1/2 and three times 1/6 */
    for (int k = 0; k < 3; k++) {
      for (int d = 0; d < IRZ_ROW; d++) here[k][d] = 2.0 / 3 * center[k][d] + 1.0 / 3 * slope[i][k][d];
    }
    irz_bent_row(here, row);
    sum += 0.45 * row[3];
  }
  return sum / 6;
}

/// The map's derivative at the centre of a curved tetrahedron, inverted, and how far it is from those at the corners.
/// @param[in]  slope    of irz_bent_corners()
/// @param[out] inverse  [d][k]: derivative of barycentric coordinate k by x_d, 1/m
static double bend_of(double slope[4][3][IRZ_ROW], double inverse[3][3]) {
  double center[3][3], det = 0, largest = 0;
  for (int k = 0; k < 3; k++) {
    for (int d = 0; d < 3; d++) {
      center[k][d] = 0.25 * (slope[0][k][d] + slope[1][k][d] + slope[2][k][d] + slope[3][k][d]);
    }
  }
  for (int k = 0; k < 3; k++) {
    const double *a = center[(k + 1) % 3], *b = center[(k + 2) % 3];
    for (int d = 0; d < 3; d++) inverse[d][k] = a[(d + 1) % 3] * b[(d + 2) % 3] - a[(d + 2) % 3] * b[(d + 1) % 3];
  }
  for (int d = 0; d < 3; d++) det += center[0][d] * inverse[d][0];
  for (int d = 0; d < 3; d++) {
    for (int k = 0; k < 3; k++) inverse[d][k] /= det;
  }
  for (int i = 0; i < 4; i++) {
    double square = 0;
    for (int d = 0; d < 3; d++) {
      for (int x = 0; x < 3; x++) {
        double off = 0;
        for (int k = 0; k < 3; k++) off += inverse[d][k] * (slope[i][k][x] - center[k][x]);
        square += off * off;
      }
    }
    largest = square > largest ? square : largest;
  }
  return sqrt(largest);
}

static void move_curved(IrzCell *cell, int32_t curved) {
  const IrzPart *part = cell->medium->part;
  double inverse[3][3];
  irz_part_nodes(part, cell->tet, curved, cell->x);
  for (int p = 0; p < cell->n_pulses; p++) {
    irz_bent_corners(part, cell->tet, curved, cell->order, cell->potential[p], cell->slope[p]);
    if (p == 0) {
      cell->volume = curved_volume(cell->slope[0]);
      cell->bend = bend_of(cell->slope[0], inverse);
    }
    for (int i = 0; i < 4; i++) {
      for (int d = 0; d < 3; d++) {
        cell->corner[p][i][d] = 0;
        for (int k = 0; k < 3; k++) cell->corner[p][i][d] += inverse[d][k] * cell->slope[p][i][k][3];
      }
      cell->corner[p][i][3] = 0;
    }
  }
}

void irz_cell_move(IrzCell *cell, int32_t tet, int32_t curved) {
  const IrzPart *part = cell->medium->part;
  _Alignas(32) double g[4][IRZ_ROW];
  cell->tet = tet;
  cell->node = part->tet[tet];
  cell->bent = curved >= 0;
  if (cell->bent) {
    move_curved(cell, curved);
    return;
  }
  double det = irz_straight_map(part, tet, g), inverse = 1 / det;
  for (int i = 0; i < 4; i++) memcpy(cell->x[i], part->xyz + 3 * (size_t)cell->node[i], sizeof cell->x[i]);
  cell->volume = fabs(det) / 6;
  for (int p = 0; p < cell->n_pulses; p++) {
    irz_straight_corners(part, tet, g, det, cell->order, cell->potential[p], cell->corner[p]);
    for (int i = 0; i < 4; i++) {
      for (int d = 0; d < IRZ_ROW; d++) cell->corner[p][i][d] *= inverse;
      cell->corner[p][i][3] = 0;
    }
  }
}

/// Of a row whose last number is 0.
static double length(const double g[IRZ_ROW]) {
  return sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2] + g[3] * g[3]);
}

double irz_cell_field(const IrzCell *cell, int pulse, const double l[4]) {
  _Alignas(32) double here[3][IRZ_ROW] = {{0}}, row[IRZ_ROW] = {0};
  if (!cell->bent) {
    for (int i = 0; i < 4; i++) {
      for (int d = 0; d < IRZ_ROW; d++) row[d] += l[i] * cell->corner[pulse][i][d];
    }
    return length(row);
  }
  for (int i = 0; i < 4; i++) {
    for (int k = 0; k < 3; k++) {
      for (int d = 0; d < IRZ_ROW; d++) here[k][d] += l[i] * cell->slope[pulse][i][k][d];
    }
  }
  irz_bent_row(here, row);
  double det = row[3];
  row[3] = 0;
  return length(row) / fabs(det);
}

void irz_cell_bounds(const IrzCell *cell, int pulse, double *low, double *high) {
  double(*corner)[IRZ_ROW] = cell->corner[pulse];
  double mean[IRZ_ROW] = {0}, least = INFINITY, most = 0;
  for (int i = 0; i < 4; i++) {
    for (int d = 0; d < IRZ_ROW; d++) mean[d] += corner[i][d];
  }
  for (int i = 0; i < 4; i++) {
    double square = 0, along = 0;
    for (int d = 0; d < IRZ_ROW; d++) {
      square += corner[i][d] * corner[i][d];
      along += corner[i][d] * mean[d];
    }
    most = square > most ? square : most;
    least = along < least ? along : least;
  }
  double size = length(mean);
  *low = size > 0 && least > 0 ? least / size : 0;
  *high = sqrt(most);
  if (!cell->bent) return;
  *low /= 1 + cell->bend;
  *high = cell->bend < 1 ? *high / (1 - cell->bend) : INFINITY;
}

void irz_cell_place(const IrzCell *cell, const IrzLattice *lattice, IrzPlaced *placed) {
  double flat = 0, node[10][3];
  memcpy(node, cell->x, sizeof node);
  for (int p = 0; p < lattice->n_points; p++) irz_tet_position(node, cell->bent, lattice->l[p], placed->x[p]);
  for (int c = 0; c < lattice->n_cells; c++) {
    const int *p = lattice->cell[c];
    placed->volume[c] = cell->volume / lattice->n_cells;
    if (!cell->bent) continue;
    placed->volume[c] = irz_tet_volume(placed->x[p[0]], placed->x[p[1]], placed->x[p[2]], placed->x[p[3]]);
    flat += placed->volume[c];
  }
  for (int c = 0; cell->bent && c < lattice->n_cells; c++) placed->volume[c] *= cell->volume / flat;
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

double irz_cut_volume(const IrzLattice *lattice, const IrzPlaced *placed, const double *value, double level,
                      IrzScalarAt at, void *context) {
  double sum = 0;
  for (int c = 0; c < lattice->n_cells; c++) {
    const int *p = lattice->cell[c];
    double f[4];
    int inside = 0;
    for (int i = 0; i < 4; i++) {
      f[i] = value[p[i]] - level;
      inside += f[i] >= 0;
    }
    if (inside == 4) sum += placed->volume[c];
    if (inside == 0 || inside == 4) continue;
    if (at != NULL) {
      double excess = mean_excess(lattice, p, value, at, context);
      for (int i = 0; i < 4; i++) f[i] -= excess;
    }
    sum += irz_cut_fraction(f) * placed->volume[c];
  }
  return sum;
}
