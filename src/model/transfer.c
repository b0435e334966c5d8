/* A position's potentials at the nodes of another position's mesh: all nodes go to all ranks, each looks for them in
   its tetrahedra. */
#include "model/transfer.h"
#include "base/memory.h"
#include "field/medium.h"
#include "query/find.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// The nodes of all ranks.
typedef struct {
  IrzSought sought;
  int32_t mine, first; ///< those of this rank, from `first` on
} Nodes;

/// Gather the nodes that each rank owns.
static IrzCode gather(const IrzPart *to, const int32_t *local, Nodes *nodes, IrzError *error) {
  int *count = NULL, *start = NULL;
  double(*mine)[3] = NULL;
  nodes->mine = to->n_owned_vertices + to->n_owned_edges;
  irz_alloc(&count, (size_t)to->size, sizeof *count, error);
  if (error->code == IRZ_OK) irz_alloc(&start, (size_t)to->size + 1, sizeof *start, error);
  if (error->code == IRZ_OK) irz_alloc(&mine, (size_t)nodes->mine + 1, sizeof *mine, error);
  int64_t total = 3 * (to->n_global_vertices + to->n_global_edges);
  if (error->code == IRZ_OK && total > INT32_MAX)
    irz_error_set(error, IRZ_ERR_SOLVER, "pullback: the mesh has too many nodes, %lld", (long long)total / 3);
  if (error->code == IRZ_OK) irz_sought_create((int32_t)(total / 3), &nodes->sought, error);
  IrzCode code = irz_error_agree(to->comm, error);
  if (code == IRZ_OK) {
    int32_t curved = 0, owned_edge = to->n_vertices + to->n_owned_edges;
    for (int32_t t = 0; t < to->n_tets; t++) {
      bool bent = curved < to->n_curved && to->curved_tet[curved] == t;
      double node[10][3];
      irz_part_nodes(to, t, bent ? curved++ : -1, node);
      for (int i = 0; i < 10; i++) {
        int32_t at = to->tet[t][i];
        bool own = at < to->n_owned_vertices || (at >= to->n_vertices && at < owned_edge);
        if (own) memcpy(mine[local[at]], node[i], sizeof node[i]);
      }
    }
    int sent = 3 * nodes->mine;
    MPI_Allgather(&sent, 1, MPI_INT, count, 1, MPI_INT, to->comm);
    for (int r = 0; r < to->size; r++) start[r + 1] = start[r] + count[r];
    nodes->first = start[to->rank] / 3;
    MPI_Allgatherv(mine, sent, MPI_DOUBLE, nodes->sought.x, count, start, MPI_DOUBLE, to->comm);
  }
  free(count);
  free(start);
  free(mine);
  return code;
}

IrzCode irz_transfer(const IrzPart *from, int order, int n_fields, double *const *field, const IrzPart *to,
                     double *const *result, IrzError *error) {
  Nodes nodes = {0};
  int32_t *local = NULL, n_nodes = to->n_vertices + to->n_edges;
  double *value = NULL;
  irz_alloc(&local, (size_t)n_nodes, sizeof *local, error);
  for (int32_t i = 0; error->code == IRZ_OK && i < n_nodes; i++)
    local[i] = i < to->n_vertices ? i : to->n_owned_vertices + i - to->n_vertices;
  IrzCode code = irz_error_agree(to->comm, error);
  if (code == IRZ_OK) code = gather(to, local, &nodes, error);
  const IrzSought *sought = &nodes.sought;
  if (code == IRZ_OK) irz_alloc(&value, (size_t)sought->n, sizeof *value, error);
  code = irz_error_agree(to->comm, error);
  int32_t missing = code == IRZ_OK ? irz_find(from, true, &nodes.sought) : 0;
  if (code == IRZ_OK && missing > 0)
    code =
        irz_error_set(error, IRZ_ERR_SOLVER, "pullback: %d nodes were not found in another position's mesh", missing);
  for (int f = 0; f < n_fields && code == IRZ_OK; f++) {
    for (int32_t i = 0; i < sought->n; i++) {
      if (irz_sought_mine(sought, i)) value[i] = irz_value_at(order, from->tet[sought->tet[i]], field[f], sought->l[i]);
    }
    irz_sought_share(sought, to->comm, value);
    const double *own = value + nodes.first;
    for (int32_t i = 0; i < to->n_owned_vertices; i++) result[f][i] = own[i];
    for (int32_t i = 0; i < to->n_owned_edges; i++) result[f][to->n_vertices + i] = own[to->n_owned_vertices + i];
    code = irz_part_share(to, 1, result[f], error);
  }
  free(local);
  free(value);
  irz_sought_clear(&nodes.sought);
  return code;
}
