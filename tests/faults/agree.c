/* Makes one agreement of one rank fail: IREZONE_FAULT=agree:N[:rank] build/tests/faults/irezone ...
   The linker puts this in the place of irz_error_agree() wherever it is called (--wrap); the program is the same
   otherwise. The rank that is chosen enters its N-th agreement as if it had run out of memory just before.
   IREZONE_FAULT=count:0 with IREZONE_FAULT_COUNT=FILE: a line "agree rank number" is appended there at each agreement.
 */
#define _GNU_SOURCE /* syscall */
#include <fcntl.h>
#include <irezone/error.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

IrzCode __real_irz_error_agree(MPI_Comm comm, IrzError *error);
IrzCode __wrap_irz_error_agree(MPI_Comm comm, IrzError *error);

static int own_rank(void) {
  const char *rank = getenv("OMPI_COMM_WORLD_RANK");
  return rank != NULL ? atoi(rank) : 0;
}

static void note(const char *path, int rank, long number) {
  char text[64];
  int length = snprintf(text, sizeof text, "agree %d %ld\n", rank, number);
  /* Not by the functions of these names, which shim.c counts. */
  long file = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0666);
  if (file < 0 || syscall(SYS_write, file, text, length) != length) abort();
  syscall(SYS_close, file);
}

IrzCode __wrap_irz_error_agree(MPI_Comm comm, IrzError *error) {
  static atomic_long count;
  const char *fault = getenv("IREZONE_FAULT"), *path = getenv("IREZONE_FAULT_COUNT");
  if (fault == NULL || (strncmp(fault, "agree:", 6) != 0 && strncmp(fault, "count:", 6) != 0))
    return __real_irz_error_agree(comm, error);
  const char *rank = strchr(fault + 6, ':');
  const long number = ++count;
  IrzError own = {0};
  if (error == NULL) error = &own;
  if (path != NULL) note(path, own_rank(), number);
  if (number == atol(fault + 6) && (rank == NULL || atoi(rank + 1) == own_rank()) && error->code == IRZ_OK) {
    irz_error_set(error, IRZ_ERR_MEMORY, "out of memory: agreement %ld of rank %d fails on purpose", number,
                  own_rank());
  }
  return __real_irz_error_agree(comm, error);
}
