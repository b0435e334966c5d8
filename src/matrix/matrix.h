/* A sparse matrix in double precision whose arrays PETSc shares. */
#ifndef IREZONE_MATRIX_MATRIX_H
#define IREZONE_MATRIX_MATRIX_H

#include "matrix/pattern.h"
#include <petscmat.h>

typedef struct {
  const IrzSpace *space;
  PetscInt *ai, *aj; ///< [n_owned + 1], columns: local unknowns below n_owned, increasing in each row
  PetscScalar *aa;
  PetscInt *bi, *bj; ///< [n_owned + 1], columns: ghosts, counted from n_owned, increasing in each row
  PetscScalar *ba;
  Mat mat;            ///< the same matrix for PETSc: it shares the arrays above but bj
  PetscInt *petsc_bj; ///< the same columns for PETSc, which takes global numbers and renumbers them in place
} IrzMatrix;

/// Allocate with the entries of a pattern. Collective.
IrzCode irz_matrix_create(const IrzPattern *pattern, IrzMatrix **matrix, IrzError *error);

/// Set all entries to zero.
void irz_matrix_zero(IrzMatrix *matrix);

/// Add the matrix of one tetrahedron to the owned rows.
/// @param[in] tet     which tetrahedron
/// @param[in] skip    [nodes] 1: leave out this row and column (fixed unknowns)
/// @param[in] values  [nodes (nodes + 1) / 2] entry (i, j) of the symmetric matrix is values[irz_packed(nodes, i, j)]
void irz_matrix_add(IrzMatrix *matrix, int32_t tet, const uint8_t *skip, const double *values);

/// Add to the entry in a column that the row has.
/// @param[in] column  local unknown
void irz_matrix_add_entry(IrzMatrix *matrix, int32_t row, int32_t column, double value);

/// Set a diagonal entry.
void irz_matrix_diagonal(IrzMatrix *matrix, int32_t row, double value);

/// Tell PETSc that the values changed. Collective.
PetscErrorCode irz_matrix_changed(IrzMatrix *matrix);

void irz_matrix_free(IrzMatrix *matrix);

#endif
