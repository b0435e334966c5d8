/* Numbers at the quadrature points of a medium, and what tissue remembers there. */
#ifndef IREZONE_FIELD_POINTS_H
#define IREZONE_FIELD_POINTS_H

#include "field/medium.h"
#include <irezone/law.h>

/// A number at every quadrature point of every tetrahedron of a part, ghosts included.
typedef struct {
  double *fast;    ///< [n_tets][4] at the points of irz_rule_fast; unused for general tetrahedra
  double *general; ///< [first_point[n_general]] at the points of irz_medium_rule()
} IrzPoints;

/// Allocate, all zero.
IrzCode irz_points_create(const IrzMedium *medium, IrzPoints *points, IrzError *error);

/// Set all to zero.
void irz_points_clear(const IrzMedium *medium, IrzPoints *points);

/// Raise a floor of conductivities to what a solution reaches: floor = max(floor, sigma(|grad phi|)). The conductivity
/// max(sigma(E), floor) keeps sigma E growing with E, so problems with it have one solution. Local.
/// @param[in]     order  element order of the potential
/// @param[in]     laws   [n_regions]
/// @param[in]     node   [nodes of the part] potential, V
/// @param[in,out] floor  S/m
void irz_points_remember(const IrzMedium *medium, int order, const IrzLaw *const *laws, const double *node,
                         IrzPoints *floor);

void irz_points_free(IrzPoints *points);

#endif
