#!/usr/bin/env python3
"""check_runs.py IREZONE: the heating through the program: the same on one to three ranks, its files agree with each
other, what order 2 says is within the stated errors, and a ten-minute treatment costs about as much as its electric fields,
three times that with full coupling."""
import csv
import json
import os
import resource
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
        out.write("".join(line for line in PLAN.format(**values).splitlines(True)
                          if values["heat"] is not None or not line.startswith("heat:")))
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


def check_orders(folder):
    """Order 2 agrees with what is asked for within the two errors; their sizes are told, and are of use."""
    default = run(folder, probes=2, count=60, heat="cooling: 20, body_temperature: 42")["heat"]
    fine = run(folder, probes=2, count=60, heat="cooling: 20, body_temperature: 42, order: 2, step: 0.5")["heat"]
    for key, error in (("temperature_peak_C", "temperature_peak_error_C"), ("volume_50C_cm3", "volume_50C_error_cm3"),
                       ("volume_damage_cm3", "volume_damage_error_cm3"),
                       ("volume_cem43_240min_cm3", "volume_cem43_240min_error_cm3"),
                       ("zone_damage_cm3", "zone_damage_error_cm3"),
                       ("thermal_share_percent", "thermal_share_error_percent")):
        size = default[key] - (42 if key == "temperature_peak_C" else 0)
        print(f"  {key:24s} {default[key]:.6g} +- {default[error]:.2g}, order 2 in short steps {fine[key]:.6g}")
        check(abs(default[key] - fine[key]) <= default[error], f"{key} is off by more than its error")
        check(0 < default[error] < 0.5 * size, f"the error of {key} tells nothing")


def processor_time():
    """Of the runs so far, s."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def check_cost(folder):
    """Ten minutes: six pairs of 90 pulses, against the same without heat. Processor time, as the machine may be busy."""
    before = processor_time()
    run(folder, probes=4, count=90, heat=None)
    plain = processor_time() - before
    for coupling, most in (("none", 2.3), ("full", 4.5)):
        before = processor_time()
        heat = run(folder, probes=4, count=90, heat=f"coupling: {coupling}")["heat"]
        taken = processor_time() - before
        print(f"  coupling {coupling}: {heat['duration_s']:.0f} s of treatment, {taken:.2f} s, {plain:.2f} s without heat, "
              f"{heat['steps']} steps, {heat['field_solves']} more fields")
        check(heat["duration_s"] > 600, "the treatment is shorter than ten minutes")
        check(taken <= most * plain, f"heat with coupling {coupling} costs too much")
        check(heat["energy_J"]["balance_error_percent"] <= 0.1, "the energy balance does not close to 0.1 %")


with tempfile.TemporaryDirectory() as work:
    check_files(work)
    check_orders(work)
    check_ranks(work)
    check_cost(work)
for line in wrong:
    print("wrong: " + line)
sys.exit(1 if wrong else 0)
