/* Values of a tissue that its plan does not state and its preset supplies. */
#include "base/memory.h"
#include "plan/parts.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The numbers of a section, in the plan's units; those that are NaN are left out. */
static void write_numbers(FILE *out, const IrzSection *section, const void *values) {
  for (const IrzKey *key = section->keys; key->name != NULL; key++) {
    if (key->type != IRZ_KEY_NUMBER || key->offset == IRZ_KEY_ELSEWHERE) continue;
    double value;
    memcpy(&value, (const char *)values + key->offset, sizeof value);
    if (!isnan(value)) fprintf(out, ", %s: %.15g", key->name, value / (key->unit != 0 ? key->unit : 1));
  }
}

/* Whether a tissue has the law of its preset, changed or not. */
static bool has_law_of(const IrzYaml *tissue, const IrzPreset *preset) {
  const IrzYaml *sigma = irz_yaml_get(tissue, "sigma"), *law = irz_yaml_get(sigma, "law");
  if (sigma == NULL || law == NULL) return true;
  return law->text != NULL && strcmp(law->text, irz_law_names[preset->sigma.kind]) == 0;
}

/* What a preset supplies to a tissue, as YAML. */
static IrzCode preset_text(const IrzPlan *plan, const IrzYaml *tissue, const IrzPreset *preset, char **text,
                           IrzError *error) {
  const IrzTissueKeys keys = {
      .threshold = plan->zone.threshold >= 0 ? plan->zone.threshold : preset->threshold.value,
      .density = preset->density.value,
      .capacity = preset->heat_capacity.value,
      .conductivity = preset->heat_conductivity.value,
      .perfusion = preset->perfusion.value,
      .metabolic = preset->metabolic_heat.value,
      .sigma_rise = preset->temperature_coefficient.value,
  };
  IrzText stream;
  IRZ_TRY(irz_text_begin(&stream, error));
  fprintf(stream.out, "{blood: %s", strcmp(preset->name, "vessel") == 0 ? "true" : "false");
  write_numbers(stream.out, &irz_section_tissue, &keys);
  if (irz_yaml_get(tissue, "anisotropy") != NULL && preset->fibre_ratio.value > 0) {
    fprintf(stream.out, ", anisotropy: {ratio: %.15g}", preset->fibre_ratio.value);
  }
  if (has_law_of(tissue, preset)) {
    fprintf(stream.out, ", sigma: {law: %s", irz_law_names[preset->sigma.kind]);
    write_numbers(stream.out, &irz_section_laws[preset->sigma.kind], &preset->sigma);
    fputc('}', stream.out);
  }
  fputc('}', stream.out);
  return irz_text_end(&stream, text, error);
}

IrzCode irz_preset_value(const IrzPlan *plan, const IrzYaml *tissue, const char *key, const IrzYaml **node,
                         IrzYaml **holder, IrzError *error) {
  const IrzYaml *name = irz_yaml_get(tissue, "preset");
  const IrzPreset *preset = name != NULL && name->text != NULL ? irz_preset_find(name->text) : NULL;
  *node = NULL;
  *holder = NULL;
  if (preset == NULL) return IRZ_OK;
  char *text;
  IRZ_TRY(preset_text(plan, tissue, preset, &text, error));
  IrzCode code = irz_yaml_parse_value(text, "preset", holder, error);
  free(text);
  IRZ_TRY(code);
  const char *rest;
  *node = irz_yaml_follow(*holder, key, &rest);
  if (*rest == '\0') return IRZ_OK;
  irz_yaml_free(*holder);
  *holder = NULL;
  *node = NULL;
  return IRZ_OK;
}
