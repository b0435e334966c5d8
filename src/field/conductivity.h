/* Conductivity for several points at once. */
#ifndef IREZONE_FIELD_CONDUCTIVITY_H
#define IREZONE_FIELD_CONDUCTIVITY_H

#include <irezone/law.h>

/// Points handled together: two AVX2 or one AVX-512 register of doubles.
#define IRZ_LANES 8

/// sigma and its slope at IRZ_LANES points, as irz_law_sigma() gives them to within rounding.
/// @param[in]  law    [IRZ_LANES] law of each point
/// @param[in]  field  [IRZ_LANES] |E|, V/m
/// @param[out] sigma  [IRZ_LANES] S/m
/// @param[out] slope  [IRZ_LANES] S/V
void irz_conductivity(const IrzLaw *const *law, const double *field, double *sigma, double *slope);

#endif
