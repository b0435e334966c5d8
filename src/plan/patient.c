/* `patient`: what the result is judged against. */
#include "base/number.h"
#include "plan/parts.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NAMES = 512 };

/// Names of the regions that a plan can have, as far as it says itself: those of its label map, else, of a loaded mesh,
/// which is read later, nothing is known.
typedef struct {
  bool open; ///< there may be others
  const char *name[MOST_NAMES + 1];
} Known;

static Known known_regions(const IrzPlan *plan) {
  Known known = {.open = plan->mesh.file[0] != '\0' && plan->anatomy.labels[0] == '\0', .name = {"default"}};
  for (int i = 0; i < plan->anatomy.n_map && i < MOST_NAMES - 1; i++) known.name[i + 1] = plan->anatomy.map[i].region;
  return known;
}

static bool is_one_of(const char *word, const char *const *names) {
  for (; *names != NULL; names++) {
    if (strcmp(*names, word) == 0) return true;
  }
  return false;
}

/// Words that tell which names there are.
static void describe(const char *word, const char *const *names, char *text, size_t size) {
  const char *nearest = irz_nearest_name(word, names);
  if (nearest != NULL) {
    snprintf(text, size, "did you mean \"%s\"?", nearest);
    return;
  }
  size_t used = (size_t)snprintf(text, size, "it has ");
  for (int i = 0; names[i] != NULL && used < size; i++) {
    used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? ", " : "", names[i]);
  }
}

/// A region that `patient` names must be one of the plan's.
static IrzCode check_region(const IrzReader *reader, const Known *known, const IrzYaml *node, const char *path,
                            const char *region) {
  const IrzPlan *plan = reader->plan;
  if (region[0] == '\0' || known->open || is_one_of(region, known->name)) return IRZ_OK;
  if (plan->anatomy.labels[0] == '\0') {
    return irz_reader_absent(reader, node, path,
                             "\"%s\" needs a label map (anatomy) or a loaded mesh that has such a region", region);
  }
  char text[IRZ_ERROR_TEXT / 2];
  describe(region, known->name, text, sizeof text);
  return irz_reader_absent(reader, node, path, "anatomy.map has no region \"%s\"; %s", region, text);
}

/// Check that a list has at most some entries, and turn to one of them.
static IrzCode check_list(const IrzReader *reader, const IrzYaml *list, const char *path, int most) {
  if (list->kind != IRZ_YAML_LIST)
    return irz_reader_fail(reader, list, path, "must be a list, as in [{region: tumour}]");
  if (list->n <= most) return IRZ_OK;
  return irz_reader_fail(reader, list, path, "has %d entries; at most %d are allowed", list->n, most);
}

/// Where an entry of a list names its region, for messages.
static const IrzYaml *named(const IrzYaml *entry, const char *key) {
  const IrzYaml *node = irz_yaml_get(entry, key);
  return node != NULL ? node : entry;
}

static IrzCode read_targets(const IrzReader *reader, const Known *known, const IrzYaml *list) {
  IrzPatientPlan *patient = &reader->plan->patient;
  if (list == NULL) return IRZ_OK;
  IRZ_TRY(check_list(reader, list, "patient.targets", IRZ_MAX_TARGETS));
  for (int i = 0; i < list->n; i++) {
    char path[64], full[IRZ_KEY_PATH_MAX];
    IrzJudgedKeys keys = {.region = ""};
    const IrzYaml *node = list->items[i];
    snprintf(path, sizeof path, "patient.targets[%d]", i);
    IRZ_TRY(irz_reader_section(reader, &irz_section_target, node, list, path, false, &keys));
    irz_key_path(full, path, "region");
    IRZ_TRY(check_region(reader, known, named(node, "region"), full, keys.region));
    for (int j = 0; j < i; j++) {
      if (strcmp(patient->target[j].region, keys.region) == 0)
        return irz_reader_fail(reader, named(node, "region"), full, "\"%s\" is stated twice", keys.region);
    }
    irz_key_path(full, path, "organ");
    IRZ_TRY(check_region(reader, known, named(node, "organ"), full, keys.organ));
    if (strcmp(keys.organ, keys.region) == 0)
      return irz_reader_fail(reader, named(node, "organ"), full, "is the target itself; it must be what is around it");
    memcpy(patient->target[i].region, keys.region, IRZ_NAME_MAX);
    memcpy(patient->target[i].organ, keys.organ, IRZ_NAME_MAX);
    patient->target[i].margin = keys.margin;
    patient->target[i].line = node->line;
    patient->n_targets = i + 1;
  }
  return IRZ_OK;
}

static IrzCode read_at_risk(const IrzReader *reader, const Known *known, const IrzYaml *list) {
  IrzPatientPlan *patient = &reader->plan->patient;
  if (list == NULL) return IRZ_OK;
  IRZ_TRY(check_list(reader, list, "patient.at_risk", IRZ_MAX_AT_RISK));
  for (int i = 0; i < list->n; i++) {
    char path[64], full[IRZ_KEY_PATH_MAX];
    IrzJudgedKeys keys = {.max_field = NAN};
    const IrzYaml *node = list->items[i];
    snprintf(path, sizeof path, "patient.at_risk[%d]", i);
    IRZ_TRY(irz_reader_section(reader, &irz_section_at_risk, node, list, path, false, &keys));
    irz_key_path(full, path, "region");
    IRZ_TRY(check_region(reader, known, named(node, "region"), full, keys.region));
    for (int j = 0; j < i; j++) {
      if (strcmp(patient->at_risk[j].region, keys.region) == 0)
        return irz_reader_fail(reader, named(node, "region"), full, "\"%s\" is stated twice", keys.region);
    }
    memcpy(patient->at_risk[i].region, keys.region, IRZ_NAME_MAX);
    patient->at_risk[i].max_field = keys.max_field;
    patient->at_risk[i].line = node->line;
    patient->n_at_risk = i + 1;
  }
  return IRZ_OK;
}

/// patient.needles.avoid
static IrzCode read_avoid(const IrzReader *reader, const Known *known, const IrzYaml *list) {
  IrzPatientPlan *patient = &reader->plan->patient;
  if (list == NULL) return IRZ_OK;
  IRZ_TRY(check_list(reader, list, "patient.needles.avoid", IRZ_MAX_AVOID));
  for (int i = 0; i < list->n; i++) {
    char path[64];
    const IrzYaml *node = list->items[i];
    snprintf(path, sizeof path, "patient.needles.avoid[%d]", i);
    if (node->kind != IRZ_YAML_SCALAR || node->text == NULL || node->text[0] == '\0' ||
        strlen(node->text) >= IRZ_NAME_MAX)
      return irz_reader_fail(reader, node, path, "must be the name of a region");
    IRZ_TRY(check_region(reader, known, node, path, node->text));
    for (int j = 0; j < i; j++) {
      if (strcmp(patient->needles.avoid[j], node->text) == 0)
        return irz_reader_fail(reader, node, path, "\"%s\" is stated twice", node->text);
    }
    snprintf(patient->needles.avoid[i], IRZ_NAME_MAX, "%s", node->text);
    patient->needles.n_avoid = i + 1;
  }
  return IRZ_OK;
}

static IrzCode read_needles(const IrzReader *reader, const Known *known, const IrzYaml *node) {
  IrzPatientPlan *patient = &reader->plan->patient;
  IrzJudgedKeys keys = {.length = NAN};
  patient->needles.length = NAN;
  if (node == NULL) return IRZ_OK;
  IRZ_TRY(irz_reader_section(reader, &irz_section_needles, node, NULL, "patient.needles", false, &keys));
  IRZ_TRY(check_region(reader, known, named(node, "skin"), "patient.needles.skin", keys.skin));
  memcpy(patient->needles.skin, keys.skin, IRZ_NAME_MAX);
  patient->needles.on = true;
  patient->needles.length = keys.length;
  patient->needles.clearance = keys.clearance;
  patient->needles.line = node->line;
  return read_avoid(reader, known, keys.avoid);
}

/// patient.compare.label: what reads as a number is one.
static IrzCode read_label(const IrzReader *reader, const IrzYaml *compare) {
  const char *name = reader->plan->patient.compare.name;
  int *label = &reader->plan->patient.compare.label;
  *label = -1;
  double number;
  if (!irz_number_read(name, &number)) return IRZ_OK;
  *label = name[strspn(name, "0123456789")] == '\0' && strlen(name) < 10 ? atoi(name) : 0;
  if (*label > 0) return IRZ_OK;
  return irz_reader_fail(reader, named(compare, "label"), "patient.compare.label",
                         "%s is no label of a zone; 1 to 999999999, or a name, is allowed", name);
}

IrzCode irz_patient_read(const IrzReader *reader, const IrzYaml *node) {
  IrzPlan *plan = reader->plan;
  IrzPatientKeys keys = {0};
  Known known = known_regions(plan);
  if (node == NULL) return IRZ_OK;
  IRZ_TRY(irz_reader_section(reader, &irz_section_patient, node, NULL, "patient", false, &keys));
  plan->patient.on = true;
  plan->patient.line = node->line;
  IRZ_TRY(read_targets(reader, &known, keys.targets));
  IRZ_TRY(read_at_risk(reader, &known, keys.at_risk));
  IRZ_TRY(read_needles(reader, &known, keys.needles));
  if (keys.compare == NULL) return IRZ_OK;
  plan->patient.compare.line = keys.compare->line;
  memcpy(plan->patient.compare.name, "1", sizeof "1");
  IRZ_TRY(irz_reader_section(reader, &irz_section_compare, keys.compare, NULL, "patient.compare", false, plan));
  return read_label(reader, keys.compare);
}

void irz_plan_place(const IrzPlan *plan, int line, char place[IRZ_PLACE_MAX]) {
  if (line > 0)
    snprintf(place, IRZ_PLACE_MAX, "%s:%d", plan->file, line);
  else
    snprintf(place, IRZ_PLACE_MAX, "%s", plan->file);
}

/// Say that a region is not there.
static IrzCode no_region(const IrzPlan *plan, int line, const char *path, const char *region, const char *const *names,
                         const char *where, IrzError *error) {
  char text[IRZ_ERROR_TEXT / 2], place[IRZ_PLACE_MAX];
  describe(region, names, text, sizeof text);
  irz_plan_place(plan, line, place);
  return irz_error_set(error, IRZ_ERR_PLAN, "%s: %s: %s has no region \"%s\"; %s", place, path, where, region, text);
}

IrzCode irz_patient_find_regions(const IrzPlan *plan, const char *const *names, const char *where, IrzError *error) {
  const IrzPatientPlan *patient = &plan->patient;
  char path[64];
  for (int i = 0; i < patient->n_targets; i++) {
    int line = patient->target[i].line;
    const char *organ = patient->target[i].organ;
    snprintf(path, sizeof path, "patient.targets[%d].region", i);
    if (!is_one_of(patient->target[i].region, names))
      return no_region(plan, line, path, patient->target[i].region, names, where, error);
    snprintf(path, sizeof path, "patient.targets[%d].organ", i);
    if (organ[0] != '\0' && !is_one_of(organ, names)) return no_region(plan, line, path, organ, names, where, error);
  }
  for (int i = 0; i < patient->n_at_risk; i++) {
    snprintf(path, sizeof path, "patient.at_risk[%d].region", i);
    if (!is_one_of(patient->at_risk[i].region, names))
      return no_region(plan, patient->at_risk[i].line, path, patient->at_risk[i].region, names, where, error);
  }
  if (patient->needles.skin[0] != '\0' && !is_one_of(patient->needles.skin, names)) {
    return no_region(plan, patient->needles.line, "patient.needles.skin", patient->needles.skin, names, where, error);
  }
  for (int i = 0; i < patient->needles.n_avoid; i++) {
    snprintf(path, sizeof path, "patient.needles.avoid[%d]", i);
    if (!is_one_of(patient->needles.avoid[i], names))
      return no_region(plan, patient->needles.line, path, patient->needles.avoid[i], names, where, error);
  }
  return IRZ_OK;
}
