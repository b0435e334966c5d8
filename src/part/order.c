/* Morton order; see order.h. */
#include "part/order.h"
#include "base/memory.h"
#include "base/threads.h"
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/// Spread 21 bits so that two zero bits follow each.
static uint64_t spread(uint64_t x) {
  x &= 0x1fffff;
  x = (x | x << 32) & 0x1f00000000ffff;
  x = (x | x << 16) & 0x1f0000ff0000ff;
  x = (x | x << 8) & 0x100f00f00f00f00f;
  x = (x | x << 4) & 0x10c30c30c30c30c3;
  x = (x | x << 2) & 0x1249249249249249;
  return x;
}

/// Sort by the upper three digits of so many bits; stable. Each thread takes a run of items and knows how many the
/// others have before its own, so that the order does not depend on how many threads there are.
/// @param[in,out] items  [count]
/// @param[in,out] spare  [count]; holds the sorted items on return
static IrzCode radix_sort(uint64_t *items, uint64_t *spare, int32_t count, int digit, IrzError *error) {
  int n_runs = omp_get_max_threads();
  const size_t values = (size_t)1 << digit;
  int32_t *start = NULL;
  IRZ_TRY(irz_alloc_unset(&start, (size_t)n_runs * values, sizeof *start, error));
  for (int pass = 0; pass < 3; pass++) {
    const int shift = 64 - (3 - pass) * digit;
#pragma omp parallel for num_threads(irz_threads(n_runs)) schedule(static, 1)
    for (int r = 0; r < n_runs; r++) {
      int32_t *own = start + (size_t)r * values;
      memset(own, 0, values * sizeof *own);
      for (int64_t i = (int64_t)count * r / n_runs; i < (int64_t)count * (r + 1) / n_runs; i++) {
        own[items[i] >> shift & (values - 1)]++;
      }
    }
    int32_t before = 0;
    for (size_t v = 0; v < values; v++) {
      for (int r = 0; r < n_runs; r++) {
        int32_t here = start[(size_t)r * values + v];
        start[(size_t)r * values + v] = before;
        before += here;
      }
    }
#pragma omp parallel for num_threads(irz_threads(n_runs)) schedule(static, 1)
    for (int r = 0; r < n_runs; r++) {
      int32_t *own = start + (size_t)r * values;
      for (int64_t i = (int64_t)count * r / n_runs; i < (int64_t)count * (r + 1) / n_runs; i++) {
        spare[own[items[i] >> shift & (values - 1)]++] = items[i];
      }
    }
    uint64_t *sorted = spare;
    spare = items;
    items = sorted;
  }
  free(start);
  return IRZ_OK;
}

/// How one axis is mapped to the cells of the curve: from `low` to the middle one, and from there to `high`, linearly.
typedef struct {
  double low, middle, high;
  double spread; ///< distance of the quartiles
  int place;     ///< of its bit among the three of a level; 2 is the highest
} Axis;

/// Coordinate of a tetrahedron's centroid.
static double centroid(const IrzMesh *mesh, int32_t tet, int d) {
  const int32_t *v = mesh->tet + 4 * (size_t)tet;
  double sum = 0;
  for (int i = 0; i < 4; i++) sum += 0.25 * mesh->xyz[3 * (size_t)v[i] + (size_t)d];
  return sum;
}

static int compare_double(const void *a, const void *b) {
  const double *p = a, *q = b;
  return (*p > *q) - (*p < *q);
}

/// Lay the curve out so that its halves lie on both sides of the median plane across the axis along which the
/// tetrahedra spread most, and so on: threads that share the tetrahedra along the curve have few neighbours in common.
/// Medians are those of a sample.
static void lay_axes(const IrzMesh *mesh, Axis axis[3]) {
  enum { SAMPLE = 4096 };
  double sample[SAMPLE];
  int32_t count = mesh->n_tets < SAMPLE ? mesh->n_tets : SAMPLE;
  for (int d = 0; d < 3; d++) {
    axis[d] = (Axis){.low = INFINITY, .high = -INFINITY};
    for (int32_t v = 0; v < mesh->n_vertices; v++) {
      double x = mesh->xyz[3 * (size_t)v + (size_t)d];
      axis[d].low = x < axis[d].low ? x : axis[d].low;
      axis[d].high = x > axis[d].high ? x : axis[d].high;
    }
    for (int32_t k = 0; k < count; k++) sample[k] = centroid(mesh, (int32_t)((int64_t)mesh->n_tets * k / count), d);
    qsort(sample, (size_t)count, sizeof *sample, compare_double);
    axis[d].middle = sample[count / 2];
    axis[d].spread = sample[3 * count / 4] - sample[count / 4];
    for (int e = 0; e < d; e++) {
      bool wider = axis[d].spread > axis[e].spread;
      axis[wider ? d : e].place++;
    }
  }
}

/// Cell along an axis, of 2 to the power `bits`.
static uint64_t cell_of(const Axis *axis, double x, int bits) {
  double half = (double)(1 << (bits - 1));
  double from = x < axis->middle ? axis->low : axis->middle, to = x < axis->middle ? axis->middle : axis->high;
  double share = to > from ? (x - from) / (to - from) : 0;
  return (uint64_t)fmin((x < axis->middle ? 0 : half) + half * share, 2 * half - 1);
}

IrzCode irz_curve_order(const IrzMesh *mesh, int32_t **order, IrzError *error) {
  const int32_t n = mesh->n_tets;
  /* A word has the key, three digits with a bit of each coordinate in turn, above the tetrahedron's number. */
  const int digit = n <= 1 << 25 ? 13 : 11;
  uint64_t *items = NULL, *spare = NULL;
  *order = NULL;
  IrzCode code = irz_alloc_unset(&items, (size_t)n, sizeof *items, error);
  if (code == IRZ_OK) code = irz_alloc_unset(&spare, (size_t)n, sizeof *spare, error);
  if (code == IRZ_OK) code = irz_alloc_unset(order, (size_t)n, sizeof **order, error);
  if (code == IRZ_OK) {
    Axis axis[3];
    lay_axes(mesh, axis);
#pragma omp parallel for num_threads(irz_threads(omp_get_max_threads()))
    for (int32_t t = 0; t < n; t++) {
      uint64_t key = 0;
      for (int d = 0; d < 3; d++) key |= spread(cell_of(&axis[d], centroid(mesh, t, d), digit)) << axis[d].place;
      items[t] = key << (64 - 3 * digit) | (uint64_t)t;
    }
    code = radix_sort(items, spare, n, digit, error);
  }
  if (code == IRZ_OK) {
    const uint64_t number = ((uint64_t)1 << (64 - 3 * digit)) - 1;
#pragma omp parallel for num_threads(irz_threads(omp_get_max_threads()))
    for (int32_t k = 0; k < n; k++) (*order)[k] = (int32_t)(spare[k] & number);
  }
  free(items);
  free(spare);
  return code;
}
