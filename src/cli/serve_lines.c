/* Lines of requests from the standard input: read when there is time for them, and looked at while a solve goes on. One
   thread does it all, as a JSON library's settings and a program's streams are the process's. */
#include "cli/serve.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Read what is there into the buffer. False: out of memory, which drops the line that is being read. */
static void take(IrzLines *lines) {
  char piece[65536];
  ssize_t got = read(STDIN_FILENO, piece, sizeof piece);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (got <= 0) {
    lines->ended = true;
    return;
  }
  if (lines->length + (size_t)got > lines->room) {
    size_t room = 2 * (lines->length + (size_t)got);
    char *larger = realloc(lines->text, room);
    if (larger == NULL) { /* what has been read of this line is lost: it is refused as too long */
      lines->length = 0;
      lines->skipping = true;
      return;
    }
    lines->text = larger;
    lines->room = room;
  }
  memcpy(lines->text + lines->length, piece, (size_t)got);
  lines->length += (size_t)got;
}

/* Whether there is something to read, after so many milliseconds (-1: however long it takes). */
static bool readable(int wait) {
  struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
  return poll(&in, 1, wait) > 0;
}

/* Cut the next whole line out of the buffer. */
static IrzLineKind cut(IrzLines *lines, char **line) {
  char *end = lines->length > 0 ? memchr(lines->text, '\n', lines->length) : NULL;
  if (end == NULL && lines->length > IRZ_LINE_MOST) {
    lines->length = 0;
    lines->skipping = true;
  }
  if (end == NULL && !(lines->ended && (lines->length > 0 || lines->skipping))) {
    return lines->ended ? IRZ_LINE_END : IRZ_LINE_NONE;
  }
  size_t used = end != NULL ? (size_t)(end - lines->text) : lines->length;
  bool lost = lines->skipping || used > IRZ_LINE_MOST;
  lines->skipping = false;
  *line = lost ? NULL : malloc(used + 1);
  if (*line != NULL) {
    memcpy(*line, lines->text, used);
    (*line)[used] = '\0';
    lines->holds_zero = memchr(*line, '\0', used) != NULL;
  }
  size_t rest = end != NULL ? lines->length - used - 1 : 0;
  if (end != NULL) memmove(lines->text, end + 1, rest);
  lines->length = rest;
  return *line == NULL || lines->holds_zero ? IRZ_LINE_LOST : IRZ_LINE_WHOLE;
}

IrzLineKind irz_lines_next(IrzLines *lines, bool wait, char **line) {
  *line = NULL;
  for (;;) {
    IrzLineKind kind = cut(lines, line);
    if (kind == IRZ_LINE_LOST) {
      free(*line);
      *line = NULL;
    }
    if (kind != IRZ_LINE_NONE) return kind;
    if (!readable(wait ? -1 : 0)) {
      if (wait) continue;
      return IRZ_LINE_NONE;
    }
    take(lines);
  }
}

void irz_lines_clear(IrzLines *lines) {
  free(lines->text);
  memset(lines, 0, sizeof *lines);
}
