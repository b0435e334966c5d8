/* Cut volumes; see volume.h. */
#include "zone/volume.h"
#include "base/memory.h"
#include "field/kernel.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 2, POINTS = (STEPS + 1) * (STEPS + 2) * (STEPS + 3) / 6, CELLS = STEPS * STEPS * STEPS };

double irz_cut_fraction(const double f[4]) {
  int in[4], out[4], n_in = 0, n_out = 0;
  for (int i = 0; i < 4; i++) {
    if (f[i] >= 0)
      in[n_in++] = i;
    else
      out[n_out++] = i;
  }
  if (n_in == 0) return 0;
  if (n_in == 4) return 1;
  if (n_in == 2) {
    /* The wedge over the edge between the two corners inside, cut in three tetrahedra. */
    double a = f[in[0]], b = f[in[1]], c = f[out[0]], d = f[out[1]];
    double ac = a / (a - c), ad = a / (a - d), bc = b / (b - c), bd = b / (b - d);
    return ac * ad + ac * bd * (1 - ad) + (1 - ac) * bc * bd;
  }
  int lone = n_in == 1 ? in[0] : out[0];
  double corner = 1;
  for (int i = 0; i < 4; i++) {
    if (i != lone) corner *= f[lone] / (f[lone] - f[i]);
  }
  return n_in == 1 ? corner : 1 - corner;
}

/* ---- The lattice ---- */

/// Points with barycentric coordinates in halves and the eight tetrahedra between them. Quarters change volumes by less
/// than one in ten thousand and take three times as long.
typedef struct {
  double l[POINTS][4];
  int cell[CELLS][4];
} Lattice;

static int lattice_index(const int l[4]) {
  int k = 0;
  for (int a = 0; a <= STEPS; a++) {
    for (int b = 0; a + b <= STEPS; b++) {
      for (int c = 0; a + b + c <= STEPS; c++, k++) {
        if (a == l[0] && b == l[1] && c == l[2]) return k;
      }
    }
  }
  return -1;
}

/// Cut a tetrahedron with corners in lattice steps into eight, `depth` times.
static void lattice_cut(const int corner[4][4], int depth, Lattice *lattice, int *cells) {
  static const int child[8][4][2] = {{{0, 0}, {0, 1}, {0, 2}, {0, 3}}, {{0, 1}, {1, 1}, {1, 2}, {1, 3}},
                                     {{0, 2}, {1, 2}, {2, 2}, {2, 3}}, {{0, 3}, {1, 3}, {2, 3}, {3, 3}},
                                     {{0, 2}, {1, 3}, {0, 1}, {1, 2}}, {{0, 2}, {1, 3}, {1, 2}, {2, 3}},
                                     {{0, 2}, {1, 3}, {2, 3}, {0, 3}}, {{0, 2}, {1, 3}, {0, 3}, {0, 1}}};
  if (depth == 0) {
    for (int i = 0; i < 4; i++) lattice->cell[*cells][i] = lattice_index(corner[i]);
    ++*cells;
    return;
  }
  for (int k = 0; k < 8; k++) {
    int next[4][4];
    for (int i = 0; i < 4; i++) {
      for (int b = 0; b < 4; b++) next[i][b] = (corner[child[k][i][0]][b] + corner[child[k][i][1]][b]) / 2;
    }
    lattice_cut((const int(*)[4])next, depth - 1, lattice, cells);
  }
}

static void lattice_make(Lattice *lattice) {
  static const int corner[4][4] = {{STEPS, 0, 0, 0}, {0, STEPS, 0, 0}, {0, 0, STEPS, 0}, {0, 0, 0, STEPS}};
  int k = 0, cells = 0;
  for (int a = 0; a <= STEPS; a++) {
    for (int b = 0; a + b <= STEPS; b++) {
      for (int c = 0; a + b + c <= STEPS; c++, k++) {
        int l[4] = {a, b, c, STEPS - a - b - c};
        for (int i = 0; i < 4; i++) lattice->l[k][i] = (double)l[i] / STEPS;
      }
    }
  }
  lattice_cut(corner, 1, lattice, &cells);
}

/* ---- One tetrahedron ---- */

/// A tetrahedron at work.
typedef struct {
  const IrzZoneTask *task;
  const Lattice *lattice;
  int32_t tet, curved, general;
  bool bent;
  double x[10][3];
  double volume;
  double corner[16][4][3]; ///< gradients at the corners for each pulse, if straight and order 2
} Cell;

/// Largest |E| over the pulses at a point.
static double field_at(Cell *cell, const double l[4]) {
  const IrzZoneTask *task = cell->task;
  const int32_t *node = task->medium->part->tet[cell->tet];
  double largest = 0;
  if (task->order == 1) {
    for (int i = 0; i < 4; i++) largest += l[i] * task->recovered[node[i]];
    return largest;
  }
  for (int p = 0; p < task->n_pulses; p++) {
    double g[3] = {0, 0, 0};
    if (cell->bent || p >= 16) {
      double u[10];
      for (int i = 0; i < 10; i++) u[i] = task->potential[p][node[i]];
      irz_gradient(cell->x, cell->bent, 10, u, l, g);
    } else {
      for (int i = 0; i < 4; i++) {
        for (int d = 0; d < 3; d++) g[d] += l[i] * cell->corner[p][i][d];
      }
    }
    largest = fmax(largest, g[0] * g[0] + g[1] * g[1] + g[2] * g[2]);
  }
  return sqrt(largest);
}

/// Bounds on the field in a straight tetrahedron of order 2, where the gradient is linear; also fills `corner`.
static void field_bounds(Cell *cell, double *low, double *high) {
  const IrzZoneTask *task = cell->task;
  const int32_t *node = task->medium->part->tet[cell->tet];
  *low = 0;
  *high = 0;
  if (task->order == 1) {
    *low = INFINITY;
    for (int i = 0; i < 4; i++) {
      *low = fmin(*low, task->recovered[node[i]]);
      *high = fmax(*high, task->recovered[node[i]]);
    }
    return;
  }
  if (cell->bent || task->n_pulses > 16) {
    *high = INFINITY;
    return;
  }
  for (int p = 0; p < task->n_pulses; p++) {
    double u[10], mean[3] = {0, 0, 0}, least = INFINITY, size = 0;
    for (int i = 0; i < 10; i++) u[i] = task->potential[p][node[i]];
    irz_corner_gradients(cell->x, u, cell->corner[p]);
    for (int i = 0; i < 4; i++) {
      const double *g = cell->corner[p][i];
      *high = fmax(*high, sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]));
      for (int d = 0; d < 3; d++) mean[d] += 0.25 * g[d];
    }
    for (int d = 0; d < 3; d++) size += mean[d] * mean[d];
    for (int i = 0; i < 4 && size > 0; i++) {
      const double *g = cell->corner[p][i];
      least = fmin(least, (g[0] * mean[0] + g[1] * mean[1] + g[2] * mean[2]) / sqrt(size));
    }
    if (size > 0) *low = fmax(*low, least);
  }
}

/// Position of a point.
static void position(const Cell *cell, const double l[4], double x[3]) {
  for (int d = 0; d < 3; d++) {
    x[d] = 0;
    if (cell->bent) {
      for (int i = 0; i < 4; i++) x[d] += l[i] * (2 * l[i] - 1) * cell->x[i][d];
      for (int e = 0; e < 6; e++)
        x[d] += 4 * l[irz_edge_vertices[e][0]] * l[irz_edge_vertices[e][1]] * cell->x[4 + e][d];
    } else {
      for (int i = 0; i < 4; i++) x[d] += l[i] * cell->x[i][d];
    }
  }
}

static double tet_volume(const double *a, const double *b, const double *c, const double *d) {
  double e[3][3];
  for (int k = 0; k < 3; k++) {
    e[0][k] = b[k] - a[k];
    e[1][k] = c[k] - a[k];
    e[2][k] = d[k] - a[k];
  }
  return fabs(e[0][0] * (e[1][1] * e[2][2] - e[1][2] * e[2][1]) - e[0][1] * (e[1][0] * e[2][2] - e[1][2] * e[2][0]) +
              e[0][2] * (e[1][0] * e[2][1] - e[1][1] * e[2][0])) /
         6;
}

static void grow(double box[2][3], const double x[3]) {
  for (int d = 0; d < 3; d++) {
    box[0][d] = fmin(box[0][d], x[d]);
    box[1][d] = fmax(box[1][d], x[d]);
  }
}

/// The other field of the two, for comparison: recovered at order 2, element-wise at order 1.
static double other_field(Cell *cell, const double l[4]) {
  const IrzZoneTask *task = cell->task;
  const int32_t *node = task->medium->part->tet[cell->tet];
  double sum = 0, u[10], g[3];
  if (task->order == 2) {
    for (int i = 0; i < 4; i++) sum += l[i] * (2 * l[i] - 1) * task->recovered[node[i]];
    for (int e = 0; e < 6; e++) {
      sum += 4 * l[irz_edge_vertices[e][0]] * l[irz_edge_vertices[e][1]] * task->recovered[node[4 + e]];
    }
    return sum;
  }
  for (int p = 0; p < task->n_pulses; p++) {
    for (int i = 0; i < 10; i++) u[i] = task->potential[p][node[i]];
    irz_gradient(cell->x, cell->bent, 4, u, l, g);
    sum = fmax(sum, sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]));
  }
  return sum;
}

/// A field at a point of a tetrahedron: field_at() or other_field().
typedef double (*FieldAt)(Cell *cell, const double l[4]);

/// Barycentric coordinates of the centre of a lattice cell.
static const double *lattice_center(const Lattice *lattice, const int *p, double center[4]) {
  for (int k = 0; k < 4; k++) {
    center[k] = 0.25 * (lattice->l[p[0]][k] + lattice->l[p[1]][k] + lattice->l[p[2]][k] + lattice->l[p[3]][k]);
  }
  return center;
}

/// Volume above a threshold on the lattice, and the box around it if `box` is given.
static double lattice_volume(Cell *cell, FieldAt at, const double field[POINTS], double (*x)[3], double threshold,
                             double (*box)[3]) {
  const Lattice *lattice = cell->lattice;
  double sum = 0;
  for (int c = 0; c < CELLS; c++) {
    const int *p = lattice->cell[c];
    double f[4];
    for (int i = 0; i < 4; i++) f[i] = field[p[i]] - threshold;
    double fraction = irz_cut_fraction(f);
    if (fraction <= 0) continue;
    if (fraction < 1 && cell->task->order == 2) {
      /* |E| is convex between the corners, so its linear interpolant is too high and the volume too large. Lower it by
       * its mean excess: that of a quadratic is 16/20 of the excess at the centre, a mean of l_i l_j against 1/16. */
      double center[4], excess = -at(cell, lattice_center(lattice, p, center)), shifted[4];
      for (int i = 0; i < 4; i++) excess += 0.25 * field[p[i]];
      for (int i = 0; i < 4; i++) shifted[i] = f[i] - 0.8 * excess;
      fraction = irz_cut_fraction(shifted);
    }
    sum += fraction * tet_volume(x[p[0]], x[p[1]], x[p[2]], x[p[3]]);
    if (box == NULL) continue;
    for (int i = 0; i < 4; i++) {
      if (f[i] < 0) continue;
      grow(box, x[p[i]]);
      for (int j = 0; j < 4; j++) {
        if (f[j] >= 0) continue;
        double cut[3], s = f[i] / (f[i] - f[j]);
        for (int d = 0; d < 3; d++) cut[d] = x[p[i]][d] + s * (x[p[j]][d] - x[p[i]][d]);
        grow(box, cut);
      }
    }
  }
  return sum;
}

/// Running sums of one rank; `scatter` holds squares.
typedef struct {
  IrzVolume zone;
  double box[2][3];
  IrzVolume also[IRZ_MAX_ALSO];
  double *region_volume, *region_ablated;
} Sums;

/// Step in the threshold for the slope of the volume, relative.
static const double slope_step = 0.03;

/// Field in a tetrahedron on the lattice: bounds, and values where a threshold may cut it.
typedef struct {
  double low, high;
  double whole; ///< m^3
  double scale; ///< true volume over that of the lattice's flat tetrahedra
  double x[POINTS][3], field[POINTS], other[POINTS];
} Sampled;

/// Volume above a threshold in one tetrahedron, added to the sums.
static double add_volume(Cell *cell, Sampled *s, double threshold, double (*box)[3], IrzVolume *sum) {
  double next = threshold * (1 + slope_step), volume = 0, recovered = 0, above = 0;
  if (s->low >= next) {
    volume = recovered = above = s->whole;
  } else if (threshold <= s->high) {
    /* The extent comes from the recovered field: one poor element must not stretch it. */
    bool first = cell->task->order == 1;
    volume = s->scale * lattice_volume(cell, field_at, s->field, s->x, threshold, first ? box : NULL);
    recovered = s->scale * lattice_volume(cell, other_field, s->other, s->x, threshold, first ? NULL : box);
    above = s->scale * lattice_volume(cell, field_at, s->field, s->x, next, NULL);
  }
  if (box != NULL && s->low >= next) {
    for (int i = 0; i < (cell->bent ? 10 : 4); i++) grow(box, cell->x[i]);
  }
  sum->volume += volume;
  sum->recovered += recovered;
  sum->scatter += (volume - recovered) * (volume - recovered);
  sum->slope += (volume - above) / slope_step;
  return volume;
}

/// Add a quadrature point's share to a volume.
static bool add_share(double field, double other, double threshold, double share, IrzVolume *sum) {
  bool in = field >= threshold, also_in = other >= threshold;
  sum->volume += in ? share : 0;
  sum->recovered += also_in ? share : 0;
  sum->scatter += in != also_in ? share * share : 0;
  sum->slope += in && field < threshold * (1 + slope_step) ? share / slope_step : 0;
  return in;
}

/// A tetrahedron with several regions inside: each point of its rule stands for its share.
static void measure_mixed(Cell *cell, Sums *sums) {
  const IrzZoneTask *task = cell->task;
  const IrzRule *rule = irz_medium_rule(task->medium, cell->general);
  const uint8_t *region = task->medium->point_region + task->medium->first_point[cell->general];
  for (int q = 0; q < rule->count; q++) {
    double zero[10] = {0}, unused[3], x[3];
    double det = irz_gradient(cell->x, cell->bent, 10, zero, rule->point[q], unused), share = rule->weight[q] * det / 6;
    double field = field_at(cell, rule->point[q]), other = other_field(cell, rule->point[q]);
    sums->region_volume[region[q]] += share;
    if (add_share(field, other, task->threshold[region[q]], share, &sums->zone)) {
      sums->region_ablated[region[q]] += share;
      position(cell, rule->point[q], x);
      grow(sums->box, x);
    }
    for (int k = 0; k < task->n_also; k++) add_share(field, other, task->also[k], share, &sums->also[k]);
  }
}

/// Volume of a curved tetrahedron: the determinant of its map is a cubic polynomial, so the rule of degree 5 is exact.
static double curved_volume(Cell *cell) {
  const IrzRule *rule = &irz_rule_curved;
  double zero[10] = {0}, unused[3], sum = 0;
  for (int q = 0; q < rule->count; q++) {
    sum += rule->weight[q] / 6 * irz_gradient(cell->x, true, 10, zero, rule->point[q], unused);
  }
  return sum;
}

/// A tetrahedron in one region.
static void measure_plain(Cell *cell, Sums *sums) {
  const IrzZoneTask *task = cell->task;
  int region = task->medium->region[cell->tet];
  double threshold = task->threshold[region];
  Sampled s;
  field_bounds(cell, &s.low, &s.high);
  bool cut = s.low < threshold * (1 + slope_step) && threshold <= s.high;
  for (int k = 0; k < task->n_also; k++) {
    cut = cut || (s.low < task->also[k] * (1 + slope_step) && task->also[k] <= s.high);
  }
  s.whole = tet_volume(cell->x[0], cell->x[1], cell->x[2], cell->x[3]);
  if (cut || cell->bent) {
    for (int p = 0; p < POINTS; p++) position(cell, cell->lattice->l[p], s.x[p]);
  }
  for (int p = 0; cut && p < POINTS; p++) {
    s.field[p] = field_at(cell, cell->lattice->l[p]);
    s.other[p] = other_field(cell, cell->lattice->l[p]);
  }
  s.scale = 1;
  if (cell->bent) {
    double flat = 0;
    for (int c = 0; c < CELLS; c++) {
      const int *p = cell->lattice->cell[c];
      flat += tet_volume(s.x[p[0]], s.x[p[1]], s.x[p[2]], s.x[p[3]]);
    }
    s.whole = curved_volume(cell);
    s.scale = s.whole / flat;
  }
  sums->region_volume[region] += s.whole;
  sums->region_ablated[region] += add_volume(cell, &s, threshold, sums->box, &sums->zone);
  for (int k = 0; k < task->n_also; k++) add_volume(cell, &s, task->also[k], NULL, &sums->also[k]);
}

/* ---- All tetrahedra ---- */

/// Measure the tetrahedra in [first, last).
static void measure_range(const IrzZoneTask *task, const Lattice *lattice, int32_t first, int32_t last, Sums *sums) {
  const IrzPart *part = task->medium->part;
  Cell cell = {.task = task, .lattice = lattice};
  int32_t curved = 0;
  while (curved < part->n_curved && part->curved_tet[curved] < first) curved++;
  for (int32_t t = first; t < last; t++) {
    cell.bent = curved < part->n_curved && part->curved_tet[curved] == t;
    cell.curved = cell.bent ? curved : -1;
    curved += cell.bent;
    if (!part->mine[t]) continue;
    cell.tet = t;
    cell.general = task->medium->general[t] - 1;
    irz_part_nodes(part, t, cell.curved, cell.x);
    if (cell.general >= 0 && task->medium->mixed[cell.general]) {
      double low, high;
      if (!cell.bent) field_bounds(&cell, &low, &high); /* for the gradients at the corners */
      measure_mixed(&cell, sums);
    } else {
      measure_plain(&cell, sums);
    }
  }
}

static void sums_clear(Sums *sums) {
  free(sums->region_volume);
  free(sums->region_ablated);
}

static IrzCode sums_create(int n_regions, Sums *sums, IrzError *error) {
  *sums = (Sums){.box = {{INFINITY, INFINITY, INFINITY}, {-INFINITY, -INFINITY, -INFINITY}}};
  IRZ_TRY(irz_alloc(&sums->region_volume, (size_t)n_regions, sizeof(double), error));
  return irz_alloc(&sums->region_ablated, (size_t)n_regions, sizeof(double), error);
}

static void add(IrzVolume *sum, const IrzVolume *more) {
  sum->volume += more->volume;
  sum->recovered += more->recovered;
  sum->scatter += more->scatter;
  sum->slope += more->slope;
}

static void sums_add(const IrzZoneTask *task, Sums *sums, const Sums *more) {
  add(&sums->zone, &more->zone);
  for (int k = 0; k < task->n_also; k++) add(&sums->also[k], &more->also[k]);
  for (int r = 0; r < task->medium->n_regions; r++) {
    sums->region_volume[r] += more->region_volume[r];
    sums->region_ablated[r] += more->region_ablated[r];
  }
  for (int d = 0; d < 3; d++) {
    sums->box[0][d] = fmin(sums->box[0][d], more->box[0][d]);
    sums->box[1][d] = fmax(sums->box[1][d], more->box[1][d]);
  }
}

/// Measure this rank's tetrahedra with all threads, in chunks that are added up in order.
static IrzCode measure_part(const IrzZoneTask *task, const Lattice *lattice, Sums *sums, IrzError *error) {
  enum { CHUNKS = 64 };
  Sums *chunk = NULL;
  int64_t n = task->medium->part->n_tets;
  IrzCode code = irz_alloc(&chunk, CHUNKS, sizeof *chunk, error);
  for (int k = 0; code == IRZ_OK && k < CHUNKS; k++) code = sums_create(task->medium->n_regions, &chunk[k], error);
  if (code == IRZ_OK) {
#pragma omp parallel for num_threads(task->n_threads) schedule(dynamic)
    for (int k = 0; k < CHUNKS; k++) {
      measure_range(task, lattice, (int32_t)(n * k / CHUNKS), (int32_t)(n * (k + 1) / CHUNKS), &chunk[k]);
    }
    for (int k = 0; k < CHUNKS; k++) sums_add(task, sums, &chunk[k]);
  }
  for (int k = 0; chunk != NULL && k < CHUNKS; k++) sums_clear(&chunk[k]);
  free(chunk);
  return code;
}

IrzCode irz_zone_measure(const IrzZoneTask *task, IrzZoneMeasure *measure, IrzError *error) {
  MPI_Comm comm = task->medium->part->comm;
  int n = task->medium->n_regions;
  Lattice *lattice = NULL;
  Sums sums;
  sums_create(n, &sums, error);
  if (error->code == IRZ_OK) irz_alloc(&lattice, 1, sizeof *lattice, error);
  if (error->code == IRZ_OK) {
    lattice_make(lattice);
    measure_part(task, lattice, &sums, error);
  }
  IrzCode code = irz_error_agree(comm, error);
  if (code == IRZ_OK) {
    MPI_Allreduce(&sums.zone, &measure->zone, 4, MPI_DOUBLE, MPI_SUM, comm);
    MPI_Allreduce(sums.also, measure->also, 4 * IRZ_MAX_ALSO, MPI_DOUBLE, MPI_SUM, comm);
    measure->zone.scatter = sqrt(measure->zone.scatter);
    for (int k = 0; k < task->n_also; k++) measure->also[k].scatter = sqrt(measure->also[k].scatter);
    MPI_Allreduce(sums.region_volume, measure->region_volume, n, MPI_DOUBLE, MPI_SUM, comm);
    MPI_Allreduce(sums.region_ablated, measure->region_ablated, n, MPI_DOUBLE, MPI_SUM, comm);
    MPI_Allreduce(sums.box[0], measure->box[0], 3, MPI_DOUBLE, MPI_MIN, comm);
    MPI_Allreduce(sums.box[1], measure->box[1], 3, MPI_DOUBLE, MPI_MAX, comm);
    if (!(measure->box[0][0] <= measure->box[1][0])) memset(measure->box, 0, sizeof measure->box);
  }
  free(lattice);
  sums_clear(&sums);
  return code;
}
