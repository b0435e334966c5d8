#!/usr/bin/env python3
"""experiments.py [IREZONE] - simulate published experiments with stated parameters and print them beside the measurements.

Nothing is fitted: the tissue is the liver preset, and a second published law; the thresholds are the ends and the middle of
what is published. Prints the tables of docs/experiments.md.
"""
import json
import math
import os
import signal
import subprocess
import sys
import tempfile

signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # quiet after `| head`
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build", "irezone")

PLAN = """name: experiment
mesh: {{size: 140, accuracy: 1}}
tissues: {{default: {{{tissue}, threshold: {threshold}}}}}
array: {{count: 2, spacing: {spacing}, exposure: 20, diameter: 1.27}}
pulses: [{{from: A, to: B, voltage: {voltage}, count: {count}, width: {width}}}]
{more}
"""
LAWS = [
    ("preset", "preset: liver"),
    ("Sel 2005", "sigma: {law: ramp, low: 0.067, high: 0.241, from: 460, to: 700}"),
]
THRESHOLDS = (423, 500, 637, 700)

# Ben-David and others 2012, pig liver in vivo, two 18 gauge electrodes: spacing mm, V, pulses, width in microseconds, and
# (mean, spread) in mm of width (along the line of the electrodes), depth (across it) and height (along the electrodes).
BEN_DAVID = [
    (15, 2250, 70, 70, ((30, 4), (17, 4), (30, 6))),
    (15, 3000, 70, 70, ((31, 4), (20, 2), None)),
    (20, 3000, 70, 70, ((39, 5), (19, 4), None)),
]


def run(folder, **values):
    """Run a plan; its summary."""
    path = os.path.join(folder, "experiment.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(PLAN.format(**{"more": "", **values}))
    command = [PROGRAM, "run", path, "-o", folder, "-q"]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    with open(os.path.join(folder, "experiment.json"), encoding="utf-8") as file:
        return json.load(file)


def zones(folder):
    """The table of zone sizes."""
    print("| spacing, voltage | law | threshold V/cm | current A | width mm | depth mm | height mm |")
    print("|---|---|---|---|---|---|---|")
    for spacing, voltage, count, width, measured in BEN_DAVID:
        text = " | ".join(f"**{m[0]} ± {m[1]}**" if m else "not given" for m in measured)
        print(f"| {spacing} mm, {voltage} V | **measured** | | | {text} |")
        for name, tissue in LAWS:
            for threshold in THRESHOLDS:
                found = run(folder, tissue=tissue, threshold=threshold, spacing=spacing, voltage=voltage, count=count,
                            width=width)
                cells = []
                for extent, value in zip(found["zone"]["extent_mm"], measured):
                    off = f" ({(extent - value[0]) / value[1]:+.1f} s)" if value else ""
                    cells.append(f"{extent:.1f}{off}")
                split = f", in {found['zone']['parts']} parts" if found["zone"]["parts"] > 1 else ""
                print(f"| | {name} | {threshold}{split} | {found['pulses'][0]['current_A']:.1f} | {' | '.join(cells)} |")


def pulses(folder):
    """The table of survival against the number of pulses."""
    print("| pulses | half of the cells survive at V/cm | volume with at most 1 % left, uncapped, cm³ | capped at 70, cm³ |")
    print("|---|---|---|---|")
    for count in (50, 70, 90):
        volume = []
        for most in (1000, 70):
            more = f"death: {{model: peleg-fermi, n_max: {most}, survival: [0.01]}}"
            found = run(folder, tissue=LAWS[0][1], threshold=500, spacing=15, voltage=2250, count=count, width=100,
                        more=more)
            volume.append(found["zone"]["by_survival"][0]["volume_cm3"])
        print(f"| {count} | {3996 * math.exp(-0.03 * count):.0f} | {volume[0]:.1f} | {volume[1]:.1f} |")


with tempfile.TemporaryDirectory() as scratch:
    zones(scratch)
    print()
    pulses(scratch)
