#include "base/json.h"
#include <jansson.h>
#include <stddef.h>

static json_malloc_t allocate;
static json_free_t release;
static bool lacking;

static void *watched(size_t size) {
  void *block = allocate(size);
  if (block == NULL) lacking = true;
  return block;
}

void irz_json_watch(void) {
  json_get_alloc_funcs(&allocate, &release);
  json_set_alloc_funcs(watched, release);
  lacking = false;
}

bool irz_json_watched(void) {
  json_set_alloc_funcs(allocate, release);
  return !lacking;
}
