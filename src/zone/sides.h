/* Nodes where tissues meet: a row for each tissue around a node.

   Where the conductivity jumps, so does the field: it has a value on each side. So values of a recovered field come in
   rows. The first rows are the nodes; a node between tissues is the row of one of them, and has a further row for each
   of the others. Regions with the same law are one tissue: between them nothing happens to the field. A node that
   touches a tetrahedron with several regions inside has one row only: there the potential itself knows no sides. */
#ifndef IREZONE_ZONE_SIDES_H
#define IREZONE_ZONE_SIDES_H

#include "field/medium.h"
#include "zone/team.h"
#include <irezone/law.h>

/// In IrzSides.tissue: a row of several tissues, as there is a tetrahedron with several inside.
#define IRZ_NO_TISSUE (-1)

/// What the current follows.
typedef enum {
  IRZ_FOLLOWS_LAWS,   ///< the laws, so both sides of an interface can be made to agree
  IRZ_FOLLOWS_MEMORY, ///< what tissue remembers, too
  IRZ_FOLLOWS_HEAT ///< temperatures, too: only regions with the very same law are one tissue, not those whose laws are
                   ///< equal
} IrzFollowed;

/// Where two tissues meet at a node.
typedef struct {
  double normal[3]; ///< unit vector from the node's row to the further one; 0: three tissues meet, or the interface
                    ///< ends or turns
  double weight[2]; ///< volumes around the node on both sides, m^3
} IrzJoint;

typedef struct {
  const IrzPart *part;
  int32_t n_nodes; ///< of the part
  int32_t n_rows;
  int32_t *node;      ///< [n_rows - n_nodes] node of each further row, increasing
  int16_t *tissue;    ///< [n_rows] first region of its tissue, or IRZ_NO_TISSUE; NULL: one tissue everywhere
  IrzJoint *joint;    ///< [n_rows - n_nodes]; NULL: sides are not made to agree
  uint8_t *between;   ///< [n_nodes] 1: has further rows; NULL: there are none
  int32_t n_split;    ///< tetrahedra with further rows
  int32_t *split;     ///< [n_tets] 0, or 1 + index into `row`; NULL: there are no further rows
  int32_t (*row)[10]; ///< [n_split] as IrzPart.tet
  PetscSF rows;       ///< as IrzPart.nodes; NULL: no rank has further rows
} IrzSides;

/// Find the rows. Collective; clear them afterwards, also after a failure.
/// @param[in] medium  must outlive them
/// @param[in] laws    [n_regions]
IrzCode irz_sides_create(const IrzMedium *medium, const IrzLaw *const *laws, IrzFollowed followed, IrzSides *sides,
                         IrzError *error);

/// Release them. Collective.
void irz_sides_clear(IrzSides *sides);

/// Give every row the value of its owner. Collective.
/// @param[in]     components  values per row
/// @param[in,out] values      [n_rows][components]
IrzCode irz_sides_share(const IrzSides *sides, int components, double *values, IrzError *error);

/// The ten rows of a tetrahedron, as IrzPart.tet.
/// @param[in] sides  NULL: rows are nodes
static inline const int32_t *irz_tet_rows(const IrzSides *sides, const IrzPart *part, int32_t tet) {
  int32_t split = sides != NULL && sides->split != NULL ? sides->split[tet] : 0;
  return split > 0 ? sides->row[split - 1] : part->tet[tet];
}

/// The node of a row.
static inline int32_t irz_row_node(const IrzSides *sides, int32_t row) {
  return row < sides->n_nodes ? row : sides->node[row - sides->n_nodes];
}

/// The joint of a further row; NULL where it has no normal.
static inline const IrzJoint *irz_row_joint(const IrzSides *sides, int32_t row) {
  if (sides->joint == NULL) return NULL;
  const IrzJoint *joint = &sides->joint[row - sides->n_nodes];
  bool flat = joint->normal[0] != 0 || joint->normal[1] != 0 || joint->normal[2] != 0;
  return flat ? joint : NULL;
}

/// Whether a node has further rows.
/// @param[in] sides  NULL: rows are nodes
static inline bool irz_has_sides(const IrzSides *sides, int32_t node) {
  return sides != NULL && sides->between != NULL && sides->between[node];
}

/// Whether a node of a tetrahedron has further rows.
static inline bool irz_touches_sides(const IrzSides *sides, int32_t tet) {
  bool touches = false;
  if (sides == NULL || sides->between == NULL) return false;
  for (int i = 0; i < 10; i++) touches = touches || sides->between[sides->part->tet[tet][i]];
  return touches;
}

/// The rows of the nodes that a thread owns come in this many runs.
enum { IRZ_ROW_RUNS = 4 };

/// One of these runs: rows [first, last).
/// @param[in] k  0: its vertices; 1: its edges; 2, 3: the further rows of both
void irz_member_rows(const IrzMember *member, const IrzSides *sides, int k, int32_t run[2]);

#endif
