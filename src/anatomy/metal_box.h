/* The bare metal of a plan's needles in a label map, and what is near it. */
#ifndef IREZONE_ANATOMY_METAL_BOX_H
#define IREZONE_ANATOMY_METAL_BOX_H

#include <irezone/anatomy.h>

/// The voxels near bare metal.
typedef struct {
  const IrzPlan *plan;
  int low[3], high[3]; ///< first and last voxel along each axis; none if one is beyond the other
} IrzMetalBox;

/// Find the voxels within a few centimetres of the bare metal of a plan's needles; map->size and to_voxel must be set.
void irz_metal_box(const IrzPlan *plan, const IrzLabelMap *map, IrzMetalBox *box);

/// Distance from a voxel's centre to the nearest bare metal, m; infinite for voxels outside the box.
double irz_metal_box_distance(const IrzMetalBox *box, const IrzLabelMap *map, const int voxel[3]);

/// Distance from a point to the axes of a plan's bare metal, m; infinite if it has no needles.
double irz_metal_distance(const IrzPlan *plan, const double x[3]);

/// "7 (stomach)": an unmapped label as it is shown.
void irz_unmapped_text(const IrzUnmapped *unmapped, char *text, size_t size);

#endif
