/* The same mesh from the same plan, whatever the process has done before and whichever thread asks.
 *
 * Gmsh hands the points of the boundary to HXT in the order of their addresses, and that order decides between equally
 * good triangulations (points on a box and on cylinders are full of ties). Addresses increase, as the points are made,
 * if no block of memory that was freed earlier is used again: so the holes in the heap of this thread are filled while
 * the points are made, but for one that has room for all of them. Where the C library is not glibc nothing is done;
 * meshes are then as good, but may differ from one time to the next.
 *
 * Whatever stays allocated after a mesh was made so lies above the holes and keeps them from shrinking away: their
 * pages are returned to the system after each mesh. */
#include "mesh/generate.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#if defined(__GLIBC__) && !defined(IRZ_SANITIZED)

/// A block that fills a hole.
typedef struct Filler {
  struct Filler *next;
} Filler;

static Filler *fillers; ///< in small holes
static Filler *room;    ///< one run of blocks, where the points will be

enum {
  LARGEST = 64 << 10, ///< bytes of a block; the C library asks the system for those of 128 kB or more
  SMALL = 1 << 10,    ///< below this every size of a block has its own list of free ones
  STEP = 16,          ///< from one such size to the next
  IN_A_ROW = 16       ///< blocks side by side that come from no hole: the C library keeps up to 7 apart from each other
};

/// Take a block and put it into a list.
/// @return whether it lies right behind the one taken before
static bool take(size_t size, Filler **list) {
  Filler *block = malloc(size);
  if (block == NULL) return true; /* there is no memory: no end would be found */
  bool behind = *list != NULL && (uintptr_t)block - (uintptr_t)*list == malloc_usable_size(*list) + sizeof(size_t);
  block->next = *list;
  *list = block;
  return behind;
}

/// Take blocks of a size until so many came side by side: then no hole is left that has room for one, as there were
/// none that had room for more than two.
/// @param[in] unused  bytes of all holes: no more are looked for, should another library allocate in another way
static void take_holes(size_t size, size_t unused) {
  Filler *list = NULL;
  size_t most = unused / size + 4 * IN_A_ROW;
  for (int in_a_row = 0; in_a_row < IN_A_ROW && most > 0; most--) in_a_row = take(size, &list) ? in_a_row + 1 : 0;
  while (list != NULL) {
    Filler *next = list->next;
    list->next = fillers;
    fillers = list;
    list = next;
  }
}

/// Take all large holes, and then a run of blocks with so many bytes, which is kept apart.
/// @param[in] unused  bytes of all holes
static void take_room(size_t bytes, size_t unused) {
  size_t count = bytes / LARGEST + 1, in_a_row = 0, holes = unused / LARGEST + 1;
  for (size_t taken = 0; taken < holes || (in_a_row < count && taken < holes + 8 * count); taken++) {
    if (take(LARGEST, &room)) {
      in_a_row++;
      continue;
    }
    /* What was taken before does not belong to the run. */
    while (room != NULL && room->next != NULL) {
      Filler *earlier = room->next;
      room->next = earlier->next;
      earlier->next = fillers;
      fillers = earlier;
    }
    in_a_row = 0;
  }
}

static void release(Filler **list) {
  while (*list != NULL) {
    Filler *next = (*list)->next;
    free(*list);
    *list = next;
  }
}

void irz_heap_fill(size_t bytes) {
  size_t unused = mallinfo2().fordblks; /* in all heaps of the process */
  take_room(bytes, unused);
  for (size_t size = LARGEST; size >= STEP; size = size > SMALL ? size / 2 : size - STEP) take_holes(size, unused);
  release(&room);
}

void irz_heap_release(void) {
  release(&fillers);
}

/// Byte that the C library fills new blocks with the complement of; 0: none. It does not tell: a block is looked at
/// that is so large that it is always fresh from the system, and zero unless it is filled.
static int perturbation(void) {
  const size_t large = 33 << 20;
  unsigned char *volatile block = malloc(large); /* volatile: the compiler knows that nobody has filled it */
  if (block == NULL) return 0;
  unsigned char byte = block[large / 2];
  free(block);
  return byte == 0 ? 0 : byte ^ 0xff;
}

static int perturbation_before;

void irz_heap_clear_new(bool on) {
  if (on) perturbation_before = perturbation();
  mallopt(M_PERTURB, on ? 0xff : perturbation_before);
}

void irz_heap_trim(void) {
  malloc_trim(0);
}

#else

void irz_heap_fill(size_t bytes) {
  (void)bytes;
}

void irz_heap_release(void) {
}

void irz_heap_clear_new(bool on) {
  (void)on;
}

void irz_heap_trim(void) {
}

#endif
