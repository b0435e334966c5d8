/* p-multigrid: one Gauss-Seidel sweep on order 2, order 1 below it, algebraic multigrid there. A PETSc preconditioner.
 */
#ifndef IREZONE_SOLVER_MULTIGRID_H
#define IREZONE_SOLVER_MULTIGRID_H

#include "solver/amg.h"
#include "solver/smoother.h"
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

/// One V-cycle: an approximate solution of A x = rest. Collective.
/// @param[in]  rest   [n_owned]
/// @param[out] found  [n_owned] x, until the next cycle
PetscErrorCode irz_multigrid_cycle(IrzMultigrid *multigrid, const double *rest, const float **found);

/// The matrix times what the last cycle found, from what its last sweep left. Collective.
/// @param[in]  rest     [n_owned] the same as the cycle's
/// @param[out] product  [n_owned]
PetscErrorCode irz_multigrid_product(IrzMultigrid *multigrid, const double *rest, double *product);

/// The smoother of order 2: the rows of each thread and their diagonal.
const IrzSmoother *irz_multigrid_smoother(const IrzMultigrid *multigrid);

/// Make `pc`, a PCSHELL from then on with the multigrid as its context, apply one V-cycle.
PetscErrorCode irz_multigrid_install(IrzMultigrid *multigrid, PC pc);

void irz_multigrid_free(IrzMultigrid *multigrid);

#endif
