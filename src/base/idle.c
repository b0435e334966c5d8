#include "base/idle.h"
#include "base/threads.h"
#include <time.h>

int irz_idle_threads(MPI_Comm comm, int own) {
  MPI_Comm machine;
  int size, ranks, most = irz_threads_available();
  MPI_Comm_size(comm, &size);
  if (size == 1) return own;
  MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
  MPI_Comm_size(machine, &ranks);
  MPI_Comm_free(&machine);
  int all = ranks < most / own ? own * ranks : most;
  return all > own ? all : own;
}

/// Sleep until a request is done.
static void await(MPI_Request *request) {
  const struct timespec moment = {.tv_nsec = 200000};
  int done = 0;
  MPI_Test(request, &done, MPI_STATUS_IGNORE);
  while (!done) {
    nanosleep(&moment, NULL);
    MPI_Test(request, &done, MPI_STATUS_IGNORE);
  }
}

IrzCode irz_idle_agree(MPI_Comm comm, IrzError *error) {
  MPI_Request request;
  MPI_Ibarrier(comm, &request);
  await(&request);
  return irz_error_agree(comm, error);
}

void irz_idle_receive(void *data, int count, MPI_Datatype type, int from, int tag, MPI_Comm comm) {
  MPI_Request request;
  MPI_Irecv(data, count, type, from, tag, comm, &request);
  await(&request);
}
