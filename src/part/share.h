/* What each rank gets of a mesh, and its way there. */
#ifndef IREZONE_PART_SHARE_H
#define IREZONE_PART_SHARE_H

#include "part/division.h"

/// One rank's share, in flat arrays that can be sent.
typedef struct {
  int32_t size[4]; ///< owned vertices, vertices, tetrahedra, tetrahedra with curved edges
  int32_t *id;     ///< [vertices] global number
  double *xyz;     ///< [vertices][3]
  int8_t *electrode;
  uint8_t *outer;
  int32_t *tet;       ///< [tets][4] local vertices
  uint8_t *region;    ///< [tets]
  uint8_t *fitted;    ///< [tets] as IrzMesh.fitted, 0 where that is NULL
  uint8_t *mine;      ///< [tets]
  uint8_t *metal;     ///< [tets] bit e: edge e lies on an electrode
  int32_t *curved;    ///< [curved] local tetrahedra
  double *curved_xyz; ///< [curved][6][3]
} IrzShare;

/// Get this rank's share from rank 0. Collective; clear it afterwards, also after a failure.
/// @param[in]  division  on rank 0
/// @param[out] share     zeroed on entry
/// @param[out] tet       of a lone rank: [n_tets] corners; else they are in the share
IrzCode irz_share_distribute(MPI_Comm comm, IrzDivision *division, IrzShare *share, int32_t (**tet)[10],
                             IrzError *error);

void irz_share_clear(IrzShare *share);

#endif
