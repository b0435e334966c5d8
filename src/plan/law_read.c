/* `sigma` of a tissue: the law's name, then its numbers by the law's table in keys.c. */
#include "plan/law_read.h"
#include <stdio.h>
#include <string.h>

/* Points of a table. */
static IrzCode read_table(const IrzReader *reader, const IrzYaml *node, const char *path, bool keep, IrzLaw *law) {
  IrzTableKeys keys = {0};
  IRZ_TRY(irz_reader_section(reader, &irz_section_laws[IRZ_LAW_TABLE], node, node, path, keep, &keys));
  char full[IRZ_KEY_PATH_MAX];
  int n_field = law->n_points, n_sigma = law->n_points;
  irz_key_path(full, path, "field");
  if (keys.field != NULL) {
    IRZ_TRY(irz_reader_numbers(reader, &irz_key_field, keys.field, full, IRZ_LAW_MAX_POINTS, &n_field, law->field));
    if (n_field < 2) return irz_reader_fail(reader, keys.field, full, "has %d numbers; at least 2 are needed", n_field);
  }
  for (int i = 0; i + 1 < n_field; i++) {
    if (!(law->field[i + 1] > law->field[i])) {
      return irz_reader_fail(reader, keys.field, full, "must grow, but %g V/cm is followed by %g V/cm",
                             law->field[i] / 100, law->field[i + 1] / 100);
    }
  }
  irz_key_path(full, path, "sigma");
  if (keys.sigma != NULL) {
    IRZ_TRY(irz_reader_numbers(reader, &irz_key_sigma, keys.sigma, full, IRZ_LAW_MAX_POINTS, &n_sigma, law->sigma));
  }
  if (n_sigma != n_field) {
    return irz_reader_fail(reader, keys.sigma != NULL ? keys.sigma : node, full,
                           "has %d numbers, but field has %d; they must go together", n_sigma, n_field);
  }
  law->n_points = n_field;
  law->low = law->sigma[0];
  law->high = law->sigma[n_sigma - 1];
  return IRZ_OK;
}

/* Whether any law has such a key. */
static bool is_law_key(const char *name) {
  for (int kind = 0; irz_law_names[kind] != NULL; kind++) {
    for (const IrzKey *key = irz_section_laws[kind].keys; key->name != NULL; key++) {
      if (strcmp(key->name, name) == 0) return true;
    }
  }
  return false;
}

/* Report that the law has no name: a misspelt `law` explains it better than its absence. */
static IrzCode no_name(const IrzReader *reader, const IrzYaml *node, const char *path) {
  const char *const wanted[] = {"law", NULL};
  char full[IRZ_KEY_PATH_MAX];
  for (int i = 0; i < node->n; i++) {
    if (is_law_key(node->keys[i]) || irz_nearest_name(node->keys[i], wanted) == NULL) continue;
    IrzYaml place = {.line = node->key_lines[i], .origin = node->items[i]->origin};
    irz_key_path(full, path, node->keys[i]);
    return irz_reader_fail(reader, &place, full, "unknown key; did you mean \"law\"?");
  }
  char list[256] = "";
  for (int kind = 0; irz_law_names[kind] != NULL; kind++) {
    size_t used = strlen(list);
    const char *between = kind == 0 ? "" : irz_law_names[kind + 1] != NULL ? ", " : " or ";
    snprintf(list + used, sizeof list - used, "%s%s", between, irz_law_names[kind]);
  }
  irz_key_path(full, path, "law");
  return irz_reader_fail(reader, node, full, "missing: %s", list);
}

/* Which law a map names; without a name that of the preset. */
static IrzCode read_kind(const IrzReader *reader, const IrzYaml *node, const char *path, const IrzLaw *base,
                         IrzLawKind *kind) {
  const IrzYaml *name = irz_yaml_get(node, "law");
  char full[IRZ_KEY_PATH_MAX];
  irz_key_path(full, path, "law");
  if (name == NULL) {
    if (base == NULL) return no_name(reader, node, path);
    *kind = base->kind;
    return IRZ_OK;
  }
  int choice;
  IRZ_TRY(irz_reader_choice(reader, irz_law_names, name, full, &choice));
  *kind = (IrzLawKind)choice;
  return IRZ_OK;
}

IrzCode irz_law_read(const IrzReader *reader, const IrzYaml *node, const char *path, const IrzLaw *base, IrzLaw *law) {
  if (node->kind == IRZ_YAML_SCALAR && node->text != NULL) {
    return irz_reader_fail(reader, node, path, "is \"%.80s\"; it must be a law, as in {law: constant, value: 0.1}",
                           node->text);
  }
  IrzLawKind kind = IRZ_LAW_CONSTANT;
  if (node->kind == IRZ_YAML_MAP) IRZ_TRY(read_kind(reader, node, path, base, &kind));
  bool keep = base != NULL && base->kind == kind;
  IrzLaw result = {.kind = kind};
  if (keep) result = *base;
  if (kind == IRZ_LAW_TABLE) {
    IRZ_TRY(read_table(reader, node, path, keep, &result));
  } else {
    IRZ_TRY(irz_reader_section(reader, &irz_section_laws[kind], node, node, path, keep, &result));
  }
  if (kind == IRZ_LAW_CONSTANT) result.high = result.low;
  if ((kind == IRZ_LAW_RAMP || kind == IRZ_LAW_SMOOTHSTEP) && !(result.q > result.p)) {
    return irz_reader_fail(reader, node, path, "to (%g V/cm) must be above from (%g V/cm)", result.q / 100,
                           result.p / 100);
  }
  double where = 0;
  if (!irz_law_is_monotone(&result, &where)) {
    return irz_reader_fail(reader, node, path,
                           "conductivity falls so steeply at %.4g V/cm that the current density falls too; "
                           "it must grow with the field everywhere",
                           where / 100);
  }
  *law = result;
  return IRZ_OK;
}
