/* Cut volumes; see volume.h. */
#include "zone/volume.h"
#include "base/memory.h"
#include "base/threads.h"
#include "field/kernel.h"
#include "zone/cut.h"
#include "zone/sharpen.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- One tetrahedron ---- */

/// Step in the threshold for the slope of the volume, relative.
static const double slope_step = 0.03;

/// A tetrahedron at work.
typedef struct {
  const IrzZoneTask *task;
  const IrzLattice *lattice; ///< eight tetrahedra: 64 change volumes by less than one in ten thousand, in three times
                             ///< the time
  IrzCell cell;
  const int32_t *row;   ///< [10] of the tetrahedron
  bool between;         ///< it touches an interface, where means are those of one side
  bool smooth;          ///< the recovered field can be trusted: it is measured
  IrzKinkless kinkless; ///< of the recovered field; order 2 only, as the rest
  double plain[10];     ///< at the nodes, if smooth, V/m
} Place;

/// Largest element-wise |E| over the pulses.
static double element_field(void *context, const double l[4]) {
  Place *place = context;
  double largest = 0;
  for (int p = 0; p < place->task->n_pulses; p++) {
    double field = irz_cell_field(&place->cell, p, l);
    largest = field > largest ? field : largest;
  }
  return largest;
}

/// Find out whether the field is smooth, and fill what recovered_field() needs.
/// @param[in] plain  the tetrahedron lies in one region
static void make_kinkless(Place *place, bool plain) {
  const IrzZoneTask *task = place->task;
  place->smooth = task->order == 1;
  if (task->order == 1) return;
  place->smooth = irz_kinkless_make(task->laws[task->medium->region[place->cell.tet]], place->row, task->recovered,
                                    plain ? task->along : NULL, &place->kinkless);
  for (int i = 0; i < 10 && place->smooth; i++) place->plain[i] = task->plain[place->row[i]];
}

/// The recovered field; at order 2 what irz_kinkless() makes of it.
static double recovered_field(void *context, const double l[4]) {
  const Place *place = context;
  if (place->task->order == 1) {
    double sum = 0;
    for (int i = 0; i < 4; i++) sum += l[i] * place->task->recovered[place->row[i]];
    return sum;
  }
  return irz_quadratic(place->kinkless.value, l);
}

/// The field from means of E alone.
static double plain_field(void *context, const double l[4]) {
  const Place *place = context;
  return irz_quadratic(place->plain, l);
}

/// A threshold for recovered_field().
static double recovered_level(const Place *place, double threshold) {
  return place->task->order == 2 ? irz_kinkless(place->kinkless.law, place->kinkless.along, threshold) : threshold;
}

/// Bounds on all fields at order 2, on the recovered one at order 1. It lies between its values at the nodes, but for
/// small overshoots of the quadratic between them.
static void field_bounds(const Place *place, double *low, double *high) {
  const IrzZoneTask *task = place->task;
  double element_low = 0;
  *low = *high = task->recovered[place->row[0]];
  for (int i = 1; i < (task->order == 2 ? 10 : 4); i++) {
    double field = task->recovered[place->row[i]];
    *low = field < *low ? field : *low;
    *high = field > *high ? field : *high;
  }
  for (int i = 0; i < 10 && task->along != NULL; i++) {
    double field = task->plain[place->row[i]];
    *low = field < *low ? field : *low;
    *high = field > *high ? field : *high;
  }
  for (int p = 0; p < task->n_pulses && task->order == 2; p++) {
    double least, most;
    irz_cell_bounds(&place->cell, p, &least, &most);
    element_low = least > element_low ? least : element_low;
    *high = most > *high ? most : *high;
  }
  if (task->order == 2 && element_low < *low) *low = element_low;
}

/// Running sums of one rank; `scatter` holds squares.
typedef struct {
  IrzVolume zone;
  IrzVolume also[IRZ_MAX_ALSO];
  double *region_volume;
  IrzVolume *region_ablated;
} Sums;

/// Field in a tetrahedron on the lattice: bounds, and values where a threshold may cut it.
typedef struct {
  double low, high;
  IrzPlaced placed;
  double recovered[IRZ_LATTICE_POINTS], element[IRZ_LATTICE_POINTS], plain[IRZ_LATTICE_POINTS];
} Sampled;

static void add(IrzVolume *sum, const IrzVolume *more) {
  sum->volume += more->volume;
  sum->off += more->off;
  sum->scatter += more->scatter;
  sum->slope += more->slope;
  sum->smear += more->smear;
}

/// Add the volume in a tetrahedron, or a part of one, and its difference from that of the other field.
static void add_difference(const Place *place, double volume, double other, IrzVolume *sum) {
  bool linear = place->task->order == 1, sharp = place->smooth && !linear;
  sum->volume += linear ? irz_linear_volume(volume, other) : volume;
  sum->off += (!sharp ? 1 : place->between ? IRZ_BETWEEN_SHARE : IRZ_RECOVERED_SHARE) * (volume - other);
  sum->scatter += (volume - other) * (volume - other);
}

static void swap(double *a, double *b) {
  double kept = *a;
  *a = *b;
  *b = kept;
}

/// Volume above a threshold in one tetrahedron, added to the sums.
static void add_volume(Place *place, Sampled *s, double threshold, IrzVolume *sum) {
  const IrzLattice *lattice = place->lattice;
  double next = threshold * (1 + slope_step), volume = 0, other = 0, above = 0, damping = 1;
  if (s->low >= next) {
    volume = other = above = place->cell.volume;
  } else if (threshold <= s->high) {
    bool linear = place->task->order == 1;
    IrzScalarAt recovered = linear ? NULL : recovered_field, element = linear ? NULL : element_field;
    double here = recovered_level(place, threshold), there = recovered_level(place, next);
    volume = irz_cut_volume(lattice, &s->placed, s->recovered, here, recovered, place);
    other = irz_cut_volume(lattice, &s->placed, s->element, threshold, element, place);
    if (place->smooth) {
      above = irz_cut_volume(lattice, &s->placed, s->recovered, there, recovered, place);
      if (!linear) {
        damping = slope_step / (there / here - 1); /* irz_damping() */
        sum->smear += damping * (other - irz_cut_volume(lattice, &s->placed, s->plain, threshold, plain_field, place));
      }
    } else {
      swap(&volume, &other);
      above = irz_cut_volume(lattice, &s->placed, s->element, next, element, place);
    }
  }
  sum->slope += damping * (volume - above) / slope_step;
  add_difference(place, volume, other, sum);
}

/// Add a quadrature point's share to a volume.
static void add_share(const Place *place, double field, double other, double threshold, double share, IrzVolume *sum) {
  bool in = field >= threshold;
  sum->slope += in && field < threshold * (1 + slope_step) ? share / slope_step : 0;
  add_difference(place, in ? share : 0, other >= threshold ? share : 0, sum);
}

/// A tetrahedron with several regions inside: each point of its rule stands for its share.
static void measure_mixed(Place *place, int32_t general, Sums *sums) {
  const IrzZoneTask *task = place->task;
  IrzCell *cell = &place->cell;
  const IrzRule *rule = irz_medium_rule(task->medium, general);
  const uint8_t *region = task->medium->point_region + task->medium->first_point[general];
  make_kinkless(place, false);
  for (int q = 0; q < rule->count; q++) {
    double zero[10] = {0}, unused[3];
    double det = irz_gradient(cell->x, cell->bent, 10, zero, rule->point[q], unused), share = rule->weight[q] * det / 6;
    double field = element_field(place, rule->point[q]), other = recovered_field(place, rule->point[q]);
    if (place->smooth) swap(&field, &other);
    sums->region_volume[region[q]] += share;
    IrzVolume own = {0};
    add_share(place, field, other, task->threshold[region[q]], share, &own);
    add(&sums->zone, &own);
    add(&sums->region_ablated[region[q]], &own);
    for (int k = 0; k < task->n_also; k++) add_share(place, field, other, task->also[k], share, &sums->also[k]);
  }
}

/// A tetrahedron in one region.
static void measure_plain(Place *place, Sums *sums) {
  const IrzZoneTask *task = place->task;
  const IrzLattice *lattice = place->lattice;
  int region = task->medium->region[place->cell.tet];
  double threshold = task->threshold[region];
  Sampled s;
  field_bounds(place, &s.low, &s.high);
  bool cut = s.low < threshold * (1 + slope_step) && threshold <= s.high;
  for (int k = 0; k < task->n_also; k++) {
    cut = cut || (s.low < task->also[k] * (1 + slope_step) && task->also[k] <= s.high);
  }
  if (cut) irz_cell_place(&place->cell, lattice, &s.placed);
  if (cut) make_kinkless(place, true);
  for (int p = 0; cut && p < lattice->n_points; p++) {
    s.recovered[p] = recovered_field(place, lattice->l[p]);
    s.element[p] = element_field(place, lattice->l[p]);
    if (place->smooth && task->order == 2) s.plain[p] = plain_field(place, lattice->l[p]);
  }
  sums->region_volume[region] += place->cell.volume;
  IrzVolume own = {0};
  add_volume(place, &s, threshold, &own);
  add(&sums->zone, &own);
  add(&sums->region_ablated[region], &own);
  for (int k = 0; k < task->n_also; k++) add_volume(place, &s, task->also[k], &sums->also[k]);
}

/* ---- All tetrahedra ---- */

/// Measure the tetrahedra in [first, last).
static void measure_range(Place *place, int32_t first, int32_t last, Sums *sums) {
  const IrzMedium *medium = place->task->medium;
  const IrzPart *part = medium->part;
  int32_t curved = irz_first_curved(part, first);
  for (int32_t t = first; t < last; t++) {
    int32_t general = medium->general[t] - 1;
    if (!part->mine[t]) continue;
    irz_cell_move(&place->cell, t, irz_is_bent(part, t, &curved) ? curved : -1);
    place->row = irz_tet_rows(place->task->sides, part, t);
    place->between = irz_touches_sides(place->task->sides, t);
    if (general >= 0 && medium->mixed[general]) {
      measure_mixed(place, general, sums);
    } else {
      measure_plain(place, sums);
    }
  }
}

static void sums_clear(Sums *sums) {
  free(sums->region_volume);
  free(sums->region_ablated);
}

static IrzCode sums_create(int n_regions, Sums *sums, IrzError *error) {
  *sums = (Sums){0};
  IRZ_TRY(irz_alloc(&sums->region_volume, (size_t)n_regions, sizeof(double), error));
  return irz_alloc(&sums->region_ablated, (size_t)n_regions, sizeof *sums->region_ablated, error);
}

static void sums_add(const IrzZoneTask *task, Sums *sums, const Sums *more) {
  add(&sums->zone, &more->zone);
  for (int k = 0; k < task->n_also; k++) add(&sums->also[k], &more->also[k]);
  for (int r = 0; r < task->medium->n_regions; r++) {
    sums->region_volume[r] += more->region_volume[r];
    add(&sums->region_ablated[r], &more->region_ablated[r]);
  }
}

/// Tetrahedra that one thread takes at a time.
typedef struct {
  Place place;
  Sums sums;
} Chunk;

/// Measure this rank's tetrahedra with all threads, in chunks that are added up in order.
static IrzCode measure_part(const IrzZoneTask *task, const IrzLattice *lattice, Sums *sums, IrzError *error) {
  enum { CHUNKS = 64 };
  const IrzMedium *medium = task->medium;
  Chunk *chunk = NULL;
  int64_t n = medium->part->n_tets;
  IrzCode code = irz_alloc(&chunk, CHUNKS, sizeof *chunk, error);
  for (int k = 0; code == IRZ_OK && k < CHUNKS; k++) {
    chunk[k].place = (Place){.task = task, .lattice = lattice};
    code = irz_cell_init(&chunk[k].place.cell, medium, task->order, task->n_pulses, task->potential, error);
    if (code == IRZ_OK) code = sums_create(medium->n_regions, &chunk[k].sums, error);
  }
  if (code == IRZ_OK) {
#pragma omp parallel for num_threads(irz_threads(task->n_threads)) schedule(dynamic)
    for (int k = 0; k < CHUNKS; k++) {
      measure_range(&chunk[k].place, (int32_t)(n * k / CHUNKS), (int32_t)(n * (k + 1) / CHUNKS), &chunk[k].sums);
    }
    for (int k = 0; k < CHUNKS; k++) sums_add(task, sums, &chunk[k].sums);
  }
  for (int k = 0; chunk != NULL && k < CHUNKS; k++) {
    irz_cell_clear(&chunk[k].place.cell);
    sums_clear(&chunk[k].sums);
  }
  free(chunk);
  return code;
}

IrzCode irz_zone_measure(const IrzZoneTask *task, IrzZoneMeasure *measure, IrzError *error) {
  MPI_Comm comm = task->medium->part->comm;
  int n = task->medium->n_regions;
  IrzLattice lattice;
  Sums sums;
  sums_create(n, &sums, error);
  irz_lattice_make(1, &lattice);
  if (error->code == IRZ_OK) measure_part(task, &lattice, &sums, error);
  IrzCode code = irz_error_agree(comm, error);
  if (code == IRZ_OK) {
    MPI_Allreduce(&sums.zone, &measure->zone, IRZ_VOLUME_SUMS, MPI_DOUBLE, MPI_SUM, comm);
    MPI_Allreduce(sums.also, measure->also, IRZ_VOLUME_SUMS * IRZ_MAX_ALSO, MPI_DOUBLE, MPI_SUM, comm);
    measure->zone.scatter = sqrt(measure->zone.scatter);
    for (int k = 0; k < task->n_also; k++) measure->also[k].scatter = sqrt(measure->also[k].scatter);
    MPI_Allreduce(sums.region_volume, measure->region_volume, n, MPI_DOUBLE, MPI_SUM, comm);
    MPI_Allreduce(sums.region_ablated, measure->region_ablated, IRZ_VOLUME_SUMS * n, MPI_DOUBLE, MPI_SUM, comm);
    for (int r = 0; r < n; r++) measure->region_ablated[r].scatter = sqrt(measure->region_ablated[r].scatter);
  }
  sums_clear(&sums);
  return code;
}
