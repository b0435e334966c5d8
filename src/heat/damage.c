/* Rates of thermal damage; see damage.h. */
#include "heat/damage.h"
#include <math.h>

#define GAS_CONSTANT 8.314 /* J/(mol K), the value the constants were published with */
#define KELVIN 273.15
#define BASE_TEMPERATURE 37.0 /* C */

static const IrzArrhenius sets[] = {
    [IRZ_DAMAGE_LIVER] = {7.39e39, 2.577e5, "liver, as in public codes for radio-frequency and microwave ablation"},
    [IRZ_DAMAGE_GENERAL] = {2.984e80, 5.064e5, "general, used with electroporation (recalled, not checked)"},
    [IRZ_DAMAGE_SKIN] = {3.1e98, 6.28e5, "skin (Henriques 1947), as in public codes"},
    [IRZ_DAMAGE_ARTERY] = {5.6e63, 4.3e5, "artery (Agah 1994)"},
};

const IrzArrhenius *irz_arrhenius(IrzDamageSet set) {
  return &sets[set];
}

/// Rate at 37 C, 1/s.
static double base_rate(const IrzArrhenius *set) {
  return set->a * exp(-set->ea / (GAS_CONSTANT * (BASE_TEMPERATURE + KELVIN)));
}

/// Logarithm of the rate against that at 37 C.
static double exponent(const IrzArrhenius *set, double celsius) {
  const double base = BASE_TEMPERATURE + KELVIN;
  return set->ea / (GAS_CONSTANT * base) * (celsius - BASE_TEMPERATURE) / (celsius + KELVIN);
}

double irz_damage_rate(const IrzArrhenius *set, double celsius) {
  if (celsius <= BASE_TEMPERATURE) return 0;
  return base_rate(set) * (exp(exponent(set, celsius)) - 1);
}

/// Mean of an exponential between two values of it.
/// @param[in] more  logarithm of `to` less that of `from`
static double mean_of(double from, double to, double more) {
  if (fabs(more) < 1e-3) return 0.5 * (from + to) * (1 - more * more / 12);
  return (to - from) / more;
}

double irz_cem43_rate(double celsius) {
  if (celsius < 39) return 0;
  return exp2((celsius - 43) * (celsius >= 43 ? 1 : 2)) / 60;
}

/// Equivalent minutes of a step.
static double cem43_of_step(double from, double to, double seconds) {
  double first = irz_cem43_rate(from), last = irz_cem43_rate(to);
  bool both = (from >= 43 && to >= 43) || (from >= 39 && from < 43 && to >= 39 && to < 43);
  if (both) return seconds * mean_of(first, last, M_LN2 * (to - from) * (from >= 43 ? 1 : 2));
  return seconds / 6 * (first + 4 * irz_cem43_rate(0.5 * (from + to)) + last);
}

void irz_damage_step(const IrzArrhenius *set, double from, double to, double seconds, double *ratio, double *omega,
                     double *cem43) {
  if (from <= BASE_TEMPERATURE && to <= BASE_TEMPERATURE) {
    *ratio = 1;
    return;
  }
  double before = exponent(set, fmax(from, BASE_TEMPERATURE)), after = exponent(set, fmax(to, BASE_TEMPERATURE));
  double now = exp(after);
  *omega += seconds * (mean_of(*ratio, now, after - before) - 1);
  *ratio = now;
  if (from >= 39 || to >= 39) *cem43 += cem43_of_step(from, to, seconds);
}

double irz_damage_base(const IrzArrhenius *set) {
  return base_rate(set);
}

void irz_damage_add(const IrzArrhenius *set, double from, double to, double seconds, double *omega, double *cem43) {
  double ratio = exp(exponent(set, fmax(from, BASE_TEMPERATURE))), sum = 0;
  irz_damage_step(set, from, to, seconds, &ratio, &sum, cem43);
  *omega += base_rate(set) * sum;
}

/// Length of the heating that equivalent temperatures belong to, s: about that of a pair's pulses.
static const double equivalent_time = 100;

double irz_damage_equivalent(const IrzArrhenius *set, double omega) {
  return set->ea / GAS_CONSTANT / (log(set->a) - log(omega / equivalent_time + base_rate(set))) - KELVIN;
}

double irz_cem43_equivalent(double minutes) {
  double doublings = log2(fmax(minutes, 1e-30) / (equivalent_time / 60));
  return fmax(39, 43 + (doublings >= 0 ? 1 : 0.5) * doublings);
}

double irz_damage_of(const IrzArrhenius *set, double equivalent) {
  return equivalent_time * irz_damage_rate(set, equivalent);
}

double irz_cem43_of(double equivalent) {
  if (equivalent <= 39) return 0;
  return equivalent_time / 60 * exp2((equivalent - 43) * (equivalent >= 43 ? 1 : 2));
}
