/* A gzip member that several threads compress. */
#ifndef IREZONE_ANATOMY_GZIP_WRITE_H
#define IREZONE_ANATOMY_GZIP_WRITE_H

#include <irezone/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/// Bytes that are compressed on their own: a multiple of all sizes of numbers.
#define IRZ_GZIP_PIECE 262144

/// What is to be compressed.
typedef struct {
  const void *head; ///< bytes that come first, no more than IRZ_GZIP_PIECE; may be NULL
  size_t n_head;
  uint64_t size; ///< bytes after them
  /// Make some of them, from one of them on: no more than IRZ_GZIP_PIECE. Called by several threads at once.
  /// @return false: they are all zero, and nothing was put there
  bool (*make)(const void *context, uint64_t from, size_t n, unsigned char *bytes);
  const void *context;
} IrzGzipSource;

/// Write a gzip member without name and time. What is written depends on the source alone, not on the threads. Pieces
/// are independent of each other, and zeros are compressed once: most of an image around a zone is empty.
/// @return IRZ_OK or IRZ_ERR_MEMORY; what becomes of the stream its owner finds out
IrzCode irz_gzip_write(FILE *out, const IrzGzipSource *source, int threads, IrzError *error);

#endif
