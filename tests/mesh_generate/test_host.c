/* A program that has meshes generated: what it finds changed afterwards (nothing), and that its meshes are the same
   from any of its threads, whatever lies in its heap. */
#define _GNU_SOURCE
#include "testing.h"
#include <dirent.h>
#include <fenv.h>
#include <irezone/mesh.h>
#include <irezone/plan.h>
#include <locale.h>
#include <omp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char plan_text[] = "name: needles\n"
                                "mesh: {size: 60, accuracy: 20, order: 1}\n"
                                "tissues: {default: {preset: liver}}\n"
                                "array: {count: 2, spacing: 15, exposure: 15}\n"
                                "pulses: [{from: A, to: B, voltage: 2000, count: 90, width: 100, rate: 1.5}]\n";

static IrzMesh *generate(void) {
  IrzError error = {0};
  IrzPlan *plan;
  IrzMesh *mesh = NULL;
  if (irz_plan_parse(plan_text, "needles.yaml", 0, NULL, &plan, &error) != IRZ_OK ||
      irz_mesh_generate(plan, NULL, NULL, &mesh, &error) != IRZ_OK) {
    fprintf(stderr, "%s\n", error.text);
    exit(1);
  }
  irz_plan_free(plan);
  return mesh;
}

/// What a program may notice.
typedef struct {
  char *locale;
  char *environment;
  struct rlimit limit[RLIM_NLIMITS];
  struct sigaction action[65];
  sigset_t blocked;
  mode_t mask;
  char folder[4096];
  int omp[4];
  int rounding, traps, exceptions;
  int files;
} State;

static void look(State *state) {
  size_t length = 0;
  memset(state, 0, sizeof *state);
  state->locale = strdup(setlocale(LC_ALL, NULL));
  for (char **line = environ; *line != NULL; line++) length += strlen(*line) + 1;
  state->environment = calloc(1, length + 1);
  for (char **line = environ; *line != NULL; line++) strcat(strcat(state->environment, *line), "\n");
  for (int r = 0; r < RLIM_NLIMITS; r++) getrlimit((__rlimit_resource_t)r, &state->limit[r]);
  for (int s = 1; s < 65; s++) sigaction(s, NULL, &state->action[s]);
  pthread_sigmask(SIG_BLOCK, NULL, &state->blocked);
  state->mask = umask(0);
  umask(state->mask);
  assert_non_null(getcwd(state->folder, sizeof state->folder));
  const int omp[] = {omp_get_max_threads(), omp_get_dynamic(), omp_get_max_active_levels(), omp_get_num_procs()};
  memcpy(state->omp, omp, sizeof omp);
  state->rounding = fegetround();
  state->traps = fegetexcept();
  state->exceptions = fetestexcept(FE_ALL_EXCEPT);
  DIR *files = opendir("/proc/self/fd");
  while (files != NULL && readdir(files) != NULL) state->files++;
  if (files != NULL) closedir(files);
}

/// Lines of the environment, in any order.
static int compare_lines(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}
static void sort_lines(char *text, char **line, int *count) {
  *count = 0;
  for (char *next = strtok(text, "\n"); next != NULL && *count < 1000; next = strtok(NULL, "\n"))
    line[(*count)++] = next;
  qsort((void *)line, (size_t)*count, sizeof *line, compare_lines);
}

static void nothing_changes(void **unused) {
  (void)unused;
  State before, after;
  char *line[2][1000];
  int count[2];
  setlocale(LC_ALL, "C.UTF-8");
  omp_set_num_threads(3);
  setenv("PYTHONPATH", "/nowhere", 1);
  srandom(7);
  long first = random(), second = random();
  srandom(7);
  assert_int_equal(random(), first);
  const struct rlimit stack = {.rlim_cur = 6 << 20, .rlim_max = RLIM_INFINITY};
  struct rlimit old;
  getrlimit(RLIMIT_STACK, &old);
  setrlimit(RLIMIT_STACK, old.rlim_max == RLIM_INFINITY ? &stack : &old);
  feclearexcept(FE_ALL_EXCEPT);
  fesetround(FE_UPWARD);
  feenableexcept(FE_DIVBYZERO | FE_INVALID);
  look(&before);
  IrzMesh *mesh = generate(); /* the first loads Gmsh, which opens no file but the libraries */
  look(&after);
  fedisableexcept(FE_ALL_EXCEPT);
  fesetround(FE_TONEAREST);
  assert_int_equal(random(), second);
  irz_mesh_free(mesh);
  assert_string_equal(after.locale, before.locale);
  sort_lines(before.environment, line[0], &count[0]);
  sort_lines(after.environment, line[1], &count[1]);
  assert_int_equal(count[0], count[1]);
  for (int i = 0; i < count[0]; i++) assert_string_equal(line[0][i], line[1][i]);
  for (int r = 0; r < RLIM_NLIMITS; r++) {
    assert_true(before.limit[r].rlim_cur == after.limit[r].rlim_cur);
    assert_true(before.limit[r].rlim_max == after.limit[r].rlim_max);
  }
  for (int s = 1; s < 65; s++) assert_true(before.action[s].sa_handler == after.action[s].sa_handler);
  assert_memory_equal(&before.blocked, &after.blocked, sizeof before.blocked);
  assert_int_equal(before.mask, after.mask);
  assert_string_equal(before.folder, after.folder);
  for (size_t i = 0; i < sizeof before.omp / sizeof before.omp[0]; i++) assert_int_equal(before.omp[i], after.omp[i]);
  assert_int_equal(before.rounding, after.rounding);
  assert_int_equal(before.traps, after.traps);
  assert_int_equal(before.exceptions, after.exceptions);
  assert_int_equal(before.files, after.files);
  free(before.locale);
  free(before.environment);
  free(after.locale);
  free(after.environment);
}

/// Leave holes of many sizes in the heap of this thread.
static void dig(unsigned seed) {
  enum { COUNT = 20000 };
  void **block = calloc(COUNT, sizeof *block);
  unsigned random_number = seed;
  for (int i = 0; i < COUNT; i++) {
    random_number = random_number * 1664525U + 1013904223U;
    size_t size = (random_number >> 8) % 50 == 0 ? (random_number >> 10) % 100000 : (random_number >> 10) % 700;
    block[i] = malloc(size + 1);
    memset(block[i], (int)(random_number >> 24), size + 1);
  }
  for (int i = 0; i < COUNT; i++) {
    random_number = random_number * 1664525U + 1013904223U;
    if ((random_number >> 12) % 10 < 9) free(block[i]); /* the others stay: a program has such */
  }
  free((void *)block);
}

static IrzMesh *reference;

static bool same(const IrzMesh *mesh) {
  return mesh->n_tets == reference->n_tets && mesh->n_vertices == reference->n_vertices &&
         memcmp(mesh->xyz, reference->xyz, 3 * (size_t)mesh->n_vertices * sizeof *mesh->xyz) == 0 &&
         memcmp(mesh->tet, reference->tet, 4 * (size_t)mesh->n_tets * sizeof *mesh->tet) == 0;
}

/// Generate twice, with holes in the heap; tell whether the meshes are right.
static void *work(void *found) {
  bool right = true;
  for (unsigned i = 0; i < 2; i++) {
    dig(i + 1);
    IrzMesh *mesh = generate();
    right = right && same(mesh);
    irz_mesh_free(mesh);
  }
  *(bool *)found = right;
  return NULL;
}

/// Take and give back memory all the time.
static volatile bool churning;
static void *churn(void *unused) {
  while (churning) {
    void *block[64];
    const struct timespec moment = {.tv_nsec = 100000};
    for (int i = 0; i < 64; i++) block[i] = malloc(80 * (size_t)i + 1);
    for (int i = 0; i < 64; i++) free(block[i]);
    nanosleep(&moment, NULL);
  }
  return unused;
}

static void same_from_any_thread(void **unused) {
  (void)unused;
#ifdef IRZ_SANITIZED
  skip(); /* its heap is not glibc's */
#endif
  bool right[3] = {false};
  pthread_t thread[3], other;
  pthread_attr_t small;
  reference = generate();
  work(&right[0]);
  assert_true(right[0]);
  churning = true;
  assert_int_equal(pthread_create(&other, NULL, churn, NULL), 0);
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 256 << 10);
  memset(right, 0, sizeof right);
  for (int k = 0; k < 3; k++) { /* at the same time; the last with little stack, as some languages give their threads */
    assert_int_equal(pthread_create(&thread[k], k < 2 ? NULL : &small, work, &right[k]), 0);
  }
  for (int k = 0; k < 3; k++) pthread_join(thread[k], NULL);
  churning = false;
  pthread_join(other, NULL);
  pthread_attr_destroy(&small);
  for (int k = 0; k < 3; k++) assert_true(right[k]);
  irz_mesh_free(reference);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_changes), cmocka_unit_test(same_from_any_thread)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
