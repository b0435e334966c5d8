/* Gmsh as a guest: it finds the process as it needs it and leaves it as it was. */
#define _GNU_SOURCE /* pthread_getattr_np */
#include "base/deadline.h"
#include "base/entry.h"
#include "base/memory.h"
#include "mesh/generate.h"
#include "mesh/gmsh_lazy.h"
#include <locale.h>
#include <math.h>
#include <omp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/// What Gmsh changes of the process, put back by restore(). It lengthens two variables at every start, and the C
/// library never frees what an environment once held: in a long sweep that adds up, and it pins the heap. Values that
/// return cost nothing. It lets the stack grow without a limit, which later threads and programs would inherit.
static const char *const variable[] = {"PATH", "PYTHONPATH"};
enum { N_VARIABLES = sizeof variable / sizeof variable[0] };
static struct {
  char *variable[N_VARIABLES];
  int threads;
  char *locale;
  char *random;
  struct rlimit stack;
} before;

/// State of rand() while Gmsh runs: the same at every start, so that the same plan gives the same mesh.
static char random_state[128];

/// Forget the copies.
static void forget(void) {
  free(before.locale);
  for (int i = 0; i < N_VARIABLES; i++) free(before.variable[i]);
}

/// Remember what Gmsh will change.
static IrzCode remember(IrzError *error) {
  const char *locale = setlocale(LC_ALL, NULL);
  before.locale = strdup(locale != NULL ? locale : "C");
  bool copied = before.locale != NULL;
  for (int i = 0; i < N_VARIABLES; i++) {
    const char *value = getenv(variable[i]);
    before.variable[i] = value != NULL ? strdup(value) : NULL;
    copied = copied && (value == NULL || before.variable[i] != NULL);
  }
  if (!copied) {
    forget();
    return irz_out_of_memory(0, error);
  }
  before.threads = omp_get_max_threads();
  before.random = initstate(1, random_state, sizeof random_state);
  getrlimit(RLIMIT_STACK, &before.stack);
  return IRZ_OK;
}

/// Put it back.
static void restore(void) {
  omp_set_num_threads(before.threads);
  setstate(before.random);
  setrlimit(RLIMIT_STACK, &before.stack);
  setlocale(LC_ALL, before.locale);
  for (int i = 0; i < N_VARIABLES; i++) {
    if (before.variable[i] != NULL) {
      setenv(variable[i], before.variable[i], 1);
    } else {
      unsetenv(variable[i]);
    }
  }
  forget();
}

/// What a thread is to do.
typedef struct {
  const IrzSizeField *field;
  IrzBoundary *boundary;
  IrzMesh *mesh;
  IrzError *error;
  IrzCode code;
  double left; ///< s until the time is over
} Task;

static void make_mesh(void *pointer) {
  Task *task = pointer;
  task->code = irz_gmsh_mesh(task->field, task->boundary, task->mesh, task->error);
}

static void *run(void *pointer) {
  Task *task = pointer;
  task->code = remember(task->error);
  if (task->code != IRZ_OK) return NULL;
  if (!irz_gmsh_guard(make_mesh, task)) {
    irz_heap_clear_new(false);
    irz_heap_release();
    task->code = irz_error_set(task->error, IRZ_ERR_MEMORY,
                               "out of memory: Gmsh needs more for the mesh; a larger mesh.accuracy needs less");
  }
  restore();
  irz_heap_trim();
  return NULL;
}

/// The same in a thread of its own.
static void *run_inside(void *pointer) {
  IRZ_ENTER_QUIETLY;
  const Task *task = pointer;
  if (isfinite(task->left)) irz_deadline_start(fmax(task->left, 1e-9));
  return run(pointer);
}

/// Bytes of the stack that are left to this thread; SIZE_MAX if that is not to be found out.
static size_t stack_left(void) {
  char here;
  pthread_attr_t attributes;
  void *lowest = NULL;
  size_t size = 0;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return SIZE_MAX;
  int failed = pthread_attr_getstack(&attributes, &lowest, &size);
  pthread_attr_destroy(&attributes);
  return failed ? SIZE_MAX : (size_t)((uintptr_t)&here - (uintptr_t)lowest);
}

IrzCode irz_gmsh_run(const IrzSizeField *field, IrzBoundary *boundary, IrzMesh *mesh, IrzError *error) {
  const size_t enough = 4 << 20, wanted = 16 << 20; /* HXT needs 0.6 MB */
  Task task = {field, boundary, mesh, error, IRZ_OK, irz_deadline_left()};
  pthread_attr_t attributes;
  pthread_t thread;
  IRZ_TRY(irz_gmsh_load(error));
  if (stack_left() >= enough) {
    run(&task);
    return task.code;
  }
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, wanted);
  int failed = pthread_create(&thread, &attributes, run_inside, &task);
  pthread_attr_destroy(&attributes);
  if (failed) return irz_error_set(error, IRZ_ERR_MEMORY, "mesh: no thread with 16 MB of stack: %s", strerror(failed));
  pthread_join(thread, NULL);
  return task.code;
}
