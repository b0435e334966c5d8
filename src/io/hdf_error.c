#include "io/hdf_error.h"
#include <stdio.h>
#include <string.h>

IrzHdfSilence irz_hdf_silence(void) {
  IrzHdfSilence before = {NULL, NULL};
  H5Eget_auto2(H5E_DEFAULT, &before.print, &before.data);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  return before;
}

void irz_hdf_restore(IrzHdfSilence before) {
  H5Eset_auto2(H5E_DEFAULT, before.print, before.data);
}

/// Where the walk along the error stack leaves what it finds.
typedef struct {
  char *text;
  size_t size;
  int from_system;
} Reason;

/// The innermost entry is visited last and is the most specific one; an entry quoting errno beats all.
static herr_t visit(unsigned depth, const H5E_error2_t *entry, void *data) {
  (void)depth;
  Reason *reason = data;
  if (entry->desc == NULL || reason->from_system) return 0;
  static const char quote[] = "error message = '";
  const char *message = strstr(entry->desc, quote);
  if (message != NULL) {
    message += sizeof quote - 1;
    size_t length = strcspn(message, "'");
    snprintf(reason->text, reason->size, "%.*s", (int)length, message);
    reason->from_system = 1;
  } else {
    snprintf(reason->text, reason->size, "%s", entry->desc);
  }
  return 0;
}

void irz_hdf_reason(char *text, size_t size) {
  Reason reason = {text, size, 0};
  snprintf(text, size, "HDF5 failed");
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, visit, &reason);
}
