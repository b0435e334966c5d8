/* Targets against exact shapes: spheres in shifted spheres, an ellipsoid, a box near its organ's wall, a Cassini oval
   as the zone; on label maps of 0.5 to 2 mm, oblique and left-handed ones too. */
#include "patient/around.h"
#include "patient/margins.h"
#include "patient/outline.h"
#include "patient/weld.h"
#include "testing.h"
#include <stdlib.h>
#include <string.h>

#define MM 1e-3

/// A shape: the function is positive inside, and grows by about 1 a mm.
typedef double (*Shape)(const double x[3]);

/* ---- Zones as exact surfaces ---- */

static const double centre[3] = {0.4 * MM, -0.3 * MM, 0.7 * MM}; ///< of targets

/// Where a shape ends in a direction from a place in it, which sees all of its surface.
static void end_of(Shape shape, const double middle[3], const double direction[3], double x[3]) {
  double low = 0, high = 40 * MM;
  for (int k = 0; k < 40; k++) {
    double at = 0.5 * (low + high);
    for (int d = 0; d < 3; d++) x[d] = middle[d] + at * direction[d];
    *(shape(x) > 0 ? &low : &high) = at;
  }
}

/// Add the triangles of a part of the sphere of directions, cut in four again and again.
static void add_part(Shape shape, const double middle[3], double corner[3][3], int depth, IrzSoup *soup) {
  double half[3][3], part[3][3];
  IrzError error = {0};
  if (depth == 0) {
    for (int k = 0; k < 3; k++) end_of(shape, middle, corner[k], part[k]);
    assert_int_equal(irz_soup_add(soup, part, &error), IRZ_OK);
    return;
  }
  for (int k = 0; k < 3; k++) {
    double length = 0;
    for (int d = 0; d < 3; d++) {
      half[k][d] = corner[(k + 1) % 3][d] + corner[(k + 2) % 3][d];
      length += half[k][d] * half[k][d];
    }
    for (int d = 0; d < 3; d++) half[k][d] /= sqrt(length);
  }
  for (int k = 0; k < 3; k++) {
    memcpy(part[0], corner[k], sizeof part[0]);
    memcpy(part[1], half[(k + 2) % 3], sizeof part[1]);
    memcpy(part[2], half[(k + 1) % 3], sizeof part[2]);
    add_part(shape, middle, part, depth - 1, soup);
  }
  add_part(shape, middle, half, depth - 1, soup);
}

/// The tree of a zone whose surface can be seen from its middle.
static IrzTree zone_of(Shape shape, const double middle[3]) {
  IrzSoup soup = {0};
  IrzSurface surface;
  IrzTree tree;
  IrzError error = {0};
  for (int octant = 0; octant < 8; octant++) {
    double corner[3][3] = {{octant & 1 ? -1 : 1, 0, 0}, {0, octant & 2 ? -1 : 1, 0}, {0, 0, octant & 4 ? -1 : 1}};
    if (((octant ^ octant >> 1 ^ octant >> 2) & 1) != 0) { /* seen from outside */
      double swap[3];
      memcpy(swap, corner[1], sizeof swap);
      memcpy(corner[1], corner[2], sizeof swap);
      memcpy(corner[2], swap, sizeof swap);
    }
    add_part(shape, middle, corner, 5, &soup);
  }
  assert_int_equal(irz_soup_weld(&soup, &surface, &error), IRZ_OK);
  assert_int_equal(irz_tree_create(&surface, NULL, &tree, &error), IRZ_OK);
  irz_surface_clear(&surface);
  irz_soup_clear(&soup);
  return tree;
}

/* ---- Label maps ---- */

/// How a label map lies.
typedef struct {
  const char *name;
  double spacing[3]; ///< mm
  double off;        ///< voxels, of its middle from the origin
  bool oblique, left_handed;
} Lie;

static const Lie lies[] = {
    {"0.5 mm", {0.5, 0.5, 0.5}, 0.33, false, false},
    {"1 mm, oblique", {1, 1, 1}, 0.33, true, false},
    {"0.8 x 0.8 x 2 mm, oblique and left-handed", {0.8, 0.8, 2}, 0.33, true, true},
    {"2 mm, left-handed", {2, 2, 2}, 0.33, false, true},
};
enum { N_LIES = sizeof lies / sizeof lies[0], REGIONS = 3 };

/// Turn by 0.5 rad about (1, 2, 3) (Rodrigues).
static void turn(const double x[3], double turned[3]) {
  const double axis[3] = {1 / sqrt(14), 2 / sqrt(14), 3 / sqrt(14)}, c = cos(0.5), s = sin(0.5);
  double along = axis[0] * x[0] + axis[1] * x[1] + axis[2] * x[2];
  for (int d = 0; d < 3; d++) {
    int e = (d + 1) % 3, f = (d + 2) % 3;
    turned[d] = c * x[d] + s * (axis[e] * x[f] - axis[f] * x[e]) + (1 - c) * along * axis[d];
  }
}

/// Invert the part of an affine map that is a matrix, and its shift.
static void invert(IrzLabelMap *map) {
  double(*a)[4] = map->to_world, (*b)[4] = map->to_voxel;
  double det = 0;
  for (int d = 0; d < 3; d++) {
    int e = (d + 1) % 3, f = (d + 2) % 3;
    det += a[0][d] * (a[1][e] * a[2][f] - a[1][f] * a[2][e]);
    for (int k = 0; k < 3; k++) {
      int l = (k + 1) % 3, m = (k + 2) % 3;
      b[d][k] = a[l][e] * a[m][f] - a[l][f] * a[m][e];
    }
  }
  for (int d = 0; d < 3; d++) {
    for (int k = 0; k < 3; k++) b[d][k] /= det;
  }
  for (int d = 0; d < 3; d++) b[d][3] = -(b[d][0] * a[0][3] + b[d][1] * a[1][3] + b[d][2] * a[2][3]);
}

/// A label map of 44 mm around the origin.
/// @param[in] target, organ  region 2 and 1; the organ may be NULL
static IrzLabelMap *label_map(const Lie *lie, Shape target, Shape organ) {
  IrzLabelMap *map = calloc(1, sizeof *map);
  size_t n = 1;
  for (int d = 0; d < 3; d++) {
    double edge[3] = {0}, turned[3];
    map->spacing[d] = lie->spacing[d] * MM;
    map->size[d] = (int)(44 / lie->spacing[d]) + 1;
    n *= (size_t)map->size[d];
    edge[d] = map->spacing[d] * (lie->left_handed && d == 0 ? -1 : 1);
    memcpy(turned, edge, sizeof edge);
    if (lie->oblique) turn(edge, turned);
    for (int e = 0; e < 3; e++) {
      map->to_world[e][d] = turned[e];
      map->to_world[e][3] -= turned[e] * (0.5 * map->size[d] - 0.5 + lie->off);
    }
  }
  invert(map);
  map->n_regions = REGIONS;
  map->regions = calloc(REGIONS, sizeof *map->regions);
  map->voxels = calloc(REGIONS, sizeof *map->voxels);
  map->region = calloc(n, 1);
  size_t at = 0;
  for (int k = 0; k < map->size[2]; k++) {
    for (int j = 0; j < map->size[1]; j++) {
      for (int i = 0; i < map->size[0]; i++, at++) {
        double x[3];
        for (int d = 0; d < 3; d++) {
          const double *row = map->to_world[d];
          x[d] = row[0] * i + row[1] * j + row[2] * k + row[3];
        }
        map->region[at] = target(x) > 0 ? 2 : organ != NULL && organ(x) > 0 ? 1 : 0;
        map->voxels[map->region[at]]++;
      }
    }
  }
  return map;
}

/// The surface of a target on a label map.
static IrzSurface outline_of(const IrzLabelMap *map, double step, IrzOutlineKind kind) {
  const uint8_t member[REGIONS] = {0, 0, 1};
  double window[2][3] = {{-18 * MM, -18 * MM, -18 * MM}, {18 * MM, 18 * MM, 18 * MM}};
  IrzSurface surface;
  IrzOutlineKind found;
  IrzError error = {0};
  assert_int_equal(irz_outline_labels(map, member, window, step, 1, &surface, &found, &error), IRZ_OK);
  assert_int_equal(found, kind);
  return surface;
}

/// Margins of a target in a zone, and what is around.
/// @param[out] around  may be NULL
static IrzMargins judge(const IrzLabelMap *map, const IrzTree *zone, double volume, IrzOutlineKind kind,
                        IrzAround *around) {
  IrzSurface surface = outline_of(map, sqrt(4.84 * pow(volume, 2.0 / 3) / 2500), kind);
  IrzTree tree;
  IrzMargins margins;
  IrzError error = {0};
  double *depth;
  assert_int_equal(irz_margins_depths(&surface, zone, 1, &depth, &error), IRZ_OK);
  assert_int_equal(irz_margins_measure(&surface, depth, NULL, 5 * MM, &margins, &error), IRZ_OK);
  assert_int_equal(irz_tree_create(&surface, NULL, &tree, &error), IRZ_OK);
  IrzAroundTask task = {.target = &tree,
                        .zone = zone,
                        .box = {{-INFINITY, -INFINITY, -INFINITY}, {INFINITY, INFINITY, INFINITY}},
                        .volume = volume,
                        .threads = 1};
  if (around != NULL) assert_int_equal(irz_around_measure(&task, around, &error), IRZ_OK);
  irz_tree_clear(&tree);
  irz_surface_clear(&surface);
  free(depth);
  return margins;
}

/* ---- Spheres ---- */

static double shift, zone_radius; ///< of the zone, along x

static double from(const double x[3], double right) {
  double off = 0;
  for (int d = 0; d < 3; d++) off += pow(x[d] - centre[d] - (d == 0 ? right : 0), 2);
  return sqrt(off);
}

static double ball(const double x[3]) {
  return (8 * MM - from(x, 0)) / MM;
}

static double ball_zone(const double x[3]) {
  return (zone_radius - from(x, shift)) / MM;
}

/// Volume that two balls have in common (E. W. Weisstein, Sphere-sphere intersection).
static double common(double a, double b, double d) {
  if (d + fmin(a, b) <= fmax(a, b)) return 4 * M_PI / 3 * pow(fmin(a, b), 3);
  if (d >= a + b) return 0;
  return M_PI * pow(a + b - d, 2) * (d * d + 2 * d * (a + b) - 3 * (a - b) * (a - b)) / (12 * d);
}

/// Share of a sphere's surface with a margin below a level, in another sphere.
static double share_below(double radius, double level) {
  double outer = zone_radius - level, cosine = (radius * radius + shift * shift - outer * outer) / (2 * radius * shift);
  return fmin(fmax(0.5 * (1 + cosine), 0), 1);
}

/// The margin of a share.
static double margin_of(double radius, double share) {
  return zone_radius - sqrt(radius * radius + shift * shift - 2 * radius * shift * (2 * share - 1));
}

static void check_spheres(const Lie *lie, double offset) {
  const double radius = 8 * MM, volume = 4 * M_PI / 3 * pow(radius, 3);
  shift = offset;
  zone_radius = 12 * MM;
  const double middle_of_zone[3] = {centre[0] + shift, centre[1], centre[2]};
  IrzTree zone = zone_of(ball_zone, middle_of_zone);
  IrzLabelMap *map = label_map(lie, ball, NULL);
  IrzAround around;
  IrzMargins margins = judge(map, &zone, volume, IRZ_OUTLINE_SMOOTH, &around);
  print_message(
      "%s, shifted by %g mm: smallest %.3f (exact %.3f), p5 %.3f (%.3f), p50 %.3f (%.3f) mm, missed %.4f (%.4f)"
      ", shell of 3 mm %.4f (%.4f), of 10 mm %.4f (%.4f)\n",
      lie->name, offset / MM, margins.least / MM, (zone_radius - radius - shift) / MM, margins.p5 / MM,
      margin_of(radius, 0.05) / MM, margins.p50 / MM, margin_of(radius, 0.5) / MM, around.missed / volume,
      1 - common(radius, zone_radius, shift) / volume, around.ablated[2] / around.shell[2],
      (common(11 * MM, zone_radius, shift) - common(radius, zone_radius, shift)) /
          (4 * M_PI / 3 * pow(11 * MM, 3) - volume),
      around.ablated[9] / around.shell[9],
      (common(18 * MM, zone_radius, shift) - common(radius, zone_radius, shift)) /
          (4 * M_PI / 3 * pow(18 * MM, 3) - volume));
  assert_near(margins.least, zone_radius - radius - shift, 0.1 * MM);
  assert_near(margins.at[0], centre[0] - radius, 0.3 * MM);
  assert_near(margins.p5, margin_of(radius, 0.05), 0.1 * MM);
  assert_near(margins.p50, margin_of(radius, 0.5), 0.1 * MM);
  assert_near(margins.below_0, share_below(radius, 0), 0.01);
  assert_near(margins.from_0_to_5, share_below(radius, 5 * MM) - share_below(radius, 0), 0.02);
  double all = 0;
  for (int k = 0; k < margins.n_bins; k++) {
    const IrzMarginBin *bin = &margins.bin[k];
    assert_near(bin->area, share_below(radius, bin->to) - share_below(radius, bin->from), 0.03);
    all += bin->area;
  }
  assert_near(all, 1, 1e-9);
  /* Volumes: the target itself to 1 % on coarse voxels, and shares, where much of that drops out. */
  assert_close(around.target, volume, 0.01);
  double missed = 1 - common(radius, zone_radius, shift) / volume;
  assert_near(around.missed / around.target, missed, 0.004);
  assert_near(around.largest, around.missed, 1e-4 * volume);
  if (missed > 0) {
    assert_near(zone_radius - from(around.missed_at, shift), zone_radius - radius - shift, 0.6 * MM);
    assert_true(ball(around.missed_at) > -0.5);
  }
  for (int s = 0; s < IRZ_SHELLS; s++) {
    double outer = radius + (s + 1) * MM,
           exact = common(outer, zone_radius, shift) - common(radius, zone_radius, shift);
    double shell = 4 * M_PI / 3 * pow(outer, 3) - volume;
    assert_close(around.shell[s], shell, 0.015);
    assert_near(around.ablated[s] / around.shell[s], exact / shell, lie->spacing[2] > 1 ? 0.01 : 0.005);
  }
  double middle[3], largest;
  IrzError error = {0};
  assert_int_equal(irz_largest_sphere(&zone, middle, &largest, &error), IRZ_OK);
  assert_near(largest, zone_radius, 0.1 * MM);
  assert_near(middle[0], centre[0] + shift, 0.2 * MM);
  irz_label_map_free(map);
  irz_tree_clear(&zone);
}

/// A sphere inside another one that is shifted, and one that sticks out of it.
static void spheres(void **state) {
  (void)state;
  for (int k = 0; k < N_LIES; k++) check_spheres(&lies[k], 1.5 * MM);
  check_spheres(&lies[1], 7 * MM);
}

/* ---- An ellipsoid ---- */

static const double axes[3] = {12 * MM, 9 * MM, 8 * MM};

static double ellipsoid(const double x[3]) {
  double sum = 0;
  for (int d = 0; d < 3; d++) sum += pow((x[d] - centre[d]) / axes[d], 2);
  return 1 - sqrt(sum);
}

/// Share of its surface with a margin below a level, by a fine net over it.
static double ellipsoid_below(double level) {
  enum { N = 400 };
  double below = 0, all = 0;
  for (int i = 0; i < N; i++) {
    for (int j = 0; j < N; j++) {
      double t = M_PI * (i + 0.5) / N, p = 2 * M_PI * (j + 0.5) / N;
      double x[3] = {axes[0] * cos(t), axes[1] * sin(t) * cos(p), axes[2] * sin(t) * sin(p)};
      double area = sin(t) * sqrt(pow(axes[1] * axes[2] * cos(t), 2) + pow(axes[0] * axes[2] * sin(t) * cos(p), 2) +
                                  pow(axes[0] * axes[1] * sin(t) * sin(p), 2));
      all += area;
      if (zone_radius - sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]) < level) below += area;
    }
  }
  return below / all;
}

static void ellipsoids(void **state) {
  (void)state;
  shift = 0;
  zone_radius = 16 * MM;
  IrzTree zone = zone_of(ball_zone, centre);
  for (int k = 1; k < N_LIES; k++) {
    IrzLabelMap *map = label_map(&lies[k], ellipsoid, NULL);
    IrzMargins margins = judge(map, &zone, 4 * M_PI / 3 * axes[0] * axes[1] * axes[2], IRZ_OUTLINE_SMOOTH, NULL);
    print_message("%s, ellipsoid: smallest %.3f (exact 4), share below p5 %.4f, p50 %.4f\n", lies[k].name,
                  margins.least / MM, ellipsoid_below(margins.p5), ellipsoid_below(margins.p50));
    assert_near(margins.least, 4 * MM, 0.1 * MM);
    assert_near(ellipsoid_below(margins.p50 + 0.1 * MM), 0.5, 0.06);
    assert_near(ellipsoid_below(margins.p50), 0.5, 0.04);
    assert_near(margins.from_5, 1 - ellipsoid_below(5 * MM), 0.02);
    irz_label_map_free(map);
  }
  irz_tree_clear(&zone);
}

/* ---- A Cassini oval as the zone ---- */

/// Points with a product of their distances from two foci, 16 mm apart on x, of less than (11 mm)^2.
static double cassini(const double x[3]) {
  double a = from(x, 8 * MM), b = from(x, -8 * MM);
  return (11 * MM - sqrt(a * b)) / MM;
}

static double small_ball(const double x[3]) {
  return (5 * MM - from(x, 0)) / MM;
}

static void cassini_oval(void **state) {
  (void)state;
  IrzTree zone = zone_of(cassini, centre);
  const double waist = sqrt(11 * 11 - 8 * 8) * MM, volume = 4 * M_PI / 3 * pow(5 * MM, 3);
  for (int k = 1; k < 3; k++) {
    IrzLabelMap *map = label_map(&lies[k], small_ball, NULL);
    IrzMargins margins = judge(map, &zone, volume, IRZ_OUTLINE_SMOOTH, NULL);
    print_message("%s, Cassini oval: smallest %.3f (exact %.3f) mm\n", lies[k].name, margins.least / MM,
                  waist / MM - 5);
    /* The least of a whole ring: what smoothing leaves of the steps, at worst. */
    assert_near(margins.least, waist - 5 * MM, k == 1 ? 0.1 * MM : 0.3 * MM);
    assert_near(margins.at[0], centre[0], 0.8 * MM);
    irz_label_map_free(map);
  }
  irz_tree_clear(&zone);
}

/* ---- A box near a wall ---- */

/// A cube of voxels of 1 mm: their faces are 5.5 mm from the origin.
static double cube(const double x[3]) {
  return 5.4 * MM - fmax(fmax(fabs(x[0]), fabs(x[1])), fabs(x[2]));
}

/// A box that ends 2 mm beyond one face of the cube, and 15 mm or more beyond the others.
static double flat(const double x[3]) {
  return (20.5 * MM - fmax(fmax(fabs(x[0] + 13 * MM), fabs(x[1])), fabs(x[2]))) / MM;
}

static void cube_before_wall(void **state) {
  (void)state;
  static const double origin[3] = {0};
  static const Lie lie = {"cube", {1, 1, 1}, 0, false, false};
  IrzTree zone = zone_of(flat, origin);
  IrzLabelMap *map = label_map(&lie, cube, NULL);
  IrzAround around;
  IrzMargins margins = judge(map, &zone, pow(11 * MM, 3), IRZ_OUTLINE_FLAT, &around);
  print_message("cube before a flat border: smallest %.3f (exact 2), p50 %.3f (7.5) mm, %.4f (%.4f) cm3\n",
                margins.least / MM, margins.p50 / MM, around.target * 1e6, pow(1.1, 3));
  assert_near(margins.least, 2 * MM, 0.1 * MM);
  assert_near(margins.p50, 7.5 * MM, 0.1 * MM);
  assert_close(around.target, pow(11 * MM, 3), 0.01);
  irz_label_map_free(map);
  irz_tree_clear(&zone);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(spheres), cmocka_unit_test(ellipsoids),
                                     cmocka_unit_test(cassini_oval), cmocka_unit_test(cube_before_wall)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
