#include "part/part_valid.h"
#include "base/memory.h"
#include "base/petsc.h"
#include "base/valid.h"
#include <stdlib.h>
#include <string.h>

/* Nothing of the code that makes parts is used. */

/// Six times the volume of a tetrahedron with straight edges.
static double determinant(const IrzPart *part, const int32_t *node) {
  double d[3][3];
  for (int i = 0; i < 3; i++) {
    for (int k = 0; k < 3; k++) d[i][k] = part->xyz[3 * (size_t)node[i + 1] + k] - part->xyz[3 * (size_t)node[0] + k];
  }
  return d[0][0] * (d[1][1] * d[2][2] - d[1][2] * d[2][1]) + d[0][1] * (d[1][2] * d[2][0] - d[1][0] * d[2][2]) +
         d[0][2] * (d[1][0] * d[2][1] - d[1][1] * d[2][0]);
}

static bool tetrahedron_is_valid(const IrzPart *part, int32_t t, IrzError *fault) {
  const int32_t *node = part->tet[t];
  bool beside = false;
  for (int i = 0; i < 4; i++) {
    if (node[i] < 0 || node[i] >= part->n_vertices)
      return IRZ_INVALID(fault, "tetrahedron %d has the vertex %d of %d", t, node[i], part->n_vertices);
    beside = beside || node[i] < part->n_owned_vertices;
  }
  if (!beside) return IRZ_INVALID(fault, "tetrahedron %d has no vertex that this rank owns", t);
  if (!(determinant(part, node) > 0)) return IRZ_INVALID(fault, "tetrahedron %d is not positively oriented", t);
  for (int e = 0; e < 6; e++) {
    int32_t edge = node[4 + e] - part->n_vertices, a = node[irz_edge_vertices[e][0]], b = node[irz_edge_vertices[e][1]];
    if (edge < 0 || edge >= part->n_edges)
      return IRZ_INVALID(fault, "tetrahedron %d has the edge %d of %d", t, edge, part->n_edges);
    const int32_t *end = part->edge + 2 * (size_t)edge;
    if (!(end[0] == a && end[1] == b) && !(end[0] == b && end[1] == a))
      return IRZ_INVALID(fault, "edge %d of tetrahedron %d goes from %d to %d, not from %d to %d", e, t, end[0], end[1],
                         a, b);
  }
  if (part->region[t] >= part->n_regions)
    return IRZ_INVALID(fault, "tetrahedron %d is in region %d of %d", t, part->region[t], part->n_regions);
  return true;
}

/// What this rank can tell alone.
static bool local_is_valid(const IrzPart *part, IrzError *fault) {
  if (part->n_owned_vertices > part->n_vertices || part->n_owned_edges > part->n_edges)
    return IRZ_INVALID(fault, "more nodes are owned than there are");
  for (int32_t t = 0; t < part->n_tets; t++) {
    if (!tetrahedron_is_valid(part, t, fault)) return false;
  }
  for (int32_t k = 0; k < part->n_curved; k++) {
    int32_t t = part->curved_tet[k];
    if (t < 0 || t >= part->n_tets || (k > 0 && part->curved_tet[k - 1] >= t))
      return IRZ_INVALID(fault, "curved tetrahedra are not in order");
  }
  return true;
}

/// Whether each thing of the whole is counted once. Collective.
static bool sums_are_valid(const IrzPart *part, IrzError *fault) {
  int64_t own[3] = {0, part->n_owned_vertices, part->n_owned_edges}, all[3];
  for (int32_t t = 0; t < part->n_tets; t++) own[0] += part->mine[t];
  MPI_Allreduce(own, all, 3, MPI_INT64_T, MPI_SUM, part->comm);
  bool same = all[0] == part->n_global_tets && all[1] == part->n_global_vertices && all[2] == part->n_global_edges;
  return same || IRZ_INVALID(fault, "the ranks' parts are not the whole");
}

/// What a rank says of a node.
enum { SAID = 4 };

static void say(const IrzPart *part, double *said) {
  for (int32_t v = 0; v < part->n_vertices; v++)
    memcpy(said + SAID * (size_t)v, part->xyz + 3 * (size_t)v, 3 * sizeof *said);
  for (int32_t e = 0; e < part->n_edges; e++) {
    const double *a = part->xyz + 3 * (size_t)part->edge[2 * (size_t)e];
    const double *b = part->xyz + 3 * (size_t)part->edge[2 * (size_t)e + 1];
    double *place = said + SAID * ((size_t)part->n_vertices + (size_t)e);
    for (int k = 0; k < 3; k++) place[k] = a[k] + b[k];
  }
  for (int32_t i = 0; i < part->n_vertices + part->n_edges; i++) said[SAID * (size_t)i + 3] = part->electrode[i];
}

/// Give every node what its owner says of it. Collective.
static PetscErrorCode share(const IrzPart *part, double *said) {
  MPI_Datatype type;

  PetscFunctionBegin;
  if (part->nodes == NULL) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Type_contiguous(SAID, MPI_DOUBLE, &type));
  PetscCallMPI(MPI_Type_commit(&type));
  PetscCall(PetscSFBcastBegin(part->nodes, type, said, said, MPI_REPLACE));
  PetscCall(PetscSFBcastEnd(part->nodes, type, said, said, MPI_REPLACE));
  PetscCallMPI(MPI_Type_free(&type));
  PetscFunctionReturn(0);
}

/// Whether the copies of nodes are what their owners have. Collective.
static bool ghosts_are_valid(const IrzPart *part, IrzError *fault) {
  size_t n = SAID * ((size_t)part->n_vertices + (size_t)part->n_edges);
  double *own = NULL, *shared = NULL;
  IrzError error = {0};
  irz_alloc(&own, n, sizeof *own, &error);
  if (error.code == IRZ_OK) irz_alloc(&shared, n, sizeof *shared, &error);
  bool valid = irz_error_agree(part->comm, &error) == IRZ_OK;
  if (valid) {
    say(part, own);
    say(part, shared);
    valid = irz_petsc(share(part, shared), "node exchange", &error) == IRZ_OK;
  }
  if (!valid) irz_error_set(fault, error.code, "%s", error.text);
  for (size_t i = 0; i < n && valid; i++) {
    if (own[i] != shared[i]) valid = IRZ_INVALID(fault, "node %zu is not what its owner has", i / SAID);
  }
  free(own);
  free(shared);
  return valid;
}

/// Whether all ranks say so; if not, the reason of the first that does not.
static bool all_say(const IrzPart *part, bool valid, IrzError *fault) {
  if (valid) fault->code = IRZ_OK;
  return irz_error_agree(part->comm, fault) == IRZ_OK;
}

bool irz_part_is_valid(const IrzPart *part, IrzError *fault) {
  IrzError own = {0};
  if (fault == NULL) fault = &own;
  return all_say(part, local_is_valid(part, fault), fault) && all_say(part, sums_are_valid(part, fault), fault) &&
         all_say(part, ghosts_are_valid(part, fault), fault);
}
