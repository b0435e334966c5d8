/* A continuous field at the nodes from the element-wise gradients of the potentials. */
#ifndef IREZONE_ZONE_RECOVER_H
#define IREZONE_ZONE_RECOVER_H

#include "field/points.h"
#include "zone/sides.h"

/// Recover the field and estimate how far the element-wise one is from it.
/// The recovered gradient at a node is the mean of those of the tetrahedra around it, with their volumes as weights,
/// pulse by pulse (Zienkiewicz and Zhu 1987). Where tissues meet each has a mean of its own: the gradient jumps there,
/// and a mean over both would take that for an error; but the means of both sides are made to agree by irz_mend().
/// Collective.
/// @param[in]  medium     regions and curved tetrahedra
/// @param[in]  team       threads, of the medium's part
/// @param[in]  sides      rows of the nodes
/// @param[in]  laws       [n_regions] conductivities
/// @param[in]  memory     conductivity never falls below what earlier pulses raised it to; matters to `defect`
/// @param[in]  order      element order of the potentials
/// @param[in]  n_pulses   number of potentials
/// @param[in]  potential  [n_pulses] each [nodes of the part], V
/// @param[out] field      [rows] largest recovered |E| over the pulses, V/m
/// @param[out] defect     [n_pulses] W, integral of sigma |recovered - element-wise gradient|^2: estimates the squared
///                        energy norm of the error
IrzCode irz_recover(const IrzMedium *medium, const IrzTeam *team, const IrzSides *sides, const IrzLaw *const *laws,
                    bool memory, int order, int n_pulses, double *const *potential, double *field, double *defect,
                    IrzError *error);

#endif
