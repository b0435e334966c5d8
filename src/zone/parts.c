/* Pieces of the zone by union and find; see parts.h. */
#include "zone/parts.h"
#include "base/memory.h"
#include "base/threads.h"
#include "zone/cut.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Tetrahedra are taken in chunks: their volumes are added up in order, whoever took them.
enum { CHUNKS = 64 };

/// What to look at.
typedef struct {
  const IrzMedium *medium;
  int n_threads;
  const IrzDrawn *drawn;
  const double *threshold;
} Zone;

/// The smallest node known to be connected with a node. Other threads may join nodes meanwhile: parents only ever move
/// to smaller nodes of the same piece.
static int32_t root_of(int32_t *parent, int32_t i) {
  for (;;) {
    int32_t above, top;
#pragma omp atomic read
    above = parent[i];
    if (above == i) return i;
#pragma omp atomic read
    top = parent[above];
    if (top != above) {
#pragma omp atomic write
      parent[i] = top;
    }
    i = top;
  }
}

/// Join two nodes. The larger root goes under the smaller, so that in the end a piece's root is its smallest node,
/// whatever the order.
static void join(int32_t *parent, int32_t i, int32_t j) {
  for (;;) {
    int32_t a = root_of(parent, i), b = root_of(parent, j);
    if (a == b) return;
    int32_t low = a < b ? a : b, high = a < b ? b : a, expected = high;
    if (__atomic_compare_exchange_n(&parent[high], &expected, low, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return;
  }
}

/// The rows of a tetrahedron.
static inline const int32_t *rows_of(const Zone *zone, int32_t tet) {
  return irz_tet_rows(zone->drawn->sides, zone->medium->part, tet);
}

static inline int32_t count_rows(const Zone *zone) {
  const IrzPart *part = zone->medium->part;
  return zone->drawn->sides != NULL ? zone->drawn->sides->n_rows : part->n_vertices + part->n_edges;
}

/// Nodes of a tetrahedron inside the zone, as bits.
static inline unsigned inside_of(const Zone *zone, int32_t tet) {
  const int32_t *node = rows_of(zone, tet);
  double limit = zone->threshold[zone->medium->region[tet]];
  unsigned in = 0;
  for (int i = 0; i < 10; i++) in |= (unsigned)(zone->drawn->field[node[i]] >= limit) << i;
  return in;
}

enum { ALL_INSIDE = (1 << 10) - 1 };

/// Join the nodes of a tetrahedron that the zone connects.
/// @param[in] way  of irz_drawn_way()
static void join_tet(const int32_t *node, int way, unsigned in, int32_t *parent) {
  for (int i = 1; i < 10 && in == ALL_INSIDE; i++) join(parent, node[0], node[i]);
  for (int c = 0; c < 8 && in != ALL_INSIDE; c++) {
    const int *child = irz_drawn_children[way][c];
    for (int i = 0; i < 4; i++) {
      for (int j = i + 1; j < 4; j++) {
        if ((in >> child[i] & 1) && (in >> child[j] & 1)) join(parent, node[child[i]], node[child[j]]);
      }
    }
  }
}

/// Join what lies on several sides of one node.
static void join_sides(const IrzSides *sides, const uint8_t *inside, int32_t *parent) {
  for (int32_t row = sides->n_nodes; row < sides->n_rows; row++) {
    int32_t node = irz_row_node(sides, row), other = row - 1;
    if (!inside[row]) continue;
    if (inside[node]) {
      join(parent, row, node);
      continue;
    }
    for (; other >= sides->n_nodes && irz_row_node(sides, other) == node; other--) {
      if (inside[other]) join(parent, row, other);
    }
  }
}

/// Join the rows of this rank that the zone connects; `inside` marks rows in the zone.
static void join_all(const Zone *zone, int32_t *parent, uint8_t *inside) {
  const IrzPart *part = zone->medium->part;
#pragma omp parallel for num_threads(irz_threads(zone->n_threads)) schedule(static)
  for (int32_t t = 0; t < part->n_tets; t++) {
    unsigned in = inside_of(zone, t);
    if (in == 0) continue;
    for (int i = 0; i < 10; i++) {
      if ((in >> i & 1) == 0) continue;
#pragma omp atomic write
      inside[rows_of(zone, t)[i]] = 1;
    }
    join_tet(rows_of(zone, t), irz_drawn_way(zone->drawn->field, rows_of(zone, t)), in, parent);
  }
  if (zone->drawn->sides != NULL) join_sides(zone->drawn->sides, inside, parent);
}

/// Let pieces that continue on other ranks agree on a name: the smallest name spreads until nothing changes.
static IrzCode agree_on_names(const Zone *zone, int32_t *parent, const uint8_t *inside, double *name, IrzError *error) {
  const IrzPart *part = zone->medium->part;
  const IrzSides *sides = zone->drawn->sides;
  PetscSF forest = sides != NULL && sides->rows != NULL ? sides->rows : part->nodes;
  int32_t n = count_rows(zone);
  int64_t mine = n, end;
  MPI_Scan(&mine, &end, 1, MPI_INT64_T, MPI_SUM, part->comm);
#pragma omp parallel for num_threads(irz_threads(zone->n_threads)) schedule(static)
  for (int32_t i = 0; i < n; i++) name[i] = (double)(end - n + (inside[i] ? root_of(parent, i) : i));
  for (int changed = part->size > 1; changed;) {
    for (int32_t i = 0; i < n; i++) {
      int32_t root = root_of(parent, i);
      if (name[i] < name[root]) name[root] = name[i];
    }
    for (int32_t i = 0; i < n; i++) {
      if (inside[i]) name[i] = name[root_of(parent, i)];
    }
    /* Down from owners to copies, and up from copies to owners. */
    PetscErrorCode code = PetscSFReduceBegin(forest, MPI_DOUBLE, name, name, MPI_MIN);
    if (code == 0) code = PetscSFReduceEnd(forest, MPI_DOUBLE, name, name, MPI_MIN);
    if (code != 0) return irz_error_set(error, IRZ_ERR_SOLVER, "pieces of the zone: exchange failed");
    IRZ_TRY(irz_share_over(forest, 1, name, error));
    int here = 0;
    for (int32_t i = 0; i < n; i++) {
      if (inside[i] && name[i] != name[root_of(parent, i)]) here = 1;
    }
    MPI_Allreduce(&here, &changed, 1, MPI_INT, MPI_MAX, part->comm);
  }
  return IRZ_OK;
}

/// A piece and its volume.
typedef struct {
  double name, volume;
} Piece;

static int compare_pieces(const void *a, const void *b) {
  const Piece *p = a, *q = b;
  return (p->name > q->name) - (p->name < q->name);
}

/// Add up equal names in a sorted list; returns how many are left.
static int64_t merge(Piece *piece, int64_t count) {
  int64_t n = 0;
  if (count == 0) return 0; /* there may be no list */
  qsort(piece, (size_t)count, sizeof *piece, compare_pieces);
  for (int64_t i = 0; i < count; i++) {
    if (n > 0 && piece[n - 1].name == piece[i].name)
      piece[n - 1].volume += piece[i].volume;
    else
      piece[n++] = piece[i];
  }
  return n;
}

/// Pieces in the order in which they were met, and the box around them.
typedef struct {
  Piece *piece;
  int64_t count, room;
  double box[2][3];
} Pieces;

static const double no_box[2][3] = {{INFINITY, INFINITY, INFINITY}, {-INFINITY, -INFINITY, -INFINITY}};

static IrzCode pieces_add(Pieces *pieces, Piece piece, IrzError *error) {
  if (pieces->count > 0 && pieces->piece[pieces->count - 1].name == piece.name) {
    pieces->piece[pieces->count - 1].volume += piece.volume;
    return IRZ_OK;
  }
  if (pieces->count == pieces->room) {
    if (pieces->room > 1000) pieces->count = merge(pieces->piece, pieces->count);
    if (2 * pieces->count >= pieces->room) {
      pieces->room = 2 * pieces->room + 16;
      IRZ_TRY(irz_resize(&pieces->piece, (size_t)pieces->room, sizeof *pieces->piece, error));
    }
  }
  pieces->piece[pieces->count++] = piece;
  return IRZ_OK;
}

/// Grow a box by the corners inside and the cuts of the edges.
static void grow_by_cut(const double *const x[4], const double f[4], double box[2][3]) {
  for (int i = 0; i < 4; i++) {
    if (f[i] < 0) continue;
    irz_box_grow(box, x[i]);
    for (int j = 0; j < 4; j++) {
      if (f[j] >= 0) continue;
      double cut[3], s = f[i] / (f[i] - f[j]);
      for (int d = 0; d < 3; d++) cut[d] = x[i][d] + s * (x[j][d] - x[i][d]);
      irz_box_grow(box, cut);
    }
  }
}

/// Add the pieces in a tetrahedron that the zone's surface may cut.
static IrzCode cut_pieces(const Zone *zone, const double *name, int32_t tet, int32_t curved, Pieces *pieces,
                          IrzError *error) {
  const int32_t *node = rows_of(zone, tet);
  double limit = zone->threshold[zone->medium->region[tet]], point[10][3];
  int way = irz_drawn_way(zone->drawn->field, node);
  irz_drawn_points(zone->medium->part, zone->drawn, tet, curved, point);
  for (int c = 0; c < 8; c++) {
    const int *child = irz_drawn_children[way][c];
    const double *x[4];
    double f[4];
    int in = -1;
    for (int i = 0; i < 4; i++) {
      x[i] = point[child[i]];
      f[i] = zone->drawn->field[node[child[i]]] - limit;
      if (f[i] >= 0) in = i;
    }
    if (in < 0) continue;
    double volume = fabs(irz_tet_volume(x[0], x[1], x[2], x[3])) * irz_cut_fraction(f);
    grow_by_cut(x, f, pieces->box);
    IRZ_TRY(pieces_add(pieces, (Piece){name[node[child[in]]], volume}, error));
  }
  return IRZ_OK;
}

/// Volumes of the pieces in this rank's own tetrahedra in [first, last).
static IrzCode range_pieces(const Zone *zone, const double *name, int32_t first, int32_t last, Pieces *pieces,
                            IrzError *error) {
  const IrzPart *part = zone->medium->part;
  int32_t curved = irz_first_curved(part, first);
  memcpy(pieces->box, no_box, sizeof no_box);
  for (int32_t t = first; t < last; t++) {
    unsigned inside = part->mine[t] ? inside_of(zone, t) : 0;
    if (inside == 0) continue;
    bool bent = irz_is_bent(part, t, &curved);
    if (inside != ALL_INSIDE) {
      IRZ_TRY(cut_pieces(zone, name, t, bent ? curved : -1, pieces, error));
      continue;
    }
    const int32_t *node = part->tet[t];
    const double *x[4];
    for (int i = 0; i < 4; i++) {
      x[i] = part->xyz + 3 * (size_t)node[i];
      irz_box_grow(pieces->box, x[i]);
    }
    for (int e = 0; e < 6 && bent; e++) irz_box_grow(pieces->box, part->curved_xyz[curved][e]);
    IRZ_TRY(pieces_add(pieces, (Piece){name[rows_of(zone, t)[0]], irz_tet_volume(x[0], x[1], x[2], x[3])}, error));
  }
  return IRZ_OK;
}

/// Volumes of the pieces in this rank's own tetrahedra.
static IrzCode local_pieces(const Zone *zone, const double *name, Pieces *all, IrzError *error) {
  int64_t n = zone->medium->part->n_tets;
  Pieces chunk[CHUNKS] = {{0}};
#pragma omp parallel for num_threads(irz_threads(zone->n_threads)) schedule(dynamic)
  for (int k = 0; k < CHUNKS; k++) {
    IrzError own = {0};
    range_pieces(zone, name, (int32_t)(n * k / CHUNKS), (int32_t)(n * (k + 1) / CHUNKS), &chunk[k], &own);
    if (own.code != IRZ_OK) {
#pragma omp critical
      *error = own;
    }
  }
  memcpy(all->box, no_box, sizeof no_box);
  for (int k = 0; k < CHUNKS; k++) {
    for (int end = 0; end < 2 && chunk[k].count > 0; end++) irz_box_grow(all->box, chunk[k].box[end]);
    for (int64_t i = 0; error->code == IRZ_OK && i < chunk[k].count; i++) pieces_add(all, chunk[k].piece[i], error);
    free(chunk[k].piece);
  }
  if (error->code == IRZ_OK) all->count = merge(all->piece, all->count);
  return error->code;
}

IrzCode irz_zone_parts(const IrzMedium *medium, int n_threads, const IrzDrawn *drawn, const double *threshold,
                       IrzZoneParts *parts, IrzError *error) {
  const IrzPart *part = medium->part;
  const Zone zone = {medium, n_threads, drawn, threshold};
  size_t n = (size_t)count_rows(&zone);
  int32_t *parent = NULL;
  uint8_t *inside = NULL;
  double *name = NULL;
  Pieces own = {0};
  Piece *all = NULL;
  int *counts = NULL, *shifts = NULL;
  memset(parts, 0, sizeof *parts);
  IrzCode code = irz_alloc(&parent, n, sizeof *parent, error);
  if (code == IRZ_OK) code = irz_alloc(&inside, n, 1, error);
  if (code == IRZ_OK) code = irz_alloc(&name, n, sizeof *name, error);
  if (code == IRZ_OK) code = irz_alloc(&counts, (size_t)part->size, sizeof *counts, error);
  if (code == IRZ_OK) code = irz_alloc(&shifts, (size_t)part->size + 1, sizeof *shifts, error);
  code = irz_error_agree(part->comm, error);
  if (code == IRZ_OK) {
    for (size_t i = 0; i < n; i++) parent[i] = (int32_t)i;
    join_all(&zone, parent, inside);
    code = agree_on_names(&zone, parent, inside, name, error);
  }
  if (code == IRZ_OK) {
    local_pieces(&zone, name, &own, error);
    code = irz_error_agree(part->comm, error);
  }
  if (code == IRZ_OK) {
    int mine = (int)(2 * own.count), touches = 0, touched;
    MPI_Allgather(&mine, 1, MPI_INT, counts, 1, MPI_INT, part->comm);
    for (int r = 0; r < part->size; r++) shifts[r + 1] = shifts[r] + counts[r];
    irz_alloc(&all, (size_t)shifts[part->size] / 2, sizeof *all, error);
    code = irz_error_agree(part->comm, error);
    if (code == IRZ_OK) {
      MPI_Allgatherv(own.piece, mine, MPI_DOUBLE, all, counts, shifts, MPI_DOUBLE, part->comm);
      int64_t total = merge(all, shifts[part->size] / 2);
      double sum = 0;
      for (int64_t i = 0; i < total; i++) sum += all[i].volume;
      parts->total = sum;
      for (int64_t i = 0; i < total; i++) {
        parts->largest = fmax(parts->largest, all[i].volume);
        if (all[i].volume > 1e-3 * sum) parts->count++;
      }
      for (int32_t row = 0; row < (int32_t)n; row++) {
        int32_t v = drawn->sides != NULL ? irz_row_node(drawn->sides, row) : row;
        touches |= inside[row] && v < part->n_owned_vertices && part->outer[v];
      }
      MPI_Allreduce(&touches, &touched, 1, MPI_INT, MPI_MAX, part->comm);
      parts->touches_outer = touched != 0;
      MPI_Allreduce(own.box[0], parts->box[0], 3, MPI_DOUBLE, MPI_MIN, part->comm);
      MPI_Allreduce(own.box[1], parts->box[1], 3, MPI_DOUBLE, MPI_MAX, part->comm);
      if (!(parts->box[0][0] <= parts->box[1][0])) memset(parts->box, 0, sizeof parts->box);
    }
  }
  free(parent);
  free(inside);
  free(name);
  free(own.piece);
  free(all);
  free(counts);
  free(shifts);
  return code;
}
