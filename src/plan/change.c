/* A plan as its users hold it: made, copied, changed by its keys, asked. Every change goes through the tree, which is
   read anew as a whole; where that fails the plan stays as it was. */
#include "base/entry.h"
#include "base/memory.h"
#include "base/number.h"
#include "plan/markups.h"
#include "plan/parts.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

IrzCode irz_plan_create(IrzPlan **plan, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(plan != NULL);
  *plan = NULL;
  IrzYaml *tree;
  IRZ_TRY(irz_yaml_create(IRZ_YAML_MAP, 0, &tree, error));
  IrzCode code = irz_plan_from_tree(tree, "plan", NULL, true, plan, error);
  if (code != IRZ_OK) irz_yaml_free(tree);
  return code;
}

/* Copy of an array that a plan owns. */
static IrzCode copy_array(const void *from, size_t count, size_t size, void *copy, IrzError *error) {
  memset(copy, 0, sizeof(void *));
  if (from == NULL) return IRZ_OK;
  void *made;
  IRZ_TRY(irz_alloc(&made, count, size, error));
  memcpy(made, from, count * size);
  memcpy(copy, &made, sizeof made);
  return IRZ_OK;
}

static IrzCode copy_text(const char *from, char **copy, IrzError *error) {
  return copy_array(from, from != NULL ? strlen(from) + 1 : 0, 1, copy, error);
}

IrzCode irz_plan_copy(const IrzPlan *plan, IrzPlan **copy, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(plan != NULL && copy != NULL);
  *copy = NULL;
  IrzPlan *made;
  IRZ_TRY(copy_array(plan, 1, sizeof *plan, &made, error));
  made->tree = NULL;
  made->missing = made->text = NULL;
  made->anatomy.map = NULL;
  made->tissues = NULL;
  made->pulses = NULL;
  made->warnings = NULL;
  made->n_warnings = 0;
  IrzCode code = irz_yaml_copy(plan->tree, &made->tree, error);
  if (code == IRZ_OK) code = copy_text(plan->missing, &made->missing, error);
  if (code == IRZ_OK) code = copy_text(plan->text, &made->text, error);
  if (code == IRZ_OK) {
    code = copy_array(plan->anatomy.map, (size_t)plan->anatomy.n_map, sizeof *plan->anatomy.map, &made->anatomy.map,
                      error);
  }
  if (code == IRZ_OK) {
    code = copy_array(plan->tissues, (size_t)plan->n_tissues, sizeof *plan->tissues, &made->tissues, error);
  }
  if (code == IRZ_OK) {
    code = copy_array(plan->pulses, (size_t)plan->n_pulses, sizeof *plan->pulses, &made->pulses, error);
  }
  if (code == IRZ_OK) irz_plan_add_warnings(made, plan, 0);
  if (code != IRZ_OK) {
    irz_plan_free(made);
    return code;
  }
  *copy = made;
  return IRZ_OK;
}

void irz_plan_add_warnings(IrzPlan *plan, const IrzPlan *from, int first) {
  for (int i = first; i < from->n_warnings; i++) irz_plan_warn(plan, "%s", from->warnings[i]);
}

IrzCode irz_plan_withdraw(const IrzPlan *plan, int position, IrzPlan **moved, IrzError *error) {
  IRZ_TRY(irz_plan_copy(plan, moved, error));
  (*moved)->pullback.position = position;
  for (int i = 0; i < (*moved)->n_probes; i++) {
    IrzProbe *probe = &(*moved)->probes[i];
    probe->length = fmax(probe->length - position * plan->pullback.step, 0);
    for (int k = 0; k < 3; k++) probe->tip[k] += position * plan->pullback.step * probe->direction[k];
  }
  return IRZ_OK;
}

IrzCode irz_plan_change(IrzPlan *plan, int n, const IrzChange *changes, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(plan != NULL && (n <= 0 || changes != NULL));
  for (int i = 0; i < n; i++) IRZ_NEED(changes[i].key != NULL);
  IrzYaml *tree;
  IrzPlan *made = NULL;
  IRZ_TRY(irz_yaml_copy(plan->tree, &tree, error));
  IrzCode code = IRZ_OK;
  bool markups = irz_markups_stated(tree);
  for (int i = 0; i < n && code == IRZ_OK; i++) {
    if (markups && irz_markups_entry(changes[i].key)) continue;
    code = irz_yaml_change(tree, changes[i].key, changes[i].value, plan->file, error);
  }
  for (int i = 0; i < n && code == IRZ_OK && markups; i++) { /* of needles one by one, once all are there */
    if (!irz_markups_entry(changes[i].key)) continue;
    code = irz_markups_spread(tree, plan->file, plan->folder, error);
    if (code == IRZ_OK) code = irz_yaml_change(tree, changes[i].key, changes[i].value, plan->file, error);
  }
  if (code == IRZ_OK) code = irz_plan_from_tree(tree, plan->file, plan->folder, plan->missing != NULL, &made, error);
  if (code != IRZ_OK) {
    irz_yaml_free(tree);
    return code;
  }
  IrzPlan old = *plan;
  *plan = *made;
  *made = old;
  irz_plan_free(made);
  return IRZ_OK;
}

IrzCode irz_plan_set(IrzPlan *plan, const char *key, const char *value, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(plan != NULL && key != NULL && value != NULL);
  return irz_plan_change(plan, 1, &(IrzChange){key, value}, error);
}

IrzCode irz_plan_remove(IrzPlan *plan, const char *key, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(plan != NULL && key != NULL);
  return irz_plan_change(plan, 1, &(IrzChange){key, NULL}, error);
}

IrzCode irz_plan_set_number(IrzPlan *plan, const char *key, double number, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(plan != NULL && key != NULL);
  if (!isfinite(number)) {
    return irz_error_set(error, IRZ_ERR_PLAN, "%s: %s: %g is no number that a plan can have", plan->file, key, number);
  }
  char text[IRZ_NUMBER_TEXT];
  irz_number_text(number, text);
  return irz_plan_change(plan, 1, &(IrzChange){key, text}, error);
}

IrzCode irz_plan_set_text(IrzPlan *plan, const char *key, const char *text, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(plan != NULL && key != NULL && text != NULL);
  IrzYaml *node;
  char *value = NULL;
  IRZ_TRY(irz_yaml_create(IRZ_YAML_SCALAR, 0, &node, error));
  node->quoted = true;
  IrzCode code = copy_text(text, &node->text, error);
  if (code == IRZ_OK) code = irz_yaml_text(node, &value, error);
  if (code == IRZ_OK) code = irz_plan_change(plan, 1, &(IrzChange){key, value}, error);
  free(value);
  irz_yaml_free(node);
  return code;
}

IrzCode irz_plan_check(const IrzPlan *plan, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(plan != NULL);
  return plan->missing == NULL ? IRZ_OK : irz_error_set(error, IRZ_ERR_PLAN, "%s", plan->missing);
}

IrzCode irz_plan_value(const IrzPlan *plan, const char *key, char **value, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(plan != NULL && key != NULL && value != NULL);
  *value = NULL;
  IrzYaml *standard = NULL;
  const IrzYaml *node;
  IrzCode code = irz_plan_find(plan, key, &node, &standard, error);
  if (code == IRZ_OK) code = irz_yaml_text(node, value, error);
  irz_yaml_free(standard);
  return code;
}

IrzCode irz_plan_number(const IrzPlan *plan, const char *key, double *number, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(plan != NULL && key != NULL && number != NULL);
  IrzYaml *standard = NULL;
  const IrzYaml *node;
  IrzCode code = irz_plan_find(plan, key, &node, &standard, error);
  if (code == IRZ_OK && (node->kind != IRZ_YAML_SCALAR || node->text == NULL || !irz_number_read(node->text, number))) {
    code = irz_error_set(error, IRZ_ERR_PLAN, "%s: %s: is no number", plan->file, key);
  }
  irz_yaml_free(standard);
  return code;
}

const char *irz_plan_text(const IrzPlan *plan) {
  return plan != NULL ? plan->text : "";
}

const char *irz_plan_name(const IrzPlan *plan) {
  return plan != NULL ? plan->name : "";
}

const char *irz_plan_file(const IrzPlan *plan) {
  return plan != NULL ? plan->file : "";
}

const char *irz_plan_mesh_file(const IrzPlan *plan) {
  return plan != NULL ? plan->mesh.file : "";
}

const char *irz_plan_labels_file(const IrzPlan *plan) {
  return plan != NULL ? plan->anatomy.labels : "";
}

bool irz_plan_writes_fields(const IrzPlan *plan) {
  return plan != NULL && plan->output.fields;
}

bool irz_plan_writes_slicer(const IrzPlan *plan) {
  return plan != NULL && plan->output.slicer;
}

int irz_plan_n_probes(const IrzPlan *plan) {
  return plan != NULL ? plan->n_probes : 0;
}

const char *irz_plan_probe_name(const IrzPlan *plan, int probe) {
  return probe >= 0 && probe < irz_plan_n_probes(plan) ? plan->probes[probe].name : NULL;
}

int irz_plan_n_pulses(const IrzPlan *plan) {
  return plan != NULL ? plan->n_pulses : 0;
}

int irz_plan_n_warnings(const IrzPlan *plan) {
  return plan != NULL ? plan->n_warnings : 0;
}

const char *irz_plan_warning(const IrzPlan *plan, int warning) {
  return warning >= 0 && warning < irz_plan_n_warnings(plan) ? plan->warnings[warning] : NULL;
}
