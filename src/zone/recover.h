/* A continuous field at the nodes from the element-wise gradients of the potentials. */
#ifndef IREZONE_ZONE_RECOVER_H
#define IREZONE_ZONE_RECOVER_H

#include "field/medium.h"

/// Largest recovered |E| over the pulses at every node: gradients of the tetrahedra around a node, averaged with
/// their volumes as weights, pulse by pulse. Collective.
/// @param[in]  medium     regions and curved tetrahedra
/// @param[in]  order      element order of the potentials
/// @param[in]  n_pulses   number of potentials
/// @param[in]  potential  [n_pulses] each [nodes of the part], V
/// @param[out] field      [nodes of the part] V/m
IrzCode irz_recover(const IrzMedium *medium, int order, int n_pulses, double *const *potential, double *field,
                    IrzError *error);

#endif
