/* A stage: one position of the needles in the tissue, with everything that is built on its mesh; and what was found
   there. */
#ifndef IREZONE_MODEL_STAGE_H
#define IREZONE_MODEL_STAGE_H

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

/// What a plan came to on a stage: fields at the nodes of its part.
typedef struct {
  int n_pulses;       ///< those of every position of a pull-back
  int room;           ///< pulses there is room for
  double **potential; ///< [room][nodes of the part] V; with full coupling in the last pulse of each pair
  int n_met;          ///< potentials whose largest field counts: those, with full coupling the first pulses' too
  double **met;       ///< [n_met] borrowed
  IrzSides sides;     ///< rows of the nodes: of `recovered`, `sharp`, `along`, what is drawn, and `score`
  double *recovered;  ///< [rows] largest |E| over the pulses, V/m
  double *sharp;      ///< [rows] the same with the law's kinks, V/m; order 2 only, as the next
  double *along;      ///< [rows] of irz_sharpen(), 1
  bool is_sharp;      ///< the zone was measured with these two
  IrzDrawn drawn;     ///< the field as written and drawn
  double *score;      ///< [rows] of irz_survival_nodes(); NULL if not asked for
  double *threshold;  ///< [regions of the medium] V/m
  IrzLaw *law;        ///< [regions of the medium] conductivities
  IrzHeatFields heat; ///< empty if the plan has no `heat`
} IrzSolution;

/// One position of the needles.
typedef struct {
  MPI_Comm comm;
  IrzModelOptions options;
  int threads;               ///< among which the work is divided, see base/threads.h
  IrzPlan *geometry;         ///< the plan it was built for, with warnings of its files and its mesh
  int n_stated;              ///< warnings that this plan had before
  const IrzLabelMap *labels; ///< borrowed, or NULL
  double accuracy;           ///< relative, that a generated mesh is sized for
  IrzPart *part;
  IrzMedium *medium;
  IrzField *field;

  int room;               ///< pulses there is room for
  double **unknown;       ///< [room][n_local of the space] V, what was solved last: the start of what comes next
  IrzSolved *solved;      ///< [room] what `unknown` holds
  int n_kept;             ///< pulses of the kept solution; 0: none is kept
  double **kept;          ///< [n_kept][n_local of the space] V
  IrzSolved *kept_solved; ///< [n_kept]
  IrzPoints floor;        ///< conductivity that tissue remembers from earlier pairs, S/m; empty without memory
  double *trial;          ///< [n_local of the space] V, for looking for the generator's limit; NULL until needed
  double algebra;         ///< largest error that the algebra of a pulse has left, as IrzReport.remaining

  IrzSolution found;            ///< by the last solve
  double mesh_time, setup_time; ///< s, of what was built since the last solve
} IrzStage;

/// Generate or load the mesh of a plan and build everything on it. Collective.
/// @param[in]  plan    the stage keeps a copy
/// @param[in]  labels  of the plan's label map, on all ranks; must outlive the stage; or NULL
/// @param[out] stage   NULL on failure
/// @return IRZ_OK, IRZ_ERR_PLAN, IRZ_ERR_INPUT, IRZ_ERR_SOLVER or IRZ_ERR_MEMORY
IrzCode irz_stage_create(MPI_Comm comm, const IrzPlan *plan, const IrzModelOptions *options, const IrzLabelMap *labels,
                         IrzStage **stage, IrzError *error);

/// Build it again with a generated mesh of another accuracy; solutions are dropped. Collective.
IrzCode irz_stage_rebuild(IrzStage *stage, double accuracy, IrzError *error);

/// Keep the last solution as the start of all later solves. Collective.
IrzCode irz_stage_keep(IrzStage *stage, IrzError *error);

/// Forget all solutions, and what was built on them. Collective.
void irz_stage_reset(IrzStage *stage);

/// Free a stage; NULL is allowed. Collective.
void irz_stage_free(IrzStage *stage);

/// Tell the caller how far the work is; on rank 0.
void irz_stage_report(const IrzStage *stage, const char *what, double fraction);

/// Give all ranks the warnings that rank 0 has added to a plan. Collective.
/// @param[in] before  warnings that all have
void irz_share_warnings(MPI_Comm comm, IrzPlan *plan, int before);

/// Nodes of a stage's part.
static inline size_t irz_stage_nodes(const IrzStage *stage) {
  return (size_t)stage->part->n_vertices + (size_t)stage->part->n_edges;
}

#endif
