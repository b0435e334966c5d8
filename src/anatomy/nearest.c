/* The voxel of a region that is nearest to something; see nearest.h. */
#include "anatomy/nearest.h"
#include "anatomy/voxel.h"
#include <math.h>
#include <string.h>

/// A block of the map's pyramid; level -1: a voxel.
typedef struct {
  int at[3];
  double distance; ///< m, of its middle
} Block;

/// How far the centres of a block's voxels are from its middle at most, over its edge in voxels less one, m.
static double half_diagonal(const IrzLabelMap *map) {
  double most = 0;
  for (int c = 0; c < 4; c++) {
    double square = 0;
    for (int d = 0; d < 3; d++) {
      const double *row = map->to_world[d];
      double side = row[0] + (c & 1 ? -row[1] : row[1]) + (c & 2 ? -row[2] : row[2]);
      square += side * side;
    }
    most = fmax(most, square);
  }
  return 0.5 * sqrt(most) * (1 + 1e-9);
}

/// Look at a block.
/// @return whether it may hold a voxel of the region that is nearer than what was found
static bool look(const IrzNearest *search, double half, int level, Block *block) {
  const IrzLabelMap *map = search->map;
  const int *n = level < 0 ? map->size : map->blocks[level], *at = block->at;
  const uint8_t *value = level < 0 ? map->region : map->block[level];
  uint8_t region = value[((size_t)at[2] * (size_t)n[1] + (size_t)at[1]) * (size_t)n[0] + (size_t)at[0]];
  if (region != search->region && !(level >= 0 && region == IRZ_LABEL_MIXED)) return false;
  double edge = level < 0 ? 1 : 1 << (level + 1), middle[3], x[3];
  for (int d = 0; d < 3; d++) middle[d] = edge * at[d] + 0.5 * (edge - 1);
  irz_voxel_place(map->to_world[0], middle, x);
  block->distance = search->distance(search->to, x);
  return block->distance - (edge - 1) * half < search->nearest;
}

/// Search a block that look() has let pass.
/// @param[in] sorted  the nearer of its parts come first, else those that are first in the map
static void search_block(IrzNearest *search, double half, bool sorted, int level, const Block *block) {
  const IrzLabelMap *map = search->map;
  if (level < 0) {
    search->nearest = block->distance;
    memcpy(search->voxel, block->at, sizeof search->voxel);
    return;
  }
  const int *below = level == 0 ? map->size : map->blocks[level - 1], *at = block->at;
  Block part[8];
  int n = 0;
  for (int c = 0; c < 8; c++) {
    Block here = {.at = {2 * at[0] + (c & 1), 2 * at[1] + (c >> 1 & 1), 2 * at[2] + (c >> 2)}};
    if (here.at[0] >= below[0] || here.at[1] >= below[1] || here.at[2] >= below[2]) continue;
    if (!look(search, half, level - 1, &here)) continue;
    int k = n++;
    for (; sorted && k > 0 && part[k - 1].distance > here.distance; k--) part[k] = part[k - 1];
    part[k] = here;
  }
  const double reach = level == 0 ? 0 : ((1 << level) - 1) * half;
  for (int k = 0; k < n; k++) {
    if (part[k].distance - reach < search->nearest) search_block(search, half, sorted, level - 1, &part[k]);
  }
}

void irz_nearest_search(IrzNearest *search) {
  const double half = half_diagonal(search->map), before = search->nearest;
  const int top = search->map->n_levels - 1;
  Block all = {.at = {0, 0, 0}};
  if (!look(search, half, top, &all)) return;
  search_block(search, half, true, top, &all);
  if (!(search->nearest < before)) return;
  /* Of voxels that are as near the first one of the map, whatever the order was. */
  search->nearest = nextafter(search->nearest, INFINITY);
  search_block(search, half, false, top, &all);
}
