/* Gauss-Seidel sweeps on a symmetric matrix in single precision: a preconditioner needs no more.

   Of a thread's own block only the rows up to the diagonal are stored (see pattern.h). A forward sweep and the residual
   after it take one pass over them, and so does a backward sweep: a row's entries are used once for the row and once,
   scattered, for the columns. Within the rows of a thread sweeps are Gauss-Seidel, between threads and ranks Jacobi:
   half the sum of the absolute entries that lead elsewhere is added to the diagonal, which keeps them convergent.
   Forwards on the way down and backwards on the way up a V-cycle is symmetric; the result does not depend on timing. */
#ifndef IREZONE_SOLVER_SMOOTHER_H
#define IREZONE_SOLVER_SMOOTHER_H

#include "matrix/tangent.h"

typedef struct {
  int32_t n;                ///< rows
  int n_threads;            ///< threads that share them
  const int32_t *row_start; ///< [n_threads + 1] their rows
  const PetscInt *ai, *aj;  ///< a thread's own block, in groups of four: see pattern.h
  const float *aa;
  const PetscInt *bi, *bj; ///< the others: columns of other threads and, from n on, ghosts; NULL: there are none
  const float *ba;
  float *inverse; ///< [n] 1 / (diagonal + extra)
  float *extra;   ///< [n] added to the diagonal
  float *sum;     ///< [n] scratch of a backward sweep; after it, what the sweep added to x
} IrzSmoother;

/// A smoother that borrows a tangent's rows and entries; nothing is allocated yet.
IrzSmoother irz_smoother_of(const IrzTangent *tangent);

/// Allocate. The arrays above `inverse` are borrowed and set by the caller.
IrzCode irz_smoother_create(IrzSmoother *smoother, IrzError *error);

/// Take the matrix's present values.
void irz_smoother_update(IrzSmoother *smoother);

/// x = (L + D + extra)^-1 b: a forward sweep from zero; and what it leaves, b - A x, but for the entries outside the
/// threads' own blocks.
/// @param[in]  b     [n]
/// @param[out] x     [n]
/// @param[out] rest  [n]
void irz_smoother_down(const IrzSmoother *smoother, const float *b, float *x, float *rest);

/// Take the entries outside the threads' own blocks off what irz_smoother_down() left.
/// @param[in]     x     [n], ghosts behind
/// @param[in,out] rest  [n]
void irz_smoother_outside(const IrzSmoother *smoother, const float *x, float *rest);

/// A backward sweep on A x = b.
/// @param[in]     b    [n]
/// @param[in]     old  [n], ghosts behind: x as it was, for columns of other threads and ranks; unused where there are
///                     none
/// @param[in,out] x    [n]
void irz_smoother_up(const IrzSmoother *smoother, const float *b, const float *old, float *x);

/// A x after a backward sweep. The sweep solves (D + extra + U) change = b - A old, so that A x is
/// b + (L - extra + what leads outside) change.
/// @param[in]  b       [n] as in the sweep
/// @param[in]  change  [n], ghosts behind: what the sweep added to x, its `sum`
/// @param[out] product [n]
void irz_smoother_product(const IrzSmoother *smoother, const double *b, const float *change, double *product);

void irz_smoother_clear(IrzSmoother *smoother);

#endif
