/* Pull-back: a model for each further position of the needles, and their fields on the mesh of the first. */
#ifndef IREZONE_MODEL_PULLBACK_H
#define IREZONE_MODEL_PULLBACK_H

#include "model/model.h"

/// Make the models of the further positions of a plan. Collective.
IrzCode irz_pullback_create(IrzModel *model, const IrzPlan *plan, IrzError *error);

/// Solve a plan at the further positions. Collective.
IrzCode irz_pullback_solve(IrzModel *model, const IrzPlan *plan, IrzError *error);

/// Take over what was found at the further positions: the pulses' results, and their potentials at the nodes of the
/// first position's mesh. There is room for all in the model and in the summary. Collective.
IrzCode irz_pullback_take(IrzModel *model, IrzSummary *summary, IrzError *error);

/// Forget what irz_pullback_solve() found.
void irz_pullback_clear(IrzModel *model);

/// Free the models of the further positions. Collective.
void irz_pullback_free(IrzModel *model);

#endif
