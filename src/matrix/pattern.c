/* Rows and columns; see pattern.h. */
#include "matrix/pattern.h"
#include "base/memory.h"
#include "base/threads.h"
#include "base/valid.h"
#include "matrix/matrix_valid.h"
#include "matrix/pattern_block.h"
#include <stdlib.h>

/// Write the columns of a block's rows.
static void write_block(const IrzPatternBlock *b) {
  IrzPattern *p = b->pattern;
  for (int32_t r = b->first; r < b->last; r++) { /* all but these copies and the diagonal are overwritten */
    for (PetscInt c = p->ai[r + 1] - 4; c < p->ai[r + 1]; c++) p->aj[c] = r;
  }
  if (p->space->nodes == 4)
    irz_linear_write(b);
  else
    irz_quadratic_write(b);
  for (size_t k = 0; k < b->n_outside; k++) p->bj[p->bi[b->first] + (PetscInt)k] = b->outside[k].column;
}

/// The block of an unknown; the number of blocks for a ghost.
static int block_of(const IrzSpace *space, int32_t dof) {
  int k = 0;
  while (k < space->n_threads && dof >= space->row_start[k + 1]) k++;
  return k;
}

/// Find the seats of one tetrahedron's entries.
static void find_seats(const IrzPattern *p, const int32_t *dof, PetscInt *seat) {
  const int n = p->space->nodes;
  int block[10];
  for (int i = 0; i < n; i++) block[i] = block_of(p->space, dof[i]);
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++, seat++) {
      *seat = -1;
      if (block[i] == p->space->n_threads) continue;
      if (block[j] != block[i])
        *seat = -2 - irz_pattern_in_b(p, dof[i], dof[j]);
      else if (dof[j] <= dof[i])
        *seat = irz_pattern_in_a(p, dof[i], dof[j]);
    }
  }
}

/// Find the seats of all tetrahedra that are not plain.
static IrzCode find_all_seats(IrzPattern *p, IrzError *error) {
  const IrzSpace *space = p->space;
  const size_t nodes = (size_t)space->nodes;
  const int32_t n = space->part->n_tets;
  int32_t count = 0;
  IRZ_TRY(irz_alloc_unset(&p->seated, (size_t)n, sizeof *p->seated, error));
  for (int32_t t = 0; t < n; t++) p->seated[t] = p->plain[t] == IRZ_PLAIN ? 0 : ++count;
  IRZ_TRY(irz_alloc_unset(&p->seat, (size_t)count, nodes * nodes * sizeof *p->seat, error));
#pragma omp parallel for num_threads(irz_threads(space->n_threads)) schedule(dynamic, 1024)
  for (int32_t t = 0; t < n; t++) {
    if (p->seated[t] == 0) continue;
    find_seats(p, space->tet_dof + (size_t)t * nodes, p->seat + (size_t)(p->seated[t] - 1) * nodes * nodes);
  }
  return IRZ_OK;
}

/// Count, lay out, write.
static IrzCode fill(IrzPattern *p, IrzPatternBlock *block, IrzError *error) {
  const IrzSpace *space = p->space;
  const size_t rows = (size_t)space->n_owned, tets = (size_t)space->part->n_tets, nodes = (size_t)space->nodes;
  const int n = space->n_threads;
  IRZ_TRY(irz_alloc(&p->ai, rows + 1, sizeof *p->ai, error));
  IRZ_TRY(irz_alloc(&p->bi, rows + 1, sizeof *p->bi, error));
  IRZ_TRY(irz_alloc(&p->plain, tets, 1, error));
  IRZ_TRY(irz_alloc_unset(&p->place, tets * nodes * (nodes + 1) / 2, 1, error));
#pragma omp parallel for num_threads(irz_threads(n)) schedule(static, 1)
  for (int k = 0; k < n; k++) {
    IrzPatternBlock *b = &block[k];
    b->pattern = p;
    b->first = space->row_start[k];
    b->last = space->row_start[k + 1];
    b->count = p->ai + 1;
    b->code = nodes == 4 ? irz_linear_count(b, &b->error) : irz_quadratic_count(b, &b->error);
    if (b->code == IRZ_OK) b->code = irz_sort_outside(b, p->bi + 1, &b->error);
  }
  for (int k = 0; k < n; k++) {
    if (block[k].code != IRZ_OK) *error = block[k].error;
    IRZ_TRY(block[k].code);
  }
  for (size_t r = 0; r < rows; r++) {
    p->ai[r + 1] = p->ai[r] + irz_pattern_length(p->ai[r + 1]);
    p->bi[r + 1] += p->bi[r];
  }
  IRZ_TRY(irz_alloc_unset(&p->aj, (size_t)p->ai[rows], sizeof *p->aj, error));
  IRZ_TRY(irz_alloc_unset(&p->bj, (size_t)p->bi[rows], sizeof *p->bj, error));
#pragma omp parallel for num_threads(irz_threads(n)) schedule(static, 1)
  for (int k = 0; k < n; k++) write_block(&block[k]);
  return find_all_seats(p, error);
}

IrzCode irz_pattern_create(const IrzSpace *space, IrzPattern **pattern, IrzError *error) {
  IrzPatternBlock *block = NULL;
  int32_t *edge_place = NULL;
  *pattern = NULL;
  IRZ_TRY(irz_alloc(pattern, 1, sizeof **pattern, error));
  (*pattern)->space = space;
  IrzCode code = irz_alloc(&block, (size_t)space->n_threads, sizeof *block, error);
  if (code == IRZ_OK && space->nodes == 4)
    code = irz_alloc_unset(&edge_place, (size_t)space->part->n_edges, sizeof *edge_place, error);
  for (int k = 0; code == IRZ_OK && k < space->n_threads; k++) block[k].edge_place = edge_place;
  if (code == IRZ_OK) code = fill(*pattern, block, error);
  for (int k = 0; block != NULL && k < space->n_threads; k++) {
    free(block[k].outside);
    free(block[k].extra);
  }
  free(block);
  free(edge_place);
  if (code != IRZ_OK) {
    irz_pattern_free(*pattern);
    *pattern = NULL;
    return code;
  }
  IRZ_ASSERT_VALID(irz_pattern_is_valid, *pattern);
  return IRZ_OK;
}

PetscInt irz_pattern_search(const PetscInt *column, PetscInt low, PetscInt high, PetscInt wanted) {
  while (high - low > 1) {
    PetscInt middle = low + (high - low) / 2;
    if (column[middle] <= wanted)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/// Entry in a column that the row has; only long rows, and those of order 1, are in order.
static PetscInt find_entry(const PetscInt *column, PetscInt low, PetscInt high, PetscInt wanted) {
  if (high - low > IRZ_PATTERN_LONG) return irz_pattern_search(column, low, high, wanted);
  PetscInt at = high - 1; /* from the end: copies stand at the beginning */
  while (at > low && column[at] != wanted) at--;
  return at;
}

PetscInt irz_pattern_in_a(const IrzPattern *pattern, int32_t row, int32_t column) {
  return find_entry(pattern->aj, pattern->ai[row], pattern->ai[row + 1], column);
}

PetscInt irz_pattern_in_b(const IrzPattern *pattern, int32_t row, int32_t column) {
  return find_entry(pattern->bj, pattern->bi[row], pattern->bi[row + 1], column);
}

void irz_pattern_free(IrzPattern *pattern) {
  if (pattern == NULL) return;
  free(pattern->ai);
  free(pattern->aj);
  free(pattern->bi);
  free(pattern->bj);
  free(pattern->plain);
  free(pattern->place);
  free(pattern->seated);
  free(pattern->seat);
  free(pattern);
}
