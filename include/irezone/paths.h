/// @file
/// What needles pass: how far each runs in each region of a label map.
#ifndef IREZONE_PATHS_H
#define IREZONE_PATHS_H

#include <irezone/plan.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/// How far the needles of a plan run in each region.
typedef struct {
  int n_probes;                 ///< the plan's
  int n_regions;                ///< the map's, `default` first; one more column: outside the image
  char (*region)[IRZ_NAME_MAX]; ///< [n_regions + 1] names of the columns
  int n_positions;              ///< of a pull-back, the first among them; 1 without
  double *metal;                ///< [n_positions][n_probes][n_regions + 1] m of each electrode's bare metal
  double *shaft; ///< [n_positions][n_probes][n_regions + 1] m of the rest of each needle as far as the wall of a
                 ///< generated box, in the row of its first electrode
} IrzPaths;

/// Print one line for each electrode and position: millimetres of its metal, and of its needle's shaft, per region.
IRZ_API void irz_paths_print(const IrzPaths *paths, const IrzPlan *plan, FILE *out);

/// Free; NULL is allowed.
IRZ_API void irz_paths_free(IrzPaths *paths);

#ifdef __cplusplus
}
#endif
#endif
