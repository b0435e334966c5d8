"""Plans of the benchmarks, as dictionaries: the timed cases and the geometries of the error bars.

Lengths in mm, fields in V/cm, as in a plan.
"""
import json
import struct
import subprocess

import bench

RAMP = {"law": "ramp", "low": 0.08, "high": 0.32, "from": 350, "to": 700}
SMOOTHSTEP = {"law": "smoothstep", "low": 0.067, "high": 0.241, "from": 460, "to": 700}
GOMPERTZ = {"law": "gompertz", "low": 0.1, "high": 0.35, "a": 5, "b": 0.004}
TABLE = {"law": "table", "field": [0, 300, 500, 700, 900], "sigma": [0.1, 0.12, 0.2, 0.3, 0.34]}
CONSTANT = {"law": "constant", "value": 0.15}
TUMOUR = {"law": "ramp", "low": 0.2, "high": 0.7, "from": 400, "to": 800}

LABELS = "two_regions.nii"  # written beside the plan by write_labels()


def array(count, spacing, exposure, law=bench.SIGMOID, field=1500, threshold=500, size=None):
    """A usual array, all pairs or the first ones, at one field (V/cm times the distance of the pair)."""
    plan = {
        "tissues": {"default": {"sigma": law, "threshold": threshold}},
        "array": {"count": count, "spacing": spacing, "exposure": exposure},
        "pulses": {"pairs": "all", "field": field},
        "zone": {"threshold": threshold},
    }
    if size:
        plan["mesh"] = {"size": size}
    return plan


def pair(tips, directions, exposures, voltage, law=bench.SIGMOID, threshold=500):
    """Two probes anywhere."""
    return {
        "tissues": {"default": {"sigma": law, "threshold": threshold}},
        "probes": [
            {"name": name, "tip": tip, "direction": direction, "exposure": exposure}
            for name, tip, direction, exposure in zip("AB", tips, directions, exposures)
        ],
        "pulses": [{"from": "A", "to": "B", "voltage": voltage}],
        "zone": {"threshold": threshold},
    }


def two_regions(plan):
    """The same plan with a tumour from a label map: its voxels are 1 mm, a ball of 8 mm radius off the middle."""
    plan["tissues"]["tumour"] = {"sigma": TUMOUR, "threshold": 600}
    plan["anatomy"] = {"labels": LABELS, "map": {"1": "tumour"}}
    return plan


def write_labels(folder):
    """Write the label map of two_regions(): NIfTI-1, 60 x 60 x 60 voxels of 1 mm around the origin."""
    n, center, radius = 60, (3.0, 2.0, 1.0), 8.0
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, n, n, n, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 2, 8)  # unsigned char, 8 bits
    struct.pack_into("<8f", header, 76, 1, 1, 1, 1, 0, 0, 0, 0)
    struct.pack_into("<f", header, 108, 352)
    struct.pack_into("<f", header, 112, 1)
    header[123] = 2  # mm
    struct.pack_into("<2h", header, 252, 1, 1)
    corner = -n / 2 + 0.5
    struct.pack_into("<3f", header, 268, corner, corner, corner)
    for row in range(3):
        values = [0.0, 0.0, 0.0, corner]
        values[row] = 1.0
        struct.pack_into("<4f", header, 280 + 16 * row, *values)
    header[344:348] = b"n+1\0"
    voxels = bytearray(n * n * n)
    at = 0
    for k in range(n):
        for j in range(n):
            for i in range(n):
                x, y, z = i + corner, j + corner, k + corner
                far = (x - center[0]) ** 2 + (y - center[1]) ** 2 + (z - center[2]) ** 2
                voxels[at] = far <= radius * radius
                at += 1
    (folder / LABELS).write_bytes(bytes(header) + bytes(voxels))


# Geometries for the error bars: 2 to 6 probes, tips of 10 to 40 mm, 8 to 32 mm apart, tilted, two regions, every law.
GEOMETRIES = {
    "two-20mm-sigmoid": {
        **array(2, 20, 20),
        "pulses": [{"from": "A", "to": "B", "voltage": 3000}],
    },
    "two-8mm-short": array(2, 8, 10),
    "two-10mm-ramp": array(2, 10, 20, RAMP),
    "two-15mm-constant": array(2, 15, 20, CONSTANT),
    "two-15mm-gompertz": array(2, 15, 15, GOMPERTZ),
    "two-20mm-table": array(2, 20, 25, TABLE),
    "two-20mm-smoothstep": array(2, 20, 30, SMOOTHSTEP),
    "two-20mm-long": array(2, 20, 40),
    "two-25mm-ramp": array(2, 25, 20, RAMP, 1200),
    "two-32mm-long": array(2, 32, 40, bench.SIGMOID, 900),
    "two-20mm-low-threshold": array(2, 20, 20, RAMP, 1500, 350),
    "two-20mm-high-threshold": array(2, 20, 20, SMOOTHSTEP, 1500, 700),
    "two-tilted": pair([[-8, 0, -10], [8, 0, -10]], [[-0.2, 0, 1], [0.2, 0.1, 1]], [20, 20], 2500),
    "two-skew": pair([[-9, -3, -8], [9, 4, -12]], [[0, 0.3, 1], [0.1, -0.3, 1]], [15, 25], 2700, RAMP),
    "two-shifted": pair([[-7.5, 0, -10], [7.5, 0, -5]], [[0, 0, 1], [0, 0, 1]], [20, 10], 2200, GOMPERTZ),
    "three-15mm-sigmoid": array(3, 15, 20),
    "three-20mm-ramp": array(3, 20, 20, RAMP),
    "three-12mm-table": array(3, 12, 10, TABLE),
    "four-15mm-sigmoid": array(4, 15, 20),
    "four-20mm-smoothstep": array(4, 20, 25, SMOOTHSTEP),
    "five-15mm-gompertz": array(5, 15, 20, GOMPERTZ),
    "six-15mm-sigmoid": array(6, 15, 20),
    "two-regions-15mm": two_regions(array(2, 15, 20, RAMP)),
    "four-regions-15mm": two_regions(array(4, 15, 20, bench.SIGMOID)),
}

# Geometries on which nothing of the error estimate was tried before it was finished, most of them with the threshold
# where the law is steep or has a kink.
STEEP = {"law": "sigmoid", "low": 0.1, "high": 0.4, "center": 450, "width": 20}
HELD_OUT = {
    "held-out-two-12mm-steep-sigmoid": array(2, 12, 15, STEEP, 1500, 450),
    "held-out-two-18mm-foot-of-ramp": array(2, 18, 25, {**RAMP, "from": 500, "to": 600}, 1500, 500),
    "held-out-two-25mm-smoothstep": array(2, 25, 40, SMOOTHSTEP, 1400, 550),
    "held-out-two-tilted-table": pair([[-7, 0, -8], [7, 2, -10]], [[0.2, 0, 1], [0, 0.2, 1]], [15, 20], 2000, TABLE),
    "held-out-two-regions-20mm": two_regions(array(2, 20, 30, SMOOTHSTEP)),
    "held-out-three-10mm-top-of-ramp": array(3, 10, 15, RAMP, 1300, 700),
}

# Drawn at random: distances, lengths, tilts, laws with their numbers, thresholds and voltages; also two tissues. The error
# estimate was fitted to the first 44 and to GEOMETRIES; the other 30 were drawn afterwards.
RANDOM = json.loads((bench.HERE / "random_geometries.json").read_text())


def plan_of(name, order=2, accuracy=1):
    """A geometry as a plan with a name and a mesh."""
    plan = dict({**GEOMETRIES, **HELD_OUT, **RANDOM}[name])
    plan["name"] = name
    plan["mesh"] = {**plan.get("mesh", {}), "accuracy": accuracy, "order": order}
    return plan


def placed_plan(name, order, accuracy, folder):
    """plan_of() with its label map written into a folder."""
    plan = plan_of(name, order, accuracy)
    if "anatomy" in plan:
        write_labels(folder)
        plan["anatomy"] = {**plan["anatomy"], "labels": str(folder / LABELS)}
    return plan


def loaded_plan(program, name, order, accuracy, mesh_accuracy, folder):
    """placed_plan() on a mesh that was made for mesh_accuracy and is loaded, so that nothing refines it."""
    plan = placed_plan(name, order, mesh_accuracy, folder)
    path, mesh = folder / "mesh.yaml", folder / "mesh.msh"
    path.write_text(json.dumps(plan))
    subprocess.run([program, "mesh", path, "-o", mesh], check=True, capture_output=True)
    plan["mesh"] = {"file": str(mesh), "accuracy": accuracy, "order": order}
    return plan


def six_probes():
    """Six probes, all fifteen pairs, 2 %."""
    return {**array(6, 15, 20), "name": "six_probes", "mesh": {"accuracy": 2}}


def timed_cases(quick):
    """{case: (plan, threads, ranks, reference or None)} of benchmarks/run."""
    cases = {}
    sizes = ["18k", "43k"] if quick else ["43k", "146k", "374k", "1.07M"]
    for size in sizes:
        mesh = str(bench.make_mesh(size)) + ".msh"
        for order in (1, 2):
            plan = bench.two_needles({"file": mesh, "order": order})
            cases[f"needles-{size}-order{order}"] = (plan, 1, 1, "two-20mm-sigmoid")
            if order == 2:
                cases[f"needles-{size}-order{order}-threads2"] = (plan, 2, 1, "two-20mm-sigmoid")
    if not quick:
        plan = bench.two_needles({"file": str(bench.make_mesh("1.07M")) + ".msh", "order": 2})
        cases["needles-1.07M-order2-ranks2"] = (plan, 1, 2, "two-20mm-sigmoid")
    for accuracy in (4, 1) if quick else (8, 4, 2, 1, 0.5, 0.25):
        plan = {**plan_of("two-20mm-sigmoid", 2, accuracy)}
        cases[f"plan-to-result-two-{accuracy:g}%"] = (plan, 2, 1, "two-20mm-sigmoid")
    cases["plan-to-result-two-1%-one-core"] = (plan_of("two-20mm-sigmoid"), 1, 1, "two-20mm-sigmoid")
    if not quick:
        cases["plan-to-result-four-1%"] = (plan_of("four-15mm-sigmoid"), 2, 1, "four-15mm-sigmoid")
        cases["plan-to-result-six-15-pairs-2%"] = (six_probes(), 2, 1, "six-15mm-sigmoid")
    return cases
