#!/usr/bin/env python3
"""hostile.py IREZONE MAKE_RESULT: results and tables that are made to do harm.

Each is an honest file with one thing changed. `irezone info` and the scripts must refuse it with one line and status 3 or
show it, soon, without opening another file, and without a control character reaching the terminal.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import h5py
import numpy as np

SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts")
SECRET = "SECRET-OF-ANOTHER-FILE"
CASES = {}
failures = []


def case(info, script=3):
    """Register a way to spoil an open result, with the status that info and the scripts end with."""
    return lambda spoil: CASES.setdefault(spoil.__name__, (spoil, info, script))


def rows(file):
    """Number of points."""
    return file["VTKHDF/Points"].shape[0]


def replace(file, name, data, **options):
    """Put other data in a dataset's place."""
    del file[name]
    file.create_dataset(name, data=data, **options)


def external_storage(group, name, path, size):
    """A dataset whose bytes are those of another file."""
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_external(path.encode(), 0, size)
    space = h5py.h5s.create_simple((size,))
    h5py.h5d.create(group.id, name, h5py.h5t.NATIVE_UINT8, space, dcpl=properties)


def write_summary(file, summary):
    """Another summary, as irezone stores it."""
    text = summary if isinstance(summary, bytes) else json.dumps(summary, ensure_ascii=False).encode()
    replace(file, "irezone/summary", np.array(text, dtype=f"S{max(1, len(text))}"))


def changed_summary(file, **changes):
    """The summary with some keys changed."""
    write_summary(file, {**json.loads(file["irezone/summary"][()]), **changes})


@case(0, 0)
def honest(file):
    """Nothing changed."""


@case(3)
def external_link(file):
    file["VTKHDF/PointData/leak"] = h5py.ExternalLink("secret.hdf", "/d")


@case(3)
def external_link_to_pipe(file):
    file["VTKHDF/PointData/leak"] = h5py.ExternalLink("pipe", "/d")


@case(3)
def external_group(file):
    del file["VTKHDF/CellData"]
    file["VTKHDF/CellData"] = h5py.ExternalLink("pipe", "/d")


@case(3)
def external_root(file):
    del file["irezone"]
    file["irezone"] = h5py.ExternalLink("secret.hdf", "/irezone")


@case(3)
def soft_link(file):
    file["VTKHDF/PointData/again"] = h5py.SoftLink("/VTKHDF/Points")


@case(3)
def soft_loop(file):
    file["VTKHDF/PointData/a"] = h5py.SoftLink("/VTKHDF/PointData/b")
    file["VTKHDF/PointData/b"] = h5py.SoftLink("/VTKHDF/PointData/a")


@case(3)
def raw_storage(file):
    external_storage(file["VTKHDF/PointData"], b"leak", "secret.txt", rows(file))


@case(3)
def raw_summary(file):
    del file["irezone/summary"]
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    size = os.path.getsize("secret.txt")
    properties.set_external(b"secret.txt", 0, size)
    kind = h5py.h5t.C_S1.copy()
    kind.set_size(size)
    h5py.h5d.create(file["irezone"].id, b"summary", kind, h5py.h5s.create(h5py.h5s.SCALAR), dcpl=properties)


@case(3)
def virtual(file):
    layout = h5py.VirtualLayout(shape=(rows(file),), dtype="f8")
    layout[:] = h5py.VirtualSource("secret.hdf", "d", shape=(rows(file),))
    file["VTKHDF/PointData"].create_virtual_dataset("leak", layout)


@case(0, 0)
def control_characters(file):
    words = "\x1b]0;owned\x07\x1b[31m\x9b2J\x7f\u202eword\u2066\u2028"
    changed_summary(file, plan=words, status=words, warnings=["\x1b[2J\nfake line\n", "\r" + words])
    file["VTKHDF/PointData"].create_dataset("\x1b[31mevil\nname\u202e", data=np.zeros(rows(file)))


@case(0)
def bytes_in_names(file):
    space = h5py.h5s.create_simple((rows(file),))
    data = h5py.h5d.create(file["VTKHDF/PointData"].id, b"\xff\xfe\x1b[1m", h5py.h5t.NATIVE_DOUBLE, space)
    data.write(h5py.h5s.ALL, h5py.h5s.ALL, np.zeros(rows(file)))
    file["VTKHDF"].attrs["Type"] = np.bytes_(b"ImageData")


@case(3)
def huge(file):
    many = 2**36
    replace(file, "VTKHDF/NumberOfPoints", np.array([many]))
    del file["VTKHDF/Points"]
    h5py.h5d.create(file["VTKHDF"].id, b"Points", h5py.h5t.NATIVE_DOUBLE, h5py.h5s.create_simple((many, 3)))


@case(3)
def huge_compressed(file):
    many = 2**33
    replace(file, "VTKHDF/NumberOfPoints", np.array([many]))
    del file["VTKHDF/Points"]
    points = file.create_dataset("VTKHDF/Points", (many, 3), "f8", chunks=(2**20, 3), compression=9)
    points[: 2**20] = 0


@case(3)
def huge_chunk(file):
    replace(file, "VTKHDF/Types", np.zeros(1, "u1"), chunks=(2**31,), maxshape=(None,))
    file.create_dataset("VTKHDF/CellData/large", (rows(file), 2**20), "f8", chunks=(1, 2**20), compression=9)[0] = 1


@case(3)
def many_components(file):
    file.create_dataset("VTKHDF/PointData/wide", (rows(file), 65), "u1")[...] = 0


@case(3)
def one_array_many_times(file):
    first = next(iter(file["VTKHDF/PointData"].values()))
    for i in range(20000):
        file[f"VTKHDF/PointData/z{i}"] = h5py.SoftLink(first.name)


@case(0, 0)
def many_names(file):
    first = next(iter(file["VTKHDF/PointData"].values()))
    for i in range(5000):
        file[f"VTKHDF/PointData/z{i}"] = first


@case(0)
def group_loop(file):
    file["VTKHDF/PointData/round"] = file["/"]


@case(3)
def no_counts(file):
    replace(file, "VTKHDF/NumberOfCells", h5py.Empty("i8"))


@case(3)
def counts_are_words(file):
    replace(file, "VTKHDF/NumberOfCells", np.array([b"abc"]))


@case(3)
def counts_are_a_group(file):
    del file["VTKHDF/NumberOfCells"]
    file.create_group("VTKHDF/NumberOfCells")


@case(3)
def negative_count(file):
    replace(file, "VTKHDF/NumberOfCells", np.array([-1]))


@case(3)
def many_parts(file):
    replace(file, "VTKHDF/NumberOfCells", np.full(2**21, 1))


@case(3)
def complex_points(file):
    replace(file, "VTKHDF/Points", np.zeros((rows(file), 3), dtype="c16"))


@case(0)
def connectivity_beyond(file):
    file["VTKHDF/Connectivity"][5] = 2**40


@case(0)
def offsets_backwards(file):
    file["VTKHDF/Offsets"][3] = -7


@case(0)
def unknown_cells(file):
    file["VTKHDF/Types"][2] = 255


@case(3)
def deep_summary(file):
    write_summary(file, b'{"plan": ' + b"[" * 100000 + b"]" * 100000 + b"}")


@case(0)
def rather_deep_summary(file):
    changed_summary(file, plan=json.loads("[" * 500 + "]" * 500))


@case(0, 0)
def long_summary(file):
    pulses = [{"from": "A" * 100000, "to": "B", "voltage_V": 1, "current_A": 1, "resistance_ohm": 1}] + [{}] * 100000
    changed_summary(file, warnings=["w"] * 100000, pulses=pulses)


@case(3)
def longest_summary(file):
    write_summary(file, b'{"plan": "' + b"x" * 2**24 + b'"}')


@case(3)
def summary_is_no_json(file):
    write_summary(file, b"{]")


@case(3)
def summary_is_a_number(file):
    replace(file, "irezone/summary", 7)


@case(0)
def summary_of_wrong_types(file):
    changed_summary(file, plan=[1], zone="x", probes=7, pulses={"a": 1}, warnings=3)


@case(3)
def infinite_numbers(file):
    text = file["irezone/summary"][()].replace(b'"volume_cm3": ', b'"volume_cm3": 1e999, "x": ', 1)
    write_summary(file, text)


def check(good, message):
    """Note a failure."""
    if not good:
        print("WRONG " + message)
        failures.append(message)


def run(command, wanted, name):
    """Run a command on a hostile file and look at what it says."""
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=60, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        check(False, f"{name}: does not end")
        return
    said = done.stdout + done.stderr
    check(done.returncode == wanted, f"{name}: status {done.returncode}, not {wanted}: {said[-300:]!r}")
    check(SECRET.encode() not in said, f"{name}: shows another file")
    check(b"Traceback" not in said, f"{name}: a traceback: {done.stderr[-300:]!r}")
    lines = done.stderr.strip().splitlines()
    check(len(lines) == (0 if wanted == 0 else 1), f"{name}: {len(lines)} lines of error: {done.stderr[-300:]!r}")
    bad = [c for c in said.decode(errors="replace") if c != "\n" and (ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2066\u2028")]
    check(not bad, f"{name}: control characters {bad[:5]!r}")
    check(len(said) < 200000, f"{name}: {len(said)} bytes of output")


def check_results(program, honest_file):
    """All cases of results."""
    reader = os.path.join(SCRIPTS, "irezone_hdf.py")
    for name, (spoil, info, script) in CASES.items():
        path = f"{name}.hdf"
        shutil.copy(honest_file, path)
        with h5py.File(path, "r+") as file:
            spoil(file)
        run([program, "info", path], info, f"info {name}")
        run([sys.executable, reader, path], script, f"irezone_hdf.py {name}") if script else None
        if script != 0:  # before ParaView is asked
            run([sys.executable, os.path.join(SCRIPTS, "surface.py"), path], script, f"surface.py {name}")
        os.unlink(path)
    for name in ("pipe", "/dev/zero", "."):
        run([program, "info", name], 3, f"info {name}")
        run([sys.executable, reader, name], 3, f"irezone_hdf.py {name}")
    run([program, "info", "pipe"], 3, "info of a pipe")


def spoil_table(file, name):
    """One thing changed in sweep.h5; the status of sweep_plots.py."""
    if name == "external":
        file["results/leak"] = h5py.ExternalLink("secret.hdf", "/d")
    elif name == "pipe":
        del file["parameters"]
        file["parameters"] = h5py.ExternalLink("pipe", "/d")
    elif name == "deep":
        replace(file, "statistics", np.array(b"[" * 100000, dtype="S100000"))
    elif name == "no results":
        del file["results"]
    elif name == "words":
        replace(file, "results/case", np.array([b"x"]))
    elif name == "attribute":
        file.attrs["strata"] = 0
    elif name == "short":
        replace(file, "results/volume_cm3", np.zeros(1))
    elif name == "formula":
        key = next(iter(file["parameters"]))
        file.move(f"parameters/{key}", "parameters/$\\frac{$")
        return 0
    return 3


PLAN = """name: plates
mesh: {file: MESH, scale: 1}
tissues: {default: {sigma: {law: constant, value: 0.2}, threshold: 500}}
probes: [{name: bottom, surface: plate_1}, {name: top, surface: plate_2}]
pulses: [{from: top, to: bottom, voltage: 1000, count: 10, width: 100, rate: 1}]
"""
SWEEP = """plan: plan.yaml
sample: latin-hypercube
cases: 4
vary: {"pulses[0].voltage": {uniform: [700, 1200]}}
probability_map: {spacing: 2, box: [[-10, -10, -5], [10, 10, 5]]}
"""


def make_table(program):
    """A folder with the tables of a sweep."""
    mesh = os.path.join(SCRIPTS, "..", "meshes", "parallel_plates.msh")
    for name, text in (("plan.yaml", PLAN.replace("MESH", mesh)), ("sweep.yaml", SWEEP)):
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)
    subprocess.run([program, "sweep", "sweep.yaml", "-o", "swept", "-q"], check=True)
    return "swept"


def check_tables(folder):
    """sweep_plots.py on tables that have been changed."""
    for name in ("honest", "external", "pipe", "deep", "no results", "words", "attribute", "short", "formula"):
        shutil.copytree(folder, "table")
        with h5py.File("table/sweep.h5", "r+") as file:
            wanted = spoil_table(file, name) if name != "honest" else 0
        run([sys.executable, "-W", "ignore", os.path.join(SCRIPTS, "sweep_plots.py"), "table"], wanted, f"sweep_plots.py {name}")
        shutil.rmtree("table")


def main():
    """Make an honest result and spoil copies of it."""
    program, make_result = (os.path.abspath(path) for path in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        subprocess.run([make_result, folder, "source", "6", "2"], check=True, stdout=subprocess.DEVNULL)
        os.mkfifo("pipe")
        with open("secret.txt", "w", encoding="utf-8") as file:
            file.write(json.dumps({"plan": SECRET, "irezone": SECRET, "status": SECRET, "warnings": [SECRET] * 500}))
        with h5py.File("secret.hdf", "w") as file:
            file["d"] = np.full(2000, 777.0)
            file["irezone/summary"] = np.array(SECRET.encode(), dtype="S40")
        check_results(program, "source.hdf")
        check_tables(make_table(program))
        os.chdir("/")
    print(f"{len(CASES)} hostile results, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
