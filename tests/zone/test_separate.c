/* Surfaces of blocks of voxels, which touch at edges and points in every way there is, become manifolds of the same
 * volume. */
#include "testing.h"
#include "zone/separate.h"
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { N = 6, POINTS = (N + 1) * (N + 1) * (N + 1), MOST = 12 * N * N * N };

typedef struct {
  bool full[N][N][N];
} Blocks;

static bool is_full(const Blocks *b, const int at[3]) {
  for (int d = 0; d < 3; d++) {
    if (at[d] < 0 || at[d] >= N) return false;
  }
  return b->full[at[0]][at[1]][at[2]];
}

/// The faces between what is full and what is not, two triangles each, with one point at each corner of voxels.
static void make_surface(const Blocks *b, IrzSurface *surface, uint8_t **kind) {
  *surface = (IrzSurface){.n_points = POINTS};
  surface->points = calloc(POINTS, sizeof *surface->points);
  surface->triangles = calloc(MOST, sizeof *surface->triangles);
  *kind = calloc(MOST, 1);
  for (int p = 0; p < POINTS; p++) {
    const int at[3] = {p / ((N + 1) * (N + 1)), p / (N + 1) % (N + 1), p % (N + 1)};
    for (int d = 0; d < 3; d++) surface->points[p][d] = 1e-3 * at[d];
  }
  for (int v = 0; v < N * N * N * 6; v++) {
    const int at[3] = {v / 6 / (N * N), v / 6 / N % N, v / 6 % N}, axis = v % 6 / 2, up = v % 2;
    int beyond[3] = {at[0], at[1], at[2]};
    beyond[axis] += up ? 1 : -1;
    if (!is_full(b, at) || is_full(b, beyond)) continue;
    int32_t corner[4];
    for (int k = 0; k < 4; k++) {
      int x[3] = {at[0], at[1], at[2]};
      x[axis] += up;
      x[(axis + 1) % 3] += k == 1 || k == 2;
      x[(axis + 2) % 3] += k >= 2;
      corner[k] = (x[0] * (N + 1) + x[1]) * (N + 1) + x[2];
    }
    const int32_t two[2][3] = {{corner[0], corner[up ? 1 : 2], corner[up ? 2 : 1]},
                               {corner[0], corner[up ? 2 : 3], corner[up ? 3 : 2]}};
    for (int k = 0; k < 2; k++) {
      (*kind)[surface->n_triangles] = (uint8_t)axis;
      memcpy(surface->triangles[surface->n_triangles++], two[k], sizeof two[k]);
    }
  }
}

static double volume(const IrzSurface *s) {
  double sum = 0;
  for (int32_t t = 0; t < s->n_triangles; t++) {
    const double *a = s->points[s->triangles[t][0]], *b = s->points[s->triangles[t][1]];
    const double *c = s->points[s->triangles[t][2]];
    for (int d = 0; d < 3; d++) {
      sum += a[d] * (b[(d + 1) % 3] * c[(d + 2) % 3] - b[(d + 2) % 3] * c[(d + 1) % 3]) / 6;
    }
  }
  return sum;
}

static int by_number(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/// Every edge is followed once in each direction.
static void check_edges(const IrzSurface *s) {
  int n = 3 * s->n_triangles;
  int64_t *there = calloc((size_t)n, sizeof *there), *back = calloc((size_t)n, sizeof *back);
  for (int i = 0; i < n; i++) {
    int64_t a = s->triangles[i / 3][i % 3], b = s->triangles[i / 3][(i + 1) % 3];
    there[i] = a * s->n_points + b;
    back[i] = b * s->n_points + a;
  }
  qsort(there, (size_t)n, sizeof *there, by_number);
  qsort(back, (size_t)n, sizeof *back, by_number);
  for (int i = 0; i < n; i++) {
    assert_true(there[i] == back[i]);
    assert_true(i == 0 || there[i] != there[i - 1]);
  }
  free(there);
  free(back);
}

/// The triangles at every point are one fan: going from each to the next around the point comes to all of them.
static void check_points(const IrzSurface *s) {
  int *at = calloc((size_t)s->n_points, sizeof *at), *seen = calloc((size_t)s->n_points, sizeof *seen);
  int n = 3 * s->n_triangles;
  for (int i = 0; i < n; i++) at[s->triangles[i / 3][i % 3]]++;
  for (int i = 0; i < n; i++) {
    int32_t p = s->triangles[i / 3][i % 3];
    if (seen[p] > 0) continue;
    int here = i;
    do {
      int32_t last = s->triangles[here / 3][(here % 3 + 2) % 3];
      int next = 0;
      while (s->triangles[next / 3][next % 3] != p || s->triangles[next / 3][(next % 3 + 1) % 3] != last) next++;
      here = next;
      seen[p]++;
    } while (here != i);
    assert_int_equal(seen[p], at[p]);
  }
  free(at);
  free(seen);
}

static void check(const Blocks *blocks) {
  IrzSurface surface;
  uint8_t *kind;
  IrzError error = {.code = IRZ_OK};
  int voxels = 0;
  make_surface(blocks, &surface, &kind);
  for (int v = 0; v < N * N * N; v++) voxels += (&blocks->full[0][0][0])[v];
  assert_near(volume(&surface), 1e-9 * voxels, 1e-15);
  assert_int_equal(irz_surface_separate(&surface, &kind, &error), IRZ_OK);
  assert_near(volume(&surface), 1e-9 * voxels, 1e-15);
  check_edges(&surface);
  check_points(&surface);
  for (int32_t t = 0; t < surface.n_triangles; t++) { /* a triangle's plane is that of its kind */
    int axis = kind[t];
    double x = surface.points[surface.triangles[t][0]][axis];
    for (int k = 1; k < 3; k++) assert_near(surface.points[surface.triangles[t][k]][axis], x, 0);
  }
  irz_surface_clear(&surface);
  free(kind);
}

/// Two blocks that share an edge, or a point; a hole that ends in edges whose ends are one; blocks by chance.
static void blocks(void **state) {
  (void)state;
  check(&(Blocks){.full[1][1][1] = true, .full[2][2][1] = true});
  check(&(Blocks){.full[1][1][1] = true, .full[2][2][2] = true});
  Blocks held = {0};
  for (int v = 0; v < 12; v++) held.full[1 + v / 6][1 + v / 3 % 2][1 + v % 3] = true;
  held.full[1][1][2] = held.full[2][2][2] = false;
  check(&held);
  uint32_t state_of = 20;
  for (int turn = 0; turn < 40; turn++) {
    Blocks chance = {0};
    for (int v = 0; v < N * N * N; v++) {
      state_of = 1664525 * state_of + 1013904223;
      (&chance.full[0][0][0])[v] = (state_of >> 24) % 100 < 20U + 15U * (uint32_t)(turn % 5);
    }
    check(&chance);
  }
}

/// What is open, or nothing, stays.
static void open(void **state) {
  (void)state;
  IrzError error = {.code = IRZ_OK};
  IrzSurface none = {0};
  uint8_t *kind = NULL;
  assert_int_equal(irz_surface_separate(&none, &kind, &error), IRZ_OK);
  IrzSurface one = {.n_points = 3, .n_triangles = 1};
  one.points = calloc(3, sizeof *one.points);
  one.triangles = calloc(1, sizeof *one.triangles);
  kind = calloc(1, 1);
  for (int k = 0; k < 3; k++) one.triangles[0][k] = k, one.points[k][k] = 1;
  assert_int_equal(irz_surface_separate(&one, &kind, &error), IRZ_OK);
  assert_int_equal(one.n_points, 3);
  assert_int_equal(one.n_triangles, 1);
  irz_surface_clear(&one);
  free(kind);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(blocks), cmocka_unit_test(open)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
