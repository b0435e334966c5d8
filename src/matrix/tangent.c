/* Assembly and product in single precision; see tangent.h. */
#include "matrix/tangent.h"
#include "base/memory.h"
#include "base/petsc.h"
#include "base/threads.h"
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
  IrzCode code = irz_alloc(&t, 1, sizeof *t, error);
  if (code == IRZ_OK) code = irz_pattern_create(space, &t->pattern, error);
  if (code == IRZ_OK) code = irz_alloc(&t->aa, (size_t)t->pattern->ai[n], sizeof *t->aa, error);
  if (code == IRZ_OK) code = irz_alloc(&t->ba, (size_t)t->pattern->bi[n], sizeof *t->ba, error);
  if (code == IRZ_OK && space->part->size > 1) code = irz_alloc(&t->x, (size_t)space->n_local, sizeof *t->x, error);
  code = irz_error_agree(space->part->comm, error);
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
    for (PetscInt c = p->ai[r]; c < p->ai[r + 1]; c++) {
      irz_matrix_add_entry(t->copy, r, p->aj[c], t->aa[c]);
      if (p->aj[c] != r) irz_matrix_add_entry(t->copy, p->aj[c], r, t->aa[c]);
    }
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

/// Add the matrix of a plain tetrahedron without fixed unknowns. Inlined with a constant n, so that the loops unroll.
/// Of two rows the larger one begins later.
static inline __attribute__((always_inline)) void add_plain(float *restrict a, const PetscInt *restrict ai,
                                                            const int32_t *restrict dof, const uint8_t *restrict place,
                                                            const float *restrict values, int stride, int n) {
  PetscInt row[10];
#pragma GCC unroll 10
  for (int i = 0; i < n; i++) row[i] = ai[dof[i]];
#pragma GCC unroll 10
  for (int i = 0; i < n; i++) {
#pragma GCC unroll 10
    for (int j = i; j < n; j++) {
      int k = irz_packed(n, i, j);
      a[(row[i] > row[j] ? row[i] : row[j]) + place[k]] += values[k * stride];
    }
  }
}

/// Add the matrix of a tetrahedron in general: leaves out rows and columns, tells entries of `a` from those of `b`.
static void add_general(IrzTangent *t, const int32_t *dof, const PetscInt *seat, const uint8_t *skip,
                        const float *values, int stride, int32_t first, int32_t last, int n) {
  for (int i = 0; i < n; i++) {
    if (dof[i] < first || dof[i] >= last || (skip != NULL && skip[i])) continue;
    for (int j = 0; j < n; j++) {
      if (skip != NULL && skip[j]) continue;
      PetscInt to = seat[i * n + j];
      float value = values[irz_packed(n, i, j) * stride];
      if (to >= 0)
        t->aa[to] += value;
      else if (to < -1)
        t->ba[-2 - to] += value;
    }
  }
}

/// Add the matrix of a plain tetrahedron; rows and columns that are left out add zeros.
static void add_masked(IrzTangent *t, const int32_t *dof, const uint8_t *place, const uint8_t *skip,
                       const float *values, int stride, int n) {
  float kept[55];
  for (int k = 0; k < n * (n + 1) / 2; k++) kept[k] = values[k * stride];
  for (int i = 0; i < n; i++) {
    for (int j = 0; skip[i] && j < n; j++) kept[irz_packed(n, i, j)] = 0;
  }
  if (n == 10)
    add_plain(t->aa, t->pattern->ai, dof, place, kept, 1, 10);
  else
    add_plain(t->aa, t->pattern->ai, dof, place, kept, 1, 4);
}

/// Whether all unknowns of electrodes are left out.
static bool skips_electrodes(const IrzSpace *space, const int32_t *dof, const uint8_t *skip) {
  bool all = skip != NULL;
  for (int i = 0; i < space->nodes && all; i++) all = skip[i] || space->electrode[dof[i]] < 0;
  return all;
}

void irz_tangent_add(IrzTangent *t, int32_t tet, const uint8_t *skip, const float *values, int stride, int32_t first,
                     int32_t last) {
  const IrzPattern *p = t->pattern;
  int n = p->space->nodes;
  const int32_t *dof = p->space->tet_dof + (size_t)tet * (size_t)n;
  const uint8_t *place = p->place + (size_t)tet * (size_t)(n * (n + 1) / 2);
  IrzPlain plain = (IrzPlain)p->plain[tet];
  if (plain == IRZ_PLAIN_NO || (plain == IRZ_PLAIN_FIXED && !skips_electrodes(p->space, dof, skip)))
    add_general(t, dof, p->seat + (size_t)(p->seated[tet] - 1) * (size_t)(n * n), skip, values, stride, first, last, n);
  else if (skip != NULL)
    add_masked(t, dof, place, skip, values, stride, n);
  else if (n == 10)
    add_plain(t->aa, p->ai, dof, place, values, stride, 10);
  else
    add_plain(t->aa, p->ai, dof, place, values, stride, 4);
}

void irz_tangent_diagonal(IrzTangent *tangent, int32_t row, float value) {
  tangent->aa[tangent->pattern->ai[row + 1] - 1] = value;
}

void irz_tangent_multiply(const IrzTangent *tangent, const double *restrict x, double *restrict y) {
  const IrzPattern *p = tangent->pattern;
  const IrzSpace *space = p->space;
  const float *restrict a = tangent->aa, *restrict b = tangent->ba;
  const PetscInt *restrict aj = p->aj;
#pragma omp parallel for num_threads(irz_threads(space->n_threads)) schedule(static, 1)
  for (int k = 0; k < space->n_threads; k++) {
    for (int32_t r = space->row_start[k]; r < space->row_start[k + 1]; r++) {
      double s0 = 0, s1 = 0, s2 = 0, s3 = 0, value = x[r];
      for (PetscInt c = p->ai[r]; c < p->ai[r + 1]; c += 4) {
        s0 += (double)a[c] * x[aj[c]];
        s1 += (double)a[c + 1] * x[aj[c + 1]];
        s2 += (double)a[c + 2] * x[aj[c + 2]];
        s3 += (double)a[c + 3] * x[aj[c + 3]];
        /* The other triangle. What the diagonal and copies of its column add to y[r] is overwritten. */
        for (int i = 0; i < 4; i++) y[aj[c + i]] += (double)a[c + i] * value;
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
