/* Two parallel plates, named A and B. */
#include "plan/parts.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

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
