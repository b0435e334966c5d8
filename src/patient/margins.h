/* Margins on a surface, by area. */
#ifndef IREZONE_PATIENT_MARGINS_H
#define IREZONE_PATIENT_MARGINS_H

#include "patient/tree.h"
#include <irezone/patient.h>

/// Depths of the points of a surface in a zone.
/// @param[in]  zone   its surface, without what closes it along needles
/// @param[out] depth  [surface->n_points] m, positive inside; to be released with free()
IrzCode irz_margins_depths(const IrzSurface *surface, const IrzTree *zone, int threads, double **depth,
                           IrzError *error);

/// Measure margins, which are linear in each triangle between its corners.
/// @param[in]  depth    [surface->n_points] m; -infinity: there is no zone
/// @param[in]  keep     [surface->n_triangles] 0: the triangle is left out; NULL: none is
/// @param[in]  wanted   m
/// @param[out] margins  all but `error`; NaN where there is nothing to measure
IrzCode irz_margins_measure(const IrzSurface *surface, const double *depth, const uint8_t *keep, double wanted,
                            IrzMargins *margins, IrzError *error);

/// Margins of which nothing is known.
IrzMargins irz_margins_none(void);

/// Area of a surface, m^2.
double irz_surface_area(const IrzSurface *surface);

#endif
