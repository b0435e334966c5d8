/* Surfaces of triangles; see weld.h. */
#include "patient/weld.h"
#include "base/memory.h"
#include "base/vector.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

IrzCode irz_soup_add(IrzSoup *soup, double corner[3][3], IrzError *error) {
  if (soup->n == soup->room) {
    size_t room = 2 * soup->room + 1024;
    IRZ_TRY(irz_resize(&soup->corner, room, sizeof *soup->corner, error));
    soup->room = room;
  }
  memcpy(soup->corner[soup->n++], corner, sizeof soup->corner[0]);
  return IRZ_OK;
}

static bool is_long(double corner[3][3], double step) {
  for (int k = 0; k < 3; k++) {
    double edge[3];
    irz_subtract(corner[(k + 1) % 3], corner[k], edge);
    if (irz_dot(edge, edge) > step * step) return true;
  }
  return false;
}

IrzCode irz_soup_refine(IrzSoup *soup, double step, IrzError *error) {
  for (size_t i = 0; i < soup->n;) {
    double corner[3][3], middle[3][3], part[3][3];
    if (!is_long(soup->corner[i], step)) {
      i++;
      continue;
    }
    memcpy(corner, soup->corner[i], sizeof corner);
    for (int k = 0; k < 3; k++) { /* opposite corner k; the same from both triangles of an edge */
      for (int d = 0; d < 3; d++) middle[k][d] = 0.5 * (corner[(k + 1) % 3][d] + corner[(k + 2) % 3][d]);
    }
    for (int k = 0; k < 3; k++) {
      memcpy(part[0], corner[k], sizeof part[0]);
      memcpy(part[1], middle[(k + 2) % 3], sizeof part[1]);
      memcpy(part[2], middle[(k + 1) % 3], sizeof part[2]);
      if (k == 0)
        memcpy(soup->corner[i], part, sizeof part);
      else
        IRZ_TRY(irz_soup_add(soup, part, error));
    }
    IRZ_TRY(irz_soup_add(soup, middle, error));
  }
  return IRZ_OK;
}

static uint64_t hash_place(const double x[3]) {
  uint64_t bits[3], hash = 0x9e3779b97f4a7c15U;
  memcpy(bits, x, sizeof bits);
  for (int d = 0; d < 3; d++) {
    hash = (hash ^ bits[d]) * 0xff51afd7ed558ccdU;
    hash ^= hash >> 33;
  }
  return hash;
}

/// The number of a point, which becomes one of the surface if it is new.
/// @param[in,out] table  [size] numbers of points, or -1; size is a power of two
static int32_t point_number(const double x[3], IrzSurface *surface, int32_t *table, size_t size) {
  double place[3] = {x[0] + 0.0, x[1] + 0.0, x[2] + 0.0}; /* zero has one sign */
  size_t at = hash_place(place) & (size - 1);
  for (; table[at] >= 0; at = (at + 1) & (size - 1)) {
    const double *there = surface->points[table[at]];
    if (there[0] == place[0] && there[1] == place[1] && there[2] == place[2]) return table[at];
  }
  memcpy(surface->points[surface->n_points], place, sizeof place);
  return table[at] = surface->n_points++;
}

IrzCode irz_soup_weld(const IrzSoup *soup, IrzSurface *surface, IrzError *error) {
  size_t size = 16;
  int32_t *table = NULL;
  *surface = (IrzSurface){0};
  while (size < 6 * soup->n) size *= 2;
  if (soup->n > INT32_MAX / 3) return irz_error_set(error, IRZ_ERR_MEMORY, "a surface has too many triangles");
  IrzCode code = irz_alloc_unset(&table, size, sizeof *table, error);
  if (code == IRZ_OK) code = irz_alloc(&surface->points, 3 * soup->n, sizeof *surface->points, error);
  if (code == IRZ_OK) code = irz_alloc(&surface->triangles, soup->n, sizeof *surface->triangles, error);
  if (code == IRZ_OK) memset(table, 0xff, size * sizeof *table);
  for (size_t i = 0; code == IRZ_OK && i < soup->n; i++) {
    int32_t p[3];
    for (int k = 0; k < 3; k++) p[k] = point_number(soup->corner[i][k], surface, table, size);
    if (p[0] == p[1] || p[1] == p[2] || p[2] == p[0]) continue;
    memcpy(surface->triangles[surface->n_triangles++], p, sizeof p);
  }
  free(table);
  if (code != IRZ_OK) irz_surface_clear(surface);
  return code;
}

void irz_soup_clear(IrzSoup *soup) {
  free(soup->corner);
  *soup = (IrzSoup){0};
}
