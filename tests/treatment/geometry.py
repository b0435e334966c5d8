#!/usr/bin/env python3
"""geometry.py IREZONE FOLDER CASE

Electrodes of other shapes than a needle cut off flat, through the program: against other solvers and exact solutions.
"""
import json
import math
import os
import shutil
import subprocess
import sys

import h5py
import numpy

program, folder = sys.argv[1], os.path.join(sys.argv[2], "geometry_" + sys.argv[3])
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")


def run(name, plan, *options, ranks=1):
    """Run a plan's text; its summary and the path of its result file."""
    path = os.path.join(folder, name + ".yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"name: {name}\n" + plan)
    command = [program, "run", path, "-o", folder, "-q", "--threads", "1", *options]
    if ranks > 1:
        command = ["mpiexec", "--oversubscribe", "-n", str(ranks)] + command
    subprocess.run(command, check=True, env=ENVIRONMENT, stderr=subprocess.PIPE)
    with open(os.path.join(folder, name + ".json"), encoding="utf-8") as file:
        return json.load(file), os.path.join(folder, name + ".hdf")


def points_of(path, name):
    """Points, mm, and an array on them."""
    with h5py.File(path, "r") as file:
        root = file["VTKHDF"]
        return root["Points"][:], root["PointData"][name][:]


def close(found, wanted, tolerance, what):
    """Check a relative difference."""
    assert abs(found - wanted) <= tolerance * abs(wanted), f"{what}: {found!r}, wanted {wanted!r}"


LINEAR = "tissues: {default: {sigma: {law: constant, value: 0.1}, threshold: 500}}\n"


def bipolar():
    """Two electrodes on a needle against FreeFEM in the half plane of the axis, flat and rounded (bipolar.edp)."""
    wanted = {"flat": 1.29393e-3, "rounded": 1.27458e-3}  # A per volt, on up to 155 thousand adapted triangles
    plan = """mesh: {{accuracy: 0.2}}
probes: [{{name: A, tip: [0, 0, -11], electrodes: [7, 7], gap: 8, diameter: 1.65, tip_shape: {shape}}}]
pulses: [{{from: A1, to: A2, voltage: 1000}}]
"""
    found = {}
    for shape, current in wanted.items():
        summary, _ = run(shape, LINEAR + plan.format(shape=shape))
        found[shape] = summary["pulses"][0]["current_A"]
        close(found[shape], 1e3 * current, 0.004, shape)
        print(f"{shape}: {found[shape]:.5f} A, FreeFEM {1e3 * current:.5f} A")
        assert [p["name"] for p in summary["probes"]] == ["A1", "A2"], "electrodes in the summary"
        assert all(p["needle"] == "A" for p in summary["probes"]), "and their needle"
    close(found["flat"] - found["rounded"], 1e3 * (wanted["flat"] - wanted["rounded"]), 0.15, "what the end takes up")
    # A third electrode above floats: no current, a potential between the two.
    idle, _ = run("idle", LINEAR + plan.format(shape="flat").replace("[7, 7]", "[7, 7, 7]"), "--set", "mesh.accuracy=1")
    pulse, third = idle["pulses"][0], idle["probes"][2]["potential_V"][0]
    assert abs(pulse["electrode_current_A"]["A3"]) < 1e-6 * pulse["current_A"], "the idle electrode carries a current"
    assert 0 < third < 500, f"the idle electrode is at {third} V"
    one, _ = run("one", LINEAR + plan.format(shape="trocar"), "--set", "mesh.accuracy=3")
    three, _ = run("three", LINEAR + plan.format(shape="trocar"), "--set", "mesh.accuracy=3", ranks=3)
    close(three["pulses"][0]["current_A"], one["pulses"][0]["current_A"], 1e-6, "three ranks")


def tips():
    """The field at a rounded end is lower than at the rim of a flat one and at the point of a trocar."""
    plan = """mesh: {size: 80, accuracy: 1}
array: {count: 2, spacing: 15, exposure: 15, diameter: 1.2}
pulses: [{from: A, to: B, voltage: 1500}]
"""
    peak, finer, current = {}, {}, {}
    for shape in "flat", "rounded", "trocar":
        for peaks, accuracy in (peak, 2), (finer, 0.15):
            options = "--set", f"array.tip_shape={shape}", "--set", f"mesh.accuracy={accuracy}"
            summary, path = run(shape, LINEAR + plan, *options)
            points, field = points_of(path, "field_V_per_cm")
            tip = numpy.array(summary["probes"][0]["tip_mm"])
            # Reaches the rim at 0.6 mm, and the start of the insulation at 15 mm by far not.
            peaks[shape] = field[numpy.linalg.norm(points - tip, axis=1) < 0.8].max()
        current[shape] = summary["pulses"][0]["current_A"]
        assert summary["probes"][0]["tip_shape"] == shape
    print(peak, finer, current)
    assert peak["rounded"] < peak["flat"] and peak["rounded"] < peak["trocar"], f"a round end has the lowest: {peak}"
    # At edges and points the field has no bound, so a finer mesh finds more; on the half sphere it has one.
    close(finer["rounded"], peak["rounded"], 0.1, "peak field at a rounded end")
    assert finer["flat"] > 1.25 * peak["flat"] and finer["trocar"] > 1.25 * peak["trocar"], f"{peak} {finer}"
    # Less metal draws less, but the ends are a small part of the probes.
    assert current["flat"] > current["rounded"] > current["trocar"] > 0.96 * current["flat"], f"currents: {current}"


def plates():
    """Plates as large as the tissue box: a uniform field and I = sigma A V / d exactly. Smaller ones: a little more."""
    law = "tissues: {default: {sigma: {law: ramp, low: 0.1, high: 0.3, from: 400, to: 800}, threshold: 500}}\n"
    for axis, up in (([1, 0, 0], [0, 0, 1]), ([0, -2, 0], [1, 0, 0]), ([0, 0, 1], [0, 1, 0])):
        plan = f"""mesh: {{size: 30}}
plates: {{width: 30, height: 40, gap: 8, center: [1, 2, 3], direction: {axis}, up: {up}}}
pulses: [{{from: A, to: B, field: 600}}, {{from: B, to: A, voltage: 240}}]
"""
        summary, path = run("clamp", law + plan)
        for pulse, sigma, field in zip(summary["pulses"], (0.2, 0.1), (6e4, 3e4)):
            close(pulse["current_A"], sigma * field * 0.03**2, 1e-7, "current between clamping plates")
        close(summary["zone"]["volume_cm3"], 3 * 3 * 0.8, 1e-9, "all of the tissue is above 500 V/cm")
        assert {t["threshold_V_per_cm"]: t["volume_cm3"] for t in summary["zone"]["by_threshold"]}[700] == 0
        points, field = points_of(path, "field_V_per_cm")
        assert numpy.abs(field - 600).max() < 1e-4, "the field is V / d everywhere"
        _, potential = points_of(path, "potential_V_01")
        along = (points - [1, 2, 3]) @ (numpy.array(axis) / numpy.linalg.norm(axis))
        assert numpy.abs(potential - 480 * (0.5 - along / 8)).max() < 1e-4, "and A is the plate on the near side"
        assert not any("wall" in warning for warning in summary["warnings"]), "the tissue ends there by design"
    ratio = []
    for gap in 12, 6, 3:
        plan = f"""mesh: {{size: 60, accuracy: 2}}
plates: {{width: 20, height: 20, gap: {gap}}}
pulses: [{{from: A, to: B, field: 600}}]
"""
        summary, path = run("plates", LINEAR + plan)
        ratio.append(summary["pulses"][0]["current_A"] / (0.1 * 0.02**2 * 6e4))
        points, field = points_of(path, "field_V_per_cm")
        close(field[numpy.linalg.norm(points, axis=1) < 0.3 * gap].mean(), 600, 0.05 * gap / 12, "field in the middle")
    print(f"current over sigma A V / d at gaps of 12, 6 and 3 mm: {ratio}")
    # Kirchhoff's discs of radius r and thickness t with tissue all around: 1 + d / (pi r) (ln(16 pi r (d + t) / d^2) - 1
    # + t / d ln(1 + d / t)). Discs of the same area, 1.42 here, have less current than squares, which have 13 % more rim.
    radius, gap, thick = math.sqrt(400 / math.pi), 3, 1
    fringe = math.log(16 * math.pi * radius * (gap + thick) / gap**2) - 1 + thick / gap * math.log(1 + gap / thick)
    fringe *= gap / (math.pi * radius)
    assert ratio[0] > ratio[1] > ratio[2], f"fringes: {ratio}"
    assert 1 + fringe < ratio[2] < 1 + 1.35 * fringe, f"{ratio[2]}, discs: {1 + fringe}"
    turned, _ = run("turned", LINEAR + plan.replace("gap: 3", "gap: 3, direction: [0.5, 0.7, 0.4], up: [0, 0.1, 1]"))
    close(turned["pulses"][0]["current_A"], summary["pulses"][0]["current_A"], 0.01, "plates in another direction")
    three, _ = run("three", LINEAR + plan, ranks=3)
    close(three["pulses"][0]["current_A"], summary["pulses"][0]["current_A"], 1e-6, "three ranks")
    heat, _ = run("heat", LINEAR.replace("{default: {", "{default: {preset: liver, ") + plan + "heat: {cooling: 10}\n")
    assert 37 < heat["heat"]["temperature_peak_C"] < 100, "plates take part in the heating"


def pullback():
    """One zone of two positions, against other ways to it: the same twice, far apart, and sampled on a fine grid."""
    plan = """mesh: {{size: {size}, accuracy: 0.5}}
tissues: {{default: {{preset: liver}}}}
array: {{count: 2, spacing: 15, exposure: 10, center: [0, 0, {z}]}}
pulses: [{{from: A, to: B, voltage: 2000}}]
"""
    size = 120
    single, _ = run("single", plan.format(size=size, z=0))
    volume, current = single["zone"]["volume_cm3"], single["pulses"][0]["current_A"]
    # Not withdrawn at all: the same zone. (At this accuracy meshes are not refined, so they are the same, too.)
    coarse = "--set", "mesh.accuracy=8"
    once, _ = run("once", plan.format(size=size, z=0), *coarse)
    same, _ = run("same", plan.format(size=size, z=0) + "pullback: {step: 0}\n", *coarse)
    assert same["mesh"]["cells"] == once["mesh"]["cells"], "the same mesh"
    close(same["zone"]["volume_cm3"], once["zone"]["volume_cm3"], 1e-4, "step 0")
    assert [p["withdrawn_mm"] for p in same["pulses"]] == [0, 0] and same["pullback"] == {"step_mm": 0, "count": 1}
    # Far apart: the sum, in two parts, and the same current.
    far, _ = run("far", plan.format(size=size, z=-22) + "pullback: {step: 44}\n")
    close(far["zone"]["volume_cm3"], 2 * volume, 0.01, "step 44")
    assert far["zone"]["parts"] == 2, "zones far apart are two"
    assert [p["withdrawn_mm"] for p in far["pulses"]] == [0, 44]
    for pulse in far["pulses"]:
        close(pulse["current_A"], current, 0.005, "current")
    # Overlapping, in three positions: against single runs at each, sampled by a sweep on a grid of 0.5 mm. The sweep's
    # boxes move with the needles; 120 mm are so large that it does not matter.
    step = 8
    union, path = run("union", plan.format(size=size, z=-step) + f"pullback: {{step: {step}, count: 2}}\n")
    sweep = os.path.join(folder, "sweep.yaml")
    with open(sweep, "w", encoding="utf-8") as file:
        file.write(f"""plan: single.yaml
sample: grid
vary:
  "array.center[2]": {{values: [{-step}, 0, {step}]}}
probability_map: {{spacing: 0.5, box: [[-18, -12, -24], [18, 12, 24]]}}
""")
    subprocess.run([program, "sweep", sweep, "-o", os.path.join(folder, "sweep"), "-q"], check=True, env=ENVIRONMENT)
    with h5py.File(os.path.join(folder, "sweep", "probability.hdf"), "r") as file:
        share = file["VTKHDF"]["PointData"]
        share = share[[name for name in share if "prob" in name or "share" in name][0]][:]
    sampled = (share > 0).sum() * 0.5**3 / 1e3
    print(f"three positions: {union['zone']['volume_cm3']:.4f} cm3, sampled {sampled:.4f} cm3, one {volume:.4f} cm3")
    assert 1.5 * volume < sampled < 2.9 * volume, "the positions overlap"
    close(union["zone"]["volume_cm3"], sampled, 0.01, "union")
    high = union["zone"]["bounding_box_mm"]
    close(high[1][2] - high[0][2], 2 * step + single["zone"]["extent_mm"][2], 0.01, "length of the union")
    # In the result file: three potentials, each from 0 to the voltage; the field is at least that of each pulse.
    for k in 1, 2, 3:
        _, potential = points_of(path, f"potential_V_{k:02d}")
        assert -20 < potential.min() < 1 and 1999 < potential.max() < 2020, "potential of a withdrawn pair"
    three, _ = run("union", plan.format(size=size, z=-step) + f"pullback: {{step: {step}, count: 2}}\n", ranks=3)
    close(three["zone"]["volume_cm3"], union["zone"]["volume_cm3"], 1e-5, "three ranks")
    # Survival: twice the same pair is twice the pulses' effect, as it is when the plan says so.
    death = "death: {model: peleg-fermi}\n"
    twice, _ = run("twice", plan.format(size=60, z=0) + death, *coarse, "--set",
                   "pulses=[{from: A, to: B, voltage: 2000}, {from: A, to: B, voltage: 2000}]")
    back, _ = run("back", plan.format(size=60, z=0) + death + "pullback: {step: 0}\n", *coarse)
    for a, b in zip(back["zone"]["by_survival"], twice["zone"]["by_survival"]):
        close(a["volume_cm3"], b["volume_cm3"], 1e-3, "survival")


if __name__ == "__main__":
    shutil.rmtree(folder, ignore_errors=True)  # a sweep does not overwrite what it finds
    os.makedirs(folder)
    {"bipolar": bipolar, "tips": tips, "plates": plates, "pullback": pullback}[sys.argv[3]]()
