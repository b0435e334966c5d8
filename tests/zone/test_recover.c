/* Recovered fields: the estimate of a pulse's error takes the conductivity that the tissue had in it. */
#include "base/petsc.h"
#include "field/grid_mesh.h"
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

/// Defects of two pulses.
static void defects(const IrzLaw *law, bool memory, int order, double defect[2]) {
  static const GridMesh grid = {
      .n = {6, 5, 4}, .size = {0.02, 0.02, 0.02}, .shake = 0.2, .n_regions = 1, .n_surfaces = 0, .surface = nowhere};
  IrzMesh *mesh = grid_mesh(&grid);
  IrzError error = {0};
  IrzPart *part;
  IrzMedium *medium;
  IrzTeam team;
  assert_int_equal(irz_part_create(PETSC_COMM_WORLD, mesh, 0, NULL, &part, &error), IRZ_OK);
  assert_int_equal(irz_medium_create(part, NULL, &medium, &error), IRZ_OK);
  assert_int_equal(irz_team_create(part, 1, &team, &error), IRZ_OK);
  size_t n = (size_t)part->n_vertices + (size_t)part->n_edges;
  double *potential[2] = {calloc(n, sizeof(double)), calloc(n, sizeof(double))}, *field = calloc(n, sizeof(double));
  for (int32_t t = 0; t < part->n_tets; t++) {
    double x[10][3];
    irz_part_nodes(part, t, -1, x);
    for (int i = 0; i < 10; i++) {
      potential[0][part->tet[t][i]] = strong(x[i]);
      potential[1][part->tet[t][i]] = weak(x[i]);
    }
  }
  const IrzLaw *laws[] = {law};
  assert_int_equal(irz_recover(medium, &team, laws, memory, order, 2, potential, field, defect, &error), IRZ_OK);
  free(potential[0]);
  free(potential[1]);
  free(field);
  irz_team_clear(&team);
  irz_medium_free(medium);
  irz_part_free(part);
  irz_mesh_free(mesh);
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

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(memory_counts)};
  PetscInitialize(&argc, &argv, NULL, NULL);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
