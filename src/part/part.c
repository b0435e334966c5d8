/* Distribution of a mesh: divide, send, number the edges. See part.h. */
#include "part/part.h"
#include "base/idle.h"
#include "base/memory.h"
#include "base/petsc.h"
#include "base/valid.h"
#include "part/division.h"
#include "part/edges.h"
#include "part/nodes.h"
#include "part/part_valid.h"
#include "part/share.h"
#include <omp.h>
#include <stdlib.h>
#include <string.h>

const int irz_child_nodes[8][4] = {{0, 4, 5, 6}, {4, 1, 7, 8}, {5, 7, 2, 9}, {6, 8, 9, 3},
                                   {5, 8, 4, 7}, {5, 8, 7, 9}, {5, 8, 9, 6}, {5, 8, 6, 4}};

/// Note which nodes lie on electrodes.
static IrzCode mark_electrodes(IrzPart *part, const IrzShare *share, IrzError *error) {
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

/// Turn a share into a part, but for what the ranks share. Local.
static IrzCode part_fill(IrzPart *part, IrzShare *share, IrzError *error) {
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
  part->fitted = share->fitted;
  part->mine = share->mine;
  part->curved_tet = share->curved;
  share->xyz = NULL;
  share->outer = share->region = share->fitted = share->mine = NULL;
  share->curved = NULL;
  return IRZ_OK;
}

/// Turn a share into a part. Collective.
static IrzCode part_build(IrzPart *part, IrzShare *share, const int32_t *start, IrzError *error) {
  part_fill(part, share, error);
  IRZ_TRY(irz_error_agree(part->comm, error));
  return irz_petsc(irz_share_nodes(part, share->id, start), "node exchange", error);
}

IrzCode irz_part_create(MPI_Comm comm, const IrzMesh *mesh, int n_probes, const char *const *surfaces, IrzPart **part,
                        IrzError *error) {
  IrzDivision division = {0};
  IrzShare share = {0};
  IrzPart *new_part = NULL;
  *part = NULL;
  IRZ_TRY(irz_alloc(&new_part, 1, sizeof *new_part, error));
  new_part->comm = comm;
  MPI_Comm_rank(comm, &new_part->rank);
  MPI_Comm_size(comm, &new_part->size);
  int size = new_part->size;
  const int threads = omp_get_max_threads();
  omp_set_num_threads(irz_idle_threads(comm, threads)); /* rank 0 works, the others wait */
  IrzCode code = irz_division_make(comm, mesh, n_probes, surfaces, &division, error);
  if (code == IRZ_OK) {
    irz_share_distribute(comm, &division, &share, &new_part->tet, error);
    code = irz_error_agree(comm, error);
  }
  omp_set_num_threads(threads);
  if (code == IRZ_OK) {
    part_build(new_part, &share, division.start, error);
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
    IRZ_ASSERT_VALID(irz_part_is_valid, new_part);
  } else {
    irz_part_free(new_part);
  }
  irz_share_clear(&share);
  irz_division_clear(&division, size);
  return code;
}

IrzCode irz_share_over(PetscSF forest, int components, double *values, IrzError *error) {
  MPI_Datatype type = MPI_DOUBLE;
  if (components > 1) {
    MPI_Type_contiguous(components, MPI_DOUBLE, &type);
    MPI_Type_commit(&type);
  }
  PetscErrorCode code = PetscSFBcastBegin(forest, type, values, values, MPI_REPLACE);
  if (code == 0) code = PetscSFBcastEnd(forest, type, values, values, MPI_REPLACE);
  if (components > 1) MPI_Type_free(&type);
  return irz_petsc(code, "node exchange", error);
}

IrzCode irz_part_share(const IrzPart *part, int components, double *values, IrzError *error) {
  return part->size == 1 ? IRZ_OK : irz_share_over(part->nodes, components, values, error);
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
  free(part->fitted);
  free(part->mine);
  free(part->curved_tet);
  free(part->curved_xyz);
  free(part->regions);
  free(part);
}
