/* The zone on a regular grid of points. */
#include "base/entry.h"
#include "base/memory.h"
#include "field/kernel.h"
#include "model/locate.h"
#include "model/model.h"
#include "zone/sharpen.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// A tetrahedron whose inside is searched for grid points.
typedef struct {
  double node[10][3];
  bool bent;
  double u[10];
  bool known, smooth; ///< whether a point was in it, and then whether the recovered field is what is measured
  IrzKinkless kinkless;
} Cell;

/// Find a point in a tetrahedron.
static bool find_inside(Cell *cell, const double x[3], double l[4]) {
  bool inside = irz_locate(cell->node, cell->bent, x, l) < 1e-6;
  for (int i = 0; i < 4; i++) inside = inside && l[i] >= -1e-9;
  return inside;
}

/// Whether a point of a tetrahedron is in the zone, in the field with which irz_zone_measure() finds its volume; at
/// order 1, where that is half-way between two, in the one that is drawn.
static bool is_ablated(const IrzStage *stage, int32_t t, Cell *cell, const double l[4], double threshold) {
  double largest = 0, g[3];
  const int32_t *node = stage->part->tet[t], *row = irz_tet_rows(&stage->found.sides, stage->part, t);
  if (stage->geometry->mesh.order == 1) {
    for (int i = 0; i < 4; i++) largest += l[i] * stage->found.drawn.field[row[i]];
    return largest >= threshold;
  }
  if (!cell->known) {
    int32_t general = stage->medium->general[t] - 1;
    bool mixed = general >= 0 && stage->medium->mixed[general];
    cell->known = true;
    cell->smooth = irz_kinkless_make(&stage->found.law[stage->medium->region[t]], row, stage->found.sharp,
                                     stage->found.is_sharp && !mixed ? stage->found.along : NULL, &cell->kinkless);
  }
  if (cell->smooth) {
    return irz_quadratic(cell->kinkless.value, l) >= irz_kinkless(cell->kinkless.law, cell->kinkless.along, threshold);
  }
  for (int p = 0; p < stage->found.n_met; p++) {
    for (int i = 0; i < 10; i++) cell->u[i] = stage->found.met[p][node[i]];
    irz_gradient(cell->node, cell->bent, 10, cell->u, l, g);
    largest = fmax(largest, sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]));
  }
  return largest >= threshold;
}

/// Mark the points inside one tetrahedron that are in the zone.
static void sample_tet(const IrzStage *stage, int32_t t, Cell *cell, const IrzPointGrid *grid, uint8_t *ablated) {
  int first[3], last[3], nodes = cell->bent ? 10 : 4;
  for (int d = 0; d < 3; d++) {
    double low = cell->node[0][d], high = low;
    for (int i = 1; i < nodes; i++) {
      low = fmin(low, cell->node[i][d]);
      high = fmax(high, cell->node[i][d]);
    }
    double margin = cell->bent ? 0.1 * (high - low) : 0; /* a quadratic wall can bulge beyond its nodes */
    low = ceil((low - margin - grid->origin[d]) / grid->spacing[d] - 1e-9);
    high = floor((high + margin - grid->origin[d]) / grid->spacing[d] + 1e-9);
    first[d] = low > 0 ? (int)fmin(low, grid->size[d]) : 0;
    last[d] = high < grid->size[d] - 1 ? (int)fmax(high, -1) : grid->size[d] - 1;
  }
  for (int k = first[2]; k <= last[2]; k++) {
    for (int j = first[1]; j <= last[1]; j++) {
      for (int i = first[0]; i <= last[0]; i++) {
        const double x[3] = {grid->origin[0] + i * grid->spacing[0], grid->origin[1] + j * grid->spacing[1],
                             grid->origin[2] + k * grid->spacing[2]};
        double l[4];
        if (!find_inside(cell, x, l)) continue;
        int region = stage->labels != NULL ? irz_label_map_region(stage->labels, x) : stage->medium->region[t];
        if (!is_ablated(stage, t, cell, l, stage->found.threshold[region])) continue;
        ablated[((size_t)k * (size_t)grid->size[1] + (size_t)j) * (size_t)grid->size[0] + (size_t)i] = 1;
      }
    }
  }
}

IrzCode irz_model_sample_zone(IrzModel *model, const IrzPointGrid *grid, uint8_t *ablated, IrzError *error) {
  IRZ_ENTER_ALONE(error);
  IRZ_NEED(model != NULL && grid != NULL && (ablated != NULL || model->stage[0]->part->rank > 0));
  for (int d = 0; d < 3; d++) {
    IRZ_NEED(grid->size[d] >= 1 && grid->spacing[d] > 0 && isfinite(grid->spacing[d]) && isfinite(grid->origin[d]));
  }
  IRZ_NEED((int64_t)grid->size[0] * grid->size[1] <= INT32_MAX);
  if (!model->answered) return irz_model_no_answer(model, error);
  const IrzPart *part = model->stage[0]->part;
  size_t slab = (size_t)grid->size[0] * (size_t)grid->size[1], n = slab * (size_t)grid->size[2];
  uint8_t *mine = NULL;
  Cell cell;
  int32_t curved = 0;
  irz_alloc(&mine, n, 1, error);
  IrzCode code = irz_error_agree(model->comm, error);
  for (int32_t t = 0; code == IRZ_OK && t < part->n_tets; t++) {
    cell.bent = curved < part->n_curved && part->curved_tet[curved] == t;
    if (part->mine[t]) {
      irz_part_nodes(part, t, cell.bent ? curved : -1, cell.node);
      cell.known = false;
      sample_tet(model->stage[0], t, &cell, grid, mine);
    }
    curved += cell.bent;
  }
  /* Slab by slab, because a count in MPI is an int. */
  for (int k = 0; code == IRZ_OK && k < grid->size[2]; k++) {
    MPI_Reduce(mine + slab * (size_t)k, part->rank == 0 ? ablated + slab * (size_t)k : NULL, (int)slab, MPI_UINT8_T,
               MPI_MAX, 0, model->comm);
  }
  free(mine);
  return code;
}
