/* Checks of what functions hand on to each other, in debug and sanitizer builds. */
#ifndef IREZONE_BASE_VALID_H
#define IREZONE_BASE_VALID_H

#include <irezone/error.h>
#include <stdbool.h>

/// End the process if an object is not what its type promises: `IRZ_ASSERT_VALID(irz_mesh_is_valid, mesh)`. The checker
/// returns whether it is, and puts into an IrzError what is wrong. Nothing in builds with NDEBUG, as Release is one.
#ifdef NDEBUG
#define IRZ_ASSERT_VALID(is_valid, object) ((void)(object))
#else
#define IRZ_ASSERT_VALID(is_valid, object)                                                                             \
  do {                                                                                                                 \
    IrzError irz_fault_ = {0};                                                                                         \
    if (!(is_valid)(object, &irz_fault_)) irz_invalid(#object, &irz_fault_, __FILE__, __LINE__);                       \
  } while (0)
#endif

/// Say what is wrong, on the standard error, and abort: a fault of irezone's own that must not go on.
_Noreturn void irz_invalid(const char *object, const IrzError *fault, const char *file, int line);

/// Note what is wrong with an object.
/// @return false
#define IRZ_INVALID(fault, ...) (irz_error_set(fault, IRZ_ERR_INPUT, __VA_ARGS__), false)

#endif
