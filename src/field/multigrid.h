/* p-multigrid: one Gauss-Seidel sweep on order 2, order 1 below it, algebraic multigrid there. A PETSc preconditioner.
 */
#ifndef IREZONE_FIELD_MULTIGRID_H
#define IREZONE_FIELD_MULTIGRID_H

#include "field/amg.h"
#include <petscksp.h>

typedef struct IrzMultigrid IrzMultigrid;

/// Build the transfer between two spaces on one part.
/// @param[in]  fine    matrix of order 2
/// @param[in]  coarse  matrix of order 1
/// @param[in]  solver  preconditioner for the coarse matrix, set up by its owner; borrowed. NULL: amg
/// @param[in]  amg     our own, set up by its owner; borrowed
IrzCode irz_multigrid_create(const IrzTangent *fine, const IrzTangent *coarse, PC solver, const IrzAmg *amg,
                             IrzMultigrid **multigrid, IrzError *error);

/// Carry values from order 1 to order 2.
/// @param[in]  coarse  [n_local of order 1], ghosts up to date
/// @param[out] fine    [n_local of order 2]
void irz_multigrid_prolong(const IrzMultigrid *multigrid, const double *coarse, double *fine);

/// Make `pc` apply one V-cycle.
PetscErrorCode irz_multigrid_install(IrzMultigrid *multigrid, PC pc);

void irz_multigrid_free(IrzMultigrid *multigrid);

#endif
