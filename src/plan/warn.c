#include "base/entry.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "plan/plan.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void irz_plan_warn(IrzPlan *plan, const char *format, ...) {
  IRZ_ENTER_QUIETLY;
  char text[IRZ_ERROR_TEXT];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  irz_utf8_clean(text);
  for (int i = 0; i < plan->n_warnings; i++) {
    if (strcmp(plan->warnings[i], text) == 0) return;
  }
  /* A warning that finds no memory is dropped: what follows will report the lack. */
  char *copy;
  if (irz_alloc(&copy, strlen(text) + 1, 1, NULL) != IRZ_OK) return;
  memcpy(copy, text, strlen(text) + 1);
  if (irz_resize(&plan->warnings, (size_t)plan->n_warnings + 1, sizeof *plan->warnings, NULL) != IRZ_OK) {
    free(copy);
    return;
  }
  plan->warnings[plan->n_warnings++] = copy;
}
