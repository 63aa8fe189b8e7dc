"""The directories, strips and tiles of a TIFF, and whether they reach its end."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from itertools import pairwise, zip_longest
from typing import Any, Final

from PIL import Image, UnidentifiedImageError

from producer.contract.reasons import image_files
from producer.contract.reasons.template import Reason
from producer.pictures.jpeg_structure import JpegStructure

_STRIP_OFFSETS, _STRIP_COUNTS, _TILE_OFFSETS, _TILE_COUNTS = 273, 279, 324, 325
_JPEG_TABLES: Final = 347
_CLASSIC: Final = 42
_TIFF_HEADER: Final = 8
_PAGES: Final = 64
"""Pages of a TIFF that are looked at; the first is the one that is judged."""


def tiff_problem(data: bytes) -> Reason | None:
    """Why a TIFF is not all there, or not yet; None where its pages reach their ends."""
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
