/* What Gmsh does: triangles on the six faces of the box, tetrahedra inside the closed boundary (HXT). Gmsh sees mm. */
#include "mesh/generate.h"

#include "base/deadline.h"
#include "base/memory.h"
#include "mesh/gmsh_lazy.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Gmsh's numbers of these in its options and element types.
enum {
  ALGORITHM_2D_DELAUNAY = 5,
  ALGORITHM_3D_DELAUNAY = 1,
  ALGORITHM_3D_HXT = 10,
  TYPE_TRIANGLE = 2,
  TYPE_TETRAHEDRON = 4
};

/// What Gmsh allocates for a point in small blocks, bytes: about 200, and a margin.
enum { BYTES_PER_POINT = 512 };

/// What HXT allocates at least, bytes: in all, and for the tetrahedra at a point of the boundary.
enum { LEAST_FOR_TETS = 16 << 20, BYTES_OF_TETS = 4096 };

/// Lengths in Gmsh per metre.
#define TO_GMSH 1e3

/// Record what Gmsh said; `ierr` is that of the call that failed.
static IrzCode gmsh_failed(int ierr, IrzError *error) {
  char *said = NULL;
  int code = 0;
  gmshLoggerGetLastError(&said, &code);
  irz_error_set(error, IRZ_ERR_INPUT, "mesh: Gmsh failed: %s (code %d)", said && *said ? said : "no reason given",
                ierr);
  gmshFree(said);
  return IRZ_ERR_INPUT;
}

/// Return if the preceding Gmsh call failed.
#define CHECK_GMSH(ierr)                                                                                               \
  do {                                                                                                                 \
    if ((ierr) != 0) return gmsh_failed(ierr, error);                                                                  \
  } while (0)

/// Start Gmsh without configuration files or output, on one thread.
static IrzCode start(IrzError *error) {
  static const struct {
    const char *name;
    double value;
  } options[] = {
      {"General.Terminal", 0},
      {"General.Verbosity", 1},
      {"General.NumThreads", 1},
      {"General.AbortOnError",
       0}, /* its C++ exceptions are not all caught on the way to C; results are checked instead */
      {"Mesh.MaxNumThreads1D", 1},
      {"Mesh.MaxNumThreads2D", 1},
      {"Mesh.MaxNumThreads3D", 1}, /* with two, HXT leaves cracks and differs from run to run */
      {"Mesh.Algorithm", ALGORITHM_2D_DELAUNAY},
      {"Mesh.Algorithm3D", ALGORITHM_3D_HXT},
      {"Mesh.MeshSizeExtendFromBoundary", 0},
      {"Mesh.MeshSizeFromPoints", 0},
      {"Mesh.MeshSizeFromCurvature", 0},
      {"Mesh.Smoothing", 0}, /* of the box's triangles: as good without */
      {"Mesh.Optimize", 1},
      {"Mesh.OptimizeThreshold", 0.28}, /* 0.3 is the standard: a third more time, spent on a few hopeless ones */
      {"Mesh.RandomSeed", 1},
  };
  int ierr;
  char name[] = "irezone", *arguments[] = {name, NULL};
  gmshInitialize(1, arguments, 0, &ierr);
  CHECK_GMSH(ierr);
  for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
    gmshOptionSetNumber(options[i].name, options[i].value, &ierr);
    CHECK_GMSH(ierr);
  }
  return IRZ_OK;
}

/// Size callback in Gmsh's signature.
static double size_callback(int dim, int tag, double x, double y, double z, void *data) {
  (void)dim;
  (void)tag;
  const double at[3] = {x / TO_GMSH, y / TO_GMSH, z / TO_GMSH};
  return irz_size_at(data, at) * TO_GMSH;
}

/// A new empty model with the sizes set.
static IrzCode new_model(const IrzSizeField *field, IrzError *error) {
  IrzSizeField *data;
  int ierr;
  memcpy(&data, &field, sizeof data); /* only read, but Gmsh wants a pointer to something writable */
  gmshClear(&ierr);
  CHECK_GMSH(ierr);
  gmshModelAdd("irezone", &ierr);
  CHECK_GMSH(ierr);
  gmshModelMeshSetSizeCallback(size_callback, data, &ierr);
  CHECK_GMSH(ierr);
  return IRZ_OK;
}

/// A straight piece between two points of the boundary, on one or two faces of the box.
typedef struct {
  int32_t end[2];
  int face[2]; ///< -1: none
} Piece;

/// Rings of all needles, 12 edges of the box cut at most twice by each needle, 12 edges of each plate.
typedef struct {
  int count, held;
  Piece *piece;
} Pieces;

static IrzCode add_piece(Pieces *pieces, int32_t a, int32_t b, int face, int other, IrzError *error) {
  if (pieces->count == pieces->held) {
    pieces->held = 2 * pieces->held + 64;
    IRZ_TRY(irz_resize(&pieces->piece, (size_t)pieces->held, sizeof *pieces->piece, error));
  }
  pieces->piece[pieces->count++] = (Piece){{a, b}, {face, other}};
  return IRZ_OK;
}

/// Whether a point lies inside a needle.
static bool inside_needle(const IrzTissueBox *box, const double x[3]) {
  for (int p = 0; p < box->n_needles; p++) {
    const IrzNeedle *needle = &box->needle[p];
    double d[3] = {x[0] - needle->tip[0], x[1] - needle->tip[1], x[2] - needle->tip[2]};
    double a = d[0] * needle->u[0] + d[1] * needle->u[1] + d[2] * needle->u[2];
    double b = d[0] * needle->v[0] + d[1] * needle->v[1] + d[2] * needle->v[2];
    double z = d[0] * needle->axis[0] + d[1] * needle->axis[1] + d[2] * needle->axis[2];
    if (z > 0 && hypot(a, b) < needle->radius) return true;
  }
  return false;
}

/// The pieces of one edge of the box that are outside needles.
static IrzCode add_box_edge(const IrzTissueBox *box, int edge, int32_t corner[8], IrzBoundary *boundary, Pieces *pieces,
                            IrzError *error) {
  int k = edge / 4, k1 = (k + 1) % 3, k2 = (k + 2) % 3, side1 = edge & 1, side2 = edge / 2 & 1;
  double at1 = (side1 ? box->upper : box->lower)[k1], at2 = (side2 ? box->upper : box->lower)[k2];
  double tolerance = 1e-9 * (box->upper[0] - box->lower[0]);
  int32_t stop[2 * IRZ_MAX_PROBES * 2 + 2];
  int n = 0;
  for (int end = 0; end < 2; end++) {
    int which = end << k | side1 << k1 | side2 << k2;
    if (corner[which] < 0) {
      IrzBoundaryPoint point = {.needle = -1, .kind = IRZ_POINT_FLAT};
      point.x[k] = (end ? box->upper : box->lower)[k], point.x[k1] = at1, point.x[k2] = at2;
      IRZ_TRY(irz_boundary_point(boundary, &point, &corner[which], error));
    }
    stop[n++] = corner[which];
  }
  for (int p = 0; p < box->n_needles; p++) {
    for (int i = 0; i < boundary->exit_count[p]; i++) {
      int32_t point = boundary->exit_first[p] + i;
      const double *x = boundary->point[point].x;
      if (fabs(x[k1] - at1) > tolerance || fabs(x[k2] - at2) > tolerance) continue;
      if (n < (int)(sizeof stop / sizeof stop[0])) stop[n++] = point;
    }
  }
  for (int i = 1; i < n; i++) {
    for (int j = i; j > 0 && boundary->point[stop[j]].x[k] < boundary->point[stop[j - 1]].x[k]; j--) {
      int32_t swap = stop[j];
      stop[j] = stop[j - 1], stop[j - 1] = swap;
    }
  }
  for (int i = 0; i + 1 < n; i++) {
    const double *a = boundary->point[stop[i]].x, *b = boundary->point[stop[i + 1]].x;
    const double middle[3] = {(a[0] + b[0]) / 2, (a[1] + b[1]) / 2, (a[2] + b[2]) / 2};
    if (inside_needle(box, middle)) continue;
    IRZ_TRY(add_piece(pieces, stop[i], stop[i + 1], 2 * k1 + side1, 2 * k2 + side2, error));
  }
  return IRZ_OK;
}

/// The outline of needles on the box.
static IrzCode add_exits(const IrzTissueBox *box, const IrzBoundary *boundary, Pieces *pieces, IrzError *error) {
  for (int p = 0; p < box->n_needles; p++) {
    int32_t first = boundary->exit_first[p];
    int count = boundary->exit_count[p];
    for (int i = 0; i < count; i++) {
      int32_t a = first + i, b = first + (i + 1) % count;
      int face = -1;
      double turn = remainder(boundary->point[b].angle - boundary->point[a].angle, 2 * M_PI);
      irz_needle_exit(box, &box->needle[p], boundary->point[a].angle + turn / 2, box->needle[p].radius, &face);
      IRZ_TRY(add_piece(pieces, a, b, face, -1, error));
    }
  }
  return IRZ_OK;
}

/// The edges of the plates; their faces are numbered after the box's.
static IrzCode add_plates(const IrzTissueBox *box, IrzBoundary *boundary, Pieces *pieces, IrzError *error) {
  for (int p = 0; p < box->n_plates; p++) {
    int32_t corner[8];
    for (int c = 0; c < 8; c++) {
      IrzBoundaryPoint point = {.needle = -1, .kind = IRZ_POINT_FLAT};
      irz_plate_corner(&box->plate[p], c, point.x);
      IRZ_TRY(irz_boundary_point(boundary, &point, &corner[c], error));
    }
    for (int edge = 0; edge < 12; edge++) {
      int k = edge / 4, k1 = (k + 1) % 3, k2 = (k + 2) % 3, side1 = edge & 1, side2 = edge / 2 & 1;
      int low = side1 << k1 | side2 << k2, first = 6 + 6 * p;
      IRZ_TRY(
          add_piece(pieces, corner[low], corner[low | 1 << k], first + 2 * k1 + side1, first + 2 * k2 + side2, error));
    }
  }
  return IRZ_OK;
}

/// Chain the pieces on a face into loops and make a Gmsh surface of them: the largest loop is the outer one.
static IrzCode add_face(const IrzBoundary *boundary, const Pieces *pieces, int face, int *loop, bool *used,
                        IrzError *error) {
  int wires[IRZ_MAX_PROBES + 2], n_wires = 0, ierr;
  double largest = -1;
  memset(used, 0, (size_t)pieces->count * sizeof *used);
  for (int seed = 0; seed < pieces->count; seed++) {
    const Piece *first = &pieces->piece[seed];
    if (used[seed] || (first->face[0] != face && first->face[1] != face)) continue;
    int n = 0;
    double low[3] = {INFINITY, INFINITY, INFINITY}, high[3] = {-INFINITY, -INFINITY, -INFINITY};
    int32_t at = first->end[1];
    used[seed] = true;
    loop[n++] = seed + 1;
    while (at != first->end[0]) {
      int next = 0;
      while (next < pieces->count &&
             (used[next] || (pieces->piece[next].face[0] != face && pieces->piece[next].face[1] != face) ||
              (pieces->piece[next].end[0] != at && pieces->piece[next].end[1] != at)))
        next++;
      if (next == pieces->count)
        return irz_error_set(error, IRZ_ERR_INPUT, "mesh: the needles' outline on the box's wall is not closed");
      bool forward = pieces->piece[next].end[0] == at;
      used[next] = true;
      loop[n++] = forward ? next + 1 : -(next + 1);
      at = pieces->piece[next].end[forward];
      for (int k = 0; k < 3; k++) {
        low[k] = fmin(low[k], boundary->point[at].x[k]);
        high[k] = fmax(high[k], boundary->point[at].x[k]);
      }
    }
    if (n_wires == (int)(sizeof wires / sizeof wires[0]))
      return irz_error_set(error, IRZ_ERR_INPUT, "mesh: the needles cut a wall of the box into too many pieces");
    int wire = gmshModelGeoAddCurveLoop(loop, (size_t)n, -1, 0, &ierr);
    CHECK_GMSH(ierr);
    wires[n_wires++] = wire;
    double extent = high[0] - low[0] + high[1] - low[1] + high[2] - low[2];
    if (extent > largest) {
      largest = extent;
      wires[n_wires - 1] = wires[0];
      wires[0] = wire;
    }
  }
  gmshModelGeoAddPlaneSurface(wires, (size_t)n_wires, face + 1, &ierr);
  CHECK_GMSH(ierr);
  return IRZ_OK;
}

/// Describe the walls of the box, and of plates, to Gmsh.
static IrzCode add_walls(const IrzBoundary *boundary, int n_faces, const Pieces *pieces, IrzError *error) {
  int ierr, *loop;
  bool *used, *known;
  IRZ_TRY(irz_alloc(&loop, (size_t)pieces->count, sizeof *loop, error));
  IRZ_TRY(irz_alloc(&used, (size_t)pieces->count, sizeof *used, error));
  IRZ_TRY(irz_alloc(&known, (size_t)boundary->n_points, sizeof *known, error));
  IrzCode code = IRZ_OK;
  for (int i = 0; i < pieces->count; i++) {
    const int32_t *end = pieces->piece[i].end;
    for (int k = 0; k < 2; k++) {
      const double *x = boundary->point[end[k]].x;
      if (!known[end[k]]) gmshModelGeoAddPoint(x[0] * TO_GMSH, x[1] * TO_GMSH, x[2] * TO_GMSH, 0, end[k] + 1, &ierr);
      known[end[k]] = true;
    }
    gmshModelGeoAddLine(end[0] + 1, end[1] + 1, i + 1, &ierr);
    if (pieces->piece[i].face[1] < 0) gmshModelGeoMeshSetTransfiniteCurve(i + 1, 2, "Progression", 1, &ierr);
  }
  for (int face = 0; face < n_faces && code == IRZ_OK; face++)
    code = add_face(boundary, pieces, face, loop, used, error);
  if (code == IRZ_OK) {
    gmshModelGeoSynchronize(&ierr);
    if (ierr) code = gmsh_failed(ierr, error);
  }
  free(loop);
  free(used);
  free(known);
  return code;
}

static void gmsh_mesh_clear(IrzGmshMesh *mesh) {
  gmshFree(mesh->node);
  gmshFree(mesh->element);
  gmshFree(mesh->corner);
  gmshFree(mesh->xyz);
  gmshFree(mesh->none);
}

/// All nodes and the elements of one type.
static IrzCode get_mesh(int type, IrzGmshMesh *mesh, IrzError *error) {
  int ierr;
  memset(mesh, 0, sizeof *mesh);
  gmshModelMeshGetNodes(&mesh->node, &mesh->n_nodes, &mesh->xyz, &mesh->n_xyz, &mesh->none, &mesh->n_none, -1, -1, 0, 0,
                        &ierr);
  CHECK_GMSH(ierr);
  gmshModelMeshGetElementsByType(type, &mesh->element, &mesh->n_elements, &mesh->corner, &mesh->n_corners, -1, 0, 1,
                                 &ierr);
  CHECK_GMSH(ierr);
  return IRZ_OK;
}

/// Largest node tag.
static size_t largest_tag(const IrzGmshMesh *mesh) {
  size_t largest = 0;
  for (size_t i = 0; i < mesh->n_nodes; i++) largest = mesh->node[i] > largest ? mesh->node[i] : largest;
  return largest;
}

/// Take over the triangles of one face.
/// @param[in] index  points of the boundary by Gmsh's node tags
static IrzCode take_face(int face, int32_t surface, const int32_t *index, IrzBoundary *boundary, IrzError *error) {
  size_t *element = NULL, *corner = NULL, n_elements = 0, n_corners = 0;
  int ierr;
  gmshModelMeshGetElementsByType(TYPE_TRIANGLE, &element, &n_elements, &corner, &n_corners, face + 1, 0, 1, &ierr);
  IrzCode code = ierr ? gmsh_failed(ierr, error) : IRZ_OK;
  for (size_t t = 0; t < n_elements && code == IRZ_OK; t++) {
    code = irz_boundary_triangle(boundary, index[corner[3 * t]], index[corner[3 * t + 1]], index[corner[3 * t + 2]],
                                 surface, error);
  }
  gmshFree(element);
  gmshFree(corner);
  return code;
}

/// Take over the triangles of the box and of plates.
static IrzCode take_walls(const IrzTissueBox *box, const Pieces *pieces, const IrzGmshMesh *walls,
                          IrzBoundary *boundary, IrzError *error) {
  int32_t *index;
  size_t n_tags = largest_tag(walls) + 1;
  IRZ_TRY(irz_alloc(&index, n_tags, sizeof *index, error));
  memset(index, 0xff, n_tags * sizeof *index);
  IrzCode code = IRZ_OK;
  for (int i = 0; i < pieces->count && code == IRZ_OK; i++) {
    for (int k = 0; k < 2 && code == IRZ_OK; k++) {
      size_t *node = NULL, n_node = 0, n_xyz = 0, n_none = 0;
      double *xyz = NULL, *none = NULL;
      int ierr;
      int32_t point = pieces->piece[i].end[k];
      gmshModelMeshGetNodes(&node, &n_node, &xyz, &n_xyz, &none, &n_none, 0, point + 1, 0, 0, &ierr);
      if (ierr || n_node != 1 || node[0] >= n_tags) {
        code = irz_error_set(error, IRZ_ERR_INPUT, "mesh: Gmsh lost a corner of the box's outline");
      } else {
        index[node[0]] = point;
      }
      gmshFree(node);
      gmshFree(xyz);
      gmshFree(none);
    }
  }
  for (size_t i = 0; i < walls->n_nodes && code == IRZ_OK; i++) {
    if (index[walls->node[i]] >= 0) continue;
    IrzBoundaryPoint point = {.needle = -1, .kind = IRZ_POINT_FLAT};
    for (int k = 0; k < 3; k++) point.x[k] = walls->xyz[3 * i + k] / TO_GMSH;
    code = irz_boundary_point(boundary, &point, &index[walls->node[i]], error);
  }
  for (int face = 0; face < 6 + 6 * box->n_plates && code == IRZ_OK; face++)
    code = take_face(face, face < 6 ? box->face_surface[face] : 2 * (face / 6 - 1), index, boundary, error);
  free(index);
  return code;
}

/// Triangulate the box around the needles.
static IrzCode triangulate_box(const IrzSizeField *field, IrzBoundary *boundary, IrzError *error) {
  int32_t corner[8] = {-1, -1, -1, -1, -1, -1, -1, -1};
  Pieces pieces = {0};
  IrzCode code = new_model(field, error);
  for (int edge = 0; edge < 12 && code == IRZ_OK; edge++)
    code = add_box_edge(field->box, edge, corner, boundary, &pieces, error);
  if (code == IRZ_OK) code = add_exits(field->box, boundary, &pieces, error);
  if (code == IRZ_OK) code = add_plates(field->box, boundary, &pieces, error);
  if (code == IRZ_OK) code = add_walls(boundary, 6 + 6 * field->box->n_plates, &pieces, error);
  if (code == IRZ_OK) {
    int ierr;
    gmshModelMeshGenerate(2, &ierr);
    if (ierr) code = gmsh_failed(ierr, error);
  }
  if (code == IRZ_OK) {
    IrzGmshMesh walls;
    code = get_mesh(TYPE_TRIANGLE, &walls, error);
    if (code == IRZ_OK) code = take_walls(field->box, &pieces, &walls, boundary, error);
    gmsh_mesh_clear(&walls);
  }
  free(pieces.piece);
  return code;
}

/// Give Gmsh the boundary as discrete surfaces with a volume inside: the needles' or plates' one by one, the box last.
/// Were they one surface, HXT could not tell the inside of a needle from the tissue.
static IrzCode give_boundary(const IrzTissueBox *box, const IrzBoundary *boundary, IrzError *error) {
  size_t *tag = NULL, *corner = NULL;
  double *xyz = NULL;
  int ierr = 0, surfaces[IRZ_MAX_PROBES + 1], volume = 1, n_holes = irz_box_holes(box);
  IrzCode code = irz_alloc(&tag, (size_t)boundary->n_points, sizeof *tag, error);
  if (code == IRZ_OK) code = irz_alloc(&xyz, (size_t)boundary->n_points, 3 * sizeof *xyz, error);
  if (code == IRZ_OK) code = irz_alloc(&corner, (size_t)boundary->n_triangles, 3 * sizeof *corner, error);
  for (int32_t i = 0; i < boundary->n_points && code == IRZ_OK; i++) tag[i] = (size_t)i + 1;
  if (code == IRZ_OK) irz_boundary_untie(box, boundary, xyz);
  for (size_t i = 0; i < 3 * (size_t)boundary->n_points && code == IRZ_OK; i++) xyz[i] *= TO_GMSH;
  for (int s = 0; s <= n_holes && code == IRZ_OK && !ierr; s++) {
    size_t n = 0;
    surfaces[s] = s + 1;
    for (int32_t t = 0; t < boundary->n_triangles; t++) {
      int probe = boundary->surface[t] / 2;
      if ((probe < box->n_probes ? box->hole_of[probe] : n_holes) != s) continue;
      for (int k = 0; k < 3; k++) corner[n++] = (size_t)boundary->triangle[t][k] + 1;
    }
    gmshModelAddDiscreteEntity(2, surfaces[s], NULL, 0, &ierr);
    if (!ierr && s == 0) {
      irz_heap_fill(BYTES_PER_POINT * (size_t)boundary->n_points);
      gmshModelMeshAddNodes(2, surfaces[s], tag, (size_t)boundary->n_points, xyz, 3 * (size_t)boundary->n_points, NULL,
                            0, &ierr);
      irz_heap_release();
    }
    if (!ierr) gmshModelMeshAddElementsByType(surfaces[s], TYPE_TRIANGLE, NULL, 0, corner, n, &ierr);
  }
  if (code == IRZ_OK && !ierr) gmshModelGeoAddSurfaceLoop(surfaces, (size_t)n_holes + 1, volume, &ierr);
  if (code == IRZ_OK && !ierr) gmshModelGeoAddVolume(&volume, 1, volume, &ierr);
  if (code == IRZ_OK && !ierr) gmshModelGeoSynchronize(&ierr);
  if (code == IRZ_OK && ierr) code = gmsh_failed(ierr, error);
  free(tag);
  free(xyz);
  free(corner);
  return code;
}

/// Take over nodes and tetrahedra: points of the boundary first, with the coordinates they had.
static IrzCode take_tets(const IrzBoundary *boundary, const IrzGmshMesh *volume, IrzMesh *mesh, IrzError *error) {
  if (volume->n_elements == 0 || volume->n_elements > INT32_MAX)
    return irz_error_set(error, IRZ_ERR_INPUT, "mesh: Gmsh made no tetrahedra");
  int32_t *index;
  size_t n_tags = largest_tag(volume) + 1;
  IRZ_TRY(irz_alloc(&index, n_tags, sizeof *index, error));
  IrzCode code = irz_alloc(&mesh->xyz, volume->n_nodes, 3 * sizeof *mesh->xyz, error);
  if (code == IRZ_OK) code = irz_alloc(&mesh->tet, volume->n_elements, 4 * sizeof *mesh->tet, error);
  for (int32_t i = 0; i < boundary->n_points && code == IRZ_OK; i++)
    memcpy(&mesh->xyz[3 * (size_t)i], boundary->point[i].x, sizeof boundary->point[i].x);
  mesh->n_vertices = boundary->n_points;
  for (size_t i = 0; i < volume->n_nodes && code == IRZ_OK; i++) {
    size_t tag = volume->node[i];
    if (tag <= (size_t)boundary->n_points) {
      index[tag] = (int32_t)tag - 1;
    } else {
      index[tag] = mesh->n_vertices;
      for (int k = 0; k < 3; k++) mesh->xyz[3 * (size_t)mesh->n_vertices + k] = volume->xyz[3 * i + k] / TO_GMSH;
      mesh->n_vertices++;
    }
  }
  mesh->n_tets = (int32_t)volume->n_elements;
  for (size_t i = 0; i < volume->n_corners && code == IRZ_OK; i++) mesh->tet[i] = index[volume->corner[i]];
  free(index);
  return code;
}

/// Let HXT make tetrahedra. Its hxtOptimizeTetrahedra() (Gmsh 4.8) reads an array that it has not filled, so that what
/// lay in the heap before would decide about a few of them: larger new blocks are zero meanwhile.
static IrzCode generate_tets(IrzGmshMesh *mesh, IrzError *error) {
  int ierr;
  irz_heap_clear_new(true);
  gmshModelMeshGenerate(3, &ierr);
  irz_heap_clear_new(false);
  CHECK_GMSH(ierr);
  return get_mesh(TYPE_TETRAHEDRON, mesh, error);
}

/// Fill a closed boundary with tetrahedra.
static IrzCode fill(const IrzSizeField *field, const IrzBoundary *boundary, IrzMesh *mesh, IrzError *error) {
  IrzGmshMesh volume = {0};
  IRZ_TRY(new_model(field, error));
  IRZ_TRY(give_boundary(field->box, boundary, error));
  if (field->delaunay) {
    int ierr;
    gmshOptionSetNumber("Mesh.Algorithm3D", ALGORITHM_3D_DELAUNAY, &ierr);
    CHECK_GMSH(ierr);
  }
  /* HXT does not look whether it got the memory it asked for: that it can get what it takes at least is found out
   * before. */
  char *trial;
  IRZ_TRY(irz_alloc_unset(&trial, LEAST_FOR_TETS + BYTES_OF_TETS * (size_t)boundary->n_points, 1, error));
  free(trial);
  /* The older algorithm prints what it finds wrong, and only another process can be ended. */
  bool apart = field->delaunay || isfinite(irz_deadline_left());
  IrzCode code = apart ? irz_gmsh_apart(generate_tets, &volume, error) : generate_tets(&volume, error);
  if (code == IRZ_OK) code = take_tets(boundary, &volume, mesh, error);
  gmsh_mesh_clear(&volume);
  return code;
}

IrzCode irz_gmsh_mesh(const IrzSizeField *field, IrzBoundary *boundary, IrzMesh *mesh, IrzError *error) {
  int ierr;
  IrzCode code = start(error);
  if (code == IRZ_OK) code = triangulate_box(field, boundary, error);
  if (code == IRZ_OK) code = fill(field, boundary, mesh, error);
  gmshFinalize(&ierr);
  return code;
}
