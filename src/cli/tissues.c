/* irezone tissues: the presets and their sources. */
#include "cli/cli.h"
#include <irezone/tissue.h>

static IrzCode tissues(const IrzArguments *arguments, IrzError *error) {
  if (arguments->n_operands == 0) {
    irz_presets_print(stdout);
    return IRZ_OK;
  }
  const IrzPreset *preset = irz_preset_find(arguments->operands[0]);
  if (preset == NULL) {
    return irz_error_set(error, IRZ_ERR_PLAN, "no preset \"%s\"; `irezone tissues` lists them", arguments->operands[0]);
  }
  irz_preset_print(preset, stdout);
  return IRZ_OK;
}

static const IrzOption options[] = {IRZ_OPTION_END};

const IrzCommand irz_command_tissues = {
    .name = "tissues",
    .usage = "[NAME]",
    .summary = "list the tissue presets; with a name, each number and its source",
    .help = "A source that says \"stand-in\" marks a number that is not published for the tissue; \"recalled, not\n"
            "checked\" one whose source could not be read again.\n",
    .options = options,
    .most_operands = 1,
    .run = tissues,
};
