#!/usr/bin/python3
"""Write the first inputs of the fuzzers that need no mesh: make_seeds.py READER FOLDER, in a checkout of irezone."""
import gzip
import pathlib
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def plans():
    for path in sorted((ROOT / "examples").glob("*.yaml")):
        yield path.read_bytes()
    for path in sorted((ROOT / "tests/plan/bad").glob("*.yaml")):
        yield path.read_bytes()
    yield (ROOT / "examples/two_probes_liver.yaml").read_bytes() + b"\0mesh.accuracy=5"


def sweeps():
    usual = b"name: p\narray: {count: 2, spacing: 15, exposure: 20}\npulses: [{from: A, to: B, voltage: 2000}]\n"
    for path in sorted((ROOT / "examples/sweeps").glob("*.yaml")):
        yield path.read_bytes()
        yield path.read_bytes() + b"\0" + usual
    for text in (
        b"plan: p.yaml\nsample: sobol\ncases: 8\nseed: 3\nvary:\n  array.spacing: {uniform: [10, 20]}\n"
        b"  zone.threshold: {normal: [500, 50], min: 300, max: 700}\ncorrelation: [[1, 0.5], [0.5, 1]]\n",
        b"plan: p.yaml\nsample: latin-hypercube\ncases: 5\nvary: {array.exposure: {triangular: [10, 15, 30]}}\n",
        b"plan: p.yaml\nsample: list\nset: {mesh.accuracy: 2}\nvary: {array.spacing: {values: [12, 18]}}\n",
        b"plan: p.yaml\nvary: {array.spacing: {from: 10, to: 30, step: 5}}\n",
        b"plan: p.yaml\nsample: sobol\ncases: 4\nvary: {array.spacing: {lognormal: [15, 2]}, array.exposure: {beta: [2, 3], min: 5, max: 40}}\n",
    ):
        yield text


def tables():
    yield b"array.spacing,array.exposure\n10,20\n15,25\n20,30\n"
    yield b'"array.spacing";zone.threshold\r\n12.5;500\r\n14;"600"\r\n'
    yield b"\xef\xbb\xbftissues.default.preset,array.spacing\nliver,10\n\"kidney\",1e1\n\n"
    yield b"array.spacing\n10\n11,12\n"
    yield b"case,array.spacing\n1,10\n2,\"1\"\"0\"\n"
    yield b"# a comment\narray.spacing, array.exposure\n10 , 20\n"


def label_maps():
    def image(order, datatype, bits, voxels, size=(3, 3, 2), sform=1, qform=0, slope=1.0, offset=352.0, unit=2):
        h = bytearray(348)
        struct.pack_into(order + "i", h, 0, 348)
        struct.pack_into(order + "8h", h, 40, 3, *size, 1, 1, 1, 1)
        struct.pack_into(order + "hh", h, 70, datatype, bits)
        struct.pack_into(order + "8f", h, 76, 1, 1, 1, 1, 1, 1, 1, 1)
        struct.pack_into(order + "fff", h, 108, offset, slope, 0)
        h[123] = unit
        struct.pack_into(order + "hh", h, 252, qform, sform)
        struct.pack_into(order + "6f", h, 256, 0, 0, 0, -1, -1, -1)
        struct.pack_into(order + "12f", h, 280, 1, 0, 0, -1, 0, 1, 0, -1, 0, 0, 1, -1)
        h[344:348] = b"n+1\0"
        return bytes(h) + bytes(4) + voxels

    labels = [0, 1, 2, 255, 1, 1, 2, 2, 0, 1, 2, 3, 0, 0, 0, 1, 1, 255]
    for order in "<>":
        for datatype, bits, code in ((2, 8, "B"), (256, 8, "b"), (4, 16, "h"), (512, 16, "H"), (8, 32, "i"), (16, 32, "f"), (64, 64, "d"), (1024, 64, "q")):
            values = [v if code != "b" or v < 128 else 1 for v in labels]
            whole = image(order, datatype, bits, struct.pack(order + str(len(values)) + code, *values))
            yield whole
            yield b"Z" + whole
    whole = image("<", 2, 8, bytes(labels), sform=0, qform=1)
    yield whole
    yield image("<", 2, 8, bytes(labels), sform=1, qform=1, unit=3)
    yield image("<", 2, 8, bytes(9), size=(9, 1, 1), slope=0.0)
    yield gzip.compress(whole, 9, mtime=0)
    yield gzip.compress(whole, 0, mtime=0)


def nrrd_images():
    grid = b"space: RAS\nsizes: 3 3 2\nspace directions: (1,0,0) (0,1,0) (0,0,1)\nspace origin: (-1,-1,-1)\n"
    labels = bytes([0, 1, 2, 255, 1, 1, 2, 2, 0, 1, 2, 3, 0, 0, 0, 1, 1, 255])
    for kind, code in ((b"uchar", "B"), (b"short", "h"), (b"uint32", "I"), (b"longlong", "q"), (b"float", "f"), (b"double", "d")):
        for order, endian in ("<", b"little"), (">", b"big"):
            head = b"NRRD0004\ntype: " + kind + b"\nendian: " + endian + b"\ndimension: 3\n" + grid
            voxels = struct.pack(order + "18" + code, *labels)
            yield head + b"encoding: raw\n\n" + voxels
            yield b"Z" + head + b"encoding: gzip\n\n" + voxels
            yield b"B" + head + b"encoding: bzip2\n\n" + voxels
    head = b"NRRD0005\ntype: uchar\ndimension: 3\n" + grid
    yield head + b"encoding: ascii\n\n" + b" ".join(b"%d" % v for v in labels)
    yield head + b"encoding: raw\nbyte skip: -1\n\nrubbish" + labels
    yield head + b"encoding: raw\nline skip: 1\nbyte skip: 2\n\nline\nab" + labels
    yield head + b"encoding: raw\ndata file: labels.nrrd\nbyte skip: -1\n\n" + labels
    yield b"NRRD0001\r\ntype: uint8\r\ndimension: 3\r\nsizes: 3 3 2\r\nspacings: 1 1 1\r\naxis mins: -1 -1 -1\r\nspace units: \"cm\" \"cm\" \"cm\"\r\nencoding: raw\r\n\r\n" + labels
    segments = b"".join(b"Segment%d_ID:=S%d\nSegment%d_Name:=%s\nSegment%d_LabelValue:=1\nSegment%d_Layer:=%d\nSegment%d_Color:=0.1 0.2 0.3\n" % (n, n, n, name, n, n, n, n) for n, name in enumerate((b"liver", b"a\\nb")))
    yield b"NRRD0004\ntype: uchar\ndimension: 4\nspace: left-posterior-superior\nsizes: 2 3 3 2\nspace directions: none (1,0,0) (0,1,0) (0,0,1)\nspace origin: (0,0,0)\nkinds: list domain domain domain\nencoding: raw\n" + segments + b"\n" + bytes([0, 1, 1, 1] * 9)
    yield b"Z" + head + b"encoding: gzip\n" + segments + b"\n" + labels


def markups():
    def point(x, y, z, more=b""):
        return b'{"id":"1","label":"A-tip","position":[%g,%g,%g]%s}' % (x, y, z, more)

    def file(kind, points, more=b""):
        return b'{"markups":[{"type":"%s",%s"controlPoints":[%s]}]}' % (kind, more, b",".join(points))

    pair = [point(0, 0, 0), point(0, 0, 100)]
    yield file(b"Line", pair)
    yield file(b"Line", pair, b'"name":"L 1","coordinateSystem":"RAS","coordinateUnits":["mm","UCUM","millimeter"],')
    yield file(b"Line", pair, b'"coordinateUnits":"um",')
    yield file(b"Fiducial", pair + [point(20, 0, 0), point(20, 0, 100)])
    yield file(b"Fiducial", [point(1, 2, 3, b',"positionStatus":"preview"')] + pair)
    yield file(b"ROI", pair)
    yield file(b"Line", pair[:1])
    yield b"F# CoordinateSystem = 0\n# columns = id,x,y,z,label\n1,0,0,0,\"A, b\"\n2,0,0,90,A\n"
    yield b"F# CoordinateSystem = LPS\n1,0,0,0,0,0,0,1,1,1,0,F-1,,\n2,0,0,90,0,0,0,1,1,1,0,F-2,,\n"
    for name in b"AffineTransform_double_3_3", b"MatrixOffsetTransformBase_double_3_3", b"Euler3DTransform_double_3_3":
        yield b"T#Insight Transform File V1.0\n#Transform 0\nTransform: " + name + b"\nParameters: 0 1 0 -1 0 0 0 0 1 4 5 6\nFixedParameters: 1 2 3\n"


def journals():
    def mix(text):
        value = 0xCBF29CE484222325
        for byte in text + b"\0":
            value = ((value ^ byte) * 0x100000001B3) % 2**64
        return b"%016x" % value

    def line(number, spacing, code=b"0", status=b"converged", size=b"0", checksum=b"00000000", warnings=b""):
        numbers = b"\t".join([b"1e-06", b"-1", b"12.5", b"0.01", b"0.02", b"0.03", b"1e-06", b"1", b"0", b"7", b"30", b"0.5", b"0", size, checksum])
        return b"\t".join([b"%d" % number, mix(spacing), code, status, numbers, COLUMNS, warnings]) + b"\n"

    yield line(1, b"10") + line(2, b"15") + line(3, b"20")
    yield line(1, b"10", b"4", b"the solver\\n did not\\tconverge", warnings=b"one\\ntwo")
    yield line(2, b"15", size=b"5") + b"\0" + b"12345"
    yield b"!" + line(1, b"10") + b"torn"
    import zlib

    packed = zlib.compress(bytes(513))
    yield line(3, b"20", size=b"%d" % len(packed), checksum=b"%08x" % zlib.crc32(packed)) + b"\0" + packed


COLUMNS = b""


def results():
    yield b"\0"
    yield b"\xc0"
    for name in range(14):
        for how in range(8):
            yield bytes([0, name, how, 3, 2, 5, 0, 1, 2, 3, 4, 5, 6, 7, 8])
    for kind in range(12):
        yield bytes([0, 5, 5, kind, 2, 5, 1, 1, 0])
        yield bytes([0, 1, 5, kind, 2, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0])
    for size in range(13):
        yield bytes([0, 3, 5, 4, 3, size, 3, 0])
        yield bytes([0, 1, 5, 2, 2, size, 0])
    yield b"\0\x0b\x04" + b'{"plan": "\\u001b[31m", "pulses": [1, {"from": 2}], "zone": [], "warnings": {"a": 1}}'
    yield b"\0\x0b\x04" + b"[" * 500
    yield b"\0\x0b\x04" + b'{"zone": {"volume_cm3": 1e999, "threshold_V_per_cm": "x"}, "warnings": ["\\n", null]}'


def main():
    reader, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    seeds = {"plan": plans, "sweep": sweeps, "table": tables, "label_map": label_maps, "nrrd": nrrd_images, "markups": markups, "journal": journals, "result": results}[reader]
    for number, data in enumerate(seeds()):
        (folder / f"seed_{number:03d}").write_bytes(data)


if __name__ == "__main__":
    main()
