#!/usr/bin/env python3
"""irezone_scene.py RESULT.hdf

Write a scene for ParaView beside a result: RESULT.pvsm, which File > Load State opens with zone, needles, anatomy and field
named, coloured and translucent; RESULT.vtm, the same parts without colours for File > Open; and RESULT_scene/, their parts.
The three can be moved together.

It is a macro of ParaView, too (Macros > Import new macro): it makes and shows the scene of the result that is open.
"""
import errno
import glob
import os
import re
import shutil
import sys
from xml.sax.saxutils import quoteattr

BEGUN = "__file__" in globals()  # ParaView's macros may not say where they are


def scripts_folder():
    """Where irezone's other scripts are: beside this one or, for a macro, which ParaView copies, where it was."""
    places = [os.path.dirname(os.path.abspath(__file__))] if BEGUN else []
    places += [os.environ.get("IREZONE_SCRIPTS", ""), LEARNT]
    program = shutil.which("irezone")
    if program:
        places.append(os.path.join(os.path.dirname(os.path.realpath(program)), "..", "scripts"))
    return next((place for place in places if place and os.path.isfile(os.path.join(place, "irezone_shown.py"))), None)


LEARNT = ""  # `irezone_scene.py --macro` writes the folder here

sys.path.insert(0, scripts_folder() or ".")


class Part:
    """A piece of the scene: its name, surface, colour, opacity, whether it is visible, and whether the field colours it."""

    def __init__(self, name, data, colour, opacity=1.0, visible=True, field=False, shine=0.0):
        self.name, self.data, self.colour, self.opacity = name, data, colour, opacity
        self.visible, self.field, self.shine = visible, field, shine
        self.file = None


def joined(pieces):
    """Several vtkPolyData as one."""
    from vtkmodules.vtkFiltersCore import vtkAppendPolyData

    append = vtkAppendPolyData()
    for piece in pieces:
        append.AddInputData(piece)
    append.Update()
    return append.GetOutput()


def parts_of(shown):
    """What the scene is made of."""
    from irezone_shown import BARE, GREY, INSULATED, RED, SOLID, WHOLE, with_normals

    parts = []
    for bare, _, shaft, _, _, name in shown.tubes:
        number = sum(part.name.startswith("metal") for part in parts)
        parts.append(Part(f"metal {name or number + 1}", joined(bare), BARE, shine=0.6))
        parts.append(Part(f"shaft {name or number + 1}", shaft, INSULATED, shine=0.2))
    parts += [Part(f"plate {plate['name']}", block, BARE, 0.7) for block, plate in shown.plates]
    if not parts:
        parts.append(Part("electrodes", shown.electrode_walls(), GREY))
    if shown.zone is not None:
        parts.append(Part("zone", shown.zone, RED, 0.45))
    if shown.hidden and shown.threshold is not None:
        parts.append(Part("zone also in vessels and around", shown.threshold, RED, 0.45, visible=False))
    for surface, name, colour, share in shown.regions:
        parts.append(Part(name, with_normals(surface) if share > WHOLE else surface, colour, 0.12 if share > WHOLE else 0.3 if share > SOLID else 0.7))
    for number, plane in enumerate(shown.planes()):
        reach = [0.75 * max(high - low for low, high in zip(*shown.scene.focus_box)) + 8] * 2
        parts.append(Part(f"field {number + 1}", shown.field_on(plane, reach), GREY, 0.9, number == 0, True))
    parts.append(Part("tissue box", shown.outline(), GREY))
    return [part for part in parts if part.data.GetNumberOfCells() > 0]


def write_parts(parts, folder):
    """Write the parts; each gets a file of its own."""
    import irezone_result as result
    from vtkmodules.vtkIOXML import vtkXMLPolyDataWriter

    used = set()
    for part in parts:
        start = name = re.sub(r"[^A-Za-z0-9._-]+", "_", part.name)[:80] or "part"
        while name.lower() in used:
            name = f"{start}_{len(used)}"
        used.add(name.lower())
        part.file = os.path.join(folder, name + ".vtp")
        writer = vtkXMLPolyDataWriter()
        writer.SetDataModeToBinary()  # appended arrays are not read by VTK 9.1 with an expat as new as 2.5.0-1+deb12u2
        with result.replacing(part.file) as temporary:
            writer.SetFileName(temporary)
            writer.SetInputData(part.data)
            if writer.Write() != 1 or writer.GetErrorCode() != 0:
                raise OSError(errno.EIO, "VTK failed to write it")


def write_text(path, text):
    """Write a text file, whole or not at all."""
    import irezone_result as result

    with result.replacing(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.write(text)


def multi_block(parts, folder):
    """The parts as a multi-block data set with their names; files are found from where it is."""
    rows = [
        f'<DataSet index="{k}" name={quoteattr(part.name)} file={quoteattr(os.path.relpath(part.file, folder))}/>'
        for k, part in enumerate(parts)
    ]
    return "\n".join(
        ['<?xml version="1.0"?>', '<VTKFile type="vtkMultiBlockDataSet" version="1.0">', "<vtkMultiBlockDataSet>", *rows,
         "</vtkMultiBlockDataSet>", "</VTKFile>", ""]
    )  # fmt: skip


class State:
    """A state of ParaView, of as few properties as it takes: others have their defaults."""

    def __init__(self):
        self.proxies, self.groups, self.shown, self.last = [], {}, [], 100

    def add(self, group, kind, name, collection, servers=21, inputs=(), **properties):
        """A proxy with its properties; returns its number. Of `inputs` each is (property, number, has a port)."""
        self.last += 10
        number = self.last
        rows = [f'<Proxy group="{group}" type="{kind}" id="{number}" servers="{servers}">']
        for key, proxies, port in inputs:
            proxies = proxies if isinstance(proxies, list) else [proxies]
            items = "".join(f'<Proxy value="{proxy}"' + (' output_port="0"/>' if port else "/>") for proxy in proxies)
            rows.append(f'<Property name="{key}" id="{number}.{key}" number_of_elements="{len(proxies)}">{items}</Property>')
        for key, values in properties.items():
            values = list(values) if isinstance(values, (list, tuple)) else [values]
            items = "".join(f"<Element index=\"{k}\" value={quoteattr(str(value))}/>" for k, value in enumerate(values))
            rows.append(f'<Property name="{key}" id="{number}.{key}" number_of_elements="{len(values)}">{items}</Property>')
        self.proxies += [*rows, "</Proxy>"]
        self.groups.setdefault(collection, []).append((number, name))
        return number

    def text(self, words, name, **look):
        """A text in the view."""
        source = self.add("sources", "TextSource", name, "sources", 1, Text=words)
        look = {"Color": (0.1, 0.1, 0.12), "FontSize": 18, "Bold": 1, **look}
        self.shown.append(
            self.add("representations", "TextSourceRepresentation", f"{name} shown", "representations", 21,
                     [("Input", source, True)], Visibility=1, **look)
        )  # fmt: skip

    def xml(self):
        """The whole."""
        collections = []
        for name, items in self.groups.items():
            rows = "".join(f'<Item id="{number}" name={quoteattr(label)}/>' for number, label in items)
            collections.append(f'<ProxyCollection name="{name}">{rows}</ProxyCollection>')
        return "\n".join(
            ["<ParaView>", '<ServerManagerState version="5.11.0">', *self.proxies, *collections, "</ServerManagerState>", "</ParaView>", ""]
        )


def show_parts(state, parts, scene):
    """Readers of the parts and how they look."""
    import irezone_result as result
    from irezone_view import TITLE, VIRIDIS

    top = 3.0 * max(value for _, value in result.thresholds(scene.summary))
    points = [x for k, colour in enumerate(VIRIDIS) for x in (top * k / (len(VIRIDIS) - 1), *colour)]
    table = state.add("lookup_tables", "PVLookupTable", f"{result.FIELD}.PVLookupTable", "lookup_tables", RGBPoints=points, ColorSpace=0,
                      ScalarRangeInitialized=1, AutomaticRescaleRangeMode=-1, VectorMode=0)  # fmt: skip
    for part in parts:
        reader = state.add("sources", "XMLPolyDataReader", part.name, "sources", 1, FileName=os.path.abspath(part.file))
        look = {
            "Representation": "Surface", "DiffuseColor": part.colour, "AmbientColor": part.colour, "Opacity": part.opacity,
            "Visibility": int(part.visible), "Specular": part.shine, "LineWidth": 1.5,
            "ColorArrayName": ("", "", "", "0", result.FIELD) if part.field else ("", "", "", "", ""),
        }  # fmt: skip
        if part.field:
            look.update(Ambient=1.0, Diffuse=0.0)
        inputs = [("Input", reader, True)] + ([("LookupTable", table, False)] if part.field else [])
        state.shown.append(
            state.add("representations", "GeometryRepresentation", f"{part.name} shown", "representations", 21, inputs, **look)
        )
    state.shown.append(
        state.add("representations", "ScalarBarWidgetRepresentation", f"{result.FIELD} bar", "scalar_bars", 21,
                  [("LookupTable", table, False)], Title=TITLE, ComponentTitle="", Visibility=1, Enabled=1, Orientation=0,
                  WindowLocation=0, Position=(0.64, 0.03), ScalarBarLength=0.3, TitleColor=(0.1, 0.1, 0.12), LabelColor=(0.1, 0.1, 0.12),
                  AutomaticLabelFormat=0, LabelFormat="%.0f", RangeLabelFormat="%.0f", UseCustomLabels=1,
                  CustomLabels=(top / 3, 2 * top / 3))
    )  # fmt: skip


def state_of(shown, parts):
    """The state of ParaView that shows the parts."""
    from irezone_shown import GREY, RED, add, cross, extent_seen, grown, oblique, unit

    scene, state = shown.scene, State()
    show_parts(state, parts, scene)
    billboard = {"TextPropMode": 2, "Justification": 1}
    for _, _, _, _, end, name in shown.tubes:
        if name is not None:
            state.text(name, f"name of {name}", BillboardPosition=add(end, scene.up, 4), **billboard)
    for _, plate in shown.plates:
        top = add(plate["face_mm"], scene.up, plate["height_mm"] / 2 + 3)
        state.text(plate["name"], f"name of {plate['name']}", BillboardPosition=top, **billboard)
    low, high = grown(scene.focus_box, 1.0, 50.0)
    seen = [[max(*pair) for pair in zip(low, scene.box[0])], [min(*pair) for pair in zip(high, scene.box[1])]]
    middle = [(a + b) / 2 for a, b in zip(*seen)]
    if scene.summary.get("frame") == "RAS":
        for axis, words in enumerate((("left", "right"), ("back", "front"), ("feet", "head"))):
            for side, word in enumerate(words):
                place = list(middle)
                beside = (axis + 1) % 3  # needles tend to be in the middle
                place[axis] += 1.06 * (seen[side][axis] - middle[axis])
                place[beside] += 0.6 * (seen[0][beside] - middle[beside])
                state.text(word, f"side {word}", BillboardPosition=place, FontSize=20, Color=GREY, Italic=1, **billboard)
    rows = [("zone", RED)] * (shown.zone is not None) + [(name, colour) for _, name, colour, _ in shown.regions]
    for k, (name, colour) in enumerate(rows[:22]):
        dark = [0.8 * x for x in colour]
        state.text(name, f"legend {name}", WindowLocation=0, Position=(0.02, 0.88 - 0.036 * k), Color=dark, Justification=0)
    state.text(scene.title(), "title", WindowLocation=0, Position=(0.02, 0.94), FontSize=20, Justification=0)
    towards = oblique(scene)
    right = unit(cross(scene.up, towards))
    up = cross(towards, right)
    half = 0.58 * max(extent_seen(seen, up), extent_seen(seen, right))
    state.add("views", "RenderView", "RenderView1", "views", 21, [("Representations", state.shown, False)],
              UseColorPaletteForBackground=0, BackgroundColorMode=0, Background=(1, 1, 1), OrientationAxesVisibility=0, UseFXAA=1,
              CameraParallelProjection=1, CameraFocalPoint=middle, CenterOfRotation=scene.focus,
              CameraPosition=add(middle, towards, 8 * half + 100), CameraViewUp=up, CameraParallelScale=half,
              UseLight=1, MaximumNumberOfPeels=8)  # fmt: skip
    return state.xml()


def write_scene(path):
    """Write the scene of a result; returns the name of its state."""
    import irezone_result as result
    from irezone_shown import Shown

    shown = Shown(path, result.read_summary(path))
    base = os.path.splitext(path)[0]
    folder = base + "_scene"
    parts = parts_of(shown)
    os.makedirs(folder, exist_ok=True)
    old = set(glob.glob(os.path.join(glob.escape(folder), "*.vtp")))
    write_parts(parts, folder)
    write_text(base + ".vtm", multi_block(parts, os.path.dirname(os.path.abspath(path)) if os.path.isabs(path) else os.path.dirname(path)))
    write_text(base + ".pvsm", state_of(shown, parts))
    for name in old - {part.file for part in parts}:
        os.unlink(name)
    return base + ".pvsm", len(parts)


def main():
    """The command line."""
    import argparse

    import irezone_result as result

    parser = argparse.ArgumentParser(description="A scene of a result for ParaView.")
    parser.add_argument("result", nargs="?", help="RESULT.hdf")
    parser.add_argument("--macro", metavar="FILE.py", help="write this script as a macro that ParaView can import from anywhere")
    options = parser.parse_args()
    if (options.result is None) == (options.macro is None):
        result.fail("one of RESULT.hdf and --macro FILE.py is needed", 2)
    if options.macro is not None:
        with open(os.path.abspath(__file__), encoding="utf-8") as file:
            text = file.read()
        folder = os.path.dirname(os.path.abspath(__file__))
        write_text(options.macro, text.replace('LEARNT = ""', f"LEARNT = {folder!r}", 1))
        print(f"{options.macro}: in ParaView choose Macros > Import new macro")
        return
    result.need_vtk()
    state, count = write_scene(options.result)
    print(f"{state}: {count} parts; open it with `paraview {state}`, or File > Load State")


def show_in_paraview():
    """Make the scene of the result that is open in ParaView, in a process of its own, and show it in the active view."""
    import subprocess

    from paraview.simple import GetActiveSource

    name = getattr(GetActiveSource(), "FileName", None)
    path = name if isinstance(name, str) or name is None else name[0]
    folder = scripts_folder()
    if path is None or not path.endswith(".hdf"):
        raise RuntimeError("open a result of irezone (NAME.hdf) first, and select it")
    if folder is None:
        raise RuntimeError("the scripts of irezone were not found: set IREZONE_SCRIPTS to their folder")
    keep = {key: value for key, value in os.environ.items() if key not in ("PYTHONHOME", "PYTHONPATH")}
    command = ["/usr/bin/python3", os.path.join(folder, "irezone_scene.py"), path]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=keep)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    show_state(os.path.splitext(path)[0] + ".pvsm")


def show_state(path):
    """Show in the active view what a state of State has. Loading it would close the user's own views."""
    import xml.etree.ElementTree as tree

    from paraview import simple

    root = tree.parse(path).getroot().find("ServerManagerState")
    names = {item.get("id"): item.get("name") for item in root.iter("Item")}
    view, made = simple.GetActiveViewOrCreate("RenderView"), {}
    active = simple.GetActiveSource()
    if active is not None:
        simple.Hide(active, view)
    simple._DisableFirstRenderCameraReset()
    for proxy in root.iter("Proxy"):
        kind, number = proxy.get("type"), proxy.get("id")
        if kind == "PVLookupTable":
            import irezone_result as result

            made[number] = simple.GetColorTransferFunction(result.FIELD)
        elif kind in ("XMLPolyDataReader", "TextSource"):
            value = proxy.find("Property/Element").get("value")
            if kind == "TextSource":
                made[number] = simple.Text(registrationName=names[number], Text=value)
            else:
                made[number] = simple.XMLPolyDataReader(registrationName=names[number], FileName=[value])
            continue
        elif kind in ("GeometryRepresentation", "TextSourceRepresentation"):
            made[number] = simple.Show(made[proxy.find("Property[@name='Input']/Proxy").get("value")], view)
        elif kind == "ScalarBarWidgetRepresentation":
            made[number] = simple.GetScalarBar(made[proxy.find("Property[@name='LookupTable']/Proxy").get("value")], view)
        elif kind == "RenderView":
            made[number] = view
        else:
            continue
        for row in proxy.findall("Property"):
            set_property(made[number], row)
    simple.SetActiveSource(active)
    simple.Render(view)


def set_property(proxy, row):
    """Give a proxy of ParaView a property's values, but for those that are other proxies."""
    values = [element.get("value") for element in row.findall("Element")]
    target = proxy.SMProxy.GetProperty(row.get("name"))
    if not values or target is None:
        return
    if target.GetClassName() == "vtkSMStringVectorProperty":
        target.SetNumberOfElements(len(values))
        for k, value in enumerate(values):
            target.SetElement(k, value)
    else:
        if target.GetRepeatable():
            target.SetNumberOfElements(len(values))
        for k, value in enumerate(values):
            target.SetElement(k, float(value) if target.GetClassName() == "vtkSMDoubleVectorProperty" else int(float(value)))
    proxy.SMProxy.UpdateVTKObjects()


def inside_paraview():
    """Whether ParaView's own window runs this."""
    if getattr(sys.modules.get("paraview"), "fromGUI", False):
        return True
    return os.path.basename(os.path.realpath("/proc/self/exe")).startswith("paraview")  # 5.11 does not say so in macros


if __name__ in ("__main__", "__vtkconsole__"):
    if inside_paraview():
        show_in_paraview()
    else:
        import irezone_result

        irezone_result.run(main)
