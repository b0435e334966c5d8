/* Small NRRD files for the tests, put together from the standard, without the code that reads them. */
#ifndef IREZONE_TESTS_NRRD_FILE_H
#define IREZONE_TESTS_NRRD_FILE_H

#include "nifti_file.h"
#include <bzlib.h>

/// Write a file of two parts: a text, and bytes.
static inline void write_parts(const char *path, const char *text, const void *bytes, size_t size) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
  if (size > 0) assert_int_equal(fwrite(bytes, 1, size, file), size);
  assert_int_equal(fclose(file), 0);
}

/// Compress as gzip does; returns the size.
static inline size_t gzip_bytes(const void *bytes, size_t size, unsigned char *to, size_t room) {
  z_stream z;
  memset(&z, 0, sizeof z);
  assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY), Z_OK);
  z.next_in = (unsigned char *)(size_t)bytes;
  z.avail_in = (unsigned)size;
  z.next_out = to;
  z.avail_out = (unsigned)room;
  assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
  deflateEnd(&z);
  return room - z.avail_out;
}

/// Compress as bzip2 does; returns the size.
static inline size_t bzip2_bytes(const void *bytes, size_t size, unsigned char *to, size_t room) {
  unsigned length = (unsigned)room;
  assert_int_equal(BZ2_bzBuffToBuffCompress((char *)to, &length, (char *)(size_t)bytes, (unsigned)size, 9, 0, 0),
                   BZ_OK);
  return length;
}

/// Read the label map of a plan in YAML.
static inline IrzCode read_plan_map(const char *text, IrzPlan **plan, IrzLabelMap **map, IrzError *error) {
  memset(error, 0, sizeof *error);
  *map = NULL;
  IrzCode code = irz_plan_parse(text, "plan.yaml", 0, NULL, plan, error);
  return code == IRZ_OK ? irz_label_map_read(*plan, map, error) : code;
}

/// Whether one of a plan's warnings has a text in it.
static inline bool warned(const IrzPlan *plan, const char *text) {
  for (int w = 0; w < irz_plan_n_warnings(plan); w++) {
    if (strstr(irz_plan_warning(plan, w), text) != NULL) return true;
  }
  return false;
}

#endif
