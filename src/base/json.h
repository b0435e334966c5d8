/* JSON without memory: jansson's functions drop what does not fit, and most callers would not notice. */
#ifndef IREZONE_BASE_JSON_H
#define IREZONE_BASE_JSON_H

#include <stdbool.h>

/// Begin to watch jansson's allocations.
void irz_json_watch(void);

/// End it.
/// @return whether all allocations since irz_json_watch() have succeeded
bool irz_json_watched(void);

#endif
