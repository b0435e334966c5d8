/* The field with which the volume of a zone is measured, at points. */
#ifndef IREZONE_QUERY_MEASURED_H
#define IREZONE_QUERY_MEASURED_H

#include "field/medium.h"
#include "zone/sharpen.h"

/// What the field is made of. All borrowed.
typedef struct {
  const IrzMedium *medium;
  const IrzSides *sides;    ///< rows of the nodes
  int order;                ///< of the potentials
  int n_pulses;             ///< potentials whose largest field counts
  double *const *potential; ///< [n_pulses] each [nodes of the part], V
  const double *drawn;      ///< [rows] the field as it is drawn, V/m
  const double *sharp;      ///< [rows] of irz_sharpen(), V/m; order 2 only
  const double *along;      ///< [rows] of irz_sharpen(); NULL: it was not measured with that
  const IrzLaw *law;        ///< [regions of the medium]
} IrzMeasured;

/// A tetrahedron that points are looked at in.
typedef struct {
  double node[10][3]; ///< m
  bool bent;
  bool smooth; ///< the recovered field is what is measured
  IrzKinkless kinkless;
  double largest; ///< V/m, the largest of `sharp` at the nodes
} IrzMeasuredCell;

/// Turn to a tetrahedron.
/// @param[in] curved  its index among the curved ones, or -1
void irz_measured_move(const IrzMeasured *measured, int32_t tet, int32_t curved, IrzMeasuredCell *cell);

/// Find out what is measured in it; before the two functions below.
void irz_measured_make(const IrzMeasured *measured, int32_t tet, IrzMeasuredCell *cell);

/// Whether the field reaches a threshold, V/m, at barycentric coordinates. At order 1, where volumes are half-way
/// between two fields, the drawn one counts.
bool irz_measured_reaches(const IrzMeasured *measured, int32_t tet, IrzMeasuredCell *cell, const double l[4],
                          double threshold);

/// The field there, V/m: it reaches what irz_measured_reaches() says, up to rounding.
double irz_measured_field(const IrzMeasured *measured, int32_t tet, IrzMeasuredCell *cell, const double l[4]);

#endif
