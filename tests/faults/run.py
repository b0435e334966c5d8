#!/usr/bin/python3
"""run.py IREZONE SHIM [--all | --sample N] [--only SCENARIO] [--kind KIND]: what happens when one call fails.

For each scenario and each kind of call, every N-th call fails once (a fixed sample of them). The program must end soon, with
one line and a status that fits; leave no temporary file, no half-written file, and an older result whole. Prints a table.
What MPI, OpenMP and other libraries do when an allocation of their own fails (library-memory) is shown, not judged: they
end the process, or crash, before irezone hears of it.
"""
import argparse
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import h5py

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
FILES = {
    "plates.yaml": """name: plates
mesh: {file: MESH, scale: 1}
tissues: {default: {sigma: {law: ramp, low: 0.1, high: 0.3, from: 400, to: 800}, threshold: 500}}
probes: [{name: bottom, surface: plate_1}, {name: top, surface: plate_2}]
pulses: [{from: top, to: bottom, voltage: 1000, count: 10, width: 100, rate: 1}]
zone: {threshold: 500, also: [900, 1100]}
""",
    "needles.yaml": """name: needles
mesh: {size: 80, accuracy: 20}
tissues: {default: {preset: liver}}
array: {count: 2, spacing: 15, exposure: 15}
pulses: [{from: A, to: B, voltage: 1500, count: 90, width: 100, rate: 1.5}]
""",
    "heat.yaml": """name: heat
mesh: {size: 80, accuracy: 20, order: 1}
tissues: {default: {preset: liver}}
array: {count: 2, spacing: 15, exposure: 15}
pulses: [{from: A, to: B, voltage: 1500, count: 10, width: 100, rate: 1}]
heat: {cooling: 2, frames: 2}
""",
    "sweep.yaml": """plan: plates.yaml
sample: latin-hypercube
cases: 3
vary: {"pulses[0].voltage": {uniform: [700, 1200]}}
probability_map: {spacing: 4, box: [[-10, -10, -5], [10, 10, 5]]}
""",
}
# Name: arguments, folder that is there before (made by the scenario of that name, complete), ranks.
SCENARIOS = {
    "run": ("run plates.yaml -o out -q --threads 1", "run", 1),
    "run-generated": ("run needles.yaml -o out -q --threads 1", "run-generated", 1),
    "run-heat": ("run heat.yaml -o out -q --threads 1", None, 1),
    "run-2-ranks": ("run plates.yaml -o out -q --threads 1", "run", 2),
    "sweep": ("sweep sweep.yaml -o out -q", None, 1),
    "sweep-resume": ("sweep sweep.yaml -o out -q --resume", "sweep", 1),
    "sweep-merge": ("sweep sweep.yaml -o out -q --merge", "sweep", 1),
    "info-hdf": ("info out/plates.hdf", "run", 1),
    "info-msh": ("info MESH", None, 1),
    "mesh": ("mesh needles.yaml -o out/needles.msh", None, 1),
}
KINDS = ["memory", "open", "write", "fsync", "rename", "mkdir", "close", "library-memory"]
MEANT = {"memory": (0, 6), "library-memory": (0, 6)}
NOTICE = re.compile(r"^(-{20,}|mpiexec |Primary job|MPI_ABORT|with errorcode|NOTE: invoking|You may or may|exactly when|"
                    r"a non-zero|the job to be|.*Process name:|.*Exit code:|\s*$|\[.*\] \d+ more process|in communicator)")  # fmt: skip


class Bench:
    """A folder with the inputs and the results that are there before."""

    def __init__(self, folder, program, shim):
        self.folder, self.program, self.shim = folder, program, shim
        self.mesh = os.path.join(ROOT, "meshes", "parallel_plates.msh")
        for name, text in FILES.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text.replace("MESH", self.mesh))
        self.before = {}
        for name in ("run", "run-generated", "sweep"):
            place = self.place(f"before-{name}", None)
            done = self.start(name, place, {})
            if done.returncode != 0:
                sys.exit(f"{name} without a fault ends with {done.returncode}: {done.stderr}")
            self.before[name] = os.path.join(place, "out")

    def place(self, name, before):
        """A new folder to run in."""
        place = os.path.join(self.folder, name)
        os.mkdir(place)
        for plan in FILES:
            shutil.copy(os.path.join(self.folder, plan), place)
        if before is not None:
            shutil.copytree(self.before[before], os.path.join(place, "out"))
        else:
            os.mkdir(os.path.join(place, "out"))
        return place

    def start(self, scenario, place, fault):
        """Run a scenario in a folder."""
        arguments, _, ranks = SCENARIOS[scenario]
        command = [self.program, *arguments.replace("MESH", self.mesh).split()]
        if ranks > 1:
            command = ["mpiexec", "--oversubscribe", "-n", str(ranks), "-x", "LD_PRELOAD", "-x", "IREZONE_FAULT", *command]
        environment = {
            **os.environ, **fault, "OMP_NUM_THREADS": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1",
            "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_mpi_yield_when_idle": "1",
        }  # fmt: skip
        if fault:
            environment["LD_PRELOAD"] = self.shim
        return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, errors="replace",
                              check=False, timeout=120 if ranks == 1 else 30)  # fmt: skip

    def count(self, scenario, kind):
        """How many calls of a kind a scenario makes."""
        _, before, _ = SCENARIOS[scenario]
        place = self.place(f"count-{scenario}-{kind}", before)
        log = os.path.join(place, "count")
        self.start(scenario, place, {"IREZONE_FAULT": f"{kind}:0", "IREZONE_FAULT_COUNT": log})
        calls = 0
        if os.path.exists(log):
            with open(log, encoding="utf-8") as file:
                calls = max(int(line) for line in file)
        shutil.rmtree(place)
        return calls

    def try_one(self, scenario, kind, number):
        """Let one call fail; returns the status and what is wrong with how it ended."""
        _, before, ranks = SCENARIOS[scenario]
        place = self.place(f"{scenario}-{kind}-{number}", before)
        rank = ":1" if ranks > 1 and number % 2 else ""
        try:
            done = self.start(scenario, place, {"IREZONE_FAULT": f"{kind}:{number}{rank or ':0'}"})
        except subprocess.TimeoutExpired:
            shutil.rmtree(place)
            return "hang", ["does not end"]
        wrong = self.judge(done, kind, os.path.join(place, "out"), before)
        shutil.rmtree(place)
        return done.returncode, wrong

    def judge(self, done, kind, out, before):
        """What is wrong."""
        wrong = []
        lines = [line for line in done.stderr.splitlines() if not NOTICE.match(line)]
        errors = [line for line in lines if not line.startswith("irezone: warning: ")]
        if done.returncode not in MEANT.get(kind, (0, 3, 5)):
            wrong.append(f"status {done.returncode}: {' | '.join(lines)[-200:]}")
        if len(errors) != (done.returncode != 0) or not all(line.startswith("irezone: ") for line in errors):
            wrong.append(f"{len(errors)} lines: {' | '.join(errors)[:300]}")
        for root, _, files in os.walk(out):
            for name in files:
                wrong += check_file(os.path.join(root, name), name)
        if before in ("run", "run-generated") and done.returncode != 0:
            for name in os.listdir(self.before[before]):
                if not os.path.exists(os.path.join(out, name)):
                    wrong.append(f"{name} of before is gone")
        return wrong


def check_file(path, name):
    """What is wrong with a file under a final name."""
    if re.search(r"\.[0-9a-f]{6}$|\.part$|\.tmp", name):
        return [f"{name} is left behind"]
    try:
        if name.endswith(".json"):
            with open(path, encoding="utf-8") as file:
                json.load(file)
        elif name.endswith((".hdf", ".h5")):
            with h5py.File(path, "r") as file:
                file.visititems(lambda _, thing: thing[()] if isinstance(thing, h5py.Dataset) else None)
                if name in ("plates.hdf", "needles.hdf"):
                    assert len(file["irezone/plan"][()]) > 10 and json.loads(file["irezone/summary"][()])["zone"]
        elif name.endswith((".csv", ".msh")):
            with open(path, "rb") as file:
                text = file.read()
            assert text.endswith(b"\n") and (name.endswith(".csv") or b"$EndElements" in text[-20:])
    except (OSError, ValueError, KeyError, AssertionError, RuntimeError) as error:
        return [f"{name} is not whole: {error!r}"]
    return []


def sample(calls, most):
    """A fixed sample of the numbers from 1 to `calls`."""
    if calls <= most:
        return list(range(1, calls + 1))
    return sorted({1 + (i * (calls - 1)) // (most - 1) for i in range(most)})


def main():
    """Try everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("shim")
    parser.add_argument("--all", action="store_true", help="every call")
    parser.add_argument("--sample", type=int, default=500, help="calls of a kind that are tried (default: 500)")
    parser.add_argument("--only", action="append", help="a scenario; may be repeated")
    parser.add_argument("--kind", action="append", help="a kind of call; may be repeated")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    failures = 0
    with tempfile.TemporaryDirectory(prefix="irezone-faults-") as folder:
        bench = Bench(folder, os.path.abspath(options.program), os.path.abspath(options.shim))
        print("| kind | scenario | calls | tried | ended with | bad |\n|---|---|---|---|---|---|")
        with concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
            for scenario in options.only or SCENARIOS:
                for kind in options.kind or KINDS[: None if options.sample >= 100 or options.all else -1]:
                    calls = bench.count(scenario, kind)
                    numbers = sample(calls, calls if options.all else options.sample)
                    ended, bad = {}, []
                    results = pool.map(lambda n, s=scenario, k=kind: bench.try_one(s, k, n), numbers)
                    for number, (status, wrong) in zip(numbers, results):
                        ended[status] = ended.get(status, 0) + 1
                        if wrong:
                            bad.append(f"  {scenario}, {kind} {number}: {'; '.join(wrong)}")
                    failures += len(bad) if kind != "library-memory" else 0
                    counts = ", ".join(f"{status}: {n}" for status, n in sorted(ended.items(), key=str))
                    print(f"| {kind} | {scenario} | {calls} | {len(numbers)} | {counts} | {len(bad)} |", flush=True)
                    for line in bad:
                        print(line, file=sys.stderr, flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
