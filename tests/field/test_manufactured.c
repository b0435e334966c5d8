/* A manufactured solution: phi = V x / L + A sin(pi x / L) sin(pi y / L) sin(pi z / L) on the unit cube with the
   smoothstep law, of every direction, a source that makes it exact, and the measured orders of convergence of potential
   and field on shaken meshes. */
#include "base/petsc.h"
#include "base/tensor.h"
#include "field/field.h"
#include "field/kernel.h"
#include "grid_mesh.h"
#include "testing.h"
#include <stdio.h>

static const double pi = 3.14159265358979323846;
static IrzLaw law = {.kind = IRZ_LAW_SMOOTHSTEP, .low = 0.1, .high = 0.4, .p = 0.5, .q = 4};
static const double shape[6] = {1.6, 0.8, 0.6, 0.5, -0.2, 0.3}; /* of the laws with a direction */
static const double amplitude = 0.4, slope = 1.5;

/// Exact potential, gradient and source -div(sigma grad phi) at a point of the cube [-1/2, 1/2]^3.
static void exact(const double *x, double *phi, double g[3], double *source) {
  double s[3], c[3], h[3][3], square = 0, bend = 0, laplace = 0, rise;
  for (int d = 0; d < 3; d++) {
    s[d] = sin(pi * (x[d] + 0.5));
    c[d] = pi * cos(pi * (x[d] + 0.5));
  }
  *phi = slope * x[0] + amplitude * s[0] * s[1] * s[2];
  for (int d = 0; d < 3; d++) {
    int e = (d + 1) % 3, f = (d + 2) % 3;
    g[d] = amplitude * c[d] * s[e] * s[f] + (d == 0 ? slope : 0);
    h[d][d] = -pi * pi * amplitude * s[0] * s[1] * s[2];
    h[d][e] = h[e][d] = amplitude * c[d] * c[e] * s[f];
    laplace += h[d][d];
  }
  for (int d = 0; d < 3; d++) {
    square += g[d] * g[d];
    for (int e = 0; e < 3; e++) bend += g[d] * h[d][e] * g[e];
  }
  double sigma = irz_law_sigma(&law, sqrt(square), &rise), turned[3], bent[3], spread = 0, mixed = 0;
  *source = -(sigma * laplace + rise / sqrt(square) * bend);
  if (law.direction == IRZ_LAW_ISOTROPIC) return;
  /* div (N g) = N : h, and grad |g| = h g / |g|. */
  irz_tensor_apply(shape, g, turned);
  for (int d = 0; d < 3; d++) {
    bent[d] = h[d][0] * g[0] + h[d][1] * g[1] + h[d][2] * g[2];
    mixed += turned[d] * bent[d];
    spread += shape[d] * h[d][d] + 2 * shape[3 + d] * h[d][(d + 1) % 3];
  }
  if (law.direction == IRZ_LAW_SCALED) *source = -(sigma * spread + rise / sqrt(square) * mixed);
  if (law.direction == IRZ_LAW_ALONG) *source -= law.low * (spread - laplace);
}

/// Values of the basis functions.
static void basis(int nodes, const double l[4], double value[10]) {
  for (int i = 0; i < 4; i++) value[i] = nodes == 4 ? l[i] : l[i] * (2 * l[i] - 1);
  for (int e = 0; e < nodes - 4; e++) value[4 + e] = 4 * l[irz_edge_vertices[e][0]] * l[irz_edge_vertices[e][1]];
}

static int boundary(const double x[3]) {
  for (int d = 0; d < 3; d++) {
    if (fabs(fabs(x[d]) - 0.5) < 1e-9) return 0;
  }
  return -1;
}

/// Errors in the L2 norm of potential and gradient on a mesh of n^3 bricks.
static void solve(int order, int n, double error_out[2]) {
  GridMesh grid = {.n = {n, n, n}, .size = {1, 1, 1}, .shake = 0.2, .n_surfaces = 1, .surface = boundary};
  IrzMesh *mesh = grid_mesh(&grid);
  IrzError error = {0};
  const char *surfaces[] = {"s0"};
  const IrzLaw *laws[] = {&law};
  const IrzRule *rule = &irz_rule_fine;
  IrzPart *part;
  IrzMedium *medium;
  IrzField *field;
  IrzReport report;
  assert_int_equal(irz_part_create(PETSC_COMM_WORLD, mesh, 1, surfaces, &part, &error), IRZ_OK);
  assert_int_equal(irz_medium_create(part, NULL, &medium, &error), IRZ_OK);
  assert_int_equal(irz_field_create(part, medium, order, false, 1, &field, &error), IRZ_OK);
  const IrzSpace *space = irz_field_space(field);
  double *u = calloc((size_t)space->n_local, sizeof *u), *load = calloc((size_t)space->n_local, sizeof *load);
  double phi, g[3], source, sums[2] = {0, 0};
  for (int pass = 0; pass < 2; pass++) {
    if (pass == 1) {
      IrzProblem problem = {.laws = laws, .load = load, .keep_fixed = true, .tolerance = 1e-9};
      problem.fixed[0] = true;
      IrzCode code = irz_field_solve(field, &problem, false, u, &report, &error);
      if (code != IRZ_OK) fail_msg("%s", error.text);
    }
    for (int32_t t = 0; t < part->n_tets; t++) {
      double node[10][3], values[10], local[10];
      irz_part_nodes(part, t, -1, node);
      for (int i = 0; i < space->nodes; i++) {
        int32_t dof = space->dof[part->tet[t][i]];
        if (pass == 0 && space->electrode[dof] == 0) exact(node[i], &u[dof], g, &source);
        local[i] = u[dof];
      }
      for (int q = 0; q < rule->count; q++) {
        double x[3] = {0, 0, 0}, value = 0, gradient[3];
        for (int i = 0; i < 4; i++) {
          for (int d = 0; d < 3; d++) x[d] += rule->point[q][i] * node[i][d];
        }
        basis(space->nodes, rule->point[q], values);
        exact(x, &phi, g, &source);
        double w = rule->weight[q] / 6 * irz_gradient(node, false, space->nodes, local, rule->point[q], gradient);
        for (int i = 0; i < space->nodes; i++) {
          value += values[i] * local[i];
          if (pass == 0) load[space->dof[part->tet[t][i]]] += w * source * values[i];
        }
        if (pass == 0) continue;
        sums[0] += w * (value - phi) * (value - phi);
        for (int d = 0; d < 3; d++) sums[1] += w * (gradient[d] - g[d]) * (gradient[d] - g[d]);
      }
    }
  }
  for (int k = 0; k < 2; k++) error_out[k] = sqrt(sums[k]);
  free(u);
  free(load);
  irz_field_free(field);
  irz_medium_free(medium);
  irz_part_free(part);
  irz_mesh_free(mesh);
}

/// Measured orders between two meshes are within 0.15 of the theory.
static void check_rates(int order, IrzLawDirection direction, int coarse, int fine) {
  double first[2], second[2];
  law.direction = direction;
  memcpy(law.shape, shape, sizeof shape);
  solve(order, coarse, first);
  solve(order, fine, second);
  for (int k = 0; k < 2; k++) {
    double rate = log(first[k] / second[k]) / log((double)fine / coarse);
    print_message("order %d, direction %d, %s: error %.3e with %d, %.3e with %d bricks a side: rate %.3f\n", order,
                  direction, k == 0 ? "potential" : "field", first[k], coarse, second[k], fine, rate);
    assert_near(rate, order + 1 - k, 0.15);
  }
}

static void order_1(void **state) {
  (void)state;
  check_rates(1, IRZ_LAW_ISOTROPIC, 12, 24);
  check_rates(1, IRZ_LAW_SCALED, 12, 24);
  check_rates(1, IRZ_LAW_ALONG, 12, 24);
}

static void order_2(void **state) {
  (void)state;
  check_rates(2, IRZ_LAW_ISOTROPIC, 8, 16);
  check_rates(2, IRZ_LAW_SCALED, 8, 16);
  check_rates(2, IRZ_LAW_ALONG, 8, 16);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(order_1), cmocka_unit_test(order_2)};
  PetscInitialize(&argc, &argv, NULL, NULL);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
