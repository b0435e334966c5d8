/* Algebraic multigrid by smoothed aggregation for the matrix of order 1: a PETSc preconditioner.

   Aggregates (see aggregate.h) and the interpolation are chosen once for the electrodes that are fixed; later tangents
   only pass through them. The ranks divide the large levels as they divide the finest; the small ones every rank has
   whole, and all do the same work on them. */
#ifndef IREZONE_SOLVER_AMG_H
#define IREZONE_SOLVER_AMG_H

#include "matrix/tangent.h"
#include <petscpc.h>

typedef struct IrzAmg IrzAmg;

/// Prepare; the levels come with irz_amg_build().
/// @param[in] matrix  on one rank; borrowed
IrzCode irz_amg_create(const IrzTangent *matrix, IrzAmg **amg, IrzError *error);

/// Choose aggregates and interpolation for the matrix's present values, and form the coarse matrices.
/// Collective.
IrzCode irz_amg_build(IrzAmg *amg, IrzError *error);

/// Form the coarse matrices from the matrix's present values with the interpolation there is. Collective.
IrzCode irz_amg_update(IrzAmg *amg, IrzError *error);

/// Smooth the finest level with the matrix's present values; needed whenever they changed.
void irz_amg_smooth(IrzAmg *amg);

/// One V-cycle from zero. Collective.
/// @param[in]  b  [n_owned]
/// @param[out] x  [n_local], ghosts up to date; may be `b`
PetscErrorCode irz_amg_apply(const IrzAmg *amg, const float *b, float *x);

/// Make `pc` apply one V-cycle.
PetscErrorCode irz_amg_install(IrzAmg *amg, PC pc);

void irz_amg_free(IrzAmg *amg);

#endif
