/* Conductivity laws. To add one: CONTRIBUTING.md. */
#include "base/tensor.h"
#include <irezone/law.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static double table_value(const IrzLaw *law, double field, double *slope) {
  int last = law->n_points - 1;
  *slope = 0;
  if (field < law->field[0]) return law->sigma[0];
  if (field >= law->field[last]) return law->sigma[last];
  int i = 0;
  while (field >= law->field[i + 1]) i++;
  *slope = (law->sigma[i + 1] - law->sigma[i]) / (law->field[i + 1] - law->field[i]);
  return law->sigma[i] + *slope * (field - law->field[i]);
}

static double law_value(const IrzLaw *law, double field, double *slope) {
  double rise = law->high - law->low;
  *slope = 0;
  switch (law->kind) {
  case IRZ_LAW_CONSTANT:
    return law->low;
  case IRZ_LAW_RAMP: {
    if (field < law->p) return law->low;
    if (field >= law->q) return law->high;
    *slope = rise / (law->q - law->p);
    return law->low + *slope * (field - law->p);
  }
  case IRZ_LAW_SIGMOID: {
    /* Written with exp of a negative number only, so that it cannot overflow. */
    double u = (field - law->p) / law->q;
    double e = exp(-fabs(u));
    double below = u < 0 ? e / (1 + e) : 1 / (1 + e);
    *slope = rise / law->q * e / ((1 + e) * (1 + e));
    return law->low + rise * below;
  }
  case IRZ_LAW_SMOOTHSTEP: {
    double u = (field - law->p) / (law->q - law->p);
    if (u <= 0) return law->low;
    if (u >= 1) return law->high;
    *slope = rise * 30 * u * u * (1 - u) * (1 - u) / (law->q - law->p);
    return law->low + rise * u * u * u * (10 + u * (6 * u - 15));
  }
  case IRZ_LAW_GOMPERTZ: {
    double inner = law->p * exp(-law->q * field);
    double outer = exp(-inner);
    *slope = rise * outer * inner * law->q;
    return law->low + rise * outer;
  }
  case IRZ_LAW_TABLE:
    return table_value(law, field, slope);
  }
  return NAN;
}

double irz_law_sigma(const IrzLaw *law, double field, double *slope) {
  double unused;
  return law_value(law, field, slope != NULL ? slope : &unused);
}

/* ---- Direction ---- */

/// sigma(|E|) with what is remembered, and its slope.
static double remembered(const IrzLaw *law, double size, const IrzLawMemory *memory, double *slope) {
  double sigma = irz_law_sigma(law, size, slope);
  if (memory == NULL || sigma >= memory->least) return sigma;
  *slope = 0;
  return memory->least;
}

/// What IRZ_LAW_ALONG adds along the field to the tissue at rest: `rest` gets sigma(0) N + R.
/// @param[out] e     [3] direction of the field
/// @param[out] turn  [3] (R e - (e.R.e) e): how the rise still missing changes as the field turns
/// @return g
static double raise_along(const IrzLaw *law, const double field[3], double size, const IrzLawMemory *memory,
                          double rest[6], double e[3], double turn[3], double *slope) {
  const double *rise = memory != NULL ? memory->rise : NULL;
  double still, sigma = irz_law_sigma(law, size, slope), before = irz_law_sigma(law, 0, &still);
  for (int k = 0; k < 6; k++) rest[k] = before * law->shape[k] + (rise != NULL ? rise[k] : 0);
  for (int d = 0; d < 3; d++) {
    e[d] = size > 0 ? field[d] / size : 0;
    turn[d] = 0;
  }
  double missing = sigma - before;
  if (rise != NULL) {
    double there = irz_tensor_square(rise, e);
    irz_tensor_apply(rise, e, turn);
    for (int d = 0; d < 3; d++) turn[d] -= there * e[d];
    missing -= there;
  }
  return missing > 0 ? missing : 0;
}

void irz_law_tensor(const IrzLaw *law, const double field[3], const IrzLawMemory *memory, double sigma[6],
                    double tangent[6]) {
  double size = sqrt(field[0] * field[0] + field[1] * field[1] + field[2] * field[2]), slope;
  if (law->direction == IRZ_LAW_ALONG) {
    double e[3], turn[3], raised = raise_along(law, field, size, memory, sigma, e, turn, &slope);
    if (tangent != NULL) {
      memcpy(tangent, sigma, 6 * sizeof *tangent);
      if (raised > 0) {
        /* The derivative of g E is g I + sigma' |E| e e^T - 2 e turn^T. */
        for (int d = 0; d < 3; d++) tangent[d] += raised;
        irz_tensor_add(tangent, slope * size, e, e);
        irz_tensor_add(tangent, -2, e, turn);
      }
    }
    irz_tensor_add(sigma, raised, e, e);
    return;
  }
  static const double identity[6] = {1, 1, 1, 0, 0, 0};
  const double *shape = law->direction == IRZ_LAW_SCALED ? law->shape : identity;
  double value = remembered(law, size, memory, &slope), current[3];
  for (int k = 0; k < 6; k++) sigma[k] = value * shape[k];
  if (tangent == NULL) return;
  memcpy(tangent, sigma, 6 * sizeof *tangent);
  irz_tensor_apply(shape, field, current);
  if (size > 0) irz_tensor_add(tangent, slope / size, current, field);
}

double irz_law_square(const IrzLaw *law, const double field[3], const IrzLawMemory *memory,
                      const double difference[3]) {
  double size = sqrt(field[0] * field[0] + field[1] * field[1] + field[2] * field[2]), slope, sigma[6];
  double square = difference[0] * difference[0] + difference[1] * difference[1] + difference[2] * difference[2];
  if (law->direction == IRZ_LAW_ISOTROPIC) return remembered(law, size, memory, &slope) * square;
  if (law->direction == IRZ_LAW_ALONG) {
    double e[3], turn[3], raised = raise_along(law, field, size, memory, sigma, e, turn, &slope);
    return irz_tensor_square(sigma, difference) + raised * square;
  }
  irz_law_tensor(law, field, memory, sigma, NULL);
  return irz_tensor_square(sigma, difference);
}

void irz_tensor_bounds(const double t[6], double *low, double *high) {
  /* Eigenvalues are the mean plus 2 size cos(angle + 2 pi n / 3). */
  const double third = 2.0943951023931954923;
  double mean = (t[0] + t[1] + t[2]) / 3, a = t[0] - mean, b = t[1] - mean, c = t[2] - mean;
  double size = sqrt((a * a + b * b + c * c + 2 * (t[3] * t[3] + t[4] * t[4] + t[5] * t[5])) / 6);
  double det = a * (b * c - t[4] * t[4]) - t[3] * (t[3] * c - t[4] * t[5]) + t[5] * (t[3] * t[4] - b * t[5]);
  double cosine = size > 0 ? fmin(1, fmax(-1, det / (2 * size * size * size))) : 0;
  double angle = acos(cosine) / 3;
  *high = mean + 2 * size * cos(angle);
  *low = mean + 2 * size * cos(angle + third);
}

/* ---- Uniqueness ---- */

/// The two factors of sigma' |E| in irz_law_is_monotone().
static void factors(const IrzLaw *law, double factor[2]) {
  double spread = 1, low, high;
  if (law->direction == IRZ_LAW_SCALED) {
    irz_tensor_bounds(law->shape, &low, &high);
    spread = low > 0 ? (low + high) / (2 * sqrt(low * high)) : INFINITY;
  }
  factor[0] = 0.5 * (1 + spread);
  factor[1] = 0.5 * (1 - spread);
}

/// Whether the current density grows at a field where sigma and its slope are these.
static bool grows(const IrzLaw *law, const double factor[2], double sigma, double slope, double field) {
  if (law->direction == IRZ_LAW_ALONG) return sigma > 0 && slope >= 0;
  return sigma > 0 && sigma + slope * field * factor[0] > 0 && sigma + slope * field * factor[1] > 0;
}

/// Field beyond which a law other than a table is all but constant, V/m.
static double saturation(const IrzLaw *law) {
  switch (law->kind) {
  case IRZ_LAW_CONSTANT:
  case IRZ_LAW_TABLE:
    return 0;
  case IRZ_LAW_RAMP:
  case IRZ_LAW_SMOOTHSTEP:
    return law->q;
  case IRZ_LAW_SIGMOID:
    return law->p + 40 * law->q;
  case IRZ_LAW_GOMPERTZ:
    return 60 / law->q;
  }
  return 0;
}

int irz_law_is_monotone(const IrzLaw *law, double *where) {
  double factor[2];
  factors(law, factor);
  if (law->kind != IRZ_LAW_TABLE) {
    if (law->kind == IRZ_LAW_CONSTANT) return law->low > 0;
    if (law->high >= law->low && law->direction != IRZ_LAW_SCALED) return law->low > 0;
    /* Sampled far finer than the law can turn. */
    double top = saturation(law);
    for (int i = 0; i <= 20000; i++) {
      double field = top * i / 20000, slope;
      double sigma = law_value(law, field, &slope);
      if (!grows(law, factor, sigma, slope, field)) {
        if (where != NULL) *where = field;
        return 0;
      }
    }
    return 1;
  }
  /* Within a piece sigma + slope E times a factor is linear in E, so its ends decide. */
  for (int i = 0; i + 1 < law->n_points; i++) {
    double slope = (law->sigma[i + 1] - law->sigma[i]) / (law->field[i + 1] - law->field[i]);
    for (int end = 0; end < 2; end++) {
      if (!grows(law, factor, law->sigma[i + end], slope, law->field[i + end])) {
        if (where != NULL) *where = law->field[i + end];
        return 0;
      }
    }
  }
  return 1;
}

/* ---- Steepness ---- */

/// The steepest of `count` fields from `low` to `high`.
static double steepest(const IrzLaw *law, double low, double high, int count, double *where) {
  double most = 0;
  for (int i = 0; i < count; i++) {
    double slope, field = low + (high - low) * i / (count - 1), sigma = law_value(law, field, &slope);
    double here = field > 0 ? fabs(slope * field / sigma) : 0;
    if (!(here > most)) continue;
    most = here;
    *where = field;
  }
  return most;
}

double irz_law_steepness(const IrzLaw *law, double *where) {
  enum { SAMPLES = 101 };
  double unused, most = 0, at = 0;
  if (where == NULL) where = &unused;
  *where = 0;
  switch (law->kind) {
  case IRZ_LAW_CONSTANT:
    return 0;
  case IRZ_LAW_RAMP:
  case IRZ_LAW_SMOOTHSTEP:
    return steepest(law, law->p, law->q - 1e-9 * (law->q - law->p), SAMPLES, where);
  case IRZ_LAW_SIGMOID:
    return steepest(law, fmax(0, law->p - 8 * law->q), law->p + 8 * law->q, SAMPLES, where);
  case IRZ_LAW_GOMPERTZ:
    return steepest(law, fmax(0, (log(law->p) - 4) / law->q), fmax(0, (log(law->p) + 4) / law->q), SAMPLES, where);
  case IRZ_LAW_TABLE:
    /* Within a piece E sigma' / sigma rises or falls, so its ends decide. */
    for (int i = 0; i + 1 < law->n_points; i++) {
      double low = law->field[i], high = law->field[i + 1];
      double here = steepest(law, low, high - 1e-9 * (high - low), 2, &at);
      if (here > most) *where = at;
      most = fmax(most, here);
    }
    return most;
  }
  return 0;
}
