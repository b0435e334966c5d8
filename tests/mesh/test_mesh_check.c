/* Meshes that can be read but not used, and plans that do not fit them. Statistics against known shapes. */
#include "mesh/msh_read.h"
#include "plan/plan.h"
#include "testing.h"
#include <stdlib.h>
#include <string.h>

/// Read a mesh from the nodes and elements of a 2.2 text file.
static IrzMesh *make_mesh(const char *nodes, const char *elements) {
  char text[6000], count[2][20];
  for (int i = 0; i < 2; i++) {
    int lines = 0;
    for (const char *c = i == 0 ? nodes : elements; *c != '\0'; c++) lines += *c == '\n';
    snprintf(count[i], sizeof count[i], "%d", lines);
  }
  snprintf(
      text, sizeof text,
      "$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$PhysicalNames\n5\n2 1 \"needle_1\"\n2 2 \"needle_2\"\n2 3 \"needle_3\"\n"
      "3 10 \"liver\"\n3 20 \"tumour\"\n$EndPhysicalNames\n$Nodes\n%s\n%s$EndNodes\n$Elements\n%s\n%s$EndElements\n",
      count[0], nodes, count[1], elements);
  IrzMesh *mesh;
  IrzError error = {0};
  if (irz_msh_parse(text, strlen(text), "m.msh", 0, &mesh, &error) != IRZ_OK) fail_msg("%s", error.text);
  return mesh;
}

/// Check a mesh and compare what is said; NULL: it is fine.
static void expect_said(const IrzMesh *mesh, IrzPlan *plan, const char *wanted) {
  IrzError error = {0};
  IrzCode code = irz_mesh_check(mesh, plan, "m.msh", &error);
  assert_string_equal(error.text, wanted != NULL ? wanted : "");
  assert_int_equal(code, wanted != NULL ? IRZ_ERR_INPUT : IRZ_OK);
}

/* Two tetrahedra on both sides of a triangle, with needles on faces that share no vertex pair but the tip. */
#define TWO_NODES "1 0 0 0\n2 1 0 0\n3 0 1 0\n4 0 0 1\n5 0 0 -1\n"
#define TWO_TETS "1 4 2 10 1 1 2 3 4\n2 4 2 20 1 1 3 2 5\n"

/* A row of three tetrahedra: needle_1 at one end, needle_2 at the other. */
#define ROW_NODES "1 0 0 0\n2 1 0 0\n3 0 1 0\n4 0 0 1\n5 1 1 1\n6 2 2 0\n7 2 2 2\n"
#define ROW_TETS "1 4 2 10 1 1 2 3 4\n2 4 2 10 1 2 3 4 5\n3 4 2 20 1 3 4 5 7\n4 4 2 20 1 3 5 6 7\n"

/// A plan with probes A and B on two surfaces and one pulse.
static IrzPlan make_plan(IrzTissue tissues[2], IrzPulse *pulse) {
  IrzPlan plan = {.file = "p.yaml", .n_tissues = 1, .tissues = tissues, .n_probes = 2, .n_pulses = 1, .pulses = pulse};
  tissues[0] = (IrzTissue){.region = "default"};
  *pulse = (IrzPulse){.from = 0, .to = 1, .line = 9};
  plan.probes[0] = (IrzProbe){.name = "A", .surface = "needle_1", .line = 5};
  plan.probes[1] = (IrzProbe){.name = "B", .surface = "needle_2", .line = 6};
  return plan;
}

static void test_geometry(void **state) {
  (void)state;
  IrzMesh *mesh = make_mesh(TWO_NODES, TWO_TETS);
  expect_said(mesh, NULL, NULL);
  irz_mesh_free(mesh);
  /* The second one folded onto the first. */
  mesh = make_mesh("1 0 0 0\n2 1 0 0\n3 0 1 0\n4 0 0 1\n5 0 0 2\n", TWO_TETS);
  expect_said(mesh, NULL,
              "m.msh: two tetrahedra lie on the same side of their common face at (0, 0, 0) mm: they overlap");
  irz_mesh_free(mesh);
  /* A third on the same face. */
  mesh = make_mesh(TWO_NODES "6 0.5 0.5 2\n", TWO_TETS "3 4 2 20 1 1 2 3 6\n");
  expect_said(mesh, NULL, "m.msh: the face at (0, 0, 0) mm belongs to 3 tetrahedra: one or two are allowed");
  irz_mesh_free(mesh);
  /* A crack: the second one has corners of its own at the same places. */
  mesh = make_mesh(TWO_NODES "6 0 0 0\n7 1 0 0\n8 0 1 0\n", "1 4 2 10 1 1 2 3 4\n2 4 2 20 1 6 8 7 5\n");
  expect_said(mesh, NULL,
              "m.msh: 3 pairs of nodes at the same place, the first at (0, 0, 0) mm, with a crack of unmatched faces "
              "between them: merge them (in Gmsh: Coherence Mesh)");
  irz_mesh_free(mesh);
  /* Damaged in memory. */
  mesh = make_mesh(TWO_NODES, TWO_TETS);
  mesh->xyz[3 * 3 + 2] = -1e-3;
  expect_said(mesh, NULL, "m.msh: the tetrahedron at (0, 0, 0) mm is degenerate or inverted");
  irz_mesh_free(mesh);
}

static void test_plan(void **state) {
  (void)state;
  IrzTissue tissues[2];
  IrzPulse pulse;
  IrzPlan plan = make_plan(tissues, &pulse);
  IrzMesh *mesh = make_mesh(ROW_NODES, ROW_TETS "5 2 2 1 1 1 2 3\n6 2 2 2 1 5 6 7\n");
  expect_said(mesh, &plan, NULL);

  strcpy(plan.probes[1].surface, "needle2");
  expect_said(mesh, &plan,
              "p.yaml:6: probes[1].surface: the mesh m.msh has no surface 'needle2'; did you mean 'needle_2'? It has: "
              "needle_1, needle_2");
  strcpy(plan.probes[1].surface, "x");
  expect_said(mesh, &plan,
              "p.yaml:6: probes[1].surface: the mesh m.msh has no surface 'x'; it has: needle_1, needle_2");
  strcpy(plan.probes[1].surface, "needle_1");
  expect_said(mesh, &plan, "p.yaml:6: probes[1].surface: 'needle_1' is the surface of probe A already");
  plan.probes[1].surface[0] = '\0'; /* as in a generated mesh: the probe's own name */
  expect_said(mesh, &plan,
              "p.yaml:6: probes[1].surface: the mesh m.msh has no surface 'B'; it has: needle_1, needle_2");
  strcpy(plan.probes[1].name, "needle_2");
  expect_said(mesh, &plan, NULL);

  plan = make_plan(tissues, &pulse);
  plan.n_tissues = 2;
  tissues[1] = (IrzTissue){.region = "tumor", .line = 4};
  expect_said(mesh, &plan,
              "p.yaml:4: tissues.tumor: the mesh m.msh has no region of that name; did you mean 'tumour'? It has: "
              "liver, tumour");
  IrzTissue three[] = {tissues[0], tissues[1], {.region = "vein", .line = 5}, {.region = "duct", .line = 6}};
  plan.tissues = three;
  plan.n_tissues = 4;
  expect_said(
      mesh, &plan,
      "p.yaml:4: tissues.tumor: the mesh m.msh has no region of that name, and none for vein, duct; did you mean "
      "'tumour'? It has: liver, tumour");
  plan.tissues = tissues;
  plan.n_tissues = 2;
  plan.anatomy.n_map = 1;
  plan.anatomy.map = &(IrzLabel){.label = 1, .region = "tumor"};
  expect_said(mesh, &plan, NULL);
  irz_mesh_free(mesh);

  plan = make_plan(tissues, &pulse);
  mesh = make_mesh(ROW_NODES, ROW_TETS);
  expect_said(mesh, &plan,
              "p.yaml:5: probes[0].surface: the mesh m.msh has no surface 'needle_1', nor needle_2; it has none");
  irz_mesh_free(mesh);
  mesh = make_mesh(ROW_NODES, ROW_TETS "5 2 2 1 1 1 2 3\n6 2 2 2 1 3 6 7\n");
  expect_said(mesh, &plan, "m.msh: the electrodes of probes A and B touch at (0, 1, 0) mm");
  irz_mesh_free(mesh);
}

static void test_pieces(void **state) {
  (void)state;
  IrzTissue tissues[2];
  IrzPulse pulse;
  IrzPlan plan = make_plan(tissues, &pulse);
  const char *nodes = ROW_NODES "8 9 0 0\n9 10 0 0\n10 9 1 0\n11 9 0 1\n";
  IrzMesh *mesh = make_mesh(nodes, ROW_TETS "5 4 2 10 1 8 9 10 11\n6 2 2 1 1 1 2 3\n7 2 2 2 1 8 9 10\n");
  expect_said(mesh, &plan,
              "p.yaml:9: pulses[0]: probes A and B are not in the same piece of tissue: the mesh m.msh has 2 pieces");
  IrzMeshStats stats;
  irz_mesh_stats(mesh, &stats);
  assert_int_equal(stats.n_parts, 2);
  irz_mesh_free(mesh);
  mesh = make_mesh(nodes, ROW_TETS "5 4 2 10 1 8 9 10 11\n6 2 2 1 1 1 2 3\n7 2 2 2 1 5 6 7\n");
  expect_said(mesh, &plan,
              "p.yaml:9: pulses[0]: the piece of tissue at (9, 0, 0) mm of the mesh m.msh touches neither probe, so "
              "that its potential is not determined");
  irz_mesh_free(mesh);
}

/// A tetrahedron in a part and in the whole belongs to the part; groups of one name are one.
static void test_groups(void **state) {
  (void)state;
  IrzMesh *mesh = make_mesh(TWO_NODES, "1 4 2 10 1 1 2 3 4\n2 4 2 10 1 1 3 2 5\n3 4 2 20 1 1 2 3 4\n"
                                       "4 2 2 1 1 1 2 4\n5 2 2 3 1 1 2 4\n6 2 2 1 1 4 2 1\n7 2 2 0 1 1 4 3\n");
  assert_int_equal(mesh->n_tets, 2);
  assert_int_equal(mesh->n_regions, 2);
  for (int t = 0; t < 2; t++) {
    bool upper = mesh->xyz[3 * mesh->tet[4 * t + 3] + 2] > 0;
    assert_string_equal(mesh->regions[mesh->region[t]].name, upper ? "tumour" : "liver");
  }
  assert_int_equal(mesh->n_triangles, 2); /* on two surfaces; once on each */
  assert_int_equal(mesh->n_surfaces, 2);
  irz_mesh_free(mesh);
  mesh = make_mesh(TWO_NODES, "1 4 0 1 2 3 4\n2 4 1 -7 1 3 2 5\n");
  assert_int_equal(mesh->n_regions, 2);
  assert_string_equal(mesh->regions[0].name, "default");
  assert_int_equal(mesh->regions[0].tag, 0);
  assert_string_equal(mesh->regions[1].name, "7");
  irz_mesh_free(mesh);
}

/// A regular tetrahedron and a corner of a cube, whose angles and qualities are known.
static void test_stats(void **state) {
  (void)state;
  IrzMesh *mesh = make_mesh("1 1 1 1\n2 1 -1 -1\n3 -1 1 -1\n4 -1 -1 1\n", "1 4 2 10 1 1 2 3 4\n");
  IrzMeshStats stats;
  irz_mesh_stats(mesh, &stats);
  assert_close(stats.volume, 8e-9 / 3, 1e-13);
  assert_close(stats.min_edge, sqrt(8) * 1e-3, 1e-13);
  assert_close(stats.max_edge, sqrt(8) * 1e-3, 1e-13);
  assert_close(stats.min_quality, 1.0, 1e-13);
  assert_close(stats.mean_quality, 1.0, 1e-13);
  assert_close(stats.min_dihedral_degree, acos(1.0 / 3) * 180 / acos(-1), 1e-12);
  assert_close(stats.max_dihedral_degree, acos(1.0 / 3) * 180 / acos(-1), 1e-12);
  assert_int_equal(stats.quality_histogram[9], 1);
  irz_mesh_free(mesh);
  mesh = make_mesh("1 0 0 0\n2 1 0 0\n3 0 1 0\n4 0 0 1\n", "1 4 2 10 1 1 2 3 4\n");
  irz_mesh_stats(mesh, &stats);
  assert_close(stats.volume, 1e-9 / 6, 1e-13);
  assert_close(stats.min_dihedral_degree, acos(1 / sqrt(3)) * 180 / acos(-1), 1e-12);
  assert_close(stats.max_dihedral_degree, 90.0, 1e-12);
  assert_close(stats.min_quality, 12 * pow(0.5, 2.0 / 3) / 9, 1e-12);
  assert_int_equal(stats.quality_histogram[8], 1);
  irz_mesh_free(mesh);
}

/// What a person is shown.
static void test_print(void **state) {
  (void)state;
  IrzMesh *mesh = make_mesh(ROW_NODES "8 0 0 9\n", ROW_TETS "5 2 2 1 1 1 2 3\n");
  char *text;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  IrzError error = {0};
  assert_int_equal(irz_mesh_print(mesh, out, &error), IRZ_OK);
  fclose(out);
  static const char *const wanted[] = {"4 tetrahedra, 7 vertices\n", "1 loose nodes left out\n",
                                       "box      x 0 to 2, y 0 to 2, z 0 to 2 mm\n", "in 1 piece\n",
                                       "needle_1                 tag 1              1 triangles           0.5 mm2\n"};
  for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
    if (strstr(text, wanted[i]) == NULL) fail_msg("no '%s' in\n%s", wanted[i], text);
  }
  free(text);
  irz_mesh_free(mesh);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_geometry), cmocka_unit_test(test_plan),
                                     cmocka_unit_test(test_pieces),   cmocka_unit_test(test_groups),
                                     cmocka_unit_test(test_stats),    cmocka_unit_test(test_print)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
