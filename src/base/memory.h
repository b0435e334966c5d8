/* Allocation that reports instead of crashing. */
#ifndef IREZONE_BASE_MEMORY_H
#define IREZONE_BASE_MEMORY_H

#include <irezone/error.h>
#include <stddef.h>
#include <stdio.h>

/// Say that memory has run out.
/// @param[in] bytes  how many were asked for; 0: not known
/// @return IRZ_ERR_MEMORY
IrzCode irz_out_of_memory(size_t bytes, IrzError *error);

/// Allocate `count` zeroed items of `size` bytes; never returns a zero-length NULL.
/// @param[out] pointer  address of the pointer to set; set to NULL on failure
/// @return IRZ_OK, or IRZ_ERR_MEMORY with a line that says how much was asked for
IrzCode irz_alloc(void *pointer, size_t count, size_t size, IrzError *error);

/// The same with undefined contents, for arrays that are written as a whole: clearing a large one takes as long as
/// filling it.
IrzCode irz_alloc_unset(void *pointer, size_t count, size_t size, IrzError *error);

/// Resize; contents are kept, new space is not zeroed. On failure the old block stays.
IrzCode irz_resize(void *pointer, size_t count, size_t size, IrzError *error);

/// A text that grows as it is printed.
typedef struct {
  FILE *out; ///< print here
  char *text;
  size_t size;
} IrzText;

/// Begin an empty text.
IrzCode irz_text_begin(IrzText *text, IrzError *error);

/// End it.
/// @param[out] result  the text, to be released with free(); NULL on failure
/// @return IRZ_OK, or IRZ_ERR_MEMORY if it did not fit into the memory
IrzCode irz_text_end(IrzText *text, char **result, IrzError *error);

#endif
