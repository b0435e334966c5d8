/* Where a NIfTI-1 image lies: from voxel numbers to the RAS frame, in m. */
#ifndef IREZONE_ANATOMY_NIFTI_AFFINE_H
#define IREZONE_ANATOMY_NIFTI_AFFINE_H

#include "plan/plan.h"
#include <irezone/anatomy.h>
#include <nifti1_io.h>

/// Set a map's affine, its inverse and its voxels' edges from a header in this machine's byte order; map->size must be
/// set. Warns the plan of two transforms that differ, of skewed voxels, and of sizes that no image of a body has.
/// @param[in,out] plan  says which of two transforms is meant; names the image
/// @return IRZ_OK or IRZ_ERR_INPUT
IrzCode irz_nifti_affine(IrzPlan *plan, const nifti_1_header *header, IrzLabelMap *map, IrzError *error);

#endif
