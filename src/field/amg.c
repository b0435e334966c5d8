/* Smoothed aggregation; see amg.h. */
#include "field/amg.h"
#include "base/memory.h"
#include "field/smoother.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LEVELS = 12, DIRECT = 150 };

/// Entries below this share of the geometric mean of their diagonals do not tie unknowns together.
#define WEAK 0.03

/// Sparse rows.
typedef struct {
  int32_t n, columns;
  PetscInt *start, *column;
  float *value;
} Rows;

typedef struct {
  Rows matrix;             ///< compact, for setting up
  float *diagonal;         ///< [n]
  Rows prolong, restrict_; ///< from the next level and its transpose
  Rows groups;             ///< the matrix up to the diagonal for sweeps (see pattern.h); empty at the finest level
  PetscInt one_block[2];   ///< row_start of a level that one thread sweeps
  IrzSmoother smoother;    ///< its matrix is `groups`, or the finest's own
  float *x, *b, *rest;     ///< [n]
} Level;

struct IrzAmg {
  const IrzTangent *finest;
  int n_levels;
  Level level[MAX_LEVELS];
  double *factor; ///< [n n] Cholesky factor of the coarsest matrix, lower triangle by rows
};

static void clear_rows(Rows *rows) {
  free(rows->start);
  free(rows->column);
  free(rows->value);
  *rows = (Rows){0};
}

static IrzCode alloc_rows(Rows *rows, int32_t n, int32_t columns, PetscInt entries, IrzError *error) {
  *rows = (Rows){.n = n, .columns = columns};
  IRZ_TRY(irz_alloc(&rows->start, (size_t)n + 1, sizeof *rows->start, error));
  IRZ_TRY(irz_alloc(&rows->column, (size_t)entries, sizeof *rows->column, error));
  return irz_alloc(&rows->value, (size_t)entries, sizeof *rows->value, error);
}

/* ---- Aggregates ---- */

/// Whether entry c of row r ties r to another unknown.
static inline bool is_strong(const Level *level, int32_t r, PetscInt c) {
  double a = level->matrix.value[c];
  int32_t other = level->matrix.column[c];
  return other != r && a * a > WEAK * WEAK * level->diagonal[r] * level->diagonal[other];
}

/// Sort the unknowns into aggregates.
/// @param[out] aggregate  [n] or -1: tied to nothing, as a fixed unknown is; smoothing alone solves it
/// @return number of aggregates
static int32_t find_aggregates(const Level *level, int32_t *aggregate) {
  const Rows *m = &level->matrix;
  enum { NONE = -2, ALONE = -1 };
  int32_t count = 0;
  for (int32_t r = 0; r < m->n; r++) aggregate[r] = NONE;
  for (int32_t r = 0; r < m->n; r++) { /* whole neighbourhoods */
    bool tied = false, free_around = true;
    if (aggregate[r] != NONE) continue;
    for (PetscInt c = m->start[r]; c < m->start[r + 1] && free_around; c++) {
      if (!is_strong(level, r, c)) continue;
      tied = true;
      free_around = aggregate[m->column[c]] == NONE;
    }
    if (!tied && free_around) aggregate[r] = ALONE;
    if (!tied || !free_around) continue;
    aggregate[r] = count;
    for (PetscInt c = m->start[r]; c < m->start[r + 1]; c++) {
      if (is_strong(level, r, c)) aggregate[m->column[c]] = count;
    }
    count++;
  }
  for (int32_t r = 0; r < m->n; r++) { /* the rest joins its strongest neighbour, marked so that no chains form */
    double best = 0;
    int32_t chosen = NONE;
    if (aggregate[r] != NONE) continue;
    for (PetscInt c = m->start[r]; c < m->start[r + 1]; c++) {
      int32_t of = aggregate[m->column[c]];
      if (of < 0 || !is_strong(level, r, c)) continue;
      double strength = fabs(m->value[c]) / sqrt(level->diagonal[m->column[c]]);
      if (strength > best) {
        best = strength;
        chosen = -3 - of;
      }
    }
    aggregate[r] = chosen;
  }
  for (int32_t r = 0; r < m->n; r++) {
    if (aggregate[r] < NONE) aggregate[r] = -3 - aggregate[r];
  }
  for (int32_t r = 0; r < m->n; r++) { /* what is left has no aggregate beside it */
    if (aggregate[r] != NONE) continue;
    aggregate[r] = count;
    for (PetscInt c = m->start[r]; c < m->start[r + 1]; c++) {
      if (aggregate[m->column[c]] == NONE && is_strong(level, r, c)) aggregate[m->column[c]] = count;
    }
    count++;
  }
  return count;
}

/// Largest eigenvalue of D^-1 A by the power method, from a start that has all frequencies; 10 % on top because it
/// comes from below.
static double spectral_radius(const Level *level) {
  const Rows *m = &level->matrix;
  float *x = level->x, *y = level->rest;
  uint32_t state = 1;
  double radius = 1;
  for (int32_t r = 0; r < m->n; r++) {
    state = state * 1664525u + 1013904223u;
    x[r] = (float)state / 4294967296.0f - 0.5f;
  }
  for (int turn = 0; turn < 8; turn++) {
    double from = 0, to = 0;
    for (int32_t r = 0; r < m->n; r++) {
      double sum = 0;
      for (PetscInt c = m->start[r]; c < m->start[r + 1]; c++) sum += (double)m->value[c] * (double)x[m->column[c]];
      y[r] = (float)(sum / level->diagonal[r]);
    }
    for (int32_t r = 0; r < m->n; r++) {
      from += (double)x[r] * x[r];
      to += (double)y[r] * y[r];
    }
    radius = sqrt(to / from);
    for (int32_t r = 0; r < m->n; r++) x[r] = (float)(y[r] / sqrt(to));
  }
  return 1.1 * radius;
}

/// The interpolation: one step of damped Jacobi on "1 in the aggregate", with weak entries moved to the diagonal.
static IrzCode make_prolongation(Level *level, const int32_t *aggregate, int32_t count, IrzError *error) {
  const Rows *m = &level->matrix;
  Rows *p = &level->prolong;
  int32_t *where = NULL;
  PetscInt room = m->start[m->n];
  double damping = 4.0 / 3 / spectral_radius(level);
  IRZ_TRY(alloc_rows(p, m->n, count, room, error));
  IRZ_TRY(irz_alloc(&where, (size_t)count, sizeof *where, error));
  PetscInt next = 0;
  for (int32_t r = 0; r < m->n; r++) {
    PetscInt first = next;
    double diagonal = level->diagonal[r];
    p->start[r] = next;
    if (aggregate[r] < 0) continue;
    for (PetscInt c = m->start[r]; c < m->start[r + 1]; c++) {
      if (m->column[c] != r && !is_strong(level, r, c)) diagonal += m->value[c];
    }
    if (!(diagonal > 0)) diagonal = level->diagonal[r];
    for (PetscInt c = m->start[r]; c < m->start[r + 1]; c++) {
      int32_t other = m->column[c], of = aggregate[other];
      double value = other == r ? 1 - damping : -damping * m->value[c] / diagonal;
      if (of < 0 || (other != r && !is_strong(level, r, c))) continue;
      if (where[of] <= first) { /* places are counted from 1, so that cleared memory is "none" */
        p->column[next] = of;
        p->value[next] = 0;
        where[of] = ++next;
      }
      p->value[where[of] - 1] += (float)value;
    }
  }
  p->start[m->n] = next;
  free(where);
  return IRZ_OK;
}

static IrzCode transpose(const Rows *from, Rows *to, IrzError *error) {
  IRZ_TRY(alloc_rows(to, from->columns, from->n, from->start[from->n], error));
  for (PetscInt c = 0; c < from->start[from->n]; c++) to->start[from->column[c] + 1]++;
  for (int32_t r = 0; r < to->n; r++) to->start[r + 1] += to->start[r];
  for (int32_t r = 0; r < from->n; r++) {
    for (PetscInt c = from->start[r]; c < from->start[r + 1]; c++) {
      PetscInt at = to->start[from->column[c]]++;
      to->column[at] = r;
      to->value[at] = from->value[c];
    }
  }
  for (int32_t r = to->n; r > 0; r--) to->start[r] = to->start[r - 1];
  to->start[0] = 0;
  return IRZ_OK;
}

/* ---- Coarse matrices ---- */

/// Make room for `more` entries after `used`.
static IrzCode ensure(Rows *rows, PetscInt *room, PetscInt used, PetscInt more, IrzError *error) {
  if (used + more <= *room) return IRZ_OK;
  *room += *room / 2 + more;
  IRZ_TRY(irz_resize(&rows->column, (size_t)*room, sizeof *rows->column, error));
  return irz_resize(&rows->value, (size_t)*room, sizeof *rows->value, error);
}

/// left * right. `sorted`: with increasing columns.
static IrzCode multiply(const Rows *left, const Rows *right, bool sorted, Rows *product, IrzError *error) {
  int32_t n = left->n;
  PetscInt room = left->start[n] + right->start[right->n], next = 0, *where = NULL;
  double *sum = NULL;
  IrzCode code = alloc_rows(product, n, right->columns, room, error);
  if (code == IRZ_OK) code = irz_alloc(&where, (size_t)right->columns, sizeof *where, error);
  if (code == IRZ_OK) code = irz_alloc(&sum, (size_t)right->columns, sizeof *sum, error);
  for (int32_t r = 0; r < n && code == IRZ_OK; r++) {
    PetscInt first = next;
    code = ensure(product, &room, next, right->columns, error);
    if (code != IRZ_OK) break;
    product->start[r] = next;
    for (PetscInt c = left->start[r]; c < left->start[r + 1]; c++) {
      int32_t k = left->column[c];
      for (PetscInt d = right->start[k]; d < right->start[k + 1]; d++) {
        int32_t j = right->column[d];
        if (where[j] <= first) { /* counted from 1, as above */
          product->column[next] = j;
          where[j] = ++next;
          sum[j] = 0;
        }
        sum[j] += (double)left->value[c] * (double)right->value[d];
      }
    }
    if (sorted) {
      for (PetscInt c = first + 1; c < next; c++) {
        PetscInt j = product->column[c], k = c;
        for (; k > first && product->column[k - 1] > j; k--) product->column[k] = product->column[k - 1];
        product->column[k] = j;
      }
    }
    for (PetscInt c = first; c < next; c++) product->value[c] = (float)sum[product->column[c]];
  }
  if (code == IRZ_OK) product->start[n] = next;
  free(where);
  free(sum);
  return code;
}

/// P^T A P of a level becomes the matrix of the next.
static IrzCode make_coarse(const Level *level, Level *next, IrzError *error) {
  Rows half = {0};
  clear_rows(&next->matrix);
  IrzCode code = multiply(&level->matrix, &level->prolong, false, &half, error);
  if (code == IRZ_OK) code = multiply(&level->restrict_, &half, true, &next->matrix, error);
  clear_rows(&half);
  return code;
}

/// Add an entry to a row: counts only if `fill` is false.
/// @param[in,out] next  [n + 1] entries of each row behind it, or the next free place
static inline void add_entry(Rows *rows, PetscInt *next, int32_t row, PetscInt column, float value, bool fill) {
  if (value == 0) return;
  if (!fill) {
    next[row + 1]++;
    return;
  }
  rows->column[next[row]] = column;
  rows->value[next[row]++] = value;
}

/// The entries of the finest matrix, both triangles, without zeros and the division between threads.
static void add_finest(const IrzTangent *m, Rows *rows, PetscInt *next, bool fill) {
  const IrzPattern *p = m->pattern;
  for (int32_t r = 0; r < p->space->n_owned; r++) {
    for (PetscInt c = p->ai[r]; c < p->ai[r + 1]; c++) {
      add_entry(rows, next, r, p->aj[c], m->aa[c], fill);
      if (p->aj[c] != r) add_entry(rows, next, p->aj[c], r, m->aa[c], fill);
    }
    for (PetscInt c = p->bi[r]; c < p->bi[r + 1]; c++) add_entry(rows, next, r, p->bj[c], m->ba[c], fill);
  }
}

/// Take the finest matrix over.
static IrzCode take_finest(IrzAmg *amg, IrzError *error) {
  const IrzPattern *p = amg->finest->pattern;
  int32_t n = p->space->n_owned;
  Rows *to = &amg->level[0].matrix;
  PetscInt *next = NULL;
  clear_rows(to);
  IRZ_TRY(irz_alloc(&next, (size_t)n + 1, sizeof *next, error));
  IrzCode code = alloc_rows(to, n, n, 2 * p->ai[n] + p->bi[n], error);
  if (code == IRZ_OK) {
    add_finest(amg->finest, to, to->start, false);
    for (int32_t r = 0; r < n; r++) to->start[r + 1] += to->start[r];
    memcpy(next, to->start, ((size_t)n + 1) * sizeof *next);
    add_finest(amg->finest, to, next, true);
  }
  free(next);
  return code;
}

/// The diagonal of a level's matrix.
static void find_diagonal(Level *level) {
  const Rows *m = &level->matrix;
  for (int32_t r = 0; r < m->n; r++) {
    for (PetscInt c = m->start[r]; c < m->start[r + 1]; c++) {
      if (m->column[c] == r) level->diagonal[r] = m->value[c];
    }
  }
}

/// Copy a coarse level's matrix up to the diagonal into groups of four and point the smoother to them.
static IrzCode make_groups(Level *level, IrzError *error) {
  const Rows *m = &level->matrix;
  Rows *g = &level->groups;
  clear_rows(g);
  IRZ_TRY(alloc_rows(g, m->n, m->n, m->start[m->n] / 2 + 4 * m->n, error));
  PetscInt next = 0;
  for (int32_t r = 0; r < m->n; r++) {
    PetscInt first = m->start[r], end = first;
    while (m->column[end] < r) end++;
    end++; /* behind the diagonal */
    g->start[r] = next;
    for (PetscInt k = (4 - (end - first) % 4) % 4; k > 0; k--) g->column[next++] = m->column[first];
    for (PetscInt c = first; c < end; c++) {
      g->column[next] = m->column[c];
      g->value[next++] = m->value[c];
    }
  }
  g->start[m->n] = next;
  level->smoother.ai = g->start;
  level->smoother.aj = g->column;
  level->smoother.aa = g->value;
  return IRZ_OK;
}

/// Vectors of a level with the unknowns of this smoother.
static IrzCode alloc_level(Level *level, IrzSmoother smoother, IrzError *error) {
  size_t n = (size_t)smoother.n;
  level->smoother = smoother;
  IRZ_TRY(irz_alloc(&level->diagonal, n, sizeof *level->diagonal, error));
  IRZ_TRY(irz_alloc(&level->x, n, sizeof *level->x, error));
  IRZ_TRY(irz_alloc(&level->b, n, sizeof *level->b, error));
  IRZ_TRY(irz_alloc(&level->rest, n, sizeof *level->rest, error));
  return irz_smoother_create(&level->smoother, error);
}

/// All that follows from a coarse level's matrix.
static IrzCode follow_matrix(Level *level, IrzError *error) {
  find_diagonal(level);
  IRZ_TRY(make_groups(level, error));
  irz_smoother_update(&level->smoother);
  return IRZ_OK;
}

/// Cholesky's factor of the coarsest matrix; a pivot that rounding spoils is replaced, as for an aggregate of its own.
static void factorise(IrzAmg *amg) {
  const Rows *m = &amg->level[amg->n_levels - 1].matrix;
  int32_t n = m->n;
  double *f = amg->factor;
  memset(f, 0, (size_t)n * (size_t)n * sizeof *f);
  for (int32_t r = 0; r < n; r++) {
    for (PetscInt c = m->start[r]; c < m->start[r + 1]; c++) {
      if (m->column[c] <= r) f[r * n + m->column[c]] = m->value[c];
    }
  }
  for (int32_t j = 0; j < n; j++) {
    double pivot = f[j * n + j], whole = pivot;
    for (int32_t k = 0; k < j; k++) pivot -= f[j * n + k] * f[j * n + k];
    f[j * n + j] = pivot > 1e-6 * whole ? sqrt(pivot) : sqrt(fabs(whole) + 1e-300);
    for (int32_t i = j + 1; i < n; i++) {
      double sum = f[i * n + j];
      for (int32_t k = 0; k < j; k++) sum -= f[i * n + k] * f[j * n + k];
      f[i * n + j] = sum / f[j * n + j];
    }
  }
}

static void solve_coarsest(const IrzAmg *amg, const float *b, float *x) {
  int32_t n = amg->level[amg->n_levels - 1].smoother.n;
  const double *f = amg->factor;
  for (int32_t r = 0; r < n; r++) {
    double sum = b[r];
    for (int32_t k = 0; k < r; k++) sum -= f[r * n + k] * (double)x[k];
    x[r] = (float)(sum / f[r * n + r]);
  }
  for (int32_t r = n - 1; r >= 0; r--) {
    double sum = x[r];
    for (int32_t k = r + 1; k < n; k++) sum -= f[k * n + r] * (double)x[k];
    x[r] = (float)(sum / f[r * n + r]);
  }
}

/* ---- The whole ---- */

static void clear_level(Level *level) {
  irz_smoother_clear(&level->smoother);
  clear_rows(&level->matrix);
  clear_rows(&level->prolong);
  clear_rows(&level->restrict_);
  clear_rows(&level->groups);
  free(level->diagonal);
  free(level->x);
  free(level->b);
  free(level->rest);
  *level = (Level){0};
}

static void clear_levels(IrzAmg *amg) {
  for (int k = 0; k < amg->n_levels; k++) clear_level(&amg->level[k]);
  free(amg->factor);
  amg->factor = NULL;
  amg->n_levels = 0;
}

IrzCode irz_amg_create(const IrzTangent *matrix, IrzAmg **amg, IrzError *error) {
  *amg = NULL;
  IRZ_TRY(irz_alloc(amg, 1, sizeof **amg, error));
  (*amg)->finest = matrix;
  return IRZ_OK;
}

/// Add a level below the last one; `*done` if that is not worth while.
static IrzCode coarsen(IrzAmg *amg, bool *done, IrzError *error) {
  Level *level = &amg->level[amg->n_levels - 1], *next = level + 1;
  int32_t *aggregate = NULL;
  *done = true;
  if (amg->n_levels == MAX_LEVELS || level->matrix.n <= DIRECT) return IRZ_OK;
  IRZ_TRY(irz_alloc(&aggregate, (size_t)level->matrix.n, sizeof *aggregate, error));
  int32_t count = find_aggregates(level, aggregate);
  IrzCode code = IRZ_OK;
  if (count > 0 && count < 0.8 * level->matrix.n) {
    *done = false;
    amg->n_levels++;
    code = make_prolongation(level, aggregate, count, error);
    if (code == IRZ_OK) code = transpose(&level->prolong, &level->restrict_, error);
    if (code == IRZ_OK) code = make_coarse(level, next, error);
    next->one_block[1] = count;
    IrzSmoother smoother = {.n = count, .n_threads = 1, .row_start = next->one_block};
    if (code == IRZ_OK) code = alloc_level(next, smoother, error);
    if (code == IRZ_OK) code = follow_matrix(next, error);
  }
  free(aggregate);
  return code;
}

IrzCode irz_amg_build(IrzAmg *amg, IrzError *error) {
  clear_levels(amg);
  amg->n_levels = 1;
  IRZ_TRY(alloc_level(&amg->level[0], irz_smoother_of(amg->finest), error));
  irz_amg_smooth(amg);
  IRZ_TRY(take_finest(amg, error));
  find_diagonal(&amg->level[0]);
  for (bool done = false; !done;) IRZ_TRY(coarsen(amg, &done, error));
  int32_t n = amg->level[amg->n_levels - 1].matrix.n;
  if (n <= 4 * DIRECT) {
    IRZ_TRY(irz_alloc(&amg->factor, (size_t)n * (size_t)n, sizeof *amg->factor, error));
    factorise(amg);
  }
  return IRZ_OK;
}

void irz_amg_smooth(IrzAmg *amg) {
  irz_smoother_update(&amg->level[0].smoother);
}

IrzCode irz_amg_update(IrzAmg *amg, IrzError *error) {
  IRZ_TRY(take_finest(amg, error));
  for (int k = 1; k < amg->n_levels; k++) {
    IRZ_TRY(make_coarse(&amg->level[k - 1], &amg->level[k], error));
    IRZ_TRY(follow_matrix(&amg->level[k], error));
  }
  if (amg->factor != NULL) factorise(amg);
  return IRZ_OK;
}

/// y = sum over the entries of each row.
static void apply_rows(const Rows *rows, const float *x, float *y, bool add) {
  for (int32_t r = 0; r < rows->n; r++) {
    float sum = add ? y[r] : 0;
    for (PetscInt c = rows->start[r]; c < rows->start[r + 1]; c++) sum += rows->value[c] * x[rows->column[c]];
    y[r] = sum;
  }
}

void irz_amg_apply(const IrzAmg *amg, const float *b, float *x) {
  int last = amg->n_levels - 1;
  for (int k = 0; k < last; k++) {
    const Level *level = &amg->level[k];
    const float *right = k == 0 ? b : level->b;
    irz_smoother_down(&level->smoother, right, level->x, level->rest);
    irz_smoother_outside(&level->smoother, level->x, level->rest);
    apply_rows(&level->restrict_, level->rest, amg->level[k + 1].b, false);
  }
  const Level *coarsest = &amg->level[last];
  if (amg->factor != NULL) {
    solve_coarsest(amg, last == 0 ? b : coarsest->b, coarsest->x);
  } else {
    irz_smoother_down(&coarsest->smoother, last == 0 ? b : coarsest->b, coarsest->x, coarsest->rest);
    memcpy(coarsest->rest, coarsest->x, (size_t)coarsest->smoother.n * sizeof *coarsest->x);
    irz_smoother_up(&coarsest->smoother, last == 0 ? b : coarsest->b, coarsest->rest, coarsest->x);
  }
  for (int k = last - 1; k >= 0; k--) {
    const Level *level = &amg->level[k];
    apply_rows(&level->prolong, amg->level[k + 1].x, level->x, true);
    const float *old = level->x;
    if (level->smoother.n_threads > 1) {
      memcpy(level->rest, level->x, (size_t)level->smoother.n * sizeof *level->x);
      old = level->rest;
    }
    irz_smoother_up(&level->smoother, k == 0 ? b : level->b, old, level->x);
  }
  memcpy(x, amg->level[0].x, (size_t)amg->level[0].smoother.n * sizeof *x);
}

static PetscErrorCode apply(PC pc, Vec right, Vec left) {
  IrzAmg *amg;
  const PetscScalar *b;
  PetscScalar *x;

  PetscFunctionBegin;
  PetscCall(PCShellGetContext(pc, &amg));
  Level *finest = &amg->level[0];
  PetscCall(VecGetArrayRead(right, &b));
  PetscCall(VecGetArrayWrite(left, &x));
  for (int32_t r = 0; r < finest->smoother.n; r++) finest->b[r] = (float)b[r];
  irz_amg_apply(amg, finest->b, finest->b);
  for (int32_t r = 0; r < finest->smoother.n; r++) x[r] = finest->b[r];
  PetscCall(VecRestoreArrayWrite(left, &x));
  PetscCall(VecRestoreArrayRead(right, &b));
  PetscFunctionReturn(0);
}

PetscErrorCode irz_amg_install(IrzAmg *amg, PC pc) {
  PetscFunctionBegin;
  PetscCall(PCSetType(pc, PCSHELL));
  PetscCall(PCShellSetName(pc, "smoothed aggregation"));
  PetscCall(PCShellSetContext(pc, amg));
  PetscCall(PCShellSetApply(pc, apply));
  PetscFunctionReturn(0);
}

void irz_amg_free(IrzAmg *amg) {
  if (amg == NULL) return;
  clear_levels(amg);
  free(amg);
}
