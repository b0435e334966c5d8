/// @file
/// Tissue from a patient's label map (NIfTI-1, .nii or .nii.gz).
#ifndef IREZONE_ANATOMY_H
#define IREZONE_ANATOMY_H

#include <irezone/error.h>
#include <irezone/mesh.h>
#include <irezone/plan.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A label map. World coordinates are the image's RAS frame, in m.
struct IrzLabelMap {
  int size[3];           ///< voxels along i, j, k
  double to_voxel[3][4]; ///< (i, j, k) = to_voxel (x, y, z, 1); voxel centres have whole numbers
  double to_world[3][4]; ///< the inverse
  double spacing[3];     ///< m, edge lengths of a voxel
  int n_regions;         ///< regions that can occur; region 0 is "default"
  IrzGroup *regions;     ///< names; tag = the first label mapped to it (0 for default)
  uint8_t *region;       ///< [size[2]][size[1]][size[0]] region of each voxel, after the plan's map
};

/// Read the label map of a plan and apply its `map`.
/// @param[in]  plan   plan with `anatomy`
/// @param[out] map    the label map; NULL on failure
/// @param[out] error  what is wrong with the image or the map (a mapped label that does not occur is a warning)
/// @return IRZ_OK, IRZ_ERR_PLAN or IRZ_ERR_INPUT
IrzCode irz_label_map_read(IrzPlan *plan, IrzLabelMap **map, IrzError *error);

/// Region at a point: that of the nearest voxel centre; 0 outside the image.
/// @param[in] map  label map
/// @param[in] x    point in the image's RAS frame, m
int irz_label_map_region(const IrzLabelMap *map, const double x[3]);

/// Let all ranks have the map that rank 0 read. Collective.
IrzCode irz_label_map_share(MPI_Comm comm, IrzLabelMap **map, IrzError *error);

/// Free a label map; NULL is allowed.
void irz_label_map_free(IrzLabelMap *map);

#ifdef __cplusplus
}
#endif
#endif
