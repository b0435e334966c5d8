#!/usr/bin/env python3
"""preview.py RESULT.hdf [-o PICTURE.png]

A picture of a result: the zone, the probes and the field. Without -o the picture is written beside the result.

In ParaView's own Python shell it leaves an interactive scene instead of a picture:
    sys.path.append("scripts"); from preview import preview; preview("result.hdf")
or run it with Tools > Python Shell > Run Script on the result that is open.
"""
import errno
import math
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(globals().get("__file__", "scripts/preview.py"))))
import irezone_result as result  # noqa: E402
import irezone_zone as zone  # noqa: E402
from irezone_view import INK, ParaViewView, Picture  # noqa: E402

SIZE = (1600, 1000)
MARGIN = 8.0  # mm of the slice around the zone
RED = (0.92, 0.18, 0.12)
BARE = (0.93, 0.94, 0.96)
INSULATED = (0.16, 0.22, 0.34)
GREY = (0.35, 0.35, 0.38)
# Colours of named regions, by a part of their name; others take the spare ones in turn.
REGION_COLOURS = {
    "tumour": (0.93, 0.62, 0.10),
    "tumor": (0.93, 0.62, 0.10),
    "arter": (0.78, 0.10, 0.35),
    "aorta": (0.78, 0.10, 0.35),
    "portal": (0.42, 0.30, 0.72),
    "vein": (0.16, 0.40, 0.80),
    "cava": (0.16, 0.40, 0.80),
    "gall": (0.25, 0.60, 0.30),
    "bile": (0.25, 0.60, 0.30),
    "cyst": (0.20, 0.65, 0.70),
    "liver": (0.62, 0.36, 0.30),
}
SPARE_COLOURS = [(0.20, 0.60, 0.45), (0.55, 0.45, 0.20), (0.50, 0.25, 0.60), (0.20, 0.50, 0.65)]


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
    from vtkmodules.vtkIOImage import vtkNIFTIImageReader

    reader = vtkNIFTIImageReader()
    if not reader.CanReadFile(anatomy["labels"]):
        return None
    reader.SetFileName(anatomy["labels"])
    reader.Update()
    return reader


def label_surface(labels, summary, name, box):
    """Surface of a region of a label map in its RAS frame, smoothed by about a voxel, within the tissue box."""
    import numpy
    from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
    from vtkmodules.vtkCommonDataModel import vtkBox, vtkImageData
    from vtkmodules.vtkCommonTransforms import vtkTransform
    from vtkmodules.vtkFiltersCore import vtkClipPolyData, vtkFlyingEdges3D
    from vtkmodules.vtkFiltersGeneral import vtkTransformPolyDataFilter
    from vtkmodules.vtkImagingGeneral import vtkImageGaussianSmooth

    values = [entry["label"] for entry in summary["anatomy"]["map"] if entry["region"] == name]
    image = labels.GetOutput()
    inside = numpy.isin(vtk_to_numpy(image.GetPointData().GetScalars()), values).astype(numpy.float32)
    mask = vtkImageData()
    mask.CopyStructure(image)
    mask.GetPointData().SetScalars(numpy_to_vtk(inside, deep=True))
    smooth = vtkImageGaussianSmooth()
    smooth.SetInputData(mask)
    smooth.SetStandardDeviations(0.8, 0.8, 0.8)
    edges = vtkFlyingEdges3D()
    edges.SetInputConnection(smooth.GetOutputPort())
    edges.SetValue(0, 0.5)
    to_world = vtkTransform()
    matrix = labels.GetSFormMatrix() or labels.GetQFormMatrix()
    if matrix is not None:
        to_world.SetMatrix(matrix)
    world = vtkTransformPolyDataFilter()
    world.SetInputConnection(edges.GetOutputPort())
    world.SetTransform(to_world)
    tissue = vtkBox()
    tissue.SetBounds(*(x for pair in zip(*box) for x in pair))
    clip = vtkClipPolyData()
    clip.SetInputConnection(world.GetOutputPort())
    clip.SetClipFunction(tissue)
    clip.InsideOutOn()
    clip.Update()
    return clip.GetOutput()


class Shown:
    """What is shown in all views, as vtkPolyData."""

    def __init__(self, path, summary):
        data = zone.read_dataset(path)
        self.grid = zone.grid_of(data)
        self.scene = Scene(summary, data.GetBounds())
        surfaces = zone.zone_surfaces(self.grid, summary) if self.scene.has_zone else []
        self.origin = add(self.scene.origin, self.scene.normal, 1e-3)  # of the slice, not quite in faces of cells
        self.zone = [surface.polydata() for surface in surfaces]
        self.slice = self.cut_plane()
        self.edge = [self.line_of(surface) for surface in surfaces]
        self.regions = self.find_regions(summary)
        self.tubes = [self.tube(probe) for probe in self.scene.probes]
        self.plates = [(self.block(plate), plate) for plate in self.scene.plates]

    def cut_plane(self):
        """The field on a rectangle around the zone."""
        from vtkmodules.vtkCommonDataModel import vtkPlane
        from vtkmodules.vtkFiltersCore import vtkClipPolyData, vtkCutter

        plane = vtkPlane()
        plane.SetOrigin(*self.origin)
        plane.SetNormal(*self.scene.normal)
        cut = cutter = vtkCutter()
        cutter.SetInputData(zone.crossing(self.grid, self.origin, self.scene.normal))
        cutter.SetCutFunction(plane)
        seen = grown(self.scene.focus_box, 1.0, MARGIN)
        for axis in (self.scene.slice_right, self.scene.slice_up):
            for sign in (-1, 1):
                side = vtkPlane()
                side.SetOrigin(*add(self.scene.focus, axis, 0.5 * sign * extent_seen(seen, axis)))
                side.SetNormal(*(sign * x for x in axis))
                clip = vtkClipPolyData()
                clip.SetInputConnection(cut.GetOutputPort())
                clip.SetClipFunction(side)
                clip.InsideOutOn()
                cut = clip
        cut.Update()
        return cut.GetOutput()

    def line_of(self, surface):
        """Where the slice meets a surface, a hair before the slice, or else it would be hidden here and there."""
        from vtkmodules.vtkCommonCore import vtkPoints
        from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
        from vtkmodules.vtkFiltersCore import vtkCleanPolyData

        segments, points, lines = vtkPolyData(), vtkPoints(), vtkCellArray()
        for start, end in zone.line(surface, self.origin, self.scene.normal):
            lines.InsertNextCell(2)
            for place in (start, end):
                lines.InsertCellPoint(points.InsertNextPoint(*add(place, self.scene.normal, 0.05)))
        segments.SetPoints(points)
        segments.SetLines(lines)
        clean = vtkCleanPolyData()
        clean.SetInputData(segments)
        clean.ToleranceIsAbsoluteOn()
        clean.SetAbsoluteTolerance(0.02)
        clean.ConvertLinesToPointsOff()
        return output(clean)

    def find_regions(self, summary):
        """Surfaces of the regions worth showing: (surface, name, colour, share of the tissue). What fills most of the
        box is not."""
        regions = summary["zone"]["by_region"]
        total = sum(region["volume_cm3"] for region in regions)
        labels = read_labels(summary)
        shown, spare = [], 0
        for number, region in enumerate(regions):
            name, share = region["region"], region["volume_cm3"] / total if total > 0 else 1
            if name == "default" or share > 0.5 or share <= 0:
                continue
            if labels is not None:
                # The anatomy itself: elements may be coarser than a vein.
                surface = label_surface(labels, summary, name, self.scene.box)
            else:
                surface = zone.walls(self.grid.only(self.grid.region == number))
            if surface.GetNumberOfCells() == 0:
                continue
            colour = colour_of(name, spare)
            spare += colour in SPARE_COLOURS
            shown.append((with_normals(surface), name, colour, share))
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


def show_field(shown, view, legend):
    """The slice coloured by |E|, with the threshold as a line."""
    values = [value for _, value in result.thresholds(shown.scene.summary)]
    top = 3.0 * max(values)
    view.show_field(shown.slice, result.FIELD, top, sorted({0.0, top / 3, top * 2 / 3, top, *values}) if legend else [])
    for line in shown.edge:
        view.show(line, (1, 1, 1), width=3)


def show_probes(shown, view, short):
    """Probes with their names at the handle; `short`: only the part of the shaft near the zone."""
    for bare, short_shaft, long_shaft, short_end, long_end, name in shown.tubes:
        for part in bare:
            view.show(part, BARE, shine=0.6)
        view.show(short_shaft if short else long_shaft, INSULATED, shine=0.2)
        if name is not None:
            view.label(name, add(short_end if short else long_end, shown.scene.up, 1.5 if short else 3), size=20)
    for block, plate in shown.plates:
        view.show(block, BARE, 0.7, shine=0.3)
        top = add(plate["face_mm"], shown.scene.up, plate["height_mm"] / 2 + 2)
        view.label(plate["name"], add(top, plate["direction"], 1), size=20)
    if not shown.tubes and not shown.plates:
        view.show(shown.electrode_walls(), GREY)


def show_solids(shown, view, large):
    """The zone and the regions, translucent; `large`: also regions that would hide everything in a close view."""
    for surface, _, colour, share in shown.regions:
        if large or share <= 0.08:
            view.show(surface, colour, 0.12 if share > 0.08 else 0.32 if share > 0.03 else 0.6)
    for surface in shown.zone:
        view.show(surface, RED, 0.36, shine=0.15, ambient=0.25)


def show_scale(view, start, right, up, length, colour):
    """A bar of known length."""
    from vtkmodules.vtkFiltersSources import vtkLineSource

    line = vtkLineSource()
    line.SetPoint1(*start)
    line.SetPoint2(*add(start, right, length))
    view.show(output(line), colour, width=5)
    view.label(f"{length:g} mm", add(start, up), colour, size=16, across="Left")


def round_length(length):
    """1, 2 or 5 times a power of ten, not longer than this."""
    power = 10 ** math.floor(math.log10(length))
    return max(step * power for step in (1, 2, 5) if step * power <= length * 1.0001)


def oblique(scene):
    """Direction to the main camera: mostly at the slice, a little from the side and from the handles."""
    side, height = (0.55, 0.42) if scene.along else (0.5, 0.0)
    if scene.along:
        return unit(add(add(scene.normal, scene.slice_right, side), scene.up, height))
    return unit(add(add(add([0, 0, 0], scene.up, 0.75), scene.slice_up, -1.0), scene.slice_right, side))


def extent_seen(box, axis):
    """Extent of a box along a direction."""
    return sum(abs(a) * (high - low) for a, low, high in zip(axis, *box))


def fill_main(shown, view, whole):
    """The large view: zone, probes, slice, legend, scale bar, title; `whole`: with shafts and tissue box in full."""
    scene = shown.scene
    towards = oblique(scene)
    right = unit(cross(scene.up, towards))
    up = cross(towards, right)
    seen = grown(scene.focus_box, 1.0, MARGIN)
    half = 0.58 * max(extent_seen(seen, up), extent_seen(seen, right) / 1.2)
    view.aim(scene.focus, towards, up, half)
    show_field(shown, view, legend=True)
    show_probes(shown, view, short=not whole)
    if whole:
        view.show(shown.outline(), GREY, width=1.5)
    show_solids(shown, view, large=whole)
    corner = add(add(add(scene.focus, right, -0.95 * half), up, -0.86 * half), towards, 4 * half)
    show_scale(view, corner, right, [0.03 * half * x for x in up], round_length(0.5 * half), INK)
    view.caption(scene.title(), [0.025, 0.935], size=26, bold=1)
    for i, (_, name, colour, _) in enumerate(shown.regions):
        view.caption(name, [0.025, 0.885 - 0.036 * i], colour=[0.8 * c for c in colour], size=18, bold=1)


def fill_overview(shown, view):
    """The whole tissue box."""
    scene = shown.scene
    towards = oblique(scene)
    right = unit(cross(scene.up, towards))
    up = cross(towards, right)
    middle = [(a + b) / 2 for a, b in zip(*scene.box)]
    half = 0.62 * max(extent_seen(scene.box, up), extent_seen(scene.box, right))
    view.aim(middle, towards, up, half)
    show_probes(shown, view, short=False)
    view.show(shown.outline(), GREY, width=1.5)
    show_solids(shown, view, large=True)
    size = [high - low for low, high in zip(*scene.box)]
    text = f"tissue, {size[0]:.0f} × {size[1]:.0f} × {size[2]:.0f} mm"
    view.caption(text, [0.03, 0.03], size=15)


def fill_slice(shown, view):
    """The slice seen face on."""
    scene = shown.scene
    seen = grown(scene.focus_box, 1.0, MARGIN)
    half = 0.60 * max(extent_seen(seen, scene.slice_up), extent_seen(seen, scene.slice_right))
    view.aim(scene.focus, scene.normal, scene.slice_up, half)
    show_field(shown, view, legend=False)
    show_probes(shown, view, short=True)
    corner = add(scene.focus, scene.slice_right, -0.47 * extent_seen(seen, scene.slice_right))
    corner = add(add(corner, scene.slice_up, -0.47 * extent_seen(seen, scene.slice_up)), scene.normal, 4 * half)
    show_scale(view, corner, scene.slice_right, [0.03 * half * x for x in scene.slice_up], round_length(0.4 * half), (1, 1, 1))
    text = "slice through the probes; white line: threshold"
    view.caption(text, [0.03, 0.02], size=15)


def write_picture(shown, output_path):
    """Three views side by side: close up, the whole tissue, the slice."""
    result.need_screen()
    picture = Picture(SIZE)
    width, height = SIZE
    split, middle = round(0.68 * width), height // 2
    picture.add(0, 0, width, height).renderer.SetBackground(0.85, 0.85, 0.87)  # lines between the views
    views = [
        picture.add(0, 0, split - 1, height),
        picture.add(split + 1, middle + 1, width, height),
        picture.add(split + 1, 0, width, middle - 1),
    ]
    fill_main(shown, views[0], whole=False)
    fill_overview(shown, views[1])
    fill_slice(shown, views[2])
    for view in views:
        view.done()
    with result.replacing(output_path) as temporary:
        if not picture.write(temporary) or os.path.getsize(temporary) == 0:
            raise OSError(errno.EIO, "VTK failed to write it")


def preview(path, output_path=None):
    """Write a picture of a result; without `output_path`, build the scene in ParaView's active view and leave it."""
    shown = Shown(path, result.read_summary(path))
    if output_path is not None:
        write_picture(shown, output_path)
    else:
        view = ParaViewView()
        fill_main(shown, view, whole=True)
        view.done()


def active_result():
    """File of the result that is open in ParaView, or None."""
    from paraview.simple import GetActiveSource

    name = getattr(GetActiveSource(), "FileName", None)
    return name if isinstance(name, str) or name is None else name[0]


def main():
    """The command line."""
    import argparse

    parser = argparse.ArgumentParser(description="A picture of a result.")
    parser.add_argument("result", help="RESULT.hdf")
    parser.add_argument("-o", "--output", help="PICTURE.png (default: beside the result)")
    options = parser.parse_args()
    output = options.output or os.path.splitext(options.result)[0] + ".png"
    if not output.endswith(".png"):
        result.fail(f"{output}: unknown ending; allowed is .png", 2)
    if not os.access(os.path.dirname(os.path.abspath(output)), os.W_OK):
        result.fail(f"{output}: cannot be written: its folder is missing or not writable", 5)
    result.need_vtk()
    preview(options.result, output)
    print(f"{output}: {SIZE[0]} x {SIZE[1]}")
    result.leave(0)


if __name__ in ("__main__", "__vtkconsole__"):
    if result.inside_paraview():
        if active_result() is None:
            print('Open a result first, or call preview("result.hdf").')
        else:
            preview(active_result())
    else:
        main()
