/* Meshes made for label maps end where tissues end: volumes, sides, quality; at metal, at the box, where three meet. */
#include "mesh/generate.h"
#include "mesh/mesh_build.h"
#include "testing.h"
#include <irezone/anatomy.h>
#include <irezone/mesh.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_REGIONS = 4 };

static IrzGroup regions[MOST_REGIONS] = {
    {.name = "default"}, {.name = "one", .tag = 1}, {.name = "two", .tag = 2}, {.name = "three", .tag = 3}};
static IrzTissue tissues[MOST_REGIONS] = {
    {.region = "default"}, {.region = "one"}, {.region = "two"}, {.region = "three"}};

/// Which region a point is in, 0 to 3.
typedef int Shape(const double x[3]);

/// A map of a shape: a cube of `n` voxels of `step`, turned about the axis (1, 2, 2) / 3 and shifted.
static void make_map(Shape *shape, int n, double step, double angle, double shift, IrzLabelMap *map) {
  const double a[3] = {1.0 / 3, 2.0 / 3, 2.0 / 3};
  const int next[3][3] = {{-1, 2, 1}, {2, -1, 0}, {1, 0, -1}}, sign[3][3] = {{0, -1, 1}, {1, 0, -1}, {-1, 1, 0}};
  *map = (IrzLabelMap){.size = {n, n, n}, .spacing = {step, step, step}, .n_regions = MOST_REGIONS, .regions = regions};
  for (int r = 0; r < 3; r++) { /* rotation by Rodrigues' formula; its transpose is its inverse */
    map->to_world[r][3] = shift;
    for (int c = 0; c < 3; c++) {
      double turn = (r == c ? cos(angle) : sign[r][c] * sin(angle) * a[next[r][c]]) + (1 - cos(angle)) * a[r] * a[c];
      map->to_world[r][c] = step * turn;
      map->to_world[r][3] -= step * turn * (n - 1) / 2.0;
      map->to_voxel[c][r] = turn / step;
    }
  }
  for (int r = 0; r < 3; r++) {
    for (int c = 0; c < 3; c++) map->to_voxel[r][3] -= map->to_voxel[r][c] * map->to_world[c][3];
  }
  map->region = malloc((size_t)n * (size_t)n * (size_t)n);
  assert_non_null(map->region);
  for (int i = 0; i < n * n * n; i++) {
    const double v[3] = {i % n, i / n % n, i / n / n};
    double x[3];
    for (int k = 0; k < 3; k++) {
      const double *row = map->to_world[k];
      x[k] = row[0] * v[0] + row[1] * v[1] + row[2] * v[2] + row[3];
    }
    map->region[i] = (uint8_t)shape(x);
  }
}

static IrzPlan make_plan(double accuracy) {
  IrzPlan plan = {.file = "test.yaml",
                  .mesh = {.size = 0.1, .accuracy = accuracy, .order = 2},
                  .n_tissues = MOST_REGIONS,
                  .tissues = tissues,
                  .n_probes = 2};
  for (int p = 0; p < 2; p++) {
    plan.probes[p] = (IrzProbe){.name = {(char)('A' + p)},
                                .exposure = 0.015,
                                .diameter = 1.07e-3,
                                .has_geometry = true,
                                .tip = {p == 0 ? -0.006 : 0.006, 0, -0.0075},
                                .direction = {0, 0, 1},
                                .line = 10 + p};
  }
  return plan;
}

/// What a mesh for a map comes to.
typedef struct {
  IrzMesh *mesh;
  double volume[MOST_REGIONS]; ///< m^3, of elements wholly in a region
  double rest;                 ///< m^3, of elements without a region of their own within `within` of the origin
  double worst;                ///< degrees, smallest angle between faces
  double quality;              ///< smallest, see IrzMeshStats
} Found;

/// Within this distance of the origin all elements are to be fitted, m.
static const double within = 0.02;

static double distance_of(const double x[3], const double a[3]) {
  return sqrt((x[0] - a[0]) * (x[0] - a[0]) + (x[1] - a[1]) * (x[1] - a[1]) + (x[2] - a[2]) * (x[2] - a[2]));
}

/// Make a mesh for a shape and look at all its elements.
static Found make_mesh(const IrzPlan *plan, Shape *shape, int n, double step, double angle) {
  const double origin[3] = {0};
  IrzLabelMap map;
  IrzError error = {0};
  Found found = {.worst = 180};
  make_map(shape, n, step, angle, angle == 0 ? 0 : 0.3 * step, &map);
  if (irz_mesh_generate(plan, NULL, &map, &found.mesh, &error) != IRZ_OK) fail_msg("%s", error.text);
  free(map.region);
  const IrzMesh *mesh = found.mesh;
  IrzMeshStats stats;
  irz_mesh_stats(mesh, &stats);
  found.quality = stats.min_quality;
  if (irz_mesh_check(mesh, NULL, "made", &error) != IRZ_OK) fail_msg("%s", error.text);
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    double corner[4][3], bow[6][3], coefficient[20], volume = 0, farthest = 0;
    irz_mesh_tet_shape(mesh, t, corner, bow);
    irz_tet_bernstein(corner, bow, coefficient);
    for (int i = 0; i < 20; i++) {
      volume += coefficient[i] / 120;
      if (!(coefficient[i] > 0)) fail_msg("element %d may be inverted", t);
    }
    for (int i = 0; i < 4; i++) farthest = fmax(farthest, distance_of(corner[i], origin));
    found.worst = fmin(found.worst, asin(irz_tet_smallest_sine(mesh, t)) * 180 / M_PI);
    if (mesh->fitted[t]) {
      found.volume[mesh->region[t]] += volume;
    } else if (farthest < within) {
      found.rest += volume;
    }
  }
  return found;
}

/// How far a point is inside a shape's region 1, m; negative outside.
typedef double Depth(const double x[3]);

/// Largest distance by which corners of elements, and middles of their edges, are in another region than the elements.
static double farthest_wrong(const IrzMesh *mesh, Depth *depth) {
  double most = 0;
  const double origin[3] = {0};
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    double corner[4][3], bow[6][3], sign = mesh->region[t] == 1 ? -1 : 1;
    if (!mesh->fitted[t]) continue;
    irz_mesh_tet_shape(mesh, t, corner, bow);
    if (distance_of(corner[0], origin) > within) continue;
    for (int i = 0; i < 4; i++) most = fmax(most, sign * depth(corner[i]));
    for (int e = 0; e < 6; e++) {
      double x[3];
      for (int k = 0; k < 3; k++)
        x[k] = (corner[irz_tet_edge[e][0]][k] + corner[irz_tet_edge[e][1]][k]) / 2 + bow[e][k];
      most = fmax(most, sign * depth(x));
    }
  }
  return most;
}

static double along(const double x[3], double a, double b, double c) {
  return a * x[0] + b * x[1] + c * x[2];
}

/* Half spaces: beside the needles, across them, and across them obliquely */
static double depth_beside(const double x[3]) {
  return x[1] - 0.006;
}
static double depth_across(const double x[3]) {
  return x[2] - 0.002;
}
static double depth_oblique(const double x[3]) {
  return along(x, 0.6, 0.64, 0.48) - 0.004;
}
static int beside(const double x[3]) {
  return depth_beside(x) > 0;
}
static int across(const double x[3]) {
  return depth_across(x) > 0;
}
static int oblique(const double x[3]) {
  return depth_oblique(x) > 0;
}

/// Planes stay where they are, also where needles pierce them, and lose their steps.
static void planes(void **state) {
  (void)state;
  const struct {
    Shape *shape;
    Depth *depth;
    double angle, most; ///< most: of the voxels' 1 mm
  } test[] = {{beside, depth_beside, 0, 0.01e-3},
              {across, depth_across, 0, 0.03e-3},
              {oblique, depth_oblique, 0, 0.12e-3},
              {across, depth_across, 0.5, 0.12e-3}};
  IrzPlan plan = make_plan(0.02);
  for (size_t i = 0; i < sizeof test / sizeof test[0]; i++) {
    Found found = make_mesh(&plan, test[i].shape, 80, 1e-3, test[i].angle);
    double wrong = farthest_wrong(found.mesh, test[i].depth);
    printf("plane %zu: %.4f mm, %.1f degrees\n", i, 1e3 * wrong, found.worst);
    if (!(wrong <= test[i].most)) fail_msg("plane %zu: %g mm on the wrong side", i, 1e3 * wrong);
    if (found.rest > 0) fail_msg("plane %zu: %g mm3 are not fitted", i, 1e9 * found.rest);
    if (found.worst < 4) fail_msg("plane %zu: an angle of %g degrees", i, found.worst);
    irz_mesh_free(found.mesh);
  }
}

/* A ball beside the needles, one that both pierce, a ball in a ball, a vessel of 4 mm */
static const double off[3] = {0.001, 0.009, 0.0007}, middle[3] = {0, 0.0003, 0.0001};
static int ball(const double x[3]) {
  return distance_of(x, off) < 0.006;
}
static int tumour(const double x[3]) {
  return distance_of(x, middle) < 0.0085;
}
static int shells(const double x[3]) {
  double r = distance_of(x, off);
  return r < 0.004 ? 2 : r < 0.007 ? 1 : 0;
}
static int vessel(const double x[3]) {
  const double y[3] = {x[0], x[1] - 0.001, x[2]};
  double z = along(y, 0.6, 0.48, 0.64);
  return along(y, y[0], y[1], y[2]) - z * z < 0.002 * 0.002 && fabs(z) < 0.015;
}

static double volume_of_ball(double radius) {
  return 4 * M_PI / 3 * radius * radius * radius;
}

/// Volumes are those of the shapes to within what a map of 0.5 mm knows of them; all elements are fitted and good. The
/// needles' chords in the ball are of an infinite line's length, less what their walls are away from their axes.
static void volumes(void **state) {
  (void)state;
  const double needle = M_PI * 0.535e-3 * 0.535e-3, chord = 2 * sqrt(0.0085 * 0.0085 - 0.006 * 0.006 - 0.0003 * 0.0003);
  const struct {
    const char *name;
    Shape *shape;
    double angle, one, two, most; ///< most: allowed difference
  } test[] = {{"ball", ball, 0.4, volume_of_ball(0.006), 0, 0.005},
              {"tumour", tumour, 0, volume_of_ball(0.0085) - 2 * needle * chord, 0, 0.005},
              {"shells", shells, 0.4, volume_of_ball(0.007) - volume_of_ball(0.004), volume_of_ball(0.004), 0.01},
              {"vessel", vessel, 0.4, M_PI * 0.002 * 0.002 * 0.03, 0, 0.015}};
  IrzPlan plan = make_plan(0.01);
  for (size_t i = 0; i < sizeof test / sizeof test[0]; i++) {
    Found found = make_mesh(&plan, test[i].shape, 110, 0.5e-3, test[i].angle);
    double one = found.volume[1] / test[i].one - 1, two = test[i].two > 0 ? found.volume[2] / test[i].two - 1 : 0;
    printf("%s: %+.3f %% %+.3f %%, %.1f degrees, %d elements\n", test[i].name, 100 * one, 100 * two, found.worst,
           found.mesh->n_tets);
    if (!(fabs(one) < test[i].most && fabs(two) < test[i].most)) fail_msg("%s: volumes", test[i].name);
    if (found.rest > 0) fail_msg("%s: %g mm3 are not fitted", test[i].name, 1e9 * found.rest);
    if (found.worst < 2.5) fail_msg("%s: an angle of %g degrees", test[i].name, found.worst);
    irz_mesh_free(found.mesh);
  }
}

/* Four quarters that meet along a line */
static int quarters(const double x[3]) {
  return (x[1] > 0.004) + 2 * (x[0] + 0.3 * x[1] > 0.001);
}

/// Where several tissues meet along a line the elements there are the only ones that are not fitted, and that is said.
static void line(void **state) {
  (void)state;
  IrzPlan plan = make_plan(0.02);
  Found found = make_mesh(&plan, quarters, 80, 1e-3, 0);
  double share = found.mesh->cut_area / (found.mesh->fitted_area + found.mesh->cut_area);
  printf("quarters: %.3f %% of the area not fitted, %.2f mm3, %.1f degrees\n", 100 * share, 1e9 * found.rest,
         found.worst);
  assert_true(found.rest > 0 && found.rest < 0.002 * volume_of_ball(within));
  assert_true(share > 0 && share < 0.05);
  irz_mesh_free(found.mesh);
}

/* A ball, a vessel through it, and a surface that cuts both at a small angle */
static int crossing(const double x[3]) {
  if (vessel(x)) return 2;
  if (distance_of(x, middle) < 0.0085) return 1;
  return x[1] > 0.0007 + 0.2 * x[0] ? 3 : 0;
}

/// Where surfaces cross in any way, elements are neither flat nor thin.
static void quality(void **state) {
  (void)state;
  IrzPlan plan = make_plan(0.03);
  Found found = make_mesh(&plan, crossing, 60, 1e-3, 0.3);
  printf("crossing: quality %.3f, %.1f degrees, %d elements\n", found.quality, found.worst, found.mesh->n_tets);
  assert_true(found.quality >= 0.05 && found.worst >= 2.5);
  irz_mesh_free(found.mesh);
}

/* Two slabs side by side between plates, and one on the other */
static int side_by_side(const double x[3]) {
  return x[0] > 0.0033;
}
static int stacked(const double x[3]) {
  return x[1] > 0.001;
}

/// Surfaces that end at the box or are parallel to it: volumes are exact, the box stays as it is.
static void at_the_box(void **state) {
  (void)state;
  IrzPlan plan = {.file = "test.yaml",
                  .mesh = {.size = 0.04, .accuracy = 0.02, .order = 2},
                  .n_tissues = MOST_REGIONS,
                  .tissues = tissues,
                  .n_probes = 2};
  for (int p = 0; p < 2; p++) {
    double sign = p == 0 ? -1 : 1;
    plan.probes[p] = (IrzProbe){.name = {(char)('A' + p)},
                                .direction = {0, sign, 0},
                                .tip = {0, 4e-3 * sign, 0},
                                .side = {1, 0, 0},
                                .plate = {0.04, 0.04},
                                .exposure = 2e-3,
                                .has_geometry = true,
                                .line = 3};
  }
  for (int i = 0; i < 2; i++) {
    /* the faces of the voxels are at whole millimetres; the plane at 3.3 mm is between voxels at 3 mm */
    Found found = make_mesh(&plan, i == 0 ? side_by_side : stacked, 60, 1e-3, 0);
    double wanted = i == 0 ? 0.017 * 0.04 * 0.008 : 0.04 * 0.04 * 0.003, whole = 0.04 * 0.04 * 0.008;
    printf("slab: %.6f of %.6f\n", found.volume[1] / whole, wanted / whole);
    if (!(fabs(found.volume[1] - wanted) < 1e-4 * whole)) fail_msg("slab %d: %g", i, found.volume[1] / whole);
    if (!(fabs(found.volume[0] + found.volume[1] - whole) < 1e-9 * whole)) fail_msg("slab %d: not all is fitted", i);
    irz_mesh_free(found.mesh);
  }
}

/// The same mesh twice.
static void repeated(void **state) {
  (void)state;
#ifdef IRZ_SANITIZED /* Gmsh reads memory that it has not set: another allocator, another mesh */
  skip();
#endif
  IrzPlan plan = make_plan(0.02);
  Found one = make_mesh(&plan, tumour, 40, 1e-3, 0.3), other = make_mesh(&plan, tumour, 40, 1e-3, 0.3);
  size_t n_tets = (size_t)one.mesh->n_tets, n_vertices = (size_t)one.mesh->n_vertices;
  assert_int_equal(one.mesh->n_tets, other.mesh->n_tets);
  assert_int_equal(one.mesh->n_curved, other.mesh->n_curved);
  assert_memory_equal(one.mesh->xyz, other.mesh->xyz, 3 * n_vertices * sizeof(double));
  assert_memory_equal(one.mesh->tet, other.mesh->tet, 4 * n_tets * sizeof(int32_t));
  assert_memory_equal(one.mesh->region, other.mesh->region, n_tets * sizeof(int32_t));
  assert_memory_equal(one.mesh->fitted, other.mesh->fitted, n_tets);
  irz_mesh_free(one.mesh);
  irz_mesh_free(other.mesh);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(planes),     cmocka_unit_test(volumes),
                                     cmocka_unit_test(line),       cmocka_unit_test(quality),
                                     cmocka_unit_test(at_the_box), cmocka_unit_test(repeated)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
