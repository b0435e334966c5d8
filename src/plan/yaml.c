/* libyaml's events into a tree of our own. The tree exists because overrides change it and because it keeps the line of
   every value. Nothing of a text is passed over in silence: what is no part of the tree (a second document, a tag, a
   directive, a comment in an override) is refused or known to mean nothing. */
#include "plan/yaml.h"
#include "base/memory.h"
#include "base/utf8.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum {
  MAX_DEPTH = 24,      /* nesting; a plan needs 5 */
  MAX_NODES = 200000,  /* values, aliases expanded: stops an alias bomb */
  MAX_FILE = 16 << 20, /* bytes */
  MAX_KEY = 256        /* bytes of a key; libyaml wants its colon within 1024 */
};

/* A place in a text that is being read. */
typedef struct {
  yaml_parser_t parser;
  yaml_event_t event; /* the one that was read last, to be deleted before the next */
  const char *text, *file;
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
  free(node->origin);
  free(node);
}

IrzYaml *irz_yaml_get(const IrzYaml *map, const char *key) {
  if (map == NULL || map->kind != IRZ_YAML_MAP) return NULL;
  for (int i = 0; i < map->n; i++) {
    if (strcmp(map->keys[i], key) == 0) return map->items[i];
  }
  return NULL;
}

IrzCode irz_yaml_create(IrzYamlKind kind, int line, IrzYaml **node, IrzError *error) {
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

IrzCode irz_yaml_append(IrzYaml *parent, const char *key, int key_line, IrzYaml *item, IrzError *error) {
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

IrzCode irz_yaml_copy(const IrzYaml *from, IrzYaml **copy, IrzError *error) {
  *copy = NULL;
  IrzYaml *node;
  IRZ_TRY(irz_yaml_create(from->kind, from->line, &node, error));
  node->quoted = from->quoted;
  IrzCode code = IRZ_OK;
  if (from->text != NULL) code = text_copy(from->text, strlen(from->text), &node->text, error);
  if (code == IRZ_OK && from->origin != NULL)
    code = text_copy(from->origin, strlen(from->origin), &node->origin, error);
  for (int i = 0; i < from->n && code == IRZ_OK; i++) {
    IrzYaml *item;
    bool map = from->keys != NULL;
    code = irz_yaml_copy(from->items[i], &item, error);
    if (code == IRZ_OK) {
      code = irz_yaml_append(node, map ? from->keys[i] : NULL, map ? from->key_lines[i] : 0, item, error);
    }
  }
  if (code != IRZ_OK) {
    irz_yaml_free(node);
    return code;
  }
  *copy = node;
  return IRZ_OK;
}

/* Deep copy, counted against the limit on nodes. */
static IrzCode node_copy(Builder *builder, const IrzYaml *from, int line, IrzYaml **copy) {
  *copy = NULL;
  if (++builder->n_nodes > MAX_NODES) {
    return irz_error_set(builder->error, IRZ_ERR_PLAN, "%s:%d: more than %d values", builder->file, line, MAX_NODES);
  }
  IrzYaml *node;
  IRZ_TRY(irz_yaml_create(from->kind, line, &node, builder->error));
  node->quoted = from->quoted;
  IrzCode code = IRZ_OK;
  if (from->text != NULL) code = text_copy(from->text, strlen(from->text), &node->text, builder->error);
  for (int i = 0; i < from->n && code == IRZ_OK; i++) {
    IrzYaml *item;
    code = node_copy(builder, from->items[i], line, &item);
    if (code == IRZ_OK) {
      code = irz_yaml_append(node, from->keys != NULL ? from->keys[i] : NULL, line, item, builder->error);
    }
  }
  if (code != IRZ_OK) {
    irz_yaml_free(node);
    return code;
  }
  *copy = node;
  return IRZ_OK;
}

/* The problem that libyaml found, in the words of somebody who writes a plan; else as libyaml puts it. */
static const char *problem_words(const Builder *builder) {
  const yaml_parser_t *parser = &builder->parser;
  const char *at = builder->text, *problem = parser->problem != NULL ? parser->problem : "";
  for (size_t i = parser->problem_mark.index; i > 0 && *at != '\0'; i--) at += irz_utf8_character(at, 4, NULL);
  if (strcmp(problem, "found unexpected ':'") == 0) return "':' needs a blank behind it";
  if (strstr(problem, "<document start>") != NULL) return "this line is no part of what stands above it";
  if (strcmp(problem, "found character that cannot start any token") != 0) return problem;
  return *at == '\t' ? "a tab cannot indent a line; use spaces" : "a value that begins with @, ` or % must be quoted";
}

/* Turn what libyaml says into an error in our own form. */
static IrzCode complaint(const Builder *builder) {
  const yaml_parser_t *parser = &builder->parser;
  if (parser->error == YAML_MEMORY_ERROR) {
    return irz_error_set(builder->error, IRZ_ERR_MEMORY, "%s: out of memory in the YAML reader", builder->file);
  }
  char context[160] = "";
  if (parser->context != NULL && parser->context_mark.line != parser->problem_mark.line) {
    snprintf(context, sizeof context, " %s that begins in line %zu", parser->context, parser->context_mark.line + 1);
  }
  return irz_error_set(builder->error, IRZ_ERR_PLAN, "%s:%zu: is not valid YAML: %s%s", builder->file,
                       parser->problem_mark.line + 1, problem_words(builder), context);
}

/* Read the next event. */
static IrzCode next_event(Builder *builder) {
  yaml_event_delete(&builder->event);
  return yaml_parser_parse(&builder->parser, &builder->event) ? IRZ_OK : complaint(builder);
}

/* Line of the event, from 1. */
static int event_line(const Builder *builder) {
  return (int)builder->event.start_mark.line + 1;
}

/* Report what a plan does not have. */
static IrzCode refuse(const Builder *builder, int line, const char *what) {
  return irz_error_set(builder->error, IRZ_ERR_PLAN, "%s:%d: %s", builder->file, line, what);
}

/* Remember a node under its anchor, if it has one. */
static IrzCode anchor_keep(Builder *builder, const char *name, const IrzYaml *node) {
  if (name == NULL) return IRZ_OK;
  int limit = (int)(sizeof builder->anchors / sizeof builder->anchors[0]);
  if (strlen(name) >= sizeof builder->anchors[0].name || builder->n_anchors == limit) {
    return irz_error_set(builder->error, IRZ_ERR_PLAN,
                         "%s:%d: too many anchors, or one with a long name; %d are allowed", builder->file, node->line,
                         limit);
  }
  snprintf(builder->anchors[builder->n_anchors].name, sizeof builder->anchors[0].name, "%s", name);
  builder->anchors[builder->n_anchors++].node = node;
  return IRZ_OK;
}

/* A copy of the node that an alias names. */
static IrzCode build_alias(Builder *builder, IrzYaml **node) {
  const char *name = (const char *)builder->event.data.alias.anchor;
  for (int i = builder->n_anchors - 1; i >= 0; i--) {
    if (strcmp(builder->anchors[i].name, name) == 0) {
      return node_copy(builder, builder->anchors[i].node, event_line(builder), node);
    }
  }
  return irz_error_set(builder->error, IRZ_ERR_PLAN, "%s:%d: *%.64s: no anchor of this name stands before it",
                       builder->file, event_line(builder), name);
}

/* A scalar; a plain empty one, `~` and `null` have no text. */
static IrzCode build_scalar(Builder *builder, IrzYaml **node) {
  const char *text = (const char *)builder->event.data.scalar.value;
  size_t length = builder->event.data.scalar.length;
  if (strlen(text) < length) return refuse(builder, event_line(builder), "a text must not contain a zero byte");
  IrzYaml *scalar;
  IRZ_TRY(irz_yaml_create(IRZ_YAML_SCALAR, event_line(builder), &scalar, builder->error));
  scalar->quoted = builder->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  bool empty = length == 0 || strcmp(text, "~") == 0 || strcmp(text, "null") == 0;
  IrzCode code = IRZ_OK;
  if (scalar->quoted || !empty) code = text_copy(text, length, &scalar->text, builder->error);
  if (code == IRZ_OK) code = anchor_keep(builder, (const char *)builder->event.data.scalar.anchor, scalar);
  if (code != IRZ_OK) {
    irz_yaml_free(scalar);
    return code;
  }
  *node = scalar;
  return IRZ_OK;
}

static IrzCode build(Builder *builder, int depth, IrzYaml **node);

/* Whether a node can be the next key of a map. */
static IrzCode check_key(const Builder *builder, const IrzYaml *map, const IrzYaml *key) {
  if (key->kind != IRZ_YAML_SCALAR || key->text == NULL) return refuse(builder, key->line, "a key must be plain text");
  if (strlen(key->text) > MAX_KEY) return refuse(builder, key->line, "a key has more than 256 characters");
  if (!key->quoted && strcmp(key->text, "<<") == 0) {
    return refuse(builder, key->line,
                  "<< does not merge maps here; state the keys themselves, or take the whole map "
                  "by an alias");
  }
  if (irz_yaml_get(map, key->text) == NULL) return IRZ_OK;
  return irz_error_set(builder->error, IRZ_ERR_PLAN, "%s:%d: %s: stated twice", builder->file, key->line, key->text);
}

/* The entries of a map or list up to its end. */
static IrzCode build_entries(Builder *builder, IrzYaml *parent, int depth) {
  bool map = parent->kind == IRZ_YAML_MAP;
  for (;;) {
    IRZ_TRY(next_event(builder));
    if (builder->event.type == (map ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT)) return IRZ_OK;
    IrzYaml *key = NULL, *item = NULL;
    IrzCode code = IRZ_OK;
    if (map) {
      IRZ_TRY(build(builder, depth, &key));
      code = check_key(builder, parent, key);
      if (code == IRZ_OK) code = next_event(builder);
    }
    if (code == IRZ_OK) code = build(builder, depth, &item);
    if (code == IRZ_OK) {
      if (map) item->line = key->line; /* a value is looked for where its key stands */
      code = irz_yaml_append(parent, map ? key->text : NULL, map ? key->line : 0, item, builder->error);
    }
    irz_yaml_free(key);
    if (code != IRZ_OK) return code;
  }
}

/* Refuse a tag, as in `!!str 5`: it would mean nothing. */
static IrzCode check_tag(const Builder *builder) {
  const yaml_event_t *event = &builder->event;
  const yaml_char_t *tag = event->type == YAML_SCALAR_EVENT          ? event->data.scalar.tag
                           : event->type == YAML_MAPPING_START_EVENT ? event->data.mapping_start.tag
                                                                     : event->data.sequence_start.tag;
  return tag == NULL ? IRZ_OK : refuse(builder, event_line(builder), "tags (words that begin with !) are not allowed");
}

/* The node that the event begins. */
static IrzCode build(Builder *builder, int depth, IrzYaml **node) {
  *node = NULL;
  const yaml_event_t *event = &builder->event;
  int line = event_line(builder);
  if (++builder->n_nodes > MAX_NODES || depth > MAX_DEPTH) {
    return irz_error_set(builder->error, IRZ_ERR_PLAN, "%s:%d: more than %d values, or nested deeper than %d",
                         builder->file, line, MAX_NODES, MAX_DEPTH);
  }
  if (event->type == YAML_ALIAS_EVENT) return build_alias(builder, node);
  bool map = event->type == YAML_MAPPING_START_EVENT, list = event->type == YAML_SEQUENCE_START_EVENT;
  if (!map && !list && event->type != YAML_SCALAR_EVENT) return refuse(builder, line, "a value is missing");
  IRZ_TRY(check_tag(builder));
  if (!map && !list) return build_scalar(builder, node);
  char *anchor = NULL;
  const char *name = (const char *)(map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor);
  if (name != NULL) IRZ_TRY(text_copy(name, strlen(name), &anchor, builder->error));
  IrzYaml *parent;
  IrzCode code = irz_yaml_create(map ? IRZ_YAML_MAP : IRZ_YAML_LIST, line, &parent, builder->error);
  if (code == IRZ_OK) code = build_entries(builder, parent, depth + 1);
  /* Kept after its entries, so that an alias inside cannot mean the map it stands in. */
  if (code == IRZ_OK) code = anchor_keep(builder, anchor, parent);
  free(anchor);
  if (code != IRZ_OK) {
    irz_yaml_free(parent);
    return code;
  }
  *node = parent;
  return IRZ_OK;
}

/* The only document of a stream; `*root` stays NULL if there is none. A bare text has no marks around the document
   and ends with it.
   @param[in] bare  the text is a value alone, not a file */
static IrzCode build_stream(Builder *builder, bool bare, IrzYaml **root) {
  const char *text = builder->text;
  size_t end = 0;
  for (;;) {
    IRZ_TRY(next_event(builder));
    const yaml_event_t *event = &builder->event;
    bool document = event->type == YAML_DOCUMENT_START_EVENT;
    if (document && *root != NULL) {
      IRZ_TRY(next_event(builder));
      return refuse(builder, event_line(builder), "a second YAML document begins here; only one is allowed");
    }
    bool mark = (document && !event->data.document_start.implicit) ||
                (event->type == YAML_DOCUMENT_END_EVENT && !event->data.document_end.implicit);
    if (bare && mark) return refuse(builder, event_line(builder), "--- and ... are not allowed in a value; quote them");
    if (event->type == YAML_STREAM_END_EVENT) break;
    if (event->type == YAML_STREAM_START_EVENT || document || event->type == YAML_DOCUMENT_END_EVENT) continue;
    IRZ_TRY(build(builder, 0, root));
    end = builder->event.end_mark.index;
  }
  if (!bare) return IRZ_OK;
  for (; end > 0 && *text != '\0'; end--) text += irz_utf8_character(text, 4, NULL); /* marks count characters */
  text += strspn(text, " \t\r\n");
  if (*text == '\0') return IRZ_OK;
  return irz_error_set(builder->error, IRZ_ERR_PLAN, "%s: \"%.80s\" at its end would be a comment; quote the value",
                       builder->file, text);
}

/* Parse a text; `*root` is NULL if it is empty.
   @param[in] bare  it is a value, not a file */
static IrzCode parse(const char *text, const char *file, bool bare, IrzYaml **root, IrzError *error) {
  *root = NULL;
  IRZ_TRY(irz_utf8_check(text, strlen(text), file, error));
  Builder builder = {.text = text, .file = file, .error = error};
  if (!yaml_parser_initialize(&builder.parser)) {
    return irz_error_set(error, IRZ_ERR_MEMORY, "%s: out of memory in the YAML reader", file);
  }
  yaml_parser_set_encoding(&builder.parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&builder.parser, (const unsigned char *)text, strlen(text));
  IrzCode code = build_stream(&builder, bare, root);
  yaml_event_delete(&builder.event);
  yaml_parser_delete(&builder.parser);
  if (code != IRZ_OK) {
    irz_yaml_free(*root);
    *root = NULL;
  }
  return code;
}

IrzCode irz_yaml_parse_value(const char *text, const char *name, IrzYaml **node, IrzError *error) {
  IRZ_TRY(parse(text, name, true, node, error));
  return *node != NULL ? IRZ_OK : irz_yaml_create(IRZ_YAML_SCALAR, 0, node, error);
}

IrzCode irz_yaml_parse(const char *text, const char *file, IrzYaml **root, IrzError *error) {
  /* libyaml counts a byte order mark as a column, so that the first line would stand further right than the others. */
  static const char mark[] = "\xef\xbb\xbf";
  if (strncmp(text, mark, strlen(mark)) == 0) text += strlen(mark);
  IRZ_TRY(parse(text, file, false, root, error));
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
  bool standard_input = strcmp(path, "-") == 0;
  FILE *file = standard_input ? stdin : fopen(path, "rb");
  if (standard_input) path = "stdin";
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
  if (!standard_input) fclose(file);
  if (code == IRZ_OK) code = irz_utf8_check(*text, length, path, error);
  if (code != IRZ_OK) {
    free(*text);
    *text = NULL;
    return code;
  }
  (*text)[length] = '\0';
  return IRZ_OK;
}

IrzCode irz_yaml_put(IrzYaml *map, const char *key, const char *text, IrzError *error) {
  IrzYaml *node = irz_yaml_get(map, key);
  if (node == NULL) {
    IRZ_TRY(irz_yaml_create(IRZ_YAML_SCALAR, 0, &node, error));
    IRZ_TRY(irz_yaml_append(map, key, 0, node, error));
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
  while (*text != '\0') {
    unsigned code = 0;
    int size = irz_utf8_character(text, 4, &code);
    if (code == '"' || code == '\\') fputc('\\', out);
    if (size > 0 && irz_utf8_in_line(code)) {
      fwrite(text, 1, (size_t)size, out);
    } else {
      fprintf(out, "\\u%04x", size > 0 ? code : (unsigned)'?');
    }
    text += size > 0 ? size : 1;
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

IrzCode irz_yaml_text(const IrzYaml *node, char **text, IrzError *error) {
  IrzText line;
  *text = NULL;
  IRZ_TRY(irz_text_begin(&line, error));
  write_flow(node, line.out);
  return irz_text_end(&line, text, error);
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
