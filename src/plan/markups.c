/* `probes: {markups: ...}`: the files are read, and the list of probes that they stand for takes its place, so that
   everything that follows, overrides and the text of the plan included, knows probes only. */
#include "plan/markups.h"
#include "base/input.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/utf8.h"
#include "plan/markups_needles.h"
#include "plan/parts.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_FILE 67108864 /* bytes */
#define MAX_NEEDLES 1000  /* in all files */

/* The path of a file that the plan names, from the root of the file system. */
static IrzCode full_path(const IrzReader *reader, const IrzYaml *node, const char *key, char path[IRZ_PATH_MAX]) {
  if (node->kind != IRZ_YAML_SCALAR || node->text == NULL || node->text[0] == '\0') {
    return irz_reader_fail(reader, node, key, "must be the name of a file%s",
                           strcmp(key, "probes.markups") == 0 ? ", or a list of such names" : "");
  }
  const char *folder = node->text[0] == '/' ? "" : reader->plan->folder;
  if (node->text[0] != '/' && folder[0] == '\0') {
    return irz_reader_fail(reader, node, key,
                           "counts from the plan's folder, which cannot be found out; state the whole path");
  }
  if (strlen(folder) + strlen(node->text) >= IRZ_PATH_MAX) {
    return irz_reader_fail(reader, node, key, "is too long a path");
  }
  snprintf(path, IRZ_PATH_MAX, "%s%s", folder, node->text);
  return IRZ_OK;
}

/* Read a file as text. */
static IrzCode load(const IrzMarkupPlace *place, char **text) {
  int descriptor;
  off_t size;
  IrzError own = {.code = IRZ_OK};
  *text = NULL;
  if (irz_file_open(place->path, &descriptor, &size, &own) != IRZ_OK) {
    const char *said =
        strncmp(own.text, place->path, strlen(place->path)) == 0 ? own.text + strlen(place->path) + 2 : own.text;
    return irz_markup_fail(place, "%s", said);
  }
  IrzCode code = IRZ_OK;
  if (size > MAX_FILE) code = irz_markup_fail(place, "is larger than %d bytes", MAX_FILE);
  if (code == IRZ_OK) code = irz_alloc(text, (size_t)size + 1, 1, place->reader->error);
  ssize_t got = code == IRZ_OK ? pread(descriptor, *text, (size_t)size, 0) : 0;
  if (got < 0) code = irz_markup_fail(place, "%s", strerror(errno));
  close(descriptor);
  if (code == IRZ_OK && strncmp(*text, "\xef\xbb\xbf", 3) == 0) memset(*text, ' ', 3); /* the mark of some editors */
  if (code == IRZ_OK && memchr(*text, '\0', (size_t)got) != NULL) {
    code = irz_markup_fail(place, "is no text: it contains a zero byte");
  }
  return code;
}

static bool ends_in(const char *text, const char *ending) {
  size_t length = strlen(text), tail = strlen(ending);
  return length >= tail && strcmp(text + length - tail, ending) == 0;
}

/* The needles of one file. */
static IrzCode read_file(const IrzReader *reader, const IrzYaml *node, bool last, IrzNeedleList *needles) {
  char path[IRZ_PATH_MAX];
  IRZ_TRY(full_path(reader, node, "probes.markups", path));
  IrzMarkupPlace place = {.reader = reader, .node = node, .key = "probes.markups", .path = irz_path_from_here(path)};
  IrzMarkups markups = {.path = place.path};
  char *text;
  IrzCode code = load(&place, &text);
  if (code == IRZ_OK) code = (ends_in(path, ".fcsv") ? irz_markups_fcsv : irz_markups_json)(&place, text, &markups);
  if (code == IRZ_OK) code = irz_needles_take(&place, &markups, last, needles);
  if (code == IRZ_OK && needles->n > MAX_NEEDLES) {
    code = irz_markup_fail(&place, "makes more than %d needles", MAX_NEEDLES);
  }
  irz_markups_clear(&markups);
  free(text);
  return code;
}

/* Move all needles by the transform that the plan names. */
static IrzCode transform(const IrzReader *reader, const IrzYaml *node, IrzNeedleList *needles) {
  char path[IRZ_PATH_MAX], *text;
  IrzRigid rigid;
  IRZ_TRY(full_path(reader, node, "probes.transform", path));
  IrzMarkupPlace place = {.reader = reader, .node = node, .key = "probes.transform", .path = irz_path_from_here(path)};
  IrzCode code = load(&place, &text);
  if (code == IRZ_OK) code = irz_transform_read(&place, text, &rigid);
  free(text);
  for (int i = 0; i < needles->n && code == IRZ_OK; i++) {
    double *points[2] = {needles->items[i].tip, needles->items[i].entry};
    for (int p = 0; p < 2; p++) {
      double x[3];
      memcpy(x, points[p], sizeof x);
      for (int k = 0; k < 3; k++) {
        points[p][k] = rigid.a[k][0] * x[0] + rigid.a[k][1] * x[1] + rigid.a[k][2] * x[2] + rigid.b[k];
      }
    }
  }
  return code;
}

/* Append a text, or a list of three numbers, to a map. */
static IrzCode put_text(IrzYaml *map, const char *key, const char *text, int line, IrzError *error) {
  IrzYaml *node;
  IRZ_TRY(irz_yaml_create(IRZ_YAML_SCALAR, line, &node, error));
  IrzCode code = irz_alloc(&node->text, strlen(text) + 1, 1, error);
  if (code != IRZ_OK) {
    irz_yaml_free(node);
    return code;
  }
  memcpy(node->text, text, strlen(text) + 1);
  node->quoted = key != NULL && strcmp(key, "name") == 0; /* a name of digits stays a text */
  return irz_yaml_append(map, key, line, node, error);
}

static IrzCode put_number(IrzYaml *map, const char *key, double value, int line, IrzError *error) {
  char text[IRZ_NUMBER_TEXT];
  irz_number_text(value, text);
  return put_text(map, key, text, line, error);
}

static IrzCode put_point(IrzYaml *map, const char *key, const double point[3], int line, IrzError *error) {
  IrzYaml *list;
  IRZ_TRY(irz_yaml_create(IRZ_YAML_LIST, line, &list, error));
  for (int k = 0; k < 3; k++) {
    IrzCode code = put_number(list, NULL, point[k], line, error);
    if (code == IRZ_OK) continue;
    irz_yaml_free(list);
    return code;
  }
  return irz_yaml_append(map, key, line, list, error);
}

/* Without the rounding of a conversion or a difference, so that a needle is the same as one that is typed: what is left
   is far below any accuracy, but meshes depend on the last digit. */
static double rounded(double millimetres) {
  return round(millimetres * 1e9) / 1e9;
}

/* One entry of the list: a needle, and what is stated of all. */
static IrzCode fill_probe(const IrzReader *reader, const IrzYaml *stated, const IrzNeedle *needle, IrzFrame frame,
                          IrzYaml *probe) {
  static const char *const shared[] = {"exposure", "diameter", "tip_shape", "electrodes", "gap"};
  double tip[3], direction[3], length = 0;
  int line = stated->line;
  for (int k = 0; k < 3; k++) {
    double sign = frame == IRZ_FRAME_LPS && k < 2 ? -1 : 1;
    tip[k] = 0 + sign * rounded(needle->tip[k]);
    direction[k] = 0 + sign * rounded(needle->entry[k] - needle->tip[k]);
    length = hypot(length, direction[k]);
  }
  IRZ_TRY(put_text(probe, "name", needle->name, line, reader->error));
  IRZ_TRY(put_point(probe, "tip", tip, line, reader->error));
  IRZ_TRY(put_point(probe, "direction", direction, line, reader->error));
  IRZ_TRY(put_number(probe, "length", length, line, reader->error));
  for (size_t s = 0; s < sizeof shared / sizeof shared[0]; s++) {
    const IrzYaml *node = irz_yaml_get(stated, shared[s]);
    IrzYaml *copy;
    if (node == NULL) continue;
    IRZ_TRY(irz_yaml_copy(node, &copy, reader->error));
    IRZ_TRY(irz_yaml_append(probe, shared[s], line, copy, reader->error));
  }
  return IRZ_OK;
}

/* The list of probes. */
static IrzCode make_list(const IrzReader *reader, const IrzYaml *stated, const IrzNeedleList *needles, IrzFrame frame,
                         IrzYaml *list) {
  for (int i = 0; i < needles->n; i++) {
    IrzYaml *probe;
    IRZ_TRY(irz_yaml_create(IRZ_YAML_MAP, stated->line, &probe, reader->error));
    IrzCode code = fill_probe(reader, stated, &needles->items[i], frame, probe);
    if (code != IRZ_OK) {
      irz_yaml_free(probe);
      return code;
    }
    IRZ_TRY(irz_yaml_append(list, NULL, 0, probe, reader->error));
  }
  return IRZ_OK;
}

/* All needles that the plan wants. */
static IrzCode collect(const IrzReader *reader, const IrzYaml *node, IrzNeedleList *needles) {
  IrzMarkupsKeys keys = {.tip = 0};
  if (irz_yaml_get(node, "markups") == NULL &&
      (irz_yaml_get(node, "direction") != NULL || irz_yaml_get(node, "name"))) {
    return irz_reader_fail(reader, node, "probes",
                           "is one probe; it must be a list of 1 to %d of them, or {markups: FILE}", IRZ_MAX_PROBES);
  }
  IRZ_TRY(irz_reader_section(reader, &irz_section_markups, node, node, "probes", false, &keys));
  const IrzYaml *files = keys.markups;
  bool list = files->kind == IRZ_YAML_LIST;
  if (list && files->n == 0) return irz_reader_fail(reader, files, "probes.markups", "is empty; files are wanted");
  for (int f = 0; f < (list ? files->n : 1); f++) {
    IRZ_TRY(read_file(reader, list ? files->items[f] : files, keys.tip == 1, needles));
  }
  const IrzMarkupPlace place = {.reader = reader, .node = files, .key = "probes.markups", .path = "all files"};
  IRZ_TRY(irz_needles_name(&place, needles));
  if (keys.only != NULL) IRZ_TRY(irz_needles_choose(reader, keys.only, needles));
  if (needles->n > IRZ_MAX_PROBES) {
    char names[200] = "";
    for (int i = 0; i < needles->n && strlen(names) < 120; i++) {
      size_t used = strlen(names);
      snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "", needles->items[i].name);
    }
    return irz_reader_fail(reader, files, "probes.markups",
                           "makes %d needles; at most %d are allowed: choose some by name, as in only: [%s ...]",
                           needles->n, IRZ_MAX_PROBES, names);
  }
  if (irz_yaml_get(node, "transform") != NULL) IRZ_TRY(transform(reader, irz_yaml_get(node, "transform"), needles));
  return IRZ_OK;
}

bool irz_markups_stated(const IrzYaml *root) {
  const IrzYaml *probes = irz_yaml_get(root, "probes");
  return probes != NULL && probes->kind == IRZ_YAML_MAP;
}

IrzCode irz_markups_expand(const IrzReader *reader, IrzFrame frame, IrzYaml *root) {
  if (!irz_markups_stated(root)) return IRZ_OK;
  IrzYaml *node = irz_yaml_get(root, "probes"), *list;
  IrzNeedleList needles = {.n = 0};
  IRZ_TRY(irz_yaml_create(IRZ_YAML_LIST, node->line, &list, reader->error));
  IrzCode code = collect(reader, node, &needles);
  if (code == IRZ_OK) code = make_list(reader, node, &needles, frame, list);
  if (code == IRZ_OK) {
    IrzYaml stated = *node; /* change places, so that what holds the node holds the list */
    *node = *list;
    *list = stated;
  }
  irz_yaml_free(list);
  free(needles.items);
  return code;
}

/* The frame that a tree states. */
static IrzFrame stated_frame(const IrzYaml *root) {
  const IrzYaml *nodes[] = {irz_yaml_get(root, "frame"), irz_yaml_get(irz_yaml_get(root, "anatomy"), "frame")};
  for (int i = 0; i < 2; i++) {
    if (nodes[i] != NULL && nodes[i]->text != NULL && strcmp(nodes[i]->text, "LPS") == 0) return IRZ_FRAME_LPS;
  }
  return IRZ_FRAME_RAS;
}

bool irz_markups_entry(const char *key) {
  static const char probes[] = "probes";
  size_t length = strlen(probes);
  if (strncmp(key, probes, length) != 0) return false;
  const char *next = key + length;
  return *next == '[' || (*next == '.' && next[1] >= '0' && next[1] <= '9');
}

IrzCode irz_markups_spread(IrzYaml *root, const char *file, const char *folder, IrzError *error) {
  if (!irz_markups_stated(root)) return IRZ_OK;
  IrzPlan *plan;
  IRZ_TRY(irz_alloc(&plan, 1, sizeof *plan, error));
  snprintf(plan->file, sizeof plan->file, "%s", file);
  snprintf(plan->folder, sizeof plan->folder, "%s", folder);
  const IrzReader reader = {.plan = plan, .file = file, .error = error};
  IrzCode code = irz_markups_expand(&reader, stated_frame(root), root);
  irz_plan_free(plan);
  return code;
}
