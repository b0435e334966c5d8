/* What makes shells complete commands and options, from the list of commands: `irezone help completion SHELL`. */
#include "cli/cli.h"
#include <irezone/tissue.h>
#include <string.h>

/* Print the words that a command takes as operands, each with `before` in front of it. */
static void print_words(const IrzCommand *command, const char *before, FILE *out) {
  if (command == &irz_command_tissues) {
    int count;
    const IrzPreset *presets = irz_presets(&count);
    for (int i = 0; i < count; i++) fprintf(out, "%s%s", before, presets[i].name);
  }
  if (command == &irz_command_help) {
    for (int i = 0; irz_commands[i] != NULL; i++) fprintf(out, "%s%s", before, irz_commands[i]->name);
  }
  const char *word = command->operand != NULL && !command->operand_is_file ? command->operand : "";
  for (; *word != '\0'; word += strspn(word, " ")) {
    fprintf(out, "%s%.*s", before, (int)strcspn(word, " "), word);
    word += strcspn(word, " ");
  }
}

/* Whether an option's value is a folder or a file. */
static bool takes_path(const IrzOption *option) {
  return option->value != NULL && (strcmp(option->value, "DIR") == 0 || strncmp(option->value, "FILE", 4) == 0);
}

/* Whether an option's value begins with the path of a key of a plan. */
static bool takes_key(const IrzOption *option) {
  return option->value != NULL && strcmp(option->value, "KEY=VALUE") == 0;
}

static void print_bash(FILE *out) {
  fputs("# bash completion for irezone; made by `irezone help completion bash`\n"
        "_irezone() {\n"
        "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} options= words= endings= paths= "
        "values=\n"
        "  COMPREPLY=()\n"
        "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
        "    COMPREPLY=($(compgen -W \"",
        out);
  for (int i = 0; irz_commands[i] != NULL; i++) fprintf(out, "%s ", irz_commands[i]->name);
  fputs("--version --help\" -- \"$word\"))\n"
        "    return\n"
        "  fi\n"
        "  case ${COMP_WORDS[1]} in\n",
        out);
  for (int i = 0; irz_commands[i] != NULL; i++) {
    const IrzCommand *command = irz_commands[i];
    fprintf(out, "  %s)\n    options='--help", command->name);
    for (const IrzOption *option = command->options; option->name != NULL; option++) {
      fprintf(out, " %s%s%s", option->name, option->letter != NULL ? " " : "",
              option->letter != NULL ? option->letter : "");
    }
    fputs("'\n    paths=' ", out);
    for (const IrzOption *option = command->options; option->name != NULL; option++) {
      if (takes_path(option)) fprintf(out, "%s %s ", option->name, option->letter != NULL ? option->letter : "");
    }
    fputs("'\n    values=' ", out);
    for (const IrzOption *option = command->options; option->name != NULL; option++) {
      if (option->value != NULL && !takes_path(option) && !takes_key(option)) fprintf(out, "%s ", option->name);
    }
    fputs("'\n    words='", out);
    print_words(command, " ", out);
    fprintf(out, "'\n    endings='%s'\n    ;;\n", command->operand_is_file ? command->operand : "");
  }
  fputs("  esac\n"
        "  case $paths in *\" $before \"*) COMPREPLY=($(compgen -f -- \"$word\")); return ;; esac\n"
        "  if [ \"$before\" = --set ]; then\n"
        "    compopt -o nospace 2>/dev/null\n"
        "    COMPREPLY=($(compgen -S = -W \"$(irezone help keys 2>/dev/null)\" -- \"$word\"))\n"
        "    return\n"
        "  fi\n"
        "  case $values in *\" $before \"*) return ;; esac\n"
        "  if [[ $word == -* ]]; then\n"
        "    COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
        "    return\n"
        "  fi\n"
        "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
        "  [ -n \"$endings\" ] || return\n"
        "  local ending\n"
        "  for ending in $endings; do COMPREPLY+=($(compgen -G \"$word*.$ending\")); done\n"
        "  COMPREPLY+=($(compgen -d -- \"$word\"))\n"
        "}\n"
        "complete -o filenames -F _irezone irezone\n",
        out);
}

/* Text inside single quotes of zsh and fish; none of ours has such a quote itself. In zsh's specifications [ ] and :
   have a meaning. */
static void print_quoted(const char *text, FILE *out) {
  for (; *text != '\0'; text++) fprintf(out, strchr("[]:", *text) != NULL ? "\\%c" : "%c", *text);
}

static void print_zsh(FILE *out) {
  fputs("#compdef irezone\n# zsh completion for irezone; made by `irezone help completion zsh`\n"
        "local -a commands\ncommands=(\n",
        out);
  for (int i = 0; irz_commands[i] != NULL; i++) {
    fprintf(out, "  '%s:", irz_commands[i]->name);
    print_quoted(irz_commands[i]->summary, out);
    fputs("'\n", out);
  }
  fputs(")\nif (( CURRENT == 2 )); then\n  _describe command commands\n  return\nfi\nlocal command=$words[2]\n"
        "shift words\n(( CURRENT-- ))\ncase $command in\n",
        out);
  for (int i = 0; irz_commands[i] != NULL; i++) {
    const IrzCommand *command = irz_commands[i];
    fprintf(out, "%s)\n  _arguments", command->name);
    for (const IrzOption *option = command->options; option->name != NULL; option++) {
      const char *const names[] = {option->name, option->letter};
      for (int k = 0; k < 2 && names[k] != NULL; k++) {
        fprintf(out, " \\\n    '*%s[", names[k]);
        print_quoted(option->help, out);
        fputc(']', out);
        if (takes_key(option))
          fputs(":key:{compadd -S = -- ${(f)\"$(irezone help keys)\"}}", out);
        else if (option->value != NULL)
          fprintf(out, ":%s:%s", option->value, takes_path(option) ? "_files" : "");
        fputc('\'', out);
      }
    }
    if (command->operand_is_file) {
      fputs(" \\\n    '*:file:_files -g \"*.", out); /* in parentheses, a lone ending would be taken for flags */
      for (const char *c = command->operand; *c != '\0'; c++) fprintf(out, *c == ' ' ? " *." : "%c", *c);
      fputs("\"'", out);
    } else {
      fputs(" \\\n    '*:word:(", out);
      print_words(command, " ", out);
      fputs(")'", out);
    }
    fputs("\n  ;;\n", out);
  }
  fputs("esac\n", out);
}

static void print_fish(FILE *out) {
  fputs("# fish completion for irezone; made by `irezone help completion fish`\n", out);
  for (int i = 0; irz_commands[i] != NULL; i++) {
    const IrzCommand *command = irz_commands[i];
    fprintf(out, "complete -c irezone -n __fish_use_subcommand -f -a %s -d '%s'\n", command->name, command->summary);
    char seen[96];
    snprintf(seen, sizeof seen, "complete -c irezone -n '__fish_seen_subcommand_from %s'", command->name);
    for (const IrzOption *option = command->options; option->name != NULL; option++) {
      fprintf(out, "%s -l %s", seen, option->name + 2);
      if (option->letter != NULL) fprintf(out, " -s %s", option->letter + 1);
      if (option->value != NULL) fputs(takes_path(option) ? " -r -F" : " -x", out);
      if (takes_key(option)) fputs(" -a '(irezone help keys)='", out);
      fprintf(out, " -d '%s'\n", option->help);
    }
    if (command->operand_is_file) {
      for (const char *c = command->operand; *c != '\0'; c += strspn(c, " ")) {
        int length = (int)strcspn(c, " ");
        fprintf(out, "%s -k -a '(__fish_complete_suffix .%.*s)'\n", seen, length, c);
        c += length;
      }
    } else {
      fprintf(out, "%s -f -a '", seen);
      print_words(command, " ", out);
      fputs("'\n", out);
    }
  }
}

IrzCode irz_completion_print(const char *shell, FILE *out, IrzError *error) {
  if (strcmp(shell, "bash") == 0) {
    print_bash(out);
  } else if (strcmp(shell, "zsh") == 0) {
    print_zsh(out);
  } else if (strcmp(shell, "fish") == 0) {
    print_fish(out);
  } else {
    return irz_error_set(error, IRZ_ERR_PLAN, "no completion for \"%s\"; there are bash, zsh and fish", shell);
  }
  return IRZ_OK;
}
