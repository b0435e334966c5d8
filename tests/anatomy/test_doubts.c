/* Where needles lie in a label map, and what is said about needles that cannot be meant there.

   The image: 60^3 voxels of 2 mm, its middle at (80, -100, 0) mm. Relative to that: liver (1) is the cube of 80 mm, a
   tumour (2) of radius 12 mm at (20, 10, 4), a vein (3) of radius 4 mm along y at x = 0, z = -20, and a cyst (5) of
   radius 4 mm at (-25, -25, -25). */
#include "nifti_file.h"
#include "plan/plan.h"

#define N 60

static double distance(double x, double y, double z) {
  return sqrt(x * x + y * y + z * z);
}

static void write_patient(void) {
  static unsigned char labels[N * N * N];
  nifti_1_header h = nifti_header(N, N, N);

  h.srow_x[0] = h.srow_y[1] = h.srow_z[2] = h.pixdim[1] = h.pixdim[2] = h.pixdim[3] = 2;
  h.srow_x[3] = 80 - 59;
  h.srow_y[3] = -100 - 59;
  h.srow_z[3] = -59;
  for (int v = 0; v < N * N * N; v++) {
    double x = 2 * (v % N) - 59, y = 2 * (v / N % N) - 59, z = 2 * (v / N / N) - 59;
    labels[v] = fabs(x) < 40 && fabs(y) < 40 && fabs(z) < 40;
    if (distance(x - 20, y - 10, z - 4) < 12) labels[v] = 2;
    if (distance(x, z + 20, 0) < 4) labels[v] = 3;
    if (distance(x + 25, y + 25, z + 25) < 4) labels[v] = 5;
  }
  write_nifti("patient.nii.gz", &h, labels, sizeof(labels));
}

#define MAP "{1: liver, 2: tumour, 3: vein, 5: cyst}"
#define FAT "default: {preset: fat}"

/// A plan and what must be said of it: all of `words`, of which each is in a warning; NULL: nothing.
typedef struct {
  const char *what, *map, *frame, *tissue, *probes, *words[4];
} Plan;

#define NEEDLE(name, x, y, z, direction)                                                                               \
  "{name: " name ", tip: [" x ", " y ", " z "], direction: " direction ", exposure: 16}"
/* A pair in the tumour, whose middle is (100, -90, 4) */
#define PAIR "[" NEEDLE("A", "94", "-90", "-4", "[0, 0, 1]") ", " NEEDLE("B", "106", "-90", "-4", "[0, 0, 1]") "]"

static const Plan plans[] = {
    {"what is meant", MAP, "RAS", FAT, PAIR, {NULL}},
    {"the same in LPS",
     MAP,
     "LPS",
     FAT,
     "[" NEEDLE("A", "-94", "90", "-4", "[0, 0, 1]") ", " NEEDLE("B", "-106", "90", "-4", "[0, 0, 1]") "]",
     {NULL}},
    {"LPS taken for RAS",
     MAP,
     "RAS",
     FAT,
     "[" NEEDLE("A", "-94", "90", "-4", "[0, 0, 1]") ", " NEEDLE("B", "-106", "90", "-4", "[0, 0, 1]") "]",
     {"32.0 of 32.0 mm of bare metal (A, B) lie outside the image patient.nii.gz, which covers x 20 to 140, y -160 to "
      "-40, "
      "z -60 to 60 mm (RAS)",
      "With frame: LPS 32.0 mm would lie in mapped regions: 32.0 mm in tumour"}},
    {"RAS taken for LPS",
     MAP,
     "LPS",
     FAT,
     PAIR,
     {"With frame: RAS 32.0 mm would lie in mapped regions: 32.0 mm in tumour"}},
    {"cm taken for mm",
     MAP,
     "RAS",
     FAT,
     "[{tip: [9.2, -9, -0.4], exposure: 16}, {tip: [10.8, -9, -0.4], exposure: 16, diameter: 0.3}]",
     {"outside the image", "If the tips were given in cm instead of mm, 32.0 mm would lie"}},
    {"voxels taken for mm",
     MAP,
     "RAS",
     FAT,
     "[{tip: [37, 34.5, 28], exposure: 16}, {tip: [43, 34.5, 28], exposure: 16}]",
     {"outside the image",
      "If the tips were given as numbers of voxels, 32.0 mm would lie in mapped regions: 32.0 mm in "
      "tumour"}},
    {"needles beside the liver",
     MAP,
     "RAS",
     FAT,
     "[{tip: [128, -90, -4], exposure: 16}, {tip: [128, -106, -4], exposure: 16}]",
     {"bare metal lies in no mapped region, so in the default tissue (fat): 16.0 of 16.0 mm of A, 16.0 of 16.0 mm of "
      "B"}},
    {"default is the liver, and the tumour is beside the needles",
     "{2: tumour}",
     "RAS",
     "default: {preset: liver}",
     "[{tip: [85, -90, -4], exposure: 16}, {tip: [115, -90, -4], exposure: 16}]",
     {NULL}},
    {"the same, far from it",
     "{2: tumour}",
     "RAS",
     "default: {preset: liver}",
     "[{tip: [50, -120, -4], exposure: 16}, {tip: [50, -100, -4], exposure: 16}]",
     {"bare metal lies in no mapped region, so in the default tissue (liver)", "comes nearer than 39.6"}},
    {"needles in the liver, far from the tumour",
     MAP,
     "RAS",
     FAT,
     "[{tip: [60, -124, 4], exposure: 16}, {tip: [60, -110, 4], exposure: 16}]",
     {"no bare metal comes nearer than 33.6"}},
    {"a tip in the vein",
     MAP,
     "RAS",
     FAT,
     "[{tip: [100, -90, -4], exposure: 16}, {tip: [80, -110, -20], direction: [1, 0, 1], exposure: 16}]",
     {"probes: 2.8 mm of the bare metal of B, its tip among them, lie in vein"}},
    {"metal through the vein",
     MAP,
     "RAS",
     FAT,
     "[{tip: [100, -90, -4], exposure: 16}, {tip: [72, -110, -20], direction: [1, 0, 0], exposure: 16}]",
     {"probes: 8.0 mm of the bare metal of B lie in vein"}},
    {"a shaft through the vein",
     MAP,
     "RAS",
     FAT,
     "[{tip: [102, -90, 2], direction: [-1, 0, -1], exposure: 12}, {tip: [102, -78, 2], direction: [0, 0, 1], "
     "exposure: 12}]",
     {"probes: the shaft of A passes", "mm of vein"}},
    {"reversed needles",
     MAP,
     "RAS",
     FAT,
     "[" NEEDLE("A", "94", "-90", "-4", "[0, 0, -1]") ", " NEEDLE("B", "106", "-90", "-4", "[0, 0, -1]") "]",
     {"with the direction reversed, the bare metal of A, B would lie there: 32.0 mm in tumour"}},
    {"tips that came out at the other side",
     MAP,
     "RAS",
     FAT,
     "[{tip: [94, -90, -57], exposure: 16}, {tip: [106, -90, -57], exposure: 16}]",
     {"the shaft of A, B passes mapped regions, but none of its bare metal lies in one",
      "in the default tissue (fat)"}},
    {"labels swapped",
     "{2: liver, 1: tumour, 3: vein, 5: cyst}",
     "RAS",
     FAT,
     PAIR,
     {"tumour has 68", "times the volume of liver: are their labels swapped?"}},
    {"a label beside the needles that is not mapped",
     "{1: liver, 2: tumour, 3: vein}",
     "RAS",
     FAT,
     "[{tip: [52, -125, -33], exposure: 16}, {tip: [100, -90, -4], exposure: 16}]",
     {"anatomy.map: label 5 occurs within 10 mm of bare metal but is not mapped",
      "Map it, to default if that is meant"}},
    {"the same, mapped to default",
     "{1: liver, 2: tumour, 3: vein, 5: default}",
     "RAS",
     FAT,
     "[{tip: [52, -125, -33], exposure: 16}, {tip: [100, -90, -4], exposure: 16}]",
     {NULL}},
    {"a label that is not mapped, but far", "{1: liver, 2: tumour, 3: vein}", "RAS", FAT, PAIR, {NULL}},
};

/// Read a plan with its map; free both.
static IrzPlan *read_plan(const Plan *plan, IrzLabelMap **map, IrzPaths **paths) {
  static const char *const regions[] = {"liver", "tumour", "vein", "cyst"};
  static const char *const presets[] = {"liver", "liver-tumour", "vessel", "gel"};
  char text[4000];
  IrzPlan *read;
  IrzError error = {.code = IRZ_OK};
  int used = snprintf(
      text, sizeof(text),
      "mesh: {size: 160}\nanatomy: {labels: patient.nii.gz, frame: %s, map: %s}\nprobes: %s\npulses: [{from: A, to: B, "
      "voltage: 1500}]\ntissues: {%s",
      plan->frame, plan->map, plan->probes, plan->tissue);

  for (int r = 0; r < 4; r++) {
    if (strstr(plan->map, regions[r]) == NULL) continue;
    used += snprintf(text + used, sizeof(text) - (size_t)used, ", %s: {preset: %s}", regions[r], presets[r]);
  }
  snprintf(text + used, sizeof(text) - (size_t)used, "}\n");
  if (irz_plan_parse(text, "p.yaml", 0, NULL, &read, &error) != IRZ_OK) fail_msg("%s: %s", plan->what, error.text);
  if (irz_label_map_read(read, map, &error) != IRZ_OK) fail_msg("%s: %s", plan->what, error.text);
  if (irz_paths_find(read, *map, paths, &error) != IRZ_OK) fail_msg("%s: %s", plan->what, error.text);
  return read;
}

static void what_is_said(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
    IrzLabelMap *map;
    IrzPaths *paths;
    IrzPlan *plan = read_plan(&plans[i], &map, &paths);
    int before = plan->n_warnings;

    irz_anatomy_doubt(plan, map, paths);
    if (plans[i].words[0] == NULL && plan->n_warnings > before)
      fail_msg("%s: '%s'", plans[i].what, plan->warnings[before]);
    for (int k = 0; plans[i].words[k] != NULL; k++) {
      bool said = false;
      for (int w = before; w < plan->n_warnings; w++)
        said = said || strstr(plan->warnings[w], plans[i].words[k]) != NULL;
      if (!said) {
        for (int w = before; w < plan->n_warnings; w++) print_message("%s\n", plan->warnings[w]);
        fail_msg("%s: nothing says '%s'", plans[i].what, plans[i].words[k]);
      }
    }
    irz_paths_free(paths);
    irz_label_map_free(map);
    irz_plan_free(plan);
  }
}

/// Lengths by region against those of the cylinders and spheres that the voxels are made from, to a voxel at each end;
/// oblique lines against sums over many points.
static void lengths(void **state) {
  static const Plan slanting = {"slanting",
                                MAP,
                                "RAS",
                                FAT,
                                "[{tip: [60, -115, -20], direction: [40, 25, 24], exposure: 50}, {tip: [60, -60, 0]}]",
                                {NULL}};
  IrzLabelMap *map;
  IrzPaths *paths;

  (void)state;
  IrzPlan *plan = read_plan(&slanting, &map, &paths);
  assert_int_equal(paths->n_regions, 5);
  assert_string_equal(paths->region[5], "outside the image");
  enum { POINTS = 400000 };
  const IrzProbe *probe = &plan->probes[0];
  double sum[2][6] = {{0}}, shaft = 0, total = 0;
  for (int r = 0; r < 6; r++) shaft += paths->shaft[r], total += paths->metal[r];
  assert_near(total, 0.05, 1e-12);
  for (int part = 0; part < 2; part++) {
    double from = part ? 0.05 : 0, length = part ? shaft : 0.05;
    for (int i = 0; i < POINTS; i++) {
      double t = from + (i + 0.5) / POINTS * length, x[3];
      for (int d = 0; d < 3; d++) x[d] = probe->tip[d] + t * probe->direction[d];
      int region = irz_label_map_region(map, x);
      bool outside = x[0] < 0.02 || x[0] > 0.14 || x[1] < -0.16 || x[1] > -0.04 || x[2] < -0.06 || x[2] > 0.06;
      sum[part][outside ? 5 : region] += length / POINTS;
    }
  }
  for (int r = 0; r < 6; r++) {
    assert_near(paths->metal[r], sum[0][r], 1e-6);
    assert_near(paths->shaft[r], sum[1][r], 2e-6);
  }
  assert_true(paths->metal[1] > 0.02 && paths->metal[2] > 5e-3 && paths->shaft[5] > 1e-3);
  irz_paths_free(paths);
  irz_label_map_free(map);
  irz_plan_free(plan);
}

/// The nearest voxel of a region, found by the pyramid, is that found by looking at all of them.
static void nearest(void **state) {
  IrzLabelMap *map;
  IrzPaths *paths;

  (void)state;
  for (int which = 0; which < 2; which++) {
    IrzPlan *plan = read_plan(&plans[which == 0 ? 0 : 10], &map, &paths);
    for (int r = 0; r < map->n_regions; r++) {
      double least = INFINITY;
      for (int v = 0; v < N * N * N; v++) {
        if (map->region[v] != r) continue;
        const double x[3] = {1e-3 * (2 * (v % N) - 59 + 80), 1e-3 * (2 * (v / N % N) - 59 - 100),
                             1e-3 * (2 * (v / N / N) - 59)};
        for (int p = 0; p < plan->n_probes; p++) {
          const IrzProbe *probe = &plan->probes[p];
          double along = 0, square = 0;
          for (int d = 0; d < 3; d++) along += (x[d] - probe->tip[d]) * probe->direction[d];
          along = fmin(fmax(along, 0), probe->exposure);
          for (int d = 0; d < 3; d++) square += pow(x[d] - probe->tip[d] - along * probe->direction[d], 2);
          least = fmin(least, sqrt(square));
        }
      }
      assert_near(irz_label_map_nearest(map, plan, r), least, 1e-12);
    }
    irz_paths_free(paths);
    irz_label_map_free(map);
    irz_plan_free(plan);
  }
}

/// Labels are only taken for swapped where the tumour is clearly the larger one.
static void swapped(void **state) {
  static const struct {
    double ratio;
    bool said;
  } cases[] = {{0.5, false}, {1.02, false}, {1.9, false}, {2.1, true}};

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    IrzLabelMap *map;
    IrzPaths *paths;
    IrzPlan *plan = read_plan(&plans[0], &map, &paths);
    int before = plan->n_warnings, found = 0;
    int liver = strcmp(map->regions[1].name, "liver") == 0 ? 1 : 2;
    assert_string_equal(map->regions[liver].name, "liver");
    assert_string_equal(map->regions[3 - liver].name, "tumour");
    map->voxels[liver] = 1000;
    map->voxels[3 - liver] = (int64_t)(1000 * cases[i].ratio);
    irz_anatomy_doubt(plan, map, paths);
    for (int w = before; w < plan->n_warnings; w++) found += strstr(plan->warnings[w], "labels swapped") != NULL;
    assert_int_equal(found, cases[i].said);
    irz_paths_free(paths);
    irz_label_map_free(map);
    irz_plan_free(plan);
  }
}

/// With a pull-back, what needles pass at every position, and a line for each.
static void positions(void **state) {
  IrzLabelMap *map;
  IrzPaths *paths;
  IrzError error = {.code = IRZ_OK};
  char *text = NULL;
  size_t size = 0;

  (void)state;
  IrzPlan *plan = read_plan(&plans[0], &map, &paths);
  assert_int_equal(paths->n_positions, 1);
  irz_paths_free(paths);
  assert_int_equal(irz_plan_set(plan, "pullback", "{step: 5, count: 2}", &error), IRZ_OK);
  assert_int_equal(irz_paths_find(plan, map, &paths, &error), IRZ_OK);
  assert_int_equal(paths->n_positions, 3);
  int columns = paths->n_regions + 1;
  for (int k = 0; k < 3; k++) {
    for (int p = 0; p < plan->n_probes; p++) {
      const IrzProbe *probe = &plan->probes[p];
      double length[IRZ_LABEL_MAX_REGIONS + 1] = {0};
      irz_label_map_line(map, probe->tip, probe->direction, 5e-3 * k, 5e-3 * k + probe->exposure, length);
      for (int r = 0; r < columns; r++) {
        assert_near(paths->metal[(k * plan->n_probes + p) * columns + r], length[r], 1e-12);
      }
    }
  }
  FILE *out = open_memstream(&text, &size);
  irz_paths_print(paths, plan, out);
  fclose(out);
  assert_non_null(strstr(text, "  A: bare metal "));
  assert_non_null(strstr(text, "  B, withdrawn by 10 mm: bare metal "));
  free(text);
  irz_paths_free(paths);
  irz_label_map_free(map);
  irz_plan_free(plan);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_said), cmocka_unit_test(lengths),
                                     cmocka_unit_test(nearest), cmocka_unit_test(swapped), cmocka_unit_test(positions)};
  char folder[64];

  enter_folder(folder);
  write_patient();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
