/* Volumes over a threshold beside two plates, and what their error bars are made of: all known exactly. */
#include "base/petsc.h"
#include "grid_mesh.h"
#include "testing.h"
#include "zone/volume.h"

/// |E| = 4e6 |y|, V/m, from 0 in the middle to 80 kV/m: an element of order 2 holds it exactly.
static const double climb = 4e6, depth = 0.02, box = 0.04 * 0.04 * 0.02;

/// What the means alone and the recovered current density are, relative to that of the potential.
static const double plain_factor = 0.98, flux_factor = 1.01;

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

/// Measure in a box where the recovered current density is 0.4 S/m times that of the potential, off by `flux_factor`.
/// @param[in] share  of the field that is along the current's changes; IRZ_NOT_SMOOTH: nothing is smooth
static IrzVolume measure(const IrzLaw *law, double share, double threshold) {
  static const GridMesh grid = {
      .n = {12, 12, 4}, .size = {0.04, 0.04, 0.02}, .n_regions = 1, .n_surfaces = 0, .surface = nowhere};
  IrzMesh *mesh = grid_mesh(&grid);
  IrzError error = {0};
  IrzPart *part;
  IrzMedium *medium;
  assert_int_equal(irz_part_create(PETSC_COMM_WORLD, mesh, 0, NULL, &part, &error), IRZ_OK);
  assert_int_equal(irz_medium_create(part, NULL, &medium, &error), IRZ_OK);
  size_t n = (size_t)part->n_vertices + (size_t)part->n_edges;
  double *potential = calloc(n, sizeof(double)), *recovered = calloc(n, sizeof(double));
  double *plain = calloc(n, sizeof(double)), *along = calloc(n, sizeof(double));
  for (int32_t t = 0; t < part->n_tets; t++) {
    double x[10][3];
    irz_part_nodes(part, t, -1, x);
    for (int i = 0; i < 10; i++) {
      int32_t node = part->tet[t][i];
      potential[node] = 0.5 * climb * x[i][1] * x[i][1];
      plain[node] = plain_factor * climb * fabs(x[i][1]);
      recovered[node] = field_at(law, 0.4 * flux_factor * climb * fabs(x[i][1]));
      along[node] = share;
    }
  }
  double whole;
  IrzVolume ablated;
  IrzZoneMeasure found = {.region_volume = &whole, .region_ablated = &ablated};
  IrzZoneTask task = {.medium = medium,
                      .order = 2,
                      .n_pulses = 1,
                      .n_threads = 1,
                      .potential = &potential,
                      .recovered = recovered,
                      .plain = plain,
                      .along = along,
                      .laws = &law,
                      .threshold = &threshold};
  assert_int_equal(irz_zone_measure(&task, &found, &error), IRZ_OK);
  assert_close(whole, box, 1e-9);
  assert_close(ablated.volume, found.zone.volume, 1e-9);
  free(potential);
  free(recovered);
  free(plain);
  free(along);
  irz_medium_free(medium);
  irz_part_free(part);
  irz_mesh_free(mesh);
  return found.zone;
}

/// The volume where a field that grows evenly from the middle reaches a threshold.
static double over(double threshold, double slope) {
  return box * (1 - threshold / slope / depth);
}

/// The field along its own changes: more current moves the surface less where the law is steep.
static void smooth(void **state) {
  (void)state;
  static const IrzLaw laws[] = {{.kind = IRZ_LAW_CONSTANT, .low = 0.4},
                                {.kind = IRZ_LAW_SIGMOID, .low = 0.1, .high = 0.35, .p = 50000, .q = 8000},
                                {.kind = IRZ_LAW_RAMP, .low = 0.1, .high = 0.4, .p = 45000, .q = 60000}};
  const double threshold = 50000;
  for (int i = 0; i < 3; i++) {
    IrzVolume found = measure(&laws[i], 1, threshold);
    double rise, sigma = irz_law_sigma(&laws[i], threshold, &rise);
    /* The zone starts where the current density is that of the threshold, which grows evenly. */
    double measured = over(sigma * threshold, 0.4 * flux_factor * climb), other = over(threshold, climb);
    double damping = 1 / (1 + threshold * rise / sigma);
    assert_close(found.volume, measured, 2e-3);
    assert_near(found.off, IRZ_RECOVERED_SHARE * (measured - other), 2e-3 * box);
    assert_close(found.slope, box - measured, 0.03);
    /* The steepness is that of a step of 3 %. */
    assert_close(found.smear, damping * (other - over(threshold, plain_factor * climb)), 0.06);
  }
}

/// Across its changes the field feels no law, and the surface moves as the field does.
static void across(void **state) {
  (void)state;
  static const IrzLaw law = {.kind = IRZ_LAW_RAMP, .low = 0.1, .high = 0.4, .p = 45000, .q = 60000};
  const double threshold = 50000;
  IrzVolume found = measure(&law, 0, threshold);
  assert_close(found.smear, over(threshold, climb) - over(threshold, plain_factor * climb), 0.01);
}

/// Where nothing is smooth the element-wise field is measured, all of the difference counts, and means have no say.
static void rough(void **state) {
  (void)state;
  static const IrzLaw law = {.kind = IRZ_LAW_CONSTANT, .low = 0.4};
  const double threshold = 50000;
  IrzVolume found = measure(&law, -1, threshold);
  double measured = over(threshold, climb);
  assert_close(found.volume, measured, 1e-6);
  assert_close(found.off, measured - over(threshold, flux_factor * climb), 1e-3);
  assert_close(found.slope, box - measured, 1e-3);
  assert_near(found.smear, 0, 0);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(smooth), cmocka_unit_test(across), cmocka_unit_test(rough)};
  PetscInitialize(&argc, &argv, NULL, NULL);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
