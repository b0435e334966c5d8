#include "box_grid.h"
#include <math.h>
#include <stdlib.h>

/* Corners of the six tetrahedra of a cube (Kuhn's division): from (0,0,0) to (1,1,1) along the axes in any order. Bit d
   of a corner is its coordinate d. All have positive volume. */
static const int kuhn[6][4] = {{0, 1, 3, 7}, {0, 3, 2, 7}, {0, 2, 6, 7}, {0, 6, 4, 7}, {0, 4, 5, 7}, {0, 5, 1, 7}};
static const int vtk_edge[6][2] = {{0, 1}, {1, 2}, {2, 0}, {0, 3}, {1, 3}, {2, 3}};

/// Number of the point at lattice place p.
static int32_t point_id(const int64_t p[3], int64_t row) {
  return (int32_t)((p[2] * row + p[1]) * row + p[0]);
}

static void make_cell(BoxGrid *box, int order, const int64_t cube[3], const int corner[4], int64_t row, int32_t cell) {
  const int nodes = box->grid.nodes_per_cell;
  int64_t place[10][3];
  double middle[3] = {0, 0, 0};
  for (int i = 0; i < 4; i++) {
    for (int d = 0; d < 3; d++) place[i][d] = order * (cube[d] + (corner[i] >> d & 1));
  }
  for (int i = 4; i < nodes; i++) {
    for (int d = 0; d < 3; d++) place[i][d] = (place[vtk_edge[i - 4][0]][d] + place[vtk_edge[i - 4][1]][d]) / 2;
  }
  for (int i = 0; i < nodes; i++) {
    int32_t id = point_id(place[i], row);
    box->cells[cell * nodes + i] = id;
    for (int d = 0; d < 3 && i < 4; d++) middle[d] += box->points[3 * id + d] / 4;
  }
  box->region[cell] = middle[2] > 0;
  for (int d = 0; d < 3; d++) box->vector[3 * cell + d] = middle[d] * 1e3;
}

void box_grid_make(BoxGrid *box, int n, int order, double edge, BoxField field, int rank, int size) {
  const int64_t first = (int64_t)n * rank / size, last = (int64_t)n * (rank + 1) / size, layers = last - first;
  const int64_t row = order * n + 1;
  /* A rank without a layer has an empty part. */
  const int64_t n_points = layers > 0 ? row * row * (order * layers + 1) : 0, n_cells = 6 * layers * n * n;
  const int nodes = order == 2 ? 10 : 4;
  *box = (BoxGrid){.points = malloc(sizeof(double) * (3 * n_points + 1)),
                   .potential = malloc(sizeof(double) * (n_points + 1)),
                   .field = malloc(sizeof(double) * (n_points + 1)),
                   .conductivity = malloc(sizeof(double) * (n_points + 1)),
                   .vector = malloc(sizeof(double) * (3 * n_cells + 1)),
                   .zone = malloc(n_points + 1),
                   .cells = malloc(sizeof(int32_t) * (nodes * n_cells + 1)),
                   .region = malloc(sizeof(int32_t) * (n_cells + 1))};
  for (int64_t i = 0; i < n_points; i++) {
    const int64_t place[3] = {i % row, i / row % row, i / (row * row) + order * first};
    double *x = &box->points[3 * i];
    for (int d = 0; d < 3; d++) x[d] = edge * ((double)place[d] / (order * n) - 0.5);
    box->potential[i] = 3000 * (x[0] / edge + 0.5);
    box->field[i] = field(x);
    box->conductivity[i] = 0.1 + x[2];
    box->zone[i] = box->field[i] >= 500;
  }
  box->grid.nodes_per_cell = nodes;
  int32_t cell = 0;
  for (int64_t k = 0; k < layers; k++) {
    for (int64_t j = 0; j < n; j++) {
      for (int64_t i = 0; i < n; i++) {
        const int64_t cube[3] = {i, j, k};
        for (int t = 0; t < 6; t++) make_cell(box, order, cube, kuhn[t], row, cell++);
      }
    }
  }
  const IrzArray point_arrays[] = {{"potential_V", IRZ_FLOAT64, 1, box->potential},
                                   {"field_V_per_cm", IRZ_FLOAT64, 1, box->field},
                                   {"conductivity_S_per_m", IRZ_FLOAT64, 1, box->conductivity},
                                   {"zone", IRZ_UINT8, 1, box->zone}};
  const IrzArray cell_arrays[] = {{"region", IRZ_INT32, 1, box->region},
                                  {"field_vector_V_per_cm", IRZ_FLOAT64, 3, box->vector}};
  for (int i = 0; i < 4; i++) box->point_arrays[i] = point_arrays[i];
  for (int i = 0; i < 2; i++) box->cell_arrays[i] = cell_arrays[i];
  box->grid.n_points = (int32_t)n_points;
  box->grid.points = box->points;
  box->grid.n_cells = (int32_t)n_cells;
  box->grid.cells = box->cells;
  box->grid.n_point_arrays = 4;
  box->grid.point_arrays = box->point_arrays;
  box->grid.n_cell_arrays = 2;
  box->grid.cell_arrays = box->cell_arrays;
}

void box_grid_free(BoxGrid *box) {
  free(box->points);
  free(box->potential);
  free(box->field);
  free(box->conductivity);
  free(box->vector);
  free(box->zone);
  free(box->cells);
  free(box->region);
}
