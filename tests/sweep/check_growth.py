"""Sweeps that grow, tables of cases, and job arrays one task of which is submitted again."""

import csv
import io
import os
import shutil
import subprocess
import sys
import time

from stub import ENVIRONMENT, check, folder, recorded, run, table

IREZONE = sys.argv[3]
home, path = folder("")
VALUES = "--by-value", "--healed"


def sweep(text, *options, out, ranks=1):
    (path / "s.yaml").write_text("plan: p.yaml\n" + text)
    return run(path, *VALUES, *options, ranks=ranks, out=out)


def rows(out):
    """What was found, by the values of a case."""
    names = "case", "current_A"
    return sorted((tuple((k, v) for k, v in row.items() if k not in names) for row in table(path, out)))


def grows(name, before, after, more, n_after, keep=""):
    """A sweep goes on with more cases: those that are done stay done, and the end is as if all had been there at once."""
    status, _, error = sweep(before, out=name)
    check(status == 0, f"{name}: {error}")
    done = len(recorded(path, name))
    status, _, error = sweep(after, out=name)
    check(status == 2 and "add --resume" in error, f"{name}: without --resume: {status} {error}")
    status, _, error = sweep(after, "--resume", out=name, ranks=2)
    check(status == 0, f"{name}: {error}")
    check(len(recorded(path, name)) == done + more, f"{name}: {len(recorded(path, name)) - done} cases ran, not {more}")
    status, _, error = sweep(after, out=name + "-at-once")
    check(status == 0, f"{name}: {error}")
    check(rows(name) == rows(name + "-at-once") and len(rows(name)) == n_after, f"{name}: the tables differ")
    check([row["case"] for row in table(path, name)] == [str(i + 1) for i in range(n_after)], f"{name}: numbers")
    status, _, error = sweep(after, "--resume", out=name)
    check(status == 0 and len(recorded(path, name)) == done + more, f"{name}: once more: {error}")
    status, _, error = sweep(before, "--resume", out=name)
    check(status == 2 and "has changed since" in error and error.count("\n") == 1, f"{name}: less again: {status} {error}")


RANDOM = "sample: %s\ncases: %d\nvary:\n  pulses[0].voltage: {uniform: [1000, 3000]}\n  array.spacing: {values: [%s]}\n" \
         "  zone.threshold: {normal: [500, 50]}\n"
for sample in ("random", "sobol", "latin-hypercube"):
    grows(sample, RANDOM % (sample, 32, "12"), RANDOM % (sample, 64, "12"), 32, 64)
grows("odd", RANDOM % ("sobol", 30, "12"), RANDOM % ("sobol", 47, "12"), 17, 47)
grows("strata", RANDOM % ("sobol", 16, "12, 14"), RANDOM % ("sobol", 24, "12, 14, 15"), 3 * 24 - 32, 72)
grows("saltelli", RANDOM % ("saltelli", 8, "12"), RANDOM % ("saltelli", 16, "12"), 32, 64)
GRID = "vary:\n  pulses[0].voltage: {values: [%s]}\n  array.spacing: {values: [%s]}\n"
grows("grid", GRID % ("1000, 1500", "10, 12"), GRID % ("1000, 1500, 2000", "10, 11, 12"), 5, 9)
grows("list", "sample: list\n" + GRID % ("1000, 1500", "10, 12"), "sample: list\n" + GRID % ("1000, 1500, 1700", "10, 12, 12"), 1, 3)
RANGE = "vary: {array.spacing: {from: 10, to: %d, step: 1}}\n"
grows("range", RANGE % 14, RANGE % 20, 6, 11)

# What is no growth is refused, and told what would be.
CORRELATED = RANDOM + "correlation: [[1, 0.5], [0.5, 1]]\n"
for before, after, said in [
        (RANDOM % ("latin-hypercube", 32, "12"), RANDOM % ("latin-hypercube", 48, "12"), "grows by doubling: cases: 64, 128"),
        (CORRELATED % ("latin-hypercube", 32, "12"), CORRELATED % ("latin-hypercube", 64, "12"), "with correlation cannot grow"),
        (RANDOM % ("sobol", 32, "12"), RANDOM % ("sobol", 64, "12") + "seed: 2\n", "has changed since"),
        (RANDOM % ("sobol", 32, "12"), RANDOM % ("sobol", 64, "12") + "set: {mesh.size: 100}\n", "has changed since"),
        (RANDOM % ("sobol", 32, "12"), (RANDOM % ("sobol", 64, "12")).replace("[500, 50]", "[500, 51]"), "is none of its cases any more"),
        (GRID % ("1000, 1500", "10, 12"), GRID % ("1000, 2000", "10, 12"), "s.yaml:3: has changed"),
        ("keep: [1]\n" + GRID % ("1000, 1500", "10, 12"), "keep: [1]\n" + GRID % ("1000, 1500", "10, 12, 14"), "with keep, only what comes last"),
        ("probability_map: {spacing: 5}\n" + GRID % ("1000", "10, 12"), "probability_map: {spacing: 5}\n" + GRID % ("1000", "10, 30"),
         "is none of its cases"),
        ("probability_map: {spacing: 5}\n" + GRID % ("1000", "10, 12"), "probability_map: {spacing: 5}\n" + GRID % ("1000", "10, 12, 30"),
         "give it that map's box, [[-35, "),
]:
    shutil.rmtree(path / "no", ignore_errors=True)
    check(sweep(before, out="no")[0] == 0, before)
    status, _, error = sweep(after, "--resume", out="no")
    check(status == 2 and said in error and error.count("\n") == 1, f"{said}: {status} {error}")
    check(sweep(before, "--resume", out="no")[0] == 0, f"{said}: the sweep as it was")
box = error[error.index("[["):error.index("]]") + 2] if "[[" in error else "[[-35, -30, -30], [35, 30, 45]]"
check(sweep(("probability_map: {spacing: 5, box: %s}\n" % box) + GRID % ("1000", "10, 12, 30"), "--resume", out="no")[0] == 0, "the box")
check(len(table(path, "no")) == 3, "with the box")
# A folder in which no case was finished takes another sweep.
shutil.rmtree(path / "no")
process = subprocess.Popen([sys.argv[1], str(path / "s.yaml"), str(path / "no"), "--sleep", "20000"], env=ENVIRONMENT,
                           stdout=subprocess.DEVNULL)
for _ in range(600):
    if (path / "no" / "sweep.log").exists():
        break
    time.sleep(0.05)
process.kill()
process.wait()
status, _, error = sweep(GRID % ("1000", "10"), "--resume", out="no")
check(status == 0, f"another sweep where nothing was finished: {status} {error}")
status, _, error = sweep(GRID % ("1100", "10"), "--resume", out="no")
check(status == 2, f"another sweep: {status} {error}")

# Tables of cases.
def dry_run(text, *options):
    (path / "s.yaml").write_text("plan: p.yaml\n" + text)
    done = subprocess.run([IREZONE, "sweep", "s.yaml", "--dry-run", *options], cwd=path, env=ENVIRONMENT, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def listed(text):
    return list(csv.reader(io.StringIO(text)))


FILE = "sample: list\nfile: design.csv\n"
DESIGN = "pulses[0].voltage,array.spacing\n1000,10\n1500,12\n"
for text in (DESIGN, DESIGN.replace("\n", "\r\n"), "\ufeff" + DESIGN, DESIGN + "\n\n", DESIGN[:-1], DESIGN.replace("1500", ' "1500" '),
             DESIGN.replace("pulses[0].voltage", '"pulses[0].voltage"'), DESIGN.replace(",", " , "),
             "case,pulses[0].voltage,array.spacing\n7,1000,10\n8,1500,12\n"):
    (path / "design.csv").write_bytes(text.encode())
    status, said, error = dry_run(FILE)
    check(status == 0 and listed(said) == [["case", "pulses[0].voltage", "array.spacing"], ["1", "1000", "10"], ["2", "1500", "12"]],
          f"{text!r}: {status} {said} {error}")
(path / "design.csv").write_text('array.spacing,name\n10,"a, ""b"""\n')
(path / "p.yaml").write_text((path / "p.yaml").read_text())
status, said, _ = dry_run(FILE)
check(listed(said)[1] == ["1", "10", 'a, "b"'], said)
for text, said in [
        ("", "is empty"), ("pulses[0].voltage\n", "has no case below"), ("case\n1\n", 'no column but "case"'),
        ("a,b\n1\n", "design.csv:2: has 1 fields; the first line has 2"), ("a,b\n1,2,3\n", "design.csv:2: has more than the 2 fields"),
        ("a,b\n1,2\n\n3,\n", "design.csv:4: column 2 (b) is empty"), ("a,a\n1,2\n", "two columns a"), ("a,\n1,2\n", "column 2 has no name"),
        ("a;b\n1;2\n", "not by semicolons"), ('a,b\n1,"2\n', "inside quotes"), ('a,b\n1,"2"x\n', "something follows the closing quote"),
        ('a,b\n1,2"x\n', "a quote inside a field"), ("a\n" + 300 * "x" + "\n", "more than 255 characters"),
        (b"a\n\xe4\n", "design.csv:2"), (b"a\n1\0\n", "design.csv:2")]:
    (path / "design.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    status, out, error = dry_run(FILE)
    check(status == 2 and said in error and error.count("\n") == 1 and out == "", f"{text!r}: {status} {out} {error}")
for text, said in [("file: design.csv\nvary: {array.spacing: {values: [1]}}\n", "needs sample: list"),
                   (FILE + "vary: {array.spacing: {values: [1]}}\n", "does not go with file"),
                   ("sample: list\nfile: nothing.csv\n", "s.yaml:3: file: nothing.csv: cannot be opened"),
                   ("sample: list\nfile: .\n", "is not a regular file")]:
    status, _, error = dry_run(text)
    check(status == 2 and said in error, f"{text}: {status} {error}")
(path / "design.csv").write_text(DESIGN)
check(sweep(FILE, out="csv", ranks=2)[0] == 0 and len(table(path, "csv")) == 2, "a table of cases")
(path / "design.csv").write_text(DESIGN + "1800,9\n")
status, _, error = sweep(FILE, "--resume", out="csv", ranks=3)
check(status == 0 and len(table(path, "csv")) == 3 and sorted(recorded(path, "csv")) == [1, 2, 3], f"a row more: {error}")
(path / "design.csv").write_text(DESIGN.replace("1500", "1501") + "1800,9\n")
status, _, error = sweep(FILE, "--resume", out="csv")
check(status == 2 and "design.csv:3: has changed" in error and "case 2 (pulses[0].voltage=1500, array.spacing=12)" in error, error)

# --dry-run: what would run, and what cannot.
status, said, error = dry_run(GRID % ("1000, 3500", "10, 12"))
check(status == 0 and len(listed(said)) == 5 and "4 cases on 2 meshes; nothing was run" in error, f"{status} {error}")
check("irezone: warning: 2 cases: p.yaml" in error and "3500 V" in error and "(first: case 3)" in error, error)
status, said, error = dry_run(GRID % ("1000, -3", "10, 12"), "-q")
check(status == 2 and len(listed(said)) == 5 and "2 of 4 cases cannot run; the first, case 3" in error and "meshes" not in error, error)
status, said, error = dry_run("vary: {mesh.file: {values: [no.msh]}}\n")
check(status != 0 and "1 of 1 cases cannot run" in error, error)
status, _, error = dry_run(GRID % ("1000", "10"), "--task", "1/2")
check(status == 2 and "--dry-run" in error, error)
status, said, error = dry_run("columns: [nothing]\n" + GRID % ("1000", "10"))
check(status == 2 and said == "" and "columns" in error, error)
check(not (path / "journal").exists(), "--dry-run wrote something")

# Numbers beyond sense.
for text, said in [("sample: sobol\ncases: 1e9\nvary: {zone.threshold: {uniform: [400, 700]}}\n", "cases"),
                   ("sample: sobol\ncases: 1e400\nvary: {zone.threshold: {uniform: [400, 700]}}\n", "cases"),
                   ("sample: sobol\ncases: 2.5\nvary: {zone.threshold: {uniform: [400, 700]}}\n", "whole number"),
                   ("sample: saltelli\ncases: 10000000\nvary: {zone.threshold: {uniform: [400, 700]}}\n", "at most"),
                   ("vary:\n" + "".join(f"  k{i}: {{from: 1, to: 1000, count: 1000}}\n" for i in range(4)), "1e+12 cases; at most"),
                   ("vary: {array.spacing: {from: 0, to: 1e9, step: 1}}\n", "more than 100000 values"),
                   ("vary: {array.spacing: {from: 0, to: 1, count: 1e9}}\n", "whole number"),
                   ("sample: sobol\ncases: 10000000\nvary:\n" + "".join(f"  k{i}: {{uniform: [0, 1]}}\n" for i in range(40)), "at most")]:
    status, _, error = dry_run(text)
    check(status == 2 and said in error and error.count("\n") == 1, f"{text[:60]}: {status} {error}")

# The number of tasks belongs to the sweep.
TASKS = "vary: {array.spacing: {from: 10, to: 15.9, step: 0.1}}\n"  # 60 cases
status, _, error = sweep(TASKS, out="whole")
status, _, error = sweep(TASKS, "--task", "3/8", out="array")
check(status == 0 and sorted(recorded(path, "array")) == list(range(3, 61, 8)), f"{recorded(path, 'array')}")
for wrong in ("3/1", "1/1", "1/6", "7/7", "9/9", "9/8"):
    status, _, error = sweep(TASKS, "--task", wrong, "--resume", out="array")
    check(status == 2 and error.count("\n") == 1 and ("into 8 tasks" in error or "must be" in error), f"{wrong}: {status} {error}")
check(len(recorded(path, "array")) == 8, "a wrong task ran cases")
for task in (1, 2, 4, 5, 6, 7):
    check(sweep(TASKS, "--task", f"{task}/8", "--resume", out="array")[0] == 0, f"task {task}")
status, _, error = sweep(TASKS, "--merge", out="array")
check(status == 75 and "7 of 60 cases are missing" in error, error)
check(sweep(TASKS, "--task", "8", "--resume", out="array")[0] == 0, "K alone")
check(sweep(TASKS, "--merge", out="array")[0] == 0 and rows("array") == rows("whole"), "the merge")
status, _, error = sweep(TASKS, "--task", "2", out="none")
check(status == 2 and "of how many" in error, error)
status, _, error = sweep("tasks: 4\n" + TASKS, "--task", "2", out="key")
check(status == 0 and sorted(recorded(path, "key")) == list(range(2, 61, 4)), error)
status, _, error = sweep("tasks: 4\n" + TASKS, "--task", "2/5", out="key", )
check(status == 2 and "s.yaml divides the cases into 4 tasks" in error, error)
check(sweep(TASKS, "--task", "1/4", "--resume", out="key")[0] == 0, "the key is no change")
# Tasks that begin together agree.
processes = [subprocess.Popen([sys.argv[1], str(path / "s.yaml"), str(path / "together"), "--task", f"{k}/{4 + k % 2}", "--by-value", "--healed"],
                              env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for k in (1, 2, 3, 4)]
ended = [(p.communicate(timeout=60)[1], p.returncode) for p in processes]
first = int((path / "together" / "journal" / "tasks").read_text())
check([code for _, code in ended] == [0 if 4 + k % 2 == first else 2 for k in (1, 2, 3, 4)], f"{first}: {ended}")
home.cleanup()
