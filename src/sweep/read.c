/* From a sweep file to an IrzSweep. To add a distribution: a row in `distributions`, its checks in check_draw(), its
   quantile in sample.c, a line in docs/sweeps.md. */
#include "base/entry.h"
#include "base/memory.h"
#include "base/number.h"
#include "plan/keys.h"
#include "plan/yaml.h"
#include "sweep/sweep.h"
#include <ctype.h>
#include <libgen.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
  MAX_VALUES = 100000,
  MAX_SAMPLES = 10000000,
};

static const char *const top_keys[] = {"plan",  "sample", "cases",           "seed",        "vary",
                                       "set",   "keep",   "probability_map", "correlation", "columns",
                                       "tasks", "file",   "timeout",         NULL};
const char *const irz_design_names[] = {"grid", "list", "random", "sobol", "latin-hypercube", "saltelli", NULL};
static const char *const map_keys[] = {"spacing", "box", NULL};

/// A distribution and its numbers.
typedef struct {
  const char *name;
  IrzDraw draw;
  int n; // numbers
  const char *form;
} Distribution;

static const Distribution distributions[] = {
    {"uniform", IRZ_DRAW_UNIFORM, 2, "uniform: [low, high]"},
    {"normal", IRZ_DRAW_NORMAL, 2, "normal: [mean, standard deviation]"},
    {"lognormal", IRZ_DRAW_LOGNORMAL, 2, "lognormal: [mean, standard deviation], both of the value itself"},
    {"beta", IRZ_DRAW_BETA, 2, "beta: [a, b] with min and max as the ends of its range"},
    {"triangular", IRZ_DRAW_TRIANGULAR, 3, "triangular: [low, mode, high]"},
};
enum { N_DISTRIBUTIONS = sizeof distributions / sizeof distributions[0] };

static const char *const vary_keys[] = {"values",    "from", "to",         "step", "count", "uniform", "normal",
                                        "lognormal", "beta", "triangular", "min",  "max",   NULL};

/// Reading a sweep file.
typedef struct {
  IrzSweep *sweep;
  IrzError *error;
} Reader;

/// Report what is wrong at a line.
static IrzCode fail(const Reader *reader, int line, const char *path, const char *format, ...) IRZ_PRINTF(4, 5);
static IrzCode fail(const Reader *reader, int line, const char *path, const char *format, ...) {
  char text[IRZ_ERROR_TEXT];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (line <= 0) return irz_error_set(reader->error, IRZ_ERR_PLAN, "%s: %s: %s", reader->sweep->file, path, text);
  return irz_error_set(reader->error, IRZ_ERR_PLAN, "%s:%d: %s: %s", reader->sweep->file, line, path, text);
}

/// Refuse keys of a map that are not in `allowed`.
static IrzCode check_keys(const Reader *reader, const IrzYaml *map, const char *path, const char *const *allowed) {
  for (int i = 0; i < map->n; i++) {
    int j = 0;
    while (allowed[j] != NULL && strcmp(map->keys[i], allowed[j]) != 0) j++;
    if (allowed[j] != NULL) continue;
    char joined[IRZ_KEY_PATH_MAX];
    irz_key_path(joined, path, map->keys[i]);
    const char *nearest = irz_nearest_name(map->keys[i], allowed);
    if (nearest != NULL) {
      return fail(reader, map->key_lines[i], joined, "unknown key; did you mean \"%s\"?", nearest);
    }
    char list[256] = "";
    for (j = 0; allowed[j] != NULL; j++) {
      size_t used = strlen(list);
      snprintf(list + used, sizeof list - used, "%s%s", j > 0 ? ", " : "", allowed[j]);
    }
    return fail(reader, map->key_lines[i], joined, "unknown key; allowed are %s", list);
  }
  return IRZ_OK;
}

/// Whether a scalar is a finite number as a whole.
static bool is_number(const IrzYaml *node, double *value) {
  if (node->kind != IRZ_YAML_SCALAR || node->text == NULL || node->quoted || node->text[0] == '\0') return false;
  return irz_number_read(node->text, value);
}

static IrzCode read_number(const Reader *reader, const IrzYaml *node, const char *path, double *value) {
  if (is_number(node, value)) return IRZ_OK;
  const char *text = node->kind != IRZ_YAML_SCALAR ? "a list or map" : node->text != NULL ? node->text : "nothing";
  return fail(reader, node->line, path, "\"%s\" is not a number", text);
}

static IrzCode read_integer(const Reader *reader, const IrzYaml *node, const char *path, double least, double most,
                            double *value) {
  IRZ_TRY(read_number(reader, node, path, value));
  if (*value >= least && *value <= most && *value == floor(*value)) return IRZ_OK;
  return fail(reader, node->line, path, "%.15g is not a whole number from %.15g to %.15g", *value, least, most);
}

/// A list of exactly `n` numbers.
static IrzCode read_numbers(const Reader *reader, const IrzYaml *node, const char *path, const char *form, int n,
                            double *values) {
  if (node->kind != IRZ_YAML_LIST || node->n != n) {
    return fail(reader, node->line, path, "must be a list of %d numbers: %s", n, form);
  }
  for (int i = 0; i < n; i++) IRZ_TRY(read_number(reader, node->items[i], path, &values[i]));
  return IRZ_OK;
}

static IrzCode text_copy(const char *text, char **copy, IrzError *error) {
  size_t size = strlen(text) + 1;
  IRZ_TRY(irz_alloc(copy, size, 1, error));
  memcpy(*copy, text, size);
  return IRZ_OK;
}

/// Make room for listed values.
static IrzCode values_alloc(IrzParameter *parameter, int n, IrzError *error) {
  IRZ_TRY(irz_alloc(&parameter->text, (size_t)n, sizeof *parameter->text, error));
  IRZ_TRY(irz_alloc(&parameter->number, (size_t)n, sizeof *parameter->number, error));
  parameter->n_values = n;
  return IRZ_OK;
}

/// values: [...]
static IrzCode read_values(const Reader *reader, const IrzYaml *node, const char *path, IrzParameter *parameter) {
  if (node->kind != IRZ_YAML_LIST || node->n == 0 || node->n > MAX_VALUES) {
    return fail(reader, node->line, path, "must be a list of 1 to %d values, as in values: [10, 15, 20]", MAX_VALUES);
  }
  IRZ_TRY(values_alloc(parameter, node->n, reader->error));
  for (int i = 0; i < node->n; i++) {
    const IrzYaml *item = node->items[i];
    if (item->kind != IRZ_YAML_SCALAR || item->text == NULL || item->text[0] == '\0') {
      return fail(reader, item->line, path, "each entry must be a number or a word");
    }
    if (strlen(item->text) >= IRZ_SWEEP_MAX_TEXT) {
      return fail(reader, item->line, path, "an entry has more than %d characters", IRZ_SWEEP_MAX_TEXT - 1);
    }
    IRZ_TRY(text_copy(item->text, &parameter->text[i], reader->error));
    if (!is_number(item, &parameter->number[i])) parameter->is_text = true;
  }
  for (int i = 0; i < node->n && parameter->is_text; i++) parameter->number[i] = i;
  return IRZ_OK;
}

/// from, to and step or count
static IrzCode read_range(const Reader *reader, const IrzYaml *map, const char *path, IrzParameter *parameter) {
  const IrzYaml *node[4] = {irz_yaml_get(map, "from"), irz_yaml_get(map, "to"), irz_yaml_get(map, "step"),
                            irz_yaml_get(map, "count")};
  if (node[0] == NULL || node[1] == NULL || (node[2] == NULL) == (node[3] == NULL)) {
    return fail(reader, parameter->line, path, "a range needs from, to and either step or count");
  }
  double from, to, step, count;
  IRZ_TRY(read_number(reader, node[0], path, &from));
  IRZ_TRY(read_number(reader, node[1], path, &to));
  if (node[3] != NULL) {
    IRZ_TRY(read_integer(reader, node[3], path, 1, MAX_VALUES, &count));
    step = count > 1 ? (to - from) / (count - 1) : 0;
  } else {
    IRZ_TRY(read_number(reader, node[2], path, &step));
    if (!(step != 0 && (to - from) / step >= 0)) {
      return fail(reader, node[2]->line, path, "step %g does not lead from %g to %g", step, from, to);
    }
    count = floor((to - from) / step + 1e-9) + 1; /* the end belongs to the range in spite of rounding */
    if (count > MAX_VALUES) return fail(reader, node[2]->line, path, "more than %d values", MAX_VALUES);
  }
  IRZ_TRY(values_alloc(parameter, (int)count, reader->error));
  for (int i = 0; i < parameter->n_values; i++) {
    char text[32];
    snprintf(text, sizeof text, "%.12g", from + i * step);
    irz_number_read(text, &parameter->number[i]);
    IRZ_TRY(text_copy(text, &parameter->text[i], reader->error));
  }
  return IRZ_OK;
}

/// Whether the numbers of a distribution make one.
static IrzCode check_draw(const Reader *reader, const IrzParameter *parameter, const char *path) {
  const double *p = parameter->p;
  int line = parameter->line;
  if (!(parameter->min < parameter->max)) {
    return fail(reader, line, path, "min %g is not below max %g", parameter->min, parameter->max);
  }
  double low = -INFINITY, high = INFINITY;
  switch (parameter->draw) {
  case IRZ_DRAW_VALUES:
    break;
  case IRZ_DRAW_UNIFORM:
    if (!(p[0] < p[1])) return fail(reader, line, path, "uniform: %g is not below %g", p[0], p[1]);
    low = p[0];
    high = p[1];
    break;
  case IRZ_DRAW_NORMAL:
    if (!(p[1] > 0)) return fail(reader, line, path, "normal: the standard deviation %g is not above 0", p[1]);
    low = p[0] - 37 * p[1]; /* beyond this double precision has no probability left */
    high = p[0] + 37 * p[1];
    break;
  case IRZ_DRAW_LOGNORMAL:
    if (!(p[0] > 0 && p[1] > 0))
      return fail(reader, line, path, "lognormal: mean and standard deviation must be above 0");
    low = 0;
    break;
  case IRZ_DRAW_BETA:
    if (!(p[0] > 0 && p[1] > 0)) return fail(reader, line, path, "beta: a and b must be above 0");
    if (!isfinite(parameter->min) || !isfinite(parameter->max)) {
      return fail(reader, line, path, "beta needs min and max, the ends of its range");
    }
    break;
  case IRZ_DRAW_TRIANGULAR:
    if (!(p[0] <= p[1] && p[1] <= p[2] && p[0] < p[2])) {
      return fail(reader, line, path, "triangular: low, mode, high must not fall: %g, %g, %g", p[0], p[1], p[2]);
    }
    low = p[0];
    high = p[2];
    break;
  }
  if (parameter->min >= high || parameter->max <= low) {
    return fail(reader, line, path, "min and max leave nothing of the distribution, which lies in %g to %g", low, high);
  }
  return IRZ_OK;
}

/// A distribution with min and max.
static IrzCode read_draw(const Reader *reader, const IrzYaml *map, const char *path, const Distribution *distribution,
                         IrzParameter *parameter) {
  parameter->draw = distribution->draw;
  const IrzYaml *numbers = irz_yaml_get(map, distribution->name);
  IRZ_TRY(read_numbers(reader, numbers, path, distribution->form, distribution->n, parameter->p));
  const IrzYaml *min = irz_yaml_get(map, "min"), *max = irz_yaml_get(map, "max");
  if (min != NULL) IRZ_TRY(read_number(reader, min, path, &parameter->min));
  if (max != NULL) IRZ_TRY(read_number(reader, max, path, &parameter->max));
  return check_draw(reader, parameter, path);
}

/// One entry of vary.
static IrzCode read_parameter(const Reader *reader, const IrzYaml *map, IrzParameter *parameter) {
  char path[IRZ_KEY_PATH_MAX];
  irz_key_path(path, "vary", parameter->key);
  if (map->kind != IRZ_YAML_MAP) {
    return fail(reader, parameter->line, path,
                "must be a map: values, or from, to and step, or a distribution (uniform, normal, lognormal, beta, "
                "triangular)");
  }
  IRZ_TRY(check_keys(reader, map, path, vary_keys));
  parameter->min = -INFINITY;
  parameter->max = INFINITY;
  int n_ways = (irz_yaml_get(map, "values") != NULL) + (irz_yaml_get(map, "from") != NULL);
  const Distribution *distribution = NULL;
  for (int i = 0; i < N_DISTRIBUTIONS; i++) {
    if (irz_yaml_get(map, distributions[i].name) == NULL) continue;
    distribution = &distributions[i];
    n_ways++;
  }
  if (n_ways != 1) {
    return fail(reader, parameter->line, path,
                "needs exactly one of values, from, uniform, normal, lognormal, beta, triangular; it has %d", n_ways);
  }
  if (distribution != NULL && map->n > 1) {
    for (int i = 0; i < map->n; i++) {
      const char *key = map->keys[i];
      if (strcmp(key, distribution->name) != 0 && strcmp(key, "min") != 0 && strcmp(key, "max") != 0) {
        return fail(reader, map->key_lines[i], path, "%s does not go with %s", key, distribution->name);
      }
    }
  }
  if (distribution != NULL) return read_draw(reader, map, path, distribution, parameter);
  if (irz_yaml_get(map, "min") != NULL || irz_yaml_get(map, "max") != NULL) {
    return fail(reader, parameter->line, path, "min and max belong to distributions");
  }
  const IrzYaml *values = irz_yaml_get(map, "values");
  return values != NULL ? read_values(reader, values, path, parameter) : read_range(reader, map, path, parameter);
}

/// vary and what it must be like for the design.
static IrzCode read_vary(const Reader *reader, const IrzYaml *top) {
  IrzSweep *sweep = reader->sweep;
  const IrzYaml *vary = irz_yaml_get(top, "vary");
  if (vary == NULL || vary->kind != IRZ_YAML_MAP || vary->n == 0 || vary->n > IRZ_SWEEP_MAX_PARAMETERS) {
    return fail(reader, vary != NULL ? vary->line : top->line, "vary",
                "must be a map of 1 to %d key paths of the plan, as in array.spacing: {values: [10, 15]}",
                IRZ_SWEEP_MAX_PARAMETERS);
  }
  IRZ_TRY(irz_alloc(&sweep->parameters, (size_t)vary->n, sizeof *sweep->parameters, reader->error));
  bool random = sweep->design != IRZ_DESIGN_GRID && sweep->design != IRZ_DESIGN_LIST;
  for (int i = 0; i < vary->n; i++) {
    IrzParameter *parameter = &sweep->parameters[i];
    sweep->n_parameters = i + 1;
    parameter->line = vary->key_lines[i];
    IRZ_TRY(text_copy(vary->keys[i], &parameter->key, reader->error));
    IRZ_TRY(read_parameter(reader, vary->items[i], parameter));
    char path[IRZ_KEY_PATH_MAX];
    irz_key_path(path, "vary", parameter->key);
    if (parameter->draw != IRZ_DRAW_VALUES) sweep->n_random++;
    if (parameter->draw != IRZ_DRAW_VALUES && !random) {
      return fail(reader, parameter->line, path,
                  "a distribution needs sample: random, sobol, latin-hypercube or saltelli; sample is %s",
                  irz_design_names[sweep->design]);
    }
    if (sweep->design == IRZ_DESIGN_LIST && parameter->n_values != sweep->parameters[0].n_values) {
      return fail(reader, parameter->line, path, "has %d values, but %s has %d; a list needs as many of each",
                  parameter->n_values, sweep->parameters[0].key, sweep->parameters[0].n_values);
    }
  }
  int most = sweep->design == IRZ_DESIGN_SALTELLI ? IRZ_SWEEP_MAX_RANDOM / 2 : IRZ_SWEEP_MAX_RANDOM;
  if (random && (sweep->n_random == 0 || sweep->n_random > most)) {
    return fail(reader, vary->line, "vary", "%d distributions; sample: %s needs 1 to %d", sweep->n_random,
                irz_design_names[sweep->design], most);
  }
  return IRZ_OK;
}

/// correlation: a matrix over the parameters with a distribution, in their order; stored as its Cholesky factor.
static IrzCode read_correlation(const Reader *reader, const IrzYaml *node) {
  IrzSweep *sweep = reader->sweep;
  int n = sweep->n_random;
  if (sweep->design == IRZ_DESIGN_SALTELLI) {
    return fail(reader, node->line, "correlation", "Sobol indices are defined for independent values only");
  }
  if (n == 0) return fail(reader, node->line, "correlation", "no varied value has a distribution");
  double matrix[IRZ_SWEEP_MAX_RANDOM][IRZ_SWEEP_MAX_RANDOM];
  if (node->kind != IRZ_YAML_LIST || node->n != n) {
    return fail(reader, node->line, "correlation", "must have %d rows, one per value with a distribution", n);
  }
  for (int i = 0; i < n; i++) {
    IRZ_TRY(read_numbers(reader, node->items[i], "correlation", "one per value with a distribution", n, matrix[i]));
  }
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) {
      bool sound = i == j ? matrix[i][i] == 1 : matrix[i][j] == matrix[j][i] && fabs(matrix[i][j]) < 1;
      if (!sound) {
        return fail(
            reader, node->items[i]->line, "correlation",
            "entry %d, %d is %g; the matrix must be symmetric, with 1 on its diagonal and less than 1 elsewhere", i + 1,
            j + 1, matrix[i][j]);
      }
    }
  }
  IRZ_TRY(irz_alloc(&sweep->factor, (size_t)n * (size_t)n, sizeof *sweep->factor, reader->error));
  double *l = sweep->factor;
  for (int i = 0; i < n; i++) {
    for (int j = 0; j <= i; j++) {
      double sum = matrix[i][j];
      for (int k = 0; k < j; k++) sum -= l[i * n + k] * l[j * n + k];
      if (i == j && !(sum > 1e-12)) {
        return fail(reader, node->line, "correlation", "the matrix is not positive definite (row %d)", i + 1);
      }
      l[i * n + j] = i == j ? sqrt(sum) : sum / l[j * n + j];
    }
  }
  return IRZ_OK;
}

/// set: {key: value} for all cases
static IrzCode read_set(const Reader *reader, const IrzYaml *node) {
  IrzSweep *sweep = reader->sweep;
  if (node->kind != IRZ_YAML_MAP) {
    return fail(reader, node->line, "set", "must be a map of key paths and values, as in {mesh.accuracy: 1}");
  }
  IRZ_TRY(irz_alloc(&sweep->set, (size_t)node->n, sizeof *sweep->set, reader->error));
  for (int i = 0; i < node->n; i++) {
    const IrzYaml *item = node->items[i];
    if (item->kind != IRZ_YAML_SCALAR || item->text == NULL) {
      return fail(reader, node->key_lines[i], "set", "%s must have a number or a word as its value", node->keys[i]);
    }
    size_t size = strlen(node->keys[i]) + strlen(item->text) + 2;
    IRZ_TRY(irz_alloc(&sweep->set[i], size, 1, reader->error));
    snprintf(sweep->set[i], size, "%s=%s", node->keys[i], item->text);
    sweep->n_set = i + 1;
  }
  return IRZ_OK;
}

/// keep: all, or a list of case numbers
static IrzCode read_keep(const Reader *reader, const IrzYaml *node) {
  IrzSweep *sweep = reader->sweep;
  if (node->kind == IRZ_YAML_SCALAR && node->text != NULL && strcmp(node->text, "all") == 0) {
    sweep->keep_all = true;
    return IRZ_OK;
  }
  if (node->kind != IRZ_YAML_LIST) {
    return fail(reader, node->line, "keep", "must be a list of case numbers, or all");
  }
  IRZ_TRY(irz_alloc(&sweep->keep, (size_t)node->n, sizeof *sweep->keep, reader->error));
  for (int i = 0; i < node->n; i++) {
    double number = 0;
    IRZ_TRY(read_integer(reader, node->items[i], "keep", 1, sweep->n_cases, &number));
    sweep->keep[i] = (int)number;
    sweep->n_keep = i + 1;
  }
  return IRZ_OK;
}

/// Whether a path is a varied value already, and so a column.
static bool is_varied(const IrzSweep *sweep, const char *path) {
  for (int j = 0; j < sweep->n_parameters; j++) {
    if (strcmp(sweep->parameters[j].key, path) == 0) return true;
  }
  return false;
}

/// columns: a list of paths into the JSON summary. Whether they lead to numbers irz_sweep_check_columns() finds out.
static IrzCode read_columns(const Reader *reader, const IrzYaml *node) {
  IrzSweep *sweep = reader->sweep;
  if (node->kind != IRZ_YAML_LIST || node->n == 0 || node->n > IRZ_SWEEP_MAX_COLUMNS) {
    return fail(reader, node->line, "columns",
                "must be a list of 1 to %d numbers of the summary, as in [zone.extent_mm[0], \"pulses[0].current_A\"]",
                IRZ_SWEEP_MAX_COLUMNS);
  }
  IRZ_TRY(irz_alloc(&sweep->columns, (size_t)node->n, sizeof *sweep->columns, reader->error));
  for (int i = 0; i < node->n; i++) {
    const IrzYaml *item = node->items[i];
    if (item->kind != IRZ_YAML_SCALAR || item->text == NULL || item->text[0] == '\0') {
      return fail(reader, item->line, "columns",
                  "entry %d is no path; in a list on one line a path with brackets needs quotes: "
                  "[\"pulses[0].current_A\"]",
                  i + 1);
    }
    if (strlen(item->text) >= IRZ_KEY_PATH_MAX) {
      return fail(reader, item->line, "columns", "entry %d has more than %d characters", i + 1, IRZ_KEY_PATH_MAX - 1);
    }
    if (is_varied(sweep, item->text)) {
      return fail(reader, item->line, "columns", "%s is varied, so it is a column already", item->text);
    }
    for (int k = 0; k < i; k++) {
      if (strcmp(sweep->columns[k].path, item->text) == 0) {
        return fail(reader, item->line, "columns", "%s stands there twice", item->text);
      }
    }
    IRZ_TRY(text_copy(item->text, &sweep->columns[i].path, reader->error));
    sweep->columns[i].line = item->line;
    sweep->n_columns = i + 1;
  }
  return IRZ_OK;
}

/// probability_map: {spacing, box}
static IrzCode read_map(const Reader *reader, const IrzYaml *node) {
  IrzSweep *sweep = reader->sweep;
  static const char path[] = "probability_map";
  if (node->kind != IRZ_YAML_MAP) {
    return fail(reader, node->line, path, "must be a map, as in {spacing: 1} (mm)");
  }
  IRZ_TRY(check_keys(reader, node, path, map_keys));
  const IrzYaml *spacing = irz_yaml_get(node, "spacing"), *box = irz_yaml_get(node, "box");
  double value = 1;
  if (spacing != NULL) IRZ_TRY(read_number(reader, spacing, "probability_map.spacing", &value));
  if (!(value >= 0.05 && value <= 100)) {
    return fail(reader, node->line, "probability_map.spacing", "%g mm is outside 0.05 to 100 mm", value);
  }
  sweep->map.wanted = true;
  sweep->map.spacing = value * 1e-3;
  if (box == NULL) return IRZ_OK;
  if (box->kind != IRZ_YAML_LIST || box->n != 2) {
    return fail(reader, box->line, "probability_map.box", "must be two corners in mm: [[x, y, z], [x, y, z]]");
  }
  for (int i = 0; i < 2; i++) {
    IRZ_TRY(read_numbers(reader, box->items[i], "probability_map.box", "[x, y, z] in mm", 3, sweep->map.box[i]));
    for (int j = 0; j < 3; j++) sweep->map.box[i][j] *= 1e-3;
  }
  for (int j = 0; j < 3; j++) {
    if (!(sweep->map.box[0][j] < sweep->map.box[1][j])) {
      return fail(reader, box->line, "probability_map.box", "the first corner must lie below the second");
    }
  }
  sweep->map.boxed = true;
  return IRZ_OK;
}

/// sample, cases, tasks, timeout, seed
static IrzCode read_design(const Reader *reader, const IrzYaml *top) {
  IrzSweep *sweep = reader->sweep;
  const IrzYaml *sample = irz_yaml_get(top, "sample"), *cases = irz_yaml_get(top, "cases");
  const IrzYaml *seed = irz_yaml_get(top, "seed");
  if (sample != NULL) {
    const char *text = sample->kind == IRZ_YAML_SCALAR && sample->text != NULL ? sample->text : "";
    int i = 0;
    while (irz_design_names[i] != NULL && strcmp(text, irz_design_names[i]) != 0) i++;
    if (irz_design_names[i] == NULL) {
      return fail(reader, sample->line, "sample",
                  "\"%s\" is none of grid, list, random, sobol, latin-hypercube, saltelli", text);
    }
    sweep->design = (IrzDesign)i;
  }
  bool random = sweep->design != IRZ_DESIGN_GRID && sweep->design != IRZ_DESIGN_LIST;
  double value = 0;
  if (random && cases == NULL) {
    return fail(reader, top->line, "cases", "is missing; sample: %s needs it", irz_design_names[sweep->design]);
  }
  if (!random && cases != NULL) {
    return fail(reader, cases->line, "cases", "does not go with sample: %s, whose cases follow from vary",
                irz_design_names[sweep->design]);
  }
  if (random) {
    IRZ_TRY(read_integer(reader, cases, "cases", 1, MAX_SAMPLES, &value));
    sweep->n_samples = (int)value;
  }
  const IrzYaml *tasks = irz_yaml_get(top, "tasks");
  if (tasks != NULL) {
    IRZ_TRY(read_integer(reader, tasks, "tasks", 1, 9999, &value));
    sweep->n_tasks = (int)value;
  }
  const IrzYaml *timeout = irz_yaml_get(top, "timeout");
  if (timeout != NULL) {
    IRZ_TRY(read_number(reader, timeout, "timeout", &sweep->timeout));
    if (!(sweep->timeout > 0))
      return fail(reader, timeout->line, "timeout", "%g s is not above 0 s; leave the key out for no limit",
                  sweep->timeout);
  }
  sweep->seed = 1;
  if (seed != NULL) {
    IRZ_TRY(read_integer(reader, seed, "seed", 0, 9007199254740992.0, &value));
    sweep->seed = (uint64_t)value;
  }
  return IRZ_OK;
}

/// A path as it is meant: from the sweep file's folder.
static IrzCode locate(const Reader *reader, const IrzYaml *node, const char *key, char path[IRZ_PATH_MAX]) {
  char folder[IRZ_PATH_MAX];
  snprintf(folder, sizeof folder, "%s", reader->sweep->file);
  bool bare = node->text[0] == '/' || strchr(reader->sweep->file, '/') == NULL;
  int length = bare ? snprintf(path, IRZ_PATH_MAX, "%s", node->text)
                    : snprintf(path, IRZ_PATH_MAX, "%s/%s", dirname(folder), node->text);
  return length < IRZ_PATH_MAX ? IRZ_OK : fail(reader, node->line, key, "the path is too long");
}

/// plan: its path and its text.
static IrzCode read_plan(const Reader *reader, const IrzYaml *top, const char *plan_text) {
  IrzSweep *sweep = reader->sweep;
  const IrzYaml *plan = irz_yaml_get(top, "plan");
  if (plan == NULL || plan->kind != IRZ_YAML_SCALAR || plan->text == NULL || plan->text[0] == '\0') {
    return fail(reader, plan != NULL ? plan->line : top->line, "plan", "must name the plan that is varied");
  }
  IRZ_TRY(locate(reader, plan, "plan", sweep->plan_file));
  if (plan_text != NULL) return text_copy(plan_text, &sweep->plan_text, reader->error);
  IrzError cause = {0};
  if (irz_yaml_load(sweep->plan_file, &sweep->plan_text, &cause) == IRZ_OK) return IRZ_OK;
  if (cause.code == IRZ_ERR_MEMORY) return irz_error_set(reader->error, cause.code, "%s", cause.text);
  return fail(reader, plan->line, "plan", "%s", cause.text);
}

/// file: a table of cases in place of `vary`.
static IrzCode read_file(const Reader *reader, const IrzYaml *top, const IrzYaml *file, const char *design_text) {
  IrzSweep *sweep = reader->sweep;
  if (sweep->design != IRZ_DESIGN_LIST) {
    return fail(reader, file->line, "file", "a table of cases needs sample: list; sample is %s",
                irz_design_names[sweep->design]);
  }
  const IrzYaml *vary = irz_yaml_get(top, "vary");
  if (vary != NULL) return fail(reader, vary->line, "vary", "does not go with file, whose first line names the keys");
  if (file->kind != IRZ_YAML_SCALAR || file->text == NULL || file->text[0] == '\0') {
    return fail(reader, file->line, "file", "must name a table of cases (comma-separated values)");
  }
  IRZ_TRY(locate(reader, file, "file", sweep->design_file));
  if (design_text != NULL) {
    IRZ_TRY(text_copy(design_text, &sweep->design_text, reader->error));
  } else {
    IrzError cause = {0};
    IrzCode code = irz_table_load(sweep->design_file, &sweep->design_text, &cause);
    if (code == IRZ_ERR_INPUT) return fail(reader, file->line, "file", "%s", cause.text);
    if (code != IRZ_OK) return irz_error_set(reader->error, code, "%s", cause.text);
  }
  return irz_table_read(sweep->design_text, sweep->design_file, sweep, reader->error);
}

static IrzCode read_top(const Reader *reader, const IrzYaml *top, const char *plan_text, const char *design_text) {
  IRZ_TRY(check_keys(reader, top, "", top_keys));
  IRZ_TRY(read_plan(reader, top, plan_text));
  IRZ_TRY(read_design(reader, top));
  const IrzYaml *file = irz_yaml_get(top, "file");
  IRZ_TRY(file != NULL ? read_file(reader, top, file, design_text) : read_vary(reader, top));
  const IrzYaml *correlation = irz_yaml_get(top, "correlation"), *set = irz_yaml_get(top, "set");
  const IrzYaml *keep = irz_yaml_get(top, "keep"), *map = irz_yaml_get(top, "probability_map");
  const IrzYaml *columns = irz_yaml_get(top, "columns");
  if (correlation != NULL) IRZ_TRY(read_correlation(reader, correlation));
  if (set != NULL) IRZ_TRY(read_set(reader, set));
  IRZ_TRY(irz_sweep_sample(reader->sweep, reader->error));
  if (keep != NULL) IRZ_TRY(read_keep(reader, keep));
  if (map != NULL) IRZ_TRY(read_map(reader, map));
  if (columns != NULL) IRZ_TRY(read_columns(reader, columns));
  return irz_sweep_add_columns(reader->sweep, reader->error);
}

/// Add to a complaint of the YAML parser what is usually wrong in a list or map on one line.
static void explain_brackets(const char *text, const char *file, IrzError *error) {
  size_t length = strlen(file);
  if (error->code != IRZ_ERR_PLAN || strncmp(error->text, file, length) != 0 || error->text[length] != ':') return;
  int line = atoi(error->text + length + 1);
  for (; line > 1 && *text != '\0'; line--) text += strcspn(text, "\n") + (text[strcspn(text, "\n")] == '\n');
  const char *end = text + strcspn(text, "\n");
  for (const char *c = text; c + 2 < end; c++) {
    size_t digits =
        c > text && *c == '[' && (isalnum((unsigned char)c[-1]) || c[-1] == '_') ? strspn(c + 1, "0123456789") : 0;
    if (digits == 0 || c[1 + digits] != ']') continue;
    IrzError before = *error;
    irz_error_set(error, before.code, "%s; in a list or map on one line a path with brackets needs quotes",
                  before.text);
    return;
  }
}

IrzCode irz_sweep_parse_texts(const char *text, const char *file, const char *plan_text, const char *design_text,
                              IrzSweep **sweep, IrzError *error) {
  *sweep = NULL;
  IrzSweep *made;
  IRZ_TRY(irz_alloc(&made, 1, sizeof *made, error));
  snprintf(made->file, sizeof made->file, "%s", file);
  IrzYaml *top = NULL;
  Reader reader = {made, error};
  IrzCode code = text_copy(text, &made->text, error);
  if (code == IRZ_OK) {
    code = irz_yaml_parse(text, made->file, &top, error);
    if (code != IRZ_OK && error != NULL) explain_brackets(text, made->file, error);
  }
  if (code == IRZ_OK) code = read_top(&reader, top, plan_text, design_text);
  irz_yaml_free(top);
  if (code != IRZ_OK) {
    irz_sweep_free(made);
    return code;
  }
  *sweep = made;
  return IRZ_OK;
}

IrzCode irz_sweep_parse(const char *text, const char *file, const char *plan_text, IrzSweep **sweep, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(text != NULL && file != NULL && sweep != NULL);
  return irz_sweep_parse_texts(text, file, plan_text, NULL, sweep, error);
}

IrzCode irz_sweep_read(const char *path, IrzSweep **sweep, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(path != NULL && sweep != NULL);
  *sweep = NULL;
  char *text;
  IRZ_TRY(irz_yaml_load(path, &text, error));
  IrzCode code = irz_sweep_parse(text, path, NULL, sweep, error);
  free(text);
  return code;
}

/// Send a text from rank 0 to all; it may be NULL.
static IrzCode share_text(MPI_Comm comm, const char *mine, char **copy, IrzError *error) {
  int rank, size = mine != NULL ? (int)strlen(mine) + 1 : 0;
  MPI_Comm_rank(comm, &rank);
  MPI_Bcast(&size, 1, MPI_INT, 0, comm);
  if (size == 0) return IRZ_OK;
  irz_alloc(copy, (size_t)size, 1, error);
  IRZ_TRY(irz_error_agree(comm, error));
  if (rank == 0) memcpy(*copy, mine, (size_t)size);
  MPI_Bcast(*copy, size, MPI_CHAR, 0, comm);
  return IRZ_OK;
}

/// Let all ranks have the values that rank 0 drew: another kind of processor may round logarithms in another way.
static void share_values(MPI_Comm comm, IrzSweep *sweep) {
  const size_t block = 1 << 24;
  size_t n = (size_t)sweep->n_cases * (size_t)sweep->n_parameters;
  for (size_t i = 0; i < n; i += block) {
    MPI_Bcast(sweep->value + i, (int)(n - i < block ? n - i : block), MPI_DOUBLE, 0, comm);
  }
}

IrzCode irz_sweep_share(MPI_Comm comm, IrzSweep **sweep, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(sweep != NULL);
  enum { N = 4 };
  int rank;
  MPI_Comm_rank(comm, &rank);
  char *text[N] = {NULL};
  const char *mine[N] = {NULL};
  if (rank == 0) {
    mine[0] = (*sweep)->text;
    mine[1] = (*sweep)->file;
    mine[2] = (*sweep)->plan_text;
    mine[3] = (*sweep)->design_text;
  } else {
    *sweep = NULL;
  }
  IrzCode code = IRZ_OK;
  for (int i = 0; i < N && code == IRZ_OK; i++) code = share_text(comm, mine[i], &text[i], error);
  if (code == IRZ_OK) {
    if (rank > 0) irz_sweep_parse_texts(text[0], text[1], text[2], text[3], sweep, error);
    code = irz_error_agree(comm, error);
  }
  if (code == IRZ_OK) share_values(comm, *sweep);
  for (int i = 0; i < N; i++) free(text[i]);
  return code;
}

void irz_sweep_free(IrzSweep *sweep) {
  if (sweep == NULL) return;
  for (int j = 0; j < sweep->n_parameters; j++) {
    IrzParameter *parameter = &sweep->parameters[j];
    for (int i = 0; i < parameter->n_values; i++) free(parameter->text[i]);
    free((void *)parameter->text);
    free(parameter->number);
    free(parameter->key);
  }
  free(sweep->parameters);
  for (int i = 0; i < sweep->n_set; i++) free(sweep->set[i]);
  free((void *)sweep->set);
  for (int k = 0; k < sweep->n_columns; k++) free(sweep->columns[k].path);
  free(sweep->columns);
  free(sweep->factor);
  free(sweep->value);
  free(sweep->keep);
  free(sweep->plan_text);
  free(sweep->design_text);
  free(sweep->text);
  free(sweep);
}
