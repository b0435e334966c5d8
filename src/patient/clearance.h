/* How near needles come to regions of a label map. */
#ifndef IREZONE_PATIENT_CLEARANCE_H
#define IREZONE_PATIENT_CLEARANCE_H

#include <irezone/anatomy.h>

/// A piece of a needle's axis.
typedef struct {
  double start[3], axis[3]; ///< m; a unit vector
  double length;            ///< m
} IrzStretch;

/// Distance of a stretch from the surface of a region: the smooth one that the voxels stand for, or, where that leaves
/// the region out as it is thinner than a voxel or so, the faces of the voxels.
/// @param[out] distance  m; 0: it runs through the region; infinite: the region has no voxel
/// @param[out] at        m, the nearest place of the surface
/// @param[out] smooth    which of the two it is
IrzCode irz_clearance(const IrzLabelMap *map, int region, const IrzStretch *stretch, double *distance, double at[3],
                      bool *smooth, IrzError *error);

/// Which of some points is nearest to the voxels of a region; -1: there are none.
int32_t irz_clearance_nearest(const IrzLabelMap *map, int region, int32_t n, const double (*points)[3]);

#endif
