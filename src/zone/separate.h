/* Where parts of a surface touch one another. */
#ifndef IREZONE_ZONE_SEPARATE_H
#define IREZONE_ZONE_SEPARATE_H

#include <irezone/session.h>

/// Make a closed surface a manifold: where what it encloses touches itself at an edge or a point, as blocks of voxels
/// do, each part gets points of its own, at the same place. So every edge has two triangles, which follow it in
/// opposite directions, and the triangles at a point are one fan. Where the parts go on as one at both ends of such an
/// edge, it is cut in its middle. Neither shape nor enclosed volume change; parts of the surface that are open stay as
/// they are.
/// @param[in,out] surface  its arrays may be moved
/// @param[in,out] kind     [surface->n_triangles] copied for new triangles
IrzCode irz_surface_separate(IrzSurface *surface, uint8_t **kind, IrzError *error);

#endif
