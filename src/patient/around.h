/* What is around a target, and what of it is missed; and the largest sphere inside a zone. */
#ifndef IREZONE_PATIENT_AROUND_H
#define IREZONE_PATIENT_AROUND_H

#include "patient/tree.h"
#include <irezone/anatomy.h>
#include <irezone/patient.h>

/// What to look at.
typedef struct {
  const IrzTree *target, *zone;
  const IrzLabelMap *labels; ///< for `organ`, or NULL
  const uint8_t *organ;      ///< [labels->n_regions] 1: of the organ; NULL: `organ_tree` counts
  const IrzTree *organ_tree; ///< NULL, and no `organ`: everything around is of the organ
  double box[2][3];          ///< m, shells end there
  double volume;             ///< m^3, about that of the target: chooses how fine the grid is
  int threads;
} IrzAroundTask;

/// What was found.
typedef struct {
  double target;                                 ///< m^3
  double shell[IRZ_SHELLS], ablated[IRZ_SHELLS]; ///< m^3, up to 1 to 10 mm around the target, and of the zone in that
  double missed, largest;                        ///< m^3, of the target outside the zone, and its largest piece
  double missed_at[3]; ///< m, of this piece what is farthest from the zone; NaN: nothing is missed
} IrzAround;

/// Look at a target and its surroundings on a grid, where cells that a surface runs through count by their share.
IrzCode irz_around_measure(const IrzAroundTask *task, IrzAround *around, IrzError *error);

/// The largest sphere inside a zone, to within 0.05 mm.
/// @param[out] center  m
/// @param[out] radius  m; NaN without a zone
IrzCode irz_largest_sphere(const IrzTree *zone, double center[3], double *radius, IrzError *error);

#endif
