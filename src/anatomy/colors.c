#define _GNU_SOURCE /* strcasestr */
#include "anatomy/colors.h"
#include "base/memory.h"
#include "base/replace.h"
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/// Words that a name may contain, the more telling ones first: the portal vein is a vein.
static const struct {
  const char *word;
  uint8_t color[3];
} known[] = {
    {"tumo", {240, 210, 60}},      {"lesion", {240, 210, 60}},   {"metasta", {240, 210, 60}},
    {"cancer", {240, 210, 60}},    {"artery", {216, 60, 55}},    {"arteri", {216, 60, 55}},
    {"aorta", {216, 60, 55}},      {"portal", {110, 90, 200}},   {"cava", {50, 100, 200}},
    {"vein", {50, 130, 215}},      {"venous", {50, 130, 215}},   {"gallbladder", {110, 150, 60}},
    {"bile", {60, 150, 50}},       {"duct", {60, 150, 50}},      {"liver", {200, 125, 100}},
    {"cyst", {130, 205, 200}},     {"kidney", {185, 102, 83}},   {"pancrea", {249, 180, 111}},
    {"prostate", {230, 158, 140}}, {"urethra", {250, 240, 160}}, {"bladder", {222, 154, 132}},
    {"spleen", {157, 108, 162}},   {"stomach", {216, 132, 105}}, {"colon", {204, 168, 143}},
    {"bowel", {204, 168, 143}},    {"duoden", {204, 168, 143}},  {"nerve", {244, 214, 49}},
    {"rib", {241, 214, 145}},      {"bone", {241, 214, 145}},    {"vertebra", {241, 214, 145}},
    {"lung", {197, 165, 145}},     {"muscle", {192, 104, 88}},   {"fat", {230, 220, 170}},
    {"skin", {177, 122, 101}},     {"body", {177, 122, 101}},    {"vessel", {50, 130, 215}},
};

/// Colours for other names: far from each other, and from red.
static const uint8_t others[][3] = {{86, 180, 233}, {0, 158, 115},   {204, 121, 167}, {230, 159, 0},
                                    {120, 94, 240}, {140, 140, 140}, {0, 114, 178},   {170, 200, 90}};

void irz_region_color(const char *name, int place, float color[3]) {
  enum { OTHERS = sizeof others / sizeof others[0] };
  const uint8_t *chosen = others[(unsigned)place % OTHERS];
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    if (strcasestr(name, known[i].word) == NULL) continue;
    chosen = known[i].color;
    break;
  }
  for (int d = 0; d < 3; d++) color[d] = (float)chosen[d] / 255;
}

/// An entry of a table: a label, its name, and its colour if red is not negative.
typedef struct {
  int64_t value;
  const char *name;
  float color[3];
} Entry;

static int by_value(const void *a, const void *b) {
  const Entry *one = a, *other = b;
  return (one->value > other->value) - (one->value < other->value);
}

/// Print a name: without blanks, which separate columns.
static void put_name(FILE *out, const Entry *entry) {
  if (entry->name[0] == '\0') fprintf(out, "label_%" PRId64, entry->value);
  for (const char *c = entry->name; *c != '\0'; c++) fputc((unsigned char)*c <= ' ' ? '_' : *c, out);
}

/// List the labels of a map, each once.
static int list_entries(const IrzLabelMap *map, Entry *entry) {
  int n = 0, kept = 0;
  for (int i = 0; i < map->n_labels; i++) {
    const IrzLabelInfo *label = &map->labels[i];
    const char *region = label->region >= 0 ? map->regions[label->region].name : "";
    if (label->value <= 0) continue;
    entry[n] = (Entry){label->value, label->name[0] != '\0' ? label->name : region, {-1, -1, -1}};
    if (label->color[0] >= 0) memcpy(entry[n].color, label->color, sizeof label->color);
    n++;
  }
  for (int i = 0; i < map->n_unmapped; i++) {
    if (map->unmapped[i].label > 0) entry[n++] = (Entry){map->unmapped[i].label, map->unmapped[i].name, {-1, -1, -1}};
  }
  /* Of equal ones the first must stay first: what has a name stands before what was only counted. */
  for (int i = 0; i < n; i++) {
    bool again = false;
    for (int k = 0; k < kept; k++) again = again || entry[k].value == entry[i].value;
    if (!again) entry[kept++] = entry[i];
  }
  qsort(entry, (size_t)kept, sizeof *entry, by_value);
  return kept;
}

static void put_table(FILE *out, int n, const Entry *entry) {
  fprintf(out,
          "# Color table file of 3D Slicer: number, name, red, green, blue, opacity\n# %d values\n"
          "0 background 0 0 0 0\n",
          n + 1);
  for (int i = 0; i < n; i++) {
    float color[3];
    if (entry[i].color[0] >= 0)
      memcpy(color, entry[i].color, sizeof color);
    else
      irz_region_color(entry[i].name, (int)(entry[i].value % 64), color);
    fprintf(out, "%" PRId64 " ", entry[i].value);
    put_name(out, &entry[i]);
    for (int d = 0; d < 3; d++) fprintf(out, " %ld", lround(255 * fmin(fmax((double)color[d], 0), 1)));
    fprintf(out, " 255\n");
  }
}

IrzCode irz_color_table_write(const char *path, const IrzLabelMap *map, IrzError *error) {
  IrzReplace file;
  FILE *out;
  Entry *entry;
  IRZ_TRY(irz_alloc(&entry, (size_t)(map->n_labels + map->n_unmapped), sizeof *entry, error));
  int n = list_entries(map, entry);
  IrzCode code = irz_replace_begin(&file, path, error);
  if (code == IRZ_OK) code = irz_replace_stream(&file, &out, error);
  if (code == IRZ_OK) {
    put_table(out, n, entry);
    code = irz_replace_commit(&file, error);
  }
  free(entry);
  return code;
}
