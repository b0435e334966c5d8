/* `tissues`: what each region is made of. */
#include "base/memory.h"
#include "plan/law_read.h"
#include "plan/parts.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Report a preset that does not exist. */
static IrzCode unknown_preset(const IrzReader *reader, const IrzYaml *node, const char *path, const char *name) {
  const char *names[65] = {NULL};
  int count;
  const IrzPreset *presets = irz_presets(&count);
  for (int i = 0; i < count && i < 64; i++) names[i] = presets[i].name;
  const char *nearest = irz_nearest_name(name, names);
  if (nearest != NULL)
    return irz_reader_fail(reader, node, path, "no preset \"%s\"; did you mean \"%s\"?", name, nearest);
  return irz_reader_fail(reader, node, path, "no preset \"%s\"; `irezone tissues` lists them", name);
}

/* Thermal numbers: stated, else the preset's. */
static void fill_thermal(const IrzTissueKeys *keys, const IrzPreset *preset, IrzTissue *tissue) {
  tissue->heat.density = isnan(keys->density) && preset != NULL ? preset->density.value : keys->density;
  tissue->heat.capacity = isnan(keys->capacity) && preset != NULL ? preset->heat_capacity.value : keys->capacity;
  tissue->heat.conductivity =
      isnan(keys->conductivity) && preset != NULL ? preset->heat_conductivity.value : keys->conductivity;
  tissue->heat.perfusion = isnan(keys->perfusion) && preset != NULL ? preset->perfusion.value : keys->perfusion;
  tissue->heat.metabolic = isnan(keys->metabolic) && preset != NULL ? preset->metabolic_heat.value : keys->metabolic;
  tissue->heat.sigma_rise =
      isnan(keys->sigma_rise) && preset != NULL ? preset->temperature_coefficient.value : keys->sigma_rise;
}

/* One tissue. */
static IrzCode read_tissue(const IrzReader *reader, const char *region, const IrzYaml *node, IrzTissue *tissue) {
  char path[IRZ_KEY_PATH_MAX], full[IRZ_KEY_PATH_MAX];
  irz_key_path(path, "tissues", region);
  if (region[0] == '\0' || strlen(region) >= IRZ_NAME_MAX) {
    return irz_reader_fail(reader, node, path, "the name of a region must have 1 to %d characters", IRZ_NAME_MAX - 1);
  }
  IrzTissueKeys keys = {.threshold = IRZ_NO_THRESHOLD};
  keys.density = keys.capacity = keys.conductivity = keys.perfusion = keys.metabolic = keys.sigma_rise = NAN;
  IRZ_TRY(irz_reader_section(reader, &irz_section_tissue, node, node, path, true, &keys));
  snprintf(tissue->region, sizeof tissue->region, "%s", region);
  snprintf(tissue->preset, sizeof tissue->preset, "%s", keys.preset);
  tissue->line = node->line;
  const IrzPreset *preset = NULL;
  if (keys.preset[0] != '\0') {
    irz_key_path(full, path, "preset");
    preset = irz_preset_find(keys.preset);
    if (preset == NULL) return unknown_preset(reader, irz_yaml_get(node, "preset"), full, keys.preset);
    tissue->sigma = preset->sigma;
  }
  fill_thermal(&keys, preset, tissue);
  tissue->heat.blood = irz_yaml_get(node, "blood") != NULL ? keys.blood : strcmp(keys.preset, "vessel") == 0;
  irz_key_path(full, path, "sigma");
  if (keys.sigma != NULL) {
    IRZ_TRY(irz_law_read(reader, keys.sigma, full, preset != NULL ? &preset->sigma : NULL, &tissue->sigma));
  } else if (preset == NULL) {
    return irz_reader_fail(reader, node, full, "missing: state a conductivity law, or a preset to start from");
  }
  irz_key_path(full, path, "anisotropy");
  if (keys.anisotropy != NULL) {
    IRZ_TRY(irz_anisotropy_read(reader, keys.anisotropy, full, preset, &tissue->sigma));
  }
  const IrzPlan *plan = reader->plan;
  tissue->threshold_stated = keys.threshold >= 0;
  if (tissue->threshold_stated) {
    tissue->threshold = keys.threshold;
  } else if (plan->zone.threshold >= 0) {
    tissue->threshold = plan->zone.threshold;
  } else if (preset != NULL) {
    tissue->threshold = preset->threshold.value;
  } else {
    irz_key_path(full, path, "threshold");
    return irz_reader_fail(reader, node, full, "missing: without a preset state it here or as zone.threshold, in V/cm");
  }
  return IRZ_OK;
}

IrzCode irz_tissues_read(const IrzReader *reader, const IrzYaml *node) {
  if (node->kind != IRZ_YAML_MAP || node->n == 0) {
    return irz_reader_fail(reader, node, "tissues", "must be a map of regions, as in {default: {preset: liver}}");
  }
  const IrzYaml *standard = irz_yaml_get(node, "default");
  if (standard == NULL) {
    return irz_reader_fail(reader, node, "tissues.default",
                           "missing: state the tissue of every region that has no entry of its own");
  }
  IrzPlan *plan = reader->plan;
  IRZ_TRY(irz_alloc(&plan->tissues, (size_t)node->n, sizeof *plan->tissues, reader->error));
  IRZ_TRY(irz_reader_lenient(reader, read_tissue(reader, "default", standard, &plan->tissues[0])));
  plan->n_tissues = 1;
  for (int i = 0; i < node->n; i++) {
    if (node->items[i] == standard) continue;
    IRZ_TRY(irz_reader_lenient(reader,
                               read_tissue(reader, node->keys[i], node->items[i], &plan->tissues[plan->n_tissues])));
    plan->n_tissues++;
  }
  return IRZ_OK;
}
