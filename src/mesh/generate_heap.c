/* The same mesh from the same plan, whatever the process has done before.
 *
 * Gmsh hands the points of the boundary to HXT in the order of their addresses, and that order decides between equally
 * good triangulations (points on a box and on cylinders are full of ties). Addresses repeat, relative to each other, if
 * no block of memory that was freed earlier is used again: so the holes in the heap are filled while Gmsh runs. Where
 * the C library is not glibc nothing is done; meshes are then as good, but may differ from one time to the next.
 *
 * Whatever stays allocated after a mesh was made so lies above the holes and keeps them from shrinking away: their
 * pages are returned to the system after each mesh. */
#include "mesh/generate.h"

#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#include <unistd.h>
#endif

/// A block that fills a hole.
typedef struct Filler {
  struct Filler *next;
} Filler;

static Filler *fillers;

void irz_heap_fill(void) {
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
  /* Blocks below `top` come from holes; above, from the heap's untouched end or from the system. */
  const char *top = (const char *)sbrk(0) - mallinfo2().keepcost;
  for (size_t size = 1 << 24; size >= 16; size = size > 1024 ? size / 2 : size - 16) {
    for (;;) {
      Filler *block = malloc(size);
      if (block == NULL) break;
      if ((const char *)block >= top) {
        free(block);
        break;
      }
      block->next = fillers;
      fillers = block;
    }
  }
#endif
}

void irz_heap_release(void) {
  while (fillers != NULL) {
    Filler *next = fillers->next;
    free(fillers);
    fillers = next;
  }
}

void irz_heap_trim(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}
