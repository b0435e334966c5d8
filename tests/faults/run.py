#!/usr/bin/python3
"""run.py IREZONE [SHIM] [--all | --sample N] [--only SCENARIO] [--kind KIND]: what happens when one call fails.

For each scenario and each kind of call, every N-th call of each rank fails once (a fixed sample of them). The program must
end within seconds on all ranks, with one line and a status that fits. It leaves no temporary file; what stands under a final
name is an older result, byte for byte, or a new one that is right. Status 0 needs everything to be there and right: a case
of a sweep may have failed if the table and a warning say so. Prints a table.

Kinds: memory, open, write, fsync, rename, mkdir, close (calls of irezone's own to the system, by shim.c), stdout (a
standard output that is full, closed, or a pipe that nobody reads), agree (an agreement of ranks, by agree.c) and
library-memory (allocations of any code). What MPI, OpenMP and other libraries do when an allocation of their own fails is
judged for hangs only: they end the process, or crash, before irezone hears of it. Without SHIM: agree and stdout.
"""
import argparse
import concurrent.futures
import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import h5py

MESH = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "meshes", "parallel_plates.msh")
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
keep: [2]
vary: {"pulses[0].voltage": {uniform: [700, 1200]}}
probability_map: {spacing: 4, box: [[-10, -10, -5], [10, 10, 5]]}
""",
}
# Name: arguments, what is in the folder before (a key of BEFORE), ranks.
SCENARIOS = {
    "run": ("run plates.yaml -o out -q --threads 1", "run", 1),
    "run-generated": ("run needles.yaml -o out -q --threads 1", "run-generated", 1),
    "run-heat": ("run heat.yaml -o out -q --threads 1", "run-heat", 1),
    "sweep": ("sweep sweep.yaml -o out -q", None, 1),
    "sweep-resume": ("sweep sweep.yaml -o out -q --resume", "sweep-cut", 1),
    "sweep-merge": ("sweep sweep.yaml -o out -q --merge", "sweep-tasks", 1),
    "info-hdf": ("info out/plates.hdf", "run", 1),
    "info-msh": ("info MESH", None, 1),
    "mesh": ("mesh needles.yaml -o out/needles.msh", None, 1),
    "run-2": ("run plates.yaml -o out -q --threads 1", "run", 2),
    "run-3": ("run plates.yaml -o out -q --threads 1", "run", 3),
    "run-generated-2": ("run needles.yaml -o out -q --threads 1", "run-generated", 2),
    "run-heat-2": ("run heat.yaml -o out -q --threads 1", "run-heat", 2),
    "sweep-2": ("sweep sweep.yaml -o out -q", None, 2),
    "sweep-3": ("sweep sweep.yaml -o out -q", None, 3),
    "sweep-group-2": ("sweep sweep.yaml -o out -q --ranks-per-case 2", None, 2),
    "sweep-resume-2": ("sweep sweep.yaml -o out -q --resume", "sweep-cut", 2),
    "sweep-merge-2": ("sweep sweep.yaml -o out -q --merge", "sweep-tasks", 2),
}
# Results that are there before a scenario: commands that make them. Those of a run are of another voltage.
BEFORE = {
    "run": [SCENARIOS["run"][0] + " --set pulses[0].voltage=900"],
    "run-generated": [SCENARIOS["run-generated"][0] + " --set pulses[0].voltage=1400"],
    "run-heat": [SCENARIOS["run-heat"][0] + " --set pulses[0].voltage=1400"],
    "sweep-cut": ["sweep sweep.yaml -o out -q"],
    "sweep-tasks": ["sweep sweep.yaml -o out -q --task 1/2", "sweep sweep.yaml -o out -q --task 2/2"],
}
KINDS = ["memory", "open", "write", "fsync", "rename", "mkdir", "close", "stdout", "agree", "library-memory"]
MEANT = {"memory": (0, 6), "agree": (0, 6), "open": (0, 2, 3, 5), "stdout": (0, 5, -signal.SIGPIPE)}
NOTICE = re.compile(r"^(-{20,}|mpiexec |Primary job|MPI_ABORT|with errorcode|NOTE: invoking|You may or may|exactly when|"
                    r"a non-zero|the job to be|.*Process name:|.*Exit code:|\s*$|\[.*\] \d+ more process|in communicator|Authorization required|irezone: stopped by SIGTERM; )")  # fmt: skip
CHANGING = {"timing_s", "peak_memory_MB", "seconds", "cpu_seconds"}
PATIENCE = 60  # s; a run takes less than two
FULL, CLOSED, UNREAD = 1, 2, 3  # what is wrong with the standard output


def write_inputs(folder):
    """The plans and the sweep."""
    for name, text in FILES.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text.replace("MESH", MESH))


class Bench:
    """A folder with the inputs, the results that are there before, and those that are right."""

    def __init__(self, folder, program, shim):
        self.folder, self.program, self.shim = folder, program, shim
        write_inputs(folder)
        self.before, self.right, self.said = {}, {}, {}

    def make_before(self, before):
        """Make the results that are there before some scenarios."""
        place = self.place(f"before-{before}", None)
        for arguments in BEFORE[before]:
            done, _ = self.start(arguments, 1, place, {})
            if done.returncode != 0:
                sys.exit(f"{before} without a fault ends with {done.returncode}: {done.stderr}")
        self.before[before] = os.path.join(place, "out")
        if before == "sweep-cut":
            journal = os.path.join(place, "out", "journal", "task-0001-of-0001.group-00000.log")
            with open(journal, encoding="utf-8") as file:
                first = file.readline()
            with open(journal, "w", encoding="utf-8") as file:
                file.write(first)

    def prepare(self, scenario):
        """Find what is right after a scenario; returns its calls as `count` does."""
        place = self.place(f"right-{scenario}", SCENARIOS[scenario][1])
        done, _ = self.start(SCENARIOS[scenario][0], SCENARIOS[scenario][2], place, {})
        if done.returncode != 0:
            sys.exit(f"{scenario} without a fault ends with {done.returncode}: {done.stderr}")
        out = os.path.join(place, "out")
        self.right[scenario] = {name: contents(path) for name, path in results(out).items()}
        self.said[scenario] = done.stdout
        return self.count(scenario)

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

    def start(self, arguments, ranks, place, fault, output=subprocess.PIPE, program=None):
        """Run a scenario in a folder; returns how it ended and after how many seconds. The last is None: it hangs."""
        command = [program or self.program, *arguments.replace("MESH", MESH).split()]
        if ranks > 1:
            exported = ["LD_PRELOAD", "IREZONE_FAULT", "IREZONE_FAULT_COUNT"]
            command = ["mpiexec", "--oversubscribe", "-n", str(ranks), *sum((["-x", e] for e in exported if e in fault), []),
                       *command]  # fmt: skip
        environment = {
            **os.environ, **fault, "OMP_NUM_THREADS": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1",
            "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_mpi_yield_when_idle": "1", "HWLOC_COMPONENTS": "-gl",
        }  # fmt: skip
        begun = time.monotonic()
        with subprocess.Popen(command, cwd=place, env=environment, stdout=output, stderr=subprocess.PIPE, text=True,
                              errors="replace") as process:  # fmt: skip
            try:
                out, err = process.communicate(timeout=PATIENCE)
                seconds = time.monotonic() - begun
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGTERM)  # mpiexec then ends its ranks
                try:
                    out, err = process.communicate(timeout=10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    out, err = process.communicate()
                seconds = None
        return subprocess.CompletedProcess(command, process.returncode, out or "", err), seconds

    def fault(self, kind, number, rank):
        """The environment for one."""
        fault = {"IREZONE_FAULT": f"{kind}:{number}:{rank}"}
        if kind != "agree" and self.shim is not None:
            fault["LD_PRELOAD"] = self.shim
        return fault

    def count(self, scenario):
        """All calls that a scenario makes: for each kind, pairs of number and rank."""
        arguments, before, ranks = SCENARIOS[scenario]
        calls = {kind: [0] * ranks for kind in KINDS}
        place = self.place(f"count-{scenario}", before)
        log = os.path.join(place, "count")
        self.start(arguments, ranks, place, {"IREZONE_FAULT_COUNT": log, "IREZONE_FAULT": "count:0",
                                             **({"LD_PRELOAD": self.shim} if self.shim else {})})  # fmt: skip
        if os.path.exists(log):
            with open(log, encoding="utf-8") as file:
                for kind, rank, number in map(str.split, file):
                    calls[kind][int(rank)] = max(calls[kind][int(rank)], int(number))
        shutil.rmtree(place)
        if ranks == 1:  # that of ranks is mpiexec's
            calls["stdout"] = [UNREAD]
        return {kind: [(number, rank) for number in range(1, max(n) + 1) for rank in range(ranks) if number <= n[rank]]
                for kind, n in calls.items()}  # fmt: skip

    def try_one(self, scenario, kind, call):
        """Let one call fail; returns the status, the seconds, and what is wrong with how it ended."""
        arguments, before, ranks = SCENARIOS[scenario]
        place = self.place(f"{scenario}-{kind}-{call[0]}-{call[1]}", before)
        if kind == "stdout":
            done, seconds = self.try_stdout(arguments.replace(" -q", ""), ranks, place, call[0])
        else:
            done, seconds = self.start(arguments, ranks, place, self.fault(kind, *call))
        if seconds is None:
            wrong = [f"does not end: {done.stderr[-300:]}"]
        else:
            wrong = self.judge(done, scenario, kind, os.path.join(place, "out"))
        shutil.rmtree(place)
        return "hang" if seconds is None else done.returncode, seconds or PATIENCE, wrong

    def try_stdout(self, arguments, ranks, place, what):
        """A standard output that cannot be written to."""
        if what == FULL:
            with open("/dev/full", "w", encoding="utf-8") as full:
                return self.start(arguments, ranks, place, {}, full)
        if what == UNREAD:
            reading, writing = os.pipe()
            os.close(reading)
            try:
                return self.start(arguments, ranks, place, {}, writing)
            finally:
                os.close(writing)
        script = os.path.join(place, "closed")
        with open(script, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nexec "{self.program}" "$@" >&-\n')
        os.chmod(script, 0o755)
        return self.start(arguments, ranks, place, {}, program=script)

    def judge(self, done, scenario, kind, out):
        """What is wrong."""
        lines = [line for line in done.stderr.splitlines() if not NOTICE.match(line)]
        errors = [line for line in lines if not line.startswith("irezone: warning: ")]
        wrong = []
        if done.returncode not in MEANT.get(kind, (0, 3, 5)):
            wrong.append(f"status {done.returncode}: {' | '.join(lines)[-200:]}")
        if len(errors) != (done.returncode > 0) or not all(line.startswith("irezone: ") for line in errors):
            wrong.append(f"{len(errors)} lines: {' | '.join(errors)[:300]}")
        found, right = results(out), self.right[scenario]
        before = results(self.before[SCENARIOS[scenario][1]]) if SCENARIOS[scenario][1] else {}
        failed = re.search(r"(\d+) of \d+ cases failed", done.stderr)
        failed = int(failed.group(1)) if failed else 0
        if done.returncode <= 0:
            missing = [name for name in right if name not in found]
            wrong += [f"{name} is missing" for name in missing if not (failed and name.startswith("fields/"))]
            if kind != "stdout" and not failed and steady(done.stdout) != steady(self.said[scenario]):
                wrong.append("says something else")
        else:
            wrong += [f"{name} of before is gone" for name in before if name not in found]
        for name, path in found.items():
            old = before.get(name) if done.returncode != 0 or name not in right else None
            wrong += judge_file(name, path, right.get(name), old, failed)
        return wrong


def steady(text):
    """What a program says, without times and memory."""
    return re.sub(r"[0-9.]+ (s|MB|ms)\b", "", text)


def results(out):
    """Files under their final names and others that should not be there: name and path. Not a sweep's journal and log."""
    found = {}
    for root, folders, files in os.walk(out):
        if "journal" in folders and root == out:
            folders.remove("journal")
        for name in files:
            if name != "sweep.log":
                path = os.path.join(root, name)
                found[os.path.relpath(path, out)] = path
    journal = os.path.join(out, "journal")
    for name in os.listdir(journal) if os.path.isdir(journal) else []:
        if re.search(r"\.[0-9a-f]{6}$", name):
            found[os.path.join("journal", name)] = os.path.join(journal, name)
    return found


def read_bytes(path):
    """What a file holds."""
    with open(path, "rb") as file:
        return file.read()


def without_changing(thing):
    """JSON without what differs from run to run."""
    if isinstance(thing, dict):
        return {key: without_changing(value) for key, value in thing.items() if key not in CHANGING}
    return [without_changing(item) for item in thing] if isinstance(thing, list) else thing


def contents(path):
    """What a file says, without what differs from run to run. ValueError or OSError: it is not whole."""
    name = os.path.basename(path)
    if name.endswith(".json"):
        return without_changing(json.loads(read_bytes(path)))
    if name.endswith((".hdf", ".h5")):
        found = {}

        def take(place, thing):
            attributes = {key: repr(value) for key, value in thing.attrs.items()}
            value = None
            if isinstance(thing, h5py.Dataset) and place.split("/")[-1] not in CHANGING:
                value = thing[()]
                value = value.tolist() if hasattr(value, "tolist") else value
            if place in ("irezone/summary", "statistics"):
                value = without_changing(json.loads(value)) if value else value
            found[place] = (attributes, repr(value))

        with h5py.File(path, "r") as file:
            file.visititems(take)
        return found
    if name == "sweep.csv":
        text = read_bytes(path).decode()
        if not text.endswith("\n"):
            raise ValueError("its last line is not whole")
        rows = list(csv.DictReader(io.StringIO(text)))
        return [{key: value for key, value in row.items() if key not in CHANGING} for row in rows]
    return read_bytes(path)


def judge_file(name, path, right, old, failed):
    """What is wrong with a file: it should be as it is when all goes well, or as it was before.
    With cases that failed the table must say so and have the others as they should be; what is made of them is whole."""
    if old is not None and read_bytes(path) == read_bytes(old):
        return []
    if right is None and old is None:
        return [f"{name} is left behind"]
    try:
        found = contents(path)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        return [f"{name} is not whole: {error!r}"]
    if found == right:
        return []
    if name == "sweep.csv":
        rows = {row["case"]: row for row in right}
        bad = [row for row in found if row["status"] != "converged"]
        if all(row == rows[row["case"]] for row in found if row not in bad) and len(bad) == failed:
            return []
    elif failed > 0 and os.path.basename(path) in ("sweep.json", "sweep.h5", "probability.hdf"):
        return []
    elif isinstance(found, dict) and "warnings" in found and found["warnings"] != right["warnings"]:
        lost = [text for text in found["warnings"] if text not in right["warnings"]]
        if {**found, "warnings": 0} == {**right, "warnings": 0} and len(lost) == 1:
            return []  # the fields could not be written, and it says so
    return [f"{name} is not what it should be"]


def sample(calls, most):
    """A fixed sample."""
    if len(calls) <= most:
        return calls
    return [calls[i] for i in sorted({(i * (len(calls) - 1)) // max(most - 1, 1) for i in range(most)})]


def main():
    """Try everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", nargs="?")
    parser.add_argument("shim", nargs="?")
    parser.add_argument("--all", action="store_true", help="every call")
    parser.add_argument("--sample", type=int, default=500, help="calls of a kind that are tried (default: 500)")
    parser.add_argument("--only", action="append", choices=SCENARIOS, help="a scenario; may be repeated")
    parser.add_argument("--kind", action="append", choices=KINDS, help="a kind of call; may be repeated")
    parser.add_argument("--call", help="one call, NUMBER:RANK")
    parser.add_argument("--workers", type=int, default=2, help="faults that are tried at a time (default: 2)")
    parser.add_argument("--inputs", metavar="FOLDER", help="only write the plans into a folder")
    options = parser.parse_args()
    if options.inputs is not None:
        return write_inputs(options.inputs)
    if options.program is None:
        parser.error("which program?")
    kinds = options.kind or (KINDS if options.sample >= 100 or options.all else KINDS[:-1])
    if options.shim is None:
        kinds = [kind for kind in kinds if kind in ("agree", "stdout")]
    failures = tried = 0
    scenarios = options.only or list(SCENARIOS)
    with tempfile.TemporaryDirectory(prefix="irezone-faults-") as folder, concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
        bench = Bench(folder, os.path.abspath(options.program), options.shim and os.path.abspath(options.shim))
        wanted = sorted({SCENARIOS[scenario][1] for scenario in scenarios} - {None})
        list(pool.map(bench.make_before, wanted))
        rows = []
        for scenario, counted in zip(scenarios, pool.map(bench.prepare, scenarios)):
            for kind in kinds:
                calls = counted[kind]
                chosen = sample(calls, len(calls) if options.all else options.sample)
                if calls and options.call is not None:
                    chosen = [tuple(map(int, options.call.split(":")))]
                if calls:
                    rows.append((scenario, kind, len(calls), chosen))
        tries = [(scenario, kind, call) for scenario, kind, _, chosen in rows for call in chosen]
        outcomes = pool.map(lambda one: bench.try_one(*one), tries)
        print("| kind | scenario | calls | tried | ended with | slowest, s | bad |\n|---|---|---|---|---|---|---|")
        for scenario, kind, n_calls, chosen in rows:
            ended, bad, slowest = {}, [], 0
            for call in chosen:
                status, seconds, wrong = next(outcomes)
                ended[status] = ended.get(status, 0) + 1
                slowest = max(slowest, seconds)
                if kind == "library-memory":
                    wrong = wrong if status == "hang" else []
                if wrong:
                    bad.append(f"  {scenario}, {kind} {call[0]}:{call[1]}: {'; '.join(wrong)}")
            failures += len(bad)
            tried += len(chosen)
            counts = ", ".join(f"{status}: {n}" for status, n in sorted(ended.items(), key=str))
            print(f"| {kind} | {scenario} | {n_calls} | {len(chosen)} | {counts} | {slowest:.1f} | {len(bad)} |", flush=True)
            for line in bad:
                print(line, file=sys.stderr, flush=True)
    print(f"{tried} faults, {failures} ended wrongly")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
