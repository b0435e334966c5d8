#include "cli/serve_answer.h"
#include <math.h>
#include <stdlib.h>

/* jansson's text goes straight into the stream. */
static int append(const char *text, size_t size, void *out) {
  return fwrite(text, 1, size, out) == size ? 0 : -1;
}

void irz_answer_value(FILE *out, const json_t *value) {
  if (value == NULL) {
    fputs("null", out);
  } else {
    json_dump_callback(value, append, out, JSON_ENCODE_ANY);
  }
}

void irz_answer_text(FILE *out, const char *text) {
  json_t *value = json_string(text);
  irz_answer_value(out, value);
  json_decref(value);
}

void irz_answer_json(FILE *out, const char *json) {
  for (const char *at = json; *at != '\0'; at++) { /* a newline inside a JSON text is escaped, so this is layout */
    if (*at != '\n') {
      fputc(*at, out);
      continue;
    }
    while (at[1] == ' ' || at[1] == '\n') at++;
  }
}

static void write_number(FILE *out, double number, int digits) {
  if (isfinite(number)) {
    fprintf(out, "%.*g", digits, number);
  } else {
    fputs("null", out);
  }
}

void irz_answer_numbers(FILE *out, size_t n, const double *number, int digits) {
  fputc('[', out);
  for (size_t i = 0; i < n; i++) {
    if (i > 0) fputc(',', out);
    write_number(out, number[i], digits);
  }
  fputc(']', out);
}

void irz_answer_rows(FILE *out, size_t n, int width, const double *number, int digits) {
  fputc('[', out);
  for (size_t i = 0; i < n; i++) {
    if (i > 0) fputc(',', out);
    irz_answer_numbers(out, (size_t)width, number + i * (size_t)width, digits);
  }
  fputc(']', out);
}

void irz_answer_triples(FILE *out, size_t n, const int32_t (*index)[3]) {
  fputc('[', out);
  for (size_t i = 0; i < n; i++) {
    fprintf(out, "%s[%d,%d,%d]", i > 0 ? "," : "", (int)index[i][0], (int)index[i][1], (int)index[i][2]);
  }
  fputc(']', out);
}
