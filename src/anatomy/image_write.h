/* Images that are written: NRRD, segmentations of 3D Slicer, and NIfTI-1. Their grids may lie in any direction, with
   axes of either hand. */
#ifndef IREZONE_ANATOMY_IMAGE_WRITE_H
#define IREZONE_ANATOMY_IMAGE_WRITE_H

#include <irezone/session.h>

/// Numbers in a part of a grid; elsewhere they are zero.
typedef struct {
  const IrzVoxelGrid *grid; ///< in RAS
  int first[3], count[3];   ///< the part: voxels along i, j, k
  const uint8_t *byte;      ///< [count[2]][count[1]][count[0]], or NULL
  const float *real;        ///< the same, if `byte` is NULL
} IrzVoxels;

/// A segment: where bytes are at least some number, after `mask` and a shift.
typedef struct {
  char name[IRZ_NAME_MAX];
  char id[IRZ_NAME_MAX];
  char tags[256];      ///< "key:value|" ..., besides the usual ones
  float color[3];      ///< red, green, blue, 0 to 1
  uint8_t mask, least; ///< the segment is where (byte & mask) >= least
} IrzSegment;

/// Write numbers as NRRD in LPS, as 3D Slicer does.
/// @param[in] what  said in a comment of the header
/// @return IRZ_OK, IRZ_ERR_OUTPUT or IRZ_ERR_MEMORY, as of the next two
IrzCode irz_nrrd_write(const char *path, const IrzVoxels *voxels, const char *what, int threads, IrzError *error);

/// Write bytes as a segmentation of 3D Slicer, a layer for each segment, as they may overlap.
IrzCode irz_segments_write(const char *path, const IrzVoxels *voxels, int n, const IrzSegment *segments,
                           const char *what, int threads, IrzError *error);

/// Write numbers as NIfTI-1, placed by sform and qform both. A qform holds right angles alone: that of a skewed grid is
/// the nearest.
/// @param[in] mask, least  bytes are written as 1 where (byte & mask) >= least, else as 0
/// @param[in] what         at most 79 characters for the header
IrzCode irz_nifti_write(const char *path, const IrzVoxels *voxels, uint8_t mask, uint8_t least, const char *what,
                        int threads, IrzError *error);

/// Check before the work that a grid has a size that NIfTI can state.
bool irz_nifti_holds(const IrzVoxelGrid *grid);

/// Make the bytes of voxels, from one on; a function of IrzGzipSource.
/// @param[in] context  an IrzVoxelBytes
typedef struct {
  const IrzVoxels *voxels;
  int n_segments; ///< layers, each a byte that is 1 or 0; 0: the numbers as they are
  const IrzSegment *segments;
} IrzVoxelBytes;
bool irz_voxel_bytes(const void *context, uint64_t from, size_t n, unsigned char *bytes);

/// Size of what irz_voxel_bytes() makes in all.
uint64_t irz_voxel_bytes_size(const IrzVoxelBytes *source);

#endif
