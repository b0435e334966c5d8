/* Smoothed aggregation; see amg.h. */
#include "solver/amg.h"
#include "base/memory.h"
#include "base/petsc.h"
#include "solver/aggregate.h"
#include "solver/smoother.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LEVELS = 12, DIRECT = 150 };

/// A level with at most this many unknowns, and all below it, is kept and worked on by every rank: sweeps over it take
/// less time than messages for it.
enum { TOGETHER = 2000 };

typedef struct {
  IrzHalo halo;
  int n_threads;        ///< that set it up
  IrzRows matrix;       ///< [n][n_local] compact, for setting up
  float *diagonal;      ///< [n_local]
  IrzRows prolong;      ///< [n_local] from the next level's n_local
  IrzRows restrict_;    ///< the transpose of the owned rows
  IrzRows groups;       ///< owned columns up to the diagonal for sweeps (see pattern.h); empty at the finest level
  IrzRows beside;       ///< the columns of ghosts; empty at the finest level
  int32_t one_block[2]; ///< row_start of a level that one thread sweeps
  IrzSmoother smoother; ///< its matrix is `groups` and `beside`, or the finest's own
  float *x, *b, *rest;  ///< [n_local]
} Level;

struct IrzAmg {
  const IrzTangent *finest;
  int n_levels;
  Level level[MAX_LEVELS];
  double *factor; ///< [n n] Cholesky factor of the coarsest matrix, lower triangle by rows
};

/* ---- A level ---- */

/// Add an entry to a row: counts only if `fill` is false.
/// @param[in,out] next  [n + 1] entries of each row behind it, or the next free place
static inline void add_entry(IrzRows *rows, PetscInt *next, int32_t row, PetscInt column, float value, bool fill) {
  if (value == 0) return;
  if (!fill) {
    next[row + 1]++;
    return;
  }
  rows->column[next[row]] = column;
  rows->value[next[row]++] = value;
}

/// The entries of the finest matrix, both triangles, without zeros and the division between threads.
static void add_finest(const IrzTangent *m, IrzRows *rows, PetscInt *next, bool fill) {
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
  IrzRows *to = &amg->level[0].matrix;
  PetscInt *next = NULL;
  irz_rows_clear(to);
  IRZ_TRY(irz_alloc_unset(&next, (size_t)n + 1, sizeof *next, error));
  IrzCode code = irz_rows_alloc(to, n, p->space->n_local, 2 * p->ai[n] + p->bi[n], error);
  if (code == IRZ_OK) {
    add_finest(amg->finest, to, to->start, false);
    for (int32_t r = 0; r < n; r++) to->start[r + 1] += to->start[r];
    memcpy(next, to->start, ((size_t)n + 1) * sizeof *next);
    add_finest(amg->finest, to, next, true);
  }
  free(next);
  return code;
}

/// The diagonal of a level's matrix. Collective.
static IrzCode find_diagonal(Level *level, IrzError *error) {
  const IrzRows *m = &level->matrix;
  for (int32_t r = 0; r < m->n; r++) {
    for (PetscInt c = m->start[r]; c < m->start[r + 1]; c++) {
      if (m->column[c] == r) level->diagonal[r] = m->value[c];
    }
  }
  return irz_petsc(irz_halo_share(&level->halo, MPI_FLOAT, level->diagonal), "diagonal", error);
}

/// Copy a coarse level's matrix, up to the diagonal and in groups of four, and ghosts' columns, and point the smoother
/// to them.
static IrzCode make_groups(Level *level, IrzError *error) {
  const IrzRows *m = &level->matrix;
  IrzRows *g = &level->groups, *o = &level->beside;
  PetscInt next = 0, other = 0;
  IRZ_TRY(irz_rows_alloc(g, m->n, m->n, m->start[m->n] / 2 + 4 * m->n, error));
  IRZ_TRY(irz_rows_alloc(o, m->n, m->columns, m->columns > m->n ? m->start[m->n] : 0, error));
  for (int32_t r = 0; r < m->n; r++) {
    PetscInt first = m->start[r], end = first, ghosts;
    while (m->column[end] < r) end++;
    end++; /* behind the diagonal */
    for (ghosts = end; ghosts < m->start[r + 1] && m->column[ghosts] < m->n;) ghosts++;
    g->start[r] = next;
    for (PetscInt k = (4 - (end - first) % 4) % 4; k > 0; k--) g->column[next++] = m->column[first];
    for (PetscInt c = first; c < end; c++) {
      g->column[next] = m->column[c];
      g->value[next++] = m->value[c];
    }
    for (PetscInt c = ghosts; c < m->start[r + 1]; c++) {
      o->column[other] = m->column[c];
      o->value[other++] = m->value[c];
    }
    o->start[r + 1] = other;
  }
  g->start[m->n] = next;
  level->one_block[1] = m->n;
  level->smoother = (IrzSmoother){.n = m->n,
                                  .n_threads = 1,
                                  .row_start = level->one_block,
                                  .ai = g->start,
                                  .aj = g->column,
                                  .aa = g->value,
                                  .bi = other > 0 ? o->start : NULL,
                                  .bj = o->column,
                                  .ba = o->value};
  return IRZ_OK;
}

/// Vectors of a level whose smoother has its matrix.
static IrzCode alloc_level(Level *level, IrzError *error) {
  size_t n = (size_t)level->halo.n_local;
  IRZ_TRY(irz_alloc(&level->diagonal, n, sizeof *level->diagonal, error));
  IRZ_TRY(irz_alloc(&level->x, n, sizeof *level->x, error));
  IRZ_TRY(irz_alloc(&level->b, n, sizeof *level->b, error));
  IRZ_TRY(irz_alloc(&level->rest, n, sizeof *level->rest, error));
  return irz_smoother_create(&level->smoother, error);
}

/// Free what follows from a level's matrix, and the matrix.
static void clear_matrix(Level *level) {
  irz_smoother_clear(&level->smoother);
  irz_rows_clear(&level->matrix);
  irz_rows_clear(&level->groups);
  irz_rows_clear(&level->beside);
  free(level->diagonal);
  free(level->x);
  free(level->b);
  free(level->rest);
  level->smoother = (IrzSmoother){0};
  level->diagonal = level->x = level->b = level->rest = NULL;
}

static void clear_level(Level *level) {
  clear_matrix(level);
  irz_rows_clear(&level->prolong);
  irz_rows_clear(&level->restrict_);
  irz_halo_disconnect(&level->halo);
  *level = (Level){0};
}

/* ---- Coarse matrices ---- */

/// P^T A P of the owned rows, and P^T; `prolong` has local columns of `coarse`.
static IrzCode triple_product(Level *level, const IrzHalo *coarse, bool sorted, IrzRows *product, IrzError *error) {
  IrzRows half = {0};
  level->prolong.columns = coarse->n_local;
  irz_rows_clear(&level->restrict_);
  IrzCode code = irz_rows_transpose(&level->prolong, level->halo.n, &level->restrict_, error);
  if (code == IRZ_OK) code = irz_rows_multiply(&level->matrix, &level->prolong, false, level->n_threads, &half, error);
  if (code == IRZ_OK) code = irz_rows_multiply(&level->restrict_, &half, sorted, level->n_threads, product, error);
  irz_rows_clear(&half);
  return code;
}

/// The entries of rows with their global numbers.
static IrzCode list_entries(const IrzRows *rows, const IrzHalo *halo, IrzEntries *entries, IrzError *error) {
  IRZ_TRY(irz_entries_alloc(entries, rows->start[rows->n], error));
  for (int32_t r = 0; r < rows->n; r++) {
    for (PetscInt c = rows->start[r]; c < rows->start[r + 1]; c++) {
      entries->row[c] = irz_halo_global(halo, r);
      entries->column[c] = irz_halo_global(halo, rows->column[c]);
      entries->value[c] = rows->value[c];
    }
  }
  return IRZ_OK;
}

/// What this rank's rows give to P^T A P, in global numbers; `prolong` has global columns before and after.
static IrzCode contribute(Level *level, const IrzHalo *coarse, IrzEntries *entries, IrzError *error) {
  IrzRows *p = &level->prolong, product = {0};
  PetscInt count = p->start[p->n], *foreign = NULL;
  IrzHalo known = *coarse;
  IRZ_TRY(irz_alloc(&foreign, (size_t)count, sizeof *foreign, error));
  memcpy(foreign, p->column, (size_t)count * sizeof *foreign);
  known.ghost = foreign;
  known.n_local = known.n + irz_halo_foreign(&known, count, foreign);
  for (PetscInt c = 0; c < count; c++) p->column[c] = irz_halo_local(&known, p->column[c]);
  IrzCode code = triple_product(level, &known, false, &product, error);
  if (code == IRZ_OK) code = list_entries(&product, &known, entries, error);
  for (PetscInt c = 0; c < count; c++) p->column[c] = irz_halo_global(&known, p->column[c]);
  irz_rows_clear(&product);
  free(foreign);
  return code;
}

/// Find the ghosts of a level: columns of its entries and of the interpolation to the level above. Collective.
static IrzCode find_ghosts(IrzHalo *halo, const IrzEntries *entries, const IrzRows *prolong, IrzError *error) {
  PetscInt count = prolong->start[prolong->n], *list = NULL;
  irz_alloc(&list, (size_t)count + (size_t)entries->n, sizeof *list, error);
  IrzCode code = irz_error_agree(halo->comm, error);
  if (code != IRZ_OK) {
    free(list);
    return code;
  }
  memcpy(list, prolong->column, (size_t)count * sizeof *list);
  memcpy(list + count, entries->column, (size_t)entries->n * sizeof *list);
  count = irz_halo_foreign(halo, count + entries->n, list);
  return irz_petsc(irz_halo_connect(halo, count, list), "ghosts of a coarse level", error);
}

/// P^T A P of a level that is divided among ranks. Collective.
static IrzCode make_coarse_divided(Level *level, Level *next, IrzError *error) {
  MPI_Comm comm = level->halo.comm;
  IrzEntries given = {0}, received = {0};
  IrzHalo *halo = &next->halo;
  IrzRows *p = &level->prolong;
  bool together = halo->size == 1;
  contribute(level, halo, &given, error);
  IrzCode code = irz_error_agree(comm, error);
  if (code == IRZ_OK && together) code = irz_halo_collect(&level->halo, &given, &received, error);
  if (code == IRZ_OK && !together) code = irz_halo_send(halo, &given, &received, error);
  if (code == IRZ_OK && !together) code = find_ghosts(halo, &received, p, error);
  if (code == IRZ_OK) {
    for (PetscInt c = 0; c < p->start[p->n]; c++) p->column[c] = irz_halo_local(halo, p->column[c]);
    for (PetscInt k = 0; k < received.n; k++) {
      received.row[k] -= halo->first;
      received.column[k] = irz_halo_local(halo, received.column[k]);
    }
    p->columns = halo->n_local;
    irz_rows_clear(&level->restrict_);
    code = irz_rows_transpose(p, level->halo.n, &level->restrict_, error);
    if (code == IRZ_OK) irz_rows_gather(&received, halo->n, halo->n_local, &next->matrix, error);
    code = irz_error_agree(comm, error);
  }
  irz_entries_clear(&given);
  irz_entries_clear(&received);
  return code;
}

/// Make the next level's matrix and all that follows from it; `prolong` has global columns before, local ones after.
/// Collective.
static IrzCode make_coarse(Level *level, Level *next, IrzError *error) {
  IrzCode code = level->halo.size == 1 ? triple_product(level, &next->halo, true, &next->matrix, error)
                                       : make_coarse_divided(level, next, error);
  if (code == IRZ_OK) code = make_groups(next, error);
  if (code == IRZ_OK) alloc_level(next, error);
  IRZ_TRY(irz_error_agree(level->halo.comm, error));
  irz_smoother_update(&next->smoother);
  return find_diagonal(next, error);
}

/// Cholesky's factor of the coarsest matrix; a pivot that rounding spoils is replaced, as for an aggregate of its own.
static void factorise(IrzAmg *amg) {
  const IrzRows *m = &amg->level[amg->n_levels - 1].matrix;
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

/// Add a level below the last one; `*done` if that is not worth while. Collective.
static IrzCode coarsen(IrzAmg *amg, bool *done, IrzError *error) {
  Level *level = &amg->level[amg->n_levels - 1], *next = level + 1;
  const IrzHalo *halo = &level->halo;
  int32_t *aggregate = NULL;
  IrzHalo coarse;
  *done = true;
  if (amg->n_levels == MAX_LEVELS || (halo->size == 1 && halo->n <= DIRECT)) return IRZ_OK;
  irz_alloc(&aggregate, (size_t)halo->n_local, sizeof *aggregate, error);
  IrzCode code = irz_error_agree(halo->comm, error);
  if (code == IRZ_OK) {
    IrzAggregation task = {
        .halo = halo, .matrix = &level->matrix, .diagonal = level->diagonal, .scratch = level->x, .spare = level->rest};
    code = irz_halo_divide(halo->comm, irz_aggregate(&task, aggregate), &coarse, error);
    if (code == IRZ_OK && coarse.n_global > 0 && coarse.n_global < 0.8 * halo->n_global) {
      *done = false;
      amg->n_levels++;
      next->n_threads = level->n_threads;
      next->halo = halo->size == 1 || coarse.n_global <= TOGETHER ? irz_halo_alone(coarse.n_global) : coarse;
      code = irz_interpolate(&task, aggregate, &coarse, &level->prolong, error);
      if (code == IRZ_OK && halo->size > 1) code = irz_halo_fetch(halo, &level->prolong, error);
      if (code == IRZ_OK) code = make_coarse(level, next, error);
    }
  }
  free(aggregate);
  return code;
}

IrzCode irz_amg_build(IrzAmg *amg, IrzError *error) {
  Level *finest = &amg->level[0];
  clear_levels(amg);
  amg->n_levels = 1;
  finest->halo = irz_halo_of(amg->finest->pattern->space);
  finest->n_threads = amg->finest->pattern->space->n_threads;
  finest->smoother = irz_smoother_of(amg->finest);
  IrzCode code = alloc_level(finest, error);
  if (code == IRZ_OK) take_finest(amg, error);
  IRZ_TRY(irz_error_agree(finest->halo.comm, error));
  irz_amg_smooth(amg);
  IRZ_TRY(find_diagonal(finest, error));
  for (bool done = false; !done;) IRZ_TRY(coarsen(amg, &done, error));
  const IrzHalo *last = &amg->level[amg->n_levels - 1].halo;
  if (last->size == 1 && last->n <= 4 * DIRECT) {
    size_t n = (size_t)last->n;
    irz_alloc(&amg->factor, n * n, sizeof *amg->factor, error);
    IRZ_TRY(irz_error_agree(finest->halo.comm, error));
    factorise(amg);
  }
  return IRZ_OK;
}

void irz_amg_smooth(IrzAmg *amg) {
  irz_smoother_update(&amg->level[0].smoother);
}

IrzCode irz_amg_update(IrzAmg *amg, IrzError *error) {
  take_finest(amg, error);
  IRZ_TRY(irz_error_agree(amg->level[0].halo.comm, error));
  for (int k = 1; k < amg->n_levels; k++) {
    Level *level = &amg->level[k];
    IrzRows *p = &amg->level[k - 1].prolong;
    for (PetscInt c = 0; c < p->start[p->n]; c++) p->column[c] = irz_halo_global(&level->halo, p->column[c]);
    clear_matrix(level);
    irz_halo_disconnect(&level->halo);
    IRZ_TRY(make_coarse(&amg->level[k - 1], level, error));
  }
  if (amg->factor != NULL) factorise(amg);
  return IRZ_OK;
}

/// What one level leaves becomes the right-hand side of the next.
static PetscErrorCode restrict_rest(const Level *level, const Level *next) {
  PetscFunctionBegin;
  irz_rows_apply(&level->restrict_, level->rest, false, level->smoother.n_threads, next->b);
  if (level->halo.size > 1 && next->halo.size == 1) {
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, next->b, next->halo.n, MPI_FLOAT, MPI_SUM, level->halo.comm));
  } else {
    PetscCall(irz_halo_add(&next->halo, next->b));
  }
  PetscFunctionReturn(0);
}

/// A backward sweep from `x`, whose ghosts are up to date before and after.
static PetscErrorCode sweep_up(const Level *level, const float *b) {
  const float *old = level->x;

  PetscFunctionBegin;
  if (level->smoother.n_threads > 1) { /* one thread takes only ghosts from `old`, which the sweep leaves */
    memcpy(level->rest, level->x, (size_t)level->halo.n_local * sizeof *level->x);
    old = level->rest;
  }
  irz_smoother_up(&level->smoother, b, old, level->x);
  PetscCall(irz_halo_share(&level->halo, MPI_FLOAT, level->x));
  PetscFunctionReturn(0);
}

PetscErrorCode irz_amg_apply(const IrzAmg *amg, const float *b, float *x) {
  int last = amg->n_levels - 1;

  PetscFunctionBegin;
  for (int k = 0; k <= last; k++) {
    const Level *level = &amg->level[k];
    const float *right = k == 0 ? b : level->b;
    if (k == last && amg->factor != NULL) {
      solve_coarsest(amg, right, level->x);
      break;
    }
    irz_smoother_down(&level->smoother, right, level->x, level->rest);
    PetscCall(irz_halo_share(&level->halo, MPI_FLOAT, level->x));
    if (k == last) {
      PetscCall(sweep_up(level, right));
    } else {
      irz_smoother_outside(&level->smoother, level->x, level->rest);
      PetscCall(restrict_rest(level, level + 1));
    }
  }
  for (int k = last - 1; k >= 0; k--) {
    const Level *level = &amg->level[k];
    irz_rows_apply(&level->prolong, amg->level[k + 1].x, true, level->smoother.n_threads, level->x);
    PetscCall(sweep_up(level, k == 0 ? b : level->b));
  }
  memcpy(x, amg->level[0].x, (size_t)amg->level[0].halo.n_local * sizeof *x);
  PetscFunctionReturn(0);
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
  for (int32_t r = 0; r < finest->halo.n; r++) finest->b[r] = (float)b[r];
  PetscCall(irz_amg_apply(amg, finest->b, finest->b));
  for (int32_t r = 0; r < finest->halo.n; r++) x[r] = finest->b[r];
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
