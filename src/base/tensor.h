/* Symmetric tensors of three dimensions as six numbers: xx, yy, zz, xy, yz, xz, the order of VTK. */
#ifndef IREZONE_BASE_TENSOR_H
#define IREZONE_BASE_TENSOR_H

/// t v
static inline void irz_tensor_apply(const double t[6], const double v[3], double out[3]) {
  out[0] = t[0] * v[0] + t[3] * v[1] + t[5] * v[2];
  out[1] = t[3] * v[0] + t[1] * v[1] + t[4] * v[2];
  out[2] = t[5] * v[0] + t[4] * v[1] + t[2] * v[2];
}

/// v . t v
static inline double irz_tensor_square(const double t[6], const double v[3]) {
  return t[0] * v[0] * v[0] + t[1] * v[1] * v[1] + t[2] * v[2] * v[2] +
         2 * (t[3] * v[0] * v[1] + t[4] * v[1] * v[2] + t[5] * v[0] * v[2]);
}

/// t += factor (a b^T + b a^T) / 2
static inline void irz_tensor_add(double t[6], double factor, const double a[3], const double b[3]) {
  for (int d = 0; d < 3; d++) {
    int e = (d + 1) % 3;
    t[d] += factor * a[d] * b[d];
    t[3 + d] += 0.5 * factor * (a[d] * b[e] + a[e] * b[d]);
  }
}

/// Smallest and largest eigenvalue.
void irz_tensor_bounds(const double t[6], double *low, double *high);

#endif
