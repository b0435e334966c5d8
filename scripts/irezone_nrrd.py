"""A small reader of label maps in NRRD, 3D Slicer's segmentations (.seg.nrrd) among them, as src/anatomy/nrrd_read.c takes them."""
import bz2
import math
import os
import re
import zlib

MAX_HEADER = 4194304  # bytes
MAX_VOXELS = 2147483647
MAX_BYTES = 4e9  # of voxels that are taken into memory
MAX_LAYERS = 4096
TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("unsigned char", "uchar", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("unsigned short", "ushort", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("unsigned int", "uint", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "u8": ("unsigned long long", "ulonglong", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
ENCODINGS = {"raw": "raw", "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2", "ascii": "ascii", "text": "ascii", "txt": "ascii"}
MOST = {"raw": 1, "gzip": 1032, "bzip2": 1.2e6, "ascii": 0.5}  # bytes, or numbers, that one byte can stand for
SPACES = {"left-posterior-superior": (-1, -1, 1), "lps": (-1, -1, 1), "right-anterior-superior": (1, 1, 1), "ras": (1, 1, 1)}
SPACES |= {"left-anterior-superior": (-1, 1, 1), "las": (-1, 1, 1)}
UNITS = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "um": 1e-3}


class Refused(Exception):
    """Why a file cannot be read, in one line without its name."""


def is_nrrd(path):
    """Whether a file starts as NRRD does."""
    try:
        with open(path, "rb") as file:
            return file.read(7) == b"NRRD000"
    except OSError:
        return False


def read_header(file):
    """Fields, and keys with their values; the file is then where the header ends."""
    fields, keys = {}, {}
    for number in range(1, MAX_HEADER):
        line = file.readline(MAX_HEADER)
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if file.tell() > MAX_HEADER:
            raise Refused(f"the header is longer than {MAX_HEADER} bytes")
        if text == "":
            if line == b"" and "data file" not in fields and "datafile" not in fields:
                raise Refused("the file is cut off: no empty line ends the header")
            return fields, keys
        if number == 1 or text.startswith("#"):
            continue
        field, colon, value = text.partition(":")
        if not colon:
            raise Refused(f'line {number}: "field: value" or "key:=value" is wanted')
        if value.startswith("="):
            keys[field] = re.sub(r"\\([n\\])", lambda m: " " if m[1] == "n" else "\\", value[1:]).strip()
        else:
            fields[field] = value.strip()
    raise Refused("the header has too many lines")


def numbers_of(fields, name, kind=float):
    """Numbers of a field, one for each axis; [] without it."""
    try:
        return [kind(word) for word in fields.get(name, "").split()]
    except ValueError:
        raise Refused(f'{name}: is "{fields[name][:60]}"; numbers are wanted') from None


def vectors_of(fields, name):
    """Vectors of a field; None stands for an axis that is not of space."""
    vectors = []
    for word in re.findall(r"none|\([^)]*\)|[^\s(]+", fields.get(name, "")):
        try:
            vectors.append(None if word == "none" else [float(x) for x in word.strip("()").split(",")])
        except ValueError:
            vectors.append([])
        if vectors[-1] is not None and (len(vectors[-1]) != 3 or not all(map(math.isfinite, vectors[-1]))):
            raise Refused(f"{name}: vectors of three numbers as (1,0,0), or none, are wanted")
    return vectors


def chosen(fields, name, known, default=None):
    """What a word of a field stands for."""
    word = fields.get(name, default)
    if word is None:
        raise Refused(f'the header has no field "{name}"')
    if word not in known:
        raise Refused(f'{name}: is "{word[:60]}", which is not known')
    return known[word]


def segments_of(keys):
    """[(value, layer, name)] of a segmentation; it ends at the first segment without an ID."""
    segments = []
    while f"Segment{len(segments)}_ID" in keys:
        start, number = f"Segment{len(segments)}_", len(segments)
        try:
            value, layer = int(keys.get(start + "LabelValue", 1)), int(keys.get(start + "Layer", number))
        except ValueError:
            raise Refused(f"{start}LabelValue or {start}Layer is no whole number") from None
        segments.append((value, layer, keys.get(start + "Name") or keys[start + "ID"]))
    return segments


def axes_of(fields):
    """Sizes of the axes of space, their numbers, and how many layers there are."""
    sizes, directions = numbers_of(fields, "sizes", int), vectors_of(fields, "space directions")
    if not sizes or min(sizes) < 1 or [len(sizes)] != numbers_of(fields, "dimension", int):
        raise Refused("sizes: one size of at least 1 is wanted for each axis of dimension")
    if directions and len(directions) != len(sizes):
        raise Refused(f"space directions: has {len(directions)}; dimension is {len(sizes)}")
    kind, axes, layers = (fields.get("kinds", "").split() or [""])[0], [], 1
    for d, size in enumerate(sizes):
        space = directions[d] is not None if directions else len(sizes) == 3
        if space and len(axes) < 3:
            axes.append(d)
        elif not space and d == 0 and len(sizes) == 4 and size <= MAX_LAYERS and kind in ("", "list", "none", "???"):
            layers = size
        elif size != 1:
            raise Refused(f"{size} numbers along axis {d + 1}; a label map has three axes of space and, before them, one of layers")
    if len(axes) < 3 or math.prod(sizes[d] for d in axes) > MAX_VOXELS:
        raise Refused(f"three axes of space with at most {MAX_VOXELS} voxels are wanted")
    return [sizes[d] for d in axes], axes, layers


def place_of(fields, axes):
    """Rows of the matrix from voxels' numbers to RAS, mm."""
    sign = chosen({"space": fields.get("space", "LPS").lower()}, "space", SPACES)
    units = set(re.findall(r'"([^"]*)"', fields.get("space units", ""))) or {"mm"}
    if len(units) > 1 or not units <= set(UNITS):
        raise Refused("space units: mm, cm, m or um is wanted, the same for all")
    unit, directions = UNITS[units.pop()], vectors_of(fields, "space directions")
    spacings, lows = numbers_of(fields, "spacings"), numbers_of(fields, "axis mins") or numbers_of(fields, "axismins")
    if not directions and len(spacings) <= max(axes):
        raise Refused('the header has neither "space directions" nor "spacings"')
    steps = [directions[d] if directions else [spacings[d] * (k == e) for k in range(3)] for e, d in enumerate(axes)]
    origin = (vectors_of(fields, "space origin") or [None])[0]
    if origin is None:
        known = not directions and len(lows) > max(axes)
        origin = [lows[d] if known and math.isfinite(lows[d]) else 0.0 for d in axes]
    return [[sign[d] * unit * x for x in (*(step[d] for step in steps), origin[d])] for d in range(3)]


def expanded(packed, kind, wanted):
    """The first bytes of what is compressed, of one stream after the other."""
    data = bytearray()
    while packed and len(data) < wanted:
        stream = zlib.decompressobj(47) if kind == "gzip" else bz2.BZ2Decompressor()
        try:
            data += stream.decompress(packed, wanted - len(data))
        except (zlib.error, OSError, EOFError) as error:
            raise Refused(f"its voxels are damaged: {error}") from None
        if not stream.eof:
            break
        packed = stream.unused_data
    return bytes(data)


def voxels_of(file, fields, count):
    """All numbers of the data that follow, in the order of the file."""
    import numpy

    kind = chosen(fields, "encoding", ENCODINGS)
    code = chosen(fields, "type", {name: code for code, names in TYPES.items() for name in names})
    order = {"little": "<", "big": ">"}
    order = "<" if code[1] == "1" or kind == "ascii" else chosen(fields, "endian", order)
    dtype = numpy.dtype(order + code)
    skips = [(numbers_of(fields, name, int) or numbers_of(fields, name.replace(" ", ""), int) or [0])[0] for name in ("line skip", "byte skip")]
    if skips[0] < 0 or skips[1] < -1 or (skips[1] == -1 and kind != "raw"):
        raise Refused("line skip or byte skip: a number of at least 0 is wanted")
    wanted = count * dtype.itemsize
    if wanted > MAX_BYTES:
        raise Refused(f"{wanted / 1e9:.1f} GB of voxels are too many to be drawn")
    for _ in range(skips[0]):
        if not file.readline():
            raise Refused("line skip: the file has fewer lines before its data")
    left = os.fstat(file.fileno()).st_size - file.tell()
    skip = left - wanted if skips[1] == -1 else skips[1]
    behind = skip if kind in ("gzip", "bzip2") else 0  # the bytes to be skipped are then among the expanded ones
    left -= skip - behind
    if skip < 0 or behind > MAX_BYTES or (left + 1) * MOST[kind] < (count if kind == "ascii" else wanted + behind) + (kind == "raw"):
        raise Refused(f"the file is cut off, or its sizes are wrong: {max(left, 0)} bytes are too few for {count} voxels")
    if not behind:
        file.seek(skip, os.SEEK_CUR)
    if kind == "ascii":
        try:
            values = numpy.array(file.read().replace(b",", b" ").split()[:count], dtype=float)
        except ValueError:
            raise Refused("there is something in the data that is no number") from None
    else:
        data = file.read(wanted) if kind == "raw" else expanded(file.read(), kind, wanted + behind)[behind:]
        values = numpy.frombuffer(data[: len(data) // dtype.itemsize * dtype.itemsize], dtype)
    if len(values) < count:
        raise Refused("the file is cut off: it ends before its last voxel")
    return values


def layer_of(entry, entries, segments):
    """The layer that an entry of the summary's map means; -1: any. The summary holds its number only: where segments of
    several layers share it, the name tells them apart."""
    fitting = {(layer, name) for value, layer, name in segments if value == entry["label"]}
    if len({layer for layer, _ in fitting}) > 1:
        named = {item for item in fitting if re.sub("[ _]", "-", item[1]) == re.sub("[ _]", "-", entry["region"])}
        if len(named) != 1:
            raise Refused(f"segments of several layers have the number {entry['label']}, and none of them is named {entry['region']}")
        fitting = named
    elif sum(other["label"] == entry["label"] for other in entries) > 1:
        raise Refused(f"the number {entry['label']} is in the result's map twice, and in one layer of the file")
    return next(iter(fitting))[0] if fitting else -1


class Image:
    """A label map: `values` [z][y][x] are places in the summary's map, from 1; `rows` lead from voxels' numbers to RAS, mm."""

    def __init__(self, path, entries):
        import numpy

        with open(path, "rb") as file:
            fields, keys = read_header(file)
            size, axes, layers = axes_of(fields)
            self.rows = place_of(fields, axes)
            segments = [(value, layer if layers > 1 else 0, name) for value, layer, name in segments_of(keys)]
            numbers = self.numbers(path, file, fields, math.prod(size) * layers).reshape(*size[::-1], layers)
        if abs(numpy.linalg.det(numpy.array(self.rows)[:, :3])) < 1e-12:
            raise Refused("space directions: the voxels have no volume")
        self.values = numpy.zeros(size[::-1], numpy.uint16)
        # Where layers overlap, what stands last in the map counts.
        for place, entry in enumerate(entries):
            wanted = layer_of(entry, entries, segments)
            for layer in range(layers) if entry["label"] != 0 or layers == 1 else ():
                if wanted in (-1, layer):
                    self.values[numpy.rint(numbers[..., layer]) == entry["label"]] = place + 1

    @staticmethod
    def numbers(path, file, fields, count):
        """The voxels, of this file or of the one beside it that the header names."""
        name = fields.get("data file", fields.get("datafile"))
        if name is None:
            return voxels_of(file, fields, count)
        beside = os.path.join(os.path.dirname(path), name)
        if os.path.basename(name) != name or name.startswith("LIST") or not os.path.isfile(beside):
            raise Refused(f'data file: is "{name[:60]}"; one file in the same folder is wanted')
        with open(beside, "rb") as data:
            return voxels_of(data, fields, count)
