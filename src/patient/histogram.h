/* Volumes of regions above levels of the field. */
#ifndef IREZONE_PATIENT_HISTOGRAM_H
#define IREZONE_PATIENT_HISTOGRAM_H

#include "zone/drawn.h"

/// What volume of some regions has a field of at least some levels.
typedef struct {
  int n_levels, n_regions;
  double *level;  ///< [n_levels] V/m, growing
  double *volume; ///< [n_regions][n_levels] m^3; zeros for regions that were not asked for
  double *total;  ///< [n_regions] m^3
} IrzHistogram;

/// Measure in one pass for all levels: between the levels of irz_drawn_levels() the field as it is drawn, which has the
/// volumes of the measured one there, and in tetrahedra beyond these the measured one itself. Collective.
/// @param[in]  measured  [rows of `drawn`] V/m
/// @param[in]  range     of irz_drawn_levels()
/// @param[in]  wanted    [n_regions of the medium] 1: this region
/// @param[in]  n_levels  levels, growing
/// @param[in]  level     [n_levels] V/m
/// @param[out] made      the same on all ranks; to be released with irz_histogram_clear()
IrzCode irz_histogram_make(const IrzMedium *medium, int threads, const IrzDrawn *drawn, const double *measured,
                           const double range[2], const uint8_t *wanted, int n_levels, const double *level,
                           IrzHistogram *made, IrzError *error);

void irz_histogram_clear(IrzHistogram *histogram);

/// Volume of a region above a level, m^3; between levels interpolated.
double irz_histogram_above(const IrzHistogram *histogram, int region, double level);

/// The field that a volume of a region reaches, V/m; NaN if the region has no volume.
/// @param[in] volume  m^3
double irz_histogram_field(const IrzHistogram *histogram, int region, double volume);

#endif
