/* PETSc inside the library: its error codes become one line of ours. */
#ifndef IREZONE_BASE_PETSC_H
#define IREZONE_BASE_PETSC_H

#include <errno.h>
#include <irezone/error.h>
#include <petscsys.h>

/// Turn a PETSc error code into an IrzError that names the call.
/// @return IRZ_OK if `code` is 0, IRZ_ERR_MEMORY if memory has run out, else IRZ_ERR_SOLVER
static inline IrzCode irz_petsc(PetscErrorCode code, const char *call, IrzError *error) {
  if (code == 0) return IRZ_OK;
  /* PETSc 3.18 confuses its code for that with the number of a line. */
  if (code == PETSC_ERR_MEM || errno == ENOMEM) {
    return irz_error_set(error, IRZ_ERR_MEMORY, "out of memory: in %s", call);
  }
  const char *text = NULL;
  PetscErrorMessage(code, &text, NULL);
  if (text == NULL) return irz_error_set(error, IRZ_ERR_SOLVER, "%s: error %d of PETSc", call, (int)code);
  return irz_error_set(error, IRZ_ERR_SOLVER, "%s: %s", call, text);
}

/// Return from the calling function if a PETSc call fails; an `IrzError *error` must be in scope.
#define IRZ_PETSC(call) IRZ_TRY(irz_petsc((errno = 0, (call)), #call, error))

#endif
