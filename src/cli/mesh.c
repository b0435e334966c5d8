/* irezone mesh: generate the mesh of a plan and write it. */
#include "cli/cli.h"
#include <irezone/anatomy.h>
#include <irezone/mesh.h>

/* Generate and write. */
static IrzCode generate(IrzPlan *plan, const char *path, IrzError *error) {
  IrzLabelMap *labels = NULL;
  if (irz_plan_labels_file(plan)[0] != '\0') IRZ_TRY(irz_label_map_read(plan, &labels, error));
  IrzMesh *mesh = NULL;
  IrzCode code = irz_mesh_generate(plan, NULL, labels, &mesh, error);
  if (code == IRZ_OK) code = irz_mesh_write(mesh, path, error);
  if (code == IRZ_OK) code = irz_mesh_print(mesh, stdout, error);
  irz_mesh_free(mesh);
  irz_label_map_free(labels);
  return code;
}

static IrzCode mesh_command(const IrzArguments *arguments, IrzError *error) {
  const char *path = irz_argument(arguments, "--output");
  if (path == NULL || path[0] == '\0') {
    return irz_error_set(error, IRZ_ERR_PLAN, "mesh: state where to write the mesh, as in -o FILE.msh");
  }
  IrzPlan *plan;
  IRZ_TRY(irz_cli_plan(arguments, &plan, error));
  IrzCode code = generate(plan, path, error);
  if (code == IRZ_OK) irz_cli_warnings(plan);
  irz_plan_free(plan);
  return code;
}

static const IrzOption options[] = {
    {"--output", "-o", "FILE.msh", "the mesh to write"}, IRZ_OPTION_SET, IRZ_OPTION_END};

const IrzCommand irz_command_mesh = {
    .name = "mesh",
    .usage = "PLAN.yaml -o FILE.msh [--set key.path=value]...",
    .summary = "only generate the mesh of a plan",
    .help =
        "Writes Gmsh MSH 4.1, binary, in mm. Its region is `default`, or with a label map the map's regions: where\n"
        "tissues differ near metal their smoothed surfaces are faces of elements, and what could not be fitted is\n"
        "printed. Its surfaces are every probe's name for the bare metal, NAME_insulated for the shaft, and outer.\n"
        "A plan can load it again with mesh.file, and without the map.\n",
    .options = options,
    .operand = "yaml",
    .operand_is_file = true,
    .least_operands = 1,
    .most_operands = 1,
    .run = mesh_command,
};
