/* Which cases share a mesh, which start from which, and in what order they are offered. Depends on the sweep alone:
   with the kept start of a model this makes every result independent of who solves what, and when. */
#include "base/memory.h"
#include "model/key.h"
#include "sweep/sweep.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

IrzCode irz_mesh_hash(const IrzPlan *plan, uint64_t *hash, IrzError *error) {
  IrzKey key;
  IRZ_TRY(irz_key_make(plan, IRZ_KEY_START, &key, error));
  *hash = irz_key_hash(&key) & INT64_MAX;
  irz_key_clear(&key);
  return IRZ_OK;
}

/// Expected cost of solving a plan, for ordering only: it grows with the pulses, the metal to be resolved, the wanted
/// accuracy and the element order.
static double expected_cost(const IrzPlan *plan) {
  double metal = 0;
  for (int i = 0; i < plan->n_probes; i++) metal += plan->probes[i].exposure;
  return (1 + plan->pullback.count) * plan->n_pulses * (0.05 + metal) / fmax(plan->mesh.accuracy, 1e-4) *
         (plan->mesh.order == 2 ? 4 : 1);
}

/// What the sorting and cutting works on.
typedef struct {
  int number;
  uint64_t mesh;
  double cost;
  const double *value; // [n_parameters]
} Item;

static int by_mesh(const void *a, const void *b) {
  const Item *x = a, *y = b;
  if (x->mesh != y->mesh) return x->mesh < y->mesh ? -1 : 1;
  return (x->number > y->number) - (x->number < y->number);
}

static _Thread_local int sort_column; // qsort has no argument of its own

static int by_column(const void *a, const void *b) {
  const Item *x = a, *y = b;
  double u = x->value[sort_column], v = y->value[sort_column];
  if (u != v) return u < v ? -1 : 1;
  return (x->number > y->number) - (x->number < y->number);
}

/// The column in which some items spread most, relative to `range`.
static int widest(const Item *item, int n, int n_parameters, const double *range) {
  int best = 0;
  double best_spread = -1;
  for (int j = 0; j < n_parameters; j++) {
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < n; i++) {
      low = fmin(low, item[i].value[j]);
      high = fmax(high, item[i].value[j]);
    }
    double spread = range[j] > 0 ? (high - low) / range[j] : 0;
    if (spread > best_spread) {
      best_spread = spread;
      best = j;
    }
  }
  return best;
}

/// Bring the item nearest to the middle of the batch to its front: the others start from it.
static void center_first(Item *item, int n, int n_parameters, const double *range) {
  int best = 0;
  double best_distance = INFINITY;
  for (int i = 0; i < n; i++) {
    double distance = 0;
    for (int j = 0; j < n_parameters; j++) {
      double mean = 0;
      for (int k = 0; k < n; k++) mean += item[k].value[j] / n;
      double d = range[j] > 0 ? (item[i].value[j] - mean) / range[j] : 0;
      distance += d * d;
    }
    if (distance < best_distance) {
      best_distance = distance;
      best = i;
    }
  }
  Item center = item[best];
  memmove(item + 1, item, (size_t)best * sizeof *item);
  item[0] = center;
}

/// Cut items of one mesh into batches of neighbours by halving along the widest column. Appends to batches->first.
static void cut(Item *item, int n, int n_parameters, const double *range, int offset, int mesh, IrzBatches *batches) {
  if (n <= IRZ_SWEEP_BATCH) {
    center_first(item, n, n_parameters, range);
    double cost = 0;
    for (int i = 0; i < n; i++) cost = fmax(cost, item[i].cost);
    batches->first[batches->n_batches] = offset;
    batches->mesh[batches->n_batches] = mesh;
    batches->cost[batches->n_batches] = cost;
    batches->n_batches++;
    return;
  }
  sort_column = widest(item, n, n_parameters, range);
  qsort(item, (size_t)n, sizeof *item, by_column);
  int half = n / 2;
  cut(item, half, n_parameters, range, offset, mesh, batches);
  cut(item + half, n - half, n_parameters, range, offset + half, mesh, batches);
}

/// A batch while batches are sorted.
typedef struct {
  int first, size, mesh;
  double cost, mesh_cost;
} Batch;

/// Long cases first; batches of one mesh together.
static int by_cost(const void *a, const void *b) {
  const Batch *x = a, *y = b;
  if (x->mesh_cost != y->mesh_cost) return x->mesh_cost > y->mesh_cost ? -1 : 1;
  if (x->mesh != y->mesh) return x->mesh < y->mesh ? -1 : 1;
  if (x->cost != y->cost) return x->cost > y->cost ? -1 : 1;
  return (x->first > y->first) - (x->first < y->first);
}

/// Sort the batches by cost and write the order of the cases.
static void arrange(const Item *item, Batch *batch, IrzBatches *batches) {
  int n = batches->n_batches;
  for (int b = 0; b < n; b++) {
    batch[b].first = batches->first[b];
    batch[b].size = (b + 1 < n ? batches->first[b + 1] : batches->n_order) - batches->first[b];
    batch[b].mesh = batches->mesh[b];
    batch[b].cost = batches->cost[b];
  }
  for (int b = 0; b < n;) { /* batches of one mesh are still next to each other */
    int end = b;
    double most = 0;
    while (end < n && batch[end].mesh == batch[b].mesh) most = fmax(most, batch[end++].cost);
    for (; b < end; b++) batch[b].mesh_cost = most;
  }
  qsort(batch, (size_t)n, sizeof *batch, by_cost);
  int offset = 0;
  for (int b = 0; b < n; b++) {
    batches->first[b] = offset;
    batches->mesh[b] = batch[b].mesh;
    batches->cost[b] = batch[b].cost;
    for (int i = 0; i < batch[b].size; i++) batches->order[offset++] = item[batch[b].first + i].number;
  }
  batches->first[n] = offset;
}

IrzCode irz_batches_cut(int n_cases, int n_parameters, const double *value, const uint64_t *mesh, const double *cost,
                        IrzBatches *batches, IrzError *error) {
  *batches = (IrzBatches){.n_order = n_cases};
  Item *item = NULL;
  Batch *batch = NULL;
  double *range = NULL;
  size_t n = (size_t)n_cases;
  IrzCode code = irz_alloc(&item, n, sizeof *item, error);
  if (code == IRZ_OK) code = irz_alloc(&range, (size_t)n_parameters, sizeof *range, error);
  if (code == IRZ_OK) code = irz_alloc(&batch, n, sizeof *batch, error);
  if (code == IRZ_OK) code = irz_alloc(&batches->first, n + 1, sizeof *batches->first, error);
  if (code == IRZ_OK) code = irz_alloc(&batches->mesh, n, sizeof *batches->mesh, error);
  if (code == IRZ_OK) code = irz_alloc(&batches->cost, n, sizeof *batches->cost, error);
  if (code == IRZ_OK) code = irz_alloc(&batches->order, n, sizeof *batches->order, error);
  if (code == IRZ_OK) {
    for (int j = 0; j < n_parameters; j++) {
      double low = INFINITY, high = -INFINITY;
      for (int i = 0; i < n_cases; i++) {
        low = fmin(low, value[(size_t)i * (size_t)n_parameters + (size_t)j]);
        high = fmax(high, value[(size_t)i * (size_t)n_parameters + (size_t)j]);
      }
      range[j] = high - low;
    }
    for (int i = 0; i < n_cases; i++) {
      item[i] = (Item){i + 1, mesh[i], cost[i], value + (size_t)i * (size_t)n_parameters};
    }
    qsort(item, n, sizeof *item, by_mesh);
    int number = 0;
    for (int i = 0; i < n_cases; number++) {
      int end = i;
      while (end < n_cases && item[end].mesh == item[i].mesh) end++;
      cut(item + i, end - i, n_parameters, range, i, number, batches);
      i = end;
    }
    arrange(item, batch, batches);
  } else {
    irz_batches_clear(batches);
  }
  free(batch);
  free(range);
  free(item);
  return code;
}

IrzCode irz_batches_make(const IrzSweep *sweep, const volatile sig_atomic_t *stop, IrzBatches *batches,
                         IrzError *error) {
  *batches = (IrzBatches){0};
  uint64_t *mesh = NULL;
  double *cost = NULL;
  IrzError first = {0};
  int n_valid = 0;
  IrzCode code = irz_alloc(&mesh, (size_t)sweep->n_cases, sizeof *mesh, error);
  if (code == IRZ_OK) code = irz_alloc(&cost, (size_t)sweep->n_cases, sizeof *cost, error);
  for (int i = 0; i < sweep->n_cases && code == IRZ_OK; i++) {
    IrzPlan *plan = NULL;
    IrzError wrong = {0};
    if (stop != NULL && *stop) {
      code =
          irz_error_set(error, IRZ_ERR_STOPPED, "%s: stopped while its cases were read; nothing was run", sweep->file);
      break;
    }
    if (irz_sweep_plan(sweep, i + 1, &plan, &wrong) == IRZ_OK && irz_mesh_hash(plan, &mesh[i], &wrong) == IRZ_OK) {
      cost[i] = expected_cost(plan);
      n_valid++;
    } else {
      mesh[i] = (uint64_t)INT64_MAX + 1 + (uint64_t)i; /* above every hash: alone, and last */
      if (first.code == IRZ_OK) first = wrong;
      if (wrong.code == IRZ_ERR_MEMORY) code = irz_error_set(error, wrong.code, "%s", wrong.text);
    }
    irz_plan_free(plan);
  }
  if (code == IRZ_OK && n_valid == 0) {
    code = irz_error_set(error, IRZ_ERR_PLAN, "%s: no case is a valid plan; the first: %s", sweep->file, first.text);
  }
  if (code == IRZ_OK) {
    code = irz_batches_cut(sweep->n_cases, sweep->n_parameters, sweep->value, mesh, cost, batches, error);
  }
  free(cost);
  free(mesh);
  return code;
}

void irz_batches_clear(IrzBatches *batches) {
  free(batches->first);
  free(batches->mesh);
  free(batches->cost);
  free(batches->order);
  *batches = (IrzBatches){0};
}
