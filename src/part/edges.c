/* Edges of tetrahedra; see edges.h.

   Each thread lists the edges of a run of tetrahedra along the curve. Then the lists are put behind one another without
   the edges that an earlier one has, which gives the order in which a single thread would have met them. */
#include "part/edges.h"
#include "base/memory.h"
#include "base/threads.h"
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/// Eight edges of one end, as a processor compares them at once.
typedef struct {
  int32_t other[8]; ///< the other end
  int32_t edge[8];  ///< 1 + index of the edge, or 0
} Bucket;

/// Where the edges of one end are that do not fit its bucket any more, and how full that is.
typedef struct {
  int32_t more; ///< 1 + index of a further bucket, or 0
  int32_t used;
} Rest;

/// The edges that one thread met. Each is kept with one of its ends, in turns, so that most ends do with one bucket.
typedef struct {
  int32_t first, last; ///< its tetrahedra [first, last)
  int32_t count, room;
  Bucket *bucket; ///< [n_buckets], first those of the vertices: their latest edges
  Rest *rest;     ///< [n_buckets]
  int32_t n_buckets, room_buckets;
  int32_t *edge;   ///< [count][2] ends
  int32_t *number; ///< [count] edge of the part
  IrzCode code;
  IrzError error;
} Run;

static void run_clear(Run *run) {
  free(run->bucket);
  free(run->rest);
  free(run->edge);
  free(run->number);
}

/// An edge of a run by the end that keeps it and the other, or -1.
static inline int32_t find(const Run *run, int32_t keeper, int32_t other) {
  for (int32_t at = keeper;; at = run->rest[at].more - 1) {
    const Bucket *bucket = &run->bucket[at];
    int32_t found = 0;
    for (int k = 0; k < 8; k++) found |= bucket->edge[k] & -(int32_t)(bucket->other[k] == other);
    if (found > 0) return found - 1;
    if (run->rest[at].more == 0) return -1;
  }
}

/// Keep a new edge. There is room for one more bucket.
static inline void keep(Run *run, int32_t keeper, int32_t other, int32_t edge) {
  Rest *rest = &run->rest[keeper];
  if (rest->used == 8) { /* those met longer ago move away */
    run->bucket[run->n_buckets] = run->bucket[keeper];
    run->rest[run->n_buckets] = (Rest){rest->more, 8};
    *rest = (Rest){++run->n_buckets, 0};
    run->bucket[keeper] = (Bucket){0};
  }
  run->bucket[keeper].other[rest->used] = other;
  run->bucket[keeper].edge[rest->used++] = 1 + edge;
}

static IrzCode reserve(Run *run, int32_t room, IrzError *error) {
  run->room = room;
  return irz_resize(&run->edge, 2 * (size_t)room, sizeof *run->edge, error);
}

static IrzCode reserve_buckets(Run *run, int32_t room, IrzError *error) {
  run->room_buckets = room;
  IRZ_TRY(irz_resize(&run->bucket, (size_t)room, sizeof *run->bucket, error));
  return irz_resize(&run->rest, (size_t)room, sizeof *run->rest, error);
}

/// List the edges of a thread's tetrahedra and give these their indices in the list.
static IrzCode list_edges(IrzPart *part, Run *run, int n_runs, IrzError *error) {
  run->n_buckets = part->n_vertices;
  run->room_buckets = part->n_vertices + part->n_vertices / 2 + 6;
  IRZ_TRY(irz_alloc(&run->bucket, (size_t)run->room_buckets, sizeof *run->bucket, error));
  IRZ_TRY(irz_alloc(&run->rest, (size_t)run->room_buckets, sizeof *run->rest, error));
  /* By Euler's formula as many as tetrahedra and vertices together, and half as many as faces on the surface. */
  int64_t expected = (int64_t)(run->last - run->first) + part->n_vertices / n_runs;
  IRZ_TRY(reserve(run, (int32_t)(expected + expected / 16 + 1024), error));
  for (int32_t t = run->first; t < run->last; t++) {
    int32_t *node = part->tet[t];
    if (run->room - run->count < 6) IRZ_TRY(reserve(run, run->room + run->room / 4, error));
    if (run->room_buckets - run->n_buckets < 6)
      IRZ_TRY(reserve_buckets(run, run->room_buckets + run->room_buckets / 4, error));
    for (int e = 0; e < 6; e++) {
      int32_t a = node[irz_edge_vertices[e][0]], b = node[irz_edge_vertices[e][1]];
      int32_t keeper = irz_edge_owner(a, b), other = a + b - keeper, k = find(run, keeper, other);
      if (k < 0) {
        k = run->count++;
        keep(run, keeper, other, k);
        run->edge[2 * (size_t)k] = a;
        run->edge[2 * (size_t)k + 1] = b;
      }
      node[4 + e] = part->n_vertices + k;
    }
  }
  return IRZ_OK;
}

/// Number the edges of all runs.
static IrzCode number_edges(IrzPart *part, Run *run, int n_runs, IrzError *error) {
  int32_t next = 0;
  for (int r = 0; r < n_runs; r++) {
    IRZ_TRY(irz_alloc_unset(&run[r].number, (size_t)run[r].count, sizeof *run[r].number, error));
    for (int32_t k = 0; k < run[r].count; k++) {
      int32_t a = run[r].edge[2 * (size_t)k], b = run[r].edge[2 * (size_t)k + 1], known = -1;
      for (int before = 0; before < r && known < 0; before++) {
        int32_t keeper = irz_edge_owner(a, b), found = find(&run[before], keeper, a + b - keeper);
        if (found >= 0) known = run[before].number[found];
      }
      run[r].number[k] = known >= 0 ? known : next++;
    }
  }
  part->n_edges = part->n_owned_edges = next;
  return IRZ_OK;
}

/// Put edges that other ranks own behind this rank's own.
static IrzCode move_ghosts(IrzPart *part, const int32_t *id, Run *run, int n_runs, IrzError *error) {
  int32_t *place = NULL, owned = 0, ghosts = 0;
  IRZ_TRY(irz_alloc_unset(&place, (size_t)part->n_edges, sizeof *place, error));
  for (int r = 0; r < n_runs; r++) {
    for (int32_t k = 0; k < run[r].count; k++) {
      int32_t a = run[r].edge[2 * (size_t)k], b = run[r].edge[2 * (size_t)k + 1], number = run[r].number[k];
      if (number < owned + ghosts) continue; /* seen in an earlier run */
      int32_t end = irz_edge_owner(id[a], id[b]) == id[a] ? a : b;
      place[number] = end < part->n_owned_vertices ? owned++ : -1 - ghosts++;
    }
  }
  part->n_owned_edges = owned;
  for (int r = 0; r < n_runs; r++) {
    for (int32_t k = 0; k < run[r].count; k++) {
      int32_t to = place[run[r].number[k]];
      run[r].number[k] = to >= 0 ? to : owned - 1 - to;
    }
  }
  free(place);
  return IRZ_OK;
}

/// Give the tetrahedra of a run the numbers of their edges.
static void use_numbers(IrzPart *part, const Run *run) {
  for (int32_t t = run->first; t < run->last; t++) {
    for (int e = 4; e < 10; e++) part->tet[t][e] = part->n_vertices + run->number[part->tet[t][e] - part->n_vertices];
  }
}

/// List and number; `run` is cleared by the caller.
static IrzCode make_edges(IrzPart *part, const int32_t *id, Run *run, int n_runs, IrzError *error) {
#pragma omp parallel for num_threads(irz_threads(n_runs)) schedule(static, 1)
  for (int r = 0; r < n_runs; r++) {
    run[r].first = (int32_t)((int64_t)part->n_tets * r / n_runs);
    run[r].last = (int32_t)((int64_t)part->n_tets * (r + 1) / n_runs);
    run[r].code = list_edges(part, &run[r], n_runs, &run[r].error);
  }
  for (int r = 0; r < n_runs; r++) {
    if (run[r].code != IRZ_OK) *error = run[r].error;
    IRZ_TRY(run[r].code);
  }
  if (n_runs == 1 && id == NULL) { /* the list is what is wanted */
    part->n_edges = part->n_owned_edges = run[0].count;
    IRZ_TRY(irz_resize(&run[0].edge, 2 * (size_t)run[0].count, sizeof *run[0].edge, error));
    part->edge = run[0].edge;
    run[0].edge = NULL;
    return IRZ_OK;
  }
  IRZ_TRY(number_edges(part, run, n_runs, error));
  if (id != NULL) IRZ_TRY(move_ghosts(part, id, run, n_runs, error));
  IRZ_TRY(irz_alloc_unset(&part->edge, 2 * (size_t)part->n_edges, sizeof *part->edge, error));
  for (int r = n_runs - 1; r >= 0; r--) { /* backwards: the ends are in the order in which they were met first */
    for (int32_t k = 0; k < run[r].count; k++) {
      memcpy(part->edge + 2 * (size_t)run[r].number[k], run[r].edge + 2 * (size_t)k, 2 * sizeof *part->edge);
    }
  }
#pragma omp parallel for num_threads(irz_threads(n_runs)) schedule(static, 1)
  for (int r = 0; r < n_runs; r++) use_numbers(part, &run[r]);
  return IRZ_OK;
}

IrzCode irz_part_edges(IrzPart *part, const int32_t *id, IrzError *error) {
  int n_runs = omp_get_max_threads();
  Run *run = NULL;
  IRZ_TRY(irz_alloc(&run, (size_t)n_runs, sizeof *run, error));
  IrzCode code = make_edges(part, id, run, n_runs, error);
  for (int r = 0; r < n_runs; r++) run_clear(&run[r]);
  free(run);
  return code;
}
