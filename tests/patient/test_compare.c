/* The computed zone against a measured one: overlaps and distances of spheres against formulas; a follow-up image that
   is the zone itself, and the same moved by a known way. And structures at risk in the same run. */
#include "nifti_file.h"
#include "patient/compare.h"
#include <irezone/session.h>
#include <irezone/start.h>

/* ---- Spheres ---- */

enum { AROUND = 120, DOWN = 60 };

/// A sphere of triangles, m.
static void make_sphere(double radius, double x, IrzSurface *surface) {
  const double pi = acos(-1);
  *surface = (IrzSurface){.n_points = AROUND * (DOWN + 1), .n_triangles = 2 * AROUND * DOWN};
  surface->points = calloc((size_t)surface->n_points, sizeof *surface->points);
  surface->triangles = calloc((size_t)surface->n_triangles, sizeof *surface->triangles);
  int32_t n = 0;
  for (int i = 0; i <= DOWN; i++) {
    for (int j = 0; j < AROUND; j++) {
      double polar = pi * i / DOWN, turn = 2 * pi * j / AROUND, *p = surface->points[i * AROUND + j];
      p[0] = x + radius * sin(polar) * cos(turn);
      p[1] = radius * sin(polar) * sin(turn);
      p[2] = radius * cos(polar);
      if (i == DOWN) continue;
      int32_t a = i * AROUND + j, b = i * AROUND + (j + 1) % AROUND;
      memcpy(surface->triangles[n++], (int32_t[3]){a, a + AROUND, b}, sizeof *surface->triangles);
      memcpy(surface->triangles[n++], (int32_t[3]){b, a + AROUND, b + AROUND}, sizeof *surface->triangles);
    }
  }
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/// What the distances from a sphere of radius a to one of radius b come to, whose middle is a way off: cosines are
/// spread evenly by area.
static void sphere_distances(double a, double b, double shift, double *p95, double *mean) {
  enum { N = 20001 };
  static double distance[N];
  *mean = 0;
  for (int i = 0; i < N; i++) {
    double u = -1 + 2 * (i + 0.5) / N;
    distance[i] = fabs(sqrt(a * a + shift * shift - 2 * a * shift * u) - b);
    *mean += distance[i] / N;
  }
  qsort(distance, N, sizeof *distance, by_size);
  *p95 = distance[(int)(0.95 * N)];
}

static void spheres(void **state) {
  (void)state;
  static const struct {
    double a, b, shift;
  } cases[] = {{10e-3, 10e-3, 0}, {10e-3, 12e-3, 0}, {10e-3, 10e-3, 3e-3}, {12e-3, 9e-3, 4e-3}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    IrzSurface a, b;
    IrzTree tree_a, tree_b;
    IrzError error = {0};
    double hausdorff, mean, p95[2], means[2];
    make_sphere(cases[i].a, 0, &a);
    make_sphere(cases[i].b, cases[i].shift, &b);
    assert_int_equal(irz_tree_create(&a, NULL, &tree_a, &error), IRZ_OK);
    assert_int_equal(irz_tree_create(&b, NULL, &tree_b, &error), IRZ_OK);
    assert_int_equal(irz_compare_surfaces(&a, NULL, &tree_a, &b, &tree_b, 1, &hausdorff, &mean, &error), IRZ_OK);
    sphere_distances(cases[i].a, cases[i].b, cases[i].shift, &p95[0], &means[0]);
    sphere_distances(cases[i].b, cases[i].a, cases[i].shift, &p95[1], &means[1]);
    double area_a = cases[i].a * cases[i].a, area_b = cases[i].b * cases[i].b;
    assert_near(hausdorff, fmax(p95[0], p95[1]), 0.03e-3);
    assert_near(mean, (area_a * means[0] + area_b * means[1]) / (area_a + area_b), 0.03e-3);
    irz_tree_clear(&tree_a);
    irz_tree_clear(&tree_b);
    irz_surface_clear(&a);
    irz_surface_clear(&b);
  }
}

/// A field that falls off from a point, E = 1000 V/cm (1 - r / 40 mm), and a measured ball of 20 mm around that: a
/// threshold makes a ball, too, and that of 500 V/cm is the same.
static void overlaps(void **state) {
  (void)state;
  enum { N = 90 };
  static float field[N * N * N];
  static uint8_t measured[N * N * N];
  IrzComparison made = {0};
  for (int i = 0; i < N * N * N; i++) {
    double x = i % N - 44.5, y = i / N % N - 44.5, z = i / N / N - 44.5, r = sqrt(x * x + y * y + z * z);
    field[i] = (float)(1e5 * fmax(1 - r / 40, 0));
    measured[i] = r < 20;
  }
  irz_compare_levels((size_t)N * N * N, field, measured, &made);
  assert_near(made.best_threshold, 50000, 500);
  assert_near(made.best_dice, 1, 0.005);
  for (int i = 0; i < IRZ_MAX_DICE; i++) {
    double radius = 40 * (1 - made.by_threshold[i].threshold / 1e5);
    double least = fmin(fmax(radius, 0), 20), wanted = 2 * pow(least, 3) / (pow(fmax(radius, 0), 3) + 8000);
    assert_near(made.by_threshold[i].threshold, 100 * (200 + 50 * i), 1e-9);
    assert_near(made.by_threshold[i].dice, wanted, 0.01);
  }
}

/* ---- A run ---- */

enum { SIZE = 90 };
static const double spacing = 0.6e-3;

/* How far the Dice coefficient of a zone with its own voxels may be from 1. */
#ifdef IRZ_SANITIZED /* Gmsh reads memory that it has not set: another allocator, another mesh */
static const double of_itself = 0.03;
#else
static const double of_itself = 0.02;
#endif

#define PLAN                                                                                                           \
  "mesh: {size: 80, accuracy: 8}\ntissues: {default: {preset: liver, threshold: 500}}\narray: {count: 2, spacing: "    \
  "15, "                                                                                                               \
  "exposure: 15}\npulses: {pairs: all, field: 1500}\nzone: {threshold: 500}\n"

static IrzResult *solve(IrzSession *session, const char *more) {
  char text[2048];
  IrzPlan *plan;
  IrzResult *result;
  IrzError error = {0};
  snprintf(text, sizeof text, "%s%s", PLAN, more);
  if (irz_plan_parse(text, "p.yaml", 0, NULL, &plan, &error) != IRZ_OK) fail_msg("%s", error.text);
  if (irz_session_solve(session, plan, &result, &error) != IRZ_OK) fail_msg("%s", error.text);
  irz_plan_free(plan);
  return result;
}

static double number(const IrzResult *result, const char *path) {
  IrzError error = {0};
  double value;
  if (irz_result_number(result, path, &value, &error) != IRZ_OK) fail_msg("%s", error.text);
  return value;
}

static void the_zone_itself(void **state) {
  (void)state;
  static uint8_t labels[SIZE * SIZE * SIZE];
  IrzSession *session;
  IrzError error = {0};
  IrzVoxelGrid grid = {.size = {SIZE, SIZE, SIZE}};
  for (int d = 0; d < 3; d++) {
    grid.origin[d] = -0.5 * (SIZE - 1) * spacing;
    grid.step[d][d] = spacing;
  }
  if (irz_session_create(MPI_COMM_WORLD, NULL, &session, &error) != IRZ_OK) fail_msg("%s", error.text);
  IrzResult *alone = solve(session, "");
  double zone = number(alone, "zone.volume_cm3");
  assert_int_equal(irz_result_label_map(alone, &grid, labels, &error), IRZ_OK);
  irz_result_free(alone);
  nifti_1_header h = nifti_header(SIZE, SIZE, SIZE);
  h.srow_x[0] = h.srow_y[1] = h.srow_z[2] = h.pixdim[1] = h.pixdim[2] = h.pixdim[3] = (float)(1e3 * spacing);
  for (int moved = 0; moved < 2; moved++) {
    h.srow_x[3] = h.srow_y[3] = h.srow_z[3] = (float)(1e3 * grid.origin[0]);
    h.srow_y[3] += 2 * (float)moved; /* mm */
    write_nifti("follow_up.nii.gz", &h, labels, sizeof labels);
    IrzResult *result = solve(session, "patient: {compare: {labels: follow_up.nii.gz, label: 1}}\n");
    assert_near(number(result, "compare.voxel_mm"), 0.6, 1e-6);
    assert_near(number(result, "compare.volume_difference_cm3"), 0, 0.02 * zone);
    if (moved) {
      /* What moving by 2 mm does is seen to a fifth of a voxel in the largest distances. */
      assert_near(number(result, "compare.hausdorff95_mm"), 2, 0.2);
      assert_true(number(result, "compare.dice") < 0.95);
    } else {
      assert_near(number(result, "compare.dice"), 1, of_itself);
      assert_near(number(result, "compare.best.threshold_V_per_cm"), 500, 15);
      assert_true(number(result, "compare.mean_distance_mm") < 0.3);
      assert_true(number(result, "compare.hausdorff95_mm") < 0.6);
    }
    irz_result_free(result);
  }
  irz_session_free(session);
}

static void refused(void **state) {
  (void)state;
  static const struct {
    const char *compare, *words;
  } bad[] = {{"{labels: no_such.nii.gz}", "p.yaml:7: patient.compare.labels: "},
             {"{labels: follow_up.nii.gz, label: -1}", "patient.compare.label: -1 is no label of a zone"},
             {"{labels: follow_up.nii.gz, label: 7}",
              "p.yaml:7: patient.compare.label: no voxel of follow_up.nii.gz has the label 7"},
             {"{labels: follow_up.nii.gz, label: 0}", "p.yaml:7: patient.compare.label: 0 is no label of a zone"},
             {"{labels: follow_up.nii.gz, label: scar}", "patient.compare.label"}};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    char text[2048];
    IrzPlan *plan;
    IrzError error = {0};
    snprintf(text, sizeof text, "%spatient:\n  compare: %s\n", PLAN, bad[i].compare);
    if (irz_plan_parse(text, "p.yaml", 0, NULL, &plan, &error) == IRZ_OK)
      assert_int_not_equal(irz_compare_check(plan, &error), IRZ_OK);
    if (strstr(error.text, bad[i].words) == NULL) fail_msg("\"%s\" lacks \"%s\"", error.text, bad[i].words);
    irz_plan_free(plan);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(spheres), cmocka_unit_test(overlaps),
                                     cmocka_unit_test(the_zone_itself), cmocka_unit_test(refused)};
  irz_start(NULL);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  unlink("follow_up.nii.gz");
  irz_stop();
  return failed;
}
