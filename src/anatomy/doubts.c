/* What cannot be meant about needles in a label map: said as warnings, each with what would explain it. */
#include "anatomy/metal_box.h"
#include "anatomy/voxel.h"
#include "base/entry.h"
#include "base/vector.h"
#include "plan/plan.h"

#include <ctype.h>
#include <irezone/anatomy.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_PART 0.5         // share of a needle's bare metal beyond which a word is said
#define EXPLAINED 0.9         // share that must lie in mapped regions for another reading of the plan to be named
#define METAL_IN_VESSEL 5e-4  // m of bare metal in a vessel that are more than the edges of voxels
#define SHAFT_IN_VESSEL 2e-3  // m of shaft
#define FAR_FROM_TUMOUR 15e-3 // m between a tumour and the nearest bare metal
#define FAR_FROM_ANY 20e-3    // m between any mapped region and the nearest bare metal
#define NEAR_UNMAPPED 10e-3   // m within which labels that are not mapped are named
#define MUCH_LARGER 2         // times the largest organ: a tumour may fill half of one, and more of a part of the scan
#define SHORTEST 0.05e-3      // m, below which a stretch is rounding

/// What is looked at.
typedef struct {
  IrzPlan *plan;
  const IrzLabelMap *map;
  const IrzPaths *paths;
  bool vessel[IRZ_LABEL_MAX_REGIONS + 1], tumour[IRZ_LABEL_MAX_REGIONS + 1]; ///< by region
} Case;

/* ---- What a region is, by its tissue and its name ---- */

/// Whether a word of a name, in small letters, begins or ends with one of some texts.
static bool has_word(const char *name, const char *const *begins, const char *const *ends) {
  char word[IRZ_NAME_MAX];
  for (const char *c = name; *c != '\0';) {
    size_t n = 0;
    while (*c != '\0' && !isalpha((unsigned char)*c)) c++;
    for (; isalpha((unsigned char)*c) && n + 1 < sizeof word; c++) word[n++] = (char)tolower((unsigned char)*c);
    word[n] = '\0';
    for (int i = 0; begins[i] != NULL; i++) {
      if (strncmp(word, begins[i], strlen(begins[i])) == 0) return true;
    }
    for (int i = 0; ends[i] != NULL; i++) {
      size_t length = strlen(ends[i]);
      if (n >= length && strcmp(word + n - length, ends[i]) == 0) return true;
    }
  }
  return false;
}

/// Whether a needle does not belong there: what carries blood, bile or urine.
static bool is_vessel(const IrzPlan *plan, const char *region) {
  static const char *const begins[] = {"vein",   "vena",        "venous", "cava",    "arter",
                                       "aort",   "vessel",      "vascul", "portal",  "bile",
                                       "biliar", "gallbladder", "ureter", "urethra", NULL};
  static const char *const ends[] = {"vein", "veins", "artery", "arteries", "duct", "ducts", "vessel", "vessels", NULL};
  static const char *const presets[] = {"vessel", "bile-duct", "urethra"};
  int t = irz_plan_tissue(plan, region);
  if (t > 0) {
    const IrzTissue *tissue = &plan->tissues[t];
    if (tissue->heat.blood) return true;
    for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++) {
      if (strcmp(tissue->preset, presets[i]) == 0) return true;
    }
  }
  return has_word(region, begins, ends);
}

/// Whether it is what a treatment aims at.
static bool is_tumour(const IrzPlan *plan, const char *region) {
  static const char *const begins[] = {"tumo",    "lesion", "metasta", "cancer", "carcinoma", "hcc", "nodul",
                                       "neoplas", "malign", "gtv",     "ctv",    "ptv",       NULL};
  static const char *const ends[] = {NULL};
  int t = irz_plan_tissue(plan, region);
  return has_word(region, begins, ends) || (t > 0 && strstr(plan->tissues[t].preset, "tumour") != NULL);
}

/// Whether the default tissue is none that needles are put into.
static bool default_is_filling(const IrzPlan *plan) {
  static const char *const filling[] = {"fat", "bone", "gel", "vessel", "bile-duct", "nerve", "lung"};
  for (size_t i = 0; i < sizeof filling / sizeof filling[0]; i++) {
    if (strcmp(plan->tissues[0].preset, filling[i]) == 0) return true;
  }
  return false;
}

/* ---- Sums over needles ---- */

static bool is_needle(const IrzProbe *probe) {
  return probe->has_geometry && probe->plate[0] == 0;
}

/// Add the length of a probe's bare metal, lying elsewhere or otherwise, per region.
static void add_metal(const Case *c, const double tip[3], const double direction[3], double exposure, double *length) {
  irz_label_map_line(c->map, tip, direction, 0, exposure, length);
}

/// "14.0 mm liver, 6.0 mm tumour", of mapped regions only.
static void say_lengths(const Case *c, const double *length, char *text, size_t size) {
  size_t used = 0;
  text[0] = '\0';
  for (int r = 1; r < c->map->n_regions; r++) {
    if (length[r] < SHORTEST || used + IRZ_NAME_MAX + 24 > size) continue;
    used += (size_t)snprintf(text + used, size - used, "%s%.1f mm in %s", used > 0 ? ", " : "", 1e3 * length[r],
                             c->map->regions[r].name);
  }
}

static double sum(const double *length, int from, int to) {
  double total = 0;
  for (int r = from; r < to; r++) total += length[r];
  return total;
}

/// Append to a list of names.
static void list(char *text, size_t size, const char *name) {
  size_t used = strlen(text);
  if (used + strlen(name) + 3 < size) snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "", name);
}

/* ---- Other readings of the plan ---- */

/// Other places where needles might be meant to be.
typedef enum { OTHER_FRAME, IN_CM, IN_M, IN_VOXELS, N_READINGS } Reading;

/// Tip and direction of a probe in another reading; false if there is none.
static bool read_otherwise(const Case *c, const IrzProbe *probe, Reading reading, double tip[3], double direction[3]) {
  double scale = reading == IN_CM ? 10 : reading == IN_M ? 1000 : 1;
  memcpy(direction, probe->direction, 3 * sizeof *direction);
  for (int k = 0; k < 3; k++) tip[k] = scale * probe->tip[k];
  if (reading == OTHER_FRAME) {
    for (int k = 0; k < 2; k++) tip[k] = -tip[k], direction[k] = -direction[k];
  }
  if (reading == IN_VOXELS) {
    double voxel[3];
    for (int k = 0; k < 3; k++) voxel[k] = 1e3 * probe->tip[k];
    irz_voxel_place(c->map->to_world[0], voxel, tip);
    for (int k = 0; k < 3; k++) direction[k] = irz_dot(c->map->to_world[k], probe->direction);
    double length = sqrt(irz_dot(direction, direction));
    if (!(length > 0)) return false;
    for (int k = 0; k < 3; k++) direction[k] /= length;
  }
  return true;
}

/// What would put most of the metal into mapped regions, as a sentence behind a full stop; "" if nothing does.
static void explain(const Case *c, char *text, size_t size) {
  static const char *const how[] = {NULL, "in cm instead of mm", "in m instead of mm", "as numbers of voxels"};
  double most = 0;
  text[0] = '\0';
  for (Reading reading = 0; reading < N_READINGS; reading++) {
    double length[IRZ_LABEL_MAX_REGIONS + 1] = {0}, total = 0;
    for (int p = 0; p < c->plan->n_probes; p++) {
      const IrzProbe *probe = &c->plan->probes[p];
      double tip[3], direction[3];
      if (!is_needle(probe) || !read_otherwise(c, probe, reading, tip, direction)) continue;
      add_metal(c, tip, direction, probe->exposure, length);
      total += probe->exposure;
    }
    double mapped = sum(length, 1, c->map->n_regions);
    if (mapped <= MOST_PART * total || mapped <= most) continue;
    most = mapped;
    char lengths[400], reads[80];
    say_lengths(c, length, lengths, sizeof lengths);
    if (reading == OTHER_FRAME) {
      snprintf(reads, sizeof reads, "With frame: %s", c->plan->anatomy.frame == IRZ_FRAME_LPS ? "RAS" : "LPS");
    } else {
      snprintf(reads, sizeof reads, "If the tips were given %s,", how[reading]);
    }
    snprintf(text, size, ". %s %.1f mm would lie in mapped regions: %s", reads, 1e3 * mapped, lengths);
  }
}

/* ---- Warnings ---- */

/// Place of the warnings about needles.
#define PLACE "%s:%d: probes: "
#define PLACE_OF(c, p) (c)->plan->file, (c)->plan->probes[p].line

/// Corners of the box around the image, m.
static void image_box(const IrzLabelMap *map, double low[3], double high[3]) {
  for (int d = 0; d < 3; d++) {
    low[d] = high[d] = map->to_world[d][3];
    for (int e = 0; e < 3; e++) {
      double from = -0.5 * map->to_world[d][e], to = (map->size[e] - 0.5) * map->to_world[d][e];
      low[d] += fmin(from, to), high[d] += fmax(from, to);
    }
  }
}

/// Bare metal outside the image.
/// @return whether that has been said, of most of all metal
static bool doubt_outside(const Case *c, const char *otherwise) {
  int outside = c->map->n_regions, first = -1;
  size_t columns = (size_t)outside + 1;
  double beyond = 0, total = 0, low[3], high[3];
  char names[IRZ_MAX_PROBES * (IRZ_NAME_MAX + 2)] = "";
  for (int p = 0; p < c->paths->n_probes; p++) {
    const double *metal = c->paths->metal + (size_t)p * columns;
    total += sum(metal, 0, outside + 1);
    if (metal[outside] < SHORTEST) continue;
    beyond += metal[outside];
    list(names, sizeof names, c->plan->probes[p].name);
    if (first < 0) first = p;
  }
  if (first < 0) return false;
  image_box(c->map, low, high);
  irz_plan_warn(
      c->plan,
      PLACE "%.1f of %.1f mm of bare metal (%s) lie outside the image %s, which covers x %.4g to %.4g, y %.4g "
            "to %.4g, z %.4g to %.4g mm (RAS); there the tissue is default%s%s",
      PLACE_OF(c, first), 1e3 * beyond, 1e3 * total, names, irz_path_from_here(c->plan->anatomy.labels), 1e3 * low[0],
      1e3 * high[0], 1e3 * low[1], 1e3 * high[1], 1e3 * low[2], 1e3 * high[2], otherwise,
      c->plan->markups ? ". Does a transform apply to the markups in Slicer? Harden it before saving them, or "
                         "state it as probes.transform"
                       : "");
  return beyond > MOST_PART * total;
}

/// Bare metal in the image, but in no region that the plan maps.
static void doubt_default(const Case *c, const char *otherwise) {
  size_t columns = (size_t)c->map->n_regions + 1;
  bool filling = default_is_filling(c->plan), all = true;
  int first = -1;
  double nearest = INFINITY;
  char names[IRZ_MAX_PROBES * (IRZ_NAME_MAX + 24)] = "";
  for (int p = 0; p < c->paths->n_probes; p++) {
    const double *metal = c->paths->metal + (size_t)p * columns;
    double total = sum(metal, 0, c->map->n_regions + 1);
    if (total == 0) continue;
    if (metal[0] <= MOST_PART * total) {
      all = false;
      continue;
    }
    char one[IRZ_NAME_MAX + 24];
    snprintf(one, sizeof one, "%.1f of %.1f mm of %s", 1e3 * metal[0], 1e3 * total, c->plan->probes[p].name);
    list(names, sizeof names, one);
    if (first < 0) first = p;
  }
  if (first < 0) return;
  for (int r = 1; r < c->map->n_regions; r++) nearest = fmin(nearest, irz_label_map_nearest(c->map, c->plan, r));
  /* Needles in a default tissue that is an organ, beside what is mapped, may well be meant. */
  if (!filling && !(all && (otherwise[0] != '\0' || nearest > FAR_FROM_ANY))) return;
  irz_plan_warn(c->plan, PLACE "bare metal lies in no mapped region, so in the default tissue%s%s%s: %s%s",
                PLACE_OF(c, first), c->plan->tissues[0].preset[0] != '\0' ? " (" : "", c->plan->tissues[0].preset,
                c->plan->tissues[0].preset[0] != '\0' ? ")" : "", names, otherwise);
}

/// Needles whose direction points the wrong way: metal and shaft have changed places.
static void doubt_directions(const Case *c) {
  size_t columns = (size_t)c->map->n_regions + 1;
  bool any_tumour = false;
  int first = -1;
  char names[IRZ_MAX_PROBES * (IRZ_NAME_MAX + 2)] = "";
  double length[IRZ_LABEL_MAX_REGIONS + 1] = {0};
  for (int r = 1; r < c->map->n_regions; r++) any_tumour = any_tumour || (c->tumour[r] && c->map->voxels[r] > 0);
  for (int p = 0; p < c->paths->n_probes; p++) {
    const IrzProbe *probe = &c->plan->probes[p];
    const double *metal = c->paths->metal + (size_t)p * columns;
    double turned[IRZ_LABEL_MAX_REGIONS + 1] = {0}, back[3], now = 0, then = 0;
    if (!is_needle(probe) || probe->needle[0] != '\0') continue;
    for (int k = 0; k < 3; k++) back[k] = -probe->direction[k];
    add_metal(c, probe->tip, back, probe->exposure, turned);
    for (int r = 1; r < c->map->n_regions; r++) {
      bool wanted = any_tumour ? c->tumour[r] : !c->vessel[r];
      now += wanted ? metal[r] : 0;
      then += wanted ? turned[r] : 0;
    }
    if (now > MOST_PART * probe->exposure || then < EXPLAINED * probe->exposure) continue;
    list(names, sizeof names, probe->name);
    for (int r = 0; r <= c->map->n_regions; r++) length[r] += turned[r];
    if (first < 0) first = p;
  }
  if (first < 0) return;
  char lengths[400];
  say_lengths(c, length, lengths, sizeof lengths);
  irz_plan_warn(c->plan, PLACE "with the direction reversed, the bare metal of %s would lie there: %s. %s",
                PLACE_OF(c, first), names, lengths,
                c->plan->markups ? "Is the other point the tip (tip: first or last)?"
                                 : "Does direction point from the tip towards the handle?");
}

/// Tips that have gone through an organ, so that the shaft is in it and the metal is not.
static void doubt_ends(const Case *c) {
  size_t columns = (size_t)c->map->n_regions + 1;
  if (!default_is_filling(c->plan)) return;
  int first = -1;
  char names[IRZ_MAX_PROBES * (IRZ_NAME_MAX + 2)] = "";
  for (int p = 0; p < c->paths->n_probes; p++) {
    const double *metal = c->paths->metal + (size_t)p * columns, *shaft = c->paths->shaft + (size_t)p * columns;
    double exposure = c->plan->probes[p].exposure;
    if (!is_needle(&c->plan->probes[p]) || c->plan->probes[p].needle[0] != '\0') continue;
    if (sum(metal, 1, c->map->n_regions) >= SHORTEST || sum(shaft, 1, c->map->n_regions) < exposure) continue;
    list(names, sizeof names, c->plan->probes[p].name);
    if (first < 0) first = p;
  }
  if (first < 0) return;
  irz_plan_warn(c->plan,
                PLACE "the shaft of %s passes mapped regions, but none of its bare metal lies in one: have tip and "
                      "handle changed places?",
                PLACE_OF(c, first), names);
}

/// The most that a probe's bare metal has in a region at any position of a pull-back.
static double metal_in(const Case *c, int p, int region) {
  const IrzProbe *probe = &c->plan->probes[p];
  double most = 0;
  for (int k = 0; k <= c->plan->pullback.count; k++) {
    double length[IRZ_LABEL_MAX_REGIONS + 1] = {0}, from = k * c->plan->pullback.step;
    irz_label_map_line(c->map, probe->tip, probe->direction, from, from + probe->exposure, length);
    most = fmax(most, length[region]);
  }
  return most;
}

/// Needles in vessels and ducts.
static void doubt_vessels(const Case *c) {
  size_t columns = (size_t)c->map->n_regions + 1;
  for (int p = 0; p < c->paths->n_probes; p++) {
    const IrzProbe *probe = &c->plan->probes[p];
    const double *shaft = c->paths->shaft + (size_t)p * columns;
    if (!is_needle(probe)) continue;
    int at_tip = irz_label_map_region(c->map, probe->tip);
    for (int r = 1; r < c->map->n_regions; r++) {
      if (!c->vessel[r]) continue;
      double metal = metal_in(c, p, r);
      if (metal >= METAL_IN_VESSEL) {
        irz_plan_warn(c->plan, "%s:%d: probes: %.1f mm of the bare metal of %s%s lie in %s", PLACE_OF(c, p),
                      1e3 * metal, probe->name, at_tip == r ? ", its tip among them," : "", c->map->regions[r].name);
      } else if (shaft[r] >= SHAFT_IN_VESSEL) {
        irz_plan_warn(c->plan, "%s:%d: probes: the shaft of %s passes %.1f mm of %s", PLACE_OF(c, p),
                      probe->needle[0] != '\0' ? probe->needle : probe->name, 1e3 * shaft[r], c->map->regions[r].name);
      }
    }
  }
}

/// Tumours that are much larger than any organ, and such that no needle is near.
static void doubt_tumours(const Case *c) {
  int organ = 0;
  for (int r = 1; r < c->map->n_regions; r++) {
    bool candidate = !c->vessel[r] && !c->tumour[r] && strcmp(c->map->regions[r].name, "default") != 0;
    if (candidate && (organ == 0 || c->map->voxels[r] > c->map->voxels[organ])) organ = r;
  }
  for (int r = 1; r < c->map->n_regions; r++) {
    if (!c->tumour[r] || c->map->voxels[r] == 0) continue;
    double ratio =
        organ > 0 && c->map->voxels[organ] > 0 ? (double)c->map->voxels[r] / (double)c->map->voxels[organ] : 0;
    if (ratio > MUCH_LARGER) {
      irz_plan_warn(c->plan, "%s:%d: anatomy.map: %s has %.3g times the volume of %s: are their labels swapped?",
                    c->plan->file, c->plan->anatomy.line, c->map->regions[r].name, ratio, c->map->regions[organ].name);
    }
    double nearest = irz_label_map_nearest(c->map, c->plan, r);
    if (!isfinite(nearest) || nearest <= FAR_FROM_TUMOUR) continue;
    irz_plan_warn(c->plan, PLACE "no bare metal comes nearer than %.1f mm to %s", PLACE_OF(c, 0), 1e3 * nearest,
                  c->map->regions[r].name);
  }
}

/// Labels that are near, but not mapped. Where the default tissue is an organ, the largest of them will be that organ.
static void doubt_unmapped(const Case *c) {
  char labels[400] = "";
  int organ = default_is_filling(c->plan) ? -1 : 0;
  for (int u = 1; u < c->map->n_unmapped && organ >= 0; u++) {
    if (c->map->unmapped[u].voxels > c->map->unmapped[organ].voxels) organ = u;
  }
  for (int u = 0; u < c->map->n_unmapped; u++) {
    char label[IRZ_LABEL_NAME_MAX + 32];
    if (u == organ || c->map->unmapped[u].nearest > NEAR_UNMAPPED) continue;
    irz_unmapped_text(&c->map->unmapped[u], label, sizeof label);
    list(labels, sizeof labels, label);
  }
  if (labels[0] == '\0') return;
  irz_plan_warn(
      c->plan,
      "%s:%d: anatomy.map: label%s %s occur%s within %.0f mm of bare metal but %s not mapped: there the tissue is "
      "default. Map %s, to default if that is meant",
      c->plan->file, c->plan->anatomy.line, strchr(labels, ',') != NULL ? "s" : "", labels,
      strchr(labels, ',') != NULL ? "" : "s", 1e3 * NEAR_UNMAPPED, strchr(labels, ',') != NULL ? "are" : "is",
      strchr(labels, ',') != NULL ? "them" : "it");
}

/// Plates that lie outside the image altogether.
static void doubt_plates(const Case *c) {
  double low[3], high[3];
  image_box(c->map, low, high);
  for (int p = 0; p < 2; p++) {
    for (int corner = 0; corner < 5; corner++) { /* the fifth: the middle of the face */
      double x[3];
      memcpy(x, c->plan->probes[p].tip, sizeof x);
      if (corner < 4) irz_plate_corner(&c->plan->probes[p], corner, x);
      bool inside = true;
      for (int d = 0; d < 3; d++) inside = inside && x[d] >= low[d] && x[d] <= high[d];
      if (inside) return;
    }
  }
  irz_plan_warn(c->plan,
                "%s:%d: plates: they lie outside the image %s, which covers x %.4g to %.4g, y %.4g to %.4g, z %.4g to "
                "%.4g mm (RAS); there the tissue is default",
                PLACE_OF(c, 0), irz_path_from_here(c->plan->anatomy.labels), 1e3 * low[0], 1e3 * high[0], 1e3 * low[1],
                1e3 * high[1], 1e3 * low[2], 1e3 * high[2]);
}

void irz_anatomy_doubt(IrzPlan *plan, const IrzLabelMap *map, const IrzPaths *paths) {
  IRZ_ENTER_QUIETLY;
  Case c = {.plan = plan, .map = map, .paths = paths};
  bool any = false;
  for (int p = 0; p < plan->n_probes; p++) any = any || is_needle(&plan->probes[p]);
  if (plan->n_probes == 2 && plan->probes[0].plate[0] > 0) doubt_plates(&c);
  if (!any || plan->pullback.position > 0) return;
  for (int r = 1; r < map->n_regions; r++) {
    c.vessel[r] = is_vessel(plan, map->regions[r].name);
    c.tumour[r] = !c.vessel[r] && is_tumour(plan, map->regions[r].name);
  }
  char otherwise[600];
  explain(&c, otherwise, sizeof otherwise);
  bool elsewhere = doubt_outside(&c, otherwise);
  if (!elsewhere) {
    doubt_default(&c, otherwise);
    doubt_directions(&c);
    doubt_ends(&c);
    doubt_tumours(&c);
  }
  doubt_vessels(&c);
  doubt_unmapped(&c);
}
