"""Views in which preview.py puts what it shows: of plain VTK for a picture, of ParaView for a scene to play with."""

INK = (0.10, 0.10, 0.12)
TITLE = "field strength (V/cm)"
# Viridis (S. van der Walt and N. Smith, CC0) at equal steps.
VIRIDIS = [
    (0.267, 0.005, 0.329), (0.283, 0.131, 0.449), (0.262, 0.242, 0.521), (0.220, 0.343, 0.549), (0.178, 0.433, 0.557),
    (0.143, 0.523, 0.556), (0.120, 0.607, 0.540), (0.166, 0.691, 0.497), (0.320, 0.771, 0.411), (0.526, 0.834, 0.288),
    (0.762, 0.876, 0.137), (0.993, 0.906, 0.144),
]  # fmt: skip


class Picture:
    """A window off screen with views side by side."""

    def __init__(self, size):
        from vtkmodules.vtkRenderingCore import vtkRenderWindow
        import vtkmodules.vtkRenderingFreeType  # noqa: F401  (text)
        import vtkmodules.vtkRenderingOpenGL2  # noqa: F401  (drawing)

        self.size = size
        self.window = vtkRenderWindow()
        self.window.SetOffScreenRendering(1)
        self.window.SetMultiSamples(0)
        self.window.SetSize(*size)
        self.window.SetDPI(72)

    def add(self, left, bottom, right, top):
        """A view in a part of the window, in pixels."""
        from vtkmodules.vtkRenderingCore import vtkRenderer

        renderer = vtkRenderer()
        width, height = self.size
        renderer.SetViewport(left / width, bottom / height, right / width, top / height)
        renderer.SetBackground(1, 1, 1)
        renderer.SetUseFXAA(True)
        renderer.SetUseDepthPeeling(1)
        renderer.SetMaximumNumberOfPeels(4)
        self.window.AddRenderer(renderer)
        return PlainView(renderer, top - bottom)

    def write(self, path):
        """Draw, and write a PNG; returns whether that worked."""
        from vtkmodules.vtkIOImage import vtkPNGWriter
        from vtkmodules.vtkRenderingCore import vtkWindowToImageFilter

        self.window.Render()
        image = vtkWindowToImageFilter()
        image.SetInput(self.window)
        image.ReadFrontBufferOff()
        writer = vtkPNGWriter()
        writer.SetFileName(path)
        writer.SetInputConnection(image.GetOutputPort())
        writer.Write()
        return writer.GetErrorCode() == 0


class PlainView:
    """A view of plain VTK."""

    def __init__(self, renderer, height):
        self.renderer, self.height = renderer, height

    def show(self, data, colour, opacity=1.0, shine=0.0, ambient=0.0, width=None):
        """A surface, or a line of a width in pixels, in one colour."""
        from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

        mapper, actor = vtkPolyDataMapper(), vtkActor()
        mapper.SetInputData(data if width is None else self.thick(data, width))
        mapper.ScalarVisibilityOff()
        actor.SetMapper(mapper)
        look = actor.GetProperty()
        look.SetColor(*colour)
        look.SetOpacity(opacity)
        look.SetSpecular(shine)
        look.SetSpecularPower(100)
        look.SetAmbient(ambient)
        if width is not None:
            look.LightingOff()
        self.renderer.AddActor(actor)

    def thick(self, data, width):
        """Lines of a width in pixels: OpenGL's own have gaps where they bend."""
        from vtkmodules.vtkFiltersCore import vtkTubeFilter

        tube = vtkTubeFilter()
        tube.SetInputData(data)
        tube.SetNumberOfSides(8)
        tube.CappingOn()
        tube.SetRadius(width * self.renderer.GetActiveCamera().GetParallelScale() / self.height)
        tube.Update()
        return tube.GetOutput()

    def show_field(self, data, name, top, labels):
        """A surface coloured by an array, from 0 to `top`, with a legend that has these labels, or without one if there
        are none."""
        from vtkmodules.vtkRenderingCore import vtkActor, vtkColorTransferFunction, vtkPolyDataMapper

        colours = vtkColorTransferFunction()
        for k, colour in enumerate(VIRIDIS):
            colours.AddRGBPoint(top * k / (len(VIRIDIS) - 1), *colour)
        mapper, actor = vtkPolyDataMapper(), vtkActor()
        mapper.SetInputData(data)
        mapper.SetLookupTable(colours)
        mapper.SetScalarModeToUsePointFieldData()
        mapper.SelectColorArray(name)
        mapper.SetScalarRange(0, top)
        mapper.InterpolateScalarsBeforeMappingOn()
        actor.SetMapper(mapper)
        actor.GetProperty().LightingOff()
        self.renderer.AddActor(actor)
        if labels:
            self.legend(colours, top, labels)

    def legend(self, colours, top, labels):
        """A bar of colours in the lower right corner."""
        left, right, low, high = 0.60, 0.93, 0.060, 0.080
        self.bar(colours, top, (left, low), (right, high))
        for value in labels:
            at = left + (right - left) * value / top
            self.mark((at, high), (at, high + 0.008))
            self.caption(f"{value:.0f}", [at, high + 0.012], size=16, across="Center")
        self.caption(TITLE, [(left + right) / 2, high + 0.034], size=18, across="Center")

    def flat(self, data):
        """Something drawn in the window itself, in parts of its width and height."""
        from vtkmodules.vtkRenderingCore import vtkActor2D, vtkCoordinate, vtkPolyDataMapper2D

        place = vtkCoordinate()
        place.SetCoordinateSystemToNormalizedViewport()
        mapper, actor = vtkPolyDataMapper2D(), vtkActor2D()
        mapper.SetTransformCoordinate(place)
        mapper.SetInputData(data)
        actor.SetMapper(mapper)
        self.renderer.AddActor2D(actor)
        return actor

    def bar(self, colours, top, low, high):
        """A rectangle with all colours from left to right."""
        from vtkmodules.vtkCommonCore import vtkUnsignedCharArray
        from vtkmodules.vtkFiltersSources import vtkPlaneSource

        plane = vtkPlaneSource()
        plane.SetOrigin(low[0], low[1], 0)
        plane.SetPoint1(high[0], low[1], 0)
        plane.SetPoint2(low[0], high[1], 0)
        plane.SetResolution(256, 1)
        plane.Update()
        shades = vtkUnsignedCharArray()
        shades.SetNumberOfComponents(3)
        for k in range(256):
            shades.InsertNextTuple([round(255 * c) for c in colours.GetColor(top * (k + 0.5) / 256)])
        data = plane.GetOutput()
        data.GetCellData().SetScalars(shades)
        self.flat(data)

    def mark(self, start, end):
        """A thin line."""
        from vtkmodules.vtkFiltersSources import vtkLineSource

        line = vtkLineSource()
        line.SetPoint1(*start, 0)
        line.SetPoint2(*end, 0)
        line.Update()
        self.flat(line.GetOutput()).GetProperty().SetColor(*INK)

    def label(self, text, place, colour=INK, size=18, across="Center"):
        """Text at a place in space."""
        from vtkmodules.vtkRenderingCore import vtkBillboardTextActor3D

        actor = vtkBillboardTextActor3D()
        actor.SetInput(text)
        actor.SetPosition(*place)
        self.write(actor.GetTextProperty(), colour, size, True, across)
        self.renderer.AddActor(actor)

    def caption(self, text, place, colour=INK, size=16, bold=False, across="Left"):
        """Text at a place in the window (parts of its width and height, from the lower left corner)."""
        from vtkmodules.vtkRenderingCore import vtkTextActor

        actor = vtkTextActor()
        actor.SetInput(text)
        actor.GetPositionCoordinate().SetCoordinateSystemToNormalizedViewport()
        actor.SetPosition(*place)
        self.write(actor.GetTextProperty(), colour, size, bold, across)
        self.renderer.AddActor2D(actor)

    @staticmethod
    def write(look, colour, size, bold, across):
        """How a text looks."""
        look.SetColor(*colour)
        look.SetFontSize(size)
        look.SetBold(bold)
        look.SetJustification(["Left", "Center", "Right"].index(across))

    def aim(self, focus, direction, up, half_height):
        """A parallel view from a direction, so that a scale bar holds everywhere."""
        camera = self.renderer.GetActiveCamera()
        camera.ParallelProjectionOn()
        camera.SetFocalPoint(*focus)
        camera.SetPosition(*(f + d * (8 * half_height + 100) for f, d in zip(focus, direction)))
        camera.SetViewUp(*up)
        camera.SetParallelScale(half_height)
        self.renderer.ResetCameraClippingRange()

    def done(self):
        """Nothing else is added."""
        self.renderer.ResetCameraClippingRange()


class ParaViewView:
    """The active view of the ParaView application."""

    def __init__(self):
        from paraview.simple import GetActiveViewOrCreate, _DisableFirstRenderCameraReset

        _DisableFirstRenderCameraReset()
        self.view = view = GetActiveViewOrCreate("RenderView")
        view.UseColorPaletteForBackground = 0
        view.BackgroundColorMode = "Single Color"
        view.Background = [1, 1, 1]
        view.OrientationAxesVisibility = 0
        view.UseFXAA = 1

    def display(self, data):
        """ParaView's display of a data set."""
        from paraview.simple import Show, TrivialProducer

        source = TrivialProducer()
        source.GetClientSideObject().SetOutput(data)
        display = Show(source, self.view)
        display.Representation = "Surface"
        return display

    def show(self, data, colour, opacity=1.0, shine=0.0, ambient=0.0, width=None):
        """As in PlainView."""
        display = self.display(data)
        display.ColorArrayName = ["POINTS", ""]
        display.AmbientColor = display.DiffuseColor = list(colour)
        display.Opacity, display.Specular, display.Ambient = opacity, shine, ambient
        if width is not None:
            display.LineWidth = width
            display.Ambient, display.Diffuse = 1.0, 0.0

    def show_field(self, data, name, top, labels):
        """As in PlainView."""
        from paraview.simple import ColorBy, GetColorTransferFunction, GetScalarBar

        display = self.display(data)
        colours = GetColorTransferFunction(name)
        colours.AutomaticRescaleRangeMode = "Never"
        colours.ApplyPreset("Viridis (matplotlib)", True)
        ColorBy(display, ("POINTS", name))
        colours.RescaleTransferFunction(0.0, top)
        display.Ambient, display.Diffuse = 1.0, 0.0
        display.SetScalarBarVisibility(self.view, bool(labels))
        bar = GetScalarBar(colours, self.view)
        bar.Title, bar.ComponentTitle = TITLE, ""
        bar.TitleColor = bar.LabelColor = list(INK)
        bar.Orientation, bar.WindowLocation = "Horizontal", "Any Location"
        bar.Position, bar.ScalarBarLength = [0.60, 0.06], 0.33
        bar.AutomaticLabelFormat, bar.LabelFormat, bar.RangeLabelFormat = 0, "%.0f", "%.0f"
        bar.UseCustomLabels, bar.CustomLabels = 1, labels

    def label(self, text, place, colour=INK, size=18, across="Center"):
        """As in PlainView."""
        from paraview.simple import Show, Text

        display = Show(Text(Text=text), self.view)
        display.TextPropMode = "Billboard 3D Text"
        display.BillboardPosition = list(place)
        display.Color, display.FontSize, display.Bold = list(colour), size, 1
        display.Justification = across

    def caption(self, text, place, colour=INK, size=16, bold=False, across="Left"):
        """As in PlainView."""
        from paraview.simple import Show, Text

        display = Show(Text(Text=text), self.view)
        display.WindowLocation, display.Position = "Any Location", list(place)
        display.Color, display.FontSize, display.Bold = list(colour), size, int(bold)
        display.Justification = across

    def aim(self, focus, direction, up, half_height):
        """As in PlainView."""
        view = self.view
        view.CameraParallelProjection = 1
        view.CameraFocalPoint = view.CenterOfRotation = list(focus)
        view.CameraPosition = [f + d * (8 * half_height + 100) for f, d in zip(focus, direction)]
        view.CameraViewUp = list(up)
        view.CameraParallelScale = half_height

    def done(self):
        """Nothing else is added."""
        from paraview.simple import Render

        Render(self.view)
