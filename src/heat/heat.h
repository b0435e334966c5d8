/* Heating of the tissue over a whole treatment: Pennes' equation with Joule heat averaged over pulses and pauses
   between them, on the mesh of the electric field. */
#ifndef IREZONE_HEAT_HEAT_H
#define IREZONE_HEAT_HEAT_H

#include "field/field.h"
#include "plan/plan.h"
#include "zone/sides.h"
#include <irezone/result.h>

/// What to compute. All pointers are borrowed.
typedef struct {
  const IrzPlan *plan;
  const IrzMedium *medium;
  int order;                 ///< element order of the potentials
  const IrzLaw *const *laws; ///< [regions of the medium]
  double *const *potential;  ///< [plan->n_pulses] each [nodes of the part], V
  const double *voltage;     ///< [plan->n_pulses] V
  IrzField *field;           ///< full coupling: solves the electric field again; else NULL
  double *const
      *unknown; ///< full coupling: [plan->n_pulses] each [n_local of the field's space], `potential` as unknowns
  const IrzSides *sides;   ///< NULL: rows are nodes
  const double *recovered; ///< [rows] largest |E| over the pulses, V/m
  const double *drawn;     ///< [rows] the same such that linear pieces have the zone's volume, V/m
  double current_error;    ///< of the currents, relative: the heat is off by as much
  double zone_error;       ///< of the zone's volume, relative
  const double *threshold; ///< [regions of the medium] V/m
  /// Told how far the work is; may fail, which ends it. Collective; may be NULL
  IrzCode (*progress)(void *context, double fraction, IrzError *error);
  void *context;
} IrzHeatTask;

/// Integrations that go along with what is asked for, to tell its errors.
enum { IRZ_HEAT_CHECKS = 3 };

/// What tissue went through, at the nodes of the part.
typedef struct {
  double *peak;  ///< [nodes] highest temperature, C
  double *omega; ///< [nodes] Arrhenius integral, 1
  double *cem43; ///< [nodes] equivalent minutes at 43 C
} IrzHeatReached;

/// Fields at the end, at the nodes of the part.
typedef struct {
  /* What is asked for; order 1 with steps twice as long; then at order 2 order 1 with the same steps, at order 1 order
   * 2 and order 1 in long steps, whose difference has been added to the first two. */
  int n_reached;
  IrzHeatReached reached[1 + IRZ_HEAT_CHECKS];
  double change_of_steps; ///< C, of the highest temperature, by steps twice as long, when it was about highest
  int n_frames;
  double *frame_time; ///< [n_frames] s
  double **frame;     ///< [n_frames][nodes] C
  /* Full coupling only: what the first and the last pulse of each pair meet. Else NULL. */
  int n_pulses;
  double **first;        ///< [n_pulses][nodes of the part] V
  double **last;         ///< [n_pulses][nodes of the part] V
  double *first_current; ///< [n_pulses] A
  IrzReport *report;     ///< [n_pulses] of the last pulses
} IrzHeatFields;

/// Compute. Collective.
/// @param[out] fields  release with irz_heat_fields_clear()
/// @param[out] result  release `samples` with free()
/// @return IRZ_OK or IRZ_ERR_SOLVER
IrzCode irz_heat_run(const IrzHeatTask *task, IrzHeatFields *fields, IrzHeatResult *result, IrzError *error);

void irz_heat_fields_clear(IrzHeatFields *fields);

/// Measure volumes, and all errors, into `result`. Collective.
IrzCode irz_heat_measure(const IrzHeatTask *task, const IrzHeatFields *fields, IrzHeatResult *result, IrzError *error);

#endif
