/* Star forest; see nodes.h. */
#include "part/nodes.h"
#include "part/edges.h"
#include "part/pairs.h"
#include <stdlib.h>

/// Rank that owns a global vertex.
static int owner_of(const int32_t *start, int size, int32_t id) {
  int low = 0, high = size;
  while (high - low > 1) {
    int middle = (low + high) / 2;
    if (start[middle] <= id)
      low = middle;
    else
      high = middle;
  }
  return low;
}

PetscErrorCode irz_share_nodes(IrzPart *part, const int32_t *id, const int32_t *start) {
  PetscInt ghosts = part->n_vertices - part->n_owned_vertices + part->n_edges - part->n_owned_edges, leaf = 0;
  PetscInt *where;
  PetscSFNode *root;
  int size = part->size, *counts, *back, *shift, *shift_back, *place;
  int32_t *ask, *asked, *answer, *reply, (*list)[3] = NULL;
  int32_t n_ghost_edges = part->n_edges - part->n_owned_edges, n_beside = 0;
  uint8_t *beside;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(ghosts, &where));
  PetscCall(PetscMalloc1(ghosts, &root));
  for (int32_t v = part->n_owned_vertices; v < part->n_vertices; v++) {
    int rank = owner_of(start, size, id[v]);
    where[leaf] = v;
    root[leaf].rank = rank;
    root[leaf++].index = id[v] - start[rank];
  }
  PetscCall(PetscCalloc5(size, &counts, size, &back, size + 1, &shift, size + 1, &shift_back, n_ghost_edges, &place));
  for (int32_t e = part->n_owned_edges; e < part->n_edges; e++) {
    int32_t a = id[part->edge[2 * e]], b = id[part->edge[2 * e + 1]];
    counts[owner_of(start, size, irz_edge_owner(a, b))] += 2;
  }
  PetscCallMPI(MPI_Alltoall(counts, 1, MPI_INT, back, 1, MPI_INT, part->comm));
  for (int r = 0; r < size; r++) {
    shift[r + 1] = shift[r] + counts[r];
    shift_back[r + 1] = shift_back[r] + back[r];
  }
  PetscCall(PetscMalloc4(shift[size], &ask, shift_back[size], &asked, shift_back[size] / 2, &answer, shift[size] / 2,
                         &reply));
  for (int32_t e = part->n_owned_edges; e < part->n_edges; e++) {
    int32_t a = id[part->edge[2 * e]], b = id[part->edge[2 * e + 1]];
    int rank = owner_of(start, size, irz_edge_owner(a, b));
    place[e - part->n_owned_edges] = shift[rank] / 2;
    ask[shift[rank]++] = a < b ? a : b;
    ask[shift[rank]++] = a < b ? b : a;
  }
  for (int r = size; r > 0; r--) shift[r] = shift[r - 1];
  shift[0] = 0;
  PetscCallMPI(MPI_Alltoallv(ask, counts, shift, MPI_INT32_T, asked, back, shift_back, MPI_INT32_T, part->comm));
  /* Owned edges by their global ends, to answer what others ask: who asks owns a vertex of a tetrahedron that the edge
   * is in, so edges whose tetrahedra have no ghosts need not be looked at. */
  PetscCall(PetscCalloc1(part->n_owned_edges, &beside));
  for (int32_t t = 0; t < part->n_tets; t++) {
    bool inside = true;
    for (int c = 0; c < 4; c++) inside = inside && part->tet[t][c] < part->n_owned_vertices;
    for (int c = 4; c < 10 && !inside; c++) {
      int32_t e = part->tet[t][c] - part->n_vertices;
      if (e < part->n_owned_edges) beside[e] = 1;
    }
  }
  for (int32_t e = 0; e < part->n_owned_edges; e++) n_beside += beside[e];
  PetscCall(PetscMalloc(3 * sizeof(int32_t) * (size_t)n_beside, &list));
  n_beside = 0;
  for (int32_t e = 0; e < part->n_owned_edges; e++) {
    if (!beside[e]) continue;
    int32_t a = id[part->edge[2 * e]], b = id[part->edge[2 * e + 1]];
    list[n_beside][0] = a < b ? a : b;
    list[n_beside][1] = a < b ? b : a;
    list[n_beside++][2] = part->n_vertices + e;
  }
  if (n_beside > 0) qsort(list, (size_t)n_beside, sizeof list[0], irz_compare_pairs);
  for (int k = 0; k < shift_back[size] / 2; k++) {
    const int32_t *hit =
        n_beside > 0 ? bsearch(asked + 2 * k, list, (size_t)n_beside, sizeof list[0], irz_compare_pairs) : NULL;
    PetscCheck(hit != NULL, PETSC_COMM_SELF, PETSC_ERR_PLIB, "edge unknown to its owner");
    answer[k] = hit[2];
  }
  for (int r = 0; r < size; r++) {
    counts[r] /= 2;
    back[r] /= 2;
  }
  for (int r = 0; r <= size; r++) {
    shift[r] /= 2;
    shift_back[r] /= 2;
  }
  PetscCallMPI(MPI_Alltoallv(answer, back, shift_back, MPI_INT32_T, reply, counts, shift, MPI_INT32_T, part->comm));
  for (int32_t e = 0; e < n_ghost_edges; e++) {
    where[leaf] = part->n_vertices + part->n_owned_edges + e;
    root[leaf].rank = owner_of(shift, size, place[e]);
    root[leaf++].index = reply[place[e]];
  }
  PetscCall(PetscSFCreate(part->comm, &part->nodes));
  PetscCall(PetscSFSetGraph(part->nodes, part->n_vertices + part->n_edges, ghosts, where, PETSC_OWN_POINTER, root,
                            PETSC_OWN_POINTER));
  PetscCall(PetscSFSetUp(part->nodes));
  PetscCall(PetscFree(list));
  PetscCall(PetscFree(beside));
  PetscCall(PetscFree4(ask, asked, answer, reply));
  PetscCall(PetscFree5(counts, back, shift, shift_back, place));
  PetscFunctionReturn(0);
}
