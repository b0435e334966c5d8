/* Allocation that reports instead of crashing. */
#ifndef IREZONE_BASE_MEMORY_H
#define IREZONE_BASE_MEMORY_H

#include <irezone/error.h>
#include <stddef.h>

/// Allocate `count` zeroed items of `size` bytes; never returns a zero-length NULL.
/// @param[out] pointer  address of the pointer to set; set to NULL on failure
/// @return IRZ_OK, or IRZ_ERR_SOLVER with a line that says how much was asked for
IrzCode irz_alloc(void *pointer, size_t count, size_t size, IrzError *error);

/// The same with undefined contents, for arrays that are written as a whole: clearing a large one takes as long as
/// filling it.
IrzCode irz_alloc_unset(void *pointer, size_t count, size_t size, IrzError *error);

/// Resize; contents are kept, new space is not zeroed. On failure the old block stays.
IrzCode irz_resize(void *pointer, size_t count, size_t size, IrzError *error);

#endif
