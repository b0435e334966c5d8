/* Pattern, assembly and product; see matrix.h. */
#include "field/matrix.h"
#include "base/memory.h"
#include "base/petsc.h"
#include <petsc/private/petscimpl.h> /* PetscObjectStateIncrease: our arrays changed under PETSc */
#include <stdlib.h>
#include <string.h>

/* ---- Pattern ---- */

/// For every owned row the tetrahedra that touch it, as 16 t + (node in t). start is [n_owned + 1].
static IrzCode rows_to_tets(const IrzSpace *space, int32_t **start, int32_t **entry, IrzError *error) {
  const IrzPart *part = space->part;
  *start = *entry = NULL;
  IRZ_TRY(irz_alloc(start, (size_t)space->n_owned + 2, sizeof **start, error));
  int32_t *at = *start + 1;
  for (int32_t t = 0; t < part->n_tets; t++) {
    for (int i = 0; i < space->nodes; i++) {
      int32_t row = space->dof[part->tet[t][i]];
      if (row < space->n_owned) at[row + 1]++;
    }
  }
  for (int32_t r = 0; r < space->n_owned; r++) at[r + 1] += at[r];
  /* `at[row]` is now the first place of the row; filling moves it to the last, which is the next row's first. */
  IRZ_TRY(irz_alloc(entry, (size_t)at[space->n_owned], sizeof **entry, error));
  for (int32_t t = 0; t < part->n_tets; t++) {
    for (int i = 0; i < space->nodes; i++) {
      int32_t row = space->dof[part->tet[t][i]];
      if (row < space->n_owned) (*entry)[at[row]++] = 16 * t + i;
    }
  }
  return IRZ_OK;
}

static int compare_int(const void *a, const void *b) {
  const int32_t *p = a, *q = b;
  return (*p > *q) - (*p < *q);
}

/// Sort a short row.
static void sort_row(int32_t *column, int32_t count) {
  if (count > 200) {
    qsort(column, (size_t)count, sizeof *column, compare_int);
    return;
  }
  for (int32_t i = 1; i < count; i++) {
    int32_t c = column[i], k = i;
    while (k > 0 && column[k - 1] > c) {
      column[k] = column[k - 1];
      k--;
    }
    column[k] = c;
  }
}

/// Columns of one row, owned ones first, each part increasing. `mark` is [n_local], 0 on entry and on return.
static int32_t row_columns(const IrzSpace *space, const int32_t *entry, int32_t count, uint8_t *mark, int32_t *column) {
  int32_t n = 0;
  for (int32_t k = 0; k < count; k++) {
    const int32_t *node = space->part->tet[entry[k] >> 4];
    for (int j = 0; j < space->nodes; j++) {
      int32_t c = space->dof[node[j]];
      if (mark[c]) continue;
      mark[c] = 1;
      column[n++] = c;
    }
  }
  for (int32_t k = 0; k < n; k++) mark[column[k]] = 0;
  sort_row(column, n);
  return n;
}

/// Scratch of one thread.
typedef struct {
  uint8_t *mark;   ///< [n_local]
  int32_t *where;  ///< [n_local]
  int32_t *column; ///< columns of all its rows, one after another
  size_t room;
  IrzCode code;
  IrzError error;
} Scratch;

/// Copy the columns of one row to their places, and note where each tetrahedron's entries are.
static void fill_row(IrzMatrix *m, int32_t row, const int32_t *column, const int32_t *entry, int32_t count,
                     int32_t *where) {
  const IrzSpace *space = m->space;
  int32_t owned = m->ai[row + 1] - m->ai[row], n = owned + m->bi[row + 1] - m->bi[row];
  for (int32_t k = 0; k < n; k++) {
    if (k < owned)
      m->aj[m->ai[row] + k] = column[k];
    else
      m->bj[m->bi[row] + k - owned] = column[k] - space->n_owned;
    where[column[k]] = k < owned ? k : k - owned;
  }
  if (n > 255) return; /* found by search when assembled */
  for (int32_t k = 0; k < count; k++) {
    int32_t t = entry[k] >> 4;
    uint8_t *place = m->place + ((size_t)t * (size_t)space->nodes + (size_t)(entry[k] & 15)) * (size_t)space->nodes;
    for (int j = 0; j < space->nodes; j++) place[j] = (uint8_t)where[space->dof[space->part->tet[t][j]]];
  }
}

/// Find the columns of all rows of one thread; counts go to ai and bi.
static IrzCode find_columns(IrzMatrix *m, int thread, const int32_t *start, const int32_t *entry, Scratch *scratch,
                            IrzError *error) {
  const IrzSpace *space = m->space;
  size_t used = 0;
  for (int32_t r = space->row_start[thread]; r < space->row_start[thread + 1]; r++) {
    int32_t count = start[r + 1] - start[r];
    size_t most = (size_t)count * (size_t)space->nodes;
    if (most > (size_t)space->n_local) most = (size_t)space->n_local;
    if (used + most > scratch->room) {
      scratch->room += scratch->room / 2 + most + 65536;
      IRZ_TRY(irz_resize(&scratch->column, scratch->room, sizeof *scratch->column, error));
    }
    int32_t *column = scratch->column + used, owned = 0;
    int32_t n = row_columns(space, entry + start[r], count, scratch->mark, column);
    while (owned < n && column[owned] < space->n_owned) owned++;
    m->ai[r + 1] = owned;
    m->bi[r + 1] = n - owned;
    used += (size_t)n;
  }
  return IRZ_OK;
}

/// Build ai, aj, bi, bj and place.
static IrzCode build_pattern(IrzMatrix *m, IrzError *error) {
  const IrzSpace *space = m->space;
  int32_t *start, *entry;
  int n_threads = space->n_threads;
  Scratch *scratch = NULL;
  size_t rows = (size_t)space->n_owned, nodes = (size_t)space->nodes;
  IrzCode code = rows_to_tets(space, &start, &entry, error);
  if (code == IRZ_OK) code = irz_alloc(&scratch, (size_t)n_threads, sizeof *scratch, error);
  if (code == IRZ_OK) code = irz_alloc(&m->ai, rows + 1, sizeof *m->ai, error);
  if (code == IRZ_OK) code = irz_alloc(&m->bi, rows + 1, sizeof *m->bi, error);
  if (code == IRZ_OK) code = irz_alloc(&m->place, (size_t)space->part->n_tets * nodes * nodes, 1, error);
  for (int k = 0; code == IRZ_OK && k < n_threads; k++) {
    code = irz_alloc(&scratch[k].mark, (size_t)space->n_local, 1, error);
    if (code == IRZ_OK) code = irz_alloc(&scratch[k].where, (size_t)space->n_local, sizeof(int32_t), error);
  }
  if (code == IRZ_OK) {
#pragma omp parallel for num_threads(n_threads) schedule(static, 1)
    for (int k = 0; k < n_threads; k++) {
      scratch[k].code = find_columns(m, k, start, entry, &scratch[k], &scratch[k].error);
    }
    for (int k = 0; k < n_threads && code == IRZ_OK; k++) {
      code = scratch[k].code;
      if (code != IRZ_OK) *error = scratch[k].error;
    }
  }
  if (code == IRZ_OK) {
    for (size_t r = 0; r < rows; r++) {
      m->ai[r + 1] += m->ai[r];
      m->bi[r + 1] += m->bi[r];
    }
    code = irz_alloc(&m->aj, (size_t)m->ai[rows], sizeof *m->aj, error);
  }
  if (code == IRZ_OK) code = irz_alloc(&m->aa, (size_t)m->ai[rows], sizeof *m->aa, error);
  if (code == IRZ_OK) code = irz_alloc(&m->bj, (size_t)m->bi[rows], sizeof *m->bj, error);
  if (code == IRZ_OK) code = irz_alloc(&m->ba, (size_t)m->bi[rows], sizeof *m->ba, error);
  if (code == IRZ_OK) {
#pragma omp parallel for num_threads(n_threads) schedule(static, 1)
    for (int k = 0; k < n_threads; k++) {
      const int32_t *column = scratch[k].column;
      for (int32_t r = space->row_start[k]; r < space->row_start[k + 1]; r++) {
        fill_row(m, r, column, entry + start[r], start[r + 1] - start[r], scratch[k].where);
        column += m->ai[r + 1] - m->ai[r] + m->bi[r + 1] - m->bi[r];
      }
    }
  }
  for (int k = 0; scratch != NULL && k < n_threads; k++) {
    free(scratch[k].mark);
    free(scratch[k].where);
    free(scratch[k].column);
  }
  free(scratch);
  free(start);
  free(entry);
  return code;
}

/* ---- PETSc's view ---- */

/// Product for PETSc with our threads (one rank only; with several PETSc overlaps messages and work by itself).
static PetscErrorCode threaded_multiply(Mat mat, Vec x, Vec y) {
  IrzMatrix *m;
  PetscContainer container;
  const PetscScalar *xa;
  PetscScalar *ya;

  PetscFunctionBegin;
  PetscCall(PetscObjectQuery((PetscObject)mat, "irezone", (PetscObject *)&container));
  PetscCall(PetscContainerGetPointer(container, (void **)&m));
  PetscCall(VecGetArrayRead(x, &xa));
  PetscCall(VecGetArrayWrite(y, &ya));
  irz_matrix_multiply(m, xa, ya);
  PetscCall(VecRestoreArrayRead(x, &xa));
  PetscCall(VecRestoreArrayWrite(y, &ya));
  PetscFunctionReturn(0);
}

static PetscErrorCode wrap(IrzMatrix *m) {
  const IrzSpace *space = m->space;
  PetscInt n = space->n_owned, ghosts = m->bi[n];

  PetscFunctionBegin;
  if (space->part->size == 1) {
    PetscContainer container;
    PetscCall(MatCreateSeqAIJWithArrays(space->part->comm, n, n, m->ai, m->aj, m->aa, &m->mat));
    PetscCall(PetscContainerCreate(space->part->comm, &container));
    PetscCall(PetscContainerSetPointer(container, m));
    PetscCall(PetscObjectCompose((PetscObject)m->mat, "irezone", (PetscObject)container));
    PetscCall(PetscContainerDestroy(&container));
    PetscCall(MatSetOperation(m->mat, MATOP_MULT, (void (*)(void))threaded_multiply));
  } else {
    PetscCall(PetscMalloc1(ghosts, &m->global_bj));
    for (PetscInt k = 0; k < ghosts; k++) m->global_bj[k] = space->ghost[m->bj[k]];
    PetscCall(MatCreateMPIAIJWithSplitArrays(space->part->comm, n, n, PETSC_DETERMINE, PETSC_DETERMINE, m->ai, m->aj,
                                             m->aa, m->bi, m->global_bj, m->ba, &m->mat));
  }
  PetscCall(MatSetOption(m->mat, MAT_SYMMETRIC, PETSC_TRUE));
  PetscCall(MatSetOption(m->mat, MAT_SPD, PETSC_TRUE));
  PetscFunctionReturn(0);
}

IrzCode irz_matrix_create(const IrzSpace *space, IrzMatrix **matrix, IrzError *error) {
  IrzMatrix *m = NULL;
  *matrix = NULL;
  IRZ_TRY(irz_alloc(&m, 1, sizeof *m, error));
  m->space = space;
  IrzCode code = build_pattern(m, error);
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

/* ---- Values ---- */

void irz_matrix_zero(IrzMatrix *matrix, int32_t first, int32_t last) {
  memset(matrix->aa + matrix->ai[first], 0, (size_t)(matrix->ai[last] - matrix->ai[first]) * sizeof *matrix->aa);
  memset(matrix->ba + matrix->bi[first], 0, (size_t)(matrix->bi[last] - matrix->bi[first]) * sizeof *matrix->ba);
}

/// Whether the places in a row do not fit a byte.
static inline bool is_long(const IrzMatrix *matrix, int32_t row) {
  return matrix->ai[row + 1] - matrix->ai[row] + matrix->bi[row + 1] - matrix->bi[row] > 255;
}

/// Place of a column in a row too long for a byte.
static PetscInt search(const PetscInt *column, PetscInt low, PetscInt high, PetscInt wanted) {
  while (high - low > 1) {
    PetscInt middle = low + (high - low) / 2;
    if (column[middle] <= wanted)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/// Add row i of a tetrahedron's matrix where every entry has a place in `a`. Inlined with a constant n, so that the
/// loop unrolls.
static inline __attribute__((always_inline)) void add_row(PetscScalar *restrict row, const uint8_t *restrict place,
                                                          const double *restrict values, int stride, int n, int i) {
#pragma GCC unroll 10
  for (int j = 0; j < n; j++) row[place[j]] += values[irz_packed(n, i, j) * stride];
}

/// Add row i in general: leaves out columns, tells owned columns from ghosts, searches long rows.
static void add_row_general(IrzMatrix *matrix, int32_t row, const uint8_t *place, const int32_t *dof,
                            const uint8_t *skip, const double *values, int stride, int n, int i) {
  int32_t owned = matrix->space->n_owned;
  PetscInt a = matrix->ai[row], b = matrix->bi[row];
  bool searched = is_long(matrix, row);
  for (int j = 0; j < n; j++) {
    if (skip[j]) continue;
    double value = values[irz_packed(n, i, j) * stride];
    if (!searched) {
      if (dof[j] < owned)
        matrix->aa[a + place[j]] += value;
      else
        matrix->ba[b + place[j]] += value;
    } else if (dof[j] < owned) {
      matrix->aa[search(matrix->aj, a, matrix->ai[row + 1], dof[j])] += value;
    } else {
      matrix->ba[search(matrix->bj, b, matrix->bi[row + 1], dof[j] - owned)] += value;
    }
  }
}

/// irz_matrix_add() for a constant number of nodes.
static inline __attribute__((always_inline)) void add_rows(IrzMatrix *matrix, const uint8_t *place, const int32_t *dof,
                                                           const uint8_t *skip, const double *values, int stride,
                                                           int32_t first, int32_t last, int n) {
  int32_t owned = matrix->space->n_owned;
  bool plain = true;
  for (int j = 0; j < n; j++) plain = plain && !skip[j] && dof[j] < owned;
#pragma GCC unroll 10
  for (int i = 0; i < n; i++) {
    int32_t row = dof[i];
    if (row < first || row >= last || skip[i]) continue;
    if (plain && !is_long(matrix, row)) {
      add_row(matrix->aa + matrix->ai[row], place + n * i, values, stride, n, i);
    } else {
      add_row_general(matrix, row, place + n * i, dof, skip, values, stride, n, i);
    }
  }
}

void irz_matrix_add(IrzMatrix *matrix, int32_t tet, const int32_t *dof, const uint8_t *skip, const double *values,
                    int stride, int32_t first, int32_t last) {
  int n = matrix->space->nodes;
  const uint8_t *place = matrix->place + (size_t)tet * (size_t)(n * n);
  if (n == 10)
    add_rows(matrix, place, dof, skip, values, stride, first, last, 10);
  else
    add_rows(matrix, place, dof, skip, values, stride, first, last, 4);
}

void irz_matrix_diagonal(IrzMatrix *matrix, int32_t row, double value) {
  matrix->aa[search(matrix->aj, matrix->ai[row], matrix->ai[row + 1], row)] = value;
}

void irz_matrix_multiply(const IrzMatrix *matrix, const double *x, double *y) {
  const IrzSpace *space = matrix->space;
  const double *ghost = x + space->n_owned;
#pragma omp parallel for num_threads(space->n_threads) schedule(static, 1)
  for (int k = 0; k < space->n_threads; k++) {
    for (int32_t r = space->row_start[k]; r < space->row_start[k + 1]; r++) {
      double sum = 0;
      for (PetscInt c = matrix->ai[r]; c < matrix->ai[r + 1]; c++) sum += matrix->aa[c] * x[matrix->aj[c]];
      for (PetscInt c = matrix->bi[r]; c < matrix->bi[r + 1]; c++) sum += matrix->ba[c] * ghost[matrix->bj[c]];
      y[r] = sum;
    }
  }
}

void irz_matrix_free(IrzMatrix *matrix) {
  if (matrix == NULL) return;
  if (matrix->mat != NULL) MatDestroy(&matrix->mat);
  PetscFree(matrix->global_bj);
  free(matrix->ai);
  free(matrix->aj);
  free(matrix->aa);
  free(matrix->bi);
  free(matrix->bj);
  free(matrix->ba);
  free(matrix->place);
  free(matrix);
}
