/* Laws for several points at once; see conductivity.h. When all points have the same law, its formula runs in vector
   registers; with mixed laws, or a table, each point is evaluated by itself. */
#include "field/conductivity.h"
#include <math.h>
#include <stdint.h>
#include <string.h>

/// exp(x) for -708 < x <= 0, relative error below 4e-15: 2^k times the Taylor polynomial of degree 12 on
/// |x - k ln 2| <= ln 2 / 2, without branches so that the compiler can use vector registers.
static inline double exp_negative(double x) {
  const double shift = 6755399441055744.0; /* 1.5 * 2^52: adding it leaves the nearest integer in the low bits */
  double k = x * 1.4426950408889634074 + shift;
  int64_t bits;
  memcpy(&bits, &k, sizeof bits);
  k -= shift;
  double r = x - k * 6.93147180369123816490e-01 - k * 1.90821492927058770002e-10;
  double p = 1.0 / 479001600;
  p = p * r + 1.0 / 39916800;
  p = p * r + 1.0 / 3628800;
  p = p * r + 1.0 / 362880;
  p = p * r + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 0.5;
  p = p * r + 1;
  p = p * r + 1;
  int64_t result;
  memcpy(&result, &p, sizeof result);
  result += (int64_t)((uint64_t)bits << 52);
  memcpy(&p, &result, sizeof p);
  return p;
}

/* Not fmin() and fmax(): those are calls, as what they owe to NaN is not what the machine's instructions do, and a loop
   with a call does not run in vector registers. */
static inline double at_least(double x, double least) {
  return x > least ? x : least;
}

static inline double between(double x, double least, double most) {
  x = at_least(x, least);
  return x < most ? x : most;
}

static void sigmoid(const IrzLaw *law, int n, const double *field, double *sigma, double *slope) {
  double low = law->low, rise = law->high - law->low, center = law->p, inverse = 1 / law->q;
#pragma omp simd
  for (int l = 0; l < n; l++) {
    double u = (field[l] - center) * inverse;
    double e = exp_negative(at_least(-fabs(u), -700.0)), half = 1 / (1 + e);
    double part = u < 0 ? e * half : half;
    sigma[l] = low + rise * part;
    slope[l] = rise * inverse * e * half * half;
  }
}

static void ramp(const IrzLaw *law, int n, const double *field, double *sigma, double *slope) {
  double low = law->low, steep = (law->high - law->low) / (law->q - law->p), from = law->p, to = law->q;
#pragma omp simd
  for (int l = 0; l < n; l++) {
    double inside = between(field[l], from, to) - from;
    sigma[l] = low + steep * inside;
    slope[l] = field[l] < from || field[l] >= to ? 0.0 : steep;
  }
}

static void smoothstep(const IrzLaw *law, int n, const double *field, double *sigma, double *slope) {
  double low = law->low, rise = law->high - law->low, from = law->p, inverse = 1 / (law->q - law->p);
#pragma omp simd
  for (int l = 0; l < n; l++) {
    double u = between((field[l] - from) * inverse, 0.0, 1.0);
    sigma[l] = low + rise * u * u * u * (10 + u * (6 * u - 15));
    slope[l] = rise * inverse * 30 * u * u * (1 - u) * (1 - u);
  }
}

void irz_conductivity(const IrzLaw *const *law, int points, const double *field, double *sigma, double *slope) {
  int same = 1, n = points * IRZ_LANES;
  for (int l = 1; l < IRZ_LANES; l++) same &= law[l] == law[0];
  if (same && law[0]->kind == IRZ_LAW_SIGMOID) {
    sigmoid(law[0], n, field, sigma, slope);
  } else if (same && law[0]->kind == IRZ_LAW_RAMP) {
    ramp(law[0], n, field, sigma, slope);
  } else if (same && law[0]->kind == IRZ_LAW_SMOOTHSTEP) {
    smoothstep(law[0], n, field, sigma, slope);
  } else {
    for (int l = 0; l < n; l++) sigma[l] = irz_law_sigma(law[l % IRZ_LANES], field[l], &slope[l]);
  }
}
