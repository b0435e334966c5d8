/* Labels that a plan states by name. */
#ifndef IREZONE_ANATOMY_LABEL_NAMES_H
#define IREZONE_ANATOMY_LABEL_NAMES_H

#include "plan/plan.h"
#include <irezone/anatomy.h>

/// Set the numbers of the labels that a plan states by name; reading the map does so for the plan that it is read for.
/// @param[in] map  read for this plan or one with the same anatomy
void irz_label_map_number(const IrzLabelMap *map, IrzPlan *plan);

#endif
