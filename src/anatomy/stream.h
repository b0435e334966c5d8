/* The bytes of an image's voxels, as they are or compressed. */
#ifndef IREZONE_ANATOMY_STREAM_H
#define IREZONE_ANATOMY_STREAM_H

#include <bzlib.h>
#include <irezone/error.h>
#include <stdbool.h>
#include <sys/types.h>
#include <zlib.h>

/// How bytes are stored.
typedef enum { IRZ_STREAM_PLAIN, IRZ_STREAM_GZIP, IRZ_STREAM_BZIP2 } IrzStreamKind;

/// A stream that is read from its first byte to its last.
typedef struct {
  const char *path; ///< for errors
  int descriptor;
  off_t at; ///< of the next bytes in the file
  IrzStreamKind kind;
  unsigned char *piece;   ///< compressed bytes
  size_t n_piece, used;   ///< how many there are, and how many of them have been taken
  bool file_ended, ended; ///< nothing more in the file; the compressed data have ended and their checksum is right
  bool started;           ///< z or b must be ended
  z_stream z;
  bz_stream b;
} IrzStream;

/// Begin to read a file at a place.
/// @param[out] stream  to be closed, also on failure; the descriptor is not
IrzCode irz_stream_open(const char *path, int descriptor, off_t at, IrzStreamKind kind, IrzStream *stream,
                        IrzError *error);

/// Read bytes, or say why there are not so many.
IrzCode irz_stream_read(IrzStream *stream, void *to, size_t size, IrzError *error);

/// Read as many bytes as there are, up to some.
IrzCode irz_stream_some(IrzStream *stream, void *to, size_t size, size_t *got, IrzError *error);

/// After the last byte that is wanted: whether the compressed data end as they should.
IrzCode irz_stream_end(IrzStream *stream, IrzError *error);

void irz_stream_close(IrzStream *stream);

#endif
