/* Parts of a surface that touch get points of their own; see separate.h. */
#include "zone/separate.h"
#include "base/memory.h"
#include "base/vector.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  MOST_SIDES = 32, /* triangles at one edge; more are left as they are */
  MOST_PASSES = 8  /* an edge is cut in a pass, unless one of its triangles has been */
};

/// A side of a triangle.
typedef struct {
  int32_t low, high; ///< its points
  int32_t triangle;
  int8_t corner; ///< where it begins, going around the triangle
  bool forward;  ///< that is `low`
  double angle;  ///< of the triangle around the edge
} Side;

static int by_points(const void *a, const void *b) {
  const Side *x = a, *y = b;
  if (x->low != y->low) return x->low < y->low ? -1 : 1;
  if (x->high != y->high) return x->high < y->high ? -1 : 1;
  if (x->triangle != y->triangle) return x->triangle < y->triangle ? -1 : 1;
  return x->corner - y->corner;
}

/// All sides, those of an edge together.
static void list_sides(const IrzSurface *surface, Side *side) {
  for (int32_t t = 0; t < surface->n_triangles; t++) {
    for (int k = 0; k < 3; k++) {
      int32_t a = surface->triangles[t][k], b = surface->triangles[t][(k + 1) % 3];
      *side++ = (Side){a < b ? a : b, a < b ? b : a, t, (int8_t)k, a < b, 0};
    }
  }
  size_t n = 3 * (size_t)surface->n_triangles;
  qsort(side - n, n, sizeof *side, by_points);
}

/// How many sides from one on belong to its edge.
static size_t sides_of_edge(const Side *side, size_t left) {
  size_t n = 1;
  while (n < left && side[n].low == side[0].low && side[n].high == side[0].high) n++;
  return n;
}

/// Sort the triangles at an edge by their angle. Where two lie on each other, what ends there comes before what begins.
static void sort_around(const IrzSurface *surface, Side *side, size_t n) {
  const double *low = surface->points[side[0].low];
  double axis[3], first[3] = {0}, second[3] = {0};
  irz_subtract(surface->points[side[0].high], low, axis);
  for (size_t i = 0; i < n; i++) {
    double out[3];
    irz_subtract(surface->points[surface->triangles[side[i].triangle][(side[i].corner + 2) % 3]], low, out);
    if (i == 0) {
      irz_cross(axis, out, second); /* |axis| times a quarter turn of the first one's height over the edge */
      irz_cross(second, axis, first);
    }
    side[i].angle = i == 0 ? 0 : atan2(irz_dot(out, second) * sqrt(irz_dot(axis, axis)), irz_dot(out, first));
  }
  for (size_t i = 1; i < n; i++) {
    for (size_t j = i; j > 0; j--) {
      bool turned = side[j].angle < side[j - 1].angle ||
                    (side[j].angle == side[j - 1].angle && side[j].forward && !side[j - 1].forward);
      if (!turned) break;
      Side kept = side[j];
      side[j] = side[j - 1];
      side[j - 1] = kept;
    }
  }
}

/// Find out which triangles at an edge bound the same part: seen along the edge, the inside is before a triangle that
/// follows it forward, and behind one that does not.
/// @param[out] mate  [n] place of the other one
/// @return false: they do not go together in pairs
static bool match(const IrzSurface *surface, Side *side, size_t n, int mate[MOST_SIDES]) {
  size_t forward = 0, start = 0;
  int stack[MOST_SIDES], depth = 0, least = 0;
  for (size_t i = 0; i < n; i++) forward += side[i].forward;
  if (n > MOST_SIDES || 2 * forward != n) return false;
  if (n > 2) sort_around(surface, side, n);
  for (size_t i = 0; i < n; i++) {
    depth += side[i].forward ? -1 : 1;
    if (depth < least) least = depth, start = i + 1;
  }
  depth = 0;
  for (size_t i = 0; i < n; i++) {
    int at = (int)((start + i) % n);
    if (!side[at].forward) {
      stack[depth++] = at;
      continue;
    }
    int other = stack[--depth];
    mate[at] = other;
    mate[other] = at;
  }
  return true;
}

/* ---- Points ---- */

/// The representative of a corner among those that are one point.
static int32_t find(int32_t *parent, int32_t corner) {
  while (parent[corner] != corner) {
    parent[corner] = parent[parent[corner]];
    corner = parent[corner];
  }
  return corner;
}

static void unite(int32_t *parent, int32_t a, int32_t b) {
  a = find(parent, a);
  b = find(parent, b);
  parent[a < b ? b : a] = a < b ? a : b;
}

/// A side's corner at the lower point of its edge, or at the higher.
static int32_t corner_at(const Side *side, bool low) {
  return 3 * side->triangle + (side->forward == low ? side->corner : (side->corner + 1) % 3);
}

/// Unite the corners of triangles that bound the same part beside an edge.
static void unite_edges(const IrzSurface *surface, Side *side, size_t n, int32_t *parent) {
  for (size_t i = 0, size; i < n; i += size) {
    int mate[MOST_SIDES];
    size = sides_of_edge(side + i, n - i);
    bool paired = match(surface, side + i, size, mate);
    for (size_t k = 0; k < size; k++) {
      const Side *a = &side[i + k], *b = &side[i + (paired ? (size_t)mate[k] : 0)];
      unite(parent, corner_at(a, true), corner_at(b, true));
      unite(parent, corner_at(a, false), corner_at(b, false));
    }
  }
}

/// Make room for more points or triangles.
static IrzCode grow(IrzSurface *surface, uint8_t **kind, int32_t points, int32_t triangles, IrzError *error) {
  if (surface->n_points > INT32_MAX - points || surface->n_triangles > INT32_MAX / 3 - triangles) {
    return irz_error_set(error, IRZ_ERR_MEMORY, "the surface has too many triangles");
  }
  size_t n = (size_t)surface->n_points + (size_t)points, m = (size_t)surface->n_triangles + (size_t)triangles;
  if (points > 0) IRZ_TRY(irz_resize(&surface->points, n, sizeof *surface->points, error));
  if (triangles > 0) IRZ_TRY(irz_resize(&surface->triangles, m, sizeof *surface->triangles, error));
  return triangles > 0 ? irz_resize(kind, m, sizeof **kind, error) : IRZ_OK;
}

/// Give every fan of triangles a point of its own.
static IrzCode own_points(IrzSurface *surface, uint8_t **kind, int32_t *parent, IrzError *error) {
  int32_t n = 3 * surface->n_triangles, more = 0, *corner = surface->triangles[0], *point = NULL;
  bool *taken = NULL;
  IrzCode code = irz_alloc(&point, (size_t)n, sizeof *point, error);
  if (code == IRZ_OK) code = irz_alloc(&taken, (size_t)surface->n_points, sizeof *taken, error);
  for (int32_t c = 0; code == IRZ_OK && c < n; c++) {
    if (find(parent, c) != c) continue; /* representatives come before the others */
    point[c] = taken[corner[c]] ? -1 : corner[c];
    more += taken[corner[c]];
    taken[corner[c]] = true;
  }
  if (code == IRZ_OK) code = grow(surface, kind, more, 0, error);
  for (int32_t c = 0; code == IRZ_OK && c < n; c++) {
    int32_t *own = &point[find(parent, c)];
    if (*own < 0) {
      *own = surface->n_points++;
      memcpy(surface->points[*own], surface->points[corner[c]], sizeof *surface->points);
    }
    corner[c] = *own;
  }
  free(point);
  free(taken);
  return code;
}

/* ---- Edges ---- */

/// Cut a triangle along a line from a point on one of its sides.
static void cut(IrzSurface *surface, uint8_t *kind, const Side *side, int32_t middle) {
  int32_t *old = surface->triangles[side->triangle], *new = surface->triangles[surface->n_triangles];
  int k = side->corner;
  new[0] = middle;
  new[1] = old[(k + 1) % 3];
  new[2] = old[(k + 2) % 3];
  old[(k + 1) % 3] = middle;
  kind[surface->n_triangles++] = kind[side->triangle];
}

/// Cut edges that several parts still have in common, all but one's.
/// @param[in,out] done  triangles that have been cut
/// @param[out]    more  whether one has to be cut again
static IrzCode cut_edges(IrzSurface *surface, uint8_t **kind, Side *side, size_t n, bool *done, bool *more,
                         IrzError *error) {
  *more = false;
  for (size_t i = 0, size; i < n; i += size) {
    int mate[MOST_SIDES];
    bool first = true;
    size = sides_of_edge(side + i, n - i);
    if (size == 2 || !match(surface, side + i, size, mate)) continue;
    for (int k = 0; k < (int)size; k++) {
      const Side *a = &side[i + (size_t)k], *b = &side[i + (size_t)mate[k]];
      if (mate[k] < k) continue;
      bool keep = first;
      first = false;
      if (keep) continue;
      *more = true;
      if (done[a->triangle] || done[b->triangle]) continue;
      IRZ_TRY(grow(surface, kind, 1, 2, error));
      int32_t middle = surface->n_points++;
      for (int d = 0; d < 3; d++) {
        surface->points[middle][d] = 0.5 * (surface->points[a->low][d] + surface->points[a->high][d]);
      }
      cut(surface, *kind, a, middle);
      cut(surface, *kind, b, middle);
      done[a->triangle] = done[b->triangle] = true;
    }
  }
  return IRZ_OK;
}

/// Separate parts, and cut the edges that they then still share.
static IrzCode separate_once(IrzSurface *surface, uint8_t **kind, bool *more, IrzError *error) {
  size_t n = 3 * (size_t)surface->n_triangles;
  Side *side = NULL;
  int32_t *parent = NULL;
  bool *done = NULL;
  IrzCode code = irz_alloc(&side, n, sizeof *side, error);
  if (code == IRZ_OK) code = irz_alloc(&parent, n, sizeof *parent, error);
  if (code == IRZ_OK) code = irz_alloc(&done, n / 3, sizeof *done, error);
  if (code == IRZ_OK) {
    for (size_t c = 0; c < n; c++) parent[c] = (int32_t)c;
    list_sides(surface, side);
    unite_edges(surface, side, n, parent);
    code = own_points(surface, kind, parent, error);
  }
  if (code == IRZ_OK) {
    list_sides(surface, side);
    code = cut_edges(surface, kind, side, n, done, more, error);
  }
  free(side);
  free(parent);
  free(done);
  return code;
}

IrzCode irz_surface_separate(IrzSurface *surface, uint8_t **kind, IrzError *error) {
  bool more = surface->n_triangles > 0;
  for (int pass = 0; pass < MOST_PASSES && more; pass++) IRZ_TRY(separate_once(surface, kind, &more, error));
  return IRZ_OK;
}
