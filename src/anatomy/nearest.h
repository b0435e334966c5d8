/* The voxel of a region that is nearest to something. */
#ifndef IREZONE_ANATOMY_NEAREST_H
#define IREZONE_ANATOMY_NEAREST_H

#include <irezone/anatomy.h>

/// A search. What is found stays there for the next one, which looks for something nearer.
typedef struct {
  const IrzLabelMap *map;
  int region;
  double (*distance)(const void *to, const double x[3]); ///< m, of a point; changes by no more than the point moves
  const void *to;
  double nearest; ///< m, of the centre of the nearest voxel so far; INFINITY at first
  int voxel[3];
} IrzNearest;

/// Search the pyramid of the map, of which what is too far away is left out.
void irz_nearest_search(IrzNearest *search);

#endif
