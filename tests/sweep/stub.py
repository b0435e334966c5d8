"""Running sweep_stub from tests: folders, tables, journals."""

import csv
import os
import pathlib
import subprocess
import sys
import tempfile
import time

STUB, MPIEXEC = sys.argv[1:3]
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                   OMPI_MCA_rmaps_base_oversubscribe="1", OMPI_MCA_btl_base_warn_component_unused="0")
PLAN = """name: p
array: {count: 2, spacing: 15, exposure: 20}
tissues: {default: {sigma: {law: constant, value: 0.1}, threshold: 500}}
pulses: [{from: A, to: B, voltage: 2000}]
"""


def folder(sweep):
    """A new folder with a sweep file and its plan; removed at exit by the caller's TemporaryDirectory."""
    home = tempfile.TemporaryDirectory(prefix="irezone-sweep-")
    path = pathlib.Path(home.name)
    (path / "p.yaml").write_text(PLAN)
    (path / "s.yaml").write_text(sweep)
    return home, path


def command(path, *options, ranks=1, out="out"):
    start = [] if ranks == 1 else [MPIEXEC, "-n", str(ranks)]
    return start + [STUB, str(path / "s.yaml"), str(path / out), *map(str, options)]


def run(path, *options, ranks=1, out="out"):
    """Run to the end; returns (exit status, stdout, stderr)."""
    done = subprocess.run(command(path, *options, ranks=ranks, out=out), env=ENVIRONMENT, capture_output=True,
                          text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


def start(path, *options, ranks=1, out="out"):
    """Start in a process group of its own, so that all of it can be killed at once."""
    return subprocess.Popen(command(path, *options, ranks=ranks, out=out), env=ENVIRONMENT, start_new_session=True,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def table(path, out="out"):
    """sweep.csv without the wall times, the only column that differs between runs."""
    with open(path / out / "sweep.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        del row["seconds"]
    return rows


def recorded(path, out="out"):
    """Case numbers of all whole lines in the journals, in order of the files."""
    numbers = []
    for journal in sorted((path / out / "journal").glob("*.log")):
        for line in journal.read_bytes().split(b"\n")[:-1]:
            fields = line.split(b"\t")
            if len(fields) == 22:
                numbers.append(int(fields[1]))
    return numbers


def wait_for_cases(path, count, out="out"):
    """Wait until a running sweep has finished some cases."""
    for _ in range(600):
        if len(recorded(path, out)) >= count:
            return
        time.sleep(0.05)
    sys.exit(f"FAILED: {count} cases are not finished after 30 s")


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")
