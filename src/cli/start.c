/* Starting and stopping MPI and PETSc. */
#include "cli/cli.h"
#include <petscsys.h>
#include <stdlib.h>

/* In a process that no launcher started, tell Open MPI that it is alone: it need not look for networks, nor start its
   daemon, nor make folders. Start-up falls from 0.33 s to 0.05 s. What the user has set stays. */
static void spare_search(void) {
  static const char *const launchers[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE", "SLURM_STEP_ID"};
  static const char *const settings[][2] = {
      {"OMPI_MCA_btl", "self"},
      {"OMPI_MCA_pml", "ob1"},
      {"OMPI_MCA_mtl", "^ofi,psm2"},
      /* Of one-sided and collective communication a lone process needs the simplest (2 ms to load the others). */
      {"OMPI_MCA_osc", "^ucx,monitoring,pt2pt,rdma"},
      {"OMPI_MCA_coll", "^adapt,han,inter,monitoring,sm,sync,tuned"},
      {"OMPI_MCA_plm", "isolated"},
      {"OMPI_MCA_ess_singleton_isolated", "1"},
      {"OMPI_MCA_orte_create_session_dirs", "0"},
      /* hwloc would ask an X server for its graphics cards, and every PCI device for its registers (8 ms). */
      {"HWLOC_COMPONENTS", "-gl,-linuxio,-pci"},
  };
  for (size_t i = 0; i < sizeof launchers / sizeof launchers[0]; i++) {
    if (getenv(launchers[i]) != NULL) return;
  }
  for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) setenv(settings[i][0], settings[i][1], 0);
}

IrzCode irz_cli_start(const IrzArguments *arguments, IrzError *error) {
  static char name[] = "irezone";
  spare_search();
  /* PETSc wants the program's name in front and keeps the list until it is finalised. */
  static char **list;
  int count = arguments->n_petsc + 1;
  list = calloc((size_t)count + 1, sizeof *list);
  if (list == NULL) return irz_error_set(error, IRZ_ERR_SOLVER, "out of memory");
  list[0] = name;
  for (int i = 0; i < arguments->n_petsc; i++) list[i + 1] = arguments->petsc[i];
  PetscErrorCode failed = PetscOptionsSetValue(NULL, "-no_signal_handler", "1");
  if (failed == 0) failed = PetscInitialize(&count, &list, NULL, NULL);
  if (failed == 0) failed = PetscPushErrorHandler(PetscReturnErrorHandler, NULL);
  if (failed != 0) return irz_error_set(error, IRZ_ERR_SOLVER, "PETSc could not be started (error %d)", (int)failed);
  return IRZ_OK;
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
