#include "io/stl.h"
#include "base/replace.h"
#include "base/vector.h"
#include <math.h>
#include <string.h>

/// A triangle in the file, little-endian as this machine.
typedef struct __attribute__((packed)) {
  float normal[3], corner[3][3];
  uint16_t attribute;
} Facet;

static void put_facet(FILE *out, const IrzSurface *surface, const int32_t triangle[3]) {
  Facet facet = {.attribute = 0};
  double side[2][3], normal[3];
  for (int d = 0; d < 3; d++) {
    for (int k = 0; k < 3; k++) facet.corner[k][d] = (float)(1e3 * surface->points[triangle[k]][d]);
    for (int k = 0; k < 2; k++) side[k][d] = surface->points[triangle[k + 1]][d] - surface->points[triangle[0]][d];
  }
  irz_cross(side[0], side[1], normal);
  double length = sqrt(irz_dot(normal, normal));
  for (int d = 0; d < 3 && length > 0; d++) facet.normal[d] = (float)(normal[d] / length);
  fwrite(&facet, sizeof facet, 1, out);
}

IrzCode irz_stl_write(const char *path, const IrzSurface *surface, const char *header, IrzError *error) {
  char text[80] = {0};
  uint32_t n = (uint32_t)surface->n_triangles;
  IrzReplace file;
  FILE *out;
  IRZ_TRY(irz_replace_begin(&file, path, error));
  IRZ_TRY(irz_replace_stream(&file, &out, error));
  snprintf(text, sizeof text, "%s", header);
  fwrite(text, sizeof text, 1, out);
  fwrite(&n, sizeof n, 1, out);
  for (int32_t t = 0; t < surface->n_triangles; t++) put_facet(out, surface, surface->triangles[t]);
  return irz_replace_commit(&file, error);
}
