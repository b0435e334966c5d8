/* NIfTI-1 images.

   niftilib knows the header, its byte order, the sizes of its data types and its quaternions. The voxels are read
   here, a piece at a time: niftilib would hold the whole image in its own type, up to sixteen times what is kept, and
   prints on some errors. zlib reads plain and compressed files alike. */
#include "anatomy/image.h"
#include "anatomy/nifti_affine.h"
#include "base/memory.h"

#include <errno.h>
#include <math.h>
#include <nifti1_io.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#define MAX_EXTENSIONS 16777216 // bytes between header and voxels in which names are looked for

/// An open file.
typedef struct {
  const char *path;
  gzFile file;
  nifti_1_header header; ///< in this machine's byte order
  bool swapped;          ///< the file has the other byte order
  double slope, inter;   ///< label = slope * stored + inter
  int bytes, swap_size;  ///< of a voxel, and of the unit that is swapped
  void *stored;          ///< [IRZ_IMAGE_PIECE] voxels
} Image;

/// Refuse a number in the header.
static IrzCode refuse(const Image *image, IrzError *error, const char *what) {
  return irz_error_set(error, IRZ_ERR_INPUT, "%s: %s", image->path, what);
}

/// Read `size` bytes or say why not.
static IrzCode read_bytes(const Image *image, void *to, unsigned size, IrzError *error) {
  int got = gzread(image->file, to, size);
  int code;

  if (got == (int)size) return IRZ_OK;
  const char *message = gzerror(image->file, &code);
  if (code == Z_ERRNO) return irz_error_set(error, IRZ_ERR_INPUT, "%s: %s", image->path, strerror(errno));
  if (code != Z_OK && code != Z_BUF_ERROR && code != Z_STREAM_END) {
    return irz_error_set(error, IRZ_ERR_INPUT, "%s: the compressed data are damaged (%s)", image->path, message);
  }
  return refuse(image, error, "the file is cut off: it ends before its last voxel");
}

/// Read past the last voxel, which makes zlib compare its checksum.
static IrzCode check_end(const Image *image, IrzError *error) {
  char next;
  int got = gzread(image->file, &next, 1), code;

  if (got > 0) return IRZ_OK; // bytes after the image are no concern of ours
  const char *message = gzerror(image->file, &code);
  if (got == 0 && (code == Z_OK || code == Z_STREAM_END)) return IRZ_OK;
  if (code == Z_BUF_ERROR) return refuse(image, error, "the file is cut off: its checksum is missing");
  return irz_error_set(error, IRZ_ERR_INPUT, "%s: the compressed data are damaged (%s)", image->path, message);
}

/// Bring the header into this machine's byte order and refuse what is not a NIfTI-1 image in one file.
static IrzCode recognise(Image *image, IrzError *error) {
  nifti_1_header *h = &image->header;
  int32_t size = h->sizeof_hdr;

  image->swapped = false;
  if (size != 348) {
    nifti_swap_4bytes(1, &size);
    image->swapped = size == 348;
    if (!image->swapped) {
      if (size == 540 || h->sizeof_hdr == 540) {
        return refuse(image, error, "this is NIfTI-2; save the label map as NIfTI-1 (.nii or .nii.gz)");
      }
      return refuse(image, error, "not a NIfTI-1 image (.nii, .nii.gz), and no NRRD file (.nrrd, .seg.nrrd)");
    }
    swap_nifti_header(h, 1);
  }
  if (memcmp(h->magic, "ni1", 4) == 0) {
    return refuse(image, error, "header and voxels are in two files; save the label map as one .nii or .nii.gz");
  }
  if (memcmp(h->magic, "n+1", 4) != 0) {
    return refuse(image, error, "not a NIfTI-1 image: its magic is not \"n+1\"");
  }
  return IRZ_OK;
}

/// Take the image's size from the header.
static IrzCode read_size(const Image *image, int size[3], IrzError *error) {
  const short *dim = image->header.dim;
  double voxels = 1;

  if (dim[0] < 3 || dim[0] > 7) {
    return irz_error_set(error, IRZ_ERR_INPUT, "%s: the image has %d dimensions; 3 are wanted", image->path, dim[0]);
  }
  for (int d = 1; d <= dim[0]; d++) {
    if (dim[d] < 1) {
      return irz_error_set(error, IRZ_ERR_INPUT, "%s: dimension %d has the size %d; at least 1 is wanted", image->path,
                           d, dim[d]);
    }
    if (d > 3 && dim[d] != 1) {
      return irz_error_set(error, IRZ_ERR_INPUT, "%s: %d volumes along dimension %d; a label map has one", image->path,
                           dim[d], d);
    }
    if (d <= 3) size[d - 1] = dim[d];
    voxels *= dim[d];
  }
  if (voxels > IRZ_IMAGE_MAX_VOXELS) {
    return irz_error_set(error, IRZ_ERR_INPUT, "%s: %d x %d x %d voxels; at most 2147483647 are allowed", image->path,
                         size[0], size[1], size[2]);
  }
  return IRZ_OK;
}

/// Check the type of the voxels and their scaling.
static IrzCode read_type(Image *image, IrzError *error) {
  const nifti_1_header *h = &image->header;

  switch (h->datatype) {
  case DT_UINT8:
  case DT_INT8:
  case DT_UINT16:
  case DT_INT16:
  case DT_UINT32:
  case DT_INT32:
  case DT_UINT64:
  case DT_INT64:
  case DT_FLOAT32:
  case DT_FLOAT64:
    break;
  default:
    return irz_error_set(error, IRZ_ERR_INPUT,
                         "%s: voxels of data type %d (%s); a label map has integers of 8 to 64 bits, or floats of 32 "
                         "or 64 bits",
                         image->path, h->datatype, nifti_datatype_string(h->datatype));
  }
  nifti_datatype_sizes(h->datatype, &image->bytes, &image->swap_size);
  if (h->bitpix != 8 * image->bytes) {
    return irz_error_set(error, IRZ_ERR_INPUT, "%s: bitpix is %d; voxels of type %s have %d bits", image->path,
                         h->bitpix, nifti_datatype_string(h->datatype), 8 * image->bytes);
  }
  // The standard's 0, and the NaN of some writers, stand for "not scaled"
  image->slope = 1;
  image->inter = 0;
  if (h->scl_slope != 0 && !isnan(h->scl_slope)) {
    image->slope = (double)h->scl_slope;
    image->inter = (double)h->scl_inter;
    if (!isfinite(image->slope) || !isfinite(image->inter)) {
      return refuse(image, error, "scl_slope or scl_inter is not a finite number");
    }
  }
  return IRZ_OK;
}

/// Read what lies between the header and the voxels: names of labels may be in it.
static IrzCode read_extensions(const Image *image, double offset, IrzImage *names, IrzError *error) {
  size_t size = (size_t)offset - sizeof image->header;
  char *bytes;

  if (offset <= 352 || size > MAX_EXTENSIONS) return IRZ_OK;
  IRZ_TRY(irz_alloc(&bytes, size, 1, error));
  IrzCode code = read_bytes(image, bytes, (unsigned)size, error);
  if (code == IRZ_OK) code = irz_nifti_names(names, bytes, size, image->swapped, error);
  free(bytes);
  return code;
}

/// Go to the first voxel, having made sure that the file can be long enough, before anything is allocated for it.
static IrzCode find_voxels(const Image *image, double voxels, double file_size, IrzImage *names, IrzError *error) {
  double offset = (double)image->header.vox_offset;

  if (offset == 0) offset = 352;
  if (!(offset >= 352 && offset <= 1e9) || offset != floor(offset)) {
    return irz_error_set(error, IRZ_ERR_INPUT, "%s: vox_offset is %g; a whole number of at least 352 is wanted",
                         image->path, offset);
  }
  double wanted = offset + voxels * image->bytes;
  bool plain = gzdirect(image->file);
  if (file_size * (plain ? 1 : IRZ_DEFLATE_MOST) < wanted) {
    return irz_error_set(error, IRZ_ERR_INPUT, "%s: the file is cut off: %.0f bytes are too few for %.0f bytes of %s",
                         image->path, file_size, wanted, plain ? "image" : "compressed image");
  }
  IRZ_TRY(read_extensions(image, offset, names, error));
  if (gzseek(image->file, (z_off_t)offset, SEEK_SET) < 0) {
    return refuse(image, error, "the file is cut off or damaged before its first voxel");
  }
  return IRZ_OK;
}

/// The next voxels.
static IrzCode next_voxels(IrzImage *opened, int n, double *value, IrzError *error) {
  const Image *image = opened->format;

  IRZ_TRY(read_bytes(image, image->stored, (unsigned)(n * image->bytes), error));
  if (image->swapped && image->swap_size > 1) nifti_swap_Nbytes((size_t)n, image->swap_size, image->stored);
  irz_voxels_convert(image->header.datatype, image->stored, n, value);
  for (int i = 0; i < n; i++) value[i] = image->slope * value[i] + image->inter;
  return IRZ_OK;
}

static IrzCode end_voxels(IrzImage *opened, IrzError *error) {
  return check_end(opened->format, error);
}

static void close_file(IrzImage *opened) {
  Image *image = opened->format;

  if (image == NULL) return;
  if (image->file != NULL) gzclose(image->file);
  free(image->stored);
  free(image);
  opened->format = NULL;
}

/// Read the header of an open file.
static IrzCode read_header(IrzPlan *plan, IrzLabelMap *map, Image *image, double file_size, IrzImage *opened,
                           IrzError *error) {
  int zlib_code;

  if (gzread(image->file, &image->header, sizeof(image->header)) != (int)sizeof(image->header)) {
    gzerror(image->file, &zlib_code);
    if (zlib_code == Z_DATA_ERROR) return refuse(image, error, "the compressed data are damaged");
    return refuse(image, error, "not a NIfTI-1 image: it has no header of 348 bytes");
  }
  IRZ_TRY(recognise(image, error));
  IRZ_TRY(read_size(image, map->size, error));
  IRZ_TRY(read_type(image, error));
  IRZ_TRY(irz_nifti_affine(plan, &image->header, map, error));
  double voxels = (double)map->size[0] * map->size[1] * map->size[2];
  IRZ_TRY(find_voxels(image, voxels, file_size, opened, error));
  return irz_alloc(&image->stored, IRZ_IMAGE_PIECE, (size_t)image->bytes, error);
}

IrzCode irz_nifti_open(IrzPlan *plan, IrzLabelMap *map, IrzImage *opened, IrzError *error) {
  struct stat status;
  Image *image;

  IRZ_TRY(irz_alloc(&image, 1, sizeof *image, error));
  image->path = opened->path;
  opened->format = image;
  opened->next = next_voxels;
  opened->end = end_voxels;
  opened->close = close_file;
  opened->layers = 1;
  if (stat(image->path, &status) != 0) {
    return irz_error_set(error, IRZ_ERR_INPUT, "%s: %s", image->path, strerror(errno));
  }
  image->file = gzopen(image->path, "rb");
  if (!image->file) return irz_error_set(error, IRZ_ERR_INPUT, "%s: %s", image->path, strerror(errno));
  IRZ_TRY(read_header(plan, map, image, (double)status.st_size, opened, error));
  memcpy(opened->size, map->size, sizeof opened->size);
  return IRZ_OK;
}
