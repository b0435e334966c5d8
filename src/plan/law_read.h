/* Reading a conductivity law. */
#ifndef IREZONE_PLAN_LAW_READ_H
#define IREZONE_PLAN_LAW_READ_H

#include "plan/keys.h"

/// Read `sigma` of a tissue.
/// @param[in]  node  the map
/// @param[in]  path  its path, for messages
/// @param[in]  base  the preset's law, which gives what is not stated; NULL: there is none
/// @param[out] law   in SI units
IrzCode irz_law_read(const IrzReader *reader, const IrzYaml *node, const char *path, const IrzLaw *base, IrzLaw *law);

#endif
