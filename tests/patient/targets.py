#!/usr/bin/python3
"""targets.py IREZONE WORK: targets through the program, on a label map and in a loaded mesh.

The same numbers on one rank and on two; what does not fit is said: a target without voxels, a region that is not
there; no zone has no margin.
"""
import csv
import json
import os
import pathlib
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
irezone, work = sys.argv[1], pathlib.Path(sys.argv[2])
MAP = SOURCE / "examples/anatomy_synthetic.yaml"
MESH = SOURCE / "examples/tumour_in_liver.yaml"
TARGET = "patient={targets: [{region: tumour, organ: liver, margin: 3}]}"
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def run(plan, *overrides, ranks=1):
    """The summary of a plan."""
    command = ["mpiexec", "--oversubscribe", "-n", str(ranks)] if ranks > 1 else []
    command += [irezone, "run", str(plan), "-o", str(work / "targets"), "--set", "output.fields=false", "--set", TARGET]
    command += [word for text in overrides for word in ("--set", text)]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 0, (command, done.returncode, done.stderr)
    name = next(path for path in (work / "targets").glob("*.json") if ".mrk." not in path.name)
    return json.loads(name.read_text())


def refused(plan, override):
    """The one line in which `irezone check` refuses a plan."""
    command = [irezone, "check", str(plan), "--set", TARGET, "--set", override]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, (command, done.returncode, done.stderr)
    return done.stderr


def numbers(value):
    """All numbers of a summary's part, in its order."""
    if isinstance(value, dict):
        return [number for entry in value.values() for number in numbers(entry)]
    if isinstance(value, list):
        return [number for entry in value for number in numbers(entry)]
    return [value] if isinstance(value, float) else []


def check(plan, *overrides):
    """One rank and two; what a target's numbers have to do with each other."""
    for old in work.glob("targets/*"):
        old.unlink()
    alone, both = (run(plan, *overrides, ranks=ranks)["targets"][0] for ranks in (1, 2))
    ones, twos = numbers(alone), numbers(both)
    assert len(ones) == len(twos) > 60
    # Fields agree to the solver's tolerance, and so do what follows from them.
    wrong = [pair for pair in zip(ones, twos) if abs(pair[0] - pair[1]) > 2e-4 * max(1, abs(pair[0]))]
    assert not wrong, wrong
    margins = alone["margin_mm"]
    assert margins["min"] < margins["p1"] < margins["p5"] < margins["p50"]
    assert abs(sum(entry["area"] for entry in margins["histogram"]) - 1) < 1e-9
    assert abs(margins["area_below_0"] + margins["area_0_to_5"] + margins["area_from_5"] - 1) < 1e-9
    assert (margins["min"] < 0) == (alone["coverage"] < 1), alone
    levels = [entry["coverage"] for entry in alone["coverage_at"]]
    assert levels == sorted(levels, reverse=True), levels
    assert alone["field_V_per_cm"]["e98"] < alone["field_V_per_cm"]["e50"] < alone["field_V_per_cm"]["e2"]
    with open(next((work / "targets").glob("*_histogram.csv")), encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    reached = {float(row["field_V_per_cm"]): float(row["fraction"]) for row in rows if row["region"] == "tumour"}
    assert reached[0] == 1 and abs(reached[500] - alone["coverage"]) < 0.01, reached[500]
    return alone


def main():
    work.mkdir(parents=True, exist_ok=True)
    check(MESH)
    check(MAP, "mesh.accuracy=8", "mesh.size=60")
    none = run(MESH, "pulses[0].voltage=20")["targets"][0]
    assert none["margin_mm"]["min"] is None and none["margin_mm"]["area_below_0"] == 1 and none["coverage"] == 0
    said = refused(MAP, "anatomy.map={1: liver, 9: tumour, 3: vein, 4: artery}")
    assert 'the label map has no voxel of "tumour"' in said, said
    said = refused(MESH, "patient.targets[0].region=tumor")
    assert 'the mesh has no region "tumor"; did you mean "tumour"?' in said, said
    return 0


if __name__ == "__main__":
    sys.exit(main())
