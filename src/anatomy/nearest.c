/* The voxel of a region that is nearest to something; see nearest.h. */
#include "anatomy/nearest.h"
#include <string.h>

/// Search a block of the map's pyramid; level -1: a voxel.
static void search_block(IrzNearest *search, int level, const int at[3]) {
  const IrzLabelMap *map = search->map;
  const int *n = level < 0 ? map->size : map->blocks[level];
  const uint8_t *value = level < 0 ? map->region : map->block[level];
  uint8_t region = value[((size_t)at[2] * (size_t)n[1] + (size_t)at[1]) * (size_t)n[0] + (size_t)at[0]];
  if (region != search->region && !(level >= 0 && region == IRZ_LABEL_MIXED)) return;
  double edge = level < 0 ? 1 : 1 << (level + 1), middle[3], x[3];
  for (int d = 0; d < 3; d++) middle[d] = edge * at[d] + 0.5 * (edge - 1);
  irz_voxel_place(map, middle, x);
  double distance = search->distance(search->to, x);
  double reach = 0.5 * (edge - 1) * (map->spacing[0] + map->spacing[1] + map->spacing[2]);
  if (distance - reach >= search->nearest) return;
  if (level < 0) {
    search->nearest = distance;
    memcpy(search->voxel, at, sizeof search->voxel);
    return;
  }
  const int *below = level == 0 ? map->size : map->blocks[level - 1];
  for (int c = 0; c < 8; c++) {
    const int child[3] = {2 * at[0] + (c & 1), 2 * at[1] + (c >> 1 & 1), 2 * at[2] + (c >> 2)};
    if (child[0] < below[0] && child[1] < below[1] && child[2] < below[2]) search_block(search, level - 1, child);
  }
}

void irz_nearest_search(IrzNearest *search) {
  const int top[3] = {0, 0, 0};
  search_block(search, search->map->n_levels - 1, top);
}
