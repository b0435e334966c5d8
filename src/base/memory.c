#include "base/memory.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/// Size of a huge page.
#define HUGE_PAGE ((size_t)2 << 20)

/// Ask for huge pages where whole ones fit: a solve streams its matrix from memory, and with pages of 4 kB a twentieth
/// of its time went into finding and clearing them. The system may decline.
static void prefer_huge_pages(void *block, size_t bytes) {
  char *start = block;
  size_t skip = (HUGE_PAGE - (uintptr_t)block % HUGE_PAGE) % HUGE_PAGE;
  if (bytes < 2 * HUGE_PAGE) return;
  (void)madvise(start + skip, (bytes - skip) / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
}

/* The pointer is passed as void * because void ** would not accept a double **; memcpy keeps that within the rules. */

/// Take over a new block, or say that there is none.
static IrzCode finish(void *pointer, void *block, size_t count, size_t size, IrzError *error) {
  memcpy(pointer, &block, sizeof block);
  if (block != NULL) {
    prefer_huge_pages(block, count * size);
    return IRZ_OK;
  }
  return irz_error_set(error, IRZ_ERR_SOLVER, "out of memory: %.1f MB more are needed",
                       (double)count * (double)size / 1e6);
}

IrzCode irz_alloc(void *pointer, size_t count, size_t size, IrzError *error) {
  return finish(pointer, calloc(count > 0 ? count : 1, size), count, size, error);
}

IrzCode irz_alloc_unset(void *pointer, size_t count, size_t size, IrzError *error) {
  void *block = NULL;
  if (size == 0 || count <= SIZE_MAX / size) block = malloc(count * size > 0 ? count * size : 1);
  return finish(pointer, block, count, size, error);
}

IrzCode irz_resize(void *pointer, size_t count, size_t size, IrzError *error) {
  void *old;
  memcpy(&old, pointer, sizeof old);
  void *block = NULL;
  if (size == 0 || count <= SIZE_MAX / size) block = realloc(old, count * size > 0 ? count * size : 1);
  if (block == NULL) {
    return irz_error_set(error, IRZ_ERR_SOLVER, "out of memory: %.1f MB more are needed",
                         (double)count * (double)size / 1e6);
  }
  prefer_huge_pages(block, count * size);
  memcpy(pointer, &block, sizeof block);
  return IRZ_OK;
}
