/* Assembly: tetrahedra side by side in vector registers give what they give one by one, straight and curved, and the
 * tangent is the derivative of the residual. */
#include "field/kernel_parts.h"
#include "grid_mesh.h"
#include "testing.h"
#include <math.h>
#include <string.h>

enum { N_LAWS = 3 };

static int electrodes(const double x[3]) {
  if (fabs(x[2] + 0.005) < 1e-9) return 0;
  if (fabs(x[2] - 0.005) < 1e-9) return 1;
  return -1;
}

static int thirds(const double x[3]) {
  return x[0] < -0.003 ? 0 : x[0] < 0.004 ? 1 : 2;
}

static int compare_edges(const void *a, const void *b) {
  const int32_t *p = a, *q = b;
  return p[0] != q[0] ? (p[0] > q[0]) - (p[0] < q[0]) : (p[1] > q[1]) - (p[1] < q[1]);
}

/// A box of three tissues in which two edges of every thirtieth tetrahedron are bent, and all tetrahedra around them.
static IrzMesh *make_mesh(void) {
  static const int ends[6][2] = {{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}};
  GridMesh grid = {.n = {6, 5, 4},
                   .size = {0.02, 0.02, 0.01},
                   .shake = 0.15,
                   .n_regions = N_LAWS,
                   .n_surfaces = 2,
                   .region = thirds,
                   .surface = electrodes};
  IrzMesh *m = grid_mesh(&grid);
  int32_t(*edge)[2] = calloc(2 * (size_t)m->n_tets, sizeof *edge), n = 0;
  unsigned state = 3;
  for (int32_t t = 0; t < m->n_tets; t += 30) {
    for (int e = 0; e < 2; e++, n++) {
      int32_t a = m->tet[4 * t + ends[e][0]], b = m->tet[4 * t + ends[e][1]];
      edge[n][0] = a < b ? a : b;
      edge[n][1] = a < b ? b : a;
    }
  }
  qsort(edge, (size_t)n, sizeof *edge, compare_edges);
  m->curved_edge = calloc((size_t)n, 2 * sizeof *m->curved_edge);
  m->curved_xyz = calloc((size_t)n, 3 * sizeof *m->curved_xyz);
  for (int32_t k = 0; k < n; k++) {
    if (k > 0 && compare_edges(edge[k], edge[k - 1]) == 0) continue;
    memcpy(m->curved_edge + 2 * m->n_curved, edge[k], sizeof edge[k]);
    for (int d = 0; d < 3; d++) {
      double middle = 0.5 * (m->xyz[3 * edge[k][0] + d] + m->xyz[3 * edge[k][1] + d]);
      m->curved_xyz[3 * m->n_curved + d] = middle + 1e-4 * grid_noise(&state);
    }
    m->n_curved++;
  }
  free(edge);
  return m;
}

typedef struct {
  IrzMesh *mesh;
  IrzPart *part;
  IrzMedium *medium;
  IrzSpace *space;
  IrzTangent *tangent;
  IrzLaw law[N_LAWS];
  const IrzLaw *laws[N_LAWS];
  IrzPoints floor;
  double *scale, *u, *residual;
  uint8_t *fixed;
} Setup;

/// @param[in] direction  IRZ_LAW_SCALED with the unit tensor is the scalar law, one tetrahedron at a time
static void begin(Setup *s, int order, bool merged, int n_threads, IrzLawDirection direction, bool remembers) {
  IrzError error = {0};
  const char *surfaces[] = {"s0", "s1"};
  unsigned state = 11;
  *s = (Setup){.law = {{.kind = IRZ_LAW_SIGMOID, .low = 0.1, .high = 0.35, .p = 58000, .q = 8000},
                       {.kind = IRZ_LAW_RAMP, .low = 0.08, .high = 0.32, .p = 35000, .q = 70000},
                       {.kind = IRZ_LAW_GOMPERTZ, .low = 0.1, .high = 0.4, .p = 5, .q = 4e-5}}};
  for (int r = 0; r < N_LAWS; r++) {
    s->law[r].direction = direction;
    for (int k = 0; k < 3; k++) s->law[r].shape[k] = 1;
    s->laws[r] = &s->law[r];
  }
  s->mesh = make_mesh();
  assert_int_equal(irz_part_create(PETSC_COMM_SELF, s->mesh, 2, surfaces, &s->part, &error), IRZ_OK);
  assert_int_equal(irz_medium_create(s->part, NULL, &s->medium, &error), IRZ_OK);
  assert_in_range(s->medium->n_general, s->part->n_tets / 5, s->part->n_tets * 4 / 5);
  assert_int_equal(irz_space_create(s->part, order, merged, n_threads, s->medium->general, NULL, &s->space, &error),
                   IRZ_OK);
  assert_int_equal(irz_tangent_create(s->space, false, &s->tangent, &error), IRZ_OK);
  size_t n = (size_t)s->space->n_local, nodes = (size_t)s->part->n_vertices + (size_t)s->part->n_edges;
  double *node = calloc(nodes, sizeof *node);
  s->u = calloc(n, sizeof *s->u);
  s->residual = calloc(n, sizeof *s->residual);
  s->fixed = calloc(n, 1);
  s->scale = calloc((size_t)s->part->n_tets, sizeof *s->scale);
  for (int32_t t = 0; t < s->part->n_tets; t++) s->scale[t] = 1 + 0.3 * grid_noise(&state);
  for (size_t i = 0; i < n; i++) {
    s->fixed[i] = s->space->electrode[i] == 0;
    s->u[i] = 60 * grid_noise(&state); /* fields of 10 to 100 kV/m */
  }
  if (remembers) {
    for (size_t i = 0; i < nodes; i++) node[i] = 60 * grid_noise(&state);
    assert_int_equal(irz_points_create(s->medium, s->laws, &s->floor, &error), IRZ_OK);
    irz_points_remember(s->medium, order, s->laws, node, &s->floor);
  }
  free(node);
}

static void end(Setup *s) {
  irz_points_free(&s->floor);
  irz_tangent_free(s->tangent);
  irz_space_free(s->space);
  irz_medium_free(s->medium);
  irz_part_free(s->part);
  irz_mesh_free(s->mesh);
  free(s->scale);
  free(s->u);
  free(s->residual);
  free(s->fixed);
}

/// Assemble at the setup's potential.
static void assemble(Setup *s, bool matrix) {
  irz_assemble(&(IrzAssembly){.space = s->space,
                              .medium = s->medium,
                              .laws = s->laws,
                              .floor = s->floor.fast != NULL ? &s->floor : NULL,
                              .scale = s->scale,
                              .u = s->u,
                              .fixed = s->fixed,
                              .residual = s->residual,
                              .matrix = matrix ? s->tangent : NULL});
}

/// Largest difference of two vectors against the largest entry of the first.
static double distance(int32_t n, const double *x, const double *y) {
  double most = 0, apart = 0;
  for (int32_t i = 0; i < n; i++) {
    most = fmax(most, fabs(x[i]));
    apart = fmax(apart, fabs(x[i] - y[i]));
  }
  return apart / most;
}

static double *make_vector(const Setup *s) {
  return calloc((size_t)s->space->n_local, sizeof(double));
}

/// A direction that leaves fixed unknowns where they are.
static double *make_direction(const Setup *s) {
  unsigned state = 23;
  double *v = make_vector(s);
  for (int32_t i = 0; i < s->space->n_local; i++) v[i] = s->fixed[i] ? 0 : grid_noise(&state);
  return v;
}

static void side_by_side_or_one_by_one(void **state) {
  (void)state;
  for (int k = 0; k < 24; k++) {
    int order = 1 + k % 2, n_threads = 1 + k / 2 % 3;
    bool merged = k / 6 % 2 == 1, remembers = k / 12 == 1;
    Setup batched, single;
    begin(&batched, order, merged, n_threads, IRZ_LAW_ISOTROPIC, remembers);
    begin(&single, order, merged, n_threads, IRZ_LAW_SCALED, remembers);
    assemble(&batched, true);
    assemble(&single, true);
    int32_t n = batched.space->n_owned;
    assert_true(distance(n, single.residual, batched.residual) < 1e-12);
    double *v = make_direction(&batched), *x = make_vector(&batched), *y = make_vector(&batched);
    irz_tangent_multiply(batched.tangent, v, x);
    irz_tangent_multiply(single.tangent, v, y);
    assert_true(distance(n, y, x) < 1e-5); /* single precision */
    free(v);
    free(x);
    free(y);
    end(&batched);
    end(&single);
  }
}

static void derivative(void **state) {
  (void)state;
  const double step = 1e-5;
  for (int k = 0; k < 12; k++) {
    Setup s;
    begin(&s, 1 + k % 2, k / 6 == 1, 1 + k / 2 % 3, IRZ_LAW_ISOTROPIC, false);
    int32_t n = s.space->n_owned;
    double *v = make_direction(&s), *product = make_vector(&s), *before = make_vector(&s), *slope = make_vector(&s);
    assemble(&s, true);
    irz_tangent_multiply(s.tangent, v, product);
    for (int32_t i = 0; i < n; i++) s.u[i] -= step * v[i];
    assemble(&s, false);
    memcpy(before, s.residual, (size_t)n * sizeof *before);
    for (int32_t i = 0; i < n; i++) s.u[i] += 2 * step * v[i];
    assemble(&s, false);
    for (int32_t i = 0; i < n; i++) slope[i] = s.fixed[i] ? 0 : (s.residual[i] - before[i]) / (2 * step);
    assert_true(distance(n, slope, product) < 1e-5);
    free(v);
    free(product);
    free(before);
    free(slope);
    end(&s);
  }
}

#ifdef IRZ_AVX2
/// IRZ_LANES numbers from 0 to `count` - 1.
static void draw(int32_t count, int32_t start, int32_t which[IRZ_LANES]) {
  for (int l = 0; l < IRZ_LANES; l++) which[l] = (start + 37 * l) % count;
}

/// Compare what both compilations make of a batch.
static void expect_same_batch(const Setup *s, bool curved, int32_t start) {
  IrzAssembly a = {.space = s->space,
                   .medium = s->medium,
                   .laws = s->laws,
                   .floor = s->floor.fast != NULL ? &s->floor : NULL,
                   .scale = s->scale,
                   .matrix = s->tangent};
  int32_t which[IRZ_LANES];
  _Alignas(64) double u[10][IRZ_LANES];
  const IrzLaw *law[IRZ_LANES];
  draw(curved ? s->medium->n_general : s->part->n_tets, start, which);
  for (int l = 0; l < IRZ_LANES; l++) {
    int32_t tet = curved ? s->medium->tet[which[l]] : which[l];
    law[l] = s->laws[s->medium->region[tet]];
    for (int i = 0; i < s->space->nodes; i++) u[i][l] = s->u[s->space->tet_dof[tet * s->space->nodes + i]];
  }
  static IrzBatch batch[2];
  memset(batch, 0, sizeof batch);
  const IrzBatchKernels *kernels[2] = {&irz_batch_kernels, &irz_batch_kernels_avx2};
  for (int k = 0; k < 2; k++) {
    kernels[k]->prepare();
    (curved ? kernels[k]->curved : kernels[k]->straight)(&a, which, u, law, &batch[k]);
  }
  for (int l = 0; l < IRZ_LANES; l++) assert_true(batch[0].residual[0][l] != 0);
  assert_memory_equal(&batch[0], &batch[1], sizeof batch[0]);
}

static void same_bits_on_every_processor(void **state) {
  (void)state;
  if (!__builtin_cpu_supports("avx2")) {
    print_message("skipped: this processor has no AVX2\n");
    skip();
  }
  for (int k = 0; k < 4; k++) {
    Setup s;
    begin(&s, 1 + k % 2, false, 1, IRZ_LAW_ISOTROPIC, k / 2 == 1);
    for (int32_t start = 0; start < 200; start++) expect_same_batch(&s, start % 2 == 1, start);
    end(&s);
  }
}
#endif

int main(int argc, char **argv) {
  PetscInitialize(&argc, &argv, NULL, NULL);
  const struct CMUnitTest tests[] = {
#ifdef IRZ_AVX2
      cmocka_unit_test(same_bits_on_every_processor),
#endif
      cmocka_unit_test(side_by_side_or_one_by_one), cmocka_unit_test(derivative)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
