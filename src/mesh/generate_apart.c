/* Gmsh in a process of its own, where it must be possible to end it (a time limit: Gmsh has no way to be interrupted)
   or to keep it from the standard output (its older algorithm prints there). The child is a copy of this process that
   touches nothing but Gmsh and a pipe. */
#define _GNU_SOURCE /* pipe2 */
#include "base/deadline.h"
#include "mesh/generate.h"
#include "mesh/gmsh_lazy.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/// What goes through the pipe before the arrays.
typedef struct {
  IrzGmshMesh mesh; ///< its counts
  IrzError error;
} Header;

/// An array of a mesh.
typedef struct {
  void **place;
  size_t bytes;
} Array;

enum { N_ARRAYS = 3 };

/// The arrays that are used.
static void list_arrays(IrzGmshMesh *mesh, Array array[N_ARRAYS]) {
  array[0] = (Array){(void **)&mesh->node, mesh->n_nodes * sizeof *mesh->node};
  array[1] = (Array){(void **)&mesh->xyz, mesh->n_xyz * sizeof *mesh->xyz};
  array[2] = (Array){(void **)&mesh->corner, mesh->n_corners * sizeof *mesh->corner};
}

static bool send_bytes(int pipe, const void *bytes, size_t size) {
  for (const char *next = bytes; size > 0;) {
    ssize_t written = write(pipe, next, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    next += written;
    size -= (size_t)written;
  }
  return true;
}

/// What the child is to do, and what comes of it.
typedef struct {
  IrzGmshWork work;
  Header header;
} Task;

static void make(void *pointer) {
  Task *task = pointer;
  task->work(&task->header.mesh, &task->header.error);
}

/// What the child does. It leaves signals to its parent, with which it ends.
_Noreturn static void be_child(IrzGmshWork work, int pipe) {
  static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE};
  static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++) signal(ignored[i], SIG_IGN);
  for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++) signal(fatal[i], SIG_DFL);
  int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) dup2(nowhere, STDOUT_FILENO);
  static Task task;
  Header *header = &task.header;
  task.work = work;
  if (!irz_gmsh_guard(make, &task)) { /* the way out that its parent has would lead to its parent's work */
    irz_error_set(&header->error, IRZ_ERR_MEMORY, "out of memory: Gmsh needs more for the mesh");
  }
  bool sent = send_bytes(pipe, header, sizeof *header);
  Array array[N_ARRAYS];
  list_arrays(&header->mesh, array);
  for (int i = 0; i < N_ARRAYS && sent && header->error.code == IRZ_OK; i++) {
    sent = send_bytes(pipe, *array[i].place, array[i].bytes);
  }
  _exit(sent ? 0 : 1);
}

/// Receive bytes until the time is over or the child has ended.
static bool receive(int pipe, void *bytes, size_t size) {
  for (char *next = bytes; size > 0;) {
    double left = irz_deadline_left();
    struct pollfd wanted = {.fd = pipe, .events = POLLIN};
    int ready = poll(&wanted, 1, left < 1e6 ? (int)ceil(1e3 * left) : 1000);
    if (irz_deadline_passed()) return false;
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    ssize_t got = ready < 0 ? -1 : read(pipe, next, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    next += got;
    size -= (size_t)got;
  }
  return true;
}

/// Take over what the child has made.
/// @return whether all has arrived; else `error` says why, unless it is up to how the child ended
static bool take_over(int pipe, IrzGmshMesh *mesh, IrzError *error) {
  Header header;
  if (!receive(pipe, &header, sizeof header)) return false;
  if (header.error.code != IRZ_OK) {
    irz_error_set(error, header.error.code, "%s", header.error.text);
    return true;
  }
  *mesh = (IrzGmshMesh){.n_nodes = header.mesh.n_nodes,
                        .n_xyz = header.mesh.n_xyz,
                        .n_elements = header.mesh.n_elements,
                        .n_corners = header.mesh.n_corners};
  Array array[N_ARRAYS];
  list_arrays(mesh, array);
  for (int i = 0; i < N_ARRAYS; i++) {
    *array[i].place = malloc(array[i].bytes > 0 ? array[i].bytes : 1);
    if (*array[i].place == NULL) {
      irz_error_set(error, IRZ_ERR_MEMORY, "out of memory: %.1f MB more are needed", 1e-6 * (double)array[i].bytes);
      return true;
    }
    if (!receive(pipe, *array[i].place, array[i].bytes)) return false;
  }
  return true;
}

IrzCode irz_gmsh_apart(IrzGmshWork work, IrzGmshMesh *mesh, IrzError *error) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return work(mesh, error);
  pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    be_child(work, ends[1]);
  }
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    return work(mesh, error);
  }
  bool whole = take_over(ends[0], mesh, error);
  close(ends[0]);
  if (!whole) kill(child, SIGKILL);
  int how = 0;
  while (waitpid(child, &how, 0) < 0 && errno == EINTR) continue;
  if (whole) return error->code;
  if (irz_deadline_passed()) return irz_error_set(error, IRZ_ERR_SOLVER, IRZ_TIMEOUT);
  return irz_error_set(error, IRZ_ERR_INPUT, "mesh: Gmsh ended by itself%s%s", WIFSIGNALED(how) ? ": " : "",
                       WIFSIGNALED(how) ? strsignal(WTERMSIG(how)) : "");
}
