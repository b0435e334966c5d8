/* Connected pieces of the zone, and its extent. */
#ifndef IREZONE_ZONE_PARTS_H
#define IREZONE_ZONE_PARTS_H

#include "zone/drawn.h"

/// Pieces of the zone; the same on all ranks.
typedef struct {
  int count;          ///< pieces larger than a thousandth of the zone
  double total;       ///< m^3, all pieces
  double largest;     ///< m^3
  bool touches_outer; ///< the zone reaches the surface "outer"
  double box[2][3];   ///< m; both zero if the zone is empty
} IrzZoneParts;

/// Count the pieces of {field >= threshold} as they are drawn, with the field linear in the eight small tetrahedra
/// between the points of each: there two points are connected exactly if they are so along edges. Collective.
/// @param[in]  n_threads  threads to use
/// @param[in]  threshold  [n_regions] V/m
IrzCode irz_zone_parts(const IrzMedium *medium, int n_threads, const IrzDrawn *drawn, const double *threshold,
                       IrzZoneParts *parts, IrzError *error);

#endif
