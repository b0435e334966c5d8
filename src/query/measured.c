/* The measured field at points; see measured.h. */
#include "query/measured.h"
#include "field/kernel.h"
#include <math.h>

void irz_measured_move(const IrzMeasured *measured, int32_t tet, int32_t curved, IrzMeasuredCell *cell) {
  cell->bent = curved >= 0;
  irz_part_nodes(measured->medium->part, tet, curved, cell->node);
}

void irz_measured_make(const IrzMeasured *measured, int32_t tet, IrzMeasuredCell *cell) {
  const IrzMedium *medium = measured->medium;
  const int32_t *row = irz_tet_rows(measured->sides, medium->part, tet);
  cell->smooth = false;
  if (measured->order == 1) return;
  int32_t general = medium->general[tet] - 1;
  bool mixed = general >= 0 && medium->mixed[general];
  cell->smooth = irz_kinkless_make(&measured->law[medium->region[tet]], row, measured->sharp,
                                   mixed ? NULL : measured->along, &cell->kinkless);
  cell->largest = 0;
  for (int i = 0; i < 10; i++) cell->largest = fmax(cell->largest, measured->sharp[row[i]]);
}

/// The drawn field, linear between vertices.
static double drawn_field(const IrzMeasured *measured, int32_t tet, const double l[4]) {
  const int32_t *row = irz_tet_rows(measured->sides, measured->medium->part, tet);
  double sum = 0;
  for (int i = 0; i < 4; i++) sum += l[i] * measured->drawn[row[i]];
  return sum;
}

/// Largest element-wise |E| over the pulses.
static double element_field(const IrzMeasured *measured, int32_t tet, IrzMeasuredCell *cell, const double l[4]) {
  const int32_t *node = measured->medium->part->tet[tet];
  double largest = 0, g[3], u[10];
  for (int p = 0; p < measured->n_pulses; p++) {
    for (int i = 0; i < 10; i++) u[i] = measured->potential[p][node[i]];
    irz_gradient(cell->node, cell->bent, 10, u, l, g);
    largest = fmax(largest, sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]));
  }
  return largest;
}

bool irz_measured_reaches(const IrzMeasured *measured, int32_t tet, IrzMeasuredCell *cell, const double l[4],
                          double threshold) {
  if (measured->order == 1) return drawn_field(measured, tet, l) >= threshold;
  if (!cell->smooth) return element_field(measured, tet, cell, l) >= threshold;
  const IrzKinkless *kinkless = &cell->kinkless;
  return irz_quadratic(kinkless->value, l) >= irz_kinkless(kinkless->law, kinkless->along, threshold);
}

double irz_measured_field(const IrzMeasured *measured, int32_t tet, IrzMeasuredCell *cell, const double l[4]) {
  if (measured->order == 1) return drawn_field(measured, tet, l);
  if (!cell->smooth) return element_field(measured, tet, cell, l);
  const IrzKinkless *kinkless = &cell->kinkless;
  return irz_kinkless_field(kinkless->law, kinkless->along, irz_quadratic(kinkless->value, l), 0.5 * cell->largest,
                            cell->largest);
}
