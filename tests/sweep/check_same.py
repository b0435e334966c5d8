"""The same tables bit for bit (but for `seconds`) whoever solves which case, and when.

Forty random cases on one mesh at order 1, and a sweep of two meshes with three pulses a case: on 1, 2 and 3 ranks, three times each; from a
job array; after kills at random moments. Which process takes which case depends on timing, hence the repetitions."""

import csv
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np

IREZONE, MPIEXEC, SOURCE = sys.argv[1:4]
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                   OMPI_MCA_rmaps_base_oversubscribe="1", OMPI_MCA_mpi_yield_when_idle="1", OMP_NUM_THREADS="1")
home = tempfile.TemporaryDirectory(prefix="irezone-sweep-")
path = pathlib.Path(home.name)
SWEEPS = {
    "plates": """plan: plates.yaml
sample: random
cases: 40
vary:
  pulses[0].voltage: {uniform: [300, 3000]}
  tissues.default.sigma.low: {uniform: [0.05, 0.15]}
  tissues.default.threshold: {uniform: [400, 700]}
""",
    "needles": """plan: needles.yaml
sample: latin-hypercube
cases: 20
vary:
  array.spacing: {values: [10, 12]}
  pulses[0].voltage: {uniform: [1000, 3000]}
  tissues.default.sigma.high: {uniform: [0.25, 0.4]}
""",
}
(path / "plates.yaml").write_text(f"""name: plates
mesh: {{file: {SOURCE}/meshes/parallel_plates.msh, order: 1}}
tissues: {{default: {{sigma: {{law: ramp, low: 0.1, high: 0.3, from: 400, to: 800}}, threshold: 500}}}}
probes: [{{name: bottom, surface: plate_1}}, {{name: top, surface: plate_2}}]
pulses: [{{from: top, to: bottom, voltage: 1000, count: 10, width: 100, rate: 1}}]
""")
(path / "needles.yaml").write_text("""name: needles
mesh: {size: 80, accuracy: 50, order: 1}
tissues: {default: {sigma: {law: sigmoid, low: 0.1, high: 0.35, center: 580, width: 80}, threshold: 500}}
array: {count: 3, spacing: 12, exposure: 15}
pulses:
  - {from: A, to: B, voltage: 2000}
  - {from: B, to: C, voltage: 1700}
  - {from: C, to: A, voltage: 1500}
""")


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def command(sweep, out, *options, ranks=1):
    start = [] if ranks == 1 else [MPIEXEC, "-n", str(ranks)]
    return start + [IREZONE, "sweep", str(path / f"{sweep}_sweep.yaml"), "-o", str(path / out), "-q", *options]


def run(*arguments, **named):
    done = subprocess.run(command(*arguments, **named), env=ENVIRONMENT, capture_output=True, text=True, timeout=600)
    check(done.returncode == 0, done.stdout + done.stderr)


def tables(out):
    """What a sweep wrote, without the measured times."""
    with open(path / out / "sweep.csv", newline="") as file:
        rows = [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]
    arrays = {}
    with h5py.File(path / out / "sweep.h5") as file:
        file.visititems(lambda name, item: arrays.update({name: item[()].tolist()}) if isinstance(item, h5py.Dataset)
                        and isinstance(item[()], np.ndarray) and name != "results/seconds" else None)
    return rows, json.loads((path / out / "sweep.json").read_text()), arrays


def check_same(sweep, out, reference):
    """Compare, and remove."""
    found = tables(out)
    for a, b in zip(reference[0], found[0]):
        check(a == b, f"{sweep} {out}, case {a['case']}: " + ", ".join(f"{k} {b[k]} not {a[k]}" for k in a if a[k] != b[k]))
    check(found == reference, f"{sweep} {out}: sweep.json or sweep.h5 differs")
    shutil.rmtree(path / out)


draw = random.Random(1)
for sweep, text in SWEEPS.items():
    (path / f"{sweep}_sweep.yaml").write_text(text)
    run(sweep, sweep)
    reference = tables(sweep)
    check(len(reference[0]) == 40 and all(row["status"] == "converged" for row in reference[0]), f"{sweep}: 40 results")
    for ranks in (1, 2, 3):
        for again in range(3 if sweep == "plates" else 1):
            run(sweep, "again", ranks=ranks)
            check_same(sweep, "again", reference)
    for task in ("2/3", "3/3", "1/3"):
        run(sweep, "array", "--task", task, ranks=draw.choice((1, 2)))
    run(sweep, "array", "--merge")
    check_same(sweep, "array", reference)
    for _ in range(6):
        process = subprocess.Popen(command(sweep, "kill", "--resume"), env=ENVIRONMENT, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        time.sleep(draw.uniform(0.1, 1.2))
        process.kill()
        process.wait()
    run(sweep, "kill", "--resume", ranks=2)
    check_same(sweep, "kill", reference)
# From another folder the same files have other names; a file that has changed is refused.
(path / "elsewhere").mkdir()
done = subprocess.run([IREZONE, "sweep", "../plates_sweep.yaml", "-o", "../plates", "-q", "--resume"], cwd=path / "elsewhere",
                      env=ENVIRONMENT, capture_output=True, text=True)
check(done.returncode == 0, f"from another folder: {done.stderr}")

# A sweep that has grown has another start for some cases than one that was begun with all: equal to what the solver promises.
(path / "plates_sweep.yaml").write_text(SWEEPS["plates"].replace("cases: 40", "cases: 64"))
run("plates", "plates", "--resume", ranks=2)
run("plates", "large")
for a, b in zip(tables("plates")[0], tables("large")[0], strict=True):
    check(a["case"] == b["case"] and a["pulses[0].voltage"] == b["pulses[0].voltage"], f"{a} {b}")
    for key in ("volume_cm3", "current_A"):
        check(abs(float(a[key]) - float(b[key])) <= 1e-6 * abs(float(b[key])), f"{key}: {a} {b}")
home.cleanup()
