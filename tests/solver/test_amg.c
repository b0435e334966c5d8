/* The algebraic multigrid of order 1: symmetric, positive, quick to converge on fine and stretched meshes, exact on
 * fixed unknowns, and up to date after a change of the matrix; on one rank and, run with mpiexec, on several. */
#include "field/kernel.h"
#include "grid_mesh.h"
#include "solver/amg.h"
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

/// Tangent of the linear problem with conductivity `sigma`, and its residual at u; NULL: at zero.
static void assemble(const Setup *s, double sigma, const double *u, double *residual) {
  IrzLaw tissue = {.kind = IRZ_LAW_CONSTANT, .low = sigma, .high = sigma};
  const IrzLaw *laws[] = {&tissue};
  double *zero = calloc((size_t)s->space->n_local, sizeof *zero);
  irz_assemble(&(IrzAssembly){.space = s->space,
                              .medium = s->medium,
                              .laws = laws,
                              .u = u != NULL ? u : zero,
                              .fixed = s->fixed,
                              .residual = residual,
                              .matrix = s->tangent});
  free(zero);
}

/// @param[in] fixed  how many of the two plates have a given potential
static void build(Setup *s, MPI_Comm comm, const int n[3], double width, bool merged, int n_threads, int fixed) {
  GridMesh grid = {
      .n = {n[0], n[1], n[2]}, .size = {width, width, 0.01}, .shake = 0.2, .n_surfaces = 2, .surface = plates};
  IrzError error = {0};
  const char *surfaces[] = {"s0", "s1"};
  int rank;
  MPI_Comm_rank(comm, &rank);
  s->mesh = rank == 0 ? grid_mesh(&grid) : NULL;
  assert_int_equal(irz_part_create(comm, s->mesh, 2, surfaces, &s->part, &error), IRZ_OK);
  assert_int_equal(irz_medium_create(s->part, NULL, &s->medium, &error), IRZ_OK);
  assert_int_equal(irz_space_create(s->part, 1, merged, n_threads, s->medium->general, NULL, &s->space, &error),
                   IRZ_OK);
  assert_int_equal(irz_tangent_create(s->space, false, &s->tangent, &error), IRZ_OK);
  s->fixed = calloc((size_t)s->space->n_local, 1);
  for (int32_t i = 0; i < s->space->n_local; i++)
    s->fixed[i] = s->space->electrode[i] >= 0 && s->space->electrode[i] < fixed;
  assemble(s, 0.2, NULL, NULL);
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

/// Over all ranks.
static double dot(const Setup *s, const float *x, const float *y) {
  double sum = 0;
  for (int32_t i = 0; i < s->space->n_owned; i++) sum += (double)x[i] * y[i];
  MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, s->part->comm);
  return sum;
}

static double dot_double(const Setup *s, const double *x, const double *y) {
  double sum = 0;
  for (int32_t i = 0; i < s->space->n_owned; i++) sum += x[i] * y[i];
  MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, s->part->comm);
  return sum;
}

static void multiply(const Setup *s, double *x, double *y) {
  assert_int_equal(irz_space_share(s->space, x), 0);
  irz_tangent_multiply(s->tangent, x, y);
}

/// Different on every rank.
static unsigned seed_of(const Setup *s, unsigned seed) {
  return seed + 1000u * (unsigned)s->part->rank;
}

static void check_symmetric(const Setup *s) {
  int32_t n = s->space->n_local;
  float *x[4];
  unsigned seed = seed_of(s, 5);
  for (int k = 0; k < 4; k++) x[k] = calloc((size_t)n, sizeof(float));
  for (int32_t i = 0; i < s->space->n_owned; i++) {
    x[0][i] = (float)grid_noise(&seed);
    x[1][i] = (float)grid_noise(&seed);
  }
  irz_amg_apply(s->amg, x[0], x[2]);
  irz_amg_apply(s->amg, x[1], x[3]);
  double xbx = dot(s, x[0], x[2]), yby = dot(s, x[1], x[3]);
  assert_true(xbx > 0 && yby > 0);
  assert_near(dot(s, x[0], x[3]), dot(s, x[1], x[2]), 1e-5 * sqrt(xbx * yby));
  for (int32_t i = 0; i < s->space->n_owned; i++) {
    if (s->fixed[i]) assert_near(x[2][i], x[0][i], 1e-6);
  }
  memcpy(x[3], x[2], (size_t)n * sizeof(float));
  assert_int_equal(irz_space_share_single(s->space, x[3]), 0);
  assert_memory_equal(x[3], x[2], (size_t)n * sizeof(float)); /* ghosts were up to date */
  for (int k = 0; k < 4; k++) free(x[k]);
}

/// Slowest reduction of the error in the energy norm by one V-cycle, by the power method.
static double reduction(const Setup *s) {
  int32_t n = s->space->n_owned;
  size_t local = (size_t)s->space->n_local;
  double *x = calloc(local, sizeof *x), *ax = calloc(local, sizeof *ax), factor = 1;
  float *b = calloc(local, sizeof *b);
  unsigned seed = seed_of(s, 9);
  for (int32_t i = 0; i < n; i++) x[i] = s->fixed[i] ? 0 : grid_noise(&seed);
  for (int turn = 0; turn < 40; turn++) {
    multiply(s, x, ax);
    double energy = dot_double(s, x, ax);
    factor = sqrt(energy);
    for (int32_t i = 0; i < n; i++) {
      x[i] /= factor;
      b[i] = (float)(ax[i] / factor);
    }
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
  int size;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  for (int n_threads = 1; n_threads <= (size > 1 ? 2 : 3); n_threads++) {
    for (int merged = 0; merged < 2; merged++) {
      Setup s;
      build(&s, PETSC_COMM_WORLD, (const int[]){14, 14, 14}, 0.01, merged, n_threads, 1);
      check_symmetric(&s);
      double cubes = reduction(&s);
      clear(&s);
      build(&s, PETSC_COMM_WORLD, (const int[]){12, 12, 12}, 0.04, merged, n_threads, 1);
      check_symmetric(&s);
      double flat = reduction(&s);
      int rank = s.part->rank;
      clear(&s);
      if (rank == 0)
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
  build(&s, PETSC_COMM_WORLD, (const int[]){10, 10, 10}, 0.01, true, 1, 1);
  size_t n = (size_t)s.space->n_local;
  float *b = calloc(n, sizeof *b), *x = calloc(n, sizeof *x), *y = calloc(n, sizeof *y);
  unsigned seed = seed_of(&s, 3);
  for (int32_t i = 0; i < s.space->n_owned; i++) b[i] = s.fixed[i] ? 0 : (float)grid_noise(&seed);
  irz_amg_apply(s.amg, b, x);
  assemble(&s, 0.4, NULL, NULL);
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

/// One solve with conjugate gradients from u, to 1e-9 of the first residual in the preconditioner's norm.
/// @return steps taken
static int correct(const Setup *s, double *u) {
  int32_t n = s->space->n_owned;
  size_t local = (size_t)s->space->n_local;
  double *r = calloc(local, sizeof *r), *p = calloc(local, sizeof *p), *ap = calloc(local, sizeof *ap),
         *z = calloc(local, sizeof *z), first = 0, rz = 1;
  float *b = calloc(local, sizeof *b);
  int steps = 0;
  assert_int_equal(irz_space_share(s->space, u), 0);
  assemble(s, 0.2, u, r);
  for (int32_t i = 0; i < n; i++) r[i] = s->fixed[i] ? 0 : -r[i];
  for (;; steps++) {
    double size = sqrt(dot_double(s, r, r));
    for (int32_t i = 0; i < n; i++) b[i] = size > 0 ? (float)(r[i] / size) : 0;
    irz_amg_apply(s->amg, b, b);
    for (int32_t i = 0; i < n; i++) z[i] = size * (double)b[i];
    double before = rz;
    rz = dot_double(s, r, z);
    if (steps == 0) first = rz;
    if (rz <= 1e-18 * first || steps == 100) break;
    for (int32_t i = 0; i < n; i++) p[i] = z[i] + (steps > 0 ? rz / before : 0) * p[i];
    multiply(s, p, ap);
    double length = rz / dot_double(s, p, ap);
    for (int32_t i = 0; i < n; i++) {
      u[i] += length * p[i];
      r[i] -= length * ap[i];
    }
  }
  free(r);
  free(p);
  free(ap);
  free(z);
  free(b);
  return steps;
}

/// Find the potential between two plates, which is linear, and check it. The tangent's entries are rounded to single
/// precision, the residual's are not, so that a second solve corrects the first.
/// @return steps of the first
static int solve(const Setup *s) {
  double *u = calloc((size_t)s->space->n_local, sizeof *u);
  for (int32_t i = 0; i < s->space->n_local; i++) u[i] = s->space->electrode[i] == 1;
  int steps = correct(s, u);
  correct(s, u);
  for (int32_t v = 0; v < s->part->n_owned_vertices; v++) {
    assert_near(u[s->space->dof[v]], s->part->xyz[3 * v + 2] / 0.01 + 0.5, 1e-8);
  }
  free(u);
  return steps;
}

/// The finest mesh has so many unknowns that the ranks divide a coarse level, too. Steps hardly grow with the mesh, and
/// by at most 15 % over those of one rank.
static void solves(void **state) {
  (void)state;
  static const int bricks[] = {8, 20, 40};
  int least = 1000;
  for (int k = 0; k < 3; k++) {
    int steps[2];
    int rank = 0;
    for (int divided = 0; divided < 2; divided++) {
      Setup s;
      build(&s, divided ? PETSC_COMM_WORLD : PETSC_COMM_SELF, (const int[]){bricks[k], bricks[k], bricks[k]}, 0.01,
            false, 1, 2);
      steps[divided] = solve(&s);
      rank = s.part->rank;
      clear(&s);
    }
    if (rank == 0) print_message("%d bricks an edge: %d steps, %d on one rank\n", bricks[k], steps[1], steps[0]);
    assert_true(steps[1] <= 1.15 * steps[0] + 1);
    if (steps[1] < least) least = steps[1];
    assert_true(steps[1] <= least + 7);
  }
}

/// The same answer to the last bit each time.
static void repeats(void **state) {
  (void)state;
  float *x[2];
  size_t n = 0;
  for (int k = 0; k < 2; k++) {
    Setup s;
    build(&s, PETSC_COMM_WORLD, (const int[]){30, 30, 30}, 0.01, true, 2, 1);
    n = (size_t)s.space->n_local;
    unsigned seed = seed_of(&s, 11);
    x[k] = calloc(n, sizeof(float));
    for (int32_t i = 0; i < s.space->n_owned; i++) x[k][i] = (float)grid_noise(&seed);
    irz_amg_apply(s.amg, x[k], x[k]);
    clear(&s);
  }
  assert_memory_equal(x[0], x[1], n * sizeof(float));
  free(x[0]);
  free(x[1]);
}

/// More ranks than a mesh has rows of vertices: some get next to nothing.
static void tiny(void **state) {
  (void)state;
  Setup s;
  build(&s, PETSC_COMM_WORLD, (const int[]){2, 1, 2}, 0.01, false, 1, 2);
  check_symmetric(&s);
  assert_true(solve(&s) < 12);
  clear(&s);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(symmetric_and_quick), cmocka_unit_test(follows_the_matrix),
                                     cmocka_unit_test(solves), cmocka_unit_test(repeats), cmocka_unit_test(tiny)};
  PetscInitialize(&argc, &argv, NULL, NULL);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_SUM, PETSC_COMM_WORLD);
  PetscFinalize();
  return failed;
}
