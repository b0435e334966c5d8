/* How needles lie to one another; see irezone/pairs.h. */
#include <irezone/pairs.h>

#include "base/entry.h"
#include "base/vector.h"
#include "plan/geometry.h"
#include <math.h>
#include <string.h>

/// Distance of two points.
static double distance(const double a[3], const double b[3]) {
  double between[3];
  irz_subtract(a, b, between);
  return sqrt(irz_dot(between, between));
}

/// Point on the axis of a probe.
static void on_axis(const IrzProbe *probe, double along, double x[3]) {
  for (int k = 0; k < 3; k++) x[k] = probe->tip[k] + along * probe->direction[k];
}

/// Distance of two probes' axes at the same share of their bare metal.
static double distance_at(const IrzProbe *a, const IrzProbe *b, double share) {
  double x[3], y[3];
  on_axis(a, share * a->exposure, x);
  on_axis(b, share * b->exposure, y);
  return distance(x, y);
}

/// How much deeper one tip lies than the other.
static double depth_offset(const IrzProbe *a, const IrzProbe *b) {
  double mean[3], between[3];
  for (int k = 0; k < 3; k++) mean[k] = a->direction[k] + b->direction[k];
  if (irz_dot(a->direction, b->direction) < 0) memcpy(mean, a->direction, sizeof mean);
  irz_subtract(b->tip, a->tip, between);
  return fabs(irz_dot(between, mean)) / sqrt(irz_dot(mean, mean));
}

/// Length of a needle that is looked at, from its electrode's tip.
static double shaft_length(const IrzPlan *plan, const IrzProbe *probe) {
  double lower[3], upper[3], shaft = plan->patient.needles.on ? plan->patient.needles.length : NAN;
  if (shaft > 0 || plan->mesh.file[0] != '\0') return fmax(shaft, probe->exposure);
  irz_plan_box(plan, lower, upper);
  return irz_box_exit(lower, upper, probe->tip, probe->direction, NULL);
}

static bool on_one_needle(const IrzProbe *a, const IrzProbe *b) {
  return a->needle[0] != '\0' && strcmp(a->needle, b->needle) == 0;
}

static void find_pair(const IrzPlan *plan, int from, int to, IrzPair *pair) {
  const IrzProbe *a = &plan->probes[from], *b = &plan->probes[to];
  double normal[3];
  memcpy(pair->from, a->name, sizeof pair->from);
  memcpy(pair->to, b->name, sizeof pair->to);
  pair->tip = distance_at(a, b, 0);
  pair->middle = distance_at(a, b, 0.5);
  pair->top = distance_at(a, b, 1);
  pair->least = irz_segment_distance(a->tip, a->direction, a->exposure, b->tip, b->direction, b->exposure);
  irz_cross(a->direction, b->direction, normal);
  pair->angle = atan2(sqrt(irz_dot(normal, normal)), irz_dot(a->direction, b->direction));
  pair->depth_offset = depth_offset(a, b);
  pair->voltage = pair->clearance = NAN;
  if (on_one_needle(a, b)) return;
  pair->clearance =
      irz_segment_distance(a->tip, a->direction, shaft_length(plan, a), b->tip, b->direction, shaft_length(plan, b)) -
      0.5 * (a->diameter + b->diameter);
}

static bool is_needle(const IrzProbe *probe) {
  return probe->has_geometry && probe->plate[0] <= 0;
}

void irz_pairs_find(const IrzPlan *plan, IrzPairs *pairs) {
  IRZ_ENTER_QUIETLY;
  IrzPair *known[IRZ_MAX_PROBES][IRZ_MAX_PROBES] = {{NULL}};
  if (pairs == NULL) return;
  memset(pairs, 0, sizeof *pairs);
  if (plan == NULL || plan->missing != NULL) return;
  for (int i = 0; i < plan->n_pulses; i++) {
    const IrzPulse *pulse = &plan->pulses[i];
    int low = pulse->from < pulse->to ? pulse->from : pulse->to, high = pulse->from + pulse->to - low;
    if (!is_needle(&plan->probes[low]) || !is_needle(&plan->probes[high])) continue;
    IrzPair *pair = known[low][high];
    if (pair == NULL) {
      pair = known[low][high] = &pairs->pair[pairs->n++];
      find_pair(plan, pulse->from, pulse->to, pair);
    }
    pair->voltage = fmax(pair->voltage, pulse->voltage); /* that of a number and NaN is the number */
  }
  for (int i = 0; i < plan->n_probes; i++) {
    for (int j = i + 1; j < plan->n_probes; j++) {
      if (known[i][j] != NULL || !is_needle(&plan->probes[i]) || !is_needle(&plan->probes[j])) continue;
      find_pair(plan, i, j, &pairs->pair[pairs->n++]);
    }
  }
}

/// Distances between which needles lie by a consensus: 10 to 20 mm (Ruarus 2020, liver, read in its abstract).
static const double consensus[2] = {10e-3, 20e-3};

/// Largest difference of what a voltage is over the distances at tips and tops, relative (a judgement: no published
/// number was found, only that needles out of parallel draw more current where they are close and leave gaps where they
/// are apart: Sci Rep 10, 2020, s41598-020-78660-0).
static const double most_difference = 0.2;

void irz_pairs_doubt(IrzPlan *plan, const IrzPairs *pairs) {
  IRZ_ENTER_QUIETLY;
  if (plan == NULL || pairs == NULL || !plan->patient.on) return;
  for (int i = 0; i < pairs->n; i++) {
    const IrzPair *pair = &pairs->pair[i];
    if (isnan(pair->voltage) || isnan(pair->clearance)) continue;
    bool near = pair->middle < consensus[0] * (1 - 1e-9);
    bool far = pair->middle > consensus[1] * (1 + 1e-9) && pair->middle <= plan->generator.usual_spacing * (1 + 1e-9);
    if (near || far) {
      irz_plan_warn(plan,
                    "%s-%s: %.1f mm apart; a consensus on the liver has needles 10 to 20 mm apart (Ruarus 2020, only "
                    "its abstract was read)",
                    pair->from, pair->to, 1e3 * pair->middle);
    }
    if (fabs(pair->tip - pair->top) > most_difference * fmin(pair->tip, pair->top)) {
      irz_plan_warn(
          plan,
          "%s-%s: %.1f mm apart at the tips, %.1f mm at the upper ends of the metal, so %.0f V/cm at the middle "
          "are %.0f and %.0f V/cm there: needles out of parallel draw more current where they are close and "
          "leave gaps where they are apart (Sci Rep 2020, s41598-020-78660-0; the limit of 20 %% is irezone's "
          "own)",
          pair->from, pair->to, 1e3 * pair->tip, 1e3 * pair->top, pair->voltage / pair->middle / 100,
          pair->voltage / pair->tip / 100, pair->voltage / pair->top / 100);
    }
  }
}

/// Print a length in a column, or that there is none.
static void print_length(FILE *out, int width, double length) {
  if (isfinite(length))
    fprintf(out, " %*.1f", width, 1e3 * length);
  else
    fprintf(out, " %*s", width, "-");
}

/// Print what a voltage is over a distance.
static void print_field(FILE *out, double voltage, double over) {
  if (isfinite(voltage) && over > 0)
    fprintf(out, " %6.0f", voltage / over / 100);
  else
    fprintf(out, " %6s", "-");
}

void irz_pairs_print(const IrzPairs *pairs, FILE *out) {
  IRZ_ENTER_QUIETLY;
  if (pairs == NULL || pairs->n == 0) return;
  int width = 6;
  for (int i = 0; i < pairs->n; i++) {
    int length = (int)(strlen(pairs->pair[i].from) + strlen(pairs->pair[i].to)) + 1;
    width = length > width ? length : width;
  }
  fprintf(out, "\n  %-*s  distance of the bare metal, mm  angle   depth     gap   voltage over distance, V/cm\n", width,
          "pair");
  fprintf(out, "  %-*s     tip  middle     top   least      °      mm      mm      tip  middle    top\n", width, "");
  for (int i = 0; i < pairs->n; i++) {
    const IrzPair *pair = &pairs->pair[i];
    char name[2 * IRZ_NAME_MAX];
    snprintf(name, sizeof name, "%s-%s", pair->from, pair->to);
    fprintf(out, "  %-*s", width, name);
    const double lengths[4] = {pair->tip, pair->middle, pair->top, pair->least};
    for (int k = 0; k < 4; k++) print_length(out, 7, lengths[k]);
    fprintf(out, " %6.1f", pair->angle * 180 / acos(-1));
    print_length(out, 7, pair->depth_offset);
    print_length(out, 7, pair->clearance);
    fprintf(out, "  ");
    for (int k = 0; k < 3; k++) print_field(out, pair->voltage, lengths[k]);
    fputc('\n', out);
  }
}
