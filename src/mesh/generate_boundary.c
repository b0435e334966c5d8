/* The boundary's triangulation as a growing list, and as Gmsh sees it. */
#include "mesh/generate.h"

#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

IrzCode irz_boundary_point(IrzBoundary *boundary, const IrzBoundaryPoint *point, int32_t *index, IrzError *error) {
  if (boundary->n_points == boundary->points_held) {
    int32_t held = 2 * boundary->points_held + 1024;
    IRZ_TRY(irz_resize(&boundary->point, (size_t)held, sizeof *boundary->point, error));
    boundary->points_held = held;
  }
  *index = boundary->n_points++;
  boundary->point[*index] = *point;
  return IRZ_OK;
}

IrzCode irz_boundary_triangle(IrzBoundary *boundary, int32_t a, int32_t b, int32_t c, int32_t surface,
                              IrzError *error) {
  if (boundary->n_triangles == boundary->triangles_held) {
    int32_t held = 2 * boundary->triangles_held + 1024;
    IRZ_TRY(irz_resize(&boundary->triangle, (size_t)held, sizeof *boundary->triangle, error));
    IRZ_TRY(irz_resize(&boundary->surface, (size_t)held, sizeof *boundary->surface, error));
    boundary->triangles_held = held;
  }
  int32_t *triangle = boundary->triangle[boundary->n_triangles];
  triangle[0] = a, triangle[1] = b, triangle[2] = c;
  boundary->surface[boundary->n_triangles++] = surface;
  return IRZ_OK;
}

void irz_boundary_clear(IrzBoundary *boundary) {
  free(boundary->point);
  free(boundary->triangle);
  free(boundary->surface);
  memset(boundary, 0, sizeof *boundary);
}

/// Largest move of a point in a direction, as a share of the needle's radius; and on a trocar's facets.
#define UNTIE 1e-6
#define UNTIE_FACET 1e-9

/// How far a facet bulges: this, times the squared distance from the needle's tip over its radius.
#define BULGE 2e-5

void irz_boundary_untie(const IrzTissueBox *box, const IrzBoundary *boundary, double *xyz) {
  uint64_t state = 1;
  for (int32_t i = 0; i < boundary->n_points; i++) {
    const IrzBoundaryPoint *point = &boundary->point[i];
    const IrzNeedle *needle = point->needle >= 0 ? &box->needle[point->needle] : NULL;
    bool facet =
        needle && needle->shape == IRZ_TIP_TROCAR && (point->kind == IRZ_POINT_FLAT || point->kind == IRZ_POINT_RIM);
    double reach = needle && point->kind != IRZ_POINT_EXIT ? (facet ? UNTIE_FACET : UNTIE) * needle->radius : 0;
    double bulge = 0;
    for (int k = 0; k < 3 && facet; k++) bulge += (point->x[k] - needle->tip[k]) * (point->x[k] - needle->tip[k]);
    for (int k = 0; k < 3; k++) {
      state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
      double *x = &xyz[3 * (size_t)i + (size_t)k];
      *x = point->x[k] + reach * ((double)(state >> 11) * 0x1p-52 - 1);
      if (facet) *x += BULGE * bulge / needle->radius * needle->axis[k];
    }
  }
}
