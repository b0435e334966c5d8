/* Images that say twice, or oddly, where they lie: what is taken, and what is said about the rest. */
#include "nifti_file.h"

#define EDGE 20 // voxels along each edge, of 1 mm

/// The image has label 1 where i < EDGE / 2, and 2 elsewhere.
static void write_halves(const char *path, const nifti_1_header *h) {
  static unsigned char labels[EDGE * EDGE * EDGE];

  for (int v = 0; v < EDGE * EDGE * EDGE; v++) labels[v] = v % EDGE < EDGE / 2 ? 1 : 2;
  write_nifti(path, h, labels, sizeof(labels));
}

/// The same place twice: voxel (0, 0, 0) at (-10, -20, 5) mm.
static nifti_1_header twice(void) {
  nifti_1_header h = nifti_header(EDGE, EDGE, EDGE);

  h.srow_x[3] = h.qoffset_x = -10;
  h.srow_y[3] = h.qoffset_y = -20;
  h.srow_z[3] = h.qoffset_z = 5;
  h.qform_code = 1;
  return h;
}

/// Read an image; its only warning about where it lies contains all the words, in this order; none are expected: "".
/// @return region at a point, by name
static const char *read_at(const nifti_1_header *h, IrzTransform transform, bool stated, double x,
                           const char *words[]) {
  static char region[IRZ_NAME_MAX];
  const double point[3] = {x * 1e-3, -15e-3, 10e-3};
  IrzPlan plan;
  IrzLabelMap *map;
  IrzError error = {.code = IRZ_OK};
  int said = 0;

  write_halves("t.nii", h);
  label_plan(&plan, "t.nii");
  plan.anatomy.transform = transform;
  plan.anatomy.transform_stated = stated;
  if (irz_label_map_read(&plan, &map, &error) != IRZ_OK) fail_msg("%s", error.text);
  for (int w = 0; w < plan.n_warnings; w++) {
    const char *at = plan.warnings[w];
    if (strstr(at, "anatomy.labels") == NULL) continue; // labels that do not occur
    if (strncmp(at, "plan.yaml:5: anatomy.labels: t.nii: ", 36) != 0) fail_msg("'%s' names no place", at);
    for (int i = 0; words[i] != NULL; i++) {
      const char *found = strstr(at, words[i]);
      if (found == NULL) fail_msg("'%s' does not say '%s'", plan.warnings[w], words[i]);
      at = found;
    }
    said++;
  }
  assert_int_equal(said, words[0] != NULL);
  snprintf(region, sizeof(region), "%s", map->regions[irz_label_map_region(map, point)].name);
  irz_label_map_free(map);
  label_plan_clear(&plan);
  return region;
}
#define SILENT ((const char *[]){NULL})
#define SAYS(...) ((const char *[]){__VA_ARGS__, NULL})

static void two_transforms(void **state) {
  nifti_1_header h = twice();

  (void)state;
  assert_string_equal(read_at(&h, IRZ_TRANSFORM_SFORM, false, -5, SILENT), "liver");
  assert_string_equal(read_at(&h, IRZ_TRANSFORM_QFORM, false, -5, SILENT), "liver");
  h.qoffset_x += 0.00001F; // the rounding of single precision
  read_at(&h, IRZ_TRANSFORM_SFORM, false, -5, SILENT);

  h = twice();
  h.qoffset_x -= 7;
  h.qoffset_z += 24; // (7, 24): 25 mm
  const char **words = SAYS("the qform places the image up to 25 mm away from the sform.", "The sform is taken",
                            "anatomy.transform: sform or qform");
  assert_string_equal(read_at(&h, IRZ_TRANSFORM_SFORM, false, -5, words), "liver");
  assert_string_equal(read_at(&h, IRZ_TRANSFORM_SFORM, true, -5, SILENT), "liver");
  assert_string_equal(read_at(&h, IRZ_TRANSFORM_QFORM, true, -5, SILENT), "default"); // too low now
  h.qoffset_z -= 24;
  assert_string_equal(read_at(&h, IRZ_TRANSFORM_QFORM, true, -5, SILENT), "tumour");
}

static void mirrored(void **state) {
  nifti_1_header h = twice();

  (void)state;
  // Turned by half a turn about y, with the k axis turned again by qfac: x and only x is mirrored
  h.quatern_c = 1;
  h.pixdim[0] = -1;
  h.qoffset_x = 9;
  const char **words = SAYS("up to 20 mm away from the sform, mirrored.");
  assert_string_equal(read_at(&h, IRZ_TRANSFORM_SFORM, false, -8, words), "liver");
  assert_string_equal(read_at(&h, IRZ_TRANSFORM_QFORM, true, -8, SILENT), "tumour");
}

static void only_one(void **state) {
  nifti_1_header h = twice();
  IrzPlan plan;
  IrzLabelMap *map;
  IrzError error = {.code = IRZ_OK};

  (void)state;
  h.qform_code = 0;
  h.qoffset_x = 500;
  assert_string_equal(read_at(&h, IRZ_TRANSFORM_SFORM, false, -5, SILENT), "liver");
  write_halves("t.nii", &h);
  label_plan(&plan, "t.nii");
  plan.anatomy.transform = IRZ_TRANSFORM_QFORM;
  plan.anatomy.transform_stated = true;
  assert_int_equal(irz_label_map_read(&plan, &map, &error), IRZ_ERR_INPUT);
  assert_string_equal(error.text, "t.nii: has no qform, which anatomy.transform asks for; it has a sform");
  h = twice();
  h.sform_code = 0;
  h.srow_x[3] = 500;
  assert_string_equal(read_at(&h, IRZ_TRANSFORM_SFORM, false, -5, SILENT), "liver");
}

static void odd_headers(void **state) {
  nifti_1_header h = twice();

  (void)state;
  h.qform_code = 0;
  h.srow_x[1] = 0.2F; // the second axis leans by atan(0.2)
  h.pixdim[2] = sqrtf(1.04F);
  read_at(&h, IRZ_TRANSFORM_SFORM, false, -5, SAYS("are skewed, 11.3 degrees"));
  h = twice();
  h.qform_code = 0;
  h.pixdim[3] = 1.5F;
  read_at(&h, IRZ_TRANSFORM_SFORM, false, -5, SAYS("voxels of 1 x 1 x 1 mm", "pixdim says 1 x 1 x 1.5 mm"));
  h.pixdim[3] = 0; // not stated
  read_at(&h, IRZ_TRANSFORM_SFORM, false, -5, SILENT);
  h = twice();
  h.xyzt_units = NIFTI_UNITS_MICRON;
  read_at(&h, IRZ_TRANSFORM_SFORM, false, -5,
          SAYS("0.02 x 0.02 x 0.02 mm, too small", "xyzt_units is 3 (micrometres)"));
  h.xyzt_units = NIFTI_UNITS_METER;
  read_at(&h, IRZ_TRANSFORM_SFORM, false, -5, SAYS("2e+04 x 2e+04 x 2e+04 mm, too large", "xyzt_units is 1 (m)"));
  h.xyzt_units = NIFTI_UNITS_METER; // the same patient in metres is no matter
  for (int e = 0; e < 4; e++) {
    h.srow_x[e] *= 1e-3F, h.srow_y[e] *= 1e-3F, h.srow_z[e] *= 1e-3F;
    h.pixdim[e] *= e > 0 ? 1e-3F : 1;
  }
  h.qoffset_x *= 1e-3F, h.qoffset_y *= 1e-3F, h.qoffset_z *= 1e-3F;
  assert_string_equal(read_at(&h, IRZ_TRANSFORM_SFORM, false, -5, SILENT), "liver");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(two_transforms), cmocka_unit_test(mirrored),
                                     cmocka_unit_test(only_one), cmocka_unit_test(odd_headers)};
  char folder[64];

  enter_folder(folder);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
