/* Every quantity of a summary: its unit, when it is there, what it means. Units are in the names; this is where SI
   becomes mm, V/cm and cm³. */
#include "results/table.h"
#include "plan/plan.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const IrzUnit mm = {"mm", "mm", 1e3, 0}, cm3 = {"cm3", "cm³", 1e6, 0}, V_per_cm = {"V_per_cm", "V/cm", 1e-2, 0};
static const IrzUnit volt = {"V", "V", 1, 0}, ampere = {"A", "A", 1, 0}, ohm = {"ohm", "Ω", 1, 0};
static const IrzUnit degree = {"degree", "°", 57.295779513082320877, 0};
static const IrzUnit second = {"s", "s", 1, 0}, celsius = {"C", "°C", 1, 0};
static const IrzUnit joule = {"J", "J", 1, 0}, watt = {"W", "W", 1, 0}, megabyte = {"MB", "MB", 1e-6, 0};
static const IrzUnit cm2 = {"cm2", "cm²", 1e4, 0};
static const IrzUnit percent = {"percent", "%", 100, 0}, share = {"", "%", 1, 100};

#define END                                                                                                            \
  { .name = NULL }
#define NUMBER(key, structure, member, in)                                                                             \
  .name = (key), .type = IRZ_QUANTITY_NUMBER, .offset = offsetof(structure, member), .unit = (in)
#define ESTIMATE(key, structure, member, in)                                                                           \
  .name = (key), .type = IRZ_QUANTITY_ESTIMATE, .offset = offsetof(structure, member), .unit = (in)
#define INTEGER(key, structure, member)                                                                                \
  .name = (key), .type = IRZ_QUANTITY_INTEGER, .offset = offsetof(structure, member)
#define COUNT(key, structure, member) .name = (key), .type = IRZ_QUANTITY_COUNT, .offset = offsetof(structure, member)
#define TEXT(key, structure, member) .name = (key), .type = IRZ_QUANTITY_TEXT, .offset = offsetof(structure, member)
#define POINT(key, structure, member, in)                                                                              \
  .name = (key), .type = IRZ_QUANTITY_POINT, .offset = offsetof(structure, member), .unit = (in)
#define MADE(key, function) .name = (key), .type = IRZ_QUANTITY_MADE, .make = (function)

json_t *irz_json_number(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

json_t *irz_json_text(const char *string) {
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

bool irz_quantity_is_there(const IrzQuantity *row, const IrzSummary *summary, const void *at) {
  return row->when == NULL || row->when->holds(summary, at);
}

double irz_quantity_number(const IrzQuantity *row, const IrzSummary *summary, const void *at) {
  double value;
  if (row->type == IRZ_QUANTITY_MADE) {
    json_t *made = row->make(summary, at);
    value = json_is_number(made) ? json_number_value(made) : NAN;
    json_decref(made);
    return value;
  }
  memcpy(&value, (const char *)at + row->offset, sizeof value);
  if (row->type == IRZ_QUANTITY_ESTIMATE && value < 0) return NAN;
  return value * (row->unit != NULL ? row->unit->scale : 1);
}

static json_t *vector(const double x[3], double scale) {
  return json_pack("[o, o, o]", irz_json_number(x[0] * scale), irz_json_number(x[1] * scale),
                   irz_json_number(x[2] * scale));
}

/* ---- Mesh ---- */

static const IrzQuantity mesh_rows[] = {
    {COUNT("cells", IrzSummary, cells), .help = "tetrahedra"},
    {COUNT("vertices", IrzSummary, vertices), .help = "corners of tetrahedra"},
    {INTEGER("order", IrzSummary, order), .help = "of the elements"},
    {COUNT("unknowns", IrzSummary, unknowns), .help = "of the potential"},
    END,
};

/* ---- Pulses ---- */

static const void *pulse_entry(const IrzSummary *summary, const void *at, int i) {
  (void)at;
  return i < summary->n_pulses ? &summary->pulses[i] : NULL;
}

/// Current of every electrode, by probe name.
static json_t *electrode_currents(const IrzSummary *summary, const void *at) {
  const IrzPulseResult *pulse = at;
  json_t *object = json_object();
  for (int i = 0; i < summary->plan->n_probes; i++) {
    json_object_set_new(object, summary->plan->probes[i].name, irz_json_number(pulse->electrode_current[i]));
  }
  return object;
}

/// What `field` of a plan's pulses states, of the voltage as solved.
static json_t *voltage_per_distance(const IrzSummary *summary, const void *at) {
  (void)summary;
  const IrzPulseResult *pulse = at;
  return irz_json_number(pulse->voltage / pulse->distance * V_per_cm.scale);
}

const IrzQuantity irz_pulse_quantities[] = {
    {TEXT("from", IrzPulseResult, from), .help = "the probe at the voltage"},
    {TEXT("to", IrzPulseResult, to), .help = "the probe at 0 V"},
    {NUMBER("withdrawn_mm", IrzPulseResult, withdrawn, &mm), .help = "how far a pull-back had withdrawn the needles"},
    {NUMBER("voltage_V", IrzPulseResult, voltage, &volt), .shown = {"voltage", 10, 0}, .help = "as solved"},
    {NUMBER("requested_voltage_V", IrzPulseResult, requested_voltage, &volt),
     .help = "as planned; more than voltage_V if generator.enforce lowered it"},
    {NUMBER("highest_voltage_V", IrzPulseResult, highest_voltage, &volt),
     .help = "the most that stays inside the generator's limits; null if the plan's does"},
    {NUMBER("distance_mm", IrzPulseResult, distance, &mm),
     .help = "between the middles of the bare metal; null on a loaded mesh that does not state needles"},
    {MADE("voltage_per_distance_V_per_cm", voltage_per_distance), .unit = &V_per_cm,
     .help = "voltage_V over distance_mm, what a plan's pulses state as field"},
    {NUMBER("current_A", IrzPulseResult, current, &ampere), .error = offsetof(IrzPulseResult, current_error),
     .shown = {"current", 18, -1},
     .help = "with heat.coupling full in the last pulse of the pair, and so are resistance and potentials"},
    {NUMBER("current_first_A", IrzPulseResult, first_current, &ampere),
     .help = "in the first pulse of the pair; the same as current_A unless heat.coupling is full"},
    {ESTIMATE("current_error_A", IrzPulseResult, current_error, &ampere),
     .help = "estimated error of current_A by the mesh; null if not estimated"},
    {NUMBER("resistance_ohm", IrzPulseResult, resistance, &ohm), .shown = {"resistance", 13, -1},
     .help = "voltage over current"},
    {INTEGER("newton_iterations", IrzPulseResult, newton_iterations), .help = "steps of Newton's method"},
    {INTEGER("linear_iterations", IrzPulseResult, linear_iterations), .help = "steps of conjugate gradients in them"},
    {MADE("electrode_current_A", electrode_currents), .unit = &ampere,
     .help = "from each probe into the tissue, a map by their names"},
    END,
};

/* ---- Zone ---- */

static const void *threshold_entry(const IrzSummary *summary, const void *at, int i) {
  (void)summary;
  const IrzZone *zone = at;
  return i < zone->n_also ? &zone->also[i] : NULL;
}

static const void *region_entry(const IrzSummary *summary, const void *at, int i) {
  (void)summary;
  const IrzZone *zone = at;
  return i < zone->n_regions ? &zone->regions[i] : NULL;
}

static const void *survival_entry(const IrzSummary *summary, const void *at, int i) {
  (void)summary;
  const IrzZone *zone = at;
  return i < zone->n_survival ? &zone->by_survival[i] : NULL;
}

static json_t *zone_extent(const IrzSummary *summary, const void *at) {
  (void)summary;
  const IrzZone *zone = at;
  double extent[3];
  for (int i = 0; i < 3; i++) extent[i] = zone->box[1][i] - zone->box[0][i];
  return vector(extent, mm.scale);
}

static json_t *zone_box(const IrzSummary *summary, const void *at) {
  (void)summary;
  const IrzZone *zone = at;
  return json_pack("[o, o]", vector(zone->box[0], mm.scale), vector(zone->box[1], mm.scale));
}

static json_t *ablated_share(const IrzSummary *summary, const void *at) {
  (void)summary;
  const IrzRegionVolume *region = at;
  return irz_json_number(percent.scale * region->ablated / region->volume);
}

const IrzQuantity irz_threshold_quantities[] = {
    {NUMBER("threshold_V_per_cm", IrzThresholdVolume, threshold, &V_per_cm), .identifies = true,
     .shown = {"threshold", 9, -1}, .help = "one of zone.also"},
    {NUMBER("volume_cm3", IrzThresholdVolume, volume, &cm3), .error = offsetof(IrzThresholdVolume, volume_error),
     .shown = {"volume", 0, -1}, .help = "where the field reaches it"},
    {ESTIMATE("volume_error_cm3", IrzThresholdVolume, volume_error, &cm3), .help = "estimated; null if not"},
    END,
};

const IrzQuantity irz_region_quantities[] = {
    {TEXT("region", IrzRegionVolume, region), .identifies = true, .help = "its name"},
    {NUMBER("threshold_V_per_cm", IrzRegionVolume, threshold, &V_per_cm), .shown = {"threshold", 12, -1},
     .help = "that applies to it"},
    {NUMBER("volume_cm3", IrzRegionVolume, volume, &cm3), .shown = {"volume", 13, -1}, .help = "of all of it"},
    {NUMBER("ablated_cm3", IrzRegionVolume, ablated, &cm3), .error = offsetof(IrzRegionVolume, ablated_error),
     .shown = {"ablated", 22, -1}, .help = "of the zone in it"},
    {ESTIMATE("ablated_error_cm3", IrzRegionVolume, ablated_error, &cm3), .help = "estimated; null if not"},
    {MADE("ablated_percent", ablated_share), .unit = &percent, .shown = {"share", 8, 1},
     .help = "share of it that is in the zone; null if it has no volume"},
    END,
};

const IrzQuantity irz_survival_quantities[] = {
    {NUMBER("survival", IrzSurvivalVolume, survival, &share), .identifies = true, .shown = {"survival at most", 16, -1},
     .help = "share of the cells, one of death.survival"},
    {NUMBER("volume_cm3", IrzSurvivalVolume, volume, &cm3), .error = offsetof(IrzSurvivalVolume, volume_error),
     .shown = {"volume", 0, -1}, .help = "where at most that share survives"},
    {ESTIMATE("volume_error_cm3", IrzSurvivalVolume, volume_error, &cm3), .help = "estimated; null if not"},
    END,
};

static const IrzQuantity zone_rows[] = {
    {NUMBER("threshold_V_per_cm", IrzZone, threshold, &V_per_cm), .help = "of the default tissue"},
    {NUMBER("volume_cm3", IrzZone, volume, &cm3), .error = offsetof(IrzZone, volume_error),
     .help = "where the field reaches the threshold of its region"},
    {ESTIMATE("volume_error_cm3", IrzZone, volume_error, &cm3), .help = "estimated; null if not"},
    {MADE("extent_mm", zone_extent), .unit = &mm, .help = "edges of the bounding box, x, y, z"},
    {MADE("bounding_box_mm", zone_box), .unit = &mm, .help = "its lower and its upper corner"},
    {INTEGER("parts", IrzZone, n_parts), .help = "pieces of more than a thousandth of the zone"},
    {NUMBER("largest_part_cm3", IrzZone, largest_part, &cm3), .help = "volume of the largest"},
    {.name = "touches_outer",
     .type = IRZ_QUANTITY_FLAG,
     .offset = offsetof(IrzZone, touches_outer),
     .help = "whether it reaches the wall of the tissue box, where the model ends"},
    {.name = "by_threshold",
     .type = IRZ_QUANTITY_LIST,
     .entry = threshold_entry,
     .rows = irz_threshold_quantities,
     .help = "volumes at one threshold for all regions"},
    {.name = "by_region",
     .type = IRZ_QUANTITY_LIST,
     .entry = region_entry,
     .rows = irz_region_quantities,
     .help = "what each region has of it"},
    {.name = "by_survival",
     .type = IRZ_QUANTITY_LIST,
     .entry = survival_entry,
     .rows = irz_survival_quantities,
     .help = "volumes by survival of cells; empty unless death.model is peleg-fermi"},
    END,
};

/* ---- Electrodes ---- */

static const void *probe_entry(const IrzSummary *summary, const void *at, int i) {
  (void)at;
  return i < summary->plan->n_probes ? &summary->plan->probes[i] : NULL;
}

/// Place of a probe in the plan.
static int probe_number(const IrzSummary *summary, const IrzProbe *probe) {
  return (int)(probe - summary->plan->probes);
}

static json_t *potentials(const IrzSummary *summary, const void *at) {
  int i = probe_number(summary, at);
  json_t *array = json_array();
  for (int p = 0; p < summary->n_pulses; p++) {
    json_array_append_new(array, irz_json_number(summary->pulses[p].potential[i]));
  }
  return array;
}

static json_t *tip_shape(const IrzSummary *summary, const void *at) {
  static const char *const shapes[] = {"flat", "rounded", "trocar"};
  (void)summary;
  return irz_json_text(shapes[((const IrzProbe *)at)->tip_shape]);
}

/// Millimetres in each region that a part of a needle passes.
static json_t *passed(const IrzSummary *summary, const double *lengths, const IrzProbe *probe) {
  const IrzPaths *paths = summary->paths;
  const double *length = lengths + (size_t)probe_number(summary, probe) * ((size_t)paths->n_regions + 1);
  json_t *array = json_array();
  for (int r = 0; r <= paths->n_regions; r++) {
    if (!(length[r] >= 0.05e-3)) continue; /* rounding */
    json_t *region = r < paths->n_regions ? irz_json_text(paths->region[r]) : json_null();
    json_array_append_new(array,
                          json_pack("{s:o, s:o}", "region", region, "mm", irz_json_number(length[r] * mm.scale)));
  }
  return array;
}

static json_t *metal_passed(const IrzSummary *summary, const void *at) {
  return passed(summary, summary->paths->metal, at);
}

static json_t *shaft_passed(const IrzSummary *summary, const void *at) {
  return passed(summary, summary->paths->shaft, at);
}

static bool plate(const IrzSummary *summary, const void *at) {
  (void)summary;
  return ((const IrzProbe *)at)->plate[0] > 0;
}

static bool needle(const IrzSummary *summary, const void *at) {
  return !plate(summary, at) && ((const IrzProbe *)at)->has_geometry;
}

static bool placed(const IrzSummary *summary, const void *at) {
  return plate(summary, at) || needle(summary, at);
}

static bool at_end(const IrzSummary *summary, const void *at) {
  return needle(summary, at) && ((const IrzProbe *)at)->place == 0;
}

static bool one_of_several(const IrzSummary *summary, const void *at) {
  return needle(summary, at) && ((const IrzProbe *)at)->needle[0] != '\0';
}

static bool mapped(const IrzSummary *summary, const void *at) {
  return needle(summary, at) && summary->paths != NULL;
}

static bool mapped_end(const IrzSummary *summary, const void *at) {
  return mapped(summary, at) && at_end(summary, at);
}

static const IrzCondition is_plate = {"of plates", plate}, is_needle = {"of needles with a place in the plan", needle};
static const IrzCondition is_placed = {"of electrodes with a place in the plan", placed};
static const IrzCondition is_at_end = {"of electrodes at a needle's end", at_end};
static const IrzCondition is_one_of_several = {"of several electrodes on one needle", one_of_several};
static const IrzCondition is_mapped = {"of needles in a label map", mapped};
static const IrzCondition is_mapped_end = {"of electrodes at a needle's end, in a label map", mapped_end};

static const IrzQuantity passed_rows[] = {
    {.name = "region", .type = IRZ_QUANTITY_TEXT, .identifies = true, .help = "null outside the image"},
    {.name = "mm", .type = IRZ_QUANTITY_NUMBER, .unit = &mm, .help = "length in it"},
    END,
};

static const IrzQuantity probe_rows[] = {
    {TEXT("name", IrzProbe, name), .identifies = true, .help = "of the electrode"},
    {MADE("potential_V", potentials), .unit = &volt, .help = "in each pulse; null if idle and insulating"},
    {POINT("face_mm", IrzProbe, tip, &mm), .when = &is_plate, .help = "middle of the face towards the other"},
    {POINT("tip_mm", IrzProbe, tip, &mm), .when = &is_needle, .help = "end of the bare metal"},
    {POINT("direction", IrzProbe, direction, NULL), .when = &is_placed,
     .help = "towards the handle; of plates away from the other"},
    {POINT("side", IrzProbe, side, NULL), .when = &is_plate, .help = "direction of the width"},
    {.name = "width_mm",
     .type = IRZ_QUANTITY_NUMBER,
     .offset = offsetof(IrzProbe, plate[0]),
     .unit = &mm,
     .when = &is_plate,
     .help = "edge of the plate"},
    {.name = "height_mm",
     .type = IRZ_QUANTITY_NUMBER,
     .offset = offsetof(IrzProbe, plate[1]),
     .unit = &mm,
     .when = &is_plate,
     .help = "the other edge"},
    {NUMBER("thickness_mm", IrzProbe, exposure, &mm), .when = &is_plate, .help = "of the metal"},
    {NUMBER("exposure_mm", IrzProbe, exposure, &mm), .when = &is_needle, .help = "length of the bare metal"},
    {NUMBER("diameter_mm", IrzProbe, diameter, &mm), .when = &is_needle, .help = "of the needle"},
    {MADE("tip_shape", tip_shape), .when = &is_at_end, .help = "flat, rounded or trocar"},
    {TEXT("needle", IrzProbe, needle), .when = &is_one_of_several, .help = "name of the needle"},
    {MADE("metal_in", metal_passed), .rows = passed_rows, .when = &is_mapped,
     .help = "regions of the label map that the bare metal is in"},
    {MADE("shaft_in", shaft_passed), .rows = passed_rows, .when = &is_mapped_end,
     .help = "regions that the rest of the needle passes"},
    END,
};

/* ---- Anatomy, anisotropy, pull-back ---- */

static const void *plan_of(const IrzSummary *summary, const void *at, int i) {
  (void)at;
  (void)i;
  return summary->plan;
}

static bool has_labels(const IrzSummary *summary, const void *at) {
  (void)at;
  return summary->plan->anatomy.labels[0] != '\0';
}
static const IrzCondition with_labels = {"null without a label map", has_labels};

/// Only with a patient's anatomy, or where a plan says so, is there a patient's frame; a plan holds RAS whatever its
/// file was in.
static bool has_frame(const IrzSummary *summary, const void *at) {
  return has_labels(summary, at) || summary->plan->anatomy.frame_stated;
}
static const IrzCondition with_frame = {"null without a label map, unless the plan states a frame", has_frame};

static json_t *frame(const IrzSummary *summary, const void *at) {
  (void)summary;
  (void)at;
  return json_string("RAS");
}

static const void *label_entry(const IrzSummary *summary, const void *at, int i) {
  (void)summary;
  const IrzPlan *plan = at;
  return i < plan->anatomy.n_map ? &plan->anatomy.map[i] : NULL;
}

static const IrzQuantity label_rows[] = {
    {INTEGER("label", IrzLabel, label), .help = "its number in the file"},
    {TEXT("region", IrzLabel, region), .identifies = true, .help = "the region that it means"},
    END,
};

static const IrzQuantity anatomy_rows[] = {
    {TEXT("labels", IrzPlan, anatomy.labels), .help = "the label map's file"},
    {.name = "map",
     .type = IRZ_QUANTITY_LIST,
     .entry = label_entry,
     .rows = label_rows,
     .help = "labels that are used"},
    END,
};

static const void *anisotropic_entry(const IrzSummary *summary, const void *at, int i) {
  (void)at;
  for (int t = 0; t < summary->plan->n_tissues; t++) {
    const IrzTissue *tissue = &summary->plan->tissues[t];
    if (tissue->sigma.direction != IRZ_LAW_ISOTROPIC && i-- == 0) return tissue;
  }
  return NULL;
}

static bool has_anisotropic(const IrzSummary *summary, const void *at) {
  return anisotropic_entry(summary, at, 0) != NULL;
}
static const IrzCondition with_anisotropic = {"with anisotropic tissues", has_anisotropic};

static json_t *tensor(const IrzSummary *summary, const void *at) {
  (void)summary;
  const double *n = ((const IrzTissue *)at)->sigma.shape;
  json_t *array = json_array();
  for (int k = 0; k < 6; k++) json_array_append_new(array, irz_json_number(n[k]));
  return array;
}

static json_t *rise(const IrzSummary *summary, const void *at) {
  (void)summary;
  return json_string(((const IrzTissue *)at)->sigma.direction == IRZ_LAW_ALONG ? "along-field" : "scaled");
}

static const IrzQuantity anisotropic_rows[] = {
    {TEXT("tissue", IrzTissue, region), .identifies = true, .help = "its region"},
    {MADE("tensor", tensor), .help = "[xx, yy, zz, xy, yz, xz] of mean 1"},
    {MADE("rise", rise), .help = "scaled or along-field"},
    END,
};

static bool has_pullback(const IrzSummary *summary, const void *at) {
  (void)at;
  return summary->plan->pullback.count > 0;
}
static const IrzCondition with_pullback = {"with a pull-back", has_pullback};

static const IrzQuantity pullback_rows[] = {
    {NUMBER("step_mm", IrzPlan, pullback.step, &mm), .help = "by which all needles are withdrawn"},
    {INTEGER("count", IrzPlan, pullback.count), .help = "times"},
    END,
};

/* ---- Heat ---- */

static const void *heat_of(const IrzSummary *summary, const void *at, int i) {
  (void)at;
  (void)i;
  return summary->heat;
}

static bool has_heat(const IrzSummary *summary, const void *at) {
  (void)at;
  return summary->heat != NULL;
}
static const IrzCondition with_heat = {"with `heat` in the plan", has_heat};

static json_t *damage_note(const IrzSummary *summary, const void *at) {
  (void)summary;
  (void)at;
  return json_string("Arrhenius integral of at least 1; the rate at 37 C is subtracted, because living tissue repairs "
                     "what happens at body temperature");
}

static const IrzQuantity energy_rows[] = {
    {NUMBER("joule", IrzHeatResult, joule, &joule), .help = "put in by the pulses"},
    {NUMBER("metabolic", IrzHeatResult, metabolic, &joule), .help = "made by the tissue"},
    {NUMBER("stored", IrzHeatResult, stored, &joule), .help = "held by tissue and needles at the end"},
    {NUMBER("perfused", IrzHeatResult, perfused, &joule), .help = "carried away by blood"},
    {NUMBER("conducted", IrzHeatResult, conducted, &joule),
     .help = "left through the wall, and needles and vessels at body temperature"},
    {NUMBER("balance_error_percent", IrzHeatResult, balance, &percent),
     .help = "what the five leave unexplained, relative to the pulses' heat"},
    END,
};

static const void *sample_entry(const IrzSummary *summary, const void *at, int i) {
  (void)at;
  return i < summary->heat->n_samples ? &summary->heat->samples[i] : NULL;
}

static json_t *firing(const IrzSummary *summary, const void *at) {
  (void)at;
  json_t *array = json_array();
  for (int i = 0; i < summary->heat->n_samples; i++) {
    int pulse = summary->heat->samples[i].pulse;
    json_array_append_new(array, pulse >= 0 ? json_integer(pulse + 1) : json_null());
  }
  return array;
}

static json_t *probe_temperatures(const IrzSummary *summary, const void *at) {
  (void)at;
  json_t *object = json_object();
  for (int p = 0; p < summary->plan->n_probes; p++) {
    json_t *series = json_array();
    for (int i = 0; i < summary->heat->n_samples; i++) {
      json_array_append_new(series, irz_json_number(summary->heat->samples[i].probe[p]));
    }
    json_object_set_new(object, summary->plan->probes[p].name, series);
  }
  return object;
}

#define SERIES(key, member, in)                                                                                        \
  .name = (key), .type = IRZ_QUANTITY_SERIES, .offset = offsetof(IrzHeatSample, member), .unit = (in),                 \
  .entry = sample_entry
static const IrzQuantity series_rows[] = {
    {SERIES("time_s", time, &second), .help = "since the first pulse"},
    {MADE("pulse", firing), .help = "entry of the plan's pulses that fires, from 1; null in pauses"},
    {SERIES("current_A", current, &ampere), .help = "during a pulse; 0 in pauses"},
    {SERIES("power_W", power, &watt), .help = "averaged over pulses and the time between them"},
    {SERIES("temperature_max_C", hottest, &celsius), .help = "anywhere"},
    {MADE("probe_temperature_C", probe_temperatures), .unit = &celsius,
     .help = "mean over the bare metal, a map of lists by names"},
    END,
};

static const IrzQuantity heat_rows[] = {
    {NUMBER("temperature_peak_C", IrzHeatResult, peak, &celsius), .help = "highest anywhere, at any time"},
    {ESTIMATE("temperature_peak_error_C", IrzHeatResult, peak_error, &celsius), .help = "estimated"},
    {NUMBER("peak_time_s", IrzHeatResult, peak_time, &second), .help = "when that was, since the first pulse"},
    {POINT("peak_at_mm", IrzHeatResult, peak_at, &mm), .help = "where"},
    {NUMBER("volume_50C_cm3", IrzHeatResult, volume_50, &cm3), .help = "tissue that reached 50 C"},
    {ESTIMATE("volume_50C_error_cm3", IrzHeatResult, volume_50_error, &cm3), .help = "estimated"},
    {NUMBER("volume_damage_cm3", IrzHeatResult, volume_damage, &cm3),
     .help = "tissue that heat destroyed: its Arrhenius integral reached 1"},
    {ESTIMATE("volume_damage_error_cm3", IrzHeatResult, volume_damage_error, &cm3), .help = "estimated"},
    {NUMBER("volume_cem43_240min_cm3", IrzHeatResult, volume_cem43, &cm3),
     .help = "tissue that got 240 equivalent minutes at 43 C"},
    {ESTIMATE("volume_cem43_240min_error_cm3", IrzHeatResult, volume_cem43_error, &cm3), .help = "estimated"},
    {NUMBER("zone_damage_cm3", IrzHeatResult, zone_damage, &cm3), .help = "of the zone, what heat destroyed"},
    {ESTIMATE("zone_damage_error_cm3", IrzHeatResult, zone_damage_error, &cm3), .help = "estimated"},
    {NUMBER("thermal_share_percent", IrzHeatResult, thermal_share, &percent), .help = "share of the zone that this is"},
    {ESTIMATE("thermal_share_error_percent", IrzHeatResult, thermal_share_error, &percent), .help = "estimated"},
    {MADE("damage_note", damage_note), .help = "what damage means here"},
    {NUMBER("duration_s", IrzHeatResult, duration, &second), .help = "of the whole timeline"},
    {.name = "energy_J", .type = IRZ_QUANTITY_MAP, .rows = energy_rows, .help = "where the heat came from and went"},
    {INTEGER("steps", IrzHeatResult, steps), .help = "time steps"},
    {INTEGER("linear_iterations", IrzHeatResult, linear_iterations), .help = "steps of conjugate gradients in them"},
    {INTEGER("field_solves", IrzHeatResult, field_solves),
     .help = "fields solved again because the tissue had warmed up"},
    {NUMBER("seconds", IrzHeatResult, seconds, NULL), .help = "of computing"},
    {NUMBER("cpu_seconds", IrzHeatResult, cpu, NULL), .help = "of processor time, all ranks"},
    {.name = "series", .type = IRZ_QUANTITY_MAP, .rows = series_rows, .help = "the treatment over time"},
    END,
};

/* ---- How needles lie ---- */

static bool has_pairs(const IrzSummary *summary, const void *at) {
  (void)at;
  return summary->pairs.n > 0;
}
static const IrzCondition with_pairs = {"with several needles that have a place in the plan", has_pairs};

static const void *pair_entry(const IrzSummary *summary, const void *at, int i) {
  (void)at;
  return i < summary->pairs.n ? &summary->pairs.pair[i] : NULL;
}

static json_t *over_tip(const IrzSummary *summary, const void *at) {
  (void)summary;
  const IrzPair *pair = at;
  return irz_json_number(pair->voltage / pair->tip * V_per_cm.scale);
}

static json_t *over_middle(const IrzSummary *summary, const void *at) {
  (void)summary;
  const IrzPair *pair = at;
  return irz_json_number(pair->voltage / pair->middle * V_per_cm.scale);
}

static json_t *over_top(const IrzSummary *summary, const void *at) {
  (void)summary;
  const IrzPair *pair = at;
  return irz_json_number(pair->voltage / pair->top * V_per_cm.scale);
}

static const IrzQuantity pair_distance_rows[] = {
    {NUMBER("tip", IrzPair, tip, &mm), .help = "between the tips"},
    {NUMBER("middle", IrzPair, middle, &mm), .help = "between the middles of the bare metal"},
    {NUMBER("top", IrzPair, top, &mm), .help = "between its ends towards the handles"},
    {NUMBER("least", IrzPair, least, &mm), .help = "least distance of the two pieces of metal, axis to axis"},
    END,
};

static const IrzQuantity pair_field_rows[] = {
    {MADE("tip", over_tip), .unit = &V_per_cm, .help = "over the distance of the tips"},
    {MADE("middle", over_middle), .unit = &V_per_cm, .help = "over that of the middles, which `field` in plans counts"},
    {MADE("top", over_top), .unit = &V_per_cm, .help = "over that of the upper ends"},
    END,
};

static const IrzQuantity pair_rows[] = {
    {TEXT("from", IrzPair, from), .help = "one electrode"},
    {TEXT("to", IrzPair, to), .help = "the other"},
    {.name = "distance_mm", .type = IRZ_QUANTITY_MAP, .rows = pair_distance_rows, .help = "of their bare metal"},
    {NUMBER("angle_degree", IrzPair, angle, &degree), .help = "between their directions"},
    {NUMBER("depth_offset_mm", IrzPair, depth_offset, &mm), .help = "how much deeper one tip lies, along the needles"},
    {NUMBER("clearance_mm", IrzPair, clearance, &mm),
     .help = "least distance of the walls of the two needles, shafts included; null on one needle"},
    {.name = "voltage_per_distance_V_per_cm",
     .type = IRZ_QUANTITY_MAP,
     .rows = pair_field_rows,
     .help = "largest voltage of the pair; null if it does not fire"},
    END,
};

static bool has_needle_checks(const IrzSummary *summary, const void *at) {
  (void)at;
  return summary->needles != NULL;
}
static const IrzCondition with_needle_checks = {"with `patient.needles` in the plan", has_needle_checks};

static const void *needle_entry(const IrzSummary *summary, const void *at, int i) {
  (void)at;
  return i < summary->needles->n ? &summary->needles->needle[i] : NULL;
}

static const void *crossed_entry(const IrzSummary *summary, const void *at, int i) {
  (void)summary;
  const IrzNeedle *needle = at;
  return i < needle->n_crossed ? &needle->crossed[i] : NULL;
}

static const void *clearance_entry(const IrzSummary *summary, const void *at, int i) {
  (void)summary;
  const IrzNeedle *needle = at;
  return i < needle->n_clearances ? &needle->clearance[i] : NULL;
}

static const IrzQuantity crossed_rows[] = {
    {TEXT("region", IrzCrossed, region), .identifies = true, .help = "its name"},
    {NUMBER("mm", IrzCrossed, length, &mm), .help = "length of the needle's axis in it, from the tip to the skin"},
    {.name = "metal_mm",
     .type = IRZ_QUANTITY_NUMBER,
     .offset = offsetof(IrzCrossed, metal),
     .unit = &mm,
     .help = "of this, bare metal"},
    {.name = "avoid",
     .type = IRZ_QUANTITY_FLAG,
     .offset = offsetof(IrzCrossed, avoided),
     .help = "whether the plan says that needles must not cross it"},
    END,
};

static const IrzQuantity clearance_rows[] = {
    {TEXT("region", IrzClearance, region), .identifies = true, .help = "one of those to avoid"},
    {NUMBER("mm", IrzClearance, distance, &mm), .help = "from the needle's wall to its surface; 0: touched or crossed"},
    {POINT("at_mm", IrzClearance, at, &mm), .help = "the place on its surface"},
    {.name = "smooth",
     .type = IRZ_QUANTITY_FLAG,
     .offset = offsetof(IrzClearance, smooth),
     .help = "whether that surface is smooth; else along voxels, off by up to half of one"},
    END,
};

static const IrzQuantity needle_rows[] = {
    {TEXT("name", IrzNeedle, name), .identifies = true, .help = "of the needle"},
    {NUMBER("length_mm", IrzNeedle, length, &mm), .help = "from its tip to the skin; null if that is not known"},
    {POINT("entry_mm", IrzNeedle, entry, &mm), .help = "where it enters the skin"},
    {.name = "crosses",
     .type = IRZ_QUANTITY_LIST,
     .entry = crossed_entry,
     .rows = crossed_rows,
     .help = "regions that it runs in between tip and skin"},
    {.name = "clearance",
     .type = IRZ_QUANTITY_LIST,
     .entry = clearance_entry,
     .rows = clearance_rows,
     .help = "how near it comes to what it must avoid"},
    {.name = "allowed",
     .type = IRZ_QUANTITY_FLAG,
     .offset = offsetof(IrzNeedle, allowed),
     .help = "whether it is long enough, crosses nothing that it must avoid, and keeps its clearance"},
    END,
};

/* ---- The patient ---- */

static bool has_targets(const IrzSummary *summary, const void *at) {
  (void)at;
  return summary->patient != NULL && summary->patient->n_targets > 0;
}
static const IrzCondition with_targets = {"with `patient.targets` in the plan", has_targets};

static const void *target_entry(const IrzSummary *summary, const void *at, int i) {
  (void)at;
  return i < summary->patient->n_targets ? &summary->patient->targets[i] : NULL;
}

static const void *coverage_entry(const IrzSummary *summary, const void *at, int i) {
  (void)summary;
  const IrzTarget *target = at;
  return i < target->n_coverages ? &target->coverage_at[i] : NULL;
}

static const void *shell_entry(const IrzSummary *summary, const void *at, int i) {
  (void)summary;
  return i < IRZ_SHELLS ? &((const IrzTarget *)at)->shell[i] : NULL;
}

static const void *bin_entry(const IrzSummary *summary, const void *at, int i) {
  (void)summary;
  const IrzMargins *margins = at;
  return i < margins->n_bins ? &margins->bin[i] : NULL;
}

static bool target_has_organ(const IrzSummary *summary, const void *at) {
  (void)summary;
  return ((const IrzTarget *)at)->organ[0] != '\0';
}
static const IrzCondition with_organ = {"null without `organ`", target_has_organ};

static const IrzQuantity coverage_rows[] = {
    {NUMBER("threshold_V_per_cm", IrzCoverage, threshold, &V_per_cm), .identifies = true,
     .help = "0.8, 1 and 1.2 times that of the tissue, and 400 V/cm"},
    {NUMBER("coverage", IrzCoverage, coverage, &share), .help = "share of the target whose field reaches it"},
    END,
};

static const IrzQuantity reached_rows[] = {
    {NUMBER("e98", IrzTarget, e98, &V_per_cm), .help = "98 % of its volume reach it"},
    {NUMBER("e95", IrzTarget, e95, &V_per_cm), .help = "95 %"},
    {NUMBER("e50", IrzTarget, e50, &V_per_cm), .help = "50 %"},
    {NUMBER("e2", IrzTarget, e2, &V_per_cm), .help = "2 %"},
    END,
};

static const IrzQuantity bin_rows[] = {
    {NUMBER("from", IrzMarginBin, from, &mm), .help = "margins from here; the first bin holds all lower ones"},
    {NUMBER("to", IrzMarginBin, to, &mm), .help = "to here; the last bin holds all higher ones"},
    {NUMBER("area", IrzMarginBin, area, &share), .help = "share of the surface"},
    END,
};

#define MARGIN_ROWS                                                                                                    \
  {NUMBER("min", IrzMargins, least, &mm), .error = offsetof(IrzMargins, error),                                        \
   .help = "smallest; positive inside the zone"},                                                                      \
      {ESTIMATE("error", IrzMargins, error, &mm), .help = "estimated error of the zone's surface by the mesh"},        \
      {POINT("at_mm", IrzMargins, at, &mm), .help = "where it is smallest"},                                           \
      {NUMBER("p1", IrzMargins, p1, &mm), .help = "1 % of the surface have less"},                                     \
      {NUMBER("p5", IrzMargins, p5, &mm), .help = "5 %"}, {NUMBER("p50", IrzMargins, p50, &mm), .help = "50 %"},       \
      {NUMBER("area_below_0", IrzMargins, below_0, &share), .help = "share of the surface outside the zone"},          \
      {NUMBER("area_0_to_5", IrzMargins, from_0_to_5, &share), .help = "with a margin of less than 5 mm"},             \
      {NUMBER("area_from_5", IrzMargins, from_5, &share), .help = "with 5 mm or more"},                                \
      {NUMBER("area_below_wanted", IrzMargins, below_wanted, &share), .help = "with less than the plan's `margin`"}, { \
    .name = "histogram", .type = IRZ_QUANTITY_LIST, .entry = bin_entry, .rows = bin_rows,                              \
    .help = "of the margins, in steps of 1 mm"                                                                         \
  }

static const IrzQuantity margin_rows[] = {MARGIN_ROWS, END};
static const IrzQuantity off_capsule_rows[] = {
    MARGIN_ROWS,
    {NUMBER("excluded_area", IrzMargins, excluded, &share), .help = "share of the surface that is left out"},
    END,
};

static const IrzQuantity shell_rows[] = {
    {NUMBER("mm", IrzShell, distance, &mm), .identifies = true, .help = "up to this distance from the target"},
    {NUMBER("volume_cm3", IrzShell, volume, &cm3), .help = "of what is there, in its organ if that is stated"},
    {NUMBER("ablated", IrzShell, ablated, &share), .help = "share of it in the zone"},
    END,
};

static const IrzQuantity conformity_rows[] = {
    {NUMBER("paddick", IrzTarget, paddick, &share),
     .help = "covered^2 / (target zone), which is van 't Riet's conformation number too; 1: the zone is the target"},
    {NUMBER("selectivity", IrzTarget, selectivity, &share), .help = "covered / zone"},
    {NUMBER("healthy_cm3", IrzTarget, healthy, &cm3), .help = "of the zone outside all targets"},
    END,
};

static const IrzQuantity sphere_rows[] = {
    {NUMBER("radius", IrzTarget, sphere_radius, &mm), .help = "of the largest sphere inside the zone"},
    {POINT("center", IrzTarget, sphere_center, &mm), .help = "its centre"},
    {NUMBER("treatable_diameter", IrzTarget, treatable_diameter, &mm),
     .help = "of the largest round target that the zone holds with the plan's `margin`"},
    END,
};

static const IrzQuantity target_rows[] = {
    {TEXT("region", IrzTarget, region), .identifies = true, .help = "its name"},
    {TEXT("organ", IrzTarget, organ), .when = &with_organ, .is_null = true, .help = "what is around it"},
    {NUMBER("wanted_margin_mm", IrzTarget, wanted, &mm), .help = "the plan's `margin`"},
    {NUMBER("threshold_V_per_cm", IrzTarget, threshold, &V_per_cm), .help = "that applies to it"},
    {NUMBER("volume_cm3", IrzTarget, volume, &cm3), .help = "of it in the tissue box, without needles"},
    {NUMBER("covered_cm3", IrzTarget, covered, &cm3), .error = offsetof(IrzTarget, covered_error),
     .help = "of the zone in it"},
    {ESTIMATE("covered_error_cm3", IrzTarget, covered_error, &cm3), .help = "estimated; null if not"},
    {NUMBER("coverage", IrzTarget, coverage, &share), .help = "share of it in the zone"},
    {.name = "coverage_at",
     .type = IRZ_QUANTITY_LIST,
     .entry = coverage_entry,
     .rows = coverage_rows,
     .help = "the same at other thresholds"},
    {NUMBER("missed_cm3", IrzTarget, missed, &cm3), .help = "of it outside the zone"},
    {NUMBER("missed_largest_cm3", IrzTarget, missed_largest, &cm3), .help = "of the largest connected piece of that"},
    {POINT("missed_at_mm", IrzTarget, missed_at, &mm), .help = "in this piece, what is farthest from the zone"},
    {.name = "field_V_per_cm", .type = IRZ_QUANTITY_MAP, .rows = reached_rows, .help = "what its volume gets"},
    {NUMBER("surface_cm2", IrzTarget, surface, &cm2), .help = "of its surface"},
    {.name = "margin_mm",
     .type = IRZ_QUANTITY_MAP,
     .offset = offsetof(IrzTarget, margins),
     .rows = margin_rows,
     .help = "distance of its surface to that of the zone, by area"},
    {.name = "margin_off_capsule_mm",
     .type = IRZ_QUANTITY_MAP,
     .offset = offsetof(IrzTarget, off_capsule),
     .rows = off_capsule_rows,
     .when = &with_organ,
     .is_null = true,
     .help = "the same without the surface within 5 mm of the organ's border"},
    {.name = "shells",
     .type = IRZ_QUANTITY_LIST,
     .entry = shell_entry,
     .rows = shell_rows,
     .help = "what is around it"},
    {.name = "conformity", .type = IRZ_QUANTITY_MAP, .rows = conformity_rows, .help = "of zone and target"},
    {.name = "sphere_mm", .type = IRZ_QUANTITY_MAP, .rows = sphere_rows, .help = "largest sphere inside the zone"},
    END,
};

static bool has_at_risk(const IrzSummary *summary, const void *at) {
  (void)at;
  return summary->patient != NULL && summary->patient->n_at_risk > 0;
}
static const IrzCondition with_at_risk = {"with `patient.at_risk` in the plan", has_at_risk};

static const void *at_risk_entry(const IrzSummary *summary, const void *at, int i) {
  (void)at;
  return i < summary->patient->n_at_risk ? &summary->patient->at_risk[i] : NULL;
}

static bool has_limit(const IrzSummary *summary, const void *at) {
  (void)summary;
  return isfinite(((const IrzAtRisk *)at)->limit);
}
static const IrzCondition with_limit = {"null without `max_field`", has_limit};

static const IrzQuantity risk_field_rows[] = {
    {NUMBER("max", IrzAtRisk, largest, &V_per_cm), .help = "largest in it; at edges of metal it grows with the mesh"},
    {NUMBER("e2", IrzAtRisk, e2, &V_per_cm), .help = "2 % of its volume reach it"},
    {NUMBER("e_0_1_cm3", IrzAtRisk, e_cubic, &V_per_cm), .help = "0.1 cm3 of it reach it; null if it is smaller"},
    END,
};

static const IrzQuantity risk_wall_rows[] = {
    {NUMBER("field_V_per_cm", IrzAtRisk, wall.field, &V_per_cm), .help = "largest on its surface, on either side"},
    {NUMBER("temperature_max_C", IrzAtRisk, wall.hottest, &celsius), .when = &with_heat,
     .help = "highest on its surface, ever"},
    {NUMBER("damaged", IrzAtRisk, wall.damaged, &share), .when = &with_heat,
     .help = "share of the elements around its surface, by volume, whose Arrhenius integral reached 1"},
    END,
};

static const IrzQuantity at_risk_rows[] = {
    {TEXT("region", IrzAtRisk, region), .identifies = true, .help = "its name"},
    {NUMBER("threshold_V_per_cm", IrzAtRisk, threshold, &V_per_cm), .help = "that applies to it"},
    {NUMBER("volume_cm3", IrzAtRisk, volume, &cm3), .help = "of it in the tissue box, without needles"},
    {NUMBER("ablated_cm3", IrzAtRisk, ablated, &cm3), .error = offsetof(IrzAtRisk, ablated_error),
     .help = "of the zone in it"},
    {ESTIMATE("ablated_error_cm3", IrzAtRisk, ablated_error, &cm3), .help = "estimated; null if not"},
    {NUMBER("distance_to_metal_mm", IrzAtRisk, to_metal, &mm), .help = "to the nearest bare metal; 0: touched"},
    {NUMBER("distance_to_zone_mm", IrzAtRisk, to_zone, &mm), .help = "to the zone; 0: touched; null without a zone"},
    {.name = "field_V_per_cm", .type = IRZ_QUANTITY_MAP, .rows = risk_field_rows, .help = "what it gets"},
    {NUMBER("max_field_V_per_cm", IrzAtRisk, limit, &V_per_cm), .when = &with_limit, .is_null = true,
     .help = "the plan's limit"},
    {NUMBER("above_limit_cm3", IrzAtRisk, above_limit, &cm3), .when = &with_limit, .is_null = true,
     .help = "of it where the field reaches the limit"},
    {.name = "limit_kept",
     .type = IRZ_QUANTITY_FLAG,
     .offset = offsetof(IrzAtRisk, limit_kept),
     .when = &with_limit,
     .is_null = true,
     .help = "whether field_V_per_cm.max is not above the limit"},
    {NUMBER("temperature_max_C", IrzAtRisk, hottest, &celsius), .when = &with_heat, .help = "highest in it, ever"},
    {NUMBER("volume_50C_cm3", IrzAtRisk, above_50, &cm3), .when = &with_heat, .help = "of it that reached 50 °C"},
    {NUMBER("damaged_cm3", IrzAtRisk, damaged, &cm3), .when = &with_heat,
     .help = "of it whose Arrhenius integral reached 1"},
    {.name = "wall", .type = IRZ_QUANTITY_MAP, .rows = risk_wall_rows, .help = "at its surface"},
    END,
};

static bool has_comparison(const IrzSummary *summary, const void *at) {
  (void)at;
  return summary->patient != NULL && summary->patient->compare != NULL;
}
static const IrzCondition with_comparison = {"with `patient.compare` in the plan", has_comparison};

static const void *comparison_of(const IrzSummary *summary, const void *at, int i) {
  (void)at;
  (void)i;
  return summary->patient->compare;
}

static json_t *volume_difference(const IrzSummary *summary, const void *at) {
  (void)summary;
  const IrzComparison *comparison = at;
  return irz_json_number((comparison->computed - comparison->measured) * cm3.scale);
}

static const void *dice_entry(const IrzSummary *summary, const void *at, int i) {
  (void)summary;
  return i < IRZ_MAX_DICE ? &((const IrzComparison *)at)->by_threshold[i] : NULL;
}

static const IrzQuantity dice_rows[] = {
    {NUMBER("threshold_V_per_cm", IrzDiceAt, threshold, &V_per_cm), .identifies = true, .help = "for all regions"},
    {NUMBER("dice", IrzDiceAt, dice, &share), .help = "with the zone that this would make"},
    END,
};

static const IrzQuantity best_rows[] = {
    {NUMBER("threshold_V_per_cm", IrzComparison, best_threshold, &V_per_cm), .help = "it, to 5 V/cm"},
    {NUMBER("dice", IrzComparison, best_dice, &share), .help = "with it"},
    END,
};

static const IrzQuantity comparison_rows[] = {
    {NUMBER("dice", IrzComparison, dice, &share),
     .help = "twice what both zones have in common, over the sum of both; 1: they are the same"},
    {NUMBER("hausdorff95_mm", IrzComparison, hausdorff95, &mm),
     .help = "95 % of the surface of either zone are no further from the other's; the larger of both ways"},
    {NUMBER("mean_distance_mm", IrzComparison, mean_distance, &mm), .help = "of the surfaces, by area, both ways"},
    {NUMBER("computed_cm3", IrzComparison, computed, &cm3), .help = "the computed zone"},
    {NUMBER("measured_cm3", IrzComparison, measured, &cm3), .help = "the measured zone, voxels of the label"},
    {MADE("volume_difference_cm3", volume_difference), .unit = &cm3, .help = "computed less measured"},
    {NUMBER("voxel_mm", IrzComparison, voxel, &mm),
     .help = "edge of the voxels counted: places are good to half of it"},
    {.name = "best", .type = IRZ_QUANTITY_MAP, .rows = best_rows, .help = "the threshold that fits best"},
    {.name = "dice_by_threshold",
     .type = IRZ_QUANTITY_LIST,
     .entry = dice_entry,
     .rows = dice_rows,
     .help = "the same with one threshold for all regions"},
    END,
};

/* ---- The summary ---- */

static json_t *version(const IrzSummary *summary, const void *at) {
  (void)summary;
  (void)at;
  return json_string(IRZ_VERSION);
}

static json_t *plan_name(const IrzSummary *summary, const void *at) {
  (void)at;
  return irz_json_text(summary->plan->name);
}

static json_t *warning_texts(const IrzSummary *summary, const void *at) {
  (void)at;
  const IrzPlan *plan = summary->plan;
  json_t *array = json_array();
  for (int i = 0; i < plan->n_warnings; i++) json_array_append_new(array, irz_json_text(plan->warnings[i]));
  if (summary->lost[0] != '\0') {
    char line[IRZ_ERROR_TEXT + 256];
    snprintf(line, sizeof line, "the fields are lost; %s.hdf, if there is one, is of an earlier run: %s", plan->name,
             summary->lost);
    json_array_append_new(array, irz_json_text(line));
  }
  return array;
}

static const IrzQuantity timing_rows[] = {
    {NUMBER("mesh", IrzSummary, timing.mesh, &second), .help = "making or reading the mesh"},
    {NUMBER("setup", IrzSummary, timing.setup, &second), .help = "distributing it, and the matrices' patterns"},
    {NUMBER("solve", IrzSummary, timing.solve, &second), .help = "the fields"},
    {NUMBER("zone", IrzSummary, timing.zone, &second), .help = "measuring"},
    {NUMBER("output", IrzSummary, timing.output, &second), .help = "writing"},
    {NUMBER("total", IrzSummary, timing.total, &second), .help = "all"},
    END,
};

const IrzQuantity irz_quantities[] = {
    {MADE("irezone", version), .help = "version of the program"},
    {MADE("plan", plan_name), .help = "name of the plan"},
    {TEXT("status", IrzSummary, status), .help = "converged, or why not"},
    {MADE("frame", frame), .when = &with_frame, .is_null = true, .help = "RAS, that of all coordinates"},
    {.name = "anatomy",
     .type = IRZ_QUANTITY_MAP,
     .entry = plan_of,
     .rows = anatomy_rows,
     .when = &with_labels,
     .is_null = true,
     .help = "the label map"},
    {.name = "mesh", .type = IRZ_QUANTITY_MAP, .rows = mesh_rows, .help = "its size"},
    {.name = "pulses",
     .type = IRZ_QUANTITY_LIST,
     .entry = pulse_entry,
     .rows = irz_pulse_quantities,
     .help = "each pair that fired, in this order"},
    {.name = "zone",
     .type = IRZ_QUANTITY_MAP,
     .offset = offsetof(IrzSummary, zone),
     .rows = zone_rows,
     .help = "the irreversible zone"},
    {.name = "probes", .type = IRZ_QUANTITY_LIST, .entry = probe_entry, .rows = probe_rows, .help = "each electrode"},
    {MADE("warnings", warning_texts), .help = "what is suspicious, a text each"},
    {.name = "timing_s",
     .type = IRZ_QUANTITY_MAP,
     .rows = timing_rows,
     .help = "of the stages; mesh and setup are 0 if an earlier solve made them"},
    {NUMBER("peak_memory_MB", IrzSummary, peak_memory, &megabyte), .help = "sum over ranks"},
    {INTEGER("ranks", IrzSummary, ranks), .help = "processes"},
    {INTEGER("threads", IrzSummary, threads), .help = "of each"},
    {.name = "anisotropy",
     .type = IRZ_QUANTITY_LIST,
     .entry = anisotropic_entry,
     .rows = anisotropic_rows,
     .when = &with_anisotropic,
     .help = "tissues that conduct differently in different directions"},
    {.name = "pullback",
     .type = IRZ_QUANTITY_MAP,
     .entry = plan_of,
     .rows = pullback_rows,
     .when = &with_pullback,
     .help = "withdrawal of the needles"},
    {.name = "heat",
     .type = IRZ_QUANTITY_MAP,
     .entry = heat_of,
     .rows = heat_rows,
     .when = &with_heat,
     .help = "what the heating came to"},
    {.name = "pairs",
     .type = IRZ_QUANTITY_LIST,
     .entry = pair_entry,
     .rows = pair_rows,
     .when = &with_pairs,
     .help = "how needles lie to one another, those that fire first; before a pull-back"},
    {.name = "needles",
     .type = IRZ_QUANTITY_LIST,
     .entry = needle_entry,
     .rows = needle_rows,
     .when = &with_needle_checks,
     .help = "whether each needle can be placed so"},
    {.name = "at_risk",
     .type = IRZ_QUANTITY_LIST,
     .entry = at_risk_entry,
     .rows = at_risk_rows,
     .when = &with_at_risk,
     .help = "each structure that is to be spared"},
    {.name = "compare",
     .type = IRZ_QUANTITY_MAP,
     .entry = comparison_of,
     .rows = comparison_rows,
     .when = &with_comparison,
     .help = "the computed zone against a measured one"},
    {.name = "targets",
     .type = IRZ_QUANTITY_LIST,
     .entry = target_entry,
     .rows = target_rows,
     .when = &with_targets,
     .help = "each region that is to be ablated"},
    END,
};
