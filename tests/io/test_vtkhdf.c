/* What is written is what was given, on any number of ranks; what cannot be written leaves nothing behind.
   Run alone and under mpiexec -n 2, 3. Rank 0 checks; all ranks write. */
#include "testing.h"

#include "box_grid.h"
#include <dirent.h>
#include <errno.h>
#include <hdf5.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define EDGE 0.06

static int rank, size;
static char folder[256];

static double linear_field(const double x[3]) {
  return 500 + 1e3 * x[0] + 2e3 * x[1] + 3e3 * x[2];
}

/// Read a whole dataset of rank 1 or 2 as doubles or int64; the number of values is returned.
static size_t read_all(hid_t file, const char *name, hid_t type, void *values, size_t room) {
  hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
  assert_true(dataset >= 0);
  hid_t space = H5Dget_space(dataset);
  size_t count = (size_t)H5Sget_simple_extent_npoints(space);
  assert_true(count <= room);
  assert_true(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  H5Sclose(space);
  H5Dclose(dataset);
  return count;
}

/// Number of entries of the test's folder.
static int count_files(void) {
  DIR *open_folder = opendir(folder);
  int count = 0;
  for (struct dirent *entry; (entry = readdir(open_folder)) != NULL;) count += entry->d_name[0] != '.';
  closedir(open_folder);
  return count;
}

static void path_of(char path[512], const char *name) {
  snprintf(path, 512, "%s/%s", folder, name);
}

/// The attribute ParaView is most particular about.
static void check_type_attribute(hid_t file) {
  hid_t attribute = H5Aopen_by_name(file, "VTKHDF", "Type", H5P_DEFAULT, H5P_DEFAULT);
  hid_t type = H5Aget_type(attribute);
  char text[17] = "";
  assert_int_equal(H5Tget_size(type), 16);
  assert_int_equal(H5Tget_strpad(type), H5T_STR_NULLPAD);
  assert_int_equal(H5Tget_cset(type), H5T_CSET_ASCII);
  H5Aread(attribute, type, text);
  assert_string_equal(text, "UnstructuredGrid");
  H5Tclose(type);
  H5Aclose(attribute);
}

/// Each part's cells must have the box's volume in all and values that follow from the coordinates.
static void check_parts(hid_t file, int n, int order) {
  enum { ROOM = 200000 };
  int64_t parts_points[8], parts_cells[8], parts_ids[8];
  int64_t *ids = malloc(ROOM * sizeof *ids), *offsets = malloc(ROOM * sizeof *offsets);
  double *x = malloc(ROOM * sizeof *x), *field = malloc(ROOM * sizeof *field), *vector = malloc(ROOM * sizeof *vector);
  uint8_t *types = malloc(ROOM), *zone = malloc(ROOM);
  assert_int_equal(read_all(file, "VTKHDF/NumberOfPoints", H5T_NATIVE_INT64, parts_points, 8), size);
  assert_int_equal(read_all(file, "VTKHDF/NumberOfCells", H5T_NATIVE_INT64, parts_cells, 8), size);
  assert_int_equal(read_all(file, "VTKHDF/NumberOfConnectivityIds", H5T_NATIVE_INT64, parts_ids, 8), size);
  size_t n_x = read_all(file, "VTKHDF/Points", H5T_NATIVE_DOUBLE, x, ROOM);
  size_t n_ids = read_all(file, "VTKHDF/Connectivity", H5T_NATIVE_INT64, ids, ROOM);
  size_t n_offsets = read_all(file, "VTKHDF/Offsets", H5T_NATIVE_INT64, offsets, ROOM);
  size_t n_types = read_all(file, "VTKHDF/Types", H5T_NATIVE_UINT8, types, ROOM);
  assert_int_equal(read_all(file, "VTKHDF/PointData/field_V_per_cm", H5T_NATIVE_DOUBLE, field, ROOM), n_x / 3);
  assert_int_equal(read_all(file, "VTKHDF/PointData/zone", H5T_NATIVE_UINT8, zone, ROOM), n_x / 3);
  assert_int_equal(read_all(file, "VTKHDF/CellData/field_vector_V_per_cm", H5T_NATIVE_DOUBLE, vector, ROOM),
                   3 * n_types);
  const int nodes = order == 2 ? 10 : 4;
  assert_int_equal(n_types, 6 * n * n * n);
  assert_int_equal(n_ids, nodes * n_types);
  assert_int_equal(n_offsets, n_types + size);

  double volume = 0;
  int64_t point0 = 0, cell0 = 0, id0 = 0, offset0 = 0;
  for (int part = 0; part < size; part++) {
    assert_int_equal(parts_ids[part], nodes * parts_cells[part]);
    for (int64_t c = 0; c <= parts_cells[part]; c++) assert_int_equal(offsets[offset0 + c], nodes * c);
    for (int64_t c = 0; c < parts_cells[part]; c++) {
      const double *corner[4];
      double edge[3][3], middle[3];
      assert_int_equal(types[cell0 + c], order == 2 ? 24 : 10);
      for (int i = 0; i < 4; i++) {
        int64_t id = ids[id0 + nodes * c + i];
        assert_in_range(id, 0, parts_points[part] - 1);
        corner[i] = &x[3 * (point0 + id)];
      }
      for (int d = 0; d < 3; d++) {
        for (int i = 0; i < 3; i++) edge[i][d] = corner[i + 1][d] - corner[0][d];
        middle[d] = (corner[0][d] + corner[1][d] + corner[2][d] + corner[3][d]) / 4;
        assert_near(vector[3 * (cell0 + c) + d], middle[d], 1e-9);
      }
      volume += (edge[0][0] * (edge[1][1] * edge[2][2] - edge[1][2] * edge[2][1]) -
                 edge[0][1] * (edge[1][0] * edge[2][2] - edge[1][2] * edge[2][0]) +
                 edge[0][2] * (edge[1][0] * edge[2][1] - edge[1][1] * edge[2][0])) /
                6;
    }
    point0 += parts_points[part];
    cell0 += parts_cells[part];
    id0 += parts_ids[part];
    offset0 += parts_cells[part] + 1;
  }
  assert_int_equal(point0, n_x / 3);
  assert_close(volume, 60. * 60 * 60, 1e-12);
  for (size_t i = 0; i < n_x / 3; i++) {
    assert_near(field[i], 500 + x[3 * i] + 2 * x[3 * i + 1] + 3 * x[3 * i + 2], 1e-9);
    assert_int_equal(zone[i], field[i] >= 500);
  }
  free(ids);
  free(offsets);
  free(x);
  free(field);
  free(vector);
  free(types);
  free(zone);
}

static void check_text(hid_t file, const char *name, const char *wanted) {
  hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
  hid_t type = H5Dget_type(dataset);
  char text[256] = "";
  assert_in_range(H5Tget_size(type), 1, sizeof text - 1);
  H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text);
  assert_string_equal(text, wanted);
  H5Tclose(type);
  H5Dclose(dataset);
}

static void round_trip(int n, int order) {
  BoxGrid box;
  IrzError error = {0};
  char path[512];
  path_of(path, "round.hdf");
  box_grid_make(&box, n, order, EDGE, linear_field, rank, size);
  assert_int_equal(irz_vtkhdf_write(MPI_COMM_WORLD, path, &box.grid, "name: x # µ\n", "{}", &error), IRZ_OK);
  box_grid_free(&box);
  if (rank == 0) {
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    check_type_attribute(file);
    check_parts(file, n, order);
    check_text(file, "irezone/plan", "name: x # µ\n");
    check_text(file, "irezone/summary", "{}");
    H5Fclose(file);
    assert_int_equal(count_files(), 1);
    unlink(path);
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

static void linear_cells(void **state) {
  (void)state;
  round_trip(5, 1);
}

static void quadratic_cells(void **state) {
  (void)state;
  round_trip(7, 2);
}

/// One layer of cubes only: all ranks but the last have an empty part.
static void empty_parts(void **state) {
  (void)state;
  round_trip(1, 2);
}

/// A write that must fail, on all ranks, with one line that names the file.
static void must_fail(const char *path, const char *reason) {
  BoxGrid box;
  IrzError error = {0};
  box_grid_make(&box, 6, 2, EDGE, linear_field, rank, size);
  assert_int_equal(irz_vtkhdf_write(MPI_COMM_WORLD, path, &box.grid, "", "", &error), IRZ_ERR_OUTPUT);
  box_grid_free(&box);
  assert_int_equal(error.code, IRZ_ERR_OUTPUT);
  assert_int_equal(strncmp(error.text, path, strlen(path)), 0);
  assert_non_null(strstr(error.text, reason));
  assert_null(strchr(error.text, '\n'));
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank == 0) assert_int_equal(count_files(), 0);
}

static void missing_folder(void **state) {
  (void)state;
  char path[512];
  path_of(path, "nowhere/x.hdf");
  must_fail(path, strerror(ENOENT));
}

static void name_is_a_folder(void **state) {
  (void)state;
  must_fail(folder, strerror(EISDIR));
}

/// The limit cuts the writing off somewhere in the middle, as a full disk would.
static void no_space(void **state) {
  (void)state;
  struct rlimit before, low;
  char path[512];
  path_of(path, "big.hdf");
  getrlimit(RLIMIT_FSIZE, &before);
  for (int kilobytes = 0; kilobytes < 256; kilobytes = 4 * kilobytes + 2) {
    low = (struct rlimit){1024 * (rlim_t)kilobytes, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &low);
    must_fail(path, strerror(EFBIG));
    setrlimit(RLIMIT_FSIZE, &before);
  }
}

/// A failed write must not harm the result of an earlier one.
static void old_result_stays(void **state) {
  (void)state;
  BoxGrid box;
  IrzError error = {0};
  char path[512];
  struct rlimit before, low;
  path_of(path, "kept.hdf");
  getrlimit(RLIMIT_FSIZE, &before);
  box_grid_make(&box, 2, 1, EDGE, linear_field, rank, size);
  assert_int_equal(irz_vtkhdf_write(MPI_COMM_WORLD, path, &box.grid, "old", "", &error), IRZ_OK);
  low = (struct rlimit){2048, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &low);
  assert_int_equal(irz_vtkhdf_write(MPI_COMM_WORLD, path, &box.grid, "new", "", &error), IRZ_ERR_OUTPUT);
  setrlimit(RLIMIT_FSIZE, &before);
  box_grid_free(&box);
  if (rank == 0) {
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    check_text(file, "irezone/plan", "old");
    H5Fclose(file);
    assert_int_equal(count_files(), 1);
    unlink(path);
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

static void text_files(void **state) {
  (void)state;
  if (rank != 0) return;
  IrzError error = {0};
  char path[512], text[16] = "";
  path_of(path, "x.json");
  assert_int_equal(irz_file_write(path, "first", &error), IRZ_OK);
  assert_int_equal(irz_file_write(path, "second", &error), IRZ_OK);
  FILE *file = fopen(path, "r");
  assert_non_null(fgets(text, sizeof text, file));
  fclose(file);
  assert_string_equal(text, "second");
  unlink(path);
  path_of(path, "nowhere/x.json");
  assert_int_equal(irz_file_write(path, "x", &error), IRZ_ERR_OUTPUT);
  assert_non_null(strstr(error.text, strerror(ENOENT)));
  assert_int_equal(irz_file_write("/dev/full/x.json", "x", &error), IRZ_ERR_OUTPUT);
  assert_int_equal(count_files(), 0);
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  signal(SIGXFSZ, SIG_IGN);
  snprintf(folder, sizeof folder, "/tmp/irezone-test-XXXXXX");
  if (rank == 0 && mkdtemp(folder) == NULL) return 1;
  MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
  const struct CMUnitTest tests[] = {cmocka_unit_test(linear_cells),     cmocka_unit_test(quadratic_cells),
                                     cmocka_unit_test(empty_parts),      cmocka_unit_test(missing_folder),
                                     cmocka_unit_test(name_is_a_folder), cmocka_unit_test(no_space),
                                     cmocka_unit_test(old_result_stays), cmocka_unit_test(text_files)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (rank == 0) rmdir(folder);
  MPI_Finalize();
  return failed;
}
