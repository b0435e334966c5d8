/* Plain, gzip and bzip2 bytes from anywhere in a file; see stream.h. zlib's and bzip2's own files begin at the start of
   a file, and a NRRD header stands before. */
#include "anatomy/stream.h"
#include "base/memory.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE 65536
#define MOST_BEHIND 1048576 // bytes behind the last voxel that are read in order to reach the checksum

static IrzCode damaged(const IrzStream *stream, IrzError *error) {
  return irz_error_set(error, IRZ_ERR_INPUT, "%s: the compressed data are damaged", stream->path);
}

IrzCode irz_stream_open(const char *path, int descriptor, off_t at, IrzStreamKind kind, IrzStream *stream,
                        IrzError *error) {
  *stream = (IrzStream){.path = path, .descriptor = descriptor, .at = at, .kind = kind};
  IRZ_TRY(irz_alloc(&stream->piece, PIECE, 1, error));
  if (kind == IRZ_STREAM_PLAIN) return IRZ_OK;
  /* 32 + 15: gzip or zlib, whichever it is, with the largest window */
  int failed = kind == IRZ_STREAM_GZIP ? inflateInit2(&stream->z, 32 + 15) != Z_OK
                                       : BZ2_bzDecompressInit(&stream->b, 0, 0) != BZ_OK;
  if (failed) return irz_out_of_memory(0, error);
  stream->started = true;
  return IRZ_OK;
}

/// Have bytes of the file at hand.
static IrzCode fill(IrzStream *stream, IrzError *error) {
  if (stream->used < stream->n_piece || stream->file_ended) return IRZ_OK;
  ssize_t got = pread(stream->descriptor, stream->piece, PIECE, stream->at);
  if (got < 0) return irz_error_set(error, IRZ_ERR_INPUT, "%s: %s", stream->path, strerror(errno));
  stream->at += got;
  stream->n_piece = (size_t)got;
  stream->used = 0;
  stream->file_ended = got == 0;
  return IRZ_OK;
}

/// Expand bytes at hand.
static IrzCode expand_gzip(IrzStream *stream, unsigned char *to, size_t size, size_t *got, IrzError *error) {
  z_stream *z = &stream->z;
  z->next_in = stream->piece + stream->used;
  z->avail_in = (unsigned)(stream->n_piece - stream->used);
  z->next_out = to;
  z->avail_out = (unsigned)size;
  int code = inflate(z, Z_NO_FLUSH);
  stream->used = stream->n_piece - z->avail_in;
  *got = size - z->avail_out;
  if (code == Z_MEM_ERROR) return irz_out_of_memory(0, error);
  if (code == Z_STREAM_END) {
    /* Another member may follow, as several programs write it. */
    IRZ_TRY(fill(stream, error));
    bool more = stream->used < stream->n_piece && stream->piece[stream->used] == 0x1f;
    stream->ended = !more;
    return !more || inflateReset(z) == Z_OK ? IRZ_OK : damaged(stream, error);
  }
  return code == Z_OK || code == Z_BUF_ERROR ? IRZ_OK : damaged(stream, error);
}

static IrzCode expand_bzip2(IrzStream *stream, unsigned char *to, size_t size, size_t *got, IrzError *error) {
  bz_stream *b = &stream->b;
  b->next_in = (char *)stream->piece + stream->used;
  b->avail_in = (unsigned)(stream->n_piece - stream->used);
  b->next_out = (char *)to;
  b->avail_out = (unsigned)size;
  int code = BZ2_bzDecompress(b);
  stream->used = stream->n_piece - b->avail_in;
  *got = size - b->avail_out;
  if (code == BZ_MEM_ERROR) return irz_out_of_memory(0, error);
  stream->ended = code == BZ_STREAM_END;
  return code == BZ_OK || code == BZ_STREAM_END ? IRZ_OK : damaged(stream, error);
}

IrzCode irz_stream_some(IrzStream *stream, void *to, size_t size, size_t *got, IrzError *error) {
  *got = 0;
  while (*got < size && !stream->ended) {
    unsigned char *next = (unsigned char *)to + *got;
    size_t left = size - *got < PIECE ? size - *got : PIECE, now = 0, before = stream->used;
    IRZ_TRY(fill(stream, error));
    if (stream->kind == IRZ_STREAM_PLAIN) {
      now = stream->n_piece - stream->used < left ? stream->n_piece - stream->used : left;
      memcpy(next, stream->piece + stream->used, now);
      stream->used += now;
    } else if (stream->kind == IRZ_STREAM_GZIP) {
      IRZ_TRY(expand_gzip(stream, next, left, &now, error));
    } else {
      IRZ_TRY(expand_bzip2(stream, next, left, &now, error));
    }
    *got += now;
    if (now == 0 && stream->file_ended && before == stream->used) break;
  }
  return IRZ_OK;
}

IrzCode irz_stream_read(IrzStream *stream, void *to, size_t size, IrzError *error) {
  size_t got;
  IRZ_TRY(irz_stream_some(stream, to, size, &got, error));
  if (got == size) return IRZ_OK;
  return irz_error_set(error, IRZ_ERR_INPUT, "%s: the file is cut off: it ends before its last voxel", stream->path);
}

IrzCode irz_stream_end(IrzStream *stream, IrzError *error) {
  char rest[1024];
  size_t got = 1;
  if (stream->kind == IRZ_STREAM_PLAIN) return IRZ_OK; /* bytes after the image are no concern of ours */
  for (size_t all = 0; !stream->ended && got > 0 && all < MOST_BEHIND; all += got) {
    IRZ_TRY(irz_stream_some(stream, rest, sizeof rest, &got, error));
  }
  if (stream->ended || got > 0) return IRZ_OK;
  return irz_error_set(error, IRZ_ERR_INPUT, "%s: the file is cut off: its checksum is missing", stream->path);
}

void irz_stream_close(IrzStream *stream) {
  if (stream->started && stream->kind == IRZ_STREAM_GZIP) inflateEnd(&stream->z);
  if (stream->started && stream->kind == IRZ_STREAM_BZIP2) BZ2_bzDecompressEnd(&stream->b);
  stream->started = false;
  free(stream->piece);
  stream->piece = NULL;
}
