/* Generated meshes: whole, round, repeatable, for all arrays and directions; refusals in one line. */
#include "plan/plan.h"
#include "testing.h"
#include <irezone/anatomy.h>
#include <irezone/mesh.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIAMETER 1.07e-3

/* The address sanitizer brings its own heap, for which src/mesh/generate_heap.c can do nothing. */
#ifdef IRZ_SANITIZED
#define REPEATABLE 0
#else
#define REPEATABLE 1
#endif

/// A plan with probes but nothing else.
static IrzPlan make_plan(int n_probes) {
  IrzPlan plan = {.file = "test.yaml", .mesh = {.size = 0.12, .accuracy = 0.01, .order = 2}, .n_probes = n_probes};
  for (int p = 0; p < n_probes; p++) {
    IrzProbe *probe = &plan.probes[p];
    snprintf(probe->name, sizeof probe->name, "%c", 'A' + p);
    *probe = (IrzProbe){.name = {(char)('A' + p)}, .exposure = 0.02, .diameter = DIAMETER, .has_geometry = true};
    probe->direction[2] = 1;
    probe->line = 10 + p;
  }
  return plan;
}

/// Point a probe and place the middle of its bare metal.
static void place(IrzProbe *probe, double x, double y, double z, double a, double b, double c) {
  double length = sqrt(a * a + b * b + c * c), middle[3] = {x, y, z}, direction[3] = {a, b, c};
  for (int k = 0; k < 3; k++) {
    probe->direction[k] = direction[k] / length;
    probe->tip[k] = middle[k] - probe->direction[k] * probe->exposure / 2;
  }
}

/// The arrays of the plan format: pair, triangle, square, centre with 4 or 5 around.
static IrzPlan make_array(int count, double spacing, double exposure) {
  IrzPlan plan = make_plan(count);
  int around = count < 5 ? count : count - 1;
  double radius = count == 1 ? 0 : count < 5 ? spacing / (2 * sin(M_PI / count)) : spacing;
  for (int p = 0; p < count; p++) {
    double angle = 2 * M_PI * p / around, at = count >= 5 && p == 0 ? 0 : radius;
    plan.probes[p].exposure = exposure;
    place(&plan.probes[p], at * cos(angle), at * sin(angle), 0, 0, 0, 1);
  }
  return plan;
}

/// Area of a mesh's surface: flat triangles.
static double surface_area(const IrzMesh *mesh, int surface) {
  double area = 0;
  for (int32_t t = 0; t < mesh->n_triangles; t++) {
    if (mesh->surface[t] != surface) continue;
    const double *a = &mesh->xyz[3 * (size_t)mesh->triangle[3 * (size_t)t]];
    const double *b = &mesh->xyz[3 * (size_t)mesh->triangle[3 * (size_t)t + 1]];
    const double *c = &mesh->xyz[3 * (size_t)mesh->triangle[3 * (size_t)t + 2]];
    double u[3], v[3];
    for (int k = 0; k < 3; k++) u[k] = b[k] - a[k], v[k] = c[k] - a[k];
    area += sqrt(pow(u[1] * v[2] - u[2] * v[1], 2) + pow(u[2] * v[0] - u[0] * v[2], 2) +
                 pow(u[0] * v[1] - u[1] * v[0], 2)) /
            2;
  }
  return area;
}

static const char *group_error(const IrzMesh *mesh, const IrzPlan *plan) {
  static char text[200];
  for (int s = 0; s < 2 * plan->n_probes + 1; s++) {
    char name[2 * IRZ_NAME_MAX];
    bool outer = s == 2 * plan->n_probes, found = false;
    snprintf(name, sizeof name, "%s%s", outer ? "outer" : plan->probes[s / 2].name,
             outer || s % 2 == 0 ? "" : "_insulated");
    for (int g = 0; g < mesh->n_surfaces; g++)
      found = found || (strcmp(name, mesh->surfaces[g].name) == 0 && surface_area(mesh, g) > 0);
    if (!found) {
      snprintf(text, sizeof text, "no surface %s", name);
      return text;
    }
  }
  return mesh->n_regions == 1 && strcmp(mesh->regions[0].name, "default") == 0 ? NULL : "region is not default";
}

/// Distance of a point from a probe's axis.
static double axis_distance(const IrzProbe *probe, const double *x) {
  double along = 0, square = 0;
  for (int k = 0; k < 3; k++) along += (x[k] - probe->tip[k]) * probe->direction[k];
  for (int k = 0; k < 3; k++) square += pow(x[k] - probe->tip[k] - along * probe->direction[k], 2);
  return sqrt(square);
}

static int compare_edges(const void *left, const void *right) {
  const int32_t *a = left, *b = right;
  return a[0] != b[0] ? (a[0] > b[0]) - (a[0] < b[0]) : (a[1] > b[1]) - (a[1] < b[1]);
}

/// The curved edge between two vertices, or -1: they are sorted.
static int32_t find_curved(const IrzMesh *mesh, int32_t a, int32_t b) {
  const int32_t key[2] = {a < b ? a : b, a < b ? b : a};
  const int32_t *found =
      bsearch(key, mesh->curved_edge, (size_t)mesh->n_curved, 2 * sizeof *mesh->curved_edge, compare_edges);
  return found ? (int32_t)((found - mesh->curved_edge) / 2) : -1;
}

/// How far a probe's wall, as the mesh has it, is from the cylinder, relative to the radius.
/// @param[in]  limit        deviation that counts as round
/// @param[out] at_vertices  largest deviation of a vertex
/// @param[out] worst        largest deviation anywhere
/// @return share of the wall that is round: where elements would be invalid, edges are bent less
static double round_share(const IrzMesh *mesh, const IrzProbe *probe, int surface, double limit, double *at_vertices,
                          double *worst) {
  double radius = probe->diameter / 2;
  int points = 0, good = 0;
  *at_vertices = *worst = 0;
  for (int32_t t = 0; t < mesh->n_triangles; t++) {
    if (mesh->surface[t] != surface) continue;
    double x[6][3];
    const int32_t *vertex = &mesh->triangle[3 * (size_t)t];
    bool end = false;
    for (int i = 0; i < 3; i++) {
      memcpy(x[i], &mesh->xyz[3 * (size_t)vertex[i]], sizeof x[i]);
      end = end || axis_distance(probe, x[i]) < 0.9 * radius; /* the flat end */
    }
    double low = INFINITY;
    for (int i = 0; i < 3; i++) {
      double along = 0;
      for (int k = 0; k < 3; k++) along += (x[i][k] - probe->tip[k]) * probe->direction[k];
      low = fmin(low, -along);
    }
    if (end || low > -1e-9) continue;
    for (int i = 0; i < 3; i++) {
      *at_vertices = fmax(*at_vertices, fabs(axis_distance(probe, x[i]) / radius - 1));
      int32_t curved = find_curved(mesh, vertex[i], vertex[(i + 1) % 3]);
      for (int k = 0; k < 3; k++)
        x[3 + i][k] = curved < 0 ? (x[i][k] + x[(i + 1) % 3][k]) / 2 : mesh->curved_xyz[3 * (size_t)curved + (size_t)k];
    }
    for (int i = 0; i <= 10; i++) {
      for (int j = 0; i + j <= 10; j++) {
        double l[3] = {i / 10.0, j / 10.0, (10 - i - j) / 10.0}, y[3];
        for (int k = 0; k < 3; k++) {
          y[k] = 0;
          for (int n = 0; n < 3; n++) y[k] += l[n] * (2 * l[n] - 1) * x[n][k] + 4 * l[n] * l[(n + 1) % 3] * x[3 + n][k];
        }
        double deviation = fabs(axis_distance(probe, y) / radius - 1);
        *worst = fmax(*worst, deviation);
        points++;
        good += deviation < limit;
      }
    }
  }
  assert_true(points > 0);
  return (double)good / points;
}

/// Generate, and check all that must hold for every mesh.
/// @param[in] needles  volume of the needles inside the box, m^3; 0: not known
static void check_mesh(IrzPlan *plan, double needles, bool walls) {
  IrzMesh *mesh;
  IrzError error = {0};
  if (irz_mesh_generate(plan, NULL, NULL, &mesh, &error) != IRZ_OK) fail_msg("%s", error.text);
  if (irz_mesh_check(mesh, NULL, "generated", &error) != IRZ_OK) fail_msg("%s", error.text);
  const char *wrong = group_error(mesh, plan);
  if (wrong) fail_msg("%s", wrong);
  IrzMeshStats stats;
  irz_mesh_stats(mesh, &stats);
  assert_int_equal(stats.n_parts, 1);
  if (!(stats.min_dihedral_degree > 4)) fail_msg("smallest angle %g degrees", stats.min_dihedral_degree);
  double size = plan->mesh.size;
  if (needles > 0) assert_near(size * size * size - stats.volume, needles, 0.02 * needles);
  for (int p = 0; p < plan->n_probes; p++) {
    double at_vertices, radius = plan->probes[p].diameter / 2;
    assert_near(surface_area(mesh, 2 * p), 2 * M_PI * radius * plan->probes[p].exposure + M_PI * radius * radius,
                0.06 * 2 * M_PI * radius * plan->probes[p].exposure);
    if (!walls) continue;
    /* bare metal has at least six edges around: sagitta 13 %, parabolas 0.23 % */
    double worst, bare = round_share(mesh, &plan->probes[p], 2 * p, 0.0025, &at_vertices, &worst);
    if (!(at_vertices < 1e-9)) fail_msg("vertices deviate by %g of the radius", at_vertices);
    if (!(bare > 0.9 && worst < 0.14)) fail_msg("%g of the bare wall is round, worst %g", bare, worst);
    /* shafts at least four: 29 % and 1.1 % */
    double shaft = round_share(mesh, &plan->probes[p], 2 * p + 1, 0.012, &at_vertices, &worst);
    if (!(at_vertices < 1e-9)) fail_msg("vertices deviate by %g of the radius", at_vertices);
    if (!(shaft > 0.6 && worst < 0.3)) fail_msg("%g of the shaft is round, worst %g", shaft, worst);
  }
  irz_mesh_free(mesh);
}

static void arrays(void **state) {
  (void)state;
  for (int count = 1; count <= 6; count++) {
    IrzPlan plan = make_array(count, 0.02, 0.02);
    check_mesh(&plan, count * M_PI * pow(DIAMETER / 2, 2) * 0.07, count <= 2);
  }
}

static void exposures(void **state) {
  (void)state;
  const double exposure[] = {0.005, 0.01, 0.04};
  for (int i = 0; i < 3; i++) {
    IrzPlan plan = make_array(2, 0.008, exposure[i]);
    check_mesh(&plan, 2 * M_PI * pow(DIAMETER / 2, 2) * (0.06 + exposure[i] / 2), false);
  }
  IrzPlan close = make_array(6, 0.008, 0.02);
  check_mesh(&close, 6 * M_PI * pow(DIAMETER / 2, 2) * 0.07, false);
}

static void accuracies(void **state) {
  (void)state;
  IrzMeshStats coarse, fine, first_order;
  IrzMesh *mesh;
  IrzError error = {0};
  IrzPlan plan = make_array(2, 0.02, 0.02);
  assert_int_equal(irz_mesh_generate(&plan, NULL, NULL, &mesh, &error), IRZ_OK);
  int32_t tets = mesh->n_tets;
  irz_mesh_stats(mesh, &coarse);
  irz_mesh_free(mesh);
  plan.mesh.accuracy = 0.002;
  assert_int_equal(irz_mesh_generate(&plan, NULL, NULL, &mesh, &error), IRZ_OK);
  assert_true(mesh->n_tets > 1.5 * tets);
  irz_mesh_stats(mesh, &fine);
  assert_true(fine.min_edge < coarse.min_edge);
  irz_mesh_free(mesh);
  plan.mesh.accuracy = 0.01;
  plan.mesh.order = 1;
  assert_int_equal(irz_mesh_generate(&plan, NULL, NULL, &mesh, &error), IRZ_OK);
  assert_true(mesh->n_tets > 1.5 * tets);
  irz_mesh_stats(mesh, &first_order);
  assert_true(first_order.min_edge < coarse.min_edge);
  irz_mesh_free(mesh);
}

static void tilted(void **state) {
  (void)state;
  IrzPlan plan = make_array(3, 0.015, 0.02);
  place(&plan.probes[0], 0.012, 0, 0, 0.5, 0.1, 1);
  place(&plan.probes[1], -0.008, 0.01, 0, -0.2, 0.4, 1);
  place(&plan.probes[2], -0.008, -0.01, 0.002, -0.3, -1, 0.7);
  check_mesh(&plan, 0, true);
}

/// Needles out through an edge of the box, through a corner, and along one axis each.
static void edges_and_corners(void **state) {
  (void)state;
  IrzPlan plan = make_plan(1);
  place(&plan.probes[0], 0, 0, 0, 1, 0, 1);
  check_mesh(&plan, 0, true);
  place(&plan.probes[0], 0, 0, 0, -1, -1, 1);
  check_mesh(&plan, 0, true);
  place(&plan.probes[0], 0, 0, 0, -1, -1.003, 1.001);
  check_mesh(&plan, 0, true);
  for (int k = 0; k < 6; k++) {
    place(&plan.probes[0], 0, 0, 0,
          k == 0   ? 1
          : k == 3 ? -1
                   : 0,
          k == 1   ? 1
          : k == 4 ? -1
                   : 0,
          k == 2   ? 1
          : k == 5 ? -1
                   : 0);
    check_mesh(&plan, M_PI * pow(DIAMETER / 2, 2) * 0.07, true);
  }
  for (int i = 0; i < 8; i++) { /* sideways across the edge in steps of a quarter of the diameter */
    place(&plan.probes[0], (i - 4) * DIAMETER / 4, 0, 0, 1, 0.01, 1);
    plan.probes[0].tip[2] += 1e-3;
    check_mesh(&plan, 0, false);
  }
}

/// FNV-1a over everything in a mesh.
static uint64_t fingerprint(const IrzMesh *mesh) {
  const struct {
    const void *data;
    size_t size;
  } parts[] = {
      {mesh->xyz, (size_t)mesh->n_vertices * 3 * sizeof *mesh->xyz},
      {mesh->tet, (size_t)mesh->n_tets * 4 * sizeof *mesh->tet},
      {mesh->region, (size_t)mesh->n_tets * sizeof *mesh->region},
      {mesh->triangle, (size_t)mesh->n_triangles * 3 * sizeof *mesh->triangle},
      {mesh->surface, (size_t)mesh->n_triangles * sizeof *mesh->surface},
      {mesh->curved_edge, (size_t)mesh->n_curved * 2 * sizeof *mesh->curved_edge},
      {mesh->curved_xyz, (size_t)mesh->n_curved * 3 * sizeof *mesh->curved_xyz},
  };
  uint64_t hash = 14695981039346656037u;
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    const unsigned char *byte = parts[i].data;
    for (size_t k = 0; k < parts[i].size; k++) hash = (hash ^ byte[k]) * 1099511628211u;
  }
  return hash;
}

/// Fingerprint of the mesh of a plan; 0 if there is none.
static uint64_t fingerprint_of(const IrzPlan *plan) {
  IrzMesh *mesh;
  if (irz_mesh_generate(plan, NULL, NULL, &mesh, NULL) != IRZ_OK) return 0;
  uint64_t hash = fingerprint(mesh);
  irz_mesh_free(mesh);
  return hash;
}

static void repeatable(void **state) {
  (void)state;
  IrzPlan plan = make_array(2, 0.02, 0.02), other = make_array(3, 0.015, 0.01);
  int channel[2];
  uint64_t elsewhere = 0;
  assert_int_equal(pipe(channel), 0);
  pid_t child = fork();
  if (child == 0) {
    uint64_t hash = fingerprint_of(&plan);
    _exit(write(channel[1], &hash, sizeof hash) != sizeof hash);
  }
  assert_int_equal(read(channel[0], &elsewhere, sizeof elsewhere), sizeof elsewhere);
  waitpid(child, NULL, 0);
  close(channel[0]);
  close(channel[1]);
  uint64_t first = fingerprint_of(&plan), third = fingerprint_of(&other), second = fingerprint_of(&plan);
  assert_true(first != 0 && third != 0);
  assert_true(first != third);
  assert_true(!REPEATABLE || first == second);
  assert_true(!REPEATABLE || first == elsewhere);
}

/// Memory in use, pages; 0 if the system does not tell.
static long pages_in_use(void) {
  long size = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file) return 0;
  if (fscanf(file, "%ld %ld", &size, &resident) != 2) resident = 0;
  fclose(file);
  return resident;
}

/// Many meshes in one process: no growth, the number of threads stays, nothing is printed.
static void leaves_no_trace(void **state) {
  (void)state;
  IrzPlan plan = make_array(2, 0.02, 0.01);
  omp_set_num_threads(3);
  for (int i = 0; i < 5; i++) assert_true(fingerprint_of(&plan) != 0);
  assert_int_equal(omp_get_max_threads(), 3);
  if (!REPEATABLE) return; /* nor does its heap give memory back */
  long before = pages_in_use();
  for (int i = 0; i < 20; i++) assert_true(fingerprint_of(&plan) != 0);
  long growth = (pages_in_use() - before) * sysconf(_SC_PAGESIZE);
  if (growth > 4 << 20) fail_msg("20 meshes left %ld kB behind", growth >> 10);
}

static void silent(void **state) {
  (void)state;
  IrzPlan plan = make_array(3, 0.02, 0.01);
  char name[] = "/tmp/irz-silent-XXXXXX";
  int file = mkstemp(name), kept[2] = {dup(1), dup(2)};
  assert_true(file >= 0);
  fflush(NULL);
  dup2(file, 1);
  dup2(file, 2);
  uint64_t hash = fingerprint_of(&plan);
  fflush(NULL);
  dup2(kept[0], 1);
  dup2(kept[1], 2);
  off_t printed = lseek(file, 0, SEEK_END);
  close(file);
  close(kept[0]);
  close(kept[1]);
  unlink(name);
  assert_true(hash != 0);
  assert_int_equal(printed, 0);
}

/// Tetrahedra whose centre is within 2 mm of the plane x = `at` and 8 mm of the origin.
static int tets_at_plane(const IrzMesh *mesh, double at) {
  int count = 0;
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    double center[3] = {0};
    for (int i = 0; i < 12; i++)
      center[i % 3] += mesh->xyz[3 * (size_t)mesh->tet[4 * (size_t)t + (size_t)(i / 3)] + (size_t)(i % 3)] / 4;
    count += fabs(center[0] - at) < 2e-3 && hypot(center[1], center[2]) < 8e-3;
  }
  return count;
}

/// Finer where the tissue changes, the same mesh where it does not.
static void label_maps(void **state) {
  (void)state;
  enum { SIZE = 60 };
  static uint8_t region[SIZE * SIZE * SIZE];
  IrzGroup regions[] = {{.name = "default"}, {.name = "tumour", .tag = 1}, {.name = "liver", .tag = 2}};
  IrzTissue tissues[] = {{.region = "default"}, {.region = "tumour"}};
  IrzLabelMap map = {.size = {SIZE, SIZE, SIZE},
                     .to_voxel = {{500, 0, 0, SIZE / 2}, {0, 500, 0, SIZE / 2}, {0, 0, 500, SIZE / 2}},
                     .spacing = {2e-3, 2e-3, 2e-3},
                     .n_regions = 3,
                     .regions = regions,
                     .region = region};
  IrzPlan plan = make_array(2, 0.02, 0.02);
  plan.n_tissues = 2;
  plan.tissues = tissues;
  IrzMesh *without, *halves, *same;
  IrzError error = {0};
  assert_int_equal(irz_mesh_generate(&plan, NULL, NULL, &without, &error), IRZ_OK);
  for (int i = 0; i < SIZE * SIZE * SIZE; i++) region[i] = i % SIZE < SIZE / 2 ? 0 : 1;
  assert_int_equal(irz_mesh_generate(&plan, NULL, &map, &halves, &error), IRZ_OK);
  if (!(tets_at_plane(halves, 0) > 1.5 * tets_at_plane(without, 0)))
    fail_msg("%d tetrahedra at the change, %d without it", tets_at_plane(halves, 0), tets_at_plane(without, 0));
  assert_true(halves->n_tets < 2 * without->n_tets);
  for (int i = 0; i < SIZE * SIZE * SIZE; i++) region[i] = i % SIZE < SIZE / 2 ? 0 : 2; /* liver is default here */
  assert_int_equal(irz_mesh_generate(&plan, NULL, &map, &same, &error), IRZ_OK);
  assert_true(!REPEATABLE || fingerprint(same) == fingerprint(without));
  irz_mesh_free(without);
  irz_mesh_free(halves);
  irz_mesh_free(same);
}

/// Expect a refusal whose line contains some text.
static void refuse(const IrzPlan *plan, const char *text) {
  IrzMesh *mesh;
  IrzError error = {0};
  if (irz_mesh_generate(plan, NULL, NULL, &mesh, &error) != IRZ_ERR_PLAN)
    fail_msg("not refused: '%s' %s", text, error.text);
  assert_null(mesh);
  if (!strstr(error.text, text) || !strstr(error.text, "test.yaml") || strchr(error.text, '\n'))
    fail_msg("'%s' does not say '%s'", error.text, text);
}

static void refusals(void **state) {
  (void)state;
  IrzPlan plan = make_array(2, 0.02, 0.02);
  place(&plan.probes[1], -0.01, 0, 0.012, 1, 0, 0.01);
  refuse(&plan, "probes A and B touch or cross");

  plan = make_array(2, 1.2e-3, 0.02);
  refuse(&plan, "nearly touch");

  plan = make_array(2, 0.02, 0.02);
  plan.mesh.size = 0.021;
  refuse(&plan, "tip: the tip of probe A");
  plan.mesh.size = 0.02;
  refuse(&plan, "exposure: 20 mm is longer than the tissue box");

  plan = make_array(2, 0.01, 0.0215);
  plan.mesh.size = 0.0275;
  place(&plan.probes[0], -0.005, 0, 0.001, 0, 0, 1);
  place(&plan.probes[1], 0.005, 0, -0.001, 0, 0, 1);
  refuse(&plan, "bare metal of probe A");

  plan = make_array(2, 0.056, 0.02);
  plan.mesh.size = 0.06;
  place(&plan.probes[0], 0.028, 0, 0, 0.1, 0, 1);
  refuse(&plan, "probe A runs along the wall");

  plan = make_array(2, 0.02, 0.02);
  plan.probes[1].has_geometry = false;
  refuse(&plan, "probes[1].tip: a generated mesh needs");

  plan = make_array(2, 0.02, 0.02);
  plan.probes[1].tip[0] = NAN;
  refuse(&plan, "probes[1].tip: a generated mesh needs");

  plan = make_plan(0);
  refuse(&plan, "needs at least one");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(repeatable), cmocka_unit_test(arrays),          cmocka_unit_test(exposures),
      cmocka_unit_test(accuracies), cmocka_unit_test(tilted),          cmocka_unit_test(edges_and_corners),
      cmocka_unit_test(silent),     cmocka_unit_test(leaves_no_trace), cmocka_unit_test(refusals),
      cmocka_unit_test(label_maps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
