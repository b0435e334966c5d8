/* Label maps that are as they should be: every data type and byte order, every way to say where the voxels lie, the
   frame of the plan's probes, and questions about whole boxes. Expected regions come from the pattern the test itself
   writes. */
#include "nifti_file.h"
#include "plan/plan.h"

enum { NX = 5, NY = 4, NZ = 7, N = NX * NY * NZ };

/// Label of a voxel in all small files: 0 to 4, no symmetry that a wrong axis or order could hide in.
static int label_at(int i, int j, int k) {
  return (i + 2 * j + 3 * k + i * j * k / 3) % 5;
}

/// Its region with the map of label_plan(): default, liver, tumour, liver, vein.
static int region_at(int i, int j, int k) {
  static const int region[] = {0, 1, 2, 1, 3};
  return region[label_at(i, j, k)];
}

/// A data type and how to store a number in it.
typedef struct {
  int code, bytes;
  void (*store)(void *to, double value);
} Type;

#define STORE(name, type)                                                                                              \
  static void name(void *to, double value) {                                                                           \
    type stored = (type)value;                                                                                         \
    memcpy(to, &stored, sizeof(stored));                                                                               \
  }
STORE(store_u8, uint8_t)
STORE(store_i8, int8_t)
STORE(store_u16, uint16_t)
STORE(store_i16, int16_t)
STORE(store_u32, uint32_t)
STORE(store_i32, int32_t)
STORE(store_u64, uint64_t)
STORE(store_i64, int64_t)
STORE(store_f32, float)
STORE(store_f64, double)

static const Type types[] = {{2, 1, store_u8},    {256, 1, store_i8}, {512, 2, store_u16},  {4, 2, store_i16},
                             {768, 4, store_u32}, {8, 4, store_i32},  {1280, 8, store_u64}, {1024, 8, store_i64},
                             {16, 4, store_f32},  {64, 8, store_f64}};

/// Turn the bytes of each of `n` numbers of `size` bytes around.
static void turn_around(void *numbers, size_t n, size_t size) {
  unsigned char *b = numbers;

  for (size_t i = 0; i < n; i++, b += size) {
    for (size_t c = 0; c < size / 2; c++) {
      unsigned char t = b[c];
      b[c] = b[size - 1 - c];
      b[size - 1 - c] = t;
    }
  }
}

/// The header in the other byte order, field by field.
static void turn_header_around(nifti_1_header *h) {
  turn_around(&h->sizeof_hdr, 1, 4);
  turn_around(h->dim, 8, 2);
  turn_around(&h->datatype, 1, 2);
  turn_around(&h->bitpix, 1, 2);
  turn_around(h->pixdim, 8, 4);
  turn_around(&h->vox_offset, 1, 4);
  turn_around(&h->scl_slope, 1, 4);
  turn_around(&h->scl_inter, 1, 4);
  turn_around(&h->qform_code, 1, 2);
  turn_around(&h->sform_code, 1, 2);
  turn_around(&h->quatern_b, 6, 4);
  turn_around(h->srow_x, 12, 4);
}

/// Read a file that must be good. What is said about where it lies is tested elsewhere.
static IrzLabelMap *read_good(const char *path) {
  IrzPlan plan;
  IrzLabelMap *map;
  IrzError error = {.code = IRZ_OK};

  label_plan(&plan, path);
  if (irz_label_map_read(&plan, &map, &error) != IRZ_OK) fail_msg("%s", error.text);
  for (int w = 0; w < plan.n_warnings; w++) assert_non_null(strstr(plan.warnings[w], "anatomy.labels"));
  label_plan_clear(&plan);
  return map;
}

/// Every voxel of the pattern is found where the 3 x 4 matrix says (mm), in its middle and near its corners.
static void check_pattern(const IrzLabelMap *map, const double *to_world) {
  int64_t voxels[4] = {0, 0, 0, 0};

  assert_int_equal(map->n_regions, 4);
  assert_string_equal(map->regions[0].name, "default");
  assert_string_equal(map->regions[1].name, "liver");
  assert_string_equal(map->regions[2].name, "tumour");
  assert_string_equal(map->regions[3].name, "vein");
  for (int v = 0; v < N; v++) {
    int index[3] = {v % NX, v / NX % NY, v / NX / NY};
    voxels[region_at(index[0], index[1], index[2])]++;
    for (int corner = 0; corner < 9; corner++) {
      double x[3];
      for (int d = 0; d < 3; d++) {
        x[d] = to_world[4 * d + 3];
        for (int e = 0; e < 3; e++) {
          double shift = corner == 8 ? 0 : (corner >> e & 1) ? 0.49 : -0.49;
          x[d] += to_world[4 * d + e] * (index[e] + shift);
        }
        x[d] *= 1e-3;
      }
      assert_int_equal(irz_label_map_region(map, x), region_at(index[0], index[1], index[2]));
    }
  }
  for (int r = 0; r < 4; r++) assert_int_equal(map->voxels[r], voxels[r]);
}

static const double identity[3][4] = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}};

/// The pattern as bytes.
static void fill(uint8_t labels[N]) {
  for (int v = 0; v < N; v++) labels[v] = (uint8_t)label_at(v % NX, v / NX % NY, v / NX / NY);
}

static void data_types_and_byte_orders(void **state) {
  (void)state;
  for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
    for (int variant = 0; variant < 8; variant++) {
      bool compressed = variant & 1, turned = variant & 2, scaled = variant & 4;
      const char *path = compressed ? "map.nii.gz" : "map.nii";
      unsigned char voxels[N * 8];
      nifti_1_header h = nifti_header(NX, NY, NZ);

      h.datatype = (short)types[t].code;
      h.bitpix = (short)(8 * types[t].bytes);
      if (scaled) {
        h.scl_slope = 0.1F;
        h.scl_inter = -1;
      }
      for (int v = 0; v < N; v++) {
        double label = label_at(v % NX, v / NX % NY, v / NX / NY);
        types[t].store(voxels + v * types[t].bytes, scaled ? 10 * (label + 1) : label);
      }
      if (turned) {
        turn_header_around(&h);
        turn_around(voxels, N, (size_t)types[t].bytes);
      }
      write_nifti(path, &h, voxels, (size_t)N * (size_t)types[t].bytes);
      IrzLabelMap *map = read_good(path);
      check_pattern(map, identity[0]);
      irz_label_map_free(map);
    }
  }
}

static void unusual_but_right(void **state) {
  uint8_t labels[N], shifted[N + 48];
  nifti_1_header h = nifti_header(NX, NY, NZ);

  (void)state;
  fill(labels);
  h.dim[0] = 4; // one volume
  h.scl_slope = NAN;
  h.scl_inter = NAN;
  h.xyzt_units = 0;
  write_nifti("map.nii", &h, labels, N);
  IrzLabelMap *map = read_good("map.nii");
  check_pattern(map, identity[0]);
  irz_label_map_free(map);

  h = nifti_header(NX, NY, NZ); // an extension of 48 bytes before the voxels, slope 0, a gzip file under a plain name
  memset(shifted, 0, sizeof(shifted));
  shifted[0] = 48;
  memcpy(shifted + 48, labels, N);
  h.vox_offset = 400;
  h.scl_slope = 0;
  h.scl_inter = 9;
  write_nifti("map.gz", &h, shifted, sizeof(shifted));
  assert_int_equal(rename("map.gz", "map.nii"), 0);
  map = read_good("map.nii");
  check_pattern(map, identity[0]);
  irz_label_map_free(map);

  h = nifti_header(NX, NY, NZ);
  h.xyzt_units = 3; // micrometres
  h.srow_x[0] = h.srow_y[1] = h.srow_z[2] = 1000;
  write_nifti("map.nii", &h, labels, N);
  map = read_good("map.nii");
  check_pattern(map, identity[0]);
  assert_near(map->spacing[1], 1e-3, 1e-12);
  irz_label_map_free(map);
}

/// Set the sform.
static void set_sform(nifti_1_header *h, const double m[3][4]) {
  for (int e = 0; e < 4; e++) {
    h->srow_x[e] = (float)m[0][e];
    h->srow_y[e] = (float)m[1][e];
    h->srow_z[e] = (float)m[2][e];
  }
}

static void affines(void **state) {
  static const double flipped[3][4] = {{-1.5, 0, 0, 158}, {0, -1.5, 0, 292.5}, {0, 0, 1.5, -408.25}};
  static const double swapped[3][4] = {{0, 0, 2, -10}, {-0.75, 0, 0, 20}, {0, 3, 0, 0.5}};
  // Columns (2, 3, 6)/7, (3, -6, 2)/7, (6, 2, -3)/7 are orthonormal; times 1.5, 2 and 3 mm
  static const double oblique[3][4] = {
      {3.0 / 7, 6.0 / 7, 18.0 / 7, -40}, {4.5 / 7, -12.0 / 7, 6.0 / 7, 55}, {9.0 / 7, 4.0 / 7, -9.0 / 7, -300}};
  static const double sheared[3][4] = {{1, 0.3, 0, 5}, {0, 1.2, 0.2, 6}, {0.1, 0, 0.9, 7}};
  const double(*all[])[4] = {flipped, swapped, oblique, sheared};
  uint8_t labels[N];

  (void)state;
  fill(labels);
  for (size_t a = 0; a < sizeof(all) / sizeof(all[0]); a++) {
    nifti_1_header h = nifti_header(NX, NY, NZ);
    set_sform(&h, all[a]);
    h.qform_code = 1; // says something else, and comes second
    h.qoffset_x = 77;
    write_nifti("map.nii.gz", &h, labels, N);
    IrzLabelMap *map = read_good("map.nii.gz");
    check_pattern(map, all[a][0]);
    for (int d = 0; d < 3; d++) {
      for (int e = 0; e < 4; e++) {
        double product = e == 3 ? map->to_voxel[d][3] : 0;
        for (int f = 0; f < 3; f++) product += map->to_voxel[d][f] * map->to_world[f][e];
        assert_near(product, d == e, 1e-9);
      }
    }
    irz_label_map_free(map);
  }
}

static void quaternions(void **state) {
  // A quarter turn about z: (i, j, k) goes to (-j, i, k); then the same with qfac -1, which turns k around;
  // then half a turn about the direction (1, 1, 0)/sqrt(2): (i, j, k) goes to (j, i, -k)
  static const double turn[3][4] = {{0, -2, 0, 3}, {1.5, 0, 0, -4}, {0, 0, 2.5, 5}};
  static const double mirrored[3][4] = {{0, -2, 0, 3}, {1.5, 0, 0, -4}, {0, 0, -2.5, 5}};
  static const double half[3][4] = {{0, 2, 0, 3}, {1.5, 0, 0, -4}, {0, 0, -2.5, 5}};
  const double(*all[])[4] = {turn, mirrored, half};
  uint8_t labels[N];

  (void)state;
  fill(labels);
  for (int a = 0; a < 3; a++) {
    nifti_1_header h = nifti_header(NX, NY, NZ);
    h.sform_code = 0;
    h.qform_code = 1;
    h.pixdim[0] = a == 1 ? -1 : 1;
    h.pixdim[1] = 1.5F;
    h.pixdim[2] = 2;
    h.pixdim[3] = 2.5F;
    if (a < 2) h.quatern_d = (float)sqrt(0.5);
    if (a == 2) h.quatern_b = h.quatern_c = (float)sqrt(0.5);
    h.qoffset_x = 3;
    h.qoffset_y = -4;
    h.qoffset_z = 5;
    write_nifti("map.nii", &h, labels, N);
    IrzLabelMap *map = read_good("map.nii");
    check_pattern(map, all[a][0]);
    irz_label_map_free(map);
  }
}

static void outside_is_default(void **state) {
  uint8_t labels[8] = {1, 1, 1, 1, 1, 1, 1, 1};
  static const double inside[][3] = {{-0.499, 0, 0}, {1.499, 1.499, 1.499}, {0.5, 0.5, 0.5}};
  static const double outside[][3] = {{-0.501, 0, 0}, {1.501, 1, 1},   {0, 1e30, 0},    {0, 0, -1e300},
                                      {0, 0, 1.501},  {NAN, 0.5, 0.5}, {INFINITY, 0, 0}};
  nifti_1_header h = nifti_header(2, 2, 2);

  (void)state;
  write_nifti("map.nii", &h, labels, 8);
  IrzPlan plan;
  IrzLabelMap *map;
  label_plan(&plan, "map.nii");
  assert_int_equal(irz_label_map_read(&plan, &map, NULL), IRZ_OK);
  assert_int_equal(plan.n_warnings, 4); // 2 mm are small; labels 2, 3 and 4 do not occur
  assert_non_null(strstr(plan.warnings[1], "plan.yaml:5: anatomy.map: label 2 (tumour) does not occur in map.nii"));
  label_plan_clear(&plan);
  for (size_t p = 0; p < sizeof(inside) / sizeof(inside[0]); p++) {
    double x[3] = {inside[p][0] * 1e-3, inside[p][1] * 1e-3, inside[p][2] * 1e-3};
    assert_int_equal(irz_label_map_region(map, x), 1);
  }
  for (size_t p = 0; p < sizeof(outside) / sizeof(outside[0]); p++) {
    double x[3] = {outside[p][0] * 1e-3, outside[p][1] * 1e-3, outside[p][2] * 1e-3};
    assert_int_equal(irz_label_map_region(map, x), 0);
  }
  irz_label_map_free(map);
}

/// Probes stated in LPS reach the tissue that the image has at that place.
static void probes_in_lps(void **state) {
  static const char *const text = "name: frames\n"
                                  "mesh: {size: 100}\n"
                                  "tissues: {default: {preset: liver}}\n"
                                  "anatomy: {labels: %s/map.nii, map: {1: liver, 2: tumour, 3: vein}%s}\n"
                                  "probes:\n"
                                  "  - {name: A, tip: [%d, %d, 5], direction: [0, 0, 1], exposure: 20}\n"
                                  "  - {name: B, tip: [%d, %d, 5], direction: [0, 0, 1], exposure: 20}\n"
                                  "pulses: [{from: A, to: B, voltage: 1000}]\n";
  static uint8_t labels[40 * 40 * 10];
  nifti_1_header h = nifti_header(40, 40, 10);
  char folder[128], plan_text[1024];

  (void)state;
  memset(labels, 1, sizeof(labels));
  for (int k = 0; k < 10; k++) {
    labels[(k * 40 + 12) * 40 + 10] = 2; // at (10, 12) mm in RAS
    labels[(k * 40 + 25) * 40 + 30] = 3;
  }
  write_nifti("map.nii", &h, labels, sizeof(labels));
  assert_non_null(getcwd(folder, sizeof(folder)));
  for (int lps = 0; lps < 2; lps++) {
    int sign = lps ? -1 : 1;
    IrzPlan *plan;
    IrzLabelMap *map;
    IrzError error = {.code = IRZ_OK};

    snprintf(plan_text, sizeof(plan_text), text, folder, lps ? ", frame: LPS" : "", sign * 10, sign * 12, sign * 30,
             sign * 25);
    if (irz_plan_parse(plan_text, "plan.yaml", 0, NULL, &plan, &error) != IRZ_OK) fail_msg("%s", error.text);
    if (irz_label_map_read(plan, &map, &error) != IRZ_OK) fail_msg("%s", error.text);
    assert_string_equal(map->regions[irz_label_map_region(map, plan->probes[0].tip)].name, "tumour");
    assert_string_equal(map->regions[irz_label_map_region(map, plan->probes[1].tip)].name, "vein");
    irz_label_map_free(map);
    irz_plan_free(plan);
  }
}

/// Numbers in [0, 1) that are the same in every run.
static double next_random(uint32_t *seed) {
  *seed = *seed * 1664525U + 1013904223U;
  return (double)(*seed >> 8) / (double)(1U << 24);
}

/// Region of voxel (i, j, k), 0 outside.
static int voxel_region(const IrzLabelMap *map, int i, int j, int k) {
  if (i < 0 || j < 0 || k < 0 || i >= map->size[0] || j >= map->size[1] || k >= map->size[2]) return 0;
  return map->region[((size_t)k * (size_t)map->size[1] + (size_t)j) * (size_t)map->size[0] + (size_t)i];
}

static void boxes(void **state) {
  enum { SX = 37, SY = 50, SZ = 21 };
  static uint8_t labels[SX * SY * SZ];
  nifti_1_header h = nifti_header(SX, SY, SZ);
  uint32_t seed = 1;
  int uniform[4] = {0, 0, 0, 0}, mixed = 0;

  (void)state;
  for (int v = 0; v < SX * SY * SZ; v++) { // a ball of tumour with a single vein voxel, in a block of liver
    int i = v % SX, j = v / SX % SY, k = v / SX / SY;
    labels[v] = i > 2 && j > 8 && k > 1;
    if ((i - 20) * (i - 20) + (j - 25) * (j - 25) + (k - 10) * (k - 10) < 60) labels[v] = 2;
    if (i == 20 && j == 25 && k == 10) labels[v] = 4;
    if (i == 36) labels[v] = 3;
  }
  write_nifti("map.nii", &h, labels, sizeof(labels));
  IrzLabelMap *map = read_good("map.nii");
  for (int trial = 0; trial < 20000; trial++) {
    double low[3], high[3], size = trial % 3 == 0 ? 1 : trial % 3 == 1 ? 8 : 60;
    int from[3], to[3], wanted = -2;
    for (int d = 0; d < 3; d++) {
      double extent = size * next_random(&seed);
      low[d] = -5 + (map->size[d] + 10) * next_random(&seed);
      high[d] = low[d] + extent;
      from[d] = (int)floor(low[d] + 0.5);
      to[d] = (int)floor(high[d] + 0.5);
      low[d] *= 1e-3;
      high[d] *= 1e-3;
    }
    for (int k = from[2]; k <= to[2] && wanted != -1; k++) {
      for (int j = from[1]; j <= to[1] && wanted != -1; j++) {
        for (int i = from[0]; i <= to[0] && wanted != -1; i++) {
          int region = voxel_region(map, i, j, k);
          wanted = wanted == -2 || wanted == region ? region : -1;
        }
      }
    }
    assert_int_equal(irz_label_map_uniform(map, low, high), wanted);
    if (wanted >= 0)
      uniform[wanted]++;
    else
      mixed++;
  }
  for (int r = 0; r < 3; r++) assert_true(uniform[r] > 100); // the trials did reach all cases
  assert_true(mixed > 100);
  irz_label_map_free(map);

  // A box across an oblique map: what is called uniform is so at every point
  static const double oblique[3][4] = {
      {2.0 / 7, 3.0 / 7, 6.0 / 7, -4}, {3.0 / 7, -6.0 / 7, 2.0 / 7, 5}, {6.0 / 7, 2.0 / 7, -3.0 / 7, 6}};
  set_sform(&h, oblique);
  write_nifti("map.nii", &h, labels, sizeof(labels));
  map = read_good("map.nii");
  int found = 0;
  for (int trial = 0; trial < 30000; trial++) {
    double low[3], high[3];
    for (int d = 0; d < 3; d++) {
      low[d] = 1e-3 * (-30 + 80 * next_random(&seed));
      high[d] = low[d] + 3e-3 * next_random(&seed);
    }
    int region = irz_label_map_uniform(map, low, high);
    if (region > 0) found++;
    for (int p = 0; region >= 0 && p < 50; p++) {
      double x[3];
      for (int d = 0; d < 3; d++) x[d] = low[d] + (high[d] - low[d]) * next_random(&seed);
      assert_int_equal(irz_label_map_region(map, x), region);
    }
  }
  assert_true(found > 100);
  irz_label_map_free(map);
}

static void single_voxel(void **state) {
  uint8_t label = 2;
  nifti_1_header h = nifti_header(1, 1, 1);
  IrzPlan plan;
  IrzLabelMap *map;
  double low[3] = {-1e-4, -1e-4, -1e-4}, high[3] = {1e-4, 1e-4, 1e-4}, far[3] = {1, 1, 1};

  (void)state;
  write_nifti("map.nii", &h, &label, 1);
  label_plan(&plan, "map.nii");
  assert_int_equal(irz_label_map_read(&plan, &map, NULL), IRZ_OK);
  assert_int_equal(irz_label_map_uniform(map, low, high), 2);
  assert_int_equal(irz_label_map_uniform(map, low, far), -1);
  irz_label_map_free(map);
  label_plan_clear(&plan);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(data_types_and_byte_orders),
                                     cmocka_unit_test(unusual_but_right),
                                     cmocka_unit_test(affines),
                                     cmocka_unit_test(probes_in_lps),
                                     cmocka_unit_test(quaternions),
                                     cmocka_unit_test(outside_is_default),
                                     cmocka_unit_test(boxes),
                                     cmocka_unit_test(single_voxel)};
  char folder[64], command[96];

  enter_folder(folder);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  snprintf(command, sizeof(command), "rm -r %s", folder);
  return system(command) == 0 ? failed : 1;
}
