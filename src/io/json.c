/* The summary as JSON. Units are in the names; this is where SI becomes mm, V/cm and cm³. */
#include "io/json.h"
#include "base/entry.h"
#include "base/json.h"
#include "plan/plan.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MM_PER_M 1e3
#define CM3_PER_M3 1e6
#define V_PER_CM 1e-2 /* V/m to V/cm */

/* Twelve digits: far beyond the accuracy of any number here, and 0.1 stays 0.1. */
#define DIGITS 12

/// A number; null where there is none (JSON has no NaN and no infinity).
static json_t *number(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

/// An estimate that was not made is negative, and null in JSON.
static json_t *estimate(double value, double scale) {
  return value >= 0 ? number(value * scale) : json_null();
}

/// Text; bytes that are not UTF-8 become question marks.
static json_t *text(const char *string) {
  json_t *value = json_string(string);
  if (value != NULL) return value;
  char *copy = strdup(string);
  if (copy == NULL) return NULL;
  for (char *c = copy; *c != '\0'; c++) {
    if ((unsigned char)*c >= 0x80) *c = '?';
  }
  value = json_string(copy);
  free(copy);
  return value;
}

static json_t *vector(const double x[3], double scale) {
  return json_pack("[o, o, o]", number(x[0] * scale), number(x[1] * scale), number(x[2] * scale));
}

static json_t *mesh_object(const IrzSummary *summary) {
  return json_pack("{s:I, s:I, s:i, s:I}", "cells", (json_int_t)summary->cells, "vertices",
                   (json_int_t)summary->vertices, "order", summary->order, "unknowns", (json_int_t)summary->unknowns);
}

/// Current of every electrode, by probe name.
static json_t *electrode_object(const IrzPlan *plan, const IrzPulseResult *pulse) {
  json_t *object = json_object();
  for (int i = 0; i < plan->n_probes; i++) {
    json_object_set_new(object, plan->probes[i].name, number(pulse->electrode_current[i]));
  }
  return object;
}

static json_t *pulse_array(const IrzSummary *summary) {
  json_t *array = json_array();
  for (int i = 0; i < summary->n_pulses; i++) {
    const IrzPulseResult *pulse = &summary->pulses[i];
    json_array_append_new(
        array,
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:i, s:o}", "from", text(pulse->from), "to",
                  text(pulse->to), "withdrawn_mm", number(pulse->withdrawn * MM_PER_M), "voltage_V",
                  number(pulse->voltage), "requested_voltage_V", number(pulse->requested_voltage), "highest_voltage_V",
                  number(pulse->highest_voltage), "current_A", number(pulse->current), "current_first_A",
                  number(pulse->first_current), "current_error_A", estimate(pulse->current_error, 1), "resistance_ohm",
                  number(pulse->resistance), "newton_iterations", pulse->newton_iterations, "linear_iterations",
                  pulse->linear_iterations, "electrode_current_A", electrode_object(summary->plan, pulse)));
  }
  return array;
}

static json_t *threshold_array(const IrzZone *zone) {
  json_t *array = json_array();
  for (int i = 0; i < zone->n_also; i++) {
    const IrzThresholdVolume *also = &zone->also[i];
    json_array_append_new(array, json_pack("{s:o, s:o, s:o}", "threshold_V_per_cm", number(also->threshold * V_PER_CM),
                                           "volume_cm3", number(also->volume * CM3_PER_M3), "volume_error_cm3",
                                           estimate(also->volume_error, CM3_PER_M3)));
  }
  return array;
}

static json_t *survival_array(const IrzZone *zone) {
  json_t *array = json_array();
  for (int i = 0; i < zone->n_survival; i++) {
    const IrzSurvivalVolume *level = &zone->by_survival[i];
    json_array_append_new(array, json_pack("{s:o, s:o, s:o}", "survival", number(level->survival), "volume_cm3",
                                           number(level->volume * CM3_PER_M3), "volume_error_cm3",
                                           estimate(level->volume_error, CM3_PER_M3)));
  }
  return array;
}

static json_t *region_array(const IrzZone *zone) {
  json_t *array = json_array();
  for (int i = 0; i < zone->n_regions; i++) {
    const IrzRegionVolume *region = &zone->regions[i];
    json_array_append_new(array, json_pack("{s:o, s:o, s:o, s:o, s:o}", "region", text(region->region),
                                           "threshold_V_per_cm", number(region->threshold * V_PER_CM), "volume_cm3",
                                           number(region->volume * CM3_PER_M3), "ablated_cm3",
                                           number(region->ablated * CM3_PER_M3), "ablated_percent",
                                           number(100 * region->ablated / region->volume)));
  }
  return array;
}

static json_t *zone_object(const IrzZone *zone) {
  double extent[3];
  for (int i = 0; i < 3; i++) extent[i] = zone->box[1][i] - zone->box[0][i];
  return json_pack("{s:o, s:o, s:o, s:o, s:[o, o], s:i, s:o, s:b, s:o, s:o, s:o}", "threshold_V_per_cm",
                   number(zone->threshold * V_PER_CM), "volume_cm3", number(zone->volume * CM3_PER_M3),
                   "volume_error_cm3", estimate(zone->volume_error, CM3_PER_M3), "extent_mm", vector(extent, MM_PER_M),
                   "bounding_box_mm", vector(zone->box[0], MM_PER_M), vector(zone->box[1], MM_PER_M), "parts",
                   zone->n_parts, "largest_part_cm3", number(zone->largest_part * CM3_PER_M3), "touches_outer",
                   (int)zone->touches_outer, "by_threshold", threshold_array(zone), "by_region", region_array(zone),
                   "by_survival", survival_array(zone));
}

/// Millimetres in each region that a part of a needle passes.
static json_t *path_array(const IrzPaths *paths, const double *length) {
  json_t *array = json_array();
  for (int r = 0; r <= paths->n_regions; r++) {
    if (!(length[r] >= 0.05e-3)) continue; /* rounding */
    json_t *region = r < paths->n_regions ? text(paths->region[r]) : json_null();
    json_array_append_new(array, json_pack("{s:o, s:o}", "region", region, "mm", number(length[r] * MM_PER_M)));
  }
  return array;
}

static json_t *probe_array(const IrzSummary *summary) {
  static const char *const tip_shape[] = {"flat", "rounded", "trocar"};
  json_t *array = json_array();
  for (int i = 0; i < summary->plan->n_probes; i++) {
    const IrzProbe *probe = &summary->plan->probes[i];
    json_t *potential = json_array();
    for (int p = 0; p < summary->n_pulses; p++) {
      json_array_append_new(potential, number(summary->pulses[p].potential[i]));
    }
    json_t *object = json_pack("{s:o, s:o}", "name", text(probe->name), "potential_V", potential);
    if (object != NULL && probe->plate[0] > 0) {
      json_object_set_new(object, "face_mm", vector(probe->tip, MM_PER_M));
      json_object_set_new(object, "direction", vector(probe->direction, 1));
      json_object_set_new(object, "side", vector(probe->side, 1));
      json_object_set_new(object, "width_mm", number(probe->plate[0] * MM_PER_M));
      json_object_set_new(object, "height_mm", number(probe->plate[1] * MM_PER_M));
      json_object_set_new(object, "thickness_mm", number(probe->exposure * MM_PER_M));
    } else if (object != NULL && probe->has_geometry) {
      json_object_set_new(object, "tip_mm", vector(probe->tip, MM_PER_M));
      json_object_set_new(object, "direction", vector(probe->direction, 1));
      json_object_set_new(object, "exposure_mm", number(probe->exposure * MM_PER_M));
      json_object_set_new(object, "diameter_mm", number(probe->diameter * MM_PER_M));
      if (probe->place == 0) json_object_set_new(object, "tip_shape", text(tip_shape[probe->tip_shape]));
      if (probe->needle[0] != '\0') json_object_set_new(object, "needle", text(probe->needle));
      if (summary->paths != NULL) {
        size_t row = (size_t)i * ((size_t)summary->paths->n_regions + 1);
        json_object_set_new(object, "metal_in", path_array(summary->paths, summary->paths->metal + row));
        if (probe->place == 0)
          json_object_set_new(object, "shaft_in", path_array(summary->paths, summary->paths->shaft + row));
      }
    }
    json_array_append_new(array, object);
  }
  return array;
}

static json_t *warning_array(const IrzSummary *summary) {
  const IrzPlan *plan = summary->plan;
  json_t *array = json_array();
  for (int i = 0; i < plan->n_warnings; i++) json_array_append_new(array, text(plan->warnings[i]));
  if (summary->lost[0] != '\0') {
    char line[IRZ_ERROR_TEXT + 256];
    snprintf(line, sizeof line, "the fields are lost; %s.hdf, if there is one, is of an earlier run: %s", plan->name,
             summary->lost);
    json_array_append_new(array, text(line));
  }
  return array;
}

static json_t *timing_object(const IrzSummary *summary) {
  return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "mesh", number(summary->timing.mesh), "setup",
                   number(summary->timing.setup), "solve", number(summary->timing.solve), "zone",
                   number(summary->timing.zone), "output", number(summary->timing.output), "total",
                   number(summary->timing.total));
}

/// The label map and what its labels mean, so that a picture can show the anatomy itself; null without one.
static json_t *anatomy_object(const IrzPlan *plan) {
  if (plan->anatomy.labels[0] == '\0') return json_null();
  json_t *map = json_array();
  for (int i = 0; i < plan->anatomy.n_map; i++) {
    const IrzLabel *label = &plan->anatomy.map[i];
    json_array_append_new(map, json_pack("{s:i, s:o}", "label", label->label, "region", text(label->region)));
  }
  return json_pack("{s:o, s:o}", "labels", text(plan->anatomy.labels), "map", map);
}

/// Tissues that conduct differently in different directions.
static json_t *anisotropy_array(const IrzPlan *plan) {
  json_t *array = json_array();
  for (int i = 0; i < plan->n_tissues; i++) {
    const IrzTissue *tissue = &plan->tissues[i];
    const double *n = tissue->sigma.shape;
    if (tissue->sigma.direction == IRZ_LAW_ISOTROPIC) continue;
    json_array_append_new(array,
                          json_pack("{s:o, s:[o, o, o, o, o, o], s:s}", "tissue", text(tissue->region), "tensor",
                                    number(n[0]), number(n[1]), number(n[2]), number(n[3]), number(n[4]), number(n[5]),
                                    "rise", tissue->sigma.direction == IRZ_LAW_ALONG ? "along-field" : "scaled"));
  }
  return array;
}

/// The time series, one list a quantity.
static json_t *series_object(const IrzPlan *plan, const IrzHeatResult *heat) {
  json_t *time = json_array(), *pulse = json_array(), *current = json_array(), *power = json_array();
  json_t *hottest = json_array(), *probes = json_object();
  for (int i = 0; i < heat->n_samples; i++) {
    const IrzHeatSample *sample = &heat->samples[i];
    json_array_append_new(time, number(sample->time));
    json_array_append_new(pulse, sample->pulse >= 0 ? json_integer(sample->pulse + 1) : json_null());
    json_array_append_new(current, number(sample->current));
    json_array_append_new(power, number(sample->power));
    json_array_append_new(hottest, number(sample->hottest));
  }
  for (int p = 0; p < plan->n_probes; p++) {
    json_t *probe = json_array();
    for (int i = 0; i < heat->n_samples; i++) json_array_append_new(probe, number(heat->samples[i].probe[p]));
    json_object_set_new(probes, plan->probes[p].name, probe);
  }
  return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "time_s", time, "pulse", pulse, "current_A", current, "power_W",
                   power, "temperature_max_C", hottest, "probe_temperature_C", probes);
}

/// What the heating came to.
static json_t *heat_object(const IrzPlan *plan, const IrzHeatResult *heat) {
  return json_pack(
      "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:i, s:i, s:i, s:o, s:o, s:o}", "temperature_peak_C",
      number(heat->peak), "peak_time_s", number(heat->peak_time), "peak_at_mm", vector(heat->peak_at, MM_PER_M),
      "volume_50C_cm3", number(heat->volume_50 * CM3_PER_M3), "volume_damage_cm3",
      number(heat->volume_damage * CM3_PER_M3), "volume_cem43_240min_cm3", number(heat->volume_cem43 * CM3_PER_M3),
      "zone_damage_cm3", number(heat->zone_damage * CM3_PER_M3), "thermal_share_percent",
      number(100 * heat->thermal_share), "damage_note",
      "Arrhenius integral of at least 1; the rate at 37 C is subtracted, because living tissue repairs "
      "what happens at body temperature",
      "duration_s", number(heat->duration), "energy_J",
      json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "joule", number(heat->joule), "metabolic", number(heat->metabolic),
                "stored", number(heat->stored), "perfused", number(heat->perfused), "conducted",
                number(heat->conducted), "balance_error_percent", number(100 * heat->balance)),
      "steps", heat->steps, "linear_iterations", heat->linear_iterations, "field_solves", heat->field_solves, "seconds",
      number(heat->seconds), "cpu_seconds", number(heat->cpu), "series", series_object(plan, heat));
}

/// The summary, or NULL or a part of it if there is no memory.
static json_t *summary_object(const IrzSummary *summary) {
  const IrzPlan *plan = summary->plan;
  /* Only with a patient's anatomy, or where a plan says so, is there a patient's frame, and then a plan holds RAS
     whatever its file was in. */
  bool framed = plan->anatomy.labels[0] != '\0' || plan->anatomy.frame_stated;
  json_t *frame = framed ? json_string("RAS") : json_null();
  json_t *root = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:i}", "irezone",
                           IRZ_VERSION, "plan", text(plan->name), "status", text(summary->status), "frame", frame,
                           "anatomy", anatomy_object(plan), "mesh", mesh_object(summary), "pulses",
                           pulse_array(summary), "zone", zone_object(&summary->zone), "probes", probe_array(summary),
                           "warnings", warning_array(summary), "timing_s", timing_object(summary), "peak_memory_MB",
                           number(summary->peak_memory / 1e6), "ranks", summary->ranks, "threads", summary->threads);
  if (root == NULL) return NULL;
  json_t *anisotropy = anisotropy_array(plan);
  if (json_array_size(anisotropy) > 0)
    json_object_set_new(root, "anisotropy", anisotropy);
  else
    json_decref(anisotropy);
  if (plan->pullback.count > 0) {
    json_object_set_new(
        root, "pullback",
        json_pack("{s:o, s:i}", "step_mm", number(plan->pullback.step * MM_PER_M), "count", plan->pullback.count));
  }
  if (summary->heat != NULL) json_object_set_new(root, "heat", heat_object(plan, summary->heat));
  return root;
}

json_t *irz_summary_object(const IrzSummary *summary) {
  irz_json_watch();
  json_t *root = summary_object(summary);
  if (irz_json_watched()) return root;
  json_decref(root);
  return NULL;
}

char *irz_summary_json(const IrzSummary *summary) {
  IRZ_ENTER_QUIETLY;
  if (summary == NULL || summary->plan == NULL) return NULL;
  json_t *root = irz_summary_object(summary);
  char *encoded = root != NULL ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(DIGITS)) : NULL;
  json_decref(root);
  return encoded;
}
