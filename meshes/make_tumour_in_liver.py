#!/usr/bin/python3
"""Make tumour_in_liver.msh: a round tumour in a box of liver, with two needles through it.

    meshes/make_tumour_in_liver.py [FILE.msh]        needs Debian's python3-gmsh

Volumes "liver" and "tumour"; surfaces "electrode_1" and "electrode_2" (the bare metal of the needles, at x = -10 and
x = 10 mm), "shaft_1" and "shaft_2" (their insulated parts) and "outer". Curved ten-node tetrahedra, mm.
"""
import os
import sys

import gmsh

BOX = 100.0  # edge of the box of liver, mm
TUMOUR = 13.0  # radius, mm; around the origin
NEEDLES = (-10.0, 10.0)  # x of the axes, mm
RADIUS = 0.535  # 19 gauge
BARE = (-10.0, 10.0)  # z of the bare metal, mm; insulated from there to the top of the box
METAL_SIZE, SHAFT_SIZE, LARGEST, TUMOUR_SIZE, GROWTH = 0.8, 1.2, 22.0, 5.0, 0.45  # element sizes, mm; growth: mm per mm


def size_at(x, y, z):
    """Element size: small at bare metal, growing with the distance from it, limited at the tumour."""
    distance = min(
        max(((x - needle) ** 2 + y**2 + max(BARE[0] - z, 0, z - BARE[1]) ** 2) ** 0.5 - RADIUS, 0.0)
        for needle in NEEDLES
    )
    shaft = min(max(((x - needle) ** 2 + y**2) ** 0.5 - RADIUS, 0.0) for needle in NEEDLES) if z > BARE[1] else LARGEST
    size = min(METAL_SIZE + GROWTH * distance, SHAFT_SIZE + 2 * GROWTH * shaft, LARGEST)
    return min(size, TUMOUR_SIZE + abs((x**2 + y**2 + z**2) ** 0.5 - TUMOUR))


def build():
    """Build the geometry; return its physical groups as {(dimension, name): tags}."""
    occ = gmsh.model.occ
    half = BOX / 2
    box = occ.addBox(-half, -half, -half, BOX, BOX, BOX)
    tumour = occ.addSphere(0, 0, 0, TUMOUR)
    metal = []
    for x in NEEDLES:
        metal.append((3, occ.addCylinder(x, 0, BARE[0], 0, 0, BARE[1] - BARE[0], RADIUS)))
        metal.append((3, occ.addCylinder(x, 0, BARE[1], 0, 0, half - BARE[1], RADIUS)))
    _, parts = occ.fragment([(3, box), (3, tumour)], metal)
    needles = {tag for part in parts[2:] for _, tag in part}
    inside = {tag for _, tag in parts[1]} - needles
    tissue = {tag for _, tag in parts[0]} - needles - inside
    # Take the needles' volumes out; their walls stay, as the walls of the tissue
    occ.remove([(3, tag) for tag in needles], recursive=True)
    occ.synchronize()

    groups = {(3, "liver"): sorted(tissue), (3, "tumour"): sorted(inside)}
    for _, tag in gmsh.model.getBoundary(gmsh.model.getEntities(3), combined=True, oriented=False):
        low, high = (gmsh.model.getBoundingBox(2, tag)[i : i + 3] for i in (0, 3))
        name = "outer"
        for number, x in enumerate(NEEDLES, 1):
            if abs(low[0] - x) < 2 * RADIUS and abs(high[0] - x) < 2 * RADIUS:
                name = f"electrode_{number}" if high[2] < BARE[1] + 0.1 else f"shaft_{number}"
        groups.setdefault((2, name), []).append(tag)
    return groups


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "tumour_in_liver.msh")
    gmsh.initialize()
    gmsh.option.setNumber("General.Terminal", 0)
    gmsh.option.setNumber("General.NumThreads", 1)
    for option in ("MeshSizeExtendFromBoundary", "MeshSizeFromPoints", "MeshSizeFromCurvature"):
        gmsh.option.setNumber("Mesh." + option, 0)
    gmsh.option.setNumber("Mesh.Binary", 1)
    gmsh.option.setNumber("Mesh.MshFileVersion", 4.1)
    gmsh.model.add("tumour_in_liver")
    groups = build()
    for tag, ((dimension, name), entities) in enumerate(sorted(groups.items(), reverse=True), 1):
        gmsh.model.addPhysicalGroup(dimension, entities, tag)
        gmsh.model.setPhysicalName(dimension, tag, name)
    gmsh.model.mesh.setSizeCallback(lambda dimension, tag, x, y, z: size_at(x, y, z))
    gmsh.model.mesh.generate(3)
    gmsh.model.mesh.optimize("")
    gmsh.model.mesh.setOrder(2)
    gmsh.model.mesh.optimize("HighOrderElastic")
    gmsh.model.mesh.optimize("HighOrder")
    tets = sum(len(tags) for tags in gmsh.model.mesh.getElements(3)[1])
    gmsh.write(path)
    print(f"{path}: {tets} tetrahedra, {os.path.getsize(path)} bytes")
    gmsh.finalize()


if __name__ == "__main__":
    main()
