/* Vectors of three dimensions. */
#ifndef IREZONE_BASE_VECTOR_H
#define IREZONE_BASE_VECTOR_H

#include <math.h>

/// a . b
static inline double irz_dot(const double a[3], const double b[3]) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/// a - b
static inline void irz_subtract(const double a[3], const double b[3], double difference[3]) {
  for (int k = 0; k < 3; k++) difference[k] = a[k] - b[k];
}

/// a x b
static inline void irz_cross(const double a[3], const double b[3], double product[3]) {
  product[0] = a[1] * b[2] - a[2] * b[1];
  product[1] = a[2] * b[0] - a[0] * b[2];
  product[2] = a[0] * b[1] - a[1] * b[0];
}

/// Area of a triangle by its corners.
static inline double irz_triangle_area(const double p[3], const double q[3], const double r[3]) {
  double a[3], b[3], normal[3];
  irz_subtract(q, p, a);
  irz_subtract(r, p, b);
  irz_cross(a, b, normal);
  return 0.5 * sqrt(irz_dot(normal, normal));
}

#endif
