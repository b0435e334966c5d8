/* What several commands need: options, the plan, and who talks. */
#include "cli/cli.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *irz_argument(const IrzArguments *arguments, const char *name) {
  const char *value = NULL;
  for (int i = 0; i < arguments->n_options; i++) {
    if (strcmp(arguments->options[i].name, name) != 0) continue;
    value = arguments->options[i].value != NULL ? arguments->options[i].value : "";
  }
  return value;
}

IrzCode irz_argument_number(const IrzArguments *arguments, const char *name, int least, int most, int standard,
                            int *value, IrzError *error) {
  *value = standard;
  const char *text = irz_argument(arguments, name);
  if (text == NULL) return IRZ_OK;
  char *end;
  long number = strtol(text, &end, 10);
  if (end == text || *end != '\0' || number < least || number > most) {
    return irz_error_set(error, IRZ_ERR_PLAN, "%s: \"%s\" must be a whole number from %d to %d", name, text, least,
                         most);
  }
  *value = (int)number;
  return IRZ_OK;
}

static int own_rank; /* of those that work together; 0 for a command that knows no others */

int irz_cli_launched(void) {
  static const char *const variables[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};
  for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
    const char *rank = getenv(variables[i]);
    if (rank != NULL) return atoi(rank);
  }
  return -1;
}

void irz_cli_set_rank(int rank) {
  own_rank = rank > 0 ? rank : 0;
}

int irz_cli_rank(void) {
  return own_rank;
}

bool irz_cli_first(void) {
  return own_rank == 0;
}

void irz_cli_say(const IrzError *error) {
  static bool said;
  if (!said && irz_cli_first()) fprintf(stderr, "irezone: %s\n", error->text);
  said = true;
  irz_signals_hush();
}

void irz_cli_warnings(const IrzPlan *plan) {
  if (!irz_cli_first()) return;
  for (int i = 0; i < irz_plan_n_warnings(plan); i++) {
    fprintf(stderr, "irezone: warning: %s\n", irz_plan_warning(plan, i));
  }
}

/* Whether a launcher started this process beside others. */
static bool one_of_several(void) {
  static const char *const variables[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"};
  for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
    const char *size = getenv(variables[i]);
    if (size != NULL && strcmp(size, "1") != 0) return true;
  }
  return false;
}

IrzCode irz_cli_plan(const IrzArguments *arguments, IrzPlan **plan, IrzError *error) {
  *plan = NULL;
  if (strcmp(arguments->operands[0], "-") == 0 && one_of_several()) {
    return irz_error_set(error, IRZ_ERR_PLAN,
                         "-: only one process can read a plan from the standard input; give a file to several");
  }
  IrzOverride *overrides = calloc((size_t)arguments->n_options + 1, sizeof *overrides);
  if (overrides == NULL) return irz_error_set(error, IRZ_ERR_MEMORY, "out of memory");
  int count = 0;
  for (int i = 0; i < arguments->n_options; i++) {
    if (strcmp(arguments->options[i].name, "--set") == 0) overrides[count++].text = arguments->options[i].value;
  }
  IrzCode code = irz_plan_read(arguments->operands[0], count, overrides, plan, error);
  bool file = strcmp(arguments->operands[0], "-") != 0;
  if (code == IRZ_OK && file) irz_plan_warn_of_moves(*plan, arguments->operands[0], count, overrides);
  free(overrides);
  return code;
}
