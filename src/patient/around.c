/* What is around a target; see around.h. */
#include "patient/around.h"
#include "base/memory.h"
#include "base/threads.h"
#include "base/vector.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  BLOCK = 8,           // cells along the edge of a block: blocks are halved where a surface may be near
  MOST_CELLS = 150000, // about so many cells in shells and target
  SUMS = 2 * IRZ_SHELLS + 2
};

static const double reach = 1e-3 * IRZ_SHELLS;

/// Sums over a block: shells, their ablated parts, the target, what of it is missed.
typedef struct {
  double sum[SUMS];
} Sums;

/// A grid of cells, in blocks, around the target.
typedef struct {
  const IrzAroundTask *task;
  double low[3], step; ///< m
  int blocks[3], size[3];
  float *missed; ///< [size[2]][size[1]][size[0]] share of the cell
  float *away;   ///< the same: m, from the zone at least, where something is missed
} Grid;

/// What is known of a surface at the middle of a cube.
typedef struct {
  double depth;    ///< m, positive inside
  double slope[3]; ///< direction in which it grows, or 0
  double place[3]; ///< m, of the surface, nearest to the middle; if the depth is finite
  int side;        ///< 1 or -1: all of the cube is inside or outside; 0: not known
} Known;

static double clamp(double x) {
  return x < 0 ? 0 : x > 1 ? 1 : x;
}

/// Look where a surface is.
/// @param[in] above  what is known of the cube that this one is part of
/// @param[in] apart  m, between their middles; 0: nothing is known
/// @param[in] radius m, of the cube's corners
static Known look(const IrzTree *tree, const double x[3], const Known *above, double apart, double radius) {
  Known here = {.depth = -INFINITY, .side = -1};
  double step[3], bound = INFINITY;
  if (tree->n_nodes == 0) return here;
  if (apart > 0 && isfinite(above->depth)) { /* what was nearest to the larger cube is mostly near this one, too */
    irz_subtract(x, above->place, step);
    bound = sqrt(irz_dot(step, step)) * (1 + 1e-9) + 1e-12;
  }
  double distance = irz_tree_distance(tree, x, bound, here.place);
  bool inside = apart > 0 && above->side != 0 ? above->side > 0 : irz_tree_winding(tree, x) >= 0.5;
  here.depth = inside ? distance : -distance;
  here.side = distance > radius ? (inside ? 1 : -1) : apart > 0 ? above->side : 0;
  for (int d = 0; d < 3 && distance > 0; d++) here.slope[d] = (x[d] - here.place[d]) / here.depth;
  return here;
}

/// Share of a cell that two half spaces have in common, from their shares and the cosine between their normals: exact
/// where these are parallel, and on the average where they are at right angles.
static double common_share(double a, double b, double cosine) {
  double product = a * b;
  return cosine >= 0 ? product + cosine * (fmin(a, b) - product) : product - cosine * (fmax(0, a + b - 1) - product);
}

/// Whether tissue around the target counts.
static bool counts(const IrzAroundTask *task, const double x[3]) {
  for (int d = 0; d < 3; d++) {
    if (!(x[d] >= task->box[0][d] && x[d] <= task->box[1][d])) return false;
  }
  if (task->organ != NULL) return task->organ[irz_label_map_region(task->labels, x)];
  return task->organ_tree == NULL || irz_tree_winding(task->organ_tree, x) >= 0.5;
}

/// Note what is missed in a cube of n cells along its edges.
/// @param[in] share  of it
static void note_missed(const Grid *grid, const int at[3], int n, double share, double away) {
  for (int k = at[2]; k < at[2] + n; k++) {
    for (int j = at[1]; j < at[1] + n; j++) {
      size_t row = ((size_t)k * (size_t)grid->size[1] + (size_t)j) * (size_t)grid->size[0];
      for (int i = at[0]; i < at[0] + n; i++) {
        grid->missed[row + (size_t)i] = (float)share;
        grid->away[row + (size_t)i] = (float)away;
      }
    }
  }
}

/// Add a cube as a whole.
static void add_cube(const Grid *grid, const int at[3], int n, const double x[3], const Known *target,
                     const Known *zone, Sums *sums) {
  double h = n * grid->step, volume = h * h * h, cosine = irz_dot(target->slope, zone->slope);
  double in = clamp(0.5 + target->depth / h), ablated = clamp(0.5 + zone->depth / h);
  double covered = common_share(in, ablated, cosine);
  sums->sum[2 * IRZ_SHELLS] += volume * in;
  sums->sum[2 * IRZ_SHELLS + 1] += volume * (in - covered);
  note_missed(grid, at, n, in - covered, -zone->depth);
  if (in == 1 || !counts(grid->task, x)) return;
  for (int s = 0; s < IRZ_SHELLS; s++) {
    double within = clamp(0.5 + (1e-3 * (s + 1) + target->depth) / h);
    sums->sum[s] += volume * (within - in);
    sums->sum[IRZ_SHELLS + s] += volume * (common_share(within, ablated, cosine) - covered);
  }
}

/// What a surface that is far from a cube is for one of its eight parts: as far as a plane would be.
static Known extrapolate(const Known *above, const double middle[3], const double x[3]) {
  double step[3];
  Known here = *above;
  irz_subtract(x, middle, step);
  here.depth += irz_dot(above->slope, step);
  return here;
}

/// Middle of a cube of n cells, m.
static void cube_middle(const Grid *grid, const int at[3], int n, double x[3]) {
  for (int d = 0; d < 3; d++) x[d] = grid->low[d] + (at[d] + 0.5 * n) * grid->step;
}

/// Look at a cube of n cells along its edges. Those that no surface of the zone runs through are not cut in single
/// cells.
/// @param[in] known  target and zone, of the cube of which it is a part
/// @param[in] apart  m, between their middles; 0: it is a part of none
static void visit(const Grid *grid, const int at[3], int n, const Known known[2], double apart, Sums *sums) {
  double x[3], radius = 0.5 * sqrt(3) * n * grid->step;
  Known here[2] = {known[0], known[1]};
  cube_middle(grid, at, n, x);
  if (known[0].side <= 0 || apart == 0) here[0] = look(grid->task->target, x, &known[0], apart, radius);
  if (here[0].depth < -(reach + radius)) return;
  if (known[1].side == 0 || apart == 0) here[1] = look(grid->task->zone, x, &known[1], apart, radius);
  if (n == 1) {
    add_cube(grid, at, n, x, &here[0], &here[1], sums);
    return;
  }
  if (here[0].side > 0 && here[1].side != 0) {
    sums->sum[2 * IRZ_SHELLS] += pow(n * grid->step, 3);
    if (here[1].side > 0) return;
    sums->sum[2 * IRZ_SHELLS + 1] += pow(n * grid->step, 3);
    note_missed(grid, at, n, 1, -here[1].depth);
    return;
  }
  if (n == 2 && here[1].side != 0) {
    add_cube(grid, at, n, x, &here[0], &here[1], sums);
    return;
  }
  for (int c = 0; c < 8; c++) {
    int child[3] = {at[0] + (c & 1 ? n / 2 : 0), at[1] + (c & 2 ? n / 2 : 0), at[2] + (c & 4 ? n / 2 : 0)};
    if (n == 4 && here[0].side != 0 && here[1].side != 0) {
      double place[3];
      cube_middle(grid, child, n / 2, place);
      Known there = extrapolate(&here[0], x, place);
      add_cube(grid, child, n / 2, place, &there, &here[1], sums);
    } else {
      visit(grid, child, n / 2, here, 0.5 * radius, sums);
    }
  }
}

/* ---- Pieces ---- */

/// The piece of what is missed that a cell belongs to.
/// @param[in,out] next   [cells] those that are still to be looked at
/// @param[in,out] piece  [cells] its number
static double flood(const Grid *grid, size_t start, int32_t number, int32_t *piece, size_t *next) {
  const size_t row = (size_t)grid->size[0], layer = row * (size_t)grid->size[1];
  const size_t stride[3] = {1, row, layer};
  size_t n = 0;
  double sum = 0;
  next[n++] = start;
  piece[start] = number;
  while (n > 0) {
    size_t at = next[--n], place[3] = {at % row, at / row % (size_t)grid->size[1], at / layer};
    sum += grid->missed[at];
    for (int f = 0; f < 6; f++) {
      int d = f / 2;
      if (f % 2 == 0 ? place[d] == 0 : place[d] + 1 == (size_t)grid->size[d]) continue;
      size_t beside = f % 2 == 0 ? at - stride[d] : at + stride[d];
      if (piece[beside] > 0 || !(grid->missed[beside] > 1e-3F)) continue;
      piece[beside] = number;
      next[n++] = beside;
    }
  }
  return sum;
}

/// Middle of a cell, m.
static void cell_middle(const Grid *grid, size_t at, double x[3]) {
  const size_t row = (size_t)grid->size[0];
  const size_t place[3] = {at % row, at / row % (size_t)grid->size[1], at / (row * (size_t)grid->size[1])};
  for (int d = 0; d < 3; d++) x[d] = grid->low[d] + ((double)place[d] + 0.5) * grid->step;
}

/// Of a piece the cell that is farthest from the zone. Cells of larger cubes know their distance to within the radius
/// of these, so some are looked at first.
/// @param[in] inside  only cells whose middles are in the target
/// @return whether there is such a cell
static bool find_farthest(const Grid *grid, const int32_t *piece, int32_t number, bool inside, double place[3]) {
  const int32_t n = grid->size[0] * grid->size[1] * grid->size[2], stride[2] = {61, 1};
  const double slack = sqrt(3) * 0.5 * BLOCK * grid->step;
  double best = -INFINITY, x[3];
  for (int round = 0; round < 2; round++) {
    for (int32_t i = 0; i < n; i += stride[round]) {
      if (piece[i] != number || grid->away[i] + slack <= best) continue;
      cell_middle(grid, (size_t)i, x);
      double here = isfinite(grid->away[i]) ? -irz_tree_depth(grid->task->zone, x, INFINITY) : 0;
      if (here <= best + 1e-7 || (inside && irz_tree_depth(grid->task->target, x, INFINITY) < 0)) continue;
      best = here;
      memcpy(place, x, sizeof x);
    }
  }
  return best > -INFINITY;
}

static IrzCode find_pieces(const Grid *grid, IrzAround *around, IrzError *error) {
  size_t n = (size_t)grid->size[0] * (size_t)grid->size[1] * (size_t)grid->size[2];
  int32_t *piece = NULL, count = 0, largest = 0;
  size_t *next = NULL;
  double most = 0;
  IrzCode code = irz_alloc(&piece, n, sizeof *piece, error);
  if (code == IRZ_OK) code = irz_alloc_unset(&next, n, sizeof *next, error);
  for (size_t i = 0; i < n && code == IRZ_OK; i++) {
    if (piece[i] > 0 || !(grid->missed[i] > 1e-3F)) continue;
    double here = flood(grid, i, ++count, piece, next);
    if (here <= most) continue;
    most = here;
    largest = count;
  }
  if (code == IRZ_OK) {
    around->largest = most * pow(grid->step, 3);
    for (int d = 0; d < 3; d++) around->missed_at[d] = NAN;
    if (largest > 0 && !find_farthest(grid, piece, largest, true, around->missed_at))
      find_farthest(grid, piece, largest, false, around->missed_at);
  }
  free(piece);
  free(next);
  return code;
}

/* ---- All of it ---- */

/// Lay the grid: shells of a ball of the target's volume have about MOST_CELLS cells.
static IrzCode make_grid(const IrzAroundTask *task, Grid *grid, IrzError *error) {
  const IrzTree *box = task->target;
  double radius = cbrt(3 * fmax(task->volume, 1e-9) / (4 * M_PI)) + reach;
  grid->task = task;
  grid->step = fmin(fmax(cbrt(4 * M_PI / 3 * radius * radius * radius / MOST_CELLS), 0.3e-3), 5e-3);
  double cells = 1;
  for (int d = 0; d < 3; d++) {
    grid->low[d] = box->low[d] - reach - grid->step;
    grid->blocks[d] = (int)ceil((box->high[d] - box->low[d] + 2 * reach + 2 * grid->step) / (BLOCK * grid->step));
    grid->size[d] = BLOCK * grid->blocks[d];
    cells *= grid->size[d];
  }
  if (cells > 2e8) return irz_error_set(error, IRZ_ERR_MEMORY, "a target is too large to be looked at");
  IRZ_TRY(irz_alloc(&grid->missed, (size_t)cells, sizeof *grid->missed, error));
  return irz_alloc_unset(&grid->away, (size_t)cells, sizeof *grid->away, error);
}

IrzCode irz_around_measure(const IrzAroundTask *task, IrzAround *around, IrzError *error) {
  Grid grid = {0};
  Sums *sums = NULL;
  *around = (IrzAround){.missed_at = {NAN, NAN, NAN}};
  if (task->target->n_nodes == 0) return IRZ_OK;
  IrzCode code = make_grid(task, &grid, error);
  int n = grid.blocks[0] * grid.blocks[1] * grid.blocks[2];
  if (code == IRZ_OK) code = irz_alloc(&sums, (size_t)n, sizeof *sums, error);
  if (code == IRZ_OK) {
    static const Known nothing[2] = {{.side = 0}, {.side = 0}};
#pragma omp parallel for num_threads(irz_threads(task->threads)) schedule(dynamic)
    for (int b = 0; b < n; b++) {
      const int at[3] = {BLOCK * (b % grid.blocks[0]), BLOCK * (b / grid.blocks[0] % grid.blocks[1]),
                         BLOCK * (b / grid.blocks[0] / grid.blocks[1])};
      visit(&grid, at, BLOCK, nothing, 0, &sums[b]);
    }
    for (int b = 0; b < n; b++) {
      for (int s = 0; s < IRZ_SHELLS; s++) {
        around->shell[s] += sums[b].sum[s];
        around->ablated[s] += sums[b].sum[IRZ_SHELLS + s];
      }
      around->target += sums[b].sum[2 * IRZ_SHELLS];
      around->missed += sums[b].sum[2 * IRZ_SHELLS + 1];
    }
    code = find_pieces(&grid, around, error);
  }
  free(sums);
  free(grid.missed);
  free(grid.away);
  return code;
}
