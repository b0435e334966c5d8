"""Verification of the program against exact solutions and identities.

    python3 cases.py PROGRAM FOLDER [CASE ...]      run cases (default: all); exit status 1 if a number is out of bounds
    python3 cases.py --list                         names of the cases
    python3 cases.py PROGRAM FOLDER --table         run all and print a table of what was found, in Markdown

Every case makes its mesh or plan, runs `irezone run` on it and compares the summary.
"""

import json
import math
import os
import re
import subprocess
import sys

import numpy as np
from scipy.integrate import solve_ivp

import exact
import meshes
import results
from exact import MM, V_PER_CM, Law

CM3 = 1e-6
RAMP = Law("ramp", low=0.067, high=0.241, **{"from": 460, "to": 700})
WIDE_RAMP = Law("ramp", low=0.08, high=0.32, **{"from": 350, "to": 700})
STEEP_RAMP = Law("ramp", low=0.1, high=0.5, **{"from": 500, "to": 560})
SIGMOID = Law("sigmoid", low=0.1, high=0.35, center=580, width=80)
SMOOTHSTEP = Law("smoothstep", low=0.067, high=0.241, **{"from": 460, "to": 700})
GOMPERTZ = Law("gompertz", low=0.1, high=0.35, a=5, b=0.004)
TABLE = Law("table", field=[200, 400, 600, 900], sigma=[0.05, 0.1, 0.22, 0.3])
CONSTANT = Law("constant", value=0.1)
LAWS = (CONSTANT, RAMP, WIDE_RAMP, SIGMOID, SMOOTHSTEP, GOMPERTZ, TABLE)

# Containers often run as root, which Open MPI refuses without these.
os.environ.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")

CURRENT, ZONE, BOX = 0.2e-2, 0.5e-2, 0.5e-2  # wanted of the exact solutions, relative


class Case:
    """A running case: its folder, its findings, and how to run the program."""

    def __init__(self, name, program, folder):
        self.name, self.program, self.folder = name, program, os.path.join(folder, name)
        self.rows, self.failed = [], False
        os.makedirs(self.folder, exist_ok=True)

    def near(self, what, found, wanted, tolerance):
        """Compare relatively, and note it."""
        error = abs(found - wanted) / abs(wanted)
        self.note(what, found, wanted, error, tolerance)

    def note(self, what, found, wanted, error, tolerance):
        good = bool(error <= tolerance)  # false for NaN
        self.failed |= not good
        self.rows.append((what, found, wanted, error, tolerance))
        print(f"{'' if good else 'BAD '}{what}: {found:.9g}, exact {wanted:.9g}, off by {error:.2e}, allowed {tolerance:.1e}")

    def plan(self, name, **keys):
        """Write a plan; values are text in YAML's flow notation. Returns its path."""
        path = os.path.join(self.folder, name + ".yaml")
        with open(path, "w", encoding="utf-8") as out:
            out.write(f"name: {name}\n" + "".join(f"{key}: {value}\n" for key, value in keys.items()))
        return path

    def run(self, plan, *options, ranks=1, threads=1):
        """Run a plan; the summary as a dictionary."""
        out = os.path.join(self.folder, "out")
        command = [self.program, "run", plan, "-o", out, "-q", "--threads", str(threads), *options]
        if ranks > 1:
            command = ["mpiexec", "--oversubscribe", "-n", str(ranks)] + command
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)}\nexit {done.returncode}\n{done.stdout}{done.stderr}")
        self.base = os.path.join(out, os.path.splitext(os.path.basename(plan))[0])
        with open(self.base + ".json", encoding="utf-8") as file:
            summary = json.load(file)
        assert summary["status"] == "converged", summary["status"]
        return summary

    def loaded(self, name, mesh, law, voltage, thresholds, **keys):
        """Plan on a loaded mesh of one tissue between electrode_1 at the voltage and electrode_2 at 0 V."""
        return self.plan(
            name,
            mesh=f"{{file: {mesh}.msh}}",
            tissues=keys.pop("tissues", f"{{default: {{sigma: {law and law.yaml()}}}}}"),
            probes="[{name: A, surface: electrode_1}, {name: B, surface: electrode_2}]",
            pulses=f"[{{from: A, to: B, voltage: {voltage}, count: 90, width: 100, rate: 1.5}}]",
            zone=f"{{threshold: {thresholds[0]}, also: {list(thresholds[1:])}}}",
            **keys,
        )

    def write(self, mesh, name, stretch=(1, 1, 1)):
        """Write a mesh beside the plans."""
        assert len(mesh.tets) <= 100000
        mesh.write(os.path.join(self.folder, name + ".msh"), stretch)


def volumes(summary):
    """threshold in V/cm -> volume in m^3."""
    zone = summary["zone"]
    found = {zone["threshold_V_per_cm"]: zone["volume_cm3"] * CM3}
    found.update({row["threshold_V_per_cm"]: row["volume_cm3"] * CM3 for row in zone["by_threshold"]})
    return found


def against_radial(case, name, mesh, law, voltage, solution, part, kinks=False):
    """Current and volumes of a part of a radial solution, at thresholds whose surface lies well inside.

    Where sigma(E) has a kink, so has E(r): the volume at exactly that threshold converges with the size of one element
    only, and is left out unless `kinks`.
    """
    inside = lambda field: 1.15 * solution.inner < solution.radius(field * V_PER_CM) < 0.95 * solution.outer
    sharp = law.keys["field"] if law.law == "table" else (law.keys["from"], law.keys["to"]) if law.law == "ramp" else ()
    thresholds = [500] + [f for f in (350, 400, 460, 550, 600, 700) if inside(f) and (kinks or f not in sharp)]
    assert inside(500)
    summary = case.run(case.loaded(name, mesh, law, voltage, thresholds))
    case.near(f"{name}, current", summary["pulses"][0]["current_A"], solution.current * part, CURRENT)
    for threshold, volume in volumes(summary).items():
        exact_volume = solution.volume(threshold * V_PER_CM) * part
        case.near(f"{name}, zone of {threshold:g} V/cm", volume, exact_volume, ZONE)


def cylinders(case):
    """Coaxial cylinders of 0.5 and 20 mm, 20 mm long: a twelfth of the ring for every law, the whole ring for a ramp."""
    part = 12
    case.write(meshes.coaxial(0.5, 20, 20, (160, 4, 6), 2 * math.pi / part), "sector")
    for number, law in enumerate(LAWS):
        solution = exact.Radial(law, 1, 0.5 * MM, 20 * MM, 1000, 20 * MM)
        against_radial(case, f"{law.law}-{number}", "sector", law, 1000, solution, 1 / part, kinks=True)
    solution = exact.Radial(RAMP, 1, 0.5 * MM, 20 * MM, 500, 20 * MM)
    against_radial(case, "ramp-500V", "sector", RAMP, 500, solution, 1 / part)
    case.write(meshes.coaxial(0.5, 20, 20, (96, 40, 4)), "ring")
    solution = exact.Radial(RAMP, 1, 0.5 * MM, 20 * MM, 1000, 20 * MM)
    against_radial(case, "whole-ring", "ring", RAMP, 1000, solution, 1)


def spheres(case):
    """Concentric spheres of 2 and 30 mm: the octant, every law at 1000 V, a ramp at 500 and 1500 V."""
    case.write(meshes.octant(2, 30, 16, 80), "octant")
    for number, law in enumerate(LAWS):
        solution = exact.Radial(law, 2, 2 * MM, 30 * MM, 1000)
        against_radial(case, f"{law.law}-{number}", "octant", law, 1000, solution, 1 / 8)
    for voltage in (500, 1500):
        solution = exact.Radial(RAMP, 2, 2 * MM, 30 * MM, voltage)
        against_radial(case, f"ramp-{voltage}V", "octant", RAMP, voltage, solution, 1 / 8)


def bars(case):
    """Error bars where the volume is hardest: laws with a kink, at the threshold of the kink."""
    part = 12
    case.write(meshes.coaxial(0.5, 20, 20, (48, 4, 6), 2 * math.pi / part), "sector")
    case.write(meshes.octant(2, 30, 12, 60), "octant")
    for number, law in enumerate((WIDE_RAMP, STEEP_RAMP, TABLE)):
        thresholds = law.keys["field"][1:3] if law.law == "table" else [law.keys["from"], law.keys["to"]]
        for mesh, solution, share in (
            ("sector", exact.Radial(law, 1, 0.5 * MM, 20 * MM, 1000, 20 * MM), 1 / part),
            ("octant", exact.Radial(law, 2, 2 * MM, 30 * MM, 1000), 1 / 8),
        ):
            zone = case.run(case.loaded(f"{law.law}-{number}-{mesh}", mesh, law, 1000, thresholds))["zone"]
            rows = {zone["threshold_V_per_cm"]: zone}
            rows.update({row["threshold_V_per_cm"]: row for row in zone["by_threshold"]})
            for threshold, row in rows.items():
                truth = solution.volume(threshold * V_PER_CM) * share / CM3
                what = f"{law.law}-{number} on the {mesh}, zone of {threshold:g} V/cm"
                error, bar = abs(row["volume_cm3"] / truth - 1), row["volume_error_cm3"] / truth
                case.note(what, row["volume_cm3"], truth, error, bar)
                case.note(f"{what}, its bar", bar, 0, bar, 3e-2)  # a bar that says nothing would hold as well


def two_cylinders(case):
    """Two parallel needles of 1 mm diameter 15 mm apart, 2250 V: Cassini ovals, ended by an exact field line."""
    thickness, angle = 1.0, 0.4
    case.write(meshes.two_cylinders(0.5, 15, angle, thickness, (60, 30, 2)), "half")
    solution = exact.TwoCylinders(0.5 * MM, 15 * MM, 2250, 0.1, angle)
    thresholds = [500, 350, 400, 600, 637, 700, 1500]
    summary = case.run(case.loaded("cassini", "half", CONSTANT, 2250, thresholds))
    current = solution.current_per_length * thickness * MM
    case.near("current", summary["pulses"][0]["current_A"], current, CURRENT)
    for threshold, volume in volumes(summary).items():
        case.near(f"zone of {threshold:g} V/cm", volume, solution.area(threshold * V_PER_CM) * thickness * MM, ZONE)


def plates(case):
    """Parallel plates: sigma(V/d) V/d times the area, for every law; the field is uniform, so nothing is lost."""
    case.write(meshes.slab([10], 8, (3, 3, 3)), "plates")
    for number, law in enumerate(LAWS):
        field = 580 * V_PER_CM
        summary = case.run(case.loaded(f"{law.law}-{number}", "plates", law, 580, [500, 600]))
        case.near(f"{law.law}, current", summary["pulses"][0]["current_A"], law(field) * field * 64e-6, 1e-8)
        found = volumes(summary)
        case.near(f"{law.law}, zone of 500 V/cm", found[500], 640e-9, 1e-8)
        case.note(f"{law.law}, zone of 600 V/cm", found[600], 0, found[600] / 640e-9, 0)


def layers(case):
    """Two nonlinear layers in series: the field jumps at the interface, and the zone holds one of them."""
    case.write(meshes.slab([6, 4], 8, (3, 3, 3)), "layers")
    for name, laws in (("ramp over sigmoid", (RAMP, SIGMOID)), ("sigmoid over constant", (SIGMOID, CONSTANT))):
        solution = exact.Layers(laws, [6 * MM, 4 * MM], 550)
        low, high = sorted(field / V_PER_CM for field in solution.fields)
        threshold = round((low + high) / 2)
        plan = case.loaded(
            name.replace(" ", "-"), "layers", None, 550, [threshold],
            tissues=f"{{layer_1: {{sigma: {laws[0].yaml()}}}, layer_2: {{sigma: {laws[1].yaml()}}},"
                    f" default: {{sigma: {CONSTANT.yaml()}}}}}")  # fmt: skip
        wanted = sum(64e-6 * d * MM for d, field in zip((6, 4), solution.fields) if field > threshold * V_PER_CM)
        for order in (1, 2):  # both hold the solution exactly, so its jump must not count as an error either
            summary = case.run(plan, "--set", f"mesh.order={order}")
            pulse, zone = summary["pulses"][0], summary["zone"]
            case.near(f"{name}, order {order}, current", pulse["current_A"], solution.density * 64e-6, 1e-6)
            case.near(f"{name}, order {order}, zone of {threshold} V/cm", volumes(summary)[threshold], wanted, 1e-6)
            case.note(f"{name}, order {order}, the current's bar", pulse["current_error_A"], 0, pulse["current_error_A"] / pulse["current_A"], 1e-6)
            case.note(f"{name}, order {order}, the zone's bar", zone["volume_error_cm3"], 0, zone["volume_error_cm3"] * CM3 / wanted, 1e-6)
            # The file shows the field of each side, up to the interface, and so what is drawn ends there.
            file = results.Result(case.base + ".hdf")
            found, region = file.point_data["field_V_per_cm"] * V_PER_CM, file.cell_data["region"]
            for layer, field in enumerate(solution.fields):
                off = np.abs(found[file.cells[region == layer]] / field - 1).max()
                case.note(f"{name}, order {order}, field of layer_{layer + 1} in the file", field, field, off, 1e-6)
        regions = {row["region"]: row for row in summary["zone"]["by_region"]}
        case.near(f"{name}, volume of layer_1", regions["layer_1"]["volume_cm3"], 0.384, 1e-9)
        case.near(f"{name}, volume of layer_2", regions["layer_2"]["volume_cm3"], 0.256, 1e-9)


def shells(case):
    """Three tissues between concentric spheres: current, zone and what each shell has of it within their bars, and bars
    that say something. Shells of one layer of elements, too."""
    radii, voltage = (6, 8, 10, 15), 1000
    constants = lambda *values: [exact.Law("constant", value=value) for value in values]
    ramps = [exact.Law("ramp", low=low, high=3 * low, **{"from": 400, "to": 900}) for low in (0.1, 0.02)]
    sets = {"weak": constants(0.1, 0.01, 0.1), "strong": constants(0.1, 1, 0.1), "rising": constants(0.1, 0.2, 0.4),
            "ramps": ramps + constants(0.5)}  # fmt: skip
    case.write(meshes.shells(radii, 6, [2, 2, 3]), "shells")
    case.write(meshes.shells(radii, 6, [1, 1, 2]), "thin")
    for name, laws in sets.items():
        solution = exact.Shells(laws, [r * MM for r in radii], voltage)
        shell = max(range(3), key=lambda i: laws[i].field_of(solution.k / (radii[i] * MM) ** 2))
        middle = (radii[shell] + radii[shell + 1]) / 2 * MM
        threshold = round(laws[shell].field_of(solution.k / middle**2) / V_PER_CM)
        tissues = ", ".join(f"shell_{i + 1}: {{sigma: {law.yaml()}}}" for i, law in enumerate(laws))
        exact_parts = [volume / 8 / CM3 for volume in solution.volumes(threshold * V_PER_CM)]
        for mesh, order, allowed in (("shells", 2, 0.03), ("thin", 2, 0.1), ("shells", 1, 0.4)):
            plan = case.loaded(f"{name}-{mesh}", mesh, None, voltage, [threshold],
                               tissues=f"{{{tissues}, default: {{sigma: {CONSTANT.yaml()}}}}}")  # fmt: skip
            summary = case.run(plan, "--set", f"mesh.order={order}")
            pulse, zone = summary["pulses"][0], summary["zone"]
            rows = [("current", pulse["current_A"], pulse["current_error_A"], solution.current / 8, solution.current / 8),
                    ("zone", zone["volume_cm3"], zone["volume_error_cm3"], sum(exact_parts), sum(exact_parts))]  # fmt: skip
            for part, row in zip(exact_parts, zone["by_region"]):
                rows.append((row["region"], row["ablated_cm3"], row["ablated_error_cm3"], part, sum(exact_parts)))
            for what, found, bar, wanted, whole in rows:
                what = f"{name}, {mesh}, order {order}, {what}"
                case.note(what, found, wanted, abs(found - wanted) / whole, max(bar / whole, 2e-3))
                case.note(f"{what}, its bar", bar, 0, bar / whole, max(5 * abs(found - wanted) / whole, allowed if "current" not in what else 0.05))


def power(case):
    """The result file, integrated by other code: dissipated power is V I, and the zone is the summary's.

    With `memory: pairs`, which changes nothing for a single pulse, the zone is measured with the element-wise field, which
    the file holds; without it with a recovered one.
    """
    sector = math.pi / 3
    case.write(meshes.coaxial(0.5, 20, 20, (24, 6, 8), sector), "sector")
    sigma = np.vectorize(SIGMOID, otypes=[float])
    grid = np.linspace(0, 1e7, 1000001)
    table = sigma(grid)
    summary = case.run(case.loaded("power", "sector", SIGMOID, 1000, [500], memory="pairs"))
    result = results.Result(case.base + ".hdf")
    potential = result.point_data["potential_V"]
    dissipated = result.integrate(potential, lambda field, _: np.interp(field, grid, table) * field**2, 5)
    case.near("dissipated power", dissipated, 1000 * summary["pulses"][0]["current_A"], 1e-4)
    zone = result.integrate(potential, lambda field, _: field >= 500 * V_PER_CM, 8)
    case.near("zone of 500 V/cm", summary["zone"]["volume_cm3"] * CM3, zone, 2e-3)
    box = result.integrate(potential, lambda field, _: np.ones_like(field))
    case.near("volume of the mesh", box, math.pi * (400 - 0.25) * 20 / 6 * 1e-9, 1e-5)


def directed(law, anisotropy):
    """A tissue with a law and `anisotropy`, as text."""
    return f"{{sigma: {law.yaml()}, anisotropy: {{{anisotropy}}}}}"


def coupled(case):
    """Heat fed back into the conductivity, without conduction or perfusion: currents and zones of the last pulses.

    A slab of one tissue warms up evenly, 1 + a (T - 37) = exp(a n w sigma E^2 / (rho c)). Of two layers only the first
    conducts better with heat, so the field moves into the second: the zone has the layer that was above the threshold in
    the first pulse and the one that is in the last.
    """
    rise, capacity, width, count, area = 0.02, 1000 * 4000, 100e-6, 80, 64e-6

    def tissue(coefficient):
        return (f"{{sigma: {CONSTANT.yaml()}, density: 1000, heat_capacity: 4000, thermal_conductivity: 0.0001,"
                f" perfusion: 0, metabolic_heat: 0, temperature_coefficient: {coefficient}}}")  # fmt: skip

    keys = {"heat": "{coupling: %s, needles: insulating, outer: insulated, recharge: 0, gap: 1, cooling: 1, step: 0.5}"}
    full, none = keys["heat"] % "full", keys["heat"] % "none"
    case.write(meshes.slab([10], 8, (3, 3, 3)), "plates")
    plan = case.loaded("even", "plates", None, 1200, [500], tissues=f"{{default: {tissue(100 * rise)}}}", heat=full)
    with open(plan, encoding="utf-8") as file:
        text = file.read().replace("count: 90", f"count: {count}")
    pulse = f"{{from: B, to: A, voltage: 1200, count: {count}, width: 100, rate: 1.5}}"
    with open(plan, "w", encoding="utf-8") as file:
        file.write(text.replace("rate: 1.5}]", f"rate: 1.5}}, {pulse}]"))
    field = 1200 / 10e-3
    growth = math.exp(rise * count * width * 0.1 * field**2 / capacity)
    summary = case.run(plan)
    fresh = 0.1 * field * area
    for number, (first, last) in enumerate(((1, growth), (growth, growth**2))):
        pulse = summary["pulses"][number]
        # The field is solved again where the conductivity has changed by 2 %; in between the heat follows it.
        case.near(f"even, first current of pair {number + 1}", pulse["current_first_A"], first * fresh, 1e-2)
        case.near(f"even, last current of pair {number + 1}", pulse["current_A"], last * fresh, 2e-3)
        case.near(f"even, current of the electrode {number + 1}", pulse["electrode_current_A"]["AB"[number]], last * fresh, 2e-3)

    def slope(_, warm):
        density = 1200 / (5e-3 / (0.1 * (1 + rise * warm[0])) + 5e-3 / 0.1)
        return [width * density**2 / (0.1 * (1 + rise * warm[0]) * capacity)]  # per pulse

    warm = solve_ivp(slope, (0, count), [0], rtol=1e-9).y[0, -1]
    density = 1200 / (5e-3 / (0.1 * (1 + rise * warm)) + 5e-3 / 0.1)
    first, last = 1200 / 10e-3, (density / (0.1 * (1 + rise * warm)), density / 0.1)
    threshold = round((first + last[1]) / 2 / V_PER_CM)
    assert last[0] < 1190 * V_PER_CM < first < threshold * V_PER_CM < last[1]
    case.write(meshes.slab([5, 5], 8, (3, 3, 3)), "layers")
    tissues = f"{{default: {tissue(0)}, layer_1: {tissue(100 * rise)}}}"
    for heat, wanted in ((full, density * area), (none, fresh)):
        name = "moves" if heat == full else "stays"
        plan = case.loaded(name, "layers", None, 1200, [threshold, 1190], tissues=tissues, heat=heat)
        summary = case.run(plan, "--set", f"pulses[0].count={count}")
        case.near(f"layers, coupling {name}, current", summary["pulses"][0]["current_A"], wanted, 2e-3)
        whole = 640e-9
        zones = volumes(summary)
        share = 0.5 if heat == full else 0
        case.note(f"layers, {name}, zone of {threshold} V/cm", zones[threshold], share * whole, abs(zones[threshold] / whole - share), 1e-6)
        # Both: the first layer in the first pulse, the second in both.
        case.near(f"layers, {name}, zone of 1190 V/cm", zones[1190], whole, 1e-6)


def anisotropic(case):
    """Tissue with fibres: exact solutions in stretched coordinates and in layers, and what must not change."""
    # With x = sqrt(N) x' the tensor N becomes the identity: the current is sqrt(det N) times that in x'.
    tensor = np.array([0.4, 1.9, 0.7])
    part = 12
    case.write(meshes.coaxial(0.5, 20, 20, (160, 4, 6), 2 * math.pi / part), "stretched", np.sqrt(tensor))
    solution = exact.Radial(CONSTANT, 1, 0.5 * MM, 20 * MM, 1000, 20 * MM)
    for rise in ("scaled", "along-field"):
        tissue = directed(CONSTANT, f"tensor: {[float(3.7 * n) for n in tensor] + [0, 0, 0]}, rise: {rise}")
        summary = case.run(case.loaded(f"stretched-{rise}", "stretched", None, 1000, [500], tissues=f"{{default: {tissue}}}"))
        current = math.sqrt(tensor.prod()) * solution.current / part
        case.near(f"stretched cylinders, {rise}", summary["pulses"][0]["current_A"], current, CURRENT)

    # Layers along x: fibres along x in one, across x in the other. The mean of the principal values is 1.
    case.write(meshes.slab([6, 4], 8, (3, 3, 3)), "layers")
    along, across = 3 * 5 / 7, 3 / 7
    for number, rises in enumerate((("scaled", "along-field"), ("along-field", "scaled"), ("scaled", "scaled"))):
        laws = [exact.Directed(law, f, rise) for law, f, rise in zip((SIGMOID, WIDE_RAMP), (along, across), rises)]
        solution = exact.Layers(laws, [6 * MM, 4 * MM], 550)
        tissues = [directed(law, f"fibres: {fibres}, ratio: 5, rise: {law.rise}") for law, fibres in zip(laws, ("[2, 0, 0]", "[0, 3, 0]"))]
        plan = case.loaded(f"layers-{number}", "layers", None, 550, [500],
                           tissues=f"{{layer_1: {tissues[0]}, layer_2: {tissues[1]}, default: {{sigma: {CONSTANT.yaml()}}}}}")  # fmt: skip
        summary = case.run(plan)
        case.near(f"layers, {' over '.join(rises)}", summary["pulses"][0]["current_A"], solution.density * 64e-6, 1e-6)

    # The result file, integrated by other code: dissipated power is V I. Curved elements, a tensor across all axes.
    shape = np.array([[1.6, 0.5, 0.3], [0.5, 0.8, -0.2], [0.3, -0.2, 0.6]])
    case.write(meshes.coaxial(0.5, 20, 20, (24, 6, 8), math.pi / 3), "sector")
    tissue = directed(SIGMOID, "tensor: [1.6, 0.8, 0.6, 0.5, -0.2, 0.3]")
    summary = case.run(case.loaded("power", "sector", None, 1000, [500], tissues=f"{{default: {tissue}}}"))
    result = results.Result(case.base + ".hdf")
    grid = np.linspace(0, 1e7, 1000001)
    table = np.vectorize(SIGMOID, otypes=[float])(grid)
    density = lambda g, _: np.interp(np.linalg.norm(g, axis=1), grid, table) * np.einsum("mi,ij,mj->m", g, shape, g)
    dissipated = result.integrate(result.point_data["potential_V"], density, 5, vectors=True)
    case.near("dissipated power", dissipated, 1000 * summary["pulses"][0]["current_A"], 1e-4)
    tensors = result.cell_data["conductivity_tensor_S_per_m"]
    vectors = result.cell_data["field_vector_V_per_cm"]
    wanted = np.vectorize(SIGMOID)(np.linalg.norm(vectors, axis=1) * V_PER_CM)[:, None] * [1.6, 0.8, 0.6, 0.5, -0.2, 0.3]
    case.note("conductivity tensors of the result file", 0, 0, np.abs(tensors - wanted).max(), 1e-9)
    heated = case.run(case.plan("heated", **{**NEEDLES, "array": PAIR, "pulses": "[{from: A, to: B, voltage: 1500, count: 20, width: 100}]",
                                             "tissues": "{default: {preset: muscle, anisotropy: {fibres: [1, 2, 0]}}}",
                                             "heat": "{cooling: 5}"}))  # fmt: skip
    pulse = heated["pulses"][0]
    energy = pulse["voltage_V"] * pulse["current_A"] * 20 * 100e-6
    case.near("Joule heat", heated["heat"]["energy_J"]["joule"], energy, 1e-6)

    # A tensor that is the identity, and a rise along the field of tissue without fibres, in one pair: as without.
    def pair(name, extra="", **keys):
        tissue = f"{{default: {{preset: muscle, sigma: {SIGMOID.yaml()}{extra}}}}}"
        pulses = "[{from: A, to: B, voltage: 1500}]"
        return case.run(case.plan(name, **{**NEEDLES, "array": PAIR, "pulses": pulses, "tissues": tissue, **keys}))

    plain = pair("plain")
    for name, extra in (("unit-tensor", "tensor: [2, 2, 2, 0, 0, 0]"), ("along-field", "rise: along-field")):
        other = pair(name, f", anisotropy: {{{extra}}}")
        case.near(f"{name}, current", other["pulses"][0]["current_A"], plain["pulses"][0]["current_A"], 1e-7)
        case.near(f"{name}, zone", other["zone"]["volume_cm3"], plain["zone"]["volume_cm3"], 1e-6)
        case.near(f"{name}, error bar", other["zone"]["volume_error_cm3"], plain["zone"]["volume_error_cm3"], 1e-4)

    # Probes and fibres turned together: another mesh, so to its accuracy.
    fibres = ", anisotropy: {fibres: %s}"
    flat = pair("flat", fibres % "[1, 0.5, 0]", mesh="{size: 80, accuracy: 1}")
    needles = ", ".join(f"{{tip: [0, {y}, -7.5], direction: [0, 0, 1], exposure: 15}}" for y in (-7.5, 7.5))
    plan = case.plan("turned", **{**NEEDLES, "mesh": "{size: 80, accuracy: 1}", "probes": f"[{needles}]",
                                  "tissues": f"{{default: {{preset: muscle, sigma: {SIGMOID.yaml()}{fibres % '[-0.5, 1, 0]'}}}}}",
                                  "pulses": "[{from: A, to: B, voltage: 1500}]"})  # fmt: skip
    turned = case.run(plan)
    case.near("turned, current", turned["pulses"][0]["current_A"], flat["pulses"][0]["current_A"], 0.5e-2)
    case.near("turned, zone", turned["zone"]["volume_cm3"], flat["zone"]["volume_cm3"], 1e-2)

    # The same on two ranks: on a mesh that is refined by the error bar, and with memory.
    assert flat["mesh"]["cells"] > plain["mesh"]["cells"]
    ranks = case.run(plan, ranks=2)
    assert ranks["mesh"] == turned["mesh"]
    case.near("two ranks, refined mesh, current", ranks["pulses"][0]["current_A"], turned["pulses"][0]["current_A"], 1e-6)
    case.near("two ranks, refined mesh, zone", ranks["zone"]["volume_cm3"], turned["zone"]["volume_cm3"], 1e-6)
    plan = three(case, "ranks", mesh="{size: 80, accuracy: 10}", memory="pairs", pulses="{pairs: all, voltage: 1500}",
                 tissues="{default: %s}" % directed(SIGMOID, "fibres: [1, 2, 0], ratio: 4, rise: along-field"))  # fmt: skip
    one, two = case.run(plan), case.run(plan, ranks=2)
    assert one["mesh"] == two["mesh"]
    for i in range(3):
        found, wanted = (summary["pulses"][i]["current_A"] for summary in (two, one))
        case.near(f"two ranks, current {i + 1}", found, wanted, 1e-6)
    case.near("two ranks, zone", two["zone"]["volume_cm3"], one["zone"]["volume_cm3"], 1e-6)
    fresh = case.run(three(case, "fresh", mesh="{size: 80, accuracy: 10}", pulses="{pairs: all, voltage: 1500}",
                           tissues="{default: %s}" % directed(SIGMOID, "fibres: [1, 2, 0], ratio: 4, rise: along-field")))  # fmt: skip
    gain = one["pulses"][2]["current_A"] / fresh["pulses"][2]["current_A"]
    case.note("gain of the last pair by memory, above 0.2 %", gain, 1.002, 0 if gain > 1.002 else 1, 0)


NEEDLES = {
    "mesh": "{size: 80, accuracy: 2}",
    "tissues": "{default: {preset: liver}}",
    "zone": "{threshold: 500, also: [350, 700]}",
}
PAIR = "{count: 2, spacing: 15, exposure: 15}"


def three(case, name, **keys):
    """Plan of a pair with a third, idle needle half-way between them and above."""
    needle = "direction: [0, 0, 1], exposure: 15}"
    probes = f"[{{name: A, tip: [-8, 0, -7], {needle}, {{name: B, tip: [8, 0, -7], {needle}, {{name: C, tip: [0, 9, -7], {needle}]"
    keys = {"pulses": "[{from: A, to: B, voltage: 2000, count: 90, width: 100, rate: 1.5}]", **keys}
    return case.plan(name, **{**NEEDLES, "probes": probes, **keys})


def identities(case):
    """Polarity, scaling of conductivity and of voltage, currents that cancel, a floating needle at half the voltage."""
    constant = "{default: {sigma: {law: constant, value: %g}}}"
    pulse = "[{from: %s, to: %s, voltage: %g, count: 90, width: 100, rate: 1.5}]"

    forward = case.run(three(case, "forward"))
    current, zone = forward["pulses"][0]["current_A"], volumes(forward)
    electrodes = forward["pulses"][0]["electrode_current_A"]
    case.note("sum of electrode currents", sum(electrodes.values()), 0, abs(sum(electrodes.values())) / current, 1e-6)
    case.note("current of the floating needle", electrodes["C"], 0, abs(electrodes["C"]) / current, 1e-6)
    case.near("current of A", electrodes["A"], current, 1e-6)

    loose = case.run(three(case, "loose", solver="{tolerance: 1e-4}"))
    case.near("current, solved to 1e-4", loose["pulses"][0]["current_A"], current, 1e-5)
    case.near("zone, solved to 1e-4", volumes(loose)[500], zone[500], 1e-3)
    steps = [s["pulses"][0]["linear_iterations"] for s in (loose, forward)]
    case.note("linear steps, solved to 1e-4 instead of 1e-8", steps[0], steps[1], 0 if steps[0] < steps[1] else 1, 0)

    back = case.run(three(case, "back", pulses=pulse % ("B", "A", 2000)))
    case.near("current, polarity swapped", back["pulses"][0]["current_A"], current, 1e-6)
    for threshold, volume in volumes(back).items():
        case.near(f"zone of {threshold:g} V/cm, polarity swapped", volume, zone[threshold], 1e-6)
    half = [s["probes"][2]["potential_V"][0] for s in (forward, back)]
    case.near("potential of the floating needle, both polarities together", sum(half), 2000, 1e-6)
    case.near("potential of the floating needle by symmetry", half[0], 1000, 1e-2)

    linear = case.run(three(case, "linear", tissues=constant % 0.1))
    scaled = case.run(three(case, "scaled", tissues=constant % 0.27))
    case.near("current, sigma scaled", scaled["pulses"][0]["current_A"], 2.7 * linear["pulses"][0]["current_A"], 1e-6)
    for threshold, volume in volumes(scaled).items():
        case.near(f"zone of {threshold:g} V/cm, sigma scaled", volume, volumes(linear)[threshold], 1e-6)
    double = case.run(three(case, "double", tissues=constant % 0.1, pulses=pulse % ("A", "B", 1000)))
    case.near("current, half the voltage", double["pulses"][0]["current_A"], linear["pulses"][0]["current_A"] / 2, 1e-6)
    case.near("zone of 350 V/cm at half the voltage", volumes(double)[350], volumes(linear)[700], 1e-6)

    other = (pulse % ("B", "C", 2000))[1:-1]
    union = volumes(case.run(three(case, "union", pulses=(pulse % ("A", "B", 2000))[:-1] + ", " + other + "]")))
    alone = volumes(case.run(three(case, "alone", pulses=f"[{other}]")))
    for threshold, volume in union.items():
        most, least = zone[threshold] + alone[threshold], max(zone[threshold], alone[threshold])
        outside = 0 if least < volume < most else 1
        case.note(f"zone of {threshold:g} V/cm of two pulses, between the larger and the sum", volume, least, outside, 0)


def reference(case):
    """Two needles in a box on a generated mesh, against meshes of up to a million flat-faced tetrahedra solved with
    FEniCSx, GetDP and FreeFEM, which agree on 19.36 A and 15.38 cm^3."""
    here = os.path.dirname(os.path.abspath(__file__))
    plan = os.path.join(here, "..", "..", "examples", "reference_two_needles.yaml")
    summary = case.run(plan, "--set", "mesh.accuracy=0.1", "--set", "name=reference_two_needles")
    case.near("current", summary["pulses"][0]["current_A"], 19.36, 1e-2)
    case.near("zone of 500 V/cm", volumes(summary)[500], 15.38 * CM3, 1e-2)


def pair_along(case, way):
    """Zone and current of a pair of needles that lies along an axis."""
    a, b, direction = {"x": ("[-7, 0, -7]", "[7, 0, -7]", "[0, 0, 1]"), "y": ("[0, -7, -7]", "[0, 7, -7]", "[0, 0, 1]"),
                       "z": ("[-7, 0, -7]", "[-7, 0, 7]", "[1, 0, 0]")}[way]  # fmt: skip
    needles = ", ".join(f"{{name: {n}, tip: {tip}, direction: {direction}, exposure: 14}}" for n, tip in zip("AB", (a, b)))
    pulses = "[{from: A, to: B, voltage: 1500, count: 90, width: 100, rate: 1.5}]"
    keys = {**NEEDLES, "probes": f"[{needles}]", "pulses": pulses, "mesh": "{size: 80, accuracy: 1}"}
    summary = case.run(case.plan(f"along-{way}", **keys))
    return summary["zone"], summary["pulses"][0]["current_A"]


def symmetry(case):
    """The same pair of needles lying along x, y or z; the two halves of a symmetric problem on a shaken mesh."""
    zone, current = pair_along(case, "x")
    for way in "yz":
        turned, its_current = pair_along(case, way)
        case.near(f"current of the pair along {way}", its_current, current, 0.5e-2)
        case.near(f"zone of the pair along {way}", turned["volume_cm3"], zone["volume_cm3"], 1e-2)

    case.write(meshes.two_cylinders(0.5, 15, 0.4, 1.0, (60, 30, 2)), "half")
    summary = case.run(case.loaded("halves", "half", SIGMOID, 2250, [500]))
    left, right = (row["ablated_cm3"] for row in summary["zone"]["by_region"] if row["region"] in ("left", "right"))
    case.near("zone left of the middle", left, right, ZONE)


def extent(case):
    """The box around the zone: of a ball, a ring and an oval, which are known; of a pair of needles on a generated mesh, in
    the middle, and turned when the pair is turned."""

    def compare(name, summary, wanted):
        """Against the exact lower and upper corner, m; relative to the extent."""
        for axis, (low, high) in enumerate(zip(*wanted)):
            for side, exact_value in enumerate((low, high)):
                found = summary["zone"]["bounding_box_mm"][side][axis] * MM
                error = abs(found - exact_value) / (high - low)
                case.note(f"{name}, {'from' if side == 0 else 'to'} {'xyz'[axis]}, m", found, exact_value, error, BOX)

    case.write(meshes.octant(2, 30, 16, 80), "octant")
    radius = exact.Radial(SIGMOID, 2, 2 * MM, 30 * MM, 1000).radius(500 * V_PER_CM)
    compare("ball", case.run(case.loaded("ball", "octant", SIGMOID, 1000, [500])), ([0] * 3, [radius] * 3))
    case.write(meshes.coaxial(0.5, 20, 20, (96, 40, 4)), "ring")
    radius = exact.Radial(SIGMOID, 1, 0.5 * MM, 20 * MM, 1000, 20 * MM).radius(500 * V_PER_CM)
    wanted = ([-radius, -radius, 0], [radius, radius, 20 * MM])
    compare("ring", case.run(case.loaded("round", "ring", SIGMOID, 1000, [500])), wanted)
    case.write(meshes.two_cylinders(0.5, 15, 0.4, 1.0, (60, 30, 2)), "half")
    solution = exact.TwoCylinders(0.5 * MM, 15 * MM, 2250, 0.1, 0.4)
    for threshold in (350, 500, 700):
        width, height = solution.box(threshold * V_PER_CM)
        summary = case.run(case.loaded(f"oval-{threshold}", "half", CONSTANT, 2250, [threshold]))
        compare(f"oval of {threshold} V/cm", summary, ([-width, 0, 0], [width, height, 1 * MM]))

    zone, turned = pair_along(case, "x")[0], pair_along(case, "y")[0]
    for axis in range(2):
        low, high = (corner[axis] for corner in zone["bounding_box_mm"])
        off = abs(low + high) / 2 / zone["extent_mm"][axis]
        case.note(f"middle of the zone along {'xy'[axis]}, mm", (low + high) / 2, 0, off, 1e-2)
    for axis, other in enumerate((1, 0, 2)):
        case.near(f"extent along {'xyz'[axis]}, turned", turned["extent_mm"][other], zone["extent_mm"][axis], 2e-2)


def numbers(value, path=""):
    """Every number of a summary by its path, without what may differ between runs."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("timing_s", "peak_memory_MB", "ranks", "threads") and "iterations" not in key:
                yield from numbers(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from numbers(inner, f"{path}[{i}]")
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path[1:], value


def ranks(case):
    """The same summary on 1, 2, 3 and 4 ranks and on 1 and 2 threads."""
    case.write(meshes.octant(2, 30, 6, 16), "octant")
    pulses = "[{from: A, to: B, voltage: 2000, count: 90, width: 100, rate: 1.5}, {from: B, to: C, voltage: 1500, count: 90, width: 100, rate: 1.5}]"
    plans = [three(case, "needles", pulses=pulses), case.loaded("spheres", "octant", SIGMOID, 1000, [500, 350, 700])]
    for plan in plans:
        kind = os.path.splitext(os.path.basename(plan))[0]
        wanted = dict(numbers(case.run(plan)))
        for count, threads in ((1, 2), (2, 1), (3, 1), (4, 1), (2, 2)):
            found = dict(numbers(case.run(plan, ranks=count, threads=threads)))
            assert found.keys() == wanted.keys(), found.keys() ^ wanted.keys()
            # A number is compared with the largest of its kind, so that 1e-9 where 0 is meant does not count.
            worst, where = 0.0, ""
            for key, value in wanted.items():
                kind_of = key.split("[")[0].rsplit(".", 1)[-1]
                scale = max(abs(v) for k, v in wanted.items() if k.split("[")[0].rsplit(".", 1)[-1] == kind_of)
                error = abs(found[key] - value) / scale if scale > 0 else abs(found[key])
                if not error <= worst:
                    worst, where = error, key
            case.note(f"{kind} on {count} ranks of {threads} threads, worst number {where}", worst, 0, worst, 1e-6)


CASES = {f.__name__: f for f in (cylinders, spheres, bars, two_cylinders, plates, layers, shells, anisotropic, coupled, power, identities, symmetry, extent, reference, ranks)}


def table(cases):
    """The worst of each case, in Markdown."""
    print("\n| case | numbers compared | largest error | where | allowed |\n|---|---|---|---|---|")
    for case in cases:
        for allowed in sorted({row[4] for row in case.rows}):
            rows = [row for row in case.rows if row[4] == allowed]
            worst = max(rows, key=lambda row: row[3])
            print(f"| {case.name} | {len(rows)} | {worst[3]:.1e} | {worst[0]} | {allowed:.1e} |")


def check_laws(program):
    """Every law that a plan knows is among LAWS, which the exact solutions run through."""
    text = subprocess.run([program, "help", "plan"], check=True, capture_output=True, text=True).stdout
    known = set(re.findall(r"^tissues\.REGION\.sigma, law: (\w+)", text, re.MULTILINE))
    missing = known - {law.law for law in LAWS}
    assert known and not missing, f"no exact solution has the law {missing}: add it to LAWS, and its formula to exact.py"


def main():
    arguments = [a for a in sys.argv[1:] if not a.startswith("--")]
    if "--list" in sys.argv:
        print("\n".join(CASES))
        return 0
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    check_laws(arguments[0])
    done = []
    for name in arguments[2:] or CASES:
        case = Case(name, os.path.abspath(arguments[0]), os.path.abspath(arguments[1]))
        CASES[name](case)
        done.append(case)
    if "--table" in sys.argv:
        table(done)
    return 1 if any(case.failed for case in done) else 0


if __name__ == "__main__":
    sys.exit(main())
