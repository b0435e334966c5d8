/* Edges around needles are bent so that elements follow the field: interpolation of fields like those there, in closed
 * form, on generated meshes and on the same meshes with straight edges. */
#include "field/element.h"
#include "field/medium.h"
#include "mesh/mesh_build.h"
#include "plan/plan.h"
#include "testing.h"
#include <complex.h>
#include <irezone/mesh.h>
#include <stdlib.h>
#include <string.h>

#define RADIUS 0.5e-3
#define EXPOSURE 0.02

/// Two needles 15 mm apart along z with their tips at z = 0, the first on the z axis.
static IrzMesh *generate(int order) {
  IrzPlan plan = {
      .file = "test.yaml", .mesh = {.size = 0.12, .accuracy = order == 1 ? 0.1 : 0.01, .order = order}, .n_probes = 2};
  for (int p = 0; p < 2; p++) {
    plan.probes[p] = (IrzProbe){.name = {(char)('A' + p)},
                                .tip = {p * 0.015, 0, 0},
                                .direction = {0, 0, 1},
                                .exposure = EXPOSURE,
                                .diameter = 2 * RADIUS,
                                .has_geometry = true,
                                .line = 1};
  }
  IrzMesh *mesh;
  IrzError error = {0};
  if (irz_mesh_generate(&plan, NULL, NULL, &mesh, &error) != IRZ_OK) fail_msg("%s", error.text);
  return mesh;
}

/// A potential and its gradient.
typedef double (*Field)(const double x[3], double gradient[3]);

/// Around a long line.
static double logarithm(const double x[3], double gradient[3]) {
  double square = x[0] * x[0] + x[1] * x[1];
  gradient[0] = x[0] / square;
  gradient[1] = x[1] / square;
  gradient[2] = 0;
  return 0.5 * log(square);
}

/// Re (i Z)^power across a needle's wall with Z = z - EXPOSURE + i (r - RADIUS): constant on the metal, z < EXPOSURE,
/// and with no slope across the insulation, if the power is 1/2.
static double root(const double x[3], double gradient[3]) {
  double r = hypot(x[0], x[1]);
  double complex away = x[2] - EXPOSURE + I * (r - RADIUS), value = csqrt(away), slope = 0.5 / value;
  gradient[0] = -cimag(slope) * x[0] / r;
  gradient[1] = -cimag(slope) * x[1] / r;
  gradient[2] = creal(slope);
  return creal(value);
}

/// Nodes of a tetrahedron in the order of the basis functions, bent or not.
static void place_nodes(const IrzMesh *mesh, int32_t tet, bool bent, double node[10][3]) {
  static const int edge[6][2] = {{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}};
  double corner[4][3], bow[6][3];
  irz_mesh_tet_shape(mesh, tet, corner, bow);
  memcpy(node, corner, sizeof corner);
  for (int e = 0; e < 6; e++) {
    for (int f = 0; f < 6; f++) {
      int a = irz_tet_edge[f][0], b = irz_tet_edge[f][1];
      if ((a < b ? a : b) != edge[e][0] || (a < b ? b : a) != edge[e][1]) continue;
      for (int k = 0; k < 3; k++) node[4 + e][k] = 0.5 * (corner[a][k] + corner[b][k]) + (bent ? bow[f][k] : 0);
    }
  }
}

/// Integral of the square of the interpolation's error in the gradient, over tetrahedra with a corner in a range of
/// distances from the needle's axis and of z.
static double defect(const IrzMesh *mesh, int order, bool bent, Field field, const double r[2], const double z[2]) {
  double sum = 0;
  int found = 0;
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    double node[10][3], u[10], unused[3];
    bool within = false;
    place_nodes(mesh, t, bent, node);
    for (int i = 0; i < 4; i++) {
      double away = hypot(node[i][0], node[i][1]);
      within = within || (away > r[0] && away < r[1] && node[i][2] > z[0] && node[i][2] < z[1]);
    }
    if (!within) continue;
    found++;
    for (int i = 0; i < 10; i++) u[i] = field(node[i], unused);
    for (int q = 0; q < irz_rule_fine.count; q++) {
      double d[10][3], inverse[3][3], x[3], exact[3], off = 0;
      irz_reference_gradients(irz_rule_fine.point[q], d);
      double det = irz_inverse_map(node, true, d, inverse);
      irz_tet_position(node, true, irz_rule_fine.point[q], x);
      field(x, exact);
      if (order == 1) {
        for (int i = 0; i < 10; i++) {
          for (int k = 0; k < 3; k++) d[i][k] = i > 3 ? 0 : i == 0 ? -1 : i == k + 1;
        }
      }
      for (int k = 0; k < 3; k++) {
        double g = 0;
        for (int i = 0; i < 10; i++)
          g += u[i] * (d[i][0] * inverse[0][k] + d[i][1] * inverse[1][k] + d[i][2] * inverse[2][k]);
        off += (g - exact[k]) * (g - exact[k]);
      }
      sum += irz_rule_fine.weight[q] / 6 * det * off;
    }
  }
  assert_true(found > 100);
  return sum;
}

/// Bent elements are better by `factor` at least.
static void compare(int order, Field field, const double r[2], const double z[2], double factor) {
  IrzMesh *mesh = generate(order);
  double bent = defect(mesh, order, true, field, r, z), straight = defect(mesh, order, false, field, r, z);
  printf("order %d: %.3g instead of %.3g, %.1f times less\n", order, bent, straight, straight / bent);
  if (!(bent * factor < straight)) fail_msg("only %.2f times better", straight / bent);
  irz_mesh_free(mesh);
}

static void around_needles(void **state) {
  (void)state;
  const double r[2] = {0, 4 * RADIUS}, z[2] = {4e-3, 16e-3};
  compare(2, logarithm, r, z, 20);
  compare(1, logarithm, r, z, 20);
}

static void at_insulation(void **state) {
  (void)state;
  const double r[2] = {0, 1.0001 * RADIUS}, z[2] = {EXPOSURE - 1e-6, EXPOSURE + 1e-6};
  compare(2, root, r, z, 3);
  compare(1, root, r, z, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(around_needles), cmocka_unit_test(at_insulation)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
