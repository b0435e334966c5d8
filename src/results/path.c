/* Following paths into a summary, and saying what was meant by those that lead nowhere. */
#include "results/path.h"
#include "base/entry.h"
#include "base/memory.h"
#include "base/number.h"
#include "plan/keys.h"
#include "results/json.h"
#include "results/table.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  MAX_PATHS = 4000, // paths that a misspelt one is compared with
  MAX_LISTED = 32,  // entries of a list of numbers that are named
};

/// A value of a summary.
typedef struct {
  const json_t *value;
  const IrzQuantity *rows; ///< of the map that it is, or whose list it is; NULL: it is none of the table's
} Node;

/* ---- Following a path ---- */

/// The identity of an entry of a list as text; false if it has none.
static bool identity(Node list, size_t i, char text[IRZ_NAME_MAX]) {
  const json_t *entry = json_array_get(list.value, i);
  for (const IrzQuantity *row = list.rows; row != NULL && row->name != NULL; row++) {
    const json_t *value = row->identifies ? json_object_get(entry, row->name) : NULL;
    if (json_is_string(value)) snprintf(text, IRZ_NAME_MAX, "%s", json_string_value(value));
    if (json_is_number(value)) snprintf(text, IRZ_NAME_MAX, "%.10g", json_number_value(value));
    if (json_is_string(value) || json_is_number(value)) return true;
  }
  return false;
}

/// Whether a word means an identity: as text, or as the same number.
static bool means(const char *word, const char *text) {
  if (strcmp(word, text) == 0) return true;
  double a, b;
  return irz_number_read(word, &a) && irz_number_read(text, &b) && fabs(a - b) <= 1e-9 * fabs(b);
}

/// An entry of a list.
static Node list_entry(Node list, size_t i) {
  return (Node){json_array_get(list.value, i), list.rows};
}

/// The value of a map by its name.
static Node map_entry(Node map, const char *name) {
  for (const IrzQuantity *row = map.rows; row != NULL && row->name != NULL; row++) {
    if (strcmp(row->name, name) == 0) return (Node){json_object_get(map.value, name), row->rows};
  }
  return (Node){json_object_get(map.value, name), NULL};
}

/// The entry of a map or list that a word names. A number that is no identity is a place, as in --set.
static Node child(Node at, const char *word) {
  if (json_is_object(at.value)) return map_entry(at, word);
  bool place = strlen(word) < 9 && word[strspn(word, "0123456789")] == '\0';
  for (size_t i = 0; i < json_array_size(at.value); i++) {
    char text[IRZ_NAME_MAX];
    if (identity(at, i, text) && means(word, text)) return list_entry(at, i);
  }
  return place ? list_entry(at, (size_t)atoi(word)) : (Node){NULL, NULL};
}

/// How far a path could be followed.
typedef struct {
  Node at;          ///< where it ended
  const char *rest; ///< of the path
} Reached;

/// Where a path leads, or NULL. Names may contain dots themselves, so the longest that fits is tried first.
/// @param[in,out] reached  the farthest that any try came
static const json_t *follow(Node at, const char *path, Reached *reached) {
  if (reached->rest == NULL || strlen(path) < strlen(reached->rest)) *reached = (Reached){at, path};
  if (*path == '\0') return at.value;
  if (*path == '[') {
    char *end;
    unsigned long index = strtoul(path + 1, &end, 10);
    if (!isdigit((unsigned char)path[1]) || *end != ']' || index >= json_array_size(at.value)) return NULL;
    end++;
    return *end == '.' && end[1] == '\0' ? NULL : follow(list_entry(at, index), end + (*end == '.'), reached);
  }
  char word[IRZ_RESULT_PATH_MAX];
  for (size_t length = strlen(path); length > 0; length--) {
    char next = path[length];
    if ((next != '\0' && next != '.' && next != '[') || length >= sizeof word) continue;
    snprintf(word, sizeof word, "%.*s", (int)length, path);
    Node entry = child(at, word);
    if (entry.value == NULL || (next == '.' && path[length + 1] == '\0')) continue;
    const json_t *found = follow(entry, path + length + (next == '.'), reached);
    if (found != NULL) return found;
  }
  return NULL;
}

/// Where a path leads from the top of a summary.
static const json_t *follow_from(const json_t *root, const char *path, Reached *reached) {
  *reached = (Reached){{NULL, NULL}, NULL};
  return follow((Node){root, irz_quantities}, path, reached);
}

/// Whether a value is a number, and which.
static bool as_number(const json_t *value, double *number) {
  if (json_array_size(value) == 1) value = json_array_get(value, 0);
  *number = NAN;
  if (json_is_number(value)) *number = json_number_value(value);
  if (json_is_boolean(value)) *number = json_is_true(value);
  return json_is_number(value) || json_is_boolean(value) || json_is_null(value);
}

bool irz_result_find(const json_t *root, const char *path, double *number) {
  Reached reached;
  const json_t *value = follow_from(root, path, &reached);
  *number = NAN;
  return value != NULL && as_number(value, number);
}

bool irz_result_can_have(const json_t *shape, const char *path) {
  Reached reached;
  double unused;
  const json_t *value = follow_from(shape, path, &reached);
  if (value != NULL) return as_number(value, &unused);
  const char *rest = reached.rest;
  size_t digits = *rest == '[' ? strspn(rest + 1, "0123456789") : 0;
  return json_is_array(reached.at.value) && json_array_size(reached.at.value) == 0 && digits > 0 &&
         strcmp(rest + 1 + digits, "]") == 0;
}

/* ---- What was meant ---- */

/// Paths of all numbers, as a list that ends with NULL.
typedef struct {
  char *path[MAX_PATHS + 1];
  int n;
} Paths;

/// Add the paths below a value. Entries of lists go by their identity, if they have one.
static void collect(Node at, const char *path, Paths *paths) {
  char below[IRZ_RESULT_PATH_MAX], text[IRZ_NAME_MAX];
  double unused;
  const char *key;
  json_t *entry;
  if (paths->n == MAX_PATHS) return;
  if (as_number(at.value, &unused)) {
    paths->path[paths->n] = strdup(path);
    paths->n += paths->path[paths->n] != NULL;
    return;
  }
  json_object_foreach((json_t *)at.value, key, entry) {
    snprintf(below, sizeof below, "%s%s%s", path, *path != '\0' ? "." : "", key);
    collect(map_entry(at, key), below, paths);
  }
  for (size_t i = 0; i < json_array_size(at.value) && i < MAX_LISTED; i++) {
    if (identity(at, i, text))
      snprintf(below, sizeof below, "%s.%s", path, text);
    else
      snprintf(below, sizeof below, "%s[%zu]", path, i);
    collect(list_entry(at, i), below, paths);
  }
}

/// What could follow where a path ended.
static void list_names(Node at, char *list, size_t room) {
  const char *key;
  json_t *entry;
  size_t used = 0;
  list[0] = '\0';
  json_object_foreach((json_t *)at.value, key, entry) {
    if (used < room) used += (size_t)snprintf(list + used, room - used, "%s%s", used > 0 ? ", " : "", key);
  }
  for (size_t i = 0; i < json_array_size(at.value) && i < MAX_LISTED; i++) {
    char text[IRZ_NAME_MAX];
    if (!identity(at, i, text)) snprintf(text, sizeof text, "[%zu]", i);
    if (used < room) used += (size_t)snprintf(list + used, room - used, "%s%s", used > 0 ? ", " : "", text);
  }
}

/// The last word of a path.
static const char *last_word(const char *path) {
  const char *dot = strrchr(path, '.');
  return dot != NULL ? dot + 1 : path;
}

/// How many characters two texts have in common at their beginnings.
static int common(const char *a, const char *b) {
  int n = 0;
  while (a[n] != '\0' && a[n] == b[n]) n++;
  return n;
}

/// Names of the entries of a map or list, as a list that ends with NULL.
static void name_entries(Node at, char names[MAX_LISTED][IRZ_NAME_MAX], const char *list[MAX_LISTED + 1]) {
  int n = 0;
  const char *key;
  json_t *entry;
  json_object_foreach((json_t *)at.value, key, entry) {
    if (n < MAX_LISTED) list[n++] = key;
  }
  for (size_t i = 0; i < json_array_size(at.value) && n < MAX_LISTED; i++) {
    if (!identity(at, i, names[n])) continue;
    list[n] = names[n];
    n++;
  }
  list[n] = NULL;
}

/// What was probably meant by a path that leads nowhere, or NULL: the nearest name where it left the summary; else of
/// the paths with the same last word that which begins most like it; else the nearest path.
static const char *guess(const char *path, const Reached *reached, const Paths *paths,
                         char meant[IRZ_RESULT_PATH_MAX]) {
  char word[IRZ_RESULT_PATH_MAX], names[MAX_LISTED][IRZ_NAME_MAX];
  const char *list[MAX_LISTED + 1], *nearest = NULL;
  size_t length = strcspn(reached->rest, ".[");
  name_entries(reached->at, names, list);
  snprintf(word, sizeof word, "%.*s", (int)length, reached->rest);
  if (length > 0) nearest = irz_nearest_name(word, list);
  if (nearest != NULL && strcmp(nearest, word) != 0) {
    snprintf(meant, IRZ_RESULT_PATH_MAX, "%.*s%s%s", (int)(reached->rest - path), path, nearest,
             reached->rest + length);
    return meant;
  }
  nearest = NULL;
  for (int i = 0; i < paths->n; i++) {
    if (strcmp(last_word(paths->path[i]), last_word(path)) != 0) continue;
    if (nearest == NULL || common(paths->path[i], path) > common(nearest, path)) nearest = paths->path[i];
  }
  return nearest != NULL ? nearest : irz_nearest_name(path, (const char *const *)paths->path);
}

IrzCode irz_result_explain(const json_t *root, const char *path, const char *where, IrzError *error) {
  Reached reached;
  char list[400], held[IRZ_RESULT_PATH_MAX + 16], meant[IRZ_RESULT_PATH_MAX];
  const json_t *value = follow_from(root, path, &reached);
  list_names(reached.at, list, sizeof list);
  if (value != NULL) {
    return irz_error_set(error, IRZ_ERR_PLAN, "%s\"%s\" is no number%s%s", where, path,
                         list[0] != '\0' ? "; it holds " : "", list);
  }
  Paths *paths = calloc(1, sizeof *paths);
  if (paths == NULL) return irz_out_of_memory(sizeof *paths, error);
  collect((Node){root, irz_quantities}, "", paths);
  const char *nearest = guess(path, &reached, paths, meant);
  int length = (int)(reached.rest - path);
  length -= length > 0 && path[length - 1] == '.';
  snprintf(held, sizeof held, "%.*s", length, path);
  if (length == 0) snprintf(held, sizeof held, "it");
  IrzCode code = irz_error_set(error, IRZ_ERR_PLAN, "%sthe summary has no \"%s\"%s%s%s; %s holds %s", where, path,
                               nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
                               nearest != NULL ? "\"?" : "", held, list[0] != '\0' ? list : "nothing");
  for (int i = 0; i < paths->n; i++) free(paths->path[i]);
  free(paths);
  return code;
}

IrzCode irz_summary_number(const IrzSummary *summary, const char *path, double *number, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(summary != NULL && summary->plan != NULL && path != NULL && number != NULL);
  json_t *root = irz_summary_object(summary);
  if (root == NULL) return irz_out_of_memory(0, error);
  IrzCode code = IRZ_OK;
  if (!irz_result_find(root, path, number)) code = irz_result_explain(root, path, "", error);
  json_decref(root);
  return code;
}
