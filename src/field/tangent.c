/* Assembly and product in single precision; see tangent.h. */
#include "field/tangent.h"
#include "base/memory.h"
#include "base/petsc.h"
#include <petsc/private/petscimpl.h> /* PetscObjectStateIncrease: our arrays changed under PETSc */
#include <stdlib.h>
#include <string.h>

/// Product for PETSc.
static PetscErrorCode multiply(Mat mat, Vec x, Vec y) {
  const IrzTangent *t;
  const PetscScalar *xa;
  PetscScalar *ya;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(mat, &t));
  const IrzSpace *space = t->pattern->space;
  PetscCall(VecGetArrayRead(x, &xa));
  PetscCall(VecGetArrayWrite(y, &ya));
  if (t->x != NULL) {
    PetscCall(PetscArraycpy(t->x, xa, space->n_owned));
    PetscCall(irz_space_share(space, t->x));
  }
  irz_tangent_multiply(t, t->x != NULL ? t->x : xa, ya);
  PetscCall(VecRestoreArrayWrite(y, &ya));
  PetscCall(VecRestoreArrayRead(x, &xa));
  PetscFunctionReturn(0);
}

static PetscErrorCode wrap(IrzTangent *t) {
  const IrzSpace *space = t->pattern->space;

  PetscFunctionBegin;
  PetscCall(
      MatCreateShell(space->part->comm, space->n_owned, space->n_owned, PETSC_DETERMINE, PETSC_DETERMINE, t, &t->mat));
  PetscCall(MatShellSetOperation(t->mat, MATOP_MULT, (void (*)(void))multiply));
  PetscCall(MatSetOption(t->mat, MAT_SYMMETRIC, PETSC_TRUE));
  PetscCall(MatSetOption(t->mat, MAT_SPD, PETSC_TRUE));
  PetscFunctionReturn(0);
}

IrzCode irz_tangent_create(const IrzSpace *space, bool copy, IrzTangent **tangent, IrzError *error) {
  IrzTangent *t = NULL;
  size_t n = (size_t)space->n_owned;
  *tangent = NULL;
  IRZ_TRY(irz_alloc(&t, 1, sizeof *t, error));
  IrzCode code = irz_pattern_create(space, &t->pattern, error);
  if (code == IRZ_OK) code = irz_alloc(&t->aa, (size_t)t->pattern->ai[n], sizeof *t->aa, error);
  if (code == IRZ_OK) code = irz_alloc(&t->ba, (size_t)t->pattern->bi[n], sizeof *t->ba, error);
  if (code == IRZ_OK && space->part->size > 1) code = irz_alloc(&t->x, (size_t)space->n_local, sizeof *t->x, error);
  if (code == IRZ_OK && copy) code = irz_matrix_create(t->pattern, &t->copy, error);
  if (code == IRZ_OK) code = irz_petsc(wrap(t), "tangent", error);
  if (code != IRZ_OK)
    irz_tangent_free(t);
  else
    *tangent = t;
  return code;
}

/// Bring the copy for PETSc up to date. Entries in copied columns are zero, so adding is right.
static void update_copy(IrzTangent *t) {
  const IrzPattern *p = t->pattern;
  irz_matrix_zero(t->copy);
  for (int32_t r = 0; r < p->space->n_owned; r++) {
    for (PetscInt c = p->ai[r]; c < p->ai[r + 1]; c++) irz_matrix_add_entry(t->copy, r, p->aj[c], t->aa[c]);
    for (PetscInt c = p->bi[r]; c < p->bi[r + 1]; c++) irz_matrix_add_entry(t->copy, r, p->bj[c], t->ba[c]);
  }
}

PetscErrorCode irz_tangent_changed(IrzTangent *tangent) {
  PetscFunctionBegin;
  if (tangent->copy != NULL) {
    update_copy(tangent);
    PetscCall(irz_matrix_changed(tangent->copy));
  }
  PetscCall(PetscObjectStateIncrease((PetscObject)tangent->mat));
  PetscFunctionReturn(0);
}

void irz_tangent_zero(IrzTangent *t, int32_t first, int32_t last) {
  const IrzPattern *p = t->pattern;
  memset(t->aa + p->ai[first], 0, (size_t)(p->ai[last] - p->ai[first]) * sizeof *t->aa);
  memset(t->ba + p->bi[first], 0, (size_t)(p->bi[last] - p->bi[first]) * sizeof *t->ba);
}

/// Add row i of a tetrahedron's matrix where every entry has a place in `a`. Inlined with a constant n, so that the
/// loop unrolls.
static inline __attribute__((always_inline)) void add_row(float *restrict row, const uint8_t *restrict place,
                                                          const float *restrict values, int stride, int n, int i) {
#pragma GCC unroll 10
  for (int j = 0; j < n; j++) row[place[j]] += values[irz_packed(n, i, j) * stride];
}

/// Add row i in general: leaves out columns, tells those of `a` from those of `b`, searches long rows.
static void add_row_general(IrzTangent *t, int32_t row, const uint8_t *place, const int32_t *dof, const uint8_t *skip,
                            const float *values, int stride, int32_t first, int32_t last, int n, int i) {
  const IrzPattern *p = t->pattern;
  bool searched = irz_pattern_is_long(p, row);
  for (int j = 0; j < n; j++) {
    if (skip != NULL && skip[j]) continue;
    float value = values[irz_packed(n, i, j) * stride];
    if (dof[j] >= first && dof[j] < last)
      t->aa[searched ? irz_pattern_in_a(p, row, dof[j]) : p->ai[row] + place[j]] += value;
    else
      t->ba[searched ? irz_pattern_in_b(p, row, dof[j]) : p->bi[row] + place[j]] += value;
  }
}

/// irz_tangent_add() for a constant number of nodes.
static inline __attribute__((always_inline)) void add_rows(IrzTangent *t, int32_t tet, const uint8_t *skip,
                                                           const float *values, int stride, int32_t first, int32_t last,
                                                           int n) {
  const IrzPattern *p = t->pattern;
  const int32_t *dof = p->space->tet_dof + (size_t)tet * (size_t)n;
  const uint8_t *place = p->place + (size_t)tet * (size_t)(n * n);
  bool plain = skip == NULL;
  for (int j = 0; j < n; j++) plain = plain && dof[j] >= first && dof[j] < last;
#pragma GCC unroll 10
  for (int i = 0; i < n; i++) {
    int32_t row = dof[i];
    if (row < first || row >= last || (skip != NULL && skip[i])) continue;
    if (plain && !irz_pattern_is_long(p, row)) {
      add_row(t->aa + p->ai[row], place + n * i, values, stride, n, i);
    } else {
      add_row_general(t, row, place + n * i, dof, skip, values, stride, first, last, n, i);
    }
  }
}

void irz_tangent_add(IrzTangent *tangent, int32_t tet, const uint8_t *skip, const float *values, int stride,
                     int32_t first, int32_t last) {
  if (tangent->pattern->space->nodes == 10)
    add_rows(tangent, tet, skip, values, stride, first, last, 10);
  else
    add_rows(tangent, tet, skip, values, stride, first, last, 4);
}

void irz_tangent_diagonal(IrzTangent *tangent, int32_t row, float value) {
  tangent->aa[tangent->pattern->middle[row] - 1] = value;
}

void irz_tangent_multiply(const IrzTangent *tangent, const double *x, double *y) {
  const IrzPattern *p = tangent->pattern;
  const IrzSpace *space = p->space;
  const float *a = tangent->aa, *b = tangent->ba;
#pragma omp parallel for num_threads(space->n_threads) schedule(static, 1)
  for (int k = 0; k < space->n_threads; k++) {
    for (int32_t r = space->row_start[k]; r < space->row_start[k + 1]; r++) {
      double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
      for (PetscInt c = p->ai[r]; c < p->ai[r + 1]; c += 4) {
        s0 += (double)a[c] * x[p->aj[c]];
        s1 += (double)a[c + 1] * x[p->aj[c + 1]];
        s2 += (double)a[c + 2] * x[p->aj[c + 2]];
        s3 += (double)a[c + 3] * x[p->aj[c + 3]];
      }
      for (PetscInt c = p->bi[r]; c < p->bi[r + 1]; c++) s0 += (double)b[c] * x[p->bj[c]];
      y[r] = (s0 + s1) + (s2 + s3);
    }
  }
}

void irz_tangent_free(IrzTangent *tangent) {
  if (tangent == NULL) return;
  if (tangent->mat != NULL) MatDestroy(&tangent->mat);
  irz_matrix_free(tangent->copy);
  irz_pattern_free(tangent->pattern);
  free(tangent->aa);
  free(tangent->ba);
  free(tangent->x);
  free(tangent);
}
