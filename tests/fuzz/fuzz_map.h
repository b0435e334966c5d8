/* What fuzzers of label maps do with a file. */
#ifndef IREZONE_TESTS_FUZZ_MAP_H
#define IREZONE_TESTS_FUZZ_MAP_H

#include "fuzz.h"
#include <irezone/anatomy.h>

/// Read a label map with a plan, and look up a few points in it.
/// @param[in] map  the plan's `anatomy.map`, of tumour, vessel and bone
static inline void fuzz_map(const char *path, const char *map) {
  char text[2048];
  snprintf(
      text, sizeof text,
      "name: fuzz\n"
      "array: {count: 2, spacing: 15, exposure: 20}\n"
      "anatomy: {labels: %s, map: %s}\n"
      "tissues: {default: {preset: liver}, tumour: {preset: liver}, vessel: {preset: liver}, bone: {preset: liver}}\n"
      "pulses: [{from: A, to: B, voltage: 2000}]\n",
      path, map);
  IrzPlan *plan = NULL;
  IrzLabelMap *labels = NULL;
  IrzError error = {0};
  fuzz_require(irz_plan_parse(text, "fuzz.yaml", 0, NULL, &plan, &error) == IRZ_OK);
  IrzCode code = irz_label_map_read(plan, &labels, &error);
  fuzz_require((code == IRZ_OK) == (labels != NULL));
  if (code != IRZ_OK) fuzz_require_error(code, &error);
  for (int i = 0; labels != NULL && i < 27; i++) {
    const double x[3] = {0.01 * (i % 3 - 1), 0.01 * (i / 3 % 3 - 1), 0.01 * (i / 9 - 1)};
    int region = irz_label_map_region(labels, x);
    fuzz_require(region >= 0 && region < labels->n_regions);
  }
  irz_label_map_free(labels);
  irz_plan_free(plan);
}

#endif
