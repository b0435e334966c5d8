/* Describe a result file. The file may be anything, also one made to do harm: nothing outside it is opened, links are
   not followed, every count is checked before it is believed, what is read is bounded by the size of the file and read
   in pieces, and control characters do not reach the terminal. */
#include "base/entry.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "io/hdf.h"
#include <irezone/result.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Values read at a time, and the longest text believed. */
#define PIECE 262144
#define TEXT_MAX 16777216

/* Entries of a list that are printed, of what a file may have any number of. */
#define LISTED 200

/* Compressed arrays may be this much larger than the file, and small files may have arrays of so many bytes. */
#define EXPANSION 100
#define SMALL 67108864

/// What is read, and where it is told.
typedef struct {
  IrzHdfInput file;
  const char *path;
  FILE *out;
  double *piece; ///< [PIECE]
  double budget; ///< bytes that may still be read
  IrzError *error;
} Info;

/// A dataset of numbers or one text, found fit to be read.
typedef struct {
  hid_t id;
  H5T_class_t class;
  size_t size; ///< bytes of a value
  bool fixed;  ///< a text of fixed size
  int dimensions;
  hsize_t extent[2]; ///< 1 where there is no such dimension
} Dataset;

static IrzCode bad_file(const Info *info, const char *format, ...) IRZ_PRINTF(2, 3);
static IrzCode bad_file(const Info *info, const char *format, ...) {
  char what[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(what, sizeof what, format, arguments);
  va_end(arguments);
  return irz_error_set(info->error, IRZ_ERR_INPUT, "%s: not a result of irezone: %s", info->path, what);
}

/// HDF5 could not read what it should.
static IrzCode damaged(const Info *info) {
  if (info->file.watch.no_memory) return irz_hdf_unreadable(&info->file, info->path, info->error);
  return bad_file(info, "it is cut off or damaged (%s)", info->file.watch.reason);
}

/// Print text that a file holds.
static void print_text(FILE *out, const char *text) {
  char shown[256];
  fputs(irz_utf8_shown(text, shown), out);
}

/// Open a group or a dataset that is in this very file.
/// @param[out] object  to be closed with H5Oclose(); negative if there is none of that name or on failure
static IrzCode open_object(const Info *info, hid_t parent, const char *name, H5I_type_t type, hid_t *object) {
  H5L_info_t link;
  *object = H5I_INVALID_HID;
  htri_t exists = H5Lexists(parent, name, H5P_DEFAULT);
  if (exists == 0) return IRZ_OK;
  if (exists < 0 || H5Lget_info(parent, name, &link, H5P_DEFAULT) < 0) return damaged(info);
  if (link.type != H5L_TYPE_HARD) return bad_file(info, "%s is a link to another place", name);
  *object = H5Oopen(parent, name, H5P_DEFAULT);
  if (*object < 0) return damaged(info);
  if (H5Iget_type(*object) == type) return IRZ_OK;
  H5Oclose(*object);
  *object = H5I_INVALID_HID;
  return bad_file(info, "%s is not a %s", name, type == H5I_GROUP ? "group" : "dataset");
}

/// Whether what a dataset claims to hold is in the file: in no other one, and not made up while it is read.
static IrzCode check_storage(Info *info, const Dataset *dataset, const char *name) {
  enum { LARGEST_CHUNK = 1 << 30 };
  hid_t creation = H5Dget_create_plist(dataset->id);
  H5D_layout_t layout = H5Pget_layout(creation);
  bool outside = H5Pget_external_count(creation) != 0 || layout == H5D_VIRTUAL;
  hsize_t chunk[2] = {1, 1}, stored = H5Dget_storage_size(dataset->id);
  bool chunked = layout == H5D_CHUNKED;
  if (chunked) H5Pget_chunk(creation, 2, chunk);
  if (creation >= 0) H5Pclose(creation);
  if (creation < 0 || layout < 0) return damaged(info);
  if (outside) return bad_file(info, "%s is stored in another file", name);
  double values = (double)dataset->extent[0] * (double)dataset->extent[1], bytes = values * (double)dataset->size;
  double chunk_bytes = (double)chunk[0] * (double)chunk[1] * (double)dataset->size;
  if ((values > 0 && stored == 0) || (!chunked && bytes > (double)stored) || chunk_bytes > LARGEST_CHUNK ||
      bytes > info->budget) {
    return bad_file(info, "%s claims more than the file holds", name);
  }
  info->budget -= bytes;
  return IRZ_OK;
}

/// Find out what a dataset is.
/// @return IRZ_OK also for what cannot be read; its dimensions are then 0
static IrzCode describe_dataset(Info *info, Dataset *dataset, const char *name) {
  enum { LARGEST_NUMBER = 16 };
  hid_t space = H5Dget_space(dataset->id), type = H5Dget_type(dataset->id);
  hsize_t extent[2] = {1, 1};
  H5S_class_t kind = space >= 0 ? H5Sget_simple_extent_type(space) : H5S_NO_CLASS;
  int dimensions = kind == H5S_SIMPLE ? H5Sget_simple_extent_ndims(space) : 0;
  if (dimensions == 1 || dimensions == 2) H5Sget_simple_extent_dims(space, extent, NULL);
  dataset->class = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
  dataset->size = type >= 0 ? H5Tget_size(type) : 0;
  dataset->fixed = dataset->class == H5T_STRING && H5Tis_variable_str(type) == 0;
  bool failed = space < 0 || type < 0 || dimensions < 0;
  if (type >= 0) H5Tclose(type);
  if (space >= 0) H5Sclose(space);
  if (failed) return damaged(info);
  memcpy(dataset->extent, extent, sizeof extent);
  bool text = dataset->fixed && dataset->size <= TEXT_MAX && extent[0] * extent[1] == 1 && kind != H5S_NULL;
  bool numbers = (dataset->class == H5T_INTEGER || dataset->class == H5T_FLOAT) && dataset->size <= LARGEST_NUMBER;
  if (!text && !(numbers && (dimensions == 1 || dimensions == 2))) return IRZ_OK;
  dataset->dimensions = text ? 1 : dimensions;
  return check_storage(info, dataset, name);
}

/// Open a dataset and find out what it is; its id is negative if there is none of that name.
static IrzCode open_dataset(Info *info, hid_t group, const char *name, Dataset *dataset) {
  *dataset = (Dataset){.id = H5I_INVALID_HID};
  IRZ_TRY(open_object(info, group, name, H5I_DATASET, &dataset->id));
  if (dataset->id < 0) return IRZ_OK;
  IrzCode code = describe_dataset(info, dataset, name);
  if (code == IRZ_OK) return IRZ_OK;
  H5Dclose(dataset->id);
  dataset->id = H5I_INVALID_HID;
  return code;
}

/// Sum of a one-dimensional dataset of counts (one per part).
static IrzCode sum_counts(Info *info, hid_t group, const char *name, int64_t *parts, int64_t *sum) {
  enum { MOST_PARTS = 1048576 };
  int64_t *values = NULL;
  Dataset dataset;
  IRZ_TRY(open_dataset(info, group, name, &dataset));
  if (dataset.id < 0) return bad_file(info, "no /VTKHDF/%s", name);
  *sum = 0;
  *parts = dataset.dimensions == 1 && dataset.class == H5T_INTEGER ? (int64_t)dataset.extent[0] : 0;
  IrzCode code = IRZ_OK;
  if (*parts < 1 || *parts > MOST_PARTS) code = bad_file(info, "its number of parts makes no sense");
  if (code == IRZ_OK) code = irz_alloc(&values, (size_t)*parts, sizeof *values, info->error);
  if (code == IRZ_OK && H5Dread(dataset.id, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) {
    code = damaged(info);
  }
  for (int64_t i = 0; i < *parts && code == IRZ_OK; i++) {
    if (values[i] < 0 || values[i] > INT64_MAX / 64 / MOST_PARTS) {
      code = bad_file(info, "its counts make no sense");
    } else {
      *sum += values[i];
    }
  }
  free(values);
  H5Dclose(dataset.id);
  return code;
}

/// Called with rows that have been read.
typedef void (*Take)(void *context, const double *values, hsize_t rows, hsize_t components);

/// Read a dataset of numbers piece by piece.
static IrzCode read_pieces(const Info *info, const Dataset *dataset, Take take, void *context) {
  const hsize_t rows = dataset->extent[0], components = dataset->extent[1], step = PIECE / components;
  hid_t in_file = H5Dget_space(dataset->id);
  IrzCode code = in_file >= 0 ? IRZ_OK : damaged(info);
  for (hsize_t first = 0; first < rows && code == IRZ_OK; first += step) {
    hsize_t corner[2] = {first, 0}, extent[2] = {rows - first < step ? rows - first : step, components};
    hid_t in_memory = H5Screate_simple(dataset->dimensions, extent, NULL);
    bool read = in_memory >= 0 && H5Sselect_hyperslab(in_file, H5S_SELECT_SET, corner, NULL, extent, NULL) >= 0 &&
                H5Dread(dataset->id, H5T_NATIVE_DOUBLE, in_memory, in_file, H5P_DEFAULT, info->piece) >= 0;
    if (read) take(context, info->piece, extent[0], components);
    if (!read) code = damaged(info);
    if (in_memory >= 0) H5Sclose(in_memory);
  }
  if (in_file >= 0) H5Sclose(in_file);
  return code;
}

/// Widen a range by values, or by the lengths of vectors.
static void take_range(void *context, const double *values, hsize_t rows, hsize_t components) {
  double *range = context;
  for (hsize_t i = 0; i < rows; i++) {
    double value = values[i * components];
    if (components > 1) {
      double sum = 0;
      for (hsize_t c = 0; c < components; c++) sum += pow(values[i * components + c], 2);
      value = sqrt(sum);
    }
    if (value < range[0]) range[0] = value;
    if (value > range[1]) range[1] = value;
  }
}

/// Widen a box by points.
static void take_box(void *context, const double *values, hsize_t rows, hsize_t components) {
  double(*box)[3] = context;
  for (hsize_t i = 0; i < rows * components; i++) {
    box[0][i % 3] = fmin(box[0][i % 3], values[i]);
    box[1][i % 3] = fmax(box[1][i % 3], values[i]);
  }
}

/// The listing of a group's arrays.
typedef struct {
  Info *info;
  hsize_t rows; ///< every array must have this many
  int listed;
} Listing;

/// Print one array: name, components, range.
static IrzCode print_array(Listing *listing, hid_t group, const char *name) {
  Info *info = listing->info;
  Dataset dataset;
  IRZ_TRY(open_dataset(info, group, name, &dataset));
  if (dataset.id < 0) return IRZ_OK;
  IrzCode code = IRZ_OK;
  double range[2] = {INFINITY, -INFINITY};
  const hsize_t *extent = dataset.extent;
  if (dataset.dimensions > 0 && dataset.class != H5T_STRING) {
    if (extent[0] != listing->rows || extent[1] < 1 || extent[1] > 64) {
      code = bad_file(info, "array %s does not fit the grid", name);
    } else {
      code = read_pieces(info, &dataset, take_range, range);
    }
    if (code == IRZ_OK) {
      char shown[256];
      fprintf(info->out, "    %-26s %s %.6g to %.6g\n", irz_utf8_shown(name, shown),
              extent[1] > 1 ? "length" : "      ", range[0], range[1]);
    }
  }
  H5Dclose(dataset.id);
  return code;
}

/// Called by H5Literate with a name in a group. A group that somebody has added is none of our business.
static herr_t visit_name(hid_t group, const char *name, const H5L_info_t *link, void *data) {
  Listing *listing = data;
  if (listing->listed == LISTED) return 1;
  if (link->type == H5L_TYPE_HARD) {
    hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    H5I_type_t type = object >= 0 ? H5Iget_type(object) : H5I_DATASET;
    if (object >= 0) H5Oclose(object);
    if (type != H5I_DATASET) return 0;
  }
  listing->listed++;
  return print_array(listing, group, name) == IRZ_OK ? 0 : -1;
}

static IrzCode print_arrays(Info *info, hid_t parent, const char *name, const char *title, int64_t rows) {
  hid_t group;
  Listing listing = {info, (hsize_t)rows, 0};
  IRZ_TRY(open_object(info, parent, name, H5I_GROUP, &group));
  if (group < 0) return IRZ_OK; /* no arrays */
  fprintf(info->out, "  %s\n", title);
  herr_t ended = H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, visit_name, &listing);
  H5Gclose(group);
  if (ended > 0) fprintf(info->out, "    ... and more\n");
  if (ended < 0 && info->error->code == IRZ_OK) damaged(info);
  return info->error->code;
}

/// Read a fixed-size string dataset.
/// @param[out] text  to be released with free(); NULL if there is no such text
static IrzCode read_text(Info *info, hid_t group, const char *name, char **text) {
  Dataset dataset;
  *text = NULL;
  IRZ_TRY(open_dataset(info, group, name, &dataset));
  if (dataset.id < 0) return IRZ_OK;
  IrzCode code = IRZ_OK;
  if (dataset.dimensions > 0 && dataset.fixed) {
    code = irz_alloc(text, dataset.size + 1, 1, info->error);
    hid_t type = code == IRZ_OK ? H5Dget_type(dataset.id) : H5I_INVALID_HID;
    if (code == IRZ_OK && H5Dread(dataset.id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *text) < 0) code = damaged(info);
    if (type >= 0) H5Tclose(type);
  } else {
    code = bad_file(info, "its %s is not a text", name);
  }
  H5Dclose(dataset.id);
  if (code == IRZ_OK) return IRZ_OK;
  free(*text);
  *text = NULL;
  return code;
}

/// A number of an object, or NaN.
static double get(const json_t *object, const char *key) {
  const json_t *value = json_object_get(object, key);
  return json_is_number(value) ? json_number_value(value) : NAN;
}

/// A text of an object, fit to be shown.
static const char *get_text(const json_t *object, const char *key, char shown[256]) {
  const char *text = json_string_value(json_object_get(object, key));
  return irz_utf8_shown(text != NULL ? text : "?", shown);
}

/// The main numbers of a summary.
static void print_summary(const json_t *root, FILE *out) {
  char a[256], b[256], c[256];
  fprintf(out, "  plan \"%s\", computed with irezone %s: %s\n", get_text(root, "plan", a), get_text(root, "irezone", b),
          get_text(root, "status", c));
  size_t i;
  const json_t *pulse;
  json_array_foreach(json_object_get(root, "pulses"), i, pulse) {
    if (i == LISTED) fprintf(out, "    ... and more\n");
    if (i >= LISTED) break;
    fprintf(out, "    %s → %s: %.4g V, %.4g A, %.4g Ω\n", get_text(pulse, "from", a), get_text(pulse, "to", b),
            get(pulse, "voltage_V"), get(pulse, "current_A"), get(pulse, "resistance_ohm"));
  }
  const json_t *zone = json_object_get(root, "zone");
  double error = get(zone, "volume_error_cm3");
  fprintf(out, "    zone: %.5g", get(zone, "volume_cm3"));
  if (isfinite(error)) fprintf(out, " ± %.2g", error);
  fprintf(out, " cm³ at %.4g V/cm\n", get(zone, "threshold_V_per_cm"));
  const json_t *warning;
  json_array_foreach(json_object_get(root, "warnings"), i, warning) {
    if (i == LISTED) fprintf(out, "    ... and more\n");
    if (i >= LISTED) break;
    if (!json_is_string(warning)) continue;
    fprintf(out, "    warning: ");
    print_text(out, json_string_value(warning));
    fputc('\n', out);
  }
}

/// Read the stored summary and print it.
static IrzCode show_summary(Info *info) {
  hid_t group;
  char *text = NULL;
  IRZ_TRY(open_object(info, info->file.id, "irezone", H5I_GROUP, &group));
  if (group >= 0) {
    read_text(info, group, "summary", &text);
    H5Gclose(group);
  }
  IRZ_TRY(info->error->code);
  if (text == NULL || text[0] == '\0') {
    fprintf(info->out, "  no summary is stored in it\n");
    free(text);
    return IRZ_OK;
  }
  irz_json_watch();
  json_t *root = json_loads(text, 0, NULL);
  free(text);
  if (!irz_json_watched()) {
    json_decref(root);
    return irz_out_of_memory(0, info->error);
  }
  if (json_is_object(root)) {
    print_summary(root, info->out);
  } else {
    bad_file(info, "its summary is not JSON");
  }
  json_decref(root);
  return info->error->code;
}

/// The bounding box of the points.
static IrzCode print_box(Info *info, hid_t group, int64_t points) {
  Dataset dataset;
  double box[2][3] = {{INFINITY, INFINITY, INFINITY}, {-INFINITY, -INFINITY, -INFINITY}};
  IRZ_TRY(open_dataset(info, group, "Points", &dataset));
  if (dataset.id < 0) return bad_file(info, "no /VTKHDF/Points");
  IrzCode code = IRZ_OK;
  if (dataset.dimensions != 2 || dataset.extent[0] != (hsize_t)points || dataset.extent[1] != 3) {
    code = bad_file(info, "its points do not fit");
  } else {
    code = read_pieces(info, &dataset, take_box, box);
  }
  H5Dclose(dataset.id);
  if (code == IRZ_OK && points > 0) {
    fprintf(info->out, "  x %.4g to %.4g, y %.4g to %.4g, z %.4g to %.4g mm\n", box[0][0], box[1][0], box[0][1],
            box[1][1], box[0][2], box[1][2]);
  }
  return code;
}

static IrzCode print_grid(Info *info, hid_t group) {
  int64_t parts = 0, points = 0, cells = 0;
  IRZ_TRY(sum_counts(info, group, "NumberOfPoints", &parts, &points));
  IRZ_TRY(sum_counts(info, group, "NumberOfCells", &parts, &cells));
  print_text(info->out, info->path);
  fprintf(info->out, ": VTKHDF, %lld cells, %lld points, %lld %s\n", (long long)cells, (long long)points,
          (long long)parts, parts == 1 ? "part" : "parts");
  IRZ_TRY(print_box(info, group, points));
  IRZ_TRY(print_arrays(info, group, "PointData", "arrays on points", points));
  return print_arrays(info, group, "CellData", "arrays on cells", cells);
}

static IrzCode print_file(Info *info) {
  hid_t group;
  IRZ_TRY(open_object(info, info->file.id, "VTKHDF", H5I_GROUP, &group));
  if (group < 0) return bad_file(info, "an HDF5 file, but not VTKHDF");
  IrzCode code = irz_alloc(&info->piece, PIECE, sizeof *info->piece, info->error);
  if (code == IRZ_OK) code = print_grid(info, group);
  free(info->piece);
  H5Gclose(group);
  return code == IRZ_OK ? show_summary(info) : code;
}

IrzCode irz_result_print(const char *path, FILE *out, IrzError *error) {
  IRZ_ENTER_ALONE(error);
  IRZ_NEED(path != NULL && out != NULL);
  IrzError own = {0};
  Info info = {.path = path, .out = out, .error = &own};
  if (irz_hdf_open(&info.file, path, &own) == IRZ_OK) {
    info.budget = EXPANSION * (double)info.file.size + SMALL;
    print_file(&info);
    irz_hdf_close(&info.file);
  }
  if (own.code != IRZ_OK && error != NULL) *error = own;
  return own.code;
}
