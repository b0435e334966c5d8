/* Memory bandwidth by a triad, a[i] = b[i] + s c[i], as in McCalpin's STREAM.
 *
 *   cc -O3 -march=native -fopenmp -o triad triad.c && OMP_NUM_THREADS=2 ./triad
 *
 * Prints one JSON line: threads and the best of several passes in GB/s. Counted are three arrays of traffic, as in
 * STREAM; a processor that reads a line before it writes it moves four.
 */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

enum { PASSES = 12 };

int main(void) {
  const size_t n = (size_t)1 << 25; /* 256 MiB an array: far beyond any cache */
  double *a = malloc(n * sizeof *a), *b = malloc(n * sizeof *b), *c = malloc(n * sizeof *c);
  double best = 1e30, sum = 0;

  if (a == NULL || b == NULL || c == NULL) {
    fprintf(stderr, "triad: not enough memory for %zu MiB\n", 3 * n * sizeof *a >> 20);
    free(a);
    free(b);
    free(c);
    return 1;
  }
  /* Each thread touches its own share first, so that it lies in its own memory. */
#pragma omp parallel for schedule(static)
  for (size_t i = 0; i < n; i++) {
    a[i] = 0;
    b[i] = 1;
    c[i] = 2;
  }
  for (int pass = 0; pass < PASSES; pass++) {
    double start = omp_get_wtime();
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) a[i] = b[i] + (pass + 1) * c[i];
    double seconds = omp_get_wtime() - start;
    if (seconds < best) best = seconds;
    sum += a[n / 2];
  }
  printf("{\"threads\": %d, \"GB_per_s\": %.2f, \"check\": %.0f}\n", omp_get_max_threads(),
         3.0 * (double)n * sizeof *a / best * 1e-9, sum);
  free(a);
  free(b);
  free(c);
  return 0;
}
