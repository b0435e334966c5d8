/* What every public function does first and last: it starts with a fresh error, and in the C locale, in which numbers
   are written and read as plans, tables and summaries need them whatever the host has set; and with floating-point
   arithmetic as C begins with, whatever rounding, flushing or traps the host has set.

   Gmsh, PETSc and HDF5 know one caller a process. So one thread at a time is inside those functions that need them,
   and others wait at the door; they do not keep a thread from reading plans. Functions of the host's are called from
   outside the door. Threads that the library starts itself, OpenMP's among them, belong to the one inside. */
#ifndef IREZONE_BASE_ENTRY_H
#define IREZONE_BASE_ENTRY_H

#include <fenv.h>
#include <irezone/error.h>
#include <locale.h>
#include <stdbool.h>

/// A thread's way into the library, or back to its host.
typedef struct {
  locale_t before; ///< locale of the thread before
  int depth;       ///< entries that it was inside of before
  int locks;       ///< times that it had locked the door
  bool opens;      ///< leaving unlocks the door once
  fenv_t arithmetic;
} IrzEntry;

/// Enter the library: the thread's locale becomes the C locale, and if it was outside before, the error is cleared.
/// A public function that is called from inside leaves the error as it is: the caller may hold one.
/// @param[in,out] error  may be NULL
/// @param[in]     alone  wait until no other thread is inside, and keep others out
IrzEntry irz_enter(IrzError *error, bool alone);

/// Give the host its locale back, for a call of one of its functions; the host may call the library from there.
IrzEntry irz_step_out(void);

/// End either.
void irz_leave(const IrzEntry *entry);

/// The C locale.
locale_t irz_c_locale(void);

/// First line of a public function that reports errors: enters, and leaves on every return. `error` is the function's
/// parameter; where it is NULL it gets a place of its own, so that all below can look at its code.
#define IRZ_ENTER(error) IRZ_ENTER_(error, false)

/// The same for a function that needs Gmsh, PETSc or HDF5.
#define IRZ_ENTER_ALONE(error) IRZ_ENTER_(error, true)

#define IRZ_ENTER_(error, alone)                                                                                       \
  IrzError irz_spare_error_;                                                                                           \
  if ((error) == NULL) {                                                                                               \
    irz_spare_error_.code = IRZ_OK;                                                                                    \
    irz_spare_error_.text[0] = '\0';                                                                                   \
    (error) = &irz_spare_error_;                                                                                       \
  }                                                                                                                    \
  __attribute__((cleanup(irz_leave), unused)) const IrzEntry irz_entry_ = irz_enter(error, alone)

/// Refuse arguments that the function cannot work with; behind IRZ_ENTER().
#define IRZ_NEED(condition)                                                                                            \
  if (!(condition)) return irz_error_set(error, IRZ_ERR_PLAN, "%s() needs %s", __func__, #condition)

/// First line of one that reports none but prints or reads numbers, and of a thread that the library starts.
#define IRZ_ENTER_QUIETLY __attribute__((cleanup(irz_leave), unused)) const IrzEntry irz_entry_ = irz_enter(NULL, false)

/// The same for a function that needs Gmsh, PETSc or HDF5.
#define IRZ_ENTER_ALONE_QUIETLY                                                                                        \
  __attribute__((cleanup(irz_leave), unused)) const IrzEntry irz_entry_ = irz_enter(NULL, true)

/// Around the call of a function of the host's, until the end of the block.
#define IRZ_STEP_OUT __attribute__((cleanup(irz_leave), unused)) const IrzEntry irz_outside_ = irz_step_out()

#endif
