/* Algebraic multigrid by smoothed aggregation for the matrix of order 1 on one rank: a PETSc preconditioner.

   Aggregates after Vanek, Mandel and Brezina, Computing 56 (1996) 179. They and the interpolation are chosen once for
   the electrodes that are fixed; later tangents only pass through them. Between several ranks PETSc's own multigrid is
   used instead. */
#ifndef IREZONE_FIELD_AMG_H
#define IREZONE_FIELD_AMG_H

#include "field/tangent.h"
#include <petscpc.h>

typedef struct IrzAmg IrzAmg;

/// Prepare; the levels come with irz_amg_build().
/// @param[in] matrix  on one rank; borrowed
IrzCode irz_amg_create(const IrzTangent *matrix, IrzAmg **amg, IrzError *error);

/// Choose aggregates and interpolation for the matrix's present values, and form the coarse matrices.
IrzCode irz_amg_build(IrzAmg *amg, IrzError *error);

/// Form the coarse matrices from the matrix's present values with the interpolation there is.
IrzCode irz_amg_update(IrzAmg *amg, IrzError *error);

/// Smooth the finest level with the matrix's present values; needed whenever they changed.
void irz_amg_smooth(IrzAmg *amg);

/// One V-cycle from zero.
/// @param[in]  b  [unknowns]
/// @param[out] x  [unknowns]; may be `b`
void irz_amg_apply(const IrzAmg *amg, const float *b, float *x);

/// Make `pc` apply one V-cycle.
PetscErrorCode irz_amg_install(IrzAmg *amg, PC pc);

void irz_amg_free(IrzAmg *amg);

#endif
