/* A sparse matrix on a space, in arrays of our own that PETSc shares.

   Rows are owned unknowns. Columns are split as in PETSc: owned unknowns in `a`, ghosts in `b`. `place` says for every
   tetrahedron where its entries go, one byte each, so that assembling is an addition without a search. */
#ifndef IREZONE_FIELD_MATRIX_H
#define IREZONE_FIELD_MATRIX_H

#include "field/space.h"
#include <petscmat.h>

typedef struct {
  const IrzSpace *space;
  PetscInt *ai, *aj; ///< [n_owned + 1], columns: local unknowns below n_owned
  PetscScalar *aa;
  PetscInt *bi, *bj; ///< [n_owned + 1], columns: ghosts, counted from n_owned
  PetscScalar *ba;
  uint8_t *place;      ///< [n_tets][nodes][nodes] offset of an entry in its row of `a` or `b`
  Mat mat;             ///< the same matrix for PETSc: it shares the arrays above
  PetscInt *global_bj; ///< what PETSc sees as columns of `b`; NULL on one rank
} IrzMatrix;

/// Find the pattern and allocate. Collective.
IrzCode irz_matrix_create(const IrzSpace *space, IrzMatrix **matrix, IrzError *error);

/// Set all entries in a range of rows to zero.
void irz_matrix_zero(IrzMatrix *matrix, int32_t first, int32_t last);

/// Add the matrix of one tetrahedron to the rows in [first, last).
/// @param[in] tet     which tetrahedron
/// @param[in] dof     [nodes] its unknowns
/// @param[in] skip    [nodes] 1: leave out this row and column (fixed unknowns)
/// @param[in] values  entry (i, j) of the symmetric matrix is values[index(i, j) * stride]
/// @param[in] stride  distance of the values
void irz_matrix_add(IrzMatrix *matrix, int32_t tet, const int32_t *dof, const uint8_t *skip, const double *values,
                    int stride, int32_t first, int32_t last);

/// Entry (i, j), i <= j, in packed storage of a symmetric matrix of n nodes: row by row of the upper triangle.
static inline int irz_packed(int n, int i, int j) {
  return i <= j ? i * n - i * (i - 1) / 2 + (j - i) : j * n - j * (j - 1) / 2 + (i - j);
}

/// Put 1 times `scale` on the diagonal of a row that has no entries left.
void irz_matrix_diagonal(IrzMatrix *matrix, int32_t row, double value);

/// Tell PETSc that the values changed. Collective.
PetscErrorCode irz_matrix_changed(IrzMatrix *matrix);

/// y = A x on the owned rows, with all threads of the space.
/// @param[in]  x  [n_local], ghosts up to date
/// @param[out] y  [n_owned]
void irz_matrix_multiply(const IrzMatrix *matrix, const double *x, double *y);

void irz_matrix_free(IrzMatrix *matrix);

#endif
