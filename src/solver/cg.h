/* Conjugate gradients for order 2: a KSP that knows its preconditioner, the V-cycle of multigrid.h.

   What the cycle's last sweep leaves gives the matrix's product with its result for half the work of a product. The
   norm is the natural one; before a cycle is spent on it, the norm is guessed from how the residual, scaled by the
   matrix's diagonal, has fallen, and if the guess is enough the solve ends. */
#ifndef IREZONE_SOLVER_CG_H
#define IREZONE_SOLVER_CG_H

#include "solver/multigrid.h"

#define IRZ_CG "irezone-cg"

/// Make KSPSetType() know IRZ_CG. A solver of this type must have the preconditioner of irz_multigrid_install(); it
/// starts from zero. Options, monitors and tests of convergence work as for PETSc's own.
PetscErrorCode irz_cg_register(void);

#endif
