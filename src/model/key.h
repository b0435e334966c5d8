/* What of a plan decides its meshes, as bytes that can be compared. */
#ifndef IREZONE_MODEL_KEY_H
#define IREZONE_MODEL_KEY_H

#include "plan/plan.h"
#include <stddef.h>
#include <stdint.h>

/// What plans with equal keys have in common.
typedef enum {
  IRZ_KEY_MESH,    ///< meshes, element order, anatomy and idle probes: one model serves them
  IRZ_KEY_START,   ///< these, the pairs that fire and the regions that tissues name: one can start from the other
  IRZ_KEY_SESSION, ///< meshes as above, the regions that tissues name, and the files as they are now: all that was
                   ///< found out about files and meshes holds
  IRZ_KEY_ANATOMY  ///< of all this what a label map depends on, and the plan's file, which messages name
} IrzKeyKind;

typedef struct {
  char *bytes;
  size_t size;
} IrzKey;

/// Find a key of a plan. For the last two kinds it looks at the files.
/// @param[out] key  to be released with irz_key_clear()
IrzCode irz_key_make(const IrzPlan *plan, IrzKeyKind kind, IrzKey *key, IrzError *error);

bool irz_key_equal(const IrzKey *a, const IrzKey *b);

/// FNV-1a of a key's bytes.
uint64_t irz_key_hash(const IrzKey *key);

void irz_key_clear(IrzKey *key);

#endif
