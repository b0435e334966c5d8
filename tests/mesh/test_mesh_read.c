/* Every form of Gmsh's format gives the same mesh; real meshes have the counts their makers state. */
#include "mesh/mesh_build.h"
#include "mesh/msh_read.h"
#include "mesh_sample.h"
#include "testing.h"
#include <stdlib.h>
#include <unistd.h>

#define REAL_MESHES IRZ_SOURCE_DIR "/../shared/real/meshes/"

/// Read the sample in a form.
static IrzMesh *read_sample(const SampleForm *form) {
  SampleFile file = sample_write(form);
  IrzMesh *mesh;
  IrzError error = {0};
  if (irz_msh_parse(file.data, file.size, "sample.msh", 0, &mesh, &error) != IRZ_OK) {
    fail_msg("version %d, binary %d, swap %d, ten %d: %s", form->version, form->binary, form->swap, form->ten_nodes,
             error.text);
  }
  free(file.data);
  return mesh;
}

/// Two meshes are the same but for the order of nothing.
static void assert_same(const IrzMesh *a, const IrzMesh *b, double tolerance) {
  assert_int_equal(a->n_vertices, b->n_vertices);
  assert_int_equal(a->n_tets, b->n_tets);
  assert_int_equal(a->n_triangles, b->n_triangles);
  assert_int_equal(a->n_curved, b->n_curved);
  assert_int_equal(a->n_regions, b->n_regions);
  assert_int_equal(a->n_surfaces, b->n_surfaces);
  for (int i = 0; i < 3 * a->n_vertices; i++) assert_near(a->xyz[i], b->xyz[i], tolerance);
  for (int i = 0; i < 3 * a->n_curved; i++) assert_near(a->curved_xyz[i], b->curved_xyz[i], tolerance);
  assert_memory_equal(a->tet, b->tet, 16 * (size_t)a->n_tets);
  assert_memory_equal(a->region, b->region, 4 * (size_t)a->n_tets);
  assert_memory_equal(a->triangle, b->triangle, 12 * (size_t)a->n_triangles);
  assert_memory_equal(a->surface, b->surface, 4 * (size_t)a->n_triangles);
  if (a->n_curved > 0) assert_memory_equal(a->curved_edge, b->curved_edge, 8 * (size_t)a->n_curved);
  for (int i = 0; i < a->n_regions; i++) {
    assert_string_equal(a->regions[i].name, b->regions[i].name);
    assert_int_equal(a->regions[i].tag, b->regions[i].tag);
  }
  for (int i = 0; i < a->n_surfaces; i++) {
    assert_string_equal(a->surfaces[i].name, b->surfaces[i].name);
    assert_int_equal(a->surfaces[i].tag, b->surfaces[i].tag);
  }
}

/// The cube is what it was made to be.
static void test_sample(void **state) {
  (void)state;
  IrzMesh *mesh = read_sample(&(SampleForm){.version = 22});
  assert_int_equal(mesh->n_vertices, SAMPLE_VERTICES);
  assert_int_equal(mesh->n_tets, SAMPLE_TETS);
  assert_int_equal(mesh->n_triangles, SAMPLE_TRIANGLES);
  assert_int_equal(mesh->n_loose, 1);
  assert_int_equal(mesh->n_reoriented, 0);
  assert_int_equal(mesh->n_curved, 0);
  assert_int_equal(mesh->n_regions, 2);
  assert_string_equal(mesh->regions[0].name, "left");
  assert_int_equal(mesh->regions[1].tag, 20);
  assert_int_equal(mesh->n_surfaces, 2);
  assert_string_equal(mesh->surfaces[0].name, "low");
  assert_string_equal(mesh->surfaces[1].name, "2");
  for (int t = 0; t < mesh->n_tets; t++) {
    double x = 0;
    for (int k = 0; k < 4; k++) x += mesh->xyz[3 * mesh->tet[4 * t + k]] / 4;
    assert_int_equal(mesh->region[t], x > 1e-3);
  }
  for (int i = 0; i < mesh->n_triangles; i++) {
    for (int k = 0; k < 3; k++) {
      assert_near(mesh->xyz[3 * mesh->triangle[3 * i + k] + 2], mesh->surface[i] == 1 ? 2e-3 : 0, 1e-15);
    }
  }
  IrzError error = {0};
  if (irz_mesh_check(mesh, NULL, "sample.msh", &error) != IRZ_OK) fail_msg("%s", error.text);
  irz_mesh_free(mesh);
}

/// All forms agree bit by bit.
static void test_forms(void **state) {
  (void)state;
  for (int ten = 0; ten < 2; ten++) {
    IrzMesh *wanted = read_sample(&(SampleForm){.version = 22, .ten_nodes = ten != 0});
    for (int bits = 0; bits < 64; bits++) {
      SampleForm form = {.version = bits & 1 ? 41 : 22,
                         .binary = (bits & 2) != 0,
                         .swap = (bits & 4) != 0,
                         .size_bytes = bits & 8 ? 4 : 8,
                         .ten_nodes = ten != 0,
                         .negative = (bits & 16) != 0,
                         .gaps = (bits & 32) != 0};
      IrzMesh *mesh = read_sample(&form);
      assert_int_equal(mesh->n_reoriented, form.negative ? SAMPLE_TETS : 0);
      if (!form.negative) assert_same(mesh, wanted, 0);
      assert_int_equal(mesh->n_tets, SAMPLE_TETS);
      assert_int_equal(mesh->n_curved, wanted->n_curved);
      IrzMeshStats stats;
      irz_mesh_stats(mesh, &stats);
      assert_close(stats.volume, ten != 0 ? 8e-9 + 4e-9 * SAMPLE_BOW : 8e-9, 1e-13);
      irz_mesh_free(mesh);
    }
    irz_mesh_free(wanted);
  }
}

/// Only the bent edges are curved; the raised top adds its area times the bow: each triangle's three edges add a
/// third of their bow each, the integral of 4 lambda_a lambda_b over the triangle.
static void test_curved(void **state) {
  (void)state;
  IrzMesh *mesh = read_sample(&(SampleForm){.version = 41, .size_bytes = 8, .ten_nodes = true});
  assert_int_equal(mesh->n_curved, 16); /* edges of 8 triangles on a 2 x 2 grid: 12 sides and 4 diagonals */
  for (int i = 0; i < mesh->n_curved; i++) {
    assert_near(mesh->curved_xyz[3 * i + 2], 1e-3 * (2 + SAMPLE_BOW), 1e-15);
    const int32_t *edge = mesh->curved_edge + 2 * i;
    assert_true(edge[0] < edge[1]);
    assert_int_equal(irz_mesh_curved_edge(mesh, edge[1], edge[0]), i);
    for (int k = 0; k < 2; k++) {
      double middle = 0.5 * (mesh->xyz[3 * edge[0] + k] + mesh->xyz[3 * edge[1] + k]);
      assert_near(mesh->curved_xyz[3 * i + k], middle, 1e-15);
    }
  }
  assert_int_equal(irz_mesh_curved_edge(mesh, 0, 1), -1);
  irz_mesh_free(mesh);
}

/// What is written reads back as it was, straight and curved.
static void test_round_trip(void **state) {
  (void)state;
  char path[] = "round_trip_XXXXXX";
  int file = mkstemp(path);
  assert_true(file >= 0);
  close(file);
  for (int ten = 0; ten < 2; ten++) {
    IrzMesh *mesh = read_sample(&(SampleForm){.version = 41, .binary = true, .size_bytes = 8, .ten_nodes = ten != 0});
    IrzMesh *back;
    IrzError error = {0};
    if (irz_mesh_write(mesh, path, &error) != IRZ_OK) fail_msg("%s", error.text);
    if (irz_mesh_read(path, 0, &back, &error) != IRZ_OK) fail_msg("%s", error.text);
    assert_same(back, mesh, 1e-17);
    irz_mesh_free(back);
    irz_mesh_free(mesh);
  }
  unlink(path);
}

/// A file that cannot be written is one clear line, and nothing is left.
static void test_unwritable(void **state) {
  (void)state;
  IrzMesh *mesh = read_sample(&(SampleForm){.version = 22});
  IrzError error = {0};
  assert_int_equal(irz_mesh_write(mesh, "no/such/folder/a.msh", &error), IRZ_ERR_OUTPUT);
  assert_string_equal(error.text, "no/such/folder/a.msh: cannot be written: No such file or directory");
  irz_mesh_free(mesh);
}

/// Numbers of every kind are read as the C library reads them.
static void test_numbers(void **state) {
  (void)state;
  static const char *const text[] = {"0",
                                     "-0",
                                     "1",
                                     "+2.5",
                                     ".5",
                                     "5.",
                                     "-.25e2",
                                     "1e22",
                                     "1e23",
                                     "9007199254740993",
                                     "0.1",
                                     "0.3333333333325025",
                                     "123456789012345678901234567890",
                                     "1e-300",
                                     "5e-324",
                                     "2.2250738585072011e-308",
                                     "179769313486231570000e289",
                                     "1e400",
                                     "0.30000000000000004",
                                     "7.2057594037927933e16",
                                     "1E+2",
                                     "000000000000000000000001.5",
                                     "0.000000000000000000000000123",
                                     "8.41e-23",
                                     "9.999999999999999e22",
                                     "-1.7976931348623157e308"};
  for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
    IrzScan scan = {.name = "n", .begin = text[i], .at = text[i], .end = text[i] + strlen(text[i])};
    double value;
    assert_true(irz_scan_real(&scan, &value));
    double wanted = strtod(text[i], NULL);
    assert_memory_equal(&value, &wanted, sizeof value);
    assert_true(scan.at == scan.end);
  }
  srand(1);
  for (int i = 0; i < 100000; i++) {
    char number[60];
    double random = ((double)rand() / RAND_MAX - 0.5) * pow(10, rand() % 40 - 20);
    int length = snprintf(number, sizeof number, rand() % 2 != 0 ? "%.17g" : "%.15g", random);
    IrzScan scan = {.name = "n", .begin = number, .at = number, .end = number + length};
    double value, wanted = strtod(number, NULL);
    assert_true(irz_scan_real(&scan, &value));
    assert_memory_equal(&value, &wanted, sizeof value);
  }
  static const char *const wrong[] = {"", "x", "1x", "0x10", "--1", "1e", ".", "1.2.3", "e5", "1 "};
  for (size_t i = 0; i + 1 < sizeof wrong / sizeof wrong[0]; i++) {
    IrzScan scan = {.name = "n", .begin = wrong[i], .at = wrong[i], .end = wrong[i] + strlen(wrong[i])};
    double value;
    assert_false(irz_scan_real(&scan, &value));
  }
}

/// A mesh made by others.
typedef struct {
  const char *file;
  int nodes, tets, regions, surfaces, loose;
  const char *region, *surface;
} RealMesh;

/// Meshes made by others have the counts of their README (nodes: those used and those left out).
static void test_real(void **state) {
  (void)state;
  static const RealMesh real[] = {
      {"petsc_gmsh-3d-ascii-64.msh", 131, 364, 1, 1, 0, "domain", "boundary"},
      {"petsc_gmsh-3d-ascii_v22.msh", 131, 364, 1, 1, 0, "domain", "boundary"},
      {"petsc_gmsh-3d-binary-64.msh", 131, 364, 1, 1, 0, "domain", "boundary"},
      {"petsc_gmsh-3d-binary_v22.msh", 131, 364, 1, 1, 0, "domain", "boundary"},
      {"mfem_indheat_4.1.bin.msh", 5291, 30444, 3, 5, 4, "1001", "2003"},
      {"mfem_nested_cubes.msh", 138, 520, 2, 12, 0, "2", "7"},
      {"skfem_beams.msh", 289, 851, 1, 1, 0, "all", "fixed"},
      {"skfem_cuubat.msh", 419, 1391, 1, 2, 0, "both", "interface"},
  };
  if (access(REAL_MESHES, R_OK) != 0) {
    print_message("skipped: ../shared/real/meshes is missing\n");
    skip();
  }
  for (size_t i = 0; i < sizeof real / sizeof real[0]; i++) {
    char path[1000];
    snprintf(path, sizeof path, "%s%s", REAL_MESHES, real[i].file);
    IrzMesh *mesh;
    IrzError error = {0};
    if (irz_mesh_read(path, 0, &mesh, &error) != IRZ_OK) fail_msg("%s", error.text);
    if (irz_mesh_check(mesh, NULL, real[i].file, &error) != IRZ_OK) fail_msg("%s", error.text);
    assert_int_equal(mesh->n_vertices + mesh->n_loose, real[i].nodes);
    assert_int_equal(mesh->n_loose, real[i].loose);
    assert_int_equal(mesh->n_tets, real[i].tets);
    assert_int_equal(mesh->n_regions, real[i].regions);
    assert_int_equal(mesh->n_surfaces, real[i].surfaces);
    bool region = false, surface = false;
    for (int g = 0; g < mesh->n_regions; g++) region = region || strcmp(mesh->regions[g].name, real[i].region) == 0;
    for (int g = 0; g < mesh->n_surfaces; g++)
      surface = surface || strcmp(mesh->surfaces[g].name, real[i].surface) == 0;
    assert_true(region && surface);
    irz_mesh_free(mesh);
  }
}

/// The ten-node sphere of diameter 1: 722 tetrahedra; its curved edges bring the volume to within 0.1 % of pi/6,
/// which straight ones miss by several percent.
static void test_real_sphere(void **state) {
  (void)state;
  const char *path = REAL_MESHES "skfem_quadratic_sphere_tet.msh";
  if (access(path, R_OK) != 0) {
    print_message("skipped: %s is missing\n", path);
    skip();
  }
  IrzMesh *mesh;
  IrzError error = {0};
  if (irz_mesh_read(path, 1, &mesh, &error) != IRZ_OK) fail_msg("%s", error.text);
  assert_int_equal(mesh->n_tets, 722);
  assert_int_equal(mesh->n_regions, 1);
  assert_string_equal(mesh->regions[0].name, "default");
  IrzMeshStats stats;
  irz_mesh_stats(mesh, &stats);
  const double sphere = 3.14159265358979323846 / 6;
  assert_close(stats.volume, sphere, 1e-3);
  assert_int_equal(stats.n_parts, 1);
  mesh->n_curved = 0;
  irz_mesh_stats(mesh, &stats);
  assert_true(stats.volume < 0.98 * sphere);
  irz_mesh_free(mesh);
}

/// Prisms are refused by name.
static void test_real_hybrid(void **state) {
  (void)state;
  const char *path = REAL_MESHES "petsc_hybrid_tetwedge.msh";
  if (access(path, R_OK) != 0) {
    print_message("skipped: %s is missing\n", path);
    skip();
  }
  IrzMesh *mesh;
  IrzError error = {0};
  assert_int_equal(irz_mesh_read(path, 0, &mesh, &error), IRZ_ERR_INPUT);
  assert_null(mesh);
  assert_non_null(strstr(error.text, "petsc_hybrid_tetwedge.msh:228: prisms are not supported: tetrahedra"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sample),     cmocka_unit_test(test_forms),       cmocka_unit_test(test_curved),
      cmocka_unit_test(test_round_trip), cmocka_unit_test(test_unwritable),  cmocka_unit_test(test_numbers),
      cmocka_unit_test(test_real),       cmocka_unit_test(test_real_sphere), cmocka_unit_test(test_real_hybrid)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
