/* How fine a generated mesh is, and where. */
#include "mesh/generate.h"

#include "base/memory.h"
#include <irezone/anatomy.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Longest side over shortest of the triangles on a wall.
#define ASPECT 2.5

/// Fewest points around bare metal, and around a shaft far from it, where the field is weak.
#define AROUND_METAL 6
#define AROUND_SHAFT 4

void irz_mesh_sizing(const IrzPlan *plan, IrzMeshSizing *sizing) {
  double accuracy = plan->mesh.accuracy > 0 ? plan->mesh.accuracy : 0.01;
  double diameter = INFINITY;
  for (int p = 0; p < plan->n_probes; p++) diameter = fmin(diameter, plan->probes[p].diameter);
  double scale = plan->mesh.order == 1 ? 0.35 * sqrt(accuracy / 0.01) : cbrt(accuracy / 0.01);
  scale = fmin(scale, 2);
  sizing->metal = 0.9 * diameter * scale;
  sizing->ends = 0.2 * diameter * scale;
  sizing->growth = 0.5 * fmin(scale, 1.2);
  sizing->far = 0.15 * plan->mesh.size;
}

/// Distance to the end of bare metal that is nearer along the wall.
static double from_ends(const IrzNeedle *needle, double z) {
  return fmin(fmax(z, 0), fabs(z - needle->exposure));
}

/// Points around bare metal away from its ends.
static int around_metal(const IrzSizeField *field, const IrzNeedle *needle) {
  return (int)fmax(AROUND_METAL, ceil(2 * M_PI * needle->radius / field->sizing.metal));
}

int irz_size_around(const IrzSizeField *field, const IrzNeedle *needle, double z) {
  int metal = around_metal(field, needle);
  double along = irz_size_along(field, needle, z);
  double beyond = z - needle->exposure;
  if (beyond > needle->radius) {
    double fewer = metal / (1 + 0.1 * beyond / needle->radius);
    return (int)fmax(AROUND_SHAFT, round(fewer));
  }
  return (int)fmax(metal, ceil(2 * M_PI * needle->radius / (ASPECT * along)));
}

double irz_size_along(const IrzSizeField *field, const IrzNeedle *needle, double z) {
  const IrzMeshSizing *sizing = &field->sizing;
  double size = sizing->ends + sizing->growth * from_ends(needle, z);
  double beyond = z - needle->exposure;
  if (beyond <= 0) return fmin(size, sizing->metal);
  /* the shaft is smooth and the field along it weak: let its triangles grow long */
  double around =
      2 * M_PI * needle->radius / fmax(AROUND_SHAFT, around_metal(field, needle) / (1 + 0.1 * beyond / needle->radius));
  return fmin(size, ASPECT * around);
}

/// Edge length of the volume mesh at a wall: between the spacings along and around.
static double wall_size(const IrzSizeField *field, const IrzNeedle *needle, double z) {
  double along = irz_size_along(field, needle, z);
  double around = 2 * M_PI * needle->radius / irz_size_around(field, needle, z);
  return fmin(sqrt(along * around), fmax(along, 0.5 * around));
}

/// Distance to the nearest change of the label map.
static double label_distance(const IrzSizeField *field, const double x[3]) {
  int64_t cell = 0;
  for (int k = 2; k >= 0; k--) {
    double at = (x[k] - field->label_origin[k]) / field->label_step;
    double clamped = fmin(fmax(at, 0), field->label_size[k] - 1);
    cell = cell * field->label_size[k] + (int64_t)clamped;
  }
  return field->label_distance[cell];
}

double irz_size_at(const IrzSizeField *field, const double x[3]) {
  const IrzTissueBox *box = field->box;
  double size = field->sizing.far;
  for (int p = 0; p < box->n_needles; p++) {
    const IrzNeedle *needle = &box->needle[p];
    double d[3] = {x[0] - needle->tip[0], x[1] - needle->tip[1], x[2] - needle->tip[2]};
    double z = d[0] * needle->axis[0] + d[1] * needle->axis[1] + d[2] * needle->axis[2];
    double across = sqrt(fmax(d[0] * d[0] + d[1] * d[1] + d[2] * d[2] - z * z, 0)) - needle->radius;
    double nearest = fmin(fmax(z, 0), needle->exit_high);
    double distance = hypot(fmax(across, 0), z - nearest);
    size = fmin(size, wall_size(field, needle, nearest) + field->sizing.growth * distance);
  }
  if (field->label_distance) {
    double at_change = fmax(size * 0.5, field->label_finest);
    size = fmin(size, at_change + field->sizing.growth * label_distance(field, x));
  }
  return size;
}

IrzCode irz_size_field_init(IrzSizeField *field, const IrzTissueBox *box, const IrzMeshSizing *sizing,
                            const IrzPlan *plan, const IrzLabelMap *labels, IrzError *error) {
  memset(field, 0, sizeof *field);
  field->box = box;
  field->sizing = *sizing;
  (void)plan;
  (void)labels;
  (void)error;
  return IRZ_OK;
}

void irz_size_field_clear(IrzSizeField *field) {
  free(field->label_distance);
  field->label_distance = NULL;
}
