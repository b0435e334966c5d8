/* Where needles and plates lie: their box, their distances, and every rule on where they may be. Reading a plan and
   generating its mesh follow the same rules, these. Lengths in m. */
#ifndef IREZONE_PLAN_GEOMETRY_H
#define IREZONE_PLAN_GEOMETRY_H

#include "plan/plan.h"

/// Midpoint of a probe's bare tip; of a plate, the middle of the face towards the other.
void irz_probe_middle(const IrzProbe *probe, double middle[3]);

/// Corners of the tissue box of a generated mesh; plates that clamp the tissue are not considered.
void irz_plan_box(const IrzPlan *plan, double lower[3], double upper[3]);

/// Entry of the plan's list that a probe comes from: needles with several electrodes are one entry.
int irz_probe_entry(const IrzPlan *plan, int probe);

/// Two unit vectors across an axis; (u, v, axis) is right-handed.
void irz_axis_frame(const double axis[3], double u[3], double v[3]);

/// Distance from a point inside a box to its wall along a direction.
/// @param[in]  axis  unit vector
/// @param[out] face  2 k + (upper ? 1 : 0) of the face that is met, across the axis k; may be NULL
double irz_box_exit(const double lower[3], const double upper[3], const double point[3], const double axis[3],
                    int *face);

/// The smallest and the largest distance from the plane of a needle's tip to the box along the lines of its wall.
void irz_wall_exits(const double lower[3], const double upper[3], const double tip[3], const double axis[3],
                    double radius, double *least, double *most);

/// Least distance of two segments p + s u (0 <= s <= a) and q + t v (0 <= t <= b), with unit vectors u and v.
double irz_segment_distance(const double p[3], const double u[3], double a, const double q[3], const double v[3],
                            double b);

/// What is wrong with where a probe lies.
typedef struct {
  int probe;       ///< index in the plan's probes
  const char *key; ///< of its entry: "tip", "exposure", "direction" or "name"; of plates "plates"
  char text[IRZ_ERROR_TEXT];
} IrzPlacementFault;

/// Whether a mesh can be generated around the probes of a plan, by every rule on where they may be: box, margins,
/// gaps, the angle at which needles leave the box, positions of a pull-back, plates, lengths of names.
/// @param[out] fault  the first rule that is broken
/// @return true if all are kept
bool irz_placement_allowed(const IrzPlan *plan, IrzPlacementFault *fault);

#endif
