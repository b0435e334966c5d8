/* irezone help: commands, and the topics plan and results. */
#include "cli/cli.h"
#include <irezone/result.h>
#include <string.h>

static const char results_files[] =
    "`irezone run` writes two files into DIR (-o), each under a temporary name first, so that what stands under a "
    "final\n"
    "name is whole.\n"
    "\n"
    "NAME.json, the summary: one JSON object; `[]` is a list of such maps. `columns` of a sweep name its numbers by "
    "their\n"
    "paths, as in zone.volume_cm3, pulses[0].current_A or zone.by_region.tumour.ablated_cm3.\n";

static const char results_fields[] =
    "\n"
    "NAME.hdf, the fields: a VTKHDF UnstructuredGrid that ParaView 5.10 and later opens with File > Open; lengths in "
    "mm.\n"
    "  points    potential_V (several pulses: potential_V_01 ...), field_V_per_cm (largest over the pulses; cut at "
    "any\n"
    "            level it has the summary's volume within its error, cells taken as eight flat ones, as ParaView "
    "does),\n"
    "            conductivity_S_per_m, zone (1 where the field reaches the threshold), survival (share of cells, 0 to\n"
    "            1; if death.model is peleg-fermi) and survival_score (ln((1 - S) / S): draw a level of survival by "
    "it, the\n"
    "            volumes are those of by_survival; S itself is a step where elements are large). The middle point of "
    "an\n"
    "            edge across a kink of sigma(E) lies on the kink\n"
    "  cells     region, field_vector_V_per_cm, conductivity_tensor_S_per_m (xx, yy, zz, xy, yz, xz; if a tissue is\n"
    "            anisotropic, where conductivity_S_per_m is that along the field)\n"
    "  /irezone  the plan as it was applied, and the summary\n"
    "\n"
    "Exit status: 0 done, 2 usage or plan, 3 mesh or other input file, 4 solver did not converge, 5 output could not "
    "be\n"
    "written, 6 out of memory, 75 stopped by a signal.\n";

/* Help on one command. */
static void command_help(const IrzCommand *command) {
  printf("usage: irezone %s %s\n\n%s.\n\n%s", command->name, command->usage, command->summary, command->help);
}

/* The list of commands. */
static void overview(void) {
  printf("irezone %s: which tissue does irreversible electroporation kill?\n", IRZ_VERSION);
  printf("For research; not a medical device.\n\nusage: irezone COMMAND ...\n\n");
  for (int i = 0; irz_commands[i] != NULL; i++) {
    printf("  %-9s %s\n            irezone %s %s\n", irz_commands[i]->name, irz_commands[i]->summary,
           irz_commands[i]->name, irz_commands[i]->usage);
  }
  printf("\n`irezone help COMMAND` says more; `irezone help plan` lists every key of a plan; `irezone help results`\n"
         "describes the output. `irezone --version` prints the version.\n");
}

static IrzCode help(const IrzArguments *arguments, IrzError *error) {
  const char *topic = arguments->n_operands > 0 ? arguments->operands[0] : "";
  const IrzCommand *command = NULL;
  for (int i = 0; irz_commands[i] != NULL; i++) {
    if (strcmp(irz_commands[i]->name, topic) == 0) command = irz_commands[i];
  }
  if (strcmp(topic, "completion") == 0) {
    if (arguments->n_operands == 2) return irz_completion_print(arguments->operands[1], stdout, error);
    return irz_error_set(error, IRZ_ERR_PLAN, "usage: irezone help completion bash | zsh | fish");
  }
  if (strcmp(topic, "keys") == 0 && arguments->n_operands == 1) {
    irz_plan_keys(stdout);
    return IRZ_OK;
  }
  if (arguments->n_operands > 1)
    return irz_error_set(error, IRZ_ERR_PLAN, "usage: irezone help %s", irz_command_help.usage);
  bool known = command != NULL || topic[0] == '\0' || strcmp(topic, "plan") == 0 || strcmp(topic, "results") == 0;
  if (!known) return irz_error_set(error, IRZ_ERR_PLAN, "no help on \"%s\"; see `irezone help`", topic);
  if (command != NULL) {
    command_help(command);
  } else if (strcmp(topic, "plan") == 0) {
    irz_plan_help(stdout);
  } else if (strcmp(topic, "results") == 0) {
    fputs(results_files, stdout);
    irz_results_help(stdout);
    fputs(results_fields, stdout);
  } else {
    overview();
  }
  return IRZ_OK;
}

static const IrzOption options[] = {IRZ_OPTION_END};

const IrzCommand irz_command_help = {
    .name = "help",
    .usage = "[COMMAND | plan | keys | results | completion SHELL]",
    .summary = "explain a command, the plan or the results",
    .help = "Without a word, lists the commands. `plan` explains every key of a plan, `keys` lists their paths, as "
            "--set takes\n"
            "them, a line each; `results` explains what a run writes;\n"
            "`completion` prints what lets bash, zsh or fish complete commands and options, as in\n"
            "    irezone help completion bash > ~/.local/share/bash-completion/completions/irezone\n",
    .options = options,
    .operand = "plan keys results completion",
    .most_operands = 2,
    .run = help,
};
