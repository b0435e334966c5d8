/* The reader of NRRD images and of Slicer's segmentations. Of bytes behind a leading Z or B, what follows the first
 * empty line is compressed as gzip or bzip2 first, so that what is inside is reached. */
#define _GNU_SOURCE /* memmem */
#include "fuzz.h"
#include <bzlib.h>
#include <irezone/anatomy.h>
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
  char path[512], text[2048];
  size_t room = 2 * size + 4096, written = 0;
  uint8_t *packed = malloc(room);
  fuzz_require(packed != NULL);
  if (size > 0 && (data[0] == 'Z' || data[0] == 'B')) written = compress_data(data, size, packed, room);
  if (written > 0)
    fuzz_write("labels.nrrd", packed, written, path);
  else
    fuzz_write("labels.nrrd", data, size, path);
  free(packed);
  snprintf(
      text, sizeof text,
      "name: fuzz\n"
      "array: {count: 2, spacing: 15, exposure: 20}\n"
      "anatomy: {labels: %s, map: {1: tumour, 2: vessel, liver: bone}}\n"
      "tissues: {default: {preset: liver}, tumour: {preset: liver}, vessel: {preset: liver}, bone: {preset: liver}}\n"
      "pulses: [{from: A, to: B, voltage: 2000}]\n",
      path);
  for (int named = 0; named < 2; named++) { /* with a label by its name, and without */
    IrzPlan *plan = NULL;
    IrzLabelMap *map = NULL;
    IrzError error = {0};
    static const IrzOverride numbers[] = {{"anatomy.map={1: tumour, 2: vessel, 255: bone}"}};
    fuzz_require(irz_plan_parse(text, "fuzz.yaml", 1 - named, numbers, &plan, &error) == IRZ_OK);
    IrzCode code = irz_label_map_read(plan, &map, &error);
    fuzz_require((code == IRZ_OK) == (map != NULL));
    if (code != IRZ_OK) fuzz_require_error(code, &error);
    for (int i = 0; map != NULL && i < 27; i++) {
      const double x[3] = {0.01 * (i % 3 - 1), 0.01 * (i / 3 % 3 - 1), 0.01 * (i / 9 - 1)};
      int region = irz_label_map_region(map, x);
      fuzz_require(region >= 0 && region < map->n_regions);
    }
    irz_label_map_free(map);
    irz_plan_free(plan);
  }
}
