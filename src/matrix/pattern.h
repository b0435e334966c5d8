/* Where the entries of symmetric sparse matrices on a space are.

   Rows are owned unknowns; each thread of the space has a block of them. `a` holds what a row has in its own block up
   to its diagonal: the rest of the block follows from symmetry, and a sweep or product that reads an entry once uses it
   for both triangles. `b` holds what leads out of the block: columns of other threads and ghosts of other ranks.

   Rows of `a` come in groups of four: loops over whole groups have few lengths, which the processor learns to predict,
   and four sums at a time, where loops over single entries cost more in wrong guesses than in arithmetic. The diagonal
   is the last entry; what is missing in the last group is filled up with copies of it before it, whose entries stay
   zero. `place` says where the entries of a tetrahedron go, one byte each, so that assembling is an
   addition without a search; `seat` says it of the few tetrahedra that several blocks or electrodes share. */
#ifndef IREZONE_MATRIX_PATTERN_H
#define IREZONE_MATRIX_PATTERN_H

#include "matrix/space.h"

/// What `place` knows of a tetrahedron.
typedef enum {
  IRZ_PLAIN_NO,    ///< its unknowns are several threads', or a row is too long for a byte
  IRZ_PLAIN_FIXED, ///< all entries if its electrodes' unknowns are left out: several nodes may share one
  IRZ_PLAIN        ///< all entries
} IrzPlain;

typedef struct {
  const IrzSpace *space;
  PetscInt *ai;   ///< [n_owned + 1] first entry of each row of `a`, a multiple of 4
  PetscInt *aj;   ///< [ai[n_owned]] columns: local unknowns. At order 1, and in long rows, they increase but for copies
  PetscInt *bi;   ///< [n_owned + 1] first entry of each row of `b`
  PetscInt *bj;   ///< [bi[n_owned]] columns: local unknowns, increasing
  uint8_t *plain; ///< [n_tets] of IrzPlain
  uint8_t *place; ///< [n_tets][nodes (nodes + 1) / 2] offset in its row of `a` of the entry of nodes i and j, packed;
                  ///< the row is that of the larger unknown
  int32_t *seated; ///< [n_tets] 1 + which of `seat` a tetrahedron has that is not IRZ_PLAIN; 0: none
  PetscInt *seat; ///< [..][nodes][nodes] where the entry of nodes i and j goes that is in the row of node i: to `a`; to
                  ///< `b`, then -2 less the place there; -1: nowhere, as the row is a ghost's or the entry is that of
                  ///< j and i
} IrzPattern;

/// Find the pattern. Local.
IrzCode irz_pattern_create(const IrzSpace *space, IrzPattern **pattern, IrzError *error);

/// The last of the increasing columns [low, high) that is not above the wanted one.
PetscInt irz_pattern_search(const PetscInt *column, PetscInt low, PetscInt high, PetscInt wanted);

/// Length of a row of `a` with so many columns below the diagonal: with it, in whole groups.
static inline PetscInt irz_pattern_length(PetscInt below) {
  return (below + 4) / 4 * 4;
}

/// Rows with more entries are long: their places do not fit a byte.
#define IRZ_PATTERN_LONG 256

/// Entry of `a` in a column, at most the row, that the row has.
PetscInt irz_pattern_in_a(const IrzPattern *pattern, int32_t row, int32_t column);

/// Entry of `b` in a column that the row has.
PetscInt irz_pattern_in_b(const IrzPattern *pattern, int32_t row, int32_t column);

/// Entry (i, j) in packed storage of a symmetric matrix of n nodes: row by row of the upper triangle.
static inline int irz_packed(int n, int i, int j) {
  return i <= j ? i * n - i * (i - 1) / 2 + (j - i) : j * n - j * (j - 1) / 2 + (i - j);
}

void irz_pattern_free(IrzPattern *pattern);

#endif
