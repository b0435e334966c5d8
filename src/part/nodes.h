/* Which nodes of a part are other ranks' too. */
#ifndef IREZONE_PART_NODES_H
#define IREZONE_PART_NODES_H

#include "part/part.h"

/// Build the star forest of the nodes: ghost vertices know their owner's index; ghost edges ask their owner for it.
/// Collective.
/// @param[in,out] part   with its vertices and edges; gets `nodes`
/// @param[in]     id     [n_vertices] global numbers
/// @param[in]     start  [size + 1] first global number of each rank
PetscErrorCode irz_share_nodes(IrzPart *part, const int32_t *id, const int32_t *start);

#endif
