/* Short edges of poor tetrahedra are shrunk to a point, and the tetrahedra around them vanish. */
#include "mesh/generate.h"

#include "base/memory.h"
#include "base/vector.h"
#include "mesh/mesh_build.h"
#include <math.h>
#include <stdlib.h>

/// The worst around must get better by this.
#define GAIN 1.2

/// What one edge cannot do its neighbours may.
#define PASSES 3

/// The tetrahedra at each vertex, as lists of their corners; those that have gone have no vertex.
typedef struct {
  IrzMesh *mesh;
  int32_t *first; ///< [n_vertices] or -1
  int32_t *next;  ///< [4 n_tets] or -1
  int32_t n_gone;
} Lists;

static IrzCode lists_create(IrzMesh *mesh, Lists *lists, IrzError *error) {
  size_t n_corners = 4 * (size_t)mesh->n_tets;
  *lists = (Lists){.mesh = mesh};
  IRZ_TRY(irz_alloc_unset(&lists->first, (size_t)mesh->n_vertices, sizeof *lists->first, error));
  IRZ_TRY(irz_alloc_unset(&lists->next, n_corners, sizeof *lists->next, error));
  for (int32_t v = 0; v < mesh->n_vertices; v++) lists->first[v] = -1;
  for (size_t i = n_corners; i-- > 0;) {
    lists->next[i] = lists->first[mesh->tet[i]];
    lists->first[mesh->tet[i]] = (int32_t)i;
  }
  return IRZ_OK;
}

static void lists_free(Lists *lists) {
  free(lists->first);
  free(lists->next);
}

static bool has_corner(const IrzMesh *mesh, int32_t tet, int32_t vertex) {
  const int32_t *v = &mesh->tet[4 * (size_t)tet];
  return v[0] == vertex || v[1] == vertex || v[2] == vertex || v[3] == vertex;
}

static double square_between(const IrzMesh *mesh, int32_t a, int32_t b) {
  double along[3];
  irz_subtract(&mesh->xyz[3 * (size_t)a], &mesh->xyz[3 * (size_t)b], along);
  return irz_dot(along, along);
}

/// How good a tetrahedron is: the smaller of the sine of the smallest angle between its faces and of its quality (see
/// IrzMeshStats); negative if it is inside out.
static double goodness(const IrzMesh *mesh, int32_t tet) {
  const int32_t *v = &mesh->tet[4 * (size_t)tet];
  double shortest, longest, sum = 0, sine = irz_tet_smallest_sine(mesh, tet);
  if (!(sine > 0)) return sine;
  double third = cbrt(0.5 * irz_tet_determinant(mesh->xyz, v, &shortest, &longest));
  for (int e = 0; e < 6; e++) sum += square_between(mesh, v[irz_tet_edge[e][0]], v[irz_tet_edge[e][1]]);
  return fmin(sine, 12 * third * third / sum);
}

/// How good the worst of a vertex's tetrahedra is, and the square of the longest edge there.
/// @param[in] other  those that have this vertex do not count; -1: all do
static double worst_at(const Lists *lists, int32_t vertex, int32_t other, double *longest) {
  const IrzMesh *mesh = lists->mesh;
  double worst = INFINITY;
  *longest = 0;
  for (int32_t i = lists->first[vertex]; i >= 0; i = lists->next[i]) {
    if (mesh->tet[i] != vertex || (other >= 0 && has_corner(mesh, i / 4, other))) continue;
    worst = fmin(worst, goodness(mesh, i / 4));
    for (int c = 0; c < 4; c++) {
      *longest = fmax(*longest, square_between(mesh, vertex, mesh->tet[4 * (size_t)(i / 4) + (size_t)c]));
    }
  }
  return worst;
}

/// How good the worst of a vertex's tetrahedra would be if it were where another one is.
/// @param[in] enough  it is not looked further when it is less
static double worst_if(const Lists *lists, int32_t from, int32_t to, double enough) {
  IrzMesh *mesh = lists->mesh;
  double worst = INFINITY;
  for (int32_t i = lists->first[from]; i >= 0 && worst >= enough; i = lists->next[i]) {
    if (mesh->tet[i] != from || has_corner(mesh, i / 4, to)) continue;
    mesh->tet[i] = to;
    worst = fmin(worst, goodness(mesh, i / 4));
    mesh->tet[i] = from;
  }
  return worst;
}

/// Give a vertex's tetrahedra to another one; those that have both go.
static void merge(Lists *lists, int32_t from, int32_t to) {
  int32_t *tet = lists->mesh->tet;
  for (int32_t i = lists->first[from], after; i >= 0; i = after) {
    after = lists->next[i];
    if (tet[i] != from) continue;
    if (has_corner(lists->mesh, i / 4, to)) {
      for (int c = 0; c < 4; c++) tet[4 * (size_t)(i / 4) + (size_t)c] = -1;
      lists->n_gone++;
      continue;
    }
    tet[i] = to;
    lists->next[i] = lists->first[to];
    lists->first[to] = i;
  }
  lists->first[from] = -1;
}

/// Shrink one of a poor tetrahedron's edges, if there is one that leaves better ones, or at least none worse.
static void shrink(Lists *lists, int32_t n_fixed, const IrzMerge *merging, int32_t tet) {
  int32_t v[4], best[2] = {-1, -1};
  double most = 0, longest, unused;
  for (int c = 0; c < 4; c++) v[c] = lists->mesh->tet[4 * (size_t)tet + (size_t)c];
  for (int i = 0; i < 4; i++) {
    if (v[i] < n_fixed) continue;
    double worst = worst_at(lists, v[i], -1, &longest);
    for (int j = 0; j < 4; j++) {
      double square = square_between(lists->mesh, v[i], v[j]);
      if (j == i || square > merging->shorter * merging->shorter * longest) continue;
      if (!merging->may(merging->context, v[i], v[j], sqrt(square / longest))) continue;
      double enough = fmin(GAIN * worst, fmin(merging->poor, worst_at(lists, v[i], v[j], &unused)));
      double now = worst_if(lists, v[i], v[j], fmax(enough, most));
      if (!(now > fmax(enough, most) && isfinite(now))) continue;
      most = now;
      best[0] = v[i], best[1] = v[j];
    }
  }
  if (best[0] < 0) return;
  merge(lists, best[0], best[1]);
  merging->done(merging->context, best[0], best[1]);
}

/// Close the gaps.
static void drop_gone(IrzMesh *mesh) {
  int32_t kept = 0;
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    const int32_t *from = &mesh->tet[4 * (size_t)t];
    if (from[0] < 0) continue;
    int32_t *to = &mesh->tet[4 * (size_t)kept++];
    for (int c = 0; c < 4; c++) to[c] = from[c];
  }
  mesh->n_tets = kept;
}

IrzCode irz_mesh_collapse(int32_t n_fixed, const IrzMerge *merging, IrzMesh *mesh, IrzError *error) {
  Lists lists;
  IrzCode code = lists_create(mesh, &lists, error);
  for (int pass = 0; pass < PASSES && code == IRZ_OK; pass++) {
    for (int32_t t = 0; t < mesh->n_tets; t++) {
      if (mesh->tet[4 * (size_t)t] < 0 || goodness(mesh, t) >= merging->poor) continue;
      shrink(&lists, n_fixed, merging, t);
    }
  }
  lists_free(&lists);
  if (code == IRZ_OK) drop_gone(mesh);
  return code;
}
