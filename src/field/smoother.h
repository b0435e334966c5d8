/* Gauss-Seidel sweeps on a symmetric matrix in rows, in single precision: a preconditioner needs no more.

   Within the rows of a thread they are Gauss-Seidel, between threads and ranks Jacobi: half the sum of the absolute
   entries that lead elsewhere is added to the diagonal, which keeps the sweeps convergent. Forwards on the way down and
   backwards on the way up a V-cycle is symmetric; the result does not depend on timing. */
#ifndef IREZONE_FIELD_SMOOTHER_H
#define IREZONE_FIELD_SMOOTHER_H

#include "field/tangent.h"

typedef struct {
  int32_t n;                        ///< rows
  int n_threads;                    ///< threads that share them
  const int32_t *row_start;         ///< [n_threads + 1] their rows
  const PetscInt *ai, *middle, *aj; ///< entries in a thread's own rows, in groups of four: see pattern.h
  const float *aa;
  const PetscInt *bi, *bj; ///< the others: columns of other threads and, from n on, ghosts; NULL: there are none
  const float *ba;
  float *inverse; ///< [n] 1 / (diagonal + extra)
  float *extra;   ///< [n] added to the diagonal
} IrzSmoother;

/// A smoother that borrows a tangent's rows and entries; nothing is allocated yet.
IrzSmoother irz_smoother_of(const IrzTangent *tangent);

/// Allocate. The arrays above `inverse` are borrowed and set by the caller.
IrzCode irz_smoother_create(IrzSmoother *smoother, IrzError *error);

/// Take the matrix's present values.
void irz_smoother_update(IrzSmoother *smoother);

/// x = (L + D + extra)^-1 b: a forward sweep from zero.
/// @param[in]  b  [n]
/// @param[out] x  [n]
void irz_smoother_down(const IrzSmoother *smoother, const float *b, float *x);

/// rest = b - A x after irz_smoother_down(), for which (L + D + extra) x = b: only the other entries are left.
/// @param[in]  x     [n], ghosts behind
/// @param[out] rest  [n]
void irz_smoother_rest(const IrzSmoother *smoother, const float *x, float *rest);

/// A backward sweep on A x = b.
/// @param[in]     b    [n]
/// @param[in]     old  [n], ghosts behind: x as it was, for columns of other threads and ranks; unused where there are
///                     none
/// @param[in,out] x    [n]
void irz_smoother_up(const IrzSmoother *smoother, const float *b, const float *old, float *x);

void irz_smoother_clear(IrzSmoother *smoother);

#endif
