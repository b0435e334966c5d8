/* Voxels in the world. Affines are those of IrzLabelMap, [3][4] in a row: three columns of steps, m, and the centre of
   the first voxel. */
#ifndef IREZONE_ANATOMY_VOXEL_H
#define IREZONE_ANATOMY_VOXEL_H

#include "base/vector.h"
#include <math.h>

/// World coordinates, m, of a point in voxel coordinates, in which voxel centres have whole numbers.
static inline void irz_voxel_place(const double *to_world, const double at[3], double x[3]) {
  for (int d = 0; d < 3; d++) x[d] = irz_dot(to_world + 4 * d, at) + to_world[4 * d + 3];
}

/// Determinant of an affine's steps, m^3: negative if they are left-handed.
static inline double irz_voxel_determinant(const double *to_world) {
  double axis[3][3], cross[3];
  for (int e = 0; e < 3; e++) {
    for (int d = 0; d < 3; d++) axis[e][d] = to_world[4 * d + e];
  }
  irz_cross(axis[0], axis[1], cross);
  return irz_dot(cross, axis[2]);
}

/// Volume of a voxel, m^3, of skewed ones too: the edges' lengths do not tell.
static inline double irz_voxel_volume(const double *to_world) {
  return fabs(irz_voxel_determinant(to_world));
}

#endif
