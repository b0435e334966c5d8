/* Where the entries of sparse matrices on a space are.

   Rows are owned unknowns; each thread of the space has a block of them. `a` holds what a row has in its own block, `b`
   the rest: columns of other threads and ghosts of other ranks.

   Rows of `a` come in groups of four: loops over whole groups have few lengths, which the processor learns to predict,
   and four sums at a time, where loops over single entries cost more in wrong guesses than in arithmetic. First come
   the columns below the diagonal and the diagonal, which ends its group, then those above. What is missing in a group
   is filled up at the outer end with copies of the neighbouring column, whose entries stay zero. `place` says for every
   tetrahedron where its entries go, one byte each, so that assembling is an addition without a search. */
#ifndef IREZONE_FIELD_PATTERN_H
#define IREZONE_FIELD_PATTERN_H

#include "field/space.h"

typedef struct {
  const IrzSpace *space;
  PetscInt *ai;     ///< [n_owned + 1] first entry of each row of `a`, a multiple of 4
  PetscInt *middle; ///< [n_owned] entry behind the diagonal, a multiple of 4
  PetscInt *aj;   ///< [ai[n_owned]] columns: local unknowns; increasing but for the copies at order 1 and in long rows
  PetscInt *bi;   ///< [n_owned + 1] first entry of each row of `b`
  PetscInt *bj;   ///< [bi[n_owned]] columns: local unknowns, likewise
  uint8_t *place; ///< [n_tets][nodes][nodes] offset of an entry in its row of `a` or `b`
} IrzPattern;

/// Most entries of a row whose places are noted: they fit a byte.
#define IRZ_PATTERN_LONG 255

/// Find the pattern. Local.
IrzCode irz_pattern_create(const IrzSpace *space, IrzPattern **pattern, IrzError *error);

/// Whether the places in a row do not fit a byte: then its entries are found by irz_pattern_in_a() and _in_b().
static inline bool irz_pattern_is_long(const IrzPattern *pattern, int32_t row) {
  return pattern->ai[row + 1] - pattern->ai[row] + pattern->bi[row + 1] - pattern->bi[row] > IRZ_PATTERN_LONG;
}

/// The last of the increasing columns [low, high) that is not above the wanted one.
PetscInt irz_pattern_search(const PetscInt *column, PetscInt low, PetscInt high, PetscInt wanted);

/// Entry of `a` in a column that a long row has.
PetscInt irz_pattern_in_a(const IrzPattern *pattern, int32_t row, int32_t column);

/// Entry of `b` in a column that a long row has.
PetscInt irz_pattern_in_b(const IrzPattern *pattern, int32_t row, int32_t column);

void irz_pattern_free(IrzPattern *pattern);

#endif
