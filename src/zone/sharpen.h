/* The field at the nodes with the kinks that a conductivity law gives it. */
#ifndef IREZONE_ZONE_SHARPEN_H
#define IREZONE_ZONE_SHARPEN_H

#include "field/medium.h"
#include <irezone/law.h>

/// In place of w at a node between regions, where E jumps and means say little.
#define IRZ_NOT_SMOOTH (-1)

/// Recover |E| from quantities that have no kink.
///
/// Across a surface of constant |E| with the unit normal n the tangential part of E has a continuous slope (no curl),
/// and so has the normal part of the current density D (no source). |E| itself has a kink there if the law has one, and
/// bends over less than an element where the law is steep; means of E over the tetrahedra around a node smear that. So
/// E and D are averaged, and E gets the normal part that makes that of D right. Means of element-wise values at nodes
/// are off by the curvature of the truth, which the change of the slopes from node to node tells; that is taken away
/// first. Between regions |E| is that of the mean E.
///
/// For interpolation: if D is parallel to E and w = (E.n)^2 / |E|^2, the slope of |E| along n times
/// 1 + w |E| sigma' / sigma is continuous, so |E| sigma(|E|)^w has no kink where w varies little. Collective.
/// @param[in]     medium     regions and curved tetrahedra
/// @param[in]     laws       [n_regions] conductivities
/// @param[in]     n_pulses   number of potentials
/// @param[in]     n_threads  threads to share the pulses among
/// @param[in]     potential  [n_pulses] each [nodes of the part], of order 2, V
/// @param[out]    field      [nodes of the part] largest |E| over the pulses, V/m
/// @param[out]    along      [nodes of the part] w of the pulse with the largest, or IRZ_NOT_SMOOTH between
///                           regions
IrzCode irz_sharpen(const IrzMedium *medium, const IrzLaw *const *laws, int n_pulses, int n_threads,
                    double *const *potential, double *field, double *along, IrzError *error);

/// The quantity without a kink: |E| sigma(|E|)^w.
/// @param[in] field  |E|, V/m
double irz_kinkless(const IrzLaw *law, double along, double field);

#endif
