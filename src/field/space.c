/* Numbering of unknowns; see space.h. */
#include "field/space.h"
#include "base/memory.h"
#include "base/petsc.h"
#include <stdlib.h>
#include <string.h>

/// Number the owned unknowns in the order in which the tetrahedra meet them, so that neighbours are near in memory.
static void number_owned(IrzSpace *space, bool second) {
  const IrzPart *part = space->part;
  int32_t first_ghost_edge = part->n_vertices + part->n_owned_edges, next = 0, of_electrode[IRZ_MAX_PROBES];
  for (int p = 0; p < IRZ_MAX_PROBES; p++) of_electrode[p] = -1;
  for (int32_t i = 0; i < part->n_vertices + part->n_edges; i++) space->dof[i] = -1;
  for (int32_t t = 0; t < part->n_tets; t++) {
    for (int i = 0; i < (second ? 10 : 4); i++) {
      int32_t node = part->tet[t][i];
      bool owned = node < part->n_vertices ? node < part->n_owned_vertices : node < first_ghost_edge;
      if (!owned || space->dof[node] >= 0) continue;
      int e = part->electrode[node];
      if (!space->merged || e < 0) {
        space->dof[node] = next++;
      } else {
        if (of_electrode[e] < 0) of_electrode[e] = next++;
        space->dof[node] = of_electrode[e];
      }
    }
  }
  space->n_owned = next;
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
  PetscCall(PetscMalloc1(n, &global));
  for (PetscInt i = 0; i < n; i++) global[i] = space->dof[i] >= 0 ? space->first + space->dof[i] : -1;
  if (part->size > 1) {
    PetscCall(PetscSFBcastBegin(part->nodes, MPIU_INT, global, global, MPI_REPLACE));
    PetscCall(PetscSFBcastEnd(part->nodes, MPIU_INT, global, global, MPI_REPLACE));
  }
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

/// Divide the rows among the threads; each thread gets every tetrahedron that touches its rows, so that no two threads
/// write to the same row and the sums do not depend on their timing.
static IrzCode divide(IrzSpace *space, const int32_t *general, const IrzSpace *like, IrzError *error) {
  const IrzPart *part = space->part;
  int n = space->n_threads;
  IRZ_TRY(irz_alloc(&space->row_start, (size_t)n + 1, sizeof *space->row_start, error));
  IRZ_TRY(irz_alloc(&space->tets, (size_t)n, sizeof *space->tets, error));
  IRZ_TRY(irz_alloc(&space->n_tets, (size_t)n, sizeof *space->n_tets, error));
  IRZ_TRY(irz_alloc(&space->general, (size_t)n, sizeof *space->general, error));
  IRZ_TRY(irz_alloc(&space->n_general, (size_t)n, sizeof *space->n_general, error));
  for (int i = 0; i <= n; i++) space->row_start[i] = (int32_t)((int64_t)space->n_owned * i / n);
  if (like != NULL) follow(space, like);
  for (int fill = 0; fill < 2; fill++) {
    if (fill) {
      for (int i = 0; i < n; i++) {
        IRZ_TRY(irz_alloc(&space->tets[i], (size_t)space->n_tets[i], sizeof(int32_t), error));
        IRZ_TRY(irz_alloc(&space->general[i], (size_t)space->n_general[i], sizeof(int32_t), error));
        space->n_tets[i] = space->n_general[i] = 0;
      }
    }
    for (int32_t t = 0; t < part->n_tets; t++) {
      uint64_t touched = 0;
      for (int i = 0; i < space->nodes; i++) {
        int32_t row = space->tet_dof[(size_t)t * (size_t)space->nodes + (size_t)i];
        for (int k = 0; k < n; k++) {
          if (row >= space->row_start[k] && row < space->row_start[k + 1]) touched |= (uint64_t)1 << k;
        }
      }
      for (int k = 0; k < n; k++) {
        if ((touched >> k & 1) == 0) continue;
        if (general[t] == 0) {
          if (fill) space->tets[k][space->n_tets[k]] = t;
          space->n_tets[k]++;
        } else {
          if (fill) space->general[k][space->n_general[k]] = general[t] - 1;
          space->n_general[k]++;
        }
      }
    }
  }
  return IRZ_OK;
}

IrzCode irz_space_create(const IrzPart *part, int order, bool merged, int n_threads, const int32_t *general,
                         const IrzSpace *like, IrzSpace **space, IrzError *error) {
  IrzSpace *s = NULL;
  *space = NULL;
  IRZ_TRY(irz_alloc(&s, 1, sizeof *s, error));
  s->part = part;
  s->order = order;
  s->nodes = order == 2 ? 10 : 4;
  s->merged = merged;
  s->n_threads = n_threads < 1 ? 1 : n_threads > 64 ? 64 : n_threads;
  IrzCode code = irz_alloc(&s->dof, (size_t)part->n_vertices + (size_t)part->n_edges, sizeof *s->dof, error);
  if (code == IRZ_OK) number_owned(s, order == 2);
  if (code == IRZ_OK) code = irz_petsc(number_ghosts(s), "numbering", error);
  size_t nodes = (size_t)s->nodes, n_tets = (size_t)part->n_tets;
  if (code == IRZ_OK) code = irz_alloc(&s->tet_dof, n_tets * nodes, sizeof *s->tet_dof, error);
  for (size_t t = 0; t < n_tets && code == IRZ_OK; t++) {
    for (size_t i = 0; i < nodes; i++) s->tet_dof[t * nodes + i] = s->dof[part->tet[t][i]];
  }
  if (code == IRZ_OK) code = irz_alloc(&s->electrode, (size_t)s->n_local, 1, error);
  if (code == IRZ_OK) {
    memset(s->electrode, -1, (size_t)s->n_local);
    for (int32_t i = 0; i < part->n_vertices + part->n_edges; i++) {
      if (s->dof[i] >= 0) s->electrode[s->dof[i]] = part->electrode[i];
    }
    code = divide(s, general, like, error);
  }
  if (code != IRZ_OK)
    irz_space_free(s);
  else
    *space = s;
  return code;
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
  for (int i = 0; i < space->n_threads; i++) {
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
