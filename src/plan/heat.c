/* `heat`: whether and how the heating of the tissue is computed. */
#include "plan/parts.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Numbers of a tissue that the heating needs. */
enum { N_NUMBERS = 6 };
static const char *const number_keys[N_NUMBERS] = {"density",   "heat_capacity",  "thermal_conductivity",
                                                   "perfusion", "metabolic_heat", "temperature_coefficient"};

/* Those that a tissue lacks, as bits. */
static unsigned missing_numbers(const IrzPlan *plan, const IrzTissue *tissue) {
  const double numbers[N_NUMBERS] = {tissue->heat.density,   tissue->heat.capacity,  tissue->heat.conductivity,
                                     tissue->heat.perfusion, tissue->heat.metabolic, tissue->heat.sigma_rise};
  unsigned missing = 0;
  for (int i = 0; i < N_NUMBERS; i++) {
    bool needed = i < N_NUMBERS - 1 || plan->heat.coupling == IRZ_COUPLING_FULL;
    if (needed && isnan(numbers[i])) missing |= 1u << i;
  }
  return missing;
}

static void append(char *text, size_t size, const char *more) {
  size_t used = strlen(text);
  snprintf(text + used, size - used, "%s", more);
}

/* Every number that the heating needs must be there; all that are missing are said at once, tissues that lack the same
   together. */
static IrzCode check_tissues(const IrzReader *reader, const IrzYaml *tissues) {
  const IrzPlan *plan = reader->plan;
  char text[IRZ_ERROR_TEXT / 2] = "";
  const IrzYaml *first = NULL;
  for (unsigned set = 1; set < 1u << N_NUMBERS; set++) {
    int found = 0;
    for (int t = 0; t < plan->n_tissues; t++) {
      if (missing_numbers(plan, &plan->tissues[t]) != set) continue;
      for (int i = 0; i < N_NUMBERS && found == 0; i++) {
        if (!(set >> i & 1)) continue;
        bool starts = (set & ((1u << i) - 1)) == 0;
        append(text, sizeof text, !starts ? ", " : text[0] != '\0' ? "; " : "");
        append(text, sizeof text, number_keys[i]);
      }
      append(text, sizeof text, found++ == 0 ? " of " : ", ");
      append(text, sizeof text, plan->tissues[t].region);
      if (first == NULL) first = irz_yaml_get(tissues, plan->tissues[t].region);
    }
  }
  if (first == NULL) return IRZ_OK;
  return irz_reader_fail(reader, first, "tissues",
                         "heat needs numbers that are missing: %s. State them, or a preset to take them from", text);
}

IrzCode irz_heat_read(const IrzReader *reader, const IrzYaml *node, const IrzYaml *tissues) {
  IrzPlan *plan = reader->plan;
  if (node == NULL) return IRZ_OK;
  plan->heat.initial = NAN;
  IRZ_TRY(irz_reader_section(reader, &irz_section_heat, node, NULL, "heat", false, plan));
  plan->heat.on = true;
  plan->heat.line = node->line;
  if (isnan(plan->heat.initial)) plan->heat.initial = plan->heat.body;
  IRZ_TRY(check_tissues(reader, tissues));
  for (int i = 0; i < plan->n_probes && plan->heat.needles == IRZ_NEEDLES_METAL; i++) {
    if (plan->probes[i].has_geometry) continue;
    irz_reader_warn(reader, node, "heat.needles",
                    "probe %s has no diameter stated, so its metal has one temperature but takes up no heat",
                    plan->probes[i].name);
  }
  return IRZ_OK;
}
