/* Smoothing of label maps; see smooth_labels.h. Only voxels near a surface are kept and worked on. */
#include "anatomy/smooth_labels.h"

#include "base/memory.h"
#include "base/vector.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Voxels on each side of a surface that are smoothed, and the distance that is given to all others.
#define BAND 5
#define FAR 4.0F

/// A voxel's centre keeps its tissue by at least so much while the surface is smoothed.
#define KEPT 0.05F

/// Smoothing steps; passes of the blur in each, and in a correction of the volume. A pass has the variance 1/2. On
/// balls of 3 to 15 voxels, cylinders of 1.5 to 8 and planes of any slope the surface is within 0.07 voxels of the true
/// one (root of the mean square), and volumes within 0.7 % of what the voxels have, 0.1 % from 10 voxels on.
#define STEPS 3
#define PASSES_SMOOTH 2
#define PASSES_VOLUME 8
#define LAST_VOLUMES 3

/// Share of a tissue around a place that is missing where it is thin.
#define THIN 0.1F

/// A point is in the image if it is no more than this beyond the faces of its voxels, which may be those of the box.
#define EDGE 0.01

/// Most voxels of a window.
#define MOST 6e7

/// Voxels near a surface, while they are smoothed. Beyond the last are two places for all that are further away, inside
/// and outside the tissue.
typedef struct {
  int32_t n;
  size_t *cell;               ///< [n] which voxels of the window they are
  int32_t *next[3];           ///< [n][2] neighbours along each axis, or -1
  int32_t *beyond[3];         ///< the same for one tissue, with n (inside) or n + 1 (outside) for -1
  uint8_t *inside;            ///< [n] 1: of the tissue
  float *value, *work, *miss; ///< [n + 2]
  uint8_t *thin;              ///< [n] 1: where a tissue has lost so much that it must be a thin sheet or rod
} Band;

static inline float clamp(float x, float low, float high) {
  return x < low ? low : x > high ? high : x;
}

static size_t cell_of(const IrzSmoothLabels *s, int i, int j, int k) {
  return ((size_t)k * (size_t)s->size[1] + (size_t)j) * (size_t)s->size[0] + (size_t)i;
}

static size_t n_cells(const IrzSmoothLabels *s) {
  return (size_t)s->size[0] * (size_t)s->size[1] * (size_t)s->size[2];
}

/// Lay the window of voxels around the box.
/// @param[out] first  its first voxel in the map
/// @return whether it has a size that can be worked on
static bool place_window(const IrzLabelMap *labels, IrzSmoothLabels *s, int first[3]) {
  double count = 1;
  for (int d = 0; d < 3; d++) {
    const double *row = labels->to_voxel[d];
    double low = row[3], high = row[3];
    for (int e = 0; e < 3; e++) {
      low += fmin(row[e] * s->low[e], row[e] * s->high[e]);
      high += fmax(row[e] * s->low[e], row[e] * s->high[e]);
    }
    low = fmax(floor(low) - BAND, -BAND);
    high = fmin(ceil(high) + BAND, labels->size[d] - 1 + BAND);
    if (!(high - low >= 2)) return false;
    first[d] = (int)low;
    s->size[d] = (int)(high - low) + 1;
    count *= s->size[d];
    memcpy(s->to_voxel[d], row, sizeof s->to_voxel[d]);
    s->to_voxel[d][3] -= first[d];
    s->image[d][0] = -0.5 - EDGE - first[d];
    s->image[d][1] = labels->size[d] - 0.5 + EDGE - first[d];
  }
  return count <= MOST;
}

/// A voxel of the image, or the nearest to it.
static int into_image(int at, int size) {
  return at < 0 ? 0 : at < size ? at : size - 1;
}

/// Look up the tissue of each voxel of the window. The image goes on beyond its ends: they are no surface to smooth.
static void fill_window(const IrzLabelMap *labels, const uint8_t *tissue, const int first[3], IrzSmoothLabels *s) {
  for (int k = 0; k < s->size[2]; k++) {
    for (int j = 0; j < s->size[1]; j++) {
      int y = into_image(first[1] + j, labels->size[1]), z = into_image(first[2] + k, labels->size[2]);
      uint8_t *here = &s->tissue[cell_of(s, 0, j, k)];
      const uint8_t *row = &labels->region[((size_t)z * (size_t)labels->size[1] + (size_t)y) * (size_t)labels->size[0]];
      for (int i = 0; i < s->size[0]; i++) here[i] = tissue[row[into_image(first[0] + i, labels->size[0])]];
    }
  }
}

/// Mark where two rows of voxels differ, in both.
static void mark_rows(const uint8_t *one, const uint8_t *other, size_t n, uint8_t *restrict near_one,
                      uint8_t *restrict near_other) {
  for (size_t i = 0; i < n; i++) {
    uint8_t change = one[i] != other[i];
    near_one[i] |= change;
    near_other[i] |= change;
  }
}

/// Mark the voxels beside another tissue.
static void mark_changes(const IrzSmoothLabels *s, uint8_t *near) {
  size_t n = (size_t)s->size[0];
  for (int k = 0; k < s->size[2]; k++) {
    for (int j = 0; j < s->size[1]; j++) {
      size_t row = cell_of(s, 0, j, k), before[2] = {row - n, row - n * (size_t)s->size[1]};
      const uint8_t *tissue = &s->tissue[row];
      for (size_t i = 1; i + 1 < n; i++) {
        near[row + i] |= (uint8_t)((tissue[i] != tissue[i - 1]) | (tissue[i] != tissue[i + 1]));
      }
      if (j > 0) mark_rows(tissue, &s->tissue[before[0]], n, &near[row], &near[before[0]]);
      if (k > 0) mark_rows(tissue, &s->tissue[before[1]], n, &near[row], &near[before[1]]);
    }
  }
}

static void join(const uint8_t *from, size_t n, uint8_t *restrict to) {
  for (size_t i = 0; i < n; i++) to[i] |= from[i];
}

/// Spread marks along an axis.
static void spread(const IrzSmoothLabels *s, int axis, const uint8_t *from, uint8_t *to) {
  const size_t step[3] = {1, (size_t)s->size[0], (size_t)s->size[0] * (size_t)s->size[1]};
  memcpy(to, from, n_cells(s));
  for (int far = 1; far < BAND && far < s->size[axis]; far++) {
    size_t back = (size_t)far * step[axis], n = axis == 0 ? (size_t)(s->size[0] - far) : (size_t)s->size[0];
    for (int k = axis == 2 ? far : 0; k < s->size[2]; k++) {
      for (int j = axis == 1 ? far : 0; j < s->size[1]; j++) {
        size_t row = cell_of(s, axis == 0 ? far : 0, j, k);
        join(&from[row - back], n, &to[row]);
        join(&from[row], n, &to[row - back]);
      }
    }
  }
}

/// Number the voxels near a surface.
/// @param[out] cell  [s->n_near] which they are
static IrzCode find_near(IrzSmoothLabels *s, size_t **cell, IrzError *error) {
  size_t n = n_cells(s);
  uint8_t *near = NULL, *other = NULL;
  IrzCode code = irz_alloc(&near, n, 1, error);
  if (code == IRZ_OK) code = irz_alloc_unset(&other, n, 1, error);
  if (code == IRZ_OK) code = irz_alloc_unset(&s->place, n, sizeof *s->place, error);
  if (code == IRZ_OK) {
    mark_changes(s, near);
    spread(s, 0, near, other);
    spread(s, 1, other, near);
    spread(s, 2, near, other);
    for (size_t i = 0; i < n; i++) s->n_near += other[i];
    code = irz_alloc_unset(cell, (size_t)s->n_near, sizeof **cell, error);
  }
  int32_t count = 0;
  for (size_t i = 0; i < n && code == IRZ_OK; i++) {
    s->place[i] = -1;
    if (!other[i]) continue;
    (*cell)[count] = i;
    s->place[i] = count++;
  }
  free(near);
  free(other);
  return code;
}

static void band_free(Band *band) {
  for (int d = 0; d < 3; d++) {
    free(band->next[d]);
    free(band->beyond[d]);
  }
  free(band->cell);
  free(band->inside);
  free(band->thin);
  free(band->value);
  free(band->work);
  free(band->miss);
}

/// Link the voxels near a surface with their neighbours. Their cells are set.
static IrzCode band_create(const IrzSmoothLabels *s, Band *band, IrzError *error) {
  size_t n = (size_t)s->n_near;
  band->n = s->n_near;
  IRZ_TRY(irz_alloc(&band->inside, n, 1, error));
  IRZ_TRY(irz_alloc(&band->thin, n, 1, error));
  IRZ_TRY(irz_alloc(&band->value, n + 2, sizeof *band->value, error));
  IRZ_TRY(irz_alloc(&band->work, n + 2, sizeof *band->work, error));
  IRZ_TRY(irz_alloc(&band->miss, n + 2, sizeof *band->miss, error));
  for (int d = 0; d < 3; d++) {
    IRZ_TRY(irz_alloc_unset(&band->next[d], n, 2 * sizeof *band->next[d], error));
    IRZ_TRY(irz_alloc_unset(&band->beyond[d], n, 2 * sizeof *band->beyond[d], error));
  }
  const size_t step[3] = {1, (size_t)s->size[0], (size_t)s->size[0] * (size_t)s->size[1]};
  for (size_t i = 0; i < n; i++) {
    size_t cell = band->cell[i];
    for (int d = 0; d < 3; d++) {
      size_t at = cell / step[d] % (size_t)s->size[d];
      band->next[d][2 * i] = at > 0 ? s->place[cell - step[d]] : -1;
      band->next[d][2 * i + 1] = at + 1 < (size_t)s->size[d] ? s->place[cell + step[d]] : -1;
    }
  }
  return IRZ_OK;
}

/// Blur; an even number of passes.
/// @param[in,out] f     [n + 2]
/// @param[in,out] work  [n + 2]
static void blur(const Band *band, int passes, float *f, float *work) {
  float *from = f, *to = work;
  to[band->n] = from[band->n], to[band->n + 1] = from[band->n + 1];
  for (int pass = 0; pass < 3 * passes; pass++) {
    const int32_t *next = band->beyond[pass % 3];
    for (int32_t i = 0; i < band->n; i++) {
      to[i] = 0.5F * from[i] + 0.25F * (from[next[2 * (size_t)i]] + from[next[2 * (size_t)i + 1]]);
    }
    float *swap = from;
    from = to, to = swap;
  }
}

/// The difference between the voxels and the share of each that is inside a plane at the distance, blurred, into
/// `miss`.
static void find_miss(Band *band) {
  for (int32_t i = 0; i < band->n; i++) {
    band->miss[i] = (float)band->inside[i] - clamp(0.5F + band->value[i], 0, 1);
  }
  band->miss[band->n] = band->miss[band->n + 1] = 0;
  blur(band, PASSES_VOLUME, band->miss, band->work);
}

/// Give back what the tissue has lost, or take what it has gained. At a plane the blurred difference is the shift over
/// the root of 2 pi times the variance.
static void correct_volume(Band *band) {
  const float gain = (float)sqrt(M_PI * PASSES_VOLUME);
  find_miss(band);
  for (int32_t i = 0; i < band->n; i++) band->value[i] += gain * band->miss[i];
}

/// Mark the tissue's voxels around which too much of it is missing; if there are two tissues only, those of the other
/// as well.
static void mark_thin(Band *band, bool both) {
  float *around = band->value; /* needed no more */
  find_miss(band);
  for (int32_t i = 0; i < band->n; i++) around[i] = band->inside[i];
  around[band->n] = 1, around[band->n + 1] = 0;
  blur(band, PASSES_VOLUME, around, band->work);
  for (int32_t i = 0; i < band->n; i++) {
    band->thin[i] |=
        band->inside[i] ? band->miss[i] > THIN * around[i] : both && -band->miss[i] > THIN * (1 - around[i]);
  }
}

/// Tell what is inside a tissue, and link the voxels for it.
static void link_beyond(const IrzSmoothLabels *s, int tissue, const Band *band) {
  for (int32_t i = 0; i < band->n; i++) band->inside[i] = s->tissue[band->cell[i]] == tissue;
  for (int d = 0; d < 3; d++) {
    for (size_t i = 0; i < 2 * (size_t)band->n; i++) {
      band->beyond[d][i] = band->next[d][i] >= 0 ? band->next[d][i] : band->n + !band->inside[i / 2];
    }
  }
}

/// Mark the voxels near the surface of a tissue, which is linked.
/// @param[out] mark  [n + 2] 1: near
/// @param[out] work  [n + 2]
static void mark_own(const Band *band, uint8_t *mark, uint8_t *work) {
  const int32_t n = band->n;
  memset(mark, 0, (size_t)n + 2);
  for (int d = 0; d < 3; d++) {
    for (size_t i = 0; i < 2 * (size_t)n; i++) {
      int32_t next = band->next[d][i];
      if (next >= 0) mark[i / 2] |= band->inside[i / 2] != band->inside[next];
    }
  }
  work[n] = work[n + 1] = 0;
  for (int pass = 0; pass < 3 * (BAND - 1); pass++) {
    const int32_t *next = band->beyond[pass % 3];
    for (int32_t i = 0; i < n; i++) work[i] = mark[i] | mark[next[2 * (size_t)i]] | mark[next[2 * (size_t)i + 1]];
    memcpy(mark, work, (size_t)n);
  }
}

/// The part of a band that is near the surface of one tissue.
typedef struct {
  Band band;            ///< of this part; its values are in the whole band's arrays
  int32_t *place;       ///< [n] of the whole band: where in the part, or -1
  uint8_t *mark, *work; ///< [n + 2]
} Own;

static void own_free(Own *own) {
  for (int d = 0; d < 3; d++) free(own->band.beyond[d]);
  free(own->band.inside);
  free(own->band.thin);
  free(own->place);
  free(own->mark);
  free(own->work);
}

static IrzCode own_create(const Band *band, Own *own, IrzError *error) {
  size_t n = (size_t)band->n;
  own->band = (Band){.value = band->value, .work = band->work, .miss = band->miss};
  IRZ_TRY(irz_alloc(&own->band.inside, n, 1, error));
  IRZ_TRY(irz_alloc(&own->band.thin, n, 1, error));
  IRZ_TRY(irz_alloc(&own->place, n, sizeof *own->place, error));
  IRZ_TRY(irz_alloc(&own->mark, n + 2, 1, error));
  IRZ_TRY(irz_alloc(&own->work, n + 2, 1, error));
  for (int d = 0; d < 3; d++) {
    IRZ_TRY(irz_alloc_unset(&own->band.beyond[d], n, 2 * sizeof *own->band.beyond[d], error));
  }
  return IRZ_OK;
}

/// Take the part near a tissue, which is linked. Beyond it all voxels are as far away as those beyond the band.
static void take_own(const Band *band, Own *own) {
  Band *part = &own->band;
  mark_own(band, own->mark, own->work);
  part->n = 0;
  for (int32_t i = 0; i < band->n; i++) own->place[i] = own->mark[i] ? part->n++ : -1;
  for (int32_t i = 0; i < band->n; i++) {
    int32_t at = own->place[i];
    if (at < 0) continue;
    part->inside[at] = band->inside[i];
    part->thin[at] = 0;
    for (int d = 0; d < 3; d++) {
      for (int side = 0; side < 2; side++) {
        int32_t next = band->next[d][2 * (size_t)i + (size_t)side];
        next = next >= 0 ? own->place[next] : -1;
        part->beyond[d][2 * (size_t)at + (size_t)side] = next >= 0 ? next : part->n + !band->inside[i];
      }
    }
  }
}

/// Smooth one tissue.
/// @param[out] band  `value`, and in `work` the coefficients of the spline
static void smooth_one(Band *band) {
  const float root = (float)sqrt(PASSES_SMOOTH / 2.0);
  for (int32_t i = 0; i < band->n; i++) band->value[i] = band->inside[i] ? 1 : -1;
  band->value[band->n] = 1, band->value[band->n + 1] = -1;
  blur(band, PASSES_SMOOTH, band->value, band->work);
  /* The distance that a Gaussian distribution has at this value, nearly: its integral is almost a hyperbolic tangent */
  for (int32_t i = 0; i < band->n; i++) {
    float distance = root * (2 / 1.702F) * atanhf(clamp(band->value[i], -0.9999F, 0.9999F));
    band->value[i] = clamp(distance, -FAR, FAR);
  }
  for (int step = 0; step < STEPS; step++) {
    for (int32_t i = 0; i < band->n && step > 0; i++) {
      band->value[i] = band->inside[i] ? fmaxf(band->value[i], KEPT) : fminf(band->value[i], -KEPT);
    }
    band->value[band->n] = FAR, band->value[band->n + 1] = -FAR;
    blur(band, PASSES_SMOOTH, band->value, band->work);
    correct_volume(band);
  }
  for (int i = 0; i < LAST_VOLUMES; i++) correct_volume(band);
  float *coefficient = band->work; /* needed no more */
  /* A quadratic spline with the values themselves as coefficients would blur by the variance 1/4. */
  for (int32_t i = 0; i < band->n; i++) {
    float laplacian = -6 * band->value[i];
    for (int d = 0; d < 3; d++) {
      for (int side = 0; side < 2; side++) laplacian += band->value[band->beyond[d][2 * (size_t)i + (size_t)side]];
    }
    coefficient[i] = band->value[i] - laplacian / 8;
  }
}

/// Smooth a tissue's part of the band.
/// @param[out] coefficient  [n] of the whole band
static void smooth_own(Band *band, Own *own, bool both, float *coefficient) {
  take_own(band, own);
  smooth_one(&own->band);
  for (int32_t i = 0; i < band->n; i++) {
    coefficient[i] = own->place[i] >= 0 ? band->work[own->place[i]] : band->inside[i] ? FAR : -FAR;
  }
  mark_thin(&own->band, both);
  for (int32_t i = 0; i < band->n; i++) band->thin[i] |= own->place[i] >= 0 && own->band.thin[own->place[i]];
}

/// The least or the largest of a voxel's coefficients and those around it, axis by axis.
/// @param[in,out] f     [n + 2]
/// @param[in,out] work  [n + 2]
static void extremes(const Band *band, bool largest, float *f, float *work) {
  for (int axis = 0; axis < 3; axis++) {
    const int32_t *next = band->beyond[axis];
    for (int32_t i = 0; i < band->n; i++) {
      float before = f[next[2 * (size_t)i]], after = f[next[2 * (size_t)i + 1]], most = f[i];
      if (largest ? before > most : before < most) most = before;
      if (largest ? after > most : after < most) most = after;
      work[i] = most;
    }
    memcpy(f, work, (size_t)band->n * sizeof *f);
  }
}

/// Find the tissues that may be the largest somewhere in each voxel near a surface: the spline is a mean of the
/// coefficients around, so one whose largest is below another's least is nowhere the largest.
static IrzCode find_here(IrzSmoothLabels *s, const Band *band, const float *least, IrzError *error) {
  IRZ_TRY(irz_alloc(&s->here, (size_t)band->n, sizeof *s->here, error));
  for (int t = 0; t < IRZ_SMOOTH_MAX; t++) {
    if (s->value[t] == NULL) continue;
    link_beyond(s, t, band);
    memcpy(band->value, s->value[t], (size_t)band->n * sizeof *band->value);
    band->value[band->n] = FAR, band->value[band->n + 1] = -FAR;
    extremes(band, true, band->value, band->work);
    for (int32_t i = 0; i < band->n; i++) {
      bool mirrored = s->mirror[0] == t; /* then the other's are those of this one, negated */
      s->here[i] |= (uint32_t)(band->value[i] >= (mirrored ? 0 : least[i])) << t;
      if (mirrored) s->here[i] |= (uint32_t)(least[i] <= 0) << s->mirror[1];
    }
  }
  return IRZ_OK;
}

/// Smooth all tissues that occur near a surface; of two one is enough.
/// @param[in,out] least  [n] the largest of the tissues' least coefficients around each voxel; in: -INFINITY
static IrzCode smooth_all(IrzSmoothLabels *s, Band *band, Own *own, float *least, IrzError *error) {
  bool occurs[IRZ_SMOOTH_MAX] = {false};
  int last[2] = {-1, -1}, count = 0;
  for (int32_t i = 0; i < band->n; i++) occurs[s->tissue[band->cell[i]]] = true;
  for (int t = 0; t < IRZ_SMOOTH_MAX; t++) {
    if (!occurs[t]) continue;
    last[1] = last[0], last[0] = t;
    count++;
  }
  s->mirror[0] = s->mirror[1] = -1;
  if (count == 2) s->mirror[0] = last[1], s->mirror[1] = last[0];
  for (int t = 0; t < IRZ_SMOOTH_MAX; t++) {
    if (!occurs[t] || t == s->mirror[1]) continue;
    IRZ_TRY(irz_alloc(&s->value[t], (size_t)s->n_near, sizeof *s->value[t], error));
    link_beyond(s, t, band);
    smooth_own(band, own, count == 2, s->value[t]);
    memcpy(band->value, s->value[t], (size_t)band->n * sizeof *band->value);
    band->value[band->n] = FAR, band->value[band->n + 1] = -FAR;
    extremes(band, false, band->value, band->work);
    for (int32_t i = 0; i < band->n; i++) least[i] = band->value[i] > least[i] ? band->value[i] : least[i];
  }
  return IRZ_OK;
}

/// Smooth all tissues, and find which are where.
static IrzCode smooth_and_find(IrzSmoothLabels *s, Band *band, IrzError *error) {
  float *least = NULL;
  Own own = {0};
  IrzCode code = own_create(band, &own, error);
  if (code == IRZ_OK) code = irz_alloc_unset(&least, (size_t)band->n, sizeof *least, error);
  for (int32_t i = 0; i < band->n && code == IRZ_OK; i++) least[i] = -INFINITY;
  if (code == IRZ_OK) code = smooth_all(s, band, &own, least, error);
  if (code == IRZ_OK) code = find_here(s, band, least, error);
  free(least);
  own_free(&own);
  return code;
}

/// Value of a voxel's own tissue at its centre; it has all its neighbours.
static double value_at_centre(const IrzSmoothLabels *s, size_t cell) {
  static const double weight[3] = {0.125, 0.75, 0.125};
  const int tissue = s->tissue[cell];
  const float *value = s->value[tissue == s->mirror[1] ? s->mirror[0] : tissue];
  double sum = 0;
  for (int k = -1; k <= 1; k++) {
    for (int j = -1; j <= 1; j++) {
      size_t row = cell + (size_t)((k * s->size[1] + j) * s->size[0]);
      for (int i = -1; i <= 1; i++) {
        size_t other = row + (size_t)i;
        double here = s->tissue[other] == tissue ? (double)FAR : -(double)FAR;
        if (s->place[other] >= 0) {
          here = (double)value[s->place[other]];
          if (tissue == s->mirror[1]) here = -here;
        }
        sum += weight[i + 1] * weight[j + 1] * weight[k + 1] * here;
      }
    }
  }
  return sum;
}

/// Whether a voxel has neighbours on all sides, in `beside`.
static bool neighbours(const IrzSmoothLabels *s, const Band *band, int32_t i, size_t beside[6]) {
  for (int d = 0; d < 3; d++) {
    for (int side = 0; side < 2; side++) {
      int32_t next = band->next[d][2 * (size_t)i + (size_t)side];
      if (next < 0) return false;
      beside[2 * d + side] = band->cell[next];
    }
  }
  const size_t row = (size_t)s->size[0], layer = row * (size_t)s->size[1], cell = band->cell[i];
  size_t at[3] = {cell % row, cell / row % (size_t)s->size[1], cell / layer};
  for (int d = 0; d < 3; d++) {
    if (at[d] < 1 || at[d] + 1 >= (size_t)s->size[d]) return false;
  }
  return true;
}

/// Find the details that the smooth surfaces have lost: voxels whose centres have become another tissue's, and beside
/// which none of their own is left.
static IrzCode find_lost(IrzSmoothLabels *s, const Band *band, IrzError *error) {
  int32_t count = 0;
  size_t beside[6];
  uint8_t *gone;
  IRZ_TRY(irz_alloc(&gone, (size_t)band->n, 1, error));
  for (int32_t i = 0; i < band->n; i++) {
    if (!neighbours(s, band, i, beside)) continue;
    bool surface = false;
    for (int b = 0; b < 6; b++) surface = surface || s->tissue[beside[b]] != s->tissue[band->cell[i]];
    gone[i] = surface && value_at_centre(s, band->cell[i]) < 0;
  }
  IrzCode code = irz_alloc(&s->lost, (size_t)band->n, 1, error);
  for (int32_t i = 0; i < band->n && code == IRZ_OK; i++) {
    if (!gone[i] || !neighbours(s, band, i, beside)) continue;
    bool left = false;
    for (int b = 0; b < 6; b++) {
      left = left || (s->tissue[beside[b]] == s->tissue[band->cell[i]] && !gone[s->place[beside[b]]]);
    }
    s->lost[i] = !left;
  }
  for (int32_t i = 0; i < band->n && code == IRZ_OK; i++) {
    s->lost[i] |= band->thin[i];
    count += s->lost[i];
  }
  free(gone);
  if (count == 0) {
    free(s->lost);
    s->lost = NULL;
  }
  return code;
}

IrzCode irz_smooth_create(const IrzLabelMap *labels, const uint8_t *tissue, const double low[3], const double high[3],
                          IrzSmoothLabels *smooth, IrzError *error) {
  int first[3];
  Band band = {0};
  *smooth = (IrzSmoothLabels){.mirror = {-1, -1}};
  memcpy(smooth->low, low, sizeof smooth->low);
  memcpy(smooth->high, high, sizeof smooth->high);
  if (!place_window(labels, smooth, first)) return IRZ_OK;
  IRZ_TRY(irz_alloc_unset(&smooth->tissue, n_cells(smooth), 1, error));
  fill_window(labels, tissue, first, smooth);
  IrzCode code = find_near(smooth, &band.cell, error);
  if (code == IRZ_OK) code = band_create(smooth, &band, error);
  if (code == IRZ_OK) code = smooth_and_find(smooth, &band, error);
  if (code == IRZ_OK) code = find_lost(smooth, &band, error);
  band_free(&band);
  return code;
}

void irz_smooth_clear(IrzSmoothLabels *smooth) {
  free(smooth->tissue);
  free(smooth->place);
  free(smooth->lost);
  free(smooth->here);
  for (int t = 0; t < IRZ_SMOOTH_MAX; t++) free(smooth->value[t]);
  *smooth = (IrzSmoothLabels){0};
}

/// A point among the voxels: the nearest of them, and the weights of it and its neighbours in a quadratic spline.
typedef struct {
  size_t cell;         ///< number of the voxel
  double off[3];       ///< the point's place, from its centre
  double weight[3][3]; ///< along each axis
  int32_t place[9];    ///< where in `value` the rows along the first axis begin; -1: they are not one after another
  size_t row[9];       ///< first voxel of each row
} Spot;

/// Find the voxel at a point; at the window's ends the nearest that has all its neighbours.
/// @param[out] off  the point's place, from its centre
/// @return its number
static inline size_t voxel_at(const IrzSmoothLabels *s, const double x[3], double off[3]) {
  int voxel[3];
  for (int d = 0; d < 3; d++) {
    double v = irz_dot(s->to_voxel[d], x) + s->to_voxel[d][3], last = s->size[d] - 1.5;
    v = v > 0.5 ? v : 0.5; /* what is no number, too */
    v = v < last ? v : last;
    voxel[d] = (int)(v + 0.5);
    if (voxel[d] > s->size[d] - 2) voxel[d] = s->size[d] - 2;
    off[d] = v - voxel[d];
  }
  return cell_of(s, voxel[0], voxel[1], voxel[2]);
}

/// Prepare the spline at a point.
static inline void find_spot(const IrzSmoothLabels *s, const double x[3], Spot *spot) {
  spot->cell = voxel_at(s, x, spot->off);
  for (int d = 0; d < 3; d++) {
    double t = spot->off[d];
    spot->weight[d][0] = 0.5 * (0.5 - t) * (0.5 - t);
    spot->weight[d][1] = 0.75 - t * t;
    spot->weight[d][2] = 0.5 * (0.5 + t) * (0.5 + t);
  }
  const size_t row = (size_t)s->size[0], layer = row * (size_t)s->size[1];
  for (int r = 0; r < 9; r++) {
    size_t first = spot->cell - 1 - row - layer + (size_t)(r % 3) * row + (size_t)(r / 3) * layer;
    int32_t place = s->place[first];
    spot->row[r] = first;
    /* Voxels near a surface are numbered along the rows. */
    spot->place[r] = place >= 0 && s->place[first + 1] == place + 1 && s->place[first + 2] == place + 2 ? place : -1;
  }
}

/// The three coefficients of a row.
static inline void row_of(const IrzSmoothLabels *s, const Spot *spot, int r, int tissue, const float *value,
                          double here[3]) {
  if (spot->place[r] >= 0) {
    for (int i = 0; i < 3; i++) here[i] = (double)value[spot->place[r] + i];
    return;
  }
  bool mirrored = tissue == s->mirror[1];
  for (int i = 0; i < 3; i++) {
    size_t cell = spot->row[r] + (size_t)i;
    here[i] = (s->tissue[cell] == tissue) != mirrored ? (double)FAR : -(double)FAR;
    if (s->place[cell] >= 0) here[i] = (double)value[s->place[cell]];
  }
}

/// Function of a tissue at a point.
static double value_at(const IrzSmoothLabels *s, const Spot *spot, int tissue) {
  bool mirrored = tissue == s->mirror[1];
  const float *value = s->value[mirrored ? s->mirror[0] : tissue];
  double sum = 0;
  if (value == NULL) return -(double)FAR;
  for (int r = 0; r < 9; r++) {
    double here[3];
    row_of(s, spot, r, tissue, value, here);
    sum += spot->weight[1][r % 3] * spot->weight[2][r / 3] *
           (spot->weight[0][0] * here[0] + spot->weight[0][1] * here[1] + spot->weight[0][2] * here[2]);
  }
  return mirrored ? -sum : sum;
}

int irz_smooth_tissue(const IrzSmoothLabels *smooth, const double x[3]) {
  Spot spot;
  int best;
  if (smooth->tissue == NULL) return -1;
  for (int k = 0; k < 3; k++) {
    double v = irz_dot(smooth->to_voxel[k], x) + smooth->to_voxel[k][3];
    if (!(x[k] >= smooth->low[k] && x[k] <= smooth->high[k])) return -1;
    if (!(v >= smooth->image[k][0] && v <= smooth->image[k][1])) return -1;
  }
  size_t cell = voxel_at(smooth, x, spot.off);
  best = smooth->tissue[cell];
  if (smooth->place[cell] < 0) return best;
  uint32_t others = smooth->here[smooth->place[cell]];
  if ((others & (others - 1)) == 0 && others != 0) {
    while ((others >> best & 1) == 0) best = best + 1 < IRZ_SMOOTH_MAX ? best + 1 : 0;
    return best;
  }
  find_spot(smooth, x, &spot);
  double most = value_at(smooth, &spot, best);
  if (smooth->mirror[0] >= 0) return most >= 0 ? best : smooth->mirror[best == smooth->mirror[0]];
  others &= ~(1U << best);
  for (int t = 0; others >> t != 0; t++) {
    if ((others >> t & 1) == 0) continue;
    double here = value_at(smooth, &spot, t);
    if (here > most) best = t, most = here;
    if (t == IRZ_SMOOTH_MAX - 1) break;
  }
  return best;
}

bool irz_smooth_lost(const IrzSmoothLabels *smooth, const double x[3]) {
  double off[3];
  if (smooth->lost == NULL) return false;
  size_t cell = voxel_at(smooth, x, off);
  return fabs(off[0]) <= 0.5 && fabs(off[1]) <= 0.5 && fabs(off[2]) <= 0.5 && smooth->place[cell] >= 0 &&
         smooth->lost[smooth->place[cell]];
}

double irz_smooth_value(const IrzSmoothLabels *smooth, int tissue, const double x[3], double gradient[3]) {
  Spot spot;
  double slope[3][3], sum[4] = {0};
  bool mirrored = tissue == smooth->mirror[1];
  const float *value = smooth->value[mirrored ? smooth->mirror[0] : tissue];
  if (value == NULL) {
    for (int e = 0; e < 3 && gradient != NULL; e++) gradient[e] = 0;
    return -(double)FAR;
  }
  find_spot(smooth, x, &spot);
  if (gradient == NULL) return value_at(smooth, &spot, tissue);
  for (int d = 0; d < 3; d++) {
    double t = spot.off[d];
    slope[d][0] = t - 0.5, slope[d][1] = -2 * t, slope[d][2] = t + 0.5;
  }
  for (int r = 0; r < 9; r++) {
    double here[3];
    int j = r % 3, k = r / 3;
    row_of(smooth, &spot, r, tissue, value, here);
    double along = spot.weight[0][0] * here[0] + spot.weight[0][1] * here[1] + spot.weight[0][2] * here[2];
    double steep = slope[0][0] * here[0] + slope[0][1] * here[1] + slope[0][2] * here[2];
    sum[0] += spot.weight[1][j] * spot.weight[2][k] * along;
    sum[1] += spot.weight[1][j] * spot.weight[2][k] * steep;
    sum[2] += slope[1][j] * spot.weight[2][k] * along;
    sum[3] += spot.weight[1][j] * slope[2][k] * along;
  }
  double sign = mirrored ? -1 : 1;
  for (int e = 0; e < 3; e++) {
    gradient[e] = 0;
    for (int d = 0; d < 3; d++) gradient[e] += sign * smooth->to_voxel[d][e] * sum[1 + d];
  }
  return sign * sum[0];
}

bool irz_smooth_project(const IrzSmoothLabels *smooth, int one, int other, int fixed, double reach, double x[3]) {
  double y[3], away[3];
  memcpy(y, x, sizeof y);
  for (int round = 0; round < 12; round++) {
    double slope[2][3], gradient[3];
    double difference = irz_smooth_value(smooth, one, y, slope[0]) - irz_smooth_value(smooth, other, y, slope[1]);
    for (int k = 0; k < 3; k++) gradient[k] = (fixed >> k & 1) ? 0 : slope[0][k] - slope[1][k];
    double square = irz_dot(gradient, gradient);
    if (!(square > 0)) return false;
    for (int k = 0; k < 3; k++) y[k] -= difference * gradient[k] / square;
    irz_subtract(y, x, away);
    if (!(irz_dot(away, away) <= reach * reach)) return false;
    if (fabs(difference) < 1e-5) {
      int there = irz_smooth_tissue(smooth, y);
      if (there != one && there != other &&
          (there < 0 || irz_smooth_value(smooth, there, y, NULL) > 1e-3 + irz_smooth_value(smooth, one, y, NULL)))
        return false;
      memcpy(x, y, sizeof y);
      return true;
    }
  }
  return false;
}
