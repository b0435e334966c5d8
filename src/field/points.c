/* Numbers at quadrature points; see points.h. */
#include "field/points.h"
#include "base/memory.h"
#include "field/kernel.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t n_fast(const IrzMedium *medium) {
  return 4 * (size_t)medium->part->n_tets;
}

static size_t n_general(const IrzMedium *medium) {
  return (size_t)medium->first_point[medium->n_general];
}

IrzCode irz_points_create(const IrzMedium *medium, IrzPoints *points, IrzError *error) {
  IRZ_TRY(irz_alloc(&points->fast, n_fast(medium), sizeof(double), error));
  return irz_alloc(&points->general, n_general(medium), sizeof(double), error);
}

void irz_points_clear(const IrzMedium *medium, IrzPoints *points) {
  memset(points->fast, 0, n_fast(medium) * sizeof(double));
  memset(points->general, 0, n_general(medium) * sizeof(double));
}

void irz_points_remember(const IrzMedium *medium, int order, const IrzLaw *const *laws, const double *node,
                         IrzPoints *floor) {
  const IrzPart *part = medium->part;
  int32_t curved = 0;
  for (int32_t t = 0; t < part->n_tets; t++) {
    bool bent = curved < part->n_curved && part->curved_tet[curved] == t;
    int32_t general = medium->general[t] - 1;
    const IrzRule *rule = general >= 0 ? irz_medium_rule(medium, general) : &irz_rule_fast;
    double *values = general >= 0 ? floor->general + medium->first_point[general] : floor->fast + 4 * (size_t)t;
    double x[10][3], u[10];
    irz_part_nodes(part, t, bent ? curved : -1, x);
    curved += bent;
    for (int i = 0; i < 10; i++) u[i] = node[part->tet[t][i]];
    for (int q = 0; q < rule->count; q++) {
      int region = general >= 0 ? medium->point_region[medium->first_point[general] + q] : medium->region[t];
      double g[3];
      irz_gradient(x, bent, order == 2 ? 10 : 4, u, rule->point[q], g);
      double sigma = irz_law_sigma(laws[region], sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]), NULL);
      values[q] = fmax(values[q], sigma);
    }
  }
}

void irz_points_free(IrzPoints *points) {
  free(points->fast);
  free(points->general);
  points->fast = points->general = NULL;
}
