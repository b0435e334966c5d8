#!/usr/bin/python3
"""irezone from plain Python: which spacing ablates most without splitting the zone?

    examples/sweeps/python/largest_volume.py [OUT]

Writes a sweep file, runs it, reads sweep.csv, refines around the best spacing, and prints it. Only the standard library."""

import csv
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PLAN = HERE.parent / "two_probes.yaml"


def sweep(folder, spacings):
    """Run the spacings; returns rows of sweep.csv as dictionaries. Run again, it goes on where it was."""
    folder.mkdir(parents=True, exist_ok=True)
    values = ", ".join(f"{s:g}" for s in spacings)
    (folder / "sweep.yaml").write_text(f"plan: {PLAN}\nset: {{mesh.accuracy: 2}}\n"
                                       f"vary:\n  array.spacing: {{values: [{values}]}}\n")
    command = ["irezone", "sweep", str(folder / "sweep.yaml"), "-o", str(folder), "--resume", "-q"]
    cores = len(os.sched_getaffinity(0))
    if shutil.which("mpiexec") and cores > 1:
        command = ["mpiexec", "-n", str(cores)] + command
    subprocess.run(command, check=True)
    with open(folder / "sweep.csv", newline="") as file:
        return list(csv.DictReader(file))


def best(rows):
    """Spacing and volume of the largest zone in one part."""
    whole = [r for r in rows if r["status"] == "converged" and int(r["parts"]) == 1]
    row = max(whole, key=lambda r: float(r["volume_cm3"]))
    return float(row["array.spacing"]), float(row["volume_cm3"])


def main():
    out = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "out/largest_volume")
    spacing, _ = best(sweep(out / "coarse", range(14, 31, 4)))
    spacing, volume = best(sweep(out / "fine", [spacing + d for d in (-2, -1, 0, 1, 2)]))
    print(f"{volume:.2f} cm3 at a spacing of {spacing:g} mm")


if __name__ == "__main__":
    main()
