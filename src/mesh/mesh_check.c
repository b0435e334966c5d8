/* Is a mesh sound, and does it have what a plan needs? */
#include "base/entry.h"
#include "base/memory.h"
#include "base/threads.h"
#include "base/valid.h"
#include "mesh/mesh_build.h"
#include "mesh/mesh_valid.h"
#include "plan/plan.h"
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/// Nodes closer than this times the shortest edge are the same place.
#define COINCIDENT 1e-6

/// Longest edge of a box around a mesh below and above which its unit is doubted, m.
#define SMALLEST_MESH 5e-3
#define LARGEST_MESH 2.0

/// Which part of a mesh a message is about, mm.
#define PLACE "at (%.6g, %.6g, %.6g) mm"
#define PLACE_OF(mesh, vertex)                                                                                         \
  1e3 * (mesh)->xyz[3 * (size_t)(vertex)], 1e3 * (mesh)->xyz[3 * (size_t)(vertex) + 1],                                \
      1e3 * (mesh)->xyz[3 * (size_t)(vertex) + 2]

/// What checking works with.
typedef struct {
  const IrzMesh *mesh;
  const char *name;
  IrzError *error;
  IrzFaces faces;
  bool *on_boundary; ///< [n_vertices] on a face of one tetrahedron only
  double shortest;   ///< shortest edge, m
} Check;

/// Positive volumes; the shortest edge.
static IrzCode check_volumes(Check *check) {
  const IrzMesh *mesh = check->mesh;
  double shortest = INFINITY;
  int32_t first = INT32_MAX; /* degenerate or inverted */
#pragma omp parallel for num_threads(irz_threads(omp_get_max_threads())) reduction(min : shortest, first)
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    double least, longest, determinant = irz_tet_determinant(mesh->xyz, mesh->tet + 4 * (size_t)t, &least, &longest);
    shortest = least < shortest ? least : shortest;
    if (!(determinant > IRZ_DEGENERATE * longest * sqrt(longest)) && t < first) first = t;
  }
  check->shortest = sqrt(shortest);
  if (first == INT32_MAX) return IRZ_OK;
  return irz_error_set(check->error, IRZ_ERR_INPUT, "%s: the tetrahedron " PLACE " is degenerate or inverted",
                       check->name, PLACE_OF(mesh, mesh->tet[4 * (size_t)first]));
}

/// Every face has one tetrahedron, or two on opposite sides.
static IrzCode check_faces(Check *check) {
  const IrzFaces *faces = &check->faces;
  const IrzMesh *mesh = check->mesh;
  if (faces->fault_vertex >= 0) {
    if (faces->fault_count == 2) {
      return irz_error_set(check->error, IRZ_ERR_INPUT,
                           "%s: two tetrahedra lie on the same side of their common face " PLACE ": they overlap",
                           check->name, PLACE_OF(mesh, faces->fault_vertex));
    }
    return irz_error_set(check->error, IRZ_ERR_INPUT,
                         "%s: the face " PLACE " belongs to %d tetrahedra: one or two are allowed", check->name,
                         PLACE_OF(mesh, faces->fault_vertex), faces->fault_count);
  }
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    for (int f = 0; f < 4; f++) {
      if (faces->other[t][f] >= 0) continue;
      for (int k = 0; k < 3; k++) check->on_boundary[mesh->tet[4 * (size_t)t + (size_t)irz_tet_face[f][k]]] = true;
    }
  }
  return IRZ_OK;
}

/// A vertex and where it lies along a direction in which few meshes have several at the same place.
typedef struct {
  double along;
  int32_t vertex;
} Projected;

static int compare_projected(const void *left, const void *right) {
  const Projected *a = left, *b = right;
  return a->along != b->along ? (a->along > b->along) - (a->along < b->along)
                              : (a->vertex > b->vertex) - (a->vertex < b->vertex);
}

/// Two boundary vertices at the same place: a crack between faces that should have been matched.
static IrzCode check_cracks(Check *check) {
  const IrzMesh *mesh = check->mesh;
  int32_t n = 0;
  for (int32_t i = 0; i < mesh->n_vertices; i++) n += check->on_boundary[i];
  Projected *projected;
  IRZ_TRY(irz_alloc(&projected, (size_t)n, sizeof *projected, check->error));
  static const double direction[3] = {0.5377, 0.6319, 0.5581}; /* nearly a unit vector, along nothing in particular */
  n = 0;
  for (int32_t i = 0; i < mesh->n_vertices; i++) {
    if (!check->on_boundary[i]) continue;
    const double *xyz = mesh->xyz + 3 * (size_t)i;
    projected[n++] = (Projected){direction[0] * xyz[0] + direction[1] * xyz[1] + direction[2] * xyz[2], i};
  }
  qsort(projected, (size_t)n, sizeof *projected, compare_projected);
  const double near = COINCIDENT * check->shortest;
  int32_t pairs = 0, first = -1;
  for (int32_t i = 0; i < n; i++) {
    for (int32_t k = i + 1; k < n && projected[k].along - projected[i].along <= 1.1 * near; k++) {
      const double *a = mesh->xyz + 3 * (size_t)projected[i].vertex, *b = mesh->xyz + 3 * (size_t)projected[k].vertex;
      if (fabs(a[0] - b[0]) > near || fabs(a[1] - b[1]) > near || fabs(a[2] - b[2]) > near) continue;
      if (pairs++ == 0) first = projected[i].vertex;
    }
  }
  free(projected);
  if (pairs == 0) return IRZ_OK;
  return irz_error_set(check->error, IRZ_ERR_INPUT,
                       "%s: %d pair%s of nodes at the same place, the first " PLACE ", with a crack of unmatched faces "
                       "between them: merge them (in Gmsh: Coherence Mesh)",
                       check->name, pairs, pairs == 1 ? "" : "s", PLACE_OF(mesh, first));
}

/// How many single-character edits turn one name into another.
static int edit_distance(const char *a, const char *b) {
  int row[IRZ_NAME_MAX];
  int length = (int)strlen(b);
  for (int j = 0; j <= length; j++) row[j] = j;
  for (int i = 1; a[i - 1] != '\0'; i++) {
    int diagonal = row[0];
    row[0] = i;
    for (int j = 1; j <= length; j++) {
      int best = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      if (row[j] + 1 < best) best = row[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      row[j] = best;
    }
  }
  return row[length];
}

/// Index of a group by name, or -1.
static int find_group(int n_groups, const IrzGroup *groups, const char *name) {
  for (int g = 0; g < n_groups; g++) {
    if (strcmp(groups[g].name, name) == 0) return g;
  }
  return -1;
}

/// "; did you mean 'x'? It has: a, b, c" for a name that is not there.
static void describe_groups(char *text, size_t size, int n_groups, const IrzGroup *groups, const char *name) {
  int best = -1, best_edits = 1 + (int)strlen(name) / 3;
  for (int g = 0; g < n_groups; g++) {
    int edits = edit_distance(name, groups[g].name);
    if (edits > best_edits) continue;
    if (best < 0 || edits < best_edits) best = g;
    best_edits = edits;
  }
  size_t used = 0;
  text[0] = '\0';
  if (n_groups == 0) {
    snprintf(text, size, "; it has none");
    return;
  }
  if (best >= 0) used = (size_t)snprintf(text, size, "; did you mean '%s'?", groups[best].name);
  used += (size_t)snprintf(text + used, size - used, best >= 0 ? " It has: " : "; it has: ");
  for (int g = 0; g < n_groups; g++) {
    if (used + strlen(groups[g].name) + 8 > size) {
      snprintf(text + used, size - used, "...");
      return;
    }
    used += (size_t)snprintf(text + used, size - used, "%s%s", groups[g].name, g + 1 < n_groups ? ", " : "");
  }
}

/// "file:line: " of an entry of a plan.
static void describe_place(char *text, size_t size, const IrzPlan *plan, int line) {
  if (line > 0) {
    snprintf(text, size, "%.250s:%d: ", plan->file, line);
  } else {
    snprintf(text, size, "%.250s: ", plan->file);
  }
}

/// Whether a tissue names a region of the mesh or of the label map.
static bool has_region(const Check *check, const IrzPlan *plan, const IrzTissue *tissue) {
  if (strcmp(tissue->region, "default") == 0) return true;
  for (int k = 0; k < plan->anatomy.n_map; k++) {
    if (strcmp(plan->anatomy.map[k].region, tissue->region) == 0) return true;
  }
  return find_group(check->mesh->n_regions, check->mesh->regions, tissue->region) >= 0;
}

/// Append to a list of names in a message, as long as there is room.
static void list_name(char *list, size_t size, const char *before, const char *name) {
  size_t used = strlen(list);
  if (used + strlen(before) + strlen(name) + 8 < size) {
    snprintf(list + used, size - used, "%s%s", before, name);
  } else if (strstr(list, ", ...") == NULL) {
    snprintf(list + used, size - used, ", ...");
  }
}

/// Every tissue but `default` names a region of the mesh or of the label map; all that do not are named.
static IrzCode check_tissues(const Check *check, const IrzPlan *plan) {
  const IrzTissue *first = NULL;
  char others[200] = "";
  for (int i = 1; i < plan->n_tissues; i++) {
    if (has_region(check, plan, &plan->tissues[i])) continue;
    if (first == NULL) {
      first = &plan->tissues[i];
    } else {
      list_name(others, sizeof others, others[0] == '\0' ? ", and none for " : ", ", plan->tissues[i].region);
    }
  }
  if (first == NULL) return IRZ_OK;
  char groups[400], place[300];
  describe_groups(groups, sizeof groups, check->mesh->n_regions, check->mesh->regions, first->region);
  describe_place(place, sizeof place, plan, first->line);
  return irz_error_set(check->error, IRZ_ERR_INPUT, "%stissues.%s: the mesh %.200s has no region of that name%s%s",
                       place, first->region, check->name, others, groups);
}

/// The surface of the mesh that a probe of a plan means. In generated meshes it carries the probe's name.
static const char *wanted_surface(const IrzProbe *probe) {
  return probe->surface[0] != '\0' ? probe->surface : probe->name;
}

/// Every probe has its surface; all that have none are named.
/// @param[out] surface  [n_probes] index of each probe's surface
static IrzCode check_surfaces(const Check *check, const IrzPlan *plan, int *surface) {
  for (int i = 0; i < plan->n_probes; i++) {
    const IrzProbe *probe = &plan->probes[i];
    const char *wanted = wanted_surface(probe);
    char groups[400], place[300], others[200] = "";
    describe_place(place, sizeof place, plan, probe->line);
    surface[i] = find_group(check->mesh->n_surfaces, check->mesh->surfaces, wanted);
    if (surface[i] < 0) {
      for (int k = i + 1; k < plan->n_probes; k++) {
        const char *other = wanted_surface(&plan->probes[k]);
        bool found = find_group(check->mesh->n_surfaces, check->mesh->surfaces, other) >= 0;
        if (!found) list_name(others, sizeof others, others[0] == '\0' ? ", nor " : ", ", other);
      }
      describe_groups(groups, sizeof groups, check->mesh->n_surfaces, check->mesh->surfaces, wanted);
      return irz_error_set(check->error, IRZ_ERR_INPUT, "%sprobes[%d].surface: the mesh %.200s has no surface '%s'%s%s",
                           place, i, check->name, wanted, others, groups);
    }
    for (int k = 0; k < i; k++) {
      if (surface[k] != surface[i]) continue;
      return irz_error_set(check->error, IRZ_ERR_INPUT, "%sprobes[%d].surface: '%s' is the surface of probe %s already",
                           place, i, wanted, plan->probes[k].name);
    }
  }
  return IRZ_OK;
}

/// No vertex lies on the metal of two probes.
/// @param[out] probe_of  [n_vertices] probe whose metal the vertex is on, or -1
static IrzCode check_touching(const Check *check, const IrzPlan *plan, const int *surface, int8_t *probe_of) {
  const IrzMesh *mesh = check->mesh;
  for (int32_t v = 0; v < mesh->n_vertices; v++) probe_of[v] = -1;
  for (int32_t i = 0; i < mesh->n_triangles; i++) {
    int probe = 0;
    while (probe < plan->n_probes && surface[probe] != mesh->surface[i]) probe++;
    if (probe == plan->n_probes) continue;
    for (int k = 0; k < 3; k++) {
      int32_t v = mesh->triangle[3 * (size_t)i + (size_t)k];
      if (probe_of[v] >= 0 && probe_of[v] != probe) {
        return irz_error_set(check->error, IRZ_ERR_INPUT, "%s: the electrodes of probes %s and %s touch " PLACE,
                             check->name, plan->probes[probe_of[v]].name, plan->probes[probe].name, PLACE_OF(mesh, v));
      }
      probe_of[v] = (int8_t)probe;
    }
  }
  return IRZ_OK;
}

/// Which probes the pieces of tissue touch with a face of their metal, as bits.
/// A face with all corners on the metal of one probe counts as its metal.
static void mark_parts(const IrzMesh *mesh, const int8_t *probe_of, const int32_t *part, unsigned *touched) {
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    int8_t probe[4];
    for (int k = 0; k < 4; k++) probe[k] = probe_of[mesh->tet[4 * (size_t)t + (size_t)k]];
    for (int k = 0; k < 2; k++) { /* of three equal ones among four, one of the first two is one */
      int same = (probe[k] == probe[0]) + (probe[k] == probe[1]) + (probe[k] == probe[2]) + (probe[k] == probe[3]);
      if (probe[k] >= 0 && same >= 3) touched[part[t]] |= 1u << probe[k];
    }
  }
}

/// The pair of every pulse is joined by one piece of tissue, and no piece is without potential.
static IrzCode check_pieces(const Check *check, const IrzPlan *plan, const int8_t *probe_of) {
  const IrzMesh *mesh = check->mesh;
  int32_t *part, n_parts;
  IRZ_TRY(irz_alloc(&part, (size_t)mesh->n_tets, sizeof *part, check->error));
  unsigned *touched = NULL;
  IrzCode code = irz_mesh_parts(mesh, &check->faces, part, &n_parts, check->error);
  if (code == IRZ_OK) code = irz_alloc(&touched, (size_t)n_parts, sizeof *touched, check->error);
  if (code != IRZ_OK) goto done;
  mark_parts(mesh, probe_of, part, touched);
  for (int k = 0; k < plan->n_pulses && code == IRZ_OK; k++) {
    const IrzPulse *pulse = &plan->pulses[k];
    const unsigned from = 1u << pulse->from, to = 1u << pulse->to;
    bool joined = false;
    int32_t lost = -1;
    for (int32_t p = 0; p < n_parts; p++) {
      joined = joined || ((touched[p] & from) != 0 && (touched[p] & to) != 0);
      if ((touched[p] & (from | to)) == 0 && lost < 0) lost = p;
    }
    char place[300];
    describe_place(place, sizeof place, plan, pulse->line);
    if (!joined) {
      code =
          irz_error_set(check->error, IRZ_ERR_INPUT,
                        "%spulses[%d]: probes %s and %s are not in the same piece of tissue: the mesh %.200s has %d "
                        "pieces",
                        place, k, plan->probes[pulse->from].name, plan->probes[pulse->to].name, check->name, n_parts);
    } else if (lost >= 0) {
      int32_t t = 0;
      while (part[t] != lost) t++;
      code = irz_error_set(check->error, IRZ_ERR_INPUT,
                           "%spulses[%d]: the piece of tissue " PLACE " of the mesh %.200s touches neither probe, so "
                           "that its potential is not determined",
                           place, k, PLACE_OF(mesh, mesh->tet[4 * (size_t)t]), check->name);
    }
  }
done:
  free(part);
  free(touched);
  return code;
}

/// Warn of a mesh that is no body's, by its size, and of needles outside it.
static void doubt_size(const IrzMesh *mesh, IrzPlan *plan) {
  double low[3] = {INFINITY, INFINITY, INFINITY}, high[3] = {-INFINITY, -INFINITY, -INFINITY}, longest = 0;
  for (int32_t v = 0; v < mesh->n_vertices; v++) {
    for (int k = 0; k < 3; k++) {
      low[k] = fmin(low[k], mesh->xyz[3 * (size_t)v + (size_t)k]);
      high[k] = fmax(high[k], mesh->xyz[3 * (size_t)v + (size_t)k]);
    }
  }
  for (int k = 0; k < 3; k++) longest = fmax(longest, high[k] - low[k]);
  char place[300];
  describe_place(place, sizeof place, plan, plan->mesh.line);
  if (longest < SMALLEST_MESH || longest > LARGEST_MESH) {
    double factor = longest > LARGEST_MESH ? 1e-3 : longest < 1e-3 ? 1000 : 10;
    irz_plan_warn(
        plan,
        "%smesh.scale: the mesh measures %.4g x %.4g x %.4g mm, too %s for tissue around needles; with scale: "
        "%.6g its longest edge would be %.4g mm",
        place, 1e3 * (high[0] - low[0]), 1e3 * (high[1] - low[1]), 1e3 * (high[2] - low[2]),
        longest > LARGEST_MESH ? "large" : "small", 1e3 * plan->mesh.scale * factor, 1e3 * longest * factor);
    return;
  }
  for (int p = 0; p < plan->n_probes; p++) {
    const IrzProbe *probe = &plan->probes[p];
    bool outside = false;
    for (int k = 0; k < 3; k++) outside = outside || probe->tip[k] < low[k] || probe->tip[k] > high[k];
    if (!probe->has_geometry || !outside) continue;
    describe_place(place, sizeof place, plan, probe->line);
    irz_plan_warn(plan,
                  "%sprobes[%d].tip: (%.4g, %.4g, %.4g) mm is outside the mesh, which covers x %.4g to %.4g, y %.4g to "
                  "%.4g, z %.4g to %.4g mm",
                  place, p, 1e3 * probe->tip[0], 1e3 * probe->tip[1], 1e3 * probe->tip[2], 1e3 * low[0], 1e3 * high[0],
                  1e3 * low[1], 1e3 * high[1], 1e3 * low[2], 1e3 * high[2]);
  }
}

/// What a plan needs of a mesh.
static IrzCode check_plan(const Check *check, const IrzPlan *plan) {
  int surface[IRZ_MAX_PROBES];
  IRZ_TRY(check_surfaces(check, plan, surface));
  IRZ_TRY(check_tissues(check, plan));
  int8_t *probe_of;
  IRZ_TRY(irz_alloc(&probe_of, (size_t)check->mesh->n_vertices, sizeof *probe_of, check->error));
  IrzCode code = check_touching(check, plan, surface, probe_of);
  if (code == IRZ_OK) code = check_pieces(check, plan, probe_of);
  free(probe_of);
  return code;
}

IrzCode irz_mesh_check(const IrzMesh *mesh, IrzPlan *plan, const char *name, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(mesh != NULL && name != NULL);
  if (plan != NULL) IRZ_TRY(irz_plan_check(plan, error));
  Check check = {.mesh = mesh, .name = name, .error = error};
  IrzCode code = check_volumes(&check);
  if (code == IRZ_OK) code = irz_mesh_faces(mesh, &check.faces, error);
  if (code == IRZ_OK) code = irz_alloc(&check.on_boundary, (size_t)mesh->n_vertices, sizeof *check.on_boundary, error);
  if (code == IRZ_OK) code = check_faces(&check);
  if (code == IRZ_OK) code = check_cracks(&check);
  if (code == IRZ_OK) IRZ_ASSERT_VALID(irz_mesh_is_valid, mesh);
  if (code == IRZ_OK && plan != NULL) code = check_plan(&check, plan);
  if (code == IRZ_OK && plan != NULL && plan->mesh.file[0] != '\0') doubt_size(mesh, plan);
  irz_faces_clear(&check.faces);
  free(check.on_boundary);
  return code;
}
