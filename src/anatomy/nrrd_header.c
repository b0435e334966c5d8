/* NRRD headers; see nrrd_header.h. What is said of segments follows 3D Slicer (vtkMRMLSegmentationStorageNode.cxx):
   it stops at the first segment without an ID, a segment without a layer is in the layer of its own number, and one
   without a value has 1. */
#define _GNU_SOURCE /* strtod_l, memmem */
#include "anatomy/nrrd_header.h"
#include "base/entry.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/utf8.h"
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <nifti1.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_HEADER 4194304 // bytes
#define MAX_SEGMENTS 65536

/// A header while it is read.
typedef struct {
  IrzNrrdHeader *header;
  IrzImage *image;
  IrzError *error;
  int line;
  IrzLabelInfo *segment; ///< [n_segments] by number
  bool *identified;      ///< [n_segments] has an ID
  int n_segments;
} Reading;

/// Refuse a line.
static IrzCode refuse(const Reading *reading, const char *field, const char *what, const char *value) {
  char shown[60];
  snprintf(shown, sizeof shown, "%.59s", value);
  irz_utf8_clean(shown);
  return irz_error_set(reading->error, IRZ_ERR_INPUT, "%s:%d: %s: is \"%s\"; %s", reading->header->path, reading->line,
                       field, shown, what);
}

/// The next number of a text.
static bool next_number(char **text, double *value) {
  char *end;
  *value = strtod_l(*text, &end, irz_c_locale());
  if (end == *text) return false;
  *text = end;
  return true;
}

static void skip_blanks(char **text) {
  *text += strspn(*text, " \t");
}

/// Whole numbers, as many as there are.
/// @return how many; -1: something else stands there
static int whole_numbers(char *text, int most, long long *values) {
  int n = 0;
  for (skip_blanks(&text); *text != '\0'; skip_blanks(&text)) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || n == most || errno != 0 || (*end != '\0' && *end != ' ' && *end != '\t')) return -1;
    values[n++] = value;
    text = end;
  }
  return n;
}

/// One whole number of a field.
static IrzCode read_whole(const Reading *reading, const char *field, char *value, long long least, long long most,
                          long long *number) {
  char wanted[100];
  if (whole_numbers(value, 1, number) == 1 && *number >= least && *number <= most) return IRZ_OK;
  snprintf(wanted, sizeof wanted, "a whole number of %lld to %lld is wanted", least, most);
  return refuse(reading, field, wanted, value);
}

static IrzCode read_sizes(const Reading *reading, char *value) {
  IrzNrrdHeader *h = reading->header;
  h->n_sizes = whole_numbers(value, IRZ_NRRD_MAX_DIMENSION, h->size);
  for (int d = 0; d < h->n_sizes; d++) {
    if (h->size[d] < 1) return refuse(reading, "sizes", "each must be at least 1", value);
  }
  return h->n_sizes > 0 ? IRZ_OK : refuse(reading, "sizes", "whole numbers are wanted, one for each axis", value);
}

static IrzCode read_type(const Reading *reading, char *value) {
  static const struct {
    int datatype;
    const char *names[8];
  } types[] = {{DT_INT8, {"signed char", "int8", "int8_t"}},
               {DT_UINT8, {"unsigned char", "uchar", "uint8", "uint8_t"}},
               {DT_INT16, {"short", "short int", "signed short", "signed short int", "int16", "int16_t"}},
               {DT_UINT16, {"unsigned short", "ushort", "unsigned short int", "uint16", "uint16_t"}},
               {DT_INT32, {"int", "signed int", "int32", "int32_t"}},
               {DT_UINT32, {"unsigned int", "uint", "uint32", "uint32_t"}},
               {DT_INT64, {"longlong", "long long", "long long int", "signed long long", "int64", "int64_t"}},
               {DT_UINT64, {"unsigned long long", "ulonglong", "unsigned long long int", "uint64", "uint64_t"}},
               {DT_FLOAT32, {"float"}},
               {DT_FLOAT64, {"double"}}};
  for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
    for (int n = 0; n < 8 && types[t].names[n] != NULL; n++) {
      if (strcmp(value, types[t].names[n]) != 0) continue;
      reading->header->datatype = types[t].datatype;
      reading->header->has_type = true;
      return IRZ_OK;
    }
  }
  if (strcmp(value, "signed long long int") == 0) { /* the one that does not fit above */
    reading->header->datatype = DT_INT64;
    reading->header->has_type = true;
    return IRZ_OK;
  }
  return refuse(reading, "type", "a label map has integers of 8 to 64 bits, float or double", value);
}

static IrzCode read_encoding(const Reading *reading, char *value) {
  static const struct {
    const char *name;
    IrzNrrdEncoding encoding;
  } known[] = {{"raw", IRZ_NRRD_RAW},   {"gzip", IRZ_NRRD_GZIP},   {"gz", IRZ_NRRD_GZIP},    {"bzip2", IRZ_NRRD_BZIP2},
               {"bz2", IRZ_NRRD_BZIP2}, {"ascii", IRZ_NRRD_ASCII}, {"text", IRZ_NRRD_ASCII}, {"txt", IRZ_NRRD_ASCII}};
  for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
    if (strcmp(value, known[k].name) != 0) continue;
    reading->header->encoding = known[k].encoding;
    reading->header->has_encoding = true;
    return IRZ_OK;
  }
  return refuse(reading, "encoding", "raw, gzip, bzip2 or ascii is wanted", value);
}

static IrzCode read_endian(const Reading *reading, char *value) {
  reading->header->has_endian = true;
  reading->header->big_endian = strcmp(value, "big") == 0;
  if (reading->header->big_endian || strcmp(value, "little") == 0) return IRZ_OK;
  return refuse(reading, "endian", "little or big is wanted", value);
}

/// The frame: which way the axes of space point.
static IrzCode read_space(const Reading *reading, char *value) {
  static const struct {
    const char *name, *brief;
    double sign[3];
  } spaces[] = {{"left-posterior-superior", "LPS", {-1, -1, 1}},
                {"right-anterior-superior", "RAS", {1, 1, 1}},
                {"left-anterior-superior", "LAS", {-1, 1, 1}}};
  for (int s = 0; s < 3; s++) {
    if (strcasecmp(value, spaces[s].name) != 0 && strcasecmp(value, spaces[s].brief) != 0) continue;
    memcpy(reading->header->sign, spaces[s].sign, sizeof spaces[s].sign);
    reading->header->has_space = true;
    return IRZ_OK;
  }
  return refuse(reading, "space",
                "it does not say where the patient's left is: left-posterior-superior, right-anterior-superior or "
                "left-anterior-superior is wanted",
                value);
}

static IrzCode read_units(const Reading *reading, char *value) {
  static const struct {
    const char *name;
    double unit;
  } units[] = {{"mm", 1e-3}, {"cm", 1e-2}, {"m", 1}, {"um", 1e-6}};
  char first[24] = "";
  double unit = 0;
  for (char *c = value; *c != '\0';) {
    char name[24] = "";
    int taken = 0;
    if (sscanf(c, " \"%23[^\"]\"%n", name, &taken) != 1 || taken == 0) {
      return refuse(reading, "space units", "one unit in quotes for each axis of space is wanted", value);
    }
    if (first[0] != '\0' && strcmp(first, name) != 0) {
      return refuse(reading, "space units", "the same unit is wanted for all", value);
    }
    memcpy(first, name, sizeof first);
    c += taken;
    skip_blanks(&c);
  }
  for (int u = 0; u < 4; u++) {
    if (strcmp(first, units[u].name) == 0) unit = units[u].unit;
  }
  if (unit == 0) return refuse(reading, "space units", "mm, cm, m or um is wanted", value);
  reading->header->unit = unit;
  snprintf(reading->header->unit_name, sizeof reading->header->unit_name, "%s", first);
  return IRZ_OK;
}

/// "(1,2,3)"
static bool read_vector(char **text, double vector[3]) {
  char *c = *text;
  if (*c++ != '(') return false;
  for (int k = 0; k < 3; k++) {
    if (!next_number(&c, &vector[k])) return false;
    skip_blanks(&c);
    if (*c++ != (k < 2 ? ',' : ')')) return false;
  }
  *text = c;
  return true;
}

static IrzCode read_directions(const Reading *reading, char *value) {
  IrzNrrdHeader *h = reading->header;
  char *c = value;
  int n = 0;
  for (skip_blanks(&c); *c != '\0'; skip_blanks(&c)) {
    bool none = strncmp(c, "none", 4) == 0;
    if (n == IRZ_NRRD_MAX_DIMENSION || (!none && !read_vector(&c, h->direction[n]))) {
      return refuse(reading, "space directions",
                    "a vector of three numbers as (1,0,0), or none, is wanted of each axis", value);
    }
    if (none) c += 4;
    h->in_space[n++] = !none;
  }
  h->n_directions = n;
  return IRZ_OK;
}

static IrzCode read_origin(const Reading *reading, char *value) {
  char *c = value;
  reading->header->has_origin = read_vector(&c, reading->header->origin);
  return reading->header->has_origin
             ? IRZ_OK
             : refuse(reading, "space origin", "a vector of three numbers as (0,0,0) is wanted", value);
}

/// Numbers, one for each axis; "nan" where there is none.
static IrzCode read_axes(const Reading *reading, const char *field, char *value,
                         double numbers[IRZ_NRRD_MAX_DIMENSION]) {
  char *c = value;
  int n = 0;
  for (skip_blanks(&c); *c != '\0' && n < IRZ_NRRD_MAX_DIMENSION; skip_blanks(&c)) {
    if (!next_number(&c, &numbers[n++])) return refuse(reading, field, "a number for each axis is wanted", value);
  }
  return IRZ_OK;
}

static IrzCode read_data_file(const Reading *reading, char *value) {
  if (strncmp(value, "LIST", 4) == 0 || strchr(value, '%') != NULL) {
    return refuse(reading, "data file", "the voxels must be in one file; save the image as one .nrrd", value);
  }
  if (value[0] == '\0' || strlen(value) >= sizeof reading->header->data_file) {
    return refuse(reading, "data file", "the name of a file is wanted", value);
  }
  snprintf(reading->header->data_file, sizeof reading->header->data_file, "%s", value);
  return IRZ_OK;
}

/// A field of the format. Those that do not matter for labels are passed over.
static IrzCode read_field(const Reading *reading, const char *field, char *value) {
  IrzNrrdHeader *h = reading->header;
  long long number = 0;
  if (strcmp(field, "dimension") == 0) {
    IRZ_TRY(read_whole(reading, field, value, 1, IRZ_NRRD_MAX_DIMENSION, &number));
    h->dimension = (int)number;
    return IRZ_OK;
  }
  if (strcmp(field, "space dimension") == 0) return read_whole(reading, field, value, 3, 3, &number);
  if (strcmp(field, "byte skip") == 0 || strcmp(field, "byteskip") == 0) {
    return read_whole(reading, "byte skip", value, -1, LLONG_MAX / 4, &h->byte_skip);
  }
  if (strcmp(field, "line skip") == 0 || strcmp(field, "lineskip") == 0) {
    return read_whole(reading, "line skip", value, 0, LLONG_MAX / 4, &h->line_skip);
  }
  if (strcmp(field, "sizes") == 0) return read_sizes(reading, value);
  if (strcmp(field, "type") == 0) return read_type(reading, value);
  if (strcmp(field, "encoding") == 0) return read_encoding(reading, value);
  if (strcmp(field, "kinds") == 0) {
    snprintf(h->kind, sizeof h->kind, "%.*s", (int)strcspn(value, " \t"), value);
    return IRZ_OK;
  }
  if (strcmp(field, "endian") == 0) return read_endian(reading, value);
  if (strcmp(field, "space") == 0) return read_space(reading, value);
  if (strcmp(field, "space units") == 0) return read_units(reading, value);
  if (strcmp(field, "space directions") == 0) return read_directions(reading, value);
  if (strcmp(field, "space origin") == 0) return read_origin(reading, value);
  if (strcmp(field, "spacings") == 0) return read_axes(reading, field, value, h->spacing);
  if (strcmp(field, "axis mins") == 0 || strcmp(field, "axismins") == 0) {
    return read_axes(reading, "axis mins", value, h->axis_min);
  }
  if (strcmp(field, "data file") == 0 || strcmp(field, "datafile") == 0) return read_data_file(reading, value);
  return IRZ_OK;
}

/// Turn \n and \\ of a value into what they stand for.
static void unescape(char *value) {
  char *to = value;
  for (const char *c = value; *c != '\0'; c++) {
    if (c[0] == '\\' && (c[1] == 'n' || c[1] == '\\')) {
      c++;
      *to++ = *c == 'n' ? ' ' : '\\';
    } else {
      *to++ = *c;
    }
  }
  *to = '\0';
}

/// A key and its value: of segments, those are wanted that tell their labels.
static IrzCode read_key(Reading *reading, const char *key, char *value) {
  static const char prefix[] = "Segment";
  char *what;
  if (strncmp(key, prefix, sizeof prefix - 1) != 0 || key[7] < '0' || key[7] > '9') return IRZ_OK;
  long number = strtol(key + 7, &what, 10);
  if (*what != '_' || number < 0 || number >= MAX_SEGMENTS) return IRZ_OK;
  if (number >= reading->n_segments) {
    size_t n = (size_t)number + 16;
    IRZ_TRY(irz_resize(&reading->segment, n, sizeof *reading->segment, reading->error));
    IRZ_TRY(irz_resize(&reading->identified, n, sizeof *reading->identified, reading->error));
    for (; reading->n_segments < (int)n; reading->n_segments++) {
      reading->segment[reading->n_segments] =
          (IrzLabelInfo){.value = 1, .layer = reading->n_segments, .region = -1, .color = {-1, -1, -1}};
      reading->identified[reading->n_segments] = false;
    }
  }
  IrzLabelInfo *segment = &reading->segment[number];
  long long whole = 0;
  what++;
  unescape(value);
  skip_blanks(&value);
  for (size_t n = strlen(value); n > 0 && (value[n - 1] == ' ' || value[n - 1] == '\t'); n--) value[n - 1] = '\0';
  if (strcmp(what, "ID") == 0) reading->identified[number] = true;
  if (strcmp(what, "Name") == 0 || (strcmp(what, "ID") == 0 && segment->name[0] == '\0')) {
    snprintf(segment->name, sizeof segment->name, "%s", value);
    irz_utf8_clean(segment->name);
  } else if (strcmp(what, "LabelValue") == 0) {
    IRZ_TRY(read_whole(reading, key, value, INT_MIN, INT_MAX, &whole));
    segment->value = whole;
  } else if (strcmp(what, "Layer") == 0) {
    IRZ_TRY(read_whole(reading, key, value, 0, MAX_SEGMENTS, &whole));
    segment->layer = (int)whole;
  } else if (strcmp(what, "Color") == 0) {
    double color[3];
    char *c = value;
    bool all = next_number(&c, &color[0]) && next_number(&c, &color[1]) && next_number(&c, &color[2]);
    for (int k = 0; k < 3 && all; k++) segment->color[k] = (float)fmin(fmax(color[k], 0), 1);
  }
  return IRZ_OK;
}

/// One line without its end.
static IrzCode read_line(Reading *reading, char *line) {
  if (line[0] == '#') return IRZ_OK;
  char *colon = strchr(line, ':');
  if (colon == NULL) return refuse(reading, "header", "\"field: value\" or \"key:=value\" is wanted", line);
  char *value = colon + 1;
  if (*value == '=') {
    *colon = '\0';
    return read_key(reading, line, value + 1);
  }
  *colon = '\0';
  skip_blanks(&value);
  size_t length = strlen(value);
  while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t')) value[--length] = '\0';
  return read_field(reading, line, value);
}

/// Read the file up to the empty line behind the header, or to its end.
/// @param[out] text   lines, with a zero behind; to be freed
static IrzCode load_header(int descriptor, const char *path, char **text, size_t *size, IrzError *error) {
  size_t room = 0;
  *text = NULL;
  *size = 0;
  for (;;) {
    if (room - *size < 4096) {
      room = room == 0 ? 16384 : 2 * room;
      IRZ_TRY(irz_resize(text, room + 1, 1, error));
    }
    ssize_t got = pread(descriptor, *text + *size, room - *size, (off_t)*size);
    if (got < 0) return irz_error_set(error, IRZ_ERR_INPUT, "%s: %s", path, strerror(errno));
    *size += (size_t)got;
    (*text)[*size] = '\0';
    const char *end = memmem(*text, *size, "\n\n", 2), *crlf = memmem(*text, *size, "\n\r\n", 3);
    if (got == 0 || end != NULL || crlf != NULL) return IRZ_OK;
    if (*size > MAX_HEADER) {
      return irz_error_set(error, IRZ_ERR_INPUT, "%s: the header is longer than %d bytes; is this a NRRD file?", path,
                           MAX_HEADER);
    }
  }
}

/// All lines, and what the header must have.
static IrzCode read_lines(Reading *reading, char *text, size_t size) {
  IrzNrrdHeader *h = reading->header;
  bool ended = false;
  char *next = text;
  for (reading->line = 1; next < text + size && !ended; reading->line++) {
    char *line = next, *end = memchr(line, '\n', size - (size_t)(line - text));
    next = end != NULL ? end + 1 : text + size;
    size_t length = end != NULL ? (size_t)(end - line) : (size_t)(text + size - line);
    if (length > 0 && line[length - 1] == '\r') length--;
    line[length] = '\0';
    ended = length == 0;
    if (strlen(line) < length) {
      return irz_error_set(reading->error, IRZ_ERR_INPUT, "%s:%d: the header contains a zero byte", h->path,
                           reading->line);
    }
    if (reading->line == 1) {
      if (strncmp(line, "NRRD000", 7) != 0 || line[7] < '1' || line[7] > '5' || line[8] != '\0')
        return refuse(reading, "header", "NRRD0001 to NRRD0005 are known", line);
      continue;
    }
    if (!ended) IRZ_TRY(read_line(reading, line));
  }
  h->data = next - text;
  if (!ended && h->data_file[0] == '\0') {
    return irz_error_set(reading->error, IRZ_ERR_INPUT,
                         "%s: the file is cut off: no empty line ends the header, and it names no data file", h->path);
  }
  const char *lacking = h->dimension == 0 ? "dimension" : h->n_sizes == 0 ? "sizes" : NULL;
  if (!h->has_encoding) lacking = "encoding";
  if (!h->has_type) lacking = "type";
  if (lacking != NULL) {
    return irz_error_set(reading->error, IRZ_ERR_INPUT, "%s: the header has no field \"%s\"", h->path, lacking);
  }
  if (h->n_sizes == h->dimension) return IRZ_OK;
  return irz_error_set(reading->error, IRZ_ERR_INPUT, "%s: sizes: has %d numbers; dimension is %d", h->path, h->n_sizes,
                       h->dimension);
}

IrzCode irz_nrrd_header(int descriptor, IrzImage *image, IrzNrrdHeader *header, IrzError *error) {
  char *text;
  size_t size;
  *header = (IrzNrrdHeader){.path = image->path, .unit = 1e-3, .sign = {-1, -1, 1}};
  for (int d = 0; d < IRZ_NRRD_MAX_DIMENSION; d++) header->spacing[d] = header->axis_min[d] = NAN;
  Reading reading = {.header = header, .image = image, .error = error};
  IrzCode code = load_header(descriptor, image->path, &text, &size, error);
  if (code == IRZ_OK) code = read_lines(&reading, text, size);
  for (int s = 0; code == IRZ_OK && s < reading.n_segments && reading.identified[s]; s++) {
    code = irz_image_add_label(image, &reading.segment[s], error);
  }
  free(text);
  free(reading.segment);
  free(reading.identified);
  return code;
}
