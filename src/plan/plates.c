/* Two parallel plates, named A and B: read, and checked against the tissue box. */
#include "plan/parts.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Least tissue between a plate and the wall of the box, of the gap. */
static const double least_margin = 0.1;

/* A vector's unit vector; false if it has none. */
static bool normalize(double v[3]) {
  double length = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
  for (int k = 0; k < 3 && length > 1e-12; k++) v[k] /= length;
  return length > 1e-12;
}

/* Unit vector of the height: `up`, less its part along the normal; if it is not stated z, or y for plates that face z.
 */
static bool find_up(const IrzPlateKeys *keys, bool stated, const double normal[3], double up[3]) {
  const double usual[3] = {0, fabs(normal[2]) > 0.9, fabs(normal[2]) <= 0.9};
  double along = 0;
  memcpy(up, stated ? keys->up : usual, 3 * sizeof *up);
  if (!normalize(up)) return false;
  for (int k = 0; k < 3; k++) along += up[k] * normal[k];
  for (int k = 0; k < 3; k++) up[k] -= along * normal[k];
  return fabs(along) < 1 - 1e-6 && normalize(up);
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

IrzCode irz_plates_read(const IrzReader *reader, const IrzYaml *node) {
  IrzPlan *plan = reader->plan;
  IrzPlateKeys keys = {.width = 0};
  IRZ_TRY(irz_reader_section(reader, &irz_section_plates, node, node, "plates", false, &keys));
  if (plan->mesh.file[0] != '\0') {
    return irz_reader_fail(
        reader, node, "plates",
        "belong to a generated mesh; list the plates of a loaded mesh as probes, each with a surface");
  }
  const IrzYaml *up_node = irz_yaml_get(node, "up");
  double normal[3] = {keys.direction[0], keys.direction[1], keys.direction[2]}, up[3];
  if (!normalize(normal)) {
    return irz_reader_fail(reader, irz_yaml_get(node, "direction"), "plates.direction",
                           "is zero; it must point from plate A to plate B");
  }
  if (!find_up(&keys, up_node != NULL, normal, up)) {
    return irz_reader_fail(reader, up_node, "plates.up", "must not be zero, nor point along plates.direction");
  }
  for (int p = 0; p < 2; p++) {
    IrzProbe *probe = &plan->probes[p];
    double sign = p == 0 ? -1 : 1;
    snprintf(probe->name, sizeof probe->name, "%c", 'A' + p);
    for (int k = 0; k < 3; k++) {
      probe->tip[k] = keys.center[k] + sign * 0.5 * keys.gap * normal[k];
      probe->direction[k] = sign * normal[k];
      probe->side[k] = up[(k + 1) % 3] * normal[(k + 2) % 3] - up[(k + 2) % 3] * normal[(k + 1) % 3];
    }
    probe->exposure = keys.thickness;
    probe->plate[0] = keys.width;
    probe->plate[1] = keys.height;
    probe->has_geometry = true;
    probe->line = node->line;
  }
  plan->n_probes = 2;
  return IRZ_OK;
}

IrzCode irz_plates_check(const IrzReader *reader, const IrzYaml *node) {
  const IrzPlan *plan = reader->plan;
  if (irz_plates_clamp(plan)) return IRZ_OK;
  double center[3], gap = irz_plan_distance(plan, 0, 1), margin = least_margin * gap, half = 0.5 * plan->mesh.size;
  irz_plan_center(plan, center);
  for (int p = 0; p < 2; p++) {
    const IrzProbe *plate = &plan->probes[p];
    for (int corner = 0; corner < 8; corner++) {
      double x[3];
      irz_plate_corner(plate, corner, x);
      for (int k = 0; k < 3; k++) {
        double room = half - fabs(x[k] - center[k]);
        if (room >= margin) continue;
        return irz_reader_fail(
            reader, node, "plates",
            "plate %s %s the wall of the tissue box along %c; it must stay %.4g mm inside (a tenth of the gap), so "
            "make "
            "mesh.size larger; or let both width and height be at least mesh.size, %.9g mm, and direction and up run "
            "along axes: then the plates clamp all of the tissue",
            plate->name, room > 0 ? "comes too near to" : "reaches beyond", "xyz"[k], 1e3 * margin, 2e3 * half);
      }
    }
  }
  return IRZ_OK;
}

void irz_plate_corner(const IrzProbe *plate, int corner, double x[3]) {
  for (int k = 0; k < 3; k++) {
    int i = (k + 1) % 3, j = (k + 2) % 3;
    double up = plate->direction[i] * plate->side[j] - plate->direction[j] * plate->side[i];
    x[k] = plate->tip[k] + (corner & 1 ? 0.5 : -0.5) * plate->plate[0] * plate->side[k] +
           (corner & 2 ? 0.5 : -0.5) * plate->plate[1] * up + (corner & 4 ? plate->exposure : 0) * plate->direction[k];
  }
}
