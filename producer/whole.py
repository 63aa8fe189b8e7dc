"""Whether the bytes of a photograph reach to its end: what a camera or a share has not written yet is not there.

Each format says in its own way where it ends. What is written in full and cannot be decoded is not this module's
concern: that is the worker's answer, `unusable`.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any, Final

from PIL import Image

_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
"""JPEG markers without a length: TEM, RST0 to RST7 and SOI (ITU-T T.81, table B.1)."""

_EOI, _SOS = 0xD9, 0xDA

_STRIP_OFFSETS, _STRIP_COUNTS, _TILE_OFFSETS, _TILE_COUNTS = 273, 279, 324, 325
_PAGES: Final = 64
"""Pages of a TIFF that are looked at; the first is the one that is judged."""

_ZERO_TAIL: Final = 4096
"""Zero bytes at the end of an uncompressed image from which on they may be what is not written yet."""


def cut_short(data: bytes) -> str | None:
    """Why the bytes of an image end before the image does, in words; None where they reach its end.

    None too for what is no JPEG, PNG, BMP or TIFF: there is no telling.
    """
    if not data:
        return "the file is empty"
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(data)
    if data.startswith(b"BM"):
        return _bmp(data)
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return _tiff(data)
    if not data.strip(b"\0"):
        return "the file has nothing but zero bytes"
    return None


def ends_in_zeros(data: bytes) -> bool:
    """Whether an uncompressed image ends in many zero bytes: black, or room that its writer has not filled yet.

    A camera that reserves the whole file first leaves them, and so does a share that shows a size before its data.
    """
    if not data.startswith((b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return False
    return not data[-_ZERO_TAIL:].strip(b"\0")


def _jpeg(data: bytes) -> str | None:
    at = 2
    while (at := data.find(b"\xff", at)) >= 0:
        while at < len(data) and data[at] == 0xFF:  # any number of fill bytes may stand before a marker
            at += 1
        if at >= len(data):
            break
        marker = data[at]
        at += 1
        if marker == _EOI:
            return None
        if marker == 0 or marker in _STANDALONE:  # 0: a byte FF of the scan
            continue
        length = int.from_bytes(data[at : at + 2], "big")
        if length < 2 or at + length > len(data):
            break
        at += length  # what a segment holds, a thumbnail with an end of its own too, is not looked into
    return "the JPEG ends before its end marker"


def _png(data: bytes) -> str | None:
    at = 8
    while at + 12 <= len(data):
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
    # Rows are padded to four bytes. Bit fields (3, 6) are as long as plain pixels; of what is compressed the size is
    # told.
    pixels = (abs(width) * bits + 31) // 32 * 4 * abs(height) if compression in (0, 3, 6) else size
    if len(data) < offset + pixels:
        return f"the BMP has {len(data):,} of the {offset + pixels:,} bytes that its header tells"
    return None


def _tiff(data: bytes) -> str | None:
    try:
        with Image.open(io.BytesIO(data), formats=("TIFF",)) as image:
            for page in range(_PAGES):
                if page:
                    image.seek(page)
                if (end := _last_byte(image)) > len(data):
                    return f"the TIFF has {len(data):,} of the {end:,} bytes that its directory tells"
    except EOFError:  # after the last page
        return None
    except Exception:  # noqa: BLE001  a directory that is not written yet reads as almost anything
        return "the TIFF's directory cannot be read"
    return None


def _last_byte(image: Image.Image) -> int:
    """Where the last strip or tile of a TIFF's page ends, in bytes from the beginning of the file."""
    tags: Any = getattr(image, "tag_v2", {})
    ends = [0]
    for offsets, counts in ((_STRIP_OFFSETS, _STRIP_COUNTS), (_TILE_OFFSETS, _TILE_COUNTS)):
        starts, lengths = tags.get(offsets, ()), tags.get(counts, ())
        starts = starts if isinstance(starts, tuple) else (starts,)
        lengths = lengths if isinstance(lengths, tuple) else (lengths,)
        ends += [start + length for start, length in zip(starts, lengths, strict=False)] or [0]
        ends += starts[len(lengths) :]
    return max(ends)
