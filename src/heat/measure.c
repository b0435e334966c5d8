/* Volumes of heated tissue, and how far off they and the highest temperature are.

   Errors come from differences between integrations that go along. What order 1 changes, with the same steps, is most
   of the error of order 1 and several times that of order 2; steps twice as long have four times the error of the
   steps; and the heat is off as the currents are, which scales the rise of the temperature. */
#include "base/memory.h"
#include "field/kernel.h"
#include "heat/damage.h"
#include "heat/heat.h"
#include "zone/cut.h"
#include "zone/sharpen.h"
#include <math.h>
#include <stdlib.h>

/// Equivalent minutes at 43 C that coagulate (recalled, not checked).
#define CEM43_LETHAL 240.0

enum { V50, DAMAGE, CEM43, ZONE, ZONE_DAMAGE, N_VOLUMES };
enum { N_SMOOTH = 3 }; ///< the first, whose levels are smooth

/// Parts of the differences that count: of order 1 from order 2 as the error of order 2, and of steps twice as long;
/// the part of the largest change at any node that counts for the highest temperature, and the part of the error of the
/// highest temperature that counts where volumes end: they are often thin and close to the metal.
/// Chosen on the plans of docs/heat.md so that errors are within.
static const double space_share = 0.3, step_share = 0.5, anywhere_share = 0.1, near_share = 0.4;

/// What is measured in one integration.
typedef struct {
  const IrzHeatTask *task;
  double *level[N_SMOOTH]; ///< [nodes of the part] temperatures that compare with `lethal`, C
  double lethal[N_SMOOTH];
} Measured;

/// Fill the temperatures at the nodes.
/// @param[in] warmer  the rise of the temperature is taken this much larger, relative
static void fill_levels(const Measured *m, const IrzHeatReached *reached, double warmer) {
  const IrzHeatPlan *heat = &m->task->plan->heat;
  const IrzPart *part = m->task->medium->part;
  const IrzArrhenius *set = irz_arrhenius(heat->damage);
  for (int32_t i = 0; i < part->n_vertices + part->n_edges; i++) {
    double more = warmer * (reached->peak[i] - heat->body);
    m->level[V50][i] = reached->peak[i] + more;
    m->level[DAMAGE][i] = irz_damage_equivalent(set, reached->omega[i]) + more;
    m->level[CEM43][i] = irz_cem43_equivalent(reached->cem43[i]) + more;
  }
}

/// A quadratic may go beyond its values at the nodes by this share of their differences.
static const double overshoot = 0.25;

/// A quantity of order 2 for irz_cut_volume().
static double quadratic(void *context, const double l[4]) {
  return irz_quadratic(context, l);
}

/// Volume of a tetrahedron in which a quantity of order 2 reaches a level.
static double cut(const IrzLattice *lattice, const IrzCell *cell, double value[10], double level) {
  double low = value[0], high = value[0], at[IRZ_LATTICE_POINTS];
  for (int i = 1; i < 10; i++) {
    low = fmin(low, value[i]);
    high = fmax(high, value[i]);
  }
  double beyond = overshoot * (high - low);
  if (high + beyond < level) return 0;
  if (low - beyond >= level) return cell->volume;
  IrzPlaced placed;
  irz_cell_place(cell, lattice, &placed);
  for (int p = 0; p < lattice->n_points; p++) at[p] = irz_quadratic(value, lattice->l[p]);
  return irz_cut_volume(lattice, &placed, at, level, quadratic, value);
}

/// The zone, as it is drawn, and what heat destroys of it: linear pieces have its volume.
/// @param[in] damaged  what heat destroys of the tetrahedron, in the zone or not, m^3
static void add_zone(const Measured *m, const IrzCell *cell, double f[N_SMOOTH][10], double damaged,
                     double sums[N_VOLUMES]) {
  double zone = 0, both = 0;
  int inside = 0;
  double threshold = m->task->threshold[cell->medium->region[cell->tet]];
  const int32_t *row = irz_tet_rows(m->task->sides, cell->medium->part, cell->tet);
  for (int c = 0; c < 8; c++) {
    double in_zone[4], in_both[4];
    for (int i = 0; i < 4; i++) {
      int k = irz_child_nodes[c][i];
      in_zone[i] = m->task->drawn[row[k]] / threshold - 1;
      in_both[i] = fmin(in_zone[i], f[DAMAGE][k] / m->lethal[DAMAGE] - 1);
      inside += in_zone[i] >= 0;
    }
    zone += cell->volume / 8 * irz_cut_fraction(in_zone);
    both += cell->volume / 8 * irz_cut_fraction(in_both);
  }
  sums[ZONE] += zone;
  sums[ZONE_DAMAGE] += inside == 32 ? damaged : inside > 0 ? both : 0;
}

/// Take the levels of a tetrahedron.
/// @return whether there may be anything to measure in it
static bool fill(const Measured *m, int32_t tet, double f[N_SMOOTH][10]) {
  const IrzMedium *medium = m->task->medium;
  const int32_t *node = medium->part->tet[tet], *row = irz_tet_rows(m->task->sides, medium->part, tet);
  bool any = false;
  for (int k = 0; k < N_SMOOTH; k++) {
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < 10; i++) {
      f[k][i] = m->level[k][node[i]];
      low = fmin(low, f[k][i]);
      high = fmax(high, f[k][i]);
    }
    any = any || high + overshoot * (high - low) >= m->lethal[k];
  }
  for (int i = 0; i < 10; i++) any = any || m->task->drawn[row[i]] >= m->task->threshold[medium->region[tet]];
  return any;
}

/// Measure this rank's tetrahedra.
static void add_part(const Measured *m, IrzCell *cell, double sums[N_VOLUMES]) {
  const IrzPart *part = m->task->medium->part;
  int32_t curved = 0;
  IrzLattice lattice;
  irz_lattice_make(1, &lattice);
  for (int32_t t = 0; t < part->n_tets; t++) {
    double f[N_SMOOTH][10];
    bool bent = irz_is_bent(part, t, &curved);
    if (!part->mine[t] || !fill(m, t, f)) continue;
    irz_cell_move(cell, t, bent ? curved : -1);
    double before = sums[DAMAGE];
    for (int k = 0; k < N_SMOOTH; k++) sums[k] += cut(&lattice, cell, f[k], m->lethal[k]);
    add_zone(m, cell, f, sums[DAMAGE] - before, sums);
  }
}

/// Measure one integration. Collective.
/// @param[out] volume  m^3
static IrzCode measure(const IrzHeatTask *task, const IrzHeatReached *reached, double warmer, double volume[N_VOLUMES],
                       IrzError *error) {
  const IrzPart *part = task->medium->part;
  Measured m = {.task = task};
  double sums[N_VOLUMES] = {0};
  IrzCell cell;
  m.lethal[V50] = 50;
  m.lethal[DAMAGE] = irz_damage_equivalent(irz_arrhenius(task->plan->heat.damage), 1);
  m.lethal[CEM43] = irz_cem43_equivalent(CEM43_LETHAL);
  irz_cell_init(&cell, task->medium, 1, 1, task->potential, error); /* whose field does not matter here */
  for (int k = 0; k < N_SMOOTH && error->code == IRZ_OK; k++) {
    irz_alloc(&m.level[k], (size_t)part->n_vertices + (size_t)part->n_edges, sizeof(double), error);
  }
  if (error->code == IRZ_OK) {
    fill_levels(&m, reached, warmer);
    add_part(&m, &cell, sums);
  }
  irz_cell_clear(&cell);
  for (int k = 0; k < N_SMOOTH; k++) free(m.level[k]);
  IRZ_TRY(irz_error_agree(part->comm, error));
  MPI_Allreduce(sums, volume, N_VOLUMES, MPI_DOUBLE, MPI_SUM, part->comm);
  return IRZ_OK;
}

/// Highest temperature at any node. Collective.
static double highest(const IrzPart *part, const double *peak) {
  double largest = -INFINITY;
  for (int32_t i = 0; i < part->n_vertices + part->n_edges; i++) largest = fmax(largest, peak[i]);
  MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPI_DOUBLE, MPI_MAX, part->comm);
  return largest;
}

/// Largest change at any node that order 2 makes. At one place, such as the hottest, orders may agree by chance.
/// Collective.
static double largest_change(const IrzPart *part, const double *high, const double *low) {
  double largest = 0;
  for (int32_t i = 0; i < part->n_vertices + part->n_edges; i++) largest = fmax(largest, fabs(high[i] - low[i]));
  MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPI_DOUBLE, MPI_MAX, part->comm);
  return largest;
}

/// Error of a quantity.
/// @param[in] order    of what is asked for
/// @param[in] reached  [1 + IRZ_HEAT_CHECKS] in the integrations, see IrzHeatFields
/// @param[in] warmer   with a larger rise, as much as that may be off
static double error_of(int order, const double *reached, double warmer) {
  double space = space_share * (order == 2 ? reached[0] - reached[2] : reached[2] - reached[3]);
  double steps = step_share * (order == 2 ? reached[2] - reached[1] : reached[0] - reached[1]);
  return sqrt(space * space + steps * steps + (warmer - reached[0]) * (warmer - reached[0]));
}

IrzCode irz_heat_measure(const IrzHeatTask *task, const IrzHeatFields *fields, IrzHeatResult *result, IrzError *error) {
  const IrzPart *part = task->medium->part;
  int order = task->plan->heat.order;
  double volume[N_VOLUMES][1 + IRZ_HEAT_CHECKS], one[N_VOLUMES], warmer[N_VOLUMES], off[N_VOLUMES];
  double peak[1 + IRZ_HEAT_CHECKS], share[1 + IRZ_HEAT_CHECKS];
  for (int k = 0; k < fields->n_reached; k++) {
    IRZ_TRY(measure(task, &fields->reached[k], 0, one, error));
    for (int i = 0; i < N_VOLUMES; i++) volume[i][k] = one[i];
    share[k] = one[ZONE] > 0 ? one[ZONE_DAMAGE] / one[ZONE] : 0;
    peak[k] = highest(part, fields->reached[k].peak);
  }
  double rise = fabs(peak[0] - task->plan->heat.body),
         own = error_of(order, peak, peak[0] + task->current_error * rise);
  double anywhere =
      largest_change(part, fields->reached[order == 1 ? 2 : 0].peak, fields->reached[order == 1 ? 3 : 2].peak);
  result->peak_error = hypot(own, hypot(anywhere_share * anywhere, step_share * fields->change_of_steps));
  double near = rise > 0 ? near_share * result->peak_error / rise : 0;
  IRZ_TRY(measure(task, &fields->reached[0], hypot(task->current_error, near), warmer, error));
  for (int i = 0; i < N_VOLUMES; i++) off[i] = error_of(order, volume[i], warmer[i]);
  result->volume_50 = volume[V50][0];
  result->volume_50_error = off[V50];
  result->volume_damage = volume[DAMAGE][0];
  result->volume_damage_error = off[DAMAGE];
  result->volume_cem43 = volume[CEM43][0];
  result->volume_cem43_error = off[CEM43];
  result->zone_damage = volume[ZONE_DAMAGE][0];
  result->zone_damage_error = off[ZONE_DAMAGE];
  result->thermal_share = share[0];
  double hotter = warmer[ZONE] > 0 ? warmer[ZONE_DAMAGE] / warmer[ZONE] : 0;
  result->thermal_share_error = hypot(error_of(order, share, hotter), share[0] * task->zone_error);
  return IRZ_OK;
}
