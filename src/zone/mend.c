/* Continuity across interfaces; see mend.h. */
#include "zone/mend.h"
#include "base/tensor.h"
#include "base/vector.h"
#include <math.h>

static double size_of(const double v[3]) {
  return sqrt(irz_dot(v, v));
}

double irz_normal_part(const IrzLaw *law, const double normal[3], const double across[3], double flux, double start) {
  double low = -INFINITY, high = INFINITY, part = start, size = hypot(start, size_of(across));
  for (int step = 0; step < IRZ_MOST_STEPS; step++) {
    double field[3], current[3], sigma[6], tangent[6];
    for (int d = 0; d < 3; d++) field[d] = across[d] + part * normal[d];
    irz_law_tensor(law, field, NULL, sigma, tangent);
    irz_tensor_apply(sigma, field, current);
    double excess = irz_dot(current, normal) - flux;
    if (excess > 0)
      high = part;
    else
      low = part;
    double next = part - excess / irz_tensor_square(tangent, normal);
    if (!(next >= low && next <= high)) next = isfinite(low) && isfinite(high) ? 0.5 * (low + high) : part;
    if (fabs(next - part) <= 1e-6 * size) return next;
    part = next;
  }
  return part;
}

void irz_mend(const IrzJoint *joint, const IrzLaw *const law[2], double flux[2][3], double field[2][3]) {
  const double *n = joint->normal;
  double across[3] = {0, 0, 0}, normal = 0, weights[2] = {0, 0};
  for (int k = 0; k < 2; k++) {
    double square = irz_dot(field[k], field[k]), part = irz_dot(field[k], n);
    double sigma = square > 0 ? irz_dot(flux[k], field[k]) / square : 0;
    if (!(sigma > 0)) return; /* there is no field to speak of */
    for (int d = 0; d < 3; d++) across[d] += joint->weight[k] * sigma * (field[k][d] - part * n[d]);
    normal += joint->weight[k] / sigma * irz_dot(flux[k], n);
    weights[0] += joint->weight[k] * sigma;
    weights[1] += joint->weight[k] / sigma;
  }
  for (int d = 0; d < 3; d++) across[d] /= weights[0];
  for (int k = 0; k < 2; k++) {
    double part = irz_normal_part(law[k], n, across, normal / weights[1], irz_dot(field[k], n));
    for (int d = 0; d < 3; d++) field[k][d] = across[d] + part * n[d];
  }
}
