/// @file
/// How the needles of a plan lie to one another.
#ifndef IREZONE_PAIRS_H
#define IREZONE_PAIRS_H

#include <irezone/plan.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define IRZ_MAX_PAIRS (IRZ_MAX_PROBES * (IRZ_MAX_PROBES - 1) / 2) ///< pairs of probes in a plan

/// Two probes that have places in the plan. Lengths in m, along straight lines between points of the axes.
typedef struct {
  char from[IRZ_NAME_MAX], to[IRZ_NAME_MAX]; ///< as the pair fires; as listed in the plan if it does not
  double tip;                                ///< between the tips
  double middle;       ///< between the middles of the bare metal: what a plan's pulses state as `field` counts this
  double top;          ///< between the ends of the bare metal towards the handles
  double least;        ///< least distance of the two pieces of bare metal, axis to axis
  double angle;        ///< between the directions from tip to handle, 0 to pi
  double depth_offset; ///< how much deeper one tip lies than the other, along the mean of the two directions (if they
                       ///< run against each other, along that of `from`); not negative
  double clearance;    ///< least distance between the walls of the two needles as far as their shafts are known; NaN:
                       ///< both electrodes are on one needle
  double voltage;      ///< V, the largest that the pair fires with; NaN: it does not fire
} IrzPair;

/// All pairs of needles' electrodes: first those that fire, in this order, then the others.
typedef struct {
  int n;
  IrzPair pair[IRZ_MAX_PAIRS];
} IrzPairs;

/// Find them. Plates, and probes of loaded meshes that state no place, are in none.
/// Needles are looked at for
/// `clearance` as far as they can be used (`patient.needles.length`), else to the wall of a generated box, else their
/// bare metal.
/// @param[out] pairs  voltages are those of the plan
IRZ_API void irz_pairs_find(const IrzPlan *plan, IrzPairs *pairs);

/// Warn a plan with `patient` of distances beyond what is published, each with its source. (Of angles, depths and long
/// distances every plan is warned when it is read.)
IRZ_API void irz_pairs_doubt(IrzPlan *plan, const IrzPairs *pairs);

/// Print a table, or nothing if there are no pairs.
IRZ_API void irz_pairs_print(const IrzPairs *pairs, FILE *out);

#ifdef __cplusplus
}
#endif
#endif
