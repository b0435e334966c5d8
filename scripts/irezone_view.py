"""Views in which preview.py puts what it shows, of plain VTK."""

INK = (0.10, 0.10, 0.12)
TITLE = "field strength (V/cm)"
# Viridis (S. van der Walt and N. Smith, CC0) at equal steps.
VIRIDIS = [
    (0.267, 0.005, 0.329), (0.283, 0.131, 0.449), (0.262, 0.242, 0.521), (0.220, 0.343, 0.549), (0.178, 0.433, 0.557),
    (0.143, 0.523, 0.556), (0.120, 0.607, 0.540), (0.166, 0.691, 0.497), (0.320, 0.771, 0.411), (0.526, 0.834, 0.288),
    (0.762, 0.876, 0.137), (0.993, 0.906, 0.144),
]  # fmt: skip


def colours_of(top):
    """Colours of the field, from 0 to `top`."""
    from vtkmodules.vtkRenderingCore import vtkColorTransferFunction

    colours = vtkColorTransferFunction()
    for k, colour in enumerate(VIRIDIS):
        colours.AddRGBPoint(top * k / (len(VIRIDIS) - 1), *colour)
    return colours


def text_width(text, size):
    """About how many pixels a text takes."""
    return 0.53 * size * len(text)


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

    def add(self, left, bottom, right, top, peel=False):
        """A view in a part of the window, in pixels; `peel`: what is translucent is drawn in its order."""
        from vtkmodules.vtkRenderingCore import vtkRenderer

        renderer = vtkRenderer()
        width, height = self.size
        renderer.SetViewport(left / width, bottom / height, right / width, top / height)
        renderer.SetBackground(1, 1, 1)
        renderer.SetUseFXAA(True)
        renderer.SetUseDepthPeeling(peel)
        renderer.SetMaximumNumberOfPeels(4)
        self.window.AddRenderer(renderer)
        return PlainView(renderer, right - left, top - bottom)

    def write(self, path):
        """Draw, and write a PNG; returns whether that worked."""
        from vtkmodules.vtkIOImage import vtkPNGWriter
        from vtkmodules.vtkRenderingCore import vtkWindowToImageFilter

        self.window.Render()
        image = vtkWindowToImageFilter()
        image.SetInput(self.window)
        image.ReadFrontBufferOff()
        image.ShouldRerenderOff()
        writer = vtkPNGWriter()
        writer.SetFileName(path)
        writer.SetCompressionLevel(3)
        writer.SetInputConnection(image.GetOutputPort())
        writer.Write()
        return writer.GetErrorCode() == 0


class PlainView:
    """A view of plain VTK."""

    def __init__(self, renderer, width, height):
        self.renderer, self.width, self.height = renderer, width, height

    def show(self, data, colour, opacity=1.0, shine=0.0, ambient=0.0, width=None):
        """A surface, or a line of a width in pixels, in one colour. Of what is translucent only the front is drawn."""
        from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

        mapper, actor = vtkPolyDataMapper(), vtkActor()
        mapper.SetInputData(data if width is None else self.thick(data, width))
        mapper.ScalarVisibilityOff()
        actor.SetMapper(mapper)
        look = actor.GetProperty()
        look.SetColor(*colour)
        look.SetOpacity(opacity)
        look.SetBackfaceCulling(opacity < 1)
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

    def show_field(self, data, name, top):
        """A surface coloured by an array, from 0 to `top`."""
        from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

        mapper, actor = vtkPolyDataMapper(), vtkActor()
        mapper.SetInputData(data)
        mapper.SetLookupTable(colours_of(top))
        mapper.SetScalarModeToUsePointFieldData()
        mapper.SelectColorArray(name)
        mapper.SetScalarRange(0, top)
        mapper.InterpolateScalarsBeforeMappingOn()
        actor.SetMapper(mapper)
        actor.GetProperty().LightingOff()
        self.renderer.AddActor(actor)

    def at(self, pixel):
        """Parts of width and height from pixels."""
        return pixel[0] / self.width, pixel[1] / self.height

    def patch(self, low, high, colour):
        """A rectangle between two pixels."""
        from vtkmodules.vtkFiltersSources import vtkPlaneSource

        (left, below), (right, above) = self.at(low), self.at(high)
        plane = vtkPlaneSource()
        plane.SetOrigin(left, below, 0)
        plane.SetPoint1(right, below, 0)
        plane.SetPoint2(left, above, 0)
        plane.Update()
        self.flat(plane.GetOutput()).GetProperty().SetColor(*colour)

    def legend(self, top, labels, low, high):
        """A bar of colours from 0 to `top` between two pixels, with labels and a title above."""
        (left, below), (right, above) = self.at(low), self.at(high)
        self.bar(colours_of(top), top, (left, below), (right, above))
        for value in labels:
            x = left + (right - left) * value / top
            self.mark((x, below), (x, below - 6 / self.height))
            over = "+" if value == top else ""
            self.caption(f"{value:.0f}{over}", [x, below - 24 / self.height], size=16, across="Center")
        self.caption(TITLE, [(left + right) / 2, above + 10 / self.height], size=18, across="Center")

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

    def mark(self, start, end, width=1):
        """A line of a width in pixels."""
        from vtkmodules.vtkFiltersSources import vtkLineSource

        line = vtkLineSource()
        line.SetPoint1(*start, 0)
        line.SetPoint2(*end, 0)
        line.Update()
        look = self.flat(line.GetOutput()).GetProperty()
        look.SetColor(*INK)
        look.SetLineWidth(width)

    def label(self, text, place, colour=INK, size=18):
        """Text at a place in space, before everything else."""
        from vtkmodules.vtkRenderingCore import vtkBillboardTextActor3D

        camera, actor = self.renderer.GetActiveCamera(), vtkBillboardTextActor3D()
        away, focus = camera.GetDirectionOfProjection(), camera.GetFocalPoint()
        depth = sum((p - f) * a for p, f, a in zip(place, focus, away)) + 6 * camera.GetParallelScale() + 50
        actor.SetInput(text)
        actor.SetPosition(*(p - depth * a for p, a in zip(place, away)))
        self.write(actor.GetTextProperty(), colour, size, True, "Center")
        actor.GetTextProperty().SetBackgroundColor(1, 1, 1)
        actor.GetTextProperty().SetBackgroundOpacity(0.6)
        self.renderer.AddActor(actor)

    def directions(self, right, up):
        """Where the patient's right, front and head are, in the lower right corner; `right` and `up` are those of the view."""
        middle, size = (self.width - 62, 62), 36
        self.patch((middle[0] - 56, middle[1] - 56), (middle[0] + 56, middle[1] + 56), (1, 1, 1))
        for axis, letter in enumerate("RAS"):
            x, y = right[axis], up[axis]
            if x * x + y * y < 0.05:  # it points at the viewer
                continue
            self.mark(self.at(middle), self.at((middle[0] + size * x, middle[1] + size * y)), 3)
            away = (size + 12 / (x * x + y * y) ** 0.5, -7)
            self.caption(letter, self.at((middle[0] + away[0] * x, middle[1] + away[0] * y + away[1])), size=18, bold=True, across="Center")

    def scale(self, length):
        """A bar of a length in mm in the lower left corner."""
        wide = length * self.height / (2 * self.renderer.GetActiveCamera().GetParallelScale())
        self.patch((12, 10), (28 + max(wide, 60), 52), (1, 1, 1))
        self.patch((20, 18), (20 + wide, 23), INK)
        self.caption(f"{length:g} mm", self.at((20, 30)), size=16, bold=True)

    def apart(self, one, other):
        """How many pixels two places in space are apart in this view."""
        camera = self.renderer.GetActiveCamera()
        away, between = camera.GetDirectionOfProjection(), [a - b for a, b in zip(one, other)]
        depth = sum(a * b for a, b in zip(away, between))
        return max(sum(b * b for b in between) - depth * depth, 0) ** 0.5 * self.height / (2 * camera.GetParallelScale())

    def caption(self, text, place, colour=INK, size=16, bold=False, across="Left", backed=False):
        """Text at a place in the window (parts of its width and height, from the lower left corner)."""
        from vtkmodules.vtkRenderingCore import vtkTextActor

        actor = vtkTextActor()
        actor.SetInput(text)
        actor.GetPositionCoordinate().SetCoordinateSystemToNormalizedViewport()
        actor.SetPosition(*place)
        self.write(actor.GetTextProperty(), colour, size, bold, across)
        if backed:
            actor.GetTextProperty().SetBackgroundColor(1, 1, 1)
            actor.GetTextProperty().SetBackgroundOpacity(0.8)
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
