"""How far a BMP reaches, by its header, and whether its file does."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from producer.contract.reasons import image_files
from producer.contract.reasons.template import Reason


@dataclass(frozen=True)
class BmpExtent:
    """What a BMP's header tells: its size in pixels, the bytes of a row, where the last row ends, and the bytes of the
    colour profile, which lies behind."""

    size: tuple[int, int]
    row: int
    ends: int
    profile: int


def bmp_extent(data: bytes) -> BmpExtent | None:
    """How far a BMP reaches, by its header; None where it ends in that."""
    if len(data) < 26:
        return None
    offset, header = struct.unpack_from("<II", data, 10)
    if header == 12:  # OS/2's first form
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression = size = 0
    elif len(data) < 38:
        return None
    else:
        width, height, _, bits, compression, size = struct.unpack_from("<iiHHII", data, 18)
    # Rows are padded to four bytes; some programs leave out the last row's. Bit fields (3, 6) are as long as plain
    # pixels; of what is compressed the size is told.
    row = (abs(width) * bits + 7) // 8
    plain = (row + 3) // 4 * 4 * max(abs(height) - 1, 0) + row
    pixels = plain if compression in (0, 3, 6) else size
    profile = struct.unpack_from("<I", data, 130)[0] if header >= 124 and len(data) >= 138 else 0
    return BmpExtent((abs(width), abs(height)), row, offset + pixels, profile)


def bmp_problem(data: bytes) -> Reason | None:
    """Why a BMP is not all there; None where it reaches the end that its header tells."""
    extent = bmp_extent(data)
    if extent is None:
        return image_files.BMP_ENDS()
    if len(data) < extent.ends:
        return image_files.BMP_SHORT(size=len(data), whole=extent.ends)
    return None
