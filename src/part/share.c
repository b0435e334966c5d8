/* Collecting and sending; see share.h. */
#include "part/share.h"
#include "base/idle.h"
#include "base/memory.h"
#include "base/threads.h"
#include "part/first_met.h"
#include "part/pairs.h"
#include "part/part.h"
#include <omp.h>
#include <stdlib.h>
#include <string.h>

void irz_share_clear(IrzShare *share) {
  free(share->id);
  free(share->xyz);
  free(share->electrode);
  free(share->outer);
  free(share->tet);
  free(share->region);
  free(share->fitted);
  free(share->mine);
  free(share->metal);
  free(share->curved);
  free(share->curved_xyz);
  memset(share, 0, sizeof *share);
}

static IrzCode alloc_tets(IrzShare *share, IrzError *error) {
  size_t tets = (size_t)share->size[2];
  IRZ_TRY(irz_alloc(&share->tet, 4 * tets, sizeof *share->tet, error));
  IRZ_TRY(irz_alloc(&share->region, tets, 1, error));
  IRZ_TRY(irz_alloc(&share->fitted, tets, 1, error));
  IRZ_TRY(irz_alloc(&share->mine, tets, 1, error));
  return irz_alloc(&share->metal, tets, 1, error);
}

static IrzCode alloc_vertices(IrzShare *share, IrzError *error) {
  size_t vertices = (size_t)share->size[1];
  IRZ_TRY(irz_alloc(&share->id, vertices, sizeof *share->id, error));
  IRZ_TRY(irz_alloc(&share->xyz, 3 * vertices, sizeof *share->xyz, error));
  IRZ_TRY(irz_alloc(&share->electrode, vertices, 1, error));
  return irz_alloc(&share->outer, vertices, 1, error);
}

/// Also makes more room.
static IrzCode alloc_curved(IrzShare *share, int32_t room, IrzError *error) {
  IRZ_TRY(irz_resize(&share->curved, (size_t)room, sizeof *share->curved, error));
  return irz_resize(&share->curved_xyz, 18 * (size_t)room, sizeof *share->curved_xyz, error);
}

/// Middles of a tetrahedron's edges; false if all of them are straight.
static bool edge_middles(const IrzMesh *mesh, const int32_t v[4], double middle[18]) {
  bool curved = false;
  for (int e = 0; e < 6; e++) {
    int32_t a = v[irz_edge_vertices[e][0]], b = v[irz_edge_vertices[e][1]];
    int32_t hit = irz_find_pair(mesh->curved_edge, mesh->n_curved, a, b);
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
static uint8_t metal_edges(const IrzDivision *division, const int32_t v[4]) {
  int bits = 0;
  for (int e = 0; e < 6; e++) {
    int32_t a = v[irz_edge_vertices[e][0]], b = v[irz_edge_vertices[e][1]];
    if (division->electrode[a] < 0 || division->electrode[a] != division->electrode[b]) continue;
    if (irz_find_pair(division->edge, division->n_edges, a, b) >= 0) bits |= 1 << e;
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
static IrzCode local_vertex(const IrzDivision *division, int rank, int32_t v, int32_t *local, Collection *collection,
                            int32_t *number, IrzError *error) {
  int32_t first = division->start[rank];
  if (division->owner[v] == rank) {
    *number = division->number[v] - first;
    return IRZ_OK;
  }
  if (local[v] < 0) {
    if (collection->n_ghosts == collection->room) {
      collection->room += collection->room / 2 + 1024;
      IRZ_TRY(irz_resize(&collection->ghost, (size_t)collection->room, sizeof *collection->ghost, error));
    }
    local[v] = division->start[rank + 1] - first + collection->n_ghosts;
    collection->ghost[collection->n_ghosts++] = (Ghost){division->number[v], v};
  }
  *number = local[v];
  return IRZ_OK;
}

/// Collect the tetrahedra of one rank, with ghosts numbered as they are met.
static IrzCode collect_tets(const IrzDivision *division, int rank, const uint8_t *bent, int32_t *local, IrzShare *share,
                            Collection *collection, IrzError *error) {
  const IrzMesh *mesh = division->mesh;
  double middle[18];
  for (int32_t t = 0; t < share->size[2]; t++) {
    int32_t place = division->tets[rank][t];
    const int32_t *v = division->tet[place];
    int smallest = 0, bends = 0, metal = 0;
    for (int c = 0; c < 4; c++) {
      IRZ_TRY(local_vertex(division, rank, v[c], local, collection, &share->tet[4 * (size_t)t + (size_t)c], error));
      if (division->number[v[c]] < division->number[v[smallest]]) smallest = c;
      bends += bent[v[c]];
      metal += division->electrode[v[c]] >= 0;
    }
    share->region[t] = (uint8_t)mesh->region[division->order[place]];
    share->fitted[t] = mesh->fitted != NULL && mesh->fitted[division->order[place]];
    share->mine[t] = division->owner[v[smallest]] == rank;
    if (metal >= 2) share->metal[t] = metal_edges(division, v);
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
static IrzCode order_ghosts(IrzShare *share, const Collection *collection, const int32_t *local, IrzError *error) {
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

static void collect_vertex(const IrzDivision *division, int32_t v, int32_t local, IrzShare *share) {
  share->id[local] = division->number[v];
  memcpy(share->xyz + 3 * (size_t)local, division->mesh->xyz + 3 * (size_t)v, 3 * sizeof(double));
  share->electrode[local] = division->electrode[v];
  share->outer[local] = division->outer[v];
}

/// Collect the share of one rank.
static IrzCode share_collect(const IrzDivision *division, int rank, const uint8_t *bent, IrzShare *share,
                             IrzError *error) {
  const size_t n = (size_t)division->mesh->n_vertices;
  Collection collection = {0};
  int32_t *local = NULL;
  share->size[0] = division->start[rank + 1] - division->start[rank];
  share->size[2] = division->n_tets[rank];
  IrzCode code = irz_alloc_unset(&local, n, sizeof *local, error);
  if (code == IRZ_OK) code = alloc_tets(share, error);
  if (code == IRZ_OK) memset(local, -1, n * sizeof *local);
  if (code == IRZ_OK) code = collect_tets(division, rank, bent, local, share, &collection, error);
  if (code == IRZ_OK) code = order_ghosts(share, &collection, local, error);
  share->size[1] = share->size[0] + collection.n_ghosts;
  if (code == IRZ_OK) code = alloc_vertices(share, error);
  if (code == IRZ_OK) {
    for (int32_t v = 0; v < division->mesh->n_vertices; v++) {
      if (division->owner[v] == rank) collect_vertex(division, v, division->number[v] - division->start[rank], share);
    }
    for (int32_t g = 0; g < collection.n_ghosts; g++)
      collect_vertex(division, collection.ghost[g].vertex, share->size[0] + g, share);
  }
  free(collection.ghost);
  free(local);
  return code;
}

/// Number the vertices of a lone rank in the order in which the curve first meets them, and the corners of its
/// tetrahedra with them.
static IrzCode number_alone(IrzDivision *division, int32_t (*tet)[10], IrzError *error) {
  const IrzMesh *mesh = division->mesh;
  IrzMet met;
#pragma omp parallel for num_threads(irz_threads(omp_get_max_threads()))
  for (int32_t k = 0; k < mesh->n_tets; k++) {
    memcpy(tet[k], mesh->tet + 4 * (size_t)division->order[k], 4 * sizeof **tet);
  }
  IrzCode code = irz_first_met(mesh->n_tets, tet[0], 10, 4, mesh->n_vertices, omp_get_max_threads(), &met, error);
  if (code == IRZ_OK) {
    for (int32_t k = 0; k < met.end[omp_get_max_threads() - 1]; k++) division->number[met.node[k]] = k;
#pragma omp parallel for num_threads(irz_threads(omp_get_max_threads()))
    for (int32_t k = 0; k < mesh->n_tets; k++) {
      for (int c = 0; c < 4; c++) tet[k][c] = division->number[tet[k][c]];
    }
  }
  irz_met_clear(&met);
  return code;
}

/// What a lone rank has: everything. The corners of the tetrahedra go straight to their place in the part.
static IrzCode share_alone(IrzDivision *division, const uint8_t *bent, IrzShare *share, int32_t (**tet)[10],
                           IrzError *error) {
  const IrzMesh *mesh = division->mesh;
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
  IRZ_TRY(irz_alloc_unset(&share->fitted, tets, 1, error));
  IRZ_TRY(irz_alloc_unset(&share->mine, tets, 1, error));
  IRZ_TRY(irz_alloc_unset(&share->metal, tets, 1, error));
  IRZ_TRY(number_alone(division, *tet, error));
  memset(share->mine, 1, tets);
#pragma omp parallel for num_threads(irz_threads(omp_get_max_threads()))
  for (int32_t v = 0; v < mesh->n_vertices; v++) {
    size_t to = (size_t)division->number[v];
    memcpy(share->xyz + 3 * to, mesh->xyz + 3 * (size_t)v, 3 * sizeof(double));
    share->electrode[to] = division->electrode[v];
    share->outer[to] = division->outer[v];
  }
  int32_t candidates = 0;
#pragma omp parallel for num_threads(irz_threads(omp_get_max_threads())) reduction(+ : candidates)
  for (int32_t k = 0; k < mesh->n_tets; k++) {
    /* The mesh is not in the order of the curve, so few of its corners are looked at. */
    const int32_t *own = (*tet)[k], *v = mesh->tet + 4 * (size_t)division->order[k];
    int metal = 0, bends = 0;
    for (int c = 0; c < 4; c++) metal += share->electrode[own[c]] >= 0;
    for (int c = 0; c < 4 && mesh->n_curved > 0; c++) bends += bent[v[c]];
    share->region[k] = (uint8_t)mesh->region[division->order[k]];
    share->fitted[k] = mesh->fitted != NULL && mesh->fitted[division->order[k]];
    share->metal[k] = (uint8_t)((metal >= 2 ? metal_edges(division, v) : 0) | (bends >= 2 ? MAY_BEND : 0));
    candidates += bends >= 2;
  }
  IRZ_TRY(irz_alloc_unset(&share->curved, (size_t)candidates, sizeof *share->curved, error));
  IRZ_TRY(irz_alloc_unset(&share->curved_xyz, 18 * (size_t)candidates, sizeof *share->curved_xyz, error));
  for (int32_t k = 0; k < mesh->n_tets; k++) {
    if ((share->metal[k] & MAY_BEND) == 0) continue;
    share->metal[k] &= (uint8_t)~MAY_BEND;
    if (!edge_middles(mesh, mesh->tet + 4 * (size_t)division->order[k], middle)) continue;
    share->curved[share->size[3]] = k;
    memcpy(share->curved_xyz + 18 * (size_t)share->size[3]++, middle, sizeof middle);
  }
  return IRZ_OK;
}

/// Send a share to `peer`, or receive it from rank 0.
static IrzCode share_move(MPI_Comm comm, int peer, bool send, IrzShare *share, IrzError *error) {
  int ready = 1; /* the one that receives has room: else nothing must be sent, as nobody takes it */
  if (send) {
    MPI_Send(share->size, 4, MPI_INT32_T, peer, 10, comm);
    MPI_Recv(&ready, 1, MPI_INT, peer, 9, comm, MPI_STATUS_IGNORE);
    if (!ready) return IRZ_OK;
  } else {
    irz_idle_receive(share->size, 4, MPI_INT32_T, peer, 10, comm);
    IrzCode code = alloc_tets(share, error);
    if (code == IRZ_OK) code = alloc_vertices(share, error);
    if (code == IRZ_OK) code = alloc_curved(share, share->size[3], error);
    ready = code == IRZ_OK;
    MPI_Send(&ready, 1, MPI_INT, peer, 9, comm);
    if (!ready) return code;
  }
  int vertices = share->size[1], tets = share->size[2], curved = share->size[3];
  const struct {
    void *data;
    int count;
    MPI_Datatype type;
  } messages[] = {
      {share->id, vertices, MPI_INT32_T},
      {share->xyz, 3 * vertices, MPI_DOUBLE},
      {share->electrode, vertices, MPI_INT8_T},
      {share->outer, vertices, MPI_UINT8_T},
      {share->tet, 4 * tets, MPI_INT32_T},
      {share->region, tets, MPI_UINT8_T},
      {share->fitted, tets, MPI_UINT8_T},
      {share->mine, tets, MPI_UINT8_T},
      {share->metal, tets, MPI_UINT8_T},
      {share->curved, curved, MPI_INT32_T},
      {share->curved_xyz, 18 * curved, MPI_DOUBLE},
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

/// Collect all shares, as many at a time as there are threads, and send them. After a failure the others are served
/// with empty ones, so that nobody waits for ever.
/// @param[out] share  rank 0's own
/// @param[in]  code   what happened so far
static IrzCode serve(MPI_Comm comm, const IrzDivision *division, int size, const uint8_t *bent, IrzShare *share,
                     IrzCode code, IrzError *error) {
  enum { MOST = 64 };
  const int threads = omp_get_max_threads(), most = threads < MOST ? threads : MOST;
  for (int last = size, first; last > 0; last = first) {
    IrzShare collected[MOST] = {0};
    const bool failed = code != IRZ_OK;
    first = last > most ? last - most : 0;
#pragma omp parallel for num_threads(irz_threads(most)) schedule(dynamic, 1)
    for (int r = first; r < last; r++) {
      IrzError own = {0};
      if (failed || share_collect(division, r, bent, &collected[r - first], &own) == IRZ_OK) continue;
#pragma omp critical
      {
        *error = own;
        code = own.code;
      }
    }
    for (int r = last - 1; r >= first; r--) {
      if (code != IRZ_OK) irz_share_clear(&collected[r - first]);
      if (r == 0) {
        *share = collected[0];
      } else {
        share_move(comm, r, true, &collected[r - first], error);
        irz_share_clear(&collected[r - first]);
      }
    }
  }
  return code;
}

IrzCode irz_share_distribute(MPI_Comm comm, IrzDivision *division, IrzShare *share, int32_t (**tet)[10],
                             IrzError *error) {
  int rank, size;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  if (rank != 0) return share_move(comm, 0, false, share, error);
  const IrzMesh *mesh = division->mesh;
  uint8_t *bent = NULL;
  IrzCode code = irz_alloc(&bent, (size_t)mesh->n_vertices, 1, error);
  for (size_t k = 0; code == IRZ_OK && k < 2 * (size_t)mesh->n_curved; k++) bent[mesh->curved_edge[k]] = 1;
  if (size == 1) {
    if (code == IRZ_OK) code = share_alone(division, bent, share, tet, error);
    free(bent);
    return code;
  }
  code = serve(comm, division, size, bent, share, code, error);
  free(bent);
  return code;
}
