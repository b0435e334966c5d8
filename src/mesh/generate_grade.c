/* Where the middles of edges belong so that quadratic elements follow the field at needles. */
#include "mesh/generate.h"

#include <math.h>

/// Distance from a needle, in its radii, at which edges are straight again.
#define REACH 10

/// How fast edges get straight towards the ends of bare metal, where the field is no longer that of a long line.
#define END_BLUR 0.1

/// Less than this share of an edge's length is not worth a curved element.
#define LEAST 0.003

/// How far middles move towards a singular end, as a share of the edge. A quarter of it, where elements reproduce
/// sqrt(r), makes the gradient at the end infinite, and error estimates there useless; most of the gain comes before.
#define TOWARDS_INSULATION 0.15
#define TOWARDS_RIM 0.12

/// A point in a needle's coordinates.
typedef struct {
  const IrzNeedle *needle;
  double x, y;   ///< across, m
  double square; ///< of the distance from the axis, m^2
  double inside; ///< distance from the nearest end of the bare metal beside it, m; 0 beyond
} Beside;

static Beside beside(const IrzNeedle *needle, const double point[3]) {
  Beside at = {.needle = needle};
  double z = 0;
  for (int k = 0; k < 3; k++) {
    double d = point[k] - needle->tip[k];
    at.x += d * needle->u[k];
    at.y += d * needle->v[k];
    z += d * needle->axis[k];
  }
  at.square = at.x * at.x + at.y * at.y;
  for (int k = 0; k < needle->n_bare; k++) {
    at.inside = fmax(at.inside, fmin(z - needle->bare[k][0], needle->bare[k][1] - z));
  }
  return at;
}

bool irz_is_graded(const IrzTissueBox *box, const double x[3]) {
  for (int p = 0; p < box->n_needles; p++) {
    Beside at = beside(&box->needle[p], x);
    double reach = REACH * at.needle->radius;
    if (at.inside > 0 && at.square < reach * reach) return true;
  }
  return false;
}

bool irz_grade_edge(const IrzTissueBox *box, int order, const double a[3], const double b[3], double move[3]) {
  double middle[3], length = 0, other = INFINITY;
  Beside at = {.square = INFINITY};
  for (int k = 0; k < 3; k++) {
    middle[k] = (a[k] + b[k]) / 2;
    length += (b[k] - a[k]) * (b[k] - a[k]);
  }
  for (int p = 0; p < box->n_needles; p++) {
    Beside here = beside(&box->needle[p], middle);
    other = fmin(other, fmax(at.square, here.square));
    if (here.square < at.square) at = here;
  }
  if (!(at.inside > 0)) return false;
  double reach = REACH * at.needle->radius;
  if (at.square >= reach * reach) return false;
  /* Halfway to another needle the field is no longer this one's. */
  double weight = (1 - at.square / other) * (1 - at.square / (reach * reach)) * at.inside * at.inside /
                  (at.inside * at.inside + END_BLUR * at.square);
  double across[2] = {0, 0};
  for (int k = 0; k < 3; k++) {
    across[0] += (b[k] - a[k]) * at.needle->u[k];
    across[1] += (b[k] - a[k]) * at.needle->v[k];
  }
  /* - D^2 / (12 Z) or - D^2 / (8 Z) with complex numbers */
  double real = across[0] * across[0] - across[1] * across[1], imaginary = 2 * across[0] * across[1];
  double scale = -weight / ((order == 1 ? 8 : 12) * at.square);
  double x = scale * (real * at.x + imaginary * at.y), y = scale * (imaginary * at.x - real * at.y);
  if (x * x + y * y < LEAST * LEAST * length) return false;
  for (int k = 0; k < 3; k++) move[k] = x * at.needle->u[k] + y * at.needle->v[k];
  return true;
}

double irz_end_share(const IrzTissueBox *box, const IrzBoundaryPoint *point) {
  if (point->kind != IRZ_POINT_WALL) return 0;
  const IrzNeedle *needle = &box->needle[point->needle];
  double near = 1e-6 * needle->radius;
  for (int k = 0; k < needle->n_bare; k++) {
    if (fabs(point->z - needle->bare[k][1]) < near) return TOWARDS_INSULATION;
    if (k > 0 && fabs(point->z - needle->bare[k][0]) < near) return TOWARDS_INSULATION;
  }
  return needle->shape == IRZ_TIP_FLAT && fabs(point->z - needle->shoulder) < near ? TOWARDS_RIM : 0;
}
