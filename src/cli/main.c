/* The program irezone: finds the command, sorts its arguments, calls it. Every failure is one line and a status. */
#include "cli/cli.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#define IN_LIST(name) &irz_command_##name,
const IrzCommand *const irz_commands[] = {IRZ_COMMANDS(IN_LIST) NULL};

/* The option of a command that a word names, up to its "=". */
static const IrzOption *find_option(const IrzCommand *command, const char *word, size_t length) {
  for (const IrzOption *option = command->options; option->name != NULL; option++) {
    if (strlen(option->name) == length && strncmp(option->name, word, length) == 0) return option;
    if (option->letter != NULL && strlen(option->letter) == length && strncmp(option->letter, word, length) == 0) {
      return option;
    }
  }
  return NULL;
}

/* One word that begins with "-": the option, with its value from behind "=" or from the next word. */
static IrzCode sort_option(const IrzCommand *command, int argc, char **argv, int *at, IrzArguments *arguments,
                           IrzError *error) {
  const char *word = argv[*at], *equals = strncmp(word, "--", 2) == 0 ? strchr(word, '=') : NULL;
  size_t length = equals != NULL ? (size_t)(equals - word) : strlen(word);
  const IrzOption *option = find_option(command, word, length);
  if (option == NULL) {
    return irz_error_set(error, IRZ_ERR_PLAN, "%s: unknown option %.*s; see `irezone help %s`", command->name,
                         (int)length, word, command->name);
  }
  IrzGiven *given = &arguments->options[arguments->n_options++];
  given->name = option->name;
  if (option->value == NULL) {
    if (equals == NULL) return IRZ_OK;
    return irz_error_set(error, IRZ_ERR_PLAN, "%s: %s takes no value", command->name, option->name);
  }
  if (equals != NULL) {
    given->value = equals + 1;
  } else if (*at + 1 < argc) {
    given->value = argv[++*at];
  } else {
    return irz_error_set(error, IRZ_ERR_PLAN, "%s: %s needs a value", command->name, option->name);
  }
  return IRZ_OK;
}

/* Sort the words behind the command's name. The lists of `arguments` have room for all. */
static IrzCode sort_arguments(const IrzCommand *command, int argc, char **argv, IrzArguments *arguments,
                              IrzError *error) {
  for (int i = 0; i < argc; i++) {
    if (strcmp(argv[i], "--") == 0) {
      if (!command->takes_petsc) {
        return irz_error_set(error, IRZ_ERR_PLAN, "%s: takes no options for PETSc", command->name);
      }
      arguments->petsc = argv + i + 1;
      arguments->n_petsc = argc - i - 1;
      break;
    }
    if (argv[i][0] == '-' && argv[i][1] != '\0') {
      IRZ_TRY(sort_option(command, argc, argv, &i, arguments, error));
    } else {
      arguments->operands[arguments->n_operands++] = argv[i];
    }
  }
  if (arguments->n_operands < command->least_operands || arguments->n_operands > command->most_operands) {
    return irz_error_set(error, IRZ_ERR_PLAN, "usage: irezone %s %s", command->name, command->usage);
  }
  return IRZ_OK;
}

/* Whether `--help` stands among a command's words: `irezone run PLAN --help` is `irezone help run`. */
static bool asks_for_help(int argc, char **argv) {
  for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return true;
  }
  return false;
}

/* Find and run the command. */
static IrzCode run_command(int argc, char **argv, IrzError *error) {
  static const char *const spellings[][2] = {
      {"--help", "help"}, {"-h", "help"}, {"--version", "version"}, {"-V", "version"}};
  if (argc < 2) return irz_error_set(error, IRZ_ERR_PLAN, "usage: irezone COMMAND ...; see `irezone help`");
  const char *name = argv[1];
  for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
    if (strcmp(name, spellings[i][0]) == 0) name = spellings[i][1];
  }
  if (strcmp(name, "version") == 0) {
    printf("irezone %s\n", IRZ_VERSION);
    return IRZ_OK;
  }
  char names[256] = "";
  for (int i = 0; irz_commands[i] != NULL; i++) {
    const IrzCommand *command = irz_commands[i];
    size_t used = strlen(names);
    snprintf(names + used, sizeof names - used, "%s%s", used > 0 ? ", " : "", command->name);
    if (strcmp(name, command->name) != 0) continue;
    bool help = asks_for_help(argc - 2, argv + 2);
    int count = help ? 1 : argc - 2;
    char **words = help ? argv + 1 : argv + 2;
    if (help) command = &irz_command_help;
    IrzArguments arguments = {0};
    arguments.operands = calloc((size_t)argc, sizeof *arguments.operands);
    arguments.options = calloc((size_t)argc, sizeof *arguments.options);
    IrzCode code = IRZ_OK;
    if (arguments.operands == NULL || arguments.options == NULL) {
      code = irz_error_set(error, IRZ_ERR_MEMORY, "out of memory");
    }
    const bool together = command->collective && irz_cli_launched() >= 0;
    if (together) irz_cli_set_rank(irz_cli_launched());
    if (code == IRZ_OK) code = sort_arguments(command, count, words, &arguments, error);
    if (code == IRZ_OK) code = command->run(&arguments, error);
    if (code != IRZ_OK && together) code = irz_cli_agree(true, error);
    free((void *)arguments.operands);
    free(arguments.options);
    return code;
  }
  return irz_error_set(error, IRZ_ERR_PLAN, "no command \"%s\"; there are %s", name, names);
}

/* SuperLU_DIST, which PETSc may bring along, has told the C library never to give memory back, for the sake of its own
   many allocations. Our matrices are few and large: as mappings of their own they grow without being copied and are
   gone when they are freed. Smaller blocks stay in the heap, where the next ones need not be cleared by the system. */
static void give_memory_back(void) {
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 65536);
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
  mallopt(M_TRIM_THRESHOLD, 16 << 20);
#endif
}

/* End the process. Everything is written and closed by now, MPI and PETSc have ended; what the libraries' destructors
   would still tidy up, hundreds of them, goes with the process (6 ms). The sanitizers report at the usual end. */
static _Noreturn void leave(int status) {
#ifdef IRZ_SANITIZED
  exit(status);
#else
  fflush(NULL);
  _exit(status);
#endif
}

/* Where a standard stream is closed, the next file that anybody opens would take its place, and get what is meant for
   the stream. Reading from this one, and writing to the output, fails as on a closed one; messages are lost. */
static void fill_streams(void) {
  const int mode[] = {O_WRONLY, O_RDONLY, O_WRONLY};
  for (int stream = 0; stream < 3; stream++) {
    if (fcntl(stream, F_GETFD) < 0 && open("/dev/null", mode[stream]) != stream) _exit(IRZ_ERR_OUTPUT);
  }
}

int main(int argc, char **argv) {
  IrzError error = {0};
  fill_streams();
  give_memory_back();
  signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like any other */
  IrzCode code = run_command(argc, argv, &error);
  bool lost = fflush(stdout) != 0 || ferror(stdout);
  if ((close(STDOUT_FILENO) != 0 || lost) && code == IRZ_OK) {
    code = irz_error_set(&error, IRZ_ERR_OUTPUT, "the standard output could not be written");
  }
  if (code != IRZ_OK) irz_cli_say(&error);
  leave(code);
}
