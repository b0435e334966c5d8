/* The zone as a closed surface of triangles. */
#ifndef IREZONE_ZONE_SURFACE_H
#define IREZONE_ZONE_SURFACE_H

#include "zone/drawn.h"
#include <irezone/session.h>

/// Cut the drawn field, linear in the eight small tetrahedra between the points of each, at the threshold of each
/// region; where the zone ends at metal, shafts, the wall or a region with a higher threshold, it is closed along
/// these. So what is enclosed is the volume of the zone as drawn. It is a manifold (zone/separate.h). Triangles are
/// seen counter-clockwise from outside. Collective.
/// @param[in]  sides      rows of the drawn field
/// @param[in]  threshold  [n_regions] V/m
/// @param[out] surface    on rank 0; empty on others; release with irz_surface_clear()
IrzCode irz_zone_surface(const IrzMedium *medium, const IrzSides *sides, const IrzDrawn *drawn, const double *threshold,
                         IrzSurface *surface, IrzError *error);

/// Why a triangle of the surface is there.
typedef enum {
  IRZ_SURFACE_FIELD,  ///< the field has its threshold
  IRZ_SURFACE_TISSUE, ///< a tissue ends whose neighbour has a higher threshold or another field
  IRZ_SURFACE_WALL,   ///< the tissue box ends
  IRZ_SURFACE_HOLE    ///< metal or the shaft of a needle begins
} IrzSurfaceKind;

/// The same with the kinds of its triangles. Collective.
/// @param[out] kind  [surface->n_triangles] IrzSurfaceKind; on rank 0, to be released with free()
IrzCode irz_zone_surface_kinds(const IrzMedium *medium, const IrzSides *sides, const IrzDrawn *drawn,
                               const double *threshold, IrzSurface *surface, uint8_t **kind, IrzError *error);

#endif
