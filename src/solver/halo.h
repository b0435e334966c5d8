/* Unknowns of a level of algebraic multigrid divided among ranks: each rank owns a range of them and keeps copies,
   ghosts, of those that its rows refer to. Local numbers are owned ones first, then ghosts by their global numbers. */
#ifndef IREZONE_SOLVER_HALO_H
#define IREZONE_SOLVER_HALO_H

#include "matrix/space.h"
#include "solver/rows.h"

typedef struct {
  MPI_Comm comm;
  int size;        ///< ranks that share the unknowns; 1: each rank has all of them
  int32_t n;       ///< owned
  int32_t n_local; ///< with ghosts
  PetscInt first;  ///< global number of the first owned one
  PetscInt n_global;
  const PetscInt *ghost; ///< [n_local - n] global numbers, increasing
  PetscSF sf;            ///< from owners to ghosts; NULL if `size` is 1
  bool ours;             ///< else `ghost` and `sf` are borrowed
} IrzHalo;

/// The unknowns of a space; borrows from it.
IrzHalo irz_halo_of(const IrzSpace *space);

/// All of n unknowns on every rank.
IrzHalo irz_halo_alone(int32_t n);

/// Divide unknowns anew, `n` for this rank. Ghosts come with irz_halo_connect(). Collective.
IrzCode irz_halo_divide(MPI_Comm comm, int32_t n, IrzHalo *halo, IrzError *error);

/// Global numbers that this rank does not own, out of a list: increasing, without duplicates.
/// @param[in,out] list  [n], becomes [returned number]
PetscInt irz_halo_foreign(const IrzHalo *halo, PetscInt n, PetscInt *list);

/// Take ghosts. Collective.
/// @param[in] ghost  [n] as from irz_halo_foreign(), allocated; becomes the halo's, also on failure
PetscErrorCode irz_halo_connect(IrzHalo *halo, PetscInt n, const PetscInt *ghost);

/// Forget the ghosts.
void irz_halo_disconnect(IrzHalo *halo);

/// Local number of an owned unknown or a ghost.
int32_t irz_halo_local(const IrzHalo *halo, PetscInt global);

/// Global number of a local unknown.
static inline PetscInt irz_halo_global(const IrzHalo *halo, int32_t local) {
  return local < halo->n ? halo->first + local : halo->ghost[local - halo->n];
}

/// Bring ghosts up to date; nothing on one rank. Collective.
/// @param[in,out] x  [n_local] items of the given type
PetscErrorCode irz_halo_share(const IrzHalo *halo, MPI_Datatype type, void *x);

/// Add ghosts to their owners. Collective.
PetscErrorCode irz_halo_add(const IrzHalo *halo, float *x);

/// Fetch the rows of ghosts. Columns are whatever the owners call them, usually global. Collective.
/// @param[in,out] rows  n rows, becomes n_local
IrzCode irz_halo_fetch(const IrzHalo *halo, IrzRows *rows, IrzError *error);

/// Send each entry to the owner of its row. Collective.
/// @param[in]  entries   rows and columns are global
/// @param[out] received  in an order that does not depend on timing
IrzCode irz_halo_send(const IrzHalo *halo, const IrzEntries *entries, IrzEntries *received, IrzError *error);

/// Collect the entries of all ranks on every rank. Collective.
IrzCode irz_halo_collect(const IrzHalo *halo, const IrzEntries *entries, IrzEntries *received, IrzError *error);

#endif
