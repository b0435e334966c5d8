#include "sweep/case.h"
#include "results/path.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define REAL(name, from, member, si, place)                                                                            \
  .column = (name), .path = (from), .offset = offsetof(IrzCaseResult, member), .unit = (si), .record = (place)
#define INTEGER(name, from, member, place)                                                                             \
  .column = (name), .path = (from), .offset = offsetof(IrzCaseResult, member), .record = (place)

const IrzCaseNumber irz_case_numbers[] = {
    {REAL("volume_cm3", "zone.volume_cm3", volume, 1e-6, 0), .statistics = true},
    {REAL("volume_error_cm3", "zone.volume_error_cm3", volume_error, 1e-6, 1)},
    {REAL("current_A", "pulses[].current_A", current, 1, 2), .largest = true, .statistics = true},
    {INTEGER("newton_iterations", "pulses[].newton_iterations", newton_iterations, 9)},
    {INTEGER("linear_iterations", "pulses[].linear_iterations", linear_iterations, 10)},
    {REAL("seconds", NULL, seconds, 1, 11), .always = true},
    {INTEGER("parts", "zone.parts", n_parts, 7)},
    {REAL("largest_part_cm3", "zone.largest_part_cm3", largest_part, 1e-6, 6)},
    {REAL("extent_x_mm", "zone.extent_mm[0]", extent[0], 1e-3, 3)},
    {REAL("extent_y_mm", "zone.extent_mm[1]", extent[1], 1e-3, 4)},
    {REAL("extent_z_mm", "zone.extent_mm[2]", extent[2], 1e-3, 5)},
    {INTEGER(NULL, "zone.touches_outer", touches_outer, 8)},
};
const int irz_n_case_numbers = sizeof irz_case_numbers / sizeof irz_case_numbers[0];

const IrzCaseNumber *irz_case_number_at(int record) {
  for (int k = 0; k < irz_n_case_numbers; k++) {
    if (irz_case_numbers[k].record == record) return &irz_case_numbers[k];
  }
  return NULL;
}

double irz_case_number_get(const IrzCaseNumber *number, const IrzCaseResult *result) {
  const char *field = (const char *)result + number->offset;
  double value;
  int count;
  if (number->unit == 0) {
    memcpy(&count, field, sizeof count);
    return count;
  }
  memcpy(&value, field, sizeof value);
  return value;
}

void irz_case_number_set(const IrzCaseNumber *number, double value, IrzCaseResult *result) {
  char *field = (char *)result + number->offset;
  int count = isfinite(value) && fabs(value) < 2e9 ? (int)value : 0;
  if (number->unit == 0)
    memcpy(field, &count, sizeof count);
  else
    memcpy(field, &value, sizeof value);
}

/// The sum over a list, or its largest entry; 0 if it is empty.
static double over_list(const json_t *summary, const IrzCaseNumber *number) {
  const char *brackets = strstr(number->path, "[]");
  double all = 0, one;
  for (int i = 0;; i++) {
    char path[IRZ_RESULT_PATH_MAX];
    snprintf(path, sizeof path, "%.*s[%d]%s", (int)(brackets - number->path), number->path, i, brackets + 2);
    if (!irz_result_find(summary, path, &one)) return all;
    all = number->largest ? fmax(all, one) : all + one;
  }
}

void irz_case_take(const json_t *summary, IrzCaseResult *result) {
  for (int k = 0; k < irz_n_case_numbers; k++) {
    const IrzCaseNumber *number = &irz_case_numbers[k];
    double value;
    if (number->path == NULL) continue;
    if (strstr(number->path, "[]") != NULL)
      value = over_list(summary, number);
    else
      irz_result_find(summary, number->path, &value);
    irz_case_number_set(number, number->unit > 0 ? value * number->unit : value, result);
  }
}
