/* Distribution of a mesh: order along a curve, divide among the ranks, send, number the edges. See part.h. */
#include "mesh/part.h"
#include "base/idle.h"
#include "base/memory.h"
#include "base/petsc.h"
#include "mesh/bisect.h"
#include "mesh/first_met.h"
#include "mesh/part_edges.h"
#include <omp.h>
#include <petscmat.h>
#include <stdlib.h>
#include <string.h>

const int irz_child_nodes[8][4] = {{0, 4, 5, 6}, {4, 1, 7, 8}, {5, 7, 2, 9}, {6, 8, 9, 3},
                                   {5, 8, 4, 7}, {5, 8, 7, 9}, {5, 8, 9, 6}, {5, 8, 6, 4}};

/* ---- Order along a space-filling curve ---- */

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
#pragma omp parallel for num_threads(n_runs) schedule(static, 1)
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
#pragma omp parallel for num_threads(n_runs) schedule(static, 1)
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

/// Order of the tetrahedra along a Morton curve through their centroids.
static IrzCode curve_order(const IrzMesh *mesh, int32_t **order, IrzError *error) {
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
#pragma omp parallel for
    for (int32_t t = 0; t < n; t++) {
      uint64_t key = 0;
      for (int d = 0; d < 3; d++) key |= spread(cell_of(&axis[d], centroid(mesh, t, d), digit)) << axis[d].place;
      items[t] = key << (64 - 3 * digit) | (uint64_t)t;
    }
    code = radix_sort(items, spare, n, digit, error);
  }
  if (code == IRZ_OK) {
    const uint64_t number = ((uint64_t)1 << (64 - 3 * digit)) - 1;
#pragma omp parallel for
    for (int32_t k = 0; k < n; k++) (*order)[k] = (int32_t)(spare[k] & number);
  }
  free(items);
  free(spare);
  return code;
}

/* ---- What rank 0 works out ---- */

/// The mesh with everything the ranks need to know, on rank 0.
typedef struct {
  const IrzMesh *mesh;
  int32_t *order;    ///< [n_tets] along the curve
  int32_t (*tet)[4]; ///< [n_tets] corners along the curve, of several ranks
  int8_t *electrode; ///< [n_vertices]
  uint8_t *outer;    ///< [n_vertices]
  int32_t n_edges;   ///< edges on electrodes
  int32_t *edge;     ///< [n_edges][2] vertices, smaller first, sorted
  int *owner;        ///< [n_vertices] rank
  int32_t *number;   ///< [n_vertices] new global number, contiguous on each rank
  int32_t *start;    ///< [size + 1] first global number of each rank
  int32_t **tets;    ///< [size] places in `order` of the tetrahedra of each rank: those that touch a vertex it owns
  int32_t *n_tets;   ///< [size]
} Plan0;

static int compare_pairs(const void *a, const void *b) {
  const int32_t *p = a, *q = b;
  if (p[0] != q[0]) return p[0] < q[0] ? -1 : 1;
  return p[1] < q[1] ? -1 : p[1] > q[1];
}

/// Index of the sorted pair (a, b) in a sorted list, or -1.
static int32_t find_pair(const int32_t *list, int32_t count, int32_t a, int32_t b) {
  int32_t key[2] = {a < b ? a : b, a < b ? b : a};
  const int32_t *hit = count > 0 ? bsearch(key, list, (size_t)count, 2 * sizeof *list, compare_pairs) : NULL;
  return hit != NULL ? (int32_t)((hit - list) / 2) : -1;
}

/// Mark the vertices and collect the edges that lie on electrodes.
static IrzCode mark_surfaces(Plan0 *plan, int n_probes, const char *const *surfaces, IrzError *error) {
  const IrzMesh *mesh = plan->mesh;
  IRZ_TRY(irz_alloc(&plan->electrode, (size_t)mesh->n_vertices, 1, error));
  IRZ_TRY(irz_alloc(&plan->outer, (size_t)mesh->n_vertices, 1, error));
  IRZ_TRY(irz_alloc(&plan->edge, 6 * (size_t)mesh->n_triangles, sizeof *plan->edge, error));
  memset(plan->electrode, -1, (size_t)mesh->n_vertices);
  int32_t count = 0;
  for (int32_t i = 0; i < mesh->n_triangles; i++) {
    const char *name = mesh->surfaces[mesh->surface[i]].name;
    const int32_t *v = mesh->triangle + 3 * (size_t)i;
    if (strcmp(name, "outer") == 0) {
      for (int j = 0; j < 3; j++) plan->outer[v[j]] = 1;
    }
    for (int p = 0; p < n_probes; p++) {
      if (strcmp(name, surfaces[p]) != 0) continue;
      for (int j = 0; j < 3; j++) {
        int32_t a = v[j], b = v[(j + 1) % 3];
        if (plan->electrode[a] >= 0 && plan->electrode[a] != p) {
          return irz_error_set(error, IRZ_ERR_INPUT, "electrodes \"%s\" and \"%s\" touch", surfaces[plan->electrode[a]],
                               surfaces[p]);
        }
        plan->electrode[a] = (int8_t)p;
        plan->edge[2 * (size_t)count] = a < b ? a : b;
        plan->edge[2 * (size_t)count + 1] = a < b ? b : a;
        count++;
      }
    }
  }
  qsort(plan->edge, (size_t)count, 2 * sizeof *plan->edge, compare_pairs);
  for (int32_t i = 0; i < count; i++) {
    if (i > 0 && compare_pairs(plan->edge + 2 * (size_t)i, plan->edge + 2 * (size_t)(i - 1)) == 0) continue;
    memmove(plan->edge + 2 * (size_t)plan->n_edges, plan->edge + 2 * (size_t)i, 2 * sizeof *plan->edge);
    plan->n_edges++;
  }
  return IRZ_OK;
}

/// Adjacency of the vertices in [first, last) as CSR; released by PETSc.
static PetscErrorCode vertex_graph(const IrzMesh *mesh, PetscInt **rows, PetscInt **columns) {
  PetscInt n = mesh->n_vertices, *start, *tets, *i, *j, total = 0, room = 16 * n + 64;

  PetscFunctionBegin;
  PetscCall(PetscCalloc1(n + 1, &start));
  PetscCall(PetscMalloc1(4 * (size_t)mesh->n_tets, &tets));
  for (size_t k = 0; k < 4 * (size_t)mesh->n_tets; k++) start[mesh->tet[k] + 1]++;
  for (PetscInt v = 0; v < n; v++) start[v + 1] += start[v];
  for (size_t k = 0; k < 4 * (size_t)mesh->n_tets; k++) tets[start[mesh->tet[k]]++] = (PetscInt)(k / 4);
  for (PetscInt v = n; v > 0; v--) start[v] = start[v - 1];
  start[0] = 0;
  PetscCall(PetscMalloc1(n + 1, &i));
  PetscCall(PetscMalloc1(room, &j));
  i[0] = 0;
  for (PetscInt v = 0; v < n; v++) {
    PetscInt low = total, count;
    if (total + 4 * (start[v + 1] - start[v]) > room) {
      room = 2 * room + 4 * (start[v + 1] - start[v]);
      PetscCall(PetscRealloc((size_t)room * sizeof *j, &j));
    }
    for (PetscInt k = start[v]; k < start[v + 1]; k++) {
      for (int c = 0; c < 4; c++) {
        PetscInt w = mesh->tet[4 * (size_t)tets[k] + (size_t)c];
        if (w != v) j[total++] = w;
      }
    }
    count = total - low;
    PetscCall(PetscSortRemoveDupsInt(&count, j + low));
    total = low + count;
    i[v + 1] = total;
  }
  PetscCall(PetscFree(start));
  PetscCall(PetscFree(tets));
  *rows = i;
  *columns = j;
  PetscFunctionReturn(0);
}

/// Owner of every vertex by the graph partitioner of the PETSc option -mat_partitioning_type. Collective; result on
/// rank 0.
static PetscErrorCode partition(MPI_Comm comm, const IrzMesh *mesh, int *owner) {
  int rank, size, *counts, *displacements;
  PetscInt n = mesh != NULL ? mesh->n_vertices : 0, *i = NULL, *j = NULL, *mine_i, *mine_j;
  Mat graph;
  MatPartitioning part;
  IS result;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCallMPI(MPI_Bcast(&n, 1, MPIU_INT, 0, comm));
  if (rank == 0) PetscCall(vertex_graph(mesh, &i, &j));
  PetscCall(PetscMalloc2(size, &counts, size + 1, &displacements));
  for (int r = 0; r <= size; r++) displacements[r] = (int)((int64_t)n * r / size);
  for (int r = 0; r < size; r++) counts[r] = displacements[r + 1] - displacements[r];
  {
    PetscInt rows = counts[rank], edges;
    PetscCall(PetscMalloc1(rows + 1, &mine_i));
    PetscCallMPI(MPI_Scatterv(i, counts, displacements, MPIU_INT, mine_i, (int)rows, MPIU_INT, 0, comm));
    if (rank == 0) {
      for (int r = 0; r < size; r++) {
        PetscInt low = i[displacements[r]], high = i[displacements[r + 1]];
        if (r > 0) {
          PetscInt bounds[2] = {low, high};
          PetscCallMPI(MPI_Send(bounds, 2, MPIU_INT, r, 1, comm));
          PetscCallMPI(MPI_Send(j + low, (int)(high - low), MPIU_INT, r, 2, comm));
        }
      }
      edges = i[displacements[1]];
      PetscCall(PetscMalloc1(edges, &mine_j));
      PetscCall(PetscArraycpy(mine_j, j, edges));
      mine_i[rows] = edges;
    } else {
      PetscInt bounds[2];
      PetscCallMPI(MPI_Recv(bounds, 2, MPIU_INT, 0, 1, comm, MPI_STATUS_IGNORE));
      edges = bounds[1] - bounds[0];
      PetscCall(PetscMalloc1(edges, &mine_j));
      PetscCallMPI(MPI_Recv(mine_j, (int)edges, MPIU_INT, 0, 2, comm, MPI_STATUS_IGNORE));
      mine_i[rows] = bounds[1];
      for (PetscInt v = 0; v <= rows; v++) mine_i[v] -= bounds[0];
    }
    PetscCall(PetscFree(i));
    PetscCall(PetscFree(j));
    PetscCall(MatCreateMPIAdj(comm, rows, n, mine_i, mine_j, NULL, &graph));
  }
  PetscCall(MatPartitioningCreate(comm, &part));
  PetscCall(MatPartitioningSetAdjacency(part, graph));
  PetscCall(MatPartitioningSetFromOptions(part));
  PetscCall(MatPartitioningApply(part, &result));
  {
    const PetscInt *values;
    PetscCall(ISGetIndices(result, &values));
    PetscCallMPI(MPI_Gatherv(values, counts[rank], MPIU_INT, owner, counts, displacements, MPI_INT, 0, comm));
    PetscCall(ISRestoreIndices(result, &values));
  }
  PetscCall(ISDestroy(&result));
  PetscCall(MatPartitioningDestroy(&part));
  PetscCall(MatDestroy(&graph));
  PetscCall(PetscFree2(counts, displacements));
  PetscFunctionReturn(0);
}

/// Owner of every vertex by bisection; an electrode is one point that weighs as much as all its vertices.
static IrzCode bisect(Plan0 *plan, int n_probes, int size, IrzError *error) {
  const IrzMesh *mesh = plan->mesh;
  size_t room = (size_t)mesh->n_vertices + (size_t)n_probes;
  int32_t *weight = NULL, count = n_probes;
  int *owner = NULL;
  double *x = NULL;
  IrzCode code = irz_alloc(&weight, room, sizeof *weight, error);
  if (code == IRZ_OK) code = irz_alloc(&owner, room, sizeof *owner, error);
  if (code == IRZ_OK) code = irz_alloc(&x, 3 * room, sizeof *x, error);
  if (code == IRZ_OK) {
    for (int32_t v = 0; v < mesh->n_vertices; v++) {
      int32_t point = plan->electrode[v] >= 0 ? plan->electrode[v] : count++;
      weight[point]++;
      for (int d = 0; d < 3; d++) x[3 * (size_t)point + (size_t)d] += mesh->xyz[3 * (size_t)v + (size_t)d];
    }
    for (int p = 0; p < n_probes; p++) {
      if (weight[p] == 0) weight[p] = 1; /* a probe that the mesh does not have is reported elsewhere */
      for (int d = 0; d < 3; d++) x[3 * p + d] /= weight[p];
    }
    code = irz_bisect(count, x, weight, size, owner, error);
  }
  if (code == IRZ_OK) {
    count = n_probes;
    for (int32_t v = 0; v < mesh->n_vertices; v++) {
      plan->owner[v] = owner[plan->electrode[v] >= 0 ? plan->electrode[v] : count++];
    }
  }
  free(weight);
  free(owner);
  free(x);
  return code;
}

/// Give all vertices of an electrode to the rank that has most of them.
static void gather_electrodes(Plan0 *plan, int n_probes, int size, int32_t *votes) {
  for (int p = 0; p < n_probes; p++) {
    memset(votes, 0, (size_t)size * sizeof *votes);
    int best = 0;
    for (int32_t v = 0; v < plan->mesh->n_vertices; v++) {
      if (plan->electrode[v] == p) votes[plan->owner[v]]++;
    }
    for (int r = 1; r < size; r++) {
      if (votes[r] > votes[best]) best = r;
    }
    for (int32_t v = 0; v < plan->mesh->n_vertices; v++) {
      if (plan->electrode[v] == p) plan->owner[v] = best;
    }
  }
}

/// Number the vertices rank by rank, in the order in which the curve first meets them.
static IrzCode number_divided(Plan0 *plan, int size, IrzError *error) {
  const IrzMesh *mesh = plan->mesh;
  const int n_runs = omp_get_max_threads();
  int32_t *next = NULL;
  IrzMet met = {0};
  IrzCode code = irz_alloc(&next, (size_t)size, sizeof *next, error);
  if (code == IRZ_OK) {
    code = irz_first_met(mesh->n_tets, plan->tet[0], 4, 4, mesh->n_vertices, n_runs, &met, error);
  }
  if (code == IRZ_OK) {
    for (int32_t v = 0; v < mesh->n_vertices; v++) plan->start[plan->owner[v] + 1]++;
    for (int r = 0; r < size; r++) plan->start[r + 1] += plan->start[r];
    memcpy(next, plan->start, (size_t)size * sizeof *next);
    for (int32_t k = 0; k < met.end[n_runs - 1]; k++) {
      int32_t v = met.node[k];
      plan->number[v] = next[plan->owner[v]]++;
    }
  }
  irz_met_clear(&met);
  free(next);
  return code;
}

/// Ranks that own corners of a tetrahedron; returns how many.
static int owners(const Plan0 *plan, const int32_t tet[4], int owner[4]) {
  int count = 0;
  for (int c = 0; c < 4; c++) {
    int k = 0;
    owner[count] = plan->owner[tet[c]];
    while (owner[k] != owner[count]) k++;
    count += k == count;
  }
  return count;
}

/// List the tetrahedra of each rank. Each thread takes a run of tetrahedra and knows how many the others have before
/// its own.
static IrzCode list_tets(Plan0 *plan, int size, IrzError *error) {
  const IrzMesh *mesh = plan->mesh;
  const int n_runs = omp_get_max_threads();
  const size_t ranks = (size_t)size;
  int32_t *next = NULL; /* [n_runs][size] */
  IRZ_TRY(irz_alloc(&next, (size_t)n_runs * ranks, sizeof *next, error));
  IrzCode code = irz_alloc(&plan->tets, ranks, sizeof *plan->tets, error);
  if (code == IRZ_OK) code = irz_alloc(&plan->n_tets, ranks, sizeof *plan->n_tets, error);
  for (int pass = 0; pass < 2 && code == IRZ_OK; pass++) {
#pragma omp parallel for num_threads(n_runs) schedule(static, 1)
    for (int r = 0; r < n_runs; r++) {
      int32_t *own = next + (size_t)r * ranks, last = (int32_t)((int64_t)mesh->n_tets * (r + 1) / n_runs);
      for (int32_t k = (int32_t)((int64_t)mesh->n_tets * r / n_runs); k < last; k++) {
        int owner[4], count = owners(plan, plan->tet[k], owner);
        for (int i = 0; i < count; i++) {
          int32_t at = own[owner[i]]++;
          if (pass == 1) plan->tets[owner[i]][at] = k;
        }
      }
    }
    for (size_t rank = 0; pass == 0 && rank < ranks && code == IRZ_OK; rank++) {
      for (int r = 0; r < n_runs; r++) {
        int32_t here = next[(size_t)r * ranks + rank];
        next[(size_t)r * ranks + rank] = plan->n_tets[rank];
        plan->n_tets[rank] += here;
      }
      code = irz_alloc_unset(&plan->tets[rank], (size_t)plan->n_tets[rank], sizeof **plan->tets, error);
    }
  }
  free(next);
  return code;
}

/// Number the vertices and list the tetrahedra of several ranks.
static IrzCode hand_out(Plan0 *plan, int size, IrzError *error) {
  const IrzMesh *mesh = plan->mesh;
  IRZ_TRY(irz_alloc_unset(&plan->tet, (size_t)mesh->n_tets, sizeof *plan->tet, error));
#pragma omp parallel for
  for (int32_t k = 0; k < mesh->n_tets; k++) {
    memcpy(plan->tet[k], mesh->tet + 4 * (size_t)plan->order[k], sizeof *plan->tet);
  }
  IRZ_TRY(number_divided(plan, size, error));
  return list_tets(plan, size, error);
}

static void plan0_clear(Plan0 *plan, int size) {
  for (int r = 0; r < size && plan->tets != NULL; r++) free(plan->tets[r]);
  free(plan->tets);
  free(plan->n_tets);
  free(plan->order);
  free(plan->tet);
  free(plan->electrode);
  free(plan->outer);
  free(plan->edge);
  free(plan->owner);
  free(plan->number);
  free(plan->start);
}

/* ---- What is sent to each rank ---- */

/// One rank's share, in flat arrays that can be sent.
typedef struct {
  int32_t size[4]; ///< owned vertices, vertices, tetrahedra, tetrahedra with curved edges
  int32_t *id;     ///< [vertices] global number
  double *xyz;     ///< [vertices][3]
  int8_t *electrode;
  uint8_t *outer;
  int32_t *tet;       ///< [tets][4] local vertices
  uint8_t *region;    ///< [tets]
  uint8_t *mine;      ///< [tets]
  uint8_t *metal;     ///< [tets] bit e: edge e lies on an electrode
  int32_t *curved;    ///< [curved] local tetrahedra
  double *curved_xyz; ///< [curved][6][3]
} Share;

static void share_clear(Share *share) {
  free(share->id);
  free(share->xyz);
  free(share->electrode);
  free(share->outer);
  free(share->tet);
  free(share->region);
  free(share->mine);
  free(share->metal);
  free(share->curved);
  free(share->curved_xyz);
  memset(share, 0, sizeof *share);
}

static IrzCode alloc_tets(Share *share, IrzError *error) {
  size_t tets = (size_t)share->size[2];
  IRZ_TRY(irz_alloc(&share->tet, 4 * tets, sizeof *share->tet, error));
  IRZ_TRY(irz_alloc(&share->region, tets, 1, error));
  IRZ_TRY(irz_alloc(&share->mine, tets, 1, error));
  return irz_alloc(&share->metal, tets, 1, error);
}

static IrzCode alloc_vertices(Share *share, IrzError *error) {
  size_t vertices = (size_t)share->size[1];
  IRZ_TRY(irz_alloc(&share->id, vertices, sizeof *share->id, error));
  IRZ_TRY(irz_alloc(&share->xyz, 3 * vertices, sizeof *share->xyz, error));
  IRZ_TRY(irz_alloc(&share->electrode, vertices, 1, error));
  return irz_alloc(&share->outer, vertices, 1, error);
}

/// Also makes more room.
static IrzCode alloc_curved(Share *share, int32_t room, IrzError *error) {
  IRZ_TRY(irz_resize(&share->curved, (size_t)room, sizeof *share->curved, error));
  return irz_resize(&share->curved_xyz, 18 * (size_t)room, sizeof *share->curved_xyz, error);
}

/// Middles of a tetrahedron's edges; false if all of them are straight.
static bool edge_middles(const IrzMesh *mesh, const int32_t v[4], double middle[18]) {
  bool curved = false;
  for (int e = 0; e < 6; e++) {
    int32_t a = v[irz_edge_vertices[e][0]], b = v[irz_edge_vertices[e][1]];
    int32_t hit = find_pair(mesh->curved_edge, mesh->n_curved, a, b);
    for (int d = 0; d < 3; d++) {
      middle[3 * e + d] = hit >= 0
                              ? mesh->curved_xyz[3 * (size_t)hit + (size_t)d]
                              : 0.5 * (mesh->xyz[3 * (size_t)a + (size_t)d] + mesh->xyz[3 * (size_t)b + (size_t)d]);
    }
    curved = curved || hit >= 0;
  }
  return curved;
}

/// Which edges of a tetrahedron lie on electrodes, as bits.
static uint8_t metal_edges(const Plan0 *plan, const int32_t v[4]) {
  int bits = 0;
  for (int e = 0; e < 6; e++) {
    int32_t a = v[irz_edge_vertices[e][0]], b = v[irz_edge_vertices[e][1]];
    if (plan->electrode[a] < 0 || plan->electrode[a] != plan->electrode[b]) continue;
    if (find_pair(plan->edge, plan->n_edges, a, b) >= 0) bits |= 1 << e;
  }
  return (uint8_t)bits;
}

/// A vertex of another rank.
typedef struct {
  int32_t number, vertex;
} Ghost;

static int compare_ghosts(const void *a, const void *b) {
  const Ghost *p = a, *q = b;
  return (p->number > q->number) - (p->number < q->number);
}

/// Ghosts of a share and room for them and for tetrahedra with curved edges.
typedef struct {
  Ghost *ghost;
  int32_t n_ghosts, room, curved_room;
} Collection;

/// Local number of a vertex; a new ghost gets the next one.
/// @param[in,out] local  [n_vertices] of ghosts, else -1
static IrzCode local_vertex(const Plan0 *plan, int rank, int32_t v, int32_t *local, Collection *collection,
                            int32_t *number, IrzError *error) {
  int32_t first = plan->start[rank];
  if (plan->owner[v] == rank) {
    *number = plan->number[v] - first;
    return IRZ_OK;
  }
  if (local[v] < 0) {
    if (collection->n_ghosts == collection->room) {
      collection->room += collection->room / 2 + 1024;
      IRZ_TRY(irz_resize(&collection->ghost, (size_t)collection->room, sizeof *collection->ghost, error));
    }
    local[v] = plan->start[rank + 1] - first + collection->n_ghosts;
    collection->ghost[collection->n_ghosts++] = (Ghost){plan->number[v], v};
  }
  *number = local[v];
  return IRZ_OK;
}

/// Collect the tetrahedra of one rank, with ghosts numbered as they are met.
static IrzCode collect_tets(const Plan0 *plan, int rank, const uint8_t *bent, int32_t *local, Share *share,
                            Collection *collection, IrzError *error) {
  const IrzMesh *mesh = plan->mesh;
  double middle[18];
  for (int32_t t = 0; t < share->size[2]; t++) {
    int32_t place = plan->tets[rank][t];
    const int32_t *v = plan->tet[place];
    int smallest = 0, bends = 0, metal = 0;
    for (int c = 0; c < 4; c++) {
      IRZ_TRY(local_vertex(plan, rank, v[c], local, collection, &share->tet[4 * (size_t)t + (size_t)c], error));
      if (plan->number[v[c]] < plan->number[v[smallest]]) smallest = c;
      bends += bent[v[c]];
      metal += plan->electrode[v[c]] >= 0;
    }
    share->region[t] = (uint8_t)mesh->region[plan->order[place]];
    share->mine[t] = plan->owner[v[smallest]] == rank;
    if (metal >= 2) share->metal[t] = metal_edges(plan, v);
    if (bends < 2 || !edge_middles(mesh, v, middle)) continue;
    if (share->size[3] == collection->curved_room) {
      collection->curved_room += collection->curved_room / 2 + 1024;
      IRZ_TRY(alloc_curved(share, collection->curved_room, error));
    }
    share->curved[share->size[3]] = t;
    memcpy(share->curved_xyz + 18 * (size_t)share->size[3]++, middle, sizeof middle);
  }
  return IRZ_OK;
}

/// Renumber the ghosts in the order of their global numbers, as PETSc will.
/// @param[in] local  [n_vertices] of ghosts
static IrzCode order_ghosts(Share *share, const Collection *collection, const int32_t *local, IrzError *error) {
  int32_t owned = share->size[0], n = collection->n_ghosts, *place = NULL;
  IRZ_TRY(irz_alloc(&place, (size_t)n, sizeof *place, error));
  if (n > 0) qsort(collection->ghost, (size_t)n, sizeof *collection->ghost, compare_ghosts);
  for (int32_t g = 0; g < n; g++) {
    place[local[collection->ghost[g].vertex] - owned] = owned + g;
  }
  for (size_t k = 0; k < 4 * (size_t)share->size[2]; k++) {
    if (share->tet[k] >= owned) share->tet[k] = place[share->tet[k] - owned];
  }
  free(place);
  return IRZ_OK;
}

static void collect_vertex(const Plan0 *plan, int32_t v, int32_t local, Share *share) {
  share->id[local] = plan->number[v];
  memcpy(share->xyz + 3 * (size_t)local, plan->mesh->xyz + 3 * (size_t)v, 3 * sizeof(double));
  share->electrode[local] = plan->electrode[v];
  share->outer[local] = plan->outer[v];
}

/// Collect the share of one rank.
static IrzCode share_collect(const Plan0 *plan, int rank, const uint8_t *bent, Share *share, IrzError *error) {
  const size_t n = (size_t)plan->mesh->n_vertices;
  Collection collection = {0};
  int32_t *local = NULL;
  share->size[0] = plan->start[rank + 1] - plan->start[rank];
  share->size[2] = plan->n_tets[rank];
  IrzCode code = irz_alloc_unset(&local, n, sizeof *local, error);
  if (code == IRZ_OK) code = alloc_tets(share, error);
  if (code == IRZ_OK) memset(local, -1, n * sizeof *local);
  if (code == IRZ_OK) code = collect_tets(plan, rank, bent, local, share, &collection, error);
  if (code == IRZ_OK) code = order_ghosts(share, &collection, local, error);
  share->size[1] = share->size[0] + collection.n_ghosts;
  if (code == IRZ_OK) code = alloc_vertices(share, error);
  if (code == IRZ_OK) {
    for (int32_t v = 0; v < plan->mesh->n_vertices; v++) {
      if (plan->owner[v] == rank) collect_vertex(plan, v, plan->number[v] - plan->start[rank], share);
    }
    for (int32_t g = 0; g < collection.n_ghosts; g++)
      collect_vertex(plan, collection.ghost[g].vertex, share->size[0] + g, share);
  }
  free(collection.ghost);
  free(local);
  return code;
}

/// Number the vertices of a lone rank in the order in which the curve first meets them, and the corners of its
/// tetrahedra with them.
static IrzCode number_alone(Plan0 *plan, int32_t (*tet)[10], IrzError *error) {
  const IrzMesh *mesh = plan->mesh;
  IrzMet met;
#pragma omp parallel for
  for (int32_t k = 0; k < mesh->n_tets; k++) {
    memcpy(tet[k], mesh->tet + 4 * (size_t)plan->order[k], 4 * sizeof **tet);
  }
  IrzCode code = irz_first_met(mesh->n_tets, tet[0], 10, 4, mesh->n_vertices, omp_get_max_threads(), &met, error);
  if (code == IRZ_OK) {
    for (int32_t k = 0; k < met.end[omp_get_max_threads() - 1]; k++) plan->number[met.node[k]] = k;
#pragma omp parallel for
    for (int32_t k = 0; k < mesh->n_tets; k++) {
      for (int c = 0; c < 4; c++) tet[k][c] = plan->number[tet[k][c]];
    }
  }
  irz_met_clear(&met);
  return code;
}

/// What a lone rank has: everything. The corners of the tetrahedra go straight to their place in the part.
static IrzCode share_alone(Plan0 *plan, const uint8_t *bent, Share *share, int32_t (**tet)[10], IrzError *error) {
  const IrzMesh *mesh = plan->mesh;
  size_t vertices = (size_t)mesh->n_vertices, tets = (size_t)mesh->n_tets;
  enum { MAY_BEND = 64 }; /* in `metal`, above the bits of the edges */
  double middle[18];
  share->size[0] = share->size[1] = mesh->n_vertices;
  share->size[2] = mesh->n_tets;
  IRZ_TRY(irz_alloc_unset(tet, tets, sizeof **tet, error));
  IRZ_TRY(irz_alloc_unset(&share->xyz, 3 * vertices, sizeof *share->xyz, error));
  IRZ_TRY(irz_alloc_unset(&share->electrode, vertices, 1, error));
  IRZ_TRY(irz_alloc_unset(&share->outer, vertices, 1, error));
  IRZ_TRY(irz_alloc_unset(&share->region, tets, 1, error));
  IRZ_TRY(irz_alloc_unset(&share->mine, tets, 1, error));
  IRZ_TRY(irz_alloc_unset(&share->metal, tets, 1, error));
  IRZ_TRY(number_alone(plan, *tet, error));
  memset(share->mine, 1, tets);
#pragma omp parallel for
  for (int32_t v = 0; v < mesh->n_vertices; v++) {
    size_t to = (size_t)plan->number[v];
    memcpy(share->xyz + 3 * to, mesh->xyz + 3 * (size_t)v, 3 * sizeof(double));
    share->electrode[to] = plan->electrode[v];
    share->outer[to] = plan->outer[v];
  }
  int32_t candidates = 0;
#pragma omp parallel for reduction(+ : candidates)
  for (int32_t k = 0; k < mesh->n_tets; k++) {
    /* The mesh is not in the order of the curve, so few of its corners are looked at. */
    const int32_t *own = (*tet)[k], *v = mesh->tet + 4 * (size_t)plan->order[k];
    int metal = 0, bends = 0;
    for (int c = 0; c < 4; c++) metal += share->electrode[own[c]] >= 0;
    for (int c = 0; c < 4 && mesh->n_curved > 0; c++) bends += bent[v[c]];
    share->region[k] = (uint8_t)mesh->region[plan->order[k]];
    share->metal[k] = (uint8_t)((metal >= 2 ? metal_edges(plan, v) : 0) | (bends >= 2 ? MAY_BEND : 0));
    candidates += bends >= 2;
  }
  IRZ_TRY(irz_alloc_unset(&share->curved, (size_t)candidates, sizeof *share->curved, error));
  IRZ_TRY(irz_alloc_unset(&share->curved_xyz, 18 * (size_t)candidates, sizeof *share->curved_xyz, error));
  for (int32_t k = 0; k < mesh->n_tets; k++) {
    if ((share->metal[k] & MAY_BEND) == 0) continue;
    share->metal[k] &= (uint8_t)~MAY_BEND;
    if (!edge_middles(mesh, mesh->tet + 4 * (size_t)plan->order[k], middle)) continue;
    share->curved[share->size[3]] = k;
    memcpy(share->curved_xyz + 18 * (size_t)share->size[3]++, middle, sizeof middle);
  }
  return IRZ_OK;
}

/// Send a share to `peer`, or receive it from rank 0.
static IrzCode share_move(MPI_Comm comm, int peer, bool send, Share *share, IrzError *error) {
  if (send) {
    MPI_Send(share->size, 4, MPI_INT32_T, peer, 10, comm);
  } else {
    irz_idle_receive(share->size, 4, MPI_INT32_T, peer, 10, comm);
    IRZ_TRY(alloc_tets(share, error));
    IRZ_TRY(alloc_vertices(share, error));
    IRZ_TRY(alloc_curved(share, share->size[3], error));
  }
  int vertices = share->size[1], tets = share->size[2], curved = share->size[3];
  const struct {
    void *data;
    int count;
    MPI_Datatype type;
  } messages[] = {
      {share->id, vertices, MPI_INT32_T},       {share->xyz, 3 * vertices, MPI_DOUBLE},
      {share->electrode, vertices, MPI_INT8_T}, {share->outer, vertices, MPI_UINT8_T},
      {share->tet, 4 * tets, MPI_INT32_T},      {share->region, tets, MPI_UINT8_T},
      {share->mine, tets, MPI_UINT8_T},         {share->metal, tets, MPI_UINT8_T},
      {share->curved, curved, MPI_INT32_T},     {share->curved_xyz, 18 * curved, MPI_DOUBLE},
  };
  for (size_t m = 0; m < sizeof messages / sizeof messages[0]; m++) {
    if (send) {
      MPI_Send(messages[m].data, messages[m].count, messages[m].type, peer, 11 + (int)m, comm);
    } else {
      MPI_Recv(messages[m].data, messages[m].count, messages[m].type, peer, 11 + (int)m, comm, MPI_STATUS_IGNORE);
    }
  }
  return IRZ_OK;
}

/* ---- Electrodes and exchange ---- */

/// Note which nodes lie on electrodes.
static IrzCode mark_electrodes(IrzPart *part, const Share *share, IrzError *error) {
  size_t n = (size_t)part->n_vertices;
  IRZ_TRY(irz_alloc_unset(&part->electrode, n + (size_t)part->n_edges, 1, error));
  memcpy(part->electrode, share->electrode, n);
  memset(part->electrode + n, -1, (size_t)part->n_edges);
  for (int32_t t = 0; t < part->n_tets; t++) {
    if (share->metal[t] == 0) continue;
    for (int e = 0; e < 6; e++) {
      if (share->metal[t] >> e & 1) {
        part->electrode[part->tet[t][4 + e]] = share->electrode[part->tet[t][irz_edge_vertices[e][0]]];
      }
    }
  }
  return IRZ_OK;
}

/// Rank that owns a global vertex.
static int owner_of(const int32_t *start, int size, int32_t id) {
  int low = 0, high = size;
  while (high - low > 1) {
    int middle = (low + high) / 2;
    if (start[middle] <= id)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/// Build the star forest of the nodes: ghost vertices know their owner's index; ghost edges ask their owner for it.
static PetscErrorCode build_forest(IrzPart *part, const Share *share, const int32_t *start) {
  PetscInt ghosts = part->n_vertices - part->n_owned_vertices + part->n_edges - part->n_owned_edges, leaf = 0;
  PetscInt *where;
  PetscSFNode *root;
  int size = part->size, *counts, *back, *shift, *shift_back, *place;
  int32_t *ask, *asked, *answer, *reply, (*list)[3] = NULL;
  int32_t n_ghost_edges = part->n_edges - part->n_owned_edges, n_beside = 0;
  uint8_t *beside;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(ghosts, &where));
  PetscCall(PetscMalloc1(ghosts, &root));
  for (int32_t v = part->n_owned_vertices; v < part->n_vertices; v++) {
    int rank = owner_of(start, size, share->id[v]);
    where[leaf] = v;
    root[leaf].rank = rank;
    root[leaf++].index = share->id[v] - start[rank];
  }
  PetscCall(PetscCalloc5(size, &counts, size, &back, size + 1, &shift, size + 1, &shift_back, n_ghost_edges, &place));
  for (int32_t e = part->n_owned_edges; e < part->n_edges; e++) {
    int32_t a = share->id[part->edge[2 * e]], b = share->id[part->edge[2 * e + 1]];
    counts[owner_of(start, size, irz_edge_owner(a, b))] += 2;
  }
  PetscCallMPI(MPI_Alltoall(counts, 1, MPI_INT, back, 1, MPI_INT, part->comm));
  for (int r = 0; r < size; r++) {
    shift[r + 1] = shift[r] + counts[r];
    shift_back[r + 1] = shift_back[r] + back[r];
  }
  PetscCall(PetscMalloc4(shift[size], &ask, shift_back[size], &asked, shift_back[size] / 2, &answer, shift[size] / 2,
                         &reply));
  for (int32_t e = part->n_owned_edges; e < part->n_edges; e++) {
    int32_t a = share->id[part->edge[2 * e]], b = share->id[part->edge[2 * e + 1]];
    int rank = owner_of(start, size, irz_edge_owner(a, b));
    place[e - part->n_owned_edges] = shift[rank] / 2;
    ask[shift[rank]++] = a < b ? a : b;
    ask[shift[rank]++] = a < b ? b : a;
  }
  for (int r = size; r > 0; r--) shift[r] = shift[r - 1];
  shift[0] = 0;
  PetscCallMPI(MPI_Alltoallv(ask, counts, shift, MPI_INT32_T, asked, back, shift_back, MPI_INT32_T, part->comm));
  /* Owned edges by their global ends, to answer what others ask: who asks owns a vertex of a tetrahedron that the edge
   * is in, so edges whose tetrahedra have no ghosts need not be looked at. */
  PetscCall(PetscCalloc1(part->n_owned_edges, &beside));
  for (int32_t t = 0; t < part->n_tets; t++) {
    bool inside = true;
    for (int c = 0; c < 4; c++) inside = inside && part->tet[t][c] < part->n_owned_vertices;
    for (int c = 4; c < 10 && !inside; c++) {
      int32_t e = part->tet[t][c] - part->n_vertices;
      if (e < part->n_owned_edges) beside[e] = 1;
    }
  }
  for (int32_t e = 0; e < part->n_owned_edges; e++) n_beside += beside[e];
  PetscCall(PetscMalloc(3 * sizeof(int32_t) * (size_t)n_beside, &list));
  n_beside = 0;
  for (int32_t e = 0; e < part->n_owned_edges; e++) {
    if (!beside[e]) continue;
    int32_t a = share->id[part->edge[2 * e]], b = share->id[part->edge[2 * e + 1]];
    list[n_beside][0] = a < b ? a : b;
    list[n_beside][1] = a < b ? b : a;
    list[n_beside++][2] = part->n_vertices + e;
  }
  if (n_beside > 0) qsort(list, (size_t)n_beside, sizeof list[0], compare_pairs);
  for (int k = 0; k < shift_back[size] / 2; k++) {
    const int32_t *hit =
        n_beside > 0 ? bsearch(asked + 2 * k, list, (size_t)n_beside, sizeof list[0], compare_pairs) : NULL;
    PetscCheck(hit != NULL, PETSC_COMM_SELF, PETSC_ERR_PLIB, "edge unknown to its owner");
    answer[k] = hit[2];
  }
  for (int r = 0; r < size; r++) {
    counts[r] /= 2;
    back[r] /= 2;
  }
  for (int r = 0; r <= size; r++) {
    shift[r] /= 2;
    shift_back[r] /= 2;
  }
  PetscCallMPI(MPI_Alltoallv(answer, back, shift_back, MPI_INT32_T, reply, counts, shift, MPI_INT32_T, part->comm));
  for (int32_t e = 0; e < n_ghost_edges; e++) {
    where[leaf] = part->n_vertices + part->n_owned_edges + e;
    root[leaf].rank = owner_of(shift, size, place[e]);
    root[leaf++].index = reply[place[e]];
  }
  PetscCall(PetscSFCreate(part->comm, &part->nodes));
  PetscCall(PetscSFSetGraph(part->nodes, part->n_vertices + part->n_edges, ghosts, where, PETSC_OWN_POINTER, root,
                            PETSC_OWN_POINTER));
  PetscCall(PetscSFSetUp(part->nodes));
  PetscCall(PetscFree(list));
  PetscCall(PetscFree(beside));
  PetscCall(PetscFree4(ask, asked, answer, reply));
  PetscCall(PetscFree5(counts, back, shift, shift_back, place));
  PetscFunctionReturn(0);
}

/* ---- All together ---- */

/// Work out on rank 0 who gets what. Collective, because the partitioner is.
static IrzCode plan0_make(MPI_Comm comm, const IrzMesh *mesh, int n_probes, const char *const *surfaces, Plan0 *plan,
                          IrzError *error) {
  int rank, size;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  plan->mesh = mesh;
  IRZ_TRY(irz_alloc(&plan->start, (size_t)size + 1, sizeof *plan->start, error));
  if (rank == 0) {
    IrzCode code =
        mesh->n_regions > 255
            ? irz_error_set(error, IRZ_ERR_INPUT, "the mesh has %d regions; at most 255 are allowed", mesh->n_regions)
            : mark_surfaces(plan, n_probes, surfaces, error);
    if (code == IRZ_OK) code = curve_order(mesh, &plan->order, error);
    if (code == IRZ_OK && size > 1) {
      code = irz_alloc(&plan->owner, (size_t)mesh->n_vertices, sizeof *plan->owner, error);
    }
    if (code == IRZ_OK) code = irz_alloc(&plan->number, (size_t)mesh->n_vertices, sizeof *plan->number, error);
  }
  IRZ_TRY(irz_idle_agree(comm, error));
  if (size == 1) return IRZ_OK;
  PetscBool chosen;
  IRZ_PETSC(PetscOptionsHasName(NULL, NULL, "-mat_partitioning_type", &chosen));
  if (chosen) IRZ_PETSC(partition(comm, mesh, plan->owner));
  if (!chosen && rank == 0) bisect(plan, n_probes, size, error);
  IRZ_TRY(irz_idle_agree(comm, error));
  if (rank == 0) {
    int32_t *scratch = NULL;
    if (irz_alloc(&scratch, (size_t)size, sizeof *scratch, error) == IRZ_OK) {
      if (chosen) gather_electrodes(plan, n_probes, size, scratch);
      hand_out(plan, size, error);
      free(scratch);
    }
  }
  IRZ_TRY(irz_idle_agree(comm, error));
  MPI_Bcast(plan->start, size + 1, MPI_INT32_T, 0, comm);
  return IRZ_OK;
}

/// Collect all shares, as many at a time as there are threads, and send them. After a failure the others are served
/// with empty ones, so that nobody waits for ever.
/// @param[out] share  rank 0's own
/// @param[in]  code   what happened so far
static IrzCode serve(MPI_Comm comm, const Plan0 *plan, int size, const uint8_t *bent, Share *share, IrzCode code,
                     IrzError *error) {
  enum { MOST = 64 };
  const int threads = omp_get_max_threads(), most = threads < MOST ? threads : MOST;
  for (int last = size, first; last > 0; last = first) {
    Share collected[MOST] = {0};
    const bool failed = code != IRZ_OK;
    first = last > most ? last - most : 0;
#pragma omp parallel for num_threads(most) schedule(dynamic, 1)
    for (int r = first; r < last; r++) {
      IrzError own = {0};
      if (failed || share_collect(plan, r, bent, &collected[r - first], &own) == IRZ_OK) continue;
#pragma omp critical
      {
        *error = own;
        code = own.code;
      }
    }
    for (int r = last - 1; r >= first; r--) {
      if (code != IRZ_OK) share_clear(&collected[r - first]);
      if (r == 0) {
        *share = collected[0];
      } else {
        share_move(comm, r, true, &collected[r - first], error);
        share_clear(&collected[r - first]);
      }
    }
  }
  return code;
}

/// Get this rank's share from rank 0. Collective.
/// @param[out] tet  of a lone rank; else the corners are in the share
static IrzCode distribute(MPI_Comm comm, Plan0 *plan, Share *share, int32_t (**tet)[10], IrzError *error) {
  int rank, size;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  if (rank != 0) return share_move(comm, 0, false, share, error);
  const IrzMesh *mesh = plan->mesh;
  uint8_t *bent = NULL;
  IrzCode code = irz_alloc(&bent, (size_t)mesh->n_vertices, 1, error);
  for (size_t k = 0; code == IRZ_OK && k < 2 * (size_t)mesh->n_curved; k++) bent[mesh->curved_edge[k]] = 1;
  if (size == 1) {
    if (code == IRZ_OK) code = share_alone(plan, bent, share, tet, error);
    free(bent);
    return code;
  }
  code = serve(comm, plan, size, bent, share, code, error);
  free(bent);
  return code;
}

/// Turn a share into a part.
static IrzCode part_build(IrzPart *part, Share *share, const int32_t *start, IrzError *error) {
  part->n_owned_vertices = share->size[0];
  part->n_vertices = share->size[1];
  part->n_tets = share->size[2];
  part->n_curved = share->size[3];
  if (part->size > 1) {
    IRZ_TRY(irz_alloc_unset(&part->tet, (size_t)part->n_tets, sizeof *part->tet, error));
    for (int32_t t = 0; t < part->n_tets; t++) memcpy(part->tet[t], share->tet + 4 * (size_t)t, 4 * sizeof(int32_t));
  }
  IRZ_TRY(irz_alloc_unset(&part->curved_xyz, (size_t)part->n_curved, sizeof *part->curved_xyz, error));
  if (part->n_curved > 0)
    memcpy(part->curved_xyz, share->curved_xyz, (size_t)part->n_curved * sizeof *part->curved_xyz);
  IRZ_TRY(irz_part_edges(part, share->id, error));
  IRZ_TRY(mark_electrodes(part, share, error));
  /* The large arrays change hands instead of being copied. */
  part->xyz = share->xyz;
  part->outer = share->outer;
  part->region = share->region;
  part->mine = share->mine;
  part->curved_tet = share->curved;
  share->xyz = NULL;
  share->outer = share->region = share->mine = NULL;
  share->curved = NULL;
  return irz_petsc(build_forest(part, share, start), "node exchange", error);
}

IrzCode irz_part_create(MPI_Comm comm, const IrzMesh *mesh, int n_probes, const char *const *surfaces, IrzPart **part,
                        IrzError *error) {
  Plan0 plan = {0};
  Share share = {0};
  IrzPart *new_part = NULL;
  *part = NULL;
  IRZ_TRY(irz_alloc(&new_part, 1, sizeof *new_part, error));
  new_part->comm = comm;
  MPI_Comm_rank(comm, &new_part->rank);
  MPI_Comm_size(comm, &new_part->size);
  int size = new_part->size;
  const int threads = omp_get_max_threads();
  omp_set_num_threads(irz_idle_threads(comm, threads)); /* rank 0 works, the others wait */
  IrzCode code = plan0_make(comm, mesh, n_probes, surfaces, &plan, error);
  if (code == IRZ_OK) {
    distribute(comm, &plan, &share, &new_part->tet, error);
    code = irz_error_agree(comm, error);
  }
  omp_set_num_threads(threads);
  if (code == IRZ_OK) {
    part_build(new_part, &share, plan.start, error);
    code = irz_error_agree(comm, error);
  }
  if (code == IRZ_OK) {
    new_part->n_regions = mesh != NULL ? mesh->n_regions : 0;
    MPI_Bcast(&new_part->n_regions, 1, MPI_INT, 0, comm);
    irz_alloc(&new_part->regions, (size_t)new_part->n_regions, sizeof *new_part->regions, error);
    code = irz_error_agree(comm, error);
  }
  if (code == IRZ_OK) {
    size_t bytes = (size_t)new_part->n_regions * sizeof *new_part->regions;
    if (mesh != NULL) memcpy(new_part->regions, mesh->regions, bytes);
    MPI_Bcast(new_part->regions, (int)bytes, MPI_BYTE, 0, comm);
    int64_t mine[3] = {0, new_part->n_owned_vertices, new_part->n_owned_edges}, all[3];
    for (int32_t t = 0; t < new_part->n_tets; t++) mine[0] += new_part->mine[t];
    MPI_Allreduce(mine, all, 3, MPI_INT64_T, MPI_SUM, comm);
    new_part->n_global_tets = all[0];
    new_part->n_global_vertices = all[1];
    new_part->n_global_edges = all[2];
    *part = new_part;
  } else {
    irz_part_free(new_part);
  }
  share_clear(&share);
  plan0_clear(&plan, size);
  return code;
}

IrzCode irz_part_share(const IrzPart *part, int components, double *values, IrzError *error) {
  if (part->size == 1) return IRZ_OK;
  MPI_Datatype type = MPI_DOUBLE;
  if (components > 1) {
    MPI_Type_contiguous(components, MPI_DOUBLE, &type);
    MPI_Type_commit(&type);
  }
  PetscErrorCode code = PetscSFBcastBegin(part->nodes, type, values, values, MPI_REPLACE);
  if (code == 0) code = PetscSFBcastEnd(part->nodes, type, values, values, MPI_REPLACE);
  if (components > 1) MPI_Type_free(&type);
  return irz_petsc(code, "node exchange", error);
}

void irz_part_free(IrzPart *part) {
  if (part == NULL) return;
  if (part->nodes != NULL) PetscSFDestroy(&part->nodes);
  free(part->xyz);
  free(part->edge);
  free(part->electrode);
  free(part->outer);
  free(part->tet);
  free(part->region);
  free(part->mine);
  free(part->curved_tet);
  free(part->curved_xyz);
  free(part->regions);
  free(part);
}
