/* A matrix for PETSc; see matrix.h. */
#include "field/matrix.h"
#include "base/memory.h"
#include "base/petsc.h"
#include <petsc/private/petscimpl.h> /* PetscObjectStateIncrease: our arrays changed under PETSc */
#include <stdlib.h>
#include <string.h>

/// Copy the columns of a pattern's row, without its own copies, and in the order that PETSc wants; counts only if
/// `fill` is false.
static PetscErrorCode copy_row(IrzMatrix *m, const IrzPattern *p, int32_t row, bool fill) {
  int32_t owned = m->space->n_owned;
  PetscInt a = fill ? m->ai[row] : 0, b = fill ? m->bi[row] : 0, last = -1;

  PetscFunctionBegin;
  for (PetscInt c = p->ai[row]; c < p->ai[row + 1]; c++) {
    if (p->aj[c] == last) continue; /* a copy is next to what it copies */
    last = p->aj[c];
    if (fill) m->aj[a] = last;
    a++;
  }
  for (PetscInt c = p->bi[row]; c < p->bi[row + 1]; c++) {
    bool ghost = p->bj[c] >= owned;
    if (fill && ghost) m->bj[b] = p->bj[c] - owned;
    if (fill && !ghost) m->aj[a] = p->bj[c];
    a += !ghost;
    b += ghost;
  }
  if (fill) {
    PetscCall(PetscSortInt(a - m->ai[row], m->aj + m->ai[row]));
    PetscCall(PetscSortInt(b - m->bi[row], m->bj + m->bi[row]));
  } else {
    m->ai[row + 1] = m->ai[row] + a;
    m->bi[row + 1] = m->bi[row] + b;
  }
  PetscFunctionReturn(0);
}

/// Copy all rows; counts only if `fill` is false.
static PetscErrorCode copy_rows(IrzMatrix *m, const IrzPattern *p, bool fill) {
  PetscFunctionBegin;
  for (int32_t r = 0; r < p->space->n_owned; r++) PetscCall(copy_row(m, p, r, fill));
  PetscFunctionReturn(0);
}

static PetscErrorCode wrap(IrzMatrix *m) {
  const IrzSpace *space = m->space;
  PetscInt n = space->n_owned;

  PetscFunctionBegin;
  if (space->part->size == 1) {
    PetscCall(MatCreateSeqAIJWithArrays(space->part->comm, n, n, m->ai, m->aj, m->aa, &m->mat));
  } else {
    PetscCall(PetscMalloc1(m->bi[n], &m->petsc_bj));
    for (PetscInt k = 0; k < m->bi[n]; k++) m->petsc_bj[k] = space->ghost[m->bj[k]];
    PetscCall(MatCreateMPIAIJWithSplitArrays(space->part->comm, n, n, PETSC_DETERMINE, PETSC_DETERMINE, m->ai, m->aj,
                                             m->aa, m->bi, m->petsc_bj, m->ba, &m->mat));
  }
  PetscCall(MatSetOption(m->mat, MAT_SYMMETRIC, PETSC_TRUE));
  PetscCall(MatSetOption(m->mat, MAT_SPD, PETSC_TRUE));
  PetscFunctionReturn(0);
}

IrzCode irz_matrix_create(const IrzPattern *pattern, IrzMatrix **matrix, IrzError *error) {
  IrzMatrix *m = NULL;
  size_t n = (size_t)pattern->space->n_owned;
  *matrix = NULL;
  IRZ_TRY(irz_alloc(&m, 1, sizeof *m, error));
  m->space = pattern->space;
  IrzCode code = irz_alloc(&m->ai, n + 1, sizeof *m->ai, error);
  if (code == IRZ_OK) code = irz_alloc(&m->bi, n + 1, sizeof *m->bi, error);
  if (code == IRZ_OK) code = irz_petsc(copy_rows(m, pattern, false), "matrix", error);
  if (code == IRZ_OK) code = irz_alloc(&m->aj, (size_t)m->ai[n], sizeof *m->aj, error);
  if (code == IRZ_OK) code = irz_alloc(&m->bj, (size_t)m->bi[n], sizeof *m->bj, error);
  if (code == IRZ_OK) code = irz_alloc(&m->aa, (size_t)m->ai[n], sizeof *m->aa, error);
  if (code == IRZ_OK) code = irz_alloc(&m->ba, (size_t)m->bi[n], sizeof *m->ba, error);
  if (code == IRZ_OK) code = irz_petsc(copy_rows(m, pattern, true), "matrix", error);
  if (code == IRZ_OK) code = irz_petsc(wrap(m), "matrix", error);
  if (code != IRZ_OK)
    irz_matrix_free(m);
  else
    *matrix = m;
  return code;
}

PetscErrorCode irz_matrix_changed(IrzMatrix *matrix) {
  PetscFunctionBegin;
  if (matrix->space->part->size > 1) {
    Mat a, b;
    PetscCall(MatMPIAIJGetSeqAIJ(matrix->mat, &a, &b, NULL));
    PetscCall(PetscObjectStateIncrease((PetscObject)a));
    PetscCall(PetscObjectStateIncrease((PetscObject)b));
    PetscCall(MatAssemblyBegin(a, MAT_FINAL_ASSEMBLY));
    PetscCall(MatAssemblyEnd(a, MAT_FINAL_ASSEMBLY));
  }
  PetscCall(PetscObjectStateIncrease((PetscObject)matrix->mat));
  PetscCall(MatAssemblyBegin(matrix->mat, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(matrix->mat, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(0);
}

void irz_matrix_zero(IrzMatrix *matrix) {
  int32_t n = matrix->space->n_owned;
  memset(matrix->aa, 0, (size_t)matrix->ai[n] * sizeof *matrix->aa);
  memset(matrix->ba, 0, (size_t)matrix->bi[n] * sizeof *matrix->ba);
}

void irz_matrix_add_entry(IrzMatrix *m, int32_t row, int32_t column, double value) {
  int32_t owned = m->space->n_owned;
  if (column < owned)
    m->aa[irz_pattern_search(m->aj, m->ai[row], m->ai[row + 1], column)] += value;
  else
    m->ba[irz_pattern_search(m->bj, m->bi[row], m->bi[row + 1], column - owned)] += value;
}

void irz_matrix_add(IrzMatrix *matrix, int32_t tet, const uint8_t *skip, const double *values) {
  int n = matrix->space->nodes;
  const int32_t *dof = matrix->space->tet_dof + (size_t)tet * (size_t)n;
  for (int i = 0; i < n; i++) {
    if (dof[i] >= matrix->space->n_owned || skip[i]) continue;
    for (int j = 0; j < n; j++) {
      if (!skip[j]) irz_matrix_add_entry(matrix, dof[i], dof[j], values[irz_packed(n, i, j)]);
    }
  }
}

void irz_matrix_diagonal(IrzMatrix *matrix, int32_t row, double value) {
  matrix->aa[irz_pattern_search(matrix->aj, matrix->ai[row], matrix->ai[row + 1], row)] = value;
}

void irz_matrix_free(IrzMatrix *matrix) {
  if (matrix == NULL) return;
  if (matrix->mat != NULL) MatDestroy(&matrix->mat);
  PetscFree(matrix->petsc_bj);
  free(matrix->ai);
  free(matrix->aj);
  free(matrix->aa);
  free(matrix->bi);
  free(matrix->bj);
  free(matrix->ba);
  free(matrix);
}
