/* A patient's label map: an image to one byte a voxel. */
#include "anatomy/image.h"
#include "anatomy/label_names.h"
#include "anatomy/metal_box.h"
#include "base/entry.h"
#include "base/memory.h"
#include "plan/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WHOLE 1e-3 // a label may be this far from a whole number, for the rounding of a float32 scl_slope
#define FIRST_ROOM ((size_t)1 << 26) // voxels
#define EDGE_OF_BOX 1e-6             // voxels; wider than the rounding of any coordinate transformation

/// An entry of the plan's map, applied to an image.
typedef struct {
  int64_t value;
  int layer; ///< -1: any
  uint8_t region;
  bool seen;
} Entry;

/// The plan's map while voxels are turned into regions.
typedef struct {
  IrzPlan *plan;
  IrzImage *image;
  IrzLabelMap *map;
  Entry *entry;     ///< [plan->anatomy.n_map]
  int64_t *overlap; ///< [n_regions][n_regions] voxels of the first region that the second has, too
  IrzMetalBox metal;
  double *last;         ///< [layers] neighbouring voxels mostly have the same label
  int *found, *strange; ///< [layers] its entry, and its place in map->unmapped; -1: none
} Labelling;

/// A label that is not in the plan's map: count it among those of its kind. The background is not counted.
/// @return its place in map->unmapped, or -1
static int find_unmapped(const Labelling *with, int layer, double label) {
  IrzLabelMap *map = with->map;
  if (label == 0 || fabs(label) > 1e15) return -1;
  for (int u = 0; u < map->n_unmapped; u++) {
    if ((double)map->unmapped[u].label == label && map->unmapped[u].layer == layer) return u;
  }
  if (map->n_unmapped == IRZ_LABEL_MAX_UNMAPPED) return -1;
  IrzUnmapped *unmapped = &map->unmapped[map->n_unmapped];
  *unmapped = (IrzUnmapped){.label = (int64_t)label, .layer = layer, .nearest = INFINITY};
  for (int l = 0; l < with->image->n_labels; l++) {
    const IrzLabelInfo *info = &with->image->labels[l];
    if (info->value != unmapped->label || (info->layer >= 0 && info->layer != layer)) continue;
    memcpy(unmapped->name, info->name, sizeof unmapped->name);
    break;
  }
  return map->n_unmapped++;
}

/// Note a voxel of an unmapped label.
static void note_unmapped(IrzLabelMap *map, const IrzMetalBox *metal, size_t voxel, IrzUnmapped *unmapped) {
  size_t nx = (size_t)map->size[0], ny = (size_t)map->size[1];
  const int at[3] = {(int)(voxel % nx), (int)(voxel / nx % ny), (int)(voxel / nx / ny)};

  unmapped->voxels++;
  unmapped->nearest = fmin(unmapped->nearest, irz_metal_box_distance(metal, map, at));
}

/// Find the entry of a number in a layer, and remember it for the next voxels.
static IrzCode look_up(Labelling *with, size_t voxel, int layer, double value, IrzError *error) {
  const IrzLabelMap *map = with->map;
  double label = round(value);

  if (!(fabs(value - label) <= WHOLE)) {
    size_t nx = (size_t)map->size[0], ny = (size_t)map->size[1];
    return irz_error_set(error, IRZ_ERR_INPUT, "%s: voxel (%zu, %zu, %zu) is %g; a label map has only whole numbers",
                         with->image->path, voxel % nx, voxel / nx % ny, voxel / nx / ny, value);
  }
  with->last[layer] = value;
  with->found[layer] = with->strange[layer] = -1;
  if (label == 0 && with->image->layers > 1) return IRZ_OK; /* nothing of this layer */
  for (int e = 0; e < with->plan->anatomy.n_map; e++) {
    const Entry *entry = &with->entry[e];
    if ((double)entry->value == label && (entry->layer < 0 || entry->layer == layer)) with->found[layer] = e;
  }
  if (with->found[layer] >= 0)
    with->entry[with->found[layer]].seen = true;
  else
    with->strange[layer] = find_unmapped(with, layer, label);
  return IRZ_OK;
}

/// Turn a piece of voxels into regions. Where layers overlap, the entry that stands last in the plan's map counts.
/// @param[in] first  number of the first voxel
/// @param[in] value  [n][layers]
static IrzCode label_piece(Labelling *with, size_t first, int n, const double *value, IrzError *error) {
  IrzLabelMap *map = with->map;
  int layers = with->image->layers;

  for (int i = 0; i < n; i++) {
    size_t voxel = first + (size_t)i;
    int taken = -1, n_found = 0;
    for (int layer = 0; layer < layers; layer++, value++) {
      if (*value != with->last[layer]) IRZ_TRY(look_up(with, voxel, layer, *value, error));
      int strange = with->strange[layer], found = with->found[layer];
      if (strange >= 0) note_unmapped(map, &with->metal, voxel, &map->unmapped[strange]);
      if (found > taken) taken = found;
      n_found += found >= 0;
    }
    for (int layer = 0; layer < layers && n_found > 1; layer++) {
      int other = with->found[layer];
      if (other < 0 || other == taken) continue;
      with->overlap[with->entry[taken].region * map->n_regions + with->entry[other].region]++;
    }
    uint8_t region = taken >= 0 ? with->entry[taken].region : 0;
    map->region[voxel] = region;
    map->voxels[region]++;
  }
  return IRZ_OK;
}

/// Have room for voxels up to one. The room grows with what is read, not with what a header claims: a small compressed
/// file may claim any size.
static IrzCode make_room(IrzLabelMap *map, size_t wanted, size_t total, size_t *room, IrzError *error) {
  if (wanted <= *room) return IRZ_OK;
  size_t next = 2 * *room > FIRST_ROOM ? 2 * *room : FIRST_ROOM;
  *room = next < total ? next : total;
  return irz_resize(&map->region, *room, 1, error);
}

/// Read all voxels.
static IrzCode read_voxels(Labelling *with, IrzError *error) {
  IrzLabelMap *map = with->map;
  IrzImage *image = with->image;
  size_t total = (size_t)map->size[0] * (size_t)map->size[1] * (size_t)map->size[2];
  size_t layers = (size_t)image->layers, piece = IRZ_IMAGE_PIECE / layers, room = 0;
  double *value = NULL;
  IrzCode code = irz_alloc(&value, IRZ_IMAGE_PIECE, sizeof(*value), error);

  if (code == IRZ_OK) code = irz_alloc(&with->last, layers, sizeof(*with->last), error);
  if (code == IRZ_OK) code = irz_alloc(&with->found, layers, sizeof(*with->found), error);
  if (code == IRZ_OK) code = irz_alloc(&with->strange, layers, sizeof(*with->strange), error);
  for (size_t l = 0; code == IRZ_OK && l < layers; l++) with->last[l] = NAN;
  for (size_t first = 0; code == IRZ_OK && first < total; first += piece) {
    int n = (int)(total - first < piece ? total - first : piece);

    code = image->next(image, n, value, error);
    if (code == IRZ_OK) code = make_room(map, first + (size_t)n, total, &room, error);
    if (code == IRZ_OK) code = label_piece(with, first, n, value, error);
  }
  if (code == IRZ_OK) code = image->end(image, error);
  free(value);
  free(with->last);
  free(with->found);
  free(with->strange);
  return code;
}

/// List the regions of the plan's map, "default" first.
/// @param[out] of_entry  [plan->anatomy.n_map] gets their regions
static IrzCode list_regions(const IrzPlan *plan, IrzLabelMap *map, Entry *of_entry, IrzError *error) {
  IRZ_TRY(irz_alloc(&map->regions, (size_t)plan->anatomy.n_map + 1, sizeof(*map->regions), error));
  IRZ_TRY(irz_alloc(&map->voxels, (size_t)plan->anatomy.n_map + 1, sizeof(*map->voxels), error));
  memcpy(map->regions[0].name, "default", sizeof("default"));
  map->n_regions = 1;
  for (int e = 0; e < plan->anatomy.n_map; e++) {
    const IrzLabel *entry = &plan->anatomy.map[e];
    int r = 0;

    while (r < map->n_regions && strcmp(map->regions[r].name, entry->region) != 0) r++;
    if (r == map->n_regions) {
      if (r == IRZ_LABEL_MAX_REGIONS) {
        return irz_error_set(error, IRZ_ERR_PLAN, "%s:%d: anatomy.map: more than %d regions", plan->file,
                             plan->anatomy.line, IRZ_LABEL_MAX_REGIONS - 1);
      }
      memcpy(map->regions[r].name, entry->region, sizeof(entry->region));
      map->regions[r].tag = (int)of_entry[e].value;
      map->n_regions++;
    }
    of_entry[e].region = (uint8_t)r;
  }
  return IRZ_OK;
}

/// Whether a label is mapped to a region.
static bool is_mapped(const IrzLabelMap *map, const char *region) {
  for (int r = 0; r < map->n_regions; r++) {
    if (strcmp(map->regions[r].name, region) == 0) return true;
  }
  return false;
}

/// Append to a list of names in a message, as long as there is room.
static void list_name(char *list, size_t size, const char *name) {
  size_t used = strlen(list);

  if (used + strlen(name) + 8 < size) {
    snprintf(list + used, size - used, "%s%s", used > 0 ? ", " : "", name);
  } else if (strstr(list, ", ...") == NULL) {
    snprintf(list + used, size - used, ", ...");
  }
}

/// Refuse tissues that no label is mapped to: most likely misspelt names, which would silently become `default`.
static IrzCode check_tissues(const IrzPlan *plan, const IrzLabelMap *map, IrzError *error) {
  const IrzTissue *first = NULL;
  char names[256] = "", others[256] = "";

  for (int t = 1; t < plan->n_tissues; t++) {
    if (is_mapped(map, plan->tissues[t].region)) continue;
    if (!first) {
      first = &plan->tissues[t];
    } else {
      list_name(others, sizeof(others), plan->tissues[t].region);
    }
  }
  if (!first) return IRZ_OK;
  for (int r = 0; r < map->n_regions; r++) list_name(names, sizeof(names), map->regions[r].name);
  return irz_error_set(error, IRZ_ERR_PLAN, "%s:%d: tissues.%s: anatomy.map gives no such region%s%s; it gives %s",
                       plan->file, first->line, first->region, others[0] ? ", and none for " : "", others, names);
}

/// Whether a name in the plan means one in the file: the same, or with _ for blanks as in colour tables.
static bool same_name(const char *a, const char *b, bool exactly) {
  for (; *a != '\0' && *b != '\0'; a++, b++) {
    if (*a == *b) continue;
    if (exactly || (*a != '_' && *a != ' ') || (*b != '_' && *b != ' ')) return false;
  }
  return *a == *b;
}

/// Refuse an entry of the plan's map.
static IrzCode refuse_entry(const IrzPlan *plan, const IrzLabel *label, const char *key, const char *what,
                            IrzError *error) {
  return irz_error_set(error, IRZ_ERR_PLAN, "%s:%d: anatomy.map.%s: %s", plan->file,
                       label->line > 0 ? label->line : plan->anatomy.line, key, what);
}

/// Refuse a name that the image does not have: the nearest one, and all that there are.
static IrzCode refuse_name(const Labelling *with, const IrzLabel *label, IrzError *error) {
  const IrzImage *image = with->image;
  char what[700], all[400] = "";
  const char **names;
  int n = 0;
  IRZ_TRY(irz_alloc((void *)&names, (size_t)image->n_labels + 1, sizeof *names, error));
  for (int l = 0; l < image->n_labels; l++) {
    if (image->labels[l].name[0] == '\0') continue;
    names[n++] = image->labels[l].name;
    list_name(all, sizeof all, image->labels[l].name);
  }
  const char *nearest = irz_nearest_name(label->name, names);
  if (n == 0) {
    snprintf(what, sizeof what,
             "%s has no names of labels; state its number, or a file of names as anatomy.names (ITK-SNAP label "
             "description or Slicer colour table)",
             image->path);
  } else {
    snprintf(what, sizeof what, "%s has no label of this name%s%s%s %s", image->path,
             nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
             nearest != NULL ? "\"? It has" : "; it has", all);
  }
  free((void *)names);
  return refuse_entry(with->plan, label, label->name, what, error);
}

/// Refuse an entry that two labels fit.
static IrzCode refuse_ambiguous(const Labelling *with, const IrzLabel *label, const IrzLabelInfo *one,
                                const IrzLabelInfo *other, IrzError *error) {
  char key[IRZ_LABEL_NAME_MAX], what[2 * IRZ_LABEL_NAME_MAX + 200];
  if (label->name[0] != '\0') {
    bool layers = one->value == other->value;
    snprintf(what, sizeof what, "two labels have this name: %s %lld and %lld%s", layers ? "in layers" : "numbers",
             layers ? (long long)one->layer : (long long)one->value,
             layers ? (long long)other->layer : (long long)other->value,
             layers ? "; rename one of them" : "; state the number of the one that is meant");
    return refuse_entry(with->plan, label, label->name, what, error);
  }
  snprintf(key, sizeof key, "%d", label->label);
  snprintf(what, sizeof what,
           "two segments have this number: %s (layer %d) and %s (layer %d); state the name of the one that is meant",
           one->name, one->layer, other->name, other->layer);
  return refuse_entry(with->plan, label, key, what, error);
}

/// Find the label that an entry means: by number, or by the name that the image or a file of names gives.
static IrzCode resolve(const Labelling *with, IrzLabel *label, Entry *entry, IrzError *error) {
  const IrzImage *image = with->image;
  const IrzLabelInfo *found = NULL, *other = NULL;
  bool by_name = label->name[0] != '\0';
  for (int pass = 0; pass < (by_name ? 2 : 1) && found == NULL; pass++) {
    for (int l = 0; l < image->n_labels; l++) {
      const IrzLabelInfo *info = &image->labels[l];
      bool fits = by_name ? same_name(label->name, info->name, pass == 0) : info->value == label->label;
      if (!fits) continue;
      if (found == NULL)
        found = info;
      else if (info->value != found->value || info->layer != found->layer)
        other = info;
    }
  }
  if (other != NULL) return refuse_ambiguous(with, label, found, other, error);
  if (by_name && found == NULL) return refuse_name(with, label, error);
  entry->value = found != NULL ? found->value : label->label;
  entry->layer = found != NULL ? found->layer : -1;
  label->label = (int)entry->value;
  return IRZ_OK;
}

void irz_label_map_number(const IrzLabelMap *map, IrzPlan *plan) {
  for (int e = 0; e < plan->anatomy.n_map; e++) {
    IrzLabel *label = &plan->anatomy.map[e];
    const IrzLabelInfo *found = NULL;
    for (int pass = 0; pass < 2 && label->name[0] != '\0' && found == NULL; pass++) {
      for (int l = 0; l < map->n_labels; l++) {
        if (same_name(label->name, map->labels[l].name, pass == 0)) found = &map->labels[l];
      }
    }
    if (found != NULL) label->label = (int)found->value;
  }
}

/// Find all labels that the plan's map means.
static IrzCode resolve_all(Labelling *with, IrzError *error) {
  IrzPlan *plan = with->plan;
  for (int e = 0; e < plan->anatomy.n_map; e++) {
    IrzLabel *label = &plan->anatomy.map[e];
    IRZ_TRY(resolve(with, label, &with->entry[e], error));
    for (int f = 0; f < e; f++) {
      char what[80 + IRZ_LABEL_NAME_MAX], key[IRZ_LABEL_NAME_MAX];
      if (with->entry[f].value != with->entry[e].value || with->entry[f].layer != with->entry[e].layer) continue;
      const char *name = label->name[0] != '\0' ? label->name : plan->anatomy.map[f].name;
      snprintf(what, sizeof what, "label %d is stated twice%s%s%s", label->label,
               name[0] != '\0' ? ": by its number and as \"" : "", name, name[0] != '\0' ? "\"" : "");
      snprintf(key, sizeof key, "%d", label->label);
      return refuse_entry(plan, label, label->name[0] != '\0' ? label->name : key, what, error);
    }
  }
  return IRZ_OK;
}

/// Keep what is known of the labels, those among them that the plan maps and the file does not name.
static IrzCode keep_labels(const Labelling *with, IrzError *error) {
  IrzImage *image = with->image;
  IrzLabelMap *map = with->map;
  for (int e = 0; e < with->plan->anatomy.n_map; e++) {
    const Entry *entry = &with->entry[e];
    bool known = false;
    for (int l = 0; l < image->n_labels; l++) {
      IrzLabelInfo *info = &image->labels[l];
      if (info->value != entry->value || info->layer != entry->layer) continue;
      info->region = entry->region;
      known = true;
    }
    const IrzLabelInfo made = {
        .value = entry->value, .layer = entry->layer, .region = entry->region, .color = {-1, -1, -1}};
    if (!known) IRZ_TRY(irz_image_add_label(image, &made, error));
  }
  map->layers = image->layers;
  map->n_labels = image->n_labels;
  map->labels = image->labels;
  image->n_labels = 0;
  image->labels = NULL;
  return IRZ_OK;
}

/// Say where segments overlap, and which of them counts there.
static void warn_of_overlaps(const Labelling *with) {
  const IrzLabelMap *map = with->map;
  for (int wins = 0; wins < map->n_regions; wins++) {
    for (int other = 0; other < map->n_regions; other++) {
      int64_t n = with->overlap[wins * map->n_regions + other];
      if (n == 0 || wins == other) continue;
      irz_plan_warn(with->plan,
                    "%s:%d: anatomy.map: %lld voxels are in %s and in %s: they are %s, which stands later in the map",
                    with->plan->file, with->plan->anatomy.line, (long long)n, map->regions[other].name,
                    map->regions[wins].name, map->regions[wins].name);
    }
  }
}

/// Say which labels do not occur.
static void warn_of_absent(const Labelling *with) {
  IrzPlan *plan = with->plan;
  for (int e = 0; e < plan->anatomy.n_map; e++) {
    const IrzLabel *label = &plan->anatomy.map[e];
    if (with->entry[e].seen) continue;
    irz_plan_warn(plan, "%s:%d: anatomy.map: label %d (%s) does not occur in %s", plan->file, plan->anatomy.line,
                  label->label, label->region, with->image->path);
  }
}

/// Region of a block at level >= 0, or of a voxel at level -1.
static inline uint8_t block_value(const IrzLabelMap *map, int level, const int at[3]) {
  const int *n = level < 0 ? map->size : map->blocks[level];
  const uint8_t *values = level < 0 ? map->region : map->block[level];

  return values[((size_t)at[2] * (size_t)n[1] + (size_t)at[1]) * (size_t)n[0] + (size_t)at[0]];
}

/// What a block's children, one level below, have in common.
static uint8_t merge_children(const IrzLabelMap *map, int level, const int at[3]) {
  const int *below = level == 0 ? map->size : map->blocks[level - 1];
  int first[3] = {2 * at[0], 2 * at[1], 2 * at[2]};
  uint8_t common = block_value(map, level - 1, first);

  for (int c = 1; c < 8; c++) {
    int child[3] = {first[0] + (c & 1), first[1] + (c >> 1 & 1), first[2] + (c >> 2)};
    if (child[0] >= below[0] || child[1] >= below[1] || child[2] >= below[2]) continue;
    if (block_value(map, level - 1, child) != common) return IRZ_LABEL_MIXED;
  }
  return common;
}

/// Build the pyramid of blocks.
static IrzCode build_blocks(IrzLabelMap *map, IrzError *error) {
  const int *below = map->size;

  for (int level = 0; below[0] > 1 || below[1] > 1 || below[2] > 1; level++) {
    int *n = map->blocks[level];
    int at[3];

    for (int d = 0; d < 3; d++) n[d] = (below[d] + 1) / 2;
    IRZ_TRY(irz_alloc(&map->block[level], (size_t)n[0] * (size_t)n[1] * (size_t)n[2], 1, error));
    map->n_levels = level + 1;
    uint8_t *value = map->block[level];
    for (at[2] = 0; at[2] < n[2]; at[2]++) {
      for (at[1] = 0; at[1] < n[1]; at[1]++) {
        for (at[0] = 0; at[0] < n[0]; at[0]++) *value++ = merge_children(map, level, at);
      }
    }
    below = n;
  }
  return IRZ_OK;
}

/// Whether all voxels of a block that are in the box have one region.
/// @param[in] low, high  first and last voxel of the box along each axis
static bool block_has_only(const IrzLabelMap *map, int level, const int at[3], const int low[3], const int high[3],
                           uint8_t region) {
  uint8_t value = block_value(map, level, at);
  int from[3], to[3], child[3];

  if (value != IRZ_LABEL_MIXED) return value == region;
  for (int d = 0; d < 3; d++) {
    from[d] = low[d] >> level > 2 * at[d] ? low[d] >> level : 2 * at[d];
    to[d] = high[d] >> level < 2 * at[d] + 1 ? high[d] >> level : 2 * at[d] + 1;
  }
  for (child[2] = from[2]; child[2] <= to[2]; child[2]++) {
    for (child[1] = from[1]; child[1] <= to[1]; child[1]++) {
      for (child[0] = from[0]; child[0] <= to[0]; child[0]++) {
        if (!block_has_only(map, level - 1, child, low, high, region)) return false;
      }
    }
  }
  return true;
}

int irz_label_map_uniform(const IrzLabelMap *map, const double low[3], const double high[3]) {
  int first[3], last[3], at[3], longest = 0, level = -1;
  bool outside = false;

  for (int d = 0; d < 3; d++) {
    const double *row = map->to_voxel[d];
    double center = row[3] + 0.5, half = EDGE_OF_BOX;

    for (int e = 0; e < 3; e++) {
      center += row[e] * 0.5 * (low[e] + high[e]);
      half += fabs(row[e]) * 0.5 * (high[e] - low[e]);
    }
    if (!(isfinite(center) && isfinite(half) && half > 0)) return -1;
    if (center + half < 0 || center - half >= map->size[d]) return 0;
    outside = outside || center - half < 0 || center + half >= map->size[d];
    first[d] = center - half > 0 ? (int)(center - half) : 0;
    last[d] = center + half < map->size[d] ? (int)(center + half) : map->size[d] - 1;
    if (last[d] - first[d] > longest) longest = last[d] - first[d];
  }
  uint8_t region = outside ? 0 : block_value(map, -1, first);
  // Blocks about as large as the box: at most two of them along each axis
  while (level + 1 < map->n_levels && longest >= 1 << (level + 1)) level++;
  for (at[2] = first[2] >> (level + 1); at[2] <= last[2] >> (level + 1); at[2]++) {
    for (at[1] = first[1] >> (level + 1); at[1] <= last[1] >> (level + 1); at[1]++) {
      for (at[0] = first[0] >> (level + 1); at[0] <= last[0] >> (level + 1); at[0]++) {
        if (!block_has_only(map, level, at, first, last, region)) return -1;
      }
    }
  }
  return region;
}

/// Whether a file begins as NRRD does.
static IrzCode is_nrrd(const char *path, bool *nrrd, IrzError *error) {
  struct stat status;
  char magic[4];

  if (stat(path, &status) != 0) return irz_error_set(error, IRZ_ERR_INPUT, "%s: %s", path, strerror(errno));
  if (!S_ISREG(status.st_mode)) return irz_error_set(error, IRZ_ERR_INPUT, "%s: not a file", path);
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return irz_error_set(error, IRZ_ERR_INPUT, "%s: %s", path, strerror(errno));
  *nrrd = pread(descriptor, magic, sizeof magic, 0) == (ssize_t)sizeof magic && memcmp(magic, "NRRD", 4) == 0;
  close(descriptor);
  return IRZ_OK;
}

/// Apply the plan's map to the voxels of an open image.
static IrzCode apply(Labelling *with, IrzError *error) {
  IrzPlan *plan = with->plan;
  IrzLabelMap *map = with->map;

  IRZ_TRY(irz_names_read(plan, with->image, error));
  IRZ_TRY(irz_alloc(&with->entry, (size_t)plan->anatomy.n_map, sizeof *with->entry, error));
  IRZ_TRY(resolve_all(with, error));
  IRZ_TRY(list_regions(plan, map, with->entry, error));
  IRZ_TRY(check_tissues(plan, map, error));
  IRZ_TRY(irz_alloc(&with->overlap, (size_t)map->n_regions * (size_t)map->n_regions, sizeof *with->overlap, error));
  irz_metal_box(plan, map, &with->metal);
  IRZ_TRY(read_voxels(with, error));
  IRZ_TRY(build_blocks(map, error));
  warn_of_absent(with);
  warn_of_overlaps(with);
  return keep_labels(with, error);
}

IrzCode irz_label_map_read(IrzPlan *plan, IrzLabelMap **map, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(plan != NULL && map != NULL);
  IRZ_TRY(irz_plan_check(plan, error));
  IrzImage image = {.path = irz_path_from_here(plan->anatomy.labels)};
  Labelling with = {.plan = plan, .image = &image};
  bool nrrd = false;

  *map = NULL;
  IRZ_TRY(is_nrrd(image.path, &nrrd, error));
  IRZ_TRY(irz_alloc(map, 1, sizeof(**map), error));
  with.map = *map;
  IrzCode code = (nrrd ? irz_nrrd_open : irz_nifti_open)(plan, *map, &image, error);
  if (code == IRZ_OK) code = apply(&with, error);
  if (image.close != NULL) image.close(&image);
  free(image.labels);
  free(with.entry);
  free(with.overlap);
  if (code != IRZ_OK) {
    irz_label_map_free(*map);
    *map = NULL;
  }
  return code;
}

/// Make an empty map with another one's numbers and room for its arrays; the pointers in `numbers` are not used.
static IrzCode prepare_copy(const IrzLabelMap *numbers, IrzLabelMap **copy, IrzError *error) {
  IRZ_TRY(irz_alloc(copy, 1, sizeof(**copy), error));
  IrzLabelMap *map = *copy;
  *map = *numbers;
  map->regions = NULL;
  map->labels = NULL;
  map->voxels = NULL;
  map->region = NULL;
  map->n_levels = 0;
  memset(map->block, 0, sizeof(map->block));
  IRZ_TRY(irz_alloc(&map->regions, (size_t)map->n_regions, sizeof(*map->regions), error));
  IRZ_TRY(irz_alloc(&map->labels, (size_t)map->n_labels, sizeof(*map->labels), error));
  IRZ_TRY(irz_alloc(&map->voxels, (size_t)map->n_regions, sizeof(*map->voxels), error));
  IRZ_TRY(irz_alloc(&map->region, (size_t)map->size[0] * (size_t)map->size[1] * (size_t)map->size[2], 1, error));
  return IRZ_OK;
}

IrzCode irz_label_map_share(MPI_Comm comm, IrzLabelMap **map, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(map != NULL);
  IrzError own = {.code = IRZ_OK};
  IrzLabelMap numbers = {.region = NULL}, *shared = NULL;
  int rank, size, present;

  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  if (rank != 0) *map = NULL;
  present = *map != NULL;
  MPI_Bcast(&present, 1, MPI_INT, 0, comm);
  if (!present || size == 1) return IRZ_OK;

  if (rank == 0 && *map) numbers = **map;
  MPI_Bcast(&numbers, (int)sizeof(numbers), MPI_BYTE, 0, comm);
  if (rank == 0) {
    shared = *map;
  } else {
    prepare_copy(&numbers, &shared, &own);
  }
  if (irz_error_agree(comm, &own) == IRZ_OK) {
    MPI_Bcast(shared->regions, shared->n_regions * (int)sizeof(*shared->regions), MPI_BYTE, 0, comm);
    MPI_Bcast(shared->labels, shared->n_labels * (int)sizeof(*shared->labels), MPI_BYTE, 0, comm);
    MPI_Bcast(shared->voxels, shared->n_regions, MPI_INT64_T, 0, comm);
    MPI_Bcast(shared->region, shared->size[0] * shared->size[1] * shared->size[2], MPI_BYTE, 0, comm);
    if (rank != 0) build_blocks(shared, &own);
    irz_error_agree(comm, &own);
  }
  if (own.code != IRZ_OK) {
    if (rank != 0) irz_label_map_free(shared);
    return irz_error_set(error, own.code, "%s", own.text);
  }
  *map = shared;
  return IRZ_OK;
}

void irz_label_map_free(IrzLabelMap *map) {
  if (!map) return;
  for (int level = 0; level < map->n_levels; level++) free(map->block[level]);
  free(map->regions);
  free(map->labels);
  free(map->voxels);
  free(map->region);
  free(map);
}
