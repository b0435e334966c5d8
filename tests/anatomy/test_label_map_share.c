/* mpiexec -n 3 test_label_map_share: every rank gets the map that rank 0 read, and answers with it. */
#include "nifti_file.h"

enum { NX = 20, NY = 11, NZ = 9 };

static int label_at(int i, int j, int k) {
  return i < 10 ? (j < 4 ? 1 : 2) : (k < 5 ? 4 : 0);
}

static void every_rank_has_it(void **state) {
  IrzLabelMap *map = NULL;
  IrzError error = {.code = IRZ_OK};
  int rank;
  static const int region[] = {0, 1, 2, 1, 3};

  (void)state;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank == 0) {
    static uint8_t labels[NX * NY * NZ];
    char folder[64], path[96];
    nifti_1_header h = nifti_header(NX, NY, NZ);
    IrzPlan plan;

    for (int v = 0; v < NX * NY * NZ; v++) labels[v] = (uint8_t)label_at(v % NX, v / NX % NY, v / NX / NY);
    enter_folder(folder);
    snprintf(path, sizeof(path), "%s/map.nii.gz", folder);
    write_nifti(path, &h, labels, sizeof(labels));
    label_plan(&plan, path);
    assert_int_equal(irz_label_map_read(&plan, &map, &error), IRZ_OK);
    label_plan_clear(&plan);
    remove(path);
    remove(folder);
  }
  assert_int_equal(irz_label_map_share(MPI_COMM_WORLD, &map, &error), IRZ_OK);
  assert_non_null(map);
  assert_int_equal(map->n_regions, 4);
  assert_string_equal(map->regions[3].name, "vein");
  assert_int_equal(map->voxels[1], 10 * 4 * 9);
  for (int v = 0; v < NX * NY * NZ; v++) {
    int i = v % NX, j = v / NX % NY, k = v / NX / NY;
    double x[3] = {i * 1e-3, j * 1e-3, k * 1e-3};
    assert_int_equal(irz_label_map_region(map, x), region[label_at(i, j, k)]);
  }
  double low[3] = {0, 4e-3, 0}, high[3] = {9e-3, 9e-3, 8e-3}, beyond[3] = {10e-3, 9e-3, 8e-3};
  assert_int_equal(irz_label_map_uniform(map, low, high), 2);
  assert_int_equal(irz_label_map_uniform(map, low, beyond), -1);
  irz_label_map_free(map);
}

static void no_map_is_no_map(void **state) {
  IrzLabelMap *map = NULL;
  IrzError error = {.code = IRZ_OK};

  (void)state;
  assert_int_equal(irz_label_map_share(MPI_COMM_WORLD, &map, &error), IRZ_OK);
  assert_null(map);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_rank_has_it), cmocka_unit_test(no_map_is_no_map)};

  MPI_Init(&argc, &argv);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  MPI_Finalize();
  return failed;
}
