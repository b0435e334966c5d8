/* Records of all ranks in one place. */
#ifndef IREZONE_PART_GATHER_H
#define IREZONE_PART_GATHER_H

#include <irezone/error.h>
#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>

/// Gather records of all ranks, in the order of the ranks. Collective.
/// @param[in]  mine   [n] of `size` bytes
/// @param[in]  first  rank 0 alone gets them
/// @param[out] all    [n_all], to be released with free()
/// @return IRZ_OK or IRZ_ERR_MEMORY, the same on all ranks
IrzCode irz_gather(MPI_Comm comm, const void *mine, size_t n, size_t size, bool first, void **all, size_t *n_all,
                   IrzError *error);

#endif
