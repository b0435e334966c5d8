/* Volumes inside tetrahedra that a surface cuts: what the zone and survival have in common. */
#ifndef IREZONE_ZONE_CUT_H
#define IREZONE_ZONE_CUT_H

#include "field/medium.h"
#include "zone/nodal.h"

enum { IRZ_LATTICE_POINTS = 35, IRZ_LATTICE_CELLS = 64 };

/// Smaller tetrahedra of equal volume in a tetrahedron, and the points between which they lie.
typedef struct {
  int n_points, n_cells;
  double l[IRZ_LATTICE_POINTS][4]; ///< barycentric coordinates
  int cell[IRZ_LATTICE_CELLS][4];  ///< corners, indices into `l`
} IrzLattice;

/// Cut in eight, `depth` times: 1 or 2.
void irz_lattice_make(int depth, IrzLattice *lattice);

/// A tetrahedron at work, and the element-wise fields of all pulses in it.
typedef struct {
  const IrzMedium *medium;
  int order; ///< of the potentials
  int n_pulses;
  double *const *potential;       ///< [n_pulses] each [nodes of the part], V
  double (*corner)[4][IRZ_ROW];   ///< [n_pulses] of order 2, V/m: gradients at the corners if straight; if curved, what
                                  ///< they would be with the map's derivative at the centre; owned
  double (*slope)[4][3][IRZ_ROW]; ///< [n_pulses] of irz_bent_corners() if curved; owned
  int32_t tet;
  const int32_t *node; ///< [10]
  bool bent;
  double bend;     ///< if curved, how far the map's derivative is from that at the centre, relative
  double x[10][3]; ///< m; the four corners if straight
  double volume;   ///< m^3
} IrzCell;

/// Make a cell; its memory is released with irz_cell_clear().
IrzCode irz_cell_init(IrzCell *cell, const IrzMedium *medium, int order, int n_pulses, double *const *potential,
                      IrzError *error);

void irz_cell_clear(IrzCell *cell);

/// Turn to a tetrahedron.
/// @param[in] curved  its index among the curved ones, or -1
void irz_cell_move(IrzCell *cell, int32_t tet, int32_t curved);

/// Element-wise |E| of a pulse, V/m.
double irz_cell_field(const IrzCell *cell, int pulse, const double l[4]);

/// Bounds on the element-wise |E| of a pulse, of order 2. In a straight tetrahedron the gradient is linear, so |E| is
/// largest at a corner, and nowhere less than the least part of a corner's gradient along their mean. In a curved one
/// E = (I + D)^-1 F with a linear F = IrzCell.corner and |D| at most IrzCell.bend, so |E| is between |F| / (1 + bend)
/// and |F| / (1 - bend).
void irz_cell_bounds(const IrzCell *cell, int pulse, double *low, double *high);

/// The lattice's points and tetrahedra in a cell.
typedef struct {
  double x[IRZ_LATTICE_POINTS][3];  ///< m
  double volume[IRZ_LATTICE_CELLS]; ///< m^3; flat ones, scaled so that they add up to the cell's
} IrzPlaced;

/// Put the lattice into the tetrahedron.
void irz_cell_place(const IrzCell *cell, const IrzLattice *lattice, IrzPlaced *placed);

/// A scalar at a point of a tetrahedron.
typedef double (*IrzScalarAt)(void *context, const double l[4]);

/// Volume in which a scalar reaches a level: each tetrahedron of the lattice is cut by a plane.
/// @param[in] placed  the lattice in the tetrahedron
/// @param[in] value   [lattice->n_points] of the scalar
/// @param[in] at      the scalar anywhere, with its context, if it is not linear between the points: |E| is convex, so
///                    its linear interpolant is too high and the volume too large; in tetrahedra that are cut it is
///                    lowered by its mean excess. NULL: linear
double irz_cut_volume(const IrzLattice *lattice, const IrzPlaced *placed, const double *value, double level,
                      IrzScalarAt at, void *context);

/// Share of a tetrahedron in which a linear function, given at its corners, is not negative.
double irz_cut_fraction(const double f[4]);

/// Widen a box by a point.
static inline void irz_box_grow(double box[2][3], const double x[3]) {
  for (int d = 0; d < 3; d++) {
    box[0][d] = x[d] < box[0][d] ? x[d] : box[0][d];
    box[1][d] = x[d] > box[1][d] ? x[d] : box[1][d];
  }
}

#endif
