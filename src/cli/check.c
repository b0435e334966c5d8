/* irezone check: read a plan and what it refers to, and say what would run. */
#include "cli/cli.h"
#include <irezone/anatomy.h>
#include <irezone/mesh.h>

/* Read what the plan refers to, so that a missing surface is found here and not on the cluster. */
static IrzCode check_files(IrzPlan *plan, IrzError *error) {
  if (plan->anatomy.labels[0] != '\0') {
    IrzLabelMap *map;
    IRZ_TRY(irz_label_map_read(plan, &map, error));
    irz_label_map_free(map);
  }
  if (plan->mesh.file[0] == '\0') return IRZ_OK;
  IrzMesh *mesh;
  IRZ_TRY(irz_mesh_read(plan->mesh.file, plan->mesh.scale, &mesh, error));
  IrzCode code = irz_mesh_check(mesh, plan, plan->mesh.file, error);
  irz_mesh_free(mesh);
  return code;
}

static IrzCode check(const IrzArguments *arguments, IrzError *error) {
  IrzPlan *plan;
  IRZ_TRY(irz_cli_plan(arguments, &plan, error));
  IrzCode code = check_files(plan, error);
  if (code == IRZ_OK && irz_cli_first()) irz_plan_print(plan, stdout);
  if (code == IRZ_OK) irz_cli_warnings(plan);
  irz_plan_free(plan);
  return code;
}

static const IrzOption options[] = {IRZ_OPTION_SET, {NULL, NULL, false}};

const IrzCommand irz_command_check = {
    .name = "check",
    .usage = "PLAN.yaml [--set key.path=value]...",
    .summary = "validate a plan and print what would run",
    .help = "Reads the plan and the mesh or label map it names, checks units, limits and geometry, and prints what\n"
            "`run` would do, without solving anything. Values beyond the limits of the usual generator and its\n"
            "probes are warnings; nonsense is an error.\n",
    .options = options,
    .least_operands = 1,
    .most_operands = 1,
    .run = check,
};
