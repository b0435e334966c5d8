/* What a model holds. */
#ifndef IREZONE_MODEL_MODEL_H
#define IREZONE_MODEL_MODEL_H

#include "field/field.h"
#include "heat/heat.h"
#include "plan/plan.h"
#include "zone/drawn.h"
#include <irezone/model.h>

/// Which pulse a kept potential belongs to.
typedef struct {
  int from, to;   ///< -1: none
  double voltage; ///< V
} IrzSolved;

struct IrzModel {
  MPI_Comm comm;
  IrzModelOptions options;
  int threads;         ///< among which the work is divided, see base/threads.h
  IrzPlan *geometry;   ///< the plan it was built for, with warnings of its files and its mesh
  int n_stated;        ///< warnings that this plan had before
  IrzLabelMap *labels; ///< or NULL
  IrzPart *part;
  IrzMedium *medium;
  IrzField *field;

  int n_pulses;           ///< of the last solve
  int room;               ///< pulses there is room for
  double **unknown;       ///< [room][n_local of the space] V
  double **potential;     ///< [room][nodes of the part] V; with full coupling in the last pulse of each pair
  int n_met;              ///< potentials whose largest field counts: those, with full coupling the first pulses' too
  double **met;           ///< [n_met] borrowed
  IrzSolved *solved;      ///< [room] what `unknown` holds
  int n_kept;             ///< pulses of the kept solution; 0: none is kept
  double **kept;          ///< [n_kept][n_local of the space] V
  IrzSolved *kept_solved; ///< [n_kept]
  IrzPoints floor;        ///< conductivity that tissue remembers from earlier pairs, S/m; empty without memory
  double *trial;          ///< [n_local of the space] V, for looking for the generator's limit; NULL until needed
  double *recovered;      ///< [nodes of the part] largest |E| over the pulses, V/m
  double *sharp;          ///< [nodes of the part] the same with the law's kinks, V/m; order 2 only, as the next
  double *along;          ///< [nodes of the part] of irz_sharpen(), 1
  bool is_sharp;          ///< the last zone was measured with these two
  IrzDrawn drawn;         ///< the field as written and drawn
  double *survival;       ///< [nodes of the part] share of cells that survive; NULL if not asked for
  double *threshold;      ///< [regions of the medium] V/m
  IrzLaw *law;            ///< [regions of the medium] conductivities of the last solve
  int n_positions;        ///< further positions of a pull-back
  IrzModel **position;    ///< [n_positions] a model for each
  IrzPlan **moved;        ///< [n_positions] plans that they solved last, or NULL
  IrzSummary *found;      ///< [n_positions] what they found
  IrzHeatFields heat;     ///< of the last solve; empty if its plan has no `heat`

  bool answered;                ///< the last solve found its solution
  double algebra;               ///< largest error that the algebra of a pulse has left, as IrzReport.remaining
  bool spent;                   ///< it solves nothing any more: see IrzModelOptions.once
  double accuracy;              ///< relative, that the generated mesh was sized for
  double mesh_time, setup_time; ///< s, of what was built since the last solve
};

/// Say that a model has no solution that could be asked for.
IrzCode irz_model_no_answer(const IrzModel *model, IrzError *error);

#endif
