/* The checkers of meshes, parts, spaces, patterns and matrices: what is sound passes, and every fault that is put in is
   found and named. On one rank and, run with mpiexec, on several. */
#include "base/valid.h"
#include "grid_mesh.h"
#include "matrix/matrix_valid.h"
#include "mesh/mesh_valid.h"
#include "part/part_valid.h"
#include "testing.h"

static int rank, size;

static int plates(const double x[3]) {
  if (fabs(x[2] + 0.005) < 1e-9) return 0;
  if (fabs(x[2] - 0.005) < 1e-9) return 1;
  return -1;
}

static IrzMesh *make_mesh(void) {
  GridMesh grid = {.n = {4, 3, 4}, .size = {0.02, 0.02, 0.01}, .shake = 0.2, .n_surfaces = 2, .surface = plates};
  IrzMesh *mesh = grid_mesh(&grid);
  mesh->n_curved = 2;
  mesh->curved_edge = calloc(4, sizeof *mesh->curved_edge);
  mesh->curved_xyz = calloc(6, sizeof *mesh->curved_xyz);
  const int32_t edges[4] = {0, 1, 0, 2};
  memcpy(mesh->curved_edge, edges, sizeof edges);
  return mesh;
}

/// A fault that is put into a mesh, and the words that name it.
typedef struct {
  void (*spoil)(IrzMesh *mesh);
  const char *words;
} MeshFault;

static void swap_corners(IrzMesh *m) {
  int32_t first = m->tet[0];
  m->tet[0] = m->tet[1];
  m->tet[1] = first;
}
static void no_such_vertex(IrzMesh *m) {
  m->tet[7] = m->n_vertices;
}
static void same_vertex(IrzMesh *m) {
  m->tet[5] = m->tet[4];
}
static void no_such_region(IrzMesh *m) {
  m->region[3] = m->n_regions;
}
static void no_such_surface(IrzMesh *m) {
  m->surface[0] = -1;
}
static void unused_vertex(IrzMesh *m) {
  m->xyz = realloc(m->xyz, 3 * (size_t)(m->n_vertices + 1) * sizeof *m->xyz);
  memset(m->xyz + 3 * (size_t)m->n_vertices++, 0, 3 * sizeof *m->xyz);
}
static void same_tetrahedron(IrzMesh *m) { /* two more of the first */
  size_t n = (size_t)m->n_tets;
  m->tet = realloc(m->tet, 4 * (n + 2) * sizeof *m->tet);
  m->region = realloc(m->region, (n + 2) * sizeof *m->region);
  for (size_t k = n; k < n + 2; k++) memcpy(m->tet + 4 * k, m->tet, 4 * sizeof *m->tet);
  m->region[n] = m->region[n + 1] = 0;
  m->n_tets += 2;
}
static void no_face(IrzMesh *m) {
  m->triangle[0] = m->triangle[0] == 0 ? 1 : 0;
  m->triangle[1] = m->n_vertices - 1;
}
static void nowhere(IrzMesh *m) {
  m->curved_xyz[4] = NAN;
}
static void out_of_order(IrzMesh *m) {
  m->curved_edge[3] = 1;
}
static void nameless(IrzMesh *m) {
  m->regions[0].name[0] = '\0';
}
static void same_name(IrzMesh *m) {
  m->surfaces[1] = m->surfaces[0];
}

static void meshes(void **state) {
  (void)state;
  static const MeshFault faults[] = {
      {swap_corners, "tetrahedron 0 is not positively oriented"},
      {no_such_vertex, "tetrahedron 1 has the vertex"},
      {same_vertex, "twice"},
      {no_such_region, "tetrahedron 3 is in region 1 of 1"},
      {no_such_surface, "triangle 0 is in surface -1"},
      {unused_vertex, "no tetrahedron has the vertex"},
      {same_tetrahedron, "more than two tetrahedra have the face"},
      {no_face, "triangle 0 is no face"},
      {nowhere, "curved edge 1 is nowhere"},
      {out_of_order, "curved edge 1 is not in order"},
      {nameless, "region 0 has no name"},
      {same_name, "surfaces 0 and 1 are both s0"},
  };
  IrzMesh *mesh = make_mesh();
  IrzError fault = {0};
  if (!irz_mesh_is_valid(mesh, &fault)) fail_msg("%s", fault.text);
  irz_mesh_free(mesh);
  for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
    mesh = make_mesh();
    faults[i].spoil(mesh);
    const char *words = faults[i].words;
    assert_false(irz_mesh_is_valid(mesh, &fault));
    if (strstr(fault.text, words) == NULL) fail_msg("\"%s\" instead of \"%s\"", fault.text, words);
    assert_false(irz_mesh_is_valid(mesh, NULL));
    irz_mesh_free(mesh);
  }
}

static IrzPart *make_part(void) {
  static const char *const names[] = {"s0", "s1"};
  IrzPart *part;
  IrzError error = {0};
  IrzMesh *mesh = rank == 0 ? make_mesh() : NULL;
  if (mesh != NULL) mesh->n_curved = 0; /* those of make_mesh() are made up */
  assert_int_equal(irz_part_create(MPI_COMM_WORLD, mesh, 2, names, &part, &error), IRZ_OK);
  irz_mesh_free(mesh);
  return part;
}

/// A part must be refused on all ranks, with the words.
static void refuse_part(const IrzPart *part, const char *words) {
  IrzError fault = {0};
  assert_false(irz_part_is_valid(part, &fault));
  if (strstr(fault.text, words) == NULL) fail_msg("\"%s\" instead of \"%s\"", fault.text, words);
}

static void swap_nodes(int32_t *a, int32_t *b) {
  int32_t kept = *a;
  *a = *b;
  *b = kept;
}

/* Faults are put in on the last rank alone: the others must hear of them. */
static void parts(void **state) {
  (void)state;
  IrzPart *part = make_part();
  IrzError fault = {0};
  if (!irz_part_is_valid(part, &fault)) fail_msg("%s", fault.text);
  bool here = rank == size - 1;
  if (here) swap_nodes(&part->tet[1][4], &part->tet[1][9]);
  refuse_part(part, "edge 0 of tetrahedron 1 goes from");
  if (here) swap_nodes(&part->tet[1][4], &part->tet[1][9]);
  if (here) swap_nodes(&part->tet[2][0], &part->tet[2][1]);
  refuse_part(part, "tetrahedron 2 is not positively oriented");
  if (here) swap_nodes(&part->tet[2][0], &part->tet[2][1]);
  if (here) part->region[0] = 7;
  refuse_part(part, "tetrahedron 0 is in region 7 of 1");
  if (here) part->region[0] = 0;
  if (here) part->mine[0] = !part->mine[0];
  refuse_part(part, "the ranks' parts are not the whole");
  if (here) part->mine[0] = !part->mine[0];
  if (size > 1) {
    bool ghost = here && part->n_vertices > part->n_owned_vertices;
    double *x = ghost ? &part->xyz[3 * (size_t)part->n_owned_vertices] : NULL;
    if (ghost) *x += 1e-9;
    refuse_part(part, "is not what its owner has");
    if (ghost) *x -= 1e-9;
  }
  assert_true(irz_part_is_valid(part, NULL) || size > 1); /* what was added is not always taken away exactly */
  irz_part_free(part);
}

static void spaces(void **state) {
  (void)state;
  IrzPart *part = make_part();
  for (int order = 1; order <= 2; order++) {
    IrzSpace *space;
    IrzPattern *pattern;
    IrzMatrix *matrix;
    IrzError error = {0}, fault = {0};
    int32_t *general = calloc((size_t)part->n_tets, sizeof *general);
    assert_int_equal(irz_space_create(part, order, true, 2, general, NULL, &space, &error), IRZ_OK);
    if (!irz_space_is_valid(space, &fault)) fail_msg("%s", fault.text);
    bool here = rank == size - 1;
    if (here) space->tet_dof[1] = space->n_local;
    assert_false(irz_space_is_valid(space, &fault));
    assert_non_null(strstr(fault.text, "has the unknown"));
    if (here) space->tet_dof[1] = space->dof[part->tet[0][1]];
    space->n_global++;
    assert_false(irz_space_is_valid(space, &fault));
    assert_non_null(strstr(fault.text, "unknowns are not all"));
    space->n_global--;
    if (size > 1) {
      if (here) space->ghost[0]--;
      assert_false(irz_space_is_valid(space, &fault));
      assert_non_null(strstr(fault.text, "ghost"));
      if (here) space->ghost[0]++;
    }
    assert_true(irz_space_is_valid(space, NULL));

    assert_int_equal(irz_pattern_create(space, &pattern, &error), IRZ_OK);
    if (!irz_pattern_is_valid(pattern, &fault)) fail_msg("%s", fault.text);
    PetscInt *last = &pattern->aj[pattern->ai[2] - 1];
    --*last;
    assert_false(irz_pattern_is_valid(pattern, &fault));
    assert_non_null(strstr(fault.text, "row 1 does not end with its diagonal"));
    ++*last;
    assert_int_equal(irz_matrix_create(pattern, &matrix, &error), IRZ_OK);
    if (!irz_matrix_is_valid(matrix, &fault)) fail_msg("%s", fault.text);
    PetscInt row = 0; /* with a column beside its diagonal */
    while (matrix->ai[row + 1] - matrix->ai[row] < 2) row++;
    PetscInt *column = &matrix->aj[matrix->ai[row]], kept = column[0];
    column[0] = column[1];
    assert_false(irz_matrix_is_valid(matrix, &fault));
    assert_non_null(strstr(fault.text, "after"));
    column[0] = kept;
    assert_true(irz_matrix_is_valid(matrix, NULL));
    irz_matrix_free(matrix);
    irz_pattern_free(pattern);
    irz_space_free(space);
    free(general);
  }
  irz_part_free(part);
}

int main(int argc, char **argv) {
  PETSC_MPI_THREAD_REQUIRED = MPI_THREAD_FUNNELED;
  PetscInitialize(&argc, &argv, NULL, NULL);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  const struct CMUnitTest tests[] = {cmocka_unit_test(meshes), cmocka_unit_test(parts), cmocka_unit_test(spaces)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
