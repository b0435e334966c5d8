/* Conductivity for several points at once. */
#ifndef IREZONE_FIELD_CONDUCTIVITY_H
#define IREZONE_FIELD_CONDUCTIVITY_H

#include <irezone/law.h>

/// Points handled together: two AVX2 or one AVX-512 register of doubles.
#define IRZ_LANES 8

/// sigma and its slope at several points of IRZ_LANES tetrahedra, as irz_law_sigma() gives them to within rounding. All
/// points in one call keep the processor's units busy: each is a long chain of operations.
/// @param[in]  law     [IRZ_LANES] law of each tetrahedron
/// @param[in]  points  points of each
/// @param[in]  field   [points][IRZ_LANES] |E|, V/m
/// @param[out] sigma   [points][IRZ_LANES] S/m
/// @param[out] slope   [points][IRZ_LANES] S/V
void irz_conductivity(const IrzLaw *const *law, int points, const double *field, double *sigma, double *slope);

#endif
