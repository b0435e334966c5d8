/* The way in and out; see entry.h. */
#define _GNU_SOURCE /* uselocale, PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP */
#include "base/entry.h"
#include <omp.h>
#include <pthread.h>
#include <stddef.h>

/// What a thread has of the host while it is inside.
typedef struct {
  int depth;       ///< public functions that it is in
  int locks;       ///< times that it has locked the door
  locale_t locale; ///< of the host
  fenv_t arithmetic;
} Inside;

static _Thread_local Inside inside;
static pthread_mutex_t door = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

locale_t irz_c_locale(void) {
  static _Thread_local locale_t locale = (locale_t)0;
  /* glibc has one C locale and hands it out; nothing is allocated. */
  if (locale == (locale_t)0) locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  return locale;
}

IrzEntry irz_enter(IrzError *error, bool alone) {
  IrzEntry entry = {.before = uselocale(irz_c_locale()), .depth = inside.depth, .locks = inside.locks};
  fegetenv(&entry.arithmetic);
  entry.opens = alone && !omp_in_parallel(); /* OpenMP's threads come in with their master */
  if (entry.opens) {
    pthread_mutex_lock(&door);
    inside.locks++;
  }
  if (inside.depth++ > 0) return entry;
  inside.locale = entry.before;
  inside.arithmetic = entry.arithmetic;
  fesetenv(FE_DFL_ENV);
  if (error != NULL) {
    error->code = IRZ_OK;
    error->text[0] = '\0';
  }
  return entry;
}

IrzEntry irz_step_out(void) {
  IrzEntry entry = {.before = uselocale(inside.locale), .depth = inside.depth, .locks = inside.locks};
  fegetenv(&entry.arithmetic);
  if (inside.depth > 0) fesetenv(&inside.arithmetic);
  for (; inside.locks > 0; inside.locks--) pthread_mutex_unlock(&door);
  inside.depth = 0;
  return entry;
}

void irz_leave(const IrzEntry *entry) {
  for (; inside.locks < entry->locks; inside.locks++) pthread_mutex_lock(&door); /* back from the host */
  if (entry->opens) {
    inside.locks--;
    pthread_mutex_unlock(&door);
  }
  fesetenv(&entry->arithmetic);
  uselocale(entry->before);
  inside.depth = entry->depth;
}
