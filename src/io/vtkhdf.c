/* VTKHDF UnstructuredGrid 1.0, written collectively.

   Every rank makes the same sequence of HDF5 calls, also after a failure on one of them; ranks agree after each
   dataset and leave together. Rank 0 owns the file's name: it creates the temporary file, reserves its space (a full
   disk is then met before anything depends on it), flushes and renames it.

   What ParaView 5.11 wants exactly: `Type` a null-padded fixed-size ASCII string, `Types` uint8, scalars
   one-dimensional, offsets restarting at 0 in every part. */
#define _GNU_SOURCE /* fallocate */
#include "base/memory.h"
#include "io/hdf_error.h"
#include "io/replace.h"
#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <irezone/result.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MM_PER_M 1e3

/* Converted data pass through a buffer of this many rows, so that writing needs little memory of its own and what is
   written is in the cache. */
#define SLAB_ROWS 32768

/* What HDF5 needs at most besides the arrays. */
#define METADATA_BYTES 65536

enum { VTK_TETRA = 10, VTK_QUADRATIC_TETRA = 24 };

/// Put rows [first, first + count) of this rank's part into a buffer, in the file's type.
typedef void (*Fill)(const IrzGrid *grid, int64_t first, int64_t count, void *buffer);

/// A dataset as one rank sees it.
typedef struct {
  const char *name;
  hid_t type;       ///< of the file and of the data
  int components;   ///< 1: one-dimensional
  int64_t rows;     ///< of this rank
  const void *data; ///< the rows as they are, or NULL:
  Fill fill;        ///< how to make them
} Column;

/// An open file on all ranks.
typedef struct {
  MPI_Comm comm;
  int rank, size;
  const char *path; ///< final name, for errors
  const IrzGrid *grid;
  hid_t file, transfer;
  void *slab; ///< SLAB_ROWS rows of a converted column
} Writer;

static void fill_points(const IrzGrid *grid, int64_t first, int64_t count, void *buffer) {
  double *to = buffer;
  const double *from = grid->points + 3 * first;
  for (int64_t i = 0; i < 3 * count; i++) to[i] = from[i] * MM_PER_M;
}

static void fill_connectivity(const IrzGrid *grid, int64_t first, int64_t count, void *buffer) {
  int64_t *to = buffer;
  const int32_t *from = grid->cells + first;
  for (int64_t i = 0; i < count; i++) to[i] = from[i];
}

static void fill_offsets(const IrzGrid *grid, int64_t first, int64_t count, void *buffer) {
  int64_t *to = buffer;
  for (int64_t i = 0; i < count; i++) to[i] = (first + i) * grid->nodes_per_cell;
}

static void fill_types(const IrzGrid *grid, int64_t first, int64_t count, void *buffer) {
  (void)first;
  memset(buffer, grid->nodes_per_cell == 10 ? VTK_QUADRATIC_TETRA : VTK_TETRA, (size_t)count);
}

/// Record why HDF5 failed.
static IrzCode hdf_failed(const Writer *writer, const char *what, IrzError *error) {
  char reason[256];
  irz_hdf_reason(reason, sizeof reason);
  return irz_error_set(error, IRZ_ERR_OUTPUT, "%s: cannot be written: %s (%s)", writer->path, reason, what);
}

/// Write this rank's rows [first, first + count), `start` being the place of its row 0. Collective; count may be 0.
static herr_t write_rows(const Writer *writer, hid_t dataset, const Column *column, hsize_t start, int64_t first,
                         int64_t count, const void *data) {
  int dimensions = column->components == 1 ? 1 : 2;
  hsize_t corner[2] = {start + (hsize_t)first, 0};
  hsize_t extent[2] = {(hsize_t)count, (hsize_t)column->components};
  hid_t in_file = H5Dget_space(dataset);
  hid_t in_memory = H5Screate_simple(dimensions, extent, NULL);
  if (count > 0) {
    H5Sselect_hyperslab(in_file, H5S_SELECT_SET, corner, NULL, extent, NULL);
  } else {
    H5Sselect_none(in_file);
    H5Sselect_none(in_memory);
  }
  /* HDF5 refuses a null pointer even for nothing. */
  herr_t status =
      H5Dwrite(dataset, column->type, in_memory, in_file, writer->transfer, data != NULL ? data : writer->slab);
  H5Sclose(in_memory);
  H5Sclose(in_file);
  return status;
}

/// Create a dataset and write every rank's rows, one rank after the other. Collective.
static IrzCode write_column(const Writer *writer, hid_t group, const Column *column, IrzError *error) {
  int64_t start = 0, end, total, most;
  MPI_Exscan(&column->rows, &start, 1, MPI_INT64_T, MPI_SUM, writer->comm);
  if (writer->rank == 0) start = 0;
  end = start + column->rows;
  MPI_Allreduce(&end, &total, 1, MPI_INT64_T, MPI_MAX, writer->comm);
  MPI_Allreduce(&column->rows, &most, 1, MPI_INT64_T, MPI_MAX, writer->comm);

  hsize_t extent[2] = {(hsize_t)total, (hsize_t)column->components};
  hid_t space = H5Screate_simple(column->components == 1 ? 1 : 2, extent, NULL);
  hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER);
  H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY);
  hid_t dataset = H5Dcreate2(group, column->name, column->type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  H5Pclose(creation);
  H5Sclose(space);
  if (dataset < 0) hdf_failed(writer, column->name, error);
  IRZ_TRY(irz_error_agree(writer->comm, error));

  int64_t slab = column->fill != NULL ? SLAB_ROWS : most;
  for (int64_t first = 0; first < most; first += slab) {
    int64_t count = column->rows - first;
    if (count > slab) count = slab;
    if (count < 0) count = 0;
    const void *data = column->data;
    if (column->fill != NULL) {
      column->fill(writer->grid, first, count, writer->slab);
      data = writer->slab;
    }
    if (write_rows(writer, dataset, column, (hsize_t)start, count > 0 ? first : 0, count, data) < 0) {
      hdf_failed(writer, column->name, error);
    }
  }
  if (H5Dclose(dataset) < 0 && error->code == IRZ_OK) hdf_failed(writer, column->name, error);
  return irz_error_agree(writer->comm, error);
}

/// Store text as a fixed-size string, from rank 0. Collective.
static IrzCode write_text(const Writer *writer, hid_t group, const char *name, const char *text, IrzError *error) {
  int64_t length = writer->rank == 0 && text != NULL ? (int64_t)strlen(text) : 0;
  MPI_Bcast(&length, 1, MPI_INT64_T, 0, writer->comm);
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, length > 0 ? (size_t)length : 1);
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  H5Tset_cset(type, H5T_CSET_UTF8);
  hid_t space = H5Screate(H5S_SCALAR);
  hid_t dataset = H5Dcreate2(group, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  hid_t mine = H5Scopy(space);
  if (writer->rank != 0) H5Sselect_none(mine);
  const char *data = writer->rank == 0 && length > 0 ? text : "";
  if (dataset < 0 || H5Dwrite(dataset, type, mine, mine, writer->transfer, data) < 0) hdf_failed(writer, name, error);
  if (dataset >= 0) H5Dclose(dataset);
  H5Sclose(mine);
  H5Sclose(space);
  H5Tclose(type);
  return irz_error_agree(writer->comm, error);
}

/// The attributes `Version` and `Type`.
static IrzCode write_attributes(const Writer *writer, hid_t group, IrzError *error) {
  const int64_t version[2] = {1, 0};
  const char kind[] = "UnstructuredGrid";
  hsize_t two = 2;
  hid_t pair = H5Screate_simple(1, &two, NULL);
  hid_t scalar = H5Screate(H5S_SCALAR);
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, sizeof kind - 1);
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  hid_t a = H5Acreate2(group, "Version", H5T_STD_I64LE, pair, H5P_DEFAULT, H5P_DEFAULT);
  hid_t b = H5Acreate2(group, "Type", type, scalar, H5P_DEFAULT, H5P_DEFAULT);
  if (a < 0 || b < 0 || H5Awrite(a, H5T_NATIVE_INT64, version) < 0 || H5Awrite(b, type, kind) < 0) {
    hdf_failed(writer, "attributes", error);
  }
  if (a >= 0) H5Aclose(a);
  if (b >= 0) H5Aclose(b);
  H5Tclose(type);
  H5Sclose(scalar);
  H5Sclose(pair);
  return irz_error_agree(writer->comm, error);
}

/// Create a group. Collective.
static IrzCode create_group(const Writer *writer, hid_t parent, const char *name, hid_t *group, IrzError *error) {
  *group = H5Gcreate2(parent, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (*group < 0) hdf_failed(writer, name, error);
  return irz_error_agree(writer->comm, error);
}

static hid_t hdf_type(IrzType type) {
  switch (type) {
  case IRZ_FLOAT64:
    return H5T_NATIVE_DOUBLE;
  case IRZ_UINT8:
    return H5T_NATIVE_UINT8;
  case IRZ_INT32:
    return H5T_NATIVE_INT32;
  }
  return H5I_INVALID_HID;
}

/// A group of arrays with a row per point or per cell.
static IrzCode write_arrays(const Writer *writer, hid_t parent, const char *name, int n_arrays, const IrzArray *arrays,
                            int64_t rows, IrzError *error) {
  hid_t group;
  IRZ_TRY(create_group(writer, parent, name, &group, error));
  for (int i = 0; i < n_arrays && error->code == IRZ_OK; i++) {
    Column column = {arrays[i].name, hdf_type(arrays[i].type), arrays[i].components, rows, arrays[i].data, NULL};
    write_column(writer, group, &column, error);
  }
  H5Gclose(group);
  return error->code;
}

/// Points, cells and arrays.
static IrzCode write_grid(const Writer *writer, hid_t group, IrzError *error) {
  const IrzGrid *grid = writer->grid;
  const int64_t n_points = grid->n_points, n_cells = grid->n_cells, n_ids = n_cells * grid->nodes_per_cell;
  const Column columns[] = {
      {"NumberOfPoints", H5T_NATIVE_INT64, 1, 1, &n_points, NULL},
      {"NumberOfCells", H5T_NATIVE_INT64, 1, 1, &n_cells, NULL},
      {"NumberOfConnectivityIds", H5T_NATIVE_INT64, 1, 1, &n_ids, NULL},
      {"Points", H5T_NATIVE_DOUBLE, 3, n_points, NULL, fill_points},
      {"Connectivity", H5T_NATIVE_INT64, 1, n_ids, NULL, fill_connectivity},
      {"Offsets", H5T_NATIVE_INT64, 1, n_cells + 1, NULL, fill_offsets},
      {"Types", H5T_NATIVE_UINT8, 1, n_cells, NULL, fill_types},
  };
  for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
    IRZ_TRY(write_column(writer, group, &columns[i], error));
  }
  IRZ_TRY(write_arrays(writer, group, "PointData", grid->n_point_arrays, grid->point_arrays, n_points, error));
  return write_arrays(writer, group, "CellData", grid->n_cell_arrays, grid->cell_arrays, n_cells, error);
}

/// Everything in the file.
static IrzCode write_content(const Writer *writer, const char *plan, const char *summary, IrzError *error) {
  hid_t group;
  IRZ_TRY(create_group(writer, writer->file, "VTKHDF", &group, error));
  if (write_attributes(writer, group, error) == IRZ_OK) write_grid(writer, group, error);
  H5Gclose(group);
  IRZ_TRY(error->code);
  IRZ_TRY(create_group(writer, writer->file, "irezone", &group, error));
  if (write_text(writer, group, "plan", plan, error) == IRZ_OK) write_text(writer, group, "summary", summary, error);
  H5Gclose(group);
  return error->code;
}

/// Bytes of this rank's arrays in the file.
static int64_t grid_bytes(const IrzGrid *grid) {
  const int64_t n_points = grid->n_points, n_cells = grid->n_cells;
  int64_t bytes = 24 * n_points + n_cells * (8 * grid->nodes_per_cell + 8 + 1);
  const int width[] = {[IRZ_FLOAT64] = 8, [IRZ_UINT8] = 1, [IRZ_INT32] = 4};
  for (int i = 0; i < grid->n_point_arrays; i++) {
    bytes += n_points * grid->point_arrays[i].components * width[grid->point_arrays[i].type];
  }
  for (int i = 0; i < grid->n_cell_arrays; i++) {
    bytes += n_cells * grid->cell_arrays[i].components * width[grid->cell_arrays[i].type];
  }
  return bytes;
}

/// Reserve space for a file, as far as the file system can.
/// @return 0, or the errno that says why there is none
static int reserve_space(int descriptor, int64_t bytes) {
  if (fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, bytes) == 0) return 0;
  if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) return errno;
  struct statvfs status;
  if (fstatvfs(descriptor, &status) == 0 && (double)status.f_bavail * (double)status.f_frsize < (double)bytes) {
    return ENOSPC;
  }
  return 0;
}

/// Reserve the file's space. Neither HDF5 nor MPI-IO survives a disk that fills up while they write: HDF5 crashes at
/// exit after a failed close, Open MPI prints and may hang. So they must not meet one. Collective.
static IrzCode reserve(const Writer *writer, int descriptor, int64_t bytes, IrzError *error) {
  struct rlimit limit;
  int reason = 0;
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < (rlim_t)bytes) {
    reason = EFBIG;
  } else if (writer->rank == 0) {
    reason = reserve_space(descriptor, bytes);
  }
  if (reason != 0) {
    irz_error_set(error, IRZ_ERR_OUTPUT, "%s: cannot be written: %s; it needs %.1f MB", writer->path, strerror(reason),
                  (double)bytes / 1e6);
  }
  return irz_error_agree(writer->comm, error);
}

/// Give back what was reserved beyond the end of the file.
static void release_rest(int descriptor) {
  struct stat status;
  if (fstat(descriptor, &status) == 0 && ftruncate(descriptor, status.st_size) != 0) {
    /* The space stays reserved; the file is whole. */
  }
}

/// Write the temporary file. Collective. `descriptor` is rank 0's.
static IrzCode write_file(Writer *writer, const char *temporary, int descriptor, const char *plan, const char *summary,
                          IrzError *error) {
  int64_t bytes = grid_bytes(writer->grid), total;
  if (plan != NULL) bytes += (int64_t)strlen(plan);
  if (summary != NULL) bytes += (int64_t)strlen(summary);
  MPI_Allreduce(&bytes, &total, 1, MPI_INT64_T, MPI_SUM, writer->comm);
  total += METADATA_BYTES;
  IRZ_TRY(reserve(writer, descriptor, total, error));

  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  writer->transfer = H5Pcreate(H5P_DATASET_XFER);
  if (writer->size > 1) {
    H5Pset_fapl_mpio(access, writer->comm, MPI_INFO_NULL);
    H5Pset_coll_metadata_write(access, 1);
    H5Pset_all_coll_metadata_ops(access, 1);
    H5Pset_dxpl_mpio(writer->transfer, H5FD_MPIO_COLLECTIVE);
  }
  writer->file = H5Fcreate(temporary, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  H5Pclose(access);
  if (writer->file < 0) hdf_failed(writer, "creating the file", error);
  /* Creating the file has emptied it and given the space back. */
  if (irz_error_agree(writer->comm, error) == IRZ_OK && reserve(writer, descriptor, total, error) == IRZ_OK) {
    write_content(writer, plan, summary, error);
  }
  /* Closing writes what HDF5 still holds. */
  if (writer->file >= 0 && H5Fclose(writer->file) < 0 && error->code == IRZ_OK) {
    hdf_failed(writer, "closing the file", error);
  }
  H5Pclose(writer->transfer);
  return irz_error_agree(writer->comm, error);
}

IrzCode irz_vtkhdf_write(MPI_Comm comm, const char *path, const IrzGrid *grid, const char *plan, const char *summary,
                         IrzError *error) {
  IrzError own = {0};
  IrzReplace file = {.descriptor = -1};
  Writer writer = {.comm = comm, .path = path, .grid = grid, .file = H5I_INVALID_HID};
  MPI_Comm_rank(comm, &writer.rank);
  MPI_Comm_size(comm, &writer.size);

  irz_alloc_unset(&writer.slab, SLAB_ROWS, 3 * sizeof(double), &own);
  if (own.code == IRZ_OK && writer.rank == 0) irz_replace_begin(&file, path, &own);
  if (irz_error_agree(comm, &own) == IRZ_OK) {
    MPI_Bcast(file.temporary, sizeof file.temporary, MPI_CHAR, 0, comm);
    IrzHdfSilence before = irz_hdf_silence();
    write_file(&writer, file.temporary, file.descriptor, plan, summary, &own);
    irz_hdf_restore(before);
    if (writer.rank == 0 && own.code == IRZ_OK) {
      release_rest(file.descriptor);
      irz_replace_commit(&file, &own);
    }
    irz_error_agree(comm, &own);
  }
  if (writer.rank == 0) irz_replace_abandon(&file);
  free(writer.slab);
  if (own.code != IRZ_OK && error != NULL) *error = own;
  return own.code;
}
