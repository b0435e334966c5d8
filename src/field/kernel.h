/* Residual and tangent of div(sigma grad phi) = 0, sigma a number or a tensor that depends on E, element by element. */
#ifndef IREZONE_FIELD_KERNEL_H
#define IREZONE_FIELD_KERNEL_H

#include "field/element.h"
#include "field/flux.h"
#include "field/medium.h"
#include "field/points.h"
#include "matrix/tangent.h"
#include <irezone/law.h>

/// What to assemble. All pointers are borrowed.
typedef struct {
  const IrzSpace *space;
  const IrzMedium *medium;
  const IrzLaw *const *laws; ///< [medium->n_regions] law of each region
  const IrzPoints *floor;    ///< conductivity falls nowhere below this, S/m; NULL: no floor
  const double *scale;       ///< [n_tets] factor on the conductivity of each tetrahedron; NULL: 1
  const IrzFlux *flux;       ///< take irz_flux_point() instead of the law; NULL: the law
  const double *u;           ///< [n_local] potential, V, ghosts up to date
  bool zero_field;           ///< take every conductivity at zero field: the linear problem
  const uint8_t *fixed;      ///< [n_local] 1: the potential is given; its rows and columns stay empty
  double *residual;   ///< [n_owned] integral of sigma grad phi . grad v, A; also at fixed unknowns. NULL: not wanted
  IrzTangent *matrix; ///< tangent: sigma I + sigma'/|E| E E^T, or irz_law_tensor()'s, between the basis functions.
                      ///< NULL: not wanted
  IrzTangent *coarse; ///< order 2 only: the same tangent between the basis functions of order 1. NULL: not wanted
  const uint8_t *coarse_fixed; ///< [n_local of the coarse space]
} IrzAssembly;

/// Assemble on this rank's tetrahedra; rows of fixed unknowns get a diagonal entry only. Local: the overlap of the
/// parts makes every owned row complete.
void irz_assemble(const IrzAssembly *assembly);

/// Gradients of a potential of order 2 at the four corners of a straight tetrahedron; between them the gradient is
/// linear.
/// @param[in]  node    [4][3] corners, m
/// @param[in]  u       [10] V
/// @param[out] corner  [4][3] V/m
/// @return 6 times the volume, m^3
double irz_corner_gradients(double node[10][3], const double u[10], double corner[4][3]);

#endif
