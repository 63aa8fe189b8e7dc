"""Whether a photograph's file ends early; a PNG that has its end but too few rows: `worker.images.truncated_png`.

Then a camera or a share has not written all of it yet. Each format says in its own way where it ends. What is written
in full and cannot be decoded is not this module's concern: that is the worker's answer, `unusable`.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Any, Final

from PIL import Image, UnidentifiedImageError

from producer.contract.reasons import image_files
from producer.contract.reasons.template import Reason
from producer.pictures.jpeg_structure import JpegStructure

_MOST_PARTS: Final = 100_000
"""Chunks of a PNG that are looked at: more would take seconds, and no camera writes them."""

_STRIP_OFFSETS, _STRIP_COUNTS, _TILE_OFFSETS, _TILE_COUNTS = 273, 279, 324, 325
_JPEG_TABLES: Final = 347
_CLASSIC: Final = 42
_TIFF_HEADER: Final = 8
_PAGES: Final = 64
"""Pages of a TIFF that are looked at; the first is the one that is judged."""

_BEGINNING: Final = 16
"""Bytes from the beginning that no format of pictures has all zero: some programs write it last."""


def cut_short(data: bytes) -> Reason | None:
    """Why the bytes of an image end before the image does, in words; None where they reach its end.

    None too for what is no JPEG, PNG, BMP or TIFF: there is no telling.
    """
    if not data:
        return image_files.NO_BYTES()
    if data.startswith(b"\xff\xd8"):
        return JpegStructure.of(data).problem
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(data)
    if data.startswith(b"BM"):
        return _bmp(data)
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return _tiff(data)
    if not data.strip(b"\0"):
        return image_files.ONLY_ZEROS()
    if not data[:_BEGINNING].strip(b"\0"):
        return image_files.BEGINS_WITH_ZEROS()
    return None


def _png(data: bytes) -> Reason | None:
    at = 8
    for _ in range(_MOST_PARTS):
        if at + 12 > len(data):
            break
        length = int.from_bytes(data[at : at + 4], "big")
        end = at + 12 + length
        if end > len(data):
            break
        kind = data[at + 4 : at + 8]
        if zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            return image_files.PNG_CHECKSUM()
        if kind == b"IEND":
            return None
        at = end
    return image_files.PNG_ENDS()


def _bmp(data: bytes) -> Reason | None:
    extent = bmp_extent(data)
    if extent is None:
        return image_files.BMP_ENDS()
    if len(data) < extent.ends:
        return image_files.BMP_SHORT(size=len(data), whole=extent.ends)
    return None


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


def _tiff(data: bytes) -> Reason | None:
    if (written := _directory_written(data)) is False:
        return image_files.TIFF_NOT_WRITTEN()
    try:
        with Image.open(io.BytesIO(data), formats=("TIFF",)) as image:
            for page in range(_PAGES):
                if page:
                    image.seek(page)
                parts = tiff_parts(image)
                if any(start < _TIFF_HEADER for start, _ in parts):
                    return image_files.TIFF_PART_NOT_WRITTEN()
                if (end := max((start + length for start, length in parts), default=0)) > len(data):
                    return image_files.TIFF_SHORT(size=len(data), whole=end)
                if _overlap(parts):
                    return image_files.TIFF_PARTS_OVERLAP()
                problems = (JpegStructure.of(part).problem for part in tiff_jpegs(image, data))
                if (problem := next(filter(None, problems), None)) is not None:
                    return image_files.TIFF_JPEG(problem=problem)
    except EOFError:  # after the last page
        return None
    except UnidentifiedImageError:  # its kind is not read, which is no question of its end
        return None if written else image_files.TIFF_UNREADABLE()
    except Exception:  # noqa: BLE001  a directory that is not written yet reads as almost anything
        return image_files.TIFF_UNREADABLE()
    return None


def _directory_written(data: bytes) -> bool | None:
    """Whether a TIFF's first directory is all there; None for a BigTIFF, which is hardly ever met."""
    order = "<" if data.startswith(b"II") else ">"
    if struct.unpack_from(order + "H", data, 2)[0] != _CLASSIC:
        return None
    if len(data) < 8:
        return False
    (start,) = struct.unpack_from(order + "I", data, 4)
    if start + 2 > len(data):
        return False
    (entries,) = struct.unpack_from(order + "H", data, start)
    # Tags are numbers above zero: one that is zero has not been written.
    last = start + 2 + 12 * (entries - 1)
    return entries > 0 and last + 12 <= len(data) and data[last : last + 2] != b"\0\0"


def tiff_parts(image: Image.Image) -> list[tuple[int, int]]:
    """Where each strip or tile of a TIFF's page begins, in bytes from the beginning of the file, and its length."""
    tags: Any = getattr(image, "tag_v2", {})
    parts: list[tuple[int, int]] = []
    for offsets, counts in ((_STRIP_OFFSETS, _STRIP_COUNTS), (_TILE_OFFSETS, _TILE_COUNTS)):
        starts, lengths = _numbers(tags.get(offsets, ())), _numbers(tags.get(counts, ()))
        parts += zip_longest(starts, lengths[: len(starts)], fillvalue=0)
    return parts


def _overlap(parts: list[tuple[int, int]]) -> bool:
    """Whether two parts have a byte in common: what stands for one of them is the picture of another."""
    written = sorted(part for part in parts if part[1])
    return any(start + length > after for (start, length), (after, _) in pairwise(written))


def tiff_jpegs(image: Image.Image, data: bytes) -> Iterator[bytes]:
    """Each strip or tile of a TIFF's page as a JPEG of its own, with the tables that all share; none of others."""
    if image.info.get("compression") != "jpeg":
        return
    tags: Any = getattr(image, "tag_v2", {})
    tables = tags.get(_JPEG_TABLES, b"")
    # They are a JPEG without an image: what is between its own beginning and end goes before what a part has.
    shared = bytes(tables)[2:-2] if isinstance(tables, bytes) else b""
    for start, length in tiff_parts(image):
        yield data[start : start + 2] + shared + data[start + 2 : start + length]


def _numbers(value: Any) -> tuple[int, ...]:
    every = value if isinstance(value, tuple) else (value,)
    return tuple(number for number in every if isinstance(number, int))
