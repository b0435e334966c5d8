/* Numbers at the quadrature points of a medium, and what tissue remembers there. */
#ifndef IREZONE_FIELD_POINTS_H
#define IREZONE_FIELD_POINTS_H

#include "field/medium.h"
#include <irezone/law.h>

/// A number at every quadrature point of every tetrahedron of a part, ghosts included.
typedef struct {
  double *fast;    ///< [n_tets][4] at the points of irz_rule_fast; unused for general tetrahedra
  double *general; ///< [first_point[n_general]] at the points of irz_medium_rule()
  /* Where a law raises the conductivity along the field, a floor is a tensor: IrzLawMemory's rise. Else NULL. */
  double (*fast_rise)[6];    ///< [4 n_tets]
  double (*general_rise)[6]; ///< [first_point[n_general]]
} IrzPoints;

/// Allocate what the laws need and is not there yet, all zero.
/// @param[in] laws  [n_regions]
IrzCode irz_points_create(const IrzMedium *medium, const IrzLaw *const *laws, IrzPoints *points, IrzError *error);

/// What tissue remembers at a point of a tetrahedron.
/// @param[in] points  a floor; NULL: none
/// @param[in] q       point of the tetrahedron's rule
static inline IrzLawMemory irz_points_memory(const IrzMedium *medium, const IrzPoints *points, int32_t tet, int q) {
  if (points == NULL) return (IrzLawMemory){0, NULL};
  int32_t general = medium->general[tet] - 1;
  size_t at = general >= 0 ? (size_t)medium->first_point[general] + (size_t)q : 4 * (size_t)tet + (size_t)q;
  double(*rise)[6] = general >= 0 ? points->general_rise : points->fast_rise;
  return (IrzLawMemory){general >= 0 ? points->general[at] : points->fast[at], rise != NULL ? rise[at] : NULL};
}

/// Set all to zero.
void irz_points_clear(const IrzMedium *medium, IrzPoints *points);

/// Raise a floor of conductivities to what a solution reaches: floor = max(floor, sigma(|grad phi|)), and where the law
/// raises along the field R += g e e^T as in irz_law_tensor(). The conductivity max(sigma(E), floor) keeps sigma E
/// growing with E, so problems with it have one solution. Local.
/// @param[in]     order  element order of the potential
/// @param[in]     laws   [n_regions]
/// @param[in]     node   [nodes of the part] potential, V
/// @param[in,out] floor  S/m
void irz_points_remember(const IrzMedium *medium, int order, const IrzLaw *const *laws, const double *node,
                         IrzPoints *floor);

void irz_points_free(IrzPoints *points);

#endif
