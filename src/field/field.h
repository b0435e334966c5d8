/* The nonlinear electric field: potentials that satisfy div(sigma(|E|) grad phi) = 0 with given electrodes. */
#ifndef IREZONE_FIELD_FIELD_H
#define IREZONE_FIELD_FIELD_H

#include "field/medium.h"
#include "field/points.h"
#include "matrix/space.h"
#include <irezone/law.h>

typedef struct IrzField IrzField;

/// One problem on a field's mesh.
typedef struct {
  const IrzLaw *const *laws;        ///< [regions of the medium]
  const IrzPoints *floor;           ///< conductivity falls nowhere below this, S/m; NULL: no floor
  const double *scale;              ///< [n_tets] factor on the conductivity of each tetrahedron; NULL: 1
  bool fixed[IRZ_MAX_PROBES];       ///< the electrode's potential is given
  double potential[IRZ_MAX_PROBES]; ///< V, where fixed
  const double
      *load; ///< [n_owned] right-hand side, A (source times test function); NULL: none. For manufactured solutions
  bool keep_fixed;  ///< take the values at fixed unknowns from the start instead of `potential`
  double tolerance; ///< stop when the error of the algebra, in the energy norm, is this small against the solution; 0:
                    ///< 1e-8
} IrzProblem;

/// How a solve went.
typedef struct {
  int newton, linear;               ///< steps of order 2 (of order 1 if that is the order asked for)
  int start_newton, start_linear;   ///< steps at order 1 that made the start
  double power;                     ///< W, u . r(u): dissipated by the field
  double current[IRZ_MAX_PROBES];   ///< A, from each electrode into the tissue
  double potential[IRZ_MAX_PROBES]; ///< V, of each electrode; NaN if its nodes are not one unknown
  double remaining;                 ///< estimated error of the algebra, energy norm, relative
} IrzReport;

/// Number the unknowns and find the matrices' patterns. Collective.
/// @param[in] order  1 or 2
/// @param[in] merged each electrode is one unknown: an electrode without a given potential floats
IrzCode irz_field_create(const IrzPart *part, const IrzMedium *medium, int order, bool merged, int n_threads,
                         IrzField **field, IrzError *error);

/// The space of the solution.
const IrzSpace *irz_field_space(const IrzField *field);

/// Solve. Collective.
/// @param[in]     problem  the problem
/// @param[in]     started  `u` holds a guess; false: what it holds beside fixed potentials does not count
/// @param[in,out] u        [n_local] potential, V
/// @param[out]    report   how it went
/// @return IRZ_OK, or IRZ_ERR_SOLVER with what happened
IrzCode irz_field_solve(IrzField *field, const IrzProblem *problem, bool started, double *u, IrzReport *report,
                        IrzError *error);

/// Build the coarse preconditioner anew at the next solve, so that it does not depend on earlier ones.
void irz_field_forget(IrzField *field);

/// Free everything but the space of the solution: matrices and preconditioners are most of a model. Collective.
/// irz_field_solve() must not be called any more.
void irz_field_release(IrzField *field);

void irz_field_free(IrzField *field);

#endif
