"""The same table on any number of ranks, groups and tasks; little time lost between cases."""

import concurrent.futures
import os
import re

from stub import check, folder, recorded, run, table

home, path = folder("plan: p.yaml\nvary:\n  pulses[0].voltage: {from: 1000, to: 3000, count: 50}\n"
                    "  array.spacing: {values: [10, 12]}\n")
status, _, error = run(path, out="one")
check(status == 0, error)
reference = table(path, "one")
check(len(reference) == 100, "100 rows")
check([int(r["case"]) for r in reference] == list(range(1, 101)), "rows in order")
check(reference[6]["status"] == 'made to fail, "on purpose"' and reference[6]["volume_cm3"] == "", "failed row")
check(sum(r["status"] == "converged" for r in reference) == 86, "86 results")

for ranks, options in [(2, []), (3, []), (4, ["--ranks-per-case", 2]), (3, ["--coordinator"]), (6, [])]:
    out = f"ranks{ranks}{len(options)}"
    status, _, error = run(path, *options, ranks=ranks, out=out)
    check(status == 0, error)
    check(table(path, out) == reference, f"the table of {ranks} ranks {options} differs")
    check(sorted(recorded(path, out)) == list(range(1, 101)), f"{ranks} ranks: each case once")

status, _, error = run(path, "--ranks-per-case", 2, ranks=3, out="odd")
check(status == 2 and "does not divide" in error, error)

for task in [3, 1, 2]:
    status, _, error = run(path, "--task", f"{task}/3", ranks=task, out="array")
    check(status == 0, error)
    if task == 3:
        status, _, error = run(path, "--merge", out="array")
        check(status == 75 and "67 of 100 cases are missing" in error, error)
status, _, error = run(path, "--merge", out="array")
check(status == 0, error)
check(table(path, "array") == reference, "the merged table differs")
status, _, error = run(path, "--task", "4/3", out="array")
check(status == 2 and "--task 4/3" in error, error)

# Overhead, start and tables included: cases of one second; short ones of very different length; many ranks on few cores. Cases
# sleep, so that the three sweeps can run at a time.
(path / "s.yaml").write_text("plan: p.yaml\nvary:\n  pulses[0].voltage: {from: 1000, to: 3000, count: 40}\n")
TIMED = [(2, ["--sleep", 1000], 0.98), (2, ["--sleep", 300, "--vary-sleep"], 0.85), (10, ["--sleep", 1000], 0.85)]
with concurrent.futures.ThreadPoolExecutor(len(TIMED)) as pool:
    ended = list(pool.map(lambda t: run(path, *t[1], ranks=t[0], out=f"busy{t[0]}{len(t[1])}"), TIMED))
for (ranks, options, least), (status, text, error) in zip(TIMED, ended):
    check(status == 0, error)
    busy, wall = map(float, re.search(r"busy (\S+) wall (\S+)", text).groups())
    share = busy / wall / ranks
    print(f"{ranks} ranks {options}: {100 * share:.1f} % of the time in cases")
    if os.getloadavg()[0] > os.cpu_count() + ranks / 2:
        print("the machine is busy with other work: the time is not judged")
        continue
    check(share >= least, f"{ranks} ranks are busy {share:.3f} of the time, less than {least}")
home.cleanup()
