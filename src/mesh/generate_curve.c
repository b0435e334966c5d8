/* Round needles: edges on their walls get a middle point at the exact radius. */
#include "mesh/generate.h"

#include "base/memory.h"
#include "mesh/mesh_build.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Smallest Bernstein coefficient allowed, as a share of the straight element's determinant. With much less the
/// gradient at such a place is so inexact that the zone seems to reach it.
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
  double move[3];
  double share;
} Bend;

static int compare_bends(const void *a, const void *b) {
  const Bend *x = a, *y = b;
  if (x->end[0] != y->end[0]) return x->end[0] < y->end[0] ? -1 : 1;
  return (x->end[1] > y->end[1]) - (x->end[1] < y->end[1]);
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

/// Where the middle of an edge on a wall belongs, relative to the middle of its ends.
static void bend_edge(const IrzTissueBox *box, const IrzBoundary *boundary, int32_t a, int32_t b, Bend *bend) {
  const IrzBoundaryPoint *from = &boundary->point[a], *to = &boundary->point[b];
  const IrzNeedle *needle = &box->needle[from->needle];
  double angle = from->angle + remainder(to->angle - from->angle, 2 * M_PI) / 2;
  double z = (from->z + to->z) / 2, x[3];
  if (from->kind == IRZ_POINT_EXIT && to->kind == IRZ_POINT_EXIT)
    z = irz_needle_exit(box, needle, angle, needle->radius, NULL);
  if (from->kind == IRZ_POINT_RIM && to->kind == IRZ_POINT_RIM) z = irz_needle_height(needle, angle, needle->radius);
  irz_needle_point(needle, angle, needle->radius, z, x);
  if (from->kind == IRZ_POINT_DOME || to->kind == IRZ_POINT_DOME) dome_middle(needle, from->x, to->x, x);
  *bend = (Bend){.end = {a < b ? a : b, a < b ? b : a}, .share = 1};
  for (int k = 0; k < 3; k++) bend->move[k] = x[k] - (from->x[k] + to->x[k]) / 2;
}

/// All edges of wall triangles whose middle has to move, sorted.
static IrzCode find_bends(const IrzTissueBox *box, const IrzBoundary *boundary, Bend **bends, int32_t *count,
                          IrzError *error) {
  IRZ_TRY(irz_alloc(bends, 3 * (size_t)boundary->n_triangles, sizeof **bends, error));
  int32_t n = 0;
  for (int32_t t = 0; t < boundary->n_triangles; t++) {
    if (boundary->surface[t] >= 2 * box->n_probes) continue;
    for (int k = 0; k < 3; k++) {
      int32_t a = boundary->triangle[t][k], b = boundary->triangle[t][(k + 1) % 3];
      if (boundary->point[a].kind == IRZ_POINT_FLAT || boundary->point[b].kind == IRZ_POINT_FLAT) continue;
      Bend *bend = &(*bends)[n];
      bend_edge(box, boundary, a, b, bend);
      double moved =
          sqrt(bend->move[0] * bend->move[0] + bend->move[1] * bend->move[1] + bend->move[2] * bend->move[2]);
      if (moved > 1e-6 * box->needle[boundary->point[a].needle].radius) n++;
    }
  }
  if (n > 0) qsort(*bends, (size_t)n, sizeof **bends, compare_bends);
  *count = 0;
  for (int32_t i = 0; i < n; i++)
    if (i == 0 || compare_bends(&(*bends)[i], &(*bends)[i - 1]) != 0) (*bends)[(*count)++] = (*bends)[i];
  return IRZ_OK;
}

/// The bend of an edge, or NULL.
static Bend *find_bend(Bend *bends, int32_t count, int32_t a, int32_t b) {
  if (count == 0) return NULL;
  Bend key = {.end = {a < b ? a : b, a < b ? b : a}};
  return bsearch(&key, bends, (size_t)count, sizeof *bends, compare_bends);
}

/// Whether a tetrahedron with its bent edges is valid.
static bool is_valid(const IrzMesh *mesh, int32_t tet, Bend *const bend[6]) {
  static const double centre[4] = {0.25, 0.25, 0.25, 0.25};
  double corner[4][3], bow[6][3] = {{0}}, coefficient[20];
  for (int i = 0; i < 4; i++)
    memcpy(corner[i], &mesh->xyz[3 * (size_t)mesh->tet[4 * (size_t)tet + (size_t)i]], sizeof corner[i]);
  double straight = irz_tet_jacobian((const double(*)[3])corner, (const double(*)[3])bow, centre);
  for (int e = 0; e < 6; e++)
    for (int k = 0; k < 3 && bend[e]; k++) bow[e][k] = bend[e]->share * bend[e]->move[k];
  irz_tet_bernstein(corner, bow, coefficient);
  for (int i = 0; i < 20; i++)
    if (!(coefficient[i] > VALID_SHARE * straight)) return false;
  return true;
}

/// A tetrahedron with an edge that may be bent.
typedef struct {
  int32_t tet;
  Bend *bend[6]; ///< of its edges; NULL: straight
} Touched;

/// Find the bends of a tetrahedron's edges; false if there are none.
static bool find_tet_bends(const IrzMesh *mesh, const IrzBoundary *boundary, int32_t tet, Bend *bends, int32_t count,
                           Touched *touched) {
  const int32_t *vertex = &mesh->tet[4 * (size_t)tet];
  bool any = false;
  touched->tet = tet;
  for (int e = 0; e < 6; e++) {
    int32_t a = vertex[irz_tet_edge[e][0]], b = vertex[irz_tet_edge[e][1]];
    touched->bend[e] = NULL;
    if (a >= boundary->n_points || b >= boundary->n_points) continue;
    if (boundary->point[a].kind == IRZ_POINT_FLAT || boundary->point[b].kind == IRZ_POINT_FLAT) continue;
    touched->bend[e] = find_bend(bends, count, a, b);
    any = any || touched->bend[e] != NULL;
  }
  return any;
}

/// Bend less where elements would be invalid: half, a quarter, and then not at all.
static void relax(const IrzMesh *mesh, const Touched *touched, int32_t n_touched) {
  for (bool changed = true; changed;) {
    changed = false;
    for (int32_t i = 0; i < n_touched; i++) {
      if (is_valid(mesh, touched[i].tet, touched[i].bend)) continue;
      for (int e = 0; e < 6; e++) {
        Bend *bend = touched[i].bend[e];
        if (!bend || bend->share == 0) continue;
        bend->share = bend->share > 0.3 ? bend->share / 2 : 0;
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

IrzCode irz_mesh_curve(const IrzTissueBox *box, const IrzBoundary *boundary, IrzMesh *mesh, IrzError *error) {
  Bend *bends = NULL;
  Touched *touched = NULL;
  int32_t count, n_touched = 0, room = 0;
  IrzCode code = find_bends(box, boundary, &bends, &count, error);
  for (int32_t t = 0; t < mesh->n_tets && code == IRZ_OK; t++) {
    if (n_touched == room) {
      room = 2 * room + 1024;
      code = irz_resize(&touched, (size_t)room, sizeof *touched, error);
      if (code != IRZ_OK) break;
    }
    n_touched += find_tet_bends(mesh, boundary, t, bends, count, &touched[n_touched]);
  }
  if (code == IRZ_OK) {
    relax(mesh, touched, n_touched);
    code = restore(mesh, touched, n_touched, bends, count, error);
  }
  if (code == IRZ_OK) code = irz_alloc(&mesh->curved_edge, (size_t)count, 2 * sizeof *mesh->curved_edge, error);
  if (code == IRZ_OK) code = irz_alloc(&mesh->curved_xyz, (size_t)count, 3 * sizeof *mesh->curved_xyz, error);
  for (int32_t i = 0; i < count && code == IRZ_OK; i++) {
    const Bend *bend = &bends[i];
    if (bend->share == 0) continue;
    int32_t n = mesh->n_curved++;
    for (int k = 0; k < 2; k++) mesh->curved_edge[2 * n + k] = bend->end[k];
    for (int k = 0; k < 3; k++) {
      double middle = (mesh->xyz[3 * (size_t)bend->end[0] + k] + mesh->xyz[3 * (size_t)bend->end[1] + k]) / 2;
      mesh->curved_xyz[3 * n + k] = middle + bend->share * bend->move[k];
    }
  }
  free(bends);
  free(touched);
  return code;
}
