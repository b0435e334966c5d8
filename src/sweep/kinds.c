#include "sweep/kinds.h"
#include "base/memory.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/// More kinds are counted as the last one: texts so different are no kinds.
enum { MAX_KINDS = 1000 };

/// Copy `length` bytes of a text, each number in it as one #.
static char *make_shape(const char *text, size_t length) {
  char *shape = malloc(length + 1), *out = shape;
  for (size_t i = 0; shape != NULL && i < length; i++) {
    bool inside =
        isdigit((unsigned char)text[i]) || (text[i] == '.' && i + 1 < length && isdigit((unsigned char)text[i + 1]));
    if (!inside) *out++ = text[i];
    if (inside && (out == shape || out[-1] != '#')) *out++ = '#';
  }
  if (shape != NULL) *out = '\0';
  return shape;
}

/// Add one text.
static IrzCode add_one(IrzKinds *kinds, int number, IrzCode code, const char *text, size_t length, IrzError *error) {
  char *shape = make_shape(text, length);
  if (shape == NULL) return irz_out_of_memory(length, error);
  int i = 0;
  while (i < kinds->n && strcmp(kinds->kind[i].shape, shape) != 0) i++;
  if (i < kinds->n || kinds->n == MAX_KINDS) {
    IrzKind *kind = &kinds->kind[i < kinds->n ? i : MAX_KINDS - 1];
    kind->n_cases += kind->last != number;
    kind->last = number;
    free(shape);
    return IRZ_OK;
  }
  char *copy = strndup(text, length);
  if (copy == NULL || irz_resize(&kinds->kind, (size_t)i + 1, sizeof *kinds->kind, error) != IRZ_OK) {
    free(copy);
    free(shape);
    return irz_out_of_memory(length, error);
  }
  kinds->kind[i] = (IrzKind){.text = copy, .shape = shape, .n_cases = 1, .first = number, .last = number, .code = code};
  kinds->n++;
  return IRZ_OK;
}

IrzCode irz_kinds_add(IrzKinds *kinds, int number, IrzCode code, const char *text, IrzError *error) {
  kinds->code = kinds->n_cases == 0 || kinds->code == code ? code : IRZ_ERR_SOLVER;
  kinds->n_cases++;
  while (*text != '\0') {
    size_t length = strcspn(text, "\n");
    IRZ_TRY(add_one(kinds, number, code, text, length, error));
    text += length + (text[length] == '\n');
  }
  return IRZ_OK;
}

void irz_kinds_report(const IrzKinds *failures, const IrzKinds *warnings, IrzSweepReport *report) {
  if (failures->n > 0) {
    report->failure = failures->code;
    report->first_failed = failures->kind[0].first;
    snprintf(report->first_failure, sizeof report->first_failure, "%s", failures->kind[0].text);
  }
  report->warned = warnings->n_cases;
  report->n_warnings = warnings->n;
  for (int i = 0; i < warnings->n && i < IRZ_SWEEP_MAX_WARNINGS; i++) {
    IrzSweepWarning *warning = &report->warnings[i];
    *warning = (IrzSweepWarning){.cases = warnings->kind[i].n_cases, .first = warnings->kind[i].first};
    snprintf(warning->text, sizeof warning->text, "%s", warnings->kind[i].text);
  }
}

void irz_kinds_clear(IrzKinds *kinds) {
  for (int i = 0; i < kinds->n; i++) {
    free(kinds->kind[i].text);
    free(kinds->kind[i].shape);
  }
  free(kinds->kind);
  *kinds = (IrzKinds){0};
}
