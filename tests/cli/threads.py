"""Threads from outside: threads.py IREZONE. Same results however many work; no waste where others use the processors; quotas."""
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

IREZONE = sys.argv[1]
PLAN = """name: pair
mesh: {size: 100, accuracy: 1, order: 2}
tissues: {default: {preset: liver}}
array: {count: 3, spacing: 15, exposure: 20}
pulses: {pairs: all, voltage: 2250}
output: {fields: false}
"""
failures = []


def check(right, text):
    print("ok  " if right else "FAIL", text)
    if not right:
        failures.append(text)


PATIENT = pathlib.Path(__file__).resolve().parents[2] / "examples" / "patient_liver.yaml"


def run(folder, words=(), env=None, prefix=(), plan="plan.yaml"):
    """(summary, seconds of the processor)"""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    base = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_"))}
    command = [*prefix, IREZONE, "run", str(plan), "-o", "out", "-q", *words]
    subprocess.run(command, cwd=folder, env={**base, **(env or {})}, check=True, timeout=600, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads((folder / "out" / "pair.json").read_text()), cpu


def numbers(summary):
    return {k: v for k, v in summary.items() if k not in ("timing_s", "peak_memory_MB")}


def same_results(folder):
    """Three parts of the work, done by one thread, by three, and by as many as are found good."""
    alone, _ = run(folder, ["--threads", "3"], {"OMP_THREAD_LIMIT": "1"})
    three, _ = run(folder, ["--threads", "3"], {"OMP_DYNAMIC": "false", "OMP_WAIT_POLICY": "passive"})
    adapted, _ = run(folder, ["--threads", "3"])
    bound = ["taskset", "-c", str(min(os.sched_getaffinity(0)))]
    one_processor, _ = run(folder, ["--threads", "3"], prefix=bound)
    check(numbers(alone) == numbers(three), "one thread and three find the same, bit for bit")
    check(numbers(alone) == numbers(one_processor), "so does one that knows that it works alone")
    check(numbers(alone) == numbers(adapted), "so does what adapts itself")
    words = ["--threads", "3", "--set", "name=pair", "--set", "output={fields: false, slicer: false}"]
    one_processor, _ = run(folder, words, prefix=bound, plan=PATIENT)
    three, _ = run(folder, words, {"OMP_DYNAMIC": "false", "OMP_WAIT_POLICY": "passive"}, plan=PATIENT)
    check(numbers(one_processor) == numbers(three), "where tissues meet, too, and for the patient")


def busy(folder):
    """Endless loops on all processors: threads that spin would use many times as much of the processors."""
    count = 2 * len(os.sched_getaffinity(0))
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        ratios = []
        for _ in range(3):
            _, one = run(folder, ["--threads", "1"])
            _, two = run(folder, ["--threads", "2"])
            ratios.append(two / one)
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
    check(min(ratios) < 1.5, f"two threads on busy processors use {min(ratios):.2f} times the time of one")


def affinity(folder):
    first = str(min(os.sched_getaffinity(0)))
    summary, _ = run(folder, prefix=["taskset", "-c", first])
    check(summary["threads"] == 1, "one thread on one processor")


def quota(folder):
    """A control group that allows one processor, where this user may make one."""
    first = pathlib.Path("/sys/fs/cgroup/cpu")
    group = (first if first.is_dir() else first.parent) / f"irezone-test-{os.getpid()}"
    try:
        group.mkdir()
        if first.is_dir():
            (group / "cpu.cfs_quota_us").write_text("100000")
        else:
            (group / "cpu.max").write_text("100000 100000")
    except OSError as error:
        print("skip quota:", error)
        return
    try:
        summary, _ = run(folder, prefix=["sh", "-c", f'echo $$ > {group}/cgroup.procs; exec "$@"', "sh"])
        check(summary["threads"] == 1, "one thread with a quota of one processor")
    finally:
        group.rmdir()


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "plan.yaml").write_text(PLAN)
        for test in (same_results, busy, affinity, quota):
            test(folder)
    sys.exit(len(failures) > 0)


main()
