/* Starting and stopping MPI and PETSc. */
#include "cli/cli.h"
#include <errno.h>
#include <irezone/result.h>
#include <petscsys.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Tell Open MPI where it need not look. In a process that no launcher started it is alone: no networks, no daemon, no
   folders; start-up falls from 0.33 s to 0.05 s. Ranks that are all on one machine need no networks either, which saves
   0.2 s. What the user has set stays. */
static void spare_search(void) {
  static const char *const launchers[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE", "SLURM_STEP_ID"};
  static const char *const settings[][3] = {
      /* name, for a lone process, for ranks on one machine */
      {"OMPI_MCA_btl", "self", "^ofi,openib"},
      {"OMPI_MCA_pml", "ob1", "ob1"},
      {"OMPI_MCA_mtl", "^ofi,psm2", "^ofi,psm2"},
      /* Of one-sided and collective communication a lone process needs the simplest (2 ms to load the others). */
      {"OMPI_MCA_osc", "^ucx,monitoring,pt2pt,rdma", "^ucx"},
      {"OMPI_MCA_coll", "^adapt,han,inter,monitoring,sm,sync,tuned", NULL},
      {"OMPI_MCA_plm", "isolated", NULL},
      {"OMPI_MCA_ess_singleton_isolated", "1", NULL},
      {"OMPI_MCA_orte_create_session_dirs", "0", NULL},
      /* hwloc would load X11, OpenCL and XML to look for graphics cards, and walk through /sys for caches and devices
         (12 ms). One process needs no map of the machine. */
      {"HWLOC_PLUGINS_PATH", "/dev/null", NULL},
      {"HWLOC_COMPONENTS", "no_os,stop", "-gl,-linuxio,-pci"},
  };
  const char *all = getenv("OMPI_COMM_WORLD_SIZE"), *here = getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
  const bool together = all != NULL && here != NULL && strcmp(all, here) == 0;
  for (size_t i = 0; i < sizeof launchers / sizeof launchers[0] && !together; i++) {
    if (getenv(launchers[i]) != NULL) return;
  }
  for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
    const char *value = settings[i][together ? 2 : 1];
    if (value != NULL) setenv(settings[i][0], value, 0);
  }
}

/* MPI and the results need some tens of open files; without them MPI ends the process with pages of text. */
static IrzCode raise_files(IrzError *error) {
  const rlim_t least = 64;
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= least) return IRZ_OK;
  rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max < least ? limit.rlim_max : least;
  if (limit.rlim_cur >= least && setrlimit(RLIMIT_NOFILE, &limit) == 0) return IRZ_OK;
  return irz_error_set(error, IRZ_ERR_SOLVER, "only %d open files are allowed, and MPI needs %d: see `ulimit -n`",
                       (int)before, (int)least);
}

/* Whether an error of MPI tells of a lack of memory. */
static bool lacks_memory(int code) {
  int class = MPI_SUCCESS;
  MPI_Error_class(code, &class);
  return class == MPI_ERR_NO_MEM || errno == ENOMEM;
}

/* End this process with one line, because of something that the other ranks do not know of: they may wait for it in the
   same call, and the launcher ends them. */
static _Noreturn void end_alone(IrzCode status, const char *where, const char *what) {
  fprintf(stderr, "irezone: rank %d: %s%s: %s\n", irz_cli_rank(), status == IRZ_ERR_MEMORY ? "out of memory: " : "",
          where, what);
  irz_files_drop();
  _exit(status);
}

/* MPI's errors end the process. PETSc has them returned, and nobody asks: a sum that failed is no sum.
   The arguments are MPI's. NOLINTNEXTLINE(readability-non-const-parameter) */
static void end_of_mpi(MPI_Comm *comm, int *code, ...) {
  char text[MPI_MAX_ERROR_STRING] = "unknown error";
  int length;
  (void)comm;
  const IrzCode status = lacks_memory(*code) ? IRZ_ERR_MEMORY : IRZ_ERR_SOLVER;
  MPI_Error_string(*code, text, &length);
  end_alone(status, "MPI", text);
}

static void catch_mpi(void) {
  MPI_Errhandler handler;
  MPI_Comm_create_errhandler(end_of_mpi, &handler);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, handler);
  MPI_Comm_set_errhandler(MPI_COMM_SELF, handler);
  MPI_Errhandler_free(&handler);
}

/* Instead of PETSc's handler that only returns. */
static PetscErrorCode end_of_petsc(MPI_Comm comm, int line, const char *function, const char *file, PetscErrorCode code,
                                   PetscErrorType type, const char *message, void *context) {
  (void)comm;
  (void)file;
  (void)context;
  /* PETSc 3.18 takes the two numbers for each other. What is only passed on all ranks have agreed on. */
  const bool memory = code == PETSC_ERR_MEM || (line == PETSC_ERR_MEM && errno == ENOMEM);
  if (memory && type == PETSC_ERROR_INITIAL) {
    end_alone(IRZ_ERR_MEMORY, "in PETSc", "it ends, and with it the others");
  }
  if (code == PETSC_ERR_MPI) end_alone(errno == ENOMEM ? IRZ_ERR_MEMORY : IRZ_ERR_SOLVER, function, message);
  return code;
}

void irz_cli_end_alone(void) {
  PetscPushErrorHandler(end_of_petsc, NULL);
}

static bool started; /* or tried to */

IrzCode irz_cli_start(const IrzArguments *arguments, IrzError *error) {
  static char name[] = "irezone";
  int rank, size;
  const int launched = irz_cli_launched(); /* MPI may change what the environment says */
  started = true;
  irz_cli_set_rank(0); /* who cannot start says so itself */
  IRZ_TRY(raise_files(error));
  spare_search();
  /* PETSc wants the program's name in front and keeps the list until it is finalised. */
  static char **list;
  int count = arguments->n_petsc + 1;
  list = calloc((size_t)count + 1, sizeof *list);
  if (list == NULL) return irz_error_set(error, IRZ_ERR_MEMORY, "out of memory");
  list[0] = name;
  for (int i = 0; i < arguments->n_petsc; i++) list[i + 1] = arguments->petsc[i];
  PetscErrorCode failed = PetscOptionsSetValue(NULL, "-no_signal_handler", "1");
  if (failed == 0) failed = PetscInitialize(&count, &list, NULL, NULL);
  if (failed == 0) failed = PetscPushErrorHandler(PetscReturnErrorHandler, NULL);
  if (failed == PETSC_ERR_MEM) return irz_error_set(error, IRZ_ERR_MEMORY, "out of memory: PETSc could not be started");
  if (failed != 0) return irz_error_set(error, IRZ_ERR_SOLVER, "PETSc could not be started (error %d)", (int)failed);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  irz_cli_set_rank(rank);
  catch_mpi();
  if (size == 1 && launched > 0) {
    fprintf(
        stderr,
        "irezone: warning: this is task %d of several, but MPI does not know the others: it does all the work alone; "
        "start the tasks with mpiexec, or srun --mpi=pmix\n",
        launched);
  }
  return IRZ_OK;
}

IrzCode irz_cli_agree(bool failed, IrzError *error) {
  const IrzArguments none = {0};
  if (failed && started) return error->code; /* the others know */
  IrzError own = *error;
  if (failed && irz_cli_start(&none, &own) != IRZ_OK) return error->code;
  IrzCode code = irz_error_agree(MPI_COMM_WORLD, error);
  if (!failed) return code;
  irz_cli_say(error);
  irz_cli_stop();
  return code;
}

/* FNV-1a of 64 bits. */
static uint64_t hash(const char *text) {
  uint64_t value = 14695981039346656037U;
  for (; *text != '\0'; text++) value = (value ^ (unsigned char)*text) * 1099511628211U;
  return value;
}

IrzCode irz_cli_agree_on(int count, const char *const *what, const char *const *text, IrzError *error) {
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  for (int i = 0; i < count; i++) {
    uint64_t own = hash(text[i]), first = own;
    MPI_Bcast(&first, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
    if (own != first && error->code == IRZ_OK)
      irz_error_set(error, IRZ_ERR_PLAN, "rank %d has another %s than rank 0", rank, what[i]);
  }
  return irz_error_agree(MPI_COMM_WORLD, error);
}

void irz_cli_forget_options(void) {
  PetscOptionsClear(NULL);
}

void irz_cli_broadcast(void *data, size_t size) {
  const struct timespec moment = {.tv_nsec = 500000};
  MPI_Request request;
  int done = 0;
  MPI_Ibcast(data, (int)size, MPI_BYTE, 0, MPI_COMM_WORLD, &request);
  MPI_Test(&request, &done, MPI_STATUS_IGNORE);
  while (!done) {
    nanosleep(&moment, NULL);
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
  }
}

void irz_cli_stop(void) {
  PetscInt count = 0;
  char **names = NULL, **values = NULL;
  if (PetscOptionsLeftGet(NULL, &count, &names, &values) == 0) {
    for (PetscInt i = 0; i < count; i++) {
      if (irz_cli_first()) fprintf(stderr, "irezone: warning: PETSc option -%s was not used\n", names[i]);
    }
    PetscOptionsLeftRestore(NULL, &count, &names, &values);
  }
  /* -log_view and its kind are only read when PETSc ends, so the options stay; they have been said already. */
  PetscOptionsSetValue(NULL, "-options_left", "no");
  PetscFinalize();
}
