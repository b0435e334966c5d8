/* A plan from YAML: the parts in their order, then what belongs to no part. */
#include "base/entry.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "plan/markups.h"
#include "plan/parts.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int irz_plan_tissue(const IrzPlan *plan, const char *region) {
  for (int i = 1; i < plan->n_tissues; i++) {
    if (strcmp(plan->tissues[i].region, region) == 0) return i;
  }
  return 0;
}

/* Default name: the file's without folder and ending, with what a file name should not have replaced. */
static void name_from_file(const char *file, char name[IRZ_NAME_MAX]) {
  const char *base = strrchr(file, '/');
  base = base != NULL ? base + 1 : file;
  const char *dot = strrchr(base, '.');
  size_t length = dot != NULL && dot != base ? (size_t)(dot - base) : strlen(base);
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  size_t used = 0;
  for (size_t i = 0; i < length;) {
    unsigned code = 0;
    size_t size = (size_t)irz_utf8_character(base + i, length - i, &code);
    bool kept = size > 0 && (code < 0x80 ? strchr(plain, (int)code) != NULL : irz_utf8_in_line(code));
    if (used + (kept ? size : 1) >= IRZ_NAME_MAX) break;
    if (kept) memcpy(name + used, base + i, size);
    if (!kept) name[used] = '_';
    used += kept ? size : 1;
    i += size > 0 ? size : 1;
  }
  name[used] = '\0';
  if (length == 0 || name[0] == '.') snprintf(name, IRZ_NAME_MAX, "plan");
}

/* `name`, and the default written back so that the text of the plan has it. */
static IrzCode read_name(const IrzReader *reader, IrzYaml *root, const char *stated) {
  IrzPlan *plan = reader->plan;
  if (stated[0] == '\0') {
    name_from_file(reader->file, plan->name);
    return irz_yaml_put(root, "name", plan->name, reader->error);
  }
  if (strchr(stated, '/') != NULL || stated[0] == '.') {
    return irz_reader_fail(reader, irz_yaml_get(root, "name"), "name",
                           "\"%s\" names the output files, so it must not contain / or begin with a dot", stated);
  }
  memcpy(plan->name, stated, sizeof plan->name);
  return IRZ_OK;
}

/* Find the folder of a plan's file, for as long as the current folder is known. */
static void find_folder(const char *file, char folder[IRZ_PATH_MAX]) {
  const char *slash = strrchr(file, '/');
  int length = slash != NULL ? (int)(slash - file) + 1 : 0;
  char here[IRZ_PATH_MAX] = "";
  if (file[0] != '/' && getcwd(here, sizeof here) == NULL) {
    folder[0] = '\0';
    return;
  }
  int all = snprintf(folder, IRZ_PATH_MAX, "%s%s%.*s", here, file[0] != '/' ? "/" : "", length, file);
  if (all >= IRZ_PATH_MAX) folder[0] = '\0';
}

/* Take a relative path from the plan's folder, so that it can be opened, and the text of the plan read again, from
   anywhere. */
static IrzCode resolve_path(const IrzReader *reader, IrzYaml *map, const char *key, const char *path,
                            char value[IRZ_PATH_MAX]) {
  if (value[0] == '/') return IRZ_OK;
  char full[IRZ_PATH_MAX];
  const char *folder = reader->plan->folder;
  if (folder[0] == '\0') {
    return irz_reader_fail(reader, irz_yaml_get(map, key), path,
                           "counts from the plan's folder, which cannot be found out; state the whole path");
  }
  if (snprintf(full, sizeof full, "%s%s", folder, value) >= (int)sizeof full)
    return irz_reader_fail(reader, irz_yaml_get(map, key), path, "is too long a path");
  memcpy(value, full, sizeof full);
  return irz_yaml_put(map, key, full, reader->error);
}

/* `mesh` */
static IrzCode read_mesh(const IrzReader *reader, IrzYaml *node) {
  IrzPlan *plan = reader->plan;
  IRZ_TRY(irz_reader_section(reader, &irz_section_mesh, node, NULL, "mesh", false, plan));
  if (node == NULL) return IRZ_OK;
  plan->mesh.line = node->line;
  bool loaded = plan->mesh.file[0] != '\0';
  const IrzYaml *size = irz_yaml_get(node, "size"), *scale = irz_yaml_get(node, "scale");
  if (loaded && size != NULL) irz_reader_warn(reader, size, "mesh.size", "has no effect on a loaded mesh");
  if (!loaded && scale != NULL) irz_reader_warn(reader, scale, "mesh.scale", "has no effect on a generated mesh");
  return loaded ? resolve_path(reader, node, "file", "mesh.file", plan->mesh.file) : IRZ_OK;
}

/* A label of `anatomy.map`: its number or its name, which no number is. */
static IrzCode read_label(const IrzReader *reader, const IrzYaml *place, const char *path, const char *key,
                          IrzLabel *label) {
  bool number = strspn(key, "0123456789") == strlen(key) && strlen(key) > 0;
  if (number ? strlen(key) > 9 : key[strspn(key, "+-.,0123456789eE")] == '\0') {
    return irz_reader_fail(reader, place, path, "a label must be a whole number from 0 on, or a name");
  }
  if (number) {
    label->label = (int)strtol(key, NULL, 10);
    return IRZ_OK;
  }
  label->label = -1;
  if (strlen(key) >= sizeof label->name) {
    return irz_reader_fail(reader, place, path, "a name of a label may have %zu characters", sizeof label->name - 1);
  }
  memcpy(label->name, key, strlen(key) + 1);
  return IRZ_OK;
}

/* `anatomy.map`: {label: region} */
static IrzCode read_label_map(const IrzReader *reader, const IrzYaml *node) {
  IrzPlan *plan = reader->plan;
  if (node->kind != IRZ_YAML_MAP || node->n == 0) {
    return irz_reader_fail(reader, node, "anatomy.map",
                           "must be a map of labels to regions, as in {1: liver, 2: tumour}");
  }
  IRZ_TRY(irz_alloc(&plan->anatomy.map, (size_t)node->n, sizeof *plan->anatomy.map, reader->error));
  for (int i = 0; i < node->n; i++) {
    char path[IRZ_KEY_PATH_MAX];
    irz_key_path(path, "anatomy.map", node->keys[i]);
    const char *key = node->keys[i];
    IrzYaml place = {.line = node->key_lines[i], .origin = node->items[i]->origin};
    IrzLabel *label = &plan->anatomy.map[i];
    IRZ_TRY(read_label(reader, &place, path, key, label));
    label->line = place.line;
    for (int j = 0; j < i && label->name[0] == '\0'; j++) {
      if (plan->anatomy.map[j].name[0] == '\0' && plan->anatomy.map[j].label == label->label) {
        return irz_reader_fail(reader, &place, path, "label %d is stated twice", label->label);
      }
    }
    const IrzYaml *region = node->items[i];
    if (region->kind != IRZ_YAML_SCALAR || region->text == NULL || strlen(region->text) >= IRZ_NAME_MAX ||
        region->text[0] == '\0') {
      return irz_reader_fail(reader, region, path, "must be the name of a region, of 1 to %d characters",
                             IRZ_NAME_MAX - 1);
    }
    if (label->name[0] != '\0' && strspn(region->text, "0123456789") == strlen(region->text)) {
      return irz_reader_fail(reader, region, path, "the label stands first, then the region: did you mean {%s: %s}?",
                             region->text, label->name);
    }
    snprintf(label->region, sizeof label->region, "%s", region->text);
    if (strcmp(label->region, "default") != 0 && irz_plan_tissue(plan, label->region) == 0) {
      irz_reader_warn(reader, region, path, "tissues has no \"%s\"; this region gets the default tissue",
                      label->region);
    }
    plan->anatomy.n_map = i + 1;
  }
  return IRZ_OK;
}

/* `anatomy` */
static IrzCode read_anatomy(const IrzReader *reader, IrzYaml *node) {
  IrzPlan *plan = reader->plan;
  if (node == NULL) return IRZ_OK;
  IrzAnatomyKeys keys = {.frame = IRZ_FRAME_RAS};
  IRZ_TRY(irz_reader_section(reader, &irz_section_anatomy, node, NULL, "anatomy", false, &keys));
  plan->anatomy.line = node->line;
  plan->anatomy.frame = (IrzFrame)keys.frame;
  plan->anatomy.transform = (IrzTransform)keys.transform;
  plan->anatomy.transform_stated = irz_yaml_get(node, "transform") != NULL;
  memcpy(plan->anatomy.labels, keys.labels, sizeof keys.labels);
  IRZ_TRY(resolve_path(reader, node, "labels", "anatomy.labels", plan->anatomy.labels));
  memcpy(plan->anatomy.names, keys.names, sizeof keys.names);
  if (keys.names[0] != '\0') IRZ_TRY(resolve_path(reader, node, "names", "anatomy.names", plan->anatomy.names));
  return read_label_map(reader, keys.map);
}

/* `frame` at the top of the plan, which counts without a label map too. */
static IrzCode read_frame(const IrzReader *reader, const IrzYaml *root, IrzFrame frame) {
  IrzPlan *plan = reader->plan;
  const IrzYaml *node = irz_yaml_get(root, "frame");
  if (node == NULL) return IRZ_OK;
  bool anatomy = plan->anatomy.labels[0] != '\0';
  if (!anatomy && plan->mesh.file[0] != '\0') {
    return irz_reader_fail(reader, node, "frame", "does not go together with a loaded mesh, which is not turned");
  }
  if (anatomy && irz_yaml_get(irz_yaml_get(root, "anatomy"), "frame") != NULL && plan->anatomy.frame != frame) {
    return irz_reader_fail(reader, node, "frame", "differs from anatomy.frame");
  }
  plan->anatomy.frame = frame;
  plan->anatomy.frame_stated = true;
  return IRZ_OK;
}

/* `patient`, which names regions of what has been read. */
static IrzCode read_patient(const IrzReader *reader, const IrzYaml *node) {
  IRZ_TRY(irz_patient_read(reader, node));
  IrzPatientPlan *patient = &reader->plan->patient;
  if (patient->compare.labels[0] == '\0') return IRZ_OK;
  return resolve_path(reader, irz_yaml_get(node, "compare"), "labels", "patient.compare.labels",
                      patient->compare.labels);
}

/* `zone` */
static IrzCode read_zone(const IrzReader *reader, const IrzYaml *node) {
  /* The spread of the published thresholds of most tissues. */
  static const double standard[] = {35000, 40000, 45000, 55000, 60000, 70000};
  IrzPlan *plan = reader->plan;
  IrzZoneKeys keys = {.threshold = IRZ_NO_THRESHOLD};
  IRZ_TRY(irz_reader_section(reader, &irz_section_zone, node, NULL, "zone", false, &keys));
  plan->zone.threshold = keys.threshold;
  if (keys.also == NULL) {
    plan->zone.n_also = sizeof standard / sizeof standard[0];
    memcpy(plan->zone.also, standard, sizeof standard);
    return IRZ_OK;
  }
  IrzKey entry = irz_key_field;
  entry.least = 1;
  entry.most = 1e5;
  return irz_reader_numbers(reader, &entry, keys.also, "zone.also", IRZ_MAX_ALSO, &plan->zone.n_also, plan->zone.also);
}

/* `death` */
static IrzCode read_death(const IrzReader *reader, const IrzYaml *node) {
  static const double standard[] = {0.5, 0.1, 0.01};
  IrzDeath *death = &reader->plan->death;
  IrzDeathKeys keys = {0};
  IRZ_TRY(irz_reader_section(reader, &irz_section_death, node, NULL, "death", false, &keys));
  *death = (IrzDeath){.model = (IrzDeathModel)keys.model,
                      .ec0 = keys.ec0,
                      .a0 = keys.a0,
                      .k1 = keys.k1,
                      .k2 = keys.k2,
                      .asymptote = keys.asymptote,
                      .n_max = keys.n_max,
                      .accumulate = (IrzAccumulate)keys.accumulate};
  if (node != NULL && irz_yaml_get(node, "asymptote") != NULL) {
    if (irz_yaml_get(node, "n_max") == NULL) death->n_max = INFINITY;
    if (keys.asymptote > keys.ec0) {
      return irz_reader_fail(reader, irz_yaml_get(node, "asymptote"), "death.asymptote",
                             "%.6g V/cm is more than ec0, %.6g V/cm", 0.01 * keys.asymptote, 0.01 * keys.ec0);
    }
  }
  if (keys.survival == NULL) {
    death->n_survival = sizeof standard / sizeof standard[0];
    memcpy(death->survival, standard, sizeof standard);
    return IRZ_OK;
  }
  return irz_reader_numbers(reader, &irz_key_survival, keys.survival, "death.survival", IRZ_MAX_SURVIVAL,
                            &death->n_survival, death->survival);
}

/* Tissues that no region can have. */
static void warn_unused_tissues(const IrzReader *reader, const IrzYaml *tissues) {
  const IrzPlan *plan = reader->plan;
  if (plan->mesh.file[0] != '\0') return;
  for (int i = 1; i < plan->n_tissues; i++) {
    bool used = false;
    for (int j = 0; j < plan->anatomy.n_map; j++) {
      if (strcmp(plan->anatomy.map[j].region, plan->tissues[i].region) == 0) used = true;
    }
    if (used) continue;
    char path[IRZ_KEY_PATH_MAX];
    irz_key_path(path, "tissues", plan->tissues[i].region);
    irz_reader_warn(reader, irz_yaml_get(tissues, plan->tissues[i].region), path,
                    plan->anatomy.n_map > 0 ? "no label is mapped to this region"
                                            : "is not used: a generated mesh without anatomy has one region, default");
  }
}

/* `pullback` */
static IrzCode read_pullback(const IrzReader *reader, const IrzYaml *node, const IrzPlanKeys *keys) {
  IrzPlan *plan = reader->plan;
  if (node == NULL) return IRZ_OK;
  IRZ_TRY(irz_reader_section(reader, &irz_section_pullback, node, node, "pullback", false, plan));
  plan->pullback.line = node->line;
  const char *against = NULL;
  if (plan->mesh.file[0] != '\0') against = "a loaded mesh, in which nothing can move";
  if (keys->plates != NULL) against = "plates";
  if (plan->memory == IRZ_MEMORY_PAIRS) against = "memory: pairs";
  if (keys->heat != NULL) against = "heat";
  if (against == NULL) return IRZ_OK;
  return irz_reader_fail(reader, node, "pullback", "does not go together with %s", against);
}

/* Pulses and heating, which refer to probes and tissues. */
static IrzCode read_pulses_and_heat(const IrzReader *reader, const IrzPlanKeys *keys, bool has_tissues,
                                    bool has_probes) {
  if (keys->pulses != NULL && has_probes) {
    IRZ_TRY(irz_reader_lenient(reader, irz_pulses_read(reader, keys->pulses)));
  } else if (keys->pulses != NULL) {
    IRZ_TRY(irz_reader_lenient(reader, irz_pulses_glance(reader, keys->pulses)));
  }
  if (has_tissues && has_probes) {
    return irz_reader_lenient(reader, irz_heat_read(reader, keys->heat, keys->tissues));
  }
  return irz_reader_section(reader, &irz_section_heat, keys->heat, NULL, "heat", false, reader->plan);
}

/* Everything from the tree, in the order in which parts need each other. In a draft parts may be missing; those that
   need them wait. */
static IrzCode read_tree(const IrzReader *reader, IrzYaml *root) {
  IrzPlan *plan = reader->plan;
  IrzPlanKeys keys = {.idle_probes = IRZ_IDLE_FLOATING};
  IRZ_TRY(irz_reader_lenient(reader, irz_reader_section(reader, &irz_section_plan, root, NULL, "", false, &keys)));
  IRZ_TRY(read_name(reader, root, keys.name));
  plan->idle_probes = (IrzIdle)keys.idle_probes;
  plan->memory = (IrzMemory)keys.memory;
  IRZ_TRY(read_mesh(reader, irz_yaml_get(root, "mesh")));
  IRZ_TRY(irz_reader_section(reader, &irz_section_generator, keys.generator, NULL, "generator", false, plan));
  IRZ_TRY(irz_reader_section(reader, &irz_section_solver, keys.solver, NULL, "solver", false, plan));
  IRZ_TRY(irz_reader_section(reader, &irz_section_output, keys.output, NULL, "output", false, plan));
  IRZ_TRY(read_zone(reader, keys.zone));
  IRZ_TRY(read_death(reader, keys.death));
  int lacking = irz_reader_lacking(reader);
  if (keys.tissues != NULL) IRZ_TRY(irz_reader_lenient(reader, irz_tissues_read(reader, keys.tissues)));
  bool has_tissues = keys.tissues != NULL && irz_reader_lacking(reader) == lacking;
  IRZ_TRY(irz_reader_lenient(reader, read_anatomy(reader, irz_yaml_get(root, "anatomy"))));
  IRZ_TRY(read_frame(reader, root, (IrzFrame)keys.frame));
  irz_anisotropy_to_ras(plan);
  warn_unused_tissues(reader, keys.tissues);
  lacking = irz_reader_lacking(reader);
  plan->markups = irz_markups_stated(root);
  IRZ_TRY(irz_reader_lenient(reader, irz_markups_expand(reader, plan->anatomy.frame, root)));
  IRZ_TRY(irz_reader_lenient(reader, irz_probes_read(reader, root, &keys)));
  IRZ_TRY(irz_reader_lenient(reader, read_pullback(reader, keys.pullback, &keys)));
  bool has_probes = irz_reader_lacking(reader) == lacking;
  if (has_probes && plan->mesh.file[0] == '\0') IRZ_TRY(irz_probes_check(reader, &keys));
  IRZ_TRY(read_pulses_and_heat(reader, &keys, has_tissues, has_probes));
  IRZ_TRY(irz_reader_lenient(reader, read_patient(reader, keys.patient)));
  const IrzYaml *output = irz_yaml_get(root, "output");
  if (output == NULL || irz_yaml_get(output, "slicer") == NULL) plan->output.slicer = plan->patient.on;
  irz_units_doubt(plan, keys.zone != NULL ? keys.zone->line : 0);
  return IRZ_OK;
}

IrzCode irz_plan_from_tree(IrzYaml *tree, const char *file, const char *folder, bool draft, IrzPlan **plan,
                           IrzError *error) {
  *plan = NULL;
  IrzDraft lacks = {.n = 0};
  IrzReader reader = {.file = file, .error = error, .draft = draft ? &lacks : NULL};
  /* The text gets the name and full paths; the tree stays as stated. */
  IrzYaml *working = NULL;
  IRZ_TRY(irz_alloc(&reader.plan, 1, sizeof *reader.plan, error));
  IrzPlan *made = reader.plan;
  snprintf(made->file, sizeof made->file, "%s", file);
  if (folder != NULL)
    snprintf(made->folder, sizeof made->folder, "%s", folder);
  else
    find_folder(file, made->folder);
  IrzCode code = irz_yaml_copy(tree, &working, error);
  if (code == IRZ_OK) code = read_tree(&reader, working);
  if (code == IRZ_OK) {
    made->text = irz_yaml_write(working);
    if (made->text == NULL) code = irz_out_of_memory(0, error);
  }
  if (code == IRZ_OK && lacks.n > 0) {
    code = irz_alloc(&made->missing, strlen(lacks.first) + 1, 1, error);
    if (code == IRZ_OK) memcpy(made->missing, lacks.first, strlen(lacks.first));
  }
  irz_yaml_free(working);
  if (code != IRZ_OK) {
    irz_plan_free(made);
    return code;
  }
  made->tree = tree;
  *plan = made;
  return IRZ_OK;
}

/* A plan that is in no file has no lines. */
static void forget_lines(IrzYaml *node) {
  node->line = 0;
  for (int i = 0; i < node->n; i++) {
    if (node->key_lines != NULL) node->key_lines[i] = 0;
    forget_lines(node->items[i]);
  }
}

IrzCode irz_plan_parse(const char *text, const char *file, int n_overrides, const IrzOverride *overrides,
                       IrzPlan **plan, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(text != NULL && file != NULL && plan != NULL && (n_overrides <= 0 || overrides != NULL));
  *plan = NULL;
  if (strlen(file) >= IRZ_PATH_MAX) return irz_error_set(error, IRZ_ERR_PLAN, "%.64s...: is too long a path", file);
  char folder[IRZ_PATH_MAX];
  bool is_folder = file[0] != '\0' && file[strlen(file) - 1] == '/';
  find_folder(strcmp(file, "./") == 0 ? "" : file, folder);
  if (is_folder) file = "plan";
  IrzYaml *tree;
  IRZ_TRY(irz_yaml_parse(text, file, &tree, error));
  if (is_folder) forget_lines(tree);
  IrzCode code = IRZ_OK;
  bool markups = irz_markups_stated(tree);
  for (int i = 0; i < n_overrides && code == IRZ_OK; i++) {
    if (!markups || !irz_markups_entry(overrides[i].text))
      code = irz_yaml_override(tree, overrides[i].text, file, error);
  }
  for (int i = 0; i < n_overrides && code == IRZ_OK && markups; i++) { /* of needles one by one, once all are there */
    if (!irz_markups_entry(overrides[i].text)) continue;
    code = irz_markups_spread(tree, file, folder, error);
    if (code == IRZ_OK) code = irz_yaml_override(tree, overrides[i].text, file, error);
  }
  if (code == IRZ_OK) code = irz_plan_from_tree(tree, file, folder, is_folder, plan, error);
  if (code != IRZ_OK) irz_yaml_free(tree);
  return code;
}

IrzCode irz_plan_read(const char *path, int n_overrides, const IrzOverride *overrides, IrzPlan **plan,
                      IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(path != NULL && plan != NULL && (n_overrides <= 0 || overrides != NULL));
  *plan = NULL;
  char *text;
  IRZ_TRY(irz_yaml_load(path, &text, error));
  IrzCode code = irz_plan_parse(text, strcmp(path, "-") == 0 ? "stdin" : path, n_overrides, overrides, plan, error);
  free(text);
  return code;
}
