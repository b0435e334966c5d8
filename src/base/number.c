#define _GNU_SOURCE /* strtod_l */
#include "base/number.h"
#include "base/entry.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool irz_number_read(const char *text, double *value) {
  if (text[0] == '\0' || text[strspn(text, "0123456789+-.eE")] != '\0') return false;
  char *end;
  double number = strtod_l(text, &end, irz_c_locale());
  if (*end != '\0' || !isfinite(number)) return false;
  *value = number;
  return true;
}

void irz_number_text(double value, char text[IRZ_NUMBER_TEXT]) {
  IRZ_ENTER_QUIETLY;
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(text, IRZ_NUMBER_TEXT, "%.*g", digits, value);
    double again;
    if (irz_number_read(text, &again) && again == value) return;
  }
}
