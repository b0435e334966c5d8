/* Pulses: a list, or every pair in one line; and what is unusual about a pair. */
#include "base/memory.h"
#include "plan/parts.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Angle and depth difference beyond which a pair is unusual (recalled from the clinical literature, not checked). */
static const double parallel_cosine = 0.98480775301220805; /* 10 degrees */
static const double unusual_depth = 2e-3;

/* Index of a probe by name, or -1. */
static int find_probe(const IrzPlan *plan, const char *name) {
  for (int i = 0; i < plan->n_probes; i++) {
    if (strcmp(plan->probes[i].name, name) == 0) return i;
  }
  return -1;
}

/* Warn of what is unusual about a pair: voltage, spacing, angle, depth. */
static void check_pair(const IrzReader *reader, const IrzYaml *node, const char *path, const IrzPulse *pulse) {
  const IrzPlan *plan = reader->plan;
  const IrzProbe *a = &plan->probes[pulse->from], *b = &plan->probes[pulse->to];
  if (pulse->voltage > plan->generator.max_voltage * (1 + 1e-12)) {
    irz_reader_warn(reader, node, path,
                    "%.6g V for %s-%s is beyond the %.6g V of the generator (generator.max_voltage)", pulse->voltage,
                    a->name, b->name, plan->generator.max_voltage);
  }
  if (!a->has_geometry || !b->has_geometry || a->plate[0] > 0) return;
  double distance = irz_plan_distance(plan, pulse->from, pulse->to);
  if (distance > plan->generator.max_spacing * (1 + 1e-9)) {
    irz_reader_warn(reader, node, path, "%s and %s are %.4g mm apart, beyond the %.4g mm of the clinical reports",
                    a->name, b->name, 1e3 * distance, 1e3 * plan->generator.max_spacing);
  } else if (distance > plan->generator.usual_spacing * (1 + 1e-9)) {
    irz_reader_warn(reader, node, path, "%s and %s are %.4g mm apart; more than %.4g mm is unusual", a->name, b->name,
                    1e3 * distance, 1e3 * plan->generator.usual_spacing);
  }
  if (a->needle[0] != '\0' && strcmp(a->needle, b->needle) == 0) return;
  double cosine = 0, depth = 0;
  for (int i = 0; i < 3; i++) {
    cosine += a->direction[i] * b->direction[i];
    depth += (b->tip[i] - a->tip[i]) * 0.5 * (a->direction[i] + b->direction[i]);
  }
  if (cosine < parallel_cosine - 1e-12) {
    irz_reader_warn(reader, node, path, "%s and %s are %.3g degrees out of parallel; more than 10 is unusual", a->name,
                    b->name, acos(fmax(cosine, -1)) * 180 / acos(-1));
  } else if (fabs(depth) > unusual_depth * (1 + 1e-9)) {
    irz_reader_warn(reader, node, path, "the tips of %s and %s differ in depth by %.3g mm; more than 2 mm is unusual",
                    a->name, b->name, 1e3 * fabs(depth));
  }
}

/* Voltage of a pair from what is stated. */
static IrzCode read_voltage(const IrzReader *reader, const IrzYaml *node, const char *path, const IrzPulseKeys *keys,
                            IrzPulse *pulse) {
  const IrzPlan *plan = reader->plan;
  bool voltage = irz_yaml_get(node, "voltage") != NULL, field = irz_yaml_get(node, "field") != NULL;
  char full[IRZ_KEY_PATH_MAX];
  irz_key_path(full, path, "voltage");
  if (!voltage && !field) return irz_reader_fail(reader, node, full, "missing: state voltage, in V, or field, in V/cm");
  if (voltage && field) {
    return irz_reader_fail(reader, irz_yaml_get(node, "voltage"), full,
                           "stands beside `field`; only one of the two is allowed");
  }
  pulse->voltage = keys->voltage;
  if (voltage) return IRZ_OK;
  irz_key_path(full, path, "field");
  if (!plan->probes[pulse->from].has_geometry || !plan->probes[pulse->to].has_geometry) {
    return irz_reader_fail(reader, irz_yaml_get(node, "field"), full,
                           "needs the distance of %s and %s: state their tip, direction and exposure, or give voltage",
                           plan->probes[pulse->from].name, plan->probes[pulse->to].name);
  }
  pulse->field = keys->field;
  pulse->voltage = keys->field * irz_plan_distance(plan, pulse->from, pulse->to);
  return IRZ_OK;
}

/* The probe that `from` or `to` names. */
static IrzCode read_end(const IrzReader *reader, const IrzYaml *node, const char *path, const char *key,
                        const char *name, int *probe) {
  *probe = find_probe(reader->plan, name);
  if (*probe >= 0) return IRZ_OK;
  char full[IRZ_KEY_PATH_MAX], names[IRZ_MAX_PROBES * (IRZ_NAME_MAX + 2)] = "";
  irz_key_path(full, path, key);
  for (int i = 0; i < reader->plan->n_probes; i++) {
    size_t used = strlen(names);
    snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "", reader->plan->probes[i].name);
  }
  return irz_reader_absent(reader, irz_yaml_get(node, key), full, "no probe is named \"%s\"; there are %s", name,
                           names);
}

/* One entry of the list. */
static IrzCode read_pulse(const IrzReader *reader, const IrzYaml *node, int index, IrzPulse *pulse) {
  IrzPulseKeys keys = {.voltage = 0};
  char path[IRZ_KEY_PATH_MAX], full[IRZ_KEY_PATH_MAX];
  snprintf(path, sizeof path, "pulses[%d]", index);
  IRZ_TRY(irz_reader_section(reader, &irz_section_pulse, node, node, path, false, &keys));
  IRZ_TRY(read_end(reader, node, path, "from", keys.from, &pulse->from));
  IRZ_TRY(read_end(reader, node, path, "to", keys.to, &pulse->to));
  if (pulse->from == pulse->to) {
    irz_key_path(full, path, "to");
    return irz_reader_fail(reader, irz_yaml_get(node, "to"), full, "\"%s\" is also `from`; a pair needs two probes",
                           keys.to);
  }
  pulse->count = keys.count;
  pulse->width = keys.width;
  pulse->rate = keys.rate;
  pulse->line = node->line;
  IRZ_TRY(read_voltage(reader, node, path, &keys, pulse));
  const IrzYaml *place = irz_yaml_get(node, "voltage");
  check_pair(reader, place != NULL ? place : node, path, pulse);
  return IRZ_OK;
}

/* `pairs: all` */
static IrzCode read_pairs(const IrzReader *reader, const IrzYaml *node) {
  IrzPlan *plan = reader->plan;
  IrzPulseKeys keys = {.max_spacing = INFINITY};
  IRZ_TRY(irz_reader_section(reader, &irz_section_pairs, node, node, "pulses", false, &keys));
  size_t most = (size_t)plan->n_probes * (size_t)(plan->n_probes - 1) / 2;
  IRZ_TRY(irz_alloc(&plan->pulses, most, sizeof *plan->pulses, reader->error));
  double nearest = INFINITY;
  for (int i = 0; i < plan->n_probes; i++) {
    for (int j = i + 1; j < plan->n_probes; j++) {
      IrzPulse pulse = {.from = i, .to = j, .count = keys.count, .width = keys.width, .rate = keys.rate};
      bool geometry = plan->probes[i].has_geometry && plan->probes[j].has_geometry;
      if (isfinite(keys.max_spacing) && !geometry) {
        return irz_reader_fail(reader, irz_yaml_get(node, "max_spacing"), "pulses.max_spacing",
                               "needs the tip, direction and exposure of %s and %s", plan->probes[i].name,
                               plan->probes[j].name);
      }
      if (geometry) {
        double distance = irz_plan_distance(plan, i, j);
        nearest = fmin(nearest, distance);
        if (distance > keys.max_spacing * (1 + 1e-9)) continue;
      }
      pulse.line = node->line;
      IRZ_TRY(read_voltage(reader, node, "pulses", &keys, &pulse));
      check_pair(reader, node, "pulses", &pulse);
      plan->pulses[plan->n_pulses++] = pulse;
    }
  }
  if (plan->n_pulses > 0) return IRZ_OK;
  if (plan->n_probes < 2) return irz_reader_absent(reader, node, "pulses", "a single probe makes no pair");
  return irz_reader_fail(reader, irz_yaml_get(node, "max_spacing"), "pulses.max_spacing",
                         "leaves no pair; the nearest probes are %.4g mm apart", 1e3 * nearest);
}

IrzCode irz_pulses_read(const IrzReader *reader, const IrzYaml *node) {
  enum { MOST = 1000 };
  IrzPlan *plan = reader->plan;
  if (node->kind == IRZ_YAML_MAP) return read_pairs(reader, node);
  if (node->kind != IRZ_YAML_LIST || node->n == 0 || node->n > MOST) {
    return irz_reader_fail(reader, node, "pulses",
                           "must be a list of 1 to %d pairs, as in [{from: A, to: B, voltage: 3000}], or {pairs: all, "
                           "field: 1500}",
                           MOST);
  }
  IRZ_TRY(irz_alloc(&plan->pulses, (size_t)node->n, sizeof *plan->pulses, reader->error));
  for (int i = 0; i < node->n; i++) {
    IRZ_TRY(irz_reader_lenient(reader, read_pulse(reader, node->items[i], i, &plan->pulses[i])));
  }
  plan->n_pulses = node->n;
  return IRZ_OK;
}

IrzCode irz_pulses_glance(const IrzReader *reader, const IrzYaml *node) {
  IrzPulseKeys keys = {.voltage = 0};
  if (node->kind == IRZ_YAML_MAP)
    return irz_reader_section(reader, &irz_section_pairs, node, node, "pulses", false, &keys);
  for (int i = 0; i < node->n; i++) {
    char path[IRZ_KEY_PATH_MAX];
    snprintf(path, sizeof path, "pulses[%d]", i);
    IRZ_TRY(irz_reader_lenient(
        reader, irz_reader_section(reader, &irz_section_pulse, node->items[i], node->items[i], path, false, &keys)));
  }
  return IRZ_OK;
}
