"""Kills at random moments during a sweep: nothing finished is lost or run twice, the table is the same.

Twenty kills; with IREZONE_KILLS=100 in the environment a hundred, on as many cases more. Mostly the whole job is killed; every
fourth time it has two processes, and every eighth time only one of them is killed, as when a node is lost. Every other kill
falls into the start-up, the rest come after a case was finished. A fixed seed draws the moments; what they hit depends on the
machine, which is the point. Nothing is judged by the clock."""

import os
import pathlib
import random
import signal
import subprocess
import time

from stub import check, folder, recorded, run, start, table, wait_for_cases

KILLS = int(os.environ.get("IREZONE_KILLS", "20"))
CASES = 15 * KILLS
home, path = folder(f"plan: p.yaml\nsample: latin-hypercube\ncases: {CASES}\nseed: 4\nvary:\n"
                    "  pulses[0].voltage: {uniform: [1000, 3000]}\n  zone.threshold: {normal: [500, 50]}\n")
check(run(path, out="reference")[0] == 0, "undisturbed run")
reference = table(path, "reference")
check(len(reference) == CASES, f"{CASES} rows")


def kill(pid):
    """SIGKILL to one process that may be gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def children(pid):
    """Processes that a process started."""
    found = []
    for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            text = status.read_text()
        except OSError:
            continue
        if int(text[text.rindex(")") + 2:].split()[1]) == pid:
            found.append(int(status.parent.name))
    return found


def finish(out):
    """Run the rest; the end must be that of the undisturbed run."""
    status, _, error = run(path, "--resume", ranks=2, out=out)
    check(status == 0, error)
    check(table(path, out) == reference, "the table differs from that of the undisturbed run")
    check(sorted(recorded(path, out)) == list(range(1, CASES + 1)), "each case exactly once")


# How long a run takes to its first case, here and now.
before = time.monotonic()
process = start(path, "--sleep", 15, out="sweep1")
wait_for_cases(path, 1, "sweep1")
kill(process.pid)
process.wait()
process.stderr.close()
startup = time.monotonic() - before

draw = random.Random(20)
known, kills, sweeps, with_work = set(recorded(path, "sweep1")), 0, 1, 0
while kills < KILLS:
    out = f"sweep{sweeps}"
    ranks = 2 if kills % 4 == 0 else 1
    process = start(path, "--resume", "--sleep", 15, ranks=ranks, out=out)
    if kills % 2 == 0:
        while process.poll() is None and len(recorded(path, out)) <= len(known):
            time.sleep(0.005)
        time.sleep(draw.uniform(0, 0.1))
    else:
        time.sleep(draw.uniform(0.02, startup))
    if process.poll() is not None:
        check(process.returncode == 0, f"ended by itself: {process.stderr.read()}")
        finish(out)  # the machine was faster than the kills: another sweep
        known, sweeps = set(), sweeps + 1
        continue
    solving = children(process.pid) if ranks == 2 else []
    if solving and kills % 8 == 0:
        kill(draw.choice(solving))
        try:
            process.wait(timeout=20)  # mpiexec ends the other rank
        except subprocess.TimeoutExpired:
            pass
    for pid in [process.pid, *solving]:
        kill(pid)
    process.wait()
    process.stderr.close()
    kills += 1
    numbers = recorded(path, out)
    check(len(numbers) == len(set(numbers)), f"kill {kills}: a case was recorded twice")
    check(known <= set(numbers), f"kill {kills}: finished cases were lost")
    with_work += len(numbers) > len(known)
    known = set(numbers)
check(with_work >= KILLS / 4, f"only {with_work} runs finished a case before they were killed")
print(f"{kills} kills, {with_work} of them after a case was finished; {len(known)} of {CASES} cases done by then, sweep {sweeps}")
finish(f"sweep{sweeps}")
home.cleanup()
