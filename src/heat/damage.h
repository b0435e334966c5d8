/* Damage by heat: Arrhenius integral and equivalent minutes at 43 C. */
#ifndef IREZONE_HEAT_DAMAGE_H
#define IREZONE_HEAT_DAMAGE_H

#include "plan/plan.h"

/// Constants of the Arrhenius rate A exp(-Ea / (R T)).
typedef struct {
  double a;           ///< 1/s
  double ea;          ///< J/mol
  const char *source; ///< where they come from
} IrzArrhenius;

/// The constants of a set.
const IrzArrhenius *irz_arrhenius(IrzDamageSet set);

/// Rate of damage above the rate at 37 C, never negative. The liver set alone would call tissue at body temperature
/// destroyed after 57 minutes, which living tissue contradicts: it repairs what happens at 37 C.
/// @param[in] celsius  C
/// @return 1/s
double irz_damage_rate(const IrzArrhenius *set, double celsius);

/// Equivalent minutes at 43 C per second: R^(43 - T) / 60, R = 0.5 from 43 C on, 0.25 from 39 C to 43 C, nothing below
/// (Sapareto and Dewey 1984; recalled, not checked).
double irz_cem43_rate(double celsius);

/// Integrate both rates over a time step in which the temperature changes linearly (Simpson's rule).
/// @param[in]     from, to  C
/// @param[in]     seconds   s
/// @param[in,out] omega     Arrhenius integral, 1
/// @param[in,out] cem43     min
void irz_damage_add(const IrzArrhenius *set, double from, double to, double seconds, double *omega, double *cem43);

#endif
