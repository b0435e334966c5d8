/* The program: a table of commands, one file each. Knows only the public API. */
#ifndef IREZONE_CLI_H
#define IREZONE_CLI_H

#include <irezone/plan.h>

/// An option that a command takes.
typedef struct {
  const char *name;   ///< "--threads"
  const char *letter; ///< "-q", or NULL
  bool has_value;
} IrzOption;

/// An option that was given.
typedef struct {
  const char *name;
  const char *value; ///< NULL if it has none
} IrzGiven;

/// What follows the command's name.
typedef struct {
  int n_operands;
  const char **operands;
  int n_options;
  IrzGiven *options;
  int n_petsc;
  char **petsc; ///< what stands behind `--`
} IrzArguments;

/// A command.
typedef struct {
  const char *name;
  const char *usage;        ///< what follows the name
  const char *summary;      ///< one line
  const char *help;         ///< paragraphs
  const IrzOption *options; ///< ends with a NULL name
  int least_operands, most_operands;
  bool takes_petsc; ///< options behind `--` are allowed
  IrzCode (*run)(const IrzArguments *arguments, IrzError *error);
} IrzCommand;

/// All commands; ends with NULL.
extern const IrzCommand *const irz_commands[];

extern const IrzCommand irz_command_run, irz_command_check, irz_command_mesh, irz_command_info, irz_command_tissues,
    irz_command_help, irz_command_sweep;

/// `--set` and its kind, for commands that read a plan.
#define IRZ_OPTION_SET                                                                                                 \
  { "--set", NULL, true }
#define IRZ_OPTION_OUTPUT                                                                                              \
  { "--output", "-o", true }
#define IRZ_OPTION_QUIET                                                                                               \
  { "--quiet", "-q", false }
#define IRZ_OPTION_THREADS                                                                                             \
  { "--threads", NULL, true }

/// Value of an option (the last one given), "" if it has none, or NULL if it was not given.
const char *irz_argument(const IrzArguments *arguments, const char *name);

/// A whole number given to an option, or `standard`.
IrzCode irz_argument_number(const IrzArguments *arguments, const char *name, int least, int most, int standard,
                            int *value, IrzError *error);

/// Read the plan that the first operand names, with the `--set` overrides.
IrzCode irz_cli_plan(const IrzArguments *arguments, IrzPlan **plan, IrzError *error);

/// Print the warnings of a plan, on the first rank.
void irz_cli_warnings(const IrzPlan *plan);

/// Whether this process is the one that talks: rank 0, or the only one. Needs no MPI.
bool irz_cli_first(void);

/// Start MPI and PETSc, quietly: no signal handlers, no stack traces. In a process of its own it spares MPI the search
/// for networks.
/// @param[in]  arguments  whose PETSc options apply
IrzCode irz_cli_start(const IrzArguments *arguments, IrzError *error);

/// Stop them; warns of PETSc options that nobody read.
void irz_cli_stop(void);

/// From now on SIGINT, SIGTERM and SIGUSR1 end the process with one line and status 75.
void irz_signals_catch(void);

/// Hold signals back while results are being written, or let them through again.
void irz_signals_hold(bool hold);

/// Progress on a terminal, plain lines elsewhere.
typedef struct {
  bool quiet;
  bool terminal;
  bool drawn; ///< a bar stands on the terminal's line
  char stage[32];
} IrzProgress;

/// Begin.
void irz_progress_begin(IrzProgress *progress, bool quiet);

/// For IrzModelOptions.progress; `context` is an IrzProgress.
void irz_progress_show(void *context, const char *stage, double fraction);

/// Remove the bar.
void irz_progress_end(IrzProgress *progress);

#endif
