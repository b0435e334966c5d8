/* The tissue box around a plan's probes: the steps of meshing, checks of what came out. */
#include "mesh/generate.h"
#include "base/deadline.h"
#include "base/entry.h"

#include "base/memory.h"
#include "base/valid.h"
#include "base/vector.h"
#include "mesh/mesh_build.h"
#include "mesh/mesh_valid.h"
#include "plan/geometry.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Tries before giving up, each with turned rings and somewhat smaller growth.
#define TRIES 4

/// Accepted difference between the volume of the elements and that of the box without needles, as a share of the
/// needles.
#define VOLUME_TOLERANCE 0.05

/// Set a needle's frame and end from the probe that is its lowest electrode.
static void set_needle(const IrzPlan *plan, int p, IrzNeedle *needle) {
  const IrzProbe *probe = &plan->probes[p];
  double length = sqrt(irz_dot(probe->direction, probe->direction));
  for (int k = 0; k < 3; k++) {
    needle->tip[k] = probe->tip[k];
    needle->axis[k] = probe->direction[k] / length;
  }
  irz_axis_frame(needle->axis, needle->u, needle->v);
  needle->radius = probe->diameter / 2;
  needle->shape = probe->tip_shape;
  needle->shoulder = irz_probe_point_length(probe);
  needle->first = p;
  needle->n_later = plan->pullback.count - plan->pullback.position;
  needle->later = plan->pullback.step;
}

/// Add an electrode to its needle.
static void add_electrode(const IrzProbe *probe, IrzNeedle *needle) {
  double start = 0;
  for (int k = 0; k < 3; k++) start += (probe->tip[k] - needle->tip[k]) * needle->axis[k];
  double *bare = needle->bare[needle->n_bare++];
  bare[0] = probe->place == 0 ? 0 : start;
  bare[1] = bare[0] + probe->exposure;
  needle->exposure = bare[1];
}

/// The line of a plan that says where a probe is.
static IrzCode refuse(const IrzPlan *plan, const IrzPlacementFault *fault, IrzError *error) {
  if (fault->probe >= plan->n_probes || plan->probes[fault->probe].plate[0] > 0)
    return irz_error_set(error, IRZ_ERR_PLAN, "%s:%d: %s: %s", plan->file, plan->probes[0].line, fault->key,
                         fault->text);
  return irz_error_set(error, IRZ_ERR_PLAN, "%s:%d: probes[%d].%s: %s", plan->file, plan->probes[fault->probe].line,
                       irz_probe_entry(plan, fault->probe), fault->key, fault->text);
}

/// Place the box and the electrodes of a plan.
static IrzCode place_electrodes(const IrzPlan *plan, IrzTissueBox *box, IrzError *error) {
  IrzPlacementFault fault;
  if (!irz_placement_allowed(plan, &fault)) return refuse(plan, &fault, error);
  memset(box, 0, sizeof *box);
  irz_plan_box(plan, box->lower, box->upper);
  for (int face = 0; face < 6; face++) box->face_surface[face] = 2 * plan->n_probes;
  box->n_probes = plan->n_probes;
  if (plan->probes[0].plate[0] > 0) {
    irz_plates_place(plan, box);
    return IRZ_OK;
  }
  for (int p = 0; p < plan->n_probes; p++) {
    if (plan->probes[p].place == 0) set_needle(plan, p, &box->needle[box->n_needles++]);
    box->hole_of[p] = box->n_needles - 1;
    add_electrode(&plan->probes[p], &box->needle[box->n_needles - 1]);
  }
  for (int p = 0; p < box->n_needles; p++) {
    IrzNeedle *needle = &box->needle[p];
    needle->exit = irz_needle_exit(box, needle, 0, 0, NULL);
    irz_wall_exits(box->lower, box->upper, needle->tip, needle->axis, needle->radius, &needle->exit_low,
                   &needle->exit_high);
  }
  return IRZ_OK;
}

/// Volume of a needle inside the box: midpoint rule around, Gauss across.
static double needle_volume(const IrzTissueBox *box, const IrzNeedle *needle) {
  enum { AROUND = 48, ACROSS = 8 };
  double volume = 0;
  for (int i = 0; i < AROUND; i++) {
    for (int j = 0; j < ACROSS; j++) {
      double radius = needle->radius * sqrt((j + 0.5) / ACROSS);
      volume += irz_needle_exit(box, needle, (i + 0.5) * 2 * M_PI / AROUND, radius, NULL);
    }
  }
  volume *= M_PI * needle->radius * needle->radius / (AROUND * ACROSS);
  /* what the end lacks of a flat one: a cylinder less half a sphere; the mean height of the facets */
  if (needle->shape == IRZ_TIP_ROUNDED) volume -= M_PI / 3 * pow(needle->radius, 3);
  if (needle->shape == IRZ_TIP_TROCAR) volume -= sqrt(3) * needle->radius * needle->radius * needle->shoulder;
  return volume;
}

static void sort3(int32_t v[3]) {
  for (int i = 0; i < 2; i++) {
    for (int k = 0; k < 2 - i; k++) {
      if (v[k] <= v[k + 1]) continue;
      int32_t swap = v[k];
      v[k] = v[k + 1], v[k + 1] = swap;
    }
  }
}

/// A triangle of the boundary: its two higher vertices, whether it was met, and the next one with the same lowest
/// vertex.
typedef struct {
  int32_t middle, high, next;
  bool met;
} Triangle;

/// Check that the faces with tetrahedra on one side are the triangles of the boundary.
/// @param[in,out] triangle  [boundary->n_triangles]
/// @param[in,out] first     [mesh->n_vertices]
static bool open_faces_match(const IrzMesh *mesh, const IrzFaces *faces, const IrzBoundary *boundary,
                             Triangle *triangle, int32_t *first) {
  int32_t missing = boundary->n_triangles;
  memset(first, 0xff, (size_t)mesh->n_vertices * sizeof *first);
  for (int32_t i = 0; i < boundary->n_triangles; i++) {
    int32_t v[3];
    memcpy(v, boundary->triangle[i], sizeof v);
    sort3(v);
    triangle[i] = (Triangle){v[1], v[2], first[v[0]], false};
    first[v[0]] = i;
  }
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    for (int f = 0; f < 4; f++) {
      if (faces->other[t][f] >= 0) continue;
      int32_t v[3];
      for (int k = 0; k < 3; k++) v[k] = mesh->tet[4 * (size_t)t + (size_t)irz_tet_face[f][k]];
      sort3(v);
      int32_t i = first[v[0]];
      while (i >= 0 && (triangle[i].middle != v[1] || triangle[i].high != v[2] || triangle[i].met))
        i = triangle[i].next;
      if (i < 0) return false;
      triangle[i].met = true;
      missing--;
    }
  }
  return missing == 0;
}

/// Check that every face of a tetrahedron meets exactly one other, on its other side, or one triangle of the boundary.
static IrzCode check_faces(const IrzMesh *mesh, const IrzBoundary *boundary, IrzError *error) {
  IrzFaces faces;
  Triangle *triangle = NULL;
  int32_t *first = NULL;
  IRZ_TRY(irz_mesh_faces(mesh, &faces, error));
  IrzCode code = irz_alloc(&triangle, (size_t)boundary->n_triangles, sizeof *triangle, error);
  if (code == IRZ_OK) code = irz_alloc(&first, (size_t)mesh->n_vertices, sizeof *first, error);
  if (code == IRZ_OK && (faces.fault_vertex >= 0 || !open_faces_match(mesh, &faces, boundary, triangle, first))) {
    code = irz_error_set(error, IRZ_ERR_INPUT, "mesh: Gmsh left faces that do not match");
  }
  irz_faces_clear(&faces);
  free(triangle);
  free(first);
  return code;
}

/// Orient tetrahedra positively, refuse flat ones.
static IrzCode orient(IrzMesh *mesh, IrzError *error) {
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    int32_t *v = &mesh->tet[4 * (size_t)t];
    double edge[3][3], longest = 0;
    for (int i = 0; i < 3; i++) {
      for (int k = 0; k < 3; k++) edge[i][k] = mesh->xyz[3 * (size_t)v[i + 1] + k] - mesh->xyz[3 * (size_t)v[0] + k];
      longest = fmax(longest, irz_dot(edge[i], edge[i]));
    }
    const double cross[3] = {edge[0][1] * edge[1][2] - edge[0][2] * edge[1][1],
                             edge[0][2] * edge[1][0] - edge[0][0] * edge[1][2],
                             edge[0][0] * edge[1][1] - edge[0][1] * edge[1][0]};
    double volume = irz_dot(cross, edge[2]);
    if (!(fabs(volume) > 1e-5 * longest * sqrt(longest)))
      return irz_error_set(error, IRZ_ERR_INPUT, "mesh: Gmsh made a flat tetrahedron");
    if (volume < 0) {
      int32_t swap = v[2];
      v[2] = v[3], v[3] = swap;
    }
  }
  return IRZ_OK;
}

/// Volume of all elements, bent edges included. The determinant is a cubic polynomial, which the rule of five points
/// integrates exactly (Hammer, Marlowe and Stroud 1956).
/// @param[in,out] bent  [mesh->n_vertices] false; whether an edge there is bent
static double curved_volume(const IrzMesh *mesh, bool *bent) {
  static const double rule[5][5] = {{0.25, 0.25, 0.25, 0.25, -4.0 / 5},
                                    {0.5, 1.0 / 6, 1.0 / 6, 1.0 / 6, 9.0 / 20},
                                    {1.0 / 6, 0.5, 1.0 / 6, 1.0 / 6, 9.0 / 20},
                                    {1.0 / 6, 1.0 / 6, 0.5, 1.0 / 6, 9.0 / 20},
                                    {1.0 / 6, 1.0 / 6, 1.0 / 6, 0.5, 9.0 / 20}};
  double volume = 0;
  for (size_t i = 0; i < 2 * (size_t)mesh->n_curved; i++) bent[mesh->curved_edge[i]] = true;
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    const int32_t *v = mesh->tet + 4 * (size_t)t;
    double corner[4][3], bow[6][3], shortest, longest;
    if (bent[v[0]] + bent[v[1]] + bent[v[2]] + bent[v[3]] < 2 || !irz_mesh_tet_shape(mesh, t, corner, bow)) {
      volume += irz_tet_determinant(mesh->xyz, v, &shortest, &longest) / 6;
      continue;
    }
    for (int i = 0; i < 5; i++) {
      volume += rule[i][4] * irz_tet_jacobian((const double(*)[3])corner, (const double(*)[3])bow, rule[i]) / 6;
    }
  }
  return volume;
}

/// Check that the elements fill the box around the metal.
static IrzCode check_volume(const IrzTissueBox *box, const IrzMesh *mesh, IrzError *error) {
  double whole = 1, metal = 0;
  bool *bent;
  IRZ_TRY(irz_alloc(&bent, (size_t)mesh->n_vertices, sizeof *bent, error));
  for (int k = 0; k < 3; k++) whole *= box->upper[k] - box->lower[k];
  for (int p = 0; p < box->n_needles; p++) metal += needle_volume(box, &box->needle[p]);
  for (int p = 0; p < box->n_plates; p++) metal += irz_probe_metal(&box->plate[p]);
  double missing = whole - curved_volume(mesh, bent);
  free(bent);
  if (!(fabs(missing - metal) <= VOLUME_TOLERANCE * metal + 1e-9 * whole)) {
    return irz_error_set(error, IRZ_ERR_INPUT,
                         "mesh: the elements leave out %.4g mm^3, but the electrodes have %.4g mm^3", missing * 1e9,
                         metal * 1e9);
  }
  return IRZ_OK;
}

/// Name surfaces, and list the boundary's triangles. Plates have no insulation.
static IrzCode set_surfaces(const IrzPlan *plan, const IrzBoundary *boundary, IrzMesh *mesh, IrzError *error) {
  int n_surfaces = 2 * plan->n_probes + 1;
  int32_t group[2 * IRZ_MAX_PROBES + 1];
  mesh->n_surfaces = 0;
  mesh->n_triangles = boundary->n_triangles;
  IRZ_TRY(irz_alloc(&mesh->surfaces, (size_t)n_surfaces, sizeof *mesh->surfaces, error));
  IRZ_TRY(irz_alloc(&mesh->triangle, (size_t)mesh->n_triangles, 3 * sizeof *mesh->triangle, error));
  IRZ_TRY(irz_alloc(&mesh->surface, (size_t)mesh->n_triangles, sizeof *mesh->surface, error));
  for (int s = 0; s < n_surfaces; s++) {
    const IrzProbe *probe = s / 2 < plan->n_probes ? &plan->probes[s / 2] : NULL;
    if (probe != NULL && probe->plate[0] > 0 && s % 2 == 1) continue;
    IrzGroup *surface = &mesh->surfaces[mesh->n_surfaces];
    const char *name = probe != NULL ? probe->name : "outer";
    const char *ending = s % 2 ? "_insulated" : "";
    snprintf(surface->name, sizeof surface->name, "%.*s%s", IRZ_NAME_MAX - 1 - (int)strlen(ending), name, ending);
    group[s] = mesh->n_surfaces++;
    surface->tag = mesh->n_surfaces;
  }
  memcpy(mesh->triangle, boundary->triangle, (size_t)mesh->n_triangles * 3 * sizeof *mesh->triangle);
  for (int32_t t = 0; t < mesh->n_triangles; t++) mesh->surface[t] = group[boundary->surface[t]];
  return IRZ_OK;
}

/// Name the only region.
static IrzCode set_region(IrzMesh *mesh, IrzError *error) {
  mesh->n_regions = 1;
  IRZ_TRY(irz_alloc(&mesh->regions, 1, sizeof *mesh->regions, error));
  IRZ_TRY(irz_alloc(&mesh->region, (size_t)mesh->n_tets, sizeof *mesh->region, error));
  strcpy(mesh->regions[0].name, "default");
  mesh->regions[0].tag = 1;
  return IRZ_OK;
}

/// Drop vertices that no tetrahedron uses: where a needle leaves the box at a corner, that corner is one.
static IrzCode drop_unused(IrzMesh *mesh, IrzError *error) {
  int32_t *number, kept = 0;
  IRZ_TRY(irz_alloc(&number, (size_t)mesh->n_vertices, sizeof *number, error)); /* zero: unused */
  for (size_t k = 0; k < 4 * (size_t)mesh->n_tets; k++) number[mesh->tet[k]] = 1;
  for (int32_t v = 0; v < mesh->n_vertices; v++) {
    if (number[v] == 0) continue;
    memmove(mesh->xyz + 3 * (size_t)kept, mesh->xyz + 3 * (size_t)v, 3 * sizeof *mesh->xyz);
    number[v] = kept++;
  }
  if (kept < mesh->n_vertices) {
    for (size_t k = 0; k < 4 * (size_t)mesh->n_tets; k++) mesh->tet[k] = number[mesh->tet[k]];
    for (size_t k = 0; k < 3 * (size_t)mesh->n_triangles; k++) mesh->triangle[k] = number[mesh->triangle[k]];
    for (size_t k = 0; k < 2 * (size_t)mesh->n_curved; k++) mesh->curved_edge[k] = number[mesh->curved_edge[k]];
    mesh->n_vertices = kept;
  }
  free(number);
  return IRZ_OK;
}

/// One try: boundary, tetrahedra, checks, curved edges.
static IrzCode try_mesh(const IrzPlan *plan, const IrzSizeField *field, double turn, IrzMesh *mesh, IrzError *error) {
  IrzBoundary boundary = {0};
  IrzFit fit = {0};
  bool fitted = field->smooth.tissue != NULL;
  IrzCode code = irz_boundary_needles(field, turn, &boundary, error);
  if (code == IRZ_OK) code = irz_gmsh_run(field, &boundary, mesh, error);
  /* Whatever Gmsh has made by then is none that was wanted. */
  if (irz_deadline_passed()) code = irz_error_set(error, IRZ_ERR_SOLVER, IRZ_TIMEOUT);
  if (code == IRZ_OK) code = orient(mesh, error);
  if (code == IRZ_OK && fitted) code = irz_mesh_fit(field, &boundary, mesh, &fit, error);
  if (code == IRZ_OK) code = check_faces(mesh, &boundary, error);
  if (code == IRZ_OK && !fitted && irz_box_has_trocar(field->box))
    code = irz_mesh_mend(boundary.n_points, NULL, NULL, mesh, error);
  if (code == IRZ_OK) code = irz_mesh_curve(field->box, &boundary, plan->mesh.order, &field->smooth, &fit, mesh, error);
  if (code == IRZ_OK) code = check_volume(field->box, mesh, error);
  if (code == IRZ_OK) code = fitted ? irz_fit_regions(field, &fit, mesh, error) : set_region(mesh, error);
  if (code == IRZ_OK) code = set_surfaces(plan, &boundary, mesh, error);
  if (code == IRZ_OK) code = drop_unused(mesh, error);
  irz_fit_clear(&fit);
  irz_boundary_clear(&boundary);
  return code;
}

IrzCode irz_mesh_generate(const IrzPlan *plan, const IrzMeshSizing *sizing, const IrzLabelMap *labels, IrzMesh **mesh,
                          IrzError *error) {
  IRZ_ENTER_ALONE(error);
  IRZ_NEED(plan != NULL && mesh != NULL);
  IrzTissueBox box;
  IrzSizeField field;
  IrzMeshSizing chosen;
  *mesh = NULL;
  IRZ_TRY(irz_plan_check(plan, error));
  if (plan->mesh.file[0] != '\0') {
    return irz_error_set(error, IRZ_ERR_PLAN, "%s:%d: mesh.file: the plan loads a mesh, so there is none to generate",
                         plan->file, plan->mesh.line);
  }
  IRZ_TRY(place_electrodes(plan, &box, error));
  if (sizing) {
    chosen = *sizing;
  } else {
    irz_mesh_sizing(plan, &chosen);
  }
  IRZ_TRY(irz_size_field_init(&field, &box, &chosen, plan, labels, error));
  IrzCode code = IRZ_ERR_INPUT;
  IrzError said;
  for (int i = 0; i < TRIES && code == IRZ_ERR_INPUT; i++) {
    said = (IrzError){0};
    field.sizing.growth = chosen.growth * (1 - 0.07 * i);
    field.delaunay = i >= TRIES / 2;
    irz_mesh_free(*mesh);
    code = irz_alloc(mesh, 1, sizeof **mesh, &said);
    if (code == IRZ_OK) code = try_mesh(plan, &field, 0.37 * i, *mesh, &said);
  }
  if (code != IRZ_OK) irz_error_set(error, code, "%s", said.text);
  irz_size_field_clear(&field);
  if (code != IRZ_OK) {
    irz_mesh_free(*mesh);
    *mesh = NULL;
    return code;
  }
  IRZ_ASSERT_VALID(irz_mesh_is_valid, *mesh);
  return IRZ_OK;
}
