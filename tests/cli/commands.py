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


def check_keys(program, folder):
    """Keys that are listed are such as --set knows, by a sample; and the help of plans has no others."""
    keys = output(program, "help", "keys").split()
    check(len(keys) > 100 and len(set(keys)) == len(keys), f"there are {len(keys)} keys, {len(set(keys))} of them different")
    plan = os.path.join(folder, "keys.yaml")
    with open(plan, "w", encoding="utf-8") as file:
        file.write("tissues: {default: {preset: liver}}\narray: {count: 2, spacing: 15}\npulses: {pairs: all, voltage: 2000}\n")
    for key in keys[::10]:
        text = subprocess.run([program, "check", plan, "--set", key + "=nonsense"], capture_output=True, text=True).stderr
        of_a_law = key.startswith("tissues.default.sigma.")  # another law than the preset's may have it
        check("unknown key" not in text or of_a_law, f"--set {key}: {text}")
    named = set(re.findall(r"^  (\w+) +\S", output(program, "help", "plan"), re.MULTILINE))
    missing = named - {key.rsplit(".", 1)[-1] for key in keys} - {re.split(r"[.\[]", part)[0] for key in keys for part in key.split(".")}
    check(not missing, f"`irezone help keys` has no {missing}")


def completed(script, line, folder):
    """What bash offers for the last word of a line."""
    words = " ".join(f"'{word}'" for word in line.split(" "))
    command = f"source '{script}'; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _irezone; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    path = os.path.join(os.path.dirname(script), "bin") + ":" + os.environ["PATH"]
    run = subprocess.run(["bash", "--norc", "-c", command], check=True, capture_output=True, text=True, cwd=folder, env={**os.environ, "PATH": path})
    return run.stdout.split()


def check_bash(program, commands, folder):
    script = os.path.join(folder, "irezone.bash")
    with open(script, "w", encoding="utf-8") as file:
        file.write(output(program, "help", "completion", "bash"))
    os.makedirs(os.path.join(folder, "bin"))
    os.symlink(program, os.path.join(folder, "bin", "irezone"))
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
        ("irezone help ", every | {"plan", "keys", "results", "completion"}),
        ("irezone run plan.yaml --set solver.", {"solver.tolerance="}),
        ("irezone run plan.yaml --set plates.w", {"plates.width="}),
    ):
        found = set(completed(script, line, work))
        check(found == wanted, f"bash completes \"{line}\" to {sorted(found)} instead of {sorted(wanted)}")
    for command, options in commands.items():
        found = set(completed(script, f"irezone {command} --", work))
        check(found == set(options) | {"--help"}, f"bash completes options of {command} to {sorted(found)}")


def check_fish(program, folder):
    """What fish offers, by its own account."""
    script, work = os.path.join(folder, "fish"), os.path.join(folder, "work")
    path = os.path.join(folder, "bin") + ":" + os.environ["PATH"]
    for line, wanted in (
        ("irezone sw", ["sweep"]),
        ("irezone run --th", ["--threads"]),
        ("irezone run p", ["plan.yaml"]),
        ("irezone info m", ["mesh.msh"]),
        ("irezone run plan.yaml --set solver.", ["solver.tolerance="]),
        ("irezone run plan.yaml -o no", ["notes.txt"]),
    ):
        command = ["fish", "--no-config", "-c", f"source '{script}'; complete -C '{line}'"]
        text = subprocess.run(command, check=True, capture_output=True, text=True, cwd=work, env={**os.environ, "PATH": path}).stdout
        found = [offer.split("\t")[0] for offer in text.splitlines()]
        check(found == wanted, f"fish completes \"{line}\" to {found} instead of {wanted}")


def main():
    program, source = os.path.abspath(sys.argv[1]), sys.argv[2]
    commands = options_of(program)
    check(len(commands) >= 7, f"there are only {list(commands)}")
    check_documented(program, source, commands)
    with tempfile.TemporaryDirectory() as folder:
        check_bash(program, commands, folder)
        check_keys(program, folder)
        for shell in ("zsh", "fish"):
            script = os.path.join(folder, shell)
            with open(script, "w", encoding="utf-8") as file:
                file.write(output(program, "help", "completion", shell))
            if shutil.which(shell):
                found = subprocess.run([shell, "-n", script], capture_output=True, text=True)
                check(found.returncode == 0 and not found.stderr, f"{shell}: {found.stderr}")
        if shutil.which("fish"):
            check_fish(program, folder)
    for words in (["help", "completion"], ["help", "completion", "tcsh"], ["help", "run", "sweep"]):
        found = subprocess.run([program] + words, capture_output=True, text=True)
        check(found.returncode == 2 and found.stderr.count("\n") == 1, f"{words}: {found.returncode} {found.stderr}")
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
