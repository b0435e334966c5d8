"""One hundred kills at random moments during one sweep: nothing finished is lost or run twice, the table is the same.

Mostly the whole job is killed; every fourth time only one of its processes, as when a node is lost. A fixed seed draws
the moments; what they hit depends on the machine, which is the point."""

import os
import pathlib
import random
import signal
import subprocess
import time

from stub import check, folder, recorded, run, start, table, wait_for_cases

KILLS, CASES = 100, 1500
home, path = folder("plan: p.yaml\nsample: latin-hypercube\ncases: 1500\nseed: 4\nvary:\n"
                    "  pulses[0].voltage: {uniform: [1000, 3000]}\n  zone.threshold: {normal: [500, 50]}\n")
check(run(path, out="reference")[0] == 0, "undisturbed run")
reference = table(path, "reference")
check(len(reference) == CASES, "1500 rows")



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


# How long a run takes to its first case, here and now: kills are drawn from twice that, so that about half of them hit
# the start-up and half the work.
before = time.monotonic()
process = start(path, "--sleep", 15)
wait_for_cases(path, 1)
kill(process.pid)
process.wait()
process.stderr.close()
startup = time.monotonic() - before

draw = random.Random(20)
known, kills, with_work = set(), 0, 0
while kills < KILLS:
    ranks = 2 if kills % 4 == 0 else 1
    process = start(path, "--resume", "--sleep", 15, ranks=ranks)
    time.sleep(draw.uniform(0.02, 2 * startup) + (0.4 if ranks == 2 else 0))
    if process.poll() is not None:
        check(process.returncode == 0, f"ended by itself: {process.stderr.read()}")
        break
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
    numbers = recorded(path)
    check(len(numbers) == len(set(numbers)), f"kill {kills}: a case was recorded twice")
    check(known <= set(numbers), f"kill {kills}: finished cases were lost")
    with_work += len(numbers) > len(known)
    known = set(numbers)
check(kills == KILLS, f"the sweep ended after {kills} kills")
check(with_work >= KILLS / 4, f"only {with_work} runs finished a case before they were killed")
print(f"{kills} kills, {len(known)} of {CASES} cases done by then, {with_work} runs finished cases")
status, _, error = run(path, "--resume", ranks=2)
check(status == 0, error)
check(table(path) == reference, "the table differs from that of the undisturbed run")
check(sorted(recorded(path)) == list(range(1, CASES + 1)), "each case exactly once")
home.cleanup()
