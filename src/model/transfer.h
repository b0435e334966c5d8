/* Nodal fields from one mesh to the nodes of another. */
#ifndef IREZONE_MODEL_TRANSFER_H
#define IREZONE_MODEL_TRANSFER_H

#include "part/part.h"

/// Interpolate fields at the nodes of another mesh of the same ranks. Where a node lies outside all tetrahedra, as it
/// can beside a wall that is bent differently, the nearest point of a tetrahedron beside it counts. Collective.
/// @param[in]  from      mesh that the fields belong to
/// @param[in]  order     of the fields, 1 or 2
/// @param[in]  n_fields  fields
/// @param[in]  field     [n_fields] each [nodes of `from`]
/// @param[in]  to        mesh with the wanted nodes
/// @param[out] result    [n_fields] each [nodes of `to`]
/// @param[out] error     the same on all ranks
IrzCode irz_transfer(const IrzPart *from, int order, int n_fields, double *const *field, const IrzPart *to,
                     double *const *result, IrzError *error);

#endif
