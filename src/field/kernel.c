/* All tetrahedra of a thread into its rows; see kernel.h. */
#include "field/kernel.h"
#include "base/threads.h"
#include "field/kernel_parts.h"
#include <string.h>

#define W IRZ_LANES

/// Rows [first, last) and what to add to them.
typedef struct {
  const IrzAssembly *a;
  const IrzBatchKernels *kernels;
  int32_t first, last, coarse_first, coarse_last;
} Rows;

const IrzBatchKernels *irz_batch_best(void) {
#ifdef IRZ_AVX2
  if (__builtin_cpu_supports("avx2")) return &irz_batch_kernels_avx2;
#endif
  return &irz_batch_kernels;
}

/// Add the matrix of one tetrahedron, less what belongs to fixed unknowns.
static void add_matrix(IrzTangent *tangent, const uint8_t *fixed, int32_t tet, const float *matrix, int stride,
                       int32_t first, int32_t last) {
  const IrzSpace *space = tangent->pattern->space;
  const int32_t *dof = space->tet_dof + (size_t)tet * (size_t)space->nodes;
  uint8_t skip[10], any = 0;
  for (int i = 0; i < space->nodes; i++) any |= skip[i] = fixed[dof[i]];
  irz_tangent_add(tangent, tet, any ? skip : NULL, matrix, stride, first, last);
}

/// Add one tetrahedron's results, found `stride` apart.
static void scatter(const Rows *rows, int32_t tet, const float *matrix, const double *residual, const float *coarse,
                    int stride) {
  const IrzAssembly *a = rows->a;
  int nodes = a->space->nodes;
  const int32_t *dof = a->space->tet_dof + (size_t)tet * (size_t)nodes;
  if (a->residual != NULL) {
    for (int i = 0; i < nodes; i++) {
      if (dof[i] >= rows->first && dof[i] < rows->last) a->residual[dof[i]] += residual[i * stride];
    }
  }
  if (a->matrix != NULL) add_matrix(a->matrix, a->fixed, tet, matrix, stride, rows->first, rows->last);
  if (a->coarse != NULL)
    add_matrix(a->coarse, a->coarse_fixed, tet, coarse, stride, rows->coarse_first, rows->coarse_last);
}

static void assemble_fast(const Rows *rows, const int32_t *list, int32_t count) {
  const IrzAssembly *a = rows->a;
  const IrzSpace *space = a->space;
  IrzBatch batch;
  _Alignas(64) double u[10][W];
  int32_t tets[W];
  const IrzLaw *law[W];
  for (int32_t start = 0; start < count; start += W) {
    int lanes = count - start < W ? count - start : W;
    for (int l = 0; l < W; l++) {
      tets[l] = list[start + (l < lanes ? l : lanes - 1)]; /* spare lanes repeat the last tetrahedron and are dropped */
      law[l] = a->laws[a->medium->region[tets[l]]];
      const int32_t *dof = space->tet_dof + (size_t)tets[l] * (size_t)space->nodes;
      for (int i = 0; i < space->nodes; i++) u[i][l] = a->u[dof[i]];
    }
    rows->kernels->straight(a, tets, u, law, &batch);
    for (int l = 0; l < lanes; l++) {
      scatter(rows, tets[l], &batch.matrix[0][l], &batch.residual[0][l], &batch.coarse[0][l], W);
    }
  }
}

/// One general tetrahedron.
static void assemble_one(const Rows *rows, int32_t general) {
  const IrzAssembly *a = rows->a;
  const IrzSpace *space = a->space;
  int32_t tet = a->medium->tet[general];
  const int32_t *dof = space->tet_dof + (size_t)tet * (size_t)space->nodes;
  double u[10], residual[10];
  float matrix[55], coarse[10];
  for (int i = 0; i < space->nodes; i++) u[i] = a->u[dof[i]];
  irz_single(a, general, u, residual, matrix, coarse);
  scatter(rows, tet, matrix, residual, coarse, 1);
}

/// Whether a general tetrahedron is worked out by itself.
static bool is_single(const IrzAssembly *a, int32_t general) {
  const IrzMedium *medium = a->medium;
  const IrzLaw *law = a->laws[medium->region[medium->tet[general]]];
  return medium->mixed[general] || !medium->bent[general] || law->direction != IRZ_LAW_ISOTROPIC || a->flux != NULL;
}

/// Batch what can be batched of the general tetrahedra; then the rest one by one: among the batches, what is added to a
/// row in which order would depend on how batches are filled, and so on how many threads work.
static void assemble_general(const Rows *rows, const int32_t *list, int32_t count) {
  const IrzAssembly *a = rows->a;
  const IrzSpace *space = a->space;
  const IrzMedium *medium = a->medium;
  IrzBatch batch;
  _Alignas(64) double u[10][W];
  int32_t general[W];
  const IrzLaw *law[W];
  int lanes = 0;
  for (int32_t k = 0; k <= count; k++) {
    if (k < count) {
      int32_t next = list[k];
      if (is_single(a, next)) continue;
      const int32_t *dof = space->tet_dof + (size_t)medium->tet[next] * (size_t)space->nodes;
      general[lanes] = next;
      law[lanes] = a->laws[medium->region[medium->tet[next]]];
      for (int i = 0; i < space->nodes; i++) u[i][lanes] = a->u[dof[i]];
      lanes++;
    }
    if (lanes < W && (k < count || lanes == 0)) continue;
    for (int l = lanes; l < W; l++) { /* spare lanes repeat the first and are dropped */
      general[l] = general[0];
      law[l] = law[0];
      for (int i = 0; i < space->nodes; i++) u[i][l] = u[i][0];
    }
    rows->kernels->curved(a, general, u, law, &batch);
    for (int l = 0; l < lanes; l++) {
      scatter(rows, medium->tet[general[l]], &batch.matrix[0][l], &batch.residual[0][l], &batch.coarse[0][l], W);
    }
    lanes = 0;
  }
  for (int32_t k = 0; k < count; k++) {
    if (is_single(a, list[k])) assemble_one(rows, list[k]);
  }
}

/// Give the rows of fixed unknowns a diagonal of the size of their neighbours', so that no scale is out of line.
static void fixed_rows(IrzTangent *matrix, const uint8_t *fixed, int32_t first, int32_t last) {
  for (int32_t row = first; row < last; row++) {
    if (fixed[row]) irz_tangent_diagonal(matrix, row, 1);
  }
}

/// Assemble the rows of one thread; for `thread` = n_threads all. A tetrahedron that several threads share is worked
/// out by each of them, or once for all; what is added to a row, and in which order, is the same.
static void assemble_rows(const IrzAssembly *a, const IrzBatchKernels *kernels, int thread) {
  const IrzSpace *space = a->space;
  const bool all = thread == space->n_threads;
  const int first = all ? 0 : thread, end = all ? thread : thread + 1;
  Rows rows = {a, kernels, space->row_start[first], space->row_start[end], 0, 0};
  if (a->coarse != NULL) {
    rows.coarse_first = a->coarse->pattern->space->row_start[first];
    rows.coarse_last = a->coarse->pattern->space->row_start[end];
    irz_tangent_zero(a->coarse, rows.coarse_first, rows.coarse_last);
  }
  if (a->matrix != NULL) irz_tangent_zero(a->matrix, rows.first, rows.last);
  if (a->residual != NULL) {
    memset(a->residual + rows.first, 0, (size_t)(rows.last - rows.first) * sizeof *a->residual);
  }
  assemble_fast(&rows, space->tets[thread], space->n_tets[thread]);
  assemble_general(&rows, space->general[thread], space->n_general[thread]);
  if (a->matrix != NULL) fixed_rows(a->matrix, a->fixed, rows.first, rows.last);
  if (a->coarse != NULL) fixed_rows(a->coarse, a->coarse_fixed, rows.coarse_first, rows.coarse_last);
}

void irz_assemble(const IrzAssembly *a) {
  const int n = a->space->n_threads, working = irz_threads(n);
  const IrzBatchKernels *kernels = irz_batch_best();
  kernels->prepare();
  if (working == 1 && n > 1) {
    assemble_rows(a, kernels, n);
    return;
  }
#pragma omp parallel for num_threads(working) schedule(static, 1)
  for (int k = 0; k < n; k++) assemble_rows(a, kernels, k);
}
