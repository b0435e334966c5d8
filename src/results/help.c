/* `irezone help results`: every quantity of a summary, from their table. */
#include "base/entry.h"
#include "results/table.h"
#include <stdio.h>

/// Column at which the explanations begin.
enum { EXPLAINED = 28 };

/// Explain a quantity in a line; then what it holds.
static void explain(const IrzQuantity *row, int indent, FILE *out) {
  bool list = row->type == IRZ_QUANTITY_LIST || (row->type == IRZ_QUANTITY_MADE && row->rows != NULL);
  int used = fprintf(out, "%*s%s%s", indent, "", row->name, list ? "[]" : "");
  fprintf(out, "%*s %s", used < EXPLAINED ? EXPLAINED - used : 0, "", row->help);
  if (row->unit != NULL) fprintf(out, " [%s]", row->unit->name[0] != '\0' ? row->unit->shown : "0 to 1");
  if (row->when != NULL) fprintf(out, "; %s", row->when->words);
  fputc('\n', out);
  for (const IrzQuantity *below = row->rows; below != NULL && below->name != NULL; below++) {
    explain(below, indent + 2, out);
  }
}

void irz_results_help(FILE *out) {
  IRZ_ENTER_QUIETLY;
  for (const IrzQuantity *row = irz_quantities; row->name != NULL; row++) explain(row, 2, out);
}
