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

static double rate(const IrzArrhenius *set, double celsius) {
  return exp(log(set->a) - set->ea / (GAS_CONSTANT * (celsius + KELVIN)));
}

double irz_damage_rate(const IrzArrhenius *set, double celsius) {
  if (celsius <= BASE_TEMPERATURE) return 0;
  return rate(set, celsius) - rate(set, BASE_TEMPERATURE);
}

double irz_cem43_rate(double celsius) {
  if (celsius < 39) return 0;
  return exp2((celsius - 43) * (celsius >= 43 ? 1 : 2)) / 60;
}

void irz_damage_add(const IrzArrhenius *set, double from, double to, double seconds, double *omega, double *cem43) {
  if (from <= BASE_TEMPERATURE && to <= BASE_TEMPERATURE) return;
  double middle = 0.5 * (from + to);
  *omega += seconds / 6 * (irz_damage_rate(set, from) + 4 * irz_damage_rate(set, middle) + irz_damage_rate(set, to));
  *cem43 += seconds / 6 * (irz_cem43_rate(from) + 4 * irz_cem43_rate(middle) + irz_cem43_rate(to));
}
