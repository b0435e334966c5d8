/* The heat equation in time; see heat.h.

   M dT/dt + K T = f, T above body temperature, is integrated with the trapezoidal rule: of order 2, and its energy
   balance is exact. As that rule would let a switch of the generator ring on at the finest elements, the first step
   after each switch is two halves by the implicit Euler rule, which damps (Rannacher 1984) and leaves the order as it
   is; both need the same matrix.

   Along with it go others, on the same timeline, whose differences tell the errors: one of order 1 with steps twice
   as long, and, if order 2 is asked for, one of order 1. At order 1 a step costs a twentieth of one of order 2. If
   order 1 is asked for, order 2 goes along in long steps: those before the last packet of a pair see its heat averaged
   over packets and pauses. What it changes against order 1 in the same long steps is added: near the metal that change
   follows the source within seconds, and the last packet is the hottest. */
#include "heat/heat.h"
#include "base/deadline.h"
#include "base/memory.h"
#include "base/petsc.h"
#include "heat/damage.h"
#include "heat/implicit.h"
#include "heat/thermal.h"
#include "heat/timeline.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/// One integration.
typedef struct {
  const IrzThermal *thermal;
  IrzImplicit implicit;
  bool follows;                 ///< in steps of its own, once a stretch is whole
  double *temperature;          ///< [n_local] above body
  double *before;               ///< [n_owned] at the step before
  double *change;               ///< [n_local] K, over the last step of this segment; 0 before
  double last;                  ///< s, length of that step; 0: none
  double *load;                 ///< [n_owned] heat put in now, W
  double *free_load;            ///< [n_owned] the same, 0 at fixed unknowns
  double *joule;                ///< [n_owned] W while the voltage of `joule_pulse` is on, at the temperature `joule_at`
  double *joule_at;             ///< [n_owned] full coupling: temperature above body that `joule` belongs to
  double *rise;                 ///< [n_owned] full coupling: of the conductivity, 1/K
  double *peak, *omega, *cem43; ///< [n_local] C, of irz_damage_step(), min
  double *ratio;                ///< [n_owned] of irz_damage_step()
} Member;

/// What a run works on.
typedef struct {
  const IrzHeatTask *task;
  const IrzArrhenius *arrhenius;
  IrzThermal *thermal[2]; ///< of the order asked for, and of the other
  int n_members;
  Member member[1 + IRZ_HEAT_CHECKS]; ///< the first is what is asked for
  Member *high, *low;   ///< the member of order 2, and the one of order 1 with the same steps, which goes ahead
  int32_t (*parent)[2]; ///< [n_local of `high`] unknowns of order 1 that one of order 2 is about the mean of
  double *beyond;       ///< [n_owned of `high`] K, what the last step's change had beyond that of order 1
  IrzSegment stretch;   ///< that the long steps have not gone over yet; its duty is a time with voltage, s
  int joule_pulse;      ///< whose heat `joule` of the members is; -1: none
  bool first_pulse;     ///< full coupling: the field of its first pulse has not been kept yet
  double joule_power;   ///< W, now
  IrzPoints floor;      ///< what tissue remembers of earlier pairs, S/m; empty without memory
  double *scale;        ///< [n_tets] full coupling: factor on the conductivity
  double *u;            ///< [n_local of the field's space] full coupling: potential, V
  size_t n_nodes;       ///< of the part
  double *node;         ///< [n_nodes] scratch
  double *scratch;      ///< [largest n_local]
  double time;          ///< s, of the first member
  const IrzSegment *segment;
  double hottest;
  int32_t hottest_at; ///< owned unknown
  double sums[3];     ///< J: stored, perfused, conducted away; this rank's share
  double joule_heat, metabolic_power;
  size_t room; ///< samples there is room for
  int n_compared;
  double (
      *compared)[2]; ///< [n_compared] highest temperature after two steps, C, and what one step in their place changes
  IrzHeatFields *fields;
  IrzHeatResult *result;
  int next_frame;
} Run;

/// Sums that follow the energy over a step, by the rule that made the step.
static void add_energy(Run *run, double theta, double dt) {
  const Member *m = &run->member[0];
  const IrzThermal *thermal = m->thermal;
  run->joule_heat += run->segment->duty * run->joule_power * dt;
  for (int32_t i = 0; i < thermal->space->n_owned; i++) {
    double rise = m->temperature[i] - m->before[i], mean = m->before[i] + theta * rise;
    run->sums[0] += thermal->mass_sum[i] * rise;
    run->sums[1] += thermal->perfusion_sum[i] * mean * dt;
    run->sums[2] -= thermal->fixed_mass[i] * rise + thermal->fixed_stiff[i] * mean * dt;
    if (thermal->fixed[i]) run->sums[2] += m->load[i] * dt;
  }
}

/// Peak and damage over a step.
static void add_damage(const Run *run, Member *m, double dt) {
  double body = run->task->plan->heat.body;
  for (int32_t i = 0; i < m->thermal->space->n_owned; i++) {
    double from = body + m->before[i], to = body + m->temperature[i];
    if (to > m->peak[i]) m->peak[i] = to;
    irz_damage_step(run->arrhenius, from, to, dt, &m->ratio[i], &m->omega[i], &m->cem43[i]);
  }
}

/// Where it was hottest, as asked for. Local.
static void note_hottest(Run *run) {
  const Member *m = &run->member[0];
  for (int32_t i = 0; i < m->thermal->space->n_owned; i++) {
    double to = run->task->plan->heat.body + m->temperature[i];
    if (to <= run->hottest) continue;
    run->hottest = to;
    run->hottest_at = i;
  }
}

/// Temperatures of a member now: the highest, and the means over each probe's bare metal, NaN without. Collective.
static void measure_now(const Member *m, const IrzPlan *plan, IrzHeatSample *s) {
  const IrzSpace *space = m->thermal->space;
  double sums[2 * IRZ_MAX_PROBES] = {0}, all[2 * IRZ_MAX_PROBES], mine = -INFINITY, hottest;
  for (int32_t i = 0; i < space->n_owned; i++) {
    int p = space->electrode[i];
    mine = fmax(mine, m->temperature[i]);
    if (p < 0) continue;
    sums[p] += m->temperature[i];
    sums[IRZ_MAX_PROBES + p] += 1;
  }
  MPI_Allreduce(&mine, &hottest, 1, MPI_DOUBLE, MPI_MAX, space->part->comm);
  MPI_Allreduce(sums, all, 2 * IRZ_MAX_PROBES, MPI_DOUBLE, MPI_SUM, space->part->comm);
  s->hottest = plan->heat.body + hottest;
  for (int p = 0; p < IRZ_MAX_PROBES; p++) {
    s->probe[p] = all[IRZ_MAX_PROBES + p] > 0 ? plan->heat.body + all[p] / all[IRZ_MAX_PROBES + p] : NAN;
  }
}

/// Append a line of the time series. Collective.
static IrzCode sample(Run *run, int pulse, double duty, IrzError *error) {
  IrzHeatResult *result = run->result;
  if ((size_t)result->n_samples == run->room) {
    run->room = 2 * run->room + 256;
    irz_resize(&result->samples, run->room, sizeof *result->samples, error);
    IRZ_TRY(irz_error_agree(run->task->medium->part->comm, error));
  }
  IrzHeatSample *s = &result->samples[result->n_samples++];
  *s = (IrzHeatSample){.time = run->time, .pulse = pulse};
  if (pulse >= 0) {
    s->current = run->joule_power / run->task->voltage[pulse];
    s->power = run->joule_power * duty;
  }
  measure_now(&run->member[0], run->task->plan, s);
  return IRZ_OK;
}

/// Keep the frames that a step passed, linear in time between its ends. Collective.
/// @param[in] dt  length of the step, s; 0: none
static IrzCode keep_frames(Run *run, double dt, IrzError *error) {
  const Member *m = &run->member[0];
  const IrzSpace *space = m->thermal->space;
  double body = run->task->plan->heat.body;
  while (run->next_frame < run->fields->n_frames) {
    double wanted = run->fields->frame_time[run->next_frame];
    if (wanted > run->time * (1 + 1e-12)) break;
    double share = dt > 0 ? (wanted - (run->time - dt)) / dt : 1;
    for (int32_t i = 0; i < space->n_owned; i++) {
      run->scratch[i] = body + m->before[i] + share * (m->temperature[i] - m->before[i]);
    }
    IRZ_TRY(irz_petsc(irz_space_share(space, run->scratch), "heat", error));
    irz_space_nodes(space, run->scratch, run->fields->frame[run->next_frame++]);
  }
  return IRZ_OK;
}

/// Joule heat of a potential for every member. Local.
static void set_joule(Run *run, const double *scale, const double *potential) {
  const IrzHeatTask *task = run->task;
  const IrzPoints *floor = run->floor.fast != NULL ? &run->floor : NULL;
  const IrzThermal *thermals[] = {run->high->thermal, run->low->thermal};
  double *loads[] = {run->high->joule, run->low->joule};
  irz_thermal_joule(2, thermals, task->order, task->laws, floor, scale, potential, loads);
  for (int k = 0; k < run->n_members; k++) {
    Member *m = &run->member[k];
    if (m == run->high || m == run->low) continue;
    memcpy(m->joule, run->low->joule, (size_t)m->thermal->space->n_owned * sizeof *m->joule);
  }
}

/// Turn to a pair: its heat at 37 C, from the field as it was solved. Local.
static void turn_to(Run *run, int pulse) {
  const IrzHeatTask *task = run->task;
  if (run->joule_pulse >= 0 && run->floor.fast != NULL) {
    const double *met =
        run->fields->last != NULL ? run->fields->last[run->joule_pulse] : task->potential[run->joule_pulse];
    irz_points_remember(task->medium, task->order, task->laws, met, &run->floor);
  }
  set_joule(run, NULL, task->potential[pulse]);
  run->joule_pulse = pulse;
  run->first_pulse = true;
  if (task->plan->heat.coupling == IRZ_COUPLING_NONE) return;
  for (int k = 0; k < run->n_members; k++) {
    Member *m = &run->member[k];
    for (int32_t i = 0; i < m->thermal->space->n_owned; i++) m->joule_at[i] = 37 - task->plan->heat.body;
  }
  memcpy(run->u, task->unknown[pulse], (size_t)irz_field_space(task->field)->n_local * sizeof *run->u);
}

/// Temperature above body in the middle of a step, as the last step lets expect it.
static double expected(const Member *m, int32_t i, double length) {
  return m->temperature[i] + (m->last > 0 ? 0.5 * length / m->last * m->change[i] : 0);
}

/// Solve the field of the pair that fires again, at the temperature that is expected in the middle of a step.
/// Collective.
/// @param[in]  length  of the step, s; 0: at the temperature as it is
/// @param[out] report  may be NULL
static IrzCode solve_again(Run *run, double length, IrzReport *report, IrzError *error) {
  const IrzHeatTask *task = run->task;
  const IrzPulse *pulse = &task->plan->pulses[run->joule_pulse];
  const IrzSpace *space = run->thermal[0]->space;
  size_t nodes = (size_t)space->part->n_vertices + (size_t)space->part->n_edges;
  IrzProblem problem = {.laws = task->laws,
                        .tolerance = task->plan->solver.tolerance,
                        .floor = run->floor.fast != NULL ? &run->floor : NULL,
                        .scale = run->scale};
  IrzReport unused;
  if (report == NULL) report = &unused;
  for (int32_t i = 0; i < space->n_owned; i++) run->scratch[i] = expected(&run->member[0], i, length);
  IRZ_TRY(irz_petsc(irz_space_share(space, run->scratch), "heat", error));
  irz_space_nodes(space, run->scratch, run->node);
  for (size_t i = 0; i < nodes; i++) run->node[i] += task->plan->heat.body;
  irz_thermal_scale(run->thermal[0], run->node, run->scale);
  problem.fixed[pulse->from] = problem.fixed[pulse->to] = true;
  problem.potential[pulse->from] = task->voltage[run->joule_pulse];
  IRZ_TRY(irz_field_solve(task->field, &problem, true, run->u, report, error));
  irz_space_nodes(irz_field_space(task->field), run->u, run->node);
  set_joule(run, run->scale, run->node);
  for (int k = 0; k < run->n_members; k++) {
    Member *m = &run->member[k];
    for (int32_t i = 0; i < m->thermal->space->n_owned; i++) {
      /* Who follows is not there yet, but this is the temperature that the field belongs to. */
      double now = m->follows ? 0.5 * (run->scratch[m == run->high ? run->parent[i][0] : i] +
                                       run->scratch[m == run->high ? run->parent[i][1] : i])
                              : expected(m, i, length);
      m->joule_at[i] = now;
    }
  }
  run->result->field_solves++;
  return IRZ_OK;
}

/// Keep a potential at the nodes as that of the pair that fires.
static void keep_potential(const Run *run, const double *potential, double *const *place) {
  const IrzPart *part = run->task->medium->part;
  size_t nodes = (size_t)part->n_vertices + (size_t)part->n_edges;
  memcpy(place[run->joule_pulse], potential, nodes * sizeof *potential);
}

/// After the last pulse of a pair: with full coupling its field at the temperature that has been reached. Collective.
static IrzCode end_pair(Run *run, IrzError *error) {
  int pulse = run->joule_pulse;
  if (run->task->plan->heat.coupling == IRZ_COUPLING_NONE) return IRZ_OK;
  IRZ_TRY(solve_again(run, 0, &run->fields->report[pulse], error));
  keep_potential(run, run->node, run->fields->last);
  return IRZ_OK;
}

/// With full coupling: a new field if the conductivity, weighted with the heat, has changed by more than 2 %.
/// Collective.
static IrzCode update_field(Run *run, double length, IrzError *error) {
  const double enough = 0.02;
  const Member *m = &run->member[0];
  double mine[2] = {0, 0}, all[2];
  for (int32_t i = 0; i < m->thermal->space->n_owned; i++) {
    mine[0] += m->joule[i] * fabs(m->rise[i] * (expected(m, i, length) - m->joule_at[i]));
    mine[1] += m->joule[i];
  }
  MPI_Allreduce(mine, all, 2, MPI_DOUBLE, MPI_SUM, run->task->medium->part->comm);
  bool again = all[0] > enough * all[1];
  if (again) IRZ_TRY(solve_again(run, length, NULL, error));
  if (run->first_pulse) {
    keep_potential(run, again ? run->node : run->task->potential[run->joule_pulse], run->fields->first);
  }
  return IRZ_OK;
}

/// Heat of a member's next step. With full coupling it is taken at the temperature in the step's middle, with the last
/// field and the conductivity of then. Local.
/// @return Joule heat while there is voltage, W, of this rank
static double fill_load(const Run *run, Member *m, double length) {
  const IrzHeatPlan *heat = &run->task->plan->heat;
  bool fires = run->segment->pulse >= 0, coupled = fires && heat->coupling == IRZ_COUPLING_FULL;
  double power = 0;
  for (int32_t i = 0; i < m->thermal->space->n_owned; i++) {
    double joule = fires ? m->joule[i] : 0;
    if (coupled) {
      double then = fmax(0.1, 1 + m->rise[i] * (m->joule_at[i] + heat->body - 37));
      joule *= fmax(0.1, then + m->rise[i] * (expected(m, i, length) - m->joule_at[i])) / then;
    }
    power += joule;
    m->load[i] = m->thermal->metabolic[i] + run->segment->duty * joule;
    m->free_load[i] = m->thermal->fixed[i] ? 0 : m->load[i];
  }
  return power;
}

/// Heat of the next step of what is asked for. Collective.
static IrzCode prepare_source(Run *run, double length, IrzError *error) {
  const IrzHeatTask *task = run->task;
  int pulse = run->segment->pulse;
  bool coupled = pulse >= 0 && task->plan->heat.coupling == IRZ_COUPLING_FULL;
  if (pulse >= 0 && pulse != run->joule_pulse) turn_to(run, pulse);
  if (coupled) IRZ_TRY(update_field(run, length, error));
  double power = fill_load(run, &run->member[0], length);
  MPI_Allreduce(&power, &run->joule_power, 1, MPI_DOUBLE, MPI_SUM, task->medium->part->comm);
  if (coupled && run->first_pulse) {
    run->fields->first_current[pulse] = run->joule_power / task->voltage[pulse];
    run->first_pulse = false;
  }
  return IRZ_OK;
}

/// Begin a stretch: what changed before tells nothing about what changes now.
static void rest_member(Member *m) {
  memset(m->change, 0, (size_t)m->thermal->space->n_local * sizeof *m->change);
  m->last = 0;
}

/// One step of a member. Collective.
static IrzCode advance(Run *run, Member *m, double theta, double dt, IrzError *error) {
  size_t n = (size_t)m->thermal->space->n_owned;
  memcpy(m->before, m->temperature, n * sizeof *m->before);
  for (size_t i = 0; i < n; i++) m->change[i] *= m->last > 0 ? dt / m->last : 0;
  int iterations = 0;
  IRZ_TRY(irz_implicit_step(&m->implicit, theta, dt, m->free_load, m->temperature, m->change, &iterations, error));
  m->last = dt;
  run->result->linear_iterations += iterations;
  add_damage(run, m, dt);
  return IRZ_OK;
}

/// What the last step of order 1 changed, at an unknown of order 2.
static double guided(const Run *run, int32_t i) {
  const double *change = run->low->change;
  return run->high->thermal->fixed[i] ? 0 : 0.5 * (change[run->parent[i][0]] + change[run->parent[i][1]]);
}

/// One step of orders 1 and 2. Order 1 goes ahead, and what it changes is the guess: what is left to be found is local.
/// Collective.
static IrzCode advance_both(Run *run, double theta, double dt, IrzError *error) {
  Member *m = run->high;
  int32_t n = m->thermal->space->n_owned;
  double share = m->last > 0 ? dt / m->last : 0;
  IRZ_TRY(advance(run, run->low, theta, dt, error));
  IRZ_TRY(irz_petsc(irz_space_share(run->low->thermal->space, run->low->change), "heat", error));
  for (int32_t i = 0; i < n; i++) m->change[i] = guided(run, i) + share * run->beyond[i];
  m->last = dt;
  IRZ_TRY(advance(run, m, theta, dt, error));
  for (int32_t i = 0; i < n; i++) run->beyond[i] = m->change[i] - guided(run, i);
  return IRZ_OK;
}

/// Two steps of what is asked for; the first is two halves if it is that of a segment. Collective.
static IrzCode step_main(Run *run, double length, bool first, IrzError *error) {
  bool both = run->high == &run->member[0], coupled = run->task->plan->heat.coupling == IRZ_COUPLING_FULL;
  for (int k = 0; k < (first ? 3 : 2); k++) {
    bool half = first && k < 2;
    double theta = half ? 1 : 0.5, dt = length / (half ? 4 : 2);
    if ((first && k == 0) || (coupled && !(first && k == 1))) IRZ_TRY(prepare_source(run, length / 2, error));
    if (both) fill_load(run, run->low, length / 2);
    IRZ_TRY(both ? advance_both(run, theta, dt, error) : advance(run, &run->member[0], theta, dt, error));
    run->time += dt;
    add_energy(run, theta, dt);
    note_hottest(run);
    IRZ_TRY(keep_frames(run, dt, error));
    IRZ_TRY(sample(run, run->segment->pulse, run->segment->duty, error));
  }
  if (run->task->progress == NULL) return IRZ_OK;
  return run->task->progress(run->task->context, run->time / run->result->duration, error);
}

/// The same of the member with steps twice as long. Collective.
static IrzCode step_longer(Run *run, double length, bool first, IrzError *error) {
  Member *m = &run->member[1];
  const Member *same = run->low->follows ? &run->member[0] : run->low; /* of its order */
  IrzHeatSample here, there;
  fill_load(run, m, length);
  for (int k = 0; k < (first ? 2 : 1); k++) {
    IRZ_TRY(advance(run, m, first ? 1 : 0.5, length / (first ? 2 : 1), error));
  }
  irz_resize(&run->compared, (size_t)run->n_compared + 1, sizeof *run->compared, error);
  IRZ_TRY(irz_error_agree(run->task->medium->part->comm, error));
  measure_now(same, run->task->plan, &here);
  measure_now(m, run->task->plan, &there);
  run->compared[run->n_compared][0] = here.hottest;
  run->compared[run->n_compared++][1] = fabs(here.hottest - there.hottest);
  return IRZ_OK;
}

/// Largest change by longer steps where it may have been hottest.
static double change_of_steps(const Run *run) {
  double hottest = -INFINITY, largest = 0;
  for (int k = 0; k < run->n_compared; k++) hottest = fmax(hottest, run->compared[k][0]);
  for (int k = 0; k < run->n_compared; k++) {
    if (run->compared[k][0] + run->compared[k][1] >= hottest) largest = fmax(largest, run->compared[k][1]);
  }
  return largest;
}

/// What order 2 changes in the long steps: at the hottest place, and at the probes. Collective.
static void change_of_order(const Run *run, double change[1 + IRZ_MAX_PROBES]) {
  IrzHeatSample high, low;
  measure_now(run->high, run->task->plan, &high);
  measure_now(run->low, run->task->plan, &low);
  change[0] = high.hottest - low.hottest;
  for (int p = 0; p < IRZ_MAX_PROBES; p++) change[1 + p] = high.probe[p] - low.probe[p];
}

/// Add what order 2 changes in a long step, linear in time, to the samples and frames of that time. Collective.
static IrzCode correct_past(Run *run, double start, double end, const double from[1 + IRZ_MAX_PROBES],
                            const double to[1 + IRZ_MAX_PROBES], IrzError *error) {
  IrzHeatResult *result = run->result;
  for (int k = result->n_samples - 1; k >= 0 && result->samples[k].time > start * (1 + 1e-12); k--) {
    IrzHeatSample *s = &result->samples[k];
    double share = (s->time - start) / (end - start);
    if (share > 1 + 1e-9) continue;
    s->hottest += from[0] + share * (to[0] - from[0]);
    for (int p = 0; p < IRZ_MAX_PROBES; p++) s->probe[p] += from[1 + p] + share * (to[1 + p] - from[1 + p]);
  }
  for (int k = 0; k < run->next_frame; k++) {
    double share = (run->fields->frame_time[k] - start) / (end - start);
    double *frame = run->fields->frame[k];
    if (share <= 1e-12 || share > 1 + 1e-9) continue;
    const Member *members[] = {run->high, run->low};
    for (int i = 0; i < 2; i++) {
      const Member *m = members[i];
      const IrzSpace *space = m->thermal->space;
      for (int32_t j = 0; j < space->n_owned; j++) {
        run->scratch[j] = m->before[j] + share * (m->temperature[j] - m->before[j]);
      }
      IRZ_TRY(irz_petsc(irz_space_share(space, run->scratch), "heat", error));
      irz_space_nodes(space, run->scratch, run->node);
      for (size_t j = 0; j < run->n_nodes; j++) frame[j] += (i == 0 ? 1 : -1) * run->node[j];
    }
  }
  return IRZ_OK;
}

/// Give up if the time is over. Collective.
static IrzCode check_time(const Run *run, IrzError *error) {
  if (!irz_deadline_passed_any(run->task->medium->part->comm)) return IRZ_OK;
  return irz_error_set(error, IRZ_ERR_SOLVER, IRZ_TIMEOUT);
}

/// Orders 1 and 2 in long steps over the stretch that has gathered. Collective.
static IrzCode run_stretch(Run *run, bool averaged, IrzError *error) {
  const double growth = 3;
  double step = 2 * run->task->plan->heat.step, now = run->stretch.start, length = run->stretch.end - now;
  double from[1 + IRZ_MAX_PROBES], to[1 + IRZ_MAX_PROBES];
  Member *both[] = {run->low, run->high};
  run->stretch.duty /= length;
  run->segment = &run->stretch;
  for (int k = 0; k < 2; k++) rest_member(both[k]);
  change_of_order(run, from);
  for (bool first = true; now < run->stretch.end; first = false) {
    IRZ_TRY(check_time(run, error));
    double left = run->stretch.end - now, count = ceil(left / step * (1 - 1e-9));
    double end = count <= 1 ? run->stretch.end : now + left / count;
    int pieces = first ? 2 : 1;
    double dt = (end - now) / pieces;
    for (int k = 0; k < 2; k++) fill_load(run, both[k], end - now);
    for (int k = 0; k < pieces; k++) {
      IRZ_TRY(advance_both(run, first ? 1 : 0.5, dt, error));
      change_of_order(run, to);
      IRZ_TRY(correct_past(run, now, now + dt, from, to, error));
      memcpy(from, to, sizeof from);
      now += dt;
    }
    now = end;
    if (averaged || run->stretch.pulse < 0) step *= growth;
  }
  return IRZ_OK;
}

/// Integrate over one segment, two steps at a time. Steps have the plan's length at most; they grow when nothing fires,
/// as temperatures level out.
static IrzCode run_segment(Run *run, const IrzSegment *segment, IrzError *error) {
  const double growth = 1.5, largest = 8;
  double wanted = 2 * run->task->plan->heat.step, step = wanted, now = segment->start;
  run->segment = segment;
  for (int k = 0; k < run->n_members; k++) {
    if (!run->member[k].follows) rest_member(&run->member[k]);
  }
  for (bool first = true; now < segment->end; first = false) {
    IRZ_TRY(check_time(run, error));
    double left = segment->end - now, count = ceil(left / step * (1 - 1e-9));
    double end = count <= 1 ? segment->end : now + left / count;
    IRZ_TRY(step_main(run, end - now, first, error));
    IRZ_TRY(step_longer(run, end - now, first, error));
    now = run->time = end;
    if (segment->pulse < 0) step = fmin(growth * step, largest * wanted);
  }
  return IRZ_OK;
}

/// Allocate the fields of the first and the last pulses.
static IrzCode allocate_pulses(const IrzHeatTask *task, size_t nodes, IrzHeatFields *fields, IrzError *error) {
  size_t n = (size_t)task->plan->n_pulses;
  IRZ_TRY(irz_alloc(&fields->first_current, n, sizeof(double), error));
  IRZ_TRY(irz_alloc(&fields->report, n, sizeof *fields->report, error));
  IRZ_TRY(irz_alloc(&fields->first, n, sizeof(double *), error));
  IRZ_TRY(irz_alloc(&fields->last, n, sizeof(double *), error));
  fields->n_pulses = task->plan->n_pulses;
  for (int p = 0; p < fields->n_pulses; p++) {
    IRZ_TRY(irz_alloc(&fields->first[p], nodes, sizeof(double), error));
    IRZ_TRY(irz_alloc(&fields->last[p], nodes, sizeof(double), error));
  }
  return IRZ_OK;
}

/// Make a member: room, and temperatures before the first pulse.
static IrzCode create_member(const Run *run, const IrzThermal *thermal, bool follows, Member *m, IrzError *error) {
  const IrzHeatPlan *heat = &run->task->plan->heat;
  size_t n = (size_t)thermal->space->n_local;
  *m = (Member){.thermal = thermal, .follows = follows};
  IRZ_TRY(irz_implicit_create(thermal, thermal->space->order == 1 ? 2e-4 : 1.5e-3, &m->implicit, error));
  double **arrays[] = {&m->temperature, &m->before, &m->change, &m->load,  &m->free_load,
                       &m->joule,       &m->peak,   &m->omega,  &m->cem43, &m->ratio};
  for (size_t k = 0; k < sizeof arrays / sizeof arrays[0]; k++) IRZ_TRY(irz_alloc(arrays[k], n, sizeof(double), error));
  if (heat->coupling == IRZ_COUPLING_FULL) {
    IRZ_TRY(irz_alloc(&m->joule_at, n, sizeof(double), error));
    IRZ_TRY(irz_alloc(&m->rise, n, sizeof(double), error));
    irz_thermal_rise(thermal, m->rise);
  }
  for (size_t i = 0; i < n; i++) {
    m->temperature[i] = m->before[i] = thermal->fixed[i] ? 0 : heat->initial - heat->body;
    m->peak[i] = heat->body + m->temperature[i];
    m->ratio[i] = 1 + irz_damage_rate(run->arrhenius, m->peak[i]) / irz_damage_base(run->arrhenius);
  }
  return IRZ_OK;
}

/// Allocate a set of node arrays.
static IrzCode allocate_reached(size_t nodes, IrzHeatReached *reached, IrzError *error) {
  IRZ_TRY(irz_alloc(&reached->peak, nodes, sizeof(double), error));
  IRZ_TRY(irz_alloc(&reached->omega, nodes, sizeof(double), error));
  return irz_alloc(&reached->cem43, nodes, sizeof(double), error);
}

/// Unknowns of order 1 that those of order 2 are about the mean of: their own vertex, or the ends of their edge.
static void find_parents(const IrzSpace *high, const IrzSpace *low, int32_t (*parent)[2]) {
  const IrzPart *part = high->part;
  for (int32_t e = 0; e < part->n_edges; e++) {
    int32_t i = high->dof[part->n_vertices + e];
    for (int k = 0; k < 2; k++) parent[i][k] = low->dof[part->edge[2 * (size_t)e + (size_t)k]];
  }
  for (int32_t v = 0; v < part->n_vertices; v++) {
    for (int k = 0; k < 2; k++) parent[high->dof[v]][k] = low->dof[v];
  }
}

/// Choose the members. Differences between them tell the errors: see irz_heat_measure().
static IrzCode create_members(Run *run, IrzError *error) {
  const IrzThermal *own = run->thermal[0], *other = run->thermal[1];
  const IrzThermal *low = own->space->order == 1 ? own : other;
  int order = own->space->order;
  const IrzThermal *wanted[] = {own, low, order == 1 ? other : low, low};
  for (int k = 0; k < (order == 1 ? 4 : 3); k++) {
    run->n_members = k + 1;
    IRZ_TRY(create_member(run, wanted[k], k > 1 && order == 1, &run->member[k], error));
  }
  run->high = &run->member[order == 1 ? 2 : 0];
  run->low = &run->member[order == 1 ? 3 : 2];
  const IrzSpace *high = run->high->thermal->space;
  IRZ_TRY(irz_alloc(&run->beyond, (size_t)high->n_owned, sizeof *run->beyond, error));
  IRZ_TRY(irz_alloc(&run->parent, (size_t)high->n_local, sizeof *run->parent, error));
  find_parents(high, low->space, run->parent);
  return IRZ_OK;
}

/// Allocate what the run and its results need.
static IrzCode allocate(Run *run, IrzError *error) {
  const IrzHeatPlan *heat = &run->task->plan->heat;
  const IrzPart *part = run->task->medium->part;
  IrzHeatFields *fields = run->fields;
  size_t nodes = (size_t)part->n_vertices + (size_t)part->n_edges;
  run->n_nodes = nodes;
  IRZ_TRY(create_members(run, error));
  IRZ_TRY(irz_alloc(&run->node, nodes, sizeof(double), error));
  IRZ_TRY(irz_alloc(&run->scratch, (size_t)run->high->thermal->space->n_local, sizeof(double), error));
  if (run->task->plan->memory == IRZ_MEMORY_PAIRS) {
    IRZ_TRY(irz_points_create(run->task->medium, run->task->laws, &run->floor, error));
  }
  if (heat->coupling == IRZ_COUPLING_FULL) {
    IRZ_TRY(irz_alloc(&run->scale, (size_t)part->n_tets, sizeof(double), error));
    IRZ_TRY(irz_alloc(&run->u, (size_t)irz_field_space(run->task->field)->n_local, sizeof(double), error));
    IRZ_TRY(allocate_pulses(run->task, nodes, fields, error));
  }
  for (int k = 0; k < run->n_members; k++) IRZ_TRY(allocate_reached(nodes, &fields->reached[k], error));
  IRZ_TRY(irz_alloc(&fields->frame_time, (size_t)heat->frames, sizeof(double), error));
  IRZ_TRY(irz_alloc(&fields->frame, (size_t)heat->frames, sizeof(double *), error));
  for (int k = 0; k < heat->frames; k++) {
    IRZ_TRY(irz_alloc(&fields->frame[k], nodes, sizeof(double), error));
    fields->n_frames = k + 1;
    fields->frame_time[k] = run->result->duration * (heat->frames > 1 ? (double)k / (heat->frames - 1) : 1);
  }
  return IRZ_OK;
}

/// Before the first pulse. Collective.
static IrzCode start(Run *run, IrzError *error) {
  const Member *m = &run->member[0];
  for (int32_t i = 0; i < m->thermal->space->n_owned; i++) run->metabolic_power += m->thermal->metabolic[i];
  note_hottest(run);
  IRZ_TRY(keep_frames(run, 0, error));
  return sample(run, -1, 0, error);
}

/// Where an owned unknown is.
static void position(const IrzSpace *space, int32_t unknown, double x[3]) {
  const IrzPart *part = space->part;
  for (int32_t v = 0; v < part->n_vertices; v++) {
    if (space->dof[v] == unknown) memcpy(x, part->xyz + 3 * (size_t)v, 3 * sizeof *x);
  }
  for (int32_t e = 0; e < part->n_edges; e++) {
    if (space->dof[part->n_vertices + e] != unknown) continue;
    const double *from = part->xyz + 3 * (size_t)part->edge[2 * e], *to = part->xyz + 3 * (size_t)part->edge[2 * e + 1];
    for (int d = 0; d < 3; d++) x[d] = 0.5 * (from[d] + to[d]);
  }
}

/// Add what order 2 changes in long steps to what order 1 reached; damage as the temperature that would have done it.
/// Local.
static void add_order(Run *run) {
  const IrzHeatReached *high = &run->fields->reached[2], *low = &run->fields->reached[3];
  for (int k = 0; k < 2; k++) {
    IrzHeatReached *reached = &run->fields->reached[k];
    for (size_t i = 0; i < run->n_nodes; i++) {
      double change[] = {irz_damage_equivalent(run->arrhenius, high->omega[i]),
                         irz_damage_equivalent(run->arrhenius, low->omega[i]), irz_cem43_equivalent(high->cem43[i]),
                         irz_cem43_equivalent(low->cem43[i])};
      reached->peak[i] += high->peak[i] - low->peak[i];
      if (change[0] != change[1]) {
        double equivalent = irz_damage_equivalent(run->arrhenius, reached->omega[i]) + change[0] - change[1];
        reached->omega[i] = irz_damage_of(run->arrhenius, equivalent);
      }
      if (change[2] != change[3]) {
        reached->cem43[i] = irz_cem43_of(irz_cem43_equivalent(reached->cem43[i]) + change[2] - change[3]);
      }
    }
  }
}

/// What was reached, at the nodes. Collective.
static IrzCode keep_reached(Run *run, IrzError *error) {
  for (int k = 0; k < run->n_members; k++) {
    const Member *m = &run->member[k];
    IrzHeatReached *reached = &run->fields->reached[k];
    double *unknown[] = {m->peak, m->omega, m->cem43}, *node[] = {reached->peak, reached->omega, reached->cem43};
    for (int i = 0; i < 3; i++) {
      IRZ_TRY(irz_petsc(irz_space_share(m->thermal->space, unknown[i]), "heat", error));
      irz_space_nodes(m->thermal->space, unknown[i], node[i]);
    }
    for (size_t i = 0; i < run->n_nodes; i++) reached->omega[i] *= irz_damage_base(run->arrhenius);
  }
  run->fields->n_reached = run->n_members;
  if (run->high != &run->member[0]) add_order(run);
  return IRZ_OK;
}

/// Fields at the nodes, the hottest point, and the sums over all ranks. Collective.
static IrzCode finish(Run *run, IrzError *error) {
  const IrzSpace *space = run->thermal[0]->space;
  IrzHeatResult *result = run->result;
  MPI_Comm comm = space->part->comm;
  double mine[4] = {run->sums[0], run->sums[1], run->sums[2], run->metabolic_power}, all[4], where[3] = {0};
  struct {
    double value;
    int rank;
  } hottest = {run->hottest, space->part->rank}, winner;
  IRZ_TRY(keep_reached(run, error));
  MPI_Allreduce(mine, all, 4, MPI_DOUBLE, MPI_SUM, comm);
  MPI_Allreduce(&hottest, &winner, 1, MPI_DOUBLE_INT, MPI_MAXLOC, comm);
  if (winner.rank == space->part->rank && run->hottest_at >= 0) {
    position(space, run->hottest_at, where);
  }
  MPI_Bcast(where, 3, MPI_DOUBLE, winner.rank, comm);
  result->peak = -INFINITY;
  for (int k = 0; k < result->n_samples; k++) {
    if (result->samples[k].hottest <= result->peak) continue;
    result->peak = result->samples[k].hottest;
    result->peak_time = result->samples[k].time;
  }
  memcpy(result->peak_at, where, sizeof result->peak_at);
  run->fields->change_of_steps = change_of_steps(run);
  result->joule = run->joule_heat;
  result->metabolic = all[3] * result->duration;
  result->stored = all[0];
  result->perfused = all[1];
  result->conducted = all[2];
  double put_in = result->joule + result->metabolic;
  double scale = result->joule > 0 ? result->joule : fmax(fabs(put_in), fabs(result->stored));
  double rest = put_in - result->stored - result->perfused - result->conducted;
  result->balance = scale > 0 ? fabs(rest) / scale : 0;
  result->steps = result->n_samples - 1;
  return IRZ_OK;
}

/// Packets that a pair fires from a segment on.
static int count_packets(int n_segments, const IrzSegment *segments, int from, int pulse) {
  int count = 0;
  for (int k = from; k < n_segments; k++) count += segments[k].pulse == pulse;
  return count;
}

/// Whether the long steps wait for the next segment: a pair's packets but the last are taken together, with the gap
/// before them.
static bool waits(int n_segments, const IrzSegment *segments, int k) {
  if (k + 1 == n_segments) return false;
  int left = count_packets(n_segments, segments, k + 1, segments[k].last_pulse);
  if (left == 0) return segments[k].pulse < 0 && count_packets(n_segments, segments, k + 1, segments[k + 1].pulse) > 1;
  return left > 1 || segments[k + 1].pulse < 0;
}

/// Let orders 1 and 2 follow in long steps, once the stretch up to a segment's end is whole. Collective.
static IrzCode follow(Run *run, const IrzSegment *segment, bool wait, IrzError *error) {
  IrzSegment *stretch = &run->stretch;
  bool alone = stretch->end <= stretch->start;
  if (alone) *stretch = (IrzSegment){.start = segment->start, .pulse = -1, .last_pulse = segment->last_pulse};
  stretch->end = segment->end;
  if (segment->pulse >= 0) stretch->pulse = segment->pulse;
  stretch->duty += segment->duty * (segment->end - segment->start);
  if (wait) return IRZ_OK;
  IRZ_TRY(run_stretch(run, !alone, error));
  *stretch = (IrzSegment){0};
  return IRZ_OK;
}

/// Everything once memory is there. Collective.
static IrzCode integrate(Run *run, int n_segments, const IrzSegment *segments, IrzError *error) {
  IRZ_TRY(start(run, error));
  for (int k = 0; k < n_segments; k++) {
    IRZ_TRY(run_segment(run, &segments[k], error));
    if (run->high != &run->member[0]) IRZ_TRY(follow(run, &segments[k], waits(n_segments, segments, k), error));
    if (segments[k].pulse < 0 || count_packets(n_segments, segments, k + 1, segments[k].pulse) > 0) continue;
    IRZ_TRY(end_pair(run, error));
  }
  return finish(run, error);
}

static void clear(Run *run) {
  for (int k = 0; k < run->n_members; k++) {
    Member *m = &run->member[k];
    double *arrays[] = {m->temperature, m->before,   m->change, m->load, m->free_load, m->joule,
                        m->ratio,       m->joule_at, m->rise,   m->peak, m->omega,     m->cem43};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) free(arrays[i]);
    irz_implicit_clear(&m->implicit);
  }
  free(run->scale);
  free(run->u);
  free(run->node);
  free(run->scratch);
  free(run->compared);
  free(run->parent);
  free(run->beyond);
  irz_points_free(&run->floor);
  for (int k = 0; k < 2; k++) irz_thermal_free(run->thermal[k]);
}

/// Processor time of this process, s.
static double processor_time(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)usage.ru_utime.tv_sec + 1e-6 * (double)usage.ru_utime.tv_usec;
}

IrzCode irz_heat_run(const IrzHeatTask *task, IrzHeatFields *fields, IrzHeatResult *result, IrzError *error) {
  MPI_Comm comm = task->medium->part->comm;
  Run run = {
      .task = task, .fields = fields, .result = result, .joule_pulse = -1, .hottest = -INFINITY, .hottest_at = -1};
  int n_segments = 0, order = task->plan->heat.order;
  IrzSegment *segments = NULL;
  double wall = MPI_Wtime(), cpu = processor_time();
  memset(fields, 0, sizeof *fields);
  memset(result, 0, sizeof *result);
  run.arrhenius = irz_arrhenius(task->plan->heat.damage);
  irz_timeline_create(task->plan, &n_segments, &segments, error);
  IrzCode code = irz_error_agree(comm, error);
  if (code == IRZ_OK) result->duration = n_segments > 0 ? segments[n_segments - 1].end : 0;
  for (int k = 0; k < 2 && code == IRZ_OK; k++) {
    code = irz_thermal_create(task->medium, task->plan, k == 0 ? order : 3 - order, task->sides, task->recovered,
                              task->threshold, &run.thermal[k], error);
  }
  if (code == IRZ_OK) {
    allocate(&run, error);
    code = irz_error_agree(comm, error);
  }
  if (code == IRZ_OK) {
    integrate(&run, n_segments, segments, error);
    code = irz_error_agree(comm, error);
  }
  if (code == IRZ_OK) code = irz_heat_measure(task, fields, result, error);
  clear(&run);
  free(segments);
  cpu = processor_time() - cpu;
  MPI_Allreduce(&cpu, &result->cpu, 1, MPI_DOUBLE, MPI_SUM, comm);
  result->seconds = MPI_Wtime() - wall;
  if (code != IRZ_OK) {
    irz_heat_fields_clear(fields);
    free(result->samples);
    memset(result, 0, sizeof *result);
  }
  return code;
}

void irz_heat_fields_clear(IrzHeatFields *fields) {
  for (int k = 0; k < fields->n_frames; k++) free(fields->frame[k]);
  for (int p = 0; p < fields->n_pulses; p++) {
    free(fields->first[p]);
    free(fields->last[p]);
  }
  free(fields->first);
  free(fields->last);
  free(fields->first_current);
  free(fields->report);
  free(fields->frame);
  free(fields->frame_time);
  for (int k = 0; k < 1 + IRZ_HEAT_CHECKS; k++) {
    free(fields->reached[k].peak);
    free(fields->reached[k].omega);
    free(fields->reached[k].cem43);
  }
  memset(fields, 0, sizeof *fields);
}
