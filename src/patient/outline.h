/* The surface of a region: of a target, or of the organ around it. */
#ifndef IREZONE_PATIENT_OUTLINE_H
#define IREZONE_PATIENT_OUTLINE_H

#include "field/medium.h"
#include <irezone/anatomy.h>
#include <irezone/session.h>

/// How a surface was found.
typedef enum {
  IRZ_OUTLINE_SMOOTH, ///< without the steps of the voxels
  IRZ_OUTLINE_FLAT,   ///< along the faces of the voxels, as these make no steps: a box of a phantom
  IRZ_OUTLINE_VOXELS, ///< along the faces of the voxels with their steps, as the smoothed map has none of the regions
} IrzOutlineKind;

/// The surface of some regions of a label map: where the smoothed map has it, if their voxels make steps, as all that
/// is round or oblique does; else the faces of the voxels. Smoothing would make the edges of a box round, and bulges of
/// up to 0.3 voxels beside them. The image ends with its voxels, and so do the regions.
/// @param[in]  member   [labels->n_regions] 1: the region is one of them
/// @param[in]  window   m, the box in which the surface is wanted; it is open where that ends
/// @param[in]  step     m, about the size of the triangles
/// @param[in]  threads  among which the work is divided
/// @param[out] surface  release with irz_surface_clear()
IrzCode irz_outline_labels(const IrzLabelMap *labels, const uint8_t *member, double window[2][3], double step,
                           int threads, IrzSurface *surface, IrzOutlineKind *kind, IrzError *error);

/// The surface of some regions of the mesh: faces towards other regions and on the wall of the tissue, not those on
/// metal and needles, which leave holes in it. Collective.
/// @param[in]  member   [n_regions]
/// @param[in]  step     m, triangles are cut until they are no larger
/// @param[out] surface  on rank 0; empty on others
IrzCode irz_outline_mesh(const IrzMedium *medium, const uint8_t *member, double step, IrzSurface *surface,
                         IrzError *error);

#endif
