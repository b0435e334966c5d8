/* A model's last solution as files. */
#include "base/memory.h"
#include "base/tensor.h"
#include "field/kernel.h"
#include "model/model.h"
#include "zone/recover.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/// VTK's order of the nodes of a quadratic tetrahedron, in ours.
static const int vtk_node[10] = {0, 1, 2, 3, 4, 7, 5, 6, 8, 9};

/// The arrays of one rank's piece.
typedef struct {
  int32_t n_points, n_cells;
  int32_t *point_of; ///< [nodes of the part] point, or -1
  double *points;
  int32_t *cells;
  double **potential; ///< [n_pulses] on points
  double *field, *conductivity, *vector, *survival;
  double *tensor;  ///< [n_cells][6] S/m; NULL where every tissue conducts the same in all directions
  double *heat[3]; ///< on points: highest temperature in C, Arrhenius integral, minutes at 43 C; NULL without heat
  uint8_t *zone;
  int32_t *region;
  IrzArray *arrays; ///< point arrays
  char (*names)[24];
} Piece;

static void piece_clear(Piece *piece, int n_pulses) {
  free(piece->point_of);
  free(piece->points);
  free(piece->cells);
  for (int i = 0; piece->potential != NULL && i < n_pulses; i++) free(piece->potential[i]);
  free(piece->potential);
  for (int k = 0; k < 3; k++) free(piece->heat[k]);
  free(piece->field);
  free(piece->conductivity);
  free(piece->vector);
  free(piece->tensor);
  free(piece->survival);
  free(piece->zone);
  free(piece->region);
  free(piece->arrays);
  free(piece->names);
}

/// Number the nodes of this rank's own tetrahedra.
static IrzCode number_points(const IrzModel *model, int nodes, Piece *piece, IrzError *error) {
  const IrzPart *part = model->part;
  size_t n = (size_t)part->n_vertices + (size_t)part->n_edges;
  IRZ_TRY(irz_alloc(&piece->point_of, n, sizeof *piece->point_of, error));
  for (size_t i = 0; i < n; i++) piece->point_of[i] = -1;
  for (int32_t t = 0; t < part->n_tets; t++) {
    if (!part->mine[t]) continue;
    piece->n_cells++;
    for (int i = 0; i < nodes; i++) {
      if (piece->point_of[part->tet[t][i]] < 0) piece->point_of[part->tet[t][i]] = piece->n_points++;
    }
  }
  return IRZ_OK;
}

static IrzCode piece_alloc(Piece *piece, int nodes, int n_pulses, IrzError *error) {
  size_t points = (size_t)piece->n_points, cells = (size_t)piece->n_cells;
  IRZ_TRY(irz_alloc(&piece->points, 3 * points, sizeof(double), error));
  IRZ_TRY(irz_alloc(&piece->cells, (size_t)nodes * cells, sizeof(int32_t), error));
  IRZ_TRY(irz_alloc(&piece->potential, (size_t)n_pulses, sizeof *piece->potential, error));
  for (int i = 0; i < n_pulses; i++) IRZ_TRY(irz_alloc(&piece->potential[i], points, sizeof(double), error));
  IRZ_TRY(irz_alloc(&piece->field, points, sizeof(double), error));
  IRZ_TRY(irz_alloc(&piece->conductivity, points, sizeof(double), error));
  IRZ_TRY(irz_alloc(&piece->vector, 3 * cells, sizeof(double), error));
  IRZ_TRY(irz_alloc(&piece->survival, points, sizeof(double), error));
  IRZ_TRY(irz_alloc(&piece->zone, points, 1, error));
  IRZ_TRY(irz_alloc(&piece->region, cells, sizeof(int32_t), error));
  IRZ_TRY(irz_alloc(&piece->arrays, (size_t)n_pulses + 7, sizeof *piece->arrays, error));
  return irz_alloc(&piece->names, (size_t)n_pulses, sizeof *piece->names, error);
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

/// Gradient at the middle of a tetrahedron for the pulse in which it is largest, turned into a field in V/cm.
static void middle_field(const IrzModel *model, int32_t t, double x[10][3], bool bent, int nodes, double vector[3]) {
  static const double middle[4] = {0.25, 0.25, 0.25, 0.25};
  double largest = -1;
  for (int p = 0; p < model->n_met; p++) {
    double u[10], g[3];
    for (int i = 0; i < 10; i++) u[i] = model->met[p][model->part->tet[t][i]];
    irz_gradient(x, bent, nodes, u, middle, g);
    double square = g[0] * g[0] + g[1] * g[1] + g[2] * g[2];
    if (square <= largest) continue;
    largest = square;
    for (int d = 0; d < 3; d++) vector[d] = -g[d] / 100;
  }
}

/// A point's conductivity in the region where it was worked out last: the tetrahedra around a node are mostly in one.
typedef struct {
  double sigma;
  int region; ///< 1 + index; 0: none yet
} LastSigma;

/// Fill points, cells and arrays. At a node between regions the conductivity is the mean of theirs, weighted with
/// volumes, and the node is in the zone if it is for one of them. Where a tissue conducts differently in different
/// directions it is the conductivity along the field; the whole tensor is given for the middles of cells.
static IrzCode piece_fill(const IrzModel *model, const IrzPlan *plan, int nodes, const double *drawn, Piece *piece,
                          IrzError *error) {
  const IrzPart *part = model->part;
  int32_t curved = 0, cell = 0;
  double *weight = NULL;
  LastSigma *last = NULL;
  const IrzTissue **tissues = NULL; /* of the regions */
  IrzCode code = irz_alloc(&weight, (size_t)piece->n_points, sizeof *weight, error);
  if (code == IRZ_OK) code = irz_alloc(&last, (size_t)piece->n_points, sizeof *last, error);
  if (code == IRZ_OK) code = irz_alloc(&tissues, (size_t)model->medium->n_regions, sizeof *tissues, error);
  if (code != IRZ_OK) {
    free(weight);
    free(last);
    return code;
  }
  for (int r = 0; r < model->medium->n_regions; r++) {
    tissues[r] = &plan->tissues[irz_plan_tissue(plan, model->medium->regions[r].name)];
  }
  for (int32_t t = 0; t < part->n_tets; t++) {
    bool bent = curved < part->n_curved && part->curved_tet[curved] == t;
    double x[10][3];
    int32_t bend = bent ? curved : -1;
    curved += bent;
    if (!part->mine[t]) continue;
    irz_part_nodes(part, t, bend, x);
    int region = model->medium->region[t];
    const IrzTissue *tissue = tissues[region];
    double zero[10] = {0}, middle[4] = {0.25, 0.25, 0.25, 0.25}, unused[3];
    double volume = irz_gradient(x, bent, nodes, zero, middle, unused), *vector = piece->vector + 3 * (size_t)cell;
    middle_field(model, t, x, bent, nodes, vector);
    if (piece->tensor != NULL) {
      const double field[3] = {100 * vector[0], 100 * vector[1], 100 * vector[2]};
      irz_law_tensor(&tissue->sigma, field, NULL, piece->tensor + 6 * (size_t)cell, NULL);
    }
    for (int i = 0; i < nodes; i++) {
      int32_t node = part->tet[t][i], point = piece->point_of[node];
      piece->cells[(size_t)nodes * (size_t)cell + (size_t)i] = piece->point_of[part->tet[t][vtk_node[i]]];
      double field = model->recovered[node];
      if (last[point].region != region + 1 || tissue->sigma.direction != IRZ_LAW_ISOTROPIC) {
        last[point] = (LastSigma){along(&tissue->sigma, field, vector), region + 1};
      }
      piece->conductivity[point] += volume * last[point].sigma;
      weight[point] += volume;
      if (field >= tissue->threshold) piece->zone[point] = 1;
      if (weight[point] != volume) continue; /* met before */
      for (int d = 0; d < 3; d++) piece->points[3 * (size_t)point + (size_t)d] = x[i][d];
      piece->field[point] = drawn[node] / 100;
      if (model->survival != NULL) piece->survival[point] = model->survival[node];
      for (int p = 0; p < model->n_pulses; p++) piece->potential[p][point] = model->potential[p][node];
    }
    piece->region[cell] = region;
    cell++;
  }
  for (int32_t i = 0; i < piece->n_points; i++) piece->conductivity[i] /= weight[i];
  free(weight);
  free(last);
  free(tissues);
  return IRZ_OK;
}

/// Values of the points from values of the part's nodes.
static void to_points(const IrzPart *part, const Piece *piece, const double *node, double *point) {
  for (int32_t i = 0; i < part->n_vertices + part->n_edges; i++) {
    if (piece->point_of[i] >= 0) point[piece->point_of[i]] = node[i];
  }
}

/// Make the folder and its parents.
static IrzCode make_folder(const char *path, IrzError *error) {
  char part[IRZ_PATH_MAX];
  snprintf(part, sizeof part, "%s", path);
  for (char *c = part + 1;; c++) {
    if (*c != '/' && *c != '\0') continue;
    char end = *c;
    *c = '\0';
    if (mkdir(part, 0777) != 0 && errno != EEXIST) {
      return irz_error_set(error, IRZ_ERR_OUTPUT, "%s: cannot make the folder: %s", part, strerror(errno));
    }
    *c = end;
    if (end == '\0') return IRZ_OK;
  }
}

/// Write the temperature's frames and the list with their times, which ParaView opens as one animation (a VTKHDF file
/// with several times needs ParaView 5.12). Collective.
static IrzCode write_frames(IrzModel *model, const char *directory, const IrzSummary *summary, Piece *piece, int nodes,
                            IrzError *error) {
  const char *plan_name = summary->plan->name;
  char path[IRZ_PATH_MAX + IRZ_NAME_MAX + 32], *text = NULL;
  size_t size;
  if (summary->heat == NULL || model->heat.n_frames == 0) return IRZ_OK;
  for (int k = 0; k < model->heat.n_frames; k++) {
    const IrzArray arrays[] = {{"temperature_C", IRZ_FLOAT64, 1, piece->field}};
    const IrzArray cell_arrays[] = {{"region", IRZ_INT32, 1, piece->region}};
    IrzGrid grid = {piece->n_points, piece->points, piece->n_cells, nodes, piece->cells, 1, arrays, 1, cell_arrays};
    to_points(model->part, piece, model->heat.frame[k], piece->field);
    snprintf(path, sizeof path, "%s/%s_heat_%04d.hdf", directory, plan_name, k);
    IRZ_TRY(irz_vtkhdf_write(model->comm, path, &grid, summary->plan->text, NULL, error));
  }
  if (model->part->rank == 0) {
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) return irz_error_set(error, IRZ_ERR_OUTPUT, "%s: no memory for the list of frames", path);
    fprintf(out, "{\"file-series-version\": \"1.0\", \"files\": [");
    for (int k = 0; k < model->heat.n_frames; k++) {
      fprintf(out, "%s\n  {\"name\": \"%s_heat_%04d.hdf\", \"time\": %.9g}", k > 0 ? "," : "", plan_name, k,
              model->heat.frame_time[k]);
    }
    fprintf(out, "\n]}\n");
    fclose(out);
    snprintf(path, sizeof path, "%s/%s_heat.hdf.series", directory, plan_name);
    irz_file_write(path, text, error);
    free(text);
  }
  return irz_error_agree(model->comm, error);
}

/// Write the heating's time series as a table. On one rank.
static IrzCode write_table(const char *directory, const IrzSummary *summary, IrzError *error) {
  const IrzPlan *plan = summary->plan;
  char path[IRZ_PATH_MAX + IRZ_NAME_MAX + 16], *text = NULL;
  size_t size;
  snprintf(path, sizeof path, "%s/%s_heat.csv", directory, plan->name);
  FILE *out = open_memstream(&text, &size);
  if (out == NULL) return irz_error_set(error, IRZ_ERR_OUTPUT, "%s: no memory for the time series", path);
  fprintf(out, "time_s,pulse,current_A,power_W,temperature_max_C");
  for (int p = 0; p < plan->n_probes; p++) fprintf(out, ",temperature_%s_C", plan->probes[p].name);
  fprintf(out, "\n");
  for (int i = 0; i < summary->heat->n_samples; i++) {
    const IrzHeatSample *sample = &summary->heat->samples[i];
    fprintf(out, "%.9g,", sample->time);
    if (sample->pulse >= 0) fprintf(out, "%d", sample->pulse + 1);
    fprintf(out, ",%.9g,%.9g,%.9g", sample->current, sample->power, sample->hottest);
    for (int p = 0; p < plan->n_probes; p++) fprintf(out, ",%.9g", sample->probe[p]);
    fprintf(out, "\n");
  }
  fclose(out);
  IrzCode code = irz_file_write(path, text, error);
  free(text);
  return code;
}

/// Write the VTKHDF file.
static IrzCode write_field(IrzModel *model, const char *directory, const char *path, IrzSummary *summary,
                           IrzError *error) {
  const IrzPlan *plan = summary->plan;
  int nodes = plan->mesh.order == 2 ? 10 : 4, n_pulses = model->n_pulses;
  Piece piece = {0};
  char *json = NULL;
  double *drawn = NULL;
  size_t n = (size_t)model->part->n_vertices + (size_t)model->part->n_edges;
  IrzCode code = number_points(model, nodes, &piece, error);
  if (code == IRZ_OK) irz_alloc(&drawn, n, sizeof *drawn, error);
  code = irz_error_agree(model->comm, error);
  if (code == IRZ_OK && plan->mesh.order == 2) code = irz_recover_drawn(model->part, model->recovered, drawn, error);
  if (code == IRZ_OK && plan->mesh.order == 1) memcpy(drawn, model->recovered, n * sizeof *drawn);
  if (code == IRZ_OK) code = piece_alloc(&piece, nodes, n_pulses, error);
  if (code == IRZ_OK && has_directions(plan)) {
    code = irz_alloc(&piece.tensor, 6 * (size_t)piece.n_cells, sizeof(double), error);
  }
  for (int k = 0; code == IRZ_OK && summary->heat != NULL && k < 3; k++) {
    code = irz_alloc(&piece.heat[k], (size_t)piece.n_points, sizeof(double), error);
  }
  if (code == IRZ_OK) code = piece_fill(model, plan, nodes, drawn, &piece, error);
  if (code == IRZ_OK && model->part->rank == 0) json = irz_summary_json(summary);
  code = irz_error_agree(model->comm, error);
  if (code == IRZ_OK) {
    for (int p = 0; p < n_pulses; p++) {
      if (n_pulses == 1)
        snprintf(piece.names[p], sizeof piece.names[p], "potential_V");
      else
        snprintf(piece.names[p], sizeof piece.names[p], "potential_V_%02d", p + 1);
      piece.arrays[p] = (IrzArray){piece.names[p], IRZ_FLOAT64, 1, piece.potential[p]};
    }
    piece.arrays[n_pulses] = (IrzArray){"field_V_per_cm", IRZ_FLOAT64, 1, piece.field};
    piece.arrays[n_pulses + 1] = (IrzArray){"conductivity_S_per_m", IRZ_FLOAT64, 1, piece.conductivity};
    piece.arrays[n_pulses + 2] = (IrzArray){"zone", IRZ_UINT8, 1, piece.zone};
    piece.arrays[n_pulses + 3] = (IrzArray){"survival", IRZ_FLOAT64, 1, piece.survival};
    const IrzArray cell_arrays[] = {{"region", IRZ_INT32, 1, piece.region},
                                    {"field_vector_V_per_cm", IRZ_FLOAT64, 3, piece.vector},
                                    {"conductivity_tensor_S_per_m", IRZ_FLOAT64, 6, piece.tensor}};
    int n_arrays = n_pulses + (model->survival != NULL ? 4 : 3);
    if (piece.heat[0] != NULL) {
      const double *node[] = {model->heat.peak, model->heat.omega, model->heat.cem43};
      const char *const name[] = {"temperature_peak_C", "thermal_damage", "cem43_min"};
      for (int k = 0; k < 3; k++) {
        to_points(model->part, &piece, node[k], piece.heat[k]);
        piece.arrays[n_arrays++] = (IrzArray){name[k], IRZ_FLOAT64, 1, piece.heat[k]};
      }
    }
    IrzGrid grid = {piece.n_points, piece.points, piece.n_cells, nodes,
                    piece.cells,    n_arrays,     piece.arrays,  piece.tensor != NULL ? 3 : 2,
                    cell_arrays};
    code = irz_vtkhdf_write(model->comm, path, &grid, plan->text, json, error);
    if (code == IRZ_OK) code = write_frames(model, directory, summary, &piece, nodes, error);
  }
  free(json);
  free(drawn);
  piece_clear(&piece, n_pulses);
  return code;
}

IrzCode irz_model_write(IrzModel *model, const char *directory, IrzSummary *summary, IrzError *error) {
  double start = MPI_Wtime();
  char path[IRZ_PATH_MAX + IRZ_NAME_MAX + 16];
  if (model->part->rank == 0) make_folder(directory, error);
  IRZ_TRY(irz_error_agree(model->comm, error));
  snprintf(path, sizeof path, "%s/%s.hdf", directory, summary->plan->name);
  IRZ_TRY(write_field(model, directory, path, summary, error));
  double seconds = MPI_Wtime() - start;
  summary->timing.output += seconds;
  summary->timing.total += seconds;
  if (model->part->rank == 0) {
    char *json = irz_summary_json(summary);
    snprintf(path, sizeof path, "%s/%s.json", directory, summary->plan->name);
    if (json == NULL)
      irz_error_set(error, IRZ_ERR_OUTPUT, "%s: no memory for the summary", path);
    else
      irz_file_write(path, json, error);
    free(json);
    if (error->code == IRZ_OK && summary->heat != NULL) write_table(directory, summary, error);
  }
  return irz_error_agree(model->comm, error);
}
