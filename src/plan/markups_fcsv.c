/* Slicer's older lists of points (.fcsv): see src/plan/markups.h. */
#include "base/number.h"
#include "base/utf8.h"
#include "plan/markups.h"
#include <stdio.h>
#include <string.h>

#define MAX_COLUMNS 32

/* What a file says before its points. */
typedef struct {
  double sign;        /* what turns its coordinates into RAS */
  bool stated;        /* it says which system it has */
  int x, y, z, label; /* columns; -1: none */
} Header;

/* Cut a line at its commas; what is in double quotes may have some. */
static int split(char *line, char *cells[MAX_COLUMNS]) {
  int n = 0;
  char *c = line;
  while (n < MAX_COLUMNS) {
    c += strspn(c, " \t");
    char *to = c;
    cells[n++] = c;
    bool quoted = *c == '"';
    if (quoted) c++;
    for (; *c != '\0' && (quoted || *c != ','); c++) {
      if (quoted && *c == '"' && c[1] != '"') {
        quoted = false;
        continue;
      }
      if (quoted && *c == '"') c++;
      *to++ = *c;
    }
    bool last = *c == '\0';
    while (to > cells[n - 1] && strchr(" \t", to[-1]) != NULL) to--;
    *to = '\0';
    if (last) break;
    c++;
  }
  return n;
}

/* A comment, which may say what is to come. */
static IrzCode read_comment(const IrzMarkupPlace *place, char *text, Header *header) {
  char value[64] = "";
  if (sscanf(text, "# CoordinateSystem = %63s", value) == 1) {
    bool ras = strcmp(value, "RAS") == 0 || strcmp(value, "0") == 0;
    if (!ras && strcmp(value, "LPS") != 0 && strcmp(value, "1") != 0) {
      irz_utf8_clean(value);
      return irz_markup_fail(place, "CoordinateSystem: is \"%s\"; it must be LPS, RAS, 0 (RAS) or 1 (LPS)", value);
    }
    header->sign = ras ? 1 : -1;
    header->stated = true;
  }
  char *columns = strstr(text, "columns = ");
  if (columns == NULL) return IRZ_OK;
  char *cells[MAX_COLUMNS];
  int n = split(columns + strlen("columns = "), cells);
  header->x = header->y = header->z = header->label = -1;
  for (int i = 0; i < n; i++) {
    if (strcmp(cells[i], "x") == 0) header->x = i;
    if (strcmp(cells[i], "y") == 0) header->y = i;
    if (strcmp(cells[i], "z") == 0) header->z = i;
    if (strcmp(cells[i], "label") == 0) header->label = i;
  }
  if (header->x >= 0 && header->y >= 0 && header->z >= 0) return IRZ_OK;
  return irz_markup_fail(place, "columns: x, y and z are wanted among them");
}

/* A point. */
static IrzCode read_point(const IrzMarkupPlace *place, char *line, const Header *header, int number,
                          IrzMarkups *markups) {
  char *cells[MAX_COLUMNS];
  int n = split(line, cells);
  const int column[3] = {header->x, header->y, header->z};
  IrzMarkupPoint point = {.number = number, .defined = true};
  for (int k = 0; k < 3; k++) {
    double value;
    if (column[k] >= n || !irz_number_read(cells[column[k]], &value)) {
      return irz_markup_fail(place, "%c: is no number; a line has id, x, y, z ... with commas between", "xyz"[k]);
    }
    point.at[k] = 0 + (k < 2 ? header->sign : 1) * value;
  }
  if (header->label >= 0 && header->label < n) {
    snprintf(point.label, sizeof point.label, "%s", cells[header->label]);
    irz_utf8_clean(point.label);
  }
  return irz_markups_add_point(markups, &point, place->reader->error);
}

IrzCode irz_markups_fcsv(IrzMarkupPlace *place, char *text, IrzMarkups *markups) {
  Header header = {.sign = -1, .x = 1, .y = 2, .z = 3, .label = 11};
  IrzMarkup markup = {.number = 1};
  int number = 0;
  IRZ_TRY(irz_markups_add(markups, &markup, place->reader->error));
  for (char *next = text; next != NULL && *next != '\0';) {
    char *line = next;
    next = strchr(line, '\n');
    if (next != NULL) *next++ = '\0';
    place->line++;
    line[strcspn(line, "\r")] = '\0';
    line += strspn(line, " \t");
    if (line[0] == '#') {
      IRZ_TRY(read_comment(place, line, &header));
    } else if (line[0] != '\0') {
      IRZ_TRY(read_point(place, line, &header, ++number, markups));
    }
  }
  place->line = 0;
  if (!header.stated && number > 0) {
    irz_markup_warn(place, "does not state its CoordinateSystem, which is taken for LPS");
  }
  return IRZ_OK;
}
