/* The V-cycle; see multigrid.h.

   Smoothing is Gauss-Seidel within the rows of a thread and Jacobi between threads and ranks, forwards on the way down
   and backwards on the way up, which keeps the preconditioner symmetric and its result independent of timing. */
#include "field/multigrid.h"
#include "base/memory.h"
#include "base/petsc.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct IrzMultigrid {
  const IrzMatrix *fine, *coarse;
  PC solver;
  int32_t *diagonal;      ///< [n_owned] place of the diagonal in `a`
  double *extra;          ///< [n_owned] added to the diagonal when smoothing
  int32_t (*parent)[2];   ///< [n_local fine] coarse unknowns it is the mean of
  int32_t *child_start;   ///< [n_owned coarse + 1]
  int32_t *child;         ///< fine unknowns that have a coarse one as a parent; twice if as both
  int32_t *coarse_rows;   ///< [n_threads + 1]
  double *x, *rest, *old; ///< [n_local fine]
  double *coarse_x;       ///< [n_local coarse]
  Vec coarse_right, coarse_left;
};

/// Which coarse unknowns a fine one is the mean of: its own vertex twice, or the ends of its edge.
static void find_parents(IrzMultigrid *mg) {
  const IrzSpace *fine = mg->fine->space, *coarse = mg->coarse->space;
  const IrzPart *part = fine->part;
  for (int32_t e = 0; e < part->n_edges; e++) {
    int32_t i = fine->dof[part->n_vertices + e];
    for (int k = 0; k < 2; k++) mg->parent[i][k] = coarse->dof[part->edge[2 * e + k]];
  }
  for (int32_t v = 0; v < part->n_vertices; v++) {
    for (int k = 0; k < 2; k++) mg->parent[fine->dof[v]][k] = coarse->dof[v];
  }
}

/// The transpose: children of every owned coarse unknown.
static IrzCode find_children(IrzMultigrid *mg, IrzError *error) {
  const IrzSpace *fine = mg->fine->space, *coarse = mg->coarse->space;
  int32_t n = coarse->n_owned;
  IRZ_TRY(irz_alloc(&mg->child_start, (size_t)n + 2, sizeof *mg->child_start, error));
  int32_t *at = mg->child_start + 1;
  for (int fill = 0; fill < 2; fill++) {
    if (fill) {
      for (int32_t i = 0; i < n; i++) at[i + 1] += at[i];
      IRZ_TRY(irz_alloc(&mg->child, (size_t)at[n], sizeof *mg->child, error));
    }
    for (int32_t i = 0; i < fine->n_local; i++) {
      for (int k = 0; k < 2; k++) {
        int32_t c = mg->parent[i][k];
        if (c >= n) continue;
        if (fill)
          mg->child[at[c]++] = i;
        else
          at[c + 1]++;
      }
    }
  }
  return IRZ_OK;
}

IrzCode irz_multigrid_create(const IrzMatrix *fine, const IrzMatrix *coarse, PC solver, IrzMultigrid **multigrid,
                             IrzError *error) {
  IrzMultigrid *mg = NULL;
  const IrzSpace *fs = fine->space, *cs = coarse->space;
  size_t n = (size_t)fs->n_local;
  *multigrid = NULL;
  IRZ_TRY(irz_alloc(&mg, 1, sizeof *mg, error));
  mg->fine = fine;
  mg->coarse = coarse;
  mg->solver = solver;
  IrzCode code = irz_alloc(&mg->diagonal, (size_t)fs->n_owned, sizeof *mg->diagonal, error);
  if (code == IRZ_OK) code = irz_alloc(&mg->extra, (size_t)fs->n_owned, sizeof *mg->extra, error);
  if (code == IRZ_OK) code = irz_alloc(&mg->parent, n, sizeof *mg->parent, error);
  if (code == IRZ_OK) code = irz_alloc(&mg->x, n, sizeof *mg->x, error);
  if (code == IRZ_OK) code = irz_alloc(&mg->rest, n, sizeof *mg->rest, error);
  if (code == IRZ_OK) code = irz_alloc(&mg->old, n, sizeof *mg->old, error);
  if (code == IRZ_OK) code = irz_alloc(&mg->coarse_x, (size_t)cs->n_local, sizeof *mg->coarse_x, error);
  if (code == IRZ_OK) code = irz_alloc(&mg->coarse_rows, (size_t)fs->n_threads + 1, sizeof *mg->coarse_rows, error);
  if (code == IRZ_OK) {
    find_parents(mg);
    code = find_children(mg, error);
  }
  if (code == IRZ_OK)
    code = irz_petsc(MatCreateVecs(coarse->mat, &mg->coarse_left, &mg->coarse_right), "vectors", error);
  if (code != IRZ_OK) {
    irz_multigrid_free(mg);
    return code;
  }
  for (int32_t r = 0; r < fs->n_owned; r++) {
    PetscInt k = fine->ai[r];
    while (fine->aj[k] != r) k++;
    mg->diagonal[r] = k;
  }
  /* Both spaces number their unknowns in the same order, so a thread's coarse rows are contiguous, too. */
  for (int32_t v = 0; v < fs->part->n_vertices; v++) {
    int32_t f = fs->dof[v], c = cs->dof[v];
    if (f >= fs->n_owned) continue;
    for (int k = 0; k < fs->n_threads; k++) {
      if (f < fs->row_start[k + 1] && c + 1 > mg->coarse_rows[k + 1]) mg->coarse_rows[k + 1] = c + 1;
    }
  }
  mg->coarse_rows[fs->n_threads] = cs->n_owned;
  *multigrid = mg;
  return IRZ_OK;
}

const int32_t *irz_multigrid_coarse_rows(const IrzMultigrid *multigrid) {
  return multigrid->coarse_rows;
}

void irz_multigrid_prolong(const IrzMultigrid *mg, const double *coarse, double *fine) {
  for (int32_t i = 0; i < mg->fine->space->n_local; i++) {
    fine[i] = 0.5 * (coarse[mg->parent[i][0]] + coarse[mg->parent[i][1]]);
  }
}

/// x = (L + D + extra)^-1 b within each thread's rows.
static void sweep_down(const IrzMultigrid *mg, const double *restrict b, double *restrict x) {
  const IrzMatrix *m = mg->fine;
  const IrzSpace *space = m->space;
#pragma omp parallel for num_threads(space->n_threads) schedule(static, 1)
  for (int k = 0; k < space->n_threads; k++) {
    int32_t first = space->row_start[k];
    for (int32_t r = first; r < space->row_start[k + 1]; r++) {
      double sum = b[r];
      PetscInt c = m->ai[r];
      while (m->aj[c] < first) c++;
      for (; c < mg->diagonal[r]; c++) sum -= m->aa[c] * x[m->aj[c]];
      x[r] = sum / (m->aa[c] + mg->extra[r]);
    }
  }
}

/// rest = b - A x after sweep_down(), for which L x + D x = b within each thread's rows: only the other entries are
/// left.
static void rest_after_down(const IrzMultigrid *mg, const double *restrict x, double *restrict rest) {
  const IrzMatrix *m = mg->fine;
  const IrzSpace *space = m->space;
  const double *ghost = x + space->n_owned;
#pragma omp parallel for num_threads(space->n_threads) schedule(static, 1)
  for (int k = 0; k < space->n_threads; k++) {
    int32_t first = space->row_start[k];
    for (int32_t r = first; r < space->row_start[k + 1]; r++) {
      double sum = mg->extra[r] * x[r];
      for (PetscInt c = m->ai[r]; m->aj[c] < first; c++) sum -= m->aa[c] * x[m->aj[c]];
      for (PetscInt c = mg->diagonal[r] + 1; c < m->ai[r + 1]; c++) sum -= m->aa[c] * x[m->aj[c]];
      for (PetscInt c = m->bi[r]; c < m->bi[r + 1]; c++) sum -= m->ba[c] * ghost[m->bj[c]];
      rest[r] = sum;
    }
  }
}

/// One backward sweep on A x = b. `old` holds x as it was, for columns of other threads.
static void sweep_up(const IrzMultigrid *mg, const double *restrict b, const double *restrict old, double *x) {
  const IrzMatrix *m = mg->fine;
  const IrzSpace *space = m->space;
  const double *ghost = old + space->n_owned;
#pragma omp parallel for num_threads(space->n_threads) schedule(static, 1)
  for (int k = 0; k < space->n_threads; k++) {
    int32_t first = space->row_start[k], last = space->row_start[k + 1];
    for (int32_t r = last - 1; r >= first; r--) {
      double sum = b[r];
      PetscInt c = m->ai[r], end = m->ai[r + 1];
      for (; m->aj[c] < first; c++) sum -= m->aa[c] * old[m->aj[c]];
      for (; end > c && m->aj[end - 1] >= last; end--) sum -= m->aa[end - 1] * old[m->aj[end - 1]];
      for (; c < mg->diagonal[r]; c++) sum -= m->aa[c] * x[m->aj[c]];
      for (c++; c < end; c++) sum -= m->aa[c] * x[m->aj[c]];
      for (c = m->bi[r]; c < m->bi[r + 1]; c++) sum -= m->ba[c] * ghost[m->bj[c]];
      double diagonal = m->aa[mg->diagonal[r]];
      x[r] += (sum - diagonal * x[r]) / (diagonal + mg->extra[r]);
    }
  }
}

/// The coarse right-hand side: what the children have left, half each for edges.
static void restrict_rest(const IrzMultigrid *mg, const double *rest, double *coarse) {
  const IrzSpace *space = mg->fine->space;
#pragma omp parallel for num_threads(space->n_threads) schedule(static, 1)
  for (int k = 0; k < space->n_threads; k++) {
    for (int32_t i = mg->coarse_rows[k]; i < mg->coarse_rows[k + 1]; i++) {
      double sum = 0;
      for (int32_t c = mg->child_start[i]; c < mg->child_start[i + 1]; c++) sum += rest[mg->child[c]];
      coarse[i] = 0.5 * sum;
    }
  }
}

/// Add the coarse correction to the owned fine unknowns.
static void add_correction(const IrzMultigrid *mg, const double *coarse, double *x) {
  const IrzSpace *space = mg->fine->space;
#pragma omp parallel for num_threads(space->n_threads) schedule(static, 1)
  for (int k = 0; k < space->n_threads; k++) {
    for (int32_t i = space->row_start[k]; i < space->row_start[k + 1]; i++) {
      x[i] += 0.5 * (coarse[mg->parent[i][0]] + coarse[mg->parent[i][1]]);
    }
  }
}

/// Work out what is added to the diagonals. Called by PETSc when the matrix has changed.
static PetscErrorCode set_up(PC pc) {
  IrzMultigrid *mg;

  PetscFunctionBegin;
  PetscCall(PCShellGetContext(pc, &mg));
  const IrzMatrix *m = mg->fine;
  const IrzSpace *space = m->space;
#pragma omp parallel for num_threads(space->n_threads) schedule(static, 1)
  for (int k = 0; k < space->n_threads; k++) {
    int32_t first = space->row_start[k], last = space->row_start[k + 1];
    for (int32_t r = first; r < last; r++) {
      double sum = 0;
      for (PetscInt c = m->ai[r]; m->aj[c] < first; c++) sum += fabs(m->aa[c]);
      for (PetscInt c = m->ai[r + 1] - 1; m->aj[c] >= last; c--) sum += fabs(m->aa[c]);
      for (PetscInt c = m->bi[r]; c < m->bi[r + 1]; c++) sum += fabs(m->ba[c]);
      mg->extra[r] = 0.5 * sum;
    }
  }
  PetscFunctionReturn(0);
}

/// One V-cycle.
static PetscErrorCode apply(PC pc, Vec right, Vec left) {
  IrzMultigrid *mg;
  const PetscScalar *b;
  PetscScalar *out, *c;

  PetscFunctionBegin;
  PetscCall(PCShellGetContext(pc, &mg));
  const IrzSpace *fine = mg->fine->space, *coarse = mg->coarse->space;
  PetscCall(VecGetArrayRead(right, &b));
  sweep_down(mg, b, mg->x);
  PetscCall(irz_space_share(fine, mg->x));
  rest_after_down(mg, mg->x, mg->rest);
  PetscCall(irz_space_share(fine, mg->rest));
  PetscCall(VecGetArrayWrite(mg->coarse_right, &c));
  restrict_rest(mg, mg->rest, c);
  PetscCall(VecRestoreArrayWrite(mg->coarse_right, &c));
  PetscCall(PCApply(mg->solver, mg->coarse_right, mg->coarse_left));
  PetscCall(VecGetArray(mg->coarse_left, &c));
  PetscCall(PetscArraycpy(mg->coarse_x, c, coarse->n_owned));
  PetscCall(VecRestoreArray(mg->coarse_left, &c));
  PetscCall(irz_space_share(coarse, mg->coarse_x));
  add_correction(mg, mg->coarse_x, mg->x);
  PetscCall(irz_space_share(fine, mg->x));
  if (fine->n_threads > 1 || fine->part->size > 1) PetscCall(PetscArraycpy(mg->old, mg->x, fine->n_local));
  sweep_up(mg, b, mg->old, mg->x);
  PetscCall(VecRestoreArrayRead(right, &b));
  PetscCall(VecGetArrayWrite(left, &out));
  PetscCall(PetscArraycpy(out, mg->x, fine->n_owned));
  PetscCall(VecRestoreArrayWrite(left, &out));
  PetscFunctionReturn(0);
}

PetscErrorCode irz_multigrid_install(IrzMultigrid *multigrid, PC pc) {
  PetscFunctionBegin;
  PetscCall(PCSetType(pc, PCSHELL));
  PetscCall(PCShellSetName(pc, "p-multigrid"));
  PetscCall(PCShellSetContext(pc, multigrid));
  PetscCall(PCShellSetSetUp(pc, set_up));
  PetscCall(PCShellSetApply(pc, apply));
  PetscFunctionReturn(0);
}

void irz_multigrid_free(IrzMultigrid *multigrid) {
  if (multigrid == NULL) return;
  VecDestroy(&multigrid->coarse_right);
  VecDestroy(&multigrid->coarse_left);
  free(multigrid->diagonal);
  free(multigrid->extra);
  free(multigrid->parent);
  free(multigrid->child_start);
  free(multigrid->child);
  free(multigrid->coarse_rows);
  free(multigrid->x);
  free(multigrid->rest);
  free(multigrid->old);
  free(multigrid->coarse_x);
  free(multigrid);
}
