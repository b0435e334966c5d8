/* When which pair fires: packets of pulses, pauses in between, pairs one after another, cooling. */
#ifndef IREZONE_HEAT_TIMELINE_H
#define IREZONE_HEAT_TIMELINE_H

#include "plan/plan.h"

/// A stretch of time in which the same is heated.
typedef struct {
  double start, end; ///< s
  int pulse;         ///< which entry of the plan's pulses fires, or -1: none
  int last_pulse;    ///< the entry that fired last; equal to `pulse` while one fires
  double duty;       ///< share of the time in which there is voltage; 0 in pauses
} IrzSegment;

/// Lay out a treatment. A pulse occupies one period of its rate, so n pulses take n / rate.
/// @param[in]  plan      plan with heat
/// @param[out] count     number of segments
/// @param[out] segments  [count], to be released with free(); no segment is empty
IrzCode irz_timeline_create(const IrzPlan *plan, int *count, IrzSegment **segments, IrzError *error);

#endif
