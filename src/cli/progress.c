/* Progress: a bar on a terminal, one plain line a stage elsewhere. */
#include "cli/cli.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void irz_progress_begin(IrzProgress *progress, bool quiet) {
  *progress = (IrzProgress){.quiet = quiet || !irz_cli_first(), .terminal = isatty(STDERR_FILENO) == 1};
}

bool irz_progress_show(void *context, const char *stage, double fraction) {
  enum { WIDTH = 40 };
  IrzProgress *progress = context;
  if (progress->quiet) return true;
  bool changed = strcmp(progress->stage, stage) != 0;
  snprintf(progress->stage, sizeof progress->stage, "%s", stage);
  if (!progress->terminal) {
    if (!changed) return true;
    printf("%s ...\n", stage);
    fflush(stdout);
    return true;
  }
  if (!(fraction >= 0)) fraction = 0;
  if (fraction > 1) fraction = 1;
  char bar[WIDTH + 1];
  for (int i = 0; i < WIDTH; i++) bar[i] = i < fraction * WIDTH ? '#' : '.';
  bar[WIDTH] = '\0';
  fprintf(stderr, "\r\033[K%-8.20s [%s] %3.0f %%", stage, bar, 100 * fraction);
  fflush(stderr);
  progress->drawn = true;
  return true;
}

void irz_progress_end(IrzProgress *progress) {
  if (!progress->drawn) return;
  fputs("\r\033[K", stderr);
  fflush(stderr);
  progress->drawn = false;
}
