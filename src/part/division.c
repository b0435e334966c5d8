/* Order along the curve, owners, numbers; see division.h. */
#include "part/division.h"
#include "base/idle.h"
#include "base/memory.h"
#include "base/petsc.h"
#include "base/threads.h"
#include "part/bisect.h"
#include "part/first_met.h"
#include "part/order.h"
#include "part/pairs.h"
#include <omp.h>
#include <petscmat.h>
#include <stdlib.h>
#include <string.h>

/// Mark the vertices and collect the edges that lie on electrodes.
static IrzCode mark_surfaces(IrzDivision *division, int n_probes, const char *const *surfaces, IrzError *error) {
  const IrzMesh *mesh = division->mesh;
  IRZ_TRY(irz_alloc(&division->electrode, (size_t)mesh->n_vertices, 1, error));
  IRZ_TRY(irz_alloc(&division->outer, (size_t)mesh->n_vertices, 1, error));
  IRZ_TRY(irz_alloc(&division->edge, 6 * (size_t)mesh->n_triangles, sizeof *division->edge, error));
  memset(division->electrode, -1, (size_t)mesh->n_vertices);
  int32_t count = 0;
  for (int32_t i = 0; i < mesh->n_triangles; i++) {
    const char *name = mesh->surfaces[mesh->surface[i]].name;
    const int32_t *v = mesh->triangle + 3 * (size_t)i;
    if (strcmp(name, "outer") == 0) {
      for (int j = 0; j < 3; j++) division->outer[v[j]] = 1;
    }
    for (int p = 0; p < n_probes; p++) {
      if (strcmp(name, surfaces[p]) != 0) continue;
      for (int j = 0; j < 3; j++) {
        int32_t a = v[j], b = v[(j + 1) % 3];
        if (division->electrode[a] >= 0 && division->electrode[a] != p) {
          return irz_error_set(error, IRZ_ERR_INPUT, "electrodes \"%s\" and \"%s\" touch",
                               surfaces[division->electrode[a]], surfaces[p]);
        }
        division->electrode[a] = (int8_t)p;
        division->edge[2 * (size_t)count] = a < b ? a : b;
        division->edge[2 * (size_t)count + 1] = a < b ? b : a;
        count++;
      }
    }
  }
  qsort(division->edge, (size_t)count, 2 * sizeof *division->edge, irz_compare_pairs);
  for (int32_t i = 0; i < count; i++) {
    if (i > 0 && irz_compare_pairs(division->edge + 2 * (size_t)i, division->edge + 2 * (size_t)(i - 1)) == 0) continue;
    memmove(division->edge + 2 * (size_t)division->n_edges, division->edge + 2 * (size_t)i, 2 * sizeof *division->edge);
    division->n_edges++;
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

/// Give each rank its rows of the graph that rank 0 has. Collective.
/// @param[in]  i, j           rank 0: offsets and columns
/// @param[in]  counts         [ranks] rows of each
/// @param[in]  displacements  [ranks + 1] its first row
/// @param[out] mine_i, mine_j  this rank's, counted from its first; to be freed by whom they are given to
static PetscErrorCode scatter_graph(MPI_Comm comm, const PetscInt *i, const PetscInt *j, const int *counts,
                                    const int *displacements, PetscInt **mine_i, PetscInt **mine_j) {
  int rank, size;
  PetscInt edges;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscInt rows = counts[rank];
  PetscCall(PetscMalloc1(rows + 1, mine_i));
  PetscCallMPI(MPI_Scatterv(i, counts, displacements, MPIU_INT, *mine_i, (int)rows, MPIU_INT, 0, comm));
  if (rank == 0) {
    for (int r = 1; r < size; r++) {
      PetscInt bounds[2] = {i[displacements[r]], i[displacements[r + 1]]};
      PetscCallMPI(MPI_Send(bounds, 2, MPIU_INT, r, 1, comm));
      PetscCallMPI(MPI_Send(j + bounds[0], (int)(bounds[1] - bounds[0]), MPIU_INT, r, 2, comm));
    }
    edges = i[displacements[1]];
    PetscCall(PetscMalloc1(edges, mine_j));
    PetscCall(PetscArraycpy(*mine_j, j, edges));
    (*mine_i)[rows] = edges;
  } else {
    PetscInt bounds[2];
    PetscCallMPI(MPI_Recv(bounds, 2, MPIU_INT, 0, 1, comm, MPI_STATUS_IGNORE));
    edges = bounds[1] - bounds[0];
    PetscCall(PetscMalloc1(edges, mine_j));
    PetscCallMPI(MPI_Recv(*mine_j, (int)edges, MPIU_INT, 0, 2, comm, MPI_STATUS_IGNORE));
    (*mine_i)[rows] = bounds[1];
    for (PetscInt v = 0; v <= rows; v++) (*mine_i)[v] -= bounds[0];
  }
  PetscFunctionReturn(0);
}

/// Owner of every vertex by the graph partitioner of the PETSc option -mat_partitioning_type. Collective; result on
/// rank 0.
static PetscErrorCode partition(MPI_Comm comm, const IrzMesh *mesh, int *owner) {
  int rank, size, *counts, *displacements;
  PetscInt n = mesh != NULL ? mesh->n_vertices : 0, *i = NULL, *j = NULL, *mine_i, *mine_j;
  const PetscInt *values;
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
  PetscCall(scatter_graph(comm, i, j, counts, displacements, &mine_i, &mine_j));
  PetscCall(PetscFree(i));
  PetscCall(PetscFree(j));
  PetscCall(MatCreateMPIAdj(comm, counts[rank], n, mine_i, mine_j, NULL, &graph));
  PetscCall(MatPartitioningCreate(comm, &part));
  PetscCall(MatPartitioningSetAdjacency(part, graph));
  PetscCall(MatPartitioningSetFromOptions(part));
  PetscCall(MatPartitioningApply(part, &result));
  PetscCall(ISGetIndices(result, &values));
  PetscCallMPI(MPI_Gatherv(values, counts[rank], MPIU_INT, owner, counts, displacements, MPI_INT, 0, comm));
  PetscCall(ISRestoreIndices(result, &values));
  PetscCall(ISDestroy(&result));
  PetscCall(MatPartitioningDestroy(&part));
  PetscCall(MatDestroy(&graph));
  PetscCall(PetscFree2(counts, displacements));
  PetscFunctionReturn(0);
}

/// Owner of every vertex by bisection; an electrode is one point that weighs as much as all its vertices.
static IrzCode bisect(IrzDivision *division, int n_probes, int size, IrzError *error) {
  const IrzMesh *mesh = division->mesh;
  size_t room = (size_t)mesh->n_vertices + (size_t)n_probes;
  int32_t *weight = NULL, count = n_probes;
  int *owner = NULL;
  double *x = NULL;
  IrzCode code = irz_alloc(&weight, room, sizeof *weight, error);
  if (code == IRZ_OK) code = irz_alloc(&owner, room, sizeof *owner, error);
  if (code == IRZ_OK) code = irz_alloc(&x, 3 * room, sizeof *x, error);
  if (code == IRZ_OK) {
    for (int32_t v = 0; v < mesh->n_vertices; v++) {
      int32_t point = division->electrode[v] >= 0 ? division->electrode[v] : count++;
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
      division->owner[v] = owner[division->electrode[v] >= 0 ? division->electrode[v] : count++];
    }
  }
  free(weight);
  free(owner);
  free(x);
  return code;
}

/// Give all vertices of an electrode to the rank that has most of them.
static void gather_electrodes(IrzDivision *division, int n_probes, int size, int32_t *votes) {
  for (int p = 0; p < n_probes; p++) {
    memset(votes, 0, (size_t)size * sizeof *votes);
    int best = 0;
    for (int32_t v = 0; v < division->mesh->n_vertices; v++) {
      if (division->electrode[v] == p) votes[division->owner[v]]++;
    }
    for (int r = 1; r < size; r++) {
      if (votes[r] > votes[best]) best = r;
    }
    for (int32_t v = 0; v < division->mesh->n_vertices; v++) {
      if (division->electrode[v] == p) division->owner[v] = best;
    }
  }
}

/// Number the vertices rank by rank, in the order in which the curve first meets them.
static IrzCode number_divided(IrzDivision *division, int size, IrzError *error) {
  const IrzMesh *mesh = division->mesh;
  const int n_runs = omp_get_max_threads();
  int32_t *next = NULL;
  IrzMet met = {0};
  IrzCode code = irz_alloc(&next, (size_t)size, sizeof *next, error);
  if (code == IRZ_OK) {
    code = irz_first_met(mesh->n_tets, division->tet[0], 4, 4, mesh->n_vertices, n_runs, &met, error);
  }
  if (code == IRZ_OK) {
    for (int32_t v = 0; v < mesh->n_vertices; v++) division->start[division->owner[v] + 1]++;
    for (int r = 0; r < size; r++) division->start[r + 1] += division->start[r];
    memcpy(next, division->start, (size_t)size * sizeof *next);
    for (int32_t k = 0; k < met.end[n_runs - 1]; k++) {
      int32_t v = met.node[k];
      division->number[v] = next[division->owner[v]]++;
    }
  }
  irz_met_clear(&met);
  free(next);
  return code;
}

/// Ranks that own corners of a tetrahedron; returns how many.
static int owners(const IrzDivision *division, const int32_t tet[4], int owner[4]) {
  int count = 0;
  for (int c = 0; c < 4; c++) {
    int k = 0;
    owner[count] = division->owner[tet[c]];
    while (owner[k] != owner[count]) k++;
    count += k == count;
  }
  return count;
}

/// List the tetrahedra of each rank. Each thread takes a run of tetrahedra and knows how many the others have before
/// its own.
static IrzCode list_tets(IrzDivision *division, int size, IrzError *error) {
  const IrzMesh *mesh = division->mesh;
  const int n_runs = omp_get_max_threads();
  const size_t ranks = (size_t)size;
  int32_t *next = NULL; /* [n_runs][size] */
  IRZ_TRY(irz_alloc(&next, (size_t)n_runs * ranks, sizeof *next, error));
  IrzCode code = irz_alloc(&division->tets, ranks, sizeof *division->tets, error);
  if (code == IRZ_OK) code = irz_alloc(&division->n_tets, ranks, sizeof *division->n_tets, error);
  for (int pass = 0; pass < 2 && code == IRZ_OK; pass++) {
#pragma omp parallel for num_threads(irz_threads(n_runs)) schedule(static, 1)
    for (int r = 0; r < n_runs; r++) {
      int32_t *own = next + (size_t)r * ranks, last = (int32_t)((int64_t)mesh->n_tets * (r + 1) / n_runs);
      for (int32_t k = (int32_t)((int64_t)mesh->n_tets * r / n_runs); k < last; k++) {
        int owner[4], count = owners(division, division->tet[k], owner);
        for (int i = 0; i < count; i++) {
          int32_t at = own[owner[i]]++;
          if (pass == 1) division->tets[owner[i]][at] = k;
        }
      }
    }
    for (size_t rank = 0; pass == 0 && rank < ranks && code == IRZ_OK; rank++) {
      for (int r = 0; r < n_runs; r++) {
        int32_t here = next[(size_t)r * ranks + rank];
        next[(size_t)r * ranks + rank] = division->n_tets[rank];
        division->n_tets[rank] += here;
      }
      code = irz_alloc_unset(&division->tets[rank], (size_t)division->n_tets[rank], sizeof **division->tets, error);
    }
  }
  free(next);
  return code;
}

/// Number the vertices and list the tetrahedra of several ranks.
static IrzCode hand_out(IrzDivision *division, int size, IrzError *error) {
  const IrzMesh *mesh = division->mesh;
  IRZ_TRY(irz_alloc_unset(&division->tet, (size_t)mesh->n_tets, sizeof *division->tet, error));
#pragma omp parallel for num_threads(irz_threads(omp_get_max_threads()))
  for (int32_t k = 0; k < mesh->n_tets; k++) {
    memcpy(division->tet[k], mesh->tet + 4 * (size_t)division->order[k], sizeof *division->tet);
  }
  IRZ_TRY(number_divided(division, size, error));
  return list_tets(division, size, error);
}

void irz_division_clear(IrzDivision *division, int size) {
  for (int r = 0; r < size && division->tets != NULL; r++) free(division->tets[r]);
  free(division->tets);
  free(division->n_tets);
  free(division->order);
  free(division->tet);
  free(division->electrode);
  free(division->outer);
  free(division->edge);
  free(division->owner);
  free(division->number);
  free(division->start);
}

IrzCode irz_division_make(MPI_Comm comm, const IrzMesh *mesh, int n_probes, const char *const *surfaces,
                          IrzDivision *division, IrzError *error) {
  int rank, size;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  division->mesh = mesh;
  IRZ_TRY(irz_alloc(&division->start, (size_t)size + 1, sizeof *division->start, error));
  if (rank == 0) {
    IrzCode code =
        mesh->n_regions > 255
            ? irz_error_set(error, IRZ_ERR_INPUT, "the mesh has %d regions; at most 255 are allowed", mesh->n_regions)
            : mark_surfaces(division, n_probes, surfaces, error);
    if (code == IRZ_OK) code = irz_curve_order(mesh, &division->order, error);
    if (code == IRZ_OK && size > 1) {
      code = irz_alloc(&division->owner, (size_t)mesh->n_vertices, sizeof *division->owner, error);
    }
    if (code == IRZ_OK) code = irz_alloc(&division->number, (size_t)mesh->n_vertices, sizeof *division->number, error);
  }
  IRZ_TRY(irz_idle_agree(comm, error));
  if (size == 1) return IRZ_OK;
  PetscBool chosen;
  IRZ_PETSC(PetscOptionsHasName(NULL, NULL, "-mat_partitioning_type", &chosen));
  if (chosen) IRZ_PETSC(partition(comm, mesh, division->owner));
  if (!chosen && rank == 0) bisect(division, n_probes, size, error);
  IRZ_TRY(irz_idle_agree(comm, error));
  if (rank == 0) {
    int32_t *scratch = NULL;
    if (irz_alloc(&scratch, (size_t)size, sizeof *scratch, error) == IRZ_OK) {
      if (chosen) gather_electrodes(division, n_probes, size, scratch);
      hand_out(division, size, error);
      free(scratch);
    }
  }
  IRZ_TRY(irz_idle_agree(comm, error));
  MPI_Bcast(division->start, size + 1, MPI_INT32_T, 0, comm);
  return IRZ_OK;
}
