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

/// The two global ends of an edge, the smaller first.
static void global_ends(const IrzPart *part, const int32_t *id, int32_t e, int32_t ends[2]) {
  int32_t a = id[part->edge[2 * e]], b = id[part->edge[2 * e + 1]];
  ends[0] = a < b ? a : b;
  ends[1] = a < b ? b : a;
}

/// What ranks ask each other: which node an edge is, by its two global ends.
typedef struct {
  int *counts, *back;      ///< [ranks] numbers sent to and got from each, two a question
  int *shift, *shift_back; ///< [ranks + 1] their offsets
  int *place;              ///< [ghost edges] number of the question about each
  int32_t *ask, *asked;    ///< ends that this rank asks about, and is asked about
  int32_t *answer, *reply; ///< nodes of the edges that others asked about, and of those that this rank did
} Questions;

/// Ask the owner of each ghost edge. Collective.
static PetscErrorCode ask_owners(const IrzPart *part, const int32_t *id, const int32_t *start, Questions *q) {
  int size = part->size;
  int32_t n_ghosts = part->n_edges - part->n_owned_edges, ends[2];

  PetscFunctionBegin;
  PetscCall(PetscCalloc5(size, &q->counts, size, &q->back, size + 1, &q->shift, size + 1, &q->shift_back, n_ghosts,
                         &q->place));
  for (int32_t e = part->n_owned_edges; e < part->n_edges; e++) {
    global_ends(part, id, e, ends);
    q->counts[owner_of(start, size, irz_edge_owner(ends[0], ends[1]))] += 2;
  }
  PetscCallMPI(MPI_Alltoall(q->counts, 1, MPI_INT, q->back, 1, MPI_INT, part->comm));
  for (int r = 0; r < size; r++) {
    q->shift[r + 1] = q->shift[r] + q->counts[r];
    q->shift_back[r + 1] = q->shift_back[r] + q->back[r];
  }
  PetscCall(PetscMalloc4(q->shift[size], &q->ask, q->shift_back[size], &q->asked, q->shift_back[size] / 2, &q->answer,
                         q->shift[size] / 2, &q->reply));
  for (int32_t e = part->n_owned_edges; e < part->n_edges; e++) {
    global_ends(part, id, e, ends);
    int rank = owner_of(start, size, irz_edge_owner(ends[0], ends[1]));
    q->place[e - part->n_owned_edges] = q->shift[rank] / 2;
    q->ask[q->shift[rank]++] = ends[0];
    q->ask[q->shift[rank]++] = ends[1];
  }
  for (int r = size; r > 0; r--) q->shift[r] = q->shift[r - 1];
  q->shift[0] = 0;
  PetscCallMPI(MPI_Alltoallv(q->ask, q->counts, q->shift, MPI_INT32_T, q->asked, q->back, q->shift_back, MPI_INT32_T,
                             part->comm));
  PetscFunctionReturn(0);
}

/// Owned edges that others may ask about, by their global ends. Who asks owns a vertex of a tetrahedron that the edge
/// is in, so edges whose tetrahedra have no ghosts need not be looked at.
/// @param[out] list  [n] ends, node; in the order of irz_compare_pairs(); to be freed
static PetscErrorCode list_edges_beside(const IrzPart *part, const int32_t *id, int32_t *n, int32_t (**list)[3]) {
  uint8_t *beside;
  int32_t count = 0;

  PetscFunctionBegin;
  PetscCall(PetscCalloc1(part->n_owned_edges, &beside));
  for (int32_t t = 0; t < part->n_tets; t++) {
    bool inside = true;
    for (int c = 0; c < 4; c++) inside = inside && part->tet[t][c] < part->n_owned_vertices;
    for (int c = 4; c < 10 && !inside; c++) {
      int32_t e = part->tet[t][c] - part->n_vertices;
      if (e < part->n_owned_edges) beside[e] = 1;
    }
  }
  for (int32_t e = 0; e < part->n_owned_edges; e++) count += beside[e];
  PetscCall(PetscMalloc(3 * sizeof(int32_t) * (size_t)count, list));
  *n = 0;
  for (int32_t e = 0; e < part->n_owned_edges; e++) {
    if (!beside[e]) continue;
    global_ends(part, id, e, (*list)[*n]);
    (*list)[(*n)++][2] = part->n_vertices + e;
  }
  if (*n > 0) qsort(*list, (size_t)*n, sizeof **list, irz_compare_pairs);
  PetscCall(PetscFree(beside));
  PetscFunctionReturn(0);
}

/// Answer what was asked, with one number a question. Collective.
static PetscErrorCode answer_questions(const IrzPart *part, const int32_t *id, Questions *q) {
  int32_t n_beside = 0, (*list)[3] = NULL;

  PetscFunctionBegin;
  PetscCall(list_edges_beside(part, id, &n_beside, &list));
  for (int k = 0; k < q->shift_back[part->size] / 2; k++) {
    const int32_t *hit =
        n_beside > 0 ? bsearch(q->asked + 2 * k, list, (size_t)n_beside, sizeof list[0], irz_compare_pairs) : NULL;
    PetscCheck(hit != NULL, PETSC_COMM_SELF, PETSC_ERR_PLIB, "edge unknown to its owner");
    q->answer[k] = hit[2];
  }
  for (int r = 0; r < part->size; r++) {
    q->counts[r] /= 2;
    q->back[r] /= 2;
  }
  for (int r = 0; r <= part->size; r++) {
    q->shift[r] /= 2;
    q->shift_back[r] /= 2;
  }
  PetscCallMPI(MPI_Alltoallv(q->answer, q->back, q->shift_back, MPI_INT32_T, q->reply, q->counts, q->shift, MPI_INT32_T,
                             part->comm));
  PetscCall(PetscFree(list));
  PetscFunctionReturn(0);
}

PetscErrorCode irz_share_nodes(IrzPart *part, const int32_t *id, const int32_t *start) {
  PetscInt ghosts = part->n_vertices - part->n_owned_vertices + part->n_edges - part->n_owned_edges, leaf = 0;
  PetscInt *where;
  PetscSFNode *root;
  Questions q;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(ghosts, &where));
  PetscCall(PetscMalloc1(ghosts, &root));
  for (int32_t v = part->n_owned_vertices; v < part->n_vertices; v++) {
    int rank = owner_of(start, part->size, id[v]);
    where[leaf] = v;
    root[leaf].rank = rank;
    root[leaf++].index = id[v] - start[rank];
  }
  PetscCall(ask_owners(part, id, start, &q));
  PetscCall(answer_questions(part, id, &q));
  for (int32_t e = 0; e < part->n_edges - part->n_owned_edges; e++) {
    where[leaf] = part->n_vertices + part->n_owned_edges + e;
    root[leaf].rank = owner_of(q.shift, part->size, q.place[e]);
    root[leaf++].index = q.reply[q.place[e]];
  }
  PetscCall(PetscSFCreate(part->comm, &part->nodes));
  PetscCall(PetscSFSetGraph(part->nodes, part->n_vertices + part->n_edges, ghosts, where, PETSC_OWN_POINTER, root,
                            PETSC_OWN_POINTER));
  PetscCall(PetscSFSetUp(part->nodes));
  PetscCall(PetscFree4(q.ask, q.asked, q.answer, q.reply));
  PetscCall(PetscFree5(q.counts, q.back, q.shift, q.shift_back, q.place));
  PetscFunctionReturn(0);
}
