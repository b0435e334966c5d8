/// @file
/// Conductivity of a tissue as a function of the field strength, sigma(E).
#ifndef IREZONE_LAW_H
#define IREZONE_LAW_H

#ifdef __cplusplus
extern "C" {
#endif

/// Shape of sigma(E). Formulas in the notation of the plan, with E in V/cm there and in V/m here.
typedef enum {
  IRZ_LAW_CONSTANT,   ///< value
  IRZ_LAW_RAMP,       ///< low up to `from`, linear, high beyond `to`
  IRZ_LAW_SIGMOID,    ///< low + (high - low) / (1 + exp(-(E - center) / width))
  IRZ_LAW_SMOOTHSTEP, ///< low + (high - low) (10 u^3 - 15 u^4 + 6 u^5), u = (E - from) / (to - from) clamped to [0, 1]
  IRZ_LAW_GOMPERTZ,   ///< low + (high - low) exp(-a exp(-b E)); b in m/V here, cm/V in the plan
  IRZ_LAW_TABLE       ///< linear between the given points, constant outside them
} IrzLawKind;

/// Points of a table at most.
#define IRZ_LAW_MAX_POINTS 64

/// A conductivity law, in SI units. Plain data: may be copied and sent.
typedef struct {
  IrzLawKind kind;
  double low;   ///< S/m, conductivity at zero field (ramp, sigmoid, smoothstep, gompertz: the `low` of the plan);
                ///< constant: the value
  double high;  ///< S/m, conductivity at saturation
  double p;     ///< ramp, smoothstep: `from`, V/m. sigmoid: `center`, V/m. gompertz: `a`, 1
  double q;     ///< ramp, smoothstep: `to`, V/m. sigmoid: `width`, V/m. gompertz: `b`, m/V
  int n_points; ///< table only
  double field[IRZ_LAW_MAX_POINTS]; ///< V/m, strictly increasing
  double sigma[IRZ_LAW_MAX_POINTS]; ///< S/m
} IrzLaw;

/// Evaluate a law.
/// @param[in]  law    the law
/// @param[in]  field  |E|, V/m, not negative
/// @param[out] slope  d sigma / d|E|, S/V; at a kink the slope to the right; may be NULL
/// @return sigma, S/m
double irz_law_sigma(const IrzLaw *law, double field, double *slope);

/// Whether the current density sigma(E) E grows strictly with E, which makes the field unique.
/// @param[in]  law    the law
/// @param[out] where  if not, a field strength at which it does not grow, V/m; may be NULL
/// @return 1 if it grows everywhere, 0 if not
int irz_law_is_monotone(const IrzLaw *law, double *where);

#ifdef __cplusplus
}
#endif
#endif
