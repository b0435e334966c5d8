/* NRRD images of labels, those of 3D Slicer's segmentations among them (.seg.nrrd): one number at a voxel, or several
   in layers where segments overlap. */
#define _GNU_SOURCE /* strtod_l */
#include "anatomy/nrrd_header.h"
#include "base/entry.h"
#include "base/input.h"
#include "base/memory.h"
#include "base/number.h"
#include <math.h>
#include <nifti1_io.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_LAYERS 4096

/// An open file.
typedef struct {
  IrzNrrdHeader header;
  char *path;          ///< of the data, as it is named to a person
  int descriptor;      ///< of the header
  int data_descriptor; ///< of the data: the same, or their own file's
  IrzStream stream;
  int bytes, swap_size; ///< of a number, and of the unit that is swapped; 0: none is
  void *stored;         ///< [IRZ_IMAGE_PIECE] numbers
  size_t text_used, n_text;
} Nrrd;

/// Whether an axis of this kind can be one of layers, and not of times, colours or vectors.
static bool is_list(const char *kind) {
  return kind[0] == '\0' || strcmp(kind, "list") == 0 || strcmp(kind, "none") == 0 || strcmp(kind, "???") == 0;
}

/// The three axes of space, and the layers.
/// @param[out] axis  number of each axis of space
static IrzCode find_axes(const IrzNrrdHeader *h, IrzImage *image, int axis[3], IrzError *error) {
  int n = 0;
  image->layers = 1;
  if (h->n_directions != 0 && h->n_directions != h->dimension) {
    return irz_error_set(error, IRZ_ERR_INPUT, "%s: space directions: has %d; dimension is %d", h->path,
                         h->n_directions, h->dimension);
  }
  for (int d = 0; d < h->dimension; d++) {
    bool space = h->n_directions > 0 ? h->in_space[d] : h->dimension == 3;
    if (space && n < 3) {
      axis[n++] = d;
    } else if (!space && d == 0 && h->dimension == 4 && h->size[0] <= MAX_LAYERS && is_list(h->kind)) {
      image->layers = (int)h->size[0];
    } else if (h->size[d] != 1) {
      return irz_error_set(
          error, IRZ_ERR_INPUT,
          "%s: %lld numbers along axis %d%s%s%s; a label map has three axes of space and, before them, "
          "at most one of up to %d layers",
          h->path, h->size[d], d + 1, d == 0 && h->kind[0] != '\0' ? " (" : "", d == 0 ? h->kind : "",
          d == 0 && h->kind[0] != '\0' ? ")" : "", MAX_LAYERS);
    }
  }
  if (n < 3) {
    return irz_error_set(error, IRZ_ERR_INPUT, "%s: the image has %d axes of space; 3 are wanted", h->path, n);
  }
  double voxels = 1;
  for (int k = 0; k < 3; k++) {
    voxels *= (double)h->size[axis[k]];
    image->size[k] = h->size[axis[k]] > IRZ_IMAGE_MAX_VOXELS ? IRZ_IMAGE_MAX_VOXELS : (int)h->size[axis[k]];
  }
  if (voxels <= IRZ_IMAGE_MAX_VOXELS) return IRZ_OK;
  return irz_error_set(error, IRZ_ERR_INPUT, "%s: %lld x %lld x %lld voxels; at most %d are allowed", h->path,
                       h->size[axis[0]], h->size[axis[1]], h->size[axis[2]], IRZ_IMAGE_MAX_VOXELS);
}

/// Where the image lies, in RAS and m.
static IrzCode place(IrzPlan *plan, const IrzNrrdHeader *h, const int axis[3], IrzLabelMap *map, IrzError *error) {
  char unit[64];
  for (int e = 0; e < 3; e++) {
    double step[3] = {0, 0, 0};
    if (h->n_directions > 0) {
      memcpy(step, h->direction[axis[e]], sizeof step);
    } else if (isfinite(h->spacing[axis[e]])) {
      step[e] = h->spacing[axis[e]];
    } else {
      return irz_error_set(error, IRZ_ERR_INPUT,
                           "%s: the header has neither \"space directions\" nor \"spacings\", so that it is not known "
                           "how large the voxels are; save it from a program that knows, such as 3D Slicer",
                           h->path);
    }
    for (int d = 0; d < 3; d++) map->to_world[d][e] = h->sign[d] * step[d] * h->unit;
  }
  bool lacks = !h->has_origin;
  for (int d = 0; d < 3; d++) {
    double at = h->has_origin ? h->origin[d] : 0;
    if (!h->has_origin && h->n_directions == 0 && isfinite(h->axis_min[axis[d]])) {
      at = h->axis_min[axis[d]];
      lacks = false;
    }
    map->to_world[d][3] = h->sign[d] * at * h->unit;
  }
  if (!h->has_space || lacks) {
    irz_plan_warn(plan, "%s:%d: anatomy.labels: %s: %s%s%s", plan->file, plan->anatomy.line, h->path,
                  h->has_space ? ""
                               : "its space is not named and taken for left-posterior-superior, as Slicer and ITK do",
                  !h->has_space && lacks ? "; " : "", lacks ? "it has no origin, which is taken for 0" : "");
  }
  snprintf(unit, sizeof unit, "space units are %s", h->unit_name[0] != '\0' ? h->unit_name : "not stated, so mm");
  return irz_grid_finish(plan, map, "header (space directions)", unit, error);
}

/// Open the file of the voxels, if they are not behind the header.
static IrzCode open_data(Nrrd *nrrd, const char *header_path, off_t *size, IrzError *error) {
  const IrzNrrdHeader *h = &nrrd->header;
  if (h->data_file[0] == '\0') {
    nrrd->data_descriptor = nrrd->descriptor;
    return IRZ_OK;
  }
  const char *slash = strrchr(header_path, '/');
  size_t folder = h->data_file[0] != '/' && slash != NULL ? (size_t)(slash - header_path) + 1 : 0;
  size_t length = folder + strlen(h->data_file) + 1;
  IRZ_TRY(irz_alloc(&nrrd->path, length, 1, error));
  snprintf(nrrd->path, length, "%.*s%s", (int)folder, header_path, h->data_file);
  IrzError own = {.code = IRZ_OK};
  if (irz_file_open(nrrd->path, &nrrd->data_descriptor, size, &own) == IRZ_OK) return IRZ_OK;
  return irz_error_set(error, own.code, "%s: data file: %s", header_path, own.text);
}

/// Where lines of a text that stands before the data end.
static IrzCode skip_lines(const Nrrd *nrrd, off_t *at, IrzError *error) {
  char piece[4096];
  for (long long left = nrrd->header.line_skip; left > 0;) {
    ssize_t got = pread(nrrd->data_descriptor, piece, sizeof piece, *at);
    if (got <= 0) {
      return irz_error_set(error, IRZ_ERR_INPUT, "%s: line skip: the file has fewer than %lld lines before its data",
                           nrrd->header.path, nrrd->header.line_skip);
    }
    ssize_t used = 0;
    while (used < got && left > 0) left -= piece[used++] == '\n';
    *at += used;
  }
  return IRZ_OK;
}

/// Whether the file can hold the voxels, before anything is allocated for them.
static IrzCode check_size(const Nrrd *nrrd, double wanted, double has, IrzError *error) {
  static const double most[] = {1, IRZ_DEFLATE_MOST, 1.2e6, 0.5}; /* bytes that one byte can stand for, by encoding */
  IrzNrrdEncoding encoding = nrrd->header.encoding;
  if (encoding == IRZ_NRRD_ASCII) wanted /= nrrd->bytes;
  if ((has + 1) * most[encoding] >= wanted + (encoding == IRZ_NRRD_RAW)) return IRZ_OK;
  return irz_error_set(error, IRZ_ERR_INPUT,
                       "%s: the file is cut off, or its sizes are wrong: %.0f bytes of data are too few for %.0f %s",
                       nrrd->header.path, has, wanted, encoding == IRZ_NRRD_ASCII ? "numbers" : "bytes of voxels");
}

/// Go to the first voxel.
static IrzCode find_voxels(Nrrd *nrrd, const IrzImage *image, off_t size, IrzError *error) {
  const IrzNrrdHeader *h = &nrrd->header;
  const char *path = nrrd->path != NULL ? nrrd->path : image->path;
  off_t at = nrrd->data_descriptor == nrrd->descriptor ? h->data : 0;
  double numbers = (double)image->size[0] * image->size[1] * image->size[2] * image->layers;
  double wanted = numbers * nrrd->bytes;
  bool packed = h->encoding == IRZ_NRRD_GZIP || h->encoding == IRZ_NRRD_BZIP2;
  IRZ_TRY(skip_lines(nrrd, &at, error));
  double skip = packed ? (double)h->byte_skip : 0;
  if (h->byte_skip == -1) {
    if (h->encoding != IRZ_NRRD_RAW) {
      return irz_error_set(error, IRZ_ERR_INPUT, "%s: byte skip: is -1, which goes together with encoding: raw only",
                           h->path);
    }
    IRZ_TRY(check_size(nrrd, wanted, (double)(size - at), error));
    at = size - (off_t)wanted;
  } else if (!packed) {
    at = h->byte_skip < size - at ? at + (off_t)h->byte_skip : size;
  }
  IRZ_TRY(check_size(nrrd, wanted + skip, (double)(size - at), error));
  IrzStreamKind kind = h->encoding == IRZ_NRRD_GZIP    ? IRZ_STREAM_GZIP
                       : h->encoding == IRZ_NRRD_BZIP2 ? IRZ_STREAM_BZIP2
                                                       : IRZ_STREAM_PLAIN;
  IRZ_TRY(irz_stream_open(path, nrrd->data_descriptor, at, kind, &nrrd->stream, error));
  /* With compression the bytes to be skipped are among the expanded ones. */
  for (long long left = packed ? h->byte_skip : 0; left > 0;) {
    size_t now = left < IRZ_IMAGE_PIECE ? (size_t)left : IRZ_IMAGE_PIECE;
    IRZ_TRY(irz_stream_read(&nrrd->stream, nrrd->stored, now, error));
    left -= (long long)now;
  }
  return IRZ_OK;
}

/// The next numbers of an ASCII file.
static IrzCode next_text(Nrrd *nrrd, int n, double *value, IrzError *error) {
  char *text = nrrd->stored;
  const char *path = nrrd->stream.path;
  for (int i = 0; i < n;) {
    /* Have a whole number at hand: more than the longest one, or all that is left. */
    if (nrrd->n_text - nrrd->text_used < 400) {
      size_t got, left = nrrd->n_text - nrrd->text_used;
      memmove(text, text + nrrd->text_used, left);
      IRZ_TRY(irz_stream_some(&nrrd->stream, text + left, IRZ_IMAGE_PIECE - 1 - left, &got, error));
      nrrd->text_used = 0;
      nrrd->n_text = left + got;
      text[nrrd->n_text] = '\0';
    }
    char *at = text + nrrd->text_used, *end;
    size_t blanks = strspn(at, " \t\r\n,");
    if (blanks > 0) {
      nrrd->text_used += blanks;
      continue;
    }
    value[i] = strtod_l(at, &end, irz_c_locale());
    size_t length = (size_t)(end - at);
    if (nrrd->text_used == nrrd->n_text) {
      return irz_error_set(error, IRZ_ERR_INPUT, "%s: the file is cut off: it ends before its last voxel", path);
    }
    if (length == 0 || (*end != '\0' && strchr(" \t\r\n,", *end) == NULL)) {
      return irz_error_set(error, IRZ_ERR_INPUT, "%s: there is something in the data that is no number", path);
    }
    nrrd->text_used += length;
    i++;
  }
  return IRZ_OK;
}

static IrzCode next_voxels(IrzImage *image, int n, double *value, IrzError *error) {
  Nrrd *nrrd = image->format;
  int numbers = n * image->layers;
  if (nrrd->header.encoding == IRZ_NRRD_ASCII) return next_text(nrrd, numbers, value, error);
  IRZ_TRY(irz_stream_read(&nrrd->stream, nrrd->stored, (size_t)numbers * (size_t)nrrd->bytes, error));
  if (nrrd->swap_size > 1) nifti_swap_Nbytes((size_t)numbers, nrrd->swap_size, nrrd->stored);
  irz_voxels_convert(nrrd->header.datatype, nrrd->stored, numbers, value);
  return IRZ_OK;
}

static IrzCode end_voxels(IrzImage *image, IrzError *error) {
  Nrrd *nrrd = image->format;
  return irz_stream_end(&nrrd->stream, error);
}

static void close_file(IrzImage *image) {
  Nrrd *nrrd = image->format;
  if (nrrd == NULL) return;
  irz_stream_close(&nrrd->stream);
  if (nrrd->data_descriptor >= 0 && nrrd->data_descriptor != nrrd->descriptor) close(nrrd->data_descriptor);
  if (nrrd->descriptor >= 0) close(nrrd->descriptor);
  free(nrrd->stored);
  free(nrrd->path);
  free(nrrd);
  image->format = NULL;
}

/// Segments whose layer the file does not have.
static IrzCode check_layers(IrzImage *image, IrzError *error) {
  for (int l = 0; l < image->n_labels; l++) {
    IrzLabelInfo *label = &image->labels[l];
    if (image->layers == 1) label->layer = 0; /* older files number layers that they do not have */
    if (label->layer < image->layers) continue;
    return irz_error_set(error, IRZ_ERR_INPUT, "%s: segment %d (%s) is in layer %d; the file has layers 0 to %d",
                         image->path, l, label->name, label->layer, image->layers - 1);
  }
  return IRZ_OK;
}

/// Order of bytes of this machine.
static bool is_big_endian(void) {
  const uint16_t one = 1;
  return *(const uint8_t *)&one == 0;
}

/// How numbers are stored.
static IrzCode read_numbers(Nrrd *nrrd, IrzError *error) {
  const IrzNrrdHeader *h = &nrrd->header;
  nifti_datatype_sizes(h->datatype, &nrrd->bytes, &nrrd->swap_size);
  if (nrrd->bytes > 1 && h->encoding != IRZ_NRRD_ASCII && !h->has_endian) {
    return irz_error_set(error, IRZ_ERR_INPUT, "%s: the header has no field \"endian\", which numbers of %d bytes need",
                         h->path, nrrd->bytes);
  }
  if (h->big_endian == is_big_endian()) nrrd->swap_size = 0;
  return irz_alloc(&nrrd->stored, IRZ_IMAGE_PIECE, (size_t)nrrd->bytes, error);
}

IrzCode irz_nrrd_open(IrzPlan *plan, IrzLabelMap *map, IrzImage *image, IrzError *error) {
  Nrrd *nrrd;
  int axis[3] = {0, 1, 2};
  off_t size;
  IRZ_TRY(irz_alloc(&nrrd, 1, sizeof *nrrd, error));
  nrrd->descriptor = nrrd->data_descriptor = -1;
  image->format = nrrd;
  image->next = next_voxels;
  image->end = end_voxels;
  image->close = close_file;
  IRZ_TRY(irz_file_open(image->path, &nrrd->descriptor, &size, error));
  IRZ_TRY(irz_nrrd_header(nrrd->descriptor, image, &nrrd->header, error));
  IRZ_TRY(find_axes(&nrrd->header, image, axis, error));
  memcpy(map->size, image->size, sizeof image->size);
  IRZ_TRY(place(plan, &nrrd->header, axis, map, error));
  IRZ_TRY(check_layers(image, error));
  if (plan->anatomy.transform_stated) {
    irz_plan_warn(plan, "%s:%d: anatomy.transform: has no effect on NRRD, which has one transform", plan->file,
                  plan->anatomy.line);
  }
  IRZ_TRY(open_data(nrrd, image->path, &size, error));
  IRZ_TRY(read_numbers(nrrd, error));
  return find_voxels(nrrd, image, size, error);
}
