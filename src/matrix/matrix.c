/* A matrix for PETSc; see matrix.h. */
#include "matrix/matrix.h"
#include "base/memory.h"
#include "base/petsc.h"
#include "base/valid.h"
#include "matrix/matrix_valid.h"
#include <petsc/private/petscimpl.h> /* PetscObjectStateIncrease: our arrays changed under PETSc */
#include <stdlib.h>
#include <string.h>

/// Add a column to a row: counts only if `fill` is false.
/// @param[in,out] next  [n_owned + 1] entries of each row behind it, or the next free place
static void add_column(PetscInt *next, PetscInt *columns, int32_t row, PetscInt column, bool fill) {
  if (fill)
    columns[next[row]++] = column;
  else
    next[row + 1]++;
}

/// Take over the columns of a pattern, both triangles, without its own copies; counts only if `fill` is false. They
/// are in no order yet.
/// @param[in,out] next_a, next_b  [n_owned + 1] of add_column()
static void copy_columns(IrzMatrix *m, const IrzPattern *p, PetscInt *next_a, PetscInt *next_b, bool fill) {
  int32_t owned = m->space->n_owned;
  for (int32_t r = 0; r < owned; r++) {
    for (PetscInt c = p->ai[r]; c < p->ai[r + 1]; c++) {
      if (c > p->ai[r] && p->aj[c] == p->aj[c - 1]) continue;
      add_column(next_a, m->aj, r, p->aj[c], fill);
      if (p->aj[c] != r) add_column(next_a, m->aj, p->aj[c], r, fill);
    }
    for (PetscInt c = p->bi[r]; c < p->bi[r + 1]; c++) {
      if (p->bj[c] < owned)
        add_column(next_a, m->aj, r, p->bj[c], fill); /* another thread's */
      else
        add_column(next_b, m->bj, r, p->bj[c] - owned, fill);
    }
  }
}

/// Find rows and columns.
static IrzCode fill_pattern(IrzMatrix *m, const IrzPattern *p, IrzError *error) {
  size_t n = (size_t)m->space->n_owned;
  PetscInt *next_a = NULL, *next_b = NULL;
  IRZ_TRY(irz_alloc(&m->ai, n + 1, sizeof *m->ai, error));
  IRZ_TRY(irz_alloc(&m->bi, n + 1, sizeof *m->bi, error));
  copy_columns(m, p, m->ai, m->bi, false);
  for (size_t r = 0; r < n; r++) {
    m->ai[r + 1] += m->ai[r];
    m->bi[r + 1] += m->bi[r];
  }
  IRZ_TRY(irz_alloc(&m->aj, (size_t)m->ai[n], sizeof *m->aj, error));
  IRZ_TRY(irz_alloc(&m->bj, (size_t)m->bi[n], sizeof *m->bj, error));
  IrzCode code = irz_alloc(&next_a, n + 1, sizeof *next_a, error);
  if (code == IRZ_OK) code = irz_alloc(&next_b, n + 1, sizeof *next_b, error);
  if (code == IRZ_OK) {
    memcpy(next_a, m->ai, (n + 1) * sizeof *next_a);
    memcpy(next_b, m->bi, (n + 1) * sizeof *next_b);
    copy_columns(m, p, next_a, next_b, true);
  }
  free(next_a);
  free(next_b);
  for (size_t r = 0; code == IRZ_OK && r < n; r++) {
    code = irz_petsc(PetscSortInt(m->ai[r + 1] - m->ai[r], m->aj + m->ai[r]), "matrix", error);
    if (code == IRZ_OK) code = irz_petsc(PetscSortInt(m->bi[r + 1] - m->bi[r], m->bj + m->bi[r]), "matrix", error);
  }
  return code;
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
  IrzCode code = irz_alloc(&m, 1, sizeof *m, error);
  if (code == IRZ_OK) {
    m->space = pattern->space;
    code = fill_pattern(m, pattern, error);
  }
  if (code == IRZ_OK) code = irz_alloc(&m->aa, (size_t)m->ai[n], sizeof *m->aa, error);
  if (code == IRZ_OK) code = irz_alloc(&m->ba, (size_t)m->bi[n], sizeof *m->ba, error);
  code = irz_error_agree(pattern->space->part->comm, error);
  if (code == IRZ_OK) code = irz_petsc(wrap(m), "matrix", error);
  if (code != IRZ_OK) {
    irz_matrix_free(m);
    return code;
  }
  IRZ_ASSERT_VALID(irz_matrix_is_valid, m);
  *matrix = m;
  return IRZ_OK;
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
