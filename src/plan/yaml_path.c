/* Key paths into a tree of YAML values: what they lead to, and changes by them. */
#include "base/memory.h"
#include "base/utf8.h"
#include "plan/yaml.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  MAX_STEP = 128,  /* bytes of one key of a path */
  MAX_ORIGIN = 160 /* bytes of a change that are kept for messages */
};

/* A change that is being made. */
typedef struct {
  const char *origin, *file;
  IrzError *error;
} Change;

/* One step of a path: "key", "key[2]" is two steps. Returns the rest, or NULL if the path is malformed. */
static const char *path_step(const char *path, char key[MAX_STEP], bool *index) {
  *index = *path == '[';
  size_t length = *index ? strcspn(++path, "]") : strcspn(path, ".[");
  if (length == 0 || length >= MAX_STEP) return NULL;
  memcpy(key, path, length);
  key[length] = '\0';
  path += length;
  if (*index) {
    if (*path++ != ']' || strspn(key, "0123456789") != length) return NULL;
  }
  if (*path == '.') return path[1] != '\0' && path[1] != '[' && path[1] != '.' ? path + 1 : NULL;
  return *path == '[' || *path == '\0' ? path : NULL;
}

/* Entry of a map or list that a step leads to, or -1. In a list the entry behind the last one may be none yet. */
static int find_entry(const IrzYaml *node, const char *key, bool index) {
  if (node->kind == IRZ_YAML_LIST) {
    bool number = strspn(key, "0123456789") == strlen(key) && strlen(key) <= 6;
    return number ? (int)strtol(key, NULL, 10) : -1;
  }
  if (node->kind != IRZ_YAML_MAP || index) return -1;
  int at = 0;
  while (at < node->n && strcmp(node->keys[at], key) != 0) at++;
  return at;
}

const IrzYaml *irz_yaml_follow(const IrzYaml *root, const char *key, const char **rest) {
  const IrzYaml *node = root;
  *rest = key;
  while (**rest != '\0') {
    char step[MAX_STEP];
    bool index;
    const char *next = path_step(*rest, step, &index);
    int at = next != NULL ? find_entry(node, step, index) : -1;
    if (at < 0 || at >= node->n) return node;
    node = node->items[at];
    *rest = next;
  }
  return node;
}

/* Mark a node and all below it as set by a change. */
static IrzCode mark_origin(const Change *change, IrzYaml *node) {
  node->line = 0;
  IRZ_TRY(irz_alloc(&node->origin, MAX_ORIGIN + 4, 1, change->error));
  int length = snprintf(node->origin, MAX_ORIGIN, "%s", change->origin);
  if (length >= MAX_ORIGIN) strcpy(node->origin + MAX_ORIGIN - 1, "...");
  irz_utf8_clean(node->origin); /* it may have been cut inside a character */
  for (int i = 0; i < node->n; i++) IRZ_TRY(mark_origin(change, node->items[i]));
  return IRZ_OK;
}

/* Position of a step in a node: the entry's number, created if it is missing. */
static IrzCode step_into(const Change *change, IrzYaml *node, const char *key, bool index, int *at) {
  const char *file = change->file, *origin = change->origin;
  *at = find_entry(node, key, index);
  if (*at < 0 && node->kind == IRZ_YAML_LIST) {
    return irz_error_set(change->error, IRZ_ERR_PLAN,
                         "%s: %s: \"%s\" stands where a list needs a number, as in probes[0]", file, origin, key);
  }
  if (*at < 0) {
    return irz_error_set(change->error, IRZ_ERR_PLAN, "%s: %s: [%s] stands where there is no list", file, origin, key);
  }
  if (*at > node->n) {
    return irz_error_set(change->error, IRZ_ERR_PLAN, "%s: %s: [%d] is beyond the list, which has %d entries", file,
                         origin, *at, node->n);
  }
  if (*at < node->n) return IRZ_OK;
  IrzYaml *created;
  IRZ_TRY(irz_yaml_create(IRZ_YAML_SCALAR, 0, &created, change->error));
  IrzCode code = mark_origin(change, created);
  if (code != IRZ_OK) {
    irz_yaml_free(created);
    return code;
  }
  return irz_yaml_append(node, node->kind == IRZ_YAML_MAP ? key : NULL, 0, created, change->error);
}

/* Put a value where a path leads; takes `value` over, also on failure. */
static IrzCode put_value(const Change *change, IrzYaml *root, const char *path, IrzYaml *value) {
  IrzYaml *node = root, *parent = NULL;
  int at = 0;
  IrzCode code = mark_origin(change, value);
  while (code == IRZ_OK && *path != '\0') {
    char key[MAX_STEP];
    bool index;
    path = path_step(path, key, &index);
    if (path == NULL) {
      code = irz_error_set(change->error, IRZ_ERR_PLAN,
                           "\"%s\" has a malformed key path; write it as in probes[1].exposure=15", change->origin);
      break;
    }
    if (node->kind == IRZ_YAML_SCALAR && node->text != NULL) {
      code = irz_error_set(change->error, IRZ_ERR_PLAN,
                           "%s: %s: \"%s\" cannot be set, because it would be inside the value \"%.80s\"", change->file,
                           change->origin, key, node->text);
      break;
    }
    /* A key without a value becomes what the path wants. */
    if (node->kind == IRZ_YAML_SCALAR) node->kind = index ? IRZ_YAML_LIST : IRZ_YAML_MAP;
    parent = node;
    code = step_into(change, parent, key, index, &at);
    if (code == IRZ_OK) node = parent->items[at];
  }
  if (code != IRZ_OK || parent == NULL) {
    irz_yaml_free(value);
    return code;
  }
  irz_yaml_free(node);
  parent->items[at] = value;
  return IRZ_OK;
}

/* Remove the entry that a path leads to. */
static IrzCode remove_entry(const Change *change, IrzYaml *root, const char *path) {
  const char *rest;
  const IrzYaml *found = irz_yaml_follow(root, path, &rest);
  if (*rest != '\0' || found == root) {
    return irz_error_set(change->error, IRZ_ERR_PLAN, "%s: %s: is not stated, so it cannot be removed", change->file,
                         path);
  }
  IrzYaml *parent = root;
  int at = -1;
  for (const char *step = path; *step != '\0';) {
    char key[MAX_STEP];
    bool index;
    if (at >= 0) parent = parent->items[at];
    step = path_step(step, key, &index);
    at = find_entry(parent, key, index);
  }
  irz_yaml_free(parent->items[at]);
  if (parent->keys != NULL) free(parent->keys[at]);
  parent->n--;
  for (int i = at; i < parent->n; i++) {
    parent->items[i] = parent->items[i + 1];
    if (parent->keys == NULL) continue;
    parent->keys[i] = parent->keys[i + 1];
    parent->key_lines[i] = parent->key_lines[i + 1];
  }
  return IRZ_OK;
}

IrzCode irz_yaml_change(IrzYaml *root, const char *key, const char *value, const char *file, IrzError *error) {
  Change change = {.file = file, .error = error};
  IRZ_TRY(irz_utf8_check(key, strlen(key), file, error));
  if (key[0] == '\0') return irz_error_set(error, IRZ_ERR_PLAN, "%s: an empty key cannot be changed", file);
  if (value == NULL) return remove_entry(&change, root, key);
  size_t size = strlen(key) + strlen(value) + 2;
  char *origin;
  IrzYaml *node;
  IRZ_TRY(irz_alloc(&origin, size, 1, error));
  snprintf(origin, size, "%s=%s", key, value);
  change.origin = origin;
  IrzCode code = irz_yaml_parse_value(value, origin, &node, error);
  if (code == IRZ_OK) code = put_value(&change, root, key, node);
  free(origin);
  return code;
}

IrzCode irz_yaml_override(IrzYaml *root, const char *override, const char *file, IrzError *error) {
  const char *equals = strchr(override, '=');
  if (equals == NULL || equals == override) {
    return irz_error_set(error, IRZ_ERR_PLAN, "\"%s\" must have the form key.path=value, as in array.spacing=15",
                         override);
  }
  char *key;
  IRZ_TRY(irz_alloc(&key, (size_t)(equals - override) + 1, 1, error));
  memcpy(key, override, (size_t)(equals - override));
  IrzCode code = irz_yaml_change(root, key, equals + 1, file, error);
  free(key);
  return code;
}
