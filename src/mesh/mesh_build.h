/* From loose parts to an IrzMesh: what every source of meshes (a file, the mesher) shares. */
#ifndef IREZONE_MESH_BUILD_H
#define IREZONE_MESH_BUILD_H

#include <irezone/mesh.h>
#include <stdbool.h>

/// A tetrahedron whose determinant is below this times the cube of its longest edge is degenerate. A regular one has
/// 0.7; round-off in coordinates of 16 digits stays below 1e-12 unless the mesh is 1e4 times larger than its edges.
#define IRZ_DEGENERATE 1e-9

/// Corners of the edges of a tetrahedron, in the order of nodes 4..9 of Gmsh's ten-node tetrahedron.
extern const int irz_tet_edge[6][2];

/// Corners of the faces of a tetrahedron; seen from outside a positively oriented one, anticlockwise. Face i is
/// opposite corner i.
extern const int irz_tet_face[4][3];

/// A mesh as its source hands it over: nodes in any order, of any use, elements oriented anyhow.
/// Fill the arrays through the reserve functions below, then call irz_mesh_finish().
typedef struct {
  int32_t n_points, points_reserved;
  double *xyz;        ///< [n_points][3] m; corners, edge nodes and nodes nothing uses
  int64_t *point_tag; ///< [n_points] the source's number, for messages

  int32_t n_tets, tets_reserved;
  int32_t *tet;        ///< [n_tets][4] points
  int32_t *tet_region; ///< [n_tets] index into `regions`
  int64_t *tet_tag;    ///< [n_tets] the source's number, for messages
  int32_t *mid; ///< [n_tets][6] points on the edges, in the order of irz_tet_edge, -1 for none; NULL: none at all

  int32_t n_triangles, triangles_reserved;
  int32_t *triangle;         ///< [n_triangles][3] points
  int32_t *triangle_surface; ///< [n_triangles] index into `surfaces`
  int64_t *triangle_tag;     ///< [n_triangles] the source's number, for messages

  int32_t n_regions, regions_reserved;
  IrzGroup *regions; ///< groups of one name are merged
  int32_t n_surfaces, surfaces_reserved;
  IrzGroup *surfaces;
} IrzMeshDraft;

/// Make room for so many more points, tetrahedra, triangles; what the arrays hold is kept.
IrzCode irz_draft_reserve_points(IrzMeshDraft *draft, int64_t more, IrzError *error);
IrzCode irz_draft_reserve_tets(IrzMeshDraft *draft, int64_t more, IrzError *error);
IrzCode irz_draft_reserve_triangles(IrzMeshDraft *draft, int64_t more, IrzError *error);

/// Allocate `mid` for all tetrahedra reserved so far, -1 everywhere, unless it is there. Later reservations keep it.
IrzCode irz_draft_add_mid(IrzMeshDraft *draft, IrzError *error);

/// Add a region or a surface.
/// @param[in]  draft    draft
/// @param[in]  surface  a surface rather than a region
/// @param[in]  tag      physical tag
/// @param[in]  name     physical name, or NULL: the tag as digits, "default" for tag 0
/// @param[out] index    its index
IrzCode irz_draft_add_group(IrzMeshDraft *draft, bool surface, int tag, const char *name, int32_t *index,
                            IrzError *error);

/// Free what a draft holds.
void irz_draft_clear(IrzMeshDraft *draft);

/// Turn a draft into a mesh: drop points no tetrahedron uses, orient the tetrahedra, merge groups of one name,
/// collect the curved edges. A tetrahedron that occurs in several regions stays in the smallest of them (a source
/// that knows a part and the whole means the part); a triangle may lie on several surfaces.
/// @param[in,out] draft  draft; afterwards only good for irz_draft_clear()
/// @param[in]     name   file name for the error
/// @param[out]    mesh   the mesh; NULL on failure
/// @param[out]    error  no tetrahedra, degenerate ones, triangles that are not faces, inverted curved ones
/// @return IRZ_OK, IRZ_ERR_INPUT, or IRZ_ERR_MEMORY
IrzCode irz_mesh_finish(IrzMeshDraft *draft, const char *name, IrzMesh **mesh, IrzError *error);

/// Index of the curved edge between two vertices, or -1 if the edge is straight. Binary search.
int32_t irz_mesh_curved_edge(const IrzMesh *mesh, int32_t a, int32_t b);

/// Corners of a tetrahedron and how far the middles of its edges are from straight.
/// @param[in]  mesh    mesh
/// @param[in]  tet     tetrahedron
/// @param[out] corner  corners, m
/// @param[out] bow     middle of the edge minus the mean of its ends, m, in the order of irz_tet_edge
/// @return whether any edge is curved
bool irz_mesh_tet_shape(const IrzMesh *mesh, int32_t tet, double corner[4][3], double bow[6][3]);

/// Six times the signed volume of a straight tetrahedron, and the squares of its shortest and longest edges.
/// @param[in] tet  its corners
double irz_tet_determinant(const double *xyz, const int32_t *tet, double *shortest, double *longest);

/// Determinant of the Jacobian of a curved tetrahedron at barycentric coordinates; 6 times the volume if straight.
double irz_tet_jacobian(const double corner[4][3], const double bow[6][3], const double lambda[4]);

/// Which tetrahedra share faces.
typedef struct {
  int32_t (*other)[4];  ///< [n_tets] the tetrahedron behind each face, or -1; one of them if there are several
  int32_t fault_vertex; ///< smallest of the vertices of wrong faces, or -1: all have one or two tetrahedra, and two lie
                        ///< on opposite sides
  int32_t fault_count;  ///< tetrahedra that the wrong face there has; 2: on the same side
} IrzFaces;

/// Match the faces of a mesh. Linear in their number; the same for any number of threads.
IrzCode irz_mesh_faces(const IrzMesh *mesh, IrzFaces *faces, IrzError *error);

/// Free what irz_mesh_faces() made.
void irz_faces_clear(IrzFaces *faces);

/// Number the pieces connected through faces.
/// @param[in]  mesh   mesh
/// @param[in]  faces  its faces
/// @param[out] part   [n_tets] piece of each tetrahedron
/// @param[out] count  pieces
IrzCode irz_mesh_parts(const IrzMesh *mesh, const IrzFaces *faces, int32_t *part, int32_t *count, IrzError *error);

#endif
