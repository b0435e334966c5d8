/* The heating against exact solutions, its order in time, and its energy balance. */
#include "base/petsc.h"
#include "grid_mesh.h"
#include "heat/damage.h"
#include "heat/heat.h"
#include "heat/timeline.h"
#include "plan/plan.h"
#include "testing.h"

#define BLOOD_HEAT (1050.0 * 3617.0) /* J/(m^3 K) */

static const IrzLaw law = {.kind = IRZ_LAW_CONSTANT, .low = 0.5, .high = 0.5};

/// A problem with what is needed to run it.
typedef struct {
  IrzPlan plan;
  IrzTissue tissues[3];
  IrzPulse pulses[2];
  IrzMesh *mesh;
  const char *surfaces[3];
  double (*potential)(const double x[3]); ///< V; NULL: solved
} Case;

/// A finished run.
typedef struct {
  IrzPart *part;
  IrzMedium *medium;
  IrzHeatFields fields;
  IrzHeatResult result;
  double power;     ///< W, of the electric field
  double recovered; ///< V/m, |E| everywhere as the zone sees it
} Done;

/// One pulse a second of 0.1 ms, without pauses; nothing but conduction.
static void set_up(Case *c, const GridMesh *grid) {
  memset(c, 0, sizeof *c);
  c->mesh = grid != NULL ? grid_mesh(grid) : NULL;
  c->plan.tissues = c->tissues;
  c->plan.n_tissues = 1;
  c->plan.pulses = c->pulses;
  c->plan.n_pulses = 1;
  c->pulses[0] = (IrzPulse){.from = 0, .to = 1, .voltage = 1000, .count = 20, .width = 1e-4, .rate = 1};
  for (int t = 0; t < 3; t++) {
    snprintf(c->tissues[t].region, sizeof c->tissues[t].region, t == 0 ? "default" : "r%d", t);
    c->tissues[t].sigma = law;
    c->tissues[t].heat.density = 1000;
    c->tissues[t].heat.capacity = 3000;
    c->tissues[t].heat.conductivity = 0.5;
  }
  c->plan.heat = (IrzHeatPlan){.on = true,
                               .needles = IRZ_NEEDLES_INSULATING,
                               .outer = IRZ_OUTER_INSULATED,
                               .packet = 1000000,
                               .body = 37,
                               .initial = 37,
                               .order = 2,
                               .step = 1,
                               .frames = 1};
}

/// Solve the electric field, one potential for all pulses.
/// @param[out] field  to be freed
/// @param[out] u      [n_local of its space] to be freed
/// @return power, W
static double solve_field(const Case *c, const Done *done, double *potential, IrzField **field, double **u) {
  IrzError error = {0};
  const IrzLaw *laws[] = {&law, &law, &law};
  IrzReport report;
  IrzProblem problem = {.laws = laws, .tolerance = 1e-9};
  problem.fixed[0] = problem.fixed[1] = true;
  problem.potential[0] = c->pulses[0].voltage;
  assert_int_equal(irz_field_create(done->part, done->medium, 2, false, 1, field, &error), IRZ_OK);
  *u = calloc((size_t)irz_field_space(*field)->n_local, sizeof **u);
  IrzCode code = irz_field_solve(*field, &problem, false, *u, &report, &error);
  if (code != IRZ_OK) fail_msg("%s", error.text);
  irz_space_nodes(irz_field_space(*field), *u, potential);
  return report.power;
}

static void run(Case *c, Done *done) {
  IrzError error = {0};
  const IrzLaw *laws[] = {&law, &law, &law};
  double threshold[3] = {5e4, 5e4, 5e4}, voltage[2] = {1000, 1000};
  assert_int_equal(irz_part_create(PETSC_COMM_WORLD, c->mesh, c->plan.n_probes, c->surfaces, &done->part, &error), 0);
  assert_int_equal(irz_medium_create(done->part, NULL, &done->medium, &error), IRZ_OK);
  const IrzPart *part = done->part;
  size_t nodes = (size_t)part->n_vertices + (size_t)part->n_edges;
  double *potential = calloc(nodes, sizeof *potential), *recovered = calloc(nodes, sizeof *recovered);
  double *potentials[2] = {potential, potential};
  for (size_t i = 0; c->potential != NULL && i < nodes; i++) {
    double x[3];
    for (int d = 0; d < 3; d++) {
      const int32_t *e = i < (size_t)part->n_vertices ? NULL : part->edge + 2 * (i - (size_t)part->n_vertices);
      x[d] = e == NULL ? part->xyz[3 * i + (size_t)d] : 0.5 * (part->xyz[3 * e[0] + d] + part->xyz[3 * e[1] + d]);
    }
    potential[i] = c->potential(x);
  }
  for (size_t i = 0; i < nodes; i++) recovered[i] = done->recovered;
  IrzField *field = NULL;
  double *u = NULL;
  if (c->potential == NULL) done->power = solve_field(c, done, potential, &field, &u);
  double *unknown[2] = {u, u};
  IrzHeatTask task = {.plan = &c->plan,
                      .medium = done->medium,
                      .order = 2,
                      .laws = laws,
                      .potential = potentials,
                      .voltage = voltage,
                      .field = field,
                      .unknown = unknown,
                      .recovered = recovered,
                      .drawn = recovered,
                      .threshold = threshold};
  IrzCode code = irz_heat_run(&task, &done->fields, &done->result, &error);
  if (code != IRZ_OK) fail_msg("%s", error.text);
  irz_field_free(field);
  free(u);
  free(potential);
  free(recovered);
}

static void clean(Case *c, Done *done) {
  irz_heat_fields_clear(&done->fields);
  free(done->result.samples);
  irz_medium_free(done->medium);
  irz_part_free(done->part);
  irz_mesh_free(c->mesh);
}

/// The last temperature is `wanted` above the body's everywhere, within a relative tolerance.
static void check_uniform(const Done *done, double wanted, double relative) {
  for (int32_t i = 0; i < done->part->n_vertices + done->part->n_edges; i++) {
    assert_close(done->fields.frame[0][i] - 37, wanted, relative);
  }
}

/// What is stated must be within its stated error, and that must tell something.
static void check_stated(const char *what, double found, double error, double wanted, double most) {
  print_message("  %s: %.6g +- %.2g, exact %.6g\n", what, found, error, wanted);
  assert_true(fabs(found - wanted) <= error);
  assert_true(error <= most);
}

static double uniform(const double x[3]) {
  return 30000 * x[0]; /* 300 V/cm */
}

static double nothing(const double x[3]) {
  (void)x;
  return 0;
}

static const GridMesh box = {.n = {4, 3, 3}, .size = {0.04, 0.03, 0.03}, .shake = 0.2, .n_regions = 1};

/// Without conduction away the temperature rises by sigma E^2 times the time with voltage, over the heat capacity.
static void adiabatic(void **state) {
  (void)state;
  for (int order = 1; order <= 2; order++) {
    Case c;
    Done done = {0};
    set_up(&c, &box);
    c.potential = uniform;
    c.plan.heat.order = order;
    run(&c, &done);
    check_uniform(&done, 0.5 * 3e4 * 3e4 * 1e-4 * 20 / (1000 * 3000), 1e-4);
    clean(&c, &done);
  }
}

/// Error of T - Tb = Q / p (1 - exp(-p t / rho c)), p the heat that blood takes away, at the end of 20 s.
static double lumped_error(double step) {
  Case c;
  Done done = {0};
  set_up(&c, &box);
  c.potential = uniform;
  c.plan.heat.step = step;
  c.tissues[0].heat.perfusion = 3e5 / BLOOD_HEAT;
  run(&c, &done);
  double p = 3e5, wanted = 0.5 * 9e8 * 1e-4 / p * (1 - exp(-p * 20 / 3e6));
  if (step < 1) check_uniform(&done, wanted, 5e-3);
  double error = fabs(done.fields.frame[0][0] - 37 - wanted);
  clean(&c, &done);
  return error;
}

static void lumped_perfusion(void **state) {
  (void)state;
  lumped_error(0.5);
}

static void second_order(void **state) {
  (void)state;
  /* Steps come in twos: of 2.5 s eight, of 1.25 s sixteen. */
  double coarse = lumped_error(2.5), fine = lumped_error(1.25), rate = log2(coarse / fine);
  print_message("error %.3e K with steps of 2.5 s, %.3e K with 1.25 s: rate %.3f\n", coarse, fine, rate);
  assert_near(rate, 2, 0.15);
}

/// An angle of bricks, so that neither field nor temperature is simple.
static int angle(const double middle[3]) {
  return middle[0] > 0 && middle[1] > 0 ? -1 : 0;
}

static int angle_ends(const double x[3]) {
  if (fabs(x[1] - 0.01) < 1e-9 && x[0] < 0) return 0;
  return fabs(x[0] - 0.01) < 1e-9 ? 1 : -1;
}

/// Kohlrausch: with both electrodes at body temperature and all else insulated, T_max - Tb = sigma V^2 / 8 k in any
/// shape, at the middle of the voltage.
static void kohlrausch(void **state) {
  (void)state;
  const GridMesh grid = {.n = {12, 12, 4},
                         .size = {0.02, 0.02, 0.008},
                         .n_regions = 1,
                         .n_surfaces = 2,
                         .region = angle,
                         .surface = angle_ends};
  Case c;
  Done done = {0};
  set_up(&c, &grid);
  c.plan.n_probes = 2;
  c.surfaces[0] = "s0";
  c.surfaces[1] = "s1";
  c.plan.heat.needles = IRZ_NEEDLES_BODY;
  c.tissues[0].heat.capacity = 30; /* soon steady */
  c.pulses[0].count = 60;
  run(&c, &done);
  double wanted = 0.5 * 1e6 * 1e-4 / (8 * 0.5), found = done.result.samples[done.result.n_samples - 1].hottest - 37;
  print_message("highest temperature %.4f K above the electrodes, exact %.4f K\n", found, wanted);
  assert_close(found, wanted, 5e-3);
  check_stated("highest", done.result.peak - 37, done.result.peak_error, wanted, 0.02 * wanted);
  clean(&c, &done);
}

static int box_ends(const double x[3]) {
  return x[0] < -0.02 + 1e-9 ? 0 : x[0] > 0.02 - 1e-9 ? 1 : -1;
}

/// With the conductivity 1 + a (T - 37 C) coupled back, adiabatic heating is exponential: (exp(a q t) - 1) / a, q the
/// rise in K/s at 37 C; and the current grows as the conductivity.
static void coupled(void **state) {
  (void)state;
  GridMesh grid = box;
  grid.n_surfaces = 2;
  grid.surface = box_ends;
  Case c;
  Done done = {0};
  set_up(&c, &grid);
  c.plan.n_probes = 2;
  c.surfaces[0] = "s0";
  c.surfaces[1] = "s1";
  c.plan.heat.coupling = IRZ_COUPLING_FULL;
  c.tissues[0].heat.sigma_rise = 0.03;
  c.tissues[0].heat.capacity = 50;
  run(&c, &done);
  double q = 0.5 * 25000.0 * 25000.0 * 1e-4 / (1000 * 50), rise = (exp(0.03 * q * 20) - 1) / 0.03;
  const IrzHeatSample *first = &done.result.samples[1], *last = &done.result.samples[done.result.n_samples - 1];
  print_message("coupled: %.4f K, exact %.4f K; current from %.4f to %.4f A\n", done.result.peak - 37, rise,
                first->current, last->current);
  check_uniform(&done, rise, 5e-3);
  /* The last step's current belongs to its middle. */
  assert_close(last->current / (done.power / 1000), 1 + 0.03 * (exp(0.03 * q * 19.5) - 1) / 0.03, 5e-3);
  assert_true(done.result.field_solves > 0);
  clean(&c, &done);
}

/// Middle of a slab of 40 mm between walls at 0 that is heated evenly from time 0 on: Fourier's series.
static double slab_response(double heat, double conductivity, double diffusivity, double seconds) {
  const double length = 0.04;
  double sum = heat * length * length / (8 * conductivity);
  if (seconds <= 0) return 0;
  for (int n = 0; n < 200; n++) {
    double wave = (2 * n + 1) * M_PI / length;
    sum -= (n % 2 == 0 ? 1 : -1) * 4 * heat / (length * conductivity * pow(wave, 3)) *
           exp(-wave * wave * diffusivity * seconds);
  }
  return sum;
}

/// Packets, pauses and cooling in a slab between electrodes at body temperature: the highest temperature, at the end of
/// the last packet, from the responses to every switch; and the heat in between as the table tells it.
static void packets(void **state) {
  (void)state;
  const double heat = 0.5 * 9e8 * 1e-4, conductivity = 0.5, capacity = 300, diffusivity = conductivity / 3e5;
  GridMesh grid = {.n = {6, 2, 2}, .size = {0.04, 0.01, 0.01}, .shake = 0.2, .n_regions = 1};
  grid.n_surfaces = 2;
  grid.surface = box_ends;
  for (int order = 1; order <= 2; order++) {
    Case c;
    Done done = {0};
    set_up(&c, &grid);
    c.potential = uniform;
    c.plan.n_probes = 2;
    c.surfaces[0] = "s0";
    c.surfaces[1] = "s1";
    c.plan.heat.needles = IRZ_NEEDLES_BODY;
    c.plan.heat.order = order;
    c.plan.heat.packet = 8;
    c.plan.heat.recharge = 4;
    c.plan.heat.cooling = 10;
    c.tissues[0].heat.capacity = capacity;
    c.pulses[0].count = 64;
    run(&c, &done);
    double wanted = 0, end = 8 * 8 + 7 * 4;
    for (int k = 0; k < 8; k++) {
      wanted += slab_response(heat, conductivity, diffusivity, end - 12 * k);
      wanted -= slab_response(heat, conductivity, diffusivity, end - 12 * k - 8);
    }
    print_message("order %d, %d steps\n", order, done.result.steps);
    check_stated("highest", done.result.peak - 37, done.result.peak_error, wanted, 0.05 * wanted);
    assert_close(done.result.peak_time, end, 1e-9);
    clean(&c, &done);
  }
}

/* ---- A ball with a source in perfused tissue ---- */

enum { HALF = 6 };
static const double radius = 0.02, ball = 0.01, delta = 0.005, source = 2e5;

static int ball_region(const double middle[3]) {
  return fmax(fabs(middle[0]), fmax(fabs(middle[1]), fabs(middle[2]))) < ball ? 1 : 0;
}

static int whole_surface(const double x[3]) {
  return fmax(fabs(x[0]), fmax(fabs(x[1]), fabs(x[2]))) > radius - 1e-9 ? 0 : -1;
}

static double largest(const double x[3]) {
  return fmax(fabs(x[0]), fmax(fabs(x[1]), fabs(x[2])));
}

static int compare_edges(const void *a, const void *b) {
  return memcmp(a, b, 2 * sizeof(int32_t)) == 0 ? 0
         : ((const int32_t *)a)[0] != ((const int32_t *)b)[0]
             ? (((const int32_t *)a)[0] > ((const int32_t *)b)[0]) - (((const int32_t *)a)[0] < ((const int32_t *)b)[0])
             : (((const int32_t *)a)[1] > ((const int32_t *)b)[1]) -
                   (((const int32_t *)a)[1] < ((const int32_t *)b)[1]);
}

/// Turn a cube into a ball: layers of bricks become spherical shells, with curved edges.
static void round_off(IrzMesh *mesh) {
  int32_t(*edge)[2] = calloc(6 * (size_t)mesh->n_tets, sizeof *edge);
  size_t n = 0;
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    for (int e = 0; e < 6; e++) {
      int32_t a = mesh->tet[4 * t + irz_edge_vertices[e][0]], b = mesh->tet[4 * t + irz_edge_vertices[e][1]];
      const double *x = mesh->xyz + 3 * a, *y = mesh->xyz + 3 * b;
      double middle[3] = {0.5 * (x[0] + y[0]), 0.5 * (x[1] + y[1]), 0.5 * (x[2] + y[2])};
      if (fabs(largest(x) - largest(y)) > 1e-9 || fabs(largest(x) - largest(middle)) > 1e-9) continue;
      edge[n][0] = a < b ? a : b;
      edge[n++][1] = a < b ? b : a;
    }
  }
  qsort(edge, n, sizeof *edge, compare_edges);
  mesh->curved_edge = calloc(2 * n, sizeof *mesh->curved_edge);
  mesh->curved_xyz = calloc(3 * n, sizeof *mesh->curved_xyz);
  for (int32_t v = 0; v < mesh->n_vertices; v++) {
    double *x = mesh->xyz + 3 * v, length = sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]), factor = largest(x);
    for (int d = 0; d < 3 && length > 0; d++) x[d] *= factor / length;
  }
  for (size_t k = 0; k < n; k++) {
    if (k > 0 && compare_edges(edge[k], edge[k - 1]) == 0) continue;
    const double *x = mesh->xyz + 3 * edge[k][0], *y = mesh->xyz + 3 * edge[k][1];
    double *m = mesh->curved_xyz + 3 * mesh->n_curved, length = 0, r = sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]);
    for (int d = 0; d < 3; d++) length += 0.25 * (x[d] + y[d]) * (x[d] + y[d]);
    for (int d = 0; d < 3; d++) m[d] = 0.5 * (x[d] + y[d]) * r / sqrt(length);
    memcpy(mesh->curved_edge + 2 * mesh->n_curved++, edge[k], 2 * sizeof(int32_t));
  }
  free(edge);
}

/// Steady temperature above the body's: in the ball Q / p + A sinh(r / delta) / r, outside B sinh((R - r) / delta) / r,
/// which is exp(-r / delta) / r far from the wall; A and B from continuity of temperature and flux at the ball.
static double steady(double r) {
  double q = source / (0.5 / (delta * delta)), a = ball, far = radius - ball;
  double s = sinh(a / delta), c = cosh(a / delta) / delta, so = sinh(far / delta), co = -cosh(far / delta) / delta;
  /* q + A s / a = B so / a and A (c / a - s / a^2) = B (co / a - so / a^2) */
  double ratio = (co / a - so / (a * a)) / (c / a - s / (a * a)), b = q / (so / a - ratio * s / a), in = b * ratio;
  if (r >= a) return b * sinh((radius - r) / delta) / r;
  return r > 0 ? q + in * sinh(r / delta) / r : q + in / delta;
}

/// Radius of the ball that is warmer than a temperature above body, by bisection, for a source so many times as strong.
static double radius_of(double rise, double times) {
  double low = 0, high = radius;
  for (int k = 0; k < 100; k++) {
    double r = 0.5 * (low + high);
    if (times * steady(r) > rise)
      low = r;
    else
      high = r;
  }
  return low;
}

/// The ball at an order, with a source so many times as strong, for so long that it is steady.
static void run_ball(int order, double times, int seconds, double step, Case *c, Done *done) {
  const GridMesh grid = {.n = {2 * HALF, 2 * HALF, 2 * HALF},
                         .size = {0.04, 0.04, 0.04},
                         .n_regions = 2,
                         .n_surfaces = 1,
                         .region = ball_region,
                         .surface = whole_surface};
  set_up(c, &grid);
  round_off(c->mesh);
  snprintf(c->mesh->surfaces[0].name, sizeof c->mesh->surfaces[0].name, "outer");
  c->potential = nothing;
  c->plan.n_tissues = 2;
  for (int t = 0; t < 2; t++) {
    c->tissues[t].heat.perfusion = 0.5 / (delta * delta) / BLOOD_HEAT;
    c->tissues[t].heat.capacity = 20; /* soon steady: a time constant of 1 s */
  }
  c->tissues[1].heat.metabolic = times * source;
  c->plan.heat.outer = IRZ_OUTER_BODY;
  c->plan.heat.step = step;
  c->plan.heat.order = order;
  c->pulses[0].count = seconds;
  run(c, done);
}

static void perfused_sphere(void **state) {
  (void)state;
  Case c;
  Done done = {0};
  run_ball(2, 1, 20, 0.5, &c, &done);
  double worst = 0;
  for (int32_t v = 0; v < done.part->n_vertices; v++) {
    const double *x = done.part->xyz + 3 * v;
    double wanted = steady(sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]));
    worst = fmax(worst, fabs(done.fields.frame[0][v] - 37 - wanted));
  }
  print_message("largest error %.2e of the middle's %.3f K\n", worst / steady(0), steady(0));
  assert_near(worst, 0, 5e-3 * steady(0));
  clean(&c, &done);
}

/// The same, four times as hot: the highest temperature, and the volumes at 50 C and, as the temperature is steady for
/// most of the time, of damage, which rate times time tells. At both orders within the stated errors.
static void stated_errors(void **state) {
  (void)state;
  const double times = 4, ball_of = 4.0 / 3 * M_PI;
  const IrzArrhenius *liver = irz_arrhenius(IRZ_DAMAGE_LIVER);
  for (int order = 1; order <= 2; order++) {
    Case c;
    Done done = {0};
    run_ball(order, times, 100, 0.5, &c, &done);
    const IrzHeatResult *r = &done.result;
    double lethal = 37;
    while (99 * irz_damage_rate(liver, lethal) < 1) lethal += 1e-4;
    double at50 = ball_of * pow(radius_of(13, times), 3), damaged = ball_of * pow(radius_of(lethal - 37, times), 3);
    print_message("order %d\n", order);
    check_stated("highest", r->peak - 37, r->peak_error, times * steady(0), 0.02 * times * steady(0));
    check_stated("50 C", 1e6 * r->volume_50, 1e6 * r->volume_50_error, 1e6 * at50, 0.05e6 * at50);
    check_stated("damage", 1e6 * r->volume_damage, 1e6 * r->volume_damage_error, 1e6 * damaged, 0.05e6 * damaged);
    clean(&c, &done);
  }
}

/* ---- A whole treatment ---- */

static int vessel(const double middle[3]) {
  return middle[1] > 0.011 && middle[2] > 0.004 ? 1 : 0;
}

static int needles_and_wall(const double x[3]) {
  if (fabs(x[2] + 0.015) < 1e-9 && fabs(x[1]) < 0.003) {
    if (fabs(x[0] + 0.01) < 0.003) return 0;
    if (fabs(x[0] - 0.01) < 0.003) return 1;
  }
  return fabs(fabs(x[0]) - 0.02) < 1e-9 ? 2 : -1;
}

/// Everything at once: packets, pauses, two entries, cooling, perfusion, metabolic heat, a vessel, a cold wall and
/// steel.
static void energy_balance(void **state) {
  (void)state;
  const GridMesh grid = {.n = {16, 12, 12},
                         .size = {0.04, 0.03, 0.03},
                         .n_regions = 2,
                         .n_surfaces = 3,
                         .region = vessel,
                         .surface = needles_and_wall};
  for (int order = 1; order <= 2; order++) {
    Case c;
    Done done = {0};
    set_up(&c, &grid);
    snprintf(c.mesh->surfaces[2].name, sizeof c.mesh->surfaces[2].name, "outer");
    c.surfaces[0] = "s0";
    c.surfaces[1] = "s1";
    c.plan.n_probes = 2;
    for (int p = 0; p < 2; p++) {
      c.plan.probes[p] = (IrzProbe){.has_geometry = true, .diameter = 1e-3, .exposure = 0.02};
    }
    c.plan.n_tissues = 2;
    c.tissues[1].heat.blood = true;
    c.tissues[0].heat.perfusion = 0.015;
    c.tissues[0].heat.metabolic = 1e4;
    c.plan.n_pulses = 2;
    c.pulses[1] = c.pulses[0];
    c.pulses[1].count = 35;
    c.plan.heat.packet = 10;
    c.plan.heat.recharge = 3.5;
    c.plan.heat.gap = 5;
    c.plan.heat.cooling = 40;
    c.plan.heat.initial = 37.5;
    c.plan.heat.needles = IRZ_NEEDLES_METAL;
    c.plan.heat.outer = IRZ_OUTER_BODY;
    c.plan.heat.order = order;
    run(&c, &done);
    const IrzHeatResult *r = &done.result;
    double rest = r->joule + r->metabolic - r->stored - r->perfused - r->conducted;
    print_message(
        "order %d: %.3f J by pulses, %.3f J by metabolism; stored %.3f J, perfused %.3f J, conducted %.3f J\n", order,
        r->joule, r->metabolic, r->stored, r->perfused, r->conducted);
    assert_near(rest, 0, 1e-3 * r->joule);
    /* The pulses' energy as the generator sees it: power times width times count. */
    assert_close(r->joule, done.power * 1e-4 * (20 + 35), 1e-6);
    assert_close(r->duration, 20 + 3.5 + 5 + 35 + 3 * 3.5 + 40, 1e-12);
    assert_true(r->perfused > 0 && r->conducted > 0);
    for (int32_t t = 0; t < done.part->n_tets; t++) {
      if (done.medium->region[t] != 1) continue;
      for (int i = 0; i < 10; i++) assert_near(done.fields.reached[0].peak[done.part->tet[t][i]], 37, 1e-9);
    }
    clean(&c, &done);
  }
}

/// Every temperature the plan states: tissue that starts at one of its own goes to the blood's, exp(-p t / rho c).
static void temperatures(void **state) {
  (void)state;
  for (int k = 0; k < 2; k++) {
    Case c;
    Done done = {0};
    set_up(&c, &box);
    c.potential = nothing;
    c.plan.heat.step = 0.5;
    c.plan.heat.body = k == 0 ? 37 : 30;
    c.plan.heat.initial = 45;
    c.tissues[0].heat.perfusion = 3e5 / BLOOD_HEAT;
    run(&c, &done);
    check_uniform(&done, c.plan.heat.body + (45 - c.plan.heat.body) * exp(-3e5 * 20 / 3e6) - 37, 5e-3);
    clean(&c, &done);
  }
}

/// Blood that stops in the zone carries nothing away there; where the field is below the threshold it goes on.
static void stopped_perfusion(void **state) {
  (void)state;
  const double p = 3e5, heat = 0.5 * 9e8 * 1e-4;
  for (int k = 0; k < 4; k++) {
    Case c;
    Done done = {.recovered = k % 2 == 0 ? 4.9e4 : 5.1e4};
    set_up(&c, &box);
    c.potential = uniform;
    c.plan.heat.step = 0.5;
    c.plan.heat.perfusion_in_zone = k < 2 ? IRZ_PERFUSION_STOPPED : IRZ_PERFUSION_KEPT;
    c.tissues[0].heat.perfusion = p / BLOOD_HEAT;
    run(&c, &done);
    double flowing = heat / p * (1 - exp(-p * 20 / 3e6));
    check_uniform(&done, k == 1 ? heat * 20 / 3e6 : flowing, 5e-3);
    clean(&c, &done);
  }
}

/// One pulse a heartbeat: 20 pulses at 2 Hz take 10 s instead of 20, and heat as much.
static void heartbeats(void **state) {
  (void)state;
  Case c;
  Done done = {0};
  set_up(&c, &box);
  c.potential = uniform;
  c.plan.heat.heart_rate = 2;
  run(&c, &done);
  assert_close(done.result.duration, 10.0, 1e-12);
  check_uniform(&done, 0.5 * 3e4 * 3e4 * 1e-4 * 20 / (1000 * 3000), 1e-4);
  clean(&c, &done);
}

/// Times to an Arrhenius integral of 1 from published constants, and CEM43 by its definition.
static void damage(void **state) {
  (void)state;
  const IrzArrhenius *liver = irz_arrhenius(IRZ_DAMAGE_LIVER), *skin = irz_arrhenius(IRZ_DAMAGE_SKIN);
  double omega = 0, cem43 = 0;
  /* 61 s at 50 C for liver; what the rate at 37 C adds is 61 s of 57 min. */
  irz_damage_add(liver, 50, 50, 61, &omega, &cem43);
  assert_near(omega, 1 - 61.0 / (57 * 60), 0.01);
  assert_close(cem43, 61.0 / 60 * 128, 1e-12);
  omega = 0;
  irz_damage_add(skin, 50, 50, 1060, &omega, &cem43);
  assert_near(omega, 1, 0.01);
  omega = cem43 = 0;
  irz_damage_add(liver, 37, 37, 1e6, &omega, &cem43);
  assert_near(omega, 0, 0);
  assert_near(cem43, 0, 0);
  irz_damage_add(liver, 41, 41, 600, &omega, &cem43);
  assert_close(cem43, 10.0 / 16, 1e-12);
  /* 100 s at a temperature are equivalent to it. */
  for (double t = 39.5; t < 80; t += 3.7) {
    omega = cem43 = 0;
    irz_damage_add(liver, t, t, 100, &omega, &cem43);
    assert_near(irz_damage_equivalent(liver, omega), t, 1e-6);
    assert_close(irz_damage_of(liver, t), omega, 1e-9);
    assert_near(irz_cem43_equivalent(cem43), t, 1e-9);
    assert_close(irz_cem43_of(t), cem43, 1e-12);
  }
  assert_near(irz_damage_equivalent(liver, 0), 37, 1e-9);
  assert_near(irz_damage_of(liver, 37), 0, 0);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(damage),           cmocka_unit_test(adiabatic),
                                     cmocka_unit_test(lumped_perfusion), cmocka_unit_test(second_order),
                                     cmocka_unit_test(kohlrausch),       cmocka_unit_test(coupled),
                                     cmocka_unit_test(perfused_sphere),  cmocka_unit_test(energy_balance),
                                     cmocka_unit_test(temperatures),     cmocka_unit_test(stopped_perfusion),
                                     cmocka_unit_test(heartbeats),       cmocka_unit_test(packets),
                                     cmocka_unit_test(stated_errors)};
  PetscInitialize(&argc, &argv, NULL, NULL);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
