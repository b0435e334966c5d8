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

IrzCode irz_points_create(const IrzMedium *medium, const IrzLaw *const *laws, IrzPoints *points, IrzError *error) {
  bool along = false;
  for (int r = 0; r < medium->n_regions; r++) along = along || laws[r]->direction == IRZ_LAW_ALONG;
  if (points->fast == NULL) IRZ_TRY(irz_alloc(&points->fast, n_fast(medium), sizeof(double), error));
  if (points->general == NULL) IRZ_TRY(irz_alloc(&points->general, n_general(medium), sizeof(double), error));
  if (along && points->fast_rise == NULL) {
    IRZ_TRY(irz_alloc(&points->fast_rise, n_fast(medium), sizeof *points->fast_rise, error));
  }
  if (along && points->general_rise == NULL) {
    IRZ_TRY(irz_alloc(&points->general_rise, n_general(medium), sizeof *points->general_rise, error));
  }
  return IRZ_OK;
}

void irz_points_clear(const IrzMedium *medium, IrzPoints *points) {
  memset(points->fast, 0, n_fast(medium) * sizeof(double));
  memset(points->general, 0, n_general(medium) * sizeof(double));
  if (points->fast_rise != NULL) memset(points->fast_rise, 0, n_fast(medium) * sizeof *points->fast_rise);
  if (points->general_rise != NULL) memset(points->general_rise, 0, n_general(medium) * sizeof *points->general_rise);
}

/// Add to a remembered rise what the field has raised the conductivity by along itself.
static void remember_rise(const IrzLaw *law, const double field[3], double rise[6]) {
  const IrzLawMemory memory = {0, rise};
  double rest[6], now[6];
  const double zero[3] = {0, 0, 0};
  irz_law_tensor(law, zero, &memory, rest, NULL);
  irz_law_tensor(law, field, &memory, now, NULL);
  for (int k = 0; k < 6; k++) rise[k] += now[k] - rest[k];
}

void irz_points_remember(const IrzMedium *medium, int order, const IrzLaw *const *laws, const double *node,
                         IrzPoints *floor) {
  const IrzPart *part = medium->part;
  int32_t curved = 0;
  for (int32_t t = 0; t < part->n_tets; t++) {
    bool bent = curved < part->n_curved && part->curved_tet[curved] == t;
    int32_t general = medium->general[t] - 1;
    const IrzRule *rule = general >= 0 ? irz_medium_rule(medium, general) : &irz_rule_fast;
    size_t first = general >= 0 ? (size_t)medium->first_point[general] : 4 * (size_t)t;
    double *values = (general >= 0 ? floor->general : floor->fast) + first;
    double(*rises)[6] = general >= 0 ? floor->general_rise : floor->fast_rise;
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
      if (laws[region]->direction == IRZ_LAW_ALONG) remember_rise(laws[region], g, rises[first + (size_t)q]);
    }
  }
}

void irz_points_free(IrzPoints *points) {
  free(points->fast);
  free(points->general);
  free(points->fast_rise);
  free(points->general_rise);
  *points = (IrzPoints){0};
}
