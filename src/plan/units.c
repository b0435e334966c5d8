/* Numbers that are right in another unit than the plan's: cm for mm, kV for V, V/m for V/cm. Each is only doubted where
   another unit makes it an ordinary number. */
#include "plan/parts.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A unit that may have been meant, in that of the key. */
typedef struct {
  const char *name;
  double factor;
} Unit;

static const Unit lengths[] = {{"cm", 10}, {"m", 1000}, {"um", 1e-3}, {NULL, 0}};
static const Unit voltages[] = {{"kV", 1000}, {NULL, 0}};
static const Unit fields[] = {{"kV/cm", 1000}, {"V/m", 0.01}, {"kV/m", 10}, {NULL, 0}};
static const Unit widths[] = {{"ms", 1000}, {"s", 1e6}, {"ns", 1e-3}, {NULL, 0}};
static const Unit conductivities[] = {{"mS/cm", 0.1}, {"mS/m", 1e-3}, {"uS/cm", 1e-4}, {"S/cm", 100}, {NULL, 0}};

/* What nobody doubts, and what is ordinary, in the units of the plan. */
typedef struct {
  const char *unit;
  double least, most, usual_least, usual_most;
  const Unit *others;
} Range;

/* Needles of 27 to 8 gauge; distances in clinical reports are 5 to 32 mm; fields from those that only open cells to
   those beside a needle; conductivities from fat to bile. */
static const Range diameter_range = {"mm", 0.25, 4, 0.4, 3, lengths};
static const Range spacing_range = {"mm", 4, 1e9, 6, 60, lengths};
static const Range voltage_range = {"V", 20, 1e9, 200, 5000, voltages};
static const Range field_range = {"V/cm", 20, 10000, 100, 5000, fields};
static const Range sigma_range = {"S/m", 0.005, 2.5, 0.01, 2, conductivities};

/* "file:line: path: text" */
static void warn_at(IrzPlan *plan, int line, const char *path, const char *format, ...) IRZ_PRINTF(4, 5);
static void warn_at(IrzPlan *plan, int line, const char *path, const char *format, ...) {
  char text[400], number[16] = "";
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (line > 0) snprintf(number, sizeof number, ":%d", line);
  irz_plan_warn(plan, "%s%s: %s: %s", plan->file, number, path, text);
}

/* The unit in which a number is ordinary, or NULL. */
static const Unit *find_unit(const Range *range, double value) {
  for (const Unit *other = range->others; other->name != NULL; other++) {
    double meant = value * other->factor;
    if (meant >= range->usual_least && meant <= range->usual_most) return other;
  }
  return NULL;
}

void irz_unit_hint(const char *unit, double value, char hint[IRZ_UNIT_HINT]) {
  static const Range length_range = {"mm", 0, 0, 5, 200, lengths}, width_range = {"us", 0, 0, 20, 200, widths};
  const Range *const ranges[] = {&length_range, &width_range, &voltage_range, &field_range, &sigma_range};
  hint[0] = '\0';
  for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
    if (unit == NULL || strcmp(unit, ranges[i]->unit) != 0) continue;
    const Unit *other = find_unit(ranges[i], value);
    if (other == NULL) continue;
    snprintf(hint, IRZ_UNIT_HINT, "; %.6g %s would be %.6g %s", value, other->name, value * other->factor, unit);
  }
}

/* Doubt a number, in the unit of the range, if it is ordinary in another one. */
static void doubt(IrzPlan *plan, int line, const char *path, double value, const Range *range) {
  if (value >= range->least && value <= range->most) return;
  const Unit *other = find_unit(range, value);
  if (other == NULL) return;
  warn_at(plan, line, path, "%.6g %s is unusual: were %.6g %s meant, which are %.6g %s?", value, range->unit, value,
          other->name, value * other->factor, range->unit);
}

/* A field in V/m. */
static void doubt_field(IrzPlan *plan, int line, const char *path, double field) {
  doubt(plan, line, path, 0.01 * field, &field_range);
}

/* Diameters in mm of the common gauges, from 10 on (Birmingham gauge, ISO 9626). */
static double gauge_diameter(double gauge) {
  static const double diameters[] = {3.40, 3.05, 2.77, 2.41, 2.11, 1.83, 1.65, 1.47,
                                     1.27, 1.07, 0.91, 0.82, 0.72, 0.64, 0.57, 0.51};
  enum { FIRST = 10, LAST = FIRST + (int)(sizeof diameters / sizeof diameters[0]) - 1 };
  if (gauge != floor(gauge) || gauge < FIRST || gauge > LAST) return 0;
  return diameters[(int)gauge - FIRST];
}

static void doubt_probes(IrzPlan *plan) {
  for (int p = 0; p < plan->n_probes; p++) {
    const IrzProbe *probe = &plan->probes[p];
    if (!probe->has_geometry || probe->plate[0] > 0 || probe->place > 0) continue;
    char path[IRZ_KEY_PATH_MAX];
    double diameter = 1e3 * probe->diameter, gauge = gauge_diameter(round(diameter * 1e6) / 1e6);
    snprintf(path, sizeof path, "probe %s, diameter", probe->name);
    if (gauge > 0 && diameter > diameter_range.most) {
      warn_at(plan, probe->line, path, "%.6g mm is unusual: were %.6g gauge meant, which are %.3g mm?", diameter,
              diameter, gauge);
    } else {
      doubt(plan, probe->line, path, diameter, &diameter_range);
    }
    const Range exposure_range = {"mm",   1e3 * plan->generator.min_exposure, 1e3 * plan->generator.max_exposure, 5, 60,
                                  lengths};
    snprintf(path, sizeof path, "probe %s, exposure", probe->name);
    if (probe->needle[0] == '\0') doubt(plan, probe->line, path, 1e3 * probe->exposure, &exposure_range);
  }
}

/* Needles much nearer to each other than they are long. */
static void doubt_spacing(IrzPlan *plan) {
  for (int p = 0; p < plan->n_probes; p++) {
    for (int q = 0; q < p; q++) {
      const IrzProbe *a = &plan->probes[q], *b = &plan->probes[p];
      bool needles = a->has_geometry && b->has_geometry && a->plate[0] == 0 && a->place == 0 && b->place == 0;
      double distance = needles ? irz_plan_distance(plan, q, p) : INFINITY;
      if (distance > 0.25 * fmin(a->exposure, b->exposure)) continue;
      char path[IRZ_KEY_PATH_MAX];
      snprintf(path, sizeof path, "distance of probes %s and %s", a->name, b->name);
      doubt(plan, b->line, path, 1e3 * distance, &spacing_range);
      return;
    }
  }
}

static void doubt_pulses(IrzPlan *plan) {
  const Range width_range = {"us", 1e6 * plan->generator.min_width, 1e6 * plan->generator.max_width, 20, 200, widths};
  for (int i = 0; i < plan->n_pulses; i++) {
    const IrzPulse *pulse = &plan->pulses[i];
    if (pulse->field > 0) {
      doubt_field(plan, pulse->line, "pulses, field", pulse->field);
    } else {
      doubt(plan, pulse->line, "pulses, voltage", pulse->voltage, &voltage_range);
    }
    doubt(plan, pulse->line, "pulses, width", 1e6 * pulse->width, &width_range);
  }
}

/* Threshold and law of a tissue, as far as it states them itself. */
static void doubt_tissue(IrzPlan *plan, const IrzTissue *tissue) {
  const IrzPreset *preset = irz_preset_find(tissue->preset);
  const IrzLaw *law = &tissue->sigma;
  char path[IRZ_KEY_PATH_MAX], full[IRZ_KEY_PATH_MAX];
  irz_key_path(path, "tissues", tissue->region);
  irz_key_path(full, path, "threshold");
  if (tissue->threshold_stated) doubt_field(plan, tissue->line, full, tissue->threshold);
  if (preset != NULL && law->low == preset->sigma.low && law->high == preset->sigma.high) return;
  irz_key_path(full, path, "sigma");
  doubt(plan, tissue->line, full, law->high, &sigma_range);
  if (law->kind == IRZ_LAW_RAMP || law->kind == IRZ_LAW_SMOOTHSTEP || law->kind == IRZ_LAW_SIGMOID) {
    doubt_field(plan, tissue->line, full, law->kind == IRZ_LAW_SIGMOID ? law->p : law->q);
  }
}

void irz_units_doubt(IrzPlan *plan, int zone_line) {
  doubt_probes(plan);
  doubt_spacing(plan);
  doubt_pulses(plan);
  for (int i = 0; i < plan->n_tissues; i++) doubt_tissue(plan, &plan->tissues[i]);
  if (plan->zone.threshold >= 0) doubt_field(plan, zone_line, "zone.threshold", plan->zone.threshold);
  for (int i = 0; i < plan->zone.n_also; i++) doubt_field(plan, zone_line, "zone.also", plan->zone.also[i]);
}
