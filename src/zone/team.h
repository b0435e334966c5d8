/* Nodes and tetrahedra divided among threads, for sums over the tetrahedra around a node. */
#ifndef IREZONE_ZONE_TEAM_H
#define IREZONE_ZONE_TEAM_H

#include "part/part.h"

/// The nodes that a thread owns, and the tetrahedra that touch them.
///
/// Nodes are numbered in the order in which the tetrahedra meet them, so those first met in a run of tetrahedra are two
/// runs, of vertices and of edges; each begins beyond all that earlier tetrahedra touch. A thread adds to its own nodes
/// only, from its run and from the few later tetrahedra at its border: a node's sum is made by one thread in the order
/// of the tetrahedra, so it is the same to the bit for every number of threads. Ghosts are nobody's: they take their
/// owners' values.
typedef struct {
  int32_t tet[2];    ///< its run: [first, last)
  int32_t vertex[2]; ///< its vertices, nodes [first, last)
  int32_t edge[2];   ///< its edges, nodes [first, last)
  int32_t *stray;    ///< [n_strays] later tetrahedra that touch its nodes, increasing
  int32_t n_strays;
} IrzMember;

typedef struct {
  int size;          ///< threads
  IrzMember *member; ///< [size]
} IrzTeam;

/// Divide a part. Local.
IrzCode irz_team_create(const IrzPart *part, int n_threads, IrzTeam *team, IrzError *error);

void irz_team_clear(IrzTeam *team);

/// How many tetrahedra a member looks at.
static inline int32_t irz_member_count(const IrzMember *member) {
  return member->tet[1] - member->tet[0] + member->n_strays;
}

/// The k-th of them; they increase.
static inline int32_t irz_member_tet(const IrzMember *member, int32_t k) {
  int32_t run = member->tet[1] - member->tet[0];
  return k < run ? member->tet[0] + k : member->stray[k - run];
}

/// Whether node i of a tetrahedron is a member's.
/// @param[in] i     0 to 3: a vertex, 4 to 9: an edge
/// @param[in] node  its number in the part
static inline bool irz_member_owns(const IrzMember *member, int i, int32_t node) {
  const int32_t *range = i < 4 ? member->vertex : member->edge;
  return node >= range[0] && node < range[1];
}

#endif
