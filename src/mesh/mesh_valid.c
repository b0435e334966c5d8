/* What irezone/mesh.h promises of a mesh, looked at from scratch: nothing of the code that makes meshes is used. */
#include "mesh/mesh_valid.h"
#include "base/memory.h"
#include "base/valid.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Whether `n` groups have names, each its own.
static bool groups_are_valid(const char *kind, int n, const IrzGroup *groups, IrzError *fault) {
  for (int i = 0; i < n; i++) {
    if (groups[i].name[0] == '\0') return IRZ_INVALID(fault, "%s %d has no name", kind, i);
    for (int k = 0; k < i; k++) {
      if (strcmp(groups[i].name, groups[k].name) == 0)
        return IRZ_INVALID(fault, "%ss %d and %d are both %s", kind, k, i, groups[i].name);
    }
  }
  return true;
}

/// Whether the corners of a cell are vertices, each another.
static bool corners_are_valid(const IrzMesh *mesh, const char *kind, int32_t cell, const int32_t *corner, int n,
                              IrzError *fault) {
  for (int i = 0; i < n; i++) {
    if (corner[i] < 0 || corner[i] >= mesh->n_vertices)
      return IRZ_INVALID(fault, "%s %d has the vertex %d of %d", kind, cell, corner[i], mesh->n_vertices);
    for (int k = 0; k < i; k++) {
      if (corner[i] == corner[k]) return IRZ_INVALID(fault, "%s %d has the vertex %d twice", kind, cell, corner[i]);
    }
  }
  return true;
}

/// Six times the volume of a tetrahedron with straight edges.
static double determinant(const IrzMesh *mesh, const int32_t *corner) {
  double d[3][3];
  for (int i = 0; i < 3; i++) {
    for (int k = 0; k < 3; k++)
      d[i][k] = mesh->xyz[3 * (size_t)corner[i + 1] + k] - mesh->xyz[3 * (size_t)corner[0] + k];
  }
  return d[0][0] * (d[1][1] * d[2][2] - d[1][2] * d[2][1]) + d[0][1] * (d[1][2] * d[2][0] - d[1][0] * d[2][2]) +
         d[0][2] * (d[1][0] * d[2][1] - d[1][1] * d[2][0]);
}

/// Whether cells have vertices, groups and, tetrahedra, the right orientation; and whether every vertex is used.
/// @param[out] used  [n_vertices]
static bool cells_are_valid(const IrzMesh *mesh, uint8_t *used, IrzError *fault) {
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    const int32_t *corner = mesh->tet + 4 * (size_t)t;
    if (!corners_are_valid(mesh, "tetrahedron", t, corner, 4, fault)) return false;
    if (!(determinant(mesh, corner) > 0)) return IRZ_INVALID(fault, "tetrahedron %d is not positively oriented", t);
    if (mesh->region[t] < 0 || mesh->region[t] >= mesh->n_regions)
      return IRZ_INVALID(fault, "tetrahedron %d is in region %d of %d", t, mesh->region[t], mesh->n_regions);
    for (int i = 0; i < 4; i++) used[corner[i]] = 1;
  }
  for (int32_t v = 0; v < mesh->n_vertices; v++) {
    if (!used[v]) return IRZ_INVALID(fault, "no tetrahedron has the vertex %d", v);
    for (int k = 0; k < 3; k++) {
      if (!isfinite(mesh->xyz[3 * (size_t)v + k])) return IRZ_INVALID(fault, "vertex %d is nowhere", v);
    }
  }
  for (int32_t f = 0; f < mesh->n_triangles; f++) {
    if (!corners_are_valid(mesh, "triangle", f, mesh->triangle + 3 * (size_t)f, 3, fault)) return false;
    if (mesh->surface[f] < 0 || mesh->surface[f] >= mesh->n_surfaces)
      return IRZ_INVALID(fault, "triangle %d is in surface %d of %d", f, mesh->surface[f], mesh->n_surfaces);
  }
  return true;
}

/// A face, its vertices in increasing order.
typedef struct {
  int32_t v[3];
} Face;

static Face make_face(int32_t a, int32_t b, int32_t c) {
  int32_t low = a < b ? a : b, high = a < b ? b : a;
  if (c < low) return (Face){{c, low, high}};
  return c < high ? (Face){{low, c, high}} : (Face){{low, high, c}};
}

static int compare_faces(const void *a, const void *b) {
  const Face *x = a, *y = b;
  for (int i = 0; i < 3; i++) {
    if (x->v[i] != y->v[i]) return x->v[i] < y->v[i] ? -1 : 1;
  }
  return 0;
}

/// Whether no face is of more than two tetrahedra, and triangles are faces.
/// @param[out] face  [4 n_tets]
static bool faces_are_valid(const IrzMesh *mesh, Face *face, IrzError *fault) {
  size_t n = 0;
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    const int32_t *v = mesh->tet + 4 * (size_t)t;
    for (int i = 0; i < 4; i++) face[n++] = make_face(v[(i + 1) % 4], v[(i + 2) % 4], v[(i + 3) % 4]);
  }
  qsort(face, n, sizeof *face, compare_faces);
  for (size_t i = 2; i < n; i++) {
    if (compare_faces(&face[i - 2], &face[i]) == 0)
      return IRZ_INVALID(fault, "more than two tetrahedra have the face %d, %d, %d", face[i].v[0], face[i].v[1],
                         face[i].v[2]);
  }
  for (int32_t f = 0; f < mesh->n_triangles; f++) {
    const int32_t *v = mesh->triangle + 3 * (size_t)f;
    Face wanted = make_face(v[0], v[1], v[2]);
    if (bsearch(&wanted, face, n, sizeof *face, compare_faces) == NULL)
      return IRZ_INVALID(fault, "triangle %d is no face of a tetrahedron", f);
  }
  return true;
}

static bool curved_are_valid(const IrzMesh *mesh, IrzError *fault) {
  for (int32_t e = 0; e < mesh->n_curved; e++) {
    const int32_t *end = mesh->curved_edge + 2 * (size_t)e;
    if (end[0] < 0 || end[0] >= end[1] || end[1] >= mesh->n_vertices)
      return IRZ_INVALID(fault, "curved edge %d goes from %d to %d", e, end[0], end[1]);
    if (e > 0 && (end[-2] > end[0] || (end[-2] == end[0] && end[-1] >= end[1])))
      return IRZ_INVALID(fault, "curved edge %d is not in order", e);
    for (int k = 0; k < 3; k++) {
      if (!isfinite(mesh->curved_xyz[3 * (size_t)e + k])) return IRZ_INVALID(fault, "curved edge %d is nowhere", e);
    }
  }
  return true;
}

bool irz_mesh_is_valid(const IrzMesh *mesh, IrzError *fault) {
  uint8_t *used = NULL;
  Face *face = NULL;
  if (mesh->n_vertices < 4 || mesh->n_tets < 1) return IRZ_INVALID(fault, "there is no tetrahedron");
  bool valid = irz_alloc(&used, (size_t)mesh->n_vertices, 1, fault) == IRZ_OK &&
               irz_alloc(&face, 4 * (size_t)mesh->n_tets, sizeof *face, fault) == IRZ_OK;
  valid = valid && groups_are_valid("region", mesh->n_regions, mesh->regions, fault) &&
          groups_are_valid("surface", mesh->n_surfaces, mesh->surfaces, fault) && cells_are_valid(mesh, used, fault) &&
          faces_are_valid(mesh, face, fault) && curved_are_valid(mesh, fault);
  free(face);
  free(used);
  return valid;
}
