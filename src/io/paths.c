/* The tissues that needles pass, for a person. */
#include "base/entry.h"
#include "plan/plan.h"
#include <irezone/paths.h>
#include <stdlib.h>

/* Stretches shorter than this, m, are rounding. */
static const double shortest = 0.05e-3;

/* "14.0 mm liver, 6.0 mm portal-vein" after a word; nothing if there is no length. */
static void print_lengths(const IrzPaths *paths, const char *before, const double *length, FILE *out) {
  for (int r = 0; r <= paths->n_regions; r++) {
    if (!(length[r] >= shortest)) continue;
    fprintf(out, "%s%.1f mm %s", before, 1e3 * length[r], paths->region[r]);
    before = ", ";
  }
}

void irz_paths_print(const IrzPaths *paths, const IrzPlan *plan, FILE *out) {
  IRZ_ENTER_QUIETLY;
  size_t columns = (size_t)paths->n_regions + 1;
  for (int k = 0; k < paths->n_positions; k++) {
    for (int p = 0; p < paths->n_probes; p++) {
      if (!plan->probes[p].has_geometry || plan->probes[p].plate[0] > 0) continue;
      size_t row = ((size_t)k * (size_t)paths->n_probes + (size_t)p) * columns;
      fprintf(out, "  %s", plan->probes[p].name);
      if (k > 0) fprintf(out, ", withdrawn by %g mm", 1e3 * k * plan->pullback.step);
      fputs(": ", out);
      print_lengths(paths, "bare metal ", paths->metal + row, out);
      print_lengths(paths, "; shaft ", paths->shaft + row, out);
      fputc('\n', out);
    }
  }
}
