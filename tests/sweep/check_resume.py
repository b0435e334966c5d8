"""What a folder accepts: one sweep at a time, the same sweep again, no silent mixing; signals end cleanly."""

import os
import shutil
import signal
import time

from stub import check, folder, recorded, run, start, table, wait_for_cases

SWEEP = "plan: p.yaml\n# a comment\nvary:\n  pulses[0].voltage: {from: 1000, to: 3000, count: 40}\n"
home, path = folder(SWEEP)
check(run(path, out="reference")[0] == 0, "undisturbed run")
reference = table(path, "reference")

# A signal: in-flight cases are finished, the exit status says that the rest can be resumed.
for number, sent in enumerate([signal.SIGTERM, signal.SIGUSR1]):
    out = f"signal{number}"
    process = start(path, "--sleep", 50, out=out)
    wait_for_cases(path, 3, out)
    process.send_signal(sent)
    error = process.communicate(timeout=30)[1]
    check(process.returncode == 75 and "--resume" in error, f"{sent}: {process.returncode} {error}")
    done = len(recorded(path, out))
    check(0 < done < 40, f"{done} cases before the signal")
    check(table(path, out) == [r for r in reference if int(r["case"]) in recorded(path, out)], "table so far")
    status, _, error = run(path, out=out)
    check(status == 2 and "--resume" in error, f"without --resume: {status} {error}")
    status, _, error = run(path, "--resume", ranks=2, out=out)
    check(status == 0, error)
    check(table(path, out) == reference, "the table after a signal differs")
    check(sorted(recorded(path, out)) == list(range(1, 41)), "each case once")
    before = (path / out / "sweep.csv").read_bytes(), (path / out / "sweep.h5").read_bytes()
    check(run(path, "--resume", out=out)[0] == 0, "nothing left to do")
    check(before == ((path / out / "sweep.csv").read_bytes(), (path / out / "sweep.h5").read_bytes()),
          "writing the tables again changes them")

# Two sweeps in one folder: the second is refused, the first goes on. A task of an array is refused beside it, too.
process = start(path, "--sleep", 1000, out="busy")
wait_for_cases(path, 1, "busy")
for options in [[], ["--resume"], ["--task", "1/2"], ["--merge"]]:
    status, _, error = run(path, *options, out="busy")
    check(status == 2 and "a sweep is running in this folder (process" in error, f"{options}: {status} {error}")
process.kill()
process.wait()
status, _, error = run(path, "--resume", out="busy")
check(status == 0, f"after SIGKILL the folder is free: {error}")
check(table(path, "busy") == reference, "the table after SIGKILL differs")

# Two tasks of one array run beside each other.
first = start(path, "--task", "1/2", "--sleep", 50, out="tasks")
wait_for_cases(path, 1, "tasks")
status, _, error = run(path, "--task", "2/2", out="tasks")
check(status == 0, error)
check(first.wait() == 0, "the first task")
check(run(path, "--merge", out="tasks")[0] == 0 and table(path, "tasks") == reference, "merged tasks")

# A changed sweep or plan is found and explained; a changed comment is not a change.
(path / "s.yaml").write_text(SWEEP.replace("a comment", "another comment"))
check(run(path, "--resume", out="busy")[0] == 0, "a comment is no change")
(path / "s.yaml").write_text(SWEEP.replace("3000", "2900"))
status, _, error = run(path, "--resume", out="busy")
check(status == 2 and "s.yaml:4: has changed" in error and "2900" in error and "3000" in error, f"{status} {error}")
(path / "s.yaml").write_text(SWEEP)
plan = (path / "p.yaml").read_text()
(path / "p.yaml").write_text(plan.replace("500", "510"))
status, _, error = run(path, "--resume", out="busy")
check(status == 2 and "p.yaml:3: has changed" in error, f"{status} {error}")
(path / "p.yaml").write_text(plan)

# Torn and damaged lines in a journal: skipped, their cases run again, the rest kept.
journal = next((path / "busy" / "journal").glob("*.log"))
lines = journal.read_bytes().split(b"\n")
lines[2] = lines[2].replace(b"converged", b"convergEd")
journal.write_bytes(b"\n".join(lines[:-1])[:-5])
status, _, error = run(path, "--resume", out="busy")
check(status == 0, error)
check(table(path, "busy") == reference, "the table after damage differs")

# Failed cases: finished for --resume, run again by --retry-failed, also when it is killed on the way.
failed = {int(row["case"]) for row in reference if row["status"] != "converged"}
check(failed == {7, 14, 21, 28, 35}, f"failed: {failed}")
check(run(path, out="retry")[0] == 0, "before the retry")
check(run(path, "--resume", "--healed", out="retry")[0] == 0 and table(path, "retry") == reference, "--resume retried")
check(run(path, "--retry-failed", out="retry")[0] == 0 and table(path, "retry") == reference, "failed once more")
check(sorted(recorded(path, "retry")) == sorted([*range(1, 41), *failed]), "only the failed cases run again")
process = start(path, "--retry-failed", "--healed", "--sleep", 300, out="retry")
for _ in range(600):
    if len(recorded(path, "retry")) > 46:
        break
    time.sleep(0.02)
process.kill()
process.wait()
status, _, error = run(path, "--retry-failed", "--healed", ranks=2, out="retry")
check(status == 0, error)
rows = table(path, "retry")
check(all(row["status"] == "converged" for row in rows), "healed")
check([r for r in rows if int(r["case"]) not in failed] == [r for r in reference if int(r["case"]) not in failed],
      "the other rows have changed")
numbers = recorded(path, "retry")
check(len(numbers) == 40 + 2 * len(failed), f"{len(numbers)} records: each failed case twice more, no other")

# The journal is removed, or emptied, under a running sweep: an error, never a table without its rows that looks finished.
for how in ("removed", "emptied"):
    process = start(path, "--sleep", 20, ranks=2, out=how)
    wait_for_cases(path, 3, how)
    if how == "removed":
        shutil.rmtree(path / how / "journal")
    else:
        for journal in (path / how / "journal").glob("*.log"):
            os.truncate(journal, 0)
    error = process.communicate(timeout=60)[1]
    said = f"was {'removed' if how == 'removed' else 'shortened'} while the sweep ran"
    check(process.returncode == 5 and said in error, f"{how}: {process.returncode} {error}")
    status, _, error = run(path, "--resume", out=how)
    check(status == 0 and table(path, how) == reference, f"after the journal was {how}: {error}")

# A folder that cannot be written.
(path / "file").write_text("")
status, _, error = run(path, out="file")
check(status == 5 and "cannot be written" in error and error.count("\n") == 1, f"{status} {error}")
home.cleanup()
