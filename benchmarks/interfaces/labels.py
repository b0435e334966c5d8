"""Label maps as files, for the scripts here."""
import gzip
import struct


def write_nifti(path, n, affine, labels):
    """Write a NIfTI-1 file of n x n x n labels (bytes, x fastest) with three rows of an affine, mm."""
    edge = [sum(affine[r][c] ** 2 for r in range(3)) ** 0.5 for c in range(3)]
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, n, n, n, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 2, 8)
    struct.pack_into("<8f", header, 76, 1, *edge, 1, 1, 1, 1)
    struct.pack_into("<3f", header, 108, 352, 1, 0)
    header[123] = 2
    struct.pack_into("<h", header, 254, 1)
    for r in range(3):
        struct.pack_into("<4f", header, 280 + 16 * r, *affine[r])
    header[344:348] = b"n+1\0"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(bytes(header))
        for piece in labels:
            file.write(piece)
