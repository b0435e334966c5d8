/* Conjugate gradients with a V-cycle; see cg.h. */
#include "solver/cg.h"
#include "base/threads.h"
#include "solver/smoother.h"
#include <math.h>
#include <petsc/private/kspimpl.h> /* a type of solver is made of what is in there */

/// A guessed norm is taken this much larger. As measured, the scaled residual falls like the norm to within 8 %, but in
/// the first step of a solve by up to 1.35 times as much.
static const double CAUTION = 1.1, CAUTION_AT_FIRST = 1.4;

static PetscLogEvent event_cycle, event_product;

/// Work of a solver.
typedef struct {
  double *rest;    ///< [n_owned] b - A x
  double *step;    ///< [n_owned] direction
  double *product; ///< [n_owned] A step
  double *image;   ///< [n_owned] A times the result of the last cycle
  double *sums;    ///< [n_threads] of the rows of each thread
} Cg;

/// A solve.
typedef struct {
  const Cg *cg;
  const IrzSmoother *rows; ///< the rows of each thread, and the inverse of the diagonal
  MPI_Comm comm;
  double *x; ///< [n_owned]
} Solve;

/// Add up what the threads of all ranks have left in `sums`, in the same order always.
static PetscErrorCode add_up(const Solve *s, double *sum) {
  PetscFunctionBegin;
  *sum = 0;
  for (int k = 0; k < s->rows->n_threads; k++) *sum += s->cg->sums[k];
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, 1, MPI_DOUBLE, MPI_SUM, s->comm));
  PetscFunctionReturn(0);
}

/// x = 0 and rest = b.
/// @param[out] scaled  rest . rest / diagonal
static PetscErrorCode begin(const Solve *s, const double *b, double *scaled) {
  const IrzSmoother *rows = s->rows;

  PetscFunctionBegin;
#pragma omp parallel for num_threads(irz_threads(rows->n_threads)) schedule(static, 1)
  for (int k = 0; k < rows->n_threads; k++) {
    double sum = 0;
    for (int32_t i = rows->row_start[k]; i < rows->row_start[k + 1]; i++) {
      s->x[i] = 0;
      s->cg->rest[i] = b[i];
      sum += b[i] * b[i] * (double)rows->inverse[i];
    }
    s->cg->sums[k] = sum;
  }
  PetscCall(add_up(s, scaled));
  PetscFunctionReturn(0);
}

/// @param[out] square  rest . found
static PetscErrorCode natural_norm(const Solve *s, const float *found, double *square) {
  const IrzSmoother *rows = s->rows;

  PetscFunctionBegin;
#pragma omp parallel for num_threads(irz_threads(rows->n_threads)) schedule(static, 1)
  for (int k = 0; k < rows->n_threads; k++) {
    double sum = 0;
    for (int32_t i = rows->row_start[k]; i < rows->row_start[k + 1]; i++) sum += s->cg->rest[i] * (double)found[i];
    s->cg->sums[k] = sum;
  }
  PetscCall(add_up(s, square));
  PetscFunctionReturn(0);
}

/// step = found + beta step, and product likewise.
/// @param[in]  beta       0: `step` and `product` hold nothing yet
/// @param[out] curvature  step . product
static PetscErrorCode turn(const Solve *s, const float *found, double beta, double *curvature) {
  const IrzSmoother *rows = s->rows;
  double *restrict step = s->cg->step, *restrict product = s->cg->product;
  const double *image = s->cg->image;

  PetscFunctionBegin;
#pragma omp parallel for num_threads(irz_threads(rows->n_threads)) schedule(static, 1)
  for (int k = 0; k < rows->n_threads; k++) {
    double sum = 0;
    for (int32_t i = rows->row_start[k]; i < rows->row_start[k + 1]; i++) {
      step[i] = beta == 0 ? (double)found[i] : (double)found[i] + beta * step[i];
      product[i] = beta == 0 ? image[i] : image[i] + beta * product[i];
      sum += step[i] * product[i];
    }
    s->cg->sums[k] = sum;
  }
  PetscCall(add_up(s, curvature));
  PetscFunctionReturn(0);
}

/// x += alpha step, rest -= alpha product.
/// @param[out] scaled  rest . rest / diagonal
static PetscErrorCode move(const Solve *s, double alpha, double *scaled) {
  const IrzSmoother *rows = s->rows;
  double *restrict x = s->x, *restrict rest = s->cg->rest;
  const double *step = s->cg->step, *product = s->cg->product;

  PetscFunctionBegin;
#pragma omp parallel for num_threads(irz_threads(rows->n_threads)) schedule(static, 1)
  for (int k = 0; k < rows->n_threads; k++) {
    double sum = 0;
    for (int32_t i = rows->row_start[k]; i < rows->row_start[k + 1]; i++) {
      x[i] += alpha * step[i];
      rest[i] -= alpha * product[i];
      sum += rest[i] * rest[i] * (double)rows->inverse[i];
    }
    s->cg->sums[k] = sum;
  }
  PetscCall(add_up(s, scaled));
  PetscFunctionReturn(0);
}

/// Ask whether the norm after `k` steps is enough.
static PetscErrorCode ask(KSP ksp, PetscInt k, double norm) {
  PetscFunctionBegin;
  ksp->its = k;
  ksp->rnorm = norm;
  PetscCall((*ksp->converged)(ksp, k, norm, &ksp->reason, ksp->cnvP));
  PetscFunctionReturn(0);
}

/// Let those know who watch.
static PetscErrorCode show(KSP ksp) {
  PetscFunctionBegin;
  PetscCall(KSPLogResidualHistory(ksp, ksp->rnorm));
  PetscCall(KSPMonitor(ksp, ksp->its, ksp->rnorm));
  PetscFunctionReturn(0);
}

/// The steps. Sets ksp->reason.
static PetscErrorCode iterate(KSP ksp, IrzMultigrid *mg, const Solve *s, double scaled) {
  double square, before = 0, curvature;

  PetscFunctionBegin;
  for (PetscInt k = 0;; k++) {
    const float *found;
    PetscCall(PetscLogEventBegin(event_cycle, ksp, 0, 0, 0));
    PetscCall(irz_multigrid_cycle(mg, s->cg->rest, &found));
    PetscCall(PetscLogEventEnd(event_cycle, ksp, 0, 0, 0));
    PetscCall(natural_norm(s, found, &square));
    PetscCall(ask(ksp, k, sqrt(fabs(square))));
    PetscCall(show(ksp));
    if (ksp->reason != KSP_CONVERGED_ITERATING) break;
    if (k == ksp->max_it) ksp->reason = KSP_DIVERGED_ITS;
    if (square == 0) ksp->reason = KSP_CONVERGED_ATOL;
    if (square < 0) ksp->reason = KSP_DIVERGED_INDEFINITE_PC;
    if (ksp->reason != KSP_CONVERGED_ITERATING) break;
    PetscCall(PetscLogEventBegin(event_product, ksp, 0, 0, 0));
    PetscCall(irz_multigrid_product(mg, s->cg->rest, s->cg->image));
    PetscCall(PetscLogEventEnd(event_product, ksp, 0, 0, 0));
    PetscCall(turn(s, found, k > 0 ? square / before : 0, &curvature));
    if (!(curvature > 0)) {
      ksp->reason = KSP_DIVERGED_INDEFINITE_MAT;
      break;
    }
    double scaled_before = scaled;
    before = square;
    PetscCall(move(s, square / curvature, &scaled));
    double caution = k == 0 ? CAUTION_AT_FIRST : CAUTION;
    PetscCall(ask(ksp, k + 1, caution * sqrt(square * scaled / scaled_before)));
    if (ksp->reason != KSP_CONVERGED_ITERATING) {
      PetscCall(show(ksp));
      break;
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode solve(KSP ksp) {
  Solve s = {.cg = ksp->data, .comm = PetscObjectComm((PetscObject)ksp)};
  IrzMultigrid *mg;
  const double *b;
  double scaled;

  PetscFunctionBegin;
  PetscCall(PCSetUp(ksp->pc)); /* the matrix may have changed, which PCApply() would notice */
  PetscCall(PCShellGetContext(ksp->pc, &mg));
  s.rows = irz_multigrid_smoother(mg);
  PetscCall(VecGetArrayWrite(ksp->vec_sol, &s.x));
  PetscCall(VecGetArrayRead(ksp->vec_rhs, &b));
  PetscCall(begin(&s, b, &scaled));
  PetscCall(VecRestoreArrayRead(ksp->vec_rhs, &b));
  PetscCall(iterate(ksp, mg, &s, scaled));
  PetscCall(VecRestoreArrayWrite(ksp->vec_sol, &s.x));
  PetscFunctionReturn(0);
}

static PetscErrorCode reset(KSP ksp) {
  Cg *cg = ksp->data;

  PetscFunctionBegin;
  PetscCall(PetscFree4(cg->rest, cg->step, cg->product, cg->image));
  PetscCall(PetscFree(cg->sums));
  PetscFunctionReturn(0);
}

static PetscErrorCode set_up(KSP ksp) {
  Cg *cg = ksp->data;
  IrzMultigrid *mg;

  PetscFunctionBegin;
  PetscCall(reset(ksp));
  PetscCall(PCShellGetContext(ksp->pc, &mg));
  const IrzSmoother *rows = irz_multigrid_smoother(mg);
  PetscCall(PetscMalloc4(rows->n, &cg->rest, rows->n, &cg->step, rows->n, &cg->product, rows->n, &cg->image));
  PetscCall(PetscMalloc1(rows->n_threads, &cg->sums));
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy(KSP ksp) {
  PetscFunctionBegin;
  PetscCall(reset(ksp));
  PetscCall(KSPDestroyDefault(ksp));
  PetscFunctionReturn(0);
}

static PetscErrorCode create(KSP ksp) {
  Cg *cg;

  PetscFunctionBegin;
  PetscCall(PetscNew(&cg));
  ksp->data = cg;
  PetscCall(KSPSetSupportedNorm(ksp, KSP_NORM_NATURAL, PC_LEFT, 1));
  ksp->ops->setup = set_up;
  ksp->ops->solve = solve;
  ksp->ops->reset = reset;
  ksp->ops->destroy = destroy;
  ksp->ops->buildsolution = KSPBuildSolutionDefault;
  ksp->ops->buildresidual = KSPBuildResidualDefault;
  PetscFunctionReturn(0);
}

PetscErrorCode irz_cg_register(void) {
  PetscFunctionBegin;
  PetscCall(KSPRegister(IRZ_CG, create));
  PetscCall(PetscLogEventRegister("IrzCycle", KSP_CLASSID, &event_cycle));
  PetscCall(PetscLogEventRegister("IrzProduct", KSP_CLASSID, &event_product));
  PetscFunctionReturn(0);
}
