/* VTKHDF UnstructuredGrid 1.0. Rank 0 writes the file, the others send it their rows: one process sees every failure of
   the disk, the file system need be shared by nobody, and what is written does not depend on MPI's own input and
   output.

   Every rank makes the same sequence of calls, also after a failure on one of them; ranks agree after each dataset and
   leave together.

   What ParaView 5.11 wants exactly: `Type` a null-padded fixed-size ASCII string, `Types` uint8, scalars
   one-dimensional, offsets restarting at 0 in every part. */
#include "base/entry.h"
#include "base/idle.h"
#include "base/memory.h"
#include "io/hdf.h"
#include <irezone/result.h>
#include <stdlib.h>
#include <string.h>

#define MM_PER_M 1e3

/* Converted and sent data pass through a buffer of this many bytes, so that writing needs little memory of its own and
   what is written is in the cache. */
#define SLAB_BYTES 1048576

/* What HDF5 needs at most besides the arrays. */
#define METADATA_BYTES 65536

enum { VTK_TETRA = 10, VTK_QUADRATIC_TETRA = 24 };

/// Put rows [first, first + count) of this rank's part into a buffer, in the file's type.
typedef void (*Fill)(const IrzGrid *grid, int64_t first, int64_t count, void *buffer);

/// A dataset as one rank sees it.
typedef struct {
  const char *name;
  IrzType type;     ///< of the file and of the data
  int components;   ///< 1: one-dimensional
  int64_t rows;     ///< of this rank
  const void *data; ///< the rows as they are, or NULL:
  Fill fill;        ///< how to make them
} Column;

/// A file as all ranks see it.
typedef struct {
  MPI_Comm comm;
  int rank, size;
  const IrzGrid *grid;
  IrzHdfFile *file; ///< rank 0, else NULL
  int bad;          ///< not 0: HDF5 has failed on rank 0
  int64_t *rows;    ///< [size] rank 0: rows of each rank
  void *slab;       ///< SLAB_BYTES
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

static hid_t hdf_type(IrzType type) {
  switch (type) {
  case IRZ_FLOAT64:
    return H5T_NATIVE_DOUBLE;
  case IRZ_UINT8:
    return H5T_NATIVE_UINT8;
  case IRZ_INT32:
    return H5T_NATIVE_INT32;
  case IRZ_INT64:
    return H5T_NATIVE_INT64;
  }
  return H5I_INVALID_HID;
}

/// Bytes of a row.
static int64_t row_bytes(const Column *column) {
  static const int width[] = {[IRZ_FLOAT64] = 8, [IRZ_UINT8] = 1, [IRZ_INT32] = 4, [IRZ_INT64] = 8};
  return (int64_t)width[column->type] * column->components;
}

/// This rank's rows [first, first + count), count being at most what fits into the slab.
static const void *rows_of(const Writer *writer, const Column *column, int64_t first, int64_t count) {
  if (column->fill == NULL) return (const char *)column->data + first * row_bytes(column);
  column->fill(writer->grid, first, count, writer->slab);
  return writer->slab;
}

/// Write every rank's rows, one rank after the other. On rank 0. After a failure the others still want to be heard.
static void write_rows(Writer *writer, hid_t dataset, const Column *column) {
  const int64_t slab = SLAB_BYTES / row_bytes(column);
  int64_t start = 0;
  for (int rank = 0; rank < writer->size; rank++) {
    for (int64_t first = 0; first < writer->rows[rank]; first += slab) {
      int64_t count = writer->rows[rank] - first < slab ? writer->rows[rank] - first : slab;
      const void *data = writer->slab;
      if (rank == 0) {
        data = rows_of(writer, column, first, count);
      } else {
        MPI_Recv(writer->slab, (int)(count * row_bytes(column)), MPI_BYTE, rank, 0, writer->comm, MPI_STATUS_IGNORE);
      }
      if (writer->bad || writer->file->replace.reason != 0) continue;
      writer->bad = irz_hdf_rows(dataset, (hsize_t)start + (hsize_t)first, (hsize_t)count, (hsize_t)column->components,
                                 hdf_type(column->type), data);
    }
    start += writer->rows[rank];
  }
}

/// Send this rank's rows to rank 0.
static void send_rows(const Writer *writer, const Column *column) {
  const int64_t slab = SLAB_BYTES / row_bytes(column);
  for (int64_t first = 0; first < column->rows; first += slab) {
    int64_t count = column->rows - first < slab ? column->rows - first : slab;
    MPI_Send(rows_of(writer, column, first, count), (int)(count * row_bytes(column)), MPI_BYTE, 0, 0, writer->comm);
  }
}

/// Agree whether to go on. Collective.
/// @return false if rank 0 could not write something; irz_hdf_finish() will say why
static bool goes_on(Writer *writer) {
  int good = writer->rank > 0 || !(writer->bad || writer->file->replace.reason != 0);
  MPI_Bcast(&good, 1, MPI_INT, 0, writer->comm);
  return good;
}

/// Create a dataset and fill it. Collective.
static bool write_column(Writer *writer, hid_t group, const Column *column) {
  MPI_Gather(&column->rows, 1, MPI_INT64_T, writer->rows, 1, MPI_INT64_T, 0, writer->comm);
  if (writer->rank > 0) {
    send_rows(writer, column);
    return goes_on(writer);
  }
  int64_t total = 0;
  for (int rank = 0; rank < writer->size; rank++) total += writer->rows[rank];
  hid_t dataset =
      irz_hdf_column(group, column->name, (hsize_t)total, (hsize_t)column->components, hdf_type(column->type));
  writer->bad = dataset < 0 || writer->bad;
  write_rows(writer, dataset, column);
  if (dataset >= 0 && H5Dclose(dataset) < 0) writer->bad = 1;
  return goes_on(writer);
}

/// Open a new group. On rank 0; the others have none.
static hid_t create_group(Writer *writer, hid_t parent, const char *name) {
  if (writer->rank > 0) return H5I_INVALID_HID;
  hid_t group = H5Gcreate2(parent, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (group < 0) writer->bad = 1;
  return group;
}

static void close_group(Writer *writer, hid_t group) {
  if (group >= 0 && H5Gclose(group) < 0) writer->bad = 1;
}

/// A group of arrays with a row per point or per cell. Collective.
static bool write_arrays(Writer *writer, hid_t parent, const char *name, int n_arrays, const IrzArray *arrays,
                         int64_t rows) {
  bool going = true;
  hid_t group = create_group(writer, parent, name);
  for (int i = 0; i < n_arrays && going; i++) {
    const Column column = {arrays[i].name, arrays[i].type, arrays[i].components, rows, arrays[i].data, NULL};
    going = write_column(writer, group, &column);
  }
  close_group(writer, group);
  return going;
}

/// Points, cells and arrays. Collective.
static void write_grid(Writer *writer, hid_t group) {
  const IrzGrid *grid = writer->grid;
  const int64_t n_points = grid->n_points, n_cells = grid->n_cells, n_ids = n_cells * grid->nodes_per_cell;
  const Column columns[] = {
      {"NumberOfPoints", IRZ_INT64, 1, 1, &n_points, NULL},
      {"NumberOfCells", IRZ_INT64, 1, 1, &n_cells, NULL},
      {"NumberOfConnectivityIds", IRZ_INT64, 1, 1, &n_ids, NULL},
      {"Points", IRZ_FLOAT64, 3, n_points, NULL, fill_points},
      {"Connectivity", IRZ_INT64, 1, n_ids, NULL, fill_connectivity},
      {"Offsets", IRZ_INT64, 1, n_cells + 1, NULL, fill_offsets},
      {"Types", IRZ_UINT8, 1, n_cells, NULL, fill_types},
  };
  bool going = true;
  for (size_t i = 0; i < sizeof columns / sizeof columns[0] && going; i++) {
    going = write_column(writer, group, &columns[i]);
  }
  if (going) going = write_arrays(writer, group, "PointData", grid->n_point_arrays, grid->point_arrays, n_points);
  if (going) write_arrays(writer, group, "CellData", grid->n_cell_arrays, grid->cell_arrays, n_cells);
}

/// Everything in the file. Collective.
static void write_content(Writer *writer, const char *plan, const char *summary) {
  static const int64_t version[2] = {1, 0};
  const hid_t file = writer->rank == 0 ? writer->file->id : H5I_INVALID_HID;
  hid_t group = create_group(writer, file, "VTKHDF");
  if (writer->rank == 0) {
    writer->bad |= irz_hdf_attribute(group, "Version", 2, H5T_NATIVE_INT64, version);
    writer->bad |= irz_hdf_text_attribute(group, "Type", "UnstructuredGrid");
  }
  if (goes_on(writer)) write_grid(writer, group);
  if (writer->rank == 0 && !writer->bad && writer->grid->n_names > 0) {
    hid_t names = create_group(writer, group, "FieldData");
    if (names >= 0) {
      writer->bad |= irz_hdf_ascii_strings(names, "region_names", writer->grid->n_names, writer->grid->names);
    }
    close_group(writer, names);
  }
  close_group(writer, group);
  if (writer->rank > 0 || writer->bad) return;
  group = create_group(writer, file, "irezone");
  if (group >= 0) {
    writer->bad |= irz_hdf_text(group, "plan", plan != NULL ? plan : "");
    writer->bad |= irz_hdf_text(group, "summary", summary != NULL ? summary : "");
  }
  close_group(writer, group);
}

/// Bytes of this rank's arrays in the file.
static int64_t grid_bytes(const IrzGrid *grid) {
  const int64_t n_points = grid->n_points, n_cells = grid->n_cells;
  int64_t bytes = 24 * n_points + n_cells * (8 * grid->nodes_per_cell + 8 + 1);
  for (int i = 0; i < grid->n_point_arrays; i++) {
    bytes += n_points *
             row_bytes(&(Column){.type = grid->point_arrays[i].type, .components = grid->point_arrays[i].components});
  }
  for (int i = 0; i < grid->n_cell_arrays; i++) {
    bytes += n_cells *
             row_bytes(&(Column){.type = grid->cell_arrays[i].type, .components = grid->cell_arrays[i].components});
  }
  return bytes;
}

/// Write the file that rank 0 has begun. Collective.
static void write_file(Writer *writer, const char *plan, const char *summary) {
  int64_t bytes = grid_bytes(writer->grid), total;
  if (plan != NULL) bytes += (int64_t)strlen(plan);
  if (summary != NULL) bytes += (int64_t)strlen(summary);
  MPI_Reduce(&bytes, &total, 1, MPI_INT64_T, MPI_SUM, 0, writer->comm);
  if (writer->rank == 0) irz_replace_reserve(&writer->file->replace, total + METADATA_BYTES);
  write_content(writer, plan, summary);
}

IrzCode irz_vtkhdf_write(MPI_Comm comm, const char *path, const IrzGrid *grid, const char *plan, const char *summary,
                         IrzError *error) {
  IRZ_ENTER_ALONE(error);
  IRZ_NEED(path != NULL && grid != NULL);
  IrzError own = {0};
  IrzHdfFile file;
  Writer writer = {.comm = comm, .grid = grid};
  MPI_Comm_rank(comm, &writer.rank);
  MPI_Comm_size(comm, &writer.size);
  irz_alloc_unset(&writer.slab, SLAB_BYTES, 1, &own);
  if (writer.rank == 0) {
    if (own.code == IRZ_OK) irz_alloc(&writer.rows, (size_t)writer.size, sizeof *writer.rows, &own);
    if (own.code == IRZ_OK && irz_hdf_begin(&file, path, &own) == IRZ_OK) writer.file = &file;
  }
  if (irz_error_agree(comm, &own) == IRZ_OK) write_file(&writer, plan, summary);
  if (writer.file != NULL) {
    IrzError failed = {0};
    irz_hdf_finish(&file, writer.bad || own.code != IRZ_OK, &failed);
    if (own.code == IRZ_OK) own = failed;
  }
  irz_idle_agree(comm, &own);
  free(writer.rows);
  free(writer.slab);
  if (own.code != IRZ_OK && error != NULL) *error = own;
  return own.code;
}
