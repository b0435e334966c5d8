#!/usr/bin/env python3
"""commands.py IREZONE SOURCE

Every command is everywhere where it must be: in the program's list, in the man page, in the help, with each of its
options; and shells complete them.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

wrong = []


def check(good, message):
    if not good:
        wrong.append(message)


def output(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def options_of(program):
    """{command: its long options}, by what fish completes."""
    text = output(program, "help", "completion", "fish")
    commands = {name: [] for name in re.findall(r"-n __fish_use_subcommand -f -a (\S+) -d '.+'$", text, re.MULTILINE)}
    for name, option in re.findall(r"__fish_seen_subcommand_from (\w+)' -l (\S+) .*-d '.+'$", text, re.MULTILINE):
        commands[name].append("--" + option)
    return commands


def check_documented(program, source, commands):
    """Sources, overview, help and man page."""
    overview, man = output(program, "help"), read(source, "docs", "irezone.1").replace("\\-", "-")
    listed = re.findall(r"^  (\w+) +\S.*\n +irezone \1\b", overview, re.MULTILINE)
    check(listed == list(commands), f"`irezone help` lists {listed}, completions have {list(commands)}")
    for name in sorted(os.listdir(os.path.join(source, "src", "cli"))):
        for command in re.findall(r"^const IrzCommand irz_command_(\w+) = ", read(source, "src", "cli", name), re.MULTILINE):
            check(command in commands, f"src/cli/{name}: the command {command} is not in IRZ_COMMANDS of cli.h")
    for command, options in commands.items():
        check(f"\n.B irezone {command}\n" in man, f"irezone.1: SYNOPSIS has no {command}")
        check(f"\n.TP\n.B {command}\n" in man, f"irezone.1: COMMANDS has no {command}")
        text = output(program, "help", command)
        check(text.startswith(f"usage: irezone {command}"), f"help {command}: {text[:80]}")
        for option in options:
            letter = {"--output": "-o", "--quiet": "-q"}.get(option, option)
            check(option in text or f"{letter} " in text, f"`irezone help {command}` says nothing of {option}")
            check(option in man, f"irezone.1 says nothing of {option}")


def completed(script, line, folder):
    """What bash offers for the last word of a line."""
    words = " ".join(f"'{word}'" for word in line.split(" "))
    command = f"source '{script}'; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _irezone; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    return subprocess.run(["bash", "--norc", "-c", command], check=True, capture_output=True, text=True, cwd=folder).stdout.split()


def check_bash(program, commands, folder):
    script = os.path.join(folder, "irezone.bash")
    with open(script, "w", encoding="utf-8") as file:
        file.write(output(program, "help", "completion", "bash"))
    work = os.path.join(folder, "work")
    os.makedirs(os.path.join(work, "deep"))
    for name in ("plan.yaml", "mesh.msh", "fields.hdf", "notes.txt"):
        with open(os.path.join(work, name), "w", encoding="utf-8"):
            pass
    every = set(commands)
    for line, wanted in (
        ("irezone ", every | {"--version", "--help"}),
        ("irezone sw", {"sweep"}),
        ("irezone run --th", {"--threads"}),
        ("irezone run ", {"plan.yaml", "deep"}),
        ("irezone run plan.yaml -o ", {"plan.yaml", "mesh.msh", "fields.hdf", "notes.txt", "deep"}),
        ("irezone run plan.yaml --threads ", set()),
        ("irezone info ", {"mesh.msh", "fields.hdf", "deep"}),
        ("irezone tissues liver", {word for word in re.findall(r"^(liver\S*)", output(program, "tissues"), re.MULTILINE)}),
        ("irezone help ", every | {"plan", "results", "completion"}),
    ):
        found = set(completed(script, line, work))
        check(found == wanted, f"bash completes \"{line}\" to {sorted(found)} instead of {sorted(wanted)}")
    for command, options in commands.items():
        found = set(completed(script, f"irezone {command} --", work))
        check(found == set(options) | {"--help"}, f"bash completes options of {command} to {sorted(found)}")


def main():
    program, source = os.path.abspath(sys.argv[1]), sys.argv[2]
    commands = options_of(program)
    check(len(commands) >= 7, f"there are only {list(commands)}")
    check_documented(program, source, commands)
    with tempfile.TemporaryDirectory() as folder:
        check_bash(program, commands, folder)
        for shell in ("zsh", "fish"):
            script = os.path.join(folder, shell)
            with open(script, "w", encoding="utf-8") as file:
                file.write(output(program, "help", "completion", shell))
            if shutil.which(shell):
                found = subprocess.run([shell, "-n", script], capture_output=True, text=True)
                check(found.returncode == 0 and not found.stderr, f"{shell}: {found.stderr}")
    for words in (["help", "completion"], ["help", "completion", "tcsh"], ["help", "run", "sweep"]):
        found = subprocess.run([program] + words, capture_output=True, text=True)
        check(found.returncode == 2 and found.stderr.count("\n") == 1, f"{words}: {found.returncode} {found.stderr}")
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
