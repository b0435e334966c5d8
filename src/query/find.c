/* Point location: each rank looks which of the points lie in its tetrahedra, and the best answer counts. Points are
   found by a k-d tree, since most of them crowd around the needles. */
#include "query/find.h"
#include "base/memory.h"
#include "field/medium.h"
#include "query/locate.h"
#include <math.h>
#include <stdlib.h>

/// How far around a tetrahedron points are looked for, relative to its size: at first, and at last.
static const double first_margin = 0.1, last_margin = 100;

/// Leaves of the tree hold so many points.
enum { LEAF = 8 };

IrzCode irz_sought_create(int32_t n, IrzSought *sought, IrzError *error) {
  *sought = (IrzSought){.n = n};
  IRZ_TRY(irz_alloc(&sought->x, (size_t)n, sizeof *sought->x, error));
  IRZ_TRY(irz_alloc(&sought->score, (size_t)n, sizeof(double), error));
  IRZ_TRY(irz_alloc(&sought->best, (size_t)n, sizeof(double), error));
  IRZ_TRY(irz_alloc(&sought->tet, (size_t)n, sizeof(int32_t), error));
  IRZ_TRY(irz_alloc(&sought->l, (size_t)n, sizeof *sought->l, error));
  IRZ_TRY(irz_alloc(&sought->order, (size_t)n, sizeof(int32_t), error));
  return irz_alloc(&sought->median, (size_t)n, sizeof(double), error);
}

void irz_sought_clear(IrzSought *sought) {
  free(sought->x);
  free(sought->score);
  free(sought->best);
  free(sought->tet);
  free(sought->l);
  free(sought->order);
  free(sought->median);
  *sought = (IrzSought){0};
}

/// Put the points' median along an axis in the middle, smaller ones before it.
static void split(const double (*x)[3], int32_t *order, int32_t n, int axis) {
  int32_t low = 0, high = n - 1, middle = n / 2;
  while (low < high) {
    double pivot = x[order[(low + high) / 2]][axis];
    int32_t i = low, j = high;
    while (i <= j) {
      while (x[order[i]][axis] < pivot) i++;
      while (x[order[j]][axis] > pivot) j--;
      if (i > j) break;
      int32_t swap = order[i];
      order[i++] = order[j], order[j--] = swap;
    }
    if (middle <= j)
      high = j;
    else if (middle >= i)
      low = i;
    else
      return;
  }
}

/// Sort a branch of the tree that begins at entry `first`.
static void build_tree(IrzSought *points, int32_t first, int32_t n, int axis) {
  if (n <= LEAF) return;
  int32_t *order = points->order + first, half = n / 2;
  split((const double(*)[3])points->x, order, n, axis);
  points->median[first + half] = points->x[order[half]][axis];
  build_tree(points, first, half, (axis + 1) % 3);
  build_tree(points, first + half, n - half, (axis + 1) % 3);
}

/// A tetrahedron that is offered to points.
typedef struct {
  double node[10][3];
  bool bent;
  int32_t tet;
  double box[2][3];
} Cell;

/// Barycentric coordinates in a tetrahedron; those of a point outside are cut off at its faces.
/// @return 0 inside, less outside
static double locate(Cell *cell, const double x[3], double l[4]) {
  double sum = 0, off = irz_locate(cell->node, cell->bent, x, l), least = off < 1e-3 ? 0 : -off;
  for (int i = 0; i < 4; i++) {
    least = fmin(least, l[i]);
    l[i] = fmax(l[i], 0);
    sum += l[i];
  }
  for (int i = 0; i < 4; i++) l[i] /= sum;
  return least > -1e-9 ? 0 : least;
}

double irz_value_at(int order, const int32_t *node, const double *field, const double l[4]) {
  double sum = 0;
  for (int i = 0; i < 4; i++) sum += (order == 2 ? l[i] * (2 * l[i] - 1) : l[i]) * field[node[i]];
  for (int e = 0; e < 6 && order == 2; e++)
    sum += 4 * l[irz_edge_vertices[e][0]] * l[irz_edge_vertices[e][1]] * field[node[4 + e]];
  return sum;
}

/// Offer a tetrahedron to the points of a branch of the tree.
static void offer(IrzSought *points, Cell *cell, int32_t first, int32_t n, int axis) {
  const int32_t *order = points->order + first;
  if (n > LEAF) {
    int32_t half = n / 2;
    double median = points->median[first + half];
    if (cell->box[0][axis] <= median) offer(points, cell, first, half, (axis + 1) % 3);
    if (cell->box[1][axis] >= median) offer(points, cell, first + half, n - half, (axis + 1) % 3);
    return;
  }
  for (int32_t i = 0; i < n; i++) {
    const double *x = points->x[order[i]];
    double l[4];
    bool near = true;
    for (int d = 0; d < 3; d++) near = near && x[d] >= cell->box[0][d] && x[d] <= cell->box[1][d];
    if (!near || points->score[order[i]] >= 0) continue;
    double score = locate(cell, x, l);
    if (!(score > points->score[order[i]])) continue;
    points->score[order[i]] = score;
    points->tet[order[i]] = cell->tet;
    for (int k = 0; k < 4; k++) points->l[order[i]][k] = l[k];
  }
}

/// Look for the points of the tree in this rank's tetrahedra.
static void search(const IrzPart *from, double margin, int32_t n, IrzSought *points) {
  Cell cell;
  int32_t curved = 0;
  for (int32_t t = 0; t < from->n_tets; t++) {
    cell.bent = curved < from->n_curved && from->curved_tet[curved] == t;
    int32_t bend = cell.bent ? curved++ : -1;
    if (!from->mine[t]) continue;
    irz_part_nodes(from, t, bend, cell.node);
    cell.tet = t;
    double size = 0;
    for (int d = 0; d < 3; d++) {
      cell.box[0][d] = INFINITY, cell.box[1][d] = -INFINITY;
      for (int i = 0; i < 10; i++) {
        cell.box[0][d] = fmin(cell.box[0][d], cell.node[i][d]);
        cell.box[1][d] = fmax(cell.box[1][d], cell.node[i][d]);
      }
      size = fmax(size, cell.box[1][d] - cell.box[0][d]);
    }
    for (int d = 0; d < 3; d++) cell.box[0][d] -= margin * size, cell.box[1][d] += margin * size;
    offer(points, &cell, 0, n, 0);
  }
}

/// List the points that no rank has found yet. Collective.
/// @return how many
static int32_t list_missing(MPI_Comm comm, IrzSought *points) {
  int32_t missing = 0;
  MPI_Allreduce(points->score, points->best, points->n, MPI_DOUBLE, MPI_MAX, comm);
  for (int32_t i = 0; i < points->n; i++) {
    if (isinf(points->best[i])) points->order[missing++] = i;
  }
  return missing;
}

int32_t irz_find(const IrzPart *part, bool outside, IrzSought *sought) {
  int32_t missing = 0;
  double margin = first_margin;
  for (int32_t i = 0; i < sought->n; i++) {
    sought->score[i] = -INFINITY;
    sought->tet[i] = -1;
  }
  for (; (missing = list_missing(part->comm, sought)) > 0 && margin < last_margin; margin *= 4) {
    if (!outside && margin > first_margin) return 0;
    build_tree(sought, 0, missing, 0);
    search(part, margin, missing, sought);
  }
  return missing;
}

void irz_sought_share(const IrzSought *sought, MPI_Comm comm, double *value) {
  for (int32_t i = 0; i < sought->n; i++) {
    if (!irz_sought_mine(sought, i)) value[i] = -INFINITY;
  }
  MPI_Allreduce(MPI_IN_PLACE, value, sought->n, MPI_DOUBLE, MPI_MAX, comm);
}
