#!/usr/bin/python3
"""Label maps of which the solution is known: layers, a vessel and a ball between plates.

Usage: exact.py [PROGRAM] [--accuracy PERCENT...] [--only TEXT]

Plates as large as the tissue box are mirrors, and its other walls too: a ball in the middle of a cube is one of a cubic lattice
of balls, a cylinder one of a square lattice. While they are small, each is in a uniform field (Clausius and Mossotti, Maxwell):
outside it is that of a dipole, inside it is uniform, also where the inclusion's conductivity depends on the field. The next
terms of the lattice (Lord Rayleigh, On the influence of obstacles arranged in rectangular order, 1892) change currents by less
than 1e-5 and fields at the surface by less than 1e-3 here. Maps have voxels of 0.5 and 1 mm, along the axes and turned.

A round shape of few voxels has not the volume that was meant, nor quite that of its voxels: the radius is that of the volume
in the mesh, and what this is off from the voxels' is printed too. Printed for each: current and volume at a threshold, their errors and those that the program states, and what of the zone is in
the wrong tissue, all in per cent of the exact value. The last line counts. It takes about ten minutes on one core.
"""
import argparse
import json
import math
import os
import subprocess
import tempfile

from labels import write_nifti

SIZE = 36.0  # mm, edge of the cube
VOLTAGE = 2250.0
AROUND = 0.2  # S/m


def rotation(angle):
    """About (1, 2, 2) / 3, by Rodrigues' formula."""
    a = (1 / 3, 2 / 3, 2 / 3)
    cross = ((0, -a[2], a[1]), (a[2], 0, -a[0]), (-a[1], a[0], 0))
    return [
        [(r == c) * math.cos(angle) + math.sin(angle) * cross[r][c] + (1 - math.cos(angle)) * a[r] * a[c] for c in range(3)]
        for r in range(3)
    ]


def write_labels(path, step, angle, inside):
    """Write a NIfTI-1 label map of a shape, around the cube; its volume in voxels within the cube, mm3."""
    turn = rotation(angle)
    n = math.ceil(SIZE * (1.0 if angle == 0 else 1.75) / step / 2) * 2 + 2
    start = [-step * (n - 1) / 2 * sum(turn[r]) + (0.3 * step if angle else 0) for r in range(3)]
    labels, volume = bytearray(), 0
    for k in range(n):
        for j in range(n):
            x = [start[r] + step * (turn[r][1] * j + turn[r][2] * k) for r in range(3)]
            along = [step * turn[r][0] for r in range(3)]
            row = bytes(inside(x[0] + along[0] * i, x[1] + along[1] * i, x[2] + along[2] * i) for i in range(n))
            labels += row
            for i in (i for i in range(n) if row[i]):
                volume += all(abs(x[r] + along[r] * i) <= SIZE / 2 for r in range(3))
    affine = [[step * turn[r][c] for c in range(3)] + [start[r]] for r in range(3)]
    write_nifti(path, n, affine, [labels])
    return volume * step**3


def inclusion(radius, dimension, sigma):
    """A ball (dimension 3) or a cylinder (2) in the cube: current (A), fields inside and outside, and volumes.

    sigma(E) is its conductivity, S/m, at a field in V/m.
    """
    filled = {3: 4 / 3 * math.pi * radius**3 / SIZE**3, 2: math.pi * radius**2 / SIZE**2}[dimension]
    mean = VOLTAGE / (SIZE * 1e-3)

    def around(contrast):
        beta = (contrast - 1) / (contrast + dimension - 1)
        local = mean / (1 - beta * filled)
        return beta, local, dimension / (contrast + dimension - 1) * local

    low, high = 0.0, dimension * mean
    for _ in range(200):  # sigma(E) E grows with E, so that there is one such field
        middle = (low + high) / 2
        low, high = (middle, high) if around(sigma(middle) / AROUND)[2] > middle else (low, middle)
    beta, local, field = around(sigma(low) / AROUND)
    current = AROUND * mean * (SIZE * 1e-3) ** 2 * (1 + (dimension - 1) * beta * filled) / (1 - beta * filled)
    ratio = {3: 2, 2: 1}[dimension]

    def outside(threshold):
        """Volume outside where the field is at least so large, mm3, within the cube's inscribed sphere or cylinder."""
        steps, total = 20000, 0.0
        for i in range(steps):
            r = radius + (SIZE / 2 - radius) * (i + 0.5) / steps
            share = (radius / r) ** dimension
            radial, across = (local * (1 + ratio * beta * share)) ** 2, (local * (1 - beta * share)) ** 2
            cosine = min(max((threshold**2 - across) / (radial - across), 0), 1) ** 0.5  # radial > across if beta > 0
            if dimension == 3:
                part = 4 * math.pi * r * r * (1 - cosine if beta > 0 else cosine)
            else:
                angle = math.acos(cosine) if beta > 0 else math.pi / 2 - math.acos(cosine)
                part = 4 * r * angle * SIZE
            total += part * (SIZE / 2 - radius) / steps
        return total

    whole = {3: 4 / 3 * math.pi * radius**3, 2: math.pi * radius**2 * SIZE}[dimension]
    return current, field, local, outside, whole


def cases():
    """Name, shape, law of the inclusion, and what gives for its volume (mm3) in the map the threshold (V/m), and the exact
    current (A) and volumes in and around the inclusion (mm3)."""
    shapes = {
        "ball": (3.0, 3, lambda x, y, z: x * x + y * y + z * z < 9),
        "vessel": (2.0, 2, lambda x, y, z: x * x + z * z < 4),
    }
    for name, (radius, dimension, inside) in shapes.items():
        laws = [(f"{s:g}", f"{{law: constant, value: {AROUND * s:g}}}", lambda field, s=s: AROUND * s) for s in (0.01, 0.05, 0.2, 0.5, 2, 5, 20, 100)]
        laws.append(
            (
                "ramp",
                "{law: ramp, low: 0.04, high: 0.4, from: 400, to: 1200}",
                lambda field: 0.04 + 0.36 * min(max((field - 4e4) / 8e4, 0), 1),
            )
        )
        for contrast, law, sigma in laws:

            def exact(volume, threshold=None, radius=radius, dimension=dimension, sigma=sigma):
                whole = {3: 4 / 3 * math.pi * radius**3, 2: math.pi * radius**2 * SIZE}[dimension]
                radius *= (volume / whole) ** (1 / dimension)
                current, field, local, outside, whole = inclusion(radius, dimension, sigma)
                # Between the uniform field and the largest: the zone is inside and beside, or at the poles.
                largest = field if field > local else field * sigma(field) / AROUND
                threshold = threshold or local + 0.4 * (largest - local)
                return threshold, current, whole if field >= threshold else 0, outside(threshold)

            yield f"{name} {contrast}", inside, law, exact
    mean, area = VOLTAGE / (SIZE * 1e-3), (SIZE * 1e-3) ** 2
    for s in (0.05, 0.5, 5, 100):  # a layer of 7 mm from y = -2 to 5, and one beside
        share = 7 / SIZE
        flux = mean / (share / (AROUND * s) + (1 - share) / AROUND)
        law = f"{{law: constant, value: {AROUND * s:g}}}"
        volumes = (7 * SIZE**2, (SIZE - 7) * SIZE**2)
        across = (mean, flux * area, volumes[0] * (s < 1), volumes[1] * (s > 1))
        along = (0.99 * mean, mean * area * (share * AROUND * s + (1 - share) * AROUND), *volumes)
        yield f"layer across z {s:g}", lambda x, y, z: -2 < z < 5, law, lambda volume, threshold=None, found=across: found
        yield f"layer along z {s:g}", lambda x, y, z: -2 < x < 5, law, lambda volume, threshold=None, found=along: found


def solve(program, folder, labels, law, threshold, accuracy, along):
    """Run a case; its summary."""
    plan = os.path.join(folder, "case.yaml")
    with open(plan, "w", encoding="utf-8") as file:
        file.write(
            f"""name: case
mesh: {{size: {SIZE:g}, accuracy: {accuracy:g}}}
tissues:
  default: {{sigma: {{law: constant, value: {AROUND}}}}}
  other: {{sigma: {law}}}
anatomy: {{labels: {labels}, map: {{1: other}}}}
plates: {{width: {SIZE:g}, height: {SIZE:g}, gap: {SIZE:g}, direction: [{along}]}}
pulses: [{{from: A, to: B, voltage: {VOLTAGE:g}}}]
zone: {{threshold: {threshold / 100:.6f}}}
"""
        )
    subprocess.run([program, "run", plan, "-o", folder, "-q"], check=True, stderr=subprocess.DEVNULL)
    with open(os.path.join(folder, "case.json"), encoding="utf-8") as file:
        return json.load(file)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default="build/irezone")
    parser.add_argument("--accuracy", type=float, nargs="+", default=[0.3], metavar="PERCENT")
    parser.add_argument("--only", default="", help="cases whose names contain this text")
    parser.add_argument("--steps", type=float, nargs="+", default=[0.5, 1], metavar="MM", help="voxels")
    parser.add_argument("--angles", type=float, nargs="+", default=[0, 0.4], metavar="RADIANS", help="turns of the map")
    options = parser.parse_args()
    rows = {"current within 0.1 %": [], "volume within 0.3 %": [], "volume in its bar, or within 0.1 %": []}
    print(f"{'case':22} voxels turned accuracy  shape   current    bar      zone    bar   wrong side, %  tetrahedra     s")
    with tempfile.TemporaryDirectory() as folder:
        for name, inside, law, exact in cases():
            if options.only not in name:
                continue
            for step in options.steps:
                for angle in options.angles:
                    labels = os.path.join(folder, "labels.nii.gz")
                    voxels = write_labels(labels, step, angle, inside)
                    threshold = exact(voxels)[0]
                    for accuracy in options.accuracy:
                        found = solve(options.program, folder, labels, law, threshold, accuracy, "0, 0, 1")
                        meshed = [1e3 * r["volume_cm3"] for r in found["zone"]["by_region"] if r["region"] == "other"][0]
                        _, current, within, around = exact(meshed, threshold)
                        pulse, zone = found["pulses"][0], found["zone"]
                        volume = within + around
                        regions = {r["region"]: 1e3 * r["ablated_cm3"] for r in zone["by_region"]}
                        errors = [pulse["current_A"] / current - 1, 1e3 * zone["volume_cm3"] / volume - 1]
                        bars = [pulse["current_error_A"] / current, 1e3 * zone["volume_error_cm3"] / volume]
                        wrong = regions["other"] / volume if within == 0 else regions["default"] / volume if around == 0 else 0
                        rows["current within 0.1 %"].append(abs(errors[0]) < 1e-3)
                        rows["volume within 0.3 %"].append(abs(errors[1]) < 3e-3)
                        rows["volume in its bar, or within 0.1 %"].append(abs(errors[1]) < max(bars[1], 1e-3))
                        print(
                            f"{name:22} {step:6g} {angle:6g} {accuracy:8g}  {100 * meshed / voxels - 100:+5.2f}  {100 * errors[0]:+8.4f} {100 * bars[0]:6.3f}"
                            f"  {100 * errors[1]:+8.3f} {100 * bars[1]:6.3f}  {100 * wrong:14.4f}"
                            f"  {found['mesh']['cells']:10} {found['timing_s']['total']:5.1f}",
                            flush=True,
                        )
    print(", ".join(f"{name}: {sum(values)} of {len(values)}" for name, values in rows.items()))


if __name__ == "__main__":
    main()
