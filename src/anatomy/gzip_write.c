#include "anatomy/gzip_write.h"
#include "base/memory.h"
#include "base/threads.h"
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/// Pieces that are compressed before they are written.
enum { AT_ONCE = 16 };

/// zlib's level; with it runs of equal bytes alone are looked for. A field of 14.3 MB, 2 MB of them not zero, comes to
/// 1.88 MB in 28 ms, with matches at level 1 to 1.94 in 50, at level 6 to 1.89 in 74; four layers of segments of 17.8
/// MB to 32 kB in 18 ms, at level 1 to 91 in 17, at level 6 to 24 in 46.
enum { LEVEL = 1 };

/// A piece on its way.
typedef struct {
  z_stream z;
  bool ready; ///< z must be ended
  unsigned char *raw, *packed;
  size_t n_raw, n_packed;
  uLong crc;
  bool zero;
} Piece;

/// The pieces, and one that is all zeros.
typedef struct {
  const IrzGzipSource *source;
  size_t bound; ///< bytes that a piece may come to
  Piece piece[AT_ONCE], zeros;
} Packer;

static bool prepare(Piece *piece, size_t bound, IrzError *error) {
  if (irz_alloc(&piece->raw, IRZ_GZIP_PIECE, 1, error) != IRZ_OK) return false;
  if (irz_alloc(&piece->packed, bound, 1, error) != IRZ_OK) return false;
  piece->ready = deflateInit2(&piece->z, LEVEL, Z_DEFLATED, -MAX_WBITS, 8, Z_RLE) == Z_OK;
  if (!piece->ready) irz_out_of_memory(0, error);
  return piece->ready;
}

static void clear(Piece *piece) {
  if (piece->ready) deflateEnd(&piece->z);
  free(piece->raw);
  free(piece->packed);
}

/// Compress a piece so that it needs nothing of those before it, and ends at a whole byte.
static void pack(Piece *piece, size_t bound) {
  deflateReset(&piece->z);
  piece->z.next_in = piece->raw;
  piece->z.avail_in = (uInt)piece->n_raw;
  piece->z.next_out = piece->packed;
  piece->z.avail_out = (uInt)bound;
  deflate(&piece->z, Z_FULL_FLUSH);
  piece->n_packed = bound - piece->z.avail_out;
  piece->crc = crc32_z(0, piece->raw, piece->n_raw);
}

/// Make and compress piece `i` of the source.
static void make(const Packer *packer, uint64_t i, Piece *piece) {
  const IrzGzipSource *source = packer->source;
  uint64_t from = i * IRZ_GZIP_PIECE, left = source->size - from;
  piece->n_raw = left < IRZ_GZIP_PIECE ? (size_t)left : IRZ_GZIP_PIECE;
  bool some = source->make(source->context, from, piece->n_raw, piece->raw);
  piece->zero = !some && piece->n_raw == IRZ_GZIP_PIECE;
  if (piece->zero) return;
  if (!some) memset(piece->raw, 0, piece->n_raw);
  pack(piece, packer->bound);
}

static void put_number(FILE *out, uLong number) {
  for (int k = 0; k < 4; k++) fputc((int)(number >> (8 * k) & 0xff), out);
}

/// Append a piece to the stream and to the checksum.
static uLong append(FILE *out, const Piece *piece, uLong crc) {
  fwrite(piece->packed, 1, piece->n_packed, out);
  return crc32_combine(crc, piece->crc, (z_off_t)piece->n_raw);
}

static void write_all(FILE *out, Packer *packer, int threads) {
  static const unsigned char begin[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
  const IrzGzipSource *source = packer->source;
  const uint64_t n = (source->size + IRZ_GZIP_PIECE - 1) / IRZ_GZIP_PIECE;
  uLong crc = 0;
  fwrite(begin, 1, sizeof begin, out);
  if (source->n_head > 0) {
    Piece *piece = &packer->piece[0];
    piece->n_raw = source->n_head;
    memcpy(piece->raw, source->head, source->n_head);
    pack(piece, packer->bound);
    crc = append(out, piece, crc);
  }
  for (uint64_t first = 0; first < n; first += AT_ONCE) {
    const int many = n - first < AT_ONCE ? (int)(n - first) : AT_ONCE;
#pragma omp parallel for num_threads(irz_threads(threads)) schedule(dynamic, 1)
    for (int k = 0; k < many; k++) make(packer, first + (uint64_t)k, &packer->piece[k]);
    for (int k = 0; k < many; k++) crc = append(out, packer->piece[k].zero ? &packer->zeros : &packer->piece[k], crc);
  }
  fwrite("\x03\x00", 1, 2, out); /* an empty last block */
  put_number(out, crc);
  put_number(out, (uLong)((source->n_head + source->size) & 0xffffffff));
}

IrzCode irz_gzip_write(FILE *out, const IrzGzipSource *source, int threads, IrzError *error) {
  Packer *packer;
  IRZ_TRY(irz_alloc(&packer, 1, sizeof *packer, error));
  packer->source = source;
  packer->bound = compressBound(IRZ_GZIP_PIECE) + 64;
  bool ready = prepare(&packer->zeros, packer->bound, error);
  for (int k = 0; ready && k < AT_ONCE; k++) ready = prepare(&packer->piece[k], packer->bound, error);
  if (ready) {
    packer->zeros.n_raw = IRZ_GZIP_PIECE;
    pack(&packer->zeros, packer->bound);
    write_all(out, packer, threads);
  }
  clear(&packer->zeros);
  for (int k = 0; k < AT_ONCE; k++) clear(&packer->piece[k]);
  free(packer);
  return ready ? IRZ_OK : IRZ_ERR_MEMORY;
}
