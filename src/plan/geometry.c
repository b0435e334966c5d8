/* Where needles and plates lie, and where they may; see geometry.h. */
#include "plan/geometry.h"
#include "base/vector.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Smallest distance of a needle's end and of its bare metal from the walls of the box, in diameters. */
static const double smallest_margin = 2;

/* Smallest gap between the walls of two needles, in diameters of the thinner one. */
static const double smallest_gap = 0.2;

/* Longest stretch along a needle, in diameters, in which its wall leaves the box: about 9 degrees between them. */
static const double longest_exit = 6;

/* Least tissue between a plate and the wall of the box, as a share of the gap between the plates. */
static const double smallest_plate_margin = 0.1;

/* What rounding may do to needles that were withdrawn. */
static const double rounding = 1e-9;

/* What the mesh names the shaft of a needle: its name with this. */
#define SHAFT_ENDING "_insulated"

/* ---- Places and distances ---- */

void irz_probe_middle(const IrzProbe *probe, double middle[3]) {
  double along = probe->plate[0] > 0 ? 0 : 0.5 * probe->exposure;
  for (int i = 0; i < 3; i++) middle[i] = probe->tip[i] + along * probe->direction[i];
}

double irz_probe_metal(const IrzProbe *probe) {
  const double pi = acos(-1);
  if (probe->plate[0] > 0) return probe->plate[0] * probe->plate[1] * probe->exposure;
  return 0.25 * pi * probe->diameter * probe->diameter * probe->exposure;
}

double irz_probe_point_length(const IrzProbe *probe) {
  /* Facets at 30 degrees to the axis. */
  static const double cotangent = 1.7320508075688772;
  if (probe->tip_shape == IRZ_TIP_ROUNDED) return 0.5 * probe->diameter;
  return probe->tip_shape == IRZ_TIP_TROCAR ? 0.5 * probe->diameter * cotangent : 0;
}

int irz_probe_entry(const IrzPlan *plan, int probe) {
  int entry = -1;
  for (int i = 0; i <= probe; i++) entry += plan->probes[i].place == 0;
  return entry;
}

double irz_plan_distance(const IrzPlan *plan, int from, int to) {
  double a[3], b[3], between[3];
  irz_probe_middle(&plan->probes[from], a);
  irz_probe_middle(&plan->probes[to], b);
  irz_subtract(a, b, between);
  return sqrt(irz_dot(between, between));
}

void irz_plan_center(const IrzPlan *plan, double center[3]) {
  center[0] = center[1] = center[2] = 0;
  for (int i = 0; i < plan->n_probes; i++) {
    double middle[3];
    irz_probe_middle(&plan->probes[i], middle);
    double shift = plan->pullback.step * (0.5 * plan->pullback.count - plan->pullback.position);
    for (int axis = 0; axis < 3; axis++) {
      center[axis] += (middle[axis] + shift * plan->probes[i].direction[axis]) / plan->n_probes;
    }
  }
}

void irz_plan_box(const IrzPlan *plan, double lower[3], double upper[3]) {
  double center[3];
  irz_plan_center(plan, center);
  for (int k = 0; k < 3; k++) {
    lower[k] = center[k] - plan->mesh.size / 2;
    upper[k] = center[k] + plan->mesh.size / 2;
  }
}

/* Axis that a unit vector runs along, or -1. */
static int axis_of(const double v[3]) {
  for (int k = 0; k < 3; k++) {
    if (fabs(v[k]) > 1 - 1e-12) return k;
  }
  return -1;
}

bool irz_plates_clamp(const IrzPlan *plan) {
  const IrzProbe *plate = &plan->probes[0];
  if (plan->n_probes != 2 || plate->plate[0] <= 0) return false;
  if (axis_of(plate->direction) < 0 || axis_of(plate->side) < 0) return false;
  double size = plan->mesh.size * (1 - 1e-9);
  return plate->plate[0] >= size && plate->plate[1] >= size;
}

void irz_plate_corner(const IrzProbe *plate, int corner, double x[3]) {
  double up[3];
  irz_cross(plate->direction, plate->side, up);
  for (int k = 0; k < 3; k++) {
    x[k] = plate->tip[k] + (corner & 1 ? 0.5 : -0.5) * plate->plate[0] * plate->side[k] +
           (corner & 2 ? 0.5 : -0.5) * plate->plate[1] * up[k] +
           (corner & 4 ? plate->exposure : 0) * plate->direction[k];
  }
}

void irz_axis_frame(const double axis[3], double u[3], double v[3]) {
  int least = 0;
  for (int k = 1; k < 3; k++) {
    if (fabs(axis[k]) < fabs(axis[least]) - 1e-6) least = k;
  }
  for (int k = 0; k < 3; k++) u[k] = (k == least) - axis[least] * axis[k];
  double norm = sqrt(irz_dot(u, u));
  for (int k = 0; k < 3; k++) u[k] /= norm;
  irz_cross(axis, u, v);
}

double irz_box_exit(const double lower[3], const double upper[3], const double point[3], const double axis[3],
                    int *face) {
  double nearest = INFINITY;
  for (int k = 0; k < 3; k++) {
    if (axis[k] == 0) continue;
    bool up = axis[k] > 0;
    double distance = ((up ? upper[k] : lower[k]) - point[k]) / axis[k];
    if (distance >= nearest) continue;
    nearest = distance;
    if (face) *face = 2 * k + up;
  }
  return nearest;
}

void irz_wall_exits(const double lower[3], const double upper[3], const double tip[3], const double axis[3],
                    double radius, double *least, double *most) {
  enum { AROUND = 72 };
  double u[3], v[3], start[3];
  irz_axis_frame(axis, u, v);
  *least = INFINITY, *most = 0;
  for (int i = 0; i < AROUND; i++) {
    double angle = i * 2 * acos(-1) / AROUND, c = radius * cos(angle), s = radius * sin(angle);
    for (int k = 0; k < 3; k++) start[k] = tip[k] + c * u[k] + s * v[k];
    double distance = irz_box_exit(lower, upper, start, axis, NULL);
    *least = fmin(*least, distance);
    *most = fmax(*most, distance);
  }
}

double irz_segment_distance(const double p[3], const double u[3], double a, const double q[3], const double v[3],
                            double b) {
  double w[3], uv = irz_dot(u, v), sine2 = 1 - uv * uv;
  irz_subtract(p, q, w);
  double uw = irz_dot(u, w), vw = irz_dot(v, w);
  /* The distance is convex in (s, t): for each candidate s the best t. The unconstrained optimum and the four ends are
     enough candidates. */
  double candidates[5] = {0, a, sine2 > 1e-12 ? (uv * vw - uw) / sine2 : 0, -uw, b * uv - uw};
  double least = INFINITY;
  for (int i = 0; i < 5; i++) {
    double s = fmin(fmax(candidates[i], 0), a);
    double t = fmin(fmax(vw + s * uv, 0), b);
    double gap[3];
    for (int j = 0; j < 3; j++) gap[j] = w[j] + s * u[j] - t * v[j];
    least = fmin(least, sqrt(irz_dot(gap, gap)));
  }
  return least;
}

/* ---- Rules ---- */

/* Note what is wrong; false for the caller to return. */
static bool broken(IrzPlacementFault *fault, int probe, const char *key, const char *format, ...) IRZ_PRINTF(4, 5);
static bool broken(IrzPlacementFault *fault, int probe, const char *key, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(fault->text, sizeof fault->text, format, arguments);
  va_end(arguments);
  fault->probe = probe;
  fault->key = key;
  return false;
}

/* Whether a probe has all that a mesh is made from. */
static bool is_complete(const IrzPlan *plan, int p) {
  const IrzProbe *probe = &plan->probes[p];
  int place = probe->place == 0 ? 0 : p > 0 ? plan->probes[p - 1].place + 1 : -1;
  return probe->has_geometry && probe->diameter > 0 && probe->exposure > 0 && probe->place == place &&
         fabs(irz_dot(probe->direction, probe->direction) - 1) < 1e-6 && isfinite(irz_dot(probe->tip, probe->tip));
}

/* The last electrode of the needle whose first one is `first`. */
static int last_electrode(const IrzPlan *plan, int first) {
  int last = first;
  while (last + 1 < plan->n_probes && plan->probes[last + 1].place > 0) last++;
  return last;
}

/* Room for the surfaces' names in the mesh. */
static bool name_fits(const IrzPlan *plan, int p, IrzPlacementFault *fault) {
  const IrzProbe *probe = &plan->probes[p];
  size_t most = IRZ_NAME_MAX - sizeof SHAFT_ENDING;
  if (strlen(probe->name) <= most) return true;
  if (probe->needle[0] != '\0') {
    return broken(fault, p, "name", "longer than %zu characters, the most for a needle with several electrodes",
                  most - 1);
  }
  return broken(fault, p, "name", "longer than %zu characters", most);
}

/* How much less than a rule says is enough: a withdrawn needle was allowed when the plan was read. */
static double slack(const IrzPlan *plan) {
  return plan->pullback.position > 0 ? rounding : 0;
}

/* Of a position of a pull-back, for messages. */
static void say_position(double withdrawn, char said[40]) {
  said[0] = '\0';
  if (withdrawn > 0) snprintf(said, 40, ", withdrawn by %.9g mm,", 1e3 * withdrawn);
}

/* The end of a needle stays inside the box. */
static bool tip_fits(const IrzPlan *plan, int first, double withdrawn, IrzPlacementFault *fault) {
  const IrzProbe *probe = &plan->probes[first];
  double center[3], half = plan->mesh.size / 2, margin = smallest_margin * probe->diameter;
  char position[40];
  irz_plan_center(plan, center);
  say_position(withdrawn, position);
  for (int k = 0; k < 3; k++) {
    double reach = probe->diameter / 2 * sqrt(fmax(1 - probe->direction[k] * probe->direction[k], 0));
    double off = fabs(probe->tip[k] + withdrawn * probe->direction[k] - center[k]);
    if (off + reach + margin <= half + slack(plan)) continue;
    return broken(fault, first, "tip",
                  "the tip of probe %s%s is %.4g mm from the middle of the tissue box along %c, but the box ends at "
                  "%.4g mm, and the needle must stay %.4g mm inside: raise mesh.size or move the probe",
                  probe->name, position, 1e3 * off, "xyz"[k], 1e3 * half, 1e3 * margin);
  }
  return true;
}

/* The bare metal ends inside the box, and the shaft leaves it through one stretch that is not too long. */
static bool shaft_fits(const IrzPlan *plan, int first, double withdrawn, IrzPlacementFault *fault) {
  const IrzProbe *probe = &plan->probes[first], *last = &plan->probes[last_electrode(plan, first)];
  double lower[3], upper[3], tip[3], above[3], least, most, margin = smallest_margin * probe->diameter;
  char position[40];
  irz_plan_box(plan, lower, upper);
  say_position(withdrawn, position);
  for (int k = 0; k < 3; k++) tip[k] = probe->tip[k] + withdrawn * probe->direction[k];
  irz_wall_exits(lower, upper, tip, probe->direction, probe->diameter / 2, &least, &most);
  irz_subtract(last->tip, probe->tip, above);
  double metal = irz_dot(above, probe->direction) + last->exposure;
  if (!(least - metal >= margin - slack(plan))) {
    return broken(
        fault, first, "exposure",
        "the bare metal of probe %s%s reaches %.4g mm from the tip, but the wall of the tissue box (mesh.size "
        "%.9g mm) comes after %.4g mm, and the metal must end %.4g mm before it: raise mesh.size or move the "
        "probe",
        probe->name, position, 1e3 * metal, 1e3 * plan->mesh.size, 1e3 * least, 1e3 * margin);
  }
  if (!(most - least <= longest_exit * probe->diameter + slack(plan))) {
    return broken(fault, first, "direction",
                  "probe %s runs along the wall of the tissue box (mesh.size %.9g mm); it must leave the box at 10 "
                  "degrees or more: raise mesh.size, move the probe or turn it",
                  probe->name, 1e3 * plan->mesh.size);
  }
  return true;
}

/* Two needles stay apart all the way to the wall of the box. A pull-back only makes them shorter. */
static bool gap_fits(const IrzPlan *plan, int p, int q, IrzPlacementFault *fault) {
  const IrzProbe *a = &plan->probes[p], *b = &plan->probes[q];
  double lower[3], upper[3], least, length[2];
  irz_plan_box(plan, lower, upper);
  irz_wall_exits(lower, upper, a->tip, a->direction, a->diameter / 2, &least, &length[0]);
  irz_wall_exits(lower, upper, b->tip, b->direction, b->diameter / 2, &least, &length[1]);
  double axes = irz_segment_distance(a->tip, a->direction, length[0], b->tip, b->direction, length[1]);
  double touching = (a->diameter + b->diameter) / 2;
  double needed = touching + smallest_gap * fmin(a->diameter, b->diameter);
  if (axes >= needed - slack(plan)) return true;
  return broken(fault, q, "tip",
                "probes %s and %s %s inside the tissue box: their axes come as near as %.4g mm, and must stay at least "
                "%.4g mm apart",
                a->name, b->name, axes > touching ? "nearly touch" : "touch or cross", round(1e9 * axes) / 1e6,
                1e3 * needed);
}

/* Plates lie inside the box, or clamp all of it. */
static bool plates_fit(const IrzPlan *plan, IrzPlacementFault *fault) {
  if (irz_plates_clamp(plan)) return true;
  double center[3], margin = smallest_plate_margin * irz_plan_distance(plan, 0, 1), half = plan->mesh.size / 2;
  irz_plan_center(plan, center);
  for (int p = 0; p < 2; p++) {
    for (int corner = 0; corner < 8; corner++) {
      double x[3];
      irz_plate_corner(&plan->probes[p], corner, x);
      for (int k = 0; k < 3; k++) {
        double room = half - fabs(x[k] - center[k]);
        if (room >= margin) continue;
        return broken(fault, p, "plates",
                      "plate %s %s the wall of the tissue box along %c; it must stay %.4g mm inside (a tenth of the "
                      "gap), so make mesh.size larger; or let both width and height be at least mesh.size, %.9g mm, "
                      "and direction and up run along axes: then the plates clamp all of the tissue",
                      plan->probes[p].name, room > 0 ? "comes too near to" : "reaches beyond", "xyz"[k], 1e3 * margin,
                      2e3 * half);
      }
    }
  }
  return true;
}

bool irz_placement_allowed(const IrzPlan *plan, IrzPlacementFault *fault) {
  if (plan->n_probes < 1) return broken(fault, 0, "probes", "none given; a generated mesh needs at least one");
  if (plan->probes[0].plate[0] > 0 && plan->n_probes == 2) return plates_fit(plan, fault);
  for (int p = 0; p < plan->n_probes; p++) {
    if (!is_complete(plan, p)) {
      return broken(fault, p, "tip", "a generated mesh needs the probe's tip, direction, exposure and diameter");
    }
    if (!name_fits(plan, p, fault)) return false;
    if (plan->probes[p].exposure >= plan->mesh.size) {
      return broken(fault, p, "exposure", "%.9g mm is longer than the tissue box, whose edge is %.9g mm (mesh.size)",
                    1e3 * plan->probes[p].exposure, 1e3 * plan->mesh.size);
    }
  }
  /* Along a line only the first and the last position of a pull-back can break a rule. */
  double later = (plan->pullback.count - plan->pullback.position) * plan->pullback.step;
  for (int p = 0; p < plan->n_probes; p++) {
    if (plan->probes[p].place > 0) continue;
    if (!tip_fits(plan, p, 0, fault) || !tip_fits(plan, p, later, fault)) return false;
    if (!shaft_fits(plan, p, 0, fault) || !shaft_fits(plan, p, later, fault)) return false;
    for (int q = 0; q < p; q++) {
      if (plan->probes[q].place == 0 && !gap_fits(plan, q, p, fault)) return false;
    }
  }
  return true;
}
