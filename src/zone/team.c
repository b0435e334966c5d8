/* Division among threads; see team.h. */
#include "zone/team.h"
#include "base/memory.h"
#include "base/threads.h"
#include <stdlib.h>
#include <string.h>

/// One past the largest owned vertex and edge that the tetrahedra before `end` touch, not less than given.
static void nodes_before(const IrzPart *part, int32_t start, int32_t end, int32_t *vertex, int32_t *edge) {
  int32_t last = part->n_vertices + part->n_owned_edges;
  for (int32_t t = start; t < end; t++) {
    const int32_t *node = part->tet[t];
    for (int i = 0; i < 4; i++) {
      if (node[i] >= *vertex && node[i] < part->n_owned_vertices) *vertex = node[i] + 1;
    }
    for (int i = 4; i < 10; i++) {
      if (node[i] >= *edge && node[i] < last) *edge = node[i] + 1;
    }
  }
}

/// Find the tetrahedra after a member's run that touch its nodes.
static IrzCode find_strays(const IrzPart *part, IrzMember *member, IrzError *error) {
  int32_t room = 0;
  for (int32_t t = member->tet[1]; t < part->n_tets; t++) {
    const int32_t *node = part->tet[t];
    bool touches = false;
    for (int i = 0; i < 10; i++) touches = touches || irz_member_owns(member, i, node[i]);
    if (!touches) continue;
    if (member->n_strays == room) {
      room = 2 * room + 1024;
      IRZ_TRY(irz_resize(&member->stray, (size_t)room, sizeof *member->stray, error));
    }
    member->stray[member->n_strays++] = t;
  }
  return IRZ_OK;
}

IrzCode irz_team_create(const IrzPart *part, int n_threads, IrzTeam *team, IrzError *error) {
  enum { MOST = 64 };
  int size = n_threads < 1 ? 1 : n_threads > MOST ? MOST : n_threads;
  int32_t vertex = 0, edge = part->n_vertices;
  IrzError found[MOST] = {{0}};
  *team = (IrzTeam){.size = size};
  IRZ_TRY(irz_alloc(&team->member, (size_t)size, sizeof *team->member, error));
  for (int k = 0; k < size; k++) {
    IrzMember *member = &team->member[k];
    for (int end = 0; end < 2; end++) member->tet[end] = (int32_t)((int64_t)part->n_tets * (k + end) / size);
    member->vertex[0] = vertex;
    member->edge[0] = edge;
    if (k < size - 1) {
      nodes_before(part, member->tet[0], member->tet[1], &vertex, &edge);
    } else {
      vertex = part->n_owned_vertices;
      edge = part->n_vertices + part->n_owned_edges;
    }
    member->vertex[1] = vertex;
    member->edge[1] = edge;
  }
#pragma omp parallel for num_threads(irz_threads(size)) schedule(static, 1)
  for (int k = 0; k < size - 1; k++) find_strays(part, &team->member[k], &found[k]);
  for (int k = 0; k < size; k++) {
    if (found[k].code != IRZ_OK) {
      irz_team_clear(team);
      *error = found[k];
      return error->code;
    }
  }
  return IRZ_OK;
}

void irz_team_clear(IrzTeam *team) {
  for (int k = 0; team->member != NULL && k < team->size; k++) free(team->member[k].stray);
  free(team->member);
  *team = (IrzTeam){0};
}
