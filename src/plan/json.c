/* A plan, or a value of it, as JSON. */
#include "base/entry.h"
#include "base/number.h"
#include "plan/parts.h"
#include <jansson.h>
#include <string.h>

/* A word that is not quoted, as YAML reads it: a truth value, a number, or a text. */
static json_t *plain_word(const char *text) {
  static const char *const no[] = {"false", "False", "FALSE"}, *const yes[] = {"true", "True", "TRUE"};
  for (int i = 0; i < 3; i++) {
    if (strcmp(text, no[i]) == 0) return json_false();
    if (strcmp(text, yes[i]) == 0) return json_true();
  }
  double value;
  if (!irz_number_read(text, &value)) return json_string(text);
  bool whole = strspn(text, "+-0123456789") == strlen(text) && value > -1e15 && value < 1e15;
  return whole ? json_integer((json_int_t)value) : json_real(value);
}

/* A node with all below it; NULL if there is no memory. */
static json_t *convert(const IrzYaml *node) {
  if (node->kind == IRZ_YAML_SCALAR) {
    if (node->text == NULL) return json_null();
    return node->quoted ? json_string(node->text) : plain_word(node->text);
  }
  json_t *made = node->kind == IRZ_YAML_MAP ? json_object() : json_array();
  for (int i = 0; made != NULL && i < node->n; i++) {
    json_t *item = convert(node->items[i]);
    int failed =
        node->kind == IRZ_YAML_MAP ? json_object_set_new(made, node->keys[i], item) : json_array_append_new(made, item);
    if (failed == 0) continue;
    json_decref(made);
    made = NULL;
  }
  return made;
}

IrzCode irz_plan_json(const IrzPlan *plan, const char *key, char **json, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(plan != NULL && json != NULL);
  *json = NULL;
  IrzYaml *standard = NULL;
  const IrzYaml *node = plan->tree;
  if (key != NULL) IRZ_TRY(irz_plan_find(plan, key, &node, &standard, error));
  json_t *value = convert(node);
  if (value != NULL) *json = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
  json_decref(value);
  irz_yaml_free(standard);
  return *json != NULL ? IRZ_OK : irz_error_set(error, IRZ_ERR_MEMORY, "out of memory: for a plan as JSON");
}
