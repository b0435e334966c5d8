/* A value by its key path: where the plan states it, else what a tissue's preset supplies, else where the table of keys
   has its default. */
#include "base/memory.h"
#include "plan/markups.h"
#include "plan/parts.h"
#include <stdio.h>
#include <string.h>

/* The path of a row of irz_plan_maps, from the path of a map in a plan. */
static void general_path(const char *path, size_t length, char general[IRZ_KEY_PATH_MAX]) {
  size_t used = 0;
  bool tissue = false;
  for (size_t at = 0; at < length && used + 4 < IRZ_KEY_PATH_MAX;) {
    size_t step = strcspn(path + at, ".[");
    if (path[at] == '[') step = strcspn(path + at, "]") + 1;
    if (at + step > length) step = length - at;
    bool entry = path[at] == '[' || strspn(path + at, "0123456789") >= step;
    const char *text = entry ? "[]" : tissue ? "*" : path + at;
    int size = entry ? 2 : tissue ? 1 : (int)step;
    used +=
        (size_t)snprintf(general + used, IRZ_KEY_PATH_MAX - used, "%s%.*s", used > 0 && !entry ? "." : "", size, text);
    tissue = at == 0 && step == 7 && strncmp(path, "tissues", 7) == 0;
    at += step;
    if (at < length && path[at] == '.') at++;
  }
  general[used < IRZ_KEY_PATH_MAX ? used : IRZ_KEY_PATH_MAX - 1] = '\0';
}

/* The section that a map of a plan is read by, or NULL. */
static const IrzSection *section_at(const char *path, size_t length, bool stated) {
  char general[IRZ_KEY_PATH_MAX] = "";
  general_path(path, length, general);
  for (const IrzPlanMap *map = irz_plan_maps; map->section != NULL; map++) {
    if (strcmp(map->path, general) == 0 && (stated || map->stands)) return map->section;
  }
  return NULL;
}

/* The key of a section that a path begins with, and the path behind it. */
static const IrzKey *key_at(const IrzSection *section, const char *path, const char **behind) {
  size_t length = strcspn(path, ".[");
  for (const IrzKey *key = section->keys; key->name != NULL; key++) {
    if (strlen(key->name) != length || strncmp(key->name, path, length) != 0) continue;
    *behind = path + length + (path[length] == '.');
    return key;
  }
  return NULL;
}

/* Report that a key leads nowhere. */
static IrzCode not_found(const IrzPlan *plan, const char *key, const char *why, IrzError *error) {
  return irz_error_set(error, IRZ_ERR_PLAN, "%s: %s: %s", plan->file, key, why);
}

/* The tissue that a path leads into, and the path inside it; or NULL. */
static const IrzYaml *tissue_at(const IrzPlan *plan, const char *key, const char **inside) {
  const IrzYaml *tissues = irz_yaml_get(plan->tree, "tissues");
  const char *behind = key + strlen("tissues.");
  if (tissues == NULL || strncmp(key, "tissues.", strlen("tissues.")) != 0) return NULL;
  size_t length = strcspn(behind, ".[");
  for (int i = 0; tissues->kind == IRZ_YAML_MAP && i < tissues->n && behind[length] == '.'; i++) {
    if (strlen(tissues->keys[i]) != length || strncmp(tissues->keys[i], behind, length) != 0) continue;
    *inside = behind + length + 1;
    return tissues->items[i];
  }
  return NULL;
}

IrzCode irz_plan_find(const IrzPlan *plan, const char *key, const IrzYaml **node, IrzYaml **standard, IrzError *error) {
  *standard = NULL;
  const char *rest, *behind = "";
  if (irz_markups_stated(plan->tree) && strncmp(key, "probes[", 7) == 0) { /* the text has the probes one by one */
    IRZ_TRY(irz_yaml_parse(plan->text, plan->file, standard, error));
    *node = irz_yaml_follow(*standard, key, &rest);
    if (*rest == '\0') return IRZ_OK;
    irz_yaml_free(*standard);
    *standard = NULL;
  }
  *node = irz_yaml_follow(plan->tree, key, &rest);
  if (*rest == '\0') return IRZ_OK;
  if (strlen(key) >= IRZ_KEY_PATH_MAX) return not_found(plan, "...", "is too long a key", error);
  const char *inside;
  const IrzYaml *tissue = tissue_at(plan, key, &inside);
  if (tissue != NULL) IRZ_TRY(irz_preset_value(plan, tissue, inside, node, standard, error));
  if (tissue != NULL && *node != NULL) return IRZ_OK;
  /* Either the map is there and lacks the key, or it is a map at the top whose defaults hold without it. */
  size_t length = (size_t)(rest - key);
  while (length > 0 && key[length - 1] == '.') length--;
  const IrzSection *section = section_at(key, length, true);
  const IrzKey *row = section != NULL ? key_at(section, rest, &behind) : NULL;
  if (row != NULL && length == 0 && row->type == IRZ_KEY_NODE && *behind != '\0') {
    section = section_at(key, (size_t)strcspn(key, ".["), false);
    if (section == NULL) return not_found(plan, key, "is not stated", error);
    row = key_at(section, behind, &behind);
  }
  if (row == NULL) return not_found(plan, key, "leads to no value of the plan", error);
  if (row->standard == NULL) return not_found(plan, key, "is not stated and has no default", error);
  IRZ_TRY(irz_yaml_parse_value(row->standard, key, standard, error));
  *node = irz_yaml_follow(*standard, behind, &rest);
  return *rest == '\0' ? IRZ_OK : not_found(plan, key, "leads to no value of the plan", error);
}
