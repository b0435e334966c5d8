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
  int32_t *column; ///< columns of all its rows, one after another: those above the diagonal in its block in any order,
                   ///< then those outside, increasing
  size_t room;
  IrzCode code;
  IrzError error;
} Scratch;

/// Columns of one row above its diagonal or outside [first, last); returns how many there are. Room for all columns of
/// all its tetrahedra is needed.
static int32_t row_columns(const IrzSpace *space, int32_t row, int32_t first, const int32_t *entry, int32_t count,
                           int32_t *mark, int32_t *column) {
  int32_t n = 0;
  for (int32_t k = 0; k < count; k++) {
    const int32_t *dof = space->tet_dof + (size_t)(entry[k] >> 4) * (size_t)space->nodes;
    for (int j = 0; j < space->nodes; j++) { /* without a branch: half of the columns were met before */
      int32_t c = dof[j];
      column[n] = c;
      n += (mark[c] != row + 1) & ((c > row) | (c < first));
      mark[c] = row + 1;
    }
  }
  return n;
}

static inline PetscInt whole_groups(PetscInt count) {
  return (count + 3) / 4 * 4;
}

/// Find the columns of all rows of one thread. Counts go to ai, of the entries below the diagonal, and bi.
/// @param[out] above  [n_owned] columns above the diagonal in the block
static IrzCode find_columns(IrzPattern *p, int thread, const int32_t *start, const int32_t *entry, Scratch *scratch,
                            int32_t *above, IrzError *error) {
  const IrzSpace *space = p->space;
  int32_t first = space->row_start[thread], last = space->row_start[thread + 1];
  size_t used = 0;
  for (int32_t r = first; r < last; r++) {
    int32_t count = start[r + 1] - start[r], inside = 0;
    size_t most = (size_t)count * (size_t)space->nodes + 1;
    if (used + most > scratch->room) {
      scratch->room += scratch->room / 2 + most + 65536;
      IRZ_TRY(irz_resize(&scratch->column, scratch->room, sizeof *scratch->column, error));
    }
    int32_t *column = scratch->column + used;
    int32_t n = row_columns(space, r, first, entry + start[r], count, scratch->mark, column);
    for (int32_t k = 0; k < n; k++) {
      int32_t c = column[k];
      bool in = c >= first && c < last;
      if (in) p->ai[c + 1]++;
      column[k] = column[inside];
      column[inside] = c;
      inside += in;
    }
    if (n - inside > 1) qsort(column + inside, (size_t)(n - inside), sizeof *column, compare_int);
    above[r] = inside;
    p->bi[r + 1] = n - inside;
    used += (size_t)n;
  }
  return IRZ_OK;
}

/// Write the columns of one thread's rows. Going through the rows in turn and noting each at the rows of its columns
/// above the diagonal makes the columns below the diagonal increase, without sorting.
/// @param[in] below  [n_owned] columns below the diagonal
/// @param[in] above  [n_owned] columns above
static void write_columns(IrzPattern *p, int thread, const Scratch *scratch, const int32_t *below,
                          const int32_t *above) {
  const IrzSpace *space = p->space;
  int32_t first = space->row_start[thread], last = space->row_start[thread + 1];
  PetscInt *next = scratch->mark; /* where the next column of each row goes */
  const int32_t *column = scratch->column;
  for (int32_t r = first; r < last; r++) next[r] = p->ai[r + 1] - 1 - below[r];
  for (int32_t r = first; r < last; r++) {
    int32_t outside = p->bi[r + 1] - p->bi[r];
    for (int32_t c = 0; c < above[r]; c++) p->aj[next[*column++]++] = r;
    for (int32_t c = 0; c < outside; c++) p->bj[p->bi[r] + c] = *column++;
    p->aj[p->ai[r + 1] - 1] = r;
    PetscInt start = p->ai[r + 1] - 1 - below[r];
    for (PetscInt c = p->ai[r]; c < start; c++) p->aj[c] = p->aj[start];
  }
}

/// Find out of which tetrahedra `place` can know the entries.
static void find_plain(IrzPattern *p) {
  const IrzSpace *space = p->space;
  int nodes = space->nodes;
#pragma omp parallel for num_threads(space->n_threads) schedule(static)
  for (int32_t t = 0; t < space->part->n_tets; t++) {
    const int32_t *dof = space->tet_dof + (size_t)t * (size_t)nodes;
    int32_t low = dof[0], high = dof[0];
    bool electrode = false, plain = true;
    for (int i = 0; i < nodes; i++) {
      low = dof[i] < low ? dof[i] : low;
      high = dof[i] > high ? dof[i] : high;
      electrode = electrode || space->electrode[dof[i]] >= 0;
    }
    int thread = 0;
    while (thread < space->n_threads && low >= space->row_start[thread + 1]) thread++;
    plain = thread < space->n_threads && high < space->row_start[thread + 1];
    for (int i = 0; i < nodes && plain; i++) {
      bool left_out = space->merged && space->electrode[dof[i]] >= 0;
      plain = left_out || p->ai[dof[i] + 1] - p->ai[dof[i]] <= 256;
    }
    p->plain[t] = !plain ? IRZ_PLAIN_NO : electrode && space->merged ? IRZ_PLAIN_FIXED : IRZ_PLAIN;
  }
}

/// Note where plain tetrahedra have their entries in one thread's rows.
/// @param[out] where  [n_local] scratch
static void find_places(IrzPattern *p, int thread, const int32_t *start, const int32_t *entry, int32_t *where) {
  const IrzSpace *space = p->space;
  int nodes = space->nodes;
  size_t packed = (size_t)(nodes * (nodes + 1) / 2);
  for (int32_t r = space->row_start[thread]; r < space->row_start[thread + 1]; r++) {
    for (PetscInt c = p->ai[r]; c < p->ai[r + 1]; c++) where[p->aj[c]] = c - p->ai[r];
    for (int32_t k = start[r]; k < start[r + 1]; k++) {
      size_t t = (size_t)(entry[k] >> 4);
      const int32_t *dof = space->tet_dof + t * (size_t)nodes;
      uint8_t *place = p->place + t * packed;
      if (p->plain[t] == IRZ_PLAIN_NO) continue;
      for (int j = 0; j < nodes; j++) {
        if (dof[j] <= r) place[irz_packed(nodes, entry[k] & 15, j)] = (uint8_t)where[dof[j]];
      }
    }
  }
}

/// Fill everything with the tetrahedra of each row known.
/// @param[out] below, above  [n_owned] scratch
static IrzCode fill(IrzPattern *p, const int32_t *start, const int32_t *entry, Scratch *scratch, int32_t *below,
                    int32_t *above, IrzError *error) {
  const IrzSpace *space = p->space;
  size_t rows = (size_t)space->n_owned, nodes = (size_t)space->nodes;
  int n_threads = space->n_threads;
  IRZ_TRY(irz_alloc(&p->ai, rows + 1, sizeof *p->ai, error));
  IRZ_TRY(irz_alloc(&p->bi, rows + 1, sizeof *p->bi, error));
  IRZ_TRY(irz_alloc(&p->plain, (size_t)space->part->n_tets, 1, error));
  IRZ_TRY(irz_alloc(&p->place, (size_t)space->part->n_tets * nodes * (nodes + 1) / 2, 1, error));
  for (int k = 0; k < n_threads; k++) {
    scratch[k].room = rows / (size_t)n_threads * 16;
    IRZ_TRY(irz_alloc(&scratch[k].mark, (size_t)space->n_local, sizeof(int32_t), error));
    IRZ_TRY(irz_alloc(&scratch[k].column, scratch[k].room, sizeof(int32_t), error));
  }
#pragma omp parallel for num_threads(n_threads) schedule(static, 1)
  for (int k = 0; k < n_threads; k++) {
    scratch[k].code = find_columns(p, k, start, entry, &scratch[k], above, &scratch[k].error);
  }
  for (int k = 0; k < n_threads; k++) {
    if (scratch[k].code != IRZ_OK) *error = scratch[k].error;
    IRZ_TRY(scratch[k].code);
  }
  for (size_t r = 0; r < rows; r++) {
    below[r] = p->ai[r + 1];
    p->ai[r + 1] = p->ai[r] + whole_groups(below[r] + 1);
    p->bi[r + 1] += p->bi[r];
  }
  IRZ_TRY(irz_alloc(&p->aj, (size_t)p->ai[rows], sizeof *p->aj, error));
  IRZ_TRY(irz_alloc(&p->bj, (size_t)p->bi[rows], sizeof *p->bj, error));
  find_plain(p);
#pragma omp parallel for num_threads(n_threads) schedule(static, 1)
  for (int k = 0; k < n_threads; k++) {
    write_columns(p, k, &scratch[k], below, above);
    find_places(p, k, start, entry, scratch[k].mark);
  }
  return IRZ_OK;
}

IrzCode irz_pattern_create(const IrzSpace *space, IrzPattern **pattern, IrzError *error) {
  int32_t *start = NULL, *entry = NULL, *below = NULL, *above = NULL;
  Scratch *scratch = NULL;
  *pattern = NULL;
  IRZ_TRY(irz_alloc(pattern, 1, sizeof **pattern, error));
  (*pattern)->space = space;
  IrzCode code = rows_to_tets(space, &start, &entry, error);
  if (code == IRZ_OK) code = irz_alloc(&scratch, (size_t)space->n_threads, sizeof *scratch, error);
  if (code == IRZ_OK) code = irz_alloc(&below, (size_t)space->n_owned, sizeof *below, error);
  if (code == IRZ_OK) code = irz_alloc(&above, (size_t)space->n_owned, sizeof *above, error);
  if (code == IRZ_OK) code = fill(*pattern, start, entry, scratch, below, above, error);
  for (int k = 0; scratch != NULL && k < space->n_threads; k++) {
    free(scratch[k].mark);
    free(scratch[k].column);
  }
  free(scratch);
  free(below);
  free(above);
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
  return irz_pattern_search(pattern->aj, pattern->ai[row], pattern->ai[row + 1], column);
}

PetscInt irz_pattern_in_b(const IrzPattern *pattern, int32_t row, int32_t column) {
  return irz_pattern_search(pattern->bj, pattern->bi[row], pattern->bi[row + 1], column);
}

void irz_pattern_free(IrzPattern *pattern) {
  if (pattern == NULL) return;
  free(pattern->ai);
  free(pattern->aj);
  free(pattern->bi);
  free(pattern->bj);
  free(pattern->plain);
  free(pattern->place);
  free(pattern);
}
