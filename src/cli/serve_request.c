/* What a request of `irezone serve` asks for. */
#include "cli/serve_request.h"
#include "cli/cli.h"
#include "cli/serve_answer.h"
#include <irezone/anatomy.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* What comes back, as `want` names it. */
enum { WANT_SUMMARY = 1, WANT_ZONE = 2, WANT_HISTOGRAM = 4, WANT_PLAN = 8, WANT_CHECK = 16 };
static const struct {
  const char *name;
  int bit;
} wants[] = {{"summary", WANT_SUMMARY},
             {"zone", WANT_ZONE},
             {"histogram", WANT_HISTOGRAM},
             {"plan", WANT_PLAN},
             {"check", WANT_CHECK}};
enum { N_WANTS = sizeof wants / sizeof wants[0] };

/* Refuse keys that no request has: a misspelt one must not be passed over. */
static IrzCode check_keys(const json_t *content, IrzError *error) {
  static const char *const known[] = {"id",     "set", "keep",  "want",     "plan",   "load",
                                      "folder", "get", "write", "progress", "sample", "cancel"};
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)content, key, value) {
    bool is_known = false;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) is_known = is_known || strcmp(key, known[i]) == 0;
    if (is_known) continue;
    return irz_error_set(
        error, IRZ_ERR_PLAN,
        "unknown key \"%s\"; a request has id, set, keep, want, plan, load, folder, get, sample, write, "
        "progress, cancel",
        key);
  }
  return IRZ_OK;
}

/* The set of bits that `want` names; if it is not there, a summary is wanted. */
static IrzCode read_want(const json_t *content, int *want, IrzError *error) {
  const json_t *list = json_object_get(content, "want");
  *want = list == NULL ? WANT_SUMMARY : 0;
  if (list == NULL) return IRZ_OK;
  for (size_t i = 0; i < json_array_size(list); i++) {
    const char *name = json_string_value(json_array_get(list, i));
    int bit = 0;
    for (int w = 0; w < N_WANTS && name != NULL; w++) bit |= strcmp(name, wants[w].name) == 0 ? wants[w].bit : 0;
    if (bit == 0) list = NULL;
    *want |= bit;
  }
  if (json_is_array(list)) return IRZ_OK;
  return irz_error_set(error, IRZ_ERR_PLAN,
                       "want: a list of \"summary\", \"zone\", \"histogram\", \"plan\", \"check\"");
}

/* A text among a request's values, or NULL. */
static IrzCode read_text(const json_t *content, const char *key, const char **text, IrzError *error) {
  const json_t *value = json_object_get(content, key);
  *text = json_string_value(value);
  if (value == NULL || *text != NULL) return IRZ_OK;
  return irz_error_set(error, IRZ_ERR_PLAN, "%s: must be a text", key);
}

/* Apply `set` to a plan: all of it, or nothing. */
static IrzCode change(IrzPlan *plan, const json_t *set, IrzError *error) {
  if (set == NULL) return IRZ_OK;
  if (!json_is_object(set)) return irz_error_set(error, IRZ_ERR_PLAN, "set: must be an object {\"key.path\": value}");
  size_t n = 0, size = json_object_size(set);
  if (size == 0) return IRZ_OK;
  IrzChange *changes = calloc(size, sizeof *changes);
  const char *key;
  json_t *value;
  bool whole = changes != NULL;
  json_object_foreach((json_t *)set, key, value) {
    if (!whole) break;
    /* JSON is YAML */
    char *text = json_is_null(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
    whole = text != NULL || json_is_null(value);
    changes[n++] = (IrzChange){key, text};
  }
  IrzCode code = whole ? irz_plan_change(plan, (int)n, changes, error)
                       : irz_error_set(error, IRZ_ERR_MEMORY, "out of memory: for a request");
  for (size_t i = 0; i < n; i++) free((void *)changes[i].value);
  free(changes);
  return code;
}

/* The plan that a request starts from. */
static IrzCode start_plan(const IrzPlan *base, const json_t *content, IrzPlan **plan, IrzError *error) {
  const char *load, *folder;
  const json_t *tree = json_object_get(content, "plan");
  IRZ_TRY(read_text(content, "load", &load, error));
  IRZ_TRY(read_text(content, "folder", &folder, error));
  if (load != NULL && tree != NULL) return irz_error_set(error, IRZ_ERR_PLAN, "load and plan: one of them, not both");
  if (load != NULL) return irz_plan_read(load, 0, NULL, plan, error);
  if (tree == NULL && base != NULL) return irz_plan_copy(base, plan, error);
  if (tree == NULL) {
    return irz_error_set(error, IRZ_ERR_PLAN,
                         "there is no plan: start with one, or state load (a file) or plan (an object)");
  }
  if (!json_is_object(tree)) {
    return irz_error_set(error, IRZ_ERR_PLAN, "plan: must be an object; a plan's file is stated with load");
  }
  char name[IRZ_PATH_MAX];
  int length = snprintf(name, sizeof name, "%s/", folder != NULL && folder[0] != '\0' ? folder : ".");
  if (length >= (int)sizeof name) return irz_error_set(error, IRZ_ERR_PLAN, "folder: is too long");
  char *text = json_dumps(tree, 0);
  if (text == NULL) return irz_error_set(error, IRZ_ERR_MEMORY, "out of memory: for a plan");
  IrzCode code = irz_plan_parse(text, name, 0, NULL, plan, error);
  free(text);
  return code;
}

/* Whether a request needs no more than a plan. */
static bool only_plan(const json_t *content, int want) {
  return (want & ~(WANT_PLAN | WANT_CHECK)) == 0 && json_object_get(content, "sample") == NULL &&
         json_object_get(content, "write") == NULL;
}

/* Check a plan's files as `irezone check` does. */
static IrzCode check_files(IrzPlan *plan, IrzError *error) {
  IrzLabelMap *map = NULL;
  IrzPaths *paths = NULL;
  IrzCode code = irz_plan_check_files(plan, &map, &paths, error);
  irz_paths_free(paths);
  irz_label_map_free(map);
  return code;
}

/* The points of `sample`. */
static IrzCode read_points(const json_t *sample, int *n, double (**points)[3], IrzError *error) {
  const json_t *list = json_object_get(sample, "points_mm");
  size_t count = json_array_size(list);
  *n = 0;
  *points = NULL;
  if (!json_is_array(list) || count > INT_MAX / 16) {
    return irz_error_set(error, IRZ_ERR_PLAN, "sample: must be an object with points_mm, a list of [x, y, z]");
  }
  *points = malloc((count + 1) * sizeof **points);
  if (*points == NULL) return irz_error_set(error, IRZ_ERR_MEMORY, "out of memory: for %zu points", count);
  for (size_t i = 0; i < count; i++) {
    const json_t *point = json_array_get(list, i);
    for (size_t d = 0; d < 3; d++) {
      const json_t *number = json_array_get(point, d);
      if (!json_is_number(number) || json_array_size(point) != 3) {
        return irz_error_set(error, IRZ_ERR_PLAN, "sample: points_mm[%zu]: must be [x, y, z] in mm", i);
      }
      (*points)[i][d] = 1e-3 * json_number_value(number);
    }
  }
  *n = (int)count;
  return IRZ_OK;
}

/* The quantities that `sample` names; if none, field, potentials and zone.
   @return a list of names, to be released; NULL: no memory, or no such list */
static json_t *chosen_quantities(const IrzResult *result, const json_t *sample) {
  json_t *stated = json_object_get(sample, "quantities");
  if (stated != NULL) return json_is_array(stated) ? json_incref(stated) : NULL;
  json_t *list = json_array();
  json_array_append_new(list, json_string("field_V_per_cm"));
  int n = irz_result_summary(result)->n_pulses;
  for (int p = 0; p < n; p++) {
    json_array_append_new(list, n == 1 ? json_string("potential_V") : json_sprintf("potential_V_%02d", p + 1));
  }
  json_array_append_new(list, json_string("zone"));
  return list;
}

/* Values at points. Collective. */
static IrzCode answer_sample(const IrzResult *result, const json_t *sample, FILE *out, IrzError *error) {
  int n;
  double(*points)[3];
  json_t *chosen = chosen_quantities(result, sample);
  IrzCode code = read_points(sample, &n, &points, error);
  if (code == IRZ_OK && chosen == NULL) {
    code = irz_error_set(error, IRZ_ERR_PLAN, "sample: quantities: must be a list of names");
  }
  double *value = code == IRZ_OK ? malloc(((size_t)n + 1) * sizeof *value) : NULL;
  if (code == IRZ_OK && value == NULL) irz_error_set(error, IRZ_ERR_MEMORY, "out of memory: for %d values", n);
  code = irz_error_agree(MPI_COMM_WORLD, error);
  if (code == IRZ_OK && out != NULL) fputs(", \"sample\": {", out);
  for (size_t q = 0; code == IRZ_OK && q < json_array_size(chosen); q++) {
    const char *name = json_string_value(json_array_get(chosen, q));
    code = irz_result_sample(result, name != NULL ? name : "", n, (const double(*)[3])points, value, error);
    if (code != IRZ_OK || out == NULL) continue;
    fputs(q > 0 ? ", " : "", out);
    irz_answer_text(out, name);
    fputs(": ", out);
    irz_answer_numbers(out, (size_t)n, value, 17);
  }
  if (code == IRZ_OK && out != NULL) fputc('}', out);
  json_decref(chosen);
  free(value);
  free(points);
  return code;
}

/* The zone's surface. Collective. */
static IrzCode answer_zone(const IrzResult *result, FILE *out, IrzError *error) {
  IrzSurface surface = {0};
  IRZ_TRY(irz_result_surface(result, &surface, error));
  if (out != NULL) {
    for (int32_t i = 0; i < surface.n_points; i++) {
      for (int d = 0; d < 3; d++) surface.points[i][d] *= 1e3;
    }
    fputs(", \"zone\": {\"points_mm\": ", out);
    irz_answer_rows(out, (size_t)surface.n_points, 3, surface.points != NULL ? surface.points[0] : NULL, 8);
    fputs(", \"triangles\": ", out);
    irz_answer_triples(out, (size_t)surface.n_triangles, (const int32_t(*)[3])surface.triangles);
    fputc('}', out);
  }
  irz_surface_clear(&surface);
  return IRZ_OK;
}

/* The warnings of an answer. */
static void answer_warnings(FILE *out, int n, const char *(*warning)(const void *, int), const void *of) {
  fputs(", \"warnings\": [", out);
  for (int i = 0; i < n; i++) {
    fputs(i > 0 ? ", " : "", out);
    irz_answer_text(out, warning(of, i));
  }
  fputc(']', out);
}

static const char *plan_warning(const void *plan, int i) {
  return irz_plan_warning(plan, i);
}

static const char *result_warning(const void *result, int i) {
  return irz_result_warning(result, i);
}

/* The values that `get` names. */
static IrzCode answer_values(const IrzPlan *plan, const json_t *keys, FILE *out, IrzError *error) {
  if (keys == NULL) return IRZ_OK;
  if (!json_is_array(keys)) return irz_error_set(error, IRZ_ERR_PLAN, "get: must be a list of key paths");
  if (out != NULL) fputs(", \"values\": {", out);
  for (size_t i = 0; i < json_array_size(keys); i++) {
    const char *key = json_string_value(json_array_get(keys, i));
    char *value;
    if (key == NULL) return irz_error_set(error, IRZ_ERR_PLAN, "get: must be a list of key paths");
    IRZ_TRY(irz_plan_json(plan, key, &value, error));
    if (out != NULL) {
      fputs(i > 0 ? ", " : "", out);
      irz_answer_text(out, key);
      fprintf(out, ": %s", value);
    }
    free(value);
  }
  if (out != NULL) fputc('}', out);
  return IRZ_OK;
}

/* The plan as JSON. */
static IrzCode answer_plan(const IrzPlan *plan, FILE *out, IrzError *error) {
  char *text;
  IRZ_TRY(irz_plan_json(plan, NULL, &text, error));
  if (out != NULL) fprintf(out, ", \"plan\": %s", text);
  free(text);
  return IRZ_OK;
}

/* Field against volume for each region: how much of it has at least so much field. Collective. */
static IrzCode answer_histogram(const IrzResult *result, FILE *out, IrzError *error) {
  enum { LEVELS = 60 }; /* up to 3000 V/cm */
  const IrzZone *zone = &irz_result_summary(result)->zone;
  double level[LEVELS], *volume = malloc(((size_t)zone->n_regions + 1) * sizeof level);
  if (volume == NULL) irz_error_set(error, IRZ_ERR_MEMORY, "out of memory: for a histogram");
  IrzCode code = irz_error_agree(MPI_COMM_WORLD, error);
  for (int i = 0; i < LEVELS; i++) level[i] = 5e3 * (i + 1);
  if (code == IRZ_OK) code = irz_result_volumes(result, LEVELS, level, volume, error);
  if (code == IRZ_OK && out != NULL) {
    fputs(", \"histogram\": {\"field_V_per_cm\": [", out);
    for (int i = 0; i < LEVELS; i++) fprintf(out, "%s%d", i > 0 ? "," : "", 50 * (i + 1));
    fputs("], \"regions\": [", out);
    for (int r = 0; r < zone->n_regions; r++) {
      fputs(r > 0 ? ", {\"region\": " : "{\"region\": ", out);
      irz_answer_text(out, zone->regions[r].region);
      fprintf(out, ", \"volume_cm3\": %.10g, \"cm3_at_or_above\": ", 1e6 * zone->regions[r].volume);
      for (int i = 0; i < LEVELS; i++) volume[r * LEVELS + i] *= 1e6;
      irz_answer_numbers(out, LEVELS, volume + (size_t)r * LEVELS, 10);
      fputc('}', out);
    }
    fputs("]}", out);
  }
  free(volume);
  return code;
}

/* What is asked of a result. Collective. */
static IrzCode answer_result(const json_t *content, int want, IrzResult *result, FILE *out, IrzError *error) {
  const char *folder;
  const json_t *sample = json_object_get(content, "sample");
  IRZ_TRY(read_text(content, "write", &folder, error));
  if ((want & WANT_ZONE) != 0) IRZ_TRY(answer_zone(result, out, error));
  if ((want & WANT_HISTOGRAM) != 0) IRZ_TRY(answer_histogram(result, out, error));
  if (sample != NULL) IRZ_TRY(answer_sample(result, sample, out, error));
  if (folder != NULL) IRZ_TRY(irz_result_write(result, folder, error));
  if (out == NULL) return IRZ_OK;
  if ((want & WANT_SUMMARY) != 0) {
    char *json = irz_result_json(result);
    if (json == NULL) return irz_error_set(error, IRZ_ERR_MEMORY, "out of memory: for the summary");
    fputs(", \"summary\": ", out);
    irz_answer_json(out, json);
    free(json);
  }
  answer_warnings(out, irz_result_n_warnings(result), result_warning, result);
  return IRZ_OK;
}

IrzCode irz_serve_request(IrzSession *session, IrzPlan **base, const json_t *content, FILE *out, IrzError *error) {
  IrzPlan *plan = NULL;
  int want = 0;
  IrzCode code = check_keys(content, error);
  if (code == IRZ_OK) code = read_want(content, &want, error);
  if (code == IRZ_OK) code = start_plan(*base, content, &plan, error);
  if (code == IRZ_OK) code = change(plan, json_object_get(content, "set"), error);
  if (code == IRZ_OK) code = irz_plan_check(plan, error);
  if (code == IRZ_OK && (want & WANT_CHECK) != 0) code = check_files(plan, error);
  if (code == IRZ_OK) code = answer_values(plan, json_object_get(content, "get"), out, error);
  if (code == IRZ_OK && (want & WANT_PLAN) != 0) code = answer_plan(plan, out, error);
  const char *const what[] = {"plan"}, *const text[] = {plan != NULL ? irz_plan_text(plan) : ""};
  code = irz_cli_agree_on(1, what, text, error);
  if (code == IRZ_OK && only_plan(content, want)) {
    if (out != NULL) answer_warnings(out, irz_plan_n_warnings(plan), plan_warning, plan);
  } else if (code == IRZ_OK) {
    IrzResult *result;
    code = irz_session_solve(session, plan, &result, error);
    if (code == IRZ_OK) code = answer_result(content, want, result, out, error);
    irz_result_free(result);
  }
  if (code == IRZ_OK && json_is_true(json_object_get(content, "keep"))) {
    irz_plan_free(*base);
    *base = plan;
    plan = NULL;
  }
  irz_plan_free(plan);
  return code;
}
