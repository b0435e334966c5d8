"""Meshes whose curved walls are exact: ten-node tetrahedra with their middle nodes on the geometry, as MSH 2.2 files.

Structured in parameter space and then shaken, so that no symmetry of the mesh flatters the result. Inner edges are
straight; edges on curved walls are curved. Lengths in mm.
"""

import itertools
import math

import numpy as np

EDGES = ((0, 1), (1, 2), (2, 0), (3, 0), (2, 3), (1, 3))  # in Gmsh's order of the middle nodes
FACES = ((0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3))


class Mesh:
    """xyz [n, 3]; tets [m, 4]; region [m] into region_names; walls: name -> (vertex mask, projection or None)."""

    def __init__(self, xyz, tets, walls, region=None, region_names=("tissue",)):
        self.xyz, self.tets, self.walls = xyz, tets, walls
        self.region = np.zeros(len(tets), int) if region is None else region
        self.region_names = region_names
        flip = self._volumes() < 0
        self.tets[flip] = self.tets[flip][:, [1, 0, 2, 3]]

    def _volumes(self):
        p = self.xyz[self.tets]
        a, b, c = (p[:, i] - p[:, 0] for i in (1, 2, 3))
        return np.einsum("ij,ij->i", np.cross(a, b), c) / 6

    def shake(self, amount, fixed, seed=1):
        """Move vertices that are not `fixed` by up to `amount` of their shortest edge."""
        pairs = np.concatenate([self.tets[:, e] for e in EDGES])
        lengths = np.linalg.norm(self.xyz[pairs[:, 0]] - self.xyz[pairs[:, 1]], axis=1)
        shortest = np.full(len(self.xyz), np.inf)
        for side in (0, 1):
            np.minimum.at(shortest, pairs[:, side], lengths)
        rng = np.random.default_rng(seed)
        step = rng.uniform(-1, 1, self.xyz.shape) * (amount / math.sqrt(3)) * shortest[:, None]
        self.xyz = np.where(fixed[:, None], self.xyz, self.xyz + step)
        assert self._volumes().min() > 0
        return self

    def write(self, path, stretch=(1, 1, 1)):
        """Physical names: the regions and those walls whose name does not start with an underscore."""
        pairs = np.sort(np.concatenate([self.tets[:, e] for e in EDGES]), axis=1)
        edges, index = np.unique(pairs, axis=0, return_inverse=True)
        middle = self.xyz[edges].mean(axis=1)
        for mask, project in self.walls.values():
            on = mask[edges].all(axis=1)
            if project is not None:
                middle[on] = project(middle[on])
        points = np.concatenate([self.xyz, middle]) * stretch
        n, m = len(self.xyz), len(self.tets)
        ten = np.column_stack([self.tets, n + index.reshape(6, m).T]) + 1

        names = [(3, i + 1, name) for i, name in enumerate(self.region_names)]
        rows = []
        for name, (mask, _) in self.walls.items():
            if name.startswith("_"):
                continue
            tag = len(names) + 1
            names.append((2, tag, name))
            for face in FACES:
                on = mask[self.tets[:, face]].all(axis=1)
                corners = self.tets[on][:, face]
                sides = [np.sort(corners[:, pair], axis=1) for pair in ((0, 1), (1, 2), (2, 0))]
                nodes = [n + np.searchsorted(edges[:, 0] * n + edges[:, 1], s[:, 0] * n + s[:, 1]) for s in sides]
                rows.append((9, tag, np.column_stack([corners] + nodes) + 1))
        for i in range(len(self.region_names)):
            rows.append((11, i + 1, ten[self.region == i]))

        with open(path, "w", encoding="ascii") as out:
            out.write("$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$PhysicalNames\n%d\n" % len(names))
            out.writelines('%d %d "%s"\n' % entry for entry in names)
            out.write("$EndPhysicalNames\n$Nodes\n%d\n" % len(points))
            out.writelines("%d %.17g %.17g %.17g\n" % (i + 1, *p) for i, p in enumerate(points.tolist()))
            out.write("$EndNodes\n$Elements\n%d\n" % sum(len(nodes) for _, _, nodes in rows))
            number = itertools.count(1)
            for kind, tag, nodes in rows:
                for element in nodes.tolist():
                    out.write("%d %d 2 %d %d %s\n" % (next(number), kind, tag, tag, " ".join(map(str, element))))
            out.write("$EndElements\n")
        return m


def grid(shape, wrap=False):
    """Tetrahedra of a box of cells, six to a cell; vertex (i, j, k) has number (i nj + j) nk + k. wrap: j is periodic.

    Returns (i, j, k of each vertex, tets)."""
    ni, nj, nk = shape
    vj = nj if wrap else nj + 1
    number = lambda i, j, k: (i * vj + (j % vj)) * (nk + 1) + k
    cells = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1).reshape(-1, 3)
    tets = []
    for order in itertools.permutations(range(3)):
        corner = cells.copy()
        corners = [number(*corner.T)]
        for axis in order:
            corner[:, axis] += 1
            corners.append(number(*corner.T))
        tets.append(np.column_stack(corners))
    ijk = np.stack(np.meshgrid(np.arange(ni + 1), np.arange(vj), np.arange(nk + 1), indexing="ij"), -1).reshape(-1, 3)
    return ijk, np.concatenate(tets)


def to_radius(radius, center=(0, 0)):
    """Projection onto the cylinder about a line along z."""

    def project(points):
        moved = points.copy()
        moved[:, :2] -= center
        moved[:, :2] *= radius / np.linalg.norm(moved[:, :2], axis=1)[:, None]
        moved[:, :2] += center
        return moved

    return project


def coaxial(inner, outer, length, shape, sector=None):
    """Between two cylinders; shape = cells along the radius, around and along the axis. sector in radians: part of the ring."""
    ijk, tets = grid(shape, wrap=sector is None)
    r = inner * (outer / inner) ** (ijk[:, 0] / shape[0])
    angle = (sector or 2 * math.pi) * ijk[:, 1] / shape[1]
    xyz = np.column_stack([r * np.cos(angle), r * np.sin(angle), length * ijk[:, 2] / shape[2]])
    first, last = ijk[:, 0] == 0, ijk[:, 0] == shape[0]
    fixed = first | last | (ijk[:, 2] == 0) | (ijk[:, 2] == shape[2])
    if sector is not None:
        fixed |= (ijk[:, 1] == 0) | (ijk[:, 1] == shape[1])
    walls = {"electrode_1": (first, to_radius(inner)), "electrode_2": (last, to_radius(outer))}
    return Mesh(xyz, tets, walls).shake(0.2, fixed)


def octant(inner, outer, n, layers):
    """The octant x, y, z >= 0 between two spheres: a triangulated triangle, n edges to a side, in layers of prisms."""
    return shells([inner, outer], n, [layers])


def shells(radii, n, layers):
    """The same between several spheres: regions shell_1, shell_2 ..., each with its number of layers."""
    corner = {}
    for i in range(n + 1):
        for j in range(n + 1 - i):
            corner[i, j] = len(corner)
    direction = np.array([(i, j, n - i - j) for i, j in corner], float)
    side = (direction == 0).any(axis=1)
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    triangles = [(corner[i, j], corner[i + 1, j], corner[i, j + 1]) for i, j in corner if i + j < n]
    triangles += [(corner[i + 1, j], corner[i + 1, j + 1], corner[i, j + 1]) for i, j in corner if i + j < n - 1]
    a, b, c = np.sort(np.array(triangles), axis=1).T
    per = len(corner)
    tets = []
    for layer in range(sum(layers)):
        low, high = layer * per, (layer + 1) * per
        tets += [np.column_stack(t) for t in ((a + low, b + low, c + low, c + high), (a + low, b + low, b + high, c + high),
                                              (a + low, a + high, b + high, c + high))]
    ends = np.concatenate([[0], np.cumsum(layers)])
    level = np.repeat(np.arange(ends[-1] + 1), per)
    xyz = np.tile(direction, (ends[-1] + 1, 1)) * np.exp(np.interp(level, ends, np.log(radii)))[:, None]

    def to_sphere(radius):
        return lambda points: points * (radius / np.linalg.norm(points, axis=1)[:, None])

    names = ["electrode_1"] + [f"_interface_{k}" for k in range(1, len(layers))] + ["electrode_2"]
    walls = {name: (level == end, to_sphere(radius)) for name, end, radius in zip(names, ends, radii)}
    fixed = np.isin(level, ends) | np.tile(side, ends[-1] + 1)
    if len(layers) == 1:
        return Mesh(xyz, np.concatenate(tets), walls).shake(0.2, fixed)
    region = np.repeat(np.repeat(np.arange(len(layers)), layers), len(triangles))
    region = np.concatenate([np.tile(part, 3) for part in np.split(region, ends[-1])])
    return Mesh(xyz, np.concatenate(tets), walls, region, tuple(f"shell_{k + 1}" for k in range(len(layers)))).shake(0.2, fixed)


def two_cylinders(a, d, angle_from, thickness, shape):
    """A slice of the half y > 0 around two parallel cylinders, ended by the field line of the given bipolar angle.

    Regions left and right of x = 0."""
    s, K = math.sqrt((d / 2) ** 2 - a**2), math.acosh(d / (2 * a))
    ijk, tets = grid(shape)
    tau = -K + 2 * K * ijk[:, 0] / shape[0]
    angle = math.pi - (math.pi - angle_from) * (ijk[:, 1] / shape[1])
    h = 1 / (np.cosh(tau) - np.cos(angle))
    xyz = s * np.column_stack([h * np.sinh(tau), h * np.sin(angle), np.zeros(len(h))])
    xyz[:, 2] = thickness * ijk[:, 2] / shape[2]
    left, right = ijk[:, 0] == 0, ijk[:, 0] == shape[0]
    low, end = ijk[:, 1] == 0, ijk[:, 1] == shape[1]
    xyz[low, 1] = 0
    walls = {
        "_outer": (end, to_radius(s / math.sin(angle_from), (0, s / math.tan(angle_from)))),
        "electrode_1": (left, to_radius(a, (-d / 2, 0))),
        "electrode_2": (right, to_radius(a, (d / 2, 0))),
    }
    fixed = left | right | low | end | (ijk[:, 2] == 0) | (ijk[:, 2] == shape[2])
    fixed |= ijk[:, 0] * 2 == shape[0]
    region = (ijk[tets, 0].min(axis=1) * 2 >= shape[0]).astype(int)
    return Mesh(xyz, tets, walls, region, ("left", "right")).shake(0.2, fixed)


def slab(thicknesses, width, shape):
    """Layers along x between two plates, `width` wide; region names layer_1, layer_2 ...; shape: cells per layer, y, z."""
    layers = len(thicknesses)
    ijk, tets = grid((shape[0] * layers, shape[1], shape[2]))
    ends = np.concatenate([[0], np.cumsum(thicknesses)])
    x = np.interp(ijk[:, 0] / shape[0], np.arange(layers + 1), ends)
    xyz = np.column_stack([x, width * ijk[:, 1] / shape[1], width * ijk[:, 2] / shape[2]])
    fixed = (ijk[:, 0] % shape[0] == 0) | (ijk[:, 1:] == 0).any(axis=1) | (ijk[:, 1:] == shape[1:]).any(axis=1)
    region = ijk[tets, 0].min(axis=1) // shape[0]
    walls = {"electrode_1": (x == 0, None), "electrode_2": (ijk[:, 0] == shape[0] * layers, None)}
    return Mesh(xyz, tets, walls, region, tuple("layer_%d" % (i + 1) for i in range(layers))).shake(0.25, fixed)
