/* What files of markups have, and what is wrong with them: see src/plan/markups.h. */
#include "base/memory.h"
#include "plan/markups.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* "plan:line: key: file:line: text" */
static void place_line(const IrzMarkupPlace *place, const char *text, char *line, size_t size) {
  char number[16] = "", plan_number[16] = "";
  if (place->line > 0) snprintf(number, sizeof number, ":%d", place->line);
  if (place->node->line > 0) snprintf(plan_number, sizeof plan_number, ":%d", place->node->line);
  const char *origin = place->node->origin;
  snprintf(line, size, "%s%s: %s: %s%s: %s%s%s%s", place->reader->file, plan_number, place->key, place->path, number,
           text, origin != NULL ? " (set by " : "", origin != NULL ? origin : "", origin != NULL ? ")" : "");
}

IrzCode irz_markup_fail(const IrzMarkupPlace *place, const char *format, ...) {
  char text[IRZ_ERROR_TEXT], line[2 * IRZ_ERROR_TEXT];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  place_line(place, text, line, sizeof line);
  return irz_error_set(place->reader->error, IRZ_ERR_INPUT, "%s", line);
}

void irz_markup_warn(const IrzMarkupPlace *place, const char *format, ...) {
  char text[IRZ_ERROR_TEXT], line[2 * IRZ_ERROR_TEXT];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  place_line(place, text, line, sizeof line);
  irz_plan_warn(place->reader->plan, "%s", line);
}

IrzCode irz_markups_add(IrzMarkups *markups, const IrzMarkup *markup, IrzError *error) {
  if ((markups->n & (markups->n - 1)) == 0) {
    size_t room = markups->n > 0 ? 2 * (size_t)markups->n : 1;
    IRZ_TRY(irz_resize(&markups->items, room, sizeof *markups->items, error));
  }
  markups->items[markups->n++] = *markup;
  return IRZ_OK;
}

IrzCode irz_markups_add_point(IrzMarkups *markups, const IrzMarkupPoint *point, IrzError *error) {
  IrzMarkup *markup = &markups->items[markups->n - 1];
  if ((markup->n_points & (markup->n_points - 1)) == 0) {
    size_t room = markup->n_points > 0 ? 2 * (size_t)markup->n_points : 1;
    IRZ_TRY(irz_resize(&markup->points, room, sizeof *markup->points, error));
  }
  markup->points[markup->n_points++] = *point;
  return IRZ_OK;
}

void irz_markups_clear(IrzMarkups *markups) {
  for (int m = 0; m < markups->n; m++) free(markups->items[m].points);
  free(markups->items);
  *markups = (IrzMarkups){.n = 0};
}
