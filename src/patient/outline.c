/* The surface of regions of a label map; see outline.h. */
#include "patient/outline.h"
#include "anatomy/smooth_labels.h"
#include "anatomy/voxel.h"
#include "base/memory.h"
#include "base/threads.h"
#include "base/vector.h"
#include "patient/weld.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NODES = 30000000 };

/// Voxels make steps if more than this share of their faces has another face at right angles before it.
#define STEPS 0.01

/// A grid along the voxels, and the function whose zero is the surface at its nodes.
typedef struct {
  const IrzLabelMap *labels;
  const IrzSmoothLabels *smooth;
  double first[3], step[3]; ///< in voxels of the map, not of the smooth window
  int size[3];              ///< nodes
  float *value;             ///< about the distance in voxels, positive inside
} Grid;

/// Place of a node, m.
static void node_place(const Grid *grid, const double at[3], double x[3]) {
  double voxel[3];
  for (int d = 0; d < 3; d++) voxel[d] = grid->first[d] + at[d] * grid->step[d];
  irz_voxel_place(grid->labels->to_world[0], voxel, x);
}

/// The function at a place, which is cut off at the ends of the image.
static double value_at(const Grid *grid, const double at[3]) {
  const IrzLabelMap *labels = grid->labels;
  double x[3], beyond = INFINITY;
  for (int d = 0; d < 3; d++) {
    double voxel = grid->first[d] + at[d] * grid->step[d];
    beyond = fmin(beyond, fmin(voxel + 0.5, labels->size[d] - 0.5 - voxel));
  }
  node_place(grid, at, x);
  return fmin(beyond, irz_smooth_value(grid->smooth, 1, x, NULL));
}

/// Whether a node is so far from any surface that the nearest voxel tells its side.
static bool is_far(const Grid *grid, const double x[3], double *value) {
  const IrzSmoothLabels *s = grid->smooth;
  int at[3];
  for (int d = 0; d < 3; d++) {
    double v = irz_dot(s->to_voxel[d], x) + s->to_voxel[d][3];
    if (!(v > s->image[d][0] + 2 && v < s->image[d][1] - 2)) return false;
    at[d] = (int)(v + 0.5);
    if (at[d] < 0 || at[d] >= s->size[d]) return false;
  }
  size_t cell = ((size_t)at[2] * (size_t)s->size[1] + (size_t)at[1]) * (size_t)s->size[0] + (size_t)at[0];
  *value = s->tissue[cell] == 1 ? 4 : -4;
  return s->place[cell] < 0;
}

/// The box in voxels around a window in m.
static void in_voxels(const IrzLabelMap *labels, double window[2][3], double low[3], double high[3]) {
  for (int d = 0; d < 3; d++) {
    const double *row = labels->to_voxel[d];
    low[d] = high[d] = row[3];
    for (int e = 0; e < 3; e++) {
      low[d] += fmin(row[e] * window[0][e], row[e] * window[1][e]);
      high[d] += fmax(row[e] * window[0][e], row[e] * window[1][e]);
    }
  }
}

/// Lay a grid over the window and evaluate the function at its nodes.
static IrzCode fill_grid(Grid *grid, double window[2][3], double step, int threads, IrzError *error) {
  double nodes = 1, low[3], high[3];
  in_voxels(grid->labels, window, low, high);
  for (int d = 0; d < 3; d++) {
    /* A little beyond the image, where the function is negative. */
    low[d] = fmax(low[d], -1.5);
    high[d] = fmin(high[d], grid->labels->size[d] + 0.5);
    grid->step[d] = step / grid->labels->spacing[d];
    grid->first[d] = low[d];
    grid->size[d] = (int)fmin(fmax(ceil((high[d] - low[d]) / grid->step[d]) + 1, 2), 1e5);
    nodes *= grid->size[d];
  }
  if (nodes > MOST_NODES) return fill_grid(grid, window, 1.3 * step, threads, error);
  IRZ_TRY(irz_alloc_unset(&grid->value, (size_t)nodes, sizeof *grid->value, error));
#pragma omp parallel for num_threads(irz_threads(threads)) schedule(dynamic)
  for (int k = 0; k < grid->size[2]; k++) {
    float *here = grid->value + (size_t)k * (size_t)grid->size[1] * (size_t)grid->size[0];
    for (int j = 0; j < grid->size[1]; j++) {
      for (int i = 0; i < grid->size[0]; i++) {
        const double at[3] = {i, j, k};
        double x[3], value;
        node_place(grid, at, x);
        if (!is_far(grid, x, &value)) value = value_at(grid, at);
        *here++ = (float)value;
      }
    }
  }
  return IRZ_OK;
}

/// Where the function is zero between two nodes: the same from every cube. By the function itself, not its values at
/// the nodes alone (regula falsi, twice).
static void crossing(const Grid *grid, const int a[3], const int b[3], double fa, double fb, double x[3]) {
  bool swap = a[0] + a[1] + a[2] > b[0] + b[1] + b[2];
  const int *one = swap ? b : a, *two = swap ? a : b;
  double low = 0, high = 1, f0 = swap ? fb : fa, f1 = swap ? fa : fb, at[3];
  for (int round = 0;; round++) {
    double s = low + (high - low) * f0 / (f0 - f1);
    for (int d = 0; d < 3; d++) at[d] = one[d] + s * (two[d] - one[d]);
    if (round == 2) break;
    double here = value_at(grid, at);
    if ((here > 0) == (f0 > 0)) {
      low = s;
      f0 = here != 0 ? here : f0;
    } else {
      high = s;
      f1 = here;
    }
  }
  node_place(grid, at, x);
}

/// Add a triangle, seen counter-clockwise from outside: the outside is where `out` leads.
static IrzCode add(IrzSoup *soup, double corner[3][3], const double out[3], IrzError *error) {
  double a[3], b[3], normal[3], swap[3];
  irz_subtract(corner[1], corner[0], a);
  irz_subtract(corner[2], corner[0], b);
  irz_cross(a, b, normal);
  if (irz_dot(normal, out) < 0) {
    memcpy(swap, corner[1], sizeof swap);
    memcpy(corner[1], corner[2], sizeof swap);
    memcpy(corner[2], swap, sizeof swap);
  }
  return irz_soup_add(soup, corner, error);
}

/// Cut a tetrahedron of a cube.
/// @param[in] at     its corners' nodes
/// @param[in] value  of the function there
static IrzCode cut(const Grid *grid, int at[4][3], const double value[4], IrzSoup *soup, IrzError *error) {
  int in[4], out[4], n_in = 0, n_out = 0;
  double place[4][3], corner[3][3], away[3], inner[3], outer[3];
  for (int i = 0; i < 4; i++) {
    if (value[i] > 0)
      in[n_in++] = i;
    else
      out[n_out++] = i;
  }
  if (n_in == 0 || n_out == 0) return IRZ_OK;
  const double first[3] = {at[in[0]][0], at[in[0]][1], at[in[0]][2]};
  const double last[3] = {at[out[0]][0], at[out[0]][1], at[out[0]][2]};
  node_place(grid, first, inner);
  node_place(grid, last, outer);
  irz_subtract(outer, inner, away);
  int n = 0;
  for (int i = 0; i < n_in; i++) { /* around the quadrilateral: 00 01 11 10 */
    for (int j = 0; j < n_out; j++) {
      int o = i == 0 ? out[j] : out[n_out - 1 - j];
      crossing(grid, at[in[i]], at[o], value[in[i]], value[o], place[n++]);
    }
  }
  for (int k = 0; k < 3; k++) memcpy(corner[k], place[k], sizeof corner[k]);
  IRZ_TRY(add(soup, corner, away, error));
  if (n == 3) return IRZ_OK;
  memcpy(corner[0], place[0], sizeof corner[0]);
  memcpy(corner[1], place[2], sizeof corner[1]);
  memcpy(corner[2], place[3], sizeof corner[2]);
  return add(soup, corner, away, error);
}

/// Cut all cubes, each in six tetrahedra along its diagonal, as H. W. Kuhn (1960) does.
static IrzCode cut_all(const Grid *grid, IrzSoup *soup, IrzError *error) {
  static const int order[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  const size_t row = (size_t)grid->size[0], layer = row * (size_t)grid->size[1];
  for (int k = 0; k + 1 < grid->size[2]; k++) {
    for (int j = 0; j + 1 < grid->size[1]; j++) {
      const float *here = grid->value + (size_t)k * layer + (size_t)j * row;
      for (int i = 0; i + 1 < grid->size[0]; i++, here++) {
        int inside = (here[0] > 0) + (here[1] > 0) + (here[row] > 0) + (here[row + 1] > 0) + (here[layer] > 0) +
                     (here[layer + 1] > 0) + (here[layer + row] > 0) + (here[layer + row + 1] > 0);
        if (inside == 0 || inside == 8) continue;
        for (int t = 0; t < 6; t++) {
          int at[4][3] = {{i, j, k}};
          double value[4] = {here[0]};
          for (int c = 1; c < 4; c++) {
            memcpy(at[c], at[c - 1], sizeof at[c]);
            at[c][order[t][c - 1]]++;
            value[c] = here[(size_t)(at[c][2] - k) * layer + (size_t)(at[c][1] - j) * row + (size_t)(at[c][0] - i)];
          }
          IRZ_TRY(cut(grid, at, value, soup, error));
        }
      }
    }
  }
  return IRZ_OK;
}

/// Whether a voxel is in the image and of one of the regions.
static bool is_member(const IrzLabelMap *labels, const uint8_t *member, const int at[3]) {
  for (int d = 0; d < 3; d++) {
    if (at[d] < 0 || at[d] >= labels->size[d]) return false;
  }
  size_t row = (size_t)at[2] * (size_t)labels->size[1] + (size_t)at[1];
  return member[labels->region[row * (size_t)labels->size[0] + (size_t)at[0]]];
}

/// Add the face of a voxel.
static IrzCode add_face(const IrzLabelMap *labels, const int at[3], int axis, int side, IrzSoup *soup,
                        IrzError *error) {
  double place[4][3], corner[3][3], out[3];
  int u = (axis + 1) % 3, v = (axis + 2) % 3;
  for (int c = 0; c < 4; c++) {
    double voxel[3];
    voxel[axis] = at[axis] + 0.5 * side;
    voxel[u] = at[u] + (c == 1 || c == 2 ? 0.5 : -0.5);
    voxel[v] = at[v] + (c >= 2 ? 0.5 : -0.5);
    irz_voxel_place(labels->to_world[0], voxel, place[c]);
  }
  for (int d = 0; d < 3; d++) out[d] = side * labels->to_world[d][axis];
  for (int half = 0; half < 2; half++) {
    memcpy(corner[0], place[0], sizeof corner[0]);
    memcpy(corner[1], place[1 + half], sizeof corner[1]);
    memcpy(corner[2], place[2 + half], sizeof corner[2]);
    IRZ_TRY(add(soup, corner, out, error));
  }
  return IRZ_OK;
}

/// Faces at right angles before a face of a voxel.
static int count_steps(const IrzLabelMap *labels, const uint8_t *member, const int beside[3], int axis) {
  int count = 0;
  for (int f = 0; f < 6; f++) {
    int next[3] = {beside[0], beside[1], beside[2]};
    if (f / 2 == axis) continue;
    next[f / 2] += f % 2 == 0 ? -1 : 1;
    count += is_member(labels, member, next);
  }
  return count;
}

/// The faces between voxels of the regions and others, in the window.
/// @param[out] steps  share of them that have another one at right angles before them
static IrzCode add_faces(const IrzLabelMap *labels, const uint8_t *member, double window[2][3], IrzSoup *soup,
                         double *steps, IrzError *error) {
  int from[3], to[3], at[3], with_steps = 0;
  double low[3], high[3];
  in_voxels(labels, window, low, high);
  for (int d = 0; d < 3; d++) {
    from[d] = (int)fmax(ceil(low[d]), 0);
    to[d] = (int)fmin(floor(high[d]), labels->size[d] - 1);
  }
  for (at[2] = from[2]; at[2] <= to[2]; at[2]++) {
    for (at[1] = from[1]; at[1] <= to[1]; at[1]++) {
      for (at[0] = from[0]; at[0] <= to[0]; at[0]++) {
        if (!is_member(labels, member, at)) continue;
        for (int f = 0; f < 6; f++) {
          int beside[3] = {at[0], at[1], at[2]};
          beside[f / 2] += f % 2 == 0 ? -1 : 1;
          if (is_member(labels, member, beside)) continue;
          IRZ_TRY(add_face(labels, at, f / 2, f % 2 == 0 ? -1 : 1, soup, error));
          with_steps += count_steps(labels, member, beside, f / 2) > 0;
        }
      }
    }
  }
  *steps = soup->n > 0 ? 2.0 * with_steps / (double)soup->n : 0; /* a face is two triangles */
  return IRZ_OK;
}

IrzCode irz_outline_labels(const IrzLabelMap *labels, const uint8_t *member, double window[2][3], double step,
                           int threads, IrzSurface *surface, IrzOutlineKind *kind, IrzError *error) {
  IrzSmoothLabels smooth = {0};
  IrzSoup soup = {0}, faces = {0};
  Grid grid = {.labels = labels, .smooth = &smooth};
  *surface = (IrzSurface){0};
  *kind = IRZ_OUTLINE_SMOOTH;
  IrzCode code = irz_smooth_create(labels, member, window[0], window[1], &smooth, error);
  bool smoothed = smooth.tissue != NULL && (smooth.value[1] != NULL || smooth.mirror[1] == 1);
  if (code == IRZ_OK && smoothed) {
    code = fill_grid(&grid, window, step, threads, error);
    if (code == IRZ_OK) code = cut_all(&grid, &soup, error);
  }
  double steps = 0;
  if (code == IRZ_OK) code = add_faces(labels, member, window, &faces, &steps, error);
  if (faces.n > 0 && soup.n == 0) *kind = IRZ_OUTLINE_VOXELS;
  if (faces.n > 0 && steps <= STEPS) *kind = IRZ_OUTLINE_FLAT;
  if (code == IRZ_OK && *kind != IRZ_OUTLINE_SMOOTH) code = irz_soup_refine(&faces, 2 * step, error);
  if (code == IRZ_OK) code = irz_soup_weld(*kind == IRZ_OUTLINE_SMOOTH ? &soup : &faces, surface, error);
  irz_soup_clear(&soup);
  irz_soup_clear(&faces);
  irz_smooth_clear(&smooth);
  free(grid.value);
  return code;
}
