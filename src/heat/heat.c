/* The heat equation in time; see heat.h.

   PETSc's TS integrates M dT/dt + K T = f, T above body temperature, with the trapezoidal rule: of order 2, and its
   energy balance is exact. As that rule would let a switch of the generator ring on at the finest elements, the first
   step after each switch is two halves by the implicit Euler rule, which damps (Rannacher 1984) and leaves the order as
   it is; both need the same matrix. */
#include "heat/heat.h"
#include "base/memory.h"
#include "base/petsc.h"
#include "heat/damage.h"
#include "heat/thermal.h"
#include "heat/timeline.h"
#include <math.h>
#include <petsc/private/petscimpl.h> /* PetscObjectStateIncrease: our arrays changed under PETSc */
#include <petscts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/// What one integration works on.
typedef struct {
  const IrzHeatTask *task;
  const IrzArrhenius *arrhenius;
  IrzThermal *thermal;
  IrzMatrix *jacobian; ///< shift * mass + stiffness
  double shift;        ///< of `jacobian` as it is
  TS ts;
  Vec state, source;
  double *temperature; ///< [n_local] above body; `state` wraps the owned ones
  double *load;        ///< [n_owned] heat put in now, W
  double *free_load;   ///< [n_owned] the same, 0 at fixed unknowns; `source` wraps it
  double *joule;       ///< [n_owned] W while the voltage of `joule_pulse` is on, at the temperature `joule_at`
  int joule_pulse;     ///< -1: none
  bool first_pulse;    ///< full coupling: the field of its first pulse has not been kept yet
  double joule_power;  ///< W, now
  IrzPoints floor;     ///< what tissue remembers of earlier pairs, S/m; empty without memory
  double *joule_at;    ///< [n_owned] full coupling: temperature above body that `joule` belongs to
  double *rise;        ///< [n_owned] full coupling: of the conductivity, 1/K
  double *slope;       ///< [n_owned] K/s, over the last step of this segment; 0 before
  double *scale;       ///< [n_tets] full coupling: factor on the conductivity
  double *u;           ///< [n_local of the field's space] full coupling: potential, V
  double *node;        ///< [nodes of the part] full coupling: scratch
  double *before;      ///< [n_owned] at the step before
  double time_before;
  double *peak, *omega, *cem43; ///< [n_local] C, 1, min
  double *scratch;              ///< [n_local]
  const IrzSegment *segment;
  double theta; ///< of the rule in use: 1/2 or 1
  double hottest, hottest_time;
  int32_t hottest_at; ///< owned unknown
  double sums[3];     ///< J: stored, perfused, conducted away; this rank's share
  double joule_heat, metabolic_power;
  size_t room; ///< samples there is room for
  IrzHeatFields *fields;
  IrzHeatResult *result;
  int next_frame;
  IrzError *error;
} Run;

/// F = M dT/dt + K T - f.
static PetscErrorCode residual(TS ts, PetscReal time, Vec u, Vec slope, Vec f, void *context) {
  const Run *run = context;

  PetscFunctionBegin;
  (void)ts;
  (void)time;
  PetscCall(MatMult(run->thermal->mass->mat, slope, f));
  PetscCall(MatMultAdd(run->thermal->stiffness->mat, u, f, f));
  PetscCall(VecAXPY(f, -1, run->source));
  PetscFunctionReturn(0);
}

/// shift * M + K, in arrays that share one pattern.
static PetscErrorCode jacobian(TS ts, PetscReal time, Vec u, Vec slope, PetscReal shift, Mat a, Mat b, void *context) {
  Run *run = context;
  const IrzMatrix *m = run->thermal->mass, *k = run->thermal->stiffness;
  PetscInt n = run->thermal->space->n_owned;

  PetscFunctionBegin;
  (void)ts;
  (void)time;
  (void)u;
  (void)slope;
  (void)a;
  (void)b;
  if (shift == run->shift) PetscFunctionReturn(0);
  for (PetscInt i = 0; i < m->ai[n]; i++) run->jacobian->aa[i] = shift * m->aa[i] + k->aa[i];
  for (PetscInt i = 0; i < m->bi[n]; i++) run->jacobian->ba[i] = shift * m->ba[i] + k->ba[i];
  run->shift = shift;
  PetscCall(irz_matrix_changed(run->jacobian));
  PetscFunctionReturn(0);
}

/// Sums that follow the energy over a step, by the rule that made the step.
static void add_energy(Run *run, double dt) {
  const IrzThermal *thermal = run->thermal;
  for (int32_t i = 0; i < thermal->space->n_owned; i++) {
    double rise = run->temperature[i] - run->before[i], mean = run->before[i] + run->theta * rise;
    run->sums[0] += thermal->mass_sum[i] * rise;
    run->sums[1] += thermal->perfusion_sum[i] * mean * dt;
    run->sums[2] -= thermal->fixed_mass[i] * rise + thermal->fixed_stiff[i] * mean * dt;
    if (thermal->fixed[i]) run->sums[2] += run->load[i] * dt;
  }
}

/// Peak and damage over a step.
static void add_damage(Run *run, double time, double dt) {
  double body = run->task->plan->heat.body;
  for (int32_t i = 0; i < run->thermal->space->n_owned; i++) {
    double from = body + run->before[i], to = body + run->temperature[i];
    if (to > run->peak[i]) run->peak[i] = to;
    irz_damage_add(run->arrhenius, from, to, dt, &run->omega[i], &run->cem43[i]);
    if (to > run->hottest) {
      run->hottest = to;
      run->hottest_time = time;
      run->hottest_at = i;
    }
  }
}

/// Append a line of the time series. Collective.
static PetscErrorCode sample(Run *run, double time, int pulse, double duty) {
  const IrzSpace *space = run->thermal->space;
  const IrzPlan *plan = run->task->plan;
  IrzHeatResult *result = run->result;
  double sums[2 * IRZ_MAX_PROBES] = {0}, all[2 * IRZ_MAX_PROBES], mine = -INFINITY, hottest;

  PetscFunctionBegin;
  for (int32_t i = 0; i < space->n_owned; i++) {
    int p = space->electrode[i];
    mine = fmax(mine, run->temperature[i]);
    if (p < 0) continue;
    sums[p] += run->temperature[i];
    sums[IRZ_MAX_PROBES + p] += 1;
  }
  PetscCallMPI(MPI_Allreduce(&mine, &hottest, 1, MPI_DOUBLE, MPI_MAX, space->part->comm));
  PetscCallMPI(MPI_Allreduce(sums, all, 2 * IRZ_MAX_PROBES, MPI_DOUBLE, MPI_SUM, space->part->comm));
  if ((size_t)result->n_samples == run->room) {
    run->room = 2 * run->room + 256;
    if (irz_resize(&result->samples, run->room, sizeof *result->samples, run->error) != IRZ_OK) {
      PetscFunctionReturn(PETSC_ERR_MEM);
    }
  }
  IrzHeatSample *s = &result->samples[result->n_samples++];
  *s = (IrzHeatSample){.time = time, .pulse = pulse, .hottest = plan->heat.body + hottest};
  if (pulse >= 0) {
    s->current = run->joule_power / run->task->voltage[pulse];
    s->power = run->joule_power * duty;
  }
  for (int p = 0; p < IRZ_MAX_PROBES; p++) {
    s->probe[p] = all[IRZ_MAX_PROBES + p] > 0 ? plan->heat.body + all[p] / all[IRZ_MAX_PROBES + p] : NAN;
  }
  PetscFunctionReturn(0);
}

/// Keep the frames that the step passed, linear in time between its ends. Collective.
static PetscErrorCode keep_frames(Run *run, double time) {
  const IrzSpace *space = run->thermal->space;
  double body = run->task->plan->heat.body, dt = time - run->time_before;

  PetscFunctionBegin;
  while (run->next_frame < run->fields->n_frames) {
    double wanted = run->fields->frame_time[run->next_frame];
    if (wanted > time * (1 + 1e-12)) break;
    double share = dt > 0 ? (wanted - run->time_before) / dt : 1;
    for (int32_t i = 0; i < space->n_owned; i++) {
      run->scratch[i] = body + run->before[i] + share * (run->temperature[i] - run->before[i]);
    }
    PetscCall(irz_space_share(space, run->scratch));
    irz_space_nodes(space, run->scratch, run->fields->frame[run->next_frame++]);
  }
  PetscFunctionReturn(0);
}

/// After every accepted step.
static PetscErrorCode after_step(TS ts) {
  Run *run;
  PetscReal time;

  PetscFunctionBegin;
  PetscCall(TSGetApplicationContext(ts, &run));
  PetscCall(TSGetTime(ts, &time));
  double dt = time - run->time_before;
  run->joule_heat += run->segment->duty * run->joule_power * dt;
  add_energy(run, dt);
  add_damage(run, time, dt);
  PetscCall(keep_frames(run, time));
  PetscCall(sample(run, time, run->segment->pulse, run->segment->duty));
  for (int32_t i = 0; i < run->thermal->space->n_owned; i++) {
    run->slope[i] = (run->temperature[i] - run->before[i]) / dt;
    run->before[i] = run->temperature[i];
  }
  run->time_before = time;
  if (run->task->progress != NULL) run->task->progress(run->task->context, time / run->result->duration);
  PetscFunctionReturn(0);
}

/// Joule heat of a potential, with its temperature. Local.
static void set_joule(Run *run, const double *scale, const double *potential) {
  const IrzHeatTask *task = run->task;
  const IrzPoints *floor = run->floor.fast != NULL ? &run->floor : NULL;
  irz_thermal_joule(run->thermal, task->order, task->laws, floor, scale, potential, run->joule);
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
  for (int32_t i = 0; i < run->thermal->space->n_owned; i++) run->joule_at[i] = 37 - task->plan->heat.body;
  memcpy(run->u, task->unknown[pulse], (size_t)irz_field_space(task->field)->n_local * sizeof *run->u);
}

/// Solve the field of the pair that fires again, at a temperature. Collective.
/// @param[in,out] ahead   [n_local] temperature above body; ghosts are filled
/// @param[out]    report  may be NULL
static PetscErrorCode solve_again(Run *run, double *ahead, IrzReport *report) {
  const IrzHeatTask *task = run->task;
  const IrzPulse *pulse = &task->plan->pulses[run->joule_pulse];
  const IrzSpace *space = run->thermal->space;
  size_t nodes = (size_t)space->part->n_vertices + (size_t)space->part->n_edges;
  IrzProblem problem = {.laws = task->laws,
                        .tolerance = task->plan->solver.tolerance,
                        .floor = run->floor.fast != NULL ? &run->floor : NULL,
                        .scale = run->scale};
  IrzReport unused;

  PetscFunctionBegin;
  if (report == NULL) report = &unused;
  PetscCall(irz_space_share(space, ahead));
  irz_space_nodes(space, ahead, run->node);
  for (size_t i = 0; i < nodes; i++) run->node[i] += task->plan->heat.body;
  irz_thermal_scale(run->thermal, run->node, run->scale);
  problem.fixed[pulse->from] = problem.fixed[pulse->to] = true;
  problem.potential[pulse->from] = task->voltage[run->joule_pulse];
  if (irz_field_solve(task->field, &problem, true, run->u, report, run->error) != IRZ_OK) PetscFunctionReturn(0);
  irz_space_nodes(irz_field_space(task->field), run->u, run->node);
  set_joule(run, run->scale, run->node);
  PetscCall(PetscArraycpy(run->joule_at, ahead, space->n_owned));
  run->result->field_solves++;
  PetscFunctionReturn(0);
}

/// Keep a potential at the nodes as that of the pair that fires.
static void keep_potential(const Run *run, const double *potential, double *const *place) {
  const IrzPart *part = run->task->medium->part;
  size_t nodes = (size_t)part->n_vertices + (size_t)part->n_edges;
  memcpy(place[run->joule_pulse], potential, nodes * sizeof *potential);
}

/// After the last pulse of a pair: with full coupling its field at the temperature that has been reached. Collective.
static PetscErrorCode end_pair(Run *run) {
  int pulse = run->joule_pulse;

  PetscFunctionBegin;
  if (run->task->plan->heat.coupling == IRZ_COUPLING_NONE) PetscFunctionReturn(0);
  PetscCall(PetscArraycpy(run->scratch, run->temperature, run->thermal->space->n_owned));
  PetscCall(solve_again(run, run->scratch, &run->fields->report[pulse]));
  if (run->error->code == IRZ_OK) keep_potential(run, run->node, run->fields->last);
  PetscFunctionReturn(0);
}

/// Heat of the next step. With full coupling it is taken at the temperature in the step's middle, as the last step lets
/// expect it: from the last field with the conductivity of now, or from a new field where the conductivity, weighted
/// with the heat, has changed by more than 2 %. Collective.
static PetscErrorCode prepare_source(Run *run, const IrzSegment *segment, double length) {
  const double enough = 0.02;
  const IrzHeatTask *task = run->task;
  const IrzSpace *space = run->thermal->space;
  bool fires = segment->pulse >= 0, coupled = fires && task->plan->heat.coupling == IRZ_COUPLING_FULL;
  double *ahead = run->scratch, mine[2] = {0, 0}, all[2], power = 0;

  PetscFunctionBegin;
  if (fires && segment->pulse != run->joule_pulse) turn_to(run, segment->pulse);
  for (int32_t i = 0; coupled && i < space->n_owned; i++) {
    ahead[i] = run->temperature[i] + 0.5 * length * run->slope[i];
    mine[0] += run->joule[i] * fabs(run->rise[i] * (ahead[i] - run->joule_at[i]));
    mine[1] += run->joule[i];
  }
  if (coupled) {
    PetscCallMPI(MPI_Allreduce(mine, all, 2, MPI_DOUBLE, MPI_SUM, space->part->comm));
    bool again = all[0] > enough * all[1];
    if (again) PetscCall(solve_again(run, ahead, NULL));
    if (run->first_pulse) keep_potential(run, again ? run->node : task->potential[segment->pulse], run->fields->first);
  }
  for (int32_t i = 0; i < space->n_owned; i++) {
    double heat = fires ? run->joule[i] : 0;
    if (coupled) {
      double then = fmax(0.1, 1 + run->rise[i] * (run->joule_at[i] + task->plan->heat.body - 37));
      heat *= fmax(0.1, then + run->rise[i] * (ahead[i] - run->joule_at[i])) / then;
    }
    power += heat;
    run->load[i] = run->thermal->metabolic[i] + segment->duty * heat;
    run->free_load[i] = run->thermal->fixed[i] ? 0 : run->load[i];
  }
  PetscCallMPI(MPI_Allreduce(&power, &run->joule_power, 1, MPI_DOUBLE, MPI_SUM, space->part->comm));
  if (coupled && run->first_pulse) {
    run->fields->first_current[segment->pulse] = run->joule_power / task->voltage[segment->pulse];
    run->first_pulse = false;
  }
  PetscCall(PetscObjectStateIncrease((PetscObject)run->source));
  PetscFunctionReturn(0);
}

/// Take `count` steps up to `end`.
static PetscErrorCode take_steps(Run *run, double end, int count, double theta) {
  TSConvergedReason reason;
  PetscReal now;
  PetscInt linear_before, linear;

  PetscFunctionBegin;
  run->theta = theta;
  PetscCall(TSGetKSPIterations(run->ts, &linear_before)); /* TS counts from its first step on */
  PetscCall(TSGetTime(run->ts, &now));
  PetscCall(TSThetaSetTheta(run->ts, theta));
  PetscCall(TSSetMaxTime(run->ts, end));
  PetscCall(TSSetTimeStep(run->ts, (end - now) / count));
  PetscCall(TSSolve(run->ts, run->state));
  PetscCall(TSGetKSPIterations(run->ts, &linear));
  run->result->linear_iterations += (int)(linear - linear_before);
  PetscCall(TSGetConvergedReason(run->ts, &reason));
  if (reason < 0) {
    irz_error_set(run->error, IRZ_ERR_SOLVER, "heat: the time step at %.3g s fails (%s)", run->time_before,
                  TSConvergedReasons[reason]);
  }
  PetscFunctionReturn(0);
}

/// Integrate over one segment. Steps have the plan's length; they grow when nothing fires, as temperatures level out.
static PetscErrorCode run_segment(Run *run, const IrzSegment *segment) {
  const double growth = 1.25, largest = 8;
  double wanted = run->task->plan->heat.step, step = wanted, now = segment->start;

  PetscFunctionBegin;
  run->segment = segment;
  PetscCall(PetscArrayzero(run->slope, run->thermal->space->n_owned));
  PetscCall(TSSetTime(run->ts, now));
  for (bool first = true; now < segment->end && run->error->code == IRZ_OK; first = false) {
    double left = segment->end - now, count = ceil(left / step * (1 - 1e-9));
    double end = count <= 1 ? segment->end : now + left / count;
    if (first || run->task->plan->heat.coupling == IRZ_COUPLING_FULL) {
      PetscCall(prepare_source(run, segment, end - now));
      if (run->error->code != IRZ_OK) break;
    }
    PetscCall(take_steps(run, end, first ? 2 : 1, first ? 1 : 0.5));
    now = end;
    if (segment->pulse < 0) step = fmin(growth * step, largest * wanted);
  }
  PetscFunctionReturn(0);
}

/// Make the integrator. Options: -irz_heat_...
static PetscErrorCode create_ts(Run *run) {
  const IrzSpace *space = run->thermal->space;
  TSAdapt adapt;
  SNES snes;
  KSP ksp;
  PC pc;

  PetscFunctionBegin;
  PetscCall(VecCreateMPIWithArray(space->part->comm, 1, space->n_owned, PETSC_DECIDE, run->temperature, &run->state));
  PetscCall(VecCreateMPIWithArray(space->part->comm, 1, space->n_owned, PETSC_DECIDE, run->free_load, &run->source));
  PetscCall(TSCreate(space->part->comm, &run->ts));
  PetscCall(TSSetOptionsPrefix(run->ts, "irz_heat_"));
  PetscCall(TSSetApplicationContext(run->ts, run));
  PetscCall(TSSetProblemType(run->ts, TS_LINEAR));
  PetscCall(TSSetType(run->ts, TSTHETA));
  PetscCall(TSThetaSetEndpoint(run->ts, PETSC_TRUE));
  PetscCall(TSSetIFunction(run->ts, NULL, residual, run));
  PetscCall(TSSetIJacobian(run->ts, run->jacobian->mat, run->jacobian->mat, jacobian, run));
  PetscCall(TSSetExactFinalTime(run->ts, TS_EXACTFINALTIME_MATCHSTEP));
  PetscCall(TSSetMaxSteps(run->ts, PETSC_MAX_INT));
  PetscCall(TSGetAdapt(run->ts, &adapt));
  PetscCall(TSAdaptSetType(adapt, TSADAPTNONE));
  PetscCall(TSSetPostStep(run->ts, after_step));
  PetscCall(TSGetSNES(run->ts, &snes));
  PetscCall(SNESSetType(snes, SNESKSPONLY));
  PetscCall(SNESGetKSP(snes, &ksp));
  PetscCall(KSPSetType(ksp, KSPCG));
  PetscCall(KSPSetTolerances(ksp, 1e-4, PETSC_DEFAULT, PETSC_DEFAULT, 1000));
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(PCSetType(pc, PCSOR));
  PetscCall(PCSORSetSymmetric(pc, SOR_LOCAL_SYMMETRIC_SWEEP));
  PetscCall(TSSetFromOptions(run->ts));
  PetscFunctionReturn(0);
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

/// Allocate what the run and its results need.
static IrzCode allocate(Run *run, IrzError *error) {
  const IrzHeatPlan *heat = &run->task->plan->heat;
  const IrzPart *part = run->task->medium->part;
  IrzHeatFields *fields = run->fields;
  size_t n = (size_t)run->thermal->space->n_local, nodes = (size_t)part->n_vertices + (size_t)part->n_edges;
  double **arrays[] = {&run->temperature, &run->load, &run->free_load, &run->joule, &run->before,
                       &run->slope,       &run->peak, &run->omega,     &run->cem43, &run->scratch};
  for (size_t k = 0; k < sizeof arrays / sizeof arrays[0]; k++) IRZ_TRY(irz_alloc(arrays[k], n, sizeof(double), error));
  IRZ_TRY(irz_matrix_create(run->thermal->pattern, &run->jacobian, error));
  if (run->task->plan->memory == IRZ_MEMORY_PAIRS) {
    IRZ_TRY(irz_points_create(run->task->medium, run->task->laws, &run->floor, error));
  }
  if (heat->coupling == IRZ_COUPLING_FULL) {
    IRZ_TRY(irz_alloc(&run->joule_at, n, sizeof(double), error));
    IRZ_TRY(irz_alloc(&run->rise, n, sizeof(double), error));
    IRZ_TRY(irz_alloc(&run->scale, (size_t)part->n_tets, sizeof(double), error));
    IRZ_TRY(irz_alloc(&run->node, nodes, sizeof(double), error));
    IRZ_TRY(irz_alloc(&run->u, (size_t)irz_field_space(run->task->field)->n_local, sizeof(double), error));
    irz_thermal_rise(run->thermal, run->rise);
    IRZ_TRY(allocate_pulses(run->task, nodes, fields, error));
  }
  IRZ_TRY(irz_alloc(&fields->peak, nodes, sizeof(double), error));
  IRZ_TRY(irz_alloc(&fields->omega, nodes, sizeof(double), error));
  IRZ_TRY(irz_alloc(&fields->cem43, nodes, sizeof(double), error));
  IRZ_TRY(irz_alloc(&fields->frame_time, (size_t)heat->frames, sizeof(double), error));
  IRZ_TRY(irz_alloc(&fields->frame, (size_t)heat->frames, sizeof(double *), error));
  for (int k = 0; k < heat->frames; k++) {
    IRZ_TRY(irz_alloc(&fields->frame[k], nodes, sizeof(double), error));
    fields->n_frames = k + 1;
    fields->frame_time[k] = run->result->duration * (heat->frames > 1 ? (double)k / (heat->frames - 1) : 1);
  }
  return IRZ_OK;
}

/// Temperatures before the first pulse.
static PetscErrorCode start(Run *run) {
  const IrzHeatPlan *heat = &run->task->plan->heat;

  PetscFunctionBegin;
  for (int32_t i = 0; i < run->thermal->space->n_local; i++) {
    run->temperature[i] = run->thermal->fixed[i] ? 0 : heat->initial - heat->body;
    run->peak[i] = heat->body + run->temperature[i];
  }
  PetscCall(PetscArraycpy(run->before, run->temperature, run->thermal->space->n_owned));
  for (int32_t i = 0; i < run->thermal->space->n_owned; i++) {
    run->metabolic_power += run->thermal->metabolic[i];
    if (run->peak[i] > run->hottest) {
      run->hottest = run->peak[i];
      run->hottest_at = i;
    }
  }
  PetscCall(keep_frames(run, 0));
  PetscCall(sample(run, 0, -1, 0));
  PetscFunctionReturn(0);
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

/// Fields at the nodes, the hottest point, and the sums over all ranks. Collective.
static PetscErrorCode finish(Run *run) {
  const IrzSpace *space = run->thermal->space;
  IrzHeatResult *result = run->result;
  MPI_Comm comm = space->part->comm;
  double *unknown[] = {run->peak, run->omega, run->cem43};
  double *node[] = {run->fields->peak, run->fields->omega, run->fields->cem43};
  double mine[4] = {run->sums[0], run->sums[1], run->sums[2], run->metabolic_power}, all[4], where[4] = {0};
  struct {
    double value;
    int rank;
  } hottest = {run->hottest, space->part->rank}, winner;

  PetscFunctionBegin;
  for (int k = 0; k < 3; k++) {
    PetscCall(irz_space_share(space, unknown[k]));
    irz_space_nodes(space, unknown[k], node[k]);
  }
  PetscCallMPI(MPI_Allreduce(mine, all, 4, MPI_DOUBLE, MPI_SUM, comm));
  PetscCallMPI(MPI_Allreduce(&hottest, &winner, 1, MPI_DOUBLE_INT, MPI_MAXLOC, comm));
  if (winner.rank == space->part->rank && run->hottest_at >= 0) {
    position(space, run->hottest_at, where);
    where[3] = run->hottest_time;
  }
  PetscCallMPI(MPI_Bcast(where, 4, MPI_DOUBLE, winner.rank, comm));
  result->peak = winner.value;
  result->peak_time = where[3];
  memcpy(result->peak_at, where, sizeof result->peak_at);
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
  PetscFunctionReturn(0);
}

/// Everything once memory is there. Collective.
static PetscErrorCode integrate(Run *run, int n_segments, const IrzSegment *segments) {
  PetscFunctionBegin;
  PetscCall(create_ts(run));
  PetscCall(start(run));
  for (int k = 0; k < n_segments && run->error->code == IRZ_OK; k++) {
    bool more = false; /* packets of the same pair */
    PetscCall(run_segment(run, &segments[k]));
    if (segments[k].pulse < 0 || run->error->code != IRZ_OK) continue;
    for (int next = k + 1; next < n_segments; next++) more = more || segments[next].pulse == segments[k].pulse;
    if (!more) PetscCall(end_pair(run));
  }
  PetscCall(finish(run));
  PetscFunctionReturn(0);
}

static void clear(Run *run) {
  double *arrays[] = {run->slope,  run->joule_at,    run->rise,  run->scale,     run->u,
                      run->node,   run->temperature, run->load,  run->free_load, run->joule,
                      run->before, run->peak,        run->omega, run->cem43,     run->scratch};
  TSDestroy(&run->ts);
  VecDestroy(&run->state);
  VecDestroy(&run->source);
  for (size_t k = 0; k < sizeof arrays / sizeof arrays[0]; k++) free(arrays[k]);
  irz_points_free(&run->floor);
  irz_matrix_free(run->jacobian);
  irz_thermal_free(run->thermal);
}

/// Processor time of this process, s.
static double processor_time(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)usage.ru_utime.tv_sec + 1e-6 * (double)usage.ru_utime.tv_usec;
}

IrzCode irz_heat_run(const IrzHeatTask *task, IrzHeatFields *fields, IrzHeatResult *result, IrzError *error) {
  MPI_Comm comm = task->medium->part->comm;
  Run run = {.task = task,
             .fields = fields,
             .result = result,
             .joule_pulse = -1,
             .shift = -1,
             .hottest = -INFINITY,
             .hottest_at = -1,
             .error = error};
  int n_segments = 0;
  IrzSegment *segments = NULL;
  double wall = MPI_Wtime(), cpu = processor_time();
  memset(fields, 0, sizeof *fields);
  memset(result, 0, sizeof *result);
  run.arrhenius = irz_arrhenius(task->plan->heat.damage);
  irz_timeline_create(task->plan, &n_segments, &segments, error);
  IrzCode code = irz_error_agree(comm, error);
  if (code == IRZ_OK) {
    result->duration = n_segments > 0 ? segments[n_segments - 1].end : 0;
    code = irz_thermal_create(task->medium, task->plan, task->sides, task->recovered, task->threshold, &run.thermal,
                              error);
  }
  if (code == IRZ_OK) {
    allocate(&run, error);
    code = irz_error_agree(comm, error);
  }
  if (code == IRZ_OK) {
    PetscErrorCode failed = integrate(&run, n_segments, segments);
    if (error->code == IRZ_OK) irz_petsc(failed, "heat", error);
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
  free(fields->peak);
  free(fields->omega);
  free(fields->cem43);
  memset(fields, 0, sizeof *fields);
}
