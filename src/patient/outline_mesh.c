/* The surface of regions of the mesh; see outline.h. */
#include "base/memory.h"
#include "part/gather.h"
#include "patient/outline.h"
#include "patient/weld.h"
#include "zone/nodal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// A face of a tetrahedron, as it is sent to rank 0.
typedef struct {
  int64_t vertex[3]; ///< global numbers, increasing
  double x[6][3];    ///< m, corners seen counter-clockwise from outside its tetrahedron, and middles opposite them
  int8_t member;     ///< 1: its tetrahedron is of the regions
  int8_t outer;      ///< 1: on the wall of the tissue
  int8_t bent;       ///< 1: its edges are curved
} Face;

/// Corners of the faces opposite each corner, seen from outside.
static const int face_corners[4][3] = {{1, 2, 3}, {0, 3, 2}, {0, 1, 3}, {0, 2, 1}};

/// Number the vertices of all ranks, and mark those of the regions. Collective.
/// @param[out] number  [n_vertices] to be released with free()
/// @param[out] marked  [n_vertices] the same
static IrzCode number_vertices(const IrzMedium *medium, const uint8_t *member, int64_t **number, uint8_t **marked,
                               IrzError *error) {
  const IrzPart *part = medium->part;
  size_t nodes = (size_t)part->n_vertices + (size_t)part->n_edges;
  int64_t first = 0, own = part->n_owned_vertices;
  double(*value)[2] = NULL;
  irz_alloc(&value, nodes, sizeof *value, error);
  if (error->code == IRZ_OK) irz_alloc(number, (size_t)part->n_vertices, sizeof **number, error);
  if (error->code == IRZ_OK) irz_alloc(marked, (size_t)part->n_vertices, 1, error);
  IrzCode code = irz_error_agree(part->comm, error);
  if (code == IRZ_OK) {
    MPI_Exscan(&own, &first, 1, MPI_INT64_T, MPI_SUM, part->comm);
    if (part->rank == 0) first = 0;
    for (int32_t v = 0; v < part->n_owned_vertices; v++) value[v][0] = (double)(first + v);
    for (int32_t t = 0; t < part->n_tets; t++) {
      if (!member[medium->region[t]]) continue;
      for (int k = 0; k < 4; k++) value[part->tet[t][k]][1] = 1;
    }
    code = irz_part_share(part, 2, value[0], error); /* owners have all tetrahedra around their vertices */
  }
  for (int32_t v = 0; code == IRZ_OK && v < part->n_vertices; v++) {
    (*number)[v] = (int64_t)value[v][0];
    (*marked)[v] = value[v][1] > 0;
  }
  free(value);
  return code;
}

static int by_vertices(const void *a, const void *b) {
  const Face *x = a, *y = b;
  for (int k = 0; k < 3; k++) {
    if (x->vertex[k] != y->vertex[k]) return x->vertex[k] < y->vertex[k] ? -1 : 1;
  }
  return y->member - x->member;
}

/// A face of a tetrahedron.
static Face make_face(const IrzMedium *medium, const uint8_t *member, const int64_t *number, int32_t tet, int f,
                      double node[10][3]) {
  static const int middle[4][4] = {{0, 4, 5, 6}, {4, 1, 7, 8}, {5, 7, 2, 9}, {6, 8, 9, 3}};
  const IrzPart *part = medium->part;
  const int *c = face_corners[f];
  Face face = {.member = (int8_t)member[medium->region[tet]], .outer = 1};
  for (int k = 0; k < 3; k++) {
    int32_t v = part->tet[tet][c[k]];
    int at = k;
    face.outer = (int8_t)(face.outer && part->outer[v]);
    memcpy(face.x[k], node[c[k]], sizeof face.x[k]);
    memcpy(face.x[3 + k], node[middle[c[(k + 1) % 3]][c[(k + 2) % 3]]], sizeof face.x[0]);
    for (; at > 0 && face.vertex[at - 1] > number[v]; at--) face.vertex[at] = face.vertex[at - 1];
    face.vertex[at] = number[v];
  }
  return face;
}

/// Collect the faces of this rank that may be in the surface: those of the regions, and those beside them.
static IrzCode collect(const IrzMedium *medium, const uint8_t *member, const int64_t *number, const uint8_t *marked,
                       Face **face, size_t *n, IrzError *error) {
  const IrzPart *part = medium->part;
  size_t room = 0;
  int32_t curved = 0;
  for (int32_t t = 0; t < part->n_tets; t++) {
    bool bent = irz_is_bent(part, t, &curved);
    double node[10][3];
    bool placed = false;
    for (int f = 0; f < 4 && part->mine[t]; f++) {
      bool beside = true;
      for (int k = 0; k < 3; k++) beside = beside && marked[part->tet[t][face_corners[f][k]]];
      if (!beside && !member[medium->region[t]]) continue;
      if (!placed) irz_part_nodes(part, t, bent ? curved : -1, node);
      placed = true;
      if (*n == room) {
        room = 2 * room + 1024;
        IRZ_TRY(irz_resize(face, room, sizeof **face, error));
      }
      (*face)[*n] = make_face(medium, member, number, t, f, node);
      (*face)[(*n)++].bent = (int8_t)bent;
    }
  }
  return IRZ_OK;
}

/// Add a face; a curved one as four triangles.
static IrzCode add(Face *face, IrzSoup *soup, IrzError *error) {
  static const int part[4][3] = {{0, 5, 4}, {5, 1, 3}, {4, 3, 2}, {3, 4, 5}};
  for (int p = 0; p < (face->bent ? 4 : 1); p++) {
    double corner[3][3];
    for (int k = 0; k < 3; k++) memcpy(corner[k], face->x[face->bent ? part[p][k] : k], sizeof corner[k]);
    IRZ_TRY(irz_soup_add(soup, corner, error));
  }
  return IRZ_OK;
}

/// Make the surface of the faces: what the regions have alone or share with others.
static IrzCode make_surface(Face *face, size_t n, double step, IrzSurface *surface, IrzError *error) {
  IrzSoup soup = {0};
  IrzCode code = IRZ_OK;
  qsort(face, n, sizeof *face, by_vertices);
  for (size_t i = 0; i < n && code == IRZ_OK;) {
    size_t end = i + 1;
    while (end < n && memcmp(face[end].vertex, face[i].vertex, sizeof face[i].vertex) == 0) end++;
    bool between = end == i + 2 && face[i].member && !face[i + 1].member;
    bool wall = end == i + 1 && face[i].member && face[i].outer;
    if (between || wall) code = add(&face[i], &soup, error);
    i = end;
  }
  if (code == IRZ_OK) code = irz_soup_refine(&soup, step, error);
  if (code == IRZ_OK) code = irz_soup_weld(&soup, surface, error);
  irz_soup_clear(&soup);
  return code;
}

IrzCode irz_outline_mesh(const IrzMedium *medium, const uint8_t *member, double step, IrzSurface *surface,
                         IrzError *error) {
  int64_t *number = NULL;
  uint8_t *marked = NULL;
  Face *face = NULL, *all = NULL;
  size_t n = 0, n_all = 0;
  *surface = (IrzSurface){0};
  IrzCode code = number_vertices(medium, member, &number, &marked, error);
  if (code == IRZ_OK) {
    collect(medium, member, number, marked, &face, &n, error);
    code = irz_error_agree(medium->part->comm, error);
  }
  if (code == IRZ_OK) code = irz_gather(medium->part->comm, face, n, sizeof *face, true, (void **)&all, &n_all, error);
  if (code == IRZ_OK) {
    if (medium->part->rank == 0) make_surface(all, n_all, step, surface, error);
    code = irz_error_agree(medium->part->comm, error);
  }
  free(number);
  free(marked);
  free(face);
  free(all);
  if (code != IRZ_OK) irz_surface_clear(surface);
  return code;
}
