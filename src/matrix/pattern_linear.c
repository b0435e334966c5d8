/* Patterns of order 1: an entry is an edge. Columns must increase, because coarsening goes by their order: edges are
   taken by their smaller end, so that each row finds its columns in order. */
#include "base/memory.h"
#include "matrix/pattern_block.h"
#include <stdlib.h>
#include <string.h>

/// Row and column of an edge's entry; false if it has none in `a`.
static inline bool entry_of(const IrzPatternBlock *b, int32_t edge, int32_t *row, int32_t *column) {
  const IrzSpace *space = b->pattern->space;
  const int32_t *end = space->part->edge + 2 * (size_t)edge;
  const int32_t d0 = space->dof[end[0]], d1 = space->dof[end[1]];
  *row = irz_entry_row(d0, d1);
  *column = irz_entry_column(d0, d1);
  return *column >= b->first && *row < b->last && *row != *column;
}

/// Note the edges that lead out of the block.
static IrzCode list_outside(IrzPatternBlock *b, IrzError *error) {
  const IrzSpace *space = b->pattern->space;
  for (int32_t k = 0; k < space->part->n_edges; k++) {
    const int32_t *end = space->part->edge + 2 * (size_t)k;
    const int32_t d0 = space->dof[end[0]], d1 = space->dof[end[1]];
    if (irz_in_block(b, d0) == irz_in_block(b, d1)) continue;
    if (b->n_outside == b->room_outside) IRZ_TRY(irz_reserve_outside(b, 1, error));
    if (irz_in_block(b, d0))
      irz_add_outside(b, d0, d1);
    else
      irz_add_outside(b, d1, d0);
  }
  return IRZ_OK;
}

/// Sort the edges inside the block by their columns.
/// @param[out] start  [rows of the block + 2] first of each column, from its second place on
static void sort_edges(const IrzPatternBlock *b, int32_t *start, int32_t *edge) {
  const int32_t n = b->pattern->space->part->n_edges, size = b->last - b->first;
  int32_t *at = start + 1, row, column;
  for (int32_t k = 0; k < n; k++) {
    if (entry_of(b, k, &row, &column)) at[column - b->first + 1]++;
  }
  for (int32_t c = 0; c < size; c++) at[c + 1] += at[c];
  /* at[c] is now the first place of column c; filling moves it to the last, which is the next column's first. */
  for (int32_t k = 0; k < n; k++) {
    if (entry_of(b, k, &row, &column)) edge[at[column - b->first]++] = k;
  }
}

IrzCode irz_linear_count(IrzPatternBlock *b, IrzError *error) {
  const IrzSpace *space = b->pattern->space;
  const size_t size = (size_t)(b->last - b->first);
  int32_t *start = NULL, *edge = NULL, *latest = NULL;
  if (space->n_threads > 1 || space->n_local > space->n_owned) IRZ_TRY(list_outside(b, error));
  IrzCode code = irz_alloc(&start, size + 2, sizeof *start, error);
  if (code == IRZ_OK) code = irz_alloc_unset(&edge, (size_t)space->part->n_edges, sizeof *edge, error);
  if (code == IRZ_OK) code = irz_alloc_unset(&latest, size, sizeof *latest, error);
  if (code == IRZ_OK) {
    sort_edges(b, start, edge);
    memset(latest, -1, size * sizeof *latest);
    for (int32_t k = 0; k < start[size]; k++) {
      int32_t row, column;
      entry_of(b, edge[k], &row, &column);
      /* Electrodes may share an unknown: then several edges have the same entry. */
      if (latest[row - b->first] != column) b->count[row]++;
      latest[row - b->first] = column;
      b->edge_place[edge[k]] = b->count[row] - 1;
    }
  }
  free(start);
  free(edge);
  free(latest);
  return code;
}

void irz_linear_write(const IrzPatternBlock *b) {
  IrzPattern *p = b->pattern;
  const IrzSpace *space = p->space;
  const IrzPart *part = space->part;
  for (int32_t k = 0; k < part->n_edges; k++) {
    int32_t row, column;
    if (entry_of(b, k, &row, &column)) p->aj[p->ai[row] + b->edge_place[k]] = column;
  }
  for (int32_t t = 0; t < part->n_tets; t++) {
    const int32_t *dof = space->tet_dof + 4 * (size_t)t;
    uint8_t *place = p->place + 10 * (size_t)t;
    const IrzPlain plain = irz_find_plain(b, dof, 4);
    if (plain == IRZ_PLAIN_NO) continue;
    p->plain[t] = (uint8_t)plain;
    for (int i = 0; i < 4; i++) place[irz_packed(4, i, i)] = (uint8_t)(p->ai[dof[i] + 1] - p->ai[dof[i]] - 1);
    for (int e = 0; e < 6; e++) {
      const int i = irz_edge_vertices[e][0], j = irz_edge_vertices[e][1];
      /* Nodes of one electrode may have no entry: what is added there are zeros. */
      const int32_t at = dof[i] != dof[j] ? b->edge_place[part->tet[t][4 + e] - part->n_vertices] : 0;
      place[irz_packed(4, i, j)] = (uint8_t)at;
    }
  }
}
