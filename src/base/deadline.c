/* A time by which a thread's work must be done; see deadline.h. */
#include "base/deadline.h"
#include <math.h>
#include <time.h>

/// Of this thread.
static _Thread_local struct {
  bool counts, told;
  struct timespec end;
} deadline;

void irz_deadline_start(double seconds) {
  const double most = 1e9; /* thirty years; what time_t holds */
  deadline.told = false;
  deadline.counts = seconds > 0 && seconds < most;
  if (!deadline.counts) return;
  clock_gettime(CLOCK_MONOTONIC, &deadline.end);
  time_t whole = (time_t)seconds;
  deadline.end.tv_sec += whole;
  deadline.end.tv_nsec += (long)((seconds - (double)whole) * 1e9);
  if (deadline.end.tv_nsec < 1000000000) return;
  deadline.end.tv_nsec -= 1000000000;
  deadline.end.tv_sec++;
}

bool irz_deadline_end(void) {
  deadline.counts = false;
  return deadline.told;
}

double irz_deadline_left(void) {
  if (!deadline.counts) return INFINITY;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  double left = (double)(deadline.end.tv_sec - now.tv_sec) + 1e-9 * (double)(deadline.end.tv_nsec - now.tv_nsec);
  return fmax(0, left);
}

bool irz_deadline_passed(void) {
  bool passed = irz_deadline_left() == 0;
  deadline.told = deadline.told || passed;
  return passed;
}

bool irz_deadline_passed_any(MPI_Comm comm) {
  if (!deadline.counts) return false;
  int size, mine = irz_deadline_passed(), any = mine;
  MPI_Comm_size(comm, &size);
  if (size > 1) MPI_Allreduce(&mine, &any, 1, MPI_INT, MPI_MAX, comm);
  deadline.told = deadline.told || any != 0;
  return any != 0;
}
