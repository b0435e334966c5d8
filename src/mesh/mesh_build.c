/* From loose parts to a mesh; curved edges. */
#include "mesh/mesh_build.h"
#include "base/memory.h"
#include "base/threads.h"
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// An edge is straight if its middle is within this times its length of the mean of its ends.
#define STRAIGHT 1e-9

/// The middles that two tetrahedra give a common edge may differ by this times its length.
#define SAME_MIDDLE 1e-6

const int irz_tet_edge[6][2] = {{0, 1}, {1, 2}, {0, 2}, {0, 3}, {2, 3}, {1, 3}};
const int irz_tet_face[4][3] = {{1, 2, 3}, {0, 3, 2}, {0, 1, 3}, {0, 2, 1}};

void irz_mesh_free(IrzMesh *mesh) {
  if (mesh == NULL) return;
  free(mesh->xyz);
  free(mesh->tet);
  free(mesh->region);
  free(mesh->fitted);
  free(mesh->triangle);
  free(mesh->surface);
  free(mesh->regions);
  free(mesh->surfaces);
  free(mesh->curved_edge);
  free(mesh->curved_xyz);
  free(mesh);
}

void irz_draft_clear(IrzMeshDraft *draft) {
  free(draft->xyz);
  free(draft->point_tag);
  free(draft->tet);
  free(draft->tet_region);
  free(draft->tet_tag);
  free(draft->mid);
  free(draft->triangle);
  free(draft->triangle_surface);
  free(draft->triangle_tag);
  free(draft->regions);
  free(draft->surfaces);
  *draft = (IrzMeshDraft){0};
}

/// How many items to reserve for `count` plus `more`: all of them at once, or half as many again as before.
static IrzCode next_reserve(int32_t count, int64_t more, int32_t reserved, int32_t *wanted, IrzError *error) {
  if (count + more >= INT32_MAX) {
    return irz_error_set(error, IRZ_ERR_INPUT, "a mesh of more than %d nodes or elements is too large", INT32_MAX - 1);
  }
  int64_t larger = reserved + (int64_t)reserved / 2 + 16;
  if (larger < count + more) larger = count + more;
  *wanted = (int32_t)(larger < INT32_MAX ? larger : INT32_MAX - 1);
  return IRZ_OK;
}

IrzCode irz_draft_reserve_points(IrzMeshDraft *draft, int64_t more, IrzError *error) {
  if (draft->n_points + more <= draft->points_reserved) return IRZ_OK;
  int32_t wanted = 0;
  IRZ_TRY(next_reserve(draft->n_points, more, draft->points_reserved, &wanted, error));
  IRZ_TRY(irz_resize(&draft->xyz, (size_t)wanted, 3 * sizeof *draft->xyz, error));
  IRZ_TRY(irz_resize(&draft->point_tag, (size_t)wanted, sizeof *draft->point_tag, error));
  draft->points_reserved = wanted;
  return IRZ_OK;
}

IrzCode irz_draft_reserve_tets(IrzMeshDraft *draft, int64_t more, IrzError *error) {
  if (draft->n_tets + more <= draft->tets_reserved) return IRZ_OK;
  int32_t wanted = 0;
  IRZ_TRY(next_reserve(draft->n_tets, more, draft->tets_reserved, &wanted, error));
  IRZ_TRY(irz_resize(&draft->tet, (size_t)wanted, 4 * sizeof *draft->tet, error));
  IRZ_TRY(irz_resize(&draft->tet_region, (size_t)wanted, sizeof *draft->tet_region, error));
  IRZ_TRY(irz_resize(&draft->tet_tag, (size_t)wanted, sizeof *draft->tet_tag, error));
  if (draft->mid != NULL) {
    IRZ_TRY(irz_resize(&draft->mid, (size_t)wanted, 6 * sizeof *draft->mid, error));
    for (size_t i = 6 * (size_t)draft->tets_reserved; i < 6 * (size_t)wanted; i++) draft->mid[i] = -1;
  }
  draft->tets_reserved = wanted;
  return IRZ_OK;
}

IrzCode irz_draft_reserve_triangles(IrzMeshDraft *draft, int64_t more, IrzError *error) {
  if (draft->n_triangles + more <= draft->triangles_reserved) return IRZ_OK;
  int32_t wanted = 0;
  IRZ_TRY(next_reserve(draft->n_triangles, more, draft->triangles_reserved, &wanted, error));
  IRZ_TRY(irz_resize(&draft->triangle, (size_t)wanted, 3 * sizeof *draft->triangle, error));
  IRZ_TRY(irz_resize(&draft->triangle_surface, (size_t)wanted, sizeof *draft->triangle_surface, error));
  IRZ_TRY(irz_resize(&draft->triangle_tag, (size_t)wanted, sizeof *draft->triangle_tag, error));
  draft->triangles_reserved = wanted;
  return IRZ_OK;
}

IrzCode irz_draft_add_mid(IrzMeshDraft *draft, IrzError *error) {
  if (draft->mid != NULL) return IRZ_OK;
  IRZ_TRY(irz_alloc(&draft->mid, (size_t)draft->tets_reserved, 6 * sizeof *draft->mid, error));
  for (size_t i = 0; i < 6 * (size_t)draft->tets_reserved; i++) draft->mid[i] = -1;
  return IRZ_OK;
}

IrzCode irz_draft_add_group(IrzMeshDraft *draft, bool surface, int tag, const char *name, int32_t *index,
                            IrzError *error) {
  int32_t *count = surface ? &draft->n_surfaces : &draft->n_regions;
  int32_t *reserved = surface ? &draft->surfaces_reserved : &draft->regions_reserved;
  IrzGroup **groups = surface ? &draft->surfaces : &draft->regions;
  if (*count == *reserved) {
    int32_t wanted = 0;
    IRZ_TRY(next_reserve(*count, 1, *reserved, &wanted, error));
    IRZ_TRY(irz_resize(groups, (size_t)wanted, sizeof **groups, error));
    *reserved = wanted;
  }
  IrzGroup *group = *groups + *count;
  *group = (IrzGroup){.tag = tag};
  if (name != NULL) {
    snprintf(group->name, sizeof group->name, "%s", name);
  } else if (tag == 0) {
    snprintf(group->name, sizeof group->name, "default");
  } else {
    snprintf(group->name, sizeof group->name, "%d", tag);
  }
  *index = (*count)++;
  return IRZ_OK;
}

/// A group and where it was.
typedef struct {
  IrzGroup group;
  int32_t old;
} SortedGroup;

static int compare_names(const void *left, const void *right) {
  const SortedGroup *a = left, *b = right;
  int order = strcmp(a->group.name, b->group.name);
  return order != 0 ? order : (a->group.tag > b->group.tag) - (a->group.tag < b->group.tag);
}

static int compare_tags(const void *left, const void *right) {
  const SortedGroup *a = left, *b = right;
  return a->group.tag != b->group.tag ? (a->group.tag > b->group.tag) - (a->group.tag < b->group.tag)
                                      : strcmp(a->group.name, b->group.name);
}

/// Merge groups of one name, drop those without elements, sort the rest by tag.
/// @param[in]     n_elements  elements
/// @param[in,out] member      [n_elements] group of each element, old on entry, new on return
/// @param[in]     n_old       groups so far
/// @param[in]     old         [n_old] groups so far
/// @param[out]    n_groups    groups left
/// @param[out]    groups      the groups
static IrzCode merge_groups(int32_t n_elements, int32_t *member, int32_t n_old, const IrzGroup *old, int *n_groups,
                            IrzGroup **groups, IrzError *error) {
  SortedGroup *sorted = NULL;
  int32_t *heir = NULL; /* the old group an old group goes to, then the new index */
  IrzCode code = irz_alloc(&sorted, (size_t)n_old, sizeof *sorted, error);
  if (code == IRZ_OK) code = irz_alloc(&heir, (size_t)n_old, sizeof *heir, error);
  if (code == IRZ_OK) code = irz_alloc(groups, (size_t)n_old, sizeof **groups, error);
  if (code != IRZ_OK) goto done;
  for (int32_t i = 0; i < n_elements; i++) heir[member[i]] = 1;
  int32_t n_used = 0;
  for (int32_t i = 0; i < n_old; i++) {
    if (heir[i] == 1) sorted[n_used++] = (SortedGroup){old[i], i};
  }
  qsort(sorted, (size_t)n_used, sizeof *sorted, compare_names);
  int32_t n_kept = 0;
  for (int32_t i = 0; i < n_used; i++) {
    bool same = n_kept > 0 && strcmp(sorted[n_kept - 1].group.name, sorted[i].group.name) == 0;
    int32_t from = sorted[i].old;
    if (!same) sorted[n_kept++] = sorted[i];
    heir[from] = sorted[n_kept - 1].old;
  }
  for (int32_t i = 0; i < n_elements; i++) member[i] = heir[member[i]];
  qsort(sorted, (size_t)n_kept, sizeof *sorted, compare_tags);
  for (int32_t i = 0; i < n_kept; i++) {
    (*groups)[i] = sorted[i].group;
    heir[sorted[i].old] = i;
  }
  for (int32_t i = 0; i < n_elements; i++) member[i] = heir[member[i]];
  *n_groups = n_kept;
done:
  free(sorted);
  free(heir);
  return code;
}

/// Three numbers in ascending order.
static inline void sort3(int32_t v[3]) {
  if (v[0] > v[1]) {
    int32_t t = v[0];
    v[0] = v[1];
    v[1] = t;
  }
  if (v[1] > v[2]) {
    int32_t t = v[1];
    v[1] = v[2];
    v[2] = t;
  }
  if (v[0] > v[1]) {
    int32_t t = v[0];
    v[0] = v[1];
    v[1] = t;
  }
}

/// Whether two tetrahedra have the same corners.
static bool same_corners(const int32_t *a, const int32_t *b) {
  for (int i = 0; i < 4; i++) {
    if (a[i] != b[0] && a[i] != b[1] && a[i] != b[2] && a[i] != b[3]) return false;
  }
  return true;
}

/// A number below n_points that depends only on which corners a tetrahedron has.
static inline int32_t tet_bucket(const IrzMeshDraft *draft, int32_t index) {
  uint64_t sum = 0;
  for (size_t k = 0; k < 4; k++) {
    uint64_t mixed = (uint64_t)draft->tet[4 * (size_t)index + k] * UINT64_C(0x9e3779b97f4a7c15);
    sum += mixed ^ mixed >> 29;
  }
  return (int32_t)((sum >> 32) * (uint64_t)draft->n_points >> 32);
}

/// Keep of each tetrahedron that occurs in several regions the one in the smallest region.
static IrzCode drop_repeated_tets(IrzMeshDraft *draft, const char *name, IrzError *error) {
  const int32_t n = draft->n_tets;
  int32_t *start = NULL, *bucket = NULL, *size = NULL;
  bool *drop = NULL;
  IrzCode code = irz_alloc(&start, (size_t)draft->n_points + 2, sizeof *start, error);
  if (code == IRZ_OK) code = irz_alloc_unset(&bucket, (size_t)n, sizeof *bucket, error);
  if (code == IRZ_OK) code = irz_alloc(&size, (size_t)draft->n_regions, sizeof *size, error);
  if (code == IRZ_OK) code = irz_alloc(&drop, (size_t)n, sizeof *drop, error);
  if (code != IRZ_OK) goto done;

  for (int32_t i = 0; i < n; i++) size[draft->tet_region[i]]++;
  for (int32_t i = 0; i < n; i++) start[tet_bucket(draft, i) + 2]++;
  for (int32_t i = 1; i <= draft->n_points; i++) start[i + 1] += start[i];
  for (int32_t i = 0; i < n; i++) bucket[start[tet_bucket(draft, i) + 1]++] = i;
  int32_t n_dropped = 0;
  for (int32_t b = 0; b < draft->n_points; b++) {
    for (int32_t k = start[b]; k < start[b + 1]; k++) {
      for (int32_t l = k + 1; l < start[b + 1] && !drop[bucket[k]]; l++) {
        int32_t one = bucket[k], other = bucket[l];
        if (drop[other] || !same_corners(draft->tet + 4 * (size_t)one, draft->tet + 4 * (size_t)other)) continue;
        int32_t a = draft->tet_region[one], c = draft->tet_region[other];
        if (strcmp(draft->regions[a].name, draft->regions[c].name) == 0 &&
            draft->tet_tag[one] != draft->tet_tag[other]) {
          code = irz_error_set(error, IRZ_ERR_INPUT, "%s: tetrahedra %lld and %lld have the same corners", name,
                               (long long)draft->tet_tag[one], (long long)draft->tet_tag[other]);
          goto done;
        }
        drop[size[c] < size[a] ? one : other] = true;
        n_dropped++;
      }
    }
  }
  if (n_dropped == 0) goto done;
  int32_t kept = 0;
  for (int32_t i = 0; i < n; i++) {
    if (drop[i]) continue;
    memmove(draft->tet + 4 * (size_t)kept, draft->tet + 4 * (size_t)i, 4 * sizeof *draft->tet);
    if (draft->mid != NULL) {
      memmove(draft->mid + 6 * (size_t)kept, draft->mid + 6 * (size_t)i, 6 * sizeof *draft->mid);
    }
    draft->tet_region[kept] = draft->tet_region[i];
    draft->tet_tag[kept] = draft->tet_tag[i];
    kept++;
  }
  draft->n_tets = kept;
done:
  free(start);
  free(bucket);
  free(size);
  free(drop);
  return code;
}

/// Number the points that are corners, in their order; count those that nothing uses.
/// @param[out] vertex  [n_points] vertex, or -1
static IrzCode number_vertices(const IrzMeshDraft *draft, IrzMesh *mesh, int32_t *vertex, IrzError *error) {
  enum { UNUSED = -1, CORNER = -2, MIDDLE = -3 };
  for (int32_t i = 0; i < draft->n_points; i++) vertex[i] = UNUSED;
  if (draft->mid != NULL) {
    for (size_t i = 0; i < 6 * (size_t)draft->n_tets; i++) {
      if (draft->mid[i] >= 0) vertex[draft->mid[i]] = MIDDLE;
    }
  }
  for (size_t i = 0; i < 4 * (size_t)draft->n_tets; i++) vertex[draft->tet[i]] = CORNER;
  int32_t count = 0;
  for (int32_t i = 0; i < draft->n_points; i++) {
    if (vertex[i] == UNUSED) mesh->n_loose++;
    vertex[i] = vertex[i] == CORNER ? count++ : -1;
  }
  mesh->n_vertices = count;
  IRZ_TRY(irz_alloc_unset(&mesh->xyz, (size_t)count, 3 * sizeof *mesh->xyz, error));
  for (int32_t i = 0; i < draft->n_points; i++) {
    if (vertex[i] >= 0) memcpy(mesh->xyz + 3 * (size_t)vertex[i], draft->xyz + 3 * (size_t)i, 3 * sizeof *mesh->xyz);
  }
  return IRZ_OK;
}

double irz_tet_determinant(const double *xyz, const int32_t *tet, double *shortest, double *longest) {
  const double *p[4];
  for (int i = 0; i < 4; i++) p[i] = xyz + 3 * (size_t)tet[i];
  double edge[6][3], least = INFINITY, most = 0;
  for (int e = 0; e < 6; e++) {
    double square = 0;
    for (int k = 0; k < 3; k++) {
      edge[e][k] = p[irz_tet_edge[e][1]][k] - p[irz_tet_edge[e][0]][k];
      square += edge[e][k] * edge[e][k];
    }
    least = square < least ? square : least;
    most = square > most ? square : most;
  }
  *shortest = least;
  *longest = most;
  const double *a = edge[0], *b = edge[2], *c = edge[3];
  return (a[1] * b[2] - a[2] * b[1]) * c[0] + (a[2] * b[0] - a[0] * b[2]) * c[1] + (a[0] * b[1] - a[1] * b[0]) * c[2];
}

/// Turn corners from points into vertices and all tetrahedra to the positive orientation.
/// @param[in] point  [n_tets][4] corners as points; may be mesh->tet itself
static IrzCode orient_tets(const IrzMeshDraft *draft, const char *name, const int32_t *vertex, const int32_t *point,
                           IrzMesh *mesh, IrzError *error) {
  int32_t first = INT32_MAX, turned = 0; /* the first degenerate one */
#pragma omp parallel for num_threads(irz_threads(omp_get_max_threads())) reduction(min : first) reduction(+ : turned)
  for (int32_t i = 0; i < mesh->n_tets; i++) {
    int32_t *tet = mesh->tet + 4 * (size_t)i;
    for (int k = 0; k < 4; k++) tet[k] = vertex[point[4 * (size_t)i + (size_t)k]];
    double shortest, longest, determinant = irz_tet_determinant(mesh->xyz, tet, &shortest, &longest);
    if (!(fabs(determinant) > IRZ_DEGENERATE * longest * sqrt(longest)) && i < first) first = i;
    if (determinant < 0) {
      int32_t swapped = tet[1];
      tet[1] = tet[2];
      tet[2] = swapped;
      turned++;
    }
  }
  mesh->n_reoriented = turned;
  if (first == INT32_MAX) return IRZ_OK;
  const int32_t *tet = mesh->tet + 4 * (size_t)first;
  const double *corner = mesh->xyz + 3 * (size_t)tet[0];
  double shortest, longest, determinant = irz_tet_determinant(mesh->xyz, tet, &shortest, &longest);
  return irz_error_set(error, IRZ_ERR_INPUT,
                       "%s: tetrahedron %lld at (%.6g, %.6g, %.6g) mm is degenerate: volume %.3g mm3, longest edge "
                       "%.3g mm",
                       name, (long long)draft->tet_tag[first], 1e3 * corner[0], 1e3 * corner[1], 1e3 * corner[2],
                       fabs(determinant) / 6 * 1e9, sqrt(longest) * 1e3);
}

/// Triangles by their corners: chains of a hash table.
typedef struct {
  uint32_t mask;    ///< places - 1; places are a power of two
  int32_t *head;    ///< [places] first triangle, or -1
  int32_t *next;    ///< [triangles] next triangle in the same place, or -1
  bool *is_corner;  ///< [vertices] some triangle has this corner
  bool *is_matched; ///< [triangles] a tetrahedron has this face
} TriangleTable;

/// Where sorted corners belong.
static inline uint32_t triangle_place(const TriangleTable *table, const int32_t sorted[3]) {
  uint64_t mixed = (uint64_t)sorted[0] * UINT64_C(0x9e3779b97f4a7c15);
  mixed = ((mixed ^ mixed >> 29) + (uint64_t)sorted[1]) * UINT64_C(0xbf58476d1ce4e5b9);
  mixed = ((mixed ^ mixed >> 32) + (uint64_t)sorted[2]) * UINT64_C(0x94d049bb133111eb);
  return (uint32_t)(mixed >> 32) & table->mask;
}

/// Whether a triangle has these corners.
static bool has_corners(const int32_t *triangle, const int32_t sorted[3]) {
  int32_t own[3] = {triangle[0], triangle[1], triangle[2]};
  sort3(own);
  return memcmp(own, sorted, sizeof own) == 0;
}

/// Fail because of a triangle inside or outside the mesh.
static IrzCode fail_triangle(const IrzMeshDraft *draft, const char *name, const IrzMesh *mesh, int32_t index,
                             IrzError *error) {
  return irz_error_set(error, IRZ_ERR_INPUT, "%s: triangle %lld of surface '%s' is not a face of any tetrahedron", name,
                       (long long)draft->triangle_tag[index], mesh->surfaces[draft->triangle_surface[index]].name);
}

/// Copy the triangles with vertices for points, once for each surface, into a table.
/// @param[out] origin  [n_triangles] which triangle of the draft each one is
static IrzCode copy_triangles(const IrzMeshDraft *draft, const char *name, const int32_t *vertex, IrzMesh *mesh,
                              TriangleTable *table, int32_t *origin, IrzError *error) {
  for (uint32_t i = 0; i <= table->mask; i++) table->head[i] = -1;
  for (int32_t i = 0; i < draft->n_triangles; i++) {
    int32_t *corner = mesh->triangle + 3 * (size_t)mesh->n_triangles, sorted[3];
    for (int k = 0; k < 3; k++) sorted[k] = corner[k] = vertex[draft->triangle[3 * (size_t)i + (size_t)k]];
    sort3(sorted);
    if (sorted[0] < 0) return fail_triangle(draft, name, mesh, i, error);
    int32_t *head = &table->head[triangle_place(table, sorted)];
    bool copy = false;
    for (int32_t k = *head; k >= 0 && !copy; k = table->next[k]) {
      copy = mesh->surface[k] == draft->triangle_surface[i] && has_corners(mesh->triangle + 3 * (size_t)k, sorted);
    }
    if (copy) continue;
    for (int k = 0; k < 3; k++) table->is_corner[corner[k]] = true;
    int32_t index = mesh->n_triangles++;
    mesh->surface[index] = draft->triangle_surface[i];
    origin[index] = i;
    table->next[index] = *head;
    *head = index;
  }
  return IRZ_OK;
}

/// Mark the triangles that are faces of tetrahedra.
static void mark_faces(const IrzMesh *mesh, TriangleTable *table) {
#pragma omp parallel for num_threads(irz_threads(omp_get_max_threads()))
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    const int32_t *tet = mesh->tet + 4 * (size_t)t;
    if (table->is_corner[tet[0]] + table->is_corner[tet[1]] + table->is_corner[tet[2]] + table->is_corner[tet[3]] < 3) {
      continue;
    }
    for (int f = 0; f < 4; f++) {
      int32_t sorted[3] = {tet[irz_tet_face[f][0]], tet[irz_tet_face[f][1]], tet[irz_tet_face[f][2]]};
      sort3(sorted);
      for (int32_t k = table->head[triangle_place(table, sorted)]; k >= 0; k = table->next[k]) {
        if (!has_corners(mesh->triangle + 3 * (size_t)k, sorted)) continue;
#pragma omp atomic write
        table->is_matched[k] = true;
      }
    }
  }
}

/// Take over the triangles; each must be a face of a tetrahedron.
static IrzCode match_triangles(const IrzMeshDraft *draft, const char *name, const int32_t *vertex, IrzMesh *mesh,
                               IrzError *error) {
  const size_t n = (size_t)draft->n_triangles;
  if (n == 0) return IRZ_OK;
  TriangleTable table = {.mask = 15};
  while (table.mask < 2 * n) table.mask = 2 * table.mask + 1;
  int32_t *origin = NULL;
  IrzCode code = irz_alloc(&table.head, (size_t)table.mask + 1, sizeof *table.head, error);
  if (code == IRZ_OK) code = irz_alloc(&table.next, n, sizeof *table.next, error);
  if (code == IRZ_OK) code = irz_alloc(&table.is_corner, (size_t)mesh->n_vertices, sizeof *table.is_corner, error);
  if (code == IRZ_OK) code = irz_alloc(&table.is_matched, n, sizeof *table.is_matched, error);
  if (code == IRZ_OK) code = irz_alloc(&origin, n, sizeof *origin, error);
  if (code == IRZ_OK) code = copy_triangles(draft, name, vertex, mesh, &table, origin, error);
  if (code == IRZ_OK) {
    mark_faces(mesh, &table);
    for (int32_t i = 0; i < mesh->n_triangles && code == IRZ_OK; i++) {
      if (!table.is_matched[i]) code = fail_triangle(draft, name, mesh, origin[i], error);
    }
  }
  free(table.head);
  free(table.next);
  free(table.is_corner);
  free(table.is_matched);
  free(origin);
  return code;
}

/// Length of a - b.
static double distance(const double *a, const double *b) {
  double square = 0;
  for (int k = 0; k < 3; k++) square += (a[k] - b[k]) * (a[k] - b[k]);
  return sqrt(square);
}

/// Whether the point is the middle of a straight edge.
static bool is_straight(const double *a, const double *b, const double *point) {
  double middle[3];
  for (int k = 0; k < 3; k++) middle[k] = 0.5 * (a[k] + b[k]);
  return distance(middle, point) <= STRAIGHT * distance(a, b);
}

/// A curved edge as one tetrahedron has it, filed under its smaller vertex.
typedef struct {
  int32_t high;  ///< larger vertex
  int32_t point; ///< point in the middle
} CurvedSide;

static int compare_curved(const void *left, const void *right) {
  const CurvedSide *a = left, *b = right;
  return a->high != b->high ? (a->high > b->high) - (a->high < b->high) : (a->point > b->point) - (a->point < b->point);
}

/// List what the tetrahedra say of their curved edges, by smaller vertex.
/// @param[out] start  [n_vertices + 2], zero on entry; the sides of vertex i are start[i] to start[i + 1]
/// @param[out] sides  the sides
static IrzCode list_curved(const IrzMeshDraft *draft, const int32_t *vertex, const IrzMesh *mesh, int64_t *start,
                           CurvedSide **sides, IrzError *error) {
  for (int pass = 0; pass < 2; pass++) { /* count, then file */
    for (int32_t t = 0; t < draft->n_tets; t++) {
      for (int e = 0; e < 6; e++) {
        int32_t mid = draft->mid[6 * (size_t)t + (size_t)e];
        if (mid < 0) continue;
        int32_t a = vertex[draft->tet[4 * (size_t)t + (size_t)irz_tet_edge[e][0]]];
        int32_t b = vertex[draft->tet[4 * (size_t)t + (size_t)irz_tet_edge[e][1]]];
        if (is_straight(mesh->xyz + 3 * (size_t)a, mesh->xyz + 3 * (size_t)b, draft->xyz + 3 * (size_t)mid)) continue;
        int32_t low = a < b ? a : b;
        if (pass == 0) {
          start[low + 2]++;
        } else {
          (*sides)[start[low + 1]++] = (CurvedSide){a < b ? b : a, mid};
        }
      }
    }
    if (pass == 1) break;
    for (int32_t i = 0; i < mesh->n_vertices; i++) start[i + 2] += start[i + 1];
    IRZ_TRY(irz_alloc(sides, (size_t)start[mesh->n_vertices + 1], sizeof **sides, error));
  }
  for (int32_t i = 0; i < mesh->n_vertices; i++) {
    if (start[i + 1] - start[i] > 1) {
      qsort(*sides + start[i], (size_t)(start[i + 1] - start[i]), sizeof **sides, compare_curved);
    }
  }
  return IRZ_OK;
}

/// Collect the edges whose middle is off the straight line: sorted, without repetition.
static IrzCode collect_curved(const IrzMeshDraft *draft, const char *name, const int32_t *vertex, IrzMesh *mesh,
                              IrzError *error) {
  int64_t *start = NULL;
  CurvedSide *sides = NULL;
  IrzCode code = irz_alloc(&start, (size_t)mesh->n_vertices + 2, sizeof *start, error);
  if (code == IRZ_OK) code = list_curved(draft, vertex, mesh, start, &sides, error);
  if (code != IRZ_OK) goto done;
  const size_t total = (size_t)start[mesh->n_vertices];
  code = irz_alloc(&mesh->curved_edge, total, 2 * sizeof *mesh->curved_edge, error);
  if (code == IRZ_OK) code = irz_alloc(&mesh->curved_xyz, total, 3 * sizeof *mesh->curved_xyz, error);
  if (code != IRZ_OK) goto done;
  int32_t count = 0;
  for (int32_t a = 0; a < mesh->n_vertices; a++) {
    for (int64_t i = start[a]; i < start[a + 1]; i++) {
      const double *here = draft->xyz + 3 * (size_t)sides[i].point;
      if (i > start[a] && sides[i].high == sides[i - 1].high) {
        double length = distance(mesh->xyz + 3 * (size_t)a, mesh->xyz + 3 * (size_t)sides[i].high);
        if (distance(here, draft->xyz + 3 * (size_t)sides[i - 1].point) <= SAME_MIDDLE * length) continue;
        code = irz_error_set(error, IRZ_ERR_INPUT,
                             "%s: two tetrahedra bend their common edge at (%.6g, %.6g, %.6g) mm differently", name,
                             1e3 * here[0], 1e3 * here[1], 1e3 * here[2]);
        goto done;
      }
      mesh->curved_edge[2 * (size_t)count] = a;
      mesh->curved_edge[2 * (size_t)count + 1] = sides[i].high;
      memcpy(mesh->curved_xyz + 3 * (size_t)count, here, 3 * sizeof *here);
      count++;
    }
  }
  mesh->n_curved = count;
  code = irz_resize(&mesh->curved_edge, (size_t)count, 2 * sizeof *mesh->curved_edge, error);
  if (code == IRZ_OK) code = irz_resize(&mesh->curved_xyz, (size_t)count, 3 * sizeof *mesh->curved_xyz, error);
done:
  free(start);
  free(sides);
  return code;
}

/// Both ends of an edge as one number, by which curved edges are sorted.
static inline uint64_t edge_key(int32_t low, int32_t high) {
  return (uint64_t)low << 32 | (uint64_t)high;
}

int32_t irz_mesh_curved_edge(const IrzMesh *mesh, int32_t a, int32_t b) {
  int32_t low = a < b ? a : b, high = a < b ? b : a;
  /* Most edges begin behind the last curved one: the vertices of needles come first in a generated mesh. */
  if (mesh->n_curved == 0 || low > mesh->curved_edge[2 * (size_t)(mesh->n_curved - 1)]) return -1;
  /* No branch depends on what is compared: half of them would be guessed wrong. */
  const uint64_t wanted = edge_key(low, high);
  const int32_t *edge = mesh->curved_edge;
  for (int32_t left = mesh->n_curved; left > 1; left -= left / 2) {
    const int32_t *middle = edge + 2 * (size_t)(left / 2);
    edge = edge_key(middle[0], middle[1]) <= wanted ? middle : edge;
  }
  return edge_key(edge[0], edge[1]) == wanted ? (int32_t)((edge - mesh->curved_edge) / 2) : -1;
}

bool irz_mesh_tet_shape(const IrzMesh *mesh, int32_t tet, double corner[4][3], double bow[6][3]) {
  const int32_t *vertex = mesh->tet + 4 * (size_t)tet;
  for (int i = 0; i < 4; i++) memcpy(corner[i], mesh->xyz + 3 * (size_t)vertex[i], sizeof corner[i]);
  memset(bow, 0, 6 * sizeof bow[0]);
  bool curved = false;
  for (int e = 0; e < 6 && mesh->n_curved > 0; e++) {
    int a = irz_tet_edge[e][0], b = irz_tet_edge[e][1];
    int32_t edge = irz_mesh_curved_edge(mesh, vertex[a], vertex[b]);
    if (edge < 0) continue;
    curved = true;
    for (int k = 0; k < 3; k++) {
      bow[e][k] = mesh->curved_xyz[3 * (size_t)edge + (size_t)k] - 0.5 * (corner[a][k] + corner[b][k]);
    }
  }
  return curved;
}

double irz_tet_jacobian(const double corner[4][3], const double bow[6][3], const double lambda[4]) {
  /* x = sum_i lambda_i corner_i + sum over edges ab of 4 lambda_a lambda_b bow_ab, the quadratic shape functions
   * written as a straight tetrahedron plus what bends it. */
  double slope[4][3];
  memcpy(slope, corner, sizeof slope);
  for (int e = 0; e < 6; e++) {
    int a = irz_tet_edge[e][0], b = irz_tet_edge[e][1];
    for (int k = 0; k < 3; k++) {
      slope[a][k] += 4 * lambda[b] * bow[e][k];
      slope[b][k] += 4 * lambda[a] * bow[e][k];
    }
  }
  double j[3][3];
  for (int i = 0; i < 3; i++) {
    for (int k = 0; k < 3; k++) j[i][k] = slope[i + 1][k] - slope[0][k];
  }
  return j[0][0] * (j[1][1] * j[2][2] - j[1][2] * j[2][1]) - j[0][1] * (j[1][0] * j[2][2] - j[1][2] * j[2][0]) +
         j[0][2] * (j[1][0] * j[2][1] - j[1][1] * j[2][0]);
}

/// Curved tetrahedra must not fold: the determinant is positive at the corners, the middles of edges and faces, the
/// centre and the four points of the quadrature of order 2. All tetrahedra around a curved edge must know that it is.
static IrzCode check_curved(const IrzMeshDraft *draft, const char *name, const IrzMesh *mesh, IrzError *error) {
  static const double inner = 0.13819660112501053, outer = 0.58541019662496845; /* (5 -+ ...)/20 of the order-2 rule */
  double sample[19][4] = {{0}};
  int n = 0;
  for (int i = 0; i < 4; i++) sample[n++][i] = 1;
  for (int e = 0; e < 6; e++, n++) sample[n][irz_tet_edge[e][0]] = sample[n][irz_tet_edge[e][1]] = 0.5;
  for (int i = 0; i < 4; i++, n++) {
    for (int k = 0; k < 4; k++) sample[n][k] = k == i ? 0 : 1.0 / 3;
  }
  for (int i = 0; i < 4; i++, n++) {
    for (int k = 0; k < 4; k++) sample[n][k] = k == i ? outer : inner;
  }
  for (int k = 0; k < 4; k++) sample[n][k] = 0.25;
  n++;
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    double corner[4][3], bow[6][3];
    if (!irz_mesh_tet_shape(mesh, t, corner, bow)) continue;
    double shortest, longest;
    irz_tet_determinant(mesh->xyz, mesh->tet + 4 * (size_t)t, &shortest, &longest);
    for (int i = 0; i < n; i++) {
      double determinant =
          irz_tet_jacobian((const double(*)[3])corner, (const double(*)[3])bow, (const double *)sample[i]);
      if (determinant > IRZ_DEGENERATE * longest * sqrt(longest)) continue;
      return irz_error_set(error, IRZ_ERR_INPUT,
                           "%s: the curved tetrahedron %lld at (%.6g, %.6g, %.6g) mm is folded: its Jacobian is not "
                           "positive everywhere",
                           name, (long long)draft->tet_tag[t], 1e3 * corner[0][0], 1e3 * corner[0][1],
                           1e3 * corner[0][2]);
    }
    for (int e = 0; e < 6; e++) {
      /* The draft's corners are those of the mesh but for the swap that orients; compare edge by edge. */
      const int32_t *vertex = mesh->tet + 4 * (size_t)t;
      int32_t edge = irz_mesh_curved_edge(mesh, vertex[irz_tet_edge[e][0]], vertex[irz_tet_edge[e][1]]);
      if (edge < 0) continue;
      const double *wanted = mesh->curved_xyz + 3 * (size_t)edge;
      double length = distance(corner[irz_tet_edge[e][0]], corner[irz_tet_edge[e][1]]);
      bool known = false;
      for (int k = 0; k < 6 && !known; k++) {
        int32_t mid = draft->mid[6 * (size_t)t + (size_t)k];
        known = mid >= 0 && distance(draft->xyz + 3 * (size_t)mid, wanted) <= SAME_MIDDLE * length;
      }
      if (known) continue;
      return irz_error_set(error, IRZ_ERR_INPUT,
                           "%s: the edge at (%.6g, %.6g, %.6g) mm is straight in tetrahedron %lld and curved in its "
                           "neighbour",
                           name, 1e3 * wanted[0], 1e3 * wanted[1], 1e3 * wanted[2], (long long)draft->tet_tag[t]);
    }
  }
  return IRZ_OK;
}

/// The steps of irz_mesh_finish() on an empty mesh.
static IrzCode finish(IrzMeshDraft *draft, const char *name, IrzMesh *mesh, int32_t **vertex, IrzError *error) {
  if (draft->n_tets == 0) {
    return irz_error_set(error, IRZ_ERR_INPUT, "%s: there are no tetrahedra in it", name);
  }
  IRZ_TRY(drop_repeated_tets(draft, name, error));
  IRZ_TRY(merge_groups(draft->n_tets, draft->tet_region, draft->n_regions, draft->regions, &mesh->n_regions,
                       &mesh->regions, error));
  IRZ_TRY(merge_groups(draft->n_triangles, draft->triangle_surface, draft->n_surfaces, draft->surfaces,
                       &mesh->n_surfaces, &mesh->surfaces, error));
  IRZ_TRY(irz_alloc_unset(vertex, (size_t)draft->n_points, sizeof **vertex, error));
  IRZ_TRY(number_vertices(draft, mesh, *vertex, error));

  mesh->n_tets = draft->n_tets;
  const int32_t *point = draft->tet;
  if (draft->mid == NULL) { /* nothing else needs the corners as points */
    mesh->tet = draft->tet;
    draft->tet = NULL;
  } else {
    IRZ_TRY(irz_alloc_unset(&mesh->tet, (size_t)mesh->n_tets, 4 * sizeof *mesh->tet, error));
  }
  IRZ_TRY(orient_tets(draft, name, *vertex, point, mesh, error));
  IRZ_TRY(irz_resize(&mesh->tet, (size_t)mesh->n_tets, 4 * sizeof *mesh->tet, error));
  mesh->region = draft->tet_region;
  draft->tet_region = NULL;
  IRZ_TRY(irz_resize(&mesh->region, (size_t)mesh->n_tets, sizeof *mesh->region, error));

  IRZ_TRY(irz_alloc(&mesh->triangle, (size_t)draft->n_triangles, 3 * sizeof *mesh->triangle, error));
  IRZ_TRY(irz_alloc(&mesh->surface, (size_t)draft->n_triangles, sizeof *mesh->surface, error));
  IRZ_TRY(match_triangles(draft, name, *vertex, mesh, error));
  if (draft->mid == NULL) return IRZ_OK;
  IRZ_TRY(collect_curved(draft, name, *vertex, mesh, error));
  return mesh->n_curved > 0 ? check_curved(draft, name, mesh, error) : IRZ_OK;
}

IrzCode irz_mesh_finish(IrzMeshDraft *draft, const char *name, IrzMesh **mesh, IrzError *error) {
  *mesh = NULL;
  IrzMesh *made;
  IRZ_TRY(irz_alloc(&made, 1, sizeof *made, error));
  int32_t *vertex = NULL;
  IrzCode code = finish(draft, name, made, &vertex, error);
  free(vertex);
  if (code == IRZ_OK) {
    *mesh = made;
  } else {
    irz_mesh_free(made);
  }
  return code;
}
