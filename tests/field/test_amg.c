/* The algebraic multigrid of order 1: symmetric, positive, quick to converge on fine and stretched meshes, exact on
 * fixed unknowns, and up to date after a change of the matrix. */
#include "field/amg.h"
#include "field/kernel.h"
#include "grid_mesh.h"
#include "testing.h"
#include <math.h>
#include <string.h>

static int plates(const double x[3]) {
  if (fabs(x[2] + 0.005) < 1e-9) return 0;
  if (fabs(x[2] - 0.005) < 1e-9) return 1;
  return -1;
}

typedef struct {
  IrzMesh *mesh;
  IrzPart *part;
  IrzMedium *medium;
  IrzSpace *space;
  IrzTangent *tangent;
  uint8_t *fixed;
  IrzAmg *amg;
} Setup;

/// Tangent of the linear problem with conductivity `sigma`.
static void assemble(const Setup *s, double sigma) {
  IrzLaw tissue = {.kind = IRZ_LAW_CONSTANT, .low = sigma, .high = sigma};
  const IrzLaw *laws[] = {&tissue};
  double *u = calloc((size_t)s->space->n_local, sizeof *u);
  irz_assemble(&(IrzAssembly){
      .space = s->space, .medium = s->medium, .laws = laws, .u = u, .fixed = s->fixed, .matrix = s->tangent});
  free(u);
}

static void build(Setup *s, const int n[3], double width, bool merged, int n_threads) {
  GridMesh grid = {
      .n = {n[0], n[1], n[2]}, .size = {width, width, 0.01}, .shake = 0.2, .n_surfaces = 2, .surface = plates};
  IrzError error = {0};
  const char *surfaces[] = {"s0", "s1"};
  s->mesh = grid_mesh(&grid);
  assert_int_equal(irz_part_create(PETSC_COMM_SELF, s->mesh, 2, surfaces, &s->part, &error), IRZ_OK);
  assert_int_equal(irz_medium_create(s->part, NULL, &s->medium, &error), IRZ_OK);
  assert_int_equal(irz_space_create(s->part, 1, merged, n_threads, s->medium->general, NULL, &s->space, &error),
                   IRZ_OK);
  assert_int_equal(irz_tangent_create(s->space, false, &s->tangent, &error), IRZ_OK);
  s->fixed = calloc((size_t)s->space->n_local, 1);
  for (int32_t i = 0; i < s->space->n_local; i++) s->fixed[i] = s->space->electrode[i] == 0;
  assemble(s, 0.2);
  assert_int_equal(irz_amg_create(s->tangent, &s->amg, &error), IRZ_OK);
  assert_int_equal(irz_amg_build(s->amg, &error), IRZ_OK);
}

static void clear(Setup *s) {
  irz_amg_free(s->amg);
  irz_tangent_free(s->tangent);
  irz_space_free(s->space);
  irz_medium_free(s->medium);
  irz_part_free(s->part);
  irz_mesh_free(s->mesh);
  free(s->fixed);
}

static double dot(int32_t n, const float *x, const float *y) {
  double sum = 0;
  for (int32_t i = 0; i < n; i++) sum += (double)x[i] * y[i];
  return sum;
}

static void check_symmetric(Setup *s) {
  int32_t n = s->space->n_owned;
  float *x[4];
  unsigned seed = 5;
  for (int k = 0; k < 4; k++) x[k] = calloc((size_t)n, sizeof(float));
  for (int32_t i = 0; i < n; i++) {
    x[0][i] = (float)grid_noise(&seed);
    x[1][i] = (float)grid_noise(&seed);
  }
  irz_amg_apply(s->amg, x[0], x[2]);
  irz_amg_apply(s->amg, x[1], x[3]);
  double xbx = dot(n, x[0], x[2]), yby = dot(n, x[1], x[3]);
  assert_true(xbx > 0 && yby > 0);
  assert_near(dot(n, x[0], x[3]), dot(n, x[1], x[2]), 1e-5 * sqrt(xbx * yby));
  for (int32_t i = 0; i < n; i++) {
    if (s->fixed[i]) assert_near(x[2][i], x[0][i], 1e-6);
  }
  for (int k = 0; k < 4; k++) free(x[k]);
}

/// Slowest reduction of the error in the energy norm by one V-cycle, by the power method.
static double reduction(Setup *s) {
  int32_t n = s->space->n_owned;
  double *x = calloc((size_t)n, sizeof *x), *ax = calloc((size_t)n, sizeof *ax), before = 0, factor = 1;
  float *b = calloc((size_t)n, sizeof *b);
  unsigned seed = 9;
  for (int32_t i = 0; i < n; i++) x[i] = s->fixed[i] ? 0 : grid_noise(&seed);
  for (int turn = 0; turn < 40; turn++) {
    double energy = 0;
    irz_tangent_multiply(s->tangent, x, ax);
    for (int32_t i = 0; i < n; i++) energy += x[i] * ax[i];
    factor = turn > 0 ? sqrt(energy / before) : 1;
    for (int32_t i = 0; i < n; i++) {
      x[i] /= sqrt(energy);
      b[i] = (float)(ax[i] / sqrt(energy));
    }
    before = 1;
    irz_amg_apply(s->amg, b, b);
    for (int32_t i = 0; i < n; i++) x[i] -= b[i];
  }
  free(x);
  free(ax);
  free(b);
  return factor;
}

static void symmetric_and_quick(void **state) {
  (void)state;
  for (int n_threads = 1; n_threads <= 3; n_threads++) {
    for (int merged = 0; merged < 2; merged++) {
      Setup s;
      build(&s, (const int[]){14, 14, 14}, 0.01, merged, n_threads);
      check_symmetric(&s);
      double cubes = reduction(&s);
      clear(&s);
      build(&s, (const int[]){12, 12, 12}, 0.04, merged, n_threads);
      check_symmetric(&s);
      double flat = reduction(&s);
      clear(&s);
      print_message("%d threads, %s: a cycle leaves %.2f of the error, %.2f on flat elements\n", n_threads,
                    merged ? "merged" : "split", cubes, flat);
      assert_true(cubes < 0.75);
      assert_true(flat < 0.9);
    }
  }
}

/// Twice the conductivity, half the answer, once the coarse matrices are brought up to date.
static void follows_the_matrix(void **state) {
  (void)state;
  Setup s;
  IrzError error = {0};
  build(&s, (const int[]){10, 10, 10}, 0.01, true, 1);
  size_t n = (size_t)s.space->n_owned;
  float *b = calloc(n, sizeof *b), *x = calloc(n, sizeof *x), *y = calloc(n, sizeof *y);
  unsigned seed = 3;
  for (size_t i = 0; i < n; i++) b[i] = s.fixed[i] ? 0 : (float)grid_noise(&seed);
  irz_amg_apply(s.amg, b, x);
  assemble(&s, 0.4);
  irz_amg_smooth(s.amg);
  assert_int_equal(irz_amg_update(s.amg, &error), IRZ_OK);
  irz_amg_apply(s.amg, b, y);
  double worst = 0, size = 0;
  for (size_t i = 0; i < n; i++) {
    worst = fmax(worst, fabs((double)x[i] - 2 * (double)y[i]));
    size = fmax(size, fabs((double)x[i]));
  }
  assert_true(worst < 1e-5 * size);
  free(b);
  free(x);
  free(y);
  clear(&s);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(symmetric_and_quick), cmocka_unit_test(follows_the_matrix)};
  PetscInitialize(&argc, &argv, NULL, NULL);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
