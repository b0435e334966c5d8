/* One implicit step of the heat equation: (s M + K) w = b by conjugate gradients, with a symmetric Gauss-Seidel sweep
   in single precision as the preconditioner.

   The mass keeps the matrix well conditioned, so no coarse level is needed: a few sweeps do. */
#ifndef IREZONE_HEAT_IMPLICIT_H
#define IREZONE_HEAT_IMPLICIT_H

#include "heat/thermal.h"

typedef struct {
  const IrzThermal *thermal;
  double enough;     ///< of irz_implicit_create()
  double shift;      ///< s of `system` as it is, 1/s; 0: none yet
  IrzTangent system; ///< s M + K = L + its diagonal + U + what leads to other ranks; the pattern is the thermal's
  float *diagonal;   ///< [n_owned] D: with `extra`
  float *extra;      ///< [n_owned] half the sum of the absolute entries that lead to other ranks, as in smoother.h
  float *inverse;    ///< [n_owned] of D
  double *right;     ///< [n_owned] b, W
  double *rest;      ///< [n_owned] (L + D)^-1 of the residual, K
  double *step;      ///< [n_owned] direction, W
  double *sum;       ///< [n_owned] scratch
  double *owed;      ///< [n_owned] J, that the last solve has left out: the next step makes up for it
  float *b, *down;   ///< [n_owned] right-hand side and solution with L + D
  float *later, *up; ///< [n_owned], [n_local] scratch and solution with D + U
} IrzImplicit;

/// Allocate. Local.
/// @param[in] enough  a solve ends when the norm of what is left is this small against that of a step without any
/// change;
///                    what is left is not lost: it is put into the next step, so that errors do not add up
IrzCode irz_implicit_create(const IrzThermal *thermal, double enough, IrzImplicit *implicit, IrzError *error);

/// Go on by `length` seconds: M dT/dt + K T = f by the theta rule, theta 1/2 (trapezoidal) or 1 (implicit Euler).
/// Collective.
/// @param[in]     theta        of the rule
/// @param[in]     load         [n_owned] f, W, 0 at fixed unknowns
/// @param[in,out] temperature  [n_local] K above body temperature; ghosts are up to date, before and after
/// @param[in,out] change       [n_local] in: a guess of what the step will change, K; out: what it changed
/// @param[in,out] iterations   steps of the linear solver are added
/// @return IRZ_OK or IRZ_ERR_SOLVER, the same on all ranks
IrzCode irz_implicit_step(IrzImplicit *implicit, double theta, double length, const double *load, double *temperature,
                          double *change, int *iterations, IrzError *error);

void irz_implicit_clear(IrzImplicit *implicit);

#endif
