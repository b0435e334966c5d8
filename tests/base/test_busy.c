/* Threads give way where other programs keep the processors busy. */
#include "base/threads.h"
#include "testing.h"
#include <omp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/// Run short parallel loops for so many seconds.
/// @return the mean number of threads that were to work in the second half
static double mean_threads(int n, double seconds) {
  double start = now(), sum = 0;
  int count = 0;
  while (now() < start + seconds) {
    int working = irz_threads(n);
    assert_in_range(working, 1, n);
#pragma omp parallel num_threads(working)
    for (volatile int i = 0; i < 10000; i = i + 1) continue;
    if (now() < start + seconds / 2) continue;
    sum += working;
    count++;
  }
  return count > 0 ? sum / count : 1;
}

static void choice(void **state) {
  (void)state;
  assert_in_range(irz_threads_available(), 1, omp_get_num_procs());
  assert_int_equal(irz_threads_choose(3), 3);
  unsetenv("OMP_NUM_THREADS");
  assert_int_equal(irz_threads_choose(0), irz_threads_available());
  setenv("OMP_NUM_THREADS", "5", 1);
  omp_set_num_threads(5);
  assert_int_equal(irz_threads_choose(0), 5);
  assert_int_equal(irz_threads(1), 1);
  assert_int_equal(irz_threads(0), 1);
}

/// With two other programs on every processor threads would wait for one another most of the time.
static void busy(void **state) {
  (void)state;
  enum { MOST = 256 };
  pid_t child[MOST];
  int n = 2 * omp_get_num_procs() < MOST ? 2 * omp_get_num_procs() : MOST;
  if (access("/proc/self/task", R_OK) != 0 || access("/proc/loadavg", R_OK) != 0) skip();
  for (int i = 0; i < n; i++) {
    child[i] = fork();
    for (volatile int k = 0; child[i] == 0; k = k + 1) continue;
  }
  double mean = mean_threads(2, 1);
  for (int i = 0; i < n; i++) {
    kill(child[i], SIGKILL);
    waitpid(child[i], NULL, 0);
  }
  printf("%g of 2 threads worked on busy processors\n", mean);
  assert_true(mean < 1.3);
}

/// Who forbids the adaption gets what he asks for.
static void fixed(void **state) {
  (void)state;
  int found = 0;
  setenv("OMP_DYNAMIC", "false", 1);
#pragma omp parallel num_threads(2)
  {
#pragma omp master
    found = irz_threads(4); /* inside of a parallel loop there is one thread */
  }
  assert_int_equal(found, 1);
  assert_int_equal(irz_threads(7), 7); /* more than before: it begins anew */
  unsetenv("OMP_DYNAMIC");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(choice), cmocka_unit_test(busy), cmocka_unit_test(fixed)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
