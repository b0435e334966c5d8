/* What leads out of a block; see pattern_block.h. */
#include "matrix/pattern_block.h"
#include "base/memory.h"
#include <stdlib.h>

IrzCode irz_reserve_outside(IrzPatternBlock *b, size_t more, IrzError *error) {
  if (b->n_outside + more <= b->room_outside) return IRZ_OK;
  b->room_outside += b->room_outside / 2 + more + 1024;
  return irz_resize(&b->outside, b->room_outside, sizeof *b->outside, error);
}

static int compare_outside(const void *a, const void *b) {
  const IrzOutside *p = a, *q = b;
  return (p->column > q->column) - (p->column < q->column);
}

/// Sort what leads out of one row: little as a rule, which insertion sorts fastest.
static void sort_row(IrzOutside *entry, size_t count) {
  if (count > 100) {
    qsort(entry, count, sizeof *entry, compare_outside);
    return;
  }
  for (size_t i = 1; i < count; i++) {
    IrzOutside moved = entry[i];
    size_t k = i;
    for (; k > 0 && entry[k - 1].column > moved.column; k--) entry[k] = entry[k - 1];
    entry[k] = moved;
  }
}

IrzCode irz_sort_outside(IrzPatternBlock *b, PetscInt *count, IrzError *error) {
  const size_t size = (size_t)(b->last - b->first);
  IrzOutside *sorted = NULL;
  size_t *start = NULL, kept = 0;
  if (b->n_outside == 0) return IRZ_OK;
  IrzCode code = irz_alloc(&start, size + 2, sizeof *start, error);
  if (code == IRZ_OK) code = irz_alloc_unset(&sorted, b->n_outside, sizeof *sorted, error);
  if (code == IRZ_OK) {
    size_t *at = start + 1;
    for (size_t k = 0; k < b->n_outside; k++) at[b->outside[k].row - b->first + 1]++;
    for (size_t r = 0; r < size; r++) at[r + 1] += at[r];
    /* at[r] is now the first place of row r; filling moves it to the last, which is the next row's first. */
    for (size_t k = 0; k < b->n_outside; k++) sorted[at[b->outside[k].row - b->first]++] = b->outside[k];
    for (size_t r = 0; r < size; r++) {
      const size_t before = kept;
      sort_row(sorted + start[r], start[r + 1] - start[r]);
      for (size_t k = start[r]; k < start[r + 1]; k++) {
        if (kept > before && b->outside[kept - 1].column == sorted[k].column) continue;
        b->outside[kept++] = sorted[k];
      }
      count[b->first + (int32_t)r] = (PetscInt)(kept - before);
    }
    b->n_outside = kept;
  }
  free(start);
  free(sorted);
  return code;
}
