/* Faces of tetrahedra, sorted, and the pieces they connect. */
#include "base/memory.h"
#include "mesh/mesh_build.h"
#include <stdlib.h>

void irz_faces_clear(IrzFaces *faces) {
  free(faces->start);
  free(faces->side);
  *faces = (IrzFaces){0};
}

/// A face with its vertices in ascending order.
static inline IrzFaceSide make_side(const int32_t *tet, int32_t index, int face, int32_t *smallest) {
  int32_t a = tet[irz_tet_face[face][0]], b = tet[irz_tet_face[face][1]], c = tet[irz_tet_face[face][2]];
  /* Turn the smallest to the front, which keeps the sense of rotation. */
  if (b < a && b < c) {
    int32_t t = a;
    a = b;
    b = c;
    c = t;
  } else if (c < a && c < b) {
    int32_t t = a;
    a = c;
    c = b;
    b = t;
  }
  *smallest = a;
  bool ascending = b < c;
  return (IrzFaceSide){
      .b = ascending ? b : c, .c = ascending ? c : b, .tet = index, .face = (int8_t)face, .parity = (int8_t)ascending};
}

static int compare_sides(const void *left, const void *right) {
  const IrzFaceSide *a = left, *b = right;
  if (a->b != b->b) return a->b < b->b ? -1 : 1;
  if (a->c != b->c) return a->c < b->c ? -1 : 1;
  return (a->tet > b->tet) - (a->tet < b->tet);
}

/// Sort the sides of one vertex: few as a rule, which insertion sorts fastest.
static void sort_sides(IrzFaceSide *side, int64_t count) {
  if (count > 100) {
    qsort(side, (size_t)count, sizeof *side, compare_sides);
    return;
  }
  for (int64_t i = 1; i < count; i++) {
    IrzFaceSide moved = side[i];
    int64_t k = i;
    for (; k > 0 && (side[k - 1].b > moved.b || (side[k - 1].b == moved.b && side[k - 1].c > moved.c)); k--) {
      side[k] = side[k - 1];
    }
    side[k] = moved;
  }
}

IrzCode irz_mesh_faces(const IrzMesh *mesh, IrzFaces *faces, IrzError *error) {
  *faces = (IrzFaces){.n_vertices = mesh->n_vertices};
  IrzCode code = irz_alloc(&faces->start, (size_t)mesh->n_vertices + 2, sizeof *faces->start, error);
  if (code == IRZ_OK) code = irz_alloc(&faces->side, 4 * (size_t)mesh->n_tets, sizeof *faces->side, error);
  if (code != IRZ_OK) {
    irz_faces_clear(faces);
    return code;
  }
  int64_t *start = faces->start;
  for (int pass = 0; pass < 2; pass++) {
    for (int32_t t = 0; t < mesh->n_tets; t++) {
      for (int f = 0; f < 4; f++) {
        int32_t smallest;
        IrzFaceSide side = make_side(mesh->tet + 4 * (size_t)t, t, f, &smallest);
        if (pass == 0) {
          start[smallest + 2]++;
        } else {
          faces->side[start[smallest + 1]++] = side;
        }
      }
    }
    for (int32_t i = 0; pass == 0 && i < mesh->n_vertices; i++) start[i + 2] += start[i + 1];
  }
  for (int32_t v = 0; v < mesh->n_vertices; v++) sort_sides(faces->side + start[v], start[v + 1] - start[v]);
  return IRZ_OK;
}

/// Root of a piece, halving the path to it.
static int32_t find_root(int32_t *parent, int32_t i) {
  while (parent[i] != i) {
    parent[i] = parent[parent[i]];
    i = parent[i];
  }
  return i;
}

IrzCode irz_mesh_parts(const IrzMesh *mesh, const IrzFaces *faces, int32_t *part, int32_t *count, IrzError *error) {
  int32_t *parent;
  IRZ_TRY(irz_alloc(&parent, (size_t)mesh->n_tets, sizeof *parent, error));
  for (int32_t i = 0; i < mesh->n_tets; i++) parent[i] = i;
  for (int32_t v = 0; v < faces->n_vertices; v++) {
    for (int64_t i = faces->start[v] + 1; i < faces->start[v + 1]; i++) {
      const IrzFaceSide *before = &faces->side[i - 1], *here = &faces->side[i];
      if (before->b != here->b || before->c != here->c) continue;
      int32_t one = find_root(parent, before->tet), other = find_root(parent, here->tet);
      if (one < other) {
        parent[other] = one;
      } else {
        parent[one] = other;
      }
    }
  }
  *count = 0;
  for (int32_t i = 0; i < mesh->n_tets; i++) { /* a root is the smallest of its piece, so it comes first */
    part[i] = parent[i] == i ? (*count)++ : part[find_root(parent, i)];
  }
  free(parent);
  return IRZ_OK;
}
