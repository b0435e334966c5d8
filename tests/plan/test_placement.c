/* The rules on where needles and plates may be say what the generator can do: random plans close to the rules' edges,
   always the same ones; each that is allowed is meshed, at all positions of its pull-back.
     test_placement [COUNT [FIRST]]   that many plans, from a number on; 42 if nothing is said
   2000 take about ten minutes of one processor. */
#include "plan/plan.h"
#include "testing.h"
#include <irezone/mesh.h>
#include <irezone/plan.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int n_plans = 42, first_plan = 0;

/* ---- Numbers at random, the same on every machine (splitmix64 of Steele, Lea and Flood 2014) ---- */

static uint64_t state;

static double uniform(double from, double to) {
  state += 0x9e3779b97f4a7c15u;
  uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return from + (to - from) * (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static int below(int n) {
  return (int)uniform(0, n);
}

/// Spread evenly over orders of magnitude.
static double logarithmic(double from, double to) {
  return from * pow(to / from, uniform(0, 1));
}

/* ---- Plans, in mm ---- */

typedef struct {
  char text[4096];
  double size;
} Draft;

static void add(Draft *draft, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(Draft *draft, const char *format, ...) {
  size_t used = strlen(draft->text);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(draft->text + used, sizeof draft->text - used, format, arguments);
  va_end(arguments);
}

static void start(Draft *draft, double size) {
  static const double accuracies[] = {50, 20, 5, 2};
  draft->size = size;
  draft->text[0] = '\0';
  add(draft, "mesh: {size: %.6g, accuracy: %g, order: %d}\ntissues: {default: {preset: liver}}\n", size,
      accuracies[below(4)], 1 + below(2));
}

/// A direction at an angle to z, in degrees.
static void lean(double degrees, double direction[3]) {
  double angle = degrees * acos(-1) / 180, around = below(3) ? uniform(0, 2 * acos(-1)) : below(4) * acos(-1) / 2;
  direction[0] = sin(angle) * cos(around);
  direction[1] = sin(angle) * sin(around);
  direction[2] = cos(angle);
}

static const char *shape(void) {
  static const char *const shapes[] = {"flat", "flat", "rounded", "trocar"};
  return shapes[below(4)];
}

static void needle(Draft *draft, const double tip[3], const double direction[3], double exposure, double diameter) {
  add(draft,
      "  - {tip: [%.7g, %.7g, %.7g], direction: [%.7g, %.7g, %.7g], exposure: %.6g, diameter: %.6g, tip_shape: %s}\n",
      tip[0], tip[1], tip[2], direction[0], direction[1], direction[2], exposure, diameter, shape());
}

/// Two needles that nearly touch: side by side, crossing, or one's tip at the other's shaft.
static void beside(Draft *draft) {
  double d = logarithmic(0.3, 4), e = d * uniform(0.6, 2), exposure = uniform(4, 20) * d, u[3], v[3];
  double gap = (d + e) / 2 + uniform(0.12, 0.5) * fmin(d, e), tip[3] = {0}, other[3] = {gap, 0, 0};
  start(draft, uniform(3, 6) * exposure);
  lean(below(2) ? 0 : uniform(0, 40), u);
  memcpy(v, u, sizeof v);
  int way = below(3);
  if (way > 0) lean(uniform(10, 90), v);
  if (way == 1) { /* apart along the normal of both */
    double normal[3] = {u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]};
    double length = sqrt(normal[0] * normal[0] + normal[1] * normal[1] + normal[2] * normal[2]);
    double up = uniform(0, 2) * exposure, down = uniform(0, 1.2) * exposure;
    for (int k = 0; k < 3; k++) other[k] = up * u[k] + gap * normal[k] / length - down * v[k];
  } else {
    double up = uniform(-1, 1) * exposure;
    for (int k = 0; k < 3; k++) other[k] += way == 2 ? fmax(up, 0) * u[k] : up * u[k];
  }
  add(draft, "probes:\n");
  needle(draft, tip, u, exposure, d);
  needle(draft, other, v, exposure * uniform(0.5, 1.2), e);
}

/// One to six needles whose tips or metal come close to the walls.
static void near_walls(Draft *draft) {
  int count = 2 + below(5);
  double d = logarithmic(0.3, 3), size = logarithmic(18, 70) * d, half = size / 2;
  start(draft, size);
  add(draft, "probes:\n");
  for (int i = 0; i < count; i++) {
    double tip[3], direction[3], exposure = uniform(3, 12) * d;
    lean(below(3) ? uniform(0, 30) : uniform(0, 180), direction);
    for (int k = 0; k < 3; k++) tip[k] = uniform(-0.75, 0.75) * (half - 3 * d);
    int axis = below(3);
    double off = half - uniform(2.3, 4) * d;
    if (below(2)) tip[axis] = below(2) ? off : -off;
    needle(draft, tip, direction, exposure, d * (below(3) ? 1 : uniform(0.5, 1.5)));
  }
}

/// Pairs whose shafts leave at a small angle, through an edge or a corner of the box.
static void slanting(Draft *draft) {
  double d = logarithmic(0.3, 3), size = logarithmic(25, 80) * d, half = size / 2, exposure = uniform(3, 8) * d;
  double angle = uniform(8, 16) * acos(-1) / 180, tip[3], exit[3];
  start(draft, size);
  add(draft, "probes:\n");
  for (int side = -1; side <= 1; side += 2) { /* mirrored, so that the middle stays where it is in x and y */
    if (side < 0) {
      int way = below(3);
      exit[0] = way == 0 ? half : half + uniform(-3, 3) * d;
      exit[1] = way == 2 ? half + uniform(-3, 3) * d : uniform(-0.2, 0.2) * size;
      exit[2] = uniform(-0.1, 0.45) * size;
      double length = uniform(0.5, 1) * size;
      tip[0] = exit[0] - length * sin(angle);
      tip[1] = exit[1] - (way == 2 ? length * sin(angle) : 0);
      tip[2] = exit[2] - length * cos(angle);
    }
    double at[3] = {-side * tip[0], -side * tip[1], tip[2]};
    double direction[3] = {-side * (exit[0] - tip[0]), -side * (exit[1] - tip[1]), exit[2] - tip[2]};
    needle(draft, at, direction, exposure, d);
  }
}

/// Several short electrodes on needles of any end.
static void electrodes(Draft *draft) {
  double d = logarithmic(0.3, 3), size = logarithmic(30, 80) * d;
  int count = 2 + below(4);
  start(draft, size);
  add(draft, "probes:\n");
  for (int i = 0; i < 1 + (count < 4 && below(2)); i++) {
    double direction[3];
    lean(uniform(0, 25), direction);
    add(draft,
        "  - {tip: [%.6g, 0, %.6g], direction: [%.6g, %.6g, %.6g], diameter: %.6g, tip_shape: %s, gap: %.6g, "
        "electrodes: [",
        (i * 12 - 3) * d, -uniform(2, 6) * d, direction[0], direction[1], direction[2], d, shape(),
        fmax(0.1, logarithmic(0.1, 4) * d));
    for (int k = 0; k < count; k++)
      add(draft, "%s%.6g", k > 0 ? ", " : "", fmax(0.1, (k == 0 ? uniform(1.8, 4) : logarithmic(0.1, 4)) * d));
    add(draft, "]}\n");
  }
}

/// Arrays, also with a pull-back of large and of tiny steps.
static void array(Draft *draft) {
  double d = logarithmic(0.3, 3), spacing = logarithmic(1.15, 15) * d, exposure = logarithmic(1.8, 20) * d;
  start(draft, fmax(5, fmax(1.3 * exposure, 2.5 * spacing) + uniform(4.2, 12) * d));
  add(draft,
      "array: {count: %d, spacing: %.6g, exposure: %.6g, diameter: %.6g, tip_shape: %s, center: [%.6g, 0, %.6g]}\n",
      2 + below(5), spacing, exposure, d, shape(), uniform(-100, 100), uniform(-100, 100));
  if (below(2))
    add(draft, "pullback: {step: %.6g, count: %d}\n",
        below(4) ? uniform(0.2, 1.5) * exposure : logarithmic(0.001, 0.5) * d, 1 + below(3));
}

/// Plates: tilted, thin, close, near the walls, or clamping all of the box.
static void plates(Draft *draft) {
  double gap = logarithmic(2, 40), width = gap * logarithmic(0.3, 6), height = gap * logarithmic(0.3, 6), direction[3];
  double size = fmax(5, fmax(fmax(width, height), gap) * uniform(1.05, 3) + gap / 4);
  if (below(4) == 0) width = fmax(width, size), height = fmax(height, size);
  start(draft, size);
  lean(below(2) ? uniform(0, 90) : 90 * below(2), direction);
  add(draft,
      "plates: {width: %.6g, height: %.6g, gap: %.6g, thickness: %.6g, direction: [%.6g, %.6g, %.6g], up: [%.6g, 0.3, "
      "%.6g]}\n",
      fmax(1, width), fmax(1, height), gap, fmax(0.1, gap * logarithmic(0.01, 0.5)), direction[0], direction[1],
      direction[2], below(2) ? 1.0 : 0.0, below(2) ? 1.0 : 0.1);
}

/// Lengths of very different orders.
static void extremes(Draft *draft) {
  double d = logarithmic(0.05, 30), exposure = fmin(d * logarithmic(2, 100), 450),
         size = fmin(2000, exposure * logarithmic(1.3, 40) + 5 * d);
  start(draft, fmax(5, size));
  double direction[3], tip[3] = {0, 0, 0}, other[3] = {d * logarithmic(1.2, 10), 0, 0};
  lean(below(2) ? 0 : uniform(0, 20), direction);
  add(draft, "probes:\n");
  needle(draft, tip, direction, fmax(0.1, exposure), d);
  needle(draft, other, direction, fmax(0.1, exposure * uniform(0.3, 1)), fmax(0.05, d * logarithmic(0.25, 1)));
}

static void draw(int number, Draft *draft) {
  static void (*const kinds[])(Draft *) = {beside, near_walls, slanting, electrodes, array, plates, extremes};
  state = 1000003u * (uint64_t)number + 17;
  kinds[number % 7](draft);
  add(draft, "pulses: {pairs: all, voltage: 1000}\n");
}

/* ---- The test ---- */

static IrzCode mesh_plan(IrzPlan *plan, IrzError *error) {
  IrzMesh *mesh = NULL;
  IRZ_TRY(irz_mesh_generate(plan, NULL, NULL, &mesh, error));
  IrzCode code = irz_mesh_check(mesh, plan, "the mesh", error);
  irz_mesh_free(mesh);
  return code;
}

/// Mesh all positions of a plan.
static IrzCode mesh_positions(IrzPlan *plan, IrzError *error) {
  IRZ_TRY(mesh_plan(plan, error));
  for (int k = 1; k <= plan->pullback.count; k++) {
    IrzPlan *moved;
    IRZ_TRY(irz_plan_withdraw(plan, k, &moved, error));
    IrzCode code = mesh_plan(moved, error);
    irz_plan_free(moved);
    IRZ_TRY(code);
  }
  return IRZ_OK;
}

static void what_is_allowed_is_meshed(void **unused) {
  (void)unused;
  int allowed = 0, wrong = 0;
  for (int i = first_plan; i < first_plan + n_plans; i++) {
    Draft draft;
    IrzPlan *plan;
    IrzError error = {0};
    draw(i, &draft);
    if (irz_plan_parse(draft.text, "random.yaml", 0, NULL, &plan, &error) != IRZ_OK) continue;
    allowed++;
    if (mesh_positions(plan, &error) != IRZ_OK) {
      wrong++;
      printf("plan %d is allowed, but: %s\n%s", i, error.text, draft.text);
    }
    irz_plan_free(plan);
  }
  printf("%d of %d random plans are allowed, %d of them cannot be meshed\n", allowed, n_plans, wrong);
  assert_int_equal(wrong, 0);
  assert_true(allowed > n_plans / 3 && allowed < n_plans);
}

int main(int count, char **arguments) {
  if (count > 1) n_plans = atoi(arguments[1]);
  if (count > 2) first_plan = atoi(arguments[2]);
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_allowed_is_meshed)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
