/* One session solves many plans and reuses what it can: a plan that it has just solved costs next to nothing, another
   voltage a fraction of a new mesh. It finds what a session of its own finds; results stay what they were, whatever
   comes after them; and sessions side by side find what they find one after another. */
#define _GNU_SOURCE /* nftw */
#include "api.h"
#include <irezone/session.h>
#include <irezone/start.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

/* Processor time of all threads, s. */
static double processor(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static IrzPlan *parsed(const char *text) {
  IrzError error = {0};
  IrzPlan *plan;
  PROMISE(irz_plan_parse(text, "plan", 0, NULL, &plan, &error) == IRZ_OK, "%s", error.text);
  return plan;
}

static IrzSession *begin(bool refine) {
  IrzError error = {0};
  IrzSession *session;
  const IrzSessionOptions options = {.threads = 1, .refine = refine};
  PROMISE(irz_session_create(MPI_COMM_SELF, &options, &session, &error) == IRZ_OK, "%s", error.text);
  return session;
}

static IrzResult *solved(IrzSession *session, const IrzPlan *plan) {
  IrzError error = {0};
  IrzResult *result;
  PROMISE(irz_session_solve(session, plan, &result, &error) == IRZ_OK, "%s", error.text);
  return result;
}

static double number(const IrzResult *result, const char *path) {
  IrzError error = {0};
  double value;
  PROMISE(irz_result_number(result, path, &value, &error) == IRZ_OK, "%s", error.text);
  return value;
}

static void set(IrzPlan *plan, const char *key, double value) {
  IrzError error = {0};
  PROMISE(irz_plan_set_number(plan, key, value, &error) == IRZ_OK, "%s", error.text);
}

/* The summary without what the clock says. */
static char *told(const IrzResult *result) {
  char *json = irz_result_json(result), *timing = strstr(json, "\"timing_s\"");
  PROMISE(timing != NULL, "no times in the summary");
  *timing = '\0';
  return json;
}

/* A mesh made twice is the same on glibc's heap, not on a sanitizer's. */
#ifdef IRZ_SANITIZED
enum { repeatable = 0 };
#else
enum { repeatable = 1 };
#endif

static void same(double a, double b, double tolerance, const char *what) {
  PROMISE(fabs(a - b) <= tolerance * fabs(b), "%s: %.12g and %.12g", what, a, b);
}

#define TWO(voltage, y)                                                                                                \
  "name: two\n"                                                                                                        \
  "mesh: {size: 120, accuracy: 1}\n"                                                                                   \
  "tissues: {default: {preset: liver}}\n"                                                                              \
  "probes: [{name: A, tip: [-10, 0, -10]}, {name: B, tip: [10, " y ", -10]}]\n"                                        \
  "pulses: [{from: A, to: B, voltage: " voltage "}]\n"

/* What is not done again for another voltage, and for the same plan. Times are only printed: processor time of a cold
   run, this process from its start to its first result; of other voltages, of the same plan again, and of a needle that
   has moved. */
static void costs(void) {
  IrzError error = {0};
  double voltage = INFINITY, first_voltage = 0, again = INFINITY;
  IrzPlan *plan = parsed(TWO("3000", "0"));
  IrzSession *session = begin(true);
  IrzResult *first = solved(session, plan);
  const double cold = processor(), volume = number(first, "zone.volume_cm3");
  for (int i = 0; i < 6; i++) {
    set(plan, "pulses[0].voltage", 2900 - 75 * i);
    double start = processor();
    IrzResult *lower = solved(session, plan);
    voltage = fmin(voltage, processor() - start);
    if (i == 0) first_voltage = processor() - start;
    start = processor();
    IrzResult *once_more = solved(session, plan);
    again = fmin(again, processor() - start);
    PROMISE(number(lower, "zone.volume_cm3") == number(once_more, "zone.volume_cm3"), "the same plan again");
    PROMISE(number(lower, "timing_s.mesh") == 0 && number(lower, "timing_s.setup") == 0, "built again for a voltage");
    PROMISE(number(lower, "timing_s.solve") == number(once_more, "timing_s.solve"), "solved again");
    PROMISE(number(lower, "zone.volume_cm3") < 0.99 * volume, "less voltage and no smaller zone");
    irz_result_free(lower);
    irz_result_free(once_more);
  }
  PROMISE(number(first, "zone.volume_cm3") == volume, "a result has changed");
  PROMISE(irz_plan_set(plan, "probes[1].tip", "[10, 1, -10]", &error) == IRZ_OK, "%s", error.text);
  double start = processor();
  IrzResult *beside = solved(session, plan);
  const double moved = processor() - start;
  printf(
      "processor time: cold %.3f s; another voltage %.1f %% of that, the first time %.1f %%; the same plan %.2f %%; a "
      "needle moved %.0f %%\n",
      cold, 100 * voltage / cold, 100 * first_voltage / cold, 100 * again / cold, 100 * moved / cold);
  irz_result_free(beside);
  irz_session_free(session); /* a result may outlive its session */
  double field;
  const double point[1][3] = {{0, 0, 0}};
  PROMISE(irz_result_sample(first, "field_V_per_cm", 1, point, &field, &error) == IRZ_OK, "%s", error.text);
  PROMISE(field > 500 && field < 3000, "%g V/cm between the needles", field);
  irz_result_free(first);
  irz_plan_free(plan);
}

static const double voltages[] = {2000, 1500, 2600};
enum { N_VOLTAGES = sizeof voltages / sizeof voltages[0] };

/* A session with a plan, solved at all voltages, and what was told. */
typedef struct {
  IrzPlan *plan;
  IrzSession *session;
  char *found[N_VOLTAGES];
} Work;

static void work_begin(Work *work, const char *text) {
  work->plan = parsed(text);
  work->session = begin(false);
}

static void work_step(Work *work, int i) {
  set(work->plan, "pulses[0].voltage", voltages[i]);
  IrzResult *result = solved(work->session, work->plan);
  work->found[i] = told(result);
  irz_result_free(result);
}

static void *work_all(void *pointer) {
  for (int i = 0; i < N_VOLTAGES; i++) work_step(pointer, i);
  return NULL;
}

/* End both, whose findings must be the same. */
static void work_compare(Work *work, Work *wanted, const char *what) {
  for (int i = 0; i < N_VOLTAGES; i++) {
    PROMISE(!repeatable || strcmp(work->found[i], wanted->found[i]) == 0, "%s:\n%s\nalone:\n%s", what, work->found[i],
            wanted->found[i]);
    free(work->found[i]);
  }
  irz_session_free(work->session);
  irz_plan_free(work->plan);
}

/* What sessions find one after another they find side by side, in turns and from threads of their own. */
static void side_by_side(void) {
  static const char *const texts[] = {NEEDLES, PLATES};
  Work alone[2], turns[2], threads[2];
  pthread_t thread[2];
  for (int k = 0; k < 2; k++) {
    work_begin(&alone[k], texts[k]);
    work_all(&alone[k]);
    work_begin(&turns[k], texts[k]);
    work_begin(&threads[k], texts[k]);
  }
  for (int i = 0; i < N_VOLTAGES; i++) {
    for (int k = 0; k < 2; k++) work_step(&turns[k], i);
  }
  for (int k = 0; k < 2; k++) PROMISE(pthread_create(&thread[k], NULL, work_all, &threads[k]) == 0, "no thread");
  for (int k = 0; k < 2; k++) pthread_join(thread[k], NULL);
  for (int k = 0; k < 2; k++) {
    work_compare(&turns[k], &alone[k], "in turns");
    work_compare(&threads[k], &alone[k], "from threads");
    for (int i = 0; i < N_VOLTAGES; i++) free(alone[k].found[i]);
    irz_session_free(alone[k].session);
    irz_plan_free(alone[k].plan);
  }
}

#define MOVING(tip, voltage)                                                                                           \
  "name: moving\n"                                                                                                     \
  "mesh: {size: 60, accuracy: 20, order: 1}\n"                                                                         \
  "tissues: {default: {preset: liver}}\n"                                                                              \
  "probes: [{name: A, tip: [-7.5, 0, -10], exposure: 10}, {name: B, tip: " tip ", exposure: 10}]\n"                    \
  "pulses: [{from: A, to: B, voltage: " voltage "}]\n"                                                                 \
  "pullback: {step: 10, count: 1}\n"

/* Voltage and needle changed, with a pull-back: what a session of its own finds. */
static void changed(void) {
  static const char *const texts[] = {MOVING("[7.5, 0, -10]", "2000"), MOVING("[7.5, 0, -10]", "1400"),
                                      MOVING("[7, 1.5, -10]", "1400"), MOVING("[7.5, 0, -10]", "1700")};
  IrzSession *session = begin(true);
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    IrzPlan *plan = parsed(texts[i]);
    IrzSession *own = begin(true);
    IrzResult *one = solved(session, plan), *other = solved(own, plan);
    PROMISE(irz_result_summary(one)->n_pulses == 2, "pulses of two positions");
    PROMISE(!repeatable || number(one, "mesh.cells") == number(other, "mesh.cells"),
            "another mesh than in a session of its own");
    same(number(one, "zone.volume_cm3"), number(other, "zone.volume_cm3"), repeatable ? 1e-5 : 0.02, "volume");
    same(number(one, "pulses[1].current_A"), number(other, "pulses[1].current_A"), repeatable ? 1e-6 : 0.02, "current");
    irz_result_free(one);
    irz_result_free(other);
    irz_session_free(own);
    irz_plan_free(plan);
  }
  irz_session_free(session);
}

/* A label map that two positions of a needle share: the same tissue and the same warnings as when each reads it. */
static void shared_map(void) {
  IrzError error = {0};
  IrzPlan *plan;
  const IrzOverride coarse[] = {{"mesh.accuracy=40"}, {"mesh.order=1"}};
  PROMISE(irz_plan_read(IRZ_SOURCE_DIR "/examples/anatomy_synthetic.yaml", 2, coarse, &plan, &error) == IRZ_OK, "%s",
          error.text);
  IrzSession *session = begin(false);
  for (int i = 0; i < 2; i++) {
    if (i > 0) PROMISE(irz_plan_set(plan, "probes[0].tip", "[-9, 1, -9]", &error) == IRZ_OK, "%s", error.text);
    IrzSession *own = begin(false);
    IrzResult *one = solved(session, plan), *other = solved(own, plan);
    PROMISE(irz_result_n_warnings(one) == irz_result_n_warnings(other), "%d and %d warnings",
            irz_result_n_warnings(one), irz_result_n_warnings(other));
    for (int k = 0; k < irz_result_n_warnings(one); k++)
      PROMISE(strcmp(irz_result_warning(one, k), irz_result_warning(other, k)) == 0, "%s", irz_result_warning(one, k));
    PROMISE(!repeatable ||
                number(one, "zone.by_region.tumour.ablated_cm3") == number(other, "zone.by_region.tumour.ablated_cm3"),
            "another zone in the tumour");
    irz_result_free(one);
    irz_result_free(other);
    irz_session_free(own);
  }
  irz_session_free(session);
  irz_plan_free(plan);
}

int main(int argc, char **argv) {
  (void)argc;
  (void)argv;
  IrzError error = {0};
  PROMISE(irz_start(&error) == IRZ_OK, "%s", error.text);
  costs();
  side_by_side();
  changed();
  shared_map();
  irz_stop();
  return 0;
}
