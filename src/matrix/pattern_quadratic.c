/* Patterns of order 2. Two unknowns of a tetrahedron lie on one edge, or else on one face, or else only on the
   tetrahedron: an edge has three entries, a face six, a tetrahedron three. So each entry is found exactly once, when
   its edge or face is met first, and what meets it again takes its place over: rows are neither searched nor sorted.
   Faces that were met twice are forgotten, so those that wait for their second tetrahedron stay in the cache. */
#include "base/memory.h"
#include "matrix/pattern_block.h"
#include <stdlib.h>
#include <string.h>

_Static_assert(IRZ_MAX_PROBES <= 8, "electrodes are bits of a byte");

/// An edge, and the faces of which it is the first edge.
typedef struct {
  int32_t face;     ///< 1 + index of the face met last that waits for its second tetrahedron, or 0
  uint8_t place[3]; ///< of its entries
  bool known;
} Edge;

/// A face that was met once.
typedef struct {
  int32_t corner; ///< vertex opposite its first edge
  int32_t next;   ///< 1 + next face of the edge; of free faces: next free one
  uint8_t place[6];
} Face;

/// Two of the ten nodes, and where their entry is in packed storage.
typedef struct {
  uint8_t i, j, packed;
} Pair;

typedef struct {
  IrzPatternBlock *block;
  Edge *edge; ///< [n_edges]
  Face *face; ///< [room]
  int32_t used, room, free;
  uint8_t *touched; ///< [n_local] electrodes that share an unknown and a tetrahedron with it, as bits
  /* Pairs in an order that does not depend on the tetrahedron: ends of the edge by their numbers. */
  Pair edge_pair[6][2][3];    ///< [edge][ends turned]
  Pair face_pair[4][3][2][6]; ///< [face][its first edge][ends turned]
  uint8_t face_edge[4][3], face_corner[4][3];
} Finder;

static Pair pair_of(int i, int j) {
  return (Pair){(uint8_t)i, (uint8_t)j, (uint8_t)irz_packed(10, i, j)};
}

/// Node of the edge between two vertices of a tetrahedron.
static int middle_of(int a, int b) {
  int e = 0;
  while (irz_edge_vertices[e][0] + irz_edge_vertices[e][1] != a + b ||
         (irz_edge_vertices[e][0] != a && irz_edge_vertices[e][1] != a))
    e++;
  return 4 + e;
}

/// Fill the tables of pairs.
static void list_pairs(Finder *f) {
  for (int e = 0; e < 6; e++) {
    for (int turned = 0; turned < 2; turned++) {
      const int a = irz_edge_vertices[e][turned], b = irz_edge_vertices[e][1 - turned];
      f->edge_pair[e][turned][0] = pair_of(a, b);
      f->edge_pair[e][turned][1] = pair_of(a, 4 + e);
      f->edge_pair[e][turned][2] = pair_of(b, 4 + e);
    }
  }
  for (int k = 0; k < 4; k++) { /* face k is opposite vertex k */
    for (int side = 0; side < 3; side++) {
      const int c = (k + 1 + side) % 4, p = (k + 1 + (side + 1) % 3) % 4, q = (k + 1 + (side + 2) % 3) % 4;
      const int low = p < q ? p : q, high = p < q ? q : p;
      f->face_corner[k][side] = (uint8_t)c;
      f->face_edge[k][side] = (uint8_t)(middle_of(p, q) - 4);
      for (int turned = 0; turned < 2; turned++) {
        const int a = turned ? high : low, b = turned ? low : high;
        Pair *pair = f->face_pair[k][side][turned];
        pair[0] = pair_of(c, middle_of(a, b));
        pair[1] = pair_of(a, middle_of(b, c));
        pair[2] = pair_of(b, middle_of(a, c));
        pair[3] = pair_of(middle_of(a, b), middle_of(a, c));
        pair[4] = pair_of(middle_of(a, b), middle_of(b, c));
        pair[5] = pair_of(middle_of(a, c), middle_of(b, c));
      }
    }
  }
}

/// Give a new entry its place. Entries of shared unknowns are found elsewhere: several edges may have the same.
/// @param[in] simple  both unknowns are in the block and neither is shared
static inline uint8_t enter(IrzPatternBlock *b, const int32_t *dof, Pair pair, bool simple) {
  const int32_t i = dof[pair.i], j = dof[pair.j];
  if (!simple) {
    const IrzSpace *space = b->pattern->space;
    const bool has_i = irz_in_block(b, i), has_j = irz_in_block(b, j);
    if (irz_is_shared(space, i) || irz_is_shared(space, j)) return 0;
    if (has_i && !has_j) irz_add_outside(b, i, j);
    if (has_j && !has_i) irz_add_outside(b, j, i);
    if (!has_i || !has_j) return 0;
  }
  return (uint8_t)b->count[irz_entry_row(i, j)]++;
}

/// Note in a tetrahedron where an entry is. Another thread may write those that are not in this block.
static inline void note(const IrzPatternBlock *b, const int32_t *dof, Pair pair, uint8_t value, uint8_t *place,
                        bool simple) {
  if (simple || (irz_in_block(b, dof[pair.i]) && irz_in_block(b, dof[pair.j]))) place[pair.packed] = value;
}

/// Enter the pairs of an edge or face that is new, or take their places over from the tetrahedron that met it before.
static inline __attribute__((always_inline)) void visit_pairs(IrzPatternBlock *b, const int32_t *dof, const Pair *pair,
                                                              int count, bool known, uint8_t *kept, uint8_t *place,
                                                              bool simple) {
  if (!known) {
    for (int q = 0; q < count; q++) kept[q] = enter(b, dof, pair[q], simple);
  }
  for (int q = 0; q < count; q++) note(b, dof, pair[q], kept[q], place, simple);
}

/// Visit a face: find it among those that wait at its first edge, the one with the least number.
static inline __attribute__((always_inline)) void visit_face(Finder *f, const int32_t *node, const int32_t *dof, int k,
                                                             uint8_t *place, bool simple) {
  const int32_t n0 = node[4 + f->face_edge[k][0]], n1 = node[4 + f->face_edge[k][1]], n2 = node[4 + f->face_edge[k][2]];
  int side = n1 < n0;
  side = n2 < (n1 < n0 ? n1 : n0) ? 2 : side;
  const int e = f->face_edge[k][side];
  const int32_t corner = node[f->face_corner[k][side]];
  const bool turned = node[irz_edge_vertices[e][0]] > node[irz_edge_vertices[e][1]];
  const Pair *pair = f->face_pair[k][side][turned];
  Edge *edge = &f->edge[node[4 + e] - f->block->pattern->space->part->n_vertices];
  int32_t *link = &edge->face;
  while (*link != 0 && f->face[*link - 1].corner != corner) link = &f->face[*link - 1].next;
  if (*link != 0) {
    const int32_t index = *link;
    Face *face = &f->face[index - 1];
    visit_pairs(f->block, dof, pair, 6, true, face->place, place, simple);
    *link = face->next;
    face->next = f->free;
    f->free = index;
    return;
  }
  if (f->free == 0) {
    f->face[f->used].next = 0;
    f->free = ++f->used;
  }
  const int32_t index = f->free;
  Face *face = &f->face[index - 1];
  f->free = face->next;
  visit_pairs(f->block, dof, pair, 6, false, face->place, place, simple);
  face->corner = corner;
  face->next = edge->face;
  edge->face = index;
}

/// Visit the edges, the faces and the inside of a tetrahedron.
static inline __attribute__((always_inline)) void visit_tet(Finder *f, int32_t t, bool simple) {
  IrzPattern *p = f->block->pattern;
  const IrzPart *part = p->space->part;
  const int32_t *node = part->tet[t], *dof = p->space->tet_dof + 10 * (size_t)t;
  uint8_t *place = p->place + 55 * (size_t)t;
  for (int e = 0; e < 6; e++) {
    Edge *edge = &f->edge[node[4 + e] - part->n_vertices];
    const bool turned = node[irz_edge_vertices[e][0]] > node[irz_edge_vertices[e][1]];
    visit_pairs(f->block, dof, f->edge_pair[e][turned], 3, edge->known, edge->place, place, simple);
    edge->known = true;
  }
  for (int k = 0; k < 4; k++) visit_face(f, node, dof, k, place, simple);
  for (int e = 0; e < 3; e++) { /* edges e and 5 - e are opposite each other */
    uint8_t kept;
    const Pair pair = {(uint8_t)(4 + e), (uint8_t)(9 - e), (uint8_t)irz_packed(10, 4 + e, 9 - e)};
    visit_pairs(f->block, dof, &pair, 1, false, &kept, place, simple);
  }
}

/// Note which electrodes' unknowns share a tetrahedron with which others.
static void touch_electrodes(const Finder *f, const int32_t *dof) {
  const int8_t *electrode = f->block->pattern->space->electrode;
  for (int i = 0; i < 10; i++) {
    for (int j = 0; electrode[dof[i]] >= 0 && j < 10; j++) {
      if (dof[j] != dof[i]) f->touched[dof[j]] |= (uint8_t)(1 << electrode[dof[i]]);
    }
  }
}

/// Visit all tetrahedra that touch the block.
static IrzCode visit_tets(Finder *f, IrzError *error) {
  IrzPatternBlock *b = f->block;
  const IrzSpace *space = b->pattern->space;
  const bool alone = space->n_threads == 1 && space->n_local == space->n_owned;
  for (int32_t t = 0; t < space->part->n_tets; t++) {
    const int32_t *dof = space->tet_dof + 10 * (size_t)t;
    bool simple = true;
    if (!alone) {
      if (!irz_touches_block(b, dof, 10)) continue;
      for (int i = 0; i < 10; i++) simple &= irz_in_block(b, dof[i]);
    }
    bool shared = false;
    for (int i = 0; space->merged && i < 10; i++) shared |= space->electrode[dof[i]] >= 0;
    if (shared) touch_electrodes(f, dof);
    if (f->used + 4 > f->room) {
      f->room += f->room / 2 + 1024;
      IRZ_TRY(irz_resize(&f->face, (size_t)f->room, sizeof *f->face, error));
    }
    if (simple && !shared) {
      visit_tet(f, t, true);
    } else {
      IRZ_TRY(irz_reserve_outside(b, 45, error));
      visit_tet(f, t, false);
    }
  }
  return IRZ_OK;
}

static IrzCode add_extra(IrzPatternBlock *b, int32_t row, int32_t column, int32_t place, IrzError *error) {
  if (b->n_extra == b->room_extra) {
    b->room_extra += b->room_extra / 2 + 1024;
    IRZ_TRY(irz_resize(&b->extra, b->room_extra, sizeof *b->extra, error));
  }
  b->extra[b->n_extra++] = (IrzExtra){row, column, place};
  return IRZ_OK;
}

/// Enter the entries of the unknowns that electrodes share; those in their rows increase.
static IrzCode enter_electrodes(const Finder *f, IrzError *error) {
  IrzPatternBlock *b = f->block;
  const IrzSpace *space = b->pattern->space;
  int32_t unknown[IRZ_MAX_PROBES];
  for (int e = 0; e < IRZ_MAX_PROBES; e++) unknown[e] = -1;
  for (int32_t d = 0; d < space->n_local; d++) {
    if (space->electrode[d] >= 0) unknown[space->electrode[d]] = d;
  }
  for (int32_t d = 0; d < space->n_local; d++) {
    for (int e = 0; f->touched[d] != 0 && e < IRZ_MAX_PROBES; e++) {
      const int32_t other = unknown[e];
      if (!(f->touched[d] & (1 << e))) continue;
      if (space->electrode[d] >= 0 && d > other) continue; /* two electrodes: once */
      IRZ_TRY(irz_reserve_outside(b, 2, error));
      const bool has_d = irz_in_block(b, d), has_other = irz_in_block(b, other);
      if (has_d && has_other) {
        const int32_t row = irz_entry_row(d, other);
        IRZ_TRY(add_extra(b, row, irz_entry_column(d, other), (int32_t)b->count[row]++, error));
      } else if (has_d) {
        irz_add_outside(b, d, other);
      } else if (has_other) {
        irz_add_outside(b, other, d);
      }
    }
  }
  return IRZ_OK;
}

static int compare_extra(const void *a, const void *b) {
  const IrzExtra *p = a, *q = b;
  if (p->row != q->row) return p->row < q->row ? -1 : 1;
  return (p->column > q->column) - (p->column < q->column);
}

/// Whether a row of the block is too long for places of a byte, and not an electrode's own.
static bool is_long(const IrzPatternBlock *b, int32_t row) {
  return irz_in_block(b, row) && !irz_is_shared(b->pattern->space, row) &&
         irz_pattern_length(b->count[row]) > IRZ_PATTERN_LONG;
}

/// Enter all columns of long rows anew, in order: they do without `place`.
static IrzCode enter_long(IrzPatternBlock *b, IrzError *error) {
  const IrzSpace *space = b->pattern->space;
  bool any = false;
  for (int32_t r = b->first; r < b->last && !any; r++) any = is_long(b, r);
  if (!any) return IRZ_OK;
  size_t kept = 0;
  for (size_t k = 0; k < b->n_extra; k++) {
    if (!is_long(b, b->extra[k].row)) b->extra[kept++] = b->extra[k];
  }
  b->n_extra = kept;
  for (int32_t t = 0; t < space->part->n_tets; t++) {
    const int32_t *dof = space->tet_dof + 10 * (size_t)t;
    for (int i = 0; i < 10; i++) {
      if (!is_long(b, dof[i])) continue;
      for (int j = 0; j < 10; j++) {
        if (dof[j] < dof[i] && dof[j] >= b->first) IRZ_TRY(add_extra(b, dof[i], dof[j], 0, error));
      }
    }
  }
  qsort(b->extra + kept, b->n_extra - kept, sizeof *b->extra, compare_extra);
  size_t end = b->n_extra;
  b->n_extra = kept;
  for (size_t k = kept; k < end; k++) {
    const IrzExtra *before = b->n_extra > kept ? &b->extra[b->n_extra - 1] : NULL, next = b->extra[k];
    const bool same_row = before != NULL && before->row == next.row;
    if (same_row && before->column == next.column) continue;
    const int32_t place = same_row ? before->place + 1 : 0;
    b->extra[b->n_extra++] = (IrzExtra){next.row, next.column, place};
  }
  return IRZ_OK;
}

IrzCode irz_quadratic_count(IrzPatternBlock *b, IrzError *error) {
  const IrzSpace *space = b->pattern->space;
  Finder f = {.block = b};
  list_pairs(&f);
  IrzCode code = irz_alloc(&f.edge, (size_t)space->part->n_edges, sizeof *f.edge, error);
  if (code == IRZ_OK && space->merged) code = irz_alloc(&f.touched, (size_t)space->n_local, 1, error);
  if (code == IRZ_OK) code = visit_tets(&f, error);
  if (code == IRZ_OK && space->merged) code = enter_electrodes(&f, error);
  if (code == IRZ_OK) code = enter_long(b, error);
  free(f.edge);
  free(f.face);
  free(f.touched);
  return code;
}

/// Write the columns of a plain tetrahedron without shared unknowns, and the places of its diagonals. Of two rows the
/// larger one begins later.
static inline void write_plain(const IrzPattern *p, const int32_t *dof, uint8_t *place) {
  PetscInt row[10];
#pragma GCC unroll 10
  for (int i = 0; i < 10; i++) {
    row[i] = p->ai[dof[i]];
    place[irz_packed(10, i, i)] = (uint8_t)(p->ai[dof[i] + 1] - row[i] - 1);
  }
#pragma GCC unroll 10
  for (int i = 0; i < 10; i++) {
#pragma GCC unroll 10
    for (int j = i + 1; j < 10; j++) {
      p->aj[irz_entry_row(row[i], row[j]) + place[irz_packed(10, i, j)]] = irz_entry_column(dof[i], dof[j]);
    }
  }
}

/// The same for any tetrahedron, without columns that are extra ones.
/// @param[in] inside  all unknowns are in the block
static void write_any(const IrzPatternBlock *b, const int32_t *dof, uint8_t *place, bool inside) {
  const IrzPattern *p = b->pattern;
  for (int i = 0; i < 10; i++) {
    if (inside) place[irz_packed(10, i, i)] = (uint8_t)(p->ai[dof[i] + 1] - p->ai[dof[i]] - 1);
    for (int j = i + 1; j < 10; j++) {
      const int32_t row = irz_entry_row(dof[i], dof[j]), column = irz_entry_column(dof[i], dof[j]);
      if (row >= b->last || column < b->first) continue;
      if (irz_is_shared(p->space, row) || irz_is_shared(p->space, column)) continue;
      if (p->ai[row + 1] - p->ai[row] > IRZ_PATTERN_LONG) continue;
      p->aj[p->ai[row] + place[irz_packed(10, i, j)]] = column;
    }
  }
}

void irz_quadratic_write(const IrzPatternBlock *b) {
  IrzPattern *p = b->pattern;
  for (int32_t t = 0; t < p->space->part->n_tets; t++) {
    const int32_t *dof = p->space->tet_dof + 10 * (size_t)t;
    uint8_t *place = p->place + 55 * (size_t)t;
    if (!irz_touches_block(b, dof, 10)) continue;
    const IrzPlain plain = irz_find_plain(b, dof, 10);
    if (plain == IRZ_PLAIN)
      write_plain(p, dof, place);
    else
      write_any(b, dof, place, plain == IRZ_PLAIN_FIXED);
    if (plain != IRZ_PLAIN_NO) p->plain[t] = (uint8_t)plain;
  }
  for (size_t k = 0; k < b->n_extra; k++) p->aj[p->ai[b->extra[k].row] + b->extra[k].place] = b->extra[k].column;
}
