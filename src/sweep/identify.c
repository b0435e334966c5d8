/* Whether a folder holds this sweep. DIR/journal has the sweep as it was when the folder was begun: format, sweep.yaml,
   plan.yaml, cases.csv (its table of cases, if it has one), inputs (files that it reads, with checksums), tasks. A
   sweep may grow: more points of a sequence, more listed values, more rows. Then the folder keeps what is done, because
   records know their cases by their values. */
#include "base/memory.h"
#include "plan/yaml.h"
#include "sweep/sweep.h"
#include <errno.h>
#include <irezone/result.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { JOURNAL_FORMAT = 2 };

/* ---- Tasks ---- */

/// The number of tasks that a folder's cases are divided into; 0: not into tasks yet.
static IrzCode read_tasks(const char *path, int *n_tasks, IrzError *error) {
  char *text;
  *n_tasks = 0;
  if (access(path, F_OK) != 0) return IRZ_OK;
  IRZ_TRY(irz_yaml_load(path, &text, error));
  *n_tasks = atoi(text);
  free(text);
  if (*n_tasks > 0) return IRZ_OK;
  return irz_error_set(error, IRZ_ERR_INPUT, "%s: is damaged; it must hold the number of tasks", path);
}

static IrzCode fail_tasks(const char *place, int recorded, int task, int n_tasks, IrzError *error) {
  return irz_error_set(
      error, IRZ_ERR_PLAN,
      "--task %d/%d: %s divides the cases into %d tasks: the number of tasks belongs to the sweep, not "
      "to the job that runs one again",
      task, n_tasks, place, recorded);
}

IrzCode irz_tasks_find(const char *directory, const IrzSweep *sweep, int task, int *n_tasks, IrzError *error) {
  char path[IRZ_PATH_MAX];
  int recorded;
  IRZ_TRY(irz_journal_path(directory, "tasks", path, error));
  IRZ_TRY(read_tasks(path, &recorded, error));
  if (*n_tasks == 0) *n_tasks = sweep->n_tasks > 0 ? sweep->n_tasks : recorded;
  if (*n_tasks == 0) {
    return irz_error_set(error, IRZ_ERR_PLAN, "--task %d: of how many? Say --task %d/N, or tasks: N in the sweep file",
                         task, task);
  }
  if (task > *n_tasks) {
    return irz_error_set(error, IRZ_ERR_PLAN, "--task %d/%d: the first number must be from 1 to the second", task,
                         *n_tasks);
  }
  if (sweep->n_tasks > 0 && *n_tasks != sweep->n_tasks) {
    return fail_tasks(sweep->file, sweep->n_tasks, task, *n_tasks, error);
  }
  return recorded == 0 || recorded == *n_tasks ? IRZ_OK : fail_tasks(directory, recorded, task, *n_tasks, error);
}

IrzCode irz_tasks_record(const char *directory, int task, int n_tasks, IrzError *error) {
  char path[IRZ_PATH_MAX], own[IRZ_PATH_MAX], name[64], text[32];
  int recorded;
  IRZ_TRY(irz_journal_path(directory, "tasks", path, error));
  snprintf(name, sizeof name, "tasks-%04d-of-%04d", task, n_tasks);
  IRZ_TRY(irz_journal_path(directory, name, own, error));
  IRZ_TRY(read_tasks(path, &recorded, error));
  if (recorded == 0) {
    /* Whole or not at all, and of tasks that begin together only the first: a link is made once. */
    snprintf(text, sizeof text, "%d\n", n_tasks);
    IRZ_TRY(irz_file_write(own, text, error));
    bool made = link(own, path) == 0 || errno == EEXIST;
    IrzCode code =
        made ? IRZ_OK : irz_error_set(error, IRZ_ERR_OUTPUT, "%s: cannot be written: %s", path, strerror(errno));
    unlink(own);
    IRZ_TRY(code);
    IRZ_TRY(read_tasks(path, &recorded, error));
  }
  return recorded == n_tasks ? IRZ_OK : fail_tasks(directory, recorded, task, n_tasks, error);
}

/* ---- Input files ---- */

/// Append a line for a file the results depend on: its name and checksum.
static IrzCode describe_input(const char *path, FILE *out, IrzError *error) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) return IRZ_OK; /* the case that needs it says so */
  unsigned char *block;
  IrzCode code = irz_alloc(&block, 1 << 16, 1, error);
  uLong sum = crc32(0, NULL, 0);
  size_t got = 0;
  while (code == IRZ_OK && (got = fread(block, 1, 1 << 16, file)) > 0) sum = crc32(sum, block, (uInt)got);
  if (code == IRZ_OK) fprintf(out, "%s %08lx\n", path, sum);
  free(block);
  fclose(file);
  return code;
}

/// Add a file to a list of lines unless it is there.
static IrzCode add_input(const char *path, IrzText *list, IrzError *error) {
  char wanted[IRZ_PATH_MAX + 2];
  if (path[0] == '\0') return IRZ_OK;
  snprintf(wanted, sizeof wanted, "%s ", path);
  fflush(list->out);
  for (const char *line = list->text; line != NULL && *line != '\0'; line += strcspn(line, "\n") + 1) {
    if (strncmp(line, wanted, strlen(wanted)) == 0) return IRZ_OK;
  }
  return describe_input(path, list->out, error);
}

/// Whether cases can differ in the files that they read.
static bool varies_files(const IrzSweep *sweep) {
  for (int j = 0; j < sweep->n_parameters; j++) {
    const char *key = sweep->parameters[j].key;
    if (strncmp(key, "mesh", 4) == 0 || strncmp(key, "anatomy", 7) == 0) return true;
    if (strcmp(key, "probes.markups") == 0 || strcmp(key, "probes.transform") == 0) return true;
  }
  return false;
}

/// Pass on a lack of memory; any other error is left to the case that has it.
static IrzCode out_of_memory(const IrzError *wrong, IrzError *error) {
  return wrong->code == IRZ_ERR_MEMORY ? irz_error_set(error, wrong->code, "%s", wrong->text) : IRZ_OK;
}

/// Add a file that a tree names.
static IrzCode add_named(const IrzYaml *node, const char *folder, IrzText *list, IrzError *error) {
  char path[2 * IRZ_PATH_MAX];
  if (node == NULL || node->kind != IRZ_YAML_SCALAR || node->text == NULL) return IRZ_OK;
  int length = snprintf(path, sizeof path, "%s%s", node->text[0] == '/' ? "" : folder, node->text);
  return length < IRZ_PATH_MAX ? add_input(path, list, error) : IRZ_OK;
}

/// Add the files that the needles of a plan are in.
static IrzCode add_markups(const IrzYaml *root, const char *folder, IrzText *list, IrzError *error) {
  const IrzYaml *probes = irz_yaml_get(root, "probes"), *markups = irz_yaml_get(probes, "markups");
  if (probes == NULL || probes->kind != IRZ_YAML_MAP) return IRZ_OK;
  IRZ_TRY(add_named(irz_yaml_get(probes, "transform"), folder, list, error));
  if (markups == NULL || markups->kind != IRZ_YAML_LIST) return add_named(markups, folder, list, error);
  for (int i = 0; i < markups->n; i++) IRZ_TRY(add_named(markups->items[i], folder, list, error));
  return IRZ_OK;
}

/// The same for the plan as its file has it: cases that change single needles name the files no more.
static IrzCode add_stated_markups(const IrzSweep *sweep, const char *folder, IrzText *list, IrzError *error) {
  IrzYaml *root;
  IrzError unusable = {0};
  if (irz_yaml_parse(sweep->plan_text, sweep->plan_file, &root, &unusable) != IRZ_OK) {
    return out_of_memory(&unusable, error);
  }
  IrzCode code = add_markups(root, folder, list, error);
  irz_yaml_free(root);
  return code;
}

/// Files that the plan of a case reads.
static IrzCode add_inputs(const IrzSweep *sweep, const IrzPlan *plan, IrzText *list, IrzError *error) {
  IRZ_TRY(add_input(plan->mesh.file, list, error));
  IRZ_TRY(add_input(plan->anatomy.labels, list, error));
  IRZ_TRY(add_input(plan->anatomy.names, list, error));
  IRZ_TRY(add_input(plan->patient.compare.labels, list, error));
  IRZ_TRY(add_markups(plan->tree, plan->folder, list, error));
  return add_stated_markups(sweep, plan->folder, list, error);
}

/// Meshes, label maps and needles of all cases, with checksums, a line each. A file that is missing has none.
static IrzCode describe_inputs(const IrzSweep *sweep, char **text, IrzError *error) {
  *text = NULL;
  IrzText list;
  IRZ_TRY(irz_text_begin(&list, error));
  IrzCode code = IRZ_OK;
  int last = varies_files(sweep) ? sweep->n_cases : 1;
  for (int i = 1; i <= last && code == IRZ_OK; i++) {
    IrzPlan *plan = NULL;
    IrzError unusable = {0};
    if (irz_sweep_plan(sweep, i, &plan, &unusable) != IRZ_OK) {
      code = out_of_memory(&unusable, error);
      continue;
    }
    code = add_inputs(sweep, plan, &list, error);
    irz_plan_free(plan);
  }
  IrzCode ended = irz_text_end(&list, text, code == IRZ_OK ? error : NULL);
  if (code == IRZ_OK) code = ended;
  if (code != IRZ_OK) {
    free(*text);
    *text = NULL;
  }
  return code;
}

/// Where the file's own name begins in a line of inputs: how its folder is written depends on where the program was
/// started.
static const char *own_name(const char *line) {
  const char *name = line;
  for (const char *c = line; *c != '\0' && *c != '\n'; c++) {
    if (*c == '/') name = c + 1;
  }
  return name;
}

/// Refuse files that have changed. New ones do no harm.
static IrzCode compare_inputs(const char *directory, const char *before, const char *now, IrzError *error) {
  for (const char *line = before; *line != '\0'; line += strcspn(line, "\n") + 1) {
    const char *wanted = own_name(line);
    size_t length = strcspn(wanted, "\n");
    bool found = false;
    for (const char *other = now; *other != '\0' && !found; other += strcspn(other, "\n") + 1) {
      const char *name = own_name(other);
      found = strcspn(name, "\n") == length && strncmp(name, wanted, length) == 0;
    }
    if (found) continue;
    const char *blank = wanted + length;
    while (blank > wanted && *blank != ' ') blank--;
    return irz_error_set(
        error, IRZ_ERR_PLAN,
        "%.*s: has changed, or is gone, since the sweep in %s began; restore it to go on, or start anew "
        "in another folder",
        (int)(blank - line), line, directory);
  }
  return IRZ_OK;
}

/* ---- The sweep file and its plan ---- */

/// Remove a key of a map.
static void drop(IrzYaml *map, const char *key) {
  for (int i = 0; i < map->n; i++) {
    if (strcmp(map->keys[i], key) != 0) continue;
    free(map->keys[i]);
    irz_yaml_free(map->items[i]);
    map->n--;
    memmove(map->keys + i, map->keys + i + 1, (size_t)(map->n - i) * sizeof *map->keys);
    memmove(map->key_lines + i, map->key_lines + i + 1, (size_t)(map->n - i) * sizeof *map->key_lines);
    memmove(map->items + i, map->items + i + 1, (size_t)(map->n - i) * sizeof *map->items);
    return;
  }
}

/// Whether two YAML texts say the same but for some keys: comments and layout do not count.
/// @param[in] ignored  ends with NULL
static IrzCode same_yaml(const char *a, const char *b, const char *const *ignored, bool *same, IrzError *error) {
  *same = strcmp(a, b) == 0;
  if (*same) return IRZ_OK;
  IrzYaml *x = NULL, *y = NULL;
  IrzError wrong = {0};
  char *u = NULL, *v = NULL;
  if (irz_yaml_parse(a, "", &x, &wrong) == IRZ_OK && irz_yaml_parse(b, "", &y, &wrong) == IRZ_OK) {
    for (; *ignored != NULL; ignored++) {
      drop(x, *ignored);
      drop(y, *ignored);
    }
    u = irz_yaml_write(x);
    v = irz_yaml_write(y);
    if (u == NULL || v == NULL) irz_out_of_memory(0, &wrong);
  }
  *same = u != NULL && v != NULL && strcmp(u, v) == 0;
  free(u);
  free(v);
  irz_yaml_free(x);
  irz_yaml_free(y);
  return out_of_memory(&wrong, error);
}

/// Length of the line that begins at `text`, at most `most`.
static int line_length(const char *text, int most) {
  int length = (int)strcspn(text, "\n");
  return length < most ? length : most;
}

/// Say where two texts begin to differ.
/// @param[in] reason  why that cannot be taken for more of the same, or ""
static IrzCode fail_changed(const char *directory, const char *file, const char *before, const char *now,
                            const char *reason, IrzError *error) {
  int line = 1;
  while (true) {
    size_t a = strcspn(before, "\n"), b = strcspn(now, "\n");
    if (a != b || memcmp(before, now, a) != 0 || before[a] == '\0' || now[b] == '\0') break;
    before += a + 1;
    now += b + 1;
    line++;
  }
  return irz_error_set(
      error, IRZ_ERR_PLAN,
      "%s:%d: has changed since the sweep in %s began: \"%.*s\" was \"%.*s\"%s; restore it to go on, or "
      "start anew in another folder",
      file, line, directory, line_length(now, 120), now, line_length(before, 120), before, reason);
}

/* ---- A sweep that has grown ---- */

/// The values of a case, for a person.
static void print_case(const IrzSweep *sweep, int number, char *text, size_t size) {
  size_t used = 0;
  text[0] = '\0';
  for (int j = 0; j < sweep->n_parameters && used < size; j++) {
    char value[IRZ_SWEEP_MAX_TEXT];
    irz_sweep_value(sweep, number, j, value, sizeof value);
    used +=
        (size_t)snprintf(text + used, size - used, "%s%s=%.40s", j > 0 ? ", " : "", sweep->parameters[j].key, value);
  }
}

/// What a design can grow by.
static void print_growth(const IrzSweep *old, char *text, size_t size) {
  if (old->design == IRZ_DESIGN_LATIN && old->factor != NULL) {
    snprintf(text, size, "a latin-hypercube with correlation cannot grow, because every value would change its place");
  } else if (old->design == IRZ_DESIGN_LATIN) {
    snprintf(text, size, "a latin-hypercube grows by doubling: cases: %d, %d, ...", 2 * old->n_samples,
             4 * old->n_samples);
  } else {
    snprintf(text, size, "cases, values and rows can be added, not changed");
  }
}

/// Whether a sweep has all cases of another one.
/// @param[out] moved   a case has another number now
/// @param[out] reason  if it has not: which it lacks, and how it could have grown
static IrzCode has_all_cases(const IrzSweep *old, const IrzSweep *sweep, bool *all, bool *moved, char reason[512],
                             IrzError *error) {
  IrzCaseIndex index;
  *all = old->n_parameters == sweep->n_parameters;
  *moved = false;
  for (int j = 0; j < old->n_parameters && *all; j++) {
    *all = strcmp(old->parameters[j].key, sweep->parameters[j].key) == 0;
  }
  snprintf(reason, 512, "; it must vary the same keys in the same order");
  if (!*all) return IRZ_OK;
  IRZ_TRY(irz_case_index_make(sweep, &index, error));
  for (int i = 1; i <= old->n_cases && *all; i++) {
    uint64_t hash = irz_case_hash(old, i);
    if (i <= sweep->n_cases && irz_case_hash(sweep, i) == hash) continue;
    *moved = true;
    *all = irz_case_index_find(&index, hash) > 0;
    if (*all) continue;
    char values[200], growth[160];
    print_case(old, i, values, sizeof values);
    print_growth(old, growth, sizeof growth);
    snprintf(reason, 512, ", and the folder's case %d (%s) is none of its cases any more: %s", i, values, growth);
  }
  irz_case_index_clear(&index);
  return IRZ_OK;
}

/// Refuse another probability map: the samples that are there would not fit it.
static IrzCode compare_maps(const char *directory, const IrzSweep *old, const IrzSweep *sweep, IrzError *error) {
  if (!old->map.wanted && !sweep->map.wanted) return IRZ_OK;
  IrzPointGrid before = {0}, now = {0};
  if (old->map.wanted) IRZ_TRY(irz_map_grid(old, &before, error));
  if (sweep->map.wanted) IRZ_TRY(irz_map_grid(sweep, &now, error));
  bool same = old->map.wanted == sweep->map.wanted;
  for (int j = 0; j < 3; j++) {
    same = same && before.size[j] == now.size[j] && before.origin[j] == now.origin[j] &&
           before.spacing[j] == now.spacing[j];
  }
  if (same) return IRZ_OK;
  if (!old->map.wanted || !sweep->map.wanted || old->map.spacing != sweep->map.spacing) {
    return irz_error_set(
        error, IRZ_ERR_PLAN,
        "%s: probability_map: has changed since the sweep in %s began; restore it to go on, or start anew "
        "in another folder",
        sweep->file, directory);
  }
  double end[3];
  for (int j = 0; j < 3; j++) end[j] = before.origin[j] + (before.size[j] - 1) * before.spacing[j];
  return irz_error_set(
      error, IRZ_ERR_PLAN,
      "%s: probability_map: the new cases reach beyond the map of the sweep in %s; give it that map's box, "
      "[[%.10g, %.10g, %.10g], [%.10g, %.10g, %.10g]], or start anew in another folder",
      sweep->file, directory, before.origin[0] * 1e3, before.origin[1] * 1e3, before.origin[2] * 1e3, end[0] * 1e3,
      end[1] * 1e3, end[2] * 1e3);
}

/// Refuse a sweep that is not the folder's with more cases.
static IrzCode compare_cases(const char *directory, const char *before, const char *design, const IrzSweep *sweep,
                             IrzError *error) {
  static const char *const may_grow[] = {"cases", "vary", "file", "probability_map", "tasks", "timeout", NULL};
  char reason[512] = "";
  IrzSweep *old = NULL;
  IrzError unused = {0};
  bool all, moved;
  bool same;
  IRZ_TRY(same_yaml(before, sweep->text, may_grow, &same, error));
  if (!same || irz_sweep_parse_texts(before, sweep->file, sweep->plan_text, design, &old, &unused) != IRZ_OK) {
    IRZ_TRY(out_of_memory(&unused, error));
    return fail_changed(directory, sweep->file, before, sweep->text, reason, error);
  }
  IrzCode code = has_all_cases(old, sweep, &all, &moved, reason, error);
  if (code == IRZ_OK && !all) {
    bool table = design != NULL && sweep->design_text != NULL && strcmp(design, sweep->design_text) != 0;
    code = fail_changed(directory, table ? sweep->design_file : sweep->file, table ? design : before,
                        table ? sweep->design_text : sweep->text, reason, error);
  } else if (code == IRZ_OK && moved && (sweep->keep_all || sweep->n_keep > 0)) {
    code = fail_changed(directory, sweep->file, before, sweep->text,
                        ", and fields that were kept would have the numbers of other cases: with keep, only what comes "
                        "last can grow",
                        error);
  }
  if (code == IRZ_OK) code = compare_maps(directory, old, sweep, error);
  irz_sweep_free(old);
  return code;
}

/* ---- The whole ---- */

/// Read a stored text; NULL if there is none.
static IrzCode read_stored(const char *directory, const char *name, char **text, IrzError *error) {
  char path[IRZ_PATH_MAX];
  *text = NULL;
  IRZ_TRY(irz_journal_path(directory, name, path, error));
  return access(path, F_OK) == 0 ? irz_table_load(path, text, error) : IRZ_OK;
}

/// Refuse a folder whose journal is written in another way.
static IrzCode compare_format(const char *directory, IrzError *error) {
  char *text;
  IRZ_TRY(read_stored(directory, "format", &text, error));
  int number = text != NULL ? atoi(text) : 1; /* the first said nothing */
  free(text);
  if (number == JOURNAL_FORMAT) return IRZ_OK;
  return irz_error_set(
      error, IRZ_ERR_PLAN,
      "%s: was begun by %s irezone, whose journal has format %d and not %d: finish it with that one, or "
      "start anew in another folder",
      directory, number < JOURNAL_FORMAT ? "an older" : "a newer", number, JOURNAL_FORMAT);
}

/// Compare with what is stored.
static IrzCode compare(const char *directory, const char *stored, const char *plan, const char *design,
                       const char *inputs, const IrzSweep *sweep, bool *store, IrzError *error) {
  static const char *const none[] = {NULL}, *const no_matter[] = {"tasks", NULL};
  IRZ_TRY(compare_format(directory, error));
  bool same = true;
  if (plan != NULL) IRZ_TRY(same_yaml(plan, sweep->plan_text, none, &same, error));
  if (!same) {
    return fail_changed(directory, sweep->plan_file, plan, sweep->plan_text, "", error);
  }
  bool same_design = design != NULL && sweep->design_text != NULL ? strcmp(design, sweep->design_text) == 0
                                                                  : design == NULL && sweep->design_text == NULL;
  IRZ_TRY(same_yaml(stored, sweep->text, no_matter, &same, error));
  if (!same_design || !same) {
    IRZ_TRY(compare_cases(directory, stored, design, sweep, error));
    *store = true;
  }
  char *now;
  IRZ_TRY(describe_inputs(sweep, &now, error));
  IrzCode code = compare_inputs(directory, inputs != NULL ? inputs : "", now, error);
  if (inputs == NULL || strcmp(inputs, now) != 0) *store = true;
  free(now);
  return code;
}

IrzCode irz_sweep_identify(const char *directory, const IrzSweep *sweep, bool alone, bool *store, IrzError *error) {
  char *stored = NULL, *plan = NULL, *design = NULL, *inputs = NULL;
  bool has_records;
  *store = true;
  IRZ_TRY(irz_journal_has_records(directory, &has_records, error));
  if (alone && !has_records) return IRZ_OK;
  IrzCode code = read_stored(directory, "sweep.yaml", &stored, error);
  if (code == IRZ_OK && stored != NULL) {
    *store = false;
    code = read_stored(directory, "plan.yaml", &plan, error);
    if (code == IRZ_OK) code = read_stored(directory, "cases.csv", &design, error);
    if (code == IRZ_OK) code = read_stored(directory, "inputs", &inputs, error);
    if (code == IRZ_OK) code = compare(directory, stored, plan, design, inputs, sweep, store, error);
  }
  free(stored);
  free(plan);
  free(design);
  free(inputs);
  return code;
}

/// Store a text, or remove what is stored if it is NULL.
static IrzCode store_text(const char *directory, const char *name, const char *text, IrzError *error) {
  char path[IRZ_PATH_MAX];
  IRZ_TRY(irz_journal_path(directory, name, path, error));
  if (text != NULL) return irz_file_write(path, text, error);
  if (unlink(path) == 0 || errno == ENOENT) return IRZ_OK;
  return irz_error_set(error, IRZ_ERR_OUTPUT, "%s: cannot be removed: %s", path, strerror(errno));
}

IrzCode irz_sweep_store(const char *directory, const IrzSweep *sweep, IrzError *error) {
  char format[32], *inputs;
  snprintf(format, sizeof format, "%d\n", JOURNAL_FORMAT);
  IRZ_TRY(describe_inputs(sweep, &inputs, error));
  /* sweep.yaml comes last: with it the folder holds a sweep. */
  IrzCode code = store_text(directory, "format", format, error);
  if (code == IRZ_OK) code = store_text(directory, "plan.yaml", sweep->plan_text, error);
  if (code == IRZ_OK) code = store_text(directory, "cases.csv", sweep->design_text, error);
  if (code == IRZ_OK) code = store_text(directory, "inputs", inputs, error);
  if (code == IRZ_OK) code = store_text(directory, "sweep.yaml", sweep->text, error);
  free(inputs);
  return code;
}
