#ifndef IREZONE_MATRIX_MATRIX_VALID_H
#define IREZONE_MATRIX_MATRIX_VALID_H

#include "matrix/matrix.h"

/// Whether a space is what space.h promises: every node of a tetrahedron has an unknown, owned unknowns are numbered
/// once over all ranks, ghosts are their owners' and in order, threads share all rows. Collective; one answer for all
/// ranks.
/// @param[out] fault  what is wrong with it, the same on all ranks; may be NULL
bool irz_space_is_valid(const IrzSpace *space, IrzError *fault);

/// Whether a pattern is what pattern.h promises: rows of `a` in whole groups, their diagonal last, copies of it before,
/// nothing above it; rows of `b` in increasing order and out of the row's block. Local.
bool irz_pattern_is_valid(const IrzPattern *pattern, IrzError *fault);

/// Whether a matrix has its columns in increasing order and range, every diagonal, and of owned unknowns each entry's
/// mirror image. Local.
bool irz_matrix_is_valid(const IrzMatrix *matrix, IrzError *fault);

#endif
