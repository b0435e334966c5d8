/* A patient's label map: NIfTI-1 to one byte a voxel.

   niftilib knows the header, its byte order, the sizes of its data types and its quaternions. The voxels are read
   here, a piece at a time: niftilib would hold the whole image in its own type, up to sixteen times what is kept, and
   prints on some errors. zlib reads plain and compressed files alike. */
#include "anatomy/metal_box.h"
#include "anatomy/nifti_affine.h"
#include "base/entry.h"
#include "base/memory.h"
#include "plan/plan.h"

#include <errno.h>
#include <irezone/anatomy.h>
#include <math.h>
#include <nifti1_io.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#define PIECE 65536             // voxels converted at a time
#define MAX_VOXELS 2147483647.0 // voxels in an image; MPI counts with int
#define MAX_INFLATION 1032.0    // bytes that one byte of a deflate stream can stand for at most
#define WHOLE 1e-3              // a label may be this far from a whole number, for the rounding of a float32 scl_slope
#define EDGE_OF_BOX 1e-6        // voxels; wider than the rounding of any coordinate transformation

/// An open image.
typedef struct {
  const char *path;
  gzFile file;
  nifti_1_header header; ///< in this machine's byte order
  bool swapped;          ///< the file has the other byte order
  double slope, inter;   ///< label = slope * stored + inter
  int bytes, swap_size;  ///< of a voxel, and of the unit that is swapped
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
      return refuse(image, error, "not a NIfTI-1 image (.nii or .nii.gz)");
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
  if (voxels > MAX_VOXELS) {
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

/// Go to the first voxel, having made sure that the file can be long enough, before anything is allocated for it.
static IrzCode find_voxels(const Image *image, double voxels, double file_size, IrzError *error) {
  double offset = (double)image->header.vox_offset;

  if (offset == 0) offset = 352;
  if (!(offset >= 352 && offset <= 1e9) || offset != floor(offset)) {
    return irz_error_set(error, IRZ_ERR_INPUT, "%s: vox_offset is %g; a whole number of at least 352 is wanted",
                         image->path, offset);
  }
  double wanted = offset + voxels * image->bytes;
  bool plain = gzdirect(image->file);
  if (file_size * (plain ? 1 : MAX_INFLATION) < wanted) {
    return irz_error_set(error, IRZ_ERR_INPUT, "%s: the file is cut off: %.0f bytes are too few for %.0f bytes of %s",
                         image->path, file_size, wanted, plain ? "image" : "compressed image");
  }
  if (gzseek(image->file, (z_off_t)offset, SEEK_SET) < 0) {
    return refuse(image, error, "the file is cut off or damaged before its first voxel");
  }
  return IRZ_OK;
}

/// Convert stored voxels, in this machine's byte order, to numbers.
static void convert(int datatype, const void *stored, int n, double *value) {
#define CONVERT(type)                                                                                                  \
  for (int i = 0; i < n; i++) value[i] = (double)((const type *)stored)[i];                                            \
  break
  switch (datatype) {
  case DT_UINT8:
    CONVERT(uint8_t);
  case DT_INT8:
    CONVERT(int8_t);
  case DT_UINT16:
    CONVERT(uint16_t);
  case DT_INT16:
    CONVERT(int16_t);
  case DT_UINT32:
    CONVERT(uint32_t);
  case DT_INT32:
    CONVERT(int32_t);
  case DT_UINT64:
    CONVERT(uint64_t);
  case DT_INT64:
    CONVERT(int64_t);
  case DT_FLOAT32:
    CONVERT(float);
  case DT_FLOAT64:
    CONVERT(double);
  default:
    break;
  }
#undef CONVERT
}

/// A label that is not in the plan's map: count it among those of its kind. The background is not counted.
/// @return its place in map->unmapped, or -1
static int find_unmapped(IrzLabelMap *map, double label) {
  if (label == 0 || fabs(label) > 1e15) return -1;
  for (int u = 0; u < map->n_unmapped; u++) {
    if ((double)map->unmapped[u].label == label) return u;
  }
  if (map->n_unmapped == IRZ_LABEL_MAX_UNMAPPED) return -1;
  map->unmapped[map->n_unmapped] = (IrzUnmapped){.label = (int64_t)label, .nearest = INFINITY};
  return map->n_unmapped++;
}

/// Note a voxel of an unmapped label.
static void note_unmapped(IrzLabelMap *map, const IrzMetalBox *metal, size_t voxel, IrzUnmapped *unmapped) {
  size_t nx = (size_t)map->size[0], ny = (size_t)map->size[1];
  const int at[3] = {(int)(voxel % nx), (int)(voxel / nx % ny), (int)(voxel / nx / ny)};

  unmapped->voxels++;
  unmapped->nearest = fmin(unmapped->nearest, irz_metal_box_distance(metal, map, at));
}

/// Turn a piece of voxels into regions.
/// @param[in]     first     number of the first voxel, for the error
/// @param[in]     value     [n] labels as numbers
/// @param[in]     of_entry  [plan->anatomy.n_map] region of each entry of the plan's map
/// @param[in]     metal     where the plan has bare metal
/// @param[in,out] seen      [plan->anatomy.n_map] entries whose label has occurred
static IrzCode label_piece(const IrzPlan *plan, const Image *image, IrzLabelMap *map, size_t first, int n,
                           const double *value, const uint8_t *of_entry, const IrzMetalBox *metal, uint8_t *seen,
                           IrzError *error) {
  double last = NAN; // neighbouring voxels mostly have the same label
  uint8_t region = 0;
  int unmapped = -1;

  for (int i = 0; i < n; i++) {
    if (value[i] != last) {
      double label = round(value[i]);

      if (!(fabs(value[i] - label) <= WHOLE)) {
        size_t v = first + (size_t)i, nx = (size_t)map->size[0], ny = (size_t)map->size[1];
        return irz_error_set(error, IRZ_ERR_INPUT,
                             "%s: voxel (%zu, %zu, %zu) is %g; a label map has only whole numbers", image->path, v % nx,
                             v / nx % ny, v / nx / ny, value[i]);
      }
      last = value[i];
      region = 0;
      int e = 0;
      while (e < plan->anatomy.n_map && (double)plan->anatomy.map[e].label != label) e++;
      if (e < plan->anatomy.n_map) {
        region = of_entry[e];
        seen[e] = 1;
      }
      unmapped = e < plan->anatomy.n_map ? -1 : find_unmapped(map, label);
    }
    if (unmapped >= 0) note_unmapped(map, metal, first + (size_t)i, &map->unmapped[unmapped]);
    map->region[first + (size_t)i] = region;
    map->voxels[region]++;
  }
  return IRZ_OK;
}

/// Read all voxels.
static IrzCode read_voxels(IrzPlan *plan, const Image *image, IrzLabelMap *map, const uint8_t *of_entry, uint8_t *seen,
                           IrzError *error) {
  size_t total = (size_t)map->size[0] * (size_t)map->size[1] * (size_t)map->size[2];
  void *stored = NULL;
  double *value = NULL;
  IrzMetalBox metal;
  IrzCode code = irz_alloc(&stored, PIECE, (size_t)image->bytes, error);

  if (code == IRZ_OK) code = irz_alloc(&value, PIECE, sizeof(*value), error);
  irz_metal_box(plan, map, &metal);
  for (size_t first = 0; code == IRZ_OK && first < total; first += PIECE) {
    int n = total - first < PIECE ? (int)(total - first) : PIECE;

    code = read_bytes(image, stored, (unsigned)(n * image->bytes), error);
    if (code != IRZ_OK) break;
    if (image->swapped && image->swap_size > 1) nifti_swap_Nbytes((size_t)n, image->swap_size, stored);
    convert(image->header.datatype, stored, n, value);
    for (int i = 0; i < n; i++) value[i] = image->slope * value[i] + image->inter;
    code = label_piece(plan, image, map, first, n, value, of_entry, &metal, seen, error);
  }
  if (code == IRZ_OK) code = check_end(image, error);
  free(stored);
  free(value);
  return code;
}

/// List the regions of the plan's map, "default" first.
/// @param[out] of_entry  [plan->anatomy.n_map] region of each entry
static IrzCode list_regions(const IrzPlan *plan, IrzLabelMap *map, uint8_t *of_entry, IrzError *error) {
  IRZ_TRY(irz_alloc(&map->regions, (size_t)plan->anatomy.n_map + 1, sizeof(*map->regions), error));
  IRZ_TRY(irz_alloc(&map->voxels, (size_t)plan->anatomy.n_map + 1, sizeof(*map->voxels), error));
  memcpy(map->regions[0].name, "default", sizeof("default"));
  map->n_regions = 1;
  for (int e = 0; e < plan->anatomy.n_map; e++) {
    const IrzLabel *entry = &plan->anatomy.map[e];
    int r = 0;

    while (r < map->n_regions && strcmp(map->regions[r].name, entry->region) != 0) r++;
    if (r == map->n_regions) {
      if (r == IRZ_LABEL_MAX_REGIONS) {
        return irz_error_set(error, IRZ_ERR_PLAN, "%s:%d: anatomy.map: more than %d regions", plan->file,
                             plan->anatomy.line, IRZ_LABEL_MAX_REGIONS - 1);
      }
      memcpy(map->regions[r].name, entry->region, sizeof(entry->region));
      map->regions[r].tag = entry->label;
      map->n_regions++;
    }
    of_entry[e] = (uint8_t)r;
  }
  return IRZ_OK;
}

/// Whether a label is mapped to a region.
static bool is_mapped(const IrzLabelMap *map, const char *region) {
  for (int r = 0; r < map->n_regions; r++) {
    if (strcmp(map->regions[r].name, region) == 0) return true;
  }
  return false;
}

/// Append to a list of names in a message, as long as there is room.
static void list_name(char *list, size_t size, const char *name) {
  size_t used = strlen(list);

  if (used + strlen(name) + 8 < size) {
    snprintf(list + used, size - used, "%s%s", used > 0 ? ", " : "", name);
  } else if (strstr(list, ", ...") == NULL) {
    snprintf(list + used, size - used, ", ...");
  }
}

/// Refuse tissues that no label is mapped to: most likely misspelt names, which would silently become `default`.
static IrzCode check_tissues(const IrzPlan *plan, const IrzLabelMap *map, IrzError *error) {
  const IrzTissue *first = NULL;
  char names[256] = "", others[256] = "";

  for (int t = 1; t < plan->n_tissues; t++) {
    if (is_mapped(map, plan->tissues[t].region)) continue;
    if (!first) {
      first = &plan->tissues[t];
    } else {
      list_name(others, sizeof(others), plan->tissues[t].region);
    }
  }
  if (!first) return IRZ_OK;
  for (int r = 0; r < map->n_regions; r++) list_name(names, sizeof(names), map->regions[r].name);
  return irz_error_set(error, IRZ_ERR_PLAN, "%s:%d: tissues.%s: anatomy.map gives no such region%s%s; it gives %s",
                       plan->file, first->line, first->region, others[0] ? ", and none for " : "", others, names);
}

/// Region of a block at level >= 0, or of a voxel at level -1.
static inline uint8_t block_value(const IrzLabelMap *map, int level, const int at[3]) {
  const int *n = level < 0 ? map->size : map->blocks[level];
  const uint8_t *values = level < 0 ? map->region : map->block[level];

  return values[((size_t)at[2] * (size_t)n[1] + (size_t)at[1]) * (size_t)n[0] + (size_t)at[0]];
}

/// What a block's children, one level below, have in common.
static uint8_t merge_children(const IrzLabelMap *map, int level, const int at[3]) {
  const int *below = level == 0 ? map->size : map->blocks[level - 1];
  int first[3] = {2 * at[0], 2 * at[1], 2 * at[2]};
  uint8_t common = block_value(map, level - 1, first);

  for (int c = 1; c < 8; c++) {
    int child[3] = {first[0] + (c & 1), first[1] + (c >> 1 & 1), first[2] + (c >> 2)};
    if (child[0] >= below[0] || child[1] >= below[1] || child[2] >= below[2]) continue;
    if (block_value(map, level - 1, child) != common) return IRZ_LABEL_MIXED;
  }
  return common;
}

/// Build the pyramid of blocks.
static IrzCode build_blocks(IrzLabelMap *map, IrzError *error) {
  const int *below = map->size;

  for (int level = 0; below[0] > 1 || below[1] > 1 || below[2] > 1; level++) {
    int *n = map->blocks[level];
    int at[3];

    for (int d = 0; d < 3; d++) n[d] = (below[d] + 1) / 2;
    IRZ_TRY(irz_alloc(&map->block[level], (size_t)n[0] * (size_t)n[1] * (size_t)n[2], 1, error));
    map->n_levels = level + 1;
    uint8_t *value = map->block[level];
    for (at[2] = 0; at[2] < n[2]; at[2]++) {
      for (at[1] = 0; at[1] < n[1]; at[1]++) {
        for (at[0] = 0; at[0] < n[0]; at[0]++) *value++ = merge_children(map, level, at);
      }
    }
    below = n;
  }
  return IRZ_OK;
}

/// Whether all voxels of a block that are in the box have one region.
/// @param[in] low, high  first and last voxel of the box along each axis
static bool block_has_only(const IrzLabelMap *map, int level, const int at[3], const int low[3], const int high[3],
                           uint8_t region) {
  uint8_t value = block_value(map, level, at);
  int from[3], to[3], child[3];

  if (value != IRZ_LABEL_MIXED) return value == region;
  for (int d = 0; d < 3; d++) {
    from[d] = low[d] >> level > 2 * at[d] ? low[d] >> level : 2 * at[d];
    to[d] = high[d] >> level < 2 * at[d] + 1 ? high[d] >> level : 2 * at[d] + 1;
  }
  for (child[2] = from[2]; child[2] <= to[2]; child[2]++) {
    for (child[1] = from[1]; child[1] <= to[1]; child[1]++) {
      for (child[0] = from[0]; child[0] <= to[0]; child[0]++) {
        if (!block_has_only(map, level - 1, child, low, high, region)) return false;
      }
    }
  }
  return true;
}

int irz_label_map_uniform(const IrzLabelMap *map, const double low[3], const double high[3]) {
  int first[3], last[3], at[3], longest = 0, level = -1;
  bool outside = false;

  for (int d = 0; d < 3; d++) {
    const double *row = map->to_voxel[d];
    double center = row[3] + 0.5, half = EDGE_OF_BOX;

    for (int e = 0; e < 3; e++) {
      center += row[e] * 0.5 * (low[e] + high[e]);
      half += fabs(row[e]) * 0.5 * (high[e] - low[e]);
    }
    if (!(isfinite(center) && isfinite(half) && half > 0)) return -1;
    if (center + half < 0 || center - half >= map->size[d]) return 0;
    outside = outside || center - half < 0 || center + half >= map->size[d];
    first[d] = center - half > 0 ? (int)(center - half) : 0;
    last[d] = center + half < map->size[d] ? (int)(center + half) : map->size[d] - 1;
    if (last[d] - first[d] > longest) longest = last[d] - first[d];
  }
  uint8_t region = outside ? 0 : block_value(map, -1, first);
  // Blocks about as large as the box: at most two of them along each axis
  while (level + 1 < map->n_levels && longest >= 1 << (level + 1)) level++;
  for (at[2] = first[2] >> (level + 1); at[2] <= last[2] >> (level + 1); at[2]++) {
    for (at[1] = first[1] >> (level + 1); at[1] <= last[1] >> (level + 1); at[1]++) {
      for (at[0] = first[0] >> (level + 1); at[0] <= last[0] >> (level + 1); at[0]++) {
        if (!block_has_only(map, level, at, first, last, region)) return -1;
      }
    }
  }
  return region;
}

/// Read an open file into an empty map.
static IrzCode read_image(IrzPlan *plan, Image *image, double file_size, IrzLabelMap *map, IrzError *error) {
  uint8_t *of_entry = NULL, *seen = NULL;
  int zlib_code;
  IrzCode code;

  if (gzread(image->file, &image->header, sizeof(image->header)) != (int)sizeof(image->header)) {
    gzerror(image->file, &zlib_code);
    if (zlib_code == Z_DATA_ERROR) return refuse(image, error, "the compressed data are damaged");
    return refuse(image, error, "not a NIfTI-1 image: it has no header of 348 bytes");
  }
  IRZ_TRY(recognise(image, error));
  IRZ_TRY(read_size(image, map->size, error));
  IRZ_TRY(read_type(image, error));
  IRZ_TRY(irz_nifti_affine(plan, &image->header, map, error));
  size_t total = (size_t)map->size[0] * (size_t)map->size[1] * (size_t)map->size[2];
  IRZ_TRY(find_voxels(image, (double)total, file_size, error));
  IRZ_TRY(irz_alloc(&map->region, total, 1, error));

  code = irz_alloc(&of_entry, (size_t)plan->anatomy.n_map, 1, error);
  if (code == IRZ_OK) code = irz_alloc(&seen, (size_t)plan->anatomy.n_map, 1, error);
  if (code == IRZ_OK) code = list_regions(plan, map, of_entry, error);
  if (code == IRZ_OK) code = check_tissues(plan, map, error);
  if (code == IRZ_OK) code = read_voxels(plan, image, map, of_entry, seen, error);
  if (code == IRZ_OK) code = build_blocks(map, error);
  for (int e = 0; code == IRZ_OK && e < plan->anatomy.n_map; e++) {
    const IrzLabel *entry = &plan->anatomy.map[e];
    if (!seen[e]) {
      irz_plan_warn(plan, "%s:%d: anatomy.map: label %d (%s) does not occur in %s", plan->file, plan->anatomy.line,
                    entry->label, entry->region, image->path);
    }
  }
  free(of_entry);
  free(seen);
  return code;
}

IrzCode irz_label_map_read(IrzPlan *plan, IrzLabelMap **map, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(plan != NULL && map != NULL);
  IRZ_TRY(irz_plan_check(plan, error));
  Image image = {.path = irz_path_from_here(plan->anatomy.labels)};
  struct stat status;
  IrzCode code;

  *map = NULL;
  if (stat(image.path, &status) != 0) {
    return irz_error_set(error, IRZ_ERR_INPUT, "%s: %s", image.path, strerror(errno));
  }
  if (!S_ISREG(status.st_mode)) return refuse(&image, error, "not a file");
  image.file = gzopen(image.path, "rb");
  if (!image.file) return irz_error_set(error, IRZ_ERR_INPUT, "%s: %s", image.path, strerror(errno));
  code = irz_alloc(map, 1, sizeof(**map), error);
  if (code == IRZ_OK) code = read_image(plan, &image, (double)status.st_size, *map, error);
  gzclose(image.file);
  if (code != IRZ_OK) {
    irz_label_map_free(*map);
    *map = NULL;
  }
  return code;
}

/// Make an empty map with another one's numbers and room for its arrays; the pointers in `numbers` are not used.
static IrzCode prepare_copy(const IrzLabelMap *numbers, IrzLabelMap **copy, IrzError *error) {
  IRZ_TRY(irz_alloc(copy, 1, sizeof(**copy), error));
  IrzLabelMap *map = *copy;
  *map = *numbers;
  map->regions = NULL;
  map->voxels = NULL;
  map->region = NULL;
  map->n_levels = 0;
  memset(map->block, 0, sizeof(map->block));
  IRZ_TRY(irz_alloc(&map->regions, (size_t)map->n_regions, sizeof(*map->regions), error));
  IRZ_TRY(irz_alloc(&map->voxels, (size_t)map->n_regions, sizeof(*map->voxels), error));
  IRZ_TRY(irz_alloc(&map->region, (size_t)map->size[0] * (size_t)map->size[1] * (size_t)map->size[2], 1, error));
  return IRZ_OK;
}

IrzCode irz_label_map_share(MPI_Comm comm, IrzLabelMap **map, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(map != NULL);
  IrzError own = {.code = IRZ_OK};
  IrzLabelMap numbers = {.region = NULL}, *shared = NULL;
  int rank, size, present;

  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  if (rank != 0) *map = NULL;
  present = *map != NULL;
  MPI_Bcast(&present, 1, MPI_INT, 0, comm);
  if (!present || size == 1) return IRZ_OK;

  if (rank == 0 && *map) numbers = **map;
  MPI_Bcast(&numbers, (int)sizeof(numbers), MPI_BYTE, 0, comm);
  if (rank == 0) {
    shared = *map;
  } else {
    prepare_copy(&numbers, &shared, &own);
  }
  if (irz_error_agree(comm, &own) == IRZ_OK) {
    MPI_Bcast(shared->regions, shared->n_regions * (int)sizeof(*shared->regions), MPI_BYTE, 0, comm);
    MPI_Bcast(shared->voxels, shared->n_regions, MPI_INT64_T, 0, comm);
    MPI_Bcast(shared->region, shared->size[0] * shared->size[1] * shared->size[2], MPI_BYTE, 0, comm);
    if (rank != 0) build_blocks(shared, &own);
    irz_error_agree(comm, &own);
  }
  if (own.code != IRZ_OK) {
    if (rank != 0) irz_label_map_free(shared);
    return irz_error_set(error, own.code, "%s", own.text);
  }
  *map = shared;
  return IRZ_OK;
}

void irz_label_map_free(IrzLabelMap *map) {
  if (!map) return;
  for (int level = 0; level < map->n_levels; level++) free(map->block[level]);
  free(map->regions);
  free(map->voxels);
  free(map->region);
  free(map);
}
