/// @file
/// Conductivity of a tissue as a function of the field strength, sigma(E).
#ifndef IREZONE_LAW_H
#define IREZONE_LAW_H

#include <irezone/api.h>

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

/// How the conductivity depends on direction. N is the law's `shape`; e = E / |E|.
///
/// With IRZ_LAW_ALONG the tensor is that of LaBarbera and Drapaca (2017), whose part along the field rises and whose
/// part across it stays. As J = sigma E only ever meets the part along E, tissue that is isotropic at rest carries the
/// same current as with the scalar law; the direction matters where N is not the identity, and to later pairs where
/// tissue remembers (`memory: pairs`): what one pair raised helps another only as far as their fields agree.
typedef enum {
  IRZ_LAW_ISOTROPIC, ///< J = sigma(|E|) E
  IRZ_LAW_SCALED,    ///< J = sigma(|E|) N E
  IRZ_LAW_ALONG      ///< J = (sigma(0) N + (sigma(|E|) - sigma(0)) e e^T) E
} IrzLawDirection;

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
  IrzLawDirection direction;
  double shape[6]; ///< N: xx, yy, zz, xy, yz, xz; positive definite, of trace 3; unused if isotropic
} IrzLaw;

/// Evaluate a law, without its direction.
/// @param[in]  law    the law
/// @param[in]  field  |E|, V/m, not negative
/// @param[out] slope  d sigma / d|E|, S/V; at a kink the slope to the right; may be NULL
/// @return sigma, S/m
IRZ_API double irz_law_sigma(const IrzLaw *law, double field, double *slope);

/// What tissue remembers at a point from earlier pairs.
typedef struct {
  double least;       ///< S/m, sigma(|E|) counts as no less; 0: nothing is remembered
  const double *rise; ///< [6] S/m, IRZ_LAW_ALONG: tensor R that is left of earlier rises; NULL: none
} IrzLawMemory;

/// Conductivity tensor at a field, and the derivative of the current density for Newton's method.
///
/// With a rise R the tensor of IRZ_LAW_ALONG is sigma(0) N + R + g e e^T, g = max(0, sigma(|E|) - sigma(0) - e.R.e):
/// nowhere less than what is remembered, and along the field no less than the law.
///
/// The derivative of J is symmetric positive definite for IRZ_LAW_ISOTROPIC, and for IRZ_LAW_ALONG of a law that does
/// not fall as long as nothing is remembered: J is then the gradient of a convex energy. Otherwise it is not
/// symmetric: that of IRZ_LAW_SCALED is sigma N + sigma'/|E| (N E) E^T. Its symmetric part is returned then, which is
/// positive definite (irz_law_is_monotone()), so that the solver of symmetric systems serves and steps still reduce the
/// error, if less than by squaring it; the solution is that of J itself all the same.
/// @param[in]  law      the law, of any direction
/// @param[in]  field    [3] E or -E, V/m; zero gives tissue at rest
/// @param[in]  memory   may be NULL
/// @param[out] sigma    [6] S/m, with J = sigma E; xx, yy, zz, xy, yz, xz
/// @param[out] tangent  [6] S/m, symmetric part of dJ / dE; may be NULL
IRZ_API void irz_law_tensor(const IrzLaw *law, const double field[3], const IrzLawMemory *memory, double sigma[6],
                            double tangent[6]);

/// Square of a difference of fields in the norm of the law's energy, without the law's slope: for estimates of errors.
/// @param[in] field       [3] where the conductivity is taken, V/m
/// @param[in] difference  [3] V/m
/// @return W/m^3; sigma(|E|) |difference|^2 if isotropic
IRZ_API double irz_law_square(const IrzLaw *law, const double field[3], const IrzLawMemory *memory,
                              const double difference[3]);

/// Whether the current density grows strictly with the field, (J(E) - J(F)) . (E - F) > 0, which makes the field
/// unique. That is so for IRZ_LAW_ALONG if the law does not fall, and for the others if sigma + sigma' |E| m > 0 for
/// m = (1 + k) / 2 and (1 - k) / 2, where k is 1 if isotropic and else (a + b) / (2 sqrt(a b)) with the smallest and
/// largest eigenvalues a, b of N (Kantorovich's inequality for the symmetric part of N e e^T).
/// @param[in]  law    the law
/// @param[out] where  if not, a field strength at which it does not grow, V/m; may be NULL
/// @return 1 if it grows everywhere, 0 if not
IRZ_API int irz_law_is_monotone(const IrzLaw *law, double *where);

/// How steep a law is at most: the largest |d ln sigma / d ln E|. Laws as published reach 1 to 4; a jump has infinitely
/// much.
/// @param[in]  law    the law
/// @param[out] where  a field strength at which it is so steep, V/m; may be NULL
IRZ_API double irz_law_steepness(const IrzLaw *law, double *where);

#ifdef __cplusplus
}
#endif
#endif
