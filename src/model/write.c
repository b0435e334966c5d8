/* A model's last solution as files. */
#include "base/entry.h"
#include "base/memory.h"
#include "base/replace.h"
#include "base/tensor.h"
#include "base/threads.h"
#include "field/element.h"
#include "field/kernel.h"
#include "io/csv.h"
#include "model/ask.h"
#include "model/model.h"
#include "zone/nodal.h"
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// VTK's order of the nodes of a quadratic tetrahedron, in ours.
static const int vtk_node[10] = {0, 1, 2, 3, 4, 7, 5, 6, 8, 9};

/// The arrays of one rank's piece. Points are rows: where tissues meet there is one for each side, as the field jumps.
/// A lone rank's points are its nodes, unless tissues meet or some have been moved to draw kinks, and its cells are its
/// tetrahedra, so that arrays of the model can be written as they are.
typedef struct {
  int32_t n_points, n_cells;
  int32_t *point_of; ///< [rows] point, or -1; NULL: the row itself
  int32_t *tet_of;   ///< [n_cells] tetrahedron; NULL: the cell itself
  bool moved;        ///< a point is not where its node is
  double *points;
  int32_t *cells;
  double *field, *conductivity, *vector;
  double *tensor; ///< [n_cells][6] S/m; NULL where every tissue conducts the same in all directions
  uint8_t *zone;
  int32_t *region;
  int n_arrays;
  IrzArray *arrays; ///< point arrays
  double **copies;  ///< [n_arrays] what has been allocated for them, or NULL
  char (*names)[24];
} Piece;

static void piece_clear(Piece *piece) {
  free(piece->point_of);
  free(piece->tet_of);
  free(piece->points);
  free(piece->cells);
  for (int i = 0; piece->copies != NULL && i < piece->n_arrays; i++) free(piece->copies[i]);
  free(piece->copies);
  free(piece->field);
  free(piece->conductivity);
  free(piece->vector);
  free(piece->tensor);
  free(piece->zone);
  free(piece->region);
  free(piece->arrays);
  free(piece->names);
}

static inline int32_t point_of(const Piece *piece, int32_t row) {
  return piece->point_of != NULL ? piece->point_of[row] : row;
}

static inline const int32_t *rows_of(const IrzSolution *found, int32_t tet) {
  return irz_tet_rows(&found->sides, found->stage->part, tet);
}

/// Number the rows of this rank's own tetrahedra.
static IrzCode number_points(const IrzSolution *found, int nodes, Piece *piece, IrzError *error) {
  const IrzPart *part = found->stage->part;
  const IrzSides *sides = &found->sides;
  int32_t n = sides->n_rows;
  for (int32_t i = 0; found->drawn.place != NULL && i < part->n_edges; i++) {
    piece->moved = piece->moved || found->drawn.place[i] != 0.5;
  }
  if (part->size == 1 && (nodes == 10 || n == sides->n_nodes)) {
    piece->n_points = nodes == 10 ? n : part->n_vertices;
    piece->n_cells = part->n_tets;
    return IRZ_OK;
  }
  IRZ_TRY(irz_alloc_unset(&piece->point_of, (size_t)n, sizeof *piece->point_of, error));
  IRZ_TRY(irz_alloc_unset(&piece->tet_of, (size_t)part->n_tets, sizeof *piece->tet_of, error));
  for (int32_t i = 0; i < n; i++) piece->point_of[i] = -1;
  for (int32_t t = 0; t < part->n_tets; t++) {
    if (!part->mine[t]) continue;
    piece->tet_of[piece->n_cells++] = t;
    for (int i = 0; i < nodes; i++) {
      int32_t *point = &piece->point_of[rows_of(found, t)[i]];
      if (*point < 0) *point = piece->n_points++;
    }
  }
  return IRZ_OK;
}

static IrzCode piece_alloc(Piece *piece, int nodes, int n_pulses, IrzError *error) {
  size_t points = (size_t)piece->n_points, cells = (size_t)piece->n_cells, room = (size_t)n_pulses + 8;
  IRZ_TRY(irz_alloc_unset(&piece->points, 3 * points, sizeof(double), error));
  IRZ_TRY(irz_alloc_unset(&piece->cells, (size_t)nodes * cells, sizeof(int32_t), error));
  IRZ_TRY(irz_alloc_unset(&piece->field, points, sizeof(double), error));
  IRZ_TRY(irz_alloc_unset(&piece->conductivity, points, sizeof(double), error));
  IRZ_TRY(irz_alloc_unset(&piece->vector, 3 * cells, sizeof(double), error));
  IRZ_TRY(irz_alloc_unset(&piece->zone, points, 1, error));
  IRZ_TRY(irz_alloc_unset(&piece->region, cells, sizeof(int32_t), error));
  IRZ_TRY(irz_alloc(&piece->arrays, room, sizeof *piece->arrays, error));
  IRZ_TRY(irz_alloc((void *)&piece->copies, room, sizeof *piece->copies, error));
  return irz_alloc(&piece->names, (size_t)n_pulses, sizeof *piece->names, error);
}

/// Values of the points from values of the part's nodes.
/// @param[in] steep  a quadratic would leave the range of what is beside a moved point: it stays within
static void to_points(const IrzSolution *found, const Piece *piece, bool steep, const double *node, double *point) {
  const IrzPart *part = found->stage->part;
  const IrzSides *sides = &found->sides;
  for (int32_t row = 0; row < sides->n_rows; row++) {
    int32_t to = point_of(piece, row), i = irz_row_node(sides, row);
    if (to < 0 || to >= piece->n_points) continue;
    point[to] = irz_drawn_value(part, &found->drawn, node, i);
    if (!steep || i < part->n_vertices) continue;
    const int32_t *end = part->edge + 2 * (size_t)(i - part->n_vertices);
    double a = node[end[0]], b = node[end[1]];
    point[to] = fmin(fmax(point[to], fmin(fmin(a, b), node[i])), fmax(fmax(a, b), node[i]));
  }
}

/// Add survival, and the score whose levels have the right volumes: survival itself is a step where elements are large.
static IrzCode add_survival(const IrzSolution *found, Piece *piece, IrzError *error) {
  double **copy = &piece->copies[piece->n_arrays];
  for (int k = 0; k < 2; k++) IRZ_TRY(irz_alloc_unset(&copy[k], (size_t)piece->n_points, sizeof **copy, error));
  for (int32_t row = 0; row < found->sides.n_rows; row++) {
    int32_t to = point_of(piece, row);
    if (to < 0 || to >= piece->n_points) continue;
    copy[0][to] = 1 / (1 + exp(found->score[row]));
    copy[1][to] = found->score[row];
  }
  piece->arrays[piece->n_arrays++] = (IrzArray){"survival", IRZ_FLOAT64, 1, copy[0]};
  piece->arrays[piece->n_arrays++] = (IrzArray){"survival_score", IRZ_FLOAT64, 1, copy[1]};
  return IRZ_OK;
}

/// Add a point array with the values of the part's nodes.
/// @param[in] steep  of to_points()
static IrzCode add_nodes(const IrzSolution *found, Piece *piece, const char *name, bool steep, const double *node,
                         IrzError *error) {
  const IrzSides *sides = &found->sides;
  double **copy = &piece->copies[piece->n_arrays];
  if (piece->point_of != NULL || piece->moved || sides->n_rows > sides->n_nodes) {
    IRZ_TRY(irz_alloc_unset(copy, (size_t)piece->n_points, sizeof **copy, error));
    to_points(found, piece, steep, node, *copy);
    node = *copy;
  }
  piece->arrays[piece->n_arrays++] = (IrzArray){name, IRZ_FLOAT64, 1, node};
  return IRZ_OK;
}

/// Whether a tissue conducts differently in different directions.
static bool has_directions(const IrzPlan *plan) {
  for (int i = 0; i < plan->n_tissues; i++) {
    if (plan->tissues[i].sigma.direction != IRZ_LAW_ISOTROPIC) return true;
  }
  return false;
}

/// Conductivity along a direction, where the field has that direction and this strength.
static double along(const IrzLaw *law, double size, const double direction[3]) {
  double length = sqrt(direction[0] * direction[0] + direction[1] * direction[1] + direction[2] * direction[2]);
  double e[3], field[3], sigma[6];
  if (law->direction == IRZ_LAW_ISOTROPIC || !(length > 0)) return irz_law_sigma(law, size, NULL);
  for (int d = 0; d < 3; d++) {
    e[d] = direction[d] / length;
    field[d] = size * e[d];
  }
  irz_law_tensor(law, field, NULL, sigma, NULL);
  return irz_tensor_square(sigma, e);
}

/// Field in the middle of a tetrahedron in the pulse in which it is largest, V/cm.
/// @param[in] curved  index into the curved tetrahedra, or -1
static void middle_field(const IrzSolution *found, int32_t t, int32_t curved, int nodes, double vector[3]) {
  static const double middle[4] = {0.25, 0.25, 0.25, 0.25};
  double x[10][3], unused[10][3] = {{0}}, inverse[3][3], largest = -1;
  irz_part_nodes(found->stage->part, t, curved, x);
  if (curved < 0) irz_inverse_map(x, false, unused, inverse);
  for (int p = 0; p < found->n_met; p++) {
    double u[10], g[3];
    for (int i = 0; i < nodes; i++) u[i] = found->met[p][found->stage->part->tet[t][i]];
    if (curved >= 0) {
      irz_gradient(x, true, nodes, u, middle, g);
    } else {
      /* In the middle, basis functions of corners have no gradient at order 2, those of edges that of the sum of their
       * ends' barycentric coordinates; the gradient of coordinate i is row i - 1 of `inverse`, that of 0 minus their
       * sum. */
      double c[4] = {u[0], u[1], u[2], u[3]};
      if (nodes == 10) {
        c[0] = u[4] + u[5] + u[6];
        c[1] = u[4] + u[7] + u[8];
        c[2] = u[5] + u[7] + u[9];
        c[3] = u[6] + u[8] + u[9];
      }
      for (int d = 0; d < 3; d++) {
        g[d] = (c[1] - c[0]) * inverse[0][d] + (c[2] - c[0]) * inverse[1][d] + (c[3] - c[0]) * inverse[2][d];
      }
    }
    double square = g[0] * g[0] + g[1] * g[1] + g[2] * g[2];
    if (square <= largest) continue;
    largest = square;
    for (int d = 0; d < 3; d++) vector[d] = -g[d] / 100;
  }
}

/// Fill the cells and their arrays.
static void fill_cells(const IrzSolution *found, const IrzTissue *const *tissues, int nodes, Piece *piece) {
  const IrzPart *part = found->stage->part;
  const int n_runs = found->stage->threads;
#pragma omp parallel for num_threads(irz_threads(n_runs)) schedule(static, 1)
  for (int r = 0; r < n_runs; r++) {
    int32_t last = (int32_t)((int64_t)piece->n_cells * (r + 1) / n_runs), curved = -1;
    for (int32_t cell = (int32_t)((int64_t)piece->n_cells * r / n_runs); cell < last; cell++) {
      const int32_t t = piece->tet_of != NULL ? piece->tet_of[cell] : cell;
      double *vector = piece->vector + 3 * (size_t)cell;
      if (curved < 0) curved = irz_first_curved(part, t);
      while (curved < part->n_curved && part->curved_tet[curved] < t) curved++;
      bool bent = curved < part->n_curved && part->curved_tet[curved] == t;
      middle_field(found, t, bent ? curved : -1, nodes, vector);
      if (piece->tensor != NULL) {
        const double field[3] = {100 * vector[0], 100 * vector[1], 100 * vector[2]};
        irz_law_tensor(&tissues[found->stage->medium->region[t]]->sigma, field, NULL, piece->tensor + 6 * (size_t)cell,
                       NULL);
      }
      for (int i = 0; i < nodes; i++) {
        piece->cells[(size_t)nodes * (size_t)cell + (size_t)i] = point_of(piece, rows_of(found, t)[vtk_node[i]]);
      }
      piece->region[cell] = found->stage->medium->region[t];
    }
  }
}

/// Fill the coordinates of the points.
static void fill_positions(const IrzSolution *found, int nodes, Piece *piece) {
  const IrzPart *part = found->stage->part;
  const int32_t n_rows = found->sides.n_rows;
#pragma omp parallel for num_threads(irz_threads(found->stage->threads))
  for (int32_t row = 0; row < n_rows; row++) {
    int32_t to = point_of(piece, row), i = irz_row_node(&found->sides, row);
    if (to < 0 || to >= piece->n_points) continue;
    double *position = piece->points + 3 * (size_t)to;
    if (i < part->n_vertices) {
      memcpy(position, part->xyz + 3 * (size_t)i, 3 * sizeof *position);
      continue;
    }
    const int32_t *end = part->edge + 2 * (size_t)(i - part->n_vertices);
    const double *a = part->xyz + 3 * (size_t)end[0], *b = part->xyz + 3 * (size_t)end[1];
    double s = found->drawn.place != NULL ? found->drawn.place[i - part->n_vertices] : 0.5;
    for (int d = 0; d < 3; d++) position[d] = (1 - s) * a[d] + s * b[d];
  }
  for (int32_t k = 0; nodes == 10 && k < part->n_curved; k++) {
    for (int e = 0; e < 6; e++) {
      int32_t to = point_of(piece, rows_of(found, part->curved_tet[k])[4 + e]);
      if (to >= 0) memcpy(piece->points + 3 * (size_t)to, part->curved_xyz[k][e], 3 * sizeof(double));
    }
  }
}

/// Where the conductivity of a node is not that of one region that conducts the same in all directions.
#define SEVERAL UINT16_MAX

/// Find the region of every row of this rank's own tetrahedra.
/// @param[out] region  [rows] 1 + index, or SEVERAL; zero on entry
static void find_regions(const IrzSolution *found, const IrzTissue *const *tissues, int nodes, const Piece *piece,
                         uint16_t *region) {
  const IrzMedium *medium = found->stage->medium;
  for (int32_t cell = 0; cell < piece->n_cells; cell++) {
    const int32_t t = piece->tet_of != NULL ? piece->tet_of[cell] : cell;
    bool plain = tissues[medium->region[t]]->sigma.direction == IRZ_LAW_ISOTROPIC;
    const uint16_t own = plain ? (uint16_t)(1 + medium->region[t]) : SEVERAL;
    for (int i = 0; i < nodes; i++) {
      uint16_t *here = &region[rows_of(found, t)[i]];
      *here = *here == 0 || *here == own ? own : SEVERAL;
    }
  }
}

/// Add up the conductivities of the regions around the rows with several, weighted with volumes.
/// @param[out] weight  [n_points] zero on entry
static void add_several(const IrzSolution *found, const IrzTissue *const *tissues, int nodes, const uint16_t *region,
                        Piece *piece, double *weight) {
  const IrzPart *part = found->stage->part;
  int32_t curved = 0;
  for (int32_t cell = 0; cell < piece->n_cells; cell++) {
    const int32_t t = piece->tet_of != NULL ? piece->tet_of[cell] : cell, *node = rows_of(found, t);
    const IrzTissue *tissue = tissues[found->stage->medium->region[t]];
    bool any = false;
    for (int i = 0; i < nodes; i++) any = any || region[node[i]] == SEVERAL;
    if (!any) continue;
    static const double zero[10] = {0}, middle[4] = {0.25, 0.25, 0.25, 0.25};
    double x[10][3], unused[3];
    while (curved < part->n_curved && part->curved_tet[curved] < t) curved++;
    bool bent = curved < part->n_curved && part->curved_tet[curved] == t;
    irz_part_nodes(part, t, bent ? curved : -1, x);
    double volume = irz_gradient(x, bent, nodes, zero, middle, unused);
    for (int i = 0; i < nodes; i++) {
      if (region[node[i]] != SEVERAL) continue;
      int32_t point = point_of(piece, node[i]);
      double field = found->drawn.field[node[i]];
      piece->conductivity[point] += volume * along(&tissue->sigma, field, piece->vector + 3 * (size_t)cell);
      weight[point] += volume;
      if (field >= tissue->threshold) piece->zone[point] = 1;
    }
  }
}

/// Fill the arrays of the points. At a row of several regions the conductivity is the mean of theirs, weighted with
/// volumes, and it is in the zone if it is for one of them. Where a tissue conducts differently in different
/// directions it is the conductivity along the field; the whole tensor is given for the middles of cells.
static IrzCode fill_points(const IrzSolution *found, const IrzTissue *const *tissues, int nodes, Piece *piece,
                           IrzError *error) {
  const int32_t n = found->sides.n_rows;
  uint16_t *region = NULL;
  double *weight = NULL;
  bool several = false;
  IrzCode code = irz_alloc(&region, (size_t)n, sizeof *region, error);
  if (code != IRZ_OK) return code;
  find_regions(found, tissues, nodes, piece, region);
#pragma omp parallel for num_threads(irz_threads(found->stage->threads)) reduction(|| : several)
  for (int32_t i = 0; i < n; i++) {
    int32_t to = point_of(piece, i);
    if (to < 0 || to >= piece->n_points) continue;
    double field = found->drawn.field[i];
    piece->field[to] = field / 100;
    piece->zone[to] = 0;
    piece->conductivity[to] = 0;
    several = several || region[i] == SEVERAL;
    if (region[i] == SEVERAL) continue;
    const IrzTissue *tissue = tissues[region[i] - 1];
    piece->conductivity[to] = irz_law_sigma(&tissue->sigma, field, NULL);
    piece->zone[to] = field >= tissue->threshold;
  }
  if (several) code = irz_alloc(&weight, (size_t)piece->n_points, sizeof *weight, error);
  if (several && code == IRZ_OK) {
    add_several(found, tissues, nodes, region, piece, weight);
    for (int32_t i = 0; i < piece->n_points; i++) {
      if (weight[i] > 0) piece->conductivity[i] /= weight[i];
    }
  }
  free(region);
  free(weight);
  return code;
}

/// Fill points, cells and arrays.
static IrzCode piece_fill(const IrzSolution *found, const IrzPlan *plan, int nodes, Piece *piece, IrzError *error) {
  const IrzTissue **tissues = NULL; /* of the regions */
  IRZ_TRY(irz_alloc((void *)&tissues, (size_t)found->stage->medium->n_regions, sizeof *tissues, error));
  for (int r = 0; r < found->stage->medium->n_regions; r++) {
    tissues[r] = &plan->tissues[irz_plan_tissue(plan, found->stage->medium->regions[r].name)];
  }
  fill_cells(found, tissues, nodes, piece);
  fill_positions(found, nodes, piece);
  IrzCode code = fill_points(found, tissues, nodes, piece, error);
  free((void *)tissues);
  return code;
}

/// List the point arrays.
static IrzCode list_arrays(const IrzSolution *found, const IrzSummary *summary, Piece *piece, IrzError *error) {
  for (int p = 0; p < found->n_pulses; p++) {
    if (found->n_pulses == 1)
      snprintf(piece->names[p], sizeof piece->names[p], "potential_V");
    else
      snprintf(piece->names[p], sizeof piece->names[p], "potential_V_%02d", p + 1);
    IRZ_TRY(add_nodes(found, piece, piece->names[p], false, found->potential[p], error));
  }
  piece->arrays[piece->n_arrays++] = (IrzArray){"field_V_per_cm", IRZ_FLOAT64, 1, piece->field};
  piece->arrays[piece->n_arrays++] = (IrzArray){"conductivity_S_per_m", IRZ_FLOAT64, 1, piece->conductivity};
  piece->arrays[piece->n_arrays++] = (IrzArray){"zone", IRZ_UINT8, 1, piece->zone};
  if (found->score != NULL) IRZ_TRY(add_survival(found, piece, error));
  if (summary->heat == NULL) return IRZ_OK;
  IRZ_TRY(add_nodes(found, piece, "temperature_peak_C", true, found->heat.reached[0].peak, error));
  IRZ_TRY(add_nodes(found, piece, "thermal_damage", true, found->heat.reached[0].omega, error));
  return add_nodes(found, piece, "cem43_min", true, found->heat.reached[0].cem43, error);
}

/// Write the list of frames. On one rank.
static IrzCode write_series(const IrzSolution *found, const char *directory, const char *plan_name, IrzError *error) {
  char path[IRZ_PATH_MAX + IRZ_NAME_MAX + 32];
  json_t *files = json_array();
  for (int k = 0; k < found->heat.n_frames; k++) {
    snprintf(path, sizeof path, "%s_heat_%04d.hdf", plan_name, k);
    json_array_append_new(files, json_pack("{s:s, s:f}", "name", path, "time", found->heat.frame_time[k]));
  }
  json_t *series = json_pack("{s:s, s:o}", "file-series-version", "1.0", "files", files);
  bool whole = series != NULL && json_array_size(files) == (size_t)found->heat.n_frames;
  char *text = whole ? json_dumps(series, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) : NULL;
  json_decref(series);
  if (text == NULL) return irz_out_of_memory(0, error);
  snprintf(path, sizeof path, "%s/%s_heat.hdf.series", directory, plan_name);
  IrzCode code = irz_file_write(path, text, error);
  free(text);
  return code;
}

/// Write the temperature's frames and the list with their times, which ParaView opens as one animation (a VTKHDF file
/// with several times needs ParaView 5.12). Collective.
static IrzCode write_frames(const IrzSolution *found, const char *directory, const IrzSummary *summary, Piece *piece,
                            int nodes, IrzError *error) {
  const char *plan_name = summary->plan->name;
  char path[IRZ_PATH_MAX + IRZ_NAME_MAX + 32];
  if (summary->heat == NULL || found->heat.n_frames == 0) return IRZ_OK;
  for (int k = 0; k < found->heat.n_frames; k++) {
    const IrzArray arrays[] = {{"temperature_C", IRZ_FLOAT64, 1, piece->field}};
    const IrzArray cell_arrays[] = {{"region", IRZ_INT32, 1, piece->region}};
    IrzGrid grid = {
        piece->n_points, piece->points, piece->n_cells, nodes, piece->cells, 1, arrays, 1, cell_arrays, 0, NULL};
    to_points(found, piece, true, found->heat.frame[k], piece->field);
    snprintf(path, sizeof path, "%s/%s_heat_%04d.hdf", directory, plan_name, k);
    IRZ_TRY(irz_vtkhdf_write(found->stage->comm, path, &grid, summary->plan->text, NULL, error));
  }
  if (found->stage->part->rank == 0) write_series(found, directory, plan_name, error);
  return irz_error_agree(found->stage->comm, error);
}

/// Write the heating's time series as a table. On one rank.
static IrzCode write_table(const char *directory, const IrzSummary *summary, IrzError *error) {
  const IrzPlan *plan = summary->plan;
  char path[IRZ_PATH_MAX + IRZ_NAME_MAX + 16], *text;
  IrzText table;
  snprintf(path, sizeof path, "%s/%s_heat.csv", directory, plan->name);
  IRZ_TRY(irz_text_begin(&table, error));
  FILE *out = table.out;
  fprintf(out, "time_s,pulse,current_A,power_W,temperature_max_C");
  for (int p = 0; p < plan->n_probes; p++) {
    char name[IRZ_NAME_MAX + 16];
    snprintf(name, sizeof name, "temperature_%s_C", plan->probes[p].name);
    fputc(',', out);
    irz_csv_cell(out, name);
  }
  fprintf(out, "\n");
  for (int i = 0; i < summary->heat->n_samples; i++) {
    const IrzHeatSample *sample = &summary->heat->samples[i];
    fprintf(out, "%.9g,", sample->time);
    if (sample->pulse >= 0) fprintf(out, "%d", sample->pulse + 1);
    fprintf(out, ",%.9g,%.9g,%.9g", sample->current, sample->power, sample->hottest);
    for (int p = 0; p < plan->n_probes; p++) fprintf(out, ",%.9g", sample->probe[p]);
    fprintf(out, "\n");
  }
  IRZ_TRY(irz_text_end(&table, &text, error));
  IrzCode code = irz_file_write(path, text, error);
  free(text);
  return code;
}

/// Write the field-volume histogram of the regions that were judged, up to where nothing reaches the field.
static IrzCode write_histogram(const char *directory, const IrzSummary *summary, IrzError *error) {
  const IrzPatient *patient = summary->patient;
  char path[IRZ_PATH_MAX + IRZ_NAME_MAX + 32], *text;
  IrzText table;
  snprintf(path, sizeof path, "%s/%s_histogram.csv", directory, summary->plan->name);
  IRZ_TRY(irz_text_begin(&table, error));
  fprintf(table.out, "region,field_V_per_cm,fraction\n");
  for (int c = 0; c < patient->n_curves; c++) {
    const double *fraction = patient->fraction + (size_t)c * (size_t)patient->n_levels;
    for (int k = 0; k < patient->n_levels && (k == 0 || fraction[k - 1] > 0); k++) {
      irz_csv_cell(table.out, patient->curve[c]);
      fprintf(table.out, ",%.9g,", patient->level[k] * 1e-2);
      fprintf(table.out, isfinite(fraction[k]) ? "%.9g\n" : "\n", fraction[k]);
    }
  }
  IRZ_TRY(irz_text_end(&table, &text, error));
  IrzCode code = irz_file_write(path, text, error);
  free(text);
  return code;
}

/// Write the VTKHDF file.
static IrzCode write_field(const IrzSolution *found, const char *directory, const char *path, IrzSummary *summary,
                           IrzError *error) {
  const IrzPlan *plan = summary->plan;
  int nodes = plan->mesh.order == 2 ? 10 : 4, n_pulses = found->n_pulses;
  Piece piece = {0};
  char *json = NULL;
  IrzCode code = number_points(found, nodes, &piece, error);
  if (code == IRZ_OK) code = piece_alloc(&piece, nodes, n_pulses, error);
  if (code == IRZ_OK && has_directions(plan)) {
    code = irz_alloc(&piece.tensor, 6 * (size_t)piece.n_cells, sizeof(double), error);
  }
  if (code == IRZ_OK) code = piece_fill(found, plan, nodes, &piece, error);
  if (code == IRZ_OK) code = list_arrays(found, summary, &piece, error);
  if (code == IRZ_OK && found->stage->part->rank == 0) {
    json = irz_summary_json(summary);
    if (json == NULL) irz_out_of_memory(0, error);
  }
  const int n_regions = found->stage->medium->n_regions;
  const char **regions = NULL;
  if (code == IRZ_OK) code = irz_alloc((void *)&regions, (size_t)n_regions, sizeof *regions, error);
  for (int r = 0; regions != NULL && r < n_regions; r++) regions[r] = found->stage->medium->regions[r].name;
  code = irz_error_agree(found->stage->comm, error);
  if (code == IRZ_OK) {
    const IrzArray cell_arrays[] = {{"region", IRZ_INT32, 1, piece.region},
                                    {"field_vector_V_per_cm", IRZ_FLOAT64, 3, piece.vector},
                                    {"conductivity_tensor_S_per_m", IRZ_FLOAT64, 6, piece.tensor}};
    IrzGrid grid = {piece.n_points, piece.points,   piece.n_cells, nodes,
                    piece.cells,    piece.n_arrays, piece.arrays,  piece.tensor != NULL ? 3 : 2,
                    cell_arrays,    n_regions,      regions};
    code = irz_vtkhdf_write(found->stage->comm, path, &grid, plan->text, json, error);
    if (code == IRZ_OK) code = write_frames(found, directory, summary, &piece, nodes, error);
  }
  free((void *)regions);
  free(json);
  piece_clear(&piece);
  return code;
}

/// Write the summary, and the tables of the heating and of the patient. On one rank.
static IrzCode write_summary(const char *directory, const IrzSummary *summary, IrzError *error) {
  char path[IRZ_PATH_MAX + IRZ_NAME_MAX + 16];
  snprintf(path, sizeof path, "%s/%s.json", directory, summary->plan->name);
  char *json = irz_summary_json(summary);
  if (json == NULL) return irz_error_set(error, IRZ_ERR_MEMORY, "%s: cannot be written: out of memory", path);
  IrzCode code = irz_file_write(path, json, error);
  free(json);
  if (code == IRZ_OK && summary->heat != NULL) code = write_table(directory, summary, error);
  if (code == IRZ_OK && summary->patient != NULL && summary->patient->n_curves > 0) {
    code = write_histogram(directory, summary, error);
  }
  return code;
}

IrzCode irz_model_check_output(const IrzPlan *plan, const char *directory, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(plan != NULL && directory != NULL);
  char name[5][IRZ_NAME_MAX + 32];
  const char *names[5] = {name[0], name[1], name[2], name[3], name[4]};
  int n = 0;
  snprintf(name[n++], sizeof name[0], "%s.json", plan->name);
  if (plan->output.fields) snprintf(name[n++], sizeof name[0], "%s.hdf", plan->name);
  if (plan->heat.on) snprintf(name[n++], sizeof name[0], "%s_heat.csv", plan->name);
  if (plan->patient.n_targets + plan->patient.n_at_risk > 0)
    snprintf(name[n++], sizeof name[0], "%s_histogram.csv", plan->name);
  if (plan->output.slicer) snprintf(name[n++], sizeof name[0], "%s_load_in_slicer.py", plan->name);
  return irz_folder_probe(directory, n, names, error);
}

IrzCode irz_solution_write(const IrzSolution *found, const char *directory, IrzSummary *summary, IrzError *error) {
  const IrzStage *stage = found->stage;
  double start = MPI_Wtime();
  char path[IRZ_PATH_MAX + IRZ_NAME_MAX + 16];
  IrzError fields = {0}, slicer = {0}, own = {0};
  if (stage->part->rank == 0) irz_folder_make(directory, &own);
  if (irz_error_agree(stage->comm, &own) == IRZ_OK) {
    snprintf(path, sizeof path, "%s/%s.hdf", directory, summary->plan->name);
    if (summary->plan->output.fields) write_field(found, directory, path, summary, &fields);
    snprintf(summary->lost, sizeof summary->lost, "%s", fields.text);
    irz_solution_write_slicer(found, directory, summary, &slicer);
    double seconds = MPI_Wtime() - start;
    summary->timing.output += seconds;
    summary->timing.total += seconds;
    /* What the computing has found must not be lost with the fields. */
    if (stage->part->rank == 0) write_summary(directory, summary, &own);
    irz_error_agree(stage->comm, &own);
  }
  if (slicer.code != IRZ_OK) own = slicer;
  if (fields.code != IRZ_OK) own = fields;
  if (own.code != IRZ_OK && error != NULL) *error = own;
  return own.code;
}

IrzCode irz_model_write(IrzModel *model, const char *directory, IrzSummary *summary, IrzError *error) {
  IRZ_ENTER_ALONE(error);
  IRZ_NEED(model != NULL && directory != NULL && summary != NULL && summary->plan != NULL);
  if (!model->answered) return irz_model_no_answer(model, error);
  return irz_solution_write(model->answer[0]->found, directory, summary, error);
}
