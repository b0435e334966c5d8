/* Paths into a summary: names joined by dots, `[2]` for the third entry of a list. An entry of a list of maps can also
   be named by what identifies it: a region, a probe's name, a threshold, as in zone.by_threshold.400.volume_cm3. */
#ifndef IREZONE_RESULTS_PATH_H
#define IREZONE_RESULTS_PATH_H

#include <irezone/result.h>
#include <jansson.h>

/// Longest path that is followed.
#define IRZ_RESULT_PATH_MAX 256

/// The number that a path leads to. A number, true or false, null (NaN), or a list of one of these is one.
/// @param[in]  root    the summary, of irz_summary_object()
/// @param[out] number  NaN also if there is none
/// @return whether there is a number
bool irz_result_find(const json_t *root, const char *path, double *number);

/// Whether a summary of this shape can have a number: a list that is empty in it may have entries in another.
bool irz_result_can_have(const json_t *shape, const char *path);

/// Why a path leads to no number, and what was probably meant, in one line.
/// @param[in] where  begins the line, as in "sweep.yaml:3: columns: "
/// @return IRZ_ERR_PLAN, or IRZ_ERR_MEMORY
IrzCode irz_result_explain(const json_t *root, const char *path, const char *where, IrzError *error);

#endif
