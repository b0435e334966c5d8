/* Point location: all points go to all ranks, each rank looks which of them lie in its tetrahedra, and the best answer
   counts. Points are found by a k-d tree, since most of them crowd around the needles. */
#include "model/transfer.h"
#include "base/memory.h"
#include "field/medium.h"
#include "model/locate.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// How far around a tetrahedron points are looked for, relative to its size: at first, and at last.
static const double first_margin = 0.1, last_margin = 100;

/// Leaves of the tree hold so many points.
enum { LEAF = 8 };

/// The wanted points of all ranks, and what this rank knows of them.
typedef struct {
  int32_t n, mine, first; ///< points; those of this rank, from `first` on
  int n_fields;
  double (*x)[3]; ///< [n] m
  double *score;  ///< [n] 0: inside a tetrahedron; less the further outside; -infinity: not found
  double *value;  ///< [n_fields][n]
  int32_t *order; ///< [n] the k-d tree: halves by x, their halves by y, and so on
  double *median; ///< [n] at the first entry of each upper half: the coordinate that it begins with
} Points;

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
static void build_tree(Points *points, int32_t first, int32_t n, int axis) {
  if (n <= LEAF) return;
  int32_t *order = points->order + first, half = n / 2;
  split((const double(*)[3])points->x, order, n, axis);
  points->median[first + half] = points->x[order[half]][axis];
  build_tree(points, first, half, (axis + 1) % 3);
  build_tree(points, first + half, n - half, (axis + 1) % 3);
}

/// A tetrahedron with its fields.
typedef struct {
  double node[10][3];
  bool bent;
  int order;
  const int32_t *at; ///< its nodes
  double *const *field;
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

/// A field at a point of a tetrahedron.
static double interpolate(const Cell *cell, const double *field, const double l[4]) {
  double sum = 0;
  for (int i = 0; i < 4; i++) sum += (cell->order == 2 ? l[i] * (2 * l[i] - 1) : l[i]) * field[cell->at[i]];
  for (int e = 0; e < 6 && cell->order == 2; e++)
    sum += 4 * l[irz_edge_vertices[e][0]] * l[irz_edge_vertices[e][1]] * field[cell->at[4 + e]];
  return sum;
}

/// Offer a tetrahedron to the points of a branch of the tree.
static void offer(Points *points, Cell *cell, int32_t first, int32_t n, int axis) {
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
    for (int f = 0; f < points->n_fields; f++)
      points->value[(size_t)f * (size_t)points->n + (size_t)order[i]] = interpolate(cell, cell->field[f], l);
  }
}

/// Look for the points of the tree in this rank's tetrahedra.
static void search(const IrzPart *from, int order, double *const *field, double margin, int32_t n, Points *points) {
  Cell cell = {.order = order, .field = field};
  int32_t curved = 0;
  for (int32_t t = 0; t < from->n_tets; t++) {
    cell.bent = curved < from->n_curved && from->curved_tet[curved] == t;
    int32_t bend = cell.bent ? curved++ : -1;
    if (!from->mine[t]) continue;
    irz_part_nodes(from, t, bend, cell.node);
    cell.at = from->tet[t];
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

/// Gather the nodes that each rank owns.
static IrzCode gather(const IrzPart *to, int n_fields, const int32_t *local, Points *points, IrzError *error) {
  int *count = NULL, *start = NULL;
  double(*mine)[3] = NULL;
  points->n_fields = n_fields;
  points->mine = to->n_owned_vertices + to->n_owned_edges;
  irz_alloc(&count, (size_t)to->size, sizeof *count, error);
  if (error->code == IRZ_OK) irz_alloc(&start, (size_t)to->size + 1, sizeof *start, error);
  if (error->code == IRZ_OK) irz_alloc(&mine, (size_t)points->mine + 1, sizeof *mine, error);
  int64_t total = 3 * (to->n_global_vertices + to->n_global_edges);
  if (error->code == IRZ_OK && total > INT32_MAX)
    irz_error_set(error, IRZ_ERR_SOLVER, "pullback: the mesh has too many nodes, %lld", (long long)total / 3);
  points->n = (int32_t)(total / 3);
  if (error->code == IRZ_OK) irz_alloc(&points->x, (size_t)points->n, sizeof *points->x, error);
  if (error->code == IRZ_OK) irz_alloc(&points->score, (size_t)points->n, sizeof(double), error);
  if (error->code == IRZ_OK) irz_alloc(&points->value, (size_t)n_fields * (size_t)points->n, sizeof(double), error);
  if (error->code == IRZ_OK) irz_alloc(&points->order, (size_t)points->n, sizeof(int32_t), error);
  if (error->code == IRZ_OK) irz_alloc(&points->median, (size_t)points->n, sizeof(double), error);
  IrzCode code = irz_error_agree(to->comm, error);
  if (code == IRZ_OK) {
    int32_t curved = 0, owned_edge = to->n_vertices + to->n_owned_edges;
    for (int32_t t = 0; t < to->n_tets; t++) {
      bool bent = curved < to->n_curved && to->curved_tet[curved] == t;
      double node[10][3];
      irz_part_nodes(to, t, bent ? curved++ : -1, node);
      for (int i = 0; i < 10; i++) {
        int32_t at = to->tet[t][i];
        bool own = at < to->n_owned_vertices || (at >= to->n_vertices && at < owned_edge);
        if (own) memcpy(mine[local[at]], node[i], sizeof node[i]);
      }
    }
    int sent = 3 * points->mine;
    MPI_Allgather(&sent, 1, MPI_INT, count, 1, MPI_INT, to->comm);
    for (int r = 0; r < to->size; r++) start[r + 1] = start[r] + count[r];
    points->first = start[to->rank] / 3;
    MPI_Allgatherv(mine, sent, MPI_DOUBLE, points->x, count, start, MPI_DOUBLE, to->comm);
    for (int32_t i = 0; i < points->n; i++) points->score[i] = -INFINITY;
  }
  free(count);
  free(start);
  free(mine);
  return code;
}

/// List the points that no rank has found yet. Collective.
/// @param[out] best  [n] the best score of all ranks
/// @return how many
static int32_t list_missing(const IrzPart *part, double *best, Points *points) {
  int32_t missing = 0;
  MPI_Allreduce(points->score, best, points->n, MPI_DOUBLE, MPI_MAX, part->comm);
  for (int32_t i = 0; i < points->n; i++) {
    if (isinf(best[i])) points->order[missing++] = i;
  }
  return missing;
}

/// Agree on each point's best answer. Collective.
static void agree(const IrzPart *part, const double *best, Points *points) {
  for (int f = 0; f < points->n_fields; f++) {
    double *value = points->value + (size_t)f * (size_t)points->n;
    for (int32_t i = 0; i < points->n; i++) {
      if (points->score[i] < best[i] || isinf(points->score[i])) value[i] = -INFINITY;
    }
    MPI_Allreduce(MPI_IN_PLACE, value, points->n, MPI_DOUBLE, MPI_MAX, part->comm);
  }
}

IrzCode irz_transfer(const IrzPart *from, int order, int n_fields, double *const *field, const IrzPart *to,
                     double *const *result, IrzError *error) {
  Points points = {0};
  int32_t *local = NULL, n_nodes = to->n_vertices + to->n_edges;
  double *best = NULL;
  irz_alloc(&local, (size_t)n_nodes, sizeof *local, error);
  for (int32_t i = 0; error->code == IRZ_OK && i < n_nodes; i++)
    local[i] = i < to->n_vertices ? i : to->n_owned_vertices + i - to->n_vertices;
  IrzCode code = irz_error_agree(to->comm, error);
  if (code == IRZ_OK) code = gather(to, n_fields, local, &points, error);
  if (code == IRZ_OK) irz_alloc(&best, (size_t)points.n, sizeof *best, error);
  code = irz_error_agree(to->comm, error);
  int32_t missing = 0;
  double margin = first_margin;
  for (; code == IRZ_OK && (missing = list_missing(to, best, &points)) > 0 && margin < last_margin; margin *= 4) {
    build_tree(&points, 0, missing, 0);
    search(from, order, field, margin, missing, &points);
  }
  if (code == IRZ_OK && missing > 0)
    code =
        irz_error_set(error, IRZ_ERR_SOLVER, "pullback: %d nodes were not found in another position's mesh", missing);
  if (code == IRZ_OK) {
    agree(to, best, &points);
    for (int f = 0; f < n_fields && code == IRZ_OK; f++) {
      const double *value = points.value + (size_t)f * (size_t)points.n + points.first;
      for (int32_t i = 0; i < to->n_owned_vertices; i++) result[f][i] = value[i];
      for (int32_t i = 0; i < to->n_owned_edges; i++) result[f][to->n_vertices + i] = value[to->n_owned_vertices + i];
      code = irz_part_share(to, 1, result[f], error);
    }
  }
  free(local);
  free(best);
  free(points.x);
  free(points.score);
  free(points.value);
  free(points.order);
  free(points.median);
  return code;
}
