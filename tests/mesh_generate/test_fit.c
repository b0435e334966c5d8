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
static IrzTissue tissues[MOST_REGIONS] = {{.region = "default"}, {.region = "one"}, {.region = "two"}, {.region = "three"}};

/// Which region a point is in, 0 to 3.
typedef int Shape(const double x[3]);

/// A map of a shape: a cube of `n` voxels of `step`, turned about the axis (1, 2, 2) / 3 and shifted.
static void make_map(Shape *shape, int n, double step, double angle, double shift, IrzLabelMap *map) {
  const double a[3] = {1.0 / 3, 2.0 / 3, 2.0 / 3};
  const int next[3][3] = {{-1, 2, 1}, {2, -1, 0}, {1, 0, -1}}, sign[3][3] = {{0, -1, 1}, {1, 0, -1}, {-1, 1, 0}};
  *map = (IrzLabelMap){
      .size = {n, n, n}, .spacing = {step, step, step}, .n_regions = MOST_REGIONS, .regions = regions};
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
  double rest;                 ///< m^3, of the other elements with a corner within 25 mm of the origin
  double voxels[MOST_REGIONS]; ///< m^3
  double worst;                ///< degrees, smallest angle between faces
  int32_t n_cut;               ///< elements without a region of their own within 25 mm
} Found;

static Found make_mesh(Shape *shape, int n, double step, double angle, double accuracy) {
  IrzLabelMap map;
  IrzError error = {0};
  IrzPlan plan = make_plan(accuracy);
  Found found = {.worst = 180};
  make_map(shape, n, step, angle, angle == 0 ? 0 : 0.3 * step, &map);
  if (irz_mesh_generate(&plan, NULL, &map, &found.mesh, &error) != IRZ_OK) fail_msg("%s", error.text);
  for (int i = 0; i < n * n * n; i++) found.voxels[map.region[i]] += step * step * step;
  free(map.region);
  const IrzMesh *mesh = found.mesh;
  if (irz_mesh_check(mesh, NULL, "made", &error) != IRZ_OK) fail_msg("%s", error.text);
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    double corner[4][3], bow[6][3], coefficient[20], six = 0, nearest = INFINITY;
    irz_mesh_tet_shape(mesh, t, corner, bow);
    irz_tet_bernstein(corner, bow, coefficient);
    for (int i = 0; i < 20; i++) {
      six += coefficient[i] / 20;
      if (!(coefficient[i] > 0)) fail_msg("element %d may be inverted", t);
    }
    for (int i = 0; i < 4; i++) {
      nearest = fmin(nearest, sqrt(corner[i][0] * corner[i][0] + corner[i][1] * corner[i][1] + corner[i][2] * corner[i][2]));
    }
    found.worst = fmin(found.worst, asin(irz_tet_smallest_sine(mesh, t)) * 180 / M_PI);
    if (mesh->fitted[t]) {
      found.volume[mesh->region[t]] += six / 6;
    } else if (nearest < 0.025) {
      found.rest += six / 6;
      found.n_cut++;
    }
  }
  return found;
}

/// Largest distance by which corners of elements, and middles of their edges, are in another region than the elements.
static double farthest(const Found *found, double (*depth)(const double x[3], int region), bool middles) {
  const IrzMesh *mesh = found->mesh;
  double most = 0;
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    double corner[4][3], bow[6][3];
    if (!mesh->fitted[t]) continue;
    irz_mesh_tet_shape(mesh, t, corner, bow);
    for (int i = 0; i < 4; i++) most = fmax(most, depth(corner[i], mesh->region[t]));
    for (int e = 0; e < 6 && middles; e++) {
      double x[3];
      for (int k = 0; k < 3; k++) x[k] = (corner[irz_tet_edge[e][0]][k] + corner[irz_tet_edge[e][1]][k]) / 2 + bow[e][k];
      most = fmax(most, depth(x, mesh->region[t]));
    }
  }
  return most;
}

static void print(const char *name, const Found *found) {
  printf("%-22s %6d elements, %.1f degrees, %d cut with %.3f mm3, fitted %.4g mm2, cut %.4g mm2;", name,
         found->mesh->n_tets, found->worst, found->n_cut, 1e9 * found->rest, 1e6 * found->mesh->fitted_area,
         1e6 * found->mesh->cut_area);
  for (int r = 1; r < MOST_REGIONS; r++) printf(" %.3f (%+.2f %%)", 1e9 * found->volume[r], found->voxels[r] > 0 ? 100 * (found->volume[r] / found->voxels[r] - 1) : 0);
  printf(" mm3\n");
}

static double distance_of(const double x[3], const double a[3]) {
  return sqrt((x[0] - a[0]) * (x[0] - a[0]) + (x[1] - a[1]) * (x[1] - a[1]) + (x[2] - a[2]) * (x[2] - a[2]));
}

/* Half spaces: beside the needles, and across them */
static int beside(const double x[3]) {
  return x[1] > 0.006;
}
static double beside_depth(const double x[3], int region) {
  return region == 1 ? 0.006 - x[1] : x[1] - 0.006;
}
static int across(const double x[3]) {
  return x[2] > 0.002;
}
static double across_depth(const double x[3], int region) {
  return region == 1 ? 0.002 - x[2] : x[2] - 0.002;
}
static const double slope[3] = {0.6, 0.64, 0.48};
static int oblique(const double x[3]) {
  return slope[0] * x[0] + slope[1] * x[1] + slope[2] * x[2] > 0.004;
}
static double oblique_depth(const double x[3], int region) {
  double beyond = slope[0] * x[0] + slope[1] * x[1] + slope[2] * x[2] - 0.004;
  return region == 1 ? -beyond : beyond;
}

/* A ball beside the needles, one between them that both pierce, a vessel between, balls in balls */
static const double off[3] = {0.001, 0.011, 0.0007}, origin[3];
static int ball(const double x[3]) {
  return distance_of(x, off) < 0.007;
}
static int tumour(const double x[3]) {
  return distance_of(x, origin) < 0.0085;
}
static double tumour_depth(const double x[3], int region) {
  double beyond = distance_of(x, origin) - 0.0085;
  return region == 1 ? beyond : -beyond;
}
static int vessel(const double x[3]) {
  const double along[3] = {0.6, 0.48, 0.64};
  double z = x[0] * along[0] + (x[1] - 0.001) * along[1] + x[2] * along[2];
  return distance_of(x, (const double[3]){z * along[0], z * along[1] + 0.001, z * along[2]}) < 0.002 && fabs(z) < 0.015;
}
static int shells(const double x[3]) {
  double r = distance_of(x, off);
  return r < 0.004 ? 2 : r < 0.007 ? 1 : 0;
}
/* Four quarters that meet along a line */
static int quarters(const double x[3]) {
  return (x[1] > 0.004) + 2 * (x[0] + 0.3 * x[1] > 0.001);
}

static void planes(void **state) {
  (void)state;
  Found found = make_mesh(beside, 160, 0.5e-3, 0, 0.01);
  print("beside", &found);
  double wrong = farthest(&found, beside_depth, true);
  printf("  %g\n", 1e3 * wrong);
  irz_mesh_free(found.mesh);
  found = make_mesh(across, 80, 1e-3, 0, 0.01);
  print("across", &found);
  printf("  %g\n", 1e3 * farthest(&found, across_depth, true));
  irz_mesh_free(found.mesh);
  found = make_mesh(oblique, 80, 1e-3, 0, 0.01);
  print("oblique", &found);
  printf("  %g\n", 1e3 * farthest(&found, oblique_depth, true));
  irz_mesh_free(found.mesh);
  found = make_mesh(across, 80, 1e-3, 0.5, 0.01);
  print("across turned", &found);
  printf("  %g\n", 1e3 * farthest(&found, across_depth, true));
  irz_mesh_free(found.mesh);
}

static void curved(void **state) {
  (void)state;
  for (int fine = getenv("FINE") ? 1 : 0; fine < 2; fine++) {
    double step = fine ? 0.5e-3 : 1e-3, accuracy = fine ? 0.003 : 0.01;
    int n = fine ? 120 : 60;
    for (int turned = 0; turned < 2; turned++) {
    Found found = make_mesh(ball, n, step, 0.4 * turned, accuracy);
    print("ball", &found);
    printf(" true %.3f\n", 4e9 / 3 * M_PI * 0.007 * 0.007 * 0.007);
    irz_mesh_free(found.mesh);
    found = make_mesh(tumour, n, step, 0.4 * turned, accuracy);
    print("tumour", &found);
    printf(" true %.3f less needles, %g\n", 4e9 / 3 * M_PI * 0.0085 * 0.0085 * 0.0085, 1e3 * farthest(&found, tumour_depth, true));
    irz_mesh_free(found.mesh);
    found = make_mesh(vessel, n, step, 0.4 * turned, accuracy);
    print("vessel", &found);
    printf(" true %.3f\n", 1e9 * M_PI * 0.002 * 0.002 * 0.03);
    irz_mesh_free(found.mesh);
    found = make_mesh(shells, n, step, 0.4 * turned, accuracy);
    print("shells", &found);
    printf(" true %.3f %.3f\n", 4e9 / 3 * M_PI * (0.007 * 0.007 * 0.007 - 0.004*.004*.004),4e9 / 3 * M_PI * ( 0.004*.004*.004));
    irz_mesh_free(found.mesh);
    found = make_mesh(quarters, n, step, 0.4 * turned, accuracy);
    print("quarters", &found);
    irz_mesh_free(found.mesh);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(planes), cmocka_unit_test(curved)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
