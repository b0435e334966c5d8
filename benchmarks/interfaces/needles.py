#!/usr/bin/python3
"""Two needles beside, behind, across and around other tissue: irezone on label maps against FEniCSx on conformal meshes.

Usage: needles.py compare [PROGRAM] [--accuracy PERCENT...] [--only TEXT]    holds irezone against references.json
       needles.py reference [--only TEXT] [--factors F...]                   makes references.json again (FEniCSx, Gmsh)

Needles of 1 mm, 15 mm apart, with 15 mm of bare metal, in a cube of 60 mm of 0.2 S/m, 2000 V between them. All shapes are
symmetric to the planes x = 0 and y = 0, so a quarter is meshed for the reference, with faces of second order on needles and
interfaces; quadratic elements, linear laws. There are two meshes of each, the second with edges of 0.7 times the length: its
result is the reference, and what the two differ by is how well it is known.
"""
import argparse
import json
import math
import os
import subprocess
import sys
import tempfile

from labels import write_nifti

HERE = os.path.dirname(os.path.abspath(__file__))
HALF, AROUND, VOLTAGE, OFF, RADIUS, TOP, TIP = 30.0, 0.2, 2000.0, 7.5, 0.5, 7.5, -7.5  # mm, S/m, V, mm
THRESHOLDS = (500, 800)  # V/cm

# Name: conductivity of the other tissue over that around, and what it is: a ball (centre in x, radius; and its mirror
# image), a vessel (along y, radius), or all beyond a plane (axis, from; and its mirror image but for z).
CASES = {
    "ball between, 5": (5, ("ball", 0, 4)),
    "ball between, 0.05": (0.05, ("ball", 0, 4)),
    "balls behind, 20": (20, ("ball", 13, 4)),
    "vessel between, 3.5": (3.5, ("vessel", 0, 2)),
    "vessel between, 0.01": (0.01, ("vessel", 0, 2)),
    "beside, 2": (2, ("plane", 1, 4)),
    "across, 0.2": (0.2, ("plane", 2, 2.5)),
    "across, 100": (100, ("plane", 2, 2.5)),
}


def inside(shape, x, y, z):
    kind, a, b = shape
    if kind == "ball":
        return (abs(x) - a) ** 2 + y * y + z * z < b * b
    if kind == "vessel":
        return x * x + z * z < b * b
    return abs(y) > b if a == 1 else z > b


def mesh_quarter(shape, factor):
    """A conformal mesh of x > 0, y > 0 with volumes 1 (around) and 2 (other), surfaces 1 (metal) and 2 (x = 0)."""
    import gmsh

    gmsh.initialize()
    gmsh.option.setNumber("General.Terminal", 0)
    occ = gmsh.model.occ
    box = [(3, occ.addBox(0, 0, -HALF, HALF, HALF, 2 * HALF))]
    needle = [
        (3, occ.addCylinder(OFF, 0, TIP, 0, 0, TOP - TIP, RADIUS)),
        (3, occ.addCylinder(OFF, 0, TOP, 0, 0, 2 * HALF, RADIUS)),
    ]
    kind, a, b = shape
    if kind == "ball":
        tool = [(3, occ.addSphere(a, 0, 0, b))]
    elif kind == "vessel":
        tool = [(3, occ.addCylinder(0, -HALF, 0, 0, 3 * HALF, 0, b))]
    elif a == 1:
        tool = [(3, occ.addBox(-HALF, b, -2 * HALF, 3 * HALF, HALF, 4 * HALF))]
    else:
        tool = [(3, occ.addBox(-HALF, -HALF, b, 3 * HALF, 3 * HALF, 2 * HALF))]
    box, _ = occ.cut(box, needle)
    occ.synchronize()
    tool, _ = occ.intersect(box, tool, removeObject=False)
    _, pieces = occ.fragment(box, tool)
    occ.synchronize()
    others = {tag for _, tag in pieces[-1]}
    volumes = {1: [], 2: []}
    for _, tag in gmsh.model.getEntities(3):
        volumes[2 if tag in others else 1].append(tag)
    metal, middle = [], []
    for _, tag in gmsh.model.getEntities(2):
        low_x, low_y, low_z, high_x, high_y, high_z = gmsh.model.getBoundingBox(2, tag)
        if high_x < 1e-4:
            middle.append(tag)
        elif abs(low_x - OFF) < RADIUS + 1e-3 and high_x < OFF + RADIUS + 1e-3 and high_y < RADIUS + 1e-3 and high_y > 1e-3:
            if high_z < TOP + 1e-3:
                metal.append(tag)
    for k, tags in volumes.items():
        gmsh.model.addPhysicalGroup(3, tags, k)
    gmsh.model.addPhysicalGroup(2, metal, 1)
    gmsh.model.addPhysicalGroup(2, middle, 2)

    def size(_dim, _tag, x, y, z, _size=0):
        across = math.hypot(x - OFF, y) - RADIUS
        along = max(TIP - z, 0)
        beyond = max(z - TOP, 0)
        wall = math.hypot(max(across, 0), along) + 0.3 * beyond
        ends = min(math.hypot(across, z - TIP), math.hypot(across, z - TOP))
        fine = min(0.35 + 0.22 * wall, 0.03 + 0.25 * ends)
        return factor * min(fine, 4.0)

    gmsh.model.mesh.setSizeCallback(size)
    for name in ("MeshSizeExtendFromBoundary", "MeshSizeFromPoints", "MeshSizeFromCurvature"):
        gmsh.option.setNumber("Mesh." + name, 12 if name.endswith("Curvature") else 0)
    gmsh.option.setNumber("Mesh.Algorithm3D", 10)
    gmsh.model.mesh.generate(3)
    gmsh.model.mesh.setOrder(2)
    try:
        gmsh.model.mesh.optimize("HighOrder")
    except Exception:  # pylint: disable=broad-except # Gmsh raises nothing else; a slightly different mesh will do
        gmsh.finalize()
        mesh_quarter(shape, 0.97 * factor)


def solve_reference(shape, contrast, factor):
    """Current (A) and volumes (cm3) by threshold, around and in the other tissue."""
    import gmsh
    import numpy as np
    import ufl
    from dolfinx import fem
    from dolfinx.fem import petsc as fem_petsc
    from dolfinx.io import gmshio
    from mpi4py import MPI
    from petsc4py import PETSc

    mesh_quarter(shape, factor)
    mesh, cells, facets = gmshio.model_to_mesh(gmsh.model, MPI.COMM_SELF, 0)
    gmsh.finalize()
    space = fem.FunctionSpace(mesh, ("CG", 2))
    piecewise = fem.FunctionSpace(mesh, ("DG", 0))
    sigma, mark = fem.Function(piecewise), fem.Function(piecewise)
    sigma.x.array[cells.indices] = np.where(cells.values == 2, contrast * AROUND, AROUND)
    mark.x.array[cells.indices] = np.where(cells.values == 2, 1.0, 0.0)
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    bcs = [
        fem.dirichletbc(PETSc.ScalarType(value), fem.locate_dofs_topological(space, 2, facets.find(tag)), space)
        for tag, value in ((1, VOLTAGE / 2), (2, 0.0))
    ]
    options = {"ksp_type": "cg", "ksp_rtol": 1e-9, "pc_type": "hypre", "pc_hypre_type": "boomeramg",
               "pc_hypre_boomeramg_strong_threshold": 0.7}  # fmt: skip
    dx = ufl.Measure("dx", mesh, metadata={"quadrature_degree": 4})
    problem = fem_petsc.LinearProblem(
        sigma * ufl.inner(ufl.grad(u), ufl.grad(v)) * dx,
        fem.Constant(mesh, PETSc.ScalarType(0)) * v * dx,
        bcs=bcs,
        petsc_options=options,
    )
    phi = problem.solve()
    square = ufl.inner(ufl.grad(phi), ufl.grad(phi))

    def integral(form):
        return fem.assemble_scalar(fem.form(form))

    power = 4 * integral(sigma * square * dx) * 1e-3  # of all quarters, W: lengths are in mm
    fine = ufl.Measure("dx", mesh, metadata={"quadrature_degree": 10})
    found = {"current_A": power / VOLTAGE, "unknowns": int(space.dofmap.index_map.size_global), "factor": factor}
    for threshold in THRESHOLDS:
        above = ufl.conditional(ufl.ge(square, (threshold / 10) ** 2), 1.0, 0.0)
        found[str(threshold)] = [4e-3 * integral(above * (1 - mark) * fine), 4e-3 * integral(above * mark * fine)]
    return found


def make_references(options):
    path = os.path.join(HERE, "references.json")
    stored = json.load(open(path, encoding="utf-8")) if os.path.exists(path) else {}
    for name, (contrast, shape) in CASES.items():
        if options.only not in name:
            continue
        stored[name] = [solve_reference(shape, contrast, factor) for factor in options.factors]
        print(name, stored[name], flush=True)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(stored, file, indent=1)
            file.write("\n")


def write_labels(path, shape, step=0.5):
    """Write a NIfTI-1 label map of the cube."""
    n = round(2 * HALF / step) + 4
    at = [step * (i - (n - 1) / 2) for i in range(n)]
    affine = [[step if r == c else 0 for c in range(3)] + [at[0]] for r in range(3)]
    write_nifti(path, n, affine, (bytes(inside(shape, x, y, z) for x in at) for z in at for y in at))


def compare(options):
    with open(os.path.join(HERE, "references.json"), encoding="utf-8") as file:
        references = json.load(file)
    count = [0, 0]
    print(f"{'case':22} accuracy  {'what':28} irezone           reference          off %    bar %  known %")
    with tempfile.TemporaryDirectory() as folder:
        for name, known in references.items():
            if options.only not in name:
                continue
            contrast, shape = CASES[name]
            write_labels(os.path.join(folder, "labels.nii.gz"), shape)
            for accuracy in options.accuracy:
                with open(os.path.join(folder, "case.yaml"), "w", encoding="utf-8") as file:
                    file.write(
                        f"""name: case
mesh: {{size: {2 * HALF:g}, accuracy: {accuracy:g}}}
tissues:
  default: {{sigma: {{law: constant, value: {AROUND}}}}}
  other: {{sigma: {{law: constant, value: {AROUND * contrast:g}}}}}
anatomy: {{labels: labels.nii.gz, map: {{1: other}}}}
probes:
  - {{name: A, tip: [{-OFF}, 0, {TIP}], direction: [0, 0, 1], exposure: {TOP - TIP:g}, diameter: {2 * RADIUS:g}}}
  - {{name: B, tip: [{OFF}, 0, {TIP}], direction: [0, 0, 1], exposure: {TOP - TIP:g}, diameter: {2 * RADIUS:g}}}
pulses: [{{from: A, to: B, voltage: {VOLTAGE:g}}}]
zone: {{threshold: {THRESHOLDS[0]}, also: [{THRESHOLDS[1]}]}}
"""
                    )
                command = [options.program, "run", os.path.join(folder, "case.yaml"), "-o", folder, "-q"]
                subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
                with open(os.path.join(folder, "case.json"), encoding="utf-8") as file:
                    found = json.load(file)
                pulse, zone = found["pulses"][0], found["zone"]
                rows = [("current, A", pulse["current_A"], pulse["current_error_A"], lambda r: r["current_A"])]
                entries = [{"threshold_V_per_cm": THRESHOLDS[0], **zone}] if len(zone["by_threshold"]) < 2 else []
                for entry in entries + zone["by_threshold"]:
                    key = str(round(entry["threshold_V_per_cm"]))
                    what = f"zone at {key} V/cm, cm3"
                    rows.append((what, entry["volume_cm3"], entry["volume_error_cm3"], lambda r, key=key: sum(r[key])))
                for k, region in enumerate(zone["by_region"]):
                    what = f"  of it {region['region']}"
                    rows.append(
                        (what, region["ablated_cm3"], region["ablated_error_cm3"], lambda r, k=k: r[str(THRESHOLDS[0])][k])
                    )
                for what, value, bar, of in rows:
                    coarse, fine = of(known[0]), of(known[-1])
                    unit = max(abs(fine), 1e-3)
                    count[0] += abs(value - fine) <= bar + abs(coarse - fine)
                    count[1] += 1
                    print(
                        f"{name:22} {accuracy:8g}  {what:28} {value:9.4f} +- {bar:6.4f}  {fine:9.4f}"
                        f" {100 * (value - fine) / unit:+13.3f} {100 * bar / unit:8.3f} {100 * abs(coarse - fine) / unit:8.3f}",
                        flush=True,
                    )
    print(f"{count[0]} of {count[1]} within the bar and what the reference is known to")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["compare", "reference"])
    parser.add_argument("program", nargs="?", default="build/irezone")
    parser.add_argument("--accuracy", type=float, nargs="+", default=[1], metavar="PERCENT")
    parser.add_argument("--factors", type=float, nargs="+", default=[1, 0.7], metavar="FACTOR", help="sizes of elements")
    parser.add_argument("--only", default="", help="cases whose names contain this text")
    options = parser.parse_args()
    if options.what == "compare":
        compare(options)
    else:
        make_references(options)


if __name__ == "__main__":
    sys.exit(main())
