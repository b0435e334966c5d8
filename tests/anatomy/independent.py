#!/usr/bin/env python3
"""independent.py PROGRAM SOURCE

Label maps against independent readers: nibabel for NIfTI, and for NRRD the few lines below. Volumes of named labels and
their distances from needles, as `irezone check` prints them, are computed anew on the voxels with numpy. Real files
are those of ../shared/real beside the project; without them that part is skipped. Then the same plan in RAS, in LPS and
through markups must give the same summary, and the check of a map of 512 x 512 x 400 voxels must stay in 1 GB.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import zlib
from xml.etree import ElementTree

import numpy

PROGRAM, SOURCE = sys.argv[1], sys.argv[2]
REAL = os.path.join(SOURCE, "..", "shared", "real", "anatomy")
TYPES = {"unsigned char": "u1", "uchar": "u1", "short": "i2", "unsigned short": "u2", "int": "i4", "float": "f4"}


def read_nrrd(path):
    """Labels [k][j][i], the affine in RAS, and {name: number} of a file with one layer."""
    with open(path, "rb") as file:
        head, data = file.read().replace(b"\r\n", b"\n", 40).split(b"\n\n", 1)
    lines = head.decode().split("\n")
    field = dict(line.split(": ", 1) for line in lines[1:] if ": " in line and ":=" not in line and line[0] != "#")
    key = dict(line.split(":=", 1) for line in lines[1:] if ":=" in line)
    if field["encoding"] in ("gzip", "gz"):
        data = zlib.decompress(data, 47)
    sizes = [int(n) for n in field["sizes"].split()]
    order = ">" if field.get("endian") == "big" else "<"
    labels = numpy.frombuffer(data, order + TYPES[field["type"]]).reshape(sizes[::-1])
    vectors = [[float(x) for x in v.split(",")] for v in re.findall(r"\(([^)]*)\)", field["space directions"] + field["space origin"])]
    affine = numpy.array(vectors).T
    if field["space"] == "left-posterior-superior":
        affine[:2] *= -1
    names = {}
    while f"Segment{len(names)}_ID" in key:
        s = f"Segment{len(names)}_"
        names[key[s + "Name"]] = int(key[s + "LabelValue"])
    return labels, affine, names


def read_nifti(path):
    import nibabel

    image = nibabel.load(path)
    names = {}
    for extension in image.header.extensions:
        text = extension.get_content()
        text = text if isinstance(text, bytes) else str(text).encode()
        if b"<LabelTable" in text:
            for label in ElementTree.fromstring(text.rstrip(b"\0 \n")).iter("Label"):
                names[label.text] = int(label.get("Key"))
    return numpy.asarray(image.dataobj).T, image.affine[:3], names


def run(*arguments, folder):
    done = subprocess.run([PROGRAM, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout


def distance(points, needles, exposure):
    """Least distance of points from the bare metal, mm."""
    least = numpy.inf
    for tip, direction in needles:
        along = numpy.clip((points - tip) @ direction, 0, exposure)
        least = min(least, numpy.linalg.norm(points - tip - along[:, None] * direction, axis=1).min())
    return least


def check_file(path, wanted, folder):
    """Compare the labels that are wanted, by name or number, with what irezone makes of them."""
    labels, affine, names = (read_nrrd if "nrrd" in path else read_nifti)(path)
    numbers = [names.get(name, name) for name in wanted]
    places = [numpy.argwhere(labels == number)[:, ::-1] @ affine[:, :3].T + affine[:, 3] for number in numbers]
    tip = numpy.round(places[0].mean(axis=0), 3)
    direction = numpy.array([0.6, 0, 0.8])
    needles = [(tip, direction), (tip + [0, 18, 0], direction)]
    plan = {
        "anatomy": {"labels": os.path.abspath(path), "map": {str(name): f"r{n}" for n, name in enumerate(wanted)}},
        "tissues": {"default": {"preset": "liver"}, **{f"r{n}": {"preset": "liver"} for n in range(len(wanted))}},
        "probes": [{"tip": list(map(float, t)), "direction": list(d), "exposure": 20} for t, d in needles],
        "pulses": {"pairs": "all", "field": 1000},
    }
    with open(os.path.join(folder, "plan.yaml"), "w") as file:
        json.dump(plan, file)
    said = run("check", "plan.yaml", folder=folder)
    volume = abs(numpy.linalg.det(affine[:, :3])) / 1000
    for n, points in enumerate(places):
        found = re.search(rf"region r{n}: (\S+) cm3 in the image, (\S+) mm from", said)
        assert found, said
        assert abs(float(found[1]) / (len(points) * volume) - 1) < 6e-4, (path, wanted[n], found[0], len(points) * volume)
        away = distance(points, needles, 20)
        assert abs(float(found[2]) - away) < 0.051, (path, wanted[n], found[0], away)
    print(f"{os.path.basename(path)}: {len(wanted)} labels")


def real_files(folder):
    if not os.path.isdir(REAL):
        print("skipped: ../shared/real is missing")
        return
    check_file(f"{REAL}/slicer_tumour.seg.nrrd", ["Segment_1"], folder)
    check_file(f"{REAL}/slicerio_Segmentation.seg.nrrd", ["right lung", "left lung", "ribs", "lumbar vertebral column"], folder)
    try:
        import nibabel  # noqa: F401
    except ImportError:
        print("skipped: python3-nibabel is not installed")
        return
    check_file(f"{REAL}/liver_labels.nii.gz", [2, 1, 3, 4, 5], folder)
    check_file(f"{REAL}/totalsegmentator_example_seg.nii.gz", ["liver", "aorta", "portal_vein_and_splenic_vein"], folder)
    check_file(f"{REAL}/totalsegmentator_example_seg_dicom.nii.gz", [5, 52], folder)


def numbers(value, path=""):
    """{path: number} of a summary, without what differs from run to run."""
    if isinstance(value, dict):
        for name, item in value.items():
            if not re.search(r"timing|seconds|memory|started|host|plan|file|version|warnings", name):
                yield from numbers(item, f"{path}.{name}")
    elif isinstance(value, list):
        for n, item in enumerate(value):
            yield from numbers(item, f"{path}[{n}]")
    elif isinstance(value, (int, float)):
        yield path, value


def labels_by_name(folder):
    """The summary has the numbers of labels that are stated by name."""
    with open(os.path.join(folder, "names.txt"), "w") as file:
        file.write('1 255 0 0 1 1 1 "the tumour"\n')
    plan = {"name": "named", "mesh": {"size": 60, "accuracy": 50, "order": 1}, "output": {"fields": False}, "tissues": {"default": {"preset": "liver"}},
            "anatomy": {"labels": "ball.nrrd", "names": "names.txt", "map": {"the tumour": "default"}}, "probes": {"markups": "ras.mrk.json", "exposure": 15},
            "pulses": [{"from": "A", "to": "B", "voltage": 1500}]}
    with open(os.path.join(folder, "plan.yaml"), "w") as file:
        json.dump(plan, file)
    run("run", "plan.yaml", "-o", "named", folder=folder)
    with open(os.path.join(folder, "named", "named.json")) as file:
        assert json.load(file)["anatomy"]["map"] == [{"label": 1, "region": "default"}]


def changed_needles(folder):
    """A sweep does not go on with needles that have moved since it began, even if its cases change them one by one."""
    plan = {"mesh": {"size": 60, "accuracy": 50, "order": 1}, "tissues": {"default": {"preset": "liver"}}, "output": {"fields": False},
            "probes": {"markups": "lps.mrk.json", "exposure": 15}, "pulses": [{"from": "A", "to": "B", "voltage": 1500}]}
    for name, content in ("plan.yaml", plan), ("sweep.yaml", {"plan": "plan.yaml", "vary": {"probes[0].exposure": {"values": [15]}}}):
        with open(os.path.join(folder, name), "w") as file:
            json.dump(content, file)
    run("sweep", "sweep.yaml", "-o", "swept", "-q", folder=folder)
    with open(os.path.join(folder, "lps.mrk.json"), "r+") as file:
        moved = file.read().replace("-9.7", "-9.6", 1)
        file.seek(0)
        file.write(moved)
    done = subprocess.run([PROGRAM, "sweep", "sweep.yaml", "-o", "swept", "-q", "--resume"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "lps.mrk.json: has changed, or is gone" in done.stderr, done.stderr


def same_in_every_frame(folder):
    """A ball of 10 mm in a box; two needles that are not parallel, off the axes."""
    k, j, i = numpy.ogrid[:40, :40, :40]
    ball = ((i - 20.0) ** 2 + (j - 22.0) ** 2 + (k - 18.0) ** 2 < 100).astype("u1")
    with open(os.path.join(folder, "ball.nrrd"), "wb") as file:
        file.write(b"NRRD0004\ntype: uchar\ndimension: 3\nspace: left-posterior-superior\nsizes: 40 40 40\n"
                   b"space directions: (1,0,0) (0,1,0) (0,0,1)\nspace origin: (-20.5,-19.5,-21)\nencoding: raw\n\n" + ball.tobytes())
    tips = [[7.3, -2.1, -9.7], [-7.1, -1.9, -10.2]]  # RAS
    entries = [[9.4, 4.6, 77.1], [-9.8, 2.2, 75.5]]
    differences = [[round(e - t, 6) for t, e in zip(tip, entry)] for tip, entry in zip(tips, entries)]
    left = lambda v: [-v[0], -v[1], v[2]]  # noqa: E731

    def markups(turn, system):
        return {"markups": [{"type": "Line", "name": name, "coordinateSystem": system, "controlPoints": [{"position": turn(tip)}, {"position": turn(entry)}]}
                            for name, tip, entry in zip("AB", tips, entries)]}

    def probes(turn):
        return [{"name": name, "tip": turn(tip), "direction": turn(d), "exposure": 15} for name, tip, d in zip("AB", tips, differences)]

    for name, content in ("lps.mrk.json", markups(left, "LPS")), ("ras.mrk.json", markups(list, "RAS")):
        with open(os.path.join(folder, name), "w") as file:
            json.dump(content, file)
    unit = [{**probe, "direction": list(numpy.array(probe["direction"]) / numpy.linalg.norm(probe["direction"]))} for probe in probes(list)]
    ways = {"ras": {"probes": probes(list)}, "unit": {"probes": unit}, "lps": {"frame": "LPS", "probes": probes(left)},
            "markups_lps": {"probes": {"markups": "lps.mrk.json", "exposure": 15}},
            "markups_ras": {"frame": "LPS", "probes": {"markups": ["ras.mrk.json"], "exposure": 15}}}
    found = {}
    for name, more in ways.items():
        plan = {"name": "ball", "mesh": {"size": 60, "accuracy": 8, "order": 1}, "anatomy": {"labels": "ball.nrrd", "map": {"1": "tumour"}},
                "tissues": {"default": {"preset": "liver"}, "tumour": {"preset": "liver-tumour"}}, "output": {"fields": False},
                "pulses": [{"from": "A", "to": "B", "voltage": 1500}], **more}
        with open(os.path.join(folder, "plan.yaml"), "w") as file:
            json.dump(plan, file)
        run("run", "plan.yaml", "-o", name, folder=folder)
        with open(os.path.join(folder, name, "ball.json")) as file:
            found[name] = dict(numbers(json.load(file)))
    for name, summary in found.items():
        assert summary.keys() == found["ras"].keys(), (name, summary.keys() ^ found["ras"].keys())
        for path, value in summary.items():
            assert abs(value - found["ras"][path]) <= 1e-9 * abs(found["ras"][path]), (name, path, value, found["ras"][path])
    labels_by_name(folder)
    changed_needles(folder)
    print(f"{len(found)} frames: {len(found['ras'])} numbers of the summary are the same to 1e-9")


def large_map(folder):
    """512 x 512 x 400 voxels."""
    slices = numpy.zeros((400, 512, 512), "u1")
    slices[100:300, 100:400, 100:400] = 1
    slices[150:200, 200:260, 200:260] = 2
    with open(os.path.join(folder, "large.nrrd"), "wb") as file:
        file.write(b"NRRD0004\ntype: uchar\ndimension: 3\nspace: RAS\nsizes: 512 512 400\nspace directions: (0.8,0,0) (0,0.8,0) (0,0,1)\n"
                   b"space origin: (-204.8,-204.8,-200)\nencoding: gzip\n\n" + zlib.compress(slices, 1))
    plan = {"anatomy": {"labels": "large.nrrd", "map": {"1": "liver", "2": "tumour"}}, "probes": [{"tip": [-30, 0, -30]}, {"tip": [-10, 0, -30]}],
            "tissues": {"default": {"preset": "muscle"}, "liver": {"preset": "liver"}, "tumour": {"preset": "liver-tumour"}}, "pulses": {"pairs": "all", "field": 1000}}
    with open(os.path.join(folder, "plan.yaml"), "w") as file:
        json.dump(plan, file)
    child = subprocess.Popen([PROGRAM, "check", "plan.yaml"], cwd=folder, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0
    print(f"512 x 512 x 400: check took {used.ru_utime + used.ru_stime:.2f} s of processor and {used.ru_maxrss / 1024:.0f} MB")
    assert used.ru_maxrss < 1024 * 1024


os.environ.setdefault("OMP_NUM_THREADS", "1")
with tempfile.TemporaryDirectory() as temporary:
    real_files(temporary)
    same_in_every_frame(temporary)
    large_map(temporary)
