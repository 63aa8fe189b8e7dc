"""A compressed TIFF a part of whose data was overwritten, and that decodes all the same.

A strip or tile of Deflate ends with a checksum, which the decoder does not read once it has all the rows. LZW and
PackBits have none. But what comes twice has a code of its own in LZW, so no byte comes many times over; and PackBits
packs each row by itself: other bytes hardly end where it does. A program that packs rows together ends no run there
that could go on. Each strip or tile of JPEG is asked what a JPEG file is.
"""

from __future__ import annotations

import io
import re
import zlib
from typing import Any, Final

from PIL import Image, UnidentifiedImageError

from producer.pictures.jpeg_structure import JpegStructure
from producer.pictures.tiff_structure import tiff_jpegs, tiff_parts
from worker.images.truncated_jpeg import load_whole

_BYTES_AT_ONCE: Final = 2**18
"""Bytes that are unpacked at once, to be forgotten."""

_MOST_BYTES_A_PIXEL: Final = 16
"""Bytes a pixel from which on a strip has more than its image: what is behind that is not looked at."""

_REPEATED: Final = re.compile(rb"(.)\1{31}", re.DOTALL)
"""32 equal bytes: at least 21 codes of LZW, which come again after eight at most."""

_NOTHING: Final = 128
"""The code of PackBits below which that many bytes and one more follow, and above which a byte is repeated."""

_LONGEST_RUN: Final = 128
"""Bytes. One that is as long may end at a row's end because it is full."""

_LITERAL: Final = 256
"""What goes on in a run of bytes that differ; in one of equal bytes it is that byte."""

_BY_CHANCE: Final = 1 / 4
"""Of the rows that are packed together at most so many end where a run does that could go on."""

_MOST_RUNS: Final = 2**22
"""Runs of PackBits that are looked at: a second's. A photograph of 40 megapixels has half as many."""

_BITS_PER_SAMPLE, _PLANAR, _TILE_WIDTH = 258, 284, 322
_BY_PLANES: Final = 2


def is_overwritten(image: Image.Image, data: bytes) -> bool:
    """Whether a TIFF's compressed data cannot be what their program wrote.

    Args:
        image: opened, loaded or not.
        data: the bytes of its file, checked to hold all its parts.

    Raises:
        OSError: a part of it cannot be decoded.
    """
    compression = str(image.info.get("compression"))
    if compression == "jpeg":
        return not all(_is_whole(part) for part in tiff_jpegs(image, data))
    parts = [memoryview(data)[start : start + length] for start, length in tiff_parts(image)]
    if compression in ("tiff_adobe_deflate", "tiff_deflate"):
        most = _MOST_BYTES_A_PIXEL * image.width * image.height
        return any(not _ends_well(part, most) for part in parts)
    if compression == "packbits":
        return not _is_in_rows(parts, _stride(image))
    return compression == "tiff_lzw" and any(_REPEATED.search(part) for part in parts)


def _is_whole(part: bytes) -> bool:
    jpeg = JpegStructure.of(part)
    if jpeg.problem is not None:
        return False
    try:
        image = Image.open(io.BytesIO(part), formats=("JPEG",))
    except UnidentifiedImageError:  # two components, grey and alpha, which a TIFF may have and a JPEG file may not
        return True
    return load_whole(image, part, jpeg)


def _ends_well(part: memoryview, most: int) -> bool:
    unpacker, count = zlib.decompressobj(), 0
    rest: bytes | memoryview = part
    try:
        while not unpacker.eof and count < most:
            new = len(unpacker.decompress(rest, _BYTES_AT_ONCE))
            if not new and not unpacker.unconsumed_tail:
                break
            count, rest = count + new, unpacker.unconsumed_tail
    except zlib.error:
        return False
    return unpacker.eof or count >= most


def _stride(image: Image.Image) -> int:
    """How many bytes a row of a strip or tile has when it is unpacked."""
    tags: Any = getattr(image, "tag_v2", {})
    bits = tags.get(_BITS_PER_SAMPLE, (1,))
    pixel = bits[0] if tags.get(_PLANAR) == _BY_PLANES else sum(bits)
    return int((tags.get(_TILE_WIDTH, image.width) * pixel + 7) // 8)


def _is_in_rows(parts: list[memoryview], stride: int) -> bool:
    """Whether the last row of each part of PackBits ends where the part does, and the others where runs do.

    One byte more is what fills up an even number of bytes. A program that packs rows together, as it should not, does
    so everywhere: it ends no run at a row's end that could go on.
    """
    ended = crossed = 0
    budget = iter(range(_MOST_RUNS))
    for part in map(bytes, parts):
        at, left, could_go_on = 0, stride, -1
        for _ in budget:
            padded = at == len(part) - 1 and at % 2 and left == stride
            if at >= len(part) or padded:
                break
            code = part[at]
            if code == _NOTHING:
                at += 1
                continue
            literal = code < _NOTHING
            run = code + 1 if literal else 257 - code
            goes_on = _LITERAL if literal else part[at + 1] if at + 1 < len(part) else -1
            ended += could_go_on == goes_on >= 0
            at += run + 1 if literal else 2
            left -= run
            could_go_on = goes_on if left == 0 and run < _LONGEST_RUN else -1
            if left <= 0:
                crossed += left < 0
                left = left % stride or stride
        else:  # more than is looked at
            return True
        if at > len(part) or left < stride:
            return False
    return not crossed or ended <= _BY_CHANCE * (ended + crossed)
