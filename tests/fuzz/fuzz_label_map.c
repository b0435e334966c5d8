/* The reader of label maps. Bytes behind a leading Z are compressed first, so that what is inside is reached; others
 * are the file as it is, compressed or not. */
#include "fuzz_map.h"
#include <string.h>
#include <zlib.h>

/// Write the bytes as a compressed file.
static void write_compressed(const char *name, const uint8_t *data, size_t size, char path[512]) {
  snprintf(path, 512, "%s/%s", fuzz_folder(), name);
  gzFile file = gzopen(path, "wb1");
  fuzz_require(file != NULL && (size == 0 || gzwrite(file, data, (unsigned)size) == (int)size));
  fuzz_require(gzclose(file) == Z_OK);
}

void fuzz_one(const uint8_t *data, size_t size) {
  char path[512];
  if (size > 0 && data[0] == 'Z')
    write_compressed("labels.nii.gz", data + 1, size - 1, path);
  else
    fuzz_write("labels.nii", data, size, path);
  fuzz_map(path, "{1: tumour, 2: vessel, 255: bone}");
}
