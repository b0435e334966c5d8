"""Signals at random times: kill.py IREZONE MPIEXEC.

A run that gets a signal ends with its results whole or with none, and says which; no temporary file stays. After SIGKILL what
stands under a final name is whole, the older result or the new one. If one of two ranks is killed the other one ends too.
IREZONE_KILLS: kills with SIGKILL (20 if not stated). Nothing is judged by the clock, but that ranks end."""
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import h5py

IREZONE, MPIEXEC = sys.argv[1:3]
KILLS = int(os.environ.get("IREZONE_KILLS", "20"))
PLAN = """name: pair
mesh: {size: 60, accuracy: 20, order: 1}
tissues: {default: {preset: liver}}
array: {count: 2, spacing: 15, exposure: 15}
pulses: [{from: A, to: B, voltage: 2000, count: 90, width: 100, rate: 1.5}]
"""
VARIANTS = {
    "order 1": ["--set", "mesh.order=1"],
    "order 2": ["--set", "mesh.order=2"],
    "heat": ["--set", "heat={cooling: 10}"],
}
SIGNALS = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1]
failures = []


def fail(what, *more):
    print("FAIL", what, *more)
    failures.append(what)


def start(folder, words):
    command = [IREZONE, "run", "plan.yaml", "-o", "out", "-q", *words]
    default = lambda: [signal.signal(s, signal.SIG_DFL) for s in SIGNALS]
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, preexec_fn=default)


def names(path):
    """What is in a folder; it may come and go."""
    try:
        return sorted(os.listdir(path))
    except FileNotFoundError:
        return []


def judge(what, folder, status, said, second):
    out = folder / "out"
    left = names(out)
    whole = {"pair.hdf", "pair.json"} <= set(left)
    if any(name not in ("pair.hdf", "pair.json", "pair_heat.csv") for name in left):
        fail(what, "left", left)
    if status == 0 and not whole:
        fail(what, "status 0 and", left)
    if status == 75 and not second and (left or "nothing was written" not in said):
        fail(what, "status 75,", left, said)
    if status == 75 and said.count("\n") != 1:
        fail(what, "lines:", said)
    if status not in (0, 75):
        fail(what, "status", status, said)
    if "pair.json" in left:
        json.loads((out / "pair.json").read_text())


def random_times(folder, count):
    """Any time from the start to the end; most fall before the results are written."""
    chance = random.Random(1)
    for name, words in VARIANTS.items():
        shutil.rmtree(folder / "out", ignore_errors=True)
        begun = time.monotonic()
        start(folder, words).wait()
        usual = time.monotonic() - begun
        for i in range(count):
            shutil.rmtree(folder / "out", ignore_errors=True)
            number = SIGNALS[i % len(SIGNALS)]
            process = start(folder, words)
            time.sleep(0.03 + chance.random() * usual)
            process.send_signal(number)
            said = process.communicate(timeout=120)[1]
            if process.returncode == -number:  # before it was caught: nothing has begun
                continue
            judge(f"{name}, {number.name}", folder, process.returncode, said, False)


def is_writing(out):
    """Whether a temporary file has content: those that try whether the folder can be written to have none."""
    for name in names(out):
        try:
            if name.startswith("pair.") and name not in ("pair.hdf", "pair.json") and os.path.getsize(out / name) > 0:
                return True
        except FileNotFoundError:
            pass
    return False


def while_writing(folder, count):
    """As soon as results are being written, when a signal is only noted; every third time a second one follows."""
    seen = {}
    for i in range(count):
        shutil.rmtree(folder / "out", ignore_errors=True)
        number = SIGNALS[i % len(SIGNALS)]
        process = start(folder, VARIANTS["order 2"])
        while process.poll() is None and not is_writing(folder / "out"):
            time.sleep(0.0002)
        process.send_signal(number)
        if i % 3 == 2:
            process.send_signal(SIGNALS[(i + 1) % len(SIGNALS)])
        said = process.communicate(timeout=120)[1]
        judge(f"while writing, {number.name}", folder, process.returncode, said, i % 3 == 2)
        seen[process.returncode] = seen.get(process.returncode, 0) + 1
        if i % 3 != 2 and (process.returncode != 0 or (said and "they are whole" not in said)):
            fail("while writing: status", process.returncode, said)
    print("while writing: statuses", seen)


def voltage(path):
    """Which run a result is of; an exception if it is not whole."""
    if path.suffix == ".json":
        return json.loads(path.read_text())["pulses"][0]["voltage_V"]
    with h5py.File(path, "r") as file:
        if not (file["VTKHDF/PointData/field_V_per_cm"][()] > 0).any():
            raise ValueError("no field")
        return json.loads(file["irezone/summary"][()])["pulses"][0]["voltage_V"]


def hard_kills(folder, count):
    """SIGKILL at any moment, in a folder with an older result; every fourth time to one of two ranks."""
    chance = random.Random(2)
    shutil.rmtree(folder / "out", ignore_errors=True)
    begun = time.monotonic()
    start(folder, VARIANTS["order 2"]).wait()
    usual = time.monotonic() - begun
    files = [folder / "out" / "pair.json", folder / "out" / "pair.hdf"]
    start(folder, [*VARIANTS["order 2"], "--set", "pulses[0].voltage=1900"]).wait()
    kept = [file.read_bytes() for file in files]
    seen = {"old": 0, "new": 0, "both": 0}
    for i in range(count):
        for file, content in zip(files, kept):
            file.write_bytes(content)
        if i % 4 == 3:
            kill_rank(folder, chance.random() * 2 * usual, i % 8 == 3)
        else:
            process = start(folder, VARIANTS["order 2"])
            time.sleep(chance.random() * usual)
            process.kill()
            process.communicate()
        for name in names(folder / "out"):
            if name.startswith("pair.") and not re.search(r"\.[0-9a-f]{6}$", name) and name not in ("pair.hdf", "pair.json"):
                fail("SIGKILL", "left", name)
            if re.search(r"\.[0-9a-f]{6}$", name):
                os.remove(folder / "out" / name)
        try:
            found = [voltage(file) for file in files]
        except (OSError, ValueError, KeyError) as error:
            fail("SIGKILL: not whole:", error)
            continue
        states = [{1900: "old", 2000: "new"}.get(value, "neither") for value in found]
        if "neither" in states:
            fail("SIGKILL", states)
        seen[states[0] if states[0] == states[1] else "both"] += 1
    print(f"{count} SIGKILLs, {count // 4} of them to one of two ranks; results then:", seen)


def kill_rank(folder, seconds, first):
    """SIGKILL to one of two ranks, that with the files or the other one; all must end within seconds."""
    default = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_mpi_yield_when_idle": "1"}
    process = subprocess.Popen([MPIEXEC, "--oversubscribe", "-n", "2", IREZONE, "run", "plan.yaml", "-o", "out", "-q", *VARIANTS["order 2"]],
                               cwd=folder, env={**os.environ, **default}, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    ranks = []
    while process.poll() is None and len(ranks) < 2:
        ranks = children(process.pid)
        time.sleep(0.01)
    time.sleep(seconds)
    alive = process.poll() is None and len(ranks) == 2
    if alive:
        try:
            os.kill(min(ranks) if first else max(ranks), signal.SIGKILL)
        except ProcessLookupError:
            alive = False
    try:
        process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        fail("one of two ranks is killed, and the other does not end")
        for pid in [*ranks, process.pid]:
            os.kill(pid, signal.SIGKILL)
        process.communicate()
        return
    deadline = time.monotonic() + 10
    while any(runs(pid) for pid in ranks):
        if time.monotonic() > deadline:
            return fail("a rank outlives its launcher")
        time.sleep(0.05)


def runs(pid):
    """Whether there is a process that has not ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def children(pid):
    """Processes of irezone that a process started."""
    found = []
    for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            text = status.read_text()
        except OSError:
            continue
        name, rest = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()
        if name == "irezone" and int(rest[1]) == pid:
            found.append(int(status.parent.name))
    return found


def sweep_stops(folder):
    """The first signal lets cases finish, a second one ends at once; what is there goes on with --resume."""
    (folder / "slow.yaml").write_text(PLAN.replace("accuracy: 20, order: 1", "accuracy: 1, order: 2"))
    (folder / "sweep.yaml").write_text("plan: slow.yaml\nsample: grid\nvary:\n  pulses[0].voltage: {from: 1000, to: 3000, step: 2}\n")
    shutil.rmtree(folder / "swept", ignore_errors=True)
    command = [IREZONE, "sweep", "sweep.yaml", "-o", "swept", "-q"]
    for signals in (1, 2):
        process = subprocess.Popen(command + ["--resume"], cwd=folder, stderr=subprocess.PIPE, text=True)
        while process.poll() is None and not names(folder / "swept"):
            time.sleep(0.05)
        time.sleep(0.5)
        for _ in range(signals):
            process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=120)[1]
        if process.returncode != 75 or "--resume" not in said:
            fail(f"sweep, {signals} signals: status", process.returncode, said)


def reader_goes(folder):
    """Who reads the progress goes away: the results are written, and the status tells."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    process = subprocess.Popen([IREZONE, "run", "plan.yaml", "-o", "out"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    said = process.stderr.read()
    if process.wait(timeout=120) != 5 or "standard output" not in said or not (folder / "out" / "pair.json").exists():
        fail("a closed pipe: status", process.returncode, said)


def main():
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "plan.yaml").write_text(PLAN)
        random_times(folder, 10)
        while_writing(folder, 18)
        hard_kills(folder, KILLS)
        sweep_stops(folder)
        reader_goes(folder)
    print("failures:", len(failures))
    sys.exit(len(failures) > 0)


main()
