/* A plan for a person to check. */
#include "base/entry.h"
#include "base/tensor.h"
#include "plan/parts.h"
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

/* How a law depends on direction, in a line of its own; nothing if it does not. */
static void print_direction(const IrzLaw *law, FILE *out) {
  double low, high;
  if (law->direction == IRZ_LAW_ISOTROPIC) return;
  irz_tensor_bounds(law->shape, &low, &high);
  bool along = law->direction == IRZ_LAW_ALONG;
  fprintf(out, "    anisotropic: %.4g to %.4g times %s; tensor [%.4g, %.4g, %.4g, %.4g, %.4g, %.4g]%s\n", low, high,
          along ? "that at rest" : "that", plain(law->shape[0]), plain(law->shape[1]), plain(law->shape[2]),
          plain(law->shape[3]), plain(law->shape[4]), plain(law->shape[5]),
          along ? ", rising along the field only" : "");
}

/* A probe in one line. */
static void print_probe(const IrzProbe *probe, FILE *out) {
  fprintf(out, "  probe %s", probe->name);
  if (probe->surface[0] != '\0') fprintf(out, ": surface %s", probe->surface);
  if (probe->plate[0] > 0) {
    fprintf(out,
            ": plate of %g x %g mm, %g mm thick; face towards the other at (%g, %g, %g) mm, metal from there along "
            "(%.4g, %.4g, %.4g)",
            1e3 * probe->plate[0], 1e3 * probe->plate[1], 1e3 * probe->exposure, plain(1e3 * probe->tip[0]),
            plain(1e3 * probe->tip[1]), plain(1e3 * probe->tip[2]), plain(probe->direction[0]),
            plain(probe->direction[1]), plain(probe->direction[2]));
  } else if (probe->has_geometry) {
    fprintf(out, ": tip (%g, %g, %g) mm, direction (%.4g, %.4g, %.4g), exposure %g mm, diameter %g mm",
            plain(1e3 * probe->tip[0]), plain(1e3 * probe->tip[1]), plain(1e3 * probe->tip[2]),
            plain(probe->direction[0]), plain(probe->direction[1]), plain(probe->direction[2]), 1e3 * probe->exposure,
            1e3 * probe->diameter);
    if (probe->length > 0) fprintf(out, ", %.4g mm from tip to skin", 1e3 * probe->length);
    if (probe->tip_shape != IRZ_TIP_FLAT && probe->place == 0)
      fprintf(out, ", %s end", probe->tip_shape == IRZ_TIP_ROUNDED ? "rounded" : "trocar");
    if (probe->needle[0] != '\0') fprintf(out, ", electrode %d of needle %s", probe->place + 1, probe->needle);
  }
  fputc('\n', out);
}

/* Where the tissue comes from: mesh, label map, frame. */
static void print_place(const IrzPlan *plan, FILE *out) {
  if (plan->mesh.file[0] != '\0') {
    fprintf(out, "  mesh: %s, %g mm per unit, order %d\n", irz_path_from_here(plan->mesh.file), 1e3 * plan->mesh.scale,
            plan->mesh.order);
  } else {
    fprintf(out, "  mesh: generated, box of %g mm, volume to %g %%, order %d\n", 1e3 * plan->mesh.size,
            100 * plan->mesh.accuracy, plan->mesh.order);
  }
  if (irz_plates_clamp(plan)) fputs("  tissue: only what is between the plates, which cover all of the box\n", out);
  if (plan->anatomy.labels[0] != '\0') {
    fprintf(out, "  anatomy: %s, probes stated in %s\n", irz_path_from_here(plan->anatomy.labels),
            plan->anatomy.frame == IRZ_FRAME_LPS ? "LPS and converted to RAS" : "RAS");
    for (int i = 0; i < plan->anatomy.n_map; i++) {
      const IrzLabel *label = &plan->anatomy.map[i];
      if (label->name[0] != '\0')
        fprintf(out, "    label %s: %s\n", label->name, label->region);
      else
        fprintf(out, "    label %d: %s\n", label->label, label->region);
    }
  }
  if (plan->anatomy.labels[0] == '\0' && plan->anatomy.frame_stated) {
    fprintf(out, "  frame: stated in %s\n", plan->anatomy.frame == IRZ_FRAME_LPS ? "LPS and converted to RAS" : "RAS");
  }
}

/* A tissue in a line or two. */
static void print_tissue(const IrzTissue *tissue, FILE *out) {
  fprintf(out, "  tissue %s", tissue->region);
  if (tissue->preset[0] != '\0') fprintf(out, " (%s)", tissue->preset);
  fputs(": ", out);
  print_law(&tissue->sigma, out);
  fprintf(out, ", threshold %g V/cm\n", tissue->threshold / 100);
  print_direction(&tissue->sigma, out);
}

/* A pulse in one line. */
static void print_pulse(const IrzPlan *plan, const IrzPulse *pulse, FILE *out) {
  const IrzProbe *from = &plan->probes[pulse->from], *to = &plan->probes[pulse->to];
  bool placed = from->has_geometry && to->has_geometry;
  double distance = placed ? irz_plan_distance(plan, pulse->from, pulse->to) : 0;
  fprintf(out, "  pulse %s-%s: ", from->name, to->name);
  if (pulse->field > 0) fprintf(out, "%.6g V/cm x %.4g mm = ", pulse->field / 100, 1e3 * distance);
  fprintf(out, "%.6g V", pulse->voltage);
  if (placed && !(pulse->field > 0)) {
    fprintf(out, " over %.4g mm (%.4g V/cm)", 1e3 * distance, pulse->voltage / distance / 100);
  }
  fprintf(out, ", %d of %g us at %g Hz\n", pulse->count, 1e6 * pulse->width, pulse->rate);
}

void irz_plan_print(const IrzPlan *plan, FILE *out) {
  IRZ_ENTER_QUIETLY;
  if (plan == NULL) return;
  fprintf(out, "%s (%s)\n", plan->name, plan->file);
  if (plan->missing != NULL) {
    fprintf(out, "  not complete: %s\n", plan->missing);
    return;
  }
  print_place(plan, out);
  for (int i = 0; i < plan->n_tissues; i++) print_tissue(&plan->tissues[i], out);
  for (int i = 0; i < plan->n_probes; i++) print_probe(&plan->probes[i], out);
  if (plan->pullback.count > 0) {
    fprintf(out, "  pull-back: %d time%s by %g mm, all pulses fired again each time\n", plan->pullback.count,
            plan->pullback.count == 1 ? "" : "s", 1e3 * plan->pullback.step);
  }
  for (int i = 0; i < plan->n_pulses; i++) print_pulse(plan, &plan->pulses[i], out);
  if (plan->heat.on) {
    const IrzHeatPlan *heat = &plan->heat;
    fprintf(out,
            "  heat: packets of %d pulses, pauses of %g s, %g s between pairs, %g s of cooling, from %g C, order %d",
            heat->packet, heat->recharge, heat->gap, heat->cooling, heat->initial, heat->order);
    fprintf(out, "; coupling %s", heat->coupling == IRZ_COUPLING_FULL ? "full" : "none");
    if (heat->frames > 0) fprintf(out, "; %d frame%s", heat->frames, heat->frames == 1 ? "" : "s");
    fputc('\n', out);
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

void irz_presets_print(FILE *out) {
  IRZ_ENTER_QUIETLY;
  int count;
  const IrzPreset *presets = irz_presets(&count);
  fprintf(out, "%-13s %-35s %s\n", "preset", "threshold, V/cm (spread)", "conductivity");
  for (int i = 0; i < count; i++) {
    const IrzPreset *preset = &presets[i];
    char spread[40] = "";
    if (preset->threshold_high > preset->threshold_low) {
      snprintf(spread, sizeof spread, " (%g to %g)", preset->threshold_low / 100, preset->threshold_high / 100);
    }
    fprintf(out, "%-13s %4g%-31s ", preset->name, preset->threshold.value / 100, spread);
    print_law(&preset->sigma, out);
    fputc('\n', out);
  }
  fputs("`irezone tissues NAME` gives every number with its source; several are stand-ins or were not checked.\n", out);
}

/* One number with its source. */
static void print_sourced(const char *what, const IrzSourced *number, double unit, const char *unit_name, FILE *out) {
  fprintf(out, "%s: %g %s\n    %s\n", what, number->value / unit, unit_name, number->source);
}

void irz_preset_print(const IrzPreset *preset, FILE *out) {
  IRZ_ENTER_QUIETLY;
  fprintf(out, "%s: %s\n\nconductivity: ", preset->name, preset->title);
  print_law(&preset->sigma, out);
  fprintf(out, "\n    %s\n", preset->sigma_source);
  if (preset->fibre_ratio.value > 0) {
    print_sourced("conductivity along fibres over that across (with `anisotropy: {fibres: ...}`)", &preset->fibre_ratio,
                  1, "", out);
  }
  print_sourced("irreversible threshold", &preset->threshold, 100, "V/cm", out);
  if (preset->threshold_high > preset->threshold_low) {
    fprintf(out, "    spread: %g to %g V/cm\n", preset->threshold_low / 100, preset->threshold_high / 100);
  }
  print_sourced("temperature coefficient of the conductivity", &preset->temperature_coefficient, 1, "per K", out);
  print_sourced("density", &preset->density, 1, "kg/m^3", out);
  print_sourced("heat capacity", &preset->heat_capacity, 1, "J/(kg K)", out);
  print_sourced("heat conductivity", &preset->heat_conductivity, 1, "W/(m K)", out);
  print_sourced("perfusion", &preset->perfusion, 1, "per s, volume of blood per volume of tissue", out);
  print_sourced("metabolic heat", &preset->metabolic_heat, 1, "W/m^3", out);
}
