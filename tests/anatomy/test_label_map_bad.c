/* Label maps that must be refused: one line that names the file and says what is wrong, nothing on stderr, no crash. */
#include "nifti_file.h"

#include <fcntl.h>
#include <sys/stat.h>

static uint8_t labels[4 * 5 * 6];

/// Read a file and return the code, with stderr sent to a file; the map must be NULL unless it could be read.
static IrzCode read_any(const char *path, IrzError *error) {
  IrzPlan plan;
  IrzLabelMap *map;

  memset(error, 0, sizeof(*error));
  label_plan(&plan, path);
  fflush(stderr);
  int terminal = dup(2), file = open("stderr.txt", O_WRONLY | O_CREAT | O_APPEND, 0666);
  dup2(file, 2);
  IrzCode code = irz_label_map_read(&plan, &map, error);
  fflush(stderr);
  dup2(terminal, 2);
  close(terminal);
  close(file);
  label_plan_clear(&plan);
  if (code != IRZ_OK) assert_null(map);
  irz_label_map_free(map);
  return code;
}

/// The file must be refused with a line that starts with its name and contains `wanted`.
static void refused(const char *path, const char *wanted) {
  IrzError error;

  assert_int_equal(read_any(path, &error), IRZ_ERR_INPUT);
  if (strncmp(error.text, path, strlen(path)) != 0 || !strstr(error.text, wanted)) {
    fail_msg("\"%s\" should name %s and say \"%s\"", error.text, path, wanted);
  }
  assert_int_equal(error.code, IRZ_ERR_INPUT);
  assert_null(strchr(error.text, '\n'));
}

/// The same for an image with this header and the usual voxels.
static void header_refused(const nifti_1_header *h, const char *wanted) {
  write_nifti("bad.nii", h, labels, sizeof(labels));
  refused("bad.nii", wanted);
}

static void not_an_image(void **state) {
  char text[400];

  (void)state;
  refused("missing.nii", "No such file");
  assert_int_equal(mkdir("folder.nii", 0777), 0);
  refused("folder.nii", "not a file");
  write_bytes("bad.nii", "", 0);
  refused("bad.nii", "not a NIfTI-1 image");
  write_bytes("bad.nii.gz", "", 0);
  refused("bad.nii.gz", "not a NIfTI-1 image");
  memset(text, 'x', sizeof(text));
  write_bytes("bad.nii", text, sizeof(text));
  refused("bad.nii", "not a NIfTI-1 image");
  write_bytes("bad.nii.gz", text, sizeof(text));
  refused("bad.nii.gz", "not a NIfTI-1 image");
}

static void other_formats(void **state) {
  nifti_1_header h = nifti_header(4, 5, 6);

  (void)state;
  h.sizeof_hdr = 540;
  header_refused(&h, "NIfTI-2");
  h = nifti_header(4, 5, 6);
  memcpy(h.magic, "ni1", 4);
  header_refused(&h, "two files");
  memset(h.magic, 0, 4); // ANALYZE 7.5
  header_refused(&h, "magic");
}

static void sizes(void **state) {
  static const struct {
    short dim[8];
    const char *wanted;
  } cases[] = {{{0, 4, 5, 6, 1, 1, 1, 1}, "0 dimensions"},
               {{2, 4, 5, 6, 1, 1, 1, 1}, "2 dimensions"},
               {{8, 4, 5, 6, 1, 1, 1, 1}, "8 dimensions"},
               {{-3, 4, 5, 6, 1, 1, 1, 1}, "-3 dimensions"},
               {{3, 4, 0, 6, 1, 1, 1, 1}, "dimension 2 has the size 0"},
               {{3, 4, 5, -6, 1, 1, 1, 1}, "dimension 3 has the size -6"},
               {{4, 4, 5, 6, 0, 1, 1, 1}, "dimension 4 has the size 0"},
               {{4, 4, 5, 3, 2, 1, 1, 1}, "2 volumes along dimension 4"},
               {{5, 4, 5, 2, 1, 3, 1, 1}, "3 volumes along dimension 5"},
               {{3, 32767, 32767, 32767, 1, 1, 1, 1}, "at most 2147483647"},
               {{3, 32767, 32767, 2, 1, 1, 1, 1}, "cut off"},
               {{3, 4, 5, 7, 1, 1, 1, 1}, "cut off"}};

  (void)state;
  for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
    nifti_1_header h = nifti_header(4, 5, 6);
    memcpy(h.dim, cases[c].dim, sizeof(h.dim));
    header_refused(&h, cases[c].wanted);
    write_nifti("bad.nii.gz", &h, labels, sizeof(labels));
    refused("bad.nii.gz", cases[c].wanted);
  }
}

static void data_types(void **state) {
  static const short types[] = {0, 1, 32, 128, 255, 1536, 1792, 2304, -4, 32767};
  nifti_1_header h = nifti_header(4, 5, 6);

  (void)state;
  for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
    h.datatype = types[t];
    header_refused(&h, "data type");
  }
  h.datatype = 4; // still 8 bits
  header_refused(&h, "bitpix is 8");
  h = nifti_header(4, 5, 6);
  h.scl_slope = INFINITY;
  header_refused(&h, "scl_slope");
  h.scl_slope = 1;
  h.scl_inter = NAN;
  header_refused(&h, "scl_inter");
}

static void affines(void **state) {
  nifti_1_header h = nifti_header(4, 5, 6);

  (void)state;
  h.srow_y[3] = NAN;
  header_refused(&h, "sform");
  h.srow_y[3] = INFINITY;
  header_refused(&h, "not finite");
  h = nifti_header(4, 5, 6);
  h.srow_z[2] = 0;
  header_refused(&h, "voxels of 0 mm along axis 3");
  h.srow_y[2] = 1; // third axis along the second
  header_refused(&h, "singular");
  h.srow_z[2] = 1e-8F;
  header_refused(&h, "singular");
  h = nifti_header(4, 5, 6);
  h.srow_x[0] = 1e6F;
  header_refused(&h, "voxels of 1e+06 mm");
  h = nifti_header(4, 5, 6);
  h.sform_code = 0;
  header_refused(&h, "neither sform nor qform");
  h.qform_code = 1;
  h.pixdim[2] = 0;
  header_refused(&h, "pixdim[2]");
  h.pixdim[2] = NAN;
  header_refused(&h, "pixdim[2]");
  h.pixdim[2] = 1;
  h.quatern_c = NAN;
  header_refused(&h, "qform");
  h = nifti_header(4, 5, 6);
  h.xyzt_units = 5;
  header_refused(&h, "xyzt_units");
}

static void voxels(void **state) {
  float value[120] = {0};
  nifti_1_header h = nifti_header(4, 5, 6);

  (void)state;
  h.datatype = 16;
  h.bitpix = 32;
  value[4 * 5 * 2 + 4 * 3 + 1] = 0.25F;
  write_nifti("bad.nii", &h, value, sizeof(value));
  refused("bad.nii", "voxel (1, 3, 2) is 0.25");
  value[0] = NAN;
  write_nifti("bad.nii.gz", &h, value, sizeof(value));
  refused("bad.nii.gz", "voxel (0, 0, 0) is nan");
  value[0] = INFINITY;
  write_nifti("bad.nii.gz", &h, value, sizeof(value));
  refused("bad.nii.gz", "voxel (0, 0, 0) is inf");
  h = nifti_header(4, 5, 6);
  h.scl_slope = 0.5F; // label 1 becomes 0.5
  header_refused(&h, "whole numbers");
}

static void offsets(void **state) {
  static const float offset[] = {NAN, INFINITY, -1, 100, 1e30F, 352.5F};
  nifti_1_header h = nifti_header(4, 5, 6);

  (void)state;
  for (size_t o = 0; o < sizeof(offset) / sizeof(offset[0]); o++) {
    h.vox_offset = offset[o];
    header_refused(&h, "vox_offset");
  }
  h.vox_offset = 360;
  header_refused(&h, "cut off");
}

/// Read a whole file; free() it.
static unsigned char *file_bytes(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  unsigned char *bytes = malloc(100000);

  assert_non_null(file);
  *size = fread(bytes, 1, 100000, file);
  fclose(file);
  return bytes;
}

/// Write bytes as they are, whatever the name.
static void write_raw(const char *path, const void *bytes, size_t size) {
  write_bytes("raw", bytes, size);
  assert_int_equal(rename("raw", path), 0);
}

static void cut_off_anywhere(void **state) {
  nifti_1_header h = nifti_header(4, 5, 6);
  IrzError error;
  size_t size;

  (void)state;
  write_nifti("good.nii", &h, labels, sizeof(labels));
  assert_int_equal(read_any("good.nii", &error), IRZ_OK);
  unsigned char *bytes = file_bytes("good.nii", &size);
  for (size_t length = 0; length < size; length++) {
    write_raw("bad.nii", bytes, length);
    refused("bad.nii", length < 348 ? "not a NIfTI-1 image" : "cut off");
  }
  free(bytes);
  write_nifti("good.nii.gz", &h, labels, sizeof(labels));
  assert_int_equal(read_any("good.nii.gz", &error), IRZ_OK);
  bytes = file_bytes("good.nii.gz", &size);
  for (size_t length = 0; length < size; length++) {
    write_raw("bad.nii.gz", bytes, length);
    refused("bad.nii.gz", "bad.nii.gz: ");
  }
  bytes[size - 7] ^= 1;
  write_raw("bad.nii.gz", bytes, size);
  refused("bad.nii.gz", "damaged");
  free(bytes);
}

/// Random damage: read or refused, never worse (the sanitizers watch).
static void rubbish(void **state) {
  nifti_1_header h = nifti_header(4, 5, 6);
  uint32_t seed = 3;
  size_t size;
  IrzError error;
  int refusals = 0;

  (void)state;
  for (int compressed = 0; compressed < 2; compressed++) {
    const char *path = compressed ? "good.nii.gz" : "good.nii";
    write_nifti(path, &h, labels, sizeof(labels));
    unsigned char *bytes = file_bytes(path, &size);
    for (int trial = 0; trial < 2000; trial++) {
      unsigned char *damaged = malloc(size);
      memcpy(damaged, bytes, size);
      for (int b = 0; b <= trial % 4; b++) {
        seed = seed * 1664525U + 1013904223U;
        damaged[(seed >> 8) % size] = (unsigned char)(seed >> 24);
      }
      write_raw("bad.nii", damaged, size);
      free(damaged);
      if (read_any("bad.nii", &error) != IRZ_OK) {
        refusals++;
        assert_null(strchr(error.text, '\n'));
        assert_true(strlen(error.text) > 10);
      }
    }
    free(bytes);
  }
  assert_true(refusals > 1000);
}

static void misspelt_tissue(void **state) {
  nifti_1_header h = nifti_header(4, 5, 6);
  static IrzTissue tissues[] = {
      {.region = "default"}, {.region = "tumor", .line = 9}, {.region = "vein"}, {.region = "duct", .line = 11}};
  IrzPlan plan;
  IrzLabelMap *map;
  IrzError error = {.code = IRZ_OK};

  (void)state;
  write_nifti("good.nii", &h, labels, sizeof(labels));
  label_plan(&plan, "good.nii");
  plan.tissues = tissues;
  assert_int_equal(irz_label_map_read(&plan, &map, &error), IRZ_ERR_PLAN);
  assert_string_equal(error.text, "plan.yaml:9: tissues.tumor: anatomy.map gives no such region; it gives default, "
                                  "liver, tumour, vein");
  assert_null(map);
  plan.n_tissues = 4;
  assert_int_equal(irz_label_map_read(&plan, &map, &error), IRZ_ERR_PLAN);
  assert_string_equal(error.text, "plan.yaml:9: tissues.tumor: anatomy.map gives no such region, and none for duct; it "
                                  "gives default, liver, tumour, vein");
}

/// Runs last: while the library read, stderr was a file.
static void nothing_was_printed(void **state) {
  struct stat status;

  (void)state;
  assert_int_equal(stat("stderr.txt", &status), 0);
  assert_int_equal(status.st_size, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(not_an_image),
                                     cmocka_unit_test(other_formats),
                                     cmocka_unit_test(sizes),
                                     cmocka_unit_test(data_types),
                                     cmocka_unit_test(affines),
                                     cmocka_unit_test(voxels),
                                     cmocka_unit_test(offsets),
                                     cmocka_unit_test(cut_off_anywhere),
                                     cmocka_unit_test(rubbish),
                                     cmocka_unit_test(misspelt_tissue),
                                     cmocka_unit_test(nothing_was_printed)};
  char folder[64], command[96];

  for (size_t v = 0; v < sizeof(labels); v++) labels[v] = (uint8_t)(v * 7 % 5);
  enter_folder(folder);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  snprintf(command, sizeof(command), "rm -r %s", folder);
  return system(command) == 0 ? failed : 1;
}
