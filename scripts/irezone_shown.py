"""What of a result is shown in pictures and scenes: zone, needles, regions and slices, as vtkPolyData."""
import math
import os
import sys

import irezone_hdf
import irezone_nrrd as nrrd
import irezone_result as result
import irezone_zone as zone

MARGIN = 8.0  # mm of the slice around the zone
RED = (0.80, 0.12, 0.16)
BARE = (0.93, 0.94, 0.96)
INSULATED = (0.42, 0.44, 0.48)
GREY = (0.35, 0.35, 0.38)
# Colours of named regions, by a part of their name; others take the spare ones in turn. They can be told apart with red
# and green blindness, too (M. Okabe and K. Ito, Color Universal Design, 2008; lightness differs where hues are near).
REGION_COLOURS = {
    "tumo": (0.95, 0.70, 0.05),
    "lesion": (0.95, 0.70, 0.05),
    "metasta": (0.95, 0.70, 0.05),
    "arter": (0.80, 0.40, 0.65),
    "aorta": (0.80, 0.40, 0.65),
    "portal": (0.34, 0.71, 0.91),
    "vein": (0.00, 0.38, 0.70),
    "cava": (0.00, 0.38, 0.70),
    "vessel": (0.00, 0.38, 0.70),
    "gall": (0.00, 0.55, 0.40),
    "bile": (0.00, 0.55, 0.40),
    "duct": (0.00, 0.55, 0.40),
    "cyst": (0.60, 0.80, 0.75),
    "liver": (0.50, 0.28, 0.22),
}
SPARE_COLOURS = [(0.84, 0.45, 0.25), (0.45, 0.35, 0.65), (0.60, 0.60, 0.20), (0.35, 0.35, 0.35)]
SOLID = 0.03  # a region with a smaller share of the box is hardly translucent
WHOLE = 0.5  # a region with a larger share of the box is drawn on slices only: it would hide all else


def add(a, b, scale=1.0):
    """a + scale b"""
    return [x + scale * y for x, y in zip(a, b)]


def dot(a, b):
    """Inner product."""
    return sum(x * y for x, y in zip(a, b))


def cross(a, b):
    """Vector product."""
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def unit(a):
    """A vector's direction; None if it has none."""
    length = math.sqrt(dot(a, a))
    return [x / length for x in a] if length > 1e-9 else None


def any_normal(a):
    """A unit vector perpendicular to a, near y if possible."""
    for axis in ([0, 1, 0], [1, 0, 0]):
        across = add(axis, a, -dot(axis, a))
        if dot(across, across) > 0.1:
            return unit(across)
    return [0, 0, 1]


def grown(box, factor, margin=0.0):
    """A box [[low], [high]] grown about its middle."""
    middle = [(a + b) / 2 for a, b in zip(*box)]
    half = [factor * (b - a) / 2 + margin for a, b in zip(*box)]
    return [add(middle, half, -1), add(middle, half)]


class Scene:
    """What is to be seen, worked out from the summary: frame of the probes, focus, slice plane."""

    def __init__(self, summary, bounds):
        self.summary = summary
        self.box = [list(bounds[0::2]), list(bounds[1::2])]
        self.probes = [probe for probe in summary["probes"] if probe.get("tip_mm")]
        self.plates = [probe for probe in summary["probes"] if probe.get("face_mm")]
        measured = summary["zone"]
        self.has_zone = (measured["volume_cm3"] or 0) > 0
        low, high = (list(corner) for corner in (measured["bounding_box_mm"] if self.has_zone else self.box))
        for probe in self.probes:
            for end in self.bare(probe):
                low, high = [min(*p) for p in zip(low, end)], [max(*p) for p in zip(high, end)]
        for plate in self.plates:
            for sign in (-1, 1):  # the middle of the gap and the middle of the sides, up to the edge of the other plate
                for half in (plate["width_mm"] / 2, plate["height_mm"] / 2):
                    end = add(plate["face_mm"], self.height_of(plate) if half == plate["height_mm"] / 2 else plate["side"], sign * half)
                    low, high = [min(*p) for p in zip(low, end)], [max(*p) for p in zip(high, end)]
        low = [max(*p) for p in zip(low, self.box[0])]
        high = [min(*p) for p in zip(high, self.box[1])]
        self.focus_box = [low, high]
        self.focus = [(a + b) / 2 for a, b in zip(low, high)]
        self.set_frame()

    @staticmethod
    def bare(probe):
        """Ends of the bare metal."""
        return probe["tip_mm"], add(probe["tip_mm"], probe["direction"], probe["exposure_mm"])

    @staticmethod
    def height_of(plate):
        """Unit vector along a plate's height."""
        return cross(plate["direction"], plate["side"])

    def next_electrode(self, probe):
        """The electrode above this one on the same needle, or None."""
        others = [p for p in self.probes if probe.get("needle") and p.get("needle") == probe["needle"]]
        at = others.index(probe) + 1 if probe in others else 0
        return others[at] if 0 < at < len(others) else None

    def set_frame(self):
        """The slice plane's normal, and the directions that are up and right in it."""
        up = self.height_of(self.plates[-1]) if self.plates else [0.0, 0.0, 0.0]
        for probe in self.probes:
            up = add(up, probe["direction"])
        self.up = unit(up) or [0, 0, 1]
        middles = [add(probe["tip_mm"], probe["direction"], probe["exposure_mm"] / 2) for probe in self.probes]
        middles += [plate["face_mm"] for plate in self.plates]
        self.origin = [sum(x) / len(middles) for x in zip(*middles)] if middles else self.focus
        span = max((add(m, middles[0], -1) for m in middles), key=lambda v: dot(v, v), default=[0, 0, 0])
        across = unit(cross(span, self.up)) if dot(span, span) > 1e-6 else None
        self.along = across is None or self.in_plane(across)
        if self.along:
            self.normal = across or any_normal(self.up)
            # Seen from -y if that is possible: x then runs to the right.
            if self.normal[1] > 1e-6 or (abs(self.normal[1]) <= 1e-6 and self.normal[0] < 0):
                self.normal = [-x for x in self.normal]
            self.slice_up = self.up
        else:
            self.normal = self.up
            self.slice_up = any_normal(self.up)
        self.slice_right = cross(self.slice_up, self.normal)

    def in_plane(self, normal):
        """Whether all probes lie in one plane with this normal, within a needle's width."""
        ends = [end for probe in self.probes for end in self.bare(probe)]
        return all(abs(dot(add(end, self.origin, -1), normal)) < 1.0 for end in ends)

    @staticmethod
    def wall(start, direction, box):
        """Distance from a point to the wall of a box around it."""
        distances = [
            ((box[1][i] if direction[i] > 0 else box[0][i]) - start[i]) / direction[i]
            for i in range(3)
            if abs(direction[i]) > 1e-9
        ]
        return max(0.0, min(distances))

    def title(self):
        """One line: what it is and how large the zone is."""
        measured = self.summary["zone"]
        volume, error = measured["volume_cm3"] or 0.0, measured.get("volume_error_cm3")
        digits = 2 if not error else min(4, max(0, 1 - math.floor(math.log10(error) + 1 - math.log10(2))))
        text = f"{volume:.{digits}f}" + (f" ± {error:.{digits}f}" if error else "") + " cm³"
        value = result.one_threshold(self.summary)
        return f"{self.summary['plan']}:  {text}" + (f" at {value:g} V/cm" if value else "")


def colour_of(name, spare):
    """Colour of a region, the same in all pictures if its name is a usual one."""
    for part, colour in REGION_COLOURS.items():
        if part in name.lower():
            return colour
    return SPARE_COLOURS[spare % len(SPARE_COLOURS)]


def read_labels(summary):
    """The label map's reader, or None if there is none, or none any more."""
    anatomy = summary.get("anatomy")
    if not anatomy or not os.path.isfile(anatomy["labels"]):
        return None
    if nrrd.is_nrrd(anatomy["labels"]):
        try:
            return nrrd.Image(anatomy["labels"], anatomy["map"])
        except (nrrd.Refused, OSError) as error:
            line = irezone_hdf.clean(f"{anatomy['labels']}: {error}; its regions are drawn as coarse as the mesh is")
            print(f"{os.path.basename(sys.argv[0])}: warning: {line}", file=sys.stderr)
            return None
    from vtkmodules.vtkIOImage import vtkNIFTIImageReader

    reader = vtkNIFTIImageReader()
    if not reader.CanReadFile(anatomy["labels"]):
        return None
    reader.SetFileName(anatomy["labels"])
    reader.Update()
    return reader


class Labels:
    """A label map within the tissue box: numbers, and where they are."""

    def __init__(self, reader, box):
        import numpy
        from vtkmodules.util.numpy_support import vtk_to_numpy

        self.numbered = isinstance(reader, nrrd.Image)  # by places in the summary's map, from 1
        if self.numbered:
            values = reader.values
            self.origin, self.spacing, self.matrix = (0.0, 0.0, 0.0), *self.turned(reader.rows)
        else:
            image = reader.GetOutput()
            self.spacing, self.origin = image.GetSpacing(), image.GetOrigin()
            self.matrix = reader.GetSFormMatrix() or reader.GetQFormMatrix()
            values = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])
        index = numpy.array([self.index([box[k >> d & 1][d] for d in range(3)]) for k in range(8)])
        self.low = numpy.maximum(numpy.floor(index.min(axis=0)).astype(int) - 3, 0)
        high = numpy.minimum(numpy.ceil(index.max(axis=0)).astype(int) + 4, values.shape[::-1])
        self.values = values[tuple(slice(a, b) for a, b in zip(self.low[::-1], high[::-1]))]

    @staticmethod
    def turned(rows):
        """The sizes of voxels, and the matrix of what is left of one with these rows."""
        from vtkmodules.vtkCommonMath import vtkMatrix4x4

        spacing, matrix = [math.hypot(*(row[e] for row in rows)) for e in range(3)], vtkMatrix4x4()
        for d in range(3):
            for e in range(4):
                matrix.SetElement(d, e, rows[d][e] / (*spacing, 1.0)[e])
        return spacing, matrix

    def values_of(self, entries, name):
        """What voxels of a region have, by the summary's map."""
        return [place + 1 if self.numbered else entry["label"] for place, entry in enumerate(entries) if entry["region"] == name]

    def index(self, point):
        """Numbers of the voxel at a place."""
        from vtkmodules.vtkCommonMath import vtkMatrix4x4

        inverse = vtkMatrix4x4()
        if self.matrix is not None:
            vtkMatrix4x4.Invert(self.matrix, inverse)
        local = inverse.MultiplyPoint([*point, 1.0])
        return [(x - o) / s for x, o, s in zip(local, self.origin, self.spacing)]

    def part(self, values):
        """The labels with some values, blurred by about a voxel, as vtkImageData, and the level that keeps their volume; None
        if there are none."""
        import numpy
        from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
        from vtkmodules.vtkCommonDataModel import vtkImageData
        from vtkmodules.vtkImagingGeneral import vtkImageGaussianSmooth

        inside = numpy.isin(self.values, values) if len(values) != 1 else self.values == values[0]
        rows = [numpy.nonzero(inside.any(axis=tuple({0, 1, 2} - {k})))[0] for k in range(3)]
        if len(rows[0]) == 0 or inside.all():
            return None
        cut = [slice(max(r[0] - 3, 0), r[-1] + 4) for r in rows]
        inside = inside[tuple(cut)]
        image = vtkImageData()
        image.SetDimensions(*inside.shape[::-1])
        image.SetSpacing(*self.spacing)
        start = [first + piece.start for first, piece in zip(self.low, cut[::-1])]
        image.SetOrigin(*(o + s * k for o, s, k in zip(self.origin, self.spacing, start)))
        image.GetPointData().SetScalars(numpy_to_vtk(inside.ravel().astype(numpy.float32), deep=True))
        smooth = vtkImageGaussianSmooth()
        smooth.SetInputData(image)
        smooth.SetStandardDeviations(0.9, 0.9, 0.9)
        smooth.SetRadiusFactors(2.2, 2.2, 2.2)
        blurred = output(smooth)
        # A voxel counts by how much of it is inside: the blurred values fall by about 0.4 in a voxel.
        values, count, low, high = vtk_to_numpy(blurred.GetPointData().GetScalars()), inside.sum(), 0.2, 0.8
        values = values[values > 0]
        for _ in range(12):
            level = 0.5 * (low + high)
            more = numpy.clip((values - level) / 0.4 + 0.5, 0, 1).sum() > count
            low, high = (level, high) if more else (low, level)
        return blurred, level


def label_surface(labels, summary, name, box):
    """Surface of a region of a label map in its RAS frame, without the steps of voxels, within the tissue box."""
    from vtkmodules.vtkCommonDataModel import vtkBox
    from vtkmodules.vtkCommonTransforms import vtkTransform
    from vtkmodules.vtkFiltersCore import vtkClipPolyData, vtkFlyingEdges3D, vtkReverseSense, vtkWindowedSincPolyDataFilter
    from vtkmodules.vtkFiltersGeneral import vtkTransformPolyDataFilter

    part = labels.part(labels.values_of(summary["anatomy"]["map"], name))
    if part is None:
        return None
    edges = vtkFlyingEdges3D()
    edges.SetInputData(part[0])
    edges.SetValue(0, part[1])
    edges.ComputeNormalsOff()
    even = vtkWindowedSincPolyDataFilter()
    even.SetInputConnection(edges.GetOutputPort())
    even.SetNumberOfIterations(12)
    even.SetPassBand(0.06)
    even.NonManifoldSmoothingOn()
    even.NormalizeCoordinatesOn()
    to_world, turned = vtkTransform(), vtkReverseSense()
    if labels.matrix is not None:
        to_world.SetMatrix(labels.matrix)
    turned.SetInputConnection(even.GetOutputPort())
    mirrored = labels.matrix is not None and labels.matrix.Determinant() < 0
    world = vtkTransformPolyDataFilter()
    world.SetInputConnection((turned if mirrored else even).GetOutputPort())
    world.SetTransform(to_world)
    world.Update()
    surface = world.GetOutput()
    bounds = surface.GetBounds()
    if all(bounds[2 * d] >= box[0][d] and bounds[2 * d + 1] <= box[1][d] for d in range(3)):
        return surface
    tissue = vtkBox()
    tissue.SetBounds(*(x for pair in zip(*box) for x in pair))
    clip = vtkClipPolyData()
    clip.SetInputData(surface)
    clip.SetClipFunction(tissue)
    clip.InsideOutOn()
    return output(clip)


class Plane:
    """A plane that cuts through what is shown; `right` and `up` are directions in it as it is seen from its normal."""

    def __init__(self, origin, normal, up):
        self.origin = add(origin, normal, 1e-3)  # not quite in faces of cells
        self.normal = normal
        self.up = unit(add(up, normal, -dot(up, normal)))
        self.right = cross(self.up, normal)

    def for_patient(self):
        """As radiologists see it, of a result in RAS: head or front up, the patient's right or front on the left."""
        up = [0.0, 0.0, 1.0] if abs(self.normal[2]) < 0.7 else [0.0, 1.0, 0.0]
        right = cross(up, self.normal)
        backwards = max(right, key=abs) > 0
        return Plane(self.origin, [-x for x in self.normal] if backwards else self.normal, up)


def side(direction):
    """Which side of the patient a direction leads to, of a result in RAS: one or two letters."""
    letters = sorted(((abs(x), "LR"[x > 0] if d == 0 else "PA"[x > 0] if d == 1 else "IS"[x > 0]) for d, x in enumerate(direction)))
    return "".join(letter for size, letter in reversed(letters) if size > 0.45)[:2]


class Shown:
    """What is shown in all views, as vtkPolyData."""

    def __init__(self, path, summary):
        data = zone.read_dataset(path)
        self.grid = zone.grid_of(data)
        self.scene = scene = Scene(summary, data.GetBounds())
        self.regions = self.find_regions(summary)
        # In space, vessels show where the zone ends at them, and what is around the organs would hide it in rags.
        thin = {name for _, name, _, share in self.regions if share <= SOLID}
        names = [region["region"] for region in summary["zone"]["by_region"]]
        self.hidden = [k for k, name in enumerate(names) if thin and (name in thin or name == "default")]
        self.zone, self.threshold = zone.drawn_zone(self.grid, summary, self.hidden) if scene.has_zone else (None, None)
        self.tubes = [self.tube(probe) for probe in scene.probes]
        self.plates = [(self.block(plate), plate) for plate in scene.plates]

    def planes(self):
        """Two planes through the middle of the needles: the one that holds them, or is across them, and one across it."""
        scene = self.scene
        planes = [Plane(scene.origin, scene.normal, scene.slice_up)]
        if scene.along:
            planes.append(Plane(scene.origin, scene.up, [-x for x in scene.normal]))
        else:
            planes.append(Plane(scene.origin, [-x for x in scene.slice_up], scene.up))
        return [plane.for_patient() for plane in planes] if scene.summary.get("frame") == "RAS" else planes

    def field_on(self, plane, reach=None):
        """The field on a plane, V/cm; `reach`: mm from the focus that is left."""
        from vtkmodules.vtkCommonDataModel import vtkPlane
        from vtkmodules.vtkFiltersCore import vtkClipPolyData, vtkCutter

        flat = vtkPlane()
        flat.SetOrigin(*plane.origin)
        flat.SetNormal(*plane.normal)
        cut = cutter = vtkCutter()
        cutter.SetInputData(zone.crossing(self.grid, plane.origin, plane.normal))
        cutter.SetCutFunction(flat)
        for axis, length in [] if reach is None else zip((plane.right, plane.up), reach):
            for sign in (-1, 1):
                wall = vtkPlane()
                wall.SetOrigin(*add(self.scene.focus, axis, sign * length))
                wall.SetNormal(*(sign * x for x in axis))
                clip = vtkClipPolyData()
                clip.SetInputConnection(cut.GetOutputPort())
                clip.SetClipFunction(wall)
                clip.InsideOutOn()
                cut = clip
        return output(cut)

    @staticmethod
    def outline_on(plane, surface, *lifts):
        """Where a plane meets a surface, as joined lines, some mm before the plane; nothing if it does not."""
        from vtkmodules.vtkCommonDataModel import vtkPlane
        from vtkmodules.vtkCommonTransforms import vtkTransform
        from vtkmodules.vtkFiltersCore import vtkCutter, vtkStripper

        flat = vtkPlane()
        flat.SetOrigin(*plane.origin)
        flat.SetNormal(*plane.normal)
        cutter, strips = vtkCutter(), vtkStripper()
        cutter.SetInputData(surface)
        cutter.SetCutFunction(flat)
        strips.SetInputConnection(cutter.GetOutputPort())
        strips.JoinContiguousSegmentsOn()
        lines = []
        for lift in lifts if output(strips).GetNumberOfCells() > 0 else []:
            place = vtkTransform()
            place.Translate(*(lift * x for x in plane.normal))
            lines.append(transformed(strips, place))
        return lines

    def find_regions(self, summary):
        """Surfaces of the regions: (surface, name, colour, share of the tissue)."""
        regions = summary["zone"]["by_region"]
        total = sum(region["volume_cm3"] for region in regions)
        reader = read_labels(summary)
        labels = Labels(reader, self.scene.box) if reader is not None else None
        shown, spare = [], 0
        for number, region in enumerate(regions):
            name, share = region["region"], region["volume_cm3"] / total if total > 0 else 1
            if name == "default" or share <= 0 or (labels is None and share > WHOLE):
                continue
            if labels is not None:
                # The anatomy itself: elements may be coarser than a vein.
                surface = label_surface(labels, summary, name, self.scene.box)
            else:
                surface = zone.walls(self.grid.only(self.grid.region == number))
            if surface is None or surface.GetNumberOfCells() == 0:
                continue
            colour = colour_of(name, spare)
            spare += colour in SPARE_COLOURS
            shown.append((surface if share > WHOLE else with_normals(surface), name, colour, share))
        return shown

    @staticmethod
    def metal(probe, tip, end, radius):
        """The bare part of a probe, with its end as it is shaped."""
        from vtkmodules.vtkFiltersSources import vtkConeSource, vtkSphereSource

        shape, direction = probe.get("tip_shape", "flat"), probe["direction"]
        length = {"rounded": 1.0, "trocar": math.sqrt(3)}.get(shape, 0.0) * radius  # as the mesher makes them
        parts = [rod(add(tip, direction, length), end, radius)]
        if shape == "rounded":
            ball = vtkSphereSource()
            ball.SetCenter(*add(tip, direction, length))
            ball.SetRadius(radius)
            ball.SetThetaResolution(32)
            ball.SetPhiResolution(32)
            parts.append(output(ball))
        if shape == "trocar":
            point = vtkConeSource()
            point.SetResolution(32)
            point.SetHeight(length)
            point.SetRadius(radius)
            point.SetCenter(*add(tip, direction, length / 2))
            point.SetDirection(*(-x for x in direction))
            parts.append(output(point))
        return parts

    def tube(self, probe):
        """Bare and insulated part of a probe: (bare, short shaft, long shaft, end of each, name)."""
        tip, end = self.scene.bare(probe)
        direction, radius = probe["direction"], probe.get("diameter_mm", 1.0) / 2
        above = self.scene.next_electrode(probe)
        margin = 0.06 * max(add(self.scene.box[1], self.scene.box[0], -1))
        wall = self.scene.wall(end, direction, self.scene.box) + margin
        near = self.scene.wall(end, direction, grown(self.scene.focus_box, 1.0, MARGIN + 4))
        ends = [add(end, direction, length) for length in (min(near, wall), wall)]
        if above is not None:
            ends = [above["tip_mm"], above["tip_mm"]]
        shafts = [rod(end, handle, 1.15 * radius) for handle in ends]
        name = probe.get("needle", probe["name"]) if above is None else None
        return (self.metal(probe, tip, end, radius), *shafts, *ends, name)

    def block(self, plate):
        """A plate electrode, at most as large as the tissue box."""
        from vtkmodules.vtkCommonTransforms import vtkTransform
        from vtkmodules.vtkFiltersSources import vtkCubeSource

        size = max(add(self.scene.box[1], self.scene.box[0], -1))
        cube = vtkCubeSource()
        cube.SetXLength(min(plate["width_mm"], size))
        cube.SetYLength(min(plate["height_mm"], size))
        cube.SetZLength(plate["thickness_mm"])
        middle = add(plate["face_mm"], plate["direction"], plate["thickness_mm"] / 2)
        columns = [plate["side"], self.scene.height_of(plate), plate["direction"], middle]
        to_world = vtkTransform()
        to_world.SetMatrix([column[row] for row in range(3) for column in columns] + [0, 0, 0, 1])
        return transformed(cube, to_world)

    def electrode_walls(self):
        """Inner walls of the tissue: the electrodes of a loaded mesh, whose shape nobody has told."""
        return zone.walls(self.grid, grown(self.scene.box, 0.998))

    def outline(self):
        """The tissue box."""
        from vtkmodules.vtkFiltersSources import vtkOutlineSource

        source = vtkOutlineSource()
        source.SetBounds(*(x for pair in zip(*self.scene.box) for x in pair))
        return output(source)


def output(source):
    """What a source makes."""
    source.Update()
    return source.GetOutput()


def transformed(source, transform):
    """What a source makes, elsewhere."""
    from vtkmodules.vtkFiltersGeneral import vtkTransformPolyDataFilter

    placed = vtkTransformPolyDataFilter()
    placed.SetInputConnection(source.GetOutputPort())
    placed.SetTransform(transform)
    return output(placed)


def with_normals(surface):
    """A surface that is shaded smoothly."""
    from vtkmodules.vtkFiltersCore import vtkPolyDataNormals

    normals = vtkPolyDataNormals()
    normals.SetInputData(surface)
    normals.SplittingOff()
    return output(normals)


def rod(start, end, radius):
    """A closed cylinder."""
    from vtkmodules.vtkFiltersCore import vtkTubeFilter
    from vtkmodules.vtkFiltersSources import vtkLineSource

    line, tube = vtkLineSource(), vtkTubeFilter()
    line.SetPoint1(*start)
    line.SetPoint2(*end)
    tube.SetInputConnection(line.GetOutputPort())
    tube.SetRadius(radius)
    tube.SetNumberOfSides(32)
    tube.CappingOn()
    return output(tube)


def oblique(scene):
    """Direction to the main camera: mostly at the slice, a little from the side and from the handles."""
    side, height = (0.55, 0.42) if scene.along else (0.5, 0.0)
    if scene.along:
        return unit(add(add(scene.normal, scene.slice_right, side), scene.up, height))
    return unit(add(add(add([0, 0, 0], scene.up, 0.75), scene.slice_up, -1.0), scene.slice_right, side))


def extent_seen(box, axis):
    """Extent of a box along a direction."""
    return sum(abs(a) * (high - low) for a, low, high in zip(axis, *box))
