/* One rank works while the others wait for it: they leave the processors to it, and it uses them. */
#ifndef IREZONE_BASE_IDLE_H
#define IREZONE_BASE_IDLE_H

#include <irezone/error.h>

/// Threads that a rank may use while the others wait: those of all ranks on its machine, but no more than this process
/// may run on. Collective.
/// @param[in] own  threads of each rank; never is the answer less
int irz_idle_threads(MPI_Comm comm, int own);

/// irz_error_agree() for long waits: it looks for the others again and again, this sleeps meanwhile. Collective.
IrzCode irz_idle_agree(MPI_Comm comm, IrzError *error);

/// Receive as MPI_Recv() does, asleep until there is something.
void irz_idle_receive(void *data, int count, MPI_Datatype type, int from, int tag, MPI_Comm comm);

#endif
