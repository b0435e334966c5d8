/* A plan for a person to check. */
#include "plan/parts.h"
#include <math.h>
#include <stdio.h>

/* Zero that was negated reads better without its sign. */
static double plain(double value) {
  return value == 0 ? 0 : value;
}

/* A law in one line, in the plan's units. */
static void print_law(const IrzLaw *law, FILE *out) {
  switch (law->kind) {
  case IRZ_LAW_CONSTANT:
    fprintf(out, "%g S/m", law->low);
    break;
  case IRZ_LAW_RAMP:
  case IRZ_LAW_SMOOTHSTEP:
    fprintf(out, "%g to %g S/m, %s from %g to %g V/cm", law->low, law->high, irz_law_names[law->kind], law->p / 100,
            law->q / 100);
    break;
  case IRZ_LAW_SIGMOID:
    fprintf(out, "%g to %g S/m, sigmoid at %g V/cm, width %g V/cm", law->low, law->high, law->p / 100, law->q / 100);
    break;
  case IRZ_LAW_GOMPERTZ:
    fprintf(out, "%g to %g S/m, gompertz with a %g and b %g cm/V", law->low, law->high, law->p, law->q * 100);
    break;
  case IRZ_LAW_TABLE:
    fprintf(out, "%g to %g S/m, table of %d points from %g to %g V/cm", law->low, law->high, law->n_points,
            law->field[0] / 100, law->field[law->n_points - 1] / 100);
    break;
  }
}

/* A probe in one line. */
static void print_probe(const IrzProbe *probe, FILE *out) {
  fprintf(out, "  probe %s", probe->name);
  if (probe->surface[0] != '\0') fprintf(out, ": surface %s", probe->surface);
  if (probe->has_geometry) {
    fprintf(out, ": tip (%g, %g, %g) mm, direction (%.4g, %.4g, %.4g), exposure %g mm, diameter %g mm",
            plain(1e3 * probe->tip[0]), plain(1e3 * probe->tip[1]), plain(1e3 * probe->tip[2]),
            plain(probe->direction[0]), plain(probe->direction[1]), plain(probe->direction[2]), 1e3 * probe->exposure,
            1e3 * probe->diameter);
  }
  fputc('\n', out);
}

void irz_plan_print(const IrzPlan *plan, FILE *out) {
  fprintf(out, "%s (%s)\n", plan->name, plan->file);
  if (plan->mesh.file[0] != '\0') {
    fprintf(out, "  mesh: %s, %g mm per unit, order %d\n", plan->mesh.file, 1e3 * plan->mesh.scale, plan->mesh.order);
  } else {
    fprintf(out, "  mesh: generated, box of %g mm, volume to %g %%, order %d\n", 1e3 * plan->mesh.size,
            100 * plan->mesh.accuracy, plan->mesh.order);
  }
  if (plan->anatomy.labels[0] != '\0') {
    fprintf(out, "  anatomy: %s, probes stated in %s\n", plan->anatomy.labels,
            plan->anatomy.frame == IRZ_FRAME_LPS ? "LPS and converted to RAS" : "RAS");
    for (int i = 0; i < plan->anatomy.n_map; i++) {
      fprintf(out, "    label %d: %s\n", plan->anatomy.map[i].label, plan->anatomy.map[i].region);
    }
  }
  for (int i = 0; i < plan->n_tissues; i++) {
    const IrzTissue *tissue = &plan->tissues[i];
    fprintf(out, "  tissue %s", tissue->region);
    if (tissue->preset[0] != '\0') fprintf(out, " (%s)", tissue->preset);
    fputs(": ", out);
    print_law(&tissue->sigma, out);
    fprintf(out, ", threshold %g V/cm\n", tissue->threshold / 100);
  }
  for (int i = 0; i < plan->n_probes; i++) print_probe(&plan->probes[i], out);
  for (int i = 0; i < plan->n_pulses; i++) {
    const IrzPulse *pulse = &plan->pulses[i];
    const IrzProbe *from = &plan->probes[pulse->from], *to = &plan->probes[pulse->to];
    fprintf(out, "  pulse %s-%s: %.6g V", from->name, to->name, pulse->voltage);
    if (from->has_geometry && to->has_geometry) {
      double distance = irz_plan_distance(plan, pulse->from, pulse->to);
      fprintf(out, " over %.4g mm (%.4g V/cm)", 1e3 * distance, pulse->voltage / distance / 100);
    }
    fprintf(out, ", %d of %g us at %g Hz\n", pulse->count, 1e6 * pulse->width, pulse->rate);
  }
  fprintf(out, "  idle probes: %s; memory: %s\n", plan->idle_probes == IRZ_IDLE_FLOATING ? "floating" : "insulating",
          plan->memory == IRZ_MEMORY_PAIRS ? "pairs" : "none");
  fprintf(out, "  generator: up to %g V and %g A%s\n", plan->generator.max_voltage, plan->generator.max_current,
          plan->generator.enforce ? ", enforced" : "");
  if (plan->zone.n_also > 0) {
    fputs("  volumes also at", out);
    for (int i = 0; i < plan->zone.n_also; i++) fprintf(out, "%s %g", i > 0 ? "," : "", plan->zone.also[i] / 100);
    fputs(" V/cm\n", out);
  }
}
