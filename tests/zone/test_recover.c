/* Recovered fields: the estimate of a pulse's error takes the conductivity that the tissue had in it; threads divide
   the work without a trace. */
#include "base/petsc.h"
#include "grid_mesh.h"
#include "testing.h"
#include "zone/recover.h"

static int nowhere(const double middle[3]) {
  (void)middle;
  return -1;
}

/// Opens the tissue everywhere.
static double strong(const double x[3]) {
  return 1e6 * x[0];
}

/// Weak, and of third degree, so that recovery finds a defect.
static double weak(const double x[3]) {
  return 1e3 * x[0] + 1e6 * x[1] * x[1] * x[1] + 2e6 * x[0] * x[0] * x[2];
}

static const GridMesh grid = {
    .n = {6, 5, 4}, .size = {0.02, 0.02, 0.02}, .shake = 0.2, .n_regions = 1, .n_surfaces = 0, .surface = nowhere};

/// A part of one rank, and two potentials at its nodes.
typedef struct {
  IrzMesh *mesh;
  IrzPart *part;
  IrzMedium *medium;
  size_t n; ///< nodes
  double *potential[2];
} Problem;

static Problem problem_create(void) {
  Problem p = {.mesh = grid_mesh(&grid)};
  IrzError error = {0};
  assert_int_equal(irz_part_create(PETSC_COMM_WORLD, p.mesh, 0, NULL, &p.part, &error), IRZ_OK);
  assert_int_equal(irz_medium_create(p.part, NULL, &p.medium, &error), IRZ_OK);
  p.n = (size_t)p.part->n_vertices + (size_t)p.part->n_edges;
  for (int k = 0; k < 2; k++) p.potential[k] = calloc(p.n, sizeof(double));
  for (int32_t t = 0; t < p.part->n_tets; t++) {
    double x[10][3];
    irz_part_nodes(p.part, t, -1, x);
    for (int i = 0; i < 10; i++) {
      p.potential[0][p.part->tet[t][i]] = strong(x[i]);
      p.potential[1][p.part->tet[t][i]] = weak(x[i]);
    }
  }
  return p;
}

static void problem_clear(Problem *p) {
  free(p->potential[0]);
  free(p->potential[1]);
  irz_medium_free(p->medium);
  irz_part_free(p->part);
  irz_mesh_free(p->mesh);
}

/// Recovered field and defects of two pulses.
static void recover(const Problem *p, int n_threads, const IrzLaw *law, bool memory, int order, double *field,
                    double defect[2]) {
  const IrzLaw *laws[] = {law};
  IrzError error = {0};
  IrzTeam team;
  IrzSides sides;
  assert_int_equal(irz_sides_create(p->medium, laws, memory ? IRZ_FOLLOWS_MEMORY : IRZ_FOLLOWS_LAWS, &sides, &error),
                   IRZ_OK);
  assert_int_equal(irz_team_create(p->part, n_threads, &team, &error), IRZ_OK);
  assert_int_equal(irz_recover(p->medium, &team, &sides, laws, memory, order, 2, p->potential, field, defect, &error),
                   IRZ_OK);
  irz_team_clear(&team);
  irz_sides_clear(&sides);
}

/// Defects of two pulses.
static void defects(const IrzLaw *law, bool memory, int order, double defect[2]) {
  Problem p = problem_create();
  double *field = calloc(p.n, sizeof(double));
  recover(&p, 1, law, memory, order, field, defect);
  free(field);
  problem_clear(&p);
}

/// The first pulse leaves the conductivity at its highest everywhere, which the second alone would not raise: what is
/// remembered multiplies its defect by their ratio.
static void memory_counts(void **state) {
  (void)state;
  IrzLaw law = {.kind = IRZ_LAW_RAMP, .low = 0.1, .high = 0.35, .p = 10000, .q = 50000, .shape = {1, 1, 1}};
  for (int k = 0; k < 4; k++) {
    double fresh[2], remembering[2];
    law.direction = k % 2 == 0 ? IRZ_LAW_ISOTROPIC : IRZ_LAW_SCALED;
    defects(&law, false, 1 + k / 2, fresh);
    defects(&law, true, 1 + k / 2, remembering);
    assert_true(fresh[1] > 0);
    assert_close(remembering[1], 3.5 * fresh[1], 1e-12);
    assert_near(remembering[0], fresh[0], 1e-12 * fresh[1]);
  }
  /* Along the field only: the second's defect has parts along the first's field and across it. */
  double fresh[2], remembering[2];
  law.direction = IRZ_LAW_ALONG;
  defects(&law, false, 2, fresh);
  defects(&law, true, 2, remembering);
  assert_true(remembering[1] > 1.01 * fresh[1] && remembering[1] < 3.49 * fresh[1]);
}

/// Members divide the nodes, and each sees every tetrahedron that touches its own.
static void team_is_whole(void **state) {
  (void)state;
  Problem p = problem_create();
  int *owners = calloc(p.n, sizeof(int)), *around = calloc(p.n, sizeof(int)), *seen = calloc(p.n, sizeof(int));
  for (int32_t t = 0; t < p.part->n_tets; t++) {
    for (int i = 0; i < 10; i++) around[p.part->tet[t][i]]++;
  }
  for (int threads = 1; threads < 8; threads++) {
    IrzError error = {0};
    IrzTeam team;
    memset(owners, 0, p.n * sizeof *owners);
    memset(seen, 0, p.n * sizeof *seen);
    assert_int_equal(irz_team_create(p.part, threads, &team, &error), IRZ_OK);
    assert_int_equal(team.size, threads);
    for (int k = 0; k < team.size; k++) {
      const IrzMember *member = &team.member[k];
      for (int32_t i = 0; i < (int32_t)p.n; i++)
        owners[i] += irz_member_owns(member, i < p.part->n_vertices ? 0 : 4, i);
      for (int32_t j = 0; j < irz_member_count(member); j++) {
        int32_t t = irz_member_tet(member, j);
        assert_true(j == 0 || t > irz_member_tet(member, j - 1));
        for (int i = 0; i < 10; i++) seen[p.part->tet[t][i]] += irz_member_owns(member, i, p.part->tet[t][i]);
      }
    }
    for (size_t i = 0; i < p.n; i++) {
      assert_int_equal(owners[i], 1);
      assert_int_equal(seen[i], around[i]);
    }
    irz_team_clear(&team);
  }
  free(owners);
  free(around);
  free(seen);
  problem_clear(&p);
}

/// Every number of threads finds the same to the bit.
static void threads_agree(void **state) {
  (void)state;
  IrzLaw law = {.kind = IRZ_LAW_SIGMOID, .low = 0.1, .high = 0.35, .p = 30000, .q = 8000, .shape = {1, 1, 1}};
  Problem p = problem_create();
  double *one = calloc(p.n, sizeof(double)), *many = calloc(p.n, sizeof(double));
  for (int order = 1; order <= 2; order++) {
    double defect[2], other[2];
    recover(&p, 1, &law, false, order, one, defect);
    for (int threads = 2; threads < 6; threads++) {
      recover(&p, threads, &law, false, order, many, other);
      assert_memory_equal(one, many, p.n * sizeof *one);
      assert_memory_equal(defect, other, sizeof defect);
    }
  }
  free(one);
  free(many);
  problem_clear(&p);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(memory_counts), cmocka_unit_test(team_is_whole),
                                     cmocka_unit_test(threads_agree)};
  PetscInitialize(&argc, &argv, NULL, NULL);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
