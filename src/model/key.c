/* What of a plan decides its meshes. */
#include "model/model.h"
#include <string.h>

/// Whether two probes are the same needle.
static bool same_probe(const IrzProbe *a, const IrzProbe *b) {
  if (strcmp(a->name, b->name) != 0 || strcmp(a->surface, b->surface) != 0) return false;
  if (a->has_geometry != b->has_geometry) return false;
  if (!a->has_geometry) return true;
  for (int d = 0; d < 3; d++) {
    if (a->tip[d] != b->tip[d] || a->direction[d] != b->direction[d]) return false;
  }
  for (int d = 0; d < 3; d++) {
    if (a->side[d] != b->side[d] || (d < 2 && a->plate[d] != b->plate[d])) return false;
  }
  if (a->tip_shape != b->tip_shape || a->place != b->place) return false;
  return a->exposure == b->exposure && a->diameter == b->diameter;
}

bool irz_model_serves(const IrzModel *model, const IrzPlan *plan) {
  if (model == NULL || plan == NULL || plan->missing != NULL) return false;
  const IrzPlan *own = model->stage[0]->geometry;
  if (plan->n_probes != own->n_probes || plan->idle_probes != own->idle_probes) return false;
  for (int p = 0; p < plan->n_probes; p++) {
    if (!same_probe(&plan->probes[p], &own->probes[p])) return false;
  }
  if (plan->pullback.count != own->pullback.count || plan->pullback.step != own->pullback.step) return false;
  if (strcmp(plan->mesh.file, own->mesh.file) != 0 || plan->mesh.order != own->mesh.order) return false;
  if (plan->mesh.file[0] != '\0' && plan->mesh.scale != own->mesh.scale) return false;
  if (plan->mesh.file[0] == '\0' && (plan->mesh.size != own->mesh.size || plan->mesh.accuracy != own->mesh.accuracy)) {
    return false;
  }
  if (strcmp(plan->anatomy.labels, own->anatomy.labels) != 0 || plan->anatomy.frame != own->anatomy.frame) return false;
  if (plan->anatomy.labels[0] == '\0') return true;
  if (plan->anatomy.transform != own->anatomy.transform) return false;
  if (plan->anatomy.n_map != own->anatomy.n_map) return false;
  for (int i = 0; i < plan->anatomy.n_map; i++) {
    if (plan->anatomy.map[i].label != own->anatomy.map[i].label) return false;
    if (strcmp(plan->anatomy.map[i].region, own->anatomy.map[i].region) != 0) return false;
  }
  return true;
}
