/* Numbering of unknowns; see space.h. */
#include "matrix/space.h"
#include "base/memory.h"
#include "base/petsc.h"
#include "base/threads.h"
#include "base/valid.h"
#include "matrix/matrix_valid.h"
#include "part/first_met.h"
#include <stdlib.h>
#include <string.h>

/// Number the owned unknowns in the order in which the tetrahedra meet them, so that neighbours are near in memory. The
/// rows of a thread are those that its run of tetrahedra meets first.
static IrzCode number_owned(IrzSpace *space, IrzError *error) {
  const IrzPart *part = space->part;
  const int n_runs = space->n_threads;
  const int32_t n = part->n_vertices + part->n_edges, first_ghost_edge = part->n_vertices + part->n_owned_edges;
  int32_t next = 0, of_electrode[IRZ_MAX_PROBES];
  IrzMet met = {0};
  IRZ_TRY(irz_alloc(&space->row_start, (size_t)n_runs + 1, sizeof *space->row_start, error));
  IrzCode code = irz_first_met(part->n_tets, part->tet[0], 10, space->nodes, n, n_runs, &met, error);
  if (code == IRZ_OK) {
    for (int p = 0; p < IRZ_MAX_PROBES; p++) of_electrode[p] = -1;
    memset(space->dof, -1, (size_t)n * sizeof *space->dof);
    for (int r = 0; r < n_runs; r++) {
      for (int32_t k = r > 0 ? met.end[r - 1] : 0; k < met.end[r]; k++) {
        int32_t node = met.node[k];
        bool vertex = node < part->n_vertices;
        if (node >= (vertex ? part->n_owned_vertices : first_ghost_edge)) continue; /* numbered by its owner */
        int e = part->electrode[node];
        if (!space->merged || e < 0) {
          space->dof[node] = next++;
        } else {
          if (of_electrode[e] < 0) of_electrode[e] = next++;
          space->dof[node] = of_electrode[e];
        }
      }
      space->row_start[r + 1] = next;
    }
    space->n_owned = next;
  }
  irz_met_clear(&met);
  return code;
}

/// Learn the global numbers of ghosts from their owners and number them locally.
static PetscErrorCode number_ghosts(IrzSpace *space) {
  const IrzPart *part = space->part;
  PetscInt n = part->n_vertices + part->n_edges, *global, owned = space->n_owned, count = 0, *ghost, end;
  PetscLayout layout;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Scan(&owned, &end, 1, MPIU_INT, MPI_SUM, part->comm));
  space->first = end - owned;
  space->n_global = end;
  PetscCallMPI(MPI_Bcast(&space->n_global, 1, MPIU_INT, part->size - 1, part->comm));
  if (part->size == 1) {
    space->n_local = space->n_owned;
    PetscFunctionReturn(0);
  }
  PetscCall(PetscMalloc1(n, &global));
  for (PetscInt i = 0; i < n; i++) global[i] = space->dof[i] >= 0 ? space->first + space->dof[i] : -1;
  PetscCall(PetscSFBcastBegin(part->nodes, MPIU_INT, global, global, MPI_REPLACE));
  PetscCall(PetscSFBcastEnd(part->nodes, MPIU_INT, global, global, MPI_REPLACE));
  PetscCall(PetscMalloc1(n, &ghost));
  for (PetscInt i = 0; i < n; i++) {
    if (global[i] >= 0 && (global[i] < space->first || global[i] >= end)) ghost[count++] = global[i];
  }
  PetscCall(PetscSortRemoveDupsInt(&count, ghost));
  for (PetscInt i = 0; i < n; i++) {
    if (global[i] < 0 || space->dof[i] >= 0) continue;
    PetscInt where;
    PetscCall(PetscFindInt(global[i], count, ghost, &where));
    space->dof[i] = space->n_owned + where;
  }
  space->n_local = space->n_owned + count;
  space->ghost = ghost;
  PetscCall(PetscFree(global));
  PetscCall(PetscLayoutCreateFromSizes(part->comm, owned, PETSC_DECIDE, 1, &layout));
  PetscCall(PetscSFCreate(part->comm, &space->halo));
  PetscCall(PetscSFSetGraphLayout(space->halo, layout, count, NULL, PETSC_OWN_POINTER, ghost));
  PetscCall(PetscSFSetUp(space->halo));
  PetscCall(PetscLayoutDestroy(&layout));
  PetscFunctionReturn(0);
}

/// Both spaces number their unknowns in the same order, so the rows that a thread has in both are contiguous in both.
static void follow(IrzSpace *space, const IrzSpace *like) {
  for (int k = 1; k < space->n_threads; k++) space->row_start[k] = 0;
  for (int32_t v = 0; v < space->part->n_vertices; v++) {
    int32_t theirs = like->dof[v], ours = space->dof[v];
    if (theirs >= like->n_owned) continue;
    for (int k = 1; k < space->n_threads; k++) {
      if (theirs < like->row_start[k] && ours + 1 > space->row_start[k]) space->row_start[k] = ours + 1;
    }
  }
}

/// List the tetrahedra that touch the rows of one thread, or, for `thread` = n_threads, of any.
static IrzCode list_tets(IrzSpace *space, const int32_t *general, int thread, IrzError *error) {
  const bool all = thread == space->n_threads;
  const int32_t n = space->part->n_tets, first = all ? 0 : space->row_start[thread];
  const int32_t last = all ? space->n_owned : space->row_start[thread + 1];
  const int nodes = space->nodes;
  IRZ_TRY(irz_alloc_unset(&space->tets[thread], (size_t)n, sizeof(int32_t), error));
  IRZ_TRY(irz_alloc_unset(&space->general[thread], (size_t)n, sizeof(int32_t), error));
  int32_t *tets = space->tets[thread], *generals = space->general[thread], n_tets = 0, n_general = 0;
  for (int32_t t = 0; t < n; t++) {
    const int32_t *dof = space->tet_dof + (size_t)t * (size_t)nodes;
    bool touched = false;
    for (int i = 0; i < nodes; i++) touched |= dof[i] >= first && dof[i] < last;
    if (!touched) continue;
    if (general[t] == 0)
      tets[n_tets++] = t;
    else
      generals[n_general++] = general[t] - 1;
  }
  space->n_tets[thread] = n_tets;
  space->n_general[thread] = n_general;
  IRZ_TRY(irz_resize(&space->tets[thread], (size_t)n_tets, sizeof(int32_t), error));
  return irz_resize(&space->general[thread], (size_t)n_general, sizeof(int32_t), error);
}

/// Divide the rows among the threads; each thread gets every tetrahedron that touches its rows, so that no two threads
/// write to the same row and the sums do not depend on their timing.
static IrzCode divide(IrzSpace *space, const int32_t *general, const IrzSpace *like, IrzError *error) {
  int n = space->n_threads, lists = n + 1;
  IrzCode code = IRZ_OK;
  IRZ_TRY(irz_alloc(&space->tets, (size_t)lists, sizeof *space->tets, error));
  IRZ_TRY(irz_alloc(&space->n_tets, (size_t)lists, sizeof *space->n_tets, error));
  IRZ_TRY(irz_alloc(&space->general, (size_t)lists, sizeof *space->general, error));
  IRZ_TRY(irz_alloc(&space->n_general, (size_t)lists, sizeof *space->n_general, error));
  if (like != NULL) follow(space, like);
  if (n == 1) lists = 1; /* one list is enough */
#pragma omp parallel for num_threads(irz_threads(n)) schedule(static, 1)
  for (int k = 0; k < lists; k++) {
    IrzError own = {0};
    if (list_tets(space, general, k, &own) == IRZ_OK) continue;
#pragma omp critical
    {
      *error = own;
      code = own.code;
    }
  }
  return code;
}

IrzCode irz_space_create(const IrzPart *part, int order, bool merged, int n_threads, const int32_t *general,
                         const IrzSpace *like, IrzSpace **space, IrzError *error) {
  IrzSpace *s = NULL;
  *space = NULL;
  IrzCode code = irz_alloc(&s, 1, sizeof *s, error);
  if (code == IRZ_OK) {
    s->part = part;
    s->order = order;
    s->nodes = order == 2 ? 10 : 4;
    s->merged = merged;
    s->n_threads = n_threads < 1 ? 1 : n_threads > 64 ? 64 : n_threads;
    code = irz_alloc_unset(&s->dof, (size_t)part->n_vertices + (size_t)part->n_edges, sizeof *s->dof, error);
  }
  if (code == IRZ_OK) code = number_owned(s, error);
  code = irz_error_agree(part->comm, error);
  if (code != IRZ_OK) {
    irz_space_free(s);
    return code;
  }
  code = irz_petsc(number_ghosts(s), "numbering", error);
  size_t nodes = (size_t)s->nodes, n_tets = (size_t)part->n_tets;
  if (code == IRZ_OK) code = irz_alloc_unset(&s->tet_dof, n_tets * nodes, sizeof *s->tet_dof, error);
  if (code == IRZ_OK) {
#pragma omp parallel for num_threads(irz_threads(s->n_threads))
    for (size_t t = 0; t < n_tets; t++) {
      for (size_t i = 0; i < nodes; i++) s->tet_dof[t * nodes + i] = s->dof[part->tet[t][i]];
    }
  }
  if (code == IRZ_OK) code = irz_alloc(&s->electrode, (size_t)s->n_local, 1, error);
  if (code == IRZ_OK) {
    memset(s->electrode, -1, (size_t)s->n_local);
    for (int32_t i = 0; i < part->n_vertices + part->n_edges; i++) {
      if (s->dof[i] >= 0) s->electrode[s->dof[i]] = part->electrode[i];
    }
    divide(s, general, like, error);
  }
  code = irz_error_agree(part->comm, error);
  if (code != IRZ_OK) {
    irz_space_free(s);
    return code;
  }
  IRZ_ASSERT_VALID(irz_space_is_valid, s);
  *space = s;
  return IRZ_OK;
}

/// Bring the ghosts of an array of the given type up to date.
static PetscErrorCode share(const IrzSpace *space, MPI_Datatype type, const void *owned, void *ghosts) {
  PetscFunctionBegin;
  if (space->part->size > 1) {
    PetscCall(PetscSFBcastBegin(space->halo, type, owned, ghosts, MPI_REPLACE));
    PetscCall(PetscSFBcastEnd(space->halo, type, owned, ghosts, MPI_REPLACE));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode irz_space_share(const IrzSpace *space, double *x) {
  return share(space, MPIU_SCALAR, x, x + space->n_owned);
}

PetscErrorCode irz_space_share_single(const IrzSpace *space, float *x) {
  return share(space, MPI_FLOAT, x, x + space->n_owned);
}

void irz_space_nodes(const IrzSpace *space, const double *x, double *node) {
  const IrzPart *part = space->part;
  for (int32_t v = 0; v < part->n_vertices; v++) node[v] = x[space->dof[v]];
  for (int32_t e = 0; e < part->n_edges; e++) {
    int32_t i = part->n_vertices + e;
    node[i] = space->order == 2 ? x[space->dof[i]] : 0.5 * (node[part->edge[2 * e]] + node[part->edge[2 * e + 1]]);
  }
}

void irz_space_free(IrzSpace *space) {
  if (space == NULL) return;
  if (space->halo != NULL) PetscSFDestroy(&space->halo);
  PetscFree(space->ghost);
  free(space->dof);
  free(space->tet_dof);
  free(space->electrode);
  for (int i = 0; i <= space->n_threads; i++) {
    if (space->tets != NULL) free(space->tets[i]);
    if (space->general != NULL) free(space->general[i]);
  }
  free(space->row_start);
  free(space->tets);
  free(space->n_tets);
  free(space->general);
  free(space->n_general);
  free(space);
}
