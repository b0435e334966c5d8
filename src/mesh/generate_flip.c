/* Which way round the diagonals go in the triangulation of a needle. */
#include "mesh/generate.h"

#include "base/memory.h"
#include "base/vector.h"
#include <math.h>
#include <stdlib.h>

/// How much angles count more than heights when the diagonals of a wall are chosen. Along an edge that runs around the
/// needle its wall has a valley. Where the four points of the two triangles beside it lie on one circle, a flat
/// tetrahedron fits into it; so an edge up the needle, which is a ridge, is taken although it is a little longer. With
/// 1 five times as many flat ones were left in seven meshes as with 1.2, with 1.4 about as many.
#define STRETCH 1.2

/// Widest angle around the needle that an edge of its wall may get by a flip, unless the edge before was as wide.
/// Chords over more would cut into the needle: with few points around, near a slanting exit, to a quarter of the
/// radius.
#define WIDEST (M_PI / 3)

/// Triangles of one needle, and which of them share an edge.
typedef struct {
  const IrzTissueBox *box;
  const double *xyz; ///< [n_points][3] m, as Gmsh will see them
  IrzBoundary *boundary;
  int32_t first, count; ///< triangles of the needle
  int32_t (*other)[3];  ///< [count] triangle across the edge after each corner, counted from `first`
  int8_t *part;         ///< [count] of the needle that each is on, see part_of()
} Skin;

/// Parts of a needle other than the three facets of a trocar, 0 to 2.
enum { WALL = -1, ROUND_END = 3 };

/// Part of the needle that a triangle is on. To be asked before any flip: then a triangle of the wall may join three
/// points of the rim.
static int8_t part_of(const Skin *skin, int32_t t) {
  const int32_t *v = skin->boundary->triangle[skin->first + t];
  double x = 0, y = 0;
  bool wall = false, end = false;
  const IrzNeedle *needle = &skin->box->needle[skin->boundary->point[v[0]].needle];
  for (int i = 0; i < 3; i++) {
    const IrzBoundaryPoint *point = &skin->boundary->point[v[i]];
    wall = wall || point->kind == IRZ_POINT_WALL || point->kind == IRZ_POINT_EXIT;
    end = end || point->kind == IRZ_POINT_FLAT || point->kind == IRZ_POINT_DOME;
    for (int k = 0; k < 3; k++) {
      x += (point->x[k] - needle->tip[k]) * needle->u[k];
      y += (point->x[k] - needle->tip[k]) * needle->v[k];
    }
  }
  if (needle->shape != IRZ_TIP_TROCAR) return end ? ROUND_END : WALL;
  return wall ? WALL : (int8_t)(lround(atan2(y, x) / (2 * M_PI / 3)) + 1);
}

/// List the triangles that share an edge.
/// @param[in,out] first  [points] -1 everywhere, before and after
/// @param[in,out] next   [3 count]
static void match_edges(const Skin *skin, int32_t *first, int32_t *next) {
  for (int32_t i = 0; i < 3 * skin->count; i++) {
    const int32_t *v = skin->boundary->triangle[skin->first + i / 3];
    int32_t a = v[i % 3], b = v[(i + 1) % 3], low = a < b ? a : b, j = first[low];
    for (; j >= 0; j = next[j]) {
      const int32_t *w = skin->boundary->triangle[skin->first + j / 3];
      if (w[j % 3] + w[(j + 1) % 3] == a + b) break; /* they share their lower end */
    }
    skin->other[i / 3][i % 3] = -1;
    if (j >= 0) {
      skin->other[i / 3][i % 3] = j / 3;
      skin->other[j / 3][j % 3] = i / 3;
    }
    next[i] = first[low];
    first[low] = i;
  }
  for (int32_t i = 0; i < 3 * skin->count; i++) first[skin->boundary->triangle[skin->first + i / 3][i % 3]] = -1;
}

/// Corner of a triangle that is neither `a` nor `b`.
static int opposite(const int32_t v[3], int32_t a, int32_t b) {
  int k = 0;
  while (v[k] == a || v[k] == b) k++;
  return k;
}

/// Edge of a triangle with ends a and b, by its first corner.
static int edge_between(const int32_t v[3], int32_t a, int32_t b) {
  return (opposite(v, a, b) + 1) % 3;
}

/// Six times the volume between three points and a fourth.
static double volume(const double *a, const double *b, const double *c, const double *d) {
  double u[3], v[3], w[3], normal[3];
  irz_subtract(b, a, u);
  irz_subtract(c, a, v);
  irz_subtract(d, a, w);
  irz_cross(u, v, normal);
  return irz_dot(normal, w);
}

/// Twice the area of a triangle in the plane.
static double area(const double a[2], const double b[2], const double c[2]) {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

/// Whether the edge from v[0] to v[1] between two triangles should join their other corners v[2] and v[3] instead. On a
/// facet that is so if it is a valley in the bulge that irz_boundary_untie() gives the facet, on a wall if v[3] is
/// inside the circle through the other three.
static bool is_wrong(const Skin *skin, const int32_t v[4], bool wall) {
  const IrzBoundaryPoint *point = skin->boundary->point;
  const IrzNeedle *needle = &skin->box->needle[point[v[0]].needle];
  double flat[4][2];
  for (int i = 0; i < 4; i++) {
    const IrzBoundaryPoint *at = &point[v[i]];
    flat[i][0] = flat[i][1] = 0;
    for (int k = 0; k < 3; k++) {
      flat[i][0] += (at->x[k] - point[v[0]].x[k]) * needle->u[k];
      flat[i][1] += (at->x[k] - point[v[0]].x[k]) * needle->v[k];
    }
    if (!wall) continue;
    flat[i][0] = STRETCH * needle->radius * remainder(at->angle - point[v[0]].angle, 2 * M_PI);
    flat[i][1] = at->z - point[v[0]].z;
  }
  if (wall) {
    double before = fabs(remainder(point[v[1]].angle - point[v[0]].angle, 2 * M_PI));
    double after = fabs(remainder(point[v[3]].angle - point[v[2]].angle, 2 * M_PI));
    if (after > fmax(before, WIDEST) * (1 + 1e-9)) return false;
  }
  double whole = fabs(area(flat[0], flat[1], flat[2])) + fabs(area(flat[0], flat[1], flat[3]));
  double side = area(flat[2], flat[3], flat[0]), far_side = area(flat[2], flat[3], flat[1]);
  if (!(fmin(side, far_side) < -1e-6 * whole && fmax(side, far_side) > 1e-6 * whole)) return false;
  if (!wall) {
    double inside[3];
    irz_needle_point(needle, 0, 0, needle->shoulder, inside);
    const double *x[4];
    for (int i = 0; i < 4; i++) x[i] = &skin->xyz[3 * (size_t)v[i]];
    return volume(x[0], x[1], x[2], x[3]) * volume(x[0], x[1], x[2], inside) < 0;
  }
  double d[3][3];
  for (int i = 0; i < 3; i++) {
    d[i][0] = flat[i][0] - flat[3][0], d[i][1] = flat[i][1] - flat[3][1];
    d[i][2] = d[i][0] * d[i][0] + d[i][1] * d[i][1];
  }
  const double origin[3] = {0, 0, 0};
  double within = volume(origin, d[0], d[1], d[2]) * (area(flat[0], flat[1], flat[2]) > 0 ? 1 : -1);
  return within > 1e-9 * whole * whole;
}

/// Triangle `t` has `to` instead of `from` across one of its edges.
static void relink(const Skin *skin, int32_t t, int32_t from, int32_t to) {
  for (int k = 0; t >= 0 && k < 3; k++) {
    if (skin->other[t][k] == from) {
      skin->other[t][k] = to;
      return;
    }
  }
}

/// Flip the edge after corner k of triangle t if it should be.
static bool flip(const Skin *skin, int32_t t, int k) {
  int32_t s = skin->other[t][k];
  if (s < t || skin->part[t] == ROUND_END) return false; /* s < t: no triangle, or one that has had its turn */
  const IrzBoundary *boundary = skin->boundary;
  if (boundary->surface[skin->first + t] != boundary->surface[skin->first + s] || skin->part[t] != skin->part[s])
    return false;
  int32_t *v = boundary->triangle[skin->first + t], *w = boundary->triangle[skin->first + s];
  int32_t a = v[k], b = v[(k + 1) % 3], c = v[(k + 2) % 3];
  int32_t d = w[opposite(w, a, b)];
  const int32_t four[4] = {a, b, c, d};
  if (!is_wrong(skin, four, skin->part[t] == WALL)) return false;
  /* t gets d for b, and s gets c for a */
  int ab = edge_between(w, a, b), ad = edge_between(w, a, d);
  int32_t beyond_bc = skin->other[t][(k + 1) % 3], beyond_ad = skin->other[s][ad];
  v[(k + 1) % 3] = d;
  for (int i = 0; i < 3; i++) w[i] = w[i] == a ? c : w[i];
  skin->other[t][k] = beyond_ad, skin->other[t][(k + 1) % 3] = s;
  skin->other[s][ab] = beyond_bc, skin->other[s][ad] = t;
  relink(skin, beyond_bc, t, s);
  relink(skin, beyond_ad, s, t);
  return true;
}

IrzCode irz_boundary_flip(const IrzTissueBox *box, IrzBoundary *boundary, int32_t from, IrzError *error) {
  Skin skin = {.box = box, .boundary = boundary, .first = from, .count = boundary->n_triangles - from};
  int32_t *first = NULL, *next = NULL;
  double *xyz = NULL;
  size_t n_points = (size_t)boundary->n_points;
  IrzCode code = irz_alloc(&skin.other, (size_t)skin.count, sizeof *skin.other, error);
  if (code == IRZ_OK) code = irz_alloc(&skin.part, (size_t)skin.count, sizeof *skin.part, error);
  if (code == IRZ_OK) code = irz_alloc(&next, 3 * (size_t)skin.count, sizeof *next, error);
  if (code == IRZ_OK) code = irz_alloc(&first, n_points, sizeof *first, error);
  if (code == IRZ_OK) code = irz_alloc(&xyz, n_points, 3 * sizeof *xyz, error);
  if (code == IRZ_OK) {
    for (size_t i = 0; i < n_points; i++) first[i] = -1;
    irz_boundary_untie(box, boundary, xyz);
    skin.xyz = xyz;
    for (int32_t t = 0; t < skin.count; t++) skin.part[t] = part_of(&skin, t);
    match_edges(&skin, first, next);
    for (bool any = true; any;) {
      any = false;
      for (int32_t i = 0; i < 3 * skin.count; i++) any = flip(&skin, i / 3, i % 3) || any;
    }
  }
  free(skin.other);
  free(skin.part);
  free(next);
  free(first);
  free(xyz);
  return code;
}
