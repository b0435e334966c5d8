/* Sparse matrices in rows; see rows.h. */
#include "solver/rows.h"
#include "base/memory.h"
#include "base/threads.h"
#include <stdlib.h>
#include <string.h>

void irz_rows_clear(IrzRows *rows) {
  free(rows->start);
  free(rows->column);
  free(rows->value);
  *rows = (IrzRows){0};
}

IrzCode irz_rows_alloc(IrzRows *rows, int32_t n, int32_t columns, PetscInt entries, IrzError *error) {
  *rows = (IrzRows){.n = n, .columns = columns};
  IRZ_TRY(irz_alloc(&rows->start, (size_t)n + 1, sizeof *rows->start, error));
  IRZ_TRY(irz_alloc(&rows->column, (size_t)entries, sizeof *rows->column, error));
  return irz_alloc(&rows->value, (size_t)entries, sizeof *rows->value, error);
}

IrzCode irz_rows_transpose(const IrzRows *from, int32_t n, IrzRows *to, IrzError *error) {
  IRZ_TRY(irz_rows_alloc(to, from->columns, n, from->start[n], error));
  for (PetscInt c = 0; c < from->start[n]; c++) to->start[from->column[c] + 1]++;
  for (int32_t r = 0; r < to->n; r++) to->start[r + 1] += to->start[r];
  for (int32_t r = 0; r < n; r++) {
    for (PetscInt c = from->start[r]; c < from->start[r + 1]; c++) {
      PetscInt at = to->start[from->column[c]]++;
      to->column[at] = r;
      to->value[at] = from->value[c];
    }
  }
  for (int32_t r = to->n; r > 0; r--) to->start[r] = to->start[r - 1];
  to->start[0] = 0;
  return IRZ_OK;
}

/// Make room for `more` entries after `used`.
static IrzCode ensure(IrzRows *rows, PetscInt *room, PetscInt used, PetscInt more, IrzError *error) {
  if (used + more <= *room) return IRZ_OK;
  *room += *room / 2 + more;
  IRZ_TRY(irz_resize(&rows->column, (size_t)*room, sizeof *rows->column, error));
  return irz_resize(&rows->value, (size_t)*room, sizeof *rows->value, error);
}

/// Sort a few columns.
static void sort(PetscInt *column, PetscInt n) {
  for (PetscInt c = 1; c < n; c++) {
    PetscInt j = column[c], k = c;
    for (; k > 0 && column[k - 1] > j; k--) column[k] = column[k - 1];
    column[k] = j;
  }
}

/// Rows [first, last) of left * right.
static IrzCode multiply(const IrzRows *left, const IrzRows *right, int32_t first_row, int32_t last_row, bool sorted,
                        IrzRows *product, IrzError *error) {
  PetscInt room = left->start[last_row] - left->start[first_row], next = 0, *where = NULL;
  double *sum = NULL;
  room += room / 2 + right->columns;
  IrzCode code = irz_rows_alloc(product, last_row - first_row, right->columns, room, error);
  if (code == IRZ_OK) code = irz_alloc(&where, (size_t)right->columns, sizeof *where, error);
  if (code == IRZ_OK) code = irz_alloc(&sum, (size_t)right->columns, sizeof *sum, error);
  for (int32_t r = first_row; r < last_row && code == IRZ_OK; r++) {
    PetscInt first = next;
    code = ensure(product, &room, next, right->columns, error);
    if (code != IRZ_OK) break;
    product->start[r - first_row] = next;
    for (PetscInt c = left->start[r]; c < left->start[r + 1]; c++) {
      int32_t k = left->column[c];
      for (PetscInt d = right->start[k]; d < right->start[k + 1]; d++) {
        int32_t j = right->column[d];
        if (where[j] <= first) { /* places are counted from 1, so that cleared memory is "none" */
          product->column[next] = j;
          where[j] = ++next;
          sum[j] = 0;
        }
        sum[j] += (double)left->value[c] * (double)right->value[d];
      }
    }
    if (sorted) sort(product->column + first, next - first);
    for (PetscInt c = first; c < next; c++) product->value[c] = (float)sum[product->column[c]];
  }
  if (code == IRZ_OK) product->start[last_row - first_row] = next;
  free(where);
  free(sum);
  return code;
}

/// A block of rows that one thread makes.
typedef struct {
  int32_t first;
  IrzRows rows;
  IrzCode code;
  IrzError error;
} Block;

/// Put blocks of rows below one another.
static IrzCode stack(const Block *block, int n_blocks, IrzRows *rows, IrzError *error) {
  PetscInt total = 0;
  int32_t n = 0;
  for (int k = 0; k < n_blocks; k++) {
    n += block[k].rows.n;
    total += block[k].rows.start[block[k].rows.n];
  }
  IRZ_TRY(irz_rows_alloc(rows, n, block[0].rows.columns, total, error));
#pragma omp parallel for num_threads(irz_threads(n_blocks)) schedule(static, 1)
  for (int k = 0; k < n_blocks; k++) {
    const IrzRows *own = &block[k].rows;
    PetscInt before = 0;
    for (int l = 0; l < k; l++) before += block[l].rows.start[block[l].rows.n];
    for (int32_t r = 0; r < own->n; r++) rows->start[block[k].first + r + 1] = before + own->start[r + 1];
    memcpy(rows->column + before, own->column, (size_t)own->start[own->n] * sizeof *own->column);
    memcpy(rows->value + before, own->value, (size_t)own->start[own->n] * sizeof *own->value);
  }
  return IRZ_OK;
}

IrzCode irz_rows_multiply(const IrzRows *left, const IrzRows *right, bool sorted, int n_threads, IrzRows *product,
                          IrzError *error) {
  Block *block = NULL;
  if (n_threads == 1) return multiply(left, right, 0, left->n, sorted, product, error);
  IRZ_TRY(irz_alloc(&block, (size_t)n_threads, sizeof *block, error));
#pragma omp parallel for num_threads(irz_threads(n_threads)) schedule(static, 1)
  for (int k = 0; k < n_threads; k++) {
    int32_t last = (int32_t)((int64_t)left->n * (k + 1) / n_threads);
    block[k].first = (int32_t)((int64_t)left->n * k / n_threads);
    block[k].code = multiply(left, right, block[k].first, last, sorted, &block[k].rows, &block[k].error);
  }
  IrzCode code = IRZ_OK;
  for (int k = 0; k < n_threads && code == IRZ_OK; k++) {
    code = block[k].code;
    if (code != IRZ_OK) *error = block[k].error;
  }
  if (code == IRZ_OK) code = stack(block, n_threads, product, error);
  for (int k = 0; k < n_threads; k++) irz_rows_clear(&block[k].rows);
  free(block);
  return code;
}

IrzCode irz_rows_gather(const IrzEntries *entries, int32_t n, int32_t columns, IrzRows *rows, IrzError *error) {
  PetscInt *start = NULL, *entry = NULL, *where = NULL, next = 0;
  double *sum = NULL;
  IrzCode code = irz_rows_alloc(rows, n, columns, entries->n, error);
  if (code == IRZ_OK) code = irz_alloc(&start, (size_t)n + 2, sizeof *start, error);
  if (code == IRZ_OK) code = irz_alloc(&entry, (size_t)entries->n, sizeof *entry, error);
  if (code == IRZ_OK) code = irz_alloc(&where, (size_t)columns, sizeof *where, error);
  if (code == IRZ_OK) code = irz_alloc(&sum, (size_t)columns, sizeof *sum, error);
  if (code == IRZ_OK) {
    PetscInt *at = start + 1; /* first the first place of each row, after filling the first of the next */
    for (PetscInt k = 0; k < entries->n; k++) at[entries->row[k] + 1]++;
    for (int32_t r = 0; r < n; r++) at[r + 1] += at[r];
    for (PetscInt k = 0; k < entries->n; k++) entry[at[entries->row[k]]++] = k;
    for (int32_t r = 0; r < n; r++) {
      PetscInt first = next;
      rows->start[r] = next;
      for (PetscInt c = start[r]; c < start[r + 1]; c++) {
        PetscInt j = entries->column[entry[c]];
        if (where[j] <= first) { /* counted from 1, as above */
          rows->column[next] = j;
          where[j] = ++next;
          sum[j] = 0;
        }
        sum[j] += entries->value[entry[c]];
      }
      sort(rows->column + first, next - first);
      for (PetscInt c = first; c < next; c++) rows->value[c] = (float)sum[rows->column[c]];
    }
    rows->start[n] = next;
  }
  free(start);
  free(entry);
  free(where);
  free(sum);
  return code;
}

void irz_rows_apply(const IrzRows *rows, const float *x, bool add, int n_threads, float *y) {
#pragma omp parallel for num_threads(irz_threads(n_threads)) schedule(static)
  for (int32_t r = 0; r < rows->n; r++) {
    float sum = add ? y[r] : 0;
    for (PetscInt c = rows->start[r]; c < rows->start[r + 1]; c++) sum += rows->value[c] * x[rows->column[c]];
    y[r] = sum;
  }
}

IrzCode irz_entries_alloc(IrzEntries *entries, PetscInt n, IrzError *error) {
  entries->n = n;
  IRZ_TRY(irz_alloc(&entries->row, (size_t)n, sizeof *entries->row, error));
  IRZ_TRY(irz_alloc(&entries->column, (size_t)n, sizeof *entries->column, error));
  return irz_alloc(&entries->value, (size_t)n, sizeof *entries->value, error);
}

void irz_entries_clear(IrzEntries *entries) {
  free(entries->row);
  free(entries->column);
  free(entries->value);
  *entries = (IrzEntries){0};
}
