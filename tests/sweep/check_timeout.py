"""A time limit for each case: what takes longer is stopped with the status "timeout", wherever it is at work (Gmsh, Newton's
method, heating), on any number of ranks; the sweep goes on, and --retry-failed runs those cases again.

The cases that are stopped would take minutes; the others take a fraction of the limit also on a busy machine."""

import csv
import os
import pathlib
import subprocess
import sys
import tempfile
import time

IREZONE, MPIEXEC, SOURCE = sys.argv[1:4]
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                   OMPI_MCA_rmaps_base_oversubscribe="1", OMPI_MCA_mpi_yield_when_idle="1", OMP_NUM_THREADS="1")
home = tempfile.TemporaryDirectory(prefix="irezone-sweep-")
path = pathlib.Path(home.name)


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def sweep(name, out, *options, ranks=1):
    """Run a sweep; returns status, what it said where errors go, its rows, and how long it took."""
    start = [] if ranks == 1 else [MPIEXEC, "-n", str(ranks)]
    began = time.monotonic()
    done = subprocess.run([*start, IREZONE, "sweep", name, "-o", out, *options], cwd=path, env=ENVIRONMENT,
                          capture_output=True, text=True, timeout=300)
    took = time.monotonic() - began
    table = path / out / "sweep.csv"
    rows = list(csv.DictReader(open(table, newline=""))) if table.exists() else []
    return done.returncode, done.stderr, rows, took


# Meshes of a few thousand and of tens of millions of tetrahedra.
(path / "needles.yaml").write_text("""name: needles
mesh: {size: 80, order: 1}
tissues: {default: {sigma: {law: constant, value: 0.2}, threshold: 500}}
array: {count: 2, spacing: 15, exposure: 15}
pulses: [{from: A, to: B, voltage: 1500, count: 10, width: 100, rate: 1}]
""")
(path / "mesh.yaml").write_text("""plan: needles.yaml
timeout: 4
vary: {mesh.accuracy: {values: [50, 0.02, 40]}}
""")
status, said, rows, took = sweep("mesh.yaml", "mesh")
check(status == 0 and [row["status"] for row in rows] == ["converged", "timeout", "converged"], f"{status} {said} {rows}")
check(rows[1]["volume_cm3"] == "" and float(rows[1]["seconds"]) >= 4, str(rows[1]))
check("1 of 3 cases failed; the first, case 2: timeout" in said, said)
check(took < 60, f"a case of 4 s was stopped after {took:.0f} s")
check("FAILED: timeout" in (path / "mesh/sweep.log").read_text(), "not in the log")
status, said, again, took = sweep("mesh.yaml", "mesh", "--resume")
check(status == 0 and again == rows, f"--resume ran a case again: {status} {said}")

# The limit is no part of what a folder holds, and --retry-failed takes the new one.
(path / "mesh.yaml").write_text((path / "mesh.yaml").read_text().replace("timeout: 4\n", ""))
status, said, again, took = sweep("mesh.yaml", "mesh", "--retry-failed", "--timeout", "0.5", "--strict")
check(status == 4 and again[1]["status"] == "timeout", f"{status} {said}")
log = (path / "mesh/sweep.log").read_text()
check(log.count("FAILED: timeout") == 2, "the case was not run again")
check(again == rows, "a shorter limit counts more than a longer one, or cases that were done have changed")

# Heating over days of treatment, on a loaded mesh.
(path / "heat.yaml").write_text(f"""name: heat
mesh: {{file: {SOURCE}/meshes/parallel_plates.msh, order: 1}}
tissues: {{default: {{preset: liver}}}}
probes: [{{name: P, surface: plate_1}}, {{name: Q, surface: plate_2}}]
pulses: [{{from: P, to: Q, voltage: 500, count: 10, width: 100, rate: 1}}]
heat: {{step: 0.1, cooling: 1}}
""")
(path / "long.yaml").write_text("""plan: heat.yaml
vary: {"pulses[0].count": {values: [1, 100000, 2]}}
set: {generator.max_count: 100000}
""")
status, said, rows, took = sweep("long.yaml", "heat", "--timeout", "4")
check([row["status"] for row in rows] == ["converged", "timeout", "converged"], f"{status} {said} {rows}")
check(took < 60, f"{took:.0f} s")

# Every case stopped, the one that others start from too, each alone or by two ranks together: each has a limit of its own, and
# the status is that of failures. With time enough nothing is stopped.
for options in [], ["--ranks-per-case", "2"]:
    status, said, rows, took = sweep("long.yaml", f"none{len(options)}", "--timeout", "1e-6", *options, ranks=2)
    check(status == 4 and "all 3 cases failed; the first, case 1: timeout" in said, f"{status} {said}")
    check([row["status"] for row in rows] == 3 * ["timeout"], str(rows))
(path / "short.yaml").write_text("""plan: heat.yaml
timeout: 200
vary: {"pulses[0].voltage": {values: [400, 500]}}
set: {heat.step: 5}
""")
status, said, rows, took = sweep("short.yaml", "short", "--ranks-per-case", "2", ranks=2)
check(status == 0 and [row["status"] for row in rows] == 2 * ["converged"], f"{status} {said}")

# What is no limit.
for value in "0", "-1", "nan", "inf", "ten", "1s", "":
    status, said, rows, took = sweep("long.yaml", "bad", "--timeout", value)
    check(status == 2 and said.count("\n") == 1 and "--timeout" in said, f"--timeout {value!r}: {status} {said}")
for value in "0", "-1", ".nan", ".inf", "ten", "[1]", "1 s", "":
    (path / "bad.yaml").write_text(f"plan: heat.yaml\ntimeout: {value}\n" + "vary: {\"pulses[0].count\": {values: [1]}}\n")
    status, said, rows, took = sweep("bad.yaml", "bad")
    check(status == 2 and said.count("\n") == 1 and "bad.yaml:2: timeout:" in said, f"timeout: {value}: {status} {said}")
check(not (path / "bad").exists(), "a sweep that was refused left a folder")
