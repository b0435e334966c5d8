/* The summary as a tree of JSON. */
#ifndef IREZONE_RESULTS_JSON_H
#define IREZONE_RESULTS_JSON_H

#include <irezone/result.h>
#include <jansson.h>

/// The summary as a tree, which irz_summary_json() writes; json_decref() it. NULL if there is no memory.
json_t *irz_summary_object(const IrzSummary *summary);

#endif
