"""The drivers in examples/sweeps do what they say: check_examples.py IREZONE MPIEXEC EXAMPLES WHAT

python     the optimisation runs, its answer is the best row of its tables, and a second run repeats it
dakota     the driver answers parameters files in both of Dakota's forms as `irezone run` does, and says `fail`
slurm      the job scripts parse, and do their part with stand-ins for srun and scontrol: no Slurm is needed or tested
snakemake  the Snakefile is read and plans its jobs; skipped (77) where snakemake is not installed"""

import csv
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

IREZONE, MPIEXEC, EXAMPLES, WHAT = sys.argv[1:5]
SWEEPS = pathlib.Path(EXAMPLES).resolve() / "sweeps"
home = tempfile.TemporaryDirectory(prefix="irezone-examples-")
path = pathlib.Path(home.name)
(path / "bin").mkdir()
(path / "bin" / "irezone").symlink_to(IREZONE)
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                   OMPI_MCA_rmaps_base_oversubscribe="1", IREZONE_PLAN=str(path / "p.yaml"),
                   PATH=f"{path / 'bin'}:{pathlib.Path(MPIEXEC).parent}:{os.environ['PATH']}")
# Coarse: what is tested is who calls whom with what.
(path / "p.yaml").write_text("""name: small
mesh: {size: 80, accuracy: 20, order: 1}
tissues: {default: {sigma: {law: sigmoid, low: 0.1, high: 0.35, center: 580, width: 80}, threshold: 500}}
array: {count: 2, spacing: 15, exposure: 15}
pulses: [{from: A, to: B, voltage: 2000}]
""")


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def run(*command):
    done = subprocess.run([str(c) for c in command], env=ENVIRONMENT, cwd=path, capture_output=True, text=True, timeout=800)
    return done.returncode, done.stdout, done.stderr


def script(name, text):
    """A stand-in on the PATH."""
    file = path / "bin" / name
    file.write_text("#!/bin/bash\n" + text)
    file.chmod(0o755)


def rows(folder):
    with open(path / folder / "sweep.csv", newline="") as file:
        return list(csv.DictReader(file))


def check_python():
    driver = SWEEPS / "python" / "largest_volume.py"
    status, said, error = run(sys.executable, driver, path / "out")
    check(status == 0, error)
    table = rows("out/coarse"), rows("out/fine")
    check([len(t) for t in table] == [5, 5] and all(r["status"] == "converged" for t in table for r in t), f"{table}")
    whole = [r for r in table[1] if r["parts"] == "1"]
    row = max(whole, key=lambda r: float(r["volume_cm3"]))
    check(said == f"{float(row['volume_cm3']):.2f} cm3 at a spacing of {float(row['array.spacing']):g} mm\n", said)
    status, again, error = run(sys.executable, driver, path / "out")
    check(status == 0 and again == said, f"the second run: {status} {again} {error}")


def check_dakota():
    driver = SWEEPS / "dakota" / "driver.py"
    standard = """                    2 variables
 2.000000000000000e+01 array__spacing
 1.800000000000000e+03 pulses_0___voltage
                    2 functions
                    1 ASV_1:volume_cm3
                    1 ASV_2:current_A
                    2 derivative_variables
                    1 DVV_1:array__spacing
                    2 DVV_2:pulses_0___voltage
                    0 analysis_components
                    7 eval_id
"""
    aprepro = """                    { DAKOTA_VARS = 2 }
                    { array__spacing = 2.000000000000000e+01 }
                    { pulses_0___voltage = 1.800000000000000e+03 }
                    { DAKOTA_FNS = 2 }
                    { ASV_1:volume_cm3 = 1 }
                    { ASV_2:current_A = 1 }
                    { DAKOTA_DER_VARS = 0 }
                    { DAKOTA_AN_COMPS = 0 }
                    { DAKOTA_EVAL_ID = 7 }
"""
    status, _, error = run("irezone", "run", "p.yaml", "-o", "alone", "-q", "--threads", "1", "--set", "array.spacing=20",
                           "--set", "pulses[0].voltage=1800")
    check(status == 0, error)
    summary = json.loads((path / "alone" / "small.json").read_text())
    expected = summary["zone"]["volume_cm3"], summary["pulses"][0]["current_A"]
    for form, text in [("standard", standard), ("aprepro", aprepro)]:
        (path / "case.in").write_text(text)
        status, _, error = run(sys.executable, driver, "case.in", f"{form}.out")
        check(status == 0, error)
        lines = [line.split() for line in (path / f"{form}.out").read_text().splitlines()]
        check([name for _, name in lines] == ["volume_cm3", "current_A"], f"{form}: {lines}")
        check(all(abs(float(value) / e - 1) < 1e-9 for (value, _), e in zip(lines, expected)), f"{lines} {expected}")
    (path / "case.in").write_text(standard.replace("1.800000000000000e+03", "-5"))
    status, _, error = run(sys.executable, driver, "case.in", "failed.out")
    check(status == 0 and (path / "failed.out").read_text() == "fail\n" and "voltage" in error, f"{status} {error}")


def check_slurm():
    one, array = SWEEPS / "slurm" / "one_job.sh", SWEEPS / "slurm" / "job_array.sh"
    for file in (one, array):
        status, _, error = run("bash", "-n", file)
        check(status == 0 and file.read_text().startswith("#!/bin/bash\n#"), f"{file}: {error}")
    (path / "s.yaml").write_text("plan: p.yaml\nvary:\n  array.spacing: {from: 10, to: 25, count: 12}\n")
    script("srun", 'while [[ $1 == --* ]]; do shift; done\nexec "$@"\n')
    script("scontrol", f'echo "$@" >>{path}/scontrol.out\n')
    ENVIRONMENT["SLURM_JOB_ID"] = "4711"
    job = subprocess.Popen(["bash", str(one), "s.yaml", "one"], env=ENVIRONMENT, cwd=path, start_new_session=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while job.poll() is None and not any(log.stat().st_size for log in path.glob("one/journal/*.log")):
        time.sleep(0.01)
    os.killpg(job.pid, signal.SIGUSR1)
    said = job.communicate(timeout=300)[0]
    check(job.returncode == 75 and "back into the queue" in said, f"{job.returncode} {said}")
    check((path / "scontrol.out").read_text() == "requeue 4711\n", "scontrol")
    status, said, error = run("bash", one, "s.yaml", "one")
    check(status == 0, said + error)
    check((path / "scontrol.out").read_text() == "requeue 4711\n", "a finished job goes back into the queue")
    # What Slurm sets for `sbatch --array=...`: the count, least and largest number are those of the job, not of the sweep.
    for folder, jobs in [("array", [[3], [1], [1, 2, 4, 5, 6, 7], [8]]), ("four", [[2, 4], [4], [1, 3]])]:
        ENVIRONMENT["TASKS"] = "4" if folder == "four" else ""
        n_tasks = 4 if folder == "four" else 8
        for tasks in jobs:
            for task in tasks:
                ENVIRONMENT.update(SLURM_ARRAY_TASK_ID=str(task), SLURM_ARRAY_TASK_COUNT=str(len(tasks)),
                                   SLURM_ARRAY_TASK_MIN=str(min(tasks)), SLURM_ARRAY_TASK_MAX=str(max(tasks)))
                status, said, error = run("bash", array, "s.yaml", folder)
                check(status == 0, f"{tasks}: {said} {error}")
                found = sorted(int(line.split(b"\t")[1]) for log in (path / folder / "journal").glob(f"task-{task:04d}-*.log")
                               for line in log.read_bytes().splitlines())
                check(found == list(range(task, 13, n_tasks)), f"{folder}, task {task} of {tasks}: cases {found}")
        status, said, error = run("irezone", "sweep", "s.yaml", "-o", folder, "--merge")
        check(status == 0, said + error)
    ENVIRONMENT.update(SLURM_ARRAY_TASK_ID="9", TASKS="")
    status, said, error = run("bash", array, "s.yaml", "array")
    check(status == 2 and "9/8" in error, f"task 9 of 8: {status} {said} {error}")
    tables = rows("one"), rows("array"), rows("four")
    for row in (*tables[0], *tables[1], *tables[2]):
        del row["seconds"]
    check(len(tables[0]) == 12 and tables[0] == tables[1] == tables[2], "one job and the arrays differ")


def check_snakemake():
    if shutil.which("snakemake") is None:
        print("skipped: snakemake is not installed")
        sys.exit(77)
    (path / "examples").symlink_to(pathlib.Path(EXAMPLES).resolve())
    status, said, error = run("snakemake", "--dry-run", "--cores", "2", "--snakefile", SWEEPS / "snakemake" / "Snakefile",
                              "--directory", path)
    check(status == 0, said + error)
    said += error
    check(all(f"rule {rule}:" in said for rule in ("sweep", "plots")), said)
    check("out/spacing_exposure/sweep.csv" in said and "out/spacing_exposure/plots" in said, said)


{"python": check_python, "dakota": check_dakota, "slurm": check_slurm, "snakemake": check_snakemake}[WHAT]()
home.cleanup()
