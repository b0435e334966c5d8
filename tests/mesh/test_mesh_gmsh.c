/* The ways in which Gmsh itself writes one mesh: each is read as the plain one is, or refused for its true reason. */
#include "testing.h"
#include <gmshc.h>
#include <irezone/mesh.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CALL(...)                                                                                                      \
  do {                                                                                                                 \
    int wrong = 0;                                                                                                     \
    __VA_ARGS__;                                                                                                       \
    assert_int_equal(wrong, 0);                                                                                        \
  } while (0)

/// A box of 20 x 10 x 10 mm of two tissues, with an electrode at either end; both tissues are also in the group `all`
/// if that is wanted.
static void make_model(bool twice) {
  static const char script[] = "Point(1) = {0, 0, 0, 3};\n"
                               "l[] = Extrude {0, 10, 0} { Point{1}; };\n"
                               "s[] = Extrude {0, 0, 10} { Line{l[1]}; };\n"
                               "a[] = Extrude {10, 0, 0} { Surface{s[1]}; };\n"
                               "b[] = Extrude {10, 0, 0} { Surface{a[0]}; };\n"
                               "Physical Surface(11) = {s[1]};\n"
                               "Physical Surface(12) = {b[0]};\n"
                               "Physical Volume(1) = {a[1]};\n"
                               "Physical Volume(2) = {b[1]};\n";
  FILE *file = fopen("box.geo", "w");
  assert_non_null(file);
  fprintf(file, "%s%s", script, twice ? "Physical Volume(3) = {a[1], b[1]};\n" : "");
  fclose(file);
  CALL(gmshInitialize(0, NULL, 0, &wrong));
  CALL(gmshOptionSetNumber("General.Terminal", 0, &wrong));
  CALL(gmshOpen("box.geo", &wrong));
  CALL(gmshModelSetPhysicalName(2, 11, "Elektrode \xc3\xa4 1", &wrong));
  CALL(gmshModelSetPhysicalName(2, 12, "needle \"two\"", &wrong));
  CALL(gmshModelSetPhysicalName(3, 1, "liver", &wrong));
  CALL(gmshModelSetPhysicalName(3, 2, "tumour, left lobe", &wrong));
}

/// How a file is written.
typedef struct {
  const char *what, *refused; ///< words of the refusal, or NULL
  double version;
  int binary, parametric, all, order, partitions, twice;
} Variant;

static const Variant variants[] = {
    {"2.2 text", NULL, 2.2, 0, 0, 0, 1, 0, 0},
    {"2.2 binary", NULL, 2.2, 1, 0, 0, 1, 0, 0},
    {"2.2 text with parameters", NULL, 2.2, 0, 1, 0, 1, 0, 0},
    {"2.2 binary with parameters", NULL, 2.2, 1, 1, 0, 1, 0, 0},
    {"2.2 text with parameters, order 2", NULL, 2.2, 0, 1, 0, 2, 0, 0},
    {"2.2 binary with parameters, order 2", NULL, 2.2, 1, 1, 0, 2, 0, 0},
    {"2.2 binary, order 2", NULL, 2.2, 1, 0, 0, 2, 0, 0},
    {"2.2 text, partitioned", NULL, 2.2, 0, 0, 0, 1, 3, 0},
    {"2.2 binary, partitioned", NULL, 2.2, 1, 0, 0, 1, 3, 0},
    {"4.1 text", NULL, 4.1, 0, 0, 0, 1, 0, 0},
    {"4.1 binary", NULL, 4.1, 1, 0, 0, 1, 0, 0},
    {"4.1 text with parameters", NULL, 4.1, 0, 1, 0, 1, 0, 0},
    {"4.1 binary with parameters", NULL, 4.1, 1, 1, 0, 1, 0, 0},
    {"4.1 binary with parameters, order 2", NULL, 4.1, 1, 1, 0, 2, 0, 0},
    {"4.1 text, order 2", NULL, 4.1, 0, 0, 0, 2, 0, 0},
    {"4.1 text, partitioned", NULL, 4.1, 0, 0, 0, 1, 3, 0},
    {"4.1 binary, partitioned", NULL, 4.1, 1, 0, 0, 1, 3, 0},
    {"4.1 text, all elements", NULL, 4.1, 0, 0, 1, 1, 0, 0},
    {"2.2 text, all elements", NULL, 2.2, 0, 0, 1, 1, 0, 0},
    {"4.1 text, two groups an element", NULL, 4.1, 0, 0, 0, 1, 0, 1},
    {"2.2 text, two groups an element", NULL, 2.2, 0, 0, 0, 1, 0, 1},
    {"4.0 text", "MSH version 4", 4.0, 0, 0, 0, 1, 0, 0},
    {"1 text", "version 1", 1.0, 0, 0, 0, 1, 0, 0},
};

static void write_variant(const Variant *variant) {
  make_model(variant->twice);
  CALL(gmshModelMeshGenerate(3, &wrong));
  if (variant->order == 2) CALL(gmshModelMeshSetOrder(2, &wrong));
  if (variant->partitions > 0) CALL(gmshModelMeshPartition(variant->partitions, &wrong));
  CALL(gmshOptionSetNumber("Mesh.MshFileVersion", variant->version, &wrong));
  CALL(gmshOptionSetNumber("Mesh.Binary", variant->binary, &wrong));
  CALL(gmshOptionSetNumber("Mesh.SaveParametric", variant->parametric, &wrong));
  CALL(gmshOptionSetNumber("Mesh.SaveAll", variant->all, &wrong));
  CALL(gmshWrite("v.msh", &wrong));
  CALL(gmshFinalize(&wrong));
}

/// Volume of each region and area of each surface, mm^3 and mm^2, by name.
static double measure(const IrzMesh *mesh, bool volume, const char *name) {
  double sum = 0;
  int corners = volume ? 4 : 3;
  for (int32_t i = 0; i < (volume ? mesh->n_tets : mesh->n_triangles); i++) {
    const int32_t *v = (volume ? mesh->tet : mesh->triangle) + corners * (size_t)i;
    const char *group = volume ? mesh->regions[mesh->region[i]].name : mesh->surfaces[mesh->surface[i]].name;
    double e[3][3] = {{0}};
    if (strcmp(group, name) != 0) continue;
    for (int k = 1; k < corners; k++) {
      for (int d = 0; d < 3; d++) e[k - 1][d] = 1e3 * (mesh->xyz[3 * v[k] + d] - mesh->xyz[3 * v[0] + d]);
    }
    double c[3] = {e[0][1] * e[1][2] - e[0][2] * e[1][1], e[0][2] * e[1][0] - e[0][0] * e[1][2],
                   e[0][0] * e[1][1] - e[0][1] * e[1][0]};
    sum += volume ? fabs(c[0] * e[2][0] + c[1] * e[2][1] + c[2] * e[2][2]) / 6
                  : sqrt(c[0] * c[0] + c[1] * c[1] + c[2] * c[2]) / 2;
  }
  return sum;
}

static void as_gmsh_writes(void **state) {
  int32_t tets = 0, vertices = 0;
  (void)state;
  for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
    const Variant *variant = &variants[i];
    IrzMesh *mesh;
    IrzError error = {0};
    write_variant(variant);
    IrzCode code = irz_mesh_read("v.msh", 1e-3, &mesh, &error);
    if (variant->refused != NULL && code != IRZ_OK) {
      assert_int_equal(code, IRZ_ERR_INPUT);
      if (strstr(error.text, variant->refused) == NULL) fail_msg("%s: %s", variant->what, error.text);
      print_message("%s: %s\n", variant->what, error.text);
      continue;
    }
    if (code != IRZ_OK) fail_msg("%s: %s", variant->what, error.text);
    if (variant->refused != NULL) fail_msg("%s: is read", variant->what);
    if (irz_mesh_check(mesh, NULL, "v.msh", &error) != IRZ_OK) fail_msg("%s: %s", variant->what, error.text);
    if (i == 0) tets = mesh->n_tets, vertices = mesh->n_vertices;
    if (mesh->n_tets != tets || mesh->n_vertices != vertices)
      fail_msg("%s: %d tetrahedra, %d vertices", variant->what, mesh->n_tets, mesh->n_vertices);
    if (variant->all && variant->version == 2.2) { /* Gmsh writes no groups then */
      assert_int_equal(mesh->n_surfaces, 0);
      assert_near(measure(mesh, true, "default"), 2000, 1e-6);
      irz_mesh_free(mesh);
      continue;
    }
    assert_near(measure(mesh, true, "liver"), 1000, 1e-6);
    assert_near(measure(mesh, true, "tumour, left lobe"), 1000, 1e-6);
    assert_near(measure(mesh, false, "Elektrode \xc3\xa4 1"), 100, 1e-6);
    assert_near(measure(mesh, false, "needle \"two\""), 100, 1e-6);
    irz_mesh_free(mesh);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(as_gmsh_writes)};
  char folder[] = "/tmp/irezone-gmsh-XXXXXX";
  if (mkdtemp(folder) == NULL || chdir(folder) != 0) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  unlink("v.msh");
  unlink("box.geo");
  if (chdir("/") == 0) rmdir(folder);
  return failed;
}
