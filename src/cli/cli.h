/* The program: a list of commands, one file each. Knows only the public API. */
#ifndef IREZONE_CLI_H
#define IREZONE_CLI_H

#include <irezone/plan.h>
#include <signal.h>
#include <stdio.h>

/// An option that a command takes.
typedef struct {
  const char *name;   ///< "--threads"
  const char *letter; ///< "-q", or NULL
  const char *value;  ///< what it takes: "N", "DIR" ...; NULL: nothing
  const char *help;   ///< a few words, for shells that complete it
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
  const char *operand;      ///< what shells offer in its place: the endings of files ("yaml", "msh hdf"), or words
  bool operand_is_file;
  int least_operands, most_operands;
  bool takes_petsc; ///< options behind `--` are allowed
  bool collective;  ///< ranks of MPI work together
  IrzCode (*run)(const IrzArguments *arguments, IrzError *error);
} IrzCommand;

/// The commands, in the order in which help lists them. NAME is irz_command_NAME in NAME.c.
#define IRZ_COMMANDS(DO) DO(run) DO(sweep) DO(check) DO(mesh) DO(info) DO(serve) DO(tissues) DO(help)

#define IRZ_COMMAND_DECLARED(name) extern const IrzCommand irz_command_##name;
IRZ_COMMANDS(IRZ_COMMAND_DECLARED)

/// All commands; ends with NULL.
extern const IrzCommand *const irz_commands[];

/// Print what makes a shell complete commands and options: bash, zsh or fish.
/// @return IRZ_OK, or IRZ_ERR_PLAN for another shell
IrzCode irz_completion_print(const char *shell, FILE *out, IrzError *error);

/// Options that several commands take.
#define IRZ_OPTION_SET                                                                                                 \
  { "--set", NULL, "KEY=VALUE", "override a value of the plan" }
#define IRZ_OPTION_OUTPUT                                                                                              \
  { "--output", "-o", "DIR", "where results go" }
#define IRZ_OPTION_QUIET                                                                                               \
  { "--quiet", "-q", NULL, "no progress and no summary" }
#define IRZ_OPTION_THREADS                                                                                             \
  { "--threads", NULL, "N", "threads per process" }
#define IRZ_OPTION_END                                                                                                 \
  { NULL, NULL, NULL, NULL }

/// Value of an option (the last one given), "" if it has none, or NULL if it was not given.
const char *irz_argument(const IrzArguments *arguments, const char *name);

/// A whole number given to an option, or `standard`.
IrzCode irz_argument_number(const IrzArguments *arguments, const char *name, int least, int most, int standard,
                            int *value, IrzError *error);

/// Read the plan that the first operand names, with the `--set` overrides.
IrzCode irz_cli_plan(const IrzArguments *arguments, IrzPlan **plan, IrzError *error);

/// Print the warnings of a plan, on the first rank.
void irz_cli_warnings(const IrzPlan *plan);

/// Rank that a launcher of MPI programs has given this process; -1: none has started it. Needs no MPI. What the
/// launcher says is only true of commands that work together; serial ones do all their work in every task.
int irz_cli_launched(void);

/// State the rank of this process, for irz_cli_first().
void irz_cli_set_rank(int rank);

/// What was stated.
int irz_cli_rank(void);

/// Whether this process is the one that talks: rank 0, or any process of a command that knows no others.
bool irz_cli_first(void);

/// Agree, before anything else, that no rank has failed until now. Collective.
/// @param[in] failed  this one has, before it could start MPI: start it
IrzCode irz_cli_agree(bool failed, IrzError *error);

/// Agree that all ranks have the same texts: each is compared with rank 0's. Collective.
/// @param[in] what  names of them, as in "plan": "rank 1 has another plan than rank 0"
IrzCode irz_cli_agree_on(int count, const char *const *what, const char *const *text, IrzError *error);

/// Drop PETSc's options, where ranks were given different ones: its end may do together what they say.
void irz_cli_forget_options(void);

/// Rank 0's bytes reach all ranks, which may wait for them for hours: they look now and then and sleep. Collective.
/// @param[in,out] data  [size], less than 2 GB
void irz_cli_broadcast(void *data, size_t size);

/// Start MPI and PETSc, quietly: no signal handlers, no stack traces. In a process of its own it spares MPI the search
/// for networks.
/// @param[in]  arguments  whose PETSc options apply
IrzCode irz_cli_start(const IrzArguments *arguments, IrzError *error);

/// Print an error's line, on the first rank and once; from then on signals that end the process say nothing. Where
/// ranks work together this comes before irz_cli_stop(), which waits for all: a launcher ends the other ranks as soon
/// as one has ended with a status.
void irz_cli_say(const IrzError *error);

/// From now on this process ends, with one line, where PETSc finds no memory: the other ranks wait in the same call,
/// and it cannot tell them. The launcher then ends them. For ranks that solve together.
void irz_cli_end_alone(void);

/// Stop them; warns of PETSc options that nobody read.
void irz_cli_stop(void);

/// From now on SIGINT, SIGTERM, SIGUSR1 and SIGHUP, which nohup may keep away, end the process with one line and status
/// 75. Who reads the standard output may close it.
/// @param[in] left  the end of that line: what is left
void irz_signals_catch(const char *left);

/// From now on the first signal is only noted; the second one ends the process.
/// @param[in]  left   the end of the line that the second one prints
/// @param[out] place  is set to 1 when a signal is noted; may be NULL
void irz_signals_hold(const char *left, volatile sig_atomic_t *place);

/// From now on a signal that ends the process says nothing.
void irz_signals_hush(void);

/// Name of the signal that was noted; NULL: none was.
const char *irz_signals_noted(void);

/// Progress on a terminal, plain lines elsewhere.
typedef struct {
  bool quiet;
  bool terminal;
  bool drawn; ///< a bar stands on the terminal's line
  char stage[32];
} IrzProgress;

/// Begin.
void irz_progress_begin(IrzProgress *progress, bool quiet);

/// For IrzSessionOptions.progress; `context` is an IrzProgress.
/// @return true: the work is to go on
bool irz_progress_show(void *context, const char *stage, double fraction);

/// Remove the bar.
void irz_progress_end(IrzProgress *progress);

#endif
