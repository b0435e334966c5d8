/* What a treatment comes to for the patient, in words. */
#include "plan/plan.h"
#include "results/print.h"
#include <math.h>
#include <string.h>

/// A length with its error, in mm: "2.1 ± 0.3".
static void format_mm(char text[64], double length, double error) {
  if (error >= 0.05e-3)
    snprintf(text, 64, "%.1f ± %.1f mm", length * 1e3, error * 1e3);
  else
    snprintf(text, 64, "%.1f mm", length * 1e3);
}

static void print_place(const double x[3], FILE *out) {
  fprintf(out, "(%.1f, %.1f, %.1f) mm", x[0] * 1e3, x[1] * 1e3, x[2] * 1e3);
}

/// A share as a person says it: 99.96 % is not 100 %.
static void format_share(char text[32], double share) {
  double percent = 100 * share;
  if (percent > 99.9 && percent < 100)
    snprintf(text, 32, "%.2f %%", fmin(percent, 99.99));
  else
    snprintf(text, 32, "%.1f %%", percent);
}

/// Where and how far a surface is inside the zone, or beyond it.
static void print_smallest(const IrzMargins *margins, const char *whose, FILE *out) {
  char length[64];
  format_mm(length, fabs(margins->least), margins->error);
  fprintf(out, "          %s", whose);
  if (margins->least >= 0)
    fprintf(out, "smallest margin %s, at ", length);
  else
    fprintf(out, "reaches %s beyond the zone, at ", length);
  print_place(margins->at, out);
  fputc('\n', out);
}

static void print_margins(const IrzTarget *target, FILE *out) {
  const IrzMargins *margins = &target->margins, *off = &target->off_capsule;
  char share[3][32];
  if (!isfinite(margins->least)) {
    if (margins->below_0 == 1) fprintf(out, "          there is no zone, and so no margin\n");
    return;
  }
  print_smallest(margins, "", out);
  format_share(share[0], margins->below_0);
  format_share(share[1], margins->from_0_to_5);
  format_share(share[2], margins->from_5);
  fprintf(out, "          of its surface %s outside the zone, %s less than 5 mm inside, %s further inside\n", share[0],
          share[1], share[2]);
  if (target->wanted != 5e-3) {
    format_share(share[0], 1 - margins->below_wanted);
    fprintf(out, "          the %.4g mm that are wanted are kept on %s of it\n", target->wanted * 1e3, share[0]);
  }
  if (!isfinite(off->least) || !(off->excluded > 0)) return;
  char whose[IRZ_NAME_MAX + 80];
  format_share(share[0], off->excluded);
  snprintf(whose, sizeof whose, "without the %s near the border of %s: ", share[0], target->organ);
  print_smallest(off, whose, out);
}

static void print_target(const IrzTarget *target, FILE *out) {
  char share[32];
  fprintf(out, "\n  target  %s: ", target->region);
  if (!isfinite(target->coverage)) {
    fprintf(out, "none of it is in the tissue box\n");
    return;
  }
  format_share(share, target->coverage);
  fprintf(out, "%s covered, %.4g of %.4g cm³\n", share, target->covered * 1e6, target->volume * 1e6);
  if (target->missed > 1e-6 * target->volume && isfinite(target->missed_at[0])) {
    fprintf(out, "          %.3g cm³ missed, the largest piece has %.3g cm³; farthest from the zone at ",
            target->missed * 1e6, target->missed_largest * 1e6);
    print_place(target->missed_at, out);
    fputc('\n', out);
  }
  print_margins(target, out);
}

/// Print a length or a field, or that there is none.
static void print_number(FILE *out, int width, int decimals, double value) {
  if (isfinite(value))
    fprintf(out, " %*.*f", width, decimals, value);
  else
    fprintf(out, " %*s", width, "-");
}

static void print_at_risk(const IrzPatient *patient, FILE *out) {
  int width = 7;
  if (patient->n_at_risk == 0) return;
  for (int i = 0; i < patient->n_at_risk; i++) {
    int length = (int)strlen(patient->at_risk[i].region);
    width = length > width ? length : width;
  }
  bool heated = isfinite(patient->at_risk[0].hottest);
  fprintf(out, "\n  %-*s  in zone   to metal  to zone      field, V/cm: limit%s\n", width, "at risk",
          heated ? "         heat" : "");
  fprintf(out, "  %-*s      cm³         mm       mm   largest 0.1 cm³      2 %%%s\n", width, "",
          heated ? "                  °C  damaged" : "");
  for (int i = 0; i < patient->n_at_risk; i++) {
    const IrzAtRisk *risk = &patient->at_risk[i];
    fprintf(out, "  %-*s", width, risk->region);
    print_number(out, 8, 3, 1e6 * risk->ablated);
    print_number(out, 10, 1, 1e3 * risk->to_metal);
    print_number(out, 8, 1, 1e3 * risk->to_zone);
    print_number(out, 9, 0, risk->largest / 100);
    print_number(out, 7, 0, risk->e_cubic / 100);
    print_number(out, 8, 0, risk->e2 / 100);
    fprintf(out, "  %-12s", !isfinite(risk->limit) ? "" : risk->limit_kept ? "kept" : "NOT KEPT");
    if (heated) print_number(out, 7, 1, risk->hottest);
    if (heated && risk->volume > 0) fprintf(out, " %6.1f %%", 100 * risk->damaged / risk->volume);
    fputc('\n', out);
  }
}

static void print_comparison(const IrzComparison *made, FILE *out) {
  fprintf(out, "\n  compare Dice %.3f with the measured zone; computed %.4g cm³, measured %.4g cm³\n", made->dice,
          1e6 * made->computed, 1e6 * made->measured);
  fprintf(out, "          surfaces %.2f mm apart in the mean, 95 %% of them no more than %.2f mm; voxels of %.2f mm\n",
          1e3 * made->mean_distance, 1e3 * made->hausdorff95, 1e3 * made->voxel);
  fprintf(out, "          %.0f V/cm for all regions fits this patient best: Dice %.3f\n", made->best_threshold / 100,
          made->best_dice);
}

void irz_patient_print(const IrzPatient *patient, FILE *out) {
  if (patient == NULL) return;
  for (int i = 0; i < patient->n_targets; i++) print_target(&patient->targets[i], out);
  print_at_risk(patient, out);
  if (patient->compare != NULL) print_comparison(patient->compare, out);
}
