/* Parts, their edges and the numbers of unknowns are right, and the same for any number of threads. */
#include "field/medium.h"
#include "grid_mesh.h"
#include "matrix/space.h"
#include "mesh/mesh_build.h"
#include "testing.h"
#include <omp.h>

static int ends(const double x[3]) {
  if (fabs(x[2] + 0.005) < 1e-9) return 0;
  if (fabs(x[2] - 0.005) < 1e-9) return 1;
  return -1;
}

/// A box with one curved edge.
static IrzMesh *make_mesh(void) {
  GridMesh grid = {.n = {6, 5, 7}, .size = {0.02, 0.02, 0.01}, .shake = 0.2, .n_surfaces = 2, .surface = ends};
  IrzMesh *mesh = grid_mesh(&grid);
  int32_t a = mesh->tet[4 * 500], b = mesh->tet[4 * 500 + 1];
  mesh->n_curved = 1;
  mesh->curved_edge = calloc(2, sizeof *mesh->curved_edge);
  mesh->curved_xyz = calloc(3, sizeof *mesh->curved_xyz);
  mesh->curved_edge[0] = a < b ? a : b;
  mesh->curved_edge[1] = a < b ? b : a;
  for (int d = 0; d < 3; d++) mesh->curved_xyz[d] = 0.5 * (mesh->xyz[3 * a + d] + mesh->xyz[3 * b + d]) + 1e-5;
  return mesh;
}

/// What is made of a mesh with so many threads.
typedef struct {
  IrzFaces faces;
  IrzPart *part;
  IrzMedium *medium;
  IrzSpace *space[2];
} Made;

static Made make(const IrzMesh *mesh, int n_threads) {
  Made made = {0};
  IrzError error = {0};
  const char *surfaces[] = {"s0", "s1"};
  omp_set_num_threads(n_threads);
  assert_int_equal(irz_mesh_faces(mesh, &made.faces, &error), IRZ_OK);
  assert_int_equal(irz_part_create(PETSC_COMM_SELF, mesh, 2, surfaces, &made.part, &error), IRZ_OK);
  assert_int_equal(irz_medium_create(made.part, NULL, &made.medium, &error), IRZ_OK);
  for (int k = 0; k < 2; k++) {
    assert_int_equal(
        irz_space_create(made.part, k + 1, k == 0, n_threads, made.medium->general, NULL, &made.space[k], &error),
        IRZ_OK);
  }
  return made;
}

static void clear(Made *made) {
  for (int k = 0; k < 2; k++) irz_space_free(made->space[k]);
  irz_medium_free(made->medium);
  irz_part_free(made->part);
  irz_faces_clear(&made->faces);
}

static void test_right(void **state) {
  (void)state;
  IrzMesh *mesh = make_mesh();
  Made made = make(mesh, 3);
  const IrzPart *part = made.part;
  int32_t outside = 0, bent = 0;
  assert_int_equal(made.faces.fault_vertex, -1);
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    for (int f = 0; f < 4; f++) outside += made.faces.other[t][f] < 0;
  }
  assert_int_equal(outside, 4 * (6 * 5 + 5 * 7 + 7 * 6)); /* two triangles on each of the bricks' faces, both sides */
  /* Euler: V - E + F - T = 1, and every inner face belongs to two tetrahedra. */
  assert_int_equal(part->n_edges, part->n_vertices + (4 * part->n_tets + outside) / 2 - part->n_tets - 1);
  for (int32_t t = 0; t < part->n_tets; t++) {
    bool curved = bent < part->n_curved && part->curved_tet[bent] == t;
    bent += curved;
    for (int e = 0; e < 6; e++) {
      const int32_t *end = part->edge + 2 * (part->tet[t][4 + e] - part->n_vertices);
      int32_t a = part->tet[t][irz_edge_vertices[e][0]], b = part->tet[t][irz_edge_vertices[e][1]];
      assert_true((end[0] == a && end[1] == b) || (end[0] == b && end[1] == a));
      double off = 0;
      for (int d = 0; curved && d < 3; d++) {
        off = fmax(off, fabs(part->curved_xyz[bent - 1][e][d] - 0.5 * (part->xyz[3 * a + d] + part->xyz[3 * b + d])));
      }
      if (off > 1e-9) assert_near(off, 1e-5, 1e-15);
    }
  }
  assert_int_equal(bent, part->n_curved);
  assert_true(bent >= 1);
  /* Every electrode is one unknown at order 1, and each of the other vertices is one. */
  assert_int_equal(made.space[0]->n_owned, part->n_vertices - 2 * 7 * 6 + 2);
  assert_int_equal(made.space[1]->n_owned, part->n_vertices + part->n_edges);
  clear(&made);
  irz_mesh_free(mesh);
}

#define assert_same(a, b, count) assert_memory_equal(a, b, (size_t)(count) * sizeof *(a))

static void test_same(void **state) {
  (void)state;
  IrzMesh *mesh = make_mesh();
  Made one = make(mesh, 1);
  const int counts[] = {2, 3, 7};
  for (int i = 0; i < 3; i++) {
    Made made = make(mesh, counts[i]);
    const IrzPart *a = one.part, *b = made.part;
    assert_same(one.faces.other, made.faces.other, mesh->n_tets);
    assert_int_equal(a->n_edges, b->n_edges);
    assert_int_equal(a->n_curved, b->n_curved);
    assert_same(a->tet, b->tet, a->n_tets);
    assert_same(a->xyz, b->xyz, 3 * a->n_vertices);
    assert_same(a->edge, b->edge, 2 * a->n_edges);
    assert_same(a->electrode, b->electrode, a->n_vertices + a->n_edges);
    assert_same(a->curved_tet, b->curved_tet, a->n_curved);
    assert_same(a->curved_xyz, b->curved_xyz, a->n_curved);
    for (int k = 0; k < 2; k++) {
      assert_int_equal(one.space[k]->n_owned, made.space[k]->n_owned);
      assert_same(one.space[k]->tet_dof, made.space[k]->tet_dof, a->n_tets * one.space[k]->nodes);
    }
    clear(&made);
  }
  clear(&one);
  irz_mesh_free(mesh);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_right), cmocka_unit_test(test_same)};
  PetscInitialize(&argc, &argv, NULL, NULL);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
