/* Needles in their box. */
#include "mesh/generate.h"

#include "plan/geometry.h"
#include <math.h>

int irz_box_holes(const IrzTissueBox *box) {
  return box->n_needles + box->n_plates;
}

bool irz_box_has_trocar(const IrzTissueBox *box) {
  bool any = false;
  for (int p = 0; p < box->n_needles; p++) any = any || box->needle[p].shape == IRZ_TIP_TROCAR;
  return any;
}

void irz_needle_point(const IrzNeedle *needle, double angle, double radius, double z, double x[3]) {
  double a = radius * cos(angle), b = radius * sin(angle);
  for (int k = 0; k < 3; k++) x[k] = needle->tip[k] + a * needle->u[k] + b * needle->v[k] + z * needle->axis[k];
}

double irz_needle_exit(const IrzTissueBox *box, const IrzNeedle *needle, double angle, double radius, int *face) {
  double start[3];
  irz_needle_point(needle, angle, radius, 0, start);
  return irz_box_exit(box->lower, box->upper, start, needle->axis, face);
}

double irz_needle_height(const IrzNeedle *needle, double angle, double radius) {
  if (needle->shape == IRZ_TIP_ROUNDED)
    return needle->radius - sqrt(fmax(0, needle->radius * needle->radius - radius * radius));
  if (needle->shape == IRZ_TIP_TROCAR)
    return needle->shoulder * radius / needle->radius * cos(remainder(angle, 2 * M_PI / 3));
  return 0;
}
