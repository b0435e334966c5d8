/* libfyaml's events into a tree of our own. The tree exists because overrides change it and because it keeps the line
   of every value, which libfyaml's documents keep for some only. */
#include "plan/yaml.h"
#include "base/memory.h"
#include <errno.h>
#include <libfyaml.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  MAX_DEPTH = 24,        /* nesting; a plan needs 5 */
  MAX_NODES = 200000,    /* values, aliases expanded: stops an alias bomb */
  MAX_FILE = 16 << 20,   /* bytes */
  MAX_OVERRIDE_KEY = 128 /* characters of one key in an override */
};

/* What libfyaml says, of which the first line is kept. */
typedef struct {
  char text[512];
} Complaint;

typedef struct {
  struct fy_parser *parser;
  const char *file;
  IrzError *error;
  int n_nodes;
  int n_anchors;
  struct {
    char name[64];
    const IrzYaml *node;
  } anchors[32];
} Builder;

void irz_yaml_free(IrzYaml *node) {
  if (node == NULL) return;
  for (int i = 0; i < node->n; i++) {
    if (node->keys != NULL) free(node->keys[i]);
    irz_yaml_free(node->items[i]);
  }
  free(node->keys);
  free(node->key_lines);
  free((void *)node->items);
  free(node->text);
  free(node);
}

IrzYaml *irz_yaml_get(const IrzYaml *map, const char *key) {
  if (map == NULL || map->kind != IRZ_YAML_MAP) return NULL;
  for (int i = 0; i < map->n; i++) {
    if (strcmp(map->keys[i], key) == 0) return map->items[i];
  }
  return NULL;
}

/* A new node without content. */
static IrzCode node_create(IrzYamlKind kind, int line, IrzYaml **node, IrzError *error) {
  IRZ_TRY(irz_alloc(node, 1, sizeof **node, error));
  (*node)->kind = kind;
  (*node)->line = line;
  return IRZ_OK;
}

/* Copy of `length` characters with a zero behind them. */
static IrzCode text_copy(const char *text, size_t length, char **copy, IrzError *error) {
  IRZ_TRY(irz_alloc(copy, length + 1, 1, error));
  memcpy(*copy, text, length);
  return IRZ_OK;
}

/* Append a value to a map (with a key) or a list (key NULL). Takes `item` over, also on failure. */
static IrzCode node_append(IrzYaml *parent, const char *key, int key_line, IrzYaml *item, IrzError *error) {
  size_t count = (size_t)parent->n + 1;
  IrzCode code = irz_resize(&parent->items, count, sizeof *parent->items, error);
  if (code == IRZ_OK && key != NULL) {
    code = irz_resize(&parent->keys, count, sizeof *parent->keys, error);
    if (code == IRZ_OK) code = irz_resize(&parent->key_lines, count, sizeof *parent->key_lines, error);
    if (code == IRZ_OK) code = text_copy(key, strlen(key), &parent->keys[parent->n], error);
    if (code == IRZ_OK) parent->key_lines[parent->n] = key_line;
  }
  if (code != IRZ_OK) {
    irz_yaml_free(item);
    return code;
  }
  parent->items[parent->n++] = item;
  return IRZ_OK;
}

/* Deep copy, counted against the limit on nodes. */
static IrzCode node_copy(Builder *builder, const IrzYaml *from, int line, IrzYaml **copy) {
  *copy = NULL;
  if (++builder->n_nodes > MAX_NODES) {
    return irz_error_set(builder->error, IRZ_ERR_PLAN, "%s:%d: more than %d values", builder->file, line, MAX_NODES);
  }
  IrzYaml *node;
  IRZ_TRY(node_create(from->kind, line, &node, builder->error));
  node->quoted = from->quoted;
  IrzCode code = IRZ_OK;
  if (from->text != NULL) code = text_copy(from->text, strlen(from->text), &node->text, builder->error);
  for (int i = 0; i < from->n && code == IRZ_OK; i++) {
    IrzYaml *item;
    code = node_copy(builder, from->items[i], line, &item);
    if (code == IRZ_OK) {
      code = node_append(node, from->keys != NULL ? from->keys[i] : NULL, line, item, builder->error);
    }
  }
  if (code != IRZ_OK) {
    irz_yaml_free(node);
    return code;
  }
  *copy = node;
  return IRZ_OK;
}

/* Keep what libfyaml says; called for each of its messages. */
static void complaint_keep(struct fy_diag *diag, void *user, const char *text, size_t length) {
  (void)diag;
  Complaint *complaint = user;
  size_t used = strlen(complaint->text);
  size_t room = sizeof complaint->text - 1 - used;
  if (length > room) length = room;
  memcpy(complaint->text + used, text, length);
  complaint->text[used + length] = '\0';
}

/* Turn "<memory...>:3:7: error: text" into an error in our own form. */
static IrzCode complaint_report(const Complaint *complaint, const char *file, IrzError *error) {
  static const char mark[] = ": error: ";
  const char *end = strchr(complaint->text, '\n');
  const char *message = strstr(complaint->text, mark);
  if (message == NULL || (end != NULL && message > end)) {
    return irz_error_set(error, IRZ_ERR_PLAN, "%s: is not valid YAML", file);
  }
  const char *colon = message;
  int numbers = 0;
  while (colon > complaint->text && numbers < 2) {
    colon--;
    if (*colon == ':') numbers++;
  }
  int line = numbers == 2 ? (int)strtol(colon + 1, NULL, 10) : 0;
  message += strlen(mark);
  int length = end != NULL ? (int)(end - message) : (int)strlen(message);
  if (line <= 0) return irz_error_set(error, IRZ_ERR_PLAN, "%s: is not valid YAML: %.*s", file, length, message);
  return irz_error_set(error, IRZ_ERR_PLAN, "%s:%d: is not valid YAML: %.*s", file, line, length, message);
}

/* Line of an event, from 1. */
static int event_line(struct fy_event *event) {
  const struct fy_mark *mark = fy_event_start_mark(event);
  return mark != NULL ? mark->line + 1 : 0;
}

/* Remember a node under its anchor, if it has one. */
static IrzCode anchor_keep(Builder *builder, struct fy_token *token, const IrzYaml *node) {
  if (token == NULL) return IRZ_OK;
  size_t length;
  const char *name = fy_token_get_text(token, &length);
  int limit = (int)(sizeof builder->anchors / sizeof builder->anchors[0]);
  if (name == NULL || length >= sizeof builder->anchors[0].name || builder->n_anchors == limit) {
    return irz_error_set(builder->error, IRZ_ERR_PLAN,
                         "%s:%d: too many anchors, or one with a long name; %d are allowed", builder->file, node->line,
                         limit);
  }
  memcpy(builder->anchors[builder->n_anchors].name, name, length);
  builder->anchors[builder->n_anchors].name[length] = '\0';
  builder->anchors[builder->n_anchors++].node = node;
  return IRZ_OK;
}

static IrzCode build(Builder *builder, struct fy_event *event, int depth, IrzYaml **node);

/* A copy of the node that an alias names. */
static IrzCode build_alias(Builder *builder, struct fy_event *event, IrzYaml **node) {
  size_t length = 0;
  const char *name = fy_token_get_text(event->alias.anchor, &length);
  for (int i = builder->n_anchors - 1; i >= 0 && name != NULL; i--) {
    if (strlen(builder->anchors[i].name) == length && memcmp(builder->anchors[i].name, name, length) == 0) {
      return node_copy(builder, builder->anchors[i].node, event_line(event), node);
    }
  }
  return irz_error_set(builder->error, IRZ_ERR_PLAN, "%s:%d: *%.*s: no anchor of this name stands before it",
                       builder->file, event_line(event), (int)length, name != NULL ? name : "");
}

/* A scalar; a plain empty one, `~` and `null` have no text. */
static IrzCode build_scalar(Builder *builder, struct fy_event *event, IrzYaml **node) {
  size_t length = 0;
  const char *text = fy_token_get_text(event->scalar.value, &length);
  IrzYaml *scalar;
  IRZ_TRY(node_create(IRZ_YAML_SCALAR, event_line(event), &scalar, builder->error));
  scalar->quoted = fy_token_scalar_style(event->scalar.value) != FYSS_PLAIN;
  bool empty =
      text == NULL || length == 0 || (length == 1 && text[0] == '~') || (length == 4 && memcmp(text, "null", 4) == 0);
  IrzCode code = IRZ_OK;
  if (scalar->quoted || !empty) code = text_copy(text != NULL ? text : "", length, &scalar->text, builder->error);
  if (code == IRZ_OK) code = anchor_keep(builder, event->scalar.anchor, scalar);
  if (code != IRZ_OK) {
    irz_yaml_free(scalar);
    return code;
  }
  *node = scalar;
  return IRZ_OK;
}

/* The entries of a map or list up to its end. */
static IrzCode build_entries(Builder *builder, IrzYaml *parent, int depth) {
  bool map = parent->kind == IRZ_YAML_MAP;
  for (;;) {
    struct fy_event *event = fy_parser_parse(builder->parser);
    /* Without an event libfyaml has complained, and the caller reports that. */
    if (event == NULL) return irz_error_set(builder->error, IRZ_ERR_PLAN, "%s: ends too early", builder->file);
    if (event->type == (map ? FYET_MAPPING_END : FYET_SEQUENCE_END)) {
      fy_parser_event_free(builder->parser, event);
      return IRZ_OK;
    }
    IrzYaml *key = NULL;
    IrzCode code = IRZ_OK;
    if (map) {
      code = build(builder, event, depth, &key);
      fy_parser_event_free(builder->parser, event);
      if (code != IRZ_OK) return code;
      if (key->kind != IRZ_YAML_SCALAR || key->text == NULL) {
        code = irz_error_set(builder->error, IRZ_ERR_PLAN, "%s:%d: a key must be plain text", builder->file, key->line);
      } else if (irz_yaml_get(parent, key->text) != NULL) {
        code =
            irz_error_set(builder->error, IRZ_ERR_PLAN, "%s:%d: %s: stated twice", builder->file, key->line, key->text);
      }
      event = code == IRZ_OK ? fy_parser_parse(builder->parser) : NULL;
      if (event == NULL) {
        if (code == IRZ_OK) code = irz_error_set(builder->error, IRZ_ERR_PLAN, "%s: ends too early", builder->file);
        irz_yaml_free(key);
        return code;
      }
    }
    IrzYaml *item = NULL;
    code = build(builder, event, depth, &item);
    fy_parser_event_free(builder->parser, event);
    if (code == IRZ_OK) {
      if (map) item->line = key->line; /* a value is looked for where its key stands */
      code = node_append(parent, map ? key->text : NULL, map ? key->line : 0, item, builder->error);
    }
    irz_yaml_free(key);
    if (code != IRZ_OK) return code;
  }
}

/* The node that an event begins. */
static IrzCode build(Builder *builder, struct fy_event *event, int depth, IrzYaml **node) {
  *node = NULL;
  int line = event_line(event);
  if (++builder->n_nodes > MAX_NODES || depth > MAX_DEPTH) {
    return irz_error_set(builder->error, IRZ_ERR_PLAN, "%s:%d: more than %d values, or nested deeper than %d",
                         builder->file, line, MAX_NODES, MAX_DEPTH);
  }
  if (event->type == FYET_SCALAR) return build_scalar(builder, event, node);
  if (event->type == FYET_ALIAS) return build_alias(builder, event, node);
  if (event->type != FYET_MAPPING_START && event->type != FYET_SEQUENCE_START) {
    return irz_error_set(builder->error, IRZ_ERR_PLAN, "%s:%d: a value is missing", builder->file, line);
  }
  bool map = event->type == FYET_MAPPING_START;
  IrzYaml *parent;
  IRZ_TRY(node_create(map ? IRZ_YAML_MAP : IRZ_YAML_LIST, line, &parent, builder->error));
  struct fy_token *anchor = map ? event->mapping_start.anchor : event->sequence_start.anchor;
  IrzCode code = build_entries(builder, parent, depth + 1);
  /* Kept after its entries, so that an alias inside cannot mean the map it stands in. */
  if (code == IRZ_OK) code = anchor_keep(builder, anchor, parent);
  if (code != IRZ_OK) {
    irz_yaml_free(parent);
    return code;
  }
  *node = parent;
  return IRZ_OK;
}

/* The only document of a stream; `*root` stays NULL if there is none. */
static IrzCode build_stream(Builder *builder, IrzYaml **root) {
  for (;;) {
    struct fy_event *event = fy_parser_parse(builder->parser);
    if (event == NULL) return IRZ_OK;
    IrzCode code = IRZ_OK;
    switch (event->type) {
    case FYET_SCALAR:
    case FYET_ALIAS:
    case FYET_MAPPING_START:
    case FYET_SEQUENCE_START:
      if (*root != NULL) {
        code = irz_error_set(builder->error, IRZ_ERR_PLAN,
                             "%s:%d: a second YAML document begins here; only one is allowed", builder->file,
                             event_line(event));
      } else {
        code = build(builder, event, 0, root);
      }
      break;
    default:
      break;
    }
    fy_parser_event_free(builder->parser, event);
    if (code != IRZ_OK) return code;
  }
}

/* Parse any YAML value; `*root` is NULL for an empty text. */
static IrzCode parse_value(const char *text, const char *file, IrzYaml **root, IrzError *error) {
  *root = NULL;
  Complaint complaint = {""};
  struct fy_diag_cfg diag_settings;
  fy_diag_cfg_default(&diag_settings);
  diag_settings.fp = NULL;
  diag_settings.output_fn = complaint_keep;
  diag_settings.user = &complaint;
  diag_settings.colorize = false;
  struct fy_diag *diag = fy_diag_create(&diag_settings);
  struct fy_parse_cfg settings = {.flags = FYPCF_DEFAULT_PARSE, .diag = diag};
  Builder builder = {.file = file, .error = error};
  if (diag != NULL) builder.parser = fy_parser_create(&settings);
  if (builder.parser == NULL || fy_parser_set_string(builder.parser, text, strlen(text)) != 0) {
    if (builder.parser != NULL) fy_parser_destroy(builder.parser);
    fy_diag_unref(diag);
    return irz_error_set(error, IRZ_ERR_MEMORY, "%s: out of memory in the YAML reader", file);
  }
  IrzCode code = build_stream(&builder, root);
  bool broken = fy_parser_get_stream_error(builder.parser);
  fy_parser_destroy(builder.parser);
  fy_diag_unref(diag);
  if (broken || complaint.text[0] != '\0') code = complaint_report(&complaint, file, error);
  if (code != IRZ_OK) {
    irz_yaml_free(*root);
    *root = NULL;
  }
  return code;
}

IrzCode irz_yaml_parse(const char *text, const char *file, IrzYaml **root, IrzError *error) {
  IRZ_TRY(parse_value(text, file, root, error));
  if (*root == NULL || ((*root)->kind == IRZ_YAML_SCALAR && (*root)->text == NULL)) {
    irz_yaml_free(*root);
    *root = NULL;
    return irz_error_set(error, IRZ_ERR_PLAN, "%s: is empty", file);
  }
  if ((*root)->kind != IRZ_YAML_MAP) {
    int line = (*root)->line;
    irz_yaml_free(*root);
    *root = NULL;
    return irz_error_set(error, IRZ_ERR_PLAN, "%s:%d: must be a map of keys and values", file, line);
  }
  (*root)->line = 0; /* what is missing at the top is missing from the file as a whole */
  return IRZ_OK;
}

IrzCode irz_yaml_load(const char *path, char **text, IrzError *error) {
  *text = NULL;
  FILE *file = fopen(path, "rb");
  if (file == NULL) return irz_error_set(error, IRZ_ERR_PLAN, "%s: cannot be opened: %s", path, strerror(errno));
  IrzCode code = IRZ_OK;
  size_t length = 0, room = 0, got = 1;
  while (code == IRZ_OK && got > 0) {
    if (room - length < 2) {
      room = room == 0 ? 8192 : 2 * room;
      code = irz_resize(text, room, 1, error);
      if (code != IRZ_OK) break;
    }
    got = fread(*text + length, 1, room - length - 1, file);
    length += got;
    if (length > MAX_FILE) {
      code = irz_error_set(error, IRZ_ERR_PLAN, "%s: is larger than %d MB and cannot be a plan", path, MAX_FILE >> 20);
    }
  }
  if (code == IRZ_OK && ferror(file)) {
    code = irz_error_set(error, IRZ_ERR_PLAN, "%s: cannot be read: %s", path, strerror(errno));
  }
  fclose(file);
  if (code == IRZ_OK && memchr(*text, '\0', length) != NULL) {
    code = irz_error_set(error, IRZ_ERR_PLAN, "%s: is not a text file", path);
  }
  if (code != IRZ_OK) {
    free(*text);
    *text = NULL;
    return code;
  }
  (*text)[length] = '\0';
  return IRZ_OK;
}

/* Mark a node and all below it as set by an override. */
static void mark_origin(IrzYaml *node, const char *origin) {
  node->line = 0;
  node->origin = origin;
  for (int i = 0; i < node->n; i++) mark_origin(node->items[i], origin);
}

/* One step of an override's path: "key", "key[2]" is two steps. Returns the rest, or NULL if the path is malformed. */
static const char *path_step(const char *path, char key[MAX_OVERRIDE_KEY], bool *index) {
  *index = *path == '[';
  size_t length = *index ? strcspn(++path, "]=") : strcspn(path, ".[=");
  if (length == 0 || length >= MAX_OVERRIDE_KEY) return NULL;
  memcpy(key, path, length);
  key[length] = '\0';
  path += length;
  if (*index) {
    if (*path++ != ']' || strspn(key, "0123456789") != length) return NULL;
  }
  if (*path == '.') return path[1] != '\0' && path[1] != '=' && path[1] != '[' && path[1] != '.' ? path + 1 : NULL;
  return *path == '[' || *path == '=' ? path : NULL;
}

/* Position of a step in a node: the entry's address, created if it is missing. */
static IrzCode step_into(IrzYaml *node, const char *key, bool index, const char *override, const char *file,
                         IrzYaml ***place, IrzError *error) {
  int at = -1;
  if (node->kind == IRZ_YAML_LIST) {
    if (strspn(key, "0123456789") != strlen(key) || strlen(key) > 6) {
      return irz_error_set(error, IRZ_ERR_PLAN, "%s: %s: \"%s\" stands where a list needs a number, as in probes[0]",
                           file, override, key);
    }
    at = (int)strtol(key, NULL, 10);
    if (at > node->n) {
      return irz_error_set(error, IRZ_ERR_PLAN, "%s: %s: [%d] is beyond the list, which has %d entries", file, override,
                           at, node->n);
    }
  } else if (index) {
    return irz_error_set(error, IRZ_ERR_PLAN, "%s: %s: [%s] stands where there is no list", file, override, key);
  } else {
    for (at = 0; at < node->n && strcmp(node->keys[at], key) != 0;) at++;
  }
  if (at == node->n) {
    IrzYaml *created;
    IRZ_TRY(node_create(IRZ_YAML_SCALAR, 0, &created, error));
    created->origin = override;
    IRZ_TRY(node_append(node, node->kind == IRZ_YAML_MAP ? key : NULL, 0, created, error));
  }
  *place = &node->items[at];
  return IRZ_OK;
}

IrzCode irz_yaml_override(IrzYaml *root, const char *override, const char *file, IrzError *error) {
  const char *rest = override, *equals = strchr(override, '=');
  if (equals == NULL || equals == override) {
    return irz_error_set(error, IRZ_ERR_PLAN, "\"%s\" must have the form key.path=value, as in array.spacing=15",
                         override);
  }
  IrzYaml *value;
  IRZ_TRY(parse_value(equals + 1, override, &value, error));
  if (value == NULL) IRZ_TRY(node_create(IRZ_YAML_SCALAR, 0, &value, error));
  mark_origin(value, override);
  IrzYaml **place = &root;
  while (rest != equals) {
    char key[MAX_OVERRIDE_KEY];
    bool index;
    rest = path_step(rest, key, &index);
    if (rest == NULL || rest > equals) {
      irz_yaml_free(value);
      return irz_error_set(error, IRZ_ERR_PLAN, "\"%s\" has a malformed key path; write it as in probes[1].exposure=15",
                           override);
    }
    IrzYaml *node = *place;
    IrzCode code = IRZ_OK;
    if (node->kind == IRZ_YAML_SCALAR) {
      if (node->text != NULL) {
        code = irz_error_set(error, IRZ_ERR_PLAN,
                             "%s: %s: \"%s\" cannot be set, because it would be inside the value \"%s\"", file,
                             override, key, node->text);
      } else {
        node->kind = index ? IRZ_YAML_LIST : IRZ_YAML_MAP; /* a key without a value becomes what the path wants */
      }
    }
    if (code == IRZ_OK) code = step_into(node, key, index, override, file, &place, error);
    if (code != IRZ_OK) {
      irz_yaml_free(value);
      return code;
    }
  }
  irz_yaml_free(*place);
  *place = value;
  return IRZ_OK;
}

IrzCode irz_yaml_put(IrzYaml *map, const char *key, const char *text, IrzError *error) {
  IrzYaml *node = irz_yaml_get(map, key);
  if (node == NULL) {
    IRZ_TRY(node_create(IRZ_YAML_SCALAR, 0, &node, error));
    IRZ_TRY(node_append(map, key, 0, node, error));
  }
  char *copy;
  IRZ_TRY(text_copy(text, strlen(text), &copy, error));
  free(node->text);
  node->text = copy;
  return IRZ_OK;
}

/* A scalar or a key, quoted wherever a reader could take it for something else. */
static void write_text(const char *text, bool quoted, FILE *out) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-";
  size_t length = strlen(text);
  if (!quoted && length > 0 && strspn(text, plain) == length && strcmp(text, "null") != 0 && strcmp(text, "-") != 0 &&
      strcmp(text, "---") != 0 && strcmp(text, "...") != 0) {
    fputs(text, out);
    return;
  }
  fputc('"', out);
  for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
    if (*c == '"' || *c == '\\') {
      fprintf(out, "\\%c", *c);
    } else if (*c < 0x20 || *c == 0x7f) {
      fprintf(out, "\\x%02x", *c);
    } else {
      fputc(*c, out);
    }
  }
  fputc('"', out);
}

/* A node in flow style, on one line. */
static void write_flow(const IrzYaml *node, FILE *out) {
  if (node->kind == IRZ_YAML_SCALAR) {
    if (node->text != NULL) {
      write_text(node->text, node->quoted, out);
    } else {
      fputs("null", out);
    }
    return;
  }
  bool map = node->kind == IRZ_YAML_MAP;
  fputc(map ? '{' : '[', out);
  for (int i = 0; i < node->n; i++) {
    if (i > 0) fputs(", ", out);
    if (map) {
      write_text(node->keys[i], false, out);
      fputs(": ", out);
    }
    write_flow(node->items[i], out);
  }
  fputc(map ? '}' : ']', out);
}

char *irz_yaml_write(const IrzYaml *root) {
  IrzText text;
  if (irz_text_begin(&text, NULL) != IRZ_OK) return NULL;
  FILE *out = text.out;
  /* Block style for the top and for maps and lists of maps below it, flow style for the rest. */
  for (int i = 0; i < root->n; i++) {
    const IrzYaml *item = root->items[i];
    write_text(root->keys[i], false, out);
    fputc(':', out);
    bool nested = item->n > 0 && item->items[0]->kind != IRZ_YAML_SCALAR;
    if (!nested) {
      fputc(' ', out);
      write_flow(item, out);
      fputc('\n', out);
      continue;
    }
    fputc('\n', out);
    for (int j = 0; j < item->n; j++) {
      fputs("  ", out);
      if (item->kind == IRZ_YAML_LIST) {
        fputs("- ", out);
      } else {
        write_text(item->keys[j], false, out);
        fputs(": ", out);
      }
      write_flow(item->items[j], out);
      fputc('\n', out);
    }
  }
  char *result;
  irz_text_end(&text, &result, NULL);
  return result;
}
