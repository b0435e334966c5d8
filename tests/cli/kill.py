"""Signals at random times: kill.py IREZONE MPIEXEC. A run ends with its results whole or with none, and says which; no temporary file stays."""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

IREZONE = sys.argv[1]
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


def while_writing(folder, count):
    """As soon as the first file appears; every third time a second signal follows."""
    seen = {0: 0, 75: 0}
    for i in range(count):
        shutil.rmtree(folder / "out", ignore_errors=True)
        number = SIGNALS[i % len(SIGNALS)]
        process = start(folder, VARIANTS["order 2"])
        out = folder / "out"
        while process.poll() is None and not names(out):
            pass
        process.send_signal(number)
        if i % 3 == 2:
            process.send_signal(SIGNALS[(i + 1) % len(SIGNALS)])
        said = process.communicate(timeout=120)[1]
        judge(f"while writing, {number.name}", folder, process.returncode, said, i % 3 == 2)
        seen[process.returncode] = seen.get(process.returncode, 0) + 1
        if i % 3 != 2 and process.returncode == 0 and said and "they are whole" not in said:
            fail("while writing", said)
    print("while writing: statuses", seen)
    if seen[0] < count // 3:
        fail("while writing: runs do not finish", seen)


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
        random_times(folder, 16)
        while_writing(folder, 30)
        sweep_stops(folder)
        reader_goes(folder)
    print("failures:", len(failures))
    sys.exit(len(failures) > 0)


main()
