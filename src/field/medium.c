/* Regions at quadrature points; see medium.h. */
#include "field/medium.h"
#include "base/memory.h"
#include "field/element.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FAR IRZ_RULE_FAR
#define NEAR IRZ_RULE_NEAR
static const double fast_points[4][4] = {
    {FAR, NEAR, NEAR, NEAR}, {NEAR, FAR, NEAR, NEAR}, {NEAR, NEAR, FAR, NEAR}, {NEAR, NEAR, NEAR, FAR}};
static const double fast_weights[4] = {0.25, 0.25, 0.25, 0.25};
const IrzRule irz_rule_fast = {4, fast_points, fast_weights};

/* Degree 5, 14 points, all weights positive: N. J. Walkington, Quadrature on simplices of arbitrary dimension, 2000.
   The unit test integrates all monomials up to degree 5. */
#define A1 0.31088591926330060980
#define B1 0.067342242210098170608
#define W1 0.11268792571801585080
#define A2 0.092735250310891226402
#define B2 0.72179424906732632079
#define W2 0.073493043116361949544
#define A3 0.045503704125649649492
#define B3 0.45449629587435035051
#define W3 0.042546020777081466438
static const double curved_points[14][4] = {{A1, A1, A1, B1}, {A1, A1, B1, A1}, {A1, B1, A1, A1}, {B1, A1, A1, A1},
                                            {A2, A2, A2, B2}, {A2, A2, B2, A2}, {A2, B2, A2, A2}, {B2, A2, A2, A2},
                                            {A3, A3, B3, B3}, {A3, B3, A3, B3}, {A3, B3, B3, A3}, {B3, A3, A3, B3},
                                            {B3, A3, B3, A3}, {B3, B3, A3, A3}};
static const double curved_weights[14] = {W1, W1, W1, W1, W2, W2, W2, W2, W3, W3, W3, W3, W3, W3};
const IrzRule irz_rule_fine = {14, curved_points, curved_weights};

/* The four-point rule on the eight children: corners cut at the edges' middles, and the octahedron between them in
   four along the diagonal 02-13. Children by their corners, as sums of two vertices. */
static const int children[8][4][2] = {{{0, 0}, {0, 1}, {0, 2}, {0, 3}}, {{1, 1}, {0, 1}, {1, 2}, {1, 3}},
                                      {{2, 2}, {0, 2}, {1, 2}, {2, 3}}, {{3, 3}, {0, 3}, {1, 3}, {2, 3}},
                                      {{0, 2}, {1, 3}, {0, 1}, {1, 2}}, {{0, 2}, {1, 3}, {1, 2}, {2, 3}},
                                      {{0, 2}, {1, 3}, {2, 3}, {0, 3}}, {{0, 2}, {1, 3}, {0, 3}, {0, 1}}};
static double mixed_points[32][4];
static double mixed_weights[32];
static const IrzRule rule_mixed = {32, (const double (*)[4])mixed_points, mixed_weights};

static void make_mixed_rule(void) {
  if (mixed_weights[0] > 0) return;
  for (int c = 0; c < 8; c++) {
    for (int q = 0; q < 4; q++) {
      double *point = mixed_points[4 * c + q];
      memset(point, 0, 4 * sizeof *point);
      for (int corner = 0; corner < 4; corner++) {
        point[children[c][corner][0]] += 0.5 * fast_points[q][corner];
        point[children[c][corner][1]] += 0.5 * fast_points[q][corner];
      }
    }
  }
  for (int q = 0; q < 32; q++) mixed_weights[q] = 1.0 / 32;
}

const IrzRule *irz_medium_rule(const IrzMedium *medium, int32_t general) {
  return medium->mixed[general] ? &rule_mixed : &irz_rule_fast;
}

void irz_part_nodes(const IrzPart *part, int32_t tet, int32_t curved, double node[10][3]) {
  for (int i = 0; i < 4; i++) memcpy(node[i], part->xyz + 3 * (size_t)part->tet[tet][i], 3 * sizeof(double));
  if (curved >= 0) {
    memcpy(node[4], part->curved_xyz[curved], 18 * sizeof(double));
    return;
  }
  for (int e = 0; e < 6; e++) {
    for (int d = 0; d < 3; d++) {
      node[4 + e][d] = 0.5 * (node[irz_edge_vertices[e][0]][d] + node[irz_edge_vertices[e][1]][d]);
    }
  }
}

void irz_tet_position(double node[10][3], bool bent, const double l[4], double x[3]) {
  for (int d = 0; d < 3; d++) {
    x[d] = 0;
    for (int i = 0; i < 4; i++) x[d] += (bent ? l[i] * (2 * l[i] - 1) : l[i]) * node[i][d];
    if (!bent) continue;
    for (int e = 0; e < 6; e++) x[d] += 4 * l[irz_edge_vertices[e][0]] * l[irz_edge_vertices[e][1]] * node[4 + e][d];
  }
}

double irz_tet_volume(const double a[3], const double b[3], const double c[3], const double d[3]) {
  double e[3][3];
  for (int k = 0; k < 3; k++) {
    e[0][k] = b[k] - a[k];
    e[1][k] = c[k] - a[k];
    e[2][k] = d[k] - a[k];
  }
  return fabs(e[0][0] * (e[1][1] * e[2][2] - e[1][2] * e[2][1]) - e[0][1] * (e[1][0] * e[2][2] - e[1][2] * e[2][0]) +
              e[0][2] * (e[1][0] * e[2][1] - e[1][1] * e[2][0])) /
         6;
}

/// Regions of a map at the points of the finer rule; how many different ones.
static int sample(const IrzLabelMap *labels, const IrzPart *part, int32_t tet, int32_t curved, uint8_t region[32]) {
  double node[10][3], low[3], high[3];
  irz_part_nodes(part, tet, curved, node);
  for (int d = 0; d < 3; d++) {
    low[d] = high[d] = node[0][d];
    for (int i = 1; i < 10; i++) {
      low[d] = fmin(low[d], node[i][d]);
      high[d] = fmax(high[d], node[i][d]);
    }
  }
  int whole = irz_label_map_uniform(labels, low, high), different = 1;
  for (int q = 0; q < 32; q++) {
    if (whole >= 0) {
      region[q] = (uint8_t)whole;
      continue;
    }
    double x[3];
    irz_tet_position(node, curved >= 0, mixed_points[q], x);
    region[q] = (uint8_t)irz_label_map_region(labels, x);
    if (q > 0 && region[q] != region[q - 1]) different = 2;
  }
  return different;
}

/// Most frequent of 32 values.
static uint8_t most(const uint8_t region[32]) {
  int best = 0, best_count = 0;
  for (int i = 0; i < 32; i++) {
    int count = 0;
    for (int j = 0; j < 32; j++) count += region[j] == region[i];
    if (count > best_count) {
      best = i;
      best_count = count;
    }
  }
  return region[best];
}

static IrzCode fill(IrzMedium *m, const IrzLabelMap *labels, IrzError *error) {
  const IrzPart *part = m->part;
  size_t n = (size_t)part->n_tets, room = 0, points = 0;
  uint8_t region[32];
  IRZ_TRY(irz_alloc(&m->region, n, 1, error));
  IRZ_TRY(irz_alloc(&m->general, n, sizeof *m->general, error));
  IRZ_TRY(irz_alloc(&m->first_point, 1, sizeof *m->first_point, error));
  size_t point_room = 0;
  int32_t curved = 0;
  for (int32_t t = 0; t < part->n_tets; t++) {
    bool bent = curved < part->n_curved && part->curved_tet[curved] == t;
    bool known = labels == NULL || part->fitted[t];
    bool mixed = !known && sample(labels, part, t, bent ? curved : -1, region) > 1;
    m->region[t] = known ? part->region[t] : mixed ? most(region) : region[0];
    if (bent || mixed) {
      if ((size_t)m->n_general == room) {
        room = 2 * room + 1024;
        IRZ_TRY(irz_resize(&m->tet, room, sizeof *m->tet, error));
        IRZ_TRY(irz_resize(&m->mixed, room, 1, error));
        IRZ_TRY(irz_resize(&m->bent, room, 1, error));
        IRZ_TRY(irz_resize(&m->first_point, room + 1, sizeof *m->first_point, error));
      }
      if (points + 32 > point_room) {
        point_room = 2 * point_room + 32 * 1024;
        IRZ_TRY(irz_resize(&m->point_region, point_room, 1, error));
      }
      int32_t g = m->n_general++;
      m->general[t] = 1 + g;
      m->tet[g] = t;
      m->mixed[g] = mixed;
      m->bent[g] = bent;
      m->first_point[g] = (int32_t)points;
      int count = irz_medium_rule(m, g)->count;
      for (int q = 0; q < count; q++) m->point_region[points++] = mixed ? region[q] : m->region[t];
      m->first_point[g + 1] = (int32_t)points;
    }
    curved += bent;
  }
  return IRZ_OK;
}

/// Work out the maps of the curved tetrahedra.
static IrzCode make_maps(IrzMedium *m, IrzError *error) {
  int32_t count = 0, curved = 0;
  IRZ_TRY(irz_alloc(&m->first_map, (size_t)m->n_general, sizeof *m->first_map, error));
  for (int32_t g = 0; g < m->n_general; g++) {
    m->first_map[g] = count;
    if (m->bent[g]) count += irz_medium_rule(m, g)->count;
  }
  IRZ_TRY(irz_alloc(&m->map, (size_t)count, sizeof *m->map, error));
  for (int32_t g = 0; g < m->n_general; g++) {
    const IrzRule *rule = irz_medium_rule(m, g);
    double node[10][3], d[10][3];
    if (!m->bent[g]) continue;
    while (m->part->curved_tet[curved] < m->tet[g]) curved++;
    irz_part_nodes(m->part, m->tet[g], curved, node);
    for (int q = 0; q < rule->count; q++) {
      IrzMap *map = &m->map[m->first_map[g] + q];
      irz_reference_gradients(rule->point[q], d);
      map->det = irz_inverse_map(node, true, d, map->inverse);
    }
  }
  return IRZ_OK;
}

IrzCode irz_medium_create(const IrzPart *part, const IrzLabelMap *labels, IrzMedium **medium, IrzError *error) {
  IrzMedium *m = NULL;
  *medium = NULL;
  make_mixed_rule();
  IRZ_TRY(irz_alloc(&m, 1, sizeof *m, error));
  m->part = part;
  m->n_regions = labels != NULL ? labels->n_regions : part->n_regions;
  IrzCode code = irz_alloc(&m->regions, (size_t)m->n_regions, sizeof *m->regions, error);
  if (code == IRZ_OK) {
    memcpy(m->regions, labels != NULL ? labels->regions : part->regions, (size_t)m->n_regions * sizeof *m->regions);
    code = fill(m, labels, error);
  }
  if (code == IRZ_OK) code = make_maps(m, error);
  if (code != IRZ_OK)
    irz_medium_free(m);
  else
    *medium = m;
  return code;
}

void irz_medium_free(IrzMedium *medium) {
  if (medium == NULL) return;
  free(medium->regions);
  free(medium->region);
  free(medium->general);
  free(medium->tet);
  free(medium->mixed);
  free(medium->bent);
  free(medium->first_point);
  free(medium->point_region);
  free(medium->first_map);
  free(medium->map);
  free(medium);
}
