/* irezone check: read a plan and what it refers to, and say what would run. */
#include "cli/cli.h"
#include <irezone/anatomy.h>
#include <irezone/needles.h>
#include <irezone/pairs.h>
#include <irezone/patient.h>

static IrzCode check(const IrzArguments *arguments, IrzError *error) {
  IrzPlan *plan;
  IrzLabelMap *map = NULL;
  IrzPaths *paths = NULL;
  IrzNeedleChecks *needles = NULL;
  IrzPairs pairs;
  IRZ_TRY(irz_cli_plan(arguments, &plan, error));
  IrzCode code = irz_plan_check_files(plan, &map, &paths, error);
  irz_pairs_find(plan, &pairs);
  if (code == IRZ_OK) irz_pairs_doubt(plan, &pairs);
  if (code == IRZ_OK) code = irz_compare_check(plan, error);
  if (code == IRZ_OK) code = irz_needles_check(plan, map, &needles, error);
  if (code == IRZ_OK) {
    irz_plan_print(plan, stdout);
    if (map != NULL) irz_label_map_print(map, plan, stdout);
    if (paths != NULL) irz_paths_print(paths, plan, stdout);
    irz_pairs_print(&pairs, stdout);
    irz_needles_print(needles, stdout);
  }
  if (code == IRZ_OK) irz_cli_warnings(plan);
  irz_needles_free(needles);
  irz_paths_free(paths);
  irz_label_map_free(map);
  irz_plan_free(plan);
  return code;
}

static const IrzOption options[] = {IRZ_OPTION_SET, IRZ_OPTION_END};

const IrzCommand irz_command_check = {
    .name = "check",
    .usage = "PLAN.yaml [--set key.path=value]...",
    .summary = "validate a plan and print what would run",
    .help = "Reads the plan and the mesh or label map it names, checks units, limits and geometry, and prints what\n"
            "`run` would do, without solving anything. Values beyond the limits of the usual generator and its\n"
            "probes are warnings; nonsense is an error. It says how needles lie to one another and, with\n"
            "`patient.needles`, whether they can be placed so. - in the place of the file reads the plan from the\n"
            "standard input.\n",
    .options = options,
    .operand = "yaml",
    .operand_is_file = true,
    .least_operands = 1,
    .most_operands = 1,
    .run = check,
};
