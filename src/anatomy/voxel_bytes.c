/* The bytes of an image that is zero but for a part; see image_write.h. */
#include "anatomy/image_write.h"
#include <string.h>

/// Bytes of one voxel.
static size_t bytes_of(const IrzVoxelBytes *source) {
  if (source->n_segments > 0) return (size_t)source->n_segments;
  return source->voxels->byte != NULL ? 1 : sizeof(float);
}

uint64_t irz_voxel_bytes_size(const IrzVoxelBytes *source) {
  const int *size = source->voxels->grid->size;
  return (uint64_t)size[0] * (uint64_t)size[1] * (uint64_t)size[2] * bytes_of(source);
}

/// Bytes of a run of voxels of the part.
static void make_run(const IrzVoxelBytes *source, size_t at, size_t n, unsigned char *bytes) {
  const IrzVoxels *voxels = source->voxels;
  if (voxels->byte == NULL) {
    for (size_t i = 0; i < n; i++) { /* little-endian on every machine */
      uint32_t number;
      memcpy(&number, voxels->real + at + i, sizeof number);
      for (int k = 0; k < 4; k++) *bytes++ = (unsigned char)(number >> (8 * k));
    }
    return;
  }
  for (size_t i = 0; i < n; i++) {
    for (int s = 0; s < source->n_segments; s++) {
      const IrzSegment *segment = &source->segments[s];
      *bytes++ = (voxels->byte[at + i] & segment->mask) >= segment->least;
    }
    if (source->n_segments == 0) *bytes++ = voxels->byte[at + i];
  }
}

bool irz_voxel_bytes(const void *context, uint64_t from, size_t n, unsigned char *bytes) {
  const IrzVoxelBytes *source = context;
  const IrzVoxels *voxels = source->voxels;
  const int *size = voxels->grid->size, *first = voxels->first, *count = voxels->count;
  const uint64_t voxel_bytes = bytes_of(source), row = (uint64_t)size[0] * voxel_bytes, end = from + n;
  bool some = false;
  for (uint64_t at = from / row; at * row < end; at++) { /* rows along i */
    int j = (int)(at % (uint64_t)size[1]) - first[1], k = (int)(at / (uint64_t)size[1]) - first[2];
    if (j < 0 || j >= count[1] || k < 0 || k >= count[2] || count[0] == 0) continue;
    /* What the run has of [from, end); a voxel of several layers may be cut. */
    uint64_t begin = at * row + (uint64_t)first[0] * voxel_bytes, stop = begin + (uint64_t)count[0] * voxel_bytes;
    size_t inside = ((size_t)k * (size_t)count[1] + (size_t)j) * (size_t)count[0];
    for (uint64_t low = begin > from ? begin : from, high = stop < end ? stop : end; low < high;) {
      unsigned char cut[256];
      size_t voxel = (size_t)((low - begin) / voxel_bytes), offset = (size_t)((low - begin) % voxel_bytes);
      if (!some) memset(bytes, 0, n);
      some = true;
      size_t whole = offset == 0 ? (size_t)((high - low) / voxel_bytes) : 0;
      if (whole > 0) {
        make_run(source, inside + voxel, whole, bytes + (low - from));
        low += whole * voxel_bytes;
        continue;
      }
      make_run(source, inside + voxel, 1, cut);
      size_t piece = (size_t)voxel_bytes - offset < high - low ? (size_t)voxel_bytes - offset : (size_t)(high - low);
      memcpy(bytes + (low - from), cut + offset, piece);
      low += piece;
    }
  }
  return some;
}
