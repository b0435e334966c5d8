/* The summary for a person. Its tables come from the quantities that have headings; what stands outside of them is put
   into words here. */
#include "results/print.h"
#include "base/entry.h"
#include "base/tensor.h"
#include "plan/plan.h"
#include "results/table.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Widest text of a table's cell, in bytes. */
#define CELL 96

/// Width of a text in columns.
static int text_width(const char *text) {
  int columns = 0;
  for (const char *c = text; *c != '\0'; c++) columns += ((unsigned char)*c & 0xc0) != 0x80;
  return columns;
}

/// Print text and fill up with blanks to `width` columns; a multi-byte UTF-8 character takes one.
static void print_left(FILE *out, const char *text, int width) {
  int columns = text_width(text);
  fprintf(out, "%s%*s", text, columns < width ? width - columns : 0, "");
}

/// The same, to the right.
static void print_right(FILE *out, const char *text, int width) {
  int columns = text_width(text);
  fprintf(out, "%*s%s", columns < width ? width - columns : 0, "", text);
}

/// "15.44 ± 0.06 cm³": as many decimals as two digits of the error need; four digits where no error is known.
static void format_error(char text[CELL], double value, double error, const char *unit) {
  if (!isfinite(value)) {
    snprintf(text, CELL, "-");
    return;
  }
  if (!(error >= 0) || !isfinite(error)) {
    snprintf(text, CELL, "%.4g %s", value, unit);
    return;
  }
  if (value == 0 && error == 0) {
    snprintf(text, CELL, "0 %s", unit);
    return;
  }
  int decimals = 2;
  if (error > 0) decimals = (int)fmin(fmax(1 - floor(log10(error)), 0), 4);
  /* 0.060 says no more than 0.06. */
  if (decimals > 0 && error * pow(10, decimals) >= 20) decimals--;
  snprintf(text, CELL, "%.*f ± %.*f %s", decimals, value, decimals, error, unit);
}

/// 43331 as "43 331".
static void format_count(char text[CELL], int64_t count) {
  char digits[CELL];
  int length = snprintf(digits, sizeof digits, "%lld", (long long)count), to = 0;
  for (int i = 0; i < length; i++) {
    if (i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-') text[to++] = ' ';
    text[to++] = digits[i];
  }
  text[to] = '\0';
}

/// Print text in a column of a table.
static void print_cell(FILE *out, const IrzShown *shown, const char *text) {
  if (shown->width > 0)
    print_right(out, text, shown->width);
  else
    fprintf(out, "     %s", text);
}

static void print_headings(const IrzQuantity *rows, FILE *out) {
  for (const IrzQuantity *row = rows; row->name != NULL; row++) {
    if (row->shown.heading != NULL) print_cell(out, &row->shown, row->shown.heading);
  }
}

/// A quantity with its error and unit, as its column has it.
static void format_quantity(char text[CELL], const IrzQuantity *row, const IrzSummary *summary, const void *at) {
  const IrzUnit *unit = row->unit;
  double scale = unit->shown_scale > 0 ? unit->shown_scale / unit->scale : 1, error = -1;
  double value = scale * irz_quantity_number(row, summary, at);
  if (row->error > 0) memcpy(&error, (const char *)at + row->error, sizeof error);
  if (row->shown.decimals >= 0 && isfinite(value))
    snprintf(text, CELL, "%.*f %s", row->shown.decimals, value, unit->shown);
  else
    format_error(text, value, error * unit->scale, unit->shown);
}

/// Print what of an entry of a list has a column.
static void print_entry(const IrzQuantity *rows, const IrzSummary *summary, const void *at, FILE *out) {
  char text[CELL];
  for (const IrzQuantity *row = rows; row->name != NULL; row++) {
    if (row->shown.heading == NULL) continue;
    format_quantity(text, row, summary, at);
    print_cell(out, &row->shown, text);
  }
}

static void print_mesh(const IrzSummary *summary, FILE *out) {
  char cells[CELL], unknowns[CELL];
  format_count(cells, summary->cells);
  format_count(unknowns, summary->unknowns);
  fprintf(out, "  mesh    %s tetrahedra of order %d, %s unknowns; %d %s, %d %s\n", cells, summary->order, unknowns,
          summary->ranks, summary->ranks == 1 ? "rank" : "ranks", summary->threads,
          summary->threads == 1 ? "thread" : "threads");
  double coarsest = irz_coarsest_accuracy(summary->order);
  if (summary->plan->mesh.file[0] != '\0' || summary->plan->mesh.accuracy <= 1.01 * coarsest) return;
  fprintf(out, "          the coarsest there is, as for an accuracy of %.2g %%: asking for less saves no time\n",
          100 * coarsest);
}

/// Tissues that conduct differently in different directions.
static void print_anisotropy(const IrzPlan *plan, FILE *out) {
  for (int i = 0; i < plan->n_tissues; i++) {
    const IrzTissue *tissue = &plan->tissues[i];
    double low, high;
    if (tissue->sigma.direction == IRZ_LAW_ISOTROPIC) continue;
    irz_tensor_bounds(tissue->sigma.shape, &low, &high);
    fprintf(out, "  tissue  %s conducts %.3g to %.3g times its mean by direction%s\n", tissue->region, low, high,
            tissue->sigma.direction == IRZ_LAW_ALONG ? ", and more along the field where that is high" : "");
  }
}

/// A pulse's pair, and how far the needles were withdrawn.
static void pulse_label(const IrzPulseResult *pulse, char label[2 * IRZ_NAME_MAX + CELL]) {
  int length = snprintf(label, 2 * IRZ_NAME_MAX + CELL, "%s → %s", pulse->from, pulse->to);
  if (pulse->withdrawn > 0) snprintf(label + length, CELL, ", %g mm up", 1e3 * pulse->withdrawn);
}

static void print_pulses(const IrzSummary *summary, FILE *out) {
  if (summary->n_pulses == 0) return;
  char cell[2 * IRZ_NAME_MAX + CELL];
  int width = 5;
  for (int i = 0; i < summary->n_pulses; i++) {
    pulse_label(&summary->pulses[i], cell);
    if (text_width(cell) > width) width = text_width(cell);
  }
  fprintf(out, "\n  ");
  print_left(out, "pulse", width);
  print_headings(irz_pulse_quantities, out);
  print_right(out, "iterations", 14);
  fprintf(out, "\n");
  for (int i = 0; i < summary->n_pulses; i++) {
    const IrzPulseResult *pulse = &summary->pulses[i];
    pulse_label(pulse, cell);
    fprintf(out, "  ");
    print_left(out, cell, width);
    print_entry(irz_pulse_quantities, summary, pulse, out);
    snprintf(cell, sizeof cell, "%d / %d", pulse->newton_iterations, pulse->linear_iterations);
    print_right(out, cell, 14);
    fprintf(out, "\n");
  }
}

static void print_zone(const IrzZone *zone, FILE *out) {
  char volume[CELL];
  format_error(volume, zone->volume * 1e6, zone->volume_error * 1e6, "cm³");
  fprintf(out, "\n  zone    %s", volume);
  bool one_threshold = true;
  for (int i = 0; i < zone->n_regions; i++) {
    if (zone->regions[i].threshold != zone->threshold) one_threshold = false;
  }
  if (one_threshold) {
    fprintf(out, " at %.4g V/cm and more\n", zone->threshold / 100);
  } else {
    fprintf(out, ", each region at its own threshold\n");
  }
  if (zone->volume > 0) {
    fprintf(out, "  extent  %.1f x %.1f x %.1f mm; x %.1f to %.1f, y %.1f to %.1f, z %.1f to %.1f mm\n",
            (zone->box[1][0] - zone->box[0][0]) * 1e3, (zone->box[1][1] - zone->box[0][1]) * 1e3,
            (zone->box[1][2] - zone->box[0][2]) * 1e3, zone->box[0][0] * 1e3, zone->box[1][0] * 1e3,
            zone->box[0][1] * 1e3, zone->box[1][1] * 1e3, zone->box[0][2] * 1e3, zone->box[1][2] * 1e3);
  }
  if (zone->n_parts > 1) {
    fprintf(out, "  parts   THE ZONE IS SPLIT into %d parts; the largest has %.4g cm³\n", zone->n_parts,
            zone->largest_part * 1e6);
  }
  if (zone->touches_outer) {
    fprintf(out, "  wall    the zone reaches the wall of the tissue box, where the model ends\n");
  }
}

/// Regions are worth a table when there are several or when the one there is has a name.
static void print_regions(const IrzSummary *summary, FILE *out) {
  const IrzZone *zone = &summary->zone;
  if (zone->n_regions == 0 || (zone->n_regions == 1 && strcmp(zone->regions[0].region, "default") == 0)) return;
  int width = 6;
  for (int i = 0; i < zone->n_regions; i++) {
    if (text_width(zone->regions[i].region) > width) width = text_width(zone->regions[i].region);
  }
  fprintf(out, "\n  ");
  print_left(out, "region", width);
  print_headings(irz_region_quantities, out);
  for (int i = 0; i < zone->n_regions; i++) {
    fprintf(out, "\n  ");
    print_left(out, zone->regions[i].region, width);
    print_entry(irz_region_quantities, summary, &zone->regions[i], out);
  }
  fprintf(out, "\n");
}

/// Print volumes by what they are volumes of.
/// @param[in] size  bytes of an entry
static void print_volumes(const IrzQuantity *rows, const IrzSummary *summary, int n, const void *entries, size_t size,
                          FILE *out) {
  if (n == 0) return;
  fprintf(out, "\n  ");
  print_headings(rows, out);
  for (int i = 0; i < n; i++) {
    fprintf(out, "\n  ");
    print_entry(rows, summary, (const char *)entries + (size_t)i * size, out);
  }
  fprintf(out, "\n");
}

/// The heating in a few lines.
static void print_heat(const IrzHeatResult *heat, FILE *out) {
  if (heat == NULL) return;
  char peak[CELL], over50[CELL], damaged[CELL], cem43[CELL], share[CELL];
  format_error(peak, heat->peak, heat->peak_error, "°C");
  format_error(over50, heat->volume_50 * 1e6, heat->volume_50_error * 1e6, "cm³");
  format_error(damaged, heat->volume_damage * 1e6, heat->volume_damage_error * 1e6, "cm³");
  format_error(cem43, heat->volume_cem43 * 1e6, heat->volume_cem43_error * 1e6, "cm³");
  format_error(share, 100 * heat->thermal_share, 100 * heat->thermal_share_error, "%");
  fprintf(out, "\n  heat    hottest %s after %.0f of %.0f s, at (%.1f, %.1f, %.1f) mm\n", peak, heat->peak_time,
          heat->duration, heat->peak_at[0] * 1e3, heat->peak_at[1] * 1e3, heat->peak_at[2] * 1e3);
  fprintf(out, "          50 °C and more in %s\n", over50);
  fprintf(out, "          thermal damage (Arrhenius) in %s, 240 CEM43 in %s\n", damaged, cem43);
  fprintf(out, "          thermal share of the zone %s; the damage rate at 37 °C is subtracted, as living tissue\n",
          share);
  fprintf(out, "          repairs what happens at body temperature\n");
  fprintf(out, "          %.4g J from the pulses; balance closes to %.2g %%; %d time steps, %.2f s\n", heat->joule,
          100 * heat->balance, heat->steps, heat->seconds);
}

void irz_summary_print(const IrzSummary *summary, FILE *out) {
  IRZ_ENTER_QUIETLY;
  if (summary == NULL || summary->plan == NULL) return;
  fprintf(out, "%s: %s\n", summary->plan->name, summary->status);
  print_mesh(summary, out);
  print_anisotropy(summary->plan, out);
  print_pulses(summary, out);
  if (summary->paths != NULL) {
    fprintf(out, "\n  needles\n");
    irz_paths_print(summary->paths, summary->plan, out);
  }
  irz_pairs_print(&summary->pairs, out);
  irz_needles_print(summary->needles, out);
  print_zone(&summary->zone, out);
  print_regions(summary, out);
  const IrzZone *zone = &summary->zone;
  print_volumes(irz_threshold_quantities, summary, zone->n_also, zone->also, sizeof *zone->also, out);
  irz_patient_print(summary->patient, out);
  print_heat(summary->heat, out);
  print_volumes(irz_survival_quantities, summary, zone->n_survival, zone->by_survival, sizeof *zone->by_survival, out);
  if (summary->plan->n_warnings > 0) fprintf(out, "\n");
  for (int i = 0; i < summary->plan->n_warnings; i++) fprintf(out, "  warning: %s\n", summary->plan->warnings[i]);
  fprintf(out, "\n  time    %.2f s: mesh %.2f, setup %.2f, solve %.2f, zone %.2f, output %.2f; %.0f MB\n",
          summary->timing.total, summary->timing.mesh, summary->timing.setup, summary->timing.solve,
          summary->timing.zone, summary->timing.output, summary->peak_memory / 1e6);
}

void irz_patient_free(IrzPatient *patient) {
  if (patient == NULL) return;
  free(patient->targets);
  free(patient->at_risk);
  free(patient->compare);
  free(patient->level);
  free(patient->curve);
  free(patient->fraction);
  free(patient);
}

void irz_summary_clear(IrzSummary *summary) {
  if (summary == NULL) return;
  irz_plan_free(summary->own_plan);
  free(summary->pulses);
  free(summary->zone.regions);
  if (summary->heat != NULL) free(summary->heat->samples);
  free(summary->heat);
  irz_needles_free(summary->needles);
  irz_patient_free(summary->patient);
  irz_paths_free(summary->paths);
  memset(summary, 0, sizeof *summary);
}
