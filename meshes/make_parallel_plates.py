#!/usr/bin/env python3
"""Make parallel_plates.msh: a block of tissue between two plates, cut into a regular pattern of tetrahedra.

    meshes/make_parallel_plates.py [FILE.msh] [CELLS] [ACROSS]

CELLS small boxes from plate to plate (4) and ACROSS along each side (4), six tetrahedra each. The block is 20 x 20 mm
and 10 mm high, from z = 0 to z = 10 mm. Volume "tissue"; surfaces "plate_1" (z = 0) and "plate_2" (z = 10 mm).
"""
import itertools
import os
import sys

SIDE, GAP = 20.0, 10.0  # mm


def block(cells, across):
    """Points, tetrahedra (numbers from 1) and the triangles of each plate."""

    def number(i, j, k):
        return 1 + i + (across + 1) * (j + (across + 1) * k)

    points = [
        (-SIDE / 2 + SIDE * i / across, -SIDE / 2 + SIDE * j / across, GAP * k / cells)
        for k in range(cells + 1)
        for j in range(across + 1)
        for i in range(across + 1)
    ]
    tets, plates = [], {1: [], 2: []}
    for k, j, i in itertools.product(range(cells), range(across), range(across)):
        # The six paths along edges from one corner of the box to the opposite one (Kuhn)
        for path in itertools.permutations(range(3)):
            corner = [i, j, k]
            tet = [number(*corner)]
            for axis in path:
                corner[axis] += 1
                tet.append(number(*corner))
            even = path in ((0, 1, 2), (1, 2, 0), (2, 0, 1))
            tets.append(tet if even else [tet[0], tet[2], tet[1], tet[3]])
            if k == 0 and path[2] == 2:
                plates[1].append(tet[:3])
            if k == cells - 1 and path[0] == 2:
                plates[2].append(tet[1:])
    return points, tets, plates


def main():
    arguments = sys.argv[1:]
    path = arguments[0] if arguments else os.path.join(os.path.dirname(__file__), "parallel_plates.msh")
    cells = int(arguments[1]) if len(arguments) > 1 else 4
    across = int(arguments[2]) if len(arguments) > 2 else 4
    points, tets, plates = block(cells, across)
    lines = ["$MeshFormat", "2.2 0 8", "$EndMeshFormat"]
    lines += ["$PhysicalNames", "3", '2 1 "plate_1"', '2 2 "plate_2"', '3 3 "tissue"', "$EndPhysicalNames"]
    lines += ["$Nodes", str(len(points))]
    lines += [f"{n} {x:.17g} {y:.17g} {z:.17g}" for n, (x, y, z) in enumerate(points, 1)]
    lines += ["$EndNodes", "$Elements", str(len(tets) + sum(map(len, plates.values())))]
    elements = [(2, tag, nodes) for tag in plates for nodes in plates[tag]] + [(4, 3, nodes) for nodes in tets]
    lines += [f"{n} {kind} 2 {tag} {tag} {' '.join(map(str, nodes))}" for n, (kind, tag, nodes) in enumerate(elements, 1)]
    lines += ["$EndElements", ""]
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(lines))


if __name__ == "__main__":
    main()
