/* Columns that a sweep takes from the JSON summary. A path follows the summary: names joined by dots, `[2]` for the
   third entry of a list. An entry of a list of maps can also be named by what identifies it: a region, a probe's name,
   a threshold, as in zone.by_threshold.400.volume_cm3. */
#include "base/memory.h"
#include "base/number.h"
#include "io/json.h"
#include "plan/keys.h"
#include "plan/plan.h"
#include "sweep/sweep.h"
#include <ctype.h>
#include <irezone/mesh.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
  MAX_TRIED = 1000, // cases whose plans are asked whether they have a column
  MAX_PATHS = 4000, // paths that a misspelt one is compared with
  MAX_LISTED = 32,  // entries of a list of numbers that are named
};

/// What identifies the entries of lists.
static const char *const identities[] = {"region", "threshold_V_per_cm", "survival", "name", "tissue", "label"};

/* ---- Following a path ---- */

/// The identity of an entry of a list as text; false if it has none.
static bool identity(const json_t *entry, char text[IRZ_NAME_MAX]) {
  for (size_t i = 0; i < sizeof identities / sizeof identities[0]; i++) {
    const json_t *value = json_object_get(entry, identities[i]);
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

/// The entry of a map or list that a word names, or NULL. A number that is no identity is a place, as in --set.
static const json_t *child(const json_t *at, const char *word) {
  if (json_is_object(at)) return json_object_get(at, word);
  bool place = strlen(word) < 9 && word[strspn(word, "0123456789")] == '\0';
  for (size_t i = 0; i < json_array_size(at); i++) {
    char text[IRZ_NAME_MAX];
    const json_t *entry = json_array_get(at, i);
    if (identity(entry, text) && means(word, text)) return entry;
  }
  return place ? json_array_get(at, (size_t)atoi(word)) : NULL;
}

/// How far a path could be followed.
typedef struct {
  const json_t *at; ///< the value where it ended
  const char *rest; ///< of the path
} Reached;

/// Where a path leads, or NULL. Names may contain dots themselves, so the longest that fits is tried first.
/// @param[in,out] reached  the farthest that any try came
static const json_t *follow(const json_t *at, const char *path, Reached *reached) {
  if (reached->rest == NULL || strlen(path) < strlen(reached->rest)) *reached = (Reached){at, path};
  if (*path == '\0') return at;
  if (*path == '[') {
    char *end;
    unsigned long index = strtoul(path + 1, &end, 10);
    if (!isdigit((unsigned char)path[1]) || *end != ']' || index >= json_array_size(at)) return NULL;
    end++;
    return *end == '.' && end[1] == '\0' ? NULL : follow(json_array_get(at, index), end + (*end == '.'), reached);
  }
  char word[IRZ_KEY_PATH_MAX];
  for (size_t length = strlen(path); length > 0; length--) {
    char next = path[length];
    if ((next != '\0' && next != '.' && next != '[') || length >= sizeof word) continue;
    snprintf(word, sizeof word, "%.*s", (int)length, path);
    const json_t *entry = child(at, word);
    if (entry == NULL || (next == '.' && path[length + 1] == '\0')) continue;
    const json_t *found = follow(entry, path + length + (next == '.'), reached);
    if (found != NULL) return found;
  }
  return NULL;
}

/// Whether a value can be a column, and its number: a number, true or false, null (NaN), or a list of one of these.
static bool as_number(const json_t *value, double *number) {
  if (json_array_size(value) == 1) value = json_array_get(value, 0);
  *number = NAN;
  if (json_is_number(value)) *number = json_number_value(value);
  if (json_is_boolean(value)) *number = json_is_true(value);
  return json_is_number(value) || json_is_boolean(value) || json_is_null(value);
}

IrzCode irz_sweep_take_columns(const IrzSweep *sweep, const IrzSummary *summary, double *values, IrzError *error) {
  json_t *root = irz_summary_object(summary);
  if (root == NULL) return irz_out_of_memory(0, error);
  for (int k = 0; k < sweep->n_columns; k++) {
    Reached reached = {NULL, NULL};
    const json_t *value = follow(root, sweep->columns[k].path, &reached);
    if (value == NULL || !as_number(value, &values[k])) values[k] = NAN;
  }
  json_decref(root);
  return IRZ_OK;
}

/* ---- Which columns there can be ---- */

/// Add a region to a summary that is being made up.
static void add_region(IrzZone *zone, const char *name) {
  for (int r = 0; r < zone->n_regions; r++) {
    if (strcmp(zone->regions[r].region, name) == 0) return;
  }
  snprintf(zone->regions[zone->n_regions++].region, IRZ_NAME_MAX, "%s", name);
}

/// The mesh that was read last: cases often share it.
typedef struct {
  char path[IRZ_PATH_MAX];
  IrzMesh *mesh;
} LastMesh;

static IrzCode read_mesh(const IrzPlan *plan, LastMesh *last, IrzError *error) {
  if (strcmp(last->path, plan->mesh.file) == 0) return IRZ_OK;
  irz_mesh_free(last->mesh);
  last->mesh = NULL;
  snprintf(last->path, sizeof last->path, "%s", plan->mesh.file);
  if (plan->mesh.file[0] == '\0') return IRZ_OK;
  return irz_mesh_read(plan->mesh.file, plan->mesh.scale, &last->mesh, error);
}

/// The regions that the tissue of a plan has: those of its mesh or label map.
static IrzCode add_regions(const IrzPlan *plan, LastMesh *last, IrzZone *zone, IrzError *error) {
  IRZ_TRY(read_mesh(plan, last, error));
  int from_mesh = last->mesh != NULL ? last->mesh->n_regions : 0;
  IRZ_TRY(irz_alloc(&zone->regions, (size_t)(1 + plan->anatomy.n_map + from_mesh), sizeof *zone->regions, error));
  if (last->mesh == NULL) add_region(zone, "default");
  for (int i = 0; i < plan->anatomy.n_map; i++) add_region(zone, plan->anatomy.map[i].region);
  for (int r = 0; r < from_mesh; r++) add_region(zone, last->mesh->regions[r].name);
  return IRZ_OK;
}

/// A summary of the shape that a plan's will have, without numbers.
static IrzCode make_shape(const IrzPlan *plan, LastMesh *last, json_t **shape, IrzError *error) {
  *shape = NULL;
  IrzSummary summary = {.plan = plan, .n_pulses = (1 + plan->pullback.count) * plan->n_pulses};
  IrzZone *zone = &summary.zone;
  IrzCode code = irz_alloc(&summary.pulses, (size_t)summary.n_pulses, sizeof *summary.pulses, error);
  if (code == IRZ_OK && plan->heat.on) code = irz_alloc(&summary.heat, 1, sizeof *summary.heat, error);
  if (code == IRZ_OK) code = add_regions(plan, last, zone, error);
  zone->n_also = plan->zone.n_also;
  for (int k = 0; k < zone->n_also; k++) zone->also[k].threshold = plan->zone.also[k];
  zone->n_survival = plan->death.model == IRZ_DEATH_THRESHOLD ? 0 : plan->death.n_survival;
  for (int k = 0; k < zone->n_survival; k++) zone->by_survival[k].survival = plan->death.survival[k];
  if (code == IRZ_OK) {
    *shape = irz_summary_object(&summary);
    if (*shape == NULL) code = irz_out_of_memory(0, error);
  }
  irz_summary_clear(&summary);
  return code;
}

/// Whether a shape has a column. A list that is empty in it has as many entries as time steps or the like will make.
static bool has_column(const json_t *shape, const char *path) {
  Reached reached = {NULL, NULL};
  double unused;
  const json_t *value = follow(shape, path, &reached);
  if (value != NULL) return as_number(value, &unused);
  const char *rest = reached.rest;
  size_t digits = *rest == '[' ? strspn(rest + 1, "0123456789") : 0;
  return json_is_array(reached.at) && json_array_size(reached.at) == 0 && digits > 0 &&
         strcmp(rest + 1 + digits, "]") == 0;
}

/// Paths of all numbers, as a list that ends with NULL.
typedef struct {
  char *path[MAX_PATHS + 1];
  int n;
} Paths;

/// Add the paths below a value. Entries of lists go by their identity, if they have one.
static void collect(const json_t *at, const char *path, Paths *paths) {
  char below[IRZ_KEY_PATH_MAX], text[IRZ_NAME_MAX];
  double unused;
  const char *key;
  json_t *entry;
  if (paths->n == MAX_PATHS) return;
  if (as_number(at, &unused)) {
    paths->path[paths->n] = strdup(path);
    paths->n += paths->path[paths->n] != NULL;
    return;
  }
  json_object_foreach((json_t *)at, key, entry) {
    snprintf(below, sizeof below, "%s%s%s", path, *path != '\0' ? "." : "", key);
    collect(entry, below, paths);
  }
  for (size_t i = 0; i < json_array_size(at) && i < MAX_LISTED; i++) {
    entry = json_array_get(at, i);
    if (identity(entry, text))
      snprintf(below, sizeof below, "%s.%s", path, text);
    else
      snprintf(below, sizeof below, "%s[%zu]", path, i);
    collect(entry, below, paths);
  }
}

/// What could follow where a path ended.
static void list_names(const json_t *at, char *list, size_t room) {
  const char *key;
  json_t *entry;
  size_t used = 0;
  list[0] = '\0';
  json_object_foreach((json_t *)at, key, entry) {
    if (used < room) used += (size_t)snprintf(list + used, room - used, "%s%s", used > 0 ? ", " : "", key);
  }
  for (size_t i = 0; i < json_array_size(at) && i < MAX_LISTED; i++) {
    char text[IRZ_NAME_MAX];
    if (!identity(json_array_get(at, i), text)) snprintf(text, sizeof text, "[%zu]", i);
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
static void name_entries(const json_t *at, char names[MAX_LISTED][IRZ_NAME_MAX], const char *list[MAX_LISTED + 1]) {
  int n = 0;
  const char *key;
  json_t *entry;
  json_object_foreach((json_t *)at, key, entry) {
    if (n < MAX_LISTED) list[n++] = key;
  }
  for (size_t i = 0; i < json_array_size(at) && n < MAX_LISTED; i++) {
    if (!identity(json_array_get(at, i), names[n])) continue;
    list[n] = names[n];
    n++;
  }
  list[n] = NULL;
}

/// What was probably meant by a path that leads nowhere, or NULL: the nearest name where it left the summary; else of
/// the paths with the same last word that which begins most like it; else the nearest path.
static const char *guess(const char *path, const Reached *reached, const Paths *paths, char meant[IRZ_KEY_PATH_MAX]) {
  char word[IRZ_KEY_PATH_MAX], names[MAX_LISTED][IRZ_NAME_MAX];
  const char *list[MAX_LISTED + 1], *nearest = NULL;
  size_t length = strcspn(reached->rest, ".[");
  name_entries(reached->at, names, list);
  snprintf(word, sizeof word, "%.*s", (int)length, reached->rest);
  if (length > 0) nearest = irz_nearest_name(word, list);
  if (nearest != NULL && strcmp(nearest, word) != 0) {
    snprintf(meant, IRZ_KEY_PATH_MAX, "%.*s%s%s", (int)(reached->rest - path), path, nearest, reached->rest + length);
    return meant;
  }
  nearest = NULL;
  for (int i = 0; i < paths->n; i++) {
    if (strcmp(last_word(paths->path[i]), last_word(path)) != 0) continue;
    if (nearest == NULL || common(paths->path[i], path) > common(nearest, path)) nearest = paths->path[i];
  }
  return nearest != NULL ? nearest : irz_nearest_name(path, (const char *const *)paths->path);
}

/// Say why a path is no column.
static IrzCode fail_column(const IrzSweep *sweep, const IrzSweepColumn *column, const json_t *shape, IrzError *error) {
  Reached reached = {NULL, NULL};
  char list[400], where[IRZ_KEY_PATH_MAX + 16], meant[IRZ_KEY_PATH_MAX], place[IRZ_PATH_MAX + 64];
  const json_t *value = follow(shape, column->path, &reached);
  snprintf(place, sizeof place, "%s:%d: columns", sweep->file, column->line);
  list_names(reached.at, list, sizeof list);
  if (value != NULL) {
    return irz_error_set(error, IRZ_ERR_PLAN, "%s: \"%s\" is no number%s%s", place, column->path,
                         list[0] != '\0' ? "; it holds " : "", list);
  }
  Paths *paths = calloc(1, sizeof *paths);
  if (paths == NULL) return irz_out_of_memory(sizeof *paths, error);
  collect(shape, "", paths);
  const char *nearest = guess(column->path, &reached, paths, meant);
  int length = (int)(reached.rest - column->path);
  length -= length > 0 && column->path[length - 1] == '.';
  snprintf(where, sizeof where, "%.*s", length, column->path);
  if (length == 0) snprintf(where, sizeof where, "it");
  IrzCode code = irz_error_set(error, IRZ_ERR_PLAN, "%s: the summary has no \"%s\"%s%s%s; %s holds %s", place,
                               column->path, nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
                               nearest != NULL ? "\"?" : "", where, list[0] != '\0' ? list : "nothing");
  for (int i = 0; i < paths->n; i++) free(paths->path[i]);
  free(paths);
  return code;
}

IrzCode irz_sweep_check_columns(const IrzSweep *sweep, IrzError *error) {
  json_t *first = NULL;
  LastMesh last = {.path = ""};
  bool found[IRZ_SWEEP_MAX_COLUMNS] = {false};
  int n_left = 0;
  for (int k = 0; k < sweep->n_columns; k++) {
    found[k] = sweep->columns[k].line == 0;
    n_left += !found[k];
  }
  for (int i = 1; i <= sweep->n_cases && i <= MAX_TRIED && n_left > 0; i++) {
    IrzPlan *plan = NULL;
    json_t *shape = NULL;
    IrzError unusable = {0}; /* a case that cannot run says so in its row */
    bool usable =
        irz_sweep_plan(sweep, i, &plan, &unusable) == IRZ_OK && make_shape(plan, &last, &shape, &unusable) == IRZ_OK;
    for (int k = 0; k < sweep->n_columns && usable; k++) {
      if (found[k] || !has_column(shape, sweep->columns[k].path)) continue;
      found[k] = true;
      n_left--;
    }
    irz_plan_free(plan);
    if (first == NULL)
      first = shape;
    else
      json_decref(shape);
  }
  IrzCode code = IRZ_OK;
  for (int k = 0; k < sweep->n_columns && first != NULL && code == IRZ_OK; k++) {
    if (!found[k]) code = fail_column(sweep, &sweep->columns[k], first, error);
  }
  json_decref(first);
  irz_mesh_free(last.mesh);
  return code;
}

/* ---- Columns that are there unasked ---- */

/// Whether a name has a word in it, in small or capital letters.
static bool has_word(const char *name, const char *word) {
  for (; *name != '\0'; name++) {
    if (strncasecmp(name, word, strlen(word)) == 0) return true;
  }
  return false;
}

/// Whether a tissue is a tumour, or what a treatment aims at, by its region's name or by its preset.
static bool is_tumour(const IrzTissue *tissue) {
  static const char *const words[] = {"tumour", "tumor", "lesion", "target", "metasta"};
  if (strcmp(tissue->region, "default") == 0) return false;
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (has_word(tissue->region, words[i]) || has_word(tissue->preset, words[i])) return true;
  }
  return false;
}

/// Add a column unless it was asked for. It has no line: nobody wrote it.
static IrzCode add_column(IrzSweep *sweep, const char *path, IrzError *error) {
  for (int k = 0; k < sweep->n_columns; k++) {
    if (strcmp(sweep->columns[k].path, path) == 0) return IRZ_OK;
  }
  if (sweep->n_columns == IRZ_SWEEP_MAX_COLUMNS) return IRZ_OK;
  size_t n = (size_t)sweep->n_columns, size = strlen(path) + 1;
  IRZ_TRY(irz_resize(&sweep->columns, n + 1, sizeof *sweep->columns, error));
  sweep->columns[n] = (IrzSweepColumn){NULL, 0};
  IRZ_TRY(irz_alloc(&sweep->columns[n].path, size, 1, error));
  memcpy(sweep->columns[n].path, path, size);
  sweep->n_columns++;
  return IRZ_OK;
}

IrzCode irz_sweep_add_columns(IrzSweep *sweep, IrzError *error) {
  IrzPlan *plan = NULL;
  for (int i = 1; i <= sweep->n_cases && i <= MAX_TRIED && plan == NULL; i++) {
    IrzError unusable = {0};
    irz_sweep_plan(sweep, i, &plan, &unusable);
  }
  IrzCode code = IRZ_OK;
  for (int t = 0; plan != NULL && t < plan->n_tissues && code == IRZ_OK; t++) {
    char path[IRZ_KEY_PATH_MAX];
    if (!is_tumour(&plan->tissues[t])) continue;
    snprintf(path, sizeof path, "zone.by_region.%s.ablated_percent", plan->tissues[t].region);
    code = add_column(sweep, path, error);
  }
  irz_plan_free(plan);
  return code;
}
