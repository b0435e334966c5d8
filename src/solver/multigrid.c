/* The V-cycle; see multigrid.h. */
#include "solver/multigrid.h"
#include "base/memory.h"
#include "base/petsc.h"
#include "base/threads.h"
#include "solver/smoother.h"
#include <stdlib.h>
#include <string.h>

/// The correction from order 1 is made larger by this: one V-cycle of algebraic multigrid finds less than all of it.
/// Below 2 the cycle stays positive definite.
static const float ENLARGE = 1.25f;

struct IrzMultigrid {
  const IrzTangent *fine, *coarse;
  PC solver;             ///< of the coarse matrix, NULL: amg
  const IrzAmg *amg;     ///< likewise, ours
  IrzSmoother smoother;  ///< of the fine matrix
  int32_t (*parent)[2];  ///< [n_local fine] coarse unknowns it is the mean of
  int32_t *child_start;  ///< [n_owned coarse + 1]
  int32_t *child;        ///< fine unknowns that have a coarse one as a parent; twice if as both
  float *b;              ///< [n_owned fine]
  float *x, *rest, *old; ///< [n_local fine]
  float *coarse_b;       ///< [n_owned coarse]
  float *coarse_x;       ///< [n_local coarse]
  Vec coarse_right, coarse_left;
};

/// Which coarse unknowns a fine one is the mean of: its own vertex twice, or the ends of its edge.
static void find_parents(IrzMultigrid *mg) {
  const IrzSpace *fine = mg->fine->pattern->space, *coarse = mg->coarse->pattern->space;
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
  const IrzSpace *fine = mg->fine->pattern->space, *coarse = mg->coarse->pattern->space;
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

IrzCode irz_multigrid_create(const IrzTangent *fine, const IrzTangent *coarse, PC solver, const IrzAmg *amg,
                             IrzMultigrid **multigrid, IrzError *error) {
  IrzMultigrid *mg = NULL;
  const IrzSpace *fs = fine->pattern->space, *cs = coarse->pattern->space;
  size_t n = (size_t)fs->n_local;
  *multigrid = NULL;
  IrzCode code = irz_alloc(&mg, 1, sizeof *mg, error);
  if (code == IRZ_OK) {
    mg->fine = fine;
    mg->coarse = coarse;
    mg->solver = solver;
    mg->amg = amg;
    mg->smoother = irz_smoother_of(fine);
    code = irz_smoother_create(&mg->smoother, error);
  }
  if (code == IRZ_OK) code = irz_alloc(&mg->parent, n, sizeof *mg->parent, error);
  if (code == IRZ_OK) code = irz_alloc(&mg->b, (size_t)fs->n_owned, sizeof *mg->b, error);
  if (code == IRZ_OK) code = irz_alloc(&mg->coarse_b, (size_t)cs->n_owned, sizeof *mg->coarse_b, error);
  if (code == IRZ_OK) code = irz_alloc(&mg->x, n, sizeof *mg->x, error);
  if (code == IRZ_OK) code = irz_alloc(&mg->rest, n, sizeof *mg->rest, error);
  if (code == IRZ_OK) code = irz_alloc(&mg->old, n, sizeof *mg->old, error);
  if (code == IRZ_OK) code = irz_alloc(&mg->coarse_x, (size_t)cs->n_local, sizeof *mg->coarse_x, error);
  if (code == IRZ_OK) {
    find_parents(mg);
    find_children(mg, error);
  }
  code = irz_error_agree(fs->part->comm, error);
  if (code == IRZ_OK)
    code = irz_petsc(MatCreateVecs(coarse->mat, &mg->coarse_left, &mg->coarse_right), "vectors", error);
  if (code != IRZ_OK) {
    irz_multigrid_free(mg);
    return code;
  }
  *multigrid = mg;
  return IRZ_OK;
}

void irz_multigrid_prolong(const IrzMultigrid *mg, const double *coarse, double *fine) {
  for (int32_t i = 0; i < mg->fine->pattern->space->n_local; i++) {
    fine[i] = 0.5 * (coarse[mg->parent[i][0]] + coarse[mg->parent[i][1]]);
  }
}

/// The coarse right-hand side: what the children have left, half each for edges.
static void restrict_rest(const IrzMultigrid *mg, const float *rest, float *coarse) {
  const IrzSpace *space = mg->coarse->pattern->space;
#pragma omp parallel for num_threads(irz_threads(space->n_threads)) schedule(static, 1)
  for (int k = 0; k < space->n_threads; k++) {
    for (int32_t i = space->row_start[k]; i < space->row_start[k + 1]; i++) {
      float sum = 0;
      for (int32_t c = mg->child_start[i]; c < mg->child_start[i + 1]; c++) sum += rest[mg->child[c]];
      coarse[i] = 0.5f * sum;
    }
  }
}

/// Add the coarse correction to the fine unknowns; ghosts get what their owners add, so they stay up to date.
static void add_correction(const IrzMultigrid *mg, const float *coarse, float *x) {
  const IrzSpace *space = mg->fine->pattern->space;
  const float half = 0.5f * ENLARGE;
#pragma omp parallel for num_threads(irz_threads(space->n_threads)) schedule(static, 1)
  for (int k = 0; k < space->n_threads; k++) {
    for (int32_t i = space->row_start[k]; i < space->row_start[k + 1]; i++) {
      x[i] += half * (coarse[mg->parent[i][0]] + coarse[mg->parent[i][1]]);
    }
  }
  for (int32_t i = space->n_owned; i < space->n_local; i++) {
    x[i] += half * (coarse[mg->parent[i][0]] + coarse[mg->parent[i][1]]);
  }
}

/// Take the matrix's present values. Called by PETSc when it has changed.
static PetscErrorCode set_up(PC pc) {
  IrzMultigrid *mg;

  PetscFunctionBegin;
  PetscCall(PCShellGetContext(pc, &mg));
  irz_smoother_update(&mg->smoother);
  PetscFunctionReturn(0);
}

/// Solve on the coarse level, roughly: coarse_x from coarse_b.
static PetscErrorCode solve_coarse(IrzMultigrid *mg) {
  const IrzSpace *coarse = mg->coarse->pattern->space;
  PetscScalar *c;

  PetscFunctionBegin;
  if (mg->solver == NULL) {
    PetscCall(irz_amg_apply(mg->amg, mg->coarse_b, mg->coarse_x));
    PetscFunctionReturn(0);
  }
  PetscCall(VecGetArrayWrite(mg->coarse_right, &c));
  for (int32_t i = 0; i < coarse->n_owned; i++) c[i] = mg->coarse_b[i];
  PetscCall(VecRestoreArrayWrite(mg->coarse_right, &c));
  PetscCall(PCApply(mg->solver, mg->coarse_right, mg->coarse_left));
  PetscCall(VecGetArray(mg->coarse_left, &c));
  for (int32_t i = 0; i < coarse->n_owned; i++) mg->coarse_x[i] = (float)c[i];
  PetscCall(VecRestoreArray(mg->coarse_left, &c));
  PetscCall(irz_space_share_single(coarse, mg->coarse_x));
  PetscFunctionReturn(0);
}

PetscErrorCode irz_multigrid_cycle(IrzMultigrid *mg, const double *rest, const float **found) {
  const IrzSpace *fine = mg->fine->pattern->space;

  PetscFunctionBegin;
#pragma omp parallel for num_threads(irz_threads(fine->n_threads)) schedule(static)
  for (int32_t i = 0; i < fine->n_owned; i++) mg->b[i] = (float)rest[i];
  irz_smoother_down(&mg->smoother, mg->b, mg->x, mg->rest);
  PetscCall(irz_space_share_single(fine, mg->x));
  irz_smoother_outside(&mg->smoother, mg->x, mg->rest);
  PetscCall(irz_space_share_single(fine, mg->rest));
  restrict_rest(mg, mg->rest, mg->coarse_b);
  PetscCall(solve_coarse(mg));
  add_correction(mg, mg->coarse_x, mg->x);
  /* One thread takes only ghosts from the old values, and the sweep leaves those as they are. */
  bool many = fine->n_threads > 1;
  if (many) {
#pragma omp parallel for num_threads(irz_threads(fine->n_threads)) schedule(static)
    for (int32_t i = 0; i < fine->n_local; i++) mg->old[i] = mg->x[i];
  }
  irz_smoother_up(&mg->smoother, mg->b, many ? mg->old : mg->x, mg->x);
  *found = mg->x;
  PetscFunctionReturn(0);
}

PetscErrorCode irz_multigrid_product(IrzMultigrid *mg, const double *rest, double *product) {
  const IrzSpace *fine = mg->fine->pattern->space;
  const float *change = mg->smoother.sum;

  PetscFunctionBegin;
  if (fine->part->size > 1) {
    memcpy(mg->old, change, (size_t)fine->n_owned * sizeof *change);
    PetscCall(irz_space_share_single(fine, mg->old));
    change = mg->old;
  }
  irz_smoother_product(&mg->smoother, rest, change, product);
  PetscFunctionReturn(0);
}

const IrzSmoother *irz_multigrid_smoother(const IrzMultigrid *mg) {
  return &mg->smoother;
}

/// One V-cycle for PETSc.
static PetscErrorCode apply(PC pc, Vec right, Vec left) {
  IrzMultigrid *mg;
  const PetscScalar *b;
  PetscScalar *out;
  const float *found;

  PetscFunctionBegin;
  PetscCall(PCShellGetContext(pc, &mg));
  const IrzSpace *fine = mg->fine->pattern->space;
  PetscCall(VecGetArrayRead(right, &b));
  PetscCall(irz_multigrid_cycle(mg, b, &found));
  PetscCall(VecRestoreArrayRead(right, &b));
  PetscCall(VecGetArrayWrite(left, &out));
#pragma omp parallel for num_threads(irz_threads(fine->n_threads)) schedule(static)
  for (int32_t i = 0; i < fine->n_owned; i++) out[i] = found[i];
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
  irz_smoother_clear(&multigrid->smoother);
  free(multigrid->parent);
  free(multigrid->child_start);
  free(multigrid->child);
  free(multigrid->b);
  free(multigrid->coarse_b);
  free(multigrid->x);
  free(multigrid->rest);
  free(multigrid->old);
  free(multigrid->coarse_x);
  free(multigrid);
}
