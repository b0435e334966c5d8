/* Sparse matrices in rows, in single precision: the coarse levels of algebraic multigrid and what leads to them. */
#ifndef IREZONE_SOLVER_ROWS_H
#define IREZONE_SOLVER_ROWS_H

#include <irezone/error.h>
#include <petscsys.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  int32_t n, columns;
  PetscInt *start, *column; ///< [n + 1] first entry of each row, column of each entry
  float *value;
} IrzRows;

/// Entries in any order, of which several may have the same place.
typedef struct {
  PetscInt n;
  PetscInt *row, *column;
  float *value;
} IrzEntries;

/// Allocate with room for `entries`.
IrzCode irz_rows_alloc(IrzRows *rows, int32_t n, int32_t columns, PetscInt entries, IrzError *error);

void irz_rows_clear(IrzRows *rows);

/// The transpose of the first n rows.
IrzCode irz_rows_transpose(const IrzRows *from, int32_t n, IrzRows *to, IrzError *error);

/// left * right, the same for any number of threads. `sorted`: with increasing columns.
IrzCode irz_rows_multiply(const IrzRows *left, const IrzRows *right, bool sorted, int n_threads, IrzRows *product,
                          IrzError *error);

/// Rows with increasing columns from entries; those of one place are added up in their order.
IrzCode irz_rows_gather(const IrzEntries *entries, int32_t n, int32_t columns, IrzRows *rows, IrzError *error);

/// y = sum over the entries of each row, or that added to y.
void irz_rows_apply(const IrzRows *rows, const float *x, bool add, int n_threads, float *y);

IrzCode irz_entries_alloc(IrzEntries *entries, PetscInt n, IrzError *error);

void irz_entries_clear(IrzEntries *entries);

#endif
