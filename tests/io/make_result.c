/* make_result DIR NAME N ORDER [RAS]: write DIR/NAME.hdf and DIR/NAME.json with a made-up field whose zone is known
   exactly, for tests of what reads results. Two needles at x = -10 and 10 mm are named; the field knows nothing of
   them: it falls linearly with the distance from the origin from 1000 V/cm, so that the zone (500 V/cm and more) is a
   ball of 20 mm radius in a box of 60 mm, with a hemisphere in each of the regions "default" and "tumour". */
#include "box_grid.h"
#include "plan/plan.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RADIUS 0.02
#define PI 3.14159265358979323846

static const double center[3] = {0.004, 0.002, 0};

static double ball_field(const double x[3]) {
  return 500 * (2 - sqrt(pow(x[0] - center[0], 2) + pow(x[1] - center[1], 2) + pow(x[2], 2)) / RADIUS);
}

static void fill_plan(IrzPlan *plan, const char *name) {
  static char text[] = "name: ball\n";
  static char *warnings[] = {"this result is made up"};
  snprintf(plan->name, sizeof plan->name, "%s", name);
  plan->text = text;
  plan->n_probes = 2;
  for (int i = 0; i < 2; i++) {
    IrzProbe *probe = &plan->probes[i];
    snprintf(probe->name, sizeof probe->name, "%c", 'A' + i);
    probe->tip[0] = i == 0 ? -0.01 : 0.01;
    probe->tip[2] = -0.01;
    probe->direction[2] = 1;
    probe->exposure = 0.02;
    probe->diameter = 0.00107;
    probe->has_geometry = true;
  }
  plan->n_warnings = 1;
  plan->warnings = warnings;
}

static void fill_summary(IrzSummary *summary, IrzPulseResult *pulse, IrzRegionVolume regions[2]) {
  const double ball = 4 * PI / 3 * pow(RADIUS, 3);
  *pulse = (IrzPulseResult){.from = "A",
                            .to = "B",
                            .voltage = 3000,
                            .current = 19.36,
                            .current_error = -1,
                            .resistance = 155,
                            .newton_iterations = 6,
                            .linear_iterations = 30,
                            .potential = {3000, 0},
                            .electrode_current = {19.36, -19.36}};
  for (int i = 0; i < 2; i++) {
    regions[i] = (IrzRegionVolume){"", 50000, 0.06 * 0.06 * 0.03, ball / 2, -1};
    snprintf(regions[i].region, sizeof regions[i].region, "%s", i == 0 ? "default" : "tumour");
  }
  snprintf(summary->status, sizeof summary->status, "converged");
  summary->n_pulses = 1;
  summary->pulses = pulse;
  summary->zone = (IrzZone){.threshold = 50000,
                            .volume = ball,
                            .volume_error = 0.002 * ball,
                            .n_parts = 1,
                            .largest_part = ball,
                            .n_also = 1,
                            .also = {{60000, 4 * PI / 3 * pow(0.8 * RADIUS, 3), -1}},
                            .n_regions = 2,
                            .regions = regions};
  for (int d = 0; d < 3; d++) {
    summary->zone.box[0][d] = center[d] - RADIUS;
    summary->zone.box[1][d] = center[d] + RADIUS;
  }
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (argc < 5) {
    if (rank == 0) fprintf(stderr, "usage: make_result DIR NAME N ORDER [RAS]\n");
    MPI_Finalize();
    return 2;
  }
  const int n = atoi(argv[3]), order = atoi(argv[4]);
  IrzPlan plan = {0};
  IrzPulseResult pulse;
  IrzRegionVolume regions[2];
  IrzSummary summary = {.plan = &plan, .order = order, .ranks = size, .threads = 1};
  fill_plan(&plan, argv[2]);
  if (argc > 5) snprintf(plan.anatomy.labels, sizeof plan.anatomy.labels, "labels.nii");
  fill_summary(&summary, &pulse, regions);
  summary.cells = 6L * n * n * n;
  summary.vertices = (n + 1L) * (n + 1L) * (n + 1L);
  summary.unknowns = (order * n + 1L) * (order * n + 1L) * (order * n + 1L);

  BoxGrid box;
  IrzError error = {0};
  char path[1024];
  char *json = irz_summary_json(&summary);
  box_grid_make(&box, n, order, 0.06, ball_field, rank, size);
  const char *const names[] = {regions[0].region, regions[1].region};
  box.grid.n_names = 2;
  box.grid.names = names;
  snprintf(path, sizeof path, "%s/%s.hdf", argv[1], argv[2]);
  IrzCode code = irz_vtkhdf_write(MPI_COMM_WORLD, path, &box.grid, plan.text, json, &error);
  snprintf(path, sizeof path, "%s/%s.json", argv[1], argv[2]);
  if (code == IRZ_OK && rank == 0) code = irz_file_write(path, json, &error);
  if (code == IRZ_OK && rank == 0) irz_summary_print(&summary, stdout);
  if (code != IRZ_OK && rank == 0) fprintf(stderr, "make_result: %s\n", error.text);
  box_grid_free(&box);
  free(json);
  MPI_Finalize();
  return code;
}
