/* `irezone info` on result files. The bytes are a list of changes to an honest result: HDF5's own reading of damaged
 * files is not what is looked at here, but files that HDF5 reads well and that are not what irezone writes. Odd types,
 * shapes, claimed sizes, links that lead nowhere, round or out of the file, texts of any kind; at last the file may be
 * cut off. */
#include "fuzz.h"
#include <hdf5.h>
#include <irezone/result.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  const uint8_t *at, *end;
} Tape;

/// The next byte, modulo `below`; 0 behind the end.
static unsigned take(Tape *tape, unsigned below) {
  return tape->at < tape->end ? *tape->at++ % below : 0;
}

static const char *const names[] = {"VTKHDF",
                                    "VTKHDF/NumberOfPoints",
                                    "VTKHDF/NumberOfCells",
                                    "VTKHDF/Points",
                                    "VTKHDF/PointData",
                                    "VTKHDF/PointData/potential_V",
                                    "VTKHDF/PointData/zone",
                                    "VTKHDF/CellData",
                                    "VTKHDF/CellData/region",
                                    "VTKHDF/CellData/field_vector_V_per_cm",
                                    "irezone",
                                    "irezone/summary",
                                    "irezone/plan",
                                    "VTKHDF/PointData/\x1b[31m\n"};
enum { N_NAMES = sizeof names / sizeof names[0] };

/// A type for a dataset; close it.
static hid_t make_type(Tape *tape) {
  hid_t type;
  switch (take(tape, 12)) {
  case 0:
    return H5Tcopy(H5T_NATIVE_INT8);
  case 1:
    return H5Tcopy(H5T_STD_U16BE);
  case 2:
    return H5Tcopy(H5T_NATIVE_UINT64);
  case 3:
    return H5Tcopy(H5T_NATIVE_FLOAT);
  case 4:
    return H5Tcopy(H5T_IEEE_F64BE);
  case 5:
    type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    return type;
  case 6:
    type = H5Tcreate(H5T_COMPOUND, 16);
    H5Tinsert(type, "r", 0, H5T_NATIVE_DOUBLE);
    H5Tinsert(type, "i", 8, H5T_NATIVE_DOUBLE);
    return type;
  case 7:
    return H5Tarray_create2(H5T_NATIVE_DOUBLE, 1, (const hsize_t[]){3});
  case 8:
    return H5Tvlen_create(H5T_NATIVE_DOUBLE);
  case 9:
    return H5Tcopy(H5T_STD_REF_OBJ);
  case 10:
    return H5Tcreate(H5T_OPAQUE, 1 + take(tape, 32));
  default:
    type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, 1 + take(tape, 255));
    return type;
  }
}

/// A shape; close it.
static hid_t make_space(Tape *tape, int *rank, hsize_t size[3]) {
  static const hsize_t sizes[] = {0, 1, 2, 3, 4, 5, 8, 64, 65, 1000, 1 << 20, (hsize_t)1 << 36, (hsize_t)1 << 62};
  *rank = (int)take(tape, 5) - 1;
  if (*rank < 0) return H5Screate(H5S_NULL);
  if (*rank == 0) return H5Screate(H5S_SCALAR);
  for (int i = 0; i < *rank; i++) size[i] = sizes[take(tape, sizeof sizes / sizeof sizes[0])];
  return H5Screate_simple(*rank, size, NULL);
}

static void add_dataset(hid_t file, const char *name, Tape *tape) {
  int rank;
  hsize_t size[3] = {1, 1, 1};
  hid_t type = make_type(tape), space = make_space(tape, &rank, size);
  hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  unsigned layout = take(tape, 4);
  if (layout == 1 && rank > 0) {
    hsize_t chunk[3];
    for (int i = 0; i < rank; i++) chunk[i] = size[i] < 1 ? 1 : size[i] < 4 ? size[i] : 4;
    H5Pset_chunk(creation, rank, chunk);
    if (take(tape, 2) == 1) H5Pset_deflate(creation, 1);
  } else if (layout == 2) {
    H5Pset_external(creation, "/etc/hostname", 0, 8 + take(tape, 255));
  } else if (layout == 3) {
    H5Pset_layout(creation, H5D_COMPACT);
  }
  hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  /* Values, where there are few, and where they are not addresses. */
  hssize_t count = H5Sget_simple_extent_npoints(space);
  size_t width = H5Tget_size(type), bytes = count > 0 && count <= 1000 ? (size_t)count * width : 0;
  H5T_class_t class = H5Tget_class(type);
  if (dataset >= 0 && layout != 2 && bytes > 0 && class != H5T_VLEN && H5Tis_variable_str(type) <= 0) {
    uint8_t *values = malloc(bytes);
    fuzz_require(values != NULL);
    for (size_t i = 0; i < bytes; i++) values[i] = (uint8_t)take(tape, 256);
    H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    free(values);
  }
  if (dataset >= 0) H5Dclose(dataset);
  H5Pclose(creation);
  H5Sclose(space);
  H5Tclose(type);
}

/// A text of what is left on the tape, up to a byte 255.
static void add_text(hid_t file, const char *name, Tape *tape) {
  const uint8_t *end = tape->at < tape->end ? memchr(tape->at, 255, (size_t)(tape->end - tape->at)) : NULL;
  size_t length = (size_t)((end != NULL ? end : tape->end) - tape->at);
  hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  H5Tset_size(type, length + 1);
  char *text = fuzz_text(tape->at, length);
  hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (dataset >= 0) {
    H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text);
    H5Dclose(dataset);
  }
  tape->at = end != NULL ? end + 1 : tape->end;
  free(text);
  H5Sclose(space);
  H5Tclose(type);
}

static void change(hid_t file, Tape *tape) {
  const char *name = names[take(tape, N_NAMES)];
  unsigned how = take(tape, 8);
  if (how < 7) H5Ldelete(file, name, H5P_DEFAULT);
  switch (how) {
  case 0:
    break;
  case 1:
    H5Lcreate_soft(names[take(tape, N_NAMES)], file, name, H5P_DEFAULT, H5P_DEFAULT);
    break;
  case 2:
    H5Lcreate_external("result.hdf", names[take(tape, N_NAMES)], file, name, H5P_DEFAULT, H5P_DEFAULT);
    break;
  case 3: {
    hid_t group = H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (group >= 0) H5Gclose(group);
    break;
  }
  case 4:
    add_text(file, name, tape);
    break;
  case 7:
    H5Lcreate_hard(file, names[take(tape, N_NAMES)], file, name, H5P_DEFAULT, H5P_DEFAULT);
    break;
  default:
    add_dataset(file, name, tape);
  }
}

static void add_numbers(hid_t file, const char *name, hid_t type, hsize_t rows, hsize_t columns) {
  const hsize_t size[2] = {rows, columns};
  hid_t space = H5Screate_simple(columns > 1 ? 2 : 1, size, NULL);
  hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  double values[32];
  for (int i = 0; i < 32; i++) values[i] = 5;
  H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  H5Dclose(dataset);
  H5Sclose(space);
}

/// What irezone writes, as far as `info` looks: 5 points and 5 cells.
static void add_honest(hid_t file) {
  Tape summary = {0};
  static const char text[] =
      "{\"plan\": \"p\", \"irezone\": \"0\", \"status\": \"converged\", \"pulses\": [{\"from\": \"A\"}], "
      "\"zone\": {\"volume_cm3\": 1}, \"warnings\": [\"w\"]}";
  summary.at = (const uint8_t *)text;
  summary.end = summary.at + sizeof text - 1;
  for (int i = 0; i < N_NAMES; i++) {
    if (i != 0 && i != 4 && i != 7 && i != 10) continue;
    H5Gclose(H5Gcreate2(file, names[i], H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  }
  add_numbers(file, names[1], H5T_NATIVE_INT64, 1, 1);
  add_numbers(file, names[2], H5T_NATIVE_INT64, 1, 1);
  add_numbers(file, names[3], H5T_NATIVE_DOUBLE, 5, 3);
  add_numbers(file, names[5], H5T_NATIVE_FLOAT, 5, 1);
  add_numbers(file, names[6], H5T_NATIVE_UINT8, 5, 1);
  add_numbers(file, names[8], H5T_NATIVE_INT32, 5, 1);
  add_numbers(file, names[9], H5T_NATIVE_FLOAT, 5, 3);
  add_text(file, names[11], &summary);
}

void fuzz_one(const uint8_t *data, size_t size) {
  char path[512];
  Tape tape = {data, data + size};
  unsigned cut = take(&tape, 256);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  snprintf(path, sizeof path, "%s/result.hdf", fuzz_folder());
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  fuzz_require(file >= 0);
  add_honest(file);
  for (int i = 0; i < 32 && tape.at < tape.end; i++) change(file, &tape);
  hsize_t length = 0;
  H5Fget_filesize(file, &length);
  fuzz_require(H5Fclose(file) >= 0);
  if (cut >= 128) fuzz_require(truncate(path, (off_t)(length * (cut - 128) / 128)) == 0);
  IrzError error = {0};
  IrzCode code = irz_result_print(path, fuzz_nowhere(), &error);
  if (code != IRZ_OK) fuzz_require_error(code, &error);
  fuzz_require(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) == 0); /* nothing is left open */
}
