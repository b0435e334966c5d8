/* Parts of `irezone serve`. */
#ifndef IREZONE_CLI_SERVE_H
#define IREZONE_CLI_SERVE_H

#include <stdbool.h>
#include <stddef.h>

/// Longest line that is taken, bytes.
#define IRZ_LINE_MOST ((size_t)64 << 20)

/// What the standard input gives.
typedef enum {
  IRZ_LINE_NONE,  ///< nothing yet
  IRZ_LINE_WHOLE, ///< a line
  IRZ_LINE_LOST,  ///< a line that is too long, or that holds a zero byte
  IRZ_LINE_END    ///< no more lines
} IrzLineKind;

/// The standard input, as far as it has been read. Zero-initialise.
typedef struct {
  char *text;
  size_t length, room;
  bool ended;      ///< the input has
  bool skipping;   ///< the line that is being read is too long
  bool holds_zero; ///< the last line did
} IrzLines;

/// The next line.
/// @param[in]  wait  until there is one
/// @param[out] line  to be released with free(); NULL unless IRZ_LINE_WHOLE
IrzLineKind irz_lines_next(IrzLines *lines, bool wait, char **line);

/// Free what is held.
void irz_lines_clear(IrzLines *lines);

#endif
