/* The field at the nodes with the kinks that a conductivity law gives it. */
#ifndef IREZONE_ZONE_SHARPEN_H
#define IREZONE_ZONE_SHARPEN_H

#include "zone/sides.h"

/// In place of w at a node beside a tetrahedron with several regions inside, where E jumps and means say little.
#define IRZ_NOT_SMOOTH (-1)

/// What to recover, and where it matters.
typedef struct {
  const IrzMedium *medium;   ///< regions and curved tetrahedra
  const IrzSides *sides;     ///< rows of the nodes
  const IrzLaw *const *laws; ///< [n_regions] conductivities
  int n_pulses;              ///< number of potentials
  const IrzTeam *team;       ///< threads, of the medium's part
  double *const *potential;  ///< [n_pulses] each [nodes of the part], of order 2, V
  const double *recovered;   ///< [rows] |E| from means of E alone, V/m
  const double *threshold;   ///< [n_regions] V/m, of each region
  int n_also;
  const double *also; ///< [n_also] V/m, for every region
  double levels[2];   ///< V/m, all thresholds from the first to the second matter, too; both 0: none
  bool everywhere;    ///< every node matters: thresholds are not looked at
} IrzSharpenTask;

/// Recover |E| from quantities that have no kink.
///
/// Across a surface of constant |E| with the unit normal n the tangential part of E has a continuous slope (no curl),
/// and so has the normal part of the current density D (no source). |E| itself has a kink there if the law has one, and
/// bends over less than an element where the law is steep; means of E over the tetrahedra around a node smear that. So
/// E and D are averaged, and E gets the normal part that makes that of D right. Means of element-wise values at nodes
/// are off by the curvature of the truth, which the change of the slopes from node to node tells; that is taken away
/// first. Where tissues meet each has means of its own. Beside a tetrahedron with several regions inside |E| is that of
/// the mean E.
///
/// For interpolation: if D is parallel to E and w = (E.n)^2 / |E|^2, the slope of |E| along n times
/// 1 + w |E| sigma' / sigma is continuous, so |E| sigma(|E|)^w has no kink where w varies little. Collective.
/// @param[out]    field      [rows] largest |E| over the pulses, V/m; that of task->recovered at nodes whose tetrahedra
///                           are far from every threshold
/// @param[out]    along      [rows] w of the pulse with the largest, 0 at those other nodes, or IRZ_NOT_SMOOTH
IrzCode irz_sharpen(const IrzSharpenTask *task, double *field, double *along, IrzError *error);

/// The quantity without a kink: |E| sigma(|E|)^w.
/// @param[in] field  |E|, V/m
double irz_kinkless(const IrzLaw *law, double along, double field);

/// The field whose irz_kinkless() is `wanted`, which grows with the field, V/m.
/// @param[in] low, high  fields between which it is looked for first, V/m
double irz_kinkless_field(const IrzLaw *law, double along, double wanted, double low, double high);

/// The field in a tetrahedron of order 2 without its kinks.
typedef struct {
  const IrzLaw *law;
  double along;     ///< mean of the nodes
  double value[10]; ///< irz_kinkless() at the nodes
} IrzKinkless;

/// Find it.
/// @param[in]  node   [10] rows of the tetrahedron
/// @param[in]  field  [rows] of irz_sharpen(), V/m
/// @param[in]  along  [rows] of irz_sharpen(); NULL: nothing is smooth
/// @return whether the field is smooth in the tetrahedron; if not, `value` is the field itself
bool irz_kinkless_make(const IrzLaw *law, const int32_t *node, const double *field, const double *along,
                       IrzKinkless *kinkless);

/// Relative change of |E| for one of the current density along the direction in which |E| falls: |E| sigma^w follows
/// the current density, so |E| changes by 1 / (1 + w |E| sigma' / sigma) times as much. Where the law is steep more
/// current hardly moves a surface of constant |E|.
/// @param[in] field  |E|, V/m, positive
/// @param[in] step   relative, upwards from the field, over which the mean is taken
double irz_damping(const IrzLaw *law, double along, double field, double step);

/// A quantity of order 2 at a point, from its values at the ten nodes.
/// @param[in] l  barycentric coordinates
static inline double irz_quadratic(const double value[10], const double l[4]) {
  double sum = 0;
  for (int i = 0; i < 4; i++) sum += l[i] * (2 * l[i] - 1) * value[i];
  for (int e = 0; e < 6; e++) sum += 4 * l[irz_edge_vertices[e][0]] * l[irz_edge_vertices[e][1]] * value[4 + e];
  return sum;
}

#endif
