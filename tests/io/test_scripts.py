#!/usr/bin/env python3
"""test_scripts.py MAKE_RESULT: surface.py, preview.py and irezone_scene.py on results whose zone is known exactly, and on rubbish."""
import json
import math
import os
import re
import struct
import subprocess
import sys
import tempfile
import zlib

SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts")
failures = []


def check(good, message):
    """Note a failure."""
    print(("ok    " if good else "WRONG ") + message)
    if not good:
        failures.append(message)


def run(script, *arguments):
    """Run a script; returns status, stdout, stderr."""
    command = [sys.executable, os.path.join(SCRIPTS, script), *arguments]
    # Unbuffered output would hide that a script ends without flushing.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=environment)
    return done.returncode, done.stdout, done.stderr


def read_stl(path):
    """Header and triangles of a binary STL file."""
    with open(path, "rb") as file:
        data = file.read()
    (count,) = struct.unpack_from("<I", data, 80)
    triangles = [struct.unpack_from("<12f", data, 84 + 50 * i)[3:] for i in range(count)]
    return data[:80], [(t[0:3], t[3:6], t[6:9]) for t in triangles]


def measure(triangles):
    """Enclosed volume (positive if triangles face outwards), box, and whether every edge is used once each way."""
    volume, edges = 0.0, {}
    for a, b, c in triangles:
        volume += (
            a[0] * (b[1] * c[2] - b[2] * c[1]) + a[1] * (b[2] * c[0] - b[0] * c[2]) + a[2] * (b[0] * c[1] - b[1] * c[0])
        ) / 6
        for edge in ((a, b), (b, c), (c, a)):
            edges[edge] = edges.get(edge, 0) + 1
    closed = all(edges.get((b, a), 0) == count for (a, b), count in edges.items())
    points = [p for t in triangles for p in t]
    return volume, [min(x) for x in zip(*points)], [max(x) for x in zip(*points)], closed


def check_surface(result, wanted_low, wanted_high, name):
    """STL of a ball of 20 mm: tag, box, volume, closedness."""
    output = result.replace(".hdf", ".stl")
    status, out, err = run("surface.py", result, "-o", output)
    check(status == 0, f"{name}: surface.py ends with {status} {err.strip()}")
    if status != 0:
        return
    header, triangles = read_stl(output)
    volume, low, high, closed = measure(triangles)
    check(b"SPACE=LPS" in header, f"{name}: header says SPACE=LPS")
    check(closed, f"{name}: closed")
    check(abs(volume / 33510.3 - 1) < 0.01, f"{name}: volume {volume:.0f} mm^3, exact 33510")
    near = all(abs(a - b) < 0.1 for a, b in zip(low + high, wanted_low + wanted_high))
    check(near, f"{name}: box {low} to {high}")
    check("in RAS" in out and "LPS" in out, f"{name}: both boxes are printed")


def sharpest(triangles):
    """How far the normals of neighbouring triangles are apart, degrees: the 99th of 100."""
    normals, edges, angles = [], {}, []
    for a, b, c in triangles:
        u, v = [y - x for x, y in zip(a, b)], [y - x for x, y in zip(a, c)]
        n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
        normals.append(n)
        for edge in ((a, b), (b, c), (c, a)):
            edges.setdefault(frozenset(edge), []).append(len(normals) - 1)
    for pair in edges.values():
        if len(pair) == 2:
            m, n = normals[pair[0]], normals[pair[1]]
            size = math.sqrt(sum(x * x for x in m) * sum(x * x for x in n))
            if size > 0:
                angles.append(math.degrees(math.acos(max(-1.0, min(1.0, sum(x * y for x, y in zip(m, n)) / size)))))
    return sorted(angles)[int(0.99 * len(angles))]


def check_thresholds(result):
    """Balls at other thresholds: smooth by default, flat if asked; what the summary cannot vouch for is said."""
    output, angles = result.replace(".hdf", "-other.stl"), []
    for options in ([], ["--flat"]):
        status, out, err = run("surface.py", result, "-o", output, *options)
        _, triangles = read_stl(output)
        angles.append(sharpest(triangles))
        # The stated ball is 0.5 % larger than what flat pieces can hold, its error less than that: this is said.
        good = status == 0 and "The summary says 33.51 ± 0.067 cm³" in out and "warning" in err and "outside" in err
        check(good and len(err.strip().splitlines()) == 1, f"surface.py {options}: {status} {out} {err}")
    check(angles[0] < 10 and angles[0] < 0.5 * angles[1], f"surface.py: neighbours turn by {angles[0]:.1f} degrees, flat {angles[1]:.1f}")
    for threshold, warned in ((620, False), (900, True)):
        status, out, err = run("surface.py", result, "-o", output, "--threshold", str(threshold))
        check(status == 0, f"surface.py --threshold {threshold}: {status} {err}")
        check("no volume at" in out, f"surface.py --threshold {threshold} says that there is nothing to compare with")
        good = ("also: [" in err and len(err.strip().splitlines()) == 1) == warned
        check(good, f"surface.py --threshold {threshold}: {err.strip()!r}")


def check_picture(path):
    """A PNG of the right size that is not of one colour."""
    with open(path, "rb") as file:
        data = file.read()
    check(data[:8] == b"\x89PNG\r\n\x1a\n", "picture: PNG")
    check(struct.unpack(">II", data[16:24]) == (1600, 1000), "picture: 1600 x 1000")
    pixels, at = b"", 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        if data[at + 4 : at + 8] == b"IDAT":
            pixels += data[at + 8 : at + 8 + length]
        at += 12 + length
    check(len(zlib.compress(zlib.decompress(pixels))) > 40000, "picture: something is drawn")


LOOK = """
import sys
from paraview.simple import *
LoadState(sys.argv[1], LoadStateDataFileOptions="Search files under specified directory", DataDirectory=sys.argv[2])
for source in GetSources().values():
    if hasattr(source, "FileName"):
        source.UpdatePipeline()
        print("PART", source.FileName[0], source.GetDataInformation().GetNumberOfCells())
view = GetViews()[0]
print("VIEW", len(view.Representations), list(view.Background))
blocks = OpenDataFile(sys.argv[1][:-4] + "vtm")
blocks.UpdatePipeline()
whole = blocks.GetDataInformation().GetHierarchy()
print("BLOCKS", " ".join(whole.GetNodeName(k) for k in whole.GetChildNodes(0)))
"""


def check_scene(folder):
    """A scene that has been moved is opened by ParaView: all its parts, from where they are now."""
    sys.path.insert(0, SCRIPTS)
    import irezone_result

    path, away = os.path.join(folder, "patient.hdf"), os.path.join(folder, "away")
    status, out, err = run("irezone_scene.py", path)
    check(status == 0 and "parts" in out, f"irezone_scene.py: {status} {err.strip()[-300:]}")
    os.mkdir(away)
    names = sorted(os.listdir(os.path.join(folder, "patient_scene")))
    for name in ("patient.pvsm", "patient.vtm", "patient_scene"):
        os.rename(os.path.join(folder, name), os.path.join(away, name))
    script = os.path.join(folder, "look.py")
    with open(script, "w", encoding="utf-8") as file:
        file.write(LOOK)
    with irezone_result.screen_in_memory() as screen:
        done = subprocess.run(["pvpython", script, os.path.join(away, "patient.pvsm"), away], capture_output=True, text=True,
                              check=False, env={**os.environ, **screen})  # fmt: skip
    lines = [line.split() for line in done.stdout.splitlines()]
    found = {os.path.basename(line[1]): int(line[2]) for line in lines if line[0] == "PART"}
    inside = all(line[1].startswith(away) for line in lines if line[0] == "PART")
    check(sorted(found) == names and inside and min(found.values(), default=0) > 0, f"scene: {names}, in ParaView {found} {done.stderr[-300:]}")
    check(["VIEW", "[1.0,", "1.0,", "1.0]"] == [lines[-2][0], *lines[-2][2:]] if len(lines) > 1 else False, f"scene: view {lines[-2:]}")
    blocks = next((line[1:] for line in lines if line[0] == "BLOCKS"), [])
    check({"zone", "tumour", "metalA", "shaftB"} <= set(blocks), f"scene: blocks of the .vtm are named: {blocks}")


def check_sides():
    """Which side of the patient is where in pictures of results in RAS, and label maps that are oblique and left-handed."""
    sys.path.insert(0, SCRIPTS)
    import irezone_shown
    from vtkmodules.vtkCommonMath import vtkMatrix4x4

    views = ((0, 0, 1), "LA"), ((0, 0, -1), "LA"), ((0, 1, 0), "LS"), ((0, -1, 0), "LS"), ((1, 0, 0), "PS"), ((-1, 0, 0), "PS")
    for normal, wanted in views:
        plane = irezone_shown.Plane([0, 0, 0], list(normal), [0, 0.6, 0.8]).for_patient()
        got = irezone_shown.side(plane.right) + irezone_shown.side(plane.up)
        check(got == wanted, f"slice across {normal}: on the right and above are {got}, wanted {wanted}")
    import numpy
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkFiltersCore import vtkMassProperties

    matrix = vtkMatrix4x4()  # turned by 30 degrees about z, mirrored, and moved
    matrix.DeepCopy((-0.866025, 0.5, 0, 10, 0.5, 0.866025, 0, -20, 0, 0, 1, 30, 0, 0, 0, 1))
    k, j, i = numpy.indices((30, 30, 30))
    image, ball = vtkImageData(), (i - 14) ** 2 + (j - 12) ** 2 + (k - 15) ** 2 < 8.0**2
    image.SetDimensions(30, 30, 30)
    image.SetSpacing(1.5, 1.5, 1.5)
    image.GetPointData().SetScalars(numpy_to_vtk((7 * ball).astype(numpy.uint8).ravel(), deep=True))

    class Reader:
        """Stands for VTK's reader of NIfTI."""

        GetOutput, GetSFormMatrix, GetQFormMatrix = (staticmethod(lambda: image), staticmethod(lambda: matrix), None)

    box = [[-200.0] * 3, [200.0] * 3]
    summary = {"anatomy": {"map": [{"label": 7, "region": "ball"}]}}
    surface = irezone_shown.label_surface(irezone_shown.Labels(Reader, box), summary, "ball", box)
    mass = vtkMassProperties()
    mass.SetInputData(surface)
    volume, exact = mass.GetVolume(), 1.5**3 * int(ball.sum())
    check(abs(volume / exact - 1) < 0.02, f"label map: volume {volume:.0f} mm^3, of the voxels {exact:.0f}")
    place = matrix.MultiplyPoint((21.0, 18.0, 22.5, 1.0))[:3]
    near = all(abs(x - y) < 0.1 for x, y in zip(surface.GetCenter(), place))
    check(near, f"label map: centre {surface.GetCenter()}, wanted {place}")


def complaints(done):
    """What a script said where errors go, but for its warnings."""
    return [line for line in done.stderr.strip().splitlines() if "warning: " not in line]


def check_nrrd(folder):
    """A ball and half of it in another layer, in an oblique, left-handed NRRD in LPS: places, volumes, who wins; and rubbish."""
    import gzip

    import irezone_nrrd
    import irezone_shown
    import numpy
    from vtkmodules.vtkFiltersCore import vtkMassProperties

    k, j, i = numpy.indices((30, 30, 30))
    ball = (i - 14) ** 2 + (j - 12) ** 2 + (k - 15) ** 2 < 8.0**2
    data = numpy.stack([ball, ball & (i > 14)], axis=-1).astype("u1").tobytes()  # both segments have the number 1
    head = (
        "NRRD0004\ntype: unsigned char\ndimension: 4\nspace: left-posterior-superior\nsizes: 2 30 30 30\n"
        "space directions: none (1.299038,-0.75,0) (-0.75,-1.299038,0) (0,0,1.5)\nkinds: list domain domain domain\n"
        "encoding: %s\nspace origin: (-10,20,30)\nSegment0_ID:=a\nSegment0_Name:=whole\nSegment0_LabelValue:=1\n"
        "Segment0_Layer:=0\nSegment1_ID:=b\nSegment1_Name:=half\nSegment1_LabelValue:=1\nSegment1_Layer:=1\n%s\n"
    )
    files = {
        "raw.nrrd": (head % ("raw", "")).encode() + data,
        "gzip.seg.nrrd": (head % ("gzip", "")).encode() + gzip.compress(data),
        "apart.nhdr": (head % ("raw", "data file: apart.raw\n")).encode(),
        "apart.raw": data,
        "cut.nrrd": (head % ("raw", "")).encode() + data[:-1],
        "cut.seg.nrrd": (head % ("gzip", "")).encode() + gzip.compress(data)[:-40],
        "huge.nrrd": (head % ("gzip", "")).replace("30 30 30", "1000 1000 1000").encode() + gzip.compress(data),
        "away.nhdr": (head % ("raw", "data file: ../apart.raw\n")).encode(),
    }
    for name, content in files.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)
    entries = [{"label": 1, "region": "whole"}, {"label": 1, "region": "half"}]
    halves = {"whole": int((ball & (i <= 14)).sum()), "half": int((ball & (i > 14)).sum())}
    for name in ("raw.nrrd", "gzip.seg.nrrd", "apart.nhdr"):
        image = irezone_nrrd.Image(os.path.join(folder, name), entries)
        got = [int((image.values == value).sum()) for value in (1, 2)]
        check(got == list(halves.values()), f"{name}: voxels {got}, wanted {halves}")
    image = irezone_nrrd.Image(os.path.join(folder, "raw.nrrd"), entries[::-1])
    check(int((image.values == 2).sum()) == int(ball.sum()), "NRRD: the entry that stands last wins where layers overlap")
    box, summary = [[-200.0] * 3, [200.0] * 3], {"anatomy": {"labels": os.path.join(folder, "raw.nrrd"), "map": entries[::-1]}}
    labels = irezone_shown.Labels(irezone_shown.read_labels(summary), box)
    surface = irezone_shown.label_surface(labels, summary, "whole", box)
    mass = vtkMassProperties()
    mass.SetInputData(surface)
    volume, exact = mass.GetVolume(), 1.5**3 * int(ball.sum())
    check(abs(volume / exact - 1) < 0.02, f"NRRD: volume {volume:.0f} mm^3, of the voxels {exact:.0f}")
    place = (-0.866025 * 21 + 0.5 * 18 + 10, 0.5 * 21 + 0.866025 * 18 - 20, 22.5 + 30)  # as in check_sides
    check(all(abs(x - y) < 0.1 for x, y in zip(surface.GetCenter(), place)), f"NRRD: centre {surface.GetCenter()}, wanted {place}")
    for name in ("cut.nrrd", "cut.seg.nrrd", "huge.nrrd", "away.nhdr"):
        try:
            irezone_nrrd.Image(os.path.join(folder, name), entries)
            check(False, f"{name} is refused")
        except irezone_nrrd.Refused as error:
            check("\n" not in str(error), f"{name}: {error}")


def check_unread(path):
    """Nobody reads what is printed, or it cannot be written: no traceback."""
    command = [sys.executable, os.path.join(SCRIPTS, "surface.py"), path, "-o", path + ".stl"]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    check(done.returncode == 141 and complaints(done) == [], f"surface.py | true: {done.returncode} {done.stderr[-200:]}")
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    good = done.returncode == 5 and len(complaints(done)) == 1
    check(good, f"surface.py > /dev/full: {done.returncode} {done.stderr[-200:]}")


def check_rubbish(folder):
    """One line and the right status for what is not a result."""
    paths = {"text.hdf": b"name: x\n", "cut.hdf": b"\x89HDF\r\n\x1a\n" + bytes(100)}
    for name, content in paths.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)
    cases = [("preview.py", name, 3) for name in [*paths, "missing.hdf"]]
    cases += [("surface.py", "cut.hdf", 3), ("surface.py", "missing.hdf", 3), ("irezone_scene.py", "text.hdf", 3)]
    for script, name, wanted in cases:
        status, _, err = run(script, os.path.join(folder, name))
        good = status == wanted and len(err.strip().splitlines()) == 1 and name in err and "Traceback" not in err
        check(good, f"{script} {name}: {status}, {err.strip()}")
    for script, output, wanted in (("surface.py", "x.obj", 2), ("preview.py", "x.gif", 2), ("preview.py", "no/x.png", 5)):
        status, _, err = run(script, os.path.join(folder, "plain.hdf"), "-o", os.path.join(folder, output))
        check(status == wanted and len(err.strip().splitlines()) == 1, f"{script} -o {output}: {status}, {err.strip()}")
    left = [name for name in os.listdir(folder) if re.search(r"\.(obj|gif)$|\.tmp", name)]
    check(not left, f"nothing is left behind: {left}")


def main():
    """Make results, run the scripts on them."""
    make = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        for name, frame in (("plain", []), ("patient", ["RAS"])):
            subprocess.run([make, folder, name, "16", "2", *frame], check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(folder, "patient.json"), encoding="utf-8") as file:
            check(json.load(file)["frame"] == "RAS", "patient: the summary says RAS")
        check_surface(os.path.join(folder, "plain.hdf"), [-16, -18, -20], [24, 22, 20], "plain")
        check_surface(os.path.join(folder, "patient.hdf"), [-24, -22, -20], [16, 18, 20], "patient")
        vtp = os.path.join(folder, "plain.vtp")
        status, _, err = run("surface.py", os.path.join(folder, "plain.hdf"), "-o", vtp)
        check(status == 0, f"VTP: {status} {err.strip()}")
        with open(vtp, "rb") as file:
            check(b'Name="SPACE"' in file.read(2000), "VTP: field SPACE")
        check_thresholds(os.path.join(folder, "plain.hdf"))
        status, _, err = run("surface.py", os.path.join(folder, "plain.hdf"), "--threshold", "2000")
        check(status == 3 and len(err.strip().splitlines()) == 1, f"threshold not reached: {err.strip()}")
        picture = os.path.join(folder, "plain.png")
        status, _, err = run("preview.py", os.path.join(folder, "plain.hdf"), "-o", picture)
        check(status == 0, f"preview.py ends with {status} {err.strip()[-300:]}")
        if status == 0:
            check_picture(picture)
        check_scene(folder)
        check_sides()
        check_nrrd(folder)
        check_unread(os.path.join(folder, "plain.hdf"))
        check_rubbish(folder)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
