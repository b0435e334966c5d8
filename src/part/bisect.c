/* Recursive bisection; see bisect.h. */
#include "part/bisect.h"
#include "base/memory.h"
#include <stdbool.h>
#include <stdlib.h>

/// A point on the axis of a cut.
typedef struct {
  double x;
  int32_t point;
} Item;

/// Points have an order also where coordinates are equal.
static inline bool before(Item a, Item b) {
  return a.x != b.x ? a.x < b.x : a.point < b.point;
}

static inline void swap(Item *a, Item *b) {
  Item c = *a;
  *a = *b;
  *b = c;
}

/// Order items so that the first of them weigh about as much as wanted and come before the others; quickselect.
/// @return how many those are, from 1 to n - 1
static int32_t divide(Item *item, int32_t n, const int32_t *weight, double wanted) {
  int32_t low = 0, high = n;
  while (high - low > 1) { /* the pivot has at least one item before it and stays behind: both sides get shorter */
    Item *first = &item[low], *middle = &item[low + (high - low) / 2], *last = &item[high - 1];
    if (before(*middle, *first)) swap(middle, first);
    if (before(*last, *middle)) swap(last, middle);
    if (before(*middle, *first)) swap(middle, first);
    Item pivot = *middle;
    double left = 0;
    int32_t split = low;
    for (int32_t k = low; k < high; k++) {
      if (!before(item[k], pivot)) continue;
      left += weight[item[k].point];
      swap(&item[k], &item[split++]);
    }
    if (left > wanted) {
      high = split;
    } else {
      low = split;
      wanted -= left;
    }
  }
  /* The last one falls to the side that it fits better. */
  int32_t count = low + (low < n && wanted > 0.5 * weight[item[low].point]);
  return count < 1 ? 1 : count > n - 1 ? n - 1 : count;
}

/// The axis along which points spread most.
static int widest_axis(const Item *item, int32_t n, const double *x, const int32_t *weight) {
  double sum[3] = {0}, square[3] = {0}, total = 0;
  for (int32_t k = 0; k < n; k++) {
    double w = weight[item[k].point];
    total += w;
    for (int d = 0; d < 3; d++) {
      double at = x[3 * (size_t)item[k].point + (size_t)d] - x[3 * (size_t)item[0].point + (size_t)d];
      sum[d] += w * at;
      square[d] += w * at * at;
    }
  }
  int widest = 0;
  double spread[3];
  for (int d = 0; d < 3; d++) spread[d] = square[d] - sum[d] * sum[d] / total;
  for (int d = 1; d < 3; d++) {
    if (spread[d] > spread[widest]) widest = d;
  }
  return widest;
}

IrzCode irz_bisect(int32_t n, const double *x, const int32_t *weight, int parts, int *part, IrzError *error) {
  /* Pieces still to be cut: items [start, end) are for the ranks [first, last). */
  typedef struct {
    int32_t start, end;
    int first, last;
  } Piece;
  enum { DEPTH = 64 };
  Piece stack[DEPTH];
  Item *item = NULL;
  int waiting = 1;
  IRZ_TRY(irz_alloc(&item, (size_t)n, sizeof *item, error));
  for (int32_t k = 0; k < n; k++) item[k].point = k;
  stack[0] = (Piece){0, n, 0, parts};
  while (waiting > 0) {
    Piece piece = stack[--waiting];
    int32_t count = piece.end - piece.start;
    Item *own = item + piece.start;
    if (piece.last - piece.first == 1 || count < 2) {
      for (int32_t k = 0; k < count; k++) part[own[k].point] = piece.first;
      continue;
    }
    int axis = widest_axis(own, count, x, weight), middle = (piece.first + piece.last) / 2;
    double total = 0;
    for (int32_t k = 0; k < count; k++) {
      own[k].x = x[3 * (size_t)own[k].point + (size_t)axis];
      total += weight[own[k].point];
    }
    int32_t cut =
        piece.start + divide(own, count, weight, total * (middle - piece.first) / (double)(piece.last - piece.first));
    /* The depth of the stack is that of the recursion, log2(parts): the larger half waits at most once a level. */
    stack[waiting++] = (Piece){piece.start, cut, piece.first, middle};
    stack[waiting++] = (Piece){cut, piece.end, middle, piece.last};
  }
  free(item);
  return IRZ_OK;
}
