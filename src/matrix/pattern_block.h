/* What one thread finds of a pattern: shared by the files that find patterns.

   First every block counts the columns of its rows and gives each entry its place; when all rows' lengths are known the
   columns are written. So nothing is moved or sorted, and threads do not wait for one another in between. */
#ifndef IREZONE_MATRIX_PATTERN_BLOCK_H
#define IREZONE_MATRIX_PATTERN_BLOCK_H

#include "matrix/pattern.h"

/// An entry that leads out of the block.
typedef struct {
  int32_t row, column;
} IrzOutside;

/// An entry of `a` whose place is not in `place`.
typedef struct {
  int32_t row, column, place;
} IrzExtra;

/// The rows of one thread.
typedef struct {
  IrzPattern *pattern;
  int32_t first, last; ///< rows
  PetscInt *count;     ///< [n_owned], shared: columns below the diagonal that were found of each row
  IrzOutside *outside; ///< entries that lead out of the block, once each but for electrodes that share an unknown
  size_t n_outside, room_outside;
  IrzExtra *extra;
  size_t n_extra, room_extra;
  int32_t *edge_place; ///< [n_edges] order 1, shared: place of an edge's entry if both its ends are in one block
  IrzCode code;
  IrzError error;
} IrzPatternBlock;

/// The larger of two unknowns, in whose row their entry is, and the smaller, its column.
static inline int32_t irz_entry_row(int32_t a, int32_t b) {
  return a > b ? a : b;
}
static inline int32_t irz_entry_column(int32_t a, int32_t b) {
  return a < b ? a : b;
}

/// Whether a row is in the block.
static inline bool irz_in_block(const IrzPatternBlock *b, int32_t row) {
  return row >= b->first && row < b->last;
}

/// Whether a tetrahedron touches the block.
static inline bool irz_touches_block(const IrzPatternBlock *b, const int32_t *dof, int nodes) {
  bool touches = false;
  for (int i = 0; i < nodes; i++) touches |= irz_in_block(b, dof[i]);
  return touches;
}

/// Whether several nodes may share this unknown.
static inline bool irz_is_shared(const IrzSpace *space, int32_t dof) {
  return space->merged && space->electrode[dof] >= 0;
}

/// Make room for so many more entries that lead out of the block.
IrzCode irz_reserve_outside(IrzPatternBlock *b, size_t more, IrzError *error);

/// Note an entry; there is room.
static inline void irz_add_outside(IrzPatternBlock *b, int32_t row, int32_t column) {
  b->outside[b->n_outside++] = (IrzOutside){row, column};
}

/// Sort what leads out of a block by rows, then columns, without repetitions, and count it.
/// @param[out] count  [n_owned] what leads out of each row
IrzCode irz_sort_outside(IrzPatternBlock *b, PetscInt *count, IrzError *error);

/// Count the columns of a block's rows at order 1 and note places and what leads out.
IrzCode irz_linear_count(IrzPatternBlock *b, IrzError *error);

/// What `place` can know of a tetrahedron, when `ai` is known.
static inline __attribute__((always_inline)) IrzPlain irz_find_plain(const IrzPatternBlock *b, const int32_t *dof,
                                                                     int nodes) {
  const PetscInt *ai = b->pattern->ai;
  bool inside = true, longer = false, shared = false;
  for (int i = 0; i < nodes; i++) inside &= irz_in_block(b, dof[i]);
  if (!inside) return IRZ_PLAIN_NO;
  for (int i = 0; i < nodes; i++) {
    const bool electrode = irz_is_shared(b->pattern->space, dof[i]);
    shared |= electrode;
    longer |= !electrode && ai[dof[i] + 1] - ai[dof[i]] > IRZ_PATTERN_LONG;
  }
  return longer ? IRZ_PLAIN_NO : shared ? IRZ_PLAIN_FIXED : IRZ_PLAIN;
}

/// Write the columns of a block's rows and what `plain` and `place` lack of the tetrahedra inside it; `ai` is known.
void irz_linear_write(const IrzPatternBlock *b);

/// The same at order 2.
IrzCode irz_quadratic_count(IrzPatternBlock *b, IrzError *error);
void irz_quadratic_write(const IrzPatternBlock *b);

#endif
