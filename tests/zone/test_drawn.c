/* The field as drawn: cut into flat pieces it has the volumes that are measured, also at kinks of the law, and the
   zone's surface lies where it should. */
#include "base/petsc.h"
#include "grid_mesh.h"
#include "testing.h"
#include "zone/parts.h"
#include "zone/sharpen.h"

/// Half the height of the box, m, and its volume, m^3. The current density grows evenly with y from 0 at the bottom.
static const double half = 0.02, box = 0.04 * 0.04 * 0.02, climb = 0.8e6;

static const GridMesh grid = {
    .n = {8, 12, 6}, .size = {0.04, 0.04, 0.02}, .shake = 0.25, .n_regions = 1, .n_surfaces = 0, .surface = NULL};

static int nowhere(const double x[3]) {
  (void)x;
  return -1;
}

/// The field that drives a current density, V/m.
static double field_at(const IrzLaw *law, double flux) {
  double low = 0, high = 1e6;
  for (int k = 0; k < 60; k++) {
    double middle = 0.5 * (low + high);
    *(middle * irz_law_sigma(law, middle, NULL) < flux ? &low : &high) = middle;
  }
  return 0.5 * (low + high);
}

/// A box with fields at its nodes.
typedef struct {
  IrzMesh *mesh;
  IrzPart *part;
  IrzMedium *medium;
  double *potential, *recovered, *plain, *along;
} Problem;

/// @param[in] share  of the field that is along the current's changes; IRZ_NOT_SMOOTH: nothing is smooth
static Problem problem_create(const IrzLaw *law, double share) {
  GridMesh plan = grid;
  plan.surface = nowhere;
  Problem p = {.mesh = grid_mesh(&plan)};
  IrzError error = {0};
  assert_int_equal(irz_part_create(PETSC_COMM_WORLD, p.mesh, 0, NULL, &p.part, &error), IRZ_OK);
  assert_int_equal(irz_medium_create(p.part, NULL, &p.medium, &error), IRZ_OK);
  size_t n = (size_t)p.part->n_vertices + (size_t)p.part->n_edges;
  p.potential = calloc(n, sizeof(double));
  p.recovered = calloc(n, sizeof(double));
  p.plain = calloc(n, sizeof(double));
  p.along = calloc(n, sizeof(double));
  for (int32_t t = 0; t < p.part->n_tets; t++) {
    double x[10][3];
    irz_part_nodes(p.part, t, -1, x);
    for (int i = 0; i < 10; i++) {
      int32_t node = p.part->tet[t][i];
      double height = x[i][1] + half;
      p.potential[node] = 1e6 * height * height;
      p.recovered[node] = p.plain[node] = field_at(law, climb * height);
      p.along[node] = share;
    }
  }
  return p;
}

static void problem_clear(Problem *p) {
  free(p->potential);
  free(p->recovered);
  free(p->plain);
  free(p->along);
  irz_medium_free(p->medium);
  irz_part_free(p->part);
  irz_mesh_free(p->mesh);
}

static IrzZoneTask task_of(const Problem *p, int order, const IrzLaw *const *laws, const double *threshold, int n_also,
                           const double *also) {
  return (IrzZoneTask){.medium = p->medium,
                       .order = order,
                       .n_pulses = 1,
                       .n_threads = 1,
                       .potential = (double *const *)&p->potential,
                       .recovered = p->recovered,
                       .plain = p->plain,
                       .along = order == 2 ? p->along : NULL,
                       .laws = laws,
                       .threshold = threshold,
                       .n_also = n_also,
                       .also = also};
}

static IrzZoneParts parts_of(const Problem *p, const IrzDrawn *drawn, double threshold) {
  IrzZoneParts parts;
  IrzError error = {0};
  assert_int_equal(irz_zone_parts(p->medium, 1, drawn, &threshold, &parts, &error), IRZ_OK);
  return parts;
}

/// Where the law has kinks, and between them: exact volumes and the place of the surface.
static void kinks(void **state) {
  (void)state;
  static const IrzLaw law = {.kind = IRZ_LAW_RAMP, .low = 0.1, .high = 0.4, .p = 40000, .q = 60000};
  static const IrzLaw table = {
      .kind = IRZ_LAW_TABLE, .n_points = 3, .field = {30000, 40000, 60000}, .sigma = {0.1, 0.1, 0.4}};
  static const double also[] = {36000, 40000, 44000, 48000, 56000, 60000, 65000};
  for (int k = 0; k < 2; k++) {
    const IrzLaw *laws[] = {k == 0 ? &law : &table};
    const double threshold = 50000;
    Problem p = problem_create(laws[0], 1);
    IrzDrawn drawn = {0}, own = {.field = p.recovered};
    IrzError error = {0};
    IrzZoneTask task = task_of(&p, 2, laws, &threshold, 7, also);
    assert_int_equal(irz_drawn_make(&task, &drawn, &error), IRZ_OK);
    for (int i = 0; i < 7; i++) {
      double height = also[i] * irz_law_sigma(laws[0], also[i], NULL) / climb, exact = box * (1 - height / (2 * half));
      IrzZoneParts parts = parts_of(&p, &drawn, also[i]);
      assert_int_equal(parts.count, 1);
      assert_near(parts.total, exact, 3e-3 * box);
      assert_near(parts.largest, parts.total, 1e-9 * box);
      assert_near(parts.box[0][1], height - half, 0.05 * half);
      assert_near(parts.box[1][1], half, 1e-9);
      assert_near(parts.box[0][0], -half, 1e-9);
      assert_near(parts.box[1][2], half / 2, 1e-9);
    }
    /* The field's own values at the points would not do. */
    double height = also[1] * irz_law_sigma(laws[0], also[1], NULL) / climb;
    assert_true(fabs(parts_of(&p, &own, also[1]).total - box * (1 - height / (2 * half))) > 6e-3 * box);
    irz_drawn_clear(&drawn);
    problem_clear(&p);
  }
}

/// Points are moved along their edges only, and what is quadratic is right where they are.
static void places(void **state) {
  (void)state;
  static const IrzLaw law = {.kind = IRZ_LAW_RAMP, .low = 0.1, .high = 0.4, .p = 40000, .q = 60000};
  const IrzLaw *laws[] = {&law};
  const double threshold = 50000;
  Problem p = problem_create(&law, 1);
  IrzDrawn drawn = {0};
  IrzError error = {0};
  IrzZoneTask task = task_of(&p, 2, laws, &threshold, 0, NULL);
  int moved = 0;
  assert_int_equal(irz_drawn_make(&task, &drawn, &error), IRZ_OK);
  for (int32_t t = 0; t < p.part->n_tets; t++) {
    double x[10][3], at[10][3];
    irz_part_nodes(p.part, t, -1, x);
    moved += irz_drawn_points(p.part, &drawn, t, -1, at);
    for (int i = 0; i < 10; i++) {
      double value = irz_drawn_value(p.part, &drawn, p.potential, p.part->tet[t][i]);
      assert_near(value, 1e6 * (at[i][1] + half) * (at[i][1] + half), 1e-6);
      if (i < 4) assert_near(at[i][1], x[i][1], 0);
    }
    for (int e = 0; e < 6; e++) {
      const double *a = x[irz_edge_vertices[e][0]], *b = x[irz_edge_vertices[e][1]];
      double part = 0, whole = 0;
      for (int d = 0; d < 3; d++) {
        part += (at[4 + e][d] - a[d]) * (b[d] - a[d]);
        whole += (b[d] - a[d]) * (b[d] - a[d]);
      }
      assert_true(part > 0.25 * whole && part < 0.75 * whole);
    }
  }
  assert_true(moved > 20);
  irz_drawn_clear(&drawn);
  problem_clear(&p);
}

/// Whatever is measured: half-way between two fields at order 1, the element-wise field where nothing is smooth.
static void as_measured(void **state) {
  (void)state;
  static const IrzLaw law = {.kind = IRZ_LAW_CONSTANT, .low = 0.4};
  const IrzLaw *laws[] = {&law};
  const double threshold = 40000, also[] = {30000, 50000};
  for (int order = 1; order <= 2; order++) {
    Problem p = problem_create(&law, IRZ_NOT_SMOOTH);
    size_t n = (size_t)p.part->n_vertices + (size_t)p.part->n_edges;
    for (size_t i = 0; i < n; i++) p.recovered[i] *= 0.95; /* the potential's own field is 2e6 times the height */
    double whole;
    IrzVolume ablated;
    IrzZoneMeasure found = {.region_volume = &whole, .region_ablated = &ablated};
    IrzZoneTask task = task_of(&p, order, laws, &threshold, 2, also);
    IrzDrawn drawn = {0};
    IrzError error = {0};
    assert_int_equal(irz_zone_measure(&task, &found, &error), IRZ_OK);
    assert_int_equal(irz_drawn_make(&task, &drawn, &error), IRZ_OK);
    assert_near(parts_of(&p, &drawn, threshold).total, found.zone.volume, 4e-3 * box);
    for (int k = 0; k < 2; k++) assert_near(parts_of(&p, &drawn, also[k]).total, found.also[k].volume, 4e-3 * box);
    irz_drawn_clear(&drawn);
    problem_clear(&p);
  }
}

/// Two threads, and a threshold that nothing or everything reaches.
static void ends(void **state) {
  (void)state;
  static const IrzLaw law = {.kind = IRZ_LAW_RAMP, .low = 0.1, .high = 0.4, .p = 40000, .q = 60000};
  const IrzLaw *laws[] = {&law};
  static const double thresholds[] = {1e3, 50e3, 1e6};
  Problem p = problem_create(&law, 1);
  for (int k = 0; k < 3; k++) {
    IrzDrawn one = {0}, two = {0};
    IrzError error = {0};
    IrzZoneTask task = task_of(&p, 2, laws, &thresholds[k], 0, NULL);
    assert_int_equal(irz_drawn_make(&task, &one, &error), IRZ_OK);
    task.n_threads = 2;
    assert_int_equal(irz_drawn_make(&task, &two, &error), IRZ_OK);
    for (int32_t i = 0; i < p.part->n_vertices + p.part->n_edges; i++) assert_true(one.field[i] == two.field[i]);
    IrzZoneParts parts = parts_of(&p, &one, thresholds[k]);
    if (k == 2) {
      assert_int_equal(parts.count, 0);
      for (int i = 0; i < 6; i++) assert_near(parts.box[i / 3][i % 3], 0, 0);
    }
    if (k == 0) assert_near(parts.total, box * (1 - 1e3 * 0.1 / climb / (2 * half)), 4e-3 * box);
    irz_drawn_clear(&one);
    irz_drawn_clear(&two);
  }
  problem_clear(&p);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(kinks), cmocka_unit_test(places), cmocka_unit_test(as_measured),
                                     cmocka_unit_test(ends)};
  PetscInitialize(&argc, &argv, NULL, NULL);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
