/* Needles with rounded ends, trocars, and several electrodes on one needle: exact volumes and areas, groups, checks. */
#include "mesh/generate.h"
#include "plan/plan.h"
#include "testing.h"
#include <irezone/mesh.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIAMETER 1.2e-3
#define RADIUS (DIAMETER / 2)

/// A plan with one needle of one electrode.
static IrzPlan make_plan(IrzTipShape shape, double exposure) {
  IrzPlan plan = {.file = "test.yaml", .mesh = {.size = 0.06, .accuracy = 0.01, .order = 2}, .n_probes = 1};
  plan.probes[0] = (IrzProbe){.name = "A",
                              .tip = {1e-3, 2e-3, -3e-3},
                              .direction = {0, 0, 1},
                              .exposure = exposure,
                              .diameter = DIAMETER,
                              .tip_shape = shape,
                              .has_geometry = true,
                              .line = 1};
  return plan;
}

/// Turn a needle's electrode into several.
static void split(IrzPlan *plan, int count, double length, double gap) {
  IrzProbe first = plan->probes[0];
  plan->n_probes = count;
  for (int p = 0; p < count; p++) {
    IrzProbe *probe = &plan->probes[p];
    *probe = first;
    snprintf(probe->name, sizeof probe->name, "%.8s%d", first.name, p + 1);
    memcpy(probe->needle, first.name, sizeof probe->needle);
    probe->place = p;
    probe->exposure = length;
    for (int k = 0; k < 3; k++) probe->tip[k] += p * (length + gap) * first.direction[k];
  }
}

/// Lean a probe that points along z: its direction goes along (x, 0, 1).
static void lean(IrzProbe *probe, double x) {
  double length = sqrt(1 + x * x);
  probe->direction[0] = x / length;
  probe->direction[2] = 1 / length;
}

/// Generate and check.
static IrzMesh *generate(const IrzPlan *plan) {
  IrzMesh *mesh;
  IrzError error = {0};
  if (irz_mesh_generate(plan, NULL, NULL, &mesh, &error) != IRZ_OK) fail_msg("%s", error.text);
  if (irz_mesh_check(mesh, NULL, "generated", &error) != IRZ_OK) fail_msg("%s", error.text);
  IrzMeshStats stats;
  irz_mesh_stats(mesh, &stats);
  assert_int_equal(stats.n_parts, 1);
  if (!(stats.min_dihedral_degree > 3)) fail_msg("smallest angle %g degrees", stats.min_dihedral_degree);
  return mesh;
}

/// Middle of an edge, bent if it is.
static void middle(const IrzMesh *mesh, int32_t a, int32_t b, double x[3]) {
  int32_t low = a < b ? a : b, high = a < b ? b : a;
  for (int k = 0; k < 3; k++) x[k] = (mesh->xyz[3 * (size_t)a + (size_t)k] + mesh->xyz[3 * (size_t)b + (size_t)k]) / 2;
  for (int32_t c = 0; c < mesh->n_curved; c++) {
    if (mesh->curved_edge[2 * c] != low || mesh->curved_edge[2 * c + 1] != high) continue;
    memcpy(x, &mesh->curved_xyz[3 * (size_t)c], 3 * sizeof *x);
  }
}

/// Area of a surface with its bent edges, and the volume of the cone over it from a point.
static void measure(const IrzMesh *mesh, int surface, const double apex[3], double *area, double *volume) {
  /* Seven points of degree 5 (Radon 1948). */
  static const double a = 0.10128650732345634, b = 0.47014206410511509, wa = 0.12593918054482715,
                      wb = 0.13239415278850618;
  const double point[7][4] = {{1.0 / 3, 1.0 / 3, 1.0 / 3, 0.225},
                              {a, a, 1 - 2 * a, wa},
                              {a, 1 - 2 * a, a, wa},
                              {1 - 2 * a, a, a, wa},
                              {b, b, 1 - 2 * b, wb},
                              {b, 1 - 2 * b, b, wb},
                              {1 - 2 * b, b, b, wb}};
  *area = *volume = 0;
  for (int32_t t = 0; t < mesh->n_triangles; t++) {
    if (mesh->surface[t] != surface) continue;
    const int32_t *v = &mesh->triangle[3 * (size_t)t];
    double x[6][3];
    for (int i = 0; i < 3; i++) {
      memcpy(x[i], &mesh->xyz[3 * (size_t)v[i]], sizeof x[i]);
      middle(mesh, v[i], v[(i + 1) % 3], x[3 + i]);
    }
    for (int q = 0; q < 7; q++) {
      const double *l = point[q];
      double at[3] = {0}, du[3] = {0}, dv[3] = {0};
      for (int k = 0; k < 3; k++) {
        for (int i = 0; i < 3; i++) {
          int j = (i + 1) % 3;
          /* derivatives by l[0] and l[1], with l[2] = 1 - l[0] - l[1] */
          const double slope[3][2] = {{1, 0}, {0, 1}, {-1, -1}};
          at[k] += l[i] * (2 * l[i] - 1) * x[i][k] + 4 * l[i] * l[j] * x[3 + i][k];
          du[k] += (4 * l[i] - 1) * slope[i][0] * x[i][k] + 4 * (slope[i][0] * l[j] + l[i] * slope[j][0]) * x[3 + i][k];
          dv[k] += (4 * l[i] - 1) * slope[i][1] * x[i][k] + 4 * (slope[i][1] * l[j] + l[i] * slope[j][1]) * x[3 + i][k];
        }
      }
      const double n[3] = {du[1] * dv[2] - du[2] * dv[1], du[2] * dv[0] - du[0] * dv[2], du[0] * dv[1] - du[1] * dv[0]};
      double cone = 0;
      for (int k = 0; k < 3; k++) cone += (at[k] - apex[k]) * n[k];
      *area += l[3] * sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]) / 2;
      *volume += l[3] * fabs(cone) / 6;
    }
  }
}

/// Volume and area of an electrode at a needle's end, up to its upper edge, against formulas.
static void ends(void **state) {
  (void)state;
  const double exposure = 5e-3, shoulder = RADIUS * sqrt(3);
  const double wall = 2 * M_PI * RADIUS * exposure, disc = M_PI * RADIUS * RADIUS;
  const struct {
    IrzTipShape shape;
    double volume, area;
  } wanted[] = {
      {IRZ_TIP_FLAT, disc * exposure, wall + disc},
      /* half a sphere: its area is that of the cylinder around it */
      {IRZ_TIP_ROUNDED, disc * exposure - M_PI / 3 * pow(RADIUS, 3), wall},
      /* facets at 30 degrees to the axis: their area is the disc's over sin 30; the wall ends at shoulder cos(angle) */
      {IRZ_TIP_TROCAR, disc * exposure - sqrt(3) * RADIUS * RADIUS * shoulder,
       wall - 3 * sqrt(3) * RADIUS * shoulder + 2 * disc},
  };
  for (int i = 0; i < 3; i++) {
    IrzPlan plan = make_plan(wanted[i].shape, exposure);
    IrzMesh *mesh = generate(&plan);
    double area, volume, apex[3];
    memcpy(apex, plan.probes[0].tip, sizeof apex);
    apex[2] += exposure; /* seen from there the wall's upper edge adds nothing */
    measure(mesh, 0, apex, &area, &volume);
    assert_near(volume, wanted[i].volume, 0.003 * wanted[i].volume);
    assert_near(area, wanted[i].area, 0.003 * wanted[i].area);
    irz_mesh_free(mesh);
  }
}

/// All vertices of a trocar's end lie on its facets or on the cylinder; its point and its sharp edges are there.
static void trocar(void **state) {
  (void)state;
  IrzPlan plan = make_plan(IRZ_TIP_TROCAR, 5e-3);
  IrzMesh *mesh = generate(&plan);
  int on_facets = 0;
  double lowest = INFINITY, low_rim = INFINITY, high_rim = 0;
  for (int32_t i = 0; i < 3 * mesh->n_triangles; i++) {
    if (mesh->surface[i / 3] != 0) continue;
    const double *x = &mesh->xyz[3 * (size_t)mesh->triangle[i]], *tip = plan.probes[0].tip;
    double radius = hypot(x[0] - tip[0], x[1] - tip[1]), z = x[2] - tip[2], angle = atan2(x[1] - tip[1], x[0] - tip[0]);
    lowest = fmin(lowest, z);
    if (radius > RADIUS * (1 - 1e-9)) {
      low_rim = fmin(low_rim, z);
      if (z < 1.0001 * sqrt(3) * RADIUS) high_rim = fmax(high_rim, z);
      continue;
    }
    on_facets++;
    double facet = sqrt(3) * radius * cos(remainder(angle, 2 * M_PI / 3)); /* 30 degrees to the axis */
    assert_near(z, facet, 1e-9 * RADIUS);
  }
  assert_true(on_facets > 20);
  assert_near(lowest, 0, 1e-12);
  assert_near(low_rim, sqrt(3) / 2 * RADIUS, 1e-9); /* where two facets and the wall meet */
  assert_near(high_rim, sqrt(3) * RADIUS, 1e-9);    /* in the middle of a facet's edge */
  irz_mesh_free(mesh);
}

/// Twice the area of a triangle in the plane.
static double flat_area(const double a[2], const double b[2], const double c[2]) {
  return fabs((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));
}

/// How far a point is outside a triangle's plane, seen from a point inside, m.
static double outside(const double *a, const double *b, const double *c, const double *inside, const double *x) {
  double u[3], v[3], n[3], here = 0, there = 0;
  for (int k = 0; k < 3; k++) u[k] = b[k] - a[k], v[k] = c[k] - a[k];
  for (int k = 0; k < 3; k++) n[k] = u[(k + 1) % 3] * v[(k + 2) % 3] - u[(k + 2) % 3] * v[(k + 1) % 3];
  for (int k = 0; k < 3; k++) here += n[k] * (inside[k] - a[k]), there += n[k] * (x[k] - a[k]);
  return (here > 0 ? -there : there) / sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
}

/// A trocar's boundary: its triangles cover facets and wall once, none folds over another; as Gmsh sees them facets
/// have no dents, in which it would leave flat tetrahedra.
static void check_trocar(const IrzSizeField *field) {
  IrzBoundary boundary = {0};
  IrzError error = {0};
  const IrzNeedle *needle = &field->box->needle[0];
  if (irz_boundary_needles(field, 0, &boundary, &error) != IRZ_OK) fail_msg("%s", error.text);
  double facets = 0, wall = 0, circle = 0, unrolled = 0;
  double inside[3] = {0, 0, needle->shoulder}, *xyz = malloc(3 * (size_t)boundary.n_points * sizeof *xyz);
  irz_boundary_untie(field->box, &boundary, xyz);
  int32_t rim = 0;
  while (boundary.point[rim].kind == IRZ_POINT_RIM) rim++; /* the first points, by increasing angle */
  for (int32_t i = 0; i < rim; i++) {
    const IrzBoundaryPoint *a = &boundary.point[i], *b = &boundary.point[(i + 1) % rim];
    double turn = remainder(b->angle - a->angle, 2 * M_PI);
    circle += RADIUS * RADIUS * sin(turn);
    unrolled += 2 * turn * (needle->exit - (a->z + b->z) / 2);
  }
  for (int32_t t = 0; t < boundary.n_triangles; t++) {
    const IrzBoundaryPoint *corner[3];
    double across[3][2], along[3][2];
    bool facet = true;
    for (int i = 0; i < 3; i++) {
      corner[i] = &boundary.point[boundary.triangle[t][i]];
      facet = facet && (corner[i]->kind == IRZ_POINT_RIM || corner[i]->kind == IRZ_POINT_FLAT);
      along[i][0] = i == 0 ? 0 : remainder(corner[i]->angle - corner[0]->angle, 2 * M_PI);
      along[i][1] = corner[i]->z;
      for (int k = 0; k < 2; k++) across[i][k] = corner[i]->x[k];
    }
    if (!facet) {
      wall += flat_area(along[0], along[1], along[2]);
      continue;
    }
    facets += flat_area(across[0], across[1], across[2]);
    const int32_t *v = boundary.triangle[t];
    for (int32_t i = 0; i < boundary.n_points; i++) {
      IrzPointKind kind = boundary.point[i].kind;
      if (kind == IRZ_POINT_WALL || kind == IRZ_POINT_EXIT) continue;
      assert_true(outside(&xyz[3 * v[0]], &xyz[3 * v[1]], &xyz[3 * v[2]], inside, &xyz[3 * i]) < 1e-12 * RADIUS);
    }
  }
  assert_near(facets, circle, 1e-9 * circle);
  assert_near(wall, unrolled, 1e-9 * unrolled);
  free(xyz);
  irz_boundary_clear(&boundary);
}

/// Boundaries of coarse and fine trocars.
static void trocar_boundaries(void **state) {
  (void)state;
  for (int order = 1; order <= 2; order++) {
    for (int i = 0; i < 12; i++) {
      IrzPlan plan = make_plan(IRZ_TIP_TROCAR, 4e-3 + 1e-3 * (i % 3));
      plan.mesh.order = order;
      plan.mesh.accuracy = 0.08 * pow(0.7, i);
      const double exposure = plan.probes[0].exposure, exit = 0.03;
      IrzTissueBox box = {.lower = {-0.03, -0.03, -0.03}, .upper = {0.03, 0.03, exit}, .n_probes = 1, .n_needles = 1};
      box.needle[0] = (IrzNeedle){.axis = {0, 0, 1},
                                  .u = {1, 0, 0},
                                  .v = {0, 1, 0},
                                  .radius = RADIUS,
                                  .shape = IRZ_TIP_TROCAR,
                                  .shoulder = sqrt(3) * RADIUS,
                                  .n_bare = 1,
                                  .bare = {{0, exposure}},
                                  .exposure = exposure,
                                  .exit = exit,
                                  .exit_low = exit,
                                  .exit_high = exit};
      IrzSizeField field;
      IrzMeshSizing sizing;
      IrzError error = {0};
      irz_mesh_sizing(&plan, &sizing);
      assert_int_equal(irz_size_field_init(&field, &box, &sizing, &plan, NULL, &error), IRZ_OK);
      check_trocar(&field);
    }
  }
}

/// Meshes around trocars have no flat tetrahedra.
static void trocar_angles(void **state) {
  (void)state;
  for (int i = 0; i < 6; i++) {
    IrzPlan plan = make_plan(IRZ_TIP_TROCAR, 3e-3 + 2e-3 * i);
    plan.mesh.order = 1 + i % 2;
    plan.mesh.accuracy = i % 2 ? 0.005 + 0.01 * i : 0.03 + 0.02 * i;
    plan.probes[0].diameter = (0.8 + 0.3 * i) * 1e-3;
    lean(&plan.probes[0], 0.15 * i);
    plan.n_probes = 2;
    plan.probes[1] = plan.probes[0];
    strcpy(plan.probes[1].name, "B");
    plan.probes[1].tip[0] += 8e-3;
    plan.probes[1].tip[2] += 1e-3 * i;
    IrzMesh *mesh = generate(&plan);
    IrzMeshStats stats;
    irz_mesh_stats(mesh, &stats);
    if (!(stats.min_dihedral_degree > 5)) fail_msg("plan %d: smallest angle %g degrees", i, stats.min_dihedral_degree);
    irz_mesh_free(mesh);
  }
}

/// Neither have they at a rounded needle beside a trocar, at whose wall four neighbouring points lie on a circle.
static void beside_trocar(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++) {
    IrzPlan plan = make_plan(IRZ_TIP_TROCAR, 7e-3);
    plan.mesh.order = 1;
    plan.mesh.accuracy = i < 2 ? 0.025 : 0.02;
    plan.probes[0].diameter = i == 1 ? 1.7e-3 : 1.2e-3;
    const double tip[3] = {0, 0, -5e-3};
    memcpy(plan.probes[0].tip, tip, sizeof tip);
    plan.n_probes = 2;
    plan.probes[1] = plan.probes[0];
    strcpy(plan.probes[1].name, "B");
    plan.probes[1].tip[0] = 8e-3;
    lean(&plan.probes[1], 0.2);
    plan.probes[1].tip_shape = IRZ_TIP_ROUNDED;
    IrzMesh *mesh = generate(&plan);
    IrzMeshStats stats;
    irz_mesh_stats(mesh, &stats);
    if (!(stats.min_dihedral_degree > 5)) fail_msg("plan %d: smallest angle %g degrees", i, stats.min_dihedral_degree);
    irz_mesh_free(mesh);
  }
}

/// A vertex in an octahedron that is nearly on one of its faces goes back to the middle; one that is not stays.
static void mend(void **state) {
  (void)state;
  double xyz[7 * 3] = {1e-3, 0, 0, -1e-3, 0, 0, 0,     1e-3,   0,      0,     -1e-3,
                       0,    0, 0, 1e-3,  0, 0, -1e-3, 3.3e-4, 3.3e-4, 3.3e-4};
  double before[7 * 3];
  int32_t tet[8 * 4];
  for (int t = 0; t < 8; t++) {
    bool even = t == 0 || t == 3 || t == 5 || t == 6;
    const int32_t corners[4] = {t & 1, even ? 2 + (t >> 1 & 1) : 4 + (t >> 2), even ? 4 + (t >> 2) : 2 + (t >> 1 & 1),
                                6};
    /* the last corner is inside, so that the first three go round the other way */
    tet[4 * t] = corners[0], tet[4 * t + 1] = corners[2], tet[4 * t + 2] = corners[1], tet[4 * t + 3] = corners[3];
  }
  IrzMesh mesh = {.n_vertices = 7, .xyz = xyz, .n_tets = 8, .tet = tet};
  IrzMeshStats stats;
  IrzError error = {0};
  irz_mesh_stats(&mesh, &stats);
  assert_true(stats.min_dihedral_degree < 2);
  memcpy(before, xyz, sizeof xyz);
  assert_int_equal(irz_mesh_mend(6, NULL, NULL, &mesh, &error), IRZ_OK);
  assert_memory_equal(xyz, before, 18 * sizeof *xyz);
  irz_mesh_stats(&mesh, &stats);
  /* in the middle: two planes of coordinates, and one and the face: atan(sqrt(2)) */
  if (!(stats.min_dihedral_degree > 50)) fail_msg("smallest angle %g degrees", stats.min_dihedral_degree);
  xyz[18] = 2e-4, xyz[19] = xyz[20] = 0;
  memcpy(before, xyz, sizeof xyz);
  assert_int_equal(irz_mesh_mend(6, NULL, NULL, &mesh, &error), IRZ_OK);
  assert_memory_equal(xyz, before, sizeof xyz);
}

/// Every shape, tilted and coarse and fine, and beside others.
static void everywhere(void **state) {
  (void)state;
  for (int shape = IRZ_TIP_FLAT; shape <= IRZ_TIP_TROCAR; shape++) {
    IrzPlan plan = make_plan((IrzTipShape)shape, 0.01);
    plan.mesh.accuracy = 0.1;
    plan.probes[0].direction[0] = 0.6;
    plan.probes[0].direction[2] = -0.8;
    irz_mesh_free(generate(&plan));
    plan.mesh.accuracy = 0.004;
    irz_mesh_free(generate(&plan));
    plan.mesh.accuracy = 0.01;
    split(&plan, 3, 5e-3, 2e-3);
    plan.n_probes = 4;
    plan.probes[3] = plan.probes[0];
    IrzProbe *other = &plan.probes[3];
    *other = (IrzProbe){.name = "B", .diameter = 1e-3, .exposure = 0.01, .has_geometry = true};
    other->direction[1] = -1;
    other->tip_shape = (IrzTipShape)((shape + 1) % 3);
    other->tip[2] = 0.01;
    irz_mesh_free(generate(&plan));
  }
}

/// Groups and areas of three electrodes on a needle.
static void electrodes(void **state) {
  (void)state;
  IrzPlan plan = make_plan(IRZ_TIP_FLAT, 0);
  plan.probes[0].exposure = 5e-3;
  split(&plan, 3, 4e-3, 7e-3);
  IrzMesh *mesh = generate(&plan);
  static const char *const name[] = {"A1", "A1_insulated", "A2", "A2_insulated", "A3", "A3_insulated", "outer"};
  static const double length[] = {4e-3, 7e-3, 4e-3, 7e-3, 4e-3};
  assert_int_equal(mesh->n_surfaces, 7);
  for (int s = 0; s < 7; s++) assert_string_equal(mesh->surfaces[s].name, name[s]);
  for (int s = 0; s < 5; s++) {
    double area, volume, apex[3] = {0}, wanted = 2 * M_PI * RADIUS * length[s] + (s == 0 ? M_PI * RADIUS * RADIUS : 0);
    measure(mesh, s, apex, &area, &volume);
    assert_near(area, wanted, 0.005 * wanted);
  }
  irz_mesh_free(mesh);
}

/// A plan with two plates of 12 x 16 mm, 2 mm thick, 8 mm apart.
static IrzPlan make_plates(double a, double b, double c) {
  IrzPlan plan = {.file = "test.yaml", .mesh = {.size = 0.06, .accuracy = 0.01, .order = 2}, .n_probes = 2};
  double length = sqrt(a * a + b * b + c * c), across = hypot(a, b);
  for (int p = 0; p < 2; p++) {
    double sign = p == 0 ? -1 : 1;
    plan.probes[p] = (IrzProbe){.name = {(char)('A' + p)},
                                .direction = {sign * a / length, sign * b / length, sign * c / length},
                                .side = {-b / across, a / across, 0},
                                .plate = {12e-3, 16e-3},
                                .exposure = 2e-3,
                                .has_geometry = true,
                                .line = 3};
    for (int k = 0; k < 3; k++) plan.probes[p].tip[k] = 4e-3 * plan.probes[p].direction[k];
  }
  return plan;
}

/// Plates inside the box: flat, so everything is exact.
static void plates(void **state) {
  (void)state;
  const double direction[][3] = {{1, 0, 0}, {0.5, 0.7, 0.4}};
  for (int i = 0; i < 2; i++) {
    IrzPlan plan = make_plates(direction[i][0], direction[i][1], direction[i][2]);
    IrzMesh *mesh = generate(&plan);
    static const char *const name[] = {"A", "B", "outer"};
    double area, volume, apex[3] = {0}, block = 12e-3 * 16e-3 * 2e-3;
    IrzMeshStats stats;
    irz_mesh_stats(mesh, &stats);
    assert_near(stats.volume, pow(0.06, 3) - 2 * block, 1e-9 * block);
    assert_int_equal(mesh->n_surfaces, 3);
    assert_int_equal(mesh->n_curved, 0);
    for (int s = 0; s < 3; s++) assert_string_equal(mesh->surfaces[s].name, name[s]);
    for (int s = 0; s < 2; s++) {
      measure(mesh, s, apex, &area, &volume);
      assert_near(area, 2 * (12e-3 * 16e-3 + 12e-3 * 2e-3 + 16e-3 * 2e-3), 1e-12);
    }
    irz_mesh_free(mesh);
  }
}

/// Plates that clamp the tissue: it ends at them.
static void clamp(void **state) {
  (void)state;
  IrzPlan plan = make_plates(0, -1, 0);
  for (int p = 0; p < 2; p++) plan.probes[p].plate[0] = plan.probes[p].plate[1] = 0.06;
  IrzMesh *mesh = generate(&plan);
  IrzMeshStats stats;
  irz_mesh_stats(mesh, &stats);
  assert_near(stats.volume, 0.06 * 0.06 * 8e-3, 1e-15);
  for (int s = 0; s < 3; s++) {
    double area, volume, apex[3] = {0};
    measure(mesh, s, apex, &area, &volume);
    assert_near(area, s < 2 ? 0.06 * 0.06 : 4 * 0.06 * 8e-3, 1e-12);
  }
  for (int32_t i = 0; i < 3 * mesh->n_triangles; i++) {
    double y = mesh->xyz[3 * (size_t)mesh->triangle[i] + 1];
    if (mesh->surface[i / 3] < 2) assert_near(y, mesh->surface[i / 3] == 0 ? 4e-3 : -4e-3, 1e-12);
  }
  irz_mesh_free(mesh);
}

/// The mesh of two electrodes is refused if their order is broken.
static void refusals(void **state) {
  (void)state;
  IrzPlan plan = make_plan(IRZ_TIP_FLAT, 5e-3);
  split(&plan, 2, 4e-3, 7e-3);
  plan.probes[0].place = 1;
  IrzMesh *mesh;
  IrzError error = {0};
  assert_int_equal(irz_mesh_generate(&plan, NULL, NULL, &mesh, &error), IRZ_ERR_PLAN);
  assert_null(mesh);
  assert_non_null(strstr(error.text, "test.yaml:1: probes["));
  plan = make_plates(1, 0, 0);
  plan.mesh.size = 0.016;
  error = (IrzError){0};
  assert_int_equal(irz_mesh_generate(&plan, NULL, NULL, &mesh, &error), IRZ_ERR_PLAN);
  assert_non_null(strstr(error.text, "test.yaml:3: plates"));
}

/// Up to the accuracy that is called the coarsest meshes get coarser, from there on they are the same.
static void coarsest(void **state) {
  (void)state;
  IrzPlan plan = {.n_probes = 1, .probes[0] = {.has_geometry = true, .diameter = 1e-3, .exposure = 0.02}};
  plan.mesh.size = 0.1;
  for (int order = 1; order <= 2; order++) {
    IrzMeshSizing finer, last, beyond;
    double limit = irz_coarsest_accuracy(order);
    plan.mesh.order = order;
    plan.mesh.accuracy = 0.95 * limit;
    irz_mesh_sizing(&plan, &finer);
    plan.mesh.accuracy = limit;
    irz_mesh_sizing(&plan, &last);
    plan.mesh.accuracy = 0.5;
    irz_mesh_sizing(&plan, &beyond);
    assert_true(finer.metal < 0.99 * last.metal);
    assert_close(beyond.metal, last.metal, 1e-12);
    assert_close(beyond.growth, last.growth, 1e-12);
  }
  assert_close(irz_coarsest_accuracy(2), 0.02197, 1e-12);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(coarsest),      cmocka_unit_test(ends),
                                     cmocka_unit_test(trocar),        cmocka_unit_test(trocar_boundaries),
                                     cmocka_unit_test(trocar_angles), cmocka_unit_test(beside_trocar),
                                     cmocka_unit_test(mend),          cmocka_unit_test(everywhere),
                                     cmocka_unit_test(electrodes),    cmocka_unit_test(plates),
                                     cmocka_unit_test(clamp),         cmocka_unit_test(refusals)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
