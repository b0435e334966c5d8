/* The field as programs draw it, and the surface of the zone in it. */
#ifndef IREZONE_ZONE_DRAWN_H
#define IREZONE_ZONE_DRAWN_H

#include "zone/volume.h"
#include <math.h>

/// Values and places of the points with which a result is written.
///
/// ParaView, like most programs, takes a quadratic tetrahedron for eight flat ones between its ten points and
/// interpolates linearly in each. The measured field bends inside them: |E| is convex along most lines, and it has a
/// kink where the conductivity's slope jumps. Cut at a threshold, its own values at the points would make a zone that
/// is some per cent too large, or at a kink too small. So a point in the middle of a straight edge that crosses such a
/// kink is moved to the kink, which linear pieces can follow then; and the values are changed, by one growing function
/// of the field for all points, such that the volume above every level is that of the measured field. That function is
/// found from samples in all small tetrahedra. At order 1 it turns means at nodes into a field that has the volumes of
/// irz_linear_volume().
typedef struct {
  const IrzSides *sides; ///< of the task that it was made for; NULL: rows are nodes
  double *field;         ///< [rows] V/m
  double *place; ///< [n_edges] where an edge's point lies between the edge's two vertices: 0.5, or for a straight edge
                 ///< that crosses a kink the share of the way; NULL: all in the middle
} IrzDrawn;

/// Corners of the eight small tetrahedra, of the three ways to cut the middle in four.
extern const int irz_drawn_children[3][8][4];

/// The way in which VTK, and so ParaView, cuts a tetrahedron: along the diagonal on which the values differ least.
/// @param[in] value  [rows]
/// @param[in] row    [10] of the tetrahedron
static inline int irz_drawn_way(const double *value, const int32_t *row) {
  double a = fabs(value[row[5]] - value[row[8]]), b = fabs(value[row[4]] - value[row[9]]),
         c = fabs(value[row[6]] - value[row[7]]);
  return a <= b && a <= c ? 0 : b <= c ? 1 : 2;
}

/// The levels between which the drawn field has the right volumes, V/m: those of all thresholds, and of the fields that
/// ablate by irreversible electroporation, 350 to 700 V/cm.
/// @param[in]  threshold  [n_regions] V/m
/// @param[in]  also       [n_also] V/m
void irz_drawn_levels(int n_regions, const double *threshold, int n_also, const double *also, double levels[2]);

/// Make the drawn field. What is there is made anew. Collective.
/// @param[in] task  what was measured: the same fields, thresholds and laws
IrzCode irz_drawn_make(const IrzZoneTask *task, IrzDrawn *drawn, IrzError *error);

void irz_drawn_clear(IrzDrawn *drawn);

/// Positions of the ten points of a tetrahedron as drawn.
/// @param[in]  curved  its index among the curved ones, or -1
/// @param[out] x       m
/// @return whether a point is not where irz_part_nodes() has it
bool irz_drawn_points(const IrzPart *part, const IrzDrawn *drawn, int32_t tet, int32_t curved, double x[10][3]);

/// A quantity of order 2 at the point of an edge of a tetrahedron.
/// @param[in] value  [rows]
/// @param[in] node   [10] of the tetrahedron, and
/// @param[in] row    [10] its rows
/// @param[in] e      the edge
static inline double irz_drawn_on_edge(const IrzPart *part, const IrzDrawn *drawn, const double *value,
                                       const int32_t *node, const int32_t *row, int e) {
  int32_t edge = node[4 + e] - part->n_vertices;
  double s = drawn->place != NULL ? drawn->place[edge] : 0.5;
  if (s == 0.5) return value[row[4 + e]];
  int a = irz_edge_vertices[e][0], b = irz_edge_vertices[e][1];
  if (node[a] != part->edge[2 * (size_t)edge]) s = 1 - s;
  return value[row[a]] * (1 - s) * (1 - 2 * s) + value[row[b]] * s * (2 * s - 1) + 4 * value[row[4 + e]] * s * (1 - s);
}

/// A quantity of order 2 at the point of a node.
/// @param[in] node  [nodes of the part] its values
/// @param[in] i     the node
static inline double irz_drawn_value(const IrzPart *part, const IrzDrawn *drawn, const double *node, int32_t i) {
  int32_t edge = i - part->n_vertices;
  if (edge < 0 || drawn->place == NULL || drawn->place[edge] == 0.5) return node[i];
  double s = drawn->place[edge], a = node[part->edge[2 * (size_t)edge]], b = node[part->edge[2 * (size_t)edge + 1]];
  return a * (1 - s) * (1 - 2 * s) + b * s * (2 * s - 1) + 4 * node[i] * s * (1 - s);
}

#endif
