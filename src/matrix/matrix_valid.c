/* Nothing of the code that makes spaces, patterns and matrices is used. */
#include "matrix/matrix_valid.h"
#include "base/memory.h"
#include "base/petsc.h"
#include "base/valid.h"
#include <stdlib.h>

static bool unknowns_are_valid(const IrzSpace *space, IrzError *fault) {
  const IrzPart *part = space->part;
  for (int32_t t = 0; t < part->n_tets; t++) {
    for (int i = 0; i < space->nodes; i++) {
      int32_t unknown = space->tet_dof[(size_t)t * (size_t)space->nodes + (size_t)i];
      if (unknown < 0 || unknown >= space->n_local)
        return IRZ_INVALID(fault, "tetrahedron %d has the unknown %d of %d", t, unknown, space->n_local);
      if (unknown != space->dof[part->tet[t][i]])
        return IRZ_INVALID(fault, "tetrahedron %d and node %d have different unknowns", t, part->tet[t][i]);
    }
  }
  for (int32_t g = 1; g < space->n_local - space->n_owned; g++) {
    if (space->ghost[g - 1] >= space->ghost[g]) return IRZ_INVALID(fault, "ghosts are not in order");
  }
  if (space->row_start[0] != 0 || space->row_start[space->n_threads] != space->n_owned)
    return IRZ_INVALID(fault, "threads do not share all rows");
  for (int k = 0; k < space->n_threads; k++) {
    if (space->row_start[k] > space->row_start[k + 1]) return IRZ_INVALID(fault, "threads' rows are not in order");
  }
  return true;
}

/// Give ghosts what their owners have. Collective.
static PetscErrorCode share(const IrzSpace *space, double *number) {
  PetscFunctionBegin;
  PetscCall(PetscSFBcastBegin(space->halo, MPI_DOUBLE, number, number + space->n_owned, MPI_REPLACE));
  PetscCall(PetscSFBcastEnd(space->halo, MPI_DOUBLE, number, number + space->n_owned, MPI_REPLACE));
  PetscFunctionReturn(0);
}

/// Whether ghosts have the numbers that their owners give them. Collective.
static bool halo_is_valid(const IrzSpace *space, IrzError *fault) {
  double *number = NULL;
  IrzError error = {0};
  int64_t own = space->n_owned, all;
  irz_alloc(&number, (size_t)space->n_local, sizeof *number, &error);
  bool valid = irz_error_agree(space->part->comm, &error) == IRZ_OK;
  if (valid) {
    for (int32_t i = 0; i < space->n_owned; i++) number[i] = (double)(space->first + i);
    for (int32_t i = space->n_owned; i < space->n_local; i++) number[i] = -1;
    valid = space->halo == NULL || irz_petsc(share(space, number), "ghosts", &error) == IRZ_OK;
  }
  if (!valid) irz_error_set(fault, error.code, "%s", error.text);
  for (int32_t i = space->n_owned; i < space->n_local && valid; i++) {
    if (number[i] != (double)space->ghost[i - space->n_owned])
      valid = IRZ_INVALID(fault, "ghost %d is not the unknown of its owner", i);
  }
  free(number);
  MPI_Allreduce(&own, &all, 1, MPI_INT64_T, MPI_SUM, space->part->comm);
  return valid && (all == space->n_global || IRZ_INVALID(fault, "the ranks' unknowns are not all"));
}

bool irz_space_is_valid(const IrzSpace *space, IrzError *fault) {
  IrzError own = {0};
  if (fault == NULL) fault = &own;
  if (unknowns_are_valid(space, fault)) fault->code = IRZ_OK;
  if (irz_error_agree(space->part->comm, fault) != IRZ_OK) return false;
  if (halo_is_valid(space, fault)) fault->code = IRZ_OK;
  return irz_error_agree(space->part->comm, fault) == IRZ_OK;
}

/// One row of a pattern, of a thread whose rows begin at `block` and end before `end`.
static bool row_is_valid(const IrzPattern *p, int32_t row, int32_t block, int32_t end, IrzError *fault) {
  PetscInt low = p->ai[row], high = p->ai[row + 1], before = -1;
  if (low % 4 != 0 || high - low < 4) return IRZ_INVALID(fault, "row %d has no whole groups", row);
  if (p->aj[high - 1] != row) return IRZ_INVALID(fault, "row %d does not end with its diagonal", row);
  for (PetscInt k = low; k < high; k++) {
    if (p->aj[k] < block || p->aj[k] > row)
      return IRZ_INVALID(fault, "row %d has the column %d in its block", row, (int)p->aj[k]);
  }
  for (PetscInt k = p->bi[row]; k < p->bi[row + 1]; k++) {
    PetscInt column = p->bj[k];
    if (column <= before || column >= p->space->n_local || (column >= block && column < end))
      return IRZ_INVALID(fault, "row %d has the column %d out of its block", row, (int)column);
    before = column;
  }
  return true;
}

bool irz_pattern_is_valid(const IrzPattern *pattern, IrzError *fault) {
  const IrzSpace *space = pattern->space;
  if (pattern->ai[0] != 0 || pattern->bi[0] != 0) return IRZ_INVALID(fault, "the first row does not begin at 0");
  for (int k = 0; k < space->n_threads; k++) {
    int32_t block = space->row_start[k], end = space->row_start[k + 1];
    for (int32_t row = block; row < end; row++) {
      if (!row_is_valid(pattern, row, block, end, fault)) return false;
    }
  }
  return true;
}

/// Whether the columns of a row increase, and are below `most`.
static bool columns_are_valid(const PetscInt *start, const PetscInt *column, int32_t row, int32_t most,
                              IrzError *fault) {
  PetscInt before = -1;
  for (PetscInt k = start[row]; k < start[row + 1]; k++) {
    if (column[k] <= before || column[k] >= most)
      return IRZ_INVALID(fault, "row %d has the column %d after %d", row, (int)column[k], (int)before);
    before = column[k];
  }
  return true;
}

/// Whether a row has a column.
static bool has_column(const IrzMatrix *m, int32_t row, int32_t column) {
  PetscInt low = m->ai[row], high = m->ai[row + 1];
  while (low < high) {
    PetscInt middle = low + (high - low) / 2;
    if (m->aj[middle] == column) return true;
    if (m->aj[middle] < column)
      low = middle + 1;
    else
      high = middle;
  }
  return false;
}

bool irz_matrix_is_valid(const IrzMatrix *matrix, IrzError *fault) {
  const IrzSpace *space = matrix->space;
  int32_t ghosts = space->n_local - space->n_owned;
  for (int32_t row = 0; row < space->n_owned; row++) {
    if (!columns_are_valid(matrix->ai, matrix->aj, row, space->n_owned, fault)) return false;
    if (!columns_are_valid(matrix->bi, matrix->bj, row, ghosts, fault)) return false;
  }
  for (int32_t row = 0; row < space->n_owned; row++) {
    if (!has_column(matrix, row, row)) return IRZ_INVALID(fault, "row %d has no diagonal", row);
    for (PetscInt k = matrix->ai[row]; k < matrix->ai[row + 1]; k++) {
      int32_t column = (int32_t)matrix->aj[k];
      if (!has_column(matrix, column, row))
        return IRZ_INVALID(fault, "row %d has the column %d, but not the other way round", row, column);
    }
  }
  return true;
}
