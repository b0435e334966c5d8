#include "base/memory.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The pointer is passed as void * because void ** would not accept a double **; memcpy keeps that within the rules. */

IrzCode irz_alloc(void *pointer, size_t count, size_t size, IrzError *error) {
  void *block = calloc(count > 0 ? count : 1, size);
  memcpy(pointer, &block, sizeof block);
  if (block != NULL) return IRZ_OK;
  return irz_error_set(error, IRZ_ERR_SOLVER, "out of memory: %.1f MB more are needed",
                       (double)count * (double)size / 1e6);
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
  memcpy(pointer, &block, sizeof block);
  return IRZ_OK;
}
