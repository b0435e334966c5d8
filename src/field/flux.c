/* Currents of their own; see flux.h. */
#include "field/flux.h"
#include "base/memory.h"
#include "base/tensor.h"
#include "base/threads.h"
#include "field/kernel.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- The law read backwards ---- */

/// Bounds on sigma(E) of a law.
static void sigma_bounds(const IrzLaw *law, double *low, double *high) {
  *low = fmin(law->low, law->high);
  *high = fmax(law->low, law->high);
  if (law->kind != IRZ_LAW_TABLE) return;
  *low = *high = law->sigma[0];
  for (int i = 1; i < law->n_points; i++) {
    *low = fmin(*low, law->sigma[i]);
    *high = fmax(*high, law->sigma[i]);
  }
}

/// The field at which (s + r (E - e)) E is a given current density, of a piece of a law that begins at e.
static double field_in_piece(double e, double s, double r, double density) {
  double at_zero = s - r * e, root = sqrt(at_zero * at_zero + 4 * r * density);
  return at_zero > 0 ? 2 * density / (at_zero + root) : (root - at_zero) / (2 * r);
}

/// The same for a law made of straight pieces: `field` and `sigma` at their ends, constant beyond.
static double field_in_pieces(int n, const double *field, const double *sigma, double density, double *slope) {
  *slope = 0;
  if (density <= sigma[0] * field[0]) return density / sigma[0];
  if (density >= sigma[n - 1] * field[n - 1]) return density / sigma[n - 1];
  int i = 0;
  while (density >= sigma[i + 1] * field[i + 1]) i++;
  *slope = (sigma[i + 1] - sigma[i]) / (field[i + 1] - field[i]);
  double e = *slope != 0 ? field_in_piece(field[i], sigma[i], *slope, density) : density / sigma[i];
  return fmin(field[i + 1], fmax(field[i], e));
}

/// The same for a smooth law: Newton's method within bounds that close in, as the current density grows with the field.
static double field_by_steps(const IrzLaw *law, double density, double *slope) {
  double sigma_low, sigma_high;
  sigma_bounds(law, &sigma_low, &sigma_high);
  double low = density / sigma_high, high = density / sigma_low, e = high, first = low; /* most points are at an end */
  for (int step = 0; step < 200; step++) {
    double sigma = irz_law_sigma(law, e, slope), off = sigma * e - density, width = high - low;
    if (off > 0)
      high = e;
    else
      low = e;
    if (off == 0 || high - low <= 4e-16 * high) break;
    double next = e - off / (sigma + *slope * e);
    if (!(next > low && next < high) || high - low > 0.6 * width) next = step == 0 ? first : 0.5 * (low + high);
    if (fabs(next - e) <= 1e-15 * e) break;
    e = next;
  }
  return e;
}

/// Find the field at which max(sigma(E), least) E is a given current density.
/// @param[out] slope  of max(sigma, least) there
static double field_of(const IrzLaw *law, double least, double density, double *slope) {
  const double ends[] = {law->p, law->q}, values[] = {law->low, law->high};
  double e;
  if (law->kind == IRZ_LAW_RAMP)
    e = field_in_pieces(2, ends, values, density, slope);
  else if (law->kind == IRZ_LAW_TABLE)
    e = field_in_pieces(law->n_points, law->field, law->sigma, density, slope);
  else
    e = field_by_steps(law, density, slope);
  if (e * least <= density) return e;
  *slope = 0;
  return density / least;
}

/// The inverse of a symmetric tensor, applied.
static void solve_tensor(const double t[6], const double v[3], double out[3]) {
  double a = t[1] * t[2] - t[4] * t[4], b = t[4] * t[5] - t[3] * t[2], c = t[3] * t[4] - t[1] * t[5];
  double det = t[0] * a + t[3] * b + t[5] * c;
  double d = t[0] * t[2] - t[5] * t[5], e = t[3] * t[5] - t[0] * t[4], f = t[0] * t[1] - t[3] * t[3];
  out[0] = (a * v[0] + b * v[1] + c * v[2]) / det;
  out[1] = (b * v[0] + d * v[1] + e * v[2]) / det;
  out[2] = (c * v[0] + e * v[1] + f * v[2]) / det;
}

/// N of J = sigma N E.
static const double *shape_of(const IrzLaw *law) {
  static const double identity[6] = {1, 1, 1, 0, 0, 0};
  return law->direction == IRZ_LAW_SCALED ? law->shape : identity;
}

double irz_flux_point(const IrzLaw *law, const IrzLawMemory *memory, const double flux[3], double bound,
                      const double gradient[3], double current[3], double tangent[6]) {
  const double *shape = shape_of(law), least = memory->least;
  double along[3], slope;
  solve_tensor(shape, flux, along);
  double density = sqrt(along[0] * along[0] + along[1] * along[1] + along[2] * along[2]);
  double field = density > 0 ? field_of(law, least, density, &slope) : 0;
  double secant = field > 0 ? density / field : fmax(irz_law_sigma(law, 0, NULL), least);
  for (int k = 0; k < 6; k++) tangent[k] = secant * shape[k];
  double off[3], step[3];
  for (int d = 0; d < 3; d++) {
    along[d] = field > 0 ? along[d] / density : 0; /* the field's direction from here on */
    off[d] = gradient[d] - field * along[d];
  }
  if (field > 0) {
    double more = fmin(slope * field, bound * secant), turned[3];
    irz_tensor_apply(shape, along, turned);
    irz_tensor_add(tangent, more, turned, along);
  }
  irz_tensor_apply(tangent, off, step);
  for (int d = 0; d < 3; d++) current[d] = flux[d] + step[d];
  return secant * (off[0] * off[0] + off[1] * off[1] + off[2] * off[2]);
}

/// J of the direction of the field, between what the least and the largest conductivity of the law would let flow.
static void confine(const IrzLaw *law, const IrzLawMemory *memory, const double gradient[3], const double current[3],
                    double flux[3]) {
  const double *shape = shape_of(law);
  double low, high, along[3], product = 0, square = 0;
  sigma_bounds(law, &low, &high);
  low = fmax(low, memory->least);
  high = fmax(high, memory->least);
  solve_tensor(shape, current, along);
  for (int d = 0; d < 3; d++) product += along[d] * gradient[d];
  for (int d = 0; d < 3; d++) square += gradient[d] * gradient[d];
  double sigma = square > 0 ? fmin(high, fmax(low, product / square)) : low;
  irz_tensor_apply(shape, gradient, flux);
  for (int d = 0; d < 3; d++) flux[d] *= sigma;
}

/* ---- All points ---- */

bool irz_flux_serves(const IrzMedium *medium, const IrzLaw *const *laws) {
  bool any = false;
  for (int r = 0; r < medium->n_regions; r++) {
    if (laws[r]->direction == IRZ_LAW_ALONG) return false;
    any = any || irz_law_steepness(laws[r], NULL) > IRZ_STEEP;
  }
  return any;
}

IrzCode irz_flux_create(const IrzMedium *medium, IrzFlux *flux, IrzError *error) {
  IRZ_TRY(irz_alloc(&flux->fast, 4 * (size_t)medium->part->n_tets, sizeof *flux->fast, error));
  return irz_alloc(&flux->general, (size_t)medium->first_point[medium->n_general], sizeof *flux->general, error);
}

/// Let all points of a tetrahedron follow a potential, or begin with it.
/// @return integral of irz_flux_point()'s number
static double follow_tet(const IrzFluxTask *task, int32_t tet, int32_t curved, const double *node, bool start,
                         IrzFlux *flux) {
  const IrzMedium *medium = task->medium;
  int32_t general = medium->general[tet] - 1;
  const IrzRule *rule = general >= 0 ? irz_medium_rule(medium, general) : &irz_rule_fast;
  /* At order 1 the field is the same in all of it, and the kernel takes one point. */
  int count = general >= 0 || task->order == 2 ? rule->count : 1;
  double x[10][3], u[10], sum = 0, factor = task->scale != NULL ? task->scale[tet] : 1;
  irz_part_nodes(medium->part, tet, curved, x);
  for (int i = 0; i < 10; i++) u[i] = node[medium->part->tet[tet][i]];
  for (int q = 0; q < count; q++) {
    int region = general >= 0 ? medium->point_region[medium->first_point[general] + q] : medium->region[tet];
    const IrzLawMemory memory = irz_points_memory(medium, task->floor, tet, q);
    double *own = (double *)irz_flux_at(medium, flux, tet, q), g[3], current[3], tensor[6];
    double det = irz_gradient(x, curved >= 0, task->order == 2 ? 10 : 4, u, rule->point[q], g);
    if (start) {
      irz_law_tensor(task->laws[region], g, &memory, tensor, NULL);
      irz_tensor_apply(tensor, g, own);
      continue;
    }
    double off = irz_flux_point(task->laws[region], &memory, own, flux->bound, g, current, tensor);
    sum += factor * (count > 1 ? rule->weight[q] : 1) * det / 6 * off;
    confine(task->laws[region], &memory, g, current, own);
  }
  return sum;
}

/// All tetrahedra, in chunks that are added up in order.
static double follow(const IrzFluxTask *task, const double *node, bool start, IrzFlux *flux) {
  enum { CHUNKS = 64 };
  const IrzPart *part = task->medium->part;
  double sums[CHUNKS] = {0}, sum = 0;
#pragma omp parallel for num_threads(irz_threads(task->n_threads)) schedule(dynamic)
  for (int k = 0; k < CHUNKS; k++) {
    int32_t first = (int32_t)((int64_t)part->n_tets * k / CHUNKS);
    int32_t last = (int32_t)((int64_t)part->n_tets * (k + 1) / CHUNKS), curved = 0;
    while (curved < part->n_curved && part->curved_tet[curved] < first) curved++;
    for (int32_t t = first; t < last; t++) {
      bool bent = curved < part->n_curved && part->curved_tet[curved] == t;
      double its = follow_tet(task, t, bent ? curved : -1, node, start, flux);
      curved += bent;
      sums[k] += part->mine[t] ? its : 0;
    }
  }
  for (int k = 0; k < CHUNKS; k++) sum += sums[k];
  return sum;
}

void irz_flux_start(const IrzFluxTask *task, const double *node, IrzFlux *flux) {
  follow(task, node, true, flux);
}

double irz_flux_follow(const IrzFluxTask *task, const double *node, IrzFlux *flux) {
  return follow(task, node, false, flux);
}

void irz_flux_free(IrzFlux *flux) {
  free(flux->fast);
  free(flux->general);
  *flux = (IrzFlux){NULL, NULL, 0};
}
