/* Conductivity laws. To add one: its name and formula in irezone/law.h, a case in law_value(), a row in the reader of
   the plan (src/plan/law_read.c). */
#include <irezone/law.h>
#include <math.h>
#include <stddef.h>

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

int irz_law_is_monotone(const IrzLaw *law, double *where) {
  if (law->kind != IRZ_LAW_TABLE) {
    if (law->kind == IRZ_LAW_CONSTANT || law->high >= law->low) return law->low > 0;
    /* A law that falls: d(sigma E)/dE = sigma + sigma' E must stay positive; sampled far finer than it can turn. */
    double top = law->kind == IRZ_LAW_SIGMOID    ? law->p + 40 * law->q
                 : law->kind == IRZ_LAW_GOMPERTZ ? 60 / law->q
                                                 : law->q;
    for (int i = 0; i <= 20000; i++) {
      double field = top * i / 20000, slope;
      double sigma = law_value(law, field, &slope);
      if (!(sigma + slope * field > 0)) {
        if (where != NULL) *where = field;
        return 0;
      }
    }
    return 1;
  }
  /* Within a piece sigma + slope E is linear in E, so its ends decide. */
  for (int i = 0; i + 1 < law->n_points; i++) {
    double slope = (law->sigma[i + 1] - law->sigma[i]) / (law->field[i + 1] - law->field[i]);
    for (int end = 0; end < 2; end++) {
      if (!(law->sigma[i + end] + slope * law->field[i + end] > 0)) {
        if (where != NULL) *where = law->field[i + end];
        return 0;
      }
    }
  }
  return 1;
}
