/* What a model holds. */
#ifndef IREZONE_MODEL_MODEL_H
#define IREZONE_MODEL_MODEL_H

#include "model/stage.h"

/// All positions of the needles that one plan has, and what it found there.
struct IrzModel {
  MPI_Comm comm;
  IrzModelOptions options;
  IrzLabelMap *labels; ///< or NULL
  int n_stated;        ///< warnings that the plan had before anything was read for it
  int n_stages;        ///< positions: 1, and those of a pull-back
  IrzStage **stage;    ///< [n_stages] that of the plan first
  IrzPlan **moved;     ///< [n_stages] plans that they solved last, or NULL; the first is not used, nor the next
  IrzSummary *found;   ///< [n_stages] what they found
  bool answered;       ///< the last solve found its solution
  bool spent;          ///< it solves nothing any more: see IrzModelOptions.once
};

/// Say that a model has no solution that could be asked for.
IrzCode irz_model_no_answer(const IrzModel *model, IrzError *error);

#endif
