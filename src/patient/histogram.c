/* Volumes of regions above levels of the field; see histogram.h. */
#include "patient/histogram.h"
#include "base/memory.h"
#include "base/threads.h"
#include "zone/cut.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Tetrahedra are taken in chunks: their volumes are added up in order, whoever took them.
enum { CHUNKS = 16 };

/// What is measured.
typedef struct {
  const IrzMedium *medium;
  const IrzDrawn *drawn;
  const double *measured, *range;
  const uint8_t *wanted;
  const IrzHistogram *made; ///< its levels
} Task;

/// Points of the rule in each of the eight small tetrahedra of one that several regions share.
enum { POINTS = 4 };

/// Share of a small tetrahedron that is of a region.
/// @param[in] c  which of the eight, as irz_child_nodes has them
static double share_of(const IrzMedium *medium, int32_t tet, int c, int region) {
  int32_t general = medium->general[tet] - 1;
  double share = 0;
  if (general < 0 || !medium->mixed[general]) return medium->region[tet] == region;
  const uint8_t *at = medium->point_region + medium->first_point[general] + POINTS * c;
  for (int q = 0; q < POINTS; q++) share += at[q] == region ? 1.0 / POINTS : 0;
  return share;
}

/// The regions that are wanted and have something of a tetrahedron.
/// @param[out] mixed  several regions share it
static int regions_in(const Task *task, int32_t tet, int region[8], bool *mixed) {
  const IrzMedium *medium = task->medium;
  int32_t general = medium->general[tet] - 1;
  int n = 0;
  *mixed = general >= 0 && medium->mixed[general];
  region[0] = medium->region[tet];
  if (!*mixed) return task->wanted[region[0]];
  for (int32_t q = medium->first_point[general]; q < medium->first_point[general + 1]; q++) {
    int here = medium->point_region[q], k = 0;
    while (k < n && region[k] != here) k++;
    if (k == n && n < 8 && task->wanted[here]) region[n++] = here; /* more than eight do not meet */
  }
  return n;
}

/// First level that is larger than a field.
static int first_above(const IrzHistogram *made, double field) {
  int low = 0, high = made->n_levels;
  while (low < high) {
    int middle = low + (high - low) / 2;
    if (made->level[middle] > field)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

/// Add a small tetrahedron.
/// @param[in,out] below  [n_levels + 1] volume of which this is the first level that it does not reach as a whole
/// @param[in,out] cut    [n_levels] volume beyond that
static void add_child(const IrzHistogram *made, const double f[4], double volume, double *below, double *cut) {
  double least = fmin(fmin(f[0], f[1]), fmin(f[2], f[3])), most = fmax(fmax(f[0], f[1]), fmax(f[2], f[3]));
  int k = first_above(made, least);
  below[k] += volume;
  for (; k < made->n_levels && made->level[k] <= most; k++) {
    double over[4];
    for (int i = 0; i < 4; i++) over[i] = f[i] - made->level[k];
    cut[k] += volume * irz_cut_fraction(over);
  }
}

/// The field that counts in a tetrahedron.
static const double *field_in(const Task *task, const int32_t row[10]) {
  double low = INFINITY, high = 0;
  for (int i = 0; i < 10; i++) {
    low = fmin(low, task->measured[row[i]]);
    high = fmax(high, task->measured[row[i]]);
  }
  return high < task->range[0] || low > task->range[1] ? task->measured : task->drawn->field;
}

/// Measure the tetrahedra [first, last) of this rank.
/// @param[in,out] sum  [n_regions][2 n_levels + 1] as `below` and `cut` of add_child()
static void measure(const Task *task, int32_t first, int32_t last, double *sum) {
  const IrzPart *part = task->medium->part;
  const IrzHistogram *made = task->made;
  int32_t curved = irz_first_curved(part, first);
  for (int32_t t = first; t < last; t++) {
    bool bent = irz_is_bent(part, t, &curved);
    int region[8];
    double point[10][3];
    bool mixed;
    int n = part->mine[t] ? regions_in(task, t, region, &mixed) : 0;
    if (n == 0) continue;
    const int32_t *row = irz_tet_rows(task->drawn->sides, part, t);
    /* The first way is that of irz_child_nodes. */
    int way = mixed ? 0 : irz_drawn_way(task->drawn->field, row);
    irz_drawn_points(part, task->drawn, t, bent ? curved : -1, point);
    const double *field = field_in(task, row);
    for (int c = 0; c < 8; c++) {
      const int *child = irz_drawn_children[way][c];
      double f[4], volume = irz_tet_volume(point[child[0]], point[child[1]], point[child[2]], point[child[3]]);
      for (int i = 0; i < 4; i++) f[i] = field[row[child[i]]];
      for (int k = 0; k < n; k++) {
        double *below = sum + (size_t)region[k] * (size_t)(2 * made->n_levels + 1);
        double share = share_of(task->medium, t, c, region[k]);
        if (share > 0) add_child(made, f, fabs(volume) * share, below, below + made->n_levels + 1);
      }
    }
  }
}

/// Measure all tetrahedra of this rank.
/// @param[out] sum  as in measure()
static IrzCode measure_all(const Task *task, int threads, double *sum, IrzError *error) {
  size_t size = (size_t)task->made->n_regions * (size_t)(2 * task->made->n_levels + 1);
  int64_t n = task->medium->part->n_tets;
  double *chunk;
  IRZ_TRY(irz_alloc(&chunk, CHUNKS * size, sizeof *chunk, error));
#pragma omp parallel for num_threads(irz_threads(threads)) schedule(dynamic)
  for (int k = 0; k < CHUNKS; k++) {
    measure(task, (int32_t)(n * k / CHUNKS), (int32_t)(n * (k + 1) / CHUNKS), chunk + (size_t)k * size);
  }
  for (int k = 0; k < CHUNKS; k++) {
    for (size_t i = 0; i < size; i++) sum[i] += chunk[(size_t)k * size + i];
  }
  free(chunk);
  return IRZ_OK;
}

IrzCode irz_histogram_make(const IrzMedium *medium, int threads, const IrzDrawn *drawn, const double *measured,
                           const double range[2], const uint8_t *wanted, int n_levels, const double *level,
                           IrzHistogram *made, IrzError *error) {
  const int width = 2 * n_levels + 1;
  double *sum = NULL;
  *made = (IrzHistogram){.n_levels = n_levels, .n_regions = medium->n_regions};
  size_t regions = (size_t)medium->n_regions, size = regions * (size_t)width;
  irz_alloc(&made->level, (size_t)n_levels, sizeof *made->level, error);
  if (error->code == IRZ_OK) irz_alloc(&made->volume, regions * (size_t)n_levels, sizeof *made->volume, error);
  if (error->code == IRZ_OK) irz_alloc(&made->total, regions, sizeof *made->total, error);
  if (error->code == IRZ_OK) irz_alloc(&sum, size, sizeof *sum, error);
  if (error->code == IRZ_OK) {
    memcpy(made->level, level, (size_t)n_levels * sizeof *level);
    const Task task = {medium, drawn, measured, range, wanted, made};
    measure_all(&task, threads, sum, error);
  }
  IrzCode code = irz_error_agree(medium->part->comm, error);
  if (code == IRZ_OK) {
    MPI_Allreduce(MPI_IN_PLACE, sum, (int)size, MPI_DOUBLE, MPI_SUM, medium->part->comm);
    for (size_t r = 0; r < regions; r++) {
      const double *below = sum + r * (size_t)width, *cut = below + n_levels + 1;
      double whole = 0;
      for (int k = n_levels; k >= 0; k--) {
        if (k < n_levels) made->volume[r * (size_t)n_levels + (size_t)k] = whole + cut[k];
        whole += below[k];
      }
      made->total[r] = whole;
    }
  }
  free(sum);
  if (code != IRZ_OK) irz_histogram_clear(made);
  return code;
}

void irz_histogram_clear(IrzHistogram *histogram) {
  free(histogram->level);
  free(histogram->volume);
  free(histogram->total);
  *histogram = (IrzHistogram){0};
}

double irz_histogram_above(const IrzHistogram *histogram, int region, double level) {
  const double *volume = histogram->volume + (size_t)region * (size_t)histogram->n_levels;
  int k = first_above(histogram, level);
  if (k == 0) return histogram->total[region];
  if (k == histogram->n_levels) return volume[k - 1];
  double share = (level - histogram->level[k - 1]) / (histogram->level[k] - histogram->level[k - 1]);
  return volume[k - 1] + share * (volume[k] - volume[k - 1]);
}

double irz_histogram_field(const IrzHistogram *histogram, int region, double volume) {
  const double *above = histogram->volume + (size_t)region * (size_t)histogram->n_levels;
  int k = 0;
  if (!(histogram->total[region] > 0) || volume > histogram->total[region]) return NAN;
  while (k < histogram->n_levels && above[k] >= volume) k++;
  if (k == histogram->n_levels) return histogram->level[k - 1];
  double v0 = k > 0 ? above[k - 1] : histogram->total[region], e0 = k > 0 ? histogram->level[k - 1] : 0;
  return v0 > above[k] ? e0 + (histogram->level[k] - e0) * (v0 - volume) / (v0 - above[k]) : e0;
}
