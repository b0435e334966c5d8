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

/// How a stage works.
typedef struct {
  int threads; ///< per rank; 0: chosen
  bool refine; ///< as IrzModelOptions
  bool once;   ///< as IrzModelOptions
  bool levels; ///< coarser meshes stay when finer ones are made, for plans to come
  bool (*progress)(void *context, const char *what, double fraction); ///< on rank 0; false: stop; may be NULL
  void *context;
} IrzStageOptions;

/// What a plan came to on a stage: fields at the nodes of its part. Constant from the end of the solve on.
typedef struct {
  int users;                    ///< the stage, and results; a solve makes a new one if the last still has others
  const struct IrzStage *stage; ///< on which it was found; borrowed
  int n_pulses;                 ///< those of every position of a pull-back
  int room;                     ///< pulses there is room for
  double **potential;           ///< [room][nodes of the part] V; with full coupling in the last pulse of each pair
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

/// Finer meshes that a stage keeps.
enum { IRZ_STAGE_LEVELS = 3 };

/// One position of the needles.
typedef struct IrzStage {
  MPI_Comm comm;
  int users; ///< the model, and results
  IrzStageOptions options;
  int threads;               ///< among which the work is divided, see base/threads.h
  IrzPlan *geometry;         ///< the plan it was built for, with warnings of its files and its mesh
  int n_stated;              ///< warnings that this plan had before
  const IrzLabelMap *labels; ///< borrowed, or NULL
  double accuracy;           ///< relative, that a generated mesh is sized for
  IrzPart *part;
  IrzMedium *medium;
  IrzField *field;

  int room;                ///< pulses there is room for
  double **unknown;        ///< [room][n_local of the space] V, what was solved last: the start of what comes next
  IrzSolved *solved;       ///< [room] what `unknown` holds
  double **older;          ///< [room][n_local of the space] V, of another voltage before; with IrzStageOptions.levels
  IrzSolved *older_solved; ///< [room] what `older` holds
  int n_kept;              ///< pulses of the kept solution; 0: none is kept
  double **kept;           ///< [n_kept][n_local of the space] V
  IrzSolved *kept_solved;  ///< [n_kept]
  IrzPoints floor;         ///< conductivity that tissue remembers from earlier pairs, S/m; empty without memory
  double *trial;           ///< [n_local of the space] V, for looking for the generator's limit; NULL until needed
  double algebra;          ///< largest error that the algebra of a pulse has left, as IrzReport.remaining

  IrzSolution *found;           ///< by the last solve
  double mesh_time, setup_time; ///< s, of what was built since the last solve, finer levels included

  int n_finer;                              ///< with IrzStageOptions.levels
  struct IrzStage *finer[IRZ_STAGE_LEVELS]; ///< the same position with meshes that are sized for other accuracies
} IrzStage;

/// Generate or load the mesh of a plan and build everything on it. Collective.
/// @param[in]  plan      the stage keeps a copy
/// @param[in]  accuracy  that a generated mesh is sized for
/// @param[in]  labels  of the plan's label map, on all ranks; must outlive the stage; or NULL
/// @param[out] stage   NULL on failure
/// @return IRZ_OK, IRZ_ERR_PLAN, IRZ_ERR_INPUT, IRZ_ERR_SOLVER or IRZ_ERR_MEMORY
IrzCode irz_stage_create(MPI_Comm comm, const IrzPlan *plan, double accuracy, const IrzStageOptions *options,
                         const IrzLabelMap *labels, IrzStage **stage, IrzError *error);

/// Have a stage whose generated mesh is sized for another accuracy: with IrzStageOptions.levels one that is kept beside
/// it, else the same, built again without its solutions. Collective.
/// @param[in,out] stage  the stage of the plan's own accuracy on entry
IrzCode irz_stage_refine(IrzStage **stage, double accuracy, IrzError *error);

/// Let go of a solution; NULL is allowed.
void irz_solution_free(IrzSolution *solution);

/// See that the next solve has a solution of its own to write to.
IrzCode irz_stage_renew(IrzStage *stage, IrzError *error);

/// Keep the last solution as the start of all later solves. Collective.
IrzCode irz_stage_keep(IrzStage *stage, IrzError *error);

/// Forget all starts, and what was built on them. Collective.
void irz_stage_reset(IrzStage *stage);

/// Let go of a stage, which its last user frees; NULL is allowed. Collective.
void irz_stage_free(IrzStage *stage);

/// Tell the caller how far the work is, who may stop it. Collective.
/// @return IRZ_OK or IRZ_ERR_CANCELLED
IrzCode irz_stage_report(const IrzStage *stage, const char *what, double fraction, IrzError *error);

/// Give all ranks the warnings that rank 0 has added to a plan. Collective.
/// @param[in] before  warnings that all have
void irz_share_warnings(MPI_Comm comm, IrzPlan *plan, int before);

/// Nodes of a stage's part.
static inline size_t irz_stage_nodes(const IrzStage *stage) {
  return (size_t)stage->part->n_vertices + (size_t)stage->part->n_edges;
}

#endif
