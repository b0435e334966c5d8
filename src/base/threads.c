/* Watching the processors; see threads.h. */
#define _GNU_SOURCE /* sched_getaffinity, gettid */
#include "base/threads.h"
#include "base/quota.h"
#include <fcntl.h>
#include <math.h>
#include <omp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

int irz_threads_available(void) {
  const double close = 0.25; /* a quota of 1.9 processors does for two threads */
  double quota = irz_quota_read("") + close;
  int processors = omp_get_num_procs();
  return quota < 1 ? 1 : quota < processors ? (int)quota : processors;
}

int irz_threads_choose(int wanted) {
  if (wanted > 0) return wanted;
  return getenv("OMP_NUM_THREADS") != NULL ? omp_get_max_threads() : irz_threads_available();
}

/// Seconds between two looks at a team. Short, for threads that spin while others have their processor make ten times
/// the progress alone; long enough for several of the scheduler's slices of 3 ms.
static const double TEAM_PERIOD = 0.01;

/// Seconds until idle processors are looked for, and the most after teams that had to be dissolved. The kernel counts
/// idle time in steps of 10 ms.
static const double ALONE_PERIOD = 0.06, LONGEST_PERIOD = 2;

/// The seconds that a team's threads wait for processors, in all and per second, above which there are too many of
/// them.
static const double TOO_MUCH = 0.25;

/// Threads whose waiting is looked at.
enum { MOST = 64 };

/// What a thread that starts parallel loops knows about its team.
typedef struct {
  int n;            ///< threads asked for, 0: none yet
  bool fixed;       ///< all shall always work
  int working;      ///< of them work
  double next;      ///< s, when to look at the team
  double last;      ///< s, when `waited` was read
  double waited;    ///< s, see read_waited()
  double period;    ///< s between two looks for idle processors
  double counted;   ///< s, when `idle` was read
  double idle;      ///< s, see read_idle()
  int n_tasks;      ///< threads of the team that are watched
  pid_t task[MOST]; ///< their numbers
} Watch;

static _Thread_local Watch watch;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/// Read the beginning of a small file.
static bool read_start(const char *path, char *text, size_t room) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  ssize_t length = read(file, text, room - 1);
  close(file);
  text[length > 0 ? length : 0] = '\0';
  return length > 0;
}

/// Seconds in which the team's threads could have run but had no processor. 0 if the kernel does not tell.
static double read_waited(const Watch *w) {
  double sum = 0;
  for (int k = 0; k < w->n_tasks; k++) {
    char path[64], text[128];
    unsigned long long waited;
    snprintf(path, sizeof path, "/proc/self/task/%d/schedstat", (int)w->task[k]);
    if (read_start(path, text, sizeof text) && sscanf(text, "%*u %llu", &waited) == 1) sum += 1e-9 * (double)waited;
  }
  return sum;
}

/// Seconds in which the processors that this thread may run on had nothing to do. Time that others use with low
/// priority does not count: a thread that wakes up may have to wait for the end of their slice.
/// @return < 0 if the kernel does not tell
static double read_idle(void) {
  cpu_set_t allowed;
  char line[256];
  unsigned processor;
  unsigned long long idle, disk;
  double ticks = -1;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return -1;
  FILE *file = fopen("/proc/stat", "re");
  if (file == NULL) return -1;
  while (fgets(line, sizeof line, file) != NULL && line[0] == 'c') {
    if (sscanf(line, "cpu%u %*u %*u %*u %llu %llu", &processor, &idle, &disk) != 3) continue;
    if (processor >= CPU_SETSIZE || !CPU_ISSET(processor, &allowed)) continue;
    ticks = fmax(ticks, 0) + (double)idle + (double)disk;
  }
  fclose(file);
  return ticks / (double)sysconf(_SC_CLK_TCK);
}

/// Threads besides this one that run or are ready to run, in the whole system. 0 if the kernel does not tell.
static int read_others(void) {
  char text[128];
  int running;
  if (!read_start("/proc/loadavg", text, sizeof text)) return 0;
  return sscanf(text, "%*f %*f %*f %d/", &running) == 1 && running > 1 ? running - 1 : 0;
}

/// Form a team and begin to watch it.
static void form(Watch *w, int working) {
  pid_t *task = w->task;
  w->working = working;
  w->n_tasks = working == 1 ? 0 : working < MOST ? working : MOST;
  for (int k = 0; k < w->n_tasks; k++) task[k] = gettid(); /* in case the runtime gives fewer threads */
#pragma omp parallel num_threads(working)
  {
    int k = omp_get_thread_num();
    if (k < MOST) task[k] = gettid();
  }
  w->waited = read_waited(w);
  w->idle = working < w->n ? read_idle() : -1;
  w->last = w->counted = now();
  w->next = w->last + TEAM_PERIOD;
}

/// Let go those threads that have to share a processor. One that shares with another program waits half of the time or
/// more.
static void look_at_team(Watch *w) {
  double time = now(), waited = read_waited(w), share = (waited - w->waited) / (time - w->last);
  w->waited = waited;
  w->last = time;
  w->next = time + TEAM_PERIOD;
  if (share < TOO_MUCH) {
    w->period = ALONE_PERIOD;
    return;
  }
  int working = w->working - (int)ceil(2 * share - TOO_MUCH);
  form(w, working > 1 ? working : 1);
  w->period = fmin(2 * w->period, LONGEST_PERIOD);
}

/// Take more threads if there are idle processors for them.
static void look_for_idle(Watch *w) {
  const double enough = 0.6; /* of a processor's time: it is counted in coarse steps */
  double time = now(), before = w->idle, idle = read_idle();
  double free = before >= 0 && idle >= 0 ? (idle - before) / (time - w->counted) : w->n;
  w->idle = idle;
  w->counted = time;
  if (free >= enough) form(w, (int)fmin(w->n, w->working + floor(free + 1 - enough)));
}

/// Begin with as many threads as there are processors that nobody needs at the moment.
static void begin(Watch *w, int n) {
  const char *dynamic = getenv("OMP_DYNAMIC");
  *w = (Watch){.n = n, .period = ALONE_PERIOD, .fixed = dynamic != NULL && strcasecmp(dynamic, "false") == 0};
  if (w->fixed) return;
  int free = omp_get_num_procs() - read_others();
  form(w, free < 1 ? 1 : free < n ? free : n);
}

int irz_threads(int n) {
  Watch *w = &watch;
  if (n <= 1 || omp_in_parallel()) return 1;
  if (n > w->n) begin(w, n);
  if (w->fixed) return n;
  double time = now();
  if (w->working > 1 && time >= w->next) look_at_team(w);
  if (w->working < w->n && time >= w->counted + w->period) look_for_idle(w);
  return n < w->working ? n : w->working;
}
