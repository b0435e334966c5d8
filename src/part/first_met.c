/* Nodes as they are first met; see first_met.h. */
#include "part/first_met.h"
#include "base/memory.h"
#include "base/threads.h"
#include <stdlib.h>

/// List the nodes of one run of tetrahedra; returns how many there are.
/// @param[in,out] known  [n_nodes] 0 on entry; 1 for those in the list on return
/// @param[out]    list   one place more than there are nodes: every node met is noted, and kept if it is new
static int32_t list_run(const int32_t *tet, int stride, int nodes, int32_t first, int32_t last, uint8_t *known,
                        int32_t *list) {
  int32_t found = 0;
  for (int32_t t = first; t < last; t++) {
    for (int i = 0; i < nodes; i++) {
      int32_t node = tet[(size_t)t * (size_t)stride + (size_t)i];
      list[found] = node;
      found += !known[node];
      known[node] = 1;
    }
  }
  return found;
}

IrzCode irz_first_met(int32_t n_tets, const int32_t *tet, int stride, int nodes, int32_t n_nodes, int n_runs,
                      IrzMet *met, IrzError *error) {
  const size_t room = (size_t)n_nodes + 1;
  uint8_t *known = NULL;
  *met = (IrzMet){0};
  IRZ_TRY(irz_alloc_unset(&met->node, (size_t)n_runs * room, sizeof *met->node, error));
  IRZ_TRY(irz_alloc(&met->end, (size_t)n_runs, sizeof *met->end, error));
  IRZ_TRY(irz_alloc(&known, (size_t)n_runs * room, 1, error));
#pragma omp parallel for num_threads(irz_threads(n_runs)) schedule(static, 1)
  for (int r = 0; r < n_runs; r++) {
    int32_t first = (int32_t)((int64_t)n_tets * r / n_runs), last = (int32_t)((int64_t)n_tets * (r + 1) / n_runs);
    met->end[r] = list_run(tet, stride, nodes, first, last, known + (size_t)r * room, met->node + (size_t)r * room);
  }
  int32_t total = met->end[0];
  for (int r = 1; r < n_runs; r++) { /* behind the first list, without what an earlier one has */
    const int32_t *list = met->node + (size_t)r * room;
    for (int32_t k = 0; k < met->end[r]; k++) {
      met->node[total] = list[k];
      total += !known[list[k]];
      known[list[k]] = 1;
    }
    met->end[r] = total;
  }
  free(known);
  return IRZ_OK;
}

void irz_met_clear(IrzMet *met) {
  free(met->node);
  free(met->end);
  *met = (IrzMet){0};
}
