#ifndef IREZONE_PART_PART_VALID_H
#define IREZONE_PART_PART_VALID_H

#include "part/part.h"

/// Whether a part is what part.h promises: numbers are in their ranges, tetrahedra positively oriented and beside a
/// vertex that this rank owns, edges where tetrahedra have them, every tetrahedron, vertex and edge of the whole
/// counted once, and nodes where their owners have them, on the same electrodes. Collective; one answer for all ranks.
/// @param[out] fault  what is wrong with it, the same on all ranks; may be NULL
bool irz_part_is_valid(const IrzPart *part, IrzError *fault);

#endif
