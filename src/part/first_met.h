/* The order in which tetrahedra, one after the other, first meet their nodes: numbered like that, neighbours are near
   one another in memory. */
#ifndef IREZONE_PART_FIRST_MET_H
#define IREZONE_PART_FIRST_MET_H

#include <irezone/error.h>
#include <stdint.h>

/// Nodes in the order in which they are met. The tetrahedra are divided into runs of nearly equal length, one for each
/// thread; the order does not depend on how many there are.
typedef struct {
  int32_t *node; ///< every node that a tetrahedron has, once
  int32_t *end;  ///< [runs] so many nodes are met in a run and those before it
} IrzMet;

/// List the nodes of tetrahedra.
/// @param[in]  n_tets   number of tetrahedra
/// @param[in]  tet      [n_tets][stride] their nodes, in the order in which they are met
/// @param[in]  stride   numbers from one tetrahedron to the next
/// @param[in]  nodes    so many of them are looked at
/// @param[in]  n_nodes  all nodes are below this
/// @param[in]  n_runs   threads
/// @param[out] met      the list; clear it afterwards, also after a failure
IrzCode irz_first_met(int32_t n_tets, const int32_t *tet, int stride, int nodes, int32_t n_nodes, int n_runs,
                      IrzMet *met, IrzError *error);

/// Free what a list holds.
void irz_met_clear(IrzMet *met);

#endif
