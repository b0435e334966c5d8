/* Elements that end where a tissue ends. Vertices near the smooth surfaces of a label map are moved onto them, edges
 * that still cross one are cut there, and the elements around them with them (after F. Labelle and J. R. Shewchuk,
 * Isosurface stuffing, 2007, with the mesh that there is for their lattice). Then each element is in one tissue. Where
 * that does not work, at lines where three tissues meet and at details finer than the elements, an element stays as it
 * is, and the tissue is looked up at each of its points. */
#include "mesh/generate.h"

#include "base/memory.h"
#include "base/vector.h"
#include "mesh/mesh_build.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// A vertex is moved onto a surface if that cuts one of its edges closer than this share of the edge.
#define SNAP 0.3

/// A vertex that cannot be moved is taken to be on a surface that is closer than this share of an edge; one that is on
/// another surface already, near a line where several meet, than this.
#define SAME 0.06
#define SAME_LINE 0.25

/// A move is allowed if the smallest sine of an angle between faces stays above this share of what it was, or this.
#define WORSE 0.6
#define GOOD 0.22

/// Rounds of cutting: an edge may cross several surfaces. Before them edges are cut that pass through a tissue with
/// neither end in it, if it is deeper there than a share of their length: on its surface, if that is no further away
/// than another share.
#define ROUNDS 3
#define ROUNDS_HIDDEN 2
#define HIDDEN 0.03
#define SHALLOW 0.2

/// An element is not all in its tissue if another one reaches further into it than this share of its longest edge.
#define DEPTH 0.12

/// Rounds in which edges on a surface are cut that are further from it than this share of their length: elements beside
/// them could not be bent so much.
#define ROUNDS_BULGE 2
#define BULGE 0.045

/// An element that is flatter (sine of its smallest angle) is not made by cutting beside an edge.
#define FLATTEST 0.03

/// An edge that crosses a surface.
typedef struct {
  int32_t end[2]; ///< smaller first
  int32_t next;   ///< with the same first end, or -1
  int32_t middle; ///< vertex where it is cut, or -1
  uint32_t meet;  ///< tissues there
  double at;      ///< where it crosses, as a share of the way from the first end
  double square;  ///< of its length, m^2
  bool boundary;  ///< it is an edge of a triangle of the boundary
  int beside;     ///< more than 0: it is cut beside itself, at `x`; how often that may be brought closer
  double x[3];
  uint32_t inside; ///< tissues where it is, rather than beside it
} Cut;

/// Vertices on surfaces are merged with others there up to this share: surfaces are not to be made coarser.
#define SHORT_ON 0.3

/// Vertices on different surfaces that meet are merged if they are closer than this share of the longest edge.
#define CLOSE 0.2

/// Elements that are worse than this are to vanish: in the sine of the smallest angle between faces, or in quality. The
/// second is for those that may do so at any cost.
#define POOR 0.139
#define WORST 0.08

/// Edges that are shorter than this share of the longest beside them may be shrunk to a point for that; the second is
/// for the worst elements.
#define SHORT 0.5
#define SHORT_WORST 0.8

/// What is being fitted.
typedef struct {
  const IrzSizeField *field;
  const IrzSmoothLabels *smooth;
  const IrzTissueBox *box;
  IrzBoundary *boundary;
  IrzMesh *mesh;
  IrzFit *fit;
  int32_t n_old;              ///< vertices before the cuts
  int32_t n_points;           ///< of the boundary before the cuts
  int32_t *added, added_held; ///< vertices that are new points of the boundary
  int32_t vertices_held, tets_held;
  Cut *cut;
  int32_t n_cuts, cuts_held;
  int32_t *first; ///< [n_old] or -1
  bool giving_up; ///< elements that are nearly degenerate are to vanish at any cost
} Fitting;

static double *point_of(const Fitting *f, int32_t v) {
  return &f->mesh->xyz[3 * (size_t)v];
}

static int lowest_bit(uint32_t bits) {
  int k = 0;
  while ((bits >> k & 1) == 0) k++;
  return k;
}

static bool several(uint32_t bits) {
  return (bits & (bits - 1)) != 0;
}

/// Of some tissues the one whose function is largest at a point.
static int best_of(const IrzSmoothLabels *smooth, uint32_t tissues, const double x[3], double *most) {
  int best = -1;
  *most = -INFINITY;
  for (int t = 0; t < IRZ_SMOOTH_MAX; t++) {
    if ((tissues >> t & 1) == 0) continue;
    double here = irz_smooth_value(smooth, t, x, NULL);
    if (best >= 0 && here <= *most) continue;
    best = t;
    *most = here;
  }
  return best;
}

/// Point of an edge; on a needle's wall it is on the wall.
/// @param[out] point  what a new point of the boundary there is
static void edge_point(const Fitting *f, const Cut *cut, double at, IrzBoundaryPoint *point) {
  const double *a = point_of(f, cut->end[0]), *b = point_of(f, cut->end[1]);
  *point = (IrzBoundaryPoint){.needle = -1, .kind = IRZ_POINT_FLAT};
  for (int k = 0; k < 3; k++) point->x[k] = (1 - at) * a[k] + at * b[k];
  if (!cut->boundary) return;
  const IrzBoundaryPoint *from = &f->boundary->point[cut->end[0]], *to = &f->boundary->point[cut->end[1]];
  if (from->needle >= 0 && from->needle == to->needle) point->needle = from->needle;
  if (point->needle < 0 || from->kind == IRZ_POINT_FLAT || to->kind == IRZ_POINT_FLAT) return;
  const IrzNeedle *needle = &f->box->needle[point->needle];
  point->kind = from->kind == to->kind ? from->kind : IRZ_POINT_WALL;
  point->angle = from->angle + at * remainder(to->angle - from->angle, 2 * M_PI);
  point->z = (1 - at) * from->z + at * to->z;
  if (from->kind == IRZ_POINT_DOME || to->kind == IRZ_POINT_DOME) {
    double center[3], out[3];
    point->kind = IRZ_POINT_DOME;
    irz_needle_point(needle, 0, 0, needle->radius, center);
    irz_subtract(point->x, center, out);
    double scale = needle->radius / sqrt(irz_dot(out, out));
    for (int k = 0; k < 3; k++) point->x[k] = center[k] + scale * out[k];
    return;
  }
  if (point->kind == IRZ_POINT_EXIT) point->z = irz_needle_exit(f->box, needle, point->angle, needle->radius, NULL);
  if (point->kind == IRZ_POINT_RIM) point->z = irz_needle_height(needle, point->angle, needle->radius);
  irz_needle_point(needle, point->angle, needle->radius, point->z, point->x);
}

/// Find where an edge leaves the tissues of its first end for those of its second: secants, kept between brackets
/// (Illinois).
static double find_crossing(const Fitting *f, const Cut *cut, uint32_t here, uint32_t there, double end) {
  double low = 0, high = end, value[2] = {0}, at = 0;
  for (int round = 0, side = 0; round < 40; round++) {
    IrzBoundaryPoint point;
    double inside, outside;
    at = round < 2 ? (round == 0 ? low : high) : (value[0] * high - value[1] * low) / (value[0] - value[1]);
    edge_point(f, cut, at, &point);
    best_of(f->smooth, here, point.x, &inside);
    best_of(f->smooth, there, point.x, &outside);
    double difference = inside - outside;
    if (round < 2) {
      value[round] = difference;
      if ((difference > 0) != (round == 0)) return at; /* it is there already */
      continue;
    }
    if (fabs(difference) < 1e-5 || high - low < 1e-7) break;
    int which = difference > 0 ? 0 : 1;
    value[which] = difference;
    if (which == 0) low = at;
    if (which == 1) high = at;
    if (side == which + 1) value[1 - which] /= 2;
    side = which + 1;
  }
  return at;
}

/// Find where an edge crosses a surface first, and the tissues there.
static void cross(const Fitting *f, Cut *cut) {
  uint32_t here = f->fit->sides[cut->end[0]], there = f->fit->sides[cut->end[1]];
  double end = 1, most = 0, third = 0;
  for (int round = 0; round < 3; round++) {
    IrzBoundaryPoint point;
    cut->at = find_crossing(f, cut, here, there, end);
    edge_point(f, cut, cut->at, &point);
    int one = best_of(f->smooth, here, point.x, &most), other = best_of(f->smooth, there, point.x, &third);
    cut->meet = 1U << one | 1U << other;
    int found = irz_smooth_tissue(f->smooth, point.x);
    if (found < 0 || (cut->meet >> found & 1)) return;
    best_of(f->smooth, 1U << found, point.x, &third);
    if (third < most + 1e-3) return;
    there = 1U << found;
    end = cut->at;
  }
}

static Cut *find_cut(const Fitting *f, int32_t a, int32_t b) {
  int32_t low = a < b ? a : b, high = a < b ? b : a;
  if (low >= f->n_old) return NULL;
  int32_t i = f->first[low];
  while (i >= 0 && f->cut[i].end[1] != high) i = f->cut[i].next;
  return i >= 0 ? &f->cut[i] : NULL;
}

/// Whether two vertices are in no common tissue.
static bool apart(const Fitting *f, int32_t a, int32_t b) {
  uint32_t one = f->fit->sides[a], other = f->fit->sides[b];
  return one != 0 && other != 0 && (one & other) == 0;
}

/// The edge between two vertices.
static Cut edge_between(const Fitting *f, int32_t a, int32_t b) {
  Cut cut = {.end = {a < b ? a : b, a < b ? b : a}, .middle = -1};
  double along[3];
  irz_subtract(point_of(f, a), point_of(f, b), along);
  cut.square = irz_dot(along, along);
  return cut;
}

static IrzCode add_cut(Fitting *f, const Cut *cut, IrzError *error) {
  if (f->n_cuts == f->cuts_held) {
    f->cuts_held = 2 * f->cuts_held + 1024;
    IRZ_TRY(irz_resize(&f->cut, (size_t)f->cuts_held, sizeof *f->cut, error));
  }
  f->cut[f->n_cuts] = *cut;
  f->cut[f->n_cuts].next = f->first[cut->end[0]];
  f->first[cut->end[0]] = f->n_cuts++;
  return IRZ_OK;
}

/// Whether an edge passes through a tissue that neither of its ends is in: deep enough, and not at a surface.
/// @param[in,out] cut  the edge; where to cut it is set
static bool passes_through(const Fitting *f, Cut *cut) {
  const double *start = point_of(f, cut->end[0]), *end = point_of(f, cut->end[1]);
  uint32_t sides = f->fit->sides[cut->end[0]] | f->fit->sides[cut->end[1]];
  double along[3], deepest = 0;
  int there = 0, beside = 0;
  irz_subtract(end, start, along);
  double square = irz_dot(along, along);
  for (int i = 1; i < 4; i++) {
    double x[3], slope[2][3], steep[3], own;
    for (int k = 0; k < 3; k++) x[k] = start[k] + along[k] * i / 4;
    if (irz_label_distance(f->field, x) > sqrt(square) / 2 + 2 * f->field->label_step) continue;
    int tissue = irz_smooth_tissue(f->smooth, x);
    if (tissue < 0 || (sides >> tissue & 1)) continue;
    int best = best_of(f->smooth, sides, x, &own);
    own = irz_smooth_value(f->smooth, best, x, slope[1]);
    double other = irz_smooth_value(f->smooth, tissue, x, slope[0]);
    irz_subtract(slope[0], slope[1], steep);
    double depth = (other - own) / sqrt(irz_dot(steep, steep) * square);
    if (!(depth > HIDDEN && depth > deepest)) continue;
    deepest = depth, there = tissue, beside = best;
    cut->at = i / 4.0;
    cut->meet = 1U << tissue;
    memcpy(cut->x, x, sizeof x);
  }
  cut->inside = cut->meet;
  if (!cut->boundary && deepest > 0 && deepest < SHALLOW &&
      irz_smooth_project(f->smooth, there, beside, 0, 1.5 * SHALLOW * sqrt(square), cut->x)) {
    cut->beside = 1;
    cut->meet |= 1U << beside;
  }
  return deepest > (cut->boundary ? SHALLOW : HIDDEN);
}

/// Whether a tetrahedron is so far from all surfaces that none can run through it.
static bool is_far(const Fitting *f, int32_t tet) {
  const int32_t *v = &f->mesh->tet[4 * (size_t)tet];
  double centre[3] = {0}, square = 0;
  for (int c = 0; c < 4; c++) {
    for (int k = 0; k < 3; k++) centre[k] += point_of(f, v[c])[k] / 4;
  }
  for (int c = 0; c < 4; c++) {
    double away[3];
    irz_subtract(point_of(f, v[c]), centre, away);
    square = fmax(square, irz_dot(away, away));
  }
  return irz_label_distance(f->field, centre) > sqrt(square) + 2 * f->field->label_step;
}

/// Begin a new list of cuts.
static IrzCode begin_cuts(Fitting *f, IrzError *error) {
  f->n_cuts = 0;
  f->n_old = f->mesh->n_vertices;
  IRZ_TRY(irz_resize(&f->first, (size_t)f->n_old, sizeof *f->first, error));
  memset(f->first, 0xff, (size_t)f->n_old * sizeof *f->first);
  return IRZ_OK;
}

/// Tell which cuts are on the boundary.
static void find_boundary(Fitting *f) {
  for (int32_t t = 0; t < f->boundary->n_triangles; t++) {
    const int32_t *v = f->boundary->triangle[t];
    for (int k = 0; k < 3; k++) {
      Cut *cut = find_cut(f, v[k], v[(k + 1) % 3]);
      if (cut != NULL) cut->boundary = true;
    }
  }
}

/// List the edges that pass through a tissue.
static IrzCode find_hidden(Fitting *f, IrzError *error) {
  IRZ_TRY(begin_cuts(f, error));
  for (int32_t t = 0; t < f->mesh->n_tets; t++) {
    const int32_t *v = &f->mesh->tet[4 * (size_t)t];
    for (int e = is_far(f, t) ? 6 : 0; e < 6; e++) {
      int32_t a = v[irz_tet_edge[e][0]], b = v[irz_tet_edge[e][1]];
      if (f->fit->sides[a] == 0 || f->fit->sides[b] == 0) continue;
      Cut cut = edge_between(f, a, b);
      cut.boundary = a < f->n_points && b < f->n_points; /* or through the tissue: then it is not cut beside itself */
      if (!passes_through(f, &cut) || find_cut(f, a, b) != NULL) continue;
      cut.boundary = false;
      IRZ_TRY(add_cut(f, &cut, error));
    }
  }
  find_boundary(f);
  return IRZ_OK;
}

/// List the edges that cross surfaces.
static IrzCode find_cuts(Fitting *f, IrzError *error) {
  IRZ_TRY(begin_cuts(f, error));
  for (int32_t t = 0; t < f->mesh->n_tets; t++) {
    const int32_t *v = &f->mesh->tet[4 * (size_t)t];
    for (int e = 0; e < 6; e++) {
      int32_t a = v[irz_tet_edge[e][0]], b = v[irz_tet_edge[e][1]];
      if (!apart(f, a, b) || find_cut(f, a, b) != NULL) continue;
      Cut cut = edge_between(f, a, b);
      IRZ_TRY(add_cut(f, &cut, error));
    }
  }
  find_boundary(f);
  for (int32_t i = 0; i < f->n_cuts; i++) cross(f, &f->cut[i]);
  return IRZ_OK;
}

/* ---- Moving vertices ---- */

int irz_fit_fixed(const IrzTissueBox *box, const IrzBoundary *boundary, int32_t vertex) {
  if (vertex >= boundary->n_points) return 0;
  const IrzBoundaryPoint *point = &boundary->point[vertex];
  int fixed = 0;
  if (point->needle >= 0 || point->kind != IRZ_POINT_FLAT) return 7;
  for (int k = 0; k < 3; k++) {
    double tolerance = 1e-9 * (box->upper[k] - box->lower[k]);
    if (fabs(point->x[k] - box->lower[k]) <= tolerance || fabs(point->x[k] - box->upper[k]) <= tolerance)
      fixed |= 1 << k;
  }
  return fixed != 0 ? fixed : 7;
}

/// The cuts and the tetrahedra at each vertex.
typedef struct {
  int32_t *cut_start, *cut; ///< [n_old + 1], [2 n_cuts]
  int32_t *tet_start, *tet; ///< [n_old + 1], [...] of the vertices with cuts
} Around;

static void around_free(Around *around) {
  free(around->cut_start);
  free(around->cut);
  free(around->tet_start);
  free(around->tet);
}

static IrzCode find_around(const Fitting *f, Around *around, IrzError *error) {
  size_t n = (size_t)f->n_old + 2;
  int32_t n_tets = f->mesh->n_tets;
  IRZ_TRY(irz_alloc(&around->cut_start, n, sizeof *around->cut_start, error));
  IRZ_TRY(irz_alloc(&around->tet_start, n, sizeof *around->tet_start, error));
  IRZ_TRY(irz_alloc(&around->cut, 2 * (size_t)f->n_cuts, sizeof *around->cut, error));
  for (int32_t i = 0; i < f->n_cuts; i++) {
    for (int k = 0; k < 2; k++) around->cut_start[f->cut[i].end[k] + 2]++;
  }
  for (int32_t v = 0; v < f->n_old; v++) around->cut_start[v + 2] += around->cut_start[v + 1];
  for (int32_t i = 0; i < f->n_cuts; i++) {
    for (int k = 0; k < 2; k++) around->cut[around->cut_start[f->cut[i].end[k] + 1]++] = i;
  }
  for (size_t i = 0; i < 4 * (size_t)n_tets; i++) {
    int32_t v = f->mesh->tet[i];
    if (around->cut_start[v + 1] > around->cut_start[v]) around->tet_start[v + 2]++;
  }
  for (int32_t v = 0; v < f->n_old; v++) around->tet_start[v + 2] += around->tet_start[v + 1];
  IRZ_TRY(irz_alloc(&around->tet, (size_t)around->tet_start[f->n_old + 1], sizeof *around->tet, error));
  for (size_t i = 0; i < 4 * (size_t)n_tets; i++) {
    int32_t v = f->mesh->tet[i];
    if (around->cut_start[v + 1] > around->cut_start[v]) around->tet[around->tet_start[v + 1]++] = (int32_t)(i / 4);
  }
  return IRZ_OK;
}

static double worst_around(const Fitting *f, const Around *around, int32_t v) {
  double worst = INFINITY;
  for (int32_t i = around->tet_start[v]; i < around->tet_start[v + 1]; i++) {
    worst = fmin(worst, irz_tet_smallest_sine(f->mesh, around->tet[i]));
  }
  return worst;
}

/// Put a vertex somewhere else if the elements there stay good enough.
static bool try_place(Fitting *f, const Around *around, int32_t v, const double x[3]) {
  double old[3], before = worst_around(f, around, v);
  memcpy(old, point_of(f, v), sizeof old);
  memcpy(point_of(f, v), x, sizeof old);
  if (worst_around(f, around, v) < fmin(WORSE * before, GOOD)) {
    memcpy(point_of(f, v), old, sizeof old);
    return false;
  }
  if (v < f->n_points) memcpy(f->boundary->point[v].x, x, sizeof old);
  return true;
}

/// A vertex, and how close to it its nearest cut is.
typedef struct {
  int32_t vertex;
  double share;
} Near;

static int compare_near(const void *left, const void *right) {
  const Near *a = left, *b = right;
  if (a->share != b->share) return a->share < b->share ? -1 : 1;
  return (a->vertex > b->vertex) - (a->vertex < b->vertex);
}

/// The nearest cut at a vertex that still divides two tissues, or NULL.
static const Cut *nearest_cut(const Fitting *f, const Around *around, int32_t v, double *share) {
  const Cut *nearest = NULL;
  *share = 1;
  for (int32_t i = around->cut_start[v]; i < around->cut_start[v + 1]; i++) {
    const Cut *cut = &f->cut[around->cut[i]];
    double here = cut->end[0] == v ? cut->at : 1 - cut->at;
    if (here >= *share || !apart(f, cut->end[0], cut->end[1])) continue;
    nearest = cut;
    *share = here;
  }
  return nearest;
}

/// Slide a point of a needle's wall to the surface between two tissues, and where bare metal ends only around.
static bool slide(const Fitting *f, IrzBoundaryPoint *point, int one, int other, double reach) {
  if (point->needle < 0 || point->kind != IRZ_POINT_WALL) return false;
  const IrzNeedle *needle = &f->box->needle[point->needle];
  const double start[3] = {point->x[0], point->x[1], point->x[2]};
  bool end = fabs(point->z - needle->shoulder) < 1e-6 * needle->radius;
  for (int k = 0; k < needle->n_bare; k++) {
    for (int side = 0; side < 2; side++) end = end || fabs(point->z - needle->bare[k][side]) < 1e-6 * needle->radius;
  }
  for (int round = 0; round < 12; round++) {
    double slope[2][3], steep[3], along = 0, turn = 0, away[3];
    double difference =
        irz_smooth_value(f->smooth, one, point->x, slope[0]) - irz_smooth_value(f->smooth, other, point->x, slope[1]);
    irz_subtract(slope[0], slope[1], steep);
    if (!end) along = irz_dot(steep, needle->axis);
    for (int k = 0; k < 3; k++) {
      turn += steep[k] * (cos(point->angle) * needle->v[k] - sin(point->angle) * needle->u[k]);
    }
    double square = along * along + turn * turn;
    if (!(square > 0)) return false;
    point->z -= difference * along / square;
    point->angle -= difference * turn / (square * needle->radius);
    irz_needle_point(needle, point->angle, needle->radius, point->z, point->x);
    irz_subtract(point->x, start, away);
    if (!(irz_dot(away, away) <= reach * reach)) return false;
    if (fabs(difference) < 1e-5) return true;
  }
  return false;
}

/// Move a vertex onto the surface near it.
static void snap(Fitting *f, const Around *around, int32_t v) {
  double share, x[3];
  const Cut *cut = nearest_cut(f, around, v, &share);
  if (cut == NULL || share > SNAP) return;
  int fixed = several(f->fit->sides[v]) ? 7 : irz_fit_fixed(f->box, f->boundary, v), one = lowest_bit(cut->meet);
  int other = lowest_bit(cut->meet & ~(1U << one));
  double reach = SNAP * sqrt(cut->square);
  bool placed = false;
  if (v < f->n_points && f->boundary->point[v].needle >= 0 && !several(f->fit->sides[v])) {
    IrzBoundaryPoint point = f->boundary->point[v];
    placed = slide(f, &point, one, other, reach) && try_place(f, around, v, point.x);
    if (placed) f->boundary->point[v] = point;
  } else if (fixed != 7) {
    memcpy(x, point_of(f, v), sizeof x);
    placed = irz_smooth_project(f->smooth, one, other, fixed, reach, x) && try_place(f, around, v, x);
  }
  if (!placed && fixed == 0) {
    IrzBoundaryPoint point;
    edge_point(f, cut, cut->at, &point);
    placed = try_place(f, around, v, point.x);
  }
  if (placed || share < (several(f->fit->sides[v]) ? SAME_LINE : SAME)) f->fit->sides[v] |= cut->meet;
}

static IrzCode snap_all(Fitting *f, IrzError *error) {
  Around around = {0};
  Near *near = NULL;
  int32_t count = 0;
  IrzCode code = find_around(f, &around, error);
  if (code == IRZ_OK) code = irz_alloc(&near, 2 * (size_t)f->n_cuts, sizeof *near, error);
  for (int32_t v = 0; v < f->n_old && code == IRZ_OK; v++) {
    Near here = {.vertex = v};
    if (nearest_cut(f, &around, v, &here.share) != NULL && here.share <= SNAP) near[count++] = here;
  }
  if (code == IRZ_OK) {
    qsort(near, (size_t)count, sizeof *near, compare_near);
    for (int32_t i = 0; i < count; i++) snap(f, &around, near[i].vertex);
  }
  around_free(&around);
  free(near);
  return code;
}

/* ---- Cutting edges ---- */

/// Make the vertex where an edge is cut.
static IrzCode add_vertex(Fitting *f, Cut *cut, IrzError *error) {
  IrzMesh *mesh = f->mesh;
  IrzBoundaryPoint point;
  edge_point(f, cut, cut->at, &point);
  if (cut->beside) memcpy(point.x, cut->x, sizeof point.x);
  if (mesh->n_vertices == f->vertices_held) {
    f->vertices_held += f->vertices_held / 8 + 1024;
    IRZ_TRY(irz_resize(&mesh->xyz, (size_t)f->vertices_held, 3 * sizeof *mesh->xyz, error));
    IRZ_TRY(irz_resize(&f->fit->sides, (size_t)f->vertices_held, sizeof *f->fit->sides, error));
  }
  cut->middle = mesh->n_vertices++;
  memcpy(point_of(f, cut->middle), point.x, sizeof point.x);
  f->fit->sides[cut->middle] = cut->meet;
  if (!cut->boundary) return IRZ_OK;
  int32_t index, k = f->boundary->n_points - f->n_points;
  if (k == f->added_held) {
    f->added_held = 2 * f->added_held + 256;
    IRZ_TRY(irz_resize(&f->added, (size_t)f->added_held, sizeof *f->added, error));
  }
  f->added[k] = cut->middle;
  return irz_boundary_point(f->boundary, &point, &index, error);
}

/// The longest edge of a simplex that is cut, so that its neighbours agree; NULL if none is.
/// @param[out] ends  which of its corners
static const Cut *longest_cut(const Fitting *f, const int32_t *corner, int n, int ends[2]) {
  const Cut *longest = NULL;
  for (int i = 0; i < n; i++) {
    for (int j = i + 1; j < n; j++) {
      const Cut *cut = find_cut(f, corner[i], corner[j]);
      if (cut == NULL || cut->middle < 0) continue;
      bool longer =
          longest == NULL || cut->square > longest->square ||
          (cut->square == longest->square &&
           (cut->end[0] < longest->end[0] || (cut->end[0] == longest->end[0] && cut->end[1] < longest->end[1])));
      if (!longer) continue;
      longest = cut;
      ends[0] = i, ends[1] = j;
    }
  }
  return longest;
}

/// Cut a tetrahedron into pieces; the first takes its place.
static IrzCode cut_tet(Fitting *f, int32_t tet, IrzError *error) {
  int ends[2];
  for (;;) {
    IrzMesh *mesh = f->mesh;
    const Cut *cut = longest_cut(f, &mesh->tet[4 * (size_t)tet], 4, ends);
    if (cut == NULL) return IRZ_OK;
    if (mesh->n_tets == f->tets_held) {
      f->tets_held += f->tets_held / 8 + 4096;
      IRZ_TRY(irz_resize(&mesh->tet, (size_t)f->tets_held, 4 * sizeof *mesh->tet, error));
    }
    int32_t piece = mesh->n_tets++;
    memcpy(&mesh->tet[4 * (size_t)piece], &mesh->tet[4 * (size_t)tet], 4 * sizeof *mesh->tet);
    mesh->tet[4 * (size_t)tet + (size_t)ends[0]] = cut->middle;
    mesh->tet[4 * (size_t)piece + (size_t)ends[1]] = cut->middle;
    IRZ_TRY(cut_tet(f, piece, error)); /* at most as deep as it has edges */
  }
}

/// The same for a triangle of the boundary.
static IrzCode cut_triangle(Fitting *f, int32_t t, IrzError *error) {
  int ends[2];
  for (;;) {
    int32_t *v = f->boundary->triangle[t];
    const Cut *cut = longest_cut(f, v, 3, ends);
    if (cut == NULL) return IRZ_OK;
    int32_t piece[3] = {v[0], v[1], v[2]};
    v[ends[0]] = cut->middle;
    piece[ends[1]] = cut->middle;
    int32_t last = f->boundary->n_triangles;
    IRZ_TRY(irz_boundary_triangle(f->boundary, piece[0], piece[1], piece[2], f->boundary->surface[t], error));
    IRZ_TRY(cut_triangle(f, last, error));
  }
}

/// Bring vertices beside cut edges closer to them where elements are turned inside out or flat, at last onto them.
static IrzCode put_back(Fitting *f, IrzError *error) {
  IrzMesh *mesh = f->mesh;
  bool *bad, any = true;
  IRZ_TRY(irz_alloc(&bad, (size_t)(mesh->n_vertices - f->n_old), sizeof *bad, error));
  while (any) {
    any = false;
    for (int32_t t = 0; t < mesh->n_tets; t++) {
      const int32_t *v = &mesh->tet[4 * (size_t)t];
      bool fresh = v[0] >= f->n_old || v[1] >= f->n_old || v[2] >= f->n_old || v[3] >= f->n_old;
      if (!fresh || irz_tet_smallest_sine(mesh, t) > FLATTEST) continue;
      for (int c = 0; c < 4; c++) {
        if (v[c] >= f->n_old) bad[v[c] - f->n_old] = true;
      }
    }
    for (int32_t i = 0; i < f->n_cuts; i++) {
      Cut *cut = &f->cut[i];
      if (cut->beside == 0 || cut->middle < 0 || !bad[cut->middle - f->n_old]) continue;
      IrzBoundaryPoint point;
      edge_point(f, cut, cut->at, &point);
      double share = --cut->beside > 0 ? 0.5 : 0;
      for (int k = 0; k < 3; k++) {
        double *x = &point_of(f, cut->middle)[k];
        *x = point.x[k] + share * (*x - point.x[k]);
      }
      if (cut->beside == 0) f->fit->sides[cut->middle] = cut->inside;
      any = true;
    }
    memset(bad, 0, (size_t)(mesh->n_vertices - f->n_old) * sizeof *bad);
  }
  free(bad);
  return IRZ_OK;
}

/// Cut edges at a vertex each.
/// @param[in] all  also those whose ends are in a common tissue
static IrzCode cut_all(Fitting *f, bool all, IrzError *error) {
  int32_t n_tets = f->mesh->n_tets, n_triangles = f->boundary->n_triangles;
  for (int32_t i = 0; i < f->n_cuts; i++) {
    if (f->cut[i].at < 0) continue;
    if (all || apart(f, f->cut[i].end[0], f->cut[i].end[1])) IRZ_TRY(add_vertex(f, &f->cut[i], error));
  }
  for (int32_t t = 0; t < n_tets; t++) {
    IRZ_TRY(cut_tet(f, t, error));
  }
  for (int32_t t = 0; t < n_triangles; t++) IRZ_TRY(cut_triangle(f, t, error));
  return all ? put_back(f, error) : IRZ_OK;
}

/// Number the vertices so that the boundary's come first again.
static IrzCode renumber(Fitting *f, IrzError *error) {
  IrzMesh *mesh = f->mesh;
  int32_t n_added = f->boundary->n_points - f->n_points, *number = NULL;
  double *xyz = NULL;
  uint32_t *sides = NULL;
  size_t n = (size_t)mesh->n_vertices;
  if (n_added == 0) return IRZ_OK;
  IrzCode code = irz_alloc(&number, n, sizeof *number, error);
  if (code == IRZ_OK) code = irz_alloc_unset(&xyz, n, 3 * sizeof *xyz, error);
  if (code == IRZ_OK) code = irz_alloc_unset(&sides, n, sizeof *sides, error);
  if (code != IRZ_OK) {
    free(number);
    free(xyz);
    free(sides);
    return code;
  }
  for (int32_t v = 0; v < f->n_points; v++) number[v] = 1 + v;
  for (int32_t k = 0; k < n_added; k++) number[f->added[k]] = 1 + f->n_points + k;
  int32_t next = f->boundary->n_points;
  for (int32_t v = 0; v < mesh->n_vertices; v++) {
    if (number[v] == 0) number[v] = 1 + next++;
    memcpy(&xyz[3 * (size_t)(number[v] - 1)], point_of(f, v), 3 * sizeof *xyz);
    sides[number[v] - 1] = f->fit->sides[v];
  }
  for (size_t i = 0; i < 4 * (size_t)mesh->n_tets; i++) mesh->tet[i] = number[mesh->tet[i]] - 1;
  for (int32_t t = 0; t < f->boundary->n_triangles; t++) {
    for (int k = 0; k < 3; k++) f->boundary->triangle[t][k] = number[f->boundary->triangle[t][k]] - 1;
  }
  free(number);
  free(mesh->xyz);
  free(f->fit->sides);
  mesh->xyz = xyz;
  f->fit->sides = sides;
  f->n_points = f->boundary->n_points;
  f->vertices_held = mesh->n_vertices;
  return IRZ_OK;
}

/* ---- Which tissue ---- */

/// Corners of a tetrahedron that the points have weights from at which is_within() looks: those of its edges, its
/// faces, and all, a bit each.
static const uint8_t looked_at[11] = {3, 6, 5, 9, 12, 10, 14, 13, 11, 7, 15};

/// Whether a tetrahedron is in one tissue although no vertex says otherwise. Edges and faces on a surface will be bent
/// to it: they are not looked at.
static bool is_within(const IrzSmoothLabels *smooth, const IrzMesh *mesh, const uint32_t *sides, int32_t tet,
                      int tissue) {
  const int32_t *v = &mesh->tet[4 * (size_t)tet];
  double shortest, longest;
  irz_tet_determinant(mesh->xyz, v, &shortest, &longest);
  for (int i = 0; i < 11; i++) {
    double x[3] = {0}, count = 0, slope[2][3], steep[3];
    uint32_t common = UINT32_MAX;
    for (int c = 0; c < 4; c++) count += looked_at[i] >> c & 1;
    for (int c = 0; c < 4; c++) {
      if ((looked_at[i] >> c & 1) == 0) continue;
      for (int k = 0; k < 3; k++) x[k] += mesh->xyz[3 * (size_t)v[c] + (size_t)k] / count;
      common &= sides[v[c]];
    }
    int there = irz_smooth_tissue(smooth, x);
    if (there == tissue || (there >= 0 && i < 10 && (common >> there & 1))) continue;
    if (there < 0) return false;
    double other = irz_smooth_value(smooth, there, x, slope[0]);
    double own = irz_smooth_value(smooth, tissue, x, slope[1]);
    irz_subtract(slope[0], slope[1], steep);
    if (!(other - own <= DEPTH * sqrt(longest * irz_dot(steep, steep)))) return false;
  }
  return true;
}

/* ---- Surfaces that bulge ---- */

/// The tissue of an element that no vertex says is in another, or -1.
static int common_tissue(const Fitting *f, int32_t tet) {
  const int32_t *v = &f->mesh->tet[4 * (size_t)tet];
  const uint32_t *sides = f->fit->sides;
  uint32_t common = sides[v[0]] & sides[v[1]] & sides[v[2]] & sides[v[3]];
  double x[3] = {0}, most;
  if (!several(common)) return common == 0 ? -1 : lowest_bit(common);
  for (int c = 0; c < 4; c++) {
    for (int k = 0; k < 3; k++) x[k] += point_of(f, v[c])[k] / 4;
  }
  return best_of(f->smooth, common, x, &most);
}

/// Choose where to cut an edge on a surface: at the surface beside its middle. One that is close enough to it, or on
/// the boundary, is not cut.
static void choose_bulge(const Fitting *f, Cut *cut) {
  double away[3];
  cut->at = -1;
  if (!several(cut->meet) || cut->boundary) return;
  int one = lowest_bit(cut->meet), other = lowest_bit(cut->meet & ~(1U << one));
  const double *a = point_of(f, cut->end[0]), *b = point_of(f, cut->end[1]);
  for (int k = 0; k < 3; k++) cut->x[k] = (a[k] + b[k]) / 2;
  if (!irz_smooth_project(f->smooth, one, other, 0, SHALLOW * sqrt(cut->square), cut->x)) return;
  for (int k = 0; k < 3; k++) away[k] = cut->x[k] - (a[k] + b[k]) / 2;
  if (irz_dot(away, away) < BULGE * BULGE * cut->square) return;
  cut->at = 0.5;
  cut->inside = cut->meet;
  cut->beside = 3;
}

/// List the edges on surfaces that are too far from them.
static IrzCode find_bulges(Fitting *f, IrzError *error) {
  IRZ_TRY(begin_cuts(f, error));
  for (int32_t t = 0; t < f->mesh->n_tets; t++) {
    const int32_t *v = &f->mesh->tet[4 * (size_t)t];
    int tissue = -1;
    for (int e = 0; e < 6; e++) {
      int32_t a = v[irz_tet_edge[e][0]], b = v[irz_tet_edge[e][1]];
      uint32_t common = f->fit->sides[a] & f->fit->sides[b];
      if (!several(common)) continue;
      if (tissue < 0) tissue = common_tissue(f, t);
      if (tissue < 0) break;
      if (find_cut(f, a, b) == NULL) {
        Cut cut = edge_between(f, a, b);
        IRZ_TRY(add_cut(f, &cut, error));
      }
      find_cut(f, a, b)->meet |= (1U << tissue) & common;
    }
  }
  find_boundary(f);
  for (int32_t i = 0; i < f->n_cuts; i++) choose_bulge(f, &f->cut[i]);
  return IRZ_OK;
}

/// What holds vertices on their surfaces while the mesh is mended.
static bool hold(const void *context, int32_t vertex, double x[3]) {
  const Fitting *f = context;
  uint32_t sides = f->fit->sides[vertex];
  if (!several(sides)) return true;
  int one = lowest_bit(sides), other = lowest_bit(sides & ~(1U << one));
  if (several(sides & ~(1U << one))) return false;
  return irz_smooth_project(f->smooth, one, other, 0, INFINITY, x);
}

/// Whether a vertex may be where another one is: all its tissues meet there, too, and what is between them is the
/// surface that both are on. Where lines are not followed by vertices exactly, they may be close to each other.
static bool may_merge(const void *context, int32_t from, int32_t to, double share) {
  const Fitting *f = context;
  uint32_t sides = f->fit->sides[from];
  if (f->giving_up) return sides != 0 && f->fit->sides[to] != 0;
  if (sides == 0 || f->fit->sides[to] == 0) return sides == f->fit->sides[to];
  if ((sides & ~f->fit->sides[to]) != 0) return several(sides) && several(f->fit->sides[to]) && share < CLOSE;
  if (!several(sides) || share < CLOSE) return true;
  if (share > SHORT_ON) return false;
  int one = lowest_bit(sides), other = lowest_bit(sides & ~(1U << one));
  if (several(sides & ~(1U << one))) return false;
  double along[3], middle[3], slope[2][3], steep[3];
  irz_subtract(point_of(f, to), point_of(f, from), along);
  for (int k = 0; k < 3; k++) middle[k] = point_of(f, from)[k] + along[k] / 2;
  double difference =
      irz_smooth_value(f->smooth, one, middle, slope[0]) - irz_smooth_value(f->smooth, other, middle, slope[1]);
  irz_subtract(slope[0], slope[1], steep);
  return difference * difference <= DEPTH * DEPTH * irz_dot(along, along) * irz_dot(steep, steep);
}

static void merged(void *context, int32_t from, int32_t to) {
  Fitting *f = context;
  f->fit->sides[to] |= f->fit->sides[from];
}

/// Mend the elements that are nearly degenerate; what leaves its surface for that is not on it any longer.
static IrzCode give_up(Fitting *f, IrzError *error) {
  const IrzMerge merging = {may_merge, merged, f, WORST, SHORT_WORST};
  const IrzMesh *mesh = f->mesh;
  double *before;
  f->giving_up = true;
  IRZ_TRY(irz_mesh_collapse(f->boundary->n_points, &merging, f->mesh, error));
  IRZ_TRY(irz_alloc_unset(&before, (size_t)mesh->n_vertices, 3 * sizeof *before, error));
  memcpy(before, mesh->xyz, (size_t)mesh->n_vertices * 3 * sizeof *before);
  IrzCode code = irz_mesh_mend_flattest(f->boundary->n_points, f->mesh, error);
  for (int32_t v = f->boundary->n_points; v < mesh->n_vertices && code == IRZ_OK; v++) {
    const double *old = &before[3 * (size_t)v], *now = point_of(f, v);
    if (old[0] == now[0] && old[1] == now[1] && old[2] == now[2]) continue;
    int tissue = irz_smooth_tissue(f->smooth, point_of(f, v));
    f->fit->sides[v] = tissue < 0 ? 0 : 1U << tissue;
  }
  free(before);
  return code;
}

static IrzCode fit(Fitting *f, IrzError *error) {
  IrzMesh *mesh = f->mesh;
  IRZ_TRY(irz_alloc(&f->fit->sides, (size_t)mesh->n_vertices, sizeof *f->fit->sides, error));
  for (int32_t v = 0; v < mesh->n_vertices; v++) {
    int tissue = irz_smooth_tissue(f->smooth, point_of(f, v));
    f->fit->sides[v] = tissue < 0 ? 0 : 1U << tissue;
  }
  for (int round = 0; round < ROUNDS_HIDDEN; round++) {
    IRZ_TRY(find_hidden(f, error));
    if (f->n_cuts == 0) break;
    IRZ_TRY(cut_all(f, true, error));
    IRZ_TRY(renumber(f, error));
  }
  for (int round = 0; round < ROUNDS; round++) {
    IRZ_TRY(find_cuts(f, error));
    if (f->n_cuts == 0) break;
    IRZ_TRY(snap_all(f, error));
    IRZ_TRY(cut_all(f, false, error));
    IRZ_TRY(renumber(f, error));
  }
  for (int round = 0; round < ROUNDS_BULGE; round++) {
    IRZ_TRY(find_bulges(f, error));
    IRZ_TRY(cut_all(f, true, error));
  }
  const IrzMerge merging = {may_merge, merged, f, POOR, SHORT};
  IRZ_TRY(irz_mesh_collapse(f->boundary->n_points, &merging, mesh, error));
  IRZ_TRY(irz_mesh_mend(f->boundary->n_points, hold, f, mesh, error));
  IRZ_TRY(irz_mesh_collapse(f->boundary->n_points, &merging, mesh, error));
  IRZ_TRY(give_up(f, error));
  IRZ_TRY(irz_alloc(&f->fit->tissue, (size_t)mesh->n_tets, 1, error));
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    int tissue = common_tissue(f, t);
    bool within = tissue >= 0 && (is_far(f, t) || is_within(f->smooth, mesh, f->fit->sides, t, tissue));
    f->fit->tissue[t] = within ? (uint8_t)tissue : IRZ_FIT_NONE;
  }
  return IRZ_OK;
}

IrzCode irz_mesh_fit(const IrzSizeField *field, IrzBoundary *boundary, IrzMesh *mesh, IrzFit *result, IrzError *error) {
  Fitting f = {.field = field,
               .smooth = &field->smooth,
               .box = field->box,
               .boundary = boundary,
               .mesh = mesh,
               .fit = result,
               .n_points = boundary->n_points,
               .vertices_held = mesh->n_vertices,
               .tets_held = mesh->n_tets};
  IrzCode code = fit(&f, error);
  free(f.cut);
  free(f.first);
  free(f.added);
  return code;
}

/* ---- Regions ---- */

/// Points inside a tetrahedron at which the map is asked: its corners, pulled towards the centre, and the centre.
enum { N_ASKED = 5 };

/// Give an element a region of its tissue: the one that the map shows most.
/// @return whether the element is in it as a whole, rather than where the map says so
static bool choose_region(const IrzSizeField *field, const IrzMesh *mesh, int32_t tet, int tissue, int32_t *region) {
  const int32_t *v = &mesh->tet[4 * (size_t)tet];
  int found[N_ASKED], most = 0;
  bool wrong = false, mixed = false;
  for (int i = 0; i < N_ASKED; i++) {
    double x[3];
    for (int k = 0; k < 3; k++) {
      double centre = 0;
      for (int c = 0; c < 4; c++) centre += mesh->xyz[3 * (size_t)v[c] + (size_t)k] / 4;
      x[k] = i == 4 ? centre : centre + 0.7 * (mesh->xyz[3 * (size_t)v[i] + (size_t)k] - centre);
    }
    found[i] = irz_label_map_region(field->labels, x);
    wrong = wrong || field->tissue_of[found[i]] != tissue;
    mixed = mixed || found[i] != found[0];
  }
  *region = -1;
  for (int i = 0; i < N_ASKED; i++) {
    int count = 0;
    for (int j = 0; j < N_ASKED; j++) count += found[j] == found[i];
    if (count <= most || field->tissue_of[found[i]] != tissue) continue;
    most = count;
    *region = found[i];
  }
  for (int r = 0; *region < 0; r++) {
    if (field->tissue_of[r] == tissue) *region = r;
  }
  return wrong || !mixed;
}

/// The map's region at the centre of an element.
static int32_t region_at_centre(const IrzSizeField *field, const IrzMesh *mesh, int32_t tet) {
  double x[3] = {0};
  for (int c = 0; c < 4; c++) {
    const double *corner = &mesh->xyz[3 * (size_t)mesh->tet[4 * (size_t)tet + (size_t)c]];
    for (int k = 0; k < 3; k++) x[k] += corner[k] / 4;
  }
  return irz_label_map_region(field->labels, x);
}

/// Whether an element holds a detail that the smooth surfaces leave out: the map is then asked at each of its points.
static bool holds_lost(const IrzSmoothLabels *smooth, const IrzMesh *mesh, int32_t tet) {
  enum { PARTS = 4 }; /* of each edge, between the points that are looked at */
  const double *corner[4];
  if (smooth->lost == NULL) return false;
  for (int i = 0; i < 4; i++) corner[i] = &mesh->xyz[3 * (size_t)mesh->tet[4 * (size_t)tet + (size_t)i]];
  for (int a = 0; a <= PARTS; a++) {
    for (int b = 0; a + b <= PARTS; b++) {
      for (int c = 0; a + b + c <= PARTS; c++) {
        const int d = PARTS - a - b - c;
        double x[3];
        for (int k = 0; k < 3; k++) {
          x[k] = (a * corner[0][k] + b * corner[1][k] + c * corner[2][k] + d * corner[3][k]) / PARTS;
        }
        if (irz_smooth_lost(smooth, x)) return true;
      }
    }
  }
  return false;
}

/// Whether an element is where surfaces were looked for and several tissues are around.
static bool is_cut(const IrzSizeField *field, const IrzFit *fit, const IrzMesh *mesh, int32_t tet) {
  uint32_t all = 0;
  for (int c = 0; c < 4; c++) {
    uint32_t sides = fit->sides[mesh->tet[4 * (size_t)tet + (size_t)c]];
    if (sides == 0) return false;
    all |= sides;
  }
  return several(all) || field->tissue_of[region_at_centre(field, mesh, tet)] != lowest_bit(all);
}

/// A face of an element on a surface between tissues.
typedef struct {
  int32_t corner[3]; ///< ascending
  uint8_t tissue;    ///< of the element
} Face;

static int compare_faces(const void *left, const void *right) {
  const Face *a = left, *b = right;
  for (int k = 0; k < 3; k++) {
    if (a->corner[k] != b->corner[k]) return a->corner[k] < b->corner[k] ? -1 : 1;
  }
  return (a->tissue > b->tissue) - (a->tissue < b->tissue);
}

/// List the faces on surfaces.
static IrzCode list_faces(const IrzFit *fit, const IrzMesh *mesh, Face **face, int32_t *count, IrzError *error) {
  int32_t room = 0;
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    const int32_t *v = &mesh->tet[4 * (size_t)t];
    for (int k = 0; k < 4 && fit->tissue[t] != IRZ_FIT_NONE; k++) {
      int32_t a = v[irz_tet_face[k][0]], b = v[irz_tet_face[k][1]], c = v[irz_tet_face[k][2]];
      if (!several(fit->sides[a] & fit->sides[b] & fit->sides[c])) continue;
      if (*count == room) {
        room = 2 * room + 1024;
        IRZ_TRY(irz_resize(face, (size_t)room, sizeof **face, error));
      }
      int32_t low = a < b ? a : b, high = a < b ? b : a;
      Face *next = &(*face)[(*count)++];
      *next = (Face){{low < c ? low : c, c < low ? low : c < high ? c : high, high > c ? high : c}, fit->tissue[t]};
    }
  }
  return IRZ_OK;
}

static double area_of(const IrzMesh *mesh, const int32_t corner[3]) {
  const double *x = mesh->xyz;
  return irz_triangle_area(&x[3 * (size_t)corner[0]], &x[3 * (size_t)corner[1]], &x[3 * (size_t)corner[2]]);
}

/// Add up the areas of faces between elements of different tissues, and about those inside elements: of a regular
/// tetrahedron of volume 1 a plane through the centre cuts out about 1.
static IrzCode measure(const IrzSizeField *field, const IrzFit *fit, IrzMesh *mesh, IrzError *error) {
  Face *face = NULL;
  int32_t count = 0;
  IrzCode code = list_faces(fit, mesh, &face, &count, error);
  if (code == IRZ_OK && count > 0) qsort(face, (size_t)count, sizeof *face, compare_faces);
  for (int32_t i = 1; i < count && code == IRZ_OK; i++) {
    bool same = memcmp(face[i].corner, face[i - 1].corner, sizeof face[i].corner) == 0;
    if (same && face[i].tissue != face[i - 1].tissue) mesh->fitted_area += area_of(mesh, face[i].corner);
  }
  free(face);
  for (int32_t t = 0; t < mesh->n_tets && code == IRZ_OK; t++) {
    double shortest, longest;
    if (fit->tissue[t] != IRZ_FIT_NONE || !is_cut(field, fit, mesh, t)) continue;
    double volume = irz_tet_determinant(mesh->xyz, &mesh->tet[4 * (size_t)t], &shortest, &longest) / 6;
    mesh->cut_area += pow(volume, 2.0 / 3);
  }
  return code;
}

IrzCode irz_fit_regions(const IrzSizeField *field, const IrzFit *fit, IrzMesh *mesh, IrzError *error) {
  const IrzLabelMap *labels = field->labels;
  mesh->n_regions = labels->n_regions;
  IRZ_TRY(irz_alloc(&mesh->regions, (size_t)mesh->n_regions, sizeof *mesh->regions, error));
  IRZ_TRY(irz_alloc(&mesh->region, (size_t)mesh->n_tets, sizeof *mesh->region, error));
  IRZ_TRY(irz_alloc(&mesh->fitted, (size_t)mesh->n_tets, 1, error));
  memcpy(mesh->regions, labels->regions, (size_t)mesh->n_regions * sizeof *mesh->regions);
  int tag = 0; /* a physical tag is positive; labels may be 0 or less, and `default` has none */
  for (int r = 0; r < mesh->n_regions; r++) tag = mesh->regions[r].tag > tag ? mesh->regions[r].tag : tag;
  for (int r = 0; r < mesh->n_regions; r++) {
    if (mesh->regions[r].tag <= 0) mesh->regions[r].tag = ++tag;
  }
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    if (fit->tissue[t] == IRZ_FIT_NONE || holds_lost(&field->smooth, mesh, t)) {
      mesh->region[t] = region_at_centre(field, mesh, t);
    } else {
      mesh->fitted[t] = choose_region(field, mesh, t, fit->tissue[t], &mesh->region[t]);
    }
  }
  return measure(field, fit, mesh, error);
}

void irz_fit_clear(IrzFit *fit) {
  free(fit->sides);
  free(fit->tissue);
  *fit = (IrzFit){0};
}
