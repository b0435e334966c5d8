/* `heat`: whether and how the heating of the tissue is computed. */
#include "plan/parts.h"
#include <math.h>

/* Every number that the heating needs must be there. */
static IrzCode check_tissue(const IrzReader *reader, const IrzTissue *tissue, const IrzYaml *tissues) {
  const struct {
    const char *key;
    double value;
    bool needed;
  } numbers[] = {
      {"density", tissue->heat.density, true},
      {"heat_capacity", tissue->heat.capacity, true},
      {"thermal_conductivity", tissue->heat.conductivity, true},
      {"perfusion", tissue->heat.perfusion, true},
      {"metabolic_heat", tissue->heat.metabolic, true},
      {"temperature_coefficient", tissue->heat.sigma_rise, reader->plan->heat.coupling == IRZ_COUPLING_FULL}};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    char path[IRZ_KEY_PATH_MAX], full[IRZ_KEY_PATH_MAX];
    if (!numbers[i].needed || !isnan(numbers[i].value)) continue;
    irz_key_path(path, "tissues", tissue->region);
    irz_key_path(full, path, numbers[i].key);
    return irz_reader_fail(reader, irz_yaml_get(tissues, tissue->region), full,
                           "missing: with `heat` state it, or a preset to take it from");
  }
  return IRZ_OK;
}

IrzCode irz_heat_read(const IrzReader *reader, const IrzYaml *node, const IrzYaml *tissues) {
  IrzPlan *plan = reader->plan;
  if (node == NULL) return IRZ_OK;
  plan->heat.initial = NAN;
  IRZ_TRY(irz_reader_section(reader, &irz_section_heat, node, NULL, "heat", false, plan));
  plan->heat.on = true;
  plan->heat.line = node->line;
  if (isnan(plan->heat.initial)) plan->heat.initial = plan->heat.body;
  for (int i = 0; i < plan->n_tissues; i++) IRZ_TRY(check_tissue(reader, &plan->tissues[i], tissues));
  for (int i = 0; i < plan->n_probes && plan->heat.needles == IRZ_NEEDLES_METAL; i++) {
    if (plan->probes[i].has_geometry) continue;
    irz_reader_warn(reader, node, "heat.needles",
                    "probe %s has no diameter stated, so its metal has one temperature but takes up no heat",
                    plan->probes[i].name);
  }
  return IRZ_OK;
}
