/* Sorted lists of pairs of vertices: edges by their ends. */
#ifndef IREZONE_PART_PAIRS_H
#define IREZONE_PART_PAIRS_H

#include <stdint.h>
#include <stdlib.h>

/// For qsort() and bsearch(); also of what begins with a pair.
static inline int irz_compare_pairs(const void *a, const void *b) {
  const int32_t *p = a, *q = b;
  if (p[0] != q[0]) return p[0] < q[0] ? -1 : 1;
  return p[1] < q[1] ? -1 : p[1] > q[1];
}

/// Index of the sorted pair (a, b) in a sorted list, or -1.
static inline int32_t irz_find_pair(const int32_t *list, int32_t count, int32_t a, int32_t b) {
  int32_t key[2] = {a < b ? a : b, a < b ? b : a};
  const int32_t *hit = count > 0 ? bsearch(key, list, (size_t)count, 2 * sizeof *list, irz_compare_pairs) : NULL;
  return hit != NULL ? (int32_t)((hit - list) / 2) : -1;
}

#endif
