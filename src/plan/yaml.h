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
  char *text;         ///< scalar: its text; NULL for an empty value (`key:`, `~` or `null`)
  bool quoted;        ///< scalar: written in quotes
  int line;           ///< line in the file, from 1; 0 if it comes from an override
  const char *origin; ///< override that set it, or NULL; points to the caller's text
  int n;              ///< entries of a map or list
  char **keys;        ///< map: [n] unique keys
  int *key_lines;     ///< map: [n]
  IrzYaml **items;    ///< [n] values, owned
};

/// Parse one YAML document whose top is a map.
/// @param[in]  text   the document
/// @param[in]  file   names it in errors
/// @param[out] root   the tree; NULL on failure
/// @param[out] error  syntax error, duplicate key, empty file
/// @return IRZ_OK or IRZ_ERR_PLAN
IrzCode irz_yaml_parse(const char *text, const char *file, IrzYaml **root, IrzError *error);

/// Read a whole text file (plans and sweeps; at most 16 MB, no zero bytes).
/// @param[out] text   to be released with free(); NULL on failure
/// @return IRZ_OK or IRZ_ERR_PLAN
IrzCode irz_yaml_load(const char *path, char **text, IrzError *error);

/// Value of a key in a map, or NULL; also NULL if `map` is NULL or no map.
IrzYaml *irz_yaml_get(const IrzYaml *map, const char *key);

/// Apply `key.path=value`: `probes[1].exposure=15` and `probes.1.exposure=15` are the same; missing keys are created;
/// the value is YAML itself.
/// @param[in,out] root      tree
/// @param[in]     override  the text; must outlive the tree
/// @param[in]     file      names the tree in errors
/// @return IRZ_OK or IRZ_ERR_PLAN
IrzCode irz_yaml_override(IrzYaml *root, const char *override, const char *file, IrzError *error);

/// Put a text value under a key of a map, replacing what is there.
IrzCode irz_yaml_put(IrzYaml *map, const char *key, const char *text, IrzError *error);

/// The tree as YAML text, to be released with free(); NULL if there is no memory.
char *irz_yaml_write(const IrzYaml *root);

/// Free a tree; NULL is allowed.
void irz_yaml_free(IrzYaml *node);

#endif
