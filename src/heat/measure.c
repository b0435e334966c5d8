/* Volumes of heated tissue. */
#include "field/kernel.h"
#include "heat/heat.h"
#include "zone/cut.h"
#include <math.h>

/// Equivalent minutes at 43 C that coagulate (recalled, not checked).
#define CEM43_LETHAL 240.0

enum { V50, DAMAGE, CEM43, ZONE, ZONE_DAMAGE, N_VOLUMES };

/// Level functions of one node: not negative inside.
static void levels(double peak, double omega, double cem43, double field, double threshold, double f[N_VOLUMES]) {
  f[V50] = peak - 50;
  /* In logarithms, in which damage is nearly linear in space. */
  f[DAMAGE] = log(fmax(omega, 1e-12));
  f[CEM43] = log(fmax(cem43, 1e-12) / CEM43_LETHAL);
  f[ZONE] = field / threshold - 1;
  f[ZONE_DAMAGE] = fmin(f[DAMAGE], f[ZONE]);
}

IrzCode irz_heat_measure(const IrzHeatTask *task, const IrzHeatFields *fields, IrzHeatResult *result, IrzError *error) {
  const IrzMedium *medium = task->medium;
  const IrzPart *part = medium->part;
  double sums[N_VOLUMES] = {0}, all[N_VOLUMES];
  int32_t curved = 0;
  for (int32_t t = 0; t < part->n_tets; t++) {
    bool bent = curved < part->n_curved && part->curved_tet[curved] == t;
    double x[10][3], f[10][N_VOLUMES], zero[10] = {0}, middle[4] = {0.25, 0.25, 0.25, 0.25}, unused[3];
    int32_t bend = bent ? curved : -1;
    curved += bent;
    if (!part->mine[t]) continue;
    irz_part_nodes(part, t, bend, x);
    double volume = irz_gradient(x, bent, 4, zero, middle, unused) / 6;
    for (int i = 0; i < 10; i++) {
      int32_t node = part->tet[t][i];
      levels(fields->peak[node], fields->omega[node], fields->cem43[node],
             task->recovered[irz_tet_rows(task->sides, part, t)[i]], task->threshold[medium->region[t]], f[i]);
    }
    for (int c = 0; c < 8; c++) {
      for (int k = 0; k < N_VOLUMES; k++) {
        double corner[4];
        for (int i = 0; i < 4; i++) corner[i] = f[irz_child_nodes[c][i]][k];
        sums[k] += volume / 8 * irz_cut_fraction(corner);
      }
    }
  }
  MPI_Allreduce(sums, all, N_VOLUMES, MPI_DOUBLE, MPI_SUM, part->comm);
  result->volume_50 = all[V50];
  result->volume_damage = all[DAMAGE];
  result->volume_cem43 = all[CEM43];
  result->zone_damage = all[ZONE_DAMAGE];
  result->thermal_share = all[ZONE] > 0 ? all[ZONE_DAMAGE] / all[ZONE] : 0;
  return irz_error_agree(part->comm, error);
}
