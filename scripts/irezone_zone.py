"""The zone of a result as a closed, smooth surface.

The stored field is cut as ParaView cuts it: a quadratic tetrahedron is eight flat ones between its ten points. That
surface has the volume of the summary, but it is made of flat pieces as large as half an element, which shows. So its
points are moved to quadratic surfaces that are fitted to it around each of them (moving least squares; Alexa et al.
2003), a little way along these to make triangles of even size, and all by the same distance such that the volume stays.
The zone's walls, along metal and the box, stay where they are.
"""
import importlib.util
import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its threads spin, and have little to do here

import numpy as np  # noqa: E402

import irezone_result as result  # noqa: E402

# Corners of the eight tetrahedra, and of a face's four triangles, between the points of a quadratic cell, as VTK has them.
CHILDREN = np.array([[0, 4, 6, 7], [4, 1, 5, 8], [6, 5, 2, 9], [7, 8, 9, 3], [4, 6, 7, 8], [4, 5, 6, 8], [6, 7, 8, 9], [5, 6, 8, 9]])
DIAGONALS = [(6, 8), (4, 9), (7, 5)]  # of the middle; VTK takes the one on which the values differ least
MIDDLES = [[4, 5, 9, 7], [5, 6, 7, 8], [4, 6, 9, 8]]  # the others, in a ring
EDGE_ENDS = np.array([[0, 1], [1, 2], [0, 2], [0, 3], [1, 3], [2, 3]])
FACES = np.array([[0, 2, 1, 6, 5, 4], [0, 1, 3, 4, 8, 7], [1, 2, 3, 5, 9, 8], [0, 3, 2, 7, 9, 6]])  # seen from outside
FACE_PARTS = np.array([[0, 3, 5], [3, 1, 4], [5, 4, 2], [3, 4, 5]])
PASSES = 3  # of fitting
NEAREST = 36  # samples for a fit
RADIUS = 1.3  # of the fit's weights, in sizes of the flat pieces
SPACING = 0.55  # between samples, of that radius: the nearest reach to about twice that
EVENINGS = 4  # steps towards triangles of even size
FEWEST = 12  # samples that are a surface
STRAIGHT = 0.8  # mean of the normals of a wall around a point; where walls meet at right angles it is less


def unique_rows(rows):
    """Rows that are there, each once: the first place of each, and which of them every row is."""
    key = sum(column * weight for column, weight in zip(rows.T, (1.0, 0.7320508, 0.2360679, 0.6457513)))
    order = np.argsort(key, kind="stable")
    new = (rows[order[1:]] != rows[order[:-1]]).any(axis=1)
    if (new & (key[order[1:]] == key[order[:-1]])).any():  # other rows have the same key: sort by the rows themselves
        _, first, same = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        return first, same.ravel()
    new = np.concatenate([[True], new])
    same = np.empty(len(rows), np.int64)
    same[order] = np.cumsum(new) - 1
    return order[new], same


class Grid:
    """Points (mm), tetrahedra with 4 or 10 of them, field at the points (V/cm) and region of the cells, of all ranks."""

    def __init__(self, points, cells, field, region):
        # Ranks have points in common; points in one place with two values (beside an interface) are two.
        first, same = unique_rows(np.column_stack([points, field]))
        order = np.argsort(first)  # the file's order
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        self.points, self.field = points[first[order]], field[first[order]]
        self.cells = rank[same][cells]
        self.region = region
        first, same = unique_rows(self.points)
        self.place = first[same]  # the first point in the same place

    def only(self, chosen):
        """The same points with some of the cells."""
        part = object.__new__(Grid)
        part.points, part.field, part.place = self.points, self.field, self.place
        part.cells, part.region = self.cells[chosen], self.region[chosen]
        return part


def read_dataset(path):
    """A result as vtkUnstructuredGrid."""
    from vtkmodules.vtkCommonCore import vtkLogger, vtkSMPTools
    from vtkmodules.vtkIOHDF import vtkHDFReader

    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_WARNING)
    vtkSMPTools.SetBackend("Sequential")  # threads cost more than they bring here
    reader = vtkHDFReader()
    reader.SetFileName(path)
    reader.Update()
    data = reader.GetOutputDataObject(0)
    if data is None or data.GetNumberOfCells() == 0:
        result.fail(f"{path}: VTK finds no cells in it", 3)
    return data


def grid_of(data):
    """The Grid of a vtkUnstructuredGrid."""
    from vtkmodules.util.numpy_support import vtk_to_numpy

    size = 10 if data.GetCellType(0) == 24 else 4
    cells = vtk_to_numpy(data.GetCells().GetConnectivityArray()).reshape(-1, size)
    field = vtk_to_numpy(data.GetPointData().GetArray(result.FIELD)).astype(float)
    region = vtk_to_numpy(data.GetCellData().GetArray("region"))
    return Grid(vtk_to_numpy(data.GetPoints().GetData()).astype(float), cells, field, region)


class Surface:
    """Closed triangles, facing outwards, and normals at their points."""

    def __init__(self, points, triangles):
        self.points, self.triangles = points, triangles
        self.cut = np.zeros(len(triangles), bool)  # of which triangles the field is at the threshold
        self.normals = None

    def volume(self):
        """Enclosed, mm^3."""
        a, b, c = (self.points[self.triangles[:, k]] - self.points.mean(axis=0) for k in range(3))
        return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)

    def areas(self):
        """Of the triangles, as vectors, mm^2."""
        a, b, c = (self.points[self.triangles[:, k]] for k in range(3))
        return 0.5 * np.cross(b - a, c - a)

    def polydata(self):
        """As vtkPolyData with normals."""
        from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
        from vtkmodules.vtkCommonCore import vtkPoints
        from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

        triangles = self.triangles
        data, points, polys = vtkPolyData(), vtkPoints(), vtkCellArray()
        points.SetDataTypeToDouble()
        points.SetData(numpy_to_vtk(self.points, deep=True))
        offsets = np.arange(0, 3 * len(triangles) + 1, 3)
        polys.SetData(numpy_to_vtkIdTypeArray(offsets, deep=True), numpy_to_vtkIdTypeArray(triangles.ravel(), deep=True))
        data.SetPoints(points)
        data.SetPolys(polys)
        if self.normals is not None:
            normals = numpy_to_vtk(self.normals.astype(np.float32), deep=True)
            normals.SetName("Normals")
            data.GetPointData().SetNormals(normals)
        return data


def flat_tetrahedra(cells, field):
    """Quadratic tetrahedra cut in eight, as VTK does it."""
    way = np.stack([abs(field[cells[:, a]] - field[cells[:, b]]) for a, b in DIAGONALS], axis=1).argmin(axis=1)
    parts = [cells[:, CHILDREN[:4]].reshape(-1, 4)]
    for k, ((a, b), ring) in enumerate(zip(DIAGONALS, MIDDLES)):
        middles = [[a, b, ring[i], ring[(i + 1) % 4]] for i in range(4)]
        parts.append(cells[way == k][:, middles].reshape(-1, 4))
    return np.concatenate(parts)


def pair_keys(a, b, n):
    """One number for two that have no order."""
    return np.minimum(a, b).astype(np.int64) * n + np.maximum(a, b)


class Cut:
    """The part of a grid where the field reaches a level: its surface, cut in flat tetrahedra."""

    def __init__(self, grid, level):
        self.grid, self.level = grid, level
        self.inside = grid.field >= level
        self.cells = grid.cells[self.inside[grid.cells].any(axis=1)]
        self.surface = self.join(self.walls(), self.cuts())

    def walls(self):
        """Triangles of the grid's own boundary, cut off where the field falls below the level; points are pairs of
        nodes: of a node and itself, or of the two between which the level is met."""
        faces = self.cells[:, FACES[:, : 6 if self.cells.shape[1] == 10 else 3]].reshape(-1, 6 if self.cells.shape[1] == 10 else 3)
        corners = np.sort(faces[:, :3], axis=1)
        order = np.lexsort(corners.T[::-1])
        row = corners[order]
        same = (row[1:] == row[:-1]).all(axis=1)
        single = np.ones(len(row), bool)
        single[1:] &= ~same
        single[:-1] &= ~same
        faces = faces[np.sort(order[single])]
        if faces.shape[1] == 6:
            faces = faces[:, FACE_PARTS].reshape(-1, 3)
        count = self.inside[faces].sum(axis=1)
        whole, one, two = self.outer(faces[count == 3]), faces[count == 1], faces[count == 2]
        one, two = self.turned(one, True), self.turned(two, False)
        pieces = [np.stack([whole, whole], axis=2)]
        if len(one):
            a, b, c = one.T
            pieces.append(self.triangle((a, a), (a, b), (a, c)))
        if len(two):  # the first corner is outside
            a, b, c = two.T
            pieces += [self.triangle((b, b), (c, c), (a, b)), self.triangle((c, c), (c, a), (a, b))]
        return np.concatenate(pieces)

    def outer(self, triangles):
        """Without those on both sides of an interface: the zone goes on there."""
        corners = np.sort(self.grid.place[triangles], axis=1)
        _, same, count = np.unique(corners, axis=0, return_inverse=True, return_counts=True)
        return triangles[count[same.ravel()] == 1]

    def turned(self, triangles, first):
        """Triangles turned such that the one corner which is inside (or is not) comes first."""
        at = np.argmax(self.inside[triangles] == first, axis=1)
        return np.take_along_axis(triangles, (at[:, None] + np.arange(3)) % 3, axis=1)

    @staticmethod
    def triangle(*ends):
        """Triangles of three pairs."""
        return np.stack([np.stack(pair, axis=1) for pair in ends], axis=1)

    def cuts(self):
        """Triangles at the level."""
        tets = self.cells if self.cells.shape[1] == 4 else flat_tetrahedra(self.cells, self.grid.field)
        count = self.inside[tets].sum(axis=1)
        tets = tets[(count > 0) & (count < 4)]
        order = np.argsort(~self.inside[tets], axis=1, kind="stable")
        tets = np.take_along_axis(tets, order, axis=1)
        count = self.inside[tets].sum(axis=1)
        a, b, c, d = tets[count == 1].T
        pieces = [self.triangle((a, b), (a, c), (a, d))]
        a, b, c, d = tets[count == 3].T
        pieces.append(self.triangle((a, d), (b, d), (c, d)))
        a, b, c, d = tets[count == 2].T
        pieces += [self.triangle((a, c), (a, d), (b, d)), self.triangle((a, c), (b, d), (b, c))]
        found = np.concatenate(pieces)
        # Away from higher fields: the first of a pair is inside.
        x = self.places(found)
        outwards = (self.grid.points[found[:, :, 1]] - self.grid.points[found[:, :, 0]]).sum(axis=1)
        wrong = np.einsum("ij,ij->i", np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]), outwards) < 0
        found[wrong] = found[wrong][:, ::-1]
        return found

    def places(self, pairs):
        """Where the level is met between two nodes."""
        return self.blend(self.grid.points, pairs, self.shares(pairs))

    def shares(self, pairs):
        """How far from the first node of a pair to the second."""
        a, b = self.grid.field[pairs[..., 0]], self.grid.field[pairs[..., 1]]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(pairs[..., 0] == pairs[..., 1], 0.0, np.clip((a - self.level) / (a - b), 0, 1))

    @staticmethod
    def blend(values, pairs, share):
        """Values between two nodes."""
        return values[pairs[..., 0]] * (1 - share[..., None]) + values[pairs[..., 1]] * share[..., None]

    def join(self, walls, cuts):
        """The surface; its points are those of the pairs, each once."""
        pairs = np.concatenate([walls, cuts]).reshape(-1, 2)
        pairs = np.where((pairs[:, 0] == pairs[:, 1])[:, None], self.grid.place[pairs], pairs)
        low, high = pairs.min(axis=1), pairs.max(axis=1)
        pairs = np.where(self.inside[low][:, None], np.stack([low, high], 1), np.stack([high, low], 1))
        _, first, triangles = np.unique(pair_keys(low, high, len(self.grid.points)), return_index=True, return_inverse=True)
        self.pairs = pairs[first]
        self.share = self.shares(self.pairs)
        surface = Surface(self.blend(self.grid.points, self.pairs, self.share), triangles.reshape(-1, 3))
        surface.cut[len(walls) :] = True
        return surface


class Smoother:
    """Moves the points of a cut to a smooth surface."""

    def __init__(self, cut):
        self.surface = surface = cut.surface
        ends = cut.grid.points[cut.pairs]
        self.size = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)  # of the flat pieces around a point, mm
        self.size[self.size == 0] = np.median(self.size[surface.triangles[surface.cut]])
        self.split()
        self.find_neighbours()
        for _ in range(6):
            self.size = 0.5 * (self.size + self.mean_around(self.size))
        self.typical = RADIUS * np.median(self.size[self.moving])
        self.size = np.clip(RADIUS * self.size, 0.7 * self.typical, 1.5 * self.typical)

    def split(self):
        """Cut the triangles at the level in four, the walls' triangles as they have to be."""
        surface = self.surface
        n, triangles = len(surface.points), surface.triangles
        keys = pair_keys(triangles, np.roll(triangles, -1, axis=1), n)
        used = np.unique(keys[surface.cut])
        split = np.isin(keys, used)
        middle = n + np.searchsorted(used, keys)
        surface.points = np.concatenate([surface.points, surface.points[np.stack([used // n, used % n])].mean(axis=0)])
        self.size = np.concatenate([self.size, self.size[np.stack([used // n, used % n])].mean(axis=0)])
        pieces, cut = [], []
        for pattern in range(8):
            chosen = (split == [bool(pattern & 1 << k) for k in range(3)]).all(axis=1)
            names = np.concatenate([triangles[chosen], middle[chosen]], axis=1)
            for piece in self.pieces(pattern):
                pieces.append(names[:, piece])
                cut.append(surface.cut[chosen])
        surface.triangles, surface.cut = np.concatenate(pieces), np.concatenate(cut)

    @staticmethod
    def pieces(pattern):
        """A triangle 0 1 2 whose edges 01, 12, 20 may have middles 3, 4, 5."""
        split = [k for k in range(3) if pattern & 1 << k]
        if len(split) == 3:
            return [[0, 3, 5], [3, 1, 4], [5, 4, 2], [3, 4, 5]]
        if len(split) == 0:
            return [[0, 1, 2]]
        if len(split) == 1:
            a, b, c = ((split[0] + k) % 3 for k in range(3))
            return [[a, 3 + a, c], [3 + a, b, c]]
        a, b, c = ((({0, 1, 2} - set(split)).pop() + k) % 3 for k in range(3))  # the edge ab stays
        return [[3 + b, c, 3 + c], [a, b, 3 + b], [a, 3 + b, 3 + c]]

    def find_neighbours(self):
        """Which points move, with which they share an edge, and along which walls they have to stay."""
        surface, n = self.surface, len(self.surface.points)
        wall, total, area = np.zeros((n, 3)), np.zeros(n), surface.areas()[~surface.cut]
        for k in range(3):
            np.add.at(wall, surface.triangles[~surface.cut, k], area)
            np.add.at(total, surface.triangles[~surface.cut, k], np.linalg.norm(area, axis=1))
        length = np.linalg.norm(wall, axis=1)
        at_level = np.zeros(n, bool)
        at_level[surface.triangles[surface.cut]] = True
        self.rim = at_level & (total > 0)
        # Where walls meet, at the box's edges, points stay.
        self.moving = np.nonzero(at_level & (~self.rim | (length > STRAIGHT * total)))[0]
        self.on_wall = self.rim[self.moving]
        self.wall = np.where(self.on_wall, 1 / np.maximum(length[self.moving], 1e-300), 0.0)[:, None] * wall[self.moving]
        first = surface.triangles[surface.cut].ravel()
        second = np.roll(surface.triangles[surface.cut], -1, axis=1).ravel()
        keys = np.unique(np.concatenate([first * n + second, second * n + first]))
        self.first, self.second = keys // n, keys % n

    def mean_around(self, values):
        """Means of the neighbours' values; at points without neighbours the values themselves."""
        n = len(values)
        count = np.bincount(self.first, minlength=n)
        columns = values.reshape(n, -1).T
        means = np.stack([np.bincount(self.first, column[self.second], n) / np.maximum(count, 1) for column in columns], axis=1)
        return np.where(count[:, None] > 0, means, columns.T).reshape(values.shape)

    def samples(self):
        """Places on the surface at even distances: centre, area and normal of what is near each. What touches a wall is
        left out where enough remains: there it is raggedest."""
        surface = self.surface
        triangles, area = surface.triangles[surface.cut], surface.areas()[surface.cut]
        free = ~self.rim[triangles].any(axis=1)
        if free.sum() > 0.5 * len(free):
            triangles, area = triangles[free], area[free]
        centre, size = surface.points[triangles].mean(axis=1), np.linalg.norm(area, axis=1)
        cubes = np.floor(centre / (SPACING * self.typical)).astype(np.int64)
        _, cube = np.unique(cubes, axis=0, return_inverse=True)
        total = np.bincount(cube.ravel(), size)
        sums = [np.bincount(cube.ravel(), column) for column in np.concatenate([size[:, None] * centre, area], axis=1).T]
        good = total > 1e-9 * total.max()
        sums, total = np.stack(sums, axis=1)[good], total[good]
        length = np.maximum(np.linalg.norm(sums[:, 3:], axis=1), 1e-300)
        return sums[:, :3] / total[:, None], total, sums[:, 3:] / length[:, None]

    def rough_normals(self):
        """Outwards at the moving points, from the triangles around them."""
        normals, area = np.zeros_like(self.surface.points), self.surface.areas()[self.surface.cut]
        for k in range(3):
            np.add.at(normals, self.surface.triangles[self.surface.cut, k], area)
        for _ in range(3):
            normals = normals + self.mean_around(normals)
        return unit(normals[self.moving])

    def fit(self):
        """Fit a quadratic surface around every moving point, over a plane across the normals there."""
        from scipy.spatial import cKDTree

        base, size = self.surface.points[self.moving], self.size[self.moving]
        centre, area, normal = self.samples()
        if len(area) < FEWEST:
            return False
        distance, near = cKDTree(centre).query(base, k=min(NEAREST, len(area)))
        weight = area[near] * np.exp(-0.5 * (distance / size[:, None]) ** 2)
        up = self.rough_normals()
        for _ in range(2):  # other sheets face elsewhere
            facing = np.einsum("ikd,id->ik", normal[near], up)
            up = unit(np.einsum("ik,ikd->id", weight * np.maximum(facing, 1e-3) ** 2, normal[near]))
        weight *= np.maximum(np.einsum("ikd,id->ik", normal[near], up), 1e-3) ** 2
        right = unit(np.cross(up, np.where(abs(up[:, :1]) < 0.6, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])))
        self.frame = np.stack([right, np.cross(up, right), up], axis=1)
        x, y, height = np.einsum("ikd,ijd->jik", centre[near] - base[:, None], self.frame) / size[:, None]
        basis = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=2)
        weighted = (basis * weight[:, :, None]).transpose(0, 2, 1)
        matrix = weighted @ basis
        matrix += 1e-4 * np.trace(matrix, axis1=1, axis2=2)[:, None, None] * np.diag([1e-6, 1, 1, 1, 1, 1])
        self.base, self.coefficient = base.copy(), np.linalg.solve(matrix, weighted @ height[:, :, None])[:, :, 0]
        return True

    def on_fit(self, x, y):
        """Points of the fitted surfaces and normals there; x and y in sizes of the flat pieces."""
        c, size = self.coefficient.T, self.size[self.moving][:, None]
        height = c[0] + c[1] * x + c[2] * y + c[3] * x * x + c[4] * x * y + c[5] * y * y
        across = np.stack([-c[1] - 2 * c[3] * x - c[4] * y, -c[2] - c[4] * x - 2 * c[5] * y, np.ones_like(x)], axis=1)
        points = self.base + size * np.einsum("ij,ijd->id", np.stack([x, y, height], axis=1), self.frame)
        return points, unit(np.einsum("ij,ijd->id", across, self.frame))

    def even(self):
        """Put the points on their fitted surfaces and towards the middles of their neighbours; those on walls move
        along these, to where their surface meets the wall."""
        points, size = self.surface.points, self.size[self.moving]
        x = y = np.zeros(len(self.moving))
        placed, normals = self.on_fit(x, y)
        up = self.frame[:, 2]
        along = up - np.einsum("ij,ij->i", up, self.wall)[:, None] * self.wall
        climb = np.einsum("ij,ij->i", placed - self.base, up) / np.maximum(np.einsum("ij,ij->i", along, along), 0.1)
        placed[self.on_wall] = (self.base + np.clip(climb, -size, size)[:, None] * along)[self.on_wall]
        points[self.moving] = placed
        for _ in range(EVENINGS):
            step = 0.7 * (self.mean_around(points)[self.moving] - points[self.moving]) / size[:, None]
            x, y = x + np.einsum("ij,ij->i", step, self.frame[:, 0]), y + np.einsum("ij,ij->i", step, self.frame[:, 1])
            scale = np.minimum(1, 0.8 / np.maximum(np.hypot(x, y), 1e-300))
            x, y = x * scale, y * scale
            placed, normals = self.on_fit(x, y)
            points[self.moving[~self.on_wall]] = placed[~self.on_wall]
        return normals

    def keep_volume(self, normals, volume):
        """Move all points by one distance such that the volume is as it was."""
        surface = self.surface
        along = normals - np.einsum("ij,ij->i", normals, self.wall)[:, None] * self.wall
        for _ in range(2):
            area = np.linalg.norm(surface.areas()[surface.cut], axis=1).sum()
            surface.points[self.moving] += (volume - surface.volume()) / max(area, 1e-300) * along

    def run(self):
        """The smooth surface, with normals."""
        surface, volume = self.surface, self.surface.volume()
        normals = self.rough_normals()
        for _ in range(PASSES):
            if not self.fit():
                break
            normals = self.even()
            self.keep_volume(normals, volume)
        area, surface.normals = surface.areas(), np.zeros_like(surface.points)
        for k in range(3):
            np.add.at(surface.normals, surface.triangles[~surface.cut, k], area[~surface.cut])
        surface.normals[self.moving] = normals
        surface.normals = unit(surface.normals)
        return surface


def unit(vectors):
    """Vectors of length 1."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1), 1e-300)[:, None]


def zone_surface(grid, level, smooth=True):
    """Surface of the part of a grid where the field reaches a level (V/cm), or None if it does so nowhere."""
    if not (grid.field[grid.cells] >= level).any():
        return None
    cut = Cut(grid, level)
    if smooth and importlib.util.find_spec("scipy") is None:
        print("SciPy was not found (Debian: python3-scipy): the zone's surface is left as it is cut, in flat pieces", file=sys.stderr)
        smooth = False
    return Smoother(cut).run() if smooth and cut.surface.cut.any() else cut.surface


def zone_surfaces(grid, summary, threshold=None, smooth=True):
    """Closed surfaces that together hold the zone: each region at its own threshold, or all at the given one (V/cm)."""
    threshold = threshold or result.one_threshold(summary)
    parts = [(grid, threshold)]
    if threshold is None:
        parts = [(grid.only(grid.region == number), value) for number, value in result.thresholds(summary)]
    surfaces = [zone_surface(part, value, smooth) for part, value in parts if len(part.cells)]
    return [surface for surface in surfaces if surface is not None]


def drawn_zone(grid, summary, hidden):
    """The zone for pictures, in a fraction of the time of a smooth surface, as vtkPolyData: where the field is at the
    threshold outside some regions, and everywhere. What closes the zone along metal and walls
    is left out. Where the field jumps between two tissues the mean of its shares of their thresholds counts: what closes
    each tissue's part there would show as sheets inside the zone."""
    share = np.zeros(len(grid.points))
    for number, value in result.thresholds(summary):
        nodes = np.unique(grid.cells[grid.region == number])
        share[nodes] = np.maximum(share[nodes], grid.field[nodes] / value)
    surfaces = []
    for chosen in (~np.isin(grid.region, hidden), np.ones(len(grid.cells), bool)):
        if len(surfaces) == 1 and not hidden:
            return surfaces * 2
        part = grid.only(chosen)
        rows = np.unique(part.cells)
        place, count = grid.place[rows], np.bincount(grid.place[rows], minlength=len(share))
        part.field = np.bincount(place, share[rows], len(share)) / np.maximum(count, 1)
        part.cells, part.place = grid.place[part.cells], np.arange(len(share))
        reached = len(part.cells) > 0 and (part.field[part.cells] >= 1).any()
        surfaces.append(relaxed(Cut(part, 1.0).surface) if reached else None)
    return surfaces


def relaxed(surface):
    """The part of a surface where the field is at the threshold, without its flat pieces, as vtkPolyData."""
    from vtkmodules.vtkFiltersCore import vtkPolyDataNormals, vtkWindowedSincPolyDataFilter

    used, triangles = np.unique(surface.triangles[surface.cut], return_inverse=True)
    even, normals = vtkWindowedSincPolyDataFilter(), vtkPolyDataNormals()
    even.SetInputData(Surface(surface.points[used], triangles.reshape(-1, 3)).polydata())
    even.SetNumberOfIterations(20)
    even.SetPassBand(0.03)
    even.NormalizeCoordinatesOn()
    even.FeatureEdgeSmoothingOff()
    normals.SetInputConnection(even.GetOutputPort())
    normals.SplittingOff()
    normals.ConsistencyOff()
    normals.Update()
    return without_crumbs(normals.GetOutput())


def without_crumbs(surface):
    """A surface without parts of less than a fiftieth of its triangles, as vtkPolyData."""
    from vtkmodules.vtkFiltersCore import vtkPolyDataConnectivityFilter

    parts = vtkPolyDataConnectivityFilter()
    parts.SetInputData(surface)
    parts.SetExtractionModeToAllRegions()
    parts.Update()
    sizes = [parts.GetRegionSizes().GetValue(k) for k in range(parts.GetNumberOfExtractedRegions())]
    parts.SetExtractionModeToSpecifiedRegions()
    for k, size in enumerate(sizes):
        if size >= 0.02 * sum(sizes):
            parts.AddSpecifiedRegion(k)
    parts.Update()
    return parts.GetOutput()


def joined(surfaces):
    """Several surfaces as one."""
    starts = np.cumsum([0] + [len(surface.points) for surface in surfaces])
    triangles = [surface.triangles + start for surface, start in zip(surfaces, starts)]
    whole = Surface(np.concatenate([surface.points for surface in surfaces]), np.concatenate(triangles))
    if all(surface.normals is not None for surface in surfaces):
        whole.normals = np.concatenate([surface.normals for surface in surfaces])
    return whole


def walls(grid, box=None):
    """The grid's own boundary, or what of it lies inside a box, as vtkPolyData."""
    cut = Cut.__new__(Cut)
    cut.grid, cut.inside, cut.cells = grid, np.ones(len(grid.points), bool), grid.cells
    triangles = cut.walls()[:, :, 0]
    if box is not None:
        inside = ((grid.points >= box[0]) & (grid.points <= box[1])).all(axis=1)
        triangles = triangles[inside[triangles].all(axis=1)]
    used, triangles = np.unique(triangles, return_inverse=True)
    return Surface(grid.points[used], triangles.reshape(-1, 3)).polydata()


def crossing(grid, origin, normal):
    """The flat tetrahedra that a plane meets, with the field, as vtkUnstructuredGrid."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkUnstructuredGrid

    side = (grid.points - origin) @ np.asarray(normal) > 0
    tets = grid.cells if grid.cells.shape[1] == 4 else grid.cells[:, CHILDREN].reshape(-1, 4)
    count = side[tets].sum(axis=1)
    used, tets = np.unique(tets[(count > 0) & (count < 4)], return_inverse=True)
    data, points, cells = vtkUnstructuredGrid(), vtkPoints(), vtkCellArray()
    points.SetDataTypeToDouble()
    points.SetData(numpy_to_vtk(grid.points[used], deep=True))
    cells.SetData(numpy_to_vtkIdTypeArray(np.arange(0, tets.size + 1, 4), deep=True), numpy_to_vtkIdTypeArray(tets.ravel(), deep=True))
    data.SetPoints(points)
    data.SetCells(10, cells)
    field = numpy_to_vtk(grid.field[used], deep=True)
    field.SetName(result.FIELD)
    data.GetPointData().SetScalars(field)
    return data
