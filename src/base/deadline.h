/* A time by which the work of a thread must be done, as the time limit of a sweep's case. Nothing is interrupted: loops
   that can take long ask whether it has passed and give up. */
#ifndef IREZONE_BASE_DEADLINE_H
#define IREZONE_BASE_DEADLINE_H

#include <mpi.h>
#include <stdbool.h>

/// What loops that give up say.
#define IRZ_TIMEOUT "timeout"

/// Begin to count, for this thread; with several ranks on all of them.
/// @param[in] seconds  by the clock from now on; 0: for ever
void irz_deadline_start(double seconds);

/// Stop counting. True if a loop was told since irz_deadline_start() that the time was over.
bool irz_deadline_end(void);

/// Seconds that are left, 0 or more; infinity where no time is set.
double irz_deadline_left(void);

/// Whether the time is over, for work of this rank alone.
bool irz_deadline_passed(void);

/// Whether the time is over for any rank: the same on all of them. Collective where a time is set and there are several
/// ranks, else it costs nothing.
bool irz_deadline_passed_any(MPI_Comm comm);

#endif
