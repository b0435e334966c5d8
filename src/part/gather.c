/* Records of all ranks in one place; see gather.h. */
#include "part/gather.h"
#include "base/memory.h"
#include <stdlib.h>

IrzCode irz_gather(MPI_Comm comm, const void *mine, size_t n, size_t size, bool first, void **all, size_t *n_all,
                   IrzError *error) {
  int rank, ranks, *count = NULL, *start = NULL, own = (int)n;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &ranks);
  *all = NULL;
  *n_all = 0;
  irz_alloc(&count, (size_t)ranks, sizeof *count, error);
  if (error->code == IRZ_OK) irz_alloc(&start, (size_t)ranks + 1, sizeof *start, error);
  IrzCode code = irz_error_agree(comm, error);
  if (code == IRZ_OK) {
    MPI_Allgather(&own, 1, MPI_INT, count, 1, MPI_INT, comm);
    for (int r = 0; r < ranks; r++) start[r + 1] = start[r] + count[r];
    if (!first || rank == 0) irz_alloc(all, (size_t)start[ranks], size, error);
    code = irz_error_agree(comm, error);
  }
  if (code == IRZ_OK) {
    MPI_Datatype type;
    MPI_Type_contiguous((int)size, MPI_BYTE, &type);
    MPI_Type_commit(&type);
    if (first)
      MPI_Gatherv(mine, own, type, *all, count, start, type, 0, comm);
    else
      MPI_Allgatherv(mine, own, type, *all, count, start, type, comm);
    MPI_Type_free(&type);
    if (*all != NULL) *n_all = (size_t)start[ranks];
  }
  free(count);
  free(start);
  return code;
}
