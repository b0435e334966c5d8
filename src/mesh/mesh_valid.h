#ifndef IREZONE_MESH_MESH_VALID_H
#define IREZONE_MESH_MESH_VALID_H

#include <irezone/mesh.h>

/// Whether a mesh is what irezone/mesh.h promises of one that has been generated, or has passed irz_mesh_check():
/// numbers are in their ranges, tetrahedra positively oriented, a face is of one or two of them, triangles are faces,
/// vertices are used, groups have names, curved edges are sorted.
/// @param[out] fault  what is wrong with it; may be NULL
bool irz_mesh_is_valid(const IrzMesh *mesh, IrzError *fault);

#endif
