"""Columns from the summary, warnings, and the status of sweeps with cases that fail.

A column must hold what `irezone run` writes for the same case, found here by Python, and be refused before anything runs if the
summary has no such number."""

import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import h5py

IREZONE, MPIEXEC, SOURCE = sys.argv[1:4]
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                   OMPI_MCA_rmaps_base_oversubscribe="1", OMPI_MCA_mpi_yield_when_idle="1", OMP_NUM_THREADS="1")
home = tempfile.TemporaryDirectory(prefix="irezone-sweep-")
path = pathlib.Path(home.name)
PLATES = f"""name: plates
mesh: {{file: {SOURCE}/meshes/parallel_plates.msh, order: 1, accuracy: 50}}
tissues: {{default: {{sigma: {{law: ramp, low: 0.1, high: 0.3, from: 400, to: 800}}, threshold: 500}}}}
probes: [{{name: bottom, surface: plate_1}}, {{name: "to_p", surface: plate_2}}]
pulses:
  - {{from: to_p, to: bottom, voltage: 1000, count: 10, width: 100, rate: 1}}
  - {{from: bottom, to: to_p, voltage: 700, count: 10, width: 100, rate: 1}}
zone: {{also: [400, 412.5]}}
death: {{model: peleg-fermi, survival: [0.01, 0.5]}}
"""
(path / "plates.yaml").write_text(PLATES)


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def sweep(text, out, *options, ranks=1):
    """Run a sweep; returns status, what it said, what it said where errors go."""
    (path / "s.yaml").write_text(text)
    start = [] if ranks == 1 else [MPIEXEC, "-n", str(ranks)]
    done = subprocess.run([*start, IREZONE, "sweep", "s.yaml", "-o", out, *options], cwd=path, env=ENVIRONMENT,
                          capture_output=True, text=True, timeout=600)
    return done.returncode, done.stdout, done.stderr


def rows(out):
    with open(path / out / "sweep.csv", newline="") as file:
        return list(csv.DictReader(file))


# Columns, each with where Python finds it in the summary.
VARY = 'vary: {"pulses[0].voltage": {values: [500, 900, 2000]}, tissues.default.threshold: {values: [500, 450]}}\n'


def entry(items, key, value):
    return next(item for item in items if item[key] == value)


COLUMNS = {
    "zone.volume_cm3": lambda s: s["zone"]["volume_cm3"],
    "pulses[1].current_A": lambda s: s["pulses"][1]["current_A"],
    "pulses.0.resistance_ohm": lambda s: s["pulses"][0]["resistance_ohm"],
    "zone.extent_mm[2]": lambda s: s["zone"]["extent_mm"][2],
    "zone.bounding_box_mm[1][0]": lambda s: s["zone"]["bounding_box_mm"][1][0],
    "zone.by_threshold.400.volume_cm3": lambda s: entry(s["zone"]["by_threshold"], "threshold_V_per_cm", 400)["volume_cm3"],
    "zone.by_threshold.412.5.volume_cm3": lambda s: entry(s["zone"]["by_threshold"], "threshold_V_per_cm", 412.5)["volume_cm3"],
    "zone.by_survival.0.5.volume_cm3": lambda s: entry(s["zone"]["by_survival"], "survival", 0.5)["volume_cm3"],
    "zone.by_region.tissue.ablated_percent": lambda s: 100 * s["zone"]["by_region"][0]["ablated_cm3"] /
                                             s["zone"]["by_region"][0]["volume_cm3"],
    "probes.to_p.potential_V[1]": lambda s: entry(s["probes"], "name", "to_p")["potential_V"][1],
    "pulses[0].electrode_current_A.to_p": lambda s: s["pulses"][0]["electrode_current_A"]["to_p"],
    "zone.touches_outer": lambda s: float(s["zone"]["touches_outer"]),
    "mesh.cells": lambda s: s["mesh"]["cells"],
}
text = "plan: plates.yaml\n" + VARY + "columns:\n" + "".join(f'  - "{c}"\n' for c in COLUMNS)
status, _, error = sweep(text, "columns", ranks=2)
check(status == 0, error)
table = rows("columns")
check(len(table) == 6 and all(row["status"] == "converged" for row in table), f"{table}")
for row in table:
    options = [o for key in ("pulses[0].voltage", "tissues.default.threshold") for o in ("--set", f"{key}={row[key]}")]
    done = subprocess.run([IREZONE, "run", "plates.yaml", "-o", "single", "-q", *options], cwd=path, env=ENVIRONMENT,
                          capture_output=True, text=True)
    check(done.returncode == 0, done.stderr)
    summary = json.loads((path / "single" / "plates.json").read_text())
    for column, find in COLUMNS.items():
        check(abs(float(row[column]) - find(summary)) <= 1e-6 * abs(find(summary)) + 1e-12,
              f"case {row['case']}: {column} is {row[column]}, not {find(summary)}")
    # The warnings are those of the run, in its order.
    wanted = [w for w in summary["warnings"]]
    check(row["warnings"].replace(" (set by ", "\0").split("\0")[0] == "; ".join(wanted).replace(" (set by ", "\0").split("\0")[0],
          f"case {row['case']}: {row['warnings']} / {wanted}")
statistics = json.loads((path / "columns" / "sweep.json").read_text())["strata"][0]
check(all(statistics[c]["n"] == 6 and statistics[c]["max"] >= statistics[c]["min"] for c in COLUMNS), "statistics")
with h5py.File(path / "columns" / "sweep.h5") as file:
    for column in COLUMNS:
        check([abs(a - float(r[column])) <= 1e-9 * abs(a) for a, r in zip(file["results"][column], table)] == [True] * 6,
              f"sweep.h5: {column}")
    check([w.decode() for w in file["results/warnings"]] == [r["warnings"].replace("; ", "\n") for r in table], "sweep.h5: warnings")
status, _, error = sweep(text.replace('"zone.volume_cm3"', '"zone.parts"'), "columns", "--resume")
check(status == 2 and "has changed" in error, f"other columns in the same folder: {status} {error}")

# What is no number of the summary is refused, and nothing is written.
for column, part in {
        "zone.volum_cm3": 's.yaml:3: columns: the summary has no "zone.volum_cm3"; did you mean "zone.volume_cm3"?',
        "current_A": 'did you mean "pulses[0].current_A"?',
        "heat.temperature_peak_C": 'has no "heat.temperature_peak_C"',
        "zone.by_region.tumour.ablated_cm3": 'did you mean "zone.by_region.tissue.ablated_cm3"?',
        "pulses[2].current_A": "pulses holds [0], [1]",
        "pulses[-1].current_A": "no",
        "zone.extent_mm": "is no number; it holds [0], [1], [2]",
        "zone.": 'has no "zone."',
        "status": "is no number",
        "pulses[0].voltage": "is varied",
}.items():
    status, said, error = sweep(f'plan: plates.yaml\n{VARY}columns: ["{column}"]\n', "bad")
    check(status == 2 and part in error and error.count("\n") == 1, f"{column}: {status} {error}")
    check(not (path / "bad").exists(), f"{column}: a folder was made")
status, _, error = sweep(f"plan: plates.yaml\n{VARY}columns: [pulses[0].current_A]\n", "bad")
check(status == 2 and "needs quotes" in error, error)

# The share of a tumour that is ablated is there unasked. Heat, what is at risk, a comparison, and their columns.
(path / "tumour.yaml").write_text("""name: tumour
mesh: {size: 80, accuracy: 50, order: 1}
anatomy: {labels: labels.nii, map: {1: lump}}
tissues: {default: {preset: liver}, lump: {preset: liver-tumour}}
array: {count: 2, spacing: 12, exposure: 15}
pulses: [{from: A, to: B, voltage: 1500, count: 10, width: 100, rate: 1}]
heat: {cooling: 1, order: 1, step: 5}
patient: {at_risk: [{region: lump}], compare: {labels: labels.nii, label: 1},
  needles: {avoid: [lump], clearance: 2}}
""")
made = subprocess.run([sys.executable, "-c", """
import numpy as np, struct
n = 40
x = (np.arange(n) - n / 2 + 0.5) * 2
r = np.sqrt(x[:, None, None] ** 2 + x[None, :, None] ** 2 + x[None, None, :] ** 2)
head = bytearray(352)
struct.pack_into('<i', head, 0, 348)
struct.pack_into('<8h', head, 40, 3, n, n, n, 1, 1, 1, 1)
struct.pack_into('<2h', head, 70, 2, 8)
struct.pack_into('<8f', head, 76, 1, 2, 2, 2, 1, 1, 1, 1)
struct.pack_into('<f', head, 108, 352)
struct.pack_into('<2h', head, 252, 0, 1)
for i in range(3):
    row = [0, 0, 0, float(x[0])]
    row[i] = 2
    struct.pack_into('<4f', head, 280 + 16 * i, *row)
head[123] = 2
head[344:348] = b'n+1\\0'
open('labels.nii', 'wb').write(bytes(head) + (r < 9).astype(np.uint8).tobytes(order='F'))
"""], cwd=path, capture_output=True, text=True)
check(made.returncode == 0, made.stderr)
status, _, error = sweep('plan: tumour.yaml\ncolumns: [heat.temperature_peak_C, "heat.series.temperature_max_C[3]", '
                         'at_risk.lump.ablated_cm3, compare.dice, "pairs[0].distance_mm.tip", needles.A.clearance.lump.mm, '
                         'needles.B.crosses.lump.mm]\n'
                         'vary: {"pulses[0].voltage": {values: [500, 1500]}}\n', "tumour")
check(status == 0, error)
table = rows("tumour")
share = [float(row["zone.by_region.lump.ablated_percent"]) for row in table]
check(0 < share[0] < share[1] <= 100.0001, f"{share}")
check(37 < float(table[0]["heat.temperature_peak_C"]) < float(table[1]["heat.temperature_peak_C"]), f"{table}")
check(37 < float(table[0]["heat.series.temperature_max_C[3]"]), f"{table}")
check(0 < float(table[0]["at_risk.lump.ablated_cm3"]) < float(table[1]["at_risk.lump.ablated_cm3"]), f"{table}")
check(0 < float(table[0]["compare.dice"]) < 1, f"{table}")
check(float(table[0]["pairs[0].distance_mm.tip"]) == 12 and float(table[0]["needles.A.clearance.lump.mm"]) == 0, f"{table}")
check(14 < float(table[0]["needles.B.crosses.lump.mm"]) < 18, f"{table}")

# Warnings of several cases are one line; texts with commas, quotes and tabs stay whole.
status, said, error = sweep('plan: plates.yaml\nsample: list\nvary: {"pulses[0].voltage": {values: [900, 3500, 3600, 3700]}}\n', "warn",
                            "-q", ranks=2)
check(status == 0 and said == "", f"{status} {said}")
check("irezone: warning: 3 cases: plates.yaml" in error and "3500 V" in error and "(first: case 2)" in error, error)
table = rows("warn")
check(["beyond the 3000 V" in row["warnings"] for row in table] == [False, True, True, True], f"{table}")
log = (path / "warn" / "sweep.log").read_text()
check(all(f"case {k}: warning: plates.yaml" in log for k in (2, 3, 4)) and "3 with warnings" in log, log)
kinds = json.loads((path / "warn" / "sweep.json").read_text())["warnings"]
check(any(k["cases"] == 3 and k["first_case"] == 2 and "3500 V" in k["text"] for k in kinds), f"{kinds}")

# The status. All failed: that of the failures, or 4 if they differ. Some failed: 0 and a line; --strict.
MESHES = "plan: plates.yaml\nsample: list\nvary: {mesh.file: {values: [%s]}}\n"
status, _, error = sweep(MESHES % "'no, \"t\\there.msh', nothere.msh", "all")
check(status == 3 and "all 2 cases failed; the first, case 1" in error, f"{status} {error}")
check([row["mesh.file"] for row in rows("all")] == ['no, "t\\there.msh', "nothere.msh"], f"{rows('all')}")
status, _, error = sweep(MESHES % "'no, \"t\\there.msh', nothere.msh", "all", "--resume")
check(status == 3, f"again: {status} {error}")
status, _, error = sweep(MESHES % f"nothere.msh, {SOURCE}/meshes/parallel_plates.msh", "some")
check(status == 0 and "warning: 1 of 2 cases failed; the first, case 1: nothere.msh" in error, f"{status} {error}")
status, _, error = sweep(MESHES % f"nothere.msh, {SOURCE}/meshes/parallel_plates.msh", "some", "--resume", "--strict")
check(status == 3 and "--strict: 1 case" in error, f"{status} {error}")
check(json.loads((path / "some" / "sweep.json").read_text())["failures"][0]["first_case"] == 1, "failures in sweep.json")
mixed = f'plan: plates.yaml\nsample: list\nvary: {{mesh.file: {{values: [nothere.msh, {SOURCE}/meshes/parallel_plates.msh, nowhere.msh]}}, "pulses[0].voltage": {{values: [900, -5, 900]}}}}\n'
status, _, error = sweep(mixed, "mixed")
check(status == 4 and "all 3 cases failed" in error, f"{status} {error}")
status, _, error = sweep(mixed, "mixed2", "--task", "1/2")
check(status == 3, f"a task: {status} {error}")
status, _, error = sweep(mixed, "mixed2", "--task", "2/2")
check(status == 2, f"the other task: {status} {error}")
status, _, error = sweep(mixed, "mixed2", "--merge")
check(status == 4, f"the merge: {status} {error}")

# A folder of the format before.
(path / "some" / "journal" / "format").unlink()
status, _, error = sweep(MESHES % f"nothere.msh, {SOURCE}/meshes/parallel_plates.msh", "some", "--resume")
check(status == 2 and "begun by an older irezone" in error and error.count("\n") == 1, f"{status} {error}")
home.cleanup()
