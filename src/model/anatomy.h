/* A label map that models share, with what was said about it when it was read. */
#ifndef IREZONE_MODEL_ANATOMY_H
#define IREZONE_MODEL_ANATOMY_H

#include "model/key.h"
#include <irezone/anatomy.h>

typedef struct {
  int users;
  IrzKey key; ///< IRZ_KEY_ANATOMY of the plan that it was read for
  IrzLabelMap *map;
  int n_warnings;
  char **warnings; ///< [n_warnings] that reading it has added to the plan
} IrzAnatomy;

/// Have the label map of a plan on all ranks: the one that is known if it is the same, else read. Where it has labels
/// that the plan does not map it is read anew, as it knows how far these are from the needles. Collective.
/// @param[in,out] plan     gets the warnings
/// @param[in]     known    may be NULL
/// @param[out]    anatomy  to be let go with irz_anatomy_free(); NULL without a label map, and on failure
IrzCode irz_anatomy_take(MPI_Comm comm, IrzPlan *plan, IrzAnatomy *known, IrzAnatomy **anatomy, IrzError *error);

/// Let go of it; NULL is allowed.
void irz_anatomy_free(IrzAnatomy *anatomy);

#endif
