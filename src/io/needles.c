/* Needles that were checked, for a person. */
#include "base/entry.h"
#include <irezone/needles.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void print_needle(const IrzNeedle *needle, int width, FILE *out) {
  fprintf(out, "  %-*s", width, needle->name);
  if (isfinite(needle->length))
    fprintf(out, " %8.1f mm", 1e3 * needle->length);
  else
    fprintf(out, " %11s", "-");
  fprintf(out, "   %-7s", needle->allowed ? "yes" : "NO");
  for (int i = 0; i < needle->n_crossed; i++) {
    const IrzCrossed *crossed = &needle->crossed[i];
    fprintf(out, "%s%.1f mm %s%s", i > 0 ? ", " : "  through ", 1e3 * crossed->length, crossed->region,
            crossed->avoided ? " (TO BE AVOIDED)" : "");
  }
  for (int i = 0; i < needle->n_clearances; i++) {
    const IrzClearance *clearance = &needle->clearance[i];
    fprintf(out, "%s%.1f mm %s", i > 0 ? ", " : "; past ", 1e3 * clearance->distance, clearance->region);
  }
  fputc('\n', out);
}

void irz_needles_print(const IrzNeedleChecks *checks, FILE *out) {
  IRZ_ENTER_QUIETLY;
  if (checks == NULL || checks->n == 0) return;
  int width = 6;
  for (int i = 0; i < checks->n; i++) {
    int length = (int)strlen(checks->needle[i].name);
    width = length > width ? length : width;
  }
  fprintf(out, "\n  %-*s     to skin   allowed\n", width, "needle");
  for (int i = 0; i < checks->n; i++) print_needle(&checks->needle[i], width, out);
}

void irz_needles_free(IrzNeedleChecks *checks) {
  if (checks == NULL) return;
  for (int i = 0; i < checks->n; i++) free(checks->needle[i].crossed);
  free(checks);
}
