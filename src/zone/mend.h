/* Fields on both sides of an interface that agree with each other. */
#ifndef IREZONE_ZONE_MEND_H
#define IREZONE_ZONE_MEND_H

#include "zone/sides.h"

/// Steps of Newton's method at most; three or four do.
enum { IRZ_MOST_STEPS = 40 };

/// The normal part of E at which that of D is `flux`; it grows with E's, so Newton's method stays in a bracket.
/// @param[in] normal  [3] unit vector
/// @param[in] across  [3] the tangential part of E, V/m
/// @param[in] start   first guess, V/m
double irz_normal_part(const IrzLaw *law, const double normal[3], const double across[3], double flux, double start);

/// Make the fields on both sides agree: across an interface the field's tangential part is continuous, and so is the
/// current density's normal part. Both are means of the two sides with volumes as weights, times the conductivity for
/// the first and over it for the second: of all fields that agree these differ least from the given ones in energy.
/// What is uncertain on one side, as there is little of it or it conducts well, is taken from the other.
/// @param[in]     law    [2] of both sides
/// @param[in]     flux   [2] A/m^2
/// @param[in,out] field  [2] V/m
void irz_mend(const IrzJoint *joint, const IrzLaw *const law[2], double flux[2][3], double field[2][3]);

#endif
