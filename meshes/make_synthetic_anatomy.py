#!/usr/bin/env python3
"""Make synthetic_anatomy.nii.gz: a made-up liver with a tumour and two vessels, as a NIfTI-1 label map.

    meshes/make_synthetic_anatomy.py [FILE.nii.gz]

60 x 60 x 60 voxels of 2 mm; the middle of the image is at (0, 0, 0) mm, RAS. Labels: 1 liver (an ellipsoid), 2 tumour
(an ellipsoid about the origin, half-axes 14, 11 and 12 mm), 3 vein (an oblique tube beside the tumour), 4 artery.
"""
import gzip
import os
import struct
import sys

SIZE, STEP = 60, 2.0  # voxels along each axis; mm


def ellipsoid(x, y, z, center, axes):
    return sum(((v - c) / a) ** 2 for v, c, a in zip((x, y, z), center, axes)) <= 1


def tube(x, y, z, point, direction, radius):
    """Whether a point is within `radius` of a line; `direction` has the length 1."""
    d = [v - p for v, p in zip((x, y, z), point)]
    along = sum(a * b for a, b in zip(d, direction))
    return sum(v * v for v in d) - along * along <= radius * radius


def label(x, y, z):
    """Label of a point, mm."""
    if not ellipsoid(x, y, z, (5, 0, 0), (56, 50, 46)):
        return 0
    if tube(x, y, z, (0, 18, 0), (0.8, 0, 0.6), 4):
        return 3
    if tube(x, y, z, (0, -20, 0), (0.6, 0.0, -0.8), 2.5):
        return 4
    return 2 if ellipsoid(x, y, z, (0, 0, 0), (14, 11, 12)) else 1


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "synthetic_anatomy.nii.gz")
    origin = -STEP * (SIZE - 1) / 2
    at = [origin + STEP * n for n in range(SIZE)]
    voxels = bytes(label(x, y, z) for z in at for y in at for x in at)

    header = bytearray(352)  # the 348 bytes of a NIfTI-1 header and "no extension"
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, SIZE, SIZE, SIZE, 1, 1, 1, 1)
    struct.pack_into("<3h", header, 68, 1002, 2, 8)  # intent: label; data type: unsigned char, 8 bits
    struct.pack_into("<8f", header, 76, 1, STEP, STEP, STEP, 1, 1, 1, 1)
    struct.pack_into("<3f", header, 108, 352, 1, 0)  # offset of the voxels, slope, intercept
    header[123] = 2  # mm
    struct.pack_into("<2h", header, 252, 1, 1)  # qform and sform: scanner coordinates
    struct.pack_into("<6f", header, 256, 0, 0, 0, origin, origin, origin)
    for row in range(3):
        struct.pack_into("<4f", header, 280 + 16 * row, *(STEP if row == c else 0 for c in range(3)), origin)
    header[344:348] = b"n+1\0"
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(bytes(header) + voxels)


if __name__ == "__main__":
    main()
