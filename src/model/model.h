/* What a model holds. */
#ifndef IREZONE_MODEL_MODEL_H
#define IREZONE_MODEL_MODEL_H

#include "model/anatomy.h"
#include "model/stage.h"

/// All positions of the needles that one plan has, and what it found there.
struct IrzModel {
  MPI_Comm comm;
  int users;                ///< whoever made it, and results
  IrzModelOptions listener; ///< progress of irz_model_create(), which cannot stop it
  IrzStageOptions options;
  IrzKey key;          ///< IRZ_KEY_MESH of its plan
  IrzAnatomy *anatomy; ///< or NULL
  int n_stated;        ///< warnings that the plan had before anything was read for it
  int n_stages;        ///< positions: 1, and those of a pull-back
  IrzStage **stage;    ///< [n_stages] of the plan's accuracy, its own position first
  IrzStage **answer;   ///< [n_stages] where the last solve found its solution: these, or with finer meshes
  IrzPlan **moved;     ///< [n_stages] plans that they solved last, or NULL; the first is not used, nor the next
  IrzSummary *found;   ///< [n_stages] what they found
  bool answered;       ///< the last solve found its solution
  bool spent;          ///< it solves nothing any more: see IrzModelOptions.once
};

/// Make a model with the options of its stages. Collective.
/// @param[in] known     a label map that may be the plan's; may be NULL
/// @param[in] listener  where to tell of progress if the options do not say; may be NULL
IrzCode irz_model_make(MPI_Comm comm, const IrzPlan *plan, const IrzStageOptions *options, IrzAnatomy *known,
                       const IrzModelOptions *listener, IrzModel **model, IrzError *error);

/// Say that a model has no solution that could be asked for.
IrzCode irz_model_no_answer(const IrzModel *model, IrzError *error);

#endif
