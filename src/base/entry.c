#define _GNU_SOURCE /* uselocale */
#include "base/entry.h"
#include <stddef.h>

static _Thread_local int inside;    /* public functions that the thread is in */
static _Thread_local locale_t host; /* its locale outside */

locale_t irz_c_locale(void) {
  static _Thread_local locale_t locale = (locale_t)0;
  /* glibc has one C locale and hands it out; nothing is allocated. */
  if (locale == (locale_t)0) locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  return locale;
}

IrzEntry irz_enter(IrzError *error) {
  IrzEntry entry = {.before = uselocale(irz_c_locale()), .depth = inside};
  if (inside++ > 0) return entry;
  host = entry.before;
  if (error != NULL) {
    error->code = IRZ_OK;
    error->text[0] = '\0';
  }
  return entry;
}

IrzEntry irz_step_out(void) {
  IrzEntry entry = {.before = uselocale(host), .depth = inside};
  inside = 0;
  return entry;
}

void irz_leave(const IrzEntry *entry) {
  uselocale(entry->before);
  inside = entry->depth;
}
