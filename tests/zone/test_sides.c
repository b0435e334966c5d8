/* Where tissues meet: fields with a jump are found exactly, on both sides and on all ranks, and the zone ends there. */
#include "base/petsc.h"
#include "base/vector.h"
#include "grid_mesh.h"
#include "testing.h"
#include "zone/mend.h"
#include "zone/parts.h"
#include "zone/recover.h"
#include "zone/sharpen.h"

/// The box, m; tissues meet at x = 0.
static const double side = 0.02;

/// Field along x on both sides, and along y: the current across and the field along the interface have no jump.
static const double left = 60000, right = 20000, across = 15000;

/// The first region is left, the others right of the interface; these two meet at y = 0.
static int region_at(const double x[3]) {
  return x[0] < 0 ? 0 : x[1] < 0 ? 1 : 2;
}

static int nowhere(const double x[3]) {
  (void)x;
  return -1;
}

static const IrzLaw weak = {.kind = IRZ_LAW_CONSTANT, .low = 0.1};
static const IrzLaw strong = {.kind = IRZ_LAW_CONSTANT, .low = 0.3};
static const IrzLaw same = {.kind = IRZ_LAW_CONSTANT, .low = 0.3, .high = 7}; /* `high` means nothing here */
static const IrzLaw other = {.kind = IRZ_LAW_CONSTANT, .low = 0.31};

typedef struct {
  IrzMesh *mesh;
  IrzPart *part;
  IrzMedium *medium;
  IrzSides sides;
  IrzTeam team;
  double *potential, *plain, *sharp, *along;
} Problem;

static Problem problem_create(const IrzLaw *const *laws, IrzFollowed followed, int n_threads) {
  static const GridMesh grid = {.n = {6, 6, 4}, .shake = 0.25, .n_regions = 3, .region = region_at, .surface = nowhere};
  GridMesh plan = grid;
  int rank;
  IrzError error = {0};
  Problem p = {0};
  for (int d = 0; d < 3; d++) plan.size[d] = side;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  if (rank == 0) p.mesh = grid_mesh(&plan);
  for (int32_t v = 0; rank == 0 && v < p.mesh->n_vertices; v++) { /* the interface is flat */
    for (int d = 0; d < 2; d++) {
      double *x = &p.mesh->xyz[3 * v + d];
      if (fabs(*x) < 0.3 * side / 6) *x = 0;
    }
  }
  assert_int_equal(irz_part_create(PETSC_COMM_WORLD, p.mesh, 0, NULL, &p.part, &error), IRZ_OK);
  assert_int_equal(irz_medium_create(p.part, NULL, &p.medium, &error), IRZ_OK);
  assert_int_equal(irz_sides_create(p.medium, laws, followed, &p.sides, &error), IRZ_OK);
  assert_int_equal(irz_team_create(p.part, n_threads, &p.team, &error), IRZ_OK);
  size_t rows = (size_t)p.sides.n_rows;
  p.potential = calloc((size_t)p.sides.n_nodes, sizeof(double));
  p.plain = calloc(rows, sizeof(double));
  p.sharp = calloc(rows, sizeof(double));
  p.along = calloc(rows, sizeof(double));
  for (int32_t t = 0; t < p.part->n_tets; t++) {
    double x[10][3];
    irz_part_nodes(p.part, t, -1, x);
    for (int i = 0; i < 10; i++) {
      p.potential[p.part->tet[t][i]] = (x[i][0] < 0 ? left : right) * x[i][0] + across * x[i][1];
    }
  }
  return p;
}

static void problem_clear(Problem *p) {
  free(p->potential);
  free(p->plain);
  free(p->sharp);
  free(p->along);
  irz_team_clear(&p->team);
  irz_sides_clear(&p->sides);
  irz_medium_free(p->medium);
  irz_part_free(p->part);
  irz_mesh_free(p->mesh);
}

/// Nodes of this rank on x = 0, and also on y = 0.
static void count_between(const Problem *p, int32_t *on_x, int32_t *on_both) {
  uint8_t *seen = calloc((size_t)p->sides.n_nodes, 1);
  *on_x = *on_both = 0;
  for (int32_t t = 0; t < p->part->n_tets; t++) {
    double x[10][3];
    irz_part_nodes(p->part, t, -1, x);
    for (int i = 0; i < 10; i++) {
      int32_t node = p->part->tet[t][i];
      if (seen[node] || fabs(x[i][0]) > 1e-9) continue;
      seen[node] = 1;
      ++*on_x;
      *on_both += fabs(x[i][1]) < 1e-9;
    }
  }
  free(seen);
}

/// A node has a row for each tissue around it, on every rank that has the node: regions of the same law are one tissue.
static void rows(void **state) {
  (void)state;
  const IrzLaw *two[] = {&weak, &strong, &same}, *three[] = {&weak, &strong, &other}, *one[] = {&same, &strong, &same};
  const IrzLaw *const *laws[] = {two, three, one, one};
  for (int k = 0; k < 4; k++) {
    Problem p = problem_create(laws[k], k == 3 ? IRZ_FOLLOWS_HEAT : IRZ_FOLLOWS_LAWS, 1);
    int32_t on_x, on_both, further = p.sides.n_rows - p.sides.n_nodes;
    count_between(&p, &on_x, &on_both);
    if (k == 0) assert_int_equal(further, on_x);
    if (k == 1) assert_true(p.part->size > 1 || further > on_x + on_both); /* and those of y = 0 on the right */
    if (k == 3) assert_true(p.part->size > 1 || further > 0);              /* may warm up in different ways */
    if (k == 2) assert_true(further == 0 && p.sides.tissue == NULL);
    for (int32_t t = 0; t < p.part->n_tets; t++) {
      const int32_t *row = irz_tet_rows(&p.sides, p.part, t);
      for (int i = 0; i < 10; i++) {
        assert_int_equal(irz_row_node(&p.sides, row[i]), p.part->tet[t][i]);
        if (k == 1) assert_int_equal(p.sides.tissue[row[i]], p.medium->region[t]);
        if (k == 0) assert_int_equal(p.sides.tissue[row[i]], p.medium->region[t] > 0);
      }
    }
    problem_clear(&p);
  }
}

/// Joints have the interface's normal, but for nodes at the wall or where three tissues meet.
static void joints(void **state) {
  (void)state;
  const IrzLaw *laws[] = {&weak, &strong, &other};
  Problem p = problem_create(laws, IRZ_FOLLOWS_LAWS, 1);
  uint8_t *wall = calloc((size_t)p.sides.n_nodes, 1);
  int flat = 0;
  for (int32_t t = 0; t < p.part->n_tets; t++) {
    double x[10][3];
    irz_part_nodes(p.part, t, -1, x);
    for (int i = 0; i < 10; i++) {
      for (int d = 0; d < 3; d++) wall[p.part->tet[t][i]] |= fabs(fabs(x[i][d]) - side / 2) < 1e-9;
    }
  }
  for (int32_t row = p.sides.n_nodes; row < p.sides.n_rows; row++) {
    const IrzJoint *joint = irz_row_joint(&p.sides, row);
    if (joint == NULL) continue;
    int axis = p.sides.tissue[irz_row_node(&p.sides, row)] == 0 ? 0 : 1;
    assert_near(joint->normal[axis], 1, 1e-9);
    assert_true(joint->weight[0] > 0 && joint->weight[1] > 0 && !wall[irz_row_node(&p.sides, row)]);
    flat++;
  }
  assert_true(p.part->size > 1 || flat > 20);
  free(wall);
  problem_clear(&p);
}

/// Fields that were made to agree do, and where one side conducts far better they take the flux from the other, which
/// knows it, and the field along the interface from it.
static void mended(void **state) {
  (void)state;
  const IrzJoint joint = {.normal = {0.6, 0, 0.8}, .weight = {2, 1}};
  const IrzLaw ramp = {.kind = IRZ_LAW_RAMP, .low = 0.1, .high = 0.4, .p = 30000, .q = 60000};
  for (int k = 0; k < 2; k++) {
    IrzLaw best = {.kind = IRZ_LAW_CONSTANT, .low = k == 0 ? 0.5 : 1e6};
    const IrzLaw *law[2] = {&ramp, &best};
    double field[2][3] = {{40000, 7000, 20000}, {k == 0 ? 9000 : 0, 5000, k == 0 ? 4000 : 0}}, given[2][3], flux[2][3],
           after[2];
    for (int s = 0; s < 2; s++) {
      double sigma = irz_law_sigma(law[s], sqrt(irz_dot(field[s], field[s])), NULL);
      for (int d = 0; d < 3; d++) flux[s][d] = sigma * (given[s][d] = field[s][d]);
    }
    irz_mend(&joint, law, flux, field);
    for (int s = 0; s < 2; s++) {
      after[s] = irz_dot(field[s], joint.normal) * irz_law_sigma(law[s], sqrt(irz_dot(field[s], field[s])), NULL);
    }
    assert_close(after[1], after[0], 1e-5);
    for (int d = 0; d < 3; d++) {
      double here = field[0][d] - irz_dot(field[0], joint.normal) * joint.normal[d];
      assert_near(here, field[1][d] - irz_dot(field[1], joint.normal) * joint.normal[d], 1e-6);
      if (k == 1) assert_near(here, given[1][d] - irz_dot(given[1], joint.normal) * joint.normal[d], 1);
    }
    if (k == 1) assert_close(after[0], irz_dot(flux[0], joint.normal), 1e-4);
  }
}

/// Means in the rows are the fields of the tissues, and no jump counts as an error.
static void exact_fields(void **state) {
  (void)state;
  const IrzLaw *laws[] = {&weak, &strong, &same};
  const double thresholds[3] = {40000, 40000, 40000};
  for (int threads = 1; threads < 4; threads += 2) {
    Problem p = problem_create(laws, threads > 1 ? IRZ_FOLLOWS_LAWS : IRZ_FOLLOWS_MEMORY, threads);
    for (int order = 1; order < 3; order++) {
      IrzError error = {0};
      double defect = 1;
      assert_int_equal(
          irz_recover(p.medium, &p.team, &p.sides, laws, false, order, 1, &p.potential, p.plain, &defect, &error),
          IRZ_OK);
      assert_near(defect, 0, 1e-20 * 0.1 * left * left * side * side * side);
      for (int32_t i = 0; i < p.sides.n_rows; i++) {
        double wanted = hypot(p.sides.tissue[i] == 0 ? left : right, across);
        assert_close(p.plain[i], wanted, 1e-9);
      }
    }
    IrzSharpenTask task = {.medium = p.medium,
                           .sides = &p.sides,
                           .laws = laws,
                           .n_pulses = 1,
                           .team = &p.team,
                           .potential = &p.potential,
                           .recovered = p.plain,
                           .threshold = thresholds,
                           .everywhere = true};
    IrzError error = {0};
    assert_int_equal(irz_sharpen(&task, p.sharp, p.along, &error), IRZ_OK);
    for (int32_t i = 0; i < p.sides.n_rows; i++) {
      assert_close(p.sharp[i], hypot(p.sides.tissue[i] == 0 ? left : right, across), 1e-9);
      assert_true(p.along[i] >= 0);
    }
    problem_clear(&p);
  }
}

/// The zone is measured and drawn up to the interface, and where it lies on both sides it is one piece.
static void zone_ends(void **state) {
  (void)state;
  const IrzLaw *laws[] = {&weak, &strong, &same};
  const double low = 20000, thresholds[3] = {40000, 40000, 40000}, whole = side * side * side;
  for (int order = 1; order < 3; order++) {
    Problem p = problem_create(laws, IRZ_FOLLOWS_LAWS, 1);
    IrzError error = {0};
    IrzDrawn drawn = {0};
    IrzZoneParts parts;
    IrzVolume ablated[3] = {{0}};
    double defect, volumes[3] = {0}, lower[3] = {low, low, low};
    IrzZoneMeasure measure = {.region_volume = volumes, .region_ablated = ablated};
    assert_int_equal(
        irz_recover(p.medium, &p.team, &p.sides, laws, false, order, 1, &p.potential, p.plain, &defect, &error),
        IRZ_OK);
    IrzZoneTask task = {.medium = p.medium,
                        .sides = &p.sides,
                        .order = order,
                        .n_pulses = 1,
                        .n_threads = 1,
                        .potential = &p.potential,
                        .recovered = p.plain,
                        .plain = p.plain,
                        .along = order == 2 ? p.along : NULL,
                        .laws = laws,
                        .threshold = thresholds,
                        .n_also = 1,
                        .also = &low};
    assert_int_equal(irz_zone_measure(&task, &measure, &error), IRZ_OK);
    assert_close(measure.zone.volume, whole / 2, 1e-9);
    assert_close(measure.also[0].volume, whole, 1e-9);
    assert_close(ablated[0].volume, whole / 2, 1e-9);
    assert_true(ablated[1].volume == 0 && ablated[2].volume == 0);
    assert_near(measure.zone.off, 0, 1e-12 * whole);
    assert_near(measure.zone.scatter, 0, 1e-12 * whole);
    assert_int_equal(irz_drawn_make(&task, &drawn, &error), IRZ_OK);
    assert_int_equal(irz_zone_parts(p.medium, 1, &drawn, thresholds, &parts, &error), IRZ_OK);
    assert_int_equal(parts.count, 1);
    assert_close(parts.total, whole / 2, 1e-9);
    assert_near(parts.box[0][0], -side / 2, 1e-12);
    assert_near(parts.box[1][0], 0, 1e-12);
    assert_int_equal(irz_zone_parts(p.medium, 1, &drawn, lower, &parts, &error), IRZ_OK);
    assert_int_equal(parts.count, 1);
    assert_close(parts.largest, whole, 1e-9);
    irz_drawn_clear(&drawn);
    problem_clear(&p);
  }
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(rows), cmocka_unit_test(joints), cmocka_unit_test(mended),
                                     cmocka_unit_test(exact_fields), cmocka_unit_test(zone_ends)};
  if (PetscInitialize(&argc, &argv, NULL, NULL) != 0) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
