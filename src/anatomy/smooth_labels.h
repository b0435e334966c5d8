/* The tissues of a label map with smooth surfaces between them, without the steps of the voxels. */
#ifndef IREZONE_ANATOMY_SMOOTH_LABELS_H
#define IREZONE_ANATOMY_SMOOTH_LABELS_H

#include <irezone/anatomy.h>
#include <stdbool.h>

/// Tissues that a map may tell apart; those of a plan that do not occur in the map count too.
#define IRZ_SMOOTH_MAX 32

/// For each tissue a function of place: about the distance from its surface, in voxels, positive inside. At a point is
/// the tissue whose function is largest.
typedef struct {
  double low[3], high[3];       ///< m, the box it knows
  double to_voxel[3][4];        ///< as the map's, but for voxels counted from the first of the window
  double image[3][2];           ///< the image in such voxels, from face to face
  int size[3];                  ///< voxels of the window
  uint8_t *tissue;              ///< [size[2]][size[1]][size[0]]
  int32_t *place;               ///< [size[2]][size[1]][size[0]] where a voxel near a surface is in `value`, or -1
  int32_t n_near;               ///< voxels near a surface
  float *value[IRZ_SMOOTH_MAX]; ///< [n_near] coefficients of a quadratic spline; NULL: the tissue does not occur
  uint32_t *here;               ///< [n_near] tissues that may be the largest somewhere in a voxel, a bit each
  uint8_t *lost;                ///< [n_near] 1: a detail too thin for a smooth surface, which has none of it or of what
                                ///< is beside it; NULL: there are none
  int mirror[2];                ///< if only two tissues occur: the second's function is that of the first, negated
} IrzSmoothLabels;

/// Smooth the part of a map around a box. A plane between voxels stays where it is, and volumes are kept.
///
/// The indicator of each tissue, blurred, is turned into a distance. This is smoothed again and again, and corrected in
/// between by a blurred difference of what is inside, voxel by voxel, so that what the smoothing shifts comes back but
/// the steps do not. (The idea that a surface may move within the voxels that it separates: S. F. F. Gibson,
/// Constrained elastic surface nets, 1998.)
/// @param[in]  tissue  [labels->n_regions] tissue of each region, below IRZ_SMOOTH_MAX
/// @param[out] smooth  `tissue` is NULL if the map is too fine to be smoothed
IrzCode irz_smooth_create(const IrzLabelMap *labels, const uint8_t *tissue, const double low[3], const double high[3],
                          IrzSmoothLabels *smooth, IrzError *error);

/// Free what irz_smooth_create() made.
void irz_smooth_clear(IrzSmoothLabels *smooth);

/// Tissue at a point, or -1 outside the box or the image.
int irz_smooth_tissue(const IrzSmoothLabels *smooth, const double x[3]);

/// Whether a point is in a detail of the map that its smooth surfaces leave out, as a sheet or a rod of one voxel.
bool irz_smooth_lost(const IrzSmoothLabels *smooth, const double x[3]);

/// Function of a tissue at a point of the box, in voxels.
/// @param[out] gradient  1/m; may be NULL
double irz_smooth_value(const IrzSmoothLabels *smooth, int tissue, const double x[3], double gradient[3]);

/// Move a point to the surface between two tissues, along the steepest way.
/// @param[in]     fixed  bit k: coordinate k must stay
/// @param[in]     reach  m; how far it may be moved
/// @param[in,out] x      unchanged if there is no such place within reach, or a third tissue is there
bool irz_smooth_project(const IrzSmoothLabels *smooth, int one, int other, int fixed, double reach, double x[3]);

#endif
