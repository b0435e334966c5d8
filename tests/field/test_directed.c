/* Conductivity that depends on direction: the tangent against finite differences, coordinates that are stretched or
   turned together with the tensor, tissue that remembers along which direction it was opened, Joule heat. */
#include "base/petsc.h"
#include "base/tensor.h"
#include "field/field.h"
#include "field/kernel.h"
#include "grid_mesh.h"
#include "testing.h"
#include <stdio.h>

/// A tensor of no special direction, eigenvalues 0.3 to 2.2 or so.
static const double full[6] = {1.6, 0.8, 0.6, 0.5, -0.2, 0.3};
static const double unit[6] = {1, 1, 1, 0, 0, 0};

static IrzLaw sigmoid(IrzLawDirection direction, const double shape[6]) {
  IrzLaw law = {.kind = IRZ_LAW_SIGMOID, .low = 0.1, .high = 0.35, .p = 58000, .q = 8000, .direction = direction};
  memcpy(law.shape, shape, sizeof law.shape);
  return law;
}

static void bounds(void **state) {
  (void)state;
  double low, high, turned[6] = {3, 3, 3, 0, 0, 0};
  const double a[3] = {2 / 3.0, -1 / 3.0, 2 / 3.0}, b[3] = {1 / 3.0, -2 / 3.0, -2 / 3.0};
  irz_tensor_add(turned, 4, a, a); /* eigenvalues 7, 1.5, 3 */
  irz_tensor_add(turned, -1.5, b, b);
  irz_tensor_bounds(turned, &low, &high);
  assert_near(low, 1.5, 1e-12);
  assert_near(high, 7, 1e-12);
  irz_tensor_bounds(unit, &low, &high);
  assert_near(low, 1, 1e-12);
  assert_near(high, 1, 1e-12);
}

/// The symmetric part of the derivative of sigma E, and with nothing remembered along the field the whole of it.
static void tangent(void **state) {
  (void)state;
  unsigned random = 7;
  double rise[6] = {0.05, 0.12, 0.03, 0.02, -0.03, 0.01};
  for (int k = 0; k < 300; k++) {
    IrzLaw law = sigmoid((IrzLawDirection)(k % 3), full);
    const IrzLawMemory remembers = {.least = k % 2 == 0 ? 0.17 : 0, .rise = k % 2 == 0 ? rise : NULL};
    double field[3], sigma[6], slope[6], derivative[3][3];
    for (int d = 0; d < 3; d++) field[d] = 60000 * grid_noise(&random);
    irz_law_tensor(&law, field, &remembers, sigma, slope);
    for (int j = 0; j < 3; j++) {
      double current[2][3];
      for (int side = 0; side < 2; side++) {
        double there[3] = {field[0], field[1], field[2]};
        there[j] += side == 0 ? -1 : 1;
        irz_law_tensor(&law, there, &remembers, sigma, NULL);
        irz_tensor_apply(sigma, there, current[side]);
      }
      for (int i = 0; i < 3; i++) derivative[i][j] = (current[1][i] - current[0][i]) / 2;
    }
    double low, high;
    irz_tensor_bounds(slope, &low, &high);
    assert_true(low > 0);
    for (int d = 0; d < 3; d++) {
      int e = (d + 1) % 3;
      assert_near(slope[d], derivative[d][d], 1e-7);
      assert_near(slope[3 + d], 0.5 * (derivative[d][e] + derivative[e][d]), 1e-7);
      bool energy = law.direction == IRZ_LAW_ISOTROPIC || (law.direction == IRZ_LAW_ALONG && k % 2 == 1);
      if (energy) assert_near(derivative[d][e], derivative[e][d], 1e-7);
    }
  }
}

/// What is remembered is nowhere lost, and along the field the law is reached.
static void remembered_tensor(void **state) {
  (void)state;
  unsigned random = 3;
  IrzLaw law = sigmoid(IRZ_LAW_ALONG, full);
  double rise[6] = {0};
  for (int k = 0; k < 50; k++) {
    double e[3], square = 0, before[6], after[6], difference[6], low, high;
    const double zero[3] = {0, 0, 0};
    const IrzLawMemory remembers = {0, rise};
    for (int d = 0; d < 3; d++) e[d] = grid_noise(&random);
    for (int d = 0; d < 3; d++) square += e[d] * e[d];
    double field[3], size = 40000 + 800 * k;
    for (int d = 0; d < 3; d++) {
      e[d] /= sqrt(square);
      field[d] = size * e[d];
    }
    irz_law_tensor(&law, zero, &remembers, before, NULL);
    irz_law_tensor(&law, field, &remembers, after, NULL);
    for (int i = 0; i < 6; i++) difference[i] = after[i] - before[i];
    irz_tensor_bounds(difference, &low, &high);
    assert_true(low > -1e-8);
    double rest = irz_law_sigma(&law, 0, NULL), law_there = irz_law_sigma(&law, size, NULL) - rest;
    double there = irz_tensor_square(after, e) - rest * irz_tensor_square(full, e);
    assert_true(there >= law_there - 1e-12);
    if (k == 0) assert_near(there, law_there, 1e-12);
    for (int i = 0; i < 6; i++) rise[i] += difference[i];
  }
}

/// Where the current density grows with the field, and where not.
static void uniqueness(void **state) {
  (void)state;
  double fibres[6] = {10, 1, 1, 0, 0, 0}, steep[6] = {40, 1, 1, 0, 0, 0};
  IrzLaw law = sigmoid(IRZ_LAW_SCALED, fibres);
  assert_int_equal(irz_law_is_monotone(&law, NULL), 1);
  memcpy(law.shape, steep, sizeof steep);
  double where = 0;
  assert_int_equal(irz_law_is_monotone(&law, &where), 0);
  /* There are fields near by which the current density does not grow: the bound is sharp up to its sampling. */
  double least = INFINITY;
  for (int k = 0; k < 1000; k++) {
    double angle = 1.5707963267948966 * k / 1000, slope[6], sigma[6], low, high;
    for (int i = 0; i <= 20; i++) {
      double size = 50000 + 1000 * i, field[3] = {size * cos(angle), size * sin(angle), 0};
      irz_law_tensor(&law, field, NULL, sigma, slope);
      irz_tensor_bounds(slope, &low, &high);
      least = fmin(least, low);
    }
  }
  assert_true(least < 0);
  law.direction = IRZ_LAW_ALONG;
  assert_int_equal(irz_law_is_monotone(&law, NULL), 1);
  law.high = 0.09;
  assert_int_equal(irz_law_is_monotone(&law, NULL), 0);
}

/* ---- On a mesh ---- */

/// Patches that make the field uneven: two at the ends, one on a side.
static int patches(const double x[3]) {
  if (fabs(x[0] + 0.01) < 1e-9 && x[1] < 1e-9) return 0;
  if (fabs(x[0] - 0.01) < 1e-9 && x[1] > -1e-9) return 1;
  if (fabs(x[2] - 0.006) < 1e-9 && fabs(x[0]) < 0.004) return 2;
  return -1;
}

/// Plates at the ends in x.
static int plates(const double x[3]) {
  return fabs(x[0] + 0.01) < 1e-9 ? 0 : fabs(x[0] - 0.01) < 1e-9 ? 1 : -1;
}

/// The whole boundary of a cube of 20 mm.
static int everywhere(const double x[3]) {
  for (int d = 0; d < 3; d++) {
    if (fabs(fabs(x[d]) - 0.01) < 1e-9) return 0;
  }
  return -1;
}

static int two_halves(const double middle[3]) {
  return middle[0] + middle[1] > 0;
}

static const GridMesh uneven = {.n = {8, 6, 4},
                                .size = {0.02, 0.016, 0.012},
                                .shake = 0.2,
                                .n_regions = 2,
                                .n_surfaces = 3,
                                .region = two_halves,
                                .surface = patches};
static const GridMesh slab = {
    .n = {4, 4, 2}, .size = {0.02, 0.02, 0.01}, .shake = 0.2, .n_regions = 1, .n_surfaces = 2, .surface = plates};
static const GridMesh cube = {
    .n = {4, 4, 4}, .size = {0.02, 0.02, 0.02}, .shake = 0.2, .n_regions = 1, .n_surfaces = 1, .surface = everywhere};

/// A field on a grid.
typedef struct {
  IrzMesh *mesh;
  IrzPart *part;
  IrzMedium *medium;
  IrzField *field;
  const IrzLaw *laws[2];
  int order, newton;
  IrzPoints floor;
  double *u, *node;
} Treatment;

/// @param[in] map  [3][3] applied to the coordinates, or NULL
static void begin(Treatment *t, const GridMesh *grid, int order, bool merged, const IrzLaw *first, const IrzLaw *second,
                  double (*map)[3]) {
  const char *surfaces[] = {"s0", "s1", "s2", "s3"};
  IrzError error = {0};
  *t = (Treatment){.order = order, .laws = {first, second}};
  t->mesh = grid_mesh(grid);
  for (int32_t v = 0; map != NULL && v < t->mesh->n_vertices; v++) {
    double *x = t->mesh->xyz + 3 * v, y[3] = {x[0], x[1], x[2]};
    for (int d = 0; d < 3; d++) x[d] = map[d][0] * y[0] + map[d][1] * y[1] + map[d][2] * y[2];
  }
  assert_int_equal(irz_part_create(PETSC_COMM_WORLD, t->mesh, grid->n_surfaces, surfaces, &t->part, &error), IRZ_OK);
  assert_int_equal(irz_medium_create(t->part, NULL, &t->medium, &error), IRZ_OK);
  assert_int_equal(irz_field_create(t->part, t->medium, order, merged, 1, &t->field, &error), IRZ_OK);
  assert_int_equal(irz_points_create(t->medium, t->laws, &t->floor, &error), IRZ_OK);
  t->u = calloc((size_t)irz_field_space(t->field)->n_local, sizeof *t->u);
  t->node = calloc((size_t)t->part->n_vertices + (size_t)t->part->n_edges, sizeof *t->node);
}

static void end(Treatment *t) {
  free(t->u);
  free(t->node);
  irz_points_free(&t->floor);
  irz_field_free(t->field);
  irz_medium_free(t->medium);
  irz_part_free(t->part);
  irz_mesh_free(t->mesh);
}

/// Fire a pair; returns its current, A.
static double fire(Treatment *t, int from, int to, double voltage, bool memory) {
  IrzProblem problem = {.laws = t->laws, .tolerance = 1e-10, .floor = memory ? &t->floor : NULL};
  IrzReport report;
  IrzError error = {0};
  problem.fixed[from] = problem.fixed[to] = true;
  problem.potential[from] = voltage;
  if (irz_field_solve(t->field, &problem, false, t->u, &report, &error) != IRZ_OK) fail_msg("%s", error.text);
  irz_space_nodes(irz_field_space(t->field), t->u, t->node);
  if (memory) irz_points_remember(t->medium, t->order, t->laws, t->node, &t->floor);
  t->newton = report.newton;
  assert_true(report.newton <= 25);
  return report.power / voltage;
}

/// With x' = A^-1 x the tensor A A^T becomes the identity: grad u . A A^T grad u dx = |grad' u|^2 det A dx'.
static void stretched(void **state) {
  (void)state;
  double a[3][3] = {{1.3, 0, 0}, {0.4, 0.9, 0}, {-0.3, 0.2, 0.6}}, inverse[3][3] = {{0}}, shape[6];
  const int index[6][2] = {{0, 0}, {1, 1}, {2, 2}, {0, 1}, {1, 2}, {0, 2}};
  double det = a[0][0] * a[1][1] * a[2][2];
  for (int d = 0; d < 3; d++) inverse[d][d] = 1 / a[d][d];
  inverse[1][0] = -a[1][0] * inverse[0][0] / a[1][1];
  inverse[2][1] = -a[2][1] * inverse[1][1] / a[2][2];
  inverse[2][0] = -(a[2][0] * inverse[0][0] + a[2][1] * inverse[1][0]) / a[2][2];
  for (int k = 0; k < 6; k++) {
    shape[k] = 0;
    for (int d = 0; d < 3; d++) shape[k] += a[index[k][0]][d] * a[index[k][1]][d];
  }
  for (int order = 1; order <= 2; order++) {
    for (int along = 0; along < 2; along++) {
      IrzLaw directed = {.kind = IRZ_LAW_CONSTANT, .low = 0.2, .high = 0.2}, plain = directed;
      directed.direction = along ? IRZ_LAW_ALONG : IRZ_LAW_SCALED;
      memcpy(directed.shape, shape, sizeof shape);
      Treatment first, second;
      begin(&first, &uneven, order, true, &directed, &directed, NULL);
      begin(&second, &uneven, order, true, &plain, &plain, inverse);
      for (int from = 0; from <= 2; from += 2) {
        double wanted = det * fire(&second, from, 1, 900, false);
        assert_close(fire(&first, from, 1, 900, false), wanted, 1e-8);
      }
      end(&first);
      end(&second);
    }
  }
}

/// A mesh that is turned together with its tensor carries the same currents, in fresh tissue and in remembering one.
static void turned(void **state) {
  (void)state;
  const double angle[3] = {0.7, -1.1, 0.4};
  double turn[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, other[6] = {0};
  const int index[6][2] = {{0, 0}, {1, 1}, {2, 2}, {0, 1}, {1, 2}, {0, 2}};
  const int place[3][3] = {{0, 3, 5}, {3, 1, 4}, {5, 4, 2}};
  for (int k = 0; k < 3; k++) {
    int p = (k + 1) % 3, q = (k + 2) % 3;
    for (int d = 0; d < 3; d++) {
      double x = turn[p][d], y = turn[q][d];
      turn[p][d] = cos(angle[k]) * x - sin(angle[k]) * y;
      turn[q][d] = sin(angle[k]) * x + cos(angle[k]) * y;
    }
  }
  for (int k = 0; k < 6; k++) {
    for (int i = 0; i < 3; i++) {
      for (int j = 0; j < 3; j++) other[k] += turn[index[k][0]][i] * full[place[i][j]] * turn[index[k][1]][j];
    }
  }
  for (int k = 0; k < 4; k++) {
    IrzLawDirection direction = k % 2 == 0 ? IRZ_LAW_SCALED : IRZ_LAW_ALONG;
    IrzLaw here = sigmoid(direction, full), there = sigmoid(direction, other);
    IrzLaw plain = sigmoid(IRZ_LAW_ISOTROPIC, unit);
    Treatment first, second;
    begin(&first, &uneven, 1 + k / 2, true, &here, &plain, NULL);
    begin(&second, &uneven, 1 + k / 2, true, &there, &plain, turn);
    double fresh = fire(&first, 0, 1, 1200, false), isotropic;
    assert_close(fire(&second, 0, 1, 1200, false), fresh, 1e-8);
    const int pairs[3][2] = {{0, 1}, {0, 2}, {2, 1}};
    for (int i = 0; i < 3; i++) {
      double current = fire(&first, pairs[i][0], pairs[i][1], 1200, true);
      assert_close(fire(&second, pairs[i][0], pairs[i][1], 1200, true), current, 1e-8);
    }
    end(&first);
    end(&second);
    begin(&first, &uneven, 1 + k / 2, true, &plain, &plain, NULL);
    isotropic = fire(&first, 0, 1, 1200, false);
    print_message("order %d, direction %d: %.4f A, isotropic %.4f A\n", 1 + k / 2, direction, fresh, isotropic);
    assert_true(fabs(fresh - isotropic) > 0.02 * isotropic); /* the tensor matters */
    end(&first);
  }
}

/// A tensor that is the identity, and a rise along the field of isotropic tissue, give what the scalar law gives.
static void identity(void **state) {
  (void)state;
  IrzLaw plain = sigmoid(IRZ_LAW_ISOTROPIC, unit), scaled = sigmoid(IRZ_LAW_SCALED, unit),
         along = sigmoid(IRZ_LAW_ALONG, unit);
  for (int order = 1; order <= 2; order++) {
    Treatment t[4];
    begin(&t[0], &uneven, order, true, &plain, &plain, NULL);
    begin(&t[1], &uneven, order, true, &scaled, &plain, NULL);
    begin(&t[2], &uneven, order, true, &along, &along, NULL);
    begin(&t[3], &uneven, order, true, &along, &scaled, NULL);
    for (int k = 1; k < 4; k++) {
      for (int i = 0; i < 2; i++) {
        bool memory = k == 1; /* by which a rise along the field differs */
        double wanted = fire(&t[0], 2 * i, 1, 1100, memory);
        assert_close(fire(&t[k], 2 * i, 1, 1100, memory), wanted, 1e-8);
        assert_in_range(t[k].newton, t[0].newton - 1, t[0].newton + 1); /* rounding may decide on the last */
      }
      irz_points_clear(t[0].medium, &t[0].floor);
    }
    for (int k = 0; k < 4; k++) end(&t[k]);
  }
}

/// Plates: fibres along the field and across it; nonlinear.
static void between_plates(void **state) {
  (void)state;
  const double area = 0.02 * 0.01, gap = 0.02, field = 1200 / gap;
  const double fibres[2][6] = {{2.25, 0.375, 0.375, 0, 0, 0}, {0.375, 2.25, 0.375, 0, 0, 0}};
  for (int k = 0; k < 8; k++) {
    IrzLaw law = sigmoid(k % 2 == 0 ? IRZ_LAW_SCALED : IRZ_LAW_ALONG, fibres[k / 2 % 2]);
    Treatment t;
    begin(&t, &slab, 1 + k / 4, true, &law, &law, NULL);
    double factor = law.shape[0], sigma = irz_law_sigma(&law, field, NULL), rest = irz_law_sigma(&law, 0, NULL);
    double wanted = law.direction == IRZ_LAW_SCALED ? factor * sigma : factor * rest + sigma - rest;
    assert_close(fire(&t, 0, 1, 1200, false), wanted * field * area, 1e-8);
    end(&t);
  }
}

/// Put a field that is the same everywhere on the boundary; returns its conductivity along itself, S/m.
static double apply(Treatment *t, const double field[3]) {
  IrzProblem problem = {.laws = t->laws, .tolerance = 1e-10, .floor = &t->floor, .keep_fixed = true};
  const IrzSpace *space = irz_field_space(t->field);
  IrzReport report;
  IrzError error = {0};
  problem.fixed[0] = true;
  for (int32_t k = 0; k < t->part->n_tets; k++) {
    double x[10][3];
    irz_part_nodes(t->part, k, -1, x);
    for (int i = 0; i < space->nodes; i++) {
      int32_t dof = space->dof[t->part->tet[k][i]];
      t->u[dof] = space->electrode[dof] < 0 ? 0 : -(field[0] * x[i][0] + field[1] * x[i][1] + field[2] * x[i][2]);
    }
  }
  if (irz_field_solve(t->field, &problem, false, t->u, &report, &error) != IRZ_OK) fail_msg("%s", error.text);
  irz_space_nodes(space, t->u, t->node);
  irz_points_remember(t->medium, t->order, t->laws, t->node, &t->floor);
  return report.power / (field[0] * field[0] + field[1] * field[1] + field[2] * field[2]) / 8e-6;
}

/// Tissue opened along x: a scalar memory helps a field along y as well, a tensor only one along x, and one between the
/// two by its part along x.
static void remembers_direction(void **state) {
  (void)state;
  const double strong_x[3] = {65000, 0, 0}, weak_x[3] = {20000, 0, 0}, weak_y[3] = {0, 20000, 0},
               weak_xy[3] = {12000, -16000, 0}, strong_z[3] = {0, 0, 60000};
  IrzLaw along = sigmoid(IRZ_LAW_ALONG, unit), plain = sigmoid(IRZ_LAW_ISOTROPIC, unit);
  double opened = irz_law_sigma(&plain, 65000, NULL), weak = irz_law_sigma(&plain, 20000, NULL),
         rest = irz_law_sigma(&plain, 0, NULL);
  for (int k = 0; k < 4; k++) {
    const IrzLaw *law = k % 2 == 0 ? &plain : &along;
    Treatment t;
    begin(&t, &cube, 1 + k / 2, false, law, law, NULL);
    assert_close(apply(&t, strong_x), opened, 1e-8);
    assert_close(apply(&t, weak_y), k % 2 == 0 ? opened : weak, 1e-8);
    assert_close(apply(&t, weak_xy), k % 2 == 0 ? opened : rest + 0.36 * (opened - rest) + 0.64 * (weak - rest), 1e-8);
    assert_close(apply(&t, weak_x), opened, 1e-8);
    assert_close(apply(&t, strong_z), k % 2 == 0 ? opened : irz_law_sigma(&plain, 60000, NULL), 1e-8);
    assert_close(apply(&t, strong_x), opened, 1e-8);
    end(&t);
  }
}

/// The heat that the electric kernel's power is, through the same points, by the tensors themselves.
static void dissipated(void **state) {
  (void)state;
  IrzLaw scaled = sigmoid(IRZ_LAW_SCALED, full), along = sigmoid(IRZ_LAW_ALONG, full);
  for (int order = 1; order <= 2; order++) {
    Treatment t;
    begin(&t, &uneven, order, true, &scaled, &along, NULL);
    double current = fire(&t, 0, 1, 1200, false), heat = 0;
    for (int32_t k = 0; k < t.part->n_tets; k++) {
      double x[10][3], u[10], g[3], sigma[6];
      irz_part_nodes(t.part, k, -1, x);
      for (int i = 0; i < 10; i++) u[i] = t.node[t.part->tet[k][i]];
      for (int q = 0; q < 4; q++) {
        double w = irz_gradient(x, false, order == 2 ? 10 : 4, u, irz_rule_fast.point[q], g) / 24;
        irz_law_tensor(t.laws[t.medium->region[k]], g, NULL, sigma, NULL);
        heat += w * irz_tensor_square(sigma, g);
      }
    }
    assert_close(heat, 1200 * current, 1e-9);
    end(&t);
  }
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(bounds),
                                     cmocka_unit_test(tangent),
                                     cmocka_unit_test(remembered_tensor),
                                     cmocka_unit_test(uniqueness),
                                     cmocka_unit_test(stretched),
                                     cmocka_unit_test(turned),
                                     cmocka_unit_test(identity),
                                     cmocka_unit_test(dissipated),
                                     cmocka_unit_test(between_plates),
                                     cmocka_unit_test(remembers_direction)};
  PetscInitialize(&argc, &argv, NULL, NULL);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
