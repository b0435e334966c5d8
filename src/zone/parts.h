/* Connected pieces of the zone. */
#ifndef IREZONE_ZONE_PARTS_H
#define IREZONE_ZONE_PARTS_H

#include "field/medium.h"

/// Pieces of the zone; the same on all ranks.
typedef struct {
  int count;          ///< pieces larger than a thousandth of the zone
  double total;       ///< m^3, all pieces, with the recovered field
  double largest;     ///< m^3
  bool touches_outer; ///< the zone reaches the surface "outer"
} IrzZoneParts;

/// Count the pieces of {field >= threshold} with the field linear on the eight children of every tetrahedron: there two
/// points are connected exactly if their nodes are, along edges of the children. Collective.
/// @param[in]  n_threads  threads to use
/// @param[in]  field      [nodes of the part] recovered |E|, V/m
/// @param[in]  threshold  [n_regions] V/m
IrzCode irz_zone_parts(const IrzMedium *medium, int n_threads, const double *field, const double *threshold,
                       IrzZoneParts *parts, IrzError *error);

#endif
