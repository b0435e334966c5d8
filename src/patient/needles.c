/* Needles: how deep, through what, past what; see irezone/needles.h. */
#include <irezone/needles.h>

#include "base/entry.h"
#include "base/memory.h"
#include "base/vector.h"
#include "patient/clearance.h"
#include "plan/geometry.h"
#include "plan/plan.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Steps in which the skin is looked for, m: shorter than any voxel.
static const double skin_step = 0.05e-3;

/// How far a needle without a stated length is followed, m.
static const double farthest = 0.4;

/// Stretches shorter than this, m, are rounding.
static const double shortest = 0.05e-3;

/// What one needle is checked with.
typedef struct {
  IrzPlan *plan;
  const IrzLabelMap *map;
  int first;   ///< its electrode at the tip
  double seen; ///< m from the tip, as far as it is looked at
} Checked;

/// A region of a map by its name, or -1.
static int find_region(const IrzLabelMap *map, const char *name) {
  for (int r = 0; r < map->n_regions; r++) {
    if (strcmp(map->regions[r].name, name) == 0) return r;
  }
  return -1;
}

static const IrzProbe *probe_of(const Checked *checked) {
  return &checked->plan->probes[checked->first];
}

static void place_at(const Checked *checked, double along, double x[3]) {
  const IrzProbe *probe = probe_of(checked);
  for (int k = 0; k < 3; k++) x[k] = probe->tip[k] + along * probe->direction[k];
}

/// Region at a place along a needle; outside the image that of what no region is.
static int region_at(const Checked *checked, double along) {
  double x[3];
  place_at(checked, along, x);
  return irz_label_map_region(checked->map, x);
}

/// Whether a place along a needle is inside the image.
static bool in_image(const Checked *checked, double along) {
  double x[3];
  place_at(checked, along, x);
  for (int d = 0; d < 3; d++) {
    double v = irz_dot(checked->map->to_voxel[d], x) + checked->map->to_voxel[d][3] + 0.5;
    if (!(v >= 0 && v < checked->map->size[d])) return false;
  }
  return true;
}

/// What was found of the skin along a needle. Lengths in m from the tip; NaN: there is none.
typedef struct {
  double exit;  ///< where the needle first leaves the skin's region for the outside
  double again; ///< where it enters a region of the map again after that
  bool cut_off; ///< `exit` is where the image ends
} Skin;

/// Where between two places a needle leaves a region.
static double refine(const Checked *checked, int region, double inside, double outside) {
  for (int k = 0; k < 30; k++) {
    double middle = 0.5 * (inside + outside);
    if (region_at(checked, middle) == region && in_image(checked, middle))
      inside = middle;
    else
      outside = middle;
  }
  return inside;
}

static Skin find_skin(const Checked *checked, int region) {
  Skin skin = {NAN, NAN, false};
  bool before = false;
  for (int i = 0; i * skin_step <= farthest; i++) {
    double along = i * skin_step;
    bool inside = in_image(checked, along);
    int here = region_at(checked, along);
    if (isnan(skin.exit) && before && (!inside || here == 0)) {
      skin.exit = refine(checked, region, along - skin_step, along);
      skin.cut_off = !inside;
    } else if (!isnan(skin.exit) && isnan(skin.again) && inside && here > 0) {
      skin.again = along;
    }
    before = inside && here == region;
  }
  return skin;
}

/// Find where a needle enters the skin, and say what is strange about it.
static void find_length(const Checked *checked, IrzNeedle *needle) {
  IrzPlan *plan = checked->plan;
  const IrzProbe *probe = probe_of(checked);
  const char *name = plan->patient.needles.skin;
  needle->length = probe->length > 0 ? probe->length : NAN;
  if (name[0] != '\0' && checked->map != NULL) {
    Skin skin = find_skin(checked, find_region(checked->map, name));
    needle->length = skin.cut_off ? NAN : skin.exit;
    if (isnan(skin.exit)) {
      irz_plan_warn(plan,
                    "%s:%d: patient.needles.skin: needle %s never leaves %s on its way to the handle: is its tip "
                    "outside the patient, its direction reversed, or the frame another (LPS, RAS)?",
                    plan->file, plan->patient.needles.line, needle->name, name);
    } else if (skin.cut_off) {
      irz_plan_warn(plan,
                    "%s:%d: patient.needles.skin: needle %s is still in %s where the image ends, %.1f mm from its tip: "
                    "how far the skin is cannot be said",
                    plan->file, plan->patient.needles.line, needle->name, name, 1e3 * skin.exit);
    } else if (!isnan(skin.again)) {
      irz_plan_warn(plan,
                    "%s:%d: patient.needles.skin: needle %s leaves %s %.1f mm from its tip and is in the patient again "
                    "at %.1f mm: the first is taken for the skin; organs in %s that `map` leaves out are holes in it",
                    plan->file, plan->patient.needles.line, needle->name, name, 1e3 * skin.exit, 1e3 * skin.again,
                    name);
    }
  }
  place_at(checked, needle->length, needle->entry);
}

/// How far a needle is looked at: as far as the skin; if that is not known, as far as it can be used, else to the wall
/// of the tissue box, else its bare metal.
static double seen_length(const Checked *checked, const IrzNeedle *needle) {
  const IrzPlan *plan = checked->plan;
  const IrzProbe *probe = probe_of(checked);
  double lower[3], upper[3];
  if (needle->length > 0) return needle->length;
  if (plan->patient.needles.length > 0) return plan->patient.needles.length;
  if (plan->mesh.file[0] != '\0') return probe->exposure;
  irz_plan_box(plan, lower, upper);
  return irz_box_exit(lower, upper, probe->tip, probe->direction, NULL);
}

static bool is_avoided(const IrzPlan *plan, const char *region) {
  for (int i = 0; i < plan->patient.needles.n_avoid; i++) {
    if (strcmp(plan->patient.needles.avoid[i], region) == 0) return true;
  }
  return false;
}

/// Add up what the bare metal of a needle's electrodes runs in.
static void add_metal(const Checked *checked, double *length) {
  const IrzPlan *plan = checked->plan;
  int p = checked->first;
  do {
    const IrzProbe *probe = &plan->probes[p];
    irz_label_map_line(checked->map, probe->tip, probe->direction, 0, probe->exposure, length);
  } while (++p < plan->n_probes && plan->probes[p].place > 0);
}

/// Find the regions that a needle runs in.
static IrzCode find_crossed(const Checked *checked, IrzNeedle *needle, IrzError *error) {
  const IrzLabelMap *map = checked->map;
  const IrzProbe *probe = probe_of(checked);
  double *length;
  size_t columns = (size_t)map->n_regions + 1;
  IRZ_TRY(irz_alloc(&length, 2 * columns, sizeof *length, error));
  IrzCode code = irz_alloc(&needle->crossed, columns, sizeof *needle->crossed, error);
  if (code == IRZ_OK) {
    irz_label_map_line(map, probe->tip, probe->direction, 0, checked->seen, length);
    add_metal(checked, length + columns);
  }
  for (int r = 0; code == IRZ_OK && r < map->n_regions; r++) {
    if (!(length[r] >= shortest)) continue;
    IrzCrossed *crossed = &needle->crossed[needle->n_crossed++];
    memcpy(crossed->region, map->regions[r].name, sizeof crossed->region);
    crossed->length = length[r];
    crossed->metal = length[columns + (size_t)r];
    crossed->avoided = is_avoided(checked->plan, crossed->region);
  }
  free(length);
  return code;
}

/// Find how near a needle comes to what it must avoid.
static IrzCode find_clearances(const Checked *checked, IrzNeedle *needle, IrzError *error) {
  const IrzPlan *plan = checked->plan;
  const IrzProbe *probe = probe_of(checked);
  IrzStretch stretch = {.length = checked->seen};
  memcpy(stretch.start, probe->tip, sizeof stretch.start);
  memcpy(stretch.axis, probe->direction, sizeof stretch.axis);
  for (int i = 0; i < plan->patient.needles.n_avoid; i++) {
    IrzClearance *clearance = &needle->clearance[needle->n_clearances++];
    memcpy(clearance->region, plan->patient.needles.avoid[i], sizeof clearance->region);
    int region = find_region(checked->map, clearance->region);
    IRZ_TRY(
        irz_clearance(checked->map, region, &stretch, &clearance->distance, clearance->at, &clearance->smooth, error));
    clearance->distance = fmax(clearance->distance - 0.5 * probe->diameter, 0);
  }
  return IRZ_OK;
}

/// Judge a needle, and say what is not allowed.
static void judge(const Checked *checked, IrzNeedle *needle) {
  IrzPlan *plan = checked->plan;
  double usable = plan->patient.needles.length, wanted = plan->patient.needles.clearance;
  needle->allowed = !(plan->patient.needles.skin[0] != '\0' && isnan(needle->length));
  if (needle->length > usable) {
    needle->allowed = false;
    irz_plan_warn(plan,
                  "%s:%d: patient.needles: needle %s: it is %.1f mm from the tip to the skin, but %.4g mm can be used",
                  plan->file, plan->patient.needles.line, needle->name, 1e3 * needle->length, 1e3 * usable);
  }
  for (int i = 0; i < needle->n_crossed; i++) {
    const IrzCrossed *crossed = &needle->crossed[i];
    if (!crossed->avoided) continue;
    needle->allowed = false;
    irz_plan_warn(plan, "%s:%d: patient.needles: needle %s crosses %.1f mm of %s, which it must avoid", plan->file,
                  plan->patient.needles.line, needle->name, 1e3 * crossed->length, crossed->region);
  }
  for (int i = 0; i < needle->n_clearances; i++) {
    const IrzClearance *clearance = &needle->clearance[i];
    bool crossed = false;
    for (int k = 0; k < needle->n_crossed; k++)
      crossed = crossed || strcmp(needle->crossed[k].region, clearance->region) == 0;
    if (crossed || (clearance->distance >= wanted * (1 - 1e-9) && clearance->distance > 0)) continue;
    needle->allowed = false;
    irz_plan_warn(plan,
                  "%s:%d: patient.needles: needle %s passes %s at %.1f mm, near (%.1f, %.1f, %.1f) mm; %.4g mm are "
                  "wanted",
                  plan->file, plan->patient.needles.line, needle->name, clearance->region, 1e3 * clearance->distance,
                  1e3 * clearance->at[0], 1e3 * clearance->at[1], 1e3 * clearance->at[2], 1e3 * wanted);
  }
}

/// The map must have what needles are checked against.
static IrzCode check_region(const IrzPlan *plan, const IrzLabelMap *map, const char *key, const char *name,
                            IrzError *error) {
  int region = find_region(map, name);
  if (region >= 0 && map->voxels[region] > 0) return IRZ_OK;
  return irz_error_set(error, IRZ_ERR_PLAN, "%s:%d: patient.needles.%s: the label map has no voxel of \"%s\"",
                       plan->file, plan->patient.needles.line, key, name);
}

static IrzCode check_regions(const IrzPlan *plan, const IrzLabelMap *map, IrzError *error) {
  if (map == NULL) return IRZ_OK;
  if (plan->patient.needles.skin[0] != '\0')
    IRZ_TRY(check_region(plan, map, "skin", plan->patient.needles.skin, error));
  for (int i = 0; i < plan->patient.needles.n_avoid; i++)
    IRZ_TRY(check_region(plan, map, "avoid", plan->patient.needles.avoid[i], error));
  return IRZ_OK;
}

static IrzCode check_needle(Checked *checked, IrzNeedle *needle, IrzError *error) {
  const IrzProbe *probe = probe_of(checked);
  memcpy(needle->name, probe->needle[0] != '\0' ? probe->needle : probe->name, sizeof needle->name);
  find_length(checked, needle);
  checked->seen = seen_length(checked, needle);
  if (checked->map != NULL) IRZ_TRY(find_crossed(checked, needle, error));
  if (checked->map != NULL) IRZ_TRY(find_clearances(checked, needle, error));
  judge(checked, needle);
  return IRZ_OK;
}

IrzCode irz_needles_check(IrzPlan *plan, const IrzLabelMap *map, IrzNeedleChecks **checks, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(plan != NULL && checks != NULL);
  IrzNeedleChecks *made;
  *checks = NULL;
  if (!plan->patient.needles.on) return IRZ_OK;
  IRZ_TRY(check_regions(plan, map, error));
  IRZ_TRY(irz_alloc(&made, 1, sizeof *made, error));
  IrzCode code = IRZ_OK;
  for (int p = 0; p < plan->n_probes && code == IRZ_OK; p++) {
    const IrzProbe *probe = &plan->probes[p];
    if (!probe->has_geometry || probe->plate[0] > 0 || probe->place > 0) continue;
    Checked checked = {.plan = plan, .map = map, .first = p};
    code = check_needle(&checked, &made->needle[made->n++], error);
  }
  if (code != IRZ_OK)
    irz_needles_free(made);
  else
    *checks = made;
  return code;
}
