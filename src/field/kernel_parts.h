/* What irz_assemble() is made of.

   Straight tetrahedra in one region, and curved ones whose law does not depend on direction, are taken IRZ_LANES side
   by side in vector registers; what label maps cut, and curved ones with laws that depend on direction, one at a time.
   Matrices are in single precision (see tangent.h), residuals in double. */
#ifndef IREZONE_FIELD_KERNEL_PARTS_H
#define IREZONE_FIELD_KERNEL_PARTS_H

#include "field/conductivity.h"
#include "field/kernel.h"

/// Results of tetrahedra side by side.
typedef struct {
  _Alignas(64) float matrix[55][IRZ_LANES]; ///< packed, order of the space; if a matrix is wanted
  _Alignas(64) double residual[10][IRZ_LANES];
  _Alignas(64) float coarse[10][IRZ_LANES]; ///< packed, order 1; with a matrix of order 2
} IrzBatch;

/// Kernels that take IRZ_LANES tetrahedra at a time, with the four-point rule.
typedef struct {
  /// Work out tables; before the first `curved`.
  void (*prepare)(void);

  /// Straight tetrahedra in one region each (order 1: one point).
  /// @param[in] tets  [IRZ_LANES] which
  /// @param[in] u     [10][IRZ_LANES] potentials of their nodes, V
  /// @param[in] law   [IRZ_LANES]
  void (*straight)(const IrzAssembly *assembly, const int32_t *tets, double u[10][IRZ_LANES], const IrzLaw *const *law,
                   IrzBatch *batch);

  /// Curved tetrahedra in one region each, with laws that do not depend on direction. At order 1 the matrix is what
  /// `coarse` is at order 2.
  /// @param[in] general  [IRZ_LANES] which, by their index in the medium
  /// @param[in] u        [10][IRZ_LANES] potentials of their nodes, V
  /// @param[in] law      [IRZ_LANES]
  void (*curved)(const IrzAssembly *assembly, const int32_t *general, double u[10][IRZ_LANES], const IrzLaw *const *law,
                 IrzBatch *batch);
} IrzBatchKernels;

extern const IrzBatchKernels irz_batch_kernels; ///< for the instructions that all of the program is compiled for
#ifdef IRZ_AVX2
extern const IrzBatchKernels irz_batch_kernels_avx2; ///< for processors that have AVX2: the same numbers, bit for bit
#endif

/// The fastest that this processor can run.
const IrzBatchKernels *irz_batch_best(void);

/// One tetrahedron, curved or not, at its own list of points.
/// @param[in]  general   which, by its index in the medium
/// @param[in]  u         [nodes] V
/// @param[out] residual  [nodes]
/// @param[out] matrix    [nodes (nodes + 1) / 2] packed
/// @param[out] coarse    [10] packed, if the assembly has a coarse matrix
void irz_single(const IrzAssembly *assembly, int32_t general, const double u[10], double *residual, float *matrix,
                float *coarse);

#endif
