/* The few flat tetrahedra that Gmsh leaves: the vertices in the tissue that they have are moved. */
#include "mesh/generate.h"

#include "base/memory.h"
#include "base/vector.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Tetrahedra whose smallest angle has a smaller sine than this (8 degrees) are to be mended.
#define FLAT 0.139

/// Passes over the flat ones: what one vertex cannot do its neighbours may.
#define PASSES 4

/// A vertex is moved by at most this share of the mean edge length at it, then by half of that, and so on so often.
#define STEP 0.3
#define HALVINGS 8

/// At last those that are flatter than this are mended by moving vertices off their surfaces.
#define FLATTEST 0.05

/// Where vertices are held on surfaces each move costs much more, and there are more flat ones: fewer passes and
/// halvings, and a move must be worth it.
#define PASSES_HELD 2
#define HALVINGS_HELD 3
#define GAIN 1e-3
#define GAIN_HELD 0.1

/// The tetrahedra at vertices that may move.
typedef struct {
  int32_t n_vertices;
  int32_t *vertex; ///< [n_vertices]
  int32_t *start;  ///< [n_vertices + 1] into `tet`
  int32_t *tet;
  IrzHold *hold; ///< NULL: they may move anywhere
  const void *context;
} Stars;

/* At an edge of length l between faces of areas A and B it is 3 V l / (2 A B). */
double irz_tet_smallest_sine(const IrzMesh *mesh, int32_t tet) {
  static const int opposite[6][2] = {{2, 3}, {1, 3}, {1, 2}, {0, 3}, {0, 2}, {0, 1}}; /* of edges 01 02 03 12 13 23 */
  const double *x[4];
  double edge[6][3], normal[4][3], square[6], area[4], least = INFINITY;
  for (int i = 0; i < 4; i++) x[i] = &mesh->xyz[3 * (size_t)mesh->tet[4 * (size_t)tet + (size_t)i]];
  for (int e = 0; e < 6; e++) {
    irz_subtract(x[opposite[5 - e][1]], x[opposite[5 - e][0]], edge[e]);
    square[e] = irz_dot(edge[e], edge[e]);
  }
  irz_cross(edge[3], edge[4], normal[0]);
  irz_cross(edge[1], edge[2], normal[1]);
  irz_cross(edge[0], edge[2], normal[2]);
  irz_cross(edge[0], edge[1], normal[3]);
  double volume = irz_dot(normal[3], edge[2]); /* six times it; areas are twice */
  for (int f = 0; f < 4; f++) area[f] = irz_dot(normal[f], normal[f]);
  for (int e = 0; e < 6; e++) { /* the faces that meet at an edge are opposite to the other two corners */
    double here = square[e] / (area[opposite[e][0]] * area[opposite[e][1]]);
    if (!(here >= least)) least = here;
  }
  return volume == 0 ? 0 : volume * sqrt(least);
}

/// Smallest sine at a vertex.
/// @param[in] enough  it is not looked further when it is no more
static double worst_at(const IrzMesh *mesh, const Stars *stars, int32_t i, double enough) {
  double least = INFINITY;
  for (int32_t k = stars->start[i]; k < stars->start[i + 1] && least > enough; k++)
    least = fmin(least, irz_tet_smallest_sine(mesh, stars->tet[k]));
  return least;
}

/// Move a vertex to where the smallest angle at it is larger, if there is such a place nearby.
static void improve(IrzMesh *mesh, const Stars *stars, int32_t i) {
  double *x = &mesh->xyz[3 * (size_t)stars->vertex[i]], length = 0, worst = worst_at(mesh, stars, i, -INFINITY);
  for (int32_t k = stars->start[i]; k < stars->start[i + 1]; k++) {
    for (int c = 0; c < 4; c++) {
      double along[3];
      irz_subtract(&mesh->xyz[3 * (size_t)mesh->tet[4 * (size_t)stars->tet[k] + (size_t)c]], x, along);
      length += sqrt(irz_dot(along, along)) / (3 * (stars->start[i + 1] - stars->start[i]));
    }
  }
  double step = STEP * length;
  int halvings = stars->hold == NULL ? HALVINGS : HALVINGS_HELD;
  double gain = stars->hold == NULL ? GAIN : GAIN_HELD;
  for (int halving = 0; halving < halvings;) {
    bool moved = false;
    for (int way = 0; way < 26 && !moved; way++) { /* to the 26 neighbours in a grid of cubes */
      int cell = way < 13 ? way : way + 1;
      double old[3];
      memcpy(old, x, sizeof old);
      x[0] += step * (cell % 3 - 1), x[1] += step * (cell / 3 % 3 - 1), x[2] += step * (cell / 9 - 1);
      bool allowed = stars->hold == NULL || stars->hold(stars->context, stars->vertex[i], x);
      double enough = worst + gain * fabs(worst);
      double now = allowed ? worst_at(mesh, stars, i, enough) : -INFINITY;
      moved = now > enough;
      if (moved) {
        worst = now;
      } else {
        memcpy(x, old, sizeof old);
      }
    }
    if (moved) continue;
    step /= 2;
    halving++;
  }
}

/// List the vertices of flat tetrahedra that are not on the boundary, and the tetrahedra at them.
/// @param[in,out] place  [vertices] -1; of those in the list: where
static IrzCode find_stars(const IrzMesh *mesh, int32_t n_fixed, double flat, int32_t *place, Stars *stars,
                          IrzError *error) {
  int32_t room = 0, n = 0;
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    if (irz_tet_smallest_sine(mesh, t) >= flat) continue;
    for (int c = 0; c < 4; c++) {
      int32_t v = mesh->tet[4 * (size_t)t + (size_t)c];
      if (v < n_fixed || place[v] >= 0) continue;
      if (stars->n_vertices == room) {
        room = 2 * room + 64;
        IRZ_TRY(irz_resize(&stars->vertex, (size_t)room, sizeof *stars->vertex, error));
      }
      place[v] = stars->n_vertices;
      stars->vertex[stars->n_vertices++] = v;
    }
  }
  IRZ_TRY(irz_alloc(&stars->start, (size_t)stars->n_vertices + 2, sizeof *stars->start, error));
  for (int32_t i = 0; i < 4 * mesh->n_tets; i++) {
    if (place[mesh->tet[i]] < 0) continue;
    stars->start[place[mesh->tet[i]] + 2]++;
    n++;
  }
  for (int32_t i = 0; i < stars->n_vertices; i++) stars->start[i + 2] += stars->start[i + 1];
  IRZ_TRY(irz_alloc(&stars->tet, (size_t)n, sizeof *stars->tet, error));
  for (int32_t i = 0; i < 4 * mesh->n_tets; i++) {
    if (place[mesh->tet[i]] >= 0) stars->tet[stars->start[place[mesh->tet[i]] + 1]++] = i / 4;
  }
  return IRZ_OK;
}

static IrzCode mend(int32_t n_fixed, double flat, int passes, IrzHold *hold, const void *context, IrzMesh *mesh,
                    IrzError *error) {
  int32_t *place = NULL;
  Stars stars = {.hold = hold, .context = context};
  IrzCode code = irz_alloc(&place, (size_t)mesh->n_vertices, sizeof *place, error);
  if (code == IRZ_OK) {
    memset(place, 0xff, (size_t)mesh->n_vertices * sizeof *place);
    code = find_stars(mesh, n_fixed, flat, place, &stars, error);
  }
  for (int pass = 0; pass < passes && code == IRZ_OK; pass++) {
    for (int32_t i = 0; i < stars.n_vertices; i++) {
      if (worst_at(mesh, &stars, i, 0) < flat) improve(mesh, &stars, i);
    }
  }
  free(place);
  free(stars.vertex);
  free(stars.start);
  free(stars.tet);
  return code;
}

IrzCode irz_mesh_mend(int32_t n_fixed, IrzHold *hold, const void *context, IrzMesh *mesh, IrzError *error) {
  return mend(n_fixed, FLAT, hold == NULL ? PASSES : PASSES_HELD, hold, context, mesh, error);
}

IrzCode irz_mesh_mend_flattest(int32_t n_fixed, IrzMesh *mesh, IrzError *error) {
  return mend(n_fixed, FLATTEST, PASSES, NULL, NULL, mesh, error);
}
