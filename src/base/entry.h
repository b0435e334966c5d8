/* What every public function does first and last: it starts with a fresh error, and in the C locale, in which numbers
   are written and read as plans, tables and summaries need them whatever the host has set. */
#ifndef IREZONE_BASE_ENTRY_H
#define IREZONE_BASE_ENTRY_H

#include <irezone/error.h>
#include <locale.h>

/// A thread's way into the library, or back to its host.
typedef struct {
  locale_t before; ///< locale of the thread before
  int depth;       ///< entries that it was inside of before
} IrzEntry;

/// Enter the library: the thread's locale becomes the C locale, and if it was outside before, the error is cleared.
/// A public function that is called from inside leaves the error as it is: the caller may hold one.
/// @param[in,out] error  may be NULL
IrzEntry irz_enter(IrzError *error);

/// Give the host its locale back, for a call of one of its functions; the host may call the library from there.
IrzEntry irz_step_out(void);

/// End either.
void irz_leave(const IrzEntry *entry);

/// The C locale.
locale_t irz_c_locale(void);

/// First line of a public function that reports errors: enters, and leaves on every return. `error` is the function's
/// parameter; where it is NULL it gets a place of its own, so that all below can look at its code.
#define IRZ_ENTER(error)                                                                                               \
  IrzError irz_spare_error_;                                                                                           \
  if ((error) == NULL) {                                                                                               \
    irz_spare_error_.code = IRZ_OK;                                                                                    \
    irz_spare_error_.text[0] = '\0';                                                                                   \
    (error) = &irz_spare_error_;                                                                                       \
  }                                                                                                                    \
  __attribute__((cleanup(irz_leave))) const IrzEntry irz_entry_ = irz_enter(error)

/// Refuse arguments that the function cannot work with; behind IRZ_ENTER().
#define IRZ_NEED(condition)                                                                                            \
  if (!(condition)) return irz_error_set(error, IRZ_ERR_PLAN, "%s() needs %s", __func__, #condition)

/// First line of one that reports none but prints or reads numbers, and of a thread that the library starts.
#define IRZ_ENTER_QUIETLY __attribute__((cleanup(irz_leave))) const IrzEntry irz_entry_ = irz_enter(NULL)

/// Around the call of a function of the host's, until the end of the block.
#define IRZ_STEP_OUT __attribute__((cleanup(irz_leave))) const IrzEntry irz_outside_ = irz_step_out()

#endif
