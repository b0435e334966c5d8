/* Real label maps, read in place from ../shared/real beside the project; skipped where they are missing. Counts,
   except where noted, are those stated in the README there. */
#include "nifti_file.h"

#define REAL IRZ_SOURCE_DIR "/../shared/real/anatomy/"
#define MAX_LABELS 16

/// Read a map whose label n becomes region "n", or skip the test.
static IrzLabelMap *read_real(const char *path, int n_labels, const int *labels) {
  static IrzLabel entries[MAX_LABELS];
  static IrzTissue tissue = {.region = "default"};
  IrzPlan plan;
  IrzLabelMap *map;
  IrzError error = {.code = IRZ_OK};

  if (access(path, R_OK) != 0) {
    print_message("skipped: %s is missing\n", path);
    skip();
  }
  label_plan(&plan, path);
  for (int l = 0; l < n_labels; l++) {
    entries[l].label = labels[l];
    snprintf(entries[l].region, sizeof(entries[l].region), "%d", labels[l]);
  }
  plan.anatomy.map = entries;
  plan.anatomy.n_map = n_labels;
  plan.n_tissues = 1;
  plan.tissues = &tissue;
  if (irz_label_map_read(&plan, &map, &error) != IRZ_OK) fail_msg("%s", error.text);
  assert_int_equal(plan.n_warnings, 0);
  return map;
}

static void liver(void **state) {
  static const int labels[] = {1, 2, 3, 4, 5, 6, 7};
  static const int64_t counts[] = {641192, 28600, 15195, 8118, 16534, 3169, 4479};
  IrzLabelMap *map = read_real(REAL "liver_labels.nii.gz", 7, labels);
  int64_t sum = 0;

  (void)state;
  assert_int_equal(map->size[0], 161);
  assert_int_equal(map->size[1], 157);
  assert_int_equal(map->size[2], 141);
  for (int d = 0; d < 3; d++) assert_near(map->spacing[d], 1.5e-3, 1e-9);
  for (int l = 0; l < 7; l++) assert_int_equal(map->voxels[l + 1], counts[l]);
  for (int r = 0; r < map->n_regions; r++) sum += map->voxels[r];
  assert_int_equal(sum, 161 * 157 * 141);
  assert_near((double)map->voxels[2] * 1.5 * 1.5 * 1.5e-3, 97, 0.5); // tumour, ml
  irz_label_map_free(map);
}

static void totalsegmentator(void **state) {
  // Named in the README: spleen, kidneys, gallbladder, liver, pancreas, aorta, inferior vena cava, portal vein
  static const int labels[] = {1, 2, 3, 4, 5, 7, 52, 63, 64};
  // Counted with numpy from the decompressed bytes, without this library
  static const int64_t counts[] = {9452, 3947, 3676, 1333, 38634, 644, 997, 1368, 901};
  IrzLabelMap *map = read_real(REAL "totalsegmentator_example_seg.nii.gz", 9, labels);

  (void)state;
  assert_int_equal(map->size[0], 122);
  assert_int_equal(map->size[1], 101);
  assert_int_equal(map->size[2], 30);
  for (int d = 0; d < 3; d++) assert_near(map->spacing[d], 3e-3, 1e-9);
  for (int l = 0; l < 9; l++) assert_int_equal(map->voxels[l + 1], counts[l]);
  irz_label_map_free(map);
}

static void totalsegmentator_dicom(void **state) {
  static const int labels[] = {1, 5, 52, 63, 64};
  static const int64_t counts[] = {130634, 366708, 11723, 4772, 3015}; // counted with numpy
  IrzLabelMap *map = read_real(REAL "totalsegmentator_example_seg_dicom.nii.gz", 5, labels);

  (void)state;
  assert_int_equal(map->size[0], 512);
  assert_int_equal(map->size[1], 512);
  assert_int_equal(map->size[2], 20);
  assert_near(map->spacing[0], 0.98e-3, 0.005e-3);
  assert_near(map->spacing[2], 2e-3, 1e-9);
  assert_true(map->to_world[0][0] < 0); // voxels run from left to right of the picture
  for (int l = 0; l < 5; l++) assert_int_equal(map->voxels[l + 1], counts[l]);
  irz_label_map_free(map);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(liver), cmocka_unit_test(totalsegmentator),
                                     cmocka_unit_test(totalsegmentator_dicom)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
