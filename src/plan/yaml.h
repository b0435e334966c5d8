/* A small tree of YAML values that remembers lines, so that every later complaint can name one. */
#ifndef IREZONE_PLAN_YAML_H
#define IREZONE_PLAN_YAML_H

#include <irezone/error.h>
#include <stdbool.h>

/// What a node is.
typedef enum { IRZ_YAML_SCALAR, IRZ_YAML_MAP, IRZ_YAML_LIST } IrzYamlKind;

/// A value with its place in the file.
typedef struct IrzYaml IrzYaml;
struct IrzYaml {
  IrzYamlKind kind;
  char *text;      ///< scalar: its text; NULL for an empty value (`key:`, `~` or `null`)
  bool quoted;     ///< scalar: written in quotes
  int line;        ///< line in the file, from 1; 0 if it comes from an override
  char *origin;    ///< the change that set it, as "key=value", shortened if it is long; or NULL
  int n;           ///< entries of a map or list
  char **keys;     ///< map: [n] unique keys
  int *key_lines;  ///< map: [n]
  IrzYaml **items; ///< [n] values, owned
};

/// Parse one YAML document whose top is a map.
/// @param[in]  text   the document
/// @param[in]  file   names it in errors
/// @param[out] root   the tree; NULL on failure
/// @param[out] error  syntax error, duplicate key, empty file
/// @return IRZ_OK or IRZ_ERR_PLAN
IrzCode irz_yaml_parse(const char *text, const char *file, IrzYaml **root, IrzError *error);

/// Read a whole text file, or the standard input if its path is "-" (plans and sweeps; at most 16 MB, no zero bytes).
/// @param[out] text   to be released with free(); NULL on failure
/// @return IRZ_OK or IRZ_ERR_PLAN
IrzCode irz_yaml_load(const char *path, char **text, IrzError *error);

/// Value of a key in a map, or NULL; also NULL if `map` is NULL or no map.
IrzYaml *irz_yaml_get(const IrzYaml *map, const char *key);

/// Apply `key.path=value`: `probes[1].exposure=15` and `probes.1.exposure=15` are the same; missing keys are created;
/// the value is YAML itself.
/// @param[in,out] root      tree
/// @param[in]     override  the text
/// @param[in]     file      names the tree in errors
/// @return IRZ_OK or IRZ_ERR_PLAN; the tree may then be half changed
IrzCode irz_yaml_override(IrzYaml *root, const char *override, const char *file, IrzError *error);

/// The same with key and value apart.
/// @param[in] value  NULL: the key, which must be there, is removed
IrzCode irz_yaml_change(IrzYaml *root, const char *key, const char *value, const char *file, IrzError *error);

/// Follow a key path as far as it leads.
/// @param[out] rest  what is left of the path behind the node that is returned: "" if it leads to that node
const IrzYaml *irz_yaml_follow(const IrzYaml *root, const char *key, const char **rest);

/// Copy a tree, lines and origins included.
/// @param[out] copy  NULL on failure
IrzCode irz_yaml_copy(const IrzYaml *from, IrzYaml **copy, IrzError *error);

/// Make a node without content.
IrzCode irz_yaml_create(IrzYamlKind kind, int line, IrzYaml **node, IrzError *error);

/// Append a value to a map (with a key) or a list (key NULL). Takes `item` over, also on failure.
IrzCode irz_yaml_append(IrzYaml *parent, const char *key, int key_line, IrzYaml *item, IrzError *error);

/// Parse a value alone, as in an override: no comment behind it, no marks of documents.
/// @param[in]  name  names it in errors
/// @param[out] node  an empty text gives an empty value; NULL on failure
IrzCode irz_yaml_parse_value(const char *text, const char *name, IrzYaml **node, IrzError *error);

/// Put a text value under a key of a map, replacing what is there.
IrzCode irz_yaml_put(IrzYaml *map, const char *key, const char *text, IrzError *error);

/// A node as YAML on one line, to be released with free().
IrzCode irz_yaml_text(const IrzYaml *node, char **text, IrzError *error);

/// The tree as YAML text, to be released with free(); NULL if there is no memory.
char *irz_yaml_write(const IrzYaml *root);

/// Free a tree; NULL is allowed.
void irz_yaml_free(IrzYaml *node);

#endif
