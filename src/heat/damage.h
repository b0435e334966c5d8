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

/// Integrate both rates over a time step in which the temperature changes linearly. A rate is nearly an exponential of
/// it then, whose mean is known; where that of CEM43 changes its law, Simpson's rule.
/// @param[in]     from, to  C
/// @param[in]     seconds   s
/// @param[in,out] omega     Arrhenius integral, 1
/// @param[in,out] cem43     min
void irz_damage_add(const IrzArrhenius *set, double from, double to, double seconds, double *omega, double *cem43);

/// The same with one exponential, for many steps.
/// @param[in,out] ratio  in: rate of damage at `from`, or at 37 C if that is higher, against the rate at 37 C; out: at
/// `to`
/// @param[in,out] omega  Arrhenius integral over irz_damage_base(), s
void irz_damage_step(const IrzArrhenius *set, double from, double to, double seconds, double *ratio, double *omega,
                     double *cem43);

/// Rate of damage at 37 C, 1/s, which irz_damage_rate() leaves out.
double irz_damage_base(const IrzArrhenius *set);

/// The constant temperature that would have done the same damage in a hundred seconds, C: unlike the damage, which
/// changes by a power of ten within a few kelvin, it is nearly as smooth in space as the temperature is.
/// @param[in] omega  Arrhenius integral, not negative
double irz_damage_equivalent(const IrzArrhenius *set, double omega);

/// The same for equivalent minutes at 43 C; at least 39 C.
double irz_cem43_equivalent(double minutes);

/// Back from irz_damage_equivalent(); 0 up to 37 C.
double irz_damage_of(const IrzArrhenius *set, double equivalent);

/// Back from irz_cem43_equivalent(), min; 0 up to 39 C.
double irz_cem43_of(double equivalent);

#endif
