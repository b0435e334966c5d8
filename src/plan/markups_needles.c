/* Needles from markups: see src/plan/markups_needles.h. */
#include "plan/markups_needles.h"
#include "base/memory.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAME_PLACE 1e-3 /* mm; two points nearer than this have no direction */

static const char separators[] = " -_.:,;/";

/* What two labels have in common, up to where a word ends in both. */
static void common_part(const char *a, const char *b, char common[IRZ_MARKUP_NAME]) {
  size_t n = 0;
  while (a[n] != '\0' && a[n] == b[n]) n++;
  bool ends_a = a[n] == '\0' || strchr(separators, a[n]) != NULL;
  bool ends_b = b[n] == '\0' || strchr(separators, b[n]) != NULL;
  while (n > 0 && !(ends_a && ends_b) && strchr(separators, a[n - 1]) == NULL) n--;
  while (n > 0 && strchr(separators, a[n - 1]) != NULL) n--;
  memcpy(common, a, n);
  common[n] = '\0';
}

/* A file's name without its folder and ending. */
static void stem(const char *path, char name[IRZ_MARKUP_NAME]) {
  static const char *const endings[] = {".mrk.json", ".json", ".fcsv"};
  const char *slash = strrchr(path, '/');
  snprintf(name, IRZ_MARKUP_NAME, "%s", slash != NULL ? slash + 1 : path);
  for (size_t e = 0; e < sizeof endings / sizeof endings[0]; e++) {
    size_t length = strlen(name), ending = strlen(endings[e]);
    if (length <= ending || strcmp(name + length - ending, endings[e]) != 0) continue;
    name[length - ending] = '\0';
    return;
  }
}

/* One needle from two points. */
static IrzCode take_pair(const IrzMarkupPlace *place, const IrzMarkups *markups, const IrzMarkup *markup,
                         const IrzMarkupPoint *first, const IrzMarkupPoint *second, bool last, IrzNeedleList *needles) {
  const IrzMarkupPoint *tip = last ? second : first, *entry = last ? first : second;
  IrzNeedle needle = {.name = ""};
  double length = 0;
  for (int k = 0; k < 3; k++) {
    needle.tip[k] = tip->at[k];
    needle.entry[k] = entry->at[k];
    length = hypot(length, entry->at[k] - tip->at[k]);
  }
  if (!(length > SAME_PLACE)) {
    return irz_markup_fail(place,
                           "markup %d: points %d and %d are at the same place, so that the needle has no direction",
                           markup->number, first->number, second->number);
  }
  bool alone = markup->line || markup->n_points == 2;
  common_part(first->label, second->label, needle.labels);
  if (alone && markup->name[0] != '\0') memcpy(needle.labels, markup->name, sizeof needle.labels);
  if (markup->line && markups->n == 1)
    stem(place->path, needle.other);
  else if (!markup->line)
    memcpy(needle.other, tip->label, sizeof needle.other);
  IRZ_TRY(irz_resize(&needles->items, (size_t)needles->n + 1, sizeof *needles->items, place->reader->error));
  needles->items[needles->n++] = needle;
  return IRZ_OK;
}

/* The needles of one markup. Points that have not been placed are left out, but not between the points of a needle:
   then it is not known which belong together. */
static IrzCode take_markup(const IrzMarkupPlace *place, const IrzMarkups *markups, const IrzMarkup *markup, bool last,
                           IrzNeedleList *needles) {
  const IrzMarkupPoint *first = NULL;
  int n = 0;
  for (int p = 0; p < markup->n_points; p++) n += markup->points[p].defined;
  if (n == 0)
    return irz_markup_fail(place, "markup %d: has no points; a needle has two, tip and entry", markup->number);
  if (markup->line && n != 2) {
    return irz_markup_fail(place, "markup %d: is a line of %d point%s; a needle has two, tip and entry", markup->number,
                           n, n == 1 ? "" : "s");
  }
  if (n % 2 != 0) {
    return irz_markup_fail(place,
                           "markup %d: has %d point%s; needles are pairs of points, tip and entry one after the other",
                           markup->number, n, n == 1 ? "" : "s");
  }
  for (int p = 0; p < markup->n_points; p++) {
    const IrzMarkupPoint *point = &markup->points[p];
    if (!point->defined) continue;
    if (first == NULL) {
      first = point;
      continue;
    }
    if (!markup->line && point->number != first->number + 1) {
      return irz_markup_fail(place,
                             "markup %d: point %d would make a needle with point %d, but between them are points that "
                             "have not been placed; place or delete them",
                             markup->number, first->number, point->number);
    }
    IRZ_TRY(take_pair(place, markups, markup, first, point, last, needles));
    first = NULL;
  }
  return IRZ_OK;
}

IrzCode irz_needles_take(const IrzMarkupPlace *place, const IrzMarkups *markups, bool last, IrzNeedleList *needles) {
  if (markups->n == 0) {
    return irz_markup_fail(place, "has no needles: markups of type Line, or pairs of Fiducial points, are wanted");
  }
  for (int m = 0; m < markups->n; m++) {
    IRZ_TRY(take_markup(place, markups, &markups->items[m], last, needles));
  }
  return IRZ_OK;
}

/* Make a label fit to be the name of a probe. */
static void make_name(const char *label, char name[IRZ_NAME_MAX]) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  size_t n = 0;
  for (const char *c = label; *c != '\0' && n < IRZ_NAME_MAX - 16; c++) {
    bool fits = strchr(allowed, *c) != NULL;
    if (fits || (n > 0 && name[n - 1] != '_')) name[n++] = *c;
    if (!fits && n > 0) name[n - 1] = '_';
  }
  while (n > 0 && name[n - 1] == '_') n--;
  name[n] = '\0';
}

/* Whether a needle is called as another one, or nothing. */
static bool alike(const IrzNeedleList *needles, int i) {
  for (int j = 0; j < needles->n; j++) {
    if (j != i && strcmp(needles->items[i].name, needles->items[j].name) == 0) return true;
  }
  return needles->items[i].name[0] == '\0';
}

/* Number the needles that are called alike, those of a kind from 1 on. */
static void number_needles(IrzNeedleList *needles, const bool *changed) {
  for (int i = 0; i < needles->n; i++) {
    if (changed[i]) needles->items[i].name[0] = '\0';
  }
  for (int i = 0; i < needles->n; i++) {
    IrzNeedle *needle = &needles->items[i];
    char base[IRZ_NAME_MAX];
    if (!changed[i]) continue;
    make_name(needle->labels, base);
    if (base[0] == '\0') make_name(needle->other, base);
    if (base[0] == '\0') snprintf(base, sizeof base, "needle");
    int number = 1;
    do {
      snprintf(needle->name, sizeof needle->name, "%.48s_%d", base, number++);
    } while (alike(needles, i));
  }
}

IrzCode irz_needles_name(const IrzMarkupPlace *place, IrzNeedleList *needles) {
  char names[IRZ_ERROR_TEXT / 2] = "";
  bool *changed, twice = false, said = false;
  IRZ_TRY(irz_alloc(&changed, (size_t)needles->n, sizeof *changed, place->reader->error));
  for (int i = 0; i < needles->n; i++) make_name(needles->items[i].labels, needles->items[i].name);
  for (int i = 0; i < needles->n; i++) changed[i] = alike(needles, i);
  for (int i = 0; i < needles->n; i++) {
    if (changed[i]) make_name(needles->items[i].other, needles->items[i].name);
  }
  for (int i = 0; i < needles->n; i++) twice = twice || alike(needles, i);
  if (twice) number_needles(needles, changed);
  for (int i = 0; i < needles->n; i++) {
    const IrzNeedle *needle = &needles->items[i];
    size_t used = strlen(names);
    snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "", needle->name);
    said = said || (strcmp(needle->name, needle->labels) != 0 && strcmp(needle->name, needle->other) != 0);
  }
  free(changed);
  if (!said) return IRZ_OK;
  irz_plan_warn(place->reader->plan,
                "%s:%d: %s: the needles have no names, the same ones, or some with other signs than letters, digits, _ "
                "and -; they are called %s",
                place->reader->file, place->node->line, place->key, names);
  return IRZ_OK;
}

IrzCode irz_needles_choose(const IrzReader *reader, const IrzYaml *only, IrzNeedleList *needles) {
  static const char path[] = "probes.only";
  char all[IRZ_ERROR_TEXT / 2] = "";
  int n = 0, count = only->kind == IRZ_YAML_LIST ? only->n : 1;
  for (int i = 0; i < needles->n; i++) {
    size_t used = strlen(all);
    snprintf(all + used, sizeof all - used, "%s%s", i > 0 ? ", " : "", needles->items[i].name);
  }
  for (int w = 0; w < count; w++) {
    const IrzYaml *wanted = only->kind == IRZ_YAML_LIST ? only->items[w] : only;
    if (wanted->kind != IRZ_YAML_SCALAR || wanted->text == NULL) {
      return irz_reader_fail(reader, wanted, path, "must be a list of names; there are %s", all);
    }
    int found = 0;
    while (found < needles->n && strcmp(needles->items[found].name, wanted->text) != 0) found++;
    if (found == needles->n) {
      return irz_reader_fail(reader, wanted, path, "the markups have no needle \"%.60s\"; there are %s", wanted->text,
                             all);
    }
    if (found < n) return irz_reader_fail(reader, wanted, path, "\"%.60s\" is stated twice", wanted->text);
    IrzNeedle chosen = needles->items[found];
    for (int i = found; i > n; i--) needles->items[i] = needles->items[i - 1];
    needles->items[n++] = chosen;
  }
  needles->n = n;
  return n > 0 ? IRZ_OK : irz_reader_fail(reader, only, path, "is empty; there are %s", all);
}
