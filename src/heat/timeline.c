/* The treatment's timeline; see timeline.h. */
#include "heat/timeline.h"
#include "base/memory.h"

/// Append a segment of some length; none if it is empty.
static void append(IrzSegment *segments, int *count, double length, int pulse, int last_pulse, double duty) {
  double start = *count > 0 ? segments[*count - 1].end : 0;
  if (!(length > 0)) return;
  segments[(*count)++] = (IrzSegment){start, start + length, pulse, last_pulse, duty};
}

IrzCode irz_timeline_create(const IrzPlan *plan, int *count, IrzSegment **segments, IrzError *error) {
  const IrzHeatPlan *heat = &plan->heat;
  size_t most = 1;
  for (int i = 0; i < plan->n_pulses; i++) most += 2 * ((size_t)(plan->pulses[i].count - 1) / (size_t)heat->packet + 1);
  *count = 0;
  IRZ_TRY(irz_alloc(segments, most, sizeof **segments, error));
  for (int i = 0; i < plan->n_pulses; i++) {
    const IrzPulse *pulse = &plan->pulses[i];
    double rate = heat->heart_rate > 0 ? heat->heart_rate : pulse->rate;
    for (int fired = 0; fired < pulse->count; fired += heat->packet) {
      int left = pulse->count - fired, n = left < heat->packet ? left : heat->packet;
      append(*segments, count, n / rate, i, i, pulse->width * rate);
      bool more = left > n;
      if (more) append(*segments, count, heat->recharge, -1, i, 0);
    }
    append(*segments, count, i + 1 < plan->n_pulses ? heat->gap : heat->cooling, -1, i, 0);
  }
  return IRZ_OK;
}
