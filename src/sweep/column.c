/* Columns that a sweep takes from the summary, by their paths in it (results/path.h). */
#include "base/memory.h"
#include "plan/keys.h"
#include "plan/plan.h"
#include "results/json.h"
#include "results/path.h"
#include "sweep/sweep.h"
#include <irezone/mesh.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
  MAX_TRIED = 1000, // cases whose plans are asked whether they have a column
};

void irz_sweep_take_columns(const IrzSweep *sweep, const json_t *summary, double *values) {
  for (int k = 0; k < sweep->n_columns; k++) irz_result_find(summary, sweep->columns[k].path, &values[k]);
}

/* ---- Which columns there can be ---- */

/// Add a region to a summary that is being made up.
static void add_region(IrzZone *zone, const char *name) {
  for (int r = 0; r < zone->n_regions; r++) {
    if (strcmp(zone->regions[r].region, name) == 0) return;
  }
  snprintf(zone->regions[zone->n_regions++].region, IRZ_NAME_MAX, "%s", name);
}

/// The mesh that was read last: cases often share it.
typedef struct {
  char path[IRZ_PATH_MAX];
  IrzMesh *mesh;
} LastMesh;

static IrzCode read_mesh(const IrzPlan *plan, LastMesh *last, IrzError *error) {
  if (strcmp(last->path, plan->mesh.file) == 0) return IRZ_OK;
  irz_mesh_free(last->mesh);
  last->mesh = NULL;
  snprintf(last->path, sizeof last->path, "%s", plan->mesh.file);
  if (plan->mesh.file[0] == '\0') return IRZ_OK;
  return irz_mesh_read(irz_path_from_here(plan->mesh.file), plan->mesh.scale, &last->mesh, error);
}

/// The regions that the tissue of a plan has: those of its mesh or label map.
static IrzCode add_regions(const IrzPlan *plan, LastMesh *last, IrzZone *zone, IrzError *error) {
  IRZ_TRY(read_mesh(plan, last, error));
  int from_mesh = last->mesh != NULL ? last->mesh->n_regions : 0;
  IRZ_TRY(irz_alloc(&zone->regions, (size_t)(1 + plan->anatomy.n_map + from_mesh), sizeof *zone->regions, error));
  if (last->mesh == NULL) add_region(zone, "default");
  for (int i = 0; i < plan->anatomy.n_map; i++) add_region(zone, plan->anatomy.map[i].region);
  for (int r = 0; r < from_mesh; r++) add_region(zone, last->mesh->regions[r].name);
  return IRZ_OK;
}

/// What a needle may cross and must avoid, without numbers.
static IrzCode add_needle(const IrzPlan *plan, const IrzProbe *probe, IrzNeedle *needle, IrzError *error) {
  memcpy(needle->name, probe->needle[0] != '\0' ? probe->needle : probe->name, sizeof needle->name);
  IRZ_TRY(irz_alloc(&needle->crossed, (size_t)plan->anatomy.n_map, sizeof *needle->crossed, error));
  needle->n_crossed = plan->anatomy.n_map;
  for (int i = 0; i < needle->n_crossed; i++) {
    memcpy(needle->crossed[i].region, plan->anatomy.map[i].region, IRZ_NAME_MAX);
  }
  needle->n_clearances = plan->anatomy.n_map > 0 ? plan->patient.needles.n_avoid : 0;
  for (int i = 0; i < needle->n_clearances; i++) {
    memcpy(needle->clearance[i].region, plan->patient.needles.avoid[i], IRZ_NAME_MAX);
  }
  return IRZ_OK;
}

/// How needles lie, and what they are checked for.
static IrzCode add_needles(const IrzPlan *plan, IrzSummary *summary, IrzError *error) {
  irz_pairs_find(plan, &summary->pairs);
  if (!plan->patient.needles.on) return IRZ_OK;
  IRZ_TRY(irz_alloc(&summary->needles, 1, sizeof *summary->needles, error));
  for (int p = 0; p < plan->n_probes; p++) {
    const IrzProbe *probe = &plan->probes[p];
    if (!probe->has_geometry || probe->plate[0] > 0 || probe->place > 0) continue;
    IRZ_TRY(add_needle(plan, probe, &summary->needles->needle[summary->needles->n++], error));
  }
  return IRZ_OK;
}

/// What `patient` will come to, without numbers.
static IrzCode add_patient(const IrzPlan *plan, IrzSummary *summary, IrzError *error) {
  if (!plan->patient.on) return IRZ_OK;
  IRZ_TRY(irz_alloc(&summary->patient, 1, sizeof *summary->patient, error));
  IrzPatient *patient = summary->patient;
  patient->n_targets = plan->patient.n_targets;
  IRZ_TRY(irz_alloc(&patient->targets, (size_t)patient->n_targets, sizeof *patient->targets, error));
  for (int i = 0; i < patient->n_targets; i++) {
    memcpy(patient->targets[i].region, plan->patient.target[i].region, IRZ_NAME_MAX);
  }
  patient->n_at_risk = plan->patient.n_at_risk;
  IRZ_TRY(irz_alloc(&patient->at_risk, (size_t)patient->n_at_risk, sizeof *patient->at_risk, error));
  for (int i = 0; i < patient->n_at_risk; i++) {
    memcpy(patient->at_risk[i].region, plan->patient.at_risk[i].region, IRZ_NAME_MAX);
    patient->at_risk[i].limit = plan->patient.at_risk[i].max_field;
  }
  if (plan->patient.compare.labels[0] != '\0')
    IRZ_TRY(irz_alloc(&patient->compare, 1, sizeof *patient->compare, error));
  return IRZ_OK;
}

/// A summary of the shape that a plan's will have, without numbers.
static IrzCode make_shape(const IrzPlan *plan, LastMesh *last, json_t **shape, IrzError *error) {
  *shape = NULL;
  IrzSummary summary = {.plan = plan, .n_pulses = (1 + plan->pullback.count) * plan->n_pulses};
  IrzZone *zone = &summary.zone;
  IrzCode code = irz_alloc(&summary.pulses, (size_t)summary.n_pulses, sizeof *summary.pulses, error);
  if (code == IRZ_OK && plan->heat.on) code = irz_alloc(&summary.heat, 1, sizeof *summary.heat, error);
  if (code == IRZ_OK) code = add_regions(plan, last, zone, error);
  if (code == IRZ_OK) code = add_needles(plan, &summary, error);
  if (code == IRZ_OK) code = add_patient(plan, &summary, error);
  zone->n_also = plan->zone.n_also;
  for (int k = 0; k < zone->n_also; k++) zone->also[k].threshold = plan->zone.also[k];
  zone->n_survival = plan->death.model == IRZ_DEATH_THRESHOLD ? 0 : plan->death.n_survival;
  for (int k = 0; k < zone->n_survival; k++) zone->by_survival[k].survival = plan->death.survival[k];
  if (code == IRZ_OK) {
    *shape = irz_summary_object(&summary);
    if (*shape == NULL) code = irz_out_of_memory(0, error);
  }
  irz_summary_clear(&summary);
  return code;
}

IrzCode irz_sweep_check_columns(const IrzSweep *sweep, IrzError *error) {
  json_t *first = NULL;
  LastMesh last = {.path = ""};
  bool found[IRZ_SWEEP_MAX_COLUMNS] = {false};
  int n_left = 0;
  for (int k = 0; k < sweep->n_columns; k++) {
    found[k] = sweep->columns[k].line == 0;
    n_left += !found[k];
  }
  for (int i = 1; i <= sweep->n_cases && i <= MAX_TRIED && n_left > 0; i++) {
    IrzPlan *plan = NULL;
    json_t *shape = NULL;
    IrzError unusable = {0}; /* a case that cannot run says so in its row */
    bool usable =
        irz_sweep_plan(sweep, i, &plan, &unusable) == IRZ_OK && make_shape(plan, &last, &shape, &unusable) == IRZ_OK;
    for (int k = 0; k < sweep->n_columns && usable; k++) {
      if (found[k] || !irz_result_can_have(shape, sweep->columns[k].path)) continue;
      found[k] = true;
      n_left--;
    }
    irz_plan_free(plan);
    if (first == NULL)
      first = shape;
    else
      json_decref(shape);
  }
  IrzCode code = IRZ_OK;
  for (int k = 0; k < sweep->n_columns && first != NULL && code == IRZ_OK; k++) {
    char place[IRZ_PATH_MAX + 64];
    snprintf(place, sizeof place, "%s:%d: columns: ", sweep->file, sweep->columns[k].line);
    if (!found[k]) code = irz_result_explain(first, sweep->columns[k].path, place, error);
  }
  json_decref(first);
  irz_mesh_free(last.mesh);
  return code;
}

/* ---- Columns that are there unasked ---- */

/// Whether a name has a word in it, in small or capital letters.
static bool has_word(const char *name, const char *word) {
  for (; *name != '\0'; name++) {
    if (strncasecmp(name, word, strlen(word)) == 0) return true;
  }
  return false;
}

/// Whether a tissue is a tumour, or what a treatment aims at, by its region's name or by its preset.
static bool is_tumour(const IrzTissue *tissue) {
  static const char *const words[] = {"tumour", "tumor", "lesion", "target", "metasta"};
  if (strcmp(tissue->region, "default") == 0) return false;
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (has_word(tissue->region, words[i]) || has_word(tissue->preset, words[i])) return true;
  }
  return false;
}

/// Add a column unless it was asked for. It has no line: nobody wrote it.
static IrzCode add_column(IrzSweep *sweep, const char *path, IrzError *error) {
  for (int k = 0; k < sweep->n_columns; k++) {
    if (strcmp(sweep->columns[k].path, path) == 0) return IRZ_OK;
  }
  if (sweep->n_columns == IRZ_SWEEP_MAX_COLUMNS) return IRZ_OK;
  size_t n = (size_t)sweep->n_columns, size = strlen(path) + 1;
  IRZ_TRY(irz_resize(&sweep->columns, n + 1, sizeof *sweep->columns, error));
  sweep->columns[n] = (IrzSweepColumn){NULL, 0};
  IRZ_TRY(irz_alloc(&sweep->columns[n].path, size, 1, error));
  memcpy(sweep->columns[n].path, path, size);
  sweep->n_columns++;
  return IRZ_OK;
}

IrzCode irz_sweep_add_columns(IrzSweep *sweep, IrzError *error) {
  IrzPlan *plan = NULL;
  for (int i = 1; i <= sweep->n_cases && i <= MAX_TRIED && plan == NULL; i++) {
    IrzError unusable = {0};
    irz_sweep_plan(sweep, i, &plan, &unusable);
  }
  IrzCode code = IRZ_OK;
  for (int t = 0; plan != NULL && t < plan->n_tissues && code == IRZ_OK; t++) {
    char path[IRZ_KEY_PATH_MAX];
    if (!is_tumour(&plan->tissues[t])) continue;
    snprintf(path, sizeof path, "zone.by_region.%s.ablated_percent", plan->tissues[t].region);
    code = add_column(sweep, path, error);
  }
  irz_plan_free(plan);
  return code;
}
