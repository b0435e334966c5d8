#!/usr/bin/python3
"""Figures of docs/benchmarks.md: benchmarks/plots.py [--run RUN.jsonl] [--peers RESULT.json MESH.json] -o FOLDER

time_unknowns.svg: time of the whole process against unknowns (benchmarks/run, benchmarks/peers --json).
time_error.svg: time from plan to result against the true error (benchmarks/run, benchmarks/peers --to-result --json).
"""
import argparse
import json
import pathlib

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

NAMES = {
    "irezone": "irezone",
    "irezone-even": "irezone, tolerance 1e-5",
    "fenicsx": "FEniCSx, tuned",
    "fenicsx-plain": "FEniCSx, plain",
    "freefem": "FreeFEM",
    "getdp": "GetDP",
}
COLORS = dict(zip(NAMES, ("C3", "C6", "C0", "C9", "C2", "C1")))
MARKS = {1: "o", 2: "s"}


def axes(title, across):
    """A small figure with logarithmic axes."""
    figure, ax = plt.subplots(figsize=(6.4, 4.2), constrained_layout=True)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_title(title)
    ax.set_xlabel(across)
    ax.set_ylabel("whole process, s")
    ax.grid(True, which="both", alpha=0.25)
    return figure, ax


def time_unknowns(run, entries, path):
    """Whole process, one core, against unknowns; both orders."""
    curves = {}
    for entry in entries:
        if entry["mode"] != "mesh" or entry["tight"]:
            continue
        unknowns = next((f["answers"]["unknowns"] for f in entry["found"].values() if "unknowns" in f["answers"]), None)
        for name, found in entry["found"].items():
            own = found["answers"].get("unknowns", unknowns)
            curves.setdefault((name, entry["order"]), []).append((own, min(found["seconds"])))
    cases = {}
    for line in run:
        if line["case"].startswith("needles-") and line["threads"] * line["ranks"] == 1:
            cases.setdefault(line["case"], {})[line["metric"]] = line["min"]
    for case, found in cases.items():
        curves.setdefault(("irezone", int(case[-1])), []).append((found["unknowns"], found["process_s"]))
    if not curves:
        return
    figure, ax = axes("Two needles on one mesh, one core", "unknowns")
    for (name, order), points in sorted(curves.items()):
        x, y = zip(*sorted(points))
        style = "-" if order == 2 else ":"
        ax.plot(x, y, style + MARKS[order], color=COLORS[name], label=f"{NAMES[name]}, order {order}", markersize=4)
    ax.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.01, 0.5))
    figure.savefig(path)


def time_error(run, entries, path):
    """From plan to result against the true error of the volume."""
    curves = {}
    for entry in entries:
        if entry["mode"] == "result":
            key = (entry["code"], entry["order"], entry["threads"])
            curves.setdefault(key, []).append((entry["size"], 100 * abs(entry["error"]), min(entry["seconds"])))
    for key, points in curves.items():  # no lucky crossings: what counts is the largest error of a mesh and all finer ones
        worst = 0
        for i, (size, error, seconds) in enumerate(sorted(points)):
            worst = max(worst, error)
            points[i] = (worst, seconds)
    cases = {}
    for line in run if not any(name == "irezone" for name, _, _ in curves) else []:
        if line["case"].startswith("plan-to-result-two"):
            cases.setdefault((line["case"], line["threads"]), {})[line["metric"]] = line["median"]
    for (_, threads), found in cases.items():
        if "volume_error_percent" in found:
            curves.setdefault(("irezone", 2, threads), []).append((abs(found["volume_error_percent"]), found["process_s"]))
    if not curves:
        return
    figure, ax = axes("Two needles, from plan to result, meshing included", "true error of the zone's volume, of this mesh or a finer one, %")
    for (name, order, threads), points in sorted(curves.items()):
        x, y = zip(*sorted(points))
        label = f"{NAMES[name]}, order {order}" + (f", {threads} threads" if threads > 1 else "")
        style = "-" if order == 2 else ":"
        ax.plot(x, y, style + MARKS[order], color=COLORS[name], alpha=1 if threads == 1 else 0.6, label=label, markersize=4)
    ax.axvline(1, color="0.5", linewidth=0.8)
    ax.legend(fontsize=8)
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", help="output of benchmarks/run")
    parser.add_argument("--peers", nargs="*", default=[], help="outputs of benchmarks/peers --json")
    parser.add_argument("-o", "--output", default=str(pathlib.Path(__file__).resolve().parent.parent / "docs" / "images"))
    arguments = parser.parse_args()
    plt.rcParams["svg.hashsalt"] = "irezone"  # the same file from the same numbers
    run = []
    if arguments.run:
        run = [json.loads(line) for line in open(arguments.run) if line.startswith("{")]
    entries = [entry for path in arguments.peers for entry in json.loads(pathlib.Path(path).read_text())["entries"]]
    folder = pathlib.Path(arguments.output)
    folder.mkdir(parents=True, exist_ok=True)
    time_unknowns(run, entries, folder / "time_unknowns.svg")
    time_error(run, entries, folder / "time_error.svg")


main()
