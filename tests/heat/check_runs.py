#!/usr/bin/env python3
"""check_runs.py IREZONE: the heating through the program: the same on one to three ranks, its files agree with each
other, and a ten-minute treatment costs no more than its electric fields, three times that with full coupling."""
import csv
import json
import os
import re
import subprocess
import sys
import tempfile

PLAN = """
name: heat
mesh: {{size: 120, accuracy: 2}}
tissues:
  default: {{preset: liver}}
array: {{count: {probes}, spacing: 15, exposure: 20}}
pulses: {{pairs: all, field: 1400, count: {count}, width: 100, rate: 1.5}}
heat: {{{heat}}}
"""
ENVIRONMENT = dict(os.environ, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
wrong = []


def check(good, message):
    """Note what is wrong."""
    if not good:
        wrong.append(message)


def run(folder, ranks=1, options=(), **values):
    """Run a plan and read its summary, and what the run printed."""
    plan = os.path.join(folder, "heat.yaml")
    with open(plan, "w", encoding="utf-8") as out:
        out.write(PLAN.format(**values))
    command = [sys.argv[1], "run", plan, "-o", folder, "-q", *options]
    if ranks > 1:
        command = ["mpiexec", "--oversubscribe", "-n", str(ranks)] + command
    printed = subprocess.run(command, check=True, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True).stdout
    with open(os.path.join(folder, "heat.json"), encoding="utf-8") as data:
        return dict(json.load(data), printed=printed)


def check_ranks(folder):
    """Rounding and the linear solver's tolerance are all that may differ."""
    for heat in ("cooling: 20, body_temperature: 42", "cooling: 20, body_temperature: 42, coupling: full"):
        runs = [run(folder, ranks, probes=2, count=60, heat=heat)["heat"] for ranks in (1, 2, 3)]
        for other in runs[1:]:
            for key in ("temperature_peak_C", "volume_50C_cm3", "volume_damage_cm3", "thermal_share_percent"):
                mine, theirs = runs[0][key], other[key]
                print(f"  {key:24s} {mine:.8g} {theirs:.8g}")
                check(mine > 0 and abs(mine - theirs) <= 1e-3 * mine, f"{key} depends on the number of ranks")
            check(runs[0]["series"]["time_s"] == other["series"]["time_s"], "time steps depend on the number of ranks")


def check_files(folder):
    """Table, frames and summary say the same."""
    summary = run(folder, probes=2, count=20, heat="frames: 3, cooling: 20")
    heat = summary["heat"]
    with open(os.path.join(folder, "heat_heat.csv"), encoding="utf-8") as data:
        rows = list(csv.DictReader(data))
    check(len(rows) == heat["steps"] + 1, "the table has another number of lines than there are steps")
    hottest = max(float(row["temperature_max_C"]) for row in rows)
    check(abs(hottest - heat["temperature_peak_C"]) < 1e-6, "the table's highest temperature is not the summary's")
    joule = sum(float(rows[i]["power_W"]) * (float(rows[i]["time_s"]) - float(rows[i - 1]["time_s"]))
                for i in range(1, len(rows)))
    pulse = summary["pulses"][0]
    wanted = pulse["voltage_V"] * pulse["current_A"] * 100e-6 * 20
    check(abs(joule - wanted) < 1e-4 * wanted, f"the table's energy is {joule} J, the pulses' {wanted} J")
    with open(os.path.join(folder, "heat_heat.hdf.series"), encoding="utf-8") as data:
        series = json.load(data)
    check(all(abs(frame["time"] - k * heat["duration_s"] / 2) < 1e-6 for k, frame in enumerate(series["files"])),
          "the frames are not where they belong in time")
    for frame in series["files"]:
        check(os.path.exists(os.path.join(folder, frame["name"])), frame["name"] + " is missing")
    check(heat["energy_J"]["balance_error_percent"] <= 0.1, "the energy balance does not close to 0.1 %")


def check_counts(folder):
    """The linear solver's steps are those that PETSc reports of every single solve."""
    summary = run(folder, options=("--", "-irz_heat_ksp_converged_reason"), probes=2, count=30, heat="cooling: 20")
    told = [int(n) for n in re.findall(r"Linear irz_heat_ solve converged .* iterations (\d+)", summary["printed"])]
    found = summary["heat"]["linear_iterations"]
    print(f"  {found} linear steps, {sum(told)} in {len(told)} solves as PETSc tells them")
    check(len(told) >= summary["heat"]["steps"], "there are fewer linear solves than time steps")
    check(found == sum(told), f"heat.linear_iterations is {found}, PETSc tells of {sum(told)}")


def check_cost(folder):
    """Ten minutes: six pairs of 90 pulses. Both parts of one run, on one thread, so that the machine is the same."""
    for coupling, most in (("none", 1), ("full", 3)):
        summary = run(folder, probes=4, count=90, heat=f"coupling: {coupling}")
        timing, heat = summary["timing_s"], summary["heat"]
        electric = timing["setup"] + timing["solve"] + timing["zone"]
        print(f"  coupling {coupling}: {heat['duration_s']:.0f} s of treatment, electric part {electric:.2f} s, heat "
              f"{heat['seconds']:.2f} s ({heat['seconds'] / electric:.2f} of it), {heat['steps']} steps, "
              f"{heat['field_solves']} more fields")
        check(heat["duration_s"] > 600, "the treatment is shorter than ten minutes")
        check(heat["seconds"] <= most * electric, f"heat with coupling {coupling} costs too much")
        check(heat["energy_J"]["balance_error_percent"] <= 0.1, "the energy balance does not close to 0.1 %")


with tempfile.TemporaryDirectory() as work:
    check_files(work)
    check_counts(work)
    check_ranks(work)
    check_cost(work)
for line in wrong:
    print("wrong: " + line)
sys.exit(1 if wrong else 0)
