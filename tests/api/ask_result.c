/* A result can be asked: its numbers by their names, quantities at points against an exact solution, the surface of the
   zone that encloses its volume, and label maps in any direction. Under a locale with a comma, too. */
#define _GNU_SOURCE /* nftw */
#include "api.h"
#include <irezone/session.h>
#include <irezone/start.h>
#include <locale.h>
#include <math.h>
#include <string.h>

static bool first; /* rank 0, which gets the answers */

static IrzResult *solved(const char *text, const char *file) {
  IrzError error = {0};
  IrzPlan *plan;
  IrzSession *session;
  IrzResult *result;
  const IrzSessionOptions options = {.threads = 1};
  IrzCode code =
      text != NULL ? irz_plan_parse(text, "plan", 0, NULL, &plan, &error) : irz_plan_read(file, 0, NULL, &plan, &error);
  PROMISE(code == IRZ_OK, "%s", error.text);
  PROMISE(irz_session_create(MPI_COMM_WORLD, &options, &session, &error) == IRZ_OK, "%s", error.text);
  PROMISE(irz_session_solve(session, plan, &result, &error) == IRZ_OK, "%s", error.text);
  irz_plan_free(plan);
  irz_session_free(session); /* the result lives on */
  return result;
}

static double number(const IrzResult *result, const char *path) {
  IrzError error = {0};
  double value = 0;
  PROMISE(irz_result_number(result, path, &value, &error) == IRZ_OK, "%s", error.text);
  return value;
}

static void near(double found, double wanted, double tolerance, const char *what) {
  PROMISE(fabs(found - wanted) <= tolerance, "%s: %.10g instead of %.10g", what, found, wanted);
}

/* Lowest and highest coordinates of a surface, the volume that it encloses, and whether every edge is shared by two
   triangles that run along it in different directions. */
static double enclosed(const IrzSurface *surface, double low[3], double high[3]) {
  double volume = 0;
  for (int d = 0; d < 3; d++) {
    low[d] = INFINITY;
    high[d] = -INFINITY;
  }
  for (int32_t t = 0; t < surface->n_triangles; t++) {
    const double *a = surface->points[surface->triangles[t][0]], *b = surface->points[surface->triangles[t][1]];
    const double *c = surface->points[surface->triangles[t][2]];
    volume +=
        (a[0] * (b[1] * c[2] - b[2] * c[1]) + a[1] * (b[2] * c[0] - b[0] * c[2]) + a[2] * (b[0] * c[1] - b[1] * c[0])) /
        6;
    for (int d = 0; d < 3; d++) {
      low[d] = fmin(low[d], fmin(a[d], fmin(b[d], c[d])));
      high[d] = fmax(high[d], fmax(a[d], fmax(b[d], c[d])));
    }
  }
  return volume;
}

static int by_ends(const void *a, const void *b) {
  const int32_t *x = a, *y = b;
  if (x[0] != y[0]) return x[0] < y[0] ? -1 : 1;
  return (x[1] > y[1]) - (x[1] < y[1]);
}

/* Half-edges without a partner in the other direction. */
static int open_edges(const IrzSurface *surface) {
  int32_t n = 3 * surface->n_triangles, (*edge)[2] = malloc((size_t)n * sizeof *edge);
  int open = 0;
  for (int32_t i = 0; i < n; i++) {
    edge[i][0] = surface->triangles[i / 3][i % 3];
    edge[i][1] = surface->triangles[i / 3][(i + 1) % 3];
  }
  qsort(edge, (size_t)n, sizeof *edge, by_ends);
  for (int32_t i = 0; i < n; i++) {
    const int32_t turned[2] = {edge[i][1], edge[i][0]};
    open += bsearch(turned, edge, (size_t)n, sizeof *edge, by_ends) == NULL;
  }
  free(edge);
  return open;
}

/* Between two plates the field is the voltage over the distance, everywhere. */
static void between_plates(void) {
  IrzError error = {0};
  IrzResult *result = solved(PLATES, NULL);
  const IrzSummary *summary = irz_result_summary(result);
  PROMISE(number(result, "zone.volume_cm3") == summary->zone.volume * 1e6 ||
              fabs(number(result, "zone.volume_cm3") / (summary->zone.volume * 1e6) - 1) < 1e-12,
          "the volume by its name");
  near(number(result, "pulses[0].current_A"), summary->pulses[0].current, 1e-9, "current");
  double value = 4711;
  PROMISE(irz_result_number(result, "zone.volum_cm3", &value, &error) == IRZ_ERR_PLAN, "a number of that name");
  PROMISE(strstr(error.text, "volume_cm3") != NULL, "%s", error.text);
  /* The mesh is a block; where it is and how wide the surface of the zone tells, as all of it is ablated. */
  IrzSurface surface;
  double low[3] = {0}, high[3] = {0};
  PROMISE(irz_result_surface(result, &surface, &error) == IRZ_OK, "%s", error.text);
  if (first) {
    double volume = enclosed(&surface, low, high);
    PROMISE(open_edges(&surface) == 0, "%d open edges", open_edges(&surface));
    near(volume, summary->zone.volume, 1e-9 * summary->zone.volume, "volume inside the surface");
  }
  int across = 0; /* the axis along which the potential falls */
  double points[4][3], potential[4], field[4], zone[4];
  for (int d = 0; d < 3; d++) {
    for (int i = 0; i < 2; i++) {
      for (int k = 0; k < 3; k++) points[i][k] = 0.5 * (low[k] + high[k]);
      points[i][d] = low[d] + (i == 0 ? 0.01 : 0.99) * (high[d] - low[d]);
    }
    PROMISE(irz_result_sample(result, "potential_V", 2, (const double(*)[3])points, potential, &error) == IRZ_OK, "%s",
            error.text);
    if (first && fabs(potential[0] - potential[1]) > 500) across = d;
  }
  double length = high[across] - low[across];
  for (int i = 0; i < 4; i++) {
    for (int d = 0; d < 3; d++) points[i][d] = low[d] + (0.2 + 0.17 * i) * (high[d] - low[d]);
  }
  points[3][across] = high[across] + 0.5 * length; /* outside */
  PROMISE(irz_result_sample(result, "field_V_per_cm", 4, (const double(*)[3])points, field, &error) == IRZ_OK, "%s",
          error.text);
  PROMISE(irz_result_sample(result, "potential_V", 4, (const double(*)[3])points, potential, &error) == IRZ_OK, "%s",
          error.text);
  PROMISE(irz_result_sample(result, "zone", 4, (const double(*)[3])points, zone, &error) == IRZ_OK, "%s", error.text);
  for (int i = 0; i < 3 && first; i++) {
    double share = (points[i][across] - low[across]) / length, fallen = potential[i] / 1000;
    near(field[i], 10 / length, 1e-6 * 10 / length, "field");
    near(fmin(fabs(fallen - share), fabs(fallen - (1 - share))), 0, 1e-8, "potential");
    near(zone[i], 1, 0, "zone");
  }
  PROMISE(!first || (isnan(field[3]) && isnan(potential[3]) && zone[3] == 0), "outside: %g, %g, %g", field[3],
          potential[3], zone[3]);
  PROMISE(irz_result_sample(result, "survival", 4, (const double(*)[3])points, field, &error) == IRZ_ERR_PLAN &&
              strstr(error.text, "survival") != NULL,
          "%s", error.text);
  PROMISE(irz_result_sample(result, "potential_V_02", 1, (const double(*)[3])points, field, &error) == IRZ_ERR_PLAN,
          "a second pulse");
  PROMISE(irz_result_sample(result, "zone", 0, NULL, NULL, &error) == IRZ_OK, "no points: %s", error.text);
  irz_surface_clear(&surface);
  irz_result_free(result);
}

/* Count the voxels of a grid in the zone, and compare them with `zone` at their centres. */
static double counted(const IrzResult *result, const IrzVoxelGrid *grid) {
  IrzError error = {0};
  int n = grid->size[0] * grid->size[1] * grid->size[2], count = 0, differ = 0;
  uint8_t *label = malloc((size_t)n);
  double(*points)[3] = malloc((size_t)n * sizeof *points), *zone = malloc((size_t)n * sizeof *zone);
  for (int i = 0; i < n; i++) {
    const int at[3] = {i % grid->size[0], i / grid->size[0] % grid->size[1], i / grid->size[0] / grid->size[1]};
    for (int d = 0; d < 3; d++) {
      points[i][d] = grid->origin[d];
      for (int a = 0; a < 3; a++) points[i][d] += at[a] * grid->step[a][d];
    }
  }
  PROMISE(irz_result_label_map(result, grid, label, &error) == IRZ_OK, "%s", error.text);
  PROMISE(irz_result_sample(result, "zone", n, (const double(*)[3])points, zone, &error) == IRZ_OK, "%s", error.text);
  for (int i = 0; i < n && first; i++) {
    count += label[i];
    differ += label[i] != zone[i];
  }
  PROMISE(differ <= 1 + n / 10000, "%d of %d voxels are not what `zone` is there", differ, n); /* in faces of cells */
  free(label);
  free(points);
  free(zone);
  return count;
}

/* Volumes of the zone by surface and by voxels, straight and turned. */
static void around_needles(const char *text, const char *file, double tolerance) {
  IrzError error = {0};
  IrzResult *result = solved(text, file);
  IrzSurface surface;
  double low[3] = {0}, high[3] = {0}, volume = number(result, "zone.volume_cm3") * 1e-6;
  PROMISE(irz_result_surface(result, &surface, &error) == IRZ_OK, "%s", error.text);
  if (first) {
    PROMISE(open_edges(&surface) == 0, "%d open edges", open_edges(&surface));
    near(enclosed(&surface, low, high), volume, tolerance * volume, "volume inside the surface");
  }
  MPI_Bcast(low, 3, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  MPI_Bcast(high, 3, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  for (int d = 0; d < 3; d++) {
    char path[64];
    snprintf(path, sizeof path, "zone.extent_mm[%d]", d);
    near(high[d] - low[d], 1e-3 * number(result, path), 1e-6, "extent");
  }
  const double edge = 1e-3, c = cos(0.5), s = sin(0.5);
  IrzVoxelGrid grid = {{0}, {0}, {{edge, 0, 0}, {0, edge, 0}, {0, 0, edge}}};
  for (int d = 0; d < 3; d++) {
    grid.size[d] = 3 + (int)((high[d] - low[d]) / edge);
    grid.origin[d] = low[d] - edge;
  }
  double count = counted(result, &grid);
  if (first) near(count * 1e-9, volume, 0.05 * volume, "voxels");
  IrzVoxelGrid turned = {{70, 70, 50}, {0}, {{edge * c, edge * s, 0}, {-edge * s, edge * c, 0}, {0, 0, -edge}}};
  for (int d = 0; d < 3; d++) {
    turned.origin[d] = 0.5 * (low[d] + high[d]);
    for (int a = 0; a < 3; a++) turned.origin[d] -= 0.5 * (turned.size[a] - 1) * turned.step[a][d];
  }
  count = counted(result, &turned);
  if (first) near(count * 1e-9, volume, 0.05 * volume, "turned voxels");
  memcpy(turned.step[2], turned.step[1], sizeof turned.step[2]);
  uint8_t none;
  PROMISE(irz_result_label_map(result, &turned, &none, &error) == IRZ_ERR_PLAN, "a flat grid");
  irz_surface_clear(&surface);
  irz_result_free(result);
}

#define FINER                                                                                                          \
  "name: finer\n"                                                                                                      \
  "mesh: {size: 80, accuracy: 10}\n"                                                                                   \
  "tissues: {default: {preset: liver}}\n"                                                                              \
  "array: {count: 2, spacing: 15, exposure: 15}\n"                                                                     \
  "pulses: [{from: A, to: B, voltage: 2000, count: 90, width: 100, rate: 1.5}]\n"

int main(int argc, char **argv) {
  IrzError error = {0};
  (void)argc;
  (void)argv;
  setlocale(LC_ALL, "de_DE.UTF-8"); /* where there is one */
  PROMISE(irz_start(&error) == IRZ_OK, "%s", error.text);
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  first = rank == 0;
  between_plates();
  around_needles(NEEDLES, NULL, 0.03); /* order 1 on a coarse mesh: the drawn field is not that near the measured one */
  around_needles(FINER, NULL, 0.01);
  around_needles(NULL, IRZ_SOURCE_DIR "/examples/tumour_in_liver.yaml", 0.01); /* two tissues, two thresholds */
  irz_stop();
  return 0;
}
