/* Reads a map by its table of keys. */
#define _GNU_SOURCE /* strtod_l */
#include "base/entry.h"
#include "base/number.h"
#include "base/utf8.h"
#include "plan/keys.h"
#include "plan/parts.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "file:line: path: text (set by ...)" */
static void place_text(const IrzReader *reader, const IrzYaml *node, const char *path, const char *text, char *line,
                       size_t size) {
  char number[16] = "";
  if (node != NULL && node->line > 0) snprintf(number, sizeof number, ":%d", node->line);
  bool set = node != NULL && node->origin != NULL;
  snprintf(line, size, "%s%s: %s%s%s%s%s%s", reader->file, number, path, path[0] != '\0' ? ": " : "", text,
           set ? " (set by " : "", set ? node->origin : "", set ? ")" : "");
}

IrzCode irz_reader_fail(const IrzReader *reader, const IrzYaml *node, const char *path, const char *format, ...) {
  char text[IRZ_ERROR_TEXT], line[2 * IRZ_ERROR_TEXT];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  place_text(reader, node, path, text, line, sizeof line);
  if (reader->draft != NULL) reader->draft->lacks = strstr(format, "missing") != NULL;
  return irz_error_set(reader->error, IRZ_ERR_PLAN, "%s", line);
}

IrzCode irz_reader_absent(const IrzReader *reader, const IrzYaml *node, const char *path, const char *format, ...) {
  char text[IRZ_ERROR_TEXT];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  irz_reader_fail(reader, node, path, "%s", text);
  if (reader->draft != NULL) reader->draft->lacks = true;
  return IRZ_ERR_PLAN;
}

IrzCode irz_reader_lenient(const IrzReader *reader, IrzCode code) {
  IrzDraft *draft = reader->draft;
  if (code != IRZ_ERR_PLAN || draft == NULL || !draft->lacks) return code;
  if (draft->n++ == 0) memcpy(draft->first, reader->error->text, sizeof draft->first);
  draft->lacks = false;
  *reader->error = (IrzError){.code = IRZ_OK};
  return IRZ_OK;
}

int irz_reader_lacking(const IrzReader *reader) {
  return reader->draft != NULL ? reader->draft->n : 0;
}

void irz_reader_warn(const IrzReader *reader, const IrzYaml *node, const char *path, const char *format, ...) {
  char text[IRZ_ERROR_TEXT], line[2 * IRZ_ERROR_TEXT];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  place_text(reader, node, path, text, line, sizeof line);
  irz_plan_warn(reader->plan, "%s", line);
}

/* Append a word to a list for a message. */
static void list_word(char *list, size_t size, const char *word) {
  size_t used = strlen(list);
  snprintf(list + used, size - used, "%s%s", used > 0 ? ", " : "", word);
}

/* Report a key that is in no row of the table. */
static IrzCode unknown_key(const IrzReader *reader, const IrzSection *section, const IrzYaml *map, int at,
                           const char *path) {
  const char *names[32] = {NULL};
  char known[512] = "", full[IRZ_KEY_PATH_MAX];
  for (int i = 0; section->keys[i].name != NULL; i++) {
    names[i] = section->keys[i].name;
    list_word(known, sizeof known, names[i]);
  }
  irz_key_path(full, path, map->keys[at]);
  IrzYaml place = {.line = map->key_lines[at], .origin = map->items[at]->origin};
  const char *nearest = irz_nearest_name(map->keys[at], names);
  char remark[96];
  irz_utf8_remark(map->keys[at], remark);
  if (nearest != NULL) {
    return irz_reader_fail(reader, &place, full, "unknown key%s; did you mean \"%s\"?", remark, nearest);
  }
  return irz_reader_fail(reader, &place, full, "unknown key%s; known here are %s", remark, known);
}

/* What a node is, for messages. */
static const char *kind_name(const IrzYaml *node) {
  switch (node->kind) {
  case IRZ_YAML_MAP:
    return "a map";
  case IRZ_YAML_LIST:
    return "a list";
  default:
    return node->text == NULL ? "empty" : node->text;
  }
}

/* Report that a node is not what is wanted. */
static IrzCode wrong_kind(const IrzReader *reader, const IrzYaml *node, const char *path, const char *wanted) {
  bool scalar = node->kind == IRZ_YAML_SCALAR && node->text != NULL;
  char remark[96] = "";
  if (scalar) irz_utf8_remark(node->text, remark);
  return irz_reader_fail(reader, node, path, "%s%.80s%s%s; it must be %s", scalar ? "is \"" : "is ", kind_name(node),
                         scalar ? "\"" : "", remark, wanted);
}

IrzCode irz_reader_number(const IrzReader *reader, const IrzYaml *node, const char *path, const char *unit,
                          double *value) {
  char wanted[80];
  snprintf(wanted, sizeof wanted, "a number%s%s", unit != NULL ? " in " : "", unit != NULL ? unit : "");
  if (node->kind != IRZ_YAML_SCALAR || node->text == NULL) return wrong_kind(reader, node, path, wanted);
  if (irz_number_read(node->text, value)) return IRZ_OK;
  /* A decimal comma is the likeliest slip where it is the habit. */
  char pointed[40];
  const char *comma = strchr(node->text, ',');
  double ignored;
  snprintf(pointed, sizeof pointed, "%.39s", node->text);
  if (comma != NULL && comma - node->text < (ptrdiff_t)sizeof pointed - 1) pointed[comma - node->text] = '.';
  if (comma != NULL && irz_number_read(pointed, &ignored)) {
    return irz_reader_fail(reader, node, path, "is \"%.80s\"; it must be %s: did you mean %s?", node->text, wanted,
                           pointed);
  }
  return wrong_kind(reader, node, path, wanted);
}

/* A number in a plan by its place. */
static double plan_number(const IrzPlan *plan, size_t offset) {
  double value;
  memcpy(&value, (const char *)plan + offset, sizeof value);
  return value;
}

/* A number within a key's range, in the plan's unit. */
static IrzCode number_in_range(const IrzReader *reader, const IrzKey *key, const IrzYaml *node, const char *path,
                               double *value) {
  IRZ_TRY(irz_reader_number(reader, node, path, key->unit_name, value));
  const char *blank = key->unit_name != NULL ? " " : "", *unit = key->unit_name != NULL ? key->unit_name : "";
  if (*value < key->least || *value > key->most) {
    char hint[IRZ_UNIT_HINT];
    irz_unit_hint(key->unit_name, *value, hint);
    return irz_reader_fail(reader, node, path, "%.9g%s%s is outside %.9g to %.9g%s%s%s", *value, blank, unit,
                           key->least, key->most, blank, unit, hint);
  }
  if (key->usual_least == 0) return IRZ_OK;
  double si = key->unit != 0 ? key->unit : 1, least = plan_number(reader->plan, key->usual_least) / si,
         most = plan_number(reader->plan, key->usual_most) / si;
  if (*value < least * (1 - 1e-12) || *value > most * (1 + 1e-12)) {
    irz_reader_warn(reader, node, path, "%.9g%s%s is outside %.9g to %.9g%s%s, the usual range (%s)", *value, blank,
                    unit, least, most, blank, unit, key->usual_note);
  }
  return IRZ_OK;
}

IrzCode irz_reader_numbers(const IrzReader *reader, const IrzKey *key, const IrzYaml *node, const char *path, int most,
                           int *count, double *values) {
  if (node->kind != IRZ_YAML_LIST) return wrong_kind(reader, node, path, "a list of numbers");
  if (node->n > most) {
    return irz_reader_fail(reader, node, path, "has %d numbers; at most %d are allowed", node->n, most);
  }
  for (int i = 0; i < node->n; i++) {
    char entry[IRZ_KEY_PATH_MAX], index[16];
    snprintf(index, sizeof index, "[%d]", i);
    irz_key_path(entry, path, index);
    IRZ_TRY(number_in_range(reader, key, node->items[i], entry, &values[i]));
    values[i] *= key->unit != 0 ? key->unit : 1;
  }
  *count = node->n;
  return IRZ_OK;
}

/* A text of less than `size` bytes. */
static IrzCode text_value(const IrzReader *reader, const IrzYaml *node, const char *path, char *value, size_t size) {
  if (node->kind != IRZ_YAML_SCALAR || node->text == NULL) return wrong_kind(reader, node, path, "a text");
  if (strlen(node->text) >= size) {
    return irz_reader_fail(reader, node, path, "has %zu characters; at most %zu are allowed", strlen(node->text),
                           size - 1);
  }
  if (node->text[0] == '\0') return irz_reader_fail(reader, node, path, "is empty; it must be a text");
  for (const char *c = node->text; *c != '\0';) {
    unsigned code = 0;
    c += irz_utf8_character(c, 4, &code);
    if (!irz_utf8_in_line(code)) return irz_reader_fail(reader, node, path, "contains a control character");
  }
  memcpy(value, node->text, strlen(node->text) + 1);
  return IRZ_OK;
}

IrzCode irz_reader_choice(const IrzReader *reader, const char *const *choices, const IrzYaml *node, const char *path,
                          int *value) {
  char wanted[256] = "";
  for (int i = 0; choices[i] != NULL; i++) {
    if (node->kind == IRZ_YAML_SCALAR && node->text != NULL && strcmp(node->text, choices[i]) == 0) {
      *value = i;
      return IRZ_OK;
    }
    size_t used = strlen(wanted);
    snprintf(wanted + used, sizeof wanted - used, "%s%s", i > 0 ? " or " : "", choices[i]);
  }
  return wrong_kind(reader, node, path, wanted);
}

/* Three numbers. */
static IrzCode point_value(const IrzReader *reader, const IrzKey *key, const IrzYaml *node, const char *path,
                           double point[3]) {
  int count = 0;
  if (node->kind != IRZ_YAML_LIST || node->n != 3) {
    if (node->kind == IRZ_YAML_LIST) {
      return irz_reader_fail(reader, node, path, "has %d numbers; it must be [x, y, z]", node->n);
    }
    return wrong_kind(reader, node, path, "[x, y, z]");
  }
  return irz_reader_numbers(reader, key, node, path, 3, &count, point);
}

/* Read one value to its place. */
static IrzCode key_value(const IrzReader *reader, const IrzKey *key, const IrzYaml *node, const char *path,
                         char *target) {
  if (key->offset == IRZ_KEY_ELSEWHERE) return IRZ_OK;
  void *place = target + key->offset;
  double number;
  switch (key->type) {
  case IRZ_KEY_NUMBER:
    IRZ_TRY(number_in_range(reader, key, node, path, &number));
    *(double *)place = number * (key->unit != 0 ? key->unit : 1);
    return IRZ_OK;
  case IRZ_KEY_INTEGER:
    IRZ_TRY(irz_reader_number(reader, node, path, NULL, &number));
    if (number != floor(number)) return irz_reader_fail(reader, node, path, "%.9g is not a whole number", number);
    IRZ_TRY(number_in_range(reader, key, node, path, &number));
    *(int *)place = (int)number;
    return IRZ_OK;
  case IRZ_KEY_FLAG: {
    bool scalar = node->kind == IRZ_YAML_SCALAR && node->text != NULL;
    bool yes = scalar && strcmp(node->text, "true") == 0, no = scalar && strcmp(node->text, "false") == 0;
    if (!yes && !no) return wrong_kind(reader, node, path, "true or false");
    *(bool *)place = yes;
    return IRZ_OK;
  }
  case IRZ_KEY_CHOICE:
    return irz_reader_choice(reader, key->choices, node, path, place);
  case IRZ_KEY_NAME:
    return text_value(reader, node, path, place, IRZ_NAME_MAX);
  case IRZ_KEY_PATH:
    return text_value(reader, node, path, place, IRZ_PATH_MAX);
  case IRZ_KEY_POINT:
    return point_value(reader, key, node, path, place);
  case IRZ_KEY_NODE:
    memcpy(place, (const void *)&node, sizeof(const IrzYaml *));
    return IRZ_OK;
  }
  return IRZ_OK;
}

/* Fill in the default of a key, which the table gives as text. */
static void key_standard(const IrzKey *key, char *target) {
  void *place = target + key->offset;
  double unit = key->unit != 0 ? key->unit : 1, number = 0;
  switch (key->type) {
  case IRZ_KEY_NUMBER:
    irz_number_read(key->standard, &number);
    *(double *)place = number * unit;
    break;
  case IRZ_KEY_INTEGER:
    *(int *)place = (int)strtol(key->standard, NULL, 10);
    break;
  case IRZ_KEY_FLAG:
    *(bool *)place = strcmp(key->standard, "true") == 0;
    break;
  case IRZ_KEY_CHOICE:
    for (int i = 0; key->choices[i] != NULL; i++) {
      if (strcmp(key->standard, key->choices[i]) == 0) *(int *)place = i;
    }
    break;
  case IRZ_KEY_POINT: {
    const char *text = key->standard;
    for (int i = 0; i < 3; i++) {
      char *end;
      ((double *)place)[i] = strtod_l(text + 1, &end, irz_c_locale()) * unit; /* behind "[" or "," */
      text = end;
    }
    break;
  }
  default:
    break; /* texts and nodes have no default here */
  }
}

/* Report a key that must be stated and is not, and those after it in the table. */
static IrzCode missing_key(const IrzReader *reader, const IrzKey *key, const IrzYaml *map, const IrzYaml *place,
                           const char *path) {
  char full[IRZ_KEY_PATH_MAX], unit[40] = "", others[256] = "";
  irz_key_path(full, path, key->name);
  if (key->unit_name != NULL) snprintf(unit, sizeof unit, ", in %s", key->unit_name);
  for (const IrzKey *other = key + 1; other->name != NULL; other++) {
    if (other->required && irz_yaml_get(map, other->name) == NULL) list_word(others, sizeof others, other->name);
  }
  return irz_reader_fail(reader, place, full, "missing: %s%s%s%s", key->help, unit,
                         others[0] != '\0' ? "; also missing: " : "", others);
}

IrzCode irz_reader_section(const IrzReader *reader, const IrzSection *section, const IrzYaml *map,
                           const IrzYaml *parent, const char *path, bool keep, void *target) {
  if (map != NULL && map->kind != IRZ_YAML_MAP) return wrong_kind(reader, map, path, "a map of keys and values");
  for (int i = 0; map != NULL && i < map->n; i++) {
    bool known = false;
    for (const IrzKey *key = section->keys; key->name != NULL && !known; key++) {
      known = strcmp(key->name, map->keys[i]) == 0;
    }
    if (!known) return unknown_key(reader, section, map, i, path);
  }
  const IrzKey *lacking = NULL;
  for (const IrzKey *key = section->keys; key->name != NULL; key++) {
    char full[IRZ_KEY_PATH_MAX];
    irz_key_path(full, path, key->name);
    const IrzYaml *node = irz_yaml_get(map, key->name);
    if (node != NULL) {
      IRZ_TRY(key_value(reader, key, node, full, target));
    } else if (keep) {
      continue;
    } else if (key->standard != NULL) {
      key_standard(key, target);
    } else if (key->required) {
      if (lacking == NULL) lacking = key;
      if (reader->draft == NULL) break; /* a draft has its other values looked at first */
    }
  }
  return lacking == NULL ? IRZ_OK : missing_key(reader, lacking, map, map != NULL ? map : parent, path);
}

/* The range of a key as text. */
static void range_text(const IrzKey *key, char *text, size_t size) {
  text[0] = '\0';
  if (key->type == IRZ_KEY_CHOICE) {
    for (int i = 0; key->choices[i] != NULL; i++) {
      size_t used = strlen(text);
      snprintf(text + used, size - used, "%s%s", i > 0 ? " | " : "", key->choices[i]);
    }
  } else if (key->type == IRZ_KEY_FLAG) {
    snprintf(text, size, "true | false");
  } else if (key->type == IRZ_KEY_NUMBER || key->type == IRZ_KEY_INTEGER) {
    snprintf(text, size, "%g to %g", key->least, key->most);
    if (key->usual_least != 0) {
      size_t used = strlen(text);
      snprintf(text + used, size - used, " (usual %s)", key->usual_note);
    }
  } else if (key->type == IRZ_KEY_POINT) {
    snprintf(text, size, "[x, y, z]");
  }
}

/* One section of the help. */
static void section_help(const IrzSection *section, FILE *out) {
  fprintf(out, "\n%s%s%s\n", section->path, section->path[0] != '\0' ? ": " : "", section->help);
  for (const IrzKey *key = section->keys; key->name != NULL; key++) {
    char range[128];
    range_text(key, range, sizeof range);
    fprintf(out, "  %-12s %s", key->name, key->help);
    if (key->unit_name != NULL) fprintf(out, ", %s", key->unit_name);
    if (range[0] != '\0') fprintf(out, "; %s", range);
    if (key->standard != NULL) fprintf(out, "; default %s", key->standard);
    if (key->required) fprintf(out, "; required");
    fputc('\n', out);
  }
}

void irz_plan_help(FILE *out) {
  IRZ_ENTER_QUIETLY;
  fputs(
      "Keys of a plan. Values outside a range are errors, outside a usual range warnings.\n"
      "The file is YAML in UTF-8, one document of at most 16 MB; anchors and aliases are read, tags and << are not.\n",
      out);
  for (const IrzPlanMap *map = irz_plan_maps; map->section != NULL; map++) {
    section_help(map->section, out);
    if (map->section != &irz_section_tissue) continue;
    for (int i = 0; irz_law_names[i] != NULL; i++) section_help(&irz_section_laws[i], out);
  }
}

/* Whether a key's value is a map, or a list of maps, of which irz_plan_maps has the keys. */
static bool has_keys_below(const char *path, const char *key) {
  char full[IRZ_KEY_PATH_MAX], entry[IRZ_KEY_PATH_MAX];
  irz_key_path(full, path, key);
  irz_key_path(entry, full, "[]");
  if (strcmp(key, "sigma") == 0 && strcmp(path, "tissues.*") == 0) return true; /* the laws' */
  if (strcmp(full, "tissues") == 0) return true;
  for (const IrzPlanMap *map = irz_plan_maps; map->section != NULL; map++) {
    if (strcmp(map->path, full) == 0 || strcmp(map->path, entry) == 0) return true;
  }
  return false;
}

/* Print a path as `--set` takes it: with the first entry of lists and the default region. */
static void print_path(const char *path, const char *key, FILE *out) {
  for (const char *c = path; *c != '\0'; c++) {
    if (*c == '*')
      fputs("default", out);
    else
      fprintf(out, *c == '[' ? "[0" : "%c", *c);
  }
  fprintf(out, "%s%s\n", path[0] != '\0' ? "." : "", key);
}

/* Whether one of the laws before has a key of this name. */
static bool met_before(int kind, const char *name) {
  for (int i = 0; i < kind; i++) {
    for (const IrzKey *key = irz_section_laws[i].keys; key->name != NULL; key++) {
      if (strcmp(key->name, name) == 0) return true;
    }
  }
  return false;
}

void irz_plan_keys(FILE *out) {
  IRZ_ENTER_QUIETLY;
  for (const IrzPlanMap *map = irz_plan_maps; map->section != NULL; map++) {
    for (const IrzKey *key = map->section->keys; key->name != NULL; key++) {
      if (!has_keys_below(map->path, key->name)) print_path(map->path, key->name, out);
    }
    if (map->section != &irz_section_tissue) continue;
    for (int kind = 0; irz_law_names[kind] != NULL; kind++) {
      for (const IrzKey *key = irz_section_laws[kind].keys; key->name != NULL; key++) {
        if (!met_before(kind, key->name)) print_path("tissues.*.sigma", key->name, out);
      }
    }
  }
}
