/* NRRD images and segmentations of 3D Slicer: every voxel at its place, however the file writes it. The places are
   computed here from the affine that each row states, the bytes from the standard. */
#include "nrrd_file.h"

enum { NX = 4, NY = 3, NZ = 2, N = NX * NY * NZ };

/// Label of a voxel.
static int label_of(int voxel) {
  return voxel % 3;
}

#define PROBES                                                                                                         \
  "tissues: {default: {preset: liver}, a: {preset: liver}, b: {preset: liver}}\n"                                      \
  "array: {count: 2, spacing: 20}\npulses: {pairs: all, field: 1000}\n"
static const char map_plan[] = "anatomy: {labels: %s, map: {1: a, 2: b}}\n" PROBES;

/// The map in a file must have label_of(v) at the place of each voxel.
static void expect(const char *path, const double world[3][4], const char *warning) {
  char text[1024];
  IrzPlan *plan = NULL;
  IrzLabelMap *map;
  IrzError error;
  snprintf(text, sizeof text, map_plan, path);
  if (read_plan_map(text, &plan, &map, &error) != IRZ_OK) fail_msg("%s: %s", path, error.text);
  for (int v = 0; v < N; v++) {
    const double at[3] = {v % NX, v / NX % NY, v / NX / NY};
    double x[3];
    for (int d = 0; d < 3; d++) {
      x[d] = 1e-3 * (world[d][0] * at[0] + world[d][1] * at[1] + world[d][2] * at[2] + world[d][3]);
      double back = 1e3 * (map->to_world[d][0] * at[0] + map->to_world[d][1] * at[1] + map->to_world[d][2] * at[2] +
                           map->to_world[d][3]);
      if (fabs(back - 1e3 * x[d]) > 1e-9) fail_msg("%s: voxel %d is at %.12g, not %.12g", path, v, back, 1e3 * x[d]);
    }
    if (irz_label_map_region(map, x) != label_of(v)) fail_msg("%s: voxel %d has another label", path, v);
  }
  bool said = warning != NULL && warned(plan, warning);
  if (warning != NULL && !said) fail_msg("%s: no warning of \"%s\"", path, warning);
  irz_label_map_free(map);
  irz_plan_free(plan);
}

static const double straight[3][4] = {{2, 0, 0, 10}, {0, 3, 0, 20}, {0, 0, 4, 30}};

/* ---- Where the image lies ---- */

static const struct {
  const char *header;
  double world[3][4]; ///< in RAS, mm
  const char *warning;
} places[] = {
    {"space: right-anterior-superior\nspace directions: (2,0,0) (0,3,0) (0,0,4)\nspace origin: (10,20,30)\n",
     {{2, 0, 0, 10}, {0, 3, 0, 20}, {0, 0, 4, 30}},
     NULL},
    {"space: RAS\nspace directions: (2,0,0) (0,3,0) (0,0,4)\nspace origin: (10,20,30)\n",
     {{2, 0, 0, 10}, {0, 3, 0, 20}, {0, 0, 4, 30}},
     NULL},
    {"space: left-posterior-superior\nspace directions: (2,0,0) (0,3,0) (0,0,4)\nspace origin: (10,20,30)\n",
     {{-2, 0, 0, -10}, {0, -3, 0, -20}, {0, 0, 4, 30}},
     NULL},
    {"space: LAS\nspace directions: (2,0,0) (0,3,0) (0,0,4)\nspace origin: (10,20,30)\n",
     {{-2, 0, 0, -10}, {0, 3, 0, 20}, {0, 0, 4, 30}},
     NULL},
    {"space: LPS\nspace directions: (-2,0,0) (0,-3,0) (0,0,-4)\nspace origin: (10,20,30)\n",
     {{2, 0, 0, -10}, {0, 3, 0, -20}, {0, 0, -4, 30}},
     NULL},
    /* the axes of the image change places, left-handed */
    {"space: RAS\nspace directions: (0,2,0) (3,0,0) (0,0,4)\nspace origin: (10,20,30)\n",
     {{0, 3, 0, 10}, {2, 0, 0, 20}, {0, 0, 4, 30}},
     NULL},
    /* oblique: turned by acos(0.8) about z, and a little noise as Slicer writes it */
    {"space: LPS\nspace directions: (1.6,1.2,0) (-1.8,2.4,5e-8) (0,5e-8,4)\nspace origin: (10,20,30)\n",
     {{-1.6, 1.8, 0, -10}, {-1.2, -2.4, -5e-8, -20}, {0, 5e-8, 4, 30}},
     NULL},
    {"space dimension: 3\nspace directions: (2,0,0) (0,3,0) (0,0,4)\nspace origin: (10,20,30)\n",
     {{-2, 0, 0, -10}, {0, -3, 0, -20}, {0, 0, 4, 30}},
     "its space is not named and taken for left-posterior-superior"},
    {"space: RAS\nspacings: 2 3 4\naxis mins: 10 20 30\n", {{2, 0, 0, 10}, {0, 3, 0, 20}, {0, 0, 4, 30}}, NULL},
    {"space: RAS\nspacings: 2 3 4\n", {{2, 0, 0, 0}, {0, 3, 0, 0}, {0, 0, 4, 0}}, "it has no origin"},
    {"space: RAS\nspace directions: (0.2,0,0) (0,0.3,0) (0,0,0.4)\nspace origin: (1,2,3)\n"
     "space units: \"cm\" \"cm\" \"cm\"\n",
     {{2, 0, 0, 10}, {0, 3, 0, 20}, {0, 0, 4, 30}},
     NULL},
};

static void placed(void **state) {
  uint8_t voxels[N];
  (void)state;
  for (int v = 0; v < N; v++) voxels[v] = (uint8_t)label_of(v);
  for (size_t p = 0; p < sizeof places / sizeof places[0]; p++) {
    char header[1024], path[32];
    snprintf(path, sizeof path, "place%zu.nrrd", p);
    snprintf(header, sizeof header,
             "NRRD0004\n# a comment\ntype: uchar\ndimension: 3\nsizes: 4 3 2\n%sencoding: raw\n\n", places[p].header);
    write_parts(path, header, voxels, sizeof voxels);
    expect(path, places[p].world, places[p].warning);
  }
}

/* ---- How the numbers are written ---- */

#define GRID                                                                                                           \
  "dimension: 3\nspace: RAS\nsizes: 4 3 2\nspace directions: (2,0,0) (0,3,0) (0,0,4)\nspace origin: (10,20,30)\n"

/// All numbers, as a type, in an order of bytes; returns the size.
static size_t as_type(const char *type, bool big, unsigned char *to) {
  size_t bytes = strstr(type, "8") || strstr(type, "char")                                   ? 1
                 : strstr(type, "short") || strstr(type, "16")                               ? 2
                 : strstr(type, "long") || strstr(type, "64") || strcmp(type, "double") == 0 ? 8
                                                                                             : 4;
  for (int v = 0; v < N; v++) {
    unsigned char one[8] = {0};
    if (strcmp(type, "float") == 0) {
      float value = (float)label_of(v);
      memcpy(one, &value, 4);
    } else if (strcmp(type, "double") == 0) {
      double value = label_of(v);
      memcpy(one, &value, 8);
    } else {
      one[0] = (unsigned char)label_of(v);
    }
    for (size_t b = 0; b < bytes; b++) to[(size_t)v * bytes + b] = one[big ? bytes - 1 - b : b];
  }
  return N * bytes;
}

static void types(void **state) {
  static const char *const names[] = {
      "signed char", "int8",      "int8_t",     "uchar",  "unsigned char", "uint8",
      "uint8_t",     "short",     "short int",  "int16",  "ushort",        "unsigned short",
      "uint16_t",    "int",       "signed int", "int32",  "uint",          "uint32",
      "longlong",    "long long", "int64",      "uint64", "ulonglong",     "unsigned long long",
      "float",       "double"};
  (void)state;
  for (size_t t = 0; t < sizeof names / sizeof names[0]; t++) {
    for (int big = 0; big < 2; big++) {
      unsigned char bytes[8 * N];
      char header[1024];
      size_t size = as_type(names[t], big, bytes);
      snprintf(header, sizeof header, "NRRD0005\ntype: %s\n" GRID "%s\nencoding: raw\n\n", names[t],
               size == N ? "# no endian"
               : big     ? "endian: big"
                         : "endian: little");
      write_parts("type.nrrd", header, bytes, size);
      expect("type.nrrd", straight, NULL);
    }
  }
}

static void encodings(void **state) {
  unsigned char bytes[8 * N], packed[4096], skipped[8 * N + 7] = "before";
  char text[1024] = "";
  (void)state;
  size_t size = as_type("short", false, bytes);
  for (int v = 0; v < N; v++) {
    size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, "%d%s", label_of(v), v % 5 == 4 ? "\n" : " ");
  }
  memcpy(skipped + 7, bytes, size);
#define HEAD "NRRD0004\ntype: short\nendian: little\n" GRID
  write_parts("e.nrrd", HEAD "encoding: gzip\n\n", packed, gzip_bytes(bytes, size, packed, sizeof packed));
  expect("e.nrrd", straight, NULL);
  write_parts("e.nrrd", HEAD "encoding: gz\nbyte skip: 7\n\n", packed,
              gzip_bytes(skipped, size + 7, packed, sizeof packed));
  expect("e.nrrd", straight, NULL);
  size_t half = gzip_bytes(bytes, 20, packed, sizeof packed); /* two members */
  half += gzip_bytes(bytes + 20, size - 20, packed + half, sizeof packed - half);
  write_parts("e.nrrd", HEAD "encoding: gzip\n\n", packed, half);
  expect("e.nrrd", straight, NULL);
  write_parts("e.nrrd", HEAD "encoding: bzip2\n\n", packed, bzip2_bytes(bytes, size, packed, sizeof packed));
  expect("e.nrrd", straight, NULL);
  write_parts("e.nrrd", HEAD "encoding: ascii\n\n", text, strlen(text));
  expect("e.nrrd", straight, NULL);
  write_parts("e.nrrd", HEAD "encoding: raw\nbyte skip: -1\n\nsome other bytes", bytes, size);
  expect("e.nrrd", straight, NULL);
  write_parts("e.nrrd", HEAD "encoding: raw\nbyte skip: 7\n\n", skipped, size + 7);
  expect("e.nrrd", straight, NULL);
  write_parts("e.nrrd", HEAD "encoding: raw\nline skip: 2\nbyte skip: 3\n\none\ntwo\nabc", bytes, size);
  expect("e.nrrd", straight, NULL);
  write_parts("e.nrrd",
              "NRRD0004\r\ntype: short\r\nendian: little\r\ndimension: 3\r\nspace: RAS\r\nsizes: 4 3 2\r\n"
              "space directions: (2,0,0) (0,3,0) (0,0,4)\r\nspace origin: (10,20,30)\r\nencoding: raw\r\n\r\n",
              bytes, size);
  expect("e.nrrd", straight, NULL);
  write_parts("e.raw", "", bytes, size);
  write_parts("e.nhdr", HEAD "encoding: raw\ndata file: e.raw\n", NULL, 0);
  expect("e.nhdr", straight, NULL);
  write_parts("e.raw.gz", "", packed, gzip_bytes(bytes, size, packed, sizeof packed));
  write_parts("e.nhdr", HEAD "encoding: gzip\ndatafile: e.raw.gz\n\n", NULL, 0);
  expect("e.nhdr", straight, NULL);
}

/* ---- Segmentations ---- */

#define SEGMENTATION(dimension, sizes, none, kinds)                                                                    \
  "NRRD0004\ntype: unsigned char\ndimension: " dimension "\nspace: left-posterior-superior\nsizes: " sizes             \
  "\nspace directions: " none "(2,0,0) (0,3,0) (0,0,4)\nkinds: " kinds "\nencoding: raw\nspace origin: (0,0,0)\n"

static void segments_by_name(void **state) {
  uint8_t voxels[N];
  IrzPlan *plan = NULL;
  IrzLabelMap *map;
  IrzError error;
  (void)state;
  for (int v = 0; v < N; v++) voxels[v] = (uint8_t)label_of(v);
  /* The second has no name, so that its ID counts; no layers, as in older files. */
  write_parts("s.seg.nrrd",
              SEGMENTATION("3", "4 3 2", "",
                           "domain domain domain") "Segment0_ID:=Segment_1\nSegment0_Name:=right "
                                                   "lung\nSegment0_LabelValue:=2\nSegment0_Color:=0.5 0.25 1\n"
                                                   "Segment1_ID:=vein\nSegment1_LabelValue:=1\nSegment3_ID:=behind a "
                                                   "gap\nSegment3_LabelValue:=7\n"
                                                   "Segmentation_MasterRepresentation:=Binary labelmap\n\n",
              voxels, sizeof voxels);
  assert_int_equal(
      read_plan_map("anatomy: {labels: s.seg.nrrd, map: {right lung: a, vein: b}}\n" PROBES, &plan, &map, &error),
      IRZ_OK);
  assert_int_equal(map->region[2], 1);
  assert_int_equal(map->region[1], 2);
  assert_int_equal(map->n_labels, 2);
  assert_string_equal(map->labels[0].name, "right lung");
  assert_int_equal(map->labels[0].value, 2);
  assert_int_equal(map->labels[0].region, 1);
  assert_near(map->labels[0].color[1], 0.25, 1e-6);
  assert_true(map->labels[1].color[0] < 0);
  irz_label_map_free(map);
  irz_plan_free(plan);
}

static void overlapping_layers(void **state) {
  uint8_t voxels[2 * N];
  IrzPlan *plan = NULL;
  IrzLabelMap *map;
  IrzError error;
  (void)state;
  /* Layer 0: liver (1) in the first 12 voxels; layer 1: tumour, which has 1 as well, in voxels 6 to 17. */
  for (int v = 0; v < N; v++) {
    voxels[2 * v] = v < 12;
    voxels[2 * v + 1] = v >= 6 && v < 18;
  }
  write_parts("o.seg.nrrd",
              SEGMENTATION("4", "2 4 3 2", "none ",
                           "list domain domain domain") "Segment0_ID:=S1\nSegment0_Name:=liver\nSegment0_LabelValue:="
                                                        "1\nSegment0_Layer:=0\n"
                                                        "Segment1_ID:=S2\nSegment1_Name:=tumour\nSegment1_LabelValue:="
                                                        "1\nSegment1_Layer:=1\n\n",
              voxels, sizeof voxels);
  static const char *const plans[] = {"anatomy: {labels: o.seg.nrrd, map: {liver: a, tumour: b}}\n" PROBES,
                                      "anatomy: {labels: o.seg.nrrd, map: {tumour: b, liver: a}}\n" PROBES};
  for (int last = 0; last < 2; last++) {
    assert_int_equal(read_plan_map(plans[last], &plan, &map, &error), IRZ_OK);
    int first = last == 0 ? 1 : 2; /* region of the entry that stands first: regions are numbered in that order */
    int liver = first, tumour = 3 - first;
    for (int v = 0; v < N; v++) {
      int wanted = v < 6 ? liver : v < 12 ? 2 : v < 18 ? tumour : 0; /* region 2 is the last listed */
      assert_int_equal(map->region[v], wanted);
    }
    assert_true(
        warned(plan, last == 0 ? "6 voxels are in a and in b: they are b" : "6 voxels are in b and in a: they are a"));
    irz_label_map_free(map);
    irz_plan_free(plan);
  }
  /* A number that two segments have. */
  assert_int_equal(read_plan_map("anatomy: {labels: o.seg.nrrd, map: {1: a}}\n" PROBES, &plan, &map, &error),
                   IRZ_ERR_PLAN);
  assert_non_null(strstr(error.text, "two segments have this number: liver (layer 0) and tumour (layer 1)"));
  irz_plan_free(plan);
}

static void layers_by_number(void **state) {
  uint8_t voxels[2 * N];
  IrzPlan *plan = NULL;
  IrzLabelMap *map;
  IrzError error;
  (void)state;
  /* Without _Layer each segment is in the layer of its own number, without _LabelValue its value is 1. */
  for (int v = 0; v < N; v++) voxels[2 * v] = v == 3, voxels[2 * v + 1] = v == 4;
  write_parts(
      "l.seg.nrrd",
      SEGMENTATION(
          "4", "2 4 3 2", "none ",
          "list domain domain domain") "Segment0_ID:=S1\nSegment0_Name:=p\nSegment1_ID:=S2\nSegment1_Name:=q\n\n",
      voxels, sizeof voxels);
  assert_int_equal(read_plan_map("anatomy: {labels: l.seg.nrrd, map: {p: a, q: b}}\n" PROBES, &plan, &map, &error),
                   IRZ_OK);
  for (int v = 0; v < N; v++) assert_int_equal(map->region[v], v == 3 ? 1 : v == 4 ? 2 : 0);
  irz_label_map_free(map);
  irz_plan_free(plan);
}

/* Three segments in one place: each of the others is counted against the one that counts there. */
static void three_layers(void **state) {
  uint8_t voxels[3 * N];
  IrzPlan *plan = NULL;
  IrzLabelMap *map;
  IrzError error;
  (void)state;
  for (int v = 0; v < N; v++) voxels[3 * v] = v < 20, voxels[3 * v + 1] = v < 10, voxels[3 * v + 2] = v < 4;
  write_parts("t.seg.nrrd",
              SEGMENTATION("4", "3 4 3 2", "none ",
                           "list domain domain domain") "Segment0_ID:=S1\nSegment0_Name:=liver "
                                                        "\nSegment1_ID:=S2\nSegment1_Name:=tumour\nSegment2_ID:=S3\n"
                                                        "Segment2_Name:=vein\n\n",
              voxels, sizeof voxels);
  assert_int_equal(read_plan_map("anatomy: {labels: t.seg.nrrd, map: {liver: a, tumour: b, vein: default}}\n" PROBES,
                                 &plan, &map, &error),
                   IRZ_OK);
  for (int v = 0; v < N; v++) assert_int_equal(map->region[v], v < 4 ? 0 : v < 10 ? 2 : v < 20 ? 1 : 0);
  assert_true(warned(plan, "4 voxels are in a and in default: they are default"));
  assert_true(warned(plan, "4 voxels are in b and in default: they are default"));
  assert_true(warned(plan, "6 voxels are in a and in b: they are b"));
  irz_label_map_free(map);
  irz_plan_free(plan);
}

/* ---- Names ---- */

/// A NIfTI file with an extension before its voxels, as TotalSegmentator writes it.
static void write_named(const char *path, const char *xml) {
  nifti_1_header h = nifti_header(NX, NY, NZ);
  size_t length = (strlen(xml) + 8 + 15) / 16 * 16, at = 352 + length;
  unsigned char *bytes = calloc(at + N, 1);
  h.vox_offset = (float)at;
  memcpy(bytes, &h, 348);
  bytes[348] = 1;
  for (int b = 0; b < 4; b++) bytes[352 + b] = (unsigned char)(length >> 8 * b);
  for (size_t c = 0; xml[c] != '\0'; c++) bytes[360 + c] = (unsigned char)xml[c];
  for (int v = 0; v < N; v++) bytes[at + (size_t)v] = (unsigned char)label_of(v);
  write_bytes(path, bytes, at + N);
  free(bytes);
}

static void names_in_nifti(void **state) {
  IrzPlan *plan = NULL;
  IrzLabelMap *map;
  IrzError error;
  (void)state;
  write_named("n.nii.gz",
              "<?xml version=\"1.0\"?><CaretExtension><VolumeInformation><LabelTable>"
              "<Label Key=\"1\" Red=\"0.5\" Green=\"1\" Blue=\"0\" Alpha=\"1\"><![CDATA[liver & co]]></Label>\n"
              "<Label Alpha='1' Key='2'>portal&amp;vein</Label></LabelTable></VolumeInformation></CaretExtension>");
  assert_int_equal(
      read_plan_map("anatomy: {labels: n.nii.gz, map: {portal&vein: a, liver & co: b}}\n" PROBES, &plan, &map, &error),
      IRZ_OK);
  for (int v = 0; v < N; v++) assert_int_equal(map->region[v], (3 - label_of(v)) % 3);
  assert_near(map->labels[0].color[0], 0.5, 1e-6);
  irz_label_map_free(map);
  irz_plan_free(plan);
}

static void names_beside(void **state) {
  static const char *const files[][2] = {
      {"snap.txt", "# ITK-SNAP\n    0     0    0    0        0  0  0    \"Clear Label\"\n"
                   "    1   255    0    0        1  1  1    \"right liver\"\n    2 0 255 0 0.5 1 1 \"tumour 1\"\n"},
      {"slicer.ctbl", "# Color table file snap.txt\n# 3 values\n0 Background 0 0 0 0\n1 right_liver 255 0 0 255\r\n"
                      "2 tumour_1 0 255 0 255\n"},
  };
  uint8_t voxels[N];
  (void)state;
  for (int v = 0; v < N; v++) voxels[v] = (uint8_t)label_of(v);
  nifti_1_header h = nifti_header(NX, NY, NZ);
  write_nifti("plain.nii", &h, voxels, sizeof voxels);
  for (int f = 0; f < 2; f++) {
    char text[1024];
    IrzPlan *plan = NULL;
    IrzLabelMap *map;
    IrzError error;
    write_parts(files[f][0], files[f][1], NULL, 0);
    snprintf(text, sizeof text, "anatomy: {labels: plain.nii, names: %s, map: {right liver: a, tumour_1: b}}\n" PROBES,
             files[f][0]);
    if (read_plan_map(text, &plan, &map, &error) != IRZ_OK) fail_msg("%s: %s", files[f][0], error.text);
    for (int v = 0; v < N; v++) assert_int_equal(map->region[v], label_of(v));
    assert_near(map->labels[1].color[0], 1, 1e-6);
    assert_near(map->labels[1].color[1], 0, 1e-6);
    irz_label_map_free(map);
    irz_plan_free(plan);
  }
}

int main(void) {
  char folder[64], command[96];
  enter_folder(folder);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(placed),
      cmocka_unit_test(types),
      cmocka_unit_test(encodings),
      cmocka_unit_test(segments_by_name),
      cmocka_unit_test(overlapping_layers),
      cmocka_unit_test(layers_by_number),
      cmocka_unit_test(three_layers),
      cmocka_unit_test(names_in_nifti),
      cmocka_unit_test(names_beside),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  snprintf(command, sizeof command, "rm -r %s", folder);
  return system(command) == 0 ? failed : 1;
}
