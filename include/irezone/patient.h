/// @file
/// What a treatment comes to for the patient: what is covered of what was to be ablated, and with what margin.
#ifndef IREZONE_PATIENT_H
#define IREZONE_PATIENT_H

#include <irezone/plan.h>

#ifdef __cplusplus
extern "C" {
#endif

#define IRZ_MARGIN_BINS 60 ///< of a histogram of margins, 1 mm each: from -30 to 30 mm
#define IRZ_SHELLS 10      ///< around a target, each 1 mm wider
#define IRZ_COVERAGES 4    ///< levels at which coverage is given

/// Share of a target whose field reaches a level.
typedef struct {
  double threshold; ///< V/m
  double coverage;  ///< 0 to 1
} IrzCoverage;

/// Share of a target's surface with a margin.
typedef struct {
  double from, to; ///< m; what is beyond the first and the last bin is counted in them
  double area;     ///< share, 0 to 1
} IrzMarginBin;

/// Margins on the surface of a target by area: how far inside the zone each point of it is, negative outside. NaN where
/// there is no zone or no surface.
typedef struct {
  double least;        ///< m
  double at[3];        ///< m, where that is
  double error;        ///< m, estimated; negative: not estimated
  double p1, p5, p50;  ///< m; 1, 5 and 50 % of the surface have less
  double below_0;      ///< share of the surface outside the zone
  double from_0_to_5;  ///< with less than 5 mm
  double from_5;       ///< with 5 mm or more
  double below_wanted; ///< with less than what the plan wants
  double excluded;     ///< share of the whole surface that is left out, near the organ's border
  int n_bins;
  IrzMarginBin bin[IRZ_MARGIN_BINS]; ///< [n_bins]
} IrzMargins;

/// What is around a target up to a distance.
typedef struct {
  double distance; ///< m
  double volume;   ///< m^3, around the target, in its organ if one is stated
  double ablated;  ///< share of that in the zone; NaN if there is nothing
} IrzShell;

/// A region that is to be ablated.
typedef struct {
  char region[IRZ_NAME_MAX];
  char organ[IRZ_NAME_MAX]; ///< or ""
  double wanted;            ///< m, margin that the plan wants
  double threshold;         ///< V/m, that applies to it
  double volume;            ///< m^3, of it in the tissue box, without needles
  double covered;           ///< m^3, of the zone in it
  double covered_error;     ///< m^3, estimated; negative: not estimated
  double coverage;          ///< 0 to 1; NaN if it has no volume in the box
  int n_coverages;
  IrzCoverage coverage_at[IRZ_COVERAGES]; ///< [n_coverages] growing
  double missed;                          ///< m^3
  double missed_largest;                  ///< m^3, its largest piece
  double missed_at[3];        ///< m, in this piece the place that is farthest from the zone; NaN: nothing is missed
  double e98, e95, e50, e2;   ///< V/m, that 98, 95, 50 and 2 % of its volume reach
  double surface;             ///< m^2, of its surface
  IrzMargins margins;         ///< all over its surface
  IrzMargins off_capsule;     ///< without the surface within 5 mm of the organ's border
  IrzShell shell[IRZ_SHELLS]; ///< 1 to 10 mm
  double paddick;             ///< covered^2 / (target zone), 0 to 1
  double selectivity;         ///< covered / zone, 0 to 1
  double healthy;             ///< m^3, of the zone outside all targets
  double sphere_radius;       ///< m, of the largest sphere inside the zone; NaN without a zone
  double sphere_center[3];    ///< m
  double treatable_diameter;  ///< m, of the largest spherical target that the zone covers with the wanted margin
} IrzTarget;

/// What is next to the surface of a structure: elements on both sides that touch it.
typedef struct {
  double field;   ///< V/m, largest on the surface, on either side
  double hottest; ///< C, highest temperature on the surface, ever; NaN without `heat`
  double damaged; ///< share of the volume of these elements whose Arrhenius integral reached 1; NaN without `heat`
} IrzWall;

/// A region that is to be spared.
typedef struct {
  char region[IRZ_NAME_MAX];
  double threshold;     ///< V/m, that applies to it
  double volume;        ///< m^3, of it in the tissue box, without needles
  double ablated;       ///< m^3, of the zone in it
  double ablated_error; ///< m^3, estimated; negative: not estimated
  double to_metal;      ///< m, from its surface to the nearest bare metal; 0: touched; NaN: no needle has a place
  double to_zone;       ///< m, to the zone; 0: touched; NaN: there is no zone
  double largest;       ///< V/m, largest field in it
  double e2;            ///< V/m, that 2 % of its volume reach
  double e_cubic;       ///< V/m, that 0.1 cm^3 of it reach; NaN: it is smaller
  double limit;         ///< V/m, that the plan allows; NaN: none
  double above_limit;   ///< m^3, of it where the field reaches that; NaN: none
  bool limit_kept;      ///< `largest` is not above it
  double hottest;       ///< C, highest temperature in it, ever; NaN without `heat`, as the next two
  double above_50;      ///< m^3, of it that reached 50 C
  double damaged;       ///< m^3, of it whose Arrhenius integral reached 1
  IrzWall wall;
} IrzAtRisk;

#define IRZ_MAX_DICE 21 ///< thresholds at which zones are compared

/// Overlap at a threshold.
typedef struct {
  double threshold; ///< V/m
  double dice;      ///< 0 to 1
} IrzDiceAt;

/// The computed zone against a measured one.
typedef struct {
  double computed, measured; ///< m^3
  double dice;               ///< twice what both have, over the sum of both; needles, which have no field, left out
  double hausdorff95;        ///< m: 95 % of the surface of either is no further than this from that of the other
  double mean_distance;      ///< m, mean of these distances by area
  double voxel;              ///< m, cube root of a voxel of the grid that overlaps were counted on
  double best_threshold;     ///< V/m, one for all regions, with which the overlap is largest; to 5 V/cm
  double best_dice;
  IrzDiceAt by_threshold[IRZ_MAX_DICE]; ///< 200 to 1200 V/cm
} IrzComparison;

/// What a plan's `patient` asks for.
typedef struct {
  int n_targets;
  IrzTarget *targets; ///< [n_targets], owned
  int n_at_risk;
  IrzAtRisk *at_risk;     ///< [n_at_risk], owned
  IrzComparison *compare; ///< NULL without `patient.compare`; owned
  int n_levels, n_curves;
  double *level;               ///< [n_levels] V/m, of a field-volume histogram, growing; owned
  char (*curve)[IRZ_NAME_MAX]; ///< [n_curves] its regions: targets, then those at risk; owned
  double *fraction;            ///< [n_curves][n_levels] share of the region with at least this field; NaN: it has no
                               ///< volume; owned
} IrzPatient;

/// Read the label map of a plan's `patient.compare`, if it has one, to see that it can be.
/// @return IRZ_OK, IRZ_ERR_PLAN (the label does not occur), IRZ_ERR_INPUT or IRZ_ERR_MEMORY
IRZ_API IrzCode irz_compare_check(const IrzPlan *plan, IrzError *error);

/// Free what a plan's `patient` has come to; NULL is allowed.
IRZ_API void irz_patient_free(IrzPatient *patient);

#ifdef __cplusplus
}
#endif
#endif
