#!/usr/bin/python3
"""Does memory grow with the number of cases in a sweep? Every case generates a mesh of its own.

    benchmarks/sweep_memory.py IREZONE [--cases 2000] [--ranks 2] [--accuracy 20] [--order 2]

Two needles whose distance and length differ in every case, drawn at random so that there is no trend in the sizes of the meshes. While the
sweep runs, the resident memory of all its processes is read; with cases of different size in flight it goes up and down, so windows of
cases are compared by their median and by their highest reading. Fails if either is more than 5 % higher in the last fifth of
the cases than in the second fifth (in the first one libraries still warm up), or if a case failed."""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

PLAN = """name: two
mesh: {{size: 60, accuracy: {accuracy}, order: {order}}}
tissues: {{default: {{sigma: {{law: sigmoid, low: 0.1, high: 0.35, center: 580, width: 80}}, threshold: 500}}}}
array: {{count: 2, spacing: 15, exposure: 10}}
pulses: [{{from: A, to: B, voltage: 2000}}]
"""
SWEEP = """plan: p.yaml
sample: random
cases: {cases}
seed: 1
vary:
  array.spacing: {{uniform: [8, 20]}}
  array.exposure: {{uniform: [5, 15]}}
"""
MOST_GROWTH = 0.05


def children(process):
    """Process numbers of the descendants."""
    found = []
    for task in pathlib.Path(f"/proc/{process}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *children(int(child))]
    return found


def resident(process, program):
    """Resident memory of the sweep's own processes, bytes; 0 if there is none yet."""
    total = 0
    for child in children(process):
        try:
            if os.path.samefile(f"/proc/{child}/exe", program):
                total += int(pathlib.Path(f"/proc/{child}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            pass  # it has ended
    return total


def finished(folder):
    """How many cases the log has."""
    try:
        with open(folder / "sweep.log", encoding="utf-8") as log:
            return sum("case " in line for line in log)
    except OSError:
        return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("irezone")
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--accuracy", type=float, default=20)
    parser.add_argument("--order", type=int, default=2)
    arguments = parser.parse_args()
    readings = []  # (cases done, bytes)
    with tempfile.TemporaryDirectory(prefix="irezone-memory-") as home:
        path = pathlib.Path(home)
        (path / "p.yaml").write_text(PLAN.format(**vars(arguments)))
        (path / "s.yaml").write_text(SWEEP.format(**vars(arguments)))
        command = ["mpiexec", "-n", str(arguments.ranks), arguments.irezone, "sweep", str(path / "s.yaml"), "-o", str(path / "out"), "-q"]
        start = time.monotonic()
        sweep = subprocess.Popen(command, env=dict(
            os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
            OMPI_MCA_rmaps_base_oversubscribe="1", OMP_NUM_THREADS="1"))
        while sweep.poll() is None:
            readings.append((finished(path / "out"), resident(sweep.pid, arguments.irezone)))
            time.sleep(0.25)
        seconds = time.monotonic() - start
        if sweep.returncode != 0:
            raise SystemExit(f"the sweep ended with status {sweep.returncode}")
        rows = (path / "out" / "sweep.csv").read_text().splitlines()
    status = rows[0].split(",").index("status")
    good = sum(row.split(",")[status] == "converged" for row in rows[1:])
    print(f"{good} of {arguments.cases} cases converged in {seconds:.0f} s, {arguments.ranks} at a time")
    windows = []
    for part in range(10):
        first, last = part * arguments.cases // 10, (part + 1) * arguments.cases // 10
        values = [size for done, size in readings if first < done <= last and size > 0]
        if values:
            windows.append((statistics.median(values), max(values)))
            print(f"cases {first + 1:5} to {last:5}: {windows[-1][0] / 1e6:7.1f} MB as a rule, {windows[-1][1] / 1e6:7.1f} MB at most"
                  f" ({len(values)} readings)", flush=True)
    if len(windows) < 10 or good < arguments.cases:
        raise SystemExit("FAILED: too few readings, or a case failed")
    growth = [statistics.mean(w[k] for w in windows[8:]) / statistics.mean(w[k] for w in windows[2:4]) - 1 for k in range(2)]
    print(f"from the second fifth to the last: {100 * growth[0]:+.2f} % as a rule, {100 * growth[1]:+.2f} % at most")
    return 1 if max(growth) > MOST_GROWTH else 0


if __name__ == "__main__":
    sys.exit(main())
