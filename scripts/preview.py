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

SIZE = (1600, 1000)
MARGIN = 8.0  # mm of the slice around the zone
SAMPLES = 400  # points of the slice from left to right
LINE_WIDTH = 0.7  # mm over which the field is averaged for the line of the zone; moves it by less than 0.1 mm
RED = (0.92, 0.18, 0.12)
BARE = (0.93, 0.94, 0.96)
INSULATED = (0.16, 0.22, 0.34)
GREY = (0.35, 0.35, 0.38)
INK = (0.10, 0.10, 0.12)
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
        zone = summary["zone"]
        self.has_zone = (zone["volume_cm3"] or 0) > 0
        low, high = (list(corner) for corner in (zone["bounding_box_mm"] if self.has_zone else self.box))
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
        zone = self.summary["zone"]
        volume, error = zone["volume_cm3"] or 0.0, zone.get("volume_error_cm3")
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


def show(source, view, colour, opacity=1.0, shine=0.0):
    """Show a surface in one colour."""
    from paraview.simple import Show

    display = Show(source, view)
    display.Representation = "Surface"
    display.ColorArrayName = ["POINTS", ""]
    display.AmbientColor = display.DiffuseColor = list(colour)
    display.Opacity = opacity
    display.Specular = shine
    return display


def show_label(text, place, view, colour=INK, size=18, across="Center"):
    """Text at a place in space."""
    from paraview.simple import Show, Text

    display = Show(Text(Text=text), view)
    display.TextPropMode = "Billboard 3D Text"
    display.BillboardPosition = place
    display.Color = list(colour)
    display.FontSize = size
    display.Bold = 1
    display.Justification = across
    return display


def show_caption(text, view, place, colour=INK, size=16, bold=0):
    """Text at a place in the window (parts of its width and height, from the lower left corner)."""
    from paraview.simple import Show, Text

    display = Show(Text(Text=text), view)
    display.WindowLocation = "Any Location"
    display.Position = place
    display.Color = list(colour)
    display.FontSize = size
    display.Bold = bold


def fill_gaps(sampled, shape):
    """Samples on a plane, with the mean of both neighbours where VTK did not find the cell between them: in some curved
    cells its search ends outside."""
    from paraview.simple import TrivialProducer
    from vtkmodules.util.numpy_support import vtk_to_numpy

    sampled.UpdatePipeline()
    found = sampled.GetClientSideObject().GetOutputDataObject(0)
    filled = found.NewInstance()
    filled.DeepCopy(found)
    points = filled.GetPointData()
    mask = vtk_to_numpy(points.GetArray("vtkValidPointMask")).reshape(shape)
    arrays = [vtk_to_numpy(points.GetArray(i)) for i in range(points.GetNumberOfArrays())]
    for axis in (0, 1):
        before, middle, after = ([slice(None)] * 2 for _ in range(3))
        before[axis], middle[axis], after[axis] = slice(None, -2), slice(1, -1), slice(2, None)
        gap = (mask[tuple(middle)] == 0) & (mask[tuple(before)] > 0) & (mask[tuple(after)] > 0)
        for array in arrays:
            grid = array.reshape(shape + array.shape[1:])
            mean = 0.5 * (grid[tuple(before)][gap] + grid[tuple(after)][gap])
            grid[tuple(middle)][gap] = mean.astype(grid.dtype)
    producer = TrivialProducer()
    producer.GetClientSideObject().SetOutput(filled)
    return producer


def smoothed(sampled, shape, width):
    """Samples on a plane whose field is averaged over about `width` points: elements are larger than a line is wide, so
    without it the line of the zone shows them. Points without tissue do not count."""
    import numpy
    from paraview.simple import TrivialProducer
    from vtkmodules.util.numpy_support import vtk_to_numpy

    sampled.UpdatePipeline()
    smooth = sampled.GetClientSideObject().GetOutputDataObject(0).NewInstance()
    smooth.DeepCopy(sampled.GetClientSideObject().GetOutputDataObject(0))
    points = smooth.GetPointData()
    mask = vtk_to_numpy(points.GetArray("vtkValidPointMask")).reshape(shape) > 0
    field = vtk_to_numpy(points.GetArray(result.FIELD)).reshape(shape)
    reach = int(3 * width) + 1
    weights = numpy.exp(-0.5 * (numpy.arange(-reach, reach + 1) / width) ** 2)
    total, share = numpy.log(numpy.where(mask, numpy.maximum(field, 1e-3), 1.0)) * mask, mask.astype(float)
    for axis in (0, 1):
        total, share = (numpy.apply_along_axis(numpy.convolve, axis, a, weights, "same") for a in (total, share))
    field[mask] = numpy.exp(total[mask] / share[mask])
    producer = TrivialProducer()
    producer.GetClientSideObject().SetOutput(smooth)
    return producer


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


class Pipeline:
    """The sources shown in all views."""

    def __init__(self, path, summary):
        from paraview.simple import Contour, GenerateSurfaceNormals, Outline

        self.reader, self.grid = result.open_result(path)
        self.scene = scene = Scene(summary, self.reader.GetDataInformation().GetBounds())
        self.outline = Outline(Input=self.reader)
        value = result.one_threshold(summary)
        self.zone = self.edge = None
        self.plane = self.cut_plane()
        if scene.has_zone and value:
            self.zone = GenerateSurfaceNormals(Input=Contour(Input=self.reader, ContourBy=["POINTS", result.FIELD], Isosurfaces=[value]))
            self.edge = Contour(Input=self.line_plane, ContourBy=["POINTS", result.FIELD], Isosurfaces=[value])
        elif scene.has_zone:
            self.zone, self.edge = self.zone_by_region(summary)
        self.regions = self.find_regions(summary)
        self.tubes = [self.tube(probe) for probe in scene.probes]
        self.plates = [(self.block(plate), plate) for plate in scene.plates]

    def cut_plane(self):
        """The field on a rectangle around the zone, sampled finely: quadratic cells stay smooth, its edge straight."""
        from paraview.simple import Plane, ResampleWithDataset, Threshold

        scene = self.scene
        half = [0.5 * extent_seen(grown(scene.focus_box, 1.0, MARGIN), axis) for axis in (scene.slice_right, scene.slice_up)]
        offset = dot(add(scene.focus, scene.origin, -1), scene.normal)
        middle = add(scene.focus, scene.normal, -offset)
        corner = add(add(middle, scene.slice_right, -half[0]), scene.slice_up, -half[1])
        rows = max(1, round(SAMPLES * half[1] / half[0]))
        plane = Plane(
            Origin=corner,
            Point1=add(corner, scene.slice_right, 2 * half[0]),
            Point2=add(corner, scene.slice_up, 2 * half[1]),
            XResolution=SAMPLES,
            YResolution=rows,
        )
        sampled = fill_gaps(ResampleWithDataset(SourceDataArrays=self.reader, DestinationMesh=plane), (rows + 1, SAMPLES + 1))
        # Points outside the tissue (inside a needle, beyond the box) have no field.
        tissue = [
            Threshold(Input=source, Scalars=["POINTS", "vtkValidPointMask"], LowerThreshold=0.5, UpperThreshold=1.5)
            for source in (sampled, smoothed(sampled, (rows + 1, SAMPLES + 1), LINE_WIDTH * SAMPLES / (2 * half[0])))
        ]
        self.line_plane = tissue[1]
        return tissue[0]

    def zone_by_region(self, summary):
        """Surface of the zone and its edge in the slice, where regions have thresholds of their own."""
        from paraview.simple import CleantoGrid, ExtractSurface, FeatureEdges, GenerateSurfaceNormals, Slice

        solid = CleantoGrid(Input=result.zone_solid(self.grid, summary))
        surface = GenerateSurfaceNormals(Input=ExtractSurface(Input=solid))
        plane = Slice(Input=solid)
        plane.SliceType.Origin = self.scene.origin
        plane.SliceType.Normal = self.scene.normal
        edge = FeatureEdges(Input=plane, BoundaryEdges=1, FeatureEdges=0, NonManifoldEdges=0, ManifoldEdges=0)
        return surface, edge

    def find_regions(self, summary):
        """Surfaces of the regions worth showing: (source, name, colour, share of the
        tissue). What fills most of the box is not."""
        from paraview.simple import ExtractSurface, GenerateSurfaceNormals, TrivialProducer

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
                surface = TrivialProducer()
                surface.GetClientSideObject().SetOutput(label_surface(labels, summary, name, self.scene.box))
            else:
                surface = ExtractSurface(Input=result.region_cells(self.grid, number))
            surface.UpdatePipeline()
            if surface.GetDataInformation().GetNumberOfCells() == 0:
                continue
            colour = colour_of(name, spare)
            spare += colour in SPARE_COLOURS
            shown.append((GenerateSurfaceNormals(Input=surface), name, colour, share))
        return shown

    @staticmethod
    def metal(probe, tip, end, radius):
        """The bare part of a probe, with its end as it is shaped."""
        from paraview.simple import Cone, GroupDatasets, Line, Sphere, Tube

        shape, direction = probe.get("tip_shape", "flat"), probe["direction"]
        length = {"rounded": 1.0, "trocar": math.sqrt(3)}.get(shape, 0.0) * radius  # as the mesher makes them
        wall = Tube(Input=Line(Point1=add(tip, direction, length), Point2=end), Radius=radius, NumberofSides=32, Capping=1)
        if shape == "rounded":
            return GroupDatasets(Input=[wall, Sphere(Center=add(tip, direction, length), Radius=radius, ThetaResolution=32, PhiResolution=32)])
        if shape == "trocar":
            point = Cone(Resolution=32, Height=length, Radius=radius, Center=add(tip, direction, length / 2))
            point.Direction = [-x for x in direction]
            return GroupDatasets(Input=[wall, point])
        return wall

    def tube(self, probe):
        """Bare and insulated part of a probe: (bare, short shaft, long shaft, end of each, name)."""
        from paraview.simple import Line, Tube

        tip, end = self.scene.bare(probe)
        direction, radius = probe["direction"], probe.get("diameter_mm", 1.0) / 2
        above = self.scene.next_electrode(probe)
        margin = 0.06 * max(add(self.scene.box[1], self.scene.box[0], -1))
        wall = self.scene.wall(end, direction, self.scene.box) + margin
        near = self.scene.wall(end, direction, grown(self.scene.focus_box, 1.0, MARGIN + 4))
        ends = [add(end, direction, length) for length in (min(near, wall), wall)]
        if above is not None:
            ends = [above["tip_mm"], above["tip_mm"]]
        tubes = [self.metal(probe, tip, end, radius)]
        for handle in ends:
            tubes.append(Tube(Input=Line(Point1=end, Point2=handle), Radius=1.15 * radius, NumberofSides=32, Capping=1))
        name = probe.get("needle", probe["name"]) if above is None else None
        return (*tubes, *ends, name)

    def block(self, plate):
        """A plate electrode, at most as large as the tissue box."""
        from paraview.simple import TrivialProducer
        from vtkmodules.vtkCommonTransforms import vtkTransform
        from vtkmodules.vtkFiltersGeneral import vtkTransformPolyDataFilter
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
        placed = vtkTransformPolyDataFilter()
        placed.SetInputConnection(cube.GetOutputPort())
        placed.SetTransform(to_world)
        placed.Update()
        block = TrivialProducer()
        block.GetClientSideObject().SetOutput(placed.GetOutput())
        return block

    def electrode_walls(self):
        """Inner walls of the tissue: the electrodes of a loaded mesh, whose shape nobody has told."""
        from paraview.simple import Clip, ExtractSurface

        box = grown(self.scene.box, 0.998)
        clip = Clip(Input=ExtractSurface(Input=self.reader), ClipType="Box", Invert=1)
        clip.ClipType.Position = box[0]
        clip.ClipType.Length = add(box[1], box[0], -1)
        return clip


def show_field(pipeline, view, legend):
    """The slice coloured by |E|, with the threshold as a line."""
    from paraview.simple import ColorBy, GetColorTransferFunction, GetScalarBar, Show

    values = [value for _, value in result.thresholds(pipeline.scene.summary)]
    top = 3.0 * max(values)
    colours = GetColorTransferFunction(result.FIELD)
    colours.AutomaticRescaleRangeMode = "Never"
    colours.ApplyPreset("Viridis (matplotlib)", True)
    display = Show(pipeline.plane, view)
    display.Representation = "Surface"
    ColorBy(display, ("POINTS", result.FIELD))
    colours.RescaleTransferFunction(0.0, top)
    display.Ambient, display.Diffuse = 1.0, 0.0
    display.SetScalarBarVisibility(view, legend)
    if legend:
        bar = GetScalarBar(colours, view)
        bar.Title, bar.ComponentTitle = "field strength (V/cm)", ""
        bar.TitleColor = bar.LabelColor = list(INK)
        bar.TitleFontSize, bar.LabelFontSize = 18, 16
        bar.Orientation = "Horizontal"
        bar.WindowLocation = "Any Location"
        bar.Position, bar.ScalarBarLength = [0.60, 0.06], 0.33
        bar.ScalarBarThickness = 18
        bar.AutomaticLabelFormat, bar.LabelFormat, bar.RangeLabelFormat = 0, "%.0f", "%.0f"
        bar.UseCustomLabels = 1
        bar.CustomLabels = sorted({top / 3, top * 2 / 3, *values})
    if pipeline.edge is not None:
        line = show(pipeline.edge, view, (1, 1, 1))
        line.LineWidth = 3
        line.RenderLinesAsTubes = 0
        line.Ambient, line.Diffuse = 1.0, 0.0
    return display


def show_probes(pipeline, view, short):
    """Probes with their names at the handle; `short`: only the part of the shaft near the zone."""
    for bare, short_shaft, long_shaft, short_end, long_end, name in pipeline.tubes:
        show(bare, view, BARE, shine=0.6)
        show(short_shaft if short else long_shaft, view, INSULATED, shine=0.2)
        if name is not None:
            show_label(name, add(short_end if short else long_end, pipeline.scene.up, 1.5 if short else 3), view, size=20)
    for block, plate in pipeline.plates:
        show(block, view, BARE, 0.7, shine=0.3)
        top = add(plate["face_mm"], pipeline.scene.up, plate["height_mm"] / 2 + 2)
        show_label(plate["name"], add(top, plate["direction"], 1), view, size=20)
    if not pipeline.tubes and not pipeline.plates:
        show(pipeline.electrode_walls(), view, GREY)


def show_box(pipeline, view):
    """The tissue box."""
    display = show(pipeline.outline, view, GREY)
    display.LineWidth = 1.5


def show_solids(pipeline, view, large):
    """The zone and the regions, translucent; `large`: also regions that would hide everything in a close view."""
    for source, _, colour, share in pipeline.regions:
        if large or share <= 0.08:
            show(source, view, colour, 0.12 if share > 0.08 else 0.32 if share > 0.03 else 0.6)
    if pipeline.zone is not None:
        show(pipeline.zone, view, RED, 0.36, shine=0.15).Ambient = 0.25


def aim(view, focus, direction, up, half_height):
    """A parallel view from a direction, so that a scale bar holds everywhere."""
    view.CameraParallelProjection = 1
    view.CameraFocalPoint = focus
    view.CameraPosition = add(focus, direction, 8 * half_height + 100)
    view.CameraViewUp = up
    view.CameraParallelScale = half_height
    view.CenterOfRotation = focus


def show_scale(view, start, right, length, colour):
    """A bar of known length."""
    from paraview.simple import Line, Show

    end = add(start, right, length)
    display = Show(Line(Point1=start, Point2=end), view)
    display.AmbientColor = display.DiffuseColor = list(colour)
    display.LineWidth = 5
    display.Ambient, display.Diffuse = 1.0, 0.0
    above = add(start, view.CameraViewUp, 0.03 * view.CameraParallelScale)
    show_label(f"{length:g} mm", above, view, colour, size=16, across="Left")


def round_length(length):
    """1, 2 or 5 times a power of ten, not longer than this."""
    power = 10 ** math.floor(math.log10(length))
    return max(step * power for step in (1, 2, 5) if step * power <= length * 1.0001)


def clear_view(view):
    """White, without decorations."""
    view.UseColorPaletteForBackground = 0
    view.BackgroundColorMode = "Single Color"
    view.Background = [1, 1, 1]
    view.OrientationAxesVisibility = 0
    view.UseFXAA = 1
    return view


def oblique(scene):
    """Direction to the main camera: mostly at the slice, a little from the side and from the handles."""
    side, height = (0.55, 0.42) if scene.along else (0.5, 0.0)
    if scene.along:
        return unit(add(add(scene.normal, scene.slice_right, side), scene.up, height))
    return unit(add(add(add([0, 0, 0], scene.up, 0.75), scene.slice_up, -1.0), scene.slice_right, side))


def extent_seen(box, axis):
    """Extent of a box along a direction."""
    return sum(abs(a) * (high - low) for a, low, high in zip(axis, *box))


def fill_main(pipeline, view, whole):
    """The large view: zone, probes, slice, legend, scale bar, title; `whole`: with shafts and tissue box in full."""
    scene = pipeline.scene
    towards = oblique(scene)
    right = unit(cross(scene.up, towards))
    up = cross(towards, right)
    seen = grown(scene.focus_box, 1.0, MARGIN)
    half = 0.58 * max(extent_seen(seen, up), extent_seen(seen, right) / 1.2)
    aim(view, scene.focus, towards, up, half)
    show_field(pipeline, view, legend=True)
    show_probes(pipeline, view, short=not whole)
    if whole:
        show_box(pipeline, view)
    show_solids(pipeline, view, large=whole)
    corner = add(add(add(scene.focus, right, -0.95 * half), up, -0.86 * half), towards, 4 * half)
    show_scale(view, corner, right, round_length(0.5 * half), INK)
    show_caption(scene.title(), view, [0.025, 0.935], size=26, bold=1)
    for i, (_, name, colour, _) in enumerate(pipeline.regions):
        show_caption(name, view, [0.025, 0.885 - 0.036 * i], colour=[0.8 * c for c in colour], size=18, bold=1)


def fill_overview(pipeline, view):
    """The whole tissue box."""
    scene = pipeline.scene
    towards = oblique(scene)
    right = unit(cross(scene.up, towards))
    up = cross(towards, right)
    middle = [(a + b) / 2 for a, b in zip(*scene.box)]
    half = 0.62 * max(extent_seen(scene.box, up), extent_seen(scene.box, right))
    aim(view, middle, towards, up, half)
    show_probes(pipeline, view, short=False)
    show_box(pipeline, view)
    show_solids(pipeline, view, large=True)
    size = [high - low for low, high in zip(*scene.box)]
    text = f"tissue, {size[0]:.0f} × {size[1]:.0f} × {size[2]:.0f} mm"
    show_caption(text, view, [0.03, 0.03], size=15)


def fill_slice(pipeline, view):
    """The slice seen face on."""
    scene = pipeline.scene
    seen = grown(scene.focus_box, 1.0, MARGIN)
    half = 0.60 * max(extent_seen(seen, scene.slice_up), extent_seen(seen, scene.slice_right))
    aim(view, scene.focus, scene.normal, scene.slice_up, half)
    show_field(pipeline, view, legend=False)
    show_probes(pipeline, view, short=True)
    corner = add(scene.focus, scene.slice_right, -0.47 * extent_seen(seen, scene.slice_right))
    corner = add(add(corner, scene.slice_up, -0.47 * extent_seen(seen, scene.slice_up)), scene.normal, 4 * half)
    show_scale(view, corner, scene.slice_right, round_length(0.4 * half), (1, 1, 1))
    text = "slice through the probes; white line: threshold"
    show_caption(text, view, [0.03, 0.02], size=15)


def write_picture(pipeline, output):
    """Three views side by side: close up, the whole tissue, the slice."""
    from paraview.simple import AssignViewToLayout, CreateLayout, CreateRenderView, SaveScreenshot

    layout = CreateLayout("irezone")
    views = [clear_view(CreateRenderView()) for _ in range(3)]
    AssignViewToLayout(view=views[0], layout=layout, hint=0)
    layout.SplitHorizontal(0, 0.68)
    AssignViewToLayout(view=views[1], layout=layout, hint=2)
    layout.SplitVertical(2, 0.5)
    AssignViewToLayout(view=views[2], layout=layout, hint=6)
    fill_main(pipeline, views[0], whole=False)
    fill_overview(pipeline, views[1])
    fill_slice(pipeline, views[2])
    layout.SetSize(*SIZE)
    with result.replacing(output) as temporary:
        SaveScreenshot(temporary, layout, ImageResolution=list(SIZE), SeparatorWidth=2, SeparatorColor=[0.85, 0.85, 0.87])
        if os.path.getsize(temporary) == 0:
            raise OSError(errno.EIO, "ParaView failed to write it")


def preview(path, output=None):
    """Write a picture of a result; without `output`, build the scene in the active view and leave it."""
    summary = result.read_summary(path)
    from paraview.simple import GetActiveViewOrCreate, Render, _DisableFirstRenderCameraReset

    _DisableFirstRenderCameraReset()
    pipeline = Pipeline(path, summary)
    if output is not None:
        write_picture(pipeline, output)
    else:
        view = clear_view(GetActiveViewOrCreate("RenderView"))
        fill_main(pipeline, view, whole=True)
        Render(view)


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
    result.read_summary(options.result)  # a wrong file is found before ParaView is started
    result.need_paraview(rendering=True)
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
