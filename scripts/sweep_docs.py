#!/usr/bin/python3
"""The numbers of docs/sweeps.md that come from running an example.

    scripts/sweep_docs.py IREZONE [--check] [--ranks 2] [--folder DIR]

Runs examples/sweeps/uncertainty.yaml (1344 cases on one mesh; some ten minutes of two cores) and writes what it came to between the
marks <!-- begin uncertainty --> and <!-- end uncertainty --> of docs/sweeps.md. With --check it writes nothing, but fails if a number
there differs by more than one unit of its last digit, which is what another processor may round in another way. With --folder
it reads a finished run, or keeps its own there. Times and memory in docs/sweeps.md are measurements of a machine; the
benchmarks that print them are named beside them."""

import argparse
import json
import math
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

HOME = pathlib.Path(__file__).resolve().parent.parent
DOCS = HOME / "docs" / "sweeps.md"
MARKS = "<!-- begin uncertainty -->\n", "<!-- end uncertainty -->\n"


def rounded(estimate):
    """A value with its standard error, both to the place of the error's first digit, or its second where that is small."""
    value, error = estimate["value"], estimate["standard_error"]
    place = -math.floor(math.log10(error))
    if error * 10**place < 2:
        place += 1
    place = max(place, 0)
    return f"{value:.{place}f} ± {error:.{place}f}"


def describe(folder):
    """The table and the sentence below it."""
    strata = json.loads((folder / "sweep.json").read_text())["strata"]
    lines = ["| voltage | mean | spread | 5 % | 50 % | 95 % |", "|---|---|---|---|---|---|"]
    for stratum in strata:
        if stratum["failed"] or stratum["done"] != stratum["cases"]:
            sys.exit(f"{folder}: cases are missing or have failed")
        volume = stratum["volume_cm3"]
        numbers = [rounded(volume[key]) for key in ("mean", "standard_deviation", "percentile_05", "percentile_50", "percentile_95")]
        lines.append(f"| {stratum['values']['pulses[0].voltage']} V | {' | '.join(numbers)} |")
    index = [{i["key"]: i["total"] for i in stratum["sobol_indices"]["volume_cm3"]} for stratum in strata]
    liver, tumour = "tissues.default.threshold", "tissues.tumour.sigma"
    lines += ["", "Total Sobol index of the threshold of liver: " +
              ", ".join(f"{rounded(i[liver])} at {s['values']['pulses[0].voltage']} V" for i, s in zip(index, strata)) +
              f"; of the tumour's conductivities (low, high) at {strata[0]['values']['pulses[0].voltage']} V: " +
              ", ".join(rounded(index[0][f"{tumour}.{end}"]) for end in ("low", "high")) + "."]
    share = strata[0].get("zone.by_region.tumour.ablated_percent")
    if share:
        lines += ["Share of the tumour that is ablated, mean: " + ", ".join(
            f"{rounded(s['zone.by_region.tumour.ablated_percent']['mean'])} % at {s['values']['pulses[0].voltage']} V"
            for s in strata) + "."]
    return "\n".join(lines) + "\n"


def differs(old, new):
    """Why two texts differ by more than a unit of the last digits, or None."""
    number = r"\d+(?:\.\d+)?"
    if re.sub(number, "#", old) != re.sub(number, "#", new):
        return "the texts differ beside their numbers"
    for a, b in zip(re.findall(number, old), re.findall(number, new)):
        unit = 10.0 ** -(len(a.split(".")[1]) if "." in a else 0)
        if abs(float(a) - float(b)) > 1.001 * unit:
            return f"{a} is {b} now"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("irezone")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--folder", type=pathlib.Path, help="a run of examples/sweeps/uncertainty.yaml, or where to keep it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="irezone-docs-") as home:
        folder = arguments.folder or pathlib.Path(home)
        environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                           OMPI_MCA_rmaps_base_oversubscribe="1", OMP_NUM_THREADS="1")
        done = subprocess.run(["mpiexec", "-n", str(arguments.ranks), arguments.irezone, "sweep",
                               str(HOME / "examples" / "sweeps" / "uncertainty.yaml"), "-o", str(folder), "--resume", "-q"],
                              env=environment)
        if done.returncode != 0:
            sys.exit("the sweep failed")
        new = describe(folder)
    docs = DOCS.read_text()
    first, last = (docs.index(mark) for mark in MARKS)
    first += len(MARKS[0])
    if arguments.check:
        why = differs(docs[first:last], new)
        if why:
            sys.exit(f"{DOCS}: {why}; run scripts/sweep_docs.py\n{new}")
        return
    DOCS.write_text(docs[:first] + new + docs[last:])


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # quiet after `| head`
    main()
