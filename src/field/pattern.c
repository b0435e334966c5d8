/* Rows and columns; see pattern.h. */
#include "field/pattern.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

/// For every owned row the tetrahedra that touch it, as 16 t + (node in t). start is [n_owned + 1].
static IrzCode rows_to_tets(const IrzSpace *space, int32_t **start, int32_t **entry, IrzError *error) {
  size_t count = (size_t)space->part->n_tets * (size_t)space->nodes;
  *start = *entry = NULL;
  IRZ_TRY(irz_alloc(start, (size_t)space->n_owned + 2, sizeof **start, error));
  int32_t *at = *start + 1;
  for (size_t k = 0; k < count; k++) {
    int32_t row = space->tet_dof[k];
    if (row < space->n_owned) at[row + 1]++;
  }
  for (int32_t r = 0; r < space->n_owned; r++) at[r + 1] += at[r];
  /* `at[row]` is now the first place of the row; filling moves it to the last, which is the next row's first. */
  IRZ_TRY(irz_alloc(entry, (size_t)at[space->n_owned], sizeof **entry, error));
  for (int32_t t = 0; t < space->part->n_tets; t++) {
    for (int i = 0; i < space->nodes; i++) {
      int32_t row = space->tet_dof[(size_t)t * (size_t)space->nodes + (size_t)i];
      if (row < space->n_owned) (*entry)[at[row]++] = 16 * t + i;
    }
  }
  return IRZ_OK;
}

static int compare_int(const void *a, const void *b) {
  const int32_t *p = a, *q = b;
  return (*p > *q) - (*p < *q);
}

/// Scratch of one thread.
typedef struct {
  int32_t *mark;   ///< [n_local] 1 + the last row that has this column
  int32_t *column; ///< columns of all its rows, one after another: those of `a` in any order, those of `b` increasing
  size_t room;
  IrzCode code;
  IrzError error;
} Scratch;

/// Columns of one row; returns how many there are. Room for all columns of all its tetrahedra is needed.
static int32_t row_columns(const IrzSpace *space, int32_t row, const int32_t *entry, int32_t count, int32_t *mark,
                           int32_t *column) {
  int32_t n = 0;
  for (int32_t k = 0; k < count; k++) {
    const int32_t *dof = space->tet_dof + (size_t)(entry[k] >> 4) * (size_t)space->nodes;
    for (int j = 0; j < space->nodes; j++) { /* without a branch: half of the columns were met before */
      int32_t c = dof[j];
      column[n] = c;
      n += mark[c] != row + 1;
      mark[c] = row + 1;
    }
  }
  return n;
}

/// Of a row of `a`.
typedef struct {
  int32_t inside; ///< columns without copies
  int32_t gap;    ///< copies before the first
} Counts;

static inline PetscInt whole_groups(PetscInt count) {
  return (count + 3) / 4 * 4;
}

/// Find the columns of all rows of one thread. Counts go to ai and bi, to `middle` the part up to the diagonal.
static IrzCode find_columns(IrzPattern *p, int thread, const int32_t *start, const int32_t *entry, Scratch *scratch,
                            Counts *counts, IrzError *error) {
  const IrzSpace *space = p->space;
  int32_t first = space->row_start[thread], last = space->row_start[thread + 1];
  size_t used = 0;
  for (int32_t r = first; r < last; r++) {
    int32_t count = start[r + 1] - start[r], inside = 0, below = 0;
    size_t most = (size_t)count * (size_t)space->nodes + 1;
    if (used + most > scratch->room) {
      scratch->room += scratch->room / 2 + most + 65536;
      IRZ_TRY(irz_resize(&scratch->column, scratch->room, sizeof *scratch->column, error));
    }
    int32_t *column = scratch->column + used;
    int32_t n = row_columns(space, r, entry + start[r], count, scratch->mark, column);
    for (int32_t k = 0; k < n; k++) {
      int32_t c = column[k];
      bool in = c >= first && c < last;
      below += in && c < r;
      column[k] = column[inside];
      column[inside] = c;
      inside += in;
    }
    if (n - inside > 1) qsort(column + inside, (size_t)(n - inside), sizeof *column, compare_int);
    p->middle[r] = whole_groups(below + 1);
    counts[r] = (Counts){inside, p->middle[r] - below - 1};
    p->ai[r + 1] = p->middle[r] + whole_groups(inside - below - 1);
    p->bi[r + 1] = n - inside;
    used += (size_t)n;
  }
  return IRZ_OK;
}

/// Write the columns of one thread's rows. The pattern is symmetric: going through the rows in turn and noting each at
/// the rows it has as columns makes every row's columns increase, without sorting, and puts the diagonal at the end of
/// its group.
static void write_columns(IrzPattern *p, int thread, const Scratch *scratch, const Counts *counts) {
  const IrzSpace *space = p->space;
  int32_t first = space->row_start[thread], last = space->row_start[thread + 1];
  PetscInt *next = scratch->mark; /* where the next column of each row goes */
  const int32_t *column = scratch->column;
  for (int32_t r = first; r < last; r++) next[r] = p->ai[r] + counts[r].gap;
  for (int32_t r = first; r < last; r++) {
    int32_t outside = p->bi[r + 1] - p->bi[r];
    for (int32_t c = 0; c < counts[r].inside; c++) p->aj[next[*column++]++] = r;
    for (int32_t c = 0; c < outside; c++) p->bj[p->bi[r] + c] = *column++;
  }
  for (int32_t r = first; r < last; r++) {
    PetscInt start = p->ai[r] + counts[r].gap;
    for (PetscInt c = p->ai[r]; c < start; c++) p->aj[c] = p->aj[start];
    for (PetscInt c = next[r]; c < p->ai[r + 1]; c++) p->aj[c] = p->aj[next[r] - 1];
  }
}

/// Note where each tetrahedron's entries in one thread's rows are.
/// @param[out] where  [n_local] scratch
static void find_places(IrzPattern *p, int thread, const int32_t *start, const int32_t *entry, int32_t *where) {
  const IrzSpace *space = p->space;
  size_t nodes = (size_t)space->nodes;
  for (int32_t r = space->row_start[thread]; r < space->row_start[thread + 1]; r++) {
    if (irz_pattern_is_long(p, r)) continue;
    for (PetscInt c = p->ai[r]; c < p->ai[r + 1]; c++) where[p->aj[c]] = c - p->ai[r];
    for (PetscInt c = p->bi[r]; c < p->bi[r + 1]; c++) where[p->bj[c]] = c - p->bi[r];
    for (int32_t k = start[r]; k < start[r + 1]; k++) {
      size_t t = (size_t)(entry[k] >> 4);
      const int32_t *dof = space->tet_dof + t * nodes;
      uint8_t *place = p->place + (t * nodes + (size_t)(entry[k] & 15)) * nodes;
      for (size_t j = 0; j < nodes; j++) place[j] = (uint8_t)where[dof[j]];
    }
  }
}

/// Fill everything with the tetrahedra of each row known.
/// @param[out] counts  [n_owned] scratch
static IrzCode fill(IrzPattern *p, const int32_t *start, const int32_t *entry, Scratch *scratch, Counts *counts,
                    IrzError *error) {
  const IrzSpace *space = p->space;
  size_t rows = (size_t)space->n_owned, nodes = (size_t)space->nodes;
  int n_threads = space->n_threads;
  IRZ_TRY(irz_alloc(&p->ai, rows + 1, sizeof *p->ai, error));
  IRZ_TRY(irz_alloc(&p->middle, rows, sizeof *p->middle, error));
  IRZ_TRY(irz_alloc(&p->bi, rows + 1, sizeof *p->bi, error));
  IRZ_TRY(irz_alloc(&p->place, (size_t)space->part->n_tets * nodes * nodes, 1, error));
  for (int k = 0; k < n_threads; k++) {
    scratch[k].room = rows / (size_t)n_threads * 32;
    IRZ_TRY(irz_alloc(&scratch[k].mark, (size_t)space->n_local, sizeof(int32_t), error));
    IRZ_TRY(irz_alloc(&scratch[k].column, scratch[k].room, sizeof(int32_t), error));
  }
#pragma omp parallel for num_threads(n_threads) schedule(static, 1)
  for (int k = 0; k < n_threads; k++) {
    scratch[k].code = find_columns(p, k, start, entry, &scratch[k], counts, &scratch[k].error);
  }
  for (int k = 0; k < n_threads; k++) {
    if (scratch[k].code != IRZ_OK) *error = scratch[k].error;
    IRZ_TRY(scratch[k].code);
  }
  for (size_t r = 0; r < rows; r++) {
    p->middle[r] += p->ai[r];
    p->ai[r + 1] += p->ai[r];
    p->bi[r + 1] += p->bi[r];
  }
  IRZ_TRY(irz_alloc(&p->aj, (size_t)p->ai[rows], sizeof *p->aj, error));
  IRZ_TRY(irz_alloc(&p->bj, (size_t)p->bi[rows], sizeof *p->bj, error));
#pragma omp parallel for num_threads(n_threads) schedule(static, 1)
  for (int k = 0; k < n_threads; k++) {
    write_columns(p, k, &scratch[k], counts);
    find_places(p, k, start, entry, scratch[k].mark);
  }
  return IRZ_OK;
}

IrzCode irz_pattern_create(const IrzSpace *space, IrzPattern **pattern, IrzError *error) {
  int32_t *start = NULL, *entry = NULL;
  Counts *counts = NULL;
  Scratch *scratch = NULL;
  *pattern = NULL;
  IRZ_TRY(irz_alloc(pattern, 1, sizeof **pattern, error));
  (*pattern)->space = space;
  IrzCode code = rows_to_tets(space, &start, &entry, error);
  if (code == IRZ_OK) code = irz_alloc(&scratch, (size_t)space->n_threads, sizeof *scratch, error);
  if (code == IRZ_OK) code = irz_alloc(&counts, (size_t)space->n_owned, sizeof *counts, error);
  if (code == IRZ_OK) code = fill(*pattern, start, entry, scratch, counts, error);
  for (int k = 0; scratch != NULL && k < space->n_threads; k++) {
    free(scratch[k].mark);
    free(scratch[k].column);
  }
  free(scratch);
  free(counts);
  free(start);
  free(entry);
  if (code != IRZ_OK) {
    irz_pattern_free(*pattern);
    *pattern = NULL;
  }
  return code;
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

PetscInt irz_pattern_in_a(const IrzPattern *pattern, int32_t row, int32_t column) {
  PetscInt middle = pattern->middle[row];
  return column <= row ? irz_pattern_search(pattern->aj, pattern->ai[row], middle, column)
                       : irz_pattern_search(pattern->aj, middle, pattern->ai[row + 1], column);
}

PetscInt irz_pattern_in_b(const IrzPattern *pattern, int32_t row, int32_t column) {
  return irz_pattern_search(pattern->bj, pattern->bi[row], pattern->bi[row + 1], column);
}

void irz_pattern_free(IrzPattern *pattern) {
  if (pattern == NULL) return;
  free(pattern->ai);
  free(pattern->middle);
  free(pattern->aj);
  free(pattern->bi);
  free(pattern->bj);
  free(pattern->place);
  free(pattern);
}
