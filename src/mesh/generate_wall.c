/* Triangulation of needles: rings of points along the wall, zipped together; the end. */
#include "mesh/generate.h"

#include "base/memory.h"
#include "plan/geometry.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Points of one ring at most.
#define RING_MAX 256

/// Fewest points of a ring on a sloping wall of the box.
#define AROUND_SLOPE 6

/// Steps of the integral that spaces rings.
#define SPREAD_STEPS 2000

/// A ring of points, by increasing angle.
typedef struct {
  int count;
  int32_t point[RING_MAX];
  double angle[RING_MAX];
} Ring;

/// Append a ring at height z and radius around a needle; exits lie on the wall of the box, rims on a trocar's facets.
static IrzCode add_ring(const IrzSizeField *field, int p, double radius, double z, IrzPointKind kind,
                        IrzBoundary *boundary, Ring *ring, IrzError *error) {
  const IrzNeedle *needle = &field->box->needle[p];
  for (int i = 0; i < ring->count; i++) {
    double height = z;
    if (kind == IRZ_POINT_RIM) height = irz_needle_height(needle, ring->angle[i], radius);
    if (kind == IRZ_POINT_EXIT) height = irz_needle_exit(field->box, needle, ring->angle[i], radius, NULL);
    IrzBoundaryPoint point = {.angle = ring->angle[i], .z = height, .needle = p, .kind = kind};
    irz_needle_point(needle, ring->angle[i], radius, height, point.x);
    IRZ_TRY(irz_boundary_point(boundary, &point, &ring->point[i], error));
  }
  return IRZ_OK;
}

/// Angles at equal distances.
static void even_angles(Ring *ring, int count, double turn) {
  ring->count = count < RING_MAX ? count : RING_MAX;
  for (int i = 0; i < ring->count; i++) ring->angle[i] = turn + 2 * M_PI * i / ring->count;
}

/// Angles around a trocar's rim and above it, for at least `count` points: one wherever two facets meet, since rings
/// have a kink there and would cross where one has a point in it and the next has not. In between evenly; with `half`,
/// from half a step on, otherwise with a point in the middle of each facet.
static void kinked_angles(Ring *ring, int count, bool half) {
  int steps = 2 * (int)fmin(ceil(count / 6.0), RING_MAX / 6 - 1);
  ring->count = 0;
  for (int facet = 0; facet < 3; facet++) {
    for (int i = 0; i < steps + half; i++) {
      double step = half && i > 0 ? i - 0.5 : i;
      ring->angle[ring->count++] = M_PI / 3 + 2 * M_PI / 3 * (facet + step / steps);
    }
  }
}

/// Squared distance of two points.
static double separation(const IrzBoundary *boundary, int32_t a, int32_t b) {
  const double *x = boundary->point[a].x, *y = boundary->point[b].x;
  return (x[0] - y[0]) * (x[0] - y[0]) + (x[1] - y[1]) * (x[1] - y[1]) + (x[2] - y[2]) * (x[2] - y[2]);
}

/// Angle of point `i` of a ring, counted on through further turns.
static double ring_angle(const Ring *ring, int i) {
  int turns = i / ring->count;
  return ring->angle[i % ring->count] + 2 * M_PI * turns;
}

/// Triangles between two neighbouring rings: always the diagonal that turns less, among equals the shorter one.
static IrzCode zip(const Ring *lower, const Ring *upper, int32_t surface, IrzBoundary *boundary, IrzError *error) {
  int start = 0;
  double offset = remainder(upper->angle[0] - lower->angle[0], 2 * M_PI);
  for (int j = 1; j < upper->count; j++) {
    double other = remainder(upper->angle[j] - lower->angle[0], 2 * M_PI);
    if (fabs(other) < fabs(offset) - 1e-9) start = j, offset = other;
  }
  double turn = lower->angle[0] + offset - upper->angle[start]; /* a multiple of 2 pi */
  for (int i = 0, j = 0; i < lower->count || j < upper->count;) {
    int32_t a = lower->point[i % lower->count], a_next = lower->point[(i + 1) % lower->count];
    int32_t b = upper->point[(start + j) % upper->count], b_next = upper->point[(start + j + 1) % upper->count];
    double to_lower = fabs(ring_angle(lower, i + 1) - ring_angle(upper, start + j) - turn);
    double to_upper = fabs(ring_angle(upper, start + j + 1) + turn - ring_angle(lower, i));
    bool step_lower = to_lower < to_upper;
    if (fabs(to_lower - to_upper) < 1e-9)
      step_lower = separation(boundary, a_next, b) <= separation(boundary, a, b_next) * (1 + 1e-9);
    if (j == upper->count) step_lower = true;
    if (i == lower->count) step_lower = false;
    if (step_lower) {
      IRZ_TRY(irz_boundary_triangle(boundary, a, a_next, b, surface, error));
      i++;
    } else {
      IRZ_TRY(irz_boundary_triangle(boundary, a, b_next, b, surface, error));
      j++;
    }
  }
  return IRZ_OK;
}

/// Places from `from` to `to`, both included, spaced as irz_size_along() wants.
/// @param[out] count   number of intervals
/// @param[out] places  [count + 1], to be released by the caller
static IrzCode spread(const IrzSizeField *field, const IrzNeedle *needle, double from, double to, int *count,
                      double **places, IrzError *error) {
  double *sum, step = (to - from) / SPREAD_STEPS;
  IRZ_TRY(irz_alloc(&sum, SPREAD_STEPS + 1, sizeof *sum, error));
  for (int i = 0; i < SPREAD_STEPS; i++)
    sum[i + 1] = sum[i] + step / irz_size_along(field, needle, from + (i + 0.5) * step);
  *count = (int)fmax(1, ceil(sum[SPREAD_STEPS] - 0.1));
  IrzCode code = irz_alloc(places, (size_t)*count + 1, sizeof **places, error);
  for (int n = 1, i = 0; code == IRZ_OK && n < *count; n++) {
    double wanted = sum[SPREAD_STEPS] * n / *count;
    while (sum[i + 1] < wanted) i++;
    (*places)[n] = from + step * (i + (wanted - sum[i]) / (sum[i + 1] - sum[i]));
  }
  if (code == IRZ_OK) (*places)[0] = from, (*places)[*count] = to;
  free(sum);
  return code;
}

/// Fan from a ring to the point of a needle's end.
static IrzCode add_apex(const IrzNeedle *needle, int p, const Ring *outer, IrzPointKind kind, IrzBoundary *boundary,
                        IrzError *error) {
  IrzBoundaryPoint point = {.needle = p, .kind = kind};
  int32_t center;
  irz_needle_point(needle, 0, 0, 0, point.x);
  IRZ_TRY(irz_boundary_point(boundary, &point, &center, error));
  for (int i = 0; i < outer->count; i++) {
    IRZ_TRY(irz_boundary_triangle(boundary, outer->point[i], outer->point[(i + 1) % outer->count], center,
                                  2 * needle->first, error));
  }
  return IRZ_OK;
}

/// Flat end: rings that get sparser towards the centre.
static IrzCode add_flat(const IrzSizeField *field, int p, const Ring *rim, double turn, IrzBoundary *boundary,
                        IrzError *error) {
  const IrzNeedle *needle = &field->box->needle[p];
  Ring outer = *rim, inner;
  double radius = needle->radius;
  for (int parity = 1;; parity ^= 1) {
    double size = field->sizing.ends + field->sizing.growth * (needle->radius - radius);
    size = fmax(size, 0.6 * 2 * M_PI * radius / outer.count);
    if (radius - size < 0.5 * size || outer.count <= 5) break;
    radius -= size;
    int count = (int)fmin(outer.count, fmax(5, round(2 * M_PI * radius / size)));
    even_angles(&inner, count, turn + parity * M_PI / count);
    IRZ_TRY(add_ring(field, p, radius, 0, IRZ_POINT_FLAT, boundary, &inner, error));
    IRZ_TRY(zip(&inner, &outer, 2 * needle->first, boundary, error));
    outer = inner;
  }
  return add_apex(needle, p, &outer, IRZ_POINT_FLAT, boundary, error);
}

/// Rounded end: rings at equal distances along the half sphere.
static IrzCode add_dome(const IrzSizeField *field, int p, const Ring *rim, double turn, IrzBoundary *boundary,
                        IrzError *error) {
  const IrzNeedle *needle = &field->box->needle[p];
  Ring outer = *rim, inner;
  double quarter = M_PI / 2 * needle->radius;
  int steps = (int)fmax(2, round(quarter / irz_size_along(field, needle, 0)));
  for (int i = steps - 1; i > 0; i--) {
    double radius = needle->radius * sin(M_PI / 2 * i / steps);
    int count = (int)fmin(outer.count, fmax(5, round(2 * M_PI * radius / (1.5 * quarter / steps))));
    even_angles(&inner, count, turn + (steps - i) % 2 * M_PI / count);
    IRZ_TRY(add_ring(field, p, radius, irz_needle_height(needle, 0, radius), IRZ_POINT_DOME, boundary, &inner, error));
    IRZ_TRY(zip(&inner, &outer, 2 * needle->first, boundary, error));
    outer = inner;
  }
  return add_apex(needle, p, &outer, IRZ_POINT_DOME, boundary, error);
}

/// Trocar: rings on the three facets, with a point on each edge between them. zip() joins points at the same angle, so
/// the edges stay sharp.
static IrzCode add_facets(const IrzSizeField *field, int p, const Ring *rim, IrzBoundary *boundary, IrzError *error) {
  const IrzNeedle *needle = &field->box->needle[p];
  Ring outer = *rim, inner;
  double radius = needle->radius, slope = hypot(1, needle->shoulder / needle->radius);
  for (;;) {
    double size = irz_size_end(field, needle) + field->sizing.growth * slope * fmin(needle->radius - radius, radius);
    size = fmax(size, 0.6 * 2 * M_PI * radius / outer.count);
    if (radius - size / slope < 0.5 * size / slope) break;
    radius -= size / slope;
    int count = 3 * (int)fmax(1, round(2 * M_PI * radius / size / 3));
    even_angles(&inner, count < outer.count ? count : outer.count, M_PI / 3);
    int32_t first = boundary->n_points;
    IRZ_TRY(add_ring(field, p, radius, 0, IRZ_POINT_RIM, boundary, &inner, error));
    for (int i = 0; i < inner.count; i++) boundary->point[first + i].kind = IRZ_POINT_FLAT;
    IRZ_TRY(zip(&inner, &outer, 2 * needle->first, boundary, error));
    outer = inner;
  }
  return add_apex(needle, p, &outer, IRZ_POINT_FLAT, boundary, error);
}

/// The ring where the wall of a needle begins, and the needle's end below it.
static IrzCode add_end(const IrzSizeField *field, int p, double turn, Ring *rim, IrzBoundary *boundary,
                       IrzError *error) {
  const IrzNeedle *needle = &field->box->needle[p];
  bool trocar = needle->shape == IRZ_TIP_TROCAR;
  int count = irz_size_around(field, needle, needle->shoulder);
  if (trocar) {
    kinked_angles(rim, count, false);
  } else {
    even_angles(rim, count, turn);
  }
  IRZ_TRY(add_ring(field, p, needle->radius, needle->shoulder, trocar ? IRZ_POINT_RIM : IRZ_POINT_WALL, boundary, rim,
                   error));
  if (trocar) return add_facets(field, p, rim, boundary, error);
  if (needle->shape == IRZ_TIP_ROUNDED) return add_dome(field, p, rim, turn, boundary, error);
  return add_flat(field, p, rim, turn, boundary, error);
}

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/// Angles at which an edge of the box runs into the needle's wall, sorted.
static int pierced_angles(const IrzTissueBox *box, const IrzNeedle *needle, double angles[24]) {
  int n = 0;
  for (int edge = 0; edge < 12; edge++) {
    int k = edge / 4, k1 = (k + 1) % 3, k2 = (k + 2) % 3;
    double from[3], a = 0, b = 0, c = 0;
    from[k] = box->lower[k] - needle->tip[k];
    from[k1] = (edge & 1 ? box->upper : box->lower)[k1] - needle->tip[k1];
    from[k2] = (edge & 2 ? box->upper : box->lower)[k2] - needle->tip[k2];
    const double *across[2] = {needle->u, needle->v};
    double offset[2], slope[2];
    for (int i = 0; i < 2; i++) {
      offset[i] = from[0] * across[i][0] + from[1] * across[i][1] + from[2] * across[i][2];
      slope[i] = across[i][k];
      a += slope[i] * slope[i], b += offset[i] * slope[i], c += offset[i] * offset[i];
    }
    c -= needle->radius * needle->radius;
    if (a == 0 || b * b <= a * c) continue;
    for (int sign = -1; sign <= 1; sign += 2) {
      double t = (-b + sign * sqrt(b * b - a * c)) / a;
      double z =
          from[0] * needle->axis[0] + from[1] * needle->axis[1] + from[2] * needle->axis[2] + t * needle->axis[k];
      if (t <= 0 || t >= box->upper[k] - box->lower[k] || z <= 0) continue;
      double angle = atan2(offset[1] + t * slope[1], offset[0] + t * slope[0]);
      angles[n++] = angle < 0 ? angle + 2 * M_PI : angle;
    }
  }
  qsort(angles, (size_t)n, sizeof *angles, compare_doubles);
  return n;
}

/// Angles of the ring at the wall of the box: evenly, with a point wherever an edge of the box runs into it.
static void exit_angles(const IrzTissueBox *box, const IrzNeedle *needle, int count, double turn, Ring *ring) {
  double pierced[24];
  int n = pierced_angles(box, needle, pierced);
  if (n == 0) {
    even_angles(ring, count, turn);
    return;
  }
  ring->count = 0;
  for (int i = 0; i < n; i++) {
    double gap = i + 1 < n ? pierced[i + 1] - pierced[i] : pierced[0] + 2 * M_PI - pierced[i];
    int pieces = (int)fmax(1, round(gap * count / (2 * M_PI)));
    for (int k = 0; k < pieces && ring->count < RING_MAX; k++)
      ring->angle[ring->count++] = pierced[i] + gap * k / pieces;
  }
}

/// Rings up to the wall of the box. There they lean into its slope: they are shifted by a growing share of the exit's
/// deviation from that of the axis, and have the exit's angles, so that facets stay flat and none folds over another.
static IrzCode add_shaft(const IrzSizeField *field, int p, double turn, int parity, Ring *ring, IrzBoundary *boundary,
                         IrzError *error) {
  const IrzTissueBox *box = field->box;
  const IrzNeedle *needle = &box->needle[p];
  double *z, uneven = fmax(needle->exit_high - needle->exit, needle->exit - needle->exit_low);
  double lean_from = uneven > 0.05 * needle->radius
                         ? fmax(needle->exposure, needle->exit - fmax(4 * uneven, 4 * needle->radius))
                         : needle->exit;
  int count, around = irz_size_around(field, needle, needle->exit);
  int32_t surface = 2 * (needle->first + needle->n_bare - 1) + 1;
  Ring next, exit;
  if (uneven > 0.5 * needle->radius && around < AROUND_SLOPE) around = AROUND_SLOPE;
  exit_angles(box, needle, around, turn, &exit);
  IRZ_TRY(spread(field, needle, needle->exposure, needle->exit, &count, &z, error));
  IrzCode code = IRZ_OK;
  for (int i = 1; i < count && code == IRZ_OK; i++) {
    double lean = fmax(0, (z[i] - lean_from) / (needle->exit - lean_from));
    if (z[i] > lean_from) {
      next = exit;
    } else {
      around = irz_size_around(field, needle, z[i]);
      even_angles(&next, around, turn + parity * M_PI / around);
      parity ^= 1;
    }
    int32_t first = boundary->n_points;
    code = add_ring(field, p, needle->radius, z[i], IRZ_POINT_WALL, boundary, &next, error);
    for (int k = 0; k < next.count && z[i] > lean_from && code == IRZ_OK; k++) {
      IrzBoundaryPoint *point = &boundary->point[first + k];
      point->z += lean * (irz_needle_exit(box, needle, point->angle, needle->radius, NULL) - needle->exit);
      irz_needle_point(needle, point->angle, needle->radius, point->z, point->x);
    }
    if (code == IRZ_OK) code = zip(ring, &next, surface, boundary, error);
    *ring = next;
  }
  free(z);
  IRZ_TRY(code);
  boundary->exit_first[p] = boundary->n_points;
  boundary->exit_count[p] = exit.count;
  IRZ_TRY(add_ring(field, p, needle->radius, 0, IRZ_POINT_EXIT, boundary, &exit, error));
  return zip(ring, &exit, surface, boundary, error);
}

/// Rings from one z to another. Above a trocar's rim they follow its waves less and less, and no more where the metal
/// ends.
static IrzCode add_wall(const IrzSizeField *field, int p, double from, double to, double turn, int32_t surface,
                        int *parity, Ring *ring, IrzBoundary *boundary, IrzError *error) {
  const IrzNeedle *needle = &field->box->needle[p];
  bool trocar = needle->shape == IRZ_TIP_TROCAR;
  double *z, level = fmin(3 * needle->shoulder, needle->bare[0][1]);
  Ring next;
  int count;
  IRZ_TRY(spread(field, needle, from, to, &count, &z, error));
  IrzCode code = IRZ_OK;
  for (int i = 1; i <= count && code == IRZ_OK; i++) {
    int around = irz_size_around(field, needle, z[i]);
    double lean = trocar && i < count ? (level - z[i]) / (level - needle->shoulder) : 0;
    if (lean > 0) {
      kinked_angles(&next, around, *parity);
    } else {
      even_angles(&next, around, turn + *parity * M_PI / around);
    }
    *parity ^= 1;
    int32_t first = boundary->n_points;
    code = add_ring(field, p, needle->radius, z[i], IRZ_POINT_WALL, boundary, &next, error);
    for (int k = 0; k < next.count && lean > 0 && code == IRZ_OK; k++) {
      IrzBoundaryPoint *point = &boundary->point[first + k];
      point->z += lean * (irz_needle_height(needle, point->angle, needle->radius) - needle->shoulder);
      irz_needle_point(needle, point->angle, needle->radius, point->z, point->x);
    }
    if (code == IRZ_OK) code = zip(ring, &next, surface, boundary, error);
    *ring = next;
  }
  free(z);
  return code;
}

/// All of one needle.
static IrzCode add_needle(const IrzSizeField *field, int p, double turn, IrzBoundary *boundary, IrzError *error) {
  const IrzNeedle *needle = &field->box->needle[p];
  Ring ring;
  int parity = 1;
  IRZ_TRY(add_end(field, p, turn, &ring, boundary, error));
  for (int k = 0; k < needle->n_bare; k++) {
    const double *bare = needle->bare[k];
    int32_t surface = 2 * (needle->first + k);
    double start = k == 0 ? needle->shoulder : bare[0];
    IRZ_TRY(add_wall(field, p, start, bare[1], turn, surface, &parity, &ring, boundary, error));
    if (k + 1 == needle->n_bare) break;
    IRZ_TRY(add_wall(field, p, bare[1], needle->bare[k + 1][0], turn, surface + 1, &parity, &ring, boundary, error));
  }
  return add_shaft(field, p, turn, parity, &ring, boundary, error);
}

IrzCode irz_boundary_needles(const IrzSizeField *field, double turn, IrzBoundary *boundary, IrzError *error) {
  bool trocar = irz_box_has_trocar(field->box);
  for (int p = 0; p < field->box->n_needles; p++) {
    int32_t from = boundary->n_triangles;
    IRZ_TRY(add_needle(field, p, turn, boundary, error));
    if (trocar) IRZ_TRY(irz_boundary_flip(field->box, boundary, from, error));
  }
  return IRZ_OK;
}
