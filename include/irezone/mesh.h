/// @file
/// A tetrahedral mesh in compact arrays, on one process: read, generated, checked, written.
#ifndef IREZONE_MESH_H
#define IREZONE_MESH_H

#include <irezone/error.h>
#include <irezone/plan.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A named group of cells: a region (physical volume) or a surface (physical surface).
typedef struct {
  char name[IRZ_NAME_MAX]; ///< physical name; without one, the tag as decimal digits
  int tag;                 ///< physical tag
} IrzGroup;

/// A mesh. Lengths in m. Every tetrahedron is positively oriented: (b - a) x (c - a) . (d - a) > 0.
/// Vertices that no tetrahedron uses do not occur.
typedef struct {
  int32_t n_vertices;
  double *xyz; ///< [n_vertices][3]

  int32_t n_tets;
  int32_t *tet;    ///< [n_tets][4] vertices
  int32_t *region; ///< [n_tets] index into `regions`
  uint8_t *fitted; ///< [n_tets] of a mesh made for a label map: 1: all of it is in its region, whatever the map says at
                   ///< a point of it; else the map counts. NULL: no such mesh

  int32_t n_triangles;
  int32_t *triangle; ///< [n_triangles][3] vertices: faces of tetrahedra that lie on a named surface
  int32_t *surface;  ///< [n_triangles] index into `surfaces`

  int n_regions;
  IrzGroup *regions;
  int n_surfaces;
  IrzGroup *surfaces;

  int32_t n_curved;     ///< edges that are not straight; all others are
  int32_t *curved_edge; ///< [n_curved][2] end vertices, smaller first; sorted, no duplicates
  double *curved_xyz;   ///< [n_curved][3] the point at the middle of the edge (node 4..9 of a ten-node tetrahedron)

  int32_t n_loose;      ///< nodes of the source that no tetrahedron used, and that were dropped
  int32_t n_reoriented; ///< tetrahedra of the source with the other orientation, which were turned

  double fitted_area; ///< m^2, surfaces between tissues that faces of elements lie on; 0 but for a mesh made for a map
  double cut_area;    ///< m^2, about: those that run through elements, in the part of the map that was looked at
} IrzMesh;

/// Size and quality of a mesh, for a person and for `irezone info`.
typedef struct {
  double volume;             ///< m^3
  double min_edge, max_edge; ///< m
  double min_quality;        ///< 12 (3 V)^(2/3) / sum of squared edges, 1 for a regular tetrahedron
  double mean_quality;
  double min_dihedral_degree, max_dihedral_degree;
  int32_t quality_histogram[10]; ///< tetrahedra by quality in tenths
  int n_parts;                   ///< pieces connected through faces
} IrzMeshStats;

/// Read a Gmsh file: MSH 2.2 or 4.1, ASCII or binary, tetrahedra of 4 or 10 nodes.
/// @param[in]  path   file
/// @param[in]  scale  m per mesh unit, or 0: mm (1e-3)
/// @param[out] mesh   the mesh; NULL on failure
/// @param[out] error  names the file and what is wrong (with the line in ASCII files)
/// @return IRZ_OK or IRZ_ERR_INPUT
IRZ_API IrzCode irz_mesh_read(const char *path, double scale, IrzMesh **mesh, IrzError *error);

/// Check a mesh for a plan: degenerate tetrahedra, unmatched or overlapping faces, missing groups, electrodes that
/// touch, tissue in several pieces between electrodes.
/// @param[in]  mesh   mesh
/// @param[in]  plan   plan whose probes name surfaces and whose tissues name regions, to which warnings are added; may
/// be
///                    NULL
/// @param[in]  name   file name for the error
/// @param[out] error  what is wrong
/// @return IRZ_OK or IRZ_ERR_INPUT
IRZ_API IrzCode irz_mesh_check(const IrzMesh *mesh, IrzPlan *plan, const char *name, IrzError *error);

/// Measure a mesh. Without the memory to count its pieces there are 0 of them.
IRZ_API void irz_mesh_stats(const IrzMesh *mesh, IrzMeshStats *stats);

/// Print groups, sizes and quality for a person.
/// @return IRZ_OK, or IRZ_ERR_MEMORY
IRZ_API IrzCode irz_mesh_print(const IrzMesh *mesh, FILE *out, IrzError *error);

/// Write a mesh as Gmsh MSH 4.1 binary, in mm, under a temporary name and then renamed.
/// @return IRZ_OK or IRZ_ERR_OUTPUT
IRZ_API IrzCode irz_mesh_write(const IrzMesh *mesh, const char *path, IrzError *error);

/// How fine a generated mesh is. Lengths in m.
typedef struct {
  double metal;  ///< edge length on bare metal
  double ends;   ///< edge length at the ends of bare metal: the tip's rim and the start of the insulation
  double growth; ///< edge length gained per distance from the metal
  double far;    ///< largest edge length
} IrzMeshSizing;

/// The label map of a patient (see anatomy.h).
typedef struct IrzLabelMap IrzLabelMap;

/// Sizing that meets a plan's `mesh.accuracy` at its `mesh.order` for ordinary plans. Zeros for a plan that lacks
/// something.
IRZ_API void irz_mesh_sizing(const IrzPlan *plan, IrzMeshSizing *sizing);

/// Generate the tissue box around a plan's probes. Regions: "default", or those of the label map, if it has several
/// tissues around the metal: then the surfaces between tissues, smoothed, are faces of elements; surfaces: every
/// probe's name for its bare metal, NAME_insulated for its shaft, "outer" for the box. The needles' round walls are
/// curved edges. Deterministic. Silent.
/// @param[in]  plan    plan with probe geometry
/// @param[in]  sizing  element sizes; NULL: irz_mesh_sizing()
/// @param[in]  labels  refine where this map changes, and fit elements to it; may be NULL
/// @param[out] mesh    the mesh; NULL on failure
/// @param[out] error   crossing probes, a probe outside the box, or what the mesher said
/// @return IRZ_OK, IRZ_ERR_PLAN or IRZ_ERR_INPUT
IRZ_API IrzCode irz_mesh_generate(const IrzPlan *plan, const IrzMeshSizing *sizing, const IrzLabelMap *labels,
                                  IrzMesh **mesh, IrzError *error);

/// Free a mesh; NULL is allowed.
IRZ_API void irz_mesh_free(IrzMesh *mesh);

#ifdef __cplusplus
}
#endif
#endif
