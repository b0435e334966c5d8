/* Current densities of their own at the quadrature points, for laws that rise so steeply that the field does not tell
   the current.

   Where sigma(E) all but jumps, a thick layer of tissue has just the field of the jump, and its current is anything
   between the two sides'. Newton's method in the potential alone is lost there: a field a little too small has the low
   conductivity and no hint of the jump, one a little too large the high one. So the current density J becomes an
   unknown of its own at each point, tied to the potential by E = G(J), the law read backwards, which is smooth where
   the law is steep: linearised there, J + T (E - G(J)) with T = G'(J)^-1 takes the place of sigma(E) E (T. F. Chan, G.
   H. Golub, P. Mulet, A nonlinear primal-dual method for total variation-based image restoration, 1999). J is
   eliminated point by point, so the matrix is as large as ever. T along the field is held below a multiple of the
   conductivity, which turns the method, at a jump, into that of multipliers: it still ends where E = G(J), and the
   equations stay soluble. */
#ifndef IREZONE_FIELD_FLUX_H
#define IREZONE_FIELD_FLUX_H

#include "field/points.h"

/// Laws with an irz_law_steepness() above this are steep: Newton's method in the potential takes tens of steps, or
/// hundreds.
#define IRZ_STEEP 8

/// J at every quadrature point of every tetrahedron of a part, A/m^2; like potentials' gradients it has the sign of
/// grad phi.
typedef struct {
  double (*fast)[3];    ///< [4 n_tets] at the points of irz_rule_fast; unused for general tetrahedra
  double (*general)[3]; ///< [first_point[n_general]] at the points of irz_medium_rule()
  double bound;         ///< dJ/dE along the field counts as no more than so many times J/E
} IrzFlux;

/// What is needed to find the gradient of a potential at a point, and the law there.
typedef struct {
  const IrzMedium *medium;
  const IrzLaw *const *laws; ///< [n_regions]
  const IrzPoints *floor;    ///< may be NULL
  const double *scale;       ///< [n_tets], may be NULL
  int order;                 ///< of the potential
  int n_threads;
} IrzFluxTask;

/// Whether currents of their own help and can be had: a law is steep, and none raises along the field, for which G has
/// no formula.
bool irz_flux_serves(const IrzMedium *medium, const IrzLaw *const *laws);

IrzCode irz_flux_create(const IrzMedium *medium, IrzFlux *flux, IrzError *error);

/// Begin with sigma(E) E.
/// @param[in] node  [nodes of the part] potential, V
void irz_flux_start(const IrzFluxTask *task, const double *node, IrzFlux *flux);

/// J <- J + T (E - G(J)) for the field E of a new potential, turned into the field's direction and kept between what
/// the law's least and largest conductivity let flow: that keeps steps from leading astray, and is no change at the
/// solution. Local.
/// @param[in] node  [nodes of the part] potential, V
/// @return integral of |E - G(J)|^2 J / E before, W: how far field and current were from the law; of the tetrahedra of
///         this rank
double irz_flux_follow(const IrzFluxTask *task, const double *node, IrzFlux *flux);

/// J + T (E - G(J)) and T at one point of a law that does not raise along the field.
/// @param[in]  memory    without a rise
/// @param[in]  flux      [3] J
/// @param[in]  bound     see IrzFlux
/// @param[in]  gradient  [3] E
/// @param[out] current   [3]
/// @param[out] tangent   [6] T
/// @return |E - G(J)|^2 J / E, W/m^3
double irz_flux_point(const IrzLaw *law, const IrzLawMemory *memory, const double flux[3], double bound,
                      const double gradient[3], double current[3], double tangent[6]);

/// J of a point of a tetrahedron.
static inline const double *irz_flux_at(const IrzMedium *medium, const IrzFlux *flux, int32_t tet, int q) {
  int32_t general = medium->general[tet] - 1;
  return general >= 0 ? flux->general[(size_t)medium->first_point[general] + (size_t)q]
                      : flux->fast[4 * (size_t)tet + (size_t)q];
}

void irz_flux_free(IrzFlux *flux);

#endif
