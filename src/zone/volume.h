/* Volume of the zone, integrated inside the tetrahedra that its surface cuts. */
#ifndef IREZONE_ZONE_VOLUME_H
#define IREZONE_ZONE_VOLUME_H

#include "zone/sides.h"

/// How far the volume of the recovered field is off, against its difference from that of the element-wise field, which
/// is worse. On 8 unstructured meshes of concentric spheres with 400 to 4000 tetrahedra, ten laws, two voltages and 14
/// thresholds, against exact solutions, it was 0.21 in the median and 0.55 at 95 % where the difference was more than
/// five times the scatter: at kinks and steep places of the law (181 volumes). Where the element-wise field is
/// measured, all of the difference counts.
#define IRZ_RECOVERED_SHARE 0.5

/// The same in tetrahedra that touch an interface, where means are those of one side. On meshes of three tissues
/// between concentric spheres, one or two layers of tetrahedra each and contrasts from 2 to 100, errors were 0.5 to 2
/// times the difference.
#define IRZ_BETWEEN_SHARE 2

/// Volume at order 1, half-way between those of the recovered and of the element-wise field. Means at nodes smear a
/// field that falls off with distance, and their zone is too small; the element-wise field is as much too large as the
/// power is. Two needles on straight meshes of 44 thousand tetrahedra: 9.4 % too small, 7.6 % too large.
static inline double irz_linear_volume(double recovered, double element) {
  return 0.5 * (recovered + element);
}

/// What to measure.
typedef struct {
  const IrzMedium *medium;
  const IrzSides *sides; ///< NULL: rows are nodes
  int order;             ///< of the potentials
  int n_pulses;
  int n_threads;
  double *const *potential;  ///< [n_pulses] each [nodes of the part], V
  const double *recovered;   ///< [rows] |E|, V/m
  const double *plain;       ///< [rows] |E| of irz_recover(), V/m, to compare with; used with `along` only
  const double *along;       ///< [rows] of irz_sharpen(); order 2 only. NULL: nothing is smooth
  const IrzLaw *const *laws; ///< [n_regions]; order 2 only
  const double *threshold;   ///< [n_regions] V/m, of each region
  int n_also;
  const double *also; ///< [n_also] V/m, for every region
} IrzZoneTask;

/// Volume above one threshold, and what an error estimate needs. m^3.
typedef struct {
  double volume; ///< with the recovered field; where that is not smooth with the element-wise one; at order 1 with both
  double off;    ///< how far that is off at the surface, with its sign, from the difference of the two fields
  double scatter; ///< root of the sum of the squared differences in each tetrahedron
  double slope;   ///< volume lost where the current density along grad |E| is lower by 1, relative: -dV / d ln(|E|
                  ///< sigma^w) with w of irz_sharpen(); -dV / d ln(threshold) where nothing is smooth
  double smear;   ///< with its sign, how much the element-wise field's volume loses by means at the nodes, in each
                  ///< tetrahedron times irz_damping() at the surface; 0 where nothing is smooth
} IrzVolume;

/// Numbers in an IrzVolume, to be added up over ranks.
enum { IRZ_VOLUME_SUMS = sizeof(IrzVolume) / sizeof(double) };

/// What was measured; the same on all ranks.
typedef struct {
  IrzVolume zone;
  IrzVolume also[IRZ_MAX_ALSO];
  double *region_volume;     ///< [n_regions] m^3, owned by the caller
  IrzVolume *region_ablated; ///< [n_regions] of the zone in each
} IrzZoneMeasure;

/// Measure. Collective. In a tetrahedron that the zone's surface cuts the field is taken on a lattice of eight smaller
/// tetrahedra, each cut by a plane; where a label map's boundary runs through it, each quadrature point stands for its
/// share.
IrzCode irz_zone_measure(const IrzZoneTask *task, IrzZoneMeasure *measure, IrzError *error);

#endif
