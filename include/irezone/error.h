/// @file
/// Errors: one code and one line of text, passed upwards, never printed by the library.
#ifndef IREZONE_ERROR_H
#define IREZONE_ERROR_H

/* C++ programs get the C interface only: the old C++ bindings need a library of their own when linking. */
#ifndef OMPI_SKIP_MPICXX
#define OMPI_SKIP_MPICXX 1
#endif
#ifndef MPICH_SKIP_MPICXX
#define MPICH_SKIP_MPICXX 1
#endif
#include <irezone/api.h>
#include <mpi.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What went wrong; the values are the exit codes of the program.
typedef enum {
  IRZ_OK = 0,            ///< done
  IRZ_ERR_PLAN = 2,      ///< usage, plan or sweep file
  IRZ_ERR_INPUT = 3,     ///< mesh, label map or another input file
  IRZ_ERR_SOLVER = 4,    ///< the solver did not converge
  IRZ_ERR_OUTPUT = 5,    ///< a result could not be written
  IRZ_ERR_MEMORY = 6,    ///< out of memory
  IRZ_ERR_CANCELLED = 7, ///< stopped by the caller's progress function
  IRZ_ERR_STOPPED = 75   ///< stopped by a signal; can be resumed
} IrzCode;

/// Longest error text, with its terminating zero.
#define IRZ_ERROR_TEXT 1024

/// An error. Set it to `{0}` before the first call.
typedef struct {
  IrzCode code;
  char text[IRZ_ERROR_TEXT]; ///< one line without a newline: "file:line: key: what is wrong and what is allowed"
} IrzError;

#if defined(__GNUC__)
#define IRZ_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define IRZ_PRINTF(text, first)
#endif

/// Record an error. Control characters in the text are replaced, so that it stays one line.
/// @param[out] error   where to record it; may be NULL
/// @param[in]  code    what went wrong
/// @param[in]  format  text in printf's notation
/// @return `code`, so that a caller can write `return irz_error_set(...)`
IRZ_API IrzCode irz_error_set(IrzError *error, IrzCode code, const char *format, ...) IRZ_PRINTF(3, 4);
#ifdef __clang_analyzer__ /* let it see that the result is `code`: after an error nothing goes on */
#define irz_error_set(error, code, ...) (irz_error_set(error, code, __VA_ARGS__), (code))
#endif

/// Let all ranks agree: every rank leaves with the error of the lowest rank that has one. Collective.
/// @param[in]     comm   communicator
/// @param[in,out] error  this rank's error on entry, the common one on return
/// @return the common code
IRZ_API IrzCode irz_error_agree(MPI_Comm comm, IrzError *error);

/// Return from the calling function if `call` fails. `call` has already recorded its error.
#define IRZ_TRY(call)                                                                                                  \
  do {                                                                                                                 \
    IrzCode irz_try_code_ = (call);                                                                                    \
    if (irz_try_code_ != IRZ_OK) return irz_try_code_;                                                                 \
  } while (0)

#ifdef __cplusplus
}
#endif
#endif
