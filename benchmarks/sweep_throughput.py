#!/usr/bin/python3
"""Cases a second in a sweep, against running `irezone run` in a shell loop.

    benchmarks/sweep_throughput.py IREZONE [--ranks 2] [--cases 48]

Two needles in a box at 1 % accuracy: once with cases that share a mesh (voltage and threshold vary), once with a mesh each (spacing
varies). Prints wall and processor seconds a case; the ratio of processor seconds does not depend on what else the machine does,
wall times do."""

import argparse
import os
import pathlib
import resource
import subprocess
import tempfile
import time

PLAN = """name: two
mesh: {size: 120, accuracy: 1}
tissues: {default: {sigma: {law: sigmoid, low: 0.1, high: 0.35, center: 580, width: 80}, threshold: 500}}
array: {count: 2, spacing: 20, exposure: 20}
pulses: [{from: A, to: B, voltage: 3000}]
"""
VARY = {
    "shared mesh": ["pulses[0].voltage: {from: 1500, to: 3000, count: %d}", lambda f: f"pulses[0].voltage={1500 + 1500 * f:g}"],
    "a mesh each": ["array.spacing: {from: 12, to: 28, count: %d}", lambda f: f"array.spacing={12 + 16 * f:g}"],
}


def measured(commands, at_once=1):
    """Wall and processor seconds of commands, some of them at once."""
    before, start, running = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic(), []
    for command in commands:
        while len(running) >= at_once:
            running = [p for p in running if p.poll() is None]
            time.sleep(0.002)
        running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, env=dict(
            os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
            OMPI_MCA_rmaps_base_oversubscribe="1", OMP_NUM_THREADS="1")))
    for process in running:
        if process.wait() != 0:
            raise SystemExit("a command failed")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("irezone")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--cases", type=int, default=48)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="irezone-throughput-") as home:
        path = pathlib.Path(home)
        (path / "p.yaml").write_text(PLAN)
        for name, (vary, override) in VARY.items():
            (path / "s.yaml").write_text("plan: p.yaml\nvary:\n  " + vary % arguments.cases + "\n")
            wall, cpu = measured([["mpiexec", "-n", str(arguments.ranks), arguments.irezone, "sweep", str(path / "s.yaml"),
                                   "-o", str(path / name.replace(" ", "-")), "-q"]])
            loop = max(2 * arguments.ranks, arguments.cases // 4)
            runs = [[arguments.irezone, "run", str(path / "p.yaml"), "-o", str(path / f"run{i}"), "-q", "--threads", "1",
                     "--set", override(i / (loop - 1))] for i in range(loop)]
            loop_wall, loop_cpu = measured(runs, arguments.ranks)
            print(f"{name}: sweep {arguments.cases / wall:.2f} cases a second, {cpu / arguments.cases:.3f} processor seconds "
                  f"a case; shell loop {loop / loop_wall:.2f} a second, {loop_cpu / loop:.3f} s; ratio "
                  f"{loop_cpu / loop / (cpu / arguments.cases):.2f} by processor time, "
                  f"{arguments.cases / wall / (loop / loop_wall):.2f} by the clock")


if __name__ == "__main__":
    main()
