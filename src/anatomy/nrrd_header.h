/* The header of a NRRD file (teem.sourceforge.net/nrrd/format.html). */
#ifndef IREZONE_ANATOMY_NRRD_HEADER_H
#define IREZONE_ANATOMY_NRRD_HEADER_H

#include "anatomy/image.h"
#include "anatomy/stream.h"

#define IRZ_NRRD_MAX_DIMENSION 16

/// How the numbers are written.
typedef enum { IRZ_NRRD_RAW, IRZ_NRRD_GZIP, IRZ_NRRD_BZIP2, IRZ_NRRD_ASCII } IrzNrrdEncoding;

/// What a header says, units and frames as written.
typedef struct {
  const char *path;
  int dimension;
  long long size[IRZ_NRRD_MAX_DIMENSION]; ///< [dimension], fastest first
  int n_sizes;
  int datatype; ///< niftilib's
  bool has_type, has_encoding, has_endian, big_endian;
  IrzNrrdEncoding encoding;
  long long byte_skip, line_skip;
  char data_file[IRZ_PATH_MAX];                ///< as written; "": behind the header
  double sign[3];                              ///< what turns the file's axes of space into right, anterior, superior
  bool has_space;                              ///< its space is named
  double unit;                                 ///< m
  char unit_name[24];                          ///< as stated, or ""
  int n_directions;                            ///< axes that `direction` is stated of; 0: not stated
  bool in_space[IRZ_NRRD_MAX_DIMENSION];       ///< the axis is one of space; otherwise its direction is `none`
  double direction[IRZ_NRRD_MAX_DIMENSION][3]; ///< step along each axis
  double spacing[IRZ_NRRD_MAX_DIMENSION];      ///< where directions are not stated; NaN: not stated
  double axis_min[IRZ_NRRD_MAX_DIMENSION];     ///< NaN: not stated
  double origin[3];                            ///< place of the first voxel
  bool has_origin;
  char kind[24]; ///< of the first axis, or ""
  off_t data;    ///< where the data begin, if they are behind the header
} IrzNrrdHeader;

/// Read a header; its segments become labels of the image.
/// @return IRZ_OK or IRZ_ERR_INPUT; the error names the line
IrzCode irz_nrrd_header(int descriptor, IrzImage *image, IrzNrrdHeader *header, IrzError *error);

#endif
