/* The pulses of a treatment: solved one after another, inside the generator's limits. */
#include "base/memory.h"
#include "model/steps.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Make room for the potentials of a plan's pulses; those that are kept stay as starts.
static IrzCode reserve(IrzStage *stage, int n_pulses, IrzError *error) {
  size_t nodes = irz_stage_nodes(stage), unknowns = (size_t)irz_field_space(stage->field)->n_local;
  IrzSolution *found = stage->found;
  if (n_pulses > found->room) {
    IRZ_TRY(irz_resize(&found->potential, (size_t)n_pulses, sizeof *found->potential, error));
    for (; found->room < n_pulses; found->room++) {
      IRZ_TRY(irz_alloc(&found->potential[found->room], nodes, sizeof(double), error));
    }
  }
  if (n_pulses > stage->room) {
    IRZ_TRY(irz_resize(&stage->unknown, (size_t)n_pulses, sizeof *stage->unknown, error));
    IRZ_TRY(irz_resize(&stage->solved, (size_t)n_pulses, sizeof *stage->solved, error));
    IRZ_TRY(irz_resize(&stage->older, (size_t)n_pulses, sizeof *stage->older, error));
    IRZ_TRY(irz_resize(&stage->older_solved, (size_t)n_pulses, sizeof *stage->older_solved, error));
    for (; stage->room < n_pulses; stage->room++) {
      IRZ_TRY(irz_alloc(&stage->unknown[stage->room], unknowns, sizeof(double), error));
      stage->solved[stage->room] = stage->older_solved[stage->room] = (IrzSolved){-1, -1, 0};
      stage->older[stage->room] = NULL;
    }
  }
  found->n_pulses = n_pulses;
  return IRZ_OK;
}

/// Put the kept solution back as the start of every pulse. The coarse preconditioner stays only if nothing but the kept
/// pair can have touched it.
static void restore_kept(IrzStage *stage, const IrzPlan *plan) {
  size_t n = (size_t)irz_field_space(stage->field)->n_local;
  if (stage->n_kept == 0) return;
  for (int i = 0; i < stage->room; i++) {
    stage->solved[i] = i < stage->n_kept ? stage->kept_solved[i] : (IrzSolved){-1, -1, 0};
    if (i < stage->n_kept) memcpy(stage->unknown[i], stage->kept[i], n * sizeof(double));
  }
  const IrzSolved *kept = &stage->kept_solved[0];
  if (plan->n_pulses > 1 || stage->n_kept > 1 || plan->pulses[0].from != kept->from || plan->pulses[0].to != kept->to) {
    irz_field_forget(stage->field);
  }
}

/// Start pulse i from two solutions of the same pair at other voltages: per volt they change smoothly with the voltage.
static bool extrapolate(IrzStage *stage, int i, const IrzPulse *pulse, double voltage) {
  const double farthest = 3; /* of the distance between the two */
  const IrzSolved *last = &stage->solved[i], *older = &stage->older_solved[i];
  if (stage->n_kept > 0 || last->from != pulse->from || last->to != pulse->to || older->from != pulse->from ||
      older->to != pulse->to)
    return false;
  double t = (voltage - last->voltage) / (older->voltage - last->voltage);
  if (!(fabs(t) <= farthest)) return false;
  size_t n = (size_t)irz_field_space(stage->field)->n_local;
  double a = (1 - t) * voltage / last->voltage, b = t * voltage / older->voltage;
  double *u = stage->unknown[i], *v = stage->older[i];
  bool keep = fabs(t) > 0.1; /* which two are farther apart: the last and the new, or the older and the new */
  for (size_t k = 0; k < n; k++) {
    double start = a * u[k] + b * v[k];
    if (keep) v[k] = u[k];
    u[k] = start;
  }
  if (keep) stage->older_solved[i] = *last;
  return true;
}

/// Start pulse i from the scaled solution of the same pair, from the last solve or from earlier in this one, if there
/// is one.
static bool make_start(IrzStage *stage, int i, const IrzPulse *pulse, double voltage) {
  size_t n = (size_t)irz_field_space(stage->field)->n_local;
  for (int j = i; j >= 0; j--) {
    const IrzSolved *solved = &stage->solved[j];
    bool same = solved->from == pulse->from && solved->to == pulse->to;
    bool turned = solved->from == pulse->to && solved->to == pulse->from;
    if ((!same && !turned) || solved->voltage == 0) continue;
    double scale = (same ? 1 : -1) * voltage / solved->voltage, shift = turned ? voltage : 0;
    if (stage->older[i] != NULL && i == j) {
      memcpy(stage->older[i], stage->unknown[i], n * sizeof(double));
      stage->older_solved[i] = *solved;
    }
    for (size_t k = 0; k < n; k++) stage->unknown[i][k] = shift + scale * stage->unknown[j][k];
    return true;
  }
  return false;
}

/// Have room for solutions at another voltage, if plans are to come whose pulses could start from two.
static IrzCode reserve_older(IrzStage *stage, IrzError *error) {
  for (int i = 0; i < stage->room && stage->options.levels && stage->n_kept == 0; i++) {
    if (stage->older[i] != NULL || stage->solved[i].from < 0) continue;
    IRZ_TRY(irz_alloc(&stage->older[i], (size_t)irz_field_space(stage->field)->n_local, sizeof(double), error));
  }
  return IRZ_OK;
}

/// The problem of one pulse.
static IrzProblem pulse_problem(const IrzStage *stage, const IrzPlan *plan, const IrzLaw *const *laws,
                                const IrzPulse *pulse, double voltage) {
  IrzProblem problem = {.laws = laws, .tolerance = plan->solver.tolerance};
  problem.fixed[pulse->from] = problem.fixed[pulse->to] = true;
  problem.potential[pulse->from] = voltage;
  if (plan->memory == IRZ_MEMORY_PAIRS) problem.floor = &stage->floor;
  return problem;
}

/// Find the highest voltage whose current stays inside the limit, to a thousandth of the current. The current grows
/// with the voltage, and about as a power of it: the next trial is where the line through the two last points, in
/// logarithms, meets the limit.
/// @param[in,out] voltage  in: one with too much current; out: the highest allowed
/// @param[in,out] u        [n_local] solution at `voltage`
/// @param[out]    report   of the solution at the highest voltage allowed
static IrzCode limit_current(IrzStage *stage, const IrzPlan *plan, const IrzLaw *const *laws, const IrzPulse *pulse,
                             double *voltage, double *u, IrzReport *report, IrzError *error) {
  enum { MAX_TRIALS = 30 };
  const double limit = plan->generator.max_current, aim = limit * (1 - 5e-4), enough = limit * (1 - 1e-3);
  size_t n = (size_t)irz_field_space(stage->field)->n_local;
  double low = 0, high = *voltage, exponent = 1, here = *voltage, current = report->power / here;
  for (int trial = 0; trial < MAX_TRIALS; trial++) {
    double next = here * pow(aim / current, 1 / exponent);
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    for (size_t k = 0; k < n; k++) u[k] *= next / here;
    IrzProblem problem = pulse_problem(stage, plan, laws, pulse, next);
    IrzReport there;
    IRZ_TRY(irz_field_solve(stage->field, &problem, true, u, &there, error));
    double found = there.power / next;
    there.newton += report->newton;
    there.linear += report->linear;
    *report = there;
    double slope = log(found / current) / log(next / here);
    exponent = isfinite(slope) ? fmin(4, fmax(0.25, slope)) : 1;
    here = next;
    current = found;
    if (current <= limit && current >= enough) break;
    if (current > limit)
      high = here;
    else
      low = here;
  }
  *voltage = here;
  if (current <= limit) return IRZ_OK;
  return irz_error_set(error, IRZ_ERR_SOLVER, "no voltage of %s-%s was found whose current stays inside %g A",
                       plan->probes[pulse->from].name, plan->probes[pulse->to].name, limit);
}

/// Keep a pair inside the generator's limits: find the highest voltage allowed, and take it if the plan says so.
static IrzCode apply_limits(IrzStage *stage, const IrzPlan *plan, const IrzLaw *const *laws, int i, double voltage,
                            IrzReport *report, IrzPulseResult *result, IrzError *error) {
  const IrzPulse *pulse = &plan->pulses[i];
  size_t n = (size_t)irz_field_space(stage->field)->n_local;
  result->voltage = voltage;
  if (pulse->voltage > plan->generator.max_voltage * (1 + 1e-12)) result->highest_voltage = plan->generator.max_voltage;
  if (report->power / voltage <= plan->generator.max_current) return IRZ_OK;
  if (stage->trial == NULL) irz_alloc(&stage->trial, n, sizeof(double), error);
  IRZ_TRY(irz_error_agree(stage->comm, error));
  memcpy(stage->trial, stage->unknown[i], n * sizeof(double));
  IrzReport limited = *report;
  double highest = voltage;
  IRZ_TRY(limit_current(stage, plan, laws, pulse, &highest, stage->trial, &limited, error));
  result->highest_voltage = isnan(result->highest_voltage) ? highest : fmin(highest, result->highest_voltage);
  if (!plan->generator.enforce) return IRZ_OK;
  memcpy(stage->unknown[i], stage->trial, n * sizeof(double));
  result->voltage = highest;
  *report = limited;
  return IRZ_OK;
}

/// Solve one pulse and note its result.
static IrzCode solve_pulse(IrzStage *stage, const IrzPlan *plan, const IrzLaw *const *laws, int i,
                           IrzPulseResult *result, IrzError *error) {
  const IrzPulse *pulse = &plan->pulses[i];
  double voltage = plan->generator.enforce ? fmin(pulse->voltage, plan->generator.max_voltage) : pulse->voltage;
  IrzProblem problem = pulse_problem(stage, plan, laws, pulse, voltage);
  IrzReport report;
  bool started = extrapolate(stage, i, pulse, voltage) || make_start(stage, i, pulse, voltage);
  stage->solved[i] = (IrzSolved){-1, -1, 0};
  IRZ_TRY(irz_field_solve(stage->field, &problem, started, stage->unknown[i], &report, error));
  result->requested_voltage = pulse->voltage;
  bool placed = plan->probes[pulse->from].has_geometry && plan->probes[pulse->to].has_geometry;
  result->distance = placed ? irz_plan_distance(plan, pulse->from, pulse->to) : NAN;
  result->highest_voltage = NAN;
  IRZ_TRY(apply_limits(stage, plan, laws, i, voltage, &report, result, error));
  stage->solved[i] = (IrzSolved){pulse->from, pulse->to, result->voltage};
  stage->algebra = fmax(stage->algebra, report.remaining);
  irz_space_nodes(irz_field_space(stage->field), stage->unknown[i], stage->found->potential[i]);
  if (plan->memory == IRZ_MEMORY_PAIRS) {
    irz_points_remember(stage->medium, plan->mesh.order, laws, stage->found->potential[i], &stage->floor);
  }
  snprintf(result->from, sizeof result->from, "%s", plan->probes[pulse->from].name);
  snprintf(result->to, sizeof result->to, "%s", plan->probes[pulse->to].name);
  result->current = result->first_current = report.power / result->voltage;
  result->current_error = -1;
  result->resistance = result->voltage / result->current;
  result->newton_iterations = report.newton;
  result->linear_iterations = report.linear;
  for (int p = 0; p < IRZ_MAX_PROBES; p++) {
    result->potential[p] = p < plan->n_probes ? report.potential[p] : NAN;
    result->electrode_current[p] = p < plan->n_probes ? report.current[p] : NAN;
  }
  return IRZ_OK;
}

/// Forget what earlier plans did to the tissue.
static IrzCode fresh_tissue(IrzStage *stage, const IrzPlan *plan, const IrzLaw *const *laws, IrzError *error) {
  if (plan->memory == IRZ_MEMORY_NONE) return IRZ_OK;
  IRZ_TRY(irz_points_create(stage->medium, laws, &stage->floor, error));
  irz_points_clear(stage->medium, &stage->floor);
  return IRZ_OK;
}

IrzCode irz_look_up(IrzStage *stage, const IrzPlan *plan, const IrzLaw ***laws, IrzError *error) {
  int n = stage->medium->n_regions;
  IrzSolution *found = stage->found;
  IRZ_TRY(irz_alloc(laws, (size_t)n, sizeof **laws, error));
  IRZ_TRY(irz_resize(&found->threshold, (size_t)n, sizeof *found->threshold, error));
  IRZ_TRY(irz_resize(&found->law, (size_t)n, sizeof *found->law, error));
  for (int r = 0; r < n; r++) {
    const IrzTissue *tissue = &plan->tissues[irz_plan_tissue(plan, stage->medium->regions[r].name)];
    (*laws)[r] = &tissue->sigma;
    found->threshold[r] = tissue->threshold;
    found->law[r] = tissue->sigma;
  }
  return IRZ_OK;
}

IrzCode irz_treat(IrzStage *stage, const IrzPlan *plan, int total, const IrzLaw *const *laws, IrzSummary *summary,
                  IrzError *error) {
  summary->cells = stage->part->n_global_tets;
  summary->vertices = stage->part->n_global_vertices;
  summary->unknowns = irz_field_space(stage->field)->n_global;
  if (error->code == IRZ_OK) reserve(stage, total, error);
  if (error->code == IRZ_OK) reserve_older(stage, error);
  restore_kept(stage, plan);
  if (error->code == IRZ_OK) fresh_tissue(stage, plan, laws, error);
  if (error->code == IRZ_OK) irz_alloc(&summary->pulses, (size_t)total, sizeof *summary->pulses, error);
  IrzCode code = irz_error_agree(stage->comm, error);
  stage->algebra = 0;
  for (int i = 0; code == IRZ_OK && i < plan->n_pulses; i++) {
    code = irz_stage_report(stage, "solve", (double)i / plan->n_pulses, error);
    if (code != IRZ_OK) break;
    solve_pulse(stage, plan, laws, i, &summary->pulses[i], error);
    code = irz_error_agree(stage->comm, error);
  }
  return code;
}
