/* The reader of NRRD images and of Slicer's segmentations. Of bytes behind a leading Z or B, what follows the first
 * empty line is compressed as gzip or bzip2 first, so that what is inside is reached. */
#define _GNU_SOURCE /* memmem */
#include "fuzz_map.h"
#include <bzlib.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/// Compress what follows the header.
/// @return the size of all; 0: there is no header
static size_t compress_data(const uint8_t *data, size_t size, uint8_t *to, size_t room) {
  const uint8_t *end = memmem(data + 1, size - 1, "\n\n", 2);
  if (end == NULL) return 0;
  size_t header = (size_t)(end - data) + 1, left = size - header - 1;
  memcpy(to, data + 1, header);
  if (data[0] == 'B') {
    unsigned length = (unsigned)(room - header);
    int code = BZ2_bzBuffToBuffCompress((char *)to + header, &length, (char *)(size_t)(data + 1 + header),
                                        (unsigned)left, 1, 0, 0);
    fuzz_require(code == BZ_OK);
    return header + length;
  }
  z_stream z = {.next_in = (uint8_t *)(size_t)(data + 1 + header), .avail_in = (unsigned)left};
  fuzz_require(deflateInit2(&z, 1, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  z.next_out = to + header;
  z.avail_out = (unsigned)(room - header);
  fuzz_require(deflate(&z, Z_FINISH) == Z_STREAM_END);
  size_t written = room - z.avail_out;
  deflateEnd(&z);
  return written;
}

void fuzz_one(const uint8_t *data, size_t size) {
  char path[512];
  size_t room = 2 * size + 4096, written = 0;
  uint8_t *packed = malloc(room);
  fuzz_require(packed != NULL);
  if (size > 0 && (data[0] == 'Z' || data[0] == 'B')) written = compress_data(data, size, packed, room);
  if (written > 0)
    fuzz_write("labels.nrrd", packed, written, path);
  else
    fuzz_write("labels.nrrd", data, size, path);
  free(packed);
  fuzz_map(path, "{1: tumour, 2: vessel, liver: bone}"); /* with a label by its name, and without */
  fuzz_map(path, "{1: tumour, 2: vessel, 255: bone}");
}
