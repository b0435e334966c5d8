/* What mesh generation leaves behind: generate_memory [MESHES [ACCURACY]], 60 and 0.08 if not stated.
   Two needles, a different distance each time, in an order without a trend. Prints the memory that is allocated and the
   resident size as it goes, and fails if either grows after a third of the meshes. The resident size may grow so that
   2000 meshes add 5 % to a process of 80 MB; it is judged from 300 meshes on, below that it is too coarse. */
#include "plan/plan.h"
#include <irezone/mesh.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/// Bytes a mesh that are allowed to stay allocated, and resident.
#define MOST_ALLOCATED 256.0
#define MOST_RESIDENT 2048.0

static double resident(void) {
  long pages = 0, all;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file == NULL || fscanf(file, "%ld %ld", &all, &pages) != 2) pages = 0;
  if (file != NULL) fclose(file);
  return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double allocated(void) {
  struct mallinfo2 info = mallinfo2();
  return (double)info.uordblks + (double)info.hblkhd;
}

/// Two needles `spacing` apart.
static IrzPlan make_plan(double spacing, double accuracy) {
  IrzPlan plan = {.file = "test.yaml", .mesh = {.size = 0.12, .accuracy = accuracy, .order = 2}, .n_probes = 2};
  for (int p = 0; p < 2; p++) {
    IrzProbe *probe = &plan.probes[p];
    *probe = (IrzProbe){.name = {(char)('A' + p)}, .exposure = 0.02, .diameter = 1.07e-3, .has_geometry = true};
    probe->direction[2] = 1;
    probe->tip[0] = (p - 0.5) * spacing;
    probe->tip[2] = -0.01;
  }
  return plan;
}

int main(int argc, char **argv) {
  int n = argc > 1 ? atoi(argv[1]) : 60, first = n / 3;
  double accuracy = argc > 2 ? atof(argv[2]) : 0.08, heap = 0, process = 0;
  for (int i = 1; i <= n; i++) {
    IrzPlan plan = make_plan(0.012 + 0.016 * fmod(i * 0.6180339887, 1), accuracy);
    IrzMesh *mesh = NULL;
    IrzError error = {0};
    if (irz_mesh_generate(&plan, NULL, NULL, &mesh, &error) != IRZ_OK) {
      fprintf(stderr, "%s\n", error.text);
      return 1;
    }
    int n_tets = mesh->n_tets;
    irz_mesh_free(mesh);
    if (i == first) heap = allocated(), process = resident();
    if (i % (n / 12 + 1) == 0 || i == n || i == first) {
      printf("%5d meshes, the last with %d tetrahedra: %.3f MB allocated, %.2f MB resident\n", i, n_tets,
             allocated() * 1e-6, resident() * 1e-6);
      fflush(stdout);
    }
  }
  heap = (allocated() - heap) / (n - first);
  process = (resident() - process) / (n - first);
  printf("a mesh leaves %.0f bytes allocated and %.0f resident\n", heap, process);
  if (heap > MOST_ALLOCATED || (n >= 300 && process > MOST_RESIDENT)) {
    fprintf(stderr, "FAILED: more than %.0f bytes allocated or %.0f resident\n", MOST_ALLOCATED, MOST_RESIDENT);
    return 1;
  }
  return 0;
}
