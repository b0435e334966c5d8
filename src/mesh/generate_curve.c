/* Curved edges: on the walls of round needles, and graded ones around them. */
#include "mesh/generate.h"

#include "base/memory.h"
#include "base/vector.h"
#include "mesh/mesh_build.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Smallest Bernstein coefficient allowed, as a share of the straight element's determinant, and at the ends of bare
/// metal of what grading makes of that. With much less the gradient at such a place is so inexact that the zone seems
/// to reach it.
#define VALID_SHARE 0.15

/// Edges between two corners, in the order of irz_tet_edge.
static const int edge_between[4][4] = {{0, 0, 2, 3}, {0, 0, 1, 5}, {2, 1, 0, 4}, {3, 5, 4, 0}};

void irz_tet_bernstein(double corner[4][3], double bow[6][3], double coefficient[20]) {
  /* The map is sum of lambda_i corner_i + 4 sum of lambda_i lambda_j bow_ij.
   * derivative[d][i]: by barycentric d + 1 minus that by barycentric 0, at corner i; linear in between. */
  double derivative[3][4][3];
  for (int at = 0; at < 4; at++) {
    for (int k = 0; k < 3; k++) {
      double by[4];
      for (int i = 0; i < 4; i++) by[i] = corner[i][k] + (i == at ? 0 : 4 * bow[edge_between[i][at]][k]);
      for (int d = 0; d < 3; d++) derivative[d][at][k] = by[d + 1] - by[0];
    }
  }
  /* products of three linear forms, gathered by monomial */
  double sum[20] = {0}, ways[20] = {0};
  for (int i = 0; i < 4; i++) {
    for (int j = 0; j < 4; j++) {
      const double *a = derivative[0][i], *b = derivative[1][j];
      const double cross[3] = {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
      for (int l = 0; l < 4; l++) {
        int low = i < j ? (i < l ? i : l) : (j < l ? j : l), high = i > j ? (i > l ? i : l) : (j > l ? j : l);
        int middle = i + j + l - low - high;
        int bin = low + middle * (middle + 1) / 2 + high * (high + 1) * (high + 2) / 6;
        const double *c = derivative[2][l];
        sum[bin] += cross[0] * c[0] + cross[1] * c[1] + cross[2] * c[2];
        ways[bin] += 1;
      }
    }
  }
  for (int i = 0; i < 20; i++) coefficient[i] = sum[i] / ways[i];
}

/// A bent edge: its middle is moved by `share` of `move`.
typedef struct {
  int32_t end[2];
  int32_t next; ///< with the same first end, or -1
  double move[3];
  double share;
  int towards;    ///< which of its ends the middle is moved towards because bare metal ends there
  double squeeze; ///< by what that divides the map's derivative at that end; 1: it is not
  int changed;    ///< pass of relax() that changed its share last
  uint32_t meet;  ///< tissues that meet at it, a bit each
} Bend;

/// Bent edges, found by their first end, the vertex with the smaller index.
typedef struct {
  int32_t count, room;
  Bend *bend;
  int32_t *first; ///< [vertices] or -1
} Bends;

static IrzCode bends_create(const IrzMesh *mesh, Bends *bends, IrzError *error) {
  *bends = (Bends){0};
  IRZ_TRY(irz_alloc(&bends->first, (size_t)mesh->n_vertices, sizeof *bends->first, error));
  for (int32_t v = 0; v < mesh->n_vertices; v++) bends->first[v] = -1;
  return IRZ_OK;
}

static void bends_free(Bends *bends) {
  free(bends->bend);
  free(bends->first);
}

/// The bend of an edge, or NULL.
static Bend *find_bend(const Bends *bends, int32_t a, int32_t b) {
  int32_t high = a < b ? b : a, i = bends->first[a < b ? a : b];
  while (i >= 0 && bends->bend[i].end[1] != high) i = bends->bend[i].next;
  return i >= 0 ? &bends->bend[i] : NULL;
}

static IrzCode add_bend(const Bend *bend, Bends *bends, IrzError *error) {
  if (bends->count == bends->room) {
    bends->room = 2 * bends->room + 1024;
    IRZ_TRY(irz_resize(&bends->bend, (size_t)bends->room, sizeof *bends->bend, error));
  }
  int32_t i = bends->count++;
  bends->bend[i] = *bend;
  bends->bend[i].next = bends->first[bend->end[0]];
  bends->first[bend->end[0]] = i;
  return IRZ_OK;
}

/// Middle of the arc between two points of a rounded end.
static void dome_middle(const IrzNeedle *needle, const double a[3], const double b[3], double x[3]) {
  double center[3], out[3], square = 0;
  irz_needle_point(needle, 0, 0, needle->radius, center);
  for (int k = 0; k < 3; k++) {
    out[k] = (a[k] + b[k]) / 2 - center[k];
    square += out[k] * out[k];
  }
  for (int k = 0; k < 3; k++) x[k] = center[k] + needle->radius / sqrt(square) * out[k];
}

/// The straight edge between two vertices.
static Bend straight_edge(int32_t a, int32_t b) {
  return (Bend){.end = {a < b ? a : b, a < b ? b : a}, .share = 1, .squeeze = 1};
}

/// Bring an edge on a wall to the exact radius.
static void bend_to_wall(const IrzTissueBox *box, const IrzBoundary *boundary, Bend *bend) {
  const IrzBoundaryPoint *from = &boundary->point[bend->end[0]], *to = &boundary->point[bend->end[1]];
  const IrzNeedle *needle = &box->needle[from->needle];
  double angle = from->angle + remainder(to->angle - from->angle, 2 * M_PI) / 2;
  double z = (from->z + to->z) / 2, x[3];
  if (from->kind == IRZ_POINT_EXIT && to->kind == IRZ_POINT_EXIT)
    z = irz_needle_exit(box, needle, angle, needle->radius, NULL);
  if (from->kind == IRZ_POINT_RIM && to->kind == IRZ_POINT_RIM) z = irz_needle_height(needle, angle, needle->radius);
  irz_needle_point(needle, angle, needle->radius, z, x);
  if (from->kind == IRZ_POINT_DOME || to->kind == IRZ_POINT_DOME) dome_middle(needle, from->x, to->x, x);
  for (int k = 0; k < 3; k++) bend->move[k] = x[k] - (from->x[k] + to->x[k]) / 2;
}

/// Move the middle of an edge with one end where bare metal ends towards that end, along a parabola if it is bent
/// already.
static void bend_to_end(const IrzTissueBox *box, const IrzBoundary *boundary, const IrzMesh *mesh, Bend *bend) {
  double share[2] = {0, 0};
  for (int i = 0; i < 2; i++) {
    if (bend->end[i] < boundary->n_points) share[i] = irz_end_share(box, &boundary->point[bend->end[i]]);
  }
  if ((share[0] > 0) == (share[1] > 0)) return;
  int near = share[0] > 0 ? 0 : 1;
  for (int k = 0; k < 3; k++) {
    double along =
        mesh->xyz[3 * (size_t)bend->end[1 - near] + (size_t)k] - mesh->xyz[3 * (size_t)bend->end[near] + (size_t)k];
    bend->move[k] = (1 - 4 * share[near] * share[near]) * bend->move[k] - share[near] * along;
  }
  bend->towards = near;
  bend->squeeze = 1 - 4 * share[near];
}

static double size_of(const double v[3]) {
  return sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
}

/// Bend the edges of wall triangles.
static IrzCode bend_walls(const IrzTissueBox *box, const IrzBoundary *boundary, const IrzMesh *mesh, Bends *bends,
                          IrzError *error) {
  for (int32_t t = 0; t < boundary->n_triangles; t++) {
    if (boundary->surface[t] >= 2 * box->n_probes) continue;
    for (int k = 0; k < 3; k++) {
      int32_t a = boundary->triangle[t][k], b = boundary->triangle[t][(k + 1) % 3];
      if (boundary->point[a].kind == IRZ_POINT_FLAT || boundary->point[b].kind == IRZ_POINT_FLAT) continue;
      if (find_bend(bends, a, b) != NULL) continue;
      Bend bend = straight_edge(a, b);
      bend_to_wall(box, boundary, &bend);
      bend_to_end(box, boundary, mesh, &bend);
      if (size_of(bend.move) <= 1e-6 * box->needle[boundary->point[a].needle].radius) continue;
      IRZ_TRY(add_bend(&bend, bends, error));
    }
  }
  return IRZ_OK;
}

/// Least and largest bend of an edge on a surface between tissues, as shares of its length.
#define LEAST_BEND 1e-3
#define MOST_BEND 0.2

/// List the edges on surfaces between tissues: both ends are there, and the elements around are in both.
/// @param[in,out] edges  `meet` of each is the tissues of the elements around
static IrzCode list_interfaces(const IrzFit *fit, const IrzMesh *mesh, Bends *edges, IrzError *error) {
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    const int32_t *vertex = &mesh->tet[4 * (size_t)t];
    if (fit->tissue[t] == IRZ_FIT_NONE) continue;
    for (int e = 0; e < 6; e++) {
      int32_t a = vertex[irz_tet_edge[e][0]], b = vertex[irz_tet_edge[e][1]];
      uint32_t common = fit->sides[a] & fit->sides[b];
      if ((common & (common - 1)) == 0) continue;
      if (find_bend(edges, a, b) == NULL) {
        Bend edge = straight_edge(a, b);
        IRZ_TRY(add_bend(&edge, edges, error));
      }
      find_bend(edges, a, b)->meet |= (1U << fit->tissue[t]) & common;
    }
  }
  return IRZ_OK;
}

/// Bring the middle of an edge to the surface between two tissues.
/// @return whether it is bent
static bool bend_to_interface(const IrzTissueBox *box, const IrzBoundary *boundary, int order,
                              const IrzSmoothLabels *smooth, const IrzMesh *mesh, Bend *bend) {
  const double *a = &mesh->xyz[3 * (size_t)bend->end[0]], *b = &mesh->xyz[3 * (size_t)bend->end[1]];
  double middle[3], x[3], along[3];
  int one = 0, other, fixed = irz_fit_fixed(box, boundary, bend->end[0]) & irz_fit_fixed(box, boundary, bend->end[1]);
  while ((bend->meet >> one & 1) == 0) one++;
  other = one + 1;
  while (other < IRZ_SMOOTH_MAX && (bend->meet >> other & 1) == 0) other++;
  if (other == IRZ_SMOOTH_MAX || fixed == 7) return false;
  irz_subtract(b, a, along);
  for (int k = 0; k < 3; k++) middle[k] = x[k] = (a[k] + b[k]) / 2;
  if (fixed == 0 && irz_grade_edge(box, order, a, b, bend->move)) {
    for (int k = 0; k < 3; k++) x[k] += bend->move[k];
  }
  double length = size_of(along);
  if (!irz_smooth_project(smooth, one, other, fixed, MOST_BEND * length, x)) return false;
  irz_subtract(x, middle, bend->move);
  return size_of(bend->move) >= LEAST_BEND * length;
}

/// Whether bare metal ends at one of an edge's ends.
static bool is_at_end(const IrzTissueBox *box, const IrzBoundary *boundary, const Bend *edge) {
  for (int i = 0; i < 2; i++) {
    if (edge->end[i] < boundary->n_points && irz_end_share(box, &boundary->point[edge->end[i]]) > 0) return true;
  }
  return false;
}

/// Bend the edges on surfaces between tissues, but for those on walls.
static IrzCode bend_interfaces(const IrzTissueBox *box, const IrzBoundary *boundary, int order,
                               const IrzSmoothLabels *smooth, const IrzFit *fit, const IrzMesh *mesh, Bends *bends,
                               IrzError *error) {
  Bends edges;
  IrzCode code = bends_create(mesh, &edges, error);
  if (code == IRZ_OK) code = list_interfaces(fit, mesh, &edges, error);
  for (int32_t i = 0; i < edges.count && code == IRZ_OK; i++) {
    Bend *edge = &edges.bend[i];
    if ((edge->meet & (edge->meet - 1)) == 0 || find_bend(bends, edge->end[0], edge->end[1]) != NULL ||
        is_at_end(box, boundary, edge))
      continue;
    if (bend_to_interface(box, boundary, order, smooth, mesh, edge)) code = add_bend(edge, bends, error);
  }
  bends_free(&edges);
  return code;
}

/// Grade the edge between two vertices, unless it lies on a wall.
static IrzCode grade_edge(const IrzTissueBox *box, const IrzBoundary *boundary, int order, const IrzMesh *mesh,
                          int32_t a, int32_t b, Bends *bends, IrzError *error) {
  if (find_bend(bends, a, b) != NULL) return IRZ_OK;
  Bend bend = straight_edge(a, b);
  bend_to_end(box, boundary, mesh, &bend);
  bool bent = bend.squeeze < 1;
  /* What joins two points of the boundary may lie on it. */
  if (!bent && (a >= boundary->n_points || b >= boundary->n_points))
    bent = irz_grade_edge(box, order, &mesh->xyz[3 * (size_t)a], &mesh->xyz[3 * (size_t)b], bend.move);
  return bent ? add_bend(&bend, bends, error) : IRZ_OK;
}

/// Grade the edges around the needles.
static IrzCode bend_tissue(const IrzTissueBox *box, const IrzBoundary *boundary, int order, const IrzMesh *mesh,
                           Bends *bends, IrzError *error) {
  bool *near;
  IRZ_TRY(irz_alloc(&near, (size_t)mesh->n_vertices, sizeof *near, error));
  for (int32_t v = 0; v < mesh->n_vertices; v++) {
    near[v] = (v < boundary->n_points && irz_end_share(box, &boundary->point[v]) > 0) ||
              irz_is_graded(box, &mesh->xyz[3 * (size_t)v]);
  }
  IrzCode code = IRZ_OK;
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    const int32_t *vertex = &mesh->tet[4 * (size_t)t];
    for (int e = 0; e < 6 && code == IRZ_OK; e++) {
      int32_t a = vertex[irz_tet_edge[e][0]], b = vertex[irz_tet_edge[e][1]];
      if (near[a] || near[b]) code = grade_edge(box, boundary, order, mesh, a, b, bends, error);
    }
  }
  free(near);
  return code;
}

/// Whether a tetrahedron with its bent edges is valid.
static bool is_valid(const IrzMesh *mesh, int32_t tet, Bend *const bend[6]) {
  static const double centre[4] = {0.25, 0.25, 0.25, 0.25};
  double corner[4][3], bow[6][3] = {{0}}, coefficient[20];
  for (int i = 0; i < 4; i++)
    memcpy(corner[i], &mesh->xyz[3 * (size_t)mesh->tet[4 * (size_t)tet + (size_t)i]], sizeof corner[i]);
  double straight = irz_tet_jacobian((const double(*)[3])corner, (const double(*)[3])bow, centre);
  double squeeze[4] = {1, 1, 1, 1}, least = VALID_SHARE * straight;
  for (int e = 0; e < 6; e++) {
    if (bend[e] == NULL) continue;
    for (int k = 0; k < 3; k++) bow[e][k] = bend[e]->share * bend[e]->move[k];
    for (int i = 0; i < 2; i++) {
      int at = irz_tet_edge[e][i];
      if (mesh->tet[4 * (size_t)tet + (size_t)at] == bend[e]->end[bend[e]->towards]) squeeze[at] *= bend[e]->squeeze;
    }
  }
  for (int i = 0; i < 4; i++) least = fmin(least, VALID_SHARE * squeeze[i] * straight);
  irz_tet_bernstein(corner, bow, coefficient);
  for (int i = 0; i < 20; i++)
    if (!(coefficient[i] > least)) return false;
  return true;
}

/// A tetrahedron with an edge that may be bent.
typedef struct {
  int32_t tet;
  Bend *bend[6]; ///< of its edges; NULL: straight
} Touched;

/// Find the bends of a tetrahedron's edges; false if there are none.
static bool find_tet_bends(const IrzMesh *mesh, const Bends *bends, int32_t tet, Touched *touched) {
  const int32_t *vertex = &mesh->tet[4 * (size_t)tet];
  bool any = false;
  touched->tet = tet;
  for (int e = 0; e < 6; e++) {
    touched->bend[e] = find_bend(bends, vertex[irz_tet_edge[e][0]], vertex[irz_tet_edge[e][1]]);
    any = any || touched->bend[e] != NULL;
  }
  return any;
}

/// Whether a pass changed one of a tetrahedron's bends.
static bool has_changed(const Touched *touched, int pass) {
  bool any = false;
  for (int e = 0; e < 6; e++) any = any || (touched->bend[e] != NULL && touched->bend[e]->changed >= pass);
  return any;
}

/// Bend less where elements would be invalid: half, a quarter, and then not at all.
static void relax(const IrzMesh *mesh, const Touched *touched, int32_t n_touched) {
  bool changed = true;
  for (int pass = 1; changed; pass++) {
    changed = false;
    for (int32_t i = 0; i < n_touched; i++) {
      if (!has_changed(&touched[i], pass - 1) || is_valid(mesh, touched[i].tet, touched[i].bend)) continue;
      for (int e = 0; e < 6; e++) {
        Bend *bend = touched[i].bend[e];
        if (!bend || bend->share == 0) continue;
        bend->share = bend->share > 0.3 ? bend->share / 2 : 0;
        bend->changed = pass;
        changed = true;
      }
    }
  }
}

/// Whether all tetrahedra at a bend are valid.
/// @param[in] around  indices into touched, of the tetrahedra at the bend
static bool are_valid(const IrzMesh *mesh, const Touched *touched, const int32_t *around, int32_t n_around) {
  for (int32_t i = 0; i < n_around; i++) {
    if (!is_valid(mesh, touched[around[i]].tet, touched[around[i]].bend)) return false;
  }
  return true;
}

/// Give back what relax() took too much: it bends all edges of an invalid tetrahedron less, where often one would do.
static IrzCode restore(const IrzMesh *mesh, const Touched *touched, int32_t n_touched, Bend *bends, int32_t count,
                       IrzError *error) {
  int32_t *start = NULL, *around = NULL;
  IrzCode code = irz_alloc(&start, (size_t)count + 2, sizeof *start, error);
  if (code == IRZ_OK) code = irz_alloc(&around, 6 * (size_t)n_touched, sizeof *around, error);
  for (int pass = 0; pass < 2 && code == IRZ_OK; pass++) { /* count the tetrahedra at each bend, then list them */
    for (int32_t i = 0; i < n_touched; i++) {
      for (int e = 0; e < 6; e++) {
        if (!touched[i].bend[e]) continue;
        ptrdiff_t b = touched[i].bend[e] - bends;
        if (pass == 0)
          start[b + 2]++;
        else
          around[start[b + 1]++] = i;
      }
    }
    for (int32_t b = 0; b < count && pass == 0; b++) start[b + 2] += start[b + 1];
  }
  for (int32_t b = 0; b < count && code == IRZ_OK; b++) {
    double kept = bends[b].share;
    for (double share = 1; share > kept; share -= 0.125) {
      bends[b].share = share;
      if (are_valid(mesh, touched, &around[start[b]], start[b + 1] - start[b])) break;
      bends[b].share = kept;
    }
  }
  free(start);
  free(around);
  return code;
}

/// List the tetrahedra with bent edges.
static IrzCode find_touched(const IrzMesh *mesh, const Bends *bends, Touched **touched, int32_t *count,
                            IrzError *error) {
  int32_t room = 0;
  *count = 0;
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    if (*count == room) {
      room = 2 * room + 1024;
      IRZ_TRY(irz_resize(touched, (size_t)room, sizeof **touched, error));
    }
    *count += find_tet_bends(mesh, bends, t, &(*touched)[*count]);
  }
  return IRZ_OK;
}

/// Write the bent edges down, sorted by their ends.
static IrzCode keep_bends(const Bends *bends, IrzMesh *mesh, IrzError *error) {
  IRZ_TRY(irz_alloc(&mesh->curved_edge, (size_t)bends->count, 2 * sizeof *mesh->curved_edge, error));
  IRZ_TRY(irz_alloc(&mesh->curved_xyz, (size_t)bends->count, 3 * sizeof *mesh->curved_xyz, error));
  for (int32_t v = 0; v < mesh->n_vertices; v++) {
    int32_t start = mesh->n_curved;
    for (int32_t i = bends->first[v]; i >= 0; i = bends->bend[i].next) {
      const Bend *bend = &bends->bend[i];
      if (bend->share == 0) continue;
      int32_t at = mesh->n_curved++;
      for (; at > start && mesh->curved_edge[2 * at - 1] > bend->end[1]; at--) {
        memcpy(&mesh->curved_edge[2 * at], &mesh->curved_edge[2 * at - 2], 2 * sizeof *mesh->curved_edge);
        memcpy(&mesh->curved_xyz[3 * (size_t)at], &mesh->curved_xyz[3 * (size_t)at - 3], 3 * sizeof *mesh->curved_xyz);
      }
      for (int k = 0; k < 2; k++) mesh->curved_edge[2 * at + k] = bend->end[k];
      for (int k = 0; k < 3; k++) {
        double middle =
            (mesh->xyz[3 * (size_t)bend->end[0] + (size_t)k] + mesh->xyz[3 * (size_t)bend->end[1] + (size_t)k]) / 2;
        mesh->curved_xyz[3 * (size_t)at + (size_t)k] = middle + bend->share * bend->move[k];
      }
    }
  }
  return IRZ_OK;
}

IrzCode irz_mesh_curve(const IrzTissueBox *box, const IrzBoundary *boundary, int order, const IrzSmoothLabels *smooth,
                       const IrzFit *fit, IrzMesh *mesh, IrzError *error) {
  Bends bends;
  Touched *touched = NULL;
  int32_t n_touched = 0;
  IrzCode code = bends_create(mesh, &bends, error);
  if (code == IRZ_OK) code = bend_walls(box, boundary, mesh, &bends, error);
  if (code == IRZ_OK && fit->sides != NULL)
    code = bend_interfaces(box, boundary, order, smooth, fit, mesh, &bends, error);
  if (code == IRZ_OK) code = bend_tissue(box, boundary, order, mesh, &bends, error);
  if (code == IRZ_OK) code = find_touched(mesh, &bends, &touched, &n_touched, error);
  if (code == IRZ_OK) {
    relax(mesh, touched, n_touched);
    code = restore(mesh, touched, n_touched, bends.bend, bends.count, error);
  }
  if (code == IRZ_OK) code = keep_bends(&bends, mesh, error);
  bends_free(&bends);
  free(touched);
  return code;
}
