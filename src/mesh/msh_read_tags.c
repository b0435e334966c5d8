/* Tags to indices. */
#include "base/memory.h"
#include "mesh/msh_read.h"
#include <stdlib.h>

/// Where a tag is, or belongs, in a hashed map. There is always a free place.
static int64_t tag_place(const IrzTagMap *map, int64_t tag) {
  uint64_t mixed = (uint64_t)tag * UINT64_C(0x9e3779b97f4a7c15);
  int64_t place = (int64_t)((mixed ^ mixed >> 32) & (uint64_t)(map->capacity - 1));
  while (map->value[place] >= 0 && map->key[place] != tag) place = (place + 1) & (map->capacity - 1);
  return place;
}

/// Give a hashed map so many places, a power of two, and put what it holds into them.
static IrzCode tags_rehash(IrzTagMap *map, int64_t capacity, IrzError *error) {
  IrzTagMap wider = {.capacity = capacity, .used = map->used};
  IRZ_TRY(irz_alloc(&wider.key, (size_t)capacity, sizeof *wider.key, error));
  IrzCode code = irz_alloc(&wider.value, (size_t)capacity, sizeof *wider.value, error);
  if (code != IRZ_OK) {
    free(wider.key);
    return code;
  }
  for (int64_t i = 0; i < capacity; i++) wider.value[i] = -1;
  for (int64_t i = 0; i < map->capacity; i++) {
    if (map->value[i] < 0) continue;
    int64_t place = tag_place(&wider, map->key[i]);
    wider.key[place] = map->key[i];
    wider.value[place] = map->value[i];
  }
  irz_tags_clear(map);
  *map = wider;
  return IRZ_OK;
}

IrzCode irz_tags_add(IrzTagMap *map, int64_t tag, int32_t value, IrzError *error) {
  if (2 * (map->used + 1) > map->capacity) {
    IRZ_TRY(tags_rehash(map, map->capacity > 0 ? 2 * map->capacity : 16, error));
  }
  int64_t place = tag_place(map, tag);
  if (map->value[place] >= 0) return IRZ_OK;
  map->key[place] = tag;
  map->value[place] = value;
  map->used++;
  return IRZ_OK;
}

int32_t irz_tags_find_hashed(const IrzTagMap *map, int64_t tag) {
  return map->value[tag_place(map, tag)];
}

IrzCode irz_tags_build(int32_t count, const int64_t *tag, IrzTagMap *map, int32_t *duplicate, IrzError *error) {
  *map = (IrzTagMap){0};
  *duplicate = -1;
  if (count == 0) return IRZ_OK;
  int64_t smallest = tag[0], largest = tag[0];
  bool in_order = true;
  for (int32_t i = 1; i < count; i++) {
    if (tag[i] < smallest) smallest = tag[i];
    if (tag[i] > largest) largest = tag[i];
    in_order = in_order && tag[i] == tag[0] + i;
  }
  map->first = smallest;
  if (in_order) {
    map->length = count;
    return IRZ_OK;
  }
  if (largest - smallest < 8 * (int64_t)count + 1024) {
    map->length = largest - smallest + 1;
    IRZ_TRY(irz_alloc(&map->dense, (size_t)map->length, sizeof *map->dense, error));
    for (int64_t i = 0; i < map->length; i++) map->dense[i] = -1;
    for (int32_t i = 0; i < count; i++) {
      int32_t *place = &map->dense[tag[i] - smallest];
      if (*place >= 0 && *duplicate < 0) *duplicate = i;
      *place = i;
    }
    return IRZ_OK;
  }
  int64_t capacity = 16;
  while (capacity < 2 * (int64_t)count + 2) capacity *= 2;
  IRZ_TRY(tags_rehash(map, capacity, error));
  for (int32_t i = 0; i < count; i++) {
    int64_t place = tag_place(map, tag[i]);
    if (map->value[place] >= 0) {
      if (*duplicate < 0) *duplicate = i;
      continue;
    }
    map->key[place] = tag[i];
    map->value[place] = i;
    map->used++;
  }
  return IRZ_OK;
}

void irz_tags_clear(IrzTagMap *map) {
  free(map->dense);
  free(map->key);
  free(map->value);
  *map = (IrzTagMap){0};
}
