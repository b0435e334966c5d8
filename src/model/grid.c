/* A solution on a grid of voxels: each tetrahedron looks at the centres inside it. */
#include "base/entry.h"
#include "base/memory.h"
#include "base/threads.h"
#include "field/element.h"
#include "model/ask.h"
#include "model/model.h"
#include "query/locate.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// How far beyond a face a point still counts as inside, in barycentric coordinates.
static const double beyond = 1e-9;

/// Looking at a grid.
typedef struct {
  const IrzSolution *found;
  const IrzMeasured measured;
  double inverse[3][3]; ///< 1/m, index by coordinate
  int n_levels;
  const double *level; ///< [n_levels] V/m
  const IrzVoxelField *to;
} Look;

/// A tetrahedron at work.
typedef struct {
  IrzMeasuredCell cell;
  int32_t tet;
  bool made;
} Visit;

/// Invert the steps of a grid.
/// @return false if they lie in a plane
static bool invert_steps(const double step[3][3], double inverse[3][3]) {
  double cofactor[3][3], size = 1, det = 0;
  for (int a = 0; a < 3; a++) {
    const double *u = step[(a + 1) % 3], *v = step[(a + 2) % 3];
    for (int d = 0; d < 3; d++) cofactor[a][d] = u[(d + 1) % 3] * v[(d + 2) % 3] - u[(d + 2) % 3] * v[(d + 1) % 3];
    size *= sqrt(step[a][0] * step[a][0] + step[a][1] * step[a][1] + step[a][2] * step[a][2]);
  }
  for (int d = 0; d < 3; d++) det += step[0][d] * cofactor[0][d];
  if (!(fabs(det) > 1e-6 * size)) return false;
  for (int a = 0; a < 3; a++) {
    for (int d = 0; d < 3; d++) inverse[a][d] = cofactor[a][d] / det;
  }
  return true;
}

/// Range of the indices of a box along one axis of a grid; empty ones end before they begin.
static void index_range(const IrzVoxelGrid *grid, const double slope[3], int last, const double low[3],
                        const double high[3], int range[2]) {
  double middle = 0, half = 0;
  for (int d = 0; d < 3; d++) {
    middle += slope[d] * (0.5 * (low[d] + high[d]) - grid->origin[d]);
    half += fabs(slope[d]) * 0.5 * (high[d] - low[d]);
  }
  double first = ceil(middle - half - 1e-6), end = floor(middle + half + 1e-6);
  range[0] = first > 0 ? (int)fmin(first, last + 1.0) : 0;
  range[1] = end < last ? (int)fmax(end, -1) : last;
}

/// Note what is at a voxel's centre, where nothing or the same was noted before.
static void look_at(const Look *look, Visit *visit, size_t at, const double x[3], const double l[4]) {
  const IrzMeasured *measured = &look->measured;
  IrzMeasuredCell *cell = &visit->cell;
  if (!visit->made) irz_measured_make(measured, visit->tet, cell);
  visit->made = true;
  const double threshold = irz_solution_threshold(look->found, visit->tet, x);
  const bool known = look->to->field != NULL || !cell->smooth;
  const double field = known ? irz_measured_field(measured, visit->tet, cell, l) : 0;
  uint8_t code = IRZ_VOXEL_TISSUE, *noted = &look->to->code[at];
  if (cell->smooth) { /* whether it reaches a level is known more exactly than how much it is */
    if (irz_measured_reaches(measured, visit->tet, cell, l, threshold)) code |= IRZ_VOXEL_ZONE;
    for (int i = 0; i < look->n_levels && irz_measured_reaches(measured, visit->tet, cell, l, look->level[i]); i++)
      code++;
  } else {
    if (field >= threshold) code |= IRZ_VOXEL_ZONE;
    for (int i = 0; i < look->n_levels && field >= look->level[i]; i++) code++;
  }
  if (code > *noted) *noted = code;
  if (look->to->field == NULL) return;
  float *strongest = &look->to->field[at], here = field / 100 > FLT_MIN ? (float)(field / 100) : FLT_MIN;
  if (here > *strongest) *strongest = here;
}

static void place_of(const IrzVoxelGrid *grid, int i, int j, int k, double x[3]) {
  for (int d = 0; d < 3; d++)
    x[d] = grid->origin[d] + (i * grid->step[0][d] + j * grid->step[1][d] + k * grid->step[2][d]);
}

/// Gradients of the barycentric coordinates of a tetrahedron with straight edges, and how negative they can be inside.
typedef struct {
  double slope[4][3]; ///< 1/m
  double least[4];
} Corners;

/// Find them. A curved tetrahedron is the straight one moved by 4 l_i l_j d along each edge, where d is how far the
/// middle of the edge is off; these six products add up to 1.5 at most.
static void find_corners(IrzMeasuredCell *cell, Corners *corners) {
  double unused[10][3] = {{0}}, inverse[3][3];
  irz_inverse_map(cell->node, false, unused, inverse);
  for (int d = 0; d < 3; d++) {
    corners->slope[0][d] = -(inverse[0][d] + inverse[1][d] + inverse[2][d]);
    for (int c = 1; c < 4; c++) corners->slope[c][d] = inverse[c - 1][d];
  }
  for (int c = 0; c < 4; c++) {
    double most = 0;
    for (int e = 0; cell->bent && e < 6; e++) {
      const double *one = cell->node[irz_edge_vertices[e][0]], *other = cell->node[irz_edge_vertices[e][1]];
      double off = 0;
      for (int d = 0; d < 3; d++) off += corners->slope[c][d] * (cell->node[4 + e][d] - 0.5 * (one[d] + other[d]));
      most = fmax(most, fabs(off));
    }
    corners->least[c] = -beyond - 1.5 * most;
  }
}

/// Find a point in a curved tetrahedron.
static bool find_bent(IrzMeasuredCell *cell, const double x[3], double l[4]) {
  bool inside = irz_locate(cell->node, true, x, l) < 1e-6;
  for (int c = 0; c < 4; c++) inside = inside && l[c] >= -beyond;
  return inside;
}

/// Look at a row of centres in a tetrahedron. The coordinates of one with straight edges change evenly along it.
static void look_along(const Look *look, Visit *visit, const Corners *corners, const int range[2], int j, int k) {
  const IrzVoxelField *to = look->to;
  double x[3], start[4] = {1, 0, 0, 0}, change[4] = {0}, first = range[0], last = range[1];
  place_of(to->grid, 0, j, k, x);
  for (int c = 0; c < 4; c++) {
    for (int d = 0; d < 3; d++) {
      start[c] += corners->slope[c][d] * (x[d] - visit->cell.node[0][d]);
      change[c] += corners->slope[c][d] * to->grid->step[0][d];
    }
    double end = (corners->least[c] - start[c]) / change[c]; /* where it crosses the face */
    if (change[c] > 0)
      first = fmax(first, ceil(end));
    else if (change[c] < 0)
      last = fmin(last, floor(end));
    else if (start[c] < corners->least[c])
      return;
  }
  if (!(first <= last)) return;
  size_t row = ((size_t)(k - to->first[2]) * (size_t)to->count[1] + (size_t)(j - to->first[1])) * (size_t)to->count[0];
  for (int i = (int)first; i <= last; i++) {
    double l[4];
    for (int c = 0; c < 4; c++) l[c] = start[c] + i * change[c];
    place_of(to->grid, i, j, k, x);
    if (!visit->cell.bent || find_bent(&visit->cell, x, l))
      look_at(look, visit, row + (size_t)(i - to->first[0]), x, l);
  }
}

/// Look at the centres in a tetrahedron, in some layers of the grid.
/// @param[in] layers  first and last along k
static void look_in(const Look *look, Visit *visit, const int layers[2]) {
  const IrzVoxelField *to = look->to;
  IrzMeasuredCell *cell = &visit->cell;
  Corners corners;
  double low[3], high[3];
  int range[3][2], nodes = cell->bent ? 10 : 4;
  for (int d = 0; d < 3; d++) {
    low[d] = high[d] = cell->node[0][d];
    for (int i = 1; i < nodes; i++) {
      low[d] = fmin(low[d], cell->node[i][d]);
      high[d] = fmax(high[d], cell->node[i][d]);
    }
    double margin = cell->bent ? 0.1 * (high[d] - low[d]) : 0; /* a quadratic wall can bulge beyond its nodes */
    low[d] -= margin;
    high[d] += margin;
  }
  for (int a = 2; a >= 0; a--) {
    index_range(to->grid, look->inverse[a], to->first[a] + to->count[a] - 1, low, high, range[a]);
    if (range[a][0] < to->first[a]) range[a][0] = to->first[a];
    if (a == 2 && range[a][0] < layers[0]) range[a][0] = layers[0];
    if (a == 2 && range[a][1] > layers[1]) range[a][1] = layers[1];
    if (range[a][0] > range[a][1]) return;
  }
  find_corners(cell, &corners);
  for (int k = range[2][0]; k <= range[2][1]; k++) {
    for (int j = range[1][0]; j <= range[1][1]; j++) look_along(look, visit, &corners, range[0], j, k);
  }
}

/// Look at all centres in this rank's tetrahedra. Each thread has layers of its own.
static void look_everywhere(const Look *look) {
  const IrzPart *part = look->found->stage->part;
  const IrzVoxelField *to = look->to;
  const int n_runs = look->found->stage->threads;
#pragma omp parallel for num_threads(irz_threads(n_runs)) schedule(static, 1)
  for (int r = 0; r < n_runs; r++) {
    const int layers[2] = {to->first[2] + (int)((int64_t)to->count[2] * r / n_runs),
                           to->first[2] + (int)((int64_t)to->count[2] * (r + 1) / n_runs) - 1};
    int32_t curved = 0;
    for (int32_t t = 0; t < part->n_tets; t++) {
      bool bent = curved < part->n_curved && part->curved_tet[curved] == t;
      if (part->mine[t]) {
        Visit visit = {.tet = t};
        irz_measured_move(&look->measured, t, bent ? curved : -1, &visit.cell);
        look_in(look, &visit, layers);
      }
      curved += bent;
    }
  }
}

/// Find the part of a grid that the mesh reaches. Collective.
static void find_part(const Look *look, IrzVoxelField *to) {
  const IrzPart *part = look->found->stage->part;
  double far[6] = {-INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY}, low[3], high[3];
  for (int32_t i = 0; i < part->n_vertices; i++) {
    for (int d = 0; d < 3; d++) {
      far[d] = fmax(far[d], part->xyz[3 * (size_t)i + (size_t)d]);
      far[3 + d] = fmax(far[3 + d], -part->xyz[3 * (size_t)i + (size_t)d]);
    }
  }
  MPI_Allreduce(MPI_IN_PLACE, far, 6, MPI_DOUBLE, MPI_MAX, part->comm);
  for (int d = 0; d < 3; d++) { /* a curved wall bulges */
    double margin = 0.05 * (far[d] + far[3 + d]);
    low[d] = -far[3 + d] - margin;
    high[d] = far[d] + margin;
  }
  for (int a = 0; a < 3; a++) {
    int range[2];
    index_range(to->grid, look->inverse[a], to->grid->size[a] - 1, low, high, range);
    to->first[a] = range[0];
    to->count[a] = range[1] >= range[0] ? range[1] - range[0] + 1 : 0;
  }
}

/// Give rank 0 what the ranks have found, layer by layer, because a count in MPI is an int. Collective.
static void gather(MPI_Comm comm, IrzVoxelField *to) {
  int rank, size;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  const size_t layer = (size_t)to->count[0] * (size_t)to->count[1];
  for (int k = 0; k < to->count[2] && size > 1; k++) {
    uint8_t *code = to->code + layer * (size_t)k;
    MPI_Reduce(rank == 0 ? MPI_IN_PLACE : code, code, (int)layer, MPI_UINT8_T, MPI_MAX, 0, comm);
    if (to->field == NULL) continue;
    float *field = to->field + layer * (size_t)k;
    MPI_Reduce(rank == 0 ? MPI_IN_PLACE : field, field, (int)layer, MPI_FLOAT, MPI_MAX, 0, comm);
  }
}

void irz_voxel_field_clear(IrzVoxelField *voxels) {
  free(voxels->code);
  free(voxels->field);
  *voxels = (IrzVoxelField){0};
}

IrzCode irz_solution_voxels(const IrzSolution *found, const IrzVoxelGrid *grid, bool field, int n_levels,
                            const double *level, IrzVoxelField *voxels, IrzError *error) {
  Look look = {
      .found = found, .measured = irz_solution_measured(found), .n_levels = n_levels, .level = level, .to = voxels};
  *voxels = (IrzVoxelField){.grid = grid};
  for (int a = 0; a < 3; a++) {
    IRZ_NEED(grid->size[a] >= 1);
    for (int d = 0; d < 3; d++) IRZ_NEED(isfinite(grid->step[a][d]) && isfinite(grid->origin[d]));
  }
  IRZ_NEED((int64_t)grid->size[0] * grid->size[1] <= INT32_MAX);
  if (!invert_steps(grid->step, look.inverse)) {
    return irz_error_set(error, IRZ_ERR_PLAN, "the steps of the grid lie in a plane");
  }
  find_part(&look, voxels);
  size_t n = (size_t)voxels->count[0] * (size_t)voxels->count[1] * (size_t)voxels->count[2];
  irz_alloc(&voxels->code, n, 1, error);
  if (error->code == IRZ_OK && field) irz_alloc(&voxels->field, n, sizeof(float), error);
  IRZ_TRY(irz_error_agree(found->stage->comm, error));
  look_everywhere(&look);
  gather(found->stage->comm, voxels);
  return IRZ_OK;
}

IrzCode irz_solution_grid(const IrzSolution *found, const IrzVoxelGrid *grid, uint8_t *ablated, IrzError *error) {
  IrzVoxelField voxels;
  IrzCode code = irz_solution_voxels(found, grid, false, 0, NULL, &voxels, error);
  if (code == IRZ_OK && found->stage->part->rank == 0) {
    const size_t row = (size_t)grid->size[0], slab = row * (size_t)grid->size[1];
    memset(ablated, 0, slab * (size_t)grid->size[2]);
    const uint8_t *noted = voxels.code;
    for (int k = 0; k < voxels.count[2]; k++) {
      for (int j = 0; j < voxels.count[1]; j++) {
        uint8_t *to = ablated + slab * (size_t)(voxels.first[2] + k) + row * (size_t)(voxels.first[1] + j) +
                      (size_t)voxels.first[0];
        for (int i = 0; i < voxels.count[0]; i++) *to++ = (*noted++ & IRZ_VOXEL_ZONE) != 0;
      }
    }
  }
  irz_voxel_field_clear(&voxels);
  return code;
}

IrzCode irz_model_sample_zone(IrzModel *model, const IrzPointGrid *grid, uint8_t *ablated, IrzError *error) {
  IRZ_ENTER_ALONE(error);
  IRZ_NEED(model != NULL && grid != NULL && (ablated != NULL || model->stage[0]->part->rank > 0));
  IrzVoxelGrid voxels = {{0}, {0}, {{0}}};
  for (int d = 0; d < 3; d++) {
    IRZ_NEED(grid->spacing[d] > 0);
    voxels.size[d] = grid->size[d];
    voxels.origin[d] = grid->origin[d];
    voxels.step[d][d] = grid->spacing[d];
  }
  if (!model->answered) return irz_model_no_answer(model, error);
  return irz_solution_grid(model->answer[0]->found, &voxels, ablated, error);
}
