/* Label maps that models share; see anatomy.h. */
#include "model/anatomy.h"
#include "base/idle.h"
#include "base/memory.h"
#include "model/stage.h"
#include <stdlib.h>
#include <string.h>

/// Keep the warnings that a plan has got.
static IrzCode keep_warnings(const IrzPlan *plan, int before, IrzAnatomy *anatomy, IrzError *error) {
  IRZ_TRY(irz_alloc((void *)&anatomy->warnings, (size_t)(plan->n_warnings - before), sizeof *anatomy->warnings, error));
  for (int i = before; i < plan->n_warnings; i++) {
    anatomy->warnings[anatomy->n_warnings] = strdup(plan->warnings[i]);
    if (anatomy->warnings[anatomy->n_warnings] == NULL) return irz_out_of_memory(0, error);
    anatomy->n_warnings++;
  }
  return IRZ_OK;
}

/// Read the label map on rank 0 and let all ranks have it.
static IrzCode read_map(MPI_Comm comm, IrzPlan *plan, IrzAnatomy *anatomy, IrzError *error) {
  int rank, before = plan->n_warnings;
  MPI_Comm_rank(comm, &rank);
  if (rank == 0) irz_label_map_read(plan, &anatomy->map, error);
  IrzCode code = irz_idle_agree(comm, error);
  irz_share_warnings(comm, plan, before);
  IRZ_TRY(code);
  IRZ_TRY(irz_label_map_share(comm, &anatomy->map, error));
  keep_warnings(plan, before, anatomy, error);
  return irz_error_agree(comm, error);
}

/// Whether a map that is known is that of a key; all ranks do what rank 0 says, which sees the file.
static bool is_known(MPI_Comm comm, const IrzAnatomy *known, const IrzKey *key) {
  int same = known != NULL && irz_key_equal(&known->key, key) && known->map->n_unmapped == 0;
  MPI_Bcast(&same, 1, MPI_INT, 0, comm);
  return same;
}

IrzCode irz_anatomy_take(MPI_Comm comm, IrzPlan *plan, IrzAnatomy *known, IrzAnatomy **anatomy, IrzError *error) {
  IrzAnatomy *made = NULL;
  *anatomy = NULL;
  if (plan->anatomy.labels[0] == '\0') return IRZ_OK;
  irz_alloc(&made, 1, sizeof *made, error);
  if (error->code == IRZ_OK) irz_key_make(plan, IRZ_KEY_ANATOMY, &made->key, error);
  if (made != NULL) made->users = 1;
  IrzCode code = irz_error_agree(comm, error);
  if (code == IRZ_OK && is_known(comm, known, &made->key)) {
    irz_anatomy_free(made);
    for (int i = 0; i < known->n_warnings; i++) irz_plan_warn(plan, "%s", known->warnings[i]);
    known->users++;
    *anatomy = known;
    return IRZ_OK;
  }
  if (code == IRZ_OK) code = read_map(comm, plan, made, error);
  if (code != IRZ_OK)
    irz_anatomy_free(made);
  else
    *anatomy = made;
  return code;
}

void irz_anatomy_free(IrzAnatomy *anatomy) {
  if (anatomy == NULL || --anatomy->users > 0) return;
  for (int i = 0; i < anatomy->n_warnings; i++) free(anatomy->warnings[i]);
  free((void *)anatomy->warnings);
  irz_label_map_free(anatomy->map);
  irz_key_clear(&anatomy->key);
  free(anatomy);
}
