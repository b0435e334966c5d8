/* A table of cases: comma-separated values as RFC 4180 has them. The first line names key paths of the plan, every
   further line is a case. A column named `case` is left out, so that what `irezone sweep --dry-run` prints can be
   edited and read again. */
#include "base/input.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/utf8.h"
#include "sweep/sweep.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_COLUMNS = IRZ_SWEEP_MAX_PARAMETERS, MAX_TABLE = 1 << 30 };

IrzCode irz_table_load(const char *path, char **text, IrzError *error) {
  int descriptor;
  off_t size;
  *text = NULL;
  IRZ_TRY(irz_file_open(path, &descriptor, &size, error));
  IrzCode code = IRZ_OK;
  if (size > MAX_TABLE) {
    code = irz_error_set(error, IRZ_ERR_PLAN, "%s: is larger than %d MB", path, MAX_TABLE >> 20);
  }
  if (code == IRZ_OK) code = irz_alloc_unset(text, (size_t)size + 1, 1, error);
  size_t length = 0;
  while (code == IRZ_OK && length < (size_t)size) {
    ssize_t got = read(descriptor, *text + length, (size_t)size - length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) code = irz_error_set(error, IRZ_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    if (got <= 0) break;
    length += (size_t)got;
  }
  close(descriptor);
  if (code == IRZ_OK) code = irz_utf8_check(*text, length, path, error);
  if (code != IRZ_OK) {
    free(*text);
    *text = NULL;
    return code;
  }
  (*text)[length] = '\0';
  return IRZ_OK;
}

/// Where a table is being read.
typedef struct {
  const char *file, *at;
  int line; // of `at`
  IrzError *error;
} Reader;

/// One field. Its text is as it stands between commas or quotes; what is not quoted loses blanks around it.
/// @param[out] field  [IRZ_SWEEP_MAX_TEXT]
/// @param[out] last   of its line
static IrzCode read_field(Reader *reader, int column, char *field, bool *last) {
  const char *file = reader->file, *at = reader->at;
  size_t n = 0;
  at += strspn(at, " \t");
  bool quoted = *at == '"';
  if (quoted) at++;
  while (*at != '\0') {
    if (quoted && at[0] == '"' && at[1] != '"') break;
    if (!quoted && (*at == ',' || *at == '\n' || *at == '\r')) break;
    if (*at == '\n' || *at == '\r') {
      return irz_error_set(reader->error, IRZ_ERR_PLAN, "%s:%d: column %d: the line ends inside quotes", file,
                           reader->line, column);
    }
    if (*at == '"' && !quoted) {
      return irz_error_set(reader->error, IRZ_ERR_PLAN,
                           "%s:%d: column %d: a quote inside a field; quote the whole field and write \"\" for it",
                           file, reader->line, column);
    }
    if (quoted && *at == '"') at++;
    if (n + 1 == IRZ_SWEEP_MAX_TEXT) {
      return irz_error_set(reader->error, IRZ_ERR_PLAN, "%s:%d: column %d: more than %d characters", file, reader->line,
                           column, IRZ_SWEEP_MAX_TEXT - 1);
    }
    field[n++] = *at++;
  }
  if (quoted && *at == '\0') {
    return irz_error_set(reader->error, IRZ_ERR_PLAN, "%s:%d: column %d: the file ends inside quotes", file,
                         reader->line, column);
  }
  if (quoted) {
    at++;
    at += strspn(at, " \t");
    if (*at != ',' && *at != '\n' && *at != '\r' && *at != '\0') {
      return irz_error_set(reader->error, IRZ_ERR_PLAN, "%s:%d: column %d: something follows the closing quote", file,
                           reader->line, column);
    }
  }
  while (!quoted && n > 0 && strchr(" \t", field[n - 1]) != NULL) n--;
  field[n] = '\0';
  *last = *at != ',';
  if (!*last) at++;
  if (*last && *at == '\r') at++;
  if (*last && *at == '\n') at++;
  reader->at = at;
  return IRZ_OK;
}

/// Go past empty lines. Returns false at the end of the file.
static bool next_line(Reader *reader) {
  while (true) {
    size_t blank = strspn(reader->at, " \t");
    if (reader->at[blank] == '\0') return false;
    if (reader->at[blank] != '\n' && reader->at[blank] != '\r') return true;
    reader->at += blank + (reader->at[blank] == '\r' && reader->at[blank + 1] == '\n') + 1;
    reader->line++;
  }
}

/// The lines of a text, at most.
static size_t count_lines(const char *text) {
  size_t n = 1;
  for (; *text != '\0'; text++) n += *text == '\n' || (*text == '\r' && text[1] != '\n');
  return n;
}

static IrzCode copy_text(const char *text, char **copy, IrzError *error) {
  IRZ_TRY(irz_alloc_unset(copy, strlen(text) + 1, 1, error));
  strcpy(*copy, text);
  return IRZ_OK;
}

/// The first line: parameters without values yet. `column[c]` is the parameter of a column, or -1.
static IrzCode read_header(Reader *reader, IrzSweep *sweep, int column[MAX_COLUMNS], int *n_columns) {
  char field[IRZ_SWEEP_MAX_TEXT];
  const char *file = reader->file;
  IrzError *error = reader->error;
  if (strncmp(reader->at, "\xef\xbb\xbf", 3) == 0) reader->at += 3;
  if (!next_line(reader)) {
    return irz_error_set(error, IRZ_ERR_PLAN, "%s: is empty; its first line must name key paths of the plan", file);
  }
  IRZ_TRY(irz_alloc(&sweep->parameters, MAX_COLUMNS, sizeof *sweep->parameters, error));
  *n_columns = 0;
  for (bool last = false; !last;) {
    int number = *n_columns + 1;
    if (number > MAX_COLUMNS) {
      return irz_error_set(error, IRZ_ERR_PLAN, "%s:%d: more than %d columns", file, reader->line, MAX_COLUMNS);
    }
    IRZ_TRY(read_field(reader, number, field, &last));
    if (field[0] == '\0') {
      return irz_error_set(error, IRZ_ERR_PLAN, "%s:%d: column %d has no name; it must be a key path of the plan", file,
                           reader->line, number);
    }
    if (number == 1 && last && strchr(field, ';') != NULL) {
      return irz_error_set(error, IRZ_ERR_PLAN, "%s:%d: fields must be divided by commas, not by semicolons", file,
                           reader->line);
    }
    for (int j = 0; j < sweep->n_parameters; j++) {
      if (strcmp(sweep->parameters[j].key, field) == 0) {
        return irz_error_set(error, IRZ_ERR_PLAN, "%s:%d: there are two columns %s", file, reader->line, field);
      }
    }
    bool left_out = strcmp(field, "case") == 0;
    column[(*n_columns)++] = left_out ? -1 : sweep->n_parameters;
    if (left_out) continue;
    IrzParameter *parameter = &sweep->parameters[sweep->n_parameters];
    *parameter = (IrzParameter){.line = reader->line, .min = -INFINITY, .max = INFINITY};
    IRZ_TRY(copy_text(field, &parameter->key, error));
    sweep->n_parameters++;
  }
  reader->line++;
  if (sweep->n_parameters > 0) return IRZ_OK;
  return irz_error_set(error, IRZ_ERR_PLAN, "%s:1: no column but \"case\"; the others must be key paths of the plan",
                       file);
}

/// One case.
static IrzCode read_row(Reader *reader, IrzSweep *sweep, const int *column, int n_columns) {
  char field[IRZ_SWEEP_MAX_TEXT];
  bool last = false;
  for (int c = 0; c < n_columns; c++) {
    if (last) {
      return irz_error_set(reader->error, IRZ_ERR_PLAN, "%s:%d: has %d fields; the first line has %d", reader->file,
                           reader->line, c, n_columns);
    }
    IRZ_TRY(read_field(reader, c + 1, field, &last));
    if (column[c] < 0) continue;
    IrzParameter *parameter = &sweep->parameters[column[c]];
    if (field[0] == '\0') {
      return irz_error_set(reader->error, IRZ_ERR_PLAN, "%s:%d: column %d (%s) is empty; every case needs a value",
                           reader->file, reader->line, c + 1, parameter->key);
    }
    IRZ_TRY(copy_text(field, &parameter->text[parameter->n_values], reader->error));
    if (!irz_number_read(field, &parameter->number[parameter->n_values])) parameter->is_text = true;
    parameter->n_values++;
  }
  if (!last) {
    return irz_error_set(reader->error, IRZ_ERR_PLAN, "%s:%d: has more than the %d fields of the first line",
                         reader->file, reader->line, n_columns);
  }
  reader->line++;
  return IRZ_OK;
}

IrzCode irz_table_read(const char *text, const char *file, IrzSweep *sweep, IrzError *error) {
  Reader reader = {file, text, 1, error};
  int column[MAX_COLUMNS], n_columns = 0;
  IRZ_TRY(read_header(&reader, sweep, column, &n_columns));
  size_t room = count_lines(text);
  for (int j = 0; j < sweep->n_parameters; j++) {
    IrzParameter *parameter = &sweep->parameters[j];
    IRZ_TRY(irz_alloc(&parameter->text, room, sizeof *parameter->text, error));
    IRZ_TRY(irz_alloc(&parameter->number, room, sizeof *parameter->number, error));
  }
  int n = 0;
  while (next_line(&reader)) {
    if (n == IRZ_SWEEP_MAX_CASES) {
      return irz_error_set(error, IRZ_ERR_PLAN, "%s: more than %d cases", file, IRZ_SWEEP_MAX_CASES);
    }
    IRZ_TRY(read_row(&reader, sweep, column, n_columns));
    n++;
  }
  for (int j = 0; j < sweep->n_parameters; j++) {
    IrzParameter *parameter = &sweep->parameters[j];
    for (int i = 0; i < n && parameter->is_text; i++) parameter->number[i] = i;
  }
  if (n > 0) return IRZ_OK;
  return irz_error_set(error, IRZ_ERR_PLAN, "%s: has no case below its first line", file);
}
