/* Order of tetrahedra along a space-filling curve: what is near in space is near in memory. */
#ifndef IREZONE_PART_ORDER_H
#define IREZONE_PART_ORDER_H

#include <irezone/mesh.h>

/// Order of the tetrahedra along a Morton curve through their centroids; does not depend on the number of threads.
/// @param[out] order  [n_tets] to be freed
IrzCode irz_curve_order(const IrzMesh *mesh, int32_t **order, IrzError *error);

#endif
