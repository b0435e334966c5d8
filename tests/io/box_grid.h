/* A box of tetrahedra with made-up fields, for tests of what is written. */
#ifndef IREZONE_TESTS_BOX_GRID_H
#define IREZONE_TESTS_BOX_GRID_H

#include <irezone/result.h>

/// One rank's slab of a cube of N x N x N small cubes of six tetrahedra each, centred on the origin.
typedef struct {
  IrzGrid grid;
  IrzArray point_arrays[4]; ///< potential_V, field_V_per_cm, conductivity_S_per_m, zone
  IrzArray cell_arrays[2];  ///< region, field_vector_V_per_cm
  double *points, *potential, *field, *conductivity, *vector;
  uint8_t *zone;
  int32_t *cells, *region;
} BoxGrid;

/// A field strength at a point, V/cm; x in m.
typedef double (*BoxField)(const double x[3]);

/// Build the slab of `rank` of `size`. Potential rises from 0 to 3000 V with x; conductivity is 0.1 + z in m; zone is
/// field >= 500 V/cm; region is 1 where z > 0, else 0; the field vector is the cell's middle in mm.
/// @param[in] n      small cubes along an edge
/// @param[in] order  1 or 2
/// @param[in] edge   m
void box_grid_make(BoxGrid *box, int n, int order, double edge, BoxField field, int rank, int size);

void box_grid_free(BoxGrid *box);

#endif
