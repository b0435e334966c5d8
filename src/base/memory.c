#include "base/memory.h"
#include <stdbool.h>
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

IrzCode irz_out_of_memory(size_t bytes, IrzError *error) {
  if (bytes == 0) return irz_error_set(error, IRZ_ERR_MEMORY, "out of memory");
  if (bytes < 100000) return irz_error_set(error, IRZ_ERR_MEMORY, "out of memory: %zu bytes more are needed", bytes);
  return irz_error_set(error, IRZ_ERR_MEMORY, "out of memory: %.1f MB more are needed", (double)bytes / 1e6);
}

/// Bytes of `count` items, or the most that can be said.
static size_t product(size_t count, size_t size) {
  return size == 0 || count <= SIZE_MAX / size ? count * size : SIZE_MAX;
}

/* The pointer is passed as void * because void ** would not accept a double **; memcpy keeps that within the rules. */

/// Take over a new block, or say that there is none.
static IrzCode finish(void *pointer, void *block, size_t count, size_t size, IrzError *error) {
  memcpy(pointer, &block, sizeof block);
  if (block != NULL) {
    prefer_huge_pages(block, count * size);
    return IRZ_OK;
  }
  return irz_out_of_memory(product(count, size), error);
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
  if (block == NULL) return irz_out_of_memory(product(count, size), error);
  prefer_huge_pages(block, count * size);
  memcpy(pointer, &block, sizeof block);
  return IRZ_OK;
}

IrzCode irz_text_begin(IrzText *text, IrzError *error) {
  *text = (IrzText){0};
  text->out = open_memstream(&text->text, &text->size);
  return text->out != NULL ? IRZ_OK : irz_out_of_memory(0, error);
}

IrzCode irz_text_end(IrzText *text, char **result, IrzError *error) {
  /* A stream whose memory cannot grow drops what is printed, and only its flag tells. */
  bool whole = ferror(text->out) == 0;
  size_t size = text->size;
  whole = fclose(text->out) == 0 && whole;
  *result = text->text;
  text->out = NULL;
  if (whole && *result != NULL) return IRZ_OK;
  free(*result);
  *result = NULL;
  return irz_out_of_memory(size, error);
}
