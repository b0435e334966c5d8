/* Patterns of matrices have exactly the entries that the tetrahedra give them, in the order and at the places that they
 * promise: at both orders, for several threads, with electrodes that share an unknown, with rows too long for `place`;
 * on one rank and, run with mpiexec, on several. */
#include "field/medium.h"
#include "grid_mesh.h"
#include "matrix/pattern.h"
#include "testing.h"

static int plates(const double x[3]) {
  if (fabs(x[2] + 0.005) < 1e-9) return 0;
  if (fabs(x[2] - 0.005) < 1e-9) return 1;
  return -1;
}

static IrzMesh *make_box(void) {
  GridMesh grid = {.n = {6, 5, 7}, .size = {0.02, 0.02, 0.01}, .shake = 0.2, .n_surfaces = 2, .surface = plates};
  return grid_mesh(&grid);
}

/// Tetrahedra around one edge, like the slices of an orange: the rows of its ends have hundreds of columns.
static IrzMesh *make_orange(void) {
  enum { slices = 300 };
  IrzMesh *m = calloc(1, sizeof *m);
  m->n_vertices = slices + 2;
  m->n_tets = slices;
  m->n_triangles = 2;
  m->xyz = calloc((size_t)m->n_vertices, 3 * sizeof *m->xyz);
  m->tet = calloc(slices, 4 * sizeof *m->tet);
  m->region = calloc(slices, sizeof *m->region);
  m->triangle = calloc(2, 3 * sizeof *m->triangle);
  m->surface = calloc(2, sizeof *m->surface);
  m->xyz[3 * slices + 2] = -0.01;
  m->xyz[3 * (slices + 1) + 2] = 0.01;
  for (int k = 0; k < slices; k++) {
    const double angle = 2 * M_PI * k / slices;
    m->xyz[3 * k] = 0.01 * cos(angle);
    m->xyz[3 * k + 1] = 0.01 * sin(angle);
    const int32_t corners[4] = {k, (k + 1) % slices, slices, slices + 1};
    memcpy(m->tet + 4 * k, corners, sizeof corners);
  }
  for (int s = 0; s < 2; s++) { /* two far outer triangles are the electrodes */
    const int32_t corners[3] = {150 * s, 150 * s + 1, slices + s};
    memcpy(m->triangle + 3 * s, corners, sizeof corners);
    m->surface[s] = s;
  }
  m->n_regions = 1;
  m->regions = calloc(1, sizeof *m->regions);
  snprintf(m->regions[0].name, sizeof m->regions[0].name, "r0");
  m->n_surfaces = 2;
  m->surfaces = calloc(2, sizeof *m->surfaces);
  for (int s = 0; s < 2; s++) snprintf(m->surfaces[s].name, sizeof m->surfaces[s].name, "s%d", s);
  return m;
}

/// Columns that the tetrahedra give every owned row: [n_owned][n_local].
static uint8_t *find_wanted(const IrzSpace *space) {
  const size_t n = (size_t)space->n_local, nodes = (size_t)space->nodes;
  uint8_t *wanted = calloc((size_t)space->n_owned * n + 1, 1);
  for (size_t t = 0; t < (size_t)space->part->n_tets; t++) {
    const int32_t *dof = space->tet_dof + t * nodes;
    for (size_t i = 0; i < nodes; i++) {
      for (size_t j = 0; dof[i] < space->n_owned && j < nodes; j++) wanted[(size_t)dof[i] * n + (size_t)dof[j]] = 1;
    }
  }
  return wanted;
}

/// Check the columns of a row and strike them off.
static void check_row(const IrzPattern *p, int32_t row, int32_t first, int32_t last, uint8_t *wanted) {
  const PetscInt begin = p->ai[row], end = p->ai[row + 1];
  const bool ordered = p->space->nodes == 4 || end - begin > IRZ_PATTERN_LONG;
  assert_int_equal(begin % 4, 0);
  assert_true(end > begin);
  assert_int_equal(p->aj[end - 1], row);
  PetscInt copies = 0;
  for (PetscInt c = begin; c < end; c++) {
    assert_in_range(p->aj[c], first, row);
    if (c < end - 1 && p->aj[c] == row) {
      copies++;
      continue;
    }
    assert_int_equal(copies, c < end - 1 ? 0 : copies);
    assert_int_equal(wanted[p->aj[c]], 1); /* wanted, and not twice */
    wanted[p->aj[c]] = 0;
    if (ordered && c > begin && c < end - 1) assert_true(p->aj[c] > p->aj[c - 1]);
    assert_int_equal(irz_pattern_in_a(p, row, p->aj[c]), c);
  }
  assert_true(copies < 4);
  for (PetscInt c = p->bi[row]; c < p->bi[row + 1]; c++) {
    assert_true(p->bj[c] < first || p->bj[c] >= last);
    assert_int_equal(wanted[p->bj[c]], 1);
    wanted[p->bj[c]] = 0;
    if (c > p->bi[row]) assert_true(p->bj[c] > p->bj[c - 1]);
    assert_int_equal(irz_pattern_in_b(p, row, p->bj[c]), c);
  }
  for (int32_t c = 0; c < p->space->n_local; c++) {
    if (wanted[c]) assert_in_range(c, row + 1, last - 1); /* only what follows from symmetry is left */
  }
}

/// Check where the entries of a tetrahedron are said to be.
static void check_places(const IrzPattern *p, int32_t t) {
  const IrzSpace *space = p->space;
  const int n = space->nodes;
  const int32_t *dof = space->tet_dof + (size_t)t * (size_t)n;
  const uint8_t *place = p->place + (size_t)t * (size_t)(n * (n + 1) / 2);
  bool shared = false;
  if (p->plain[t] == IRZ_PLAIN_NO) return;
  for (int i = 0; i < n; i++) {
    for (int j = i; j < n; j++) {
      const int32_t row = dof[i] > dof[j] ? dof[i] : dof[j], column = dof[i] + dof[j] - row;
      const PetscInt at = p->ai[row] + place[irz_packed(n, i, j)];
      const bool fixed = space->merged && (space->electrode[row] >= 0 || space->electrode[column] >= 0);
      shared = shared || fixed;
      assert_true(at < p->ai[row + 1]); /* zeros may be added there */
      if (!fixed) assert_int_equal(at, irz_pattern_in_a(p, row, column));
    }
  }
  assert_int_equal(p->plain[t], shared ? IRZ_PLAIN_FIXED : IRZ_PLAIN);
}

/// The first row of the block that a row is in, or -1.
static int32_t block_of(const IrzSpace *space, int32_t row) {
  for (int k = 0; k < space->n_threads; k++) {
    if (row >= space->row_start[k] && row < space->row_start[k + 1]) return space->row_start[k];
  }
  return -1;
}

/// Check where the entries of a tetrahedron are said to be that blocks or electrodes share.
static void check_seats(const IrzPattern *p, int32_t t) {
  const IrzSpace *space = p->space;
  const int n = space->nodes;
  const int32_t *dof = space->tet_dof + (size_t)t * (size_t)n;
  assert_int_equal(p->seated[t] == 0, p->plain[t] == IRZ_PLAIN);
  if (p->seated[t] == 0) return;
  const PetscInt *seat = p->seat + (size_t)(p->seated[t] - 1) * (size_t)(n * n);
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) {
      const PetscInt at = seat[i * n + j];
      const bool together = block_of(space, dof[i]) == block_of(space, dof[j]);
      if (block_of(space, dof[i]) < 0 || (together && dof[j] > dof[i])) {
        assert_int_equal(at, -1);
      } else if (together) {
        assert_in_range(at, p->ai[dof[i]], p->ai[dof[i] + 1] - 1);
        assert_int_equal(p->aj[at], dof[j]);
      } else {
        assert_in_range(-2 - at, p->bi[dof[i]], p->bi[dof[i] + 1] - 1);
        assert_int_equal(p->bj[-2 - at], dof[j]);
      }
    }
  }
}

/// Number the unknowns of a lone rank the other way round: then vertices come after their edges, and their rows are
/// long.
static void reverse(IrzSpace *space) {
  const int32_t last = space->n_owned - 1;
  const IrzPart *part = space->part;
  for (int32_t i = 0; i < part->n_vertices + part->n_edges; i++) {
    if (space->dof[i] >= 0) space->dof[i] = last - space->dof[i];
  }
  for (size_t k = 0; k < (size_t)part->n_tets * (size_t)space->nodes; k++) space->tet_dof[k] = last - space->tet_dof[k];
  for (int32_t i = 0; i < last - i; i++) {
    const int8_t kept = space->electrode[i];
    space->electrode[i] = space->electrode[last - i];
    space->electrode[last - i] = kept;
  }
}

/// Make and check a pattern; returns how many rows are long.
static int check(const IrzPart *part, int order, bool merged, int n_threads, bool reversed) {
  IrzError error = {0};
  IrzMedium *medium;
  IrzSpace *space;
  IrzPattern *p;
  int n_long = 0;
  assert_int_equal(irz_medium_create(part, NULL, &medium, &error), IRZ_OK);
  assert_int_equal(irz_space_create(part, order, merged, n_threads, medium->general, NULL, &space, &error), IRZ_OK);
  if (reversed) reverse(space);
  assert_int_equal(irz_pattern_create(space, &p, &error), IRZ_OK);
  uint8_t *wanted = find_wanted(space);
  for (int k = 0; k < space->n_threads; k++) {
    for (int32_t r = space->row_start[k]; r < space->row_start[k + 1]; r++) {
      check_row(p, r, space->row_start[k], space->row_start[k + 1], wanted + (size_t)r * (size_t)space->n_local);
      n_long += p->ai[r + 1] - p->ai[r] > IRZ_PATTERN_LONG;
    }
  }
  int32_t plain = 0;
  for (int32_t t = 0; t < part->n_tets; t++) {
    check_places(p, t);
    check_seats(p, t);
    plain += p->plain[t] != IRZ_PLAIN_NO;
  }
  if (n_long == 0 && n_threads == 1 && part->size == 1) assert_int_equal(plain, part->n_tets);
  free(wanted);
  irz_pattern_free(p);
  irz_space_free(space);
  irz_medium_free(medium);
  return n_long;
}

/// Check all kinds of patterns of a mesh, which only rank 0 makes; returns how many long rows there were.
static int check_all(IrzMesh *(*make)(void)) {
  const char *surfaces[] = {"s0", "s1"};
  IrzError error = {0};
  IrzPart *part;
  int rank, n_long = 0;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  IrzMesh *mesh = rank == 0 ? make() : NULL;
  assert_int_equal(irz_part_create(PETSC_COMM_WORLD, mesh, 2, surfaces, &part, &error), IRZ_OK);
  const int threads[] = {1, 2, 3, 7};
  for (int i = 0; i < 4; i++) {
    for (int order = 1; order <= 2; order++) {
      for (int kind = 0; kind < (part->size == 1 ? 4 : 2); kind++) {
        n_long += check(part, order, kind % 2 == 1, threads[i], kind >= 2);
      }
    }
  }
  irz_part_free(part);
  irz_mesh_free(mesh);
  return n_long;
}

static void box(void **state) {
  (void)state;
  check_all(make_box);
}

static void long_rows(void **state) {
  (void)state;
  int n_long = check_all(make_orange), size;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  if (size == 1) assert_true(n_long > 20); /* there were some to check */
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(box), cmocka_unit_test(long_rows)};
  PetscInitialize(&argc, &argv, NULL, NULL);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_SUM, PETSC_COMM_WORLD);
  PetscFinalize();
  return failed;
}
