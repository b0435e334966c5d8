/* Moved points and changed values; see drawn.h. */
#include "zone/drawn.h"
#include "base/memory.h"
#include "base/threads.h"
#include "zone/cut.h"
#include "zone/sharpen.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Levels of the field between which it is counted how much volume lies above, and steps of the tables of laws.
enum { BINS = 512, STEPS = 1024 };

/// How often values are changed: a change at one level also moves the cuts at levels between a point's and its
/// neighbours'. More passes change volumes by less than a tenth of their error bars. Changes are smoothed over a few
/// levels, so that they follow no single sample.
enum { PASSES = 5, SMOOTH = 10 };

/// Places in a tetrahedron where its fields are looked at; tetrahedra are taken in chunks.
enum { SAMPLES = 16, CHUNKS = 64 };

/// The levels reach that far beyond the lowest and the highest threshold, relative, and the tables as far again. Beyond
/// them values change by as much, relative, as at the last level: sizes grow with the distance from the needles, and
/// the field falls as a power of it.
static const double below = 0.8, above = 1.25;

/// Fields that ablate by irreversible electroporation, V/m: all tissues' thresholds are between them.
static const double usual[2] = {350e2, 700e2};

/// A point is moved at most this far towards an end of its edge: at a quarter the map of a quadratic cell would fold.
static const double nearest = 0.26;

/// A kink smaller than this, as a jump of d ln(current density) / d ln(field), is none.
static const double least_kink = 0.1;

/// Where ln sigma changes less in a tetrahedron, the law makes no difference there.
static const double least_change = 1e-3;

/// Where so few samples lie above a level, half of the change there is believed.
static const double few_samples = 50;

/// ln sigma against the field, and ln of the field, in equal steps.
typedef struct {
  double ln_field[STEPS + 1], ln_sigma[STEPS + 1];
  double kink[IRZ_LAW_MAX_POINTS], jump[IRZ_LAW_MAX_POINTS]; ///< V/m, and how much the law bends there
  int n_kinks;
} LawTable;

/// Where a tetrahedron is looked at.
typedef struct {
  double l[4][SAMPLES];     ///< barycentric coordinates
  double bent[10][SAMPLES]; ///< functions of order 2
  double share[8];          ///< of the volume, that a sample in each small tetrahedron stands for
} Grid;

/// What is drawn, and what for.
typedef struct {
  const IrzZoneTask *task;
  IrzDrawn *drawn;
  double low, high;         ///< V/m, of the levels
  double middle;            ///< V/m: levels and tables have equal steps of |E| / (|E| + middle), for any range
  double per_level, bottom; ///< levels for a change of that by 1, and where they begin
  double per_step, first;   ///< the same of the tables
  double unit;              ///< counts per m^3: whole numbers add up to the same in any order
  LawTable *table;          ///< [n_regions]; order 2 only
  double flat[3][10]
             [SAMPLES]; ///< weights of the points' values at the samples, linear in the small tetrahedra of each way
  Grid grid;            ///< of a tetrahedron with its points in the middles of its edges
} Work;

/// Volume and samples from each level to the next.
typedef struct {
  int64_t measured[BINS + 1], drawn[BINS + 1], samples[BINS + 1];
} Counts;

/// Place on the scale of levels and tables, 0 to 1.
static inline double scale_of(const Work *work, double field) {
  return field / (field + work->middle);
}

/// The field at a place on the scale, V/m.
static inline double field_at(const Work *work, double place) {
  return work->middle * place / (1 - place);
}

/* ---- Laws ---- */

static void add_kink(const IrzLaw *law, double field, double jump, LawTable *table) {
  double bend = fabs(jump) * field / irz_law_sigma(law, field, NULL);
  if (bend < least_kink) return;
  table->kink[table->n_kinks] = field;
  table->jump[table->n_kinks++] = bend;
}

/// List where a law's slope jumps.
static void find_kinks(const IrzLaw *law, LawTable *table) {
  double before = 0;
  table->n_kinks = 0;
  if (law->kind == IRZ_LAW_RAMP) {
    double slope = (law->high - law->low) / (law->q - law->p);
    add_kink(law, law->p, slope, table);
    add_kink(law, law->q, slope, table);
  }
  for (int i = 0; law->kind == IRZ_LAW_TABLE && i < law->n_points; i++) {
    double after = 0;
    if (i + 1 < law->n_points) after = (law->sigma[i + 1] - law->sigma[i]) / (law->field[i + 1] - law->field[i]);
    add_kink(law, law->field[i], after - before, table);
    before = after;
  }
}

static void fill_table(const Work *work, const IrzLaw *law, LawTable *table) {
  for (int k = 0; k <= STEPS; k++) {
    double field = field_at(work, work->first + k / work->per_step);
    table->ln_field[k] = log(field);
    table->ln_sigma[k] = log(irz_law_sigma(law, field, NULL));
  }
  find_kinks(law, table);
}

/// ln of field and conductivity.
static void look_up(const Work *work, const IrzLaw *law, const LawTable *table, double field, double *ln_field,
                    double *ln_sigma) {
  double at = (scale_of(work, field) - work->first) * work->per_step;
  if (at >= 0 && at < STEPS) {
    int k = (int)at;
    *ln_field = table->ln_field[k] + (at - k) * (table->ln_field[k + 1] - table->ln_field[k]);
    *ln_sigma = table->ln_sigma[k] + (at - k) * (table->ln_sigma[k + 1] - table->ln_sigma[k]);
  } else {
    field = fmax(field, 1e-3 * work->low);
    *ln_field = log(field);
    *ln_sigma = log(irz_law_sigma(law, field, NULL));
  }
}

/// The field at which ln(|E| sigma^w) has a value, V/m; at the ends of the table if it is beyond them.
/// @param[in] guess  V/m
static double undo(const Work *work, const LawTable *table, double along, double wanted, double guess) {
  double start = (scale_of(work, guess) - work->first) * work->per_step;
  int low = 0, high = STEPS, k = (int)fmin(fmax(start, 0), STEPS - 1);
  for (;;) {
    double left = table->ln_field[k] + along * table->ln_sigma[k];
    double right = table->ln_field[k + 1] + along * table->ln_sigma[k + 1];
    double at = (wanted - left) / (right - left);
    if (at >= 0 && at <= 1) return field_at(work, work->first + (k + at) / work->per_step);
    if (at < 0)
      high = k;
    else
      low = k + 1;
    if (low >= high) return field_at(work, work->first + low / work->per_step);
    double next = floor(k + at);
    k = next >= low && next < high ? (int)next : low + (high - low) / 2;
  }
}

/* ---- Places ---- */

/// Mark the edges whose points have to stay: those of curved tetrahedra.
static IrzCode find_fixed(const IrzPart *part, double *place, IrzError *error) {
  double *node = NULL;
  if (part->size == 1) {
    for (int32_t k = 0; k < part->n_curved; k++) {
      for (int e = 0; e < 6; e++) place[part->tet[part->curved_tet[k]][4 + e] - part->n_vertices] = -1;
    }
    return IRZ_OK;
  }
  /* A rank may have a straight tetrahedron at an edge, and not the curved one. */
  irz_alloc(&node, (size_t)part->n_vertices + (size_t)part->n_edges, sizeof *node, error);
  IRZ_TRY(irz_error_agree(part->comm, error));
  for (int32_t k = 0; k < part->n_curved; k++) {
    for (int e = 0; e < 6; e++) node[part->tet[part->curved_tet[k]][4 + e]] = -1;
  }
  IrzCode code = irz_part_share(part, 1, node, error);
  for (int32_t i = 0; i < part->n_edges; i++) {
    if (node[part->n_vertices + i] < 0) place[i] = -1;
  }
  free(node);
  return code;
}

/// Where a quadratic between two values meets one between them.
/// @param[in] value  [3] at 0, 1 and in the middle
static double crossing(const double value[3], double wanted) {
  double c = value[0] - wanted, b = 4 * value[2] - 3 * value[0] - value[1],
         a = 2 * (value[0] + value[1]) - 4 * value[2];
  double q = -0.5 * (b + copysign(sqrt(fmax(b * b - 4 * a * c, 0)), b)), first = q != 0 ? c / q : 0.5;
  return first >= 0 && first <= 1 ? first : q / a;
}

/// Where an edge meets a field, if there it has a kink that is worth it.
/// @param[in] f      [3] V/m, at the ends and in the middle
/// @param[in] along  in the mean
/// @return share of the way, or 0.5
static double find_kink(const Work *work, const IrzLaw *law, const LawTable *table, const double f[3], double along,
                        double *field) {
  double best = 0.5, ln_field[3], ln_sigma[3], value[3];
  for (int k = 0; k < table->n_kinks; k++) {
    if (along * table->jump[k] < least_kink) continue;
    /* Not all to the same value: sums of who cuts cells by hand would divide by zero. */
    double kink = table->kink[k] * (1 + 1e-3 * (fmod(f[0] + f[1], 1) - 0.5));
    if ((f[0] - kink) * (f[1] - kink) >= 0 || kink < work->low || kink > work->high) continue;
    for (int i = 0; i < 3; i++) {
      look_up(work, law, table, f[i], &ln_field[i], &ln_sigma[i]);
      value[i] = ln_field[i] + along * ln_sigma[i];
    }
    look_up(work, law, table, kink, &ln_field[0], &ln_sigma[0]);
    double s = fmin(fmax(crossing(value, ln_field[0] + along * ln_sigma[0]), nearest), 1 - nearest);
    if (best != 0.5 && fabs(s - 0.5) >= fabs(best - 0.5)) continue;
    best = s;
    double there = value[0] * (1 - s) * (1 - 2 * s) + value[1] * s * (2 * s - 1) + 4 * value[2] * s * (1 - s);
    *field = undo(work, table, along, there, kink);
  }
  return best;
}

static inline bool crosses_kink(const LawTable *table, double a, double b) {
  bool crosses = false;
  for (int k = 0; k < table->n_kinks; k++) crosses = crosses || (a < table->kink[k]) != (b < table->kink[k]);
  return crosses;
}

/// A tetrahedron at each edge: those that matter are within one tissue.
static IrzCode find_beside(const IrzPart *part, int32_t **beside, IrzError *error) {
  IRZ_TRY(irz_alloc(beside, (size_t)part->n_edges, sizeof **beside, error));
  for (int32_t t = 0; t < part->n_tets; t++) {
    for (int e = 0; e < 6; e++) (*beside)[part->tet[t][4 + e] - part->n_vertices] = t;
  }
  return IRZ_OK;
}

/// The rows of an edge's ends and its own in a tetrahedron.
/// @param[in,out] row  [3] in: their nodes
static void rows_beside(const IrzZoneTask *task, int32_t tet, int32_t row[3]) {
  const int32_t *node = task->medium->part->tet[tet], *rows = irz_tet_rows(task->sides, task->medium->part, tet);
  for (int k = 0; k < 3; k++) {
    int i = k < 2 ? 0 : 4;
    while (node[i] != row[k]) i++;
    row[k] = rows[i];
  }
}

/// Move points to kinks. Collective.
static IrzCode place_points(const Work *work, IrzError *error) {
  const IrzZoneTask *task = work->task;
  const IrzPart *part = task->medium->part;
  int32_t *beside = NULL;
  bool kinks = false, several = false;
  for (int r = 0; r < task->medium->n_regions; r++) {
    kinks = kinks || work->table[r].n_kinks > 0;
    several = several || task->laws[r] != task->laws[0];
  }
  for (int32_t i = 0; i < part->n_edges; i++) work->drawn->place[i] = 0.5;
  if (!kinks) return IRZ_OK;
  IRZ_TRY(find_fixed(part, work->drawn->place, error));
  if (several) find_beside(part, &beside, error);
  IrzCode code = irz_error_agree(part->comm, error);
#pragma omp parallel for num_threads(irz_threads(task->n_threads)) schedule(static)
  for (int32_t i = 0; i < (code == IRZ_OK ? part->n_edges : 0); i++) {
    int32_t node[3] = {part->edge[2 * (size_t)i], part->edge[2 * (size_t)i + 1], part->n_vertices + i};
    double *place = &work->drawn->place[i], f[3], along = 0;
    bool plain = *place >= 0;
    int r = beside != NULL ? task->medium->region[beside[i]] : 0;
    *place = 0.5;
    if (irz_has_sides(task->sides, node[2])) continue; /* kinks of two laws, and one place */
    if (beside != NULL) rows_beside(task, beside[i], node);
    if (!plain || !crosses_kink(&work->table[r], task->recovered[node[0]], task->recovered[node[1]])) continue;
    for (int k = 0; k < 3; k++) {
      f[k] = task->recovered[node[k]];
      along += task->along[node[k]] / 3;
      plain = plain && task->along[node[k]] >= 0;
    }
    if (plain) *place = find_kink(work, task->laws[r], &work->table[r], f, along, &work->drawn->field[node[2]]);
  }
  free(beside);
  return code;
}

bool irz_drawn_points(const IrzPart *part, const IrzDrawn *drawn, int32_t tet, int32_t curved, double x[10][3]) {
  const int32_t *node = part->tet[tet];
  bool moved = false;
  irz_part_nodes(part, tet, curved, x);
  for (int e = 0; e < 6 && drawn->place != NULL; e++) {
    int32_t edge = node[4 + e] - part->n_vertices;
    double s = drawn->place[edge];
    if (s == 0.5) continue;
    const int *end = irz_edge_vertices[e];
    bool turned = node[end[0]] != part->edge[2 * (size_t)edge];
    const double *a = x[end[turned ? 1 : 0]], *b = x[end[turned ? 0 : 1]];
    for (int d = 0; d < 3; d++) x[4 + e][d] = (1 - s) * a[d] + s * b[d];
    moved = true;
  }
  return moved;
}

/* ---- Samples ---- */

const int irz_drawn_children[3][8][4] = {
    {{0, 4, 5, 6}, {4, 1, 7, 8}, {5, 7, 2, 9}, {6, 8, 9, 3}, {5, 8, 4, 7}, {5, 8, 7, 9}, {5, 8, 9, 6}, {5, 8, 6, 4}},
    {{0, 4, 5, 6}, {4, 1, 7, 8}, {5, 7, 2, 9}, {6, 8, 9, 3}, {4, 9, 5, 7}, {4, 9, 7, 8}, {4, 9, 8, 6}, {4, 9, 6, 5}},
    {{0, 4, 5, 6}, {4, 1, 7, 8}, {5, 7, 2, 9}, {6, 8, 9, 3}, {6, 7, 4, 5}, {6, 7, 5, 9}, {6, 7, 9, 8}, {6, 7, 8, 4}}};

/// Choose where it is looked: in small tetrahedron s % 8 near a corner, in turn, so that together all of it is seen.
static void place_samples(const int child[8][4], double flat[10][SAMPLES]) {
  memset(flat, 0, 10 * sizeof flat[0]);
  for (int s = 0; s < SAMPLES; s++) {
    int near = s < 8 ? s % 4 : (s + 2) % 4;
    for (int i = 0; i < 4; i++) flat[child[s % 8][i]][s] = i == near ? IRZ_RULE_FAR : IRZ_RULE_NEAR;
  }
}

/// Share of a tetrahedron that a small one between its points takes.
static double child_share(int c, double node[10][4]) {
  const int *k = irz_child_nodes[c];
  double a[3], b[3], d[3];
  for (int i = 0; i < 3; i++) {
    a[i] = node[k[1]][i] - node[k[0]][i];
    b[i] = node[k[2]][i] - node[k[0]][i];
    d[i] = node[k[3]][i] - node[k[0]][i];
  }
  return fabs(a[0] * (b[1] * d[2] - b[2] * d[1]) + a[1] * (b[2] * d[0] - b[0] * d[2]) +
              a[2] * (b[0] * d[1] - b[1] * d[0]));
}

/// Work out where a tetrahedron is looked at, from the barycentric coordinates of its points.
static void make_grid(double flat[10][SAMPLES], double node[10][4], Grid *grid) {
  for (int d = 0; d < 4; d++) {
#pragma omp simd
    for (int s = 0; s < SAMPLES; s++) grid->l[d][s] = 0;
    for (int i = 0; i < 10; i++) {
#pragma omp simd
      for (int s = 0; s < SAMPLES; s++) grid->l[d][s] += flat[i][s] * node[i][d];
    }
  }
  for (int i = 0; i < 4; i++) {
#pragma omp simd
    for (int s = 0; s < SAMPLES; s++) grid->bent[i][s] = grid->l[i][s] * (2 * grid->l[i][s] - 1);
  }
  for (int e = 0; e < 6; e++) {
    const double *a = grid->l[irz_edge_vertices[e][0]], *b = grid->l[irz_edge_vertices[e][1]];

#pragma omp simd
    for (int s = 0; s < SAMPLES; s++) grid->bent[4 + e][s] = 4 * a[s] * b[s];
  }
  for (int c = 0; c < 8; c++) grid->share[c] = child_share(c, node) * 8 / SAMPLES;
}

/// The grid of a tetrahedron as drawn.
/// @param[out] own  filled if a point is not in the middle of its edge
static const Grid *grid_of(Work *work, int32_t tet, Grid *own) {
  const IrzPart *part = work->task->medium->part;
  double node[10][4] = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}};
  bool moved = false;
  if (work->drawn->place == NULL) return &work->grid;
  for (int e = 0; e < 6; e++) moved = moved || work->drawn->place[part->tet[tet][4 + e] - part->n_vertices] != 0.5;
  if (!moved) return &work->grid;
  for (int e = 0; e < 6; e++) {
    int32_t edge = part->tet[tet][4 + e] - part->n_vertices;
    int a = irz_edge_vertices[e][0], b = irz_edge_vertices[e][1];
    bool turned = part->tet[tet][a] != part->edge[2 * (size_t)edge];
    node[4 + e][turned ? b : a] = 1 - work->drawn->place[edge];
    node[4 + e][turned ? a : b] = work->drawn->place[edge];
  }
  make_grid(work->flat[0], node, own);
  return own;
}

/// Linear combinations of the nodes' values at all samples.
static inline void combine(const double weight[10][SAMPLES], const double value[10], double sum[SAMPLES]) {
#pragma omp simd
  for (int s = 0; s < SAMPLES; s++) sum[s] = 0;
  for (int i = 0; i < 10; i++) {
#pragma omp simd
    for (int s = 0; s < SAMPLES; s++) sum[s] += weight[i][s] * value[i];
  }
}

/// A tetrahedron that a level meets.
typedef struct {
  int32_t tet;
  int64_t volume[8]; ///< that a sample in each small tetrahedron stands for, in units
} Met;

/// The drawn field at a tetrahedron's samples.
static void drawn_fields(const Work *work, int32_t tet, double field[SAMPLES]) {
  const int32_t *node = irz_tet_rows(work->task->sides, work->task->medium->part, tet);
  double value[10];
  for (int i = 0; i < 10; i++) value[i] = work->drawn->field[node[i]];
  combine(work->flat[irz_drawn_way(work->drawn->field, node)], value, field);
}

/// Levels of fields, kept inside.
static inline void levels_of(const Work *work, const double field[SAMPLES], int level[SAMPLES]) {
  for (int s = 0; s < SAMPLES; s++) {
    double at = (scale_of(work, field[s]) - work->bottom) * work->per_level;
    level[s] = (int)(at < 0 ? 0 : at < BINS ? at : BINS);
  }
}

/// Add a tetrahedron's volume to the levels of its samples.
static void add(const Work *work, const Met *met, const double field[SAMPLES], int64_t *bin) {
  int level[SAMPLES];
  levels_of(work, field, level);
  for (int s = 0; s < SAMPLES; s++) bin[level[s]] += met->volume[s % 8];
}

/// Tetrahedra that one thread takes at a time.
typedef struct {
  IrzCell cell; ///< where the element-wise field is measured
  Counts counts;
  Met *met; ///< [n]
  int32_t n, room;
} Chunk;

/// The element-wise field at a tetrahedron's samples: the largest over the pulses.
static void element_fields(const IrzZoneTask *task, const IrzCell *cell, const Grid *grid, double field[SAMPLES]) {
  for (int s = 0; s < SAMPLES; s++) {
    const double l[4] = {grid->l[0][s], grid->l[1][s], grid->l[2][s], grid->l[3][s]};
    field[s] = 0;
    for (int p = 0; p < task->n_pulses; p++) {
      double here = irz_cell_field(cell, p, l);
      field[s] = here > field[s] ? here : field[s];
    }
  }
}

/// The field that is smooth up to the law's kinks at a tetrahedron's samples.
/// @param[in]     along  mean of the nodes
/// @param[in,out] field  in: a guess
static void smooth_fields(const Work *work, const Grid *grid, int32_t tet, double along, double field[SAMPLES]) {
  const IrzZoneTask *task = work->task;
  const int32_t *node = irz_tet_rows(task->sides, task->medium->part, tet);
  int region = task->medium->region[tet];
  const LawTable *table = &work->table[region];
  double value[10], wanted[SAMPLES], least = INFINITY, most = -INFINITY;
  for (int i = 0; i < 10; i++) {
    double ln_field, ln_sigma;
    look_up(work, task->laws[region], table, task->recovered[node[i]], &ln_field, &ln_sigma);
    value[i] = ln_field + along * ln_sigma;
    least = ln_sigma < least ? ln_sigma : least;
    most = ln_sigma > most ? ln_sigma : most;
  }
  if (along * (most - least) < least_change) { /* the field itself is smooth */
    for (int i = 0; i < 10; i++) value[i] = task->recovered[node[i]];
    combine(grid->bent, value, field);
    return;
  }
  for (int i = 0; i < 10; i++) value[i] = exp(value[i]);
  combine(grid->bent, value, wanted);
  double tiny = 1e-6 * value[0]; /* a quadratic may fall below its nodes */
  for (int s = 0; s < SAMPLES; s++) field[s] = undo(work, table, along, log(fmax(wanted[s], tiny)), field[s]);
}

/// Whether the field in a tetrahedron of order 2 is smooth up to the law's kinks: irz_zone_measure() trusts it there.
/// @param[out] along  mean of the nodes
static bool is_smooth(const IrzZoneTask *task, int32_t tet, double *along) {
  const int32_t *node = irz_tet_rows(task->sides, task->medium->part, tet);
  int32_t general = task->medium->general[tet] - 1;
  if (task->along == NULL || (general >= 0 && task->medium->mixed[general])) return false;
  *along = 0;
  for (int i = 0; i < 10; i++) {
    if (task->along[node[i]] < 0) return false;
    *along += 0.1 * task->along[node[i]];
  }
  return true;
}

/// Count a tetrahedron's samples, of the measured field and of the drawn one.
/// @param[out] met  what it stands for
static void count_tet(Work *work, Chunk *chunk, int32_t tet, int32_t curved, Met *met) {
  Grid own;
  const Grid *grid = grid_of(work, tet, &own);
  double drawn[SAMPLES], field[SAMPLES], along, g[4][IRZ_ROW];
  double volume = work->unit / 6 * fabs(irz_straight_map(work->task->medium->part, tet, g));
  bool linear = work->task->order == 1; /* then half-way between two fields */
  int level[SAMPLES];
  met->tet = tet;
  for (int c = 0; c < 8; c++) met->volume[c] = 2 * (int64_t)(0.5 * volume * grid->share[c]);
  drawn_fields(work, tet, drawn);
  if (is_smooth(work->task, tet, &along)) {
    memcpy(field, drawn, sizeof field);
    smooth_fields(work, grid, tet, along, field);
  } else {
    irz_cell_move(&chunk->cell, tet, curved);
    element_fields(work->task, &chunk->cell, grid, field);
  }
  add(work, met, drawn, chunk->counts.drawn);
  levels_of(work, field, level);
  for (int s = 0; s < SAMPLES; s++) {
    chunk->counts.measured[level[s]] += linear ? met->volume[s % 8] / 2 : met->volume[s % 8];
    chunk->counts.samples[level[s]]++;
  }
  if (!linear) return;
  levels_of(work, drawn, level);
  for (int s = 0; s < SAMPLES; s++) chunk->counts.measured[level[s]] += met->volume[s % 8] / 2;
}

/// Whether a level meets a tetrahedron.
static bool is_met(const Work *work, int32_t tet) {
  const int32_t *node = irz_tet_rows(work->task->sides, work->task->medium->part, tet);
  double least = work->drawn->field[node[0]], most = least;
  for (int i = 1; i < 10; i++) {
    double field = work->drawn->field[node[i]];
    least = field < least ? field : least;
    most = field > most ? field : most;
  }
  return most >= work->low && least <= work->high;
}

/// List the tetrahedra of a chunk that levels meet, and count in them.
static IrzCode count_first(Work *work, Chunk *chunk, int32_t from, int32_t to, IrzError *error) {
  const IrzPart *part = work->task->medium->part;
  int32_t curved = irz_first_curved(part, from);
  for (int32_t t = from; t < to; t++) {
    if (!part->mine[t] || !is_met(work, t)) continue;
    if (chunk->n == chunk->room) {
      chunk->room = 2 * chunk->room + 64;
      IRZ_TRY(irz_resize(&chunk->met, (size_t)chunk->room, sizeof *chunk->met, error));
    }
    count_tet(work, chunk, t, irz_is_bent(part, t, &curved) ? curved : -1, &chunk->met[chunk->n++]);
  }
  return IRZ_OK;
}

/// Count the drawn field anew.
static void count_again(const Work *work, Chunk *chunk) {
  memset(chunk->counts.drawn, 0, sizeof chunk->counts.drawn);
  for (int32_t i = 0; i < chunk->n; i++) {
    double field[SAMPLES];
    drawn_fields(work, chunk->met[i].tet, field);
    add(work, &chunk->met[i], field, chunk->counts.drawn);
  }
}

/// Count the samples of all ranks. Collective.
static IrzCode count_all(Work *work, Chunk *chunk, bool first, Counts *counts, IrzError *error) {
  const IrzPart *part = work->task->medium->part;
  int64_t n = part->n_tets;
#pragma omp parallel for num_threads(irz_threads(work->task->n_threads)) schedule(dynamic)
  for (int k = 0; k < CHUNKS; k++) {
    IrzError own = {0};
    if (!first) {
      count_again(work, &chunk[k]);
    } else if (count_first(work, &chunk[k], (int32_t)(n * k / CHUNKS), (int32_t)(n * (k + 1) / CHUNKS), &own)) {
#pragma omp critical
      *error = own;
    }
  }
  IRZ_TRY(irz_error_agree(part->comm, error));
  memset(counts, 0, sizeof *counts);
  for (int k = 0; k < CHUNKS; k++) {
    for (int i = 0; i <= BINS; i++) {
      counts->measured[i] += chunk[k].counts.measured[i];
      counts->drawn[i] += chunk[k].counts.drawn[i];
      counts->samples[i] += chunk[k].counts.samples[i];
    }
  }
  MPI_Allreduce(MPI_IN_PLACE, counts, sizeof *counts / sizeof(int64_t), MPI_INT64_T, MPI_SUM, part->comm);
  return IRZ_OK;
}

/* ---- Values ---- */

/// The level above which as much is drawn as is measured above level k, in levels; k itself if it is nearly so, as
/// where there are no samples at all.
/// @param[in] drawn  [BINS + 1] volume above each level
static double equal_level(const double drawn[BINS + 1], double measured, int k) {
  if (fabs(drawn[k] - measured) <= 1e-6 * drawn[0]) return k;
  if (drawn[k] > measured) {
    while (k < BINS && drawn[k + 1] > measured) k++;
    return k < BINS ? k + (drawn[k] - measured) / (drawn[k] - drawn[k + 1]) : BINS;
  }
  while (k > 0 && drawn[k - 1] < measured) k--;
  return k > 0 && drawn[k] < measured ? k - (measured - drawn[k]) / (drawn[k - 1] - drawn[k]) : k;
}

/// Find how the drawn values have to change: from[k] becomes level k.
/// @param[out] from  in levels, not falling
static void find_changes(const Counts *counts, double from[BINS + 1]) {
  double drawn[BINS + 1], measured[BINS + 1], change[BINS + 1], samples = 0, all_drawn = 0, all_measured = 0;
  for (int k = BINS; k >= 0; k--) {
    drawn[k] = all_drawn += (double)counts->drawn[k];
    measured[k] = all_measured += (double)counts->measured[k];
  }
  for (int k = BINS; k >= 0; k--) {
    samples += (double)counts->samples[k];
    change[k] = samples / (samples + few_samples) * (k - equal_level(drawn, measured[k], k));
  }
  /* The outermost counts hold what lies beyond. */
  change[0] = change[1];
  change[BINS] = change[BINS - 1] = change[BINS - 2];
  for (int pass = 0; pass < SMOOTH; pass++) {
    double before = change[0];
    for (int k = 1; k < BINS; k++) {
      double here = change[k];
      change[k] = 0.5 * here + 0.25 * (before + change[k + 1]);
      before = here;
    }
    change[0] = change[1];
    change[BINS] = change[BINS - 1];
  }
  for (int k = 0; k <= BINS; k++) {
    from[k] = k - change[k];
    if (k > 0 && from[k] < from[k - 1]) from[k] = from[k - 1];
  }
}

static inline int32_t n_rows(const IrzZoneTask *task) {
  const IrzPart *part = task->medium->part;
  return task->sides != NULL ? task->sides->n_rows : part->n_vertices + part->n_edges;
}

/// Change the drawn values.
/// @param[in] changed  of find_changes()
static void change_values(const Work *work, const double changed[BINS + 1]) {
  const IrzPart *part = work->task->medium->part;
  int32_t n = n_rows(work->task), edges = work->task->order == 1 ? part->n_edges : 0; /* these are filled later */
  double change[BINS + 1];
  for (int i = 0, k = 0; i <= BINS; i++) { /* on equal steps of the present value */
    while (k < BINS && changed[k + 1] < i) k++;
    if (i <= changed[0] || changed[k] > i || k == BINS) {
      change[i] = i <= changed[0] ? -changed[0] : BINS - changed[BINS];
      continue;
    }
    double gap = changed[k + 1] - changed[k], s = gap > 0 ? (i - changed[k]) / gap : 0;
    change[i] = k + s - i;
  }
  double lowest = field_at(work, work->bottom + change[0] / work->per_level) / work->low;
  double highest = field_at(work, work->bottom + (BINS + change[BINS]) / work->per_level) / work->high;
#pragma omp parallel for num_threads(irz_threads(work->task->n_threads)) schedule(static)
  for (int32_t k = 0; k < n - edges; k++) {
    int32_t i = k < part->n_vertices ? k : k + edges;
    double *field = &work->drawn->field[i], place = scale_of(work, *field);
    double at = (place - work->bottom) * work->per_level;
    if (at < 0) {
      *field *= lowest;
    } else if (at >= BINS) {
      *field *= highest;
    } else {
      int from = (int)at;
      double step = change[from] + (at - from) * (change[from + 1] - change[from]);
      if (step != 0) *field = field_at(work, place + step / work->per_level);
    }
  }
}

/// Linear values in the middles of the edges.
static void fill_edges(const IrzZoneTask *task, double *field) {
  const IrzPart *part = task->medium->part;
  for (int32_t i = 0; i < part->n_edges; i++) {
    const int32_t *end = part->edge + 2 * (size_t)i;
    field[part->n_vertices + i] = 0.5 * (field[end[0]] + field[end[1]]);
  }
  for (int32_t k = 0; task->sides != NULL && k < task->sides->n_split; k++) {
    const int32_t *row = task->sides->row[k];
    for (int e = 0; e < 6; e++) {
      field[row[4 + e]] = 0.5 * (field[row[irz_edge_vertices[e][0]]] + field[row[irz_edge_vertices[e][1]]]);
    }
  }
}

/* ---- All of it ---- */

void irz_drawn_levels(int n_regions, const double *threshold, int n_also, const double *also, double levels[2]) {
  levels[0] = usual[0];
  levels[1] = usual[1];
  for (int k = 0; k < n_regions + n_also; k++) {
    double level = k < n_regions ? threshold[k] : also[k - n_regions];
    levels[0] = fmin(levels[0], level);
    levels[1] = fmax(levels[1], level);
  }
}

/// Choose the levels and the unit of counts. Collective.
static void choose_levels(Work *work) {
  const IrzZoneTask *task = work->task;
  const IrzPart *part = task->medium->part;
  double box[2][3] = {{INFINITY, INFINITY, INFINITY}, {-INFINITY, -INFINITY, -INFINITY}}, levels[2];
  irz_drawn_levels(task->medium->n_regions, task->threshold, task->n_also, task->also, levels);
  for (int32_t v = 0; v < part->n_vertices; v++) irz_box_grow(box, part->xyz + 3 * (size_t)v);
  MPI_Allreduce(MPI_IN_PLACE, box[0], 3, MPI_DOUBLE, MPI_MIN, part->comm);
  MPI_Allreduce(MPI_IN_PLACE, box[1], 3, MPI_DOUBLE, MPI_MAX, part->comm);
  double volume = 1;
  for (int d = 0; d < 3; d++) volume *= box[1][d] - box[0][d];
  work->unit = exp2(60) / volume;
  work->low = below * levels[0];
  work->high = above * levels[1];
  work->middle = sqrt(work->low * work->high);
  work->bottom = scale_of(work, work->low);
  work->per_level = BINS / (scale_of(work, work->high) - work->bottom);
  work->first = scale_of(work, below * work->low);
  work->per_step = STEPS / (scale_of(work, above * work->high) - work->first);
}

static IrzCode make_tables(Work *work, IrzError *error) {
  const IrzZoneTask *task = work->task;
  IRZ_TRY(irz_alloc(&work->table, (size_t)task->medium->n_regions, sizeof *work->table, error));
  for (int r = 0; r < task->medium->n_regions; r++) {
    int same = 0;
    while (task->laws[same] != task->laws[r]) same++;
    if (same < r)
      work->table[r] = work->table[same];
    else
      fill_table(work, task->laws[r], &work->table[r]);
  }
  return IRZ_OK;
}

static void work_clear(Work *work, Chunk *chunk) {
  for (int k = 0; chunk != NULL && k < CHUNKS; k++) {
    irz_cell_clear(&chunk[k].cell);
    free(chunk[k].met);
  }
  free(chunk);
  free(work->table);
}

IrzCode irz_drawn_make(const IrzZoneTask *task, IrzDrawn *drawn, IrzError *error) {
  const IrzMedium *medium = task->medium;
  const IrzPart *part = medium->part;
  size_t n = (size_t)n_rows(task);
  bool sharp = task->order == 2 && task->along != NULL;
  Work work = {.task = task, .drawn = drawn};
  Chunk *chunk = NULL;
  Counts counts;
  irz_drawn_clear(drawn);
  drawn->sides = task->sides;
  irz_alloc(&drawn->field, n, sizeof *drawn->field, error);
  if (error->code == IRZ_OK && sharp) irz_alloc(&drawn->place, (size_t)part->n_edges, sizeof *drawn->place, error);
  if (error->code == IRZ_OK) irz_alloc(&chunk, CHUNKS, sizeof *chunk, error);
  choose_levels(&work);
  if (error->code == IRZ_OK && sharp) make_tables(&work, error);
  for (int k = 0; error->code == IRZ_OK && k < CHUNKS; k++) {
    irz_cell_init(&chunk[k].cell, medium, task->order, task->n_pulses, task->potential, error);
  }
  IrzCode code = irz_error_agree(part->comm, error);
  if (code == IRZ_OK) {
    double node[10][4] = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}};
    for (int e = 0; e < 6; e++) node[4 + e][irz_edge_vertices[e][0]] = node[4 + e][irz_edge_vertices[e][1]] = 0.5;
    for (int way = 0; way < 3; way++) place_samples(irz_drawn_children[way], work.flat[way]);
    make_grid(work.flat[0], node, &work.grid);
    memcpy(drawn->field, task->recovered, n * sizeof *drawn->field);
    if (task->order == 1) fill_edges(task, drawn->field);
    if (sharp) code = place_points(&work, error);
  }
  for (int pass = 0; code == IRZ_OK && pass < PASSES; pass++) {
    double from[BINS + 1];
    code = count_all(&work, chunk, pass == 0, &counts, error);
    if (code == IRZ_OK) find_changes(&counts, from);
    if (code == IRZ_OK) change_values(&work, from);
    if (task->order == 1) fill_edges(task, drawn->field);
  }
  work_clear(&work, chunk);
  if (code == IRZ_OK && task->sides != NULL) code = irz_sides_share(task->sides, 1, drawn->field, error);
  if (code == IRZ_OK && task->sides == NULL) code = irz_part_share(part, 1, drawn->field, error);
  if (code != IRZ_OK) irz_drawn_clear(drawn);
  return code;
}

void irz_drawn_clear(IrzDrawn *drawn) {
  free(drawn->field);
  free(drawn->place);
  *drawn = (IrzDrawn){0};
}
