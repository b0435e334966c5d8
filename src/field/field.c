/* Newton's method with multigrid-preconditioned conjugate gradients; see field.h.

   The current density sigma(E) E grows with E, so the potential minimises a convex energy, the full tangent is positive
   definite, and the slope of the energy along a Newton step grows from negative to positive: the line search looks for
   where it crosses zero and takes the whole step unless that overshoots. Order 2 starts from the solution at order 1.
 */
#include "field/field.h"
#include "base/deadline.h"
#include "base/memory.h"
#include "base/petsc.h"
#include "base/threads.h"
#include "field/flux.h"
#include "field/kernel.h"
#include "solver/amg.h"
#include "solver/cg.h"
#include "solver/multigrid.h"
#include <math.h>
#include <petsc/private/petscimpl.h> /* PetscObjectStateIncrease: our arrays changed under PETSc */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NEWTON = 80, MAX_LINEAR = 500, MAX_CUT_SHORT = 30, MAX_HALVINGS = 12 };

/// Steps after which a steep law's field is looked for in another way, and after which a start is good enough; steps
/// of that other way, and its linear ones.
enum { MAX_NEWTON_STEEP = 6, MAX_NEWTON_START = 8, MAX_FLUX = 60, MAX_FLUX_LINEAR = 4000 };

/// When a linear solve has done enough. Errors are in the energy norm, as the natural norm estimates them.
typedef struct {
  double scale;          ///< norm of the solution
  double forcing, least; ///< reductions of the error
  double most;           ///< do not begin if the error is larger than this share of the solution
  double tolerance;      ///< share of the solution of which no less is needed
  double target;         ///< norm to reach, set at the start
  MPI_Comm comm;         ///< of the solver
} Enough;

/// One element order: space, matrix, linear solver.
typedef struct {
  IrzSpace *space;
  IrzTangent *matrix;
  KSP ksp;
  uint8_t *fixed;                     ///< [n_local]
  double *u;                          ///< [n_local] scratch
  double *residual;                   ///< [n_owned]
  double *step;                       ///< [n_local]
  double (*sums)[IRZ_MAX_PROBES + 1]; ///< [n_threads] scratch: currents and power
  Vec right, left;                    ///< wrap residual and step
  PetscReal norm[2 + MAX_LINEAR];     ///< residuals of the last linear solve
  Enough enough;                      ///< of the last linear solve
} Level;

struct IrzField {
  const IrzMedium *medium;
  int order;
  Level level[2];                       ///< order 1, order 2
  IrzMultigrid *multigrid;              ///< order 2 only
  IrzAmg *amg;                          ///< coarse preconditioner unless an option asks for PETSc's
  bool have_hierarchy;                  ///< the coarse preconditioner exists ...
  bool hierarchy_fixed[IRZ_MAX_PROBES]; ///< ... for these fixed electrodes
};

static PetscLogStage stage_start, stage_fine;
static PetscLogEvent event_assemble, event_hierarchy;

/// Make -log_view readable, and our solver known.
static PetscErrorCode register_names(void) {
  static bool done = false;

  PetscFunctionBegin;
  if (!done) {
    PetscClassId id;
    PetscCall(PetscLogStageRegister("Order 1", &stage_start));
    PetscCall(PetscLogStageRegister("Order 2", &stage_fine));
    PetscCall(PetscClassIdRegister("irezone", &id));
    PetscCall(PetscLogEventRegister("IrzAssemble", id, &event_assemble));
    PetscCall(PetscLogEventRegister("IrzHierarchy", id, &event_hierarchy));
    PetscCall(irz_cg_register());
    done = true;
  }
  PetscFunctionReturn(0);
}

/// Set a PETSc option unless the user did.
static PetscErrorCode default_option(const char *name, const char *value) {
  PetscBool given;

  PetscFunctionBegin;
  PetscCall(PetscOptionsHasName(NULL, NULL, name, &given));
  if (!given) PetscCall(PetscOptionsSetValue(NULL, name, value));
  PetscFunctionReturn(0);
}

/// PETSc's algebraic multigrid as measured best on graded meshes of 28 to 190 thousand unknowns.
static PetscErrorCode set_gamg(PC pc, int n_ranks) {
  PetscFunctionBegin;
  PetscCall(PCSetType(pc, PCGAMG));
  PetscCall(default_option("-irz1_pc_gamg_threshold", "0.01"));
  if (n_ranks <= 2) {
    /* A Gauss-Seidel sweep is enough; between more ranks, where it is Jacobi, PETSc's Chebyshev keeps it from
     * overcorrecting. */
    PetscCall(default_option("-irz1_mg_levels_ksp_type", "richardson"));
    PetscCall(default_option("-irz1_mg_levels_ksp_max_it", "1"));
    PetscCall(default_option("-irz1_mg_levels_pc_type", "sor"));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode is_enough(KSP ksp, PetscInt step, PetscReal norm, KSPConvergedReason *reason, void *context);

/// Linear solver of one level. Options: -irz1_... for order 1 and its algebraic multigrid, -irz2_... for order 2.
static PetscErrorCode create_ksp(Level *level, int order) {

  PetscFunctionBegin;
  PetscCall(KSPCreate(level->space->part->comm, &level->ksp));
  PetscCall(KSPSetOptionsPrefix(level->ksp, order == 2 ? "irz2_" : "irz1_"));
  PetscCall(KSPSetType(level->ksp, KSPCG));
  PetscCall(KSPSetNormType(level->ksp, KSP_NORM_NATURAL));
  PetscCall(KSPSetTolerances(level->ksp, PETSC_DEFAULT, PETSC_DEFAULT, PETSC_DEFAULT, MAX_LINEAR));
  PetscCall(KSPSetConvergenceTest(level->ksp, is_enough, &level->enough, NULL));
  const IrzTangent *matrix = level->matrix;
  PetscCall(KSPSetOperators(level->ksp, matrix->mat, matrix->copy != NULL ? matrix->copy->mat : matrix->mat));
  PetscFunctionReturn(0);
}

/// The preconditioner of order 1: ours unless the user chose one.
static IrzCode create_coarse(IrzField *field, IrzError *error) {
  const Level *level = &field->level[0];
  PC pc;
  IRZ_PETSC(KSPGetPC(level->ksp, &pc));
  if (level->matrix->copy != NULL) {
    char type[32] = "";
    IRZ_PETSC(PetscOptionsGetString(NULL, "irz1_", "-pc_type", type, sizeof type, NULL));
    if (strcmp(type, PCGAMG) == 0) IRZ_PETSC(set_gamg(pc, level->space->part->size));
  } else {
    IRZ_TRY(irz_amg_create(level->matrix, &field->amg, error));
    IRZ_PETSC(irz_amg_install(field->amg, pc));
  }
  return irz_petsc(KSPSetFromOptions(level->ksp), "PETSc options for order 1", error);
}

static IrzCode create_level(IrzField *field, Level *level, const IrzPart *part, int order, bool merged, int n_threads,
                            IrzError *error) {
  const IrzSpace *like = order < field->order ? field->level[1].space : NULL;
  IRZ_TRY(irz_space_create(part, order, merged, n_threads, field->medium->general, like, &level->space, error));
  PetscBool chosen;
  IRZ_PETSC(PetscOptionsHasName(NULL, order == 2 ? "irz2_" : "irz1_", "-pc_type", &chosen));
  IRZ_TRY(irz_tangent_create(level->space, chosen, &level->matrix, error));
  size_t n = (size_t)level->space->n_local;
  irz_alloc(&level->fixed, n, 1, error);
  irz_alloc(&level->u, n, sizeof *level->u, error);
  irz_alloc(&level->residual, n, sizeof *level->residual, error);
  irz_alloc(&level->step, n, sizeof *level->step, error);
  irz_alloc(&level->sums, (size_t)level->space->n_threads, sizeof *level->sums, error);
  IRZ_TRY(irz_error_agree(part->comm, error));
  PetscInt owned = level->space->n_owned;
  IRZ_PETSC(VecCreateMPIWithArray(part->comm, 1, owned, PETSC_DECIDE, level->residual, &level->right));
  IRZ_PETSC(VecCreateMPIWithArray(part->comm, 1, owned, PETSC_DECIDE, level->step, &level->left));
  return irz_petsc(create_ksp(level, order), "linear solver", error);
}

IrzCode irz_field_create(const IrzPart *part, const IrzMedium *medium, int order, bool merged, int n_threads,
                         IrzField **field, IrzError *error) {
  IrzField *f = NULL;
  *field = NULL;
  irz_alloc(&f, 1, sizeof *f, error);
  if (irz_error_agree(part->comm, error) != IRZ_OK) {
    free(f);
    return error->code;
  }
  f->medium = medium;
  f->order = order;
  IrzCode code = irz_petsc(register_names(), "log stages", error);
  for (int p = order; code == IRZ_OK && p >= 1; p--) {
    code = create_level(f, &f->level[p - 1], part, p, merged, n_threads, error);
  }
  if (code == IRZ_OK) {
    create_coarse(f, error);
    code = irz_error_agree(part->comm, error);
  }
  if (code == IRZ_OK && order == 2) {
    PC coarse, fine;
    KSPGetPC(f->level[0].ksp, &coarse);
    code = irz_multigrid_create(f->level[1].matrix, f->level[0].matrix, f->amg != NULL ? NULL : coarse, f->amg,
                                &f->multigrid, error);
    if (code == IRZ_OK) {
      KSPGetPC(f->level[1].ksp, &fine);
      code = irz_petsc(irz_multigrid_install(f->multigrid, fine), "p-multigrid", error);
    }
    /* A preconditioner that the user chooses needs PETSc's conjugate gradients. */
    if (code == IRZ_OK && f->level[1].matrix->copy == NULL)
      code = irz_petsc(KSPSetType(f->level[1].ksp, IRZ_CG), "linear solver", error);
    if (code == IRZ_OK) code = irz_petsc(KSPSetFromOptions(f->level[1].ksp), "PETSc options for order 2", error);
  }
  if (code != IRZ_OK)
    irz_field_free(f);
  else
    *field = f;
  return code;
}

const IrzSpace *irz_field_space(const IrzField *field) {
  return field->level[field->order - 1].space;
}

/* ---- Newton ---- */

/// What one Newton solve works on.
typedef struct {
  IrzField *field;
  const IrzProblem *problem;
  int order;
  double tolerance;
  bool build_hierarchy; ///< make the coarse preconditioner anew with the first matrix
  bool steep;           ///< give up after few steps, without a failure
  const IrzFlux *flux;  ///< currents of their own; NULL: the law's
} Newton;

/// Residual, and if `tangent` the matrix, at u; rows of fixed unknowns are kept in `current` and then cleared.
/// @param[in] first  the first matrix of this solve, which the hierarchy is built for
static PetscErrorCode assemble(const Newton *newton, const double *u, bool zero_field, bool tangent, bool first,
                               double current[IRZ_MAX_PROBES], double *power) {
  IrzField *field = newton->field;
  Level *level = &field->level[newton->order - 1];
  const IrzSpace *space = level->space;
  double sums[IRZ_MAX_PROBES + 1] = {0}, all[IRZ_MAX_PROBES + 1];
  IrzAssembly assembly = {.space = space,
                          .medium = field->medium,
                          .laws = newton->problem->laws,
                          .floor = newton->problem->floor,
                          .scale = newton->problem->scale,
                          .flux = newton->flux,
                          .u = u,
                          .zero_field = zero_field,
                          .fixed = level->fixed,
                          .residual = level->residual,
                          .matrix = tangent ? level->matrix : NULL};

  PetscFunctionBegin;
  PetscCall(PetscLogEventBegin(event_assemble, 0, 0, 0, 0));
  bool coarse = newton->order == 2 && tangent && newton->build_hierarchy && first;
  if (coarse) {
    assembly.coarse = field->level[0].matrix;
    assembly.coarse_fixed = field->level[0].fixed;
  }
  irz_assemble(&assembly);
  if (tangent) {
    PetscCall(irz_tangent_changed(level->matrix));
    if (coarse) PetscCall(irz_tangent_changed(field->level[0].matrix));
  }
  const double *load = newton->order == field->order ? newton->problem->load : NULL;
#pragma omp parallel for num_threads(irz_threads(space->n_threads)) schedule(static, 1)
  for (int k = 0; k < space->n_threads; k++) {
    double own[IRZ_MAX_PROBES + 1] = {0};
    for (int32_t i = space->row_start[k]; i < space->row_start[k + 1]; i++) {
      own[IRZ_MAX_PROBES] += u[i] * level->residual[i];
      if (space->electrode[i] >= 0) own[space->electrode[i]] += level->residual[i];
      if (load != NULL) level->residual[i] -= load[i];
      if (level->fixed[i]) level->residual[i] = 0;
    }
    memcpy(level->sums[k], own, sizeof own);
  }
  for (int k = 0; k < space->n_threads; k++) {
    for (int p = 0; p <= IRZ_MAX_PROBES; p++) sums[p] += level->sums[k][p];
  }
  PetscCallMPI(MPI_Allreduce(sums, all, IRZ_MAX_PROBES + 1, MPI_DOUBLE, MPI_SUM, space->part->comm));
  for (int p = 0; p < IRZ_MAX_PROBES; p++) current[p] = all[p];
  *power = all[IRZ_MAX_PROBES];
  PetscCall(PetscObjectStateIncrease((PetscObject)level->right));
  PetscCall(PetscLogEventEnd(event_assemble, 0, 0, 0, 0));
  PetscFunctionReturn(0);
}

/// What to do about the algebraic multigrid of the matrix of order 1.
typedef enum { KEEP, UPDATE, BUILD } Refresh;

/// Keep the coarse preconditioner, bring its matrices up to date, or build it anew for the matrix as it is now.
static PetscErrorCode hierarchy(IrzField *field, Refresh refresh) {
  KSP ksp = field->level[0].ksp;
  PC pc;
  IrzError error = {0};

  PetscFunctionBegin;
  PetscCall(PetscLogEventBegin(event_hierarchy, 0, 0, 0, 0));
  PetscCall(KSPGetPC(ksp, &pc));
  if (field->amg != NULL) {
    IrzCode code = IRZ_OK;
    if (refresh == BUILD) code = irz_amg_build(field->amg, &error);
    if (refresh == UPDATE) code = irz_amg_update(field->amg, &error);
    if (code != IRZ_OK) PetscFunctionReturn(PETSC_ERR_MEM); /* on all ranks */
    irz_amg_smooth(field->amg);
  } else {
    PetscCall(PCSetReusePreconditioner(pc, refresh == KEEP ? PETSC_TRUE : PETSC_FALSE));
    PetscCall(PCGAMGSetReuseInterpolation(pc, refresh == UPDATE ? PETSC_TRUE : PETSC_FALSE));
  }
  PetscCall(KSPSetUp(ksp));
  PetscCall(PetscLogEventEnd(event_hierarchy, 0, 0, 0, 0));
  PetscFunctionReturn(0);
}

/// Error of the algebra in the energy norm against the solution, estimated with the preconditioner: sqrt(r . B r).
static PetscErrorCode remaining_error(Level *level, double *remaining, double power) {
  PC pc;
  double square;

  PetscFunctionBegin;
  PetscCall(KSPGetPC(level->ksp, &pc));
  PetscCall(PCApply(pc, level->right, level->left));
  PetscCall(VecDot(level->right, level->left, &square));
  *remaining = power != 0 ? sqrt(fabs(square / power)) : 0;
  PetscFunctionReturn(0);
}

/// Scalar product of the residual with the step.
static PetscErrorCode slope(const Level *level, double *value) {
  PetscFunctionBegin;
  PetscCall(VecDot(level->right, level->left, value));
  PetscFunctionReturn(0);
}

/// u = from + factor * step, ghosts included.
static PetscErrorCode move(const Level *level, const double *from, double factor, double *u) {
  PetscFunctionBegin;
#pragma omp parallel for num_threads(irz_threads(level->space->n_threads)) schedule(static)
  for (int32_t i = 0; i < level->space->n_owned; i++) u[i] = from[i] + factor * level->step[i];
  PetscCall(irz_space_share(level->space, u));
  PetscFunctionReturn(0);
}

/// PETSc's test of convergence. The error before the solve is known only here, from the first step of conjugate
/// gradients. Newton's step leaves 4 to 15 times its square, as measured, and the solve need not leave less.
static PetscErrorCode is_enough(KSP ksp, PetscInt step, PetscReal norm, KSPConvergedReason *reason, void *context) {
  Enough *enough = context;

  PetscFunctionBegin;
  (void)ksp;
  *reason = KSP_CONVERGED_ITERATING;
  if (step == 0) {
    double error = enough->scale > 0 ? norm / enough->scale : 0;
    double reduction = fmin(enough->forcing, fmax(enough->least, 6 * error));
    enough->target = fmax(0.5 * enough->tolerance * enough->scale, reduction * norm);
    if (error <= enough->tolerance || error > enough->most) *reason = KSP_CONVERGED_ITS;
  }
  if (PetscIsInfOrNanReal(norm))
    *reason = KSP_DIVERGED_NANORINF;
  else if (norm <= enough->target)
    *reason = KSP_CONVERGED_RTOL;
  else if (*reason == KSP_CONVERGED_ITERATING && irz_deadline_passed_any(enough->comm))
    *reason = KSP_DIVERGED_ITS; /* the caller asks, too */
  PetscFunctionReturn(0);
}

/// Solve for a step from the residual; `linear` counts iterations, report->remaining becomes the error before the step.
/// @param[in] forcing  the error is reduced at least so much
/// @param[in] least    and need not be reduced by more than this
/// @param[in] most     nothing is done if the error is larger than this
static PetscErrorCode solve_linear(const Newton *newton, double forcing, double least, double most, int *linear,
                                   IrzReport *report, KSPConvergedReason *reason) {
  Level *level = &newton->field->level[newton->order - 1];
  double scale = sqrt(fabs(report->power));
  PetscInt iterations;
  PetscReal norm;

  PetscFunctionBegin;
  level->enough = (Enough){.scale = scale,
                           .forcing = forcing,
                           .least = fmax(least, 1e-10),
                           .most = most,
                           .tolerance = newton->tolerance,
                           .comm = level->space->part->comm};
  PetscCall(KSPSetResidualHistory(level->ksp, level->norm, 2 + MAX_LINEAR, PETSC_TRUE));
  PetscCall(VecScale(level->right, -1));
  PetscCall(KSPSolve(level->ksp, level->right, level->left));
  PetscCall(VecScale(level->right, -1));
  PetscCall(KSPGetConvergedReason(level->ksp, reason));
  PetscCall(KSPGetIterationNumber(level->ksp, &iterations));
  PetscCall(KSPGetResidualNorm(level->ksp, &norm));
  *linear += iterations;
  report->remaining = scale > 0 ? level->norm[0] / scale : 0;
  PetscCall(PetscInfo(level->ksp, "order %d: remaining error %.3e, %d linear steps to %.3e\n", newton->order,
                      report->remaining, (int)iterations, scale > 0 ? norm / scale : 0));
  PetscFunctionReturn(0);
}

/// Why a linear solve failed, or NULL.
static const char *linear_failure(KSPConvergedReason reason) {
  if (reason >= 0) return NULL;
  if (reason == KSP_DIVERGED_ITS) return "the linear solver needs too many iterations";
  if (reason == KSP_DIVERGED_INDEFINITE_PC || reason == KSP_DIVERGED_INDEFINITE_MAT)
    return "the linear system is not positive definite";
  return "the linear solver broke down";
}

/// Go along the step as far as the energy falls, and assemble there.
/// @param[in] started  false: from the linear problem to the nonlinear one, which is not down the same energy
/// @param[in] tangent  assemble the matrix, too
static PetscErrorCode take_step(const Newton *newton, bool started, bool tangent, double *u, IrzReport *report,
                                const char **failure) {
  Level *level = &newton->field->level[newton->order - 1];
  double factor = 1, from_slope, to_slope;

  PetscFunctionBegin;
  PetscCall(slope(level, &from_slope));
  PetscCall(PetscArraycpy(level->u, u, level->space->n_owned));
  for (int halving = 0;; halving++) {
    PetscCall(move(level, level->u, factor, u));
    PetscCall(assemble(newton, u, false, tangent, false, report->current, &report->power));
    PetscCall(slope(level, &to_slope));
    if (!started || to_slope <= 0.5 * fabs(from_slope) || fabs(from_slope) < 1e-15 * fabs(report->power)) break;
    if (halving == MAX_HALVINGS) {
      *failure = "no step lowers the energy";
      break;
    }
    /* The slope grows from from_slope < 0 to to_slope > 0: aim at its zero, but stay inside. */
    factor *= fmin(0.8, fmax(0.1, -from_slope / (to_slope - from_slope)));
  }
  PetscFunctionReturn(0);
}

/// Largest error that one more step with the matrix of the step before takes below the tolerance: such a step leaves
/// about `16 built` of it, where `built` is the error where the matrix was assembled. It saves assembling another.
static double left_by_old(double tolerance, double built) {
  return fmax(0.5, 1 / (32 * built)) * tolerance;
}

/// Newton's method from `u`. Fills iterations, power, current and remaining error.
/// @param[out] stuck  a steep law was given up after few steps; that is no failure
static PetscErrorCode newton_solve(const Newton *newton, bool started, double *u, int *steps, int *linear,
                                   IrzReport *report, bool *stuck, const char **failure) {
  IrzField *field = newton->field;
  Level *level = &field->level[newton->order - 1];
  double before = 0, stalled = 0, built = 1; /* the errors before this step and where the matrix was assembled */
  bool old = false;                          /* the matrix is that of the step before */
  int cut_short = 0;

  PetscFunctionBegin;
  *steps = *linear = 0;
  *failure = NULL;
  *stuck = false;
  PetscCall(assemble(newton, u, !started, true, true, report->current, &report->power));
  for (int k = 0;; k++) {
    /* Built for the linear problem; after two steps the conductivity is nearly what it will be. */
    Refresh refresh = !newton->build_hierarchy ? KEEP : k == 0 ? BUILD : k == 2 && newton->order == 1 ? UPDATE : KEEP;
    PetscCall(hierarchy(field, refresh));
    KSPConvergedReason reason;
    int linear_before = *linear;
    /* The linear problem is only a start. */
    double forcing = started ? 0.1 : 0.03, least = started ? stalled : forcing;
    double most = old ? left_by_old(newton->tolerance, built) : INFINITY;
    PetscCall(solve_linear(newton, forcing, least, most, linear, report, &reason));
    if (started && report->remaining <= newton->tolerance) break;
    if (report->remaining > most) {
      PetscCall(assemble(newton, u, false, true, false, report->current, &report->power));
      PetscCall(hierarchy(field, KEEP)); /* sweeps need the new diagonal */
      old = false;
      PetscCall(solve_linear(newton, forcing, least, INFINITY, linear, report, &reason));
    }
    if (!isfinite(report->remaining)) {
      *failure = "the equations contain numbers that are not finite";
      break;
    }
    if (irz_deadline_passed_any(level->space->part->comm)) {
      *failure = IRZ_TIMEOUT;
      break;
    }
    if (reason == KSP_DIVERGED_INDEFINITE_PC || reason == KSP_DIVERGED_INDEFINITE_MAT) {
      /* A residual that is nothing but rounding looks like that, for example where order 1 was exact already. */
      PetscCall(remaining_error(level, &report->remaining, report->power));
      if (started && report->remaining <= newton->tolerance) break;
    }
    /* What conjugate gradients have found when they give up lowers the energy all the same. */
    bool given_up = reason < 0 && reason != KSP_DIVERGED_NANORINF && *linear > linear_before;
    if (newton->steep && (given_up || k == (newton->order < field->order ? MAX_NEWTON_START : MAX_NEWTON_STEEP))) {
      *stuck = true;
      break;
    }
    if (!given_up || ++cut_short > MAX_CUT_SHORT) *failure = linear_failure(reason);
    if (*failure == NULL && k == MAX_NEWTON) *failure = "Newton's method does not converge";
    if (*failure != NULL) break;
    ++*steps;
    if (!old) built = started ? report->remaining : 1;
    double expected = 10 * report->remaining * report->remaining;
    /* Never twice: where a steep law makes it gain little, a new matrix must follow. */
    old = started && !old && expected <= left_by_old(newton->tolerance, built);
    PetscCall(take_step(newton, started, !old, u, report, failure));
    if (*failure != NULL) break;
    /* While a steep law keeps steps from gaining, exact ones would be wasted. */
    stalled = k > 1 && report->remaining > 0.5 * before ? 0.01 : 0;
    before = started && k > 0 ? fmin(1, report->remaining) : 1;
    started = true;
  }
  PetscFunctionReturn(0);
}

/// Work of flux_solve().
typedef struct {
  IrzFluxTask task;
  IrzFlux flux;
  double *node; ///< [nodes of the part] V
} Flux;

static IrzCode flux_create(const Newton *newton, Flux *f, IrzError *error) {
  const IrzSpace *space = newton->field->level[newton->order - 1].space;
  f->task = (IrzFluxTask){.medium = newton->field->medium,
                          .laws = newton->problem->laws,
                          .floor = newton->problem->floor,
                          .scale = newton->problem->scale,
                          .order = newton->order,
                          .n_threads = space->n_threads};
  irz_flux_create(f->task.medium, &f->flux, error);
  if (error->code == IRZ_OK) {
    irz_alloc(&f->node, (size_t)space->part->n_vertices + (size_t)space->part->n_edges, sizeof *f->node, error);
  }
  return irz_error_agree(space->part->comm, error);
}

/// Let the currents follow a potential.
/// @param[out] apart  how far field and current were from the law, relative to the solution in the energy norm
static PetscErrorCode flux_follow(Flux *f, const IrzSpace *space, const double *u, double power, double *apart) {
  PetscFunctionBegin;
  irz_space_nodes(space, u, f->node);
  double square = irz_flux_follow(&f->task, f->node, &f->flux);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &square, 1, MPI_DOUBLE, MPI_SUM, space->part->comm));
  *apart = power != 0 ? sqrt(fabs(square / power)) : 0;
  PetscFunctionReturn(0);
}

/// The error that is small enough after so many steps of flux_solve(). The last digits of a law that jumps at many
/// fields can take hundreds of steps.
static double flux_enough(int step) {
  return step < 25 ? 0 : step < 40 ? 3e-5 : step < MAX_FLUX ? 3e-4 : 3e-3;
}

/// Newton's method with currents of their own, from `u`. Fills what newton_solve() fills.
///
/// What bounds T (see flux.h) is small at first, where large steps lead far from the law; it grows while field and
/// current come together, so that the last steps are Newton's, and is taken back when they do not. The factors do best
/// on ramps, sigmoids and tables of steps as narrow as 0.001 V/cm.
static PetscErrorCode flux_solve(Newton *newton, Flux *f, double *u, int *steps, int *linear, IrzReport *report,
                                 const char **failure) {
  const double bound_first = 30, bound_last = 1e6, bound_share = 0.003, up = 1.4, down = 0.5;
  IrzField *field = newton->field;
  Level *level = &field->level[newton->order - 1];
  double apart = INFINITY;

  PetscFunctionBegin;
  irz_space_nodes(level->space, u, f->node);
  irz_flux_start(&f->task, f->node, &f->flux);
  f->flux.bound = bound_first;
  newton->flux = &f->flux;
  newton->build_hierarchy = true;
  for (int k = 0;; k++) {
    /* The tangent changes by orders of magnitude, and with it what is strongly coupled. */
    bool build = k % 2 == 0;
    KSPConvergedReason reason;
    PetscCall(assemble(newton, u, false, true, build, report->current, &report->power));
    PetscCall(hierarchy(field, build ? BUILD : KEEP));
    PetscCall(solve_linear(newton, 0.03, 0.03, INFINITY, linear, report, &reason));
    PetscCall(PetscInfo(level->ksp, "field and current are %.3e from the law\n", apart));
    /* Where the law jumps, currents are further from it than fields; the factor is as measured. */
    double rough = fmax(report->remaining, 10 * apart * sqrt(f->flux.bound));
    bool exact = report->remaining <= newton->tolerance && rough <= 100 * newton->tolerance;
    if (!exact && rough <= flux_enough(k)) report->remaining = rough;
    if (exact || rough <= flux_enough(k)) break;
    if (!isfinite(report->remaining))
      *failure = "the equations contain numbers that are not finite";
    else if (irz_deadline_passed_any(level->space->part->comm))
      *failure = IRZ_TIMEOUT;
    else if (reason < 0 && reason != KSP_DIVERGED_ITS)
      *failure = linear_failure(reason);
    else if (k == MAX_FLUX || *linear > MAX_FLUX_LINEAR)
      *failure = "Newton's method does not converge";
    if (*failure != NULL) break;
    ++*steps;
    PetscCall(PetscArraycpy(level->u, u, level->space->n_owned));
    PetscCall(move(level, level->u, 1, u));
    double before = apart;
    PetscCall(flux_follow(f, level->space, u, report->power, &apart));
    double bound = f->flux.bound;
    bound = apart > before ? down * bound : apart > 0.5 * before ? up * bound : fmax(bound, bound_share / apart);
    f->flux.bound = fmin(bound_last, fmax(bound_first, bound));
  }
  newton->flux = NULL;
  PetscFunctionReturn(0);
}

/// Solve a problem with a steep law from `u`, as far as Newton's method in the potential has got: with currents of
/// their own, or, if those do not find it, with as many of Newton's steps as any other law may take.
static IrzCode solve_steep(Newton *newton, double *u, IrzReport *report, const char **failure, IrzError *error) {
  const IrzSpace *space = irz_field_space(newton->field);
  Flux flux = {0};
  int steps = 0, linear = 0;
  double *start = NULL;
  irz_alloc(&start, (size_t)space->n_local, sizeof *start, error);
  IrzCode code = irz_error_agree(space->part->comm, error);
  if (code == IRZ_OK) code = flux_create(newton, &flux, error);
  if (code == IRZ_OK) {
    memcpy(start, u, (size_t)space->n_local * sizeof *u);
    code = irz_petsc(flux_solve(newton, &flux, u, &steps, &linear, report, failure), "Newton with currents", error);
  }
  irz_flux_free(&flux.flux);
  free(flux.node);
  if (code == IRZ_OK && *failure != NULL) {
    int more = 0, more_linear = 0;
    bool unused;
    memcpy(u, start, (size_t)space->n_local * sizeof *u);
    newton->steep = false;
    code = irz_petsc(newton_solve(newton, true, u, &more, &more_linear, report, &unused, failure), "Newton", error);
    steps += more;
    linear += more_linear;
  }
  report->newton += steps;
  report->linear += linear;
  free(start);
  return code;
}

/// Mark the fixed unknowns of a level and put their potentials into u.
static void fix(Level *level, const IrzProblem *problem, double *u) {
  for (int32_t i = 0; i < level->space->n_local; i++) {
    int p = level->space->electrode[i];
    level->fixed[i] = p >= 0 && problem->fixed[p];
    if (level->fixed[i] && !problem->keep_fixed) u[i] = problem->potential[p];
  }
}

/// Potentials of the electrodes, known on all ranks.
static PetscErrorCode electrode_potentials(const IrzField *field, const IrzProblem *problem, const double *u,
                                           double potential[IRZ_MAX_PROBES]) {
  const IrzSpace *space = irz_field_space(field);
  double mine[IRZ_MAX_PROBES];

  PetscFunctionBegin;
  for (int p = 0; p < IRZ_MAX_PROBES; p++) mine[p] = -INFINITY;
  for (int32_t i = 0; i < space->n_owned; i++) {
    int p = space->electrode[i];
    if (p >= 0 && (space->merged || problem->fixed[p])) mine[p] = u[i];
  }
  PetscCallMPI(MPI_Allreduce(mine, potential, IRZ_MAX_PROBES, MPI_DOUBLE, MPI_MAX, space->part->comm));
  for (int p = 0; p < IRZ_MAX_PROBES; p++) {
    if (potential[p] == -INFINITY) potential[p] = NAN;
  }
  PetscFunctionReturn(0);
}

/// Say that a field was not found, and name the law if it is steep.
static IrzCode fail(const IrzField *field, const IrzProblem *problem, const IrzReport *report, const char *failure,
                    IrzError *error) {
  const IrzMedium *medium = field->medium;
  double most = 0, at = 0;
  int which = 0;
  char law[256] = "";
  for (int r = 0; r < medium->n_regions; r++) {
    double where, its = irz_law_steepness(problem->laws[r], &where);
    if (!(its > most)) continue;
    most = its;
    at = where;
    which = r;
  }
  if (most > IRZ_STEEP) {
    snprintf(
        law, sizeof law,
        "; the cause is the conductivity of %s, which changes at %.6g V/cm %.2g times as fast as the field: let it "
        "change over a wider range",
        medium->regions[which].name, at / 100, most);
  }
  return irz_error_set(
      error, IRZ_ERR_SOLVER,
      "the field was not found: %s (after %d Newton and %d linear steps the remaining error is %.1e)%s", failure,
      report->newton, report->linear, report->remaining, law);
}

/// Solve at order 1 and carry the solution to `u` as a start for order 2.
static IrzCode make_start(Newton start, double *u, IrzReport *report, const char **failure, IrzError *error) {
  IrzField *field = start.field;
  Level *fine = &field->level[1], *coarse = &field->level[0];
  double *v = NULL;
  bool stuck; /* then it is as good as it gets */
  start.order = 1;
  start.tolerance = 0.05; /* order 2 differs by about 0.3 from order 1; Newton's method squares what is left */
  IRZ_TRY(irz_alloc(&v, (size_t)coarse->space->n_local, sizeof *v, error));
  fix(coarse, start.problem, v);
  for (int32_t i = 0; start.problem->keep_fixed && i < coarse->space->part->n_vertices; i++) {
    v[coarse->space->dof[i]] = u[fine->space->dof[i]];
  }
  PetscLogStagePush(stage_start);
  IrzCode code =
      irz_petsc(newton_solve(&start, false, v, &report->start_newton, &report->start_linear, report, &stuck, failure),
                "Newton at order 1", error);
  PetscLogStagePop();
  if (code == IRZ_OK && *failure == NULL) {
    double *fixed_values = fine->u;
    memcpy(fixed_values, u, (size_t)fine->space->n_local * sizeof *u);
    irz_multigrid_prolong(field->multigrid, v, u);
    for (int32_t i = 0; i < fine->space->n_local; i++) {
      if (fine->fixed[i]) u[i] = fixed_values[i];
    }
  }
  free(v);
  return code;
}

IrzCode irz_field_solve(IrzField *field, const IrzProblem *problem, bool started, double *u, IrzReport *report,
                        IrzError *error) {
  Newton newton = {.field = field, .problem = problem, .tolerance = problem->tolerance > 0 ? problem->tolerance : 1e-8};
  Level *fine = &field->level[field->order - 1], *coarse = &field->level[0];
  const char *failure = NULL;
  memset(report, 0, sizeof *report);
  fix(fine, problem, u);
  /* What an earlier solve left there is no guess: the result must not depend on it, not even in its last digits. */
  for (int32_t i = 0; !started && i < fine->space->n_local; i++) {
    if (!fine->fixed[i]) u[i] = 0;
  }
  bool same = field->have_hierarchy, stuck = false;
  for (int p = 0; p < IRZ_MAX_PROBES; p++) same = same && field->hierarchy_fixed[p] == problem->fixed[p];
  newton.build_hierarchy = !same;
  newton.steep = irz_flux_serves(field->medium, problem->laws);
  if (field->order == 2) {
    /* The coarse level holds the Galerkin matrix also when the start is known. */
    memset(coarse->step, 0, (size_t)coarse->space->n_local * sizeof *coarse->step);
    fix(coarse, problem, coarse->u);
    if (!started) IRZ_TRY(make_start(newton, u, report, &failure, error));
    if (!started) newton.build_hierarchy = false;
    started = true;
  }
  if (failure == NULL) {
    newton.order = field->order;
    PetscLogStagePush(field->order == 2 ? stage_fine : stage_start);
    IrzCode code = irz_petsc(
        newton_solve(&newton, started, u, &report->newton, &report->linear, report, &stuck, &failure), "Newton", error);
    if (code == IRZ_OK && stuck) code = solve_steep(&newton, u, report, &failure, error);
    PetscLogStagePop();
    IRZ_TRY(code);
  }
  if (failure != NULL) return fail(field, problem, report, failure, error);
  field->have_hierarchy = !stuck; /* that of a steep law is for no other problem */
  memcpy(field->hierarchy_fixed, problem->fixed, sizeof problem->fixed);
  return irz_petsc(electrode_potentials(field, problem, u, report->potential), "potentials", error);
}

void irz_field_forget(IrzField *field) {
  field->have_hierarchy = false;
}

void irz_field_release(IrzField *field) {
  irz_multigrid_free(field->multigrid);
  irz_amg_free(field->amg);
  field->multigrid = NULL;
  field->amg = NULL;
  for (int p = 0; p < 2; p++) {
    Level *level = &field->level[p];
    KSPDestroy(&level->ksp);
    VecDestroy(&level->right);
    VecDestroy(&level->left);
    irz_tangent_free(level->matrix);
    free(level->fixed);
    free(level->u);
    free(level->residual);
    free(level->step);
    free(level->sums);
    *level = (Level){.space = level->space};
  }
}

void irz_field_free(IrzField *field) {
  if (field == NULL) return;
  irz_field_release(field);
  for (int p = 0; p < 2; p++) irz_space_free(field->level[p].space);
  free(field);
}
