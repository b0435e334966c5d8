/* The tangent of a level in single precision.

   Newton's method takes its residual in double precision and corrects what a tangent gets wrong, so the tangent may be
   inexact by rounding; half the bytes is what counts in sweeps and products, which stream it from memory. PETSc sees a
   shell that multiplies, and where one of its own preconditioners is used, a copy in double precision. */
#ifndef IREZONE_MATRIX_TANGENT_H
#define IREZONE_MATRIX_TANGENT_H

#include "matrix/matrix.h"

typedef struct {
  IrzPattern *pattern;
  float *aa, *ba;  ///< entries at the places of pattern->aj and pattern->bj; those of copied columns are zero
  Mat mat;         ///< multiplies
  IrzMatrix *copy; ///< for PETSc's preconditioners; NULL: not wanted
  double *x;       ///< [n_local] a vector with its ghosts; NULL on one rank
} IrzTangent;

/// Find the pattern and allocate. Collective.
/// @param[in] copy  PETSc needs the entries, too
IrzCode irz_tangent_create(const IrzSpace *space, bool copy, IrzTangent **tangent, IrzError *error);

/// Set all entries in a range of rows to zero.
void irz_tangent_zero(IrzTangent *tangent, int32_t first, int32_t last);

/// Add the matrix of one tetrahedron to the rows in [first, last), the block of one thread.
/// @param[in] tet     which tetrahedron
/// @param[in] skip    [nodes] 1: leave out this row and column (fixed unknowns); NULL: none
/// @param[in] values  entry (i, j) of the symmetric matrix is values[irz_packed(nodes, i, j) * stride]
/// @param[in] stride  distance of the values
void irz_tangent_add(IrzTangent *tangent, int32_t tet, const uint8_t *skip, const float *values, int stride,
                     int32_t first, int32_t last);

/// Set a diagonal entry.
void irz_tangent_diagonal(IrzTangent *tangent, int32_t row, float value);

/// Tell PETSc that the values changed. Collective.
PetscErrorCode irz_tangent_changed(IrzTangent *tangent);

/// y = A x on the owned rows, with all threads of the space.
/// @param[in]  x  [n_local], ghosts up to date
/// @param[out] y  [n_owned]
void irz_tangent_multiply(const IrzTangent *tangent, const double *x, double *y);

void irz_tangent_free(IrzTangent *tangent);

#endif
