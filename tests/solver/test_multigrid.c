/* The p-multigrid preconditioner is symmetric and positive, with one thread and with several, and its coarse matrix is
 * the Galerkin one. */
#include "base/petsc.h"
#include "field/kernel.h"
#include "grid_mesh.h"
#include "solver/multigrid.h"
#include "testing.h"
#include <math.h>

static const IrzLaw tissue = {.kind = IRZ_LAW_SIGMOID, .low = 0.1, .high = 0.35, .p = 58000, .q = 8000};

static int plates(const double x[3]) {
  if (fabs(x[2] + 0.005) < 1e-9) return 0;
  if (fabs(x[2] - 0.005) < 1e-9) return 1;
  return -1;
}

/// Everything a preconditioner needs.
typedef struct {
  IrzMesh *mesh;
  IrzPart *part;
  IrzMedium *medium;
  IrzSpace *space[2];
  IrzTangent *matrix[2];
  uint8_t *fixed[2];
  IrzMultigrid *multigrid;
  PC solver, pc;
} Setup;

static void build(Setup *s, const int n[3], bool merged, int n_threads, double field) {
  GridMesh grid = {.n = {n[0], n[1], n[2]}, .size = {0.02, 0.02, 0.01}, .shake = 0, .n_surfaces = 2, .surface = plates};
  IrzError error = {0};
  const char *surfaces[] = {"s0", "s1"};
  const IrzLaw *laws[] = {&tissue};
  s->mesh = grid_mesh(&grid);
  assert_int_equal(irz_part_create(PETSC_COMM_SELF, s->mesh, 2, surfaces, &s->part, &error), IRZ_OK);
  assert_int_equal(irz_medium_create(s->part, NULL, &s->medium, &error), IRZ_OK);
  for (int k = 1; k >= 0; k--) {
    assert_int_equal(irz_space_create(s->part, k + 1, merged, n_threads, s->medium->general,
                                      k == 0 ? s->space[1] : NULL, &s->space[k], &error),
                     IRZ_OK);
    assert_int_equal(irz_tangent_create(s->space[k], true, &s->matrix[k], &error), IRZ_OK);
    s->fixed[k] = calloc((size_t)s->space[k]->n_local, 1);
    for (int32_t i = 0; i < s->space[k]->n_local; i++) s->fixed[k][i] = s->space[k]->electrode[i] >= 0;
  }
  PCCreate(PETSC_COMM_SELF, &s->solver);
  PCSetType(s->solver, PCCHOLESKY);
  PCSetOperators(s->solver, s->matrix[0]->copy->mat, s->matrix[0]->copy->mat);
  assert_int_equal(irz_multigrid_create(s->matrix[1], s->matrix[0], s->solver, NULL, &s->multigrid, &error), IRZ_OK);
  double *u = calloc((size_t)s->space[1]->n_local, sizeof *u);
  for (int32_t v = 0; v < s->part->n_vertices; v++) u[s->space[1]->dof[v]] = field * s->part->xyz[3 * v + 2];
  for (int32_t e = 0; e < s->part->n_edges; e++) {
    const int32_t *end = s->part->edge + 2 * e;
    u[s->space[1]->dof[s->part->n_vertices + e]] =
        0.5 * field * (s->part->xyz[3 * end[0] + 2] + s->part->xyz[3 * end[1] + 2]);
  }
  irz_assemble(&(IrzAssembly){.space = s->space[1],
                              .medium = s->medium,
                              .laws = laws,
                              .u = u,
                              .fixed = s->fixed[1],
                              .matrix = s->matrix[1],
                              .coarse = s->matrix[0],
                              .coarse_fixed = s->fixed[0]});
  for (int k = 0; k < 2; k++) irz_tangent_changed(s->matrix[k]);
  free(u);
  PCSetUp(s->solver);
  PCCreate(PETSC_COMM_SELF, &s->pc);
  PCSetOperators(s->pc, s->matrix[1]->mat, s->matrix[1]->mat);
  irz_multigrid_install(s->multigrid, s->pc);
  PCSetUp(s->pc);
}

static void clear(Setup *s) {
  PCDestroy(&s->pc);
  irz_multigrid_free(s->multigrid);
  PCDestroy(&s->solver);
  for (int k = 0; k < 2; k++) {
    irz_tangent_free(s->matrix[k]);
    irz_space_free(s->space[k]);
    free(s->fixed[k]);
  }
  irz_medium_free(s->medium);
  irz_part_free(s->part);
  irz_mesh_free(s->mesh);
}

/// A vector of repeatable noise, zero where unknowns are fixed.
static void noise(const Setup *s, Vec x, unsigned seed) {
  PetscScalar *a;
  VecGetArray(x, &a);
  for (int32_t i = 0; i < s->space[1]->n_owned; i++) a[i] = s->fixed[1][i] ? 0 : grid_noise(&seed);
  VecRestoreArray(x, &a);
}

static void check(const int n[3], bool merged, int n_threads, double field) {
  Setup s;
  Vec x, y, bx, by;
  double xby, ybx, xbx, yby, xay, yax;
  build(&s, n, merged, n_threads, field);
  MatCreateVecs(s.matrix[1]->mat, &x, &y);
  VecDuplicate(x, &bx);
  VecDuplicate(x, &by);
  for (unsigned seed = 1; seed < 6; seed++) {
    noise(&s, x, seed);
    noise(&s, y, seed + 100);
    PCApply(s.pc, x, bx);
    PCApply(s.pc, y, by);
    VecDot(x, by, &xby);
    VecDot(y, bx, &ybx);
    VecDot(x, bx, &xbx);
    assert_true(xbx > 0);
    PCApply(s.pc, y, by);
    VecDot(y, by, &yby);
    assert_near(xby, ybx, 1e-5 * sqrt(xbx * yby)); /* single precision */
    MatMult(s.matrix[1]->mat, x, bx);
    MatMult(s.matrix[1]->mat, y, by);
    VecDot(x, by, &xay);
    VecDot(y, bx, &yax);
    VecDot(x, bx, &xbx);
    assert_true(xbx > 0);
    VecDot(y, by, &yby);
    assert_near(xay, yax, 1e-6 * sqrt(xbx * yby));
  }
  VecDestroy(&x);
  VecDestroy(&y);
  VecDestroy(&bx);
  VecDestroy(&by);
  clear(&s);
}

/// No eigenvalue of B A is negative, however the rows are divided: power iteration on 2 - B A finds none above 2.
/// Without care for the entries between threads this mesh has two negative ones.
static void positive_spectrum(void **state) {
  (void)state;
  for (int n_threads = 1; n_threads <= 5; n_threads++) {
    Setup s;
    Vec x, ax, bax;
    double size = 0;
    build(&s, (const int[]){6, 6, 3}, true, n_threads, 1e5);
    MatCreateVecs(s.matrix[1]->mat, &x, &ax);
    VecDuplicate(x, &bax);
    noise(&s, x, 3);
    for (int k = 0; k < 400; k++) {
      VecNormalize(x, NULL);
      MatMult(s.matrix[1]->mat, x, ax);
      PCApply(s.pc, ax, bax);
      VecAXPBY(x, -1, 2, bax);
      VecNorm(x, NORM_2, &size);
    }
    print_message("%d threads: smallest eigenvalue about %.3f\n", n_threads, 2 - size);
    assert_true(size < 2);
    VecDestroy(&x);
    VecDestroy(&ax);
    VecDestroy(&bax);
    clear(&s);
  }
}

static void symmetric_and_positive(void **state) {
  (void)state;
  for (int n_threads = 1; n_threads <= 3; n_threads++) {
    for (int merged = 0; merged < 2; merged++) {
      check((const int[]){6, 6, 3}, merged, n_threads, 1e5);
      check((const int[]){4, 4, 4}, merged, n_threads, 5.8e4);
      check((const int[]){6, 6, 4}, merged, n_threads, 1e3);
    }
  }
}

/// The product of the coarse matrix with a coarse vector is that of the fine one between prolonged vectors.
static void galerkin(void **state) {
  (void)state;
  Setup s;
  build(&s, (const int[]){4, 5, 3}, false, 1, 5.8e4);
  size_t n = (size_t)s.space[0]->n_local, m = (size_t)s.space[1]->n_local;
  double *x = calloc(n, sizeof *x), *ax = calloc(n, sizeof *ax), *fx = calloc(m, sizeof *fx),
         *afx = calloc(m, sizeof *afx);
  unsigned seed = 7;
  double coarse = 0, fine = 0;
  for (size_t i = 0; i < n; i++) x[i] = s.fixed[0][i] ? 0 : grid_noise(&seed);
  irz_tangent_multiply(s.matrix[0], x, ax);
  irz_multigrid_prolong(s.multigrid, x, fx);
  irz_tangent_multiply(s.matrix[1], fx, afx);
  for (size_t i = 0; i < n; i++) coarse += x[i] * ax[i];
  for (size_t i = 0; i < m; i++) fine += fx[i] * afx[i];
  assert_close(coarse, fine, 1e-6);
  free(x);
  free(ax);
  free(fx);
  free(afx);
  clear(&s);
}

/// What a cycle's last sweep leaves gives the same product as the matrix.
static void product_from_sweep(void **state) {
  (void)state;
  for (int n_threads = 1; n_threads <= 3; n_threads++) {
    Setup s;
    build(&s, (const int[]){6, 6, 4}, true, n_threads, 5.8e4);
    size_t n = (size_t)s.space[1]->n_local;
    double *rest = calloc(n, sizeof *rest), *x = calloc(n, sizeof *x), *ax = calloc(n, sizeof *ax),
           *same = calloc(n, sizeof *same), size = 0, wrong = 0;
    const float *found;
    unsigned seed = 5;
    for (size_t i = 0; i < n; i++) rest[i] = s.fixed[1][i] ? 0 : grid_noise(&seed);
    assert_int_equal(irz_multigrid_cycle(s.multigrid, rest, &found), 0);
    for (size_t i = 0; i < n; i++) x[i] = found[i];
    irz_tangent_multiply(s.matrix[1], x, ax);
    assert_int_equal(irz_multigrid_product(s.multigrid, rest, same), 0);
    for (size_t i = 0; i < n; i++) {
      size += ax[i] * ax[i];
      wrong += (same[i] - ax[i]) * (same[i] - ax[i]);
    }
    assert_true(sqrt(wrong) < 1e-5 * sqrt(size)); /* single precision */
    free(rest);
    free(x);
    free(ax);
    free(same);
    clear(&s);
  }
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(symmetric_and_positive), cmocka_unit_test(positive_spectrum),
                                     cmocka_unit_test(galerkin), cmocka_unit_test(product_from_sweep)};
  PetscInitialize(&argc, &argv, NULL, NULL);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
