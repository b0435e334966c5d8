/* The files that a plan names, checked before anything is solved. */
#include "base/entry.h"
#include "mesh/plan_regions.h"
#include "plan/plan.h"
#include <irezone/anatomy.h>

/* Read the label map and find where the needles lie in it. */
static IrzCode check_anatomy(IrzPlan *plan, IrzLabelMap **map, IrzPaths **paths, IrzError *error) {
  if (plan->anatomy.labels[0] == '\0') return IRZ_OK;
  IRZ_TRY(irz_label_map_read(plan, map, error));
  IRZ_TRY(irz_paths_find(plan, *map, paths, error));
  irz_anatomy_doubt(plan, *map, *paths);
  return irz_plan_check_regions(plan, *map, (*map)->n_regions, (*map)->regions, error);
}

/* Read the mesh that the plan refers to. */
static IrzCode check_mesh(IrzPlan *plan, IrzError *error) {
  if (plan->mesh.file[0] == '\0') return IRZ_OK;
  IrzMesh *mesh;
  IRZ_TRY(irz_mesh_read(irz_path_from_here(plan->mesh.file), plan->mesh.scale, &mesh, error));
  IrzCode code = irz_mesh_check(mesh, plan, irz_path_from_here(plan->mesh.file), error);
  if (code == IRZ_OK && plan->anatomy.labels[0] == '\0') {
    code = irz_plan_check_regions(plan, NULL, mesh->n_regions, mesh->regions, error);
  }
  irz_mesh_free(mesh);
  return code;
}

IrzCode irz_plan_check_files(IrzPlan *plan, IrzLabelMap **map, IrzPaths **paths, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(plan != NULL);
  IrzLabelMap *own_map = NULL;
  IrzPaths *own_paths = NULL;
  if (map != NULL) *map = NULL;
  if (paths != NULL) *paths = NULL;
  IRZ_TRY(irz_plan_check(plan, error));
  IrzCode code = check_anatomy(plan, &own_map, &own_paths, error);
  if (code == IRZ_OK) code = check_mesh(plan, error);
  if (code == IRZ_OK && map != NULL) {
    *map = own_map;
    own_map = NULL;
  }
  if (code == IRZ_OK && paths != NULL) {
    *paths = own_paths;
    own_paths = NULL;
  }
  irz_paths_free(own_paths);
  irz_label_map_free(own_map);
  return code;
}
