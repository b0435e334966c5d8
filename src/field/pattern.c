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
  IRZ_TRY(irz_alloc_unset(entry, (size_t)at[space->n_owned], sizeof **entry, error));
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

/// What one thread makes and works with.
typedef struct {
  PetscInt *a, *b;       ///< columns of its rows, one row after another
  size_t used_a, used_b; ///< so many
  size_t room_a, room_b; ///< fit
  int32_t (*mark)[2];    ///< [n_local] 1 + the last row that has this column, and its offset in that row
  int32_t *column;       ///< [2][room] columns of one row: all, then those below the diagonal
  size_t room;
  IrzCode code;
  IrzError error;
} Worker;

static inline size_t whole_groups(size_t count) {
  return (count + 3) / 4 * 4;
}

/// Columns of one row but for those above its diagonal in the block that ends before `last`; returns how many there
/// are. Room for all columns of all its tetrahedra is needed.
static inline __attribute__((always_inline)) size_t row_columns(const int32_t *tet_dof, int nodes, int32_t row,
                                                                int32_t last, const int32_t *entry, int32_t count,
                                                                int32_t (*mark)[2], int32_t *column) {
  const uint32_t above = (uint32_t)(last - row); /* columns [row, row + above) are not wanted */
  size_t n = 0;
  for (int32_t k = 0; k < count; k++) {
    const int32_t *dof = tet_dof + (size_t)(entry[k] >> 4) * (size_t)nodes;
#pragma GCC unroll 10
    for (int j = 0; j < nodes; j++) { /* without a branch: half of the columns were met before */
      int32_t c = dof[j];
      column[n] = c;
      n += (size_t)((mark[c][0] != row + 1) & ((uint32_t)c - (uint32_t)row >= above));
      mark[c][0] = row + 1;
    }
  }
  return n;
}

/// Sort columns: few as a rule, which insertion sorts fastest.
static void sort_columns(int32_t *column, size_t count) {
  if (count > 100) {
    qsort(column, count, sizeof *column, compare_int);
    return;
  }
  for (size_t i = 1; i < count; i++) {
    int32_t moved = column[i];
    size_t k = i;
    for (; k > 0 && column[k - 1] > moved; k--) column[k] = column[k - 1];
    column[k] = moved;
  }
}

/// Make room for one more row of at most so many columns.
static IrzCode reserve_row(Worker *w, size_t most, IrzError *error) {
  if (most > w->room) {
    w->room = 2 * most;
    IRZ_TRY(irz_resize(&w->column, w->room, 2 * sizeof *w->column, error));
  }
  if (w->used_a + most + 8 > w->room_a) {
    w->room_a += w->room_a / 4 + most + 4096;
    IRZ_TRY(irz_resize(&w->a, w->room_a, sizeof *w->a, error));
  }
  if (w->used_b + most > w->room_b) {
    w->room_b += w->room_b / 4 + most + 4096;
    IRZ_TRY(irz_resize(&w->b, w->room_b, sizeof *w->b, error));
  }
  return IRZ_OK;
}

/// Write the `n` different columns of row r behind those of the rows before and note their offsets.
static void write_row(IrzPattern *p, Worker *w, int32_t r, int32_t first, size_t n) {
  const int32_t *column = w->column;
  int32_t *low = w->column + w->room;
  PetscInt *a = w->a + w->used_a, *b = w->b + w->used_b;
  size_t below = 0, outside = 0;
  for (size_t k = 0; k < n; k++) {
    int32_t c = column[k];
    bool in = c >= first && c < r;
    low[below] = b[outside] = c;
    below += in;
    outside += !in;
  }
  /* Sorting the many rows of order 2 would take longer than finding them. Coarsening order 1 goes by the order. */
  if (p->space->nodes == 4 || n >= IRZ_PATTERN_LONG) {
    sort_columns(low, below);
    sort_columns(b, outside);
  }
  size_t end = whole_groups(below + 1), gap = end - below - 1, at = 0;
  while (at < gap) a[at++] = below > 0 ? low[0] : r;
  for (size_t k = 0; k < below; k++, at++) {
    a[at] = low[k];
    w->mark[low[k]][1] = (int32_t)at;
  }
  a[at] = r;
  w->mark[r][1] = (int32_t)at;
  w->used_a += end;
  w->used_b += outside;
  p->ai[r + 1] = (PetscInt)w->used_a;
  p->bi[r + 1] = (PetscInt)w->used_b;
}

/// irz_packed() of four and of ten nodes.
static const uint8_t packed_4[4][4] = {{0, 1, 2, 3}, {1, 4, 5, 6}, {2, 5, 7, 8}, {3, 6, 8, 9}};
static const uint8_t packed_10[10][10] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9},          {1, 10, 11, 12, 13, 14, 15, 16, 17, 18},
    {2, 11, 19, 20, 21, 22, 23, 24, 25, 26}, {3, 12, 20, 27, 28, 29, 30, 31, 32, 33},
    {4, 13, 21, 28, 34, 35, 36, 37, 38, 39}, {5, 14, 22, 29, 35, 40, 41, 42, 43, 44},
    {6, 15, 23, 30, 36, 41, 45, 46, 47, 48}, {7, 16, 24, 31, 37, 42, 46, 49, 50, 51},
    {8, 17, 25, 32, 38, 43, 47, 50, 52, 53}, {9, 18, 26, 33, 39, 44, 48, 51, 53, 54}};

/// Note where the entries up to the diagonal of the tetrahedra around a row are in it.
static inline __attribute__((always_inline)) void note_places(const int32_t *tet_dof, int nodes, int32_t row,
                                                              const int32_t *entry, int32_t count, int32_t (*mark)[2],
                                                              uint8_t *places) {
  for (int32_t k = 0; k < count; k++) {
    size_t t = (size_t)(entry[k] >> 4);
    const int i = entry[k] & 15;
    const int32_t *dof = tet_dof + t * (size_t)nodes;
    uint8_t *place = places + t * (size_t)(nodes * (nodes + 1) / 2);
    const uint8_t *packed = nodes == 10 ? packed_10[i] : packed_4[i];
    const int diagonal = packed[i];
#pragma GCC unroll 10
    for (int j = 0; j < nodes; j++) {
      /* Without a branch: half of them are the other rows' and go where the diagonal's place is written in the end. */
      int own = packed[j], others = -(dof[j] > row);
      place[own ^ ((own ^ diagonal) & others)] = (uint8_t)mark[dof[j]][1];
    }
    place[diagonal] = (uint8_t)mark[row][1];
  }
}

/// Find and write the columns of all rows of one thread, one row at a time: what a row touches stays in the cache.
/// Counts are from the thread's first row; see join().
static inline __attribute__((always_inline)) IrzCode make_rows(IrzPattern *p, int thread, const int32_t *start,
                                                               const int32_t *entry, Worker *w, int nodes,
                                                               IrzError *error) {
  const IrzSpace *space = p->space;
  int32_t first = space->row_start[thread], last = space->row_start[thread + 1];
  for (int32_t r = first; r < last; r++) {
    int32_t count = start[r + 1] - start[r];
    IRZ_TRY(reserve_row(w, (size_t)count * (size_t)nodes + 1, error));
    size_t n = row_columns(space->tet_dof, nodes, r, last, entry + start[r], count, w->mark, w->column);
    write_row(p, w, r, first, n);
    note_places(space->tet_dof, nodes, r, entry + start[r], count, w->mark, p->place);
  }
  return IRZ_OK;
}

/// Put the threads' columns together.
static IrzCode join(IrzPattern *p, Worker *worker, IrzError *error) {
  const IrzSpace *space = p->space;
  int n_threads = space->n_threads;
  size_t total_a = 0, total_b = 0;
  for (int k = 0; k < n_threads; k++) {
    total_a += worker[k].used_a;
    total_b += worker[k].used_b;
  }
  /* The first thread's are in their place; large blocks grow and shrink without being copied. */
  IRZ_TRY(irz_resize(&worker[0].a, total_a, sizeof *p->aj, error));
  IRZ_TRY(irz_resize(&worker[0].b, total_b, sizeof *p->bj, error));
  p->aj = worker[0].a;
  p->bj = worker[0].b;
  worker[0].a = worker[0].b = NULL;
#pragma omp parallel for num_threads(n_threads) schedule(static, 1)
  for (int k = 1; k < n_threads; k++) {
    size_t before_a = 0, before_b = 0;
    for (int l = 0; l < k; l++) {
      before_a += worker[l].used_a;
      before_b += worker[l].used_b;
    }
    memcpy(p->aj + before_a, worker[k].a, worker[k].used_a * sizeof *p->aj);
    memcpy(p->bj + before_b, worker[k].b, worker[k].used_b * sizeof *p->bj);
    for (int32_t r = space->row_start[k]; r < space->row_start[k + 1]; r++) {
      p->ai[r + 1] += (PetscInt)before_a;
      p->bi[r + 1] += (PetscInt)before_b;
    }
  }
  return IRZ_OK;
}

/// Find out of which tetrahedra `place` can know the entries.
static void find_plain(IrzPattern *p) {
  const IrzSpace *space = p->space;
  int nodes = space->nodes;
#pragma omp parallel for num_threads(space->n_threads) schedule(static)
  for (int32_t t = 0; t < space->part->n_tets; t++) {
    const int32_t *dof = space->tet_dof + (size_t)t * (size_t)nodes;
    int32_t low = dof[0], high = dof[0];
    bool electrode = false;
    for (int i = 0; i < nodes; i++) {
      low = dof[i] < low ? dof[i] : low;
      high = dof[i] > high ? dof[i] : high;
      electrode = electrode || space->electrode[dof[i]] >= 0;
    }
    int thread = 0;
    while (thread < space->n_threads && low >= space->row_start[thread + 1]) thread++;
    bool plain = thread < space->n_threads && high < space->row_start[thread + 1];
    for (int i = 0; i < nodes && plain; i++) {
      bool left_out = space->merged && space->electrode[dof[i]] >= 0;
      plain = left_out || p->ai[dof[i] + 1] - p->ai[dof[i]] <= IRZ_PATTERN_LONG;
    }
    p->plain[t] = !plain ? IRZ_PLAIN_NO : electrode && space->merged ? IRZ_PLAIN_FIXED : IRZ_PLAIN;
  }
}

/// Fill everything with the tetrahedra of each row known.
static IrzCode fill(IrzPattern *p, const int32_t *start, const int32_t *entry, Worker *worker, IrzError *error) {
  const IrzSpace *space = p->space;
  size_t rows = (size_t)space->n_owned, nodes = (size_t)space->nodes;
  int n_threads = space->n_threads;
  IRZ_TRY(irz_alloc(&p->ai, rows + 1, sizeof *p->ai, error));
  IRZ_TRY(irz_alloc(&p->bi, rows + 1, sizeof *p->bi, error));
  IRZ_TRY(irz_alloc_unset(&p->plain, (size_t)space->part->n_tets, 1, error));
  IRZ_TRY(irz_alloc_unset(&p->place, (size_t)space->part->n_tets * nodes * (nodes + 1) / 2, 1, error));
  for (int k = 0; k < n_threads; k++) {
    worker[k].room_a = rows / (size_t)n_threads * (nodes == 10 ? 17 : 11);
    IRZ_TRY(irz_alloc_unset(&worker[k].a, worker[k].room_a, sizeof *worker[k].a, error));
    IRZ_TRY(irz_alloc(&worker[k].mark, (size_t)space->n_local, sizeof *worker[k].mark, error));
  }
#pragma omp parallel for num_threads(n_threads) schedule(static, 1)
  for (int k = 0; k < n_threads; k++) {
    Worker *w = &worker[k];
    w->code =
        nodes == 10 ? make_rows(p, k, start, entry, w, 10, &w->error) : make_rows(p, k, start, entry, w, 4, &w->error);
  }
  for (int k = 0; k < n_threads; k++) {
    if (worker[k].code != IRZ_OK) *error = worker[k].error;
    IRZ_TRY(worker[k].code);
  }
  IRZ_TRY(join(p, worker, error));
  find_plain(p);
  return IRZ_OK;
}

IrzCode irz_pattern_create(const IrzSpace *space, IrzPattern **pattern, IrzError *error) {
  int32_t *start = NULL, *entry = NULL;
  Worker *worker = NULL;
  *pattern = NULL;
  IRZ_TRY(irz_alloc(pattern, 1, sizeof **pattern, error));
  (*pattern)->space = space;
  IrzCode code = rows_to_tets(space, &start, &entry, error);
  if (code == IRZ_OK) code = irz_alloc(&worker, (size_t)space->n_threads, sizeof *worker, error);
  if (code == IRZ_OK) code = fill(*pattern, start, entry, worker, error);
  for (int k = 0; worker != NULL && k < space->n_threads; k++) {
    free(worker[k].a);
    free(worker[k].b);
    free(worker[k].mark);
    free(worker[k].column);
  }
  free(worker);
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
  free(pattern);
}
