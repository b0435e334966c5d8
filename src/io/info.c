/* Describe a result file. The file may be anything: every count is checked before it is believed, and arrays are read
   in pieces of bounded size. */
#include "base/entry.h"
#include "base/memory.h"
#include "io/hdf.h"
#include <irezone/result.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Values read at a time, and the longest text believed. */
#define PIECE 262144
#define TEXT_MAX 16777216

/// Where the listing of a group's arrays leaves its results.
typedef struct {
  FILE *out;
  const char *path;
  hsize_t rows;  ///< every array must have this many
  double *piece; ///< [PIECE]
  IrzError *error;
} Listing;

static IrzCode bad_file(const char *path, const char *what, IrzError *error) {
  return irz_error_set(error, IRZ_ERR_INPUT, "%s: not a result of irezone: %s", path, what);
}

/// Sum of a one-dimensional dataset of counts (one per part).
static IrzCode sum_counts(hid_t file, const char *path, const char *name, int64_t *parts, int64_t *sum,
                          IrzError *error) {
  enum { MOST_PARTS = 1048576 };
  hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
  if (dataset < 0) return irz_error_set(error, IRZ_ERR_INPUT, "%s: not a result of irezone: no /%s", path, name);
  hid_t space = H5Dget_space(dataset);
  int64_t count = H5Sget_simple_extent_npoints(space), *values = NULL;
  *parts = count;
  *sum = 0;
  if (count < 1 || count > MOST_PARTS) {
    bad_file(path, "its number of parts makes no sense", error);
  } else if (irz_alloc(&values, (size_t)count, sizeof *values, error) == IRZ_OK) {
    if (H5Dread(dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) {
      bad_file(path, "it is cut off or damaged", error);
    }
    for (int64_t i = 0; i < count && error->code == IRZ_OK; i++) {
      if (values[i] < 0 || values[i] > INT64_MAX / 64 / MOST_PARTS) bad_file(path, "its counts make no sense", error);
      *sum += values[i];
    }
  }
  free(values);
  H5Sclose(space);
  H5Dclose(dataset);
  return error->code;
}

/// Smallest and largest value, of vectors smallest and largest length.
static IrzCode find_range(hid_t dataset, const Listing *listing, hsize_t rows, hsize_t components, double range[2]) {
  IrzCode code = IRZ_OK;
  hid_t in_file = H5Dget_space(dataset);
  int dimensions = H5Sget_simple_extent_ndims(in_file);
  hsize_t step = PIECE / components;
  range[0] = INFINITY;
  range[1] = -INFINITY;
  for (hsize_t first = 0; first < rows && code == IRZ_OK; first += step) {
    hsize_t corner[2] = {first, 0}, extent[2] = {rows - first < step ? rows - first : step, components};
    hid_t in_memory = H5Screate_simple(dimensions, extent, NULL);
    H5Sselect_hyperslab(in_file, H5S_SELECT_SET, corner, NULL, extent, NULL);
    if (H5Dread(dataset, H5T_NATIVE_DOUBLE, in_memory, in_file, H5P_DEFAULT, listing->piece) < 0) {
      code = bad_file(listing->path, "it is cut off or damaged", listing->error);
    }
    for (hsize_t i = 0; i < extent[0] && code == IRZ_OK; i++) {
      double value = listing->piece[i * components];
      if (components > 1) {
        double sum = 0;
        for (hsize_t c = 0; c < components; c++) sum += pow(listing->piece[i * components + c], 2);
        value = sqrt(sum);
      }
      if (value < range[0]) range[0] = value;
      if (value > range[1]) range[1] = value;
    }
    H5Sclose(in_memory);
  }
  H5Sclose(in_file);
  return code;
}

/// Print one array: name, components, range. Called by H5Literate.
static herr_t print_array(hid_t group, const char *name, const H5L_info_t *info, void *data) {
  (void)info;
  const Listing *listing = data;
  hid_t dataset = H5Dopen2(group, name, H5P_DEFAULT);
  if (dataset < 0) return 0; /* a group somebody added is none of our business */
  hid_t space = H5Dget_space(dataset), type = H5Dget_type(dataset);
  H5T_class_t class = H5Tget_class(type);
  hsize_t extent[2] = {0, 1};
  int dimensions = H5Sget_simple_extent_ndims(space);
  if ((dimensions == 1 || dimensions == 2) && (class == H5T_INTEGER || class == H5T_FLOAT)) {
    H5Sget_simple_extent_dims(space, extent, NULL);
    double range[2] = {0, 0};
    if (extent[0] != listing->rows || extent[1] < 1 || extent[1] > 64) {
      irz_error_set(listing->error, IRZ_ERR_INPUT, "%s: not a result of irezone: array %s does not fit the grid",
                    listing->path, name);
    } else if (find_range(dataset, listing, extent[0], extent[1], range) == IRZ_OK) {
      fprintf(listing->out, "    %-26s %s %.6g to %.6g\n", name, extent[1] > 1 ? "length" : "      ", range[0],
              range[1]);
    }
  }
  H5Tclose(type);
  H5Sclose(space);
  H5Dclose(dataset);
  return listing->error->code == IRZ_OK ? 0 : -1;
}

static IrzCode print_arrays(hid_t file, const char *name, const char *title, Listing *listing) {
  hid_t group = H5Gopen2(file, name, H5P_DEFAULT);
  if (group < 0) return IRZ_OK; /* no arrays */
  fprintf(listing->out, "  %s\n", title);
  if (H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, print_array, listing) < 0 && listing->error->code == IRZ_OK) {
    bad_file(listing->path, "it is cut off or damaged", listing->error);
  }
  H5Gclose(group);
  return listing->error->code;
}

/// Read a fixed-size string dataset; NULL if it is not there or not readable.
static char *read_text(hid_t file, const char *name) {
  hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
  if (dataset < 0) return NULL;
  hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
  size_t size = H5Tget_size(type);
  char *text = NULL;
  if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 && size <= TEXT_MAX &&
      H5Sget_simple_extent_npoints(space) == 1) {
    text = calloc(size + 1, 1);
    if (text != NULL && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0) {
      free(text);
      text = NULL;
    }
  }
  H5Sclose(space);
  H5Tclose(type);
  H5Dclose(dataset);
  return text;
}

/// A number of an object, or NaN.
static double get(const json_t *object, const char *key) {
  const json_t *value = json_object_get(object, key);
  return json_is_number(value) ? json_number_value(value) : NAN;
}

static const char *get_text(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text != NULL ? text : "?";
}

/// The main numbers of the stored summary.
static void print_summary(hid_t file, FILE *out) {
  char *text = read_text(file, "irezone/summary");
  json_t *root = text != NULL ? json_loads(text, 0, NULL) : NULL;
  free(text);
  if (!json_is_object(root)) {
    fprintf(out, "  no summary is stored in it\n");
    json_decref(root);
    return;
  }
  fprintf(out, "  plan \"%s\", computed with irezone %s: %s\n", get_text(root, "plan"), get_text(root, "irezone"),
          get_text(root, "status"));
  size_t i;
  const json_t *pulse;
  json_array_foreach(json_object_get(root, "pulses"), i, pulse) {
    fprintf(out, "    %s → %s: %.4g V, %.4g A, %.4g Ω\n", get_text(pulse, "from"), get_text(pulse, "to"),
            get(pulse, "voltage_V"), get(pulse, "current_A"), get(pulse, "resistance_ohm"));
  }
  const json_t *zone = json_object_get(root, "zone");
  double error = get(zone, "volume_error_cm3");
  fprintf(out, "    zone: %.5g", get(zone, "volume_cm3"));
  if (isfinite(error)) fprintf(out, " ± %.2g", error);
  fprintf(out, " cm³ at %.4g V/cm\n", get(zone, "threshold_V_per_cm"));
  const json_t *warning;
  json_array_foreach(json_object_get(root, "warnings"), i, warning) {
    if (json_is_string(warning)) fprintf(out, "    warning: %s\n", json_string_value(warning));
  }
  json_decref(root);
}

/// The bounding box of the points.
static IrzCode print_box(hid_t file, const Listing *listing) {
  hid_t dataset = H5Dopen2(file, "VTKHDF/Points", H5P_DEFAULT);
  if (dataset < 0) return bad_file(listing->path, "no /VTKHDF/Points", listing->error);
  hid_t in_file = H5Dget_space(dataset);
  hsize_t extent[2] = {0, 0};
  double box[2][3] = {{INFINITY, INFINITY, INFINITY}, {-INFINITY, -INFINITY, -INFINITY}};
  if (H5Sget_simple_extent_ndims(in_file) == 2) H5Sget_simple_extent_dims(in_file, extent, NULL);
  if (extent[0] != listing->rows || extent[1] != 3) bad_file(listing->path, "its points do not fit", listing->error);
  for (hsize_t first = 0; first < listing->rows && listing->error->code == IRZ_OK; first += PIECE / 3) {
    hsize_t corner[2] = {first, 0}, part[2] = {PIECE / 3, 3};
    if (part[0] > listing->rows - first) part[0] = listing->rows - first;
    hid_t in_memory = H5Screate_simple(2, part, NULL);
    H5Sselect_hyperslab(in_file, H5S_SELECT_SET, corner, NULL, part, NULL);
    if (H5Dread(dataset, H5T_NATIVE_DOUBLE, in_memory, in_file, H5P_DEFAULT, listing->piece) < 0) {
      bad_file(listing->path, "it is cut off or damaged", listing->error);
    }
    H5Sclose(in_memory);
    for (hsize_t i = 0; i < 3 * part[0] && listing->error->code == IRZ_OK; i++) {
      box[0][i % 3] = fmin(box[0][i % 3], listing->piece[i]);
      box[1][i % 3] = fmax(box[1][i % 3], listing->piece[i]);
    }
  }
  H5Sclose(in_file);
  H5Dclose(dataset);
  if (listing->error->code == IRZ_OK && listing->rows > 0) {
    fprintf(listing->out, "  x %.4g to %.4g, y %.4g to %.4g, z %.4g to %.4g mm\n", box[0][0], box[1][0], box[0][1],
            box[1][1], box[0][2], box[1][2]);
  }
  return listing->error->code;
}

static IrzCode print_file(hid_t file, const char *path, FILE *out, IrzError *error) {
  int64_t parts = 0, points = 0, cells = 0;
  if (H5Lexists(file, "VTKHDF", H5P_DEFAULT) <= 0) return bad_file(path, "an HDF5 file, but not VTKHDF", error);
  IRZ_TRY(sum_counts(file, path, "VTKHDF/NumberOfPoints", &parts, &points, error));
  IRZ_TRY(sum_counts(file, path, "VTKHDF/NumberOfCells", &parts, &cells, error));
  fprintf(out, "%s: VTKHDF, %lld cells, %lld points, %lld %s\n", path, (long long)cells, (long long)points,
          (long long)parts, parts == 1 ? "part" : "parts");
  Listing listing = {.out = out, .path = path, .rows = (hsize_t)points, .error = error};
  IRZ_TRY(irz_alloc(&listing.piece, PIECE, sizeof *listing.piece, error));
  if (print_box(file, &listing) == IRZ_OK &&
      print_arrays(file, "VTKHDF/PointData", "arrays on points", &listing) == IRZ_OK) {
    listing.rows = (hsize_t)cells;
    print_arrays(file, "VTKHDF/CellData", "arrays on cells", &listing);
  }
  free(listing.piece);
  IRZ_TRY(error->code);
  print_summary(file, out);
  return IRZ_OK;
}

IrzCode irz_result_print(const char *path, FILE *out, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(path != NULL && out != NULL);
  IrzError own = {0};
  IrzHdfInput file;
  if (irz_hdf_open(&file, path, &own) == IRZ_OK) {
    print_file(file.id, path, out, &own);
    irz_hdf_close(&file);
  }
  if (own.code != IRZ_OK && error != NULL) *error = own;
  return own.code;
}
