"""Journals that somebody damages: whole records are used, the others are named and their cases run again; a journal that is
removed, replaced, shortened or written to under a running sweep is an error."""

import os
import shutil

from stub import check, folder, run, start, table, wait_for_cases

SWEEP = "plan: p.yaml\nvary:\n  pulses[0].voltage: {from: 1000, to: 3000, count: 20}\n"
home, path = folder(SWEEP)
check(run(path, out="reference")[0] == 0, "undisturbed run")
reference = table(path, "reference")
NAME = "journal/task-0001-of-0001.group-00000.log"


def cut_last(log):
    log.write_bytes(log.read_bytes()[:-20])
    return 20, "is cut off"


def change_digit(log):
    lines = log.read_bytes().splitlines(keepends=True)
    lines[4] = lines[4].replace(b"1", b"7")
    log.write_bytes(b"".join(lines))
    return 5, "is damaged"


def zeros(log):
    data = bytearray(log.read_bytes())
    data[30:40] = bytes(10)
    log.write_bytes(data)
    return 1, "is damaged"


for damage in (cut_last, change_digit, zeros):
    out = damage.__name__
    shutil.copytree(path / "reference", path / out)
    line, words = damage(path / out / NAME)
    status, _, error = run(path, "--merge", out=out)
    check(status == 75 and f"{NAME}:{line}: " in error and words in error and "1 of 20" in error, f"{out}, merge: {status} {error}")
    status, _, error = run(path, "--resume", out=out)
    check(status == 0 and f"{NAME}:{line}: " in error, f"{out}, resume: {status} {error}")
    check(table(path, out) == reference, f"{out}: the table differs")
    check(run(path, "--merge", out=out)[::2] == (0, ""), f"{out}: nothing is said once all is there")


# What stands in a file's place and is none: refused at once, where opening a pipe would wait for ever.
shutil.copytree(path / "reference", path / "pipe")
(path / "pipe" / NAME).unlink()
os.mkfifo(path / "pipe" / NAME)
for option in "--resume", "--merge":
    status, _, error = run(path, option, out="pipe")
    check(status == 3 and f"{NAME}: is not a regular file" in error, f"a pipe, {option}: {status} {error}")
(path / "log").mkdir()
os.mkfifo(path / "log" / "sweep.log")
status, _, error = run(path, out="log")
check(status == 0 and table(path, "log") == reference, f"a log that is a pipe: {status} {error}")


def remove(log):
    shutil.rmtree(log.parent)
    return "removed"


def replace(log):
    shutil.copy(log, log.with_suffix(".copy"))
    os.replace(log.with_suffix(".copy"), log)
    return "replaced"


def shorten(log):
    os.truncate(log, 10)
    return "shortened"


def write(log):
    with open(log, "a", encoding="utf-8") as file:
        file.write("x\n")
    return "written to by somebody else"


for change in (remove, replace, shorten, write):
    out = change.__name__
    process = start(path, "--sleep", 50, out=out)
    wait_for_cases(path, 3, out)
    words = change(path / out / NAME)
    error = process.communicate(timeout=60)[1]
    check(process.returncode == 5 and f"{NAME}: was {words} while the sweep ran" in error, f"{out}: {process.returncode} {error}")
home.cleanup()
