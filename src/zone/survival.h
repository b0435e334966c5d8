/* Survival of cells from the field and the number of pulses. */
#ifndef IREZONE_ZONE_SURVIVAL_H
#define IREZONE_ZONE_SURVIVAL_H

#include "plan/plan.h"
#include "zone/drawn.h"
#include <irezone/law.h>

/// Score of survival: -ln(S / (1 - S)), which grows with the field and is linear in it for a single pair, so that it
/// can be interpolated where S itself is a step.
/// @param[in] death   model
/// @param[in] pulses  [n_pulses] the pairs; their counts are used
/// @param[in] field   [n_pulses] |E| of each pair, V/m
double irz_survival_score(const IrzDeath *death, int n_pulses, const IrzPulse *pulses, const double *field);

/// What to measure.
typedef struct {
  const IrzMedium *medium;
  const IrzSides *sides; ///< NULL: rows are nodes
  int order;             ///< of the potentials
  const IrzDeath *death;
  int n_pulses;
  const IrzPulse *pulses;    ///< [n_pulses]
  double *const *potential;  ///< [n_pulses] each [nodes of the part], V
  double *const *field;      ///< [n_pulses] each [rows] recovered |E|, V/m
  double *const *plain;      ///< [n_pulses] each [rows] |E| of irz_recover(), V/m, to compare with; used
                             ///< with `along` only
  double *const *along;      ///< [n_pulses] each [rows] of irz_sharpen() for that pulse alone; order 2
                             ///< only. NULL: nothing is smooth
  const IrzLaw *const *laws; ///< [regions of the medium]; used with `along` only
} IrzSurvivalTask;

/// The fields at which the survival of a single pair is at a level of the model: the lowest and the highest, V/m.
void irz_survival_fields(const IrzDeath *death, int n_pulses, const IrzPulse *pulses, double field[2]);

/// The score in the rows, at their points as they are drawn, from the recovered fields, all changed by as much as the
/// largest is where it is drawn: cut at a level's score in flat pieces it has that level's volume. Local.
/// @param[out] score  [rows] of irz_survival_score()
IrzCode irz_survival_nodes(const IrzSurvivalTask *task, const IrzDrawn *drawn, double *score, IrzError *error);

/// Volumes where survival is at most death->survival[k], integrated inside the tetrahedra that their surfaces cut: the
/// recovered fields of the pairs (at order 2 the element-wise ones where a field is not smooth) give the score at the
/// corners of 64 smaller tetrahedra, each cut by a plane. What an error estimate needs comes from differences between
/// volumes of 8 smaller tetrahedra: with the other fields of the two, with the plain ones, and with all current
/// densities a little weaker. Collective.
/// @param[out] volume  [death->n_survival] m^3
IrzCode irz_survival_measure(const IrzSurvivalTask *task, IrzVolume *volume, IrzError *error);

#endif
