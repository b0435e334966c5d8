/* Assembly of the heat equation; see thermal.h. */
#include "heat/thermal.h"
#include "base/memory.h"
#include "base/tensor.h"
#include "field/element.h"
#include "field/kernel.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846

/* Blood: IT'IS database V5.0, 1050 kg/m^3 times 3617 J/(kg K). */
#define BLOOD_HEAT (1050.0 * 3617.0)

/* Steel of the needles, per volume: 490 J/(kg K) as in the OpenEP code, 7900 kg/m^3 (recalled, not checked). */
#define STEEL_HEAT (7900.0 * 490.0)

/// Points of the largest rule: four on each of eight parts.
enum { MAX_POINTS = 32 };

/// Where a tetrahedron is, and the gradients of the barycentric coordinates if it is straight.
typedef struct {
  double x[10][3];
  bool bent;
  double g[4][3]; ///< 1/m
  double det;     ///< 6 times the volume, m^3
} Shape;

static void shape_of(const IrzPart *part, int32_t tet, int32_t curved, Shape *s) {
  irz_part_nodes(part, tet, curved, s->x);
  s->bent = curved >= 0;
  double e[3][3], zero[4] = {0}, middle[4] = {0.25, 0.25, 0.25, 0.25}, unused[3];
  if (s->bent) {
    s->det = irz_gradient(s->x, true, 4, zero, middle, unused);
    return;
  }
  for (int i = 0; i < 3; i++) {
    for (int d = 0; d < 3; d++) e[i][d] = s->x[i + 1][d] - s->x[0][d];
  }
  for (int i = 0; i < 3; i++) {
    const double *p = e[(i + 1) % 3], *q = e[(i + 2) % 3];
    for (int d = 0; d < 3; d++) s->g[i + 1][d] = p[(d + 1) % 3] * q[(d + 2) % 3] - p[(d + 2) % 3] * q[(d + 1) % 3];
  }
  s->det = e[0][0] * s->g[1][0] + e[0][1] * s->g[1][1] + e[0][2] * s->g[1][2];
  for (int d = 0; d < 3; d++) {
    for (int i = 1; i < 4; i++) s->g[i][d] /= s->det;
    s->g[0][d] = -(s->g[1][d] + s->g[2][d] + s->g[3][d]);
  }
}

/// Values of the basis functions at a point.
static void values_at(int nodes, const double l[4], double value[10]) {
  for (int i = 0; i < 4; i++) value[i] = nodes == 4 ? l[i] : l[i] * (2 * l[i] - 1);
  for (int e = 0; e < nodes - 4; e++) value[4 + e] = 4 * l[irz_edge_vertices[e][0]] * l[irz_edge_vertices[e][1]];
}

/// Gradients of the basis functions at a point; returns the determinant there.
static double gradients_at(Shape *s, int nodes, const double l[4], double g[10][3]) {
  if (s->bent) {
    static const double linear[4][3] = {{-1, -1, -1}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
    double reference[10][3], inverse[3][3];
    irz_reference_gradients(l, reference);
    double det = irz_inverse_map(s->x, true, reference, inverse);
    for (int i = 0; i < nodes; i++) {
      const double *r = nodes == 4 ? linear[i] : reference[i];
      for (int d = 0; d < 3; d++) g[i][d] = r[0] * inverse[0][d] + r[1] * inverse[1][d] + r[2] * inverse[2][d];
    }
    return det;
  }
  for (int d = 0; d < 3; d++) {
    for (int i = 0; i < 4; i++) g[i][d] = (nodes == 4 ? 1 : 4 * l[i] - 1) * s->g[i][d];
    for (int e = 0; e < nodes - 4; e++) {
      int i = irz_edge_vertices[e][0], j = irz_edge_vertices[e][1];
      g[4 + e][d] = 4 * (l[i] * s->g[j][d] + l[j] * s->g[i][d]);
    }
  }
  return s->det;
}

/// Gradient of a potential at a point; returns the determinant there.
static double potential_gradient(Shape *s, int nodes, const double u[10], const double l[4], double g[3]) {
  if (s->bent) return irz_gradient(s->x, true, nodes, u, l, g);
  double c[4];
  for (int i = 0; i < 4; i++) c[i] = (nodes == 4 ? 1 : 4 * l[i] - 1) * u[i];
  for (int e = 0; e < nodes - 4; e++) {
    int i = irz_edge_vertices[e][0], j = irz_edge_vertices[e][1];
    c[i] += 4 * l[j] * u[4 + e];
    c[j] += 4 * l[i] * u[4 + e];
  }
  for (int d = 0; d < 3; d++) g[d] = c[0] * s->g[0][d] + c[1] * s->g[1][d] + c[2] * s->g[2][d] + c[3] * s->g[3][d];
  return s->det;
}

/// Region of a point of a rule.
static int region_at(const IrzMedium *medium, int32_t tet, int q) {
  int32_t general = medium->general[tet] - 1;
  if (general < 0 || !medium->mixed[general]) return medium->region[tet];
  return medium->point_region[medium->first_point[general] + q];
}

/// Rule for products of two basis functions; points of a mixed tetrahedron are where its regions are known.
static const IrzRule *mass_rule(const IrzMedium *medium, int32_t tet, int order) {
  int32_t general = medium->general[tet] - 1;
  if (general >= 0 && medium->mixed[general]) return irz_medium_rule(medium, general);
  return order == 1 && general < 0 ? &irz_rule_fast : &irz_rule_fine;
}

/// One tetrahedron's share.
typedef struct {
  float mass[55], stiff[55]; ///< packed
  double metabolic[10], perfusion[10];
} Element;

/// Add what one point of a rule gives.
/// @param[in] capacity, conduction, perfusion  times the point's volume
static void add_point(int nodes, double g[10][3], const double *product, double capacity, double conduction,
                      double perfusion, double mass[55], double stiff[55]) {
  for (int i = 0, k = 0; i < nodes; i++) {
    for (int j = i; j < nodes; j++, k++) {
      double dot = g[i][0] * g[j][0] + g[i][1] * g[j][1] + g[i][2] * g[j][2];
      mass[k] += capacity * product[k];
      stiff[k] += conduction * dot + perfusion * product[k];
    }
  }
}

/// Integrate a straight tetrahedron of one tissue, whose perfusion is the same everywhere: its mass matrix is known,
/// and four points are enough for gradients.
static void integrate_plain(const IrzThermal *thermal, int32_t tet, Element *element) {
  const IrzTissue *tissue = thermal->tissue[thermal->medium->region[tet]];
  int nodes = thermal->space->nodes;
  double stiff[55] = {0}, none[55] = {0};
  Shape s;
  shape_of(thermal->medium->part, tet, -1, &s);
  double volume = s.det / 6, perfusion = volume * BLOOD_HEAT * tissue->heat.perfusion;
  double capacity = volume * tissue->heat.density * tissue->heat.capacity;
  for (int q = 0; q < (nodes == 4 ? 1 : irz_rule_fast.count); q++) { /* of order 1 gradients are constant */
    double g[10][3], weight = nodes == 4 ? 1 : irz_rule_fast.weight[q];
    gradients_at(&s, nodes, irz_rule_fast.point[q], g);
    add_point(nodes, g, none, 0, weight * volume * tissue->heat.conductivity, 0, none, stiff);
  }
  for (int k = 0; k < nodes * (nodes + 1) / 2; k++) {
    element->mass[k] = (float)(capacity * thermal->product[k]);
    element->stiff[k] = (float)(stiff[k] + perfusion * thermal->product[k]);
  }
  for (int i = 0; i < nodes; i++) {
    element->metabolic[i] = volume * tissue->heat.metabolic * thermal->mean[i];
    element->perfusion[i] = perfusion * thermal->mean[i];
  }
}

/// Integrate one tetrahedron.
static void integrate(const IrzThermal *thermal, int32_t tet, int32_t curved, const IrzSides *sides,
                      const double *recovered, const double *threshold, Element *element) {
  const IrzMedium *medium = thermal->medium;
  const IrzPart *part = medium->part;
  int nodes = thermal->space->nodes, packed = nodes * (nodes + 1) / 2;
  const IrzRule *rule = mass_rule(medium, tet, thermal->space->order);
  bool stops = thermal->plan->heat.perfusion_in_zone == IRZ_PERFUSION_STOPPED;
  double mass[55] = {0}, stiff[55] = {0};
  Shape s;
  if (curved < 0 && medium->general[tet] == 0 && !stops) {
    integrate_plain(thermal, tet, element);
    return;
  }
  shape_of(part, tet, curved, &s);
  memset(element, 0, sizeof *element);
  for (int q = 0; q < rule->count; q++) {
    const double *l = rule->point[q];
    double value[10], g[10][3], product[55];
    values_at(nodes, l, value);
    for (int i = 0, k = 0; i < nodes; i++) {
      for (int j = i; j < nodes; j++, k++) product[k] = value[i] * value[j];
    }
    double w = rule->weight[q] / 6 * gradients_at(&s, nodes, l, g);
    int region = region_at(medium, tet, q);
    const IrzTissue *tissue = thermal->tissue[region];
    double perfusion = w * BLOOD_HEAT * tissue->heat.perfusion;
    if (stops) {
      double quadratic[10], field = 0;
      values_at(10, l, quadratic);
      for (int i = 0; i < 10; i++) field += quadratic[i] * recovered[irz_tet_rows(sides, part, tet)[i]];
      if (field >= threshold[region]) perfusion = 0;
    }
    for (int i = 0; i < nodes; i++) {
      element->metabolic[i] += w * tissue->heat.metabolic * value[i];
      element->perfusion[i] += perfusion * value[i];
    }
    add_point(nodes, g, product, w * tissue->heat.density * tissue->heat.capacity, w * tissue->heat.conductivity,
              perfusion, mass, stiff);
  }
  for (int k = 0; k < packed; k++) {
    element->mass[k] = (float)mass[k];
    element->stiff[k] = (float)stiff[k];
  }
}

/// Which unknowns are held at body temperature: wall, needles and vessels, as the plan says. Collective.
static IrzCode find_fixed(IrzThermal *thermal, IrzError *error) {
  const IrzPart *part = thermal->medium->part;
  const IrzHeatPlan *heat = &thermal->plan->heat;
  const IrzSpace *space = thermal->space;
  int32_t n = part->n_vertices + part->n_edges;
  double *mark = NULL;
  IrzCode code = irz_alloc(&mark, (size_t)n, sizeof *mark, error);
  if (irz_error_agree(part->comm, error) != IRZ_OK) {
    free(mark);
    return error->code != IRZ_OK ? error->code : code;
  }
  for (int32_t i = 0; i < n; i++) {
    /* An edge between two points of the wall lies in it, but for a few at the corners of the box, far from all heat. */
    const int32_t *ends = i < part->n_vertices ? NULL : part->edge + 2 * (size_t)(i - part->n_vertices);
    bool outer = ends == NULL ? part->outer[i] : part->outer[ends[0]] && part->outer[ends[1]];
    if (outer && heat->outer == IRZ_OUTER_BODY) mark[i] = 1;
    if (part->electrode[i] >= 0 && heat->needles == IRZ_NEEDLES_BODY) mark[i] = 1;
  }
  for (int32_t t = 0; t < part->n_tets; t++) {
    if (!thermal->tissue[thermal->medium->region[t]]->heat.blood) continue;
    for (int i = 0; i < 10; i++) mark[part->tet[t][i]] = 1;
  }
  code = irz_part_share(part, 1, mark, error);
  for (int32_t i = 0; i < n; i++) {
    if (space->dof[i] >= 0 && mark[i] > 0) thermal->fixed[space->dof[i]] = 1;
  }
  free(mark);
  return code;
}

/// Add the heat that the steel of a needle's bare length takes up to the needle's unknown, on the rank that owns it, by
/// way of a tetrahedron at the needle.
static void add_needle(IrzThermal *thermal, int probe) {
  const IrzSpace *space = thermal->space;
  const IrzProbe *p = &thermal->plan->probes[probe];
  double heat = STEEL_HEAT * irz_probe_metal(p);
  if (!p->has_geometry) return;
  for (int32_t t = 0; t < space->part->n_tets; t++) {
    const int32_t *node = space->part->tet[t];
    for (int i = 0; i < 4; i++) {
      int32_t at = space->dof[node[i]];
      if (space->part->electrode[node[i]] != probe) continue;
      if (at >= space->n_owned || thermal->fixed[at]) return;
      float mass[55] = {0};
      mass[irz_packed(space->nodes, i, i)] = (float)heat;
      irz_tangent_add(&thermal->mass, t, NULL, mass, 1, 0, space->n_owned);
      thermal->mass_sum[at] += heat;
      return;
    }
  }
}

/// Assemble matrices and sums over all local tetrahedra: the rows a rank owns are complete then.
static void assemble(IrzThermal *thermal, const IrzSides *sides, const double *recovered, const double *threshold) {
  const IrzSpace *space = thermal->space;
  const IrzPart *part = space->part;
  int32_t curved = 0;
  for (int32_t t = 0; t < part->n_tets; t++) {
    bool bent = curved < part->n_curved && part->curved_tet[curved] == t;
    int32_t dof[10];
    uint8_t skip[10];
    bool any = false;
    Element element;
    integrate(thermal, t, bent ? curved : -1, sides, recovered, threshold, &element);
    curved += bent;
    for (int i = 0; i < space->nodes; i++) {
      dof[i] = space->dof[part->tet[t][i]];
      skip[i] = thermal->fixed[dof[i]];
      any = any || skip[i];
    }
    irz_tangent_add(&thermal->mass, t, any ? skip : NULL, element.mass, 1, 0, space->n_owned);
    irz_tangent_add(&thermal->stiffness, t, any ? skip : NULL, element.stiff, 1, 0, space->n_owned);
    for (int j = 0; j < space->nodes; j++) {
      if (dof[j] >= space->n_owned) continue;
      thermal->metabolic[dof[j]] += element.metabolic[j];
      thermal->perfusion_sum[dof[j]] += element.perfusion[j];
      for (int i = 0; i < space->nodes; i++) {
        int k = irz_packed(space->nodes, i, j);
        thermal->mass_sum[dof[j]] += element.mass[k];
        if (!skip[i]) continue;
        thermal->fixed_mass[dof[j]] += element.mass[k];
        thermal->fixed_stiff[dof[j]] += element.stiff[k];
      }
    }
  }
  for (int p = 0; space->merged && p < thermal->plan->n_probes; p++) add_needle(thermal, p);
  for (int32_t row = 0; row < space->n_owned; row++) {
    if (thermal->fixed[row]) irz_tangent_diagonal(&thermal->mass, row, 1);
  }
}

/// Means of the basis functions, and of their products, over a tetrahedron.
static void fill_means(IrzThermal *thermal) {
  int nodes = thermal->space->nodes;
  for (int q = 0; q < irz_rule_fine.count; q++) {
    double value[10], weight = irz_rule_fine.weight[q];
    values_at(nodes, irz_rule_fine.point[q], value);
    for (int i = 0, k = 0; i < nodes; i++) {
      thermal->mean[i] += weight * value[i];
      for (int j = i; j < nodes; j++, k++) thermal->product[k] += weight * value[i] * value[j];
    }
  }
}

/// Allocate all but the thermal itself.
static IrzCode build(IrzThermal *thermal, int order, IrzError *error) {
  const IrzMedium *medium = thermal->medium;
  IRZ_TRY(irz_alloc(&thermal->tissue, (size_t)medium->n_regions, sizeof *thermal->tissue, error));
  for (int r = 0; r < medium->n_regions; r++) {
    thermal->tissue[r] = &thermal->plan->tissues[irz_plan_tissue(thermal->plan, medium->regions[r].name)];
  }
  /* A metal needle has one temperature: steel conducts heat thirty times better than tissue. */
  bool merged = thermal->plan->heat.needles == IRZ_NEEDLES_METAL;
  IRZ_TRY(irz_space_create(medium->part, order, merged, 1, medium->general, NULL, &thermal->space, error));
  IRZ_TRY(irz_pattern_create(thermal->space, &thermal->mass.pattern, error));
  fill_means(thermal);
  const IrzPattern *pattern = thermal->stiffness.pattern = thermal->mass.pattern;
  size_t owned = (size_t)thermal->space->n_owned, in_a = (size_t)pattern->ai[owned], in_b = (size_t)pattern->bi[owned];
  IRZ_TRY(irz_alloc(&thermal->mass.aa, in_a, sizeof(float), error));
  IRZ_TRY(irz_alloc(&thermal->mass.ba, in_b, sizeof(float), error));
  IRZ_TRY(irz_alloc(&thermal->stiffness.aa, in_a, sizeof(float), error));
  IRZ_TRY(irz_alloc(&thermal->stiffness.ba, in_b, sizeof(float), error));
  IRZ_TRY(irz_alloc(&thermal->fixed, (size_t)thermal->space->n_local, 1, error));
  IRZ_TRY(irz_alloc(&thermal->metabolic, owned, sizeof(double), error));
  IRZ_TRY(irz_alloc(&thermal->mass_sum, owned, sizeof(double), error));
  IRZ_TRY(irz_alloc(&thermal->perfusion_sum, owned, sizeof(double), error));
  IRZ_TRY(irz_alloc(&thermal->fixed_mass, owned, sizeof(double), error));
  return irz_alloc(&thermal->fixed_stiff, owned, sizeof(double), error);
}

IrzCode irz_thermal_create(const IrzMedium *medium, const IrzPlan *plan, int order, const IrzSides *sides,
                           const double *recovered, const double *threshold, IrzThermal **thermal, IrzError *error) {
  IrzThermal *t = NULL;
  *thermal = NULL;
  IrzCode code = irz_alloc(&t, 1, sizeof *t, error);
  if (code == IRZ_OK) {
    t->medium = medium;
    t->plan = plan;
    build(t, order, error);
  }
  code = irz_error_agree(medium->part->comm, error);
  if (code == IRZ_OK) code = find_fixed(t, error);
  if (code == IRZ_OK) assemble(t, sides, recovered, threshold);
  if (code != IRZ_OK)
    irz_thermal_free(t);
  else
    *thermal = t;
  return code;
}

/// E . J, W/m^3.
static double joule_density(const IrzLaw *law, const IrzLawMemory *memory, const double g[3]) {
  double square = g[0] * g[0] + g[1] * g[1] + g[2] * g[2], sigma[6];
  if (law->direction == IRZ_LAW_ISOTROPIC) return square * fmax(irz_law_sigma(law, sqrt(square), NULL), memory->least);
  irz_law_tensor(law, g, memory, sigma, NULL);
  return irz_tensor_square(sigma, g);
}

/// Heat of one tetrahedron at the points of a rule, W.
static void tet_heat(const IrzMedium *medium, int32_t tet, int32_t curved, const IrzRule *rule, int order,
                     const IrzLaw *const *laws, const IrzPoints *floor, const double *potential, double *heat) {
  int32_t general = medium->general[tet] - 1;
  Shape s;
  double u[10];
  shape_of(medium->part, tet, curved, &s);
  for (int i = 0; i < 10; i++) u[i] = potential[medium->part->tet[tet][i]];
  for (int q = 0; q < rule->count; q++) {
    double g[3];
    double w = rule->weight[q] / 6 * potential_gradient(&s, order == 2 ? 10 : 4, u, rule->point[q], g);
    int region = general >= 0 ? medium->point_region[medium->first_point[general] + q] : medium->region[tet];
    const IrzLawMemory memory = irz_points_memory(medium, floor, tet, q);
    heat[q] = w * joule_density(laws[region], &memory, g);
  }
}

void irz_thermal_joule(int count, const IrzThermal *const *thermals, int order, const IrzLaw *const *laws,
                       const IrzPoints *floor, const double *scale, const double *potential, double *const *loads) {
  const IrzMedium *medium = thermals[0]->medium;
  const IrzPart *part = medium->part;
  int32_t curved = 0;
  for (int k = 0; k < count; k++) memset(loads[k], 0, (size_t)thermals[k]->space->n_owned * sizeof **loads);
  for (int32_t t = 0; t < part->n_tets; t++) {
    bool bent = curved < part->n_curved && part->curved_tet[curved] == t;
    int32_t general = medium->general[t] - 1;
    /* The electric kernel's own points, so that the heat is what the generator delivers, to rounding. */
    const IrzRule *rule = general >= 0 ? irz_medium_rule(medium, general) : &irz_rule_fast;
    double heat[MAX_POINTS];
    tet_heat(medium, t, bent ? curved : -1, rule, order, laws, floor, potential, heat);
    curved += bent;
    for (int k = 0; k < count; k++) {
      const IrzSpace *space = thermals[k]->space;
      for (int q = 0; q < rule->count; q++) {
        double value[10], here = heat[q] * (scale != NULL ? scale[t] : 1);
        values_at(space->nodes, rule->point[q], value);
        for (int i = 0; i < space->nodes; i++) {
          int32_t dof = space->dof[part->tet[t][i]];
          if (dof < space->n_owned) loads[k][dof] += here * value[i];
        }
      }
    }
  }
}

void irz_thermal_scale(const IrzThermal *thermal, const double *node, double *scale) {
  const IrzPart *part = thermal->medium->part;
  for (int32_t t = 0; t < part->n_tets; t++) {
    const int32_t *v = part->tet[t];
    double middle = 0.25 * (node[v[0]] + node[v[1]] + node[v[2]] + node[v[3]]);
    double rise = thermal->tissue[thermal->medium->region[t]]->heat.sigma_rise;
    scale[t] = fmax(0.1, 1 + rise * (middle - 37));
  }
}

void irz_thermal_rise(const IrzThermal *thermal, double *rise) {
  const IrzPart *part = thermal->medium->part;
  const IrzSpace *space = thermal->space;
  memset(rise, 0, (size_t)space->n_owned * sizeof *rise);
  for (int32_t t = 0; t < part->n_tets; t++) {
    double here = thermal->tissue[thermal->medium->region[t]]->heat.sigma_rise;
    for (int i = 0; i < space->nodes; i++) {
      int32_t dof = space->dof[part->tet[t][i]];
      if (dof < space->n_owned && here > rise[dof]) rise[dof] = here;
    }
  }
}

void irz_thermal_free(IrzThermal *thermal) {
  if (thermal == NULL) return;
  irz_pattern_free(thermal->mass.pattern);
  free(thermal->mass.aa);
  free(thermal->mass.ba);
  free(thermal->stiffness.aa);
  free(thermal->stiffness.ba);
  irz_space_free(thermal->space);
  free((void *)thermal->tissue);
  free(thermal->fixed);
  free(thermal->metabolic);
  free(thermal->mass_sum);
  free(thermal->perfusion_sum);
  free(thermal->fixed_mass);
  free(thermal->fixed_stiff);
  free(thermal);
}
