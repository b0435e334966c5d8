"""Read a result file and integrate over it, independently of the program that wrote it. SI units."""

import h5py
import numpy as np

EDGES = ((0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3))  # in VTK's order of the middle nodes


class Result:
    """Points [n, 3] in m; cells [m, 4 or 10]; point and cell arrays by name."""

    def __init__(self, path):
        with h5py.File(path, "r") as file:
            root = file["VTKHDF"]
            parts = list(zip(root["NumberOfPoints"], root["NumberOfCells"], root["NumberOfConnectivityIds"]))
            ids = root["Connectivity"][:]
            self.points = root["Points"][:] * 1e-3
            self.point_data = {name: data[:] for name, data in root["PointData"].items()}
            self.cell_data = {name: data[:] for name, data in root["CellData"].items()}
        cells, first_point, first_id = [], 0, 0
        for points, count, length in parts:
            if count:
                cells.append(ids[first_id : first_id + length].reshape(count, -1) + first_point)
            first_point += points
            first_id += length
        self.cells = np.concatenate(cells)

    def integrate(self, potential, function, points=4, vectors=False):
        """Integral over the domain of function(|E|, region), with |E| from the potential by the element's own shape
        functions, on curved elements; Gauss points along each of three collapsed directions. With `vectors` the
        function gets the gradients [m, 3] instead."""
        x, w = np.polynomial.legendre.leggauss(points)
        x, w = (x + 1) / 2, w / 2
        a, b, c = (g.ravel() for g in np.meshgrid(x, x, x, indexing="ij"))
        weight = np.einsum("i,j,k->ijk", w, w, w).ravel() * (1 - a) ** 2 * (1 - b)
        where = np.column_stack([a, b * (1 - a), c * (1 - a) * (1 - b)])

        nodes, values = self.points[self.cells], potential[self.cells]
        region = self.cell_data.get("region", np.zeros(len(self.cells), int))
        total = 0.0
        for point, factor in zip(where, weight):
            slopes = shape_slopes(point, self.cells.shape[1])
            jacobian = np.einsum("ni,mnj->mij", slopes, nodes)
            gradient = np.linalg.solve(jacobian, np.einsum("ni,mn->mi", slopes, values)[..., None])[..., 0]
            field = gradient if vectors else np.linalg.norm(gradient, axis=1)
            total += factor * np.sum(function(field, region) * np.abs(np.linalg.det(jacobian)))
        return total


def shape_slopes(point, nodes):
    """Derivatives [nodes, 3] of the shape functions of a tetrahedron of 4 or 10 nodes."""
    linear = np.array([[-1.0, -1, -1], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    if nodes == 4:
        return linear
    l = np.array([1 - point.sum(), *point])
    corners = (4 * l - 1)[:, None] * linear
    middles = [4 * (l[i] * linear[j] + l[j] * linear[i]) for i, j in EDGES]
    return np.concatenate([corners, middles])
