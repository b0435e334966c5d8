#!/usr/bin/env python3
"""irezone_hdf.py RESULT.hdf - print the summary stored in a result, as JSON.

Results come from other people and may be made to do harm. This module opens them for the other scripts: nothing but a
regular file, without waiting; no links, no data in other files, no sizes that the file does not hold; and words without
control characters.
"""
import json
import math
import os
import signal
import stat
import sys

EXPANSION, SMALL = 100, 1 << 26  # compressed data may be so many times the file's size, or have so many bytes
LONGEST_TEXT = 1 << 24
MOST_OBJECTS, DEEPEST = 100000, 16
MAGIC = b"\x89HDF\r\n\x1a\n"


class Refused(Exception):
    """What is wrong with a file, in one line."""


def check_kind(path):
    """Refuse what is not a regular file that begins as HDF5 does."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            regular = stat.S_ISREG(os.fstat(handle).st_mode)
            start = os.read(handle, len(MAGIC)) if regular else b""
        finally:
            os.close(handle)
    except OSError as error:
        raise Refused(f"cannot be read: {error.strerror}") from error
    if not regular:
        raise Refused("is not a regular file")
    if start != MAGIC:
        raise Refused("not a result of irezone: not an HDF5 file")


def check_dataset(dataset, name, budget):
    """Refuse a dataset whose data are elsewhere or nowhere; returns its bytes."""
    import h5py

    if dataset.external or dataset.is_virtual:
        raise Refused(f"not a result of irezone: {name} is stored in another file")
    if dataset.size is None:
        return 0
    size, stored = dataset.size * dataset.dtype.itemsize, dataset.id.get_storage_size()
    chunked = dataset.id.get_create_plist().get_layout() == h5py.h5d.CHUNKED
    if size > budget or (size > 0 and stored == 0) or (not chunked and size > stored):
        raise Refused(f"not a result of irezone: {name} claims more than the file holds")
    return size


def check_tree(file, size):
    """Look at everything in an open file."""
    import h5py

    budget, count, seen, waiting = EXPANSION * size + SMALL, 0, set(), [(file["/"], "", 0)]
    while waiting:
        group, path, depth = waiting.pop()
        for name in group:
            count += 1
            shown = clean(f"{path}/{name}")
            if count > MOST_OBJECTS or depth > DEEPEST:
                raise Refused("not a result of irezone: it has too many objects")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise Refused(f"not a result of irezone: {shown} is a link to another place")
            thing = group[name]
            address = h5py.h5o.get_info(thing.id).addr
            if address in seen:
                continue
            seen.add(address)
            if isinstance(thing, h5py.Dataset):
                budget -= check_dataset(thing, shown, budget)
            elif isinstance(thing, h5py.Group):
                waiting.append((thing, f"{path}/{name}", depth + 1))


def open_file(path):
    """Open a file whose content has been checked, as h5py.File. Raises Refused."""
    check_kind(path)
    try:
        import h5py
    except ImportError as error:
        raise Refused("h5py was not found (Debian: python3-h5py)") from error
    try:
        # Results are replaced and never changed, so no lock is needed; some file systems have none.
        file = h5py.File(path, "r", locking=False)
        check_tree(file, os.path.getsize(path))
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError) as error:
        raise Refused(f"not a result of irezone: it is cut off or damaged ({clean(str(error))})") from error
    return file


def check_grid(file):
    """Refuse a grid whose sizes and numbers do not fit together: ParaView would crash."""
    import numpy as np

    wrong = Refused("not a result of irezone: its grid does not fit together")
    grid = file["VTKHDF"]
    names = ("NumberOfPoints", "NumberOfCells", "NumberOfConnectivityIds", "Connectivity", "Offsets", "Types")
    if grid.attrs.get("Type") != b"UnstructuredGrid" or any(grid[name].dtype.kind not in "iu" for name in names):
        raise wrong
    points, cells, ids, connectivity, offsets, types = (grid[name][()] for name in names)
    parts = len(points)
    if any(array.ndim != 1 for array in (points, cells, ids, connectivity, offsets, types)):
        raise wrong
    if len(cells) != parts or len(ids) != parts or any((n < 0).any() or (n > 2**40).any() for n in (points, cells, ids)):
        raise wrong
    n_points, n_cells = int(points.sum()), int(cells.sum())
    sizes = (len(types), len(connectivity), len(offsets))
    if sizes != (n_cells, ids.sum(), n_cells + parts) or grid["Points"].shape != (n_points, 3):
        raise wrong
    if grid["Points"].dtype.kind != "f":
        raise wrong
    for group, n in (("PointData", n_points), ("CellData", n_cells)):
        for array in grid[group].values():
            if array.shape[:1] != (n,) or array.shape[1:] > (64,) or array.ndim > 2 or array.dtype.kind not in "iuf":
                raise wrong
    cell = node = offset = 0
    for part in range(parts):
        own = offsets[offset : offset + cells[part] + 1].astype(np.int64)
        nodes = connectivity[node : node + ids[part]]
        kinds = types[cell : cell + cells[part]]
        good = own[0] == 0 and own[-1] == ids[part] and (np.diff(own) == np.where(kinds == 24, 10, 4)).all()
        if not good or not np.isin(kinds, (10, 24)).all() or (nodes < 0).any() or (nodes >= points[part]).any():
            raise wrong
        cell, node, offset = cell + cells[part], node + ids[part], offset + cells[part] + 1


def clean(text):
    """Words without control characters, line ends and marks that turn the order of what is shown."""
    bad = {*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
    return "".join(" " if ord(c) in bad or 0xD800 <= ord(c) < 0xE000 else c for c in text)


def cleaned(value, depth=0):
    """The same for all words of a JSON value; refuses what is nested deeper than any summary."""
    if depth > DEEPEST:
        raise Refused("not a result of irezone: its summary is nested too deeply")
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [cleaned(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {clean(key): cleaned(item, depth + 1) for key, item in value.items()}
    return value


def is_number(value):
    """A finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def is_vector(value):
    """Three finite numbers."""
    return isinstance(value, list) and len(value) == 3 and all(map(is_number, value))


def is_text(value):
    """Words."""
    return isinstance(value, str)


def is_whole(value):
    """A whole number of a label."""
    return is_number(value) and abs(value) < 2**31 and value == int(value)


def is_box(value):
    """Two corners."""
    return isinstance(value, list) and len(value) == 2 and all(map(is_vector, value))


# What the scripts take from a summary. A key in capitals must be there and not be null.
SHAPE = {
    "PLAN": is_text,
    "frame": is_text,
    "ZONE": {
        "VOLUME_CM3": is_number,
        "volume_error_cm3": is_number,
        "THRESHOLD_V_PER_CM": is_number,
        "bounding_box_mm": is_box,
        "BY_REGION": [{"REGION": is_text, "threshold_V_per_cm": is_number, "VOLUME_CM3": is_number}],
    },
    "PROBES": [
        {
            "NAME": is_text, "needle": is_text, "tip_shape": is_text, "tip_mm": is_vector, "direction": is_vector,
            "exposure_mm": is_number, "diameter_mm": is_number, "face_mm": is_vector, "side": is_vector,
            "width_mm": is_number, "height_mm": is_number, "thickness_mm": is_number,
        }
    ],
    "targets": [
        {
            "REGION": is_text, "coverage": is_number, "wanted_margin_mm": is_number, "margin_mm": {"min": is_number},
        }
    ],
    "anatomy": {"LABELS": is_text, "MAP": [{"LABEL": is_whole, "REGION": is_text}]},
}  # fmt: skip


def fits(value, shape):
    """Whether a JSON value is as the scripts need it."""
    if isinstance(shape, list):
        return isinstance(value, list) and all(fits(item, shape[0]) for item in value)
    if not isinstance(shape, dict):
        return shape(value)
    if not isinstance(value, dict):
        return False
    for name, part in shape.items():
        item = next((v for k, v in value.items() if k.lower() == name.lower()), None)
        if (item is None and name.isupper()) or (item is not None and not fits(item, part)):
            return False
    return True


def parse_summary(text):
    """A summary from its JSON text. Raises Refused."""
    try:
        summary = cleaned(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise Refused("not a result of irezone: its summary is missing or damaged") from error
    if not fits(summary, SHAPE):
        raise Refused("not a result of irezone: its summary lacks what a result has")
    return summary


def read_summary(path):
    """The summary stored in a result. Raises Refused."""
    with open_file(path) as file:
        for name in ("VTKHDF/PointData/field_V_per_cm", "VTKHDF/CellData/region", "irezone/summary"):
            if name not in file:
                raise Refused(f"not a result of irezone: it has no {name}")
        try:
            check_grid(file)
        except (KeyError, AttributeError, TypeError, ValueError, IndexError, OSError, RuntimeError, MemoryError) as error:
            raise Refused("not a result of irezone: its grid is damaged") from error
        text = file["irezone/summary"]
        if not hasattr(text, "shape") or text.shape != () or text.dtype.kind != "S" or text.dtype.itemsize > LONGEST_TEXT:
            raise Refused("not a result of irezone: its summary is not a text")
        return parse_summary(text[()])


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # quiet after `| head`
    try:
        print(json.dumps(read_summary(sys.argv[1])))
    except Refused as error:
        print(error, file=sys.stderr)
        sys.exit(2 if "h5py" in str(error) else 3)
