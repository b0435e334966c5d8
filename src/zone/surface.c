/* The surface of the zone; see surface.h. */
#include "zone/surface.h"
#include "base/memory.h"
#include "part/gather.h"
#include "zone/nodal.h"
#include "zone/separate.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// A corner of a triangle: where a level crosses the line between two rows' nodes, or a node.
typedef struct {
  int64_t low, high;   ///< global numbers of the rows, the smaller first; of a node its number twice
  double level;        ///< V/m; 0 for a node
  double x[3];         ///< m
  IrzSurfaceKind kind; ///< of the triangle
} Corner;

/// Triangles as they are found.
typedef struct {
  const IrzMedium *medium;
  const IrzDrawn *drawn;
  const double *threshold;
  const IrzSides *sides;
  int64_t *node;  ///< [nodes of the part] global numbers
  int64_t *row;   ///< [rows] global numbers
  size_t n, room; ///< corners, three a triangle
  Corner *corner;
  IrzSurfaceKind kind; ///< of triangles that are found now
} Cutter;

/// A tetrahedron at work.
typedef struct {
  int64_t node[10], row[10]; ///< global numbers
  double field[10];          ///< V/m
  double x[10][3];           ///< m
} Cell;

/// A face of a tetrahedron.
typedef struct {
  int64_t node[3];  ///< global numbers of its corners, increasing
  int64_t row[3];   ///< of the rows of the same corners
  unsigned inside;  ///< bits of what is in the zone: 1 << k for corner k, 8 << k for the middle opposite it
  double threshold; ///< V/m, of the tetrahedron's region
  int32_t tet;
  int8_t face; ///< opposite this corner
  bool mine;
  int rank;
} Face;

/// Corners of the faces opposite each corner, seen from outside.
static const int face_corners[4][3] = {{1, 2, 3}, {0, 3, 2}, {0, 1, 3}, {0, 2, 1}};

/// The node in the middle between two corners.
static int middle(int a, int b) {
  static const int node[4][4] = {{0, 4, 5, 6}, {4, 1, 7, 8}, {5, 7, 2, 9}, {6, 8, 9, 3}};
  return node[a][b];
}

/* ---- Triangles ---- */

/// A node as a corner.
static Corner at_node(const Cell *cell, int i) {
  Corner corner = {.low = cell->node[i], .high = cell->node[i], .x = {cell->x[i][0], cell->x[i][1], cell->x[i][2]}};
  return corner;
}

/// Where a level crosses the line between two nodes: the same from every tetrahedron.
static Corner at_crossing(const Cell *cell, int i, int j, double level) {
  int a = cell->row[i] < cell->row[j] ? i : j, b = a == i ? j : i;
  double s = (level - cell->field[a]) / (cell->field[b] - cell->field[a]);
  Corner corner = {.low = cell->row[a], .high = cell->row[b], .level = level};
  for (int d = 0; d < 3; d++) corner.x[d] = cell->x[a][d] + s * (cell->x[b][d] - cell->x[a][d]);
  return corner;
}

/// Add a triangle.
static IrzCode add(Cutter *cutter, Corner a, Corner b, Corner c, IrzError *error) {
  if (cutter->n + 3 > cutter->room) {
    size_t room = 2 * cutter->room + 3072;
    IRZ_TRY(irz_resize(&cutter->corner, room, sizeof *cutter->corner, error));
    cutter->room = room;
  }
  a.kind = b.kind = c.kind = cutter->kind;
  cutter->corner[cutter->n++] = a;
  cutter->corner[cutter->n++] = b;
  cutter->corner[cutter->n++] = c;
  return IRZ_OK;
}

/// Whether a small tetrahedron has the orientation of the whole one; in the reference, as curved ones may be folded.
static bool positive(const int node[4]) {
  static const double x[10][3] = {{0, 0, 0}, {2, 0, 0}, {0, 2, 0}, {0, 0, 2}, {1, 0, 0},
                                  {0, 1, 0}, {0, 0, 1}, {1, 1, 0}, {1, 0, 1}, {0, 1, 1}};
  double e[3][3];
  for (int k = 0; k < 3; k++) {
    for (int d = 0; d < 3; d++) e[k][d] = x[node[k + 1]][d] - x[node[0]][d];
  }
  return e[0][0] * (e[1][1] * e[2][2] - e[1][2] * e[2][1]) - e[0][1] * (e[1][0] * e[2][2] - e[1][2] * e[2][0]) +
             e[0][2] * (e[1][0] * e[2][1] - e[1][1] * e[2][0]) >
         0;
}

/// Cut a small tetrahedron.
static IrzCode cut_child(Cutter *cutter, const Cell *cell, const int child[4], double level, IrzError *error) {
  /* Even permutations that bring one corner, or two, to the front. */
  static const int one[4][4] = {{0, 1, 2, 3}, {1, 0, 3, 2}, {2, 3, 0, 1}, {3, 2, 1, 0}};
  static const int two[6][4] = {{0, 1, 2, 3}, {0, 2, 3, 1}, {0, 3, 1, 2}, {1, 2, 0, 3}, {1, 3, 2, 0}, {2, 3, 0, 1}};
  bool in[4];
  int n = 0, node[4];
  for (int i = 0; i < 4; i++) n += in[i] = cell->field[child[i]] >= level;
  if (n == 0 || n == 4) return IRZ_OK;
  bool turned = !positive(child);
  if (n == 2) {
    int k = 0;
    while (!in[two[k][0]] || !in[two[k][1]]) k++;
    for (int i = 0; i < 4; i++) node[i] = child[two[k][i]];
    Corner ac = at_crossing(cell, node[0], node[2], level), ad = at_crossing(cell, node[0], node[3], level);
    Corner bc = at_crossing(cell, node[1], node[2], level), bd = at_crossing(cell, node[1], node[3], level);
    IRZ_TRY(add(cutter, ac, turned ? bd : ad, turned ? ad : bd, error));
    return add(cutter, ac, turned ? bc : bd, turned ? bd : bc, error);
  }
  int k = 0;
  while (in[k] != (n == 1)) k++; /* the one that is not like the others */
  for (int i = 0; i < 4; i++) node[i] = child[one[k][i]];
  if (n == 3) turned = !turned;
  Corner a = at_crossing(cell, node[0], node[1], level), b = at_crossing(cell, node[0], node[2], level);
  Corner c = at_crossing(cell, node[0], node[3], level);
  return add(cutter, a, turned ? c : b, turned ? b : c, error);
}

/// Close the zone along a part of a face: where the field is between two levels.
static IrzCode close_part(Cutter *cutter, const Cell *cell, const int node[3], double low, double high,
                          IrzError *error) {
  Corner corner[9];
  int n = 0;
  for (int i = 0; i < 3; i++) {
    int p = node[i], q = node[(i + 1) % 3];
    double f = cell->field[p], g = cell->field[q];
    double level[2] = {f < g ? low : high, f < g ? high : low}; /* in the order in which the edge meets them */
    if (f >= low && f < high) corner[n++] = at_node(cell, p);
    for (int k = 0; k < 2; k++) {
      if ((f >= level[k]) != (g >= level[k])) corner[n++] = at_crossing(cell, p, q, level[k]);
    }
  }
  for (int i = 2; i < n; i++) IRZ_TRY(add(cutter, corner[0], corner[i - 1], corner[i], error));
  return IRZ_OK;
}

/// Close the zone along a face of a tetrahedron.
/// @param[in] on  bits, as Face.inside, where the zone goes on beyond: there it is not closed
static IrzCode close_face(Cutter *cutter, const Cell *cell, const Face *face, unsigned on, double high,
                          IrzError *error) {
  const int *c = face_corners[face->face];
  const int m[3] = {middle(c[1], c[2]), middle(c[2], c[0]), middle(c[0], c[1])}; /* opposite the corners */
  const int part[4][3] = {{c[0], m[2], m[1]}, {m[2], c[1], m[0]}, {m[1], m[0], c[2]}, {m[0], m[1], m[2]}};
  unsigned corner[3], opposite[3];
  for (int k = 0; k < 3; k++) {
    int at = 0;
    while (face->node[at] != cell->node[c[k]]) at++;
    corner[k] = 1U << at;
    opposite[k] = 8U << at;
  }
  const unsigned bits[4] = {corner[0] | opposite[1] | opposite[2], corner[1] | opposite[2] | opposite[0],
                            corner[2] | opposite[0] | opposite[1], opposite[0] | opposite[1] | opposite[2]};
  for (int k = 0; k < 4; k++) {
    if ((bits[k] & on) != bits[k]) IRZ_TRY(close_part(cutter, cell, part[k], face->threshold, high, error));
  }
  return IRZ_OK;
}

/// Turn to a tetrahedron.
/// @return whether some of it is in the zone
static bool move_cell(const Cutter *cutter, int32_t tet, int32_t curved, Cell *cell) {
  const IrzPart *part = cutter->medium->part;
  const int32_t *row = irz_tet_rows(cutter->sides, part, tet);
  double level = cutter->threshold[cutter->medium->region[tet]];
  bool any = false;
  for (int i = 0; i < 10; i++) {
    cell->field[i] = cutter->drawn->field[row[i]];
    any = any || cell->field[i] >= level;
  }
  if (!any) return false;
  for (int i = 0; i < 10; i++) {
    cell->node[i] = cutter->node[part->tet[tet][i]];
    cell->row[i] = cutter->row[row[i]];
  }
  irz_drawn_points(part, cutter->drawn, tet, curved, cell->x);
  return true;
}

/* ---- Faces ---- */

static int by_nodes(const void *a, const void *b) {
  const Face *x = a, *y = b;
  for (int k = 0; k < 3; k++) {
    if (x->node[k] != y->node[k]) return x->node[k] < y->node[k] ? -1 : 1;
  }
  return 0;
}

/// A face of a tetrahedron with its corners in order.
static Face make_face(const Cutter *cutter, int32_t tet, int face) {
  const IrzPart *part = cutter->medium->part;
  const int32_t *row = irz_tet_rows(cutter->sides, part, tet);
  Face made = {.threshold = cutter->threshold[cutter->medium->region[tet]],
               .tet = tet,
               .face = (int8_t)face,
               .mine = part->mine[tet],
               .rank = part->rank};
  for (int k = 0; k < 3; k++) {
    int corner = face_corners[face][k], at = k;
    int64_t node = cutter->node[part->tet[tet][corner]];
    for (; at > 0 && made.node[at - 1] > node; at--) {
      made.node[at] = made.node[at - 1];
      made.row[at] = made.row[at - 1];
    }
    made.node[at] = node;
    made.row[at] = cutter->row[row[corner]];
  }
  for (int k = 0; k < 3; k++) {
    int corner = face_corners[face][k], at = 0;
    int opposite = middle(face_corners[face][(k + 1) % 3], face_corners[face][(k + 2) % 3]);
    while (made.node[at] != cutter->node[part->tet[tet][corner]]) at++;
    if (cutter->drawn->field[row[corner]] >= made.threshold) made.inside |= 1U << at;
    if (cutter->drawn->field[row[opposite]] >= made.threshold) made.inside |= 8U << at;
  }
  return made;
}

/// Close the zone along a face of this rank, unless it goes on beyond. Where only the threshold is higher there, it
/// ends in a part of the face; where the field is another, as between tissues, the zone of each side is closed for
/// itself, but for what is inside on both.
/// @param[in] beyond  the same face, of the other tetrahedron; NULL: there is none
static IrzCode close_if_open(Cutter *cutter, const Face *face, const Face *beyond, IrzError *error) {
  const IrzPart *part = cutter->medium->part;
  double high = INFINITY;
  unsigned on = 0;
  Cell cell;
  if (!face->mine) return IRZ_OK;
  if (beyond != NULL && memcmp(beyond->row, face->row, sizeof face->row) == 0)
    high = beyond->threshold;
  else if (beyond != NULL)
    on = face->inside & beyond->inside;
  if (high <= face->threshold) return IRZ_OK;
  int32_t curved = irz_first_curved(part, face->tet);
  bool bent = curved < part->n_curved && part->curved_tet[curved] == face->tet;
  if (!move_cell(cutter, face->tet, bent ? curved : -1, &cell)) return IRZ_OK;
  cutter->kind = beyond != NULL ? IRZ_SURFACE_TISSUE : IRZ_SURFACE_WALL;
  for (int k = 0; k < 3 && beyond == NULL; k++) {
    if (!part->outer[part->tet[face->tet][face_corners[face->face][k]]]) cutter->kind = IRZ_SURFACE_HOLE;
  }
  return close_face(cutter, &cell, face, on, high, error);
}

/// The other one of a face that two tetrahedra have, among those of all ranks; NULL: it has one.
static const Face *other_side(const Face *face, const Face *all, size_t n_all) {
  const Face *at = bsearch(face, all, n_all, sizeof *all, by_nodes);
  while (at > all && by_nodes(at - 1, face) == 0) at--;
  for (; at < all + n_all && by_nodes(at, face) == 0; at++) {
    if (at->rank != face->rank || at->tet != face->tet) return at;
  }
  return NULL;
}

/// Close the zone where it ends at faces. Faces whose other side is not of this rank go to all ranks. Collective.
static IrzCode close_faces(Cutter *cutter, IrzError *error) {
  const IrzPart *part = cutter->medium->part;
  Face *face = NULL, *open = NULL, *all = NULL;
  size_t n = 4 * (size_t)part->n_tets, n_open = 0, n_all = 0;
  irz_alloc(&face, n, sizeof *face, error);
  if (error->code == IRZ_OK) irz_alloc(&open, n, sizeof *open, error);
  for (size_t i = 0; error->code == IRZ_OK && i < n; i++) face[i] = make_face(cutter, (int32_t)(i / 4), (int)(i % 4));
  if (error->code == IRZ_OK) qsort(face, n, sizeof *face, by_nodes);
  for (size_t i = 0; error->code == IRZ_OK && i < n; i++) {
    if (!face[i].mine) continue;
    const Face *other = i > 0 && by_nodes(&face[i - 1], &face[i]) == 0       ? &face[i - 1]
                        : i + 1 < n && by_nodes(&face[i], &face[i + 1]) == 0 ? &face[i + 1]
                                                                             : NULL;
    if (other != NULL && other->mine)
      close_if_open(cutter, &face[i], other, error);
    else
      open[n_open++] = face[i];
  }
  IrzCode code = irz_error_agree(part->comm, error);
  if (code == IRZ_OK) code = irz_gather(part->comm, open, n_open, sizeof *open, false, (void **)&all, &n_all, error);
  if (code == IRZ_OK) qsort(all, n_all, sizeof *all, by_nodes);
  for (size_t i = 0; code == IRZ_OK && i < n_open; i++) {
    code = close_if_open(cutter, &open[i], other_side(&open[i], all, n_all), error);
  }
  free(face);
  free(open);
  free(all);
  return irz_error_agree(part->comm, error);
}

/* ---- The surface ---- */

/// Number the rows of all ranks, and so the nodes. Collective.
static IrzCode number_rows(Cutter *cutter, IrzError *error) {
  const IrzPart *part = cutter->medium->part;
  const IrzSides *sides = cutter->sides;
  int32_t nodes = part->n_vertices + part->n_edges, own_edges = part->n_vertices + part->n_owned_edges;
  int64_t n_owned = 0, first = 0;
  double *value = NULL;
  irz_alloc(&value, (size_t)sides->n_rows, sizeof *value, error);
  if (error->code == IRZ_OK) irz_alloc(&cutter->node, (size_t)nodes, sizeof *cutter->node, error);
  if (error->code == IRZ_OK) irz_alloc(&cutter->row, (size_t)sides->n_rows, sizeof *cutter->row, error);
  IrzCode code = irz_error_agree(part->comm, error);
  for (int32_t i = 0; code == IRZ_OK && i < sides->n_rows; i++) {
    int32_t node = irz_row_node(sides, i);
    bool own = node < part->n_owned_vertices || (node >= part->n_vertices && node < own_edges);
    value[i] = own ? (double)n_owned++ : 0;
  }
  if (code == IRZ_OK) {
    MPI_Exscan(&n_owned, &first, 1, MPI_INT64_T, MPI_SUM, part->comm);
    for (int32_t i = 0; i < sides->n_rows && part->rank > 0; i++) value[i] += (double)first;
    code = irz_sides_share(sides, 1, value, error);
    for (int32_t i = 0; i < sides->n_rows; i++) cutter->row[i] = (int64_t)value[i];
    for (int32_t i = 0; i < nodes; i++) cutter->node[i] = cutter->row[i];
  }
  free(value);
  return code;
}

/// Cut this rank's tetrahedra.
static IrzCode cut_all(Cutter *cutter, IrzError *error) {
  const IrzPart *part = cutter->medium->part;
  int32_t curved = 0;
  Cell cell;
  for (int32_t t = 0; t < part->n_tets; t++) {
    bool bent = curved < part->n_curved && part->curved_tet[curved] == t;
    int32_t bend = bent ? curved++ : -1;
    if (!part->mine[t] || !move_cell(cutter, t, bend, &cell)) continue;
    int way = irz_drawn_way(cutter->drawn->field, irz_tet_rows(cutter->drawn->sides, part, t));
    for (int c = 0; c < 8; c++) {
      IRZ_TRY(
          cut_child(cutter, &cell, irz_drawn_children[way][c], cutter->threshold[cutter->medium->region[t]], error));
    }
  }
  return IRZ_OK;
}

static int by_place(const void *a, const void *b) {
  const Corner *x = *(const Corner *const *)a, *y = *(const Corner *const *)b;
  if (x->low != y->low) return x->low < y->low ? -1 : 1;
  if (x->high != y->high) return x->high < y->high ? -1 : 1;
  return (x->level > y->level) - (x->level < y->level);
}

/// Make points of corners that are the same.
/// @param[out] kind  of the triangles
static IrzCode join(const Corner *corner, size_t n, IrzSurface *surface, uint8_t **kind, IrzError *error) {
  const Corner **order = NULL;
  if (n > INT32_MAX) return irz_error_set(error, IRZ_ERR_MEMORY, "the surface has too many triangles");
  IRZ_TRY(irz_alloc((void *)&order, n, sizeof *order, error));
  IrzCode code = irz_alloc(&surface->points, n, sizeof *surface->points, error);
  if (code == IRZ_OK) code = irz_alloc(&surface->triangles, n / 3, sizeof *surface->triangles, error);
  if (code == IRZ_OK) code = irz_alloc(kind, n / 3, 1, error);
  if (code == IRZ_OK) {
    for (size_t i = 0; i < n; i++) order[i] = &corner[i];
    qsort((void *)order, n, sizeof *order, by_place);
    for (size_t i = 0; i < n; i++) {
      if (i == 0 || by_place((const void *)&order[i - 1], (const void *)&order[i]) != 0)
        memcpy(surface->points[surface->n_points++], order[i]->x, sizeof order[i]->x);
      size_t at = (size_t)(order[i] - corner);
      surface->triangles[at / 3][at % 3] = surface->n_points - 1;
    }
    for (size_t t = 0; t < n / 3; t++) {
      const int32_t *p = surface->triangles[t];
      if (p[0] == p[1] || p[1] == p[2] || p[2] == p[0]) continue;
      (*kind)[surface->n_triangles] = (uint8_t)corner[3 * t].kind;
      memmove(surface->triangles[surface->n_triangles++], p, sizeof surface->triangles[0]);
    }
  }
  free((void *)order);
  return code;
}

IrzCode irz_zone_surface_kinds(const IrzMedium *medium, const IrzSides *sides, const IrzDrawn *drawn,
                               const double *threshold, IrzSurface *surface, uint8_t **kind, IrzError *error) {
  const IrzPart *part = medium->part;
  Cutter cutter = {.medium = medium, .drawn = drawn, .threshold = threshold, .sides = sides};
  Corner *all = NULL;
  size_t n_all = 0;
  *surface = (IrzSurface){0};
  *kind = NULL;
  IrzCode code = number_rows(&cutter, error);
  if (code == IRZ_OK) {
    cut_all(&cutter, error);
    code = irz_error_agree(part->comm, error);
  }
  if (code == IRZ_OK) code = close_faces(&cutter, error);
  if (code == IRZ_OK)
    code = irz_gather(part->comm, cutter.corner, cutter.n, sizeof *all, true, (void **)&all, &n_all, error);
  if (code == IRZ_OK) {
    if (part->rank == 0 && join(all, n_all, surface, kind, error) == IRZ_OK) irz_surface_separate(surface, kind, error);
    code = irz_error_agree(part->comm, error);
  }
  if (code != IRZ_OK) {
    irz_surface_clear(surface);
    free(*kind);
    *kind = NULL;
  }
  free(cutter.node);
  free(cutter.row);
  free(cutter.corner);
  free(all);
  return code;
}

IrzCode irz_zone_surface(const IrzMedium *medium, const IrzSides *sides, const IrzDrawn *drawn, const double *threshold,
                         IrzSurface *surface, IrzError *error) {
  uint8_t *kind;
  IrzCode code = irz_zone_surface_kinds(medium, sides, drawn, threshold, surface, &kind, error);
  free(kind);
  return code;
}

void irz_surface_clear(IrzSurface *surface) {
  if (surface == NULL) return;
  free(surface->points);
  free(surface->triangles);
  *surface = (IrzSurface){0};
}
