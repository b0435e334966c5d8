/* Small NIfTI-1 files for the tests, written byte by byte from the standard, without the library that reads them. */
#ifndef IREZONE_TESTS_NIFTI_FILE_H
#define IREZONE_TESTS_NIFTI_FILE_H

#include "plan/plan.h"
#include "testing.h"

#include <irezone/anatomy.h>
#include <nifti1.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

/// A header of an image of bytes: 1 mm voxels at (i, j, k) mm.
static inline nifti_1_header nifti_header(int nx, int ny, int nz) {
  nifti_1_header h;

  memset(&h, 0, sizeof(h));
  h.sizeof_hdr = 348;
  h.dim[0] = 3;
  h.dim[1] = (short)nx;
  h.dim[2] = (short)ny;
  h.dim[3] = (short)nz;
  for (int d = 4; d < 8; d++) h.dim[d] = 1;
  h.datatype = 2;
  h.bitpix = 8;
  for (int d = 0; d < 8; d++) h.pixdim[d] = 1;
  h.vox_offset = 352;
  h.scl_slope = 1;
  h.xyzt_units = 2;
  h.sform_code = 1;
  h.srow_x[0] = h.srow_y[1] = h.srow_z[2] = 1;
  memcpy(h.magic, "n+1", 4);
  return h;
}

/// Header and voxels as the bytes of a file; free() it.
static inline unsigned char *nifti_bytes(const nifti_1_header *h, const void *voxels, size_t size, size_t *total) {
  unsigned char *bytes = calloc(352 + size, 1);

  memcpy(bytes, h, 348);
  if (size > 0) memcpy(bytes + 352, voxels, size);
  *total = 352 + size;
  return bytes;
}

/// Write bytes to a new file in the current folder, compressed if its name ends in .gz.
static inline void write_bytes(const char *path, const void *bytes, size_t size) {
  size_t length = strlen(path);

  if (length > 3 && strcmp(path + length - 3, ".gz") == 0) {
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    if (size > 0) assert_int_equal(gzwrite(file, bytes, (unsigned)size), (int)size);
    assert_int_equal(gzclose(file), Z_OK);
  } else {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
  }
}

/// Write an image.
static inline void write_nifti(const char *path, const nifti_1_header *h, const void *voxels, size_t size) {
  size_t total;
  unsigned char *bytes = nifti_bytes(h, voxels, size, &total);

  write_bytes(path, bytes, total);
  free(bytes);
}

/// A plan that has nothing but a label map; its map is {1: liver, 2: tumour, 3: liver, 4: vein}.
static inline void label_plan(IrzPlan *plan, const char *path) {
  static IrzLabel entries[] = {{.label = 1, .region = "liver"},
                               {.label = 2, .region = "tumour"},
                               {.label = 3, .region = "liver"},
                               {.label = 4, .region = "vein"}};
  static IrzTissue tissues[] = {{.region = "default"}, {.region = "tumour", .line = 7}};

  memset(plan, 0, sizeof(*plan));
  snprintf(plan->file, sizeof(plan->file), "plan.yaml");
  snprintf(plan->anatomy.labels, sizeof(plan->anatomy.labels), "%s", path);
  plan->anatomy.line = 5;
  plan->anatomy.n_map = 4;
  plan->anatomy.map = entries;
  plan->n_tissues = 2;
  plan->tissues = tissues;
}

/// Free the warnings of a label_plan().
static inline void label_plan_clear(IrzPlan *plan) {
  for (int w = 0; w < plan->n_warnings; w++) free(plan->warnings[w]);
  free(plan->warnings);
  plan->n_warnings = 0;
  plan->warnings = NULL;
}

/// Work in a fresh folder of this process.
static inline void enter_folder(char folder[64]) {
  snprintf(folder, 64, "/tmp/irezone-labels-XXXXXX");
  assert_non_null(mkdtemp(folder));
  assert_int_equal(chdir(folder), 0);
}

#endif
