"""Whether the bytes of a photograph reach to its end: what a camera or a share has not written yet is not there.

Each format says in its own way where it ends. What is written in full and cannot be decoded is not this module's
concern: that is the worker's answer, `unusable`.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from itertools import zip_longest
from typing import Any, Final

from PIL import Image, UnidentifiedImageError

_MARKER: Final = re.compile(rb"\xff(?=[^\x00\x01\xd0-\xd8\xff])")
"""A JPEG marker that ends the image or has a length: none of TEM, RST0 to RST7 and SOI (ITU-T T.81, table B.1), and
neither a byte FF of the scan (FF 00) nor a fill byte before a marker."""

_RESTART: Final = re.compile(rb"\xff[\xd0-\xd7]")
_EOI, _SOS, _DRI = 0xD9, 0xDA, 0xDD
_ONE_SCAN: Final = (0xC0, 0xC1)
"""Frames of Huffman-coded JPEGs that are not progressive (baseline, extended)."""

_MOST_PARTS: Final = 100_000
"""Segments of a JPEG and chunks of a PNG that are looked at: more would take seconds, and no camera writes them."""

_STRIP_OFFSETS, _STRIP_COUNTS, _TILE_OFFSETS, _TILE_COUNTS = 273, 279, 324, 325
_CLASSIC: Final = 42
_TIFF_HEADER: Final = 8
_PAGES: Final = 64
"""Pages of a TIFF that are looked at; the first is the one that is judged."""

_BEGINNING: Final = 16
"""Bytes from the beginning that no format of pictures has all zero: some programs write it last."""

_USUAL_CODES: Final = bytes.fromhex("0002010303020403050504040000017d")
"""How many Huffman codes of each length the usual table of brightness has (ITU-T T.81, table K.5)."""

_ZEROS: Final = 512
"""Zero bytes in a row from which on they may be what is not written yet."""


def cut_short(data: bytes) -> str | None:
    """Why the bytes of an image end before the image does, in words; None where they reach its end.

    None too for what is no JPEG, PNG, BMP or TIFF: there is no telling.
    """
    if not data:
        return "the file is empty"
    if data.startswith(b"\xff\xd8"):
        end = jpeg_end(data)
        return "the JPEG ends before its end marker" if end is None else _parts_missing(data, end)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(data)
    if data.startswith(b"BM"):
        return _bmp(data)
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return _tiff(data)
    if not data.strip(b"\0"):
        return "the file has nothing but zero bytes"
    if not data[:_BEGINNING].strip(b"\0"):
        return "the file begins with zero bytes, where its format would stand"
    return None


def may_lack_parts(data: bytes) -> bool:
    """Whether an image has zero bytes where a camera hardly writes any: black, or what its writer has not filled yet.

    A program that reserves the whole file first leaves them, and so does a share that shows a size before its data. Of
    an uncompressed image the end is looked at; in the scan of a baseline JPEG with the usual codes no black makes a run
    of zeros (2 bytes at most in images that were half or nine tenths black), in a progressive one it does.
    """
    if data.startswith((b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return not data[-_ZEROS:].strip(b"\0")
    scan = data.find(b"\xff\xda")
    # Tables that were made for one image alone give black the shortest codes, and those are zeros.
    if not data.startswith(b"\xff\xd8") or b"\xff\xc2" in data[:scan] or _USUAL_CODES not in data[:scan]:
        return False
    return bytes(_ZEROS) in data[scan : jpeg_end(data)]  # what stands behind the end is no part of it


def jpeg_end(data: bytes) -> int | None:
    """Where a JPEG's first image ends, in bytes from the beginning and its end marker included; None where it lacks."""
    at = 2
    for _ in range(_MOST_PARTS):
        found = _MARKER.search(data, at)
        if found is None or found.end() >= len(data):
            return None
        at = found.end() + 1
        if data[at - 1] == _EOI:
            return at
        length = int.from_bytes(data[at : at + 2], "big")
        if length < 2 or at + length > len(data):
            return None
        at += length  # what a segment holds, a thumbnail with an end of its own too, is not looked into
    return None


def _parts_missing(data: bytes, end: int) -> str | None:
    """Why a JPEG that many cameras divide into numbered parts has too few of them, or None.

    A decoder goes on with the next part that it finds, and nobody hears of those between. Told for what has one scan.
    """
    at, interval, blocks = 2, 0, 0
    colours = b""
    while (found := _MARKER.search(data, at, end)) is not None and found.end() < end:
        at = found.end()
        kind, length = data[at], int.from_bytes(data[at + 1 : at + 3], "big")
        segment = data[at + 3 : at + 1 + length]
        at += 1 + length
        if kind == _DRI and len(segment) >= 2:
            interval = int.from_bytes(segment[:2], "big")
        elif kind in _ONE_SCAN and len(segment) >= 9:
            height, width = struct.unpack_from(">HH", segment, 1)
            colours = segment[7::3]
            wide, high = (max(each >> 4 for each in colours), max(each & 15 for each in colours))
            if len(colours) == 1:
                wide = high = 1
            blocks = -(-width // (8 * max(wide, 1))) * -(-height // (8 * max(high, 1)))
        elif kind == _SOS:
            if not (interval and blocks and segment[:1] == bytes([len(colours)])):
                return None
            parts, there = -(-blocks // interval), len(_RESTART.findall(data, at, end)) + 1
            return f"the JPEG has {there:,} of its {parts:,} parts" if there < parts else None
    return None


def _png(data: bytes) -> str | None:
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
            return "a part of the PNG is not what its checksum says"
        if kind == b"IEND":
            return None
        at = end
    return "the PNG ends before its last part"


def _bmp(data: bytes) -> str | None:
    if len(data) < 26:
        return "the BMP ends in its header"
    offset, header = struct.unpack_from("<II", data, 10)
    if header == 12:  # OS/2's first form
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression = size = 0
    elif len(data) < 38:
        return "the BMP ends in its header"
    else:
        width, height, _, bits, compression, size = struct.unpack_from("<iiHHII", data, 18)
    # Rows are padded to four bytes; some programs leave out the last row's. Bit fields (3, 6) are as long as plain
    # pixels; of what is compressed the size is told.
    row = (abs(width) * bits + 7) // 8
    plain = (row + 3) // 4 * 4 * max(abs(height) - 1, 0) + row
    pixels = plain if compression in (0, 3, 6) else size
    if len(data) < offset + pixels:
        return f"the BMP has {len(data):,} of the {offset + pixels:,} bytes that its header tells"
    return None


def _tiff(data: bytes) -> str | None:
    if (written := _directory_written(data)) is False:
        return "the TIFF's directory is not written yet"
    try:
        with Image.open(io.BytesIO(data), formats=("TIFF",)) as image:
            for page in range(_PAGES):
                if page:
                    image.seek(page)
                parts = _parts(image)
                if any(start < _TIFF_HEADER for start, _ in parts):
                    return "a part of the TIFF was never written"
                if (end := max((start + length for start, length in parts), default=0)) > len(data):
                    return f"the TIFF has {len(data):,} of the {end:,} bytes that its directory tells"
    except EOFError:  # after the last page
        return None
    except UnidentifiedImageError:  # its kind is not read, which is no question of its end
        return None if written else "the TIFF's directory cannot be read"
    except Exception:  # noqa: BLE001  a directory that is not written yet reads as almost anything
        return "the TIFF's directory cannot be read"
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


def _parts(image: Image.Image) -> list[tuple[int, int]]:
    """Where each strip or tile of a TIFF's page begins, in bytes from the beginning of the file, and its length."""
    tags: Any = getattr(image, "tag_v2", {})
    parts: list[tuple[int, int]] = []
    for offsets, counts in ((_STRIP_OFFSETS, _STRIP_COUNTS), (_TILE_OFFSETS, _TILE_COUNTS)):
        starts, lengths = _numbers(tags.get(offsets, ())), _numbers(tags.get(counts, ()))
        parts += zip_longest(starts, lengths[: len(starts)], fillvalue=0)
    return parts


def _numbers(value: Any) -> tuple[int, ...]:
    every = value if isinstance(value, tuple) else (value,)
    return tuple(each for each in every if isinstance(each, int))
