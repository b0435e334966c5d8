/* Parts of the mesh generator: the needles in their box, element sizes, the boundary, Gmsh, curved edges. Lengths in m.
 */
#ifndef IREZONE_MESH_GENERATE_H
#define IREZONE_MESH_GENERATE_H

#include "anatomy/smooth_labels.h"
#include "plan/plan.h"
#include <irezone/mesh.h>

/// A needle in the box. A point of its wall is tip + z axis + radius (cos(angle) u + sin(angle) v).
typedef struct {
  double tip[3];
  double axis[3];    ///< unit vector from the tip towards the handle
  double u[3], v[3]; ///< unit vectors across; (u, v, axis) is right-handed
  double radius;
  IrzTipShape shape;              ///< of its end; a trocar's facets look towards the angles 0, 120 and 240 degrees
  double shoulder;                ///< z from which on it has its full radius
  int first;                      ///< probe of the lowest electrode; those above it follow
  int n_bare;                     ///< electrodes
  double bare[IRZ_MAX_PROBES][2]; ///< z where the bare metal of each begins and ends; the lowest begins at 0
  int n_later;                    ///< positions of a pull-back still to come: metal will be `later` higher each time
  double later;
  double exposure;            ///< z where the uppermost bare metal ends
  double exit;                ///< z where the axis leaves the box
  double exit_low, exit_high; ///< smallest and largest z where the wall leaves the box
} IrzNeedle;

/// The tissue box with its needles.
typedef struct {
  double lower[3], upper[3];
  int n_probes; ///< electrodes, in the plan's order
  int n_needles;
  IrzNeedle needle[IRZ_MAX_PROBES];
  int n_plates; ///< 0 or 2, and no needles then
  IrzProbe plate[2];
  int hole_of[IRZ_MAX_PROBES]; ///< [n_probes] needle or plate that carries each electrode; irz_box_holes(): the box
  int face_surface[6];         ///< surface that each face of the box belongs to
} IrzTissueBox;

/// Closed surfaces inside the box.
int irz_box_holes(const IrzTissueBox *box);

/// Whether one of the needles is a trocar. Then diagonals are chosen and flat tetrahedra mended; without, meshes are
/// good enough not to.
bool irz_box_has_trocar(const IrzTissueBox *box);

/// Place the plates of a plan in the box, or make the box what is between them.
void irz_plates_place(const IrzPlan *plan, IrzTissueBox *box);

/// Smallest of a plan's plates' width, height and gap.
double irz_plate_length(const IrzPlan *plan);

/// Element sizes for plates; `far` must have been set.
void irz_plate_sizing(const IrzPlan *plan, double scale, IrzMeshSizing *sizing);

/// Wanted edge length at a point, as far as a plate is concerned.
double irz_plate_size(const IrzMeshSizing *sizing, const IrzProbe *plate, const double x[3]);

/// Where a line along a needle leaves the box.
/// @param[in]  box     box
/// @param[in]  needle  needle
/// @param[in]  angle   of the line around the axis
/// @param[in]  radius  distance of the line from the axis
/// @param[out] face    2 axis + (upper ? 1 : 0) of the box face it leaves through; may be NULL
/// @return z along the needle
double irz_needle_exit(const IrzTissueBox *box, const IrzNeedle *needle, double angle, double radius, int *face);

/// Point of a needle's coordinates.
void irz_needle_point(const IrzNeedle *needle, double angle, double radius, double z, double x[3]);

/// z of a needle's end: 0 on the axis, up to the shoulder.
double irz_needle_height(const IrzNeedle *needle, double angle, double radius);

/// Element sizes as a function of place.
typedef struct {
  const IrzTissueBox *box;
  IrzMeshSizing sizing;
  float *label_distance; ///< distance to the nearest change of tissue, for each cell of a grid; NULL: none
  float *label_bend; ///< the same, times growth: size that bent surfaces between tissues want; NULL: none are fitted
  int label_size[3]; ///< cells of that grid
  double label_origin[3], label_step;
  double label_finest;       ///< no refinement below this size
  const IrzLabelMap *labels; ///< map with several tissues near the metal, or NULL
  uint8_t *tissue_of;        ///< [labels->n_regions]
  IrzSmoothLabels smooth;    ///< its tissues; empty if they cannot be fitted
  bool delaunay; ///< HXT has failed: take Gmsh's Delaunay algorithm, which is slower and makes poorer elements
} IrzSizeField;

/// Prepare the sizes. `labels` may be NULL.
IrzCode irz_size_field_init(IrzSizeField *field, const IrzTissueBox *box, const IrzMeshSizing *sizing,
                            const IrzPlan *plan, const IrzLabelMap *labels, IrzError *error);

/// Release what irz_size_field_init() allocated.
void irz_size_field_clear(IrzSizeField *field);

/// About the distance to the nearest change of tissue, m; outside the grid it is infinite.
double irz_label_distance(const IrzSizeField *field, const double x[3]);

/// Wanted edge length at a point.
double irz_size_at(const IrzSizeField *field, const double x[3]);

/// Wanted edge length at the rim of a needle's end, m.
double irz_size_end(const IrzSizeField *field, const IrzNeedle *needle);

/// Wanted spacing along a needle's wall at z.
double irz_size_along(const IrzSizeField *field, const IrzNeedle *needle, double z);

/// Wanted number of points around a needle at z.
int irz_size_around(const IrzSizeField *field, const IrzNeedle *needle, double z);

/// Where a point of the boundary lies.
typedef enum {
  IRZ_POINT_FLAT, ///< where nothing is curved
  IRZ_POINT_WALL,
  IRZ_POINT_EXIT, ///< where a wall meets the box
  IRZ_POINT_RIM,  ///< where a wall meets the facets of a trocar
  IRZ_POINT_DOME  ///< on a rounded end
} IrzPointKind;

/// A point of the boundary's triangulation.
typedef struct {
  double x[3];
  double angle, z; ///< on a needle's wall
  int needle;      ///< -1: none
  IrzPointKind kind;
} IrzBoundaryPoint;

/// Triangulation of needles and box. Surface 2 p is the bare metal of probe p, 2 p + 1 the insulation above it, 2
/// n_probes the box.
typedef struct {
  int32_t n_points, points_held;
  IrzBoundaryPoint *point;
  int32_t n_triangles, triangles_held;
  int32_t (*triangle)[3];
  int32_t *surface;                   ///< [n_triangles]
  int32_t exit_first[IRZ_MAX_PROBES]; ///< first point of the ring where a needle meets the box ...
  int exit_count[IRZ_MAX_PROBES];     ///< ... and how many there are, by increasing angle
} IrzBoundary;

/// Append a point; its index is in `index`.
IrzCode irz_boundary_point(IrzBoundary *boundary, const IrzBoundaryPoint *point, int32_t *index, IrzError *error);

/// Append a triangle.
IrzCode irz_boundary_triangle(IrzBoundary *boundary, int32_t a, int32_t b, int32_t c, int32_t surface, IrzError *error);

/// Release a boundary's arrays.
void irz_boundary_clear(IrzBoundary *boundary);

/// Coordinates of the boundary's points as Gmsh should see them, so that no four lie in one plane or on one sphere.
///
/// Neighbouring rings lie on one sphere, which only exact arithmetic can tell: half of HXT's time. So the points of
/// needles are moved by next to nothing, each differently but always the same (Knuth's MMIX generator). Where needles
/// meet the box they stay, so that its walls stay flat. The facets of trocars are made to bulge by next to nothing
/// instead: in any dent in them HXT leaves a flat tetrahedron, or fails.
/// @param[out] xyz  [boundary->n_points][3] m
void irz_boundary_untie(const IrzTissueBox *box, const IrzBoundary *boundary, double *xyz);

/// Choose the diagonals in the triangulation of a needle: on a trocar's facets those of a Delaunay triangulation, on
/// the wall nearly so. Flat and rounded ends stay as they are.
/// @param[in] from  its first triangle; all later ones are its, too
IrzCode irz_boundary_flip(const IrzTissueBox *box, IrzBoundary *boundary, int32_t from, IrzError *error);

/// Triangulate the needles' walls and ends.
/// @param[in] field  sizes; knows the box
/// @param[in] turn   angle by which all rings are turned, for another try
IrzCode irz_boundary_needles(const IrzSizeField *field, double turn, IrzBoundary *boundary, IrzError *error);

/// Let Gmsh triangulate the box around the needles and fill the closed boundary with tetrahedra; it must be loaded. The
/// first boundary->n_points vertices are the boundary's.
/// @param[in,out] boundary  the needles; gets the box
/// @param[out]    mesh      xyz and tet are set
IrzCode irz_gmsh_mesh(const IrzSizeField *field, IrzBoundary *boundary, IrzMesh *mesh, IrzError *error);

/// Load Gmsh, and do the above so that it finds enough stack and leaves nothing in the process as it has made it.
IrzCode irz_gmsh_run(const IrzSizeField *field, IrzBoundary *boundary, IrzMesh *mesh, IrzError *error);

/// Bring a vertex that is to be moved to the nearest place where it may be.
/// @return false if it may not be moved there
typedef bool IrzHold(const void *context, int32_t vertex, double x[3]);

/// Smallest sine of a tetrahedron's angles between faces; negative if it is inside out.
double irz_tet_smallest_sine(const IrzMesh *mesh, int32_t tet);

/// Move vertices of flat tetrahedra so that the smallest angle between faces gets larger.
/// @param[in]     n_fixed  vertices at the beginning that stay: the boundary's
/// @param[in]     hold     NULL: all others may move anywhere
/// @param[in]     context  for `hold`
/// @param[in,out] mesh     xyz, tet; all tetrahedra must be the right way round
IrzCode irz_mesh_mend(int32_t n_fixed, IrzHold *hold, const void *context, IrzMesh *mesh, IrzError *error);

/// The same for those that are nearly degenerate, without holding any.
IrzCode irz_mesh_mend_flattest(int32_t n_fixed, IrzMesh *mesh, IrzError *error);

/// What decides which vertices may be merged.
typedef struct {
  /// Whether a vertex may be where another one is, and be no more; `share` is the distance between them as a share of
  /// the longest edge at it.
  bool (*may)(const void *context, int32_t from, int32_t to, double share);
  void (*done)(void *context, int32_t from, int32_t to); ///< it has been
  void *context;
  double poor;    ///< tetrahedra are poor that are worse than this: in quality, or in the sine of the smallest angle
  double shorter; ///< edges are short that are shorter than this share of the longest at the vertex that goes
} IrzMerge;

/// Shrink short edges of poor tetrahedra to one of their ends, so that these vanish; vertices without tetrahedra are
/// left.
/// @param[in]     n_fixed  vertices at the beginning that stay: the boundary's
/// @param[in,out] mesh     tet; all tetrahedra must be the right way round
IrzCode irz_mesh_collapse(int32_t n_fixed, const IrzMerge *merging, IrzMesh *mesh, IrzError *error);

#define IRZ_FIT_NONE 255 ///< no tissue of its own

/// A mesh that was fitted to the tissues of a label map.
typedef struct {
  uint32_t *sides; ///< [n_vertices] bit t: it is in tissue t, or on its surface; 0: where nothing is fitted
  uint8_t *tissue; ///< [n_tets] the only one that it is in, or IRZ_FIT_NONE
} IrzFit;

/// Fit tetrahedra to the surfaces between tissues: move vertices, cut edges.
/// @param[in]     field     with the tissues
/// @param[in,out] boundary  gets the points where its edges are cut
/// @param[in,out] mesh      xyz, tet; all tetrahedra must be the right way round
/// @param[in,out] fit       zeros on entry; to be released with irz_fit_clear(), also after a failure
IrzCode irz_mesh_fit(const IrzSizeField *field, IrzBoundary *boundary, IrzMesh *mesh, IrzFit *fit, IrzError *error);

/// Coordinates of a vertex that must stay because of the boundary, a bit each.
int irz_fit_fixed(const IrzTissueBox *box, const IrzBoundary *boundary, int32_t vertex);

/// Name the regions of a fitted mesh after those of the label map, and give each element its own.
/// @param[in,out] mesh  regions, region, fitted and areas are set
IrzCode irz_fit_regions(const IrzSizeField *field, const IrzFit *fit, IrzMesh *mesh, IrzError *error);

void irz_fit_clear(IrzFit *fit);

/// Fill the holes in the heap, so that small blocks allocated from now on have increasing addresses; see
/// generate_heap.c.
/// @param[in] bytes  how much will be allocated, in all
void irz_heap_fill(size_t bytes);

/// Give back what irz_heap_fill() took.
void irz_heap_release(void);

/// From now on, or no longer, large new blocks are zero.
void irz_heap_clear_new(bool on);

/// Return unused pages to the system.
void irz_heap_trim(void);

/// Whether edges at a point may have to be graded.
bool irz_is_graded(const IrzTissueBox *box, const double x[3]);

/// How far the middle of an edge in the tissue has to move, so that elements follow the field around a needle.
///
/// The potential around a long needle is nearly Re F(Z) with F = log Z and the complex coordinate Z across it. A
/// quadratic map Z(t) along an edge D = Z(1) - Z(0) makes the third derivative of F(Z(t)) vanish where 3 F'' Z'' + F'''
/// Z'^2 = 0: Z'' = 2 D^2 / (3 Z). So with the middle moved by - Z'' / 8 = - D^2 / (12 Z) quadratic functions follow the
/// logarithm one order better. Linear functions follow it best if the second derivative vanishes, F' Z'' + F'' Z'^2 =
/// 0: that is
/// - D^2 / (8 Z). The move fades out towards other needles, the ends of the metal, and away from the needle.
/// @param[in]  order  of the elements
/// @param[out] move   m; set if true is returned
bool irz_grade_edge(const IrzTissueBox *box, int order, const double a[3], const double b[3], double move[3]);

/// How far the middle of an edge has to move towards its end at a point where bare metal ends, as a share of its
/// length; 0 at other points. The potential grows with the root of the distance from the start of the insulation, and
/// with its power 2/3 at the rim of a flat end. With middles moved by a quarter elements reproduce the root (R. D.
/// Henshell and K. G. Shaw, Crack tip finite elements are unnecessary, 1975).
double irz_end_share(const IrzTissueBox *box, const IrzBoundaryPoint *point);

/// Bend the edges on needle walls to the exact radius, and those in the tissue around them so that elements follow the
/// field, wherever the elements stay valid.
/// @param[in]     box       needles
/// @param[in]     boundary  points on walls
/// @param[in]     order     of the elements
/// @param[in]     smooth    tissues, whose surfaces edges are bent to as well
/// @param[in]     fit       of the mesh to them; `sides` is NULL if there is none
/// @param[in,out] mesh      curved_edge and curved_xyz are set
IrzCode irz_mesh_curve(const IrzTissueBox *box, const IrzBoundary *boundary, int order, const IrzSmoothLabels *smooth,
                       const IrzFit *fit, IrzMesh *mesh, IrzError *error);

/// Bernstein coefficients of the Jacobian determinant of a curved tetrahedron: all positive means valid, their mean is
/// six times the volume.
/// @param[in]  corner       corners, m
/// @param[in]  bow          middle of each edge minus the mean of its ends, m, in the order of irz_tet_edge
/// @param[out] coefficient  [20] m^3
void irz_tet_bernstein(double corner[4][3], double bow[6][3], double coefficient[20]);

/* generate_apart.c */

/// What Gmsh returns about a mesh: blocks of malloc(), NULL where a count is 0 or nobody uses them.
typedef struct {
  size_t n_nodes, n_xyz, n_elements, n_corners, n_none;
  size_t *node, *element, *corner;
  double *xyz, *none;
} IrzGmshMesh;

/// Work of Gmsh's that makes a mesh.
typedef IrzCode (*IrzGmshWork)(IrzGmshMesh *mesh, IrzError *error);

/// Do it in a process of its own, which prints nothing and is ended when the time is over (see base/deadline.h); here,
/// if there can be no other process.
/// @param[out] mesh  without elements and `none`
IrzCode irz_gmsh_apart(IrzGmshWork work, IrzGmshMesh *mesh, IrzError *error);

#endif
